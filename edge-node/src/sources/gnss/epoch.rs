//! From sentences to states: what a receiver says of one instant belongs together.
//!
//! A receiver sends a few sentences an epoch, in an order of its own, all but VTG with their time. An epoch ends with the
//! sentence that ended the one before, so that nothing waits for the next epoch; the first ends when a new time comes.

use super::settings::{GnssSettings, GnssTime};
use super::{Reject, sentence::Sentence};
use crate::event::EgoState;
use chrono::{NaiveDate, NaiveTime, Timelike};
use masa_v2x_proto::geo::{Covariance2, Wgs84};
use masa_v2x_proto::time::Timestamp;
use nmea::sentences::{FixType, GgaData, GstData, RmcData, VtgData, rmc::RmcStatusOfFix};

const MPS_PER_KNOT: f64 = 1852.0 / 3600.0;

/// Kinds of sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rmc,
    Gga,
    Vtg,
    Gst,
}

/// What was said of one instant.
#[derive(Debug, Default)]
struct Epoch {
    time: Option<NaiveTime>,
    last: Option<Kind>,
    rmc: Option<RmcData>,
    gga: Option<GgaData>,
    vtg: Option<VtgData>,
    gst: Option<GstData>,
}

/// Puts epochs together.
#[derive(Debug)]
pub(super) struct Assembler {
    time: GnssTime,
    course_from_mps: f64,
    current: Epoch,
    /// Time of the epoch that ended last.
    ended: Option<NaiveTime>,
    /// The sentence that ends an epoch.
    closing: Option<Kind>,
    course_deg: Option<f64>,
    newest: Option<Timestamp>,
}

impl Assembler {
    pub(super) fn new(settings: &GnssSettings) -> Self {
        Self {
            time: settings.time,
            course_from_mps: settings.course_from_mps,
            current: Epoch::default(),
            ended: None,
            closing: None,
            course_deg: None,
            newest: None,
        }
    }

    /// Takes a sentence that arrived `now`; gives the state of an epoch that is complete with it, and says why where an
    /// epoch gives none.
    pub(super) fn take(&mut self, sentence: Sentence, now: Timestamp) -> Option<Result<EgoState, Reject>> {
        let (kind, time) = match &sentence {
            Sentence::Rmc(rmc) => (Kind::Rmc, rmc.fix_time),
            Sentence::Gga(gga) => (Kind::Gga, gga.fix_time),
            Sentence::Vtg(_) => (Kind::Vtg, None),
            Sentence::Gst(gst) => (Kind::Gst, gst.time),
        };
        let is_late = match time {
            Some(time) => Some(time) == self.ended,
            None => self.current.last.is_none(),
        };
        if is_late {
            // It belongs to the epoch that has ended: from now on epochs end with it.
            self.closing = Some(kind);
            return None;
        }
        let mut done = None;
        if let (Some(time), Some(current)) = (time, self.current.time)
            && time != current
        {
            self.closing = self.current.last;
            done = Some(self.end(now));
        }
        let current = &mut self.current;
        current.time = current.time.or(time);
        current.last = Some(kind);
        match sentence {
            Sentence::Rmc(rmc) => current.rmc = Some(rmc),
            Sentence::Gga(gga) => current.gga = Some(gga),
            Sentence::Vtg(vtg) => current.vtg = Some(vtg),
            Sentence::Gst(gst) => current.gst = Some(gst),
        }
        if done.is_none() && self.closing == Some(kind) && current.rmc.is_some() && current.gga.is_some() {
            done = Some(self.end(now));
        }
        done
    }

