//! What moves a person: the social force of Moussaïd et al. (Proc. R. Soc. B 276, 2009, 2755–2762).
//!
//! In: bodies in the plane. Out: accelerations, metres a second squared. The interaction is the one measured there on
//! pairs of people: who comes towards is met early and passed sideways, who walks along is hardly felt. Added are the
//! contact of bodies (Helbing, Farkas, Vicsek, Nature 407, 2000, without friction), less attention to what is behind
//! (Helbing, Molnár, Phys. Rev. E 51, 1995) and the repulsion by vehicles. Absent: hiding of people by others.

use nalgebra::{Point2, Vector2};
use serde::{Deserialize, Serialize};

/// Constants of the social force; the defaults are those of the publication.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForceSettings {
    /// Time in which a person takes up the wanted speed, seconds.
    pub relaxation_s: f64,
    /// Interaction at no distance, metres a second squared.
    pub strength_mps2: f64,
    /// Weight of relative velocity against direction, seconds a metre.
    pub velocity_weight: f64,
    /// Reach of the interaction by relative motion, metres.
    pub reach_m: f64,
    /// How much narrower slowing acts than turning away: angular exponents of turning and of slowing.
    pub turning: f64,
    /// See [`Self::turning`].
    pub slowing: f64,
    /// Preference for evading to the right, radians for each metre of reach; negative: to the left. The publication has 0.005
    /// for pairs; streams of many stay in lanes with ten times that.
    pub side_preference: f64,
    /// How much what is behind counts, 0 to 1 (Helbing and Molnár's form factor).
    pub behind: f64,
    /// Repulsion by a wall at no distance, metres a second squared.
    pub wall_mps2: f64,
    /// Reach of a wall, metres.
    pub wall_reach_m: f64,
    /// Push of bodies that overlap, metres a second squared for each metre of overlap.
    pub contact_per_s2: f64,
    /// Repulsion by a vehicle's side at no distance, metres a second squared.
    pub vehicle_mps2: f64,
    /// Reach of a vehicle, metres.
    pub vehicle_reach_m: f64,
}

impl Default for ForceSettings {
    fn default() -> Self {
        Self {
            relaxation_s: 0.54,
            strength_mps2: 4.5,
            velocity_weight: 2.0,
            reach_m: 0.35,
            turning: 2.0,
            slowing: 3.0,
            side_preference: 0.05,
            behind: 0.1,
            wall_mps2: 3.0,
            wall_reach_m: 0.1,
            contact_per_s2: 60.0,
            vehicle_mps2: 4.0,
            vehicle_reach_m: 0.5,
        }
    }
}

/// Beyond this distance nobody is felt, metres.
pub(crate) const SIGHT_M: f64 = 5.0;
/// An interaction below this share of its strength is left out.
const NEGLIGIBLE_REACHES: f64 = 4.0;
/// A person as others feel it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Body {
    pub(crate) position: Point2<f64>,
    pub(crate) velocity: Vector2<f64>,
    pub(crate) radius_m: f64,
    /// Where it looks, unit vector.
    pub(crate) facing: Vector2<f64>,
    /// People of the same group do not evade each other.
    pub(crate) group: Option<u32>,
}

