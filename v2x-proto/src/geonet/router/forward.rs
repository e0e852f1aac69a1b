//! Where a packet goes next (EN 302 636-4-1 annexes D, E and F).

use super::{Actions, PacketDrop, Router};
use crate::geo::Wgs84;
use crate::geonet::address::MacAddress;
use crate::geonet::buffer::{Towards, Transit};
use crate::geonet::geometry::ground_distance_m;
use crate::geonet::position_vector::PositionAccuracy;
use crate::geonet::settings::{AreaForwarding, NonAreaForwarding};
use crate::time::Timestamp;

/// What forwarding does with a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Send(MacAddress),
    Contend {
        timeout_ms: f64,
    },
    /// Kept until a neighbour comes (store, carry, forward).
    Keep,
    Drop(PacketDrop),
}

impl Router {
    /// Sends a packet on, of this station's own when `sender` is `None`, or keeps it.
    pub(super) fn forward(&mut self, transit: Transit, sender: Option<MacAddress>, now: Timestamp, out: &mut Actions) {
        match self.step(&transit, sender, now) {
            Step::Send(destination) => {
                self.counters.forwarded += u64::from(transit.id.0 != self.address);
                self.transmit(destination, &transit, out);
            }
            Step::Contend { timeout_ms } => {
                if !self.contention.push(now.plus_ns((timeout_ms * 1e6) as i64), transit) {
                    self.drop_packet(PacketDrop::BufferFull);
                }
            }
            Step::Keep => {
                let buffer = match transit.towards {
                    Towards::Station(..) => &mut self.unicasts,
                    Towards::Everyone | Towards::Area(_) => &mut self.broadcasts,
                };
                for _ in 0..buffer.push(transit) {
                    self.drop_packet(PacketDrop::BufferFull);
                }
            }
            Step::Drop(reason) => self.drop_packet(reason),
        }
    }

    /// Sends what waited for a neighbour (clause 10.3.5); looks no more than ten times a second.
    pub(super) fn flush(&mut self, now: Timestamp, out: &mut Actions) {
        if now < self.next_flush || (self.broadcasts.is_empty() && self.unicasts.is_empty()) {
            return;
        }
        self.next_flush = now.plus_ms(100);
        for mut transit in self.broadcasts.take().into_iter().chain(self.unicasts.take()) {
            if transit.age(now) {
                self.forward(transit, None, now, out);
            } else {
                self.drop_packet(PacketDrop::LifetimeOver);
            }
        }
    }

    /// Annex D: inside the area the area's algorithm, outside the other, and nothing once a packet has left its area.
    fn step(&self, transit: &Transit, sender: Option<MacAddress>, now: Timestamp) -> Step {
        let keeps = transit.traffic_class.stores_carries_forwards();
        if keeps && self.locations.neighbours(now).next().is_none() {
            return Step::Keep;
        }
        let Some(own) = self.own_position() else { return Step::Drop(PacketDrop::NoPosition) };
        let sender_at = sender.map(|sender| self.accurate_position(sender, now));
        match &transit.towards {
            Towards::Everyone => Step::Send(MacAddress::BROADCAST),
            Towards::Area(area) if area.contains(own) => self.area_step(own, sender_at),
            Towards::Area(area) => match sender_at.flatten() {
                Some(sender_at) if area.contains(sender_at) => Step::Drop(PacketDrop::LeftArea),
                _ => self.non_area_step(area.centre, own, sender_at, keeps, now),
            },
            Towards::Station(address, believed) => match self.locations.get(*address, now) {
                Some(entry) if entry.is_neighbour => Step::Send(address.mac()),
                _ => self.non_area_step(*believed, own, sender_at, keeps, now),
            },
        }
    }

    /// Annex F. `sender_at`: outer `None` for an own packet, inner when the sender's position is not known.
    fn area_step(&self, own: Wgs84, sender_at: Option<Option<Wgs84>>) -> Step {
        match (self.settings.area_forwarding, sender_at) {
            (AreaForwarding::Simple, _) | (_, None) => Step::Send(MacAddress::BROADCAST),
            (AreaForwarding::ContentionBased, Some(sender_at)) => {
                // F.3: the farther from the sender, the earlier; last when it is not known where the sender is.
                let distance_m = sender_at.map_or(0.0, |sender| ground_distance_m(sender, own));
                Step::Contend { timeout_ms: self.timeout_ms(distance_m) }
            }
        }
    }

    /// Annex E.
    fn non_area_step(
        &self,
        destination: Wgs84,
        own: Wgs84,
        sender_at: Option<Option<Wgs84>>,
        keeps: bool,
        now: Timestamp,
    ) -> Step {
        let distance_m = |from: Wgs84| ground_distance_m(from, destination);
        match (self.settings.non_area_forwarding, sender_at) {
            (NonAreaForwarding::Greedy, _) => match self.locations.nearest_neighbour(distance_m, now) {
                Some((left_m, mac)) if left_m < distance_m(own) => Step::Send(mac),
                // E.2: a local optimum. Carry the packet if it may be carried, else leave it to whoever hears it.
                _ if keeps => Step::Keep,
                _ => Step::Send(MacAddress::BROADCAST),
            },
            (NonAreaForwarding::ContentionBased, None) => Step::Send(MacAddress::BROADCAST),
            (NonAreaForwarding::ContentionBased, Some(None)) => Step::Contend { timeout_ms: self.timeout_ms(0.0) },
            (NonAreaForwarding::ContentionBased, Some(Some(sender))) => {
                let progress_m = distance_m(sender) - distance_m(own);
                if progress_m > 0.0 {
                    Step::Contend { timeout_ms: self.timeout_ms(progress_m) }
                } else {
                    Step::Drop(PacketDrop::NoProgress)
                }
            }
        }
    }

    /// TO_CBF: falls from the longest at 0 m to the shortest at the radio's range (E.3 and F.3).
    fn timeout_ms(&self, distance_m: f64) -> f64 {
        let (min, max) = (f64::from(self.settings.cbf_min_ms), f64::from(self.settings.cbf_max_ms));
        let share =
            if self.settings.range_m > 0.0 { (distance_m / self.settings.range_m).clamp(0.0, 1.0) } else { 1.0 };
        max + (min - max) * share
    }

    /// Where a neighbour is, if that is known well enough to count (PAI).
    fn accurate_position(&self, mac: MacAddress, now: Timestamp) -> Option<Wgs84> {
        let vector = self.locations.position_of_link(mac, now)?;
        (vector.accuracy() == PositionAccuracy::Accurate).then(|| vector.position())
    }
}
