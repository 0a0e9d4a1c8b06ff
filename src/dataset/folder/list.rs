//! Naming single records of a folder.

use super::newest::protect;
use super::root::Root;
use super::walk::walk;
use crate::dataset::request::{Flow, Listed, Request, Unusable};
use crate::policy::Folder;
use crate::verdict::RuleBook;

/// Names the records that one rule matches, in the order in which the system gives them.
pub fn list(
    folder: &Folder,
    request: &Request<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Unusable> {
    let root = Root::open(folder)?;
    let mut book = RuleBook::clone(&request.book);
    protect(&root, folder, &mut book).map_err(Unusable::failed)?;
    let walked = walk(&root, folder, &mut |record| match record.judge(&book, rule) {
        Some(verdict) => found(Listed { key: super::shown(record.path()), verdict }),
        None => Flow::On,
    });
    let unseen = walked.map_err(Unusable::failed)?;
    unseen.problem().map_or(Ok(()), |problem| Err(Unusable::failed(problem)))
}
