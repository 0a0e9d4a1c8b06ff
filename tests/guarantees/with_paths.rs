//! Files whose paths are made of columns: they go with their rows, wherever these lead, and nothing else does.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::support::{COMING, OLD, PURGE, Place, Random, SOURCE, WITHOUT_LIMIT, count, rule};

/// Posts, their attachments and the blobs of these, as Active Storage has them.
const BLOBS: &str = "CREATE TABLE posts (id INTEGER PRIMARY KEY, at TEXT);
    CREATE TABLE attachments (id INTEGER PRIMARY KEY, post INTEGER, blob INTEGER REFERENCES blobs (id));
    CREATE TABLE blobs (id INTEGER PRIMARY KEY, key TEXT UNIQUE, file_name TEXT);
    CREATE INDEX by_post ON attachments (post); CREATE INDEX by_blob ON attachments (blob);";

fn place(path: &str, sql: &str) -> (Place, rusqlite::Connection) {
    let place = Place::in_memory();
    let with = format!(
        "with = [{{ table = \"attachments\", on = \"post = id\", with = [{{ table = \"blobs\", with = [
            {{ files = \"storage\", path = \"{path}\" }}] }}] }}]\n"
    );
    place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{with}", rule("posts", "posts")));
    let connection = place.database(&format!("{BLOBS}{sql}"));
    fs::create_dir(place.path("storage")).unwrap();
    (place, connection)
}

fn write(place: &Place, names: &[&str]) {
    for name in names {
        let path = place.path("storage").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
}

/// The files below a folder.
fn files(place: &Place) -> BTreeSet<String> {
    fn collect(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let (root, mut found) = (place.path("storage"), BTreeSet::new());
    collect(&root, &root, &mut found);
    found
}

#[test]
fn blobs_go_with_the_last_record_that_leads_to_them_and_their_files_with_them() {
    let sql = format!(
        "INSERT INTO posts VALUES (1, '{OLD}'), (2, '{COMING}'), (3, '{OLD}'), (4, '{OLD}');
         INSERT INTO blobs VALUES (1, 'abcdef', 'a.jpg'), (2, 'abcxyz', 'b.jpg'), (3, NULL, 'c'), (4, 'abc', 'd');
         INSERT INTO attachments VALUES (1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 3, 3), (5, 4, 4);"
    );
    let (place, connection) = place("{key[0..2]}/{key[2..4]}/{key}", &sql);
    write(&place, &["ab/cd/abcdef", "ab/cx/abcxyz", "ab/c/abc", "abcdef"]);
    let purge = place.purge().expect(0);
    assert_eq!(purge.rule("posts")["deleted"], 2, "one whose key is too short stays: {purge:?}");
    assert_eq!(files(&place), ["ab/c/abc", "ab/cx/abcxyz", "abcdef"].map(str::to_owned).into());
    assert_eq!(count(&connection, "blobs"), 2);
    let blocked = place.frist(&["report", "--list"]);
    assert!(blocked.out.contains("values that name no file below"), "{blocked:?}");
}

#[test]
fn numbers_and_names_make_a_path_that_never_leaves_its_folder() {
    for (name, goes, left) in [
        ("a.pdf", true, false),
        ("./a.pdf", true, false),
        ("b/../a.pdf", false, true),
        ("../17/a.pdf", false, true),
        ("/a.pdf", true, false),
        ("a.pdf/", false, true),
        ("", true, true),
    ] {
        let sql = format!(
            "INSERT INTO posts VALUES (1, '{OLD}'); INSERT INTO blobs VALUES (17, 'k', '{name}');
             INSERT INTO attachments VALUES (1, 1, 17);"
        );
        let (place, connection) = place("{id}/{file_name}", &sql);
        write(&place, &["17/a.pdf", "a.pdf"]);
        fs::write(place.path("a.pdf"), "x").unwrap();
        place.purge().expect(0);
        assert_eq!(count(&connection, "posts"), u64::from(!goes), "{name}");
        assert_eq!(files(&place).contains("17/a.pdf"), left, "{name}");
        assert!(place.path("a.pdf").exists() && files(&place).contains("a.pdf"), "{name}");
    }
}

/// A killed run leaves its list, and the next one asks the columns of which the paths are made.
#[test]
fn a_list_of_paths_that_are_made_of_columns_is_worked_off_against_the_rows() {
    use std::os::unix::fs::MetadataExt;
    let sql = format!(
        "INSERT INTO posts VALUES (1, '{COMING}'); INSERT INTO blobs VALUES (1, 'abcdef', 'kept'), (2, 'ab', 'short');"
    );
    let (place, _connection) = place("{key[0..2]}/{key[2..4]}/{key}", &sql);
    write(&place, &["ab/cd/abcdef", "ab/cd/abcdxx"]);
    place.purge().expect(0);
    let seen = |name: &str| {
        let file = fs::symlink_metadata(place.path("storage").join(name)).unwrap();
        let modified = serde_json::json!({ "seconds": file.mtime(), "nanos": file.mtime_nsec() });
        serde_json::json!({ "path": name, "seen": {
            "device": file.dev(), "inode": file.ino(), "size": file.size(), "modified": modified } })
    };
    let database = place.path("data.db").canonicalize().unwrap();
    let list = |path: &str| {
        let files = [seen("ab/cd/abcdef"), seen("ab/cd/abcdxx")];
        let list = serde_json::json!([{ "database": database, "table": "blobs", "column": "", "path": path,
            "folder": place.path("storage"), "files": files }]);
        fs::write(place.state().join("removals.json"), list.to_string()).unwrap();
    };
    list("{key[0..2]/{key}");
    assert!(place.frist(&PURGE).expect(3).out.contains("is not there"));
    list("{key[0..2]}/{gone}");
    assert!(place.frist(&PURGE).expect(3).out.contains("is not there"));
    assert_eq!(files(&place).len(), 2);
    list("{key[0..2]}/{key[2..4]}/{key}");
    place.purge().expect(0);
    assert_eq!(files(&place), ["ab/cd/abcdef".to_owned()].into());
    assert!(!place.state().join("removals.json").exists());
}

#[derive(Clone, Copy, Debug)]
struct Row {
    is_old: bool,
    a: Option<&'static str>,
    b: Option<&'static str>,
}

impl Row {
    /// What `{a[1..2]}/{b}` says: nothing, too little, or a path.
    fn said(self) -> Option<Option<String>> {
        let (a, b) = (self.a?, self.b?);
        if a.is_empty() || b.is_empty() {
            return None;
        }
        Some(a.chars().nth(1).map(|second| format!("{second}/{b}")))
    }

    fn is_blocked(self) -> bool {
        match self.said() {
            None => false,
            Some(None) => true,
            Some(Some(path)) => {
                path.ends_with('/') || path.starts_with('/') || path.split('/').any(|step| step == "..")
            }
        }
    }

    /// Where it leads, with all detours.
    fn leads(self) -> Option<String> {
        let path = self.said()??;
        let mut steps: Vec<&str> = Vec::new();
        for step in path.split('/').filter(|step| !step.is_empty() && *step != ".") {
            if step == ".." {
                steps.pop();
            } else {
                steps.push(step);
            }
        }
        (!path.starts_with('/')).then(|| steps.join("/"))
    }
}

#[test]
fn what_goes_is_what_a_plain_reading_of_the_paths_says() {
    let firsts = [Some("xx"), Some("xy"), Some("-."), Some("x"), Some("-\u{e6}"), Some("-/"), Some(""), None];
    let names = [Some("f"), Some("./f"), Some("d//f"), Some("d/../f"), Some("f/"), Some("7"), Some(""), None];
    let mut all = BTreeSet::new();
    for (a, b) in firsts.iter().flat_map(|a| names.map(|b| (*a, b))) {
        all.extend(Row { is_old: true, a, b }.leads().filter(|path| !path.ends_with('/')));
    }
    for seed in 0..crate::depth::cases(25).into() {
        let mut random = Random(seed);
        let mut pick = |from: &[Option<&'static str>; 8]| from[random.below(15).min(7) as usize % 8];
        let rows: Vec<Row> =
            (0..12).map(|number| Row { is_old: number % 3 > 0, a: pick(&firsts), b: pick(&names) }).collect();
        let place = Place::in_memory();
        let with = "with = [{ files = \"storage\", path = \"{a[1..2]}/{b}\" }]\n";
        place.write_policy(&format!("{WITHOUT_LIMIT}{SOURCE}{}{with}", rule("t", "t")));
        let connection = place.database("CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT, a TEXT, b)");
        for row in &rows {
            let at = if row.is_old { OLD } else { COMING };
            connection.execute("INSERT INTO t (at, a, b) VALUES (?1, ?2, ?3)", (at, row.a, row.b)).unwrap();
        }
        connection.execute("UPDATE t SET b = 7 WHERE b = '7'", []).unwrap();
        fs::create_dir(place.path("storage")).unwrap();
        write(&place, &all.iter().map(String::as_str).collect::<Vec<_>>());
        let (gone, stay): (Vec<Row>, Vec<Row>) = rows.iter().partition(|row| row.is_old && !row.is_blocked());
        let mut left = all.clone();
        for path in gone.iter().filter_map(|row| row.leads()) {
            if !stay.iter().any(|row| row.leads().as_ref() == Some(&path)) {
                left.remove(&path);
            }
        }
        place.purge().expect(0);
        assert_eq!(count(&connection, "t"), stay.len() as u64, "seed {seed}: {rows:?}");
        assert_eq!(files(&place), left, "seed {seed}: {rows:?}");
    }
}
