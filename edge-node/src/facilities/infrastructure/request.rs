//! A vehicle asks signals for priority: TS 103 301 clause 9 (TLC), the side of the vehicle.
//!
//! In: the vehicle's own state and what it is used for, the maps that roadside units tell (MAPEM), their answers (SSEM).
//! Out: SREMs: a request when a signalised intersection comes into reach, repeated until it is answered, an update when the
//! time of arrival has changed, a cancellation behind the stop line. Absent: the way out, which only navigation knows.

use super::{InfrastructureSettings, push};
use crate::event::EgoState;
use crate::facilities::profile::{Role, VehicleSettings};
use crate::facilities::{Draft, Scene};
use crate::world::Drops;
use crate::world::ldm::ingress_lanes;
use crate::world::prediction::Polyline;
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::dsrc::{
    BasicVehicleRole, IntersectionAccessPoint, IntersectionReferenceId, Position3D, RequestorType, VehicleId,
};
use masa_v2x_proto::geo::heading_to_yaw_rad;
use masa_v2x_proto::srem::{
    PriorityRequestType, RequestorDescription, RequestorPosition, SignalRequest, SignalRequestPackage, Srem,
};
use masa_v2x_proto::ssem::Ssem;
use masa_v2x_proto::time::Timestamp;

/// A bus this far behind its timetable asks, seconds.
const LATE_S: i16 = 60;
/// A vehicle is on the lane whose middle it is nearest to, and at most this far from, metres: half a lane and a receiver's
/// error.
const ON_LANE_M: f64 = 3.0;
/// Largest angle between a vehicle and its lane, radians.
const ALONG_RAD: f64 = 0.5;
/// Below this speed the time of arrival is reckoned with this one, m/s: it waits for green.
const SLOWEST_MPS: f64 = 3.0;
/// Interval of repetitions while no answer is heard, milliseconds.
const REPEAT_MS: i64 = 500;
/// An update is sent when the time of arrival has changed by this, milliseconds, …
const ARRIVAL_CHANGE_MS: i64 = 2_000;
/// … but not sooner than this after the message before.
const UPDATE_MS: i64 = 1_000;
/// How often a cancellation is sent, that a lost packet does not keep the others waiting.
const CANCELLATIONS: u8 = 3;

/// The intersection ahead.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ahead {
    intersection: IntersectionReferenceId,
    lane: u8,
    arrives_at: Timestamp,
}

/// What has been asked.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Asked {
    of: Ahead,
    kind: PriorityRequestType,
    request_id: u8,
    sequence_number: u8,
    sent_at: Timestamp,
    is_answered: bool,
    /// Of a cancellation: how often it is still to be sent.
    left: u8,
}

/// The requests of a vehicle, one at a time.
#[derive(Clone, Debug, Default)]
pub(super) struct Requester {
    vehicle: VehicleSettings,
    asked: Option<Asked>,
    requests: u8,
    sequence_number: u8,
}

impl Requester {
    pub(super) fn new(vehicle: VehicleSettings) -> Self {
        Self { vehicle, ..Self::default() }
    }

