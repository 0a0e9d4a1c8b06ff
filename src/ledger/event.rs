//! What an entry can say. No field holds personal data: rules, sources and
//! policies are named as the policy names them, problems only by their codes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::diagnostic::Code;
use crate::evaluate::Counts;
use crate::policy::Action;

/// One thing that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run began.
    RunStarted(RunStarted),
    /// A later run found out how a killed one ended.
    Recovered(Recovered),
    /// A rule's turn came, with what was found for it.
    RuleStarted(RuleStarted),
    /// A batch is about to be committed; on the disk before the commit.
    Batch(Batch),
    /// A batch did fewer than were announced.
    BatchDone(BatchDone),
    /// The commit of a batch failed and was rolled back.
    BatchUndone(BatchUndone),
    /// A rule's turn ended.
    RuleFinished(RuleFinished),
    /// A source that the policy names was read, or was not.
    Source(SourceRead),
    /// A run ended by itself.
    RunFinished(RunFinished),
}

/// A run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// The command, as typed: `purge`.
    pub command: String,
    /// The version of frist.
    pub version: String,
    /// The policy's name.
    pub policy: String,
    /// The hash of the policy's text, which is no data of a source.
    pub policy_sha256: String,
    /// The as-of time that every due date was compared with, in RFC 3339.
    pub now: String,
    /// The zone in which days begin.
    pub timezone: String,
    /// The account that ran it.
    pub operator: String,
    /// The machine it ran on.
    pub host: String,
    /// What started it: `terminal`, `unattended`.
    pub trigger: String,
    /// Nights without a finished run since the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights_missed: Option<u64>,
    /// The run before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_run: Option<String>,
}

/// How a killed run ended, written by the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    /// The run that was killed.
    pub killed_run: String,
    /// The rule of the batch in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The number of the batch in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Rows of the batch in doubt.
    pub rows: u64,
    /// What became of the batch in doubt.
    pub outcome: RecoveryOutcome,
    /// Whether no other program can have changed the answer.
    pub exact: bool,
    /// What the killed run deleted, by rule.
    pub deleted_total: BTreeMap<String, u64>,
    /// What it anonymised, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub anonymised_total: BTreeMap<String, u64>,
    /// What it gave pseudonyms, by rule.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pseudonymised_total: BTreeMap<String, u64>,
}

/// What became of a batch that was in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryOutcome {
    /// Its rows are gone.
    Committed,
    /// Its rows are still there.
    RolledBack,
    /// Nobody can tell.
    Undecided,
    /// No batch was in doubt.
    NoBatch,
}

/// A rule's turn came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleStarted {
    /// The rule's name.
    pub rule: String,
    /// The data it is about: a source and a table.
    pub data: String,
    /// What happens to a due record.
    pub then: String,
    /// Whether it keeps a pseudonym, and so stays personal.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pseudonyms: bool,
    /// The retention period, as the policy writes it.
    pub keep: String,
    /// The last moment of an event that is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_up_to: Option<String>,
    /// The processing activity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<String>,
    /// The law that the period comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
    /// How many records are in which state.
    pub counts: Counts,
    /// The oldest event among the due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_event: Option<String>,
    /// Days since the longest overdue record became due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_overdue_days: Option<i64>,
}

impl RuleStarted {
    /// What the rule does to records.
    pub fn deed(&self) -> Action {
        match self.then.as_str() {
            "anonymise" if self.pseudonyms => Action::Pseudonymised,
            "anonymise" => Action::Anonymised,
            _ => Action::Deleted,
        }
    }
}

/// A batch that is about to be committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The rule's name.
    pub rule: String,
    /// The batch's number within the rule.
    pub number: u64,
    /// The rows it changes.
    pub rows: u64,
    /// Records of other rules that go with them, by the names of these.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ahead: BTreeMap<String, u64>,
    /// First and last row id, as earlier versions wrote them: keys stand in
    /// [`Pending`](crate::ledger::Pending).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[i64; 2]>,
}

/// A batch that deleted fewer than were announced: the others were not due any more, or gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchDone {
    /// The rule's name.
    pub rule: String,
    /// The batch's number within the rule.
    pub number: u64,
    /// The records it deleted.
    pub rows: u64,
}

/// A batch whose commit failed and was rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchUndone {
    /// The rule's name.
    pub rule: String,
    /// The batch's number within the rule.
    pub number: u64,
}

/// A rule's turn ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleFinished {
    /// The rule's name.
    pub rule: String,
    /// Records deleted.
    pub deleted: u64,
    /// Rows and files that went along with them.
    #[serde(default)]
    pub taken_along: u64,
    /// Records anonymised.
    pub anonymised: u64,
    /// Records pseudonymised.
    pub pseudonymised: u64,
    /// Bytes given back, where records are files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_freed: Option<u64>,
    /// Due records found when the rule was asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub survivors: Option<u64>,
    /// Bytes of deleted content still readable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub residue: Option<u64>,
    /// Batches committed.
    pub batches: u64,
    /// How long it took.
    pub seconds: Seconds,
    /// How it ended.
    pub outcome: RuleOutcome,
    /// Why, by code.
    pub problems: Vec<WrittenCode>,
}

/// How a rule's turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleOutcome {
    /// All that was due is gone.
    Done,
    /// A limit or a check stopped it before the first batch.
    Refused,
    /// Something broke.
    Failed,
    /// It was told to stop.
    Stopped,
}

/// A source that the policy names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRead {
    /// The source's name.
    pub source: String,
    /// Whether it was read.
    pub status: SourceStatus,
    /// Why not, by code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<WrittenCode>,
}

/// Whether a source was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceStatus {
    /// It was.
    Read,
    /// It is not there.
    Missing,
    /// It is there, and could not be read.
    Failed,
}

/// A run ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    /// The exit code.
    pub exit_code: i32,
    /// Records deleted by all rules.
    pub deleted: u64,
    /// Records anonymised by all rules.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub anonymised: u64,
    /// Records that all rules gave pseudonyms.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pseudonymised: u64,
    /// Why the exit code is not zero, by code.
    pub reason: Vec<WrittenCode>,
    /// How long it took.
    pub seconds: Seconds,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The code of a problem. It is made of a [`Code`] only, so that no message of a database, which may
/// quote a value, can become one; and it is read as any text, for another version may have written it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WrittenCode(Cow<'static, str>);

impl WrittenCode {
    /// The code's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Code> for WrittenCode {
    fn from(code: Code) -> WrittenCode {
        WrittenCode(Cow::Borrowed(code.as_str()))
    }
}

impl fmt::Display for WrittenCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A duration in whole milliseconds, written as seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds {
    millis: u64,
}

impl Seconds {
    /// As a number of seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.millis as f64 / 1000.0
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Seconds {
        let rounded = (duration.as_micros() + 500) / 1000;
        Seconds { millis: u64::try_from(rounded).unwrap_or(u64::MAX) }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.millis as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Seconds, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        let duration = Duration::try_from_secs_f64(seconds).map_err(de::Error::custom)?;
        Ok(Seconds::from(duration))
    }
}
