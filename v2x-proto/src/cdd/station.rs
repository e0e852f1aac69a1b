//! Who speaks, about what, when: header, identifiers, time.

use crate::cdd::codec::{Int, StationIdCodec};
use crate::time::Timestamp;
use crate::uper::declare::{codes, sequence};

/// Identifier of an ITS station (`StationId`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StationId(pub u32);

/// Milliseconds since 2004-01-01 UTC, leap seconds counted (`TimestampIts`); 42 bits on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampIts(pub u64);

impl From<Timestamp> for TimestampIts {
    fn from(at: Timestamp) -> Self {
        Self(at.to_its_ms())
    }
}

impl From<TimestampIts> for Timestamp {
    fn from(at: TimestampIts) -> Self {
        Self::from_its_ms(at.0)
    }
}

codes! {
    /// Kind of message (`MessageId`).
    pub enum MessageId: 0..=255 {
        /// Decentralized environmental notification.
        Denm = 1,
        /// Cooperative awareness.
        Cam = 2,
        /// Point of interest.
        Poim = 3,
        /// Signal phase and timing.
        Spatem = 4,
        /// Map.
        Mapem = 5,
        /// In-vehicle information.
        Ivim = 6,
        /// Signal request.
        Srem = 9,
        /// Signal status.
        Ssem = 10,
        /// Electric-vehicle charging spot notification.
        Evcsn = 11,
        /// Service announcement.
        Saem = 12,
        /// GNSS corrections.
        Rtcmem = 13,
        /// Collective perception.
        Cpm = 14,
        /// Interference management zone.
        Imzm = 15,
        /// Vulnerable road user awareness.
        Vam = 16,
        /// Diagnosis, logging and status.
        Dsm = 17,
        /// Marshalling infrastructure.
        Mim = 18,
        /// Marshalling vehicle.
        Mvm = 19,
        /// Manoeuvre coordination.
        Mcm = 20,
        /// Parking information.
        Pim = 21,
    }
}

codes! {
    /// Kind of station or traffic participant (`StationType`, `TrafficParticipantType`).
    #[derive(Default)]
    pub enum StationType: 0..=255 {
        /// Not known.
        #[default]
        Unknown = 0,
        /// Pedestrian.
        Pedestrian = 1,
        /// Cyclist.
        Cyclist = 2,
        /// Moped.
        Moped = 3,
        /// Motorcycle.
        Motorcycle = 4,
        /// Passenger car.
        PassengerCar = 5,
        /// Bus or coach.
        Bus = 6,
        /// Light truck.
        LightTruck = 7,
        /// Heavy truck.
        HeavyTruck = 8,
        /// Trailer.
        Trailer = 9,
        /// Special vehicle.
        SpecialVehicle = 10,
        /// Tram.
        Tram = 11,
        /// Light vehicle of a vulnerable road user.
        LightVruVehicle = 12,
        /// Animal.
        Animal = 13,
        /// Agricultural vehicle.
        Agricultural = 14,
        /// Infrastructure, such as a roadside unit.
        RoadSideUnit = 15,
    }
}

sequence! {
    /// Header of every message (`ItsPduHeader`).
    #[derive(Copy)]
    pub struct ItsPduHeader {
        /// Version of the message's protocol.
        req protocol_version: u8 = Int<u8, 0, 255>, "protocolVersion";
        /// Kind of message.
        req message_id: MessageId = MessageId, "messageId" | "messageID";
        /// Sender.
        req station_id: StationId = StationIdCodec, "stationId" | "stationID";
    }
}

sequence! {
    /// Identifier of an event (`ActionId`).
    #[derive(Copy, Default, Eq, PartialOrd, Ord, Hash)]
    pub struct ActionId {
        /// Station that detected the event first.
        req originating_station_id: StationId = StationIdCodec, "originatingStationId" | "originatingStationID";
        /// Number of the event at that station.
        req sequence_number: u16 = Int<u16, 0, 65535>, "sequenceNumber";
    }
}
