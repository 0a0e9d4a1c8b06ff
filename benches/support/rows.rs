//! The rows that are measured: random dates over the ten years before today.

const TEN_YEARS: u64 = 3_652 * 86_400;

pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) customer: u64,
    pub(crate) at: String,
    pub(crate) level: &'static str,
    pub(crate) email: String,
    pub(crate) message: &'static str,
    pub(crate) amount: f64,
}

/// So many rows, the same every time, with dates before a second of the Unix epoch.
pub(crate) fn rows(count: u64, until: u64) -> impl Iterator<Item = Row> {
    let mut random = Random(42);
    (1..=count).map(move |id| {
        let customer = random.below(100_000);
        let at = text_of(until - 1 - random.below(TEN_YEARS));
        let level = ["info", "warning", "error"][random.below(3) as usize];
        let message = match random.below(4) {
            0 => "order placed, paid, and \"shipped\"",
            1 => "signed in",
            2 => "signed out",
            _ => "changed the plan of the day",
        };
        let email = format!("user{customer}@example.org");
        let amount = random.below(100_000) as f64 / 100.0;
        Row { id, customer, at, level, email, message, amount }
    })
}

fn text_of(seconds: u64) -> String {
    let at = chrono::DateTime::from_timestamp(seconds as i64, 0).unwrap();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// SplitMix64: the same data every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
