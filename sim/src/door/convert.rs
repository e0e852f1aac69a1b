//! The simulator's types as the interface's, and back.

use super::proto;
use crate::actor::{Actor, ActorKind, Lights, Pose, Role};
use crate::roads::{Roads, SignalState};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use nalgebra::Point3;

/// Every blueprint of an actor.
pub(crate) const ACTORS: [(&str, ActorKind); 17] = [
    ("vehicle.car", ActorKind::Car),
    ("vehicle.van", ActorKind::Van),
    ("vehicle.truck", ActorKind::Truck),
    ("vehicle.bus", ActorKind::Bus),
    ("vehicle.tram", ActorKind::Tram),
    ("vehicle.motorcycle", ActorKind::Motorcycle),
    ("vehicle.bicycle", ActorKind::Bicycle),
    ("vehicle.cargo-bike", ActorKind::CargoBike),
    ("vehicle.e-scooter", ActorKind::EScooter),
    ("walker.adult", ActorKind::Adult),
    ("walker.child", ActorKind::Child),
    ("walker.wheelchair", ActorKind::Wheelchair),
    ("animal.dog", ActorKind::Dog),
    ("animal.deer", ActorKind::Deer),
    ("static.lost-cargo", ActorKind::LostCargo),
    ("static.cone", ActorKind::Cone),
    ("static.barrier", ActorKind::Barrier),
];

const ROLES: [(&str, Role); 4] = [
    ("ordinary", Role::Ordinary),
    ("emergency", Role::Emergency),
    ("public-transport", Role::PublicTransport),
    ("road-works", Role::RoadWorks),
];

/// The blueprint of a kind.
pub(crate) fn type_id(kind: ActorKind) -> &'static str {
    ACTORS.iter().find(|(_, known)| *known == kind).map_or("static.unknown", |(id, _)| id)
}

/// A role by its name; an empty one is an ordinary one.
pub(crate) fn role(name: &str) -> Option<Role> {
    match name {
        "" => Some(Role::Ordinary),
        _ => ROLES.iter().find(|(known, _)| *known == name).map(|(_, role)| *role),
    }
}

pub(crate) fn vector(p: Point3<f64>) -> proto::Vector {
    proto::Vector { x: p.x, y: p.y, z: p.z }
}

pub(crate) fn transform(point: Point3<f64>, yaw: f64, pitch: f64) -> proto::Transform {
    proto::Transform { location: Some(vector(point)), yaw, pitch, roll: 0.0 }
}

/// A pose; `None` if a number is none or far off any map.
pub(crate) fn pose(transform: &proto::Transform) -> Option<Pose> {
    let location = transform.location.unwrap_or_default();
    let numbers = [location.x, location.y, location.z, transform.yaw, transform.pitch, transform.roll];
    let position = Point3::new(location.x, location.y, location.z);
    let sane = numbers.iter().all(|number| number.is_finite() && number.abs() < 1e7);
    sane.then(|| Pose {
        position,
        yaw_rad: crate::geometry::angle_between(transform.yaw, 0.0),
        pitch_rad: crate::geometry::angle_between(transform.pitch, 0.0),
    })
}

pub(crate) fn actor(actor: &Actor, roads: &Roads) -> proto::Actor {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    let ahead = |value: f64| proto::Vector { x: value * cos, y: value * sin, z: 0.0 };
    // Curves add what is across.
    let mut acceleration = ahead(actor.acceleration_mps2);
    let across = actor.speed_mps * actor.yaw_rate_rps;
    (acceleration.x, acceleration.y) = (acceleration.x - across * sin, acceleration.y + across * cos);
    let lane = actor.on_lane.map(|at| proto::LanePosition {
        lane: at.lane.0,
        name: roads.lanes.get(at.lane.index()).map(|lane| lane.name.clone()).unwrap_or_default(),
        s: at.s_m,
        offset: at.offset_m,
    });
    let role = ROLES.iter().find(|(_, role)| *role == actor.role).map_or("ordinary", |(name, _)| name);
    proto::Actor {
        id: actor.id.0,
        type_id: type_id(actor.kind).to_owned(),
        transform: Some(transform(actor.pose.position, actor.pose.yaw_rad, actor.pose.pitch_rad)),
        velocity: Some(ahead(actor.speed_mps)),
        acceleration: Some(acceleration),
        yaw_rate: actor.yaw_rate_rps,
        size: Some(size(actor.size)),
        lane,
        lights: lights(actor.lights),
        spawned: actor.id.population() == super::guests::POPULATION,
        connected: actor.connected,
        role: role.to_owned(),
    }
}

