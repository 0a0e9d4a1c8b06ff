//! Rules that look at rows that belong to a record: how they are found, and what stands in the way.

use insta::assert_snapshot;

use super::super::support::{HOSTILE_NAMES, quoted, toml_text};
use super::{Place, report, rule};

/// A place with customers 1 to 3, all of 2020, and calls to them.
fn place(lines: &str, sql: &str) -> Place {
    let place = Place::with_rules(&(rule("a", "customers", "1 year", "at") + lines + "\n"));
    place.sql(&format!(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, mail TEXT, at TEXT);
         INSERT INTO customers VALUES (1, 'A@b.dk', '2020-01-01'), (2, 'c@d.dk ', '2020-01-01'), (3, NULL, '2020-01-01');
         {sql}"
    ));
    place
}

/// The keys of the due records.
fn due(place: &Place) -> Vec<String> {
    in_state(place, "due")
}

/// The keys of the records that `unless` spares. Where a foreign key would keep them anyway, this alone
/// tells whether the relation found the row.
fn spared(place: &Place) -> Vec<String> {
    in_state(place, "spared")
}

fn in_state(place: &Place, state: &str) -> Vec<String> {
    let json = report(place, &["--list", "--format", "json"]).code(0).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    let meant = records.iter().filter(|record| record["state"] == state);
    meant.map(|record| record["key"].as_str().unwrap().to_string()).collect()
}

#[test]
fn the_one_foreign_key_says_what_belongs_to_a_record() {
    let unless = "unless = [{ table = \"calls\" }]";
    let of_calls =
        "CREATE TABLE calls (customer_id REFERENCES customers); INSERT INTO calls VALUES (2), (NULL)";
    let place_of = |sql: &str| place(unless, sql);
    assert_eq!(spared(&place_of(of_calls)), ["2"]);
    let named = "CREATE TABLE calls (c REFERENCES customers (mail)); INSERT INTO calls VALUES ('c@d.dk ')";
    assert_eq!(spared(&place_of(&format!("CREATE UNIQUE INDEX m ON customers (mail); {named}"))), ["2"]);
    let pair = "CREATE UNIQUE INDEX both ON customers (id, mail);
                CREATE TABLE calls (c, m, FOREIGN KEY (c, m) REFERENCES customers (id, mail));
                INSERT INTO calls VALUES (1, 'A@b.dk'), (2, NULL)";
    assert_eq!(spared(&place_of(pair)), ["1"], "every column of a key must be equal");
}

#[test]
fn a_key_of_the_record_itself_joins_too() {
    let lines = "unless = [{ table = \"firms\", where = \"open = 1\" }]";
    let sql = "CREATE TABLE firms (id INTEGER PRIMARY KEY, open); INSERT INTO firms VALUES (1, 1), (2, 0);
               ALTER TABLE customers ADD firm REFERENCES firms; UPDATE customers SET firm = id WHERE id < 3";
    assert_eq!(due(&place(lines, sql)), ["2", "3"]);
}

#[test]
fn none_or_several_foreign_keys_must_be_told_apart() {
    let unless = "unless = [{ table = \"calls\" }]";
    let told = |sql: &str| report(&place(unless, sql), &[]).code(3).out;
    let none = told("CREATE TABLE calls (customer_id)");
    assert!(
        none.contains("no foreign keys join `calls` and `customers`; say which columns are equal"),
        "{none}"
    );
    let two = told("CREATE TABLE calls (a REFERENCES customers, b REFERENCES customers)");
    assert!(two.contains("2 foreign keys join `calls` and `customers`"), "{two}");
    assert!(two.contains("policy.toml:17:21"), "the place is told: {two}");
}

#[test]
fn values_can_be_folded_before_they_are_compared() {
    let sql = "CREATE TABLE calls (mail); INSERT INTO calls VALUES (' a@B.DK'), ('C@D.dk'), (NULL)";
    let with = |on: &str| due(&place(&format!("unless = [{{ table = \"calls\", on = \"{on}\" }}]"), sql));
    assert_eq!(with("mail = mail"), ["1", "2", "3"]);
    assert_eq!(with("lower(mail) = lower(trim(mail))"), ["1", "3"]);
    assert_eq!(with("lower(trim(mail)) = lower(trim(mail))"), ["3"], "null relates to nothing");
}

