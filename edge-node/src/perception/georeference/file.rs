//! Names of calibration files: environment variables, base directory, reading.

use super::super::Error;
use std::path::{Path, PathBuf};

/// Largest calibration file that is read, bytes: a thousand times what the known formats need.
const MAX_BYTES: u64 = 4 << 20;

/// `text` with `${NAME}` and `${NAME:-default}` replaced, made absolute against `base`. A variable that is unset or empty
/// and has no default becomes empty, as in a shell.
pub fn expand(text: &str, base: &Path, variable: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((expression, behind)) = after.split_once('}') else { break };
        let (name, default) = expression.split_once(":-").unwrap_or((expression, ""));
        out.push_str(before);
        out.push_str(&variable(name).filter(|v| !v.is_empty()).unwrap_or_else(|| default.to_owned()));
        rest = behind;
    }
    out.push_str(rest);
    base.join(out)
}

pub(super) fn read(
    text: &str,
    base: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(PathBuf, String), Error> {
    let path = expand(text, base, variable);
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
    fn variables_and_defaults_are_expanded() {
        let env = |name: &str| (name == "DATA").then(|| "/data".to_owned());
        let base = Path::new("/site");
        assert_eq!(expand("${DATA:-../x}/a.txt", base, &env), Path::new("/data/a.txt"));
        assert_eq!(expand("${NONE:-../x}/a.txt", base, &env), Path::new("/site/../x/a.txt"));
        assert_eq!(expand("plain.txt", base, &env), Path::new("/site/plain.txt"));
        assert_eq!(expand("odd${DATA", base, &env), Path::new("/site/odd${DATA"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read("nowhere.otrfpts", Path::new("/no/such"), &|_| None).unwrap_err();
        assert!(error.to_string().starts_with("/no/such/nowhere.otrfpts: cannot be read"), "{error}");
    }
}
