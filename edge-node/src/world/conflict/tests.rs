use super::*;
use crate::world::prediction::{Mover, Polyline, RouteMap};
use masa_inference::ObjectClass;
use masa_v2x_proto::time::Timestamp;

const BODY: [f64; 2] = [4.0, 2.0];

/// A body at constant speed on a straight line.
fn straight(from: [f64; 2], yaw_rad: f64, speed_mps: f64) -> Forecast {
    let to = [from[0] + yaw_rad.cos(), from[1] + yaw_rad.sin()];
    Forecast::on_line(&Polyline::new([from, to]).unwrap(), 0.0, speed_mps, BODY)
}

fn both_ways(a: &Forecast, b: &Forecast) -> Option<Encounter> {
    let (one, other) = (encounter(a, b), encounter(b, a));
    let measures = |e: Option<Encounter>| e.map(|e| (e.kind, e.ttc_s, e.pet_s, e.drac_mps2));
    assert_eq!(measures(one), measures(other));
    one
}

fn assert_near(got: Option<f64>, expected: f64, tolerance: f64) {
    assert!(got.is_some_and(|got| (got - expected).abs() <= tolerance), "{got:?} is not {expected}");
}

#[test]
fn a_faster_car_behind_a_slower_one() {
    // 26 m from centre to centre leave 22 m, closed at 8 m/s.
    let seen = both_ways(&straight([0.0, 0.0], 0.0, 15.0), &straight([26.0, 0.0], 0.0, 7.0)).unwrap();
    assert_eq!((seen.kind, seen.pet_s), (EncounterKind::Following, None));
    assert_near(seen.ttc_s, 22.0 / 8.0, 0.001);
    // 8² / (2 · 22).
    assert_near(seen.drac_mps2, 64.0 / 44.0, 0.001);
    assert_eq!(
        both_ways(&straight([0.0, 0.0], 0.0, 7.0), &straight([26.0, 0.0], 0.0, 15.0)).and_then(|e| e.ttc_s),
        None
    );
}

#[test]
fn two_that_come_head_on() {
    let seen = both_ways(&straight([0.0, 0.0], 0.0, 10.0), &straight([44.0, 0.5], std::f64::consts::PI, 10.0)).unwrap();
    assert_eq!(seen.kind, EncounterKind::HeadOn);
    assert_near(seen.ttc_s, 2.0, 0.001);
}

#[test]
fn two_that_cross_and_would_hit() {
    // Both reach the place at once: the front of one touches the side of the other after 27 m at 10 m/s.
    let north = std::f64::consts::FRAC_PI_2;
    let seen = both_ways(&straight([-30.0, 0.0], 0.0, 10.0), &straight([0.0, -30.0], north, 10.0)).unwrap();
    assert_eq!((seen.kind, seen.pet_s), (EncounterKind::Crossing, Some(0.0)));
    assert_near(seen.ttc_s, 2.7, 0.001);
    // The other has left after 33 m, 3.3 s; to have gone 27 m then: 2 (10 − 27 / 3.3) / 3.3. A state is 0.1 s.
    assert_near(seen.drac_mps2, 2.0 * (10.0 - 27.0 / 3.3) / 3.3, 0.1);
}

#[test]
fn one_that_passes_behind_the_other() {
    // The one from the south comes 2 s later: it touches the place 27 m on at 4.7 s, the other left it at 3.3 s.
    let north = std::f64::consts::FRAC_PI_2;
    let seen = both_ways(&straight([-20.0, 0.0], 0.0, 10.0), &straight([0.0, -40.0], north, 10.0)).unwrap();
    assert_eq!((seen.ttc_s, seen.drac_mps2), (None, None));
    assert_near(seen.pet_s, 1.4, 0.11);
}

#[test]
fn paths_without_a_common_place_do_not_meet() {
    assert_eq!(both_ways(&straight([0.0, 0.0], 0.0, 10.0), &straight([0.0, 3.5], 0.0, 20.0)), None);
    assert_eq!(both_ways(&straight([0.0, 0.0], 0.0, 10.0), &straight([500.0, 0.0], 0.0, 0.0)), None);
}

#[test]
fn what_was_recorded_has_the_same_encroachment_time() {
    let north = std::f64::consts::FRAC_PI_2;
    let recorded =
        |f: &Forecast| -> Vec<_> { (0..f.states.len()).map(|i| (i as f64 * STEP_S, Footprint::of(f, i))).collect() };
    let (a, b) = (straight([-20.0, 0.0], 0.0, 10.0), straight([0.0, -40.0], north, 10.0));
    assert_near(encroachment_s(&recorded(&a), &recorded(&b)), encounter(&a, &b).unwrap().pet_s.unwrap(), 1e-9);
}

fn mover(position: [f64; 2], velocity_mps: [f64; 2]) -> Mover {
    Mover {
        class: ObjectClass::Car,
        position: Enu::ground(position[0], position[1]),
        velocity_mps,
        yaw_rad: Some(velocity_mps[1].atan2(velocity_mps[0])),
        yaw_rate_radps: 0.0,
        length_m: 4.0,
        width_m: 2.0,
        position_sigma_m: 0.2,
        velocity_sigma_mps: 0.2,
    }
}

#[test]
fn a_conflict_begins_when_it_lasts_keeps_its_worst_and_ends() {
    let mut watch = ConflictWatch::new(ConflictSettings::default());
    let at = |ms: i64| Timestamp::from_unix_ms(1_000_000 + ms);
    let mut told = Vec::new();
    for ms in (0..4000).step_by(100) {
        let t = ms as f64 / 1000.0;
        // Two that would hit at 2.7 s; from 2 s on the one from the south stands.
        let south =
            if ms < 2000 { mover([0.0, -30.0 + 10.0 * t], [0.0, 10.0]) } else { mover([0.0, -10.0], [0.0, 0.01]) };
        let users = [(8, mover([-30.0 + 10.0 * t, 0.0], [10.0, 0.0])), (3, south)];
        watch.update(users, &RouteMap::default(), at(ms));
        told.extend(watch.conflicts().map(|c| (ms, *c)));
    }
    let (first, last) = (told.first().unwrap(), told.last().unwrap());
    // Within 1.5 s of the contact after 1.2 s, and told when that lasted 0.2 s.
    assert_eq!((first.0, first.1.state, first.1.users), (1500, ConflictState::On, [3, 8]));
    assert_eq!((last.0, last.1.state), (3000, ConflictState::Over));
    assert_near(last.1.min_ttc_s, 0.8, 0.01);
    assert_eq!(told.iter().filter(|(_, c)| c.state == ConflictState::Over).count(), 1);
    assert!(last.1.max_drac_mps2.unwrap() > 3.0);
}

#[test]
fn one_frame_of_noise_is_no_conflict() {
    let mut watch = ConflictWatch::new(ConflictSettings::default());
    for ms in (0..3000).step_by(100) {
        let swerve = if ms == 1000 { [10.0, -3.0] } else { [10.0, 0.0] };
        let users =
            [(1, mover([ms as f64 / 100.0, 3.5], swerve)), (2, mover([ms as f64 / 100.0 + 1.0, 0.0], [10.0, 0.0]))];
        watch.update(users, &RouteMap::default(), Timestamp::from_unix_ms(ms));
        assert_eq!(watch.conflicts().count(), 0, "{ms}");
    }
    assert_eq!(watch.left_out(), 0);
}
