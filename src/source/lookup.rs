//! Related rows of other sources: one pass over these leaves an answer for each key, in memory.

use std::path::Path;
use std::sync::Arc;

use super::request::{TableQuery, Unusable};
use super::{Problem, csv, sqlite};
use crate::diagnostic::Code;
use crate::evaluate::{Answers, Evaluator, KeyUnreadable, Question};
use crate::note::Notes;
use crate::policy::{Kind, On, Side, Source};
use crate::value::Value;

/// One pass over rows that are found by a key: related rows, or records to which such belong.
pub(crate) struct Gathering<'q> {
    /// The table that is read.
    pub(crate) table: &'q str,
    /// The columns that it reads: those of the key, and then whatever else is asked for.
    pub(crate) columns: Vec<String>,
    /// How many are the key's.
    width: usize,
    for_what: For<'q>,
}

enum For<'q> {
    Answers(&'q Question, Answers),
    /// Whoever is told each key that can be read.
    Keys(Vec<&'q Side>, &'q mut dyn FnMut(&[u8])),
}

impl<'q> Gathering<'q> {
    fn new(question: &'q Question) -> Gathering<'q> {
        let on = question.relation.on.iter();
        let mut columns: Vec<String> = on.flat_map(On::theirs).map(|side| side.column.clone()).collect();
        let width = columns.len();
        columns.extend(question.columns().cloned());
        let for_what = For::Answers(question, Answers::default());
        Gathering { table: &question.relation.table, columns, width, for_what }
    }

    /// A pass over columns of keys.
    pub(super) fn of_keys(
        table: &'q str,
        sides: Vec<&'q Side>,
        told: &'q mut dyn FnMut(&[u8]),
    ) -> Gathering<'q> {
        let columns: Vec<String> = sides.iter().map(|side| side.column.clone()).collect();
        Gathering { table, width: columns.len(), columns, for_what: For::Keys(sides, told) }
    }

    /// Begins again: what was read has changed meanwhile.
    pub(crate) fn restart(&mut self) {
        if let For::Answers(_, answers) = &mut self.for_what {
            *answers = Answers::default();
        }
    }

    /// Looks at one row, by the values of the columns.
    pub(crate) fn add<'v>(&mut self, row: impl Fn(usize) -> Value<'v>) -> Result<(), KeyUnreadable> {
        let width = self.width;
        match &mut self.for_what {
            For::Answers(question, answers) => answers.add(question, &row, |column| row(column + width)),
            For::Keys(sides, told) => {
                // A key that cannot be read belongs to nothing that was noted.
                if let Ok(Some(key)) = Answers::key_of(sides.iter().copied(), row) {
                    told(&key);
                }
                Ok(())
            }
        }
    }

    /// The columns of the key, for people.
    pub(crate) fn key(&self) -> String {
        self.columns[..self.width].iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(" or ")
    }
}

/// The requests whose questions about other sources could be answered, and the places and problems
/// of the others.
pub(super) fn all_answered<'p>(requests: &[TableQuery<'p>]) -> (Vec<TableQuery<'p>>, Vec<(usize, Problem)>) {
    let (mut answered_ones, mut unanswered) = (Vec::new(), Vec::new());
    for (place, request) in requests.iter().enumerate() {
        match answered(request) {
            Ok(request) => answered_ones.push(request),
            Err(problem) => unanswered.push((place, problem)),
        }
    }
    (answered_ones, unanswered)
}

/// The same request with its notes, and all that its rules ask about other sources answered, as of now.
pub fn answered<'p>(request: &TableQuery<'p>) -> Result<TableQuery<'p>, Problem> {
    let notes = notes_for(request, &request.book)?;
    let book = answered_book(&request.book, &request.policy.sources, &notes)?;
    Ok(TableQuery { book, notes, ..request.clone() })
}

/// What was noted of evidence that a book asks about, of whatever table of the request's source.
pub(super) fn notes_for(request: &TableQuery<'_>, book: &Evaluator) -> Result<Notes, Problem> {
    let asks_about_evidence = book.questions().iter().any(|question| question.evidence.is_some());
    match request.notes.is_open() || !asks_about_evidence {
        true => Ok(request.notes.clone()),
        false => Notes::open(request.policy),
    }
}

/// The same book, with all that it asks about other sources answered, as of now.
pub(super) fn answered_book(
    book: &Arc<Evaluator>,
    sources: &[Source],
    notes: &Notes,
) -> Result<Arc<Evaluator>, Problem> {
    let questions = book.questions().iter().enumerate();
    let elsewhere: Vec<(usize, &Question)> =
        questions.filter(|(_, question)| question.relation.elsewhere.is_some()).collect();
    if elsewhere.is_empty() {
        return Ok(Arc::clone(book));
    }
    let mut answered = Evaluator::clone(book);
    for (number, question) in elsewhere {
        answered.answer(number, Arc::new(answers(sources, question, notes)?));
    }
    Ok(Arc::new(answered))
}

/// What one question finds in the source that it is about.
fn answers(sources: &[Source], question: &Question, notes: &Notes) -> Result<Answers, Problem> {
    let name = question.relation.elsewhere.as_deref().unwrap_or_default();
    let place = &question.relation.at;
    let missing =
        || Problem::new(Code::MissingSource, format!("the policy has no source `{name}`")).at(place);
    let source = sources.iter().find(|source| source.name == name).ok_or_else(missing)?;
    let mut gathering = Gathering::new(question);
    gather(source, &mut gathering).map_err(|unusable| unseen(question, &unusable.problem).at(place))?;
    let For::Answers(_, mut answers) = gathering.for_what else { return Ok(Answers::default()) };
    answers.add_notes(question, notes)?;
    Ok(answers)
}

/// Looks at all rows of a source.
pub(super) fn gather(source: &Source, gathering: &mut Gathering<'_>) -> Result<(), Unusable> {
    match &source.kind {
        Kind::Sqlite(path) => sqlite::gather::gather(path, gathering),
        Kind::Csv(files) => csv::gather::gather(files, gathering),
        Kind::Folder(folder) => Err(Unusable::failed(nobody_s_rows(&folder.path))),
    }
}

/// Policies cannot say that; should one all the same, nothing is deleted.
fn nobody_s_rows(folder: &Path) -> Problem {
    Problem::new(
        Code::BadValue,
        format!("{} is a folder, whose files are nobody's related rows", folder.display()),
    )
}

/// Without the related rows nobody knows what may go.
fn unseen(question: &Question, problem: &Problem) -> Problem {
    let message = format!(
        "the related rows of {} cannot be read, and so nothing is deleted: {}",
        question.relation.rows(),
        problem.message
    );
    Problem::new(problem.code, message)
}
