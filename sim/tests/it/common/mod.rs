//! Test data read in place: `MASA_TEST_DATA`, else `../shared/data` beside the workspace.

use std::path::PathBuf;

/// The path of a data file, or `None` after saying that `test` is skipped.
pub(crate) fn data_path(name: &str, test: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MASA_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {test}: {} is missing", path.display());
    None
}
