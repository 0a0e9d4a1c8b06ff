//! G18: what frist deletes changes no other record's clock. Night after night of random policies, each record goes
//! on the day on which a model says so that remembers every row ever deleted.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::thread::sleep;
use std::time::Duration;

use super::support::{PURGE, Place, REPORT, Random, SOURCE, WITHOUT_LIMIT, count, open};

/// 2020-01-01 as a Julian day number.
const EPOCH: i64 = 2_458_850;

/// Where people and the bills that start their clocks are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Where {
    OneDatabase { has_key: bool },
    TwoDatabases,
    BillsInCsv,
    PeopleInCsv,
}

/// What the rule about people asks of their bills.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Asks {
    /// `after` the latest `at`.
    After,
    /// `after` the latest of that and a column of its own.
    AfterBoth,
    /// `keep` as long as the longest of them says.
    Keep,
    /// `only-if` there is one.
    OnlyIf,
}

#[derive(Clone, Copy, Debug)]
struct Policy {
    place: Where,
    asks: Asks,
    /// Whether only bills of one kind count.
    is_about_kind: bool,
    /// Whether what is compared is folded.
    is_folded: bool,
    anonymises: bool,
    people_keep: i64,
    bills_keep: i64,
    /// Whether the rule about bills is only about one kind.
    bills_of_kind: bool,
    people_come_first: bool,
}

#[derive(Clone, Debug)]
struct Person {
    id: i64,
    since: i64,
    is_bare: bool,
}

#[derive(Clone, Debug)]
struct Bill {
    id: i64,
    person: i64,
    made: i64,
    /// None where the clock has not started.
    at: Option<i64>,
    kind: char,
    keep: i64,
    /// Whether frist has deleted it.
    is_gone: bool,
}

/// All rows that there are, and the bills that frist deleted.
#[derive(Default)]
struct Model {
    people: Vec<Person>,
    bills: Vec<Bill>,
    next: i64,
}

fn date(day: i64) -> String {
    let sql = "SELECT date(?1)";
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.query_row(sql, [(EPOCH + day) as f64], |row| row.get(0)).unwrap()
}

impl Policy {
    fn draw(random: &mut Random, place: Where) -> Policy {
        let asks = [Asks::After, Asks::AfterBoth, Asks::Keep, Asks::OnlyIf][random.below(4) as usize];
        Policy {
            place,
            asks,
            is_about_kind: random.below(3) == 0,
            is_folded: random.below(3) == 0,
            anonymises: random.below(3) == 0,
            people_keep: random.below(60) as i64 + 1,
            bills_keep: random.below(60) as i64 + 1,
            bills_of_kind: random.below(4) == 0,
            people_come_first: random.below(2) == 0,
        }
    }

    fn text(&self) -> String {
        let (people_source, bills_source, bills) = match self.place {
            Where::OneDatabase { .. } => ("[source.a]\nsqlite = \"data.db\"\n", "", "bills"),
            Where::TwoDatabases => {
                ("[source.a]\nsqlite = \"data.db\"\n", "[source.b]\nsqlite = \"other.db\"\n", "b.bills")
            }
            Where::BillsInCsv => {
                ("[source.a]\nsqlite = \"data.db\"\n", "[source.b]\ncsv = \"bills.csv\"\n", "b")
            }
            Where::PeopleInCsv => {
                ("[source.a]\ncsv = \"people.csv\"\n", "[source.b]\nsqlite = \"other.db\"\n", "b.bills")
            }
        };
        let on = if self.is_folded { "lower(person) = trim(id)" } else { "person = id" };
        let condition = if self.is_about_kind { ", where = \"kind = 'a'\"" } else { "" };
        let rows = format!("table = \"{bills}\", on = \"{on}\"{condition}");
        let keep = format!("keep = \"{} days\"", self.people_keep);
        let asks = match self.asks {
            Asks::After => format!("{keep}\nafter = {{ {rows}, column = \"at\" }}"),
            Asks::AfterBoth => {
                format!("{keep}\nafter = {{ latest = [\"since\", {{ {rows}, column = \"at\" }}] }}")
            }
            Asks::Keep => format!("keep = {{ {rows}, column = \"keep\" }}\nafter = \"since\""),
            Asks::OnlyIf => format!("{keep}\nafter = \"since\"\nonly-if = [{{ {rows} }}]"),
        };
        let then = if self.anonymises { "then = \"anonymise\"\nset = { name = \"remove\" }\n" } else { "" };
        let data = if self.place == Where::PeopleInCsv { "a" } else { "a.people" };
        let people = format!("[[rule]]\nname = \"people\"\ndata = \"{data}\"\n{asks}\n{then}");
        let data = match self.place {
            Where::OneDatabase { .. } => "a.bills",
            Where::BillsInCsv => "b",
            Where::TwoDatabases | Where::PeopleInCsv => "b.bills",
        };
        let when = if self.bills_of_kind { "when = \"kind = 'a'\"\n" } else { "" };
        let keep = self.bills_keep;
        let bills = format!(
            "[[rule]]\nname = \"bills\"\ndata = \"{data}\"\nkeep = \"{keep} days\"\nafter = \"made\"\n{when}"
        );
        let rules = if self.people_come_first { people + &bills } else { bills + &people };
        format!("{WITHOUT_LIMIT}{people_source}{bills_source}{rules}")
    }

