//! People on a small network: a street with a pavement on both sides and a crossing.

use super::*;
use crate::geometry::Polyline;
use crate::roads::{
    Edge, EdgeId, EdgeKind, JunctionId, Lane, LaneId, LaneKind, Link, LinkId, RightOfWay, SignalController, SignalId,
    SignalPhase, Turn, Users,
};
use crate::weather::Weather;
use crate::world::World;
use crate::{ActorKind, actor};
use nalgebra::Point3;

/// A street from west to east: two lanes of 3.2 m, pavements of 2 m beside them, a crossing at x = 0 that begins in the
/// south; `signalled` puts it under controller 0.
pub(super) fn street(signalled: bool) -> Roads {
    let mut roads = Roads { name: "street".into(), ..Roads::default() };
    let line = |points: &[(f64, f64)]| Polyline::new(points.iter().map(|(x, y)| Point3::new(*x, *y, 0.0)));
    let mut add = |kind: EdgeKind, ends: (u32, u32), lanes: &[(LaneKind, Users, f64, Polyline)]| {
        let edge = EdgeId(roads.edges.len() as u32);
        let mut ids = Vec::new();
        for (index, (kind, users, width_m, centre)) in lanes.iter().enumerate() {
            ids.push(LaneId(roads.lanes.len() as u32));
            roads.lanes.push(Lane {
                edge,
                index: index as u16,
                kind: *kind,
                users: *users,
                speed_limit_mps: 13.9,
                length_m: centre.length_m(),
                width_m: *width_m,
                centre: centre.clone(),
                ..Lane::default()
            });
        }
        let (from, to) = (Some(JunctionId(ends.0)), Some(JunctionId(ends.1)));
        roads.edges.push(Edge { kind, lanes: ids.clone(), from, to, ..Edge::default() });
        ids
    };
    let road = |from: f64, to: f64, y: f64, pavement_y: f64| {
        [
            (LaneKind::Sidewalk, Users::PEDESTRIAN, 2.0, line(&[(from, pavement_y), (to, pavement_y)])),
            (LaneKind::Driving, Users::ROAD, 3.2, line(&[(from, y), (to, y)])),
        ]
    };
    // West to the middle, middle to the east, and back on the other side.
    let parts = [
        (0, 1, road(-100.0, -3.0, -1.6, -4.2)),
        (1, 2, road(3.0, 100.0, -1.6, -4.2)),
        (2, 1, road(100.0, 3.0, 1.6, 4.2)),
        (1, 0, road(-3.0, -100.0, 1.6, 4.2)),
    ];
    let sides: Vec<_> = parts.iter().map(|(from, to, lanes)| add(EdgeKind::Road, (*from, *to), lanes)).collect();
    let inner = [(-3.0, 3.0, -1.6), (3.0, -3.0, 1.6)].map(|(from, to, y)| {
        add(EdgeKind::Internal, (1, 1), &[(LaneKind::Driving, Users::ROAD, 3.2, line(&[(from, y), (to, y)]))])[0]
    });
    let walk = |points: &[(f64, f64)], width_m| [(LaneKind::Sidewalk, Users::PEDESTRIAN, width_m, line(points))];
    let crossing = add(EdgeKind::Crossing, (1, 1), &walk(&[(0.0, -3.4), (0.0, 3.4)], 4.0))[0];
    let south = add(EdgeKind::WalkingArea, (1, 1), &walk(&[(-3.0, -4.2), (3.0, -4.2)], 2.0))[0];
    let north = add(EdgeKind::WalkingArea, (1, 1), &walk(&[(3.0, 4.2), (-3.0, 4.2)], 2.0))[0];
    let mut link = |from: LaneId, to: LaneId, via: Option<LaneId>, signal: Option<u16>| {
        roads.lanes[from.index()].links.push(LinkId(roads.links.len() as u32));
        roads.links.push(Link {
            from,
            to,
            via,
            junction: Some(JunctionId(1)),
            turn: Turn::Straight,
            right_of_way: RightOfWay::Major,
            signal: signal.filter(|_| signalled).map(|at| (SignalId(0), at)),
            yields_to: Vec::new(),
            conflicts: Vec::new(),
            waits_inside: false,
        });
    };
    for ((from, to), (inner, area)) in [(0, 1), (2, 3)].into_iter().zip(inner.into_iter().zip([south, north])) {
        link(sides[from][1], sides[to][1], Some(inner), Some(0));
        link(inner, sides[to][1], None, None);
        link(sides[from][0], area, None, None);
        link(area, sides[to][0], None, None);
    }
    link(south, crossing, None, Some(1));
    link(crossing, north, None, None);
    if signalled {
        let phase = |duration_s, states: [SignalState; 2]| SignalPhase {
            duration_s,
            min_s: duration_s,
            max_s: duration_s,
            states: states.to_vec(),
        };
        let phases = vec![
            phase(30.0, [SignalState::GreenMajor, SignalState::Red]),
            phase(3.0, [SignalState::Yellow, SignalState::Red]),
            phase(15.0, [SignalState::Red, SignalState::GreenMajor]),
            phase(6.0, [SignalState::Red, SignalState::Red]),
        ];
        roads.signals.push(SignalController { phases, ..SignalController::default() });
    }
    roads
}

