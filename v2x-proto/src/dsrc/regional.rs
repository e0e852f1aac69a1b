//! What regions add: the European extensions, "AddGrpC" of ISO/TS 19091, and those of others as bytes.

use crate::List;
use crate::cdd::codec::{DeltaAltitude, Int, ListOf, StationIdCodec, VehicleMass};
use crate::cdd::{Altitude, Reading, StationId};
use crate::dsrc::codec::{ByteId, DeltaTime, RawContent, TimeReference, Unlimited, VehicleHeight};
use crate::dsrc::{NodeOffsetPoint, PrioritizationResponseStatus, SignalGroupId};
use crate::heap::Content;
use crate::mapem::{NodeSet, NodeSetCodec};
use crate::uper::declare::{codes, enumerated, sequence};

/// A regional extension (`RegionalExtension`) whose European form is `T`.
#[derive(Clone, Debug, PartialEq)]
pub enum Regional<T> {
    /// Of Europe, region 3.
    AddGrpC(T),
    /// Of any other region.
    Other(OtherRegional),
}

/// Regional extensions of one component, 1 to 4.
pub type Regionals<T> = List<Regional<T>, 0, 4>;
/// Regional extensions of a component to which Europe adds nothing, 1 to 4.
pub type OtherRegionals = List<OtherRegional, 0, 4>;

sequence! {
    /// A regional extension that is not known here, kept as received.
    #[derive(Eq)]
    pub struct OtherRegional {
        /// Region: 0 none, 1 United States, 2 Japan, 3 Europe, 128 and more for local use.
        req region_id: u8 = ByteId, "regionId";
        /// Content, at least one byte.
        req content: Content = RawContent, "regExtValue";
    }
}

sequence! {
    /// What Europe adds to the state of a connection (`ConnectionManeuverAssist-addGrpC`).
    #[derive(Default)]
    pub struct ConnectionManeuverAssistAddGrpC {
        /// Stations that wait on the connection.
        opt its_station_position: List<ItsStationPosition, 0, 5> = ListOf<ItsStationPosition, 0, 1, 5>, "itsStationPosition";
        ...;
    }
}

sequence! {
    /// A station on a lane (`ItsStationPosition`).
    pub struct ItsStationPosition {
        /// The station.
        req station_id: StationId = StationIdCodec, "stationID";
        /// Its lane.
        opt lane_id: u8 = ByteId, "laneID";
        /// Its offset from the reference point.
        opt node_xy: NodeOffsetPoint = NodeOffsetPoint, "nodeXY";
        /// Milliseconds of the minute at which it was there, 0..=60,000.
        opt time_reference_ms: u16 = TimeReference, "timeReference";
        ...;
    }
}

sequence! {
    /// The path between a lane and the one it connects to (`ConnectionTrajectory-addGrpC`).
    pub struct ConnectionTrajectoryAddGrpC {
        /// Nodes of the path.
        req nodes: NodeSet = NodeSetCodec, "nodes";
        /// Connection.
        req connection_id: u8 = ByteId, "connectionID";
        ...;
    }
}

sequence! {
    /// What Europe adds to the state of an intersection (`IntersectionState-addGrpC`).
    #[derive(Default)]
    pub struct IntersectionStateAddGrpC {
        /// Vehicles with priority.
        opt active_prioritizations: List<PrioritizationResponse, 0, 10> = ListOf<PrioritizationResponse, 0, 1, 10>, "activePrioritizations";
        ...;
    }
}

sequence! {
    /// State of a vehicle's request for priority (`PrioritizationResponse`).
    #[derive(Copy)]
    pub struct PrioritizationResponse {
        /// The vehicle.
        req station_id: StationId = StationIdCodec, "stationID";
        /// State.
        req prior_state: PrioritizationResponseStatus = PrioritizationResponseStatus, "priorState";
        /// Signal group that it concerns.
        req signal_group: SignalGroupId = SignalGroupId, "signalGroup";
        ...;
    }
}

