//! Going through the records of a rule that are decided about together with others.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::parts::{self, Given};
use super::search::beside_writers;
use super::single::SingleSql;
use super::touched::{Touched, Watched};
use super::{SqliteJob, release};
use crate::evaluate::Keeper;
use crate::policy::Rule;
use crate::source::Problem;
use crate::source::relational::closure::{Closure, Database, Found};
use crate::source::relational::graph::{Fate, Judged, Row};
use crate::source::relational::model::TableModel;
use crate::source::relational::reason::Reason;
use crate::source::request::TableQuery;
use crate::source::sqlite::follow::{Follower, Reading};
use crate::source::sqlite::foreign_key::{all_references, pointing_at};
use crate::source::sqlite::web::Web;

/// As many numbers of records are read at once, where these are the engine's own, and where each stands for a key.
const WINDOW: usize = 1_000_000;
const WINDOW_OF_KEYS: usize = 100_000;

/// However short the time for a batch is, it may look at so many rows to find out what goes.
const LEAST_REACH: u64 = 4_000;

/// Where nobody waits, what one transaction would look at is taken in so many.
const SHARES: usize = 8;

/// Why a record stays that the database does not let go.
pub(super) const REFUSED: Reason =
    Reason { edge: None, keeper: Keeper::Referred, is_spared: false, is_shared: false };

/// How many rows a batch may look at that may take so many.
pub(super) fn reach(rows: u64) -> usize {
    usize::try_from(rows.saturating_mul(4).max(LEAST_REACH)).unwrap_or(usize::MAX)
}

/// What decides about the records of a rule, as it is in the database now.
pub(super) struct Live<'a> {
    pub(super) web: &'a Web,
    /// The numbers of the rule's table, and of the rule there.
    pub(super) table: u16,
    pub(super) rule: u16,
    pub(super) follower: Follower<'a>,
    /// All tables, those first that refer to others.
    pub(super) order: Vec<u16>,
    /// Whether all rows of a batch go table by table, a statement each.
    pub(super) is_bulk: bool,
    /// Sees what triggers do to rows that go.
    pub(super) touched: Option<Touched>,
    /// How single rows are asked for and deleted, for each table.
    pub(super) singles: Vec<SingleSql>,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        web: &'a Web,
        (request, rule): (&TableQuery<'_>, &Rule),
    ) -> rusqlite::Result<Live<'a>> {
        let table = web.model.table(&rule.table).unwrap_or_default();
        let is_it = |model: &TableModel| model.rules.iter().position(|known| known.name == rule.name);
        let place = is_it(&web.model.tables[usize::from(table)]).unwrap_or_default();
        let (order, is_possible) = web.model.children_first();
        let mut follower = Follower::new(connection, web, true)?;
        for (name, kept) in &request.kept {
            web.model.table(name).into_iter().for_each(|table| follower.keep_planned(table, kept));
        }
        let together = &web.model.components[web.model.component_of(table)];
        let members = || together.iter().map(|table| &web.tables[usize::from(*table)]);
        let references = all_references(connection)?;
        let empties = |table: &str| pointing_at(&references, table).iter().any(|key| !key.keeps);
        let empties_keys = members().any(|member| empties(&member.table.name));
        let mut releases = web.releases.iter().filter(|((table, _), _)| together.contains(table));
        let has_triggers = members().any(|member| member.table.has_delete_trigger);
        let is_bulk = is_possible && !empties_keys && !has_triggers && releases.next().is_none();
        let watched: Vec<Watched<'_>> = members().map(|member| (&member.table, member.columns())).collect();
        let touched = if has_triggers { Some(Touched::watch(connection, &watched)?) } else { None };
        let rule = u16::try_from(place).unwrap_or_default();
        let singles = web.tables.iter().map(|member| SingleSql::of(web, member, &references)).collect();
        Ok(Live { web, table, rule, follower, order, is_bulk, touched, singles })
    }

    /// Lets go of the records of all rules that may go ahead, too.
    pub(super) fn watch_releases(&self, connection: &Connection) -> rusqlite::Result<()> {
        let together = &self.web.model.components[self.web.model.component_of(self.table)];
        let own = (self.table, self.rule);
        let others = self.web.releases.iter().filter(|(rule, _)| together.contains(&rule.0) && **rule != own);
        for (number, ((table, _), releases)) in others.enumerate() {
            let table = &self.web.tables[usize::from(*table)].table;
            release::watch(connection, table, (releases, &format!("ahead_{number}_")))?;
        }
        Ok(())
    }

    /// Whether a row is a record of the rule.
    pub(super) fn is_own(&self, row: Row, judged: Judged) -> bool {
        row.table == self.table && judged.own == Some(self.rule)
    }

    /// Records of the rule that are there and due as far as they say themselves, of some numbers in rising order.
    pub(super) fn seeds(&self, numbers: &[i64]) -> rusqlite::Result<Vec<(Row, Judged)>> {
        let found = self.follower.judged(self.table, numbers)?.into_iter();
        let seeds = found.map(|Found { key, judged, .. }| (Row { table: self.table, key }, judged));
        Ok(seeds.filter(|(row, judged)| self.is_own(*row, *judged)).collect())
    }
}

