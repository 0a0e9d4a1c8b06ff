//! `[[rule]]`: keep this, so long after that, then delete or anonymise.

mod after;
mod given;
mod keep;
mod newest;
mod of_files;
mod related;
mod rows;
mod set;
mod set_null;
mod target;
mod then;
mod with;

use std::collections::HashSet;
use std::ops::Range;

use crate::calendar::{CountedFrom, Format, Period};
use crate::condition::Condition;
use crate::diagnostic::{Code, Finding};

use super::relation::Relation;
use super::section::{Complaint, Placed, Section};
use super::{Limit, limit, period};
pub use after::{Choice, Dated, Part, Start};
pub(super) use given::Given;
pub use keep::{Instructions, Keep};
pub use set::Setting;
pub use set_null::SetNull;
use target::Target;
pub use then::{Action, DEEDS, Then};
pub use with::{NamedFiles, NamingColumn, With};

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
    /// How long it keeps a record.
    pub keep: Keep,
    /// What starts the period.
    pub start: Start,
    /// Which records it is about; all of the table where there is none.
    pub when: Option<Condition>,
    /// Records to which one of these rows belongs are spared.
    pub unless: Vec<Relation>,
    /// Only records to which a row of each of these belongs are meant.
    pub only_if: Vec<Relation>,
    /// What goes together with each record.
    pub with: With,
    /// What lets go of each record, and stays.
    pub set_null: Vec<SetNull>,
    /// How many of the newest records are kept, however old.
    pub keep_newest: Option<u64>,
    /// The columns that tell the groups apart of each of which so many are kept; none where there is one.
    pub per: Vec<String>,
    /// What happens to a due record.
    pub then: Then,
    /// How much a run may delete or anonymise.
    pub limit: Limit,
    /// Whether the rule writes a limit of its own.
    pub has_own_limit: bool,
    /// Whether purge carries it out, or only report shows it.
    pub enforce: bool,
    /// How long after its event a record may still exist anywhere, copies included.
    pub gone_within: Option<Period>,
    /// What was promised to the people whose data it is, and where.
    pub promise: Option<String>,
    /// Whatever else is to be said of the rule.
    pub note: Option<String>,
    /// Where the rule stands in the policy.
    pub places: Places,
}

/// Where the parts of a rule stand in the policy.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The rule's `name`, in bytes.
    pub name: Range<usize>,
    /// `keep`, in bytes.
    pub keep: Range<usize>,
    /// `enforce`, in bytes.
    pub enforce: Range<usize>,
    /// `gone-within`, in bytes.
    pub gone_within: Range<usize>,
    /// `data`, in bytes.
    pub data: Range<usize>,
    /// `after`, in bytes.
    pub after: Range<usize>,
    /// `when`, in bytes; `after` where there is none.
    pub when: Range<usize>,
    /// `data`, as `FILE:LINE:COLUMN`.
    pub data_at: String,
    /// `keep`, as `FILE:LINE:COLUMN`.
    pub keep_at: String,
    /// `after`, as `FILE:LINE:COLUMN`.
    pub after_at: String,
    /// `when`, as `FILE:LINE:COLUMN`.
    pub when_at: String,
    /// `per`, as `FILE:LINE:COLUMN`.
    pub per_at: String,
}

impl Rule {
    /// The data as the language writes it.
    pub fn data(&self) -> String {
        if self.table.is_empty() { self.source.clone() } else { format!("{}.{}", self.source, self.table) }
    }

    /// The rule as a phrase: `5 years after issued_at, from the end of the financial year`.
    pub fn phrase(&self) -> String {
        let counted = self.counted();
        let per = if self.per.is_empty() { String::new() } else { format!(" per {}", self.per.join(", ")) };
        let newest =
            self.keep_newest.map(|count| format!(", but the newest {count}{per}")).unwrap_or_default();
        // What has a comma inside needs one behind it.
        let comma =
            if self.keep.instructions().is_some_and(|asked| asked.at_most.is_some()) { "," } else { "" };
        format!("{}{comma} after {}{counted}{newest}", self.keep, self.after_words())
    }

    /// From where on the period counts, where it is not the event: `, from the end of the year`.
    pub fn counted(&self) -> &'static str {
        match self.keep.counted_from() {
            None => "",
            Some(CountedFrom::EndOfMonth) => ", from the end of the month",
            Some(CountedFrom::EndOfQuarter) => ", from the end of the quarter",
            Some(CountedFrom::EndOfYear) => ", from the end of the year",
            Some(CountedFrom::EndOfFinancialYear(_)) => ", from the end of the financial year",
        }
    }

    fn after_words(&self) -> String {
        let own = self.start.only_column().filter(|own| self.table.is_empty() && own.column == "name");
        match own.map(|own| own.timestamps.format()) {
            Some(Format::Strftime(_) | Format::OneOf(_)) => "the date in its name".to_string(),
            _ => self.start.to_string(),
        }
    }

    /// The relations that the rule asks about.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        let dated = self.start.related_parts().map(|dated| &dated.relation);
        let instructing = self.keep.instructions().and_then(|asked| asked.relation.as_ref());
        dated.chain(&self.unless).chain(&self.only_if).chain(instructing)
    }

    /// Whether its records are deleted.
    pub fn deletes(&self) -> bool {
        self.then.deed() == Action::Deleted
    }

    /// The columns of the record that it reads or sets, and where the policy names them.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        let places = &self.places;
        let start = self.start.own_parts().map(|own| (own.column.as_str(), places.after_at.as_str()));
        let when = self.when.iter().flat_map(|when| when.columns());
        let keep = self.keep.instructions().and_then(|asked| asked.own_column());
        let keys =
            self.relations().flat_map(|relation| relation.keys().map(|key| (key, relation.at.as_str())));
        let set = self.then.settings().iter().map(|setting| (setting.column.as_str(), setting.at.as_str()));
        let per = self.per.iter().map(|column| (column.as_str(), places.per_at.as_str()));
        start
            .chain(keys.map(|(key, place)| (key.column.as_str(), place)))
            .chain(when.map(|column| (column.as_str(), places.when_at.as_str())))
            .chain(keep.map(|column| (column, places.keep_at.as_str())))
            .chain(per)
            .chain(set)
    }
}

