//! Each kind of situation with a scene that is one and scenes that are not quite.

use super::*;
use crate::event::SignalPhase::{ProtectedClearance, ProtectedMovementAllowed, StopAndRemain};
use crate::perception::GroundTrack;
use crate::world::WorldSettings;
use crate::world::fixture::{CAMERA, at, cam, frame, signalled_lane, track};
use crate::world::site::{ZoneKind, ZoneSettings};
use ObjectClass::{Bicycle, Car, Person};
use masa_inference::BoundingBox;

fn map() -> SiteMap {
    let zone = |id: &str, kind, [west, south, east, north]: [f64; 4]| ZoneSettings {
        id: id.into(),
        kind,
        polygon_m: vec![[west, south], [east, south], [east, north], [west, north]],
        approaches_m: vec![],
    };
    SiteMap::new(&[
        zone("road", ZoneKind::Carriageway, [-100.0, -3.0, 115.0, 3.0]),
        zone("zebra", ZoneKind::Crossing, [-12.0, -3.0, -8.0, 3.0]),
        zone("strip", ZoneKind::Parking, [-80.0, -3.0, -60.0, -1.5]),
    ])
    .unwrap()
}

/// Somebody at a place with a velocity to the east.
fn mover(id: u32, class: ObjectClass, position: [f64; 2], speed_mps: f64, ms: i64) -> GroundTrack {
    let bounding_box = Some(BoundingBox { x1_px: 100.0, y1_px: 100.0, x2_px: 120.0, y2_px: 145.0 });
    let mut mover = GroundTrack { bounding_box, yaw_rad: Some(0.0), ..track(id, class, position, ms) };
    mover.velocity_e_mps = speed_mps;
    mover
}

/// Somebody who lies: a box that is wider than high.
fn lying(position: [f64; 2], ms: i64) -> GroundTrack {
    let bounding_box = Some(BoundingBox { x1_px: 100.0, y1_px: 100.0, x2_px: 150.0, y2_px: 125.0 });
    GroundTrack { bounding_box, ..mover(1, Person, position, 0.0, ms) }
}

/// A car that comes at 10 m/s and stands at `e_m` from then on.
fn stops_at(id: u32, e_m: f64, t: f64, ms: i64) -> GroundTrack {
    let way_m = e_m - 20.0 + 10.0 * t;
    if way_m < e_m { mover(id, Car, [way_m, 0.0], 10.0, ms) } else { mover(id, Car, [e_m, 0.0], 0.0, ms) }
}

/// A car that passes the stop line at 3 s.
fn passes(t: f64, ms: i64) -> Vec<GroundTrack> {
    vec![mover(1, Car, [-30.0 + 10.0 * t, 0.0], 10.0, ms)]
}

type Scene = fn(f64, i64) -> Vec<GroundTrack>;
type Shows = fn(f64) -> SignalPhase;

/// When a kind is on: from and until, seconds.
fn spell(kind: SituationKind, seconds: f64, scene: Scene, shows: Shows) -> Option<(f64, f64)> {
    let mut world = World::new(WorldSettings::default(), BTreeMap::new());
    let mut watch = SituationWatch::new(SituationSettings::default(), signalled_lane());
    let map = map();
    let mut on = Vec::new();
    for step in 0..(seconds * 10.0) as i64 {
        let (ms, t) = (100 * step, 0.1 * step as f64);
        world.see_frame(CAMERA, &frame(ms), &scene(t, ms), at(ms));
        watch.update(&world, &map, &Lights::from([((1, 1), shows(t))]), at(ms));
        for situation in watch.situations().filter(|situation| situation.kind == kind) {
            assert!(!situation.evidence.is_empty() && situation.evidence[0].sights[0].frame > 0, "{situation:?}");
            assert!((0.0..=1.0).contains(&situation.confidence), "{situation:?}");
            on.push(t);
        }
    }
    Some((*on.first()?, *on.last()?))
}

const GREEN: Shows = |_| ProtectedMovementAllowed;
const RED: Shows = |_| StopAndRemain;

