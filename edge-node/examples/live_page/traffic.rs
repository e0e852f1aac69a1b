//! A junction with a handful of road users on fixed courses, and a camera that sees them.

use masa_edge_node::event::{Quantity, SourceId, SourceState};
use masa_edge_node::snapshot::{
    CameraSiteView, Counters, EllipseView, EventView, FrameView, ObjectState, ObjectView, ObservationView, SightView,
    SiteView, Snapshot, StatusView, ZoneView,
};
use masa_edge_node::world::site::ZoneKind;
use masa_inference::{BoundingBox, ObjectClass, RgbImage};
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame, Wgs84};
use std::collections::VecDeque;

pub(crate) const CAMERA: SourceId = SourceId(1);
const WIDTH_PX: u32 = 960;
const HEIGHT_PX: u32 = 540;
const TRAIL: usize = 45;

/// A straight course that starts again at its end.
struct Course {
    id: u16,
    class: ObjectClass,
    from: [f64; 2],
    to: [f64; 2],
    speed_mps: f64,
    /// Metres along the course at the start.
    head_start_m: f64,
    size_m: [f64; 2],
}

const COURSES: [Course; 9] = [
    course(3, ObjectClass::Car, [-58.0, -2.0], [58.0, -2.0], 11.5, 8.0, [4.4, 1.5]),
    course(7, ObjectClass::Car, [58.0, 2.0], [-58.0, 2.0], 13.2, 40.0, [4.4, 1.5]),
    course(8, ObjectClass::Van, [-58.0, -2.0], [58.0, -2.0], 11.5, 47.0, [5.4, 2.2]),
    course(12, ObjectClass::Truck, [2.2, -48.0], [2.2, 48.0], 8.1, 12.0, [9.0, 3.4]),
    course(15, ObjectClass::Bus, [58.0, 2.0], [-58.0, 2.0], 13.2, 92.0, [12.0, 3.0]),
    course(18, ObjectClass::Bicycle, [-4.6, 48.0], [-4.6, -48.0], 4.8, 30.0, [1.9, 1.7]),
    course(21, ObjectClass::Person, [11.0, -9.0], [11.0, 9.0], 1.4, 3.0, [0.6, 1.75]),
    course(22, ObjectClass::EScooter, [-40.0, 6.2], [40.0, 6.2], 5.3, 55.0, [1.3, 1.75]),
    course(25, ObjectClass::Car, [-24.0, 2.4], [-24.1, 2.4], 0.0, 0.0, [4.4, 1.5]),
];

const fn course(
    id: u16,
    class: ObjectClass,
    from: [f64; 2],
    to: [f64; 2],
    speed_mps: f64,
    head_start_m: f64,
    size_m: [f64; 2],
) -> Course {
    Course { id, class, from, to, speed_mps, head_start_m, size_m }
}

impl Course {
    /// Position after `t` seconds, seconds since the course began, and the unit direction.
    fn at(&self, t: f64) -> ([f64; 2], f64, [f64; 2]) {
        let (de, dn) = (self.to[0] - self.from[0], self.to[1] - self.from[1]);
        let length = de.hypot(dn);
        let along = (self.head_start_m + self.speed_mps * t) % length;
        let direction = [de / length, dn / length];
        let position = [self.from[0] + direction[0] * along, self.from[1] + direction[1] * along];
        (position, if self.speed_mps > 0.0 { along / self.speed_mps } else { t }, direction)
    }
}

pub(crate) struct Traffic {
    pub(crate) frame: u64,
    t: f64,
    trails: Vec<VecDeque<[f64; 2]>>,
    lens: Lens,
    background: RgbImage,
}

impl Traffic {
    pub(crate) fn new() -> Self {
        let lens = Lens::new();
        let background = lens.ground(&zones());
        Self { frame: 0, t: 0.0, trails: COURSES.iter().map(|_| VecDeque::new()).collect(), lens, background }
    }

    pub(crate) fn advance(&mut self, seconds: f64) {
        self.frame += 1;
        self.t += seconds;
        for (course, trail) in COURSES.iter().zip(&mut self.trails) {
            let ([e, n], since, _) = course.at(self.t);
            if since < seconds {
                trail.clear();
            }
            if trail.len() == TRAIL {
                trail.pop_front();
            }
            trail.push_back([e, n]);
        }
    }

