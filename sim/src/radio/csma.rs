//! Listen before talk, as 802.11p does it.
//!
//! A station that finds the air free sends at once; else it waits until it is free, an arbitration gap and a drawn number of
//! slots. Stations that do not hear each other collide at those between them (hidden nodes), and so do those that begin within
//! the time that listening takes. Absent: priorities, acknowledgements (broadcasts have none), freezing of the countdown.

use super::phy::{Modulation, its_g5_airtime_s};
use super::{Delivery, Ether, Interference, Loss, Message, MessageNumber, StationKey, milliwatts};
use rand::RngExt;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

/// Slot and arbitration gap of best effort, seconds (ETSI EN 302 663).
const SLOT_S: f64 = 13e-6;
const GAP_S: f64 = 110e-6;
/// Contention window, slots.
const WINDOW: u32 = 15;
/// A transmission is noticed only so long after its start, seconds.
const BLIND_S: f64 = 8e-6;
/// Busy time is measured over this, seconds.
const MEASURE_S: f64 = 0.1;
/// A receiver locks on to a frame above this power, dBm.
const LOCK_DBM: f64 = -92.0;

#[derive(Clone, Copy, Debug)]
struct OnAir {
    message: Message,
    start_s: f64,
    end_s: f64,
    judged: bool,
}

/// A station about to try, ordered by time.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    at_s: f64,
    message: Message,
    tries: u32,
}

impl PartialEq for Attempt {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Attempt {}

impl PartialOrd for Attempt {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Attempt {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at_s.total_cmp(&other.at_s).then(self.message.number.cmp(&other.message.number))
    }
}

/// The air under listen before talk.
#[derive(Debug, Default)]
pub(super) struct Csma {
    /// One for each station that has something to send.
    attempts: BinaryHeap<Reverse<Attempt>>,
    /// What else stations have to send, in order.
    queues: BTreeMap<StationKey, VecDeque<Message>>,
    on_air: Vec<OnAir>,
    /// By station the times at which it heard the air busy, in order and apart.
    busy: BTreeMap<StationKey, VecDeque<(f64, f64)>>,
    now_s: f64,
}

/// The end of an arbitration gap and a drawn number of slots after `free_s`.
fn backoff(ether: &Ether, message: &Message, tries: u32, free_s: f64) -> f64 {
    let mut luck = ether.seed.stream("backoff", message.number << 8 ^ u64::from(tries));
    free_s + GAP_S + SLOT_S * f64::from(luck.random_range(0..=WINDOW))
}

impl Csma {
    pub(super) fn run(&mut self, ether: &mut Ether, messages: Vec<Message>, until_s: f64) -> Vec<Delivery> {
        self.now_s = until_s;
        for message in messages {
            match self.queues.get_mut(&message.from) {
                Some(queue) => queue.push_back(message),
                None => {
                    self.queues.insert(message.from, VecDeque::new());
                    self.attempts.push(Reverse(Attempt { at_s: message.sent_s, message, tries: 0 }));
                }
            }
        }
        while self.attempts.peek().is_some_and(|Reverse(attempt)| attempt.at_s < until_s) {
            let Some(Reverse(attempt)) = self.attempts.pop() else { break };
            if let Some(free_s) = self.attempt(ether, attempt) {
                self.next_of(ether, attempt.message.from, free_s);
            }
        }
        let deliveries = self.judge(ether, until_s);
        let oldest = self.on_air.iter().filter(|on| !on.judged).map(|on| on.start_s).fold(until_s, f64::min);
        self.on_air.retain(|on| !on.judged || on.end_s > oldest);
        for times in self.busy.values_mut() {
            while times.pop_front_if(|(_, end_s)| *end_s < until_s - MEASURE_S).is_some() {}
        }
        self.busy.retain(|_, times| !times.is_empty());
        deliveries
    }

    /// The next message of a station contends once the station is free.
    fn next_of(&mut self, ether: &Ether, station: StationKey, free_s: f64) {
        match self.queues.get_mut(&station).and_then(VecDeque::pop_front) {
            Some(message) => {
                let at_s = message.sent_s.max(backoff(ether, &message, 255, free_s));
                self.attempts.push(Reverse(Attempt { at_s, message, tries: 0 }));
            }
            None => {
                self.queues.remove(&station);
            }
        }
    }

