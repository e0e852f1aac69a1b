//! What a forecast needs to know of a road user.

use crate::world::RoadUser;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Enu;

/// Stretch of the trail from which the curvature is taken, metres; shorter ones say nothing.
const CURVE_OVER_M: f64 = 4.0;

/// A road user as forecasts see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mover {
    /// Its class.
    pub class: ObjectClass,
    /// Its centre on the ground.
    pub position: Enu,
    /// Velocity towards east and north, m/s.
    pub velocity_mps: [f64; 2],
    /// Direction of motion or, at rest, the last one; `None` when it was never seen to move.
    pub yaw_rad: Option<f64>,
    /// Turn rate, rad/s, positive to the left.
    pub yaw_rate_radps: f64,
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Standard deviation of the position in its worst direction, metres.
    pub position_sigma_m: f64,
    /// Standard deviation of the velocity in its worst direction, m/s.
    pub velocity_sigma_mps: f64,
}

impl Mover {
    /// Speed over ground, m/s.
    pub fn speed_mps(&self) -> f64 {
        self.velocity_mps[0].hypot(self.velocity_mps[1])
    }
}

impl From<&RoadUser> for Mover {
    /// The turn rate follows from the curvature of the trail and the speed.
    fn from(user: &RoadUser) -> Self {
        Self {
            class: user.class,
            position: user.position,
            velocity_mps: [user.velocity_e_mps, user.velocity_n_mps],
            yaw_rad: user.yaw_rad,
            yaw_rate_radps: curvature(user.trail_m()).map_or(0.0, |per_m| per_m * user.speed_mps()),
            length_m: user.length_m,
            width_m: user.width_m,
            position_sigma_m: user.covariance.ellipse().0,
            velocity_sigma_mps: user.velocity_covariance.ellipse().0,
        }
    }
}

/// Curvature of the newest [`CURVE_OVER_M`] of a trail (oldest first), 1/m, positive to the left: that of the circle
/// through its ends and middle.
fn curvature(trail_m: impl Iterator<Item = [f64; 2]>) -> Option<f64> {
    let mut newest: heapless::HistoryBuf<[f64; 2], 9> = heapless::HistoryBuf::new();
    trail_m.for_each(|point| newest.write(point));
    let last = *newest.recent()?;
    let distance = |p: &[f64; 2]| (p[0] - last[0]).hypot(p[1] - last[1]);
    let first = newest.oldest_ordered().find(|p| distance(p) <= CURVE_OVER_M + 0.5).copied()?;
    let reach = distance(&first);
    if reach < CURVE_OVER_M - 1.0 {
        return None;
    }
    let middle = *newest.oldest_ordered().min_by(|a, b| {
        let off = |p: &[f64; 2]| (distance(p) - reach / 2.0).abs();
        off(a).total_cmp(&off(b))
    })?;
    let [a, b, c] = [first, middle, last];
    let cross = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]);
    let sides = distance(&middle) * reach * (middle[0] - first[0]).hypot(middle[1] - first[1]);
    (sides > 0.0).then(|| 2.0 * cross / sides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_on_a_circle_has_its_curvature_and_a_short_one_none() {
        let circle = |radius_m: f64, steps: u32| {
            (0..steps).map(move |i| {
                let angle = f64::from(i) * 0.6 / radius_m;
                [radius_m * angle.sin(), radius_m.abs() - radius_m.abs() * angle.cos() * radius_m.signum()]
            })
        };
        let left = curvature(circle(10.0, 20)).unwrap();
        assert!((left - 0.1).abs() < 1e-3, "{left}");
        let straight = curvature((0..20).map(|i| [0.6 * f64::from(i), 1.0])).unwrap();
        assert!(straight.abs() < 1e-9);
        assert_eq!(curvature(circle(10.0, 3)), None);
    }
}
