//! Packets that wait: for a neighbour, for a next hop, for the end of a contention.

use super::address::GnAddress;
use super::header::{BasicHeader, Lifetime, TrafficClass};
use super::request::GeoArea;
use crate::geo::Wgs84;
use crate::time::Timestamp;
use std::collections::VecDeque;

/// Offset of the lifetime in a packet.
const LIFETIME_AT: usize = 2;
/// Offset of the remaining hop limit in a packet.
const REMAINING_HOPS_AT: usize = 3;

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Towards {
    /// To whoever hears it.
    Everyone,
    /// To everyone in an area, or to anyone there.
    Area(GeoArea),
    /// To a station that is believed to be there.
    Station(GnAddress, Wgs84),
}

/// A packet on its way through this station. Only its basic header ever changes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transit {
    /// The packet from its basic header on.
    pub(crate) packet: Vec<u8>,
    pub(crate) towards: Towards,
    pub(crate) traffic_class: TrafficClass,
    pub(crate) expires_at: Timestamp,
    /// Source and sequence number; number 0 for packets that have none.
    pub(crate) id: (GnAddress, u16),
}

impl Transit {
    /// Takes the time spent waiting off the lifetime (clause 10.3.10.2); false when nothing is left.
    pub(crate) fn age(&mut self, now: Timestamp) -> bool {
        debug_assert!(self.packet.len() >= BasicHeader::BYTES, "built with a basic header");
        let left = Lifetime::at_most(self.expires_at.seconds_since(now));
        if self.expires_at <= now || left.seconds() <= 0.0 {
            return false;
        }
        // A lifetime is only ever shortened: rounding must not let an unaged packet lose a step of its coarse base.
        if left.seconds() < Lifetime::from_octet(self.packet[LIFETIME_AT]).seconds() {
            self.packet[LIFETIME_AT] = left.octet();
        }
        true
    }

    pub(crate) fn set_remaining_hops(&mut self, hops: u8) {
        self.packet[REMAINING_HOPS_AT] = hops;
    }
}

/// A first-in first-out buffer bounded in octets (clause 8.5); the oldest packets make room.
#[derive(Clone, Debug)]
pub(crate) struct PacketBuffer {
    waiting: VecDeque<Transit>,
    bytes: usize,
    capacity_bytes: usize,
}

impl PacketBuffer {
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        Self { waiting: VecDeque::new(), bytes: 0, capacity_bytes }
    }

    /// Adds a packet and returns how many had to go, itself included when it does not fit at all.
    pub(crate) fn push(&mut self, transit: Transit) -> u64 {
        if transit.packet.len() > self.capacity_bytes {
            return 1;
        }
        self.bytes += transit.packet.len();
        self.waiting.push_back(transit);
        let mut dropped = 0;
        while self.bytes > self.capacity_bytes
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.packet.len();
            dropped += 1;
        }
        dropped
    }

    /// Everything, oldest first; the buffer is empty afterwards.
    pub(crate) fn take(&mut self) -> VecDeque<Transit> {
        self.bytes = 0;
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Packets in contention (annexes E.3 and F.3): each goes out at its time unless somebody else sends it first.
#[derive(Clone, Debug)]
pub(crate) struct ContentionBuffer {
    waiting: Vec<(Timestamp, Transit)>,
    bytes: usize,
    capacity_bytes: usize,
}

impl ContentionBuffer {
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        Self { waiting: Vec::new(), bytes: 0, capacity_bytes }
    }

    /// Adds a packet that goes out `at`; false when there is no room.
    pub(crate) fn push(&mut self, at: Timestamp, transit: Transit) -> bool {
        if self.bytes + transit.packet.len() > self.capacity_bytes {
            return false;
        }
        self.bytes += transit.packet.len();
        self.waiting.push((at, transit));
        true
    }

    /// Removes a packet that somebody else has sent; whether it was there.
    pub(crate) fn cancel(&mut self, id: (GnAddress, u16)) -> bool {
        let found = self.waiting.iter().position(|(_, transit)| transit.id == id);
        found.map(|at| self.remove(at)).is_some()
    }

    /// The next packet whose time has come.
    pub(crate) fn due(&mut self, now: Timestamp) -> Option<Transit> {
        let (index, _) = self.waiting.iter().enumerate().min_by_key(|(_, (at, _))| *at)?;
        (self.waiting[index].0 <= now).then(|| self.remove(index))
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    fn remove(&mut self, index: usize) -> Transit {
        // Not `swap_remove`: among packets that are due at once the first received goes first.
        let (_, transit) = self.waiting.remove(index);
        self.bytes -= transit.packet.len();
        transit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

    fn transit(number: u16, bytes: usize) -> Transit {
        let mut packet = vec![0; bytes];
        packet[LIFETIME_AT] = Lifetime::at_least(1.0).octet();
        let id = (GnAddress::default(), number);
        let traffic_class = TrafficClass::default();
        Transit { packet, towards: Towards::Everyone, traffic_class, expires_at: T0.plus_ms(1_000), id }
    }

    #[test]
    fn the_oldest_make_room() {
        let mut buffer = PacketBuffer::new(100);
        assert_eq!((buffer.push(transit(1, 40)), buffer.push(transit(2, 40)), buffer.push(transit(3, 90))), (0, 0, 2));
        assert_eq!(buffer.push(transit(4, 101)), 1);
        assert_eq!(buffer.take().iter().map(|t| t.id.1).collect::<Vec<_>>(), [3]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn waiting_shortens_the_lifetime() {
        let mut packet = transit(1, 40);
        assert!(packet.age(T0) && Lifetime::from_octet(packet.packet[LIFETIME_AT]).seconds() == 1.0);
        assert!(packet.age(T0.plus_ms(420)));
        assert!((Lifetime::from_octet(packet.packet[LIFETIME_AT]).seconds() - 0.55).abs() < 1e-9);
        assert!(!packet.age(T0.plus_ms(980)), "less than the shortest lifetime");
        assert!(!packet.age(T0.plus_ms(1_000)));
    }

    #[test]
    fn contention_is_won_by_time_and_lost_by_hearing() {
        let mut buffer = ContentionBuffer::new(100);
        assert!(buffer.push(T0.plus_ms(5), transit(1, 40)) && buffer.push(T0.plus_ms(3), transit(2, 40)));
        assert!(!buffer.push(T0, transit(3, 40)), "no room");
        assert_eq!(buffer.next(), Some(T0.plus_ms(3)));
        assert!(buffer.due(T0.plus_ms(2)).is_none());
        assert_eq!(buffer.due(T0.plus_ms(3)).unwrap().id.1, 2);
        assert!(buffer.cancel((GnAddress::default(), 1)) && !buffer.cancel((GnAddress::default(), 1)));
        assert!(buffer.next().is_none() && buffer.push(T0, transit(3, 100)));
    }
}
