//! Lines of NMEA 0183: framing, checksum, the sentences that say where a station is.

use super::Reject;
use nmea::ParseResult;
use nmea::sentences::{GgaData, GstData, RmcData, VtgData};

/// Longest line, bytes. The standard says 82 with the line's end; some receivers send a little more.
const MAX_LINE: usize = 120;

/// A sentence that matters here.
#[derive(Debug, PartialEq)]
pub(super) enum Sentence {
    /// Date, time, position, speed, course.
    Rmc(RmcData),
    /// Time, position, height.
    Gga(GgaData),
    /// Course, speed.
    Vtg(VtgData),
    /// Time, standard deviations.
    Gst(GstData),
}

/// Reads a line without its end; `None` for sentences that do not matter.
pub(super) fn parse(line: &[u8]) -> Result<Option<Sentence>, Reject> {
    if line.len() > MAX_LINE {
        return Err(Reject::TooLong);
    }
    let text = str::from_utf8(line).ok().filter(|text| text.is_ascii()).ok_or(Reject::NotText)?.trim();
    let framed = text.strip_prefix('$').and_then(|rest| rest.split_once('*'));
    let (content, digits) = framed.ok_or(Reject::NoSentence)?;
    let told = u8::from_str_radix(digits, 16).map_err(|_| Reject::NoSentence)?;
    let found = content.bytes().fold(0, |sum, byte| sum ^ byte);
    if told != found {
        return Err(Reject::Checksum { told, found });
    }
    let name = match content.get(2..5) {
        Some("RMC") => "RMC",
        Some("GGA") => "GGA",
        Some("VTG") => "VTG",
        Some("GST") => "GST",
        _ => return Ok(None),
    };
    match nmea::parse_str(text) {
        Ok(ParseResult::RMC(rmc)) => Ok(Some(Sentence::Rmc(rmc))),
        Ok(ParseResult::GGA(gga)) => Ok(Some(Sentence::Gga(gga))),
        Ok(ParseResult::VTG(vtg)) => Ok(Some(Sentence::Vtg(vtg))),
        Ok(ParseResult::GST(gst)) => Ok(Some(Sentence::Gst(gst))),
        _ => Err(Reject::Malformed(name)),
    }
}

/// Cuts bytes into lines, of bounded length.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
}

impl Lines {
    /// Takes bytes as they came and gives each line that ends in them to `each`; one that is too long is given cut, one
    /// byte beyond what [`parse`] accepts.
    pub(super) fn take(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    if !self.line.is_empty() {
                        each(&self.line);
                    }
                    self.line.clear();
                }
                _ if self.line.len() <= MAX_LINE => self.line.push(byte),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sentences_are_read_and_others_passed_over() {
        for (line, expected) in [
            ("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A", "Rmc"),
            ("$GNGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*59", "Gga"),
            ("$GPVTG,054.7,T,034.4,M,005.5,N,010.2,K*48", "Vtg"),
            ("$GPGST,182141.000,15.5,15.3,7.2,21.8,0.9,0.5,0.8*54", "Gst"),
            ("$GPGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,00,13,06,292,00*74", ""),
            ("$PUBX,40,GLL,1,0,0,0*5D", ""),
        ] {
            let sentence = parse(line.as_bytes()).unwrap_or_else(|reject| panic!("{line}: {reject}"));
            let name = format!("{sentence:?}");
            assert_eq!(sentence.is_some(), !expected.is_empty(), "{line}");
            assert!(name.contains(expected), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let long = [b'$'; MAX_LINE + 1];
        for (line, label) in [
            (&b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B"[..], "checksum"),
            (b"$GPRMC,123519,A,4807.038,N*57", "malformed"),
            (b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4", "no-sentence"),
            (b"hello", "no-sentence"),
            (b"$GPGGA*zz", "no-sentence"),
            (b"\xFF\x00\x80", "not-text"),
            (&long, "too-long"),
        ] {
            let reject = parse(line).expect_err("refused");
            assert_eq!(reject.label(), label, "{}", String::from_utf8_lossy(line));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_cut_and_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600), at in 0_usize..600) {
            let cut = |parts: &[&[u8]]| {
                let (mut lines, mut all) = (Lines::default(), Vec::new());
                parts.iter().for_each(|part| lines.take(part, |line| {
                    let _ = parse(line);
                    all.push(line.to_vec());
                }));
                all
            };
            let at = at.min(bytes.len());
            let whole = cut(&[&bytes]);
            prop_assert!(whole.iter().all(|line| line.len() <= MAX_LINE + 1));
            prop_assert_eq!(whole, cut(&[&bytes[..at], &bytes[at..]]));
        }
    }
}
