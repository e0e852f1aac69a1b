//! Manoeuvre coordination message (draft of TS 103 561, module version 1.1, as Vanetza-NAP implements it since 2025-03).
//!
//! In: what a station intends, asks for or answers, as plain values. Out: an [`Mcm`]. ETSI has not published a module of
//! its own in a public repository; this one is implemented by Vanetza-NAP and ms-van3t, which differs from ETSI's draft in
//! that the generic state stands in the basic container, and a published edition may differ again. Absent: when to send
//! one, and the negotiation itself (a facility decides).

mod road_resource;
mod strategy;

pub use road_resource::*;
pub use strategy::*;

use crate::cdd::codec::*;
use crate::cdd::roadside::VehicleHeight;
use crate::cdd::*;
use crate::ivim::Iso3833VehicleType;
use crate::jer::{Jer, Release, rename_ellipse};
use crate::message::message;
use crate::uper::bounded::EmptySequence;
use crate::uper::declare::{choice, enumerated, sequence};
use crate::uper::{Null, UnknownExtensions};

message! {
    /// Manoeuvre coordination message (`MCM`): header with protocol version 2 and message id 20.
    pub struct Mcm: "MCM", MessageId::Mcm, version 2, by_value {
        /// Content.
        payload: McmPayload, "payload";
    }
}

impl Mcm {
    /// An MCM of `station_id`.
    pub fn new(station_id: StationId, payload: McmPayload) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Mcm, station_id },
            payload,
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the draft's names (X.697).
    pub fn to_jer(&self) -> serde_json::Value {
        let mut jer = self.jer_by_table(Release::R2);
        rename_ellipse(&mut jer, "/payload/basicContainer/position");
        let state = "/payload/mcmContainer/vehicleManoeuvreContainer/vehicleCurrentStateContainer";
        if let Some(strategy) = jer.pointer_mut(&format!("{state}/manoeuvreOverallStrategy")) {
            rename_overall_strategy(strategy);
        }
        jer
    }
}

/// The overall strategy is the same choice as that of a part, but three of its alternatives are spelt otherwise.
fn rename_overall_strategy(strategy: &mut Jer) {
    const NAMES: [(&str, &str); 3] = [
        ("slowDown", "slowdown"),
        ("goToRightLane", "oToRightLane"),
        ("constituteATemporarilyGroup", "constituteAtemporarilyGroup"),
    ];
    let Some(members) = strategy.as_object_mut() else { return };
    for (name, overall) in NAMES {
        if let Some(value) = members.remove(name) {
            members.insert(overall.to_owned(), value);
        }
    }
}

sequence! {
    /// Content of an MCM (`WrappedMcmInformationBlocks`).
    pub struct McmPayload {
        /// Who speaks in which coordination.
        req basic_container: McmBasicContainer = McmBasicContainer, "basicContainer";
        /// What it says.
        req mcm_container: McmContainer = McmContainer, "mcmContainer";
    }
}

sequence! {
    /// Who speaks in which coordination (`McmBasicContainer`).
    #[derive(Copy)]
    pub struct McmBasicContainer {
        /// When the message was made.
        req generation_time: TimestampIts = TimestampItsCodec, "generationDeltaTime";
        /// Sender.
        req station_id: StationId = StationIdCodec, "stationID";
        /// Kind of station.
        req station_type: McmStationType = McmStationType, "stationType";
        /// Its part in the coordination.
        req itss_role: McmItssRole = McmItssRole, "itssRole";
        /// Where it is.
        req position: ReferencePosition = ReferencePosition, "position";
        /// Kind of message.
        req mcm_type: McmType = McmType, "mcmType";
        /// Number of the manoeuvre at the station that began it.
        req manoeuvre_id: u8 = Int<u8, 0, 255>, "manoeuvreId";
        /// How the coordination works.
        req concept: ManoeuvreCoordinationConcept = ManoeuvreCoordinationConcept, "concept";
        /// Why.
        opt rational: ManoeuvreCoordinationRational = ManoeuvreCoordinationRational, "rational";
        /// How far it is: in terminations and states of execution.
        opt execution_status: ManoeuvreExecutionStatus = ManoeuvreExecutionStatus, "executionStatus";
    }
}

