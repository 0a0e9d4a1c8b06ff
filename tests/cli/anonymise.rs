//! Reports and purges of rules that anonymise: what they say, and what they refuse.

use serde_json::json;

use super::support::{Place, Ran, policy};

const TABLE: &str =
    "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mail TEXT UNIQUE, phone TEXT,
                         born TEXT, ip TEXT, ended_at TEXT);
                     INSERT INTO people VALUES
                         (1, 'Ida', 'ida@x.dk', '12345678', '1978-11-23', '10.1.2.3', '2020-05-01'),
                         (2, 'Bo', 'bo@x.dk', NULL, NULL, NULL, '2290-01-01'),
                         (3, '', NULL, NULL, '1950-01-01', NULL, '2020-05-01'),
                         (4, 'Per', 'per@x.dk', NULL, '23-11-1978', NULL, '2020-05-01');";

fn rule(name: &str, keep: &str, set: &str) -> String {
    format!(
        "\n[[rule]]\nname = \"{name}\"\ndata = \"app.people\"\nkeep = \"{keep}\"\nafter = \"ended_at\"\n\
         then = \"anonymise\"\nset = {{ {set} }}\n"
    )
}

const SET: &str = r#"name = "remove", mail = "remove", born = "year", ip = "truncate""#;

fn shop(rules: &str) -> Place {
    let place = Place::new();
    place.write("policy.toml", policy("shop", rules));
    place.sql(TABLE);
    place
}

fn purge(place: &Place) -> Ran {
    place.frist(&["purge", "--yes", "policy.toml"])
}

fn people(place: &Place) -> Vec<String> {
    let connection = place.sql("");
    let sql = "SELECT concat_ws('|', id, name, mail, phone, born, ip) FROM people ORDER BY id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn what_is_due_is_anonymised_once() {
    let place = shop(&rule("people", "1 year", SET));
    let report = place.frist(&["report", "--format", "json", "policy.toml"]).code(3).json();
    let told = &report["rules"][0];
    assert_eq!(told["then"], "anonymise");
    let states = ["matched", "due", "done", "unreadable", "running"].map(|state| told[state].clone());
    assert_eq!(states, [4, 1, 1, 1, 1].map(|number| json!(number)));
    let says = "4 (born: not a date)";
    purge(&place)
        .code(3)
        .says("1 record anonymised. Ended with 3: 1 record of app.people cannot be read.")
        .says(says)
        .does_not_say("deleted");
    // `concat_ws` passes over null; a name may not be null, and so it is empty.
    let expected =
        ["1||12345678|1978-01-01|10.1.2.0", "2|Bo|bo@x.dk", "3||1950-01-01", "4|Per|per@x.dk|23-11-1978"];
    assert_eq!(people(&place), expected);
    let again = place.frist(&["purge", "--yes", "--format", "json", "policy.toml"]).code(3).json();
    assert_eq!([&again["rules"][0]["anonymised"], &again["rules"][0]["done"]], [0, 2]);
    place
        .frist(&["ledger", "show", "--all", "policy.toml"])
        .code(0)
        .says("then=anonymise")
        .says("anonymised=1");
}

/// Nobody should look for a bad date of birth under `after`.
#[test]
fn what_cannot_be_read_is_told_at_the_key_that_asks_for_it() {
    let plain =
        "\n[[rule]]\nname = \"people\"\ndata = \"app.people\"\nkeep = \"1 year\"\nafter = \"ended_at\"\n";
    let when = format!("{plain}when = \"born > 3\"\n");
    let keep = plain.replace("\"1 year\"", "{ column = \"phone\", unit = \"years\" }");
    let after = plain.replace("\"ended_at\"", "\"born\"");
    let cases = [
        (rule("people", "1 year", SET), "born = \"year\"", ""),
        (when, "\"born > 3\"", ""),
        (keep, "{ column = \"phone\"", "UPDATE people SET phone = 'x'"),
        (after, "after = \"born\"", ""),
    ];
    for (rule, key, sql) in cases {
        let place = shop(&rule);
        place.sql(sql);
        let report = place.frist(&["report", "--format", "json", "policy.toml"]).code(3).json();
        let problem = &report["rules"][0]["problems"][0];
        assert_eq!(problem["code"], "unreadable", "{report}");
        let text = policy("shop", &rule);
        let (line, found) =
            text.lines().enumerate().find_map(|(line, text)| Some((line + 1, text.find(key)? + 1))).unwrap();
        assert_eq!(problem["where"], format!("policy.toml:{line}:{found}"), "{key}");
    }
}

