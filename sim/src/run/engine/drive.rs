//! Drivers in the loop: what they do about what their node tells is a command to the next step.

use super::super::conflict;
use super::super::reaction::{Reaction, Situation};
use super::super::trace::ReactionTrace;
use super::Engine;
use crate::actor::{Actor, ActorKind};
use crate::scenario::route::Way;
use crate::world::Command;
use std::sync::Arc;

/// How far a connected vehicle's navigation knows its way, metres.
const WAY_M: f64 = 400.0;

impl Engine<'_> {
    /// Lets connected drivers do something about what their node tells.
    pub(super) fn drive(&mut self, t_ns: i64) {
        let snapshot = self.world.now().clone();
        for (id, index) in self.by_actor.clone() {
            // Whoever walks or rides is told, but does what the script says.
            let is_driver = |actor: &&Actor| actor.kind.is_motor_vehicle() || actor.kind == ActorKind::Motorcycle;
            let Some(actor) = snapshot.actor(id).filter(is_driver) else { continue };
            let Some((way, s_m)) = self.way_of(actor) else { continue };
            let now = self.clock(index, t_ns);
            let frame = self.frame;
            let station = &mut self.stations[index];
            let Some(node) = &station.node else { continue };
            let situation = Situation {
                own: conflict::Own { way: &way, s_m, offset_m: 0.0, size_m: [actor.size.length_m, actor.size.width_m] },
                speed_mps: actor.speed_mps,
                yaw_rad: actor.pose.yaw_rad,
                frame: &frame,
                now,
                station_id: station.station_id,
                zebras: &self.zebras,
            };
            let reaction = station.driver.react(node.ldm(), &situation);
            let changed = reaction.why != station.reaction.why
                || reaction.brake_mps2.is_some() != station.reaction.brake_mps2.is_some();
            if reaction != station.reaction {
                station.reaction = reaction.clone();
                self.world.command(id, Command::LimitSpeed(reaction.limit_mps));
                self.world.command(id, Command::Brake(reaction.brake_mps2));
            }
            if changed {
                let Reaction { limit_mps, brake_mps2, why } = reaction;
                let at_s = snapshot.time_s;
                self.trace.reactions.push(ReactionTrace { at_s, actor: id, limit_mps, brake_mps2, why });
            }
        }
    }

    /// The way a vehicle's navigation knows, and where on it the vehicle is.
    fn way_of(&self, actor: &Actor) -> Option<(Arc<Way>, f64)> {
        if let Some(way) = self.ways.get(&actor.id) {
            let s_m = way.line.project(actor.pose.position.xy())?.s_m;
            return Some((way.clone(), s_m));
        }
        let on_lane = actor.on_lane?;
        let way = Way::ahead(self.world.roads(), on_lane.lane, WAY_M);
        let s_m = way.line.project(actor.pose.position.xy())?.s_m;
        Some((Arc::new(way), s_m))
    }
}
