//! Rules for automated vehicles and platoons (automated vehicle container).

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::ivim::sign::RoadSignCodeList;
use crate::ivim::text::{TextLineList, VehicleCharacteristicsCodec};
use crate::ivim::vehicle::VehicleCharacteristicsList;
use crate::ivim::{LanePositionList, LanePositions, RoadSignCodes, TextLines, ZoneIdList, ZoneIds};
use crate::uper::declare::sequence;

sequence! {
    /// Rules for some zones (`AvcPart`); one of the two kinds of rules is there.
    pub struct AvcPart {
        /// Zones in which a receiver notes them.
        opt detection_zone_ids: ZoneIds = ZoneIdList, "detectionZoneIds";
        /// Zones in which they apply.
        req relevance_zone_ids: ZoneIds = ZoneIdList, "relevanceZoneIds";
        /// Direction of travel, relative to that of the zones.
        opt direction: Direction = Direction, "direction";
        /// Lanes.
        opt applicable_lanes: LanePositions = LanePositionList, "applicableLanes";
        /// Vehicles to which they apply.
        opt vehicle_characteristics: VehicleCharacteristicsList = VehicleCharacteristicsCodec, "vehicleCharacteristics";
        /// For automated vehicles.
        opt automated_vehicle_rules: List<AutomatedVehicleRule, 0, 5> = ListOf<AutomatedVehicleRule, 0, 1, 5>, "automatedVehicleRules";
        /// For platoons.
        opt platooning_rules: List<PlatooningRule, 0, 5> = ListOf<PlatooningRule, 0, 1, 5>, "platooningRules";
        ...;
    }
}

/// Codec of levels of automation of SAE J3016 (`SaeAutomationLevels`).
type SaeAutomationLevelList = ListOf<Int<u8, 0, 5>, 5, 1, 5>;

sequence! {
    /// A rule for automated vehicles (`AutomatedVehicleRule`).
    pub struct AutomatedVehicleRule {
        /// Priority, 0..=2.
        req priority: u8 = Int<u8, 0, 2>, "priority";
        /// Levels of automation that are allowed, 0..=5 of SAE J3016.
        req allowed_sae_automation_levels: List<u8, 5, 5> = SaeAutomationLevelList, "allowedSaeAutomationLevels";
        /// Smallest gap to the vehicle ahead, 0..=255 as sent: the published module states no unit.
        opt min_gap_between_vehicles: u8 = Int<u8, 0, 255>, "minGapBetweenVehicles";
        /// Recommended gap, likewise.
        opt rec_gap_between_vehicles: u8 = Int<u8, 0, 255>, "recGapBetweenVehicles";
        /// Largest speed, metres per second (0.01 m/s); the inner `None` is "unavailable".
        opt automated_vehicle_max_speed_limit_mps: Option<Reading> = SpeedValue, "automatedVehicleMaxSpeedLimit";
        /// Smallest speed.
        opt automated_vehicle_min_speed_limit_mps: Option<Reading> = SpeedValue, "automatedVehicleMinSpeedLimit";
        /// Recommended speed.
        opt automated_vehicle_speed_recommendation_mps: Option<Reading> = SpeedValue, "automatedVehicleSpeedRecommendation";
        /// Signs.
        opt road_sign_codes: RoadSignCodes = RoadSignCodeList, "roadSignCodes";
        /// Text, at most 32 characters each.
        opt extra_text: TextLines = TextLineList, "extraText";
        ...;
    }
}

sequence! {
    /// A rule for platoons (`PlatooningRule`).
    pub struct PlatooningRule {
        /// Priority, 0..=2.
        req priority: u8 = Int<u8, 0, 2>, "priority";
        /// Levels of automation that are allowed, 0..=5 of SAE J3016.
        req allowed_sae_automation_levels: List<u8, 5, 5> = SaeAutomationLevelList, "allowedSaeAutomationLevels";
        /// Most vehicles, 2..=64.
        opt max_no_of_vehicles: u8 = Int<u8, 2, 64>, "maxNoOfVehicles";
        /// Longest platoon, 1..=64 as sent: the published module states no unit.
        opt max_length_of_platoon: u8 = Int<u8, 1, 64>, "maxLenghtOfPlatoon";
        /// Smallest gap between vehicles, 0..=255 as sent.
        opt min_gap_between_vehicles: u8 = Int<u8, 0, 255>, "minGapBetweenVehicles";
        /// Largest speed, metres per second (0.01 m/s); the inner `None` is "unavailable".
        opt platoon_max_speed_limit_mps: Option<Reading> = SpeedValue, "platoonMaxSpeedLimit";
        /// Smallest speed.
        opt platoon_min_speed_limit_mps: Option<Reading> = SpeedValue, "platoonMinSpeedLimit";
        /// Recommended speed.
        opt platoon_speed_recommendation_mps: Option<Reading> = SpeedValue, "platoonSpeedRecommendation";
        /// Signs.
        opt road_sign_codes: RoadSignCodes = RoadSignCodeList, "roadSignCodes";
        /// Text, at most 32 characters each.
        opt extra_text: TextLines = TextLineList, "extraText";
        ...;
    }
}
