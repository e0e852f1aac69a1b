use super::*;
use crate::actor::Actor;
use crate::roads::Building;
use crate::sensors::gnss::tests::car;
use nalgebra::Point2;

fn at(number: u32, x: f64, y: f64) -> Actor {
    Actor { id: ActorId(number), ..car(x, y, 0.0) }
}

fn key(number: u32) -> StationKey {
    StationKey::Actor(ActorId(number))
}

/// Share of messages of the first actor that reach the second, sent at 10 Hz for `seconds`. Both creep, so that shadowing
/// changes.
fn delivery_ratio(settings: &RadioSettings, roads: &Roads, from: (f64, f64), to: (f64, f64), seconds: u32) -> f64 {
    let mut radio = Radio::new(settings.clone(), roads, Seed(5));
    let mut arrived = 0;
    for step in 0..seconds * 10 {
        let (time_s, creep) = (f64::from(step) * 0.1, f64::from(step % 40) * 0.5 - 10.0);
        let actors = vec![at(1, from.0, from.1), at(2, to.0 + creep, to.1)];
        radio.send(key(1), 350, time_s + 0.01);
        arrived += radio.step(&Snapshot { time_s, actors, ..Snapshot::default() }, time_s + 0.1).len();
    }
    arrived as f64 / f64::from(seconds * 10)
}

fn by_distance(access: Access) -> Vec<f64> {
    let settings = RadioSettings { access, ..RadioSettings::default() };
    let distances = [50.0, 100.0, 300.0, 500.0, 800.0, 1200.0];
    distances.iter().map(|d| delivery_ratio(&settings, &Roads::default(), (0.0, 0.0), (*d, 0.0), 60)).collect()
}

#[test]
fn messages_arrive_near_and_are_lost_far() {
    for access in [Access::ItsG5, Access::Pc5] {
        let ratios = by_distance(access);
        println!("{access:?} at 50, 100, 300, 500, 800, 1200 m: {ratios:.2?}");
        assert!(ratios[0] > 0.98 && ratios[1] > 0.95 && ratios[2] > 0.85, "{access:?} {ratios:.2?}");
        assert!(ratios[4] < ratios[3] && ratios[5] < 0.25, "{access:?} {ratios:.2?}");
    }
}

#[test]
fn houses_at_a_corner_cost_range() {
    // A house on the corner: 10 m from both streets' middles.
    let corners = [(10.0, 10.0), (400.0, 10.0), (400.0, 400.0), (10.0, 400.0)].map(|(x, y)| Point2::new(x, y));
    let roads = Roads { buildings: vec![Building { outline: corners.to_vec(), height_m: 15.0 }], ..Roads::default() };
    let settings = RadioSettings::default();
    let ratio = |d: f64, roads: &Roads| delivery_ratio(&settings, roads, (0.0, d), (d, 0.0), 60);
    // 40 m each from the corner; 170 m each.
    let (near, far) = (ratio(40.0, &roads), ratio(170.0, &roads));
    let open = ratio(170.0, &Roads::default());
    println!("round a corner: {near:.2} at 57 m, {far:.2} at 240 m; {open:.2} at 240 m in the open");
    assert!(near > 0.8 && far < 0.4 && open > 0.9, "{near} {far} {open}");
}

/// Delivery within 100 m, and the busy ratio in the middle, with `count` cars on 400 m, 350 bytes at 10 Hz.
fn under_load(access: Access, count: u32) -> (f64, f64) {
    let settings = RadioSettings { access, ..RadioSettings::default() };
    let mut radio = Radio::new(settings, &Roads::default(), Seed(9));
    let actors: Vec<Actor> =
        (0..count).map(|i| at(i, f64::from(i) * 400.0 / f64::from(count), f64::from(i % 4) * 3.5)).collect();
    let (mut pairs, mut arrived, mut busy) = (0.0, 0.0, 0.0);
    for step in 0..30u32 {
        let time_s = f64::from(step) * 0.1;
        for i in 0..count {
            // Each has a time of its own within the period.
            radio.send(key(i), 350, time_s + 0.1 * (f64::from(i) * 0.618).fract());
        }
        let snapshot = Snapshot { time_s, actors: actors.clone(), ..Snapshot::default() };
        let near = |a: &StationKey, b: &StationKey| {
            let place = |key: &StationKey| match key {
                StationKey::Actor(id) => actors[id.0 as usize].pose.position,
                StationKey::Fixed(_) => Point3::origin(),
            };
            (place(a) - place(b)).norm() < 100.0
        };
        let deliveries = radio.step(&snapshot, time_s + 0.1);
        if step >= 10 {
            arrived += deliveries.iter().filter(|d| near(&d.from, &d.to)).count() as f64;
            let keys: Vec<_> = (0..count).map(key).collect();
            pairs += keys.iter().flat_map(|a| keys.iter().filter(move |b| a != *b && near(a, b))).count() as f64;
            busy += radio.channel_busy_ratio(key(count / 2)) / 20.0;
        }
    }
    (arrived / pairs, busy)
}

