//! What a radar and a lidar at the roadside make of cars, people and clutter.

use super::*;
use crate::event::{ListedObject, RadarTarget, SourceId};
use crate::perception::TrackState;
use masa_inference::ObjectClass;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_772_366_400_000 + ms)
}

/// At the origin, looking east.
fn radar() -> RangingPerception {
    let settings = toml::from_str("id = 'r'\nposition-m = [0.0, 0.0, 6.0]\nheading-deg = 90.0\nrange = 'ground'");
    RangingPerception::new(&RangingSettings::Radar(settings.unwrap())).unwrap()
}

fn lidar() -> RangingPerception {
    let settings = toml::from_str("id = 'l'\nposition-m = [0.0, 0.0, 6.0]\nheading-deg = 90.0");
    RangingPerception::new(&RangingSettings::Lidar(settings.unwrap())).unwrap()
}

/// A target at a place with a velocity.
fn target([e, n]: [f64; 2], [ve, vn]: [f64; 2], rcs_dbsm: f32) -> RadarTarget {
    let range_m = e.hypot(n);
    RadarTarget {
        range_m: range_m as f32,
        azimuth_rad: n.atan2(e) as f32,
        radial_mps: ((ve * e + vn * n) / range_m) as f32,
        rcs_dbsm,
    }
}

/// The front and the near side of a car of 4.4 m × 1.8 m that drives west.
fn car([e, n]: [f64; 2], mps: f64) -> Vec<RadarTarget> {
    [[-2.2, 0.0], [-1.1, -0.9], [1.1, -0.9]].map(|[x, y]| target([e + x, n + y], [-mps, 0.0], 8.0)).to_vec()
}

fn film(
    radar: &mut RangingPerception,
    times_ms: std::ops::Range<i64>,
    scene: impl Fn(f64) -> Vec<RadarTarget>,
) -> (Vec<GroundTrack>, Drops) {
    let (mut drops, mut tracks) = (Drops::default(), Vec::new());
    for ms in times_ms.step_by(50) {
        let id = EventId { source: SourceId(1), seq: ms as u64 / 50 + 1 };
        let scan = RadarScan { scan: id.seq, captured_at: at(ms), targets: scene(ms as f64 / 1e3) };
        tracks = radar.scan(id, &scan, &mut drops).unwrap_or_default().to_vec();
    }
    (tracks, drops)
}

#[test]
fn the_targets_of_a_car_are_one_vehicle_with_its_middle_and_speed() {
    let (tracks, _) = film(&mut radar(), 0..2_000, |t| car([70.0 - 12.0 * t, 6.0], 12.0));
    let [track] = &tracks[..] else { panic!("{tracks:?}") };
    let truth = Enu::ground(70.0 - 12.0 * 1.95, 6.0);
    assert!(track.position.ground_distance_m(&truth) < 0.7, "{:?} {truth:?}", track.position);
    assert!((track.velocity_e_mps + 12.0).abs() < 0.3 && track.velocity_n_mps.abs() < 1.0, "{track:?}");
    assert_eq!((track.class, track.state), (ObjectClass::Car, TrackState::Confirmed));
    assert!(track.tells_class() && track.bounding_box.is_none() && track.detection.is_some());
}

#[test]
fn a_velocity_is_known_with_the_first_scans_that_count() {
    // Four scans of 50 ms: from places alone the speed would be known to several m/s.
    let (tracks, _) = film(&mut radar(), 0..200, |t| car([60.0 - 12.0 * t, 2.0], 12.0));
    assert_eq!(tracks.len(), 1);
    assert!((tracks[0].velocity_e_mps + 12.0).abs() < 0.5, "{:?}", tracks[0]);
}

#[test]
fn somebody_on_foot_is_tracked_and_called_nobody() {
    let walker = |t: f64| vec![target([30.0, -6.0 + 1.4 * t], [0.0, 1.4], -5.0)];
    let (tracks, _) = film(&mut radar(), 0..3_000, walker);
    let [track] = &tracks[..] else { panic!("{tracks:?}") };
    assert!(!track.tells_class() && track.class_shares.iter().all(|share| *share == 0.0), "{track:?}");
    assert!((track.velocity_n_mps - 1.4).abs() < 0.5, "{track:?}");
}

