//! What a node tells the city besides V2X messages: the readings of its sensors, and what is wrong with it.
//!
//! In: observations and problems, as the core has them. Out: messages for the links, numbered by kind. Absent: judgement of
//! readings, which needs the neighbours of other nodes and is the data room's.

use crate::event::Observation;
use crate::health::Problem;
use bytes::Bytes;
use masa_links::{Kind, NodeProblem, Outgoing, Policy, Problems, Reading};
use masa_v2x_proto::geo::{Wgs84, quadkey};
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::tiles::MESSAGE_ZOOM;
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;

/// Makes the messages of one station.
#[derive(Debug)]
pub(crate) struct CityMessages {
    station_id: u32,
    /// Of the node: where its sensors are is not known better.
    position: Wgs84,
    on_board: bool,
    readings: u64,
    healths: u64,
}

impl CityMessages {
    /// `on_board` of a vehicle: its place is the vehicle's.
    pub(crate) const fn new(station_id: u32, position: Wgs84, on_board: bool) -> Self {
        Self { station_id, position, on_board, readings: 0, healths: 0 }
    }

    /// A node on board is elsewhere now.
    pub(crate) const fn moved(&mut self, position: Wgs84) {
        self.position = position;
    }

    /// A reading, dated when it was measured.
    pub(crate) fn reading(&mut self, observation: &Observation, now: Timestamp) -> Outgoing {
        self.readings += 1;
        let Observation { sensor, quantity, value, captured_at } = observation.clone();
        let reading = Reading { sensor, quantity, value, on_board: self.on_board };
        self.message(Kind::Observation, self.readings, (captured_at, now), &reading)
    }

    /// Everything that is wrong now.
    pub(crate) fn health<'a>(&mut self, problems: impl Iterator<Item = &'a Problem>, now: Timestamp) -> Outgoing {
        self.healths += 1;
        let problems = problems.map(|Problem { kind, subject, detail, .. }| NodeProblem {
            problem: kind.name().to_owned(),
            subject: subject.clone(),
            detail: detail.clone(),
        });
        self.message(Kind::Health, self.healths, (now, now), &Problems { problems: problems.collect() })
    }

    fn message(
        &self,
        kind: Kind,
        seq: u64,
        (generated_at, now): (Timestamp, Timestamp),
        document: &impl Serialize,
    ) -> Outgoing {
        Outgoing {
            id: format!("{}-{kind}-{seq}", self.station_id),
            kind,
            seq,
            generated_at,
            quadkey: quadkey(self.position, MESSAGE_ZOOM),
            // By our clock: a sensor's may be wrong by more than the lifetime.
            deadline: Some(now.plus_ms(Policy::of(kind).lifetime_ms)),
            current: None,
            dissemination: Dissemination::default(),
            uper: Bytes::from(serde_json::to_vec(document).expect("these documents hold texts and numbers only")),
            json: Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::ProblemKind;
    use masa_links::Quantity;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + ms)
    }

    #[test]
    fn a_reading_keeps_its_time_and_waits_an_hour_by_our_clock() {
        let mut city = CityMessages::new(7, Wgs84 { lat_deg: 44.6, lon_deg: 10.9, alt_m: 0.0 }, false);
        let yesterday = at(-86_400_000);
        let observation =
            Observation { sensor: "mast".into(), quantity: Quantity::No2, value: 41.5, captured_at: yesterday };
        let (first, second) = (city.reading(&observation, at(0)), city.reading(&observation, at(1)));
        assert_eq!((first.id.as_str(), second.id.as_str()), ("7-observation-1", "7-observation-2"));
        assert_eq!((first.generated_at, first.expires_at()), (yesterday, at(3_600_000)));
        assert_eq!(&first.uper[..], br#"{"sensor":"mast","quantity":"no2","value":41.5}"#);
    }

    #[test]
    fn health_says_everything_that_is_wrong_and_that_nothing_is() {
        let mut city = CityMessages::new(7, Wgs84::default(), true);
        let problem = Problem {
            kind: ProblemKind::CameraDark,
            subject: "north".into(),
            since: at(0),
            detail: "no light for 5 s".into(),
        };
        let said = |message: &Outgoing| serde_json::from_slice::<Problems>(&message.uper).unwrap().problems;
        let bad = said(&city.health([&problem].into_iter(), at(5)));
        assert_eq!((bad[0].problem.as_str(), bad[0].subject.as_str()), ("camera-dark", "north"));
        assert_eq!(said(&city.health(std::iter::empty(), at(6))), []);
    }
}
