//! Radio between stations: ITS-G5 or C-V2X PC5 over the air, and the cellular network.
//!
//! In: stations (connected actors of a [`Snapshot`], fixed ones by place) and messages by their length. Out: which message
//! arrives where and when, with what power, and how busy the channel is at each station. Losses come from distance,
//! buildings, tall vehicles, fading, collisions, cuts and bursts, and are counted by reason. Invariants: nothing reads a clock;
//! every draw is of a stream by message or pair, so that another station changes no other's fading. Absent: several channels,
//! congestion control (the stations' own), power control.

mod cellular;
mod channel;
mod csma;
mod cuts;
mod pc5;
mod phy;

#[cfg(test)]
mod tests;

pub use cellular::{Cellular, CellularSettings, Fate};
pub use channel::ChannelSettings;
pub use cuts::{Bursts, Cut};

use crate::actor::{ActorId, ActorKind};
use crate::buildings::Buildings;
use crate::random::Seed;
use crate::roads::Roads;
use crate::snapshot::Snapshot;
use channel::{Antenna, Channel};
use csma::Csma;
use cuts::Disturbance;
use nalgebra::Point3;
use pc5::Pc5;
use phy::{Modulation, packet_error_rate};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StationKey {
    /// On board of an actor.
    Actor(ActorId),
    /// At a fixed place.
    Fixed(u32),
}

impl StationKey {
    /// As one number; fixed stations lie above all actors.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Actor(id) => u64::from(id.0),
            Self::Fixed(number) => 1 << 32 | u64::from(number),
        }
    }
}

/// How stations share the air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// ITS-G5: listen before talk (IEEE 802.11p).
    #[default]
    ItsG5,
    /// LTE-V2X mode 4: resources sensed and reserved (3GPP TS 36.213, clause 14).
    Pc5,
}

/// A radio channel and its stations' equipment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RadioSettings {
    /// How stations share the air.
    pub access: Access,
    /// Propagation.
    pub channel: ChannelSettings,
    /// Power of transmitters, dBm.
    pub power_dbm: f64,
    /// Gain of antennas on vehicles and at the roadside, decibels.
    pub gain_dbi: f64,
    /// Gain of what people carry, decibels.
    pub carried_gain_dbi: f64,
    /// Above this power the channel is busy, dBm.
    pub busy_dbm: f64,
    /// A message that waits longer for the air is dropped, seconds.
    pub lifetime_s: f64,
    /// Times without radio.
    pub cuts: Vec<Cut>,
    /// Losses in bursts.
    pub bursts: Option<Bursts>,
}

impl Default for RadioSettings {
    fn default() -> Self {
        Self {
            access: Access::ItsG5,
            channel: ChannelSettings::default(),
            power_dbm: 23.0,
            gain_dbi: 2.0,
            carried_gain_dbi: -3.0,
            busy_dbm: -85.0,
            lifetime_s: 1.0,
            cuts: Vec::new(),
            bursts: None,
        }
    }
}

/// Number of a message in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(pub u64);

/// A message that arrived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    /// Which.
    pub message: MessageNumber,
    /// Whose.
    pub from: StationKey,
    /// Where.
    pub to: StationKey,
    /// When, simulated seconds.
    pub arrived_at_s: f64,
    /// With what power, dBm.
    pub rssi_dbm: f64,
}

/// Why a message did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Too little power.
    Weak,
    /// Another transmission at the same time.
    Collision,
    /// The receiver was sending itself.
    HalfDuplex,
    /// The air was never free while the message lived.
    Busy,
    /// A cut by schedule.
    Cut,
    /// A burst of losses.
    Burst,
    /// More than the network carries.
    Congestion,
    /// The sender is not on the road, or not connected.
    Gone,
}

