//! The location table (EN 302 636-4-1 clause 8.1): who was heard, where it is, which of its packets were seen.

use super::address::{GnAddress, MacAddress};
use super::position_vector::LongPositionVector;
use crate::geo::Wgs84;
use crate::time::Timestamp;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Sequence numbers remembered per source (`itsGnDPLLength`, annex A.2).
const DUPLICATE_LIST_LENGTH: usize = 8;
/// Weight of the past in the packet data rate (annex B.2, `itsGnMaxPacketDataRateEmaBeta` 90 %).
const RATE_MEMORY: f64 = 0.9;

/// What is known of one station.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbour {
    /// Newest position vector.
    pub position: LongPositionVector,
    /// Whether it was heard directly (IS_NEIGHBOUR).
    pub is_neighbour: bool,
    /// When a packet of it last arrived.
    pub heard_at: Timestamp,
    /// Smoothed data rate of its packets, octets per second (PDR).
    pub data_rate_bps: f64,
    seen: heapless::Deque<u16, DUPLICATE_LIST_LENGTH>,
}

/// What a received packet says of its source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard<'a> {
    pub(crate) source: &'a LongPositionVector,
    /// `None` for packets that travel one hop: these make the source a neighbour.
    pub(crate) sequence_number: Option<u16>,
    pub(crate) bytes: usize,
}

/// What the table made of a packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Noted {
    pub(crate) is_duplicate: bool,
    pub(crate) data_rate_bps: f64,
    /// Whether another station had to be forgotten.
    pub(crate) evicted: bool,
}

/// Stations by address, at most `capacity`; each forgotten `lifetime_s` after it was last heard.
#[derive(Clone, Debug)]
pub struct LocationTable {
    entries: BTreeMap<GnAddress, Neighbour>,
    capacity: usize,
    lifetime_s: f64,
    next_purge: Timestamp,
}

impl LocationTable {
    pub(crate) fn new(capacity: usize, lifetime_s: f64) -> Self {
        Self { entries: BTreeMap::new(), capacity: capacity.max(1), lifetime_s, next_purge: Timestamp::default() }
    }

    /// Notes a packet (clauses C.2, A.2 and B.2).
    pub(crate) fn note(&mut self, heard: Heard<'_>, now: Timestamp) -> Noted {
        self.purge(now);
        let address = heard.source.address;
        let evicted = !self.entries.contains_key(&address) && self.make_room();
        let entry = self.entries.entry(address).or_insert_with(|| Neighbour {
            position: *heard.source,
            is_neighbour: false,
            heard_at: now,
            data_rate_bps: 0.0,
            seen: heapless::Deque::new(),
        });
        if heard.source.time.compare(entry.position.time) != Ordering::Less {
            entry.position = *heard.source;
        }
        let elapsed_s = now.seconds_since(entry.heard_at);
        if elapsed_s > 0.0 {
            let rate = heard.bytes as f64 / elapsed_s;
            entry.data_rate_bps = RATE_MEMORY * entry.data_rate_bps + (1.0 - RATE_MEMORY) * rate;
        }
        entry.heard_at = entry.heard_at.max(now);
        let is_duplicate = match heard.sequence_number {
            None => {
                entry.is_neighbour = true;
                false
            }
            Some(number) => {
                let known = entry.seen.iter().any(|&seen| seen == number);
                if !known {
                    if entry.seen.is_full() {
                        entry.seen.pop_front();
                    }
                    // There is room: the oldest has just gone.
                    let _ = entry.seen.push_back(number);
                }
                known
            }
        };
        Noted { is_duplicate, data_rate_bps: entry.data_rate_bps, evicted }
    }

    /// What is known of a station now.
    pub fn get(&self, address: GnAddress, now: Timestamp) -> Option<&Neighbour> {
        self.entries.get(&address).filter(|entry| self.is_fresh(entry, now))
    }

    /// Where the neighbour with a link-layer address is.
    pub fn position_of_link(&self, mac: MacAddress, now: Timestamp) -> Option<&LongPositionVector> {
        self.neighbours(now).find(|entry| entry.position.address.mac() == mac).map(|entry| &entry.position)
    }

    /// Stations that were heard directly.
    pub fn neighbours(&self, now: Timestamp) -> impl Iterator<Item = &Neighbour> {
        self.entries.values().filter(move |entry| entry.is_neighbour && self.is_fresh(entry, now))
    }

