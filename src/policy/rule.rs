//! `[[rule]]`: keep this, so long after that, then delete.

mod after;
mod of_files;
mod related;
mod target;

use crate::calendar::{CountedFrom, FinancialYear, Format, Period, Schedule, Zone};
use crate::condition::Condition;
use crate::diagnostic::{Finding, Position, nearest};

use toml::de::DeValue;

use super::activity::Activity;
use super::gone_within;
use super::header::Header;
use super::limit::{self, Limit};
use super::relation::Relation;
use super::section::{Complaint, Placed, Section};
use super::source::Sources;
use super::start::Start;
use target::Target;

/// What happens to a due record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is deleted.
    Delete,
}

impl Then {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Then::Delete => "delete",
        }
    }
}

/// A valid rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in the policy.
    pub name: String,
    /// The source of its data.
    pub source: String,
    /// The table of its data; empty where the source has none.
    pub table: String,
    /// The activity it belongs to.
    pub activity: Option<String>,
    /// The retention period.
    pub keep: Period,
    /// Period, zone and counting, which together say when a record is due.
    pub schedule: Schedule,
    /// What starts the period.
    pub start: Start,
    /// Which records it is about; all of the table where there is none.
    pub when: Option<Condition>,
    /// Records to which one of these rows belongs are spared.
    pub unless: Vec<Relation>,
    /// Only records to which a row of each of these belongs are meant.
    pub only_if: Vec<Relation>,
    /// How many of the newest records are kept, however old.
    pub keep_newest: Option<u64>,
    /// What happens to a due record.
    pub then: Then,
    /// How much a run may delete.
    pub limit: Limit,
    /// Whether purge carries it out, or only report shows it.
    pub enforce: bool,
    /// How long after its event a record may still exist anywhere, copies included.
    pub gone_within: Option<Period>,
    /// The promise's own words.
    pub note: Option<String>,
    /// Where the rule stands in the policy.
    pub places: Places,
}

/// Where the parts of a rule stand in the policy.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The rule's `name`, in bytes.
    pub name: std::ops::Range<usize>,
    /// `keep`, in bytes.
    pub keep: std::ops::Range<usize>,
    /// `enforce`, in bytes.
    pub enforce: std::ops::Range<usize>,
    /// `gone-within`, in bytes.
    pub gone_within: std::ops::Range<usize>,
    /// `data`, in bytes.
    pub data: std::ops::Range<usize>,
    /// `after`, in bytes.
    pub after: std::ops::Range<usize>,
    /// `when`, in bytes; `after` where there is none.
    pub when: std::ops::Range<usize>,
    /// `data`, as `FILE:LINE:COLUMN`.
    pub data_at: String,
    /// `after`, as `FILE:LINE:COLUMN`.
    pub after_at: String,
    /// `when`, as `FILE:LINE:COLUMN`.
    pub when_at: String,
}

impl Rule {
    /// The data as the language writes it.
    pub fn data(&self) -> String {
        if self.table.is_empty() { self.source.clone() } else { format!("{}.{}", self.source, self.table) }
    }

    /// The rule as a phrase: `5 years after issued_at, from the end of the financial year`.
    pub fn phrase(&self) -> String {
        let counted = match self.schedule.counted_from() {
            None => "",
            Some(CountedFrom::EndOfMonth) => ", from the end of the month",
            Some(CountedFrom::EndOfQuarter) => ", from the end of the quarter",
            Some(CountedFrom::EndOfYear) => ", from the end of the year",
            Some(CountedFrom::EndOfFinancialYear(_)) => ", from the end of the financial year",
        };
        let newest = self.keep_newest.map(|count| format!(", but the newest {count}")).unwrap_or_default();
        format!("{} after {}{counted}{newest}", self.keep, self.after_words())
    }

    fn after_words(&self) -> String {
        let own = self.start.only_column().filter(|own| self.table.is_empty() && own.column == "name");
        match own.map(|own| own.timestamps.format()) {
            Some(Format::Strftime(_)) => "the date in its name".to_string(),
            _ => self.start.to_string(),
        }
    }

