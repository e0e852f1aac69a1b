//! What the live page shows of a node: plain values, made to be serialised as JSON.
//!
//! In: the world and the facilities, through [`crate::node::Node::snapshot`]. Out: a [`Snapshot`] several times a
//! second, and a [`SiteView`] once. Times are milliseconds of Unix time, which a browser's numbers hold exactly; angles
//! are degrees clockwise from north. Absent: pixels; the page gets those from the camera itself.

use crate::effect::{MessageKind, SightCause};
use crate::event::{DropReason, Quantity, SignalPhase, SourceId, SourceState};
use crate::facilities::Station;
use crate::facilities::den::ActiveEvent;
use crate::health::ProblemKind;
use crate::node::Node;
use crate::perception::TrackState;
use crate::world::RoadUser;
use crate::world::ldm::Ldm;
use crate::world::site::ZoneKind;
use crate::world::situation::{Situation, SituationKind};
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Enu, Wgs84, yaw_to_heading_rad};
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// The world at one instant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Snapshot {
    /// When it was taken, milliseconds of Unix time.
    pub time_ms: i64,
    /// Road users, by object id.
    pub objects: Vec<ObjectView>,
    /// The newest frame of each camera, by source id.
    pub frames: Vec<FrameView>,
    /// DENM events that are in force, oldest first.
    pub events: Vec<EventView>,
    /// What happens on the road, by kind.
    pub situations: Vec<SituationView>,
    /// The latest reading of each sensor and quantity.
    pub observations: Vec<ObservationView>,
    /// State of every source and link that has reported one, by name.
    pub statuses: Vec<StatusView>,
    /// What other stations say.
    pub received: ReceivedView,
    /// What the signals of the site show, by intersection.
    pub signals: Vec<SignalView>,
    /// What is wrong with the node's own senses.
    pub health: Vec<ProblemView>,
    /// Running totals since the node started.
    pub counters: Counters,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProblemView {
    /// What.
    pub problem: ProblemKind,
    /// Of which camera, sensor, link or station.
    pub subject: String,
    /// What an operator needs to know.
    pub detail: String,
    /// Seconds since it began.
    pub age_s: f64,
}

/// What a signal group shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalView {
    /// The intersection's number.
    pub intersection: u16,
    /// The group's number.
    pub group: u8,
    /// What it shows.
    pub shows: SignalPhase,
    /// Seconds until it most likely, or at least, changes.
    pub for_s: Option<f64>,
}

/// What other stations say, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReceivedView {
    /// Messages taken since the node started, by kind.
    pub messages: BTreeMap<MessageKind, u64>,
    /// Stations heard lately.
    pub stations: usize,
    /// Events in force.
    pub events: usize,
    /// Objects they perceive.
    pub objects: usize,
    /// The newest message that could not be decoded: who delivered it and what is wrong.
    pub undecodable: Option<String>,
}

/// One road user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectView {
    /// Object id, as in the CPM.
    pub id: u16,
    /// The class its track voted for.
    pub class: ObjectClass,
    /// Share of the votes, 0 to 1.
    pub class_confidence: f32,
    /// Metres east of the site origin.
    pub e_m: f64,
    /// Metres north of the site origin.
    pub n_m: f64,
    /// Latitude, degrees.
    pub lat_deg: f64,
    /// Longitude, degrees.
    pub lon_deg: f64,
    /// Speed over ground, m/s.
    pub speed_mps: f64,
    /// Direction of movement, degrees clockwise from north, held while it stands; `None` until it has moved enough.
    pub heading_deg: Option<f64>,
    /// One-sigma ellipse of the position.
    pub ellipse: EllipseView,
    /// Seconds since it was first seen.
    pub age_s: f64,
    /// Seconds since the frame its position is from.
    pub since_update_s: f64,
    /// Seconds it has been standing; `None` while it moves.
    pub stationary_s: Option<f64>,
    /// Whether the newest frame showed it.
    pub state: ObjectState,
    /// How probable it is that it exists, 0 to 1.
    pub existence: f64,
    /// Length, width and height, metres.
    pub size_m: [f64; 3],
    /// The lane or crosswalk that it is on: intersection and lane.
    pub lane: Option<[u16; 2]>,
    /// Where each camera that sees it has it, the best one first; empty of what is only told of.
    pub sights: Vec<SightView>,
    /// Who tells of it: station ids.
    pub told_by: Vec<u32>,
    /// Its last positions, oldest first, `[east, north]` metres.
    pub trail_m: Vec<[f64; 2]>,
}

