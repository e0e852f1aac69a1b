//! How far and how long a message is to travel: what a facility asks of the network.

use super::address::GnAddress;
use crate::geo::Wgs84;
use serde::{Deserialize, Serialize};

/// Shape of a geographical area (EN 302 931 clause 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Circle of radius `a`.
    Circle,
    /// Rectangle of half sides `a` and `b`.
    Rectangle,
    /// Ellipse of half axes `a` and `b`.
    Ellipse,
}

/// A geographical area (EN 302 931 clause 4, EN 302 636-4-1 clause 9.8.5).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GeoArea {
    /// Shape.
    pub shape: Shape,
    /// Centre.
    pub centre: Wgs84,
    /// Radius, or half of the long side or axis, metres.
    pub a_m: f64,
    /// Half of the short side or axis, metres; 0 for a circle.
    pub b_m: f64,
    /// Direction of the long side, degrees clockwise from north.
    pub azimuth_deg: f64,
}

/// Who is to get a packet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Whoever hears it (SHB).
    SingleHop,
    /// Everybody within a number of hops (TSB).
    Topological {
        /// Most hops.
        hops: u8,
    },
    /// Everybody in an area (GBC).
    Broadcast(GeoArea),
    /// Anybody in an area (GAC).
    Anycast(GeoArea),
    /// One station, over several hops (GUC).
    Station(GnAddress),
}

/// How a message travels over radio links.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dissemination {
    /// Who is to get it.
    pub scope: Scope,
    /// DCC profile and traffic class id, 0 (DP0, most urgent) to 63 (TS 102 636-4-2 clause 5).
    pub traffic_class: u8,
    /// Packet lifetime, seconds.
    pub lifetime_s: f64,
}

impl Default for Dissemination {
    /// One hop, DCC profile 2, one second: a CAM.
    fn default() -> Self {
        Self { scope: Scope::SingleHop, traffic_class: 2, lifetime_s: 1.0 }
    }
}