    pub(crate) fn site(&self, station_id: u32) -> SiteView {
        SiteView {
            station_id,
            origin: origin(),
            station_m: [-11.0, -11.0],
            zones: zones()
                .into_iter()
                .map(|(id, kind, polygon_m)| ZoneView { id: id.to_owned(), kind, polygon_m })
                .collect(),
            cameras: vec![CameraSiteView { camera: CAMERA, position_m: Some([Lens::AT.e_m, Lens::AT.n_m]) }],
        }
    }

    pub(crate) fn snapshot(&self, time_ms: i64) -> Snapshot {
        let frame = SiteFrame::new(origin());
        let objects: Vec<ObjectView> = COURSES
            .iter()
            .zip(&self.trails)
            .map(|(course, trail)| {
                let ([e_m, n_m], since_s, [de, dn]) = course.at(self.t);
                let away_m = (e_m - Lens::AT.e_m).hypot(n_m - Lens::AT.n_m);
                let spread = 0.08 + away_m * away_m * 4e-4;
                let (major_m, minor_m, heading) =
                    Covariance2 { ee_m2: spread, en_m2: 0.4 * spread, nn_m2: 0.6 * spread }.ellipse();
                let position = frame.to_wgs84(Enu::ground(e_m, n_m));
                let coasting = course.id == 18 && (self.t % 6.0) < 1.5;
                let sight = self.lens.bounding_box(e_m, n_m, course.size_m);
                ObjectView {
                    id: course.id,
                    class: course.class,
                    class_confidence: 0.93,
                    e_m,
                    n_m,
                    lat_deg: position.lat_deg,
                    lon_deg: position.lon_deg,
                    speed_mps: course.speed_mps,
                    heading_deg: (course.speed_mps > 0.0).then(|| de.atan2(dn).to_degrees().rem_euclid(360.0)),
                    ellipse: EllipseView { major_m, minor_m, heading_deg: heading.to_degrees() },
                    age_s: since_s,
                    since_update_s: if coasting { self.t % 6.0 } else { 0.03 },
                    stationary_s: (course.speed_mps == 0.0).then_some(self.t),
                    state: if coasting { ObjectState::Coasting } else { ObjectState::Detected },
                    existence: 0.99,
                    size_m: [4.4, 1.8, 1.5],
                    told_by: Vec::new(),
                    lane: None,
                    sights: sight
                        .into_iter()
                        .map(|bounding_box| SightView {
                            camera: CAMERA,
                            track_id: u32::from(course.id) + 100,
                            bounding_box: Some(bounding_box),
                        })
                        .collect(),
                    trail_m: trail.iter().copied().collect(),
                }
            })
            .collect();
        Snapshot {
            received: Default::default(),
            signals: Vec::new(),
            situations: Vec::new(),
            time_ms,
            events: vec![self.event(&objects[8], "1", 94, "Stationary vehicle", time_ms)],
            objects,
            frames: vec![FrameView {
                camera: CAMERA,
                frame: self.frame,
                captured_at_ms: time_ms,
                width_px: WIDTH_PX,
                height_px: HEIGHT_PX,
            }],
            observations: self.observations(),
            statuses: self.statuses(),
            health: Vec::new(),
            counters: Counters::default(),
        }
    }

    fn event(&self, object: &ObjectView, seq: &str, cause_code: u8, cause: &'static str, time_ms: i64) -> EventView {
        EventView {
            action_id: format!("4242-{seq}"),
            cause_code,
            cause,
            object_id: object.id,
            e_m: object.e_m,
            n_m: object.n_m,
            lat_deg: object.lat_deg,
            lon_deg: object.lon_deg,
            since_ms: time_ms - (self.t * 1000.0) as i64,
        }
    }

