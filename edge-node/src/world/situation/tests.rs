use super::*;
use crate::perception::GroundTrack;
use crate::world::WorldSettings;
use crate::world::fixture::{CAMERA, at, cam, frame, intersection, lane, track};
use crate::world::infrastructure::{LaneKind, LaneWay};
use crate::world::site::{ZoneKind, ZoneSettings};
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Covariance2;

/// A lane that comes from the west to a stop line at the origin.
fn routes() -> RouteMap {
    intersection(vec![lane(3, LaneKind::Vehicle, LaneWay::Ingress, vec![[0.0, 0.0], [-100.0, 0.0]])])
}

fn map() -> SiteMap {
    let polygon_m = vec![[-100.0, -3.0], [100.0, -3.0], [100.0, 3.0], [-100.0, 3.0]];
    SiteMap::new(&[ZoneSettings { id: "road".into(), kind: ZoneKind::Carriageway, polygon_m, approaches_m: vec![] }])
        .unwrap()
}

/// Objects of one frame: class, position and velocity towards east.
type Scene = Vec<(ObjectClass, [f64; 2], f64)>;

/// What is on at each tenth of a second of `scenes`, by kind.
fn watch(seconds: f64, scene: impl Fn(f64) -> Scene) -> Vec<(f64, Vec<Situation>)> {
    let mut world = World::new(WorldSettings::default(), BTreeMap::new());
    let mut watch = SituationWatch::new(SituationSettings::default(), routes());
    let map = map();
    let mut told = Vec::new();
    for step in 0..(seconds * 10.0) as i64 {
        let (ms, t) = (100 * step, 0.1 * step as f64);
        let tracks: Vec<_> = scene(t)
            .into_iter()
            .zip(1..)
            .map(|((class, position, speed), id)| {
                let mut track = track(id, class, position, ms);
                (track.velocity_e_mps, track.yaw_rad) =
                    (speed, Some(if speed < 0.0 { std::f64::consts::PI } else { 0.0 }));
                track
            })
            .collect();
        world.see_frame(CAMERA, &frame(ms), &tracks, at(ms));
        watch.update(&world, &map, &Lights::new(), at(ms));
        told.push((t, watch.situations().cloned().collect()));
    }
    told
}

/// When a kind was on: first and last time.
fn spell(told: &[(f64, Vec<Situation>)], kind: SituationKind) -> Option<(f64, f64)> {
    let mut on = told.iter().filter(|(_, s)| s.iter().any(|s| s.kind == kind)).map(|(t, _)| (t * 10.0).round() / 10.0);
    let first = on.next()?;
    Some((first, on.next_back().unwrap_or(first)))
}

#[test]
fn a_car_against_its_lane_is_told_after_a_second_and_forgotten_two_after() {
    let told = watch(6.0, |t| if t < 2.95 { vec![(ObjectClass::Car, [-60.0 - 8.0 * t, 0.3], -8.0)] } else { vec![] });
    assert_eq!(spell(&told, SituationKind::WrongWay), Some((1.0, 4.9)));
    let first = told.iter().find_map(|(_, s)| s.first()).unwrap();
    assert_eq!((first.evidence.len(), first.covariance), (1, Some(Covariance2::isotropic(0.01))));
    assert!(first.confidence > 0.5 && told[29].1[0].confidence > first.confidence, "{first:?}");
    let rightly = watch(3.0, |t| vec![(ObjectClass::Car, [-60.0 + 8.0 * t, 0.3], 8.0)]);
    assert_eq!(spell(&rightly, SituationKind::WrongWay), None);
    let beside = watch(3.0, |t| vec![(ObjectClass::Car, [-60.0 - 8.0 * t, 2.5], -8.0)]);
    assert_eq!(spell(&beside, SituationKind::WrongWay), None);
}

#[test]
fn a_car_that_may_be_in_the_lane_that_leads_its_way_does_not_drive_the_wrong_way() {
    // The lane to the west lies 3.5 m north of the one to the east; the car is seen 1.4 m north of the middle of the latter.
    let lanes = || {
        intersection(vec![
            lane(3, LaneKind::Vehicle, LaneWay::Ingress, vec![[0.0, 0.0], [-100.0, 0.0]]),
            lane(4, LaneKind::Vehicle, LaneWay::Ingress, vec![[-100.0, 3.5], [0.0, 3.5]]),
        ])
    };
    for (sigma_m, is_told) in [(0.05, true), (1.0, false)] {
        let mut world = World::new(WorldSettings::default(), BTreeMap::new());
        let mut watch = SituationWatch::new(SituationSettings::default(), lanes());
        let mut told = false;
        for ms in (0..3_000).step_by(100) {
            let mut seen = track(1, ObjectClass::Car, [-20.0 - 0.008 * ms as f64, 1.4], ms);
            (seen.velocity_e_mps, seen.yaw_rad) = (-8.0, Some(std::f64::consts::PI));
            let seen = GroundTrack { covariance: Covariance2::isotropic(sigma_m * sigma_m), ..seen };
            world.see_frame(CAMERA, &frame(ms), &[seen], at(ms));
            watch.update(&world, &map(), &Lights::new(), at(ms));
            told |= watch.situations().any(|situation| situation.kind == SituationKind::WrongWay);
        }
        assert_eq!(told, is_told, "known to {sigma_m} m");
    }
}

