//! Received packets (EN 302 636-4-1 clauses 10.3.3 to 10.3.12, forwarder and receiver operations).

use super::{Actions, Indication, PacketDrop, Router, Security};
use crate::geonet::address::MacAddress;
use crate::geonet::btp::Btp;
use crate::geonet::buffer::{Towards, Transit};
use crate::geonet::error::FrameError;
use crate::geonet::ethernet::Frame;
use crate::geonet::extended::ExtendedHeader;
use crate::geonet::header::BasicHeader;
use crate::geonet::location_table::Heard;
use crate::geonet::packet::{Body, Packet, PlainPacket};
use crate::geonet::position_vector::ShortPositionVector;
use crate::geonet::settings::UntrustedPackets;
use crate::security::{Refusal, Verdict};
use crate::time::Timestamp;
use std::cmp::Ordering;

/// A received packet, opened and judged.
struct Opened<'a> {
    /// Who transmitted the frame, not always the source.
    sender: MacAddress,
    /// The packet from its basic header on, without padding.
    packet: &'a [u8],
    basic: BasicHeader,
    plain: PlainPacket<'a>,
    verdict: Verdict,
    its_aid: Option<u32>,
}

impl Router {
    /// Takes a received Ethernet frame.
    ///
    /// # Errors
    /// Where a malformed frame is malformed; it is counted, too.
    pub fn receive(
        &mut self,
        bytes: &[u8],
        now: Timestamp,
        mut security: Security<'_>,
        out: &mut Actions,
    ) -> Result<(), FrameError> {
        self.counters.received += 1;
        let malformed = |router: &mut Self, error| {
            router.drop_packet(PacketDrop::Malformed);
            Err(error)
        };
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => return malformed(self, error),
        };
        let opened = match self.open(&frame, bytes, now, &mut security) {
            Ok(opened) => opened,
            Err(Refused::Dropped(reason)) => {
                self.drop_packet(reason);
                return Ok(());
            }
            Err(Refused::Malformed(error)) => return malformed(self, error),
        };
        self.process(&opened, now, &mut security, out);
        Ok(())
    }

    /// Basic header, security, common header (clauses 10.3.3 to 10.3.5).
    fn open<'a>(
        &mut self,
        frame: &Frame<'a>,
        bytes: &'a [u8],
        now: Timestamp,
        security: &mut Security<'_>,
    ) -> Result<Opened<'a>, Refused> {
        let (to, sender) = (frame.ethernet.destination, frame.ethernet.source);
        if sender == self.settings.mac {
            return Err(PacketDrop::OwnPacket.into());
        }
        if !to.is_group() && to != self.settings.mac {
            return Err(PacketDrop::NotForUs.into());
        }
        let Packet { basic, body } = frame.packet;
        let (plain, verdict, its_aid) = match (body, security.as_deref_mut()) {
            (Body::Plain(plain), None) => (plain, Verdict::Unsigned, None),
            (Body::Plain(plain), Some(_)) => (plain, Verdict::Refused(Refusal::NotSigned), None),
            (Body::Secured(_), None) => return Err(PacketDrop::CannotOpen.into()),
            (Body::Secured(envelope), Some(service)) => {
                let unwrapped = service.unwrap(envelope, now);
                if let Verdict::Refused(reason) = unwrapped.verdict
                    && (unwrapped.payload.is_empty() || self.discards(reason))
                {
                    return Err(PacketDrop::Untrusted(reason).into());
                }
                // The offset counts from the start of the content, which the envelope alone knows.
                let plain = PlainPacket::decode(unwrapped.payload).map_err(Refused::Malformed)?;
                (plain, unwrapped.verdict, Some(unwrapped.its_aid))
            }
        };
        if let Verdict::Refused(reason) = verdict
            && self.discards(reason)
        {
            return Err(PacketDrop::Untrusted(reason).into());
        }
        if basic.remaining_hops > plain.common.max_hops {
            return Err(PacketDrop::HopsOverLimit.into());
        }
        let padding = if its_aid.is_none() { plain.padding.len() } else { 0 };
        let packet = &bytes[crate::geonet::EthernetHeader::BYTES..bytes.len() - padding];
        Ok(Opened { sender, packet, basic, plain, verdict, its_aid })
    }

    /// Whether a packet is dropped before its headers are looked at. A replayed one is not yet: forwarders send verified
    /// packets again, and hearing one of them ends the contention for it.
    fn discards(&self, reason: Refusal) -> bool {
        self.settings.untrusted == UntrustedPackets::Discard && reason != Refusal::Replayed
    }

    fn process(&mut self, opened: &Opened<'_>, now: Timestamp, security: &mut Security<'_>, out: &mut Actions) {
        let header = opened.plain.extended;
        let source = *header.source();
        let sequence_number = header.sequence_number();
        if source.address.mac() == self.settings.mac {
            // A forwarder's echo, or another station with our address (clause 10.2.1.5).
            let echo = sequence_number.is_some();
            return self.drop_packet(if echo { PacketDrop::OwnPacket } else { PacketDrop::AddressConflict });
        }
        let noted = self.locations.note(Heard { source: &source, sequence_number, bytes: opened.packet.len() }, now);
        if noted.evicted {
            self.drop_packet(PacketDrop::StationForgotten);
        }
        if noted.is_duplicate {
            let suppressed = self.contention.cancel((source.address, sequence_number.unwrap_or(0)));
            return self.drop_packet(if suppressed { PacketDrop::Suppressed } else { PacketDrop::Duplicate });
        }
        if opened.verdict == Verdict::Refused(Refusal::Replayed) && self.settings.untrusted == UntrustedPackets::Discard
        {
            return self.drop_packet(PacketDrop::Untrusted(Refusal::Replayed));
        }
        self.location_found(source.address, now, security, out);
        self.flush(now, out);
        let too_fast = noted.data_rate_bps > self.settings.max_data_rate_kbps * 1e3;
        match &header {
            ExtendedHeader::Beacon { .. } => {}
            ExtendedHeader::SingleHop { .. } => self.deliver(opened, out),
            ExtendedHeader::Topological { .. } => {
                self.deliver(opened, out);
                self.pass_on(opened, Towards::Everyone, too_fast, now, out);
            }
            ExtendedHeader::GeoBroadcast { area, .. } | ExtendedHeader::GeoAnycast { area, .. } => {
                let area = area.area();
                let inside = self.own_position().is_some_and(|own| area.contains(own));
                if inside {
                    self.deliver(opened, out);
                }
                // Anycast ends at the first station of the area (clause 10.3.12.3).
                if inside && matches!(header, ExtendedHeader::GeoAnycast { .. }) {
                    return;
                }
                if area.size_m2() > self.settings.max_area_km2 * 1e6 {
                    return self.drop_packet(PacketDrop::AreaTooLarge);
                }
                self.pass_on(opened, Towards::Area(area), too_fast, now, out);
            }
            ExtendedHeader::GeoUnicast { destination, .. } => {
                if destination.address.mac() == self.settings.mac {
                    self.deliver(opened, out);
                } else {
                    self.pass_on(opened, self.towards(destination, now), too_fast, now, out);
                }
            }
            ExtendedHeader::LocationRequest { wanted, .. } => {
                if wanted.mac() == self.settings.mac {
                    self.reply_location(&source, now, security, out);
                } else {
                    self.pass_on(opened, Towards::Everyone, too_fast, now, out);
                }
            }
            // Its source is known now, which is all that the asker wants.
            ExtendedHeader::LocationReply { destination, .. } if destination.address.mac() == self.settings.mac => {}
            ExtendedHeader::LocationReply { destination, .. } => {
                self.pass_on(opened, self.towards(destination, now), too_fast, now, out);
            }
        }
    }

    /// Hands a message up (GN-DATA.indication).
    fn deliver(&mut self, opened: &Opened<'_>, out: &mut Actions) {
        let plain = &opened.plain;
        let (btp, message) = match Btp::split(plain.common.upper, plain.payload) {
            Ok(Some(split)) => split,
            Ok(None) => return self.drop_packet(PacketDrop::NoTransport),
            Err(_) => return self.drop_packet(PacketDrop::Malformed),
        };
        self.counters.delivered += 1;
        out.indications.push(Indication {
            btp,
            message: message.to_vec(),
            header: plain.extended,
            verdict: opened.verdict,
            its_aid: opened.its_aid,
            traffic_class: plain.common.traffic_class,
            remaining_lifetime_s: opened.basic.lifetime.seconds(),
            remaining_hops: opened.basic.remaining_hops,
        });
    }

    /// Forwards a packet of another station, with one hop less.
    fn pass_on(&mut self, opened: &Opened<'_>, towards: Towards, too_fast: bool, now: Timestamp, out: &mut Actions) {
        if let Verdict::Refused(reason) = opened.verdict {
            return self.drop_packet(PacketDrop::Untrusted(reason));
        }
        if too_fast {
            return self.drop_packet(PacketDrop::DataRate);
        }
        if opened.basic.remaining_hops <= 1 {
            return self.drop_packet(PacketDrop::HopLimit);
        }
        let header = opened.plain.extended;
        let lifetime_s = opened.basic.lifetime.seconds().min(self.settings.max_lifetime_s);
        if lifetime_s <= 0.0 {
            return self.drop_packet(PacketDrop::LifetimeOver);
        }
        let mut transit = Transit {
            packet: opened.packet.to_vec(),
            towards,
            traffic_class: opened.plain.common.traffic_class,
            expires_at: now.plus_ns((lifetime_s * 1e9) as i64),
            id: (header.source().address, header.sequence_number().unwrap_or(0)),
        };
        transit.set_remaining_hops(opened.basic.remaining_hops - 1);
        self.forward(transit, Some(opened.sender), now, out);
    }

    /// Where a unicast packet is to go: the newer of what it says and what is known here (clause 10.3.8.3). The header is
    /// left as it is, so that a signature stays true.
    fn towards(&self, destination: &ShortPositionVector, now: Timestamp) -> Towards {
        let known = self.locations.get(destination.address, now).map(|entry| entry.position);
        let newer = known.filter(|known| known.time.compare(destination.time) == Ordering::Greater);
        let position = newer.map_or_else(|| destination.position(), |known| known.position());
        Towards::Station(destination.address, position)
    }
}

/// Why a packet is not processed.
enum Refused {
    Dropped(PacketDrop),
    Malformed(FrameError),
}

impl From<PacketDrop> for Refused {
    fn from(reason: PacketDrop) -> Self {
        Self::Dropped(reason)
    }
}
