//! Calibration files: where they are, and reading.

use super::super::Error;
use std::path::{Path, PathBuf};

/// Largest calibration file that is read, bytes: a thousand times what the known formats need.
const MAX_BYTES: u64 = 4 << 20;

/// The file that is `name` from `base`, and its text.
pub(super) fn read(name: &str, base: &Path) -> Result<(PathBuf, String), Error> {
    let path = base.join(name);
    let read = || {
        if std::fs::metadata(&path)?.len() > MAX_BYTES {
            return Err(std::io::Error::other("larger than any calibration file"));
        }
        std::fs::read_to_string(&path)
    };
    match read() {
        Ok(content) => Ok((path, content)),
        Err(source) => Err(Error::Read { path, source }),
    }
}

pub(super) fn malformed(path: &Path, problem: impl std::fmt::Display) -> Error {
    Error::Malformed { origin: path.display().to_string(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_named() {
        let error = read("nowhere.otrfpts", Path::new("/no/such")).unwrap_err();
        assert!(error.to_string().starts_with("/no/such/nowhere.otrfpts: cannot be read"), "{error}");
    }
}
