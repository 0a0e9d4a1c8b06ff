//! Every error, with the place it points at and what it says.

use super::super::{Condition, SyntaxError};

/// The error of a text in which « and » mark the faulty part.
fn fault(marked: &str) -> (String, String) {
    let start = marked.find('«').unwrap();
    let end = marked.find('»').unwrap() - '«'.len_utf8();
    let text = marked.replace(['«', '»'], "");
    let error = Condition::parse(&text).expect_err(marked);
    assert_eq!(error.span, start..end, "{marked}: {error:?}");
    (error.message, error.help.unwrap_or_default())
}

#[track_caller]
fn says(marked: &str, message: &str, help: &str) {
    assert_eq!(fault(marked), (message.to_owned(), help.to_owned()), "{marked}");
}

#[test]
fn an_empty_condition() {
    let help = "leave it out where every record is meant, or write one, such as: status = 'closed'";
    says("«»", "the condition is empty", help);
    says("« \t\n»", "the condition is empty", help);
}

#[test]
fn text_in_double_quotes_is_a_column() {
    let message = "this compares a column with a column; compare a column with a literal";
    says("kind = «\"x\"»", message, "text goes in single quotes: 'x'");
    says("«\"x\"» = kind", message, "text goes in single quotes: 'x'");
    says("kind = «\"it's \"\"it\"\"\"»", message, "text goes in single quotes: 'it''s \"it\"'");
    says("kind = «draft»", message, "text goes in single quotes: 'draft'");
    says("\"a\" <> «\"b\"»", message, "text goes in single quotes: 'b'");
    let literal = "a literal is a number, or text in single quotes: 'text'";
    says("lower(a) = «lower(b)»", message, literal);
    says("created < «current_date»", message, "text goes in single quotes: 'current_date'");
}

#[test]
fn columns_where_only_literals_stand() {
    says(
        "kind in ('a', «\"x\"»)",
        "expected a literal, found the column `\"x\"`",
        "text goes in single quotes: 'x'",
    );
    says(
        "n between «low» and 5",
        "expected a literal, found the column `low`",
        "text goes in single quotes: 'low'",
    );
    says(
        "n between 1 and «n»",
        "expected a literal, found the column `n`",
        "text goes in single quotes: 'n'",
    );
}

#[test]
fn literals_where_only_columns_stand() {
    let help = "a column's name stands without quotes, or in double ones";
    says("«'a'» like 'b'", "expected a column, found the literal `'a'`", help);
    says("«5» is null", "expected a column, found the literal `5`", help);
    says("«5» in (5, 6)", "expected a column, found the literal `5`", help);
    says("«5» not between 1 and 6", "expected a column, found the literal `5`", help);
    says("lower(«'X'») = 'x'", "expected a column, found the literal `'X'`", help);
    says("coalesce(«1», n) = 1", "expected a column, found the literal `1`", help);
    let help = "text in single quotes is never a column's name; compare a column with a literal";
    says("«'status' = 'x'»", "this compares two literals, and reads no column", help);
    says("a = 1 or «1 = 1»", "this compares two literals, and reads no column", help);
}

#[test]
fn null_outside_of_is_null() {
    let message = "nothing compares with `null`: the answer is always unknown, and never matches";
    let help = "write `is null` or `is not null`";
    for marked in ["a = «null»", "«NULL» <> a", "a in (1, «null»)", "a between «Null» and 2"] {
        says(marked, message, help);
    }
    says("coalesce(a, «null») = 1", message, help);
}

#[test]
fn true_and_false() {
    let message = "`true` is no literal: sources write it differently";
    says("a = «true»", message, "write 1, or the text in single quotes where it is stored as text");
    let message = "`FALSE` is no literal: sources write it differently";
    says("a in («FALSE»)", message, "write 0, or the text in single quotes where it is stored as text");
    let help = "write `is null` or `is not null`, and = or <> for anything else";
    says("a «is true»", "`is` only asks for null", help);
    says("a «is not 5»", "`is` only asks for null", help);
    says("a «is»", "`is` only asks for null", help);
}

#[test]
fn missing_comparisons() {
    let help = "compare it: with = <> < <= > >=, in (…), between, like, is null or is not null";
    says("active«»", "expected a comparison after `active`, found the end", help);
    says("a «and» b = 1", "expected a comparison after `a`, found `and`", help);
    says("(a«)» = 1", "expected a comparison after `a`, found `)`", help);
    says("a «glob» 'x*'", "expected a comparison after `a`, found `glob`", help);
    says("a «lke» 'x'", "expected a comparison after `a`, found `lke`", "did you mean `like`?");
    says("a «betwen» 1 and 2", "expected a comparison after `a`, found `betwen`", "did you mean `between`?");
    says("amount «-1» > 5", "expected a comparison after `amount`, found `-1`", help);
}

