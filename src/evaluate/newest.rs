//! `keep-newest`: the newest records, of all or of each group, which no rule deletes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use super::Evaluator;
use crate::calendar::{Cutoff, Event, Period, Schedule, Timestamp};
use crate::policy::Rule;
use crate::value::Value;

/// What one rule's `keep-newest` says.
#[derive(Clone, Debug)]
pub(super) struct KeepNewest {
    pub(super) count: u64,
    /// The columns that tell groups apart, by their places, each with the number of the cell that
    /// tells binary data apart.
    pub(super) per: Vec<(usize, usize)>,
    /// An event is as old as what it is over with: a date ends with its day.
    at_once: Schedule,
    past: Cutoff,
    /// Alike in all books that were made from one: who finds the newest tells all of them.
    floors: Arc<RwLock<Option<Floors>>>,
}

/// What is kept, once the newest were looked for.
#[derive(Debug, Default)]
struct Floors {
    /// By group, where it has more records than are kept. Others are kept whole, and so are those
    /// that nobody has seen.
    by_group: HashMap<Arc<[u8]>, Floor>,
    /// How many records of the rule were counted.
    counted: u64,
}

/// From when on the records of a group are kept: all, and those that the rule itself is about. A
/// rule about some of the records must not delete the last of them because others are newer.
#[derive(Debug)]
struct Floor {
    all: Timestamp,
    /// None where all of those are kept.
    matching: Option<Timestamp>,
}

/// A record that counts among those of which the newest are kept.
#[derive(Debug)]
pub struct Counting {
    /// When its event is over.
    pub at: Timestamp,
    /// Whether the rule is about it.
    pub matches: bool,
    group: Vec<u8>,
}

impl KeepNewest {
    pub(super) fn new(rule: &Rule, now: Timestamp, per: Vec<(usize, usize)>) -> Option<KeepNewest> {
        let at_once = Schedule::new(rule.keep.zone(), None, Period::IMMEDIATELY);
        let past = at_once.cutoff(now);
        Some(KeepNewest { count: rule.keep_newest?, per, at_once, past, floors: Arc::default() })
    }

    /// When an event is over.
    pub(super) fn end_of(&self, event: Event) -> Timestamp {
        self.at_once.due_from(event)
    }

    /// The same; none where it is in the future.
    pub(super) fn over(&self, event: Event) -> Option<Timestamp> {
        self.past.is_due(&event).then(|| self.end_of(event))
    }

    /// What tells the group of a record apart, as SQLite compares without a collation; none where it
    /// cannot be seen.
    pub(super) fn group<'v>(&self, extra: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<Vec<u8>> {
        let mut group = Vec::with_capacity(16 * self.per.len());
        let mut add = |kind: u8, bytes: &[u8]| {
            group.push(kind);
            // What is of no fixed length says its own.
            if kind == b't' || kind == b'b' {
                group.extend((bytes.len() as u64).to_be_bytes());
            }
            group.extend(bytes);
        };
        for (cell, binary) in &self.per {
            match row(*cell) {
                Value::Null => add(b'n', &[]),
                Value::Integer(number) => add(b'i', &number.to_be_bytes()),
                Value::Real(number) => match as_whole(number) {
                    Some(whole) => add(b'i', &whole.to_be_bytes()),
                    None => add(b'r', &number.to_bits().to_be_bytes()),
                },
                Value::Text(text) => add(b't', text),
                Value::Blob => match row(extra + binary) {
                    Value::Text(content) => add(b'b', content),
                    _ => return None,
                },
            }
        }
        Some(group)
    }

    /// Whether a record is one of the newest. What is not known is kept.
    pub(super) fn keeps<'v>(
        &self,
        (at, extra): (Timestamp, usize),
        row: &impl Fn(usize) -> Value<'v>,
        matches: impl FnOnce() -> bool,
    ) -> bool {
        let floors = self.floors.read().unwrap_or_else(PoisonError::into_inner);
        let Some(floors) = floors.as_ref() else { return true };
        let group = self.group(extra, row);
        let Some(floor) = group.and_then(|group| floors.by_group.get(&*group)) else { return true };
        at >= floor.all || (floor.matching.is_none_or(|from| at >= from) && matches())
    }

    pub(super) fn is_known(&self) -> bool {
        self.floors.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn counted(&self) -> Option<u64> {
        let floors = self.floors.read().unwrap_or_else(PoisonError::into_inner);
        floors.as_ref().map(|floors| floors.counted)
    }

    fn forget(&self) {
        *self.floors.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn tell(&self, floors: Floors) {
        *self.floors.write().unwrap_or_else(PoisonError::into_inner) = Some(floors);
    }
}

/// A floating-point number that equals a whole one.
fn as_whole(number: f64) -> Option<i64> {
    // The upper bound itself is no such number.
    let is_whole = number.fract() == 0.0
        && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&number);
    is_whole.then_some(number as i64)
}