impl ForceSettings {
    /// What `other` does to `body`.
    pub(crate) fn interaction(&self, body: &Body, other: &Body) -> Vector2<f64> {
        let apart = other.position - body.position;
        let distance_sq = apart.norm_squared();
        if !(1e-12..=SIGHT_M * SIGHT_M).contains(&distance_sq) {
            return Vector2::zeros();
        }
        let distance = distance_sq.sqrt();
        let towards = apart / distance;
        let overlap = body.radius_m + other.radius_m - distance;
        let contact = if overlap > 0.0 { -towards * (self.contact_per_s2 * overlap) } else { Vector2::zeros() };
        if body.group.is_some() && body.group == other.group {
            return contact;
        }
        let motion = (body.velocity - other.velocity) * self.velocity_weight + towards;
        let size = motion.norm();
        let reach = self.reach_m * size;
        if size < 1e-9 || distance > NEGLIGIBLE_REACHES * reach {
            return contact;
        }
        let along = motion / size;
        let left = Vector2::new(-along.y, along.x);
        let angle = left.dot(&towards).atan2(along.dot(&towards)) + reach * self.side_preference;
        let attention = self.behind + (1.0 - self.behind) * (1.0 + body.facing.dot(&towards)) / 2.0;
        let nearness = self.strength_mps2 * attention * (-distance / reach).exp();
        let slowed = (-(self.slowing * reach * angle).powi(2)).exp();
        let turned = (-(self.turning * reach * angle).powi(2)).exp().copysign(angle);
        contact - (along * slowed + left * turned) * nearness
    }

    /// What a wall at `distance_m` (from the body's middle; negative: behind it) does, away from it.
    pub(crate) fn wall(&self, distance_m: f64, radius_m: f64) -> f64 {
        let free = distance_m - radius_m;
        if free < 0.0 {
            self.wall_mps2 + (-free * self.contact_per_s2).min(4.0 * self.wall_mps2)
        } else {
            self.wall_mps2 * (-free / self.wall_reach_m).exp()
        }
    }
}

/// A vehicle or thing that people keep away from, as a box with the way that it covers within a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Obstacle {
    pub(crate) centre: Point2<f64>,
    /// Unit vector forward.
    pub(crate) forward: Vector2<f64>,
    pub(crate) half_length_m: f64,
    pub(crate) half_width_m: f64,
    pub(crate) speed_mps: f64,
}

/// People see this far ahead of a moving vehicle, seconds.
const LOOK_AHEAD_S: f64 = 1.5;

impl Obstacle {
    /// The way to the nearest point of the box, prolonged by what it covers soon; zero inside.
    fn away(&self, p: Point2<f64>) -> (Vector2<f64>, f64) {
        let to = p - self.centre;
        let left = Vector2::new(-self.forward.y, self.forward.x);
        let (x, y) = (to.dot(&self.forward), to.dot(&left));
        let front = self.half_length_m + self.speed_mps.max(0.0) * LOOK_AHEAD_S;
        let rear = -self.half_length_m + self.speed_mps.min(0.0) * LOOK_AHEAD_S;
        let (dx, dy) = (x - x.clamp(rear, front), y - y.clamp(-self.half_width_m, self.half_width_m));
        if dx == 0.0 && dy == 0.0 {
            // Inside the swept box: out by the nearer side.
            let side = if y >= 0.0 { 1.0 } else { -1.0 };
            return (left * side, y.abs() - self.half_width_m);
        }
        let distance = dx.hypot(dy);
        ((self.forward * dx + left * dy) / distance, distance)
    }

    /// Largest distance at which it is felt, metres.
    pub(crate) fn influence_m(&self) -> f64 {
        self.half_length_m + self.speed_mps.abs() * LOOK_AHEAD_S + SIGHT_M
    }

    /// What it does to a body.
    pub(crate) fn push(&self, settings: &ForceSettings, body: &Body) -> Vector2<f64> {
        let (direction, distance) = self.away(body.position);
        let free = (distance - body.radius_m).max(0.0);
        if free > 6.0 * settings.vehicle_reach_m {
            return Vector2::zeros();
        }
        direction * settings.vehicle_mps2 * (-free / settings.vehicle_reach_m).exp()
    }
}

/// Bodies by place, for finding neighbours; always in the same order.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// Cell and index of each body, ordered.
    cells: Vec<(u64, u32)>,
}

/// Cells are so wide that two to each side reach as far as people see, metres.
const CELL_M: f64 = SIGHT_M / 2.0;

fn cell(x: f64, y: f64) -> (u32, u32) {
    // Shifted so that coordinates down to −2,500 km stay positive.
    let place = |v: f64| ((v / CELL_M).floor() + 1e6).max(2.0) as u32;
    (place(x), place(y))
}

