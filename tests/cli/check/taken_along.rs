//! What goes along with a record: `with`.

use insta::assert_snapshot;

use super::{found, warned, with};

#[test]
fn every_form_is_read() {
    for line in [
        r#"with = [{ table = "orders", on = "customer_id = id" }]"#,
        r#"with = [{ table = "orders" }, { table = "calls", on = "lower(mail) = mail", where = "kind = 'a'" }]"#,
        r#"with = [{ files = "uploads", column = "avatar" }]"#,
        r#"with = [{ files = "storage", path = "{key[0..2]}/{key[2..4]}/{key}" }]"#,
        r#"with = [{ files = "data", path = '{id}/{"file name"}-{{{x[..3]}}}' }]"#,
        r#"with = [{ table = "orders", with = [{ files = "uploads", column = "path" }, { table = "lines" }] }]"#,
    ] {
        assert_eq!(warned(&with("[[rule]]", line)), "", "{line}");
    }
}

#[test]
fn what_cannot_go_along_is_told_with_a_way_out() {
    for (line, what) in [
        (
            r#"with = { table = "orders" }"#,
            "[wrong-type]: `with` in rule `customers` must be a list of tables",
        ),
        (r#"with = [{ }]"#, "[missing-key]: `with` of rule `customers` has no `table`"),
        (r#"with = [{ files = "uploads" }]"#, "[missing-key]: `with` of rule `customers` has no `column`"),
        (r#"with = [{ files = "", column = "a" }]"#, "[bad-path]"),
        (
            r#"with = [{ files = "x", column = "a", path = "{a}" }]"#,
            "[two-kinds]: `with` of rule `customers` has `column` and `path`",
        ),
        (r#"with = [{ files = "x", path = 7 }]"#, "[wrong-type]: `path` in `with` of rule `customers`"),
        (r#"with = [{ table = "orders", path = "{a}" }]"#, "[unknown-key]"),
        (
            r#"with = [{ files = "x", path = "a" }]"#,
            "[bad-path]: `path` in `with` of rule `customers`: no column is in it",
        ),
        (
            r#"with = [{ files = "x", path = "../{a}" }]"#,
            "[bad-path]: `path` in `with` of rule `customers`: it leads out",
        ),
        (r#"with = [{ files = "/", path = "{a}" }]"#, "[refused-folder]: files of `{a}` are refused"),
        (r#"with = [{ table = "orders", column = "a" }]"#, "[unknown-key]"),
        (r#"with = [{ table = "orders", onn = "a = b" }]"#, "[unknown-key]"),
        (r#"with = [{ table = "orders", files = "x", column = "a" }]"#, "[two-kinds]"),
        (r#"with = [{ table = "customers", on = "parent = id" }]"#, "[not-yet-supported]"),
        (r#"with = [{ files = "/", column = "a" }]"#, "[refused-folder]: files of `a` are refused"),
        (
            r#"with = [{ table = "orders", with = [{ table = "lines", wit = [] }] }]"#,
            "in `with` of `with` of rule `customers`",
        ),
    ] {
        let findings = found(&with("[[rule]]", line));
        assert!(findings.contains(what), "{line}: {findings}");
        assert!(findings.contains("= help: ") || what.contains("wrong-type"), "{findings}");
    }
}

#[test]
fn a_path_that_cannot_be_read_is_shown_where_it_goes_wrong() {
    let line = r#"with = [{ files = "x", path = "{key[0..2]}/{key[4..2]}" }, { files = "x" }]"#;
    assert_snapshot!(found(&with("[[rule]]", line)), @r#"
    error[bad-path]: `path` in `with` of rule `customers`: `[4..2]` takes no characters of `key`
      --> policy.toml:14:44
       |
    14 | with = [{ files = "x", path = "{key[0..2]}/{key[4..2]}" }, { files = "x" }]
       |                                            ^^^^^^^^^^^
       |
       = help: write the first character, from 0, and the one behind the last: "{key[0..2]}", "{key[..2]}" or "{key[2..]}"

    error[missing-key]: `with` of rule `customers` has no `column` and no `path`
      --> policy.toml:14:60
       |
    14 | with = [{ files = "x", path = "{key[0..2]}/{key[4..2]}" }, { files = "x" }]
       |                                                            ^^^^^^^^^^^^^^^
       |
       = help: write column = "path" where a column holds the file's path, and path = "{id}/{file_name}" where it is made of columns
    "#);
}

#[test]
fn rows_that_go_along_must_not_spare_others() {
    let along = r#"with = [{ table = "calls", on = "customer_id = id" }]"#;
    let own = r#"unless = [{ table = "calls", on = "customer_id = id" }]"#;
    assert_eq!(warned(&with("[[rule]]", &format!("{along}\n{own}"))), "");
    let foreign = own.replace("customer_id", "manager_id");
    let findings = found(&with("[[rule]]", &format!("{along}\n{foreign}")));
    let what = "error[evidence-goes-first]: rows of `calls` go along with records of app.customers, and speak for records \
                of rule `customers`";
    assert!(findings.contains(what), "{findings}");
    let pairs = |on: &str| {
        along.replace("\"customer_id = id\"", on)
            + "\n"
            + &own.replace("\"customer_id = id\"", "[\"tenant = tenant\", \"customer_id = id\"]")
    };
    let same = pairs("[\"customer_id = id\", \"tenant = tenant\"]");
    assert_eq!(warned(&with("[[rule]]", &same)), "", "in whatever order");
    let wider = found(&with("[[rule]]", &pairs("\"customer_id = id\"")));
    assert!(wider.contains(what), "{wider}");
    let other = "[[rule]]\nname = \"leads\"\ndata = \"app.leads\"\nkeep = \"1 year\"\n\
                 after = { table = \"calls\", column = \"at\", on = \"lead_id = id\" }\n";
    assert_eq!(warned(&(with("[[rule]]", along) + other)), "", "what they start goes on from a note");
}

#[test]
fn only_rows_of_a_database_take_others_along() {
    let text =
        super::BASE.replace("sqlite = \"app.db\"", "csv = \"log.csv\"").replace("app.customers", "app");
    let text = text.replace("[[rule]]", "[[rule]]\nwith = [{ table = \"orders\" }]");
    let findings = found(&text);
    assert!(findings.contains("error[bad-value]: `with` of rule `customers` needs a database"), "{findings}");
}

#[test]
fn files_are_not_taken_from_where_a_source_lies() {
    for (folder, source) in [("data", "sqlite = \"data/app.db\""), ("data/x/..", "sqlite = \"data/app.db\"")]
    {
        let text = with("[[rule]]", &format!("with = [{{ files = \"{folder}\", column = \"a\" }}]"));
        let findings = found(&text.replace("sqlite = \"app.db\"", source));
        let what = "error[refused-folder]: files of `a` are refused: source `app` lies in the same folder";
        assert!(findings.contains(what), "{findings}");
    }
    let uploads = "\n[source.uploads]\nfiles = \"uploads/pictures\"\n[[rule]]\nname = \"p\"\ndata = \"uploads\"\n\
                   keep = \"1 year\"\nafter = \"modified\"\n";
    for folder in ["uploads", "uploads/pictures", "uploads/pictures/small"] {
        let text = with("[[rule]]", &format!("with = [{{ files = \"{folder}\", column = \"a\" }}]"));
        assert!(found(&(text + uploads)).contains("source `uploads` lies in the same folder"), "{folder}");
    }
}
