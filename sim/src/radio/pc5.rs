//! Reserved resources, as LTE-V2X mode 4 shares the air.
//!
//! Time is cut into subframes of 1 ms, the channel into five parts. A station listens for a second, draws one of the fifth of
//! the resources with the least power, and keeps it for 5 to 15 messages, 100 ms apart (3GPP TS 36.321, clause 5.14). Two that
//! drew the same collide again and again until one changes; who sends in a subframe hears nothing in it. Absent: second
//! transmissions, reservations read from control information, other periods than 100 ms.

use super::phy::Modulation;
use super::{Delivery, Ether, Interference, Loss, Message, MessageNumber, StationKey, milliwatts};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::{BTreeMap, VecDeque};

const SUBFRAME_S: f64 = 1e-3;
/// Subframes of a period.
const PERIOD: u64 = 100;
/// Parts of the channel.
const PARTS: usize = 5;
/// Bytes that one part carries in a subframe: 10 resource blocks, QPSK at about 0.7.
const PART_BYTES: usize = 190;
/// Time that a station needs from message to air, subframes.
const PREPARE: u64 = 4;
/// Listening goes back so far, subframes.
const MEMORY: u64 = 1000;
/// Chance to keep the resource when its time is over.
const KEEP: f64 = 0.4;
/// Power that leaks into other parts of the channel.
const LEAK: f64 = 1e-3;
/// A part is busy above this power, dBm (ETSI TS 103 574).
const BUSY_DBM: f64 = -94.0;

#[derive(Clone, Debug)]
struct Station {
    luck: Pcg64Mcg,
    subframe: u64,
    part: usize,
    width: usize,
    left: u32,
    last_used: u64,
    /// Power heard on each resource of a period, milliwatts, and when.
    heard: Vec<(f32, u64)>,
    /// Subframes with busy parts, and how many.
    busy: VecDeque<(u64, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    message: Message,
    part: usize,
    width: usize,
}

/// The air under reservation.
#[derive(Debug, Default)]
pub(super) struct Pc5 {
    stations: BTreeMap<StationKey, Station>,
    planned: BTreeMap<u64, Vec<Planned>>,
    now: u64,
}

impl Station {
    fn new(ether: &Ether, key: StationKey) -> Self {
        Self {
            luck: ether.seed.stream("resources", key.number()),
            subframe: 0,
            part: 0,
            width: 0,
            left: 0,
            last_used: 0,
            heard: vec![(0.0, 0); PERIOD as usize * PARTS],
            busy: VecDeque::new(),
        }
    }

    /// One of the fifth of all resources with the least power.
    fn draw(&mut self, width: usize, now: u64) -> (u64, usize) {
        let power = |subframe: u64, part: usize| {
            let (power, at) = self.heard[subframe as usize * PARTS + part];
            if at + MEMORY > now { power } else { 0.0 }
        };
        let mut candidates: Vec<(f32, u64, usize)> = Vec::with_capacity(PERIOD as usize * PARTS);
        for subframe in 0..PERIOD {
            for part in 0..=PARTS - width {
                candidates.push(((part..part + width).map(|part| power(subframe, part)).sum(), subframe, part));
            }
        }
        // Where nothing was heard, all are as good: numbers do not decide, the draw does.
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let fifth = candidates.len().div_ceil(5);
        let quiet = candidates.iter().filter(|(power, ..)| *power == 0.0).count();
        let (_, subframe, part) = candidates[self.luck.random_range(0..fifth.max(quiet))];
        (subframe, part)
    }
}

impl Pc5 {
    pub(super) fn run(&mut self, ether: &mut Ether, messages: Vec<Message>, until_s: f64) -> Vec<Delivery> {
        let until = (until_s / SUBFRAME_S + 1e-6).floor() as u64;
        for message in messages {
            self.plan(ether, message);
        }
        let mut deliveries = Vec::new();
        while let Some(entry) = self.planned.first_entry().filter(|entry| *entry.key() < until) {
            let (subframe, planned) = entry.remove_entry();
            self.judge(ether, subframe, &planned, &mut deliveries);
        }
        self.now = until;
        for station in self.stations.values_mut() {
            while station.busy.pop_front_if(|(at, _)| *at + PERIOD < until).is_some() {}
        }
        deliveries
    }

