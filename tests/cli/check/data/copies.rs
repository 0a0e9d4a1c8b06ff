//! Triggers and full-text tables that keep what a rule deletes.

use insta::assert_snapshot;

use super::super::super::support::{Place, policy, rule};
use super::{customers, found, messages};

const COPY: &str = "CREATE TRIGGER \"keep it\" AFTER DELETE ON Customers BEGIN
    INSERT INTO Gone (id, name) SELECT OLD.id, OLD.name; END";

#[test]
fn a_trigger_that_copies_deleted_rows_is_named() {
    let place = customers();
    place.sql(&format!("CREATE TABLE gone (id, name); {COPY}"));
    assert_snapshot!(found(&place, 0), @r#"
    warning[trigger-copies]: trigger `keep it` copies rows of `customers` into `gone`, which no rule covers: what is deleted goes on living there
      --> policy.toml:14:8
       |
    14 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: write a rule for `app.gone`, drop the trigger, or ignore the table and say why
    "#);
}

#[test]
fn a_copy_that_a_rule_or_an_ignore_covers_is_not() {
    let place = customers();
    place.sql(&format!("CREATE TABLE gone (id, name, at TEXT); {COPY}"));
    let accounts = rule("accounts", "customers", "1 year", "ended_at");
    place
        .write("policy.toml", policy("shop", &format!("{accounts}{}", rule("gone", "gone", "1 year", "at"))));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    let ignore = "ignore = [{ table = \"gone\", why = \"emptied by hand\" }]\n";
    place.write("policy.toml", policy("shop", &format!("{ignore}{accounts}")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn triggers_that_copy_nothing_are_passed_over() {
    let place = customers();
    place.sql(
        "CREATE TABLE other (id, name, at); INSERT INTO other VALUES (1, 'a', NULL);
         CREATE TRIGGER a AFTER DELETE ON customers BEGIN INSERT INTO other VALUES (1, 'OLD.id', 'x'); END;
         CREATE TRIGGER b AFTER DELETE ON other BEGIN INSERT INTO customers SELECT OLD.id, OLD.name, NULL; END;
         CREATE TRIGGER c AFTER UPDATE ON customers BEGIN
           UPDATE other SET name = 'insert into other select old.id'; -- INSERT INTO other SELECT OLD.id;
         END",
    );
    let told = messages(&place, 0);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("[uncovered-table] table `other`"));
}

#[test]
fn a_copy_that_goes_with_its_original_is_not_left_behind() {
    let place = customers();
    place.sql(
        "CREATE TABLE shadow (id, name); INSERT INTO shadow VALUES (1, 'a');
         CREATE TRIGGER a AFTER INSERT ON customers BEGIN INSERT INTO shadow VALUES (NEW.id, NEW.name); END;
         CREATE TRIGGER b AFTER DELETE ON customers BEGIN DELETE FROM shadow WHERE id = OLD.id; END",
    );
    let told = messages(&place, 0);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("[uncovered-table] table `shadow`"));
    place.sql("DROP TRIGGER b");
    assert!(
        messages(&place, 0)[1]
            .starts_with("[trigger-copies] trigger `a` copies rows of `customers` into `shadow`")
    );
}

const NOTES: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, customer INTEGER, at TEXT);
    CREATE INDEX notes_customer ON notes (customer);
    CREATE TRIGGER \"away with\" AFTER DELETE ON Customers BEGIN DELETE FROM Notes WHERE customer = OLD.id;
    DELETE FROM notes WHERE customer IS NULL; END;";

#[test]
fn a_trigger_that_deletes_what_another_rule_may_keep_is_named() {
    let place = customers();
    place.sql(NOTES);
    let accounts = rule("accounts", "customers", "1 year", "ended_at");
    let notes = rule("notes", "notes", "5 years", "at");
    place.write("policy.toml", policy("shop", &format!("{accounts}{notes}")));
    let told = messages(&place, 0);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(
        told[0],
        "[trigger-deletes] trigger `away with` deletes rows of `notes` where rule `accounts` makes rows of \
         `Customers` go, whatever rule `notes` says of them"
    );
    // What the rule takes along is asked about, and what has no rule is kept by none.
    let with = "with = [{ table = \"notes\", on = \"customer = id\" }]\n";
    place.write("policy.toml", policy("shop", &format!("{accounts}{with}{notes}")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
    let ignore = "ignore = [{ table = \"notes\", why = \"go by a trigger\" }]\n";
    place.write("policy.toml", policy("shop", &format!("{ignore}{accounts}")));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn triggers_are_followed_through_cascades_and_other_triggers() {
    let place = customers();
    place.sql(
        "CREATE TABLE cards (id INTEGER PRIMARY KEY, customer REFERENCES customers ON DELETE CASCADE);
         CREATE INDEX cards_customer ON cards (customer);
         CREATE TABLE uses (id INTEGER PRIMARY KEY, card);
         CREATE TABLE notes (id INTEGER PRIMARY KEY, use, at TEXT);
         CREATE TRIGGER first AFTER DELETE ON cards BEGIN DELETE FROM uses WHERE card = OLD.id; END;
         CREATE TRIGGER second AFTER DELETE ON uses BEGIN DELETE FROM notes WHERE use = OLD.id; END;",
    );
    let rules =
        rule("accounts", "customers", "1 year", "ended_at") + &rule("notes", "notes", "5 years", "at");
    place.write("policy.toml", policy("shop", &rules));
    let told: Vec<String> =
        messages(&place, 0).into_iter().filter(|told| told.starts_with("[trigger-deletes]")).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].contains("trigger `second` deletes rows of `notes` where rule `accounts`"), "{told:?}");
}

#[test]
fn a_trigger_is_set_off_by_what_the_rule_does() {
    let place = customers();
    place.sql(&NOTES.replace("AFTER DELETE", "AFTER UPDATE"));
    let notes = rule("notes", "notes", "5 years", "at");
    let accounts = rule("accounts", "customers", "1 year", "ended_at");
    place.write("policy.toml", policy("shop", &format!("{accounts}{notes}")));
    assert_eq!(messages(&place, 0), Vec::<String>::new(), "a deletion is no update");
    let anonymise = "then = \"anonymise\"\nset = { name = \"remove\" }\n";
    place.write("policy.toml", policy("shop", &format!("{accounts}{anonymise}{notes}")));
    let told = messages(&place, 0);
    let is_told =
        |told: &String| told.starts_with("[trigger-deletes]") && told.contains("`accounts` changes rows");
    assert_eq!(told.iter().filter(|told| is_told(told)).count(), 1, "{told:#?}");
}

const INDEX: &str = "CREATE VIRTUAL TABLE search USING fts5(name, content='customers', content_rowid='id');";
const TOLD: &str = "CREATE TRIGGER told AFTER DELETE ON customers BEGIN
    INSERT INTO search (search, rowid, name) VALUES ('delete', OLD.id, OLD.name); END;";

#[test]
fn an_index_that_is_not_told_of_deletions_keeps_their_words() {
    let place = customers();
    place.sql(INDEX);
    assert_snapshot!(found(&place, 0), @r#"
    warning[full-text-copy]: full-text table `search` is not told when rows of `customers` are deleted: their words stay in it
      --> policy.toml:14:8
       |
    14 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: let a trigger AFTER DELETE ON `customers` delete from `search` too, or build it again after each purge and ignore it: INSERT INTO "search" ("search") VALUES ('rebuild')
    "#);
}

#[test]
fn an_index_that_is_told_keeps_words_until_it_is_merged_or_set_to_forget() {
    let place = customers();
    place.sql(&format!("{INDEX}{TOLD}"));
    assert_snapshot!(found(&place, 0), @r#"
    warning[full-text-copy]: full-text table `search` may hold words of deleted rows of `customers` until it is merged
      --> policy.toml:14:8
       |
    14 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: run once: INSERT INTO "search" ("search", rank) VALUES ('secure-delete', 1); or merge it after each purge and ignore it: INSERT INTO "search" ("search") VALUES ('optimize')
    "#);
    place.sql("INSERT INTO search (search, rank) VALUES ('secure-delete', 1)");
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn an_older_index_is_merged_by_hand_and_can_be_ignored() {
    let place = customers();
    place.sql(
        "CREATE VIRTUAL TABLE search USING fts4(name);
         CREATE TRIGGER a AFTER INSERT ON customers BEGIN
           INSERT INTO search (docid, name) VALUES (NEW.id, NEW.name); END;
         CREATE TRIGGER b AFTER DELETE ON customers BEGIN DELETE FROM search WHERE docid = OLD.id; END",
    );
    assert_snapshot!(found(&place, 0), @r#"
    warning[full-text-copy]: full-text table `search` may hold words of deleted rows of `customers` until it is merged
      --> policy.toml:14:8
       |
    14 | data = 'app.customers'
       |        ^^^^^^^^^^^^^^^
       |
       = help: merge it after each purge and ignore it: INSERT INTO "search" ("search") VALUES ('optimize')
    "#);
    let ignore = "ignore = [{ table = \"search\", why = \"merged after each purge\" }]\n";
    let rules = format!("{ignore}{}", rule("accounts", "customers", "1 year", "ended_at"));
    place.write("policy.toml", policy("shop", &rules));
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}

#[test]
fn an_index_of_an_ignored_table_holds_no_more_than_that() {
    let ignore = "ignore = [{ table = \"pages\", why = \"public\" }]\n";
    let place =
        Place::with_rules(&format!("{ignore}{}", rule("accounts", "customers", "1 year", "ended_at")));
    place.sql(
        "CREATE TABLE customers (ended_at TEXT); CREATE TABLE pages (id INTEGER PRIMARY KEY, body);
         CREATE VIRTUAL TABLE search USING fts5(body, content='pages', content_rowid='id')",
    );
    assert_eq!(messages(&place, 0), Vec::<String>::new());
}
