//! Cameras: video files, folders of pictures, MJPEG over HTTP, RTSP.
//!
//! In: [`CameraSourceSettings`]. Out: a [`CameraHandle`] that yields [`CameraOutput`]: pictures in RGB with the time
//! they were captured, pictures that were lost, and changes of state in words. Every picture has a running number from 1
//! in its source, also those that are lost, and capture times of one source never go back.
//!
//! Each camera has a thread of its own that decodes and, for network cameras, a second one that receives; both end with
//! the stop token or the handle. A failure stays in its camera. Absent: V4L2, H.265, audio, TLS.

mod error;
mod file;
mod folder;
mod h264;
mod mjpeg;
mod mp4;
mod multipart;
mod network;
mod picture;
mod playback;
mod rtsp;
mod rtsp_time;
mod settings;
mod sink;

pub use error::CameraError;
pub use folder::folder_pictures;
pub use settings::{
    AtEnd, CameraSourceSettings, Credentials, FileNameUnit, FileSettings, FolderSettings, FolderTimes, MjpegSettings,
    MjpegTimes, Pace, QueueSettings, RtspSettings, RtspTimes,
};

use crate::event::{FrameDropped, SourceId, SourceState, StatusChange};
use crate::sources::clock::Clock;
use crate::sources::queue::{self, NothingReceived, Receiver};
use crate::sources::stop::StopToken;
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use sink::FrameSink;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Reads a picture file, JPEG or PNG.
///
/// # Errors
/// The file cannot be read, or what is wrong with the picture; the error names the file.
pub fn open_picture(path: &Path) -> std::io::Result<RgbImage> {
    let named = |words: String| std::io::Error::other(format!("{}: {words}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| named(error.to_string()))?;
    picture::decode(&bytes).map(|(image, _)| image).map_err(named)
}

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct CameraFrame {
    /// Running number in its source, from 1.
    pub frame: u64,
    /// When the shutter opened, as far as the source can tell.
    pub captured_at: Timestamp,
    /// The picture, `height × width × 3` bytes, RGB.
    pub image: Arc<RgbImage>,
    /// What came from the file or the wire, for recorders.
    pub encoded: Option<Encoded>,
    /// Decoding and colour conversion, microseconds.
    pub decode_us: u32,
    /// When it entered the queue, as [`Clock::elapsed`] of the clock the camera was started with.
    pub handed_over: Duration,
}

/// A picture as the file or the wire had it.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// How it is coded.
    pub codec: Codec,
    /// The bytes of this one picture. In H.264 streams with B-frames pictures are not decoded in the order shown.
    pub bytes: Arc<[u8]>,
}

/// How a picture is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// One H.264 access unit with start codes (annex B); parameter sets before key frames.
    H264,
    /// A JPEG file.
    Jpeg,
    /// A PNG file.
    Png,
}

/// What comes out of a camera.
#[derive(Clone, Debug)]
pub enum CameraOutput {
    /// A picture.
    Frame(CameraFrame),
    /// A picture that will not come.
    Dropped(FrameDropped),
    /// A change of state.
    Status(StatusChange),
}

/// A running camera. Dropping it stops the camera and waits for its threads.
pub struct CameraHandle {
    receiver: Receiver<CameraOutput>,
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl CameraHandle {
    /// The next output; blocks for it. `None` when the camera has come to its end.
    pub fn recv(&self) -> Option<CameraOutput> {
        self.receiver.recv()
    }

    /// The next output, if it comes within `timeout`.
    ///
    /// # Errors
    /// [`NothingReceived`] says whether to try again.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<CameraOutput, NothingReceived> {
        self.receiver.recv_timeout(timeout)
    }

    /// The next output, if one is there.
    pub fn try_recv(&self) -> Option<CameraOutput> {
        self.receiver.try_recv()
    }

    /// The next output, without blocking the thread. `None` when the camera has come to its end.
    pub async fn recv_async(&self) -> Option<CameraOutput> {
        self.receiver.recv_async().await
    }

    /// Reports that were lost because the consumer was too slow; see [`queue`].
    pub fn lost_reports(&self) -> u64 {
        self.receiver.lost_reports()
    }

    /// Whether the camera has come to its end; what it delivered may still be in the queue.
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Stops the camera and waits until its threads have ended.
    pub fn shut_down(self) {}
}

impl Drop for CameraHandle {
    fn drop(&mut self) {
        self.stop.stop();
        self.receiver.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a camera thread panicked");
        }
    }
}

/// A kind of camera. Implementations block; they end when `context.stop` is given or the sink says that nobody listens.
pub(crate) trait CameraSource: Send {
    /// Delivers into `context.sink` until the end and says in words what was delivered.
    ///
    /// # Errors
    /// When nothing more can be delivered without an operator.
    fn run(&mut self, context: &mut Context) -> Result<String, CameraError>;
}

/// What a source works with.
pub(crate) struct Context {
    pub(crate) sink: FrameSink,
    pub(crate) clock: Clock,
    pub(crate) stop: StopToken,
}

/// The table of kinds.
fn source_of(settings: CameraSourceSettings) -> Box<dyn CameraSource> {
    match settings {
        CameraSourceSettings::File(settings) => Box::new(file::FileSource::new(settings)),
        CameraSourceSettings::Folder(settings) => Box::new(folder::FolderSource::new(settings)),
        CameraSourceSettings::Mjpeg(settings) => Box::new(mjpeg::MjpegSource::new(settings)),
        CameraSourceSettings::Rtsp(settings) => Box::new(rtsp::RtspSource::new(settings)),
    }
}

/// Starts a camera. Files that do not open and peers that do not answer show as [`SourceState`]s, not here.
///
/// # Errors
/// When the system refuses a thread.
pub fn spawn(
    settings: CameraSourceSettings,
    source: SourceId,
    name: &str,
    clock: Clock,
    stop: &StopToken,
) -> Result<CameraHandle, CameraError> {
    let (capacity, when_full) = settings.queue();
    let (sender, receiver) = queue::bounded(capacity, when_full);
    let stop = stop.child();
    let sink = FrameSink::new(sender, source, name, clock.clone());
    let mut context = Context { sink, clock, stop: stop.clone() };
    let run = move || {
        let mut camera = source_of(settings);
        let (state, detail) = match camera.run(&mut context) {
            Ok(summary) => (SourceState::Ended, summary),
            Err(error) => (SourceState::Failed, error.to_string()),
        };
        context.sink.status(state, detail);
    };
    let thread = std::thread::Builder::new()
        .name(format!("camera-{name}"))
        .spawn(run)
        .map_err(|source| CameraError::Thread { name: name.to_owned(), source })?;
    Ok(CameraHandle { receiver, stop, thread: Some(thread) })
}