/// What became of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RadioCounts {
    /// Messages given to the radio.
    pub sent: u64,
    /// Messages times receivers that have them.
    pub delivered: u64,
    /// Messages times receivers within reach that do not have them; messages that never left count once.
    pub lost: BTreeMap<Loss, u64>,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Message {
    number: u64,
    from: StationKey,
    bytes: usize,
    sent_s: f64,
}

/// What sharing the air and receiving need.
#[derive(Debug)]
pub(crate) struct Ether {
    settings: RadioSettings,
    seed: Seed,
    channel: Channel,
    disturbance: Disturbance,
    antennas: Vec<Antenna>,
    counts: RadioCounts,
}

#[derive(Debug)]
enum Sharing {
    Csma(Csma),
    Pc5(Pc5),
}

/// Messages that wait to be sent, at most; more are counted as [`Loss::Busy`].
const MOST_WAITING: usize = 100_000;

/// A radio channel in use.
#[derive(Debug)]
pub struct Radio {
    ether: Ether,
    sharing: Sharing,
    fixed: BTreeMap<u32, Point3<f64>>,
    waiting: Vec<Message>,
    next: u64,
}

impl Radio {
    /// A silent channel on a network.
    pub fn new(settings: RadioSettings, roads: &Roads, seed: Seed) -> Self {
        let sharing = match settings.access {
            Access::ItsG5 => Sharing::Csma(Csma::default()),
            Access::Pc5 => Sharing::Pc5(Pc5::default()),
        };
        let channel = Channel::new(settings.channel, Buildings::new(&roads.buildings), seed);
        let disturbance = Disturbance::new(settings.cuts.clone(), settings.bursts, seed);
        let (antennas, counts) = (Vec::new(), RadioCounts::default());
        let ether = Ether { settings, seed, channel, disturbance, antennas, counts };
        Self { ether, sharing, fixed: BTreeMap::new(), waiting: Vec::new(), next: 0 }
    }

    /// Puts up a station at a fixed place: ENU metres, `z` the height of its antenna above the ground.
    pub fn add_fixed(&mut self, number: u32, antenna: Point3<f64>) -> StationKey {
        self.fixed.insert(number, antenna);
        StationKey::Fixed(number)
    }

    /// Gives a message of `bytes` (the whole frame) to a station's radio at a time, simulated seconds.
    pub fn send(&mut self, from: StationKey, bytes: usize, now_s: f64) -> MessageNumber {
        let number = self.next;
        self.next += 1;
        self.ether.counts.sent += 1;
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push(Message { number, from, bytes, sent_s: now_s });
        } else {
            self.ether.lose(Loss::Busy);
        }
        MessageNumber(number)
    }

    /// Lets time pass until `until_s`, with stations where `snapshot` has them: all connected actors and all fixed ones. What
    /// is sent is heard by everybody; deliveries are ordered by arrival.
    pub fn step(&mut self, snapshot: &Snapshot, until_s: f64) -> Vec<Delivery> {
        self.ether.place(snapshot, &self.fixed);
        self.waiting.sort_by(|a, b| a.sent_s.total_cmp(&b.sent_s).then(a.number.cmp(&b.number)));
        let due = self.waiting.partition_point(|message| message.sent_s < until_s);
        let mut messages = Vec::with_capacity(due);
        for message in self.waiting.drain(..due) {
            if self.ether.index(message.from).is_none() {
                self.ether.lose(Loss::Gone);
            } else if self.ether.disturbance.is_cut(message.from, message.sent_s) {
                self.ether.lose(Loss::Cut);
            } else {
                messages.push(message);
            }
        }
        let mut deliveries = match &mut self.sharing {
            Sharing::Csma(csma) => csma.run(&mut self.ether, messages, until_s),
            Sharing::Pc5(pc5) => pc5.run(&mut self.ether, messages, until_s),
        };
        deliveries
            .sort_by(|a, b| a.arrived_at_s.total_cmp(&b.arrived_at_s).then((a.message, a.to).cmp(&(b.message, b.to))));
        self.ether.counts.delivered += deliveries.len() as u64;
        deliveries
    }

    /// Share of the last 100 ms in which the channel was busy at a station (ETSI TS 102 687), 0 to 1.
    pub fn channel_busy_ratio(&self, station: StationKey) -> f64 {
        match &self.sharing {
            Sharing::Csma(csma) => csma.busy_ratio(station),
            Sharing::Pc5(pc5) => pc5.busy_ratio(station),
        }
    }

    /// What became of messages so far.
    pub fn counts(&self) -> &RadioCounts {
        &self.ether.counts
    }
}

