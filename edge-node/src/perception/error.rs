//! What can be wrong with a camera's settings or its calibration files.

use std::path::PathBuf;

/// Why a camera cannot be set up. Every variant names its camera or file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A calibration file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A calibration file is not what it should be.
    #[error("{origin}: {problem}")]
    Malformed {
        /// The file, or `inline`.
        origin: String,
        /// What is wrong, with the line or the point where known.
        problem: String,
    },
    /// The settings still name a file whose content was not loaded.
    #[error("{}: not loaded: call CameraSettings::load_files first", path.display())]
    NotLoaded {
        /// The file.
        path: PathBuf,
    },
    /// The points or matrices do not determine a mapping between image and ground.
    #[error("camera {camera}: {problem}")]
    Calibration {
        /// The camera's id.
        camera: String,
        /// What is wrong.
        problem: String,
    },
    /// A setting of a radar or lidar is outside its range.
    #[error("sensor {sensor}: {key} = {value} {problem}")]
    Sensor {
        /// The sensor's id.
        sensor: String,
        /// The key as written in TOML.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A setting is outside its range.
    #[error("camera {camera}: {key} = {value} {problem}")]
    Setting {
        /// The camera's id.
        camera: String,
        /// The key as written in TOML.
        key: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}
