//! What help says besides the options: versions, headings, examples and exit codes.

use std::sync::LazyLock;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0  done; nothing due is done too
  1  findings: errors in a policy, a broken ledger, due records under --fail-on-due
  2  the command line is wrong, or a policy cannot be used
  3  incomplete: something could not be read or finished; the rest was done
  4  refused: a limit, the clock, or no confirmation
  5  another run holds the lock";

/// The version, and that of what decides about due dates and about databases.
pub(super) static LONG_VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} ({})\nSQLite {}\ntime zones {}",
        env!("CARGO_PKG_VERSION"),
        env!("FRIST_COMMIT"),
        rusqlite::version(),
        chrono_tz::IANA_TZDB_VERSION
    )
});

pub(super) const GLOBAL: &str = "Options of all commands";
pub(super) const OUTPUT: &str = "Output";
pub(super) const WHERE: &str = "Where things are";
pub(super) const SAFETY: &str = "Safety";

pub(super) const CHECK_HELP: &str = "\
Examples:
  frist check policies/
  frist check --data policies/webshop.toml
  frist check --deny-warnings --format github --output sarif=frist.sarif

Exit codes: 0 sound, 1 errors (or warnings under --deny-warnings), 2 a policy cannot be opened,
3 a source could not be read.";

pub(super) const REPORT_HELP: &str = "\
Examples:
  frist report policies/webshop.toml
  frist report --list --rule visits policies/webshop.toml
  frist report --now 2027-01-01 --format json policies/

Exit codes: 0 all was read, whatever is due; 1 something is due, under --fail-on-due;
2 a policy is not valid; 3 something could not be read.";

pub(super) const PURGE_HELP: &str = "\
Examples:
  frist purge policies/webshop.toml
  frist purge --yes --max-runtime 2h --output json=last-run.json policies/
  frist purge --yes --accept-limit visits policies/webshop.toml

Exit codes: 0 all that was due is gone; 2 a policy is not valid; 3 something could not be read or
finished, and the rest was done; 4 refused: a limit, the clock, or nobody confirmed; 5 another run
holds the lock.";

pub(super) const LEDGER_HELP: &str = "\
Examples:
  frist ledger show policies/webshop.toml
  frist ledger show --all --format json --state /var/lib/frist
  frist ledger verify --expect 50:7f1efb0cce54 policies/webshop.toml

Exit codes: 0 shown, or whole; 1 the ledger is not whole; 2 the command line is wrong;
3 there is no ledger, or it cannot be read.";
