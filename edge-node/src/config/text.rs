//! From a TOML file to typed settings, with errors a person can act on.
//!
//! `${NAME}` and `${NAME:-default}` in the text are replaced from the environment before parsing. An unknown key is an
//! error that names the file, the line and the nearest valid key.

use super::ConfigError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Reads and parses `path`; `lookup` answers for `${NAME}`.
///
/// # Errors
/// When the file cannot be read, a variable is unset, or the text does not fit `T`.
pub(super) fn load<T: DeserializeOwned>(
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    parse(&text, path, lookup)
}

/// Parses `text` as if it were the content of `path`; `lookup` answers for `${NAME}`.
///
/// # Errors
/// When a variable is unset, or the text does not fit `T`; the error names file and line.
pub fn parse<T: DeserializeOwned>(
    text: &str,
    path: &Path,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<T, ConfigError> {
    let expanded = expand(text, path, lookup)?;
    toml::from_str(&expanded).map_err(|error| describe(&error, &expanded, path))
}

/// Replaces `${NAME}` and `${NAME:-default}` outside comments.
fn expand(text: &str, path: &Path, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, ConfigError> {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if line.trim_start().starts_with('#') {
            out.push_str(line);
            continue;
        }
        let problem = |what: String| ConfigError::Text { path: path.to_owned(), line: index + 1, what };
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("${") {
            let (inside, tail) = after.split_once('}').ok_or_else(|| problem("`${` without its `}`".to_owned()))?;
            let (name, default) = match inside.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inside, None),
            };
            // As in a shell, an empty variable has the default, too.
            let value = lookup(name).filter(|value| default.is_none() || !value.is_empty());
            let value = value
                .or_else(|| default.map(str::to_owned))
                .ok_or_else(|| problem(format!("the environment variable `{name}` is not set")))?;
            if value.contains(['"', '\'', '\\', '\n']) {
                return Err(problem(format!("the value of `{name}` has a quote, backslash or line break")));
            }
            out.push_str(before);
            out.push_str(&value);
            rest = tail;
        }
        out.push_str(rest);
    }
    Ok(out)
}

/// `text` as a TOML basic string, quotes included.
pub fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn describe(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let mut what = error.message().trim().to_owned();
    let mut line = error.span().map(|span| line_of(text, span.start));
    if what.starts_with("unknown field") || what.starts_with("unknown variant") {
        let mut names = what.split('`').skip(1).step_by(2);
        if let Some(unknown) = names.next() {
            // A tagged table is buffered before it is typed, which loses the key's place: find it by its name.
            line = line_of_key(text, unknown, line).or(line);
            let nearest = names
                .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
                .min()
                .filter(|(distance, name)| *distance <= 1 + name.len() / 3);
            if let Some((_, name)) = nearest {
                what = format!("{what}; did you mean `{name}`?");
            }
        }
    }
    ConfigError::Text { path: path.to_owned(), line: line.unwrap_or(1), what }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|&&byte| byte == b'\n').count()
}

/// The first line at or after `from` that sets or names `key`; otherwise the first in the file.
fn line_of_key(text: &str, key: &str, from: Option<usize>) -> Option<usize> {
    let names_key = |line: &str| {
        let code = line.split('#').next().unwrap_or_default();
        code.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).any(|word| word == key)
    };
    let lines: Vec<usize> =
        text.lines().enumerate().filter(|(_, line)| names_key(line)).map(|(index, _)| index + 1).collect();
    lines.iter().copied().find(|&line| from.is_none_or(|from| line >= from)).or(lines.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[allow(dead_code, reason = "only its parsing is tested")]
    struct Settings {
        station_id: u32,
        source: Option<Source>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
    #[allow(dead_code, reason = "only its parsing is tested")]
    enum Source {
        File { path: String },
        Rtsp { url: String },
    }

    fn error(text: &str) -> String {
        parse::<Settings>(text, Path::new("node.toml"), &|_| None).expect_err("does not fit").to_string()
    }

    #[test]
    fn a_misspelt_key_names_file_line_and_the_nearest_key() {
        let message = error("# a node\nstaton-id = 3\n");
        assert!(message.starts_with("node.toml:2: unknown field `staton-id`"), "{message}");
        assert!(message.ends_with("did you mean `station-id`?"), "{message}");
    }

    #[test]
    fn a_misspelt_key_in_a_tagged_table_is_found_too() {
        let message = error("station-id = 3\n[source]\nkind = \"file\"\npaht = \"a\"\n");
        assert!(message.starts_with("node.toml:4: unknown field `paht`"), "{message}");
        assert!(message.ends_with("did you mean `path`?"), "{message}");
    }

    #[test]
    fn a_misspelt_variant_is_found_too() {
        let message = error("station-id = 3\n[source]\nkind = \"fiel\"\n");
        assert!(message.starts_with("node.toml:3: unknown variant `fiel`"), "{message}");
        assert!(message.ends_with("did you mean `file`?"), "{message}");
    }

    #[test]
    fn a_wrong_type_names_its_line() {
        let message = error("\n\nstation-id = \"three\"\n");
        assert!(message.starts_with("node.toml:3: "), "{message}");
    }

    #[test]
    fn variables_come_from_the_environment_or_their_default() {
        let lookup = |name: &str| (name == "ID").then(|| "7".to_owned());
        let path = Path::new("node.toml");
        let set: Settings = parse("station-id = ${ID}", path, &lookup).expect("fits");
        let fallback: Settings = parse("station-id = ${OTHER:-8}", path, &lookup).expect("fits");
        assert_eq!((set.station_id, fallback.station_id), (7, 8));
        let empty: Settings = parse("station-id = ${ID:-9}", path, &|_| Some(String::new())).expect("fits");
        assert_eq!(empty.station_id, 9);
        let message = parse::<Settings>("# ${A}\nstation-id = ${OTHER}", path, &lookup).expect_err("unset").to_string();
        assert!(message.starts_with("node.toml:2: the environment variable `OTHER` is not set"), "{message}");
    }
}