    fn observations(&self) -> Vec<ObservationView> {
        let wave = (self.t * 0.2).sin();
        [
            ("air-verdi", Quantity::No2, 31.4 + wave, 12.0),
            ("air-verdi", Quantity::Pm25, 14.2 + wave * 0.3, 12.0),
            ("mast-3", Quantity::Noise, 62.8 + wave * 3.0, self.t % 1.0),
            ("mast-3", Quantity::AirTemperature, 21.6, 41.0),
            ("road-eye", Quantity::RoadSurfaceTemperature, 27.9, 1260.0),
        ]
        .map(|(sensor, quantity, value, age_s)| ObservationView {
            sensor: sensor.to_owned(),
            quantity,
            value,
            unit: quantity.unit(),
            age_s,
        })
        .to_vec()
    }

    fn statuses(&self) -> Vec<StatusView> {
        [
            ("junction-north", SourceState::Up, "960×540, 15 frames/s"),
            ("weather", SourceState::Up, "subscribed to sensors/#"),
            ("zenoh", SourceState::Up, "1 router"),
            ("mqtt-city", SourceState::Connecting, "connection refused, next attempt in 4 s"),
        ]
        .map(|(name, state, detail)| StatusView {
            name: name.to_owned(),
            state,
            detail: detail.to_owned(),
            age_s: self.t,
        })
        .to_vec()
    }

    /// What the camera sees: the ground and a block for each road user, the far ones first.
    pub(crate) fn picture(&self) -> RgbImage {
        let mut image = self.background.clone();
        let mut boxes: Vec<(f64, BoundingBox, u16)> = COURSES
            .iter()
            .filter_map(|course| {
                let ([e, n], _, _) = course.at(self.t);
                let away_m = (e - Lens::AT.e_m).hypot(n - Lens::AT.n_m);
                Some((away_m, self.lens.bounding_box(e, n, course.size_m)?, course.id))
            })
            .collect();
        boxes.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, b, id) in boxes {
            let tone = 70 + (id * 37 % 120) as u8;
            let clip = |v: f32, limit: u32| v.clamp(0.0, limit as f32) as u32;
            for y in clip(b.y1_px + 2.0, HEIGHT_PX)..clip(b.y2_px - 1.0, HEIGHT_PX) {
                let glass = (y as f32 - b.y1_px) < 0.42 * b.height_px();
                for x in clip(b.x1_px + 2.0, WIDTH_PX)..clip(b.x2_px - 2.0, WIDTH_PX) {
                    let at = ((y * WIDTH_PX + x) * 3) as usize;
                    let colour = if glass { [38, 46, 54] } else { [tone, tone / 2 + 40, 150 - tone / 3] };
                    image.data[at..at + 3].copy_from_slice(&colour);
                }
            }
        }
        image
    }
}

/// A pinhole camera on a mast.
struct Lens {
    right: [f64; 3],
    down: [f64; 3],
    ahead: [f64; 3],
}

impl Lens {
    const AT: Enu = Enu { e_m: -14.0, n_m: -24.0, u_m: 9.0 };
    const FOCAL_PX: f64 = 560.0;

    fn new() -> Self {
        let (yaw, pitch) = (62f64.to_radians(), 19f64.to_radians());
        Self {
            right: [yaw.sin(), -yaw.cos(), 0.0],
            down: [-yaw.cos() * pitch.sin(), -yaw.sin() * pitch.sin(), -pitch.cos()],
            ahead: [yaw.cos() * pitch.cos(), yaw.sin() * pitch.cos(), -pitch.sin()],
        }
    }

    fn pixel(&self, p: [f64; 3]) -> Option<[f64; 2]> {
        let d = [p[0] - Self::AT.e_m, p[1] - Self::AT.n_m, p[2] - Self::AT.u_m];
        let dot = |axis: &[f64; 3]| axis[0] * d[0] + axis[1] * d[1] + axis[2] * d[2];
        let depth = dot(&self.ahead);
        (depth > 2.0).then(|| {
            [
                f64::from(WIDTH_PX) / 2.0 + Self::FOCAL_PX * dot(&self.right) / depth,
                f64::from(HEIGHT_PX) / 2.0 + Self::FOCAL_PX * dot(&self.down) / depth,
            ]
        })
    }

