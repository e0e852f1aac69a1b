//! Green light optimal speed advice: what SPATEM and MAPEM of an intersection ahead mean for the speed.
//!
//! In: the maps and signals that were received, the vehicle's way and speed. Out: the speed at which it comes to the stop
//! line while it is green, when that is slower than now and still sensible.

use super::reaction::Situation;
use masa_edge_node::world::ldm::{Ldm, ingress_lanes};
use masa_v2x_proto::dsrc::SignalGroupId;
use masa_v2x_proto::mapem::GenericLane;
use masa_v2x_proto::spatem::MovementPhaseState;
use nalgebra::Point2;

/// A stop line this close to the own way is the own lane's, metres.
const ON_WAY_M: f64 = 1.7;
/// Advice reaches this far, metres.
const AHEAD_M: f64 = 200.0;
/// Nobody drives slower than this for a green light, metres a second.
const SLOWEST_MPS: f64 = 5.0;
/// Room in time after a light has become green, seconds.
const MARGIN_S: f64 = 1.5;

/// The speed to arrive at green, and why; `None` when the present speed does.
pub(super) fn advice(ldm: &Ldm, at: &Situation<'_>, cruise_mps: f64) -> Option<(f64, String)> {
    let mut nearest: Option<(f64, f64, String)> = None;
    for told in ldm.maps() {
        let geometry = &told.content;
        let Some(signals) = ldm.signals_of(&geometry.id) else { continue };
        for (lane, nodes_m) in ingress_lanes(geometry, at.frame) {
            let Some((distance_m, group)) = ahead(at, lane, &nodes_m) else { continue };
            let Some(movement) = signals.content.states.iter().find(|state| state.signal_group == group) else {
                continue;
            };
            let Some(event) = movement.state_time_speed.iter().next() else { continue };
            let end = event.timing.as_ref().and_then(|timing| timing.min_end_time.not_before(at.now.plus_ms(-500)));
            let Some(left_s) = end.map(|end| end.seconds_since(at.now)) else { continue };
            let red = matches!(event.event_state, MovementPhaseState::StopAndRemain | MovementPhaseState::PreMovement);
            let wanted_mps = if red { distance_m / (left_s + MARGIN_S).max(0.1) } else { cruise_mps };
            if nearest.as_ref().is_none_or(|(known, ..)| distance_m < *known) {
                let why = format!("SPATEM of {}: green in {left_s:.0} s", told.from.0);
                nearest = Some((distance_m, wanted_mps, why));
            }
        }
    }
    let (_, wanted_mps, why) = nearest?;
    (wanted_mps < cruise_mps - 0.3).then(|| (wanted_mps.max(SLOWEST_MPS), why))
}

/// How far ahead on the own way the stop line of a lane lies, and the signal group that holds for going straight on or for
/// whatever there is.
fn ahead(at: &Situation<'_>, lane: &GenericLane, nodes_m: &[[f64; 2]]) -> Option<(f64, SignalGroupId)> {
    let line = Point2::from(*nodes_m.first()?);
    let on_way = at.own.way.line.project(line)?;
    let front_m = at.own.s_m + at.own.size_m[0] / 2.0;
    let distance_m = on_way.s_m - front_m;
    let is_ahead = (1.0..AHEAD_M).contains(&distance_m) && on_way.offset_m.abs() <= ON_WAY_M;
    let connections = lane.connects_to.as_ref()?;
    let group = connections.iter().find_map(|connection| connection.signal_group)?;
    is_ahead.then_some((distance_m, group))
}
