//! Gates, trips and queues with road users whose way is known.

use super::*;
use crate::services::Found;
use crate::services::Services;
use crate::services::shape::{Line, Way};
use crate::services::sighting::{Sighting, Subject};
use crate::services::site::ServiceSite;

fn at(s: f64) -> Timestamp {
    Timestamp::from_unix_ms((s * 1e3).round() as i64)
}

/// A gate across a road to the east at 0, one across it at 100, and the lane that ends there.
fn site() -> ServiceSite {
    let gate = |id: &str, line: [[f64; 2]; 2], arm: &str| GateSettings {
        id: id.into(),
        line_m: Line(line),
        lanes: 1,
        arm: Some(arm.into()),
    };
    let text = "site = 's'\norigin = { latitude-deg = 44.65, longitude-deg = 10.93 }";
    let mut site: ServiceSite = toml::from_str(text).unwrap();
    // Looking north forward is east; looking south it is west.
    site.gates =
        vec![gate("in", [[0.0, -2.0], [0.0, 2.0]], "west"), gate("out", [[100.0, 2.0], [100.0, -2.0]], "east")];
    site.approaches =
        vec![ApproachSettings { id: "lane".into(), way_m: Way(vec![[100.0, 0.0], [0.0, 0.0]]), width_m: 3.5 }];
    site
}

fn sighting(subject: Subject, s: f64, e_m: f64, n_m: f64, v: f64) -> Sighting {
    let (class, length_m) = (RoadUserClass::Car, 4.0);
    Sighting { at: at(s), subject, class, place: [e_m, n_m], velocity_mps: Some([v, 0.0]), length_m }
}

fn car(number: u16) -> Subject {
    Subject::Perceived(1, number)
}

/// Runs sightings in the order of their time, and a minute longer than asked.
fn run(site: ServiceSite, mut sightings: Vec<Sighting>, until_s: f64) -> Vec<FlowFinding> {
    sightings.sort_by_key(|sighting| sighting.at);
    let mut services = Services::new(site).unwrap();
    services.advance(at(0.0));
    let mut found = Vec::new();
    for sighting in sightings {
        found.extend(services.advance(sighting.at));
        services.hear(sighting.at);
        services.see(&sighting);
    }
    found.extend(services.advance(at(until_s + 10.0)));
    let flow = |found| match found {
        Found::Flow(flow) => Some(flow),
        _ => None,
    };
    found.into_iter().filter_map(|finding| flow(finding.found)).collect()
}

fn flow<'a>(found: &'a [FlowFinding], gate: &str, minutes: i64, class: Option<RoadUserClass>) -> Vec<&'a Flow> {
    let all = found.iter().filter_map(|finding| match finding {
        FlowFinding::Flow(flow) => Some(flow),
        _ => None,
    });
    all.filter(|flow| {
        flow.gate == gate
            && flow.class == class
            && flow.direction == Direction::Forward
            && flow.to.unix_ms() - flow.from.unix_ms() == minutes * 60_000
    })
    .collect()
}

/// Positions `every_s` of a car that is at -20 m at `from_s`.
fn steady(number: u16, from_s: f64, v: f64, every_s: f64) -> Vec<Sighting> {
    let steps = (140.0 / v / every_s) as u32;
    (0..=steps)
        .map(|step| {
            let s = f64::from(step) * every_s;
            sighting(car(number), from_s + s, -20.0 + v * s, 0.0, v)
        })
        .collect()
}

#[test]
fn a_steady_flow_is_counted_with_its_speeds_and_occupancy_however_often_it_is_seen() {
    for every_s in [0.1, 0.35, 1.0] {
        // Ten cars in the first minute, one half as fast as the others.
        let cars = (0..10u16).flat_map(|i| {
            let v = if i == 0 { 5.0 } else { 10.0 };
            steady(i, f64::from(i) * 4.0 + 1.0, v, every_s)
        });
        let found = run(site(), cars.collect(), 120.0);
        let minute = flow(&found, "in", 1, None)[0];
        assert_eq!((minute.count, minute.per_hour), (10, 600.0), "every {every_s} s");
        let close = |value: f64, expected: f64| (value - expected).abs() < 1e-3 * expected;
        assert!(close(minute.time_mean_mps.unwrap(), 9.5), "{minute:?}");
        assert!(close(minute.space_mean_mps.unwrap(), 10.0 / (9.0 / 10.0 + 1.0 / 5.0)), "{minute:?}");
        // Nine cars of 4 m are over the line for 0.4 s, one for 0.8 s.
        assert!(close(minute.occupancy.unwrap(), (9.0 * 0.4 + 0.8) / 60.0), "every {every_s} s: {minute:?}");
        assert_eq!(minute.headway_s, Some(6.0));
        assert_eq!(flow(&found, "in", 1, Some(RoadUserClass::Car))[0].count, 10);
    }
}

