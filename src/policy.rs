//! Policies: what was promised, about which data. Only valid ones exist.
//!
//! A policy is one TOML file. [`parse`] reads it section by section, notes every problem at its
//! place, and gives a [`Policy`] only where there is no error. [`load`] does that for files and
//! folders, and [`lint`] looks at the valid whole.

mod activity;
mod copies;
mod counting;
mod file_name;
mod header;
mod limit;
pub mod lint;
pub mod load;
mod path;
mod period;
mod relation;
mod rule;
mod section;
mod source;
pub mod statute;

use std::ops::Range;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use toml::de::DeTable;

pub use activity::Activity;
pub use counting::Counting;
pub use file_name::FileName;
pub use header::Controller;
pub use limit::{Breach, Limit};
pub use relation::{ColumnPair, Fold, On, Relation, Side};
pub use rule::{
    Action, Choice, DEEDS, Dated, Instructions, Keep, NamedFiles, NamingColumn, Part, Rule, SetNull, Setting,
    With,
};
pub use source::{ColumnSettings, CsvFiles, FOLDER_COLUMNS, Folder, Ignored, Kind, Rewrite, Source, Unit};

use crate::calendar::{FinancialYear, Period, Zone};
use crate::diagnostic::{Code, Finding, Position};
use crate::hexadecimal;
use section::{Notes, Section};
use statute::Statute;

/// A valid policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name, unique among the policies read together.
    pub name: String,
    /// Where its name stands in the file, in bytes.
    pub name_span: Range<usize>,
    /// Its title for people.
    pub title: Option<String>,
    /// The zone in which civil dates are taken.
    pub zone: Zone,
    /// When financial years end, where it says so.
    pub financial_year: Option<FinancialYear>,
    /// The folder of the ledger and the lock.
    pub state: PathBuf,
    /// How often purge is promised to run.
    pub runs_every: Option<Period>,
    /// How much one run may delete, for rules and datasets that say nothing themselves.
    pub limit: Limit,
    /// Who answers for the data.
    pub controller: Option<Controller>,
    /// Where data lives.
    pub sources: Vec<Source>,
    /// Why data is kept.
    pub activities: Vec<Activity>,
    /// The laws that it adds to the catalogue.
    pub laws: Vec<Statute>,
    /// What is to be deleted, and when.
    pub rules: Vec<Rule>,
    /// The file it was read from, as the user named it.
    pub file: String,
    /// The folder that it lies in.
    pub folder: PathBuf,
    pub text: String,
    /// Where its relative paths start.
    pub base: PathBuf,
    /// SHA-256 of the file's bytes, in hexadecimal.
    pub sha256: String,
}

impl Policy {
    /// The source of a rule's data.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// Tells every folder what it must not hold: the policy, and what frist itself writes.
    pub(crate) fn keep_out_of_folders(&mut self) {
        let known = !self.folder.as_os_str().is_empty();
        let policy = known.then(|| self.folder.clone());
        let own: Vec<PathBuf> = policy.into_iter().chain([self.state.clone()]).collect();
        let folders = self.sources.iter_mut().filter_map(|source| source.kind.folder_mut());
        folders.for_each(|folder| folder.keeps_out = own.clone());
    }

    /// A byte of the policy as `FILE:LINE:COLUMN`.
    pub fn place(&self, byte: usize) -> String {
        let at = Position::of(&self.text, byte);
        format!("{}:{}:{}", self.file, at.line, at.column)
    }

    /// The activity that a rule names.
    pub fn activity(&self, name: &str) -> Option<&Activity> {
        self.activities.iter().find(|activity| activity.name == name)
    }

    /// The law of an id: the policy's own, or the catalogue's.
    pub fn law(&self, id: &str) -> Option<&Statute> {
        self.laws.iter().find(|law| law.id == id).or_else(|| statute::find(id))
    }

    /// The rules on one table of a source, as they stand in the file.
    pub fn rules_on<'p>(&'p self, source: &'p str, table: &'p str) -> impl Iterator<Item = &'p Rule> {
        self.rules.iter().filter(move |rule| rule.source == source && rule.table == table)
    }
}

/// What a policy's text does not say itself: where it stands, and the environment.
pub struct LoadContext<'a> {
    /// The file, as the user named it.
    pub file: &'a str,
    /// Where relative paths start.
    pub base: &'a Path,
    /// The state folder, where the policy names none.
    pub default_state: &'a Path,
    /// The environment, for `${NAME}`.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads one policy; all its problems at once.
pub fn parse(text: &str, surroundings: &LoadContext<'_>) -> (Option<Policy>, Vec<Finding>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (None, errors.iter().map(syntax_error).collect());
    }
    let notes = Notes::default();
    let whole = Section::new(document.get_ref(), "the policy".to_string(), 0..0, &notes);
    let policy = read(whole, text, surroundings);
    let mut findings = notes.into_findings();
    let valid = policy.filter(|_| !findings.iter().any(Finding::is_error));
    if let Some(policy) = &valid {
        findings.extend(lint::policy(policy));
    }
    (valid.filter(|_| !findings.iter().any(Finding::is_error)), findings)
}

fn syntax_error(error: &toml::de::Error) -> Finding {
    let message = format!("not TOML: {}", error.message());
    Finding::error(Code::NotToml, message, error.span().unwrap_or(0..0))
}

