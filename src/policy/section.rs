//! One table of a policy file, read key by key, with every problem noted at its place.
//!
//! A reader asks for each key it knows and then calls [`Section::finish`], which reports the
//! keys that nobody asked for. Nothing stops at the first problem.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Finding, nearest};

/// Where the readers of one file put what they find.
#[derive(Default)]
pub(super) struct Notes {
    findings: RefCell<Vec<Finding>>,
}

impl Notes {
    pub(super) fn add(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// Takes back that a key is missing: it is there, and misspelt.
    fn take_back_missing(&self, message: &str) {
        let is_it = |finding: &Finding| finding.code == Code::MissingKey && finding.message == message;
        self.findings.borrow_mut().retain(|finding| !is_it(finding));
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}

/// A value and the bytes of the file that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A complaint about a value, and how to mend it.
pub(super) struct Complaint {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Complaint {
    pub(super) fn new(code: Code, message: impl Display, help: Option<String>) -> Complaint {
        Complaint { code, message: message.to_string(), help }
    }

    pub(super) fn at(self, span: Range<usize>) -> Finding {
        Finding::error(self.code, self.message, span).maybe_help(self.help)
    }
}

/// One table of the file.
pub(super) struct Section<'t> {
    table: &'t DeTable<'t>,
    title: String,
    span: Range<usize>,
    asked: Vec<&'static str>,
    later: Vec<&'static str>,
    notes: &'t Notes,
}

impl<'t> Section<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, title: String, span: Range<usize>, notes: &'t Notes) -> Self {
        Section { table, title, span, asked: Vec::new(), later: Vec::new(), notes }
    }

    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Names the table better, once its own name has been read.
    pub(super) fn entitle(&mut self, title: String) {
        self.title = title;
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn note(&self, finding: Finding) {
        self.notes.add(finding);
    }

    /// Whether the key is written, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.lookup(key).is_some()
    }

