//! What frist is built from: the licences and the sources that `deny.toml` allows, on every machine that
//! runs the tests. `cargo deny check` knows more, where it is installed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// An expression of licences, read from left to right.
struct Expression<'t> {
    words: Vec<&'t str>,
    allowed: &'t BTreeSet<String>,
}

impl Expression<'_> {
    /// Whether some choice that the expression leaves is made of allowed licences alone.
    fn any(&mut self) -> bool {
        let mut holds = self.all();
        while self.next_is("OR") {
            holds |= self.all();
        }
        holds
    }

    fn all(&mut self) -> bool {
        let mut holds = self.one();
        while self.next_is("AND") {
            holds &= self.one();
        }
        holds
    }

    fn one(&mut self) -> bool {
        if self.next_is("(") {
            let holds = self.any();
            assert!(self.next_is(")"), "a parenthesis is not closed");
            return holds;
        }
        let mut name = self.words.pop().expect("a licence").to_string();
        if self.next_is("WITH") {
            name = format!("{name} WITH {}", self.words.pop().expect("an exception"));
        }
        self.allowed.contains(&name)
    }

    fn next_is(&mut self, word: &str) -> bool {
        let is_next = self.words.last() == Some(&word);
        if is_next {
            self.words.pop();
        }
        is_next
    }
}

/// Whether a licence may be used. Old crates write a slash for a choice.
fn is_allowed(licence: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = licence.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut expression = Expression { words: spaced.split_whitespace().rev().collect(), allowed };
    let holds = expression.any();
    assert!(expression.words.is_empty(), "{licence} is more than one expression");
    holds
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The licences that `deny.toml` allows.
fn allowed() -> BTreeSet<String> {
    let text = fs::read_to_string(project().join("deny.toml")).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let licences = config["licenses"]["allow"].as_array().unwrap();
    licences.iter().map(|licence| licence.as_str().unwrap().to_string()).collect()
}

/// What is built on this machine, as cargo tells it.
fn packages() -> Vec<Value> {
    let host = Command::new("rustc").arg("-vV").output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host]);
    let ran = metadata.current_dir(project()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    told["packages"].as_array().unwrap().clone()
}

#[test]
fn every_licence_of_what_is_built_is_allowed() {
    let (allowed, packages) = (allowed(), packages());
    let licence = |package: &Value| package["license"].as_str().unwrap_or("none").to_string();
    let is_refused = |package: &&Value| !is_allowed(&licence(package), &allowed);
    let refused: Vec<String> = packages
        .iter()
        .filter(is_refused)
        .map(|package| format!("{}: {}", package["name"], licence(package)))
        .collect();
    assert!(refused.is_empty(), "deny.toml does not allow {refused:?}");
    assert!(packages.len() > 50, "only {} packages were looked at", packages.len());
}

#[test]
fn everything_comes_from_the_one_public_registry() {
    let lock = fs::read_to_string(project().join("Cargo.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&lock).unwrap();
    let mut foreign = Vec::new();
    for package in lock["package"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let is_public = |source: &toml::Value| source.as_str().unwrap().ends_with("/crates.io-index");
        match package.get("source") {
            Some(source) if is_public(source) => assert!(package.get("checksum").is_some(), "{name}"),
            None if name == "frist" => {}
            _ => foreign.push(name.to_string()),
        }
    }
    assert!(foreign.is_empty(), "{foreign:?} are no packages of the public registry");
}

#[test]
fn an_expression_of_licences_is_a_choice() {
    let allowed: BTreeSet<String> = ["MIT", "Zlib", "A WITH B"].map(str::to_string).into();
    for good in
        ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(X OR MIT) AND Zlib", "A WITH B", "X AND Y OR MIT"]
    {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND X", "A", "A WITH C"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}
