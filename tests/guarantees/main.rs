//! What frist promises, held against the real program: one module a guarantee, as
//! the project's design numbers them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod circles;
mod csv_oracle;
mod csv_support;
#[path = "../support/depth.rs"]
mod depth;
mod injected;
mod support;

mod anonymise;
mod differential;
mod five_policies;
mod foreign_keys;
mod g01_anonymise;
mod g01_cases;
mod g01_cells;
mod g01_csv_states;
mod g01_folders;
mod g01_never_touched;
mod g01_newest;
mod g01_oracle;
mod g01_periods_from_data;
mod g01_related;
mod g02_csv_no_trace;
mod g02_no_trace;
mod g03_changed_meanwhile;
mod g03_elsewhere;
mod g03_racing_writer;
mod g05_csv_doubts;
mod g05_csv_kills;
mod g05_doubts;
mod g05_folders;
mod g05_kills;
mod g05_kinds;
mod g05_sqlite_injected;
mod g06_csv_faults;
mod g06_csv_injected;
mod g06_folder_injected;
mod g07_other_writers;
mod g08_csv_appenders;
mod g08_csv_bytes;
mod g08_csv_in_place;
mod g11_random;
mod g11_together;
mod g12_brakes;
mod g12_datasets;
mod g13_survivors;
mod g14_ledger;
mod g15_memory;
mod g16_refused_records;
mod g17_links;
mod g17_mounts;
mod g18_clocks;
mod hostile_schemas;
mod one_run;
mod set_null;
mod several_pairs;
mod with;
mod with_hostile;
mod with_paths;
