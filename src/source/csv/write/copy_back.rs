//! Giving a file its new content without giving it a new inode, for programs that keep it open.
//!
//! All that is to stay is on the disk beside the file before a byte of it is overwritten. From
//! then on only going forward leads to a whole file: a run that is killed in between is carried
//! on by the next one, from the same bytes.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cut::{self, Note, Said};
use super::reading::{Reading, stamp};
use super::replacement::{NO_FOLLOW, Replacement, cannot_write, copy_part, path_beside, sync_folder};
use super::rewrite::{Exchanged, Rewriting, locked};
use super::sift::Sifted;
use crate::diagnostic::Code;
use crate::policy::Rewrite;
use crate::run::job::{Journal, Mark, WriteError};
use crate::source::Problem;
use crate::source::csv::files::hidden_beside;

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
    /// By which what is to stay is known for as long as it has its first name.
    kept_inode: u64,
    /// A name that no other rewriting has: what is to stay of another one is not believed.
    name: String,
    /// Whether writers take a lock.
    locks: bool,
}

/// How often what is appended while a file is overwritten waits for the disk. A program that writes
/// faster than that is raced: then a loss of power could cost the last lines, and nothing else
/// can.
const ROUNDS: usize = 32;

impl Rewriting<'_> {
    /// Copies what stays back into the file, and cuts it.
    pub(super) fn copy_back(
        &self,
        old: &Reading<'_>,
        mut successor: Replacement,
        sifted: Sifted,
        is_restless: bool,
        journal: &mut dyn Journal,
    ) -> Result<Exchanged, WriteError> {
        successor.sync()?;
        if successor.length()? > sifted.read {
            return Err(WriteError::Problem(would_grow(self.path())));
        }
        let is_as_read = || -> Result<bool, Problem> {
            let appended = old.appended(sifted.read)?;
            let is_as_read = appended.is_some_and(|appended| appended == 0 || sifted.may_grow(is_restless));
            Ok(is_as_read && self.newest.stands())
        };
        let open = OpenOptions::new().read(true).write(true).open(self.path());
        let file = open.map_err(|error| cannot_write(self.path(), &error))?;
        if !old.is_of(&file)? || !is_as_read()? {
            return Ok(Exchanged::Not);
        }
        let noted = self.copying_back(old, &successor, sifted.read)?;
        journal.announce(self.number, sifted.deleted, noted.mark())?;
        // Writing to the ledger takes its time, in which the file may have become another.
        let begun = match is_as_read() {
            Ok(true) => noted.begin(successor),
            Ok(false) => {
                journal.undo(self.number)?;
                return Ok(Exchanged::Not);
            }
            Err(problem) => Err(problem),
        };
        let (kept, note) = match begun {
            Ok(begun) => begun,
            Err(problem) => {
                journal.undo(self.number)?;
                return Err(WriteError::Problem(problem));
            }
        };
        // What is to stay is in the hidden file: if this ends here, the next run goes on from there.
        sync_folder(self.path())
            .and_then(|()| noted.carry_on(&kept, &file, &note))
            .map_err(WriteError::Doubt)?;
        Ok(Exchanged::Done { behind: None })
    }

    fn copying_back(
        &self,
        old: &Reading<'_>,
        successor: &Replacement,
        judged: u64,
    ) -> Result<CopyingBack, Problem> {
        Ok(CopyingBack {
            file: self.path().to_path_buf(),
            device: old.before.device,
            inode: old.before.inode,
            kept_length: successor.length()?,
            judged,
            kept_inode: successor.identity()?.1,
            name: cut::unique()?,
            locks: self.source.rewrite == Rewrite::Lock,
        })
    }
}

impl CopyingBack {
    fn mark(&self) -> Mark {
        Mark::Private(serde_json::to_value(self).unwrap_or_default())
    }

    fn kept(&self) -> PathBuf {
        hidden_beside(&self.file, "kept")
    }

    /// Notes beside the file which rewriting it is, and keeps what is to stay. Where that fails,
    /// nothing of either is left.
    fn begin(&self, successor: Replacement) -> Result<(File, Note), Problem> {
        let note = Note::beside(&self.file, &self.name)?;
        let begun = note.begin().map_err(|error| cannot_write(&self.file, &error));
        match begun.and_then(|()| successor.keep_as(&self.kept())) {
            Ok(kept) => Ok((kept, note)),
            Err(problem) => {
                // The next run removes it otherwise.
                let _ = cut::remove(&self.file);
                Err(problem)
            }
        }
    }

