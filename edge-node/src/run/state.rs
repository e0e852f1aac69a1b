//! What must survive a restart, in one small file: the next free sequence number of events.

use super::RunError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Content of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct State {
    /// The next free sequence number of events (EN 302 637-3 `actionId`).
    pub(crate) next_denm_number: Option<u16>,
}

/// The file of one station.
#[derive(Clone, Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// Opens the file of a station, made when absent.
    ///
    /// # Errors
    /// When the directory cannot be made or the file does not parse.
    pub(crate) fn open(directory: &Path, station_id: u32) -> Result<(Self, State), RunError> {
        let path = directory.join(format!("masa-{station_id}-state.toml"));
        let wrong = |what: String| RunError::State { path: path.clone(), what };
        std::fs::create_dir_all(directory).map_err(|error| wrong(error.to_string()))?;
        let state = match std::fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text).map_err(|error| wrong(error.to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let file = Self { path };
        // Found out now rather than with the first event.
        file.keep(&state).map_err(|error| RunError::State { path: file.path.clone(), what: error.to_string() })?;
        Ok((file, state))
    }

    /// Replaces the content; a crash leaves the old or the new one.
    pub(crate) fn keep(&self, state: &State) -> std::io::Result<()> {
        let text = toml::to_string(state).map_err(std::io::Error::other)?;
        let fresh = self.path.with_extension("toml.new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(&fresh, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_survives_and_a_broken_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let (file, state) = StateFile::open(&directory.path().join("state"), 7).unwrap();
        assert_eq!(state, State::default());
        file.keep(&State { next_denm_number: Some(65_535) }).unwrap();
        let (file, state) = StateFile::open(&directory.path().join("state"), 7).unwrap();
        assert_eq!(state.next_denm_number, Some(65_535));
        std::fs::write(&file.path, "next-denm-number = 'many'").unwrap();
        let error = StateFile::open(&directory.path().join("state"), 7).unwrap_err().to_string();
        assert!(error.contains("masa-7-state.toml"), "{error}");
    }
}
