//! Packets of this station's own (EN 302 636-4-1 clauses 10.3.6 to 10.3.12, source operations).

use super::{Actions, Router, Security};
use crate::geo::Wgs84;
use crate::geonet::area::AreaField;
use crate::geonet::btp::{BTP_BYTES, Btp, its_aid_of};
use crate::geonet::buffer::{Towards, Transit};
use crate::geonet::extended::{ExtendedHeader, SequenceField};
use crate::geonet::header::{
    AfterBasic, BasicHeader, CommonHeader, FLAG_MOBILE, Lifetime, TrafficClass, UpperProtocol,
};
use crate::geonet::packet::PlainPacket;
use crate::geonet::position_vector::{LongPositionVector, PositionAccuracy};
use crate::geonet::request::{Dissemination, GeoArea, Scope};
use crate::geonet::settings::Mobility;
use crate::security::{SignError, SignRequest};
use crate::time::Timestamp;

/// ITS-AID of GeoNetworking's own packets (TS 102 965: GN-MGMT).
const GN_MANAGEMENT: u32 = 141;
/// Most packets that are repeated at a time.
const REPEATED_PACKETS: usize = 64;

/// Where a station is and how it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Where.
    pub at: Wgs84,
    /// When this was measured.
    pub measured_at: Timestamp,
    /// How well it is known.
    pub accuracy: PositionAccuracy,
    /// Speed, m/s.
    pub speed_mps: f64,
    /// Direction of movement, degrees clockwise from north.
    pub heading_deg: f64,
}

impl Position {
    /// Of a station that stands at a surveyed place.
    pub const fn surveyed(at: Wgs84, measured_at: Timestamp) -> Self {
        Self { at, measured_at, accuracy: PositionAccuracy::Accurate, speed_mps: 0.0, heading_deg: 0.0 }
    }
}

/// Repetition of a packet by the network layer (clause 10.3.11.2: repetition interval and maximum repetition time).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repetition {
    /// Time between two, ms; at least `itsGnMinPacketRepetitionInterval`, 100 ms.
    pub interval_ms: u32,
    /// For how long, seconds.
    pub for_s: f64,
}

/// A message to send (GN-DATA.request, BTP-DATA.request).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request<'a> {
    /// Ports.
    pub btp: Btp,
    /// The message.
    pub message: &'a [u8],
    /// Who is to get it, how urgent it is, how long it lives.
    pub dissemination: Dissemination,
    /// Whether the network layer repeats it.
    pub repetition: Option<Repetition>,
}

/// Why a message was not sent.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The station does not know where it is.
    #[error("the station does not know its position")]
    NoPosition,
    /// Message and BTP header are longer than the link takes.
    #[error("{bytes} octets with the BTP header, {limit} at most")]
    TooLong {
        /// Octets.
        bytes: usize,
        /// Most.
        limit: usize,
    },
    /// The destination area is larger than allowed (annex B.3).
    #[error("a destination area of {km2:.1} km², {limit_km2} km² at most")]
    AreaTooLarge {
        /// Size.
        km2: f64,
        /// Most.
        limit_km2: f64,
    },
    /// The destination area contains no place.
    #[error("the destination area has no extent")]
    EmptyArea,
    /// Nobody is registered for the port, so it is not known what to sign the message for.
    #[error("BTP port {0} belongs to no application")]
    NoApplication(u16),
    /// There is no room for another repeated packet.
    #[error("{REPEATED_PACKETS} packets are being repeated already")]
    TooManyRepeated,
    /// It could not be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// A packet that is sent again and again.
#[derive(Clone, Debug)]
pub(crate) struct Repeated {
    pub(crate) transit: Transit,
    pub(crate) next: Timestamp,
    interval_ms: i64,
    until: Timestamp,
}

/// What the source operations need to make a packet.
#[derive(Clone, Copy)]
pub(super) struct Outline<'a> {
    pub(super) upper: UpperProtocol,
    pub(super) payload: &'a [u8],
    pub(super) extended: ExtendedHeader,
    pub(super) towards: Towards,
    pub(super) hops: u8,
    pub(super) traffic_class: TrafficClass,
    pub(super) lifetime_s: f64,
    pub(super) its_aid: u32,
}

