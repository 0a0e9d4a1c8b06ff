//! `set-null`: rows that stay let go of what goes, in its transaction.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::json;

use super::support::{
    COMING, OLD, Place, REPORT, Random, SOURCE, WITHOUT_LIMIT, assert_integrity, count, rule,
};

fn place(rules: &str, sql: &str) -> (Place, Connection) {
    let place = Place::in_memory();
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{rules}"));
    let connection = place.database(sql);
    (place, connection)
}

/// A rule on people, with such references emptied.
fn people(set_null: &str) -> String {
    format!("{}set-null = [{set_null}]\n", rule("people", "people"))
}

fn column(connection: &Connection, sql: &str) -> Vec<Option<i64>> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

const PEOPLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT);
    INSERT INTO people VALUES (1, '2001-02-03'), (2, '2290-01-01'), (3, '2001-02-03');";

#[test]
fn whatever_the_key_would_do_rows_that_stay_let_go() {
    for action in
        ["", "ON DELETE RESTRICT", "ON DELETE CASCADE", "ON DELETE SET NULL", "DEFERRABLE INITIALLY DEFERRED"]
    {
        for journal in ["WAL", "DELETE"] {
            let sql = format!(
                "PRAGMA journal_mode = {journal}; {PEOPLE}
                 CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER REFERENCES people (id) {action});
                 CREATE INDEX pages_author ON pages (author);
                 INSERT INTO pages VALUES (1, 1), (2, 2), (3, NULL), (4, 1);"
            );
            let (place, connection) = place(&people("{ table = \"pages\", column = \"author\" }"), &sql);
            let report = place.frist(&REPORT).expect(0).rule("people");
            assert_eq!([&report["due"], &report["blocked"]], [2, 0], "{action}");
            assert_eq!(report["released"], json!([{ "column": "pages.author", "rows": 2 }]), "{action}");
            assert_eq!(place.purge().expect(0).rule("people")["deleted"], 2, "{action}");
            assert_eq!(
                column(&connection, "SELECT author FROM pages"),
                [None, Some(2), None, None],
                "{action}"
            );
            assert_integrity(&connection);
        }
    }
}

#[test]
fn only_rows_that_surely_count_let_go_and_the_others_keep() {
    let sql = format!(
        "{PEOPLE} INSERT INTO people VALUES (4, '{OLD}');
         CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER REFERENCES people (id), kind TEXT);
         CREATE INDEX pages_author ON pages (author);
         INSERT INTO pages VALUES (1, 1, 'note'), (2, 3, 'note'), (3, 3, 'contract'), (4, 4, NULL);"
    );
    let (place, connection) =
        place(&people("{ table = \"pages\", column = \"author\", where = \"kind = 'note'\" }"), &sql);
    let report = place.frist(&REPORT).expect(0).rule("people");
    assert_eq!([&report["due"], &report["blocked"]], [1, 2], "{report}");
    assert_eq!(place.purge().expect(0).rule("people")["deleted"], 1);
    assert_eq!(column(&connection, "SELECT id FROM people"), [Some(2), Some(3), Some(4)]);
    assert_eq!(column(&connection, "SELECT author FROM pages"), [None, Some(3), Some(3), Some(4)]);
}

#[test]
fn a_reference_needs_no_key_where_the_policy_says_what_is_equal() {
    let sql = format!(
        "{PEOPLE} CREATE TABLE pages (id INTEGER PRIMARY KEY, author TEXT COLLATE NOCASE, tenant INTEGER);
         INSERT INTO pages VALUES (1, '1', 7), (2, '2', 7), (3, '03', 7);
         CREATE TABLE teams (id INTEGER, lead INTEGER, boss INTEGER, PRIMARY KEY (id)) WITHOUT ROWID;
         INSERT INTO teams VALUES (1, 3, 2), (2, 2, 1);"
    );
    let rules = people(
        "{ table = \"pages\", column = \"author\", on = \"author = id\" }, \
         { table = \"db.teams\", column = \"lead\", on = \"lead = id\" }, { table = \"teams\", column = \"boss\", on = \"boss = id\" }",
    );
    let (place, connection) = place(&rules, &sql);
    assert_eq!(place.purge().expect(0).rule("people")["deleted"], 2);
    assert_eq!(count(&connection, "pages WHERE author IS NULL"), 2);
    assert_eq!(column(&connection, "SELECT lead FROM teams"), [None, Some(2)]);
    assert_eq!(column(&connection, "SELECT boss FROM teams"), [Some(2), None]);
}

/// Where no key binds them, rows that `where` leaves out keep what they say.
#[test]
fn rows_that_do_not_count_are_left_as_they_are() {
    let sql = format!(
        "{PEOPLE} CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER, kind TEXT);
         INSERT INTO pages VALUES (1, 1, 'note'), (2, 1, 'contract'), (3, 1, NULL), (4, 2, 'note');"
    );
    let emptied =
        "{ table = \"pages\", column = \"author\", on = \"author = id\", where = \"kind = 'note'\" }";
    let (place, connection) = place(&people(emptied), &sql);
    assert_eq!(place.frist(&REPORT).expect(0).rule("people")["released"][0]["rows"], 1);
    assert_eq!(place.purge().expect(0).rule("people")["deleted"], 2);
    assert_eq!(column(&connection, "SELECT author FROM pages"), [None, Some(1), Some(1), Some(2)]);
}

