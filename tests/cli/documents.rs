//! What the documents show as a policy is one.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use frist::diagnostic::{Code, Severity};

use super::check::{is_named, rust_files};
use super::support::Place;

const HEAD: &str = "version = 1\n\n[policy]\nname = \"shown\"\ntimezone = \"Europe/Copenhagen\"\n\
                    financial-year-ends = \"12-31\"\n\n";
const APP: &str = "\n[source.app]\nsqlite = \"app.db\"\n";

/// The keys that a rule cannot do without, for those that a document leaves out.
const RULE: [(&str, &str); 4] =
    [("name", "\"shown\""), ("data", "\"app.customers\""), ("keep", "\"1 year\""), ("after", "\"ended_at\"")];

/// The parts of a document between "```toml" and "```", with the line on which each begins.
fn shown(document: &str) -> Vec<(usize, String)> {
    let lines: Vec<&str> = document.lines().collect();
    let begins = (0..lines.len()).filter(|line| lines[*line] == "```toml");
    let block = |line: usize| lines[line + 1..].iter().take_while(|text| **text != "```").copied().collect();
    begins
        .map(|line| (line + 1, block(line)))
        .map(|(line, block): (_, Vec<_>)| (line, block.join("\n")))
        .collect()
}

/// Whole policies: what is shown, with what goes without saying beside it.
fn policies(block: &str) -> Vec<String> {
    if block.starts_with("version = ") {
        return vec![block.to_string()];
    }
    if block.starts_with('[') {
        let app = if block.contains("[source.app]") || !block.contains("\"app.") { "" } else { APP };
        return vec![format!("{HEAD}{block}\n{app}")];
    }
    keys(block).iter().map(|(key, text)| with_key(key, text)).collect()
}

/// Keys of a rule that are shown alone, each with all its lines.
fn keys(block: &str) -> Vec<(String, String)> {
    let mut keys: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        let key = line.split_once('=').map(|(key, _)| key.trim_end());
        match key.filter(|key| key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')) {
            Some(key) => keys.push((key.to_string(), line.to_string())),
            None => keys.last_mut().expect("a block begins with a key").1 += &format!("\n{line}"),
        }
    }
    keys
}

fn with_key(key: &str, text: &str) -> String {
    let others =
        RULE.iter().filter(|(name, _)| *name != key).map(|(name, value)| format!("{name} = {value}\n"));
    format!("{HEAD}{APP}\n[[rule]]\n{}{text}\n", others.collect::<String>())
}

#[test]
fn every_policy_in_the_documents_is_valid() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    let documents = fs::read_dir(project.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = documents.filter(|path| path.is_file());
    for path in documents.chain([project.join("README.md")]) {
        for (line, block) in shown(&fs::read_to_string(&path).unwrap()) {
            for policy in policies(&block) {
                let place = Place::new();
                place.write("policy.toml", &policy);
                let ran = place.frist(&["check", "policy.toml"]);
                assert_eq!(ran.code, 0, "{}:{line}\n{policy}\n{}", path.display(), ran.out);
                checked += 1;
            }
        }
    }
    assert!(checked >= 20, "only {checked} were found");
}

/// The Markdown files of the project.
fn documents() -> Vec<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders =
        ["", "docs", "docs/codes", "examples"].map(|folder| fs::read_dir(project.join(folder)).unwrap());
    let files = folders.into_iter().flatten().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect()
}

/// What a heading is called in a link to it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// Why a link of a document leads nowhere; none where it does not.
fn dead_end(document: &Path, link: &str) -> Option<String> {
    let (file, place) = link.split_once('#').map_or((link, None), |(file, place)| (file, Some(place)));
    let target = match file {
        "" => document.to_path_buf(),
        file => document.with_file_name(file),
    };
    let dead = || Some(format!("{}: {link}", document.display()));
    let Some(place) = place else { return if target.exists() { None } else { dead() } };
    let text = fs::read_to_string(target).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
    if headings.into_iter().any(|heading| heading == place) { None } else { dead() }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut links = 0;
    let mut dead = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let shown = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in shown.filter(|link| !link.contains("://") && !link.contains(' ')) {
            links += 1;
            dead.extend(dead_end(&document, link));
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
    assert!(links > 200, "only {links} links were found");
}

fn codes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes")
}

/// What is wrong with the page of a code.
fn fault(code: Code, page: &str) -> Option<String> {
    let beginning = format!("# {code}\n\n{}\n\n", code.meaning());
    let lines = page.lines().count();
    if !page.starts_with(&beginning) {
        return Some(format!("`{code}` begins otherwise than with its code and its sentence"));
    }
    (!(10..=30).contains(&lines)).then(|| format!("`{code}` has {lines} lines"))
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let read = |code: &Code| fs::read_to_string(codes().join(format!("{code}.md"))).unwrap();
    let faults: Vec<String> = Code::ALL.iter().filter_map(|code| fault(*code, &read(code))).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let mut bodies: Vec<String> =
        Code::ALL.iter().map(|code| read(code).replace(code.as_str(), "")).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), Code::ALL.len(), "two pages say the same");
    for entry in fs::read_dir(codes()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = name.strip_suffix(".md").and_then(Code::named);
        assert!(known.is_some() || name == "README.md", "{name} is about no code");
    }
}