    fn plan(&mut self, ether: &Ether, message: Message) {
        let station = self.stations.entry(message.from).or_insert_with(|| Station::new(ether, message.from));
        let width = message.bytes.div_ceil(PART_BYTES).clamp(1, PARTS);
        let ready = (message.sent_s / SUBFRAME_S).ceil() as u64 + PREPARE;
        let kept = station.left == 0 && station.width > 0 && station.luck.random::<f64>() < KEEP;
        if (station.left == 0 && !kept) || station.width < width {
            (station.subframe, station.part) = station.draw(width, ready);
            station.width = width;
        }
        if station.left == 0 {
            station.left = station.luck.random_range(5..=15);
        }
        let mut at = ready + (station.subframe + PERIOD - ready % PERIOD) % PERIOD;
        let mut part = station.part;
        if at <= station.last_used && station.last_used > 0 {
            // A second message within the period goes on a resource of its own.
            let (subframe, other) = station.draw(width, ready);
            at = ready + (subframe + PERIOD - ready % PERIOD) % PERIOD;
            part = other;
        } else {
            station.left -= 1;
            station.last_used = at;
        }
        self.planned.entry(at).or_default().push(Planned { message, part, width });
    }

    fn judge(&mut self, ether: &mut Ether, subframe: u64, planned: &[Planned], deliveries: &mut Vec<Delivery>) {
        let end_s = (subframe + 1) as f64 * SUBFRAME_S;
        let senders: Vec<Option<usize>> = planned.iter().map(|p| ether.index(p.message.from)).collect();
        let noise_mw = milliwatts(ether.channel.noise_dbm());
        for to in 0..ether.antennas.len() {
            let key = ether.antennas[to].key;
            let mut parts_mw = [0.0f64; PARTS];
            let sends = senders.contains(&Some(to));
            for (one, from) in planned.iter().zip(&senders) {
                let Some(from) = from.filter(|from| *from != to) else { continue };
                let Some(mean) = ether.channel.mean(from, to) else { continue };
                if sends {
                    ether.lose(Loss::HalfDuplex);
                    continue;
                }
                let parts = one.part..one.part + one.width;
                for part in parts.clone() {
                    parts_mw[part] += milliwatts(mean.power_dbm) / one.width as f64;
                }
                let mut power_mw = 0.0;
                for (other, other_from) in planned.iter().zip(&senders) {
                    let Some(other_from) = other_from.filter(|_| other.message.number != one.message.number) else {
                        continue;
                    };
                    let Some(other_mean) = ether.channel.mean(other_from, to) else { continue };
                    let end = (other.part + other.width).min(parts.end);
                    let shared = end.saturating_sub(other.part.max(parts.start)) as f64 / other.width as f64;
                    power_mw += milliwatts(other_mean.power_dbm) * shared.max(LEAK);
                }
                let noise_mw = noise_mw * one.width as f64 / PARTS as f64;
                let interference = Interference { power_mw, locked_dbm: None, noise_mw };
                if let Some(rssi_dbm) = ether.receive(Modulation::Pc5, &one.message, (from, to), end_s, interference) {
                    let (message, from) = (MessageNumber(one.message.number), one.message.from);
                    deliveries.push(Delivery { message, from, to: key, arrived_at_s: end_s, rssi_dbm });
                }
            }
            self.listen(ether, key, subframe, parts_mw);
        }
        for _ in senders.iter().filter(|from| from.is_none()) {
            ether.lose(Loss::Gone);
        }
    }

    /// Keeps what a station heard in a subframe.
    fn listen(&mut self, ether: &Ether, key: StationKey, subframe: u64, parts_mw: [f64; PARTS]) {
        let station = self.stations.entry(key).or_insert_with(|| Station::new(ether, key));
        let row = (subframe % PERIOD) as usize * PARTS;
        for (part, power) in parts_mw.iter().enumerate().filter(|(_, power)| **power > 0.0) {
            station.heard[row + part] = (*power as f32, subframe);
        }
        let busy = parts_mw.iter().filter(|power| **power > milliwatts(BUSY_DBM)).count();
        if busy > 0 {
            station.busy.push_back((subframe, busy));
        }
    }

    pub(super) fn busy_ratio(&self, station: StationKey) -> f64 {
        let Some(station) = self.stations.get(&station) else { return 0.0 };
        let recent = station.busy.iter().filter(|(at, _)| at + PERIOD >= self.now);
        recent.map(|(_, parts)| *parts).sum::<usize>() as f64 / (PERIOD as usize * PARTS) as f64
    }
}
