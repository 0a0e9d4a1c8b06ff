//! The end of a file to which a program is writing: half a line is no record yet.

use std::fs::File;
use std::io::{self, Read};
use std::thread;
use std::time::Duration;

/// Who wrote to a file so short a time ago may be in the middle of a line.
const JUST_NOW: Duration = Duration::from_secs(1);

/// How often, and after which time each, the rest of a line is looked for.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

/// Reads a file to the end of its last line, which it waits for a moment if somebody wrote to the file just
/// now. A last line that stays without an end is read as it is.
pub(crate) struct GrowingFile {
    file: File,
    ends_line: bool,
    looks: u32,
}

impl GrowingFile {
    pub(crate) fn of(file: File) -> GrowingFile {
        GrowingFile { file, ends_line: true, looks: LOOKS }
    }

    fn was_written_just_now(&self) -> io::Result<bool> {
        let since = self.file.metadata()?.modified()?.elapsed();
        // Another machine's clock may be a little ahead.
        Ok(since.unwrap_or_else(|ahead| ahead.duration()) < JUST_NOW)
    }
}

impl Read for GrowingFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.file.read(into)?;
            if let Some(last) = into[..read].last() {
                self.ends_line = *last == b'\n';
                return Ok(read);
            }
            if into.is_empty() || self.ends_line || self.looks == 0 || !self.was_written_just_now()? {
                return Ok(0);
            }
            self.looks -= 1;
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::{Instant, UNIX_EPOCH};

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, File, File) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let writer = File::options().append(true).open(&path).unwrap();
        let reader = File::open(&path).unwrap();
        (folder, writer, reader)
    }

    fn read(file: File) -> String {
        let mut text = String::new();
        GrowingFile::of(file).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn the_rest_of_a_line_is_waited_for_and_no_further_one() {
        let (_folder, mut writer, reader) = file("1\n2");
        let appending = thread::spawn(move || {
            thread::sleep(Duration::from_millis(10));
            writer.write_all(b"3\n").unwrap();
        });
        assert_eq!(read(reader), "1\n23\n");
        appending.join().unwrap();
    }

    #[test]
    fn a_line_that_stays_without_an_end_is_read_as_it_is() {
        assert_eq!(read(file("1\n2").2), "1\n2");
        let (_folder, writer, reader) = file("1\n2");
        writer.set_modified(UNIX_EPOCH).unwrap();
        let since = Instant::now();
        assert_eq!(read(reader), "1\n2");
        assert!(since.elapsed() < LOOKS * PAUSE, "it was written long ago");
    }
}
