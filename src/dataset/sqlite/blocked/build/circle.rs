//! The circle of tables in which a table stands: those whose rows name each other, and that rules delete.

use std::sync::Arc;

use super::along::alone;
use super::{Build, engine};
use crate::dataset::sqlite::blocked::along::Along;
use crate::dataset::sqlite::blocked::circle::{Circle, Inner, Member, Stuck, acting};
use crate::dataset::sqlite::blocked::tie::Tie;
use crate::dataset::sqlite::blocked::{Blockers, Blocking};
use crate::dataset::sqlite::foreign_key::Reference;
use crate::dataset::sqlite::schema::{Table, describe};
use crate::dataset::{Problem, elsewhere};
use crate::policy::Rule;
use crate::verdict::RuleBook;

impl Build<'_> {
    /// The circle of a table, for records with which this goes along.
    pub(super) fn circle_beside(
        &mut self,
        along: &Along,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
    ) -> Result<Option<Circle>, Problem> {
        if along.is_empty() {
            return self.circle(table, rules, book);
        }
        let names_itself = !self.web.circle(&table.name, &|name| name == table.name).is_empty();
        if names_itself && table.has_row_numbers() { alone(table) } else { Ok(None) }
    }

    /// The circle of a table; none where it stands in none, or no rule deletes its rows.
    pub(super) fn circle(
        &mut self,
        table: &Table,
        rules: &[&Rule],
        book: &Arc<RuleBook>,
    ) -> Result<Option<Circle>, Problem> {
        if !self.web.is_in_circle(&table.name) {
            return Ok(None);
        }
        let mut out: Vec<String> = Vec::new();
        loop {
            let is_member = |name: &str| self.can_be_member(name) && !out.iter().any(|known| known == name);
            let names = self.web.circle(&table.name, &is_member);
            if names.is_empty() {
                return Ok(None);
            }
            let mut members = vec![self.judged(table.clone(), rules, Arc::clone(book))];
            let mut failed = None;
            for name in names.iter().filter(|name| **name != table.name) {
                match self.member(table, name)? {
                    Some(member) => members.push(member),
                    None => failed = Some(name.clone()),
                }
            }
            // A table that cannot be judged is one whose rows stay.
            match failed {
                Some(name) => out.push(name),
                None => return Ok(Some(self.joined(members)?)),
            }
        }
    }

    /// Whether rules delete rows of a table, and these can be named by their numbers.
    fn can_be_member(&self, name: &str) -> bool {
        let rules: Vec<&Rule> = self.request.policy.rules_on(self.request.source(), name).collect();
        let acts = !acting(&rules, |rule| self.acting.contains(rule)).is_empty();
        acts && describe(self.connection, name, "").is_ok_and(|table| table.has_row_numbers())
    }

    fn member(&mut self, beside: &Table, name: &str) -> Result<Option<Member>, Problem> {
        let request = self.request;
        self.take_up(beside)?;
        let rules: Vec<&Rule> = request.policy.rules_on(request.source(), name).collect();
        let book = Arc::new(RuleBook::new(rules.iter().copied(), request.now));
        let Ok(book) = elsewhere::answered_book(&book, &request.policy.sources, &request.notes) else {
            return Ok(None);
        };
        let Some(table) = self.described(beside, name, "circle", &book) else { return Ok(None) };
        Ok(Some(self.judged(table, &rules, book)))
    }

    fn judged(&self, table: Table, rules: &[&Rule], book: Arc<RuleBook>) -> Member {
        let acting = acting(rules, |rule| self.acting.contains(rule));
        let rules = rules.iter().map(|rule| rule.name.clone()).collect();
        Member { table, rules, book, acting, outer: Vec::new() }
    }

    /// Members with the keys between them, and those that name their rows from outside.
    fn joined(&self, mut members: Vec<Member>) -> Result<Circle, Problem> {
        let (mut keys, mut are_emptied) = (Vec::new(), false);
        for parent in 0..members.len() {
            let references = self.references_of(&members[parent])?;
            are_emptied |= references.iter().any(|reference| !reference.keeps);
            for reference in references.into_iter().filter(|reference| reference.keeps) {
                match members.iter().position(|member| member.table.name == reference.child) {
                    Some(child) => keys.push(Inner { reference, child, parent }),
                    None => members[parent].outer.push(reference),
                }
            }
        }
        let any = "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: i64 = self.connection.query_row(any, [], |row| row.get(0)).map_err(engine)?;
        Ok(Circle { members, keys, has_triggers: triggers > 0, empties_keys: are_emptied })
    }

    /// The keys that name rows of a member, without what lets go of them where one rule deletes them.
    fn references_of(&self, member: &Member) -> Result<Vec<Reference>, Problem> {
        let rules: Vec<&Rule> =
            self.request.policy.rules_on(self.request.source(), &member.table.name).collect();
        self.references_to(&member.table, &rules, &member.acting)
    }

    /// The rows of a circle that stay, where these ties keep those of its first table from outside.
    pub(super) fn stuck(&mut self, mut circle: Circle, ties: &[Tie]) -> Result<Stuck, Problem> {
        let above = self.above.len();
        self.above.extend(circle.members.iter().map(|member| member.table.name.clone()));
        for (place, member) in circle.members.iter_mut().enumerate() {
            let outer = std::mem::take(&mut member.outer);
            let ties = if place == 0 { ties.to_vec() } else { self.ties(&member.table, outer)? };
            let may_be_due = member.may_be_due();
            let blocking = Blocking { ties, stuck: None, along: Along::default(), may_be_due };
            let each = if blocking.is_empty() { Vec::new() } else { vec![blocking] };
            member.table.blockers = Blockers { each };
            member.book = member.table.blockers.book(&member.book);
        }
        self.above.truncate(above);
        Stuck::read(self.connection, &circle, ties.len()).map_err(engine)
    }
}
