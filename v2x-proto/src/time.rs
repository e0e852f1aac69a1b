//! Instants and the ETSI time scale.
//!
//! A [`Timestamp`] is nanoseconds of Unix time (UTC). ETSI messages carry `TimestampIts`: milliseconds since
//! 2004-01-01T00:00:00 UTC counted without leap seconds removed (TS 102 894-2), and `GenerationDeltaTime`, the same
//! modulo 65,536. Nothing here reads a clock.

/// Unix time of 2004-01-01T00:00:00 UTC in milliseconds, the epoch of `TimestampIts`.
const ITS_EPOCH_UNIX_MS: i64 = 1_072_915_200_000;

/// Leap seconds inserted since the ITS epoch, newest last: Unix time in milliseconds from which each one counts.
const LEAP_SECONDS_UNIX_MS: [i64; 5] = [
    1_136_073_600_000, // 2006-01-01
    1_230_768_000_000, // 2009-01-01
    1_341_100_800_000, // 2012-07-01
    1_435_708_800_000, // 2015-07-01
    1_483_228_800_000, // 2017-01-01
];

/// An instant, nanoseconds of Unix time (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "std", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds of Unix time.
    pub const fn from_unix_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// From milliseconds of Unix time, saturating.
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms.saturating_mul(1_000_000))
    }

    /// Nanoseconds of Unix time.
    pub const fn unix_ns(self) -> i64 {
        self.0
    }

    /// Milliseconds of Unix time, rounded down.
    pub const fn unix_ms(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Seconds from `earlier` to `self`; negative when `self` is earlier.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 * 1e-9
    }

    /// This instant moved by `ns` nanoseconds, saturating.
    pub const fn plus_ns(self, ns: i64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// This instant moved by `ms` milliseconds, saturating.
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }

    /// `TimestampIts` (TS 102 894-2): milliseconds since 2004-01-01 UTC including leap seconds. Zero before the epoch.
    pub fn to_its_ms(self) -> u64 {
        let unix_ms = self.unix_ms();
        let leaps = LEAP_SECONDS_UNIX_MS.iter().filter(|&&at| unix_ms >= at).count() as i64;
        (unix_ms - ITS_EPOCH_UNIX_MS + leaps * 1000).max(0) as u64
    }

    /// The instant of a `TimestampIts`; the 42-bit wire value always fits.
    pub fn from_its_ms(its_ms: u64) -> Self {
        let raw = its_ms.min(1 << 42) as i64 + ITS_EPOCH_UNIX_MS;
        let mut unix_ms = raw;
        for (inserted, at) in LEAP_SECONDS_UNIX_MS.iter().enumerate() {
            let shifted = raw - (inserted as i64 + 1) * 1000;
            if shifted >= *at {
                unix_ms = shifted;
            }
        }
        Self::from_unix_ms(unix_ms)
    }

    /// `GenerationDeltaTime` (EN 302 637-2 B.3): `TimestampIts` modulo 65,536.
    pub fn generation_delta_time(self) -> u16 {
        (self.to_its_ms() & 0xFFFF) as u16
    }

    /// The instant nearest to this one that has a `GenerationDeltaTime`, whole milliseconds.
    pub fn nearest_generation(self, delta_time_ms: u16) -> Self {
        let age_ms = self.generation_delta_time().wrapping_sub(delta_time_ms).cast_signed();
        Self::from_unix_ms(self.unix_ms()).plus_ms(-i64::from(age_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_time_matches_the_example_of_the_standard() {
        // TS 102 894-2: TimestampIts of 2007-01-01T00:00:00.000Z is 94,694,401,000.
        let t = Timestamp::from_unix_ms(1_167_609_600_000);
        assert_eq!(t.to_its_ms(), 94_694_401_000);
        assert_eq!(Timestamp::from_its_ms(94_694_401_000), t);
    }

    #[test]
    fn its_time_round_trips_around_every_leap_second() {
        for at in LEAP_SECONDS_UNIX_MS {
            for delta in [-1, 0, 1, 999, 1000, 86_400_000] {
                let t = Timestamp::from_unix_ms(at + delta);
                assert_eq!(Timestamp::from_its_ms(t.to_its_ms()), t, "at {at} {delta:+} ms");
            }
        }
    }
}