pub(crate) fn size(size: crate::actor::Size) -> proto::Vector {
    proto::Vector { x: size.length_m, y: size.width_m, z: size.height_m }
}

fn lights(lights: Lights) -> u32 {
    let on = [lights.low_beam, lights.brake, lights.left, lights.right, lights.beacon];
    on.iter().enumerate().map(|(bit, on)| u32::from(*on) << bit).sum()
}

pub(crate) fn snapshot(now: &Snapshot, roads: &Roads) -> proto::Snapshot {
    proto::Snapshot {
        frame: now.step,
        time: now.time_s,
        actors: now.actors.iter().map(|one| actor(one, roads)).collect(),
        weather: Some(weather_out(&now.weather)),
    }
}

fn weather_out(weather: &Weather) -> proto::Weather {
    proto::Weather {
        sun_elevation: weather.sun_elevation_deg,
        sun_azimuth: weather.sun_azimuth_deg,
        cloud_cover: weather.cloud_cover,
        rain: weather.rain_mm_per_h,
        visibility: weather.visibility_m,
        road_wetness: weather.road_wetness,
        wind: weather.wind_mps,
        wind_from: weather.wind_from_deg,
        temperature: weather.temperature_c,
    }
}

/// Weather; the name of the field that cannot be.
pub(crate) fn weather(given: &proto::Weather) -> Result<Weather, &'static str> {
    let within =
        |name, value: f64, low: f64, high: f64| if (low..=high).contains(&value) { Ok(value) } else { Err(name) };
    Ok(Weather {
        sun_elevation_deg: within("sun_elevation", given.sun_elevation, -90.0, 90.0)?,
        sun_azimuth_deg: within("sun_azimuth", given.sun_azimuth, -360.0, 360.0)?,
        cloud_cover: within("cloud_cover", given.cloud_cover, 0.0, 1.0)?,
        rain_mm_per_h: within("rain", given.rain, 0.0, 200.0)?,
        visibility_m: within("visibility", given.visibility, 1.0, 200_000.0)?,
        road_wetness: within("road_wetness", given.road_wetness, 0.0, 1.0)?,
        wind_mps: within("wind", given.wind, 0.0, 100.0)?,
        wind_from_deg: within("wind_from", given.wind_from, -360.0, 360.0)?,
        temperature_c: within("temperature", given.temperature, -60.0, 60.0)?,
    })
}

/// States with their numbers in the interface.
const LIGHTS: [(SignalState, proto::LightState); 7] = [
    (SignalState::Red, proto::LightState::Red),
    (SignalState::RedYellow, proto::LightState::RedYellow),
    (SignalState::Yellow, proto::LightState::Yellow),
    (SignalState::GreenMajor, proto::LightState::Green),
    (SignalState::GreenMinor, proto::LightState::GreenMinor),
    (SignalState::OffBlinking, proto::LightState::OffBlinking),
    (SignalState::Off, proto::LightState::Off),
];

pub(crate) fn light_out(state: SignalState) -> proto::LightState {
    LIGHTS.iter().find(|(known, _)| *known == state).map_or(proto::LightState::Unspecified, |(_, light)| *light)
}

/// A state; `None` leaves it to the programme.
pub(crate) fn light_in(light: proto::LightState) -> Option<SignalState> {
    LIGHTS.iter().find(|(_, known)| *known == light).map(|(state, _)| *state)
}