impl Evaluator {
    /// Whether a rule keeps the newest records, and nobody has said yet which they are.
    pub fn must_find_newest(&self) -> bool {
        self.clauses.iter().filter_map(|clause| clause.newest.as_ref()).any(|newest| !newest.is_known())
    }

    /// What was found is forgotten: the data has changed under it.
    pub fn forget_newest(&self) {
        self.clauses.iter().filter_map(|clause| clause.newest.as_ref()).for_each(|newest| newest.forget());
    }

    /// How many records of a rule that keeps the newest were counted.
    pub fn newest_counted(&self, rule: usize) -> Option<u64> {
        self.clauses[rule].newest.as_ref()?.counted()
    }

    /// The same book that keeps no record for being one of the newest: to see whether it would matter.
    pub fn keeping_no_newest(&self) -> Evaluator {
        let mut book = self.clone();
        book.clauses.iter_mut().for_each(|clause| clause.newest = None);
        book
    }

    /// The columns, by their places, of which binary data must be told apart: each has a cell for
    /// that behind the answers, which holds a text where the column holds binary data.
    pub fn binary_columns(&self) -> &[usize] {
        &self.binary
    }

    /// What makes a record one of those among which a rule keeps the newest; none where it is none.
    pub fn counting<'v>(&self, rule: usize, row: &impl Fn(usize) -> Value<'v>) -> Option<Counting> {
        let row = |cell: usize| self.cell(cell, row);
        let clause = &self.clauses[rule];
        let at = clause.over(&row)?;
        let group = clause.newest.as_ref()?.group(self.first_binary(), &row)?;
        Some(Counting { at, matches: clause.matches(&row), group })
    }

    /// The places of the cells that are asked for to find the newest.
    pub fn counting_cells(&self) -> Vec<usize> {
        let mut cells = Vec::new();
        for clause in self.clauses.iter().filter(|clause| clause.newest.is_some()) {
            cells.extend(clause.starts.parts.iter().map(|part| part.cell));
            cells.extend(clause.when.iter().flat_map(|(_, columns)| columns).chain(&clause.only_if));
            cells.extend(clause.newest.iter().flat_map(|newest| &newest.per).map(|(column, _)| *column));
        }
        let asked = self.elsewhere.iter().flatten().flat_map(|asked| asked.cells.iter().copied());
        cells.extend(asked);
        cells
    }

    /// The first rule that keeps a record for being one of the newest.
    pub(super) fn keeper_of_newest<'v>(&self, row: &impl Fn(usize) -> Value<'v>) -> Option<usize> {
        let extra = self.first_binary();
        self.clauses.iter().position(|clause| clause.keeps_newest(extra, row))
    }
}

/// Gathers the newest of the records that it is shown, in memory for that many.
#[derive(Clone, Debug)]
struct Newest<K>(BinaryHeap<Reverse<(Timestamp, K)>>);

impl<K: Ord> Newest<K> {
    /// Most groups are small.
    fn new() -> Newest<K> {
        Newest(BinaryHeap::with_capacity(1))
    }

