//! What is asked of a source, and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

pub use super::sqlite::decide::Kept;
pub use super::unread::Unread;
use super::{Counted, Problem, Status};
use crate::calendar::{Shapes, Timestamp};
use crate::diagnostic::Code;
use crate::evaluate::{Evaluator, Reason, State, Tally, Verdict};
use crate::note::Notes;
use crate::policy::{Policy, Rule, Source};

/// How much a survey counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every record, so that every state is known.
    Every,
    /// Where an index can tell, only the records that may be due.
    Candidates,
}

/// One table with all rules on it, and those of them that were asked for.
#[derive(Clone)]
pub struct TableQuery<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// As of when.
    pub now: Timestamp,
    /// The rules whose records go, so that they do not keep what they refer to.
    pub acting: Acting,
    /// The table.
    pub table: &'p str,
    /// Every rule on it.
    pub rules: Vec<&'p Rule>,
    /// The rules asked for, by their place in `rules`.
    pub wanted: Vec<usize>,
    /// The rule book of `rules`.
    pub book: Arc<Evaluator>,
    /// What was noted of evidence that went, once somebody has looked.
    pub notes: Notes,
    /// What keeps records of tables of the source in this run, whatever goes meanwhile, by these in small letters.
    pub kept: BTreeMap<String, Kept>,
    /// Whether records of the table are decided about together with others.
    pub is_together: bool,
}

impl TableQuery<'_> {
    /// Says which rules delete in the run.
    pub(crate) fn set_acting(&mut self, acting: Acting) {
        self.book = self.book_while(&acting);
        self.acting = acting;
    }

    /// Its rule book while only some of the rules delete.
    pub(crate) fn book_while(&self, acting: &Acting) -> Arc<Evaluator> {
        let is_alone = !self.rules.iter().any(|rule| rule.deletes()) || self.rules.len() < 2;
        match is_alone {
            true => Arc::clone(&self.book),
            false => Arc::new(self.book.carrying_out(|rule| acting.contains(self.rules[rule]))),
        }
    }

    /// The name of its source.
    pub fn source(&self) -> &str {
        self.rules.first().map_or("", |rule| rule.source.as_str())
    }

    /// Where nothing but `keep-newest` keeps the last records, no newer ones have come for as long as
    /// the period: that is seldom meant. With groups it is only told where that is so of all of them:
    /// nobody expects that each has something new.
    pub(super) fn last_ones(&self, rule: usize, tally: &Tally) -> Option<Problem> {
        let counted = self.book.newest_counted(rule)?;
        let (blocked, due) = (tally.records(State::Newest), tally.records(State::Due));
        if blocked == 0 || counted > blocked + due {
            return None;
        }
        let rule = self.rules[rule];
        let records = if blocked == 1 { "record".to_string() } else { format!("{blocked} records") };
        let message = format!(
            "only `keep-newest` keeps the last {records} of {}: all are past their time, and none has come since; is \
             whatever makes them still running?",
            rule.data()
        );
        Some(Problem::new(Code::LastKept, message).at(&rule.places.data_at))
    }

    /// A record that is unreadable under a rule.
    pub(super) fn unread(&self, rule: usize, key: String, reason: Reason) -> Unread {
        Unread { key, why: self.why(rule, reason), asked_at: self.asked_at(rule, reason) }
    }

    fn asked_at(&self, rule: usize, reason: Reason) -> Range<usize> {
        let places = &self.rules[rule].places;
        match reason {
            Reason::Condition(_) => places.when.clone(),
            Reason::Period { .. } | Reason::RelatedPeriod(_) => places.keep.clone(),
            Reason::Set(cell, _) => {
                let column = &self.book.columns()[cell];
                let setting =
                    self.rules[rule].then.settings().iter().find(|setting| setting.column == *column);
                setting.map_or(places.data.clone(), |setting| setting.span.clone())
            }
            _ => places.after.clone(),
        }
    }

    fn why(&self, rule: usize, reason: Reason) -> String {
        match reason {
            Reason::Event(why) => match self.rules[rule].start.only_column() {
                Some(own) => format!("{}: {why}", own.column),
                None => why.to_string(),
            },
            Reason::Period { cell, why } => format!("{}: {why}", self.book.columns()[cell]),
            Reason::Related(cell) | Reason::RelatedPeriod(cell) => match self.book.question_at(cell) {
                Some(question) => format!("a related row of {} cannot be read", question.relation.rows()),
                None => "a related row cannot be read".to_string(),
            },
            Reason::Condition(column) => {
                format!("{}: not what `when` compares it with", self.book.columns()[column])
            }
            Reason::Set(column, why) => format!("{}: {why}", self.book.columns()[column]),
            Reason::Malformed(why) => why.to_string(),
            Reason::NotSeen => "it cannot be seen whole".to_string(),
            Reason::NotStarted
            | Reason::NotInstructed
            | Reason::NoneRelated
            | Reason::Spared(_)
            | Reason::Date
            | Reason::Rule(_)
            | Reason::DeletedBy(_)
            | Reason::GoesAlong
            | Reason::Done
            | Reason::Newest(_)
            | Reason::Referred(_) => String::new(),
        }
    }
}