#[test]
fn who_turns_round_or_passes_beside_the_line_does_not_count() {
    let there_and_back = (0..40u32).map(|step| {
        let s = f64::from(step) * 0.5;
        sighting(car(1), s + 1.0, -5.0 + 5.5 * (s * 0.3).sin(), 0.0, 1.0)
    });
    let beside = (0..40u32).map(|step| sighting(car(2), 1.0 + f64::from(step), -20.0 + f64::from(step), 3.0, 1.0));
    let found = run(site(), there_and_back.chain(beside).collect(), 60.0);
    assert_eq!(flow(&found, "in", 1, None)[0].count, 0);
}

#[test]
fn one_that_stands_on_the_line_and_trembles_counts_once() {
    let way = |s: f64| match s {
        s if s < 3.0 => -20.0 + 6.5 * s,
        s if s < 40.0 => 0.3 * (s * 7.0).sin(),
        s => 6.0 * (s - 40.0),
    };
    let cars = (0..120u32).map(|step| f64::from(step) * 0.5).map(|s| sighting(car(1), s, way(s), 0.0, 0.0));
    let found = run(site(), cars.collect(), 60.0);
    let minute = flow(&found, "in", 1, None)[0];
    assert_eq!(minute.count, 1);
    let occupied_s = minute.occupancy.unwrap() * 60.0;
    assert!((37.0..39.0).contains(&occupied_s), "{occupied_s}");
}

#[test]
fn a_vehicle_that_is_lost_beyond_the_line_has_passed() {
    for (last_m, count) in [(-0.5, 0), (0.5, 1)] {
        let cars = (0..=10u32).map(|step| {
            let s = f64::from(step) * 0.1;
            sighting(car(1), 1.0 + s, last_m - 10.0 * (1.0 - s), 0.0, 10.0)
        });
        let found = run(site(), cars.collect(), 60.0);
        assert_eq!(flow(&found, "in", 1, None)[0].count, count, "last seen at {last_m} m");
    }
}

#[test]
fn a_connected_car_that_two_units_see_is_one_car() {
    let mut all = steady(1, 1.0, 10.0, 0.4);
    // The second unit sees it 1 m off, later and at other times; its own messages are 0.8 m off.
    all.extend(steady(7, 1.25, 10.0, 0.5).into_iter().map(|s| Sighting {
        subject: Subject::Perceived(2, 7),
        place: [s.place[0] + 2.5 + 0.7, 0.7],
        ..s
    }));
    all.extend(steady(0, 1.1, 10.0, 0.3).into_iter().map(|s| Sighting {
        subject: Subject::Itself(99),
        place: [s.place[0] + 1.0, -0.8],
        ..s
    }));
    let found = run(site(), all, 60.0);
    assert_eq!(flow(&found, "in", 1, None)[0].count, 1);
    assert_eq!(flow(&found, "in", 5, None).len(), 0, "five minutes are not over");
}

#[test]
fn cars_side_by_side_and_one_after_the_other_stay_two() {
    let mut all = steady(1, 1.0, 10.0, 0.4);
    all.extend(steady(2, 1.0, 10.0, 0.4).into_iter().map(|s| Sighting {
        subject: Subject::Perceived(2, 2),
        place: [s.place[0], 3.2],
        ..s
    }));
    all.extend(steady(3, 2.0, 10.0, 0.4).into_iter().map(|s| Sighting { subject: Subject::Perceived(2, 3), ..s }));
    let mut wide = site();
    wide.gates[0].line_m = Line([[0.0, -2.0], [0.0, 5.0]]);
    let found = run(wide, all, 60.0);
    assert_eq!(flow(&found, "in", 1, None)[0].count, 3);
}

#[test]
fn a_unit_takes_over_where_another_loses_sight() {
    let way = steady(1, 1.0, 10.0, 0.5);
    let of = |subject: Subject, from_m: f64, to_m: f64| {
        let seen: Vec<_> = way.iter().filter(|s| (from_m..to_m).contains(&s.place[0])).collect();
        seen.into_iter().map(|s| Sighting { subject, ..*s }).collect::<Vec<_>>()
    };
    // Both see it for 20 m.
    let all = [of(car(1), -20.0, 60.0), of(Subject::Perceived(2, 9), 40.0, 120.0)].concat();
    let found = run(site(), all, 60.0);
    let trips: Vec<_> = found
        .iter()
        .filter_map(|f| match f {
            FlowFinding::Movement(movement) if movement.class.is_none() => Some(movement),
            _ => None,
        })
        .collect();
    assert_eq!(trips.len(), 1, "one minute with one trip");
    let trip = trips[0];
    assert_eq!((trip.from_arm.as_str(), trip.to_arm.as_str(), trip.count), ("west", "east", 1));
    assert!((trip.travel_s - 10.0).abs() < 0.1, "{trip:?}");
    // Free traffic at 50 km/h needs 7.2 s for 100 m.
    assert!((trip.delay_s - 2.8).abs() < 0.1, "{trip:?}");
    assert_eq!(trip.level, LevelOfService::A);
}

