//! A rule with `gone-within` promises when its data is gone from everywhere. Here the worst case
//! is computed: each run comes late, and each copy is made right before its original is deleted.

use crate::calendar::{Date, Period, Schedule, start_dates};
use crate::diagnostic::{Code, Finding};
use crate::policy::{Action, Policy, Rule, Source, copies};

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    let promises = policy.rules.iter().filter_map(|rule| Some((rule, rule.gone_within.as_ref()?)));
    promises.flat_map(|(rule, promise)| judge(policy, rule, promise)).collect()
}

fn judge(policy: &Policy, rule: &Rule, promise: &Period) -> Vec<Finding> {
    if !rule.enforce {
        return vec![never_carried_out(rule)];
    }
    if rule.then.deed() == Action::Pseudonymised {
        return vec![stays_personal(rule)];
    }
    let keepers = keepers(policy, rule);
    let lasting: Vec<Finding> = keepers
        .iter()
        .filter(|keeper| keeper.rules.is_empty())
        .map(|keeper| never_gone(rule, keeper))
        .collect();
    if !lasting.is_empty() {
        return lasting;
    }
    let all = keepers.iter().flat_map(|keeper| &keeper.rules);
    let endless: Vec<Finding> =
        all.filter(|deleter| deleter.longest.is_none()).map(|deleter| endless(rule, deleter.rule)).collect();
    if !endless.is_empty() {
        return endless;
    }
    let runs_every = policy.runs_every.as_ref().unwrap_or(&Period::DAY);
    too_late(rule, promise, &keepers, runs_every).into_iter().collect()
}

fn deletes(rule: &Rule) -> bool {
    rule.enforce && rule.deletes()
}

/// A source that holds the data: first the rule's own, then copies, each behind what it copies.
struct Keeper<'p> {
    source: &'p str,
    /// The sources that it copies.
    originals: Vec<Original<'p>>,
    /// What deletes from it.
    rules: Vec<Deleter<'p>>,
}

/// A rule that deletes, and the schedule that none of its records outlasts.
struct Deleter<'p> {
    rule: &'p Rule,
    /// None where the data may say anything.
    longest: Option<Schedule>,
}

impl<'p> Deleter<'p> {
    fn new(rule: &'p Rule) -> Deleter<'p> {
        Deleter { rule, longest: rule.keep.longest() }
    }
}

/// A keeper that another one copies: its name, and its number.
type Original<'p> = (&'p str, usize);

fn keepers<'p>(policy: &'p Policy, rule: &'p Rule) -> Vec<Keeper<'p>> {
    let own = Keeper { source: &rule.source, originals: Vec::new(), rules: vec![Deleter::new(rule)] };
    let mut keepers = vec![own];
    for source in copies::originals_first(&policy.sources) {
        let originals = originals(source, &keepers);
        if !originals.is_empty() {
            let rules = policy.rules.iter().filter(|rule| rule.source == source.name && deletes(rule));
            keepers.push(Keeper {
                source: &source.name,
                originals,
                rules: rules.map(Deleter::new).collect(),
            });
        }
    }
    keepers
}

fn originals<'p>(source: &Source, keepers: &[Keeper<'p>]) -> Vec<Original<'p>> {
    let copied = |keeper: &Keeper<'_>| source.copies_of.iter().any(|(name, _)| name == keeper.source);
    let numbered = keepers.iter().enumerate().filter(|(_, keeper)| copied(keeper));
    numbered.map(|(number, keeper)| (keeper.source, number)).collect()
}

/// Until when a keeper may hold data, and why.
struct Stay<'p> {
    until: Date,
    /// The rule that deletes it last.
    rule: &'p Rule,
    /// The number of the keeper that it was copied from last.
    copied_from: Option<usize>,
}

/// How long each keeper may hold the data of one day.
fn stays<'p>(keepers: &[Keeper<'p>], runs_every: &Period, start: Date) -> Vec<Stay<'p>> {
    let mut stays: Vec<Stay<'_>> = Vec::with_capacity(keepers.len());
    for keeper in keepers {
        let copied = keeper.originals.iter().map(|(_, number)| (stays[*number].until, *number)).max();
        let date = copied.map_or(start, |(until, _)| until);
        let ends = keeper.rules.iter().filter_map(|deleter| {
            Some((deleter.longest.as_ref()?.exists_until(date, runs_every), deleter.rule))
        });
        let longest = ends.max_by_key(|(until, _)| *until);
        let copied_from = copied.map(|(_, number)| number);
        stays.extend(longest.map(|(until, rule)| Stay { until, rule, copied_from }));
    }
    stays
}