/// A car that drives on at constant speed, whatever happens.
#[derive(Debug)]
struct Car {
    x: f64,
    speed_mps: f64,
    stops_at: f64,
}

impl Population for Car {
    fn step(&mut self, _: &Snapshot, _: &[Vec<SignalState>], step_s: f64) {
        self.x = (self.x + self.speed_mps * step_s).min(self.stops_at);
        if self.x >= self.stops_at {
            self.speed_mps = 0.0;
        }
    }

    fn write(&self, into: &mut Vec<Actor>) {
        into.push(car_at(self.x, self.speed_mps));
    }

    fn command(&mut self, _: ActorId, _: Command) -> bool {
        false
    }
}

/// A car on the southern lane.
pub(super) fn car_at(x: f64, speed_mps: f64) -> Actor {
    Actor {
        id: ActorId::of(1, 0),
        kind: ActorKind::Car,
        role: actor::Role::Ordinary,
        pose: actor::Pose { position: Point3::new(x, -1.6, 0.0), yaw_rad: 0.0, pitch_rad: 0.0 },
        speed_mps,
        acceleration_mps2: 0.0,
        yaw_rate_rps: 0.0,
        size: ActorKind::Car.usual_size(),
        lights: actor::Lights::default(),
        appearance: 0,
        on_lane: None,
        connected: false,
    }
}

fn obedient() -> Option<Manners> {
    Some(Manners::default())
}

fn across() -> PersonSpec {
    PersonSpec {
        from: [-20.0, -4.2],
        to: vec![[-20.0, 4.2]],
        speed_mps: Some(1.4),
        manners: obedient(),
        ..PersonSpec::default()
    }
}

fn world(roads: Roads, settings: PeopleSettings, fill: impl FnOnce(&mut People)) -> World {
    let roads = Arc::new(roads);
    let mut people = People::new(roads.clone(), settings, Seed(1), 2);
    fill(&mut people);
    let mut world = World::new(roads, 0.1, Weather::default());
    world.add(Box::new(people));
    world
}

fn person(world: &World) -> Option<Actor> {
    world.now().actors.iter().find(|actor| actor.kind == ActorKind::Adult).cloned()
}

/// Time at which the person steps on the carriageway (|y| < 3.2), and the path's ends.
fn first_on_road(world: &mut World, until_s: f64) -> Option<f64> {
    while world.now().time_s < until_s {
        world.step();
        if person(world).is_some_and(|actor| actor.pose.position.y.abs() < 3.1) {
            return Some(world.now().time_s);
        }
    }
    None
}

#[test]
fn a_person_walks_to_the_crossing_and_over_it_and_is_gone() {
    let mut world = world(street(false), PeopleSettings::default(), |people| {
        people.spawn(across()).unwrap();
    });
    let mut on_crossing = false;
    while let Some(actor) = person(&world) {
        assert!(world.now().time_s < 60.0, "{actor:?}");
        let p = actor.pose.position;
        if p.y.abs() < 3.1 {
            assert!(p.x.abs() < 2.2, "crosses beside the crossing: {p}");
        }
        if p.y.abs() < 2.0 {
            let lane = world.roads().lane(actor.on_lane.unwrap().lane);
            on_crossing = world.roads().edge(lane.edge).kind == EdgeKind::Crossing;
        }
        world.step();
    }
    // 20 m, 8 m across and 20 m back at 1.4 m/s, corners cut and rounded.
    assert!(on_crossing && (28.0..42.0).contains(&world.now().time_s), "{}", world.now().time_s);
}