#[test]
fn missing_sides() {
    says("a =«»", "expected a column or a literal, found the end", "");
    says("«=» 1", "expected a column or a literal, found `=`", "");
    says("a => 1".replace("> ", "«>» ").as_str(), "expected a column or a literal, found `>`", "");
    says("a = 1 and«»", "expected a column or a literal, found the end", "");
    let help = "a column of that name is written \"order\"".replace("order", "In");
    says("«In» = 1", "expected a column or a literal, found `In`", &help);
    says("not«»", "expected a column or a literal, found the end", "");
    says("(«)»", "expected a column or a literal, found `)`", "");
}

#[test]
fn more_after_the_end() {
    let message = |found: &str| format!("expected `and`, `or` or the end, found `{found}`");
    let range = "a comparison has two sides; for a range write: column between 1 and 5";
    says("1 < a «<» 5", &message("<"), range);
    says("(a = 1 «=» 1)", "expected `and`, `or` or `)`, found `=`", range);
    says("(a = 1 «b» = 1)", "expected `and`, `or` or `)`, found `b`", "");
    says("a > 1«,»5", &message(","), "a decimal is written with a point: 1.5");
    says("a = 1 «adn» b = 2", &message("adn"), "did you mean `and`?");
    says("a = 1 «b» = 2", &message("b"), "");
    says("a = 1 «is» null", &message("is"), "");
    says("a = 'x' «'y'»", &message("'y'"), "");
    says("a = 'x' «escape» 'y'", &message("escape"), "");
    says("a = 1«)»", "this `)` closes nothing", "");
}

#[test]
fn unclosed_parentheses_and_quotes() {
    says("a = 1 and «(»b = 2 or (c = 3)", "this `(` is not closed", "");
    says("a in «(»1, 2", "this `(` is not closed", "");
    says("lower«(»a", "this `(` is not closed", "");
    says("a = «'»it''s", "this ' has no closing one", "a ' inside is written twice: ''");
    says("«\"»a\"\" = 1", "this \" has no closing one", "a \" inside is written twice: \"\"");
    says("«\"\"» = 1", "a column has no empty name", "an empty text is written with single quotes: ''");
}

#[test]
fn foreign_signs() {
    let name = "a column's name is quoted with double quotes: \"name\"";
    says("«`»a` = 1", "``` has no meaning here", name);
    says("«[»a] = 1", "`[` has no meaning here", name);
    let quotes =
        "text goes in straight single quotes, a column's name, where needed, in straight double ones";
    says("a = «‘»x’", "`‘` has no meaning here", quotes);
    says("a = «”»x”", "`”` has no meaning here", quotes);
    let sums = "a condition compares columns with literals; it does not calculate";
    says("a «+» 1 > 5", "`+` has no meaning here", sums);
    says("a > 5 «-»- comment", "`-` has no meaning here", sums);
    says("a = 1 «&»& b = 2", "`&` has no meaning here", "write `and`");
    says("a = 1 «|»| b = 2", "`|` has no meaning here", "write `or`");
    says("«!»a = 1", "`!` has no meaning here", "write `not`, or `<>` to compare");
    let dot = "name the column alone; a decimal begins with a digit: 0.5";
    says("t«.»a = 1", "`.` has no meaning here", dot);
    says("a > «.»5", "`.` has no meaning here", dot);
    let other = "a column's name with such a character is written in double quotes, text in single ones";
    says("a«;» drop", "`;` has no meaning here", other);
    says("a«\u{a0}»= 1", "`\\u{a0}` has no meaning here", other);
    says("a = «$»x", "`$` has no meaning here", other);
}

#[test]
fn lists_ranges_and_patterns() {
    let list = "write the literals in parentheses: in ('a', 'b')";
    says("a in «'x'»", "expected a list after `in`, found `'x'`", list);
    says("a in«»", "expected a list after `in`, found the end", list);
    says("a not in «()»", "this list is empty, and nothing is in it", list);
    says("a in (1,«)»", "expected a column or a literal, found `)`", "");
    says("a in (1 «2»)", "expected `,` or `)`, found `2`", "");
    says("a between 1 «or» 2", "expected the `and` of `between`, found `or`", "write: between 1 and 5");
    let reversed = "nothing lies in this range: its first end is above its second";
    let help = "write the lower end first; text compares byte by byte, so '10' is below '9'";
    says("a between «5 and 1»", reversed, help);
    says("a not between «'9' and '10'»", reversed, help);
    says("a between «1.5 and 1»", reversed, help);
    let mixed = "one end of this range is a number, and the other is text";
    let help = "write both without quotes to compare numbers, or both with them to compare text";
    says("a between «1 and '5'»", mixed, help);
    let help =
        "a pattern is text in single quotes, where % stands for anything and _ for one character: 'a%'";
    says("a like «5»", "expected a pattern after `like`, found `5`", help);
    says("a like «\"x%\"»", "expected a pattern after `like`, found `\"x%\"`", help);
}

