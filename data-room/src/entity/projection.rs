//! From records to entities.
//!
//! In: records, in the order of their arrival or of time. Out: the entities each of them changes. What one message alone
//! does not say is kept here: where signals stand, and the quantities of a sensor that came one by one.
//!
//! Invariants: pure; the same records give the same entities; both memories are bounded, and a thing beyond them is still
//! shown, only without what another message would add.

use super::{Entity, Origin, Position, Reading, Sensor, alert, parking, road, road_user, signal};
use crate::record::{Kind, Record};
use masa_v2x_proto::Message;
use masa_v2x_proto::dsrc::IntersectionReferenceId;
use masa_v2x_proto::poim::PoiBlock;
use std::collections::BTreeMap;

/// Most intersections and sensors that are remembered, each.
const MAX_REMEMBERED: usize = 4_096;
/// Most entities that one document of a city service may hold.
const MAX_BATCH: usize = 1_000;

/// Where the signals of an intersection stand.
#[derive(Clone, Debug)]
struct Junction {
    reference: Option<Position>,
    groups: BTreeMap<u8, Position>,
}

/// The memory of the way from records to entities.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    junctions: BTreeMap<(String, IntersectionReferenceId), Junction>,
    sensors: BTreeMap<(String, u32, String), Sensor>,
}

impl Projection {
    /// The entities that a record changes; none for one that says nothing of the city, or that does not decode.
    pub fn take(&mut self, record: &Record) -> Vec<Entity> {
        let origin = Origin::of(record);
        match record.kind {
            Kind::V2x(_) => record.message().map_or_else(Vec::new, |message| self.message(&message, record, &origin)),
            Kind::Observation => self.reading(record, &origin).into_iter().collect(),
            Kind::Service => service(record, &origin),
            Kind::Health => Vec::new(),
        }
    }

    fn message(&mut self, message: &Message, record: &Record, origin: &Origin) -> Vec<Entity> {
        let at = record.measured_at;
        match message {
            Message::Cam(cam) => road_user::from_cam(cam, at, origin).into_iter().collect(),
            Message::Vam(vam) => road_user::from_vam(vam, at, origin).into_iter().collect(),
            Message::Cpm(cpm) => road_user::from_cpm(cpm, origin),
            Message::Denm(denm) => alert::from_denm(denm, at, origin),
            Message::Mapem(mapem) => {
                let intersections: Vec<_> = mapem.map.intersections.iter().flat_map(|list| list.iter()).collect();
                for geometry in &intersections {
                    let junction =
                        Junction { reference: road::reference(geometry), groups: road::signal_places(geometry) };
                    let key = (record.source.site.clone(), geometry.id);
                    if self.junctions.len() < MAX_REMEMBERED || self.junctions.contains_key(&key) {
                        self.junctions.insert(key, junction);
                    }
                }
                intersections.into_iter().flat_map(|geometry| road::lanes(geometry, at, origin)).collect()
            }
            Message::Spatem(spatem) => {
                let signals = |state: &masa_v2x_proto::spatem::IntersectionState| {
                    let junction = self.junctions.get(&(record.source.site.clone(), state.id));
                    let fallback = junction.and_then(|j| j.reference).or(record.position.map(Position::from));
                    let place = |group: u8| junction.and_then(|j| j.groups.get(&group).copied()).or(fallback);
                    signal::signals(state, place, at, origin)
                };
                spatem.spat.intersections.iter().flat_map(signals).collect()
            }
            Message::Poim(poim) => {
                let blocks = poim.payload.0.iter();
                let parking = blocks.filter_map(|block| match block {
                    PoiBlock::ParkingAvailability(block) => Some(parking::from_block(block, at, origin)),
                    PoiBlock::Other { .. } => None,
                });
                parking.flatten().collect()
            }
            Message::Ivim(_) | Message::Mcm(_) | Message::Srem(_) | Message::Ssem(_) | Message::Rtcmem(_) => Vec::new(),
        }
    }

    fn reading(&mut self, record: &Record, origin: &Origin) -> Option<Entity> {
        let reading: Reading = serde_json::from_slice(&record.payload).ok()?;
        let position = record.position.map(Position::from);
        let key = (record.source.site.clone(), record.source.station, reading.sensor.clone());
        if !self.sensors.contains_key(&key) {
            let sensor = Sensor::new(&reading.sensor, position?);
            if self.sensors.len() >= MAX_REMEMBERED {
                return sensor.clone().take(&reading, record.measured_at, origin);
            }
            self.sensors.insert(key.clone(), sensor);
        }
        self.sensors.get_mut(&key)?.take(&reading, record.measured_at, origin)
    }
}

/// The entities of a city service: its document is one NGSI-LD entity or a list of them, in either form.
fn service(record: &Record, origin: &Origin) -> Vec<Entity> {
    let Ok(document) = serde_json::from_slice::<serde_json::Value>(&record.payload) else { return Vec::new() };
    let documents = match document {
        serde_json::Value::Array(list) => list,
        one => vec![one],
    };
    let read = |document| Entity::from_json(document, origin, record.measured_at).ok();
    documents.iter().take(MAX_BATCH).filter_map(read).collect()
}
