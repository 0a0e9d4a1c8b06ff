//! How long the random tests search and how often processes are killed: briefly for somebody who
//! runs `cargo test`, and as many times longer as `FRIST_TEST_DEPTH` says, which is 8 in CI.

/// A number of random cases, kills or rounds, times the depth.
pub(crate) fn cases(few: u32) -> u32 {
    let depth = std::env::var("FRIST_TEST_DEPTH").map_or(1, |depth| depth.parse().unwrap());
    few * depth
}

/// That many random cases of a property; what fails is told and not written down.
#[allow(dead_code)]
pub(crate) fn config(few: u32) -> proptest::test_runner::Config {
    let default = proptest::test_runner::Config::default();
    proptest::test_runner::Config { cases: cases(few), failure_persistence: None, ..default }
}
