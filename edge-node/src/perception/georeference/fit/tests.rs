use super::super::lens::{Distortion, Fisheye};
use super::*;

const POSE: CameraPose = CameraPose { position_m: [3.0, -12.0, 7.2], yaw_deg: 75.0, pitch_deg: -14.0, roll_deg: -1.5 };
const SIZE: [u32; 2] = [1280, 720];

fn intrinsics(distortion: Distortion) -> Intrinsics {
    Intrinsics { distortion, ..Intrinsics::pinhole(SIZE, 900.0) }
}

fn settings(intrinsics: Intrinsics, focal_length: FocalLength) -> FitSettings {
    FitSettings { image_size_px: SIZE, intrinsics, focal_length, pixel_sigma_px: 1.0, survey_sigma_m: 0.02 }
}

/// Points of a street, some of them on lamp posts, with clicks off by up to `noise_px`.
fn points(model: &CameraModel, noise_px: f64) -> Vec<SurveyedPoint> {
    let places = [
        [-6.0, 2.0, 0.0],
        [9.0, 4.0, 0.0],
        [0.0, 14.0, 0.0],
        [22.0, 20.0, 0.0],
        [-9.0, 25.0, 4.0],
        [14.0, 33.0, 0.0],
        [30.0, 40.0, 5.5],
        [4.0, 52.0, 0.0],
        [6.0, 9.0, 0.1],
    ];
    let place = |(i, [e_m, n_m, u_m]): (usize, [f64; 3])| {
        let position = Enu { e_m, n_m, u_m };
        let angle = 2.4 * i as f64;
        let click = Vector2::new(angle.cos(), angle.sin()) * noise_px;
        let pixel = (model.project(position).unwrap().pixel + click).into();
        SurveyedPoint { name: format!("p{}", i + 1), pixel, position }
    };
    places.into_iter().enumerate().map(place).collect()
}

fn off(fit: &PoseFit, truth: &CameraModel) -> (f64, f64) {
    let [a, b] = [fit.model.pose().position_m, truth.pose().position_m].map(Vector3::from);
    ((a - b).norm(), fit.model.turn_to(truth).norm().to_degrees())
}

#[test]
fn exact_points_give_the_exact_camera() {
    let lenses = [
        Distortion::default(),
        Distortion::BrownConrady([-0.3, 0.1, 0.001, -0.002, 0.0]),
        Distortion::Fisheye(Fisheye { fisheye: [0.02, -0.004, 0.001, 0.0] }),
    ];
    for distortion in lenses {
        let truth = CameraModel::new(&POSE, &intrinsics(distortion), SIZE);
        let points = points(&truth, 0.0);
        let found = fit(&points, &settings(intrinsics(distortion), FocalLength::Known)).unwrap();
        let (metres, degrees) = off(&found, &truth);
        assert!(metres < 1e-5 && degrees < 1e-5 && found.rms_px < 1e-5, "{metres} {degrees}");
        assert!(found.points.iter().all(|p| p.verdict == Verdict::Good && p.left_out_m.unwrap() < 1e-4));
        // The focal length is found from a guess that is a third of it.
        let guess = Intrinsics { focal_length_px: [300.0; 2], ..intrinsics(distortion) };
        let found = fit(&points, &settings(guess, FocalLength::Fitted)).unwrap();
        let focal = found.model.intrinsics().focal_length_px[0];
        assert!((focal - 900.0).abs() < 1e-3 && off(&found, &truth).0 < 1e-4, "{focal}");
    }
}

#[test]
fn the_covariance_covers_the_error() {
    let truth = CameraModel::new(&POSE, &intrinsics(Distortion::default()), SIZE);
    let found = fit(&points(&truth, 1.0), &settings(intrinsics(Distortion::default()), FocalLength::Known)).unwrap();
    let (position, turn) = {
        let [a, b] = [found.model.pose().position_m, truth.pose().position_m].map(Vector3::from);
        (a - b, found.model.turn_to(&truth))
    };
    let mut error = nalgebra::SVector::<f64, 6>::zeros();
    error.fixed_rows_mut::<3>(0).copy_from(&-position);
    error.fixed_rows_mut::<3>(3).copy_from(&turn);
    let squared = error.dot(&(found.covariance.try_inverse().unwrap() * error));
    // The 99.9 % bound of χ² with six degrees of freedom; and it must not be so wide that anything is covered.
    assert!(squared < 22.5, "{squared}");
    assert!(found.sigma()[0] < 0.2 && found.sigma()[4].to_degrees() < 0.2, "{:?}", found.sigma());
}

#[test]
fn bad_points_are_named_and_do_not_bend_the_camera() {
    let truth = CameraModel::new(&POSE, &intrinsics(Distortion::default()), SIZE);
    let mut points = points(&truth, 0.5);
    // One was clicked on another lamp post, of one the survey is 3 m off.
    points[3].pixel[0] += 45.0;
    points[5].position.e_m += 3.0;
    let found = fit(&points, &settings(intrinsics(Distortion::default()), FocalLength::Known)).unwrap();
    let bad: Vec<_> =
        found.points.iter().filter(|p| p.verdict == Verdict::Bad).map(|p| p.point.name.as_str()).collect();
    assert_eq!(bad, ["p4", "p6"]);
    let (metres, degrees) = off(&found, &truth);
    assert!(metres < 0.3 && degrees < 0.2, "{metres} {degrees}");
    assert!((2.5..3.5).contains(&found.points[5].error_m.unwrap()), "{:?}", found.points[5]);
}

#[test]
fn with_a_wrong_lens_all_points_are_fitted_and_the_misfit_is_told() {
    let bent = CameraModel::new(&POSE, &intrinsics(Distortion::BrownConrady([-0.45, 0.2, 0.0, 0.0, 0.0])), SIZE);
    let wrong = Intrinsics { focal_length_px: [1300.0, 1300.0], ..intrinsics(Distortion::default()) };
    let found = fit(&points(&bent, 0.5), &settings(wrong, FocalLength::Known)).unwrap();
    let good = found.points.iter().filter(|p| p.verdict == Verdict::Good).count();
    assert!(good >= 6 && found.unit_sigma > 5.0, "{good} {}", found.unit_sigma);
}

#[test]
fn points_that_determine_nothing_are_refused_in_words() {
    let truth = CameraModel::new(&POSE, &intrinsics(Distortion::default()), SIZE);
    let known = settings(intrinsics(Distortion::default()), FocalLength::Known);
    let mut all = points(&truth, 0.0);
    assert_eq!(fit(&all[..3], &known).unwrap_err(), FitError::TooFew { given: 3, found: 3, needed: 4 });
    for (i, point) in all.iter_mut().enumerate() {
        point.position = Enu::ground(1.0, 5.0 + 4.0 * i as f64);
        point.pixel = truth.project(point.position).unwrap().pixel.into();
    }
    assert!(matches!(fit(&all, &known).unwrap_err(), FitError::Undetermined(_) | FitError::TooFew { .. }));
    all[2].pixel[0] = f64::NAN;
    assert_eq!(fit(&all, &known).unwrap_err(), FitError::BadPoint("p3".into()));
}

#[test]
fn many_points_are_drawn_from_without_repeats() {
    assert_eq!(triples(5).count(), 10);
    let drawn: Vec<_> = triples(60).collect();
    assert!(drawn.len() > MAX_TRIPLES * 3 / 4);
    assert!(drawn.iter().all(|[a, b, c]| a != b && b != c && a != c && *a.max(b).max(c) < 60));
}
