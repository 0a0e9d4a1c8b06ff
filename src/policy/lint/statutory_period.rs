//! A rule whose activity rests on a known law must keep what that law demands, and no longer than it
//! allows: on every date that an event can have.

use crate::calendar::{Event, Period, Schedule, telling_events};
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::statute::{self, STATUTES, Statute};
use crate::policy::{Activity, Counting, Keep, Policy, Rule};

use super::contradictory_law::contradiction;

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let mut known = Vec::new();
    policy.activities.iter().flat_map(|activity| judge(policy, activity, &mut known)).collect()
}

/// Laws and schedules that go together: a comparison looks at every date, and many rules keep alike.
type Known<'p> = Vec<(&'p str, &'p Schedule)>;

fn judge<'p>(policy: &'p Policy, activity: &'p Activity, known: &mut Known<'p>) -> Vec<Finding> {
    let Some(law) = activity.law.as_deref() else { return Vec::new() };
    let Some(statute) = policy.law(law) else {
        return unknown_law(policy, activity, law).into_iter().collect();
    };
    let named = |rule: &&Rule| rule.activity.as_ref() == Some(&activity.name);
    let mut rules = policy.rules.iter().filter(named).peekable();
    if rules.peek().is_none() || contradiction(policy, statute).is_some() {
        return Vec::new();
    }
    match Bounds::of(statute, policy) {
        Some(bounds) => rules.filter_map(|rule| bounds.violation(rule, known)).collect(),
        None => vec![no_financial_year(statute, activity)],
    }
}

fn unknown_law(policy: &Policy, activity: &Activity, law: &str) -> Option<Finding> {
    if !statute::looks_like_an_id(law) {
        return None;
    }
    let message = format!("`{law}` is not in the catalogue of laws, so no period is compared with it");
    let known = policy.laws.iter().chain(STATUTES.iter()).map(|statute| statute.id.as_str());
    let near = nearest(law, known);
    let at = activity.law_span.clone();
    // One slip is no other law, and a period that nobody compares looks as one that was found right.
    if let Some(meant) = near.filter(|id| is_one_slip(law, id)) {
        let help = format!("write \"{meant}\"; another law gets a section of its own, [law.\"{law}\"]");
        return Some(Finding::error(Code::UnknownLaw, message, at).help(help));
    }
    let help = near.map(|id| format!("did you mean \"{id}\"?"));
    Some(Finding::warning(Code::UnknownLaw, message, at).maybe_help(help))
}

/// Whether one letter that is missing, too much, another or exchanged makes the difference, or only
/// how the letters are written.
fn is_one_slip(written: &str, id: &str) -> bool {
    strsim::damerau_levenshtein(&in_plain_letters(written), &in_plain_letters(id)) <= 1
}

fn in_plain_letters(id: &str) -> String {
    let plain = id.to_lowercase().replace('ø', "oe").replace('å', "aa").replace('æ', "ae").replace('ü', "ue");
    plain.replace('_', "-")
}

/// Where nobody says when financial years end, nobody can say whether a period reaches far enough.
fn no_financial_year(statute: &Statute, activity: &Activity) -> Finding {
    let message =
        format!("{} counts from the end of the financial year, which [policy] does not give", statute.name());
    Finding::error(Code::MissingKey, message, activity.law_span.clone())
        .help("write `financial-year-ends = \"12-31\"` under [policy], with your own date")
}

/// A law's periods as schedules of the policy.
struct Bounds<'p> {
    statute: &'p Statute,
    /// When a record may be due at the earliest.
    earliest: Option<Schedule>,
    /// When it has to be due at the latest: a day before the end of the period, as with `at most`,
    /// so that nothing is left when the period is over.
    latest: Option<Schedule>,
}

