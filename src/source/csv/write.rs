//! Deleting lines from CSV files, and anonymising them: each file is written anew beside itself,
//! and takes its place.

mod copy_back;
mod cut;
mod doubt;
mod early_sync;
mod evidence;
mod kept;
mod line;
mod reading;
mod replace;
mod replacement;
mod rewrite;
mod sift;
mod strays;
mod tail;
#[cfg(test)]
mod tests;
mod writers;

pub(crate) use doubt::{decide, mend};
pub(crate) use strays::clear as clear_strays;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::policy::CsvFiles;
use crate::run::job::{Deletion, Journal, RuleJob, WriteError};
use crate::source::Problem;
use crate::source::csv::columns::{self, Opened};
use crate::source::csv::files::{self, CsvFile};
use crate::source::csv::newest::{self, Watch};
use crate::source::csv::turns;
use rewrite::{Ended, Rewriting};

/// Carries out a job on the files of a source, one after the other. A file that cannot be
/// rewritten keeps its lines and does not stop the others.
pub(crate) fn carry_out(
    source: &CsvFiles,
    job: &RuleJob<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<(), WriteError> {
    let found = files::find(source).map_err(|unusable| WriteError::Problem(unusable.problem))?;
    done.problems.extend(found.problems);
    let newest = newest::protect(source, &found.files, job.request);
    let mut survivors = 0;
    for file in &found.files {
        done.stopped = done.stopped.or_else(|| job.stop.reason());
        if done.stopped.is_some() {
            break;
        }
        match one_file(source, (file, &newest), job, journal, done) {
            Ok(left) => survivors += left,
            Err(WriteError::Problem(problem)) => done.problems.push(problem),
            Err(other) => return Err(other),
        }
    }
    let is_whole = done.stopped.is_none() && done.problems.is_empty();
    done.survivors = Some(survivors).filter(|_| is_whole);
    // Nothing else puts lines into a file.
    done.survived_for.push("another program wrote to the files meanwhile".to_string());
    Ok(())
}

/// Rewrites a file where something in it is due; how many due lines it still holds.
fn one_file(
    source: &CsvFiles,
    (file, newest): (&CsvFile, &Watch),
    job: &RuleJob<'_>,
    journal: &mut dyn Journal,
    done: &mut Deletion,
) -> Result<u64, WriteError> {
    let most = job.amount.most.saturating_sub(done.deleted);
    let (before, number) = (done.deleted, done.batches + 1);
    let rewriting = Rewriting { source, file, job, newest, most, before, number };
    match rewriting.run(journal)? {
        Ended::NothingDue => Ok(0),
        Ended::Stopped(reason) => {
            done.stopped = Some(reason);
            Ok(0)
        }
        Ended::Rewritten { sifted, behind, old } => {
            newest.rewritten(file);
            done.deleted += sifted.deleted;
            done.batches += u64::from(sifted.deleted > 0);
            done.is_capped |= sifted.is_capped;
            (job.told)(done.deleted);
            behind.map_or(Ok(()), |problem| Err(WriteError::Problem(problem)))?;
            let left = thread::scope(|scope| {
                scope.spawn(move || drop(old));
                still_due(source, file, job)
            });
            left.map_err(WriteError::Problem)
        }
    }
}

/// Asks the rule once more about what the file holds now.
fn still_due(source: &CsvFiles, file: &CsvFile, job: &RuleJob<'_>) -> Result<u64, Problem> {
    files::read(file, |input| {
        let Opened { mut chunks, columns, .. } = columns::open(input, &file.path, source, job.request)?;
        let Some(columns) = columns else { return Ok(0) };
        let (book, rule, due) = (&job.request.book, job.rule, AtomicU64::new(0));
        let read = turns::each(&mut chunks, |chunk| {
            let of_chunk = chunk.records().filter(|record| columns.is_due(*record, book, rule)).count();
            due.fetch_add(of_chunk as u64, Ordering::Relaxed);
            Ok(())
        });
        read.map_err(|error: io::Error| files::cannot_read(&file.path, &error))?;
        Ok(due.into_inner())
    })
}
