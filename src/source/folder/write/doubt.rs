//! Finding out what a killed run's last batch did: by looking which of its records are still
//! there. A sub-folder that it had begun to delete is deleted to the end.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::fstat;
use rustix::io::Errno;

use super::mark::{Announced, from_json};
use super::parents::{Parents, name_of};
use super::remove::{self, Stuck, Terms};
use crate::ledger::RecoveryOutcome;
use crate::policy::{Folder, Unit};
use crate::run::WriteDetector;
use crate::run::job::{Decision, Mark};
use crate::source::Problem;
use crate::source::folder::content::{Opaque, look_into};
use crate::source::folder::look::Look;
use crate::source::folder::root::{Closed, Root};
use crate::source::folder::volume::Volume;

/// What is found in the place of a record.
struct Found {
    is_there: bool,
    /// Whether nobody else can have had a hand in it.
    exact: bool,
}

/// Decides a batch of so many records. A problem means that a sub-folder that was begun can stay
/// half deleted, and would look new: the next run must come back to it.
pub(crate) fn decide(
    folder: &Folder,
    (mark, rows): (&Mark, u64),
    witness: &WriteDetector,
) -> Result<Decision, Problem> {
    let batch = match mark {
        Mark::Private(json) => from_json(json),
        Mark::Rows { .. } => None,
    };
    let Some(batch) = batch else { return Ok(Decision::undecided(rows)) };
    let can_be_begun = folder.unit == Unit::Folder && folder.path.try_exists().unwrap_or(true);
    look_at_all(folder, &batch, rows, witness).or_else(|problem| {
        if can_be_begun {
            return Err(problem);
        }
        tracing::warn!("{problem}");
        Ok(Decision::undecided(rows))
    })
}

fn look_at_all(
    folder: &Folder,
    batch: &[Announced],
    rows: u64,
    witness: &WriteDetector,
) -> Result<Decision, Problem> {
    let root = Root::reopen(&folder.path)?;
    let mut parents = Parents::new(&root);
    let (mut gone, mut exact) = (0, true);
    for announced in batch {
        let found = look_at(folder, announced, &mut parents, witness)?
            .map_err(|why| root.problem(&announced.path, &why))?;
        gone += u64::from(!found.is_there);
        exact &= found.exact;
    }
    parents.sync()?;
    Ok(match gone {
        0 => Decision { outcome: RecoveryOutcome::RolledBack, rows, exact },
        gone => Decision { outcome: RecoveryOutcome::Committed, rows: gone, exact },
    })
}

/// What is in the place of a record, or why nobody can say.
fn look_at(
    folder: &Folder,
    announced: &Announced,
    parents: &mut Parents<'_>,
    witness: &WriteDetector,
) -> Result<Result<Found, String>, Problem> {
    let volume = parents.volume();
    let Some(name) = name_of(&announced.path) else { return Ok(Err("no name".to_string())) };
    let parent = match parents.open(&announced.path)? {
        Ok(parent) => parent,
        // Only somebody else removes a folder of files.
        Err(Closed::Gone) => return Ok(Ok(Found { is_there: false, exact: false })),
        Err(closed) => return Ok(Err(closed.words())),
    };
    let untouched = was_untouched(parent, witness);
    Ok(match Look::at(parent, &name) {
        Ok(look) if !announced.is(&look) => Ok(Found { is_there: false, exact: false }),
        // One that was written to since can be a new one that took the old one's number.
        Ok(look) if folder.unit == Unit::File => {
            Ok(Found { is_there: true, exact: look.modified == announced.modified })
        }
        Ok(_) => finish((parent, &name), announced, volume).map(|finished| {
            if finished {
                parents.changed();
            }
            Found { is_there: !finished, exact: true }
        }),
        Err(Errno::NOENT) => Ok(Found { is_there: false, exact: untouched }),
        Err(error) => Err(std::io::Error::from(error).to_string()),
    })
}

/// Whether no name came or went in a folder since the killed run.
fn was_untouched(folder: BorrowedFd<'_>, witness: &WriteDetector) -> bool {
    fstat(folder.as_fd()).is_ok_and(|stat| witness.is_before(Look::of(&stat).modified))
}

/// Deletes the rest of a sub-folder, and says whether it is gone now. One that has all it had was
/// not begun, and stays for the rule to be asked again; so does one that was written to since.
fn finish(
    (parent, name): (BorrowedFd<'_>, &CStr),
    announced: &Announced,
    volume: Volume,
) -> Result<bool, String> {
    match look_into(parent, name, volume) {
        Ok(content) if content.entries < announced.entries => {}
        Ok(_) | Err(Opaque::Gone) => return Ok(false),
        Err(Opaque::Because(why)) => return Err(why),
    }
    let identity = (announced.device, announced.inode);
    let terms = Terms { volume, identity, newest: announced.modified, is_begun: true };
    match remove::folder(parent, name, &terms) {
        Ok(()) | Err(Stuck::Gone) => Ok(true),
        Err(Stuck::Written(why)) => {
            let why = crate::diagnostic::printable(&why);
            tracing::warn!("a folder that a killed run had begun to delete is still there: {why}");
            Ok(false)
        }
        Err(Stuck::Because(why)) => Err(why),
    }
}
