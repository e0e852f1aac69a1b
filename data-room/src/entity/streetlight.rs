//! Street lights, as a lighting system or an adaptive-lighting service reports them.

use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position, rounded};
use masa_v2x_proto::time::Timestamp;

/// Whether a lamp shines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LampState {
    /// At full power.
    On,
    /// Dimmed.
    Low,
    /// Not at all.
    Off,
    /// It cannot.
    Defective,
}

/// A lamp.
#[derive(Clone, Debug, PartialEq)]
pub struct Lamp {
    /// Its name, unique in its station.
    pub name: String,
    /// Where it stands.
    pub position: Position,
    /// Whether it shines.
    pub state: LampState,
    /// How bright, 0 to 1 of what it can.
    pub brightness: Option<f64>,
    /// What it takes, watts.
    pub power_w: Option<f64>,
    /// When it was so.
    pub at: Timestamp,
}

impl Lamp {
    /// `Streetlight`.
    pub fn entity(&self, origin: &Origin) -> Entity {
        let kind = EntityKind::Streetlight;
        let power = match self.state {
            LampState::On => "on",
            LampState::Low => "low",
            LampState::Off | LampState::Defective => "off",
        };
        let status = if self.state == LampState::Defective { "defectiveLamp" } else { "ok" };
        Entity::new(origin.id(kind, &self.name), kind, Geometry::Point(self.position), self.at, origin)
            .with("status", status)
            .with("powerState", power)
            .with_some("illuminanceLevel", self.brightness.map(|share| rounded(share.clamp(0.0, 1.0), 3)))
            .with_some("powerConsumption", self.power_w.map(|w| Attribute::measured(rounded(w, 1), "WTT")))
            .with("observationDateTime", Attribute::DateTime(self.at))
    }
}
