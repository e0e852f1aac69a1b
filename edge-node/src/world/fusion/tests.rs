//! Several sources, one road user.

use super::*;
use crate::world::WorldSettings;
use crate::world::fixture::{CAMERA, at, cam, frame, track};
use masa_inference::ObjectClass::{self, Bicycle, Car, Person};
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::{Covariance2, Enu};
use proptest::prelude::*;
use std::collections::BTreeMap;

const OTHER: SourceId = SourceId(2);

fn world() -> World {
    World::new(WorldSettings::default(), BTreeMap::new())
}

/// A track with 10 m/s to the east and an accuracy as cameras have it.
pub(super) fn driving(track_id: u32, class: ObjectClass, position: [f64; 2], ms: i64) -> GroundTrack {
    let mut track = track(track_id, class, position, ms);
    (track.velocity_e_mps, track.velocity_covariance) = (10.0, Covariance2::isotropic(0.3));
    track.covariance = Covariance2::isotropic(0.25);
    track.measured.noise = Covariance2::isotropic(0.16);
    track.measured.bias = Covariance2::isotropic(0.09);
    track.yaw_rad = Some(0.0);
    track
}

/// Both cameras at 10 Hz, the second 40 ms after the first, with what each sees at a time.
fn film(
    world: &mut World,
    times_ms: std::ops::Range<i64>,
    first: impl Fn(i64) -> Vec<GroundTrack>,
    second: impl Fn(i64) -> Vec<GroundTrack>,
) {
    for ms in times_ms.step_by(100) {
        world.see_frame(CAMERA, &frame(ms), &first(ms), at(ms + 60));
        world.see_frame(OTHER, &frame(ms + 40), &second(ms + 40), at(ms + 100));
    }
}

pub(super) fn along(ms: i64) -> f64 {
    ms as f64 / 100.0
}

#[test]
fn a_car_that_two_cameras_see_is_one_and_better_known_than_by_either() {
    let mut world = world();
    // Each is half a metre off, to its own side.
    film(
        &mut world,
        0..2_000,
        |ms| vec![driving(7, Car, [along(ms), 0.5], ms)],
        |ms| vec![driving(3, Car, [along(ms), -0.5], ms)],
    );
    let [user] = world.users() else { panic!("{:?}", world.users().len()) };
    assert_eq!(user.id, 1);
    assert_eq!(user.sights.iter().map(|s| (s.camera, s.track_id)).collect::<Vec<_>>(), [(CAMERA, 7), (OTHER, 3)]);
    let truth = Enu::ground(user.state_at.seconds_since(at(0)) * 10.0, 0.0);
    assert!(user.position.ground_distance_m(&truth) < 0.2, "{:?} {truth:?}", user.position);
    assert!(user.covariance.ee_m2 < 0.2 && (user.velocity_e_mps - 10.0).abs() < 0.5, "{user:?}");
    let cause = user.cause();
    assert_eq!(cause.sights.len(), 2, "both cameras' frames are behind it");
    assert!(user.existence() > 0.99);
}

#[test]
fn a_frame_that_tells_nothing_of_the_place_does_not_hold_a_car_back() {
    let mut world = world();
    // The second camera's picture cuts the car on both sides after one second: it is seen, and nobody knows where.
    let second = |ms: i64| {
        let track = driving(3, Car, [along(ms), 0.0], ms);
        let told_ms = ms.min(1_000);
        let mut measured = track.measured;
        measured.position = Enu::ground(along(told_ms), 0.0);
        vec![GroundTrack { measured, measured_at: at(told_ms), ..track }]
    };
    film(&mut world, 0..2_000, |ms| vec![driving(7, Car, [along(ms), 0.0], ms)], second);
    let [user] = world.users() else { panic!("{:?}", world.users().len()) };
    let truth = Enu::ground(user.state_at.seconds_since(at(0)) * 10.0, 0.0);
    assert!(user.position.ground_distance_m(&truth) < 0.2, "{:?} {truth:?}", user.position);
    assert!((user.velocity_e_mps - 10.0).abs() < 0.2, "{user:?}");
}

