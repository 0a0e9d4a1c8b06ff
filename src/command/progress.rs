//! How far a long rule is: a bar on a terminal, a log line now and then elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::diagnostic::printable;

const BETWEEN_LOG_LINES: Duration = Duration::from_secs(30);

/// Told after every batch.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    said: Mutex<Instant>,
}

impl Progress {
    pub(super) fn new(on_terminal: bool) -> Progress {
        let bar = on_terminal.then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}, {eta} left");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { bar, said: Mutex::new(Instant::now()) }
    }

    pub(super) fn tell(&self, rule: &str, done: u64, expected: u64) {
        match &self.bar {
            Some(bar) => {
                bar.set_length(expected.max(done));
                bar.set_message(printable(rule));
                bar.set_position(done);
            }
            None => self.log(rule, done, expected),
        }
    }
}

impl Progress {
    fn log(&self, rule: &str, done: u64, expected: u64) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= BETWEEN_LOG_LINES {
            *said = Instant::now();
            tracing::info!("{rule}: {done} of {expected} records done");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
