//! How fast: speeds, their accuracy, speed limits, gears.

use crate::List;
use crate::cdd::codec::ListOf;
use crate::dsrc::codec::Velocity;
use crate::heap::inline;
use crate::uper::declare::{enumerated, sequence};

enumerated! {
    /// Accuracy of a speed: 95 % of values are within this (`SpeedConfidence`).
    #[derive(Default)]
    pub enum SpeedConfidence {
        /// Not known.
        #[default]
        Unavailable "unavailable",
        /// 100 m/s.
        Within100mps "prec100ms",
        /// 10 m/s.
        Within10mps "prec10ms",
        /// 5 m/s.
        Within5mps "prec5ms",
        /// 1 m/s.
        Within1mps "prec1ms",
        /// 0.1 m/s.
        Within0_1mps "prec0-1ms",
        /// 0.05 m/s.
        Within0_05mps "prec0-05ms",
        /// 0.01 m/s.
        Within0_01mps "prec0-01ms",
    }
}

enumerated! {
    /// Gear (`TransmissionState`).
    #[derive(Default)]
    pub enum TransmissionState {
        /// Neutral.
        Neutral "neutral",
        /// Park.
        Park "park",
        /// Forwards.
        ForwardGears "forwardGears",
        /// Backwards.
        ReverseGears "reverseGears",
        /// Without meaning.
        Reserved1 "reserved1",
        /// Without meaning.
        Reserved2 "reserved2",
        /// Without meaning.
        Reserved3 "reserved3",
        /// Not known.
        #[default]
        Unavailable "unavailable",
    }
}

sequence! {
    /// Gear and speed (`TransmissionAndSpeed`).
    #[derive(Copy, Default)]
    pub struct TransmissionAndSpeed {
        /// Gear.
        req transmission: TransmissionState = TransmissionState, "transmisson";
        /// Speed, m/s (0.02 m/s, up to 163.8 m/s).
        req speed_mps: Option<f32> = Velocity, "speed";
    }
}

enumerated! {
    /// What a speed limit limits (`SpeedLimitType`).
    #[derive(Default)]
    pub enum SpeedLimitType {
        /// Not known.
        #[default]
        Unknown "unknown",
        /// Maximum in a school zone.
        MaxSpeedInSchoolZone "maxSpeedInSchoolZone",
        /// Maximum in a school zone when children are present.
        MaxSpeedInSchoolZoneWhenChildrenArePresent "maxSpeedInSchoolZoneWhenChildrenArePresent",
        /// Maximum at road works.
        MaxSpeedInConstructionZone "maxSpeedInConstructionZone",
        /// Minimum for vehicles.
        VehicleMinSpeed "vehicleMinSpeed",
        /// Maximum for vehicles.
        VehicleMaxSpeed "vehicleMaxSpeed",
        /// Maximum for vehicles at night.
        VehicleNightMaxSpeed "vehicleNightMaxSpeed",
        /// Minimum for trucks.
        TruckMinSpeed "truckMinSpeed",
        /// Maximum for trucks.
        TruckMaxSpeed "truckMaxSpeed",
        /// Maximum for trucks at night.
        TruckNightMaxSpeed "truckNightMaxSpeed",
        /// Minimum for vehicles with trailers.
        VehiclesWithTrailersMinSpeed "vehiclesWithTrailersMinSpeed",
        /// Maximum for vehicles with trailers.
        VehiclesWithTrailersMaxSpeed "vehiclesWithTrailersMaxSpeed",
        /// Maximum for vehicles with trailers at night.
        VehiclesWithTrailersNightMaxSpeed "vehiclesWithTrailersNightMaxSpeed",
        ...
    }
}

sequence! {
    /// A speed limit (`RegulatorySpeedLimit`).
    #[derive(Copy, Default)]
    pub struct RegulatorySpeedLimit {
        /// What it limits.
        req limit_type: SpeedLimitType = SpeedLimitType, "type";
        /// Speed, m/s (0.02 m/s, up to 163.8 m/s).
        req speed_mps: Option<f32> = Velocity, "speed";
    }
}

/// Speed limits (`SpeedLimitList`), 1 to 9.
pub type SpeedLimits = List<RegulatorySpeedLimit, { inline(0, 2) }, 9>;
pub(crate) type SpeedLimitsCodec = ListOf<RegulatorySpeedLimit, { inline(0, 2) }, 1, 9>;
