//! The recording's protobuf types and their exact conversion from and to the core's types.
//!
//! Every float keeps its bits, so an event read back equals the event written.

use super::Error;
use crate::effect::{MessageKind, OutMessage};
use crate::event::{
    ChannelLoad, DetectionFrame, DropReason, Event, EventBody, EventId, FrameDropped, FrameStatistics, FrameTimings,
    MAX_PATCHES, Observation, PatchShift, PatchShifts, Quantity, SourceId, SourceState, StatusChange,
};
use masa_inference::{Appearance, BoundingBox, Detection};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

/// Generated from `proto/masa/recording/v1/recording.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code; the schema file documents it")]
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/masa.recording.v1.rs"));
}

/// Generated from `proto/foxglove/*.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code; the schema file documents it")]
pub(crate) mod foxglove {
    include!(concat!(env!("OUT_DIR"), "/foxglove.rs"));
}

/// Descriptors of all schemas above, stored in every recording.
pub(crate) const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recording.fds"));

/// The kebab-case name serde gives a unit variant.
pub(super) fn name_of<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

pub(super) fn from_name<T: DeserializeOwned>(name: &str, field: &'static str) -> Result<T, Error> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|_| Error::Content { field, value: name.to_owned() })
}

/// Of each patch its middle and how far it has gone; what is beyond the bound is not read.
fn patches(flat: &[f32]) -> PatchShifts {
    let patch = |&[x, y, right, below]: &[f32; 4]| PatchShift { at_px: [x, y], shift_px: [right, below] };
    flat.as_chunks().0.iter().take(MAX_PATCHES).map(patch).collect()
}

pub(super) fn instant(ns: i64) -> Timestamp {
    Timestamp::from_unix_ns(ns)
}

impl From<&Event> for proto::Event {
    fn from(event: &Event) -> Self {
        use proto::event::Body;
        let body = match &event.body {
            EventBody::Detections(frame) => Body::Detections(proto::DetectionFrame {
                frame: frame.frame,
                captured_at_ns: frame.captured_at.unix_ns(),
                width_px: frame.width_px,
                height_px: frame.height_px,
                detections: frame.detections.iter().map(detection_to_proto).collect(),
                timings: Some(proto::FrameTimings {
                    decode_us: frame.timings.decode_us,
                    queue_us: frame.timings.queue_us,
                    preprocess_us: frame.timings.preprocess_us,
                    inference_us: frame.timings.inference_us,
                    postprocess_us: frame.timings.postprocess_us,
                }),
            }),
            EventBody::FrameDropped(dropped) => Body::FrameDropped(proto::FrameDropped {
                frame: dropped.frame,
                captured_at_ns: dropped.captured_at.unix_ns(),
                reason: name_of(&dropped.reason),
            }),
            EventBody::Observation(observation) => Body::Observation(proto::Observation {
                sensor: observation.sensor.clone(),
                quantity: name_of(&observation.quantity),
                value: observation.value,
                captured_at_ns: observation.captured_at.unix_ns(),
                unit: observation.quantity.unit().to_owned(),
            }),
            EventBody::Status(status) => Body::Status(proto::StatusChange {
                name: status.name.clone(),
                state: name_of(&status.state),
                detail: status.detail.clone(),
            }),
            EventBody::FrameStatistics(statistics) => Body::FrameStatistics(proto::FrameStatistics {
                frame: statistics.frame,
                captured_at_ns: statistics.captured_at.unix_ns(),
                mean_luminance: statistics.mean_luminance,
                fingerprint: statistics.fingerprint,
                shift_px: statistics.shift_px.map(Vec::from).unwrap_or_default(),
                likeness: statistics.likeness,
                patches_px: statistics.patches.iter().flat_map(|p| [p.at_px, p.shift_px]).flatten().collect(),
            }),
            EventBody::RadarScan(scan) => Body::RadarScan(scan.into()),
            EventBody::ObjectList(list) => Body::ObjectList(list.into()),
            EventBody::WakeUp => Body::WakeUp(proto::WakeUp {}),
            EventBody::Received(message) => Body::Received(message.into()),
            EventBody::Ego(ego) => Body::Ego(ego.into()),
            EventBody::DenRequest(request) => Body::DenRequest(request.into()),
            EventBody::Signals(report) => Body::Signals(report.into()),
            EventBody::PriorityAnswer(answer) => Body::PriorityAnswer(answer.into()),
            EventBody::Channel(load) => Body::Channel(proto::ChannelLoad { busy_ratio: load.busy_ratio }),
            EventBody::Identity(identity) => Body::Identity(identity.into()),
        };
        Self {
            arrived_at_ns: event.arrived_at.unix_ns(),
            source: u32::from(event.id.source.0),
            seq: event.id.seq,
            body: Some(body),
        }
    }
}

impl TryFrom<proto::Event> for Event {
    type Error = Error;

