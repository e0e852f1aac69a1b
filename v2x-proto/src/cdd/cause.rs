//! What happened and why: `CauseCode` (release 1) and `CauseCodeV2` (release 2), the same 16 bits on the wire.

use crate::cdd::subcause::*;

/// Declares the sub-causes of a cause; code 0 is `Unavailable` in all of them.
macro_rules! sub_causes_codec {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$vm:meta])* $variant:ident = $code:literal, )* } )*) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            /// Not stated.
            #[default]
            Unavailable,
            $( $(#[$vm])* $variant, )*
            /// A code without a name here.
            Other(u8),
        }

        impl From<u8> for $name {
            fn from(code: u8) -> Self {
                match code {
                    0 => Self::Unavailable,
                    $( $code => Self::$variant, )*
                    other => Self::Other(other),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(sub: $name) -> u8 {
                match sub {
                    $name::Unavailable => 0,
                    $( $name::$variant => $code, )*
                    $name::Other(code) => code,
                }
            }
        }
    )* };
}

macro_rules! causes_codec {
    ($( $(#[$meta:meta])* $variant:ident($ty:ty) = $code:literal, $jer:literal; )*) => {
        /// A cause and its sub-cause. Codes that name no cause here are [`CauseCode::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum CauseCode {
            $( $(#[$meta])* $variant($ty), )*
            /// A code without a name here; release 2 allows at most 128.
            Other {
                /// `CauseCodeType`.
                cause: u8,
                /// `SubCauseCodeType`.
                sub_cause: u8,
            },
        }

        impl CauseCode {
            /// The cause on the wire (`CauseCodeType`).
            pub const fn code(self) -> u8 {
                match self {
                    $( Self::$variant(_) => $code, )*
                    Self::Other { cause, .. } => cause,
                }
            }

            /// The sub-cause on the wire (`SubCauseCodeType`).
            pub fn sub_code(self) -> u8 {
                match self {
                    $( Self::$variant(sub) => sub.into(), )*
                    Self::Other { sub_cause, .. } => sub_cause,
                }
            }

            /// The value of two wire codes.
            pub fn from_codes(cause: u8, sub_cause: u8) -> Self {
                match cause {
                    $( $code => Self::$variant(sub_cause.into()), )*
                    _ => Self::Other { cause, sub_cause },
                }
            }

            /// The name of release 2's alternative for a cause, `None` for a reserved one.
            #[cfg(feature = "std")]
            pub(crate) const fn alternative(cause: u8) -> Option<&'static str> {
                match cause {
                    $( $code => Some($jer), )*
                    _ => None,
                }
            }
        }
    };
}

use crate::uper::tables::causes;
pub(crate) use crate::uper::tables::sub_causes;
pub(crate) use {causes_codec, sub_causes_codec};

causes! {
    /// Traffic condition.
    TrafficCondition(TrafficConditionSubCause) = 1, "trafficCondition1";
    /// Accident.
    Accident(AccidentSubCause) = 2, "accident2";
    /// Roadworks.
    Roadworks(RoadworksSubCause) = 3, "roadworks3";
    /// Detected roadworks.
    DetectedRoadworks(u8) = 4, "detectedRoadworks4";
    /// Impassability.
    Impassability(ImpassabilitySubCause) = 5, "impassability5";
    /// Adhesion.
    Adhesion(AdhesionSubCause) = 6, "adhesion6";
    /// Aquaplaning.
    Aquaplaning(u8) = 7, "aquaplaning7";
    /// Hazardous location surface condition.
    HazardousLocationSurfaceCondition(HazardousLocationSurfaceConditionSubCause) = 9, "hazardousLocation-SurfaceCondition9";
    /// Hazardous location obstacle on the road.
    HazardousLocationObstacleOnTheRoad(HazardousLocationObstacleOnTheRoadSubCause) = 10, "hazardousLocation-ObstacleOnTheRoad10";
    /// Hazardous location animal on the road.
    HazardousLocationAnimalOnTheRoad(HazardousLocationAnimalOnTheRoadSubCause) = 11, "hazardousLocation-AnimalOnTheRoad11";
    /// Human presence on the road.
    HumanPresenceOnTheRoad(HumanPresenceOnTheRoadSubCause) = 12, "humanPresenceOnTheRoad12";
    /// Wrong way driving.
    WrongWayDriving(WrongWayDrivingSubCause) = 14, "wrongWayDriving14";
    /// Rescue recovery and maintenance work in progress.
    RescueRecoveryAndMaintenanceWorkInProgress(RescueRecoveryAndMaintenanceWorkInProgressSubCause) = 15, "rescueRecoveryAndMaintenanceWorkInProgress15";
    /// Adverse weather condition wind.
    AdverseWeatherConditionWind(AdverseWeatherConditionWindSubCause) = 17, "adverseWeatherCondition-Wind17";
    /// Adverse weather condition visibility.
    AdverseWeatherConditionVisibility(AdverseWeatherConditionVisibilitySubCause) = 18, "adverseWeatherCondition-Visibility18";
    /// Adverse weather condition precipitation.
    AdverseWeatherConditionPrecipitation(AdverseWeatherConditionPrecipitationSubCause) = 19, "adverseWeatherCondition-Precipitation19";
    /// Violence.
    Violence(u8) = 20, "violence20";
    /// Slow vehicle.
    SlowVehicle(SlowVehicleSubCause) = 26, "slowVehicle26";
    /// Dangerous end of queue.
    DangerousEndOfQueue(DangerousEndOfQueueSubCause) = 27, "dangerousEndOfQueue27";
    /// Public transport vehicle approaching.
    PublicTransportVehicleApproaching(u8) = 28, "publicTransportVehicleApproaching28";
    /// Dont panic.
    DontPanic(u8) = 42, "dontPanic42";
    /// Vehicle breakdown.
    VehicleBreakdown(VehicleBreakdownSubCause) = 91, "vehicleBreakdown91";
    /// Post crash.
    PostCrash(PostCrashSubCause) = 92, "postCrash92";
    /// Human problem.
    HumanProblem(HumanProblemSubCause) = 93, "humanProblem93";
    /// Stationary vehicle.
    StationaryVehicle(StationaryVehicleSubCause) = 94, "stationaryVehicle94";
    /// Emergency vehicle approaching.
    EmergencyVehicleApproaching(EmergencyVehicleApproachingSubCause) = 95, "emergencyVehicleApproaching95";
    /// Hazardous location dangerous curve.
    HazardousLocationDangerousCurve(HazardousLocationDangerousCurveSubCause) = 96, "hazardousLocation-DangerousCurve96";
    /// Collision risk.
    CollisionRisk(CollisionRiskSubCause) = 97, "collisionRisk97";
    /// Signal violation.
    SignalViolation(SignalViolationSubCause) = 98, "signalViolation98";
    /// Dangerous situation.
    DangerousSituation(DangerousSituationSubCause) = 99, "dangerousSituation99";
    /// Railway level crossing.
    RailwayLevelCrossing(RailwayLevelCrossingSubCause) = 100, "railwayLevelCrossing100";
}
