//! What is wrong with a pattern.

use thiserror::Error;

/// Why a pattern is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternProblem {
    /// It ends in `%`.
    #[error("a single `%` at the end; write `%%` for a percent sign")]
    LonePercent,
    /// A specifier that frist does not have.
    #[error(
        "frist has no `{specifier}`; it has %Y %m %-m %b %B %d %-d %e %j %a %A %H %-H %I %p %M %S %f %.f %z %F %T %R %%"
    )]
    UnknownSpecifier {
        /// The specifier.
        specifier: String,
    },
    /// A specifier whose year has two digits, or may have.
    #[error(
        "`{specifier}` has a year of two digits, and its century would be a guess; frist reads years of four digits, `%Y`"
    )]
    TwoDigitYear {
        /// The specifier.
        specifier: String,
    },
    /// `%s`.
    #[error("`%s` is a count of seconds, not a part of a pattern; declare the format `unix`")]
    UnixInPattern,
    /// The same part of a date or time stands twice.
    #[error("{part} stands twice")]
    Repeated {
        /// The part.
        part: &'static str,
    },
    /// A part without the one that it belongs to.
    #[error("{part} without {needed}")]
    Incomplete {
        /// The part that is there.
        part: &'static str,
        /// The part that is missing.
        needed: &'static str,
    },
    /// A number of varying length stands right before another digit.
    #[error(
        "a number whose length varies stands right before another digit, and where it ends would be a guess"
    )]
    OpenEnd,
}