    /// The relations that the rule asks about.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        let dated = self.start.related_parts().map(|dated| &dated.relation);
        dated.chain(&self.unless).chain(&self.only_if)
    }

    /// The columns of the record that it reads, and where the policy names them.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let places = &self.places;
        let start = self.start.own_parts().map(|own| (own.column.as_str(), places.after_at.as_str()));
        let when = self.when.iter().flat_map(|when| when.columns());
        start.chain(when.map(|column| (column.as_str(), places.when_at.as_str())))
    }
}

/// What the rest of the policy gives to its rules.
pub(super) struct Given<'a> {
    zone: Zone,
    financial_year: Option<FinancialYear>,
    financial_year_written: bool,
    limit: Limit,
    sources: &'a Sources,
    activities: &'a [Activity],
    text: &'a str,
    file: &'a str,
}

impl<'a> Given<'a> {
    pub(super) fn new(
        header: Option<&Header>,
        sources: &'a Sources,
        activities: &'a [Activity],
        text: &'a str,
        file: &'a str,
    ) -> Given<'a> {
        Given {
            // Rules are read even where the zone is wrong; such a policy is never valid.
            zone: header.and_then(|header| header.zone).unwrap_or(Zone::UTC),
            financial_year: header.and_then(|header| header.financial_year.clone()),
            financial_year_written: header.is_some_and(|header| header.financial_year_written),
            limit: header.map(|header| header.limit).unwrap_or_default(),
            sources,
            activities,
            text,
            file,
        }
    }

    fn has_source(&self, name: &str) -> bool {
        let valid = self.sources.valid.iter().map(|source| &source.name);
        valid.chain(&self.sources.broken).any(|known| known == name)
    }

    fn place(&self, byte: usize) -> String {
        let at = Position::of(self.text, byte);
        format!("{}:{}:{}", self.file, at.line, at.column)
    }
}

/// Reads every `[[rule]]`; a rule with an error is left out, its problems noted.
pub(super) fn read_all(whole: &mut Section<'_>, given: &Given<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for mut section in whole.listed_sections("rule", "a rule") {
        let name = section.required("name");
        if let Some(name) = &name {
            section.entitle(format!("rule `{}`", name.value));
            check_name(&section, name, &mut names);
        }
        rules.extend(read(name, &mut section, given));
        section.finish();
    }
    rules
}

fn check_name(section: &Section<'_>, name: &Placed<String>, names: &mut Vec<String>) {
    if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
        let finding = Finding::error("bad-name", "a rule needs a name that can be read", name.span.clone());
        section.note(finding.help("write letters, digits and blanks, such as \"app-data\""));
    }
    if names.contains(&name.value) {
        let message = format!("two rules are called `{}`", name.value);
        let finding = Finding::error("duplicate-name", message, name.span.clone());
        section.note(finding.help("give this one a name of its own"));
    }
    names.push(name.value.clone());
}

fn read(name: Option<Placed<String>>, section: &mut Section<'_>, given: &Given<'_>) -> Option<Rule> {
    section.not_yet(&["with", "set", "prove"]);
    let data_written = section.required("data");
    let target = data_written.and_then(|text| target::find(section, text, given));
    let is_folder = target.as_ref().is_some_and(|target| target.source.kind.folder().is_some());
    let keep = keep(section);
    let after_span = section.key_span("after");
    let after = after::read(section, target.as_ref(), given);
    let when = condition(section, "when");
    if is_folder {
        of_files::check_columns(section, when.as_ref());
    }
    let unless = related::list(section, "unless", target.as_ref(), given);
    let only_if = related::list(section, "only-if", target.as_ref(), given);
    let keep_newest = of_files::keep_newest(section, target.is_none() || is_folder);
    let then = then(section);
    let activity = activity(section, given);
    let limit = limit::read(section).or(given.limit);
    let enforce_span = section.key_span("enforce");
    let enforce = section.flag("enforce").unwrap_or(true);
    let gone_within = gone_within::read(section);
    let note = section.text("note").map(|note| note.value);
    let (name, target, keep, after) = (name?, target?, keep?, after?);
    Some(Rule {
        places: Places {
            data_at: given.place(target.span.start),
            after_at: given.place(after_span.start),
            when_at: given.place(when.as_ref().map_or(after_span.start, |when| when.span.start)),
            when: when.as_ref().map_or(after_span.clone(), |when| when.span.clone()),
            after: after_span,
            name: name.span,
            keep: keep.span,
            enforce: enforce_span,
            gone_within: gone_within.as_ref().map(|promise| promise.span.clone()).unwrap_or_default(),
            data: target.span,
        },
        name: name.value,
        source: target.source.name.clone(),
        table: target.table,
        activity,
        schedule: Schedule::new(given.zone, after.counted_from, keep.value.clone()),
        keep: keep.value,
        start: after.start,
        when: when.map(|when| when.value),
        unless,
        only_if,
        keep_newest,
        then: then?,
        limit,
        enforce,
        gone_within: gone_within.map(|promise| promise.value),
        note,
    })
}

