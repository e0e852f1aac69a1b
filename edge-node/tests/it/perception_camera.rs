//! Perception of one camera through its public interface, on a scene whose truth is known.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use masa_edge_node::event::{DetectionFrame, EventId, FrameTimings, SourceId};
use masa_edge_node::perception::{CameraPerception, CameraSettings, Error, GroundTrack, TrackState};
use masa_edge_node::telemetry::NoProbe;
use masa_inference::{BoundingBox, Detection, ObjectClass};
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::time::Timestamp;

const CAMERA: SourceId = SourceId(3);

fn frame() -> SiteFrame {
    SiteFrame::new(Wgs84 { lat_deg: 44.655_54, lon_deg: 10.934_315, alt_m: 34.0 })
}

/// Where a camera 7 m above the origin, looking north and 20° down with f = 900 px, draws a point (1280×720 px).
fn draw(e_m: f64, n_m: f64, u_m: f64) -> [f64; 2] {
    let (sin, cos) = 20f64.to_radians().sin_cos();
    let depth = n_m * cos + (7.0 - u_m) * sin;
    [640.0 + 900.0 * e_m / depth, 360.0 + 900.0 * ((7.0 - u_m) * cos - n_m * sin) / depth]
}

fn settings(extra: &str) -> CameraSettings {
    let points: String = [[-6.0, 12.0], [6.0, 12.0], [-10.0, 40.0], [10.0, 40.0], [0.0, 22.0], [3.0, 30.0]]
        .iter()
        .map(|[e, n]| {
            let p = frame().to_wgs84(Enu::ground(*e, *n));
            let [x, y] = draw(*e, *n, 0.0);
            format!(
                "[[georeference.point]]\npixel = [{x:.6}, {y:.6}]\nground = {{ wgs84 = {{ latitude-deg = {:.10}, longitude-deg = {:.10} }} }}\n",
                p.lat_deg, p.lon_deg
            )
        })
        .collect();
    let text = format!(
        "id = \"north\"\nimage-size-px = [1280, 720]\n{extra}\n[georeference]\nkind = \"reference-points\"\n\
         survey-sigma-m = 0.05\n{points}"
    );
    toml::from_str(&text).unwrap()
}

/// The box of a car that points north, its middle at a place, in an image scaled by `scale`.
fn car(e_m: f64, n_m: f64, scale: f64) -> Detection {
    let corners = (0..8).map(|corner| {
        let side = |bit: i32, size_m: f64| if corner >> bit & 1 == 0 { -0.5 * size_m } else { 0.5 * size_m };
        draw(e_m + side(0, 1.8), n_m + side(1, 4.4), 0.75 + side(2, 1.5))
    });
    let [x1_px, y1_px, x2_px, y2_px] = corners
        .fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, [x, y]| {
            [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]
        })
        .map(|v| (v * scale) as f32);
    Detection {
        bounding_box: BoundingBox { x1_px, y1_px, x2_px, y2_px },
        class: ObjectClass::Car,
        score: 0.9,
        appearance: None,
    }
}

fn seen(step: u64, scale: f64, detections: Vec<Detection>) -> (EventId, DetectionFrame) {
    let detected = DetectionFrame {
        frame: step + 1,
        captured_at: Timestamp::from_unix_ms(1_700_000_000_000 + 50 * step as i64),
        width_px: (1280.0 * scale) as u32,
        height_px: (720.0 * scale) as u32,
        detections,
        timings: FrameTimings::default(),
    };
    (EventId { source: CAMERA, seq: step + 1 }, detected)
}

/// A car drives away at 8 m/s for two seconds and is then hidden for `hidden` frames.
fn drive(perception: &mut CameraPerception, scale: f64, hidden: u64) -> Vec<GroundTrack> {
    let mut tracks = Vec::new();
    for step in 0..40 + hidden {
        let detections = if step < 40 { vec![car(1.0, 14.0 + 0.4 * step as f64, scale)] } else { Vec::new() };
        let (id, detected) = seen(step, scale, detections);
        tracks = perception.update(id, &detected, &mut NoProbe).to_vec();
    }
    tracks
}