/// Whether an object was seen in the newest frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectState {
    /// Detected in the newest frame of its camera.
    Detected,
    /// Carried by the tracker through a gap.
    Coasting,
    /// Not seen by any camera: a station tells of it.
    Told,
}

/// Where one camera has an object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SightView {
    /// The camera.
    pub camera: SourceId,
    /// The track in that camera.
    pub track_id: u32,
    /// The track's box, pixels of that camera's frame ([`FrameView`] has the frame's size); `None` of a radar or lidar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounding_box: Option<BoundingBox>,
}

impl SightView {
    fn of(cause: &SightCause) -> Self {
        Self { camera: cause.camera, track_id: cause.track_id, bounding_box: cause.bounding_box }
    }
}

/// The newest frame of a camera.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FrameView {
    /// The camera.
    pub camera: SourceId,
    /// The frame's running number.
    pub frame: u64,
    /// When its shutter opened, milliseconds of Unix time.
    pub captured_at_ms: i64,
    /// Image width, pixels.
    pub width_px: u32,
    /// Image height, pixels.
    pub height_px: u32,
}

/// An ellipse on the ground.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EllipseView {
    /// Semi-major axis, metres.
    pub major_m: f64,
    /// Semi-minor axis, metres.
    pub minor_m: f64,
    /// Direction of the major axis, degrees clockwise from north, 0 to 180.
    pub heading_deg: f64,
}

/// A DENM event in force.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventView {
    /// `<originating station>-<sequence number>`.
    pub action_id: String,
    /// Direct cause code (TS 102 894-2 `CauseCodeType`).
    pub cause_code: u8,
    /// The cause in words.
    pub cause: &'static str,
    /// The object that causes it.
    pub object_id: u16,
    /// Metres east of the site origin.
    pub e_m: f64,
    /// Metres north of the site origin.
    pub n_m: f64,
    /// Latitude, degrees.
    pub lat_deg: f64,
    /// Longitude, degrees.
    pub lon_deg: f64,
    /// When it was detected, milliseconds of Unix time.
    pub since_ms: i64,
}

/// Something that happens on the road.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SituationView {
    /// What it is.
    pub kind: SituationKind,
    /// Metres east of the site origin.
    pub e_m: f64,
    /// Metres north of the site origin.
    pub n_m: f64,
    /// How sure it is, 0 to 1.
    pub confidence: f64,
    /// The objects that show it, at most two.
    pub object_ids: Vec<u32>,
    /// When it began, milliseconds of Unix time.
    pub since_ms: i64,
}

/// The latest reading of one quantity of one sensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObservationView {
    /// The sensor's id in the configuration.
    pub sensor: String,
    /// What it measures.
    pub quantity: Quantity,
    /// The value.
    pub value: f64,
    /// Its unit, as printed.
    pub unit: &'static str,
    /// Seconds since it was measured.
    pub age_s: f64,
}

/// State of a source or link.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusView {
    /// Name in the configuration.
    pub name: String,
    /// Its state.
    pub state: SourceState,
    /// What an operator needs to know.
    pub detail: String,
    /// Seconds since the state was reported.
    pub age_s: f64,
}

/// Running totals since the node started.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Messages made, by kind.
    pub messages: BTreeMap<MessageKind, u64>,
    /// Events that entered, by body: `detections`, `frame-dropped`, `observation`, `status`, `wake-up`.
    pub events: BTreeMap<&'static str, u64>,
    /// Camera frames that never reached the detector, by reason.
    pub frames_dropped: BTreeMap<DropReason, u64>,
    /// What the core itself left out, by reason (`world-full`, `cpm-object-too-far`, …).
    pub drops: BTreeMap<&'static str, u64>,
}