#[test]
fn keys_of_several_columns_let_go_by_one_of_them() {
    let sql =
        "CREATE TABLE people (tenant INTEGER, id INTEGER, at TEXT, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
        CREATE TABLE pages (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, author INTEGER,
                            FOREIGN KEY (tenant, author) REFERENCES people (tenant, id));
        CREATE INDEX pages_author ON pages (tenant, author);
        INSERT INTO people VALUES (1, 1, '2001-02-03'), (2, 1, '2290-01-01');
        INSERT INTO pages VALUES (1, 1, 1), (2, 2, 1);";
    let (place, connection) = place(&people("{ table = \"pages\", column = \"author\" }"), sql);
    assert_eq!(place.frist(&REPORT).expect(0).rule("people")["due"], 1);
    assert_eq!(place.purge().expect(0).rule("people")["deleted"], 1);
    assert_eq!(column(&connection, "SELECT author FROM pages"), [None, Some(1)]);
    assert_eq!(column(&connection, "SELECT tenant FROM pages"), [Some(1), Some(2)]);
}

/// The same as the key says, in whatever order; without a key all the same.
#[test]
fn several_pairs_of_columns_say_which_rows_let_go() {
    for key in [", FOREIGN KEY (tenant, author) REFERENCES people (tenant, id)", ""] {
        let sql = format!(
            "CREATE TABLE people (tenant INTEGER, id INTEGER, at TEXT, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
            CREATE TABLE pages (id INTEGER PRIMARY KEY, tenant INTEGER, author INTEGER{key});
            CREATE INDEX pages_author ON pages (tenant, author);
            INSERT INTO people VALUES (1, 1, '2001-02-03'), (2, 1, '2290-01-01');
            INSERT INTO pages VALUES (1, 1, 1), (2, 2, 1), (3, NULL, 1), (4, 1, NULL);"
        );
        let on = "{ table = \"pages\", column = \"author\", on = [\"author = id\", \"tenant = tenant\"] }";
        let (place, connection) = place(&people(on), &sql);
        let report = place.frist(&REPORT).expect(0).rule("people");
        assert_eq!((&report["due"], &report["released"][0]["rows"]), (&1.into(), &1.into()));
        assert_eq!(place.purge().expect(0).rule("people")["deleted"], 1);
        assert_eq!(column(&connection, "SELECT author FROM pages"), [None, Some(1), Some(1), None]);
    }
}

/// Each row names its predecessor, as recorders of states do: half of a long chain goes.
#[test]
fn chains_within_a_table_are_cut_where_the_rows_begin_that_stay() {
    let sql = format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT, old INTEGER REFERENCES people (id));
         CREATE INDEX people_old ON people (old);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 3000)
         INSERT INTO people SELECT n, iif(n <= 1500, '{OLD}', '{COMING}'), nullif(n - 1, 0) FROM n;"
    );
    let (place, connection) = place(&people("{ table = \"people\", column = \"old\" }"), &sql);
    let report = place.frist(&REPORT).expect(0).rule("people");
    assert_eq!([&report["due"], &report["blocked"]], [1500, 0]);
    assert_eq!(report["released"], json!([{ "column": "people.old", "rows": 1 }]), "those that stay");
    assert_eq!(place.purge().expect(0).rule("people")["deleted"], 1500);
    assert_eq!(count(&connection, "people"), 1500);
    assert_eq!(column(&connection, "SELECT id FROM people WHERE old IS NULL"), [Some(1501)]);
}

#[test]
fn what_cannot_be_emptied_is_told_before_anything_is_written() {
    let pages = |column: &str| {
        format!(
            "{PEOPLE} CREATE TABLE pages (id INTEGER PRIMARY KEY, {column}); INSERT INTO pages (author) VALUES (1);"
        )
    };
    let composite = "{ table = \"pages\", column = \"author\", on = \"author = id\" }";
    let plain = "{ table = \"pages\", column = \"author\" }";
    for (sql, set_null, code) in [
        (pages("author INTEGER NOT NULL REFERENCES people (id)"), plain, "not-null-column"),
        (
            pages("a2 INTEGER, author INTEGER AS (id)").replace("(author) VALUES (1)", "(a2) VALUES (1)"),
            composite,
            "generated-column",
        ),
        (pages("author INTEGER"), "{ table = \"pages\", column = \"id\", on = \"id = id\" }", "key-column"),
        (pages("author INTEGER"), plain, "ambiguous-relation"),
        (pages("author INTEGER REFERENCES people (id) REFERENCES people (id)"), plain, "ambiguous-relation"),
        (
            pages("author INTEGER"),
            "{ table = \"pages\", column = \"writer\", on = \"author = id\" }",
            "missing-column",
        ),
        (
            pages("author INTEGER"),
            "{ table = \"sites\", column = \"author\", on = \"author = id\" }",
            "missing-table",
        ),
        (
            pages("author INTEGER")
                + "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n LIMIT 1001) INSERT INTO pages SELECT n, 2 FROM n;",
            composite,
            "unindexed-relation",
        ),
    ] {
        let (place, connection) = place(&people(set_null), &sql);
        let report = place.frist(&REPORT);
        assert!(report.problems("people").contains(&code.to_string()), "{code}: {report:?}");
        let purge = place.purge().expect(3);
        assert!(purge.problems("people").contains(&code.to_string()), "{code}: {purge:?}");
        assert_eq!(
            [count(&connection, "people"), count(&connection, "pages WHERE id = 1 AND author = 1")],
            [3, 1],
            "{code}"
        );
    }
}

