//! Cameras and a radar, one road user.

use super::tests::{along, driving};
use super::*;
use crate::perception::ground::{GroundMeasurement, MeasuredVelocity};
use crate::world::WorldSettings;
use crate::world::fixture::{CAMERA, at, frame};
use masa_inference::ObjectClass::{self, Car, Obstacle, Person};
use masa_v2x_proto::geo::Enu;
use proptest::prelude::*;
use std::collections::BTreeMap;

const RADAR: SourceId = SourceId(3);
/// Where the radar hangs.
const MAST: Enu = Enu::ground(-40.0, 0.0);

fn world() -> World {
    World::new(WorldSettings::default(), BTreeMap::new())
}

/// A car or person with 10 m/s to the east, as a camera has it.
fn seen(class: ObjectClass, ms: i64) -> GroundTrack {
    driving(7, class, [along(ms), 0.4], ms)
}

/// The same as the radar has it: no class.
fn echo(ms: i64) -> GroundTrack {
    let mut track = GroundTrack {
        bounding_box: None,
        class_confidence: 0.0,
        class_shares: [0.0; ObjectClass::ALL.len()],
        ..seen(Obstacle, ms)
    };
    track.position = Enu::ground(along(ms), -0.2);
    track.measured = GroundMeasurement {
        position: track.position,
        velocity: Some(MeasuredVelocity::Radial { from: MAST, mps: 10.0, variance: 0.04 }),
        ..track.measured
    };
    track
}

#[test]
fn what_a_radar_sees_of_a_car_that_a_camera_knows_is_that_car() {
    let mut world = world();
    for ms in (0..2_000).step_by(100) {
        world.see_frame(CAMERA, &frame(ms), &[seen(Car, ms)], at(ms + 60));
        world.see_tracks(RADAR, at(ms + 30), &[echo(ms + 30)], at(ms + 70));
    }
    let [user] = world.users() else { panic!("{}", world.users().len()) };
    assert_eq!((user.class, user.length_m), (Car, 4.5), "the radar tells no class: the camera's stays");
    let mut sources: Vec<_> = user.cause().sights.iter().map(|sight| sight.camera).collect();
    sources.sort();
    assert_eq!(sources, [CAMERA, RADAR]);
    assert!(user.velocity_covariance.ee_m2.sqrt() < 0.3, "{:?}", user.velocity_covariance);
    // The camera goes blind: the radar alone keeps the object and what it is.
    for ms in (2_000..4_000).step_by(100) {
        world.see_frame(CAMERA, &frame(ms), &[], at(ms + 60));
        world.see_tracks(RADAR, at(ms + 30), &[echo(ms + 30)], at(ms + 70));
    }
    let [user] = world.users() else { panic!("{}", world.users().len()) };
    assert_eq!((user.id, user.class, user.sights.len()), (1, Car, 1));
    let truth = Enu::ground(user.state_at.seconds_since(at(0)) * 10.0, 0.0);
    assert!(user.position.ground_distance_m(&truth) < 0.6, "{:?} {truth:?}", user.position);
}

#[test]
fn a_radar_alone_says_that_something_is_there_and_never_a_person() {
    let mut world = world();
    world.see_tracks(RADAR, at(0), &[echo(0)], at(40));
    let user = &world.users()[0];
    assert_eq!((user.class, user.class_confidence, user.is_perceived()), (Obstacle, 0.0, true));
    // Whoever knows it better says what it is.
    world.see_frame(CAMERA, &frame(100), &[seen(Person, 100)], at(160));
    world.see_tracks(RADAR, at(130), &[echo(130)], at(170));
    let [user] = world.users() else { panic!("{}", world.users().len()) };
    assert_eq!((user.class, user.sights.len()), (Person, 2));
    assert!(user.height_m > 1.6 && user.length_m < 0.7, "{user:?}");
}

#[test]
fn a_scan_that_comes_late_ends_in_the_state_that_it_would_have_in_time() {
    let run = |late: bool| {
        let mut world = world();
        let step = |world: &mut World, ms: i64, is_radar: bool| match is_radar {
            false => world.see_frame(CAMERA, &frame(ms), &[seen(Car, ms)], at(ms + 50)),
            true => world.see_tracks(RADAR, at(ms), &[echo(ms)], at(ms + 50)),
        };
        for ms in [0, 100, 200] {
            step(&mut world, ms, false);
            step(&mut world, ms + 50, true);
        }
        let rest = [(300, false), (350, true), (400, false), (500, false)];
        let order = if late { [0, 2, 3, 1] } else { [0, 1, 2, 3] };
        order.iter().for_each(|place| step(&mut world, rest[*place].0, rest[*place].1));
        world.see_tracks(RADAR, at(500), &[], at(560));
        let user = world.users()[0].clone();
        (user.state_at, user.position, user.velocity_e_mps, user.velocity_n_mps, user.velocity_covariance)
    };
    assert_eq!(run(true), run(false));
}

proptest! {
    /// Doppler among places: whatever the order of arrival, the same state bit for bit.
    #[test]
    fn the_order_of_scans_and_frames_does_not_matter(order in Just((1..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let settings = FusionSettings::default();
        let first = RoadUser::of_track(1, CAMERA, &seen(Car, 0), at(0), world().limits());
        let measured = |place: usize| {
            let ms = 80 * place as i64;
            if place.is_multiple_of(2) { (&seen(Car, ms)).into() } else { (&echo(ms)).into() }
        };
        let ends = |order: &[usize]| {
            let mut estimator = Estimator::of_user(&first, &settings);
            order.iter().for_each(|place| assert!(estimator.take(&measured(*place), &settings)));
            let state = estimator.state(at(640));
            (state.position, state.velocity_mps, state.covariance, state.velocity_covariance)
        };
        prop_assert_eq!(ends(&(1..9).collect::<Vec<_>>()), ends(&order));
    }
}