/// Reads a period of the language.
pub(super) fn parse_period(text: &str) -> Result<Period, Complaint> {
    Period::parse(text).map_err(|error| Complaint::new("bad-period", &error, Some(error.help())))
}

fn keep(section: &mut Section<'_>) -> Option<Placed<Period>> {
    let Some(value) = section.value("keep") else {
        section.missing("keep");
        return None;
    };
    match value.get_ref() {
        DeValue::Table(_) => {
            let message = format!("`keep` from data, in {}, is not yet supported", section.title());
            let finding = Finding::error("not-yet-supported", message, value.span());
            section.note(finding.help("write a period, such as \"5 years\""));
            None
        }
        DeValue::Integer(digits) => {
            let message = format!("`keep` in {} has no unit", section.title());
            let help = format!("write it in quotes, with its unit, such as \"{} years\"", digits.as_str());
            section.note(Finding::error("bad-period", message, value.span()).help(help));
            None
        }
        _ => section.parsed("keep", parse_period),
    }
}

fn condition(section: &mut Section<'_>, key: &'static str) -> Option<Placed<Condition>> {
    let text = section.text(key)?;
    match Condition::parse(&text.value) {
        Ok(value) => Some(Placed { value, span: text.span }),
        Err(error) => {
            // Inside plain quotes the text's bytes are the file's, one behind the quote.
            let plain = text.span.len() == text.value.len() + 2;
            let start = text.span.start + 1;
            let span = if plain { start + error.span.start..start + error.span.end } else { text.span };
            section.note(Finding::error("bad-condition", error.message, span).maybe_help(error.help));
            None
        }
    }
}

fn then(section: &mut Section<'_>) -> Option<Then> {
    let Some(then) = section.text("then") else {
        return (!section.has("then")).then_some(Then::Delete);
    };
    let finding = match then.value.as_str() {
        "delete" => return Some(Then::Delete),
        "anonymise" => {
            let message = format!("`then = \"anonymise\"` in {} is not yet supported", section.title());
            let finding = Finding::error("not-yet-supported", message, then.span);
            finding.help("this version can only delete")
        }
        other => {
            let message = format!("`{other}` is nothing that can be done to a record");
            let near = nearest(other, ["delete", "anonymise"]).unwrap_or("delete");
            Finding::error("bad-value", message, then.span).help(format!("did you mean \"{near}\"?"))
        }
    };
    section.note(finding);
    None
}

fn activity(section: &mut Section<'_>, given: &Given<'_>) -> Option<String> {
    let activity = section.text("activity")?;
    let mut known = given.activities.iter().map(|activity| activity.name.as_str());
    if !known.clone().any(|name| name == activity.value) {
        let message = format!("there is no activity `{}`", activity.value);
        let help = match nearest(&activity.value, &mut known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add a section [activity.{}]", activity.value),
        };
        section.note(Finding::error("unknown-activity", message, activity.span).help(help));
    }
    Some(activity.value)
}
