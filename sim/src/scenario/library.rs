//! The shipped scenarios: part of the program, so that they run wherever it does.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each shipped scenario, by name.
        const SHIPPED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*];
    };
}
scenarios! {
    "crossing-pedestrian",
}

/// The shipped scenarios: name and text.
pub fn library() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.iter().copied()
}

/// The text of a shipped scenario.
pub fn shipped(name: &str) -> Option<&'static str> {
    library().find(|(known, _)| *known == name).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use std::path::Path;

    #[test]
    fn every_file_is_shipped_and_parses() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        let known: Vec<_> = library().map(|(name, _)| name).collect();
        assert_eq!(names, known, "the table in library.rs, sorted");
        for name in known {
            let scenario = Scenario::open(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!scenario.criteria.is_empty(), "{name} asks nothing");
        }
    }

    #[test]
    fn an_unknown_name_has_a_hint() {
        let error = Scenario::open("crosing-pedestrian").unwrap_err().to_string();
        assert!(error.contains("did you mean `crossing-pedestrian`?"), "{error}");
    }
}