/// What does not change while the node runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SiteView {
    /// The node's station id.
    pub station_id: u32,
    /// Where the site frame's origin lies.
    pub origin: Wgs84,
    /// Where the station stands, `[east, north]` metres.
    pub station_m: [f64; 2],
    /// The zones of the map.
    pub zones: Vec<ZoneView>,
    /// The cameras, by source id.
    pub cameras: Vec<CameraSiteView>,
}

/// One zone of the map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ZoneView {
    /// Its id in the site configuration.
    pub id: String,
    /// What it is used for.
    pub kind: ZoneKind,
    /// Corners in order, `[east, north]` metres.
    pub polygon_m: Vec<[f64; 2]>,
}

/// One camera of the site.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraSiteView {
    /// Its source id.
    pub camera: SourceId,
    /// Where it hangs, `[east, north]` metres; `None` when its calibration does not say.
    pub position_m: Option<[f64; 2]>,
}

/// An object is shown as standing once it has stood this long, seconds.
const SHOWN_AS_STANDING_S: f64 = 2.0;

impl Node {
    /// The world at `now`, for the live page.
    pub fn snapshot(&self, now: Timestamp) -> Snapshot {
        let environment = self.world.environment();
        let frames = self.world.frames().iter().map(|(camera, newest)| FrameView {
            camera: *camera,
            frame: newest.frame,
            captured_at_ms: newest.captured_at.unix_ms(),
            width_px: newest.width_px,
            height_px: newest.height_px,
        });
        let observations = environment.readings().map(|(sensor, quantity, reading)| ObservationView {
            sensor: sensor.to_owned(),
            quantity,
            value: reading.value,
            unit: quantity.unit(),
            age_s: now.seconds_since(reading.captured_at),
        });
        let statuses = environment.statuses().map(|(name, status)| StatusView {
            name: name.to_owned(),
            state: status.state,
            detail: status.detail.clone(),
            age_s: now.seconds_since(status.since),
        });
        Snapshot {
            time_ms: now.unix_ms(),
            objects: self.world.users().iter().map(|user| object_view(user, &self.station, now)).collect(),
            frames: frames.collect(),
            events: self.den.events_in_force().map(|event| event_view(event, &self.station)).collect(),
            situations: self.situations.situations().map(situation_view).collect(),
            observations: observations.collect(),
            statuses: statuses.collect(),
            received: received_view(&self.ldm),
            signals: self.signal_views(now),
            health: self.problem_views(now),
            counters: self.counters(),
        }
    }

    fn signal_views(&self, now: Timestamp) -> Vec<SignalView> {
        let timeout_ms = self.infrastructure.signal_timeout_ms();
        let views = self.infrastructure.site().intersections.iter().flat_map(|intersection| {
            let state = self.signals.state(intersection, timeout_ms, now);
            let groups = state.map(|state| state.groups).unwrap_or_default();
            groups.into_iter().map(|group| SignalView {
                intersection: intersection.id,
                group: group.group,
                shows: group.shows,
                for_s: group.likely_end.or(group.min_end).map(|end| end.seconds_since(now)),
            })
        });
        views.collect()
    }

    fn problem_views(&self, now: Timestamp) -> Vec<ProblemView> {
        let views = self.health().problems().map(|problem| ProblemView {
            problem: problem.kind,
            subject: problem.subject.clone(),
            detail: problem.detail.clone(),
            age_s: now.seconds_since(problem.since),
        });
        views.collect()
    }

