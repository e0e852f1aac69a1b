//! The GeoAdhoc router (EN 302 636-4-1 clause 10): a state machine without clock, socket or chance.
//!
//! In: messages to send ([`Router::send`]), received Ethernet frames ([`Router::receive`]), the passing of time
//! ([`Router::poll`], wanted at [`Router::wake_at`]), the station's own position. Out: [`Actions`] – frames to transmit and
//! payloads to hand up – and [`Counters`].
//!
//! Invariants: the same calls give the same actions; every table and buffer is bounded; a packet that ends here is
//! delivered, forwarded or counted with a [`PacketDrop`].
//!
//! Absent: advanced area forwarding (annex F.4), IPv6 over GeoNetworking, address configuration by a management entity.

mod action;
mod forward;
mod location_service;
mod origin;
mod receive;

pub use action::{Actions, Counters, Indication, OutFrame, PacketDrop};
pub use origin::{Position, Repetition, Request, SendError};

use super::address::{GnAddress, MacAddress};
use super::buffer::{ContentionBuffer, PacketBuffer, Transit};
use super::ethernet::EthernetHeader;
use super::location_table::LocationTable;
use super::settings::RouterSettings;
use crate::geo::Wgs84;
use crate::security::SecurityService;
use crate::time::Timestamp;
use location_service::LocationService;
use origin::Repeated;

/// The security entity, when packets are to be secured.
pub type Security<'a> = Option<&'a mut dyn SecurityService>;

/// A GeoAdhoc router.
#[derive(Clone, Debug)]
pub struct Router {
    settings: RouterSettings,
    address: GnAddress,
    position: Option<Position>,
    locations: LocationTable,
    sequence_number: u16,
    /// State of the generator of beacon jitter.
    jitter: u64,
    next_beacon: Timestamp,
    broadcasts: PacketBuffer,
    unicasts: PacketBuffer,
    next_flush: Timestamp,
    contention: ContentionBuffer,
    location_service: LocationService,
    repeated: Vec<Repeated>,
    counters: Counters,
}

impl Router {
    /// A router that begins at `now`. It neither sends nor forwards before it knows its position.
    pub fn new(settings: RouterSettings, now: Timestamp) -> Self {
        let address = GnAddress::new(settings.station_type, settings.mac);
        let mut router = Self {
            address,
            position: None,
            locations: LocationTable::new(settings.location_entries, settings.location_lifetime_s),
            sequence_number: 0,
            jitter: address.bits(),
            next_beacon: now,
            broadcasts: PacketBuffer::new(settings.broadcast_buffer_bytes),
            unicasts: PacketBuffer::new(settings.unicast_buffer_bytes),
            next_flush: now,
            contention: ContentionBuffer::new(settings.cbf_buffer_bytes),
            location_service: LocationService::default(),
            repeated: Vec::new(),
            counters: Counters::default(),
            settings,
        };
        router.schedule_beacon(now);
        router
    }

    /// The station's own position, newest measurement.
    pub fn set_position(&mut self, position: Position) {
        self.position = Some(position);
    }

    /// The station's GeoNetworking address.
    pub fn address(&self) -> GnAddress {
        self.address
    }

    /// Takes another address, as a change of pseudonym asks for (clause 10.2.1.3). The stations around see a new one.
    pub fn change_address(&mut self, mac: MacAddress, now: Timestamp) {
        self.settings.mac = mac;
        self.address = GnAddress::new(self.settings.station_type, mac);
        self.repeated.clear();
        self.schedule_beacon(now);
    }

    /// Who was heard.
    pub fn locations(&self) -> &LocationTable {
        &self.locations
    }

    /// What happened so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// When [`Router::poll`] is wanted at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let beacon = (self.settings.beacon_interval_ms > 0 && self.position.is_some()).then_some(self.next_beacon);
        let repeated = self.repeated.iter().map(|repeated| repeated.next).min();
        [beacon, self.contention.next(), self.location_service.next(), repeated].into_iter().flatten().min()
    }

    /// Does what is due: ends contentions, repeats packets, asks for locations again, beacons.
    pub fn poll(&mut self, now: Timestamp, mut security: Security<'_>, out: &mut Actions) {
        while let Some(mut transit) = self.contention.due(now) {
            if transit.age(now) {
                self.counters.forwarded += 1;
                self.transmit(MacAddress::BROADCAST, &transit, out);
            } else {
                self.drop_packet(PacketDrop::LifetimeOver);
            }
        }
        self.repeat(now, out);
        self.retransmit_location_requests(now, &mut security, out);
        if self.settings.beacon_interval_ms > 0 && self.next_beacon <= now && self.position.is_some() {
            self.beacon(now, &mut security, out);
        }
    }

    /// Beacons again after the interval plus a jitter that follows from the address (clause 10.3.6.2).
    fn schedule_beacon(&mut self, now: Timestamp) {
        // SplitMix64: each state gives one well-mixed number.
        self.jitter = self.jitter.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.jitter;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        let jitter_ms = mixed % (u64::from(self.settings.beacon_jitter_ms) + 1);
        self.next_beacon = now.plus_ms(i64::from(self.settings.beacon_interval_ms) + jitter_ms as i64);
    }

    fn own_position(&self) -> Option<Wgs84> {
        self.position.map(|position| position.at)
    }

    fn transmit(&mut self, destination: MacAddress, transit: &Transit, out: &mut Actions) {
        let ethernet = EthernetHeader { destination, source: self.settings.mac };
        let bytes = [&ethernet.octets()[..], &transit.packet].concat();
        self.counters.sent += 1;
        let (traffic_class, expires_at) = (transit.traffic_class, transit.expires_at);
        out.frames.push(OutFrame { destination, traffic_class, expires_at, bytes });
    }

    fn drop_packet(&mut self, reason: PacketDrop) {
        *self.counters.dropped.entry(reason).or_default() += 1;
    }
}
