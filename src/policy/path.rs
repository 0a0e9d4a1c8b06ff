//! Paths as a policy writes them: relative to its folder, with `${NAME}` from the environment.

use std::path::{Path, PathBuf};

use super::Surroundings;
use super::section::Complaint;

/// The path that a text stands for.
pub(super) fn resolve(text: &str, surroundings: &Surroundings<'_>) -> Result<PathBuf, Complaint> {
    let expanded = expand(text, surroundings.variable)?;
    if expanded.is_empty() || expanded.contains('\0') {
        let help = "write where it lies, relative to the policy's folder".to_string();
        return Err(Complaint::new("bad-path", format!("\"{text}\" is not a path"), Some(help)));
    }
    Ok(surroundings.base.join(expanded))
}

/// The pattern of paths that a text stands for. Only the text itself can hold wildcards, not the
/// folder that it starts from.
pub(super) fn pattern(text: &str, surroundings: &Surroundings<'_>) -> Result<PathBuf, Complaint> {
    let help =
        || Some("`*` stands for any part of a name, `**` for any folders, `[*]` for a star".to_string());
    let expanded = resolve(text, &Surroundings { base: Path::new(""), ..*surroundings })?;
    let Some(written) = expanded.to_str() else {
        return Err(Complaint::new("bad-path", format!("\"{text}\" is not UTF-8"), help()));
    };
    glob::Pattern::new(written).map_err(|error| {
        Complaint::new("bad-glob", format!("`{text}` is no pattern: {}", error.msg), help())
    })?;
    let base = surroundings.base.to_string_lossy();
    Ok(Path::new(&glob::Pattern::escape(&base)).join(expanded))
}

fn expand(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Complaint> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').ok_or_else(|| {
            let help = "write the variable as `${NAME}`".to_string();
            Complaint::new("bad-path", format!("`{text}` opens `${{` and does not close it"), Some(help))
        })?;
        out.push_str(before);
        out.push_str(&value_of(name, variable)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

fn value_of(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<String, Complaint> {
    variable(name).ok_or_else(|| {
        let help = format!("set {name}, or write the path itself");
        Complaint::new("unset-variable", format!("the environment has no variable `{name}`"), Some(help))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<PathBuf, String> {
        let variable = |name: &str| (name == "DATA").then(|| "/srv/data".to_string());
        let base = Path::new("/etc/frist");
        let surroundings = Surroundings { file: "p.toml", base, default_state: base, variable: &variable };
        resolve(text, &surroundings).map_err(|complaint| complaint.message)
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
        assert!(resolved("").is_err());
        assert!(resolved("a\0b").is_err());
    }
}
