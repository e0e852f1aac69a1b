//! What a step of the core wants done: the only way out.

use crate::event::{EventId, SourceId};
use masa_inference::BoundingBox;
pub use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What one step asks the runner to do, in order.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// Messages to publish, in order.
    pub messages: Vec<OutMessage>,
    /// The next free sequence number of events, when it has changed: to be kept across restarts.
    pub next_denm_number: Option<u16>,
    /// Requests for priority for the signal controller, in order.
    pub priority_requests: Vec<PriorityRequest>,
    /// When the core wants a [`crate::event::EventBody::WakeUp`] at the latest.
    pub wake_at: Option<Timestamp>,
}

/// A V2X message ready to leave.
#[derive(Clone, Debug, PartialEq)]
pub struct OutMessage {
    /// `<station>-<kind>-<number>`, unique over the life of a recording; the argument of `masa explain`.
    pub id: String,
    /// What it is.
    pub kind: MessageKind,
    /// Running number per station and kind, from 1; readers order and de-duplicate by it.
    pub seq: u64,
    /// When the core made it.
    pub generated_at: Timestamp,
    /// Capture time of the newest frame or reading in it; `None` when nothing observed is in it.
    pub captured_at: Option<Timestamp>,
    /// Where it is about: decides the quadkey it is published under.
    pub position: Wgs84,
    /// When it stops being worth delivering (a DENM's end of validity); `None` for the usual lifetime of its kind.
    pub deadline: Option<Timestamp>,
    /// How it travels over radio links.
    pub dissemination: Dissemination,
    /// ETSI UPER bytes.
    pub uper: Vec<u8>,
    /// JSON image after the its-client schema of its kind.
    pub json: String,
    /// What caused it.
    pub provenance: Provenance,
}

/// The causes of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The generation rule that fired, in words with the clause ("CPM: new object, TS 103 324 6.1.2.3").
    pub rule: String,
    /// The objects it speaks of, and where each came from.
    pub objects: Vec<ObjectCause>,
}

/// Where one object of a message came from: every camera that sees it, and every message that tells of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectCause {
    /// Object id in the message (CPM `objectId`) or world model.
    pub object_id: u32,
    /// The tracks behind it, the best one first.
    pub sights: Vec<SightCause>,
    /// The messages behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<MessageCause>,
}

impl ObjectCause {
    /// Capture time of the newest frame behind it.
    pub fn captured_at(&self) -> Option<Timestamp> {
        self.sights.iter().map(|sight| sight.captured_at).max()
    }
}

/// The track of one camera, radar or lidar behind an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SightCause {
    /// The camera, radar or lidar whose track it is.
    pub camera: SourceId,
    /// The track in that camera.
    pub track_id: u32,
    /// Event in which the track began.
    pub first_event: EventId,
    /// Event of the newest frame that confirmed it.
    pub last_event: EventId,
    /// That frame's running number.
    pub frame: u64,
    /// That frame's capture time.
    pub captured_at: Timestamp,
    /// Index of the detection, target or object in that frame or scan; `None` when the tracker carried the object through a gap.
    pub detection: Option<u16>,
    /// The box of the track in that frame; `None` of a radar or lidar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<BoundingBox>,
}

/// The newest message of a station behind an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCause {
    /// Who tells of it.
    pub station: u32,
    /// By which kind of message: CAM or VAM of itself, CPM of another.
    pub kind: MessageKind,
    /// The event that brought it.
    pub event: EventId,
}

/// A vehicle asks a signal controller for priority; the answer comes back as [`crate::event::PriorityAnswer`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PriorityRequest {
    /// The station that asks.
    pub station: u32,
    /// The intersection's number.
    pub intersection: u16,
    /// The request's number at that station.
    pub request: u8,
    /// What it asks.
    pub action: PriorityAction,
    /// As whom it asks.
    pub requester: Requester,
    /// Where it comes from.
    pub inbound: Option<Way>,
    /// Where it goes.
    pub outbound: Option<Way>,
    /// When it arrives at the intersection.
    pub arrives_at: Option<Timestamp>,
}

/// As whom a vehicle asks for priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requester {
    /// An emergency vehicle on its way to an emergency.
    Emergency,
    /// A bus or tram.
    PublicTransport,
    /// Anybody else, or one who does not say.
    #[default]
    Other,
}

/// What a request for priority asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriorityAction {
    /// Priority.
    Request,
    /// Priority, at another time or place than it said before.
    Update,
    /// Nothing any more.
    Cancel,
}

/// Where a road user enters or leaves an intersection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// On a lane.
    Lane(u8),
    /// On an approach.
    Approach(u8),
    /// On a connection of lanes.
    Connection(u8),
}