    /// Finishes what a killed run began; whether it had begun to overwrite the file. None where another
    /// run, of another state folder, has begun since: then nobody can tell.
    pub(super) fn finish(&self, wait: Duration) -> Result<Option<bool>, Problem> {
        let explain = |error: &io::Error| cannot_write(&self.file, error);
        let open = |path: &Path| OpenOptions::new().read(true).write(true).custom_flags(NO_FOLLOW).open(path);
        let kept = match open(&self.kept()) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(self.is_over())),
            Err(error) => return Err(explain(&error)),
        };
        let said = Said::beside(&self.file);
        if said.as_ref().is_some_and(|said| !said.is_of(&self.name)) {
            return Ok(None);
        }
        // Held until all is done: what writers append meanwhile would be lost.
        let lock = if self.locks { Some(locked(&self.file, wait)?) } else { None };
        let file = open(&self.file).map_err(|error| explain(&error))?;
        if !self.is_of(&file)? || !lock.as_ref().map_or(Ok(true), |lock| self.is_of(lock))? {
            return Err(self.left_to_people("was replaced by another program"));
        }
        let note = Note::beside(&self.file, &self.name)?;
        let length = kept.metadata().map_err(|error| explain(&error))?.len();
        let is_cut = said.map_or(Ok(false), |said| said.is_cut(&file, length));
        if is_cut.map_err(|error| explain(&error))? {
            self.clear().map_err(|error| explain(&error))?;
        } else {
            self.carry_on(&kept, &file, &note)?;
        }
        Ok(Some(true))
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
        Problem::new(Code::Unfinished, message)
    }

    /// Where what is to stay is not there all is done, or nothing was: then it still has its first name.
    fn is_over(&self) -> bool {
        // An inode is given out anew.
        let known = (self.device, self.kept_inode, self.kept_length);
        let is_own = |new: &Metadata| (new.dev(), new.ino(), new.len()) == known;
        !fs::symlink_metadata(path_beside(&self.file)).is_ok_and(|new| is_own(&new))
    }

    /// Whether a killed run left the file torn.
    pub(super) fn is_torn(&self) -> bool {
        self.kept().exists()
    }

    /// Takes what was appended into the hidden file, copies that into the file, and cuts it.
    fn carry_on(&self, kept: &File, file: &File, note: &Note) -> Result<(), Problem> {
        match self.try_carry_on(kept, file, note) {
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
        Problem::new(Code::Unfinished, message)
    }

    /// None of it is done where either is shorter than what is known of it.
    fn try_carry_on(&self, kept: &File, file: &File, note: &Note) -> io::Result<bool> {
        let mut length = kept.metadata()?.len();
        let mut copying = Copying { kept, file, note, copied: 0, is_ready: false, waits: true };
        for round in 0.. {
            // The old content up to here is in the hidden file, as far as it stays.
            let Some(more) = length.checked_sub(self.kept_length) else { return Ok(false) };
            let taken = self.judged + more;
            let there = file.metadata()?.len();
            if there < taken {
                return Ok(false);
            }
            if there == taken && copying.is_ready {
                // Nothing else may stand between that look and the cut: what comes in between is lost.
                file.set_len(length)?;
                break;
            }
            copying.waits = round < ROUNDS;
            length = copying.go_on(length, taken..there)?;
        }
        file.sync_all()?;
        self.clear()?;
        Ok(true)
    }

    /// The note goes last: without it, nothing says that the file was cut. That what is to stay is
    /// gone is on the disk before the rule is done, or nobody would know any more what it is of.
    fn clear(&self) -> io::Result<()> {
        fs::remove_file(self.kept())?;
        sync_folder(&self.file).map_err(|problem| io::Error::other(problem.message))?;
        cut::remove(&self.file)
    }
}

/// What is to stay on its way back into the file.
struct Copying<'a> {
    kept: &'a File,
    file: &'a File,
    note: &'a Note,
    /// How much of it is there.
    copied: u64,
    /// Whether the file could be cut if nothing was appended to it.
    is_ready: bool,
    /// Whether each step waits for the disk.
    waits: bool,
}

impl Copying<'_> {
    /// Takes what was appended, copies all that is to stay, and notes what stands behind it; how
    /// long that is now.
    fn go_on(&mut self, mut length: u64, appended: Range<u64>) -> io::Result<u64> {
        let old_length = appended.end;
        if !appended.is_empty() {
            let mut end_of_kept = self.kept.try_clone()?;
            end_of_kept.seek(SeekFrom::Start(length))?;
            length += appended.end - appended.start;
            copy_part(self.file, appended, &mut end_of_kept)?;
        }
        // What a killed run took may be nowhere else, either.
        self.sync(self.kept)?;
        copy_to(self.kept, self.copied..length, self.file)?;
        self.sync(self.file)?;
        self.note.say(self.file, length, old_length)?;
        if self.waits {
            self.note.sync()?;
        }
        (self.copied, self.is_ready) = (length, true);
        Ok(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.waits { file.sync_all() } else { Ok(()) }
    }
}

