//! Whether the node's own senses can be believed: cameras, sensors, clock, links, and who speaks to it.
//!
//! In: the events of the node, as facts. Out: [`Problem`]s, each with its subject, since when, and words for an operator.
//!
//! Invariants: pure, so a replay finds the same problems at the same events; every table is bounded; a problem that is over
//! is gone. What needs pixels is measured outside the core ([`FrameObserver`]) and enters as
//! [`crate::event::FrameStatistics`]. Deliberately absent: any consequence; what to do about it is an operator's decision.

mod background;
mod camera;
mod clock;
mod observer;
mod sensor;

pub use camera::CameraLimits;
pub use observer::FrameObserver;

use crate::event::{EventBody, FrameStatistics, ReceivedMessage, SourceId, SourceState, StatusChange};
use crate::facilities::SensorKind;
use crate::perception::georeference::online::PoseDrift;
use crate::world::ldm::Heard;
use camera::CameraHealth;
use clock::ClockHealth;
use masa_v2x_proto::security::{Refusal, Verdict};
use masa_v2x_proto::time::Timestamp;
use sensor::SensorHealth;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// Refused messages within [`REFUSED_WINDOW_S`] that are a problem.
const REFUSED_LIMIT: usize = 3;
/// See [`REFUSED_LIMIT`], seconds.
const REFUSED_WINDOW_S: f64 = 10.0;
/// Refused messages kept.
const MAX_REFUSED: usize = 256;

/// What can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A camera delivers the same picture over and over.
    CameraFrozen,
    /// A camera delivers pictures without light.
    CameraDark,
    /// A camera does not look where it was surveyed to look.
    CameraMoved,
    /// A camera delivers nothing.
    CameraSilent,
    /// A radar delivers nothing.
    RadarSilent,
    /// A lidar delivers nothing.
    LidarSilent,
    /// A sensor repeats one value to the last digit.
    SensorStuck,
    /// The own clock and those of the others differ.
    ClockOffset,
    /// A source or link is down.
    LinkDown,
    /// Somebody sends messages that cannot be trusted.
    UntrustedMessages,
    /// A roadside unit that was heard speaks no more.
    RoadsideSilent,
}

impl ProblemKind {
    /// Name as shown, recorded and used in metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CameraFrozen => "camera-frozen",
            Self::CameraDark => "camera-dark",
            Self::CameraMoved => "camera-moved",
            Self::CameraSilent => "camera-silent",
            Self::RadarSilent => "radar-silent",
            Self::LidarSilent => "lidar-silent",
            Self::SensorStuck => "sensor-stuck",
            Self::ClockOffset => "clock-offset",
            Self::LinkDown => "link-down",
            Self::UntrustedMessages => "untrusted-messages",
            Self::RoadsideSilent => "roadside-silent",
        }
    }
}

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// Of which camera, sensor, link or station.
    pub subject: String,
    /// Since when.
    pub since: Timestamp,
    /// What an operator needs to know.
    pub detail: String,
}

/// A sensor whose silence is a problem.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) source: SourceId,
    pub(crate) name: String,
    pub(crate) kind: SensorKind,
}

/// The health of a node.
#[derive(Clone, Debug)]
pub struct Health {
    cameras: BTreeMap<SourceId, (Watched, CameraHealth)>,
    sensors: SensorHealth,
    clock: ClockHealth,
    refused: VecDeque<(Timestamp, Refusal)>,
    problems: BTreeMap<(ProblemKind, String), Problem>,
}

impl Health {
    /// Health of a node with these sensors, of which nothing is known yet.
    pub(crate) fn new(sensors: impl IntoIterator<Item = Watched>) -> Self {
        let cameras = sensors.into_iter().map(|watched| (watched.source, (watched, CameraHealth::default())));
        Self {
            cameras: cameras.collect(),
            sensors: SensorHealth::default(),
            clock: ClockHealth::default(),
            refused: VecDeque::new(),
            problems: BTreeMap::new(),
        }
    }

