//! Rules of the road: who breaks them does so by the rate that is set, and the truth notices.

#![allow(clippy::unwrap_used, reason = "a test")]

use masa_sim::actor::{ActorId, ActorKind, Role};
use masa_sim::geometry::gap_between;
use masa_sim::people::{MannersSettings, People, PeopleSettings, PersonSpec};
use masa_sim::random::Seed;
use masa_sim::roads::{EdgeId, Roads, SignalPhase, SignalState, Users};
use masa_sim::traffic::{Behaviour, SpeedFactor, Traffic, TrafficSettings, VehicleSpec, shortest_route};
use masa_sim::truth::rules::{Breach, Rule, RuleWatch, time_to_collision};
use masa_sim::world::Command;
use masa_sim::{Snapshot, Weather, World};
use std::collections::BTreeSet;
use std::sync::Arc;

const STEP_S: f64 = 0.1;

fn edge(roads: &Roads, name: &str) -> EdgeId {
    EdgeId(roads.edges.iter().position(|edge| edge.name == name).unwrap() as u32)
}

/// A car whose driver goes exactly as fast as allowed.
fn car(roads: &Roads, from: &str, to: &str, depart_s: f64) -> VehicleSpec {
    let route = shortest_route(roads, edge(roads, from), edge(roads, to), Users::CAR).unwrap();
    let mut spec = VehicleSpec::new(ActorKind::Car, Role::Ordinary, route).unwrap();
    spec.vehicle_type.speed_factor = SpeedFactor { mean: 1.0, deviation: 0.0, min: 1.0, max: 1.0 };
    VehicleSpec { depart_s, ..spec }
}

fn traffic(roads: &Arc<Roads>, behaviour: Behaviour, seed: u64) -> Traffic {
    Traffic::new(roads.clone(), TrafficSettings { behaviour, ..TrafficSettings::default() }, Seed(seed))
}

/// Runs traffic for some time; who broke which rule, and what `look` makes of each step.
fn watch(
    roads: &Arc<Roads>,
    traffic: Traffic,
    seconds: f64,
    mut look: impl FnMut(&Snapshot) -> Vec<ActorId>,
) -> Vec<Breach> {
    let mut world = World::new(roads.clone(), STEP_S, Weather::default());
    world.add(Box::new(traffic));
    let mut watch = RuleWatch::new(roads.clone());
    let mut breaches = Vec::new();
    for _ in 0..(seconds / STEP_S) as u32 {
        breaches.extend(watch.watch(world.step()));
        for id in look(world.now()) {
            world.command(id, Command::Remove);
        }
    }
    breaches
}

/// How many different actors broke a rule.
fn breakers(breaches: &[Breach], rule: Rule) -> usize {
    breaches.iter().filter(|breach| breach.rule == rule).map(|breach| breach.actor).collect::<BTreeSet<_>>().len()
}

/// Whether a count is what a rate gives, to three and a half standard deviations of the binomial distribution.
fn is_by_rate(count: usize, of: usize, rate: f64) -> bool {
    let (mean, variance) = (of as f64 * rate, of as f64 * rate * (1.0 - rate));
    (count as f64 - mean).abs() <= 3.5 * variance.sqrt()
}

/// The shipped map with a junction that shows red to everybody for ever.
fn red_roads() -> Arc<Roads> {
    let mut roads = Roads::shipped("masa").unwrap();
    for signal in &mut roads.signals {
        let states = vec![SignalState::Red; signal.phases[0].states.len()];
        signal.phases = vec![SignalPhase { duration_s: 60.0, min_s: 60.0, max_s: 60.0, states }];
    }
    Arc::new(roads)
}

#[test]
fn drivers_run_red_by_rate_and_nobody_does_without() {
    const DRIVERS: usize = 150;
    let roads = red_roads();
    let count = |rate: f64, seed: u64| {
        let mut traffic = traffic(&roads, Behaviour { red_light: rate, ..Behaviour::default() }, seed);
        for place in 0..DRIVERS {
            traffic.spawn(car(&roads, "west-centre", "centre-north", place as f64 * 8.0)).unwrap();
        }
        // Who stands at the line has made up its mind and gives room to the next.
        let breaches = watch(&roads, traffic, DRIVERS as f64 * 8.0 + 60.0, |now| {
            now.actors.iter().filter(|a| a.speed_mps < 0.1 && a.pose.position.x > -30.0).map(|a| a.id).collect()
        });
        breakers(&breaches, Rule::RedLight)
    };
    assert_eq!(count(0.0, 1), 0);
    assert_eq!(count(1.0, 1), DRIVERS);
    let counts = [1, 1, 2].map(|seed| count(0.3, seed));
    assert_eq!(counts[0], counts[1], "the same seed again");
    assert!(counts.iter().all(|count| is_by_rate(*count, DRIVERS, 0.3)), "{counts:?} of {DRIVERS}");
}

