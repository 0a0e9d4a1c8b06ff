//! Counting the states of every record, in one pass over each file.

use std::fs;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};

use super::chunks::{Chunk, Part};
use super::columns::{self, Columns, Opened};
use super::files::{self, CsvFile, cannot_read};
use super::{list, newest, turns};
use crate::evaluate::{Evaluator, State, Tally};
use crate::policy::CsvFiles;
use crate::source::request::{RuleCounts, TableQuery, TableSurvey, Unread, Unusable};
use crate::source::unread::FirstUnread;
use crate::source::{Counted, Problem};

/// Surveys the files of a source. A file that cannot be read does not stop the others.
pub(crate) fn survey(source: &CsvFiles, requests: &[TableQuery<'_>]) -> Result<Vec<TableSurvey>, Unusable> {
    let found = files::find(source)?;
    Ok(requests.iter().map(|request| Ok(one_request(source, &found, request))).collect())
}

fn one_request(source: &CsvFiles, found: &files::Found, request: &TableQuery<'_>) -> Vec<RuleCounts> {
    newest::protect(source, &found.files, request);
    let mut counted = nothing(&request.book);
    let mut problems = vec![found.problems.clone(); request.book.len()];
    for file in &found.files {
        match files::read(file, |input| count(input, file, source, request)) {
            Ok(of_file) => {
                add_obstacle(source, file, &of_file, &mut problems);
                counted.merge(&of_file);
            }
            Err(problem) => problems.iter_mut().for_each(|of_rule| of_rule.push(problem.clone())),
        }
    }
    let total = counted.total.unwrap_or_default();
    let survey = |rule: &usize| {
        let (unreadable, looks) = first_unreadable(source, found, request, *rule, &counted.tallies[*rule]);
        RuleCounts {
            counted: counted.clone(),
            rule: *rule,
            total,
            unreadable,
            looks,
            problems: problems[*rule].clone(),
            warning: request.last_ones(*rule, &counted.tallies[*rule]),
            ..RuleCounts::default()
        }
    };
    request.wanted.iter().map(survey).collect()
}

/// Tells the rules under which something in a file is due that a purge could not rewrite it.
fn add_obstacle(source: &CsvFiles, file: &CsvFile, of_file: &Counted, problems: &mut [Vec<Problem>]) {
    let looked = fs::metadata(&file.path).map_err(|error| files::cannot_open(&file.path, &error));
    let obstacle =
        looked.and_then(|metadata| files::require_rewritable(&file.path, &metadata, source.rewrite));
    let Err(obstacle) = obstacle else { return };
    for (of_rule, tally) in problems.iter_mut().zip(&of_file.tallies) {
        of_rule.extend((tally.records(State::Due) > 0).then(|| obstacle.clone()));
    }
}

fn nothing(book: &Evaluator) -> Counted {
    Counted { total: Some(0), tallies: vec![Tally::default(); book.len()] }
}

fn count(
    input: Box<dyn Read + Send>,
    file: &CsvFile,
    source: &CsvFiles,
    request: &TableQuery<'_>,
) -> Result<Counted, Problem> {
    let Opened { mut chunks, columns, .. } = columns::open(input, &file.path, source, request)?;
    let Some(columns) = columns else { return Ok(nothing(&request.book)) };
    let all = Mutex::new(nothing(&request.book));
    let read = turns::each(&mut chunks, |chunk| {
        let mut counted = nothing(&request.book);
        count_chunk(chunk, &columns, &request.book, &mut counted);
        all.lock().unwrap_or_else(PoisonError::into_inner).merge(&counted);
        Ok(())
    });
    read.map_err(|error: io::Error| cannot_read(&file.path, &error))?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn count_chunk(chunk: &Chunk, columns: &Columns, book: &Evaluator, counted: &mut Counted) {
    let mut common = columns.common_tally();
    let mut records = u64::from(chunk.part == Some(Part::First));
    if records > 0 {
        Tally::count_malformed(&mut counted.tallies);
    }
    for record in chunk.records().filter(|record| !record.is_blank()) {
        records += 1;
        if record.fault.is_some() {
            Tally::count_malformed(&mut counted.tallies);
        } else {
            columns.count(record, book, &mut counted.tallies, &mut common);
        }
    }
    if let Some(common) = common {
        common.add_to(&mut counted.tallies[0]);
    }
    counted.total = counted.total.map(|total| total + records);
}

fn first_unreadable(
    source: &CsvFiles,
    found: &files::Found,
    request: &TableQuery<'_>,
    rule: usize,
    tally: &Tally,
) -> (Vec<Unread>, Option<String>) {
    let mut first = FirstUnread::of(request, rule, tally.records(State::Unreadable));
    if tally.records(State::Unreadable) > 0 {
        // What cannot be read now has been told already.
        let _ = list::records(source, &found.files, request, rule, &mut |listed| first.look(listed));
    }
    first.into_told()
}
