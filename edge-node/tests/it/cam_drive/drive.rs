//! Ten minutes of driving on a plane: the ground truth, a hundred times a second.

/// Interval of the ground truth, milliseconds.
pub(crate) const STEP_MS: i64 = 10;
/// Length of the drive, milliseconds.
pub(crate) const DRIVE_MS: i64 = 600_000;

/// The truth at one instant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) ms: i64,
    /// Metres east and north of the start.
    pub(crate) e_m: f64,
    pub(crate) n_m: f64,
    /// Degrees clockwise from north, not wrapped.
    pub(crate) heading_deg: f64,
    pub(crate) speed_mps: f64,
}

/// What the driver does: for so many seconds, this acceleration (m/s²) and rate of turn (degrees clockwise per second).
const MANOEUVRES: [(f64, f64, f64); 12] = [
    (8.0, 0.0, 0.0),      // standstill
    (11.0, 1.27, 0.0),    // accelerate to 13.97 m/s
    (25.0, 0.0, 0.0),     // cruise
    (5.0, -1.61, 0.0),    // brake to 5.92 m/s
    (6.1, 0.0, 14.77),    // corner, a right angle
    (9.0, 2.03, 0.0),     // accelerate to 24.19 m/s
    (31.0, 0.0, 0.37),    // a long bend
    (4.0, 0.0, -2.9),     // a lane change, left
    (4.0, 0.0, 2.9),      // and back
    (7.0, -2.83, 0.0),    // brake to 4.38 m/s
    (9.0, -0.486_6, 0.0), // roll to a stop, slowly
    (6.0, 0.0, 0.0),      // standstill
];

/// The whole drive; the manoeuvres again and again.
pub(crate) fn drive() -> Vec<Truth> {
    let dt = STEP_MS as f64 / 1e3;
    let steps = MANOEUVRES.iter().flat_map(|(s, a, w)| std::iter::repeat_n((*a, *w), (s / dt).round() as usize));
    let mut truth = Truth { ms: 0, e_m: 0.0, n_m: 0.0, heading_deg: 37.0, speed_mps: 0.0 };
    let mut drive = vec![truth];
    for (acceleration, turn_degps) in steps.collect::<Vec<_>>().into_iter().cycle() {
        if truth.ms >= DRIVE_MS {
            break;
        }
        truth.ms += STEP_MS;
        let (sin, cos) = truth.heading_deg.to_radians().sin_cos();
        truth.e_m += truth.speed_mps * sin * dt;
        truth.n_m += truth.speed_mps * cos * dt;
        truth.speed_mps = (truth.speed_mps + acceleration * dt).max(0.0);
        truth.heading_deg += turn_degps * dt;
        drive.push(truth);
    }
    drive
}
