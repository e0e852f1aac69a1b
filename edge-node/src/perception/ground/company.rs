//! People who stand or walk so close together that a tracker may take one for the other.
//!
//! In: a person's box and place, and those of the others in the frame. Out: what that makes of the place's covariance. Boxes that
//! touch lose edges to each other from frame to frame, so that a track goes over to the neighbour's box without anybody noticing:
//! as joint probabilistic data association has it, the places of those that may be meant are a part of the error.

use super::contact::{outer, sum};
use masa_inference::BoundingBox;
use masa_v2x_proto::geo::{Covariance2, Enu};
use nalgebra::Vector2;

/// Boxes nearer to each other than this touch, as a share of their height.
const TOUCH: f32 = 0.1;
/// How likely it is that a box belongs to a certain one of those that it touches.
const MISTAKEN: f64 = 0.2;
/// People further apart than this are told from each other, metres.
const NEAR_M: f64 = 3.0;

/// Covariance of who of `people` the person at `position` may be instead; itself among them changes nothing.
pub(crate) fn mistaken(
    b: &BoundingBox,
    position: Enu,
    people: impl Iterator<Item = (BoundingBox, Enu)>,
) -> Covariance2 {
    let near = people
        .filter(|(other, _)| touch(b, other))
        .map(|(_, there)| Vector2::new(there.e_m - position.e_m, there.n_m - position.n_m));
    near.filter(|apart| apart.norm() < NEAR_M)
        .fold(Covariance2::default(), |all, apart| sum(&all, &outer(apart * MISTAKEN.sqrt())))
}

fn touch(a: &BoundingBox, b: &BoundingBox) -> bool {
    let least = a.height_px().min(b.height_px());
    let across = a.x2_px.min(b.x2_px) - a.x1_px.max(b.x1_px);
    let up = a.y2_px.min(b.y2_px) - a.y1_px.max(b.y1_px);
    across > -TOUCH * least && up > 0.5 * least
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(x_px: f32) -> BoundingBox {
        BoundingBox { x1_px: x_px, y1_px: 100.0, x2_px: x_px + 12.0, y2_px: 130.0 }
    }

    #[test]
    fn who_touches_another_may_be_that_one() {
        let here = Enu::ground(0.0, 20.0);
        let sigma_m = |others: &[(BoundingBox, Enu)]| {
            let covariance = mistaken(&person(200.0), here, others.iter().copied());
            (covariance.ee_m2.sqrt(), covariance.nn_m2.sqrt())
        };
        assert_eq!(sigma_m(&[]), (0.0, 0.0));
        let beside = (person(210.0), Enu::ground(1.0, 20.0));
        assert!((sigma_m(&[beside]).0 - MISTAKEN.sqrt()).abs() < 1e-9 && sigma_m(&[beside]).1 == 0.0);
        assert!(sigma_m(&[beside, (person(195.0), Enu::ground(-0.5, 21.0))]).1 > 0.4);
        // Apart in the picture, or on the ground, they are told from each other.
        assert_eq!(sigma_m(&[(person(220.0), Enu::ground(1.0, 20.0))]), (0.0, 0.0));
        assert_eq!(sigma_m(&[(person(204.0), Enu::ground(0.2, 26.0))]), (0.0, 0.0));
    }
}
