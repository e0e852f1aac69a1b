//! What each kind of message is for: who sends it when, under which numbers, after which standard.
//!
//! In: a kind of message. Out: its entry. `docs/messages.md` is made from this table and the schemas. ETSI has
//! published neither a port nor an application id for manoeuvre coordination, so its entry has none.

use crate::MessageKind;
use crate::geonet::{its_aid_of, port_of};

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Kind.
    pub kind: MessageKind,
    /// The standard's abbreviation, such as `CAM`.
    pub abbreviation: &'static str,
    /// Name in words.
    pub title: &'static str,
    /// `protocolVersion` of the header that is sent.
    pub protocol_version: u8,
    /// Who sends it.
    pub sender: &'static str,
    /// When it is sent.
    pub when: &'static str,
    /// Standard and version, with the clause of the service.
    pub standard: &'static str,
}

impl Entry {
    /// Well-known BTP port (TS 103 248).
    pub fn btp_port(&self) -> Option<u16> {
        port_of(self.kind)
    }

    /// ITS-AID that signs it (TS 102 965).
    pub fn its_aid(&self) -> Option<u32> {
        its_aid_of(self.btp_port()?)
    }
}

/// The entry of a kind.
pub fn entry(kind: MessageKind) -> Option<&'static Entry> {
    CATALOGUE.iter().find(|entry| entry.kind == kind)
}

macro_rules! catalogue {
    ($( $kind:ident($ty:path) $abbreviation:literal, $title:literal, by $sender:literal, $when:literal, $standard:literal; )*) => {
        /// Every kind.
        pub const CATALOGUE: &[Entry] = &[$( Entry {
            kind: MessageKind::$kind,
            abbreviation: $abbreviation,
            title: $title,
            protocol_version: <$ty>::PROTOCOL_VERSION,
            sender: $sender,
            when: $when,
            standard: $standard,
        }, )*];
    };
}

catalogue! {
    Cam(crate::cam::Cam) "CAM", "Cooperative awareness message",
        by "every vehicle, and a roadside unit",
        "A vehicle every 0.1 to 1 s: when its heading, position or speed has changed by 4°, 4 m or 0.5 m/s, and at least once a second; a roadside unit at least once a second",
        "TS 103 900 v2.3.1 (release 1: EN 302 637-2 v1.4.1), clauses 6 and 7";
    Denm(crate::denm::Denm) "DENM", "Decentralized environmental notification message",
        by "a vehicle or a roadside unit that detects an event",
        "When an event is detected, changes or ends; repeated while it lasts",
        "TS 103 831 v2.3.1 (release 1: EN 302 637-3 v1.3.1), clauses 6 and 7";
    Cpm(crate::cpm::Cpm) "CPM", "Collective perception message",
        by "a vehicle or a roadside unit with sensors",
        "Every 0.1 to 1 s, with the objects that are new or have moved enough since they were last included",
        "TS 103 324 v2.1.1, clauses 6 and 7";
    Vam(crate::vam::Vam) "VAM", "Vulnerable road user awareness message",
        by "a device of a pedestrian, a cyclist or a motorcyclist, or the leader of a cluster",
        "Every 0.1 to 5 s, when position, speed or direction has changed enough",
        "TS 103 300-3 v2.2.1, clauses 6 and 7";
    Spatem(crate::spatem::Spatem) "SPATEM", "Signal phase and timing",
        by "a roadside unit at a signal controller",
        "Continuously while signals are on, at least when a state or a time changes",
        "TS 103 301 v2.1.1 with ISO/TS 19091, traffic light manoeuvre service";
    Mapem(crate::mapem::Mapem) "MAPEM", "Map of an intersection or a road",
        by "a roadside unit at a junction",
        "Repeated, usually once a second; its revision changes with the map",
        "TS 103 301 v2.1.1 with ISO/TS 19091, road and lane topology service";
    Ivim(crate::ivim::Ivim) "IVIM", "In-vehicle information",
        by "a roadside unit or a traffic centre",
        "While signs, texts or lane states hold; updated and cancelled under the same number",
        "TS 103 301 v2.1.1 with ISO/TS 19321, infrastructure to vehicle information service";
    Srem(crate::srem::Srem) "SREM", "Signal request",
        by "an emergency or a public transport vehicle",
        "On approach to a signalled intersection, repeated until it is answered",
        "TS 103 301 v2.1.1 with ISO/TS 19091, traffic light control service";
    Ssem(crate::ssem::Ssem) "SSEM", "Signal request status",
        by "a roadside unit at a signal controller",
        "In answer to signal requests, and while they are pending",
        "TS 103 301 v2.1.1 with ISO/TS 19091, traffic light control service";
    Rtcmem(crate::rtcmem::Rtcmem) "RTCMEM", "GNSS corrections",
        by "a roadside unit with a reference receiver or a correction service",
        "Whenever corrections arrive, usually once a second",
        "TS 103 301 v2.1.1 with ISO/TS 19091, GNSS positioning correction service";
    Poim(crate::poim::Poim) "POIM", "Points of interest: parking availability",
        by "a roadside unit or a traffic centre",
        "While a facility is open, and when its state changes",
        "TS 103 916 v2.1.1";
    Mcm(crate::mcm::Mcm) "MCM", "Manoeuvre coordination message",
        by "a vehicle that wants or grants room, or a roadside unit that advises",
        "While a manoeuvre is being agreed on and carried out",
        "draft of TS 103 561 (module 1.1); a port and an ITS-AID are not published";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_entry_and_all_but_one_a_port_and_an_application() {
        for kind in MessageKind::ALL {
            let entry = entry(kind).unwrap_or_else(|| panic!("no entry for {kind:?}"));
            assert_eq!(entry.abbreviation.to_lowercase(), kind.name());
            let is_numbered = entry.btp_port().is_some() && entry.its_aid().is_some();
            assert_eq!(is_numbered, kind != MessageKind::Mcm, "{kind:?}");
        }
        assert_eq!(entry(MessageKind::Cam).map(|cam| (cam.btp_port(), cam.its_aid())), Some((Some(2001), Some(36))));
    }
}
