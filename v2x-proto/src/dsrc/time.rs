//! Moments of SPATEM and its kin: tenths of a second of the hour, minutes of the year, milliseconds of the minute.
//!
//! In: an instant, or a moment and an instant near it. Out: the other one. All are UTC. Absent: leap seconds; a
//! [`Timestamp`] has none.

use crate::time::Timestamp;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// A moment of the current or the next hour, UTC (`TimeMark`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeMark {
    /// Tenths of a second since the start of the hour, 0..=35,999.
    OfHour(u16),
    /// More than an hour away.
    BeyondAnHour,
    /// Not known.
    #[default]
    Unknown,
    /// A code of another version, 36,002..=36,111; SAE J2735 (2020) has leap seconds and another "unknown" there.
    Reserved(u16),
}

impl TimeMark {
    const BEYOND_AN_HOUR: u16 = 36_000;
    const UNKNOWN: u16 = 36_001;

    /// The mark of an instant as told at `now`, rounded down to 0.1 s; an hour or more away it is
    /// [`TimeMark::BeyondAnHour`].
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        if at.unix_ms() - now.unix_ms() >= HOUR_MS {
            return Self::BeyondAnHour;
        }
        Self::OfHour((at.unix_ms().rem_euclid(HOUR_MS) / 100) as u16)
    }

    /// Seconds since the start of the hour, if the moment is known and within the hour.
    pub fn seconds_of_hour(self) -> Option<f64> {
        match self {
            Self::OfHour(tenths) => Some(f64::from(tenths) / 10.0),
            _ => None,
        }
    }

    /// The first instant with this mark that is not before `earliest`; `None` unless it is within the hour.
    pub fn not_before(self, earliest: Timestamp) -> Option<Timestamp> {
        let Self::OfHour(tenths) = self else { return None };
        let hour = earliest.unix_ms().div_euclid(HOUR_MS) * HOUR_MS;
        let at = Timestamp::from_unix_ms(hour + i64::from(tenths) * 100);
        Some(if at < earliest { at.plus_ms(HOUR_MS) } else { at })
    }

    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::OfHour(code) | Self::Reserved(code) => code,
            Self::BeyondAnHour => Self::BEYOND_AN_HOUR,
            Self::Unknown => Self::UNKNOWN,
        }
    }

    pub(crate) const fn from_code(code: u16) -> Self {
        match code {
            Self::BEYOND_AN_HOUR => Self::BeyondAnHour,
            Self::UNKNOWN => Self::Unknown,
            0..Self::BEYOND_AN_HOUR => Self::OfHour(code),
            _ => Self::Reserved(code),
        }
    }
}

/// Minutes since the start of the year (`MinuteOfTheYear`), 0..=527,039.
pub fn minute_of_the_year(at: Timestamp) -> u32 {
    ((at.unix_ms() - year_start_ms(at.unix_ms())) / MINUTE_MS) as u32
}

/// Milliseconds since the start of the minute (`DSecond`), 0..=59,999.
pub fn ms_of_minute(at: Timestamp) -> u16 {
    at.unix_ms().rem_euclid(MINUTE_MS) as u16
}

/// The instant of a minute of the year and milliseconds of the minute, in the year that brings it closest to `near`.
pub fn instant(minute_of_the_year: u32, ms_of_minute: u16, near: Timestamp) -> Timestamp {
    const HALF_A_YEAR_MS: i64 = 183 * DAY_MS;
    let near_ms = near.unix_ms();
    let years = [near_ms - HALF_A_YEAR_MS, near_ms, near_ms + HALF_A_YEAR_MS].map(year_start_ms);
    let since = i64::from(minute_of_the_year) * MINUTE_MS + i64::from(ms_of_minute);
    let instants = years.map(|start| start.saturating_add(since));
    let closest = instants.into_iter().min_by_key(|at| at.abs_diff(near_ms));
    Timestamp::from_unix_ms(closest.expect("there are three"))
}

/// Unix time of the start of the year in which `unix_ms` is.
fn year_start_ms(unix_ms: i64) -> i64 {
    // Days of the proleptic Gregorian calendar, counted from 0000-03-01 in eras of 400 years.
    const DAYS_TO_1970: i64 = 719_468;
    const ERA: i64 = 146_097;
    let days = unix_ms.div_euclid(DAY_MS) + DAYS_TO_1970;
    let day_of_era = days.rem_euclid(ERA);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let march_first = days - day_of_era + 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_march_year = days - march_first;
    // January and February end the year that began in March.
    let january_first =
        if day_of_march_year >= 306 { march_first + 306 } else { march_first - january_and_february(year_of_era) };
    (january_first - DAYS_TO_1970) * DAY_MS
}

/// Days from January to February of a year of the era.
const fn january_and_february(year_of_era: i64) -> i64 {
    let leap = year_of_era % 4 == 0 && (year_of_era % 100 != 0 || year_of_era % 400 == 0);
    if leap { 60 } else { 59 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(unix_s: i64) -> Timestamp {
        Timestamp::from_unix_ms(unix_s * 1000)
    }

    #[test]
    fn minutes_of_the_year_of_known_dates() {
        // 2026-11-22T07:00:00Z is day 326 of the year; 2024-12-31T23:59:30Z ends a leap year.
        let known = [
            (1_767_225_600, 0),
            (1_795_330_800, 325 * 1440 + 7 * 60),
            (1_735_689_570, 366 * 1440 - 1),
            (1_709_164_800, 59 * 1440),
            (1_709_251_200, 60 * 1440),
            (951_782_400, 59 * 1440),
            (4_107_542_400, 59 * 1440),
            (-1, 365 * 1440 - 1),
        ];
        for (unix_s, minute) in known {
            assert_eq!(minute_of_the_year(at(unix_s)), minute, "at {unix_s}");
        }
    }

    #[test]
    fn moments_become_the_nearest_instants() {
        for unix_ms in (1_700_000_000_000..1_860_000_000_000).step_by(7_654_321_987) {
            let t = Timestamp::from_unix_ms(unix_ms);
            let (minute, ms) = (minute_of_the_year(t), ms_of_minute(t));
            for near in [t, t.plus_ms(-100 * DAY_MS), t.plus_ms(100 * DAY_MS)] {
                assert_eq!(instant(minute, ms, near), t, "at {unix_ms}");
            }
        }
    }

    #[test]
    fn marks_of_the_hour_become_instants_again() {
        let now = at(1_767_225_600 + 59 * 60);
        let soon = now.plus_ms(90_000);
        let mark = TimeMark::of(soon, now);
        assert_eq!((mark, mark.seconds_of_hour()), (TimeMark::OfHour(300), Some(30.0)));
        assert_eq!(mark.not_before(now), Some(soon));
        assert_eq!(TimeMark::of(now, now).not_before(now), Some(now));
        assert_eq!(TimeMark::of(now.plus_ms(HOUR_MS), now), TimeMark::BeyondAnHour);
        assert_eq!(TimeMark::BeyondAnHour.not_before(now), None);
        for code in 0..=36_111 {
            assert_eq!(TimeMark::from_code(code).code(), code);
        }
    }
}
