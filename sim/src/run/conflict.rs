//! Whether one's way meets somebody else's: what a driver reckons with the eyes or with what the node tells.
//!
//! In: a way with place, speed and size, and somebody else's position, velocity and size. Out: where and when the two would
//! touch if both went on as they do, and how hard one must brake to prevent it. Pure.

use crate::scenario::route::Way;
use nalgebra::{Point2, Vector2};

/// Step of the look ahead, seconds.
const STEP_S: f64 = 0.1;

/// The one who looks ahead.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Its way.
    pub way: &'a Way,
    /// Where its centre is along the way, metres.
    pub s_m: f64,
    /// How far left of the way it is, metres.
    pub offset_m: f64,
    /// Its length and width, metres.
    pub size_m: [f64; 2],
}

/// Somebody else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Other {
    /// Middle of the footprint, ENU metres.
    pub position: Point2<f64>,
    /// Metres a second.
    pub velocity: Vector2<f64>,
    /// Half the length along its own direction, metres.
    pub half_length_m: f64,
    /// Half the width, metres.
    pub half_width_m: f64,
    /// Its direction, radians counter-clockwise from east.
    pub yaw_rad: f64,
}

/// How far one looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// How far ahead, seconds.
    pub horizon_s: f64,
    /// Room that is wanted to the side, metres.
    pub side_m: f64,
    /// More room for each second ahead, metres a second: nobody goes on exactly as he does.
    pub doubt_mps: f64,
}

/// A meeting of two ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conflict {
    /// Seconds until they would touch.
    pub time_s: f64,
    /// What one still has to go until then beyond what the other goes along the same way, metres.
    pub gap_m: f64,
    /// Speed towards each other, metres a second.
    pub closing_mps: f64,
}

impl Conflict {
    /// Deceleration that just prevents it with `room_m` to spare, metres a second squared.
    pub fn braking_mps2(&self, room_m: f64) -> f64 {
        self.closing_mps.powi(2) / (2.0 * (self.gap_m - room_m).max(0.3))
    }
}

/// The first meeting within the horizon if one went on at `speed_mps`.
pub fn conflict(own: &Own<'_>, speed_mps: f64, other: &Other, look: Look) -> Option<Conflict> {
    let steps = (look.horizon_s / STEP_S) as u32;
    (0..=steps).find_map(|step| {
        let time_s = f64::from(step) * STEP_S;
        let at = own.way.at(own.s_m + speed_mps * time_s)?;
        let (sin, cos) = at.yaw_rad.sin_cos();
        let there = other.position + other.velocity * time_s;
        let apart = there - at.point.xy();
        let (ahead, left) = (apart.x * cos + apart.y * sin, -apart.x * sin + apart.y * cos - own.offset_m);
        let (turn_sin, turn_cos) = (other.yaw_rad - at.yaw_rad).sin_cos();
        let half_ahead = other.half_length_m * turn_cos.abs() + other.half_width_m * turn_sin.abs();
        let half_left = other.half_length_m * turn_sin.abs() + other.half_width_m * turn_cos.abs();
        let meets = ahead.abs() < own.size_m[0] / 2.0 + half_ahead
            && left.abs() < own.size_m[1] / 2.0 + half_left + look.side_m + look.doubt_mps * time_s
            // What comes from behind, or is passing already, is not for the one in front to avoid.
            && ahead > -own.size_m[0] / 4.0;
        let along_mps = other.velocity.x * cos + other.velocity.y * sin;
        let closing_mps = speed_mps - along_mps;
        (meets && closing_mps > 0.05).then(|| Conflict { time_s, gap_m: (closing_mps * time_s).max(0.0), closing_mps })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: Look = Look { horizon_s: 6.0, side_m: 0.5, doubt_mps: 0.0 };

    fn other(position: [f64; 2], velocity: [f64; 2]) -> Other {
        Other {
            position: position.into(),
            velocity: velocity.into(),
            half_length_m: 0.25,
            half_width_m: 0.25,
            yaw_rad: 0.0,
        }
    }

    #[test]
    fn one_who_crosses_in_time_is_met_and_one_who_does_not_is_not() {
        let way = Way::through(&[[0.0, 0.0], [200.0, 0.0]]);
        let own = Own { way: &way, s_m: 10.0, offset_m: 0.0, size_m: [4.0, 1.8] };
        let meets = conflict(&own, 10.0, &other([40.0, -4.0], [0.0, 1.5]), LOOK).unwrap();
        // The front is at 12 m; it reaches the person's near side, 39.75 m, 2.775 s later.
        assert!((meets.time_s - 2.8).abs() < 0.11 && (meets.gap_m - 28.0).abs() < 1.1, "{meets:?}");
        assert!((meets.braking_mps2(2.0) - 100.0 / 52.0).abs() < 0.1);
        assert_eq!(conflict(&own, 10.0, &other([40.0, -4.0], [0.0, 0.0]), LOOK), None, "waits at the kerb");
        assert_eq!(conflict(&own, 10.0, &other([40.0, 4.0], [0.0, 1.5]), LOOK), None, "is past already");
        assert_eq!(conflict(&own, 10.0, &other([0.0, 0.0], [12.0, 0.0]), LOOK), None, "comes from behind");
    }

    #[test]
    fn a_slow_leader_is_closed_on_by_the_difference_of_speeds() {
        let way = Way::through(&[[0.0, 0.0], [200.0, 0.0]]);
        let own = Own { way: &way, s_m: 10.0, offset_m: 0.0, size_m: [4.0, 1.8] };
        let meets = conflict(&own, 10.0, &other([30.0, 0.0], [5.0, 0.0]), LOOK).unwrap();
        assert!((meets.closing_mps - 5.0).abs() < 1e-9 && (meets.gap_m - 17.75).abs() < 0.6, "{meets:?}");
    }
}
