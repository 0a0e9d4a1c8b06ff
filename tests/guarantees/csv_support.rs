//! Folders of CSV files with a policy, and what their files look like.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::support::{Place, WITHOUT_LIMIT};

/// A time of day at which [`super::support::OLD`] is due and [`super::support::COMING`] is not.
pub(crate) const NOW: &str = "2026-01-01T00:00:00Z";

/// A policy on `data/*.csv`: lines whose `at` is over a year old are due.
pub(crate) fn policy_of(place: &Place, keys: &str) {
    place.write_policy(&format!(
        "{WITHOUT_LIMIT}[source.log]\ncsv = \"data/*.csv\"\n{keys}\
         [[rule]]\nname = \"log\"\ndata = \"log\"\nkeep = \"1 year\"\nafter = \"at\"\n"
    ));
    fs::create_dir_all(place.path("data")).unwrap();
}

/// A folder in memory with that policy.
pub(crate) fn csv_place() -> Place {
    let place = Place::in_memory();
    policy_of(&place, "");
    place
}

/// The same on the disk, where files have more attributes.
pub(crate) fn csv_place_on_disk() -> Place {
    let place = Place::new();
    policy_of(&place, "");
    place
}

/// Where one of its files is.
pub(crate) fn file(place: &Place, name: &str) -> PathBuf {
    place.path("data").join(name)
}

pub(crate) fn write(place: &Place, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = file(place, name);
    fs::write(&path, bytes).unwrap();
    path
}

/// Everything by which a file that was not touched is known again.
pub(crate) fn untouched(path: &Path) -> Vec<i64> {
    let seen = fs::metadata(path).unwrap();
    vec![
        seen.ino() as i64,
        seen.mtime(),
        seen.mtime_nsec(),
        seen.ctime(),
        seen.ctime_nsec(),
        seen.mode().into(),
        seen.uid().into(),
        seen.gid().into(),
    ]
}

/// The files in its folder that nobody wrote by name.
pub(crate) fn strays(place: &Place) -> Vec<String> {
    let names = fs::read_dir(place.path("data")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).collect()
}
