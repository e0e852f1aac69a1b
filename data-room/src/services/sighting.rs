//! Where a message says that somebody was: from CAM, VAM and CPM into the site's plane.
//!
//! In: decoded messages. Out: [`Sighting`]s. The position is the centre of the footprint: a CAM speaks of the middle of a
//! vehicle's front (EN 302 637-2 B.19), a CPM of the object's centre (TS 103 324 7.1.8). What has no position is left out.

use super::class::RoadUserClass;
use super::shape::Place;
use masa_v2x_proto::Message;
use masa_v2x_proto::cam::{Cam, HighFrequencyContainer};
use masa_v2x_proto::cdd::{PerceivedObject, Reading, ReferencePosition, Velocity3d};
use masa_v2x_proto::cpm::Cpm;
use masa_v2x_proto::geo::{SiteFrame, Wgs84, heading_to_yaw_rad};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::vam::Vam;

/// Something that a station speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The station itself.
    Itself(u32),
    /// An object that it perceives, by the object's number.
    Perceived(u32, u16),
}

impl Subject {
    /// The station that says it.
    pub const fn station(self) -> u32 {
        match self {
            Self::Itself(station) | Self::Perceived(station, _) => station,
        }
    }
}

/// Somebody, somewhere, at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sighting {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub subject: Subject,
    /// What.
    pub class: RoadUserClass,
    /// Centre of the footprint.
    pub place: Place,
    /// Velocity towards east and north, metres a second.
    pub velocity_mps: Option<[f64; 2]>,
    /// Length, metres.
    pub length_m: f64,
}

/// Everybody of whom a message speaks. `measured_at` is the time of its reference: of CAM and VAM the whole time of
/// which they carry only the last 65 seconds.
pub fn sightings(message: &Message, measured_at: Timestamp, frame: &SiteFrame) -> Vec<Sighting> {
    match message {
        Message::Cam(cam) => of_cam(cam, measured_at, frame).into_iter().collect(),
        Message::Vam(vam) => of_vam(vam, measured_at, frame).into_iter().collect(),
        Message::Cpm(cpm) => of_cpm(cpm, frame),
        _ => Vec::new(),
    }
}

fn of_cam(cam: &Cam, at: Timestamp, frame: &SiteFrame) -> Option<Sighting> {
    let parameters = &cam.cam.cam_parameters;
    let HighFrequencyContainer::BasicVehicle(motion) = &parameters.high_frequency_container else { return None };
    let class = RoadUserClass::of_station(parameters.basic_container.station_type);
    let length_m = metres(motion.vehicle_length.value_m).unwrap_or(class.usual_length_m());
    let front = place(&parameters.basic_container.reference_position, frame)?;
    let direction = motion.heading.value_deg.map(|deg| heading_to_yaw_rad(f64::from(deg).to_radians()));
    // Without a heading the centre is unknown by half a length: no worse than the position of such a vehicle.
    let back = direction.map_or([0.0, 0.0], |yaw| [-yaw.cos() * length_m / 2.0, -yaw.sin() * length_m / 2.0]);
    Some(Sighting {
        at,
        subject: Subject::Itself(cam.header.station_id.0),
        class,
        place: [front[0] + back[0], front[1] + back[1]],
        velocity_mps: along(direction, metres(motion.speed.value_mps)),
        length_m,
    })
}

fn of_vam(vam: &Vam, at: Timestamp, frame: &SiteFrame) -> Option<Sighting> {
    let parameters = &vam.vam.vam_parameters;
    let motion = &parameters.vru_high_frequency_container;
    let class = match &parameters.vru_low_frequency_container {
        Some(low) => RoadUserClass::of_vru(&low.profile_and_subprofile),
        None => RoadUserClass::of_station(parameters.basic_container.station_type),
    };
    let direction = motion.heading.value_deg.map(|deg| heading_to_yaw_rad(f64::from(deg).to_radians()));
    Some(Sighting {
        at,
        subject: Subject::Itself(vam.header.station_id.0),
        class,
        place: place(&parameters.basic_container.reference_position, frame)?,
        velocity_mps: along(direction, metres(motion.speed.value_mps)),
        length_m: class.usual_length_m(),
    })
}

