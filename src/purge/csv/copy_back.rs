//! Giving a file its new content without giving it a new inode, for programs that keep it open.
//!
//! All that is to stay is on the disk beside the file before a byte of it is overwritten. From
//! then on only going forward leads to a whole file: a run that is killed in between is carried
//! on by the next one, from the same bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::reading::{Reading, stamp};
use super::rewrite::{Exchanged, Rewriting, locked};
use super::sift::Sifted;
use super::successor::{NO_FOLLOW, Successor, cannot_write, copy_part, path_beside, sync_folder};
use crate::dataset::Problem;
use crate::dataset::csv::files::hidden_beside;
use crate::hexadecimal;
use crate::policy::Rewrite;
use crate::purge::job::{Halt, Journal, Mark};

/// What is noted before a file is overwritten.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CopyingBack {
    /// The file that is overwritten. What is to stay is hidden beside it.
    file: PathBuf,
    /// By which that file is known: another one in its place is not to be overwritten.
    device: u64,
    inode: u64,
    /// How long what is to stay was when this was noted.
    kept_length: u64,
    /// How many bytes of the old content that stands for.
    judged: u64,
    /// Whether writers take a lock.
    locks: bool,
}

/// What is noted before the file is cut: what stands behind the cut while it is not.
#[derive(Debug, Serialize, Deserialize)]
struct Cutting {
    /// How long the file will be.
    length: u64,
    /// How many bytes behind that are hashed.
    behind: u64,
    sha256: String,
}

/// How much of what is cut off is hashed.
const BEHIND: u64 = 64 * 1024;

impl Rewriting<'_> {
    /// Copies what stays back into the file, and cuts it.
    pub(super) fn copy_back(
        &self,
        old: &Reading<'_>,
        mut successor: Successor,
        sifted: Sifted,
        is_restless: bool,
        journal: &mut dyn Journal,
    ) -> Result<Exchanged, Halt> {
        if !successor.can_grow() {
            let path = self.path().display();
            let message = format!("{path} is compressed, and so can only be replaced: leave `rewrite` out");
            return Err(Halt::Problem(Problem::new("compressed", message)));
        }
        successor.sync()?;
        if successor.length()? > sifted.read {
            return Err(Halt::Problem(would_grow(self.path())));
        }
        let is_as_read = || -> Result<bool, Problem> {
            let appended = old.appended(sifted.read)?;
            Ok(appended.is_some_and(|appended| appended == 0 || sifted.may_grow(is_restless)))
        };
        let open = OpenOptions::new().read(true).write(true).open(self.path());
        let file = open.map_err(|error| cannot_write(self.path(), &error))?;
        if !old.is_of(&file)? || !is_as_read()? {
            return Ok(Exchanged::Not);
        }
        let noted = self.copying_back(old, successor.length()?, sifted.read);
        journal.announce(self.number, sifted.deleted, noted.mark())?;
        // Writing to the ledger takes its time, in which the file may have become another.
        let kept = match is_as_read() {
            Ok(true) => successor.keep_as(&noted.kept()),
            Ok(false) => {
                journal.undo(self.number)?;
                return Ok(Exchanged::Not);
            }
            Err(problem) => Err(problem),
        };
        let kept = match kept {
            Ok(kept) => kept,
            Err(problem) => {
                journal.undo(self.number)?;
                return Err(Halt::Problem(problem));
            }
        };
        // What is to stay is in the hidden file: if this ends here, the next run goes on from there.
        sync_folder(self.path()).and_then(|()| noted.carry_on(&kept, &file)).map_err(Halt::Doubt)?;
        Ok(Exchanged::Done { behind: None })
    }

    fn copying_back(&self, old: &Reading<'_>, kept_length: u64, judged: u64) -> CopyingBack {
        CopyingBack {
            file: self.path().to_path_buf(),
            device: old.before.device,
            inode: old.before.inode,
            kept_length,
            judged,
            locks: self.source.rewrite == Rewrite::Lock,
        }
    }
}

