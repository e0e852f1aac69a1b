//! Cuts by schedule, and losses in bursts.

use super::StationKey;
use crate::random::Seed;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A time without radio.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cut {
    /// When it begins, simulated seconds.
    pub from_s: f64,
    /// When it ends, simulated seconds.
    pub until_s: f64,
    /// Whose radio; not set: everybody's.
    #[serde(default)]
    pub station: Option<StationKey>,
}

/// Losses that come in bursts (Gilbert 1960, Elliott 1963): a good and a bad state, changing by rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bursts {
    /// Mean length of a good time, seconds.
    pub good_s: f64,
    /// Mean length of a bad time, seconds.
    pub bad_s: f64,
    /// Share lost in a good time, 0 to 1.
    #[serde(default)]
    pub good_loss: f64,
    /// Share lost in a bad time, 0 to 1.
    pub bad_loss: f64,
}

impl Bursts {
    /// Share lost in the long run.
    pub fn mean_loss(&self) -> f64 {
        (self.good_s * self.good_loss + self.bad_s * self.bad_loss) / (self.good_s + self.bad_s)
    }
}

#[derive(Clone, Debug)]
struct State {
    bad: bool,
    at_s: f64,
    luck: Pcg64Mcg,
}

/// Cuts and bursts in use; each station has bursts of its own.
#[derive(Clone, Debug)]
pub(crate) struct Disturbance {
    cuts: Vec<Cut>,
    bursts: Option<Bursts>,
    states: BTreeMap<StationKey, State>,
    seed: Seed,
}

impl Disturbance {
    pub(crate) fn new(cuts: Vec<Cut>, bursts: Option<Bursts>, seed: Seed) -> Self {
        Self { cuts, bursts, states: BTreeMap::new(), seed }
    }

    /// Whether a station's radio is cut off.
    pub(crate) fn is_cut(&self, station: StationKey, time_s: f64) -> bool {
        let holds = |cut: &Cut| {
            (cut.from_s..cut.until_s).contains(&time_s) && cut.station.is_none_or(|cut_off| cut_off == station)
        };
        self.cuts.iter().any(holds)
    }

    /// Whether a burst takes what a station receives now.
    pub(crate) fn loses(&mut self, station: StationKey, time_s: f64) -> bool {
        let Some(bursts) = self.bursts else { return false };
        let seed = self.seed;
        let state = self.states.entry(station).or_insert_with(|| {
            let mut luck = seed.stream("bursts", station.number());
            let bad = luck.random::<f64>() < bursts.bad_s / (bursts.good_s + bursts.bad_s);
            State { bad, at_s: time_s, luck }
        });
        // Chance to be bad after some time, of a two-state process.
        let share_bad = bursts.bad_s / (bursts.good_s + bursts.bad_s);
        let forget = (-(time_s - state.at_s).max(0.0) * (1.0 / bursts.good_s + 1.0 / bursts.bad_s)).exp();
        let now = if state.bad { 1.0 } else { 0.0 };
        state.bad = state.luck.random::<f64>() < share_bad + (now - share_bad) * forget;
        state.at_s = time_s;
        state.luck.random::<f64>() < if state.bad { bursts.bad_loss } else { bursts.good_loss }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_come_in_bursts_of_the_stated_share() {
        let bursts = Bursts { good_s: 9.0, bad_s: 1.0, good_loss: 0.0, bad_loss: 1.0 };
        let mut disturbance = Disturbance::new(Vec::new(), Some(bursts), Seed(1));
        let station = StationKey::Fixed(1);
        let lost: Vec<bool> = (0..200_000).map(|i| disturbance.loses(station, f64::from(i) * 0.1)).collect();
        let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        let runs = lost.windows(2).filter(|pair| pair[1] && !pair[0]).count() as f64;
        let length_s = share * lost.len() as f64 / runs * 0.1;
        assert!((share - bursts.mean_loss()).abs() < 0.015, "{share}");
        // Looked at every 0.1 s, a run lasts a little longer than the bad time.
        assert!((0.9..1.25).contains(&length_s), "{length_s}");
    }

    #[test]
    fn a_cut_is_for_one_or_for_all() {
        let one = Cut { from_s: 1.0, until_s: 2.0, station: Some(StationKey::Fixed(1)) };
        let all = Cut { from_s: 5.0, until_s: 6.0, station: None };
        let disturbance = Disturbance::new(vec![one, all], None, Seed(1));
        let cut = |station, at| disturbance.is_cut(StationKey::Fixed(station), at);
        assert!(cut(1, 1.0) && !cut(2, 1.5) && !cut(1, 2.0) && cut(2, 5.5));
    }
}
