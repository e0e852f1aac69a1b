//! Bays with vehicles whose stay is known.

use super::*;
use crate::services::road_users::FollowSettings;
use crate::services::sighting::{Sighting, Subject};

fn at(s: i64) -> Timestamp {
    Timestamp::from_unix_ms(s * 1_000)
}

fn parking() -> Parking {
    let text = "site = 's'\norigin = { latitude-deg = 44.65, longitude-deg = 10.93 }\n\
                bay = [{ id = 'a', group = 'north', polygon-m = [[0, 0], [5, 0], [5, 2.5], [0, 2.5]] },\
                       { id = 'b', group = 'north', polygon-m = [[5, 0], [10, 0], [10, 2.5], [5, 2.5]] }]";
    let site: ServiceSite = toml::from_str(text).unwrap();
    site.check().unwrap();
    Parking::new(&site)
}

/// Runs seconds from 0 on: in each, whether stations were heard, and where a car stands.
fn run(seconds: impl IntoIterator<Item = (bool, Option<[f64; 2]>)>) -> (Parking, Vec<(i64, String, BayState)>) {
    let mut parking = parking();
    let mut everybody = RoadUsers::new(FollowSettings::default());
    let mut changes = Vec::new();
    for (now, (heard, car)) in (0i64..).zip(seconds) {
        if let Some(place) = car {
            let (class, velocity_mps) = (RoadUserClass::Car, Some([0.0, 0.0]));
            let subject = Subject::Perceived(1, 1);
            everybody.take(&Sighting { at: at(now), subject, class, place, velocity_mps, length_m: 4.4 });
        }
        everybody.expire(at(now));
        for finding in parking.second(at(now), heard, &everybody) {
            let ParkingFinding::Bay(change) = finding else { continue };
            changes.push((now, change.bay, change.state));
        }
    }
    (parking, changes)
}

/// `count` seconds that are all alike.
fn of(count: usize, heard: bool, car: Option<[f64; 2]>) -> impl Iterator<Item = (bool, Option<[f64; 2]>)> {
    std::iter::repeat_n((heard, car), count)
}

const IN_A: Option<[f64; 2]> = Some([2.5, 1.2]);

#[test]
fn a_bay_is_taken_and_freed_with_patience() {
    let seconds = of(60, true, None)
        .chain(of(100, true, IN_A))
        // Hidden by a lorry for 20 s.
        .chain(of(20, true, None))
        .chain(of(40, true, IN_A))
        .chain(of(60, true, None))
        // Somebody lets a passenger out.
        .chain(of(6, true, IN_A))
        .chain(of(60, true, None));
    let (mut parking, changes) = run(seconds);
    let of_a: Vec<_> = changes.iter().filter(|(_, bay, _)| bay == "a").map(|(s, _, state)| (*s, *state)).collect();
    // Known to be free after 30 s of sight; taken 10 s after it came; gone 3 s after its last sighting, freed 30 s later.
    assert_eq!(of_a[0], (30, BayState::Free));
    assert_eq!(of_a[1], (70, BayState::Taken));
    assert!((249..=253).contains(&of_a[2].0) && of_a[2].1 == BayState::Free, "{of_a:?}");
    assert_eq!(of_a.len(), 3, "{of_a:?}");
    let groups: Vec<_> = parking
        .findings(at(620))
        .into_iter()
        .filter_map(|finding| match finding {
            ParkingFinding::Group(group) => Some(group),
            ParkingFinding::Bay(_) => None,
        })
        .collect();
    let minutes: Vec<_> = groups.iter().filter(|g| g.to.unix_ms() - g.from.unix_ms() == 60_000).collect();
    assert_eq!(minutes.iter().map(|group| group.arrivals).sum::<u32>(), 1);
    assert_eq!(minutes.iter().map(|group| group.departures).sum::<u32>(), 1);
    let left = minutes.iter().find(|group| group.departures == 1).unwrap();
    assert_eq!(left.stays, [1, 0, 0, 0, 0, 0, 0], "160 s");
    assert!((left.mean_stay_s.unwrap() - 162.0).abs() < 3.0, "{left:?}");
    assert_eq!((groups[0].bays, groups[0].free, groups[0].taken), (2, 2, 0));
}

#[test]
fn what_nobody_sees_is_unknown_and_never_free() {
    let seconds = of(60, true, IN_A).chain(of(70, false, None)).chain(of(60, true, IN_A));
    let (mut parking, changes) = run(seconds);
    let of_a: Vec<_> = changes.iter().filter(|(_, bay, _)| bay == "a").map(|(s, _, state)| (*s, *state)).collect();
    assert_eq!(of_a, [(10, BayState::Taken), (120, BayState::Unknown), (140, BayState::Taken)]);
    // Nobody saw it come, so nobody knows how long it has been there: no arrival is counted.
    let groups = parking.findings(at(190));
    assert!(!groups.is_empty());
    for finding in groups {
        let ParkingFinding::Group(group) = finding else { continue };
        assert_eq!((group.arrivals, group.departures), (0, 0));
    }
}

#[test]
fn a_state_of_before_is_remembered() {
    let mut parking = parking();
    parking.remember("a", BayState::Taken, at(-600));
    let everybody = RoadUsers::new(FollowSettings::default());
    let mut changes = Vec::new();
    for now in 0..40 {
        changes.extend(parking.second(at(now), true, &everybody));
    }
    let freed = changes
        .iter()
        .any(|finding| matches!(finding, ParkingFinding::Bay(bay) if bay.bay == "a" && bay.state == BayState::Free));
    assert!(freed, "{changes:?}");
}
