//! Home Assistant's recorder: states that name their predecessors, attributes and event data that rows share,
//! and times as floating-point seconds.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, unix};

const POLICY: &str = r#"
[source.ha]
sqlite  = "home-assistant_v2.db"
formats = { last_updated_ts = "unix", time_fired_ts = "unix", start_ts = "unix" }
ignore  = [
  { table = "*_meta", why = "names of what is measured" },
  { table = "schema_changes", why = "no personal data" },
  { table = "migration_changes", why = "no personal data" },
  { table = "statistics", why = "hourly means, kept on purpose" },
  { table = "statistics_runs", why = "no personal data" },
  { table = "state_attributes", why = "goes with the states that share it" },
  { table = "event_*", why = "goes with the events that share it" },
]

[[rule]]
name     = "states"
data     = "ha.states"
keep     = "at most 10 days"
after    = "last_updated_ts"
set-null = [{ table = "states", column = "old_state_id" }]
with     = [{ table = "state_attributes", on = "attributes_id = attributes_id" }]

[[rule]]
name     = "events"
data     = "ha.events"
keep     = "at most 10 days"
after    = "time_fired_ts"
with     = [{ table = "event_data", on = "data_id = data_id" }, { table = "event_types", on = "event_type_id = event_type_id" }]
set-null = [{ table = "states", column = "event_id" }]

[[rule]]
name  = "runs"
data  = "ha.recorder_runs"
keep  = "at most 10 days"
after = "end"

