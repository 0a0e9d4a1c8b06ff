//! The one registry of codes: whatever goes wrong has a stable name here, with what it means and
//! the page that tells an operator what to do.
//!
//! Code compares variants, and people and programs read the kebab-case text, which never changes.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Severity;

macro_rules! severity {
    (Either) => {
        None
    };
    ($severity:ident) => {
        Some(Severity::$severity)
    };
}

macro_rules! codes {
    ($($name:ident $severity:ident $text:literal $meaning:literal;)*) => {
        /// The name of a kind of finding or problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// All codes, in groups of what they are about.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            const fn entry(self) -> &'static Entry {
                match self {
                    $(Code::$name => &Entry {
                        text: $text,
                        severity: severity!($severity),
                        meaning: $meaning,
                        page: include_str!(concat!("../../docs/codes/", $text, ".md")),
                    },)*
                }
            }
        }
    };
}

/// What there is to say of a code.
struct Entry {
    text: &'static str,
    severity: Option<Severity>,
    meaning: &'static str,
    page: &'static str,
}

codes! {
    // The file of a policy, and what stands in it.
    CannotOpen Error "cannot-open" "A file or a folder is there and cannot be opened, or a policy is not there.";
    NoPolicy Error "no-policy" "A folder that was named holds no policy.";
    TooLarge Error "too-large" "A file that should be a policy is larger than 1 MiB.";
    NotUtf8 Error "not-utf-8" "A policy, or the name of a CSV file, is not UTF-8.";
    NotToml Error "not-toml" "A policy is not TOML.";
    MissingKey Error "missing-key" "A key that is needed here is not written.";
    UnknownKey Error "unknown-key" "A key is written that the policy language does not have here.";
    WrongType Error "wrong-type" "A value is of another type than its key takes.";
    BadValue Error "bad-value" "A value is one that its key cannot have.";
    UnknownVersion Error "unknown-version" "A policy is written in a version of the language that this program does not read.";
    NotYetSupported Error "not-yet-supported" "A policy uses a part of the language that this version of frist cannot carry out.";
    BadName Error "bad-name" "A name of a policy, source, rule or law is not written as such names are.";
    DuplicateName Error "duplicate-name" "A name is taken already.";
    UnknownTimezone Error "unknown-timezone" "A timezone is none that the IANA database has.";
    BadDate Error "bad-date" "A text is not the date that its key needs.";
    BadPeriod Error "bad-period" "A text is not the period of time that its key needs.";
    BadFormat Error "bad-format" "A text is no way to write times.";
    BadCondition Error "bad-condition" "A condition in `when` or `where` cannot be understood.";
    BadRelation Error "bad-relation" "A relation between two tables cannot be understood or followed.";
    BadPath Error "bad-path" "A text is not a path.";
    UnsetVariable Error "unset-variable" "A path names an environment variable that is not set or is empty.";
    BadGlob Error "bad-glob" "A pattern of file names cannot be understood, or can match nothing.";
    TwoKinds Error "two-kinds" "A source, or an entry of `with`, is two things at once.";
    NoTables Error "no-tables" "A policy speaks of tables where the source has none.";
    UnknownColumn Error "unknown-column" "A rule asks for something that the records of a folder do not have.";
    UnknownSource Error "unknown-source" "A policy speaks of a source that it does not define.";
    MissingTable Error "missing-table" "A table that a policy speaks of is not there, or is not named where it has to be.";
    IgnoredTable Error "ignored-table" "A rule is about a table that its source ignores.";
    UnknownActivity Error "unknown-activity" "A rule names an activity that the policy does not define.";
    CircularCopies Error "circular-copies" "Sources are said to be copies of each other.";
    // What a policy says as a whole.
    SameData Error "same-data" "The same data is reached in two ways that do not know of each other.";
    SetColumnRead Error "set-column-read" "A rule changes a column that decides which records are due.";
    StatutoryPeriod Error "statutory-period" "A rule keeps data for shorter or longer than the law that it names allows.";
    ContradictoryLaw Error "contradictory-law" "A law that the policy defines demands more than it allows.";
    GoneTooLate Error "gone-too-late" "A promise of `gone-within` ends earlier than the data may exist.";
    NeverGone Error "never-gone" "A promise of `gone-within` is made for data that may stay for ever.";
    EvidenceGoesFirst Error "evidence-goes-first" "Rows that would go along with records of one rule keep records of another.";
    PseudonymStays Warning "pseudonym-stays" "Records get pseudonyms, and no rule deletes them afterwards.";
    UnfinishedReason Warning "unfinished-reason" "What is ignored has no reason yet.";
    NoRules Warning "no-rules" "A policy has no rule.";
    NotEnforced Warning "not-enforced" "A rule is reported and never carried out.";
    UnusedSource Warning "unused-source" "No rule uses a source.";
    UnusedActivity Warning "unused-activity" "No rule uses an activity.";
    UnusedLaw Warning "unused-law" "No activity names a law that the policy defines.";
    UnusedTable Warning "unused-table" "No rule is about a table that a source describes.";
    UnusedFormat Warning "unused-format" "No rule reads the time in a column whose format is given.";
    UnknownLaw Either "unknown-law" "A law has an id that is not in the catalogue.";
    PeriodFromData Warning "period-from-data" "A law demands a minimum, and the rule keeps as long as its data says.";
    // What `check --data` finds in the sources.
    UncoveredTable Warning "uncovered-table" "A table with records is covered by no rule and no `ignore`.";
    UncoveredFiles Warning "uncovered-files" "Files beside those of a source are covered by no source and no `ignore`.";
    StaleIgnore Warning "stale-ignore" "An `ignore` names nothing that is there.";
    TriggerCopies Warning "trigger-copies" "A trigger copies rows to where they stay when the rule deletes or anonymises them.";
    TriggerDeletes Warning "trigger-deletes" "A trigger deletes rows that a rule of their own may keep.";
    FullTextCopy Warning "full-text-copy" "A full-text index keeps words of rows that the rule deletes or anonymises.";
    PersonalColumn Warning "personal-column" "A rule anonymises records and leaves a column that looks personal.";
    ForeignKey Warning "foreign-key" "Rows that no rule deletes refer to records of a rule and keep them.";
    UnindexedEvent Warning "unindexed-event" "A very large table has no index on the column that starts the period.";
    MatchesNothing Warning "matches-nothing" "A rule matches none of the records that are there.";
    // Sources that cannot be read or written.
    MissingSource Error "missing-source" "A source is not there, or no file matches its pattern.";
    CannotRead Error "cannot-read" "A CSV file cannot be read to its end.";
    ReadOnly Error "read-only" "A database may not be written to.";
    IoError Error "io-error" "The disk reported an error.";
    DiskFull Error "disk-full" "The disk is full.";
    Busy Error "busy" "Another program holds a lock, or reads for too long.";
    Changing Error "changing" "A file changes while it is read or rewritten.";
    // Databases.
    EmptyDatabase Error "empty-database" "The file of a database is empty.";
    NotADatabase Error "not-a-database" "A file is no SQLite database, or it is encrypted.";
    Damaged Error "damaged" "SQLite finds the file of a database damaged.";
    SeveralNames Error "several-names" "The file of a database has several names, so that its log may lie beside another one.";
    UnrecoveredWal Error "unrecovered-wal" "A database has a write-ahead log that a killed program left behind.";
    UnrecoveredJournal Error "unrecovered-journal" "A database was left in the middle of a transaction.";
    SchemaChanged Error "schema-changed" "The tables of a database changed during a run.";
    NotATable Error "not-a-table" "A rule is about something that is no ordinary table.";
    NoRowNumber Error "no-row-number" "A table hides its row numbers or has none, and they are needed.";
    MissingColumn Error "missing-column" "A column that a policy reads or sets is not there.";
    UnindexedForeignKey Either "unindexed-foreign-key" "A foreign key has no index, so that every deletion would search a whole table.";
    UnindexedRelation Error "unindexed-relation" "Related rows would be searched for without an index.";
    AmbiguousRelation Error "ambiguous-relation" "It is not clear which columns join two tables.";
    RelatedToItself Error "related-to-itself" "Carrying out a rule could change what a relation says of other records.";
    EvidenceThroughView Error "evidence-through-view" "Rows would be deleted that a rule reads through a view.";
    NeedsApplication Error "needs-application" "The database needs something that only its own application has.";
    BrokenForeignKey Error "broken-foreign-key" "SQLite cannot check a foreign key.";
    CannotBeCarriedOut Error "cannot-be-carried-out" "SQLite cannot prepare what a rule asks for.";
    KeyColumn Error "key-column" "A rule sets or empties a column of the primary key.";
    GeneratedColumn Error "generated-column" "A rule sets or empties a generated column.";
    ForeignKeyColumn Error "foreign-key-column" "A rule sets a column of a foreign key.";
    UniqueColumn Error "unique-column" "A rule could give two records the same value in a unique column.";
    NotNullColumn Error "not-null-column" "A rule empties a column that may not be empty.";
    ColumnType Error "column-type" "A column would not keep what a rule sets it to.";
    NoForeignKeys Error "no-foreign-keys" "SQLite cannot check foreign keys here.";
    Constraint Error "constraint" "A constraint or a trigger of the database refuses a change.";
    Blocked Warning "blocked" "Records are past their time and stay, for other rows need them.";
    Sqlite Error "sqlite" "SQLite reported an error that has no code of its own.";
    // CSV files.
    NotAFile Error "not-a-file" "A pattern of CSV files matches something that is neither a file nor a folder.";
    BadHeader Error "bad-header" "The header of a CSV file is not as the policy says.";
    AmbiguousColumn Error "ambiguous-column" "Two columns of a CSV file have the same name.";
    Utf16 Error "utf-16" "A CSV file is UTF-16.";
    HardLink Error "hard-link" "A CSV file has several names, and replacing it would leave the others.";
    Compressed Error "compressed" "A compressed CSV file cannot be rewritten in place.";
    CannotWrite Error "cannot-write" "A CSV file cannot be written anew.";
    CannotKeepAttributes Error "cannot-keep-attributes" "A new CSV file cannot be given the owner, mode or attributes of the old one.";
    CannotGrow Error "cannot-grow" "A CSV file that is rewritten in place would become longer.";
    StillWritten Error "still-written" "A program goes on writing to a CSV file that was replaced.";
    Unfinished Error "unfinished" "A purge was interrupted while it overwrote a CSV file.";
    // Folders.
    NotAFolder Error "not-a-folder" "The path of a folder leads to something else.";
    RefusedFolder Error "refused-folder" "A folder holds more than data, and frist does not empty such folders.";
    UnreadFolder Error "unread-folder" "Sub-folders could not be read.";
    LastKept Warning "last-kept" "Only `keep-newest` keeps the last records of its data.";
    CannotDelete Error "cannot-delete" "Records of a folder could not be deleted.";
    NamedFiles Error "named-files" "Files that deleted rows named are still there.";
    // Records.
    ImplausibleTimes Warning "implausible-times" "All times of a column lie where hardly any can.";
    Unreadable Either "unreadable" "Records hold a time or a period that cannot be read, or cannot be seen whole.";
    UnreadableKey Error "unreadable-key" "A related row of another source has a key that cannot be read.";
    Malformed Error "malformed" "A line among related rows is no proper record.";
    // The state folder.
    NoKey Error "no-key" "A secret key cannot be made, read or written.";
    BadKey Error "bad-key" "The file of a secret key does not hold a key.";
    LostNotes Error "lost-notes" "The notes of deleted evidence are missing.";
    ForeignNotes Error "foreign-notes" "The notes of deleted evidence were written with another key.";
    UnreadableNotes Error "unreadable-notes" "The notes of deleted evidence cannot be read or written.";
    // What became of a run.
    Limit Error "limit" "A rule would change more records than its limit allows.";
    Survivors Error "survivors" "Records of a rule are still due after it was carried out.";
    UndecidedBatch Error "undecided-batch" "Nobody can tell whether the last batch of a killed run was carried out.";
    Signal Error "signal" "A signal ended a run early.";
    MaxRuntime Error "max-runtime" "The time that `--max-runtime` allows was over.";
    Internal Error "internal" "Something happened in frist that cannot happen.";
}

impl Code {
    /// The code as it is printed.
    pub const fn as_str(self) -> &'static str {
        self.entry().text
    }

    /// Whether it is an error or a warning; none where that depends on the case.
    pub const fn severity(self) -> Option<Severity> {
        self.entry().severity
    }

    /// What the code means, in one sentence.
    pub const fn meaning(self) -> &'static str {
        self.entry().meaning
    }

    /// The page about the code, in Markdown.
    pub const fn page(self) -> &'static str {
        self.entry().page
    }

    /// The code of that text.
    pub fn named(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