/// Behind its end other programs write: there is no room that is surely the purge's own.
fn would_grow(path: &Path) -> Problem {
    let message = format!(
        "{} would be longer than it is, and a file that is rewritten in place cannot grow: leave `rewrite` out, \
         so that a new file takes its place",
        path.display()
    );
    Problem::new(Code::CannotGrow, message)
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

#[cfg(test)]
mod tests {
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
            let mut noted = CopyingBack {
                file: file.clone(),
                device: fs::metadata(&file).unwrap().dev(),
                inode: fs::metadata(&file).unwrap().ino(),
                kept_length: KEPT.len() as u64,
                judged: OLD.len() as u64,
                kept_inode: 0,
                name: "this".to_string(),
                locks: true,
            };
            fs::write(noted.kept(), KEPT).unwrap();
            noted.kept_inode = fs::metadata(noted.kept()).unwrap().ino();
            let scene = Scene { folder, noted };
            scene.note("this").begin().unwrap();
            scene
        }

        fn append(&self, path: &Path, bytes: &[u8]) {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            io::Write::write_all(&mut file, bytes).unwrap();
        }

        fn overwrite(&self, bytes: &[u8]) {
            let file = OpenOptions::new().write(true).open(&self.noted.file).unwrap();
            file.write_all_at(bytes, 0).unwrap();
        }

        fn note(&self, name: &str) -> Note {
            Note::beside(&self.noted.file, name).unwrap()
        }

        fn note_cut(&self) {
            self.note_cut_of("this", KEPT.len() as u64);
        }

        fn note_cut_of(&self, name: &str, length: u64) {
            let file = File::open(&self.noted.file).unwrap();
            self.note(name).say(&file, length, file.metadata().unwrap().len()).unwrap();
        }

        fn cut(&self, length: usize) {
            let file = OpenOptions::new().write(true).open(&self.noted.file).unwrap();
            file.set_len(length as u64).unwrap();
        }

        #[track_caller]
        fn assert_finishes_as(&self, expected: &[u8]) {
            assert_eq!(self.noted.finish(Duration::ZERO).unwrap(), Some(true));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&fs::read(&self.noted.file).unwrap()), text(expected));
            let left = fs::read_dir(self.folder.path()).unwrap().count();
            assert_eq!(left, 1, "nothing is left beside the file");
            let again = self.noted.finish(Duration::ZERO).unwrap();
            assert_eq!(again, Some(true), "what is finished stays finished");
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
            not_yet.note_cut();
            not_yet.append(&not_yet.noted.file, tail);
            not_yet.assert_finishes_as(&[KEPT, tail].concat());

            let done = Scene::new();
            done.overwrite(KEPT);
            done.note_cut();
            done.cut(KEPT.len());
            done.append(&done.noted.file, tail);
            done.assert_finishes_as(&[KEPT, tail].concat());
        }
    }

    #[test]
    fn a_note_that_was_not_written_whole_says_nothing() {
        for torn in ["", "{\"of\":\"th", "{\"of\":1}"] {
            let scene = Scene::new();
            scene.overwrite(KEPT);
            fs::write(cut::path_of(&scene.noted.file), torn).unwrap();
            scene.assert_finishes_as(KEPT);
        }
        let scene = Scene::new();
        fs::remove_file(cut::path_of(&scene.noted.file)).unwrap();
        scene.assert_finishes_as(KEPT);
    }

    #[test]
    fn a_note_from_before_what_is_to_stay_grew_says_nothing_about_the_cut() {
        // A line came behind the note, was taken, and was being copied over what the note is about.
        let line = b"2290-01-01,new\n";
        for overwritten in KEPT.len()..=KEPT.len() + line.len() {
            let scene = Scene::new();
            scene.overwrite(KEPT);
            scene.note_cut();
            scene.append(&scene.noted.file, line);
            scene.append(&scene.noted.kept(), line);
            scene.overwrite(&[KEPT, line].concat()[..overwritten]);
            scene.assert_finishes_as(&[KEPT, line].concat());
        }
    }

    #[test]
    fn what_another_rewriting_of_the_file_is_to_keep_is_left_to_that() {
        let scene = Scene::new();
        scene.note_cut_of("other", 5);
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap(), None);
        assert_eq!(fs::read(&scene.noted.file).unwrap(), OLD);
        assert_eq!(fs::read(scene.noted.kept()).unwrap(), KEPT);
        fs::remove_file(scene.noted.kept()).unwrap();
        fs::write(path_beside(&scene.noted.file), OLD).unwrap();
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap(), Some(true), "nor is its new file ours");
    }

    #[test]
    fn what_was_never_begun_is_not_said_to_be_done() {
        let scene = Scene::new();
        fs::rename(scene.noted.kept(), path_beside(&scene.noted.file)).unwrap();
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap(), Some(false));
        assert_eq!(fs::read(&scene.noted.file).unwrap(), OLD);
    }

    #[test]
    fn another_file_in_its_place_is_not_overwritten() {
        let scene = Scene::new();
        let restored = scene.folder.path().join("restored");
        fs::write(&restored, "at\nrestored\n").unwrap();
        fs::rename(&restored, &scene.noted.file).unwrap();
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap_err().code, Code::Unfinished);
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
        assert_eq!(scene.noted.finish(Duration::ZERO).unwrap_err().code, Code::Busy);
        drop(writer);
        scene.assert_finishes_as(KEPT);
    }
}
