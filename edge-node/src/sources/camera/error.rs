//! What can go wrong with a camera source, in words that name the file, byte or peer.

use std::path::PathBuf;

/// Why a camera source cannot deliver, or not everything.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file is no video that can be played.
    #[error("{}, byte {offset}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The stream uses something that the decoder does not have.
    #[error(
        "the decoder (openh264) does not support {what}; re-encode the video, for example with \
         `ffmpeg -i IN -c:v libx264 -pix_fmt yuv420p -flags -ildct-ilme OUT.mp4`, or set the camera to H.264 8 bit 4:2:0 \
         progressive"
    )]
    Unsupported {
        /// The coding tool.
        what: &'static str,
    },
    /// openh264 could not be started.
    #[error("openh264 cannot be started: {0}")]
    NoDecoder(openh264::Error),
    /// The settings leave something open that the source needs.
    #[error("{0}")]
    Settings(String),
    /// A peer failed or sent something unusable.
    #[error("{peer}: {what}")]
    Peer {
        /// URL without credentials.
        peer: String,
        /// What happened.
        what: String,
    },
    /// The thread of the source could not be started.
    #[error("no thread for camera `{name}`: {source}")]
    Thread {
        /// The camera.
        name: String,
        /// The system's answer.
        source: std::io::Error,
    },
}
