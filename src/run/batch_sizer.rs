//! How much one transaction does: as much as keeps the write lock for a short time, then a gap in
//! which other writers get their turn.

use std::time::{Duration, Instant};

/// How long a transaction may keep the write lock, its commit included. The promise is 50 ms; the
/// rest is for the unforeseen.
const LOCK: Duration = Duration::from_millis(47);

/// However long it takes to find out what goes, so long a transaction then lets it go: with less, that would be found
/// out again and again for a few rows.
pub(crate) const LEAST_WORK: Duration = Duration::from_millis(12);

/// How long the lock is then left free. A writer that waits with the engine's stock busy handler
/// asks after 1, 3, 8, 18, 33 and 53 ms: one of these falls into a gap of this length, wherever
/// in a transaction of `LOCK` it began.
pub(crate) const GAP: Duration = Duration::from_millis(25);

/// Behind a transaction that took longer, a gap of `GAP` may be missed: such a writer then asks every 50 ms, and later
/// every 100.
const LONG: Duration = Duration::from_millis(60);

/// A gap that no writer misses.
const SURE_GAP: Duration = Duration::from_millis(110);

/// How long the lock is left free for others after it was held for so long.
pub(crate) fn gap_after(held: Duration) -> Duration {
    if held > LONG { held.min(SURE_GAP) } else { GAP }
}

/// How much larger than the last one a batch may be.
const GROWTH: u64 = 4;

/// A batch that found few of its rows due tells about so many times as many.
const TRUST: u64 = 16;

const FIRST_STRETCH: u64 = 20_000;
/// Behind the last row that fits, a statement still passes over the rest of its stretch.
const LONGEST_STRETCH: u64 = 250_000;
const FIRST_ROWS: u64 = 2_000;
const CAUTIOUS_STRETCH: u64 = 250;
const MOST_ROWS: u64 = 1_000_000;

/// The size of the next batch, learnt from those before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchSizer {
    stretch: u64,
    rows: u64,
    commit: Duration,
}

/// How one transaction went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockTime {
    /// Rows deleted.
    pub(crate) rows: u64,
    /// Time from the lock to the last deletion.
    pub(crate) work: Duration,
    /// How much of that went by until it was known what goes, whatever the number of rows.
    pub(crate) looked: Duration,
    /// Time of the announcement and the commit, which wait for the disk.
    pub(crate) commit: Duration,
    /// Whether the batch ended because it had used up its time or its rows.
    pub(crate) spent: bool,
}

impl BatchSizer {
    pub(crate) fn new() -> BatchSizer {
        BatchSizer { stretch: FIRST_STRETCH, rows: FIRST_ROWS, commit: Duration::from_millis(5) }
    }

    /// Where a batch cannot end early, or its rows may cost much, the first one is a single row.
    pub(crate) fn cautious() -> BatchSizer {
        BatchSizer { stretch: CAUTIOUS_STRETCH, rows: 1, ..BatchSizer::new() }
    }

    /// The next batch has at most so many rows.
    pub(crate) fn shrink_to(&mut self, rows: u64) {
        self.rows = self.rows.min(rows).max(1);
    }

    /// How many rows the next statement may delete. Deletions that the engine puts off to the end
    /// of a statement are not seen by its deadline, so their number is bounded as well.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many rows the next statement may pass over.
    pub(crate) fn stretch(&self) -> u64 {
        self.stretch
    }

    /// When a statement that got the lock now must have done its work.
    pub(crate) fn deadline(&self, locked: Instant) -> Instant {
        locked + self.time_for_work()
    }

    /// What a commit leaves of the lock's time. It takes its own however few rows there are, so
    /// that on a slow disk something must be left for work, or a purge would never end.
    fn time_for_work(&self) -> Duration {
        LOCK.saturating_sub(self.commit).max(LOCK / 8)
    }

    /// Learns from a transaction.
    pub(crate) fn learn(&mut self, held: LockTime) {
        // The slowest recent commit counts: a fast one is no promise.
        self.commit = held.commit.max(self.commit.mul_f64(0.75));
        let time = self.time_for_work();
        let acted = held.work.saturating_sub(held.looked);
        let left = time.saturating_sub(held.looked).max(time.min(LEAST_WORK));
        let fits = scaled(held.rows, acted, left);
        let rows = if acted > left || held.rows * 2 >= self.rows {
            fits.max(1)
        } else {
            // Few rows say little about many, and nothing against as many as before.
            let told = held.rows.saturating_mul(TRUST).max(CAUTIOUS_STRETCH);
            (fits / 4).min(told).max(self.rows)
        };
        self.rows = rows.min(self.rows.saturating_mul(GROWTH)).min(MOST_ROWS);
        let stretch =
            if held.spent { self.stretch - self.stretch / 10 } else { scaled(self.stretch, held.work, time) };
        self.stretch = stretch.clamp(100, self.stretch.saturating_mul(GROWTH)).min(LONGEST_STRETCH);
    }
}

