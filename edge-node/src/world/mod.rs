//! What the node knows of its surroundings.
//!
//! In: the ground tracks of each camera, what stations tell of road users, sensor readings, states of sources and links.
//! Out: [`RoadUser`]s with identity, history and standing time, the latest readings and states, and the camera frames they
//! are from.
//!
//! Invariants: pure; every table has a capacity and what exceeds it is counted in [`World::drops`]; an object is gone when
//! no camera has a track of it and no station tells of it. How sources become one object is in [`fusion`], what other
//! stations say in [`ldm`], where road users will be in [`prediction`], who is about to meet whom in [`conflict`].

pub mod conflict;
mod environment;
#[cfg(test)]
pub(crate) mod fixture;
pub mod fusion;
pub mod infrastructure;
pub mod ldm;
pub mod prediction;
mod road_user;
pub mod signals;
pub mod site;
pub mod situation;

pub use crate::drops::Drops;
pub use environment::{Environment, Reading, Status};
pub use road_user::{MAX_SIGHTS, MAX_TOLD, PerceptionQuality, RoadUser, Sight, TRAIL_CAPACITY, Told};

use crate::event::{DetectionFrame, Observation, SourceId, StatusChange};
use crate::perception::GroundTrack;
use fusion::{Association, FusionSettings};
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use situation::SituationSettings;
use std::collections::BTreeMap;

/// How the world ages and how much it holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct WorldSettings {
    /// Most road users at a time, at most 255: a CPM has room for no more.
    pub max_objects: u8,
    /// Objects of a camera that delivers nothing for this long are removed, milliseconds.
    pub camera_timeout_ms: u32,
    /// The same for single cameras, by camera id.
    pub camera_timeouts_ms: BTreeMap<String, u32>,
    /// A track that comes back this soon after it was last reported is the same object, milliseconds.
    pub hidden_timeout_ms: u32,
    /// Readings are forgotten after this long without a newer one, seconds.
    pub reading_timeout_s: u32,
    /// An object that stays within this distance is standing, metres (never less than its position's noise).
    pub standing_radius_m: f64,
    /// An object has moved once it was this far from where it was first seen, metres (never less than the noise).
    pub moved_distance_m: f64,
    /// How sources become road users: `[world.fusion]`.
    pub fusion: FusionSettings,
    /// What is a situation: `[world.situation]`.
    pub situation: SituationSettings,
}

impl Default for WorldSettings {
    fn default() -> Self {
        Self {
            max_objects: 255,
            camera_timeout_ms: 1_500,
            camera_timeouts_ms: BTreeMap::new(),
            hidden_timeout_ms: 5_000,
            reading_timeout_s: 3_600,
            standing_radius_m: 1.0,
            moved_distance_m: 5.0,
            fusion: FusionSettings::default(),
            situation: SituationSettings::default(),
        }
    }
}

/// The newest frame of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewestFrame {
    /// Its running number.
    pub frame: u64,
    /// When its shutter opened.
    pub captured_at: Timestamp,
    /// Image width, pixels.
    pub width_px: u32,
    /// Image height, pixels.
    pub height_px: u32,
}

/// Everything around the node.
#[derive(Clone, Debug)]
pub struct World {
    settings: WorldSettings,
    timeouts_ms: BTreeMap<SourceId, u32>,
    users: Vec<RoadUser>,
    /// Objects whose track is not reported, but may come back: a car behind a lorry is the same car afterwards.
    hidden: Vec<RoadUser>,
    last_id: u16,
    association: Association,
    frames: BTreeMap<SourceId, NewestFrame>,
    environment: Environment,
    drops: Drops,
}

impl World {
    /// An empty world; `timeouts_ms` holds the cameras whose timeout differs from the common one.
    pub(crate) fn new(settings: WorldSettings, timeouts_ms: BTreeMap<SourceId, u32>) -> Self {
        Self {
            users: Vec::with_capacity(usize::from(settings.max_objects)),
            hidden: Vec::with_capacity(usize::from(settings.max_objects)),
            association: Association::with_capacity(usize::from(settings.max_objects)),
            settings,
            timeouts_ms,
            last_id: 0,
            frames: BTreeMap::new(),
            environment: Environment::default(),
            drops: Drops::default(),
        }
    }

    /// Road users, longest known first.
    pub fn users(&self) -> &[RoadUser] {
        &self.users
    }

    /// Those that an own camera perceives.
    pub fn perceived(&self) -> impl Iterator<Item = &RoadUser> {
        self.users.iter().filter(|user| user.is_perceived())
    }

    /// The road user with an object id.
    pub fn user(&self, id: u16) -> Option<&RoadUser> {
        self.users.iter().find(|user| user.id == id)
    }

