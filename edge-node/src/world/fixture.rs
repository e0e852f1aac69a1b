//! Tracks and frames for tests.

use crate::event::{DetectionFrame, EventId, FrameTimings, SourceId};
use crate::perception::ground::GroundMeasurement;
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use crate::world::fusion::{Report, Teller};
use crate::world::infrastructure::{
    ConnectionSettings, IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre,
};
use crate::world::prediction::RouteMap;
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;

/// The camera of every test track.
pub(crate) const CAMERA: SourceId = SourceId(1);

/// 2026-03-01T12:00:00 UTC, and `ms` milliseconds.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_772_366_400_000 + ms)
}

/// A sharp, well-perceived track that stands; first seen at 0 ms.
pub(crate) fn track(track_id: u32, class: ObjectClass, position: [f64; 2], ms: i64) -> GroundTrack {
    let event = |ms: i64| EventId { source: CAMERA, seq: ms as u64 / 100 + 1 };
    GroundTrack {
        track_id,
        class,
        class_confidence: 0.9,
        class_shares: shares(class),
        score: 0.8,
        bounding_box: Some(BoundingBox { x1_px: 10.0, y1_px: 20.0, x2_px: 30.0, y2_px: 40.0 }),
        detection: Some(0),
        first_event: event(0),
        last_event: event(ms),
        frame: ms as u64 / 100 + 1,
        captured_at: at(ms),
        state_at: at(ms),
        measured_at: at(ms),
        measured: GroundMeasurement {
            position: Enu::ground(position[0], position[1]),
            noise: Covariance2::isotropic(0.01),
            bias: Covariance2::default(),
            area: CalibratedArea::Inside,
            velocity: None,
        },
        position: Enu::ground(position[0], position[1]),
        covariance: Covariance2::isotropic(0.01),
        velocity_e_mps: 0.0,
        velocity_n_mps: 0.0,
        velocity_covariance: Covariance2::isotropic(0.01),
        yaw_rad: None,
        length_m: 4.5,
        width_m: 1.8,
        height_m: 1.5,
        first_seen: at(0),
        hits: 3,
        state: TrackState::Confirmed,
        area: CalibratedArea::Inside,
    }
}

/// Nine votes of ten for `class`, the tenth for something unlike it.
fn shares(class: ObjectClass) -> [f32; ObjectClass::ALL.len()] {
    let mut shares = [0.0; ObjectClass::ALL.len()];
    shares[ObjectClass::Obstacle.index()] = 0.1;
    shares[class.index()] += 0.9;
    shares
}

/// What a car that drives east at 10 m/s says of itself.
pub(crate) fn cam(station: u32, position: [f64; 2], ms: i64) -> Report {
    Report {
        teller: Teller::Station(StationId(station)),
        kind: MessageKind::Cam,
        event: EventId { source: SourceId(9), seq: ms as u64 },
        measured_at: at(ms),
        heard_at: at(ms + 5),
        position: Enu::ground(position[0], position[1]),
        sigma: Covariance2::isotropic(0.64),
        velocity_mps: Some([10.0, 0.0]),
        yaw_rad: Some(0.0),
        class: Some(ObjectClass::Car),
        size_m: Some([5.0, 1.8]),
    }
}

/// The frame at `ms`.
pub(crate) fn frame(ms: i64) -> DetectionFrame {
    DetectionFrame {
        frame: ms as u64 / 100 + 1,
        captured_at: at(ms),
        width_px: 640,
        height_px: 480,
        detections: Vec::new(),
        timings: FrameTimings::default(),
    }
}

/// A lane without connections.
pub(crate) fn lane(id: u8, kind: LaneKind, direction: LaneWay, nodes_m: Vec<[f64; 2]>) -> LaneSettings {
    LaneSettings { id, kind, direction, approach: None, nodes_m, connections: vec![] }
}

/// The routes of one intersection at the origin, with lanes of 3.5 m.
pub(crate) fn intersection(lanes: Vec<LaneSettings>) -> RouteMap {
    RouteMap::new(&[IntersectionSettings {
        id: 1,
        region: None,
        name: None,
        revision: 0,
        reference_m: [0.0, 0.0],
        lane_width_m: 3.5,
        lanes,
        programme: None,
    }])
}

/// A lane from the west to a stop line at the origin, straight on to the east under signal group 1.
pub(crate) fn signalled_lane() -> RouteMap {
    let mut into = lane(3, LaneKind::Vehicle, LaneWay::Ingress, vec![[0.0, 0.0], [-100.0, 0.0]]);
    into.connections = vec![ConnectionSettings { lane: 4, manoeuvre: Manoeuvre::Straight, signal_group: Some(1) }];
    intersection(vec![into, lane(4, LaneKind::Vehicle, LaneWay::Egress, vec![[15.0, 0.0], [115.0, 0.0]])])
}