fn key(x: u32, y: u32) -> u64 {
    u64::from(y) << 32 | u64::from(x)
}

impl Neighbours {
    /// Sorts bodies into cells.
    pub(crate) fn rebuild(&mut self, bodies: &[Body]) {
        self.cells.clear();
        self.cells.extend(bodies.iter().zip(0u32..).map(|(body, i)| {
            let (x, y) = cell(body.position.x, body.position.y);
            (key(x, y), i)
        }));
        self.cells.sort_unstable();
    }

    /// The bodies in the cells around a place: all within [`SIGHT_M`] and more.
    pub(crate) fn around(&self, p: Point2<f64>) -> impl Iterator<Item = usize> + '_ {
        let (x, y) = cell(p.x, p.y);
        (y - 2..=y + 2).flat_map(move |row| {
            let first = self.cells.partition_point(|(cell, _)| *cell < key(x - 2, row));
            let row_end = key(x + 2, row);
            let there = self.cells[first..].iter().take_while(move |(cell, _)| *cell <= row_end);
            there.map(|(_, i)| *i as usize)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(x: f64, y: f64, vx: f64) -> Body {
        Body {
            position: Point2::new(x, y),
            velocity: Vector2::new(vx, 0.0),
            radius_m: 0.25,
            facing: Vector2::x(),
            group: None,
        }
    }

    #[test]
    fn who_comes_towards_is_felt_earlier_than_who_walks_along() {
        let settings = ForceSettings::default();
        let me = body(0.0, 0.0, 1.3);
        let head_on = settings.interaction(&me, &body(3.0, 0.2, -1.3));
        let same_way = settings.interaction(&me, &body(3.0, 0.2, 1.3));
        assert!(head_on.norm() > 10.0 * same_way.norm(), "{head_on} {same_way}");
        // The other is to the left, so one turns right.
        assert!(head_on.y < 0.0 && head_on.x < 0.0, "{head_on}");
        // Who walks behind is not felt.
        assert!(settings.interaction(&me, &body(-1.0, 0.0, 1.3)).norm() < 0.05);
    }

    #[test]
    fn bodies_and_walls_push_when_touched() {
        let settings = ForceSettings::default();
        assert!(settings.interaction(&body(0.0, 0.0, 0.0), &body(0.3, 0.0, 0.0)).x < -10.0);
        assert!(settings.wall(0.3, 0.25) < settings.wall(0.25, 0.25) && settings.wall(0.1, 0.25) > 10.0);
        assert!(settings.wall(1.0, 0.25) < 0.01);
    }

    #[test]
    fn a_moving_vehicle_is_felt_ahead_of_it_but_not_behind() {
        let car = Obstacle {
            centre: Point2::origin(),
            forward: Vector2::x(),
            half_length_m: 2.2,
            half_width_m: 0.9,
            speed_mps: 10.0,
        };
        let push = |x, y| car.push(&ForceSettings::default(), &body(x, y, 0.0));
        assert!(push(12.0, 0.5).y > 3.5, "{}", push(12.0, 0.5));
        assert!(push(-6.0, 0.5).norm() < 0.01);
        assert!(push(0.0, 1.4).y > 1.0 && push(0.0, 6.0).norm() < 1e-3);
    }

    #[test]
    fn all_neighbours_are_found() {
        let bodies: Vec<_> =
            (0..400).map(|i| body(f64::from(i % 20) * 1.7 - 12.0, f64::from(i / 20) * 1.3 - 9.0, 0.0)).collect();
        let mut neighbours = Neighbours::default();
        neighbours.rebuild(&bodies);
        for at in &bodies {
            let mut found: Vec<_> = neighbours.around(at.position).collect();
            found.sort_unstable();
            for (i, other) in bodies.iter().enumerate() {
                let near = (other.position - at.position).norm() < SIGHT_M;
                assert!(!near || found.binary_search(&i).is_ok());
            }
        }
    }
}
