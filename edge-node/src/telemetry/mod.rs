//! Stage latencies and counters: recorded in live runs, shown on the page, exported to Prometheus.
//!
//! In: laps of the core through [`StageProbe`], durations and counts from sources, workers and links through
//! [`Telemetry`]. Out: [`TelemetryView`] for the page and Prometheus text. The core never sees a clock: the probe of a live
//! run is [`LiveProbe`], a replay may pass [`NoProbe`]. Nothing here feeds back into what the node does.

mod counters;
mod histogram;
mod prometheus;
mod view;

pub use histogram::{LatencyHistogram, WINDOW_S};
pub use prometheus::metrics_handle;
pub use view::{CountView, DropView, KindView, LatencyView, PublishedView, StageView, TelemetryView};

use crate::effect::MessageKind;
use crate::event::{DropReason, FrameTimings};
use counters::{Counters, lock};
use histogram::Windowed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A stage of the path from photon to message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Decoding the stream or file.
    Decode,
    /// Waiting for the detector.
    Queue,
    /// Resizing and normalising.
    Preprocess,
    /// The network itself.
    Inference,
    /// Network outputs to detections.
    Postprocess,
    /// Detections to tracks.
    Track,
    /// Tracks to ground positions.
    Georeference,
    /// Ground positions to world objects, and the generation rules.
    World,
    /// Messages to bytes.
    Encode,
    /// Handing the bytes to the links.
    Publish,
    /// From the shutter to the message handed to the links.
    PhotonToMessage,
}

impl Stage {
    /// Every stage, in path order.
    pub const ALL: [Self; 11] = [
        Self::Decode,
        Self::Queue,
        Self::Preprocess,
        Self::Inference,
        Self::Postprocess,
        Self::Track,
        Self::Georeference,
        Self::World,
        Self::Encode,
        Self::Publish,
        Self::PhotonToMessage,
    ];

    /// Name as shown and as used in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Queue => "queue",
            Self::Preprocess => "preprocess",
            Self::Inference => "inference",
            Self::Postprocess => "postprocess",
            Self::Track => "track",
            Self::Georeference => "georeference",
            Self::World => "world",
            Self::Encode => "encode",
            Self::Publish => "publish",
            Self::PhotonToMessage => "photon-to-message",
        }
    }
}

/// Told by the core when a stage of the current step has ended; the implementation holds the clock.
pub trait StageProbe {
    /// A step begins.
    fn begin(&mut self);
    /// The named stage has run since `begin` or the last `lap`.
    fn lap(&mut self, stage: Stage);
}

/// A probe that records nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProbe;

impl StageProbe for NoProbe {
    fn begin(&mut self) {}
    fn lap(&mut self, _stage: Stage) {}
}

/// The measurements of one node, shared by everything that runs in it.
#[derive(Debug)]
pub struct Telemetry {
    started: Instant,
    stages: [Mutex<Windowed>; Stage::ALL.len()],
    counters: Mutex<Counters>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Telemetry {
    /// Starts measuring now.
    pub fn new() -> Self {
        Self { started: now(), stages: Default::default(), counters: Mutex::default() }
    }

    /// Counts a duration of a stage. Allocates nothing.
    pub fn record(&self, stage: Stage, duration: Duration) {
        lock(&self.stages[stage as usize]).record(self.uptime().as_secs(), duration);
    }

    /// Counts a duration of a stage, microseconds.
    pub fn record_us(&self, stage: Stage, duration_us: u32) {
        self.record(stage, Duration::from_micros(u64::from(duration_us)));
    }

    /// Counts the timings that came with a frame.
    pub fn record_frame(&self, timings: &FrameTimings) {
        self.record_us(Stage::Decode, timings.decode_us);
        self.record_us(Stage::Queue, timings.queue_us);
        self.record_us(Stage::Preprocess, timings.preprocess_us);
        self.record_us(Stage::Inference, timings.inference_us);
        self.record_us(Stage::Postprocess, timings.postprocess_us);
    }

    /// Counts a frame that a camera delivered.
    pub fn frame(&self, camera: &str) {
        let second = self.uptime().as_secs();
        lock(&self.counters).frame(camera, second);
    }

    /// Counts a frame that never reached the detector.
    pub fn frame_dropped(&self, camera: &str, reason: DropReason) {
        lock(&self.counters).frame_dropped(camera, reason);
    }

    /// Counts a reading that was refused; `reason` in kebab-case.
    pub fn reading_rejected(&self, source: &str, reason: &'static str) {
        lock(&self.counters).reading_rejected(source, reason);
    }

    /// Counts a message that the core made.
    pub fn generated(&self, kind: MessageKind) {
        let second = self.uptime().as_secs();
        lock(&self.counters).generated(kind, second);
    }

    /// Counts a message that a link accepted.
    pub fn published(&self, kind: MessageKind, link: &str) {
        lock(&self.counters).published(kind, link);
    }

    /// Time since the start.
    pub fn uptime(&self) -> Duration {
        now().duration_since(self.started)
    }
}

#[allow(clippy::disallowed_methods, reason = "telemetry measures live runs; no logic reads what it measures")]
fn now() -> Instant {
    Instant::now()
}

/// The probe of a live run: times each lap into a [`Telemetry`].
#[derive(Clone, Debug)]
pub struct LiveProbe {
    telemetry: Arc<Telemetry>,
    last: Instant,
}

impl LiveProbe {
    /// A probe that records into `telemetry`.
    pub fn new(telemetry: Arc<Telemetry>) -> Self {
        Self { telemetry, last: now() }
    }
}

impl StageProbe for LiveProbe {
    fn begin(&mut self) {
        self.last = now();
    }

    fn lap(&mut self, stage: Stage) {
        let at = now();
        self.telemetry.record(stage, at.duration_since(self.last));
        self.last = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_index_their_own_slot() {
        for (i, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, i);
        }
    }

    #[test]
    fn a_live_probe_counts_each_lap_under_its_stage() {
        let telemetry = Arc::new(Telemetry::new());
        let mut probe = LiveProbe::new(telemetry.clone());
        for _ in 0..3 {
            probe.begin();
            probe.lap(Stage::Track);
            probe.lap(Stage::World);
        }
        let count = |stage: Stage| lock(&telemetry.stages[stage as usize]).total().count();
        assert_eq!((count(Stage::Track), count(Stage::World), count(Stage::Encode)), (3, 3, 0));
    }

    #[test]
    fn a_panicking_recorder_does_not_stop_the_others() {
        let telemetry = Arc::new(Telemetry::new());
        let poisoner = telemetry.clone();
        let outcome = std::thread::spawn(move || {
            let _guard = poisoner.counters.lock();
            panic!("poisons the lock");
        })
        .join();
        assert!(outcome.is_err());
        telemetry.frame("north");
        assert_eq!(telemetry.view().frames[0].total, 1);
    }
}
