//! Deleting from a folder: batches of records, each announced with its paths, each record judged
//! again by what the system says of it right before its name is removed.
//!
//! Every step goes by descriptor and by a single name, and no link is followed: whatever is
//! exchanged meanwhile, nothing outside of the folder can be reached.

mod doubt;
mod mark;
pub(crate) mod named_files;
mod parents;
mod remove;
mod task;
#[cfg(test)]
mod tests;

use crate::policy::Folder;
use crate::source::folder::root::Root;

use crate::run::job::{Deletion, Journal, RuleJob, WriteError};

pub(crate) use doubt::decide;

/// Carries out a job on a folder.
pub(crate) fn carry_out(
    folder: &Folder,
    job: &RuleJob<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), WriteError> {
    let root = Root::open(folder).map_err(|unusable| WriteError::Problem(unusable.problem))?;
    task::Task::new(&root, folder, job).carry_out(journal, done)
}