fn read(mut whole: Section<'_>, text: &str, surroundings: &LoadContext<'_>) -> Option<Policy> {
    header::version(&mut whole);
    let header = header::read(&mut whole, surroundings);
    let sources = source::read_all(&mut whole, surroundings);
    let activities = activity::read_all(&mut whole);
    let laws = statute::read_own(&mut whole);
    let given = rule::Given::new(header.as_ref(), &sources, &activities, text, surroundings);
    let rules = rule::read_all(&mut whole, &given);
    whole.finish();
    let header = header?;
    let mut policy = Policy {
        name: header.name,
        name_span: header.name_span,
        title: header.title,
        zone: header.zone?,
        financial_year: header.financial_year,
        state: header.state,
        runs_every: header.runs_every,
        limit: header.limit,
        controller: header.controller,
        sources: sources.valid,
        activities,
        laws,
        rules,
        file: surroundings.file.to_string(),
        folder: surroundings.default_state.parent().unwrap_or(Path::new("")).to_path_buf(),
        text: text.to_string(),
        base: surroundings.base.to_path_buf(),
        sha256: hexadecimal::digits(&Sha256::digest(text.as_bytes())),
    };
    policy.keep_out_of_folders();
    Some(policy)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Reads a policy that stands in `/etc/frist`, where no variable is set.
    pub(crate) fn read(text: &str) -> (Option<Policy>, Vec<Finding>) {
        let base = Path::new("/etc/frist");
        parse(text, &LoadContext { file: "p.toml", base, default_state: base, variable: &|_| None })
    }

    /// A valid policy of the usual beginning and these sections.
    pub(crate) fn valid(sections: &str) -> Policy {
        let (policy, findings) = read(&format!("{BEGINNING}{sections}"));
        policy.unwrap_or_else(|| panic!("{findings:?}"))
    }

    pub(crate) const BEGINNING: &str = r#"
        version = 1
        [policy]
        name = "shop"
        timezone = "Europe/Copenhagen"
        financial-year-ends = "12-31"
        [source.app]
        sqlite = "app.db"
        "#;

    /// A rule on `app.invoices`, with these lines of its own.
    pub(crate) fn rule(lines: &str) -> String {
        format!("\n[[rule]]\nname = \"billing\"\ndata = \"app.invoices\"\n{lines}\n")
    }

    #[test]
    fn a_rule_reads_as_the_phrase_that_was_promised() {
        let phrase = |keep: &str, after: &str| {
            let policy = valid(&rule(&format!("keep = \"{keep}\"\nafter = {after}")));
            policy.rules[0].phrase()
        };
        assert_eq!(phrase("3 months", "\"ended_at\""), "3 months after ended_at");
        assert_eq!(phrase("at most 12 months", "\"at\""), "at most 12 months after at");
        let counted =
            |from: &str| phrase("5 years", &format!("{{ column = \"at\", counted-from = \"{from}\" }}"));
        assert_eq!(counted("end-of-month"), "5 years after at, from the end of the month");
        assert_eq!(counted("end-of-quarter"), "5 years after at, from the end of the quarter");
        assert_eq!(counted("end-of-year"), "5 years after at, from the end of the year");
        assert_eq!(counted("end-of-financial-year"), "5 years after at, from the end of the financial year");
    }

    #[test]
    fn settings_of_a_table_go_before_those_of_its_source() {
        let policy = valid(
            r#"
            formats = { at = "unix", day = "julian-day" }
            empty = "never"
            [source.app.table.invoices]
            formats = { at = "%d-%m-%Y" }
            times-in = "Europe/Paris"
            [source.app.table.log]
            empty = []
            "#,
        );
        let source = &policy.sources[0];
        let formats = |table: &str, column: &str| source.settings(table).formats[column].to_string();
        assert_eq!(formats("invoices", "at"), "%d-%m-%Y");
        assert_eq!(formats("invoices", "day"), "julian-day");
        assert_eq!(formats("anything", "at"), "unix");
        assert_eq!(source.settings("invoices").empty, ["never"]);
        assert!(source.settings("log").empty.is_empty(), "what is written replaces what is inherited");
        assert_eq!(source.settings("invoices").times_in.name(), "Europe/Paris");
        assert_eq!(source.settings("log").times_in.name(), "UTC");
    }

    #[test]
    fn paths_and_places_are_those_of_the_file() {
        let policy = valid(&rule("keep = \"1 day\"\nafter = \"å\"\nwhen = \"b = 1\""));
        assert_eq!(policy.sources[0].kind, Kind::Sqlite("/etc/frist/app.db".into()));
        assert_eq!(policy.state, Path::new("/etc/frist"));
        assert_eq!(policy.place(0), "p.toml:1:1");
        let places = &policy.rules[0].places;
        assert_eq!(&policy.text[places.data.clone()], "\"app.invoices\"");
        assert_eq!(&policy.text[places.keep.clone()], "\"1 day\"");
        assert_eq!(&policy.text[policy.name_span.clone()], "\"shop\"");
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let policy = valid("");
        let other = valid("# a word\n");
        assert_eq!(policy.sha256.len(), 64);
        assert_ne!(policy.sha256, other.sha256);
    }

    #[test]
    fn a_problem_in_one_place_hides_none_in_another() {
        let (policy, findings) = read(
            "version = 3\n[policy]\nname = 1\n[source.app]\nsqlite = []\n[activity.a]\n[[rule]]\nkeep = true\n",
        );
        assert!(policy.is_none());
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code.as_str()).collect();
        for code in ["unknown-version", "wrong-type", "missing-key"] {
            assert!(codes.contains(&code), "{code} in {codes:?}");
        }
        assert_eq!(findings.len(), 9, "{findings:#?}");
    }
}
