//! What happened in a run: the truth, what the nodes knew and said, and who heard it.
//!
//! Everything that criteria and reports look at; written by the loop, read afterwards.

use super::camera::InView;
use super::rig::Broken;
use crate::actor::{Actor, ActorId};
use crate::snapshot::Snapshot;
use masa_edge_node::effect::OutMessage;
use masa_edge_node::recorder::Record;
use masa_inference::{Detection, ObjectClass};
use masa_v2x_proto::cdd::{CauseCode, ReferencePosition};
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use nalgebra::Point2;

/// A run from its beginning to its end.
#[derive(Debug, Default)]
pub struct Trace {
    /// The world, a snapshot a step.
    pub snapshots: Vec<Snapshot>,
    /// Every message that was made.
    pub sent: Vec<Sent>,
    /// Who received which of them, in order.
    pub received: Vec<Reception>,
    /// What each camera frame came to.
    pub frames: Vec<FrameTrace>,
    /// The stations.
    pub stations: Vec<StationTrace>,
    /// What connected drivers did, whenever it changed.
    pub reactions: Vec<ReactionTrace>,
    /// What a node's health said, from when to when.
    pub health: Vec<HealthTrace>,
    /// What broke and was repaired.
    pub faults: Vec<(f64, String)>,
}

/// A station of a run.
#[derive(Debug)]
pub struct StationTrace {
    /// Its name in the scenario; of connected traffic the actor's number.
    pub name: String,
    /// ETSI station id.
    pub station_id: u32,
    /// The actor that carries it.
    pub actor: Option<ActorId>,
    /// What entered and left it; one recording for each life.
    pub recordings: Vec<Recording>,
}

/// What entered and left a node in one life.
#[derive(Debug)]
pub struct Recording {
    /// The header's configuration.
    pub configuration_json: String,
    /// Names of the sources.
    pub sources: Vec<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// Everything, in order.
    pub records: Vec<Record>,
}

/// A message that was made.
#[derive(Clone, Debug)]
pub struct Sent {
    /// When, seconds.
    pub at_s: f64,
    /// By which station, an index of [`Trace::stations`].
    pub station: usize,
    /// What it is.
    pub kind: MessageKind,
    /// Its id.
    pub id: String,
    /// From the shutter of the newest frame in it, milliseconds.
    pub photon_ms: Option<f64>,
    /// Its bytes.
    pub uper: Vec<u8>,
    /// Length of its JSON image, bytes.
    pub json_bytes: usize,
    /// Of what it speaks.
    pub mentions: Vec<Mention>,
}

/// Something that a message speaks of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mention {
    /// Where, ENU metres.
    pub position: Point2<f64>,
    /// As of when, seconds.
    pub at_s: f64,
    /// How far it may be from the truth, metres.
    pub within_m: f64,
    /// The station that speaks of itself.
    pub itself: Option<u32>,
    /// `CauseCodeType` of an event.
    pub cause: Option<u8>,
}

/// A message was received.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reception {
    /// When, seconds.
    pub at_s: f64,
    /// By which station, an index of [`Trace::stations`].
    pub station: usize,
    /// Which, an index of [`Trace::sent`]; `None` for what no station of the run made.
    pub sent: Option<usize>,
    /// Whether it was trusted.
    pub trusted: bool,
}

/// What a camera frame came to.
#[derive(Clone, Debug)]
pub struct FrameTrace {
    /// When its shutter opened, seconds.
    pub captured_s: f64,
    /// The station, an index of [`Trace::stations`].
    pub station: usize,
    /// The camera, its place at the station.
    pub camera: usize,
    /// Its running number.
    pub frame: u64,
    /// FNV-1a of its pixels; 0 without pictures.
    pub hash: u64,
    /// What was broken at the camera.
    pub(crate) broken: Broken,
    /// The turn that the node corrected positions by from this frame on: about the camera's right, down and forward axes,
    /// radians; `None`: it corrected nothing.
    pub corrected_rad: Option<[f64; 3]>,
    /// Who was in it.
    pub in_view: Vec<InView>,
    /// What the detector found.
    pub detections: Vec<Detection>,
    /// What the node knew afterwards.
    pub objects: Vec<Known>,
}

/// A road user as a node knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Object id.
    pub id: u16,
    /// What it is most likely.
    pub class: ObjectClass,
    /// Where it is, ENU metres.
    pub position: Point2<f64>,
    /// As of when, seconds.
    pub at_s: f64,
    /// Towards east and north, metres a second.
    pub velocity_mps: [f64; 2],
    /// Covariance of the position.
    pub covariance: Covariance2,
    /// The cameras whose tracks are behind it, their places at the station.
    pub cameras: Vec<usize>,
    /// Whether a station tells of it.
    pub is_told: bool,
}

/// What a connected driver did.
#[derive(Clone, Debug, PartialEq)]
pub struct ReactionTrace {
    /// When, seconds.
    pub at_s: f64,
    /// The vehicle.
    pub actor: ActorId,
    /// No faster than this, metres a second.
    pub limit_mps: Option<f64>,
    /// Brakes this hard, metres a second squared.
    pub brake_mps2: Option<f64>,
    /// Why.
    pub why: String,
}

/// A problem that a node's health named.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthTrace {
    /// The station, an index of [`Trace::stations`].
    pub station: usize,
    /// The problem's name.
    pub problem: String,
    /// In words.
    pub detail: String,
    /// From when, seconds.
    pub from_s: f64,
    /// Until when, seconds; `None`: to the end.
    pub until_s: Option<f64>,
}

impl Trace {
    /// The world at a time, or just before it.
    pub fn at(&self, time_s: f64) -> Option<&Snapshot> {
        let after = self.snapshots.partition_point(|snapshot| snapshot.time_s <= time_s + 1e-9);
        self.snapshots.get(after.saturating_sub(1))
    }

