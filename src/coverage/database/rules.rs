//! Rules that name what the database does not have or cannot hold, columns that they leave as they
//! are, and rules that an index would help.

use super::reading::{About, Facts};
use crate::coverage::{Coverage, personal};
use crate::diagnostic::{Code, Finding};
use crate::source::sqlite::quoted;

pub(super) fn check(facts: &Facts<'_>, coverage: &mut Coverage) {
    for about in &facts.about {
        for (place, problem) in about.wrong.iter().chain(&about.unsettable).chain(&about.refused) {
            coverage.add_problem(about.named.at, problem, place.clone());
        }
        personal::check(&about.named, &about.request, &about.columns, coverage);
        about.unindexed.iter().for_each(|rule| coverage.add(about.named.at, unindexed(about, *rule)));
    }
}

fn unindexed(about: &About<'_>, rule: usize) -> Finding {
    let (book, table) = (&about.request.book, about.request.table);
    let column = book.necessary(rule).next().map_or("", |(column, _)| &book.columns()[column]);
    let rule = about.request.rules[rule];
    let message = format!(
        "no index begins with `{column}`: every purge reads all of {}, which has a million rows or more",
        rule.data()
    );
    let index = quoted(&format!("{table}_{column}"));
    let help = format!("run: CREATE INDEX {index} ON {} ({})", quoted(table), quoted(column));
    Finding::warning(Code::UnindexedEvent, message, rule.places.after.clone()).help(help)
}