#[test]
fn every_detector_tells_its_situation_and_nothing_like_it() {
    use SituationKind::{Congestion, FallenPerson, PersonOnRoad, RedLight, StoppedVehicle};
    let cases: [(&str, SituationKind, f64, Scene, Shows, Option<(f64, f64)>); 20] = [
        // A vehicle that has stood for 5 s, told after 10 s more; it drives on at 25 s.
        (
            "breaks down",
            StoppedVehicle,
            30.0,
            |t, ms| if t < 25.0 { vec![stops_at(1, -40.0, t, ms)] } else { passes(t, ms) },
            GREEN,
            Some((16.9, 26.9)),
        ),
        ("waits at red", StoppedVehicle, 30.0, |t, ms| vec![stops_at(1, -4.0, t, ms)], RED, None),
        (
            "waits behind one that waits",
            StoppedVehicle,
            30.0,
            |t, ms| vec![stops_at(1, -4.0, t, ms), stops_at(2, -12.0, t, ms)],
            RED,
            None,
        ),
        (
            "was there from the beginning",
            StoppedVehicle,
            30.0,
            |_, ms| vec![mover(1, Car, [-40.0, 0.0], 0.0, ms)],
            GREEN,
            None,
        ),
        ("drives", StoppedVehicle, 12.0, |t, ms| vec![mover(1, Car, [-90.0 + 5.0 * t, 0.0], 5.0, ms)], GREEN, None),
        // A person on the carriageway for half a second.
        (
            "stands on the road",
            PersonOnRoad,
            3.0,
            |_, ms| vec![mover(1, Person, [-40.0, 0.0], 0.0, ms)],
            GREEN,
            Some((0.5, 2.9)),
        ),
        (
            "crosses at the crossing",
            PersonOnRoad,
            3.0,
            |_, ms| vec![mover(1, Person, [-10.0, 0.0], 1.0, ms)],
            GREEN,
            None,
        ),
        ("is on the pavement", PersonOnRoad, 3.0, |_, ms| vec![mover(1, Person, [-40.0, 4.0], 1.0, ms)], GREEN, None),
        (
            "rides a bicycle",
            PersonOnRoad,
            3.0,
            |_, ms| vec![mover(1, Person, [-40.0, 0.0], 4.0, ms), mover(2, Bicycle, [-40.2, 0.0], 4.0, ms)],
            GREEN,
            None,
        ),
        // A person who lies for three seconds.
        ("lies", FallenPerson, 6.0, |_, ms| vec![lying([-40.0, 4.0], ms)], GREEN, Some((3.0, 5.9))),
        (
            "stands up again",
            FallenPerson,
            8.0,
            |t, ms| vec![if t < 2.0 { lying([-40.0, 4.0], ms) } else { mover(1, Person, [-40.0, 4.0], 0.0, ms) }],
            GREEN,
            None,
        ),
        ("stands", FallenPerson, 6.0, |_, ms| vec![mover(1, Person, [-40.0, 4.0], 0.0, ms)], GREEN, None),
        // A car whose front passes the line at 2.8 s and whose middle has passed at 3.1 s; told for 5 s and 2 s more.
        ("runs the red light", RedLight, 11.0, passes, RED, Some((3.1, 9.7))),
        ("passes at green", RedLight, 8.0, passes, GREEN, None),
        ("passes at amber", RedLight, 8.0, passes, |_| ProtectedClearance, None),
        (
            "passes with the change to red",
            RedLight,
            8.0,
            passes,
            |t| if t < 2.3 { ProtectedClearance } else { StopAndRemain },
            None,
        ),
        ("stops at the line", RedLight, 12.0, |t, ms| vec![stops_at(1, -3.0, t, ms)], RED, None),
        // Five cars at walking speed for a minute.
        (
            "crawl",
            Congestion,
            63.0,
            |t, ms| (0..5).map(|i| mover(i + 1, Car, [-90.0 + 9.0 * f64::from(i) + 0.5 * t, 0.0], 0.5, ms)).collect(),
            GREEN,
            Some((60.0, 62.9)),
        ),
        (
            "wait for half a minute",
            Congestion,
            63.0,
            |t, ms| {
                (0..5)
                    .map(|i| mover(i + 1, Car, [-90.0 + 9.0 * f64::from(i), 0.0], if t < 30.0 { 0.0 } else { 8.0 }, ms))
                    .collect()
            },
            GREEN,
            None,
        ),
        (
            "two crawl",
            Congestion,
            63.0,
            |t, ms| (0..2).map(|i| mover(i + 1, Car, [-90.0 + 9.0 * f64::from(i) + 0.5 * t, 0.0], 0.5, ms)).collect(),
            GREEN,
            None,
        ),
    ];
    for (name, kind, seconds, scene, shows, expected) in cases {
        let got = spell(kind, seconds, scene, shows);
        let close = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() < 0.25 && (b - d).abs() < 0.25;
        let fits = got.zip(expected).map_or(got == expected, |(got, expected)| close(got, expected));
        assert!(fits, "{name} ({kind:?}): {got:?}, expected {expected:?}");
    }
}

#[test]
fn a_receiver_s_word_alone_makes_no_red_light_crossing() {
    for is_seen in [true, false] {
        let mut world = World::new(WorldSettings::default(), BTreeMap::new());
        let mut watch = SituationWatch::new(SituationSettings::default(), signalled_lane());
        let mut told = false;
        for ms in (0..5_000).step_by(100) {
            let t = ms as f64 / 1_000.0;
            world.hear(&cam(7, [-30.0 + 10.0 * t, 0.0], ms));
            if is_seen {
                world.see_frame(CAMERA, &frame(ms), &passes(t, ms), at(ms + 60));
            }
            watch.update(&world, &map(), &Lights::from([((1, 1), StopAndRemain)]), at(ms + 60));
            told |= watch.situations().any(|situation| situation.kind == SituationKind::RedLight);
        }
        assert_eq!(told, is_seen);
    }
}