/// Records still to go, in the order in which they are asked for.
#[derive(Debug)]
enum Run {
    /// As many of them as there is time for.
    Loose(VecDeque<i64>),
    /// So many rows of what they lead to, however much that is.
    Whole(Vec<i64>, u64),
}

/// The way through the records.
#[derive(Debug)]
pub(super) struct Together {
    left: VecDeque<Run>,
    /// The key that was read last, where not all are read.
    from: Option<Vec<Value>>,
    is_read: bool,
    /// What was given out since the transaction began, and the room that there was then.
    given: Vec<Given>,
    room_before: BTreeMap<String, u64>,
    /// How many records the next batch is to be about.
    seeds: u64,
    /// How many records of other rules may still go, by the names of these.
    room: BTreeMap<String, u64>,
    /// How often records had changed when it was their turn.
    changed: HashMap<i64, u32>,
}

impl Together {
    pub(super) fn new(room: &BTreeMap<String, u64>) -> Together {
        Together {
            left: VecDeque::new(),
            from: None,
            is_read: false,
            given: Vec::new(),
            room_before: room.clone(),
            seeds: 1,
            room: room.clone(),
            changed: HashMap::new(),
        }
    }

    /// Begins a transaction.
    pub(super) fn begin(&mut self) {
        self.given.clear();
        self.room_before.clone_from(&self.room);
    }

    /// Whether finding the next records may take long.
    pub(super) fn looks_ahead(&self) -> bool {
        self.left.is_empty() && !self.is_read
    }

    /// The records of the next leg, which may take so many rows.
    pub(super) fn next(
        &mut self,
        task: &SqliteJob<'_>,
        live: &Live<'_>,
        rows: u64,
    ) -> Result<Option<Given>, Problem> {
        while self.left.is_empty() && !self.is_read {
            self.read(task, live)?;
        }
        self.seeds = self.seeds.clamp(1, rows);
        let (numbers, whole) = match self.left.pop_front() {
            None => return Ok(None),
            Some(Run::Whole(numbers, rows)) => (numbers, Some(rows)),
            Some(Run::Loose(mut loose)) => {
                let some = loose.len().min(usize::try_from(self.seeds).unwrap_or(usize::MAX));
                let numbers = loose.drain(..some).collect();
                if !loose.is_empty() {
                    self.left.push_front(Run::Loose(loose));
                }
                (numbers, None)
            }
        };
        let given = Given { numbers, whole, room: self.room.clone() };
        self.given.push(given.clone());
        Ok(Some(given))
    }

