//! Random actors on a network, for data sets and pictures: no traffic, only plausible places.
//!
//! In: roads, how many, a random stream, what to stay close to. Out: actors that do not stand in each other.

use crate::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role};
use crate::roads::{EdgeKind, Lane, LaneKind, Roads};
use crate::weather::Weather;
use nalgebra::{Point2, Point3, Vector2};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::f64::consts::TAU;

/// How often each kind is placed.
const SHARES: [(ActorKind, u32); 17] = [
    (ActorKind::Car, 26),
    (ActorKind::Adult, 22),
    (ActorKind::Child, 6),
    (ActorKind::Bicycle, 11),
    (ActorKind::EScooter, 8),
    (ActorKind::Motorcycle, 7),
    (ActorKind::Van, 7),
    (ActorKind::Truck, 5),
    (ActorKind::Bus, 4),
    (ActorKind::CargoBike, 3),
    (ActorKind::Wheelchair, 2),
    (ActorKind::Tram, 1),
    (ActorKind::Dog, 4),
    (ActorKind::Deer, 2),
    (ActorKind::LostCargo, 2),
    (ActorKind::Cone, 2),
    (ActorKind::Barrier, 1),
];

/// Where actors are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    /// Middle, ENU metres.
    pub centre: Point2<f64>,
    /// Radius, metres.
    pub radius_m: f64,
}

/// Lanes of a network that reach into a circle, by what they are for.
struct Lanes<'a> {
    driving: Vec<&'a Lane>,
    cycling: Vec<&'a Lane>,
    walking: Vec<&'a Lane>,
    rails: Vec<&'a Lane>,
}

impl<'a> Lanes<'a> {
    fn new(roads: &'a Roads, around: &Around) -> Self {
        let mut lanes = Self { driving: Vec::new(), cycling: Vec::new(), walking: Vec::new(), rails: Vec::new() };
        for lane in &roads.lanes {
            let near = lane.centre.project(around.centre).and_then(|p| lane.centre.at(p.s_m));
            if near.is_none_or(|on| (on.point.xy() - around.centre).norm() > around.radius_m)
                || lane.centre.length_m() < 3.0
            {
                continue;
            }
            let kind = roads.edges.get(lane.edge.index()).map_or(EdgeKind::Road, |edge| edge.kind);
            match (kind, lane.kind) {
                (EdgeKind::Crossing | EdgeKind::WalkingArea, _) | (_, LaneKind::Sidewalk) => lanes.walking.push(lane),
                (_, LaneKind::Driving | LaneKind::Parking) => lanes.driving.push(lane),
                (_, LaneKind::Bicycle) => lanes.cycling.push(lane),
                (_, LaneKind::Rail) => lanes.rails.push(lane),
                (_, LaneKind::Shoulder | LaneKind::Verge) => {}
            }
        }
        lanes
    }

    /// A place for a kind: position and direction.
    fn spot(&self, kind: ActorKind, around: &Around, rng: &mut Pcg64Mcg) -> Option<(Point3<f64>, f64)> {
        let driving = &self.driving;
        let (from, side_m, turned): (&[&Lane], f64, f64) = match kind {
            ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair | ActorKind::Dog => {
                let stray = rng.random_range(0.0..1.0);
                if self.walking.is_empty() || stray < 0.15 {
                    let lane = pick(driving, rng)?;
                    // Along the edge, on the pavement beside it, or on the carriageway.
                    let beside = lane.width_m / 2.0 + rng.random_range(-2.5..2.2);
                    return spot_on(lane, -beside, rng.random_range(0.0..TAU), around, rng);
                }
                (&self.walking, 0.35, rng.random_range(0..2) as f64 * TAU / 2.0 + rng.random_range(-0.3..0.3))
            }
            ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter
                if !self.cycling.is_empty() && rng.random_bool(0.5) =>
            {
                (&self.cycling, 0.2, rng.random_range(-0.08..0.08))
            }
            ActorKind::Bicycle | ActorKind::CargoBike | ActorKind::EScooter => {
                (driving, 0.42, rng.random_range(-0.15..0.15))
            }
            ActorKind::Tram => (&self.rails, 0.0, 0.0),
            ActorKind::Motorcycle => (driving, 0.25, rng.random_range(-0.15..0.15)),
            ActorKind::Deer | ActorKind::LostCargo | ActorKind::Cone | ActorKind::Barrier => {
                (driving, 0.5, rng.random_range(0.0..TAU))
            }
            ActorKind::Car | ActorKind::Van | ActorKind::Truck | ActorKind::Bus => (
                driving,
                0.08,
                rng.random_range(-0.04..0.04) + if rng.random_bool(0.06) { rng.random_range(-0.6..0.6) } else { 0.0 },
            ),
        };
        let lane = pick(from, rng)?;
        let offset = rng.random_range(-1.0..1.0) * side_m * lane.width_m;
        spot_on(lane, offset, turned, around, rng)
    }
}

