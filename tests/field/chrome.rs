//! Chrome's history: microseconds since 1601, in which 0 is never, and tables without row numbers that name visits.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, unix};

const POLICY: &str = r#"
[source.chrome]
sqlite  = "History"
formats = { last_visit_time = "webkit", visit_time = "webkit", start_time = "webkit", end_time = "webkit" }
empty   = "0"
ignore  = [
  { table = "meta", why = "no personal data" },
  { table = "*_annotations", why = "goes with its visit" },
  { table = "segment*", why = "goes with its page" },
  { table = "keyword_search_terms", why = "goes with its page" },
  { table = "downloads_*", why = "goes with its download" },
]

[[rule]]
name     = "visits"
data     = "chrome.visits"
keep     = "90 days"
after    = "visit_time"
set-null = [
  { table = "visits", column = "from_visit", on = "from_visit = id" },
  { table = "visits", column = "opener_visit", on = "opener_visit = id" },
]
with     = [
  { table = "content_annotations", on = "visit_id = id" },
  { table = "context_annotations", on = "visit_id = id" },
]

[[rule]]
name  = "clusters"
data  = "chrome.clusters_and_visits"
keep  = "90 days"
after = { table = "visits", column = "visit_time", on = "id = visit_id" }

[[rule]]
name  = "pages"
data  = "chrome.urls"
keep  = "90 days"
after = "last_visit_time"
with  = [
  { table = "visits", on = "url = id" },
  { table = "keyword_search_terms", on = "url_id = id" },
  { table = "segments", on = "url_id = id", with = [{ table = "segment_usage", on = "segment_id = id" }] },
]

[[rule]]
name  = "downloads"
data  = "chrome.downloads"
keep  = "at most 1 year"
after = "end_time"
with  = [{ table = "downloads_url_chains", on = "id = id" }, { table = "downloads_slices", on = "download_id = id" }]
"#;

const SCHEMA: &str = "
    CREATE TABLE meta (key LONGVARCHAR NOT NULL UNIQUE PRIMARY KEY, value LONGVARCHAR);
    CREATE TABLE urls (id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, title LONGVARCHAR, visit_count INTEGER DEFAULT 0 NOT NULL,
        typed_count INTEGER DEFAULT 0 NOT NULL, last_visit_time INTEGER NOT NULL, hidden INTEGER DEFAULT 0 NOT NULL);
    CREATE INDEX urls_url_index ON urls (url);
    CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL, from_visit INTEGER,
        transition INTEGER DEFAULT 0 NOT NULL, segment_id INTEGER, visit_duration INTEGER DEFAULT 0 NOT NULL, opener_visit INTEGER);
    CREATE INDEX visits_url_index ON visits (url);
    CREATE INDEX visits_from_index ON visits (from_visit);
    CREATE INDEX visits_time_index ON visits (visit_time);
    CREATE TABLE content_annotations (visit_id INTEGER PRIMARY KEY, visibility_score NUMERIC, categories VARCHAR);
    CREATE TABLE context_annotations (visit_id INTEGER PRIMARY KEY, context_annotation_flags INTEGER NOT NULL);
    CREATE TABLE clusters_and_visits (cluster_id INTEGER NOT NULL, visit_id INTEGER NOT NULL, score NUMERIC DEFAULT 0 NOT NULL,
        PRIMARY KEY (cluster_id, visit_id)) WITHOUT ROWID;
    CREATE INDEX clusters_for_visit ON clusters_and_visits (visit_id);
    CREATE TABLE keyword_search_terms (keyword_id INTEGER NOT NULL, url_id INTEGER NOT NULL, term LONGVARCHAR NOT NULL, normalized_term LONGVARCHAR NOT NULL);
    CREATE INDEX keyword_search_terms_index2 ON keyword_search_terms (url_id);
    CREATE TABLE segments (id INTEGER PRIMARY KEY, name VARCHAR, url_id INTEGER NON NULL);
    CREATE INDEX segments_url_id ON segments (url_id);
    CREATE TABLE segment_usage (id INTEGER PRIMARY KEY, segment_id INTEGER NOT NULL, time_slot INTEGER NOT NULL, visit_count INTEGER DEFAULT 0 NOT NULL);
    CREATE INDEX segments_usage_seg_id ON segment_usage (segment_id);
    CREATE TABLE downloads (id INTEGER PRIMARY KEY, guid VARCHAR NOT NULL, target_path LONGVARCHAR NOT NULL, start_time INTEGER NOT NULL,
        state INTEGER NOT NULL, end_time INTEGER NOT NULL, last_access_time INTEGER NOT NULL);
    CREATE TABLE downloads_url_chains (id INTEGER NOT NULL, chain_index INTEGER NOT NULL, url LONGVARCHAR NOT NULL, PRIMARY KEY (id, chain_index));
    CREATE TABLE downloads_slices (download_id INTEGER NOT NULL, offset INTEGER NOT NULL, received_bytes INTEGER NOT NULL, PRIMARY KEY (download_id, offset));
    INSERT INTO meta VALUES ('version', '68');