/// The rules of a run that delete, by name. What they delete keeps nothing that it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    rules: BTreeSet<String>,
    /// Rules that are not enforced, and are reported as if they were.
    idle: BTreeSet<String>,
    /// Rules whose limit does not stop them.
    accepted: BTreeSet<String>,
    /// Those that a limit refuses: what they would take stays.
    refused: BTreeSet<String>,
}

impl Acting {
    /// Those of a policy's rules that are carried out, if no limit stops them.
    pub fn of<'p>(rules: impl Iterator<Item = &'p Rule>, accepted: &BTreeSet<String>) -> Acting {
        let (enforced, idle): (Vec<&Rule>, Vec<&Rule>) =
            rules.filter(|rule| rule.deletes()).partition(|rule| rule.enforce);
        let [rules, idle] =
            [enforced, idle].map(|rules| rules.iter().map(|rule| rule.name.clone()).collect());
        Acting { rules, idle, accepted: accepted.clone(), refused: BTreeSet::new() }
    }

    /// Those that would be if all rules were enforced; none where they are.
    pub(super) fn if_enforced(&self) -> Option<Acting> {
        let rules = self.rules.union(&self.idle).cloned().collect();
        (!self.idle.is_empty()).then(|| Acting { rules, idle: BTreeSet::new(), ..self.clone() })
    }

    /// Whether a rule deletes its records.
    pub fn contains(&self, rule: &Rule) -> bool {
        self.rules.contains(&rule.name)
    }

    /// Whether a rule deletes even where its limit says no.
    pub fn accepts_limit(&self, rule: &Rule) -> bool {
        self.accepted.contains(&rule.name)
    }

    /// Whether a limit refuses a rule.
    pub fn refuses(&self, rule: &Rule) -> bool {
        self.refused.contains(&rule.name)
    }

    /// Takes out the rules of some names, which a limit refuses.
    pub fn refuse(&mut self, refused: &BTreeSet<String>) {
        self.rules.retain(|rule| !refused.contains(rule));
        self.refused.extend(refused.iter().cloned());
    }

    /// Leaves in only the rules of some names.
    pub fn retain(&mut self, stays: impl Fn(&String) -> bool) {
        self.rules.retain(&stays);
        self.idle.retain(stays);
    }
}

