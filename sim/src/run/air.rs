//! What the air does to frames: who hears them, and when.
//!
//! In: a frame with the antenna it leaves from, and where the others are. Out: who hears it, and when. The model `range` is a
//! distance and a delay, so that a scenario is about one thing; the others are the simulator's radio ([`Radio`]) itself:
//! buildings, fading, collisions, a busy channel. A fault's losses come on top of either. Chance comes from one stream per pair
//! of stations, so that an added station changes no other's luck.

use crate::radio::{Access, MessageNumber, Radio, RadioSettings as Channel, StationKey};
use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::{RadioModel, RadioSettings};
use crate::snapshot::Snapshot;
use nalgebra::Point3;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;
use std::sync::Arc;

/// After this time nothing of a frame is on the air any more, seconds: it lives for one.
const GONE_S: f64 = 2.0;

/// The air between the stations.
#[derive(Debug)]
pub(crate) struct Air {
    settings: RadioSettings,
    seed: Seed,
    luck: BTreeMap<(u32, u32), Pcg64Mcg>,
    radio: Option<Radio>,
    /// Frames given to the radio, with when.
    on_air: BTreeMap<MessageNumber, (f64, Arc<[u8]>)>,
    /// Share of frames that are lost besides: a fault.
    pub(crate) extra_loss: f64,
    /// Frames heard and not heard.
    pub(crate) heard: u64,
    pub(crate) lost: u64,
}

/// A station as the air knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Party {
    pub(crate) station_id: u32,
    pub(crate) key: StationKey,
    pub(crate) antenna: Point3<f64>,
}

/// A frame that has come over the radio.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) from: StationKey,
    pub(crate) to: StationKey,
    pub(crate) at_ns: i64,
    pub(crate) frame: Arc<[u8]>,
}

impl Air {
    pub(crate) fn new(settings: RadioSettings, roads: &Roads, seed: Seed) -> Self {
        let access = match settings.model {
            RadioModel::Range => None,
            RadioModel::ItsG5 => Some(Access::ItsG5),
            RadioModel::Pc5 => Some(Access::Pc5),
        };
        let radio = access.map(|access| Radio::new(Channel { access, ..Channel::default() }, roads, seed));
        let (luck, on_air) = (BTreeMap::new(), BTreeMap::new());
        Self { settings, seed, luck, radio, on_air, extra_loss: 0.0, heard: 0, lost: 0 }
    }

    /// Gives a frame to the radio; `false` where there is none, and [`Self::carry`] says who hears it.
    pub(crate) fn send(&mut self, from: Party, frame: &Arc<[u8]>, t_ns: i64) -> bool {
        let Some(radio) = &mut self.radio else { return false };
        if let StationKey::Fixed(number) = from.key {
            radio.add_fixed(number, from.antenna);
        }
        let at_s = t_ns as f64 * 1e-9;
        let number = radio.send(from.key, frame.len(), at_s);
        self.on_air.insert(number, (at_s, frame.clone()));
        true
    }

    /// Puts up the antenna of a station that does not move, which listens.
    pub(crate) fn listen(&mut self, party: Party) {
        if let (Some(radio), StationKey::Fixed(number)) = (&mut self.radio, party.key) {
            radio.add_fixed(number, party.antenna);
        }
    }

    /// What comes over the radio until a time.
    pub(crate) fn arrivals(&mut self, snapshot: &Snapshot, until_ns: i64) -> Vec<Arrival> {
        let Some(radio) = self.radio.as_mut().filter(|_| !self.on_air.is_empty()) else { return Vec::new() };
        let until_s = until_ns as f64 * 1e-9;
        let deliveries = radio.step(snapshot, until_s);
        let core_ns = (self.settings.latency_ms * 1e6) as i64;
        let heard = deliveries.into_iter().filter_map(|delivery| {
            let (_, frame) = self.on_air.get(&delivery.message)?;
            let at_ns = (delivery.arrived_at_s * 1e9) as i64 + core_ns;
            Some(Arrival { from: delivery.from, to: delivery.to, at_ns, frame: frame.clone() })
        });
        let heard = heard.collect();
        self.on_air.retain(|_, (at_s, _)| *at_s > until_s - GONE_S);
        heard
    }

    /// Nanoseconds after which `to` hears a frame of `from` by the model `range`; `None` when it does not.
    pub(crate) fn carry(&mut self, from: Party, to: Party) -> Option<i64> {
        if (from.antenna - to.antenna).norm() > self.settings.range_m || self.loses(from.station_id, to.station_id) {
            return None;
        }
        Some((self.settings.latency_ms * 1e6) as i64)
    }

    /// Whether a fault takes a frame away between two stations.
    pub(crate) fn loses(&mut self, from: u32, to: u32) -> bool {
        let (seed, pair) = (self.seed, (from, to));
        let stream = || seed.stream("air", u64::from(pair.0) << 32 | u64::from(pair.1));
        // Drawn for each frame, so that a fault changes no other frame's luck.
        let lost = self.luck.entry(pair).or_insert_with(stream).random::<f64>() < self.extra_loss;
        *if lost { &mut self.lost } else { &mut self.heard } += 1;
        lost
    }
}
