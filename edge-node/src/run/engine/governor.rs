//! Keeps one camera within what the networks can do.
//!
//! In: the capture time of each picture, and how long each took or that one was lost. Out: whether the next picture is
//! inferred, and by which network. Pure: times come in.
//!
//! Cameras share the networks and know nothing of each other. Rates that grow by a sum and shrink by a factor become equal
//! all the same (additive increase, multiplicative decrease); were both factors, who is slow would stay slow.

use super::UnderLoad;
use masa_v2x_proto::time::Timestamp;
use std::time::Duration;

/// Share of the deadline above which a picture came late.
const LATE: f64 = 0.5;
/// What a late or lost picture does to the distance between pictures.
const WIDEN: f64 = 1.25;
/// By how much the rate grows in a second of pictures in time, Hz/s.
const QUICKEN: f64 = 2.0;
/// Distance to begin with, seconds: what is denser than any camera.
const LEAST_DISTANCE_S: f64 = 0.01;
/// A camera's own jitter must not cost a picture, share of the distance.
const JITTER: f64 = 0.1;
/// Late pictures of the last ones, as a moving share, above which the lighter network takes over.
const LATE_SHARE: f64 = 0.4;
/// Weight of the newest picture in that share.
const NEWEST: f64 = 0.2;
/// How long the lighter network stays at least, and at most when the own one failed again, seconds.
const LIGHT_S: [f64; 2] = [5.0, 80.0];

/// What becomes of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The camera's own network.
    Own,
    /// The lighter one.
    Light,
    /// None: left out.
    LeaveOut,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Governor {
    policy: UnderLoad,
    deadline: Duration,
    /// Least distance between inferred pictures, seconds.
    distance_s: f64,
    last: Option<Timestamp>,
    /// The newest picture when the distance was widened last: what came before tells nothing about it.
    widened_after: Option<Timestamp>,
    late_share: f64,
    /// Until when the lighter network serves, and how long it does next time.
    light_until: Option<Timestamp>,
    light_s: f64,
    own_since: Option<Timestamp>,
}

impl Governor {
    pub(crate) fn new(policy: UnderLoad, deadline: Duration) -> Self {
        Self {
            policy,
            deadline,
            distance_s: LEAST_DISTANCE_S,
            last: None,
            widened_after: None,
            late_share: 0.0,
            light_until: None,
            light_s: LIGHT_S[0],
            own_since: None,
        }
    }

    /// What becomes of the picture captured at `at`.
    pub(crate) fn choose(&mut self, at: Timestamp) -> Choice {
        match self.policy {
            UnderLoad::DropOldest => Choice::Own,
            UnderLoad::LowerRate { .. } => {
                let is_due = |last| at.seconds_since(last) >= self.distance_s * (1.0 - JITTER);
                if self.last.is_none_or(is_due) {
                    self.last = Some(at);
                    Choice::Own
                } else {
                    Choice::LeaveOut
                }
            }
            UnderLoad::LighterModel { .. } => {
                if self.light_until.is_some_and(|until| at < until) {
                    return Choice::Light;
                }
                if self.light_until.take().is_some() {
                    self.late_share = 0.0;
                    self.own_since = Some(at);
                }
                Choice::Own
            }
        }
    }

    /// A picture captured at `at` was done, this long after the camera handed it over.
    pub(crate) fn done(&mut self, at: Timestamp, took: Duration) {
        self.learn(at, took.as_secs_f64() > LATE * self.deadline.as_secs_f64());
    }

    /// A picture captured at `at` was lost for want of time.
    pub(crate) fn lost(&mut self, at: Timestamp) {
        self.learn(at, true);
    }

    fn learn(&mut self, at: Timestamp, is_late: bool) {
        match self.policy {
            UnderLoad::DropOldest => {}
            UnderLoad::LowerRate { least_hz } => {
                if is_late && self.widened_after.is_some_and(|newest| at <= newest) {
                    return;
                }
                let distance_s = if is_late {
                    self.widened_after = self.last;
                    self.distance_s * WIDEN
                } else {
                    1.0 / (1.0 / self.distance_s + QUICKEN * self.distance_s)
                };
                let widest = 1.0 / least_hz.max(f64::MIN_POSITIVE);
                self.distance_s = distance_s.clamp(LEAST_DISTANCE_S, widest.max(LEAST_DISTANCE_S));
            }
            UnderLoad::LighterModel { .. } => self.learn_network(at, is_late),
        }
    }

    fn learn_network(&mut self, at: Timestamp, is_late: bool) {
        if self.light_until.is_some() {
            return;
        }
        self.late_share += NEWEST * (f64::from(u8::from(is_late)) - self.late_share);
        if self.late_share > LATE_SHARE {
            // The own network was tried and failed at once: the next try can wait.
            let failed_again = self.own_since.is_some_and(|since| at.seconds_since(since) < LIGHT_S[0]);
            self.light_s = if failed_again { (2.0 * self.light_s).min(LIGHT_S[1]) } else { LIGHT_S[0] };
            self.light_until = Some(at.plus_ns((self.light_s * 1e9) as i64));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_millis(200);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + ms)
    }

    fn lower_rate() -> Governor {
        Governor::new(UnderLoad::LowerRate { least_hz: 2.0 }, DEADLINE)
    }

