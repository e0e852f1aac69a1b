//! What a vehicle's receiver says: the truth with an error that wanders.
//!
//! The error of each axis is the sensors' own process ([`GaussMarkov`]): what multipath and orbits do over half a minute,
//! without the white noise that a receiver's filter takes away. Its deviation is the scenario's, under any sky; what
//! satellites and buildings make of it is for [`crate::sensors::gnss`], which the live stage uses for stations with devices.

use crate::actor::{Actor, ActorKind};
use crate::random::Seed;
use crate::sensors::gnss::noise::GaussMarkov;
use masa_edge_node::event::{EgoState, Equipment};
use masa_v2x_proto::cdd::ExteriorLights;
use masa_v2x_proto::geo::{Covariance2, Enu, SiteFrame, yaw_to_heading_rad};
use masa_v2x_proto::time::Timestamp;
use nalgebra::Vector3;
use rand_pcg::Pcg64Mcg;

/// Time over which the error changes, seconds.
const CORRELATION_S: f64 = 30.0;

/// A receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    luck: Pcg64Mcg,
    sigma_m: f64,
    errors_m: [GaussMarkov; 2],
    last_s: f64,
}

impl Receiver {
    pub(crate) fn new(seed: Seed, station_id: u32, sigma_m: f64, now_s: f64) -> Self {
        let mut luck = seed.stream("gnss", u64::from(station_id));
        let errors_m = [(); 2].map(|()| GaussMarkov::new(sigma_m, CORRELATION_S, &mut luck));
        Self { luck, sigma_m, errors_m, last_s: now_s }
    }

    /// The state of `actor` as its node hears of it; `at` is the time by the vehicle's clock.
    pub(crate) fn state(&mut self, actor: &Actor, frame: &SiteFrame, now_s: f64, at: Timestamp) -> EgoState {
        let step_s = now_s - std::mem::replace(&mut self.last_s, now_s);
        let [east_m, north_m] = self.errors_m.each_mut().map(|error| error.step(step_s, &mut self.luck));
        // The reference point of a vehicle is the middle of its front (EN 302 637-2 B.2), that of others their middle.
        let is_vehicle = actor.kind.is_motor_vehicle() || actor.kind == ActorKind::Motorcycle;
        let ahead_m = if is_vehicle { 0.5 * actor.size.length_m } else { 0.0 };
        let (sin, cos) = actor.pose.yaw_rad.sin_cos();
        let truth = actor.pose.position + Vector3::new(ahead_m * cos, ahead_m * sin, 0.0);
        let position = Enu { e_m: truth.x + east_m, n_m: truth.y + north_m, u_m: truth.z };
        EgoState {
            captured_at: at,
            position: frame.to_wgs84(position),
            covariance: Some(Covariance2::isotropic(self.sigma_m * self.sigma_m)),
            heading_deg: Some(yaw_to_heading_rad(actor.pose.yaw_rad).to_degrees()),
            heading_sigma_deg: Some(1.0),
            speed_mps: Some(actor.speed_mps),
            speed_sigma_mps: Some(0.1),
            acceleration_mps2: Some(actor.acceleration_mps2),
            yaw_rate_degps: Some(actor.yaw_rate_rps.to_degrees()),
            exterior_lights: ExteriorLights::default(),
            equipment: Equipment {
                light_bar: actor.lights.beacon,
                siren: actor.lights.beacon && actor.role == crate::actor::Role::Emergency,
                embarkation: false,
            },
            ..EgoState::default()
        }
    }
}
