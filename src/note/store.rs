//! The database that holds the notes.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::fresh::Fresh;
use super::{Token, configure};
use crate::diagnostic::Code;
use crate::evaluate::{AnswerCell, Question};
use crate::ledger::StateFolder;
use crate::source::Problem;

/// A note of several rows is one: what they say together. What was noted last stands as it came, for it is written
/// while a source is locked, and is put beside the rest afterwards.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS about (version INTEGER NOT NULL, key_check BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS question (
        id INTEGER PRIMARY KEY, policy TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (policy, name));
    CREATE TABLE IF NOT EXISTS note (
        question INTEGER NOT NULL, token BLOB NOT NULL, answer, PRIMARY KEY (question, token)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS fresh (question INTEGER NOT NULL, token BLOB NOT NULL, answer);";

const VERSION: i64 = 1;

/// So many fresh notes are put beside the rest at the latest: who looks for one holds them in memory.
pub(super) const MOST_FRESH: u64 = 500_000;

/// About so many of them at once.
const FOLDED_AT_ONCE: u64 = 250_000;

/// The ends of all tokens.
const FIRST: Token = [0; 16];
const LAST: Token = [255; 16];

/// So many tokens are compared with all records at once.
const TOKENS: i64 = 1 << 20;

/// Another process may be about to end its own reading or writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to the notes.
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    policy: String,
}