#[test]
fn red_is_obeyed_and_green_used() {
    let mut world = world(street(true), PeopleSettings::default(), |people| {
        people.spawn(across()).unwrap();
    });
    // The kerb is reached after 15 s, green begins at 33 s.
    let crosses_at = first_on_road(&mut world, 54.0).unwrap();
    assert!((33.0..37.0).contains(&crosses_at), "{crosses_at}");
}

#[test]
fn who_ignores_red_goes_in_a_gap() {
    let mut world = world(street(true), PeopleSettings::default(), |people| {
        let manners = Some(Manners { ignores_red: true, ..Manners::default() });
        people.spawn(PersonSpec { manners, ..across() }).unwrap();
    });
    let crosses_at = first_on_road(&mut world, 54.0).unwrap();
    assert!((12.0..20.0).contains(&crosses_at), "{crosses_at}");
}

#[test]
fn a_person_lets_a_car_pass_that_can_no_longer_stop() {
    let crosses_at = |car: Option<Car>| {
        let mut world = world(street(false), PeopleSettings::default(), |people| {
            people.spawn(across()).unwrap();
        });
        if let Some(car) = car {
            world.add(Box::new(car));
        }
        let at = first_on_road(&mut world, 90.0).unwrap();
        (at, world.now().actors.iter().find(|actor| actor.kind == ActorKind::Car).map(|car| car.pose.position.x))
    };
    let (free, _) = crosses_at(None);
    // It would arrive just when the person enters.
    let (late, car_x) = crosses_at(Some(Car { x: -14.0 * (free + 1.0), speed_mps: 14.0, stops_at: 400.0 }));
    assert!(late > free + 0.8 && car_x.unwrap() > -1.0, "{free} {late} {car_x:?}");
    // It stops before the crossing: it gives way.
    let (given, _) = crosses_at(Some(Car { x: -60.0, speed_mps: 10.0, stops_at: -6.0 }));
    assert!((given - free).abs() < 0.5, "{free} {given}");
}

#[test]
fn a_jaywalker_takes_the_short_way() {
    let crossed_at_x = |jaywalker: bool| {
        let mut world = world(street(false), PeopleSettings::default(), |people| {
            let manners = Some(Manners { jaywalker, ..Manners::default() });
            people.spawn(PersonSpec { from: [-70.0, -4.2], to: vec![[-70.0, 4.2]], manners, ..across() }).unwrap();
        });
        first_on_road(&mut world, 120.0).unwrap();
        person(&world).unwrap().pose.position.x
    };
    assert!(crossed_at_x(true) < -40.0);
    assert!(crossed_at_x(false).abs() < 2.5);
}

#[test]
fn a_child_runs_out_without_looking() {
    let mut world = world(street(false), PeopleSettings::default(), |people| {
        let child = PersonSpec { walker: Walker::Child, to: vec![[-80.0, -4.2]], ..across() };
        let id = people.spawn(child).unwrap();
        assert!(people.run_out(id));
    });
    world.add(Box::new(Car { x: -50.0, speed_mps: 8.0, stops_at: 100.0 }));
    let mut fastest = 0.0f64;
    for _ in 0..40 {
        world.step();
        let child = world.now().actors.iter().find(|actor| actor.kind == ActorKind::Child).unwrap();
        fastest = fastest.max(child.speed_mps);
    }
    let child = world.now().actors.iter().find(|actor| actor.kind == ActorKind::Child).unwrap();
    assert!(fastest > 2.5 && child.pose.position.y > 3.0, "{fastest} {}", child.pose.position);
}