fn too_late(rule: &Rule, promise: &Period, keepers: &[Keeper<'_>], runs_every: &Period) -> Option<Finding> {
    let schedules = keepers.iter().flat_map(|keeper| &keeper.rules).filter_map(|rule| rule.longest.as_ref());
    start_dates(schedules).find_map(|start| {
        let (promised, stays) = (promise.last_day(start), stays(keepers, runs_every, start));
        let worst = stays.iter().max_by_key(|stay| stay.until).filter(|worst| worst.until > promised)?;
        let message = format!(
            "rule `{}` promises that data of {start} is gone after {promised}, but it may exist until {}",
            rule.name, worst.until
        );
        let help = format!(
            "at the worst: {}; promise a longer time, or keep for a shorter one",
            sum(worst, &stays, runs_every)
        );
        let place = rule.places.gone_within.clone();
        Some(Finding::error(Code::GoneTooLate, message, place).help(help))
    })
}

/// The periods that add up to a stay, the first one first.
fn sum(stay: &Stay<'_>, stays: &[Stay<'_>], runs_every: &Period) -> String {
    let path = std::iter::successors(Some(stay), |stay| stay.copied_from.and_then(|from| stays.get(from)));
    let part = |stay: &Stay<'_>| {
        let rule = stay.rule;
        format!("{} (rule `{}`), {runs_every} until the next run", rule.phrase(), rule.name)
    };
    let mut parts: Vec<String> = path.map(part).collect();
    parts.reverse();
    parts.join(", ")
}

fn never_carried_out(rule: &Rule) -> Finding {
    let message = format!("rule `{}` promises that its data is gone, but is never carried out", rule.name);
    let finding = Finding::error(Code::NeverGone, message, rule.places.gone_within.clone());
    finding.help("take `enforce = false` away, or the promise")
}

fn endless(rule: &Rule, keeper: &Rule) -> Finding {
    let message = format!(
        "rule `{}` promises that its data is gone, but rule `{}` keeps as long as its data says",
        rule.name, keeper.name
    );
    let finding = Finding::error(Code::NeverGone, message, rule.places.gone_within.clone());
    finding.help(format!("write `at-most` in the `keep` of rule `{}`, or take the promise away", keeper.name))
}

/// What is anonymised is gone; what has a pseudonym is not.
fn stays_personal(rule: &Rule) -> Finding {
    let message = format!(
        "rule `{}` promises that its data is gone, but data under a pseudonym stays personal",
        rule.name
    );
    let finding = Finding::error(Code::NeverGone, message, rule.places.gone_within.clone());
    finding.help("make the promise on the rule that deletes these records, or use \"remove\"")
}

