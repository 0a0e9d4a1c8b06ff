//! Rules, as the model knows them.

use super::calendar::Counted;
use super::condition::Condition;
use super::data::{Keys, Table};
use super::draw::Draw;
use super::period::{self, Period, UNITS};
use super::personal;

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) table: usize,
    pub(super) keep: Keep,
    pub(super) after: After,
    pub(super) counted: Option<Counted>,
    pub(super) when: Option<Condition>,
    pub(super) unless: Vec<Relation>,
    pub(super) only_if: Vec<Relation>,
    /// Columns of persons and their forms; it deletes where there are none.
    pub(super) sets: Vec<(usize, &'static str)>,
    /// How many of the newest it keeps, of each group that these columns tell apart.
    pub(super) newest: Option<(usize, Vec<&'static str>)>,
    pub(super) enforce: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Keep {
    Fixed(Period),
    Data { relation: Option<Relation>, unit: Option<&'static str>, cap: Option<Period> },
}

#[derive(Clone, Debug)]
pub(super) enum After {
    One(Part),
    Latest(Vec<Part>),
    /// Columns of the record.
    Earliest(Vec<usize>),
}

#[derive(Clone, Debug)]
pub(super) enum Part {
    Own { column: usize, optional: bool },
    Related { relation: Relation, column: usize },
}

#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) table: usize,
    /// What is equal, theirs and ours: one pair, or several.
    pub(super) pairs: Vec<(Side, Side)>,
    pub(super) filter: Option<Condition>,
}

#[derive(Clone, Debug)]
pub(super) struct Side {
    /// `ref`, or `id`.
    pub(super) is_reference: bool,
    pub(super) folds: &'static [&'static str],
}

impl Side {
    pub(super) fn text(&self) -> String {
        let name = if self.is_reference { "ref" } else { "id" };
        self.folds.iter().fold(name.to_owned(), |inner, fold| format!("{fold}({inner})"))
    }
}

impl Rule {
    pub(super) fn deletes(&self) -> bool {
        self.sets.is_empty()
    }

    pub(super) fn relations(&self) -> impl Iterator<Item = &Relation> {
        let parts = match &self.after {
            After::One(part) => std::slice::from_ref(part),
            After::Latest(parts) => parts,
            After::Earliest(_) => &[],
        };
        let starting = parts.iter().filter_map(|part| match part {
            Part::Related { relation, .. } => Some(relation),
            Part::Own { .. } => None,
        });
        let keeping = match &self.keep {
            Keep::Data { relation, .. } => relation.as_ref(),
            Keep::Fixed(_) => None,
        };
        starting.chain(keeping).chain(&self.unless).chain(&self.only_if)
    }
}

/// What rules are drawn from.
pub(super) struct Maker<'m> {
    pub(super) tables: &'m [Table],
    pub(super) keys: Keys,
    pub(super) periods: &'m [Period],
}

impl Maker<'_> {
    pub(super) fn rule(&self, draw: &mut Draw, table: usize) -> Rule {
        let sets = if draw.chance(35) { sets(draw) } else { Vec::new() };
        Rule {
            table,
            keep: self.keep(draw, table),
            after: self.after(draw, table),
            counted: draw.perhaps(35, |draw| draw.pick(&Counted::DRAWN)),
            when: draw.perhaps(40, |draw| Condition::draw(draw, 2)),
            unless: self.questions(draw, table, 35),
            only_if: self.questions(draw, table, 25),
            sets,
            newest: draw.perhaps(25, newest),
            enforce: !draw.chance(8),
        }
    }

    fn period(&self, draw: &mut Draw) -> Period {
        draw.pick(self.periods)
    }

    fn keep(&self, draw: &mut Draw, table: usize) -> Keep {
        if draw.chance(75) {
            return Keep::Fixed(self.period(draw));
        }
        let unit = draw.perhaps(50, |draw| draw.pick(&UNITS));
        let cap = draw.perhaps(40, period::cap);
        let relation = self.relation(draw, table).filter(|_| draw.chance(60));
        Keep::Data { relation, unit, cap }
    }

    fn after(&self, draw: &mut Draw, table: usize) -> After {
        let own = |draw: &mut Draw| draw.below(self.tables[table].times.len());
        match draw.below(10) {
            0..=5 => After::One(Part::Own { column: own(draw), optional: false }),
            6 => After::Earliest((0..1 + draw.below(3)).map(|_| own(draw)).collect()),
            7 => After::One(self.part(draw, table, 100)),
            _ => After::Latest((0..1 + draw.below(3)).map(|_| self.part(draw, table, 40)).collect()),
        }
    }

    fn part(&self, draw: &mut Draw, table: usize, related: usize) -> Part {
        let relation = if draw.chance(related) { self.relation(draw, table) } else { None };
        match relation {
            Some(relation) => {
                let column = draw.below(self.tables[relation.table].times.len());
                Part::Related { relation, column }
            }
            None => {
                let column = draw.below(self.tables[table].times.len());
                Part::Own { column, optional: related < 100 && draw.chance(40) }
            }
        }
    }

    fn questions(&self, draw: &mut Draw, table: usize, percent: usize) -> Vec<Relation> {
        let count = if draw.chance(percent) { 1 + draw.below(4) / 3 } else { 0 };
        (0..count).filter_map(|_| self.relation(draw, table)).collect()
    }

    /// To another table, where there is one.
    fn relation(&self, draw: &mut Draw, table: usize) -> Option<Relation> {
        let others: Vec<usize> = (0..self.tables.len()).filter(|other| *other != table).collect();
        if others.is_empty() {
            return None;
        }
        let side = |draw: &mut Draw| {
            let folds: &[&[&str]] =
                &[&[], &[], &["lower"], &["trim"], &["lower", "trim"], &["trim", "lower"]];
            let folds = if self.keys == Keys::Texts { draw.pick(folds) } else { &[] };
            Side { is_reference: draw.chance(50), folds }
        };
        let mut pairs = vec![(side(draw), side(draw))];
        if draw.chance(30) {
            let other = (side(draw), side(draw));
            let told = |(theirs, ours): &(Side, Side)| (theirs.text(), ours.text());
            pairs.extend((told(&other) != told(&pairs[0])).then_some(other));
        }
        let filter = draw.perhaps(60, |draw| Condition::draw(draw, 1));
        Some(Relation { table: draw.pick(&others), pairs, filter })
    }
}

fn newest(draw: &mut Draw) -> (usize, Vec<&'static str>) {
    let count = draw.pick(&[1, 1, 2, 3, 10]);
    (count, ["kind", "n", "ref"].into_iter().filter(|_| draw.chance(30)).collect())
}

fn sets(draw: &mut Draw) -> Vec<(usize, &'static str)> {
    let mut sets = Vec::new();
    for (column, (_, forms)) in personal::COLUMNS.iter().enumerate() {
        if draw.chance(30) {
            sets.push((column, draw.pick(forms)));
        }
    }
    if sets.is_empty() { vec![(0, "remove")] } else { sets }
}
