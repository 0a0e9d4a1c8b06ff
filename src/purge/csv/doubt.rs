//! Finding out whether a killed run's last file took its place.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::successor::remove_stray;
use crate::ledger::RecoveryOutcome;
use crate::purge::job::{Decision, Mark};

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
        // A path that is not UTF-8 cannot be noted: its doubt stays one.
        Mark::Private(serde_json::to_value(self).unwrap_or_default())
    }

    fn is_at(&self, path: &Path) -> bool {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == (self.device, self.inode))
    }
}

/// Decides by the new file's inode where it is. A rename takes place or does not.
pub(in crate::purge) fn decide(mark: &Mark, rows: u64) -> Decision {
    let moving = match mark {
        Mark::Private(json) => serde_json::from_value::<Moving>(json.clone()).ok(),
        Mark::RowNumbers(_) => None,
    };
    let Some(moving) = moving else { return Decision::undecided(rows) };
    if moving.is_at(&moving.to) {
        return Decision { outcome: RecoveryOutcome::Committed, rows, exact: true };
    }
    if !moving.is_at(&moving.from) {
        return Decision::undecided(rows);
    }
    if let Err(problem) = remove_stray(&moving.from) {
        tracing::warn!("{problem}");
    }
    Decision { outcome: RecoveryOutcome::RolledBack, rows, exact: true }
}
