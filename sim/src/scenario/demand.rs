//! Vehicles and people besides the scripted ones.

use crate::people::MannersSettings;
use crate::traffic::Behaviour;
use serde::{Deserialize, Serialize};

/// Vehicles besides the scripted ones: a `[traffic]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrafficDemand {
    /// Vehicles that enter an hour, over all entries of the map.
    pub vehicles_per_h: f64,
    /// How many drivers break which rule.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Cars that park in the bays of the map; absent: none does.
    pub parking: Option<ParkingDemand>,
}

/// Cars that park: a `[traffic.parking]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ParkingDemand {
    /// Share of the cars passing bays that want one, 0 to 1; who finds none free drives on.
    pub share: f64,
    /// Share of the bays that are taken at the start, 0 to 1.
    #[serde(default)]
    pub taken: f64,
    /// How long cars stand at least and at most, seconds.
    pub stay_s: [f64; 2],
}

/// People besides the scripted ones: a `[people]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PeopleDemand {
    /// People on foot at a time.
    pub pedestrians: u32,
    /// How often they break rules, and carry devices.
    #[serde(default)]
    pub manners: MannersSettings,
}
