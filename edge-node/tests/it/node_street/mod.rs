//! A street with one camera: what a perfect detector would say of actors that move on it.
//!
//! The camera hangs 8 m above the site origin and looks east, 15° down. The carriageway runs from south to north, 26 to
//! 34 m to the east, with pavements on both sides and a crossing 10 m north of the camera's axis.

use masa_edge_node::effect::{Effects, OutMessage};
use masa_edge_node::event::{DetectionFrame, Event, EventBody, EventId, FrameTimings, SourceId};
use masa_edge_node::facilities::FacilitiesSettings;
use masa_edge_node::facilities::profile::StationKind;
use masa_edge_node::node::{Node, NodeSettings};
use masa_edge_node::telemetry::NoProbe;
use masa_edge_node::world::WorldSettings;
use masa_edge_node::world::infrastructure::InfrastructureSite;
use masa_edge_node::world::ldm::LdmSettings;
use masa_edge_node::world::site::{ZoneKind, ZoneSettings};
use masa_inference::{BoundingBox, Detection, ObjectClass};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;

pub(crate) const CAMERA: SourceId = SourceId(1);
pub(crate) const WIDTH_PX: u32 = 1_280;
pub(crate) const HEIGHT_PX: u32 = 720;
/// Time between two frames.
pub(crate) const FRAME_MS: i64 = 100;
/// From the shutter to the core.
pub(crate) const LATENCY_MS: i64 = 60;

const FOCAL_PX: f64 = 900.0;
const CAMERA_HEIGHT_M: f64 = 8.0;
const PITCH_DOWN_DEG: f64 = 15.0;
pub(crate) const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 0.0 };

/// 2026-03-01T12:00:00 UTC, and `ms` milliseconds.
pub(crate) fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_772_366_400_000 + ms)
}

/// The pixel of a point in the site frame.
pub(crate) fn pixel(p: Enu) -> [f64; 2] {
    let (sin, cos) = PITCH_DOWN_DEG.to_radians().sin_cos();
    let up_m = p.u_m - CAMERA_HEIGHT_M;
    let depth = cos * p.e_m - sin * up_m;
    let (right, down) = (-p.n_m, -sin * p.e_m - cos * up_m);
    [f64::from(WIDTH_PX) / 2.0 + FOCAL_PX * right / depth, f64::from(HEIGHT_PX) / 2.0 + FOCAL_PX * down / depth]
}

/// Someone on the street: a class and a position on the ground for each time, `None` while absent.
pub(crate) struct Actor {
    pub(crate) class: ObjectClass,
    /// Extent along east, north and up, metres.
    pub(crate) size_m: [f64; 3],
    pub(crate) path: Box<dyn Fn(i64) -> Option<[f64; 2]>>,
}

impl Actor {
    pub(crate) fn car(path: impl Fn(i64) -> Option<[f64; 2]> + 'static) -> Self {
        Self { class: ObjectClass::Car, size_m: [1.8, 4.5, 1.5], path: Box::new(path) }
    }

    pub(crate) fn person(path: impl Fn(i64) -> Option<[f64; 2]> + 'static) -> Self {
        Self { class: ObjectClass::Person, size_m: [0.5, 0.5, 1.75], path: Box::new(path) }
    }

    fn detection(&self, ms: i64) -> Option<Detection> {
        let [e_m, n_m] = (self.path)(ms)?;
        let half = [self.size_m[0] / 2.0, self.size_m[1] / 2.0];
        let mut bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for corner in 0..8 {
            let side = |bit: usize, half: f64| if corner >> bit & 1 == 0 { -half } else { half };
            let u_m = if corner >> 2 & 1 == 0 { 0.0 } else { self.size_m[2] };
            let [x, y] = pixel(Enu { e_m: e_m + side(0, half[0]), n_m: n_m + side(1, half[1]), u_m });
            bounds = [bounds[0].min(x), bounds[1].min(y), bounds[2].max(x), bounds[3].max(y)];
        }
        let [x1_px, y1_px, x2_px, y2_px] = bounds.map(|v| v as f32);
        let inside = x1_px >= 0.0 && y1_px >= 0.0 && x2_px <= WIDTH_PX as f32 && y2_px <= HEIGHT_PX as f32;
        let bounding_box = BoundingBox { x1_px, y1_px, x2_px, y2_px };
        inside.then_some(Detection { bounding_box, class: self.class, score: 0.9, appearance: None })
    }
}

