//! What can be set about traffic.

use serde::{Deserialize, Serialize};

/// What happens to a vehicle that stands for long without a stop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum WhenStuck {
    /// It is put further along its route, and counted (SUMO: `time-to-teleport`).
    Teleport {
        /// After this time of standing, seconds.
        after_s: f64,
    },
    /// Nothing.
    Wait,
}

/// How many drivers break which rule; shares from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Behaviour {
    /// Share of drivers who do not stop at red, nor look who has green.
    pub red_light: f64,
    /// Share of drivers who use the side of oncoming traffic on one edge of their way, until somebody comes.
    pub wrong_way: f64,
    /// Share of drivers who go 1.3 times as fast as they otherwise would.
    pub speeding: f64,
    /// Share of drivers who keep a third of the usual headway and gap.
    pub tailgating: f64,
}

/// Settings of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrafficSettings {
    /// What happens to a vehicle that stands for long.
    pub when_stuck: WhenStuck,
    /// Drivers who break rules.
    pub behaviour: Behaviour,
    /// Share of vehicles that send and receive V2X messages, 0 to 1.
    pub connected: f64,
    /// Standing this long makes a driver fully impatient, seconds.
    pub impatient_after_s: f64,
    /// Threads for planning and deciding; 0: as many as there are cores.
    pub threads: usize,
}

impl Default for TrafficSettings {
    fn default() -> Self {
        Self {
            when_stuck: WhenStuck::Teleport { after_s: 300.0 },
            behaviour: Behaviour::default(),
            connected: 0.0,
            impatient_after_s: 180.0,
            threads: 1,
        }
    }
}