    /// The day from which a person is due, by all bills that there ever were.
    fn due(&self, model: &Model, person: &Person) -> Option<i64> {
        let counts = |bill: &&Bill| bill.person == person.id && (!self.is_about_kind || bill.kind == 'a');
        let bills: Vec<&Bill> = model.bills.iter().filter(counts).collect();
        let latest = || bills.iter().map(|bill| bill.at).collect::<Option<Vec<i64>>>();
        let event = match self.asks {
            Asks::After => latest()?.into_iter().max()?,
            Asks::AfterBoth => latest()?.into_iter().max().unwrap_or(person.since).max(person.since),
            Asks::Keep => return Some(person.since + bills.iter().map(|bill| bill.keep).max()? + 1),
            Asks::OnlyIf => bills.first().map(|_| person.since)?,
        };
        Some(event + self.people_keep + 1)
    }
}

impl Model {
    /// What the application does in a day.
    fn day(&mut self, random: &mut Random, today: i64, has_key: bool) {
        for _ in 0..random.below(3) {
            self.next += 1;
            let since = today - random.below(40) as i64;
            self.people.push(Person { id: self.next, since, is_bare: false });
        }
        for _ in 0..random.below(5) {
            if self.people.is_empty() {
                break;
            }
            let person = self.people[random.below(self.people.len() as u64) as usize].id;
            self.next += 1;
            self.bills.push(Bill {
                id: self.next,
                person,
                made: today - random.below(50) as i64,
                at: (random.below(12) > 0).then(|| today - random.below(80) as i64),
                kind: ['a', 'b'][random.below(2) as usize],
                keep: random.below(60) as i64 + 1,
                is_gone: false,
            });
        }
        // The application deletes a bill itself, and somebody who has none.
        if random.below(4) == 0 && !self.bills.is_empty() {
            let place = random.below(self.bills.len() as u64) as usize;
            if !self.bills[place].is_gone {
                self.bills.remove(place);
            }
        }
        if random.below(6) == 0 && !self.people.is_empty() && !has_key {
            let place = random.below(self.people.len() as u64) as usize;
            self.people.remove(place);
        }
    }

    /// What a purge does; how many people it takes, or makes bare.
    fn night(&mut self, policy: &Policy, today: i64) -> u64 {
        let due: BTreeSet<i64> = self
            .people
            .iter()
            .filter(|person| !(policy.anonymises && person.is_bare))
            .filter(|person| policy.due(self, person).is_some_and(|due| due <= today))
            .map(|person| person.id)
            .collect();
        for bill in self.bills.iter_mut().filter(|bill| !policy.bills_of_kind || bill.kind == 'a') {
            bill.is_gone |= bill.made + policy.bills_keep < today;
        }
        let has_key = policy.place == (Where::OneDatabase { has_key: true }) && !policy.anonymises;
        let is_kept = |id: i64| has_key && self.bills.iter().any(|bill| !bill.is_gone && bill.person == id);
        let goes: BTreeSet<i64> = due.into_iter().filter(|id| !is_kept(*id)).collect();
        if policy.anonymises {
            for person in self.people.iter_mut().filter(|person| goes.contains(&person.id)) {
                person.is_bare = true;
            }
        } else {
            self.people.retain(|person| !goes.contains(&person.id));
        }
        // Of those who are no longer there nothing is remembered.
        let there: BTreeSet<i64> = self.people.iter().map(|person| person.id).collect();
        self.bills.retain(|bill| !bill.is_gone || there.contains(&bill.person));
        goes.len() as u64
    }

