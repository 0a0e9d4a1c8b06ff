//! Reasons to stop after the running batch.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::diagnostic::Code;

/// Why a run ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// SIGINT, SIGTERM or SIGHUP.
    Signal,
    /// `--max-runtime` is over.
    Runtime,
}

impl StopReason {
    /// The code in the ledger and in JSON.
    pub fn code(self) -> Code {
        match self {
            StopReason::Signal => Code::Signal,
            StopReason::Runtime => Code::MaxRuntime,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StopReason::Signal => "a signal stopped it",
            StopReason::Runtime => "the time that --max-runtime allows was over",
        })
    }
}

/// Asked between batches.
#[derive(Clone, Debug)]
pub struct Stop {
    signalled: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    /// A stop after some time, or when the flag is set.
    pub fn new(signalled: Arc<AtomicBool>, started: Instant, max_runtime: Option<Duration>) -> Stop {
        Stop { signalled, deadline: max_runtime.and_then(|runtime| started.checked_add(runtime)) }
    }

    /// The reason to stop now, if there is one.
    pub fn reason(&self) -> Option<StopReason> {
        if self.signalled.load(Ordering::Relaxed) {
            return Some(StopReason::Signal);
        }
        let over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        over.then_some(StopReason::Runtime)
    }
}