    /// An actor at a time.
    pub fn actor_at(&self, actor: ActorId, time_s: f64) -> Option<&Actor> {
        self.at(time_s)?.actor(actor)
    }

    /// Whether a message speaks of an actor.
    pub fn is_about(&self, sent: &Sent, actor: ActorId) -> bool {
        sent.mentions.iter().any(|mention| {
            let speaker =
                mention.itself.map(|id| self.stations.iter().any(|s| s.station_id == id && s.actor == Some(actor)));
            speaker.unwrap_or_else(|| {
                self.actor_at(actor, mention.at_s).is_some_and(|truth| {
                    let reach_m = mention.within_m + truth.size.length_m / 2.0;
                    (truth.pose.position.xy() - mention.position).norm() <= reach_m
                })
            })
        })
    }

    /// Index of a station by name.
    pub fn station(&self, name: &str) -> Option<usize> {
        self.stations.iter().position(|station| station.name == name)
    }

    /// A digest of everything that must repeat: truth, frames, messages.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest { truth: FNV_START, frames: FNV_START, messages: FNV_START };
        for snapshot in &self.snapshots {
            for actor in &snapshot.actors {
                let p = actor.pose.position;
                let numbers = [p.x, p.y, p.z, actor.pose.yaw_rad, actor.speed_mps, actor.acceleration_mps2];
                digest.truth = fnv(digest.truth, &actor.id.0.to_le_bytes());
                digest.truth = numbers.iter().fold(digest.truth, |hash, v| fnv(hash, &v.to_bits().to_le_bytes()));
            }
            digest.truth = snapshot.signals.iter().flatten().fold(digest.truth, |hash, s| fnv(hash, &[*s as u8]));
        }
        for frame in &self.frames {
            digest.frames = fnv(digest.frames, &frame.hash.to_le_bytes());
            for detection in &frame.detections {
                let b = detection.bounding_box;
                let numbers = [b.x1_px, b.y1_px, b.x2_px, b.y2_px, detection.score];
                digest.frames = numbers.iter().fold(digest.frames, |hash, v| fnv(hash, &v.to_bits().to_le_bytes()));
            }
        }
        for sent in &self.sent {
            digest.messages = fnv(fnv(digest.messages, sent.id.as_bytes()), &sent.uper);
            digest.messages = fnv(digest.messages, &sent.at_s.to_bits().to_le_bytes());
        }
        for reception in &self.received {
            digest.messages = fnv(digest.messages, &reception.at_s.to_bits().to_le_bytes());
            digest.messages = fnv(digest.messages, &(reception.station as u64).to_le_bytes());
        }
        digest
    }
}

/// A digest of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of every actor and signal in every step.
    pub truth: u64,
    /// Of every picture and detection.
    pub frames: u64,
    /// Of every message and reception.
    pub messages: u64,
}

/// Start of an FNV-1a hash.
pub(crate) const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// Goes on with an FNV-1a hash.
pub(crate) fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Of what a message speaks; `start` is second 0 of the run.
pub(crate) fn mentions(message: &OutMessage, frame: &SiteFrame, start: Timestamp) -> Vec<Mention> {
    let ground = |position: &ReferencePosition| {
        let (lat_deg, lon_deg) = position.latitude_deg.zip(position.longitude_deg)?;
        let Enu { e_m, n_m, .. } = frame.to_enu(Wgs84 { lat_deg, lon_deg, alt_m: frame.origin().alt_m });
        Some(Point2::new(e_m, n_m))
    };
    let seconds = |at: Timestamp| at.seconds_since(start);
    let itself = |position: &ReferencePosition, id: u32| {
        let at_s = seconds(message.generated_at);
        ground(position).map(|position| Mention { position, at_s, within_m: 5.0, itself: Some(id), cause: None })
    };
    match Message::decode(&message.uper) {
        Ok(Message::Cam(cam)) => {
            itself(&cam.cam.cam_parameters.basic_container.reference_position, cam.header.station_id.0)
                .into_iter()
                .collect()
        }
        Ok(Message::Vam(vam)) => {
            itself(&vam.vam.vam_parameters.basic_container.reference_position, vam.header.station_id.0)
                .into_iter()
                .collect()
        }
        Ok(Message::Denm(denm)) => {
            let management = &denm.denm.management;
            let cause = denm.denm.situation.as_ref().map(|situation| situation.event_type);
            let mention = ground(&management.event_position).filter(|_| management.termination.is_none());
            let at_s = seconds(Timestamp::from(management.detection_time));
            let cause = cause.map(|cause: CauseCode| cause.code());
            mention.map(|position| Mention { position, at_s, within_m: 5.0, itself: None, cause }).into_iter().collect()
        }
        Ok(Message::Cpm(cpm)) => {
            let management = &cpm.payload.management_container;
            let Some(reference) = ground(&management.reference_position) else { return Vec::new() };
            let time = Timestamp::from(management.reference_time);
            let objects = cpm.payload.cpm_containers.perceived_object.as_ref();
            let objects = objects.iter().flat_map(|container| &container.perceived_objects);
            let mentions = objects.filter_map(|object| {
                let (x, y) = (object.position.x.value_m.value()?, object.position.y.value_m.value()?);
                let at_s = seconds(time.plus_ms(i64::from(object.measurement_delta_time_ms)));
                let position = reference + nalgebra::Vector2::new(f64::from(x), f64::from(y));
                Some(Mention { position, at_s, within_m: 2.5, itself: None, cause: None })
            });
            mentions.collect()
        }
        _ => Vec::new(),
    }
}
