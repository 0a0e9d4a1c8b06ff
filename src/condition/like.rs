//! `like`: a pattern, read once, and the characters of a text.

/// A pattern of `like`.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// `%`
    Anything,
    /// `_`
    AnyCharacter,
    Character(char),
}

/// The last character of a pattern is its escape, and escapes nothing.
pub(super) struct DanglingEscape;

impl Pattern {
    /// Reads a pattern; a character after the escape stands for itself.
    pub(super) fn new(pattern: &str, escape: Option<char>) -> Result<Pattern, DanglingEscape> {
        let mut pieces = Vec::new();
        let mut characters = pattern.chars();
        while let Some(character) = characters.next() {
            pieces.push(match character {
                _ if Some(character) == escape => Piece::Character(characters.next().ok_or(DanglingEscape)?),
                '%' => Piece::Anything,
                '_' => Piece::AnyCharacter,
                _ => Piece::Character(character),
            });
        }
        Ok(Pattern(pieces))
    }

    /// Whether a text fits; none where it is no UTF-8 and the pattern has a character beyond ASCII.
    pub(super) fn is_matched_by(&self, text: &[u8]) -> Option<bool> {
        let is_beyond_ascii = |piece: &Piece| matches!(piece, Piece::Character(one) if !one.is_ascii());
        let is_in_doubt = self.0.iter().any(is_beyond_ascii) && std::str::from_utf8(text).is_err();
        (!is_in_doubt).then(|| self.matches(text))
    }

    /// Whether the whole text fits. Only the last `%` is ever retried, so the
    /// time is at most the product of both lengths.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        let (mut piece, mut rest) = (0, text);
        let mut retry = None;
        loop {
            match self.step(piece, rest) {
                Step::Matched => return true,
                Step::Wildcard => {
                    piece += 1;
                    retry = Some((piece, rest));
                }
                Step::Character(after) => (piece, rest) = (piece + 1, after),
                Step::Stuck => match retry.and_then(one_character_later) {
                    Some(later) => {
                        (piece, rest) = later;
                        retry = Some(later);
                    }
                    None => return false,
                },
            }
        }
    }

    fn step<'t>(&self, piece: usize, rest: &'t [u8]) -> Step<'t> {
        match (self.0.get(piece), first_character(rest)) {
            (None, None) => Step::Matched,
            (Some(Piece::Anything), _) => Step::Wildcard,
            (Some(Piece::AnyCharacter), Some((_, after))) => Step::Character(after),
            (Some(Piece::Character(wanted)), Some((Some(found), after))) if same(*wanted, found) => {
                Step::Character(after)
            }
            _ => Step::Stuck,
        }
    }
}

/// What the next piece of a pattern does with the rest of a text.
enum Step<'t> {
    Matched,
    Wildcard,
    Character(&'t [u8]),
    Stuck,
}

fn one_character_later((piece, rest): (usize, &[u8])) -> Option<(usize, &[u8])> {
    first_character(rest).map(|(_, after)| (piece, after))
}

fn same(wanted: char, found: char) -> bool {
    wanted.eq_ignore_ascii_case(&found)
}

/// The characters of a text; a byte that is not UTF-8 counts as one unknown character.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = Option<char>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (character, after) = first_character(rest)?;
        rest = after;
        Some(character)
    })
}

fn first_character(text: &[u8]) -> Option<(Option<char>, &[u8])> {
    let (first, after) = text.split_first()?;
    if first.is_ascii() {
        return Some((Some(char::from(*first)), after));
    }
    let length = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    };
    let (bytes, beyond) = text.split_at_checked(length).unwrap_or((text, &[]));
    match std::str::from_utf8(bytes).ok().and_then(|valid| valid.chars().next()) {
        Some(character) => Some((Some(character), beyond)),
        None => Some((None, after)),
    }
}
