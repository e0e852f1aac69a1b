//! Wire forms of the data elements: ranges, units and special codes (TS 102 894-2).

use crate::cdd::subcause::RoadworksSubCause;
use crate::cdd::{CauseCode, DrivingLaneStatus, LanePosition, StationId, StationType, TimestampIts};
use crate::uper::element::{Coded, Element};
pub(crate) use crate::uper::element::{Int, IntExt, ListExt, ListOf, OnHeap};
// Every table of components needs these.
pub(crate) use crate::heap::{Box, inline};
use crate::uper::quantity::quantities;
use crate::uper::reader::BitReader;
use crate::uper::text::{Ia5, Numeric, Octets, Utf8};
use crate::uper::writer::BitWriter;
use crate::uper::{Failed, UperErrorKind};

quantities! {
    // name: Rust type, range, unit of one step, special codes.
    Latitude: f64 [-900_000_000..=900_000_001] per 1e7, unavailable 900_000_001;
    Longitude: f64 [-1_800_000_000..=1_800_000_001] per 1e7, unavailable 1_800_000_001;
    DeltaLatitude: f32 [-131_071..=131_072] per 1e7, unavailable 131_072;
    AltitudeValue: f32 [-100_000..=800_001] per 1e2, below -100_000, above 800_000, unavailable 800_001;
    DeltaAltitude: f32 [-12_700..=12_800] per 1e2, below -12_700, above 12_799, unavailable 12_800;
    SemiAxisLength: f32 [0..=4095] upto 1e2, above 4094, unavailable 4095;
    AngleDeg: f32 [0..=3601] per 10.0, unavailable 3601, wraps 3600;
    ConfidenceDeg: f32 [1..=127] upto 10.0, above 126, unavailable 127;
    SpeedValue: f32 [0..=16_383] per 1e2, above 16_382, unavailable 16_383;
    SpeedConfidence: f32 [1..=127] upto 1e2, above 126, unavailable 127;
    VelocityComponentValue: f32 [-16_383..=16_383] per 1e2, below -16_383, above 16_382, unavailable 16_383;
    AccelerationValue: f32 [-160..=161] per 10.0, below -160, above 160, unavailable 161;
    AccelerationMagnitudeValue: f32 [0..=161] per 10.0, above 160, unavailable 161;
    AccelerationConfidence: f32 [0..=102] upto 10.0, above 101, unavailable 102;
    CurvatureValue: f32 [-1023..=1023] per 1e4, below -1023, above 1022, unavailable 1023;
    YawRateValue: f32 [-32_766..=32_767] per 1e2, below -32_766, above 32_766, unavailable 32_767;
    SteeringWheelAngleValue: f32 [-511..=512] times 1.5, below -511, above 511, unavailable 512;
    SteeringConfidence: f32 [1..=127] times 1.5, above 126, unavailable 127;
    AngularRate: f32 [-255..=256] per 1.0, below -255, above 255, unavailable 256;
    CartesianCoordinateSmall: f32 [-3094..=1001] per 1e2, below -3094, above 1001;
    CartesianCoordinate: f32 [-32_768..=32_767] per 1e2, below -32_768, above 32_767;
    CartesianCoordinateLarge: f32 [-131_072..=131_071] per 1e2, below -131_072, above 131_071;
    CoordinateConfidence: f32 [1..=4096] upto 1e2, above 4095, unavailable 4096;
    ObjectDimensionValue: f32 [1..=256] per 10.0, above 255, unavailable 256;
    ObjectDimensionConfidence: f32 [1..=32] upto 10.0, above 31, unavailable 32;
    LengthDm12b: f32 [0..=4095] per 10.0;
    LengthDm9b: f32 [0..=511] per 10.0;
    LengthDm1B: f32 [0..=255] per 10.0;
    LengthDm2B: f32 [0..=65_535] per 10.0;
    LaneWidthCodec: f32 [0..=1023] per 1e2;
    LongitudinalLanePositionValue: f32 [0..=32_767] per 10.0, above 32_766, unavailable 32_767;
    LongitudinalLanePositionConfidence: f32 [0..=1023] upto 10.0, above 1022, unavailable 1023;
    Position1d: f32 [-8190..=8191] per 1.0, above 8190, unavailable 8191;
    VehicleLengthValue: f32 [1..=1023] per 10.0, above 1022, unavailable 1023;
    VehicleWidthValue: f32 [1..=62] per 10.0, above 61, unavailable 62;
    VehicleHeightValue: f32 [1..=62] per 10.0, above 61, unavailable 62;
    HeightLonCarr: f32 [1..=100] per 1e2, above 99, unavailable 100;
    PosLonCarr: f32 [1..=127] per 1e2, above 126, unavailable 127;
    PosPillar: f32 [1..=30] per 10.0, above 29, unavailable 30;
    PosCentMass: f32 [1..=63] per 10.0, above 62, unavailable 63;
    WheelBaseVehicle: f32 [1..=127] per 10.0, above 126, unavailable 127;
    TurningRadius: f32 [1..=255] per 2.5, above 254, unavailable 255;
    PosFrontAx: f32 [1..=20] per 10.0, above 19, unavailable 20;
    TenthsOfSecond: f32 [0..=127] per 10.0, unavailable 127;
    QuarterSeconds: f32 [1..=255] per 4.0, unavailable 255;
    VehicleMass: u32 [1..=1024] times 100, above 1023, unavailable 1024;
    NumberOfOccupants: u8 [0..=127] times 1, above 126, unavailable 127;
    ConfidencePercent: u8 [1..=101] times 1, unavailable 101;
    CorrelationPercent: i8 [-100..=101] times 1, unavailable 101;
    StabilityProbability: u8 [0..=63] times 2, unavailable 63;
    PedalPositionValue: u8 [0..=11] times 10, unavailable 11;
    TenSeconds: u16 [0..=127] times 10;
}

