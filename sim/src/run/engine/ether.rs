//! Frames between stations: onto the air, and off it.

use super::super::air::Party;
use super::super::station::Station;
use super::{Due, Engine};
use crate::radio::StationKey;
use std::sync::Arc;

impl Engine<'_> {
    /// A station as the air knows it.
    pub(super) fn party(&self, station: usize) -> Party {
        let Station { station_id, antenna, .. } = self.stations[station];
        let actor = self.trace.stations[station].actor;
        Party { station_id, key: actor.map_or(StationKey::Fixed(station_id), StationKey::Actor), antenna }
    }

    /// Puts a frame on the air.
    pub(super) fn transmit(&mut self, from: Party, frame: &[u8], t_ns: i64) {
        let frame: Arc<[u8]> = frame.into();
        if self.air.send(from, &frame, t_ns) {
            return;
        }
        for to in 0..self.stations.len() {
            let station = &self.stations[to];
            if station.station_id == from.station_id || !station.link_up || station.node.is_none() {
                continue;
            }
            let party = self.party(to);
            if let Some(delay_ns) = self.air.carry(from, party) {
                self.push(t_ns + delay_ns.max(1), to, Due::Frame(frame.clone()));
            }
        }
    }

    /// Takes in what comes over the radio until a time; whether anything did.
    pub(super) fn hear(&mut self, until_ns: i64) -> bool {
        let arrivals = self.air.arrivals(self.world.now(), until_ns);
        let mut any = false;
        for arrival in arrivals {
            let index = |key: StationKey| (0..self.stations.len()).find(|station| self.party(*station).key == key);
            let from_id = match (arrival.from, index(arrival.from)) {
                (_, Some(from)) => self.stations[from].station_id,
                // Somebody who is no station of ours: a forger.
                (StationKey::Fixed(number), None) => number,
                (StationKey::Actor(_), None) => continue,
            };
            let Some(to) = index(arrival.to) else { continue };
            let is_on = self.stations[to].link_up && self.stations[to].node.is_some();
            if is_on && !self.air.loses(from_id, self.stations[to].station_id) {
                self.push(arrival.at_ns.max(1), to, Due::Frame(arrival.frame));
                any = true;
            }
        }
        any
    }
}