    /// Takes a roadside unit's answer.
    pub(super) fn answer(&mut self, ssem: &Ssem, own: StationId) {
        let Some(asked) = &mut self.asked else { return };
        let here = ssem.ssm.status.iter().filter(|status| status.id == asked.of.intersection);
        let mut requesters =
            here.flat_map(|status| status.sig_status.iter()).filter_map(|package| package.requester.as_ref());
        asked.is_answered |= requesters.any(|requester| {
            requester.id == VehicleId::Station(own)
                && requester.request == asked.request_id
                && requester.sequence_number == asked.sequence_number
        });
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        let asked = self.asked.filter(|asked| !asked.is_answered)?;
        Some(asked.sent_at.plus_ms(REPEAT_MS))
    }

    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        settings: &InfrastructureSettings,
        drops: &mut Drops,
        drafts: &mut Vec<Draft>,
    ) {
        let Some(ego) = scene.ego else { return };
        let role = self.role(ego);
        let ahead = role.and_then(|_| ahead(scene, ego));
        let elapsed_ms = |asked: &Asked| (scene.now.unix_ns() - asked.sent_at.unix_ns()) / 1_000_000;
        let rule = match (self.asked, ahead) {
            (None, None) => return,
            (None, Some(ahead)) => {
                self.requests = self.requests.wrapping_add(1);
                self.begin(ahead, PriorityRequestType::Request, scene.now);
                "SREM: requested, TS 103 301 9"
            }
            (Some(asked), _) if asked.kind == PriorityRequestType::Cancellation => {
                if asked.left == 0 {
                    self.asked = None;
                    return;
                }
                if elapsed_ms(&asked) < REPEAT_MS {
                    return;
                }
                self.asked = Some(Asked { sent_at: scene.now, left: asked.left - 1, ..asked });
                "SREM: cancellation repeated, TS 103 301 9"
            }
            (Some(asked), ahead) if ahead.is_none_or(|ahead| ahead.intersection != asked.of.intersection) => {
                self.begin(asked.of, PriorityRequestType::Cancellation, scene.now);
                "SREM: cancelled, the stop line is passed, TS 103 301 9"
            }
            (Some(asked), Some(ahead)) => {
                let change_ms = (ahead.arrives_at.unix_ns() - asked.of.arrives_at.unix_ns()).abs() / 1_000_000;
                let changed = change_ms >= ARRIVAL_CHANGE_MS || ahead.lane != asked.of.lane;
                if changed && elapsed_ms(&asked) >= UPDATE_MS {
                    self.begin(ahead, PriorityRequestType::Update, scene.now);
                    "SREM: updated, arrival or lane changed, TS 103 301 9"
                } else if !asked.is_answered && elapsed_ms(&asked) >= REPEAT_MS {
                    self.asked = Some(Asked { sent_at: scene.now, ..asked });
                    "SREM: repeated, no answer heard, TS 103 301 9"
                } else {
                    return;
                }
            }
            (Some(_), None) => return,
        };
        let message = self.srem(scene, ego, role).map(Into::into);
        push(message, rule, scene, settings, drops, drafts);
    }

    /// What it asks as; `None` when it has no reason to ask.
    fn role(&self, ego: &EgoState) -> Option<BasicVehicleRole> {
        match self.vehicle.role {
            Role::Emergency if ego.equipment.light_bar => Some(BasicVehicleRole::Emergency),
            Role::PublicTransport if self.vehicle.behind_schedule_s.is_some_and(|late_s| late_s >= LATE_S) => {
                Some(BasicVehicleRole::PublicTransport)
            }
            _ => None,
        }
    }

    fn begin(&mut self, of: Ahead, kind: PriorityRequestType, now: Timestamp) {
        self.sequence_number = (self.sequence_number + 1) % 128;
        let (request_id, sequence_number) = (self.requests, self.sequence_number);
        let left = if kind == PriorityRequestType::Cancellation { CANCELLATIONS - 1 } else { 0 };
        self.asked = Some(Asked { of, kind, request_id, sequence_number, sent_at: now, is_answered: false, left });
    }

    fn srem(&self, scene: &Scene<'_>, ego: &EgoState, role: Option<BasicVehicleRole>) -> Option<Srem> {
        let asked = self.asked?;
        let request = SignalRequest {
            id: asked.of.intersection,
            request_id: asked.request_id,
            request_type: asked.kind,
            inbound_lane: IntersectionAccessPoint::Lane(asked.of.lane),
            outbound_lane: None,
            regional: None,
        };
        let package = SignalRequestPackage::new(request, asked.of.arrives_at);
        let id = scene.station.id;
        let requestor = RequestorDescription {
            requestor_type: role.map(|role| RequestorType { role, ..RequestorType::default() }),
            position: Some(RequestorPosition {
                position: Position3D::new(ego.position.lat_deg, ego.position.lon_deg),
                heading_deg: ego.heading_deg.map(|deg| Some(deg.rem_euclid(360.0) as f32)),
                speed: None,
            }),
            transit_schedule_s: self.vehicle.behind_schedule_s.map(Some),
            ..RequestorDescription::new(VehicleId::Station(id))
        };
        Some(Srem::new(id, scene.now, asked.sequence_number, List::try_from_iter([package])?, requestor))
    }
}

/// The signalised lane that the vehicle is on, as roadside units tell of it.
fn ahead(scene: &Scene<'_>, ego: &EgoState) -> Option<Ahead> {
    let here = scene.station.frame.to_enu(ego.position);
    let yaw_rad = heading_to_yaw_rad(ego.heading_deg?.to_radians());
    let speed_mps = ego.speed_mps?.max(SLOWEST_MPS);
    let mut nearest: Option<(f64, Ahead)> = None;
    for told in scene.ldm.maps() {
        for (lane, nodes_m) in ingress_lanes(&told.content, &scene.station.frame) {
            let has_signal = lane.connects_to.iter().flat_map(|to| to.iter()).any(|to| to.signal_group.is_some());
            // Nodes run from the stop line outwards.
            let Some(line) = Polyline::new(nodes_m).filter(|_| has_signal) else { continue };
            let at = line.project([here.e_m, here.n_m]);
            let turned_rad = (yaw_rad - at.yaw_rad).cos();
            if at.is_beyond || at.offset_m.abs() > ON_LANE_M || turned_rad > -ALONG_RAD.cos() {
                continue;
            }
            if nearest.is_none_or(|(offset_m, _)| at.offset_m.abs() < offset_m) {
                let arrives_at = ego.captured_at.plus_ms((at.along_m / speed_mps * 1e3) as i64);
                let ahead = Ahead { intersection: told.content.id, lane: lane.lane_id, arrives_at };
                nearest = Some((at.offset_m.abs(), ahead));
            }
        }
    }
    nearest.map(|(_, ahead)| ahead)
}
