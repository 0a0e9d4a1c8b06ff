//! G1 and anonymising: what is not due keeps every byte, what is due becomes what the language says,
//! column by column, and a second run finds nothing to do. Random rules and tables, in a database
//! and in a CSV file, against an oracle written from the sentences of the language alone.

use std::fmt::Write;

use proptest::prelude::*;
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use super::support::{PURGE, Place, REPORT, Ran};

const NOW: &str = "2026-01-01T00:00:00Z";

/// Columns that rules set: with a form each, several ways.
const COLUMNS: [&str; 5] = ["name", "born", "ip", "note", "phone"];

/// A form that fits a column.
fn forms(column: &str) -> &'static [&'static str] {
    match column {
        "name" => &["remove", "text:x \"y\", z"],
        "born" => &["year", "month", "remove"],
        "ip" => &["truncate", "remove"],
        "note" => &["remove", "text:[gone]"],
        _ => &["pseudonym", "remove"],
    }
}

#[derive(Clone, Debug)]
struct Rule {
    /// Whole years.
    keep: i32,
    /// The kind of record that it is about; all where there is none.
    kind: Option<&'static str>,
    /// What it sets; it deletes where that is nothing.
    set: Vec<(&'static str, &'static str)>,
}

type Row = Vec<Option<&'static str>>;

fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let setting = |column: &'static str| {
        prop::option::of(prop::sample::select(forms(column).to_vec()).prop_map(move |form| (column, form)))
    };
    let set = COLUMNS.map(setting).to_vec();
    let rule =
        (1..6, prop::option::of(prop::sample::select(vec!["a", "b"])), set, prop::bool::weighted(0.25));
    let rule = rule.prop_map(|(keep, kind, set, deletes)| {
        let set = if deletes { Vec::new() } else { set.into_iter().flatten().collect() };
        Rule { keep, kind, set }
    });
    proptest::collection::vec(rule, 1..4)
}

/// Cells in the order of `at`, `kind` and the columns that rules set.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let cell = |values: Vec<Option<&'static str>>| prop::sample::select(values);
    let row = vec![
        cell(vec![
            Some("2025-12-31"),
            Some("2023-06-30"),
            Some("2022-01-01"),
            Some("2019-05-05"),
            None,
            Some("?"),
        ]),
        cell(vec![Some("a"), Some("b")]),
        cell(vec![Some("Ida"), Some("x \"y\", z"), Some("Søren; \"Bo\""), None]),
        cell(vec![
            Some("1978-11-23"),
            Some("1978-11-01"),
            Some("1978-01-01 00:00"),
            Some("1980-02-03T04:05Z"),
            Some("?"),
            None,
        ]),
        cell(vec![Some("10.1.2.3"), Some("10.1.2.0"), Some("2001:db8:1::9"), Some("here"), None]),
        cell(vec![Some("[gone]"), Some("a\nb"), Some(" "), None]),
        cell(vec![Some("12345678"), Some("frist:0123456789abcdef0123456789abcdef"), None]),
    ];
    proptest::collection::vec(row, 1..12)
}

/// What one value becomes: none where it stays, an error where it cannot be read. A pseudonym
/// stands as a word, for nobody here has the key.
fn becomes(form: &str, value: Option<&str>) -> Result<Option<Option<String>>, ()> {
    let to = |text: &str| Ok(Some(Some(text.to_owned())).filter(|_| value != Some(text)));
    match (form, value) {
        ("remove", value) => Ok(value.map(|_| None)),
        (form, _) if form.starts_with("text:") => to(&form[5..]),
        (_, None | Some(" ")) => Ok(None),
        ("pseudonym", Some(text)) => to(if text.starts_with("frist:") { text } else { "PSEUDONYM" }),
        ("truncate", Some(text)) => match text {
            "10.1.2.3" | "10.1.2.0" => to("10.1.2.0"),
            "2001:db8:1::9" => to("2001:db8:1::"),
            _ => Err(()),
        },
        ("year", Some(text)) if text != "?" => {
            to(&(text[..4].to_owned() + "-01-01" + &text[10..].replace(|c: char| c.is_ascii_digit(), "0")))
        }
        ("month", Some(text)) if text != "?" => {
            to(&(text[..7].to_owned() + "-01" + &text[10..].replace(|c: char| c.is_ascii_digit(), "0")))
        }
        _ => Err(()),
    }
}

