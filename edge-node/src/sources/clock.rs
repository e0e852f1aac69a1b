//! The only place in the sources that reads the time.
//!
//! [`Clock::system`] follows the operating system: `now` is UTC and may be stepped by NTP, waits run on the monotonic
//! clock and are not affected. [`Clock::manual`] is for tests and simulations: it moves only when it is told to or when
//! someone waits, so that a paced playback is instantaneous and always stamps the same times.

use super::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Reads the time and waits.
#[derive(Clone, Debug)]
pub struct Clock(Kind);

#[derive(Clone, Debug)]
enum Kind {
    System { origin: Instant },
    Manual { origin_ns: i64, now_ns: Arc<AtomicI64> },
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time has come.
    Reached,
    /// The stop signal came first.
    Stopped,
}

impl Clock {
    /// The clock of the operating system.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn system() -> Self {
        Self(Kind::System { origin: Instant::now() })
    }

    /// A clock that starts at `start` and moves by [`Clock::advance`] and by waits.
    pub fn manual(start: Timestamp) -> Self {
        Self(Kind::Manual { origin_ns: start.unix_ns(), now_ns: Arc::new(AtomicI64::new(start.unix_ns())) })
    }

    /// The time of day.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System { .. } => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_unix_ns(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
            }
            Kind::Manual { now_ns, .. } => Timestamp::from_unix_ns(now_ns.load(Ordering::SeqCst)),
        }
    }

    /// Time since this clock was made; never steps.
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn elapsed(&self) -> Duration {
        match &self.0 {
            Kind::System { origin } => origin.elapsed(),
            Kind::Manual { origin_ns, now_ns } => {
                Duration::from_nanos(now_ns.load(Ordering::SeqCst).saturating_sub(*origin_ns).max(0) as u64)
            }
        }
    }

    /// Microseconds since `earlier`, a value of [`Clock::elapsed`].
    pub fn micros_since(&self, earlier: Duration) -> u32 {
        u32::try_from(self.elapsed().saturating_sub(earlier).as_micros()).unwrap_or(u32::MAX)
    }

    /// Moves a manual clock; the system clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual { now_ns, .. } = &self.0 {
            now_ns.fetch_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Blocks until [`Clock::elapsed`] reaches `deadline` or `stop` is given. A manual clock moves there at once.
    pub fn wait_until(&self, deadline: Duration, stop: &StopToken) -> Waited {
        let remaining = deadline.saturating_sub(self.elapsed());
        match &self.0 {
            Kind::System { .. } if stop.wait(remaining) => Waited::Stopped,
            Kind::Manual { .. } if stop.is_stopped() => Waited::Stopped,
            Kind::Manual { origin_ns, now_ns } => {
                let deadline_ns = i64::try_from(deadline.as_nanos()).unwrap_or(i64::MAX);
                now_ns.fetch_max(origin_ns.saturating_add(deadline_ns), Ordering::SeqCst);
                Waited::Reached
            }
            Kind::System { .. } => Waited::Reached,
        }
    }

    /// Like [`Clock::wait_until`] for `duration` from now, without blocking the thread.
    pub async fn sleep(&self, duration: Duration, stop: &StopToken) -> Waited {
        match &self.0 {
            Kind::System { .. } => tokio::select! {
                () = stop.stopped() => Waited::Stopped,
                () = tokio::time::sleep(duration) => Waited::Reached,
            },
            Kind::Manual { .. } => self.wait_until(self.elapsed() + duration, stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_by_waits_and_never_back() {
        let start = Timestamp::from_unix_ms(1_700_000_000_000);
        let clock = Clock::manual(start);
        let stop = StopToken::new();
        assert_eq!(clock.wait_until(Duration::from_millis(40), &stop), Waited::Reached);
        assert_eq!(clock.now(), start.plus_ms(40));
        assert_eq!(clock.wait_until(Duration::from_millis(10), &stop), Waited::Reached);
        assert_eq!(clock.elapsed(), Duration::from_millis(40));
        clock.advance(Duration::from_millis(5));
        assert_eq!(clock.now(), start.plus_ms(45));
    }

    #[test]
    fn a_stop_ends_a_wait_on_either_clock() {
        let stop = StopToken::new();
        stop.stop();
        for clock in [Clock::system(), Clock::manual(Timestamp::default())] {
            assert_eq!(clock.wait_until(Duration::from_secs(3600), &stop), Waited::Stopped);
        }
    }
}
