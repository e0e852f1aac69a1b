//! Readings as NMEA 0183 sentences: GGA, RMC, GST, VTG, talker GN.

use super::GnssReading;
use masa_v2x_proto::time::Timestamp;
use std::fmt::Write;

/// Metres a second in a knot.
const KNOT_MPS: f64 = 1852.0 / 3600.0;
/// Height of the geoid above the ellipsoid that is stated, metres. What stands in `alt_m` is taken as above the ellipsoid.
const GEOID_M: f64 = 0.0;

impl GnssReading {
    /// The sentences of this reading, each with its checksum and line end. `start` is the time at simulated time 0.
    pub fn nmea(&self, start: Timestamp) -> Vec<u8> {
        let at = start.plus_ns((self.time_s * 1e9).round() as i64);
        // Times beyond the calendar are shown as its end.
        let civil = jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).unwrap_or(jiff::Timestamp::MAX);
        let civil = civil.to_zoned(jiff::tz::TimeZone::UTC);
        let time = format!(
            "{:02}{:02}{:02}.{:02}",
            civil.hour(),
            civil.minute(),
            civil.second(),
            civil.subsec_nanosecond() / 10_000_000
        );
        let date = format!("{:02}{:02}{:02}", civil.day(), civil.month(), civil.year().rem_euclid(100));
        let mut out = String::with_capacity(320);
        let Some(fix) = &self.fix else {
            sentence(&mut out, &format!("GNGGA,{time},,,,,0,{:02},,,M,,M,,", self.satellites));
            sentence(&mut out, &format!("GNRMC,{time},V,,,,,,,{date},,,N"));
            return out.into_bytes();
        };
        let place = format!(
            "{},{},{},{}",
            angle(fix.wgs84.lat_deg, 2),
            if fix.wgs84.lat_deg < 0.0 { 'S' } else { 'N' },
            angle(fix.wgs84.lon_deg, 3),
            if fix.wgs84.lon_deg < 0.0 { 'W' } else { 'E' }
        );
        let height = fix.wgs84.alt_m - GEOID_M;
        let used = self.satellites;
        sentence(&mut out, &format!("GNGGA,{time},{place},1,{used:02},{:.2},{height:.2},M,{GEOID_M:.1},M,,", fix.hdop));
        let speed = fix.velocity_mps.norm();
        let course = fix.velocity_mps.x.atan2(fix.velocity_mps.y).to_degrees().rem_euclid(360.0);
        let (knots, kmh) = (speed / KNOT_MPS, speed * 3.6);
        sentence(&mut out, &format!("GNRMC,{time},A,{place},{knots:.3},{course:.2},{date},,,A"));
        let [east, north, up] = fix.deviation_m;
        let rms = east.hypot(north);
        let (major, minor) = (east.max(north), east.min(north));
        let turned = if east > north { 90.0 } else { 0.0 };
        sentence(
            &mut out,
            &format!("GNGST,{time},{rms:.2},{major:.2},{minor:.2},{turned:.1},{north:.2},{east:.2},{up:.2}"),
        );
        sentence(&mut out, &format!("GNVTG,{course:.2},T,,M,{knots:.3},N,{kmh:.3},K,A"));
        out.into_bytes()
    }
}

/// Degrees as `dddmm.mmmmmmm`, with `digits` for the degrees. Seven decimals are 0.2 mm.
fn angle(degrees: f64, digits: usize) -> String {
    // Whole units of the last decimal first, so that 59.99999999 minutes become a degree.
    let units = (degrees.abs() * 60.0 * 1e7).round() as u64;
    let (whole, minutes) = (units / 600_000_000, units % 600_000_000);
    format!("{whole:0digits$}{:02}.{:07}", minutes / 10_000_000, minutes % 10_000_000)
}

fn sentence(out: &mut String, content: &str) {
    let sum = content.bytes().fold(0u8, |sum, byte| sum ^ byte);
    write!(out, "${content}*{sum:02X}\r\n").expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::gnss::GnssFix;
    use masa_v2x_proto::geo::Wgs84;
    use nalgebra::{Point3, Vector2};

    #[test]
    fn a_fix_is_written_as_four_sentences() {
        let fix = GnssFix {
            position: Point3::origin(),
            wgs84: Wgs84 { lat_deg: 48.117_3, lon_deg: -11.516_666_666, alt_m: 545.4 },
            velocity_mps: Vector2::new(10.0, 0.0),
            deviation_m: [1.5, 2.0, 3.0],
            hdop: 0.9,
        };
        let reading = GnssReading { time_s: 1.25, fix: Some(fix), satellites: 8 };
        // 1994-03-23 12:35:18 UTC.
        let text = String::from_utf8(reading.nmea(Timestamp::from_unix_ms(764_426_118_000))).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 5);
        let bodies: Vec<&str> = lines.iter().map(|line| line.split('*').next().unwrap()).collect();
        assert_eq!(
            bodies[..4],
            [
                "$GNGGA,123519.25,4807.0380000,N,01131.0000000,W,1,08,0.90,545.40,M,0.0,M,,",
                "$GNRMC,123519.25,A,4807.0380000,N,01131.0000000,W,19.438,90.00,230394,,,A",
                "$GNGST,123519.25,2.50,2.00,1.50,0.0,2.00,1.50,3.00",
                "$GNVTG,90.00,T,,M,19.438,N,36.000,K,A",
            ]
        );
        assert!(lines[..4].iter().all(|line| line.len() <= 82));
    }

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let mut out = String::new();
        // The example of gpsd's documentation.
        sentence(&mut out, "GPGLL,4916.45,N,12311.12,W,225444,A");
        assert_eq!(out, "$GPGLL,4916.45,N,12311.12,W,225444,A*31\r\n");
        assert_eq!(angle(44.999_999_999_999, 2), "4500.0000000");
    }
}
