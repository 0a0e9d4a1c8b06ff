//! A table whose rows name others of it: a row keeps the one that it names.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub(crate) struct Chains {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) policy: String,
}

/// What row `i` refers to.
pub(crate) const KINDS: [(&str, &str); 3] = [
    ("1,000 chains", "iif(i > 1000, i - 1000, NULL)"),
    ("one chain", "nullif(i - 1, 0)"),
    ("a random tree", "iif(i > 1, 1 + abs(random() % (i - 1)), NULL)"),
];

/// How many old rows stay, for a younger one leads to them.
pub(crate) const KEPT: &str = "WITH RECURSIVE kept(id) AS (SELECT id FROM states WHERE at >= '2020' UNION \
     SELECT states.old FROM states JOIN kept USING (id) WHERE states.old IS NOT NULL) \
     SELECT count(*) FROM kept JOIN states USING (id) WHERE at < '2020'";

impl Chains {
    /// So many rows, of which the older half is past its time.
    pub(crate) fn build((_, names): (&str, &str), rows: u64) -> Chains {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let path = folder.path().join("app.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
                 CREATE TABLE states (id INTEGER PRIMARY KEY, at TEXT, old INTEGER REFERENCES states (id));
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
                 INSERT INTO states SELECT i, iif(i <= {rows} / 2, '2001-02-03', '2290-01-01'), {names} FROM n;
                 CREATE INDEX states_old ON states (old);
                 PRAGMA wal_checkpoint(TRUNCATE)"
            ))
            .unwrap();
        let policy = folder.path().join("policy.toml");
        let text = "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\n[source.app]\nsqlite = \"app.db\"\n\
             [[rule]]\nname = \"states\"\ndata = \"app.states\"\nkeep = \"5 years\"\nafter = \"at\"\n";
        std::fs::write(&policy, text).unwrap();
        Chains { _folder: folder, path, policy: policy.display().to_string() }
    }
}