/// `DeltaTimeMilliSecondSigned`.
pub(crate) type DeltaTimeMs = Int<i16, -2048, 2047>;
/// `CardinalNumber1B`.
pub(crate) type ByteCount = Int<u8, 0, 255>;

/// `StationId`.
pub(crate) struct StationIdCodec;

impl Coded for StationIdCodec {
    type Value = StationId;
    const MIN: i64 = 0;
    const MAX: i64 = u32::MAX as i64;

    #[inline(always)]
    fn to_code(value: &StationId) -> Result<i64, UperErrorKind> {
        Ok(value.0.into())
    }

    #[inline(always)]
    fn from_code(code: i64) -> StationId {
        StationId(code as u32)
    }
}

/// `TimestampIts`.
pub(crate) struct TimestampItsCodec;

impl Coded for TimestampItsCodec {
    type Value = TimestampIts;
    const MIN: i64 = 0;
    const MAX: i64 = 4_398_046_511_103;

    #[inline(always)]
    fn to_code(value: &TimestampIts) -> Result<i64, UperErrorKind> {
        Ok(value.0.min(i64::MAX as u64) as i64)
    }

    #[inline(always)]
    fn from_code(code: i64) -> TimestampIts {
        TimestampIts(code as u64)
    }
}

impl Coded for LanePosition {
    type Value = Self;
    const MIN: i64 = -1;
    const MAX: i64 = 14;

    #[inline(always)]
    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        Ok(value.0.into())
    }

    #[inline(always)]
    fn from_code(code: i64) -> Self {
        Self(code as i8)
    }
}

/// `TrafficParticipantType` limited to 0, 5..11 and 14, which takes four bits; the limits inside are not on the wire.
pub(crate) struct VehicleSubClass;

impl Coded for VehicleSubClass {
    type Value = StationType;
    const MIN: i64 = 0;
    const MAX: i64 = 14;

    #[inline(always)]
    fn to_code(value: &StationType) -> Result<i64, UperErrorKind> {
        Ok(value.code().into())
    }

    #[inline(always)]
    fn from_code(code: i64) -> StationType {
        StationType::from_code(code as u8)
    }
}

impl Coded for RoadworksSubCause {
    type Value = Self;
    const MIN: i64 = 0;
    const MAX: i64 = 255;

    fn to_code(value: &Self) -> Result<i64, UperErrorKind> {
        Ok(u8::from(*value).into())
    }

    fn from_code(code: i64) -> Self {
        (code as u8).into()
    }
}

/// `PathDeltaTime`: steps of 10 ms, 1..65535 and more as an extension.
pub(crate) struct PathDeltaTime;

impl Element for PathDeltaTime {
    type Value = u32;

