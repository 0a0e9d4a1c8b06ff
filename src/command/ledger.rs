//! `frist ledger show` and `frist ledger verify`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::{Format, Ledger, LedgerShow, LedgerVerify, WhichLedger};
use crate::diagnostic::{printable, write_json};
use crate::exit;
use crate::ledger::{Entry, Receipt, entries, verify};
use crate::report::runs::Runs;

use super::{Console, Failure, policies};

pub(super) fn run(arguments: &Ledger, console: &mut Console<'_>) -> Result<u8, Failure> {
    match arguments {
        Ledger::Show(arguments) => show(arguments, console),
        Ledger::Verify(arguments) => {
            let code = check(arguments, console)?;
            console.out.flush()?;
            Ok(code)
        }
    }
}

fn state(which: &WhichLedger, console: &mut Console<'_>) -> Result<PathBuf, Failure> {
    let state = match (&which.policy, &which.places.state) {
        (_, Some(state)) => state.clone(),
        (Some(policy), None) => policies::one(policy, which.places.root.as_deref(), console)?.state,
        (None, None) => return Err(Failure::usage("name a policy, or the state folder with --state")),
    };
    if state.join("ledger.jsonl").exists() || state.join("ledger.head").exists() {
        return Ok(state);
    }
    // The folder of a policy is made by its first purge; one that is named is thought to be there.
    if which.places.state.is_some() && !state.exists() {
        return Err(Failure::incomplete(format!("{} does not exist", state.display())));
    }
    Err(Failure::incomplete(format!("{} holds no ledger: no purge has run yet", state.display())))
}

fn show(arguments: &LedgerShow, console: &mut Console<'_>) -> Result<u8, Failure> {
    let state = state(&arguments.which, console)?;
    // Who looks wants to know which nights it ran; what reads on wants every entry.
    let is_by_run = arguments.runs || (!arguments.all && console.style.width.is_some());
    let mut runs = Runs::default();
    let shown = entries(&state).map_err(Failure::incomplete)?.try_for_each(|entry| {
        let entry = entry.map_err(Failure::incomplete)?;
        match arguments.format {
            Format::Text if is_by_run => runs.take(&entry),
            Format::Text => writeln!(console.out, "{}", line(&entry))?,
            Format::Json => json(console, &json_line(&entry))?,
        }
        Ok(())
    });
    // What stands before a line that cannot be read is shown as well.
    if arguments.format == Format::Text && is_by_run {
        runs.write(console.out, console.style)?;
    }
    console.out.flush()?;
    shown.map(|()| exit::DONE)
}

fn json(console: &mut Console<'_>, value: &serde_json::Value) -> Result<(), Failure> {
    write_json(console.out, value)?;
    Ok(writeln!(console.out)?)
}

/// An entry on one line. The policy and the data give the names in it, and a name must not be able to
/// pretend to be another entry.
fn line(entry: &Entry) -> String {
    let fields: Vec<String> = entry.fields.iter().filter_map(|(name, value)| field(name, value)).collect();
    printable(&format!("{:>5}  {}  {:<13}  {}", entry.link.seq, entry.at, entry.name, fields.join(" ")))
}

fn field(name: &str, value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(format!("{name}={text}")),
        serde_json::Value::Object(fields) => {
            let inner: Vec<String> = fields.iter().filter_map(|(name, value)| field(name, value)).collect();
            (!inner.is_empty()).then(|| format!("{name}({})", inner.join(" ")))
        }
        serde_json::Value::Array(items) if items.is_empty() => None,
        other => Some(format!("{name}={other}")),
    }
}

fn json_line(entry: &Entry) -> serde_json::Value {
    let mut object = serde_json::Map::new();
    object.insert("seq".to_string(), json!(entry.link.seq));
    object.insert("at".to_string(), json!(entry.at));
    object.insert("run".to_string(), json!(entry.run));
    object.insert("event".to_string(), json!(entry.name));
    object.extend(entry.fields.clone());
    object.insert("prev".to_string(), json!(entry.prev.to_string()));
    object.insert("hash".to_string(), json!(entry.link.hash.to_string()));
    serde_json::Value::Object(object)
}

fn check(arguments: &LedgerVerify, console: &mut Console<'_>) -> Result<u8, Failure> {
    let expect = arguments.expect.as_deref().map(expected).transpose()?;
    let state = state(&arguments.which, console)?;
    match verify(&state, expect) {
        Ok(verified) => {
            let notes: Vec<String> = verified.notes.iter().map(ToString::to_string).collect();
            match arguments.format {
                Format::Json => {
                    let last =
                        verified.last.map(|link| json!({ "entry": link.seq, "hash": link.hash.to_string() }));
                    let result = json!({ "format": "frist.ledger/1", "whole": true, "entries": verified.entries,
                        "last": last, "notes": notes, "findings": [] });
                    json(console, &result)?;
                }
                Format::Text => {
                    notes.iter().try_for_each(|note| writeln!(console.out, "note: {}", printable(note)))?;
                    let last = verified.last.map(|link| format!(", the last is {link}")).unwrap_or_default();
                    let entries = if verified.entries == 1 { "entry" } else { "entries" };
                    writeln!(console.out, "The ledger is whole: {} {entries}{last}", verified.entries)?;
                }
            }
            Ok(exit::DONE)
        }
        Err(findings) => {
            let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
            match arguments.format {
                Format::Json => {
                    let result = json!({ "format": "frist.ledger/1", "whole": false, "findings": findings });
                    json(console, &result)?;
                }
                Format::Text => {
                    findings
                        .iter()
                        .try_for_each(|finding| writeln!(console.out, "{}", printable(finding)))?;
                    writeln!(console.out, "The ledger is NOT whole. Keep the files as they are.")?;
                }
            }
            Ok(exit::FINDINGS)
        }
    }
}

fn expected(text: &str) -> Result<Receipt, Failure> {
    text.parse()
        .map_err(|_| Failure::usage(format!("--expect {text}: write NUMBER:HASH, as a purge printed it")))
}
