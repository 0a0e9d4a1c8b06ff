//! Finding out what a killed run's last batch did: by looking which of its records are still
//! there. A sub-folder that it had begun to delete is deleted to the end.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::fstat;
use rustix::io::Errno;

use super::mark::{Announced, from_json};
use super::parents::{Parents, name_of};
use super::remove::{self, Stuck, Terms};
use crate::dataset::folder::content::look_into;
use crate::dataset::folder::look::Look;
use crate::dataset::folder::root::{Closed, Root};
use crate::ledger::RecoveryOutcome;
use crate::policy::{Folder, Unit};
use crate::purge::Witness;
use crate::purge::job::{Decision, Mark};

/// What is found in the place of a record.
struct Found {
    is_there: bool,
    /// Whether nobody else can have had a hand in it.
    exact: bool,
}

/// Decides a batch of so many records.
pub(in crate::purge) fn decide(folder: &Folder, (mark, rows): (&Mark, u64), witness: &Witness) -> Decision {
    let batch = match mark {
        Mark::Private(json) => from_json(json),
        Mark::RowNumbers(_) => None,
    };
    look_at_all(folder, batch.as_deref(), rows, witness).unwrap_or_else(|| Decision::undecided(rows))
}

fn look_at_all(
    folder: &Folder,
    batch: Option<&[Announced]>,
    rows: u64,
    witness: &Witness,
) -> Option<Decision> {
    let root = Root::reopen(&folder.path).ok()?;
    let mut parents = Parents::new(&root);
    let (mut gone, mut exact) = (0, true);
    for announced in batch? {
        let found = look_at(folder, announced, &mut parents, witness)?;
        gone += u64::from(!found.is_there);
        exact &= found.exact;
    }
    parents.sync().ok()?;
    Some(match gone {
        0 => Decision { outcome: RecoveryOutcome::RolledBack, rows, exact },
        gone => Decision { outcome: RecoveryOutcome::Committed, rows: gone, exact },
    })
}

/// None where nobody can say.
fn look_at(
    folder: &Folder,
    announced: &Announced,
    parents: &mut Parents<'_>,
    witness: &Witness,
) -> Option<Found> {
    let name = name_of(&announced.path)?;
    let parent = match parents.open(&announced.path).ok()? {
        Ok(parent) => parent,
        // Only somebody else removes a folder of files.
        Err(Closed::Gone) => return Some(Found { is_there: false, exact: false }),
        Err(_) => return None,
    };
    let untouched = was_untouched(parent, witness);
    match Look::at(parent, &name) {
        Ok(look) if !announced.is(&look) => Some(Found { is_there: false, exact: false }),
        // One that was written to since can be a new one that took the old one's number.
        Ok(look) if folder.unit == Unit::File => {
            Some(Found { is_there: true, exact: look.modified == announced.modified })
        }
        Ok(look) => {
            let finished = finish(parent, &name, announced, &look);
            if finished {
                parents.changed();
            }
            Some(Found { is_there: !finished, exact: true })
        }
        Err(Errno::NOENT) => Some(Found { is_there: false, exact: untouched }),
        Err(_) => None,
    }
}

/// Whether no name came or went in a folder since the killed run.
fn was_untouched(folder: BorrowedFd<'_>, witness: &Witness) -> bool {
    fstat(folder.as_fd()).is_ok_and(|stat| witness.is_before(Look::of(&stat).modified))
}

/// Deletes the rest of a sub-folder. One that has all it had was not begun, and stays for the
/// rule to be asked again.
fn finish(parent: BorrowedFd<'_>, name: &std::ffi::CStr, announced: &Announced, look: &Look) -> bool {
    match look_into(parent, name, look.device) {
        Ok(content) if content.entries < announced.entries => {}
        _ => return false,
    }
    let identity = (announced.device, announced.inode);
    let terms = Terms { identity, newest: announced.modified, is_begun: true };
    match remove::folder(parent, name, &terms) {
        Ok(()) | Err(Stuck::Gone) => true,
        Err(Stuck::Because(why)) => {
            let why = crate::diagnostic::printable(&why);
            tracing::warn!("a folder that a killed run had begun to delete is still there: {why}");
            false
        }
    }
}
