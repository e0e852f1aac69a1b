//! What road users are, as counts tell them apart.

use masa_v2x_proto::cdd::{
    ObjectClass, StationType, VruProfileAndSubprofile, VruSubProfileBicyclist, VruSubProfileMotorcyclist,
};
use serde::{Deserialize, Serialize};

/// A class of road users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoadUserClass {
    /// Passenger car.
    Car,
    /// Delivery van or minibus.
    Van,
    /// Goods vehicle above 3.5 t.
    Lorry,
    /// Bus or coach.
    Bus,
    /// Tram.
    Tram,
    /// Motorcycle or moped.
    Motorcycle,
    /// Bicycle, e-scooter and other light vehicles.
    Bicycle,
    /// Person on foot or in a wheelchair.
    Pedestrian,
    /// Anything else that moves, and what is not known.
    Other,
}

impl RoadUserClass {
    /// Every class, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::Car,
        Self::Van,
        Self::Lorry,
        Self::Bus,
        Self::Tram,
        Self::Motorcycle,
        Self::Bicycle,
        Self::Pedestrian,
        Self::Other,
    ];

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Van => "van",
            Self::Lorry => "lorry",
            Self::Bus => "bus",
            Self::Tram => "tram",
            Self::Motorcycle => "motorcycle",
            Self::Bicycle => "bicycle",
            Self::Pedestrian => "pedestrian",
            Self::Other => "other",
        }
    }

    /// A vehicle with an engine, which counts as motor traffic.
    pub const fn is_motor_vehicle(self) -> bool {
        matches!(self, Self::Car | Self::Van | Self::Lorry | Self::Bus | Self::Tram | Self::Motorcycle)
    }

    /// Usual length, metres: for messages that do not say.
    pub const fn usual_length_m(self) -> f64 {
        match self {
            Self::Car | Self::Other => 4.4,
            Self::Van => 5.6,
            Self::Lorry => 9.0,
            Self::Bus => 12.0,
            Self::Tram => 30.0,
            Self::Motorcycle => 2.1,
            Self::Bicycle => 1.8,
            Self::Pedestrian => 0.4,
        }
    }

    /// Of a station's type.
    pub const fn of_station(station: StationType) -> Self {
        match station {
            StationType::PassengerCar => Self::Car,
            StationType::LightTruck => Self::Van,
            StationType::HeavyTruck | StationType::Trailer => Self::Lorry,
            StationType::Bus => Self::Bus,
            StationType::Tram => Self::Tram,
            StationType::Motorcycle | StationType::Moped => Self::Motorcycle,
            StationType::Cyclist | StationType::LightVruVehicle => Self::Bicycle,
            StationType::Pedestrian => Self::Pedestrian,
            _ => Self::Other,
        }
    }

    /// Of what a CPM says of an object.
    pub const fn of_object(class: &ObjectClass) -> Self {
        match class {
            ObjectClass::Vehicle(station) => Self::of_station(*station),
            ObjectClass::Vru(profile) => Self::of_vru(profile),
            _ => Self::Other,
        }
    }

    /// Of a vulnerable road user's profile.
    pub const fn of_vru(profile: &VruProfileAndSubprofile) -> Self {
        match profile {
            VruProfileAndSubprofile::Pedestrian(_)
            | VruProfileAndSubprofile::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::WheelchairUser) => {
                Self::Pedestrian
            }
            VruProfileAndSubprofile::BicyclistAndLightVruVehicle(_) => Self::Bicycle,
            VruProfileAndSubprofile::Motorcyclist(
                VruSubProfileMotorcyclist::Unavailable
                | VruSubProfileMotorcyclist::Moped
                | VruSubProfileMotorcyclist::Motorcycle
                | VruSubProfileMotorcyclist::MotorcycleAndSidecarRight
                | VruSubProfileMotorcyclist::MotorcycleAndSidecarLeft,
            ) => Self::Motorcycle,
            _ => Self::Other,
        }
    }
}