#[test]
fn neighbours_are_told_apart_by_both_cameras() {
    let mut world = world();
    let both = |shift: f64| {
        move |ms: i64| vec![driving(1, Car, [along(ms), shift], ms), driving(2, Car, [along(ms), 3.5 + shift], ms)]
    };
    film(&mut world, 0..1_000, both(0.4), both(-0.4));
    let tracks: Vec<_> =
        world.users().iter().map(|user| user.sights.iter().map(|s| s.track_id).collect::<Vec<_>>()).collect();
    assert_eq!(tracks, [[1, 1], [2, 2]]);
}

#[test]
fn classes_that_cannot_be_one_stay_two() {
    for (class, count) in [(Car, 1), (Person, 2), (Bicycle, 2)] {
        let mut world = world();
        film(
            &mut world,
            0..1_000,
            |ms| vec![driving(1, Car, [along(ms), 0.0], ms)],
            |ms| vec![driving(1, class, [along(ms), 0.3], ms)],
        );
        assert_eq!(world.users().len(), count, "{class:?}");
    }
}

#[test]
fn a_doubled_object_becomes_one_and_keeps_the_older_identity() {
    let mut world = world();
    // The second camera's first place is far off; it comes nearer within a second.
    let second = |ms: i64| vec![driving(5, Car, [along(ms), 8.0 * (1.0 - along(ms) / 10.0).max(0.0)], ms)];
    let mut counts = Vec::new();
    for ms in (0..3_000).step_by(100) {
        film(&mut world, ms..ms + 1, |ms| vec![driving(1, Car, [along(ms), 0.0], ms)], second);
        counts.push(world.users().len());
    }
    assert_eq!((counts[0], counts[29]), (2, 1), "{counts:?}");
    let user = &world.users()[0];
    assert_eq!((user.id, user.sights.len()), (1, 2));
}

#[test]
fn a_track_that_begins_where_another_was_lost_goes_on_with_its_object() {
    // Two cars behind each other. The tracker loses the first at 1 s and expects it on its lane; its new track begins 4 m beside,
    // too far to be the same, and comes to it. The second car's track is as old as the first's: they stay two.
    let mut world = world();
    let mut ids = Vec::new();
    for ms in (0..2_000).step_by(100) {
        let mut tracks = vec![driving(1, Car, [along(ms), 0.0], ms), driving(2, Car, [along(ms) - 9.0, 0.0], ms)];
        if ms >= 1_000 {
            let lost = driving(1, Car, [along(900), 0.0], 900);
            let beside_m = (4.0 - 0.01 * (ms - 1_000) as f64).max(0.0);
            let event = |ms: i64| EventId { source: CAMERA, seq: ms as u64 / 100 + 1 };
            let new = driving(3, Car, [along(ms), beside_m], ms);
            tracks[0] = GroundTrack {
                state: TrackState::Coasting,
                position: Enu::ground(along(ms), 0.0),
                state_at: at(ms),
                ..lost
            };
            tracks.push(GroundTrack { first_event: event(1_000), first_seen: at(1_000), ..new });
        }
        world.see_frame(CAMERA, &frame(ms), &tracks, at(ms + 60));
        ids.push(world.users().iter().map(|user| user.id).collect::<Vec<_>>());
    }
    assert_eq!(ids[10].len(), 3, "not yet at one place");
    assert_eq!(ids.last(), Some(&ids[0]), "{ids:?}");
}

#[test]
fn a_track_that_goes_its_own_way_is_another_object_again() {
    let mut world = world();
    let second = |ms: i64| vec![driving(5, Car, [along(ms), if ms < 1_000 { 0.3 } else { 7.0 }], ms)];
    film(&mut world, 0..900, |ms| vec![driving(1, Car, [along(ms), 0.0], ms)], second);
    assert_eq!(world.users().len(), 1);
    film(&mut world, 1_000..2_500, |ms| vec![driving(1, Car, [along(ms), 0.0], ms)], second);
    let ids: Vec<_> = world.users().iter().map(|user| (user.id, user.sights.len())).collect();
    assert_eq!(ids, [(1, 1), (2, 1)]);
    assert!(world.users()[0].position.n_m.abs() < 0.5, "{:?}", world.users()[0].position);
}

