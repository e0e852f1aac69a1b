//! Settings of cameras.

use crate::sources::backoff::BackoffSettings;
use crate::sources::queue::WhenFull;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where a camera's pictures come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CameraSourceSettings {
    /// A video file: H.264 in MP4 or raw (Annex B).
    File(FileSettings),
    /// A folder of JPEG and PNG files.
    Folder(FolderSettings),
    /// A camera that sends JPEG pictures over HTTP (`multipart/x-mixed-replace`).
    Mjpeg(MjpegSettings),
    /// A camera that sends H.264 over RTSP.
    Rtsp(RtspSettings),
}

impl CameraSourceSettings {
    /// Capacity and policy of the camera's queue.
    pub(crate) fn queue(&self) -> (usize, WhenFull) {
        let (queue, pace) = match self {
            Self::File(settings) => (&settings.queue, settings.pace),
            Self::Folder(settings) => (&settings.queue, settings.pace),
            Self::Mjpeg(settings) => (&settings.queue, Pace::Timestamps),
            Self::Rtsp(settings) => (&settings.queue, Pace::Timestamps),
        };
        let natural = match pace {
            Pace::Timestamps => WhenFull::DropOldest,
            Pace::AsFastAsPossible => WhenFull::Block,
        };
        (queue.capacity, queue.when_full.unwrap_or(natural))
    }
}

/// The queue between a camera and its consumer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct QueueSettings {
    /// Pictures that may wait, at least one.
    pub capacity: usize,
    /// What happens to one picture more. Not set: the oldest goes, except from files that are played as fast as possible,
    /// which wait.
    pub when_full: Option<WhenFull>,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self { capacity: 2, when_full: None }
    }
}

/// How fast recorded pictures are delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// At the distances of their timestamps.
    #[default]
    Timestamps,
    /// As fast as the consumer takes them.
    AsFastAsPossible,
}

/// What happens at the end of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// The source ends.
    #[default]
    Stop,
    /// It begins again; times and frame numbers go on.
    Loop,
}

/// A video file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSettings {
    /// The file: MP4 or raw H.264, told apart by its content.
    pub path: PathBuf,
    /// How fast it is played.
    #[serde(default)]
    pub pace: Pace,
    /// What happens at its end.
    #[serde(default)]
    pub at_end: AtEnd,
    /// Capture time of its first picture (RFC 3339, `2024-05-01T10:00:00Z`); not set: the time at which it is first played.
    #[serde(default, with = "rfc3339")]
    pub start_at: Option<Timestamp>,
    /// Pictures per second of a raw H.264 file that does not state it itself.
    #[serde(default)]
    pub frame_rate_hz: Option<f64>,
    /// The queue to the consumer.
    #[serde(default)]
    pub queue: QueueSettings,
}

impl FileSettings {
    /// A file, played once by its timestamps.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            pace: Pace::default(),
            at_end: AtEnd::default(),
            start_at: None,
            frame_rate_hz: None,
            queue: QueueSettings::default(),
        }
    }
}

/// A folder of pictures, in the order of their names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FolderSettings {
    /// The folder; every `.jpg`, `.jpeg` and `.png` in it, none below.
    pub path: PathBuf,
    /// Where the times of the pictures come from.
    pub times: FolderTimes,
    /// How fast they are played.
    #[serde(default)]
    pub pace: Pace,
    /// What happens at the end.
    #[serde(default)]
    pub at_end: AtEnd,
    /// Capture time of the first picture (RFC 3339). Not set: the time at which it is first played or, with times from
    /// file names, what its name says.
    #[serde(default, with = "rfc3339")]
    pub start_at: Option<Timestamp>,
    /// The queue to the consumer.
    #[serde(default)]
    pub queue: QueueSettings,
}

/// Where the times of pictures in a folder come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum FolderTimes {
    /// A constant rate.
    FrameRate {
        /// Pictures per second.
        hz: f64,
    },
    /// The last number in each file name: Unix time.
    FileNames {
        /// What the number counts.
        unit: FileNameUnit,
    },
}

/// What the number in a file name counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileNameUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl FileNameUnit {
    /// Nanoseconds in one.
    pub(crate) const fn ns(self) -> i64 {
        match self {
            Self::Seconds => 1_000_000_000,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds => 1,
        }
    }
}

/// User name and password; either may stand in the environment instead.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password, when it may stand in the configuration.
    #[serde(default, skip_serializing)]
    pub password: Option<String>,
    /// Environment variable that holds the password.
    #[serde(default)]
    pub password_env: Option<String>,
}

impl std::fmt::Debug for Credentials {
    /// Without the password: settings are logged.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password_env", &self.password_env).finish()
    }
}

impl Credentials {
    /// User name and password.
    ///
    /// # Errors
    /// In words, when neither setting gives a password.
    pub fn resolve(&self) -> Result<(String, String), String> {
        let from_environment = |variable: &String| {
            std::env::var(variable).map_err(|_| format!("environment variable `{variable}` (password) is not set"))
        };
        let password = match (&self.password, &self.password_env) {
            (Some(password), _) => password.clone(),
            (None, Some(variable)) => from_environment(variable)?,
            (None, None) => return Err(format!("user `{}` has neither `password` nor `password-env`", self.user)),
        };
        Ok((self.user.clone(), password))
    }
}

