//! CSV files as other programs write them: encodings, titles, line ends, and what cannot be read.

use serde_json::Value;

use super::support::{Place, Ran};

const HEAD: &str =
    "version = 1\npolicy = { name = \"p\", timezone = \"UTC\", limit = { share = \"100%\" } }\n";

fn place(policy: &str) -> Place {
    let place = Place::new();
    place.write("p.toml", format!("{HEAD}{policy}"));
    place
}

fn one_file(source: &str, rule: &str, content: &[u8]) -> Place {
    let policy = format!(
        "source.a = {{ csv = \"a.csv\"{source} }}\nrule = [ {{ name = \"a\", data = \"a\", keep = \"1 year\", {rule} }} ]"
    );
    let place = place(&policy);
    place.write("a.csv", content);
    place
}

fn purge(place: &Place) -> Ran {
    place.frist(&["purge", "--yes", "--format", "json", "p.toml"])
}

fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
}

#[test]
fn a_file_of_bare_carriage_returns_has_no_header() {
    for content in ["id,at\r1,2001-01-01\r", "\"id\",\"at\"\r\"1\",\"2001-01-01\"\r", "id,at\r"] {
        let place = one_file("", "after = \"at\"", content.as_bytes());
        let ran = place.frist(&["report", "p.toml"]);
        assert_eq!(ran.code, 3, "{content:?}");
        assert!(ran.out.contains("bare carriage return") && !ran.out.contains("2001"), "{}", ran.out);
    }
}

#[test]
fn a_name_that_is_no_text_is_shown_byte_by_byte_as_it_is_of_folders() {
    use std::os::unix::ffi::OsStrExt;

    let place = one_file("", "after = \"at\"", b"id,at\n");
    let policy = String::from_utf8(place.read("p.toml")).unwrap().replace("a.csv", "*.csv");
    place.write("p.toml", policy);
    std::fs::write(place.path("").join(std::ffi::OsStr::from_bytes(b"\xc3\xa6\xff.csv")), "id,at\n").unwrap();
    for (command, code) in [(&["report"][..], 3), (&["purge", "--yes"], 3), (&["check", "--data"], 1)] {
        let ran = place.frist(&[command, &["p.toml"]].concat()).code(code);
        let ran = ran.says("\u{e6}\\xff.csv is not UTF-8; rename the file or the folder");
        ran.does_not_say("\u{fffd}");
    }
}

