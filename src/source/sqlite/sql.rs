//! Reading SQL as far as it tells what a trigger or a virtual table is about. Words in comments
//! and texts are no keywords, and quoted names are no words.

/// A piece of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, a bare name or a number.
    Word(String),
    /// A name in `"…"`, `` `…` `` or `[…]`.
    Quoted(String),
    /// A text in `'…'`.
    Text(String),
    /// Anything else, one character at a time.
    Symbol(char),
}

impl Token {
    /// Whether it is this keyword.
    pub(crate) fn is(&self, keyword: &str) -> bool {
        matches!(self, Token::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    /// What it names. SQLite takes a text for a name where only a name can stand.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Token::Word(name) | Token::Quoted(name) | Token::Text(name) => Some(name),
            Token::Symbol(_) => None,
        }
    }
}

/// The tokens of some SQL. Any text has some: what is not closed ends with it.
pub(crate) fn tokens(sql: &str) -> Vec<Token> {
    let (mut tokens, mut rest) = (Vec::new(), sql);
    while let Some(first) = rest.chars().next() {
        let (token, behind) = next(rest, first);
        tokens.extend(token);
        rest = behind;
    }
    tokens
}

fn next(text: &str, first: char) -> (Option<Token>, &str) {
    let behind = &text[first.len_utf8()..];
    match first {
        _ if text.starts_with("--") => (None, behind_the(text, "\n")),
        _ if text.starts_with("/*") => (None, behind_the(&text[2..], "*/")),
        '\'' => quoted(behind, first, Token::Text),
        '"' | '`' => quoted(behind, first, Token::Quoted),
        '[' => {
            let (name, behind) = behind.split_once(']').unwrap_or((behind, ""));
            (Some(Token::Quoted(name.to_string())), behind)
        }
        _ if is_part_of_a_word(first) => {
            let (word, behind) = text.split_at(text.find(|c| !is_part_of_a_word(c)).unwrap_or(text.len()));
            (Some(Token::Word(word.to_string())), behind)
        }
        _ if first.is_ascii_whitespace() => (None, behind),
        _ => (Some(Token::Symbol(first)), behind),
    }
}

fn is_part_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || !c.is_ascii()
}

fn behind_the<'t>(text: &'t str, end: &str) -> &'t str {
    text.split_once(end).map_or("", |(_, behind)| behind)
}

/// A text up to its closing quote; a doubled one stands for itself.
fn quoted(text: &str, quote: char, token: impl Fn(String) -> Token) -> (Option<Token>, &str) {
    let (mut content, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once(quote) {
        content.push_str(before);
        rest = behind;
        let Some(behind) = rest.strip_prefix(quote) else { return (Some(token(content)), rest) };
        content.push(quote);
        rest = behind;
    }
    content.push_str(rest);
    (Some(token(content)), "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn word(text: &str) -> Token {
        Token::Word(text.to_string())
    }

    #[test]
    fn names_texts_and_comments_are_told_apart() {
        let sql = "a \"b \"\"c\" [d e] `f``g` 'it''s' -- insert\n/* into */ æ1;";
        let quoted = |text: &str| Token::Quoted(text.to_string());
        let text = Token::Text("it's".to_string());
        let expected = vec![
            word("a"),
            quoted("b \"c"),
            quoted("d e"),
            quoted("f`g"),
            text,
            word("æ1"),
            Token::Symbol(';'),
        ];
        assert_eq!(tokens(sql), expected);
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        assert_eq!(tokens("'a"), [Token::Text("a".to_string())]);
        assert_eq!(tokens("\"a\"\""), [Token::Quoted("a\"".to_string())]);
        assert_eq!(tokens("[a"), [Token::Quoted("a".to_string())]);
        assert_eq!(tokens("a /* b"), [word("a")]);
        assert_eq!(tokens("a -- b"), [word("a")]);
        assert_eq!(tokens("/*/ a */ b"), [word("b")], "a comment does not end where it begins");
    }

    #[test]
    fn a_keyword_is_a_word_and_nothing_in_quotes() {
        assert!(word("Insert").is("insert"));
        assert!(!Token::Quoted("insert".to_string()).is("insert"));
        assert!(!Token::Text("insert".to_string()).is("insert"));
    }

    proptest! {
        #[test]
        fn any_text_has_tokens(sql in "[-'\"`\\[\\]/*a-z; \\n(),.æ]{0,40}") {
            let _ = tokens(&sql);
        }
    }
}
