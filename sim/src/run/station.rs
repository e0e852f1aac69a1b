//! A station of the loop: a node with its radio, its clock and, on board, its receiver and driver.

use super::gnss::Receiver;
use super::modem::Modem;
use super::reaction::{Driver, Reaction};
use super::trace::Recording;
use masa_edge_node::config::Configuration;
use masa_edge_node::effect::Effects;
use masa_edge_node::event::{Event, EventBody, EventId, SourceId};
use masa_edge_node::node::{Node, NodeError};
use masa_edge_node::recorder::Record;
use masa_edge_node::run::node_settings;
use masa_edge_node::telemetry::NoProbe;
use masa_v2x_proto::time::Timestamp;
use nalgebra::Point3;
use std::collections::BTreeMap;

/// A station's clock: true until it jumps or drifts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct StationClock {
    pub(crate) jump_ns: i64,
    /// Nanoseconds gained each second, and since when, simulated nanoseconds.
    pub(crate) drift: Option<(f64, i64)>,
}

impl StationClock {
    /// How far it is ahead at a simulated time.
    pub(crate) fn ahead_ns(&self, t_ns: i64) -> i64 {
        let drifted = self.drift.map_or(0.0, |(rate, since_ns)| rate * (t_ns - since_ns).max(0) as f64 * 1e-9);
        self.jump_ns + drifted as i64
    }

    /// The simulated time at which the clock shows `local_ns`: the inverse of adding [`Self::ahead_ns`].
    pub(crate) fn true_ns(&self, local_ns: i64) -> i64 {
        let steady = local_ns - self.jump_ns;
        match self.drift {
            Some((rate, since_ns)) if steady > since_ns => {
                since_ns + ((steady - since_ns) as f64 / (1.0 + rate * 1e-9)).ceil() as i64
            }
            _ => steady,
        }
    }
}

/// A station of the loop.
#[derive(Debug)]
pub(crate) struct Station {
    pub(crate) name: String,
    pub(crate) station_id: u32,
    pub(crate) configuration: Configuration,
    /// `None` while it is killed.
    pub(crate) node: Option<Node>,
    pub(crate) modem: Modem,
    pub(crate) link_up: bool,
    pub(crate) clock: StationClock,
    /// Where its antenna is.
    pub(crate) antenna: Point3<f64>,
    pub(crate) receiver: Option<Receiver>,
    pub(crate) driver: Driver,
    pub(crate) reaction: Reaction,
    pub(crate) effects: Effects,
    pub(crate) recordings: Vec<Recording>,
    sequences: BTreeMap<SourceId, u64>,
    wake_at: Option<Timestamp>,
    next_denm_number: Option<u16>,
}

impl Station {
    pub(crate) fn new(
        name: String,
        configuration: Configuration,
        modem: Modem,
        driver: Driver,
        antenna: Point3<f64>,
    ) -> Self {
        Self {
            name,
            station_id: configuration.node.node.station_id,
            configuration,
            node: None,
            modem,
            link_up: true,
            clock: StationClock::default(),
            antenna,
            receiver: None,
            driver,
            reaction: Reaction::default(),
            effects: Effects::default(),
            recordings: Vec::new(),
            sequences: BTreeMap::new(),
            wake_at: None,
            next_denm_number: None,
        }
    }

    /// Starts the node, for the first time or again.
    pub(crate) fn start(&mut self, now: Timestamp) -> Result<(), NodeError> {
        let mut settings = node_settings(&self.configuration);
        // What a state file keeps over a restart.
        if let Some(next) = self.next_denm_number {
            settings.facilities.den.first_sequence_number = Some(next);
            self.configuration.node.facilities.den.first_sequence_number = Some(next);
        }
        self.node = Some(Node::new(settings)?);
        self.sequences.clear();
        self.wake_at = None;
        self.recordings.push(Recording {
            configuration_json: serde_json::to_string(&self.configuration).unwrap_or_default(),
            sources: self.configuration.source_names(),
            started_at: now,
            records: Vec::new(),
        });
        Ok(())
    }

    /// Kills the node.
    pub(crate) fn kill(&mut self) {
        self.node = None;
        self.wake_at = None;
    }

    /// Hands an event to the node; what it wants done is in [`Self::effects`] afterwards. False when it is killed.
    pub(crate) fn step(&mut self, now: Timestamp, source: SourceId, body: EventBody) -> bool {
        let Some(node) = &mut self.node else { return false };
        let seq = self.sequences.entry(source).or_default();
        *seq += 1;
        let event = Event { arrived_at: now, id: EventId { source, seq: *seq }, body };
        node.step(&event, &mut self.effects, &mut NoProbe);
        self.wake_at = self.effects.wake_at;
        self.next_denm_number = self.effects.next_denm_number.or(self.next_denm_number);
        if let Some(recording) = self.recordings.last_mut() {
            recording.records.push(Record::Event(event));
            recording.records.extend(self.effects.messages.iter().cloned().map(Record::Message));
        }
        true
    }

    /// When the node wants to be woken, by its own clock.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_is_read_both_ways() {
        let clock = StationClock { jump_ns: 700_000_000, drift: Some((20e6, 5_000_000_000)) };
        for t_ns in [0, 5_000_000_000, 5_000_000_001, 60_000_000_000] {
            let local_ns = t_ns + clock.ahead_ns(t_ns);
            assert!((clock.true_ns(local_ns) - t_ns).abs() <= 2, "{t_ns}");
        }
        assert_eq!(clock.ahead_ns(6_000_000_000), 720_000_000);
    }
}
