//! Findings about `[source]`.

use insta::assert_snapshot;

use super::{BASE, found, warned, with};

#[test]
fn a_source_has_a_place() {
    assert_snapshot!(found(&BASE.replace(r#"sqlite = "app.db""#, "ignore = []")), @r#"
    error[missing-key]: source `app` has no `sqlite`
     --> policy.toml:7:1
      |
    7 | [source.app]
      | ^^^^^^^^^^^^
      |
      = help: add a line such as: sqlite = "../data/app.db"
    "#);
}

#[test]
fn a_source_is_no_list() {
    assert_snapshot!(found(&BASE.replace("[source.app]", "[[source]]")), @r#"
    error[wrong-type]: `source` in the policy must be a table, not a list
     --> policy.toml:7:1
      |
    7 | [[source]]
      | ^^^^^^^^^^

    error[unknown-source]: rule `customers` is about `app.customers`, but there is no source `app`
      --> policy.toml:15:8
       |
    15 | data = "app.customers"
       |        ^^^^^^^^^^^^^^^
       |
       = help: add a section [source.app]
    "#);
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    assert_snapshot!(found(&with("[source.app]", r#"sqlite = "${FRIST_NO_SUCH}/app.db""#)), @r#"
    error[unset-variable]: the environment has no variable `FRIST_NO_SUCH`
     --> policy.toml:8:10
      |
    8 | sqlite = "${FRIST_NO_SUCH}/app.db"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: set FRIST_NO_SUCH, or write the path itself
    "#);
}

#[test]
fn a_variable_is_closed() {
    assert_snapshot!(found(&with("[source.app]", r#"sqlite = "${DATA/app.db""#)), @r#"
    error[bad-path]: `${DATA/app.db` opens `${` and does not close it
     --> policy.toml:8:10
      |
    8 | sqlite = "${DATA/app.db"
      |          ^^^^^^^^^^^^^^^
      |
      = help: write the variable as `${NAME}`
    "#);
}

#[test]
fn a_source_has_no_dot_in_its_name() {
    assert_snapshot!(found(&BASE.replace("[activity.sales]", r#"[source."a.b"]
sqlite = "other.db"

[activity.sales]"#)), @r#"
    error[bad-name]: a source cannot be called `a.b`: rules write SOURCE.TABLE
      --> policy.toml:10:9
       |
    10 | [source."a.b"]
       |         ^^^^^
       |
       = help: give it a name without a dot, such as [source.app]
    "#);
}

#[test]
fn two_sources_on_one_file_hide_rules_from_each_other() {
    assert_snapshot!(found(&BASE.replace("[activity.sales]", r#"[source.same]
sqlite = "./x/../app.db"

[activity.sales]"#)), @r#"
    error[same-data]: sources `app` and `same` are the same file
      --> policy.toml:10:9
       |
    10 | [source.same]
       |         ^^^^
       |
       = help: keep one of them

    warning[unused-source]: no rule uses source `same`
      --> policy.toml:10:9
       |
    10 | [source.same]
       |         ^^^^
       |
       = help: write a rule for it, or take the source away
    "#);
}

#[test]
fn a_source_that_no_rule_uses_is_told() {
    assert_snapshot!(warned(&BASE.replace("[activity.sales]", r#"[source.other]
sqlite = "other.db"

[activity.sales]"#)), @r#"
    warning[unused-source]: no rule uses source `other`
      --> policy.toml:10:9
       |
    10 | [source.other]
       |         ^^^^^
       |
       = help: write a rule for it, or take the source away
    "#);
}

#[test]
fn an_ignored_table_says_why() {
    assert_snapshot!(found(&with("[source.app]", r#"ignore = [{ table = "migrations" }]"#)), @r#"
    error[missing-key]: `ignore` of source `app` has no `why`
     --> policy.toml:8:11
      |
    8 | ignore = [{ table = "migrations" }]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: add a line such as: why = "no personal data"
    "#);
}

#[test]
fn a_reason_that_is_still_to_be_written_is_told() {
    let ignore = |why: &str| format!("ignore = [{{ table = \"old*\", why = \"{why}\" }}]");
    assert_snapshot!(warned(&with("[source.app]", &ignore("TODO ask Eva"))), @r#"
    warning[unfinished-reason]: `why` in `ignore` of source `app` is still to be written
     --> policy.toml:8:35
      |
    8 | ignore = [{ table = "old*", why = "TODO ask Eva" }]
      |                                   ^^^^^^^^^^^^^^
      |
      = help: look at what is ignored, and write why it needs no rule, or a rule for it
    "#);
    for told in ["TODO", "see (TODO)", "no people, TODO: really?"] {
        assert!(warned(&with("[source.app]", &ignore(told))).contains("[unfinished-reason]"), "{told}");
    }
    for silent in ["all done", "todo lists of the office", "TODOS", "MYTODO", "the table TODO_LIST"] {
        assert_eq!(warned(&with("[source.app]", &ignore(silent))), "", "{silent}");
    }
    for source in ["csv = \"other/*.csv\"", "files = \"other\""] {
        let more = format!("\n[source.more]\n{source}\nignore = [{{ file = \"a*\", why = \"TODO\" }}]\n");
        let found = warned(&(with("[[rule]]", "") + &more));
        assert!(found.contains("[unfinished-reason]: `why` in `ignore` of source `more`"), "{found}");
    }
}

#[test]
fn an_ignored_table_has_no_rule() {
    assert_snapshot!(found(&with("[source.app]", r#"ignore = [{ table = "customers", why = "no people" }]"#)), @r#"
    error[ignored-table]: `customers` is ignored ("no people"), yet rule `customers` is about it
      --> policy.toml:16:8
       |
    16 | data = "app.customers"
       |        ^^^^^^^^^^^^^^^
       |
       = help: take the table off `ignore`, or the rule away
    "#);
}

#[test]
fn an_unknown_format_is_met_with_the_nearest() {
    assert_snapshot!(found(&with("[source.app]", r#"formats = { ended_at = "unix-m" }"#)), @r#"
    error[bad-format]: `unix-m` is no format of times
     --> policy.toml:8:24
      |
    8 | formats = { ended_at = "unix-m" }
      |                        ^^^^^^^^
      |
      = help: did you mean "unix-ms"?
    "#);
}

#[test]
fn a_strange_format_is_met_with_the_known_ones() {
    assert_snapshot!(found(&with("[source.app]", r#"formats = { ended_at = "sometimes" }"#)), @r#"
    error[bad-format]: `sometimes` is no format of times
     --> policy.toml:8:24
      |
    8 | formats = { ended_at = "sometimes" }
      |                        ^^^^^^^^^^^
      |
      = help: write iso, unix, unix-ms, unix-us, unix-ns, webkit, cocoa, excel-serial, dotnet-ticks, julian-day, a pattern such as "%d-%m-%Y", or { epoch = "1601-01-01", unit = "us" }
    "#);
}

#[test]
fn a_year_of_two_digits_would_be_a_guess() {
    assert_snapshot!(found(&with("[source.app]", r#"formats = { ended_at = "%d/%m/%y" }"#)), @r#"
    error[bad-format]: `%y` has a year of two digits, and its century would be a guess
     --> policy.toml:8:24
      |
    8 | formats = { ended_at = "%d/%m/%y" }
      |                        ^^^^^^^^^^
      |
      = help: say which hundred years it can be: { pattern = "%d.%m.%y", century = "1970" } reads 1970 to 2069
    "#);
}

#[test]
fn a_pattern_that_names_no_day_is_incomplete() {
    assert_snapshot!(found(&with("[source.app]", r#"formats = { ended_at = "%d.%m." }"#)), @r#"
    error[bad-format]: a pattern without a year (`%Y`)
     --> policy.toml:8:24
      |
    8 | formats = { ended_at = "%d.%m." }
      |                        ^^^^^^^^
      |
      = help: write iso, unix, unix-ms, unix-us, unix-ns, webkit, cocoa, excel-serial, dotnet-ticks, julian-day, a pattern such as "%d-%m-%Y", or { epoch = "1601-01-01", unit = "us" }
    "#);
}

#[test]
fn a_format_is_a_text() {
    assert_snapshot!(found(&with("[source.app]", "formats = { ended_at = 5 }")), @r#"
    error[wrong-type]: `ended_at` in `formats` of source `app` must be a format: text in quotes, a table, or a list of these, not a whole number
     --> policy.toml:8:24
      |
    8 | formats = { ended_at = 5 }
      |                        ^
    "#);
}

#[test]
fn times_are_in_a_zone() {
    assert_snapshot!(found(&with("[source.app]", r#"times-in = "Copenhagen""#)), @r#"
    error[unknown-timezone]: there is no timezone `Copenhagen`
     --> policy.toml:8:12
      |
    8 | times-in = "Copenhagen"
      |            ^^^^^^^^^^^^
      |
      = help: did you mean "Europe/Copenhagen"?
    "#);
}

#[test]
fn a_subject_names_a_kind_and_a_column() {
    assert_snapshot!(found(&with("[source.app]", r#"subject = "id""#)), @r#"
    error[bad-value]: `id` does not name a data subject
     --> policy.toml:8:11
      |
    8 | subject = "id"
      |           ^^^^
      |
      = help: write KIND:COLUMN, such as "customer:id"
    "#);
}

#[test]
fn space_is_reclaimed_in_a_known_way() {
    assert_snapshot!(found(&with("[source.app]", r#"reclaim = "often""#)), @r#"
    error[bad-value]: `often` is not a way to reclaim space
     --> policy.toml:8:11
      |
    8 | reclaim = "often"
      |           ^^^^^^^
      |
      = help: write "none", "incremental" or "vacuum"
    "#);
}

#[test]
fn settings_of_a_table_without_a_rule_are_usually_misspelt() {
    let settings = "[source.app.table.costumers]\nempty = [\"never\"]\n\n[activity.sales]";
    assert_snapshot!(warned(&BASE.replace("[activity.sales]", settings)), @r#"
    warning[unused-table]: no rule is about table `costumers` of source `app`
      --> policy.toml:10:1
       |
    10 | [source.app.table.costumers]
       | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean `customers`?
    "#);
}

#[test]
fn a_format_of_a_column_that_no_rule_reads_is_usually_misspelt() {
    let settings = "[source.app.table.customers]\nformats = { ended = \"unix\" }\n\n[activity.sales]";
    assert_snapshot!(warned(&BASE.replace("[activity.sales]", settings)), @r#"
    warning[unused-format]: no rule on table `customers` reads the time in column `ended`
      --> policy.toml:11:13
       |
    11 | formats = { ended = "unix" }
       |             ^^^^^
    "#);
}

#[test]
fn a_limit_stands_in_a_table_and_not_in_its_database() {
    let told = found(&with("[source.app]", "limit = { records = 5 }"));
    assert!(
        told.starts_with("error[bad-value]: source `app` has tables, and a limit is of one of them"),
        "{told}"
    );
    assert!(told.contains("write it into the table: [source.app.table.NAME]"), "{told}");
    let table = "[source.app.table.customers]\nlimit = { records = 5, share = \"10%\" }\n";
    assert_eq!(warned(&BASE.replace("[activity.sales]", &format!("{table}[activity.sales]"))), "");
}