    fn write(&self, place: &Place, policy: &Policy) {
        let key = if policy.place == (Where::OneDatabase { has_key: true }) {
            "REFERENCES people (id)"
        } else {
            ""
        };
        let mut sql = format!(
            "PRAGMA foreign_keys = OFF; BEGIN; DROP TABLE IF EXISTS bills; DROP TABLE IF EXISTS people;
             CREATE TABLE people (id INTEGER PRIMARY KEY, since TEXT, name TEXT);
             CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER {key}, made TEXT, at TEXT, kind TEXT, keep TEXT);
             CREATE INDEX bills_person ON bills (person);"
        );
        let (mut people, mut bills) =
            ("id,since,name\n".to_string(), "id,person,made,at,kind,keep\n".to_string());
        for Person { id, since, is_bare } in &self.people {
            let (since, name) = (date(*since), if *is_bare { "" } else { "somebody" });
            let quoted = if *is_bare { "NULL".to_string() } else { format!("'{name}'") };
            writeln!(sql, "INSERT INTO people VALUES ({id}, '{since}', {quoted});").unwrap();
            writeln!(people, "{id},{since},{name}").unwrap();
        }
        for Bill { id, person, made, at, kind, keep, .. } in self.bills.iter().filter(|bill| !bill.is_gone) {
            let (made, at) = (date(*made), at.map(date).unwrap_or_default());
            writeln!(
                sql,
                "INSERT INTO bills VALUES ({id}, {person}, '{made}', '{at}', '{kind}', '{keep} days');"
            )
            .unwrap();
            writeln!(bills, "{id},{person},{made},{at},{kind},{keep} days").unwrap();
        }
        sql.push_str("COMMIT");
        for name in ["data.db", "other.db"] {
            open(&place.path(name)).execute_batch(&sql).unwrap();
        }
        std::fs::write(place.path("people.csv"), people).unwrap();
        std::fs::write(place.path("bills.csv"), bills).unwrap();
    }

    /// Whether what is there is what the model says.
    fn assert_is_there(&self, place: &Place, policy: &Policy, told: &str) {
        let (people, bills) = match policy.place {
            Where::OneDatabase { .. } => (table(place, "data.db", PEOPLE), table(place, "data.db", BILLS)),
            Where::TwoDatabases => (table(place, "data.db", PEOPLE), table(place, "other.db", BILLS)),
            Where::BillsInCsv => (table(place, "data.db", PEOPLE), csv(place, "bills.csv", usize::MAX)),
            Where::PeopleInCsv => (csv(place, "people.csv", 2), table(place, "other.db", BILLS)),
        };
        let expected = self
            .people
            .iter()
            .map(|person| format!("{}{}", person.id, if person.is_bare { "" } else { " somebody" }));
        assert_eq!(people, expected.collect(), "people: {told}");
        let expected = self.bills.iter().filter(|bill| !bill.is_gone).map(|bill| bill.id.to_string());
        assert_eq!(bills, expected.collect(), "bills: {told}");
    }
}

const PEOPLE: &str = "SELECT id || coalesce(' ' || name, '') FROM people";
const BILLS: &str = "SELECT id || '' FROM bills";

fn table(place: &Place, name: &str, sql: &str) -> BTreeSet<String> {
    let connection = open(&place.path(name));
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

fn csv(place: &Place, name: &str, column: usize) -> BTreeSet<String> {
    let text = std::fs::read_to_string(place.path(name)).unwrap();
    let line = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let more = fields.get(column).filter(|more| !more.is_empty());
        more.map_or(fields[0].to_string(), |more| format!("{} {more}", fields[0]))
    };
    text.lines().skip(1).map(line).collect()
}

fn nights(place: Where, seed: u64) {
    let mut random = Random(seed);
    let policy = Policy::draw(&mut random, place);
    let (home, mut model) = (Place::in_memory(), Model::default());
    home.write_policy(&policy.text());
    let has_key = place == (Where::OneDatabase { has_key: true });
    let mut today = 0;
    for night in 0..14 {
        let days = random.below(15) as i64 + 1;
        for _ in 0..days {
            today += 1;
            model.day(&mut random, today, has_key);
        }
        model.write(&home, &policy);
        let now = format!("{}T03:00:00Z", date(today));
        let told = format!("seed {seed}, night {night} of {now}\n{policy:?}\n{}", policy.text());
        let report = home.at(&now, &REPORT).expect(0).rule("people");
        let gone = model.night(&policy, today);
        let purge = home.at(&now, &PURGE).expect(0).rule("people");
        let done = if policy.anonymises { "anonymised" } else { "deleted" };
        assert_eq!(purge[done], gone, "{told}");
        assert_eq!(report["due"], gone, "{told}");
        model.assert_is_there(&home, &policy, &told);
    }
}

fn many_nights(place: Where, first: u64) {
    for seed in 0..crate::depth::cases(12) {
        nights(place, first + u64::from(seed));
    }
}

#[test]
fn clocks_go_on_within_a_database() {
    many_nights(Where::OneDatabase { has_key: false }, 1_000);
}

/// The first rule asks about no evidence, the next one does, and another's rows keep its records.
#[test]
fn a_rule_is_judged_with_its_notes_whatever_the_first_one_asks() {
    nights(Where::OneDatabase { has_key: true }, 2_021);
}

#[test]
fn clocks_go_on_where_a_foreign_key_joins_evidence_and_record() {
    many_nights(Where::OneDatabase { has_key: true }, 2_000);
}

#[test]
fn clocks_go_on_where_the_evidence_is_in_another_database() {
    many_nights(Where::TwoDatabases, 3_000);
}

#[test]
fn clocks_go_on_where_the_evidence_is_a_line_of_a_csv_file() {
    many_nights(Where::BillsInCsv, 4_000);
}