fn of_cpm(cpm: &Cpm, frame: &SiteFrame) -> Vec<Sighting> {
    let management = &cpm.payload.management_container;
    let containers = &cpm.payload.cpm_containers;
    let Some(reference) = place(&management.reference_position, frame) else { return Vec::new() };
    // A roadside unit's axes point east and north, a vehicle's forwards and left.
    let x_yaw_rad = match &containers.originating_vehicle {
        Some(vehicle) => match vehicle.orientation_angle.value_deg {
            Some(heading) => heading_to_yaw_rad(f64::from(heading).to_radians()),
            None => return Vec::new(),
        },
        None => 0.0,
    };
    let at = Timestamp::from_its_ms(management.reference_time.0);
    let station = cpm.header.station_id.0;
    let objects = containers.perceived_object.iter().flat_map(|container| container.perceived_objects.iter());
    objects.filter_map(|object| of_object(object, station, reference, x_yaw_rad, at)).collect()
}

fn of_object(
    object: &PerceivedObject,
    station: u32,
    reference: Place,
    x_yaw_rad: f64,
    at: Timestamp,
) -> Option<Sighting> {
    let turned = |[x, y]: [f64; 2]| {
        let (sin, cos) = x_yaw_rad.sin_cos();
        [x * cos - y * sin, x * sin + y * cos]
    };
    let offset = turned([metres(object.position.x.value_m.into())?, metres(object.position.y.value_m.into())?]);
    let classes = object.classification.iter().flat_map(|classes| classes.iter());
    let likeliest = classes.max_by_key(|class| class.confidence_percent);
    let class = likeliest.map_or(RoadUserClass::Other, |class| RoadUserClass::of_object(&class.object_class));
    let length = object.object_dimension_x.as_ref().and_then(|dimension| metres(dimension.value_m));
    Some(Sighting {
        at: at.plus_ms(i64::from(object.measurement_delta_time_ms)),
        subject: Subject::Perceived(station, object.object_id?),
        class,
        place: [reference[0] + offset[0], reference[1] + offset[1]],
        velocity_mps: object.velocity.as_ref().and_then(velocity).map(turned),
        length_m: length.unwrap_or(class.usual_length_m()),
    })
}

/// Along the message's axes.
fn velocity(velocity: &Velocity3d) -> Option<[f64; 2]> {
    match velocity {
        Velocity3d::Polar(polar) => {
            let direction = polar.velocity_direction.value_deg.map(|deg| f64::from(deg).to_radians());
            along(direction, metres(polar.velocity_magnitude.value_mps))
        }
        Velocity3d::Cartesian(v) => Some([metres(v.x_velocity.value_mps)?, metres(v.y_velocity.value_mps)?]),
    }
}

/// A velocity by its direction and size; one without direction is known when it is nothing.
fn along(yaw_rad: Option<f64>, speed_mps: Option<f64>) -> Option<[f64; 2]> {
    match (yaw_rad, speed_mps?) {
        (Some(yaw), speed) => Some([yaw.cos() * speed, yaw.sin() * speed]),
        (None, speed) => (speed < 0.5).then_some([0.0, 0.0]),
    }
}

fn place(reference: &ReferencePosition, frame: &SiteFrame) -> Option<Place> {
    let alt_m = frame.origin().alt_m;
    let enu = frame.to_enu(Wgs84 { lat_deg: reference.latitude_deg?, lon_deg: reference.longitude_deg?, alt_m });
    Some([enu.e_m, enu.n_m])
}

