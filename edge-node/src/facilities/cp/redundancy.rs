//! Redundancy mitigation (TS 103 324 clause 6.1.2.3 and its informative annex on redundancy mitigation; TR 103 562 4.3):
//! what others tell of an object already is left out.
//!
//! In: an object, and what the local dynamic map knows around it. Out: the first of the chosen techniques by which it is
//! redundant. Received objects are matched by place, moved on by their velocity to the present.

use crate::facilities::Scene;
use crate::world::RoadUser;
use crate::world::ldm::{Neighbour, ReceivedObject};
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Which techniques are used, and their limits. The defaults of the limits are those of TR 103 562.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedundancySettings {
    /// The techniques, in the order in which they are tried.
    pub techniques: Vec<Technique>,
    /// `W_Redundancy`: what was told longer ago does not count, milliseconds.
    #[serde(default = "default_window_ms")]
    pub window_ms: u32,
    /// `N_Redundancy`: frequency-based: so many other stations tell of it.
    #[serde(default = "default_stations")]
    pub stations: u8,
    /// `P_Redundancy`: dynamics-based: it is no further from where the other tells it to be, metres.
    #[serde(default = "default_position_m")]
    pub position_m: f64,
    /// `S_Redundancy`: dynamics-based: its speed differs by no more, m/s.
    #[serde(default = "default_speed_mps")]
    pub speed_mps: f64,
    /// An object of another station is the same within this distance, metres.
    #[serde(default = "default_match_m")]
    pub match_m: f64,
}

fn default_window_ms() -> u32 {
    1_000
}

fn default_stations() -> u8 {
    1
}

fn default_position_m() -> f64 {
    4.0
}

fn default_speed_mps() -> f64 {
    0.5
}

fn default_match_m() -> f64 {
    2.0
}

/// A redundancy mitigation technique.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Technique {
    /// Enough other stations tell of the object.
    Frequency,
    /// Another station tells of it as it is.
    Dynamics,
    /// Another station perceives it at least as well.
    Confidence,
    /// It tells of itself, by CAM or VAM.
    SelfAnnouncement,
}

impl Technique {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Frequency => "cpm-object-redundant-frequency",
            Self::Dynamics => "cpm-object-redundant-dynamics",
            Self::Confidence => "cpm-object-redundant-confidence",
            Self::SelfAnnouncement => "cpm-object-redundant-self-announcement",
        }
    }
}

/// The technique by which `user` is left out.
pub(super) fn redundant(user: &RoadUser, scene: &Scene<'_>, settings: &RedundancySettings) -> Option<Technique> {
    let fresh = |at: Timestamp| scene.now < at.plus_ms(i64::from(settings.window_ms));
    let same = |place: Enu, velocity: [f64; 2], at: Timestamp| {
        let age_s = user.state_at.seconds_since(at);
        let now = Enu::ground(place.e_m + velocity[0] * age_s, place.n_m + velocity[1] * age_s);
        now.ground_distance_m(&user.position) <= settings.match_m
    };
    let velocity = |o: &ReceivedObject| [o.velocity_e_mps.unwrap_or(0.0), o.velocity_n_mps.unwrap_or(0.0)];
    let told = || scene.ldm.objects().filter(|o| fresh(o.measured_at) && same(o.position, velocity(o), o.measured_at));
    let is_redundant = |technique: &Technique| match technique {
        // Objects come by station: one of each at most is near.
        Technique::Frequency => {
            let mut stations: Vec<_> = told().map(|object| object.station).collect();
            stations.dedup();
            stations.len() >= usize::from(settings.stations.max(1))
        }
        Technique::Dynamics => told().any(|object| {
            let [e_mps, n_mps] = velocity(object);
            object.position.ground_distance_m(&user.position) <= settings.position_m
                && (e_mps.hypot(n_mps) - user.speed_mps()).abs() <= settings.speed_mps
        }),
        Technique::Confidence => {
            let own = user.quality.rating(user.age_s());
            told().any(|object| object.quality.is_some_and(|theirs| theirs >= own))
        }
        Technique::SelfAnnouncement => scene.ldm.stations().any(|station| {
            let place = station.ground.filter(|_| fresh(station.generated_at));
            place.is_some_and(|place| same(place, station_velocity(station), station.generated_at))
        }),
    };
    settings.techniques.iter().find(|technique| is_redundant(technique)).copied()
}

