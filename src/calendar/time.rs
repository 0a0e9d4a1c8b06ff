//! Days, instants and zones.

pub(crate) mod civil;
pub(crate) mod timestamp;
pub(crate) mod zone;
