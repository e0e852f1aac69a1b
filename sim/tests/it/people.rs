//! People against what is known of real ones, and on networks of SUMO.

#![allow(clippy::unwrap_used, reason = "a test")]

use crate::common::data_path;
use masa_sim::people::{CrowdSpec, Manners, MannersSettings, People, PeopleSettings, PersonSpec, Ways, sumo};
use masa_sim::random::Seed;
use masa_sim::{Actor, Roads, Weather, World};
use std::path::PathBuf;
use std::sync::Arc;

fn people_of(settings: PeopleSettings) -> People {
    People::new(Arc::new(Roads::default()), settings, Seed(11), 2)
}

fn attentive() -> PeopleSettings {
    let manners = MannersSettings { distracted_share: 0.0, ..MannersSettings::default() };
    PeopleSettings { manners, ..PeopleSettings::default() }
}

fn world_of(people: People) -> World {
    let mut world = World::new(Arc::new(Roads::default()), 0.1, Weather::default());
    world.add(Box::new(people));
    world
}

/// A ring of corridor: people walk round and round, so that their density stays what it is.
struct Ring {
    radius_m: f64,
    width_m: f64,
}

impl Ring {
    fn length_m(&self) -> f64 {
        std::f64::consts::TAU * self.radius_m
    }

    fn point(&self, angle: f64) -> [f64; 2] {
        [self.radius_m * angle.cos(), self.radius_m * angle.sin()]
    }

    /// The i-th of n people, `turns` of 1 counter-clockwise and −1 clockwise.
    fn person(&self, i: u32, n: u32, turn: f64) -> PersonSpec {
        let start = f64::from(i) / f64::from(n) * std::f64::consts::TAU;
        let corner = std::f64::consts::TAU / 72.0;
        PersonSpec {
            from: self.point(start),
            to: (1..72 * 4).map(|k| self.point(start + turn * corner * f64::from(k))).collect(),
            ways: Ways::Corridor(self.width_m),
            manners: Some(Manners::default()),
            ..PersonSpec::default()
        }
    }

    fn world(&self, n: u32, turn: impl Fn(u32) -> f64) -> World {
        let mut people = people_of(attentive());
        for i in 0..n {
            people.spawn(self.person(i, n, turn(i))).unwrap();
        }
        world_of(people)
    }
}

fn angle(actor: &Actor) -> f64 {
    actor.pose.position.y.atan2(actor.pose.position.x)
}

/// Speed along the ring, metres a second, counter-clockwise.
fn speed_along(actor: &Actor) -> f64 {
    actor.speed_mps * (actor.pose.yaw_rad - angle(actor) - std::f64::consts::FRAC_PI_2).cos()
}

