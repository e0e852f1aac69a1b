//! A small public key infrastructure, packets, and stations that sign them.

use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::{
    AppPermission, Certificate, ChangePolicy, Curve, Duration, DurationUnit, PlausibilityLimits, RectangularRegion,
    Region, RegionPoint, SecurityEntity, SecurityService, SecuritySettings, SignRequest, SigningKey,
    StationCredentials, Ticket, Time32, Validity, Verdict, pki,
};
use masa_v2x_proto::time::Timestamp;

/// 2026-03-01T12:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_ms(1_772_366_400_000);
/// Modena.
pub(crate) const HOME: Wgs84 = Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 40.0 };

pub(crate) fn hours(start: Timestamp, count: u16) -> Validity {
    Validity { start: Time32::of(start), duration: Duration { count, unit: DurationUnit::Hours } }
}

pub(crate) fn rectangle(north: f64, west: f64, south: f64, east: f64) -> Region {
    let corner = |lat_deg, lon_deg| RegionPoint { lat_deg, lon_deg };
    Region::Rectangular(vec![RectangularRegion { north_west: corner(north, west), south_east: corner(south, east) }])
}

pub(crate) fn key(curve: Curve, number: u8) -> SigningKey {
    let length = if curve == Curve::BrainpoolP384r1 { 48 } else { 32 };
    SigningKey::from_scalar(curve, &vec![number; length]).expect("a secret number")
}

/// Root and authority, valid for a day from an hour before now, in a degree around home.
pub(crate) struct World {
    pub(crate) curve: Curve,
    pub(crate) root: Certificate,
    pub(crate) authority: Certificate,
    pub(crate) authority_key: SigningKey,
}

/// What a ticket is issued with.
pub(crate) struct Order {
    pub(crate) key: u8,
    pub(crate) permissions: Vec<AppPermission>,
    pub(crate) validity: Validity,
    pub(crate) region: Option<Region>,
}

impl Order {
    /// Everything, for two hours from an hour before now.
    pub(crate) fn with_key(key: u8) -> Self {
        Self { key, permissions: pki::all_permissions(), validity: hours(NOW.plus_ms(-3_600_000), 2), region: None }
    }
}

impl World {
    pub(crate) fn new(curve: Curve) -> Self {
        Self::with_keys(curve, 1)
    }

    pub(crate) fn with_keys(curve: Curve, first: u8) -> Self {
        let (root_key, authority_key) = (key(curve, first), key(curve, first + 1));
        let validity = hours(NOW.plus_ms(-3_600_000), 24);
        let region = Some(rectangle(45.0, 10.0, 44.0, 11.0));
        let root = pki::root("root", validity, region.clone(), &root_key);
        let public = authority_key.public_key();
        let authority = pki::authority("authority", validity, region, public, (&root, &root_key));
        Self { curve, root, authority, authority_key }
    }

    pub(crate) fn certificate(&self, order: Order) -> Certificate {
        let Order { key: number, permissions, validity, region } = order;
        let public = key(self.curve, number).public_key();
        pki::ticket(permissions, validity, region, public, (&self.authority, &self.authority_key))
    }

    pub(crate) fn ticket(&self, order: Order) -> Ticket {
        let key = key(self.curve, order.key);
        Ticket::new(self.certificate(order), key).expect("the ticket's key")
    }

    pub(crate) fn credentials(&self, tickets: Vec<Ticket>) -> StationCredentials {
        let (roots, authorities) = (vec![self.root.clone()], vec![self.authority.clone()]);
        StationCredentials { roots, authorities, tickets, revoked: Vec::new() }
    }

    /// A station with one ticket.
    pub(crate) fn station(&self, order: Order) -> SecurityEntity {
        entity(self.credentials(vec![self.ticket(order)]))
    }

    /// A station that has root and authority and no ticket.
    pub(crate) fn listener(&self) -> SecurityEntity {
        entity(self.credentials(Vec::new()))
    }
}

pub(crate) fn entity(credentials: StationCredentials) -> SecurityEntity {
    SecurityEntity::new(settings(), credentials, 1).expect("trusted credentials")
}

pub(crate) fn settings() -> SecuritySettings {
    SecuritySettings {
        plausibility: PlausibilityLimits::default(),
        pseudonyms: ChangePolicy::WhenExpired,
        ..SecuritySettings::default()
    }
}

/// A single-hop packet around a message to a port, from a station at a place.
pub(crate) fn packet(port: u16, position: Wgs84, speed_mps: f64, message: &[u8]) -> Vec<u8> {
    let wire = |deg: f64| ((deg * 1e7).round() as i32).to_be_bytes();
    let length = (message.len() + 4) as u16;
    let mut packet = vec![0x20, 0x50, 0x02, 0x80];
    packet.extend(length.to_be_bytes());
    packet.extend([1, 0]);
    packet.extend([0xBC, 0, 2, 0x4C, 0x55, 0x49, 0x47, 0x89, 0, 0, 0, 0]);
    packet.extend(wire(position.lat_deg));
    packet.extend(wire(position.lon_deg));
    packet.extend((0x8000 | ((speed_mps * 100.0).round() as i16 as u16 & 0x7FFF)).to_be_bytes());
    packet.extend([0; 6]);
    packet.extend(port.to_be_bytes());
    packet.extend([0, 0]);
    packet.extend(message);
    packet
}

pub(crate) fn sign(station: &mut SecurityEntity, its_aid: u32, payload: &[u8], now: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    let request = SignRequest { payload, its_aid, position: HOME };
    station.sign(&request, now, &mut out).expect("a valid ticket");
    out
}

pub(crate) fn verdict(station: &mut SecurityEntity, envelope: &[u8], now: Timestamp) -> Verdict {
    station.unwrap(envelope, now).verdict
}
