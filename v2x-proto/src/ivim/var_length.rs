//! A number that takes as many bytes as it needs (`VarLengthNumber` of ISO 17419).

use crate::jer::Jer;
use crate::json::{Image, ImageError, Naming, number};
use crate::uper::element::Element;
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use crate::uper::{Failed, UperErrorKind};
use serde_json::json;

/// Alternatives nested in alternatives, each for a further range of numbers.
pub(crate) struct VarLengthNumber;

impl VarLengthNumber {
    /// First number beyond each level, and the level's bits.
    const LEVELS: [(u32, u32); 3] = [(128, 7), (16_512, 14), (2_113_664, 21)];
    /// Last number of the innermost level without extension, and its bits.
    const INNERMOST: (u32, u32) = (270_549_119, 28);
}

impl Element for VarLengthNumber {
    type Value = u32;

    fn encode(value: &u32, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let mut first = 0;
        for (beyond, bits) in Self::LEVELS {
            w.bit(*value >= beyond);
            if *value < beyond {
                w.put((value - first).into(), bits);
                return Ok(());
            }
            first = beyond;
        }
        let (last, bits) = Self::INNERMOST;
        w.bit(*value > last);
        if *value > last {
            w.integer((*value).into());
        } else {
            w.put((value - first).into(), bits);
        }
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<u32, Failed> {
        let mut first = 0;
        for (beyond, bits) in Self::LEVELS {
            if !r.bit()? {
                return Self::within(r.take(bits)? as i64 + i64::from(first), first, beyond - 1, r);
            }
            first = beyond;
        }
        let (last, bits) = Self::INNERMOST;
        if r.bit()? {
            let value = r.integer()?;
            return Self::within(value, last + 1, u32::MAX, r);
        }
        Self::within(r.take(bits)? as i64 + i64::from(first), first, last, r)
    }
}

impl Image for VarLengthNumber {
    fn to_jer(value: &u32, names: Naming) -> Jer {
        if !matches!(names, Naming::R1 | Naming::R2) {
            return (*value).into();
        }
        let level = Self::LEVELS.iter().take_while(|(beyond, _)| value >= beyond).count();
        let innermost = if level < 3 { json!({ "content": value }) } else { json!({ "extension": value }) };
        (0..level.min(2)).fold(innermost, |inner, _| json!({ "extension": inner }))
    }

    fn from_image(image: &Jer) -> Result<u32, ImageError> {
        Ok(number(image, 0, u32::MAX.into())? as u32)
    }
}

impl VarLengthNumber {
    fn within(value: i64, min: u32, max: u32, r: &mut BitReader<'_>) -> Result<u32, Failed> {
        if (i64::from(min)..=i64::from(max)).contains(&value) {
            return Ok(value as u32);
        }
        Err(r.fail(UperErrorKind::OutOfRange { value: value as f64, min: min.into(), max: max.into() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uper::{Dialect, UnknownExtensions};

    #[test]
    fn a_number_of_any_length_is_as_short_as_it_can_be() {
        for (value, bits) in [
            (0, 8),
            (127, 8),
            (128, 16),
            (16_511, 16),
            (16_512, 24),
            (2_113_663, 24),
            (2_113_664, 32),
            (270_549_119, 32),
            (270_549_120, 4 + 8 + 40),
            (u32::MAX, 4 + 8 + 40),
        ] {
            let (mut out, unknown) = ([0; 12], UnknownExtensions::default());
            let mut w = BitWriter::new(&mut out, &unknown, Dialect::DEFAULT);
            VarLengthNumber::encode(&value, &mut w).expect("encodes");
            // The integers of four bytes below 2³¹ take one byte less than those above.
            let expected = if value == 270_549_120 { bits - 8 } else { bits };
            assert_eq!(w.position(), expected, "{value}");
            w.finish().expect("fits");
            assert_eq!(VarLengthNumber::decode(&mut BitReader::new(&out, Dialect::DEFAULT)), Ok(value));
        }
    }
}
