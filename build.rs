//! Tells the program which commit it is built from, where that is known.

use std::path::Path;
use std::process::Command;

fn main() {
    // What a commit changes is the branch that HEAD names, and the log beside it.
    for file in [".git/HEAD", ".git/logs/HEAD", ".cargo_vcs_info.json"] {
        if Path::new(file).exists() {
            println!("cargo:rerun-if-changed={file}");
        }
    }
    println!("cargo:rerun-if-changed=build.rs");
    let commit = packaged().or_else(checked_out).unwrap_or_else(|| "of an unknown commit".to_string());
    println!("cargo:rustc-env=FRIST_COMMIT={commit}");
}

/// The commit that a package says it was made from.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let hash = text.split_once("\"sha1\": \"")?.1.split_once('"')?.0;
    Some(hash.chars().take(12).collect())
}

/// The commit of the working copy, if the folder is the top of one.
fn checked_out() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output().ok()?;
    let hash = String::from_utf8(output.stdout).ok()?.trim().to_string();
    (output.status.success() && !hash.is_empty()).then_some(hash)
}