sequence! {
    /// What Europe adds to the attributes of a lane (`LaneAttributes-addGrpC`).
    #[derive(Copy, Default)]
    pub struct LaneAttributesAddGrpC {
        /// Maximum height of vehicles, metres (0.05 m, up to 6.35 m).
        opt max_vehicle_height_m: f32 = VehicleHeight, "maxVehicleHeight";
        /// Maximum mass of vehicles, kilograms (100 kg).
        opt max_vehicle_weight_kg: Option<Reading<u32>> = VehicleMass, "maxVehicleWeight";
        ...;
    }
}

sequence! {
    /// What Europe adds to a map (`MapData-addGrpC`).
    #[derive(Default)]
    pub struct MapDataAddGrpC {
        /// Where the signal heads are.
        opt signal_head_locations: List<SignalHeadLocation, 0, 64> = ListOf<SignalHeadLocation, 0, 1, 64>, "signalHeadLocations";
        ...;
    }
}

sequence! {
    /// Where a signal head is (`SignalHeadLocation`).
    pub struct SignalHeadLocation {
        /// Offset from the reference point.
        req node_xy: NodeOffsetPoint = NodeOffsetPoint, "nodeXY";
        /// Height above the reference point, metres (0.01 m).
        req node_z_m: Option<Reading> = DeltaAltitude, "nodeZ";
        /// Signal group that it shows.
        req signal_group_id: SignalGroupId = SignalGroupId, "signalGroupID";
        ...;
    }
}

sequence! {
    /// What Europe adds to a movement event (`MovementEvent-addGrpC`).
    #[derive(Copy, Default)]
    pub struct MovementEventAddGrpC {
        /// Why the signal departs from its plan.
        opt state_change_reason: ExceptionalCondition = ExceptionalCondition, "stateChangeReason";
        ...;
    }
}

enumerated! {
    /// Why a signal departs from its plan (`ExceptionalCondition`).
    #[derive(Default)]
    pub enum ExceptionalCondition {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Priority of public transport.
        PublicTransportPriority "publicTransportPriority",
        /// Priority of an emergency vehicle.
        EmergencyVehiclePriority "emergencyVehiclePriority",
        /// Priority of a train.
        TrainPriority "trainPriority",
        /// An open bridge.
        BridgeOpen "bridgeOpen",
        /// A vehicle that is too high.
        VehicleHeight "vehicleHeight",
        /// Weather.
        Weather "weather",
        /// Congestion.
        TrafficJam "trafficJam",
        /// A closed tunnel.
        TunnelClosure "tunnelClosure",
        /// Metering.
        MeteringActive "meteringActive",
        /// Priority of trucks.
        TruckPriority "truckPriority",
        /// Priority of a platoon of bicycles.
        BicyclePlatoonPriority "bicyclePlatoonPriority",
        /// Priority of a platoon of vehicles.
        VehiclePlatoonPriority "vehiclePlatoonPriority",
        ...
    }
}

sequence! {
    /// What Europe adds to the attributes of a node (`NodeAttributeSet-addGrpC`).
    #[derive(Default)]
    pub struct NodeAttributeSetAddGrpC {
        /// Point at which a public transport vehicle sends a request.
        opt ptv_request: PtvRequestType = PtvRequestType, "ptvRequest";
        /// Nodes to which this one is linked.
        opt node_link: List<LinkedNode, 0, 5> = ListOf<LinkedNode, 0, 1, 5>, "nodeLink";
        /// Identifier of this node.
        opt node: LinkedNode = LinkedNode, "node";
        ...;
    }
}

enumerated! {
    /// Request of a public transport vehicle (`PtvRequestType`).
    pub enum PtvRequestType {
        /// Announcement.
        Pre "preRequest",
        /// Request.
        Main "mainRequest",
        /// Doors closing.
        DoorClose "doorCloseRequest",
        /// Cancellation, after the stop line.
        Cancel "cancelRequest",
        /// Emergency.
        Emergency "emergencyRequest",
        ...
    }
}

