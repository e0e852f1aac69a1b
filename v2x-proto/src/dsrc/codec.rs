//! Wire forms of the data elements: ranges, units and special codes (ISO/TS 19091, SAE J2735).

use crate::List;
use crate::dsrc::{OffsetXy, OtherRegional, Regional, SignalGroupId, TemporaryId, TimeMark};
use crate::heap::Content;
#[cfg(feature = "std")]
use crate::jer::{Jer, hex};
#[cfg(feature = "std")]
use crate::json::Naming;
use crate::uper::element::{Coded, Element, Int, ListOf, width};
use crate::uper::quantity::quantities;
use crate::uper::reader::BitReader;
use crate::uper::text::Ia5;
use crate::uper::writer::BitWriter;
use crate::uper::{Failed, UperErrorKind};
use core::marker::PhantomData;

quantities! {
    // name: Rust type, range, unit of one step, special codes.
    MinuteOfTheYear: u32 [0..=527_040] times 1, unavailable 527_040;
    DSecond: u16 [0..=65_535] times 1, unavailable 65_535;
    SpeedAdvice: f32 [0..=500] per 10.0, above 499, unavailable 500;
    Velocity: f32 [0..=8191] per 50.0, unavailable 8191;
    ZoneLength: u16 [0..=10_000] times 1, first 0, above 10_000;
    Elevation: f32 [-4096..=61_439] per 10.0, first -4096;
    Angle: f32 [0..=28_800] per 80.0, unavailable 28_800, circular 28_800;
    LaneWidth: f32 [0..=32_767] per 1e2;
    Offset9: f32 [-256..=255] per 1e2;
    Offset10: f32 [-512..=511] per 1e2;
    Offset11: f32 [-1024..=1023] per 1e2;
    Offset12: f32 [-2048..=2047] per 1e2;
    Offset13: f32 [-4096..=4095] per 1e2;
    Offset14: f32 [-8192..=8191] per 1e2;
    Offset16: f32 [-32_768..=32_767] per 1e2;
    DrivenLineOffsetSmall: f32 [-2047..=2047] per 1e2;
    DrivenLineOffsetLarge: f32 [-32_767..=32_767] per 1e2;
    RoadwayCrownAngle: f32 [-128..=127] times 0.3, first -128;
    MergeDivergeNodeAngle: f32 [-180..=180] times 1.5, first -180;
    ScaleB12: f32 [-2048..=2047] per 20.0;
    VehicleHeight: f32 [0..=127] per 20.0;
    DeltaTime: i16 [-122..=121] times 10, first -122;
    SemiAxisAccuracy: f32 [0..=255] upto 20.0, above 254, unavailable 255;
    SemiMajorAxisOrientation: f32 [0..=65_535] per 182.041_666_666_666_66, unavailable 65_535, circular 65_535;
    DYear: u16 [0..=4095] times 1, first 0;
    DMonth: u8 [0..=12] times 1, first 0;
    DDay: u8 [0..=31] times 1, first 0;
    DHour: u8 [0..=31] times 1, unavailable 31;
    DMinute: u8 [0..=60] times 1, unavailable 60;
    DOffset: i16 [-840..=840] times 1, first -840;
    TimeReference: u16 [0..=60_000] times 1;
}

/// `MsgCount`: counts the changes or the messages of a sender, modulo 128.
pub(crate) type MsgCount = Int<u8, 0, 127>;
/// Identifiers of one byte: lanes, connections, requests, restriction classes.
pub(crate) type ByteId = Int<u8, 0, 255>;
/// `DescriptiveName`.
pub(crate) type NameCodec = Ia5<1, 63>;
/// Regional extensions of which one is typed.
pub(crate) type RegionalsOf<C> = ListOf<RegionalOf<C>, 0, 1, 4>;
/// Regional extensions, none of which is known.
pub(crate) type OtherRegionalsCodec = ListOf<OtherRegional, 0, 1, 4>;

impl Coded for TimeMark {
    type Value = Self;
    const MIN: i64 = 0;
    /// Later versions of SAE J2735 go up to here; ISO/TS 19091 ends at 36,001 in as many bits.
    const MAX: i64 = 36_111;

    #[inline(always)]
    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        let code = value.code();
        if Self::from_code(code) == *value {
            return Ok(code.into());
        }
        Err(UperErrorKind::OutOfRange { value: code.into(), min: Self::MIN, max: Self::MAX })
    }

    #[inline(always)]
    fn from_code(code: i64) -> Self {
        Self::from_code(code as u16)
    }
}

impl Coded for SignalGroupId {
    type Value = Self;
    const MIN: i64 = 0;
    const MAX: i64 = 255;

    #[inline(always)]
    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        Ok(value.0.into())
    }

    #[inline(always)]
    fn from_code(code: i64) -> Self {
        Self(code as u8)
    }
}

impl Coded for TemporaryId {
    type Value = Self;
    const MIN: i64 = 0;
    const MAX: i64 = u32::MAX as i64;

