//! The whole language at once: random policies over random tables and times, written as one database,
//! as CSV files and as a mix of both. The state of every record under every rule, from when it is due,
//! and what is left of it are what a slow and plain reading of the language says.

mod calendar;
mod case;
mod condition;
mod data;
mod draw;
mod files;
mod format;
mod layout;
mod model;
mod moment;
mod newest;
mod oracle;
mod period;
mod personal;
mod policy;
mod rule;
mod started;
mod tables;
mod time;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use self::case::Case;
use self::draw::Draw;
use self::layout::Layout;
use self::model::Model;
use self::oracle::Judged;
use super::support::Place;

const STATES: [&str; 9] =
    ["due", "running", "waiting", "spared", "overruled", "unreadable", "unrelated", "done", "blocked"];

const AT_ONCE: &str = "due from this very moment";
const NEARLY: &str = "due from a moment within a day";

/// How often each of these was met.
type Met = BTreeMap<&'static str, u64>;

/// What becomes of every record of every rule, in the order of the rules and the records.
type Expected = Vec<Vec<Option<Judged>>>;

fn expected(model: &Model) -> Expected {
    let of_rule = |place: usize| {
        let rows = model.tables[model.rules[place].table].rows.iter();
        rows.map(|row| model.judge(place, row)).collect()
    };
    (0..model.rules.len()).map(of_rule).collect()
}

/// The policy and the tables, as somebody would have to write them to see it again.
fn told(model: &Model, layout: &Layout) -> String {
    let mut told = format!("as of {}\n{}", model.now, policy::text(model, layout));
    for (number, table) in model.tables.iter().enumerate() {
        let keys = layout.keys(model, number);
        write!(told, "{}", tables::sql(table, number)).unwrap();
        for (row, key) in table.rows.iter().zip(keys) {
            let times: Vec<_> = row.times.iter().map(|cell| cell.means).collect();
            writeln!(told, "  {key} means {times:?}, {:?}", row.period.means).unwrap();
        }
    }
    told
}

fn check(seed: u64, met: &mut Met) {
    let mut draw = Draw::of(seed);
    let model = Model::draw(&mut draw);
    let expected = expected(&model);
    for (state, due) in expected.iter().flatten().flatten() {
        *met.entry(state).or_default() += 1;
        let away = due.map_or(i64::MAX, |due| (due - model.now).num_seconds().abs());
        *met.entry(AT_ONCE).or_default() += u64::from(away == 0);
        *met.entry(NEARLY).or_default() += u64::from(away <= 86_400);
    }
    for layout in Layout::draw_all(&mut draw, &model) {
        let case = Case { model: &model, expected: &expected, layout: &layout, place: Place::in_memory() };
        // What went wrong was told already.
        let ran = catch_unwind(AssertUnwindSafe(|| case.run()));
        assert!(ran.is_ok(), "FRIST_SEED={seed}, {}", told(&model, &layout));
    }
}

fn number_in(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|number| number.parse().ok())
}

#[test]
fn sqlite_csv_and_a_plain_reading_of_the_language_agree() {
    if let Some(seed) = number_in("FRIST_SEED") {
        return check(seed, &mut Met::new());
    }
    let cases: u64 = crate::depth::cases(75).into();
    let threads = 4;
    let met = std::thread::scope(|scope| {
        let of_thread = |first: u64| {
            let mut met = Met::new();
            (first..cases).step_by(threads).for_each(|seed| check(seed, &mut met));
            met
        };
        let running: Vec<_> =
            (0..threads as u64).map(|first| scope.spawn(move || of_thread(first))).collect();
        let mut sum = Met::new();
        for thread in running {
            let met = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            met.into_iter().for_each(|(state, count)| *sum.entry(state).or_default() += count);
        }
        sum
    });
    for state in STATES.iter().chain(&[AT_ONCE, NEARLY]) {
        let count = met.get(state).copied().unwrap_or_default();
        assert!(count >= cases / 5, "{state} was met {count} times in {cases} cases: {met:?}");
    }
}
