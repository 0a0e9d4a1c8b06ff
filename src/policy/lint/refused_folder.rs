//! Folders that hold more than data are never sources.

use crate::diagnostic::{Code, Finding};
use crate::policy::{Folder, Policy, Source};
use crate::source::folder::refusal;

pub(super) fn check(policy: &Policy) -> Vec<Finding> {
    policy.sources.iter().filter_map(|source| finding(source, source.kind.folder()?)).collect()
}

fn finding(source: &Source, folder: &Folder) -> Option<Finding> {
    let why = refusal(&folder.path, &folder.keeps_out)?;
    let message = format!("source `{}` is refused: {why}", source.name);
    let finding = Finding::error(Code::RefusedFolder, message, source.span.clone());
    Some(finding.help("name a folder that holds nothing but the data"))
}