#[test]
fn a_listing_says_why() {
    let rules = rule("people", "1 year", SET) + &rule("longer", "200 years", "mail = \"remove\"");
    let gone = "\n[[rule]]\nname = \"gone\"\ndata = \"app.people\"\nkeep = \"2 years\"\nafter = \"ended_at\"\nwhen = \"id = 3\"\n";
    let place = shop(&(rules + gone));
    let listed = place.frist(&["report", "--list", "policy.toml"]).code(3);
    let listed =
        listed.says("  3    overruled   2020-05-01  rule `gone` deletes it (its period ended 2021-05-02)");
    let listed = listed
        .says("  1    due         2020-05-01")
        .says("longer (app.people):\n  none\n")
        .says("`born` cannot be anonymised: not a date");
    listed.says(" then ").says(" anonymise ").says(" delete ");
    place.frist(&["purge", "--yes", "policy.toml"]).code(3).says("1 record deleted, 1 anonymised");
    // The rule that keeps the mail longer leaves the others to this one.
    let expected = ["1||ida@x.dk|12345678|1978-01-01|10.1.2.0", "2|Bo|bo@x.dk", "4|Per|per@x.dk|23-11-1978"];
    assert_eq!(people(&place), expected);
    place.frist(&["report", "--list", "policy.toml"]).code(3).says("  1    done ").says("already anonymised");
}

#[test]
fn pseudonyms_are_told_apart_from_anonymous_data() {
    let place = shop(&rule("people", "1 year", "name = \"remove\", phone = \"pseudonym\""));
    place.frist(&["report", "policy.toml"]).code(0).says(" pseudonymise ");
    assert!(!place.path("state").exists(), "a report needs no key");
    purge(&place).code(0).says("2 records pseudonymised.").does_not_say("anonymised.");
    let key = String::from_utf8(place.read("state/pseudonym.key")).unwrap();
    let ran = place
        .frist(&["ledger", "show", "--all", "policy.toml"])
        .code(0)
        .says("pseudonymised=2")
        .says("pseudonyms=true");
    ran.does_not_say(key.trim());
    let first = people(&place);
    assert!(first[0].contains("|ida@x.dk|frist:"), "{first:?}");
    purge(&place).code(0).says("0 records pseudonymised");
    assert_eq!(people(&place), first);
    // The same value has the same pseudonym, under the same key.
    place.sql("UPDATE people SET phone = '12345678' WHERE id = 3; UPDATE people SET name = '' WHERE id = 3");
    purge(&place).code(0).says("1 record pseudonymised");
    assert_eq!(place.number("SELECT count(DISTINCT phone) FROM people"), 1);
    assert_eq!(String::from_utf8(place.read("state/pseudonym.key")).unwrap(), key);
}

#[test]
fn a_spoilt_key_stops_the_rule_and_nothing_else() {
    let place = shop(
        &(rule("phones", "1 year", "phone = \"pseudonym\"") + &rule("names", "1 year", "name = \"remove\"")),
    );
    place.write("state/pseudonym.key", "lost\n");
    rustix::fs::chmod(place.path("state"), rustix::fs::Mode::from_raw_mode(0o700)).unwrap();
    let ran = purge(&place).code(3).says("phones: PROBLEM: ").says("is not a key as frist writes it");
    ran.says("2 records anonymised");
    assert_eq!(place.number("SELECT count(*) FROM people WHERE phone = '12345678'"), 1);
}

/// That a rule is refused, by report and by purge, before anything is written.
#[track_caller]
fn refused(schema: &str, set: &str, code: &str, why: &str) {
    let place = Place::new();
    place.write("policy.toml", policy("shop", &rule("people", "1 year", set)));
    place.sql(schema);
    let before = place.read("app.db");
    place.frist(&["report", "policy.toml"]).says("REFUSED: ").says(why);
    let ran = place.frist(&["purge", "--yes", "--format", "json", "policy.toml"]).code(3).json();
    let told = &ran["rules"][0];
    assert_eq!((&told["outcome"], &told["problems"][0]["code"]), (&json!("refused"), &json!(code)), "{told}");
    assert!(place.read("app.db") == before, "{why}: something was written");
}