    /// The newest frame of each camera that has delivered one.
    pub fn frames(&self) -> &BTreeMap<SourceId, NewestFrame> {
        &self.frames
    }

    /// Readings and states.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What did not fit or was not valid.
    pub fn drops(&self) -> &Drops {
        &self.drops
    }

    /// Takes over the tracks of one camera's newest frame; an object that nobody sees or tells of afterwards is gone.
    pub(crate) fn see_frame(
        &mut self,
        camera: SourceId,
        frame: &DetectionFrame,
        tracks: &[GroundTrack],
        now: Timestamp,
    ) {
        let newest = NewestFrame {
            frame: frame.frame,
            captured_at: frame.captured_at,
            width_px: frame.width_px,
            height_px: frame.height_px,
        };
        self.frames.insert(camera, newest);
        self.see_tracks(camera, frame.captured_at, tracks, now);
    }

    /// Takes over the tracks of one sensor at the instant of its newest look.
    pub(crate) fn see_tracks(
        &mut self,
        camera: SourceId,
        captured_at: Timestamp,
        tracks: &[GroundTrack],
        now: Timestamp,
    ) {
        let is_over = |user: &RoadUser| {
            user.sight_of(camera).is_some_and(|sight| tracks.iter().all(|track| track.track_id != sight.track_id))
        };
        for user in self.users.iter_mut().filter(|user| is_over(user)) {
            user.lose_sight(camera, true);
        }
        let room = usize::from(self.settings.max_objects).saturating_sub(self.hidden.len());
        let is_unseen = |user: &mut RoadUser| user.sights.is_empty() && user.told.is_empty();
        self.hidden.extend(self.users.extract_if(.., is_unseen).take(room));
        self.users.retain_mut(|user| {
            let forgotten = is_unseen(user);
            if forgotten {
                self.drops.count("hidden-full");
            }
            !forgotten
        });
        self.associate(camera, tracks, now);
        self.users.iter_mut().for_each(|user| user.publish(captured_at));
    }

    /// The next object id. Ids run round the 16 bits of a CPM's `objectId`; one that is in use is passed over.
    fn unused_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.users.iter().chain(&self.hidden).all(|user| user.id != self.last_id) {
                return self.last_id;
            }
        }
    }

    pub(crate) fn observe(&mut self, observation: &Observation, now: Timestamp) {
        self.environment.observe(observation, now, &mut self.drops);
    }

    pub(crate) fn report(&mut self, change: &StatusChange, now: Timestamp) {
        self.environment.report(change, now, &mut self.drops);
    }

    /// Removes objects of silent cameras and stations, and forgets old readings.
    pub(crate) fn age(&mut self, now: Timestamp) {
        let Self { users, hidden, settings, timeouts_ms, .. } = self;
        for user in users.iter_mut() {
            user.sights.retain(|sight| now < sight_expiry(sight, settings, timeouts_ms));
            user.told.retain(|told| now < told_expiry(told, settings));
        }
        users.retain(|user| !user.sights.is_empty() || !user.told.is_empty());
        hidden.retain(|user| now < user.updated_at.plus_ms(i64::from(settings.hidden_timeout_ms)));
        self.environment.forget_before(now.plus_ms(-1_000 * i64::from(self.settings.reading_timeout_s)));
    }

    /// When the next object loses a source unless that delivers.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let expiries = self.users.iter().flat_map(|user| {
            let sights = user.sights.iter().map(|sight| sight_expiry(sight, &self.settings, &self.timeouts_ms));
            sights.chain(user.told.iter().map(|told| told_expiry(told, &self.settings)))
        });
        expiries.min()
    }
}

fn sight_expiry(sight: &Sight, settings: &WorldSettings, timeouts_ms: &BTreeMap<SourceId, u32>) -> Timestamp {
    let timeout_ms = timeouts_ms.get(&sight.camera).unwrap_or(&settings.camera_timeout_ms);
    sight.updated_at.plus_ms(i64::from(*timeout_ms).max(1))
}

fn told_expiry(told: &Told, settings: &WorldSettings) -> Timestamp {
    told.heard_at.plus_ms(i64::from(settings.fusion.told_timeout_ms).max(1))
}