    #[inline(always)]
    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        Ok(value.0.into())
    }

    #[inline(always)]
    fn from_code(code: i64) -> Self {
        Self(code as u32)
    }

    #[cfg(feature = "std")]
    fn code_to_jer(code: i64, names: Naming) -> Jer {
        match names {
            Naming::R1 | Naming::R2 => hex(&(code as u32).to_be_bytes()).into(),
            _ => code.into(),
        }
    }
}

/// Two offsets of the same width.
pub(crate) struct Xy<Q>(PhantomData<Q>);

impl<Q: Coded<Value = f32>> Element for Xy<Q> {
    type Value = OffsetXy;

    #[inline]
    fn encode(value: &OffsetXy, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        Q::encode(&value.x_m, w).map_err(|failed| w.in_field(failed, "x"))?;
        Q::encode(&value.y_m, w).map_err(|failed| w.in_field(failed, "y"))
    }

    #[inline]
    fn decode(r: &mut BitReader<'_>) -> Result<OffsetXy, Failed> {
        Ok(OffsetXy { x_m: Q::decode(r)?, y_m: Q::decode(r)? })
    }
}

/// An INTEGER without limits, of which five bytes are read and written.
pub(crate) struct Unlimited;

impl Unlimited {
    pub(crate) const MIN: i64 = -(1 << 39);
    pub(crate) const MAX: i64 = (1 << 39) - 1;
}

impl Element for Unlimited {
    type Value = i64;

    fn encode(value: &i64, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if !(Self::MIN..=Self::MAX).contains(value) {
            return Err(w.fail(UperErrorKind::OutOfRange { value: *value as f64, min: Self::MIN, max: Self::MAX }));
        }
        w.integer(*value);
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<i64, Failed> {
        r.integer()
    }
}

/// An OCTET STRING of `MIN..=MAX` bytes, hexadecimal digits in every JSON form.
pub(crate) struct HexOctets<const INLINE: usize, const MIN: usize, const MAX: usize>;

impl<const INLINE: usize, const MIN: usize, const MAX: usize> Element for HexOctets<INLINE, MIN, MAX> {
    type Value = List<u8, INLINE, MAX>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        ListOf::<ByteId, INLINE, MIN, MAX>::encode(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        ListOf::<ByteId, INLINE, MIN, MAX>::decode(r)
    }
}

/// Content of an open type as it is.
pub(crate) struct RawContent;

impl Element for RawContent {
    type Value = Content;

    fn encode(value: &Content, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if value.is_empty() {
            return Err(w.fail(UperErrorKind::NotCanonical("empty open type")));
        }
        w.open_raw(value)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Content, Failed> {
        r.open_raw()
    }
}

/// A regional extension whose European form is `C`.
pub(crate) struct RegionalOf<C>(PhantomData<C>);

/// `RegionId` of Europe, "addGrpC".
pub(super) const ADD_GRP_C: u8 = 3;

impl<C: Element> Element for RegionalOf<C> {
    type Value = Regional<C::Value>;

    fn encode(value: &Self::Value, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        match value {
            Regional::AddGrpC(content) => {
                w.put(ADD_GRP_C.into(), const { width(0, 255) });
                w.open_type(|w| C::encode(content, w)).map_err(|failed| w.in_field(failed, "regExtValue"))
            }
            Regional::Other(other) => OtherRegional::encode(other, w),
        }
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self::Value, Failed> {
        let region_id = r.take(const { width(0, 255) })? as u8;
        if region_id != ADD_GRP_C {
            let content = r.open_raw().map_err(|failed| r.in_field(failed, "regExtValue"))?;
            return Ok(Regional::Other(OtherRegional { region_id, content }));
        }
        let outer = r.open()?;
        let start = r.position();
        let content = C::decode(r).map_err(|failed| r.in_field(failed, "regExtValue"))?;
        r.close(outer, start)?;
        Ok(Regional::AddGrpC(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_quantity_is_its_own_again() {
        for (name, min, max, recode) in QUANTITIES {
            for code in *min..=*max {
                assert_eq!(recode(code), Ok(code), "{name}");
            }
        }
    }

    #[test]
    fn values_round_and_marks_take_what_is_beyond() {
        use crate::cdd::Reading;
        assert_eq!(SpeedAdvice::to_code(&Reading::of(13.88)), Ok(139));
        assert_eq!(SpeedAdvice::to_code(&Reading::of(70.0)), Ok(499));
        assert_eq!(ZoneLength::to_code(&None), Ok(0));
        assert_eq!(ZoneLength::to_code(&Reading::of(12_000)), Ok(10_000));
        assert_eq!(Angle::to_code(&Some(359.999)), Ok(0));
        assert!(Angle::to_code(&Some(360.0)).is_err());
        assert_eq!(SemiMajorAxisOrientation::to_code(&Some(359.9999)), Ok(0));
        assert_eq!(SemiAxisAccuracy::to_code(&Reading::of(0.01)), Ok(1));
        assert!(Elevation::to_code(&Some(-410.0)).is_err());
        assert_eq!(Elevation::to_code(&None), Ok(-4096));
        assert_eq!(Velocity::to_code(&Some(13.9)), Ok(695));
    }
}
