//! Notes of evidence that went, of records that stay: what frist deletes changes no other record's clock.
//!
//! Rows that start a record's period, say how long it is, or make a rule mean the record at all, count for
//! as long as the record is there, also when a rule of their own has deleted them. Before such rows go,
//! what they said is noted, on the disk, under a keyed token of what joins them to their records. A note
//! is put beside the rows that are still there, as if its own were, and goes when no record has its token
//! any more. The notes stand in a small database in the state folder, and say nothing without the key.

mod fresh;
mod gone;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use rusqlite::Connection;
use sha2::Sha256;

use fresh::Fresh;
pub(crate) use gone::{Asked, Gone};
use store::Store;

use crate::anonymise::Key;
use crate::diagnostic::Code;
use crate::evaluate::{AnswerCell, Question};
use crate::key;
use crate::ledger::{RunLock, StateFolder};
use crate::policy::Policy;
use crate::source::Problem;

/// The names of all that a policy asks about evidence.
pub(crate) fn questions(policy: &Policy) -> BTreeSet<String> {
    let all = Asked::all(policy).into_iter();
    all.filter_map(|asked| asked.question.evidence.map(|name| name.to_string())).collect()
}

/// Tells the key of every record that there is.
pub(crate) type EachKey<'a> = dyn FnMut(&mut dyn FnMut(&[u8])) -> Result<(), Problem> + 'a;

/// What joins a note to its records.
pub(crate) type Token = [u8; 16];

/// The notes of one policy. Copies share what one of them writes.
#[derive(Clone, Default)]
pub struct Notes(Option<Arc<Shared>>);

struct Shared {
    folder: StateFolder,
    policy: String,
    /// Makes tokens, once there is a key.
    mac: OnceLock<Hmac<Sha256>>,
    /// How many notes there are, at most, by the name of their question.
    counts: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    writer: Mutex<Option<Store>>,
    /// How many notes were written since the fresh ones were put beside the rest.
    fresh: AtomicU64,
    /// Moves with every writing.
    writings: AtomicU64,
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notes").field(&self.0.as_ref().map(|shared| &shared.policy)).finish()
    }
}

impl Notes {
    /// The notes of a policy as its state folder holds them. That part of them is lost is a problem: without
    /// them nobody knows which records are due.
    pub fn open(policy: &Policy) -> Result<Notes, Problem> {
        let unreadable = |error| Problem::new(Code::UnreadableNotes, format!("{error}"));
        let Some(folder) = StateFolder::open_existing(&policy.state).map_err(unreadable)? else {
            return Ok(Notes::default());
        };
        let shared = Shared {
            policy: policy.name.clone(),
            mac: OnceLock::new(),
            counts: Mutex::default(),
            writer: Mutex::default(),
            fresh: AtomicU64::new(0),
            writings: AtomicU64::new(0),
            folder,
        };
        shared.read()?;
        Ok(Notes(Some(Arc::new(shared))))
    }

