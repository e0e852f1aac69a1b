//! Collective perception (TS 103 324): what the node's cameras see.
//!
//! In: the world. Out: the content of CPMs. Generation is asked for after every event, so an object leaves with the frame
//! that confirms it, not at the next tick; two generations are at least `T_GenCpmMin` apart, and a wake-up comes when an
//! object or the sensors are due. Objects that others tell of are left out where the settings say so. Absent: look-ahead
//! and the value of information (both optional), and congestion control.

mod assembly;
mod inclusion;
mod object;
mod redundancy;
mod region;

pub(crate) use assembly::{Segment, segments};
pub use redundancy::{RedundancySettings, Technique};
pub use region::{MAX_FOOTPRINT_CORNERS, MAX_FOOTPRINT_OFFSET_M};

use super::{Content, Draft, Facility, Scene, Station};
use crate::effect::Provenance;
use crate::world::{Drops, RoadUser};
use inclusion::{Included, ObjectType, Rule, due};
use masa_v2x_proto::cdd::PerceivedObject;
use masa_v2x_proto::cpm::{PerceptionRegion, SensorInformation};
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;

/// When CPMs go out and what they speak of; the names and defaults are those of TS 103 324 table F.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CpSettings {
    /// Shortest interval between two generations, milliseconds; a roadside unit may go down to 50.
    pub t_gen_cpm_min_ms: u32,
    /// An object that is seen is included at least this often, milliseconds; a vulnerable one twice as often.
    pub t_gen_cpm_max_ms: u32,
    /// Interval of the sensor information, milliseconds.
    pub t_add_sensor_information_ms: u32,
    /// An object that moved further than this is included, metres.
    pub min_position_change_m: f64,
    /// An object whose speed changed by more is included, m/s.
    pub min_ground_speed_change_mps: f64,
    /// An object that turned by as much is included, degrees.
    pub min_ground_velocity_orientation_change_deg: f64,
    /// Objects rated lower are left out (`objectPerceptionQuality`, 0 to 15).
    pub object_perception_quality_threshold: u8,
    /// Largest encoded message, bytes (TR 103 562 5.5: 1,100). More objects go into further messages.
    pub mtu_bytes: u32,
    /// What others tell already is left out by these techniques; absent: nothing is.
    pub redundancy: Option<RedundancySettings>,
}

impl Default for CpSettings {
    fn default() -> Self {
        Self {
            t_gen_cpm_min_ms: 100,
            t_gen_cpm_max_ms: 1_000,
            t_add_sensor_information_ms: 1_000,
            min_position_change_m: 4.0,
            min_ground_speed_change_mps: 0.5,
            min_ground_velocity_orientation_change_deg: 4.0,
            object_perception_quality_threshold: 3,
            mtu_bytes: 1_100,
            redundancy: None,
        }
    }
}

/// What one generation says, before it is cut into messages.
#[derive(Clone, Debug)]
pub(crate) struct CpmContent {
    pub(crate) reference_time: Timestamp,
    /// Empty unless the sensor information is due.
    pub(crate) sensors: Vec<SensorInformation>,
    /// Empty unless the sensor information is due.
    pub(crate) regions: Vec<PerceptionRegion>,
    /// Direction in which a vehicle points, degrees clockwise from north; `None` of a roadside unit.
    pub(crate) heading_deg: Option<f32>,
    /// How many objects the node perceives, included or not.
    pub(crate) number_of_perceived_objects: u8,
    /// Objects included, in the order of the draft's [`Provenance::objects`].
    pub(crate) objects: Vec<PerceivedObject>,
    pub(crate) mtu_bytes: u32,
}

/// The collective perception service of a roadside unit.
#[derive(Clone, Debug)]
pub(crate) struct CpService {
    settings: CpSettings,
    included: BTreeMap<u16, Included>,
    last_generation: Option<Timestamp>,
    last_sensor_information: Option<Timestamp>,
    wake_at: Option<Timestamp>,
    drops: Drops,
}

