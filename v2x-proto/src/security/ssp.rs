//! What the bits of an SSP permit: special containers of CAMs (TS 103 900 clause 6.2.2), causes of DENMs (TS 103 831 clause
//! 6.2.2).
//!
//! In: the SSP of a ticket and a message. Out: whether it may be sent. The first byte is the version; bit 0 of the standard is
//! the highest of its byte. Other messages need the permission of their application alone.

use super::permissions::Ssp;
use crate::Message;
use crate::cam::{
    Cam, CamParameters, HighFrequencyContainer, SpecialVehicleContainer, TwoWheelerTypeSpecificInformation,
};
use crate::cdd::{EmergencyPriority, TrafficRule};
use crate::denm::Denm;

/// Byte and bit of an SSP.
type Bit = (usize, u8);
/// Whether a CAM has something.
type Has = fn(&CamParameters) -> bool;

fn special(cam: &CamParameters) -> Option<&SpecialVehicleContainer> {
    cam.special_vehicle_container.as_ref()
}

fn protects_tolling(cam: &CamParameters) -> bool {
    match &cam.high_frequency_container {
        HighFrequencyContainer::BasicVehicle(vehicle) => vehicle.cen_dsrc_tolling_zone.is_some(),
        HighFrequencyContainer::Rsu(unit) => unit.protected_communication_zones_rsu.is_some(),
        _ => false,
    }
}

fn asks_for(cam: &CamParameters, what: EmergencyPriority) -> bool {
    match special(cam) {
        Some(SpecialVehicleContainer::Emergency(emergency)) => {
            emergency.emergency_priority.is_some_and(|priority| priority.contains(what))
        }
        _ => false,
    }
}

fn rules(cam: &CamParameters, rule: TrafficRule) -> bool {
    matches!(special(cam), Some(SpecialVehicleContainer::SafetyCar(car)) if car.traffic_rule == Some(rule))
}

fn is_cyclist(cam: &CamParameters) -> bool {
    let extensions = cam.extension_containers.as_deref();
    let two_wheeler = extensions.and_then(|containers| containers.two_wheeler.as_ref());
    let kind = two_wheeler.and_then(|container| container.type_specific_information.as_ref());
    matches!(kind, Some(TwoWheelerTypeSpecificInformation::Cyclist(_)))
}

/// What of a CAM needs which bit (TS 103 900 table 7).
const CAM: [(Bit, Has); 16] = [
    ((1, 0x80), protects_tolling),
    ((1, 0x40), |cam| matches!(special(cam), Some(SpecialVehicleContainer::PublicTransport(_)))),
    ((1, 0x20), |cam| matches!(special(cam), Some(SpecialVehicleContainer::SpecialTransport(_)))),
    ((1, 0x10), |cam| matches!(special(cam), Some(SpecialVehicleContainer::DangerousGoods(_)))),
    ((1, 0x08), |cam| matches!(special(cam), Some(SpecialVehicleContainer::RoadWorks(_)))),
    ((1, 0x04), |cam| matches!(special(cam), Some(SpecialVehicleContainer::Rescue(_)))),
    ((1, 0x02), |cam| matches!(special(cam), Some(SpecialVehicleContainer::Emergency(_)))),
    ((1, 0x01), |cam| matches!(special(cam), Some(SpecialVehicleContainer::SafetyCar(_)))),
    (
        (2, 0x80),
        |cam| matches!(special(cam), Some(SpecialVehicleContainer::RoadWorks(works)) if works.closed_lanes.is_some()),
    ),
    ((2, 0x40), |cam| asks_for(cam, EmergencyPriority::REQUEST_FOR_RIGHT_OF_WAY)),
    ((2, 0x20), |cam| asks_for(cam, EmergencyPriority::REQUEST_FOR_FREE_CROSSING_AT_A_TRAFFIC_LIGHT)),
    ((2, 0x10), |cam| rules(cam, TrafficRule::NoPassing)),
    ((2, 0x08), |cam| rules(cam, TrafficRule::NoPassingForTrucks)),
    (
        (2, 0x04),
        |cam| matches!(special(cam), Some(SpecialVehicleContainer::SafetyCar(car)) if car.speed_limit_kmph.is_some()),
    ),
    // Version 2 of the SSP.
    ((2, 0x02), |cam| cam.extension_containers.as_ref().is_some_and(|containers| containers.two_wheeler.is_some())),
    ((2, 0x01), is_cyclist),
];

/// Which cause of a DENM needs which bit (TS 103 831 table 6); byte 4 is of version 2.
const DENM: [(Bit, u8); 28] = [
    ((1, 0x80), 1),
    ((1, 0x40), 2),
    ((1, 0x20), 3),
    ((1, 0x10), 6),
    ((1, 0x08), 9),
    ((1, 0x04), 10),
    ((1, 0x02), 11),
    ((1, 0x01), 12),
    ((2, 0x80), 14),
    ((2, 0x40), 15),
    ((2, 0x20), 17),
    ((2, 0x10), 18),
    ((2, 0x08), 19),
    ((2, 0x04), 26),
    ((2, 0x02), 27),
    ((2, 0x01), 91),
    ((3, 0x80), 92),
    ((3, 0x40), 93),
    ((3, 0x20), 94),
    ((3, 0x10), 95),
    ((3, 0x08), 96),
    ((3, 0x04), 97),
    ((3, 0x02), 98),
    ((3, 0x01), 99),
    ((4, 0x80), 5),
    ((4, 0x40), 7),
    ((4, 0x20), 28),
    ((4, 0x10), 100),
];

/// Whether `ssp` has a bit.
fn has(ssp: &[u8], (byte, bit): Bit) -> bool {
    ssp.get(byte).is_some_and(|bits| bits & bit != 0)
}

fn cam_permitted(ssp: &[u8], cam: &Cam) -> bool {
    // Version 1 has no bits for two-wheelers, which need none there.
    let bits = if ssp.first() == Some(&1) { &CAM[..14] } else { &CAM[..] };
    bits.iter().all(|(bit, present)| has(ssp, *bit) || !present(&cam.cam.cam_parameters))
}

fn denm_permitted(ssp: &[u8], denm: &Denm) -> bool {
    // A cancellation or negation has no cause.
    let Some(situation) = &denm.denm.situation else { return true };
    let cause = situation.event_type.code();
    DENM.iter().find(|row| row.1 == cause).is_some_and(|row| has(ssp, row.0))
}

/// Whether a ticket with `ssp` may send `message`.
pub fn permits_message(ssp: Option<&Ssp>, message: &Message) -> bool {
    let bits: &[u8] = match ssp {
        Some(Ssp::Opaque(bytes) | Ssp::Bitmap(bytes)) => bytes,
        None => &[],
    };
    match message {
        Message::Cam(cam) => cam_permitted(bits, cam),
        Message::Denm(denm) => denm_permitted(bits, denm),
        _ => true,
    }
}