/// What arrives besides the signal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interference {
    /// Mean power of others during the message, milliwatts.
    pub(crate) power_mw: f64,
    /// Another transmission is being read already, with this power, dBm.
    pub(crate) locked_dbm: Option<f64>,
    /// Noise, milliwatts.
    pub(crate) noise_mw: f64,
}

/// A signal this much stronger takes the receiver over, decibels.
const CAPTURE_DB: f64 = 10.0;

pub(crate) fn milliwatts(dbm: f64) -> f64 {
    10f64.powf(dbm / 10.0)
}

impl Ether {
    fn place(&mut self, snapshot: &Snapshot, fixed: &BTreeMap<u32, Point3<f64>>) {
        self.antennas.clear();
        for actor in snapshot.actors.iter().filter(|actor| actor.connected) {
            let carried =
                matches!(actor.kind, ActorKind::Adult | ActorKind::Child | ActorKind::Wheelchair | ActorKind::Dog);
            let height = if carried { 0.6 * actor.size.height_m } else { actor.size.height_m };
            let gain_dbi = if carried { self.settings.carried_gain_dbi } else { self.settings.gain_dbi };
            self.antennas.push(Antenna {
                key: StationKey::Actor(actor.id),
                position: actor.pose.position + nalgebra::Vector3::z() * height,
                power_dbm: self.settings.power_dbm,
                gain_dbi,
            });
        }
        for (number, position) in fixed {
            let (power_dbm, gain_dbi) = (self.settings.power_dbm, self.settings.gain_dbi);
            self.antennas.push(Antenna { key: StationKey::Fixed(*number), position: *position, power_dbm, gain_dbi });
        }
        self.channel.place(&self.antennas, &snapshot.actors);
    }

    fn index(&self, key: StationKey) -> Option<usize> {
        self.antennas.binary_search_by_key(&key, |antenna| antenna.key).ok()
    }

    fn lose(&mut self, loss: Loss) {
        *self.counts.lost.entry(loss).or_default() += 1;
    }

    /// Whether a message is read; its power, dBm.
    fn receive(
        &mut self,
        modulation: Modulation,
        message: &Message,
        (from, to): (usize, usize),
        end_s: f64,
        interference: Interference,
    ) -> Option<f64> {
        let mean = self.channel.mean(from, to)?;
        let station = self.antennas[to].key;
        let mut luck = self.seed.stream("reception", message.number << 33 ^ station.number());
        let power_dbm = mean.faded_dbm(&mut luck);
        let draw: f64 = luck.random();
        let fails = |other_mw: f64| {
            let snr_db = power_dbm - 10.0 * (interference.noise_mw + other_mw).log10();
            draw < packet_error_rate(modulation, snr_db, message.bytes)
        };
        let beaten = interference.locked_dbm.is_some_and(|locked| power_dbm < locked + CAPTURE_DB);
        let loss = if fails(0.0) {
            Some(Loss::Weak)
        } else if beaten || (interference.power_mw > 0.0 && fails(interference.power_mw)) {
            Some(Loss::Collision)
        } else if self.disturbance.is_cut(station, end_s) {
            Some(Loss::Cut)
        } else if self.disturbance.loses(station, end_s) {
            Some(Loss::Burst)
        } else {
            None
        };
        if let Some(loss) = loss {
            self.lose(loss);
            return None;
        }
        Some(power_dbm)
    }
}
