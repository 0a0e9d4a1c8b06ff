//! The same times in one column, written in each form.

use std::path::Path;

use rusqlite::Connection;

/// A form: what a policy declares, and what SQLite makes of `seconds` since 1970.
pub(crate) const FORMS: [(&str, &str); 9] = [
    ("'unix'", "seconds"),
    ("'unix'", "seconds || '.25'"),
    ("'webkit'", "(seconds + 11644473600) * 1000000"),
    ("'excel-serial'", "seconds / 86400.0 + 25569"),
    ("'%d-%m-%Y'", "strftime('%d-%m-%Y', seconds, 'unixepoch')"),
    ("'%-m/%-d/%Y %-I:%M %p'", "strftime('%m/%d/%Y ', seconds, 'unixepoch') || '11:05 PM'"),
    (
        "{ pattern = '%d.%m.%y', century = '1970' }",
        "strftime('%d.%m.', seconds, 'unixepoch') || substr(strftime('%Y', seconds, 'unixepoch'), 3)",
    ),
    (
        "{ pattern = '%-d. %b %Y', locale = 'da' }",
        "strftime('%d', seconds, 'unixepoch') || '. okt. ' || strftime('%Y', seconds, 'unixepoch')",
    ),
    ("['iso', '%d/%m/%Y']", "strftime('%Y-%m-%d %H:%M:%S', seconds, 'unixepoch')"),
];

pub(crate) struct Forms {
    _folder: tempfile::TempDir,
    /// The policy of the commonest form, and one of each of `FORMS`.
    pub(crate) policies: Vec<String>,
}

impl Forms {
    /// Times at random over ten years, a table for each form.
    pub(crate) fn build(rows: u64) -> Forms {
        let folder = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let connection = Connection::open(folder.path().join("app.db")).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
                 CREATE TABLE at (id INTEGER PRIMARY KEY, seconds INTEGER);
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
                 INSERT INTO at SELECT i, unixepoch() - abs(random()) % 315360000 FROM n"
            ))
            .unwrap();
        let commonest = ("'iso'", "strftime('%Y-%m-%d %H:%M:%S', seconds, 'unixepoch')");
        let forms = [commonest].into_iter().chain(FORMS);
        let policies = forms.enumerate().map(|(number, (declared, sql))| {
            let table = format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, at); INSERT INTO t{number} SELECT id, {sql} FROM at");
            connection.execute_batch(&table).unwrap();
            let policy = folder.path().join(format!("policy{number}.toml"));
            let text = format!(
                "version = 1\n[policy]\nname = \"bench\"\ntimezone = \"UTC\"\n[source.app]\nsqlite = \"app.db\"\n\
                 formats = {{ at = {declared} }}\n\
                 [[rule]]\nname = \"t\"\ndata = \"app.t{number}\"\nkeep = \"5 years\"\nafter = \"at\"\n"
            );
            std::fs::write(&policy, text).unwrap();
            policy.display().to_string()
        });
        let policies = policies.collect();
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        Forms { _folder: folder, policies }
    }
}
