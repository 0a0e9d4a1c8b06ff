//! What SQLite's errors mean to an operator.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::diagnostic::Code;
use crate::source::Problem;

/// A journal that only a writer can play back (SQLITE_READONLY_ROLLBACK).
const HOT_JOURNAL: i32 = 776;

/// An error of the engine, as a problem that names the file and a way out.
pub fn problem(path: &Path, error: &rusqlite::Error) -> Problem {
    if error.sqlite_error().is_some_and(|failure| failure.extended_code == HOT_JOURNAL) {
        let message = format!(
            "{} was left in the middle of a transaction; only a writer can put it right: open it once with \
             the program that owns it, or purge",
            path.display()
        );
        return Problem::new(Code::UnrecoveredJournal, message);
    }
    let (code, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            Code::Busy,
            "another program kept it locked; run again when it is done; a purge waits as long as --wait says",
        ),
        Some(ErrorCode::NotADatabase) => {
            (Code::NotADatabase, "it is not an SQLite database, or it is encrypted")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            (Code::Damaged, "the file is damaged; restore it, or see what `PRAGMA integrity_check` says")
        }
        Some(ErrorCode::ReadOnly) => (
            Code::ReadOnly,
            "frist may not write to it; look at the owner and mode of the file and its folder",
        ),
        Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            (Code::CannotOpen, "look at the owner and mode of the file and its folder")
        }
        Some(ErrorCode::DiskFull) => {
            (Code::DiskFull, "the disk is full; what was not committed is unchanged")
        }
        Some(ErrorCode::SystemIoFailure) => {
            (Code::IoError, "the disk reported an error; nothing half-done stays")
        }
        Some(ErrorCode::ConstraintViolation) => {
            (Code::Constraint, "a foreign key, a check or a trigger of the database forbids it")
        }
        Some(ErrorCode::SchemaChanged) => (Code::SchemaChanged, "its tables changed meanwhile; run again"),
        _ => (Code::Sqlite, "the engine refused"),
    };
    Problem::new(code, format!("{}: {advice} ({error})", path.display()))
}