    /// Shows it a record; its key is only asked for where it may be one of the newest.
    fn show(&mut self, wanted: usize, at: Timestamp, key: impl FnOnce() -> K) {
        if self.0.len() < wanted {
            self.0.push(Reverse((at, key())));
        } else if self.floor().is_some_and(|oldest| at > oldest) {
            self.0.pop();
            self.0.push(Reverse((at, key())));
        }
    }

    /// The oldest time that is kept; none where no record was shown.
    fn floor(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}

/// What was shown of one group.
#[derive(Clone, Debug)]
struct Group<K> {
    all: Newest<K>,
    counted: u64,
    /// Where the rule is not about all records: the newest of those that it is about.
    matching: Option<Newest<K>>,
    matched: u64,
    /// The newest of the records that were due although they count.
    newest_due: Option<Timestamp>,
}

/// A record that what is kept rests on: were it gone, others would be the newest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard<K> {
    /// The rule, by its place in the book.
    pub rule: usize,
    /// What it is found by.
    pub key: K,
    at: Timestamp,
    group: Arc<[u8]>,
    /// Whether it is one of those that the rule is about.
    must_match: bool,
}

impl<K> Guard<K> {
    /// Whether a record still stands for it.
    pub fn is(&self, counting: &Counting) -> bool {
        let matches = counting.matches || !self.must_match;
        counting.at == self.at && *counting.group == *self.group && matches
    }
}

/// One rule's search.
#[derive(Clone, Debug)]
struct OneRule<K> {
    rule: usize,
    wanted: usize,
    is_about_all: bool,
    groups: HashMap<Arc<[u8]>, Group<K>>,
}

/// The search for the newest records of every rule that keeps some, by what records are found by.
#[derive(Clone, Debug)]
pub struct Search<K>(Vec<OneRule<K>>);

impl<K: Ord + Clone> Search<K> {
    /// One for all rules of a book.
    pub fn of(book: &Evaluator) -> Search<K> {
        let each = book.clauses.iter().enumerate().filter_map(|(rule, clause)| {
            let newest = clause.newest.as_ref()?;
            let wanted = usize::try_from(newest.count).unwrap_or(usize::MAX);
            let is_about_all = clause.when.is_none() && clause.only_if.is_empty();
            Some(OneRule { rule, wanted, is_about_all, groups: HashMap::new() })
        });
        Search(each.collect())
    }

    /// A search that nobody asks for.
    pub fn none() -> Search<K> {
        Search(Vec::new())
    }

    /// Whether any rule keeps the newest.
    pub fn is_needed(&self) -> bool {
        !self.0.is_empty()
    }

    /// Shows it a record, and whether that is due where nothing is kept; whether it counts under
    /// every rule.
    pub fn show<'v>(
        &mut self,
        book: &Evaluator,
        row: &impl Fn(usize) -> Value<'v>,
        key: impl Fn() -> K,
        is_due: bool,
    ) -> bool {
        let mut counts = true;
        for search in &mut self.0 {
            match book.counting(search.rule, row) {
                Some(counting) => search.show(counting, &key, is_due),
                None => counts = false,
            }
        }
        counts
    }

    /// Adds what another search was shown.
    pub fn absorb(&mut self, other: Search<K>) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            for (group, more) in theirs.groups {
                mine.absorb(group, more);
            }
        }
    }

    /// Whether one of the newest is due, and so must be kept.
    pub fn keeps_what_is_due(&self) -> bool {
        self.0.iter().flat_map(|search| search.groups.values()).any(Group::keeps_what_is_due)
    }

    /// The records on which it rests, of groups of which not all are kept; none where these are more
    /// than so many.
    pub fn guards(&self, most: usize) -> Option<Vec<Guard<K>>> {
        let some = self.0.iter().flat_map(|search| search.guards(|group| search.is_full(group)));
        let guards: Vec<Guard<K>> = some.take(most.saturating_add(1)).collect();
        (guards.len() <= most).then_some(guards)
    }

    /// The same without asking whether all are kept: to compare some records with what they were.
    pub fn all_shown(&self) -> Vec<Guard<K>> {
        self.0.iter().flat_map(|search| search.guards(|_| true)).collect()
    }

    /// Tells the book what was found, and all that were made from the same.
    pub fn settle(self, book: &Evaluator) {
        for search in self.0 {
            if let Some(newest) = &book.clauses[search.rule].newest {
                newest.tell(search.floors());
            }
        }
    }
}

