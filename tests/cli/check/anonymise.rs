//! `then = "anonymise"` and `set` in a policy.

use super::{BASE, found, warned, with};

/// The rule of the valid policy, anonymising.
fn setting(set: &str) -> String {
    with("[[rule]]", &format!("then = \"anonymise\"\nset = {{ {set} }}"))
}

#[track_caller]
fn refused(text: &str, error: &str) -> String {
    let findings = found(text);
    assert!(findings.contains(&format!("error{error}")), "{error}: {findings}");
    assert_eq!(findings.matches("error[").count(), 1, "{findings}");
    assert!(findings.contains("= help: ") || error.starts_with("[wrong-type]"), "{findings}");
    findings
}

#[test]
fn every_form_is_understood() {
    let forms =
        r#"a = "remove", b = "year", c = "month", d = "truncate", e = "text:[removed]", f = "text: ""#;
    assert_eq!(warned(&setting(forms)), "");
}

#[test]
fn other_forms_are_not() {
    for (form, error) in [
        ("\"removed\"", "[bad-value]: `removed` is nothing to set a column to"),
        ("\"null\"", "[bad-value]: `null` is nothing to set a column to"),
        ("\"text\"", "[bad-value]: `text` is nothing to set a column to"),
        ("\"text:\"", "[bad-value]: `text:` of `name` has no text"),
        ("\"text:a\\u0000b\"", "[bad-value]: a text ends at a NUL character"),
        ("1", "[wrong-type]: `name` in `set` of rule `customers` must be text in quotes"),
    ] {
        refused(&setting(&format!("name = {form}")), error);
    }
    assert!(found(&setting("name = \"removed\"")).contains("did you mean \"remove\"?"));
    refused(&setting(""), "[bad-value]: `set` of rule `customers` sets no column");
    refused(
        &with("[[rule]]", "then = \"anonymise\""),
        "[missing-key]: rule `customers` anonymises, and has no `set`",
    );
    refused(
        &with("[[rule]]", "then = \"anonymise\"\nset = \"name\""),
        "[wrong-type]: `set` in rule `customers`",
    );
    for then in ["", "then = \"delete\"\n"] {
        let text = with("[[rule]]", &format!("{then}set = {{ name = \"remove\" }}"));
        refused(&text, "[bad-value]: rule `customers` has `set`, and deletes");
    }
    refused(
        &with("[[rule]]", "then = \"anonymize\""),
        "[bad-value]: `anonymize` is nothing that can be done",
    );
}

#[test]
fn files_have_no_columns_to_set() {
    let text = setting("name = \"remove\"")
        .replace("sqlite = \"app.db\"", "files = \"backups\"")
        .replace("app.customers", "app")
        .replace("after = \"ended_at\"", "after = \"modified\"");
    refused(&text, "[bad-value]: rule `customers` cannot anonymise files: they have no columns");
}

#[test]
fn a_column_that_decides_about_records_cannot_be_set() {
    let reads = |column: &str, by: &str, text: &str| {
        let findings = refused(
            text,
            &format!("[set-column-read]: rule `customers` sets `{column}`, which is read by {by}"),
        );
        assert!(findings.contains(&format!("{column} = ")), "{findings}");
    };
    let set = |column: &str| setting(&format!("name = \"remove\", {column} = \"remove\""));
    let other = "\n[[rule]]\nname = \"other\"\ndata = \"app.customers\"\nkeep = \"2 years\"\n";
    reads("ended_at", "`after` of rule `customers`", &set("ended_at"));
    reads(
        "began",
        "`after` of rule `other`",
        &(set("began") + other + "after = { latest = [\"ended_at\", \"began\"] }\n"),
    );
    reads(
        "kind",
        "`when` of rule `other`",
        &(set("kind") + other + "after = \"ended_at\"\nwhen = \"kind = 'x'\"\n"),
    );
    let unless = "after = \"ended_at\"\nunless = [{ table = \"orders\", on = \"customer = mail\" }]\n";
    reads("mail", "`on` of rule `other`", &(set("mail") + other + unless));
    let orders = "\n[[rule]]\nname = \"orders\"\ndata = \"app.orders\"\nkeep = \"2 years\"\nafter = ";
    for (column, relation) in [
        ("number", "on = \"number = customer\""),
        ("vip", "on = \"id = customer\", where = \"vip = 1\""),
        ("left_at", "on = \"id = customer\""),
    ] {
        let after = format!("{{ table = \"customers\", column = \"left_at\", {relation} }}\n");
        reads(column, "a relation of rule `orders`", &(set(column) + orders + &after));
    }
    let table = "\n[source.app.table.customers]\nsubject = \"customer:cpr\"\nkey = [\"number\"]\n";
    reads("cpr", "`subject` of source `app`", &(set("cpr") + table));
    reads("number", "`key` of source `app`", &(set("number") + table));
    // Another table may well have columns of the same names.
    let elsewhere =
        other.replace("app.customers", "app.people") + "after = \"name\"\nwhen = \"name = 'x'\"\n";
    assert_eq!(warned(&(setting("name = \"remove\"") + &elsewhere)), "");
}

