//! Runs of a purge in which a system call fails, or is the last one. Needs `strace`.

use std::fs;
use std::process::{Command, Stdio};

use super::support::{PURGE, Place, Ran, accounted, deleted, finish};

/// Calls on the way of the data and of the ledger; those that a machine does not have are left
/// out.
const CALLS: [&str; 32] = [
    "?read",
    "?pread64",
    "?readv",
    "?write",
    "?writev",
    "?pwrite64",
    "?fsync",
    "?fdatasync",
    "?rename",
    "?renameat",
    "?renameat2",
    "?copy_file_range",
    "?fchmod",
    "?fchown",
    "?ftruncate",
    "?utimensat",
    "?flock",
    "?unlink",
    "?unlinkat",
    "?mkdir",
    "?openat",
    "?open",
    "?getdents64",
    "?statx",
    "?fstat",
    "?newfstatat",
    "?faccessat2",
    "?lseek",
    "?flistxattr",
    "?fgetxattr",
    "?fsetxattr",
    "?fcntl",
];

/// Data that is purged into faults.
pub(crate) trait Subject {
    /// How many records are due.
    const DUE: u64;

    /// A place with the data, before anything of it is deleted.
    fn filled() -> Place;

    /// That no fault touched what it may not.
    fn assert_kept(place: &Place, why: &dyn Fn() -> String);

    /// How many of the due records are gone.
    fn gone(place: &Place) -> u64;

    /// That nothing is left that the next run should have cleared.
    fn assert_clear(place: &Place, why: &dyn Fn() -> String);

    /// That the ledger accounts for every due record, once all are gone.
    fn assert_accounted(place: &Place, why: &dyn Fn() -> String) {
        assert_eq!(accounted(&place.ledger()), Self::DUE, "{}", why());
    }
}

/// A purge under `strace`, with what is to happen to its calls.
pub(crate) fn trace(place: &Place, injection: &str) -> Command {
    let own = place.command(&PURGE);
    let call = injection.split(':').next().unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o"]).arg(place.path("trace"));
    command.args(["-e", &format!("trace={call}"), "-e", &format!("inject={injection}")]);
    command.arg(own.get_program()).args(own.get_args());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Lets every call meet a fault, the first time that it is made, the second, and so on.
pub(crate) fn every_call<S: Subject>(fault: &str) {
    assert!(calls::<S>(&CALLS, fault, "", 1) > 100, "{fault}");
}

/// The same of some calls.
pub(crate) fn some_calls<S: Subject>(some: &[&str], fault: &str) {
    assert!(calls::<S>(some, fault, "", 1) > some.len(), "{fault}");
}

/// The same, and what begins to fail goes on to fail.
pub(crate) fn some_calls_from_then_on<S: Subject>(some: &[&str], fault: &str) {
    assert!(calls::<S>(some, fault, "+", 1) > some.len(), "{fault}");
}

/// The same, of which one in so many fails, or begins to where `later` says so.
pub(crate) fn few_calls<S: Subject>(some: &[&str], fault: &str, (later, step): (&str, usize)) {
    assert!(calls::<S>(some, fault, later, step) > some.len(), "{fault}");
}

/// How many times there was such a call, of which one in so many meets the fault.
fn calls<S: Subject>(calls: &[&str], fault: &str, later: &str, step: usize) -> usize {
    let meets = |call, number| meets::<S>(&format!("{call}:{fault}:when={number}{later}"));
    calls.iter().map(|call| (1..200).step_by(step).take_while(|number| meets(call, *number)).count()).sum()
}

/// Runs a purge into a fault, looks at what it left, and lets the next one finish. Whether there
/// was such a call.
fn meets<S: Subject>(injection: &str) -> bool {
    let place = S::filled();
    let ran = finish(trace(&place, injection).spawn().expect("strace must be installed"));
    let trace = fs::read_to_string(place.path("trace")).unwrap();
    if !trace.contains("INJECTED") && !trace.contains("killed by") {
        assert_eq!((ran.code, S::gone(&place)), (0, S::DUE), "{injection}: {ran:?}");
        return false;
    }
    let why = || format!("{injection}: {ran:?}; {}", place.ledger_text());
    S::assert_kept(&place, &why);
    assert_told::<S>(&place, injection, &ran);
    let next = place.purge();
    let why = || format!("{injection}: {ran:?}, then {next:?}; {}", place.ledger_text());
    assert_eq!(next.code, 0, "{}", why());
    S::assert_kept(&place, &why);
    assert_eq!(S::gone(&place), S::DUE, "{}", why());
    S::assert_clear(&place, &why);
    place.assert_ledger_is_whole();
    S::assert_accounted(&place, &why);
    true
}

/// A run that says it is done is done, and what it says it deleted is gone.
fn assert_told<S: Subject>(place: &Place, injection: &str, ran: &Ran) {
    let why = || format!("{injection}: {ran:?}; {}", place.ledger_text());
    let is_sync = injection.starts_with("?fsync:error") || injection.starts_with("?fdatasync:error");
    // What was only interrupted is asked again.
    let is_unsafe = is_sync && !injection.contains("EINTR");
    assert!(!is_unsafe || ran.code == 3, "nobody knows what is on the disk: {}", why());
    if ran.code >= 0 && !ran.out.is_empty() {
        assert!(deleted(ran) <= S::gone(place), "{}", why());
    }
    if ran.code == 0 {
        assert_eq!(S::gone(place), S::DUE, "{}", why());
        S::assert_accounted(place, &why);
        S::assert_clear(place, &why);
    } else if ran.code > 0 {
        assert!(!ran.err.is_empty() || !ran.out.is_empty(), "{}", why());
    }
}