";

/// Microseconds since 1601 began, 134,774 days before 1970 did.
fn webkit(time: &str) -> i64 {
    (unix(time) + 134_774 * 86_400) * 1_000_000
}

/// The first microsecond that 90 days keep: those of 22 August end with 20 November.
fn boundary() -> i64 {
    webkit("2026-08-22 22:00:00")
}

fn is_past(time: i64) -> bool {
    time != 0 && time < boundary()
}

/// Number, page, time, and the visits that it came from and was opened by.
struct Visit {
    id: i64,
    page: i64,
    time: i64,
    from: [i64; 2],
}

/// Pages 1 to 10 were seen long ago, the others before and after.
fn visits() -> Vec<Visit> {
    let mut visits: Vec<Visit> = (1..=120)
        .map(|id| {
            let page = 1 + id % 30;
            let hours = id * 41 % 97 - if page <= 10 { 98 } else { 48 };
            let from = [if id % 3 == 0 { 0 } else { id - 1 }, if id % 5 == 0 { id - 1 } else { 0 }];
            Visit { id, page, time: boundary() + hours * 3_600_000_000, from }
        })
        .collect();
    for (id, page, time) in
        [(121, 31, boundary() - 1), (122, 32, boundary()), (123, 33, webkit("2090-01-01"))]
    {
        visits.push(Visit { id, page, time, from: [1, 0] });
    }
    visits
}

/// The last page was never seen.
fn pages(visits: &[Visit]) -> Vec<(i64, i64)> {
    let last = |page| visits.iter().filter(|visit| visit.page == page).map(|visit| visit.time).max();
    (1..=34).map(|page| (page, last(page).unwrap_or_default())).collect()
}

/// At most a year of 21 November 2025 ends today; a download of 0 is not over.
fn downloads() -> [(i64, i64); 5] {
    let ends = webkit("2025-11-21 23:00:00");
    [(1, ends - 1), (2, ends), (3, 0), (4, webkit("1980-01-01")), (5, webkit("2090-01-01"))]
}

fn fill(database: &Connection) {
    let visits = visits();
    for (id, last) in pages(&visits) {
        let sql =
            "INSERT INTO urls (id, url, title, last_visit_time) VALUES (?1, 'https://host/' || ?1, 'T', ?2)";
        database.execute(sql, (id, last)).unwrap();
        database.execute("INSERT INTO keyword_search_terms VALUES (2, ?1, 'words', 'words')", [id]).unwrap();
        database.execute("INSERT INTO segments VALUES (?1 + 100, 'host', ?1)", [id]).unwrap();
        database
            .execute(
                "INSERT INTO segment_usage (segment_id, time_slot) VALUES (?1 + 100, 1), (?1 + 100, 2)",
                [id],
            )
            .unwrap();
    }
    for Visit { id, page, time, from: [from, opener] } in visits {
        let sql =
            "INSERT INTO visits (id, url, visit_time, from_visit, opener_visit) VALUES (?1, ?2, ?3, ?4, ?5)";
        database.execute(sql, (id, page, time, from, opener)).unwrap();
        database.execute("INSERT INTO context_annotations VALUES (?1, 0)", [id]).unwrap();
        database.execute("INSERT INTO clusters_and_visits VALUES (?1 / 10, ?1, 0)", [id]).unwrap();
        if id % 4 == 0 {
            database.execute("INSERT INTO content_annotations VALUES (?1, 0.5, '')", [id]).unwrap();
        }
    }
    for (id, end) in downloads() {
        let sql = "INSERT INTO downloads VALUES (?1, 'g' || ?1, '/home/ida/x', ?2, 1, ?2, 0)";
        database.execute(sql, (id, end)).unwrap();
        database.execute("INSERT INTO downloads_url_chains VALUES (?1, 0, 'a'), (?1, 1, 'b')", [id]).unwrap();
        database.execute("INSERT INTO downloads_slices VALUES (?1, 0, 9)", [id]).unwrap();
    }
}

