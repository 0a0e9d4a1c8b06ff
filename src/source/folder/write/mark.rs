//! The records of a batch, as they are announced: in the file that a killed run leaves.

use serde::{Deserialize, Serialize};

use crate::source::folder::look::{Look, Modified};

/// A record that is about to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Announced {
    /// Its path below the folder, two hexadecimal digits a byte: a name need not be text.
    #[serde(with = "crate::hexadecimal")]
    pub(super) path: Vec<u8>,
    pub(super) device: u64,
    pub(super) inode: u64,
    /// How many entries it is: of a sub-folder that has fewer, some have been deleted.
    pub(super) entries: u64,
    /// The time of its newest content.
    pub(super) modified: Modified,
}

impl Announced {
    pub(super) fn of(path: &[u8], look: &Look) -> Announced {
        let Look { device, inode, entries, modified, .. } = *look;
        Announced { path: path.to_vec(), device, inode, entries, modified }
    }

    /// Whether what is there now is what was announced.
    pub(super) fn is(&self, look: &Look) -> bool {
        (self.device, self.inode) == (look.device, look.inode)
    }
}

pub(super) fn to_json(batch: &[Announced]) -> serde_json::Value {
    serde_json::to_value(batch).unwrap_or_default()
}

pub(super) fn from_json(json: &serde_json::Value) -> Option<Vec<Announced>> {
    Vec::deserialize(json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_survives_json() {
        let path = (1..=255).collect();
        let announced =
            Announced { path, device: u64::MAX, inode: 7, entries: 1, modified: Modified::new(-5, 9) };
        let batch = vec![announced];
        let text = to_json(&batch).to_string();
        assert_eq!(from_json(&serde_json::from_str(&text).unwrap()), Some(batch));
        assert_eq!(from_json(&serde_json::json!([{ "path": "0" }])), None);
        assert_eq!(from_json(&serde_json::json!({})), None);
    }
}