#[test]
fn what_has_a_pseudonym_must_be_deleted_some_day() {
    let text = setting("name = \"remove\", phone = \"pseudonym\"");
    let warning = warned(&text);
    let words = "warning[pseudonym-stays]: rule `customers` writes pseudonyms, and no rule deletes the records of app.customers";
    assert!(warning.contains(words), "{warning}");
    let later =
        "\n[[rule]]\nname = \"gone\"\ndata = \"app.customers\"\nkeep = \"5 years\"\nafter = \"ended_at\"\n";
    assert_eq!(warned(&(text.clone() + later)), "");
    assert!(warned(&(text + later + "enforce = false\n")).contains("[pseudonym-stays]"));
}

#[test]
fn a_promise_that_data_is_gone_can_be_kept_by_anonymising_and_not_by_a_pseudonym() {
    let promise = |set: &str| setting(set) + "gone-within = \"2 years\"\n";
    assert_eq!(warned(&promise("name = \"remove\"")), "");
    let gone =
        "\n[[rule]]\nname = \"gone\"\ndata = \"app.customers\"\nkeep = \"5 years\"\nafter = \"ended_at\"\n";
    let findings = found(&(promise("name = \"pseudonym\"") + gone));
    assert!(findings.contains("data under a pseudonym stays personal"), "{findings}");
}

#[test]
fn a_csv_file_must_be_able_to_hold_what_is_set() {
    let csv = |keys: &str, set: &str| {
        setting(set)
            .replace("sqlite = \"app.db\"", &format!("csv = \"*.csv\"\n{keys}"))
            .replace("app.customers", "app")
    };
    for way in ["lock", "copytruncate"] {
        let keys = format!("rewrite = \"{way}\"");
        refused(
            &csv(&keys, "name = \"text:[removed]\""),
            "[cannot-grow]: `set` of rule `customers` may make lines longer",
        );
        assert_eq!(warned(&csv(&keys, "name = \"remove\", born = \"year\", ip = \"truncate\"")), "");
    }
    let plain = "quote = \"\"\ndelimiter = \";\"";
    refused(
        &csv(plain, "name = \"text:a;b\""),
        "[bad-value]: `set` of rule `customers` cannot be written in files without quotes",
    );
    refused(
        &csv("quote = \"\"\ndelimiter = \":\"", "name = \"pseudonym\"")
            .replace("keep = \"1 year\"", "keep = \"1 year\"\nenforce = true"),
        "[bad-value]: `set` of rule `customers` cannot be written",
    );
    assert_eq!(warned(&csv(plain, "name = \"text:a,b\"")), "");
}

#[test]
fn a_law_s_period_is_compared_with_anonymising_too() {
    let text = setting("name = \"remove\"")
        .replace("purpose = \"Sales\"", "purpose = \"Sales\"\nlaw = \"dk:bogfoeringsloven-12\"");
    let text = text.replace("timezone", "financial-year-ends = \"12-31\"\ntimezone");
    assert!(BASE.contains("purpose = \"Sales\""));
    assert!(found(&text).contains("rule `customers`"), "{}", found(&text));
}

#[test]
fn nothing_goes_along_with_a_record_that_stays() {
    let text = setting("name = \"remove\"") + "with = [{ table = \"orders\", on = \"customer = id\" }]\n";
    refused(&text, "[bad-value]: rule `customers` has `with`, and anonymises");
}
