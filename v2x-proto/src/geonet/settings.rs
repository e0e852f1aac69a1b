//! Settings of a router: the MIB attributes of EN 302 636-4-1 annex H that matter here, with their defaults.

use super::address::MacAddress;
use serde::{Deserialize, Serialize};

/// Whether the station moves (`itsGnIsMobile`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mobility {
    /// It stands; its position is true at any time.
    #[default]
    Stationary,
    /// It moves; its position is true when it was measured.
    Mobile,
}

/// Forwarding inside the destination area (annex F, `itsGnAreaForwardingAlgorithm`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AreaForwarding {
    /// Everybody repeats at once (F.2).
    Simple,
    /// The farthest from the sender repeats first, who hears it keeps silent (F.3).
    #[default]
    ContentionBased,
}

/// Forwarding towards the destination (annex E, `itsGnNonAreaForwardingAlgorithm`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NonAreaForwarding {
    /// The sender chooses the neighbour nearest to the destination (E.2).
    #[default]
    Greedy,
    /// The receiver with the most progress repeats first (E.3).
    ContentionBased,
}

/// What happens to received packets that are not trusted (`itsGnSnDecapResultHandling`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UntrustedPackets {
    /// Dropped, neither delivered nor forwarded (STRICT).
    #[default]
    Discard,
    /// Delivered with the verdict, not forwarded (NON-STRICT).
    Deliver,
}

/// Settings of a router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RouterSettings {
    /// Link-layer address, which becomes part of the GeoNetworking address. Not in a file: it comes with the link.
    #[serde(skip)]
    pub mac: MacAddress,
    /// Station type (TS 102 894-2): 15 roadside unit, 5 passenger car, …
    pub station_type: u8,
    /// Whether the station moves.
    pub mobility: Mobility,
    /// Time after which a silent station beacons, ms (`itsGnBeaconServiceRetransmitTimer`); 0 for no beacons.
    pub beacon_interval_ms: u32,
    /// Most that is added to it, ms (`itsGnBeaconServiceMaxJitter`).
    pub beacon_jitter_ms: u32,
    /// Hops of packets whose request does not say (`itsGnDefaultHopLimit`).
    pub hop_limit: u8,
    /// Longest lifetime of a packet, s (`itsGnMaxPacketLifetime`).
    pub max_lifetime_s: f64,
    /// Largest destination area, km² (`itsGnMaxGeoAreaSize`).
    pub max_area_km2: f64,
    /// Largest payload with its BTP header, octets (`itsGnMaxSduSize`).
    pub max_payload_bytes: usize,
    /// Forwarding inside the destination area.
    pub area_forwarding: AreaForwarding,
    /// Forwarding towards the destination.
    pub non_area_forwarding: NonAreaForwarding,
    /// Shortest contention, ms (`itsGnCbfMinTime`).
    pub cbf_min_ms: u32,
    /// Longest contention, ms (`itsGnCbfMaxTime`).
    pub cbf_max_ms: u32,
    /// Range of the radio, m, at which contention is shortest (`itsGnDefaultMaxCommunicationRange`).
    pub range_m: f64,
    /// How long a station is remembered, s (`itsGnLifetimeLocTE`).
    pub location_lifetime_s: f64,
    /// Most stations that are remembered.
    pub location_entries: usize,
    /// Data rate of a source above which its packets are not forwarded, kB/s (`itsGnMaxPacketDataRate`).
    pub max_data_rate_kbps: f64,
    /// Time between location service requests, ms (`itsGnLocationServiceRetransmitTimer`).
    pub location_retransmit_ms: u32,
    /// Most repeated location service requests (`itsGnLocationServiceMaxRetrans`).
    pub location_retransmits: u8,
    /// Octets that wait for one station's location (`itsGnLocationServicePacketBufferSize`).
    pub location_buffer_bytes: usize,
    /// Octets of unicast packets that wait for a next hop (`itsGnUcForwardingPacketBufferSize`).
    pub unicast_buffer_bytes: usize,
    /// Octets of broadcast packets that wait for a neighbour (`itsGnBcForwardingPacketBufferSize`).
    pub broadcast_buffer_bytes: usize,
    /// Octets of packets in contention (`itsGnCbfPacketBufferSize`).
    pub cbf_buffer_bytes: usize,
    /// What happens to received packets that are not trusted.
    pub untrusted: UntrustedPackets,
}

impl Default for RouterSettings {
    /// A roadside unit with the defaults of annex H.
    fn default() -> Self {
        Self {
            mac: MacAddress([0x02, 0, 0, 0, 0, 1]),
            station_type: 15,
            mobility: Mobility::Stationary,
            beacon_interval_ms: 3_000,
            beacon_jitter_ms: 750,
            hop_limit: 10,
            max_lifetime_s: 600.0,
            max_area_km2: 10.0,
            max_payload_bytes: 1_398,
            area_forwarding: AreaForwarding::ContentionBased,
            non_area_forwarding: NonAreaForwarding::Greedy,
            cbf_min_ms: 1,
            cbf_max_ms: 100,
            range_m: 1_000.0,
            location_lifetime_s: 20.0,
            location_entries: 1_024,
            max_data_rate_kbps: 100.0,
            location_retransmit_ms: 1_000,
            location_retransmits: 10,
            location_buffer_bytes: 1_024,
            unicast_buffer_bytes: 256 * 1024,
            broadcast_buffer_bytes: 1_024 * 1024,
            cbf_buffer_bytes: 256 * 1024,
            untrusted: UntrustedPackets::Discard,
        }
    }
}