    fn encode(value: &u32, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        IntExt::<u32, 1, 65_535>::encode_code((i64::from(*value) + 5) / 10, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<u32, Failed> {
        let code = IntExt::<u32, 1, 65_535>::decode_code(r)?;
        u32::try_from(code * 10).map_err(|_| r.fail(UperErrorKind::NotSupported("path delta time above 49 days")))
    }
}

/// `IviIdentificationNumber`: 1..32767, and 8388607 as an extension.
pub(crate) type IviNumber = IntExt<u32, 1, 32_767>;

/// `CauseCode` and `CauseCodeV2`: an extension bit, then two bytes.
impl Element for CauseCode {
    type Value = Self;

    fn encode(value: &Self, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        let unknown = w.extensible("CauseCode")?;
        let codes = u64::from(value.code()) << 8 | u64::from(value.sub_code());
        w.put(u64::from(unknown.is_some()) << 16 | codes, 17);
        if unknown.is_some() {
            w.additions(0, 0, unknown);
            w.unknown_additions(unknown)?;
        }
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self, Failed> {
        let ordinal = r.extensible();
        let bits = r.take(17)?;
        let cause = Self::from_codes((bits >> 8) as u8, bits as u8);
        if bits >> 16 == 1 {
            let additions = r.additions()?;
            r.unknown_additions(additions, ordinal, "CauseCode")?;
        }
        Ok(cause)
    }
}

/// `DrivingLaneStatus`.
pub(crate) struct LaneStatus;

impl LaneStatus {
    pub(crate) fn first_highest(value: &DrivingLaneStatus) -> u32 {
        u32::from(value.closed).reverse_bits() >> (32 - u32::from(value.lanes))
    }
}

impl Element for LaneStatus {
    type Value = DrivingLaneStatus;

    fn encode(value: &DrivingLaneStatus, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        if !(1..=13).contains(&value.lanes) {
            return Err(w.fail(UperErrorKind::Count { count: value.lanes.into(), min: 1, max: 13 }));
        }
        w.put(u64::from(value.lanes - 1), 4);
        w.put(Self::first_highest(value).into(), value.lanes.into());
        Ok(())
    }

    fn decode(r: &mut BitReader<'_>) -> Result<DrivingLaneStatus, Failed> {
        let lanes = r.take(4)? as u32 + 1;
        if lanes > 13 {
            return Err(r.fail(UperErrorKind::Count { count: lanes as usize, min: 1, max: 13 }));
        }
        let bits = r.take(lanes)? as u32;
        Ok(DrivingLaneStatus { lanes: lanes as u8, closed: (bits.reverse_bits() >> (32 - lanes)) as u16 })
    }
}

/// ISO 14816 `CountryCode`, ten bits.
pub(crate) struct CountryCodeCodec;

impl Element for CountryCodeCodec {
    type Value = u16;

    fn encode(value: &u16, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        Int::<u16, 0, 1023>::encode(value, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<u16, Failed> {
        Int::<u16, 0, 1023>::decode(r)
    }
}

pub(crate) type EmergencyActionCode = Ia5<1, 24>;
pub(crate) type CompanyName = Utf8<1, 24, 96>;
pub(crate) type PhoneNumberCodec = Numeric<1, 16>;
pub(crate) type PtData = Octets<1, 20>;
pub(crate) type VdsCodec = Ia5<6, 6>;
pub(crate) type WmiCodec = Ia5<1, 3>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_every_quantity_is_its_own_again() {
        for (name, min, max, recode) in QUANTITIES {
            // Latitudes and longitudes have billions of codes: every 997th, and the ends.
            let step = if max - min > 1_000_000 { 997 } else { 1 };
            let ends = (max - 1000..=*max).chain(*min..=min + 1000).filter(|code| (*min..=*max).contains(code));
            for code in (*min..=*max).step_by(step).chain(ends) {
                assert_eq!(recode(code), Ok(code), "{name}");
            }
        }
    }

    #[test]
    fn accuracies_round_up() {
        use crate::cdd::Reading;
        assert_eq!(ConfidenceDeg::to_code(&Reading::of(0.0)), Ok(1));
        assert_eq!(ConfidenceDeg::to_code(&Reading::of(1.01)), Ok(11));
        assert_eq!(ConfidenceDeg::to_code(&Reading::of(12.6)), Ok(126));
        assert_eq!(CoordinateConfidence::to_code(&Reading::of(40.93)), Ok(4093));
        assert_eq!(SemiAxisLength::to_code(&Reading::of(0.0)), Ok(0));
        assert_eq!(SemiAxisLength::to_code(&Reading::of(0.001)), Ok(1));
        assert!(SemiAxisLength::to_code(&Reading::of(-0.5)).is_err());
    }

    #[test]
    fn values_round_to_the_nearest_code_and_marks_take_what_is_beyond() {
        use crate::cdd::Reading;
        assert_eq!(SpeedValue::to_code(&Reading::of(13.894)), Ok(1389));
        assert_eq!(SpeedValue::to_code(&Reading::of(13.896)), Ok(1390));
        assert_eq!(SpeedValue::to_code(&Reading::of(163.82)), Ok(16_382));
        assert_eq!(SpeedValue::to_code(&None), Ok(16_383));
        assert!(SpeedValue::to_code(&Reading::of(-1.0)).is_err());
        assert!(SpeedValue::to_code(&Reading::of(f32::NAN)).is_err());
        assert!(SpeedValue::to_code(&Some(Reading::BelowRange)).is_err());
        assert_eq!(AccelerationValue::to_code(&Reading::of(-99.0)), Ok(-160));
        assert_eq!(AccelerationValue::to_code(&Reading::of(-0.26)), Ok(-3));
        assert_eq!(CartesianCoordinate::to_code(&Reading::Value(-400.0)), Ok(-32_768));
        assert_eq!(ObjectDimensionValue::to_code(&Reading::of(0.02)), Ok(1));
        assert!(ObjectDimensionValue::to_code(&Reading::of(-0.2)).is_err());
        assert_eq!(LengthDm12b::to_code(&409.51), Ok(4095));
        assert!(LengthDm12b::to_code(&409.6).is_err());
    }
}
