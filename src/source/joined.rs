//! The records that there are, by what joins them to their evidence: so long its notes stay.

use super::lookup::{Gathering, gather};
use super::{Problem, sqlite};
use crate::diagnostic::Code;
use crate::evaluate::Answers;
use crate::note::Asked;
use crate::policy::{Kind, Policy, Side};

/// Tells the key of every record that a question is about, as notes remember it.
pub(crate) fn each(policy: &Policy, asked: &Asked, told: &mut dyn FnMut(&[u8])) -> Result<(), Problem> {
    let missing =
        || Problem::new(Code::MissingSource, format!("the policy has no source `{}`", asked.source));
    let source = policy.source(&asked.source).ok_or_else(missing)?;
    let relation = &asked.question.relation;
    if let (None, Kind::Sqlite(path)) = (&relation.elsewhere, &source.kind) {
        return sqlite::joined::each(path, asked, told).map_err(|unusable| unusable.problem);
    }
    let sides: Vec<&Side> = relation.keys().collect();
    if sides.is_empty() {
        return Ok(());
    }
    let mut is_any = false;
    let mut of_key = |key: &[u8]| {
        is_any = true;
        told(key);
    };
    let mut gathering = Gathering::of_keys(&asked.table, sides, &mut of_key);
    gather(source, &mut gathering).map_err(|unusable| unusable.problem)?;
    if is_any {
        Answers::DOUBTS.iter().for_each(|doubt| told(doubt));
    }
    Ok(())
}