fn metres(value: Option<Reading>) -> Option<f64> {
    value.and_then(Reading::value).map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::List;
    use masa_v2x_proto::cam::{BasicContainer, BasicVehicleContainerHighFrequency, CamParameters};
    use masa_v2x_proto::cdd::{
        CartesianCoordinateWithConfidence, CartesianPosition3dWithConfidence, Heading, Speed, StationId, StationType,
        VehicleLength, VelocityCartesian, VelocityComponent, Wgs84Angle,
    };
    use masa_v2x_proto::cpm::{
        CpmContainers, CpmPayload, ManagementContainer, OriginatingVehicleContainer, PerceivedObjectContainer,
    };
    use masa_v2x_proto::geo::Enu;

    const AT: Timestamp = Timestamp::from_unix_ms(1_795_356_000_000);

    fn frame() -> SiteFrame {
        SiteFrame::new(Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 30.0 })
    }

    fn reference(place: Place) -> ReferencePosition {
        let earth = frame().to_wgs84(Enu::ground(place[0], place[1]));
        let (latitude_deg, longitude_deg) = (Some(earth.lat_deg), Some(earth.lon_deg));
        ReferencePosition { latitude_deg, longitude_deg, ..ReferencePosition::default() }
    }

    fn is_near(a: Place, b: Place) -> bool {
        (a[0] - b[0]).hypot(a[1] - b[1]) < 0.02
    }

    #[test]
    fn a_cam_speaks_of_the_middle_of_the_front() {
        for (heading_deg, centre) in [(Some(90.0), [8.0, 0.0]), (Some(180.0), [10.0, 2.0]), (None, [10.0, 0.0])] {
            let motion = BasicVehicleContainerHighFrequency {
                heading: Heading { value_deg: heading_deg, confidence_deg: None },
                speed: Speed { value_mps: Reading::of(10.0), confidence_mps: None },
                vehicle_length: VehicleLength { value_m: Reading::of(4.0), ..VehicleLength::default() },
                ..BasicVehicleContainerHighFrequency::default()
            };
            let basic_container = BasicContainer {
                station_type: StationType::PassengerCar,
                reference_position: reference([10.0, 0.0]),
                ..BasicContainer::default()
            };
            let high_frequency_container = HighFrequencyContainer::BasicVehicle(motion);
            let parameters = CamParameters { basic_container, high_frequency_container, ..CamParameters::default() };
            let message = Message::Cam(Cam::new(StationId(5), AT, parameters).into());
            let seen = sightings(&message, AT, &frame());
            assert_eq!((seen.len(), seen[0].at, seen[0].subject), (1, AT, Subject::Itself(5)));
            assert_eq!((seen[0].class, seen[0].length_m), (RoadUserClass::Car, 4.0));
            assert!(is_near(seen[0].place, centre), "{heading_deg:?}: {:?}", seen[0].place);
            assert_eq!(seen[0].velocity_mps.is_some(), heading_deg.is_some());
        }
    }

    #[test]
    fn a_cpm_speaks_along_the_axes_of_its_station() {
        let component = |mps: f32| VelocityComponent { value_mps: Reading::of(mps), ..VelocityComponent::default() };
        let coordinate =
            |m: f32| CartesianCoordinateWithConfidence { value_m: Reading::Value(m), ..Default::default() };
        let object = PerceivedObject {
            object_id: Some(3),
            measurement_delta_time_ms: -250,
            position: CartesianPosition3dWithConfidence { x: coordinate(20.0), y: coordinate(5.0), z: None },
            velocity: Some(Velocity3d::Cartesian(VelocityCartesian {
                x_velocity: component(8.0),
                y_velocity: component(0.0),
                z_velocity: None,
            })),
            ..PerceivedObject::default()
        };
        let nameless = PerceivedObject { object_id: None, ..object.clone() };
        // A roadside unit; a vehicle that heads south; one that does not know where it heads.
        for (heading_deg, expected) in [
            (None, Some(([120.0, 5.0], [8.0, 0.0]))),
            (Some(Some(180.0)), Some(([105.0, -20.0], [0.0, -8.0]))),
            (Some(None), None),
        ] {
            let objects = List::try_from_iter([object.clone(), nameless.clone()]).unwrap();
            let perceived = PerceivedObjectContainer {
                number_of_perceived_objects: 2,
                perceived_objects: objects,
                ..PerceivedObjectContainer::default()
            };
            let vehicle = heading_deg.map(|value_deg| OriginatingVehicleContainer {
                orientation_angle: Wgs84Angle { value_deg, ..Wgs84Angle::default() },
                ..OriginatingVehicleContainer::default()
            });
            let management_container = ManagementContainer {
                reference_time: AT.into(),
                reference_position: reference([100.0, 0.0]),
                ..ManagementContainer::default()
            };
            let cpm_containers = CpmContainers {
                originating_vehicle: vehicle,
                perceived_object: Some(perceived),
                ..CpmContainers::default()
            };
            let payload = CpmPayload { management_container, cpm_containers, ..CpmPayload::default() };
            let seen = sightings(&Message::Cpm(Cpm::new(StationId(9), payload).into()), AT, &frame());
            let Some((place, velocity)) = expected else {
                assert!(seen.is_empty());
                continue;
            };
            assert_eq!(seen.len(), 1, "an object without a number is nobody twice");
            assert_eq!((seen[0].at, seen[0].subject), (AT.plus_ms(-250), Subject::Perceived(9, 3)));
            assert!(is_near(seen[0].place, place), "{heading_deg:?}: {:?}", seen[0].place);
            assert!(is_near(seen[0].velocity_mps.unwrap(), velocity), "{:?}", seen[0].velocity_mps);
        }
    }
}
