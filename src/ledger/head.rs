//! `ledger.head`: the last entry known to be on the disk. It is the only witness
//! of entries that were cut off at a line's end.

use std::fs::OpenOptions;
use std::io::Read;

use crate::ledger::error::{LedgerError, io_error};
use crate::ledger::folder::StateFolder;
use crate::ledger::link::{Hash, Link, number};

/// The longest number, a space, a hash, a line end.
const LONGEST: u64 = 20 + 1 + 64 + 1;

/// What stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// There is none.
    Missing,
    /// It holds something else.
    Unreadable,
    /// It names this entry; entry 0 before there are any.
    Names(Link),
}

/// Reads the head.
pub(crate) fn read(folder: &StateFolder) -> Result<Head, LedgerError> {
    let path = folder.head();
    let Some(file) = folder.open_if_there(&path, OpenOptions::new().read(true))? else {
        return Ok(Head::Missing);
    };
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text).map_err(io_error("read", &path))?;
    Ok(parse(&text).map_or(Head::Unreadable, Head::Names))
}

fn parse(text: &[u8]) -> Option<Link> {
    let line = text.strip_suffix(b"\n")?;
    let space = line.iter().position(|byte| *byte == b' ')?;
    let link = Link { seq: number(&line[..space])?, hash: Hash::read(&line[space + 1..])? };
    (link.seq > 0 || link == Link::START).then_some(link)
}

/// Replaces the head.
pub(crate) fn write(folder: &StateFolder, link: Link) -> Result<(), LedgerError> {
    folder.replace(&folder.head(), format!("{} {}\n", link.seq, link.hash).as_bytes())
}
