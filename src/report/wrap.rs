//! Lines of prose that fit a terminal.

use unicode_width::UnicodeWidthStr;

/// How many columns of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// A text in lines that fit; none of them breaks within a word, but for a long name, which breaks
/// behind `-`, `_`, `.` or `/`. Without a width nothing is broken.
pub(super) fn wrapped(text: &str, room: Option<usize>, first: usize, rest: usize) -> String {
    let Some(room) = room else { return " ".repeat(first) + text };
    let mut out = " ".repeat(first);
    let (mut column, mut is_begun) = (first, false);
    for word in text.split(' ') {
        for (at, part) in parts(word, room.saturating_sub(rest)).into_iter().enumerate() {
            let gap = usize::from(is_begun && at == 0);
            if is_begun && column + gap + width(part) > room {
                out.push('\n');
                out.push_str(&" ".repeat(rest));
                column = rest;
            } else {
                out.push_str(&" ".repeat(gap));
                column += gap;
            }
            out.push_str(part);
            column += width(part);
            is_begun = true;
        }
    }
    out
}

/// A word, or its parts where it is wider than a line.
fn parts(word: &str, room: usize) -> Vec<&str> {
    if width(word) <= room {
        return vec![word];
    }
    word.split_inclusive(['-', '_', '.', '/']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        assert_eq!(wrapped("one two three", Some(8), 0, 2), "one two\n  three");
        assert_eq!(wrapped("one two three", None, 1, 2), " one two three");
        assert_eq!(wrapped("", Some(8), 0, 2), "");
    }

    #[test]
    fn a_long_name_breaks_behind_its_signs_and_a_long_word_not_at_all() {
        assert_eq!(
            wrapped("a customer_interactions.db", Some(14), 0, 2),
            "a customer_\n  interactions.\n  db"
        );
        assert_eq!(wrapped("a Donaudampfschifffahrt b", Some(8), 0, 2), "a\n  Donaudampfschifffahrt\n  b");
    }
}
