//! What a message that arrived becomes: a record with its time, place, entity and sensitivity.
//!
//! In: a message of the links. Out: a record, or why there is none. A message whose payload does not decode is stored all
//! the same, under its station: it was said, and what is stored can be looked at.

use super::settings::IngestSettings;
use crate::record::{MAX_ENTITY_BYTES, Record, Sensitivity, Source, Tenant};
use masa_links::{self as links, Problems, Reading, Received};
use masa_v2x_proto::cdd::StationType;
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind, tiles};
use std::collections::BTreeMap;

/// Streams of messages without numbers that are numbered here at most; more are refused.
const MAX_UNNUMBERED: usize = 200_000;

/// Why a message is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Refusal {
    /// Its site belongs to no tenant.
    UnknownSite,
    /// Its numbers are none that a node gives.
    BadNumber,
    /// More stations without numbers than can be kept apart.
    TooManyStations,
}

impl Refusal {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::UnknownSite => "unknown-site",
            Self::BadNumber => "bad-number",
            Self::TooManyStations => "too-many-stations",
        }
    }
}

/// A record with what is to be counted of it.
#[derive(Debug)]
pub(super) struct Taken {
    pub record: Record,
    pub is_ahead: bool,
    /// By the clocks of its source and ours, milliseconds; before `is_ahead` is put right.
    pub age_ms: i64,
    pub decodes: bool,
}

/// Makes records; keeps the numbers of messages that come without.
#[derive(Debug)]
pub(super) struct Reception {
    tenants: BTreeMap<String, Tenant>,
    ahead_ms: i64,
    /// The numbering of this run. Nanoseconds: no epoch of a node, which are milliseconds, is equal.
    epoch: u64,
    numbers: BTreeMap<(Source, links::Kind), u64>,
}

impl Reception {
    /// `now` becomes the epoch of what comes without numbers.
    pub(super) fn new(settings: &IngestSettings, now: Timestamp) -> Self {
        let of_tenant = |(tenant, sites): (&Tenant, &Vec<String>)| {
            sites.iter().map(|site| (site.clone(), tenant.clone())).collect::<Vec<_>>()
        };
        Self {
            tenants: settings.tenants.iter().flat_map(of_tenant).collect(),
            ahead_ms: i64::from(settings.ahead_ms),
            epoch: now.unix_ns().unsigned_abs(),
            numbers: BTreeMap::new(),
        }
    }

    fn tenant(&self, site: &str) -> Result<Tenant, Refusal> {
        if self.tenants.is_empty() {
            return Ok(Tenant::default());
        }
        self.tenants.get(site).cloned().ok_or(Refusal::UnknownSite)
    }

    /// Epoch and sequence: the source's if it gives them.
    fn number(&mut self, received: &Received, source: &Source) -> Result<(u64, u64), Refusal> {
        if let Some(header) = &received.header {
            let fits = |n: u64| (1..=i64::MAX.unsigned_abs()).contains(&n);
            return match (fits(header.stream), fits(header.number)) {
                (true, true) => Ok((header.stream, header.number)),
                _ => Err(Refusal::BadNumber),
            };
        }
        let key = (source.clone(), received.kind);
        if self.numbers.len() >= MAX_UNNUMBERED && !self.numbers.contains_key(&key) {
            return Err(Refusal::TooManyStations);
        }
        let number = self.numbers.entry(key).or_default();
        *number += 1;
        Ok((self.epoch, *number))
    }

    pub(super) fn take(&mut self, received: Received) -> Result<Taken, Refusal> {
        let tenant = self.tenant(&received.site)?;
        let source = Source { site: received.site.clone(), station: received.station };
        let (epoch, sequence) = self.number(&received, &source)?;
        let content = Content::of(&received);
        let message = content.message();
        // Microseconds are what stores keep.
        let micros = |at: Timestamp| Timestamp::from_unix_ns(at.unix_ns().div_euclid(1_000) * 1_000);
        let received_at = micros(received.received_at);
        let said_at = match &received.header {
            Some(header) => Some(Timestamp::from_unix_ns(header.generated_at_ns)),
            None => message.and_then(|message| message.generated_at(received_at)),
        };
        let measured_at = micros(said_at.unwrap_or(received_at));
        let age_ms = received_at.unix_ms().saturating_sub(measured_at.unix_ms());
        let is_ahead = age_ms < -self.ahead_ms;
        let (site, station, quadkey) = (&received.site, received.station, &received.quadkey);
        let record = Record {
            arrival: 0,
            tenant,
            kind: received.kind.into(),
            epoch,
            sequence,
            entity: content.entity(station),
            measured_at: measured_at.min(received_at),
            received_at,
            position: message.and_then(Message::position).or_else(|| tiles::centre(quadkey)),
            sensitivity: content.sensitivity(received.kind),
            topic: links::keys::key(site, station, received.kind, quadkey),
            source,
            message_id: received.header.map_or_else(String::new, |header| header.id),
            payload: received.uper,
        };
        Ok(Taken { record, is_ahead, age_ms, decodes: !matches!(content, Content::Unreadable) })
    }
}

