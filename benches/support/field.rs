//! Tables of real programs with a million rows, half of them or so past their time, and the `DELETE`s that an operator
//! would write.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// A program's tables, its policy, and the same by hand.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    build: &'static str,
    policy: &'static str,
    pub(crate) delete: &'static str,
}

/// `$N` is the number of rows; `n (i)` counts to it.
pub(crate) const PROGRAMS: [Program; 4] = [
    Program {
        name: "Chrome's history",
        build: "CREATE TABLE urls (id INTEGER PRIMARY KEY AUTOINCREMENT, url LONGVARCHAR, last_visit_time INTEGER NOT NULL);
            CREATE TABLE visits (id INTEGER PRIMARY KEY AUTOINCREMENT, url INTEGER NOT NULL, visit_time INTEGER NOT NULL,
                from_visit INTEGER, transition INTEGER DEFAULT 0 NOT NULL);
            CREATE INDEX visits_url_index ON visits (url); CREATE INDEX visits_from_index ON visits (from_visit);
            CREATE INDEX visits_time_index ON visits (visit_time); CREATE INDEX urls_url_index ON urls (url);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $N)
            INSERT INTO visits SELECT i, 1 + abs(random()) % ($N / 5),
                (unixepoch() + 11644473600 - 180 * 86400) * 1000000 + i * 180 * 86400 * 1000000 / $N, i - 1, 0 FROM n;
            INSERT INTO urls SELECT url, 'https://example.org/' || url, max(visit_time) FROM visits GROUP BY url;",
        policy: "formats = { visit_time = 'webkit', last_visit_time = 'webkit' }
            [[rule]]\nname = 'visits'\ndata = 'app.visits'\nkeep = '90 days'\nafter = 'visit_time'
            [[rule]]\nname = 'urls'\ndata = 'app.urls'\nkeep = '90 days'\nafter = 'last_visit_time'\n",
        delete: "DELETE FROM visits WHERE visit_time < (unixepoch() + 11644473600 - 91 * 86400) * 1000000;
            DELETE FROM urls WHERE last_visit_time < (unixepoch() + 11644473600 - 91 * 86400) * 1000000",
    },
    Program {
        name: "Grafana's versions of dashboards, 20 kept of each",
        build: "CREATE TABLE dashboard_version (id INTEGER PRIMARY KEY AUTOINCREMENT, dashboard_id INTEGER NOT NULL,
                version INTEGER NOT NULL, created DATETIME NOT NULL, data TEXT);
            CREATE INDEX IDX_dashboard_version_dashboard_id ON dashboard_version (dashboard_id);
            CREATE UNIQUE INDEX UQE_dashboard_version ON dashboard_version (dashboard_id, version);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $N)
            INSERT INTO dashboard_version SELECT i, i % ($N / 40), i / ($N / 40),
                datetime(unixepoch() - 365 * 86400 + i * 365 * 86400 / $N, 'unixepoch'), hex(randomblob(40)) FROM n;",
        policy: "[[rule]]\nname = 'versions'\ndata = 'app.dashboard_version'\nkeep = '30 days'\nafter = 'created'
            keep-newest = 20\nper = 'dashboard_id'\n",
        delete: "DELETE FROM dashboard_version WHERE created < date('now', '-30 days') AND id NOT IN (SELECT id FROM
            (SELECT id, row_number() OVER (PARTITION BY dashboard_id ORDER BY created DESC) AS place
             FROM dashboard_version) WHERE place <= 20)",
    },
    Program {
        name: "WordPress' spam, with what belongs to it",
        build: "CREATE TABLE wp_comments (comment_ID INTEGER PRIMARY KEY AUTOINCREMENT, comment_post_ID INTEGER NOT NULL,
                comment_author TEXT, comment_date_gmt TEXT NOT NULL, comment_approved TEXT NOT NULL, comment_parent INTEGER);
            CREATE INDEX comment_post_ID ON wp_comments (comment_post_ID);
            CREATE INDEX comment_approved_date_gmt ON wp_comments (comment_approved, comment_date_gmt);
            CREATE INDEX comment_date_gmt ON wp_comments (comment_date_gmt);
            CREATE INDEX comment_parent ON wp_comments (comment_parent);
            CREATE TABLE wp_commentmeta (meta_id INTEGER PRIMARY KEY AUTOINCREMENT, comment_id INTEGER NOT NULL,
                meta_key TEXT, meta_value TEXT);
            CREATE INDEX comment_id ON wp_commentmeta (comment_id); CREATE INDEX meta_key ON wp_commentmeta (meta_key);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $N / 2)
            INSERT INTO wp_comments SELECT i, i % 1000, 'x',
                datetime(unixepoch() - 60 * 86400 + i * 120 * 86400 / $N, 'unixepoch'), iif(i % 2, '1', 'spam'), 0 FROM n;
            INSERT INTO wp_commentmeta SELECT NULL, comment_ID, 'checked', 'yes' FROM wp_comments;",
        policy: "[[rule]]\nname = 'spam'\ndata = 'app.wp_comments'\nkeep = '15 days'\nafter = 'comment_date_gmt'
            when = \"comment_approved = 'spam'\"\nwith = [{ table = 'wp_commentmeta', on = 'comment_id = comment_ID' }]\n",
        delete: "DELETE FROM wp_commentmeta WHERE comment_id IN (SELECT comment_ID FROM wp_comments
                WHERE comment_approved = 'spam' AND comment_date_gmt < date('now', '-15 days'));
            DELETE FROM wp_comments WHERE comment_approved = 'spam' AND comment_date_gmt < date('now', '-15 days')",
    },
    Program {
        name: "Home Assistant's states, their predecessors let go, with attributes that ten share",
        build: "CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, shared_attrs TEXT);
            CREATE TABLE states (state_id INTEGER PRIMARY KEY, state VARCHAR(255), last_updated_ts FLOAT,
                old_state_id INTEGER REFERENCES states (state_id), context_id_bin BLOB, metadata_id INTEGER,
                attributes_id INTEGER REFERENCES state_attributes (attributes_id));
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $N / 10 + 1)
            INSERT INTO state_attributes SELECT i, '{}' FROM n;
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $N)
            INSERT INTO states SELECT i, 'on', unixepoch() - 20 * 86400 + i * 20.0 * 86400 / $N, nullif(max(i - 3, 0), 0),
                randomblob(16), i % 3, 1 + i / 10 FROM n;
            CREATE INDEX ix_states_attributes_id ON states (attributes_id);
            CREATE INDEX ix_states_old_state_id ON states (old_state_id);
            CREATE INDEX ix_states_last_updated_ts ON states (last_updated_ts);
            CREATE INDEX ix_states_context_id_bin ON states (context_id_bin);
            CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);",
        policy: "formats = { last_updated_ts = 'unix' }
            [[rule]]\nname = 'states'\ndata = 'app.states'\nkeep = 'at most 10 days'\nafter = 'last_updated_ts'
            set-null = [{ table = 'states', column = 'old_state_id' }]
            with = [{ table = 'state_attributes', on = 'attributes_id = attributes_id' }]\n",
        delete: "UPDATE states SET old_state_id = NULL WHERE last_updated_ts >= unixepoch(date('now', '-9 days')) AND old_state_id IN
                (SELECT state_id FROM states WHERE last_updated_ts < unixepoch(date('now', '-9 days')));
            DELETE FROM states WHERE last_updated_ts < unixepoch(date('now', '-9 days'));
            DELETE FROM state_attributes WHERE NOT EXISTS
                (SELECT 1 FROM states WHERE states.attributes_id = state_attributes.attributes_id)",
    },
];

pub(crate) struct Field {
    folder: tempfile::TempDir,
    pub(crate) policy: String,
}

impl Field {
    pub(crate) fn build(program: &Program, rows: u64) -> Field {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let connection = Connection::open(folder.path().join("built.db")).unwrap();
        let build = program.build.replace("$N", &rows.to_string());
        let sql = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; {build} PRAGMA wal_checkpoint(TRUNCATE)"
        );
        connection.execute_batch(&sql).unwrap();
        let policy = folder.path().join("policy.toml");
        let text = format!(
            "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\nlimit = {{ share = \"100%\" }}\n\
             [source.app]\nsqlite = \"app.db\"\n{}",
            program.policy
        );
        std::fs::write(&policy, text).unwrap();
        Field { policy: policy.display().to_string(), folder }
    }

    /// The database as it was built, on the disk.
    pub(crate) fn fresh(&self) -> PathBuf {
        let path = self.folder.path().join("app.db");
        for beside in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(format!("app.db{beside}")));
        }
        std::fs::copy(self.folder.path().join("built.db"), &path).unwrap();
        std::fs::File::open(&path).unwrap().sync_all().unwrap();
        path
    }
}