impl Store {
    /// Opens notes that are there, for reading.
    pub(super) fn read_only(path: &Path, policy: &str) -> Result<Store, Problem> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Store::with(path, policy, flags)?;
        store.require_version()?;
        Ok(store)
    }

    /// Opens the notes for writing, and makes the file, private, where there is none.
    pub(super) fn open(folder: &StateFolder, path: &Path, policy: &str) -> Result<Store, Problem> {
        let made = folder.open_or_create(path, OpenOptions::new().read(true).write(true));
        made.map_err(|error| Problem::new(Code::UnreadableNotes, error.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let store = Store::with(path, policy, flags)?;
        // What a commit has said is on the disk; what is deleted is gone.
        let settings = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON";
        store.said(store.connection.execute_batch(settings))?;
        store.said(store.connection.execute_batch(SCHEMA))?;
        store.require_version()?;
        Ok(store)
    }

    fn with(path: &Path, policy: &str, flags: OpenFlags) -> Result<Store, Problem> {
        let connection = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(PATIENCE)?;
            configure(&connection)?;
            Ok(connection)
        });
        let connection = connection.map_err(|error| unreadable(path, &error))?;
        Ok(Store { connection, path: path.to_path_buf(), policy: policy.to_string() })
    }

    fn said<T>(&self, result: rusqlite::Result<T>) -> Result<T, Problem> {
        result.map_err(|error| unreadable(&self.path, &error))
    }

    fn require_version(&self) -> Result<(), Problem> {
        if self.check()?.is_none() {
            return Ok(());
        }
        let version: i64 =
            self.said(self.connection.query_row("SELECT max(version) FROM about", [], |row| row.get(0)))?;
        if version == VERSION {
            return Ok(());
        }
        let message = format!(
            "{} is of version {version}, which this version of frist does not know",
            self.path.display()
        );
        Err(Problem::new(Code::UnreadableNotes, message))
    }

    fn has(&self, table: &str) -> Result<bool, Problem> {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
        self.said(self.connection.query_row(sql, [table], |row| Ok(row.get::<_, i64>(0)? > 0)))
    }

    /// Whether nothing is noted in it: a run may have been killed while it made the file.
    pub(super) fn holds_nothing(&self) -> Result<bool, Problem> {
        for table in ["note", "fresh"] {
            let sql = format!("SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1)");
            if self.has(table)?
                && self.said(self.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)))? > 0
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the key of the notes makes of a known text; none where the file was only begun.
    pub(super) fn check(&self) -> Result<Option<Token>, Problem> {
        if !self.has("about")? {
            return Ok(None);
        }
        let sql = "SELECT key_check FROM about";
        self.said(self.connection.query_row(sql, [], |row| row.get(0)).optional())
    }

    /// Takes up a new key, under which nothing has been noted.
    pub(super) fn begin_anew(&self, check: &Token) -> Result<(), Problem> {
        let sql = "DELETE FROM about";
        self.said(self.connection.execute(sql, []))?;
        let sql = "INSERT INTO about VALUES (?1, ?2)";
        self.said(self.connection.execute(sql, params![VERSION, check])).map(drop)
    }

    pub(super) fn question(&self, name: &str) -> Result<Option<i64>, Problem> {
        let sql = "SELECT id FROM question WHERE policy = ?1 AND name = ?2";
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row([self.policy.as_str(), name], |row| row.get(0)).optional()
        });
        self.said(found)
    }

    /// How many notes there are of each question of the policy; after a killed run, at most.
    pub(super) fn counts(&self) -> Result<Vec<(String, u64)>, Problem> {
        let sql = "SELECT name, (SELECT count(*) FROM note WHERE note.question = question.id) + \
                   (SELECT count(*) FROM fresh WHERE fresh.question = question.id) FROM question WHERE policy = ?1";
        let counts = self.connection.prepare(sql).and_then(|mut statement| {
            let counts = statement
                .query_map([&self.policy], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
            counts.collect::<rusqlite::Result<_>>()
        });
        self.said(counts)
    }

    /// One note, beside the fresh ones.
    pub(super) fn answer(&self, question: i64, token: &Token) -> Result<Option<AnswerCell>, Problem> {
        let sql = "SELECT answer FROM note WHERE question = ?1 AND token = ?2";
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row(params![question, token], |row| row.get::<_, Value>(0)).optional()
        });
        Ok(self.said(found)?.map(answer))
    }

    /// All notes of a question.
    pub(super) fn all(&self, question: &Question) -> Result<HashMap<Token, AnswerCell>, Problem> {
        let mut all = HashMap::new();
        for table in ["note", "fresh"] {
            self.read(table, question, FIRST..=LAST, &mut |token, answer| {
                merge(&mut all, question, token, answer);
            })?;
        }
        Ok(all)
    }

    /// The fresh notes of a question, packed.
    pub(super) fn fresh(&self, question: &Question) -> Result<Fresh, Problem> {
        let mut fresh = Fresh::default();
        self.read("fresh", question, FIRST..=LAST, &mut |token, answer| fresh.add(token, &answer))?;
        fresh.sort();
        Ok(fresh)
    }

    /// Reads the notes of a question in a table, within a range of tokens.
    fn read(
        &self,
        table: &str,
        question: &Question,
        range: RangeInclusive<Token>,
        found: &mut dyn FnMut(Token, AnswerCell),
    ) -> Result<(), Problem> {
        let Some(number) = question.evidence.as_ref().map_or(Ok(None), |name| self.question(name))? else {
            return Ok(());
        };
        let sql =
            format!("SELECT token, answer FROM {table} WHERE question = ?1 AND token BETWEEN ?2 AND ?3");
        let read = self.connection.prepare(&sql).and_then(|mut statement| {
            let mut rows = statement.query(params![number, range.start(), range.end()])?;
            while let Some(row) = rows.next()? {
                found(row.get(0)?, answer(row.get(1)?));
            }
            Ok(())
        });
        self.said(read)
    }

    /// Begins to note.
    pub(super) fn begin(&self) -> Result<(), Problem> {
        self.said(self.connection.execute_batch("BEGIN IMMEDIATE"))
    }

    /// Notes answers as they come.
    pub(super) fn add(
        &self,
        question: &Question,
        answers: impl Iterator<Item = (Token, AnswerCell)>,
    ) -> Result<(), Problem> {
        let Some(name) = &question.evidence else { return Ok(()) };
        let sql = "INSERT OR IGNORE INTO question (policy, name) VALUES (?1, ?2)";
        self.said(self.connection.execute(sql, [self.policy.as_str(), name]))?;
        let Some(number) = self.question(name)? else { return Ok(()) };
        let written = self.connection.prepare_cached("INSERT INTO fresh VALUES (?1, ?2, ?3)").and_then(
            |mut statement| {
                for (token, gone) in answers {
                    statement.execute(params![number, token, cell(&gone)])?;
                }
                Ok(())
            },
        );
        self.said(written)
    }

    /// Puts fresh notes beside the rest. What a policy no longer asks stays as it came.
    pub(super) fn fold(&self, questions: &[&Question]) -> Result<(), Problem> {
        self.begin()?;
        let folded = questions.iter().try_for_each(|question| self.fold_one(question));
        folded.inspect_err(|_| self.roll_back())?;
        self.commit()
    }

    fn fold_one(&self, question: &Question) -> Result<(), Problem> {
        let Some(number) = question.evidence.as_ref().map_or(Ok(None), |name| self.question(name))? else {
            return Ok(());
        };
        let sql = "SELECT count(*) FROM fresh WHERE question = ?1";
        let count: i64 = self.said(self.connection.query_row(sql, [number], |row| row.get(0)))?;
        // Tokens are spread evenly, and so each part is about as large as the others.
        for part in parts(count.unsigned_abs() / FOLDED_AT_ONCE + 1) {
            let mut fresh = Fresh::default();
            self.read("fresh", question, part, &mut |token, answer| fresh.add(token, &answer))?;
            fresh.sort();
            // In the order of the table.
            fresh.merged(question).try_for_each(|note| self.put(question, number, note))?;
        }
        self.said(self.connection.execute("DELETE FROM fresh WHERE question = ?1", [number])).map(drop)
    }

    /// Puts a note beside what is known.
    fn put(
        &self,
        question: &Question,
        number: i64,
        (token, gone): (Token, AnswerCell),
    ) -> Result<(), Problem> {
        let known = self.answer(number, &token)?;
        let merged = known.as_ref().map(|known| question.merged(known, &gone));
        if merged.is_some() && merged == known {
            return Ok(());
        }
        let cell = cell(merged.as_ref().unwrap_or(&gone));
        let sql = "INSERT OR REPLACE INTO note VALUES (?1, ?2, ?3)";
        let written = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params![number, token, cell]));
        self.said(written).map(drop)
    }

    /// How many fresh notes there are.
    pub(super) fn count_fresh(&self) -> Result<u64, Problem> {
        let sql = "SELECT count(*) FROM fresh";
        self.said(self.connection.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)?.unsigned_abs())))
    }

    /// Puts what was noted on the disk.
    pub(super) fn commit(&self) -> Result<(), Problem> {
        self.said(self.connection.execute_batch("COMMIT")).inspect_err(|_| self.roll_back())
    }

    /// Some errors have done so already.
    pub(super) fn roll_back(&self) {
        if !self.connection.is_autocommit() {
            // The first failure is the one to hear of.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// The tokens of a question in their order, from behind one on: as many as are compared at once.
    pub(super) fn tokens(&self, name: &str, behind: Option<&Token>) -> Result<Vec<Token>, Problem> {
        let Some(question) = self.question(name)? else { return Ok(Vec::new()) };
        let behind: &[u8] = behind.map_or(b"", |token| token);
        let sql = "SELECT token FROM note WHERE question = ?1 AND token > ?2 ORDER BY token LIMIT ?3";
        let tokens = self.connection.prepare(sql).and_then(|mut statement| {
            let tokens = statement.query_map(params![question, behind, TOKENS], |row| row.get(0))?;
            tokens.collect::<rusqlite::Result<_>>()
        });
        self.said(tokens)
    }

    /// Removes notes; how many there were.
    pub(super) fn remove(&mut self, name: &str, tokens: impl Iterator<Item = Token>) -> Result<u64, Problem> {
        let Some(question) = self.question(name)? else { return Ok(0) };
        let sql = "DELETE FROM note WHERE question = ?1 AND token = ?2";
        let removed = self.connection.transaction().and_then(|transaction| {
            let mut removed = 0;
            for token in tokens {
                removed += transaction.prepare_cached(sql)?.execute(params![question, token])? as u64;
            }
            transaction.commit()?;
            Ok(removed)
        });
        self.said(removed)
    }

    /// Leaves one file behind, where nobody else reads it; where somebody does, the next run does it.
    pub(super) fn close(self) {
        let shrunk = self.connection.prepare("PRAGMA incremental_vacuum").and_then(|mut statement| {
            let mut steps = statement.query([])?;
            while steps.next()?.is_some() {}
            Ok(())
        });
        let closed = shrunk.and_then(|()| self.connection.execute_batch("PRAGMA journal_mode = DELETE"));
        if let Err(error) = closed {
            tracing::debug!("{}: {error}", self.path.display());
        }
    }
}

/// All tokens, in so many parts.
fn parts(count: u64) -> impl Iterator<Item = RangeInclusive<Token>> {
    let width = u128::MAX / u128::from(count.max(1));
    (0..count.max(1)).map(move |part| {
        let first = u128::from(part) * width;
        let last = if part + 1 == count.max(1) { u128::MAX } else { first + (width - 1) };
        first.to_be_bytes()..=last.to_be_bytes()
    })
}

/// Adds an answer to one that may be known.
fn merge(all: &mut HashMap<Token, AnswerCell>, question: &Question, token: Token, answer: AnswerCell) {
    let merged = all.get(&token).map(|known| question.merged(known, &answer));
    all.insert(token, merged.unwrap_or(answer));
}

fn answer(cell: Value) -> AnswerCell {
    match cell {
        Value::Integer(number) => AnswerCell::Number(number),
        Value::Text(text) => AnswerCell::Text(Some(text.into_boxed_str())),
        // What nobody writes is an answer that keeps.
        Value::Null | Value::Real(_) | Value::Blob(_) => AnswerCell::Text(Some("?".into())),
    }
}

fn cell(answer: &AnswerCell) -> Value {
    match answer {
        AnswerCell::Number(number) => Value::Integer(*number),
        AnswerCell::Text(Some(text)) => Value::Text(text.to_string()),
        AnswerCell::Text(None) => Value::Null,
    }
}

pub(super) fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> Problem {
    let message = format!(
        "{}: {error}; what frist notes of evidence that it deletes is neither read nor written, and the rules that need \
         it are not carried out",
        path.display()
    );
    Problem::new(Code::UnreadableNotes, message)
}
