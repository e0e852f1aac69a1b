//! What kind of station a node is: it decides which rules its messages follow.

use masa_v2x_proto::cdd::{StationType, VehicleRole};
use serde::{Deserialize, Serialize};

/// Kind of station (`StationType` of TS 102 894-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StationKind {
    /// Stands at the road.
    #[default]
    RoadSideUnit,
    /// A person on foot.
    Pedestrian,
    /// A bicycle.
    Cyclist,
    /// A moped.
    Moped,
    /// A motorcycle.
    Motorcycle,
    /// A passenger car.
    PassengerCar,
    /// A bus or coach.
    Bus,
    /// A light truck.
    LightTruck,
    /// A heavy truck.
    HeavyTruck,
    /// A special vehicle: road works, rescue, emergency.
    SpecialVehicle,
    /// A tram.
    Tram,
    /// A light vehicle of a vulnerable road user, an e-scooter for instance.
    LightVruVehicle,
    /// An agricultural vehicle.
    Agricultural,
}

/// Which basic services a kind of station runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// CAM each second, DENM and CPM of what the cameras see, the services of TS 103 301.
    Roadside,
    /// CAM by the dynamics of the vehicle, DENM of what it is asked to say.
    Vehicle,
    /// VAM by the dynamics of the person or cycle.
    Vru,
}

impl StationKind {
    /// The value in messages.
    pub const fn station_type(self) -> StationType {
        match self {
            Self::RoadSideUnit => StationType::RoadSideUnit,
            Self::Pedestrian => StationType::Pedestrian,
            Self::Cyclist => StationType::Cyclist,
            Self::Moped => StationType::Moped,
            Self::Motorcycle => StationType::Motorcycle,
            Self::PassengerCar => StationType::PassengerCar,
            Self::Bus => StationType::Bus,
            Self::LightTruck => StationType::LightTruck,
            Self::HeavyTruck => StationType::HeavyTruck,
            Self::SpecialVehicle => StationType::SpecialVehicle,
            Self::Tram => StationType::Tram,
            Self::LightVruVehicle => StationType::LightVruVehicle,
            Self::Agricultural => StationType::Agricultural,
        }
    }

    /// Which services it runs. A moped or motorcycle is a vehicle to EN 302 637-2 and sends CAMs.
    pub const fn profile(self) -> Profile {
        match self {
            Self::RoadSideUnit => Profile::Roadside,
            Self::Pedestrian | Self::Cyclist | Self::LightVruVehicle => Profile::Vru,
            _ => Profile::Vehicle,
        }
    }
}

/// What a vehicle is, apart from its movement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct VehicleSettings {
    /// Length, metres.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// What it is used for.
    pub role: Role,
    /// Seconds by which a vehicle of public transport is behind its timetable, as its operator says, −1,210 to 1,210: one
    /// that is late asks signals for priority. Absent: not known, it does not ask.
    pub behind_schedule_s: Option<i16>,
}

impl Default for VehicleSettings {
    fn default() -> Self {
        Self { length_m: 4.5, width_m: 1.8, role: Role::Default, behind_schedule_s: None }
    }
}

/// What a vehicle is used for (`VehicleRole` of TS 102 894-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nothing special.
    #[default]
    Default,
    /// Public transport.
    PublicTransport,
    /// Special transport.
    SpecialTransport,
    /// Dangerous goods.
    DangerousGoods,
    /// Road works.
    RoadWork,
    /// Rescue.
    Rescue,
    /// Emergency.
    Emergency,
    /// Safety car.
    SafetyCar,
}

impl Role {
    /// The value in messages.
    pub const fn vehicle_role(self) -> VehicleRole {
        match self {
            Self::Default => VehicleRole::Default,
            Self::PublicTransport => VehicleRole::PublicTransport,
            Self::SpecialTransport => VehicleRole::SpecialTransport,
            Self::DangerousGoods => VehicleRole::DangerousGoods,
            Self::RoadWork => VehicleRole::RoadWork,
            Self::Rescue => VehicleRole::Rescue,
            Self::Emergency => VehicleRole::Emergency,
            Self::SafetyCar => VehicleRole::SafetyCar,
        }
    }
}
