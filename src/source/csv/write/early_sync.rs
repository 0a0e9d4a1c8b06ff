//! Putting what was written on the disk while more is written.

use std::fs::File;
use std::io;
use std::thread::{self, JoinHandle};

/// How much is written before it is put on the disk.
const PIECE: u64 = 32 * 1024 * 1024;

/// Asks the system for it, now and then.
#[derive(Debug, Default)]
pub(super) struct EarlySync {
    written: u64,
    under_way: Option<JoinHandle<io::Result<()>>>,
}

impl EarlySync {
    /// Hears that so much was written.
    pub(super) fn wrote(&mut self, file: &File, bytes: usize) -> io::Result<()> {
        self.written += bytes as u64;
        let is_idle = self.under_way.as_ref().is_none_or(JoinHandle::is_finished);
        if self.written < PIECE || !is_idle {
            return Ok(());
        }
        self.end()?;
        self.written = 0;
        let file = file.try_clone()?;
        self.under_way = Some(thread::spawn(move || file.sync_data()));
        Ok(())
    }

    /// Waits for what is under way. An error is told only once by the system: it must not be lost
    /// here, for the sync that follows would hear nothing of it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let Some(under_way) = self.under_way.take() else { return Ok(()) };
        under_way.join().unwrap_or_else(|_| Err(io::Error::other("the thread that synced it stopped")))
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn an_error_is_told_when_it_ends() {
        // The system cannot put a pipe on any disk.
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(writer));
        let mut early = EarlySync::default();
        early.wrote(&pipe, 1).unwrap();
        assert!(early.under_way.is_none(), "little is not worth it");
        early.wrote(&pipe, PIECE as usize).unwrap();
        assert!(early.end().is_err());
        assert!(early.end().is_ok(), "it is told once");
    }

    #[test]
    fn an_error_ends_the_writing_at_the_next_piece() {
        let (_reader, writer) = io::pipe().unwrap();
        let pipe = File::from(OwnedFd::from(writer));
        let mut early = EarlySync::default();
        early.wrote(&pipe, PIECE as usize).unwrap();
        while !early.under_way.as_ref().unwrap().is_finished() {
            thread::yield_now();
        }
        assert!(early.wrote(&pipe, PIECE as usize).is_err());
    }
}
