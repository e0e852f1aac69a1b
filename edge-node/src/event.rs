//! Everything that can enter a node, as one closed enum with a total order.
//!
//! A live run, a replay and a simulation differ only in who produces these events. An event is a recorded fact: what
//! happened outside the core (inference timing, a dropped frame, a lost broker) is here as data, so the core can be a
//! pure function of the log.

mod ranging;

use masa_inference::Detection;
pub use masa_links::Quantity;
use masa_v2x_proto::cdd::{DriveDirection, ExteriorLights};
use masa_v2x_proto::denm::TrafficDirection;
use masa_v2x_proto::geo::{Covariance2, Wgs84};
use masa_v2x_proto::security::{Identity, Verdict};
use masa_v2x_proto::time::Timestamp;
pub use ranging::{ListedObject, MAX_LISTED, MAX_TARGETS, ObjectList, RadarScan, RadarTarget};
use serde::{Deserialize, Serialize};

/// A source of events: index into the source table of the recording's header and of the node's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceId(pub u16);

impl SourceId {
    /// The node itself: wake-ups and link states.
    pub const NODE: Self = Self(0);
}

/// Identity of an event: its source and that source's running number, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventId {
    /// Where it came from.
    pub source: SourceId,
    /// The source's running number.
    pub seq: u64,
}

/// One thing that entered the node. Events are processed in the order `(arrived_at, source, seq)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When it reached the core: the `now` of its step.
    pub arrived_at: Timestamp,
    /// Its identity.
    pub id: EventId,
    /// What it is.
    pub body: EventBody,
}

/// The closed set of things that enter.
#[derive(Clone, Debug, PartialEq)]
pub enum EventBody {
    /// A detector's result for one camera frame; the event's source is the camera.
    Detections(DetectionFrame),
    /// A camera frame that never reached the detector.
    FrameDropped(FrameDropped),
    /// What a camera frame says of the camera itself; the event's source is the camera.
    FrameStatistics(FrameStatistics),
    /// What a radar measured; the event's source is the radar.
    RadarScan(RadarScan),
    /// Objects that a lidar's or a radar's own processing found; the event's source is the sensor.
    ObjectList(ObjectList),
    /// A reading of an IoT sensor.
    Observation(Observation),
    /// A V2X message of another station.
    Received(ReceivedMessage),
    /// Where the station itself is, and how it moves.
    Ego(EgoState),
    /// A service or an operator asks for a DENM.
    DenRequest(DenRequest),
    /// What the signals of an intersection show.
    Signals(SignalReport),
    /// What a signal controller has decided about a request for priority.
    PriorityAnswer(PriorityAnswer),
    /// How busy the radio channel is.
    Channel(ChannelLoad),
    /// The station has a new pseudonym.
    Identity(Identity),
    /// A source or link changed its state.
    Status(StatusChange),
    /// A timer that the core asked for has run out.
    WakeUp,
}

impl EventBody {
    /// Name of the kind, as counted and recorded.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Detections(_) => "detections",
            Self::FrameDropped(_) => "frame-dropped",
            Self::FrameStatistics(_) => "frame-statistics",
            Self::RadarScan(_) => "radar-scan",
            Self::ObjectList(_) => "object-list",
            Self::Observation(_) => "observation",
            Self::Received(_) => "received",
            Self::Ego(_) => "ego",
            Self::DenRequest(_) => "den-request",
            Self::Signals(_) => "signals",
            Self::PriorityAnswer(_) => "priority-answer",
            Self::Channel(_) => "channel",
            Self::Identity(_) => "identity",
            Self::Status(_) => "status",
            Self::WakeUp => "wake-up",
        }
    }
}

/// A detector's result for one camera frame.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionFrame {
    /// Running number of the frame in its source, from 1; frames that were dropped have numbers too.
    pub frame: u64,
    /// When the shutter opened, as far as the source can tell.
    pub captured_at: Timestamp,
    /// Image width, pixels.
    pub width_px: u32,
    /// Image height, pixels.
    pub height_px: u32,
    /// What was seen.
    pub detections: Vec<Detection>,
    /// What it took outside the core.
    pub timings: FrameTimings,
}

/// Time spent outside the core on one frame, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameTimings {
    /// Decoding the stream or file.
    pub decode_us: u32,
    /// Waiting for the detector.
    pub queue_us: u32,
    /// Resizing and normalising.
    pub preprocess_us: u32,
    /// The network itself.
    pub inference_us: u32,
    /// Reading the network's outputs and suppressing doubles.
    pub postprocess_us: u32,
}

/// A camera frame that never reached the detector.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameDropped {
    /// Running number of the frame in its source.
    pub frame: u64,
    /// When the shutter opened.
    pub captured_at: Timestamp,
    /// Why it was dropped.
    pub reason: DropReason,
}

