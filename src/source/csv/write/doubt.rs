//! Finding out whether a killed run's last file got its new content.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::copy_back::CopyingBack;
use crate::ledger::RecoveryOutcome;
use crate::run::job::{Decision, Mark};
use crate::source::Problem;

/// What is noted before a file takes another's place.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Moving {
    /// The new file's name before.
    pub(super) from: PathBuf,
    /// And after.
    pub(super) to: PathBuf,
    /// By which it is known under both.
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl Moving {
    pub(super) fn mark(&self) -> Mark {
        // Files whose paths are not UTF-8 are refused before they are opened.
        Mark::Private(serde_json::to_value(self).unwrap_or_default())
    }

    fn is_at(&self, path: &Path) -> bool {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (self.device, self.inode))
    }
}

/// Decides by what is where now; none where the mark is none of ours. What was begun in place is
/// finished, for the file would stay torn otherwise.
pub(crate) fn decide(mark: &Mark, rows: u64, wait: Duration) -> Option<Result<Decision, Problem>> {
    let Mark::Private(json) = mark else { return None };
    let decision = |outcome| Decision { outcome, rows, exact: true };
    if let Ok(copying) = serde_json::from_value::<CopyingBack>(json.clone()) {
        return Some(copying.finish(wait).map(|begun| match begun {
            Some(true) => decision(RecoveryOutcome::Committed),
            Some(false) => decision(RecoveryOutcome::RolledBack),
            None => Decision::undecided(rows),
        }));
    }
    let moving = serde_json::from_value::<Moving>(json.clone()).ok()?;
    if moving.is_at(&moving.to) {
        return Some(Ok(decision(RecoveryOutcome::Committed)));
    }
    let is_left = moving.is_at(&moving.from);
    Some(Ok(if is_left { decision(RecoveryOutcome::RolledBack) } else { Decision::undecided(rows) }))
}

/// Makes a file whole that a killed run left torn, so that it can be read.
pub(crate) fn mend(mark: &serde_json::Value, wait: Duration) -> Result<(), Problem> {
    match serde_json::from_value::<CopyingBack>(mark.clone()) {
        Ok(copying) if copying.is_torn() => copying.finish(wait).map(|_| ()),
        _ => Ok(()),
    }
}