#[test]
fn load_makes_the_channel_busy_and_messages_collide() {
    for access in [Access::ItsG5, Access::Pc5] {
        let (few, many) = (under_load(access, 20), under_load(access, 200));
        println!("{access:?}: 20 cars {few:.2?}, 200 cars {many:.2?} (delivered within 100 m, busy)");
        // 20 × 10 × 512 µs = 0.10; 200 cars would need 1.02 of the air.
        assert!(few.0 > 0.95 && few.1 < 0.25, "{access:?} {few:?}");
        assert!(many.0 < few.0 - 0.05 && many.1 > 0.6, "{access:?} {many:?}");
    }
}

#[test]
fn who_does_not_hear_the_other_collides_in_the_middle() {
    let settings =
        RadioSettings { channel: ChannelSettings { shadow_los_db: 0.0, ..Default::default() }, ..Default::default() };
    // The outer ones do not hear each other.
    let ratio = |both: bool| {
        let mut radio = Radio::new(settings.clone(), &Roads::default(), Seed(5));
        let actors = vec![at(1, -350.0, 0.0), at(2, 0.0, 0.0), at(3, 350.0, 0.0)];
        let mut arrived = 0;
        for step in 0..300u32 {
            let time_s = f64::from(step) * 0.1;
            radio.send(key(1), 350, time_s + 0.05);
            if both {
                radio.send(key(3), 350, time_s + 0.0502);
            }
            let deliveries =
                radio.step(&Snapshot { time_s, actors: actors.clone(), ..Snapshot::default() }, time_s + 0.1);
            arrived += deliveries.iter().filter(|d| d.from == key(1) && d.to == key(2)).count();
        }
        (f64::from(arrived as u32) / 300.0, radio.counts().lost.get(&Loss::Collision).copied().unwrap_or(0))
    };
    let (alone, with_other) = (ratio(false), ratio(true));
    assert!(alone.0 > 0.85 && with_other.0 < 0.6 * alone.0 && with_other.1 > 100, "{alone:?} {with_other:?}");
}

#[test]
fn neighbours_take_turns_and_waiting_is_bounded() {
    let mut radio = Radio::new(RadioSettings::default(), &Roads::default(), Seed(5));
    let actors = vec![at(1, 0.0, 0.0), at(2, 20.0, 0.0), at(3, 40.0, 0.0)];
    let snapshot = Snapshot { actors, ..Snapshot::default() };
    radio.send(key(1), 350, 0.010);
    radio.send(key(2), 350, 0.0101);
    radio.send(key(9), 350, 0.02);
    let deliveries = radio.step(&snapshot, 0.1);
    assert_eq!(deliveries.len(), 4, "{deliveries:?}");
    // The second waits for the end of the first, and the gap.
    let second = deliveries.iter().find(|d| d.from == key(2)).unwrap();
    let after = second.arrived_at_s - (0.010 + 512e-6 + 110e-6 + 512e-6);
    assert!((0.0..16.0 * 13e-6).contains(&after), "{after}");
    assert!((radio.channel_busy_ratio(key(3)) - 0.01024).abs() < 1e-6);
    assert_eq!(radio.counts().lost.get(&Loss::Gone), Some(&1));
    // 3,000 messages of 512 µs do not fit into a second; what waits too long is dropped.
    for i in 0..3000 {
        radio.send(key(i % 3 + 1), 350, 0.1 + f64::from(i) * 1e-4);
    }
    let mut late = 0.0f64;
    for step in 1..20u32 {
        for delivery in radio.step(&snapshot, f64::from(step) * 0.1 + 0.1) {
            late = late.max(delivery.arrived_at_s);
        }
    }
    assert!(radio.counts().lost[&Loss::Busy] > 500 && late < 1.5, "{late} {:?}", radio.counts());
}

#[test]
fn the_same_seed_gives_the_same_deliveries_and_cuts_are_silent() {
    let run = |seed: u64, cuts: Vec<Cut>| {
        let mut radio = Radio::new(RadioSettings { cuts, ..RadioSettings::default() }, &Roads::default(), Seed(seed));
        let rsu = radio.add_fixed(7, Point3::new(0.0, 10.0, 6.0));
        let actors: Vec<_> = (0..20).map(|i| at(i, f64::from(i) * 40.0, 0.0)).collect();
        let mut all = Vec::new();
        for step in 0..20u32 {
            let time_s = f64::from(step) * 0.1;
            radio.send(rsu, 600, time_s);
            for i in 0..20 {
                radio.send(key(i), 350, time_s + f64::from(i) * 0.003);
            }
            all.extend(radio.step(&Snapshot { time_s, actors: actors.clone(), ..Snapshot::default() }, time_s + 0.1));
        }
        all
    };
    let all = run(1, Vec::new());
    assert!(all.len() > 1000 && all == run(1, Vec::new()) && all != run(2, Vec::new()), "{}", all.len());
    let cut = run(1, vec![Cut { from_s: 0.5, until_s: 1.0, station: Some(key(3)) }]);
    let touches = |d: &Delivery| d.from == key(3) || d.to == key(3);
    assert!(!cut.iter().any(|d| touches(d) && (0.502..0.999).contains(&d.arrived_at_s)));
    assert!(all.iter().any(|d| touches(d) && (0.502..0.999).contains(&d.arrived_at_s)));
    assert!(cut.iter().any(|d| touches(d) && d.arrived_at_s > 1.1));
}