/// What a payload says.
#[derive(Debug)]
enum Content {
    Message(Box<Message>),
    Reading(Reading),
    Health,
    Unreadable,
}

impl Content {
    fn of(received: &Received) -> Self {
        let payload = &received.uper;
        let read = match received.kind {
            links::Kind::V2x(_) => Message::decode(payload).ok().map(|message| Self::Message(Box::new(message))),
            links::Kind::Observation => serde_json::from_slice(payload).ok().map(Self::Reading),
            links::Kind::Health => serde_json::from_slice::<Problems>(payload).ok().map(|_| Self::Health),
        };
        read.unwrap_or(Self::Unreadable)
    }

    fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            _ => None,
        }
    }

    /// What it is about.
    fn entity(&self, station: u32) -> String {
        let name = match self {
            Self::Message(message) => match &**message {
                Message::Spatem(spatem) => spatem.spat.intersections.first().map(|intersection| {
                    let id = intersection.id;
                    format!("{}-{}", id.region.unwrap_or(0), id.id)
                }),
                message => message.state().map(|(name, _)| name).or_else(|| Some(message.station_id().0.to_string())),
            },
            Self::Reading(reading) => Some(format!("{}-{}", reading.sensor, reading.quantity.name())),
            Self::Health | Self::Unreadable => None,
        };
        let mut name = name.unwrap_or_else(|| station.to_string());
        name.truncate(name.floor_char_boundary(MAX_ENTITY_BYTES));
        name
    }

    /// Who speaks of where it is itself is personal, unless it is a roadside unit; what says of roads, signals, hazards and
    /// the air is not. What does not decode could be anything.
    fn sensitivity(&self, kind: links::Kind) -> Sensitivity {
        let of_infrastructure = match self {
            Self::Message(message) => match (kind, &**message) {
                (links::Kind::V2x(MessageKind::Cam), Message::Cam(cam)) => {
                    cam.cam.cam_parameters.basic_container.station_type == StationType::RoadSideUnit
                }
                (links::Kind::V2x(MessageKind::Cpm), Message::Cpm(cpm)) => {
                    cpm.payload.cpm_containers.originating_vehicle.is_none()
                }
                (links::Kind::V2x(kind), _) => {
                    use MessageKind::{Denm, Ivim, Mapem, Poim, Rtcmem, Spatem};
                    matches!(kind, Denm | Spatem | Mapem | Ivim | Rtcmem | Poim)
                }
                (links::Kind::Observation | links::Kind::Health, _) => false,
            },
            Self::Reading(reading) => !reading.on_board,
            Self::Health => true,
            Self::Unreadable => false,
        };
        if of_infrastructure { Sensitivity::Open } else { Sensitivity::Personal }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Kind;
    use bytes::Bytes;
    use masa_links::LinkName;
    use masa_links::protocol::Header;

    fn received(kind: MessageKind, number: Option<u64>, uper: &[u8]) -> Received {
        let header = number.map(|number| Header {
            id: format!("7-{}-{number}", kind.name()),
            seq: number,
            generated_at_ns: 1_000_000_000_000_000_000,
            stream: 1_700_000_000_000,
            number,
        });
        Received {
            link: LinkName::Mqtt,
            site: "modena".into(),
            station: 7,
            kind: kind.into(),
            quadkey: "120222110230".into(),
            header,
            uper: Bytes::copy_from_slice(uper),
            received_at: Timestamp::from_unix_ns(1_000_000_001_000_000_999),
        }
    }

    fn reception(settings: &IngestSettings) -> Reception {
        Reception::new(settings, Timestamp::from_unix_ms(5))
    }

    fn sample(hex: &str) -> Vec<u8> {
        let nibble = |c: char| c.to_digit(16).map(|d| d as u8).unwrap();
        let digits: Vec<u8> = hex.trim().chars().map(nibble).collect();
        digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn what_does_not_decode_is_stored_where_it_was_said() {
        let taken = reception(&IngestSettings::default()).take(received(MessageKind::Denm, Some(3), b"x")).unwrap();
        assert!(!taken.decodes && !taken.is_ahead);
        let record = taken.record;
        assert_eq!((record.epoch, record.sequence, record.message_id.as_str()), (1_700_000_000_000, 3, "7-denm-3"));
        assert_eq!((record.entity.as_str(), record.sensitivity), ("7", Sensitivity::Personal));
        assert!(record.position.is_some_and(|at| (40.0..60.0).contains(&at.lat_deg)), "the tile's centre");
        assert_eq!(record.measured_at.unix_ns(), 1_000_000_000_000_000_000);
        assert_eq!(record.received_at.unix_ns() % 1_000, 0);
    }

    #[test]
    fn readings_are_open_unless_their_place_is_a_vehicles() {
        let mut reception = reception(&IngestSettings::default());
        let mut take = |json: &str| {
            let message =
                Received { kind: links::Kind::Observation, ..received(MessageKind::Cam, Some(1), json.as_bytes()) };
            reception.take(message).unwrap()
        };
        let mast = take(r#"{"sensor":"mast-1","quantity":"pm10","value":21.5}"#);
        assert_eq!((mast.record.kind, mast.record.entity.as_str()), (Kind::Observation, "mast-1-pm10"));
        assert_eq!((mast.record.sensitivity, mast.decodes), (Sensitivity::Open, true));
        assert_eq!(mast.record.topic, "masa/modena/7/observation/120222110230");
        let bus = take(r#"{"sensor":"roof","quantity":"pm10","value":21.5,"on_board":true}"#);
        assert_eq!(bus.record.sensitivity, Sensitivity::Personal);
        let noise = take("21.5");
        assert!(!noise.decodes && noise.record.sensitivity == Sensitivity::Personal);
    }

    #[test]
    fn what_a_node_says_of_itself_is_about_its_station() {
        let said = r#"{"problems":[{"problem":"camera-dark","subject":"north","detail":"no light"}]}"#;
        let message = Received { kind: links::Kind::Health, ..received(MessageKind::Cam, Some(1), said.as_bytes()) };
        let taken = reception(&IngestSettings::default()).take(message).unwrap();
        assert_eq!((taken.record.kind, taken.record.entity.as_str()), (Kind::Health, "7"));
        assert!(taken.decodes && taken.record.sensitivity == Sensitivity::Open);
    }

    #[test]
    fn messages_without_numbers_are_numbered_per_source_and_kind() {
        let mut reception = reception(&IngestSettings::default());
        let mut sequence = |kind| reception.take(received(kind, None, b"x")).unwrap().record.sequence;
        assert_eq!([MessageKind::Cam, MessageKind::Cam, MessageKind::Cpm].map(&mut sequence), [1, 2, 1]);
    }

    #[test]
    fn a_clock_ahead_of_ours_is_put_right_and_noticed() {
        let mut late = received(MessageKind::Denm, Some(1), b"x");
        late.received_at = Timestamp::from_unix_ns(1_000_000_000_000_000_000).plus_ms(-60_000);
        let taken = reception(&IngestSettings::default()).take(late.clone()).unwrap();
        assert!(taken.is_ahead && taken.age_ms == -60_000);
        assert_eq!(taken.record.measured_at, late.received_at);
    }

    #[test]
    fn sites_belong_to_their_tenants_and_nobody_elses() {
        let modena = Tenant::new("modena").unwrap();
        let tenants = BTreeMap::from([(modena.clone(), vec!["modena".to_owned()])]);
        let mut reception = reception(&IngestSettings { tenants, ..IngestSettings::default() });
        assert_eq!(reception.take(received(MessageKind::Denm, Some(1), b"x")).unwrap().record.tenant, modena);
        let stranger = Received { site: "elsewhere".into(), ..received(MessageKind::Denm, Some(1), b"x") };
        assert_eq!(reception.take(stranger).unwrap_err(), Refusal::UnknownSite);
    }

    #[test]
    fn numbers_that_no_node_gives_are_refused() {
        let mut bad = received(MessageKind::Denm, Some(1), b"x");
        bad.header.as_mut().unwrap().number = u64::MAX;
        assert_eq!(reception(&IngestSettings::default()).take(bad).unwrap_err(), Refusal::BadNumber);
    }

    #[test]
    fn vehicles_are_personal_and_roads_are_not() {
        let mut reception = reception(&IngestSettings::default());
        for (kind, hex, expected) in [
            (MessageKind::Cam, include_str!("../../../v2x-proto/tests/samples/cam.hex"), Sensitivity::Open),
            (MessageKind::Mapem, include_str!("../../../v2x-proto/tests/samples/mapem.hex"), Sensitivity::Open),
            (MessageKind::Spatem, include_str!("../../../v2x-proto/tests/samples/spatem.hex"), Sensitivity::Open),
            (MessageKind::Ssem, include_str!("../../../v2x-proto/tests/samples/ssem.hex"), Sensitivity::Personal),
        ] {
            let record = reception.take(received(kind, None, &sample(hex))).unwrap().record;
            assert_eq!(record.sensitivity, expected, "{}", kind.name());
            assert!(record.body().is_some(), "{}", kind.name());
        }
        // The sample is a roadside unit's; the same of a car.
        let mut message = Message::decode(&sample(include_str!("../../../v2x-proto/tests/samples/cam.hex"))).unwrap();
        if let Message::Cam(cam) = &mut message {
            cam.cam.cam_parameters.basic_container.station_type = StationType::PassengerCar;
        }
        let of_a_car = received(MessageKind::Cam, None, &message.to_uper().unwrap());
        assert_eq!(reception.take(of_a_car).unwrap().record.sensitivity, Sensitivity::Personal);
    }
}
