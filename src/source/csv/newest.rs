//! Finding the newest records of a source's files, which `keep-newest` keeps from every rule.

use std::fs;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chunks::Chunk;
use super::columns::{self, Opened};
use super::files::{self, CsvFile, Stamp, cannot_open, cannot_read};
use crate::evaluate::Search;
use crate::policy::CsvFiles;
use crate::source::Problem;
use crate::source::request::TableQuery;

/// The files in which the newest records were found, as they were then.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: Mutex<Option<Vec<(CsvFile, Stamp)>>>,
}

/// Tells the book of a request which records are the newest. Those of a file that cannot be read are
/// not among them: others are kept in their place.
pub(super) fn protect(source: &CsvFiles, found: &[CsvFile], request: &TableQuery<'_>) -> Watch {
    let watch = Watch::default();
    if request.book.must_find_newest() {
        watch.find(source, found, request);
    }
    watch
}

fn of_file(file: &CsvFile, source: &CsvFiles, request: &TableQuery<'_>) -> Result<Search<()>, Problem> {
    files::read(file, |input| one_pass(input, file, source, request))
}

fn one_pass(
    input: Box<dyn Read + Send>,
    file: &CsvFile,
    source: &CsvFiles,
    request: &TableQuery<'_>,
) -> Result<Search<()>, Problem> {
    let book = &request.book;
    let mut search = Search::of(book);
    let Opened { mut chunks, columns, .. } = columns::open(input, &file.path, source, request)?;
    let Some(columns) = columns else { return Ok(search) };
    let mut chunk = Chunk::default();
    while chunks.next(&mut chunk).map_err(|error| cannot_read(&file.path, &error))? {
        for record in chunk.records().filter(|record| !record.is_blank() && record.fault.is_none()) {
            let row = columns.row(record);
            search.show(book, &|column| row.value(column), || (), false);
        }
    }
    Ok(search)
}

fn stamp(file: &CsvFile) -> Result<Stamp, Problem> {
    let metadata = fs::metadata(&file.path).map_err(|error| cannot_open(&file.path, &error))?;
    Ok(Stamp::of(&metadata))
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Option<Vec<(CsvFile, Stamp)>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, source: &CsvFiles, found: &[CsvFile], request: &TableQuery<'_>) {
        let (mut all, mut seen) = (Search::of(&request.book), Vec::new());
        for file in found {
            // What changes from here on is seen by its stamp; what is wrong with a file is told where it
            // is judged.
            let Ok(before) = stamp(file) else { continue };
            if let Ok(search) = of_file(file, source, request) {
                all.absorb(search);
                seen.push((file.clone(), before));
            }
        }
        all.settle(&request.book);
        *self.seen() = Some(seen);
    }

    /// Whether all files are there as they were, but for what was appended to them: then as much is
    /// kept as has to be, or more.
    pub(super) fn stands(&self) -> bool {
        let seen = self.seen();
        let is_there = |(file, before): &(CsvFile, Stamp)| {
            stamp(file).is_ok_and(|now| now == *before || now.is_same_file(before) && now.size > before.size)
        };
        seen.iter().flatten().all(is_there)
    }

    /// Finds the newest anew where files have changed.
    pub(super) fn refresh(&self, source: &CsvFiles, request: &TableQuery<'_>) {
        if !self.stands() {
            let files: Vec<CsvFile> = self.seen().iter().flatten().map(|(file, _)| file.clone()).collect();
            self.find(source, &files, request);
        }
    }

    /// A file has its new content, in which the newest are as they were.
    pub(super) fn rewritten(&self, file: &CsvFile) {
        let mut seen = self.seen();
        let known = seen.iter_mut().flatten().find(|(known, _)| known == file);
        if let (Some((_, before)), Ok(now)) = (known, stamp(file)) {
            *before = now;
        }
    }
}
