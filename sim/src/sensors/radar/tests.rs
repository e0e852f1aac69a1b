use super::*;
use crate::actor::{Actor, ActorKind};
use crate::roads::Building;
use crate::sensors::FaultKind;
use crate::sensors::gnss::tests::car;
use crate::weather::Weather;
use nalgebra::{Point2, Point3};

fn actor(kind: ActorKind, x: f64, y: f64, speed_mps: f64) -> Actor {
    Actor { kind, size: kind.usual_size(), ..car(x, y, speed_mps) }
}

fn at_origin() -> Pose {
    Pose { position: Point3::new(0.0, 0.0, 4.0), yaw_rad: 0.0, pitch_rad: 0.0 }
}

fn quiet() -> RadarSettings {
    RadarSettings { clutter: 0.0, ..RadarSettings::default() }
}

fn readings(
    settings: RadarSettings,
    buildings: Vec<Building>,
    actors: Vec<Actor>,
    weather: Weather,
) -> Vec<RadarReading> {
    let mut radar = Radar::new(settings, &Roads { buildings, ..Roads::default() }, Seed(1), 0);
    let read = |i: u32| {
        let snapshot = Snapshot { time_s: f64::from(i) * 0.1, actors: actors.clone(), weather, ..Snapshot::default() };
        radar.measure(&snapshot, at_origin(), Vector2::zeros(), None)
    };
    (0..100).filter_map(read).collect()
}

/// Share of readings with a detection of the actor.
fn seen(kind: ActorKind, x: f64, weather: Weather) -> f64 {
    let found = readings(quiet(), Vec::new(), vec![actor(kind, x, 0.0, 5.0)], weather);
    found.iter().filter(|reading| !reading.detections.is_empty()).count() as f64 / found.len() as f64
}

#[test]
fn range_velocity_and_azimuth_are_those_of_the_target() {
    let target = actor(ActorKind::Adult, 30.0, 10.0, 1.5);
    for reading in readings(quiet(), Vec::new(), vec![target], Weather::default()) {
        for detection in &reading.detections {
            assert_eq!(detection.origin, Origin::Target(ActorId(1)));
            assert!((detection.range_m - 1000f64.sqrt()).abs() < 0.6, "{detection:?}");
            assert!((detection.azimuth_rad - (1.0f64 / 3.0).atan()).abs() < 0.035, "{detection:?}");
            // 1.5 m/s along x is 1.42 away from the radar; legs swing.
            assert!((detection.radial_mps - 1.42).abs() < 3.0, "{detection:?}");
        }
    }
}

#[test]
fn small_far_and_wet_targets_are_missed() {
    let dry = Weather::default();
    assert!(seen(ActorKind::Car, 80.0, dry) > 0.9 && seen(ActorKind::Adult, 40.0, dry) > 0.8);
    let (near, far) = (seen(ActorKind::Adult, 60.0, dry), seen(ActorKind::Adult, 150.0, dry));
    assert!(far < 0.5 * near, "{near} {far}");
    let wet = seen(ActorKind::Adult, 90.0, Weather { rain_mm_per_h: 80.0, ..dry });
    assert!(wet < seen(ActorKind::Adult, 90.0, dry), "{wet}");
}

#[test]
fn a_long_vehicle_has_several_detections_and_two_close_people_one() {
    let mut bus = actor(ActorKind::Bus, 30.0, 10.0, 0.0);
    bus.pose.yaw_rad = 0.5;
    let found = readings(quiet(), Vec::new(), vec![bus], Weather::default());
    assert!(found.iter().map(|reading| reading.detections.len()).sum::<usize>() > 3 * found.len());
    let still = |id, y| Actor { id: ActorId(id), ..actor(ActorKind::LostCargo, 20.1, y, 0.0) };
    let found = readings(quiet(), Vec::new(), vec![still(1, 0.1), still(2, 0.5)], Weather::default());
    assert!(found.iter().all(|reading| reading.detections.len() <= 1));
}

#[test]
fn walls_hide_and_mirror() {
    let wall = |corners: [(f64, f64); 4]| Building {
        outline: corners.map(|(x, y)| Point2::new(x, y)).to_vec(),
        height_m: 8.0,
    };
    let before = wall([(10.0, -5.0), (11.0, -5.0), (11.0, 5.0), (10.0, 5.0)]);
    let target = || vec![actor(ActorKind::Car, 30.0, 0.0, 10.0)];
    assert!(readings(quiet(), vec![before], target(), Weather::default()).iter().all(|r| r.detections.is_empty()));
    // A long wall 8 m to the left: the car's image is 16 m to the left.
    let beside = wall([(0.0, 8.0), (80.0, 8.0), (80.0, 9.0), (0.0, 9.0)]);
    let found = readings(quiet(), vec![beside], target(), Weather::default());
    let ghosts: Vec<_> =
        found.iter().flat_map(|r| &r.detections).filter(|d| matches!(d.origin, Origin::Ghost(_))).collect();
    assert!(ghosts.len() > 50, "{}", ghosts.len());
    assert!(ghosts.iter().all(|ghost| (12.0..20.0).contains(&(ghost.range_m * ghost.azimuth_rad.sin()))));
    assert!(found.iter().flat_map(|r| &r.detections).any(|d| matches!(d.origin, Origin::Target(_))));
}

#[test]
fn clutter_comes_at_its_rate_and_faults_act() {
    let settings = RadarSettings { clutter: 2.0, ..RadarSettings::default() };
    let found = readings(settings.clone(), Vec::new(), Vec::new(), Weather::default());
    let mean = found.iter().map(|r| r.detections.len()).sum::<usize>() as f64 / found.len() as f64;
    assert!((mean - 2.0).abs() < 0.5, "{mean}");
    let stuck = SensorFault { kind: FaultKind::Stuck, from_s: 1.0, until_s: None };
    let found = readings(RadarSettings { faults: vec![stuck], ..settings }, Vec::new(), Vec::new(), Weather::default());
    assert!(found[20..].iter().all(|reading| reading.detections == found[19].detections));
}