#[test]
fn columns_that_cannot_be_set_refuse_the_rule() {
    let table = |columns: &str| {
        format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, {columns}, ended_at TEXT);
             INSERT INTO people (ended_at) VALUES ('2020-05-01')"
        )
    };
    let filled = |columns: &str, column: &str, value: &str| {
        format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, {columns}, ended_at TEXT);
             INSERT INTO people ({column}, ended_at) VALUES ({value}, '2020-05-01')"
        )
    };
    refused(&table("x TEXT"), "id = \"remove\"", "key-column", "it is part of the primary key");
    let generated = filled("x TEXT, y TEXT AS (x || '!')", "x", "'a'");
    refused(&generated, "y = \"remove\"", "generated-column", "it is generated");
    let number = filled("x INTEGER NOT NULL", "x", "7");
    refused(
        &number,
        "x = \"remove\"",
        "not-null-column",
        "it may not be null, and nothing of type INTEGER is empty",
    );
    refused(
        &filled("x INTEGER", "x", "1"),
        "x = \"text:007\"",
        "column-type",
        "does not hold `007` as it is",
    );
    refused(&filled("x REAL", "x", "1"), "x = \"text:7\"", "column-type", "of type REAL does not hold `7`");
    let strict = "CREATE TABLE people (id INTEGER PRIMARY KEY, x INTEGER, ended_at TEXT) STRICT;
                  INSERT INTO people (x, ended_at) VALUES (1, '2020-05-01')";
    refused(strict, "x = \"pseudonym\"", "column-type", "of type INTEGER does not hold `frist:");
    let child =
        "CREATE TABLE a (id INTEGER PRIMARY KEY);".to_owned() + &filled("x REFERENCES a", "x", "NULL");
    refused(&child, "x = \"text:1\"", "foreign-key-column", "it is part of the foreign key people.x → a");
    let parent = filled("x TEXT UNIQUE", "x", "'a'") + "; CREATE TABLE b (y REFERENCES people (x))";
    refused(&parent, "x = \"remove\"", "foreign-key-column", "it is part of the foreign key b.y → people.x");
}

#[test]
fn a_column_that_must_be_unique_takes_nothing_that_could_be_there_twice() {
    let indexes = [
        ("x TEXT UNIQUE", ""),
        ("x TEXT, y TEXT, UNIQUE (y, x)", ""),
        ("x TEXT", "CREATE UNIQUE INDEX x_y ON people (lower(\"X\"))"),
        ("x TEXT, y TEXT", "CREATE UNIQUE INDEX x_y ON people (y) WHERE x IS NOT NULL"),
    ];
    for (columns, index) in indexes {
        let schema = |x: &str| {
            format!(
                "CREATE TABLE people (id INTEGER PRIMARY KEY, ended_at TEXT, {columns}); {index};
                 INSERT INTO people (x, ended_at) VALUES ({x}, '2020-05-01')"
            )
        };
        for (set, x) in [
            ("text:x", "'a'"),
            ("year", "'2020-05-06'"),
            ("month", "'2020-05-06'"),
            ("truncate", "'1.2.3.4'"),
        ] {
            refused(&schema(x), &format!("x = \"{set}\""), "unique-column", "the unique index `");
        }
        for set in ["remove", "pseudonym"] {
            let place = Place::new();
            place.write("policy.toml", policy("shop", &rule("people", "1 year", &format!("x = \"{set}\""))));
            place
                .sql(&schema("'a'"))
                .execute_batch("INSERT INTO people (x, ended_at) VALUES ('b', '2020-05-01')")
                .unwrap();
            purge(&place).code(0).says("2 records");
        }
    }
    let named = "CREATE TABLE people (id INTEGER PRIMARY KEY, x TEXT NOT NULL UNIQUE, ended_at TEXT);
                 INSERT INTO people (x, ended_at) VALUES ('a', '2020-05-01')";
    refused(named, "x = \"remove\"", "unique-column", "use \"pseudonym\"");
    let other = "CREATE TABLE people (id INTEGER PRIMARY KEY, x TEXT, y TEXT, ended_at TEXT);
                 CREATE UNIQUE INDEX x ON people (y); INSERT INTO people (x, ended_at) VALUES ('a', '2020-05-01')";
    let place = Place::new();
    place.write("policy.toml", policy("shop", &rule("people", "1 year", "x = \"text:x\"")));
    place.sql(other);
    purge(&place).code(0).says("1 record anonymised");
}

#[test]
fn what_the_engine_forbids_loses_nothing() {
    for (more, why, left) in [
        ("CHECK (length(mail) > 3)", "CHECK constraint failed", 2),
        ("UNIQUE ON CONFLICT REPLACE", "UNIQUE constraint failed", 1),
    ] {
        let place = Place::new();
        let set = if more.starts_with("CHECK") { "mail = \"text:x\"" } else { "mail = \"remove\"" };
        place.write("policy.toml", policy("shop", &rule("people", "1 year", set)));
        // Nulls are all the same to this index.
        let index = "CREATE UNIQUE INDEX one ON people (coalesce(mail, ''));";
        let index = if more.starts_with("CHECK") { "" } else { index };
        place.sql(&format!(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT {more}, ended_at TEXT); {index}
             INSERT INTO people (mail, ended_at) VALUES ('ida@x.dk', '2020-05-01'), ('bo@x.dk', '2020-05-01')"
        ));
        purge(&place).code(3).says("PROBLEM: ").says(why);
        assert_eq!(place.number("SELECT count(*) FROM people WHERE mail LIKE '%@x.dk'"), left);
        assert_eq!(place.number("SELECT count(*) FROM people"), 2);
    }
}

