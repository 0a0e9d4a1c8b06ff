//! A bookkeeping program's export: Latin-1, semicolons that the first line announces, Danish names, days first and
//! decimal commas.

use crate::support::{Counts, Program};

const POLICY: &str = r#"
[source.bilag]
csv      = "eksport/posteringer-*.csv"
encoding = "windows-1252"
formats  = { "Bogføringsdato" = "%d-%m-%Y" }
empty    = ["-"]
ignore   = [{ file = "kontoplan.csv", why = "no personal data" }]

[activity.bookkeeping]
purpose = "Bookkeeping"
law     = "dk:bogfoeringsloven-12"

[[rule]]
name     = "entries"
data     = "bilag"
activity = "bookkeeping"
keep     = "5 years"
after    = { column = "Bogføringsdato", counted-from = "end-of-financial-year" }
when     = "\"Beløb\" <> '0,00' and \"Afdeling\" <> 'Gæld'"

[[rule]]
name  = "debts"
data  = "bilag"
keep  = "10 years"
after = { column = "Bogføringsdato", counted-from = "end-of-financial-year" }
when  = "\"Afdeling\" = 'Gæld'"
"#;

const HEADER: &str = "Bilagsnr;Bogføringsdato;Tekst;Beløb;Afdeling";

/// A line, and under which rule it goes, if it does: five years from the end of 2020 ended with 2025, ten from the end of
/// 2015 as well.
const LINES: [(&str, Option<&str>); 14] = [
    ("1001;31-12-2020;Køb af æbler;-1.250,50;Drift", Some("entries")),
    ("1002;01-01-2021;Køb af øl;-12,00;Drift", None),
    ("1003;31-12-2020;Gave;0,00;Drift", None),
    ("1004;29-02-2020;\"Smør; brød og \"\"ost\"\"\";99,95;Løn", Some("entries")),
    ("1005;31-12-2015;Lån;5.000,00;Gæld", Some("debts")),
    ("1006;31-12-2020;Lån;5.000,00;Gæld", None),
    ("1007;-;Kladde;1,00;Drift", None),
    ("1008;;Kladde;1,00;Drift", None),
    ("1009;12-31-2020;Amerikansk dato;1,00;Drift", None),
    ("1010;31-11-2019;Ingen sådan dag;1,00;Drift", None),
    ("1011;01-01-2090;Forud;1,00;Drift", None),
    ("1012;15-06-2019;\"To\r\nlinjer\";7,00;Drift", Some("entries")),
    ("1013;15-06-2019;€ og – er ikke Latin-1;7,00;Drift", Some("entries")),
    ("1014;15-06-2019;for få felter", None),
];

fn latin(text: &str) -> Vec<u8> {
    encoding_rs::WINDOWS_1252.encode(text).0.into_owned()
}

fn file(start: &str, lines: impl Iterator<Item = &'static str>) -> Vec<u8> {
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    latin(&format!("{start}{HEADER}\r\n{lines}"))
}

#[test]
fn entries_go_after_five_financial_years_and_what_stays_keeps_its_bytes() {
    let program = Program::new(&format!("financial-year-ends = \"12-31\"\n{POLICY}"));
    // The one is as the program writes it, the other was opened in a spreadsheet and names its delimiter.
    let half =
        |is_first: bool| LINES.iter().enumerate().filter(move |(place, _)| (place % 2 == 0) == is_first);
    let all = |is_first| file("sep=;\r\n", half(is_first).map(|(_, (line, _))| *line));
    let left = |is_first| {
        file("sep=;\r\n", half(is_first).filter(|(_, (_, rule))| rule.is_none()).map(|(_, (line, _))| *line))
    };
    program.write("eksport/posteringer-a.csv", all(true));
    program.write("eksport/posteringer-b.csv", all(false));
    program.write("eksport/kontoplan.csv", latin("Konto;Navn\r\n1000;Omsætning\r\n"));
    let count = |rule| LINES.iter().filter(|(_, goes)| *goes == Some(rule)).count() as u64;
    // An American date, a day that there is not, and a line that is none; the last is nobody's and everybody's.
    let entries = Counts { due: count("entries"), unreadable: 3, ..Counts::default() };
    let debts = Counts { due: count("debts"), unreadable: 1, ..Counts::default() };
    program.hold_to(&["unreadable", "unreadable"], &[("entries", entries), ("debts", debts)]);
    for (name, is_first) in [("a", true), ("b", false)] {
        let path = program.path(&format!("eksport/posteringer-{name}.csv"));
        assert_eq!(std::fs::read(path).unwrap(), left(is_first), "{name}");
    }
}

/// Without `sep=;` the policy says the delimiter; with another, the file contradicts it.
#[test]
fn a_delimiter_is_said_once_or_twice_alike() {
    let plain = POLICY.replacen("encoding ", "delimiter = \";\"\nencoding ", 1);
    let (entry, kept) = (LINES[0].0, LINES[1].0);
    for start in ["", "sep=;\r\n"] {
        let program = Program::new(&format!("financial-year-ends = \"12-31\"\n{plain}"));
        program.write("eksport/posteringer-a.csv", file(start, [entry, kept].into_iter()));
        program.write("eksport/kontoplan.csv", "x");
        // No debts are in it.
        let due = |due| Counts { due, ..Counts::default() };
        program.hold_to(&["matches-nothing"], &[("entries", due(1)), ("debts", due(0))]);
        let path = program.path("eksport/posteringer-a.csv");
        assert_eq!(std::fs::read(path).unwrap(), file(start, [kept].into_iter()));
    }
    let program = Program::new(&format!("financial-year-ends = \"12-31\"\n{plain}"));
    program.write("eksport/posteringer-a.csv", file("sep=,\r\n", [entry].into_iter()));
    let before = std::fs::read(program.path("eksport/posteringer-a.csv")).unwrap();
    program.frist(&["purge", "--yes"]).expect(3);
    assert_eq!(std::fs::read(program.path("eksport/posteringer-a.csv")).unwrap(), before);
}
