//! Firefox's history: microseconds, visits that lead to each other without a key, pages that bookmarks keep, and
//! counters that only triggers know how to keep.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::support::{Counts, Program, assert_sound, numbers, unix};

const SOURCE: &str = r#"
[source.firefox]
sqlite  = "places.sqlite"
formats = { visit_date = "unix-us", last_visit_date = "unix-us" }
"#;

const VISITS: &str = r#"
[[rule]]
name     = "visits"
data     = "firefox.moz_historyvisits"
keep     = "90 days"
after    = "visit_date"
set-null = [{ table = "moz_historyvisits", column = "from_visit", on = "from_visit = id" }]
"#;

const REST: &str = r#"
with     = [{ table = "moz_historyvisits_extra" }]

[[rule]]
name     = "pages"
data     = "firefox.moz_places"
keep     = "90 days"
after    = "last_visit_date"
when     = "foreign_count = 0"
set-null = [{ table = "moz_places_metadata", column = "referrer_place_id" }]
with     = [
  { table = "moz_historyvisits", on = "place_id = id", with = [{ table = "moz_historyvisits_extra" }] },
  { table = "moz_inputhistory", on = "place_id = id" },
  { table = "moz_annos", on = "place_id = id" },
  { table = "moz_places_metadata", on = "place_id = id", with = [
    { table = "moz_places_metadata_search_queries", on = "id = search_query_id" },
  ] },
  { table = "moz_origins", on = "id = origin_id" },
]
"#;

const IGNORED: &str = r#"ignore  = [
  { table = "moz_bookmarks", why = "kept until they are removed" },
  { table = "moz_keywords", why = "kept until they are removed" },
  { table = "moz_anno_attributes", why = "no personal data" },
  { table = "moz_meta", why = "no personal data" },
  { table = "moz_*", why = "goes with its page" },
]
"#;

const SCHEMA: &str = "
    CREATE TABLE moz_origins (id INTEGER PRIMARY KEY, prefix TEXT NOT NULL, host TEXT NOT NULL,
        frecency INTEGER NOT NULL, UNIQUE (prefix, host));
    CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url LONGVARCHAR, title LONGVARCHAR, rev_host LONGVARCHAR,
        visit_count INTEGER DEFAULT 0, hidden INTEGER DEFAULT 0 NOT NULL, typed INTEGER DEFAULT 0 NOT NULL,
        frecency INTEGER DEFAULT -1 NOT NULL, last_visit_date INTEGER, guid TEXT,
        foreign_count INTEGER DEFAULT 0 NOT NULL, url_hash INTEGER DEFAULT 0 NOT NULL,
        origin_id INTEGER REFERENCES moz_origins (id));
    CREATE INDEX moz_places_url_hashindex ON moz_places (url_hash);
    CREATE INDEX moz_places_visitcount ON moz_places (visit_count);
    CREATE INDEX moz_places_lastvisitdateindex ON moz_places (last_visit_date);
    CREATE UNIQUE INDEX moz_places_guid_uniqueindex ON moz_places (guid);
    CREATE INDEX moz_places_originidindex ON moz_places (origin_id);
    CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, from_visit INTEGER, place_id INTEGER, visit_date INTEGER,
        visit_type INTEGER, session INTEGER, source INTEGER DEFAULT 0 NOT NULL);
    CREATE INDEX moz_historyvisits_placedateindex ON moz_historyvisits (place_id, visit_date);
    CREATE INDEX moz_historyvisits_fromindex ON moz_historyvisits (from_visit);
    CREATE INDEX moz_historyvisits_dateindex ON moz_historyvisits (visit_date);
    CREATE TABLE moz_bookmarks (id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER DEFAULT NULL, parent INTEGER,
        position INTEGER, title LONGVARCHAR, dateAdded INTEGER, lastModified INTEGER, guid TEXT);
    CREATE INDEX moz_bookmarks_itemindex ON moz_bookmarks (fk, type);
";