#[test]
fn what_stands_and_what_blinks_is_clutter() {
    let still = |t: f64| {
        // A sign, and a false target elsewhere in each scan.
        let step = (t * 20.0).round();
        vec![
            target([40.0, 3.0], [0.0, 0.0], 20.0),
            target([20.0 + 37.0 * (step * 0.618).fract(), 30.0 * (step * 0.414).fract() - 15.0], [9.0, 4.0], 0.0),
        ]
    };
    let (tracks, _) = film(&mut radar(), 0..5_000, still);
    assert_eq!(tracks, []);
}

#[test]
fn a_car_that_stops_is_still_there_and_one_that_is_gone_is_not() {
    let mut radar = radar();
    let stop = |t: f64| {
        let (place, mps) = if t < 2.0 { (60.0 - 10.0 * t + 2.5 * t * t, 10.0 - 5.0 * t) } else { (50.0, 0.0) };
        car([place, 4.0], mps)
    };
    let (tracks, _) = film(&mut radar, 0..8_000, stop);
    assert!(tracks.len() == 1 && tracks[0].speed_mps() < 0.3, "{tracks:?}");
    let (coasting, _) = film(&mut radar, 8_000..8_900, |_| Vec::new());
    assert_eq!(coasting.iter().map(|track| track.state).collect::<Vec<_>>(), [TrackState::Coasting]);
    assert_eq!(film(&mut radar, 8_900..9_200, |_| Vec::new()).0, []);
}

#[test]
fn cars_in_a_queue_are_as_many() {
    let two = |t: f64| [car([50.0 - 8.0 * t, 5.0], 8.0), car([57.5 - 8.0 * t, 5.0], 8.0)].concat();
    let (tracks, _) = film(&mut radar(), 0..2_500, two);
    let mut places: Vec<_> = tracks.iter().map(|track| track.position.e_m).collect();
    places.sort_by(f64::total_cmp);
    assert_eq!(places.len(), 2, "{tracks:?}");
    assert!((places[1] - places[0] - 7.5).abs() < 1.5, "{places:?}");
}

/// Targets of one brightness on a line that drives west; each shows from its own time on.
fn convoy(t: f64, mps: f64, gap_m: f64, rcs_dbsm: f32) -> Vec<RadarTarget> {
    let shown = (0..3).filter(|i| t >= 0.5 * f64::from(*i));
    shown.map(|i| target([60.0 - mps * t + gap_m * f64::from(i), 5.0], [-mps, 0.0], rcs_dbsm)).collect()
}

#[test]
fn parts_of_a_vehicle_that_come_to_light_one_by_one_are_one_vehicle() {
    // Each is as weak as a cyclist; together they are as bright as a car.
    let (tracks, _) = film(&mut radar(), 0..3_000, |t| convoy(t, 8.0, 2.0, 5.0));
    let [track] = &tracks[..] else { panic!("{tracks:?}") };
    assert_eq!(track.class, ObjectClass::Car);
    let middle_e_m = 60.0 - 8.0 * 2.95 + 2.0;
    assert!((track.position.e_m - middle_e_m).abs() < 1.0, "{track:?}");
}

#[test]
fn cyclists_behind_each_other_and_people_are_as_many() {
    for (mps, gap_m, rcs_dbsm) in [(5.0, 2.5, -1.0), (1.4, 2.5, 5.0)] {
        let (tracks, _) = film(&mut radar(), 0..3_000, |t| convoy(t, mps, gap_m, rcs_dbsm));
        assert_eq!(tracks.len(), 3, "{mps} {tracks:?}");
    }
}

#[test]
fn what_is_no_longer_seen_ends_when_it_may_be_anywhere() {
    let mut lidar = lidar();
    let show = |lidar: &mut RangingPerception, scans: std::ops::Range<i64>, size_m: Option<[f32; 3]>| {
        let scene =
            |ms: i64| size_m.map(|size| boxed([60.0 - 10.0 * ms as f64 / 1e3, 3.0], size)).into_iter().collect();
        list(lidar, scans, scene)
    };
    assert_eq!(show(&mut lidar, 0..15, Some([0.1, 1.8, 1.4])).len(), 1);
    assert_eq!(show(&mut lidar, 15..18, None).len(), 1, "for a moment");
    assert_eq!(show(&mut lidar, 18..24, None), [], "0.8 s later its place is known to metres");
}