/// As the engine compares `THEIRS = OURS`: a column of numbers makes numbers of texts, and the collation
/// is that of the column that stands first.
#[test]
fn values_are_compared_by_the_affinity_of_both_columns_and_the_collation_of_theirs() {
    let calls = |column: &str, value: &str| {
        let sql = format!("CREATE TABLE calls ({column}); INSERT INTO calls VALUES ({value})");
        let on = if value.contains('@') { "mail" } else { "id" };
        due(&place(&format!("unless = [{{ table = \"calls\", on = \"c = {on}\" }}]"), &sql))
    };
    assert_eq!(calls("c TEXT", "'2'"), ["1", "3"]);
    assert_eq!(calls("c", "'2'"), ["1", "3"], "the record's column is one of numbers");
    assert_eq!(calls("c TEXT", "'02'"), ["1", "3"], "02 is the number 2");
    assert_eq!(calls("c BLOB", "x'32'"), ["1", "2", "3"], "bytes are no text");
    assert_eq!(calls("c TEXT COLLATE NOCASE", "'a@B.DK'"), ["2", "3"]);
    assert_eq!(calls("c TEXT COLLATE RTRIM", "'c@d.dk'"), ["1", "3"]);
    assert_eq!(calls("c TEXT", "'a@b.dk'"), ["1", "2", "3"]);
}

/// A foreign key compares by the collation of the column that it names, whichever table that is in.
#[test]
fn the_columns_of_a_key_are_compared_by_the_collation_of_the_parent() {
    let sql = "DROP TABLE customers;
        CREATE TABLE customers (id INTEGER PRIMARY KEY, mail TEXT COLLATE NOCASE UNIQUE, at TEXT);
        INSERT INTO customers VALUES (1, 'A@b.dk', '2020-01-01'), (2, 'c@d.dk', '2020-01-01');
        CREATE TABLE calls (mail TEXT REFERENCES customers (mail)); INSERT INTO calls VALUES ('a@B.dk')";
    assert_eq!(spared(&place("unless = [{ table = \"calls\" }]", sql)), ["1"]);
    let ours = "CREATE TABLE firms (name TEXT COLLATE NOCASE PRIMARY KEY); INSERT INTO firms VALUES ('acme');
        ALTER TABLE customers ADD firm TEXT REFERENCES firms; UPDATE customers SET firm = 'ACME' WHERE id = 1";
    assert_eq!(spared(&place("unless = [{ table = \"firms\" }]", ours)), ["1"]);
}

#[test]
fn a_view_may_hold_the_related_rows() {
    let view = "only-if = [{ table = \"callers\", on = \"who = id\" }]";
    assert_eq!(due(&place(view, "CREATE VIEW callers AS SELECT 3 AS who")), ["3"]);
}

/// Otherwise what is deleted would change what is said of the others: in the next batch they would
/// be due, too.
#[test]
fn what_deleting_records_changes_cannot_be_related_to_them() {
    let unless = "unless = [{ table = \"callers\", on = \"who = id\" }]";
    let told = |sql: &str, what: &str| {
        report(&place(unless, sql), &[])
            .code(3)
            .says(&format!("`callers` {what}, and so cannot be a related table"));
    };
    let of_itself = "reads the records' own table";
    told("CREATE VIEW callers AS SELECT id + 1 AS who FROM customers", of_itself);
    told(
        "CREATE INDEX ids ON customers (at, id); CREATE VIEW callers AS SELECT id + 1 AS who FROM Customers WHERE at > ''",
        of_itself,
    );
    told(
        "CREATE VIEW one AS SELECT id AS who FROM customers; CREATE VIEW callers AS SELECT who FROM one UNION SELECT 7",
        of_itself,
    );
    told("CREATE VIRTUAL TABLE callers USING fts5 (who)", "is, or reads, a virtual table");
    told(
        "CREATE TABLE callers (who); CREATE TRIGGER t AFTER DELETE ON customers BEGIN DELETE FROM callers; END",
        "may be changed by a trigger of the records' table",
    );
    let insertions = "CREATE TABLE callers (who); CREATE TRIGGER \"DELETE\" AFTER INSERT ON customers BEGIN DELETE FROM callers; END";
    report(&place(unless, insertions), &[]).code(0);
}

