//! What waits for the channel: frames by DCC profile, and the hook of congestion control.

use super::channel::air_ns;
use masa_v2x_proto::geonet::dcc::{Adaptive, Gate};
use masa_v2x_proto::geonet::{DataRate, OutFrame};
use masa_v2x_proto::time::Timestamp;
use std::collections::VecDeque;

/// DCC profiles DP0 (most urgent) to DP3 (TS 102 636-4-2 clause 5: the traffic class id).
pub const PROFILES: usize = 4;

/// Decentralized congestion control (TS 102 687): says when a frame may go.
pub trait DccGate: Send {
    /// When a frame of `bytes` octets of profile `profile` (0..=3) may be sent: `now` or earlier for at once.
    fn opens_at(&mut self, profile: u8, bytes: usize, now: Timestamp) -> Timestamp;

    /// A frame was sent.
    fn sent(&mut self, profile: u8, bytes: usize, now: Timestamp);

    /// The channel was so busy in the last 100 ms; gives the share of it that the station may use.
    fn measured(&mut self, _busy_ratio: f64, _now: Timestamp) -> Option<f64> {
        None
    }
}

/// The adaptive approach of TS 102 687 V1.2.1 clause 5.4 with the gatekeeper of its annex B: one gate for all profiles.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdaptiveGate {
    adaptive: Adaptive,
    gate: Gate,
    rate: DataRate,
}

impl AdaptiveGate {
    /// A closed loop that has measured nothing, for a radio of this data rate.
    pub fn new(rate: DataRate) -> Self {
        Self { rate, ..Self::default() }
    }
}

impl DccGate for AdaptiveGate {
    fn opens_at(&mut self, _: u8, _: usize, now: Timestamp) -> Timestamp {
        self.gate.may_send_at(now)
    }

    fn sent(&mut self, _: u8, bytes: usize, now: Timestamp) {
        self.gate.sent(now, air_ns(self.rate, bytes), &self.adaptive);
    }

    fn measured(&mut self, busy_ratio: f64, now: Timestamp) -> Option<f64> {
        let before = self.adaptive.delta();
        self.adaptive.measure(busy_ratio);
        self.gate.share_changed(now, before, self.adaptive.delta());
        Some(self.adaptive.delta())
    }
}

/// No congestion control: for tunnels and wires.
#[derive(Clone, Copy, Debug, Default)]
pub struct AlwaysOpen;

impl DccGate for AlwaysOpen {
    fn opens_at(&mut self, _: u8, _: usize, now: Timestamp) -> Timestamp {
        now
    }

    fn sent(&mut self, _: u8, _: usize, _: Timestamp) {}
}

/// Why frames did not go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GateDrops {
    pub(crate) queue_full: u64,
    pub(crate) expired: u64,
}

/// Queues in front of the gate; the most urgent profile goes first, within it the oldest frame.
pub(crate) struct GateQueue {
    gate: Box<dyn DccGate>,
    queues: [VecDeque<OutFrame>; PROFILES],
    capacity: usize,
    pub(crate) drops: GateDrops,
    /// Frames that found the gate closed and had to wait.
    pub(crate) delayed: u64,
}

impl GateQueue {
    pub(crate) fn new(gate: Box<dyn DccGate>, capacity: usize) -> Self {
        Self { gate, queues: Default::default(), capacity: capacity.max(1), drops: GateDrops::default(), delayed: 0 }
    }

    /// Tells the gate how busy the channel was.
    pub(crate) fn measured(&mut self, busy_ratio: f64, now: Timestamp) -> Option<f64> {
        self.gate.measured(busy_ratio, now)
    }

    pub(crate) fn push(&mut self, frame: OutFrame, now: Timestamp) {
        let profile = usize::from(frame.traffic_class.id()).min(PROFILES - 1);
        self.delayed += u64::from(self.gate.opens_at(profile as u8, frame.bytes.len(), now) > now);
        let queue = &mut self.queues[profile];
        if queue.len() >= self.capacity {
            queue.pop_front();
            self.drops.queue_full += 1;
        }
        queue.push_back(frame);
    }

    /// The next frame that may go now.
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<OutFrame> {
        for (profile, queue) in (0u8..).zip(&mut self.queues) {
            while queue.front().is_some_and(|frame| frame.expires_at <= now) {
                queue.pop_front();
                self.drops.expired += 1;
            }
            if let Some(bytes) = queue.front().map(|frame| frame.bytes.len())
                && self.gate.opens_at(profile, bytes, now) <= now
            {
                self.gate.sent(profile, bytes, now);
                return queue.pop_front();
            }
        }
        None
    }