/// What a lidar says of a box that it sees.
fn boxed([e, n]: [f64; 2], size_m: [f32; 3]) -> ListedObject {
    ListedObject {
        position_m: [e as f32, n as f32],
        size_m: Some(size_m),
        yaw_rad: Some(0.0),
        points: Some(20),
        ..ListedObject::default()
    }
}

/// The tracks after lists every 0.1 s.
fn list(
    lidar: &mut RangingPerception,
    scans: std::ops::Range<i64>,
    scene: impl Fn(i64) -> Vec<ListedObject>,
) -> Vec<GroundTrack> {
    let (mut drops, mut tracks) = (Drops::default(), Vec::new());
    for scan in scans {
        let list = ObjectList { scan: scan as u64 + 1, captured_at: at(100 * scan), objects: scene(100 * scan) };
        let id = EventId { source: SourceId(1), seq: list.scan };
        tracks = lidar.list(id, &list, &mut drops).unwrap_or_default().to_vec();
    }
    tracks
}

#[test]
fn a_beam_that_slides_over_a_bonnet_does_not_hold_a_car_back() {
    // A car of 4.5 m drives at the device. One beam meets its front, then what is behind it, at a place that stands still
    // until the next beam meets the front: 8 m apart on the ground.
    let mut lidar = lidar();
    for scans in (20..60).step_by(10) {
        let scene = |ms: i64| {
            let front_m = 70.0 - 8.0 * ms as f64 / 1e3;
            let step_m = 1.5;
            let beam_m = (front_m / step_m).ceil() * step_m;
            vec![boxed([beam_m, 3.0], [0.1, 1.8, 0.9])]
        };
        let tracks = list(&mut lidar, scans - if scans == 20 { 20 } else { 10 }..scans, scene);
        let [track] = &tracks[..] else { panic!("{scans} {tracks:?}") };
        let truth = 70.0 - 0.8 * (scans - 1) as f64 + 2.25;
        assert!((track.position.e_m - truth).abs() < 0.8, "{truth} {track:?}");
        assert!((track.velocity_e_mps + 8.0).abs() < 1.5, "{track:?}");
    }
}

#[test]
fn several_people_in_one_box_are_anywhere_in_it() {
    let sigma_m = |size_m: [f32; 3]| {
        let tracks = list(&mut lidar(), 0..40, |ms| vec![boxed([20.0, 1.3 * ms as f64 / 1e3 - 5.0], size_m)]);
        let [track] = &tracks[..] else { panic!("{tracks:?}") };
        assert!(!track.tells_class(), "{track:?}");
        track.covariance.ellipse().0
    };
    let (one, two) = (sigma_m([0.3, 0.5, 1.7]), sigma_m([0.3, 1.5, 1.7]));
    assert!(one < 0.25 && two > one + 0.2, "{one} {two}");
}

#[test]
fn an_object_list_of_a_lidar_tells_where_the_middle_is() {
    // Only the front and a part of the side show: 2 m of 4.4 m.
    let (mut lidar, mut drops, mut tracks) = (lidar(), Drops::default(), Vec::new());
    for ms in (0..2_000).step_by(100) {
        let e = 50.0 - 10.0 * ms as f64 / 1e3;
        let object = ListedObject {
            position_m: [(e - 1.2) as f32, 3.0],
            size_m: Some([2.0, 1.8, 1.4]),
            yaw_rad: Some(0.0),
            points: Some(60),
            ..ListedObject::default()
        };
        let list = ObjectList { scan: ms as u64 / 100 + 1, captured_at: at(ms), objects: vec![object] };
        let id = EventId { source: SourceId(1), seq: list.scan };
        tracks = lidar.list(id, &list, &mut drops).unwrap().to_vec();
    }
    let [track] = &tracks[..] else { panic!("{tracks:?}") };
    assert!(track.position.ground_distance_m(&Enu::ground(31.0, 3.0)) < 0.4, "{track:?}");
    assert!((track.velocity_e_mps + 10.0).abs() < 0.4, "{track:?}");
    assert_eq!(track.class, ObjectClass::Car, "as wide as only vehicles are");
}