#[test]
fn doubt_about_a_related_row_keeps_the_record_under_every_rule() {
    let short = rule("short", "customers", "1 year", "at");
    let orders = "[{ table = \"orders\", on = \"customer_id = id\", where = \"amount > 0\" }]";
    for (key, kept) in [("only-if", &["2"][..]), ("unless", &["1"])] {
        let long = rule("long", "customers", "3 years", "at") + &format!("{key} = {orders}\n");
        let place = Place::with_rules(&(short.clone() + &long));
        place.sql(
            "CREATE TABLE customers (id INTEGER PRIMARY KEY, at TEXT); CREATE TABLE orders (customer_id INTEGER, amount);
             INSERT INTO customers VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, '2020-01-01'), (4, '2020-01-01');
             INSERT INTO orders VALUES (2, 5), (3, '1.000,00'), (4, NULL)",
        );
        let gone = due(&place);
        let left: Vec<&str> =
            ["1", "2", "3", "4"].into_iter().filter(|id| !gone.contains(&(*id).to_string())).collect();
        assert_eq!(left, [kept, &["3", "4"]].concat(), "{key}");
    }
}

#[test]
fn hostile_names_are_names() {
    for name in HOSTILE_NAMES {
        if name.eq_ignore_ascii_case("customers") {
            continue;
        }
        let on = format!("\"{}\" = id", name.replace('"', "\"\""));
        let relation = format!("table = {}, on = {}", toml_text(name), toml_text(&on));
        let condition = toml_text(&format!("\"{}\" is not null", name.replace('"', "\"\"")));
        let lines = format!("unless = [{{ {relation}, where = {condition} }}]");
        let table = quoted(name);
        let sql = format!("CREATE TABLE {table} ({table}); INSERT INTO {table} VALUES (1), (3)");
        assert_eq!(due(&place(&lines, &sql)), ["2"], "{name}");
    }
}

