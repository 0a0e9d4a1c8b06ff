//! Tables that nobody mentioned, and tables that are not there.

use insta::assert_snapshot;

use super::super::super::support::{HOSTILE_NAMES, Place, policy, quoted, rule, toml_text};
use super::{customers, found, messages};

#[test]
fn a_table_that_nobody_mentioned_is_named_with_its_rows() {
    let place = customers();
    place.sql("CREATE TABLE old_customers (id, name); INSERT INTO old_customers VALUES (1, 'a'), (2, 'b')");
    assert_snapshot!(found(&place, 0), @r#"
    warning[uncovered-table]: table `old_customers` of source `app` (2 records) is covered by no rule and no `ignore`
     --> policy.toml:9:9
      |
    9 | [source.app]
      |         ^^^
      |
      = help: write a rule with data = "app.old_customers", or: ignore = [{ table = "old_customers", why = "…" }]
    "#);
}

#[test]
fn an_ignored_table_is_covered_and_one_that_is_not_there_is_a_mistake() {
    let place = customers();
    place.sql("CREATE TABLE migrations (id); INSERT INTO migrations VALUES (1)");
    let ignoring = |table: &str| {
        let ignore = format!("ignore = [{{ table = \"{table}\", why = \"no people\" }}]\n");
        policy("shop", &format!("{ignore}{}", rule("accounts", "customers", "1 year", "ended_at")))
    };
    place.write("policy.toml", ignoring("migrations"));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    place.write("policy.toml", ignoring("Migrations"));
    assert_snapshot!(found(&place, 0), @r#"
    warning[uncovered-table]: table `migrations` of source `app` (1 record) is covered by no rule and no `ignore`
     --> policy.toml:9:9
      |
    9 | [source.app]
      |         ^^^
      |
      = help: write a rule with data = "app.migrations", or: ignore = [{ table = "migrations", why = "…" }]

    warning[stale-ignore]: source `app` has no table `Migrations` to ignore
      --> policy.toml:11:21
       |
    11 | ignore = [{ table = "Migrations", why = "no people" }]
       |                     ^^^^^^^^^^^^
       |
       = help: did you mean `migrations`?
    "#);
}

#[test]
fn views_and_sqlite_s_own_tables_need_no_rule() {
    let place = customers();
    place.sql(
        "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE numbered;
         CREATE INDEX by_name ON customers (name); CREATE VIEW names AS SELECT name FROM customers;
         INSERT INTO customers VALUES (1, 'a', '2199-01-01'); ANALYZE",
    );
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn rules_on_what_is_not_there_are_errors_all_at_once() {
    let rules = [
        rule("accounts", "Customers", "1 year", "ended_at"),
        rule("names", "names", "1 year", "ended_at"),
        rule("ended", "customers", "1 year", "ended"),
        format!("{}when = \"knd = 'a' and nam = 'b'\"\n", rule("kinds", "customers", "2 years", "ended_at")),
    ];
    let place = Place::with_rules(&rules.concat());
    place.sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, kind TEXT, ended_at TEXT);
         CREATE VIEW names AS SELECT name FROM customers",
    );
    assert_snapshot!(messages(&place, 1).join("\n"), @r"
    [missing-table] the database has no table `Customers`; did you mean `customers`?
    [not-a-table] `names` is a view; write the rule for the table that holds its rows
    [missing-column] table `customers` has no column `ended`; it has: id, name, kind, ended_at
    [missing-column] table `customers` has no column `knd`; did you mean `kind`?
    [missing-column] table `customers` has no column `nam`; did you mean `name`?
    ");
}

#[test]
fn columns_that_a_source_names_must_be_there_too() {
    let settings = "\n[source.app.table.customers]\nkey = \"number\"\nsubject = \"customer:nam\"\n";
    let place =
        Place::with_rules(&format!("{settings}{}", rule("accounts", "customers", "1 year", "ended_at")));
    place.sql("CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, ended_at TEXT)");
    assert_snapshot!(messages(&place, 1).join("\n"), @r"
    [missing-column] table `customers` has no column `number`; it has: id, name, ended_at
    [missing-column] table `customers` has no column `nam`; did you mean `name`?
    ");
}

#[test]
fn virtual_tables_are_named_and_what_they_consist_of_is_not() {
    let place = customers();
    place.sql(
        "CREATE VIRTUAL TABLE notes USING fts5(body); INSERT INTO notes VALUES ('a word');
         CREATE VIRTUAL TABLE memos USING fts4(body); CREATE VIRTUAL TABLE words USING fts5vocab(notes, 'row');
         CREATE VIRTUAL TABLE places USING rtree(id, x0, x1); INSERT INTO places VALUES (1, 0, 1);
         INSERT INTO memos VALUES ('another'); CREATE VIRTUAL TABLE vacant USING fts5(body)",
    );
    assert_snapshot!(messages(&place, 0).join("\n"), @r"
    [uncovered-table] virtual table `places` (rtree) of source `app` (1 record) is covered by no rule and no `ignore`
    [uncovered-table] virtual table `memos` (fts4) of source `app` (1 record) is covered by no rule and no `ignore`
    [uncovered-table] virtual table `notes` (fts5) of source `app` (1 record) is covered by no rule and no `ignore`
    ");
    let ignore =
        ["notes", "memos", "places"].map(|table| format!("{{ table = \"{table}\", why = \"public\" }}"));
    let ignore = format!("ignore = [{}]\n", ignore.join(", "));
    let rules = format!("{ignore}{}", rule("accounts", "customers", "1 year", "ended_at"));
    place.write("policy.toml", policy("shop", &rules));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn a_table_beside_a_virtual_one_is_not_taken_for_a_part_of_it() {
    let place = customers();
    place.sql(
        "CREATE TABLE docs_content (id INTEGER PRIMARY KEY, body TEXT);
         CREATE VIRTUAL TABLE docs USING fts5(body, content='docs_content', content_rowid='id');
         CREATE TABLE docs_archive (id); INSERT INTO docs_archive VALUES (1);
         INSERT INTO docs_content VALUES (1, 'a')",
    );
    let told = messages(&place, 0).join("\n");
    assert!(
        told.contains("2 tables") && told.contains("docs_content") && told.contains("docs_archive (1)"),
        "{told}"
    );
    assert!(!told.contains("docs_data"), "{told}");
}

#[test]
fn every_name_is_told_and_none_becomes_sql() {
    let place = customers();
    let names = HOSTILE_NAMES.iter().filter(|name| **name != "order");
    names.clone().for_each(|name| {
        let table = quoted(name);
        place.sql(&format!(
            "CREATE TABLE {table} (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO {table} VALUES (1)"
        ));
    });
    let told = messages(&place, 0);
    assert_eq!(told.len(), 1, "one finding for all of them");
    assert!(
        told[0].starts_with(&format!("[uncovered-table] {} tables of source `app`", HOSTILE_NAMES.len() - 1))
    );
    for name in names.clone() {
        assert!(told[0].contains(&format!("{name} (1)")), "{name}: {told:#?}");
    }
    let text = found(&place, 0);
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let ignored = names.map(|name| format!("{{ table = {}, why = \"a test\" }}", toml_text(name)));
    let ignore = format!("ignore = [{}]\n", ignored.collect::<Vec<_>>().join(", "));
    let rules = format!("{ignore}{}", rule("accounts", "customers", "1 year", "ended_at"));
    place.write("policy.toml", policy("shop", &rules));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn a_source_without_a_rule_is_looked_at_all_the_same() {
    let place = Place::with_rules("");
    place.sql("CREATE TABLE customers (id); INSERT INTO customers VALUES (1)");
    let told = messages(&place, 0).join("\n");
    assert!(told.contains("[unused-source]") && told.contains("table `customers`"), "{told}");
}

#[test]
fn many_tables_are_one_finding_whose_line_can_be_pasted() {
    let place = customers();
    let names: Vec<String> = (0..12).map(|number| format!("wagtail_{number}")).collect();
    for name in &names {
        place.sql(&format!("CREATE TABLE {name} (id); INSERT INTO {name} VALUES (1), (2)"));
    }
    place.sql("CREATE TABLE vacant (id)");
    let text = found(&place, 0);
    assert_eq!(text.matches("warning[").count(), 1, "{text}");
    let (_, line) = text.rsplit_once(": ignore = [").unwrap();
    let rules = rule("accounts", "customers", "1 year", "ended_at");
    place.write("policy.toml", policy("shop", &format!("ignore = [{line}\n{rules}")));
    // Each line still says that nobody has looked yet, and nothing else is told.
    let told = messages(&place, 0);
    assert_eq!(told.len(), names.len(), "{told:?}");
    assert!(told.iter().all(|told| told.starts_with("[unfinished-reason]")), "{told:?}");
    place.write(
        "policy.toml",
        policy("shop", &format!("ignore = [{}\n{rules}", line.replace("TODO", "pages"))),
    );
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    let with = |pattern: &str| {
        let ignore = format!("ignore = [{{ table = {}, why = \"pages\" }}]\n", toml_text(pattern));
        place.write("policy.toml", policy("shop", &format!("{ignore}{rules}")));
    };
    for pattern in ["wagtail*", "wag?ail_*", "*"] {
        with(pattern);
        assert_eq!(messages(&place, 0), Vec::<String>::new(), "{pattern}");
    }
    with("Wagtail*");
    let told = messages(&place, 0);
    assert!(
        told.len() == 2 && told[1].starts_with("[stale-ignore] source `app` has no table `Wagtail*`"),
        "{told:?}"
    );
    place.sql(
        "DROP TABLE wagtail_0; CREATE TABLE \"wagtail_[0]\" (id); INSERT INTO \"wagtail_[0]\" VALUES (1)",
    );
    with("wagtail_[0]*");
    assert!(
        messages(&place, 0)[0].starts_with("[uncovered-table] 11 tables"),
        "brackets stand for themselves"
    );
}