    fn lighter() -> Governor {
        Governor::new(UnderLoad::LighterModel { model: "light.toml".into(), model_file: None }, DEADLINE)
    }

    /// Inferred pictures of the last second of `seconds` at 20 a second, each of which takes `took`.
    fn rate(governor: &mut Governor, seconds: i64, took: Duration) -> usize {
        let mut inferred = Vec::new();
        for frame in 0..seconds * 20 {
            let captured_at = at(frame * 50);
            if governor.choose(captured_at) == Choice::Own {
                governor.done(captured_at, took);
                inferred.push(frame);
            }
        }
        inferred.iter().filter(|frame| **frame >= (seconds - 1) * 20).count()
    }

    #[test]
    fn a_camera_in_time_loses_nothing_and_a_late_one_slows_down_to_the_least() {
        assert_eq!(rate(&mut lower_rate(), 5, Duration::from_millis(30)), 20);
        assert!((2..=3).contains(&rate(&mut lower_rate(), 10, Duration::from_millis(300))));
        let mut none = Governor::new(UnderLoad::DropOldest, DEADLINE);
        assert_eq!(rate(&mut none, 5, Duration::from_millis(300)), 20);
    }

    #[test]
    fn a_camera_speeds_up_again_and_its_pictures_are_evenly_spaced() {
        let mut governor = lower_rate();
        for frame in 0..20 {
            governor.lost(at(frame));
        }
        assert_eq!(governor.distance_s, 0.5);
        let mut inferred = Vec::new();
        for frame in 0..60 * 20 {
            let captured_at = at(1000 + frame * 50);
            if governor.choose(captured_at) == Choice::Own {
                governor.done(captured_at, Duration::from_millis(30));
                inferred.push(frame);
            }
        }
        let gaps: Vec<i64> = inferred.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{gaps:?}");
        assert_eq!(gaps.last(), Some(&1));
    }

    /// Eight cameras of 20 Hz, the first of which begins slow, and one network that does 85 pictures a second in their order
    /// and none that waited for its deadline: inferred pictures of each in the last 30 s of 90.
    #[test]
    fn cameras_that_share_a_network_come_to_share_it_evenly() {
        let deadline = Duration::from_secs(1);
        let mut governors = vec![Governor::new(UnderLoad::LowerRate { least_hz: 2.0 }, deadline); 8];
        (0..20).for_each(|frame| governors[0].lost(at(frame)));
        let service_us = 1_000_000 / 85;
        let mut free_us = 0;
        // What is under way: when it is done, whose it is, when it was captured; the oldest first.
        let mut under_way = std::collections::VecDeque::<(i64, usize, i64)>::new();
        let mut inferred = [0_u32; 8];
        for picture in 0..90 * 20 * 8 {
            let (camera, captured_us) = (picture as usize % 8, 50_000 * (picture / 8) + 6_000 * (picture % 8));
            while under_way.front().is_some_and(|(done_us, ..)| *done_us <= captured_us) {
                let Some((done_us, of, from_us)) = under_way.pop_front() else { break };
                let took = Duration::from_micros((done_us - from_us) as u64);
                match took < deadline {
                    true => governors[of].done(at(from_us / 1000), took),
                    false => governors[of].lost(at(from_us / 1000)),
                }
            }
            if governors[camera].choose(at(captured_us / 1000)) == Choice::Own {
                let deadline_us = captured_us + deadline.as_micros() as i64;
                if free_us >= deadline_us {
                    under_way.push_back((deadline_us, camera, captured_us));
                    continue;
                }
                free_us = captured_us.max(free_us) + service_us;
                under_way.push_back((free_us, camera, captured_us));
                inferred[camera] += u32::from(captured_us >= 60_000_000);
            }
        }
        let [least, most] = [inferred.iter().min(), inferred.iter().max()].map(|count| f64::from(*count.unwrap()));
        assert!(most < 1.5 * least, "{inferred:?}");
        assert!(inferred.iter().sum::<u32>() > 30 * 85 * 8 / 10, "the network is not left idle: {inferred:?}");
    }

    #[test]
    fn the_lighter_network_takes_over_and_is_kept_longer_when_the_own_one_fails_again() {
        let mut governor = lighter();
        let mut switched = Vec::new();
        let mut before = Choice::Own;
        for frame in 0..20 * 60 {
            let captured_at = at(frame * 50);
            let choice = governor.choose(captured_at);
            let took = if choice == Choice::Own { 300 } else { 30 };
            governor.done(captured_at, Duration::from_millis(took));
            if choice != before {
                switched.push((frame / 20, choice));
                before = choice;
            }
        }
        let seconds: Vec<i64> = switched.iter().map(|(second, _)| *second).collect();
        assert_eq!(switched[0], (0, Choice::Light));
        // Own again after 5 s, then after another 10, 20.
        assert_eq!(seconds, [0, 5, 5, 15, 15, 35, 35]);
        let mut calm = lighter();
        assert!((0..200).all(|frame| {
            let choice = calm.choose(at(frame * 50));
            // One late picture in ten is no load.
            calm.done(at(frame * 50), Duration::from_millis(if frame % 10 == 0 { 300 } else { 30 }));
            choice == Choice::Own
        }));
    }
}
