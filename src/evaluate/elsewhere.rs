//! Answers about rows of other sources: gathered in one pass over these, and asked by key.

mod key;

use std::collections::HashMap;
use std::sync::Arc;

use key::Key;

use super::related::{AnswerCell, Question};
use crate::note::{Notes, Token};
use crate::policy::Side;
use crate::source::Problem;
use crate::value::Value;

/// What one question found, for every key for which it found anything.
#[derive(Debug, Default)]
pub struct Answers {
    by_key: HashMap<Box<[u8]>, AnswerCell>,
    /// What was noted of rows that are gone, for keys for which no row is there.
    noted: Option<(Notes, HashMap<Token, AnswerCell>)>,
    /// Whether a key is text in an unknown encoding, which may mean any key beyond ASCII.
    is_in_doubt: bool,
    /// Whether there is a key beyond ASCII, which a text in an unknown encoding may mean.
    is_beyond_ascii: bool,
}

/// No key begins with a zero byte twice.
const IN_DOUBT: &[u8] = b"\0\0in doubt";
const BEYOND_ASCII: &[u8] = b"\0\0beyond ascii";

/// A related row without a key by which records could find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUnreadable;

impl Answers {
    /// Looks at one related row: at what stands under the columns by which it is found, and at the question's columns.
    pub fn add<'v>(
        &mut self,
        question: &Question,
        key: impl Fn(usize) -> Value<'v>,
        row: impl Fn(usize) -> Value<'v>,
    ) -> Result<(), KeyUnreadable> {
        let on = question.relation.on.as_ref().ok_or(KeyUnreadable)?;
        let key = match Key::of_all(on.theirs(), key) {
            Key::Known(key) => key,
            Key::Nothing => return Ok(()),
            Key::Unreadable => return Err(KeyUnreadable),
        };
        if let Some(known) = self.by_key.get_mut(&*key) {
            *known = question.shown(known, row);
            return Ok(());
        }
        let nothing = question.nothing().to_cell();
        let found = question.shown(&nothing, row);
        if found != nothing {
            let is_text = std::str::from_utf8(&key).is_ok();
            self.is_in_doubt |= !is_text;
            self.is_beyond_ascii |= !key.is_ascii();
            self.by_key.insert(key.into(), found);
        }
        Ok(())
    }

    /// What was found for a key. Of keys beyond ASCII nobody can say which are the same, where one
    /// of them is no UTF-8.
    fn get(&self, key: &[u8]) -> Value<'_> {
        if !key.is_ascii()
            && (self.is_in_doubt || (self.is_beyond_ascii && std::str::from_utf8(key).is_err()))
        {
            return AnswerCell::IN_DOUBT;
        }
        let noted = || self.noted.as_ref().and_then(|(notes, by_token)| by_token.get(&notes.token(key)?));
        self.by_key.get(key).or_else(noted).map_or(Value::Null, AnswerCell::value)
    }

    /// Puts what was noted of rows that are gone beside what was found.
    pub(crate) fn add_notes(&mut self, question: &Question, notes: &Notes) -> Result<(), Problem> {
        let mut by_token = notes.all(question)?;
        if by_token.is_empty() {
            return Ok(());
        }
        for (key, found) in &mut self.by_key {
            if let Some(noted) = notes.token(key).and_then(|token| by_token.remove(&token)) {
                *found = question.merged(found, &noted);
            }
        }
        let mut was_there =
            |key: &[u8]| notes.token(key).is_some_and(|token| by_token.remove(&token).is_some());
        self.is_in_doubt |= was_there(IN_DOUBT);
        self.is_beyond_ascii |= was_there(BEYOND_ASCII);
        self.noted = Some((notes.clone(), by_token));
        Ok(())
    }

    /// What is noted beside a key that is not ASCII: that there was one, which others may mean.
    pub(crate) fn doubt_about(key: &[u8]) -> Option<&'static [u8]> {
        match std::str::from_utf8(key) {
            Ok(text) if text.is_ascii() => None,
            Ok(_) => Some(BEYOND_ASCII),
            Err(_) => Some(IN_DOUBT),
        }
    }

    /// What is noted beside keys, and stays as long as there is any record.
    pub(crate) const DOUBTS: [&'static [u8]; 2] = [IN_DOUBT, BEYOND_ASCII];

    /// What joins a row to its records, as notes remember it; none where it belongs to none.
    pub(crate) fn key_of<'s, 'v>(
        sides: impl ExactSizeIterator<Item = &'s Side>,
        cell: impl Fn(usize) -> Value<'v>,
    ) -> Result<Option<Vec<u8>>, KeyUnreadable> {
        match Key::of_all(sides, cell) {
            Key::Known(key) => Ok(Some(key.into_owned())),
            Key::Nothing => Ok(None),
            Key::Unreadable => Err(KeyUnreadable),
        }
    }
}

/// A question about rows of another source, as a rule book asks it.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    /// The places of the record's own columns by which its rows are found, and what is made of them.
    pub(super) cells: Vec<usize>,
    pub(super) sides: Vec<Side>,
    /// None until somebody has looked.
    pub(super) answers: Option<Arc<Answers>>,
}

impl Elsewhere {
    /// The answer for a record.
    pub(super) fn answer<'a, 'v: 'a>(&'a self, row: &impl Fn(usize) -> Value<'v>) -> Value<'a> {
        let Some(answers) = &self.answers else { return AnswerCell::UNKNOWN };
        match Key::of_all(self.sides.iter(), |place| row(self.cells[place])) {
            Key::Nothing => Value::Null,
            Key::Known(key) => answers.get(&key),
            Key::Unreadable => AnswerCell::UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests;