#[test]
fn escapes_of_patterns() {
    let help = "write it in single quotes: escape '\\'";
    says("a like 'x' escape «''»", "expected one character after `escape`, found `''`", help);
    says("a like 'x' escape «'ab'»", "expected one character after `escape`, found `'ab'`", help);
    says("a like 'x' escape «5»", "expected one character after `escape`, found `5`", help);
    let message = "this pattern ends in its escape, which then escapes nothing";
    says("a like «'x\\'» escape '\\'", message, "write the escape twice where it stands for itself");
}

#[test]
fn a_stray_not() {
    let help = "write `is not null`, or put `not` before the whole comparison";
    says("a not «null»", "expected `in`, `between` or `like` after `not`, found `null`", help);
    let help = "write <> for *not equal*, or put `not` before the whole comparison";
    says("a not «=» 5", "expected `in`, `between` or `like` after `not`, found `=`", help);
}

#[test]
fn functions() {
    let known = "there are `lower`, `upper`, `trim`, `length`, `coalesce`";
    says("«substr»(a, 1) = 'x'", "there is no function `substr`", known);
    says("«lenght»(a) = 5", "there is no function `lenght`", "did you mean `length`?");
    says("«Uper»(a) = 'x'", "there is no function `Uper`", "did you mean `upper`?");
    says("«trim()» = 'x'", "`trim` takes one column", "write: trim(column)");
    says("a = 1 and «LOWER(a, b)» = 'x'", "`LOWER` takes one column", "write: LOWER(column)");
    let message = "`coalesce` takes a column and what stands in where it is null";
    says("«coalesce(a)» = 1", message, "write: coalesce(column, 'none')");
    says("«coalesce()» = 1", message, "write: coalesce(column, 'none')");
    says(
        "lower(a «=» 1)",
        "expected `,` or `)`, found `=`",
        "compare what a function gives: lower(column) = 'text'",
    );
}

#[test]
fn malformed_numbers() {
    let help = "a number is written like 12, -1.5 or 1e3, text in single quotes, and a column whose name begins with a digit in double ones";
    for number in ["12abc", "1.", "1.2.3", "1e", "1e+", "0x1F", "1_000", "2fa_enabled", "1..2", "-1.e5", "1é"]
    {
        says(&format!("a = «{number}»"), &format!("`{number}` is not a number"), help);
    }
}

#[test]
fn numbers_out_of_range() {
    let help = "the largest whole number is 9223372036854775807; longer digits are compared as text, in single quotes";
    for number in ["9223372036854775808", "-9223372036854775809", "1e999", "-1e400", "1e-999"] {
        says(&format!("a = «{number}»"), &format!("`{number}` is outside the range of numbers"), help);
    }
    let long = "9".repeat(50);
    let message = format!("`{}…` is outside the range of numbers", "9".repeat(40));
    says(&format!("a < «{long}»"), &message, help);
}

#[test]
fn too_deep() {
    let help = "parentheses around a chain of `and` alone, or of `or` alone, can be left out";
    let message = "this is nested more than 64 deep";
    let groups = format!("{}«(»{}a = 1", "(".repeat(64), "(".repeat(20_000));
    says(&groups, message, help);
    says(&format!("{}«not» not a = 1", "not ".repeat(64)), message, help);
    says(&format!("{}«lower»(a) = 'x'", "lower(".repeat(64)), message, help);
    says(&format!("{}«coalesce»(a, 1), 1) = 1", "coalesce(".repeat(64)), message, help);
}

#[test]
fn as_deep_as_allowed() {
    for (open, close) in [("(", ")"), ("not ", "")] {
        let text = format!("{}a = 1{}", open.repeat(64), close.repeat(64));
        assert!(Condition::parse(&text).is_ok(), "{text}");
    }
    let text = format!("{}a{} = 'x'", "trim(".repeat(64), ")".repeat(64));
    assert!(Condition::parse(&text).is_ok(), "{text}");
}

#[test]
fn too_long() {
    let padded = |length: usize| "a = 1".to_owned() + &" ".repeat(length - 5);
    assert!(Condition::parse(&padded(65_536)).is_ok());
    let error = Condition::parse(&padded(65_537)).unwrap_err();
    assert_eq!(error.span, 0..65_537);
    assert_eq!(error.message, "a condition has at most 65536 bytes, and this one 65537");
}

#[test]
fn the_message_is_what_an_error_displays() {
    let error: SyntaxError = Condition::parse("a = 1)").unwrap_err();
    assert_eq!(error.to_string(), "this `)` closes nothing");
}