#[test]
fn clocks_go_on_where_the_records_are_lines_of_a_csv_file() {
    many_nights(Where::PeopleInCsv, 5_000);
}

/// People due in ten years' time by bills that go now. Killed at any moment, no bill is gone that was not noted.
#[test]
fn killed_at_any_moment_no_note_is_missing() {
    let place = Place::in_memory();
    let policy = "[[rule]]\nname = \"bills\"\ndata = \"db.bills\"\nkeep = \"1 year\"\nafter = \"at\"\n\
                  [[rule]]\nname = \"people\"\ndata = \"db.people\"\nkeep = \"100 years\"\n\
                  after = { table = \"bills\", column = \"at\", on = \"person = id\" }\n";
    place.write_policy(&format!("{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n{policy}"));
    let mut random = Random(7);
    for round in 0..crate::depth::cases(3) {
        let journal = ["WAL", "DELETE"][round as usize % 2];
        place.database(&format!(
            "PRAGMA journal_mode = {journal};
             DROP TABLE IF EXISTS bills; DROP TABLE IF EXISTS people;
             CREATE TABLE people (id INTEGER PRIMARY KEY);
             CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, at TEXT, note TEXT);
             CREATE INDEX bills_person ON bills (person); CREATE INDEX bills_note ON bills (note);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 4000) INSERT INTO people SELECT n FROM n;
             INSERT INTO bills SELECT id, id, '2001-02-03', hex(randomblob(20)) FROM people;"
        ));
        std::fs::remove_dir_all(place.state()).unwrap_or_default();
        let mut kills = 0;
        while kills < 6 {
            let mut child = place.start(&PURGE);
            sleep(Duration::from_millis(random.below(120)));
            if child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            let report = place.frist(&REPORT);
            if report.code == 3 && report.out.contains("\"unrecovered-") {
                // The next purge recovers the database, and what is noted is seen then.
                continue;
            }
            let report = report.expect(0).rule("people");
            let states = ["running", "unrelated"].map(|state| report[state].as_u64().unwrap());
            assert_eq!(states, [4000, 0], "after kill {kills} of round {round}");
        }
        place.purge().expect(0);
        assert_eq!(count(&place.database(""), "bills"), 0);
        let report = place.frist(&REPORT).expect(0).rule("people");
        assert_eq!(
            [&report["running"], &report["unrelated"]].map(|state| state.as_u64()),
            [Some(4000), Some(0)]
        );
    }
}

/// A place with people whose clock bills start, and with these tables, rows, and rules on bills.
fn evidence(tables: &str, on: &str, bills: &str) -> Place {
    let place = Place::in_memory();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}[source.db]\nsqlite = \"data.db\"\n[[rule]]\nname = \"people\"\ndata = \"db.people\"\n\
         keep = \"100 years\"\nafter = {{ table = \"bills\", column = \"at\"{on} }}\n{bills}"
    ));
    place.database(tables);
    place
}

const BILLS_RULE: &str =
    "[[rule]]\nname = \"bills\"\ndata = \"db.bills\"\nkeep = \"1 year\"\nafter = \"at\"\n";

/// How many people are in period, and how many have no clock.
fn states(place: &Place) -> [u64; 2] {
    let report = place.frist(&REPORT).expect(0).rule("people");
    ["running", "unrelated"].map(|state| report[state].as_u64().unwrap())
}

#[test]
fn a_note_finds_its_record_by_whatever_the_engine_finds_equal() {
    let old = "'2001-02-03'";
    for (people, bills, rows, on) in [
        ("id INTEGER PRIMARY KEY", "person INTEGER", "(1), (2)|(1, A), (2, A)", "person = id"),
        ("id INTEGER PRIMARY KEY", "person TEXT", "(1), (2)|('1', A), ('02', A)", "person = id"),
        ("id INTEGER PRIMARY KEY", "person", "(1), (2)|('1', A), (2.0, A)", "person = id"),
        ("id TEXT PRIMARY KEY", "person INTEGER", "('1'), ('2')|(1, A), (2, A)", "person = id"),
        (
            "id TEXT COLLATE NOCASE",
            "person TEXT COLLATE NOCASE",
            "('a'), ('B')|('A', A), ('b', A)",
            "person = id",
        ),
        ("id TEXT", "person TEXT COLLATE RTRIM", "('a'), ('b  ')|('a ', A), ('b', A)", "person = id"),
        ("id BLOB PRIMARY KEY", "person BLOB", "(x'00ff'), (x'')|(x'00ff', A), (x'', A)", "person = id"),
        ("id REAL", "person INTEGER", "(1.5), (2)|(1.5, A), (2, A)", "person = id"),
        ("id TEXT", "person TEXT", "('a'), (' B ')|('A', A), ('b', A)", "lower(person) = lower(trim(id))"),
        ("id TEXT PRIMARY KEY", "person TEXT", "('æ'), ('')|('æ', A), ('', A)", "person = id"),
    ] {
        let (people_rows, bills_rows) = rows.split_once('|').unwrap();
        let tables = format!(
            "CREATE TABLE people ({people}); CREATE TABLE bills ({bills}, at TEXT);
             INSERT INTO people VALUES {people_rows}; INSERT INTO bills VALUES {};",
            bills_rows.replace('A', old).replace(&format!("'{old}'"), "'A'")
        );
        let place = evidence(&tables, &format!(", on = \"{on}\""), BILLS_RULE);
        assert_eq!(states(&place), [2, 0], "{people}, {bills}: before");
        let purge = place.purge().expect(0).rule("bills");
        assert_eq!(purge["deleted"], 2, "{people}, {bills}");
        assert_eq!(states(&place), [2, 0], "{people}, {bills}");
    }
}