    fn counters(&self) -> Counters {
        let mut drops = BTreeMap::new();
        let own = [
            &self.drops,
            self.world.drops(),
            self.ldm.drops(),
            self.den.drops(),
            self.cp.drops(),
            self.va.drops(),
            self.infrastructure.drops(),
        ];
        for (reason, count) in own.into_iter().chain(self.ca.drops()).flat_map(|drops| drops.iter()) {
            *drops.entry(reason).or_default() += count;
        }
        Counters {
            messages: self.messages.clone(),
            events: self.events.clone(),
            frames_dropped: self.frames_dropped.clone(),
            drops,
        }
    }

    /// What does not change while the node runs.
    pub fn site_view(&self) -> SiteView {
        let zones = self.map.zones().iter().map(|zone| ZoneView {
            id: zone.id().to_owned(),
            kind: zone.kind(),
            polygon_m: zone.polygon_m().to_vec(),
        });
        let cameras = self.cameras.keys().map(|camera| CameraSiteView { camera: *camera, position_m: None });
        SiteView {
            station_id: self.station.id.0,
            origin: self.station.frame.origin(),
            station_m: [self.station.reference.e_m, self.station.reference.n_m],
            zones: zones.collect(),
            cameras: cameras.collect(),
        }
    }
}

fn received_view(ldm: &Ldm) -> ReceivedView {
    ReceivedView {
        messages: ldm.received().clone(),
        stations: ldm.stations().count(),
        events: ldm.events_in_force().count(),
        objects: ldm.objects().count(),
        undecodable: ldm.undecodable().last().map(|bad| format!("{}: {}", bad.origin, bad.error)),
    }
}

fn object_view(user: &RoadUser, station: &Station, now: Timestamp) -> ObjectView {
    let Wgs84 { lat_deg, lon_deg, .. } = station.frame.to_wgs84(user.position);
    let (major_m, minor_m, heading_rad) = user.covariance.ellipse();
    let standing_s = user.standing_s();
    let cause = user.cause();
    ObjectView {
        id: user.id,
        class: user.class,
        class_confidence: user.class_confidence,
        e_m: user.position.e_m,
        n_m: user.position.n_m,
        lat_deg,
        lon_deg,
        speed_mps: user.speed_mps(),
        heading_deg: user.yaw_rad.map(|yaw| yaw_to_heading_rad(yaw).to_degrees()),
        ellipse: EllipseView { major_m, minor_m, heading_deg: heading_rad.to_degrees() },
        age_s: now.seconds_since(user.first_seen),
        since_update_s: now.seconds_since(user.state_at),
        stationary_s: (standing_s >= SHOWN_AS_STANDING_S).then_some(standing_s),
        state: match user.sight().map(|sight| sight.state) {
            Some(TrackState::Confirmed) => ObjectState::Detected,
            Some(TrackState::Coasting) => ObjectState::Coasting,
            None => ObjectState::Told,
        },
        existence: user.existence(),
        size_m: [user.length_m, user.width_m, user.height_m],
        lane: user.place.lane.map(|place| [place.intersection, place.lane.into()]),
        sights: cause.sights.iter().map(SightView::of).collect(),
        told_by: cause.messages.iter().map(|message| message.station).collect(),
        trail_m: user.trail_m().collect(),
    }
}

fn situation_view(situation: &Situation) -> SituationView {
    SituationView {
        kind: situation.kind,
        e_m: situation.place.e_m,
        n_m: situation.place.n_m,
        confidence: situation.confidence,
        object_ids: situation.evidence.iter().map(|cause| cause.object_id).collect(),
        since_ms: situation.began_at.unix_ms(),
    }
}

fn event_view(event: &ActiveEvent, station: &Station) -> EventView {
    let Enu { e_m, n_m, .. } = event.position;
    let Wgs84 { lat_deg, lon_deg, .. } = station.frame.to_wgs84(event.position);
    EventView {
        action_id: format!("{}-{}", event.action_id.originating_station_id.0, event.action_id.sequence_number),
        cause_code: event.trigger.cause_code(),
        cause: event.trigger.words(),
        object_id: event.object_id,
        e_m,
        n_m,
        lat_deg,
        lon_deg,
        since_ms: event.since.unix_ms(),
    }
}
