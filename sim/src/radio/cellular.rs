//! The cellular network (Uu): messages through a base station and a server, with delay and loss by load.
//!
//! In: a message and when it is sent. Out: when it arrives, or why it does not. Delay is log-normal, stretched as a queue at
//! the load of the last second (M/M/1); beyond the capacity the excess is lost. Absent: cells, handover, coverage by place.

use super::cuts::{Bursts, Cut, Disturbance};
use super::{Loss, StationKey};
use crate::random::Seed;
use crate::sensors::gnss::noise::gauss;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A cellular network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CellularSettings {
    /// Median delay from station to station without load, seconds.
    pub delay_s: f64,
    /// Spread of the delay: deviation of its natural logarithm.
    pub delay_spread: f64,
    /// Share lost without load, 0 to 1.
    pub loss: f64,
    /// What all stations together may send, bytes a second.
    pub capacity_bytes_per_s: f64,
    /// Times without network.
    pub cuts: Vec<Cut>,
    /// Losses in bursts.
    pub bursts: Option<Bursts>,
}

impl Default for CellularSettings {
    /// A good urban network: 35 ms in the median.
    fn default() -> Self {
        Self {
            delay_s: 0.035,
            delay_spread: 0.35,
            loss: 0.001,
            capacity_bytes_per_s: 2_000_000.0,
            cuts: Vec::new(),
            bursts: None,
        }
    }
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It arrives at this time, simulated seconds.
    Arrives(f64),
    /// It does not.
    Lost(Loss),
}

/// Load is measured over this time, seconds.
const WINDOW_S: f64 = 1.0;
/// A queue stretches delays at most by this factor; what would wait longer is lost.
const LONGEST_QUEUE: f64 = 40.0;

/// A cellular network in use.
#[derive(Clone, Debug)]
pub struct Cellular {
    settings: CellularSettings,
    luck: Pcg64Mcg,
    disturbance: Disturbance,
    recent: VecDeque<(f64, usize)>,
    recent_bytes: usize,
}

impl Cellular {
    /// A network without load.
    pub fn new(settings: CellularSettings, seed: Seed) -> Self {
        let disturbance = Disturbance::new(settings.cuts.clone(), settings.bursts, seed);
        Self { settings, luck: seed.stream("cellular", 0), disturbance, recent: VecDeque::new(), recent_bytes: 0 }
    }

    /// Share of the capacity that was used in the last second.
    pub fn load(&self) -> f64 {
        self.recent_bytes as f64 / WINDOW_S / self.settings.capacity_bytes_per_s
    }

    /// Carries a message of `bytes` from a station to another; times must not go back.
    pub fn carry(&mut self, from: StationKey, to: StationKey, bytes: usize, now_s: f64) -> Fate {
        while let Some((_, old)) = self.recent.pop_front_if(|(at_s, _)| *at_s <= now_s - WINDOW_S) {
            self.recent_bytes -= old;
        }
        self.recent.push_back((now_s, bytes));
        self.recent_bytes += bytes;
        let (lost, late): (f64, f64) = (self.luck.random(), gauss(&mut self.luck));
        if self.disturbance.is_cut(from, now_s) || self.disturbance.is_cut(to, now_s) {
            return Fate::Lost(Loss::Cut);
        }
        if self.disturbance.loses(to, now_s) {
            return Fate::Lost(Loss::Burst);
        }
        let load = self.load();
        let overflow = (1.0 - 1.0 / load.max(1.0)).max(0.0);
        if lost < overflow {
            return Fate::Lost(Loss::Congestion);
        }
        if lost < overflow + self.settings.loss {
            return Fate::Lost(Loss::Weak);
        }
        let queue = (1.0 / (1.0 - load.min(0.999))).min(LONGEST_QUEUE);
        Fate::Arrives(now_s + self.settings.delay_s * queue * (self.settings.delay_spread * late).exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Median delay, 95th percentile, and share lost when so many bytes a second are sent.
    fn at_rate(bytes_per_s: f64) -> (f64, f64, f64) {
        let mut network = Cellular::new(CellularSettings::default(), Seed(1));
        let (mut delays, mut lost) = (Vec::new(), 0.0);
        for i in 0..20_000 {
            let now_s = f64::from(i) * 500.0 / bytes_per_s;
            match network.carry(StationKey::Fixed(1), StationKey::Fixed(2), 500, now_s) {
                Fate::Arrives(at_s) => delays.push(at_s - now_s),
                Fate::Lost(_) => lost += 1.0,
            }
        }
        delays.sort_by(f64::total_cmp);
        (delays[delays.len() / 2], delays[delays.len() * 95 / 100], lost / 20_000.0)
    }

    #[test]
    fn load_brings_delay_and_then_loss() {
        let (median, tail, lost) = at_rate(50_000.0);
        assert!(
            (0.033..0.039).contains(&median) && (0.055..0.075).contains(&tail) && lost < 0.003,
            "{median} {tail} {lost}"
        );
        let (median, _, lost) = at_rate(1_600_000.0);
        assert!((0.12..0.20).contains(&median) && lost < 0.01, "{median} {lost}");
        let (_, _, lost) = at_rate(4_000_000.0);
        assert!((0.3..0.55).contains(&lost), "{lost}");
    }

    #[test]
    fn nothing_passes_a_cut() {
        let cuts = vec![Cut { from_s: 1.0, until_s: 2.0, station: None }];
        let mut network = Cellular::new(CellularSettings { cuts, loss: 0.0, ..CellularSettings::default() }, Seed(1));
        let mut at = |now_s| network.carry(StationKey::Fixed(1), StationKey::Fixed(2), 100, now_s);
        assert!(matches!(at(0.5), Fate::Arrives(_)));
        assert_eq!(at(1.5), Fate::Lost(Loss::Cut));
        assert!(matches!(at(2.0), Fate::Arrives(_)));
    }
}
