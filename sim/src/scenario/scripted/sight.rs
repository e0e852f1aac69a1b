//! What a driver sees, and brakes for.

use super::Scripted;
use crate::actor::Actor;
use crate::roads::Roads;
use crate::run::conflict::{Look, Other, Own, conflict};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use nalgebra::{Point2, Vector2};

/// From seeing to braking, seconds.
const REACTION_S: f64 = 1.0;
/// How far one looks by day, metres.
const BY_DAY_M: f64 = 150.0;
/// How far low beams show a dark person, metres.
const BY_NIGHT_M: f64 = 35.0;
/// Room left in front of what one stops for, metres.
const ROOM_M: f64 = 2.0;
/// Braking below this is left to lifting the foot, metres a second squared.
const WORTH_MPS2: f64 = 1.2;

impl Scripted {
    /// How hard the driver brakes for those who are in sight and in the way.
    pub(super) fn braking_for_what_is_seen(&mut self, before: &Snapshot, roads: &Roads) -> f64 {
        let sight_m = sight_m(&before.weather);
        let eye = self.state();
        let own = Own {
            way: &self.way,
            s_m: self.s_m,
            offset_m: self.offset_m,
            size_m: [self.size.length_m, self.size.width_m],
        };
        let look = Look { horizon_s: 6.0, side_m: 0.4, doubt_mps: 0.0 };
        let mut hardest: f64 = 0.0;
        let mut seen = std::collections::BTreeMap::new();
        for other in before.actors.iter().filter(|other| other.id != self.id) {
            let distance_m = (other.pose.position.xy() - eye.pose.position.xy()).norm();
            // Lamps are seen further than what they light.
            let lit = other.lights.low_beam || other.lights.brake || other.lights.beacon;
            if distance_m > if lit { sight_m.max(2.0 * BY_NIGHT_M).min(before.weather.visibility_m) } else { sight_m } {
                continue;
            }
            let met = [self.speed_mps, self.wanted_mps].map(|speed| conflict(&own, speed, &other_of(other), look));
            if met.iter().all(Option::is_none) || !is_visible(&eye, other, before, roads) {
                continue;
            }
            let since_s = self.seen.get(&other.id).copied().unwrap_or(before.time_s);
            seen.insert(other.id, since_s);
            if before.time_s - since_s < REACTION_S {
                continue;
            }
            if let Some(met) = met[0] {
                let needed = met.braking_mps2(ROOM_M);
                hardest = hardest.max(if needed > WORTH_MPS2 { needed } else { 0.0 });
            }
            // One who stands does not set off into somebody.
            if self.speed_mps < 1.0 && met[1].is_some_and(|met| met.gap_m < 8.0) {
                hardest = hardest.max(2.0);
            }
        }
        self.seen = seen;
        hardest
    }
}

fn sight_m(weather: &Weather) -> f64 {
    let light_m = if weather.sun_elevation_deg < -3.0 { BY_NIGHT_M } else { BY_DAY_M };
    light_m.min(weather.visibility_m)
}

/// An actor as somebody in the way.
pub(crate) fn other_of(actor: &Actor) -> Other {
    let (sin, cos) = actor.pose.yaw_rad.sin_cos();
    Other {
        position: actor.pose.position.xy(),
        velocity: Vector2::new(cos, sin) * actor.speed_mps,
        half_length_m: actor.size.length_m / 2.0,
        half_width_m: actor.size.width_m / 2.0,
        yaw_rad: actor.pose.yaw_rad,
    }
}

/// Whether nothing stands between a driver and somebody: buildings, and actors at least as tall.
fn is_visible(eye: &Actor, target: &Actor, before: &Snapshot, roads: &Roads) -> bool {
    let (sin, cos) = eye.pose.yaw_rad.sin_cos();
    let from = eye.pose.position.xy() + Vector2::new(cos, sin) * (eye.size.length_m * 0.2);
    let to = target.pose.position.xy();
    let hidden_by_building = roads.buildings.iter().any(|building| crosses(&building.outline, from, to));
    !hidden_by_building
        && !before.actors.iter().any(|other| {
            other.id != eye.id
                && other.id != target.id
                && other.size.height_m >= target.size.height_m * 0.95
                && other.size.length_m > 1.0
                && crosses(&other.footprint(), from, to)
        })
}

/// Whether a sight line crosses an outline.
fn crosses(outline: &[Point2<f64>], from: Point2<f64>, to: Point2<f64>) -> bool {
    let side = |a: Point2<f64>, b: Point2<f64>, p: Point2<f64>| (b - a).perp(&(p - a));
    (0..outline.len()).any(|i| {
        let (a, b) = (outline[i], outline[(i + 1) % outline.len()]);
        side(a, b, from) * side(a, b, to) < 0.0 && side(from, to, a) * side(from, to, b) < 0.0
    })
}
