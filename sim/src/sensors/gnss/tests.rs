use super::*;
use crate::actor::{Actor, ActorKind, Lights, Pose, Role};
use crate::roads::{Building, GeoReference};
use nalgebra::Point2;

pub(crate) fn car(x: f64, y: f64, speed_mps: f64) -> Actor {
    Actor {
        id: ActorId(1),
        kind: ActorKind::Car,
        role: Role::Ordinary,
        pose: Pose { position: Point3::new(x, y, 0.0), yaw_rad: 0.0, pitch_rad: 0.0 },
        speed_mps,
        acceleration_mps2: 0.0,
        yaw_rate_rps: 0.0,
        size: ActorKind::Car.usual_size(),
        lights: Lights::default(),
        appearance: 0,
        on_lane: None,
        connected: true,
    }
}

/// A street from west to east, with houses 20 m high on both sides, from 6 m north and south of it.
fn canyon() -> Roads {
    let block = |y: f64| {
        let corners = [(-300.0, y), (300.0, y), (300.0, y + 15.0), (-300.0, y + 15.0)];
        Building { outline: corners.map(|(x, y)| Point2::new(x, y)).to_vec(), height_m: 20.0 }
    };
    let origin = Wgs84 { lat_deg: 44.6, lon_deg: 10.9, alt_m: 40.0 };
    Roads { buildings: vec![block(6.0), block(-21.0)], geo: Some(GeoReference { origin }), ..Roads::default() }
}

struct Drive {
    errors: Vec<Vector3<f64>>,
    satellites: f64,
    hdop: f64,
}

fn drive(roads: &Roads, settings: GnssSettings, seconds: u32) -> Drive {
    let mut gnss = Gnss::new(settings, roads, Seed(4), 0);
    let mut drive = Drive { errors: Vec::new(), satellites: 0.0, hdop: 0.0 };
    for step in 0..seconds * 10 {
        let snapshot =
            Snapshot { time_s: f64::from(step) * 0.1, actors: vec![car(0.0, 0.0, 0.0)], ..Snapshot::default() };
        let reading = gnss.measure(&snapshot, ActorId(1)).unwrap();
        drive.satellites += f64::from(reading.satellites) / f64::from(seconds * 10);
        if let Some(fix) = reading.fix {
            drive.errors.push(fix.position - Point3::new(0.0, 0.0, 1.5));
            drive.hdop += fix.hdop / f64::from(seconds * 10);
        }
    }
    drive
}

fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v * v, count + 1.0));
    (sum / count).sqrt()
}

#[test]
fn a_canyon_costs_satellites_and_accuracy_across_the_street() {
    let open = drive(&Roads::default(), GnssSettings::default(), 3600);
    let canyon = drive(&canyon(), GnssSettings::default(), 3600);
    let level = |drive: &Drive| rms(drive.errors.iter().map(|e| e.xy().norm()));
    println!("open: {:.2} m with {:.1} satellites, HDOP {:.2}", level(&open), open.satellites, open.hdop);
    println!("canyon: {:.2} m with {:.1} satellites, HDOP {:.2}", level(&canyon), canyon.satellites, canyon.hdop);
    // GPS alone promises 3 m (SPS performance standard 2020: ≤ 8 m at 95 %); a consumer receiver of two systems does better.
    assert!((0.5..2.5).contains(&level(&open)), "{}", level(&open));
    assert!((3.0..40.0).contains(&level(&canyon)), "{}", level(&canyon));
    let (along, across) = (rms(canyon.errors.iter().map(|e| e.x)), rms(canyon.errors.iter().map(|e| e.y)));
    assert!(across > 1.2 * along && canyon.satellites < 0.8 * open.satellites, "{along} {across}");
    assert!(canyon.hdop > open.hdop);
    // What the receiver believes under an open sky is true.
    let believed = GnssSettings::default().bias_m * open.hdop;
    assert!((0.5..2.0).contains(&(level(&open) / believed)), "{} {believed}", level(&open));
}

#[test]
fn errors_are_slow() {
    let errors = drive(&Roads::default(), GnssSettings::default(), 600).errors;
    let jump = rms(errors.windows(2).map(|pair| (pair[1] - pair[0]).norm()));
    let spread = rms(errors.iter().map(|e| e.norm()));
    assert!(jump < 0.6 * spread, "{jump} {spread}");
}

#[test]
fn an_outage_leaves_no_fix_and_faults_act() {
    let settings = GnssSettings {
        outages: vec![(2.0, 3.0)],
        faults: vec![SensorFault { kind: crate::sensors::FaultKind::Stuck, from_s: 5.0, until_s: None }],
        rate_hz: 5.0,
        ..GnssSettings::default()
    };
    let mut gnss = Gnss::new(settings, &canyon(), Seed(1), 0);
    let mut seen = Vec::new();
    for step in 0..100u32 {
        let x = f64::from(step);
        let snapshot = Snapshot { time_s: x * 0.1, actors: vec![car(x, 0.0, 10.0)], ..Snapshot::default() };
        seen.push(gnss.measure(&snapshot, ActorId(1)));
    }
    assert_eq!(seen.iter().flatten().count(), 50);
    assert_eq!(seen[20].unwrap().fix, None);
    assert_eq!(seen[20].unwrap().satellites, 0);
    let (before, after) = (seen[48].unwrap().fix.unwrap(), seen[90].unwrap().fix.unwrap());
    assert_eq!(before, after);
    // The globe and the plane agree.
    let back = gnss.frame.to_enu(before.wgs84);
    assert!((back.e_m - before.position.x).abs() < 1e-3 && (back.n_m - before.position.y).abs() < 1e-3);
    assert!(gnss.measure(&Snapshot { time_s: 99.0, ..Snapshot::default() }, ActorId(1)).is_none());
}
