//! Deciding whether a killed run's last batch was committed: by asking the rule whether due
//! records remain within its keys. A commit takes all of them or none.

use std::path::Path;
use std::time::Duration;

use super::keys::Keys;
use super::recover;
use super::search::{Remaining, remaining};
use crate::calendar::Instant;
use crate::dataset::elsewhere;
use crate::dataset::request::requests;
use crate::dataset::sqlite::open::read;
use crate::dataset::sqlite::survey::for_purge;
use crate::ledger::RecoveryOutcome;
use crate::policy::{Policy, Rule};
use crate::purge::job::{Decision, Mark};

/// Decides a batch of so many rows.
pub(in crate::purge) fn decide(
    path: &Path,
    (policy, rule): (&Policy, &Rule),
    now: Instant,
    (mark, rows): (&Mark, u64),
    wait: Duration,
) -> Decision {
    let keys = match mark {
        Mark::RowNumbers([first, last]) => Some(Keys::between(*first, *last)),
        Mark::Private(keys) => Keys::from_json(keys),
    };
    let asked = keys.and_then(|keys| ask(path, policy, rule, now, &keys, wait));
    let decision = |outcome, exact| Decision { outcome, rows, exact };
    match asked {
        Some((Remaining { due: 0, .. }, no_trigger)) => decision(RecoveryOutcome::Committed, no_trigger),
        // What is due and referred to was passed over, or came to be so since.
        Some((Remaining { free: 0, .. }, _)) | None => Decision::undecided(rows),
        Some((left, no_trigger)) => {
            decision(RecoveryOutcome::RolledBack, no_trigger && left.due == rows && left.free == rows)
        }
    }
}

/// How many due records remain within the keys, and whether no trigger can have put them there.
fn ask(
    path: &Path,
    policy: &Policy,
    rule: &Rule,
    now: Instant,
    keys: &Keys,
    wait: Duration,
) -> Option<(Remaining, bool)> {
    recover(path, wait).ok()?;
    let source = policy.source(&rule.source)?;
    let requests = requests(policy, source, now, |other| other.name == rule.name);
    let request = &elsewhere::answered(requests.first()?).ok()?;
    let place = *request.wanted.first()?;
    let answer = read(path, |opener| {
        let connection = opener.connect()?;
        let (table, book) = for_purge(&connection, source, request, place)?;
        let rows = remaining(&connection, &table, &book, place, keys)?;
        // What is due depends on related rows, too, and these may have changed.
        let is_watched = table.has_trigger_for(request.book.deletes(place));
        Ok((rows, !is_watched && table.joins.is_empty()))
    });
    answer.ok()
}