/// What was found about one wanted rule.
#[derive(Clone, Debug, Default)]
pub struct RuleCounts {
    /// The states.
    pub counted: Counted,
    /// The rule's place in the tallies.
    pub rule: usize,
    /// Whether only candidates were counted, through an index.
    pub through_index: bool,
    /// All records of the table, counted as far as the rule's limit needs.
    pub total: u64,
    /// The first unreadable records.
    pub unreadable: Vec<Unread>,
    /// Which formats would read the first of the times that cannot be read.
    pub looks: Option<String>,
    /// What forbids the rule: a foreign key, or a column that cannot be set.
    pub obstacle: Option<Problem>,
    /// Which of the rules that are carried out together comes first: those of rows that refer to
    /// others.
    pub turn: usize,
    /// Whether its records go in this run, as far as limits and foreign keys let them.
    pub acts: bool,
    /// Whether rows of its table decide about others, or these about them.
    pub has_ties: bool,
    /// What keeps records of the table.
    pub kept: Option<Kept>,
    /// Whether records of the table are decided about together with others.
    pub is_together: bool,
    /// How many rows of which tables go along with the due records.
    pub along: Vec<(String, u64)>,
    /// How many rows of which tables let go of the due records, and stay.
    pub released: Vec<(String, u64)>,
    /// Bytes that the deletion of the due records gives back, where records are files.
    pub bytes_due: Option<u64>,
    /// What somebody should look at although nothing is wrong.
    pub warning: Option<Problem>,
    /// What could not be read at all, without which the counts are, and what could not be carried out.
    pub problems: Vec<Problem>,
}

impl RuleCounts {
    /// Says whether its records go as far as it can be told by itself.
    pub(super) fn decide(&mut self, request: &TableQuery<'_>) {
        self.acts = request.acting.contains(request.rules[self.rule]) && self.is_free(request);
    }

    /// Whether nothing forbids the rule: no obstacle, and no limit that nobody accepts.
    pub(super) fn is_free(&self, request: &TableQuery<'_>) -> bool {
        let rule = request.rules[self.rule];
        let due = self.counted.tallies[self.rule].records(State::Due);
        let is_within = rule.limit.breach(due, self.total).is_none() || request.acting.accepts_limit(rule);
        self.obstacle.is_none() && is_within
    }
}

/// A survey of one table: an answer for each wanted rule, or why there is none.
pub type TableSurvey = Result<Vec<RuleCounts>, Problem>;

/// Why a source cannot be read.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// Missing or failed.
    pub status: Status,
    /// The reason.
    pub problem: Problem,
}

impl Unusable {
    /// A source that is there and cannot be read.
    pub fn failed(problem: Problem) -> Unusable {
        Unusable { status: Status::Failed, problem }
    }

    /// A source that is not there.
    pub fn missing(message: impl Into<String>) -> Unusable {
        Unusable { status: Status::Missing, problem: Problem::new(Code::MissingSource, message) }
    }
}

/// A record under one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// What names it.
    pub key: String,
    /// Its state, with the reason.
    pub verdict: Verdict,
    /// The rows that refer to it and stay, where these keep it.
    pub referred: Option<String>,
    /// Which formats would read its event, where the declared one does not.
    pub shapes: Option<Shapes>,
}

impl Listed {
    /// A record that no other refers to.
    pub fn new(key: String, verdict: Verdict) -> Listed {
        Listed { key, verdict, referred: None, shapes: None }
    }
}

/// Whether a listing goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next record.
    On,
    /// No further.
    Stop,
}

/// The tables of a source that its wanted rules are about, each with all its rules.
pub fn requests<'p>(
    policy: &'p Policy,
    source: &'p Source,
    now: Timestamp,
    wanted: impl Fn(&Rule) -> bool,
) -> Vec<TableQuery<'p>> {
    let acting = Acting::of(policy.rules.iter().filter(|rule| wanted(rule)), &BTreeSet::new());
    let mut requests: Vec<TableQuery<'p>> = Vec::new();
    for rule in policy.rules.iter().filter(|rule| rule.source == source.name && wanted(rule)) {
        if requests.iter().any(|request| request.table == rule.table) {
            continue;
        }
        let rules: Vec<&Rule> = policy.rules_on(&source.name, &rule.table).collect();
        let places = rules.iter().enumerate().filter(|(_, rule)| wanted(rule)).map(|(place, _)| place);
        let (wanted, book) = (places.collect(), Arc::new(Evaluator::new(rules.iter().copied(), now)));
        let mut request = TableQuery {
            policy,
            now,
            acting: Acting::default(),
            table: &rule.table,
            rules,
            wanted,
            book,
            notes: Notes::default(),
            kept: BTreeMap::new(),
            is_together: false,
        };
        request.set_acting(acting.clone());
        requests.push(request);
    }
    requests
}