/// What a camera frame says of the camera itself, measured where the pixels are.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameStatistics {
    /// Running number of the frame in its source.
    pub frame: u64,
    /// When the shutter opened.
    pub captured_at: Timestamp,
    /// Mean luminance, 0 to 255.
    pub mean_luminance: f32,
    /// A hash of the pixels: two frames with the same one are the same picture.
    pub fingerprint: u64,
    /// How far right of and below the reference the picture lies, pixels; `None` until there is a reference.
    pub shift_px: Option<[f32; 2]>,
    /// How alike picture and reference are at that shift, −1 to 1.
    pub likeness: f32,
    /// Where parts of the reference are found again, of some of the pictures that lie elsewhere.
    pub patches: PatchShifts,
}

/// Patches of a picture at most.
pub const MAX_PATCHES: usize = 15;
/// Patches of one picture.
pub type PatchShifts = heapless::Vec<PatchShift, MAX_PATCHES>;

/// A part of what a camera shows that is found again elsewhere in a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PatchShift {
    /// Its middle in the reference, pixels.
    pub at_px: [f32; 2],
    /// How far right and below it is now, pixels.
    pub shift_px: [f32; 2],
}

/// Why something was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DropReason {
    /// The detector's queue was full and this was its oldest entry.
    QueueFull,
    /// The bytes could not be decoded.
    DecodeFailed,
    /// The detector failed on this frame.
    InferenceFailed,
    /// No network was free until its deadline had passed.
    DeadlineMissed,
    /// Left out under load, so that others are in time.
    LeftOut,
}

impl DropReason {
    /// Name in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::QueueFull => "queue-full",
            Self::DecodeFailed => "decode-failed",
            Self::InferenceFailed => "inference-failed",
            Self::DeadlineMissed => "deadline-missed",
            Self::LeftOut => "left-out",
        }
    }
}

/// A reading of an IoT sensor, already in the unit of its quantity.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The sensor's id in the node's configuration.
    pub sensor: String,
    /// What was measured.
    pub quantity: Quantity,
    /// The value in [`Quantity::unit`].
    pub value: f64,
    /// When the sensor measured it; the arrival time where the payload does not say.
    pub captured_at: Timestamp,
}

/// A V2X message of another station, as a link delivered it: not decoded, so that replay decodes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The link it came over (`zenoh`, `mqtt`, `geonet`).
    pub link: String,
    /// Who delivered it, as the link knows it: names the sender of what cannot be decoded.
    pub origin: String,
    /// ETSI UPER bytes.
    pub uper: Vec<u8>,
    /// Whether it is trusted: found outside the core, a recorded fact.
    pub verdict: Verdict,
    /// When it reached the link.
    pub received_at: Timestamp,
}

/// State of the station that carries the node: what its GNSS receiver and its vehicle say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EgoState {
    /// The instant everything here is given for.
    pub captured_at: Timestamp,
    /// Position of the station's reference point.
    pub position: Wgs84,
    /// Covariance of the ground position.
    pub covariance: Option<Covariance2>,
    /// Direction of travel, degrees clockwise from north.
    pub heading_deg: Option<f64>,
    /// Standard deviation of the heading, degrees.
    pub heading_sigma_deg: Option<f64>,
    /// Speed over ground, m/s.
    pub speed_mps: Option<f64>,
    /// Standard deviation of the speed, m/s.
    pub speed_sigma_mps: Option<f64>,
    /// Acceleration forwards, m/s².
    pub acceleration_mps2: Option<f64>,
    /// Rate of turn, degrees per second, positive counter-clockwise.
    pub yaw_rate_degps: Option<f64>,
    /// Forwards or backwards.
    pub drive_direction: DriveDirection,
    /// Lights that are on.
    pub exterior_lights: ExteriorLights,
    /// What only some vehicles have.
    pub equipment: Equipment,
}

/// A service or an operator asks for a DENM: AppDENM_trigger, AppDENM_update, AppDENM_termination of EN 302 637-3 5.4.1.
#[derive(Clone, Debug, PartialEq)]
pub struct DenRequest {
    /// Who asks.
    pub application: String,
    /// The asker's number for the event: a report for a number that is in force is an update.
    pub event: u32,
    /// What is to be done.
    pub action: DenAction,
}

/// What is to be done about an event.
#[derive(Clone, Debug, PartialEq)]
pub enum DenAction {
    /// Announce it, or say anew how it is; repeated until its validity runs out.
    Report(EventReport),
    /// Announce that it is over.
    Withdraw,
}

