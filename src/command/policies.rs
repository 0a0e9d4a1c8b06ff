//! Reading the policies that a command names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::{Places, Policies};
use crate::diagnostic::text;
use crate::plan::{Accepted, dataset_name};
use crate::policy::load::{Loaded, Options, load};
use crate::policy::{Policy, Rule};

use super::{Console, Failure};

/// Reads the policies; their problems are left to the caller.
pub(super) fn read(policies: &[PathBuf], places: &Places) -> Loaded {
    let variable = |name: &str| std::env::var(name).ok();
    let (root, state) = (places.root.as_deref(), places.state.as_deref());
    load(policies, &Options { root, state, variable: &variable })
}

/// Reads policies that must be valid; says what is wrong with them where they are not.
pub(super) fn valid(policies: &Policies, console: &mut Console<'_>) -> Result<Vec<Policy>, Failure> {
    let loaded = read(&policies.policies, &policies.places);
    if loaded.errors() == 0 {
        return Ok(loaded.policies);
    }
    let width = console.style.width.map_or(120, usize::from);
    let findings = text::render(&loaded.examined, console.style.color, width);
    // Where standard error is gone the exit code still tells.
    let _ = write!(console.err, "{findings}");
    let what = if loaded.unopened {
        "a policy cannot be opened; nothing was done"
    } else {
        "the policy is not valid; nothing was opened"
    };
    Err(Failure::usage(what))
}

/// The rules that were asked for, policy by policy; none where all are meant.
pub(super) fn chosen(
    policies: &[Policy],
    names: &[String],
) -> Result<Vec<Option<BTreeSet<String>>>, Failure> {
    if names.is_empty() {
        return Ok(vec![None; policies.len()]);
    }
    let mut chosen = vec![BTreeSet::new(); policies.len()];
    for name in names {
        let (place, rule) = rule_meant(policies, name)?.ok_or_else(|| unknown(policies, name, false))?;
        chosen[place].insert(rule);
    }
    Ok(chosen.into_iter().map(Some).collect())
}

/// The limits that were accepted, policy by policy: those of rules, and those of datasets. Where a
/// rule and a dataset have one name, both are meant.
pub(super) fn accepted(policies: &[Policy], names: &[String]) -> Result<Vec<Accepted>, Failure> {
    let mut accepted = vec![Accepted::default(); policies.len()];
    for name in names {
        let (rule, dataset) = (rule_meant(policies, name)?, meant(policies, name, &datasets)?);
        if rule.is_none() && dataset.is_none() {
            return Err(unknown(policies, name, true));
        }
        rule.into_iter().for_each(|(place, rule)| {
            accepted[place].rules.insert(rule);
        });
        dataset.into_iter().for_each(|(place, dataset)| {
            accepted[place].datasets.insert(dataset);
        });
    }
    Ok(accepted)
}

fn rule_meant(policies: &[Policy], name: &str) -> Result<Option<(usize, String)>, Failure> {
    meant(policies, name, &|policy| policy.rules.iter().map(|rule| rule.name.clone()).collect())
}

/// The datasets from which a policy's rules take, themselves or along with others.
fn datasets(policy: &Policy) -> Vec<String> {
    let along = policy.rules.iter().flat_map(|rule| {
        rule.with.relations().into_iter().map(|relation| dataset_name(&rule.source, &relation.table))
    });
    policy.rules.iter().map(Rule::data).chain(along).collect()
}

/// What NAME or POLICY/NAME means: the policy, by its place, and the name within it. One that could mean
/// something of several policies says too little.
fn meant(
    policies: &[Policy],
    name: &str,
    names_of: &dyn Fn(&Policy) -> Vec<String>,
) -> Result<Option<(usize, String)>, Failure> {
    let means = |policy: &Policy| {
        let own = name.strip_prefix(policy.name.as_str()).and_then(|rest| rest.strip_prefix('/'));
        names_of(policy).into_iter().find(|known| known == name || Some(known.as_str()) == own)
    };
    let found: Vec<(usize, String)> =
        policies.iter().enumerate().filter_map(|(place, policy)| Some((place, means(policy)?))).collect();
    match &found[..] {
        [_, _, ..] => {
            let whole: Vec<String> =
                found.iter().map(|(place, name)| format!("{}/{name}", policies[*place].name)).collect();
            Err(Failure::usage(format!("`{name}` is in several policies: write {}", whole.join(" or "))))
        }
        _ => Ok(found.into_iter().next()),
    }
}

fn unknown(policies: &[Policy], name: &str, can_be_dataset: bool) -> Failure {
    let mut known: Vec<String> =
        policies.iter().flat_map(|policy| &policy.rules).map(|rule| rule.name.clone()).collect();
    let what = if can_be_dataset { "rule or dataset" } else { "rule" };
    if can_be_dataset {
        known.extend(policies.iter().flat_map(datasets));
    }
    let near = crate::diagnostic::nearest(name, known.iter().map(String::as_str));
    let advice = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Failure::usage(format!("no policy has a {what} `{name}`{advice}"))
}

/// The files that policies were read from.
pub(super) fn files(policies: &[Policy]) -> Vec<&str> {
    policies.iter().map(|policy| policy.file.as_str()).collect()
}

/// One policy, for commands that are about one.
pub(super) fn one(policy: &Path, root: Option<&Path>, console: &mut Console<'_>) -> Result<Policy, Failure> {
    let places = Places { root: root.map(Path::to_path_buf), state: None };
    let policies = Policies { policies: vec![policy.to_path_buf()], places };
    let mut read = valid(&policies, console)?;
    match (read.pop(), read.len()) {
        (Some(policy), 0) => Ok(policy),
        _ => Err(Failure::usage("name one policy file")),
    }
}
