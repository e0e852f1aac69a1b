//! Road users: vehicles and others, from CAM, VAM and CPM.
//!
//! A vehicle becomes a `Vehicle` of the Smart Data Models, everybody else a `PerceivedObject`. Both are personal data.

use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position, rounded};
use masa_v2x_proto::cam::{BasicVehicleContainerHighFrequency, Cam, HighFrequencyContainer, SpecialVehicleContainer};
use masa_v2x_proto::cdd::{
    ObjectClass, PerceivedObject, PosConfidenceEllipse, Reading, ReferencePosition, StationType, Velocity3d,
    VruProfileAndSubprofile,
};
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::Vam;
use serde_json::{Value, json};

/// Slower than this something stands, m/s: the step of speeds in messages is 0.01, and noise is a tenth.
const STANDING_MPS: f64 = 0.1;

/// A road user as any message tells of it.
struct RoadUser {
    kind: UserKind,
    position: Position,
    /// Speed over ground, m/s.
    speed_mps: Option<f64>,
    /// Degrees clockwise from north.
    heading_deg: Option<f64>,
    length_m: Option<f64>,
    width_m: Option<f64>,
    accuracy: Option<Value>,
    special_use: Option<&'static str>,
}

/// What a road user is.
#[derive(Clone, Copy)]
enum UserKind {
    Vehicle(&'static str),
    Other(&'static str),
}

impl RoadUser {
    fn entity(self, local: &str, at: Timestamp, origin: &Origin) -> Entity {
        let kind = match self.kind {
            UserKind::Vehicle(_) => EntityKind::Vehicle,
            UserKind::Other(_) => EntityKind::PerceivedObject,
        };
        let entity = Entity::new(origin.id(kind, local), kind, Geometry::Point(self.position), at, origin);
        let stands = self.speed_mps.is_some_and(|speed| speed < STANDING_MPS);
        let speed_kmh = self.speed_mps.map(|mps| Attribute::measured(rounded(mps * 3.6, 2), "KMH"));
        let entity = match self.kind {
            UserKind::Vehicle(vehicle_type) => {
                // The model wants -1 for the heading of a vehicle that stands; where it points is `bearing`.
                let heading = if stands { Some(-1.0) } else { self.heading_deg.map(|deg| rounded(deg, 1) % 360.0) };
                let category = if self.special_use.is_some() { "specialUsage" } else { "nonTracked" };
                entity
                    .with("vehicleType", vehicle_type)
                    .with("category", json!([category]))
                    .with_some("vehicleSpecialUsage", self.special_use)
                    .with_some("heading", heading.map(|deg| Attribute::measured(deg, "DD")))
                    .with_some(
                        "bearing",
                        self.heading_deg.map(|deg| Attribute::measured(rounded(deg, 1) % 360.0, "DD")),
                    )
                    .with("observationDateTime", Attribute::DateTime(at))
            }
            UserKind::Other(class) => entity
                .with("class", class)
                .with_some("heading", self.heading_deg.map(|deg| Attribute::measured(rounded(deg, 1) % 360.0, "DD"))),
        };
        entity
            .with_some("speed", speed_kmh)
            .with_some("length", self.length_m.map(|m| Attribute::measured(rounded(m, 1), "MTR")))
            .with_some("width", self.width_m.map(|m| Attribute::measured(rounded(m, 1), "MTR")))
            .with_some("positionAccuracy", self.accuracy)
            .with("refStation", Attribute::Relationship(origin.station_urn()))
    }
}

/// The vehicle that sends a CAM; `None` for roadside units and vehicles without a position.
pub(super) fn from_cam(cam: &Cam, at: Timestamp, origin: &Origin) -> Option<Entity> {
    let parameters = &cam.cam.cam_parameters;
    let HighFrequencyContainer::BasicVehicle(motion) = &parameters.high_frequency_container else { return None };
    let basic = &parameters.basic_container;
    let special_use = match &parameters.special_vehicle_container {
        Some(SpecialVehicleContainer::Emergency(_) | SpecialVehicleContainer::Rescue(_)) => Some("ambulance"),
        _ => None,
    };
    let user = RoadUser {
        kind: kind_of_station(basic.station_type),
        position: position(&basic.reference_position)?,
        speed_mps: reading(motion.speed.value_mps),
        heading_deg: motion.heading.value_deg.map(f64::from),
        length_m: length_m(motion),
        width_m: reading(motion.vehicle_width_m),
        accuracy: ellipse(&basic.reference_position.position_confidence_ellipse),
        special_use,
    };
    Some(user.entity(&format!("station-{}", cam.header.station_id.0), at, origin))
}

/// The road user that sends a VAM.
pub(super) fn from_vam(vam: &Vam, at: Timestamp, origin: &Origin) -> Option<Entity> {
    let parameters = &vam.vam.vam_parameters;
    let motion = &parameters.vru_high_frequency_container;
    let basic = &parameters.basic_container;
    let kind = match &parameters.vru_low_frequency_container {
        Some(low) => kind_of_vru(&low.profile_and_subprofile),
        None => kind_of_station(basic.station_type),
    };
    let user = RoadUser {
        kind,
        position: position(&basic.reference_position)?,
        speed_mps: reading(motion.speed.value_mps),
        heading_deg: motion.heading.value_deg.map(f64::from),
        length_m: None,
        width_m: None,
        accuracy: ellipse(&basic.reference_position.position_confidence_ellipse),
        special_use: None,
    };
    let cluster = parameters.vru_cluster_information_container.as_ref();
    let count = cluster.map(|c| u32::from(c.vru_cluster_information.cluster_cardinality_size));
    Some(user.entity(&format!("station-{}", vam.header.station_id.0), at, origin).with_some("count", count))
}

/// What a CPM perceives; objects without an id, which nothing later could be said of, are left out.
pub(super) fn from_cpm(cpm: &Cpm, origin: &Origin) -> Vec<Entity> {
    let management = &cpm.payload.management_container;
    let Some(reference) = position(&management.reference_position) else { return Vec::new() };
    // A clock ahead of ours is put right as the ingest does.
    let at = Timestamp::from(management.reference_time).min(origin.received_at);
    let containers = &cpm.payload.cpm_containers;
    // A roadside unit's axes point east and north, a vehicle's forwards and left.
    let x_axis_heading_deg = match &containers.originating_vehicle {
        Some(vehicle) => match vehicle.orientation_angle.value_deg {
            Some(heading) => f64::from(heading),
            None => return Vec::new(),
        },
        None => 90.0,
    };
    let objects = containers.perceived_object.iter().flat_map(|container| &container.perceived_objects);
    objects.filter_map(|object| from_object(object, reference, x_axis_heading_deg, at, origin)).collect()
}

fn from_object(
    object: &PerceivedObject,
    reference: Position,
    x_axis_heading_deg: f64,
    at: Timestamp,
    origin: &Origin,
) -> Option<Entity> {
    let id = object.object_id?;
    let (x, y) = (f64::from(object.position.x.value_m.value()?), f64::from(object.position.y.value_m.value()?));
    // Heading of the x axis to yaw, then a rotation.
    let (sin, cos) = (90.0 - x_axis_heading_deg).to_radians().sin_cos();
    let velocity = object.velocity.as_ref().and_then(velocity);
    let heading_of = |yaw_deg: f64| (x_axis_heading_deg - yaw_deg).rem_euclid(360.0);
    let oriented = object.angles.as_ref().and_then(|angles| angles.z_angle.value_deg).map(f64::from);
    let moving = velocity.filter(|[vx, vy]| vx.hypot(*vy) >= STANDING_MPS);
    let yaw_deg = oriented.or(moving.map(|[vx, vy]| vy.atan2(vx).to_degrees()));
    let classes = object.classification.iter().flat_map(|classes| classes.iter());
    let likeliest = classes.max_by_key(|class| class.confidence_percent);
    let confidence = [object.position.x.confidence_m, object.position.y.confidence_m].map(reading);
    let accuracy = match confidence {
        [Some(x_m), Some(y_m)] => {
            Some(json!({ "semiMajor": rounded(x_m.max(y_m), 2), "semiMinor": rounded(x_m.min(y_m), 2),
            "orientation": rounded(if x_m >= y_m { x_axis_heading_deg } else { heading_of(90.0) } % 360.0, 1) }))
        }
        _ => None,
    };
    let user = RoadUser {
        kind: likeliest.map_or(UserKind::Other("unknown"), |class| kind_of_class(&class.object_class)),
        position: reference.moved_m(x * cos - y * sin, x * sin + y * cos),
        speed_mps: velocity.map(|[vx, vy]| vx.hypot(vy)),
        heading_deg: yaw_deg.map(heading_of),
        length_m: object.object_dimension_x.as_ref().and_then(|d| reading(d.value_m)),
        width_m: object.object_dimension_y.as_ref().and_then(|d| reading(d.value_m)),
        accuracy,
        special_use: None,
    };
    let measured_at = at.plus_ms(i64::from(object.measurement_delta_time_ms));
    let confidence = likeliest.and_then(|class| class.confidence_percent).map(|p| f64::from(p) / 100.0);
    let entity = user
        .entity(&id.to_string(), measured_at, origin)
        .with("objectId", id)
        .with_some("classConfidence", confidence)
        .with_some("objectAge", object.object_age_ms.map(|ms| Attribute::measured(f64::from(ms) / 1e3, "SEC")))
        .with_some("perceptionQuality", object.object_perception_quality);
    Some(entity)
}

fn kind_of_station(station_type: StationType) -> UserKind {
    use UserKind::{Other, Vehicle};
    match station_type {
        StationType::Pedestrian => Other("pedestrian"),
        StationType::Animal => Other("animal"),
        StationType::Cyclist => Vehicle("bicycle"),
        StationType::Moped => Vehicle("moped"),
        StationType::Motorcycle => Vehicle("motorcycle"),
        StationType::PassengerCar => Vehicle("car"),
        StationType::Bus => Vehicle("bus"),
        StationType::LightTruck => Vehicle("van"),
        StationType::HeavyTruck => Vehicle("lorry"),
        StationType::Trailer => Vehicle("trailer"),
        StationType::Tram => Vehicle("tram"),
        StationType::Agricultural => Vehicle("agriculturalVehicle"),
        StationType::LightVruVehicle => Vehicle("e-scooter"),
        StationType::SpecialVehicle => Vehicle("other"),
        _ => Other("unknown"),
    }
}

fn kind_of_class(class: &ObjectClass) -> UserKind {
    match class {
        ObjectClass::Vehicle(StationType::Unknown) => UserKind::Vehicle("anyVehicle"),
        ObjectClass::Vehicle(station_type) => kind_of_station(*station_type),
        ObjectClass::Vru(profile) => kind_of_vru(profile),
        ObjectClass::Group(_) => UserKind::Other("group"),
        ObjectClass::Other(_) | ObjectClass::Unknown(_) => UserKind::Other("object"),
    }
}

fn kind_of_vru(profile: &VruProfileAndSubprofile) -> UserKind {
    match profile {
        VruProfileAndSubprofile::Pedestrian(_) => UserKind::Other("pedestrian"),
        VruProfileAndSubprofile::BicyclistAndLightVruVehicle(_) => UserKind::Vehicle("bicycle"),
        VruProfileAndSubprofile::Motorcyclist(_) => UserKind::Vehicle("motorcycle"),
        VruProfileAndSubprofile::Animal(_) => UserKind::Other("animal"),
        VruProfileAndSubprofile::Unknown(_) => UserKind::Other("unknown"),
    }
}

pub(super) fn position(reference: &ReferencePosition) -> Option<Position> {
    Position::new(reference.longitude_deg?, reference.latitude_deg?)
}

fn reading(value: Option<Reading>) -> Option<f64> {
    value.and_then(Reading::value).map(f64::from)
}

fn length_m(motion: &BasicVehicleContainerHighFrequency) -> Option<f64> {
    reading(motion.vehicle_length.value_m)
}

/// Along and across the x axis, m/s.
fn velocity(velocity: &Velocity3d) -> Option<[f64; 2]> {
    match velocity {
        Velocity3d::Polar(polar) => {
            let (sin, cos) = f64::from(polar.velocity_direction.value_deg?).to_radians().sin_cos();
            let speed = reading(polar.velocity_magnitude.value_mps)?;
            Some([speed * cos, speed * sin])
        }
        Velocity3d::Cartesian(v) => Some([reading(v.x_velocity.value_mps)?, reading(v.y_velocity.value_mps)?]),
    }
}

/// The 95 % ellipse of a position, metres and degrees clockwise from north.
fn ellipse(ellipse: &PosConfidenceEllipse) -> Option<Value> {
    let (major, minor) = (reading(ellipse.semi_major_m)?, reading(ellipse.semi_minor_m)?);
    let orientation = ellipse.semi_major_orientation_deg.map(|deg| rounded(deg, 1));
    Some(json!({ "semiMajor": rounded(major, 2), "semiMinor": rounded(minor, 2), "orientation": orientation }))
}