fn run(world: &mut World, seconds: f64) {
    for _ in 0..(seconds * 10.0) as usize {
        world.step();
    }
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

#[test]
fn alone_people_walk_as_fast_as_weidmann_measured() {
    let mut people = people_of(attentive());
    for i in 0..400 {
        let y = f64::from(i) * 12.0;
        people
            .spawn(PersonSpec { from: [0.0, y], to: vec![[200.0, y]], ways: Ways::Straight, ..PersonSpec::default() })
            .unwrap();
    }
    let mut world = world_of(people);
    run(&mut world, 20.0);
    let speeds: Vec<f64> = world.now().actors.iter().map(|actor| actor.speed_mps).collect();
    let mean_mps = mean(speeds.iter().copied());
    let deviation = mean(speeds.iter().map(|v| (v - mean_mps).powi(2))).sqrt();
    println!("free speed: {mean_mps:.3} ± {deviation:.3} m/s (Weidmann 1993: 1.34 ± 0.26)");
    // Three standard errors of 400 people: 0.04 m/s.
    assert!((mean_mps - 1.34).abs() < 0.04 && (deviation - 0.26).abs() < 0.04);
}

/// Weidmann's fundamental diagram (IVT 90, 1993): speed at a density, metres a second.
fn weidmann(density_per_m2: f64) -> f64 {
    1.34 * (1.0 - (-1.913 * (1.0 / density_per_m2 - 1.0 / 5.4)).exp())
}

#[test]
fn speed_falls_with_density_as_weidmann_measured() {
    let ring = Ring { radius_m: 10.0, width_m: 2.5 };
    let area = ring.length_m() * ring.width_m;
    let mut flows = Vec::new();
    for density in [0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5] {
        let n = (density * area) as u32;
        let mut world = ring.world(n, |_| 1.0);
        run(&mut world, 15.0);
        let mut speeds = Vec::new();
        for _ in 0..10 {
            run(&mut world, 1.0);
            speeds.push(mean(world.now().actors.iter().map(speed_along)));
        }
        let (speed, expected) = (mean(speeds), weidmann(density));
        println!("density {density:4.2}/m²: {speed:.2} m/s, Weidmann {expected:.2}, flow {:.2}/(m s)", density * speed);
        assert!((speed - expected).abs() < 0.2, "at {density}/m² {speed:.2} m/s instead of {expected:.2}");
        flows.push(density * speed);
    }
    // The flow has its capacity between 1 and 3 people a square metre (Weidmann: 1.75).
    let top = flows.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
    assert!((2..=6).contains(&top.0) && (0.9..1.6).contains(top.1), "{flows:?}");
}

#[test]
fn opposite_streams_form_lanes() {
    let ring = Ring { radius_m: 10.0, width_m: 3.0 };
    let n = 150;
    // Order of Rex and Löwen (Phys. Rev. E 75, 2007): who is in front of or behind one within 6 m in one's own lane, 0.4 m to
    // either side, goes one's way (1) or as often the other (0).
    let order = |world: &World| {
        let actors = &world.now().actors;
        let out = |actor: &Actor| actor.pose.position.coords.xy().norm();
        mean(actors.iter().filter_map(|me| {
            let near = actors.iter().filter(|other| {
                let ahead_m = masa_sim::geometry::angle_between(angle(other), angle(me)).abs() * ring.radius_m;
                other.id != me.id && (out(me) - out(other)).abs() < 0.4 && ahead_m < 6.0
            });
            let ways: Vec<f64> = near.map(|other| speed_along(me).signum() * speed_along(other).signum()).collect();
            (!ways.is_empty()).then(|| mean(ways).powi(2))
        }))
    };
    let mut world = ring.world(n, |i| if i % 2 == 0 { 1.0 } else { -1.0 });
    run(&mut world, 1.0);
    let early = order(&world);
    run(&mut world, 29.0);
    let late = mean((0..10).map(|_| {
        run(&mut world, 1.0);
        order(&world)
    }));
    let speed = mean(world.now().actors.iter().map(|actor| speed_along(actor).abs()));
    println!("lanes: order {early:.2} after 1 s, {late:.2} after 30 s; mean speed {speed:.2} m/s");
    assert!(late > 0.7 && late > early + 0.3 && speed > 0.9, "{early:.2} {late:.2} {speed:.2}");
}

#[test]
fn a_crowd_leaves_a_square_and_nobody_is_walked_through() {
    let mut people = people_of(attentive());
    let exits = vec![[60.0, 0.0], [-60.0, 0.0], [0.0, 60.0]];
    let crowd = CrowdSpec { people: 300, radius_m: 7.0, exits, ..CrowdSpec::default() };
    people.spawn_crowd(&crowd).unwrap();
    let mut world = world_of(people);
    let mut least = f64::INFINITY;
    for step in 0..1500 {
        world.step();
        if step % 20 == 19 {
            let at: Vec<_> = world.now().actors.iter().map(|actor| actor.pose.position.xy()).collect();
            for (i, a) in at.iter().enumerate() {
                least = at[i + 1..].iter().map(|b| (a - b).norm()).fold(least, f64::min);
            }
        }
    }
    println!("crowd: nearest {least:.2} m, {} left", world.now().actors.len());
    // Bodies of adults have a radius of 0.25 m; in a press they are squeezed, never passed through.
    assert!(world.now().actors.is_empty() && least > 0.15, "{} left, nearest {least}", world.now().actors.len());
}

fn sumo_world(folder: &str, net: &str, test: &str) -> Option<(PathBuf, Arc<Roads>)> {
    let folder = data_path(&format!("sim/sumo/{folder}"), test)?;
    let roads = Roads::load(folder.join(net)).unwrap();
    Some((folder, Arc::new(roads)))
}

#[test]
fn the_people_of_a_sumo_route_file_walk_to_where_they_want() {
    let test = "the_people_of_a_sumo_route_file_walk_to_where_they_want";
    let Some((folder, roads)) = sumo_world("acosta_persontrips", "acosta_peds.net.xml", test) else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let stops = sumo::read_stops(&read("acosta_bus_stops.add.xml"), "stops", &roads).unwrap();
    let walkers = sumo::read_people(&read("persontrips.rou.xml"), "persons", &roads, &stops).unwrap();
    assert_eq!(walkers.len(), 7200);
    let mut people = People::new(roads.clone(), attentive(), Seed(3), 2);
    people.spawn_sumo(&walkers[..200]).unwrap();
    let mut world = World::new(roads.clone(), 0.25, Weather::default());
    world.add(Box::new(people));
    let (mut most, mut on_crossing, mut far_off) = (0, 0, 0);
    for _ in 0..4 * 900 {
        world.step();
        most = most.max(world.now().actors.len());
        for actor in &world.now().actors {
            if let Some(on) = actor.on_lane {
                let lane = roads.lane(on.lane);
                on_crossing += usize::from(roads.edge(lane.edge).kind == masa_sim::roads::EdgeKind::Crossing);
                if on.offset_m.abs() > lane.width_m / 2.0 + 0.5 {
                    far_off += 1;
                }
            }
        }
    }
    println!("acosta: at most {most} on the road, {on_crossing} steps on crossings, {far_off} off their lane");
    assert!(most > 100 && on_crossing > 1000 && far_off * 50 < on_crossing, "{most} {on_crossing} {far_off}");
    assert!(world.now().actors.len() < most / 2, "{} are still there", world.now().actors.len());
}
