//! Paths as a policy writes them: relative to its folder, with `${NAME}` from the environment.

use std::path::{Path, PathBuf};

use super::LoadContext;
use super::section::Complaint;
use crate::diagnostic::Code;

/// The path that a text stands for.
pub(super) fn resolve(text: &str, surroundings: &LoadContext<'_>) -> Result<PathBuf, Complaint> {
    let expanded = expand(text, surroundings.variable, str::to_string)?;
    path(text, expanded).map(|path| surroundings.base.join(path))
}

fn path(text: &str, expanded: String) -> Result<String, Complaint> {
    if expanded.is_empty() || expanded.contains('\0') {
        let help = "write where it lies, relative to the policy's folder".to_string();
        return Err(Complaint::new(Code::BadPath, format!("\"{text}\" is not a path"), Some(help)));
    }
    Ok(expanded)
}

/// The pattern of paths that a text stands for. Only the text itself can hold wildcards: not the
/// folder that it starts from, and no variable.
pub(super) fn pattern(text: &str, surroundings: &LoadContext<'_>) -> Result<PathBuf, Complaint> {
    let help =
        || Some("`*` stands for any part of a name, `**` for any folders, `[*]` for a star".to_string());
    let expanded = path(text, expand(text, surroundings.variable, glob::Pattern::escape)?)?;
    glob::Pattern::new(&expanded).map_err(|error| {
        Complaint::new(Code::BadGlob, format!("`{text}` is no pattern: {}", error.msg), help())
    })?;
    let base = surroundings.base.to_string_lossy();
    Ok(Path::new(&glob::Pattern::escape(&base)).join(expanded))
}

/// The text with the values of its variables, each of them made literal.
fn expand(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
    literal: fn(&str) -> String,
) -> Result<String, Complaint> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or_else(|| {
            let help = "write the variable as `${NAME}`".to_string();
            Complaint::new(Code::BadPath, format!("`{text}` opens `${{` and does not close it"), Some(help))
        })?;
        out.push_str(before);
        out.push_str(&literal(&value_of(name, variable)?));
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn value_of(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Complaint> {
    let unset = |message: String| {
        let help = format!("set {name}, or write the path itself");
        Complaint::new(Code::UnsetVariable, message, Some(help))
    };
    let value = variable(name).ok_or_else(|| unset(format!("the environment has no variable `{name}`")))?;
    // What is left of a path without its beginning leads somewhere else.
    if value.trim().is_empty() {
        return Err(unset(format!("the environment's variable `{name}` is empty")));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Reading = fn(&str, &LoadContext<'_>) -> Result<PathBuf, Complaint>;

    fn read(reading: Reading, text: &str) -> Result<PathBuf, String> {
        let values = [("DATA", "/srv/data"), ("STARS", "d[12]/*?"), ("NOTHING", ""), ("BLANK", " \t\n")];
        let variable = |name: &str| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_string())
        };
        let base = Path::new("/etc/frist");
        let surroundings = LoadContext { file: "p.toml", base, default_state: base, variable: &variable };
        reading(text, &surroundings).map_err(|complaint| complaint.message)
    }

    fn resolved(text: &str) -> Result<PathBuf, String> {
        read(resolve, text)
    }

    #[test]
    fn relative_paths_start_at_the_base_and_variables_are_replaced() {
        assert_eq!(resolved("../app.db").unwrap(), Path::new("/etc/frist/../app.db"));
        assert_eq!(resolved("${DATA}/app.db").unwrap(), Path::new("/srv/data/app.db"));
        assert_eq!(resolved("a${DATA}b${DATA}").unwrap(), Path::new("/etc/frist/a/srv/datab/srv/data"));
    }

    #[test]
    fn an_unset_or_open_variable_and_an_empty_path_are_errors() {
        assert!(resolved("${NOPE}/a").unwrap_err().contains("no variable `NOPE`"));
        assert!(resolved("${DATA/a").unwrap_err().contains("does not close"));
        for empty in ["NOTHING", "BLANK"] {
            let message = format!("the environment's variable `{empty}` is empty");
            for reading in [resolve as Reading, pattern] {
                assert_eq!(read(reading, &format!("a/${{{empty}}}/b")).unwrap_err(), message);
            }
        }
        assert!(resolved("").is_err());
        assert!(resolved("a\0b").is_err());
    }

    #[test]
    fn a_variable_is_never_a_pattern() {
        assert_eq!(resolved("${STARS}/a").unwrap(), Path::new("/etc/frist/d[12]/*?/a"));
        let found = read(pattern, "${STARS}/*.csv").unwrap();
        let pattern = glob::Pattern::new(found.to_str().unwrap()).unwrap();
        assert!(pattern.matches("/etc/frist/d[12]/*?/a.csv"), "{pattern}");
        assert!(!pattern.matches("/etc/frist/d1/xy/a.csv"), "{pattern}");
    }
}
