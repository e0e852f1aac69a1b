//! Signal request status message (TS 103 301 v2.1.1 on ISO/TS 19091:2019, protocol version 2; v2.2.1 adds a role).
//!
//! In: the answers to requests as plain values. Out: a [`Ssem`]. Absent: when to send one (a facility decides).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::dsrc::codec::{ByteId, DSecond, MinuteOfTheYear, MsgCount, OtherRegionalsCodec, RegionalsOf};
use crate::dsrc::time::{minute_of_the_year, ms_of_minute};
use crate::dsrc::{
    BasicVehicleRole, IntersectionAccessPoint, IntersectionReferenceId, OtherRegionals, PrioritizationResponseStatus,
    Regionals, RequestorType, SignalStatusPackageAddGrpC, VehicleId,
};
use crate::message::message;
use crate::time::Timestamp;
use crate::uper::UnknownExtensions;
use crate::uper::declare::sequence;

message! {
    /// Signal request status message (`SSEM`): header with protocol version 2 and message id 10.
    pub struct Ssem: "SSEM", MessageId::Ssem, version 2, by_value {
        /// Content.
        ssm: SignalStatusMessage, "ssm";
    }
}

impl Ssem {
    /// A SSEM of `station_id`, generated at `generated_at`; `sequence_number` counts its messages, modulo 128.
    pub fn new(station_id: StationId, generated_at: Timestamp, sequence_number: u8, status: SignalStatuses) -> Self {
        let ssm = SignalStatusMessage {
            time_stamp: Some(Some(minute_of_the_year(generated_at))),
            second_ms: Some(ms_of_minute(generated_at)),
            sequence_number: Some(sequence_number),
            status,
            regional: None,
        };
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Ssem, station_id },
            ssm,
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
    /// Content of a SSEM (`SignalStatusMessage`).
    pub struct SignalStatusMessage {
        /// Minute of the year, 0..=527,039.
        opt time_stamp: Option<u32> = MinuteOfTheYear, "timeStamp";
        /// Milliseconds of the minute.
        req second_ms: Option<u16> = DSecond, "second";
        /// Counts the messages of the sender, modulo 128.
        opt sequence_number: u8 = MsgCount, "sequenceNumber";
        /// Intersections.
        req status: SignalStatuses = ListOf<SignalStatus, 1, 1, 32>, "status";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

/// Intersections (`SignalStatusList`), 1 to 32.
pub type SignalStatuses = List<SignalStatus, 1, 32>;

sequence! {
    /// Requests at an intersection (`SignalStatus`).
    pub struct SignalStatus {
        /// Counts the changes of the content, modulo 128.
        req sequence_number: u8 = MsgCount, "sequenceNumber";
        /// The intersection.
        req id: IntersectionReferenceId = IntersectionReferenceId, "id";
        /// Requests.
        req sig_status: SignalStatusPackages = ListOf<SignalStatusPackage, { inline(0, 8) }, 1, 32>, "sigStatus";
        /// What other regions add.
        opt regional: OtherRegionals = OtherRegionalsCodec, "regional";
        ...;
    }
}

impl SignalStatus {
    /// The requests at an intersection.
    pub fn new(sequence_number: u8, id: IntersectionReferenceId, sig_status: SignalStatusPackages) -> Self {
        Self { sequence_number, id, sig_status, regional: None }
    }
}

/// Requests at an intersection (`SignalStatusPackageList`), 1 to 32.
pub type SignalStatusPackages = List<SignalStatusPackage, { inline(0, 8) }, 32>;

sequence! {
    /// The state of a request (`SignalStatusPackage`).
    pub struct SignalStatusPackage {
        /// Who asked.
        opt requester: SignalRequesterInfo = SignalRequesterInfo, "requester";
        /// Way in.
        req inbound_on: IntersectionAccessPoint = IntersectionAccessPoint, "inboundOn";
        /// Way out.
        opt outbound_on: IntersectionAccessPoint = IntersectionAccessPoint, "outboundOn";
        /// Expected arrival, minute of the year.
        opt minute: Option<u32> = MinuteOfTheYear, "minute";
        /// Expected arrival, milliseconds of the minute.
        opt second_ms: Option<u16> = DSecond, "second";
        /// How long it is needed, milliseconds.
        opt duration_ms: Option<u16> = DSecond, "duration";
        /// State.
        req status: PrioritizationResponseStatus = PrioritizationResponseStatus, "status";
        /// What Europe and other regions add.
        opt regional: Regionals<SignalStatusPackageAddGrpC> = RegionalsOf<SignalStatusPackageAddGrpC>, "regional";
        ...;
    }
}

impl SignalStatusPackage {
    /// The state of the request of `requester` to enter at `inbound_on`.
    pub fn new(
        requester: SignalRequesterInfo,
        inbound_on: IntersectionAccessPoint,
        status: PrioritizationResponseStatus,
    ) -> Self {
        Self {
            requester: Some(requester),
            inbound_on,
            outbound_on: None,
            minute: None,
            second_ms: None,
            duration_ms: None,
            status,
            regional: None,
        }
    }
}

sequence! {
    /// Whose request it is (`SignalRequesterInfo`).
    pub struct SignalRequesterInfo {
        /// Identifier.
        req id: VehicleId = VehicleId, "id";
        /// Number of the request.
        req request: u8 = ByteId, "request";
        /// Sequence number of the SREM.
        req sequence_number: u8 = MsgCount, "sequenceNumber";
        /// Role.
        opt role: BasicVehicleRole = BasicVehicleRole, "role";
        /// Kind.
        opt type_data: RequestorType = RequestorType, "typeData";
        ...;
    }
}

impl SignalRequesterInfo {
    /// The sender `id` of request number `request` in the SREM number `sequence_number`.
    pub fn new(id: VehicleId, request: u8, sequence_number: u8) -> Self {
        Self { id, request, sequence_number, role: None, type_data: None }
    }
}