#[test]
fn keys_of_several_columns_and_rows_that_nobody_has_are_no_trouble() {
    let tables = "CREATE TABLE people (a INTEGER, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
        CREATE TABLE bills (x INTEGER, y TEXT, at TEXT, FOREIGN KEY (x, y) REFERENCES people (a, b) ON DELETE CASCADE);
        CREATE INDEX bills_xy ON bills (x, y);
        INSERT INTO people VALUES (1, 'a'), (1, 'b'), (2, 'a');
        INSERT INTO bills VALUES (1, 'a', '2001-02-03'), (2, 'a', '2001-02-03'), (NULL, 'a', '2001-02-03'),
                                 (7, 'z', '2001-02-03');";
    let place = evidence(&format!("PRAGMA foreign_keys = OFF; {tables}"), "", BILLS_RULE);
    assert_eq!(states(&place), [2, 1]);
    place.purge().expect(0);
    assert_eq!(states(&place), [2, 1]);
    let notes = open(&place.state().join("notes.db"));
    assert_eq!(count(&notes, "note"), 2, "nothing is noted of whom there is not");
}

/// Bills go along with accounts, a trigger deletes others, and a cascade still others.
#[test]
fn evidence_is_noted_by_whatever_way_it_goes() {
    let tables = |more: &str| {
        format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY);
             CREATE TABLE accounts (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, account INTEGER{more}, at TEXT);
             CREATE INDEX bills_person ON bills (person); CREATE INDEX bills_account ON bills (account);
             INSERT INTO people VALUES (1), (2); INSERT INTO accounts VALUES (1, '2001-02-03'), (2, '2001-02-03');
             INSERT INTO bills (id, person, account, at) VALUES (1, 1, 1, '2001-02-03'), (2, 2, 2, '2001-02-03');"
        )
    };
    let accounts =
        "[[rule]]\nname = \"accounts\"\ndata = \"db.accounts\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let along = format!("{accounts}with = [{{ table = \"bills\", on = \"account = id\" }}]\n");
    let trigger =
        "CREATE TRIGGER t AFTER DELETE ON accounts BEGIN DELETE FROM bills WHERE account = old.id; END;";
    for (tables, rules) in [
        (tables(""), along.clone()),
        (tables(" REFERENCES accounts (id)"), format!("{along}{BILLS_RULE}")),
        (tables("") + trigger, accounts.to_string()),
        (tables(" REFERENCES accounts (id) ON DELETE CASCADE"), format!("{accounts}{BILLS_RULE}")),
        (tables("") + "CREATE TRIGGER t BEFORE DELETE ON bills BEGIN SELECT 1; END;", BILLS_RULE.to_string()),
    ] {
        let place = evidence(&tables, ", on = \"person = id\"", &rules);
        let before = place.frist(&REPORT).expect(0).rule("people")["next_due"].clone();
        place.purge().expect(0);
        assert_eq!(count(&place.database(""), "bills"), 0, "{rules}");
        let after = place.frist(&REPORT).expect(0).rule("people")["next_due"].clone();
        assert!(before == "2101-02-04" && after == before, "{after} after {rules}");
    }
}

#[test]
fn evidence_that_cannot_be_noted_is_not_deleted() {
    let view = "CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE paid (person INTEGER, at TEXT);
        CREATE INDEX paid_person ON paid (person); CREATE VIEW bills AS SELECT * FROM paid;
        INSERT INTO people VALUES (1); INSERT INTO paid VALUES (1, '2001-02-03')";
    let place = evidence(view, ", on = \"person = id\"", &BILLS_RULE.replace("db.bills", "db.paid"));
    for ran in [place.frist(&REPORT), place.purge()] {
        assert_eq!(ran.problems("bills"), ["evidence-through-view"]);
    }
    assert_eq!(count(&place.database(""), "paid"), 1);
    // From many people those of a bill are not found without an index.
    let many = "CREATE TABLE people (id INTEGER); CREATE TABLE bills (person TEXT, at TEXT);
        CREATE INDEX bills_person ON bills (person);
        WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 1001) INSERT INTO people SELECT n FROM n;
        INSERT INTO bills VALUES (1, '2001-02-03')";
    let place = evidence(many, ", on = \"person = id\"", BILLS_RULE);
    let purge = place.purge();
    assert!(
        purge.out.contains("unindexed-relation") && purge.out.contains("CREATE INDEX \\\"people_id\\\""),
        "{purge:?}"
    );
    assert_eq!(count(&place.database(""), "bills"), 1);
    place.database("CREATE INDEX people_id ON people (id)");
    place.purge().expect(0);
    assert_eq!(count(&place.database(""), "bills"), 0);
}

