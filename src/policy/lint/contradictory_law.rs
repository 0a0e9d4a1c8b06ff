//! A law of one's own that demands more than it allows can be kept by nobody.

use crate::diagnostic::{Code, Finding};
use crate::policy::statute::Statute;
use crate::policy::{Counting, Policy};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    policy.laws.iter().filter_map(|law| contradiction(policy, law)).collect()
}

/// Why nobody can keep the law, if so.
pub(super) fn contradiction(policy: &Policy, law: &Statute) -> Option<Finding> {
    let (least, most) = (law.at_least.clone()?, law.at_most.clone()?);
    // Without financial years the event itself has to do; that they are missing is another finding.
    let years = policy.financial_year.as_ref();
    let counted = law.counted_from.filter(|counting| *counting != Counting::FinancialYear || years.is_some());
    let law = Statute { counted_from: counted, ..law.clone() };
    let demanded = law.schedule(least.clone(), policy.zone, years)?;
    let allowed = law.schedule(most.clone(), policy.zone, years)?;
    let event = allowed.first_earlier(&demanded)?;
    let message = format!(
        "law `{}` demands {least} and allows {most}, which is less after {}",
        law.id,
        event.in_zone(demanded.zone())
    );
    let finding = Finding::error(Code::ContradictoryLaw, message, law.span.clone());
    Some(finding.help("write `at-least` no longer than `at-most`"))
}

#[cfg(test)]
mod tests {
    use crate::policy::tests::{BEGINNING, read};

    /// The errors in a law with these lines.
    fn errors(lines: &str) -> Vec<String> {
        let law = format!("[law.\"acme:contract-7\"]\ntitle = \"contract 7\"\n{lines}\n");
        let (_, findings) = read(&format!("{BEGINNING}{law}"));
        findings.into_iter().filter(|finding| finding.is_error()).map(|finding| finding.message).collect()
    }

    #[test]
    fn the_least_may_be_as_long_as_the_most() {
        assert!(errors("at-least = \"5 years\"\nat-most = \"5 years\"").is_empty());
        assert!(errors("at-least = \"12 months\"\nat-most = \"1 year\"").is_empty());
        assert!(errors("at-least = \"30 days\"\nat-most = \"5 weeks\"").is_empty());
    }

    #[test]
    fn the_least_is_no_longer_than_the_most_on_any_date() {
        let message =
            "law `acme:contract-7` demands 6 years and allows 5 years, which is less after 2024-01-01";
        assert_eq!(errors("at-least = \"6 years\"\nat-most = \"5 years\""), [message]);
        // From 31 January a month ends with February.
        let message =
            "law `acme:contract-7` demands 30 days and allows 1 month, which is less after 2024-01-31";
        assert_eq!(errors("at-least = \"30 days\"\nat-most = \"1 month\""), [message]);
        let message =
            "law `acme:contract-7` demands 1 month and allows 30 days, which is less after 2024-01-01";
        assert_eq!(errors("at-least = \"1 month\"\nat-most = \"30 days\""), [message]);
    }

    #[test]
    fn only_the_dates_count_from_which_the_law_does() {
        let lines = "at-least = \"30 days\"\nat-most = \"1 month\"\ncounted-from = \"end-of-year\"";
        assert!(errors(lines).is_empty(), "from 31 December a month has 31 days");
    }
}