[[rule]]
name  = "five-minutes"
data  = "ha.statistics_short_term"
keep  = "at most 10 days"
after = "start_ts"
"#;

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    CREATE TABLE event_data (data_id INTEGER NOT NULL, hash BIGINT, shared_data TEXT, PRIMARY KEY (data_id));
    CREATE TABLE event_types (event_type_id INTEGER NOT NULL, event_type VARCHAR(64), PRIMARY KEY (event_type_id));
    CREATE UNIQUE INDEX ix_event_types_event_type ON event_types (event_type);
    CREATE TABLE state_attributes (
        attributes_id INTEGER NOT NULL, hash BIGINT, shared_attrs TEXT, PRIMARY KEY (attributes_id));
    CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255), PRIMARY KEY (metadata_id));
    CREATE TABLE events (
        event_id INTEGER NOT NULL, event_type CHAR(0), event_data CHAR(0), origin CHAR(0), origin_idx SMALLINT,
        time_fired CHAR(0), time_fired_ts FLOAT, data_id INTEGER, context_id_bin BLOB, event_type_id INTEGER,
        PRIMARY KEY (event_id),
        FOREIGN KEY (data_id) REFERENCES event_data (data_id),
        FOREIGN KEY (event_type_id) REFERENCES event_types (event_type_id));
    CREATE INDEX ix_events_time_fired_ts ON events (time_fired_ts);
    CREATE INDEX ix_events_data_id ON events (data_id);
    CREATE INDEX ix_events_event_type_id_time_fired_ts ON events (event_type_id, time_fired_ts);
    CREATE TABLE states (
        state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0), event_id INTEGER,
        last_changed_ts FLOAT, last_updated CHAR(0), last_updated_ts FLOAT, old_state_id INTEGER,
        attributes_id INTEGER, origin_idx SMALLINT, context_id_bin BLOB, metadata_id INTEGER,
        PRIMARY KEY (state_id),
        FOREIGN KEY (event_id) REFERENCES events (event_id) ON DELETE CASCADE,
        FOREIGN KEY (old_state_id) REFERENCES states (state_id),
        FOREIGN KEY (attributes_id) REFERENCES state_attributes (attributes_id),
        FOREIGN KEY (metadata_id) REFERENCES states_meta (metadata_id));
    CREATE INDEX ix_states_event_id ON states (event_id);
    CREATE INDEX ix_states_attributes_id ON states (attributes_id);
    CREATE INDEX ix_states_old_state_id ON states (old_state_id);
    CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
    CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
    CREATE TABLE recorder_runs (
        run_id INTEGER NOT NULL, start DATETIME NOT NULL, \"end\" DATETIME, closed_incorrect BOOLEAN NOT NULL,
        created DATETIME NOT NULL, PRIMARY KEY (run_id));
    CREATE INDEX ix_recorder_runs_start_end ON recorder_runs (start, \"end\");
    CREATE TABLE schema_changes (
        change_id INTEGER NOT NULL, schema_version INTEGER, changed DATETIME NOT NULL, PRIMARY KEY (change_id));
    CREATE TABLE migration_changes (migration_id VARCHAR(255) NOT NULL, version SMALLINT NOT NULL,
        PRIMARY KEY (migration_id));
    CREATE TABLE statistics_meta (id INTEGER NOT NULL, statistic_id VARCHAR(255), source VARCHAR(32), PRIMARY KEY (id));
    CREATE TABLE statistics_runs (run_id INTEGER NOT NULL, start DATETIME NOT NULL, PRIMARY KEY (run_id));
    CREATE TABLE statistics (
        id INTEGER NOT NULL, created_ts FLOAT, metadata_id INTEGER, start_ts FLOAT, mean FLOAT, PRIMARY KEY (id),
        FOREIGN KEY (metadata_id) REFERENCES statistics_meta (id) ON DELETE CASCADE);
    CREATE TABLE statistics_short_term (
        id INTEGER NOT NULL, created_ts FLOAT, metadata_id INTEGER, start_ts FLOAT, mean FLOAT, PRIMARY KEY (id),
        FOREIGN KEY (metadata_id) REFERENCES statistics_meta (id) ON DELETE CASCADE);
    CREATE UNIQUE INDEX ix_statistics_short_term_statistic_id_start_ts ON statistics_short_term (metadata_id, start_ts);
    INSERT INTO states_meta VALUES (0, 'light.kitchen'), (1, 'sensor.hall'), (2, 'person.ida');
    INSERT INTO event_types VALUES (1, 'call_service'), (2, 'state_changed'), (3, 'automation_triggered');
    INSERT INTO statistics_meta VALUES (1, 'sensor.hall', 'recorder');
    INSERT INTO schema_changes VALUES (1, 43, '2024-01-01 10:00:00.000000');
    INSERT INTO migration_changes VALUES ('entity_id_post_migration', 1);
    INSERT INTO statistics_runs VALUES (1, '2020-01-01 10:00:00.000000');
    INSERT INTO statistics VALUES (1, 1577836800.0, 1, 1577836800.0, 20.5);
";

/// The first instant that ten days keep, at noon of 21 November: midnight in Copenhagen.
const BOUNDARY: &str = "2026-11-11 23:00:00";

/// A row with a time in one of the ways that a recorder has known.
struct Row {
    id: i64,
    seconds: Option<f64>,
    refers: [Option<i64>; 2],
}

impl Row {
    /// A time of 0 is none, and nothing says when it was.
    fn is_past(&self) -> bool {
        self.seconds.is_some_and(|seconds| seconds != 0.0 && seconds < unix(BOUNDARY) as f64)
    }

    fn is_unreadable(&self) -> bool {
        self.seconds == Some(0.0)
    }
}

/// States of three entities, a minute apart and on both sides of midnight, each with its predecessor and one of
/// the attributes that ten of them share.
fn states() -> Vec<Row> {
    let boundary = unix(BOUNDARY) as f64;
    let mut states: Vec<Row> = (1..=300)
        .map(|id| Row {
            id,
            seconds: Some(boundary + (id - 150) as f64 * 20.0 - 1e-6),
            refers: [(id > 3).then_some(id - 3), Some(1 + id / 10)],
        })
        .collect();
    // Never updated, unknown, to come, from before the clock was set; and the last microsecond and the first.
    let strange = [None, Some(0.0), Some(4e9), Some(-86_400.5), Some(boundary - 1e-5), Some(boundary)];
    for (id, seconds) in (301..).zip(strange) {
        states.push(Row { id, seconds, refers: [Some(id - 3), Some(40)] });
    }
    states
}

/// Events that share their data in threes, and whose types are shared by all.
fn events() -> Vec<Row> {
    let boundary = unix(BOUNDARY) as f64;
    let seconds = |id: i64| match id {
        59 => None,
        60 => Some(0.0),
        _ => Some(boundary + (id * 7 % 50 - 25) as f64),
    };
    (1..=60)
        .map(|id| Row {
            id,
            seconds: seconds(id),
            // All events of type 3 are past: the third second is the earliest one.
            refers: [
                (id % 4 != 0).then_some(1 + id / 3),
                Some(if id * 7 % 50 == 0 { 3 } else { 1 + id % 2 }),
            ],
        })
        .collect()
}

fn fill(database: &Connection) {
    for id in 1..=40 {
        database.execute("INSERT INTO state_attributes VALUES (?1, ?1 * 17, '{}')", [id]).unwrap();
        database.execute("INSERT INTO event_data VALUES (?1, ?1 * 19, '{}')", [id]).unwrap();
    }
    for event in events() {
        let sql =
            "INSERT INTO events (event_id, time_fired_ts, data_id, event_type_id) VALUES (?1, ?2, ?3, ?4)";
        database.execute(sql, (event.id, event.seconds, event.refers[0], event.refers[1])).unwrap();
    }
    for state in states() {
        let sql = "INSERT INTO states (state_id, state, event_id, last_updated_ts, old_state_id, attributes_id, metadata_id)
                   VALUES (?1, 'on', ?2, ?3, ?4, ?5, ?1 % 3)";
        let event = event_of(state.id);
        database.execute(sql, (state.id, event, state.seconds, state.refers[0], state.refers[1])).unwrap();
    }
    database
        .execute_batch(
            "INSERT INTO recorder_runs VALUES
                (1, '2026-01-01 10:00:00.000000', '2026-11-11 22:59:59.999999', 0, '2026-01-01 10:00:00.000000'),
                (2, '2026-11-11 22:59:59.999999', '2026-11-11 23:00:00.000000', 1, '2026-11-11 23:00:00.000000'),
                (3, '2026-11-11 23:00:00.000000', NULL, 0, '2026-11-11 23:00:00.000000');",
        )
        .unwrap();
    for id in -5..5 {
        let sql = "INSERT INTO statistics_short_term VALUES (?1 + 6, ?2, 1, ?2, 20.5)";
        database.execute(sql, (id, (unix(BOUNDARY) + id * 300) as f64)).unwrap();
    }
}

/// Older recorders wrote which event a state came from.
fn event_of(state: i64) -> Option<i64> {
    (state % 5 == 0).then_some(1 + state % 60)
}

fn ids(rows: &[Row], keep: impl Fn(&Row) -> bool) -> BTreeSet<i64> {
    rows.iter().filter(|row| keep(row)).map(|row| row.id).collect()
}

/// Of shared rows 1 to `last`, those that are left: some row that stays leads there, or none ever did.
fn shared_left(rows: &[Row], which: usize, last: i64) -> Vec<i64> {
    let leads = |row: &Row, id| row.refers[which] == Some(id);
    (1..=last)
        .filter(|id| {
            rows.iter().any(|row| leads(row, *id) && !row.is_past())
                || !rows.iter().any(|row| leads(row, *id))
        })
        .collect()
}

fn expected(states: &[Row], events: &[Row]) -> [(&'static str, Counts); 4] {
    let stay = || states.iter().filter(|state| !state.is_past());
    let (old_states, old_events) = (ids(states, Row::is_past), ids(events, Row::is_past));
    let count = |rows: &[Row], released: usize, along: usize| Counts {
        due: ids(rows, Row::is_past).len() as u64,
        unreadable: ids(rows, Row::is_unreadable).len() as u64,
        released: released as u64,
        along: along as u64,
        ..Counts::default()
    };
    let successors = stay().filter(|state| state.refers[0].is_some_and(|old| old_states.contains(&old)));
    let caused = stay().filter(|state| event_of(state.id).is_some_and(|event| old_events.contains(&event)));
    let attributes = 40 - shared_left(states, 1, 40).len();
    let data = 40 - shared_left(events, 0, 40).len() + 3 - shared_left(events, 1, 3).len();
    [
        ("states", count(states, successors.count(), attributes)),
        ("events", count(events, caused.count(), data)),
        ("runs", Counts { due: 1, ..Counts::default() }),
        ("five-minutes", Counts { due: 5, ..Counts::default() }),
    ]
}

#[test]
fn states_and_events_go_with_what_only_they_share() {
    let program = Program::new(POLICY);
    let database = program.database("home-assistant_v2.db", SCHEMA);
    fill(&database);
    let (states, events) = (states(), events());
    program.hold_to(&["unreadable", "unreadable"], &expected(&states, &events));

    let left = ids(&states, |state| !state.is_past());
    assert_eq!(
        numbers(&database, "SELECT state_id FROM states ORDER BY 1"),
        left.iter().copied().collect::<Vec<_>>()
    );
    assert_eq!(
        numbers(&database, "SELECT attributes_id FROM state_attributes ORDER BY 1"),
        shared_left(&states, 1, 40)
    );
    let old = "SELECT ifnull(old_state_id, 0) FROM states ORDER BY state_id";
    let successors: Vec<i64> = states
        .iter()
        .filter(|state| left.contains(&state.id))
        .map(|state| state.refers[0].filter(|old| left.contains(old)).unwrap_or_default())
        .collect();
    assert_eq!(numbers(&database, old), successors);

    let left: Vec<i64> = ids(&events, |event| !event.is_past()).into_iter().collect();
    assert_eq!(numbers(&database, "SELECT event_id FROM events ORDER BY 1"), left);
    assert_eq!(numbers(&database, "SELECT data_id FROM event_data ORDER BY 1"), shared_left(&events, 0, 40));
    assert_eq!(
        numbers(&database, "SELECT event_type_id FROM event_types ORDER BY 1"),
        shared_left(&events, 1, 3)
    );
    assert_eq!(numbers(&database, "SELECT run_id FROM recorder_runs ORDER BY 1"), [2, 3]);
    assert_eq!(numbers(&database, "SELECT id FROM statistics_short_term ORDER BY 1"), [6, 7, 8, 9, 10]);
    assert_eq!(numbers(&database, "SELECT count(*) FROM statistics"), [1]);
    assert_sound(&database);
}

/// Without `set-null` an event waits for the states that it caused: the key of old recorders would take them.
#[test]
fn an_event_stays_while_a_state_that_stays_names_it() {
    let program =
        Program::new(&POLICY.replace("set-null = [{ table = \"states\", column = \"event_id\" }]\n", ""));
    let database = program.database("home-assistant_v2.db", SCHEMA);
    fill(&database);
    let (states, mut events) = (states(), events());
    let caused = states.iter().filter(|state| !state.is_past()).filter_map(|state| event_of(state.id));
    let named: BTreeSet<i64> = caused.collect();
    let mut blocked = 0;
    for event in events.iter_mut().filter(|event| event.is_past() && named.contains(&event.id)) {
        // As if it were in period.
        event.seconds = Some(unix(BOUNDARY) as f64);
        blocked += 1;
    }
    let mut expected = expected(&states, &events);
    expected[1].1 = Counts { blocked, released: 0, ..expected[1].1 };
    assert!(blocked > 0 && expected[1].1.due > 0 && expected[1].1.along > 0, "{expected:?}");
    program.hold_to(&["unreadable", "unreadable"], &expected);
    let left: Vec<i64> = ids(&events, |event| !event.is_past()).into_iter().collect();
    assert_eq!(numbers(&database, "SELECT event_id FROM events ORDER BY 1"), left);
    assert_eq!(numbers(&database, "SELECT data_id FROM event_data ORDER BY 1"), shared_left(&events, 0, 40));
    let states: Vec<i64> = ids(&states, |state| !state.is_past()).into_iter().collect();
    assert_eq!(numbers(&database, "SELECT state_id FROM states ORDER BY 1"), states);
    assert_sound(&database);
}
