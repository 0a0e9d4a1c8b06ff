//! Naming single records of a folder.

use super::newest::protect;
use super::root::Root;
use super::walk::walk;
use crate::policy::Folder;
use crate::source::request::{Flow, Listed, TableQuery, Unusable};

/// So many records can be put in order; more are named as they come.
const SORTED: usize = 10_000;

/// Names the records that one rule matches: in the order of their paths where they are few,
/// otherwise in the order in which the system gives them.
pub fn list(
    folder: &Folder,
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Unusable> {
    let root = Root::open(folder)?;
    let book = &*request.book;
    protect(&root, folder, book).map_err(Unusable::failed)?;
    let mut shelf = Shelf { waiting: Some(Vec::new()), found };
    let walked = walk(&root, folder, &mut |record| match record.judge(book, rule) {
        Some(verdict) => shelf.put(Listed::new(super::shown(record.path()), verdict)),
        None => Flow::On,
    });
    shelf.hand_over();
    let unseen = walked.map_err(Unusable::failed)?;
    unseen.problem().map_or(Ok(()), |problem| Err(Unusable::failed(problem)))
}

/// Where records wait until all are there, or too many to wait.
struct Shelf<'f> {
    waiting: Option<Vec<Listed>>,
    found: &'f mut dyn FnMut(Listed) -> Flow,
}

impl Shelf<'_> {
    fn put(&mut self, listed: Listed) -> Flow {
        let Some(waiting) = &mut self.waiting else { return (self.found)(listed) };
        waiting.push(listed);
        if waiting.len() < SORTED { Flow::On } else { self.hand_over() }
    }

    /// From here on nothing waits.
    fn hand_over(&mut self) -> Flow {
        let mut waiting = self.waiting.take().unwrap_or_default();
        waiting.sort_by(|one, other| one.key.cmp(&other.key));
        let is_stopped = waiting.into_iter().any(|listed| (self.found)(listed) == Flow::Stop);
        if is_stopped { Flow::Stop } else { Flow::On }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Verdict;

    fn keys(numbers: impl Iterator<Item = usize>, most: usize) -> Vec<String> {
        let mut keys = Vec::new();
        let mut found = |listed: Listed| {
            keys.push(listed.key);
            if keys.len() < most { Flow::On } else { Flow::Stop }
        };
        let mut shelf = Shelf { waiting: Some(Vec::new()), found: &mut found };
        for number in numbers {
            let listed = Listed::new(format!("{number:05}"), Verdict::malformed(""));
            if shelf.put(listed) == Flow::Stop {
                return keys;
            }
        }
        shelf.hand_over();
        keys
    }

    #[test]
    fn few_are_sorted_and_none_of_many_is_lost() {
        assert_eq!(keys((0..3).rev(), 9), ["00000", "00001", "00002"]);
        let many = keys((0..SORTED + 5).rev(), usize::MAX);
        assert_eq!(many.len(), SORTED + 5);
        assert!(many[..SORTED].is_sorted());
        assert_eq!(keys((0..SORTED + 5).rev(), 7).len(), 7);
    }
}