impl<K: Ord + Clone> OneRule<K> {
    fn show(&mut self, counting: Counting, key: impl Fn() -> K, is_due: bool) {
        let Counting { at, matches, group } = counting;
        let (wanted, is_about_all) = (self.wanted, self.is_about_all);
        let group = match self.groups.get_mut(&*group) {
            Some(known) => known,
            None => self.groups.entry(group.into()).or_insert_with(|| Group::new(is_about_all)),
        };
        group.all.show(wanted, at, &key);
        group.counted += 1;
        group.matched += u64::from(matches);
        if let Some(matching) = group.matching.as_mut().filter(|_| matches) {
            matching.show(wanted, at, key);
        }
        if is_due {
            group.newest_due = group.newest_due.max(Some(at));
        }
    }

    fn absorb(&mut self, group: Arc<[u8]>, more: Group<K>) {
        let (wanted, is_about_all) = (self.wanted, self.is_about_all);
        let mine = self.groups.entry(group).or_insert_with(|| Group::new(is_about_all));
        (mine.counted, mine.matched) = (mine.counted + more.counted, mine.matched + more.matched);
        mine.newest_due = mine.newest_due.max(more.newest_due);
        more.all.0.into_iter().for_each(|Reverse((at, key))| mine.all.show(wanted, at, || key));
        for (mine, more) in mine.matching.iter_mut().zip(more.matching) {
            more.0.into_iter().for_each(|Reverse((at, key))| mine.show(wanted, at, || key));
        }
    }

    /// Whether not all records of a group are kept.
    fn is_full(&self, group: &Group<K>) -> bool {
        group.counted > self.wanted as u64
    }

    fn guards<'s>(&'s self, is_meant: impl Fn(&Group<K>) -> bool + 's) -> impl Iterator<Item = Guard<K>> {
        let groups = self.groups.iter().filter(move |(_, group)| is_meant(group));
        groups.flat_map(|(name, group)| {
            let all = group.all.0.iter().map(|record| (record, false));
            let matching =
                group.matching.iter().flat_map(|matching| &matching.0).map(|record| (record, true));
            all.chain(matching).map(|(Reverse((at, key)), must_match)| Guard {
                rule: self.rule,
                key: key.clone(),
                at: *at,
                group: Arc::clone(name),
                must_match,
            })
        })
    }

    fn floors(self) -> Floors {
        let wanted = self.wanted as u64;
        let counted = self.groups.values().map(|group| group.matched).sum();
        let full = self.groups.into_iter().filter(|(_, group)| group.counted > wanted);
        let by_group = full.filter_map(|(name, group)| {
            let all = group.all.floor()?;
            let matching = match &group.matching {
                None => Some(all),
                Some(matching) => matching.floor().filter(|_| group.matched > wanted),
            };
            Some((name, Floor { all, matching }))
        });
        Floors { by_group: by_group.collect(), counted }
    }
}

impl<K: Ord> Group<K> {
    fn new(is_about_all: bool) -> Group<K> {
        let matching = (!is_about_all).then(Newest::new);
        Group { all: Newest::new(), counted: 0, matching, matched: 0, newest_due: None }
    }

    fn keeps_what_is_due(&self) -> bool {
        let matching = self.matching.as_ref().and_then(Newest::floor);
        let from = [self.all.floor(), matching].into_iter().flatten().min();
        self.newest_due.zip(from).is_some_and(|(due, from)| due >= from)
    }
}

#[cfg(test)]
mod tests;