impl Router {
    /// Sends a message, or keeps it until a neighbour or the destination's location is known.
    ///
    /// # Errors
    /// What makes it impossible; nothing was sent then.
    pub fn send(
        &mut self,
        request: &Request<'_>,
        now: Timestamp,
        mut security: Security<'_>,
        out: &mut Actions,
    ) -> Result<(), SendError> {
        self.check(request)?;
        if let Scope::Station(address) = request.dissemination.scope
            && self.locations.get(address, now).is_none()
        {
            self.look_for(address, request, now, &mut security, out);
            return Ok(());
        }
        self.send_located(request, now, &mut security, out)
    }

    /// Sends a message whose destination is known.
    pub(super) fn send_located(
        &mut self,
        request: &Request<'_>,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) -> Result<(), SendError> {
        let port = request.btp.destination();
        let its_aid = match (its_aid_of(port), &security) {
            (Some(its_aid), _) => its_aid,
            (None, None) => 0,
            (None, Some(_)) => return Err(SendError::NoApplication(port)),
        };
        let payload = [&request.btp.octets()[..], request.message].concat();
        let asked = request.dissemination;
        let (extended, towards, hops) = self.address_to(&asked.scope, now)?;
        let outline = Outline {
            upper: request.btp.upper(),
            payload: &payload,
            extended,
            towards,
            hops,
            traffic_class: TrafficClass::of_id(asked.traffic_class),
            lifetime_s: asked.lifetime_s,
            its_aid,
        };
        let transit = self.build(&outline, now, security)?;
        if let Some(repetition) = request.repetition {
            let interval_ms = i64::from(repetition.interval_ms.max(100));
            let until = now.plus_ns((repetition.for_s.max(0.0) * 1e9) as i64).min(transit.expires_at);
            let transit = transit.clone();
            self.repeated.push(Repeated { transit, next: now.plus_ms(interval_ms), interval_ms, until });
        }
        if asked.scope == Scope::SingleHop {
            // A neighbour is made by packets of one hop only, so only these replace a beacon.
            self.schedule_beacon(now);
        }
        self.forward(transit, None, now, out);
        Ok(())
    }

    fn check(&self, request: &Request<'_>) -> Result<(), SendError> {
        let (bytes, limit) = (request.message.len() + BTP_BYTES, self.settings.max_payload_bytes);
        if bytes > limit {
            return Err(SendError::TooLong { bytes, limit });
        }
        if self.position.is_none() {
            return Err(SendError::NoPosition);
        }
        if request.repetition.is_some() && self.repeated.len() >= REPEATED_PACKETS {
            return Err(SendError::TooManyRepeated);
        }
        let (Scope::Broadcast(area) | Scope::Anycast(area)) = &request.dissemination.scope else { return Ok(()) };
        let (km2, limit_km2) = (area.size_m2() * 1e-6, self.settings.max_area_km2);
        if km2 > limit_km2 {
            return Err(SendError::AreaTooLarge { km2, limit_km2 });
        }
        // As it goes out: below half a metre nothing is left of it.
        if AreaField::from(area).area().size_m2() > 0.0 { Ok(()) } else { Err(SendError::EmptyArea) }
    }

    /// Extended header, destination and hop limit of a scope.
    fn address_to(&mut self, scope: &Scope, now: Timestamp) -> Result<(ExtendedHeader, Towards, u8), SendError> {
        let source = self.own_vector(now).ok_or(SendError::NoPosition)?;
        let hops = self.settings.hop_limit;
        let area_of = |area: &GeoArea| {
            let field = AreaField::from(area);
            (field, Towards::Area(field.area()))
        };
        Ok(match scope {
            Scope::SingleHop => (ExtendedHeader::SingleHop { source, media_dependent: [0; 4] }, Towards::Everyone, 1),
            Scope::Topological { hops } => {
                let sequence = self.next_sequence();
                (ExtendedHeader::Topological { sequence, source }, Towards::Everyone, (*hops).max(1))
            }
            Scope::Broadcast(area) => {
                let (area, towards) = area_of(area);
                (ExtendedHeader::GeoBroadcast { sequence: self.next_sequence(), source, area }, towards, hops)
            }
            Scope::Anycast(area) => {
                let (area, towards) = area_of(area);
                (ExtendedHeader::GeoAnycast { sequence: self.next_sequence(), source, area }, towards, hops)
            }
            Scope::Station(address) => {
                let known = self.locations.get(*address, now).map(|entry| entry.position);
                // `send` and the location service call this for known stations only.
                let destination = known.ok_or(SendError::NoPosition)?.short();
                let sequence = self.next_sequence();
                let towards = Towards::Station(*address, destination.position());
                (ExtendedHeader::GeoUnicast { sequence, source, destination }, towards, hops)
            }
        })
    }

