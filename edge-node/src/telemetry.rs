//! Stage latencies and drop counters: recorded in live runs, shown on the page, exported to Prometheus.
//!
//! The core reports laps through [`StageProbe`] and never sees a clock; a replay may pass [`NoProbe`].

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