/// The state of a row under a rule by itself, and the year from whose day it is due.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Alone {
    Unreadable,
    Waiting,
    Running,
    Due(i32, &'static str),
}

fn alone(rule: &Rule, row: &Row) -> Option<Alone> {
    if rule.kind.is_some() && rule.kind != row[1] {
        return None;
    }
    let Some(at) = row[0] else { return Some(Alone::Waiting) };
    let Ok(year) = at.get(..4).unwrap_or("?").parse::<i32>() else { return Some(Alone::Unreadable) };
    // Due from the day after the last day of keeping.
    let due_year = year + rule.keep;
    let is_due = due_year < 2025 || (due_year == 2025 && &at[5..] <= "12-31");
    Some(if is_due { Alone::Due(due_year, &at[5..]) } else { Alone::Running })
}

/// Whether `other` keeps what is due under `own`.
fn keeps(other: Option<Alone>, own: (i32, &str), is_first: bool) -> bool {
    match other {
        None => false,
        Some(Alone::Due(year, day)) => (year, day) > own || ((year, day) == own && is_first),
        Some(_) => true,
    }
}

/// The state of a row under a rule, and what its cells become.
fn judge(rules: &[Rule], at: usize, row: &Row) -> Option<(&'static str, Vec<Option<Option<String>>>)> {
    let nothing = vec![None; row.len()];
    let own = match alone(&rules[at], row)? {
        Alone::Unreadable => return Some(("unreadable", nothing)),
        Alone::Waiting => return Some(("waiting", nothing)),
        Alone::Running => return Some(("running", nothing)),
        Alone::Due(year, day) => (year, day),
    };
    let overruled = |wanted: &dyn Fn(&Rule) -> bool| {
        (0..rules.len()).any(|other| {
            other != at && wanted(&rules[other]) && keeps(alone(&rules[other], row), own, other < at)
        })
    };
    if rules[at].set.is_empty() {
        let state = if overruled(&|other| other.set.is_empty()) { "overruled" } else { "due" };
        return Some((state, nothing));
    }
    let deletes = |other: usize| {
        rules[other].set.is_empty() && judge(rules, other, row).is_some_and(|(state, _)| state == "due")
    };
    if (0..rules.len()).any(deletes) {
        return Some(("overruled", nothing));
    }
    let mut made = nothing.clone();
    let mut left = 0;
    for (column, form) in &rules[at].set {
        if overruled(&|other| other.set.iter().any(|(theirs, _)| theirs == column)) {
            continue;
        }
        left += 1;
        let cell = 2 + COLUMNS.iter().position(|known| known == column).unwrap();
        match becomes(form, row[cell]) {
            Ok(becomes) => made[cell] = becomes,
            Err(()) => return Some(("unreadable", nothing)),
        }
    }
    let state = match left {
        0 => "overruled",
        _ if made.iter().all(Option::is_none) => "done",
        _ => "due",
    };
    Some((state, made))
}

/// The table as it must be afterwards: the rows that stay, by their places before.
fn after(rules: &[Rule], rows: &[Row]) -> Vec<(usize, Vec<Option<String>>)> {
    let mut left = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let verdicts: Vec<_> = (0..rules.len()).map(|rule| (rule, judge(rules, rule, row))).collect();
        let due = |rule: &usize, verdict: &Option<(&str, Vec<_>)>| {
            verdict.as_ref().is_some_and(|(state, _)| *state == "due") && rules[*rule].set.is_empty()
        };
        if verdicts.iter().any(|(rule, verdict)| due(rule, verdict)) {
            continue;
        }
        let mut now: Vec<Option<String>> = row.iter().map(|cell| cell.map(str::to_owned)).collect();
        for (_, verdict) in verdicts {
            let Some(("due", made)) = verdict else { continue };
            for (cell, made) in now.iter_mut().zip(made) {
                *cell = made.unwrap_or(cell.take());
            }
        }
        left.push((place, now));
    }
    left
}

