//! The files that rows name which go: read before these do, and looked at before the commit.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::parts::Known;
use super::together::Live;
use crate::ledger::{NamedFile, Removal, Seen};
use crate::policy::{NamingColumn, Policy};
use crate::source::folder::named;
use crate::source::folder::root::Root;
use crate::source::relational::graph::Node;
use crate::source::sqlite::value;

/// The files that rows name by one column.
pub(super) struct Naming {
    paths: HashMap<Node, String>,
    /// What removes them, without any.
    removal: Removal,
}

/// The files that rows name which are to go. Whether others name them is asked when these are gone.
pub(super) fn by(
    live: &Live<'_>,
    closure: &Known<'_>,
    rows: &[Node],
    (database, policy): (&Path, &Policy),
) -> rusqlite::Result<Vec<Naming>> {
    let mut namings = Vec::new();
    for (table, (step, rule), files) in live.web.all_files() {
        let names = |node: &&Node| match step {
            Some(step) => closure.graph.steps(**node).any(|known| known == step),
            None => closure.graph.judged(**node).own == rule,
        };
        let rows = rows.iter().filter(|node| closure.graph.row(**node).table == table).filter(names);
        let nodes: HashMap<i64, Node> = rows.map(|node| (closure.graph.row(*node).key, *node)).collect();
        let mut keys: Vec<i64> = nodes.keys().copied().collect();
        keys.sort_unstable();
        let mut paths: HashMap<Node, String> = HashMap::new();
        live.follower.cells(table, files.name.columns(), &keys, |key, cells| {
            let said = files.name.said(|cell| value((&cells[cell]).into()));
            let path = said.map(|said| named::below(&files.folder, said.value()));
            if let Ok(Ok(Some(path))) = path {
                paths.extend(path.into_os_string().into_string().map(|path| (nodes[&key], path)));
            }
        })?;
        let name = &live.web.tables[usize::from(table)].table.name;
        let own = NamingColumn::new(&files.name, database, name, &files.folder);
        let removal = Removal::of(own, NamingColumn::all(policy));
        namings.push(Naming { paths, removal });
    }
    Ok(namings)
}

impl Naming {
    /// What removes the files of rows that went; none where these name none.
    pub(super) fn removal(mut self, gone: &[Node]) -> Option<Removal> {
        let paths: BTreeSet<String> = gone.iter().filter_map(|node| self.paths.remove(node)).collect();
        let files = seen(&self.removal.folder, paths);
        (!files.is_empty()).then_some(Removal { files, ..self.removal })
    }
}

/// Files as they are now, before the commit. What is not there has not to go; of a folder that cannot be
/// opened nobody knows, and the removal tells why.
fn seen(folder: &Path, paths: BTreeSet<String>) -> Vec<NamedFile> {
    let Ok(root) = Root::reopen(folder) else {
        return paths.into_iter().map(|path| NamedFile { path, seen: None }).collect();
    };
    let look = |path: &String| named::place(&root, Path::new(path))?.map_or(Ok(None), |place| place.look());
    let seen = paths.into_iter().filter_map(|path| match look(&path) {
        Ok(None) => None,
        Ok(Some(look)) => Some(NamedFile { path, seen: Some(Seen::of(&look)) }),
        Err(_) => Some(NamedFile { path, seen: None }),
    });
    seen.collect()
}