    /// The neighbour nearest to a place (annex E.2, most forward within radius): distance in metres and address.
    pub(crate) fn nearest_neighbour(
        &self,
        distance_m: impl Fn(Wgs84) -> f64,
        now: Timestamp,
    ) -> Option<(f64, MacAddress)> {
        self.neighbours(now)
            .map(|entry| (distance_m(entry.position.position()), entry.position.address.mac()))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// Stations remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn is_fresh(&self, entry: &Neighbour, now: Timestamp) -> bool {
        now.seconds_since(entry.heard_at) <= self.lifetime_s
    }

    /// Forgets the silent, once a second at most.
    fn purge(&mut self, now: Timestamp) {
        if now < self.next_purge {
            return;
        }
        self.next_purge = now.plus_ms(1_000);
        let lifetime_s = self.lifetime_s;
        self.entries.retain(|_, entry| now.seconds_since(entry.heard_at) <= lifetime_s);
    }

    /// Makes room for one more by forgetting whoever was silent longest; says whether it had to.
    fn make_room(&mut self) -> bool {
        if self.entries.len() < self.capacity {
            return false;
        }
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.heard_at).map(|(address, _)| *address);
        oldest.is_some_and(|address| self.entries.remove(&address).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geonet::PositionAccuracy;

    const T0: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

    fn source(id: u8, at: Timestamp) -> LongPositionVector {
        let address = GnAddress::new(5, MacAddress([2, 0, 0, 0, 0, id]));
        LongPositionVector::new(address, at, Wgs84::default(), PositionAccuracy::Accurate)
    }

    fn note(table: &mut LocationTable, source: &LongPositionVector, sn: Option<u16>, now: Timestamp) -> Noted {
        table.note(Heard { source, sequence_number: sn, bytes: 100 }, now)
    }

    #[test]
    fn duplicates_are_known_by_number_among_the_last_eight() {
        let mut table = LocationTable::new(10, 20.0);
        let car = source(1, T0);
        for number in 0..9 {
            assert!(!note(&mut table, &car, Some(number), T0).is_duplicate);
        }
        for number in 1..9 {
            assert!(note(&mut table, &car, Some(number), T0).is_duplicate, "{number}");
        }
        assert!(!note(&mut table, &car, Some(0), T0).is_duplicate, "only the last eight are kept");
        assert!(!note(&mut table, &source(2, T0), Some(1), T0).is_duplicate, "numbers are per source");
    }

    #[test]
    fn only_one_hop_makes_a_neighbour_and_silence_ends_it() {
        let mut table = LocationTable::new(10, 20.0);
        note(&mut table, &source(1, T0), Some(1), T0);
        assert_eq!(table.neighbours(T0).count(), 0);
        note(&mut table, &source(1, T0), None, T0);
        assert_eq!(table.neighbours(T0.plus_ms(20_000)).count(), 1);
        assert_eq!(table.neighbours(T0.plus_ms(20_001)).count(), 0);
        note(&mut table, &source(2, T0), None, T0.plus_ms(30_000));
        assert_eq!(table.len(), 1, "the silent station is forgotten");
    }

    #[test]
    fn an_older_position_vector_does_not_replace_a_newer_one() {
        let mut table = LocationTable::new(10, 20.0);
        note(&mut table, &source(1, T0), None, T0);
        note(&mut table, &source(1, T0.plus_ms(-500)), Some(7), T0.plus_ms(10));
        let known = table.get(source(1, T0).address, T0.plus_ms(10)).unwrap();
        assert_eq!(known.position.time, source(1, T0).time);
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = LocationTable::new(3, 20.0);
        let evictions =
            (0..10).filter(|&id| note(&mut table, &source(id, T0), None, T0.plus_ms(id.into())).evicted).count();
        assert_eq!((table.len(), evictions), (3, 7));
        assert!(table.get(source(9, T0).address, T0.plus_ms(9)).is_some());
    }

    #[test]
    fn the_data_rate_follows_annex_b_2() {
        let mut table = LocationTable::new(3, 20.0);
        assert_eq!(note(&mut table, &source(1, T0), None, T0).data_rate_bps, 0.0);
        let rate = note(&mut table, &source(1, T0), None, T0.plus_ms(100)).data_rate_bps;
        assert!((rate - 100.0).abs() < 1e-9, "a tenth of 1,000 octets per second: {rate}");
    }
}