sequence! {
    /// Identifier of a node (`Node`).
    #[derive(Copy, Default)]
    pub struct LinkedNode {
        /// Number of the node; 40 bits are read and written.
        req id: i64 = Unlimited, "id";
        /// Its lane.
        opt lane: u8 = ByteId, "lane";
        /// Its connection.
        opt connection_id: u8 = ByteId, "connectionID";
        /// Its intersection.
        opt intersection_id: u16 = Int<u16, 0, 65535>, "intersectionID";
        ...;
    }
}

sequence! {
    /// Height with its accuracy (`Position3D-addGrpC`).
    #[derive(Copy, Default)]
    pub struct Position3DAddGrpC {
        /// Height.
        req altitude: Altitude = Altitude, "altitude";
        ...;
    }
}

sequence! {
    /// Users of a restriction class (`RestrictionUserType-addGrpC`).
    #[derive(Copy, Default)]
    pub struct RestrictionUserTypeAddGrpC {
        /// Worst emission class.
        opt emission: EmissionType = EmissionType, "emission";
        /// Fuel.
        opt fuel: FuelType = FuelType, "fuel";
        ...;
    }
}

enumerated! {
    /// Emission class (`EmissionType`).
    pub enum EmissionType {
        /// Euro 1.
        Euro1 "euro1",
        /// Euro 2.
        Euro2 "euro2",
        /// Euro 3.
        Euro3 "euro3",
        /// Euro 4.
        Euro4 "euro4",
        /// Euro 5.
        Euro5 "euro5",
        /// Euro 6.
        Euro6 "euro6",
        ...
    }
}

codes! {
    /// Fuel (`FuelType`).
    #[derive(Default)]
    pub enum FuelType: 0..=15 {
        /// Not known.
        #[default]
        Unknown = 0,
        /// Gasoline.
        Gasoline = 1,
        /// Ethanol.
        Ethanol = 2,
        /// Diesel.
        Diesel = 3,
        /// Electric.
        Electric = 4,
        /// Hybrid.
        Hybrid = 5,
        /// Hydrogen.
        Hydrogen = 6,
        /// Liquefied natural gas.
        NatGasLiquid = 7,
        /// Compressed natural gas.
        NatGasComp = 8,
        /// Propane.
        Propane = 9,
    }
}

sequence! {
    /// What Europe adds to the requestor of a signal (`RequestorDescription-addGrpC`).
    #[derive(Copy, Default)]
    pub struct RequestorDescriptionAddGrpC {
        /// Fuel.
        opt fuel: FuelType = FuelType, "fuel";
        /// Battery.
        opt battery_status: BatteryStatus = BatteryStatus, "batteryStatus";
        ...;
    }
}

enumerated! {
    /// State of a battery (`BatteryStatus`).
    #[derive(Default)]
    pub enum BatteryStatus {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Critical.
        Critical "critical",
        /// Low.
        Low "low",
        /// Good.
        Good "good",
        ...
    }
}

sequence! {
    /// What Europe adds to the answer to a signal request (`SignalStatusPackage-addGrpC`).
    #[derive(Copy, Default)]
    pub struct SignalStatusPackageAddGrpC {
        /// Seconds by which the vehicle is behind its schedule, negative ahead (10 s, -1,210..1,210 s).
        opt synch_to_schedule_s: Option<i16> = DeltaTime, "synchToSchedule";
        /// Why the request was rejected.
        opt rejected_reason: RejectedReason = RejectedReason, "rejectedReason";
        ...;
    }
}

enumerated! {
    /// Why a request was rejected (`RejectedReason`).
    #[derive(Default)]
    pub enum RejectedReason {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// An exceptional condition.
        ExceptionalCondition "exceptionalCondition",
        /// It waited too long.
        MaxWaitingTimeExceeded "maxWaitingTimeExceeded",
        /// Priority of public transport is switched off.
        PtPriorityDisabled "ptPriorityDisabled",
        /// Another public transport vehicle has more priority.
        HigherPtPriorityGranted "higherPTPriorityGranted",
        /// The vehicle was lost.
        VehicleTrackingUnknown "vehicleTrackingUnknown",
        ...
    }
}
