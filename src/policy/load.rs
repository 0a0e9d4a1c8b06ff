//! Reading policies from files and folders, with every way in which that can fail.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeString, DeTable};

use crate::diagnostic::{Code, Examined, Finding, nearest};

use super::{LoadContext, Policy, lint, parse};

/// A policy is words; a file above this size is something else.
const LARGEST: u64 = 1024 * 1024;

/// What the command line says about the policies it names.
pub struct Options<'a> {
    /// Where relative paths start, if not beside each policy.
    pub root: Option<&'a Path>,
    /// The state folder, if not the policy's own.
    pub state: Option<&'a Path>,
    /// The environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What was read: every file with its findings, and the policies of those that are valid.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Every file, in the order read.
    pub examined: Vec<Examined>,
    /// The valid policies.
    pub policies: Vec<Policy>,
    /// Whether a path could not be opened at all.
    pub unopened: bool,
}

impl Loaded {
    /// How many errors there are in all files.
    pub fn errors(&self) -> usize {
        self.examined.iter().map(Examined::errors).sum()
    }

    /// How many warnings there are in all files.
    pub fn warnings(&self) -> usize {
        self.examined.iter().map(Examined::warnings).sum()
    }
}

/// Reads policies from files, and from every `*.toml` in folders.
pub fn load(paths: &[PathBuf], options: &Options<'_>) -> Loaded {
    let mut loaded = Loaded::default();
    for path in paths {
        match files_of(path) {
            Ok(files) => files.iter().for_each(|file| read_one(file, options, &mut loaded)),
            Err(finding) => unopened(path, finding, &mut loaded),
        }
    }
    loaded
}

fn unopened(path: &Path, finding: Finding, loaded: &mut Loaded) {
    loaded.unopened = true;
    let file = path.display().to_string();
    loaded.examined.push(Examined { file, text: String::new(), findings: vec![finding] });
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, Finding> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    if metadata.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    if !metadata.is_dir() {
        let finding = Finding::unreadable(Code::CannotOpen, "it is neither a file nor a folder");
        return Err(finding.help("name a policy file, or a folder of them"));
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| cannot_open(path, &error))? {
        let file = entry.map_err(|error| cannot_open(path, &error))?.path();
        if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    let strangers: Vec<PathBuf> = files.extract_if(.., |file| is_something_else(file)).collect();
    for stranger in strangers {
        tracing::info!("{}: no policy; it was passed over", stranger.display());
    }
    if files.is_empty() {
        let finding = Finding::unreadable(Code::NoPolicy, "the folder holds no policy");
        return Err(finding.help("policies are files that end in .toml"));
    }
    Ok(files)
}

/// Sections and keys by which a file says that it is a policy.
const KEYS: [&str; 6] = ["version", "policy", "source", "rule", "activity", "law"];

/// Whether a file in a folder is TOML that means something else, such as `Cargo.toml`. What cannot be read, or may be a
/// policy whose sections are misspelt, is told as a policy with errors.
fn is_something_else(file: &Path) -> bool {
    let is_named = file.to_string_lossy().ends_with(".frist.toml");
    let text = read_text(file).ok().and_then(|text| String::from_utf8(text).ok());
    let table = text.as_deref().and_then(|text| DeTable::parse(text).ok());
    !is_named && table.is_some_and(|table| !is_like_a_policy(table.get_ref()))
}

fn is_like_a_policy(table: &DeTable<'_>) -> bool {
    let is_near = |key: &&Spanned<DeString<'_>>| nearest(key.get_ref(), KEYS).is_some();
    KEYS.iter().any(|key| table.contains_key(*key)) || 2 * table.keys().filter(is_near).count() >= table.len()
}

fn read_one(path: &Path, options: &Options<'_>, loaded: &mut Loaded) {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(finding) => return unopened(path, finding, loaded),
    };
    let text = match String::from_utf8(text) {
        Ok(text) => text,
        Err(error) => return loaded.examined.push(not_utf8(path, error)),
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = path.display().to_string();
    let default_state = folder.join(".frist");
    let surroundings = LoadContext {
        file: &file,
        base: options.root.unwrap_or(folder),
        default_state: &default_state,
        variable: options.variable,
    };
    let (policy, mut findings) = parse(&text, &surroundings);
    let service = service_state(&default_state, options);
    let is_default = policy.as_ref().is_some_and(|policy| policy.state == default_state);
    let state = options.state.or_else(|| service.as_deref().filter(|_| is_default));
    let policy = policy.map(|policy| with_state(policy, state));
    if let Some(policy) = &policy {
        let earlier: Vec<&Policy> = loaded.policies.iter().collect();
        findings.extend(lint::together(policy, &earlier));
    }
    let valid = !findings.iter().any(Finding::is_error);
    let mut examined = Examined { file, text, findings };
    examined.sort();
    loaded.examined.push(examined);
    loaded.policies.extend(policy.filter(|_| valid));
}

/// The first folder that systemd made for the service. A `.frist` that is there stays in use: what it remembers
/// must not be forgotten.
fn service_state(default_state: &Path, options: &Options<'_>) -> Option<PathBuf> {
    let folders = (options.variable)("STATE_DIRECTORY")?;
    let first = PathBuf::from(folders.split(':').next()?);
    (first.is_absolute() && !default_state.exists()).then_some(first)
}

fn with_state(mut policy: Policy, state: Option<&Path>) -> Policy {
    if let Some(state) = state {
        policy.state = state.to_path_buf();
        policy.keep_out_of_folders();
    }
    policy
}

fn cannot_open(path: &Path, error: &io::Error) -> Finding {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "is the path spelt right, and does it start at this folder?",
        io::ErrorKind::PermissionDenied => "look at its owner and mode, and at those of its folders",
        _ => "name a policy file, or a folder of them",
    };
    let what = match error.kind() {
        io::ErrorKind::NotFound => format!("{} does not exist", path.display()),
        _ => format!("cannot open {}: {error}", path.display()),
    };
    Finding::unreadable(Code::CannotOpen, what).help(help)
}

fn read_text(path: &Path) -> Result<Vec<u8>, Finding> {
    let metadata = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
    if !metadata.is_file() {
        let finding = Finding::unreadable(Code::CannotOpen, "it ends in .toml and is not a regular file");
        return Err(finding.help("move it out of the folder of policies"));
    }
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text))
        .map_err(|error| cannot_open(path, &error))?;
    if text.len() as u64 > LARGEST {
        let finding = Finding::unreadable(Code::TooLarge, "it is larger than 1 MiB, which no policy is");
        return Err(finding.help("is this the data rather than the policy?"));
    }
    Ok(text)
}

/// The text up to the faulty byte is kept, so that the finding can show its line.
fn not_utf8(path: &Path, error: std::string::FromUtf8Error) -> Examined {
    let good = error.utf8_error().valid_up_to();
    let byte = error.as_bytes().get(good).copied().unwrap_or_default();
    let message = format!("not UTF-8: byte {byte:#04x} cannot be read");
    let finding = Finding::error(Code::NotUtf8, message, good..good);
    let text = String::from_utf8_lossy(&error.into_bytes()[..good]).into_owned();
    let finding = finding.help("save the file as UTF-8");
    Examined { file: path.display().to_string(), text, findings: vec![finding] }
}
