//! Sums over the minutes, five minutes and quarters of an hour of the clock.
//!
//! In: what happened, by its time. Out: each interval once, when nothing of it is to come any more. Invariants: intervals
//! begin at whole multiples of their length in Unix time; at most [`MAX_OPEN`] minutes are open; what is late is counted.

use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Lengths of the intervals, minutes.
pub const LENGTHS_MIN: [i64; 3] = [1, 5, 15];
/// Most minutes that are open at a time.
const MAX_OPEN: usize = 16;
const MINUTE_MS: i64 = 60_000;

/// What sums up.
pub trait Sum: Default + Clone {
    /// Adds another sum of the same things.
    fn add(&mut self, other: &Self);
}

/// An interval that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval<T> {
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// What is in it.
    pub sum: T,
}

impl<T> Interval<T> {
    /// Its length, seconds.
    pub fn length_s(&self) -> f64 {
        (self.minutes() * 60) as f64
    }

    /// Its length, minutes.
    pub fn minutes(&self) -> i64 {
        (self.to.unix_ms() - self.from.unix_ms()) / MINUTE_MS
    }
}

/// Sums of minutes, open and recent.
#[derive(Clone, Debug, Default)]
pub struct Minutes<T> {
    open: BTreeMap<i64, T>,
    /// Minutes that are over and of which longer intervals are made.
    closed: BTreeMap<i64, T>,
    /// The first minute that is not over; `None` before anything was said.
    next: Option<i64>,
    late: u64,
}

/// Begin of the minute of a time, and the number of the minute.
fn minute(at: Timestamp) -> i64 {
    at.unix_ms().div_euclid(MINUTE_MS)
}

impl<T: Sum> Minutes<T> {
    /// The sum of the minute of a time; `None` when that minute is over, or too far ahead to be true.
    pub fn at(&mut self, at: Timestamp) -> Option<&mut T> {
        let minute = minute(at);
        let next = *self.next.get_or_insert(minute);
        if minute < next || minute >= next + MAX_OPEN as i64 {
            self.late += 1;
            return None;
        }
        Some(self.open.entry(minute).or_default())
    }

    /// Adds a share of a time span to each of its minutes: `add` gets the sum and the seconds in it.
    pub fn spread(&mut self, from: Timestamp, to: Timestamp, mut add: impl FnMut(&mut T, f64)) {
        let mut begin = from;
        while begin < to {
            let end = to.min(Timestamp::from_unix_ms((minute(begin) + 1) * MINUTE_MS));
            if let Some(sum) = self.at(begin) {
                add(sum, end.seconds_since(begin));
            }
            begin = end;
        }
    }

    /// Ends all minutes before `until`; every interval that ends with them, the shorter ones first.
    pub fn close(&mut self, until: Timestamp) -> Vec<Interval<T>> {
        let end = minute(until);
        let mut over = Vec::new();
        let Some(first) = self.next else { return over };
        // After a long silence only what may belong to an interval that is still of interest.
        let longest = LENGTHS_MIN[LENGTHS_MIN.len() - 1];
        let first = first.max(end - 2 * longest);
        for minute in first..end {
            self.closed.insert(minute, self.open.remove(&minute).unwrap_or_default());
            let ends = |length: &&i64| (minute + 1) % **length == 0;
            over.extend(LENGTHS_MIN.iter().filter(ends).map(|length| self.interval(minute + 1 - length, minute + 1)));
            self.closed.remove(&(minute - longest));
        }
        self.next = Some(first.max(end));
        self.open.retain(|minute, _| *minute >= end);
        over
    }

    fn interval(&self, from: i64, to: i64) -> Interval<T> {
        let mut sum = T::default();
        self.closed.range(from..to).for_each(|(_, minute)| sum.add(minute));
        let [from, to] = [from, to].map(|minute| Timestamp::from_unix_ms(minute * MINUTE_MS));
        Interval { from, to, sum }
    }

    /// What came when its minute was over.
    pub const fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Sum for f64 {
        fn add(&mut self, other: &Self) {
            *self += other;
        }
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_unix_ms(s * 1_000)
    }

    #[test]
    fn longer_intervals_are_sums_of_minutes() {
        let mut minutes = Minutes::<f64>::default();
        for s in (0..900).step_by(20) {
            *minutes.at(at(s)).unwrap() += 1.0;
        }
        let over = minutes.close(at(900));
        let of = |length: i64| over.iter().filter(|i| i.minutes() == length).map(|i| i.sum).collect::<Vec<_>>();
        assert_eq!(of(1), [3.0; 15]);
        assert_eq!(of(5), [15.0; 3]);
        assert_eq!(of(15), [45.0]);
        assert!(minutes.close(at(959)).is_empty());
    }

    #[test]
    fn a_span_is_shared_by_its_minutes_and_late_things_are_counted() {
        let mut minutes = Minutes::<f64>::default();
        minutes.spread(at(50), at(190), |sum, s| *sum += s);
        let over = minutes.close(at(240));
        let sums: Vec<_> = over.iter().map(|i| i.sum.round()).collect();
        assert_eq!(sums, [10.0, 60.0, 60.0, 10.0]);
        assert!(minutes.at(at(239)).is_none());
        assert_eq!(minutes.late(), 1);
        assert!(minutes.at(at(240 + 60 * 16)).is_none(), "a clock that is far ahead opens no minutes");
    }

    #[test]
    fn a_silence_of_days_ends_few_intervals() {
        let mut minutes = Minutes::<f64>::default();
        minutes.at(at(0));
        assert!(minutes.close(at(86_400 * 3)).len() < 50);
        assert!(minutes.closed.len() <= 16);
    }
}