#[test]
fn a_network_without_pavements_is_walked_beside_its_lanes() {
    let mut roads = street(false);
    for edge in roads.edges.iter_mut().filter(|edge| edge.kind == EdgeKind::Road) {
        edge.lanes.remove(0);
    }
    roads.edges.truncate(6);
    roads.lanes.truncate(10);
    roads.links.retain(|link| link.from.index() < 10 && link.to.index() < 10);
    let mut world = world(roads, PeopleSettings::default(), |people| {
        people.spawn(PersonSpec { to: vec![[20.0, 4.2]], ..across() }).unwrap();
    });
    let (mut offside, mut at_crossing) = (0, f64::NAN);
    while let Some(actor) = person(&world) {
        assert!(world.now().time_s < 80.0);
        let p = actor.pose.position;
        if p.y.abs() < 3.0 {
            at_crossing = p.x;
            offside += usize::from(p.x.abs() > 5.0);
        }
        world.step();
    }
    assert!(at_crossing.abs() < 5.0 && offside == 0, "{at_crossing} {offside}");
}

#[test]
fn groups_stay_together_and_dogs_on_the_leash() {
    let mut world = world(street(false), PeopleSettings::default(), |people| {
        let mut leader = None;
        for speed in [1.1, 1.4, 1.7] {
            let walk = PersonSpec {
                from: [-95.0, -4.2],
                to: vec![[-10.0, -4.2]],
                group: Some(7),
                speed_mps: Some(speed),
                ..across()
            };
            leader = leader.or(people.spawn(walk).ok());
        }
        let dog = PersonSpec { walker: Walker::Dog, from: [-95.0, -4.2], to: vec![[-10.0, -4.2]], leader, ..across() };
        people.spawn(dog).unwrap();
    });
    for _ in 0..400 {
        world.step();
    }
    let at = |kind| world.now().actors.iter().filter(move |actor| actor.kind == kind).map(|a| a.pose.position.x);
    let group: Vec<f64> = at(ActorKind::Adult).collect();
    let spread = group.iter().fold(f64::MIN, |a, b| a.max(*b)) - group.iter().fold(f64::MAX, |a, b| a.min(*b));
    // Alone, they would be 24 m apart by now.
    assert!(group.len() == 3 && spread < 4.0, "{group:?}");
    assert!((at(ActorKind::Dog).next().unwrap() - group[0]).abs() < 1.6 && group[0] > -60.0, "{group:?}");
}

#[test]
fn the_same_seed_gives_the_same_people_on_one_thread_or_two() {
    let run = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let roads = Arc::new(street(true));
            let demand =
                DemandSettings { at_start: 60, trips_per_hour: 3000.0, trip_m: (20.0, 150.0), ..Default::default() };
            let settings = PeopleSettings { demand: Some(demand), ..PeopleSettings::default() };
            let mut people = People::new(roads.clone(), settings, Seed(seed), 2);
            let crowd = CrowdSpec {
                people: 240,
                centre: [50.0, 40.0],
                exits: vec![[90.0, 40.0], [10.0, 40.0]],
                ..CrowdSpec::default()
            };
            people.spawn_crowd(&crowd).unwrap();
            let mut world = World::new(roads, 0.1, Weather::default());
            world.add(Box::new(people));
            for _ in 0..100 {
                world.step();
            }
            world.now().actors.clone()
        })
    };
    let one = run(1, 5);
    assert!(one.len() > 250 && one == run(2, 5) && one != run(1, 6), "{}", one.len());
}

#[test]
fn commands_and_errors() {
    let roads = Arc::new(street(false));
    let mut people = People::new(roads, PeopleSettings::default(), Seed(1), 2);
    let id = people.spawn(across()).unwrap();
    assert!(people.command(id, Command::LimitSpeed(Some(0.0))) && !people.command(ActorId(3), Command::Release));
    let mut before = Snapshot::default();
    for step in 0..30 {
        people.step(&before, &[], 0.1);
        before.time_s = f64::from(step) * 0.1;
    }
    assert!(people.people[0].velocity.norm() < 0.05);
    assert!(!people.command(id, Command::ChangeLane(1)) && people.command(id, Command::Remove) && people.is_empty());
    let far = PersonSpec { from: [0.0, 900.0], ..across() };
    assert!(matches!(people.spawn(far), Err(PeopleError::NoPavement(..))));
    let nowhere = PersonSpec { to: vec![[f64::NAN, 0.0]], ..across() };
    assert!(matches!(people.spawn(nowhere), Err(PeopleError::NotFinite(_))));
    let crowd = CrowdSpec { people: 900, radius_m: 5.0, ..CrowdSpec::default() };
    assert!(matches!(people.spawn_crowd(&crowd), Err(PeopleError::TooMany(900, _, 353))));
}