#[test]
fn a_first_line_that_is_a_record_is_not_printed() {
    let place = one_file("", "after = \"at\"", b"1,kim@example.org\n2,bo@example.org\n");
    let ran = place.frist(&["report", "p.toml"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("its first line has 2 columns") && !ran.out.contains("kim"), "{}", ran.out);
    let place = one_file("", "after = \"at\"", b"id;at\n1;2001-01-01\n");
    assert!(place.frist(&["report", "p.toml"]).out.contains("write delimiter = \";\""));
}

#[test]
fn text_that_is_no_utf_8_is_in_doubt_beside_a_literal_beyond_ascii_only() {
    let content = latin("id,at,kind\n1,2001-01-01,L\u{f8}n\n2,2001-01-01,Salg\n3,2090-01-01,x\n");
    for (when, left) in [
        ("kind <> 'L\u{f8}n'", 2), // the doubtful one, and the one in period
        ("kind < 'L\u{f8}n'", 3),
        ("kind not in ('L\u{f8}n')", 2),
        ("kind not like '%\u{f8}%'", 2),
        ("lower(trim(kind)) <> 'l\u{f8}n'", 2),
    ] {
        let place = one_file("", &format!("after = \"at\", when = \"{when}\""), &content);
        let ran = purge(&place);
        assert_eq!(ran.code, 3, "{when}: {}", ran.out);
        let after = place.read("a.csv");
        assert_eq!(after.iter().filter(|byte| **byte == b'\n').count() - 1, left, "{when}");
        assert!(after.contains(&0xf8), "{when}");
    }
    for when in ["kind <> 'Salg'", "kind like 'L_n'", "kind > 'L'"] {
        let place = one_file("", &format!("after = \"at\", when = \"{when}\""), &content);
        assert_eq!(purge(&place).code, 0, "{when}");
        assert!(!place.read("a.csv").contains(&0xf8), "{when}");
    }
}

#[test]
fn a_hold_in_another_encoding_holds_whom_it_may_mean() {
    for word in ["unless", "only-if"] {
        let place = place(&format!(
            "source.app = {{ sqlite = \"app.db\" }}\nsource.holds = {{ csv = \"holds.csv\" }}\nrule = [ {{ name = \"a\", \
             data = \"app.people\", keep = \"1 year\", after = \"at\", {word} = [{{ table = \"holds\", on = \"mail = mail\" }}] }} ]"
        ));
        place.sql(
            "create table people(id integer primary key, at text, mail text);
             insert into people values(1,'2001-01-01','\u{e6}r\u{f8}@example.org'),(2,'2001-01-01','c@example.org')",
        );
        place.write("holds.csv", latin("mail\n\u{e6}r\u{f8}@example.org\n"));
        assert_eq!(purge(&place).code, 3, "{word}");
        assert_eq!(place.number("select count(*) from people where id = 1"), 1, "{word}");
        // A name in ASCII is not in doubt.
        assert_eq!(place.number("select count(*) from people where id = 2"), i64::from(word == "only-if"));
    }
}

#[test]
fn an_encoding_makes_names_literals_and_new_values_mean_it() {
    let content = latin("nr;Bogf\u{f8}rt;Type\r\n1;2001-01-01;L\u{f8}n\r\n2;2001-01-01;\"K\u{f8}rsel\"\r\n");
    for rewrite in ["rename", "lock", "copytruncate"] {
        for label in ["windows-1252", "iso-8859-1"] {
            let source = format!(", delimiter = \";\", rewrite = \"{rewrite}\", encoding = \"{label}\"");
            let rule = "after = \"Bogf\u{f8}rt\", when = \"Type <> 'L\u{f8}n'\"";
            let place = one_file(&source, rule, &content);
            let ran = purge(&place);
            assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
            assert_eq!(place.read("a.csv"), latin("nr;Bogf\u{f8}rt;Type\r\n1;2001-01-01;L\u{f8}n\r\n"));
        }
    }
    let rule = "after = \"Bogf\u{f8}rt\", then = \"anonymise\", set = { Type = \"text:\u{c6}ldre\" }";
    let place = one_file(", delimiter = \";\", encoding = \"windows-1252\"", rule, &content);
    assert_eq!(purge(&place).code, 0);
    let right = latin("nr;Bogf\u{f8}rt;Type\r\n1;2001-01-01;\u{c6}ldre\r\n2;2001-01-01;\"\u{c6}ldre\"\r\n");
    assert_eq!(place.read("a.csv"), right);
}

#[test]
fn wrong_words_about_a_file_are_told_with_their_place() {
    let set = "after = \"at\", then = \"anonymise\", set = { kind = \"text:\u{4e2d}\" }";
    for (source, rule, said) in [
        ("encoding = \"shift_jis\"", "after = \"at\"", "several bytes"),
        ("encoding = \"utf-16le\"", "after = \"at\"", "several bytes"),
        ("encoding = \"latin\"", "after = \"at\"", "no encoding that frist knows"),
        ("skip-lines = -1", "after = \"at\"", "whole number of zero or more"),
        ("encoding = \"windows-1252\"", set, "cannot be written in the encoding"),
    ] {
        let place = one_file(&format!(", {source}"), rule, b"id,at,kind\n");
        let ran = place.frist(&["check", "p.toml"]);
        let told = ran.out.clone() + &ran.err;
        assert!(ran.code != 0 && told.contains(said) && told.contains("^"), "{source}: {} {told}", ran.code);
    }
}

#[test]
fn lines_before_the_header_stay() {
    for rewrite in ["rename", "lock", "copytruncate"] {
        for (more, before) in [
            (", skip-lines = 2", "Export, all of it\r\n\"of today\n"),
            ("", "sep=;\r\n"),
            (", skip-lines = 2", "sep=;\nExport\n"),
            (", delimiter = \";\"", "sep=;\n"),
        ] {
            let mark = if before.contains("sep") { ";" } else { "," };
            let lines = format!("{before}id,at\n").replace("id,", &format!("id{mark}"));
            let content = format!("{lines}1{mark}2001-01-01\n2{mark}2090-01-01\n");
            let source = format!("{more}, rewrite = \"{rewrite}\"");
            let place = one_file(&source, "after = \"at\"", content.as_bytes());
            let ran = purge(&place);
            assert_eq!(ran.code, 0, "{before:?}: {}{}", ran.out, ran.err);
            let right = format!("{lines}2{mark}2090-01-01\n");
            assert_eq!(String::from_utf8(place.read("a.csv")).unwrap(), right, "{rewrite}");
        }
    }
    for (more, content) in [
        (", delimiter = \",\"", "sep=;\nid;at\n1;2001-01-01\n"),
        (", skip-lines = 2", "title\n"),
        (", skip-lines = 1", "title\n"),
    ] {
        let ran = one_file(more, "after = \"at\"", content.as_bytes()).frist(&["report", "p.toml"]);
        assert!(ran.code == 3 && ran.out.contains("the header of"), "{more}: {}", ran.out);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_not_done() {
    for then in ["", ", then = \"anonymise\", set = { id = \"remove\" }"] {
        for others in [false, true] {
            let place = place(&format!(
                "source.a = {{ csv = \"*.csv.gz\" }}\nrule = [ {{ name = \"a\", data = \"a\", keep = \"1 year\", after = \"at\"{then} }} ]"
            ));
            place.write("a.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb");
            if others {
                place.write("b.csv.gz", b"");
            }
            let ran = purge(&place);
            assert_eq!(ran.code, 3);
            let said: Value = serde_json::from_str(&ran.out).unwrap();
            let rule = said.pointer("/policies/0/rules/0").or(said.pointer("/rules/0")).unwrap_or(&said);
            assert_eq!(
                (rule["outcome"].as_str(), &rule["survivors"]),
                (Some("failed"), &Value::Null),
                "{said}"
            );
        }
    }
}