/// Perception promises finite numbers; what it may one day miss must not reach a message.
fn is_finite(track: &GroundTrack) -> bool {
    let (p, v) = (&track.covariance, &track.velocity_covariance);
    [track.position.e_m, track.position.n_m, track.velocity_e_mps, track.velocity_n_mps, track.yaw_rad.unwrap_or(0.0)]
        .iter()
        .chain(&[p.ee_m2, p.en_m2, p.nn_m2, v.ee_m2, v.en_m2, v.nn_m2, track.length_m, track.width_m, track.height_m])
        .all(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::fixture::{CAMERA, at, frame, track};
    use super::*;
    use masa_inference::ObjectClass;

    fn world(settings: WorldSettings) -> World {
        World::new(settings, BTreeMap::from([(SourceId(2), 300)]))
    }

    #[test]
    fn a_track_keeps_its_object_until_it_ends() {
        let mut world = world(WorldSettings::default());
        for ms in [0, 100, 200] {
            let tracks = [
                track(7, ObjectClass::Car, [ms as f64 / 100.0, 0.0], ms),
                track(9, ObjectClass::Person, [0.0, 5.0], ms),
            ];
            world.see_frame(CAMERA, &frame(ms), &tracks, at(ms + 30));
        }
        let ids: Vec<_> = world.users().iter().map(|user| (user.id, user.sight().unwrap().track_id)).collect();
        assert_eq!(ids, [(1, 7), (2, 9)]);
        assert_eq!(world.users()[0].trail_m().collect::<Vec<_>>(), [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]);
        assert_eq!(world.users()[1].trail_m().count(), 1, "a standing object keeps its trail");
        world.see_frame(CAMERA, &frame(300), &[track(9, ObjectClass::Person, [0.0, 5.0], 300)], at(330));
        assert_eq!(world.users().iter().map(|user| user.id).collect::<Vec<_>>(), [2]);
        assert_eq!(world.frames()[&CAMERA].frame, 4);
    }

    #[test]
    fn a_track_that_comes_back_in_time_is_the_same_object() {
        for (gap_ms, same) in [(4_900, true), (5_100, false)] {
            let mut world = world(WorldSettings::default());
            let car = |ms: i64| track(7, ObjectClass::Car, [6.0 * (ms.min(1_000) as f64) / 1_000.0, 0.0], ms);
            for ms in [0, 500, 1_000] {
                world.see_frame(CAMERA, &frame(ms), &[car(ms)], at(ms));
            }
            world.see_frame(CAMERA, &frame(1_100), &[], at(1_100));
            assert!(world.users().is_empty());
            let back = 1_000 + gap_ms;
            world.age(at(back));
            world.see_frame(CAMERA, &frame(back), &[car(back)], at(back));
            let user = &world.users()[0];
            assert_eq!((user.id == 1, user.has_moved(), user.standing_s() > 4.0), (same, same, same), "{gap_ms} ms");
        }
    }

    #[test]
    fn objects_of_a_silent_camera_go_at_its_own_timeout() {
        let mut world = world(WorldSettings::default());
        for (camera, e_m) in [(CAMERA, 0.0), (SourceId(2), 20.0)] {
            world.see_frame(camera, &frame(0), &[track(1, ObjectClass::Car, [e_m, 0.0], 0)], at(50));
        }
        assert_eq!(world.wake_at(), Some(at(350)));
        for (ms, left) in [(349, 2), (350, 1), (1_549, 1), (1_550, 0)] {
            world.age(at(ms));
            assert_eq!(world.users().len(), left, "at {ms} ms");
        }
        assert_eq!(world.wake_at(), None);
    }

    #[test]
    fn a_full_world_counts_what_it_leaves_out() {
        let mut world = world(WorldSettings { max_objects: 3, ..WorldSettings::default() });
        let tracks: Vec<_> = (1..=5).map(|id| track(id, ObjectClass::Car, [f64::from(id), 0.0], 0)).collect();
        world.see_frame(CAMERA, &frame(0), &tracks, at(0));
        assert_eq!((world.users().len(), world.drops().get("world-full")), (3, 2));
        let mut broken = track(1, ObjectClass::Car, [0.0, 0.0], 100);
        broken.velocity_e_mps = f64::INFINITY;
        world.see_frame(CAMERA, &frame(100), &[broken], at(100));
        assert_eq!(world.drops().get("track-not-finite"), 1);
    }

    #[test]
    fn object_ids_run_round_16_bits_past_those_in_use() {
        let mut world = world(WorldSettings::default());
        world.see_frame(CAMERA, &frame(0), &[track(1, ObjectClass::Car, [0.0, 0.0], 0)], at(0));
        world.last_id = u16::MAX;
        let tracks: Vec<_> = (1..=3).map(|id| track(id, ObjectClass::Car, [0.0, 0.0], 100)).collect();
        world.see_frame(CAMERA, &frame(100), &tracks, at(100));
        assert_eq!(world.users().iter().map(|user| user.id).collect::<Vec<_>>(), [1, 0, 2]);
    }
}
