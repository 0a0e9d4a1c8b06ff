//! The policy of the run that is going on, kept until it ends: a later run that finds this one
//! killed must ask exactly the same question.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ledger::{LedgerError, RunLock};
use crate::policy::{self, LoadContext, Policy};
use crate::source::sqlite::open::real;

#[derive(Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) run: String,
    file: String,
    base: PathBuf,
    text: String,
    sources: BTreeMap<String, PathBuf>,
}

impl Running {
    pub(crate) fn of(run: &str, policy: &Policy) -> Running {
        Running {
            run: run.to_string(),
            file: policy.file.clone(),
            base: std::path::absolute(&policy.base).unwrap_or_else(|_| policy.base.clone()),
            text: policy.text.clone(),
            sources: sources_of(policy),
        }
    }

    pub(crate) fn write(&self, lock: &RunLock) -> Result<(), LedgerError> {
        let content = serde_json::to_vec(self).map_err(LedgerError::Encoding)?;
        lock.folder().replace(&path(lock), &content)
    }

    /// What a killed run left; nothing where the file is missing or half-written.
    pub(crate) fn read(lock: &RunLock) -> Result<Option<Running>, LedgerError> {
        let Some(mut file) = lock.folder().open_if_there(&path(lock), OpenOptions::new().read(true))? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        let told = |source| LedgerError::Io { action: "read", path: path(lock), source };
        file.read_to_end(&mut content).map_err(told)?;
        Ok(serde_json::from_slice(&content).ok())
    }

    pub(crate) fn clear(lock: &RunLock) -> Result<(), LedgerError> {
        lock.folder().erase(&path(lock))
    }

    /// The policy as that run had it; none where its paths lead elsewhere today.
    pub(crate) fn policy(&self) -> Option<Policy> {
        let variable = |name: &str| std::env::var(name).ok();
        let surroundings = LoadContext {
            file: &self.file,
            base: &self.base,
            default_state: Path::new(".frist"),
            variable: &variable,
        };
        policy::parse(&self.text, &surroundings).0.filter(|policy| sources_of(policy) == self.sources)
    }
}

fn sources_of(policy: &Policy) -> BTreeMap<String, PathBuf> {
    policy.sources.iter().map(|source| (source.name.clone(), real(source.kind.path()))).collect()
}

fn path(lock: &RunLock) -> PathBuf {
    lock.folder().path().join("running.json")
}