    fn end(&mut self, now: Timestamp) -> Result<EgoState, Reject> {
        let epoch = std::mem::take(&mut self.current);
        self.ended = epoch.time;
        let Epoch { rmc: Some(rmc), gga: Some(gga), vtg, gst, .. } = epoch else {
            return Err(Reject::Incomplete(if epoch.rmc.is_none() { "RMC" } else { "GGA" }));
        };
        let no_fix = matches!(gga.fix_type, None | Some(FixType::Invalid));
        if rmc.status_of_fix == RmcStatusOfFix::Invalid || no_fix {
            return Err(Reject::NoFix);
        }
        let (Some(lat_deg), Some(lon_deg)) = (gga.latitude.or(rmc.lat), gga.longitude.or(rmc.lon)) else {
            return Err(Reject::NoFix);
        };
        let position = Wgs84 { lat_deg, lon_deg, alt_m: height_m(&gga) };
        // Written so that "not a number" fails too.
        if !(lat_deg.abs() <= 90.0 && lon_deg.abs() <= 180.0 && position.alt_m.abs() < 10_000.0) {
            return Err(Reject::Malformed("GGA"));
        }
        let captured_at = match (self.time, rmc.fix_date, epoch.time) {
            (GnssTime::Arrival, ..) => now,
            (GnssTime::Receiver, Some(date), Some(time)) => timestamp(date, time),
            (GnssTime::Receiver, ..) => return Err(Reject::NoTime),
        };
        if self.newest.is_some_and(|newest| captured_at <= newest) {
            return Err(Reject::Late);
        }
        self.newest = Some(captured_at);
        let vtg = vtg.unwrap_or(VtgData { true_course: None, speed_over_ground: None });
        let speed_mps = rmc.speed_over_ground.or(vtg.speed_over_ground).map(|knots| f64::from(knots) * MPS_PER_KNOT);
        let course_deg = rmc.true_course.or(vtg.true_course).map(f64::from);
        if speed_mps.is_none_or(|speed_mps| speed_mps >= self.course_from_mps) {
            self.course_deg = course_deg.or(self.course_deg);
        }
        Ok(EgoState {
            captured_at,
            position,
            covariance: gst.as_ref().and_then(covariance),
            heading_deg: self.course_deg,
            speed_mps,
            ..EgoState::default()
        })
    }
}

/// Height above the ellipsoid: above the geoid, plus the geoid above the ellipsoid.
fn height_m(gga: &GgaData) -> f64 {
    f64::from(gga.altitude.unwrap_or(0.0)) + f64::from(gga.geoid_separation.unwrap_or(0.0))
}

fn timestamp(date: NaiveDate, time: NaiveTime) -> Timestamp {
    let days = date.signed_duration_since(NaiveDate::default()).num_days();
    let seconds = days * 86_400 + i64::from(time.num_seconds_from_midnight());
    Timestamp::from_unix_ns(seconds * 1_000_000_000 + i64::from(time.nanosecond()))
}

/// From the error ellipse (one sigma), or from the standard deviations to the north and east where there is none.
fn covariance(gst: &GstData) -> Option<Covariance2> {
    let square = |sigma: f32| f64::from(sigma) * f64::from(sigma);
    if let (Some(major), Some(minor), Some(azimuth_deg)) =
        (gst.ellipse_semi_major_sd, gst.ellipse_semi_minor_sd, gst.err_ellipse_orientation)
    {
        let (sin, cos) = f64::from(azimuth_deg).to_radians().sin_cos();
        let (major, minor) = (square(major), square(minor));
        return Some(Covariance2 {
            ee_m2: major * sin * sin + minor * cos * cos,
            en_m2: (major - minor) * sin * cos,
            nn_m2: major * cos * cos + minor * sin * sin,
        });
    }
    let (north, east) = (gst.lat_sd?, gst.long_sd?);
    Some(Covariance2 { ee_m2: square(east), en_m2: 0.0, nn_m2: square(north) })
}

