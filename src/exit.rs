//! What the exit codes mean. The output's format never changes them.

/// Done; nothing due is done too.
pub const DONE: u8 = 0;
/// Findings: errors in a policy, something found by a verification, due records on request.
pub const FINDINGS: u8 = 1;
/// The command line is wrong, or a policy cannot be used. Nothing was opened for writing.
pub const USAGE: u8 = 2;
/// Something could not be read or finished; what could be done was done.
pub const INCOMPLETE: u8 = 3;
/// A limit, the clock, or a missing confirmation.
pub const REFUSED: u8 = 4;
/// Another run holds the lock.
pub const LOCKED: u8 = 5;