#[test]
fn a_queue_ends_where_the_gap_is_too_wide() {
    // Three cars of 4 m stand 3 m apart behind the line, a fourth 15 m behind them, one beside them drives.
    let places = [98.0, 91.0, 84.0, 65.0];
    let seconds = (0..60u32).map(f64::from);
    let stand = seconds
        .clone()
        .flat_map(|s| places.into_iter().zip(1u16..).map(move |(e_m, number)| sighting(car(number), s, e_m, 0.0, 0.0)));
    let drives = seconds.map(|s| sighting(car(9), s, 88.0 + 3.0 * s, 0.0, 3.0));
    let found = run(site(), stand.chain(drives).collect(), 60.0);
    let queue = found.iter().find_map(|finding| match finding {
        FlowFinding::Queue(queue) => Some(queue),
        _ => None,
    });
    let queue = queue.unwrap();
    assert_eq!(queue.longest, Queue { vehicles: 3, length_m: 18.0 });
    let mean = queue.mean_vehicles.unwrap();
    assert!((2.8..=3.0).contains(&mean), "{mean}");
}

#[test]
fn an_interval_that_nobody_observed_says_so() {
    let mut all = steady(1, 1.0, 10.0, 0.5);
    all.extend(steady(2, 121.0, 10.0, 0.5));
    let found = run(site(), all, 180.0);
    let observed: Vec<_> = flow(&found, "in", 1, None).iter().map(|flow| (flow.count, flow.observed)).collect();
    assert_eq!(observed.len(), 3);
    assert_eq!((observed[1].0, observed[1].1), (0, 0.0));
    assert!(observed[0].1 > 0.2 && observed[0].1 < 0.4, "{observed:?}");
    assert_eq!(flow(&found, "in", 1, None)[1].occupancy, None);
}

#[test]
fn the_same_sightings_give_the_same_findings_and_numbers() {
    let sightings: Vec<_> = (0..30u16).flat_map(|i| steady(i, f64::from(i) * 7.0, 9.0, 0.5)).collect();
    let run_from = |from_s: f64| {
        let mut services = Services::new(site()).unwrap();
        let mut sightings: Vec<_> = sightings.iter().filter(|sighting| sighting.at >= at(from_s)).collect();
        sightings.sort_by_key(|sighting| sighting.at);
        let mut found = Vec::new();
        for sighting in sightings {
            found.extend(services.advance(sighting.at));
            services.hear(sighting.at);
            services.see(sighting);
        }
        found
    };
    let whole = run_from(0.0);
    assert_eq!(whole, run_from(0.0));
    // Begun again a minute before: the same numbers from there on, and the same minutes.
    let again = run_from(60.0);
    let later: Vec<_> = whole.iter().filter(|finding| finding.at > at(130.0)).collect();
    assert!(!later.is_empty());
    for finding in later {
        let same = again.iter().find(|other| other.sequence == finding.sequence);
        assert_eq!(Some(finding), same);
    }
}

/// Slots of a working day: a morning hump around 8 o'clock.
fn usual(slot: usize) -> f64 {
    let hour = slot as f64 / 12.0;
    20.0 + 60.0 * (-(hour - 8.0).powi(2) / 2.0).exp()
}

#[test]
fn forecasts_beat_persistence_over_days_with_a_rhythm() {
    // Days differ by a factor, and counts by a hash: no random source in a test that must stay the same.
    let noise = |n: u64| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / f64::from(1u32 << 24) - 0.5;
    let factors = [1.0, 0.9, 1.1, 1.0, 1.25];
    let mut forecaster = Forecaster::new(0);
    let [mut ours, mut persistence] = [0.0, 0.0];
    // Monday 5 January 1970.
    for (day, factor) in (4i64..).zip(factors) {
        let count = |slot: usize| {
            let mean = usual(slot) * factor;
            (mean + noise(day as u64 * 288 + slot as u64) * 3.0 * mean.sqrt()).round()
        };
        let quarter = |slot: usize| (slot..slot + 3).map(count).sum::<f64>();
        for slot in 0..288 {
            let from = Timestamp::from_unix_ms((day * 288 + slot as i64) * forecast::SLOT_MS);
            forecaster.take(from, count(slot));
            if day < 7 || !(3..285).contains(&slot) {
                continue;
            }
            let forecast = forecaster.forecast().unwrap();
            assert_eq!(forecast.from, from.plus_ms(forecast::SLOT_MS));
            ours += (forecast.expected - quarter(slot + 1)).abs();
            persistence += (quarter(slot - 2) - quarter(slot + 1)).abs();
        }
    }
    assert!(ours < 0.75 * persistence, "{ours} against {persistence}");
}

#[test]
fn a_forecast_without_history_follows_the_level_and_says_how_sure_it_is() {
    let mut forecaster = Forecaster::new(60);
    assert_eq!(forecaster.forecast(), None);
    for slot in 0..24 {
        forecaster.take(Timestamp::from_unix_ms(slot * forecast::SLOT_MS), 40.0);
    }
    let forecast = forecaster.forecast().unwrap();
    assert!((forecast.expected - 120.0).abs() < 0.5, "{forecast:?}");
    assert!(forecast.low < 100.0 && forecast.low > 60.0 && forecast.high > 140.0, "{forecast:?}");
}
