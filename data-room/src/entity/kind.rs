//! The types of entities: one table row each.

use crate::record::Sensitivity;
use serde::Serialize;

/// How long an entity describes the present after it was observed, unless it says so itself.
const MOVING_MS: i64 = 3_000;
const SIGNAL_MS: i64 = 5_000;
const MAP_MS: i64 = 86_400_000;
const STATE_MS: i64 = 600_000;
const MEASURED_MS: i64 = 3_600_000;

macro_rules! kinds {
    ($( $(#[$meta:meta])* $name:ident: $domain:literal, $class:ident, $lifetime:ident; )*) => {
        /// Type of an entity. Names are those of the Smart Data Models; [`EntityKind::TrafficSignal`] and
        /// [`EntityKind::PerceivedObject`], which they lack, are ours.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum EntityKind {
            $( $(#[$meta])* $name, )*
        }

        impl EntityKind {
            /// Every type.
            pub const ALL: &[Self] = &[$( Self::$name, )*];

            /// Name as in NGSI-LD.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$name => stringify!($name), )* }
            }

            /// The data model of the Smart Data Models it belongs to; `MASA` for our own.
            pub const fn domain(self) -> &'static str {
                match self { $( Self::$name => $domain, )* }
            }

            /// Whether it says something of a person: movements of single road users do (Regulation (EU) 2016/679,
            /// article 4), though no name is known.
            pub const fn sensitivity(self) -> Sensitivity {
                match self { $( Self::$name => Sensitivity::$class, )* }
            }

            /// How long it describes the present after it was observed, milliseconds, unless it says so itself.
            pub const fn lifetime_ms(self) -> i64 {
                match self { $( Self::$name => $lifetime, )* }
            }
        }
    };
}

kinds! {
    /// Traffic counted on a lane over a period.
    TrafficFlowObserved: "Transportation", Open, MEASURED_MS;
    /// People counted over a period.
    CrowdFlowObserved: "Transportation", Open, MEASURED_MS;
    /// A lane of the road.
    RoadSegment: "Transportation", Open, MAP_MS;
    /// A vehicle.
    Vehicle: "Transportation", Personal, MOVING_MS;
    /// An accident.
    RoadAccident: "Transportation", Open, STATE_MS;
    /// Works on the road.
    CityWork: "Transportation", Open, STATE_MS;
    /// Something that people are warned of.
    Alert: "Alert", Open, STATE_MS;
    /// A parking space.
    ParkingSpot: "Parking", Open, STATE_MS;
    /// Parking spaces side by side.
    ParkingGroup: "Parking", Open, STATE_MS;
    /// A place to park on the street.
    OnStreetParking: "Parking", Open, STATE_MS;
    /// A place to park off the street.
    OffStreetParking: "Parking", Open, STATE_MS;
    /// What is in the air.
    AirQualityObserved: "Environment", Open, MEASURED_MS;
    /// How loud it is.
    NoiseLevelObserved: "Environment", Open, MEASURED_MS;
    /// The weather.
    WeatherObserved: "Weather", Open, MEASURED_MS;
    /// A street light.
    Streetlight: "Streetlighting", Open, MAP_MS;
    /// A signal group of an intersection.
    TrafficSignal: "MASA", Open, SIGNAL_MS;
    /// A road user that is no vehicle, or of which it is not known.
    PerceivedObject: "MASA", Personal, MOVING_MS;
}

impl EntityKind {
    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
