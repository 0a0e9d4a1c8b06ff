//! Reading the policies that a command names.

use std::path::Path;

use crate::cli::Policies;
use crate::diagnostic::text;
use crate::policy::load::{Loaded, Options, load};
use crate::policy::{Policy, Rule};

use super::{Console, Failure};

/// Reads the policies; their problems are left to the caller.
pub(super) fn read(policies: &Policies) -> Loaded {
    let variable = |name: &str| std::env::var(name).ok();
    let (root, state) = (policies.root.as_deref(), policies.state.as_deref());
    load(&policies.policies, &Options { root, state, variable: &variable })
}

/// Reads policies that must be valid; says what is wrong with them where they are not.
pub(super) fn valid(policies: &Policies, console: &mut Console<'_>) -> Result<Vec<Policy>, Failure> {
    let loaded = read(policies);
    if loaded.errors() == 0 {
        return Ok(loaded.policies);
    }
    let width = console.style.width.map_or(120, usize::from);
    let findings = text::render(&loaded.examined, console.style.color, width);
    // Where standard error is gone the exit code still tells.
    let _ = write!(console.err, "{findings}");
    Err(Failure::usage("the policy is not valid; nothing was opened"))
}

/// Checks that every rule that was asked for exists somewhere.
pub(super) fn require_rules(policies: &[Policy], names: &[String]) -> Result<(), Failure> {
    let known: Vec<&Rule> = policies.iter().flat_map(|policy| &policy.rules).collect();
    for name in names {
        if !known.iter().any(|rule| rule.name == *name) {
            let near = crate::diagnostic::nearest(name, known.iter().map(|rule| rule.name.as_str()));
            let advice = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            return Err(Failure::usage(format!("no policy has a rule `{name}`{advice}")));
        }
    }
    Ok(())
}

/// One policy, for commands that are about one.
pub(super) fn one(policy: &Path, root: Option<&Path>, console: &mut Console<'_>) -> Result<Policy, Failure> {
    let policies =
        Policies { policies: vec![policy.to_path_buf()], root: root.map(Path::to_path_buf), state: None };
    let mut read = valid(&policies, console)?;
    match (read.pop(), read.len()) {
        (Some(policy), 0) => Ok(policy),
        _ => Err(Failure::usage("name one policy file")),
    }
}
