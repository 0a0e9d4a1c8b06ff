//! Deleting rows that go together, inside of one transaction: a record with what has to go before it, and along with
//! it, goes as a whole or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::careful::{Care, Failure, Limits, Went};
use super::named::Naming;
use super::refusals::{Refusal, is_refusal};
use super::single::Single;
use super::taken::Taken;
use super::together::{Live, REFUSED, reach};
use super::touched::Touched;
use super::{SqliteJob, changes, named};
use crate::run::batch_sizer::LEAST_WORK;
use crate::run::job::WriteError;
use crate::source::relational::closure::{Closure, Database, Part};
use crate::source::relational::graph::{Node, Row};
use crate::source::sqlite::follow::Follower;
use crate::source::sqlite::schema::Table;

/// What belongs together goes in one transaction, which keeps others waiting: with more rows than that only where
/// nobody is seen who would wait.
const LARGE: usize = 10_000;

/// The records that a batch is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Given {
    pub(super) numbers: Vec<i64>,
    /// How many rows go, where these lead to more than a batch may look at.
    pub(super) whole: Option<u64>,
    /// How many records of other rules may go before them, by the names of these.
    pub(super) room: BTreeMap<String, u64>,
}

/// What became of the records of a batch.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Those for which there was no time, in the order in which they can go.
    pub(super) left: Vec<i64>,
    /// Those that had changed when it was their turn.
    pub(super) changed: Vec<i64>,
    /// Those that go only while nobody waits, and how many rows go with them.
    pub(super) waiting: Vec<(i64, usize)>,
    /// Whether a limit leaves no room for some.
    pub(super) is_capped: bool,
    /// Whether they lead to more rows than a batch may look at; nothing was done.
    pub(super) is_too_large: bool,
    /// How many rows were looked at, and how long that took.
    pub(super) reached: usize,
    pub(super) looked: Duration,
    /// Whether what went cannot go in smaller parts.
    pub(super) is_single: bool,
    /// Records of other rules that went, by the names of these.
    pub(super) ahead: BTreeMap<String, u64>,
}

impl Ended {
    /// Whether nothing is to be told of it.
    pub(super) fn is_clean(&self) -> bool {
        self.changed.is_empty() && self.waiting.is_empty() && !self.is_capped && !self.is_too_large
    }
}

pub(super) type Known<'a> = Closure<'a, Follower<'a>>;

/// The records of the rule that go, each with those that go at once with it, and with how many rows that have to go
/// first or at once as well; those first that have to.
pub(super) fn bundles(live: &Live<'_>, closure: &Known<'_>) -> Vec<(Vec<i64>, usize)> {
    let parts = closure.parts();
    let mut is_open = vec![true; parts.len()];
    let own = (0..parts.len()).map(|place| (place, own_of(live, closure, &parts[place])));
    let own: Vec<(usize, Vec<Node>)> = own.filter(|(_, own)| !own.is_empty()).collect();
    let mut bundles = Vec::new();
    for (place, nodes) in own {
        let bundle = open_needs(&parts, place, |need| is_open[need]);
        bundle.iter().for_each(|place| is_open[*place] = false);
        let size = bundle.iter().map(|place| parts[*place].rows.len()).sum();
        bundles.push((nodes.iter().map(|node| closure.graph.row(*node).key).collect(), size));
    }
    bundles
}

/// The records of the rule in a part.
fn own_of(live: &Live<'_>, closure: &Known<'_>, part: &Part) -> Vec<Node> {
    let is_own = |node: &&Node| live.is_own(closure.graph.row(**node), closure.graph.judged(**node));
    part.rows.iter().filter(is_own).copied().collect()
}

/// A part, and all that has to go before it and has not had its turn, in rising order.
fn open_needs(parts: &[Part], place: usize, is_open: impl Fn(usize) -> bool) -> BTreeSet<usize> {
    let (mut bundle, mut next) = (BTreeSet::from([place]), vec![place]);
    while let Some(place) = next.pop() {
        next.extend(parts[place].needs.iter().copied().filter(|need| is_open(*need) && bundle.insert(*need)));
    }
    bundle
}

/// What is to become of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Open,
    Taken,
    /// There is no time for it.
    Left,
    /// It stays in this run.
    Passed,
}

/// One batch of records, and all that goes with them.
pub(super) struct Parts<'a> {
    pub(super) task: &'a SqliteJob<'a>,
    pub(super) live: &'a Live<'a>,
    pub(super) care: Care,
    /// Begins the transaction again.
    pub(super) begin: &'a dyn Fn() -> Result<(), WriteError>,
}