/// A row that a trigger does not let change keeps its record, and no other one.
#[test]
fn a_reference_that_a_trigger_holds_keeps_its_record_alone() {
    let sql = format!(
        "{PEOPLE} CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER REFERENCES people (id), locked INTEGER);
         CREATE INDEX pages_author ON pages (author);
         CREATE TRIGGER held BEFORE UPDATE ON pages WHEN old.locked BEGIN SELECT RAISE(ABORT, 'locked'); END;
         INSERT INTO pages VALUES (1, 1, 0), (2, 3, 1);"
    );
    let (place, connection) = place(&people("{ table = \"pages\", column = \"author\" }"), &sql);
    let purge = place.purge().expect(3);
    assert_eq!(purge.problems("people"), ["constraint"]);
    assert_eq!(column(&connection, "SELECT id FROM people"), [Some(2), Some(3)]);
    assert_eq!(column(&connection, "SELECT author FROM pages"), [None, Some(3)]);
}

/// Random rows, some of which let go; a plain loop says which people go.
#[test]
fn what_goes_is_what_a_plain_loop_says() {
    for seed in 0..u64::from(crate::depth::cases(25)) {
        let mut random = Random(seed);
        let has_condition = random.below(2) == 0;
        let condition = if has_condition { ", where = \"kind = 'a'\"" } else { "" };
        let pages_go = random.below(2) == 0;
        let mut rules = people(&format!("{{ table = \"pages\", column = \"author\"{condition} }}"));
        if pages_go {
            rules += &rule("pages", "pages");
        }
        let sql = "CREATE TABLE people (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER REFERENCES people (id),
                                 editor INTEGER REFERENCES people (id), kind TEXT, at TEXT);
             CREATE INDEX pages_author ON pages (author); CREATE INDEX pages_editor ON pages (editor);";
        let (place, connection) = place(&rules, sql);
        let at = |random: &mut Random| if random.below(2) == 0 { OLD } else { COMING };
        let people: BTreeMap<i64, &str> = (1..=12).map(|id| (id, at(&mut random))).collect();
        for (id, at) in &people {
            connection.execute("INSERT INTO people VALUES (?1, ?2)", (id, at)).unwrap();
        }
        let mut pages = Vec::new();
        for id in 1..=20_i64 {
            let mut who = || Some(random.below(14) as i64).filter(|id| (1..=12).contains(id));
            let (author, editor) = (who(), who().filter(|id| id % 3 == 0));
            let (kind, at) = ([Some("a"), Some("b"), None][random.below(3) as usize], at(&mut random));
            connection
                .execute("INSERT INTO pages VALUES (?1, ?2, ?3, ?4, ?5)", (id, author, editor, kind, at))
                .unwrap();
            pages.push((author, editor, kind, at));
        }
        pages.retain(|(_, _, _, at)| !(pages_go && *at == OLD));
        let lets_go = |kind: &Option<&str>| !has_condition || *kind == Some("a");
        let is_kept = |id: &i64| {
            pages.iter().any(|(author, editor, kind, _)| {
                *editor == Some(*id) || (*author == Some(*id) && !lets_go(kind))
            })
        };
        let gone: Vec<i64> =
            people.iter().filter(|(id, at)| **at == OLD && !is_kept(id)).map(|(id, _)| *id).collect();
        let released =
            pages.iter().filter(|(author, ..)| author.is_some_and(|author| gone.contains(&author))).count();
        let report = place.frist(&REPORT).expect(0).rule("people");
        assert_eq!(report["due"], gone.len(), "seed {seed}");
        let told = report["released"][0]["rows"].as_u64().unwrap_or_default();
        assert_eq!(told, released as u64, "seed {seed}: {report}");
        assert_eq!(place.purge().expect(0).rule("people")["deleted"], gone.len(), "seed {seed}");
        let left: Vec<i64> = column(&connection, "SELECT id FROM people").into_iter().flatten().collect();
        let expected: Vec<i64> = people.keys().copied().filter(|id| !gone.contains(id)).collect();
        assert_eq!(left, expected, "seed {seed}");
        let authors = column(&connection, "SELECT author FROM pages ORDER BY id");
        let expected: Vec<Option<i64>> =
            pages.iter().map(|(author, ..)| author.filter(|author| !gone.contains(author))).collect();
        assert_eq!(authors, expected, "seed {seed}");
        assert_eq!(count(&connection, "pragma_foreign_key_check"), 0);
    }
}