fn policy(rules: &[Rule], source: &str, data: &str) -> String {
    let mut text = format!("limit = {{ share = \"100%\" }}\n{source}\n");
    for (number, rule) in rules.iter().enumerate() {
        let keep = if rule.keep == 1 { "1 year".to_owned() } else { format!("{} years", rule.keep) };
        write!(
            text,
            "[[rule]]\nname = \"r{number}\"\ndata = \"{data}\"\nkeep = \"{keep}\"\nafter = \"at\"\n"
        )
        .unwrap();
        if let Some(kind) = rule.kind {
            writeln!(text, "when = \"kind = '{kind}'\"").unwrap();
        }
        if !rule.set.is_empty() {
            let set: Vec<String> =
                rule.set.iter().map(|(column, form)| format!("{column} = '{form}'")).collect();
            writeln!(text, "then = \"anonymise\"\nset = {{ {} }}", set.join(", ")).unwrap();
        }
    }
    text
}

/// The numbers of one rule that both the report and the oracle give.
fn counted(ran: &Ran, rule: usize) -> Vec<u64> {
    let told = ran.rule(&format!("r{rule}"));
    STATES.iter().map(|state| told[state].as_u64().unwrap()).collect()
}

const STATES: [&str; 6] = ["unreadable", "waiting", "running", "overruled", "done", "due"];

fn expected(rules: &[Rule], rule: usize, rows: &[Row]) -> Vec<u64> {
    let states: Vec<&str> = rows.iter().filter_map(|row| Some(judge(rules, rule, row)?.0)).collect();
    STATES.iter().map(|wanted| states.iter().filter(|state| *state == wanted).count() as u64).collect()
}

/// Every pseudonym as the same word.
fn without_key(table: Vec<Vec<Option<String>>>) -> Vec<Vec<Option<String>>> {
    let is_made = |text: &str| text.starts_with("frist:") && text != "frist:0123456789abcdef0123456789abcdef";
    let cell =
        |cell: Option<String>| cell.map(|text| if is_made(&text) { "PSEUDONYM".to_owned() } else { text });
    table.into_iter().map(|row| row.into_iter().map(cell).collect()).collect()
}

fn fill(connection: &Connection, rows: &[Row], key: &str) {
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("{column} TEXT")).collect();
    let (number, end) = if key == "rowid" {
        ("number INTEGER PRIMARY KEY", "")
    } else {
        ("number TEXT PRIMARY KEY", " WITHOUT ROWID")
    };
    let columns = columns.join(", ");
    connection
        .execute_batch(&format!(
            "DROP TABLE IF EXISTS t; CREATE TABLE t ({number}, at TEXT, kind TEXT, {columns}){end}"
        ))
        .unwrap();
    for (number, row) in rows.iter().enumerate() {
        let sql = format!("INSERT INTO t VALUES ({number}, ?1, ?2, ?3, ?4, ?5, ?6, ?7)");
        connection.execute(&sql, params_from_iter(row.iter())).unwrap();
    }
}

fn held(connection: &Connection) -> Vec<Vec<Option<String>>> {
    let sql = format!("SELECT at, kind, {} FROM t ORDER BY CAST(number AS INTEGER)", COLUMNS.join(", "));
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| (0..7).map(|cell| row.get(cell)).collect()).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