impl<'p> Bounds<'p> {
    /// None where the law needs financial years that the policy does not give.
    fn of(statute: &'p Statute, policy: &Policy) -> Option<Bounds<'p>> {
        let years = policy.financial_year.as_ref();
        let earliest = match statute.at_least.clone() {
            Some(period) => Some(statute.schedule(period, policy.zone, years)?),
            None => None,
        };
        let latest = match statute.at_most.as_ref() {
            Some(period) => Some(statute.schedule(period.as_upper_bound(), policy.zone, years)?),
            None => None,
        };
        Some(Bounds { statute, earliest, latest })
    }

    fn violation(&self, rule: &'p Rule, known: &mut Known<'p>) -> Option<Finding> {
        match (&rule.keep, rule.keep.longest()) {
            (Keep::Fixed(schedule), _) => {
                let pair = (self.statute.id.as_str(), schedule);
                if known.contains(&pair) {
                    return None;
                }
                let violation = self.violation_by(schedule, rule);
                known.extend(violation.is_none().then_some(pair));
                violation
            }
            (Keep::FromData(_), None) if self.latest.is_some() => Some(self.no_maximum(rule)),
            (Keep::FromData(_), longest) => {
                let by_longest = longest.and_then(|longest| self.violation_by(&longest, rule));
                by_longest.or_else(|| self.unknown_minimum(rule))
            }
        }
    }

    fn violation_by(&self, schedule: &Schedule, rule: &Rule) -> Option<Finding> {
        self.too_short(schedule, rule).or_else(|| self.too_long(schedule, rule))
    }

    fn too_short(&self, schedule: &Schedule, rule: &Rule) -> Option<Finding> {
        let earliest = self.earliest.as_ref()?;
        let event = schedule.first_earlier(earliest)?;
        let message = format!(
            "rule `{}` keeps less than {} demands: a record of {} would be deleted {}, and the law keeps it {}",
            rule.name,
            self.statute.name(),
            event.in_zone(earliest.zone()),
            deleted(schedule, event),
            kept(earliest, event),
        );
        Some(self.finding(rule, message, self.statute.at_least.clone()))
    }

    fn too_long(&self, schedule: &Schedule, rule: &Rule) -> Option<Finding> {
        let latest = self.latest.as_ref()?;
        let later_than = |bound: &Schedule, event| schedule.compare_due(bound, event).is_gt();
        // Where a law demands as long as it allows, the first day on which it lets go is not too late.
        let too_late = |event: &Event| {
            later_than(latest, *event) && self.earliest.as_ref().is_none_or(|bound| later_than(bound, *event))
        };
        let schedules: Vec<&Schedule> =
            [schedule, latest].into_iter().chain(self.earliest.as_ref()).collect();
        if schedules.iter().skip(1).any(|bound| *bound == schedule) {
            return None;
        }
        let event = telling_events(&schedules).find(too_late)?;
        let allowed = self.earliest.as_ref().filter(|bound| bound.compare_due(latest, event).is_gt());
        let message = format!(
            "rule `{}` keeps longer than {} allows: a record of {} would be deleted {}, and the law wants it gone {}",
            rule.name,
            self.statute.name(),
            event.in_zone(latest.zone()),
            deleted(schedule, event),
            deleted(allowed.unwrap_or(latest), event),
        );
        Some(self.finding(rule, message, self.longest()))
    }

    /// The longest period that the law is content with.
    fn longest(&self) -> Option<Period> {
        let (earliest, latest) = (self.earliest.as_ref(), self.latest.as_ref()?);
        let too_short = earliest.is_some_and(|earliest| latest.first_earlier(earliest).is_some());
        if too_short { self.statute.at_least.clone() } else { Some(latest.period().clone()) }
    }

    /// What the data may say has no end.
    fn no_maximum(&self, rule: &Rule) -> Finding {
        let message = format!(
            "rule `{}` keeps as long as its data says, and {} has an end",
            rule.name,
            self.statute.name()
        );
        self.finding(rule, message, self.longest())
    }

    /// What the data says is only known record by record.
    fn unknown_minimum(&self, rule: &Rule) -> Option<Finding> {
        let least = self.statute.at_least.as_ref()?;
        let message = format!(
            "rule `{}` keeps as long as its data says: whether that is the {least} that {} demands, nobody can say \
             here",
            rule.name,
            self.statute.name()
        );
        let help = format!("see to it that no period in the data is shorter than {least}");
        Some(Finding::warning(Code::PeriodFromData, message, rule.places.keep.clone()).help(help))
    }

    fn finding(&self, rule: &Rule, message: String, keep: Option<Period>) -> Finding {
        let (statute, keep) = (self.statute, keep.map_or(String::new(), |keep| keep.to_string()));
        let counting = statute.counted_from.map(Counting::word);
        let after = match (counting, rule.keep.counted_from()) {
            (Some(word), _) => format!(", and `counted-from = \"{word}\"` in `after`"),
            (None, Some(_)) => ", without `counted-from`".to_string(),
            (None, None) => String::new(),
        };
        let key = if rule.keep.fixed().is_some() { "keep" } else { "at-most" };
        let help = format!(
            "it wants {}, counted from {}: write `{key} = \"{keep}\"`{after}",
            statute.demand(),
            statute.start()
        );
        Finding::error(Code::StatutoryPeriod, message, rule.places.keep.clone()).help(help)
    }
}

fn deleted(schedule: &Schedule, event: Event) -> String {
    match schedule.day_due(event) {
        Some(day) => format!("on {day}"),
        None => format!("at {}", schedule.zone().rfc3339(schedule.due_from(event))),
    }
}

fn kept(schedule: &Schedule, event: Event) -> String {
    match schedule.day_due(event).and_then(|day| day.pred_opt()) {
        Some(day) => format!("to the end of {day}"),
        None => format!("until {}", schedule.zone().rfc3339(schedule.due_from(event))),
    }
}

#[cfg(test)]
mod tests;
