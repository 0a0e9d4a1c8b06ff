//! What the documents show as a policy is one.

use std::fs;
use std::path::Path;

use super::check::rust_files;
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

/// The codes that a source gives to findings and problems, without those of its tests.
fn codes_in(source: &str) -> Vec<String> {
    const MAKERS: [&str; 4] = ["Finding::error(", "Finding::warning(", "Complaint::new(", "Problem::new("];
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = MAKERS.iter().flat_map(|maker| source.split(maker).skip(1));
    let codes = calls.filter_map(|call| call.trim_start().strip_prefix('"')?.split('"').next());
    codes.map(str::to_string).collect()
}

#[test]
fn every_code_of_a_finding_and_of_a_problem_is_documented() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut codes: Vec<String> =
        rust_files(&project.join("src")).iter().flat_map(|source| codes_in(source)).collect();
    codes.sort();
    codes.dedup();
    assert!(codes.len() > 80, "the search for codes finds too few: {codes:?}");
    let documents = ["docs/language.md", "docs/commands.md"]
        .map(|document| fs::read_to_string(project.join(document)).unwrap());
    let told = |code: &String| documents.iter().any(|document| document.contains(&format!("`{code}`")));
    let missing: Vec<&String> = codes.iter().filter(|code| !told(code)).collect();
    assert!(missing.is_empty(), "no document says what {missing:?} mean");
}
