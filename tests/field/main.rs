//! Schemas of programs that people run, written anew from what is known of them, with invented rows on both
//! sides of each boundary. What a policy takes is held to a count that each test makes for itself, from what
//! the times and relations mean there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod support;

mod anki;
mod bookkeeping;
mod chrome;
mod django;
mod firefox;
mod gitea;
mod home_assistant;
mod laravel;
mod nextcloud;
mod rails;
mod vaultwarden;
mod wordpress;
