//! Laws that say how long data is kept: those of the catalogue, and `[law."ID"]` in a policy.
//!
//! Both are written in the same way and read by the same code.

use std::ops::Range;
use std::sync::LazyLock;

use toml::de::DeTable;

use crate::calendar::{CountedFrom, Date, FinancialYear, Period, Schedule, Zone};
use crate::diagnostic::{Code, Finding};

use super::counting::Counting;
use super::header::parse_date;
use super::period;
use super::section::{Complaint, Notes, Placed, Section};

const CATALOGUE: &str = include_str!("statutes.toml");

/// The catalogue, in the order of its file.
pub static STATUTES: LazyLock<Vec<Statute>> = LazyLock::new(|| read_catalogue(&Notes::default()));

/// A law's demand on a retention period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statute {
    /// What a policy writes in `law`.
    pub id: String,
    /// The law's name.
    pub title: String,
    /// The section or article of it.
    pub section: Option<String>,
    /// Which data it is about, in a sentence.
    pub covers: Option<String>,
    /// What has to have happened for the clock to start: what a rule's `after` should hold.
    pub event: Option<String>,
    /// The least it demands.
    pub at_least: Option<Period>,
    /// The most it allows.
    pub at_most: Option<Period>,
    /// What its periods are counted from, where that is not the event itself.
    pub counted_from: Option<Counting>,
    /// Where it can be read.
    pub source: Option<String>,
    /// When it was last compared with what is published about it.
    pub checked: Option<Date>,
    /// Where its id stands in the file that defines it, in bytes.
    pub span: Range<usize>,
}

impl Statute {
    /// The law and its section: `the Danish bookkeeping act, section 12`.
    pub fn name(&self) -> String {
        match &self.section {
            Some(section) => format!("{}, {section}", self.title),
            None => self.title.clone(),
        }
    }

    /// What it asks for: `at least 5 years`.
    pub fn demand(&self) -> String {
        match (&self.at_least, &self.at_most) {
            (Some(least), Some(most)) if least == most => format!("exactly {least}"),
            (Some(least), Some(most)) => format!("at least {least} and at most {most}"),
            (Some(least), None) => format!("at least {least}"),
            (None, Some(most)) => format!("at most {most}"),
            (None, None) => String::new(),
        }
    }

    /// From where it counts: `the end of the financial year`.
    pub fn start(&self) -> &str {
        match self.counted_from {
            Some(counting) => counting.words(),
            None => self.event.as_deref().unwrap_or("the event"),
        }
    }

    /// A period of this law in a policy's zone and financial years; none where the law counts from
    /// financial years and the policy gives none.
    pub(super) fn schedule(
        &self,
        period: Period,
        zone: Zone,
        years: Option<&FinancialYear>,
    ) -> Option<Schedule> {
        let counted_from: Option<CountedFrom> = match self.counted_from {
            None => None,
            Some(counting) => Some(counting.within(years)?),
        };
        Some(Schedule::new(zone, counted_from, period))
    }
}

/// The catalogue's entry for an id.
pub fn find(id: &str) -> Option<&'static Statute> {
    STATUTES.iter().find(|statute| statute.id == id)
}

/// Whether a text is meant as an id: somebody, a colon, and a name. One that misspells an id in
/// capitals or other letters is meant as one too, where a country stands before the colon.
pub fn looks_like_an_id(law: &str) -> bool {
    let misspelt = |(country, name): (&str, &str)| {
        country.len() == 2
            && country.bytes().all(|byte| byte.is_ascii_lowercase())
            && !name.is_empty()
            && !name.contains(char::is_whitespace)
    };
    is_id(law) || law.split_once(':').is_some_and(misspelt)
}

fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let of = |part: &str, proper: &dyn Fn(char) -> bool| !part.is_empty() && part.chars().all(proper);
    text.split_once(':').is_some_and(|(who, name)| of(who, &plain) && of(name, &|c| plain(c) || c == '.'))
}

fn read_catalogue(notes: &Notes) -> Vec<Statute> {
    let (document, errors) = DeTable::parse_recoverable(CATALOGUE);
    for error in errors {
        notes.add(Finding::error(Code::NotToml, error.message(), 0..0));
    }
    let mut whole = Section::new(document.get_ref(), "the catalogue".to_string(), 0..0, notes);
    let statutes = read_all(&mut whole);
    whole.finish();
    statutes
}

/// Reads every `[law."ID"]` of a policy, which may not say what the catalogue says already.
pub(super) fn read_own(whole: &mut Section<'_>) -> Vec<Statute> {
    let laws = read_all(whole);
    for law in laws.iter().filter(|law| find(&law.id).is_some()) {
        let message = format!("`{}` is in the catalogue of laws, and means the same in every policy", law.id);
        let name = law.id.split_once(':').map_or("", |(_, name)| name);
        let help =
            format!("give yours an id of its own, such as [law.\"own:{name}\"], or take the section away");
        whole.note(Finding::error(Code::DuplicateName, message, law.span.clone()).help(help));
    }
    laws
}

fn read_all(whole: &mut Section<'_>) -> Vec<Statute> {
    let mut laws = Vec::new();
    for (id, mut section) in whole.named_sections("law") {
        check_id(&section, &id);
        laws.push(read(id, &mut section));
        section.finish();
    }
    laws
}