    /// Sends, or waits for the air. When the station is done with the message, from when it is free.
    fn attempt(&mut self, ether: &mut Ether, attempt: Attempt) -> Option<f64> {
        let Attempt { at_s, message, tries } = attempt;
        let Some(from) = ether.index(message.from) else {
            ether.lose(Loss::Gone);
            return Some(at_s);
        };
        if at_s - message.sent_s > ether.settings.lifetime_s {
            ether.lose(Loss::Busy);
            return Some(at_s);
        }
        let mut free_s = at_s;
        for on in self.on_air.iter().filter(|on| on.end_s > at_s) {
            let own = on.message.from == message.from;
            let heard = on.start_s + BLIND_S <= at_s && {
                let other = ether.index(on.message.from);
                let mean = other.filter(|other| *other != from).and_then(|other| ether.channel.mean(other, from));
                mean.is_some_and(|mean| mean.power_dbm > ether.settings.busy_dbm)
            };
            if own || heard {
                free_s = free_s.max(on.end_s);
            }
        }
        if free_s > at_s {
            let at_s = backoff(ether, &message, tries.min(254), free_s);
            self.attempts.push(Reverse(Attempt { at_s, message, tries: tries + 1 }));
            return None;
        }
        let end_s = at_s + its_g5_airtime_s(message.bytes);
        self.on_air.push(OnAir { message, start_s: at_s, end_s, judged: false });
        for to in 0..ether.antennas.len() {
            let heard =
                to == from || ether.channel.mean(from, to).is_some_and(|mean| mean.power_dbm > ether.settings.busy_dbm);
            if heard {
                let times = self.busy.entry(ether.antennas[to].key).or_default();
                match times.back_mut() {
                    Some(last) if at_s <= last.1 => last.1 = last.1.max(end_s),
                    _ => times.push_back((at_s, end_s)),
                }
            }
        }
        Some(end_s)
    }

    /// Decides on every frame that ended.
    fn judge(&mut self, ether: &mut Ether, until_s: f64) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        let noise_mw = milliwatts(ether.channel.noise_dbm());
        for at in 0..self.on_air.len() {
            let on = self.on_air[at];
            if on.judged || on.end_s > until_s {
                continue;
            }
            self.on_air[at].judged = true;
            let Some(from) = ether.index(on.message.from) else {
                ether.lose(Loss::Gone);
                continue;
            };
            let overlapping: Vec<(usize, OnAir)> = self
                .on_air
                .iter()
                .filter(|other| other.start_s < on.end_s && other.end_s > on.start_s)
                .filter(|other| other.message.number != on.message.number)
                .filter_map(|other| Some((ether.index(other.message.from)?, *other)))
                .collect();
            for to in (0..ether.antennas.len()).filter(|to| *to != from) {
                if ether.channel.mean(from, to).is_none() {
                    continue;
                }
                if overlapping.iter().any(|(other, _)| *other == to) {
                    ether.lose(Loss::HalfDuplex);
                    continue;
                }
                let mut interference = Interference { power_mw: 0.0, locked_dbm: None, noise_mw };
                for (other, other_on) in &overlapping {
                    let Some(mean) = ether.channel.mean(*other, to) else { continue };
                    let shared = other_on.end_s.min(on.end_s) - other_on.start_s.max(on.start_s);
                    // Bits under interference are lost whatever the rest is like, so a short overlap counts nearly fully.
                    let share = (shared / (on.end_s - on.start_s)).max(0.3);
                    interference.power_mw += milliwatts(mean.power_dbm) * share;
                    if other_on.start_s < on.start_s && mean.power_dbm > LOCK_DBM {
                        let locked = interference.locked_dbm.unwrap_or(f64::NEG_INFINITY);
                        interference.locked_dbm = Some(locked.max(mean.power_dbm));
                    }
                }
                if let Some(rssi_dbm) =
                    ether.receive(Modulation::ItsG5, &on.message, (from, to), on.end_s, interference)
                {
                    deliveries.push(Delivery {
                        message: MessageNumber(on.message.number),
                        from: on.message.from,
                        to: ether.antennas[to].key,
                        arrived_at_s: on.end_s,
                        rssi_dbm,
                    });
                }
            }
        }
        deliveries
    }

    pub(super) fn busy_ratio(&self, station: StationKey) -> f64 {
        let from_s = self.now_s - MEASURE_S;
        let times = self.busy.get(&station).into_iter().flatten();
        let busy_s: f64 = times.map(|(start, end)| (end.min(self.now_s) - start.max(from_s)).max(0.0)).sum();
        busy_s / MEASURE_S
    }
}