    /// Where a key is written, for a finding about it.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        let written = self.table.iter().find(|(name, _)| name.get_ref() == key);
        written.map_or(self.span(), |(name, _)| name.span())
    }

    fn lookup(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// The raw value of a key; from here on the key counts as known.
    pub(super) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.lookup(key)
    }

    /// The keys and values of the table itself, where its keys are names that the author chose.
    pub(super) fn entries(
        &self,
    ) -> impl Iterator<Item = (Placed<String>, &'t Spanned<DeValue<'t>>)> + use<'t> {
        self.table
            .iter()
            .map(|(name, value)| (Placed { value: name.get_ref().to_string(), span: name.span() }, value))
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Placed<String>> {
        let value = self.value(key)?;
        self.as_text(key, value)
    }

    /// A key that must be there.
    pub(super) fn required(&mut self, key: &'static str) -> Option<Placed<String>> {
        if !self.has(key) {
            self.missing(key);
        }
        self.text(key)
    }

    fn lacks(&self, key: &str) -> String {
        format!("{} has no `{key}`", self.title)
    }

    /// Says that a key is missing.
    pub(super) fn missing(&self, key: &str) {
        let message = self.lacks(key);
        let example = EXAMPLES.iter().find(|(name, _)| *name == key);
        let help = example.map(|(_, line)| format!("add a line such as: {line}"));
        self.note(Finding::error(Code::MissingKey, message, self.span()).maybe_help(help));
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let flag = value.get_ref().as_bool();
        flag.or_else(|| self.wrong_type(key, "true or false", value))
    }

    pub(super) fn whole_number(&mut self, key: &'static str) -> Option<Placed<u64>> {
        let value = self.value(key)?;
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|digits| u64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()).ok());
        match number {
            Some(number) => Some(Placed { value: number, span: value.span() }),
            None => self.wrong_type(key, "a whole number of zero or more", value),
        }
    }

    /// A text that has a meaning of its own: a period, a zone, a condition.
    pub(super) fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<Placed<T>> {
        let text = self.text(key)?;
        self.understood(text, parse)
    }

    pub(super) fn understood<T>(
        &self,
        text: Placed<String>,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<Placed<T>> {
        match parse(&text.value) {
            Ok(value) => Some(Placed { value, span: text.span }),
            Err(complaint) => {
                self.note(complaint.at(text.span));
                None
            }
        }
    }

    /// A list of texts; a single text stands for a list of one where `or_one` is set.
    pub(super) fn texts(&mut self, key: &'static str, or_one: bool) -> Vec<Placed<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| self.as_text(key, item)).collect(),
            DeValue::String(_) if or_one => self.as_text(key, value).into_iter().collect(),
            _ => self.wrong_type(key, "a list of texts", value).unwrap_or_default(),
        }
    }

    pub(super) fn section(&mut self, key: &'static str, title: String) -> Option<Section<'t>> {
        let value = self.value(key)?;
        self.as_section(key, value, title)
    }

    /// The named tables below a key: `[source.app]`, `[source.backups]`.
    pub(super) fn named_sections(&mut self, key: &'static str) -> Vec<(Placed<String>, Section<'t>)> {
        let Some(section) = self.section(key, format!("[{key}]")) else { return Vec::new() };
        let named = section.entries().filter_map(|(name, value)| {
            let inner = section.as_section(&name.value, value, format!("{key} `{}`", name.value))?;
            Some((name, inner))
        });
        named.collect()
    }

    /// The tables of an array: `[[rule]]`.
    pub(super) fn listed_sections(&mut self, key: &'static str, title: &str) -> Vec<Section<'t>> {
        self.list_of_sections(key, title, &format!("write each one as [[{key}]]"))
    }

    /// The tables of an array that is written in one place: `[{ … }, { … }]`.
    pub(super) fn listed_inline(&mut self, key: &'static str, title: &str) -> Vec<Section<'t>> {
        self.list_of_sections(key, title, &format!("write it as {key} = [{{ … }}]"))
    }

    fn list_of_sections(&mut self, key: &'static str, title: &str, help: &str) -> Vec<Section<'t>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) => {
                items.iter().filter_map(|item| self.as_section(key, item, title.to_string())).collect()
            }
            _ => {
                self.note(self.type_finding(key, "a list of tables", value).help(help));
                Vec::new()
            }
        }
    }

    pub(super) fn as_section(
        &self,
        key: &str,
        value: &'t Spanned<DeValue<'t>>,
        title: String,
    ) -> Option<Section<'t>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(table, title, value.span(), self.notes)),
            _ => self.wrong_type(key, "a table", value),
        }
    }

    pub(super) fn as_text(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Placed<String>> {
        match value.get_ref() {
            DeValue::String(text) => Some(Placed { value: text.to_string(), span: value.span() }),
            _ => self.wrong_type(key, "text in quotes", value),
        }
    }

    /// Notes that a value has the wrong type; returns nothing, so that callers can end with it.
    pub(super) fn wrong_type<T>(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) -> Option<T> {
        self.note(self.type_finding(key, wanted, value));
        None
    }

    fn type_finding(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'_>>) -> Finding {
        let found = kind_of(value.get_ref());
        let message = format!("`{key}` in {} must be {wanted}, not {found}", self.title);
        Finding::error(Code::WrongType, message, value.span())
    }

    /// Keys of the language that this version cannot carry out: an error, never ignored.
    pub(super) fn not_yet(&mut self, keys: &[&'static str]) {
        self.later.extend(keys);
        for key in keys {
            if self.value(key).is_some() {
                let message = format!("`{key}` in {} is not yet supported", self.title);
                let help = "this version of frist cannot carry it out, and without it the policy would say \
                            something else: leave the whole rule or source out for now";
                self.note(Finding::error(Code::NotYetSupported, message, self.key_span(key)).help(help));
            }
        }
    }

    /// The keys that can be written here, each once.
    fn supported(&self) -> Vec<&'static str> {
        let mut keys: Vec<&str> = Vec::new();
        for key in self.asked.iter().filter(|key| !self.later.contains(key)) {
            if !keys.contains(key) {
                keys.push(key);
            }
        }
        keys
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.table.iter().filter(|(name, _)| !self.asked.contains(&&**name.get_ref())) {
            let message = format!("unknown key `{}` in {}", name.get_ref(), self.title);
            let help = match nearest(name.get_ref(), self.asked.iter().copied()) {
                Some(known) => {
                    let told = ALTERNATIVES.iter().filter(|(key, _)| *key == known).map(|(_, told)| *told);
                    told.chain([known]).for_each(|told| self.notes.take_back_missing(&self.lacks(told)));
                    format!("did you mean `{known}`?")
                }
                None => format!("known here: {}", self.supported().join(", ")),
            };
            self.note(Finding::error(Code::UnknownKey, message, name.span()).help(help));
        }
    }
}

/// Keys, and what is said to be missing without them: one of several, or the section as it is written.
const ALTERNATIVES: [(&str, &str); 3] = [("policy", "[policy]"), ("csv", "sqlite"), ("files", "sqlite")];

/// What a missing key may look like.
const EXAMPLES: [(&str, &str); 15] = [
    ("[policy]", "[policy]"),
    ("timezone", "timezone = \"Europe/Copenhagen\""),
    ("sqlite", "sqlite = \"../data/app.db\""),
    ("name", "name = \"billing\""),
    ("data", "data = \"app.customers\""),
    ("keep", "keep = \"5 years\""),
    ("after", "after = \"ended_at\""),
    ("purpose", "purpose = \"Invoicing and bookkeeping\""),
    ("title", "title = \"the contract with our carrier\""),
    ("why", "why = \"no personal data\""),
    ("table", "table = \"schema_migrations\""),
    ("file", "file = \"README*\""),
    ("column", "column = \"ended_at\""),
    ("epoch", "epoch = \"1601-01-01\""),
    ("unit", "unit = \"us\""),
];

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(digits) if digits.as_str().starts_with('-') => "a negative number",
        DeValue::Integer(digits) if digits.as_str().len() > 19 => "a number as large as this",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
