//! G3 for rows of other sources: they are read again when a rule's deletion begins, so that one
//! that came since the records were counted keeps its record.

use std::io::{BufRead, Read, Result};

use super::support::{PURGE, Place, WITHOUT_LIMIT, open};

const NOW: &str = "2026-11-20T12:00:00Z";

/// Somebody who lets something happen before they say yes.
struct Answers<'a> {
    meanwhile: Option<&'a dyn Fn()>,
    word: &'static [u8],
}

impl Read for Answers<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.fill_buf()?;
        self.word.read(buffer)
    }
}

impl BufRead for Answers<'_> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        Ok(self.word)
    }

    fn consume(&mut self, amount: usize) {
        self.word = &self.word[amount..];
    }
}

/// Records 1 to 3, all due, and a rule with this line about related rows; the calls of none.
fn place(records_in_csv: bool, calls_in_csv: bool, line: &str) -> Place {
    let place = Place::in_memory();
    let source = |name: &str, csv: bool, file: &str| match csv {
        true => format!("[source.{name}]\ncsv = \"{name}.csv\"\n"),
        false => format!("[source.{name}]\nsqlite = \"{file}\"\n"),
    };
    let data = if records_in_csv { "records" } else { "records.records" };
    let table = if calls_in_csv { "calls" } else { "calls.calls" };
    let line = line.replace("TABLE", table);
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}{}{}[[rule]]\nname = \"a\"\ndata = \"{data}\"\nkeep = \"1 year\"\n{line}\n",
        source("records", records_in_csv, "data.db"),
        source("calls", calls_in_csv, "calls.db"),
    ));
    if records_in_csv {
        std::fs::write(place.path("records.csv"), "id,at\n1,2020-01-01\n2,2020-01-01\n3,2020-01-01\n")
            .unwrap();
    } else {
        place.database(
            "CREATE TABLE records (id INTEGER PRIMARY KEY, at TEXT);
             INSERT INTO records VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01')",
        );
    }
    if calls_in_csv {
        std::fs::write(place.path("calls.csv"), "record,at\n1,2020-01-01\n3,2020-01-01\n").unwrap();
    } else {
        let sql = "CREATE TABLE calls (record, at TEXT); INSERT INTO calls VALUES (1, '2020-01-01'), (3, '2020-01-01')";
        open(&place.path("calls.db")).execute_batch(sql).unwrap();
    }
    place
}

/// Another program writes a call about record 1.
fn call(place: &Place, calls_in_csv: bool) {
    if calls_in_csv {
        let text = std::fs::read_to_string(place.path("calls.csv")).unwrap();
        std::fs::write(place.path("calls.csv"), text + "1,2026-11-20\n").unwrap();
    } else {
        open(&place.path("calls.db")).execute_batch("INSERT INTO calls VALUES (1, '2026-11-20')").unwrap();
    }
}

fn left(place: &Place, records_in_csv: bool) -> Vec<u32> {
    if records_in_csv {
        let text = std::fs::read_to_string(place.path("records.csv")).unwrap();
        return text.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    }
    let connection = place.database("");
    let mut statement = connection.prepare("SELECT id FROM records ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
}

#[test]
fn a_row_of_another_source_that_comes_before_the_deletion_begins_keeps_its_record() {
    let latest = "after = { table = \"TABLE\", column = \"at\", on = \"record = id\" }";
    let unless =
        "after = \"at\"\nunless = [{ table = \"TABLE\", on = \"record = id\", where = \"at > '2021'\" }]";
    for (line, kept) in [(latest, vec![1, 2]), (unless, vec![1])] {
        for (records_in_csv, calls_in_csv) in [(false, false), (false, true), (true, false), (true, true)] {
            let place = place(records_in_csv, calls_in_csv, line);
            let meanwhile = || call(&place, calls_in_csv);
            let mut answers = Answers { meanwhile: Some(&meanwhile), word: b"yes\n" };
            let ran = place.answering(NOW, &["purge", "--format", "json"], &mut answers);
            let due = ran.rule("a")["due"].as_u64();
            assert_eq!(
                due,
                Some(if kept.len() == 2 { 2 } else { 3 }),
                "it was due when it was counted: {ran:?}"
            );
            assert_eq!(left(&place, records_in_csv), kept, "{line} {records_in_csv} {calls_in_csv} {ran:?}");
        }
    }
}

/// What a rule deletes spares nothing any more, where its turn is first; else from the next run on.
#[test]
fn a_record_is_judged_without_the_rows_that_an_earlier_rule_deleted() {
    let unless = "after = \"at\"\nunless = [{ table = \"TABLE\", on = \"record = id\" }]";
    for (records_in_csv, calls_in_csv) in [(false, false), (false, true), (true, false), (true, true)] {
        for (is_first, due) in [(true, 1), (true, 0), (false, 1), (false, 0)] {
            let place = place(records_in_csv, calls_in_csv, unless);
            let data = if calls_in_csv { "calls" } else { "calls.calls" };
            let calls =
                format!("[[rule]]\nname = \"calls\"\ndata = \"{data}\"\nkeep = \"1 year\"\nafter = \"at\"\n");
            let policy = std::fs::read_to_string(place.path("policy.toml")).unwrap();
            let policy = match is_first {
                true => policy.replace("[[rule]]", &format!("{calls}[[rule]]")),
                false => policy + &calls,
            };
            std::fs::write(place.path("policy.toml"), policy).unwrap();
            if due == 0 && calls_in_csv {
                std::fs::write(
                    place.path("calls.csv"),
                    "record,at\n1,2020-01-01\n2,2020-01-01\n3,2020-01-01\n",
                )
                .unwrap();
            } else if due == 0 {
                let sql = "INSERT INTO calls VALUES (2, '2020-01-01')";
                open(&place.path("calls.db")).execute_batch(sql).unwrap();
            }
            let purge = place.at(NOW, &PURGE).expect(0);
            assert_eq!(purge.rule("a")["due"], due);
            let gone = if is_first { 3 } else { due };
            assert_eq!(purge.rule("a")["deleted"], gone, "{records_in_csv} {calls_in_csv} {purge:?}");
            assert_eq!(place.at(NOW, &PURGE).expect(0).rule("a")["deleted"], 3 - gone);
            assert!(left(&place, records_in_csv).is_empty());
        }
    }
}
