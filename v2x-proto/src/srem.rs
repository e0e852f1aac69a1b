//! Signal request message (TS 103 301 v2.1.1 on ISO/TS 19091:2019, protocol version 2; v2.2.1 adds to it).
//!
//! In: a request for a signal as plain values. Out: a [`Srem`]. Absent: when to send one (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::dsrc::codec::{
    Angle, ByteId, DSecond, DeltaTime, MinuteOfTheYear, MsgCount, NameCodec, OtherRegionalsCodec, RegionalsOf,
};
use crate::dsrc::time::{minute_of_the_year, ms_of_minute};
use crate::dsrc::{
    DescriptiveName, IntersectionAccessPoint, IntersectionReferenceId, OtherRegionals, Position3D, Regionals,
    RequestorDescriptionAddGrpC, RequestorType, TransmissionAndSpeed, VehicleId,
};
use crate::message::message;
use crate::time::Timestamp;
use crate::uper::UnknownExtensions;
use crate::uper::declare::{bit_string, enumerated, sequence};

message! {
    /// Signal request message (`SREM`): header with protocol version 2 and message id 9.
    pub struct Srem: "SREM", MessageId::Srem, version 2, by_value {
        /// Content.
        srm: SignalRequestMessage, "srm";
    }
}

impl Srem {
    /// A SREM of `station_id`, generated at `generated_at`; `sequence_number` counts its messages, modulo 128.
    pub fn new(
        station_id: StationId,
        generated_at: Timestamp,
        sequence_number: u8,
        requests: SignalRequests,
        requestor: RequestorDescription,
    ) -> Self {
        let srm = SignalRequestMessage {
            time_stamp: Some(Some(minute_of_the_year(generated_at))),
            second_ms: Some(ms_of_minute(generated_at)),
            sequence_number: Some(sequence_number),
            requests: Some(requests),
            requestor,
            regional: None,
        };
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Srem, station_id },
            srm,
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the standard's names (X.697); release 2 is v2.2.1.
    #[cfg(feature = "std")]
    pub fn to_jer(&self, release: crate::jer::Release) -> serde_json::Value {
        self.jer_by_table(release)
    }
}

