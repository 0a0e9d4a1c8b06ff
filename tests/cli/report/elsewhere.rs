//! Rules whose related rows are in another source: which row belongs to which record, and what
//! happens where nobody can say.

use insta::assert_snapshot;

use super::{Place, policy, report, rule};

const UNLESS: &str = "unless = [{ table = \"calls\", on = \"customer = id\" }]\n";

/// A place with these customers, all of 2020, and files of calls that spare them.
fn place(lines: &str, ids: &str, calls: &str) -> Place {
    let place = Place::new();
    let text = policy("shop", &(rule("a", "customers", "1 year", "at") + lines));
    place.write(
        "policy.toml",
        text.replace("[source.app]", "[source.calls]\ncsv = \"calls*.csv\"\n\n[source.app]"),
    );
    place.write("calls.csv", calls);
    place.sql(&format!(
        "CREATE TABLE customers (id, at TEXT DEFAULT '2020-01-01'); INSERT INTO customers (id) VALUES {ids}"
    ));
    place
}

/// The row numbers of the due customers.
fn due(place: &Place) -> String {
    let json = report(place, &["--list", "--format", "json"]).code(0).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    let due = records.iter().filter(|record| record["state"] == "due");
    due.map(|record| record["key"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn keys_are_compared_as_texts_byte_by_byte() {
    let ids = "(7), ('7'), (7.0), ('07'), (' 7'), ('7.0'), (NULL), (''), ('Å'), ('å')";
    assert_eq!(due(&place(UNLESS, ids, "customer\n7\n")), "4 5 6 7 8 9 10");
    assert_eq!(due(&place(UNLESS, ids, "customer\n\"\"\n7.0\nå\n\n")), "1 2 3 4 5 7 8 9");
    let trimmed = UNLESS.replace("customer = id", "trim(customer) = trim(id)");
    assert_eq!(due(&place(&trimmed, ids, "customer,x\n\" 7  \",\n\"  \",\n")), "4 6 7 8 9 10");
    let lower = UNLESS.replace("customer = id", "lower(customer) = lower(id)");
    assert_eq!(due(&place(&lower, "('aB'), ('Å'), ('å'), ('b')", "customer\nAb\nÅ\n")), "3 4");
}

#[test]
fn keys_of_several_columns_are_equal_where_each_of_them_is() {
    let of = |calls: &str| {
        let both = UNLESS.replace("\"customer = id\"", "[\"tenant = trim(tenant)\", \"customer = id\"]");
        let place = place(&both, "(1), (23), (12), (3), (NULL), (x'37'), (7)", calls);
        place.sql(
            "ALTER TABLE customers ADD tenant; UPDATE customers SET tenant = iif(id = 7, NULL, ' 1 ');
                   UPDATE customers SET tenant = '12' WHERE id = 3",
        );
        due(&place)
    };
    // A blob may be any number, and whose it is says one of the two.
    assert_eq!(of("tenant,customer\n1,23\n"), "1 3 4 5 7");
    assert_eq!(of("customer,tenant\n3,12\n1,1\n,1\n7,\n"), "2 3 5 7");
    assert_eq!(of("customer,tenant\n3,1\n1,12\n"), "1 2 3 4 5 7");
}

#[test]
fn a_key_that_nobody_can_read_keeps_its_record() {
    let ids = "(x'37'), (7.5), (1e300), (8)";
    let place = place(UNLESS, ids, "customer\n7\n");
    assert_eq!(due(&place), "4");
    let out = report(&place, &["--list"]).code(0).out;
    assert!(out.contains("1    spared  2020-01-01"), "{out}");
}

#[test]
fn reasons_name_the_source_that_speaks() {
    let out = report(&place(UNLESS, "(1), (2)", "customer\n2\n"), &["--list"]).code(0).out;
    assert!(
        out.contains(
            "2    spared  2020-01-01  a related row of calls speaks for it (its period ended 2021-01-02)"
        ),
        "{out}"
    );
}

/// What the report of a place says is wrong.
fn problem(place: &Place) -> String {
    let out = report(place, &[]).code(3).says("No record that can be read is due. Ended with 3: ").out;
    out.lines().find(|line| line.contains("PROBLEM")).unwrap_or_default().to_owned()
}

#[test]
fn without_the_related_rows_nothing_is_due_and_nothing_is_deleted() {
    let missing = place(UNLESS, "(1)", "customer\n");
    std::fs::remove_file(missing.path("calls.csv")).unwrap();
    let torn = place(UNLESS, "(1)", "customer,kind\n2,a\n3\n");
    let open_quote = place(UNLESS, "(1)", "customer,kind\n2,\"a\n3,b\n");
    let renamed = place(UNLESS, "(1)", "custmer\n2\n");
    let told: Vec<String> = [&missing, &torn, &open_quote, &renamed]
        .into_iter()
        .map(|place| problem(place).replace(place.path("").to_str().unwrap(), "/"))
        .collect();
    assert_snapshot!(told.join("\n"), @"
    a: PROBLEM: the related rows of calls cannot be read, and so nothing is deleted: no file matches ./calls*.csv; relative paths start at the policy's folder, or at --root (policy.toml:20:21)
    a: PROBLEM: the related rows of calls cannot be read, and so nothing is deleted: calls.csv:3 is no proper record (it has more or fewer fields than the header); correct the line (policy.toml:20:21)
    a: PROBLEM: the related rows of calls cannot be read, and so nothing is deleted: calls.csv:2 is no proper record (its quote is not closed); correct the line (policy.toml:20:21)
    a: PROBLEM: the related rows of calls cannot be read, and so nothing is deleted: /calls.csv has no column `customer`; did you mean `custmer`? (policy.toml:20:21)
    ");
    for place in [&missing, &torn, &open_quote, &renamed] {
        let purge = ["purge", "policy.toml", "--yes"];
        place.frist(&purge).code(3).says("failed").says("0 records deleted");
        assert_eq!(place.number("SELECT count(*) FROM customers"), 1);
    }
}

#[test]
fn a_database_that_does_not_say_whom_its_rows_belong_to_stops_the_rule() {
    let place = place(&UNLESS.replace("\"calls\"", "\"crm.calls\""), "(1)", "customer\n");
    let text = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write(
        "policy.toml",
        text.replace("[source.calls]\ncsv = \"calls*.csv\"", "[source.crm]\nsqlite = \"crm.db\""),
    );
    let told = |sql: &str| {
        let _ = std::fs::remove_file(place.path("crm.db"));
        rusqlite::Connection::open(place.path("crm.db")).unwrap().execute_batch(sql).unwrap();
        problem(&place)
    };
    let told = [
        told("CREATE TABLE calls (customer); INSERT INTO calls VALUES (2), (x'31')"),
        told("CREATE TABLE calls (customer); INSERT INTO calls VALUES (1.5)"),
        told("CREATE TABLE cals (customer)"),
        told("CREATE TABLE calls (customr)"),
    ];
    assert_snapshot!(told.join("\n"), @"
    a: PROBLEM: the related rows of crm.calls cannot be read, and so nothing is deleted: a row of table `calls` has a blob or a fraction in `customer`, and nobody can say which record it belongs to; correct it, or relate another column (policy.toml:20:21)
    a: PROBLEM: the related rows of crm.calls cannot be read, and so nothing is deleted: a row of table `calls` has a blob or a fraction in `customer`, and nobody can say which record it belongs to; correct it, or relate another column (policy.toml:20:21)
    a: PROBLEM: the related rows of crm.calls cannot be read, and so nothing is deleted: the database has no table `calls`; did you mean `cals`? (policy.toml:20:21)
    a: PROBLEM: the related rows of crm.calls cannot be read, and so nothing is deleted: table `calls` has no column `customer`; did you mean `customr`? (policy.toml:20:21)
    ");
    std::fs::write(
        place.path("crm.db"),
        "no database, but long enough to be looked at as one, for it has many bytes and more",
    )
    .unwrap();
    assert!(problem(&place).contains("crm.db"), "{}", problem(&place));
    std::fs::remove_file(place.path("crm.db")).unwrap();
    assert!(
        problem(&place).contains("the related rows of crm.calls cannot be read, and so nothing is deleted")
    );
}

#[test]
fn a_view_of_another_database_speaks_too_and_stays_as_it_is() {
    let place = place(&UNLESS.replace("\"calls\"", "\"crm.recent\""), "(1), (2)", "customer\n");
    let text = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write(
        "policy.toml",
        text.replace("[source.calls]\ncsv = \"calls*.csv\"", "[source.crm]\nsqlite = \"crm.db\""),
    );
    rusqlite::Connection::open(place.path("crm.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE calls (customer, kind); INSERT INTO calls VALUES (1, 'a'), (2, 'b');
                        CREATE VIEW recent AS SELECT customer FROM calls WHERE kind = 'a'",
        )
        .unwrap();
    let before = place.snapshot();
    assert_eq!(due(&place), "2");
    assert_eq!(place.snapshot(), before);
}

#[test]
fn lines_of_a_file_are_kept_as_long_as_another_file_s_lines_say() {
    let place = Place::new();
    let rule = "[[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = { table = \"schools\", column = \"keep\", on = \"id = school\", unit = \"months\", at-most = \"1 year\" }\nafter = \"at\"\n";
    let sources = "[source.log]\ncsv = \"log.csv\"\n\n[source.schools]\ncsv = \"schools.csv\"";
    place.write("policy.toml", policy("shop", rule).replace("[source.app]\nsqlite = \"app.db\"", sources));
    place.write("schools.csv", "id,keep\na,1\na,2\nb,\nc,1\nc,many\nd,99\n");
    place.write("log.csv", "school,at\na,2026-09-19\na,2026-09-20\nb,2000-01-01\nc,2000-01-01\nd,2025-11-19\nd,2025-11-20\ne,2000-01-01\n,2000-01-01\n");
    let json = report(&place, &["--list", "--all", "--format", "json"]).code(3).json();
    let records = json["rules"][0]["records"].as_array().unwrap();
    let states: Vec<&str> = records.iter().map(|record| record["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["due", "running", "waiting", "unreadable", "due", "running", "waiting", "waiting"]);
    assert_eq!(json["rules"][0]["keep"], "schools.keep months, at most 1 year");
    let (policy, now) = (place.arg("policy.toml"), "2026-11-20T12:00:00Z");
    let json = place.frist_at(now, &["purge", &policy, "--yes", "--format", "json"], None).code(3).json();
    assert_eq!(json["totals"]["deleted"], 2);
    assert_eq!(
        place.read("log.csv"),
        b"school,at\na,2026-09-20\nb,2000-01-01\nc,2000-01-01\nd,2025-11-20\ne,2000-01-01\n,2000-01-01\n"
    );
}

#[test]
fn related_rows_that_an_earlier_rule_deleted_speak_no_more() {
    let first = "[[rule]]\nname = \"calls\"\ndata = \"calls\"\nkeep = \"1 year\"\nafter = \"at\"\n";
    let place = place(UNLESS, "(1), (2)", "customer,at\n1,2020-01-01\n2,2026-11-01\n");
    let text = String::from_utf8(place.read("policy.toml")).unwrap();
    let now = "2026-11-20T12:00:00Z";
    place.write("policy.toml", text.replacen("\n[[rule]]", &format!("\n{first}\n[[rule]]"), 1));
    let (policy, purge) = (place.arg("policy.toml"), ["--yes", "--format", "json"]);
    let json = place.frist_at(now, &[&["purge", policy.as_str()][..], &purge].concat(), None).code(0).json();
    assert_eq!(json["rules"][0]["deleted"], 1, "{json}");
    // Counted before, customer 1 was spared; its rule is asked again, for others have cleared the way.
    assert_eq!([&json["rules"][1]["due"], &json["rules"][1]["deleted"]], [0, 1], "{json}");
    assert_eq!(place.number("SELECT id FROM customers"), 2);
}

#[test]
fn rows_that_refer_to_a_record_are_judged_by_the_other_source_too() {
    let of_orders = rule("orders", "orders", "1 year", "at") + UNLESS;
    let place = place("", "(1), (2)", "customer\n12\n");
    let text = String::from_utf8(place.read("policy.toml")).unwrap();
    place.write("policy.toml", text + &of_orders);
    place.sql(
        "CREATE TABLE kept (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO kept SELECT * FROM customers;
         DROP TABLE customers; ALTER TABLE kept RENAME TO customers;
         CREATE TABLE orders (id INTEGER PRIMARY KEY, of INTEGER REFERENCES customers, at TEXT);
         INSERT INTO orders VALUES (11, 1, '2020-01-01'), (12, 2, '2020-01-01')",
    );
    assert_eq!(due(&place), "1", "the order of customer 2 is spared, and keeps the customer");
    let policy = place.arg("policy.toml");
    let purge = ["purge", policy.as_str(), "--yes", "--format", "json"];
    let json = place.frist_at("2026-11-20T12:00:00Z", &purge, None).code(0).json();
    assert_eq!(json["totals"]["deleted"], 2, "{json}");
    assert_eq!(place.number("SELECT id FROM customers"), 2);
    assert_eq!(place.number("SELECT id FROM orders"), 12);
}
