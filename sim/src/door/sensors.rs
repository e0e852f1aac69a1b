//! Sensors that clients attach: blueprints, and what each makes of a snapshot.
//!
//! In: snapshots, one a step. Out: [`proto::SensorData`] with the frame number of its snapshot. Positioning sensors are
//! exact here; those with errors are devices of scenarios.

use super::proto::{self, sensor_data::Data};
use crate::actor::{ActorId, Pose};
use crate::geometry::{angle_between, gap_between};
use crate::random::Seed;
use crate::roads::Roads;
use crate::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, Frame, ImageFault, Mount, Scene};
use crate::snapshot::Snapshot;
use nalgebra::{Point2, Point3};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Sensors of a world at most.
pub(crate) const MAX_SENSORS: usize = 64;

/// An attribute of a blueprint: name, value unless told, unit, least and greatest value.
type Attribute = (&'static str, f64, &'static str, f64, f64);

/// Every sensor blueprint.
pub(crate) const BLUEPRINTS: &[(&str, &[Attribute])] = &[
    ("sensor.camera.rgb", CAMERA),
    ("sensor.camera.depth", CAMERA),
    ("sensor.camera.semantic", CAMERA),
    ("sensor.camera.instance", CAMERA),
    ("sensor.other.gnss", &[]),
    ("sensor.other.imu", &[]),
    ("sensor.other.truth", &[("range", 100.0, "m", 0.0, 10_000.0)]),
    (
        "sensor.other.loop",
        &[("length", 2.0, "m", 0.1, 50.0), ("width", 3.0, "m", 0.1, 50.0), ("period", 60.0, "s", 0.1, 3600.0)],
    ),
];

const CAMERA: &[Attribute] = &[
    ("image_size_x", 640.0, "px", 16.0, 3840.0),
    ("image_size_y", 384.0, "px", 16.0, 2160.0),
    // Across the width.
    ("fov", 90.0, "deg", 5.0, 150.0),
    // Boxes of what is seen come with each image.
    ("boxes", 0.0, "", 0.0, 1.0),
    ("noise", 0.012, "", 0.0, 0.5),
    ("dirt", 0.0, "", 0.0, 1.0),
    // Seconds between images; 0 is every step.
    ("sensor_tick", 0.0, "s", 0.0, 3600.0),
];

/// Why a sensor cannot be attached.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum SensorError {
    #[error("no sensor is called {0:?}")]
    Unknown(String),
    #[error("{blueprint} has no attribute {name:?}")]
    NoAttribute { blueprint: String, name: String },
    #[error("{0} needs a map that says where on the globe it lies")]
    NoReference(String),
    #[error("attribute {name} of {blueprint} cannot be {value:?}")]
    Value { blueprint: String, name: String, value: String },
}

/// A sensor.
#[derive(Debug)]
pub(crate) struct Sensor {
    parent: Option<ActorId>,
    /// In the parent's axes or the world's.
    mount: Pose,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Camera { camera: Box<Camera>, shows: Shows, boxes: bool, period_s: f64, due_s: f64 },
    Gnss,
    Imu,
    Truth { range_m: f64 },
    Loop(Loop),
}

/// What of a frame a camera sends.
#[derive(Clone, Copy, Debug)]
enum Shows {
    Colour,
    Depth,
    Semantic,
    Instance,
}

/// What a sensor needs of its world: pictures are of scenes, which are built when the first camera comes.
pub(crate) struct Surroundings {
    roads: Arc<Roads>,
    seed: Seed,
    scene: Option<Arc<Scene>>,
}

impl Surroundings {
    pub(crate) fn new(roads: Arc<Roads>, seed: Seed) -> Self {
        Self { roads, seed, scene: None }
    }

    fn scene(&mut self) -> Arc<Scene> {
        self.scene.get_or_insert_with(|| Arc::new(Scene::new(&self.roads, self.seed))).clone()
    }
}