enumerated! {
    /// Kind of station (`McmStationType`).
    pub enum McmStationType {
        /// Device of a vulnerable road user.
        VruPortableDevice "vruPortableDevice",
        /// Vehicle.
        Vehicle "vehicle",
        /// Roadside unit.
        RoadsideUnit "roadsideUnit",
        /// Central station.
        CentralStation "centralStation",
        ...
    }
}

enumerated! {
    /// Part in a coordination (`McmItssRole`).
    pub enum McmItssRole {
        /// Not known yet.
        NotAvailable "notAvailable",
        /// Coordinates.
        CoordinatingItss "coordinatingItss",
        /// The vehicle it is about, which does not coordinate.
        NotCoordinatingSubjectVehicle "notCoordinatingSubjectVehicle",
        /// A vehicle that is asked.
        TargetVehicle "targetVehicle",
        ...
    }
}

enumerated! {
    /// Kind of message (`McmType`).
    pub enum McmType {
        /// What the sender intends.
        Intent "intent",
        /// What it asks for.
        Request "request",
        /// An answer.
        Response "response",
        /// A part of the road that it reserves.
        Reservation "reservation",
        /// The end of the coordination.
        Termination "termination",
        /// A wish to end it.
        CancellationRequest "cancellationRequest",
        /// A reservation in an emergency.
        EmergencyManoeuvreReservation "emergencyManoeuvreReservation",
        /// How far the manoeuvre is.
        ExecutionStatus "executionStatus",
        /// What it offers.
        Offer "offer",
        /// A message has arrived.
        Acknowledgment "acknowledgment",
    }
}

enumerated! {
    /// How a coordination works (`ManoeuvreCoordinationConcept`).
    pub enum ManoeuvreCoordinationConcept {
        /// Stations agree.
        AgreementSeeking "agreementSeeking",
        /// One station prescribes.
        Prescriptive "prescriptive",
    }
}

choice! {
    /// Why (`ManoeuvreCoordinationRational`).
    #[derive(Copy)]
    pub enum ManoeuvreCoordinationRational {
        /// The goal of a prescription.
        Goal(ManoeuvreCooperationGoal) = ManoeuvreCooperationGoal, "manoeuvreCooperationGoal";
        /// The cost for the sender where stations agree, thousandths, -1000..=1000; negative is a gain.
        CostThousandths(i16) = Int<i16, -1000, 1000>, "manoeuvreCooperationCost";
    }
}

enumerated! {
    /// Goal of a prescription (`ManoeuvreCooperationGoal`).
    pub enum ManoeuvreCooperationGoal {
        /// To intercept a vehicle.
        VehicleInterception "vehicleInterception",
        /// Safety on the road.
        RoadSafety "roadSafety",
        /// Health.
        HumanHealth "humanHelth",
        /// An emergency.
        EmergencyIntervention "emergencyIntervention",
        /// Work of the road's operator.
        RoadOperatorIntervention "roadOperatorIntervention",
        /// Traffic here.
        LocalTrafficManagement "localTrafficManagement",
        /// Traffic at large.
        GlobalTrafficManagement "globalTrafficManagement",
    }
}

enumerated! {
    /// How far a manoeuvre is (`ManoeuvreExecutionStatus`).
    pub enum ManoeuvreExecutionStatus {
        /// Begun.
        Started "started",
        /// Under way.
        InProgress "inProgress",
        /// Done.
        Completed "completed",
        /// Ended before it was done.
        Terminated "terminated",
        /// Followed by another.
        Chained "chained",
    }
}

choice! {
    /// What an MCM says (`McmContainer`).
    pub enum McmContainer {
        /// What a vehicle does and asks for.
        VehicleManoeuvre(Box<VehicleManoeuvreContainer>) = OnHeap<VehicleManoeuvreContainer>, "vehicleManoeuvreContainer";
        /// What others should do.
        AdvisedManoeuvre(ManoeuvreAdvices) = ManoeuvreAdviceList, "advisedManoeuvreContainer";
        /// A message has arrived.
        Acknowledgment(AcknowledgmentContainer) = AcknowledgmentContainer, "acknowledgmentContainer";
        /// An answer.
        Response(Box<ResponseContainer>) = OnHeap<ResponseContainer>, "responseContainer";
        /// The end of the coordination; the basic container says which.
        Termination(Null) = EmptySequence, "terminationContainer";
    }
}

