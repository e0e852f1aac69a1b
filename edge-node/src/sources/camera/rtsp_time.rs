//! From a camera's media time to the time of day. Pure.
//!
//! The offset between the two is what sender reports say (RFC 3550, 6.4.1), or the first picture's arrival where there
//! are none yet. A new offset is approached by at most a tenth of the time that passes, so that times neither stand still
//! nor go back when a camera's clock is corrected; a jump of more than a second ahead is taken at once.

use masa_v2x_proto::time::Timestamp;

/// Part of the passing time by which the offset may change, as a divisor.
const SLEW_DIVISOR: i64 = 10;
/// A change ahead that is a correction rather than jitter.
const JUMP_NS: i64 = 1_000_000_000;

/// The mapping of one connection.
#[derive(Debug)]
pub(crate) struct MediaTime {
    max_difference_ns: i64,
    /// Time of day minus media time.
    offset_ns: Option<i64>,
    target_ns: i64,
    newest_media_ns: i64,
}

/// What became of a sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Used,
    /// The camera's clock is this far from ours, which is more than allowed.
    WrongClock {
        difference_ms: i64,
    },
}

impl MediaTime {
    pub(crate) fn new(max_difference_ms: u64) -> Self {
        let max_difference_ns = i64::try_from(max_difference_ms).unwrap_or(i64::MAX).saturating_mul(1_000_000);
        Self { max_difference_ns, offset_ns: None, target_ns: 0, newest_media_ns: i64::MIN }
    }

    /// Takes a sender report, which arrived at `arrived_at`: at `camera_ns` of Unix time its media time was `media_ns`.
    pub(crate) fn report(&mut self, media_ns: i64, camera_ns: i64, arrived_at: Timestamp) -> Report {
        let difference_ns = camera_ns.saturating_sub(arrived_at.unix_ns());
        if difference_ns.saturating_abs() > self.max_difference_ns {
            return Report::WrongClock { difference_ms: difference_ns / 1_000_000 };
        }
        self.target_ns = camera_ns.saturating_sub(media_ns);
        self.offset_ns.get_or_insert(self.target_ns);
        Report::Used
    }

    /// The time of day of a picture that arrived at `arrived_at`.
    pub(crate) fn captured_at(&mut self, media_ns: i64, arrived_at: Timestamp) -> Timestamp {
        let offset_ns = match self.offset_ns {
            None => {
                self.target_ns = arrived_at.unix_ns().saturating_sub(media_ns);
                self.target_ns
            }
            Some(offset_ns) if self.target_ns.saturating_sub(offset_ns) > JUMP_NS => self.target_ns,
            Some(offset_ns) => {
                let passed_ns = media_ns.saturating_sub(self.newest_media_ns).max(0);
                let most_ns = passed_ns / SLEW_DIVISOR;
                offset_ns.saturating_add(self.target_ns.saturating_sub(offset_ns).clamp(-most_ns, most_ns))
            }
        };
        self.offset_ns = Some(offset_ns);
        self.newest_media_ns = self.newest_media_ns.max(media_ns);
        Timestamp::from_unix_ns(media_ns.saturating_add(offset_ns))
    }
}

/// Nanoseconds of Unix time of an NTP timestamp (RFC 5905, 6); `None` for "not available". Holds until the year 2104.
pub(crate) fn ntp_to_unix_ns(ntp: u64) -> Option<i64> {
    const UNIX_EPOCH_NTP_S: u64 = 2_208_988_800;
    if ntp == 0 {
        return None;
    }
    let since_epoch = ntp.wrapping_sub(UNIX_EPOCH_NTP_S << 32);
    let (seconds, fraction) = (since_epoch >> 32, since_epoch & 0xFFFF_FFFF);
    Some((seconds * 1_000_000_000 + ((fraction * 1_000_000_000) >> 32)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: i64 = 1_000_000;
    const ARRIVED: Timestamp = Timestamp::from_unix_ms(1_714_557_600_000);

    #[test]
    fn a_report_before_the_first_picture_decides() {
        let mut time = MediaTime::new(5000);
        assert_eq!(time.report(9000 * MS, ARRIVED.unix_ns() - 120 * MS, ARRIVED), Report::Used);
        assert_eq!(time.captured_at(9040 * MS, ARRIVED.plus_ms(40)), ARRIVED.plus_ms(-80));
    }

    #[test]
    fn without_reports_the_first_arrival_decides_and_jitter_does_not_matter() {
        let mut time = MediaTime::new(5000);
        assert_eq!(time.captured_at(-7 * MS, ARRIVED), ARRIVED);
        assert_eq!(time.captured_at(33 * MS, ARRIVED.plus_ms(190)), ARRIVED.plus_ms(40));
    }

    #[test]
    fn a_correction_back_is_approached_without_time_going_back() {
        let mut time = MediaTime::new(5000);
        let mut last = time.captured_at(0, ARRIVED);
        time.report(0, ARRIVED.unix_ns() - 200 * MS, ARRIVED);
        for frame in 1..=60 {
            let at = time.captured_at(frame * 40 * MS, ARRIVED.plus_ms(frame * 40));
            let step_ms = (at.unix_ns() - last.unix_ns()) / MS;
            assert!((36..=40).contains(&step_ms), "frame {frame}: {step_ms} ms");
            last = at;
        }
        assert_eq!(last, ARRIVED.plus_ms(60 * 40 - 200));
    }

    #[test]
    fn a_large_correction_ahead_is_taken_at_once() {
        let mut time = MediaTime::new(5000);
        time.captured_at(0, ARRIVED);
        time.report(40 * MS, ARRIVED.unix_ns() + 3000 * MS, ARRIVED);
        assert_eq!(time.captured_at(40 * MS, ARRIVED), ARRIVED.plus_ms(3000));
    }

    #[test]
    fn a_camera_that_lives_in_the_past_is_not_believed() {
        let mut time = MediaTime::new(5000);
        assert_eq!(time.report(0, 0, ARRIVED), Report::WrongClock { difference_ms: -1_714_557_600_000 });
        assert_eq!(time.captured_at(40 * MS, ARRIVED), ARRIVED);
    }

    #[test]
    fn ntp_times_are_read() {
        // 2024-05-01T10:00:00.5Z is 1,714,557,600.5 s of Unix time.
        assert_eq!(ntp_to_unix_ns((1_714_557_600 + 2_208_988_800) << 32 | 1 << 31), Some(1_714_557_600_500_000_000));
        assert_eq!(ntp_to_unix_ns(0), None);
        // 2040: the NTP era has ended in 2036.
        assert_eq!(
            ntp_to_unix_ns(((2_208_988_800_u64 + 2_208_988_800) & 0xFFFF_FFFF) << 32),
            Some(2_208_988_800_000_000_000)
        );
    }

    proptest! {
        #[test]
        fn times_rise_with_media_time_whatever_reports_say(
            steps in prop::collection::vec((1_i64..5_000_000_000, prop::option::of(any::<i64>()), any::<i64>()), 1..50)
        ) {
            let mut time = MediaTime::new(u64::MAX);
            let (mut media_ns, mut last) = (0, None);
            for (step, report, arrived) in steps {
                if let Some(camera_ns) = report {
                    // Far from the ends of the number range, which no clock reaches.
                    time.report(media_ns, camera_ns / 4, Timestamp::from_unix_ns(arrived / 4));
                }
                media_ns += step;
                let at = time.captured_at(media_ns, Timestamp::from_unix_ns(arrived / 4));
                prop_assert!(last.is_none_or(|last| at > last));
                last = Some(at);
            }
        }
    }
}