impl CopyingBack {
    fn mark(&self) -> Mark {
        Mark::Private(serde_json::to_value(self).unwrap_or_default())
    }

    fn kept(&self) -> PathBuf {
        hidden_beside(&self.file, "kept")
    }

    fn cutting(&self) -> PathBuf {
        hidden_beside(&self.file, "cut")
    }

    /// Finishes what a killed run began; whether it had begun to overwrite the file.
    pub(super) fn finish(&self, wait: Duration) -> Result<bool, Problem> {
        let explain = |error: &io::Error| cannot_write(&self.file, error);
        let open = |path: &Path| OpenOptions::new().read(true).write(true).custom_flags(NO_FOLLOW).open(path);
        let kept = match open(&self.kept()) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.is_over()),
            Err(error) => return Err(explain(&error)),
        };
        // Held until all is done: what writers append meanwhile would be lost.
        let lock = if self.locks { Some(locked(&self.file, wait)?) } else { None };
        let file = open(&self.file).map_err(|error| explain(&error))?;
        if !self.is_of(&file)? || !lock.as_ref().map_or(Ok(true), |lock| self.is_of(lock))? {
            return Err(self.left_to_people("was replaced by another program"));
        }
        if self.cut_is_done(&file).map_err(|error| explain(&error))? {
            self.clear().map_err(|error| explain(&error))?;
        } else {
            self.carry_on(&kept, &file)?;
        }
        Ok(true)
    }

    fn is_of(&self, file: &File) -> Result<bool, Problem> {
        let stamp = stamp(file, &self.file)?;
        Ok((stamp.device, stamp.inode) == (self.device, self.inode))
    }

    fn left_to_people(&self, what: &str) -> Problem {
        let message = format!(
            "{} {what} while a purge overwrote it; what was to stay of the old file is in {}: look at both, and \
             remove that one",
            self.file.display(),
            self.kept().display()
        );
        Problem::new("unfinished", message)
    }

    /// Without the hidden file all is done, or nothing was: then it still has its first name.
    fn is_over(&self) -> bool {
        !path_beside(&self.file).exists()
    }

    /// Whether a killed run left the file torn.
    pub(super) fn is_torn(&self) -> bool {
        self.kept().exists()
    }

    /// Takes what was appended into the hidden file, copies that into the file, and cuts it.
    fn carry_on(&self, kept: &File, file: &File) -> Result<(), Problem> {
        match self.try_carry_on(kept, file) {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.left_to_people("was shortened by another program")),
            Err(error) => Err(self.not_yet(&error)),
        }
    }

    fn not_yet(&self, error: &io::Error) -> Problem {
        let message = format!(
            "{} is being overwritten, and that failed: {error}; what is to stay is in {}, and the next purge \
             goes on from there",
            self.file.display(),
            self.kept().display()
        );
        Problem::new("unfinished", message)
    }

    /// None of it is done where the file is shorter than what is known of it.
    fn try_carry_on(&self, kept: &File, file: &File) -> io::Result<bool> {
        let (mut end_of_kept, mut copied) = (kept.try_clone()?, 0);
        loop {
            let length = kept.metadata()?.len();
            // The old content up to here is in the hidden file, as far as it stays.
            let taken = self.judged + (length - self.kept_length);
            let there = file.metadata()?.len();
            if there < taken {
                return Ok(false);
            } else if there > taken {
                end_of_kept.seek(SeekFrom::End(0))?;
                copy_part(file, taken..there, &mut end_of_kept)?;
                kept.sync_all()?;
            } else if copied < length {
                copy_to(kept, copied..length, file)?;
                file.sync_all()?;
                copied = length;
            } else {
                self.note_cut(file, length, taken)?;
                file.set_len(length)?;
                file.sync_all()?;
                self.clear()?;
                return Ok(true);
            }
        }
    }

    fn note_cut(&self, file: &File, length: u64, taken: u64) -> io::Result<()> {
        let behind = (taken - length).min(BEHIND);
        let cutting = Cutting { length, behind, sha256: hash(file, length, behind)? };
        let path = self.cutting();
        let note = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        serde_json::to_writer(&note, &cutting)?;
        note.sync_all()?;
        sync_folder(&self.file).map_err(|problem| io::Error::other(problem.message))
    }

    /// Whether the file was cut: then what stood behind the cut does so no longer.
    fn cut_is_done(&self, file: &File) -> io::Result<bool> {
        let Ok(note) = fs::read(self.cutting()) else { return Ok(false) };
        // A note that was not written whole is older than any cut.
        let Ok(cutting) = serde_json::from_slice::<Cutting>(&note) else { return Ok(false) };
        let is_long = file.metadata()?.len() >= cutting.length + cutting.behind;
        Ok(!is_long || hash(file, cutting.length, cutting.behind)? != cutting.sha256)
    }

    /// The note goes last: without the hidden file it says nothing.
    fn clear(&self) -> io::Result<()> {
        fs::remove_file(self.kept())?;
        match fs::remove_file(self.cutting()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Behind its end other programs write: there is no room that is surely the purge's own.
fn would_grow(path: &Path) -> Problem {
    let message = format!(
        "{} would be longer than it is, and a file that is rewritten in place cannot grow: leave `rewrite` out, \
         so that a new file takes its place",
        path.display()
    );
    Problem::new("cannot-grow", message)
}

/// Copies bytes to the same place in another file.
fn copy_to(from: &File, part: Range<u64>, file: &File) -> io::Result<()> {
    let (mut at, mut piece) = (part.start, vec![0; 1024 * 1024]);
    while at < part.end {
        let most = piece.len().min(usize::try_from(part.end - at).unwrap_or(usize::MAX));
        let read = from.read_at(&mut piece[..most], at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.write_all_at(&piece[..read], at)?;
        at += read as u64;
    }
    Ok(())
}

fn hash(file: &File, from: u64, length: u64) -> io::Result<String> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, from)?;
    Ok(hexadecimal::digits(&Sha256::digest(&bytes)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const OLD: &[u8] = b"at\ndue 1\nkept 1\ndue 2\nkept 2\n";
    const KEPT: &[u8] = b"at\nkept 1\nkept 2\n";

    /// A file in the moment after its rewriting was announced.
    struct Scene {
        folder: tempfile::TempDir,
        noted: CopyingBack,
    }

    impl Scene {
        fn new() -> Scene {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("log.csv");
            fs::write(&file, OLD).unwrap();
            let noted = CopyingBack {
                file: file.clone(),
                device: fs::metadata(&file).unwrap().dev(),
                inode: fs::metadata(&file).unwrap().ino(),
                kept_length: KEPT.len() as u64,
                judged: OLD.len() as u64,
                locks: true,
            };
            fs::write(noted.kept(), KEPT).unwrap();
            Scene { folder, noted }
        }

        fn append(&self, path: &Path, bytes: &[u8]) {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            io::Write::write_all(&mut file, bytes).unwrap();
        }

        fn overwrite(&self, bytes: &[u8]) {
            let file = OpenOptions::new().write(true).open(&self.noted.file).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        }

        fn note_cut(&self, length: u64) {
            let taken = self.noted.judged + (length - self.noted.kept_length);
            self.noted.note_cut(&File::open(&self.noted.file).unwrap(), length, taken).unwrap();
        }

        fn cut(&self, length: usize) {
            let file = OpenOptions::new().write(true).open(&self.noted.file).unwrap();
            file.set_len(length as u64).unwrap();
        }

        #[track_caller]
        fn assert_finishes_as(&self, expected: &[u8]) {
            assert!(self.noted.finish(Duration::ZERO).unwrap());
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&fs::read(&self.noted.file).unwrap()), text(expected));
            let left = fs::read_dir(self.folder.path()).unwrap().count();
            assert_eq!(left, 1, "nothing is left beside the file");
            assert!(self.noted.finish(Duration::ZERO).unwrap(), "what is finished stays finished");
        }
    }

    #[test]
    fn a_run_killed_while_it_overwrote_the_file_is_carried_on() {
        for overwritten in 0..=KEPT.len() {
            for tail in [&b""[..], b"new\n", &[b'x'; 100]] {
                let scene = Scene::new();
                scene.overwrite(&KEPT[..overwritten]);
                scene.append(&scene.noted.file, tail);
                scene.assert_finishes_as(&[KEPT, tail].concat());
            }
        }
    }

    #[test]
    fn what_was_appended_is_kept_also_where_the_copy_reaches_over_it() {
        // Few bytes go and many are appended: the new end lies behind the old one.
        let (first, second) = ([b'1'; 60], [b'2'; 60]);
        for overwritten in 0..=KEPT.len() + first.len() {
            let scene = Scene::new();
            scene.append(&scene.noted.file, &first);
            scene.append(&scene.noted.kept(), &first);
            scene.overwrite(&[KEPT, &first].concat()[..overwritten]);
            scene.append(&scene.noted.file, &second);
            scene.assert_finishes_as(&[KEPT, &first, &second].concat());
        }
    }

    #[test]
    fn a_run_killed_around_the_cut_cuts_once() {
        for tail in [&b""[..], b"new\n", &[b'x'; 100]] {
            let not_yet = Scene::new();
            not_yet.overwrite(KEPT);
            not_yet.note_cut(KEPT.len() as u64);
            not_yet.append(&not_yet.noted.file, tail);
            not_yet.assert_finishes_as(&[KEPT, tail].concat());

            let done = Scene::new();
            done.overwrite(KEPT);
            done.note_cut(KEPT.len() as u64);
            done.cut(KEPT.len());
            done.append(&done.noted.file, tail);
            done.assert_finishes_as(&[KEPT, tail].concat());
        }
    }

    #[test]
    fn a_note_that_was_not_written_whole_says_nothing() {
        let scene = Scene::new();
        scene.overwrite(KEPT);
        fs::write(scene.noted.cutting(), "{\"leng").unwrap();
        scene.assert_finishes_as(KEPT);
    }

    #[test]
    fn what_was_never_begun_is_not_said_to_be_done() {
        let scene = Scene::new();
        fs::rename(scene.noted.kept(), path_beside(&scene.noted.file)).unwrap();
        assert!(!scene.noted.finish(Duration::ZERO).unwrap());
        assert_eq!(fs::read(&scene.noted.file).unwrap(), OLD);
    }

    #[test]
    fn another_file_in_its_place_is_not_overwritten() {
        let scene = Scene::new();
        let restored = scene.folder.path().join("restored");
        fs::write(&restored, "at\nrestored\n").unwrap();
        fs::rename(&restored, &scene.noted.file).unwrap();
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap_err().code, "unfinished");
        assert_eq!(fs::read(&scene.noted.file).unwrap(), b"at\nrestored\n");
        assert!(scene.noted.kept().exists());
    }

    #[test]
    fn a_file_that_another_program_shortened_is_left_to_people() {
        let scene = Scene::new();
        scene.overwrite(&KEPT[..5]);
        scene.cut(OLD.len() - 1);
        let problem = scene.noted.finish(Duration::ZERO).unwrap_err();
        assert!(problem.message.contains("shortened"), "{problem:?}");
        assert_eq!(fs::metadata(&scene.noted.file).unwrap().len(), OLD.len() as u64 - 1);
        assert!(scene.noted.kept().exists());
    }

    #[test]
    fn a_writer_that_holds_the_lock_is_waited_for() {
        let scene = Scene::new();
        let writer = File::open(&scene.noted.file).unwrap();
        rustix::fs::flock(&writer, rustix::fs::FlockOperation::LockExclusive).unwrap();
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap_err().code, "busy");
        drop(writer);
        scene.assert_finishes_as(KEPT);
    }
}