#[test]
fn what_is_missing_is_named_with_its_place() {
    let told = |lines: &str| {
        let out = report(&place(lines, "CREATE TABLE calls (customer_id, at)"), &[]).code(3).out;
        out.lines().find(|line| line.contains("PROBLEM")).unwrap_or_default().to_owned()
    };
    let told: Vec<String> = [
        "unless = [{ table = \"cals\", on = \"customer_id = id\" }]",
        "unless = [{ table = \"calls\", on = \"customer = id\" }]",
        "unless = [{ table = \"calls\", on = \"customer_id = di\" }]",
        "unless = [{ table = \"calls\", on = \"customer_id = id\", where = \"kind = 1\" }]",
    ]
    .map(told)
    .to_vec();
    assert_snapshot!(told.join("\n"), @"
    a: PROBLEM: the database has no table `cals`; did you mean `calls`? (policy.toml:17:21)
    a: PROBLEM: table `calls` has no column `customer`; did you mean `customer_id`? (policy.toml:17:21)
    a: PROBLEM: table `customers` has no column `di`; did you mean `id`? (policy.toml:17:21)
    a: PROBLEM: table `calls` has no column `kind`; it has: customer_id, at (policy.toml:17:21)
    ");
}

#[test]
fn a_large_table_without_an_index_is_refused_with_the_index_to_make() {
    let many = "CREATE TABLE calls (customer_id INTEGER, mail TEXT);
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
                INSERT INTO calls SELECT i, 'x' FROM n";
    let lines = "unless = [{ table = \"calls\", on = \"customer_id = id\" }]";
    let refused = place(lines, many);
    report(&refused, &[])
        .code(3)
        .says("run: CREATE INDEX \"calls_customer_id\" ON \"calls\" (\"customer_id\")");
    refused.sql("CREATE INDEX \"calls_customer_id\" ON \"calls\" (\"customer_id\")");
    assert_eq!(due(&refused), [""; 0]);
    let view = "unless = [{ table = \"some\", on = \"customer_id = id\" }]";
    let of_view =
        place(view, &format!("{many}; CREATE VIEW some AS SELECT customer_id FROM calls WHERE mail = 'y'"));
    report(&of_view, &[]).code(3).says("it is a view: relate the table that it reads");
    let lines = "unless = [{ table = \"calls\", on = \"lower(mail) = mail\" }]";
    let folded = place(lines, many);
    report(&folded, &[]).code(3).says("ON \"calls\" (lower(\"mail\"))");
    folded.sql("CREATE INDEX \"calls_mail\" ON \"calls\" (lower(\"mail\"))");
    assert_eq!(due(&folded), ["1", "2", "3"]);
    let lines = "unless = [{ table = \"calls\", on = \"customer_id = id\", where = \"mail = 'y' or customer_id = 7\" }]";
    report(&place(lines, many), &[]).code(3).says("ON \"calls\" (\"customer_id\", \"mail\")");
}

#[test]
fn several_pairs_must_all_be_equal() {
    let sql = "ALTER TABLE customers ADD tenant INTEGER; UPDATE customers SET tenant = nullif(id % 2, 0);
               CREATE TABLE calls (tenant INTEGER, customer_id INTEGER);
               INSERT INTO calls VALUES (1, 1), (NULL, 2), (1, 2), (0, 3), (1, NULL)";
    let of = |on: &str| spared(&place(&format!("unless = [{{ table = \"calls\", on = {on} }}]"), sql));
    assert_eq!(of("[\"tenant = tenant\", \"customer_id = id\"]"), ["1"]);
    assert_eq!(of("[\"customer_id = id\", \"lower(tenant) = tenant\"]"), ["1"]);
    assert_eq!(of("[\"customer_id = id\"]"), ["1", "2", "3"]);
    assert_eq!(of("[\"customer_id = id\", \"customer_id = tenant\"]"), ["1"]);
    assert_eq!(of("[\"customer_id = id\", \"tenant = id\"]"), ["1"]);
}

#[test]
fn an_index_may_begin_with_any_of_several_pairs_and_one_with_all_is_asked_for() {
    let sql = "ALTER TABLE customers ADD tenant INTEGER DEFAULT 1; ALTER TABLE customers ADD number INTEGER;
               CREATE TABLE calls (tenant INTEGER, customer INTEGER, number TEXT, kind INTEGER);
               WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
               INSERT INTO calls SELECT 1, i + 1, 'x', 7 FROM n";
    let lines = "unless = [{ table = \"calls\", on = [\"tenant = tenant\", \"customer = id\"], where = \"kind <> 8\" }]";
    let refused = place(lines, sql);
    report(&refused, &[])
        .code(3)
        .says("rows of `calls` are looked for by \"customer\", \"tenant\" without an index")
        .says(
            "run: CREATE INDEX \"calls_customer_tenant\" ON \"calls\" (\"customer\", \"tenant\", \"kind\")",
        );
    // All rows are of one tenant, and each of another customer.
    refused.sql("CREATE INDEX tenants ON calls (tenant)");
    report(&refused, &[])
        .code(3)
        .says("without an index on all of these, so that most of them would be read");
    refused.sql("DROP INDEX tenants; CREATE INDEX customers_of_calls ON calls (customer)");
    assert_eq!(due(&refused), ["1"]);
    refused.sql("DROP INDEX customers_of_calls; CREATE INDEX other ON calls (tenant, customer)");
    assert_eq!(due(&refused), ["1"]);
    // What must be converted stands behind what need not.
    let mixed = place(&lines.replace("customer = id", "number = number"), sql);
    report(&mixed, &[]).code(3).says("ON \"calls\" (\"tenant\", \"number\", \"kind\")");
    mixed.sql("CREATE INDEX \"calls_number_tenant\" ON \"calls\" (\"tenant\", \"number\", \"kind\")");
    report(&mixed, &[]).code(0);
    let equal = place(&lines.replace("kind <> 8", "kind = 7"), sql);
    equal.sql("CREATE INDEX other ON calls (kind, customer, tenant)");
    assert_eq!(due(&equal), ["1"]);
}

#[test]
fn each_column_of_several_pairs_that_is_missing_is_named() {
    let of = |on: &str| {
        let lines = format!("unless = [{{ table = \"calls\", on = [\"customer = id\", {on}] }}]");
        report(&place(&lines, "CREATE TABLE calls (customer, tenant)"), &[]).code(3).out
    };
    assert!(of("\"tenent = id\"").contains("table `calls` has no column `tenent`; did you mean `tenant`?"));
    assert!(of("\"tenant = mial\"").contains("table `customers` has no column `mial`; did you mean `mail`?"));
}

/// A column without a type may hold text that is a number, so that the engine converts what it compares.
#[test]
fn a_column_of_another_type_is_told_and_how_to_compare_it() {
    let sql = "CREATE TABLE calls (customer, at);
               WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
               INSERT INTO calls SELECT i + 9, 'x' FROM n; INSERT INTO calls VALUES (2, 'x'), ('3', 'x');
               CREATE INDEX calls_customer_at ON calls (customer)";
    let unless = |on: &str| format!("unless = [{{ table = \"calls\", on = \"{on}\" }}]");
    report(&place(&unless("customer = id"), sql), &[])
        .code(3)
        .says("`customer` has no type and `id` of `customers` is INTEGER, so that no index on it can be used; compare their texts, with on = \"lower(customer) = lower(id)\", and run: CREATE INDEX \"calls_customer\" ON \"calls\" (lower(\"customer\"))");
    let advised = place(&unless("lower(customer) = lower(id)"), sql);
    advised.sql("CREATE INDEX \"calls_customer\" ON \"calls\" (lower(\"customer\"))");
    assert_eq!(due(&advised), ["1"]);
}

/// A table of rows of many kinds, indexed by the kind and then by the record.
#[test]
fn what_the_condition_equals_is_part_of_an_index_and_leaves_no_doubtful_row_out() {
    let many = |kinds: [&str; 3]| {
        let [kind, wanted, other] = kinds;
        format!(
            "CREATE TABLE calls (kind {kind}, customer_id INTEGER, at TEXT);
             CREATE INDEX calls_kind ON calls (kind, customer_id, at);
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
             INSERT INTO calls SELECT {other}, i, '2001-01-01' FROM n;
             INSERT INTO customers VALUES (4, NULL, '2001-01-01'), (5, NULL, '2001-01-01'), (6, NULL, '2001-01-01');
             INSERT INTO calls VALUES ({wanted}, 1, '2001-01-01'), (NULL, 2, '2001-01-01'), (x'37', 3, '2001-01-01'),
             ({other}, 4, '2001-01-01'), (NULL, 5, '2001-01-01'), ({wanted}, 5, '2001-01-01')"
        )
    };
    for (kinds, literal) in
        [(["INTEGER", "7", "8"], "7"), (["TEXT", "'x'') OR 1; --'", "'8'"], "'x'') OR 1; --'")]
    {
        let on = format!("on = \"customer_id = id\", where = \"kind = {literal} and customer_id > 0\"");
        let spared = place(&format!("unless = [{{ table = \"calls\", {on} }}]"), &many(kinds));
        // What nobody can read may speak for 2 and 3; of 4 and 6 it surely is another kind, or none.
        assert_eq!(due(&spared), ["4", "6"], "{literal}");
        for relation in ["unless", "only-if", "with"] {
            let place = place(&format!("{relation} = [{{ table = \"calls\", {on} }}]"), &many(kinds));
            let counted = || report(&place, &["--list", "--format", "json"]).code(0).json()["rules"].clone();
            let narrowed = counted();
            place.sql("CREATE INDEX calls_customer ON calls (customer_id)");
            assert_eq!(counted(), narrowed, "{relation} {literal}");
        }
    }
    // Another type than the literal's, or another collation, leads to no index.
    let refused = |kind: &str, literal: &str| {
        let on = format!("on = \"customer_id = id\", where = \"kind = {literal}\"");
        let place = place(&format!("unless = [{{ table = \"calls\", {on} }}]"), &many([kind, "7", "8"]));
        report(&place, &[]).code(3).says("CREATE INDEX \"calls_customer_id\"");
    };
    refused("TEXT", "7");
    refused("INTEGER", "'7'");
    refused("TEXT COLLATE NOCASE", "'7'");
    refused("", "7");
}

#[test]
fn reasons_name_the_table_that_speaks() {
    let lines = "unless = [{ table = \"orders\", on = \"customer_id = id\" }]";
    let sql = "CREATE TABLE orders (customer_id); INSERT INTO orders VALUES (2);
               CREATE TABLE calls (customer_id, at); INSERT INTO calls VALUES (1, '2020-01-01'), (2, '2020-01-01'), (3, 'x')";
    let place = place(lines, sql);
    let calls = "after = { table = \"calls\", column = \"at\", on = \"customer_id = id\" }";
    let policy = String::from_utf8(place.read("policy.toml")).unwrap().replace("after = 'at'", calls);
    place.write("policy.toml", policy);
    place.sql("INSERT INTO customers VALUES (4, NULL, NULL)");
    let out = report(&place, &["--list"]).code(3).out;
    assert_snapshot!(out, @r#"
    shop, as of 2026-11-20T12:00:00+01:00 in Europe/Copenhagen

     rule  data           keep                   cutoff      due  spared  unrelated  unreadable  note
     a     app.customers  1 year after calls.at  2025-11-19    1       1          1           1  problem

    a (app.customers):
      key  state       event       reason
      1    due         2020-01-01  1 year is over since 2021-01-02 (2,148 days)
      2    spared      2020-01-01  a related row of orders speaks for it (its period ended 2021-01-02)
      3    unreadable  -           the time of a related row of calls cannot be read
      4    unrelated   -           no row is related that would start the clock

    a: oldest event 2020-01-01, overdue by up to 2,148 days

    a: PROBLEM: 1 record of app.customers cannot be read, and so is kept; first: 3 (a related row of calls cannot be read); correct the values, or say in the policy how the column is written (`formats`) and what means empty (`empty`) (policy.toml:16:1)

    1 record is due; 1 record has no clock, for no row starts it. Ended with 3: 1 record of app.customers cannot be read.
    "#);
}
