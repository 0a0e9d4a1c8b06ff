//! Days, instants and zones.

pub(crate) mod civil;
pub(crate) mod instant;
pub(crate) mod zone;