    /// What is wrong now, by kind and subject.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.problems.values()
    }

    /// Takes note of an event; `heard` is what a received message said of its sender's clock.
    pub(crate) fn observe(&mut self, source: SourceId, body: &EventBody, heard: Option<Heard>, now: Timestamp) {
        match body {
            EventBody::FrameStatistics(statistics) => self.see(source, statistics, now),
            EventBody::Detections(_) | EventBody::RadarScan(_) | EventBody::ObjectList(_) => {
                if let Some((_, sensor)) = self.cameras.get_mut(&source) {
                    sensor.delivers(now);
                }
            }
            EventBody::Observation(observation) => {
                let stuck = self.sensors.read(observation, now);
                let detail = stuck.map(|count| format!("the last {count} readings are all {}", observation.value));
                self.set(ProblemKind::SensorStuck, &observation.sensor, now, detail);
            }
            EventBody::Received(message) => self.hear(message, heard, now),
            EventBody::Status(change) => self.link(change, now),
            _ => {}
        }
        self.age(now);
    }

    fn see(&mut self, source: SourceId, statistics: &FrameStatistics, now: Timestamp) {
        let Some((watched, camera)) = self.cameras.get_mut(&source) else { return };
        let name = watched.name.clone();
        let found = camera.see(statistics);
        let moved = camera.moved();
        self.set(ProblemKind::CameraFrozen, &name, now, found.frozen);
        self.set(ProblemKind::CameraDark, &name, now, found.dark);
        self.set(ProblemKind::CameraMoved, &name, now, moved);
    }

    /// Since when, and how far right and below (pixels), the pictures of a camera lie off.
    pub(crate) fn picture_moved(&self, source: SourceId) -> Option<(Timestamp, [f32; 2])> {
        self.cameras.get(&source).and_then(|(_, camera)| camera.picture_moved())
    }

    /// Takes note of what the traffic says of a camera's pose: the alarm, or that there is none.
    pub(crate) fn turned(&mut self, source: SourceId, drift: Option<&PoseDrift>, now: Timestamp) {
        let Some((watched, camera)) = self.cameras.get_mut(&source) else { return };
        camera.turned(drift.map(PoseDrift::words));
        let (name, moved) = (watched.name.clone(), camera.moved());
        self.set(ProblemKind::CameraMoved, &name, now, moved);
    }

    fn hear(&mut self, message: &ReceivedMessage, heard: Option<Heard>, now: Timestamp) {
        if let Verdict::Refused(refusal) = message.verdict {
            if self.refused.len() == MAX_REFUSED {
                self.refused.pop_front();
            }
            self.refused.push_back((now, refusal));
        }
        if let Some(heard) = heard {
            self.clock.hear(&heard, now);
            let detail = self.clock.offset().map(|(offset_s, stations)| {
                format!("the clocks of {stations} stations are {offset_s:+.2} s off the own one")
            });
            self.set(ProblemKind::ClockOffset, "own", now, detail);
        }
    }

    fn link(&mut self, change: &StatusChange, now: Timestamp) {
        let is_down = change.state == SourceState::Failed;
        self.set(ProblemKind::LinkDown, &change.name, now, is_down.then(|| change.detail.clone()));
    }

    /// What time alone brings.
    fn age(&mut self, now: Timestamp) {
        let silent: Vec<_> =
            self.cameras.values().map(|(watched, sensor)| (watched.clone(), sensor.silent_for_s(now))).collect();
        for (watched, silent_s) in silent {
            let (kind, what) = match watched.kind {
                SensorKind::Camera => (ProblemKind::CameraSilent, "picture"),
                SensorKind::Radar => (ProblemKind::RadarSilent, "scan"),
                SensorKind::Lidar => (ProblemKind::LidarSilent, "scan"),
            };
            let detail = silent_s.map(|s| format!("no {what} for {s:.1} s"));
            self.set(kind, &watched.name, now, detail);
        }
        while self.refused.front().is_some_and(|(at, _)| now.seconds_since(*at) > REFUSED_WINDOW_S) {
            self.refused.pop_front();
        }
        let is_many = self.refused.len() >= REFUSED_LIMIT;
        self.set(ProblemKind::UntrustedMessages, "received", now, is_many.then(|| self.refusals()));
        for (station, silent_s) in self.clock.roadside(now) {
            let detail = silent_s.map(|s| format!("heard before, but not for {s:.1} s"));
            self.set(ProblemKind::RoadsideSilent, &station.to_string(), now, detail);
        }
    }

    /// Refused messages by reason, in words.
    fn refusals(&self) -> String {
        let mut counts: BTreeMap<Refusal, u32> = BTreeMap::new();
        for (_, refusal) in &self.refused {
            *counts.entry(*refusal).or_default() += 1;
        }
        let words: Vec<_> = counts.iter().map(|(refusal, count)| format!("{count} {refusal:?}")).collect();
        format!("refused within {REFUSED_WINDOW_S} s: {}", words.join(", "))
    }

    /// Begins, goes on with or ends a problem.
    fn set(&mut self, kind: ProblemKind, subject: &str, now: Timestamp, detail: Option<String>) {
        let key = (kind, subject.to_owned());
        match detail {
            Some(detail) => {
                let since = self.problems.get(&key).map_or(now, |known| known.since);
                self.problems.insert(key, Problem { kind, subject: subject.to_owned(), since, detail });
            }
            None => {
                self.problems.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests;