#[test]
fn the_index_of_codes_names_each_once_as_the_registry_has_it() {
    let index = fs::read_to_string(codes().join("README.md")).unwrap();
    for code in Code::ALL {
        let severity = code.severity().map_or("both", Severity::word);
        let line = format!("| [`{code}`]({code}.md) | {severity} | {} |", code.meaning());
        assert_eq!(index.matches(&line).count(), 1, "{line}");
    }
    assert_eq!(index.matches("| [`").count(), Code::ALL.len());
}

/// The codes that stand behind a call, as they are named in the code.
fn named_behind<'s>(maker: &'s str, source: &'s str) -> impl Iterator<Item = Code> + 's {
    let source = source.split("\nmod tests {").next().unwrap_or_default();
    let names = source.split(maker).skip(1).filter_map(|call| call.trim_start().strip_prefix("Code::"));
    let names = names.filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    names.filter_map(|name| Code::ALL.iter().copied().find(|code| format!("{code:?}") == name))
}

#[test]
fn findings_are_as_severe_as_the_registry_says() {
    let sources = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut told = 0;
    for (maker, other) in
        [("Finding::error(", Some(Severity::Warning)), ("Finding::warning(", Some(Severity::Error))]
    {
        for code in sources.iter().flat_map(|source| named_behind(maker, source)) {
            assert_ne!(code.severity(), other, "{maker}{code:?}");
            told += 1;
        }
    }
    assert!(told > 80, "only {told} findings were looked at");
}

#[test]
fn every_code_of_the_registry_is_used() {
    let sources = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let unused: Vec<&Code> = Code::ALL.iter().filter(|code| !is_named(**code, &sources)).collect();
    assert!(unused.is_empty(), "nothing says {unused:?}");
    let texts: HashSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
}

#[test]
fn every_file_opens_with_what_it_is() {
    let folders =
        ["src", "tests", "benches"].map(|folder| Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    let begins = |source: &&String| source.starts_with("//! ");
    let silent: Vec<String> = folders
        .iter()
        .flat_map(|folder| rust_files(folder))
        .filter(|source| source.contains("fn ") && !begins(&source))
        .map(|source| source.lines().take(3).collect::<Vec<_>>().join(" "))
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

/// Words by which files, folders and databases are changed.
const CHANGES: [&str; 9] = [
    "DELETE FROM",
    "UPDATE OR",
    "OPEN_READ_WRITE",
    "unlinkat(",
    "remove_file(",
    "remove_dir",
    "set_len(",
    "renameat",
    "fs::rename(",
];

/// Who reads a source cannot change it, whatever it gets wrong.
#[test]
fn nothing_but_the_writing_half_of_a_source_changes_data() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // The state folder, data of the demo's own, and statements that are prepared and never carried out.
    let others = ["ledger", "note", "key.rs", "command/demo", "source/sqlite/preparable.rs"];
    let (mut reading, mut found, mut writing) = (vec![root.clone()], Vec::new(), 0);
    while let Some(path) = reading.pop() {
        let name = path.strip_prefix(&root).unwrap();
        if others.iter().any(|other| name.starts_with(other)) || name.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            reading.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        let has = |change: &&&str| {
            code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(**change))
        };
        let changes: Vec<&&str> = CHANGES.iter().filter(has).collect();
        match name.iter().any(|part| part == "write" || part == "write.rs") {
            true => writing += changes.len(),
            false => found.extend((!changes.is_empty()).then(|| format!("{}: {changes:?}", name.display()))),
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(writing > 8, "{writing}");
}

/// The message and the help of a code's findings, as its page shows them.
fn printed(code: Code, policy: &str) -> Vec<String> {
    let place = Place::new();
    place.write("policy.toml", policy);
    let ran = place.frist(&["check", "--format", "json", "policy.toml"]);
    let check: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let findings = check["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["code"] == code.as_str())
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap_or_default();
            let help = finding["help"].as_str().map_or(String::new(), |help| format!("\n  = help: {help}"));
            format!("{}[{code}]: {}{help}", text("severity"), text("message"))
        })
        .collect()
}

#[test]
fn what_a_page_about_a_policy_shows_is_what_check_prints() {
    let mut checked = 0;
    for code in Code::ALL {
        let page = fs::read_to_string(codes().join(format!("{code}.md"))).unwrap();
        for (line, block) in shown(&page) {
            let policies = policies(&block);
            let told: Vec<String> = policies.iter().flat_map(|policy| printed(*code, policy)).collect();
            let is_told = |text: &String| page.contains(&format!("```text\n{text}\n```"));
            assert!(told.iter().any(is_told), "{code}.md:{line}: {told:?}");
            checked += 1;
        }
    }
    assert!(checked >= 40, "only {checked} pages show a policy");
}

#[test]
fn explain_prints_the_page_of_a_code_and_finds_a_misspelt_one() {
    let place = Place::new();
    let ran = place.frist(&["explain", "busy"]);
    assert_eq!((ran.code, ran.out), (0, fs::read_to_string(codes().join("busy.md")).unwrap()));
    let ran = place.frist(&["explain", "bad-periode"]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.err, "frist: there is no code `bad-periode`; did you mean `bad-period`?\n");
    assert_eq!(ran.out, "");
}
