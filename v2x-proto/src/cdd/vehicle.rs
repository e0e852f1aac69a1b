//! What a vehicle is, carries and shows.

use crate::List;
use crate::cdd::Reading;
use crate::cdd::TimestampIts;
use crate::cdd::codec::{
    CompanyName, EmergencyActionCode, Int, IntExt, Latitude, Longitude, PhoneNumberCodec, PtData, TimestampItsCodec,
    VdsCodec, VehicleLengthValue, WmiCodec,
};
use crate::heap::inline;
use crate::uper::declare::{bit_string, codes, enumerated, sequence};
use heapless::String;

sequence! {
    /// Length of a vehicle (`VehicleLength`).
    #[derive(Copy, Default)]
    pub struct VehicleLength {
        /// Metres (0.1 m, 0.1..102.1 m).
        req value_m: Option<Reading> = VehicleLengthValue, "vehicleLengthValue";
        /// Whether a trailer is included.
        req confidence_indication: VehicleLengthConfidenceIndication = VehicleLengthConfidenceIndication, "vehicleLengthConfidenceIndication";
    }
}

enumerated! {
    /// Whether a vehicle's length includes a trailer (`VehicleLengthConfidenceIndication`).
    #[derive(Default)]
    pub enum VehicleLengthConfidenceIndication {
        /// No trailer.
        NoTrailerPresent "noTrailerPresent",
        /// Trailer included in the length.
        TrailerPresentWithKnownLength "trailerPresentWithKnownLength",
        /// Trailer not included.
        TrailerPresentWithUnknownLength "trailerPresentWithUnknownLength",
        /// Not known whether there is a trailer.
        TrailerPresenceIsUnknown "trailerPresenceIsUnknown",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

enumerated! {
    /// Role of a vehicle (`VehicleRole`).
    #[derive(Default)]
    pub enum VehicleRole {
        /// No special role.
        #[default]
        Default "default",
        /// Public transport.
        PublicTransport "publicTransport",
        /// Special transport.
        SpecialTransport "specialTransport",
        /// Dangerous goods.
        DangerousGoods "dangerousGoods",
        /// Road works.
        RoadWork "roadWork",
        /// Rescue.
        Rescue "rescue",
        /// Emergency.
        Emergency "emergency",
        /// Safety car.
        SafetyCar "safetyCar",
        /// Agriculture.
        Agriculture "agriculture",
        /// Commercial.
        Commercial "commercial",
        /// Military.
        Military "military",
        /// Road operator.
        RoadOperator "roadOperator",
        /// Taxi.
        Taxi "taxi",
        /// Subject to an urban access rule; reserved in release 1.
        Uvar "uvar" | "reserved1",
        /// Reserved.
        Rfu1 "rfu1" | "reserved2",
        /// Reserved.
        Rfu2 "rfu2" | "reserved3",
    }
}

bit_string! {
    /// Exterior lights (`ExteriorLights`).
    pub struct ExteriorLights: 8 {
        /// Low beam.
        LOW_BEAM_HEADLIGHTS_ON = 0,
        /// High beam.
        HIGH_BEAM_HEADLIGHTS_ON = 1,
        /// Left turn signal.
        LEFT_TURN_SIGNAL_ON = 2,
        /// Right turn signal.
        RIGHT_TURN_SIGNAL_ON = 3,
        /// Daytime running lights.
        DAYTIME_RUNNING_LIGHTS_ON = 4,
        /// Reverse light.
        REVERSE_LIGHT_ON = 5,
        /// Fog light.
        FOG_LIGHT_ON = 6,
        /// Parking lights.
        PARKING_LIGHTS_ON = 7,
    }
}

bit_string! {
    /// Who accelerates or brakes (`AccelerationControl`).
    pub struct AccelerationControl: 7 {
        /// Brake pedal.
        BRAKE_PEDAL_ENGAGED = 0,
        /// Gas pedal.
        GAS_PEDAL_ENGAGED = 1,
        /// Emergency brake.
        EMERGENCY_BRAKE_ENGAGED = 2,
        /// Collision warning.
        COLLISION_WARNING_ENGAGED = 3,
        /// Adaptive cruise control.
        ACC_ENGAGED = 4,
        /// Cruise control.
        CRUISE_CONTROL_ENGAGED = 5,
        /// Speed limiter.
        SPEED_LIMITER_ENGAGED = 6,
    }
}

bit_string! {
    /// Further longitudinal assistants (`AccelerationControlExtension`).
    pub struct AccelerationControlExtension: 3, extensible {
        /// Rear cross-traffic alert.
        REAR_CROSS_TRAFFIC_ALERT_ENGAGED = 0,
        /// Rear emergency brake.
        EMERGENCY_BRAKE_REAR_ENGAGED = 1,
        /// Assisted parking, longitudinal.
        ASSISTED_PARKING_LONGITUDINAL_ENGAGED = 2,
    }
}

bit_string! {
    /// Lateral assistants (`AutomationControl`).
    pub struct AutomationControl: 6, extensible {
        /// Emergency steering.
        EMERGENCY_STEERING_SYSTEM_ENGAGED = 0,
        /// Autonomous emergency steering.
        AUTONOMOUS_EMERGENCY_STEERING_ENGAGED = 1,
        /// Automatic lane change.
        AUTOMATIC_LANE_CHANGE_ENGAGED = 2,
        /// Lane keeping.
        LANE_KEEPING_ASSIST_ENGAGED = 3,
        /// Assisted parking, lateral.
        ASSISTED_PARKING_LATERAL_ENGAGED = 4,
        /// Emergency assist.
        EMERGENCY_ASSIST_ENGAGED = 5,
    }
}

bit_string! {
    /// Brake systems (`BrakeControl`).
    pub struct BrakeControl: 3, extensible {
        /// Anti-lock.
        ABS = 0,
        /// Traction control.
        TCS = 1,
        /// Stability control.
        ESC = 2,
    }
}

bit_string! {
    /// Light bar and siren (`LightBarSirenInUse`).
    pub struct LightBarSirenInUse: 2 {
        /// Light bar on.
        LIGHT_BAR_ACTIVATED = 0,
        /// Siren on.
        SIREN_ACTIVATED = 1,
    }
}

bit_string! {
    /// What an emergency vehicle asks for (`EmergencyPriority`).
    pub struct EmergencyPriority: 2 {
        /// Right of way.
        REQUEST_FOR_RIGHT_OF_WAY = 0,
        /// Free crossing at a traffic light.
        REQUEST_FOR_FREE_CROSSING_AT_A_TRAFFIC_LIGHT = 1,
    }
}

bit_string! {
    /// Why a transport is special (`SpecialTransportType`).
    pub struct SpecialTransportType: 4 {
        /// Heavy load.
        HEAVY_LOAD = 0,
        /// Excess width.
        EXCESS_WIDTH = 1,
        /// Excess length.
        EXCESS_LENGTH = 2,
        /// Excess height.
        EXCESS_HEIGHT = 3,
    }
}

bit_string! {
    /// Energy stored on board (`EnergyStorageType`).
    pub struct EnergyStorageType: 7 {
        /// Hydrogen.
        HYDROGEN_STORAGE = 0,
        /// Electric.
        ELECTRIC_ENERGY_STORAGE = 1,
        /// Liquid propane.
        LIQUID_PROPANE_GAS = 2,
        /// Compressed natural gas.
        COMPRESSED_NATURAL_GAS = 3,
        /// Diesel.
        DIESEL = 4,
        /// Gasoline.
        GASOLINE = 5,
        /// Ammonia.
        AMMONIA = 6,
    }
}

codes! {
    /// Class of positioning and message performance (`PerformanceClass`).
    #[derive(Default)]
    pub enum PerformanceClass: 0..=7 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Class A.
        PerformanceClassA = 1,
        /// Class B.
        PerformanceClassB = 2,
    }
}

codes! {
    /// State of the wipers (`WiperStatus`).
    #[derive(Default)]
    pub enum WiperStatus: 0..=7 {
        /// Not known.
        #[default]
        Unavailable = 0,
        /// Off.
        Off = 1,
        /// Intermittent.
        Intermittent = 2,
        /// Low.
        Low = 3,
        /// High.
        High = 4,
    }
}

enumerated! {
    /// Kind of dangerous goods (`DangerousGoodsBasic`).
    pub enum DangerousGoodsBasic {
        /// Explosives 1.1.
        Explosives1 "explosives1",
        /// Explosives 1.2.
        Explosives2 "explosives2",
        /// Explosives 1.3.
        Explosives3 "explosives3",
        /// Explosives 1.4.
        Explosives4 "explosives4",
        /// Explosives 1.5.
        Explosives5 "explosives5",
        /// Explosives 1.6.
        Explosives6 "explosives6",
        /// Flammable gases.
        FlammableGases "flammableGases",
        /// Non-flammable gases.
        NonFlammableGases "nonFlammableGases",
        /// Toxic gases.
        ToxicGases "toxicGases",
        /// Flammable liquids.
        FlammableLiquids "flammableLiquids",
        /// Flammable solids.
        FlammableSolids "flammableSolids",
        /// Liable to spontaneous combustion.
        SubstancesLiableToSpontaneousCombustion "substancesLiableToSpontaneousCombustion",
        /// Emits flammable gases with water.
        SubstancesEmittingFlammableGasesUponContactWithWater "substancesEmittingFlammableGasesUponContactWithWater",
        /// Oxidising.
        OxidizingSubstances "oxidizingSubstances",
        /// Organic peroxides.
        OrganicPeroxides "organicPeroxides",
        /// Toxic.
        ToxicSubstances "toxicSubstances",
        /// Infectious.
        InfectiousSubstances "infectiousSubstances",
        /// Radioactive.
        RadioactiveMaterial "radioactiveMaterial",
        /// Corrosive.
        CorrosiveSubstances "corrosiveSubstances",
        /// Miscellaneous.
        MiscellaneousDangerousSubstances "miscellaneousDangerousSubstances",
    }
}

sequence! {
    /// Dangerous goods in detail (`DangerousGoodsExtended`).
    pub struct DangerousGoodsExtended {
        /// Kind.
        req dangerous_goods_type: DangerousGoodsBasic = DangerousGoodsBasic, "dangerousGoodsType";
        /// UN number, 0..=9999.
        req un_number: u16 = Int<u16, 0, 9999>, "unNumber";
        /// Carried at elevated temperature.
        req elevated_temperature: bool = bool, "elevatedTemperature";
        /// Not allowed in some tunnels.
        req tunnels_restricted: bool = bool, "tunnelsRestricted";
        /// Limited quantity.
        req limited_quantity: bool = bool, "limitedQuantity";
        /// Emergency action code, ASCII, 1 to 24 characters.
        opt emergency_action_code: String<24> = EmergencyActionCode, "emergencyActionCode";
        /// Digits and spaces, 1 to 16.
        opt phone_number: String<16> = PhoneNumberCodec, "phoneNumber";
        /// Company, 1 to 24 characters of UTF-8.
        opt company_name: String<96> = CompanyName, "companyName";
        ...;
    }
}

sequence! {
    /// Who made the vehicle (`VehicleIdentification`).
    #[derive(Default)]
    pub struct VehicleIdentification {
        /// World manufacturer identifier, 1 to 3 ASCII characters.
        opt wmi_number: String<3> = WmiCodec, "wMInumber";
        /// Vehicle descriptor section, 6 ASCII characters.
        opt vds: String<6> = VdsCodec, "vDS";
        ...;
    }
}

/// Content of a public transport activation, 1 to 20 bytes.
pub type PtActivationData = heapless::Vec<u8, 20>;

sequence! {
    /// Activation of traffic signals by public transport (`PtActivation`).
    pub struct PtActivation {
        /// Coding of the data.
        req pt_activation_type: PtActivationType = PtActivationType, "ptActivationType";
        /// The data.
        req pt_activation_data: PtActivationData = PtData, "ptActivationData";
    }
}

codes! {
    /// Coding of public transport data (`PtActivationType`).
    #[derive(Default)]
    pub enum PtActivationType: 0..=255 {
        /// Undefined.
        #[default]
        UndefinedCodingType = 0,
        /// R09.16.
        R09_16CodingType = 1,
        /// VDV 50149.
        Vdv50149CodingType = 2,
    }
}

enumerated! {
    /// Kind of protected zone (`ProtectedZoneType`).
    pub enum ProtectedZoneType {
        /// Permanent CEN DSRC tolling.
        PermanentCenDsrcTolling "permanentCenDsrcTolling",
        ...
        /// Temporary CEN DSRC tolling.
        + TemporaryCenDsrcTolling "temporaryCenDsrcTolling",
    }
}

sequence! {
    /// A zone in which radio emissions are limited (`ProtectedCommunicationZone`).
    #[derive(Copy)]
    pub struct ProtectedCommunicationZone {
        /// Kind.
        req protected_zone_type: ProtectedZoneType = ProtectedZoneType, "protectedZoneType";
        /// When it ends.
        opt expiry_time: TimestampIts = TimestampItsCodec, "expiryTime";
        /// Latitude of the centre, degrees north.
        req protected_zone_latitude_deg: Option<f64> = Latitude, "protectedZoneLatitude";
        /// Longitude of the centre, degrees east.
        req protected_zone_longitude_deg: Option<f64> = Longitude, "protectedZoneLongitude";
        /// Radius, metres; 1..=255, larger as an extension.
        opt protected_zone_radius_m: u32 = IntExt<u32, 1, 255>, "protectedZoneRadius";
        /// Identifier, 27 bits.
        opt protected_zone_id: u32 = Int<u32, 0, 134_217_727>, "protectedZoneId" | "protectedZoneID";
        ...;
    }
}

/// Up to 16 protected zones around a roadside unit.
pub type ProtectedCommunicationZones = List<ProtectedCommunicationZone, { inline(4, 16) }, 16>;

sequence! {
    /// A CEN DSRC tolling zone (`CenDsrcTollingZone`).
    #[derive(Copy, Default)]
    pub struct CenDsrcTollingZone {
        /// Latitude, degrees north.
        req protected_zone_latitude_deg: Option<f64> = Latitude, "protectedZoneLatitude";
        /// Longitude, degrees east.
        req protected_zone_longitude_deg: Option<f64> = Longitude, "protectedZoneLongitude";
        /// Identifier, 27 bits.
        opt cen_dsrc_tolling_zone_id: u32 = Int<u32, 0, 134_217_727>, "cenDsrcTollingZoneId" | "cenDsrcTollingZoneID";
        ...;
    }
}
