//! Tables that no rule and no `ignore` covers, and an `ignore` of a table that is not there.
//!
//! A covered table is covered with all its columns: a deletion takes the whole row.

use super::Database;
use super::module::is_part_of;
use super::reading::{Facts, Relation};
use crate::coverage::{Coverage, Named};
use crate::diagnostic::{Code, Finding, nearest};
use crate::policy::Ignored;
use crate::report::{grouped, records};

pub(super) fn check(database: &Database<'_>, facts: &Facts<'_>, coverage: &mut Coverage) {
    let Some(first) = database.sources.first() else { return };
    let is_uncovered = |relation: &&Relation| {
        holds_data(relation, facts) && relation.rows != Some(0) && !database.is_covered(&relation.name)
    };
    let uncovered_ones = facts.relations.iter().filter(is_uncovered);
    let (virtual_ones, plain): (Vec<&Relation>, Vec<&Relation>) =
        uncovered_ones.partition(|relation| relation.kind == "virtual");
    match plain[..] {
        [] => {}
        [one] => coverage.add(first.at, uncovered(first, one)),
        _ => coverage.add(first.at, all_uncovered(first, &plain)),
    }
    virtual_ones.into_iter().for_each(|relation| coverage.add(first.at, uncovered(first, relation)));
    for named in &database.sources {
        let stale = named.source.ignore.iter().filter(|ignored| !is_there(facts, ignored));
        stale.for_each(|ignored| coverage.add(named.at, not_there(named, ignored, facts)));
    }
}

/// Whether it is a table of its own. What belongs to a virtual table goes with that, and full-text
/// tables are looked at together with what they index.
fn holds_data(relation: &Relation, facts: &Facts<'_>) -> bool {
    match (relation.kind.as_str(), &relation.module) {
        ("view", _) => false,
        ("virtual", Some(module)) => module.holds_data() && !module.is_full_text(),
        ("virtual", None) => true,
        _ => !is_shadow(relation, facts),
    }
}

fn is_shadow(relation: &Relation, facts: &Facts<'_>) -> bool {
    let modules = facts.relations.iter().filter_map(|other| Some((other, other.module.as_ref()?)));
    let is_part = modules.clone().any(|(other, module)| is_part_of(&relation.name, &other.name, module));
    // SQLite calls a table a shadow by its name alone, also where it is what an index is made of.
    let is_content =
        modules.into_iter().any(|(_, module)| super::full_text::is_content(module, &relation.name));
    is_part || (relation.kind == "shadow" && !is_content)
}

/// An uncovered table, at a source that names the database.
pub(super) fn uncovered(named: &Named<'_>, relation: &Relation) -> Finding {
    let (source, table) = (&named.source.name, &relation.name);
    let rows = match relation.rows {
        None => String::new(),
        Some(0) => " (empty now)".to_string(),
        Some(rows) => format!(" ({})", records(rows)),
    };
    let ignore = format!("ignore = [{{ table = {}, why = \"…\" }}]", toml_text(table));
    let (what, help) = match &relation.module {
        None if relation.kind != "virtual" => (
            format!("table `{table}`"),
            format!("write a rule with data = {}, or: {ignore}", toml_text(&format!("{source}.{table}"))),
        ),
        module => {
            let module = module.as_ref().map_or("unknown", |module| &module.name);
            let help = "no rule can be about a virtual table; let triggers on a table that a rule covers delete \
                        from it, and say so";
            (format!("virtual table `{table}` ({module})"), format!("{help}: {ignore}"))
        }
    };
    let message = format!("{what} of source `{source}`{rows} is covered by no rule and no `ignore`");
    Finding::warning(Code::UncoveredTable, message, named.source.span.clone()).help(help)
}

/// Many of them at once, with the line that ignores those that hold nothing to delete.
fn all_uncovered(named: &Named<'_>, relations: &[&Relation]) -> Finding {
    let told = |relation: &&Relation| match relation.rows {
        Some(rows) => format!("{} ({})", relation.name, grouped(rows)),
        None => relation.name.clone(),
    };
    let tables: Vec<String> = relations.iter().map(told).collect();
    let message = format!(
        "{} tables of source `{}` are covered by no rule and no `ignore`, with so many records: {}",
        relations.len(),
        named.source.name,
        tables.join(", ")
    );
    let ignored: Vec<String> = relations
        .iter()
        .map(|relation| format!("{{ table = {}, why = \"TODO\" }}", toml_text(&relation.name)))
        .collect();
    let help = format!(
        "write rules for those that hold personal data, and say of the others why they may stay: ignore = [{}]",
        ignored.join(", ")
    );
    Finding::warning(Code::UncoveredTable, message, named.source.span.clone()).help(help)
}

/// A text as it is written in a policy.
fn toml_text(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

fn is_there(facts: &Facts<'_>, ignored: &Ignored) -> bool {
    facts.relations.iter().any(|relation| ignored.matches(&relation.name))
}

fn not_there(named: &Named<'_>, ignored: &Ignored, facts: &Facts<'_>) -> Finding {
    let message = format!("source `{}` has no table `{}` to ignore", named.source.name, ignored.table);
    let known = facts.relations.iter().map(|relation| relation.name.as_str());
    let help = match nearest(&ignored.table, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "take it off `ignore`".to_string(),
    };
    Finding::warning(Code::StaleIgnore, message, ignored.span.clone()).help(help)
}
