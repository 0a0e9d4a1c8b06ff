//! What went of evidence since it was last noted.

use std::collections::{HashMap, HashSet};

use crate::evaluate::{Answer, AnswerCell, Question};
use crate::policy::Policy;
use crate::value::Value;

/// What rows said that went, by question and by what joined them to their records.
#[derive(Debug, Default)]
pub(crate) struct Gone {
    asked: Vec<Asked>,
    /// What was found, in the order of the questions.
    found: Vec<HashMap<Box<[u8]>, Answer>>,
}

/// A question about evidence, and whose records it is about.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The question.
    pub(crate) question: Question,
    /// The source of the records.
    pub(crate) source: String,
    /// Their table; empty where the source has none.
    pub(crate) table: String,
}

impl Asked {
    /// All questions about evidence of a policy, each once.
    pub(crate) fn all(policy: &Policy) -> Vec<Asked> {
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for rule in &policy.rules {
            for question in Question::about_evidence(rule) {
                if known.insert(question.evidence.clone()) {
                    all.push(Asked { question, source: rule.source.clone(), table: rule.table.clone() });
                }
            }
        }
        all
    }

    /// The source of the evidence.
    pub(crate) fn evidence_source(&self) -> &str {
        self.question.relation.elsewhere.as_deref().unwrap_or(&self.source)
    }
}

impl Gone {
    /// Nothing gone yet of what some questions are about.
    pub(crate) fn of(asked: Vec<Asked>) -> Gone {
        let found = asked.iter().map(|_| HashMap::new()).collect();
        Gone { asked, found }
    }

    /// The questions.
    pub(crate) fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// Looks at a row that goes, by what joins it to a record and by the columns of the question.
    pub(crate) fn see<'v>(&mut self, place: usize, key: &[u8], row: impl Fn(usize) -> Value<'v>) {
        let (question, found) = (&self.asked[place].question, &mut self.found[place]);
        if let Some(known) = found.get_mut(key) {
            question.show(known, row);
            return;
        }
        let nothing = question.nothing();
        let mut seen = nothing.clone();
        question.show(&mut seen, row);
        if seen != nothing {
            found.insert(key.into(), seen);
        }
    }

    /// Takes what was seen elsewhere.
    pub(crate) fn absorb(&mut self, other: &mut Gone) {
        for ((asked, mine), theirs) in self.asked.iter().zip(&mut self.found).zip(&mut other.found) {
            for (key, answer) in theirs.drain() {
                match mine.get_mut(&key) {
                    Some(known) => asked.question.merge(known, answer),
                    None => drop(mine.insert(key, answer)),
                }
            }
        }
    }

    /// Forgets what was seen.
    pub(crate) fn clear(&mut self) {
        self.found.iter_mut().for_each(HashMap::clear);
    }

    /// Whether nothing was seen.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many answers are held.
    pub(crate) fn len(&self) -> usize {
        self.found.iter().map(HashMap::len).sum()
    }

    /// What was seen, question by question: how much, and each key with what was found under it.
    pub(super) fn by_question(
        &self,
    ) -> impl Iterator<Item = (&Question, usize, impl Iterator<Item = (&[u8], AnswerCell)>)> {
        let each = self.asked.iter().map(|asked| &asked.question).zip(&self.found);
        each.filter(|(_, found)| !found.is_empty()).map(|(question, found)| {
            (question, found.len(), found.iter().map(|(key, answer)| (&**key, answer.to_cell())))
        })
    }
}