#[test]
fn lost_notes_stop_the_rules_that_need_them_and_no_others() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY);
        CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, at TEXT);
        CREATE TABLE logs (at TEXT);
        INSERT INTO people VALUES (1), (2); INSERT INTO logs VALUES ('2001-02-03');
        INSERT INTO bills VALUES (1, 1, '2001-02-03'), (2, 2, '2090-02-03');";
    let logs = "[[rule]]\nname = \"logs\"\ndata = \"db.logs\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let place = evidence(tables, ", on = \"person = id\"", &format!("{BILLS_RULE}{logs}"));
    place.purge().expect(0);
    place.database("INSERT INTO logs VALUES ('2001-02-03'); INSERT INTO bills VALUES (3, 2, '2001-02-03')");
    std::fs::rename(place.state().join("notes.db"), place.state().join("away")).unwrap();
    let report = place.frist(&REPORT).expect(3);
    assert_eq!(report.problems("people"), ["lost-notes"]);
    assert_eq!(report.problems("bills"), Vec::<String>::new());
    let purge = place.purge().expect(3);
    assert_eq!([purge.problems("people"), purge.problems("bills")], [["lost-notes"], ["lost-notes"]]);
    assert_eq!(purge.rule("logs")["deleted"], 1);
    assert_eq!(count(&place.database(""), "bills"), 2, "what cannot be noted does not go");
    std::fs::rename(place.state().join("away"), place.state().join("notes.db")).unwrap();
    place.purge().expect(0);
    assert_eq!(states(&place), [2, 0]);
}

#[test]
fn who_has_no_clock_is_counted_in_every_last_line() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, since TEXT);
        CREATE TABLE bills (person INTEGER, at TEXT);
        INSERT INTO people VALUES (1, 'a', '2020-01-01'), (2, 'a', '2020-01-01'), (3, 'b', '2020-01-01');
        INSERT INTO bills VALUES (1, '2090-02-03');";
    let other = "[[rule]]\nname = \"b\"\ndata = \"db.people\"\nkeep = \"100 years\"\nafter = \"since\"\nwhen = \"kind = 'b'\"\n";
    let place = evidence(tables, ", on = \"person = id\"", other);
    for command in [vec!["report"], vec!["purge", "--yes"]] {
        let ran = place.frist(&command).expect(0);
        assert!(ran.out.ends_with("; 1 record has no clock, for no row starts it.\n"), "{ran:?}");
    }
    place.database("INSERT INTO bills VALUES (2, '2090-02-03')");
    assert!(!place.frist(&["report"]).out.contains("no clock"));
}

/// The states of people before a purge of all bills, and after it.
fn before_and_after(place: &Place, code: i32) -> [[u64; 2]; 2] {
    let before = states(place);
    place.purge().expect(code);
    [before, states(place)]
}