    /// When [`GateQueue::pop`] may have something.
    pub(crate) fn wake_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let gate = &mut self.gate;
        let opens = (0u8..).zip(&self.queues).filter_map(|(profile, queue)| {
            queue.front().map(|frame| gate.opens_at(profile, frame.bytes.len(), now).min(frame.expires_at))
        });
        opens.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::geonet::{MacAddress, TrafficClass};

    const T0: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

    fn frame(profile: u8, number: u8) -> OutFrame {
        OutFrame {
            destination: MacAddress::BROADCAST,
            traffic_class: TrafficClass::of_id(profile),
            expires_at: T0.plus_ms(1_000),
            bytes: vec![number],
        }
    }

    /// One frame each 100 ms.
    struct Slow(Timestamp);

    impl DccGate for Slow {
        fn opens_at(&mut self, _: u8, _: usize, _: Timestamp) -> Timestamp {
            self.0
        }

        fn sent(&mut self, _: u8, _: usize, now: Timestamp) {
            self.0 = now.plus_ms(100);
        }
    }

    #[test]
    fn the_most_urgent_profile_goes_first_when_the_gate_opens() {
        let mut queue = GateQueue::new(Box::new(Slow(T0)), 4);
        for (profile, number) in [(2, 1), (0, 2), (2, 3), (63, 4)] {
            queue.push(frame(profile, number), T0);
        }
        let mut now = T0;
        let mut order = Vec::new();
        while let Some(wake) = queue.wake_at(now) {
            now = now.max(wake);
            order.extend(queue.pop(now).map(|frame| (now.unix_ms() - T0.unix_ms(), frame.bytes[0])));
            assert!(queue.pop(now).is_none(), "the gate is closed for 100 ms");
        }
        assert_eq!(order, [(0, 2), (100, 1), (200, 3), (300, 4)]);
    }

    /// Frames of 300 octets on the air that go out in ten seconds when one is always waiting, after `busy` intervals of
    /// 100 ms with that ratio.
    fn sent_in_ten_seconds(busy_ratio: f64, intervals: i64) -> usize {
        let mut queue = GateQueue::new(Box::new(AdaptiveGate::new(DataRate::STANDARD)), 4);
        let (mut now, mut sent) = (T0, 0);
        for interval in 1..=intervals {
            now = T0.plus_ms(100 * interval);
            queue.measured(busy_ratio, now);
        }
        let end = now.plus_ms(10_000);
        while now < end {
            queue.push(OutFrame { expires_at: end, bytes: vec![0; 276], ..frame(2, 0) }, now);
            while queue.pop(now).is_some() {
                sent += 1;
            }
            now = queue.wake_at(now).unwrap_or(now.plus_ms(1)).max(now.plus_ms(1));
        }
        sent
    }

    /// TS 102 687 V1.2.1 clause 5.4 and annex B: T_on is 448 µs (clause 5.4's δ is T_on / T_off).
    #[test]
    fn the_allowed_rate_follows_the_load() {
        for (busy_ratio, intervals, least, most, rule) in [
            (0.0, 400, 395, 401, "an idle channel: δ_max 0.03 would be 15 ms, T_off is at least 25 ms"),
            (0.0, 0, 13, 14, "a newcomer: δ_min 0.0006 is 747 ms"),
            (1.0, 400, 13, 14, "a full channel: δ_min"),
            (0.66, 4_000, 33, 34, "in balance at 0.66: δ = β (0.68 - 0.66) / α = 0.0015 is 299 ms"),
        ] {
            let sent = sent_in_ten_seconds(busy_ratio, intervals);
            assert!((least..=most).contains(&sent), "{rule}: {sent} frames in 10 s");
        }
    }

    #[test]
    fn waiting_is_counted_and_a_burst_is_cut() {
        let mut queue = GateQueue::new(Box::new(AdaptiveGate::new(DataRate::STANDARD)), 2);
        for number in 0..6 {
            queue.push(frame(2, number), T0);
            if number == 0 {
                assert!(queue.pop(T0).is_some(), "the gate is open at first");
            }
        }
        assert_eq!((queue.delayed, queue.drops.queue_full), (5, 3));
        assert!(queue.pop(T0.plus_ms(24)).is_none());
    }

    #[test]
    fn what_waits_too_long_or_is_too_much_is_counted() {
        let mut queue = GateQueue::new(Box::new(AlwaysOpen), 2);
        for number in 0..5 {
            queue.push(frame(2, number), T0);
        }
        assert_eq!(queue.pop(T0).unwrap().bytes, [3]);
        assert!(queue.pop(T0.plus_ms(1_000)).is_none());
        assert_eq!(queue.drops, GateDrops { queue_full: 3, expired: 1 });
    }
}
