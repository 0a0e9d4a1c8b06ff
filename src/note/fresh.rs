//! Fresh notes in memory: many, and so packed.

use super::Token;
use crate::evaluate::{AnswerCell, Question};

/// Fresh notes of one question.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// Where the text of each begins and ends.
    notes: Vec<(Token, u32, u32)>,
    texts: Vec<u8>,
}

impl Fresh {
    pub(super) fn add(&mut self, token: Token, answer: &AnswerCell) {
        let place = |texts: &[u8]| u32::try_from(texts.len()).unwrap_or(u32::MAX);
        let from = place(&self.texts);
        match answer {
            AnswerCell::Text(None) => return,
            AnswerCell::Text(Some(text)) => self.texts.extend_from_slice(text.as_bytes()),
            AnswerCell::Number(number) => {
                self.texts.push(NUMBER);
                self.texts.extend_from_slice(&number.to_be_bytes());
            }
        }
        self.notes.push((token, from, place(&self.texts)));
    }

    /// Once all are there.
    pub(super) fn sort(&mut self) {
        self.notes.sort_unstable();
    }

    /// What was noted under each token together, in their order.
    pub(super) fn merged<'f>(
        &'f self,
        question: &'f Question,
    ) -> impl Iterator<Item = (Token, AnswerCell)> + 'f {
        self.notes.chunk_by(|(one, ..), (other, ..)| one == other).filter_map(move |of_token| {
            let answers = of_token.iter().map(|(_, from, to)| answer(self.text(*from, *to)));
            let together = answers.reduce(|one, other| question.merged(&one, &other));
            Some((of_token.first()?.0, together?))
        })
    }

    fn text(&self, from: u32, to: u32) -> &[u8] {
        &self.texts[from as usize..to as usize]
    }

    /// All that was noted under a token.
    pub(super) fn find(&self, token: &Token) -> impl Iterator<Item = AnswerCell> {
        let first = self.notes.partition_point(|(known, ..)| known < token);
        let of_token = self.notes[first..].iter().take_while(move |(known, ..)| known == token);
        of_token.map(|(_, from, to)| answer(self.text(*from, *to)))
    }
}

/// What no text begins with.
const NUMBER: u8 = 0;

fn answer(bytes: &[u8]) -> AnswerCell {
    match bytes.strip_prefix(&[NUMBER]).map(<[u8; 8]>::try_from) {
        Some(Ok(number)) => AnswerCell::Number(i64::from_be_bytes(number)),
        _ => AnswerCell::Text(Some(String::from_utf8_lossy(bytes).into())),
    }
}
