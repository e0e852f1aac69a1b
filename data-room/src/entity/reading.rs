//! Air, noise and weather, from the readings of sensors.
//!
//! A sensor sends one quantity at a time; its entities hold the newest of each that belongs together in time.

use super::flow::period;
use super::{Attribute, Entity, EntityKind, Geometry, Origin, Position, rfc3339, rounded};
pub use masa_links::{Quantity, Reading};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Readings further apart than this do not describe the same moment, milliseconds.
const TOGETHER_MS: i64 = 900_000;

/// The quantities of one kind of entity: name there, unit code, factor to the model's unit.
type Table = &'static [(Quantity, &'static str, &'static str, f64)];

const AIR: Table =
    &[(Quantity::No2, "no2", "GQ", 1.0), (Quantity::Pm10, "pm10", "GQ", 1.0), (Quantity::Pm25, "pm25", "GQ", 1.0)];
const NOISE: Table = &[(Quantity::Noise, "LAeq", "2N", 1.0)];
const WEATHER: Table = &[
    (Quantity::AirTemperature, "temperature", "CEL", 1.0),
    (Quantity::RelativeHumidity, "relativeHumidity", "C62", 0.01),
    (Quantity::RoadSurfaceTemperature, "roadSurfaceTemperature", "CEL", 1.0),
    (Quantity::RainIntensity, "precipitationIntensity", "H67", 1.0),
];

/// The newest readings of one sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    name: String,
    position: Position,
    readings: BTreeMap<Quantity, (f64, Timestamp)>,
    /// When the sound level before the newest one was measured: the begin of its period.
    noise_before: Option<Timestamp>,
}

impl Sensor {
    /// A sensor at a place that has measured nothing yet.
    pub fn new(name: &str, position: Position) -> Self {
        Self { name: name.to_owned(), position, readings: BTreeMap::new(), noise_before: None }
    }

    /// Takes a reading; an older one than is known changes nothing. Gives the entity it belongs to.
    pub fn take(&mut self, reading: &Reading, at: Timestamp, origin: &Origin) -> Option<Entity> {
        let known = self.readings.get(&reading.quantity);
        if !reading.value.is_finite() || known.is_some_and(|(_, known_at)| *known_at > at) {
            return None;
        }
        if reading.quantity == Quantity::Noise {
            self.noise_before =
                known.map(|(_, at)| *at).filter(|before| at.unix_ms() - before.unix_ms() <= TOGETHER_MS);
        }
        self.readings.insert(reading.quantity, (reading.value, at));
        let kinds = [
            (EntityKind::AirQualityObserved, AIR),
            (EntityKind::NoiseLevelObserved, NOISE),
            (EntityKind::WeatherObserved, WEATHER),
        ];
        let (kind, table) = kinds.into_iter().find(|(_, table)| table.iter().any(|row| row.0 == reading.quantity))?;
        Some(self.entity(kind, table, at, origin))
    }

    fn entity(&self, kind: EntityKind, table: Table, at: Timestamp, origin: &Origin) -> Entity {
        let device = format!("urn:ngsi-ld:Device:{}:{}:{}", origin.site, origin.station, self.name);
        let entity = Entity::new(origin.id(kind, &self.name), kind, Geometry::Point(self.position), at, origin)
            .with("refDevice", Attribute::Relationship(device.replace(' ', "-")));
        let entity = match kind {
            EntityKind::NoiseLevelObserved => period(entity, self.noise_before.unwrap_or(at), at),
            _ => entity.with("dateObserved", rfc3339(at)),
        };
        table.iter().fold(entity, |entity, &(quantity, name, unit, factor)| {
            let known = self.readings.get(&quantity);
            let fresh = known.filter(|(_, measured_at)| at.unix_ms() - measured_at.unix_ms() <= TOGETHER_MS);
            entity.with_some(name, fresh.map(|(value, _)| Attribute::measured(rounded(value * factor, 3), unit)))
        })
    }
}