/// An induction loop: a rectangle in the road.
#[derive(Debug)]
struct Loop {
    length_m: f64,
    width_m: f64,
    period_s: f64,
    inside: BTreeSet<ActorId>,
    since_s: f64,
    count: u32,
    occupied_s: f64,
    speeds: f64,
    /// Of the last whole period.
    reading: proto::LoopReading,
}

/// Attributes by name, checked against the blueprint.
struct Attributes(BTreeMap<&'static str, f64>);

impl Attributes {
    fn read(blueprint: &str, given: &[(String, String)]) -> Result<Self, SensorError> {
        let known = BLUEPRINTS.iter().find(|(id, _)| *id == blueprint).map(|(_, attributes)| *attributes);
        let known = known.ok_or_else(|| SensorError::Unknown(blueprint.to_owned()))?;
        let mut values: BTreeMap<_, _> = known.iter().map(|(name, value, ..)| (*name, *value)).collect();
        for (name, value) in given {
            let (blueprint, value) = (blueprint.to_owned(), value.clone());
            let Some((known, _, _, low, high)) = known.iter().find(|(known, ..)| known == name) else {
                return Err(SensorError::NoAttribute { blueprint, name: name.clone() });
            };
            match value.trim().parse::<f64>() {
                Ok(number) if (*low..=*high).contains(&number) => values.insert(known, number),
                _ => return Err(SensorError::Value { blueprint, name: name.clone(), value }),
            };
        }
        Ok(Self(values))
    }

    fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

impl Sensor {
    pub(crate) fn new(
        id: u32,
        blueprint: &str,
        given: &[(String, String)],
        parent: Option<ActorId>,
        mount: Pose,
        surroundings: &mut Surroundings,
    ) -> Result<Self, SensorError> {
        let attributes = Attributes::read(blueprint, given)?;
        let shows = match blueprint {
            "sensor.camera.depth" => Shows::Depth,
            "sensor.camera.semantic" => Shows::Semantic,
            "sensor.camera.instance" => Shows::Instance,
            _ => Shows::Colour,
        };
        let kind = match blueprint {
            _ if blueprint.starts_with("sensor.camera.") => Kind::Camera {
                camera: Box::new(camera(id, &attributes, parent, mount, surroundings)),
                shows,
                boxes: attributes.get("boxes") != 0.0,
                period_s: attributes.get("sensor_tick"),
                due_s: 0.0,
            },
            "sensor.other.gnss" if surroundings.roads.geo.is_none() => {
                return Err(SensorError::NoReference(blueprint.to_owned()));
            }
            "sensor.other.gnss" => Kind::Gnss,
            "sensor.other.imu" => Kind::Imu,
            "sensor.other.truth" => Kind::Truth { range_m: attributes.get("range") },
            "sensor.other.loop" => Kind::Loop(Loop {
                length_m: attributes.get("length"),
                width_m: attributes.get("width"),
                period_s: attributes.get("period"),
                inside: BTreeSet::new(),
                since_s: 0.0,
                count: 0,
                occupied_s: 0.0,
                speeds: 0.0,
                reading: proto::LoopReading::default(),
            }),
            other => return Err(SensorError::Unknown(other.to_owned())),
        };
        Ok(Self { parent, mount, kind })
    }

    /// The actor that it is fixed to.
    pub(crate) fn parent(&self) -> Option<ActorId> {
        self.parent
    }

    /// Where it is; `None` while its parent is not there.
    fn pose(&self, now: &Snapshot) -> Option<Pose> {
        let Some(parent) = self.parent else { return Some(self.mount) };
        let base = now.actor(parent)?.pose;
        let (sin, cos) = base.yaw_rad.sin_cos();
        let Point3 { coords: by, .. } = self.mount.position;
        let position = Point3::new(
            base.position.x + by.x * cos - by.y * sin,
            base.position.y + by.x * sin + by.y * cos,
            base.position.z + by.z,
        );
        let yaw_rad = angle_between(base.yaw_rad + self.mount.yaw_rad, 0.0);
        Some(Pose { position, yaw_rad, pitch_rad: base.pitch_rad + self.mount.pitch_rad })
    }

    /// Sees a step: only what counts over time needs every one.
    pub(crate) fn observe(&mut self, now: &Snapshot, step_s: f64) {
        let Some(pose) = self.pose(now) else { return };
        if let Kind::Loop(counter) = &mut self.kind {
            counter.observe(now, &pose, step_s);
        }
    }

    /// What it sends of a snapshot; `None` while its parent is not there.
    pub(crate) fn read(&mut self, id: u32, now: &Snapshot, roads: &Roads) -> Option<proto::SensorData> {
        let pose = self.pose(now)?;
        let data = match &mut self.kind {
            Kind::Camera { camera, shows, boxes, period_s, due_s } => {
                if now.time_s < *due_s - 1e-9 {
                    return None;
                }
                *due_s = (*due_s + *period_s).max(now.time_s);
                let frame = camera.render(now, ImageFault::None)?;
                Data::Image(image(frame, *shows, *boxes, now))
            }
            Kind::Gnss => Data::Gnss(gnss(&pose, roads)?),
            Kind::Imu => Data::Imu(imu(self.parent, &self.mount, now, &pose)),
            Kind::Truth { range_m } => Data::Truth(truth(now, &pose, *range_m, self.parent, roads)),
            Kind::Loop(counter) => Data::Loop(counter.reading),
        };
        Some(proto::SensorData {
            sensor: id,
            frame: now.step,
            time: now.time_s,
            transform: Some(super::convert::transform(pose.position, pose.yaw_rad, pose.pitch_rad)),
            data: Some(data),
        })
    }
}

fn imu(parent: Option<ActorId>, mount: &Pose, now: &Snapshot, pose: &Pose) -> proto::ImuSample {
    const GRAVITY_MPS2: f64 = 9.80665;
    let carrier = parent.and_then(|parent| now.actor(parent));
    let (ahead, across, turn) = carrier.map_or((0.0, 0.0, 0.0), |actor| {
        (actor.acceleration_mps2, actor.speed_mps * actor.yaw_rate_rps, actor.yaw_rate_rps)
    });
    // From the carrier's axes to the sensor's: turned about the vertical, then pitched.
    let (sin, cos) = mount.yaw_rad.sin_cos();
    let (x, y) = (ahead * cos + across * sin, across * cos - ahead * sin);
    let (sin, cos) = pose.pitch_rad.sin_cos();
    let acceleration = proto::Vector { x: x * cos + GRAVITY_MPS2 * sin, y, z: GRAVITY_MPS2 * cos - x * sin };
    let compass = angle_between(std::f64::consts::FRAC_PI_2 - pose.yaw_rad, 0.0).rem_euclid(std::f64::consts::TAU);
    let angular_velocity = proto::Vector { x: turn * sin, y: 0.0, z: turn * cos };
    proto::ImuSample { acceleration: Some(acceleration), angular_velocity: Some(angular_velocity), compass }
}

/// A camera; its lens is a pinhole.
fn camera(id: u32, attributes: &Attributes, parent: Option<ActorId>, mount: Pose, around: &mut Surroundings) -> Camera {
    let size_px = ["image_size_x", "image_size_y"].map(|name| attributes.get(name) as u32);
    let pose = CameraPose {
        position_m: mount.position.coords.into(),
        yaw_deg: mount.yaw_rad.to_degrees(),
        pitch_deg: mount.pitch_rad.to_degrees(),
        roll_deg: 0.0,
    };
    let model = CameraModel::with_size(&id.to_string(), pose, attributes.get("fov"), size_px);
    let mut settings = CameraSettings::fixed(model);
    settings.mount = parent.map_or(Mount::Fixed, Mount::On);
    settings.optics.noise = attributes.get("noise");
    settings.optics.dirt = attributes.get("dirt");
    let seed = around.seed;
    Camera::new(settings, around.scene(), seed)
}

fn image(frame: Frame, shows: Shows, boxes: bool, now: &Snapshot) -> proto::Image {
    let [width, height] = frame.size_px;
    let seen = frame.actors.iter().filter(|_| boxes).filter_map(|view| {
        let [left, top, right, bottom] = view.visible_px?;
        let type_id =
            now.actor(view.id).map(|actor| super::convert::type_id(actor.kind).to_owned()).unwrap_or_default();
        Some(proto::Box2d { actor: view.id.0, type_id, left, top, right, bottom, visible: view.visible })
    });
    let boxes = seen.collect();
    let data = match shows {
        Shows::Colour => frame.rgb,
        Shows::Depth => frame.depth_m.iter().flat_map(|depth| depth.to_le_bytes()).collect(),
        Shows::Semantic => frame.semantic,
        Shows::Instance => frame.instance.iter().flat_map(|actor| actor.to_le_bytes()).collect(),
    };
    proto::Image { width, height, data, boxes }
}

fn gnss(pose: &Pose, roads: &Roads) -> Option<proto::GnssFix> {
    let origin = roads.geo?.origin;
    let frame = masa_v2x_proto::geo::SiteFrame::new(origin);
    let p = pose.position;
    let at = frame.to_wgs84(masa_v2x_proto::geo::Enu { e_m: p.x, n_m: p.y, u_m: p.z });
    Some(proto::GnssFix { latitude: at.lat_deg, longitude: at.lon_deg, altitude: at.alt_m })
}

/// Actors within a distance, in the sensor's axes, the carrier left out.
fn truth(now: &Snapshot, pose: &Pose, range_m: f64, parent: Option<ActorId>, roads: &Roads) -> proto::Truth {
    let (sin, cos) = pose.yaw_rad.sin_cos();
    let turned = |v: &mut proto::Vector| (v.x, v.y) = (v.x * cos + v.y * sin, v.y * cos - v.x * sin);
    let near = now.actors.iter().filter(|actor| Some(actor.id) != parent);
    let near = near.filter(|actor| (actor.pose.position - pose.position).norm() <= range_m);
    let actors = near.map(|actor| {
        let mut seen = super::convert::actor(actor, roads);
        if let Some(transform) = &mut seen.transform {
            transform.yaw = angle_between(transform.yaw, pose.yaw_rad);
            if let Some(at) = &mut transform.location {
                (at.x, at.y, at.z) = (at.x - pose.position.x, at.y - pose.position.y, at.z - pose.position.z);
                turned(at);
            }
        }
        seen.velocity.iter_mut().chain(&mut seen.acceleration).for_each(turned);
        seen
    });
    proto::Truth { actors: actors.collect() }
}

impl Loop {
    fn observe(&mut self, now: &Snapshot, pose: &Pose, step_s: f64) {
        let (sin, cos) = pose.yaw_rad.sin_cos();
        let (l, w) = (self.length_m / 2.0, self.width_m / 2.0);
        let middle = pose.position.xy();
        let outline = [(l, w), (-l, w), (-l, -w), (l, -w)]
            .map(|(x, y)| Point2::new(middle.x + x * cos - y * sin, middle.y + x * sin + y * cos));
        let over = now.actors.iter().filter(|actor| {
            (actor.pose.position.xy() - middle).norm() < 40.0 && gap_between(&actor.footprint(), &outline) == 0.0
        });
        let mut inside = BTreeSet::new();
        for actor in over {
            if !self.inside.contains(&actor.id) {
                self.count += 1;
                self.speeds += actor.speed_mps.abs();
            }
            inside.insert(actor.id);
        }
        self.occupied_s += if inside.is_empty() { 0.0 } else { step_s };
        self.inside = inside;
        self.since_s += step_s;
        if self.since_s >= self.period_s - 1e-9 {
            self.reading = proto::LoopReading {
                count: self.count,
                occupancy: self.occupied_s / self.since_s,
                mean_speed: if self.count > 0 { self.speeds / f64::from(self.count) } else { 0.0 },
            };
            (self.since_s, self.count, self.occupied_s, self.speeds) = (0.0, 0, 0.0, 0.0);
        }
    }
}
