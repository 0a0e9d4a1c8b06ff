//! The `frist` binary.

fn main() {}