#[test]
fn a_car_is_where_it_is_and_as_fast_as_it_is_at_any_image_size() {
    for scale in [1.0, 0.5] {
        let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
        let tracks = drive(&mut perception, scale, 0);
        assert_eq!(tracks.len(), 1);
        let track = &tracks[0];
        // The filter lags behind a start from "unknown" by less than this after two seconds.
        assert!(track.position.ground_distance_m(&Enu::ground(1.0, 29.6)) < 0.3, "{track:?}");
        assert!((track.velocity_n_mps - 8.0).abs() < 0.5 && track.velocity_e_mps.abs() < 0.5, "{track:?}");
        assert!((track.yaw_rad.unwrap() - std::f64::consts::FRAC_PI_2).abs() < 0.1);
        assert_eq!((track.track_id, track.hits, track.detection), (1, 40, Some(0)));
        assert_eq!((track.first_event.seq, track.last_event.seq, track.frame), (1, 40, 40));
        // Along the view the error is larger than across it, and the truth lies within three sigma.
        assert!(track.covariance.nn_m2 > 2.0 * track.covariance.ee_m2);
        assert!((track.position.n_m - 29.6).abs() < 3.0 * track.covariance.nn_m2.sqrt());
    }
}

/// The box of what shows of a car in the picture, its middle at a place; `None` of what is outside.
fn shown(e_m: f64, n_m: f64, points_east: bool) -> Option<Detection> {
    shown_long(4.4, e_m, n_m, points_east)
}

/// The same of a car so many metres long.
fn shown_long(length_m: f64, e_m: f64, n_m: f64, points_east: bool) -> Option<Detection> {
    let size = if points_east { [length_m, 1.8] } else { [1.8, length_m] };
    // Dense enough that the box is right to a tenth of a pixel.
    let steps = (0..=200).map(|step| f64::from(step) / 200.0 - 0.5);
    let (sides, heights) = ([-0.5, 0.5], [0.0, 1.5]);
    let outline = steps.flat_map(|t| {
        let along = sides.into_iter().flat_map(move |s| heights.map(|u| [[t, s, u], [s, t, u]]));
        let upright = sides.into_iter().flat_map(move |a| sides.map(|b| [a, b, 1.5 * (t + 0.5)]));
        along.flatten().chain(upright)
    });
    let pixels = outline.map(|[a, b, u]| draw(e_m + a * size[0], n_m + b * size[1], u));
    let within = pixels.filter(|[x, y]| (0.0..=1280.0).contains(x) && (0.0..=720.0).contains(y));
    let [x1_px, y1_px, x2_px, y2_px] = within
        .fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, [x, y]| {
            [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)]
        })
        .map(|v| v as f32);
    let bounding_box = BoundingBox { x1_px, y1_px, x2_px, y2_px };
    (x1_px < x2_px).then_some(Detection { bounding_box, class: ObjectClass::Car, score: 0.9, appearance: None })
}

/// Where a car is that moves from a place by a step each frame, and its worst errors of position and speed once it has been
/// followed for `settled` frames.
fn worst(begin: [f64; 2], step_m: [f64; 2], steps: u64, settled: u64) -> [f64; 2] {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    let mut worst = [0f64; 2];
    for step in 0..steps {
        let place = [0, 1].map(|axis| begin[axis] + step_m[axis] * step as f64);
        let (id, detected) = seen(step, 1.0, shown(place[0], place[1], step_m[0] != 0.0).into_iter().collect());
        let tracks = perception.update(id, &detected, &mut NoProbe);
        if step >= settled {
            let [track] = tracks else { panic!("step {step}: {tracks:?}") };
            let speed_mps = 20.0 * step_m[0].hypot(step_m[1]);
            worst[0] = worst[0].max(track.position.ground_distance_m(&Enu::ground(place[0], place[1])));
            worst[1] = worst[1].max((track.speed_mps() - speed_mps).abs());
        }
    }
    worst
}

