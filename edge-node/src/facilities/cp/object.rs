//! A road user as a CPM carries it: `PerceivedObject` of TS 102 894-2.

use crate::event::SourceId;
use crate::facilities::{Sensor, accuracy};
use crate::world::RoadUser;
use masa_inference::ObjectClass as Class;
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::{
    CartesianAngle, CartesianCoordinateWithConfidence, CartesianPosition3dWithConfidence, EulerAngles, ObjectClass,
    ObjectClassWithConfidence, ObjectDimension, OtherSubClass, PerceivedObject, Reading, Speed, StationType,
    Velocity3d, VelocityPolarWithZ, VruProfileAndSubprofile, VruSubProfileAnimal, VruSubProfileBicyclist,
    VruSubProfileMotorcyclist, VruSubProfilePedestrian,
};
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use std::f64::consts::TAU;

/// Largest offset from the reference position that an object can have, metres.
const MAX_OFFSET_M: f64 = 1_310.7;

/// Why an object cannot be in a CPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Further than the position can express.
    TooFar,
    /// Measured longer ago, or later, than `measurementDeltaTime` can express.
    TooOld,
}

impl Unfit {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::TooFar => "cpm-object-too-far",
            Self::TooOld => "cpm-object-too-old",
        }
    }
}

/// Whether an object can be in a CPM with this reference.
pub(super) fn fitness(user: &RoadUser, reference: Enu, at: Timestamp) -> Result<i16, Unfit> {
    let offset_m = (user.position.e_m - reference.e_m).abs().max((user.position.n_m - reference.n_m).abs());
    if offset_m > MAX_OFFSET_M {
        return Err(Unfit::TooFar);
    }
    let delta_ms = user.state_at.unix_ms() - at.unix_ms();
    // Both ends mean "or beyond".
    i16::try_from(delta_ms).ok().filter(|delta| (-2_047..=2_046).contains(delta)).ok_or(Unfit::TooOld)
}

/// The object relative to a reference position and time, for which it must be fit.
pub(super) fn perceived(
    user: &RoadUser,
    reference: Enu,
    at: Timestamp,
    delta_ms: i16,
    sensors: &[Sensor],
) -> PerceivedObject {
    let coordinate = |value_m: f64, variance_m2: f64| CartesianCoordinateWithConfidence {
        value_m: Reading::Value(value_m as f32),
        confidence_m: accuracy::of_variance(variance_m2),
    };
    // Typical of the class, not measured: no accuracy can be stated. The element begins at 0.1 m.
    let dimension = |metres: f64| {
        let value_m = Reading::of(metres.max(0.1) as f32);
        (metres > 0.0).then_some(ObjectDimension { value_m, confidence_m: None })
    };
    let (speed_accuracy, direction_accuracy) =
        accuracy::velocity(user.velocity_e_mps, user.velocity_n_mps, &user.velocity_covariance);
    // A velocity that is not zero by chance has a direction, also of a person too slow for one that is held at stops:
    // whoever hears of speed without direction must take it for standing still.
    let travels_rad = direction_accuracy.map(|_| user.velocity_n_mps.atan2(user.velocity_e_mps));
    let angle =
        |rad: Option<f64>| CartesianAngle { value_deg: rad.map(degrees), confidence_deg: rad.and(direction_accuracy) };
    let direction = angle(travels_rad.or(user.yaw_rad));
    PerceivedObject {
        object_id: Some(user.id),
        measurement_delta_time_ms: delta_ms,
        position: CartesianPosition3dWithConfidence {
            x: coordinate(user.position.e_m - reference.e_m, user.covariance.ee_m2),
            y: coordinate(user.position.n_m - reference.n_m, user.covariance.nn_m2),
            z: None,
        },
        velocity: Some(Velocity3d::Polar(VelocityPolarWithZ {
            velocity_magnitude: Speed {
                value_mps: Reading::of(user.speed_mps() as f32),
                confidence_mps: speed_accuracy,
            },
            velocity_direction: direction,
            z_velocity: None,
        })),
        // Vehicles point where they drive; a person may face anywhere.
        angles: (user.class.is_vehicle() && user.yaw_rad.is_some())
            .then(|| EulerAngles { z_angle: angle(user.yaw_rad), ..EulerAngles::default() }),
        object_dimension_z: dimension(user.height_m),
        object_dimension_y: dimension(user.width_m),
        object_dimension_x: dimension(user.length_m),
        object_age_ms: Some((at.unix_ms() - user.first_seen.unix_ms()).clamp(0, 1_500) as i16),
        object_perception_quality: Some(user.quality.rating(user.age_s())),
        sensor_id_list: List::try_from_iter(user.sights.iter().map(|sight| sensor_id(sensors, sight.camera))),
        // Of what only a radar sees there may be none.
        classification: (user.class_confidence > 0.0)
            .then(|| ObjectClassWithConfidence {
                object_class: object_class(user.class),
                confidence_percent: Some((user.class_confidence * 100.0).round().clamp(1.0, 100.0) as u8),
            })
            .and_then(|class| List::try_from_iter([class])),
        ..PerceivedObject::default()
    }
}

/// The id of a sensor in this node's CPMs: its place among the station's, from 1.
pub(super) fn sensor_id(sensors: &[Sensor], source: SourceId) -> u8 {
    let place = sensors.iter().position(|known| known.source == source).unwrap_or(0);
    u8::try_from(place + 1).unwrap_or(u8::MAX)
}

/// Yaw in 0..360 degrees counter-clockwise from east, which is the x axis of a roadside unit's CPM.
fn degrees(yaw_rad: f64) -> f32 {
    yaw_rad.rem_euclid(TAU).to_degrees() as f32
}

fn object_class(class: Class) -> ObjectClass {
    use VruProfileAndSubprofile as Vru;
    match class {
        Class::Person => ObjectClass::Vru(Vru::Pedestrian(VruSubProfilePedestrian::Unavailable)),
        Class::Bicycle => ObjectClass::Vru(Vru::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::Bicyclist)),
        Class::EScooter => ObjectClass::Vru(Vru::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::EScooter)),
        Class::Motorcycle => ObjectClass::Vru(Vru::Motorcyclist(VruSubProfileMotorcyclist::Motorcycle)),
        Class::Animal => ObjectClass::Vru(Vru::Animal(VruSubProfileAnimal::Unavailable)),
        Class::Car => ObjectClass::Vehicle(StationType::PassengerCar),
        Class::Van => ObjectClass::Vehicle(StationType::LightTruck),
        Class::Truck => ObjectClass::Vehicle(StationType::HeavyTruck),
        Class::Bus => ObjectClass::Vehicle(StationType::Bus),
        Class::Tram => ObjectClass::Vehicle(StationType::Tram),
        Class::Obstacle => ObjectClass::Other(OtherSubClass::SingleObject),
    }
}