sequence! {
    /// What a vehicle does and asks for (`VehicleManoeuvreContainer`).
    pub struct VehicleManoeuvreContainer {
        /// Its state.
        req vehicle_current_state_container: VehicleCurrentStateContainer = VehicleCurrentStateContainer, "vehicleCurrentStateContainer";
        /// Parts of the manoeuvre.
        req submanoeuvres: SubmanoeuvreDescriptions = SubmanoeuvreDescriptionList, "submaneuvres";
        /// What others should do.
        opt manoeuvre_advice: ManoeuvreAdvices = ManoeuvreAdviceList, "manoeuvreAdvice";
    }
}

sequence! {
    /// State of a vehicle (`VehicleCurrentStateContainer`).
    pub struct VehicleCurrentStateContainer {
        /// What it does on the whole.
        opt manoeuvre_overall_strategy: ManoeuvreStrategy = ManoeuvreStrategy, "manoeuvreOverallStrategy";
        /// Speed.
        req vehicle_speed: Speed = Speed, "vehicleSpeed";
        /// Heading.
        req vehicle_heading: Wgs84Angle = Wgs84Angle, "vehicleHeading";
        /// Size.
        req vehicle_size: VehicleSize = VehicleSize, "vehicleSize";
    }
}

sequence! {
    /// Size of a vehicle (`VehicleSize`).
    #[derive(Copy)]
    pub struct VehicleSize {
        /// Type of ISO 3833.
        req vehicle_type: Iso3833VehicleType = Iso3833VehicleType, "vehicleType";
        /// Why its transport is special.
        opt vehicle_transported_goods: SpecialTransportType = SpecialTransportType, "vehicleTransportedGoods";
        /// Length.
        req vehicle_length: VehicleLength = VehicleLength, "vehicleLenth";
        /// Width, metres (0.1 m, up to 6.1 m).
        req vehicle_width_m: Option<Reading> = VehicleWidthValue, "vehicleWidth";
        /// Height, metres (0.05 m, up to 6.3 m).
        req vehicle_height_m: Option<Reading> = VehicleHeight, "vehicleHeight";
    }
}

sequence! {
    /// A message has arrived (`AcknowledgmentContainer`).
    #[derive(Copy, Eq)]
    pub struct AcknowledgmentContainer {
        /// Its kind.
        req acknowledged_type: McmType = McmType, "acknowledgedType";
        /// When it was made.
        req generation_time: TimestampIts = TimestampItsCodec, "generationDeltaTime";
    }
}

sequence! {
    /// An answer (`ResponseContainer`).
    pub struct ResponseContainer {
        /// Yes or no.
        req manoeuvre_response: ManoeuvreResponse = ManoeuvreResponse, "manouevreResponse";
        /// Why not.
        opt decline_reason: DeclineReason = DeclineReason, "declineReason";
        /// What the sender would do instead, or does.
        opt submanoeuvres: SubmanoeuvreDescriptions = SubmanoeuvreDescriptionList, "submaneuvres";
    }
}

enumerated! {
    /// Yes or no (`ManouevreResponse`).
    pub enum ManoeuvreResponse {
        /// Yes.
        Accept "accept",
        /// No.
        Decline "decline",
    }
}

enumerated! {
    /// Why not (`DeclineReason`).
    pub enum DeclineReason {
        /// Not stated.
        AgreementSeekingUnknown "agreementSeekingUnknown",
        /// The station cannot.
        UnableToConform "allUnableToConform",
        /// It does not want to.
        AgreementSeekingUnwanted "agreementSeekingUnwanted",
        /// It did not understand.
        UnableToUnderstand "allUnableToUnderstand",
        /// The sender behaves erroneously.
        ErroneousBehaviourDetected "allErroneousBehaviourDetected",
        /// The sender misbehaves.
        MisbehaviourDetected "allMissbehaviourDetected",
        /// A wish to end the coordination was sent.
        CancellationRequestIssued "agreementSeekingManoeuvreCancellationRequestIssued",
    }
}
