//! Several policies checked together, folders of them, and the ways in which output is asked for.

use insta::assert_snapshot;

use super::{BASE, Place, with};

/// A folder `policies` with two policies of these texts.
fn two(first: &str, second: &str) -> Place {
    let place = Place::new();
    place.write("policies/a.toml", first);
    place.write("policies/b.toml", second);
    place
}

fn renamed(name: &str) -> String {
    BASE.replace("\"shop\"", &format!("\"{name}\""))
}

#[test]
fn two_policies_on_one_table_hide_rules_from_each_other() {
    let other = renamed("crm").replace("name = \"customers\"", "name = \"people\"");
    let place = two(BASE, &other.replace("app.db", "../policies/app.db"));
    assert_snapshot!(place.frist(&["check", "policies"]).code(1).out, @r#"
    error[same-data]: rule `people` and rule `customers` of policies/a.toml are about the same table
      --> policies/b.toml:15:8
       |
    15 | data = "app.customers"
       |        ^^^^^^^^^^^^^^^
       |
       = help: rules on one table belong into one policy, where the longest wins

    2 policies: 1 error
    "#);
}

/// The rule that is about them could not keep them.
#[test]
fn what_goes_along_in_one_policy_is_not_the_data_of_another() {
    let taking = with("[[rule]]", "with = [{ table = \"users\", on = \"customer = id\" }]");
    let about = renamed("crm")
        .replace("app.customers", "app.users")
        .replace("name = \"customers\"", "name = \"users\"");
    for (first, second) in [(&taking, &about), (&about, &taking)] {
        let out = two(first, second).frist(&["check", "policies"]).code(1).out;
        let what = "error[same-data]: rule `customers` of policies/";
        assert!(
            out.contains(what) && out.contains("takes rows of `users` along, and rule `users` of policies/"),
            "{out}"
        );
        assert!(out.contains("--> policies/b.toml"), "{out}");
    }
}

/// What one policy deletes, another does not note.
#[test]
fn what_starts_clocks_in_one_policy_is_not_deleted_by_another() {
    let after = "after = { table = \"calls\", column = \"at\", on = \"customer_id = id\" }";
    let reading = BASE.replace("after = \"ended_at\"", after);
    assert_ne!(reading, BASE);
    let deleting = renamed("crm")
        .replace("app.customers", "app.calls")
        .replace("name = \"customers\"", "name = \"calls\"");
    for (first, second) in [(&reading, &deleting), (&deleting, &reading)] {
        let out = two(first, second).frist(&["check", "policies"]).code(1).out;
        let what = "error[same-data]: rule `customers` reads the clock of its records from rows of `calls`, which rule \
                    `calls` of policies/";
        assert!(out.contains(what) && out.contains("--> policies/b.toml"), "{out}");
    }
    let elsewhere = deleting.replace("app.db", "other.db");
    assert!(!two(&reading, &elsewhere).frist(&["check", "policies"]).out.contains("same-data"));
    let spared = with("[[rule]]", "unless = [{ table = \"calls\", on = \"customer_id = id\" }]");
    assert!(!two(&spared, &deleting).frist(&["check", "policies"]).out.contains("same-data"));
}

#[test]
fn two_policies_have_two_names() {
    let place = two(BASE, &BASE.replace("app.db", "other.db"));
    assert_snapshot!(place.frist(&["check", "policies/a.toml", "policies/b.toml"]).code(1).out, @r#"
    error[duplicate-name]: policies/a.toml is called `shop` too
     --> policies/b.toml:4:8
      |
    4 | name = "shop"
      |        ^^^^^^
      |
      = help: give each policy a name of its own

    2 policies: 1 error
    "#);
}

#[test]
fn a_folder_is_its_toml_files_in_the_order_of_their_names() {
    let place = two(&renamed("one"), &renamed("two").replace("app.db", "two.db"));
    place.write("policies/notes.txt", "not a policy");
    place.write("policies/deeper/c.toml", "not read");
    place.frist(&["check", "policies"]).code(0).says("2 policies with 2 rules: no problem found");
    place.write("policies/a.toml", "version = 1");
    place.write("policies/b.toml", "version = 1");
    let out = place.frist(&["check", "policies"]).code(1).out;
    assert!(out.find("policies/a.toml").unwrap() < out.find("policies/b.toml").unwrap(), "{out}");
}

#[test]
fn one_policy_named_twice_is_two_policies_of_one_name() {
    let place = Place::new();
    place.write("policy.toml", BASE);
    place.frist(&["check", "policy.toml", "./policy.toml"]).code(1).says("policy.toml is called `shop` too");
}

#[test]
fn warnings_count_as_errors_on_request() {
    let place = Place::new();
    place.write("policy.toml", with("[[rule]]", "enforce = false"));
    place.frist(&["check", "policy.toml"]).code(0).says("1 policy with 1 rule: 1 warning");
    place.frist(&["check", "--deny-warnings", "policy.toml"]).code(1).says("1 warning");
    place.frist(&["report", "policy.toml"]).code(3).does_not_say("warning");
}

#[test]
fn json_has_every_field_with_lines_and_columns_in_characters() {
    let place = Place::new();
    place.write("policy.toml", with("[[rule]]", r#"when = "størrelse = 'Ærø' og x = 1""#));
    let out = place.frist(&["check", "--format", "json", "policy.toml"]).code(1).out;
    assert_snapshot!(out.trim_end(), @r#"{"format":"frist.check/1","findings":[{"code":"bad-condition","severity":"error","message":"expected `and`, `or` or the end, found `og`","file":"policy.toml","line":14,"column":27,"end_line":14,"end_column":29,"help":"did you mean `or`?"}],"errors":1,"warnings":0}"#);
}

#[test]
fn a_finding_over_several_lines_has_its_end_in_json() {
    let place = Place::new();
    place.write("policy.toml", with("[[rule]]", "keep = [\n \"1 år\",\n]"));
    let json = place.frist(&["check", "--format", "json", "policy.toml"]).code(1).json();
    let finding = &json["findings"][0];
    assert_eq!(
        [&finding["line"], &finding["column"], &finding["end_line"], &finding["end_column"]],
        [17, 8, 19, 2]
    );
}

#[test]
fn json_of_a_sound_policy_is_empty_and_of_a_missing_one_has_no_place() {
    let place = Place::new();
    place.write("policy.toml", BASE);
    let ran = place.frist(&["check", "--format", "json", "policy.toml"]).code(0);
    assert_eq!(ran.out, "{\"format\":\"frist.check/1\",\"findings\":[],\"errors\":0,\"warnings\":0}\n");
    let json = place.frist(&["check", "--format", "json", "nowhere.toml"]).code(2).json();
    assert_eq!(json["findings"][0]["code"], "cannot-open");
    assert_eq!(json["findings"][0]["file"], "nowhere.toml");
    assert!(json["findings"][0]["line"].is_null());
}

#[test]
fn output_goes_into_files_as_well() {
    let place = Place::new();
    place.write("policy.toml", with("[policy]", "zebra = 1"));
    let files = ["--output", "json=found.json", "--output", "text=found.txt"];
    let ran = place.frist(&[&["check", "policy.toml"][..], &files].concat()).code(1);
    assert_eq!(place.read("found.txt"), ran.out.as_bytes());
    let json: serde_json::Value = serde_json::from_slice(&place.read("found.json")).unwrap();
    assert_eq!(json["errors"], 1);
}

#[test]
fn quietly_only_what_is_wrong_is_said() {
    let place = Place::new();
    place.write("policy.toml", BASE);
    assert_eq!(place.frist(&["check", "-q", "policy.toml"]).code(0).out, "");
    place.write("policy.toml", with("[policy]", "zebra = 1"));
    let ran = place.frist(&["check", "-q", "policy.toml"]).code(1).says("unknown key `zebra`");
    ran.does_not_say("1 policy");
}
