//! `formats`: every way to say one that cannot be meant, with what is underlined and the way out.

use super::{found, with};

/// Checks one format of a column: the message, what is underlined, and the words of the help.
fn refused(format: &str, message: &str, underlined: &str, help: &str) {
    let said = found(&with("[source.app]", &format!("formats = {{ ended_at = {format} }}")));
    assert!(said.contains(&format!("]: {message}\n")), "{format}: {said}");
    let place = "formats = { ended_at = ".len() + format.rfind(underlined).unwrap();
    let carets = format!("|{}{}\n", " ".repeat(place + 1), "^".repeat(underlined.chars().count()));
    assert!(format!("{said}\n").contains(&carets), "{format}: {said}");
    assert!(said.contains(help), "{format}: {said}");
}

#[test]
fn a_list_of_formats_holds_each_once() {
    refused("[]", "`ended_at` in `formats` of source `app` lists no format", "[]", "help: write iso, unix,");
    refused(r#"["iso", "unix", "iso"]"#, "`iso` stands twice", r#""iso""#, "help: write each format once");
    let epoch = r#"{ epoch = "1970-01-01", unit = "s" }"#;
    refused(&format!(r#"["unix", {epoch}]"#), "`unix` stands twice", epoch, "help: write each format once");
    refused(r#"["iso", "unx"]"#, "`unx` is no format of times", r#""unx""#, "help: did you mean \"unix\"?");
    let list = "`ended_at` in `formats` of source `app` must be a format: text in quotes, a table, or a list of these, not a list";
    refused(r#"["iso", ["unix"]]"#, list, r#"["unix"]"#, "");
}

#[test]
fn a_table_says_an_epoch_or_a_pattern() {
    let either = "the format of `ended_at` must have either `epoch` and `unit`, or `pattern`";
    refused("{ }", either, "{ }", "help: write iso,");
    let both = r#"{ epoch = "1601-01-01", unit = "us", pattern = "%Y" }"#;
    refused(both, either, both, "help: write iso,");
    let alone = r#"{ century = "1970" }"#;
    refused(alone, either, alone, "help: write iso,");
    let no_unit = r#"{ epoch = "1601-01-01" }"#;
    refused(no_unit, "the format of `ended_at` has no `unit`", no_unit, "add a line such as: unit = \"us\"");
    let no_epoch = r#"{ unit = "us" }"#;
    refused(
        no_epoch,
        "the format of `ended_at` has no `epoch`",
        no_epoch,
        "add a line such as: epoch = \"1601-01-01\"",
    );
    refused(
        r#"{ pattern = "%F", zone = "x" }"#,
        "unknown key `zone` in the format of `ended_at`",
        "zone",
        "known here: pattern, century, locale",
    );
}

#[test]
fn an_epoch_is_a_day_and_a_unit_one_of_time() {
    refused(
        r#"{ epoch = "1601", unit = "us" }"#,
        "`1601` is not a date",
        r#""1601""#,
        "help: write a date such as",
    );
    refused(
        r#"{ epoch = "0000-01-01", unit = "us" }"#,
        "`0000-01-01` is no epoch that frist can count from",
        r#""0000-01-01""#,
        "from 0001-01-01 to 2299-12-31",
    );
    refused(
        r#"{ epoch = "1601-01-01", unit = "microseconds" }"#,
        "`microseconds` is no unit of time that is counted",
        r#""microseconds""#,
        "help: did you mean \"us\"?",
    );
    refused(
        r#"{ epoch = "1601-01-01", unit = "weeks" }"#,
        "`weeks` is no unit of time that is counted",
        r#""weeks""#,
        "help: write one of days, hours, minutes, s, ms, us, 100ns, ns",
    );
}

#[test]
fn what_stands_beside_a_pattern_has_something_to_say() {
    let pattern = |rest: &str| format!(r#"{{ pattern = {rest} }}"#);
    refused(
        &pattern(r#""%d.%m.%y""#),
        "`%y` has a year of two digits, and its century would be a guess",
        r#""%d.%m.%y""#,
        "century = \"1970\" } reads 1970 to 2069",
    );
    refused(
        &pattern(r#""%d.%m.%Y", century = "1970""#),
        "`century` says nothing without a year of two digits",
        r#""%d.%m.%Y""#,
        "help: write `%y` in the pattern",
    );
    refused(
        &pattern(r#""%d.%m.%y", century = "70""#),
        "`70` begins no hundred years",
        r#""70""#,
        "from \"1900\" to \"2200\"",
    );
    refused(
        &pattern(r#""%d.%m.%Y", locale = "da""#),
        "`locale` says nothing without a name of a month or a day",
        r#""%d.%m.%Y""#,
        "help: write `%B`",
    );
    refused(
        &pattern(r#""%d. %B %Y", locale = "dk""#),
        "frist knows no names of months in `dk`",
        r#""dk""#,
        "help: write da for Danish",
    );
    refused(
        r#""%F %T %Z""#,
        "`%Z` without `%z` says no offset: `CST` names several",
        r#""%F %T %Z""#,
        "its zone as `times-in`",
    );
    refused(
        r#""%F %T%z %Z2""#,
        "`%Z` stands right before what may be a part of the zone's name, and where that ends would be a guess",
        r#""%F %T%z %Z2""#,
        "",
    );
}
