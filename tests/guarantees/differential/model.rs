//! One random case: a policy, tables and a time, before any of it is written.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;

use super::calendar::Calendar;
use super::data::{Keys, Table};
use super::draw::Draw;
use super::moment::{self, Focus, ZONES};
use super::period::{self, Period};
use super::rule::{Maker, Rule};
use super::time::Clock;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) now: DateTime<Utc>,
    pub(super) calendar: Calendar,
    pub(super) times_in: Tz,
    pub(super) empty: Vec<String>,
    pub(super) tables: Vec<Table>,
    pub(super) rules: Vec<Rule>,
}

impl Model {
    pub(super) fn draw(draw: &mut Draw) -> Model {
        let mut calendar = Calendar::new(draw.pick(&ZONES), financial_end(draw), Vec::new());
        let now = moment::now(draw, &calendar);
        calendar.irregular_ends = irregular_ends(draw, now.date_naive());
        let times_in = draw.pick(&ZONES);
        let empty = ["9999-12-31", "n/a", "0"].into_iter().filter(|_| draw.chance(40));
        let empty: Vec<String> = empty.map(str::to_owned).collect();
        let keys = draw.pick(&[Keys::Numbers, Keys::Texts]);
        let periods: Vec<Period> = (0..2 + draw.below(3)).map(|_| period::any(draw)).collect();
        let mut tables: Vec<Table> = (0..draw.pick(&[1, 2, 2, 3])).map(|_| Table::draw(draw, keys)).collect();
        let rules = rules(draw, &Maker { tables: &tables, keys, periods: &periods });
        let lengths = periods.iter().map(|period| period.length).collect();
        let clock = Clock { focus: Focus { now, calendar: &calendar, lengths }, times_in, empty: &empty };
        for (place, table) in tables.iter_mut().enumerate() {
            let count = if place == 0 { 10 + draw.below(16) } else { draw.below(18) };
            let rows = (0..count).map(|_| table.row(draw, keys, &clock, &periods));
            table.rows = rows.collect();
        }
        Model { now, calendar, times_in, empty, tables, rules }
    }
}

fn financial_end(draw: &mut Draw) -> (u32, u32) {
    draw.pick(&[(12, 31), (6, 30), (2, 29), (2, 28), (3, 31), (4, 5)])
}

/// Of some years before now, and a last one about then.
fn irregular_ends(draw: &mut Draw, today: NaiveDate) -> Vec<NaiveDate> {
    let mut end = today - Days::new(400 + draw.below(1500) as u64);
    let count = if draw.chance(50) { 1 + draw.below(4) } else { 0 };
    let ends = (0..count).map(|_| {
        let this = end;
        end = end + Days::new(100 + draw.below(400) as u64);
        this
    });
    ends.collect()
}

/// Mostly on the first table. Those on others are carried out where no rule reads what they delete.
fn rules(draw: &mut Draw, maker: &Maker<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = (0..1 + draw.below(4)).map(|_| maker.rule(draw, 0)).collect();
    for table in 1..maker.tables.len() {
        if draw.chance(40) {
            let place = draw.below(rules.len() + 1);
            rules.insert(place, maker.rule(draw, table));
        }
    }
    let read: Vec<usize> =
        rules.iter().flat_map(|rule| rule.relations().map(|relation| relation.table)).collect();
    for rule in &mut rules {
        let is_alone = !read.contains(&rule.table) && rule.relations().next().is_none();
        rule.enforce &= rule.table == 0 || is_alone;
        if !rule.enforce {
            // Such a rule is reported as if it were enforced, and then rows that go in the run spare nobody.
            rule.unless.clear();
        }
    }
    rules
}