fn station_velocity(station: &Neighbour) -> [f64; 2] {
    let (Some(heading_deg), Some(speed_mps)) = (station.heading_deg, station.speed_mps) else { return [0.0, 0.0] };
    let (sin, cos) = heading_deg.to_radians().sin_cos();
    [speed_mps * sin, speed_mps * cos]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ReceivedMessage;
    use crate::facilities::cp::{CpService, CpSettings};
    use crate::facilities::fixture::Street;
    use crate::facilities::{Content, Draft};
    use crate::world::fixture::{at, track};
    use masa_inference::ObjectClass::Car;
    use masa_v2x_proto::cam::{BasicContainer, Cam, CamParameters, HighFrequencyContainer};
    use masa_v2x_proto::cdd::{
        CartesianCoordinateWithConfidence, CartesianPosition3dWithConfidence, PerceivedObject, Reading,
        ReferencePosition, StationId,
    };
    use masa_v2x_proto::cpm::{Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer};
    use masa_v2x_proto::security::Verdict;
    use masa_v2x_proto::{List, Message};

    fn hear(street: &mut Street, message: Message, ms: i64) {
        let received = ReceivedMessage {
            link: "geonet".into(),
            origin: String::new(),
            uper: message.to_uper().unwrap(),
            verdict: Verdict::Unsigned,
            received_at: at(ms),
        };
        assert!(street.ldm.take(&received, at(ms)).is_some());
    }

    fn here(street: &Street, e_m: f64) -> ReferencePosition {
        let p = street.station.frame.to_wgs84(Enu::ground(e_m, 0.0));
        ReferencePosition { latitude_deg: Some(p.lat_deg), longitude_deg: Some(p.lon_deg), ..Default::default() }
    }

    /// Another roadside unit tells of an object `e_m` east, of this quality.
    fn cpm(street: &Street, station: u32, e_m: f32, quality: u8, ms: i64) -> Message {
        let object = PerceivedObject {
            object_id: Some(4),
            position: CartesianPosition3dWithConfidence {
                x: CartesianCoordinateWithConfidence { value_m: Reading::Value(e_m), confidence_m: None },
                ..CartesianPosition3dWithConfidence::default()
            },
            object_perception_quality: Some(quality),
            ..PerceivedObject::default()
        };
        let containers = CpmContainers {
            perceived_object: Some(PerceivedObjectContainer {
                number_of_perceived_objects: 1,
                perceived_objects: List::try_from_iter([object]).unwrap(),
            }),
            ..CpmContainers::default()
        };
        let management_container = ManagementContainer {
            reference_time: at(ms).into(),
            reference_position: here(street, 0.0),
            ..ManagementContainer::default()
        };
        Cpm::new(StationId(station), CpmPayload { management_container, cpm_containers: containers }).into()
    }

    fn cam(street: &Street, e_m: f64, ms: i64) -> Message {
        let parameters = CamParameters {
            basic_container: BasicContainer { reference_position: here(street, e_m), ..Default::default() },
            high_frequency_container: HighFrequencyContainer::BasicVehicle(Default::default()),
            low_frequency_container: None,
            special_vehicle_container: None,
            extension_containers: None,
        };
        Cam::new(StationId(9), at(ms), parameters).into()
    }

    fn objects(drafts: &[Draft]) -> usize {
        let of = |draft: &Draft| match &draft.content {
            Content::Cpm(cpm) => cpm.objects.len(),
            other => panic!("{other:?}"),
        };
        drafts.iter().map(of).sum()
    }

    #[test]
    fn each_technique_leaves_out_what_it_says() {
        use Technique::{Confidence, Dynamics, Frequency, SelfAnnouncement};
        type Others = fn(&mut Street);
        let near: Others = |street| {
            let cpm = cpm(street, 5, 31.0, 15, 0);
            hear(street, cpm, 0);
        };
        let vague: Others = |street| {
            let cpm = cpm(street, 5, 31.0, 1, 0);
            hear(street, cpm, 0);
        };
        let elsewhere: Others = |street| {
            let cpm = cpm(street, 5, 40.0, 15, 0);
            hear(street, cpm, 0);
        };
        let old: Others = |street| {
            let cpm = cpm(street, 5, 31.0, 15, -900);
            hear(street, cpm, 0);
        };
        let itself: Others = |street| {
            let cam = cam(street, 30.5, 0);
            hear(street, cam, 0);
        };
        let quiet: Others = |_| {};
        for (name, technique, others, left_out) in [
            ("nobody tells of it", Frequency, quiet, false),
            ("another station does", Frequency, near, true),
            ("of another object", Frequency, elsewhere, false),
            ("too long ago", Frequency, old, false),
            ("as it is", Dynamics, near, true),
            ("better", Confidence, near, true),
            ("worse", Confidence, vague, false),
            ("it does itself", SelfAnnouncement, itself, true),
            ("only another station does", SelfAnnouncement, near, false),
        ] {
            let redundancy = RedundancySettings {
                techniques: vec![technique],
                window_ms: 1_000,
                stations: 1,
                position_m: 4.0,
                speed_mps: 0.5,
                match_m: 2.0,
            };
            let settings = CpSettings { redundancy: Some(redundancy), ..CpSettings::default() };
            let (mut street, mut service) = (Street::new(), CpService::new(settings));
            others(&mut street);
            let drafts = street.frame(&mut service, 200, &[track(1, Car, [30.0, 0.0], 200)]);
            assert_eq!(objects(&drafts) == 0, left_out, "{technique:?}: {name}");
            assert_eq!(service.drops().get(technique.reason()), u64::from(left_out), "{technique:?}: {name}");
        }
    }
}
