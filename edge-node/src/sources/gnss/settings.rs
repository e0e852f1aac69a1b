//! Settings of a GNSS receiver.

use crate::sources::backoff::BackoffSettings;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A receiver that tells a mobile station where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GnssSettings {
    /// Where its sentences come from.
    pub source: GnssMedium,
    /// Which clock says when a position was true.
    #[serde(default)]
    pub time: GnssTime,
    /// Below this speed, m/s, the course is noise and the last one is kept.
    #[serde(default = "default_course_from_mps")]
    pub course_from_mps: f64,
    /// After so many seconds without a sentence the connection is given up and made anew.
    #[serde(default = "default_silence_s")]
    pub silence_s: f64,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: BackoffSettings,
}

fn default_course_from_mps() -> f64 {
    0.5
}

fn default_silence_s() -> f64 {
    10.0
}

/// What carries the sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum GnssMedium {
    /// `host:port` of a server that sends NMEA 0183 to whoever connects: a receiver in the network, a simulator.
    Tcp(String),
    /// `host:port` of gpsd, which is asked for NMEA 0183.
    Gpsd(String),
    /// A serial device, set up by the system (`stty -F /dev/ttyS1 115200 raw`), or a pipe; a file is read to its end.
    /// Relative to the node file.
    Device(PathBuf),
}

/// Which clock says when a position was true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GnssTime {
    /// The receiver's, UTC.
    #[default]
    Receiver,
    /// This machine's, when the last sentence of an epoch came: for drives that were recorded some other day.
    Arrival,
}
