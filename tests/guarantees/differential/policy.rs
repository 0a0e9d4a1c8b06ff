//! The policy of a model, as TOML, for one place of each table.

use std::fmt::Write;

use super::layout::{Home, Layout};
use super::model::Model;
use super::personal::COLUMNS;
use super::rule::{After, Keep, Part, Relation, Rule, Side};

pub(super) fn text(model: &Model, layout: &Layout) -> String {
    let (zone, (month, day)) = (model.calendar.zone, model.calendar.financial_end);
    let mut text = format!(
        "version = 1\n[policy]\nname = \"test\"\ntimezone = \"{zone}\"\nfinancial-year-ends = \"{month:02}-{day:02}\"\n"
    );
    let ends: Vec<String> = model.calendar.irregular_ends.iter().map(ToString::to_string).collect();
    if !ends.is_empty() {
        writeln!(text, "irregular-year-ends = {ends:?}").unwrap();
    }
    text += "limit = { share = \"100%\" }\n";
    text += &sources(model, layout);
    for (place, rule) in model.rules.iter().enumerate() {
        text += &rule_text(place, rule, layout);
    }
    text
}

fn sources(model: &Model, layout: &Layout) -> String {
    let (mut text, mut written) = (String::new(), Vec::new());
    let shared = format!("times-in = \"{}\"\nempty = {:?}\n", model.times_in, model.empty);
    for (table, home) in layout.homes.iter().enumerate() {
        let formats = formats(model, table);
        match home {
            Home::Csv(style) => {
                let delimiter =
                    if style.delimiter == '\t' { "\\t".to_owned() } else { style.delimiter.to_string() };
                write!(
                    text,
                    "[source.c{table}]\ncsv = \"c{table}-*.csv\"\ndelimiter = \"{delimiter}\"\n{shared}{formats}"
                )
                .unwrap();
            }
            Home::Database(number) => {
                if !written.contains(number) {
                    written.push(*number);
                    write!(text, "[source.db{number}]\nsqlite = \"db{number}.db\"\n{shared}").unwrap();
                }
                write!(text, "[source.db{number}.table.t{table}]\n{formats}").unwrap();
            }
        }
    }
    text
}

fn formats(model: &Model, table: usize) -> String {
    let table = &model.tables[table];
    let times = table.times.iter().enumerate();
    let times = times.map(|(column, (format, _))| (format!("t{column}"), format.word()));
    let all = times.chain([("born".to_owned(), table.born.word())]);
    let written: Vec<String> =
        all.filter_map(|(column, word)| Some(format!("{column} = \"{}\"", word?))).collect();
    format!("formats = {{ {} }}\n", written.join(", "))
}

fn rule_text(place: usize, rule: &Rule, layout: &Layout) -> String {
    let related = |relation: &Relation| related(relation, rule.table, layout);
    let mut text = format!("[[rule]]\nname = \"r{place}\"\ndata = \"{}\"\n", layout.data(rule.table));
    writeln!(text, "keep = {}\nafter = {}", keep(rule, &related), after(rule, &related)).unwrap();
    if let Some(when) = &rule.when {
        writeln!(text, "when = \"{}\"", when.text()).unwrap();
    }
    for (word, relations) in [("unless", &rule.unless), ("only-if", &rule.only_if)] {
        let tables: Vec<String> =
            relations.iter().map(|relation| format!("{{ {} }}", related(relation))).collect();
        if !tables.is_empty() {
            writeln!(text, "{word} = [{}]", tables.join(", ")).unwrap();
        }
    }
    if let Some((count, per)) = &rule.newest {
        writeln!(text, "keep-newest = {count}").unwrap();
        match per.as_slice() {
            [] => {}
            [one] => writeln!(text, "per = {one:?}").unwrap(),
            several => writeln!(text, "per = {several:?}").unwrap(),
        }
    }
    if !rule.deletes() {
        let sets = rule.sets.iter().map(|(column, form)| format!("{} = \"{form}\"", COLUMNS[*column].0));
        writeln!(text, "then = \"anonymise\"\nset = {{ {} }}", sets.collect::<Vec<_>>().join(", ")).unwrap();
    }
    if !rule.enforce {
        text += "enforce = false\n";
    }
    text
}

/// The keys of a relation: `table`, `on` and `where`.
fn related(relation: &Relation, from: usize, layout: &Layout) -> String {
    let condition = relation.filter.as_ref().map(|filter| format!(", where = \"{}\"", filter.text()));
    let pair = |(theirs, ours): &(Side, Side)| format!("\"{} = {}\"", theirs.text(), ours.text());
    let pairs: Vec<String> = relation.pairs.iter().map(pair).collect();
    let on = if pairs.len() == 1 { pairs[0].clone() } else { format!("[{}]", pairs.join(", ")) };
    let table = layout.seen_from(from, relation.table);
    format!("table = \"{table}\", on = {on}{}", condition.unwrap_or_default())
}

fn keep(rule: &Rule, related: &dyn Fn(&Relation) -> String) -> String {
    let (relation, unit, cap) = match &rule.keep {
        Keep::Fixed(period) => return format!("\"{}\"", period.text),
        Keep::Data { relation, unit, cap } => (relation, unit, cap),
    };
    let relation = relation.as_ref().map(|relation| format!("{}, ", related(relation)));
    let unit = unit.map(|unit| format!(", unit = \"{unit}\""));
    let cap = cap.as_ref().map(|cap| format!(", at-most = \"{}\"", cap.text));
    format!(
        "{{ {}column = \"p\"{}{} }}",
        relation.unwrap_or_default(),
        unit.unwrap_or_default(),
        cap.unwrap_or_default()
    )
}

fn after(rule: &Rule, related: &dyn Fn(&Relation) -> String) -> String {
    let listed = |parts: &[Part]| {
        let parts: Vec<String> = parts.iter().map(|part| part_text(part, related)).collect();
        parts.join(", ")
    };
    let keys = match &rule.after {
        After::One(Part::Own { column, .. }) => format!("column = \"t{column}\""),
        After::One(Part::Related { relation, column }) => {
            format!("{}, column = \"t{column}\"", related(relation))
        }
        After::Latest(parts) => format!("latest = [{}]", listed(parts)),
        After::Earliest(columns) => {
            let columns: Vec<String> = columns.iter().map(|column| format!("t{column}")).collect();
            format!("earliest = {columns:?}")
        }
    };
    let counted = rule.counted.map(|counted| format!(", counted-from = \"{}\"", counted.word()));
    format!("{{ {keys}{} }}", counted.unwrap_or_default())
}

fn part_text(part: &Part, related: &dyn Fn(&Relation) -> String) -> String {
    match part {
        Part::Own { column, optional: true } => format!("{{ column = \"t{column}\", optional = true }}"),
        Part::Own { column, .. } => format!("\"t{column}\""),
        Part::Related { relation, column } => format!("{{ {}, column = \"t{column}\" }}", related(relation)),
    }
}
