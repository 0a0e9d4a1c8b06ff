//! What goes together with a record: `with = [{ table = "messages", on = "sender_id = id" }]`.

use std::ops::Range;
use std::path::PathBuf;

use super::relation::Relation;

/// What is deleted together with each record.
#[derive(Clone, Debug, Default)]
pub struct With {
    /// Rows that belong to it, each with what goes together with them in turn.
    pub rows: Vec<(Relation, With)>,
    /// Files that it names.
    pub files: Vec<NamedFiles>,
}

/// Files that a column names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFiles {
    /// The folder below which they lie.
    pub folder: PathBuf,
    /// The column that holds their paths.
    pub column: String,
    /// Where it stands in the policy, in bytes.
    pub span: Range<usize>,
    /// The same as `FILE:LINE:COLUMN`.
    pub at: String,
}

impl With {
    /// Whether a record goes alone.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.files.is_empty()
    }

    /// All relations, those further in behind those that lead to them.
    pub fn relations(&self) -> Vec<&Relation> {
        self.rows.iter().flat_map(|(relation, with)| [vec![relation], with.relations()].concat()).collect()
    }

    /// All columns of files, wherever they stand.
    pub fn all_files(&self) -> Vec<&NamedFiles> {
        let further = self.rows.iter().flat_map(|(_, with)| with.all_files());
        self.files.iter().chain(further).collect()
    }
}