/// What is to be announced.
#[derive(Clone, Debug, PartialEq)]
pub struct EventReport {
    /// `CauseCodeType` (TS 102 894-2), 1 to 128.
    pub cause_code: u8,
    /// `SubCauseCodeType`; 0 when not known.
    pub sub_cause_code: u8,
    /// `informationQuality`, 0 (unknown) to 7.
    pub information_quality: u8,
    /// Where it is.
    pub position: Wgs84,
    /// Covariance of the place on the ground; `None` where its accuracy is not known.
    pub covariance: Option<Covariance2>,
    /// Direction of the event, degrees clockwise from north.
    pub heading_deg: Option<f64>,
    /// Speed of a moving event, m/s.
    pub speed_mps: Option<f64>,
    /// Distance within which it matters, metres: rounded up to the standard's classes.
    pub awareness_distance_m: f64,
    /// Traffic for which it matters.
    pub traffic: Traffic,
    /// How long it is valid, seconds, 1 to 86,400.
    pub validity_s: u32,
    /// Interval of the repetitions, milliseconds, 100 to 10,000.
    pub repetition_interval_ms: u32,
    /// Paths that lead to it, each from the event outwards against the traffic; at most 7 of at most 40 points.
    pub traces: Vec<Vec<Wgs84>>,
}

/// Traffic for which an event matters (`trafficDirection` of TS 103 831).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// All.
    #[default]
    All,
    /// Upstream of the event.
    Upstream,
    /// Downstream of the event.
    Downstream,
    /// In the opposite direction.
    Opposite,
}

impl Traffic {
    /// The value in messages.
    pub const fn direction(self) -> TrafficDirection {
        match self {
            Self::All => TrafficDirection::AllTrafficDirections,
            Self::Upstream => TrafficDirection::UpstreamTraffic,
            Self::Downstream => TrafficDirection::DownstreamTraffic,
            Self::Opposite => TrafficDirection::OppositeTraffic,
        }
    }
}

/// How busy the radio channel is, measured every 100 ms (`T_CBR` of TS 102 687).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChannelLoad {
    /// Channel busy ratio, 0 to 1: the largest of the local one and those of the neighbours, as far as known.
    pub busy_ratio: f64,
}

/// What only some vehicles have, and whether it is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Equipment {
    /// The light bar flashes.
    pub light_bar: bool,
    /// The siren sounds.
    pub siren: bool,
    /// Passengers are boarding or alighting.
    pub embarkation: bool,
}

/// A source or link changed its state.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    /// Name of the source or link in the configuration.
    pub name: String,
    /// The new state.
    pub state: SourceState,
    /// What an operator needs to know, in words.
    pub detail: String,
}

/// State of a source or link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    /// Delivering.
    Up,
    /// Trying to connect or reconnect.
    Connecting,
    /// Came to its end (a file was played).
    Ended,
    /// Given up; needs an operator.
    Failed,
}

/// What the signals of an intersection show, as its controller tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalReport {
    /// The intersection's number in the site file.
    pub intersection: u16,
    /// When it was so.
    pub captured_at: Timestamp,
    /// How the controller works.
    pub operation: Operation,
    /// What each signal group shows.
    pub groups: Vec<GroupState>,
}

/// How a signal controller works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// By a fixed plan.
    #[default]
    FixedTime,
    /// By the traffic.
    TrafficDependent,
    /// Flashing or partly dark.
    Standby,
    /// Failed.
    Failure,
    /// Off.
    Off,
}

/// What a signal group shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupState {
    /// Its number, 1 to 254.
    pub group: u8,
    /// What it shows.
    pub shows: SignalPhase,
    /// It shows this at least until then.
    pub min_end: Option<Timestamp>,
    /// It shows this at most until then.
    pub max_end: Option<Timestamp>,
    /// It most likely shows this until then.
    pub likely_end: Option<Timestamp>,
}

/// A phase of a signal (`MovementPhaseState` of ISO/TS 19091).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalPhase {
    /// Not known.
    #[default]
    Unavailable,
    /// Nothing.
    Dark,
    /// Flashing red: stop, then go when free.
    StopThenProceed,
    /// Red.
    StopAndRemain,
    /// Red and amber.
    PreMovement,
    /// Green, with conflicting traffic.
    PermissiveMovementAllowed,
    /// Green, without conflicting traffic.
    ProtectedMovementAllowed,
    /// Amber, with conflicting traffic.
    PermissiveClearance,
    /// Amber, without conflicting traffic.
    ProtectedClearance,
    /// Flashing amber.
    CautionConflictingTraffic,
}

/// What a signal controller has decided about a request for priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorityAnswer {
    /// The station that asks.
    pub station: u32,
    /// The intersection's number.
    pub intersection: u16,
    /// The request's number at that station.
    pub request: u8,
    /// What became of it.
    pub status: PriorityStatus,
}

/// What became of a request for priority (`PrioritizationResponseStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityStatus {
    /// Taken.
    Requested,
    /// Being decided.
    Processing,
    /// Cannot be granted fully.
    WatchOtherTraffic,
    /// Granted.
    Granted,
    /// Rejected.
    Rejected,
    /// Granted for too long already.
    MaxPresence,
    /// Not again so soon.
    ReserviceLocked,
}