/// How many rows fit into a time, when so many took `work`.
fn scaled(rows: u64, work: Duration, time: Duration) -> u64 {
    u64::try_from(u128::from(rows) * time.as_micros() / work.as_micros().max(1)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(rows: u64, work: Duration, spent: bool) -> LockTime {
        LockTime { rows, work, looked: Duration::ZERO, commit: Duration::from_millis(2), spent }
    }

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_as_soon_as_one_is_slow() {
        let mut pace = BatchSizer::new();
        for _ in 0..20 {
            pace.learn(held(pace.rows(), Duration::from_nanos(1_000 * pace.rows()), false));
        }
        let settled = pace.rows();
        assert!((40_000..50_000).contains(&settled), "{settled}");
        pace.learn(held(settled, Duration::from_millis(460), false));
        assert!(pace.rows() <= settled / 9, "{}", pace.rows());
    }

    #[test]
    fn a_batch_with_few_rows_does_not_make_the_next_one_larger_but_a_slow_one_makes_it_smaller() {
        let mut pace = BatchSizer::new();
        pace.learn(held(3, Duration::from_micros(10), false));
        assert_eq!(pace.rows(), FIRST_ROWS);
        pace.learn(held(3, Duration::from_secs(1), false));
        assert_eq!(pace.rows(), 1);
    }

    #[test]
    fn batches_do_not_dwindle_where_finding_out_takes_all_the_time() {
        let mut pace = BatchSizer::cautious();
        let looked = Duration::from_millis(60);
        for _ in 0..20 {
            let work = looked + Duration::from_micros(10 * pace.rows());
            pace.learn(LockTime { looked, ..held(pace.rows(), work, false) });
        }
        assert!((1_000..1_500).contains(&pace.rows()), "{}", pace.rows());
    }

    /// Where one row in ten is due, a batch that may pass over as many rows as it may take stayed at two of them.
    #[test]
    fn a_cautious_beginning_is_left_also_where_few_rows_are_due() {
        let mut pace = BatchSizer::cautious();
        for _ in 0..12 {
            let found = pace.rows().div_ceil(10);
            pace.learn(held(found, Duration::from_micros(10 * found), false));
        }
        assert!(pace.rows() >= 1_000, "{}", pace.rows());
        let before = pace.rows();
        pace.learn(held(before, Duration::from_micros(200 * before), false));
        assert!(pace.rows() < 250, "{}", pace.rows());
    }

    #[test]
    fn a_spent_batch_shortens_the_stretch_and_an_easy_one_lengthens_it() {
        let mut pace = BatchSizer::new();
        pace.learn(held(500, Duration::from_millis(1), false));
        assert_eq!(pace.stretch(), FIRST_STRETCH * GROWTH);
        pace.learn(held(500, Duration::from_millis(44), true));
        assert_eq!(pace.stretch(), FIRST_STRETCH * GROWTH * 9 / 10);
        for _ in 0..40 {
            pace.learn(held(0, Duration::ZERO, false));
        }
        assert_eq!(pace.stretch(), LONGEST_STRETCH);
    }

    /// A writer that begins to wait in the middle of a transaction gets its turn in the first gap.
    #[test]
    fn whoever_waits_with_the_stock_handler_meets_the_gap() {
        let steps = [1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100];
        for held in (1..=50).chain(61..1_000) {
            let gap = gap_after(Duration::from_millis(held)).as_millis() as u64;
            for begun in 0..held {
                let mut asked = begun;
                let mut delays = steps.iter().chain(std::iter::repeat(&100));
                while asked < held {
                    asked += delays.next().unwrap();
                }
                assert!(asked < held + gap, "{held} ms, from {begun} on: {asked}");
            }
        }
    }

    #[test]
    fn a_slow_commit_takes_its_time_from_the_work() {
        let mut pace = BatchSizer::new();
        let locked = Instant::now();
        pace.learn(LockTime {
            commit: Duration::from_millis(30),
            ..held(1, Duration::from_millis(1), false)
        });
        assert_eq!(pace.deadline(locked) - locked, LOCK - Duration::from_millis(30));
        pace.learn(LockTime { commit: Duration::from_secs(3), ..held(1, Duration::from_millis(1), false) });
        assert_eq!(pace.deadline(locked) - locked, LOCK / 8, "some work is always done");
    }

    #[test]
    fn batches_do_not_dwindle_where_a_commit_takes_all_the_time() {
        let mut pace = BatchSizer::new();
        for _ in 0..100 {
            let work = Duration::from_micros(10 * pace.rows());
            pace.learn(LockTime { commit: LOCK * 2, ..held(pace.rows(), work, true) });
        }
        assert!((500..700).contains(&pace.rows()), "{}", pace.rows());
    }
}
