//! Plans and runs for people and for programs. Everything here is a late reader of plain data.

pub mod forecast;
pub mod json;
pub mod list;
pub mod prometheus;
pub mod runs;
mod table;
pub mod text;
mod total;
mod wrap;

use crate::calendar::{DueUpTo, Timestamp, Zone};
use crate::evaluate::{Evaluator, Reason, State};
use crate::plan::{LimitBreach, Limited, Plan};
use crate::policy::{Action, Breach, Policy, Rule};
use crate::run::Outcome;

pub use total::Total;

/// What to draw.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// What is due.
    Plan(&'a Plan),
    /// What a run did, and what it was planned to do.
    Run(&'a Plan, &'a Outcome),
}

/// What a report says besides what is due.
#[derive(Clone, Copy, Default)]
pub struct More<'a> {
    /// The records, one by one.
    pub listing: Option<&'a dyn Listing>,
    /// What falls due later.
    pub forecast: Option<&'a forecast::Forecast>,
}

/// One record of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What `explain` takes back.
    pub key: String,
    /// The state.
    pub state: State,
    /// The event, as the calendar reads it.
    pub event: Option<String>,
    /// From when the record is due.
    pub due_from: Option<String>,
    /// Why it is in its state.
    pub reason: String,
    /// When its period ends or ended, where that is not the reason.
    pub period: Option<String>,
}

/// A listing under way: it hands each record of one rule, by its place in the plan, to a taker,
/// which may refuse to go on.
pub trait Listing {
    /// Hands over the records of a rule.
    fn each(&self, rule: usize, take: &mut dyn FnMut(Record) -> bool) -> Result<(), crate::source::Problem>;
}

/// The latest event that is due, in the policy's zone; none where nothing readable is, and where
/// each record has a period of its own.
pub fn due_up_to(told: Option<DueUpTo>, zone: Zone) -> Option<String> {
    match told? {
        DueUpTo::Nothing => None,
        DueUpTo::Date(date) => Some(date.to_string()),
        DueUpTo::Timestamp(at) => Some(zone.rfc3339(at)),
    }
}

/// Why a record is in its state, in a phrase.
pub fn reason_text(book_rules: &[&str], book: &Evaluator, reason: Reason) -> String {
    let table = |cell| book.question_at(cell).map(|question| question.relation.rows()).unwrap_or_default();
    match reason {
        Reason::Event(why) => why.to_string(),
        Reason::Condition(column) => {
            format!("`{}` is not what `when` compares it with", book.columns()[column])
        }
        Reason::Related(cell) => format!("the time of a related row of {} cannot be read", table(cell)),
        Reason::Period { cell, why } => format!("`{}` says no period: {why}", book.columns()[cell]),
        Reason::RelatedPeriod(cell) => {
            format!("the period of a related row of {} cannot be read", table(cell))
        }
        Reason::NoneRelated => "no row is related that would start the clock".to_string(),
        Reason::Spared(cell) => format!("a related row of {} speaks for it", table(cell)),
        Reason::Malformed(why) => why.to_string(),
        Reason::NotStarted => "the clock has not started".to_string(),
        Reason::NotInstructed => "nothing says yet how long it is kept".to_string(),
        Reason::Date => "its period decides".to_string(),
        Reason::Newest(rule) => format!("rule `{}` keeps the newest records", book_rules[rule]),
        Reason::Referred(_) => "a row that stays refers to it".to_string(),
        Reason::NotSeen => "its content cannot be seen whole".to_string(),
        Reason::Set(column, why) => format!("`{}` cannot be anonymised: {why}", book.columns()[column]),
        Reason::Done => "already anonymised".to_string(),
        Reason::GoesAlong => "it goes along with another record".to_string(),
        Reason::DeletedBy(other) => format!("rule `{}` deletes it", book_rules[other]),
        Reason::Rule(other) => format!("rule `{}` keeps it, at least as long", book_rules[other]),
    }
}

/// That a rule's period is over, or when it will be: `5 years are over since 2026-10-25 (34 days)`.
pub fn period_text(policy: &Policy, rule: &Rule, due_from: Timestamp, now: Timestamp) -> String {
    let from = policy.zone.rfc3339(due_from);
    let (day, counted) = (list::day(&from), rule.counted());
    let keep = rule.keep.to_string();
    let keep = keep.strip_prefix("at most ").unwrap_or(&keep);
    let over = match keep {
        _ if rule.keep.instructions().is_some() => "its period is over".to_string(),
        "immediately" => "due at once".to_string(),
        one if one.starts_with("1 ") && one.split(' ').count() == 2 => format!("{one} is over"),
        many => format!("{many} are over"),
    };
    let days = (policy.zone.date_of(now) - policy.zone.date_of(due_from)).num_days();
    let late = match u64::try_from(days) {
        Ok(0) | Err(_) => String::new(),
        Ok(1) => " (1 day)".to_string(),
        Ok(days) => format!(" ({} days)", grouped(days)),
    };
    let since = if due_from <= now { "since" } else { "on" };
    format!("{over} {since} {day}{late}{counted}")
}

