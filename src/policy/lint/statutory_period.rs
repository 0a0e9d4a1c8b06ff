//! A rule whose activity rests on a law of the catalogue must keep what that law demands.

use crate::calendar::CountedFrom;
use crate::diagnostic::{Finding, nearest};
use crate::policy::statute::{self, STATUTES, Statute};
use crate::policy::{Activity, Policy, Rule};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let unknown = policy.activities.iter().filter_map(unknown_law);
    let rules = policy.rules.iter().filter_map(|rule| {
        let activity = policy.activity(rule.activity.as_deref()?)?;
        violation(rule, statute::find(activity.law.as_deref()?)?)
    });
    unknown.chain(rules).collect()
}

fn unknown_law(activity: &Activity) -> Option<Finding> {
    let law = activity.law.as_deref()?;
    if !statute::looks_like_an_id(law) || statute::find(law).is_some() {
        return None;
    }
    let message = format!("`{law}` is not in the catalogue of laws, so no period is compared with it");
    let help =
        nearest(law, STATUTES.iter().map(|statute| statute.id)).map(|id| format!("did you mean \"{id}\"?"));
    Some(Finding::warning("unknown-law", message, activity.law_span.clone()).maybe_help(help))
}

fn violation(rule: &Rule, statute: &Statute) -> Option<Finding> {
    let kept = shortest_months(rule, statute);
    let title = statute.title;
    let (message, help) = if statute.at_least.is_some_and(|months| kept < months) {
        let message = format!("rule `{}` keeps less than {title} demands", rule.name);
        (message, demand(statute, "at least"))
    } else if statute.at_most.is_some_and(|months| is_longer(rule, months)) {
        let message = format!("rule `{}` keeps longer than {title} allows", rule.name);
        (message, demand(statute, "at most"))
    } else {
        return None;
    };
    Some(Finding::error("statutory-period", message, rule.places.keep.clone()).help(help))
}

/// The whole months that the rule keeps on every date, as the statute counts them. A rule that
/// does not count from the financial year's end loses the up to 12 months that the law adds.
fn shortest_months(rule: &Rule, statute: &Statute) -> u32 {
    let months =
        if rule.keep.is_at_most() { rule.keep.months().saturating_sub(1) } else { rule.keep.months() };
    let counted = matches!(rule.schedule.counted_from(), Some(CountedFrom::EndOfFinancialYear(_)));
    if statute.from_financial_year && !counted { months.saturating_sub(12) } else { months }
}

fn is_longer(rule: &Rule, months: u32) -> bool {
    let beyond = rule.keep.months() > months || (rule.keep.months() == months && rule.keep.days() > 0);
    beyond || rule.schedule.counted_from().is_some()
}

fn demand(statute: &Statute, bound: &str) -> String {
    let months = statute.at_least.max(statute.at_most).unwrap_or_default();
    let from = if statute.from_financial_year {
        "from the end of the financial year: `counted-from = \"end-of-financial-year\"`"
    } else {
        "from the end of the relationship"
    };
    format!("it wants {bound} {} years, counted {from}", months / 12)
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{BEGINNING, read, rule};

    /// The message of the only error in a rule under a law, if there is one.
    fn judged(law: &str, rule_lines: &str) -> Option<String> {
        let activity = format!("[activity.billing]\npurpose = \"Bookkeeping\"\nlaw = \"{law}\"\n");
        let rule = rule(&format!("activity = \"billing\"\n{rule_lines}"));
        let (_, mut findings) = read(&format!("{BEGINNING}{activity}{rule}"));
        assert!(findings.len() < 2, "{findings:?}");
        findings.pop().map(|finding| finding.message)
    }

    fn bookkeeping(keep: &str, counted_from: &str) -> bool {
        let after = format!("after = {{ column = \"at\", counted-from = \"{counted_from}\" }}");
        judged("dk:bogfoeringsloven-12", &format!("keep = \"{keep}\"\n{after}")).is_none()
    }

    fn laundering(keep: &str) -> bool {
        judged("dk:hvidvaskloven-30", &format!("keep = \"{keep}\"\nafter = \"at\"")).is_none()
    }

    #[test]
    fn five_years_from_the_end_of_the_financial_year_are_enough() {
        assert!(bookkeeping("5 years", "end-of-financial-year"));
        assert!(bookkeeping("60 months", "end-of-financial-year"));
        assert!(bookkeeping("10 years", "end-of-financial-year"));
        assert!(!bookkeeping("4 years 11 months", "end-of-financial-year"));
        assert!(!bookkeeping("1825 days", "end-of-financial-year"), "days may be fewer than five years");
        assert!(
            !bookkeeping("at most 5 years", "end-of-financial-year"),
            "it ends a day before five years do"
        );
    }

    #[test]
    fn another_start_has_to_make_up_for_the_year_that_it_may_lose() {
        assert!(!bookkeeping("5 years", "end-of-month"));
        assert!(bookkeeping("6 years", "end-of-month"));
        let lines = |keep: &str| format!("keep = \"{keep}\"\nafter = \"at\"");
        assert!(judged("dk:bogfoeringsloven-12", &lines("6 years")).is_none());
        assert!(judged("dk:bogfoeringsloven-12", &lines("71 months")).is_some());
    }

    #[test]
    fn a_law_may_demand_and_forbid_at_once() {
        assert!(laundering("5 years"));
        assert!(!laundering("5 years 1 day"));
        assert!(!laundering("61 months"));
        assert!(!laundering("4 years"));
        assert!(!laundering("immediately"));
        let counted = "keep = \"5 years\"\nafter = { column = \"at\", counted-from = \"end-of-year\" }";
        let message = judged("dk:hvidvaskloven-30", counted).unwrap();
        assert!(message.contains("keeps longer than"), "{message}");
    }

    #[test]
    fn words_are_no_entry_of_the_catalogue() {
        assert!(judged("the promise in our notice", "keep = \"1 day\"\nafter = \"at\"").is_none());
        let unknown = judged("dk:skatteloven-1", "keep = \"1 day\"\nafter = \"at\"").unwrap();
        assert!(unknown.contains("not in the catalogue"), "{unknown}");
    }
}