/// A camera that sends JPEG pictures over HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MjpegSettings {
    /// `http://host:port/path`.
    pub url: String,
    /// For cameras that ask for a password (Basic or Digest).
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// Where the times of the pictures come from.
    #[serde(default)]
    pub times: MjpegTimes,
    /// Largest picture accepted, bytes.
    #[serde(default = "default_max_part_bytes")]
    pub max_part_bytes: usize,
    /// Silence after which the connection is given up, milliseconds.
    #[serde(default = "default_silence_ms")]
    pub silence_ms: u64,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: BackoffSettings,
    /// The queue to the consumer.
    #[serde(default)]
    pub queue: QueueSettings,
}

/// Where the times of MJPEG pictures come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MjpegTimes {
    /// Arrival of the picture's first byte.
    #[default]
    Arrival,
    /// The `X-Timestamp` header of each part, seconds of Unix time; arrival where it is missing.
    XTimestamp,
}

/// A camera that sends H.264 over RTSP, interleaved in its TCP connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RtspSettings {
    /// `rtsp://host:port/path`, without credentials.
    pub url: String,
    /// For cameras that ask for a password.
    #[serde(default)]
    pub credentials: Option<Credentials>,
    /// What ties the camera's media time to the time of day.
    #[serde(default)]
    pub times: RtspTimes,
    /// Largest difference between the camera's clock and this node's that is believed, milliseconds; beyond it, the
    /// camera's clock is taken to be wrong and arrival times are used, with a warning.
    #[serde(default = "default_max_clock_difference_ms")]
    pub max_clock_difference_ms: u64,
    /// Silence after which the connection is given up, milliseconds.
    #[serde(default = "default_silence_ms")]
    pub silence_ms: u64,
    /// Waits between attempts to connect.
    #[serde(default)]
    pub reconnect: BackoffSettings,
    /// The queue to the consumer.
    #[serde(default)]
    pub queue: QueueSettings,
}

/// What ties a camera's media time to the time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RtspTimes {
    /// The camera's RTCP sender reports; arrival until the first one.
    #[default]
    SenderReports,
    /// Arrival of the first picture.
    Arrival,
}

const fn default_max_part_bytes() -> usize {
    8 << 20
}

const fn default_silence_ms() -> u64 {
    10_000
}

const fn default_max_clock_difference_ms() -> u64 {
    5_000
}

/// Timestamps as RFC 3339 text in settings.
mod rfc3339 {
    use masa_v2x_proto::time::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
        let text = at.and_then(|at| jiff::Timestamp::from_nanosecond(at.unix_ns().into()).ok());
        text.map(|text| text.to_string()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        let parse = |text: &str| i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok();
        let wrong = || D::Error::custom(format!("`{text}` is no time such as 2024-05-01T10:00:00Z"));
        parse(&text).map(Timestamp::from_unix_ns).map(Some).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_toml_and_unknown_keys_are_refused() {
        let toml = r#"
            kind = "file"
            path = "clip.mp4"
            pace = "as-fast-as-possible"
            at-end = "loop"
            start-at = "2024-05-01T12:00:00+02:00"
        "#;
        let settings: CameraSourceSettings = toml::from_str(toml).unwrap();
        let CameraSourceSettings::File(file) = &settings else { panic!("not a file") };
        assert_eq!(file.start_at, Some(Timestamp::from_unix_ms(1_714_557_600_000)));
        assert_eq!(settings.queue(), (2, WhenFull::Block));
        let written = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<CameraSourceSettings>(&written).unwrap(), settings);

        for (bad, names) in [
            ("kind = \"file\"\npath = \"a\"\nloop = true", "loop"),
            ("kind = \"file\"\npath = \"a\"\nstart-at = \"noon\"", "noon"),
            ("kind = \"usb\"", "usb"),
            ("kind = \"folder\"\npath = \"a\"\ntimes = { from = \"frame-rate\", hz = 5, unit = \"seconds\" }", "unit"),
        ] {
            let error = toml::from_str::<CameraSourceSettings>(bad).unwrap_err().to_string();
            assert!(error.contains(names), "{error}");
        }
    }

    #[test]
    fn network_cameras_drop_the_oldest_unless_told_otherwise() {
        let toml = "kind = \"rtsp\"\nurl = \"rtsp://c/1\"\n[queue]\ncapacity = 5\nwhen-full = \"drop-newest\"";
        assert_eq!(toml::from_str::<CameraSourceSettings>(toml).unwrap().queue(), (5, WhenFull::DropNewest));
        let toml = "kind = \"mjpeg\"\nurl = \"http://c/1\"";
        assert_eq!(toml::from_str::<CameraSourceSettings>(toml).unwrap().queue(), (2, WhenFull::DropOldest));
    }

    #[test]
    fn passwords_come_from_settings_or_environment_and_are_never_printed() {
        let credentials = Credentials { user: "op".into(), password: Some("s3cret".into()), password_env: None };
        assert_eq!(credentials.resolve().unwrap(), ("op".to_owned(), "s3cret".to_owned()));
        assert!(!format!("{credentials:?}").contains("s3cret"));
        let missing = Credentials { password: None, password_env: Some("MASA_NO_SUCH_VARIABLE".into()), ..credentials };
        assert!(missing.resolve().unwrap_err().contains("MASA_NO_SUCH_VARIABLE"));
    }
}