    fn bounding_box(&self, e: f64, n: f64, [length_m, height_m]: [f64; 2]) -> Option<BoundingBox> {
        let foot = self.pixel([e, n, 0.0])?;
        let top = self.pixel([e, n, height_m])?;
        let half = (foot[1] - top[1]) / height_m * length_m * 0.45;
        let b = BoundingBox {
            x1_px: (foot[0] - half) as f32,
            y1_px: top[1] as f32,
            x2_px: (foot[0] + half) as f32,
            y2_px: foot[1] as f32,
        };
        let inside =
            b.x2_px > 4.0 && b.x1_px < WIDTH_PX as f32 - 4.0 && b.y2_px > 4.0 && b.y1_px < HEIGHT_PX as f32 - 4.0;
        inside.then_some(b)
    }

    fn ground(&self, zones: &[(&str, ZoneKind, Vec<[f64; 2]>)]) -> RgbImage {
        let mut data = Vec::with_capacity((WIDTH_PX * HEIGHT_PX * 3) as usize);
        for y in 0..HEIGHT_PX {
            for x in 0..WIDTH_PX {
                let u = (f64::from(x) - f64::from(WIDTH_PX) / 2.0) / Self::FOCAL_PX;
                let v = (f64::from(y) - f64::from(HEIGHT_PX) / 2.0) / Self::FOCAL_PX;
                let ray = [0, 1, 2].map(|i| self.ahead[i] + u * self.right[i] + v * self.down[i]);
                let grain = ((x * 7919 + y * 104_729) % 11) as u8;
                if ray[2] > -0.02 {
                    data.extend([150 + grain, 165 + grain, 178 + grain]);
                    continue;
                }
                let reach = Self::AT.u_m / -ray[2];
                let ground = [Self::AT.e_m + ray[0] * reach, Self::AT.n_m + ray[1] * reach];
                let kind =
                    zones.iter().rev().find(|(_, _, polygon)| contains(polygon, ground)).map(|(_, kind, _)| *kind);
                let base: [u8; 3] = match kind {
                    Some(ZoneKind::Carriageway) => [88, 90, 92],
                    Some(ZoneKind::Crossing) if (ground[1] + 100.0) % 1.0 < 0.5 => [190, 190, 186],
                    Some(ZoneKind::Crossing) => [88, 90, 92],
                    Some(ZoneKind::Pavement) => [142, 138, 130],
                    Some(ZoneKind::Parking) => [108, 112, 118],
                    None => [92, 112, 74],
                };
                data.extend(base.map(|c| c + grain));
            }
        }
        RgbImage { width: WIDTH_PX, height: HEIGHT_PX, data }
    }
}

fn contains(polygon: &[[f64; 2]], [x, y]: [f64; 2]) -> bool {
    let edges = polygon.iter().zip(polygon.iter().cycle().skip(1));
    edges.filter(|(a, b)| (a[1] > y) != (b[1] > y) && x < (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]) + a[0]).count() % 2
        == 1
}

fn origin() -> Wgs84 {
    Wgs84 { lat_deg: 44.655_540, lon_deg: 10.934_315, alt_m: 0.0 }
}

fn zones() -> Vec<(&'static str, ZoneKind, Vec<[f64; 2]>)> {
    let rect = |w: f64, s: f64, e: f64, n: f64| vec![[w, s], [e, s], [e, n], [w, n]];
    vec![
        ("pavement-ew", ZoneKind::Pavement, rect(-60.0, -8.0, 60.0, 8.0)),
        ("pavement-ns", ZoneKind::Pavement, rect(-8.0, -50.0, 8.0, 50.0)),
        ("via-verdi", ZoneKind::Carriageway, rect(-60.0, -4.6, 60.0, 4.6)),
        ("via-rossi", ZoneKind::Carriageway, rect(-5.4, -50.0, 5.4, 50.0)),
        ("parking-east", ZoneKind::Parking, rect(20.0, -12.5, 46.0, -8.0)),
        ("crossing-east", ZoneKind::Crossing, rect(9.5, -4.6, 12.5, 4.6)),
        ("crossing-west", ZoneKind::Crossing, rect(-12.5, -4.6, -9.5, 4.6)),
    ]
}