#[test]
fn a_station_of_little_accuracy_does_not_join_and_leave_by_turns() {
    // A camera has a standing car to 0.7 m, its own receiver 4.2 m beside, to 0.8 m: within the gate before the two are one,
    // beyond it afterwards.
    let mut world = world();
    let mut ids = std::collections::BTreeSet::new();
    for ms in (0..12_000).step_by(100) {
        let mut seen = driving(1, Car, [0.0, 0.0], ms);
        (seen.velocity_e_mps, seen.covariance) = (0.0, Covariance2::isotropic(0.49));
        world.see_frame(CAMERA, &frame(ms), &[seen], at(ms + 60));
        if ms % 1_000 == 0 {
            world.hear(&Report { velocity_mps: Some([0.0; 2]), ..cam(7, [0.0, 4.2], ms) });
        }
        if ms >= 3_000 {
            ids.extend(world.users().iter().map(|user| user.id));
        }
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[test]
fn a_connected_car_keeps_its_identity_while_no_camera_sees_it() {
    let mut world = world();
    let seen = |ms: i64| {
        if (1_000..2_000).contains(&ms) {
            vec![]
        } else {
            vec![driving(1 + (ms / 2_000) as u32, Car, [along(ms), 0.3], ms)]
        }
    };
    for ms in (0..3_000).step_by(100) {
        if ms % 500 == 0 {
            world.hear(&cam(77, [along(ms), -0.4], ms));
        }
        world.see_frame(CAMERA, &frame(ms), &seen(ms), at(ms + 60));
        world.age(at(ms + 60));
        let [user] = world.users() else { panic!("{ms}: {}", world.users().len()) };
        assert_eq!((user.id, user.is_perceived()), (1, !(1_000..2_000).contains(&ms)), "{ms} ms");
        let truth = Enu::ground(user.state_at.seconds_since(at(0)) * 10.0, 0.0);
        assert!(user.position.ground_distance_m(&truth) < 1.0, "{ms}: {:?}", user.position);
    }
    let user = &world.users()[0];
    assert_eq!(user.cause().messages.len(), 1);
    assert_eq!((user.length_m, user.class), (5.0, Car), "it says itself how long it is");
}

#[test]
fn stations_are_as_many_road_users_even_side_by_side() {
    let mut world = world();
    for ms in (0..2_000).step_by(100) {
        world.hear(&cam(77, [along(ms), 0.0], ms));
        world.hear(&cam(78, [along(ms), 1.0], ms));
    }
    assert_eq!(world.users().len(), 2);
    assert_eq!(world.perceived().count(), 0);
    world.age(at(3_400));
    assert_eq!(world.users().len(), 2);
    world.age(at(3_405));
    assert_eq!(world.users().len(), 0, "1.5 s after the last message");
}

#[test]
fn what_is_too_old_is_counted_and_changes_nothing() {
    let mut world = world();
    for ms in (0..2_000).step_by(100) {
        world.see_frame(CAMERA, &frame(ms), &[driving(1, Car, [along(ms), 0.0], ms)], at(ms + 60));
        world.hear(&cam(77, [along(ms), 0.0], ms));
    }
    let before = world.users()[0].position;
    world.hear(&Report { teller: Teller::Object(StationId(5), 1), ..cam(77, [4.0, 0.0], 400) });
    assert_eq!((world.users()[0].position, world.drops().get("fusion-measurement-too-old")), (before, 1));
}

proptest! {
    /// Measurements that arrive in any order within the window end in the state that they end in in order.
    #[test]
    fn the_order_of_arrival_does_not_matter(order in Just((1..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let settings = FusionSettings::default();
        let start = |world: &mut World| {
            world.hear(&cam(77, [0.0, 0.0], 0));
            world.users()[0].clone()
        };
        let measured = |place: usize| {
            let ms = 80 * place as i64;
            (&cam(77, [along(ms) + 0.3 * (place % 3) as f64, 0.2 * (place % 2) as f64], ms)).into()
        };
        let mut in_order = Estimator::of_user(&start(&mut world()), &settings);
        (1..9).for_each(|place| assert!(in_order.take(&measured(place), &settings)));
        let mut shuffled = Estimator::of_user(&start(&mut world()), &settings);
        order.iter().for_each(|place| assert!(shuffled.take(&measured(*place), &settings)));
        let (a, b) = (in_order.state(at(640)), shuffled.state(at(640)));
        prop_assert_eq!((a.position, a.velocity_mps, a.covariance), (b.position, b.velocity_mps, b.covariance));
    }
}
