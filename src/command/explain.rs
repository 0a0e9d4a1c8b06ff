//! `frist explain`: the page about a code, from inside the binary, so that it is of the same version.

use super::{Console, Failure};
use crate::cli::Explain;
use crate::diagnostic::{Code, nearest};
use crate::exit;

pub(super) fn run(arguments: &Explain, console: &mut Console<'_>) -> Result<u8, Failure> {
    let Some(code) = Code::named(&arguments.code) else { return Err(unknown(&arguments.code)) };
    write!(console.out, "{}", code.page())?;
    console.out.flush()?;
    Ok(exit::DONE)
}

fn unknown(text: &str) -> Failure {
    let near = nearest(text, Code::ALL.iter().map(|code| code.as_str()));
    let help = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
    Failure { code: exit::FINDINGS, message: format!("there is no code `{text}`{help}") }
}
