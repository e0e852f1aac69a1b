//! Who sees a road user, and who tells of it.

use super::RoadUser;
use crate::effect::{MessageCause, ObjectCause, SightCause};
use crate::event::{EventId, SourceId};
use crate::perception::ground::GroundMeasurement;
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use crate::world::fusion::Teller;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// Where one camera, radar or lidar has a road user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// The camera, radar or lidar.
    pub camera: SourceId,
    /// The track in that camera.
    pub track_id: u32,
    /// The track's box, source-image pixels; `None` of a radar or lidar.
    pub bounding_box: Option<BoundingBox>,
    /// Index in the newest frame's detections; `None` when carried through a gap.
    pub detection: Option<u16>,
    /// Event in which the track began.
    pub first_event: EventId,
    /// Event of the newest frame that shows it.
    pub last_event: EventId,
    /// That frame's running number.
    pub frame: u64,
    /// That frame's capture time.
    pub captured_at: Timestamp,
    /// Whether the newest frame shows it.
    pub state: TrackState,
    /// Whether it stands where the camera is calibrated.
    pub area: CalibratedArea,
    /// Where that frame puts it.
    pub measured: GroundMeasurement,
    /// Probability of each class, as this camera sees it.
    pub class_shares: [f32; ObjectClass::ALL.len()],
    /// Frames that show it.
    pub hits: u32,
    /// When the newest frame of the camera reached the core: what ageing goes by.
    pub updated_at: Timestamp,
    /// Frames in a row that put it where nobody else does.
    pub(in crate::world) misfits: u8,
}

/// What one station tells of a road user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// Who tells: itself, or another of its object.
    pub teller: Teller,
    /// By which kind of message.
    pub kind: MessageKind,
    /// The event of the newest message.
    pub event: EventId,
    /// The instant that message speaks of.
    pub measured_at: Timestamp,
    /// When it reached the core: what ageing goes by.
    pub heard_at: Timestamp,
    /// The class it states.
    pub class: Option<ObjectClass>,
    /// Where that message has it.
    pub position: Enu,
    /// With all that may be wrong with that.
    pub sigma: Covariance2,
}

impl Sight {
    pub(super) fn new(camera: SourceId, track: &GroundTrack, now: Timestamp) -> Self {
        Self {
            camera,
            track_id: track.track_id,
            bounding_box: track.bounding_box,
            detection: track.detection,
            first_event: track.first_event,
            last_event: track.last_event,
            frame: track.frame,
            captured_at: track.captured_at,
            state: track.state,
            area: track.area,
            measured: track.measured,
            class_shares: track.class_shares,
            hits: track.hits,
            updated_at: now,
            misfits: 0,
        }
    }
}

impl RoadUser {
    /// Where this object came from, for the provenance of a message that speaks of it.
    pub fn cause(&self) -> ObjectCause {
        let best = self.sight().map(|sight| sight.camera);
        let first = self.sights.iter().filter(|sight| Some(sight.camera) == best);
        let others = self.sights.iter().filter(|sight| Some(sight.camera) != best);
        let of_sight = |sight: &Sight| SightCause {
            camera: sight.camera,
            track_id: sight.track_id,
            first_event: sight.first_event,
            last_event: sight.last_event,
            frame: sight.frame,
            captured_at: sight.captured_at,
            detection: sight.detection,
            bounding_box: sight.bounding_box,
        };
        let of_message =
            |told: &Told| MessageCause { station: told.teller.station().0, kind: told.kind, event: told.event };
        ObjectCause {
            object_id: u32::from(self.id),
            sights: first.chain(others).map(of_sight).collect(),
            messages: self.told.iter().map(of_message).collect(),
        }
    }
}
