//! References that are emptied in rows that stay: `set-null`.

use super::{Place, found, warned, with};

const PAGES: &str = r#"set-null = [{ table = "pages", column = "author" }]"#;

#[test]
fn every_form_is_read() {
    for line in [
        PAGES,
        r#"set-null = [{ table = "app.pages", column = "author", on = "author = id", where = "kind = 'note'" }]"#,
        r#"set-null = [{ table = "customers", column = "parent" }, { table = "pages", column = "author" }]"#,
    ] {
        assert_eq!(warned(&with("[[rule]]", line)), "", "{line}");
    }
}

#[test]
fn what_cannot_let_go_is_told_with_a_way_out() {
    for (line, what) in [
        (
            r#"set-null = { table = "pages", column = "author" }"#,
            "[wrong-type]: `set-null` in rule `customers`",
        ),
        (
            r#"set-null = [{ column = "author" }]"#,
            "[missing-key]: `set-null` of rule `customers` has no `table`",
        ),
        (
            r#"set-null = [{ table = "pages" }]"#,
            "[missing-key]: `set-null` of rule `customers` has no `column`",
        ),
        (r#"set-null = [{ table = "pages", column = "author", onn = "a = b" }]"#, "[unknown-key]"),
        (r#"set-null = [{ table = "pages", column = "author", on = "a" }]"#, "[bad-relation]"),
        (r#"set-null = [{ table = "pages", column = "author", where = "a =" }]"#, "[bad-condition]"),
        (
            r#"set-null = [{ table = "crm.pages", column = "author" }]"#,
            "[bad-value]: `set-null` of rule `customers` reaches into `crm`",
        ),
        (r#"set-null = [{ table = "", column = "author" }]"#, "[bad-value]"),
    ] {
        let findings = found(&with("[[rule]]", line));
        assert!(findings.contains(what), "{line}: {findings}");
    }
    let text = with("[[rule]]", &format!("{PAGES}\nthen = \"anonymise\"\nset = {{ name = \"remove\" }}"));
    assert!(found(&text).contains("[bad-value]: rule `customers` has `set-null`, and anonymises"));
    let csv = super::BASE.replace("sqlite = \"app.db\"", "csv = \"log.csv\"").replace("app.customers", "app");
    let csv = csv.replace("[[rule]]", &format!("[[rule]]\n{PAGES}"));
    assert!(found(&csv).contains("[bad-value]: `set-null` of rule `customers` needs a database"));
}

/// An empty column would change what is said of rows that stay.
#[test]
fn a_column_that_anything_reads_is_not_emptied() {
    let pages = |lines: &str| {
        format!("\n[[rule]]\nname = \"pages\"\ndata = \"app.pages\"\nkeep = \"1 year\"\n{lines}\n")
    };
    for (lines, reader) in [
        ("after = \"author\"", "`after` of rule `pages`"),
        ("after = \"at\"\nwhen = \"author is null\"", "`when` of rule `pages`"),
        ("after = \"at\"\nunless = [{ table = \"staff\", on = \"id = author\" }]", "`on` of rule `pages`"),
        ("after = \"at\"\nwith = [{ table = \"drafts\", on = \"id = author\" }]", "`with` of rule `pages`"),
    ] {
        let findings = found(&(with("[[rule]]", PAGES) + &pages(lines)));
        let what =
            format!("[set-column-read]: rule `customers` empties `pages.author`, which is read by {reader}");
        assert!(findings.contains(&what), "{findings}");
    }
    assert_eq!(warned(&(with("[[rule]]", PAGES) + &pages("after = \"at\""))), "");
    for (own, reader) in [
        ("unless = [{ table = \"pages\", on = \"author = id\" }]", "a relation of rule `customers`"),
        ("with = [{ table = \"pages\", on = \"author = id\" }]", "`with` of rule `customers`"),
    ] {
        let findings = found(&with("[[rule]]", &format!("{PAGES}\n{own}")));
        assert!(findings.contains(&format!("which is read by {reader}")), "{findings}");
    }
    let two = r#"set-null = [{ table = "pages", column = "author" }, { table = "pages", column = "editor", on = "editor = id", where = "author = 3" }]"#;
    assert!(found(&with("[[rule]]", two)).contains("which is read by `set-null` of rule `customers`"));
}

#[test]
fn check_data_knows_what_lets_go_and_what_cannot() {
    let place = Place::new();
    place.sql(
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, ended_at TEXT);
         CREATE TABLE pages (id INTEGER PRIMARY KEY, author INTEGER REFERENCES customers (id), need INTEGER NOT NULL);
         INSERT INTO pages VALUES (1, NULL, 1)",
    );
    let ignored = |text: String| text.replace("[[rule]]", "[[rule]]\nenforce = true");
    place.write("policy.toml", ignored(with("[[rule]]", "")));
    let check = |code| place.frist(&["check", "--data", "policy.toml"]).code(code);
    check(0).says("no rule deletes rows of `pages`, and so rule `customers` keeps the rows of `customers` that they name");
    place.write("policy.toml", ignored(with("[[rule]]", PAGES)));
    assert!(!check(0).out.contains("no rule deletes rows of `pages`, and so"));
    let need = PAGES.replace("author", "need\", on = \"need = id");
    place.write("policy.toml", ignored(with("[[rule]]", &need)));
    check(1).says("`need` of table `pages` cannot be emptied: it may not be null");
}
