//! What the tests share: test data, made-up video, and collecting what a camera delivers.

use masa_edge_node::event::{FrameDropped, SourceId, SourceState, StatusChange};
use masa_edge_node::sources::camera::{self, CameraFrame, CameraHandle, CameraOutput, CameraSourceSettings};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::queue::NothingReceived;
use masa_edge_node::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use openh264::OpenH264API;
use openh264::encoder::{Encoder, EncoderConfig, IntraFramePeriod, RateControlMode};
use openh264::formats::YUVBuffer;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where recordings begin in these tests.
pub(crate) const START: Timestamp = Timestamp::from_unix_ms(1_714_557_600_000);
/// [`START`] as settings write it.
pub(crate) const START_TEXT: &str = "2024-05-01T10:00:00Z";
/// Longer than any machine needs; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A file of the shared test data; says that `test` is skipped where it is missing.
pub(crate) fn data(test: &str, path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("MASA_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: {test}: {} is missing", file.display());
    None
}

/// Settings as a configuration file has them.
pub(crate) fn settings(toml: &str) -> CameraSourceSettings {
    toml::from_str(toml).unwrap()
}

/// Settings of a file that is played as fast as possible from [`START`].
pub(crate) fn file(path: &Path, more: &str) -> CameraSourceSettings {
    let path = path.display();
    settings(&format!(
        "kind = 'file'\npath = '{path}'\npace = 'as-fast-as-possible'\nstart-at = '{START_TEXT}'\n{more}"
    ))
}

/// Everything that a camera delivered.
#[derive(Default)]
pub(crate) struct Delivered {
    pub(crate) frames: Vec<CameraFrame>,
    pub(crate) dropped: Vec<FrameDropped>,
    pub(crate) states: Vec<StatusChange>,
}

impl Delivered {
    /// Takes what the camera delivers until `enough`, or its end.
    pub(crate) fn take_until(&mut self, camera: &CameraHandle, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            match camera.recv_timeout(PATIENCE) {
                Ok(CameraOutput::Frame(frame)) => self.frames.push(frame),
                Ok(CameraOutput::Dropped(dropped)) => self.dropped.push(dropped),
                Ok(CameraOutput::Status(status)) => self.states.push(status),
                Err(NothingReceived::Closed) => return,
                Err(NothingReceived::TimedOut) => {
                    panic!("waited in vain after {} frames, states {:?}", self.frames.len(), self.states)
                }
            }
        }
    }

    pub(crate) fn last_state(&self) -> (SourceState, &str) {
        let last = self.states.last().expect("a camera reports at least its end");
        (last.state, &last.detail)
    }

    pub(crate) fn has_state(&self, state: SourceState) -> bool {
        self.states.iter().any(|change| change.state == state)
    }

    /// Capture times in milliseconds since [`START`].
    pub(crate) fn times_ms(&self) -> Vec<f64> {
        self.frames.iter().map(|frame| frame.captured_at.seconds_since(START) * 1e3).collect()
    }

    /// Numbers of all frames, delivered or lost, in order.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let lost = self.dropped.iter().map(|dropped| dropped.frame);
        let mut numbers: Vec<_> = self.frames.iter().map(|frame| frame.frame).chain(lost).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Mean of the red values of each picture.
    pub(crate) fn levels(&self) -> Vec<u8> {
        self.frames.iter().map(level).collect()
    }
}

/// Mean of the red values of a picture.
pub(crate) fn level(frame: &CameraFrame) -> u8 {
    let reds = frame.image.data.chunks_exact(3).map(|pixel| u64::from(pixel[0]));
    (reds.sum::<u64>() / u64::from(frame.image.width * frame.image.height)) as u8
}

pub(crate) fn spawn(settings: CameraSourceSettings, clock: Clock, stop: &StopToken) -> CameraHandle {
    camera::spawn(settings, SourceId(1), "test", clock, stop).unwrap()
}

/// Plays a recording to its end on a clock that waits for nobody.
pub(crate) fn play(settings: CameraSourceSettings) -> Delivered {
    let camera = spawn(settings, Clock::manual(START), &StopToken::new());
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |_| false);
    delivered
}

/// The grey of made-up picture `number`, as luma; neighbours differ clearly, also after a lossy codec.
pub(crate) fn luma(number: usize) -> u8 {
    (20 + number * 37 % 200) as u8
}

/// The red value that a grey of this luma decodes to (BT.601, limited range).
pub(crate) fn red_of(luma: u8) -> u8 {
    ((f64::from(luma) - 16.0) * 255.0 / 219.0).round().clamp(0.0, 255.0) as u8
}

/// Whether a level is what a lossy codec makes of `expected`.
pub(crate) fn is_near(level: u8, expected: u8) -> bool {
    level.abs_diff(expected) <= 3
}

/// Access units of even grey pictures, a key frame every ten.
pub(crate) fn grey_h264(pictures: usize) -> Vec<Vec<u8>> {
    let (width, height) = (96, 64);
    let config = EncoderConfig::new()
        .skip_frames(false)
        .rate_control_mode(RateControlMode::Off)
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(10));
    let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).unwrap();
    let unit = |number| {
        let mut planes = vec![luma(number); width * height];
        planes.resize(width * height * 3 / 2, 128);
        encoder.encode(&YUVBuffer::from_vec(planes, width, height)).unwrap().to_vec()
    };
    (0..pictures).map(unit).collect()
}

/// An even grey JPEG picture.
pub(crate) fn grey_jpeg(level: u8) -> Vec<u8> {
    encode_grey(level, image::ImageFormat::Jpeg)
}

/// An even grey picture file.
pub(crate) fn encode_grey(level: u8, format: image::ImageFormat) -> Vec<u8> {
    let picture = image::RgbImage::from_pixel(64, 48, image::Rgb([level; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
