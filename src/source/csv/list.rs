//! Naming single records by their file and line.

use memchr::memchr_iter;

use super::Fault;
use super::chunks::{Chunk, Part};
use super::columns::{self, Opened};
use super::files::{self, CsvFile, cannot_read};
use super::newest;
use crate::evaluate::Verdict;
use crate::policy::CsvFiles;
use crate::source::Problem;
use crate::source::request::{Flow, Listed, TableQuery, Unusable};

/// Names the records of a source that one rule matches.
pub(crate) fn list(
    source: &CsvFiles,
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Unusable> {
    let there = files::find(source)?;
    newest::protect(source, &there.files, request);
    let listed = records(source, &there.files, request, rule, found);
    let problem = listed.err().or(there.problems.into_iter().next());
    problem.map_or(Ok(()), |problem| Err(Unusable::failed(problem)))
}

/// Names the records of some files, in their order. A file that cannot be read is told at the
/// end; the others are listed.
pub(super) fn records(
    source: &CsvFiles,
    files: &[CsvFile],
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<(), Problem> {
    let mut failed = None;
    for file in files {
        match one_file(source, file, request, rule, found) {
            Ok(Flow::On) => {}
            Ok(Flow::Stop) => break,
            Err(problem) => failed = failed.or(Some(problem)),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn one_file(
    source: &CsvFiles,
    file: &CsvFile,
    request: &TableQuery<'_>,
    rule: usize,
    found: &mut dyn FnMut(Listed) -> Flow,
) -> Result<Flow, Problem> {
    files::require_finished(&file.path)?;
    let opened = columns::open(files::content(&file.path)?, &file.path, source, request)?;
    let Opened { mut chunks, columns: Some(columns), header } = opened else { return Ok(Flow::On) };
    let mut line = 1 + lines(&header);
    let mut chunk = Chunk::default();
    while chunks.next(&mut chunk).map_err(|error| cannot_read(&file.path, &error))? {
        let key = |line: u64| format!("{}:{line}", file.name);
        if chunk.part == Some(Part::First) {
            let verdict = Verdict::malformed(Fault::TooLong.text());
            return Ok(found(Listed::new(key(line), verdict)));
        }
        for record in chunk.records() {
            let listed = match record.fault {
                _ if record.is_blank() => None,
                Some(fault) => Some(Listed::new(key(line), Verdict::malformed(fault.text()))),
                None => {
                    let row = columns.row(record);
                    let value = |column| row.value(column);
                    request.book.judge(rule, &value).map(|verdict| Listed {
                        shapes: request.book.shapes(rule, &verdict, &value),
                        ..Listed::new(key(line), verdict)
                    })
                }
            };
            if listed.map(&mut *found) == Some(Flow::Stop) {
                return Ok(Flow::Stop);
            }
            line += lines(record.bytes());
        }
    }
    Ok(Flow::On)
}

/// How many lines end in some bytes.
pub(super) fn lines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}