    /// Reads the numbers of records that are due: all of them where that is not too many. Those with the last keys
    /// come first, so that what is inserted meanwhile waits for the next run.
    fn read(&mut self, task: &SqliteJob<'_>, live: &Live<'_>) -> Result<(), Problem> {
        let has_numbers = live.web.tables[usize::from(live.table)].table.has_row_numbers();
        let most = if has_numbers { WINDOW } else { WINDOW_OF_KEYS };
        let reads_all = self.from.is_none() && task.amount.expected + task.amount.blocked < most as u64;
        let from = self.from.take();
        let reading = if reads_all { Reading::Any } else { Reading::Downwards(from.as_deref()) };
        let (mut numbers, mut count, mut last) = (Vec::new(), 0, None);
        let keys = beside_writers(task, |connection| {
            numbers.clear();
            (count, last) = (0, None);
            let own = if task.writer.is_wal { None } else { Some(live.follower.beside(connection)?) };
            let follower = own.as_ref().unwrap_or(&live.follower);
            follower.due(live.table, &reading, &mut |found| {
                if found.judged.own == Some(live.rule) {
                    numbers.push(found.key);
                }
                (count, last) = (count + 1, Some(found.key));
                Ok(reads_all || count < most)
            })?;
            // Records of other rules may come last.
            self.from = last.map(|last| follower.key(live.table, last));
            let keys = own
                .filter(|_| !has_numbers)
                .map(|own| numbers.iter().map(|number| own.key(live.table, *number)).collect::<Vec<_>>());
            Ok(keys)
        })?;
        for (number, key) in numbers.iter_mut().zip(keys.into_iter().flatten()) {
            *number = live.follower.number_of(live.table, key);
        }
        self.is_read = reads_all || count < most;
        if reads_all && has_numbers {
            numbers.sort_unstable();
            if live.web.refers_to_itself(live.table) {
                numbers.reverse();
            }
        }
        // What the plan found kept is not judged again in this run.
        numbers.retain(|key| live.follower.known(Row { table: live.table, key: *key }).is_none());
        self.left.extend((!numbers.is_empty()).then(|| Run::Loose(numbers.into())));
        Ok(())
    }

    /// The same records come again: their transaction did not happen.
    pub(super) fn again(&mut self) {
        self.room.clone_from(&self.room_before);
        while let Some(Given { numbers, whole, .. }) = self.given.pop() {
            match whole {
                Some(rows) => self.left.push_front(Run::Whole(numbers, rows)),
                None => self.before_others(numbers),
            }
        }
    }

    /// Records stay that the database does not let go; what was to follow them comes next.
    pub(super) fn skip(&mut self, live: &Live<'_>, keys: &[Vec<Value>], ended: parts::Ended) {
        for key in keys {
            let number = live.follower.number_of(live.table, key.clone());
            live.follower.keep(Row { table: live.table, key: number }, REFUSED);
        }
        self.before_others(ended.left);
    }

    fn before_others(&mut self, numbers: Vec<i64>) {
        if numbers.is_empty() {
            return;
        }
        match self.left.front_mut() {
            Some(Run::Loose(loose)) => numbers.into_iter().rev().for_each(|number| loose.push_front(number)),
            _ => self.left.push_front(Run::Loose(numbers.into())),
        }
    }

    /// Learns how a leg ended that may have taken so many rows; the records that had changed too often.
    pub(super) fn ended(&mut self, ended: parts::Ended, rows: u64) -> Vec<i64> {
        let given = self.given.last();
        let parts::Ended { mut left, changed, reached, ahead, .. } = ended;
        for (rule, records) in ahead {
            let room = self.room.entry(rule).or_default();
            *room = room.saturating_sub(records);
        }
        if let Some(Given { numbers, whole: Some(_), .. }) = given {
            // The others are known, and have their turn.
            let own: HashSet<i64> = numbers.iter().copied().collect();
            left.retain(|number| own.contains(number));
        } else {
            let wanted = self.seeds.saturating_mul(rows.max(1)) / (reached as u64).max(1);
            self.seeds = wanted.clamp(self.seeds / 4, self.seeds.saturating_mul(4)).max(1);
        }
        self.before_others(left);
        let times = |number: &i64, times: &mut HashMap<i64, u32>| {
            let often = times.entry(*number).or_default();
            *often += 1;
            *often
        };
        let (again, stay): (Vec<i64>, Vec<i64>) =
            changed.into_iter().partition(|number| times(number, &mut self.changed) < 3);
        self.left.extend((!again.is_empty()).then(|| Run::Loose(again.into())));
        stay
    }