/// What the engine takes for equal it finds by the kinds of both columns; a note must, too.
#[test]
fn keys_of_different_kinds_are_found_as_the_engine_finds_them() {
    let kinds =
        ["INTEGER", "TEXT", "NUMERIC", "REAL", "BLOB", "", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM"];
    let values = ["7", "'007'", "'7'", "7.0", "'1.0'", "1", "' 7'", "'7 '", "'a'", "'A'", "x'37'"];
    let insert = |table: &str, rest: &str| -> String {
        values.iter().map(|value| format!("INSERT INTO {table} VALUES ({value}{rest});")).collect()
    };
    for ours in kinds {
        for theirs in kinds {
            for on in ["person = id", "person = trim(id)", "lower(person) = id"] {
                let tables = format!(
                    "CREATE TABLE people (id {ours}); CREATE TABLE bills (person {theirs}, at TEXT); {} {}",
                    insert("people", ""),
                    insert("bills", ", '2001-02-03'")
                );
                let place = evidence(&tables, &format!(", on = \"{on}\""), BILLS_RULE);
                let [before, after] = before_and_after(&place, 0);
                assert_eq!(before, after, "people.id {ours}, bills.person {theirs}, {on}");
                assert_eq!(count(&place.database(""), "bills"), 0);
            }
        }
    }
}

#[test]
fn rows_that_are_emptied_or_changed_meanwhile_count_as_they_were() {
    let tables = |bills: &str| {
        format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE shops (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, shop INTEGER {bills}, at TEXT);
             CREATE INDEX bills_person ON bills (person); CREATE INDEX bills_shop ON bills (shop);
             INSERT INTO people VALUES (1), (2); INSERT INTO shops VALUES (1, '2001-02-03');
             INSERT INTO bills VALUES (1, 1, 1, '2001-02-03'), (2, 2, NULL, '2290-01-01');"
        )
    };
    let shops = "[[rule]]\nname = \"shops\"\ndata = \"db.shops\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let by_shop = ", on = \"person = id\", where = \"shop = 1 or shop is null and person = 2\"";
    for (tables, on) in [
        (tables("REFERENCES shops (id) ON DELETE SET NULL"), by_shop),
        (
            tables("")
                + "CREATE TRIGGER t AFTER DELETE ON shops BEGIN UPDATE bills SET person = NULL WHERE shop = old.id; END;",
            ", on = \"person = id\"",
        ),
        (
            tables("")
                + "CREATE TRIGGER t AFTER DELETE ON shops BEGIN UPDATE bills SET at = '' WHERE shop = old.id; END;",
            ", on = \"person = id\"",
        ),
    ] {
        let place = evidence(&tables, on, shops);
        let due = |place: &Place| place.frist(&REPORT).expect(0).rule("people")["next_due"].clone();
        let before = due(&place);
        place.purge().expect(0);
        assert_eq!(count(&place.database(""), "shops"), 0);
        let states = states(&place);
        // An emptied time keeps the person waiting; what was said before stays said.
        assert!(
            states[1] == 0 && (due(&place) == before || due(&place).as_str() > before.as_str()),
            "{tables} {states:?}"
        );
    }
}

/// Of three rows one is refused, and so says what it says itself.
#[test]
fn a_row_that_is_refused_is_not_noted() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY);
        CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, made TEXT, at TEXT);
        CREATE INDEX bills_person ON bills (person);
        CREATE TRIGGER held AFTER DELETE ON bills WHEN old.id = 2 BEGIN SELECT RAISE(ABORT, 'held'); END;
        INSERT INTO people VALUES (1), (2), (3);
        INSERT INTO bills VALUES (1, 1, '2001-02-03', '2001-02-03'), (2, 2, '2001-02-03', ''), (3, 3, '2001-02-03', '2001-02-03');";
    let place =
        evidence(tables, ", on = \"person = id\"", &BILLS_RULE.replace("after = \"at\"", "after = \"made\""));
    place.purge().expect(3);
    assert_eq!(count(&place.database(""), "bills"), 1);
    place.database("UPDATE bills SET at = '2001-02-03'");
    assert_eq!(states(&place), [3, 0], "nobody waits");
    let notes = open(&place.state().join("notes.db"));
    assert_eq!(count(&notes, "note"), 2);
}

/// A row that another one refers to stays, and says what it says itself.
#[test]
fn a_row_that_is_blocked_is_not_noted() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY);
        CREATE TABLE bills (id INTEGER PRIMARY KEY, person INTEGER, made TEXT, at TEXT);
        CREATE INDEX bills_person ON bills (person);
        CREATE TABLE payments (bill INTEGER REFERENCES bills (id)); CREATE INDEX payments_bill ON payments (bill);
        INSERT INTO people VALUES (1), (2);
        INSERT INTO bills VALUES (1, 1, '2001-02-03', '2001-02-03'), (2, 2, '2001-02-03', '');
        INSERT INTO payments VALUES (2);";
    let place =
        evidence(tables, ", on = \"person = id\"", &BILLS_RULE.replace("after = \"at\"", "after = \"made\""));
    place.purge().expect(0);
    assert_eq!(count(&place.database(""), "bills"), 1);
    place.database("UPDATE bills SET at = '2001-02-03'");
    assert_eq!(states(&place), [2, 0], "nobody waits");
}

#[test]
fn a_relation_that_is_wrong_stops_no_rule_that_has_nothing_to_do_with_it() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY); CREATE TABLE bills (person INTEGER, at TEXT);
        CREATE TABLE logs (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO logs VALUES (1, '2001-02-03');
        INSERT INTO bills VALUES (1, '2001-02-03');";
    let logs = "[[rule]]\nname = \"logs\"\ndata = \"db.logs\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    for on in [", on = \"nobody = id\"", "", ", on = \"person = nobody\""] {
        let place = evidence(tables, on, logs);
        let purge = place.purge().expect(3);
        assert_eq!(purge.rule("logs")["deleted"], 1, "{on}: {purge:?}");
    }
    // What a deletion would take along of rows that nobody can tell of keeps its record.
    let along = tables.to_string() + "CREATE TRIGGER t AFTER DELETE ON logs BEGIN DELETE FROM bills; END;";
    let place = evidence(&along, "", logs);
    let purge = place.purge().expect(3);
    assert_eq!(
        [purge.rule("logs")["deleted"].clone(), 1.into()],
        [0, count(&place.database(""), "bills")],
        "{purge:?}"
    );
}