const MORE: &str = "
    CREATE TABLE moz_historyvisits_extra (visit_id INTEGER PRIMARY KEY NOT NULL, sync_json TEXT,
        FOREIGN KEY (visit_id) REFERENCES moz_historyvisits (id) ON DELETE CASCADE);
    CREATE TABLE moz_inputhistory (place_id INTEGER NOT NULL, input LONGVARCHAR NOT NULL, use_count INTEGER,
        PRIMARY KEY (place_id, input));
    CREATE TABLE moz_anno_attributes (id INTEGER PRIMARY KEY, name VARCHAR(32) UNIQUE NOT NULL);
    CREATE TABLE moz_annos (id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, anno_attribute_id INTEGER,
        content LONGVARCHAR, dateAdded INTEGER DEFAULT 0);
    CREATE UNIQUE INDEX moz_annos_placeattributeindex ON moz_annos (place_id, anno_attribute_id);
    CREATE TABLE moz_keywords (id INTEGER PRIMARY KEY AUTOINCREMENT, keyword TEXT UNIQUE, place_id INTEGER, post_data TEXT);
    CREATE TABLE moz_meta (key TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
    CREATE TABLE moz_places_metadata_search_queries (id INTEGER PRIMARY KEY, terms TEXT NOT NULL UNIQUE);
    CREATE TABLE moz_places_metadata (id INTEGER PRIMARY KEY, place_id INTEGER NOT NULL, referrer_place_id INTEGER,
        created_at INTEGER NOT NULL DEFAULT 0, search_query_id INTEGER,
        FOREIGN KEY (place_id) REFERENCES moz_places (id) ON DELETE CASCADE,
        FOREIGN KEY (referrer_place_id) REFERENCES moz_places (id) ON DELETE CASCADE,
        FOREIGN KEY (search_query_id) REFERENCES moz_places_metadata_search_queries (id) ON DELETE CASCADE,
        CHECK (place_id != referrer_place_id));
    CREATE UNIQUE INDEX moz_places_metadata_placecreated_uniqueindex ON moz_places_metadata (place_id, created_at);
    CREATE INDEX moz_places_metadata_referrerindex ON moz_places_metadata (referrer_place_id);
    INSERT INTO moz_meta VALUES ('origin_frecency_count', 7);
    INSERT INTO moz_anno_attributes VALUES (1, 'a/b');
";

/// The first microsecond that 90 days keep: they end with 20 November for a visit of 22 August.
fn boundary() -> i64 {
    unix("2026-08-22 22:00:00") * 1_000_000
}

struct Visit {
    id: i64,
    from: i64,
    page: i64,
    date: Option<i64>,
}

impl Visit {
    fn is_past(&self) -> bool {
        is_past(self.date)
    }
}

fn is_past(date: Option<i64>) -> bool {
    date.is_some_and(|date| date != 0 && date < boundary())
}

/// Pages 1 to 15 have old visits only; the others have both. Each visit but every third came from the one before.
fn visits() -> Vec<Visit> {
    let hour = 3_600_000_000;
    let mut visits: Vec<Visit> = (1..=160)
        .map(|id| {
            let page = 1 + id % 40;
            let hours = id * 37 % 101 - if page <= 15 { 102 } else { 50 };
            Visit {
                id,
                from: if id % 3 == 0 { 0 } else { id - 1 },
                page,
                date: Some(boundary() + hours * hour),
            }
        })
        .collect();
    // On pages of their own: the last microsecond and the first, none, zero, and one to come.
    let strange = [Some(boundary() - 1), Some(boundary()), None, Some(0), Some(4_000_000_000_000_000)];
    for (id, date) in (161..).zip(strange) {
        visits.push(Visit { id, from: 1, page: id - 120, date });
    }
    visits
}

struct Page {
    id: i64,
    last_visit: Option<i64>,
    is_bookmarked: bool,
}

/// Every seventh page has a bookmark. Page 44 says that its last visit was long ago, and nobody knows when that was;
/// page 46 was never visited.
fn pages(visits: &[Visit]) -> Vec<Page> {
    let last = |id| visits.iter().filter(|visit| visit.page == id).filter_map(|visit| visit.date).max();
    let last_visit = |id| if id == 44 { Some(boundary() - 1) } else { last(id) };
    (1..=46).map(|id| Page { id, last_visit: last_visit(id), is_bookmarked: id % 7 == 0 }).collect()
}

fn fill(database: &Connection) {
    for id in 1..=12 {
        database.execute("INSERT INTO moz_origins VALUES (?1, 'https://', 'host' || ?1, 1)", [id]).unwrap();
    }
    let visits = visits();
    for page in pages(&visits) {
        let sql =
            "INSERT INTO moz_places (id, url, guid, last_visit_date, foreign_count, origin_id, visit_count)
                   VALUES (?1, 'https://host/' || ?1, 'guid' || ?1, ?2, ?3, ?4, ?5)";
        let count = visits.iter().filter(|visit| visit.page == page.id).count() as i64;
        let row = (page.id, page.last_visit, page.is_bookmarked, origin(page.id), count);
        database.execute(sql, row).unwrap();
        if page.is_bookmarked {
            database
                .execute("INSERT INTO moz_bookmarks (type, fk, parent) VALUES (1, ?1, 2)", [page.id])
                .unwrap();
        }
    }
    for visit in visits {
        let sql = "INSERT INTO moz_historyvisits (id, from_visit, place_id, visit_date, visit_type) VALUES (?1, ?2, ?3, ?4, 1)";
        database.execute(sql, (visit.id, visit.from, visit.page, visit.date)).unwrap();
    }
}

fn fill_more(database: &Connection) {
    for id in 1..=20 {
        let sql = "INSERT INTO moz_places_metadata_search_queries VALUES (?1, 'terms ' || ?1)";
        database.execute(sql, [id]).unwrap();
    }
    for page in 1..=46 {
        database.execute("INSERT INTO moz_inputhistory VALUES (?1, 'a', 1), (?1, 'b', 1)", [page]).unwrap();
        database.execute("INSERT INTO moz_annos VALUES (?1 + 100, ?1, 1, 'x', 0)", [page]).unwrap();
        let sql = "INSERT INTO moz_places_metadata VALUES (?1, ?1, ?2, 0, ?3)";
        database.execute(sql, (page, referrer(page), query(page))).unwrap();
    }
    database
        .execute_batch(
            "INSERT INTO moz_historyvisits_extra SELECT id, '{}' FROM moz_historyvisits WHERE id % 4 = 0",
        )
        .unwrap();
}

/// The first ones have old pages alone.
fn origin(page: i64) -> i64 {
    1 + page / 4
}

fn referrer(page: i64) -> Option<i64> {
    (page > 1).then_some(page - 1)
}

fn query(page: i64) -> Option<i64> {
    (page % 5 != 0).then_some(1 + page / 3)
}

fn left(all: std::ops::RangeInclusive<i64>, gone: &BTreeSet<i64>) -> Vec<i64> {
    all.filter(|id| !gone.contains(id)).collect()
}

/// Of what pages share, what only pages lead to that go.
fn shared_gone(shared: impl Fn(i64) -> Option<i64>, gone: &BTreeSet<i64>) -> BTreeSet<i64> {
    let stays: BTreeSet<i64> = (1..=46).filter(|page| !gone.contains(page)).filter_map(&shared).collect();
    gone.iter().filter_map(|page| shared(*page)).filter(|id| !stays.contains(id)).collect()
}

#[test]
fn pages_go_with_all_that_is_about_them_and_bookmarks_keep_theirs() {
    let program = Program::new(&format!("{SOURCE}{IGNORED}{VISITS}{REST}"));
    let database = program.database("places.sqlite", &format!("{SCHEMA}{MORE}"));
    fill(&database);
    fill_more(&database);
    let visits = visits();
    let pages = pages(&visits);
    let gone_visits: BTreeSet<i64> =
        visits.iter().filter(|visit| visit.is_past()).map(|visit| visit.id).collect();
    let past: BTreeSet<i64> = pages
        .iter()
        .filter(|page| !page.is_bookmarked && is_past(page.last_visit))
        .map(|page| page.id)
        .collect();
    // A visit that stays keeps its page.
    let kept: BTreeSet<i64> =
        visits.iter().filter(|visit| !visit.is_past()).map(|visit| visit.page).collect();
    let gone: BTreeSet<i64> = past.difference(&kept).copied().collect();
    let (origins, queries) = (shared_gone(|page| Some(origin(page)), &gone), shared_gone(query, &gone));
    let from_gone =
        visits.iter().filter(|visit| !visit.is_past() && gone_visits.contains(&visit.from)).count();
    let referred = (1..=46)
        .filter(|page| !gone.contains(page) && referrer(*page).is_some_and(|page| gone.contains(&page)));
    let extras = gone_visits.iter().filter(|id| *id % 4 == 0).count();
    let visits_counted = Counts {
        due: gone_visits.len() as u64,
        unreadable: 1,
        released: from_gone as u64,
        along: extras as u64,
        ..Counts::default()
    };
    let pages_counted = Counts {
        due: gone.len() as u64,
        blocked: (past.len() - gone.len()) as u64,
        released: referred.count() as u64,
        // Two inputs, an annotation and a page's metadata each.
        along: (4 * gone.len() + origins.len() + queries.len()) as u64,
        ..Counts::default()
    };
    assert_eq!(
        [past.len() - gone.len(), origins.len().min(2), queries.len().min(2)],
        [1, 2, 2],
        "a test of each"
    );
    program.hold_to(&["unreadable"], &[("visits", visits_counted), ("pages", pages_counted)]);

    assert_eq!(
        numbers(&database, "SELECT id FROM moz_historyvisits ORDER BY 1"),
        left(1..=165, &gone_visits)
    );
    assert_eq!(numbers(&database, "SELECT id FROM moz_places ORDER BY 1"), left(1..=46, &gone));
    assert_eq!(numbers(&database, "SELECT id FROM moz_origins ORDER BY 1"), left(1..=12, &origins));
    assert_eq!(
        numbers(&database, "SELECT id FROM moz_places_metadata_search_queries ORDER BY 1"),
        left(1..=20, &queries)
    );
    assert_eq!(
        numbers(&database, "SELECT count(*) FROM moz_bookmarks WHERE fk NOT IN (SELECT id FROM moz_places)"),
        [0]
    );
    for table in ["moz_inputhistory", "moz_annos", "moz_places_metadata"] {
        let sql = format!("SELECT DISTINCT place_id FROM {table} ORDER BY 1");
        assert_eq!(numbers(&database, &sql), left(1..=46, &gone), "{table}");
    }
    let dangling = "SELECT count(*) FROM moz_historyvisits
                    WHERE from_visit <> 0 AND from_visit NOT IN (SELECT id FROM moz_historyvisits)
                       OR place_id NOT IN (SELECT id FROM moz_places)";
    assert_eq!(numbers(&database, dangling), [0]);
    let extras = "SELECT count(*) FROM moz_historyvisits_extra WHERE visit_id NOT IN (SELECT id FROM moz_historyvisits)";
    assert_eq!(numbers(&database, extras), [0]);
    assert_sound(&database);
}

/// Older versions kept their counters by triggers in the file itself.
#[test]
fn counters_that_triggers_keep_are_right_after_the_purge() {
    let ignored = "ignore = [{ table = \"moz_*\", why = \"only visits go here\" }]\n";
    let program =
        Program::new(&format!("{SOURCE}{ignored}{VISITS}").replace(", last_visit_date = \"unix-us\"", ""));
    let trigger = "CREATE TRIGGER moz_historyvisits_afterdelete_trigger AFTER DELETE ON moz_historyvisits FOR EACH ROW
        WHEN OLD.visit_type NOT IN (0, 4, 7, 8) BEGIN
            UPDATE moz_places SET visit_count = visit_count - 1,
                last_visit_date = (SELECT max(visit_date) FROM moz_historyvisits WHERE place_id = OLD.place_id)
            WHERE moz_places.id = OLD.place_id AND moz_places.visit_count > 0; END;";
    let database = program.database("places.sqlite", &format!("{SCHEMA}{trigger}"));
    fill(&database);
    let visits = visits();
    let gone: BTreeSet<i64> = visits.iter().filter(|visit| visit.is_past()).map(|visit| visit.id).collect();
    let from_gone = visits.iter().filter(|visit| !visit.is_past() && gone.contains(&visit.from)).count();
    let counted =
        Counts { due: gone.len() as u64, unreadable: 1, released: from_gone as u64, ..Counts::default() };
    program.hold_to(&["unreadable"], &[("visits", counted)]);
    assert_eq!(numbers(&database, "SELECT id FROM moz_historyvisits ORDER BY 1"), left(1..=165, &gone));
    let counts =
        (1..=46).map(|id| visits.iter().filter(|visit| visit.page == id && !visit.is_past()).count() as i64);
    assert_eq!(
        numbers(&database, "SELECT visit_count FROM moz_places ORDER BY id"),
        counts.collect::<Vec<_>>()
    );
    let last = (1..=43).map(|id| {
        let stay = visits.iter().filter(|visit| visit.page == id && !visit.is_past());
        stay.filter_map(|visit| visit.date).max().unwrap_or_default()
    });
    let sql = "SELECT ifnull(last_visit_date, 0) FROM moz_places WHERE id <= 43 ORDER BY id";
    assert_eq!(numbers(&database, sql), last.collect::<Vec<_>>());
    assert_sound(&database);
}
