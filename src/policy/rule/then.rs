//! `then` and `set`: what happens to a due record.

use std::ops::Range;

use super::Target;
use super::set::{self, Setting};
use crate::anonymise::Form;
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::section::{Placed, Section};

/// What happens to a due record.
#[derive(Clone, Debug)]
pub enum Then {
    /// It is deleted.
    Delete,
    /// Some of its columns are set; at least one.
    Anonymise(Vec<Setting>),
}

/// What has happened to a record whose rule was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is gone.
    Deleted,
    /// It names nobody any more, as far as the rule sets its columns.
    Anonymised,
    /// It names somebody under a pseudonym, and stays personal.
    Pseudonymised,
}

/// All of them.
pub const DEEDS: [Action; 3] = [Action::Deleted, Action::Anonymised, Action::Pseudonymised];

impl Then {
    /// The word of the language.
    pub fn word(&self) -> &'static str {
        match self {
            Then::Delete => "delete",
            Then::Anonymise(_) => "anonymise",
        }
    }

    /// What has happened once it is carried out. One pseudonym is enough for a record to stay
    /// personal.
    pub fn deed(&self) -> Action {
        match self {
            Then::Delete => Action::Deleted,
            Then::Anonymise(settings) => {
                let is_pseudonym = |setting: &Setting| matches!(setting.form, Form::Pseudonym);
                if settings.iter().any(is_pseudonym) { Action::Pseudonymised } else { Action::Anonymised }
            }
        }
    }

    /// The columns that it sets.
    pub fn settings(&self) -> &[Setting] {
        match self {
            Then::Delete => &[],
            Then::Anonymise(settings) => settings,
        }
    }
}

impl Action {
    /// As it is told: `3 records deleted`.
    pub fn word(self) -> &'static str {
        match self {
            Action::Deleted => "deleted",
            Action::Anonymised => "anonymised",
            Action::Pseudonymised => "pseudonymised",
        }
    }

    /// As it is asked for: `delete 3 records`.
    pub fn verb(self) -> &'static str {
        match self {
            Action::Deleted => "delete",
            Action::Anonymised => "anonymise",
            Action::Pseudonymised => "pseudonymise",
        }
    }
}

/// Reads what happens; deletion, where nothing is said.
pub(super) fn read(
    section: &mut Section<'_>,
    target: Option<&Target<'_>>,
    given: &super::Given<'_>,
) -> Option<Then> {
    let set_written = section.has("set").then(|| section.key_span("set"));
    let settings = set::read(section, target, given);
    let Some(then) = section.text("then") else {
        set_written.into_iter().for_each(|span| without_then(section, span));
        return (!section.has("then")).then_some(Then::Delete);
    };
    match then.value.as_str() {
        "delete" => {
            set_written.into_iter().for_each(|span| without_then(section, span));
            Some(Then::Delete)
        }
        "anonymise" => anonymise(section, target, &then, set_written.is_some(), settings),
        other => {
            let message = format!("`{other}` is nothing that can be done to a record");
            let near = nearest(other, ["delete", "anonymise"]).unwrap_or("delete");
            section.note(
                Finding::error(Code::BadValue, message, then.span).help(format!("did you mean \"{near}\"?")),
            );
            None
        }
    }
}

fn anonymise(
    section: &Section<'_>,
    target: Option<&Target<'_>>,
    then: &Placed<String>,
    set_written: bool,
    settings: Option<Vec<Setting>>,
) -> Option<Then> {
    if target.is_some_and(|target| target.source.kind.folder().is_some()) {
        let message = format!("{} cannot anonymise files: they have no columns", section.title());
        let finding = Finding::error(Code::BadValue, message, then.span.clone());
        section.note(finding.help("a file can only be deleted"));
        return None;
    }
    if !set_written {
        let message = format!("{} anonymises, and has no `set`", section.title());
        let help =
            "write what becomes of each column, such as set = { name = \"remove\", email = \"remove\" }";
        section.note(Finding::error(Code::MissingKey, message, then.span.clone()).help(help));
    }
    settings.map(Then::Anonymise)
}

/// Notes that nothing can go along with a record that stays.
pub(super) fn check_with(section: &Section<'_>, then: Option<&Then>) {
    if section.has("with") && matches!(then, Some(Then::Anonymise(_))) {
        let message = format!("{} has `with`, and anonymises", section.title());
        let finding = Finding::error(Code::BadValue, message, section.key_span("with"));
        section.note(finding.help("what belongs to a record can only go along where that is deleted"));
    }
}

fn without_then(section: &Section<'_>, span: Range<usize>) {
    let message = format!("{} has `set`, and deletes", section.title());
    let finding = Finding::error(Code::BadValue, message, span);
    section.note(finding.help("write `then = \"anonymise\"`, or take `set` away"));
}