    fn try_from(event: proto::Event) -> Result<Self, Error> {
        use proto::event::Body;
        let body = match event.body.ok_or(Error::Content { field: "event.body", value: "absent".into() })? {
            Body::Detections(frame) => {
                let timings = frame.timings.unwrap_or_default();
                EventBody::Detections(DetectionFrame {
                    frame: frame.frame,
                    captured_at: instant(frame.captured_at_ns),
                    width_px: frame.width_px,
                    height_px: frame.height_px,
                    detections: frame.detections.iter().map(detection_from_proto).collect::<Result<_, _>>()?,
                    timings: FrameTimings {
                        decode_us: timings.decode_us,
                        queue_us: timings.queue_us,
                        preprocess_us: timings.preprocess_us,
                        inference_us: timings.inference_us,
                        postprocess_us: timings.postprocess_us,
                    },
                })
            }
            Body::FrameDropped(dropped) => EventBody::FrameDropped(FrameDropped {
                frame: dropped.frame,
                captured_at: instant(dropped.captured_at_ns),
                reason: from_name::<DropReason>(&dropped.reason, "frame_dropped.reason")?,
            }),
            Body::Observation(observation) => EventBody::Observation(Observation {
                quantity: from_name::<Quantity>(&observation.quantity, "observation.quantity")?,
                sensor: observation.sensor,
                value: observation.value,
                captured_at: instant(observation.captured_at_ns),
            }),
            Body::Status(status) => EventBody::Status(StatusChange {
                state: from_name::<SourceState>(&status.state, "status.state")?,
                name: status.name,
                detail: status.detail,
            }),
            Body::FrameStatistics(statistics) => EventBody::FrameStatistics(FrameStatistics {
                frame: statistics.frame,
                captured_at: instant(statistics.captured_at_ns),
                mean_luminance: statistics.mean_luminance,
                fingerprint: statistics.fingerprint,
                shift_px: statistics.shift_px.try_into().ok(),
                likeness: statistics.likeness,
                patches: patches(&statistics.patches_px),
            }),
            Body::RadarScan(scan) => EventBody::RadarScan(scan.into()),
            Body::ObjectList(list) => EventBody::ObjectList(list.into()),
            Body::WakeUp(_) => EventBody::WakeUp,
            Body::Received(message) => EventBody::Received(message.try_into()?),
            Body::Ego(ego) => EventBody::Ego(ego.into()),
            Body::DenRequest(request) => EventBody::DenRequest(request.try_into()?),
            Body::Signals(report) => EventBody::Signals(report.try_into()?),
            Body::PriorityAnswer(answer) => EventBody::PriorityAnswer(answer.try_into()?),
            Body::Channel(load) => EventBody::Channel(ChannelLoad { busy_ratio: load.busy_ratio }),
            Body::Identity(identity) => EventBody::Identity(identity.try_into()?),
        };
        let source = u16::try_from(event.source)
            .map_err(|_| Error::Content { field: "event.source", value: event.source.to_string() })?;
        Ok(Self {
            arrived_at: instant(event.arrived_at_ns),
            id: EventId { source: SourceId(source), seq: event.seq },
            body,
        })
    }
}

fn detection_to_proto(detection: &Detection) -> proto::Detection {
    let b = &detection.bounding_box;
    proto::Detection {
        x1_px: b.x1_px,
        y1_px: b.y1_px,
        x2_px: b.x2_px,
        y2_px: b.y2_px,
        class: name_of(&detection.class),
        score: detection.score,
        appearance: detection.appearance.map(|appearance| appearance.as_bytes().to_vec()),
    }
}

fn detection_from_proto(d: &proto::Detection) -> Result<Detection, Error> {
    Ok(Detection {
        bounding_box: BoundingBox { x1_px: d.x1_px, y1_px: d.y1_px, x2_px: d.x2_px, y2_px: d.y2_px },
        class: from_name(&d.class, "detection.class")?,
        score: d.score,
        appearance: d.appearance.as_deref().map(appearance_from_proto).transpose()?,
    })
}

fn appearance_from_proto(bytes: &[u8]) -> Result<Appearance, Error> {
    let wrong = || Error::Content { field: "detection.appearance", value: format!("{} bytes", bytes.len()) };
    Appearance::from_bytes(bytes).ok_or_else(wrong)
}

impl From<&OutMessage> for proto::PublishedMessage {
    fn from(message: &OutMessage) -> Self {
        Self {
            id: message.id.clone(),
            kind: message.kind.name().to_owned(),
            seq: message.seq,
            generated_at_ns: message.generated_at.unix_ns(),
            captured_at_ns: message.captured_at.map(Timestamp::unix_ns),
            latitude_deg: message.position.lat_deg,
            longitude_deg: message.position.lon_deg,
            altitude_m: message.position.alt_m,
            uper: message.uper.clone(),
            json: message.json.clone(),
            provenance_json: serde_json::to_string(&message.provenance).unwrap_or_default(),
            deadline_ns: message.deadline.map(Timestamp::unix_ns),
            dissemination_json: serde_json::to_string(&message.dissemination).unwrap_or_default(),
        }
    }
}

impl TryFrom<proto::PublishedMessage> for OutMessage {
    type Error = Error;

    fn try_from(message: proto::PublishedMessage) -> Result<Self, Error> {
        Ok(Self {
            kind: from_name::<MessageKind>(&message.kind, "message.kind")?,
            provenance: from_json(&message.provenance_json, "message.provenance_json", &message.id)?,
            dissemination: match &*message.dissemination_json {
                "" => Dissemination::default(),
                json => from_json(json, "message.dissemination_json", &message.id)?,
            },
            deadline: message.deadline_ns.map(instant),
            id: message.id,
            seq: message.seq,
            generated_at: instant(message.generated_at_ns),
            captured_at: message.captured_at_ns.map(instant),
            position: Wgs84 {
                lat_deg: message.latitude_deg,
                lon_deg: message.longitude_deg,
                alt_m: message.altitude_m,
            },
            uper: message.uper,
            json: message.json,
        })
    }
}

/// A value that a record carries as JSON; an error names the message it is of.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(json: &str, field: &'static str, id: &str) -> Result<T, Error> {
    serde_json::from_str(json).map_err(|error| Error::Content { field, value: format!("{id}: {error}") })
}