/// A constraint may say that other rows make room: no row may go for that.
#[test]
fn no_constraint_deletes_rows_to_make_room() {
    let place = Place::new();
    place.write("policy.toml", policy("shop", &rule("people", "1 year", "phone = \"pseudonym\"")));
    place.sql(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, phone TEXT, half TEXT AS (substr(phone, 1, 6)),
                              ended_at TEXT, UNIQUE (half) ON CONFLICT REPLACE);
         INSERT INTO people (phone, ended_at) VALUES ('12345678', '2020-05-01'), ('22345678', '2020-05-01')",
    );
    purge(&place).code(3).says("id 2 (UNIQUE constraint failed");
    assert_eq!(place.number("SELECT count(*) FROM people WHERE phone = '22345678'"), 1);
    assert_eq!(place.number("SELECT count(*) FROM people"), 2);
}

#[test]
fn the_question_names_everything_that_would_happen() {
    let rules =
        rule("people", "1 year", "name = \"remove\"") + &rule("phones", "1 year", "phone = \"pseudonym\"");
    let gone = "\n[[rule]]\nname = \"gone\"\ndata = \"app.people\"\nkeep = \"2 years\"\nafter = \"ended_at\"\nwhen = \"id = 4\"\n";
    let place = shop(&(rules + gone));
    let policy = place.arg("policy.toml");
    let ran = place.frist_at("2026-11-20", &["purge", &policy], Some("no\n")).code(4);
    ran.says("Delete 1 record and anonymise 1 and pseudonymise 1 for good?");
    assert_eq!(place.number("SELECT count(*) FROM people"), 4);
}

#[test]
fn a_limit_is_about_anonymised_records_too() {
    let place =
        shop(&rule("people", "1 year", "name = \"remove\"").replace("keep", "limit = { records = 1 }\nkeep"));
    let ran = purge(&place).code(4).says("2 records are due, more than the 1 that one run may anonymise");
    ran.says("--accept-limit people");
    assert_eq!(people(&place)[0], "1|Ida|ida@x.dk|12345678|1978-11-23|10.1.2.3");
}

#[test]
fn no_trigger_may_carry_a_change_to_related_rows() {
    let rules = rule("people", "1 year", "name = \"remove\"")
        + "unless = [{ table = \"orders\", on = \"person = id\" }]\n";
    let place = shop(&rules);
    place.sql("CREATE TABLE orders (person); CREATE TABLE log (x);
               CREATE TRIGGER own AFTER UPDATE ON people BEGIN UPDATE people SET ip = NULL WHERE id = NEW.id; END");
    purge(&place).code(0).says("2 records anonymised");
    place.sql("UPDATE people SET name = 'Ida' WHERE id = 1;
               CREATE TRIGGER carries AFTER UPDATE ON people BEGIN INSERT INTO orders VALUES (NEW.id + 1); END");
    purge(&place).code(3).says("PROBLEM: a trigger on changes of `people` writes into other tables");
    assert_eq!(place.number("SELECT count(*) FROM people WHERE name = 'Ida'"), 1);
}

#[test]
fn what_goes_along_with_a_deleted_record_is_not_counted_as_to_be_anonymised() {
    for reference in ["", " REFERENCES posts (id)"] {
        let posts = "\n[[rule]]\nname = \"posts\"\ndata = \"app.posts\"\nkeep = \"1 year\"\nafter = \"at\"\n\
                     with = [{ table = \"people\", on = \"post = id\" }]\n";
        let people = rule("people", "1 year", "name = \"remove\"").replace("ended_at", "at");
        let place = Place::new();
        place.write("policy.toml", policy("shop", &(people + posts)));
        let connection = place.sql(&format!(
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, at TEXT);
             CREATE TABLE people (id INTEGER PRIMARY KEY, post INTEGER{reference}, at TEXT, name TEXT);
             CREATE INDEX by_post ON people (post);
             INSERT INTO posts VALUES (1, '2020-01-01'), (2, '2290-01-01');
             INSERT INTO people VALUES (1, 1, '2020-01-01', 'Ida'), (2, 2, '2020-01-01', 'Bo'), (3, 2, '2290-01-01', 'Per')"
        ));
        let report = place.frist(&["report", "policy.toml", "--format", "json"]).code(0).json();
        assert_eq!(report["rules"][0]["due"], 1, "{report}");
        assert_eq!(report["rules"][0]["overruled"], 1, "{report}");
        place.frist(&["report", "policy.toml", "--list"]).code(0).says("it goes along with another record");
        purge(&place).code(0).says("1 record deleted, 1 anonymised.");
        let names = "SELECT group_concat(id || coalesce(name, ''), ' ') FROM people";
        let left: String = connection.query_row(names, [], |row| row.get(0)).unwrap();
        assert_eq!(left, "2 3Per");
    }
}