fn never_gone(rule: &Rule, keeper: &Keeper<'_>) -> Finding {
    let copied: Vec<&str> = keeper.originals.iter().map(|(name, _)| *name).collect();
    let message = format!(
        "rule `{}` promises that its data is gone, but no rule deletes the copies of `{}` in source `{}`",
        rule.name,
        copied.join("` and `"),
        keeper.source
    );
    let finding = Finding::error(Code::NeverGone, message, rule.places.gone_within.clone());
    finding.help(format!("write a rule for `{}` that is carried out", keeper.source))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::tests::{BEGINNING, read, rule, valid};

    fn copy(name: &str, copies_of: &[&str]) -> String {
        format!("[source.{name}]\nsqlite = \"{name}.db\"\ncopies-of = {copies_of:?}\n")
    }

    fn copies_kept(name: &str, source: &str, keep: &str) -> String {
        format!(
            "[[rule]]\nname = \"{name}\"\ndata = \"{source}.t\"\nkeep = \"{keep}\"\nafter = \"taken_at\"\n"
        )
    }

    /// The error in a promise about invoices that are kept so long, beside these sections.
    fn broken(promise: &str, keep: &str, sections: &[String]) -> Option<Finding> {
        let lines = format!("keep = \"{keep}\"\nafter = \"ended_at\"\ngone-within = \"{promise}\"");
        error_in(&format!("{BEGINNING}{}{}", sections.concat(), rule(&lines)))
    }

    fn error_in(text: &str) -> Option<Finding> {
        let (_, findings) = read(text);
        let mut errors: Vec<Finding> = findings.into_iter().filter(Finding::is_error).collect();
        assert!(errors.len() < 2, "{errors:?}");
        errors.pop()
    }

    fn message(finding: Option<Finding>) -> String {
        finding.map(|finding| finding.message).unwrap_or_default()
    }

    fn help(finding: Option<Finding>) -> String {
        finding.and_then(|finding| finding.help).unwrap_or_default()
    }

    fn backups() -> [String; 2] {
        [copy("backups", &["app"]), copies_kept("backups", "backups", "30 days")]
    }

    #[test]
    fn three_months_and_thirty_days_of_backups_keep_five_months_and_break_four() {
        assert_eq!(broken("5 months", "3 months", &backups()), None);
        assert_eq!(
            message(broken("4 months", "3 months", &backups())),
            "rule `billing` promises that data of 2024-01-01 is gone after 2024-05-01, \
             but it may exist until 2024-05-03"
        );
    }

    #[test]
    fn twelve_months_and_thirty_days_of_backups_break_thirteen_months_and_keep_fourteen() {
        assert_eq!(
            message(broken("13 months", "12 months", &backups())),
            "rule `billing` promises that data of 2024-01-01 is gone after 2025-02-01, \
             but it may exist until 2025-02-02"
        );
        assert_eq!(broken("14 months", "12 months", &backups()), None);
    }

    #[test]
    fn a_promise_without_copies_covers_the_late_run() {
        assert_eq!(broken("31 days", "30 days", &[]), None);
        assert!(broken("30 days", "30 days", &[]).is_some());
        assert_eq!(broken("3 months", "at most 3 months", &[]), None, "it is due a day before");
        assert!(broken("3 months", "3 months", &[]).is_some());
        assert_eq!(broken("1 day", "immediately", &[]), None);
        assert_eq!(broken("3 days", "36 hours", &[]), None);
        assert!(broken("2 days", "36 hours", &[]).is_some());
    }

    #[test]
    fn copies_of_copies_add_up() {
        let chain = |keep: &str| {
            let [source, rule] = backups();
            [source, rule, copy("tape", &["backups"]), copies_kept("tape", "tape", keep)]
        };
        // 30 days and a run, 30 days and a run, 10 days and a run.
        assert_eq!(broken("73 days", "30 days", &chain("10 days")), None);
        let broken = broken("72 days", "30 days", &chain("10 days"));
        assert_eq!(
            help(broken),
            "at the worst: 30 days after ended_at (rule `billing`), 1 day until the next run, \
             30 days after taken_at (rule `backups`), 1 day until the next run, \
             10 days after taken_at (rule `tape`), 1 day until the next run; \
             promise a longer time, or keep for a shorter one"
        );
    }

    #[test]
    fn of_several_copies_and_of_several_rules_on_one_the_longest_counts() {
        let sections = [
            copy("weekly", &["app"]),
            copy("daily", &["app"]),
            copies_kept("daily", "daily", "5 days"),
            copies_kept("weekly-long", "weekly", "40 days"),
            copies_kept("weekly-short", "weekly", "20 days"),
        ];
        assert_eq!(broken("72 days", "30 days", &sections), None);
        let help = help(broken("71 days", "30 days", &sections));
        assert!(help.contains("40 days after taken_at (rule `weekly-long`)"), "{help}");
        assert!(!help.contains("5 days") && !help.contains("20 days"), "{help}");
    }

    #[test]
    fn copies_of_another_source_do_not_count() {
        let sections = [copy("other", &[]), copy("backups", &["other"])];
        assert_eq!(broken("31 days", "30 days", &sections), None);
    }

    #[test]
    fn a_rule_on_a_copy_promises_for_the_copies_of_that_copy() {
        let promise = "gone-within = \"41 days\"\n";
        let [source, rule] = backups();
        let chain = [source, rule, promise.to_string(), copy("tape", &["backups"])].concat();
        let tape = |keep: &str| format!("{BEGINNING}{chain}{}", copies_kept("tape", "tape", keep));
        assert_eq!(error_in(&tape("9 days")), None);
        assert!(error_in(&tape("10 days")).is_some());
    }

    #[test]
    fn every_interval_between_runs_counts_with_every_copy() {
        let runs_every = |interval: &str| {
            BEGINNING.replace("name = \"shop\"", &format!("name = \"shop\"\nruns-every = \"{interval}\""))
        };
        let lines = "keep = \"30 days\"\nafter = \"ended_at\"\ngone-within = \"74 days\"";
        let error = |interval: &str| {
            error_in(&format!("{}{}{}", runs_every(interval), backups().concat(), rule(lines)))
        };
        assert_eq!(error("1 week"), None);
        let help = help(error("8 days"));
        assert_eq!(help.matches("8 days until the next run").count(), 2, "{help}");
    }

    #[test]
    fn a_promise_starts_at_the_event_and_not_where_the_period_is_counted_from() {
        let counted = |promise: &str, from: &str| {
            let after = format!("{{ column = \"at\", counted-from = \"{from}\" }}");
            let lines = format!("keep = \"5 years\"\nafter = {after}\ngone-within = \"{promise}\"");
            error_in(&format!("{BEGINNING}{}", rule(&lines)))
        };
        assert_eq!(counted("6 years", "end-of-financial-year"), None);
        assert_eq!(
            message(counted("5 years 11 months", "end-of-financial-year")),
            "rule `billing` promises that data of 2024-01-01 is gone after 2029-12-01, \
             but it may exist until 2030-01-01"
        );
        assert_eq!(counted("5 years 1 month", "end-of-month"), None);
        assert!(counted("5 years 30 days", "end-of-month").is_some());
    }

    #[test]
    fn a_long_financial_year_breaks_what_a_usual_one_keeps() {
        let irregular = "financial-year-ends = \"12-31\"\n\
                         irregular-year-ends = [\"2018-06-30\", \"2019-12-31\"]";
        let beginning = BEGINNING.replace("financial-year-ends = \"12-31\"", irregular);
        let after = "{ column = \"at\", counted-from = \"end-of-financial-year\" }";
        let lines = format!("keep = \"5 years\"\nafter = {after}\ngone-within = \"6 years\"");
        assert_eq!(
            message(error_in(&format!("{beginning}{}", rule(&lines)))),
            "rule `billing` promises that data of 2018-07-01 is gone after 2024-07-01, \
             but it may exist until 2025-01-01"
        );
    }

    #[test]
    fn what_no_rule_deletes_is_never_gone() {
        let [source, rule] = backups();
        let never = |sections: &[String]| message(broken("99 years", "3 months", sections));
        let text = "rule `billing` promises that its data is gone, \
                    but no rule deletes the copies of `app` in source `backups`";
        assert_eq!(never(std::slice::from_ref(&source)), text);
        assert_eq!(never(&[source, format!("{rule}enforce = false\n")]), text);
    }

    #[test]
    fn layers_of_copies_take_no_time_for_each_way_through_them() {
        let mut sections = vec![copy("a0", &["app"]), copy("b0", &["app"])];
        for layer in 1..24 {
            let (a, b) = (format!("a{}", layer - 1), format!("b{}", layer - 1));
            sections.extend(["a", "b"].map(|name| copy(&format!("{name}{layer}"), &[&a, &b])));
        }
        let rules = (0..24).flat_map(|layer| ["a", "b"].map(|name| format!("{name}{layer}")));
        let rules: Vec<String> = rules.map(|name| copies_kept(&name, &name, "1 day")).collect();
        sections.extend(rules);
        assert!(broken("30 days", "1 day", &sections).is_some());
    }

    /// One copy more: what it copies, by number, and the days that each of its rules keeps.
    type Drawn = (Vec<usize>, Vec<u64>);

    fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
        let copy = (proptest::collection::vec(0_usize..8, 1..3), proptest::collection::vec(1_u64..50, 1..3));
        proptest::collection::vec(copy, 0..6)
    }

    /// The last day, along every way from copy to copy.
    fn slowly(copies: &[Drawn], from: usize, until: Date) -> Date {
        let mut last = until;
        for (number, (originals, keeps)) in copies.iter().enumerate() {
            if originals.iter().any(|original| original % (number + 1) == from) {
                for keep in keeps {
                    last = last.max(slowly(copies, number + 1, until + chrono::Days::new(keep + 1)));
                }
            }
        }
        last
    }

    proptest! {
        #[test]
        fn the_worst_is_that_of_the_longest_way(copies in drawn(), start in 0_i64..2000) {
            let name = |number: usize| if number == 0 { "app".to_string() } else { format!("s{number}") };
            let mut sections = String::new();
            for (number, (originals, _)) in copies.iter().enumerate() {
                let originals: Vec<String> = originals.iter().map(|at| name(at % (number + 1))).collect();
                let originals: Vec<&str> = originals.iter().map(String::as_str).collect();
                sections += &copy(&name(number + 1), &originals);
            }
            for (number, (_, keeps)) in copies.iter().enumerate() {
                for (which, keep) in keeps.iter().enumerate() {
                    let source = name(number + 1);
                    sections += &copies_kept(&format!("{source}-{which}"), &source, &format!("{keep} days"));
                }
            }
            let policy = valid(&format!("{sections}{}", rule("keep = \"10 days\"\nafter = \"at\"")));
            let rule = policy.rules.last().unwrap_or_else(|| unreachable!());
            let start = start_dates([]).nth(usize::try_from(start).unwrap_or(0)).unwrap_or_default();
            let stays = stays(&keepers(&policy, rule), &Period::DAY, start);
            let worst = stays.iter().map(|stay| stay.until).max();
            prop_assert_eq!(worst, Some(slowly(&copies, 0, start + chrono::Days::new(11))));
        }
    }
}