    /// Makes a packet: headers, and the envelope when there is a security entity.
    pub(super) fn build(
        &mut self,
        outline: &Outline<'_>,
        now: Timestamp,
        security: &mut Security<'_>,
    ) -> Result<Transit, SendError> {
        let common = CommonHeader {
            upper: outline.upper,
            traffic_class: outline.traffic_class,
            flags: if self.settings.mobility == Mobility::Mobile { FLAG_MOBILE } else { 0 },
            max_hops: outline.hops,
            ..CommonHeader::default()
        };
        let plain = PlainPacket { common, extended: outline.extended, payload: outline.payload, padding: &[] };
        let lifetime = Lifetime::at_least(outline.lifetime_s.min(self.settings.max_lifetime_s));
        let basic = BasicHeader { lifetime, remaining_hops: outline.hops, reserved: 0 };
        let mut body = vec![0; plain.bytes()];
        plain.encode(&mut body).expect("the buffer has the packet's length, the payload was checked");
        let packet = match security.as_deref_mut() {
            None => [&basic.octets(AfterBasic::Common)[..], &body].concat(),
            Some(service) => {
                let mut packet = basic.octets(AfterBasic::Secured).to_vec();
                let position = outline.extended.source().position();
                let request = SignRequest { payload: &body, its_aid: outline.its_aid, position };
                service.sign(&request, now, &mut packet)?;
                packet
            }
        };
        Ok(Transit {
            packet,
            towards: outline.towards,
            traffic_class: outline.traffic_class,
            expires_at: now.plus_ns((lifetime.seconds() * 1e9) as i64),
            id: (self.address, outline.extended.sequence_number().unwrap_or(0)),
        })
    }

    /// Clause 10.3.6: a station that has nothing else to say tells where it is.
    pub(super) fn beacon(&mut self, now: Timestamp, security: &mut Security<'_>, out: &mut Actions) {
        self.schedule_beacon(now);
        let Some(source) = self.own_vector(now) else { return };
        let extended = ExtendedHeader::Beacon { source };
        self.send_own(extended, Towards::Everyone, 1, now, security, out);
    }

    /// Sends a packet of the network layer itself.
    pub(super) fn send_own(
        &mut self,
        extended: ExtendedHeader,
        towards: Towards,
        hops: u8,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) {
        let outline = Outline {
            upper: UpperProtocol::Any,
            payload: &[],
            extended,
            towards,
            hops,
            traffic_class: TrafficClass::of_id(3),
            lifetime_s: if hops == 1 { 1.0 } else { 60.0 },
            its_aid: GN_MANAGEMENT,
        };
        match self.build(&outline, now, security) {
            Ok(transit) => self.forward(transit, None, now, out),
            Err(_) => self.drop_packet(super::PacketDrop::NotSigned),
        }
    }

    /// Sends repeated packets whose time has come.
    pub(super) fn repeat(&mut self, now: Timestamp, out: &mut Actions) {
        self.repeated.retain(|repeated| repeated.next <= repeated.until);
        let mut due = Vec::new();
        for repeated in self.repeated.iter_mut().filter(|repeated| repeated.next <= now) {
            // What was missed is not made up for.
            let missed = (now.unix_ms() - repeated.next.unix_ms()) / repeated.interval_ms;
            repeated.next = repeated.next.plus_ms(repeated.interval_ms * (missed + 1));
            let mut transit = repeated.transit.clone();
            if transit.age(now) {
                due.push(transit);
            }
        }
        for transit in due {
            self.forward(transit, None, now, out);
        }
        self.repeated.retain(|repeated| repeated.next <= repeated.until);
    }

    /// This station's position vector.
    pub(super) fn own_vector(&self, now: Timestamp) -> Option<LongPositionVector> {
        let position = self.position?;
        let at = if self.settings.mobility == Mobility::Stationary { now } else { position.measured_at };
        let vector = LongPositionVector::new(self.address, at, position.at, position.accuracy);
        Some(vector.moving(position.speed_mps, position.heading_deg))
    }

    /// Clause 8.3: counts modulo 2¹⁶, from 0.
    pub(super) fn next_sequence(&mut self) -> SequenceField {
        let number = self.sequence_number;
        self.sequence_number = number.wrapping_add(1);
        SequenceField { number, reserved: 0 }
    }
}