sequence! {
    /// Content of a SREM (`SignalRequestMessage`).
    pub struct SignalRequestMessage {
        /// Minute of the year, 0..=527,039.
        opt time_stamp: Option<u32> = MinuteOfTheYear, "timeStamp";
        /// Milliseconds of the minute.
        req second_ms: Option<u16> = DSecond, "second";
        /// Counts the messages of the sender, modulo 128.
        opt sequence_number: u8 = MsgCount, "sequenceNumber";
        /// Requests.
        opt requests: SignalRequests = ListOf<SignalRequestPackage, 1, 1, 32>, "requests";
        /// Who asks.
        req requestor: RequestorDescription = RequestorDescription, "requestor";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

/// Requests (`SignalRequestList`), 1 to 32.
pub type SignalRequests = List<SignalRequestPackage, 1, 32>;

sequence! {
    /// A request and when it is needed (`SignalRequestPackage`).
    pub struct SignalRequestPackage {
        /// The request.
        req request: SignalRequest = SignalRequest, "request";
        /// Expected arrival, minute of the year.
        opt minute: Option<u32> = MinuteOfTheYear, "minute";
        /// Expected arrival, milliseconds of the minute.
        opt second_ms: Option<u16> = DSecond, "second";
        /// How long it is needed, milliseconds.
        opt duration_ms: Option<u16> = DSecond, "duration";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

impl SignalRequestPackage {
    /// A request of a vehicle that expects to arrive at `arrival`.
    pub fn new(request: SignalRequest, arrival: Timestamp) -> Self {
        Self {
            request,
            minute: Some(Some(minute_of_the_year(arrival))),
            second_ms: Some(Some(ms_of_minute(arrival))),
            duration_ms: None,
            regional: None,
        }
    }
}

sequence! {
    /// A request for a signal (`SignalRequest`).
    pub struct SignalRequest {
        /// The intersection.
        req id: IntersectionReferenceId = IntersectionReferenceId, "id";
        /// Number of the request.
        req request_id: u8 = ByteId, "requestID";
        /// Request, update or cancellation.
        req request_type: PriorityRequestType = PriorityRequestType, "requestType";
        /// Way in.
        req inbound_lane: IntersectionAccessPoint = IntersectionAccessPoint, "inBoundLane";
        /// Way out.
        opt outbound_lane: IntersectionAccessPoint = IntersectionAccessPoint, "outBoundLane";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

enumerated! {
    /// What a request is for (`PriorityRequestType`).
    #[derive(Default)]
    pub enum PriorityRequestType {
        /// Without meaning.
        #[default]
        Reserved "priorityRequestTypeReserved",
        /// A new request.
        Request "priorityRequest",
        /// An update.
        Update "priorityRequestUpdate",
        /// A cancellation.
        Cancellation "priorityCancellation",
        ...
    }
}

sequence! {
    /// Who asks (`RequestorDescription`).
    pub struct RequestorDescription {
        /// Identifier.
        req id: VehicleId = VehicleId, "id";
        /// Kind.
        opt requestor_type: RequestorType = RequestorType, "type";
        /// Position and speed.
        opt position: RequestorPosition = RequestorPosition, "position";
        /// Name for people.
        opt name: DescriptiveName = NameCodec, "name";
        /// Name of the line.
        opt route_name: DescriptiveName = NameCodec, "routeName";
        /// State of a public transport vehicle.
        opt transit_status: TransitVehicleStatus = TransitVehicleStatus, "transitStatus";
        /// How full it is.
        opt transit_occupancy: TransitVehicleOccupancy = TransitVehicleOccupancy, "transitOccupancy";
        /// Seconds by which it is behind its schedule, negative ahead (10 s, -1,210..1,210 s).
        opt transit_schedule_s: Option<i16> = DeltaTime, "transitSchedule";
        /// What Europe and other regions add.
        opt regional: Regionals<RequestorDescriptionAddGrpC> = RegionalsOf<RequestorDescriptionAddGrpC>, "regional";
        ...;
        /// Line and request as in OCIT (TS 103 301 v2.2.1).
        + opt ocit: OcitRequestorDescription = OcitRequestorDescription, "ocit";
    }
}

impl RequestorDescription {
    /// A requestor of which only the identifier is known.
    pub fn new(id: VehicleId) -> Self {
        Self {
            id,
            requestor_type: None,
            position: None,
            name: None,
            route_name: None,
            transit_status: None,
            transit_occupancy: None,
            transit_schedule_s: None,
            regional: None,
            ocit: None,
        }
    }
}

sequence! {
    /// Position, heading and speed of a requestor (`RequestorPositionVector`).
    #[derive(Default)]
    pub struct RequestorPosition {
        /// Position.
        req position: Position3D = Position3D, "position";
        /// Heading, degrees clockwise from north (0.0125°).
        opt heading_deg: Option<f32> = Angle, "heading";
        /// Gear and speed.
        opt speed: TransmissionAndSpeed = TransmissionAndSpeed, "speed";
        ...;
    }
}

bit_string! {
    /// State of a public transport vehicle (`TransitVehicleStatus`).
    pub struct TransitVehicleStatus: 8 {
        /// Passengers get on or off.
        LOADING = 0 "loading",
        /// Someone needs help with boarding.
        AN_ADA_USE = 1 "anADAuse",
        /// A bicycle is being loaded.
        A_BIKE_LOAD = 2 "aBikeLoad",
        /// A door is open.
        DOOR_OPEN = 3 "doorOpen",
        /// Charging.
        CHARGING = 4 "charging",
        /// At the stop line.
        AT_STOP_LINE = 5 "atStopLine",
    }
}

enumerated! {
    /// How full a public transport vehicle is (`TransitVehicleOccupancy`).
    #[derive(Default)]
    pub enum TransitVehicleOccupancy {
        /// Not known.
        #[default]
        Unknown "occupancyUnknown",
        /// Empty.
        Empty "occupancyEmpty",
        /// Nearly empty.
        VeryLow "occupancyVeryLow",
        /// Low.
        Low "occupancyLow",
        /// Medium.
        Med "occupancyMed",
        /// High.
        High "occupancyHigh",
        /// Nearly full.
        NearlyFull "occupancyNearlyFull",
        /// Full.
        Full "occupancyFull",
    }
}

sequence! {
    /// Line and request of a public transport vehicle in terms of OCIT (`OcitRequestorDescriptionContainer`).
    #[derive(Copy, Default)]
    pub struct OcitRequestorDescription {
        /// Reporting point that was passed.
        opt reporting_point: u16 = Int<u16, 0, 65535>, "reportingPoint";
        /// Priority.
        opt priority_level: u8 = ByteId, "priorityLevel";
        /// Class of the vehicle's length, 0..=7.
        opt length: u8 = Int<u8, 0, 7>, "length";
        /// Number of the route.
        opt route: u32 = Int<u32, 0, 4_294_967_295>, "route";
        /// Number of the line.
        opt line: u32 = Int<u32, 0, 4_294_967_295>, "line";
        /// Direction at the intersection.
        opt direction: u8 = ByteId, "direction";
        /// Number of the tour.
        opt tour: u32 = Int<u32, 0, 4_294_967_295>, "tour";
        /// Version of the supply data.
        opt version: u32 = Int<u32, 0, 4_294_967_295>, "version";
        ...;
    }
}