/// Rows that go as a whole.
struct Bundle {
    rows: Vec<Node>,
    /// The records of the rule among them.
    own: Vec<Node>,
    /// The records of other rules, by the names of these.
    ahead: BTreeMap<String, u64>,
    /// The parts that it is made of, and those that have to go before it, by their places.
    parts: BTreeSet<usize>,
    needs: BTreeSet<usize>,
}

/// What became of a bundle.
enum Became {
    Gone,
    /// A row is not what it was when it was judged.
    Changed,
    Refused(String),
    /// The refusal took the whole transaction with it.
    AllUndone(String),
}

/// What rows hold in the columns that rules read.
type Held = HashMap<Row, Vec<Value>>;

/// Bundles before one whose refusal took the whole transaction with it, and what was refused.
struct Undone {
    place: usize,
    refusals: Vec<Refusal>,
}

impl Parts<'_> {
    pub(super) fn act(&self, given: &Given, limits: Limits) -> Result<(Went, Ended), Failure> {
        let mut ended = Ended::default();
        self.task.newest.is_asked();
        let mut numbers = given.numbers.clone();
        numbers.sort_unstable();
        let seeds = self.live.seeds(&numbers).map_err(|error| self.halt(&error))?;
        let most = given.whole.map_or(reach(limits.rows), |_| usize::MAX);
        let limits = Limits { rows: given.whole.unwrap_or(limits.rows), ..limits };
        let began = Instant::now();
        let (model, follower) = (&self.live.web.model, &self.live.follower);
        let closure = Closure::within(most, model, follower, seeds).map_err(|error| self.halt(&error))?;
        let Some(closure) = closure else {
            return Ok((Went::default(), Ended { is_too_large: true, ..ended }));
        };
        ended.reached = closure.graph.len();
        let bundles = self.choose(&closure, (given, limits), &mut ended);
        ended.is_single = bundles.len() == 1;
        ended.looked = began.elapsed();
        let limits = Limits { deadline: limits.deadline.max(Instant::now() + LEAST_WORK), ..limits };
        let mut went = self.delete(&closure, bundles, limits, &mut ended)?;
        went.taken.rows += self.delete_leaves(&closure, &went.gone)?;
        ended.ahead = went.taken.ahead.clone();
        Ok((went, ended))
    }

    /// Chooses what goes now.
    fn choose(
        &self,
        closure: &Known<'_>,
        (given, limits): (&Given, Limits),
        ended: &mut Ended,
    ) -> Vec<Bundle> {
        let parts = closure.parts();
        let mut choices = vec![Choice::Open; parts.len()];
        let (mut bundles, mut rows, mut records): (Vec<Bundle>, u64, u64) = (Vec::new(), 0, 0);
        let mut ahead: BTreeMap<String, u64> = BTreeMap::new();
        for place in 0..parts.len() {
            let own = own_of(self.live, closure, &parts[place]);
            if own.is_empty() {
                continue;
            }
            let together = open_needs(&parts, place, |need| choices[need] == Choice::Open);
            let bundle = self.bundle(closure, &parts, together, own.clone());
            let (size, needs) =
                (bundle.rows.len(), |choice| bundle.needs.iter().any(|need| choices[*need] == choice));
            let sum = |rule: &String, records: u64| records + ahead.get(rule).copied().unwrap_or_default();
            let has_room = |(rule, records): (&String, &u64)| {
                given.room.get(rule).is_some_and(|room| sum(rule, *records) <= *room)
            };
            choices[place] = if needs(Choice::Passed) {
                Choice::Passed
            } else if needs(Choice::Left) || (rows > 0 && rows + size as u64 > limits.rows) {
                ended.left.extend(keys(closure, &own));
                Choice::Left
            } else if size > LARGE && self.task.writer.sees_neighbours() {
                ended.waiting.extend(keys(closure, &own).map(|key| (key, size)));
                Choice::Passed
            } else if records + own.len() as u64 > limits.most || !bundle.ahead.iter().all(has_room) {
                ended.is_capped = true;
                Choice::Passed
            } else {
                bundle.parts.iter().for_each(|place| choices[*place] = Choice::Taken);
                (rows, records) = (rows + size as u64, records + own.len() as u64);
                bundle.ahead.iter().for_each(|(rule, more)| *ahead.entry(rule.clone()).or_default() += more);
                bundles.push(bundle);
                Choice::Taken
            };
        }
        bundles
    }

    fn bundle(
        &self,
        closure: &Known<'_>,
        parts: &[Part],
        together: BTreeSet<usize>,
        own: Vec<Node>,
    ) -> Bundle {
        let rows: Vec<Node> = together.iter().flat_map(|place| &parts[*place].rows).copied().collect();
        let mut ahead: BTreeMap<String, u64> = BTreeMap::new();
        for node in &rows {
            let (row, judged) = (closure.graph.row(*node), closure.graph.judged(*node));
            if let Some(rule) = judged.own.filter(|_| !self.live.is_own(row, judged)) {
                let rules = &self.live.web.model.tables[usize::from(row.table)].rules;
                *ahead.entry(rules[usize::from(rule)].name.clone()).or_default() += 1;
            }
        }
        let needs = together.iter().flat_map(|place| &parts[*place].needs).copied();
        let needs = needs.filter(|need| !together.contains(need)).collect();
        Bundle { rows, own, ahead, parts: together, needs }
    }

    fn delete(
        &self,
        closure: &Known<'_>,
        mut bundles: Vec<Bundle>,
        limits: Limits,
        ended: &mut Ended,
    ) -> Result<Went, Failure> {
        let mut refusals = Vec::new();
        while !bundles.is_empty() {
            // Within a circle one row goes before the other; until the commit that is no violation.
            self.execute("PRAGMA defer_foreign_keys = ON")?;
            if self.live.is_bulk && self.care == Care::Fused {
                return self.delete_at_once(closure, &bundles);
            }
            let left = ended.left.len();
            let undone = match self.delete_one_by_one(closure, &bundles, limits, ended)? {
                Ok(mut went) => {
                    went.taken.refusals.extend(refusals);
                    return Ok(went);
                }
                Err(undone) => undone,
            };
            // What went before it is undone as well: it goes again, and what comes behind it has its turn later.
            (self.begin)()?;
            refusals.extend(undone.refusals);
            ended.left.truncate(left);
            ended.changed.clear();
            let later = bundles.split_off(undone.place);
            ended.left.splice(0..0, later.iter().skip(1).flat_map(|bundle| keys(closure, &bundle.own)));
            bundles.retain(|bundle| !bundle.own.iter().any(|node| self.is_kept(closure.graph.row(*node))));
            if self.task.newest.has_moved() {
                // What is kept has changed since they were decided about.
                let again = bundles.iter().flat_map(|bundle| keys(closure, &bundle.own));
                ended.left.splice(0..0, again);
                bundles.clear();
            }
        }
        Ok(Went { taken: Taken { refusals, ..Taken::default() }, ..Went::default() })
    }

    /// Deletes what rows that went led to, and no other row does.
    fn delete_leaves(&self, closure: &Known<'_>, gone: &HashSet<Node>) -> Result<u64, Failure> {
        let mut of_table: BTreeMap<u16, BTreeSet<i64>> = BTreeMap::new();
        for (taker, leaf) in closure.graph.together().filter(|(_, row)| closure.is_leaf(*row)) {
            if gone.contains(&taker) {
                let Row { table, key } = closure.graph.row(leaf);
                of_table.entry(table).or_default().insert(key);
            }
        }
        let mut rows = 0;
        for (table, keys) in of_table {
            let keys: Vec<i64> = keys.into_iter().collect();
            let deleted = self.live.follower.delete_unled(table, &keys);
            rows += deleted.map_err(|error| Failure::of(self.task.writer.path(), &error))? as u64;
        }
        self.task.evidence.row_ended(true);
        Ok(rows)
    }

    /// Whether a row was refused, and so stays in this run.
    fn is_kept(&self, row: Row) -> bool {
        self.live.follower.known(row).is_some()
    }

    /// Deletes all of them table by table: nothing but them changes.
    fn delete_at_once(&self, closure: &Known<'_>, bundles: &[Bundle]) -> Result<Went, Failure> {
        let mut of_table = self.of_table(closure, bundles);
        let files = self.files(closure, bundles).map_err(|error| self.halt(&error))?;
        let before = self.connection().total_changes();
        let planned: u64 = of_table.values().map(|keys| keys.len() as u64).sum();
        for table in &self.live.order {
            let Some(keys) = of_table.remove(table) else { continue };
            let deleted = self.live.follower.delete(*table, &keys);
            deleted.map_err(|error| Failure::of(self.task.writer.path(), &error))?;
        }
        if self.connection().total_changes() - before != planned {
            return Err(Failure::Refused("other rows go or stay than those that were to go".to_string()));
        }
        self.task.evidence.row_ended(true);
        let mut went = Went { tried: planned, ..Went::default() };
        self.account(closure, &bundles.iter().collect::<Vec<_>>(), files, &mut went);
        Ok(went)
    }

    /// The rows of bundles by their tables, in rising order.
    fn of_table(&self, closure: &Known<'_>, bundles: &[Bundle]) -> BTreeMap<u16, Vec<i64>> {
        let mut of_table: BTreeMap<u16, Vec<i64>> = BTreeMap::new();
        for node in bundles.iter().flat_map(|bundle| &bundle.rows) {
            let Row { table, key } = closure.graph.row(*node);
            of_table.entry(table).or_default().push(key);
        }
        of_table.values_mut().for_each(|keys| keys.sort_unstable());
        of_table
    }

    fn delete_one_by_one(
        &self,
        closure: &Known<'_>,
        bundles: &[Bundle],
        limits: Limits,
        ended: &mut Ended,
    ) -> Result<Result<Went, Undone>, Failure> {
        let (held, files) = self.before(closure, bundles).map_err(|error| self.halt(&error))?;
        let singles = self.live.singles.iter().map(|single| single.prepare(self.connection()));
        let singles = singles.collect::<rusqlite::Result<Vec<Single<'_>>>>();
        let mut singles = singles.map_err(|error| self.halt(&error))?;
        let (mut went, mut gone) = (Went::default(), Vec::new());
        let mut failed: BTreeSet<usize> = BTreeSet::new();
        for (place, bundle) in bundles.iter().enumerate() {
            if self.live.touched.is_some() {
                self.task.newest.look_between_rows(self.connection()).map_err(|error| self.halt(&error))?;
            }
            let is_late = place > 0 && Instant::now() >= limits.deadline;
            if is_late || self.task.newest.has_moved() {
                let later = bundles[place..].iter().flat_map(|bundle| keys(closure, &bundle.own));
                ended.left.splice(0..0, later);
                break;
            }
            if !bundle.needs.is_disjoint(&failed) {
                // It is asked anew whether it can go without what has to go before it.
                ended.left.extend(keys(closure, &bundle.own));
                failed.extend(&bundle.parts);
                continue;
            }
            let became = self.try_to_delete(closure, bundle, (&held, &mut singles))?;
            self.task.evidence.row_ended(matches!(became, Became::Gone));
            went.tried += bundle.rows.len() as u64;
            match became {
                Became::Gone => {
                    gone.push(bundle);
                    continue;
                }
                Became::Changed => ended.changed.extend(keys(closure, &bundle.own)),
                Became::Refused(why) => went.taken.refusals.extend(self.refuse(closure, bundle, &why)),
                Became::AllUndone(why) => {
                    let mut refusals = went.taken.refusals;
                    refusals.extend(self.refuse(closure, bundle, &why));
                    return Ok(Err(Undone { place, refusals }));
                }
            }
            failed.extend(&bundle.parts);
        }
        self.account(closure, &gone, files, &mut went);
        Ok(Ok(went))
    }

    /// Adds what went.
    fn account(&self, closure: &Known<'_>, gone: &[&Bundle], files: Vec<Naming>, went: &mut Went) {
        went.gone.extend(gone.iter().flat_map(|bundle| &bundle.rows));
        for bundle in gone {
            for number in keys(closure, &bundle.own) {
                let key = self.live.follower.key(self.live.table, number);
                went.remember(&key, &[]);
                went.keys.push(key);
            }
            let taken = &mut went.taken;
            let others: u64 = bundle.ahead.values().sum();
            taken.records += bundle.own.len() as u64;
            taken.rows += bundle.rows.len() as u64 - bundle.own.len() as u64 - others;
            bundle
                .ahead
                .iter()
                .for_each(|(rule, more)| *taken.ahead.entry(rule.clone()).or_default() += more);
        }
        let rows: Vec<Node> = gone.iter().flat_map(|bundle| &bundle.rows).copied().collect();
        went.taken.files.extend(files.into_iter().filter_map(|naming| naming.removal(&rows)));
    }

    /// The records of a bundle stay in this run, and with them what they refer to.
    fn refuse(&self, closure: &Known<'_>, bundle: &Bundle, why: &str) -> Vec<Refusal> {
        bundle.own.iter().for_each(|node| self.live.follower.keep(closure.graph.row(*node), REFUSED));
        let own = keys(closure, &bundle.own).map(|number| self.live.follower.key(self.live.table, number));
        own.map(|key| self.task.refusal(&key, why)).collect()
    }

    fn try_to_delete(
        &self,
        closure: &Known<'_>,
        bundle: &Bundle,
        (held, singles): (&Held, &mut [Single<'_>]),
    ) -> Result<Became, Failure> {
        let is_guarded = self.care == Care::Guarded;
        if is_guarded {
            self.execute("SAVEPOINT frist_bundle")?;
        }
        let became = match self.go(closure, bundle, (held, singles)) {
            Ok(became) => became,
            Err(error) if is_refusal(&error) => Became::Refused(error.to_string()),
            Err(error) => return Err(self.halt(&error)),
        };
        match became {
            Became::Refused(why) if !is_guarded => return Err(Failure::Refused(why)),
            Became::Changed if !is_guarded => return Err(Failure::Refused("a row has changed".to_string())),
            Became::Refused(why) if self.connection().is_autocommit() => return Ok(Became::AllUndone(why)),
            _ => {}
        }
        if is_guarded {
            if !matches!(became, Became::Gone) {
                self.execute("ROLLBACK TO frist_bundle")?;
            }
            self.execute("RELEASE frist_bundle")?;
        }
        Ok(became)
    }

    /// Deletes the rows one by one, each as it was when it was judged.
    fn go(
        &self,
        closure: &Known<'_>,
        bundle: &Bundle,
        (held, singles): (&Held, &mut [Single<'_>]),
    ) -> rusqlite::Result<Became> {
        let rows: Vec<(Row, Vec<Value>)> =
            bundle.rows.iter().map(|node| self.with_key(closure, *node)).collect();
        for (row, key) in &rows {
            let now = singles[usize::from(row.table)].held(key)?;
            if now.is_none() || now.as_ref() != held.get(row) {
                return Ok(Became::Changed);
            }
        }
        for (row, key) in &rows {
            let single = &mut singles[usize::from(row.table)];
            match single.held(key)? {
                // The engine has taken it along.
                None => continue,
                Some(now) if Some(&now) != held.get(row) => return Ok(Became::Changed),
                Some(_) => {}
            }
            if let Some(touched) = &self.live.touched {
                touched.begin(&self.table(*row).name, key);
            }
            single.delete(key)?;
            if self.live.touched.as_ref().is_some_and(Touched::is_touched) {
                return Ok(Became::Refused("a trigger changes it right before it goes".to_string()));
            }
        }
        for (row, key) in &rows {
            if singles[usize::from(row.table)].held(key)?.is_some() {
                return Ok(Became::Refused(changes(&self.table(*row).name)));
            }
        }
        Ok(Became::Gone)
    }

    fn with_key(&self, closure: &Known<'_>, node: Node) -> (Row, Vec<Value>) {
        let row = closure.graph.row(node);
        (row, self.live.follower.key(row.table, row.key))
    }

    fn table(&self, row: Row) -> &Table {
        &self.live.web.tables[usize::from(row.table)].table
    }

    /// What the rows hold that go, and the files that they name.
    fn before(&self, closure: &Known<'_>, bundles: &[Bundle]) -> rusqlite::Result<(Held, Vec<Naming>)> {
        let mut held = Held::new();
        for (table, keys) in self.of_table(closure, bundles) {
            let columns = self.live.web.tables[usize::from(table)].columns();
            self.live.follower.cells(table, columns, &keys, |key, cells| {
                held.insert(Row { table, key }, cells);
            })?;
        }
        Ok((held, self.files(closure, bundles)?))
    }

    /// The files that rows name that go.
    fn files(&self, closure: &Known<'_>, bundles: &[Bundle]) -> rusqlite::Result<Vec<Naming>> {
        let rows: Vec<Node> = bundles.iter().flat_map(|bundle| &bundle.rows).copied().collect();
        named::by(self.live, closure, &rows, (self.task.writer.path(), self.task.request.policy))
    }

    fn execute(&self, sql: &str) -> Result<(), Failure> {
        self.connection().execute_batch(sql).map_err(|error| self.halt(&error))
    }

    fn halt(&self, error: &rusqlite::Error) -> Failure {
        Failure::Ended(self.task.halt(error))
    }

    fn connection(&self) -> &Connection {
        self.task.connection()
    }
}

/// The numbers of some rows.
fn keys<'c>(closure: &'c Known<'_>, nodes: &'c [Node]) -> impl Iterator<Item = i64> + use<'c> {
    nodes.iter().map(|node| closure.graph.row(*node).key)
}
