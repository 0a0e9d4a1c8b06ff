//! What goes together with a record: `with = [{ table = "messages", on = "sender_id = id" }]`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::relation::Relation;
use super::{Kind, Policy};

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

/// A column of a database that names files, wherever in a policy it says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamingColumn {
    pub database: PathBuf,
    pub table: String,
    pub column: String,
    /// The folder below which the files lie.
    pub folder: PathBuf,
}

impl NamingColumn {
    /// All those of a policy.
    pub fn all(policy: &Policy) -> Vec<NamingColumn> {
        let mut columns = Vec::new();
        for rule in &policy.rules {
            if let Some(Kind::Sqlite(database)) = policy.source(&rule.source).map(|source| &source.kind) {
                rule.with.add_naming(database, &rule.table, &mut columns);
            }
        }
        columns
    }
}

impl With {
    fn add_naming(&self, database: &Path, table: &str, columns: &mut Vec<NamingColumn>) {
        for files in &self.files {
            let (database, table) = (database.to_path_buf(), table.to_string());
            let (column, folder) = (files.column.clone(), files.folder.clone());
            let naming = NamingColumn { database, table, column, folder };
            if !columns.contains(&naming) {
                columns.push(naming);
            }
        }
        self.rows.iter().for_each(|(relation, with)| with.add_naming(database, &relation.table, columns));
    }

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