/// When the period of a record ends or ended that has another reason to be in its state.
pub fn period_beside(policy: &Policy, due_from: Timestamp, now: Timestamp) -> String {
    let ends = if due_from <= now { "ended" } else { "ends" };
    format!("its period {ends} {}", list::day(&policy.zone.rfc3339(due_from)))
}

/// What a broken limit means, and how to accept it once.
pub fn breach_text(rule: &Rule, broken: &LimitBreach) -> String {
    let (what, name) = match &broken.of {
        Limited::Rule => (of_rule(rule, &broken.breach), &rule.name),
        Limited::Dataset(name) => (of_dataset(name, &broken.breach), name),
    };
    format!("{what}; if that is right, run purge once with --accept-limit {}", shell_word(name))
}

/// What would leave a dataset, by this rule and others.
fn of_dataset(name: &str, breach: &Breach) -> String {
    match breach {
        Breach::Records { value, allowed } => format!(
            "{} records of {name} would go in one run, by all rules together, more than the {} allowed",
            grouped(*value),
            grouped(*allowed)
        ),
        Breach::Share { value, allowed } => format!(
            "{:.2}% of {name} would go in one run, by all rules together, more than the {allowed} allowed",
            value * 100.0
        ),
        Breach::Whole { records } => {
            format!("all {} records of {name} would go in one run, by all rules together", grouped(*records))
        }
    }
}

fn of_rule(rule: &Rule, breach: &Breach) -> String {
    let verb = rule.then.deed().verb();
    match breach {
        Breach::Records { value, allowed } => {
            format!(
                "{} records are due, more than the {} that one run may {verb}",
                grouped(*value),
                grouped(*allowed)
            )
        }
        Breach::Share { value, allowed } => {
            format!(
                "{:.2}% of its data is due, more than the {allowed} that one run may {verb}",
                value * 100.0
            )
        }
        Breach::Whole { records } => format!("all {} records of its data are due", grouped(*records)),
    }
}

/// A word that a shell reads as it stands.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A number with its thousands apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut groups: Vec<&str> = Vec::new();
    if first > 0 {
        groups.push(&digits[..first]);
    }
    groups.extend((first..digits.len()).step_by(3).map(|at| &digits[at..at + 3]));
    groups.join(",")
}

/// `512 bytes`, `1.5 MB`: in thousands, as disks are sold.
pub fn bytes(number: u64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut size = number as f64 / 1_000.0;
    if number < 1_000 {
        return format!("{number} {}", if number == 1 { "byte" } else { "bytes" });
    }
    for unit in units {
        // What would be rounded to a thousand belongs to the next unit.
        if size < 999.95 {
            return format!("{size:.1} {unit}");
        }
        size /= 1_000.0;
    }
    format!("{} bytes", grouped(number))
}

/// `3 records deleted, 2 anonymised`: what was done to how many, or is to be done.
pub fn deeds(counts: impl IntoIterator<Item = (Action, u64)>) -> String {
    let counts: Vec<(Action, u64)> = counts.into_iter().collect();
    let is_said = |(at, (_, count)): &(usize, &(Action, u64))| {
        *count > 0 || (*at == 0 && counts.iter().all(|(_, count)| *count == 0))
    };
    let mut parts: Vec<String> = Vec::new();
    for (_, (deed, count)) in counts.iter().enumerate().filter(is_said) {
        let what = if parts.is_empty() { records(*count) } else { grouped(*count) };
        parts.push(format!("{what} {}", deed.word()));
    }
    parts.join(", ")
}

/// `1 record`, `2 records`.
pub fn records(number: u64) -> String {
    format!("{} {}", grouped(number), if number == 1 { "record" } else { "records" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let all: Vec<String> = [0, 12, 123, 1_234, 123_456, 1_234_567].map(grouped).into();
        assert_eq!(all, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
    }

    #[test]
    fn bytes_are_told_in_thousands() {
        let all: Vec<String> = [0, 1, 999, 1_000, 1_550, 999_949, 999_950, 5_000_000_000].map(bytes).into();
        let told = ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.6 kB", "999.9 kB", "1.0 MB", "5.0 GB"];
        assert_eq!(all, told);
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn a_rule_s_name_is_safe_to_paste_into_a_shell() {
        assert_eq!(shell_word("app-data"), "app-data");
        assert_eq!(shell_word("a b'; rm -rf"), "'a b'\\''; rm -rf'");
    }
}
