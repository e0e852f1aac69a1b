//! What waits for the channel: frames by DCC profile, and the hook of congestion control.

use masa_v2x_proto::geonet::OutFrame;
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
}

impl GateQueue {
    pub(crate) fn new(gate: Box<dyn DccGate>, capacity: usize) -> Self {
        Self { gate, queues: Default::default(), capacity: capacity.max(1), drops: GateDrops::default() }
    }

    pub(crate) fn push(&mut self, frame: OutFrame) {
        let profile = usize::from(frame.traffic_class.id()).min(PROFILES - 1);
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
            queue.push(frame(profile, number));
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

    #[test]
    fn what_waits_too_long_or_is_too_much_is_counted() {
        let mut queue = GateQueue::new(Box::new(AlwaysOpen), 2);
        for number in 0..5 {
            queue.push(frame(2, number));
        }
        assert_eq!(queue.pop(T0).unwrap().bytes, [3]);
        assert!(queue.pop(T0.plus_ms(1_000)).is_none());
        assert_eq!(queue.drops, GateDrops { queue_full: 3, expired: 1 });
    }
}