#[test]
fn visits_and_pages_go_by_a_clock_that_began_in_1601() {
    let program = Program::new(POLICY);
    let database = program.database("History", SCHEMA);
    fill(&database);
    let visits = visits();
    let gone: BTreeSet<i64> =
        visits.iter().filter(|visit| is_past(visit.time)).map(|visit| visit.id).collect();
    let gone_pages: BTreeSet<i64> =
        pages(&visits).into_iter().filter(|(_, last)| is_past(*last)).map(|(id, _)| id).collect();
    assert_eq!(gone_pages, (1..=10).chain([31]).collect());
    let emptied = |which: usize| {
        visits.iter().filter(|visit| !gone.contains(&visit.id) && gone.contains(&visit.from[which])).count()
    };
    let annotated = gone.iter().filter(|id| *id % 4 == 0).count();
    let of_visits = Counts {
        due: gone.len() as u64,
        released: (emptied(0) + emptied(1)) as u64,
        along: (gone.len() + annotated) as u64,
        ..Counts::default()
    };
    let rows =
        |due: usize, along: usize| Counts { due: due as u64, along: along as u64, ..Counts::default() };
    program.hold_to(
        &[],
        &[
            ("visits", of_visits),
            ("clusters", rows(gone.len(), 0)),
            // What was searched for, a segment and two of its days each.
            ("pages", rows(gone_pages.len(), 4 * gone_pages.len())),
            ("downloads", rows(2, 2 * 3)),
        ],
    );
    let left: Vec<i64> = (1..=123).filter(|id| !gone.contains(id)).collect();
    for (table, column) in
        [("visits", "id"), ("context_annotations", "visit_id"), ("clusters_and_visits", "visit_id")]
    {
        assert_eq!(numbers(&database, &format!("SELECT {column} FROM {table} ORDER BY 1")), left, "{table}");
    }
    let annotated: Vec<i64> = left.iter().copied().filter(|id| id % 4 == 0).collect();
    assert_eq!(numbers(&database, "SELECT visit_id FROM content_annotations ORDER BY 1"), annotated);
    let pages: Vec<i64> = (1..=34).filter(|id| !gone_pages.contains(id)).collect();
    for (table, column) in [("urls", "id"), ("keyword_search_terms", "url_id"), ("segments", "url_id")] {
        assert_eq!(numbers(&database, &format!("SELECT {column} FROM {table} ORDER BY 1")), pages, "{table}");
    }
    let dangling = "SELECT count(*) FROM visits WHERE url NOT IN (SELECT id FROM urls)
                        OR from_visit <> 0 AND from_visit NOT IN (SELECT id FROM visits)
                        OR opener_visit <> 0 AND opener_visit NOT IN (SELECT id FROM visits)";
    assert_eq!(numbers(&database, dangling), [0]);
    assert_eq!(numbers(&database, "SELECT count(*) FROM segment_usage"), [2 * pages.len() as i64]);
    assert_eq!(numbers(&database, "SELECT id FROM downloads ORDER BY 1"), [2, 3, 5]);
    assert_eq!(numbers(&database, "SELECT DISTINCT id FROM downloads_url_chains ORDER BY 1"), [2, 3, 5]);
    assert_eq!(numbers(&database, "SELECT download_id FROM downloads_slices ORDER BY 1"), [2, 3, 5]);
    assert_sound(&database);
}

/// Read as microseconds since 1970, all of them lie behind the last year that is read: that is told, and nothing goes.
#[test]
fn a_wrong_epoch_takes_nothing() {
    let program = Program::new(&POLICY.replace("webkit", "unix-us"));
    let database = program.database("History", SCHEMA);
    fill(&database);
    program.frist(&["purge", "--yes"]).expect(3);
    assert_eq!(numbers(&database, "SELECT count(*) FROM visits"), [123]);
    assert_eq!(numbers(&database, "SELECT count(*) FROM urls"), [34]);
}
