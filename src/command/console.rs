//! Where a command writes, and how it ends when it cannot go on.

use std::fmt::Display;
use std::fs::{File, Permissions};
use std::io::{self, BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::cli::{Format, Output, OutputFormat};
use crate::diagnostic::printable;
use crate::exit;
use crate::policy::Policy;
use crate::report::text::{self, Style};
use crate::report::{More, Subject, Total, json};

use super::outputs;

/// The streams of a command, and what is known of them.
pub struct Console<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Standard input, for answers; none where nobody can be asked.
    pub answers: Option<&'a mut dyn BufRead>,
    /// How to draw on standard output.
    pub style: Style,
    /// Whether only what went wrong is said.
    pub quiet: bool,
    /// Whether standard error is a terminal, on which progress is drawn.
    pub progress: bool,
}

/// A command that cannot go on.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What happened and what to do; empty where it has been said.
    pub message: String,
}

impl Failure {
    /// The command line is wrong.
    pub fn usage(message: impl Display) -> Failure {
        Failure { code: exit::USAGE, message: message.to_string() }
    }

    /// Something could not be read or finished.
    pub fn incomplete(message: impl Display) -> Failure {
        Failure { code: exit::INCOMPLETE, message: message.to_string() }
    }

    /// The same, after a command that would have ended with this code: the graver one stands.
    pub(super) fn beside(self, code: u8) -> Failure {
        Failure { code: code.max(self.code), ..self }
    }
}

impl From<io::Error> for Failure {
    /// A reader that went away wants no message.
    fn from(error: io::Error) -> Failure {
        let gone = error.kind() == io::ErrorKind::BrokenPipe;
        Failure::incomplete(if gone { String::new() } else { format!("cannot write the output: {error}") })
    }
}

impl Console<'_> {
    /// Says on standard error what went wrong.
    pub fn complain(&mut self, message: &str) {
        if !message.is_empty() {
            // Where standard error is gone there is nobody left to tell.
            let _ = writeln!(self.err, "frist: {}", printable(message));
        }
    }

    /// Draws into standard output and into the files that were asked for. Who wants it quiet
    /// gets only what went wrong, in the words of `complaints`.
    pub fn deliver<F: OutputFormat>(
        &mut self,
        output: &Output<F>,
        draw: &mut dyn FnMut(&mut dyn Write, F, Style) -> io::Result<()>,
        complaints: &mut dyn FnMut(&mut dyn Write, Style) -> io::Result<()>,
    ) -> Result<(), Failure> {
        // What one file has no room for is still told to the others, and here.
        let mut unwritten: Vec<String> = Vec::new();
        for (format, path) in &output.output {
            let written = write_file(path, format.is_world_readable(), |file| {
                draw(file, *format, Style { width: None, color: false })
            });
            unwritten.extend(written.err().map(|error| format!("cannot write {}: {error}", path.display())));
        }
        let shown = if self.quiet && output.format == F::TEXT {
            complaints(self.out, self.style)
        } else {
            draw(self.out, output.format, self.style)
        };
        match shown.and_then(|()| self.out.flush()) {
            // Who has read enough, as `head` has, changes nothing about how the command ended.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                unwritten.push(format!("cannot write the output: {error}"));
            }
            _ => {}
        }
        match unwritten.pop() {
            None => Ok(()),
            Some(last) => {
                unwritten.iter().for_each(|message| self.complain(message));
                Err(Failure::incomplete(last))
            }
        }
    }
}

/// Draws a policy's plan or run in the format that was asked for.
pub(super) fn draw(
    out: &mut dyn Write,
    format: Format,
    style: Style,
    policy: &Policy,
    subject: Subject<'_>,
    more: More<'_>,
) -> io::Result<()> {
    match format {
        Format::Text => text::write(out, policy, subject, more, style),
        Format::Json => json::write(out, policy, subject, more),
    }
}

/// Ends what is drawn of one policy, where there are several.
pub(super) fn close_one(
    out: &mut dyn Write,
    format: Format,
    style: Style,
    total: &Total,
    policies: usize,
) -> io::Result<()> {
    if format == Format::Json || policies < 2 {
        return Ok(());
    }
    text::last_line(out, &total.sentence(), style)?;
    writeln!(out)
}

/// Ends what is drawn.
pub(super) fn close(out: &mut dyn Write, format: Format, style: Style, line: &str) -> io::Result<()> {
    match format {
        Format::Text => text::last_line(out, line, style),
        Format::Json => Ok(()),
    }
}

/// Writes beside the file and renames, so that a reader never sees half of it. A device or a
/// pipe is written to, never replaced.
fn write_file(
    path: &Path,
    is_world_readable: bool,
    draw: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return written(File::options().write(true).open(path)?, draw).map(drop);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = written(outputs::beside(folder)?, draw)?;
    if is_world_readable {
        beside.as_file().set_permissions(Permissions::from_mode(0o644))?;
    }
    beside.as_file().sync_all()?;
    beside.persist(path).map(drop).map_err(|failed| failed.error)
}

fn written<W: Write>(file: W, draw: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<W> {
    let mut file = io::BufWriter::new(file);
    draw(&mut file)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)
}
