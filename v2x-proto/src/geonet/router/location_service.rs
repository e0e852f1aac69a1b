//! The location service (EN 302 636-4-1 clause 10.3.7): asks around where a station is before a packet goes to it.

use super::{Actions, PacketDrop, Request, Router, Security};
use crate::geonet::address::GnAddress;
use crate::geonet::btp::{BTP_BYTES, Btp};
use crate::geonet::buffer::Towards;
use crate::geonet::extended::ExtendedHeader;
use crate::geonet::position_vector::LongPositionVector;
use crate::geonet::request::Dissemination;
use crate::time::Timestamp;
use std::collections::BTreeMap;

/// Most stations that are looked for at a time.
const SEARCHES: usize = 32;

/// A message that waits for its destination's location.
#[derive(Clone, Debug)]
struct Waiting {
    btp: Btp,
    message: Vec<u8>,
    dissemination: Dissemination,
    expires_at: Timestamp,
}

#[derive(Clone, Debug)]
struct Search {
    next: Timestamp,
    retransmits: u8,
    waiting: Vec<Waiting>,
}

/// Searches under way.
#[derive(Clone, Debug, Default)]
pub(super) struct LocationService {
    searches: BTreeMap<GnAddress, Search>,
}

impl LocationService {
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.searches.values().map(|search| search.next).min()
    }
}

impl Router {
    /// Keeps a message and looks for its destination, unless that is being looked for already.
    pub(super) fn look_for(
        &mut self,
        wanted: GnAddress,
        request: &Request<'_>,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) {
        let is_new = !self.location_service.searches.contains_key(&wanted);
        if is_new && self.location_service.searches.len() >= SEARCHES {
            return self.drop_packet(PacketDrop::BufferFull);
        }
        let next = now.plus_ms(self.settings.location_retransmit_ms.into());
        let new = || Search { next, retransmits: 0, waiting: Vec::new() };
        let search = self.location_service.searches.entry(wanted).or_insert_with(new);
        search.waiting.push(Waiting {
            btp: request.btp,
            message: request.message.to_vec(),
            dissemination: request.dissemination,
            expires_at: now.plus_ns((request.dissemination.lifetime_s.clamp(0.0, 1e6) * 1e9) as i64),
        });
        let size = |waiting: &Waiting| waiting.message.len() + BTP_BYTES;
        let mut dropped = 0;
        while search.waiting.iter().map(size).sum::<usize>() > self.settings.location_buffer_bytes {
            search.waiting.remove(0);
            dropped += 1;
        }
        for _ in 0..dropped {
            self.drop_packet(PacketDrop::BufferFull);
        }
        if is_new {
            self.request_location(wanted, now, security, out);
        }
    }

    fn request_location(&mut self, wanted: GnAddress, now: Timestamp, security: &mut Security<'_>, out: &mut Actions) {
        let Some(source) = self.own_vector(now) else { return };
        let sequence = self.next_sequence();
        let extended = ExtendedHeader::LocationRequest { sequence, source, wanted };
        self.send_own(extended, Towards::Everyone, self.settings.hop_limit, now, security, out);
    }

    /// Answers a request for this station.
    pub(super) fn reply_location(
        &mut self,
        asker: &LongPositionVector,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) {
        let Some(source) = self.own_vector(now) else { return };
        let sequence = self.next_sequence();
        let extended = ExtendedHeader::LocationReply { sequence, source, destination: asker.short() };
        let towards = Towards::Station(asker.address, asker.position());
        self.send_own(extended, towards, self.settings.hop_limit, now, security, out);
    }

    /// Sends what waited for a station that was heard now.
    pub(super) fn location_found(
        &mut self,
        address: GnAddress,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) {
        let Some(search) = self.location_service.searches.remove(&address) else { return };
        for waiting in search.waiting {
            let mut dissemination = waiting.dissemination;
            dissemination.lifetime_s = waiting.expires_at.seconds_since(now);
            if dissemination.lifetime_s <= 0.0 {
                self.drop_packet(PacketDrop::LifetimeOver);
                continue;
            }
            let request = Request { btp: waiting.btp, message: &waiting.message, dissemination, repetition: None };
            if self.send_located(&request, now, security, out).is_err() {
                self.drop_packet(PacketDrop::NotSigned);
            }
        }
    }

    /// Asks again, or gives up.
    pub(super) fn retransmit_location_requests(
        &mut self,
        now: Timestamp,
        security: &mut Security<'_>,
        out: &mut Actions,
    ) {
        let (interval_ms, most) = (self.settings.location_retransmit_ms, self.settings.location_retransmits);
        let (mut again, mut given_up) = (Vec::new(), 0);
        self.location_service.searches.retain(|&wanted, search| {
            if search.next > now {
                return true;
            }
            if search.retransmits >= most {
                given_up += search.waiting.len();
                return false;
            }
            search.retransmits += 1;
            search.next = now.plus_ms(i64::from(interval_ms.max(1)));
            again.push(wanted);
            true
        });
        for _ in 0..given_up {
            self.drop_packet(PacketDrop::LocationUnknown);
        }
        for wanted in again {
            self.request_location(wanted, now, security, out);
        }
    }
}
