//! What the air does to frames: who hears them, and when.
//!
//! In: a frame with the antenna it leaves from, and where the others are. Out: for each of them whether and after what time
//! it hears it. Chance comes from one stream per pair of stations, so that an added station changes no other's luck.

use crate::random::Seed;
use crate::scenario::RadioSettings;
use nalgebra::Point3;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;

/// The air between the stations.
#[derive(Debug)]
pub(crate) struct Air {
    settings: RadioSettings,
    seed: Seed,
    luck: BTreeMap<(u32, u32), Pcg64Mcg>,
    /// Share of frames that are lost besides: a fault.
    pub(crate) extra_loss: f64,
    /// Frames heard and not heard.
    pub(crate) heard: u64,
    pub(crate) lost: u64,
}

impl Air {
    pub(crate) fn new(settings: RadioSettings, seed: Seed) -> Self {
        Self { settings, seed, luck: BTreeMap::new(), extra_loss: 0.0, heard: 0, lost: 0 }
    }

    /// Nanoseconds after which `to` hears a frame of `from`; `None` when it does not.
    pub(crate) fn carry(&mut self, from: (u32, Point3<f64>), to: (u32, Point3<f64>)) -> Option<i64> {
        if (from.1 - to.1).norm() > self.settings.range_m {
            return None;
        }
        let pair = (from.0, to.0);
        let luck = self
            .luck
            .entry(pair)
            .or_insert_with(|| self.seed.stream("air", u64::from(pair.0) << 32 | u64::from(pair.1)));
        // Drawn for each frame, so that a fault changes no other frame's luck.
        let lost = luck.random::<f64>() < self.extra_loss;
        if lost {
            self.lost += 1;
            return None;
        }
        self.heard += 1;
        Some((self.settings.latency_ms * 1e6) as i64)
    }
}
