//! How long and how high a road user is.
//!
//! In: boxes that show it whole, with its place and direction. Out: its size as shares of its class's, each with a standard
//! deviation. The class says what is usual; boxes say more the longer somebody is seen, and only as much as a detector's
//! habits allow, since these are the same in every frame. A box that shows the end of a vehicle says nothing of its length.

use super::contact::Contact;
use super::heading::Heading;
use super::settings::{Extent, Spread, extent_of, spread_of};
use super::viewpoint::Viewpoint;
use crate::perception::georeference::Georeference;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::Enu;

/// How much larger a body is drawn to see how its box grows, share.
const NUDGE: f64 = 0.05;
/// Least standard deviation of a direction, radians.
const LEAST_YAW_RAD: f64 = 0.1;
/// A body is at least and at most so many times its class's.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// A body: its size, and how well that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) extent: Extent,
    pub(crate) spread: Spread,
}

/// What boxes have told of a road user's size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodySize {
    class: ObjectClass,
    length: Share,
    height: Share,
}

/// A length as a share of its class's: a weighted mean of what frames say.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    weight: f64,
    weighted: f64,
    /// Weighted variance of what all frames have alike.
    habit: f64,
    /// Variance of the sum of what each frame has by itself.
    noise: f64,
}

impl Share {
    fn add(&mut self, share: f64, noise: f64, habit: f64) {
        let weight = 1.0 / (noise + habit).max(1e-9);
        self.weight += weight;
        self.weighted += weight * share;
        self.habit += weight * habit;
        self.noise += weight * weight * noise;
    }

    /// With what is usual, 1 with a standard deviation of `sigma`: mean and standard deviation.
    fn with_usual(&self, sigma: f64) -> (f64, f64) {
        if self.weight <= 0.0 {
            return (1.0, sigma);
        }
        let seen = self.weighted / self.weight;
        let variance = self.habit / self.weight + self.noise / (self.weight * self.weight);
        let gain = sigma * sigma / (sigma * sigma + variance);
        ((1.0 + gain * (seen - 1.0)).clamp(*BOUNDS.start(), *BOUNDS.end()), (gain * variance).sqrt())
    }
}

impl BodySize {
    pub(crate) fn new(class: ObjectClass) -> Self {
        Self { class, length: Share::default(), height: Share::default() }
    }

    /// What is known of another class says nothing of this one.
    pub(crate) fn set_class(&mut self, class: ObjectClass) {
        if self.class != class {
            *self = Self::new(class);
        }
    }

    pub(crate) fn body(&self) -> Body {
        let (usual, spread) = (extent_of(self.class), spread_of(self.class));
        let (length, length_sigma) = self.length.with_usual(spread.length);
        let (height, height_sigma) = self.height.with_usual(spread.height);
        Body {
            extent: Extent { length_m: length * usual.length_m, height_m: height * usual.height_m, ..usual },
            spread: Spread { length: length_sigma / length, height: height_sigma / height, ..spread },
        }
    }

    /// Looks at a box that shows the whole body, whose middle is at `centre`. Its edges have the errors of `contact`.
    pub(crate) fn see(
        &mut self,
        map: &Georeference,
        viewpoint: &Viewpoint,
        contact: &Contact,
        (centre, heading): (Enu, Option<Heading>),
    ) {
        let Some([width_px, height_px]) = contact.whole_px else { return };
        let Body { extent, spread } = self.body();
        // The height shows from any side.
        let Heading { yaw_rad, variance, .. } = heading.unwrap_or(Heading::known(viewpoint.bearing_rad(centre)));
        let turned_rad = yaw_rad + variance.sqrt().max(LEAST_YAW_RAD);
        let draw = |yaw_rad: f64, extent: &Extent| {
            let [x1, y1, x2, y2] = viewpoint.draw(map, centre, yaw_rad, extent)?;
            Some([x2 - x1, y2 - y1])
        };
        let usual = extent_of(self.class);
        let longer = Extent { length_m: extent.length_m + NUDGE * usual.length_m, ..extent };
        let higher = Extent { height_m: extent.height_m + NUDGE * usual.height_m, ..extent };
        let (Some(drawn), Some(turned)) = (draw(yaw_rad, &extent), draw(turned_rad, &extent)) else { return };
        let (Some(longer), Some(higher)) = (draw(yaw_rad, &longer), draw(yaw_rad, &higher)) else { return };
        // Two edges of a side, each with its own error.
        let errors = |axis: usize| [contact.noise_px2[axis], contact.bias_px2[axis]].map(|variance| 2.0 * variance);
        let by_length = (longer[0] - drawn[0]) / NUDGE;
        if heading.is_some() && by_length > 1.0 {
            let [noise, habit] = errors(0).map(|variance| variance / (by_length * by_length));
            let turn = ((turned[0] - drawn[0]) / by_length).powi(2);
            let share = extent.length_m / usual.length_m + (width_px - drawn[0]) / by_length;
            self.length.add(share, noise, habit + turn);
        }
        let by_height = (higher[1] - drawn[1]) / NUDGE;
        if by_height > 1.0 {
            let [noise, habit] = errors(1).map(|variance| variance / (by_height * by_height));
            // What is longer than thought is higher in the picture, too.
            let along = ((longer[1] - drawn[1]) / NUDGE * spread.length / by_height).powi(2);
            let share = extent.height_m / usual.height_m + (height_px - drawn[1]) / by_height;
            self.height.add(share, noise, habit + along);
        }
    }
}