impl CpService {
    pub(crate) fn new(settings: CpSettings) -> Self {
        Self {
            settings,
            included: BTreeMap::new(),
            last_generation: None,
            last_sensor_information: None,
            wake_at: None,
            drops: Drops::default(),
        }
    }

    pub(crate) fn drops(&self) -> &Drops {
        &self.drops
    }

    /// Whether an object may be in a CPM: well enough perceived, and within what the message can express.
    fn eligible(&self, user: &RoadUser, scene: &Scene<'_>) -> Result<i16, &'static str> {
        if !user.is_perceived() {
            return Err("cpm-object-only-told-of");
        }
        if user.quality.rating(user.age_s()) < self.settings.object_perception_quality_threshold {
            return Err("cpm-object-perceived-badly");
        }
        object::fitness(user, scene.station.reference, scene.now).map_err(object::Unfit::reason)
    }

    /// The objects due by TS 103 324 6.1.2.3, vulnerable ones first, then the longest known.
    fn select<'a>(&mut self, scene: &Scene<'a>) -> Vec<Selected<'a>> {
        let mut selected = Vec::new();
        let mut all_of_type_a = false;
        for user in scene.world.users() {
            match self.eligible(user, scene) {
                Ok(delta_ms) => {
                    let rule = due(user, self.included.get(&user.id), scene.now, &self.settings);
                    let redundancy = rule.and(self.settings.redundancy.as_ref());
                    if let Some(technique) =
                        redundancy.and_then(|settings| redundancy::redundant(user, scene, settings))
                    {
                        self.drops.count(technique.reason());
                        // As if it had been included: it is looked at again when it is due again.
                        self.included.insert(user.id, Included::now(user, scene.now));
                        continue;
                    }
                    let object_type = ObjectType::of(user.class);
                    let is_interval = matches!(rule, Some(Rule::IntervalElapsed | Rule::IntervalEnds));
                    all_of_type_a |= object_type == ObjectType::A && is_interval;
                    selected.push((object_type, user, delta_ms, rule));
                }
                Err(reason) => self.drops.count(reason),
            }
        }
        selected.sort_by_key(|(object_type, ..)| *object_type);
        let included = selected.into_iter().filter_map(|(object_type, user, delta_ms, rule)| {
            // One vulnerable object whose interval has elapsed takes all the others along.
            let along = (all_of_type_a && object_type == ObjectType::A).then_some(Rule::WithOthersOfTypeA);
            Some(Selected { user, delta_ms, rule: rule.or(along)? })
        });
        included.collect()
    }

    fn sensors_due_at(&self, scene: &Scene<'_>) -> Option<Timestamp> {
        let interval_ms = i64::from(self.settings.t_add_sensor_information_ms);
        let due_at = self.last_sensor_information.map_or(scene.now, |last| last.plus_ms(interval_ms));
        (!scene.station.sensors.is_empty()).then_some(due_at)
    }

    /// When an interval next elapses, of an object or of the sensor information.
    fn next_due(&self, scene: &Scene<'_>) -> Option<Timestamp> {
        let eligible = scene.world.users().iter().filter(|user| self.eligible(user, scene).is_ok());
        let objects = eligible.filter_map(|user| {
            let interval_ms = ObjectType::of(user.class).max_interval_ms(&self.settings);
            Some(self.included.get(&user.id)?.at.plus_ms(interval_ms))
        });
        objects.chain(self.sensors_due_at(scene)).min()
    }

    fn generate(&mut self, scene: &Scene<'_>, selected: &[Selected<'_>], with_sensors: bool) -> Draft {
        self.last_generation = Some(scene.now);
        let mut rule = String::from("CPM, TS 103 324");
        if with_sensors {
            self.last_sensor_information = Some(scene.now);
            rule.push_str(" 6.1.2.2: sensor information due;");
        }
        rule.push_str(if selected.is_empty() { "" } else { " 6.1.2.3:" });
        for Selected { user, rule: why, .. } in selected {
            self.included.insert(user.id, Included::now(user, scene.now));
            // Writing to a String cannot fail.
            let _ = write!(rule, " object {} {},", user.id, why.words());
        }
        rule.pop();
        let Station { sensors, reference, .. } = scene.station;
        let perceived = |s: &Selected<'_>| object::perceived(s.user, *reference, scene.now, s.delta_ms, sensors);
        Draft {
            captured_at: selected.iter().filter_map(|s| s.user.captured_at()).max(),
            position: scene.station.position,
            deadline: None,
            dissemination: Dissemination::default(),
            content: Content::Cpm(Box::new(CpmContent {
                reference_time: scene.now,
                sensors: if with_sensors { region::sensors(scene) } else { Vec::new() },
                regions: if with_sensors { region::regions(scene) } else { Vec::new() },
                heading_deg: scene.ego.and_then(|ego| ego.heading_deg).map(|deg| deg.rem_euclid(360.0) as f32),
                number_of_perceived_objects: u8::try_from(scene.world.perceived().count()).unwrap_or(u8::MAX),
                objects: selected.iter().map(perceived).collect(),
                mtu_bytes: self.settings.mtu_bytes,
            })),
            provenance: Provenance { rule, objects: selected.iter().map(|s| s.user.cause()).collect() },
        }
    }
}