/// The frames of `actors` from 0 to `end_ms`, as events.
pub(crate) fn film(actors: &[Actor], end_ms: i64) -> Vec<Event> {
    let frame = |index: i64| {
        let ms = index * FRAME_MS;
        let detections = actors.iter().filter_map(|actor| actor.detection(ms)).collect();
        detections_event(index as u64 + 1, ms, detections)
    };
    (0..end_ms / FRAME_MS).map(frame).collect()
}

/// The event of one frame.
pub(crate) fn detections_event(number: u64, captured_ms: i64, detections: Vec<Detection>) -> Event {
    let body = EventBody::Detections(DetectionFrame {
        frame: number,
        captured_at: at(captured_ms),
        width_px: WIDTH_PX,
        height_px: HEIGHT_PX,
        detections,
        timings: FrameTimings::default(),
    });
    Event { arrived_at: at(captured_ms + LATENCY_MS), id: EventId { source: CAMERA, seq: number }, body }
}

pub(crate) fn settings(facilities: FacilitiesSettings) -> NodeSettings {
    let zone = |id: &str, kind, [west, south, east, north]: [f64; 4]| ZoneSettings {
        id: id.into(),
        kind,
        polygon_m: vec![[west, south], [east, south], [east, north], [west, north]],
        approaches_m: Vec::new(),
    };
    NodeSettings {
        station_id: 4_711,
        source_uuid: "masa_4711".into(),
        station_kind: StationKind::RoadSideUnit,
        position: ORIGIN,
        site_origin: ORIGIN,
        zones: vec![
            zone("road", ZoneKind::Carriageway, [26.0, -60.0, 34.0, 60.0]),
            zone("west", ZoneKind::Pavement, [22.0, -60.0, 26.0, 60.0]),
            zone("zebra", ZoneKind::Crossing, [26.0, 8.0, 34.0, 12.0]),
        ],
        ranging: Vec::new(),
        cameras: vec![(CAMERA, camera())],
        world: WorldSettings::default(),
        infrastructure: InfrastructureSite::default(),
        ldm: LdmSettings::default(),
        facilities,
    }
}

/// The camera's settings: reference points on a grid, as a surveyor would give them.
fn camera() -> masa_edge_node::perception::CameraSettings {
    let frame = SiteFrame::new(ORIGIN);
    let mut text = format!(
        "id = 'cam'\nimage-size-px = [{WIDTH_PX}, {HEIGHT_PX}]\n[georeference]\nkind = 'reference-points'\nsurvey-sigma-m = 0.02\n"
    );
    for (e_m, n_m) in [18.0, 26.0, 34.0, 45.0].into_iter().flat_map(|e| [-0.6, -0.2, 0.2, 0.6].map(|n| (e, n * e))) {
        let [x, y] = pixel(Enu::ground(e_m, n_m));
        let Wgs84 { lat_deg, lon_deg, .. } = frame.to_wgs84(Enu::ground(e_m, n_m));
        text += &format!(
            "[[georeference.point]]\npixel = [{x}, {y}]\nground = {{ wgs84 = {{ latitude-deg = {lat_deg}, longitude-deg = {lon_deg} }} }}\n"
        );
    }
    toml::from_str(&text).expect("the settings above are complete")
}

/// Runs `events` through a node the way a runner does: a wake-up between two events whenever one is due. Every message
/// with the index of the event before which, or in which, it was made.
pub(crate) fn run(node: &mut Node, events: &[Event]) -> Vec<(usize, OutMessage)> {
    let (mut out, mut effects, mut wake_ups) = (Vec::new(), Effects::default(), 0);
    for (index, event) in events.iter().enumerate() {
        while let Some(wake_at) = effects.wake_at.filter(|wake_at| *wake_at < event.arrived_at) {
            wake_ups += 1;
            let id = EventId { source: SourceId::NODE, seq: wake_ups };
            node.step(&Event { arrived_at: wake_at, id, body: EventBody::WakeUp }, &mut effects, &mut NoProbe);
            out.extend(effects.messages.drain(..).map(|message| (index, message)));
        }
        node.step(event, &mut effects, &mut NoProbe);
        out.extend(effects.messages.drain(..).map(|message| (index, message)));
    }
    out
}