#[test]
fn who_only_tells_of_itself_is_not_accused_for_want_of_a_lane_s_width() {
    // Lanes of both directions side by side: a receiver that hears reflections puts its car into the other one. A lane that has
    // no other beside it within 10 m is another matter.
    for (other_n_m, is_told) in [(3.5, false), (14.0, true)] {
        let lanes = intersection(vec![
            lane(3, LaneKind::Vehicle, LaneWay::Ingress, vec![[-100.0, 0.0], [100.0, 0.0]]),
            lane(4, LaneKind::Vehicle, LaneWay::Ingress, vec![[100.0, other_n_m], [-100.0, other_n_m]]),
        ]);
        let mut world = World::new(WorldSettings::default(), BTreeMap::new());
        let mut watch = SituationWatch::new(SituationSettings::default(), lanes);
        let mut told = false;
        for ms in (0..3_000).step_by(100) {
            world.hear(&cam(7, [-20.0 + 0.01 * ms as f64, 0.0], ms));
            watch.update(&world, &map(), &Lights::new(), at(ms));
            told |= watch.situations().any(|situation| situation.kind == SituationKind::WrongWay);
        }
        assert_eq!(told, is_told, "the other lane {other_n_m} m away");
    }
}

#[test]
fn an_obstacle_counts_on_the_road_only() {
    let at = |n: f64| watch(3.0, move |_| vec![(ObjectClass::Obstacle, [-40.0, n], 0.0)]);
    assert_eq!(spell(&at(0.0), SituationKind::ObjectOnRoad), Some((2.0, 2.9)));
    assert_eq!(spell(&at(4.0), SituationKind::ObjectOnRoad), None);
}

#[test]
fn the_tail_of_a_queue_is_its_last_car_and_moves_back() {
    let told = watch(9.0, |t| {
        let mut cars: Scene = (0..3).map(|i| (ObjectClass::Car, [-4.0 - 7.0 * f64::from(i), 0.0], 0.0)).collect();
        // One far behind is not of the queue until it has come up.
        cars.push((ObjectClass::Car, [if t < 7.0 { -60.0 } else { -25.0 }, 0.0], 0.0));
        cars
    });
    assert_eq!(spell(&told, SituationKind::QueueTail), Some((5.0, 8.9)));
    let tails: Vec<f64> = told.iter().flat_map(|(_, s)| s.iter().map(|s| s.place.e_m)).collect();
    assert_eq!((tails.first(), tails.last()), (Some(&-18.0), Some(&-25.0)));
    let two = watch(9.0, |_| (0..2).map(|i| (ObjectClass::Car, [-4.0 - 7.0 * f64::from(i), 0.0], 0.0)).collect());
    assert_eq!(spell(&two, SituationKind::QueueTail), None);
}

#[test]
fn a_late_stop_behind_another_is_a_near_miss_with_both_as_evidence() {
    // 20 m behind a standing car at 12 m/s; it stops 3 m behind it.
    let told = watch(4.0, |t| {
        let behind = if t < 1.3 { (-40.0 + 12.0 * t, 12.0) } else { (-24.4, 0.0) };
        vec![(ObjectClass::Car, [-16.9, 0.0], 0.0), (ObjectClass::Car, [behind.0, 0.0], behind.1)]
    });
    let (first, _) = spell(&told, SituationKind::NearMiss).unwrap();
    // 18.6 m at 12 m/s are 1.55 s; of those less than one is left from 0.55 s on.
    assert_eq!(first, 0.6);
    let seen = told.iter().find_map(|(_, s)| s.iter().find(|s| s.kind == SituationKind::NearMiss)).unwrap();
    assert_eq!(seen.evidence.len(), 2);
    let calm = watch(4.0, |t| {
        let x = -80.0 + 9.0 * t;
        vec![(ObjectClass::Car, [x + 25.0, 0.0], 9.0), (ObjectClass::Car, [x, 0.0], 9.0)]
    });
    assert_eq!(spell(&calm, SituationKind::NearMiss), None);
}
