//! Folders, read only. A record is a file, a symbolic link, or a whole sub-folder.
//!
//! [`root`] opens the folder and refuses those that must never be emptied, [`walk`] meets every
//! record, descriptor by descriptor and past every link, [`look`] is what the system knows of one
//! entry and [`content`] of a sub-folder's. [`record`] lets the rule book judge them, [`newest`]
//! finds what `keep-newest` keeps, and [`survey`] and [`list`] count and name.
//!
//! Left alone, and never records: sockets, devices and pipes; and what is mounted in the folder.

pub mod content;
pub mod list;
pub mod look;
mod name;
pub mod named;
pub mod newest;
pub mod record;
mod refusal;
pub mod root;
pub mod survey;
pub mod volume;
pub mod walk;
pub(crate) mod write;

pub use name::shown;
pub use refusal::refusal;
