//! Consent: somebody typed `yes`, or wrote `--yes` into the crontab.

use std::io::{BufRead, Write};

use thiserror::Error;

/// Proof of consent. There is no other way to a [`Run`](super::Run).
#[derive(Debug)]
pub struct Confirmed(());

/// Why there is no consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unconfirmed {
    /// Nobody can be asked.
    #[error("nobody can be asked here; look at `frist report` and then run again with --yes")]
    NobodyToAsk,
    /// The answer was not yes.
    #[error("not confirmed; nothing was changed")]
    Declined,
}

impl Confirmed {
    /// Consent given on the command line.
    pub fn by_flag(yes: bool) -> Result<Confirmed, Unconfirmed> {
        if yes { Ok(Confirmed(())) } else { Err(Unconfirmed::NobodyToAsk) }
    }

    /// Doing nothing needs no consent; the run is still written into the ledger.
    pub fn for_nothing(records: u64) -> Option<Confirmed> {
        (records == 0).then_some(Confirmed(()))
    }

    /// Consent asked for: only the whole word counts.
    pub fn by_asking(
        question: &str,
        mut answers: impl BufRead,
        mut terminal: impl Write,
    ) -> Result<Confirmed, Unconfirmed> {
        let asked = write!(terminal, "{question} Type yes to go on: ").and_then(|()| terminal.flush());
        let mut answer = String::new();
        let heard = asked.and_then(|()| answers.read_line(&mut answer));
        match heard {
            Ok(_) if answer.trim() == "yes" => Ok(Confirmed(())),
            _ => Err(Unconfirmed::Declined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_word_is_consent() {
        let ask = |answer: &str| Confirmed::by_asking("Delete?", answer.as_bytes(), Vec::new()).is_ok();
        assert!(ask("yes\n"));
        assert!(ask("yes"));
        for other in ["", "\n", "y\n", "no\n", "YES!\n", "yes please\n"] {
            assert!(!ask(other), "{other:?}");
        }
        assert_eq!(Confirmed::by_flag(false).unwrap_err(), Unconfirmed::NobodyToAsk);
    }
}