fn check_id(section: &Section<'_>, id: &Placed<String>) {
    if !is_id(&id.value) {
        let message = format!("`{}` is no id of a law", id.value);
        let help = "write who made it, a colon and a name, in small letters, digits and hyphens, such as \
                    [law.\"acme:contract-7\"]";
        section.note(Finding::error(Code::BadName, message, id.span.clone()).help(help));
    }
}

fn read(id: Placed<String>, section: &mut Section<'_>) -> Statute {
    let title = section.required("title").map(|title| title.value).unwrap_or_default();
    if !section.has("at-least") && !section.has("at-most") {
        let message = format!("{} has neither `at-least` nor `at-most`", section.title());
        let finding = Finding::error(Code::MissingKey, message, section.span());
        section.note(finding.help("add a line such as: at-least = \"5 years\""));
    }
    let mut words = |key| section.text(key).map(|text| text.value);
    let (part, covers, event, source) = (words("section"), words("covers"), words("event"), words("source"));
    Statute {
        id: id.value,
        title,
        section: part,
        covers,
        event,
        at_least: section.parsed("at-least", parse_at_least).map(|period| period.value),
        at_most: section.parsed("at-most", parse_at_most).map(|period| period.value),
        counted_from: section.parsed("counted-from", Counting::parse).map(|counting| counting.value),
        source,
        checked: section.parsed("checked", parse_date).map(|date| date.value),
        span: id.span,
    }
}

fn parse_at_least(text: &str) -> Result<Period, Complaint> {
    let period = period::parse(text)?;
    let (message, help) = if period.is_at_most() {
        ("`at-least` is a lower bound, and `at most` makes an upper one", "leave `at most` out")
    } else if period.is_immediate() {
        ("`immediately` demands nothing", "write how long the law wants data to be kept, such as \"5 years\"")
    } else {
        return Ok(period);
    };
    Err(Complaint::new(Code::BadPeriod, message, Some(help.to_string())))
}

fn parse_at_most(text: &str) -> Result<Period, Complaint> {
    let period = period::parse(text)?;
    if !period.is_at_most() {
        return Ok(period);
    }
    let help = "leave `at most` out of the period".to_string();
    Err(Complaint::new(Code::BadPeriod, "`at-most` is an upper bound already", Some(help)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../docs/language.md");

    #[test]
    fn the_catalogue_is_valid() {
        let notes = Notes::default();
        let statutes = read_catalogue(&notes);
        assert_eq!(notes.into_findings(), []);
        assert!(statutes.len() >= 2);
    }

    #[test]
    fn every_entry_says_what_it_is_about_and_where_it_stands() {
        for law in STATUTES.iter() {
            assert!(is_id(&law.id), "{law:?}");
            let words = [&law.section, &law.covers, &law.event, &law.source];
            assert!(words.iter().all(|text| text.as_ref().is_some_and(|text| !text.is_empty())), "{law:?}");
            assert!(law.source.as_ref().unwrap().starts_with("https://"), "{law:?}");
            assert!(law.checked.is_some(), "{law:?}");
        }
    }

    #[test]
    fn the_names_that_policies_use_stay() {
        let bookkeeping = find("dk:bogfoeringsloven-12").unwrap();
        assert_eq!(bookkeeping.demand(), "at least 5 years");
        assert_eq!(bookkeeping.start(), "the end of the financial year");
        assert_eq!(find("dk:hvidvaskloven-30").unwrap().demand(), "exactly 5 years");
        assert_eq!(find("dk:hvidvaskloven-31"), None);
    }

    /// The catalogue as the language reference shows it.
    fn table() -> String {
        let head =
            "| id | law | asks for | `after` holds | covers | source, checked |\n|---|---|---|---|---|---|\n";
        head.to_string() + &STATUTES.iter().map(row).collect::<String>()
    }

    fn row(law: &Statute) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let source = text(&law.source);
        format!(
            "| `{}` | {} | {}, from {} | {} | {} | [{}]({source}), {} |\n",
            law.id,
            law.name(),
            law.demand(),
            law.counted_from.map_or("that event", Counting::words),
            text(&law.event),
            text(&law.covers),
            source.split('/').nth(2).unwrap_or_default(),
            law.checked.unwrap_or_default(),
        )
    }

    #[test]
    fn the_reference_shows_the_catalogue_as_it_is() {
        let table = table();
        assert!(DOCUMENTED.contains(&format!("\n\n{table}\n")), "docs/language.md should show:\n{table}");
    }

    #[test]
    fn ids_are_told_from_words() {
        for id in ["dk:a", "acme:contract-7", "eu:vat-369k.2", "a-1:2"] {
            assert!(is_id(id) && looks_like_an_id(id), "{id}");
        }
        for words in ["", ":", "dk:", ":a", "the law", "note: see the contract", "GDPR: article 6", "a:b c"] {
            assert!(!looks_like_an_id(words), "{words}");
        }
        for misspelt in ["dk:Bogføringsloven-12", "dk:a:b", "dk:a_b"] {
            assert!(!is_id(misspelt) && looks_like_an_id(misspelt), "{misspelt}");
        }
    }
}