/// An object that is included, and why.
struct Selected<'a> {
    user: &'a RoadUser,
    delta_ms: i16,
    rule: Rule,
}

impl Facility for CpService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        self.included.retain(|id, _| scene.world.user(*id).is_some());
        let selected = self.select(scene);
        let with_sensors = self.sensors_due_at(scene).is_some_and(|due_at| due_at <= scene.now);
        let due_now = with_sensors || !selected.is_empty();
        let min_ms = i64::from(self.settings.t_gen_cpm_min_ms);
        let earliest = self.last_generation.map_or(scene.now, |last| last.plus_ms(min_ms));
        if due_now && scene.now < earliest {
            self.wake_at = Some(earliest);
            return;
        }
        if due_now {
            drafts.push(self.generate(scene, &selected, with_sensors));
        }
        self.wake_at = self.next_due(scene);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facilities::fixture::Street;
    use crate::perception::{GroundTrack, TrackState};
    use crate::world::fixture::{CAMERA, at, track};
    use masa_inference::ObjectClass::{Car, Person};

    /// Times, sensors and object ids of the generations in `drafts`.
    fn content(drafts: &[Draft]) -> Vec<(usize, Vec<u16>)> {
        let of = |draft: &Draft| match &draft.content {
            Content::Cpm(cpm) => {
                assert_eq!(cpm.objects.len(), draft.provenance.objects.len());
                (cpm.sensors.len(), cpm.objects.iter().filter_map(|object| object.object_id).collect())
            }
            other => panic!("{other:?}"),
        };
        drafts.iter().map(of).collect()
    }

    #[test]
    fn a_new_object_leaves_with_its_first_frame_and_the_sensors_once_a_second() {
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        assert_eq!(content(&street.wake(&mut service, 0)), [(1, vec![])], "the first CPM has the sensors");
        assert_eq!(service.wake_at(), Some(at(1_000)));
        assert!(street.frame(&mut service, 100, &[]).is_empty());
        let car = |ms| track(1, Car, [5.0, 0.0], ms);
        assert_eq!(content(&street.frame(&mut service, 200, &[car(200)])), [(0, vec![1])]);
        // Nothing has changed: due again by T_GenCpmMax, and the sensors before that.
        assert!(street.frame(&mut service, 900, &[car(900)]).is_empty());
        assert_eq!(service.wake_at(), Some(at(1_000)));
        assert_eq!(content(&street.wake(&mut service, 1_000)), [(1, vec![])]);
        assert_eq!(content(&street.wake(&mut service, 1_200)), [(0, vec![1])]);
    }

    #[test]
    fn a_footprint_becomes_the_sensors_region_and_a_perception_region() {
        // TS 103 324 7.1.6 and 7.1.7: relative to the reference position, with the number of objects inside.
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        street.station.reference.e_m = 5.0;
        street.station.footprints.insert(CAMERA, vec![[0.0, -4.0], [50.0, -4.0], [50.0, 4.0], [0.0, 4.0]]);
        let cars = [track(1, Car, [20.0, 0.0], 0), track(2, Car, [60.0, 0.0], 0)];
        let drafts = street.frame(&mut service, 0, &cars);
        let Content::Cpm(content) = &drafts[0].content else { panic!("{drafts:?}") };
        let (segments, _) = segments(content, &street.station, |cpm| cpm.to_uper()).unwrap();
        let containers = &segments[0].cpm.payload.cpm_containers;
        let regions = containers.perception_region.as_ref().unwrap();
        assert_eq!((regions.len(), regions[0].number_of_perceived_objects), (1, Some(1)));
        let masa_v2x_proto::cdd::Shape::Polygonal(shape) = &regions[0].perception_region_shape else { panic!() };
        let first = shape.polygon[0];
        assert_eq!((first.x_m.value(), first.y_m.value()), (Some(-5.0), Some(-4.0)));
        let sensors = containers.sensor_information.as_ref().unwrap();
        assert_eq!(sensors[0].perception_region_shape.as_ref(), Some(&regions[0].perception_region_shape));
        assert!(segments[0].cpm.check_limits().is_ok());
    }

    #[test]
    fn generations_are_t_gen_cpm_min_apart_and_nothing_is_forgotten() {
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        street.frame(&mut service, 0, &[track(1, Car, [0.0, 0.0], 0)]);
        let both = [track(1, Car, [0.0, 0.0], 40), track(2, Car, [30.0, 0.0], 40)];
        assert!(street.frame(&mut service, 40, &both).is_empty());
        assert_eq!(service.wake_at(), Some(at(100)), "the new car waits for T_GenCpmMin only");
        assert_eq!(content(&street.wake(&mut service, 100)), [(0, vec![2])]);
    }

    #[test]
    fn one_due_pedestrian_takes_the_others_along() {
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        let at_ms =
            |ms, ids: &[u32]| ids.iter().map(|id| track(*id, Person, [f64::from(*id), 0.0], ms)).collect::<Vec<_>>();
        assert_eq!(content(&street.frame(&mut service, 0, &at_ms(0, &[1]))), [(1, vec![1])]);
        assert_eq!(content(&street.frame(&mut service, 300, &at_ms(300, &[1, 2]))), [(0, vec![2])]);
        let drafts = street.frame(&mut service, 500, &at_ms(500, &[1, 2]));
        assert_eq!(content(&drafts), [(0, vec![1, 2])]);
        assert_eq!(
            drafts[0].provenance.rule,
            "CPM, TS 103 324 6.1.2.3: object 1 interval elapsed, object 2 with another vulnerable object"
        );
    }

    #[test]
    fn what_cannot_be_said_is_counted_and_left_out() {
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        let far = track(1, Car, [1_400.0, 0.0], 0);
        let stale = GroundTrack { state_at: at(-2_500), ..track(2, Car, [0.0, 0.0], 0) };
        let vague = GroundTrack { score: 0.0, state: TrackState::Coasting, ..track(3, Car, [0.0, 0.0], 0) };
        street.frame(&mut service, 0, &[far, stale, vague.clone()]);
        assert_eq!(service.drops().get("cpm-object-too-far"), 1);
        assert_eq!(service.drops().get("cpm-object-too-old"), 1);
        // Ten missed frames: 15 for age, nothing else.
        for ms in (100..=1_000).step_by(100) {
            street.frame(&mut service, ms, &[GroundTrack { captured_at: at(0), state_at: at(ms), ..vague.clone() }]);
        }
        assert!(service.drops().get("cpm-object-perceived-badly") > 0);
        assert!(service.wake_at().is_some_and(|wake_at| wake_at > at(1_000)));
    }

    #[test]
    fn an_object_is_relative_to_the_station_in_time_and_place() {
        let mut street = Street::new();
        street.station.reference.e_m = 10.0;
        let car = GroundTrack {
            velocity_e_mps: -6.0,
            velocity_n_mps: 8.0,
            yaw_rad: Some(8.0f64.atan2(-6.0)),
            ..track(1, Car, [25.5, -3.25], 900)
        };
        street.world.see_frame(CAMERA, &crate::world::fixture::frame(900), &[car], at(1_030));
        let mut service = CpService::new(CpSettings::default());
        let drafts = street.wake(&mut service, 1_030);
        let Content::Cpm(cpm) = &drafts[0].content else { panic!("{drafts:?}") };
        let object = &cpm.objects[0];
        assert_eq!(object.measurement_delta_time_ms, -130);
        assert_eq!(object.object_age_ms, Some(1_030));
        assert_eq!((object.position.x.value_m.value(), object.position.y.value_m.value()), (Some(15.5), Some(-3.25)));
        // 1.96 standard deviations of 0.1 m.
        let confidence_m = object.position.x.confidence_m.and_then(|reading| reading.value()).unwrap();
        assert!((confidence_m - 0.196).abs() < 1e-3, "{confidence_m}");
        let Some(masa_v2x_proto::cdd::Velocity3d::Polar(velocity)) = &object.velocity else { panic!("{object:?}") };
        assert_eq!(velocity.velocity_magnitude.value_mps.and_then(|reading| reading.value()), Some(10.0));
        let direction_deg = velocity.velocity_direction.value_deg.unwrap();
        assert!((direction_deg - 126.87).abs() < 0.01, "counter-clockwise from east: {direction_deg}");
        assert_eq!(object.sensor_id_list.as_deref(), Some(&[1u8][..]));
        assert_eq!(drafts[0].captured_at, Some(at(900)));
    }

    #[test]
    fn a_generation_is_cut_into_messages_that_fit() {
        let (mut street, mut service) = (Street::new(), CpService::new(CpSettings::default()));
        let tracks: Vec<_> = (1..=100).map(|id| track(id, Car, [f64::from(id), 0.0], 0)).collect();
        let drafts = street.frame(&mut service, 0, &tracks);
        let Content::Cpm(cpm) = &drafts[0].content else { panic!("{drafts:?}") };
        // A stand-in for the codec: 60 bytes and 30 for each object.
        let size = |cpm: &masa_v2x_proto::cpm::Cpm| {
            let objects = cpm.payload.cpm_containers.perceived_object.as_ref().map_or(0, |c| c.perceived_objects.len());
            Ok::<_, ()>(vec![0; 60 + 30 * objects])
        };
        for (mtu_bytes, parts, left_out) in [(4_000, 1, 0), (1_100, 3, 0), (500, 8, 0), (300, 8, 36), (100, 8, 92)] {
            let content = CpmContent { mtu_bytes, ..(**cpm).clone() };
            let (segments, out) = segments(&content, &street.station, size).unwrap();
            assert_eq!((segments.len(), out), (parts, left_out), "{mtu_bytes} B");
            assert!(segments.iter().all(|segment| segment.uper.len() <= mtu_bytes as usize), "{mtu_bytes} B");
            let carried: Vec<_> = segments.iter().flat_map(|segment| segment.objects.clone()).collect();
            assert_eq!(carried, (0..100 - left_out).collect::<Vec<_>>(), "each object once, in order");
            for (index, segment) in segments.iter().enumerate() {
                let info = segment.cpm.payload.management_container.segmentation_info;
                let expected = (parts > 1).then_some((parts as u8, index as u8 + 1));
                assert_eq!(info.map(|info| (info.total_msg_no, info.this_msg_no)), expected);
                assert_eq!(segment.cpm.payload.cpm_containers.sensor_information.is_some(), index == 0);
            }
        }
    }
}
