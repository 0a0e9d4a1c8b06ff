//! Related rows of other sources: one pass over these leaves an answer for each key, in memory.

use std::path::Path;
use std::sync::Arc;

use super::request::{Request, Unusable};
use super::{Problem, csv, sqlite};
use crate::policy::{Kind, Source};
use crate::value::Value;
use crate::verdict::{Answers, KeyUnreadable, Question, RuleBook};

/// One pass over related rows.
pub(crate) struct Gathering<'q> {
    question: &'q Question,
    /// The columns that it reads: the key, and then those of the question.
    pub(crate) columns: Vec<String>,
    answers: Answers,
}

impl<'q> Gathering<'q> {
    fn new(question: &'q Question) -> Gathering<'q> {
        let key = question.relation.on.iter().map(|on| &on.theirs.column);
        let columns = key.chain(question.columns()).cloned().collect();
        Gathering { question, columns, answers: Answers::default() }
    }

    /// Begins again: what was read has changed meanwhile.
    pub(crate) fn restart(&mut self) {
        self.answers = Answers::default();
    }

    /// Looks at one row, by the values of the columns.
    pub(crate) fn add<'v>(&mut self, row: impl Fn(usize) -> Value<'v>) -> Result<(), KeyUnreadable> {
        self.answers.add(self.question, row(0), |column| row(column + 1))
    }

    /// The related rows as the policy names them.
    pub(crate) fn rows(&self) -> String {
        self.question.relation.rows()
    }

    /// The table that is read.
    pub(crate) fn table(&self) -> &str {
        &self.question.relation.table
    }

    /// The column of the key.
    pub(crate) fn key(&self) -> &str {
        self.columns.first().map_or("", String::as_str)
    }
}

/// The requests whose questions about other sources could be answered, and the places and problems
/// of the others.
pub(super) fn all_answered<'p>(requests: &[Request<'p>]) -> (Vec<Request<'p>>, Vec<(usize, Problem)>) {
    let (mut answered_ones, mut unanswered) = (Vec::new(), Vec::new());
    for (place, request) in requests.iter().enumerate() {
        match answered(request) {
            Ok(request) => answered_ones.push(request),
            Err(problem) => unanswered.push((place, problem)),
        }
    }
    (answered_ones, unanswered)
}

/// The same request with all that its rules ask about other sources answered, as of now.
pub fn answered<'p>(request: &Request<'p>) -> Result<Request<'p>, Problem> {
    let book = answered_book(&request.book, &request.policy.sources)?;
    Ok(Request { book, ..request.clone() })
}

/// The same book, with all that it asks about other sources answered, as of now.
pub(super) fn answered_book(book: &Arc<RuleBook>, sources: &[Source]) -> Result<Arc<RuleBook>, Problem> {
    let questions = book.questions().iter().enumerate();
    let elsewhere: Vec<(usize, &Question)> =
        questions.filter(|(_, question)| question.relation.elsewhere.is_some()).collect();
    if elsewhere.is_empty() {
        return Ok(Arc::clone(book));
    }
    let mut answered = RuleBook::clone(book);
    for (number, question) in elsewhere {
        answered.answer(number, Arc::new(answers(sources, question)?));
    }
    Ok(Arc::new(answered))
}

/// What one question finds in the source that it is about.
fn answers(sources: &[Source], question: &Question) -> Result<Answers, Problem> {
    let name = question.relation.elsewhere.as_deref().unwrap_or_default();
    let place = &question.relation.at;
    let missing = || Problem::new("missing-source", format!("the policy has no source `{name}`")).at(place);
    let source = sources.iter().find(|source| source.name == name).ok_or_else(missing)?;
    let mut gathering = Gathering::new(question);
    let gathered = match &source.kind {
        Kind::Sqlite(path) => sqlite::gather::gather(path, &mut gathering),
        Kind::Csv(files) => csv::gather::gather(files, &mut gathering),
        Kind::Folder(folder) => Err(Unusable::failed(nobody_s_rows(&folder.path))),
    };
    match gathered {
        Ok(()) => Ok(gathering.answers),
        Err(unusable) => Err(unseen(&gathering, &unusable.problem).at(place)),
    }
}

/// Policies cannot say that; should one all the same, nothing is deleted.
fn nobody_s_rows(folder: &Path) -> Problem {
    Problem::new(
        "bad-value",
        format!("{} is a folder, whose files are nobody's related rows", folder.display()),
    )
}

/// Without the related rows nobody knows what may go.
fn unseen(gathering: &Gathering<'_>, problem: &Problem) -> Problem {
    let message = format!(
        "the related rows of {} cannot be read, and so nothing is deleted: {}",
        gathering.rows(),
        problem.message
    );
    Problem::new(problem.code, message)
}
