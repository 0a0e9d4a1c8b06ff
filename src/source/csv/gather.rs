//! One pass over CSV files whose records belong to records of another source.

use std::io::Read;

use super::Fault;
use super::chunks::{Chunk, Part};
use super::columns::{self, Columns, Opened};
use super::files::{self, CsvFile, cannot_read};
use super::list::lines;
use crate::diagnostic::Code;
use crate::policy::CsvFiles;
use crate::source::Problem;
use crate::source::lookup::Gathering;
use crate::source::request::Unusable;

/// How often the files are read that change meanwhile.
const ATTEMPTS: usize = 3;

/// Looks at every record of a source's files. One that is not a proper one could belong to any
/// record, and so ends the pass.
pub(crate) fn gather(source: &CsvFiles, gathering: &mut Gathering<'_>) -> Result<(), Unusable> {
    let found = files::find(source)?;
    if let Some(problem) = found.problems.into_iter().next() {
        return Err(Unusable::failed(problem));
    }
    for _ in 0..ATTEMPTS {
        gathering.restart();
        if pass(&found.files, source, gathering).map_err(Unusable::failed)? {
            return Ok(());
        }
    }
    let pattern = source.pattern.display();
    let message = format!("{pattern}: the files change faster than they can be read; run again");
    Err(Unusable::failed(Problem::new(Code::Changing, message)))
}

/// Looks at all files; false where one changed meanwhile, and what it said may hold no more.
fn pass(files: &[CsvFile], source: &CsvFiles, gathering: &mut Gathering<'_>) -> Result<bool, Problem> {
    for file in files {
        let mut is_first = true;
        let is_whole = files::read(file, |input| {
            let is_again = !std::mem::take(&mut is_first);
            if !is_again {
                one_file(input, file, source, gathering)?;
            }
            Ok(!is_again)
        })?;
        if !is_whole {
            return Ok(false);
        }
    }
    Ok(true)
}

fn one_file(
    input: Box<dyn Read + Send>,
    file: &CsvFile,
    source: &CsvFiles,
    gathering: &mut Gathering<'_>,
) -> Result<(), Problem> {
    let names = gathering.columns.clone();
    let Opened { mut chunks, columns, header } = columns::open_for(input, &file.path, source, &names)?;
    let Some(columns) = columns else { return Ok(()) };
    let (mut line, mut chunk) = (1 + lines(&header), Chunk::default());
    while chunks.next(&mut chunk).map_err(|error| cannot_read(&file.path, &error))? {
        if chunk.part == Some(Part::First) {
            return Err(improper(file, line, Fault::TooLong.text()));
        }
        line = one_chunk(&chunk, &columns, gathering, file, line)?;
    }
    Ok(())
}

/// Looks at the records of a chunk that begins on this line; the line behind it.
fn one_chunk(
    chunk: &Chunk,
    columns: &Columns,
    gathering: &mut Gathering<'_>,
    file: &CsvFile,
    mut line: u64,
) -> Result<u64, Problem> {
    for record in chunk.records() {
        if let Some(fault) = record.fault.filter(|_| !record.is_blank()) {
            return Err(improper(file, line, fault.text()));
        }
        if !record.is_blank() {
            if columns.has_bare_return(record) {
                return Err(improper(file, line, "it holds a bare carriage return"));
            }
            let row = columns.row(record);
            // No field is binary data, and so every key can be read.
            let _ = gathering.add(|column| row.value(column));
        }
        line += lines(record.bytes());
    }
    Ok(line)
}

fn improper(file: &CsvFile, line: u64, why: &str) -> Problem {
    let message = format!("{}:{line} is no proper record ({why}); correct the line", file.name);
    Problem::new(Code::Malformed, message)
}
