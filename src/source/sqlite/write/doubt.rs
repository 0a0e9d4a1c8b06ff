//! Deciding whether a killed run's last batch was committed: by whether the rows that it took are there. A
//! commit takes all of them or none.

use std::path::Path;
use std::time::Duration;

use super::recover;
use super::sample::{Found, Noted};
use super::stand::Stand;
use crate::ledger::RecoveryOutcome;
use crate::policy::Rule;
use crate::run::WriteDetector;
use crate::run::job::Decision;
use crate::source::sqlite::open::{read, real};
use crate::source::sqlite::problem;
use crate::source::sqlite::schema::describe;

/// Decides a batch of so many rows, of which it may have been noted that it is committed.
pub(crate) fn decide(
    path: &Path,
    rule: &Rule,
    (taken, rows, is_noted): (&serde_json::Value, u64, bool),
    witness: &WriteDetector,
    wait: Duration,
) -> Decision {
    let noted = serde_json::from_value::<Noted>(taken.clone());
    let (Ok(noted), Ok(())) = (noted, recover(path, wait)) else { return Decision::undecided(rows) };
    let path = &real(path);
    let now = match noted.stand {
        Some(Stand::Log { .. }) => witness.log(path),
        Some(Stand::Changes(_)) | None => Stand::of_file(path),
    };
    let found = read(path, |opener| {
        let connection = opener.connect()?;
        let table = describe(&connection, &rule.table, "")?;
        noted.find(&connection, &table).map_err(|error| problem(path, &error))
    });
    let found = found.ok().flatten();
    let known = Known {
        is_committed: is_noted && noted.trusts_notes(),
        is_untouched: noted.stand.zip(now).is_some_and(|(before, now)| before.is_still(now)),
    };
    let (outcome, exact) = judge(found, known);
    Decision { outcome, rows, exact }
}

/// What is known beside the rows.
#[derive(Clone, Copy, Debug)]
struct Known {
    /// The killed run came to say that the commit was done.
    is_committed: bool,
    /// Nobody has committed anything since the batch was announced.
    is_untouched: bool,
}

/// What became of the batch, and whether nobody else can have changed the answer: where others wrote, programs
/// may have used the same keys again, and deleted or changed rows that were still there.
fn judge(found: Option<Found>, known: Known) -> (RecoveryOutcome, bool) {
    let Some(found) = found else {
        let outcome =
            if known.is_committed { RecoveryOutcome::Committed } else { RecoveryOutcome::Undecided };
        return (outcome, false);
    };
    if known.is_committed {
        return (RecoveryOutcome::Committed, found.before == 0);
    }
    if found.before > 0 && found.before >= found.after {
        return (RecoveryOutcome::RolledBack, known.is_untouched && found.are_all_there());
    }
    if found.after > 0 {
        return (RecoveryOutcome::Committed, false);
    }
    // No row says anything: then only that nothing happened can be known.
    let outcome = if known.is_untouched { RecoveryOutcome::RolledBack } else { RecoveryOutcome::Undecided };
    (outcome, false)
}

#[cfg(test)]
mod tests {
    use RecoveryOutcome::{Committed, RolledBack, Undecided};

    use super::*;

    fn found(before: usize, after: usize, changed: usize) -> Option<Found> {
        Some(Found { before, after, changed })
    }

    fn judged(found: Option<Found>, is_committed: bool, is_untouched: bool) -> (RecoveryOutcome, bool) {
        judge(found, Known { is_committed, is_untouched })
    }

    #[test]
    fn the_rows_decide_and_only_what_nobody_else_can_have_done_is_exact() {
        for (rows, expected) in [
            (found(9, 0, 0), RolledBack),
            (found(0, 9, 0), Committed),
            (found(1, 8, 0), Committed),
            (found(8, 1, 0), RolledBack),
            (found(1, 1, 0), RolledBack),
            (found(1, 0, 8), RolledBack),
            (found(0, 1, 8), Committed),
            (found(0, 0, 9), Undecided),
            (found(0, 0, 0), Undecided),
            (None, Undecided),
        ] {
            assert_eq!(judged(rows, false, false), (expected, false), "{rows:?}");
        }
    }

    #[test]
    fn what_the_killed_run_noted_is_exact_unless_the_rows_say_otherwise() {
        for rows in [found(0, 9, 0), found(0, 0, 9), found(0, 0, 0)] {
            assert_eq!(judged(rows, true, false), (Committed, true), "{rows:?}");
        }
        for rows in [found(9, 0, 0), found(1, 8, 0), None] {
            assert_eq!(judged(rows, true, false), (Committed, false), "{rows:?}");
        }
    }

    #[test]
    fn where_nobody_has_written_the_rows_that_are_there_say_so_for_sure() {
        assert_eq!(judged(found(9, 0, 0), false, true), (RolledBack, true));
        assert_eq!(judged(found(8, 1, 0), false, true), (RolledBack, false));
        assert_eq!(judged(found(0, 9, 0), false, true), (Committed, false));
        assert_eq!(judged(found(0, 0, 0), false, true), (RolledBack, false));
        assert_eq!(judged(None, false, true), (Undecided, false));
    }
}