#[test]
fn red_light_runners_come_close_to_those_who_have_green() {
    let roads = Arc::new(Roads::shipped("masa").unwrap());
    let run = |rate: f64| {
        let mut traffic = traffic(&roads, Behaviour { red_light: rate, ..Behaviour::default() }, 3);
        // From the west few enough that most come to the line as the first.
        for place in 0..60 {
            traffic.spawn(car(&roads, "west-centre", "centre-side", f64::from(place) * 16.0)).unwrap();
        }
        for place in 0..240 {
            traffic.spawn(car(&roads, "north-centre", "centre-back", f64::from(place) * 4.0)).unwrap();
        }
        let mut close = BTreeSet::new();
        let breaches = watch(&roads, traffic, 1_000.0, |now| {
            for (place, a) in now.actors.iter().enumerate() {
                for b in &now.actors[place + 1..] {
                    let crosses = (a.pose.yaw_rad - b.pose.yaw_rad).sin().abs() > 0.7;
                    let moves = a.speed_mps > 3.0 && b.speed_mps > 3.0;
                    if crosses && moves && time_to_collision(a, b, 1.5).is_some() {
                        close.insert((a.id, b.id));
                    }
                }
            }
            Vec::new()
        });
        let runners: BTreeSet<_> =
            breaches.iter().filter(|breach| breach.rule == Rule::RedLight).map(|breach| breach.actor).collect();
        let of_runners = close.iter().filter(|(a, b)| runners.contains(a) || runners.contains(b)).count();
        (runners.len(), close.len(), of_runners)
    };
    let (runners, close, _) = run(0.0);
    assert_eq!((runners, close), (0, 0), "who obeys meets nobody across");
    let (runners, close, of_runners) = run(0.4);
    assert!(runners >= 10 && close >= 5, "{runners} ran red, {close} came close");
    assert_eq!(close, of_runners, "and each of them by one who ran red");
}

#[test]
fn drivers_go_on_the_wrong_side_by_rate_and_come_back_before_they_meet_anybody() {
    const DRIVERS: usize = 150;
    let roads = Arc::new(Roads::shipped("masa").unwrap());
    let count = |rate: f64, oncoming: bool| {
        let mut traffic = traffic(&roads, Behaviour { wrong_way: rate, ..Behaviour::default() }, 5);
        let mut ids = BTreeSet::new();
        for place in 0..DRIVERS {
            let depart_s = place as f64 * 12.0;
            ids.insert(traffic.spawn(car(&roads, "west-centre", "centre-north", depart_s)).unwrap());
            if oncoming {
                traffic.spawn(car(&roads, "north-centre", "centre-west", depart_s + 5.0)).unwrap();
            }
        }
        let breaches = watch(&roads, traffic, DRIVERS as f64 * 12.0 + 120.0, |now| {
            for (place, a) in now.actors.iter().enumerate() {
                for b in &now.actors[place + 1..] {
                    assert!(gap_between(&a.footprint(), &b.footprint()) > 0.0, "{:.1} s: {a:?} and {b:?}", now.time_s);
                }
            }
            Vec::new()
        });
        assert!(breaches.iter().all(|breach| breach.rule == Rule::WrongWay), "{breaches:?}");
        breaches.iter().map(|breach| breach.actor).filter(|id| ids.contains(id)).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(count(0.0, true), 0);
    let counts = [0.3, 0.3].map(|rate| count(rate, false));
    assert_eq!(counts[0], counts[1], "the same seed again");
    assert!(is_by_rate(counts[0], DRIVERS, 0.3), "{counts:?} of {DRIVERS}");
    // Those who meet somebody early come back before it counts.
    let met = count(0.3, true);
    assert!(met > 5 && met <= counts[0], "{met} of {}", counts[0]);
}

#[test]
fn drivers_speed_by_rate_and_nobody_does_without() {
    const DRIVERS: usize = 150;
    let roads = Arc::new(Roads::shipped("masa").unwrap());
    let count = |rate: f64| {
        let mut traffic = traffic(&roads, Behaviour { speeding: rate, ..Behaviour::default() }, 9);
        for place in 0..DRIVERS {
            traffic.spawn(car(&roads, "west-centre", "centre-north", place as f64 * 20.0)).unwrap();
        }
        breakers(&watch(&roads, traffic, DRIVERS as f64 * 20.0 + 60.0, |_| Vec::new()), Rule::Speeding)
    };
    assert_eq!(count(0.0), 0);
    let found = count(0.3);
    assert!(is_by_rate(found, DRIVERS, 0.3), "{found} of {DRIVERS}");
}

#[test]
fn people_look_at_phones_and_break_rules_by_rate() {
    const PEOPLE: usize = 400;
    let roads = Arc::new(Roads::shipped("masa").unwrap());
    let count = |rate: f64| {
        let manners = MannersSettings {
            distracted_share: rate,
            jaywalker_share: 0.0,
            ignores_red_share: rate,
            ..MannersSettings::default()
        };
        let settings = PeopleSettings { manners, ..PeopleSettings::default() };
        let mut people = People::new(roads.clone(), settings, Seed(4), 2);
        let drawn: Vec<_> = (0..PEOPLE)
            .map(|place| {
                let from = [-200.0 + 0.4 * place as f64, -9.8];
                let spec = PersonSpec { from, to: vec![[-20.0, -9.8]], ..PersonSpec::default() };
                let id = people.spawn(spec).unwrap();
                people.manners(id).unwrap()
            })
            .collect();
        let of = |has: fn(&masa_sim::people::Manners) -> bool| drawn.iter().filter(|manners| has(manners)).count();
        [of(|manners| manners.distracted), of(|manners| manners.ignores_red), of(|manners| manners.jaywalker)]
    };
    assert_eq!(count(0.0), [0, 0, 0]);
    let [distracted, ignore_red, jaywalk] = count(0.25);
    assert!(is_by_rate(distracted, PEOPLE, 0.25), "{distracted} of {PEOPLE}");
    assert!(is_by_rate(ignore_red, PEOPLE, 0.25), "{ignore_red} of {PEOPLE}");
    assert_eq!(jaywalk, 0);
}