#[test]
fn a_car_that_the_border_cuts_goes_on_as_it_does() {
    // Out at the right, until less than half of it shows; out below, until its front third is gone; in from the left, from
    // when its front shows.
    for (begin, step_m, steps, settled) in
        [([0.0, 25.0], [0.4, 0.0], 46, 20), ([1.0, 28.0], [0.0, -0.3], 66, 20), ([-19.0, 25.0], [0.4, 0.0], 30, 10)]
    {
        let [metres, mps] = worst(begin, step_m, steps, settled);
        assert!(metres < 0.6 && mps < 1.5, "from {begin:?}: {metres} m, {mps} m/s");
    }
}

#[test]
fn a_box_that_ends_just_before_the_border_may_be_cut() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    // A third of a waiting car is outside at the left; the detector's boxes end seven pixels before the border.
    let place = [-16.2, 25.0];
    for step in 0..40 {
        let mut cut = shown(place[0], place[1], true).unwrap();
        assert!(cut.bounding_box.x1_px < 1.0, "the border cuts it: {cut:?}");
        cut.bounding_box.x1_px = 7.0;
        let (id, detected) = seen(step, 1.0, vec![cut]);
        perception.update(id, &detected, &mut NoProbe);
    }
    let [track] = perception.tracks() else { panic!("{:?}", perception.tracks()) };
    let [de, dn] = [track.position.e_m - place[0], track.position.n_m - place[1]];
    let c = track.covariance;
    let distance2 =
        (c.nn_m2 * de * de - 2.0 * c.en_m2 * de * dn + c.ee_m2 * dn * dn) / (c.ee_m2 * c.nn_m2 - c.en_m2 * c.en_m2);
    assert!(distance2 < 9.0, "{de} m, {dn} m off: {distance2} of {c:?}");
}

#[test]
fn a_car_that_is_longer_than_others_is_known_as_that() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    let place = |step: u64| [-9.0 + 0.3 * step as f64, 28.0];
    for step in 0..60 {
        let [e, n] = place(step);
        let (id, detected) = seen(step, 1.0, shown_long(5.3, e, n, true).into_iter().collect());
        perception.update(id, &detected, &mut NoProbe);
    }
    let [track] = perception.tracks() else { panic!("{:?}", perception.tracks()) };
    // Of the class it would be 4.4 m. From the side its box says it well, but a detector has its habits.
    assert!((track.length_m - 5.3).abs() < 0.15, "{} m", track.length_m);
    assert!((track.height_m - 1.5).abs() < 0.1, "{} m", track.height_m);
}

#[test]
fn a_car_that_the_border_cuts_while_it_stops_points_where_it_did() {
    // It comes to rest when 1.5 m of it are past the right border.
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    let way_m = |t: f64| if t < 2.0 { 8.0 * t - 2.0 * t * t } else { 8.0 };
    let place = |step: u64| [10.3 + way_m(0.05 * step as f64), 25.0];
    for step in 0..70 {
        let [e, n] = place(step);
        let detection = shown_long(5.0, e, n, true).map(|mut seen| {
            // The border is not where the car ends: this is what a box that ends there looks like to a velocity.
            seen.bounding_box.y2_px += if step > 30 { 4.0 } else { 0.0 };
            seen
        });
        let (id, detected) = seen(step, 1.0, detection.into_iter().collect());
        perception.update(id, &detected, &mut NoProbe);
    }
    let [track] = perception.tracks() else { panic!("{:?}", perception.tracks()) };
    assert!(track.yaw_rad.unwrap().abs() < 0.3, "{:?}", track.yaw_rad);
    let [e, n] = place(69);
    assert!(track.position.ground_distance_m(&Enu::ground(e, n)) < 1.0, "{:?}", track.position);
}

