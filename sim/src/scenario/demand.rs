//! Vehicles and people besides the scripted ones.

use serde::{Deserialize, Serialize};

/// Vehicles besides the scripted ones: a `[traffic]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrafficDemand {
    /// Vehicles that enter an hour, over all entries of the map.
    pub vehicles_per_h: f64,
}

/// People besides the scripted ones: a `[people]` table.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PeopleDemand {
    /// People on foot at a time.
    pub pedestrians: u32,
}
