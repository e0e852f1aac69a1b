//! What the radio model delivers by distance and by load: `cargo run -p masa-sim --example radio`.

use masa_sim::actor::{Actor, ActorId, ActorKind, Lights, Pose, Role};
use masa_sim::radio::{Access, Radio, RadioSettings, StationKey};
use masa_sim::random::Seed;
use masa_sim::roads::Building;
use masa_sim::{Roads, Snapshot};
use nalgebra::{Point2, Point3};

const BYTES: usize = 350;

fn car(number: u32, x: f64, y: f64) -> Actor {
    Actor {
        id: ActorId(number),
        kind: ActorKind::Car,
        role: Role::Ordinary,
        pose: Pose { position: Point3::new(x, y, 0.0), yaw_rad: 0.0, pitch_rad: 0.0 },
        speed_mps: 0.0,
        acceleration_mps2: 0.0,
        yaw_rate_rps: 0.0,
        size: ActorKind::Car.usual_size(),
        lights: Lights::default(),
        appearance: 0,
        on_lane: None,
        connected: true,
    }
}

/// Share of messages that a car at the origin gets over to one that creeps around `to`.
fn pair(access: Access, roads: &Roads, from: (f64, f64), to: (f64, f64)) -> f64 {
    let mut radio = Radio::new(RadioSettings { access, ..RadioSettings::default() }, roads, Seed(1));
    let mut arrived = 0;
    let steps = 1000;
    for step in 0..steps {
        let time_s = f64::from(step) * 0.1;
        let creep = f64::from(step % 40) * 0.5 - 10.0;
        let actors = vec![car(1, from.0, from.1), car(2, to.0 + creep, to.1)];
        radio.send(StationKey::Actor(ActorId(1)), BYTES, time_s);
        arrived += radio.step(&Snapshot { time_s, actors, ..Snapshot::default() }, time_s + 0.1).len();
    }
    arrived as f64 / f64::from(steps)
}

/// Delivery within 100 m and the busy ratio, of `count` cars on 400 m of four lanes.
fn crowd(access: Access, count: u32) -> (f64, f64) {
    let mut radio = Radio::new(RadioSettings { access, ..RadioSettings::default() }, &Roads::default(), Seed(1));
    let place = |i: u32| Point2::new(f64::from(i) * 400.0 / f64::from(count), f64::from(i % 4) * 3.5);
    let actors: Vec<Actor> = (0..count).map(|i| car(i, place(i).x, place(i).y)).collect();
    let near = |a: u32, b: u32| a != b && (place(a) - place(b)).norm() < 100.0;
    let number = |key: StationKey| match key {
        StationKey::Actor(id) => id.0,
        StationKey::Fixed(number) => number,
    };
    let (mut arrived, mut busy, steps) = (0, 0.0, 40u32);
    for step in 0..steps {
        let time_s = f64::from(step) * 0.1;
        for i in 0..count {
            radio.send(StationKey::Actor(ActorId(i)), BYTES, time_s + 0.1 * (f64::from(i) * 0.618).fract());
        }
        let deliveries = radio.step(&Snapshot { time_s, actors: actors.clone(), ..Snapshot::default() }, time_s + 0.1);
        if step >= 20 {
            arrived += deliveries.iter().filter(|d| near(number(d.from), number(d.to))).count();
            busy += radio.channel_busy_ratio(StationKey::Actor(ActorId(count / 2))) / f64::from(steps - 20);
        }
    }
    let pairs = (0..count).flat_map(|a| (0..count).filter(move |b| near(a, *b))).count();
    (arrived as f64 / (pairs * (steps as usize - 20)) as f64, busy)
}

fn main() {
    let corner = [(10.0, 10.0), (600.0, 10.0), (600.0, 600.0), (10.0, 600.0)].map(|(x, y)| Point2::new(x, y));
    let house = Building { outline: corner.to_vec(), height_m: 15.0 };
    let (open, built) = (Roads::default(), Roads { buildings: vec![house], ..Roads::default() });
    println!(
        "share of messages of {BYTES} bytes that arrive\ndistance m |  50  100  200  300  400  500  600  800 1000"
    );
    let distances = [50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 800.0, 1000.0];
    for access in [Access::ItsG5, Access::Pc5] {
        let row = |roads: &Roads, along: bool| {
            let at =
                |d: f64| if along { ((0.0, 0.0), (d, 0.0)) } else { ((0.0, d / 2f64.sqrt()), (d / 2f64.sqrt(), 0.0)) };
            let share = |d: &f64| format!("{:5.2}", pair(access, roads, at(*d).0, at(*d).1));
            distances.iter().map(share).collect::<String>()
        };
        println!("{access:?}, in sight: {}", row(&open, true));
        println!("{access:?}, round a corner: {}", row(&built, false));
    }
    println!("cars on 400 m, {BYTES} bytes at 10 Hz: delivered within 100 m, channel busy");
    for access in [Access::ItsG5, Access::Pc5] {
        for count in [10, 25, 50, 100, 150, 200, 300] {
            let (delivered, busy) = crowd(access, count);
            println!("{access:?} {count:4}: {delivered:.3} {busy:.2}");
        }
    }
}