    /// Whether somebody has looked for them.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// How many notes there are of each question, by its name.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let Some(shared) = &self.0 else { return BTreeMap::new() };
        let counts = locked(&shared.counts);
        let counts = counts.iter().map(|(name, count)| (name.clone(), count.load(Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// What answers by key for a question; none where no note can ever be about it.
    pub(crate) fn reader(&self, question: &Question) -> Option<Reader> {
        let (shared, name) = (self.0.as_ref()?, question.evidence.as_ref()?);
        let (shared, count) = (Arc::clone(shared), shared.count(name));
        Some(Reader { shared, question: question.clone(), count, store: None, fresh: None })
    }

    /// All notes of a question, by their tokens.
    pub(crate) fn all(&self, question: &Question) -> Result<HashMap<Token, AnswerCell>, Problem> {
        let Some(mut reader) = self.reader(question).filter(|reader| !reader.is_empty()) else {
            return Ok(HashMap::new());
        };
        reader.store()?.all(question)
    }

    /// The token of what joins a record to its rows; none as long as there are no notes.
    pub(crate) fn token(&self, key: &[u8]) -> Option<Token> {
        Some(token(self.0.as_ref()?.mac.get()?, key))
    }

    /// Notes what went, on the disk when this returns. A source is locked meanwhile: see [`Notes::rest`].
    pub(crate) fn add(&self, lock: &RunLock, gone: &Gone) -> Result<(), Problem> {
        let Some(shared) = self.0.as_ref().filter(|_| !gone.is_empty()) else { return Ok(()) };
        let mut writer = locked(&shared.writer);
        let store = shared.writer(lock, &mut writer)?;
        let mac = shared.mac.get().ok_or_else(lost)?;
        store.begin()?;
        for (question, _, notes) in gone.by_question() {
            let answers = notes.map(|(key, answer)| (token(mac, key), answer));
            store.add(question, answers).inspect_err(|_| store.roll_back())?;
        }
        store.commit()?;
        for (question, new, _) in gone.by_question() {
            let new = u64::try_from(new).unwrap_or(u64::MAX);
            question.evidence.iter().for_each(|name| {
                let _ = shared.count(name).fetch_add(new, Relaxed);
            });
            let _ = shared.fresh.fetch_add(new, Relaxed);
        }
        let _ = shared.writings.fetch_add(1, Relaxed);
        Ok(())
    }

    /// Puts what was noted beside the rest, where it has become much, or at the end: no source is locked now.
    pub(crate) fn rest(&self, lock: &RunLock, asked: &[Asked], is_end: bool) -> Result<(), Problem> {
        let Some(shared) = &self.0 else { return Ok(()) };
        let fresh = shared.fresh.load(Relaxed);
        if fresh == 0 || (!is_end && fresh < store::MOST_FRESH) {
            return Ok(());
        }
        let mut writer = locked(&shared.writer);
        let store = shared.writer(lock, &mut writer)?;
        store.fold(&asked.iter().map(|asked| &asked.question).collect::<Vec<_>>())?;
        shared.fresh.store(0, Relaxed);
        let _ = shared.writings.fetch_add(1, Relaxed);
        for (name, count) in store.counts()? {
            shared.count(&name).store(count, Relaxed);
        }
        Ok(())
    }

    /// Removes the notes of a question that belong to no record. `each` is handed what is to be told the key of
    /// every record that there is.
    pub(crate) fn sweep(
        &self,
        lock: &RunLock,
        question: &Question,
        each: &mut EachKey<'_>,
    ) -> Result<(), Problem> {
        let (Some(shared), Some(name)) = (&self.0, &question.evidence) else { return Ok(()) };
        let count = shared.count(name);
        if count.load(Relaxed) == 0 {
            return Ok(());
        }
        let mut writer = locked(&shared.writer);
        let store = shared.writer(lock, &mut writer)?;
        let mac = shared.mac.get().ok_or_else(lost)?;
        let mut behind = None;
        loop {
            let tokens = store.tokens(name, behind.as_ref())?;
            let Some(last) = tokens.last() else { return Ok(()) };
            behind = Some(*last);
            let mut is_joined = vec![false; tokens.len()];
            each(&mut |key| {
                if let Ok(place) = tokens.binary_search(&token(mac, key)) {
                    is_joined[place] = true;
                }
            })?;
            let alone = tokens.iter().zip(is_joined).filter(|(_, is_joined)| !is_joined);
            let removed = store.remove(name, alone.map(|(token, _)| *token))?;
            count.fetch_sub(removed, Relaxed);
        }
    }

    /// Leaves one file behind, where nobody else reads it.
    pub(crate) fn close(&self) {
        if let Some(store) = self.0.as_ref().and_then(|shared| locked(&shared.writer).take()) {
            store.close();
        }
    }
}

impl Shared {
    fn path(&self) -> PathBuf {
        self.folder.path().join("notes.db")
    }

    fn count(&self, name: &str) -> Arc<AtomicU64> {
        Arc::clone(locked(&self.counts).entry(name.to_string()).or_default())
    }

    /// Finds out what is there: the notes and their key, or neither.
    fn read(&self) -> Result<(), Problem> {
        let (path, key_path) = (self.path(), key::NOTES.path(&self.folder));
        let is_there = path.try_exists().map_err(|error| store::unreadable(&path, &error))?;
        let key = key::read(&self.folder, key::NOTES)?;
        let key = match (is_there, key) {
            (false, None) => return Ok(()),
            (false, Some(_)) => return Err(missing(&path, &key_path)),
            // A run was killed while it made them: the key comes last.
            (true, None) if Store::read_only(&path, &self.policy)?.holds_nothing()? => return Ok(()),
            (true, None) => return Err(missing(&key_path, &path)),
            (true, Some(key)) => key,
        };
        let store = Store::read_only(&path, &self.policy)?;
        let mac = mac(&key)?;
        match store.check()? {
            None => return Err(missing(&path, &key_path)),
            Some(check) if check != token(&mac, CHECK) => return Err(foreign(&path, &key_path)),
            Some(_) => {}
        }
        for (name, count) in store.counts()? {
            self.count(&name).store(count, Relaxed);
        }
        self.fresh.store(store.count_fresh()?, Relaxed);
        // Nobody else sets it.
        let _ = self.mac.set(mac);
        Ok(())
    }

    /// The store, made with its key where there is none.
    fn writer<'w>(
        &self,
        lock: &RunLock,
        writer: &'w mut MutexGuard<'_, Option<Store>>,
    ) -> Result<&'w mut Store, Problem> {
        if writer.is_none() {
            let store = Store::open(&self.folder, &self.path(), &self.policy)?;
            if self.mac.get().is_none() {
                let key = key::random()?;
                let mac = mac(&key)?;
                store.begin_anew(&token(&mac, CHECK))?;
                key::write(lock, &key::NOTES.path(&self.folder), &key)?;
                let _ = self.mac.set(mac);
            }
            **writer = Some(store);
        }
        writer.as_mut().ok_or_else(lost)
    }
}

/// What is made a token of to see whether a key is that of the notes.
const CHECK: &[u8] = b"frist notes";

fn mac(key: &Key) -> Result<Hmac<Sha256>, Problem> {
    Hmac::new_from_slice(&key.0).map_err(|_| lost())
}

fn token(mac: &Hmac<Sha256>, key: &[u8]) -> Token {
    let mut mac = mac.clone();
    mac.update(key);
    let mut token = Token::default();
    token.iter_mut().zip(mac.finalize().into_bytes()).for_each(|(own, byte)| *own = byte);
    token
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes of one question, found by key over a connection of its own.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    question: Question,
    count: Arc<AtomicU64>,
    store: Option<Store>,
    /// The fresh notes, as of a writing, and the number of the question.
    fresh: Option<(u64, Fresh, Option<i64>)>,
}

impl Reader {
    /// Whether there is no note: then nothing is asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// What was noted of the rows that were joined by a key.
    pub(crate) fn find(&mut self, key: &[u8]) -> Result<Option<AnswerCell>, Problem> {
        let Some(mac) = self.shared.mac.get().filter(|_| !self.is_empty()) else { return Ok(None) };
        let token = token(mac, key);
        let writings = self.shared.writings.load(Relaxed);
        if self.fresh.as_ref().is_none_or(|(known, ..)| *known != writings) {
            let question = self.question.clone();
            let name = question.evidence.clone().unwrap_or_default();
            let store = self.store()?;
            self.fresh = Some((writings, store.fresh(&question)?, store.question(&name)?));
        }
        let number = self.fresh.as_ref().and_then(|(_, _, number)| *number);
        let known = match number {
            Some(number) => self.store()?.answer(number, &token)?,
            None => None,
        };
        let fresh = self.fresh.iter().flat_map(|(_, fresh, _)| fresh.find(&token));
        Ok(known.into_iter().chain(fresh).reduce(|one, other| self.question.merged(&one, &other)))
    }

    fn store(&mut self) -> Result<&Store, Problem> {
        if self.store.is_none() {
            self.store = Some(Store::read_only(&self.shared.path(), &self.shared.policy)?);
        }
        self.store.as_ref().ok_or_else(lost)
    }
}

/// Cannot happen: what is opened is there.
fn lost() -> Problem {
    Problem::new(Code::Internal, "the notes of deleted evidence are gone from memory")
}

fn missing(path: &std::path::Path, beside: &std::path::Path) -> Problem {
    let message = format!(
        "{} is missing or empty, and with it what frist noted of evidence that it deleted: nobody knows which records are \
         due; restore it from a backup of the state folder, or, if it is lost for good, remove {} as well: then records \
         are judged as if their deleted evidence had never been",
        path.display(),
        beside.display()
    );
    Problem::new(Code::LostNotes, message)
}

fn foreign(path: &std::path::Path, key: &std::path::Path) -> Problem {
    let message = format!(
        "{} was written with another key than that in {}: put both back from one backup of the state folder",
        path.display(),
        key.display()
    );
    Problem::new(Code::ForeignNotes, message)
}

/// A connection as notes need it: nothing of them in a temporary file.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -4000")
}