#[test]
fn the_roof_of_the_next_car_is_not_the_ground_on_which_one_stands() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    // A queue that leads away from the camera: of the second car the first hides what is below its roof.
    for step in 0..60 {
        let [first, mut second] = [22.0, 28.5].map(|n| shown(2.0, n, false).unwrap());
        let whole_px = second.bounding_box.height_px();
        second.bounding_box.y2_px = first.bounding_box.y1_px;
        assert!(second.bounding_box.height_px() < 0.85 * whole_px, "a part is hidden");
        let (id, detected) = seen(step, 1.0, vec![first, second]);
        perception.update(id, &detected, &mut NoProbe);
    }
    let second = perception.tracks().iter().max_by(|a, b| a.position.n_m.total_cmp(&b.position.n_m)).unwrap();
    let error_m = second.position.ground_distance_m(&Enu::ground(2.0, 28.5));
    // Its direction is not known either. Taken for the ground, the roof puts it 4 m behind where it stands.
    assert!(error_m < 1.8, "{error_m} m");
    assert!(error_m < 3.0 * second.covariance.nn_m2.sqrt(), "{error_m} m of {:?}", second.covariance);
}

#[test]
fn a_hidden_car_coasts_then_is_withheld_then_ends() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    let coasting = drive(&mut perception, 1.0, 10);
    assert_eq!((coasting[0].state, coasting[0].detection), (TrackState::Coasting, None));
    assert!(coasting[0].position.ground_distance_m(&Enu::ground(1.0, 33.6)) < 0.6, "{:?}", coasting[0].position);
    assert_eq!(coasting[0].frame, 40);

    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    assert!(drive(&mut perception, 1.0, 30).is_empty());
    assert!(perception.ended().is_empty());
    let (id, late) = seen(200, 1.0, Vec::new());
    perception.update(id, &late, &mut NoProbe);
    let ended: Vec<_> = perception.ended().iter().map(|e| (e.track_id, e.hits, e.last_event.seq)).collect();
    assert_eq!(ended, [(1, 40, 40)]);
}

#[test]
fn a_frame_out_of_order_changes_nothing_and_is_counted() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    let before = drive(&mut perception, 1.0, 0);
    let (id, old) = seen(3, 1.0, vec![car(-4.0, 20.0, 1.0)]);
    assert_eq!(perception.update(id, &old, &mut NoProbe), before);
    assert_eq!(perception.counters().tracker.late_frames, 1);
}

#[test]
fn something_in_the_sky_is_tracked_but_not_put_on_the_ground() {
    let mut perception = CameraPerception::new(CAMERA, &settings(""), frame()).unwrap();
    for step in 0..10 {
        let bounding_box = BoundingBox { x1_px: 600.0, y1_px: 5.0, x2_px: 660.0, y2_px: 25.0 };
        let bird = Detection { bounding_box, class: ObjectClass::Animal, score: 0.9, appearance: None };
        let (id, detected) = seen(step, 1.0, vec![bird]);
        assert!(perception.update(id, &detected, &mut NoProbe).is_empty());
    }
    assert_eq!(perception.counters().off_ground, 10);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let text = "id = \"n\"\nimage-size-px = [8, 6]\n[georeference]\nkind = \"reference-points\"\nfile = \"a.otrfpts\"";
    let camera: CameraSettings = toml::from_str(text).unwrap();
    let error = CameraPerception::new(CAMERA, &camera, frame()).unwrap_err();
    assert!(matches!(&error, Error::NotLoaded { path } if path.ends_with("a.otrfpts")), "{error}");

    let mut few = settings("");
    let masa_edge_node::perception::georeference::GeoreferenceSettings::ReferencePoints(points) = &mut few.georeference
    else {
        panic!("not points")
    };
    points.points.truncate(3);
    let error = CameraPerception::new(CAMERA, &few, frame()).unwrap_err().to_string();
    assert_eq!(error, "camera north: reference points: needs at least four points");

    let error = CameraPerception::new(CAMERA, &settings("pixel-noise-px = 0.0"), frame()).unwrap_err().to_string();
    assert_eq!(error, "camera north: pixel-noise-px = 0 is not above zero");
    let looks = "descriptor = 'colour-layout'";
    let long = format!("tracker = {{ appearance = {{ policy = 're-identify', {looks}, remember-s = 3600.0 }} }}");
    let error = CameraPerception::new(CAMERA, &settings(&long), frame()).unwrap_err().to_string();
    assert_eq!(error, "camera north: tracker.appearance.remember-s = 3600 is more than a minute");
    assert!(toml::from_str::<CameraSettings>("id = \"n\"\npixel-nois-px = 1.0").is_err());
}