    /// The records of a batch lead to more rows than it may look at. Of a single one it is found out outside of any
    /// transaction what has to go before it.
    pub(super) fn too_large(
        &mut self,
        live: &Live<'_>,
        (rows, is_shared): (u64, bool),
    ) -> rusqlite::Result<()> {
        let Some(Given { numbers, .. }) = self.given.pop() else { return Ok(()) };
        if numbers.len() > 1 {
            self.seeds = numbers.len() as u64 / 2;
            self.before_others(numbers);
            return Ok(());
        }
        let seeds = live.seeds(&numbers)?;
        let closure = Closure::of(&live.web.model, &live.follower, seeds)?;
        let goes = |number: &i64| {
            let node = closure.graph.find(Row { table: live.table, key: *number });
            node.is_some_and(|node| closure.graph.fate(node) == Fate::Goes)
        };
        // What stays comes once more, so that there is one place that decides.
        let mut runs: Vec<Run> = numbers
            .iter()
            .filter(|number| !goes(number))
            .map(|number| Run::Whole(vec![*number], 1))
            .collect();
        // Each of these looks at all of it again, and so there are to be few.
        let share = if is_shared { 0 } else { closure.graph.len() / SHARES };
        let most = share.max(reach(rows));
        let (mut together, mut size) = (Vec::new(), 0);
        for (own, more) in parts::bundles(live, &closure) {
            together.extend(own);
            size += more;
            if size >= most {
                runs.push(Run::Whole(std::mem::take(&mut together), std::mem::take(&mut size) as u64));
            }
        }
        runs.extend((!together.is_empty()).then_some(Run::Whole(together, size as u64)));
        runs.into_iter().rev().for_each(|run| self.left.push_front(run));
        Ok(())
    }
}

/// How many records of the rule are still due: those that nothing keeps, and those that something does.
pub(super) fn survivors(task: &SqliteJob<'_>, live: &Live<'_>) -> Result<(u64, u64), Problem> {
    let count = |connection: &Connection| {
        let own = if task.writer.is_wal { None } else { Some(live.follower.beside(connection)?) };
        let follower = own.as_ref().unwrap_or(&live.follower);
        let (mut numbers, mut free, mut kept) = (Vec::new(), 0, 0);
        let mut settle = |numbers: &mut Vec<(Row, Judged)>| -> rusqlite::Result<()> {
            let seeds = std::mem::take(numbers);
            let closure = Closure::of(&live.web.model, follower, seeds.iter().copied())?;
            for node in seeds.iter().filter_map(|(row, _)| closure.graph.find(*row)) {
                match closure.graph.fate(node) {
                    Fate::Goes => free += 1,
                    // What is spared is not due.
                    Fate::Stays(reason) => kept += u64::from(!reason.is_spared),
                }
            }
            Ok(())
        };
        follower.due(live.table, &Reading::Any, &mut |found| {
            let row = Row { table: live.table, key: found.key };
            if live.is_own(row, found.judged) {
                numbers.push((row, found.judged));
            }
            if numbers.len() >= COUNTED {
                settle(&mut numbers)?;
            }
            Ok(true)
        })?;
        settle(&mut numbers)?;
        Ok((free, kept))
    };
    beside_writers(task, count)
}

/// As many records are counted at once.
const COUNTED: usize = 5_000;

/// What decides about the records of a rule, where these do not do so alone.
pub(super) fn web_of(
    connection: &Connection,
    request: &TableQuery<'_>,
    rule: &Rule,
) -> Result<Option<Web>, Problem> {
    if !rule.deletes() || !request.is_together {
        return Ok(None);
    }
    Web::build(connection, (request, &[]), &request.acting).map(Some)
}
