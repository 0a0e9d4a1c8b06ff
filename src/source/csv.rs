//! CSV files, read only, as bytes.

mod blocks;
pub(crate) mod chunks;
pub(crate) mod claim;
pub(crate) mod coding;
pub(crate) mod columns;
pub(crate) mod files;
pub(super) mod gather;
mod growing;
pub(crate) mod index;

pub mod list;
mod missing;
mod newest;
pub mod survey;
pub(crate) mod turns;
mod walk;
pub(crate) mod write;

#[cfg(test)]
mod oracle;

/// How a file writes its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold delimiters, line ends or quotes.
    pub quote: Option<u8>,
    /// How many fields a proper record has, where that is known.
    pub width: Option<u32>,
}

impl Dialect {
    #[inline]
    fn ragged(&self, width: u32) -> Option<Fault> {
        match self.width {
            Some(own) if own != width => Some(Fault::Ragged),
            _ => None,
        }
    }
}

/// Why a record is not a proper one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has more or fewer fields than the header.
    Ragged,
    /// Something stands between a closing quote and the next delimiter.
    BehindQuote,
    /// A quote is not closed before the file ends.
    Unclosed,
    /// It is longer than a record may be.
    TooLong,
}