fn without_places(rows: Vec<(usize, Vec<Option<String>>)>) -> Vec<Vec<Option<String>>> {
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Lines of these rows, in quotes where they need them, or needed them before.
fn csv(before: &[Row], rows: &[(usize, Vec<Option<String>>)]) -> String {
    let mut text = format!("at,kind,{}\r\n", COLUMNS.join(","));
    for (place, row) in rows {
        let cells = row.iter().zip(&before[*place]);
        let cells: Vec<String> = cells
            .map(|(cell, before)| {
                let was = before.is_some_and(needs_quotes);
                cell.as_deref().map(|text| field(text, was)).unwrap_or_default()
            })
            .collect();
        write!(text, "{}\r\n", cells.join(",")).unwrap();
    }
    text
}

fn needs_quotes(text: &str) -> bool {
    text.contains(['"', ',', '\n', '\r'])
}

fn field(text: &str, was_quoted: bool) -> String {
    if needs_quotes(text) || was_quoted {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Reports, purges and purges again.
fn check(place: &Place, rules: &[Rule], rows: &[Row]) -> Result<[Ran; 2], TestCaseError> {
    let report = place.at(NOW, &REPORT);
    for rule in 0..rules.len() {
        prop_assert_eq!(counted(&report, rule), expected(rules, rule, rows), "r{} of {:?}", rule, rules);
    }
    Ok([place.at(NOW, &PURGE), place.at(NOW, &PURGE)])
}

/// What each rule says it did, and that a second run did nothing.
fn check_runs([first, second]: &[Ran; 2], rules: &[Rule], rows: &[Row]) -> Result<(), TestCaseError> {
    for (at, rule) in rules.iter().enumerate() {
        let is_pseudonym = rule.set.iter().any(|(_, form)| *form == "pseudonym");
        let word = match rule.set.len() {
            0 => "deleted",
            _ if is_pseudonym => "pseudonymised",
            _ => "anonymised",
        };
        let due = expected(rules, at, rows)[5];
        for deed in ["deleted", "anonymised", "pseudonymised"] {
            let of = |ran: &Ran| ran.rule(&format!("r{at}"))[deed].clone();
            prop_assert_eq!(of(first), Value::from(if deed == word { due } else { 0 }));
            prop_assert_eq!(of(second), Value::from(0));
        }
        prop_assert_eq!(&first.rule(&format!("r{at}"))["survivors"], &Value::from(0));
    }
    Ok(())
}

proptest! {
    #![proptest_config(crate::depth::config(40))]

    #[test]
    fn rows_become_what_the_language_says(
        rules in rules(),
        rows in rows(),
        key in prop::sample::select(vec!["rowid", "text"]),
    ) {
        let place = Place::in_memory();
        place.write_policy(&policy(&rules, "[source.db]\nsqlite = \"data.db\"", "db.t"));
        let connection = place.database("");
        fill(&connection, &rows, key);
        let runs = check(&place, &rules, &rows)?;
        prop_assert_eq!(without_key(held(&connection)), without_places(after(&rules, &rows)), "{:?}", rules);
        check_runs(&runs, &rules, &rows)?;
    }

    #[test]
    fn lines_become_what_the_language_says(rules in rules(), rows in rows(), rename: bool) {
        // What may grow is refused in place.
        let grows = |rule: &Rule| rule.set.iter().any(|(_, form)| *form == "pseudonym" || form.starts_with("text:"));
        let way = if rename || rules.iter().any(grows) { "rename" } else { "copytruncate" };
        let place = Place::in_memory();
        place.write_policy(&policy(&rules, &format!("[source.log]\ncsv = \"log.csv\"\nrewrite = \"{way}\""), "log"));
        let now = |row: &Row| row.iter().map(|cell| cell.map(str::to_owned)).collect();
        let before: Vec<_> = rows.iter().map(now).enumerate().collect();
        std::fs::write(place.path("log.csv"), csv(&rows, &before)).unwrap();
        let runs = check(&place, &rules, &rows)?;
        let left = std::fs::read_to_string(place.path("log.csv")).unwrap();
        let key_taken = without_pseudonyms(&left);
        prop_assert_eq!(key_taken, csv(&rows, &after(&rules, &rows)), "{:?}", rules);
        check_runs(&runs, &rules, &rows)?;
    }
}

/// Pseudonyms stand last on their lines.
fn without_pseudonyms(text: &str) -> String {
    let line = |line: &str| match line.rsplit_once(',') {
        Some((before, last)) if last.starts_with("frist:") && !last.starts_with("frist:0123456789abcdef") => {
            format!("{before},PSEUDONYM")
        }
        _ => line.to_owned(),
    };
    text.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}