/// Two rules read one column in different units.
#[test]
fn periods_in_two_units_are_two_notes() {
    let place = Place::in_memory();
    let rule = |name: &str, kind: &str, unit: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\ndata = \"db.people\"\nwhen = \"kind = '{kind}'\"\nafter = \"since\"\n\
             keep = {{ table = \"bills\", column = \"keep\", unit = \"{unit}\", on = \"person = id\" }}\n"
        )
    };
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}{SOURCE}{}{}{BILLS_RULE}",
        rule("days", "d", "days"),
        rule("years", "y", "years")
    ));
    place.database(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, kind TEXT, since TEXT);
         CREATE TABLE bills (person INTEGER, keep INTEGER, at TEXT); CREATE INDEX bills_person ON bills (person);
         INSERT INTO people VALUES (1, 'd', '2001-02-03'), (2, 'y', '2001-02-03');
         INSERT INTO bills VALUES (1, 150, '2001-02-03'), (2, 150, '2001-02-03');",
    );
    place.purge().expect(0);
    assert_eq!(count(&place.database(""), "bills"), 0);
    assert_eq!(count(&place.database(""), "people WHERE kind = 'y'"), 1, "150 years are not over");
    place.purge().expect(0);
    assert_eq!(count(&place.database(""), "people WHERE kind = 'y'"), 1);
}

/// A key that is no UTF-8 may be anybody's: while such a row is there nobody is judged, nor once it is gone.
#[test]
fn doubt_about_a_key_outlives_its_row() {
    let place = Place::in_memory();
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}{SOURCE}[source.crm]\nsqlite = \"crm.db\"\n[[rule]]\nname = \"people\"\ndata = \"db.people\"\n\
         keep = \"1 year\"\nafter = {{ latest = [\"since\", {{ table = \"crm.bills\", column = \"at\", on = \"person = name\" }}] }}\n\
         [[rule]]\nname = \"bills\"\ndata = \"crm.bills\"\nkeep = \"1 year\"\nafter = \"made\"\n"
    ));
    place.database(
        "CREATE TABLE people (name TEXT, since TEXT); INSERT INTO people VALUES ('Søren', '2001-02-03'), ('Bo', '2290-01-01')",
    );
    open(&place.path("crm.db"))
        .execute_batch(
            "CREATE TABLE bills (person TEXT, made TEXT, at TEXT);
             INSERT INTO bills VALUES (CAST(x'53f872656e' AS TEXT), '2001-02-03', '2290-01-01')",
        )
        .unwrap();
    for night in 0..2 {
        let report = place.frist(&REPORT).expect(3).rule("people");
        assert_eq!([&report["unreadable"], &report["due"]], [1, 0], "night {night}");
        place.purge().expect(3);
        assert_eq!(count(&place.database(""), "people"), 2, "night {night}");
    }
    assert_eq!(count(&open(&place.path("crm.db")), "bills"), 0);
}

/// A killed run leaves notes as they came; one in which nothing is due puts them in order, and removes what is nobody's.
#[test]
fn what_a_killed_run_noted_goes_with_its_records_too() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY); INSERT INTO people VALUES (1), (2);
        CREATE TABLE bills (person INTEGER, at TEXT); CREATE INDEX bills_person ON bills (person);
        INSERT INTO bills VALUES (1, '2001-02-03'), (2, '2001-02-03');";
    let place = evidence(tables, ", on = \"person = id\"", BILLS_RULE);
    place.purge().expect(0);
    let notes = || open(&place.state().join("notes.db"));
    notes().execute_batch("INSERT INTO fresh SELECT * FROM note; DELETE FROM note").unwrap();
    assert_eq!(states(&place), [2, 0]);
    place.database("DELETE FROM people WHERE id = 2");
    place.purge().expect(0);
    assert_eq!([count(&notes(), "note"), count(&notes(), "fresh")], [1, 0]);
}

#[test]
fn notes_that_have_lost_their_relation_are_told() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY); INSERT INTO people VALUES (1);
        CREATE TABLE bills (person INTEGER, at TEXT); CREATE INDEX bills_person ON bills (person);
        INSERT INTO bills VALUES (1, '2001-02-03');";
    let place = evidence(tables, ", on = \"person = id\"", BILLS_RULE);
    place.purge().expect(0);
    assert!(!place.frist(&["report"]).err.contains("count no more"));
    let text = std::fs::read_to_string(place.policy()).unwrap();
    std::fs::write(place.policy(), text.replace("person = id", "trim(person) = id")).unwrap();
    let report = place.frist(&["report"]).expect(0);
    assert!(report.err.contains("of deleted rows 1 notes count no more"), "{report:?}");
    std::fs::write(
        place.policy(),
        text.replace("100 years", "99 years").replace("\"people\"", "\"persons\""),
    )
    .unwrap();
    assert!(!place.frist(&["report"]).err.contains("count no more"));
}
