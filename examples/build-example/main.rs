//! Builds one of the examples in a new folder, with dates relative to today:
//!
//! ```text
//! cargo run --example build-example -- webshop /tmp/webshop
//! ```

mod dataset;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use frist::calendar::Timestamp;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder] = arguments.as_slice() else {
        anyhow::bail!("write the name of an example and a new folder: webshop /tmp/webshop");
    };
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = PathBuf::from(folder);
    anyhow::ensure!(!folder.exists(), "{} is there already", folder.display());
    dataset::build(top, name, &folder, now()?)
}

#[expect(clippy::disallowed_methods, reason = "the example is as of today")]
fn now() -> anyhow::Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp::from_unix(i64::try_from(since.as_secs())?, 0))
}