#[cfg(test)]
mod tests {
    use super::super::sentence::parse;
    use super::super::settings::GnssMedium;
    use super::*;
    use crate::sources::backoff::BackoffSettings;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_000);

    fn assembler(time: GnssTime) -> Assembler {
        Assembler::new(&GnssSettings {
            source: GnssMedium::Tcp(String::new()),
            time,
            course_from_mps: 0.5,
            silence_s: 1.0,
            reconnect: BackoffSettings::default(),
        })
    }

    fn line(content: &str) -> Sentence {
        let sum = content.bytes().fold(0, |sum, byte| sum ^ byte);
        parse(format!("${content}*{sum:02X}").as_bytes()).unwrap().unwrap()
    }

    fn rmc(time: &str, speed: &str, course: &str) -> Sentence {
        line(&format!("GNRMC,{time},A,4439.3324,N,01056.0589,E,{speed},{course},050326,,,D"))
    }

    fn gga(time: &str) -> Sentence {
        line(&format!("GNGGA,{time},4439.3324,N,01056.0589,E,4,12,0.6,34.10,M,44.20,M,1.0,0000"))
    }

    fn gst(time: &str) -> Sentence {
        line(&format!("GNGST,{time},0.5,2.0,1.0,90.0,1.0,2.0,3.0"))
    }

    #[test]
    fn an_epoch_becomes_a_state() {
        let mut assembler = assembler(GnssTime::Receiver);
        assert!(assembler.take(rmc("120000.10", "19.438", "271.5"), NOW).is_none());
        assert!(assembler.take(gga("120000.10"), NOW).is_none());
        assert!(assembler.take(gst("120000.10"), NOW).is_none());
        let state = assembler.take(rmc("120000.20", "19.438", "271.5"), NOW).unwrap().unwrap();
        // 2026-03-05 12:00:00.1 UTC.
        assert_eq!(state.captured_at, Timestamp::from_unix_ms(1_772_712_000_100));
        assert!((state.position.lat_deg - 44.655_54).abs() < 1e-7, "{:?}", state.position);
        assert!((state.position.lon_deg - 10.934_315).abs() < 1e-7);
        assert!((state.position.alt_m - 78.3).abs() < 1e-5, "above the ellipsoid");
        assert!((state.speed_mps.unwrap() - 10.0).abs() < 1e-3);
        assert_eq!(state.heading_deg, Some(271.5));
        // The major axis, 2 m, lies east and west.
        let covariance = state.covariance.unwrap();
        assert!((covariance.ee_m2 - 4.0).abs() < 1e-9 && (covariance.nn_m2 - 1.0).abs() < 1e-9, "{covariance:?}");
        // The order is known now: the epoch ends with its last sentence.
        assert!(assembler.take(gga("120000.20"), NOW).is_none());
        assert!(assembler.take(gst("120000.20"), NOW).unwrap().is_ok());
    }

    #[test]
    fn sentences_without_time_belong_to_what_came_before() {
        let mut assembler = assembler(GnssTime::Receiver);
        let vtg = || line("GNVTG,90.0,T,,M,10.0,N,18.5,K,A");
        for tenth in 1..=4 {
            let time = format!("120000.{tenth}0");
            assert_eq!(assembler.take(gga(&time), NOW).is_some(), tenth == 2, "{tenth}");
            assert!(assembler.take(rmc(&time, "", ""), NOW).is_none());
            let state = assembler.take(vtg(), NOW);
            assert_eq!(state.is_some(), tenth >= 2, "{tenth}");
            if let Some(state) = state {
                assert_eq!(state.unwrap().heading_deg, Some(90.0));
            }
        }
    }

    #[test]
    fn the_course_is_kept_at_a_standstill() {
        let mut assembler = assembler(GnssTime::Arrival);
        let mut states = Vec::new();
        for (number, (speed, course)) in
            [("9.7", "80.0"), ("0.3", "210.0"), ("0.0", ""), ("9.7", "81.0"), ("", "")].into_iter().enumerate()
        {
            let time = format!("12000{number}.00");
            let now = NOW.plus_ms(200 * number as i64);
            states.extend(assembler.take(rmc(&time, speed, course), now));
            states.extend(assembler.take(gga(&time), now.plus_ms(1)));
        }
        let courses: Vec<_> = states.into_iter().map(|state| state.unwrap().heading_deg.unwrap()).collect();
        assert_eq!(courses, [80.0, 80.0, 80.0, 81.0, 81.0]);
    }

    #[test]
    fn what_gives_no_state_says_why() {
        let void = "GNRMC,120000.00,V,,,,,,,050326,,,N";
        let no_fix = "GNGGA,120000.00,,,,,0,00,99.9,,M,,M,,";
        let good_gga = "GNGGA,120000.00,4439.3324,N,01056.0589,E,4,12,0.6,34.10,M,44.20,M,1.0,0000";
        let no_date = "GNRMC,120000.00,A,4439.3324,N,01056.0589,E,1.0,2.0,,,,D";
        for (epoch, label) in [
            (&[void, good_gga][..], "no-fix"),
            (&["GNRMC,120000.00,A,4439.3324,N,01056.0589,E,1.0,2.0,050326,,,D", no_fix], "no-fix"),
            (&[good_gga], "incomplete"),
            (&[no_date, good_gga], "no-time"),
        ] {
            let mut assembler = assembler(GnssTime::Receiver);
            for content in epoch {
                assert!(assembler.take(line(content), NOW).is_none());
            }
            let reject = assembler.take(gga("120001.00"), NOW).unwrap().unwrap_err();
            assert_eq!(reject.label(), label, "{epoch:?}");
        }
        let mut late = assembler(GnssTime::Receiver);
        let labels: Vec<_> = ["120002.00", "120001.00", "120003.00"]
            .iter()
            .flat_map(|time| [late.take(rmc(time, "1", "2"), NOW), late.take(gga(time), NOW)])
            .flatten()
            .map(|state| state.map_or_else(|reject| reject.label(), |_| "good"))
            .collect();
        assert_eq!(labels, ["good", "late", "good"]);
    }
}
