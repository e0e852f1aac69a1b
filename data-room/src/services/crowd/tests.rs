//! Zones with people whose places are known.

use super::*;
use crate::services::road_users::FollowSettings;
use crate::services::sighting::{Sighting, Subject};

fn at(s: i64) -> Timestamp {
    Timestamp::from_unix_ms(s * 1_000)
}

/// A square of 20 m² for a minute, with these people in it and around; `heard` is for how many seconds.
fn minute(people: &[[f64; 2]], heard: i64) -> CrowdState {
    let text = "site = 's'\norigin = { latitude-deg = 44.65, longitude-deg = 10.93 }\n\
                crowd-zone = [{ id = 'square', polygon-m = [[0, 0], [5, 0], [5, 4], [0, 4]] }]";
    let mut watch = CrowdWatch::new(&toml::from_str(text).unwrap());
    let mut everybody = RoadUsers::new(FollowSettings::default());
    for now in 0..60 {
        for (number, place) in (0u16..).zip(people) {
            let (class, velocity_mps) = (RoadUserClass::Pedestrian, Some([0.0, 1.5]));
            let subject = Subject::Perceived(1, number);
            let (at, place) = (at(now), *place);
            everybody.take(&Sighting { at, subject, class, place, velocity_mps, length_m: 0.4 });
        }
        watch.second(at(now), now < heard, &everybody);
    }
    watch.findings(at(65)).remove(0)
}

#[test]
fn density_and_distances_are_of_the_zone() {
    // Two 0.8 m apart, one 2 m from the nearer of them, one outside.
    let state = minute(&[[1.0, 1.0], [1.8, 1.0], [3.8, 1.0], [6.0, 1.0]], 60);
    assert_eq!((state.mean_people, state.most_people), (Some(3.0), 3));
    assert!((state.mean_per_m2.unwrap() - 0.15).abs() < 1e-9);
    assert!((state.mean_nearest_m.unwrap() - 1.2).abs() < 1e-9, "{state:?}");
    assert!((state.close.unwrap() - 2.0 / 3.0).abs() < 1e-9);
    assert!((state.mean_mps.unwrap() - 1.5).abs() < 1e-9);
    assert!(!state.is_crowded);
}

#[test]
fn one_and_two_have_no_distance_and_nobody_is_not_unknown() {
    for people in [&[[1.0, 1.0]][..], &[[1.0, 1.0], [1.5, 1.0]]] {
        let few = minute(people, 60);
        assert_eq!((few.mean_people, few.mean_nearest_m, few.close), (Some(people.len() as f64), None, None));
    }
    let nobody = minute(&[], 60);
    assert_eq!((nobody.mean_people, nobody.mean_mps, nobody.observed), (Some(0.0), None, 1.0));
    let unseen = minute(&[[1.0, 1.0]], 0);
    assert_eq!((unseen.mean_people, unseen.observed), (None, 0.0));
}

#[test]
fn fifteen_people_on_twenty_square_metres_are_a_crowd() {
    let places: Vec<_> = (0..15).map(|i| [0.5 + f64::from(i % 5), 0.5 + f64::from(i / 5)]).collect();
    assert!(minute(&places, 60).is_crowded);
    assert!(!minute(&places[..14], 60).is_crowded);
    assert_eq!(minute(&places, 30).observed, 0.5);
}
