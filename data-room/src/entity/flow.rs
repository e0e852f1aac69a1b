//! Counts of traffic and people over a period, as city services make them.

use super::{Attribute, Entity, EntityKind, Geometry, Origin, rfc3339, rounded};
use masa_v2x_proto::time::Timestamp;

/// Traffic on a lane or movement over a period.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficFlow {
    /// The lane or movement, unique in its station.
    pub name: String,
    /// Where it was counted.
    pub geometry: Geometry,
    /// Begin of the period.
    pub from: Timestamp,
    /// End of the period.
    pub to: Timestamp,
    /// Vehicles that passed.
    pub vehicles: u32,
    /// Their mean speed, m/s.
    pub mean_speed_mps: Option<f64>,
    /// Share of the time in which a vehicle was over the detector, 0 to 1.
    pub occupancy: Option<f64>,
    /// Mean time between two vehicles, seconds.
    pub mean_headway_s: Option<f64>,
    /// Number of the lane, from 1.
    pub lane: Option<u8>,
    /// The vehicles counted, as in the model's `vehicleType`; all when absent.
    pub vehicle_type: Option<&'static str>,
    /// Whether traffic stood or crawled.
    pub is_congested: bool,
}

impl TrafficFlow {
    /// `TrafficFlowObserved`.
    pub fn entity(&self, origin: &Origin) -> Entity {
        let kind = EntityKind::TrafficFlowObserved;
        period(
            Entity::new(origin.id(kind, &self.name), kind, self.geometry.clone(), self.to, origin),
            self.from,
            self.to,
        )
        .with("intensity", self.vehicles)
        .with_some("averageVehicleSpeed", self.mean_speed_mps.map(|v| Attribute::measured(rounded(v * 3.6, 2), "KMH")))
        .with_some("occupancy", self.occupancy.map(|share| rounded(share.clamp(0.0, 1.0), 4)))
        .with_some("averageHeadwayTime", self.mean_headway_s.map(|s| Attribute::measured(rounded(s, 2), "SEC")))
        .with_some("laneId", self.lane)
        .with_some("vehicleType", self.vehicle_type)
        .with("congested", self.is_congested)
    }
}

/// People who passed a crossing or pavement over a period.
#[derive(Clone, Debug, PartialEq)]
pub struct CrowdFlow {
    /// The place, unique in its station.
    pub name: String,
    /// Where it was counted.
    pub geometry: Geometry,
    /// Begin of the period.
    pub from: Timestamp,
    /// End of the period.
    pub to: Timestamp,
    /// People who passed in the direction of the geometry, and against it.
    pub people: [u32; 2],
    /// Their mean speed, m/s.
    pub mean_speed_mps: Option<f64>,
    /// Whether it was crowded.
    pub is_congested: bool,
}

impl CrowdFlow {
    /// `CrowdFlowObserved`.
    pub fn entity(&self, origin: &Origin) -> Entity {
        let kind = EntityKind::CrowdFlowObserved;
        let [towards, away] = self.people;
        period(
            Entity::new(origin.id(kind, &self.name), kind, self.geometry.clone(), self.to, origin),
            self.from,
            self.to,
        )
        .with("peopleCount", towards.saturating_add(away))
        .with("peopleCountTowards", towards)
        .with("peopleCountAway", away)
        .with_some("averageCrowdSpeed", self.mean_speed_mps.map(|v| Attribute::measured(rounded(v * 3.6, 2), "KMH")))
        .with("congested", self.is_congested)
    }
}

/// The period, in the three attributes that the models of counts have for it.
pub(super) fn period(entity: Entity, from: Timestamp, to: Timestamp) -> Entity {
    entity
        .with("dateObserved", format!("{}/{}", rfc3339(from), rfc3339(to)))
        .with("dateObservedFrom", Attribute::DateTime(from))
        .with("dateObservedTo", Attribute::DateTime(to))
}
