//! What a kind of entity said over a time, in even steps: the curves of the panels, and of two periods side by side.
//!
//! In: records of a range. Out: for every entity its numbers, each the mean, least and greatest of a step, with gaps where
//! nothing was said. Bounded: [`MAX_POINTS`] steps, [`MAX_ENTITIES`] entities.

use super::past;
use crate::entity::{Attribute, Entity, EntityKind, Projection, rfc3339};
use crate::record::{Kind, Tenant};
use crate::store::query::MAX_PAGE;
use crate::store::{Filter, Query, Store, StoreError};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Most steps of a curve.
pub(super) const MAX_POINTS: u32 = 2_000;
/// Most entities of an answer.
const MAX_ENTITIES: usize = 500;

/// The numbers of one step.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    sum: f64,
    least: f64,
    greatest: f64,
    count: u32,
}

impl Bucket {
    const EMPTY: Self = Self { sum: 0.0, least: f64::INFINITY, greatest: f64::NEG_INFINITY, count: 0 };

    fn add(&mut self, value: f64) {
        self.sum += value;
        (self.least, self.greatest) = (self.least.min(value), self.greatest.max(value));
        self.count += 1;
    }

    /// `[mean, least, greatest, count]`; `null` for a gap.
    fn to_json(self) -> Value {
        if self.count == 0 {
            return Value::Null;
        }
        let round = |value: f64| (value * 1e3).round() / 1e3;
        json!([round(self.sum / f64::from(self.count)), round(self.least), round(self.greatest), self.count])
    }
}

/// The curves of one entity.
struct Curves {
    newest: Entity,
    attributes: BTreeMap<String, (Option<&'static str>, Vec<Bucket>)>,
}

/// The kinds of records that tell of a kind of entity.
fn kinds(kind: EntityKind) -> Vec<Kind> {
    let source = match kind {
        EntityKind::AirQualityObserved | EntityKind::NoiseLevelObserved | EntityKind::WeatherObserved => {
            Kind::Observation
        }
        EntityKind::ParkingSpot
        | EntityKind::ParkingGroup
        | EntityKind::OnStreetParking
        | EntityKind::OffStreetParking => Kind::V2x(MessageKind::Poim),
        _ => return vec![Kind::Service],
    };
    vec![source, Kind::Service]
}

/// The curves of every entity of a kind from `from` until `until` (excluded) in `points` steps.
pub(super) async fn series(
    store: &dyn Store,
    tenant: &Tenant,
    kind: EntityKind,
    [from, until]: [Timestamp; 2],
    points: u32,
) -> Result<Value, StoreError> {
    let step_ms = ((until.unix_ms() - from.unix_ms()) / i64::from(points.max(1))).max(1);
    let filter = Filter { kinds: kinds(kind), ..Filter::of(tenant.clone()) };
    let query = Query { from, until, ..Query::new(filter, MAX_PAGE) };
    let (mut projection, mut curves) = (Projection::default(), BTreeMap::new());
    past::each(store, query, |record| {
        for entity in projection.take(record).into_iter().filter(|entity| entity.kind == kind) {
            let step = (entity.observed_at.unix_ms() - from.unix_ms()).div_euclid(step_ms);
            if let Some(step) = usize::try_from(step).ok().filter(|step| *step < points as usize) {
                add(&mut curves, entity, step, points as usize);
            }
        }
    })
    .await?;
    let entities: Vec<_> = curves.into_values().map(to_json).collect();
    Ok(json!({ "from": from.unix_ms(), "step_ms": step_ms, "points": points, "entities": entities }))
}

fn add(curves: &mut BTreeMap<String, Curves>, entity: Entity, step: usize, points: usize) {
    if curves.len() >= MAX_ENTITIES && !curves.contains_key(&entity.id) {
        return;
    }
    let known = curves
        .entry(entity.id.clone())
        .or_insert_with(|| Curves { newest: entity.clone(), attributes: BTreeMap::new() });
    for (name, attribute) in &entity.attributes {
        let Attribute::Property { value, unit } = attribute else { continue };
        if let Some(value) = value.as_f64() {
            let buckets = known.attributes.entry(name.clone()).or_insert_with(|| (*unit, vec![Bucket::EMPTY; points]));
            buckets.1[step].add(value);
        }
    }
    if entity.observed_at >= known.newest.observed_at {
        known.newest = entity;
    }
}

fn to_json(curves: Curves) -> Value {
    let attributes: Map<_, _> = curves
        .attributes
        .into_iter()
        .map(|(name, (unit, buckets))| {
            let points: Vec<_> = buckets.into_iter().map(Bucket::to_json).collect();
            (name, json!({ "unit": unit, "points": points }))
        })
        .collect();
    let newest = curves.newest;
    json!({
        "id": newest.id,
        "name": newest.value_of("name"),
        "site": newest.origin.site,
        "station": newest.origin.station,
        "geometry": newest.geometry.to_geojson(),
        "newest": rfc3339(newest.observed_at),
        "attributes": attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::{Geometry, Origin, Position};

    fn flow(minute: i64, vehicles: u32) -> Entity {
        let at = Timestamp::from_unix_ms(minute * 60_000);
        let origin = Origin { site: "modena".into(), station: 7, message: String::new(), received_at: at };
        let kind = EntityKind::TrafficFlowObserved;
        let place = Geometry::Point(Position { lon_deg: 10.93, lat_deg: 44.65 });
        Entity::new(origin.id(kind, "north"), kind, place, at, &origin)
            .with("intensity", vehicles)
            .with("name", "north")
    }

    #[test]
    fn a_step_is_the_mean_of_what_was_said_in_it_and_silence_is_a_gap() {
        let mut curves = BTreeMap::new();
        for (minute, vehicles, step) in [(0, 10, 0), (1, 20, 0), (20, 5, 2)] {
            add(&mut curves, flow(minute, vehicles), step, 3);
        }
        let json = to_json(curves.into_values().next().unwrap());
        assert_eq!(json["attributes"]["intensity"]["points"], json!([[15.0, 10.0, 20.0, 2], null, [5.0, 5.0, 5.0, 1]]));
        assert_eq!(json["attributes"].as_object().unwrap().len(), 1, "only numbers have curves");
        assert_eq!((&json["name"], &json["newest"]), (&json!("north"), &json!("1970-01-01T00:20:00Z")));
    }
}