/// Reads every `[[rule]]`; a rule with an error is left out, its problems noted.
pub(super) fn read_all(whole: &mut Section<'_>, given: &Given<'_>) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut names = HashSet::new();
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

fn check_name(section: &Section<'_>, name: &Placed<String>, names: &mut HashSet<String>) {
    if name.value.trim().is_empty() || name.value.chars().any(char::is_control) {
        let finding =
            Finding::error(Code::BadName, "a rule needs a name that can be read", name.span.clone());
        section.note(finding.help("write letters, digits and blanks, such as \"app-data\""));
    }
    if !names.insert(name.value.clone()) {
        let message = format!("two rules are called `{}`", name.value);
        let finding = Finding::error(Code::DuplicateName, message, name.span.clone());
        section.note(finding.help("give this one a name of its own"));
    }
}

fn read(name: Option<Placed<String>>, section: &mut Section<'_>, given: &Given<'_>) -> Option<Rule> {
    section.not_yet(&["prove"]);
    let data = section.required("data");
    let target = data.and_then(|text| target::find(section, text, given));
    let clock = clock(section, target.as_ref(), given);
    let meant = meant(section, target.as_ref(), given);
    let with = with::read(section, target.as_ref(), given);
    let set_null = set_null::read(section, target.as_ref(), given);
    let then = then::read(section, target.as_ref(), given);
    then::check_with(section, then.as_ref());
    set_null::check(section, then.as_ref());
    let activity = given.activity(section);
    let own_limit = limit::read(section);
    let (limit, has_own_limit) = (own_limit.or(given.limit), own_limit != Limit::default());
    let enforce_span = section.key_span("enforce");
    let enforce = section.flag("enforce").unwrap_or(true);
    let gone_within = section.parsed("gone-within", period::promise);
    let promise = section.parsed("promise", words).map(|promise| promise.value);
    let note = section.text("note").map(|note| note.value);
    let (name, target, clock, then) = (name?, target?, clock?, then?);
    let mut places = places(&target, &clock, &meant, given);
    places.name = name.span;
    places.enforce = enforce_span;
    places.gone_within = gone_within.as_ref().map(|promise| promise.span.clone()).unwrap_or_default();
    Some(Rule {
        name: name.value,
        source: target.source.name.clone(),
        table: target.table,
        activity,
        keep: clock.keep.value,
        start: clock.start,
        when: meant.when.map(|when| when.value),
        unless: meant.unless,
        only_if: meant.only_if,
        with,
        set_null,
        keep_newest: meant.newest.count,
        per: meant.newest.per,
        then,
        limit,
        has_own_limit,
        enforce,
        gone_within: gone_within.map(|promise| promise.value),
        promise,
        note,
        places,
    })
}

/// A text for people, which has to say something.
fn words(text: &str) -> Result<String, Complaint> {
    if text.trim().is_empty() {
        let help = Some("write what is promised, and where, or leave it out".to_string());
        return Err(Complaint::new(Code::BadValue, "`promise` says nothing", help));
    }
    Ok(text.to_string())
}

/// What starts a rule's period, and how long it is.
struct Clock {
    start: Start,
    after: Range<usize>,
    keep: Placed<Keep>,
}

fn clock(section: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> Option<Clock> {
    if !section.has("keep") {
        section.missing("keep");
    }
    let after_span = section.key_span("after");
    let after = after::read(section, target, given);
    let counted_from = after.as_ref().and_then(|after| after.counted_from.clone());
    let keep = keep::read(section, counted_from, target, given);
    Some(Clock { start: after?.start, after: after_span, keep: keep? })
}

/// Which records a rule means.
struct Meant {
    when: Option<Placed<Condition>>,
    unless: Vec<Relation>,
    only_if: Vec<Relation>,
    newest: newest::Newest,
}

fn meant(section: &mut Section<'_>, target: Option<&Target<'_>>, given: &Given<'_>) -> Meant {
    let is_folder = target.is_some_and(|target| target.source.kind.folder().is_some());
    let when = given::condition(section, "when");
    if is_folder {
        of_files::check_columns(section, when.as_ref());
    }
    Meant {
        when,
        unless: related::list(section, "unless", target, given),
        only_if: related::list(section, "only-if", target, given),
        newest: newest::read(section, is_folder),
    }
}

fn places(target: &Target<'_>, clock: &Clock, meant: &Meant, given: &Given<'_>) -> Places {
    let when = meant.when.as_ref().map_or(&clock.after, |when| &when.span);
    Places {
        data_at: given.place(target.span.start),
        keep_at: given.place(clock.keep.span.start),
        after_at: given.place(clock.after.start),
        when_at: given.place(when.start),
        per_at: given.place(meant.newest.per_span.start),
        data: target.span.clone(),
        keep: clock.keep.span.clone(),
        after: clock.after.clone(),
        when: when.clone(),
        ..Places::default()
    }
}
