//! `then`: what happens to a due record.

use crate::diagnostic::{Finding, nearest};
use crate::policy::section::Section;

/// What happens to a due record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is deleted.
    Delete,
}

impl Then {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Then::Delete => "delete",
        }
    }
}

/// Reads what happens; deletion, where nothing is said.
pub(super) fn read(section: &mut Section<'_>) -> Option<Then> {
    let Some(then) = section.text("then") else {
        return (!section.has("then")).then_some(Then::Delete);
    };
    let finding = match then.value.as_str() {
        "delete" => return Some(Then::Delete),
        "anonymise" => {
            let message = format!("`then = \"anonymise\"` in {} is not yet supported", section.title());
            let finding = Finding::error("not-yet-supported", message, then.span);
            finding.help("this version can only delete")
        }
        other => {
            let message = format!("`{other}` is nothing that can be done to a record");
            let near = nearest(other, ["delete", "anonymise"]).unwrap_or("delete");
            Finding::error("bad-value", message, then.span).help(format!("did you mean \"{near}\"?"))
        }
    };
    section.note(finding);
    None
}