fn pick<'a>(lanes: &[&'a Lane], rng: &mut Pcg64Mcg) -> Option<&'a Lane> {
    (!lanes.is_empty()).then(|| lanes[rng.random_range(0..lanes.len())])
}

fn spot_on(lane: &Lane, offset: f64, turned: f64, around: &Around, rng: &mut Pcg64Mcg) -> Option<(Point3<f64>, f64)> {
    let s = rng.random_range(0.0..lane.centre.length_m());
    let on = lane.centre.at(s)?;
    let p = on.point + nalgebra::Vector3::new(-on.yaw_rad.sin() * offset, on.yaw_rad.cos() * offset, 0.0);
    ((p.xy() - around.centre).norm() < around.radius_m).then_some((p, on.yaw_rad + turned))
}

/// Discs that cover a footprint: middles and radius, metres.
fn discs(p: Point3<f64>, yaw: f64, length: f64, width: f64) -> (Vec<Point2<f64>>, f64) {
    let radius = width * 0.62;
    let reach = ((length - width) / 2.0).max(0.0);
    let count = (reach / radius).ceil() as i32;
    let along = Vector2::new(yaw.cos(), yaw.sin());
    ((-count..=count).map(|k| p.xy() + along * (reach * f64::from(k) / f64::from(count.max(1)))).collect(), radius)
}

/// Up to `count` actors; `keep_clear_m` says how much room to leave around places (a camera's pole, say).
pub fn actors(
    roads: &Roads,
    around: &Around,
    count: usize,
    weather: &Weather,
    clear: &[Point2<f64>],
    rng: &mut Pcg64Mcg,
) -> Vec<Actor> {
    let lanes = Lanes::new(roads, around);
    let total: u32 = SHARES.iter().map(|s| s.1).sum();
    let mut taken: Vec<(Point2<f64>, f64)> = clear.iter().map(|p| (*p, 3.0)).collect();
    let mut actors = Vec::new();
    for _ in 0..count * 12 {
        if actors.len() >= count {
            break;
        }
        let mut luck = rng.random_range(0..total);
        let Some((kind, _)) = SHARES.iter().find(|(_, share)| match luck.checked_sub(*share) {
            Some(rest) => {
                luck = rest;
                false
            }
            None => true,
        }) else {
            continue;
        };
        let Some((p, yaw)) = lanes.spot(*kind, around, rng) else { continue };
        let mut size = kind.usual_size();
        let stretch = rng.random_range(0.93..1.07);
        size.height_m *= if kind.is_vulnerable() { stretch } else { 1.0 };
        if *kind == ActorKind::Car {
            size.length_m = rng.random_range(3.7..4.8);
        }
        let (spots, radius) = discs(p, yaw, size.length_m, size.width_m);
        if spots.iter().any(|a| taken.iter().any(|(b, r)| (a - b).norm() < radius + r)) {
            continue;
        }
        taken.extend(spots.into_iter().map(|spot| (spot, radius)));
        let moving = rng.random_bool(0.75);
        let on_foot = matches!(kind, ActorKind::Adult | ActorKind::Child | ActorKind::Dog | ActorKind::Deer);
        let speed_mps = if !moving {
            0.0
        } else if on_foot {
            rng.random_range(0.8..1.7)
        } else {
            rng.random_range(2.0..13.0)
        };
        let vehicle = kind.is_motor_vehicle() || *kind == ActorKind::Motorcycle;
        let number = actors.len() as u32 + 1;
        actors.push(Actor {
            id: ActorId::of(200, number),
            kind: *kind,
            role: if vehicle && rng.random_bool(0.02) { Role::Emergency } else { Role::Ordinary },
            pose: Pose { position: p, yaw_rad: yaw, pitch_rad: 0.0 },
            speed_mps,
            acceleration_mps2: 0.0,
            yaw_rate_rps: 0.0,
            size,
            lights: Lights {
                low_beam: (weather.lamps_lit() || rng.random_bool(0.3)) && !on_foot,
                brake: vehicle && rng.random_bool(0.25),
                left: vehicle && rng.random_bool(0.10),
                right: vehicle && rng.random_bool(0.10),
                beacon: rng.random_bool(0.5),
            },
            appearance: rng.random(),
            on_lane: None,
            connected: false,
        });
    }
    actors
}
