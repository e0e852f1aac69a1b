//! Who asks for a signal, and the state of the request: shared by SREM and SSEM.

use crate::cdd::StationId;
use crate::cdd::codec::StationIdCodec;
use crate::dsrc::OtherRegional;
use crate::dsrc::codec::ByteId;
use crate::uper::declare::{choice, enumerated, sequence};

/// A temporary identifier of a vehicle, four bytes of which the first is the highest (`TemporaryID`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemporaryId(pub u32);

choice! {
    /// Identifier of a requestor (`VehicleID`).
    #[derive(Copy, Eq, PartialOrd, Ord, Hash)]
    pub enum VehicleId {
        /// A temporary one.
        Entity(TemporaryId) = TemporaryId, "entityID";
        /// That of its station.
        Station(StationId) = StationIdCodec, "stationID";
    }
}

enumerated! {
    /// State of a request for priority (`PrioritizationResponseStatus`).
    #[derive(Default)]
    pub enum PrioritizationResponseStatus {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Received.
        Requested "requested",
        /// Being decided.
        Processing "processing",
        /// Cannot be granted fully: watch other traffic.
        WatchOtherTraffic "watchOtherTraffic",
        /// Granted.
        Granted "granted",
        /// Rejected.
        Rejected "rejected",
        /// Granted for too long.
        MaxPresence "maxPresence",
        /// Not again so soon.
        ReserviceLocked "reserviceLocked",
        ...
    }
}

enumerated! {
    /// Role of a vehicle (`BasicVehicleRole`).
    #[derive(Default)]
    pub enum BasicVehicleRole {
        /// None in particular.
        #[default]
        BasicVehicle "basicVehicle",
        /// Public transport.
        PublicTransport "publicTransport",
        /// Special transport.
        SpecialTransport "specialTransport",
        /// Dangerous goods.
        DangerousGoods "dangerousGoods",
        /// Road works.
        RoadWork "roadWork",
        /// Breakdown service.
        RoadRescue "roadRescue",
        /// Emergency.
        Emergency "emergency",
        /// Safety car.
        SafetyCar "safetyCar",
        /// Not known.
        NoneUnknown "none-unknown",
        /// Truck.
        Truck "truck",
        /// Motorcycle.
        Motorcycle "motorcycle",
        /// Roadside unit.
        RoadSideSource "roadSideSource",
        /// Police.
        Police "police",
        /// Fire brigade.
        Fire "fire",
        /// Ambulance.
        Ambulance "ambulance",
        /// Road authority.
        Dot "dot",
        /// Transit.
        Transit "transit",
        /// Slow vehicle.
        SlowMoving "slowMoving",
        /// Vehicle that stops often.
        StopNgo "stopNgo",
        /// Cyclist.
        Cyclist "cyclist",
        /// Pedestrian.
        Pedestrian "pedestrian",
        /// Other road user without a motor.
        NonMotorized "nonMotorized",
        /// Military.
        Military "military",
        ...
        /// Tram (TS 103 301 v2.2.1).
        + Tram "tram",
    }
}

enumerated! {
    /// Kind within a role, as agreed locally (`RequestSubRole`).
    #[derive(Default)]
    pub enum RequestSubRole {
        /// Not known.
        #[default]
        Unknown "requestSubRoleUnKnown",
        /// 1.
        Role1 "requestSubRole1",
        /// 2.
        Role2 "requestSubRole2",
        /// 3.
        Role3 "requestSubRole3",
        /// 4.
        Role4 "requestSubRole4",
        /// 5.
        Role5 "requestSubRole5",
        /// 6.
        Role6 "requestSubRole6",
        /// 7.
        Role7 "requestSubRole7",
        /// 8.
        Role8 "requestSubRole8",
        /// 9.
        Role9 "requestSubRole9",
        /// 10.
        Role10 "requestSubRole10",
        /// 11.
        Role11 "requestSubRole11",
        /// 12.
        Role12 "requestSubRole12",
        /// 13.
        Role13 "requestSubRole13",
        /// 14.
        Role14 "requestSubRole14",
        /// Without meaning.
        Reserved "requestSubRoleReserved",
    }
}

enumerated! {
    /// Importance of a request, 14 the highest (`RequestImportanceLevel`).
    #[derive(Default)]
    pub enum RequestImportanceLevel {
        /// Not known.
        #[default]
        Unknown "requestImportanceLevelUnKnown",
        /// 1.
        Level1 "requestImportanceLevel1",
        /// 2.
        Level2 "requestImportanceLevel2",
        /// 3.
        Level3 "requestImportanceLevel3",
        /// 4.
        Level4 "requestImportanceLevel4",
        /// 5.
        Level5 "requestImportanceLevel5",
        /// 6.
        Level6 "requestImportanceLevel6",
        /// 7.
        Level7 "requestImportanceLevel7",
        /// 8.
        Level8 "requestImportanceLevel8",
        /// 9.
        Level9 "requestImportanceLevel9",
        /// 10.
        Level10 "requestImportanceLevel10",
        /// 11.
        Level11 "requestImportanceLevel11",
        /// 12.
        Level12 "requestImportanceLevel12",
        /// 13.
        Level13 "requestImportanceLevel13",
        /// 14.
        Level14 "requestImportanceLevel14",
        /// Without meaning.
        Reserved "requestImportanceReserved",
    }
}

enumerated! {
    /// Kind of vehicle by axles (`VehicleType`).
    #[derive(Default)]
    pub enum VehicleType {
        /// Not a vehicle.
        None "none",
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Special.
        Special "special",
        /// Motorcycle.
        Moto "moto",
        /// Car.
        Car "car",
        /// Other vehicle with two axles and four tyres.
        CarOther "carOther",
        /// Bus.
        Bus "bus",
        /// Two axles, six tyres.
        AxleCnt2 "axleCnt2",
        /// Three axles.
        AxleCnt3 "axleCnt3",
        /// Four axles.
        AxleCnt4 "axleCnt4",
        /// Four axles with a trailer.
        AxleCnt4Trailer "axleCnt4Trailer",
        /// Five axles with a trailer.
        AxleCnt5Trailer "axleCnt5Trailer",
        /// Six axles with a trailer.
        AxleCnt6Trailer "axleCnt6Trailer",
        /// Five axles with several trailers.
        AxleCnt5MultiTrailer "axleCnt5MultiTrailer",
        /// Six axles with several trailers.
        AxleCnt6MultiTrailer "axleCnt6MultiTrailer",
        /// Seven axles with several trailers.
        AxleCnt7MultiTrailer "axleCnt7MultiTrailer",
        ...
    }
}

sequence! {
    /// Kind of requestor (`RequestorType`).
    #[derive(Default)]
    pub struct RequestorType {
        /// Role.
        req role: BasicVehicleRole = BasicVehicleRole, "role";
        /// Kind within the role.
        opt subrole: RequestSubRole = RequestSubRole, "subrole";
        /// Importance.
        opt request: RequestImportanceLevel = RequestImportanceLevel, "request";
        /// Kind of vehicle, a code of ISO 3833.
        opt iso3883: u8 = ByteId, "iso3883";
        /// Kind of vehicle by axles.
        opt hpms_type: VehicleType = VehicleType, "hpmsType";
        /// What a region adds.
        opt regional: OtherRegional = OtherRegional, "regional";
        ...;
    }
}
