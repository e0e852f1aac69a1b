//! Whether two sources speak of one road user, and how well they agree.
//!
//! Both are moved to one instant; what counts is the Mahalanobis distance of their places and, where both know it, of their
//! velocities, with the logarithm of the uncertainty, so that a vague object does not draw the tracks of sharp ones.

use super::report::Report;
use super::settings::FusionSettings;
use crate::perception::GroundTrack;
use crate::perception::ground::{matrix, sum};
use crate::world::RoadUser;
use masa_inference::ObjectClass;
use masa_v2x_proto::geo::{Covariance2, Enu};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix2, Vector2};

/// Change of the velocity of somebody nobody looks at, (m/s²)²·s.
pub(super) const UNSEEN_DENSITY: f64 = 1.5;
/// Two instants further apart than this cannot be compared, seconds.
const MOST_APART_S: f64 = 3.0;
/// Noise of every difference of two velocities, m/s.
const VELOCITY_SLACK_MPS: f64 = 0.7;
/// What it costs to take a person for a cyclist, or a motorcycle for a vehicle.
const NEAR_CLASS_COST: f64 = 3.0;

/// Where a source has a road user.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    at: Timestamp,
    position: Enu,
    covariance: Covariance2,
    /// With its covariance; `None` where nothing is known of it.
    velocity: Option<([f64; 2], Covariance2)>,
    class: Option<ObjectClass>,
    length_m: f64,
}

impl Candidate {
    pub(super) fn of_user(user: &RoadUser) -> Self {
        Self {
            at: user.state_at,
            position: user.position,
            covariance: user.covariance,
            velocity: Some(([user.velocity_e_mps, user.velocity_n_mps], user.velocity_covariance)),
            class: (user.class_confidence > 0.0).then_some(user.class),
            length_m: user.length_m,
        }
    }
}

impl From<&GroundTrack> for Candidate {
    fn from(track: &GroundTrack) -> Self {
        Self {
            at: track.state_at,
            position: track.position,
            covariance: track.covariance,
            velocity: Some(([track.velocity_e_mps, track.velocity_n_mps], track.velocity_covariance)),
            class: track.tells_class().then_some(track.class),
            length_m: track.length_m,
        }
    }
}

impl From<&Report> for Candidate {
    fn from(report: &Report) -> Self {
        Self {
            at: report.measured_at,
            position: report.position,
            covariance: report.covariance(),
            velocity: report.velocity_mps.map(|velocity| (velocity, report.velocity_covariance())),
            class: report.class,
            length_m: report.size_m.map_or(0.0, |[length_m, _]| length_m),
        }
    }
}

/// What it costs to take both for one; `None` when they cannot be.
pub(super) fn cost(a: &Candidate, b: &Candidate, settings: &FusionSettings) -> Option<f32> {
    cost_within(settings.gate_sigma, a, b, settings)
}

/// Whether a message may still be about the object that its teller spoke of before. Its share in the estimate has made that
/// surer since, so that the gate is wider: else a station of little accuracy would join and leave by turns.
pub(super) fn stays(object: &Candidate, told: &Candidate, settings: &FusionSettings) -> bool {
    cost_within(settings.leave_sigma, object, told, settings).is_some()
}

fn cost_within(gate_sigma: f64, a: &Candidate, b: &Candidate, settings: &FusionSettings) -> Option<f32> {
    let class_cost = match (a.class, b.class) {
        (Some(a), Some(b)) => class_cost(a, b)?,
        _ => 0.0,
    };
    // The older one is moved to the newer one's instant.
    let (older, newer) = if a.at <= b.at { (a, b) } else { (b, a) };
    let dt_s = newer.at.seconds_since(older.at);
    if dt_s > MOST_APART_S {
        return None;
    }
    let ([ve, vn], spread) = older.velocity.unwrap_or(([0.0; 2], Covariance2::isotropic(25.0)));
    let moved = Vector2::new(older.position.e_m + dt_s * ve, older.position.n_m + dt_s * vn);
    let apart = Vector2::new(newer.position.e_m, newer.position.n_m) - moved;
    let reach_m = settings.most_apart_m + 0.5 * a.length_m.max(b.length_m) + dt_s * spread.ellipse().0;
    let apart_m = apart.norm();
    if apart_m.is_nan() || apart_m > reach_m {
        return None;
    }
    let wander = settings.slack_m.powi(2) + UNSEEN_DENSITY * dt_s.powi(3) / 3.0;
    let place = matrix(&sum(&older.covariance, &newer.covariance))
        + matrix(&spread) * (dt_s * dt_s)
        + Matrix2::identity() * wander;
    let mut distance2 = mahalanobis2(&place, &apart)?;
    let mut limit2 = gate_sigma.powi(2);
    if let (Some((one, one_spread)), Some((other, other_spread))) = (a.velocity, b.velocity) {
        let slack = VELOCITY_SLACK_MPS.powi(2) + UNSEEN_DENSITY * dt_s;
        let spread = matrix(&sum(&one_spread, &other_spread)) + Matrix2::identity() * slack;
        distance2 += mahalanobis2(&spread, &(Vector2::from(one) - Vector2::from(other)))?;
        // The same confidence with four degrees of freedom instead of two.
        limit2 += 5.0;
    }
    let vagueness = place.determinant().max(1e-6).ln();
    (distance2 <= limit2).then_some((distance2 + vagueness + class_cost + 20.0) as f32)
}

pub(super) fn mahalanobis2(covariance: &Matrix2<f64>, apart: &Vector2<f64>) -> Option<f64> {
    let distance2 = apart.dot(&(covariance.try_inverse()? * apart));
    (distance2 >= 0.0).then_some(distance2)
}

/// What it costs to take one class for the other; `None` where nobody would.
fn class_cost(a: ObjectClass, b: ObjectClass) -> Option<f64> {
    #[derive(PartialEq)]
    enum Group {
        Person,
        Cycle,
        Motorcycle,
        Vehicle,
        Other,
    }
    let group = |class| match class {
        ObjectClass::Person => Group::Person,
        ObjectClass::Bicycle | ObjectClass::EScooter => Group::Cycle,
        ObjectClass::Motorcycle => Group::Motorcycle,
        ObjectClass::Animal | ObjectClass::Obstacle => Group::Other,
        _ => Group::Vehicle,
    };
    match (group(a), group(b)) {
        (a, b) if a == b => Some(0.0),
        (Group::Person, Group::Cycle) | (Group::Cycle, Group::Person) => Some(NEAR_CLASS_COST),
        (Group::Motorcycle, Group::Cycle | Group::Vehicle) | (Group::Cycle | Group::Vehicle, Group::Motorcycle) => {
            Some(NEAR_CLASS_COST)
        }
        // What is no road user for one may be any for another.
        (Group::Other, _) | (_, Group::Other) => Some(2.0 * NEAR_CLASS_COST),
        _ => None,
    }
}