#[test]
fn a_vendors_list_with_velocities_is_taken_from_a_radar_too() {
    let (mut radar, mut drops, mut tracks) = (radar(), Drops::default(), Vec::new());
    for ms in (0..1_000).step_by(100) {
        let object = ListedObject {
            position_m: [60.0 - 0.9 * (ms as f32 / 100.0), 3.0],
            velocity_mps: Some([-9.0, 0.0]),
            ..ListedObject::default()
        };
        let list = ObjectList { scan: ms as u64 / 100 + 1, captured_at: at(ms), objects: vec![object] };
        tracks = radar.list(EventId { source: SourceId(1), seq: list.scan }, &list, &mut drops).unwrap().to_vec();
    }
    assert!(tracks.len() == 1 && (tracks[0].velocity_e_mps + 9.0).abs() < 0.5, "{tracks:?}");
}

#[test]
fn what_a_device_cannot_have_said_is_counted_and_changes_nothing() {
    let mut radar = radar();
    let mut drops = Drops::default();
    let id = EventId { source: SourceId(1), seq: 1 };
    let scan = |ms, targets| RadarScan { scan: 1, captured_at: at(ms), targets };
    let broken = RadarTarget { range_m: f32::NAN, ..target([30.0, 0.0], [0.0, 0.0], 0.0) };
    assert!(radar.scan(id, &scan(100, vec![broken]), &mut drops).is_some());
    assert!(radar.scan(id, &scan(100, Vec::new()), &mut drops).is_none());
    assert!(radar.scan(id, &scan(50, Vec::new()), &mut drops).is_none());
    let many = vec![target([30.0, 0.0], [0.0, 0.0], 0.0); MAX_TARGETS + 1];
    assert!(radar.scan(id, &scan(200, many), &mut drops).is_none());
    assert!(lidar().scan(id, &scan(200, Vec::new()), &mut drops).is_none());
    let objects = vec![ListedObject::default(); MAX_LISTED + 1];
    assert!(radar.list(id, &ObjectList { scan: 1, captured_at: at(300), objects }, &mut drops).is_none());
    let counted: Vec<_> = drops.iter().collect();
    let expected = [("radar-scan-of-a-lidar", 1), ("scan-late", 2), ("scan-target-not-valid", 1), ("scan-too-long", 2)];
    assert_eq!(counted, expected);
}

#[test]
fn more_than_fits_is_counted() {
    let settings: RadarSettings = toml::from_str(
        "id = 'r'\nposition-m = [0.0, 0.0, 6.0]\nheading-deg = 90.0\nrange = 'ground'\ntracker = { max-tracks = 3 }",
    )
    .unwrap();
    let mut radar = RangingPerception::new(&RangingSettings::Radar(settings)).unwrap();
    let row = |t: f64| (0..5).map(|i| target([80.0 - 9.0 * t, 10.0 * f64::from(i)], [-9.0, 0.0], 5.0)).collect();
    let (tracks, drops) = film(&mut radar, 0..50, row);
    assert_eq!((tracks.len(), drops.get("scan-tracks-full")), (0, 2));
}

#[test]
fn targets_outside_the_footprint_are_left_out() {
    let settings: RadarSettings = toml::from_str(
        "id = 'r'\nposition-m = [0.0, 0.0, 6.0]\nheading-deg = 90.0\nrange = 'ground'\n\
         footprint-m = [[5.0, -10.0], [40.0, -10.0], [40.0, 10.0], [5.0, 10.0]]",
    )
    .unwrap();
    let mut radar = RangingPerception::new(&RangingSettings::Radar(settings)).unwrap();
    let both = |t: f64| [car([70.0 - 5.0 * t, 4.0], 5.0), car([35.0 - 5.0 * t, 4.0], 5.0)].concat();
    let (tracks, _) = film(&mut radar, 0..1_000, both);
    assert!(tracks.len() == 1 && tracks[0].position.e_m < 40.0, "{tracks:?}");
}

#[test]
fn settings_outside_their_range_are_named() {
    for (key, value) in [("range-noise-m", "0.0"), ("radial-noise-mps", "-1.0"), ("tracker", "{ max-tracks = 0 }")] {
        let text = format!("id = 'mast'\nposition-m = [0.0, 0.0, 6.0]\nheading-deg = 90.0\n{key} = {value}");
        let settings = RangingSettings::Radar(toml::from_str(&text).unwrap());
        let error = RangingPerception::new(&settings).unwrap_err().to_string();
        assert!(error.starts_with("sensor mast: ") && error.contains(key), "{error}");
    }
    assert!(toml::from_str::<LidarSettings>("id = 'l'\nposition-m = [0, 0, 0]\nheading-deg = 0\nheading = 1").is_err());
}
