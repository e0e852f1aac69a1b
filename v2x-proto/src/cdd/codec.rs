//! Wire forms of the data elements: ranges, units and special codes (TS 102 894-2).

pub(crate) use crate::uper::element::{Int, IntExt, ListExt, ListOf, OnHeap};
use crate::uper::quantity::quantities;

quantities! {
    // name: Rust type, range, unit of one step, special codes.
    Latitude: f64 [-900_000_000..=900_000_001] per 1e7, unavailable 900_000_001;
    Longitude: f64 [-1_800_000_000..=1_800_000_001] per 1e7, unavailable 1_800_000_001;
    DeltaLatitude: f32 [-131_071..=131_072] per 1e7, unavailable 131_072;
    AltitudeValue: f32 [-100_000..=800_001] per 1e2, below -100_000, above 800_000, unavailable 800_001;
    DeltaAltitude: f32 [-12_700..=12_800] per 1e2, below -12_700, above 12_799, unavailable 12_800;
    SemiAxisLength: f32 [0..=4095] per 1e2, above 4094, unavailable 4095;
    AngleDeg: f32 [0..=3601] per 10.0, unavailable 3601, wraps 3600;
    ConfidenceDeg: f32 [1..=127] per 10.0, above 126, unavailable 127;
    SpeedValue: f32 [0..=16_383] per 1e2, above 16_382, unavailable 16_383;
    SpeedConfidence: f32 [1..=127] per 1e2, above 126, unavailable 127;
    VelocityComponentValue: f32 [-16_383..=16_383] per 1e2, below -16_383, above 16_382, unavailable 16_383;
    AccelerationValue: f32 [-160..=161] per 10.0, below -160, above 160, unavailable 161;
    AccelerationMagnitudeValue: f32 [0..=161] per 10.0, above 160, unavailable 161;
    AccelerationConfidence: f32 [0..=102] per 10.0, above 101, unavailable 102;
    CurvatureValue: f32 [-1023..=1023] per 1e4, below -1023, above 1022, unavailable 1023;
    YawRateValue: f32 [-32_766..=32_767] per 1e2, below -32_766, above 32_766, unavailable 32_767;
    SteeringWheelAngleValue: f32 [-511..=512] per (1.0 / 1.5), below -511, above 511, unavailable 512;
    SteeringConfidence: f32 [1..=127] per (1.0 / 1.5), above 126, unavailable 127;
    AngularRate: f32 [-255..=256] per 1.0, below -255, above 255, unavailable 256;
    CartesianCoordinateSmall: f32 [-3094..=1001] per 1e2, below -3094, above 1001;
    CartesianCoordinate: f32 [-32_768..=32_767] per 1e2, below -32_768, above 32_767;
    CartesianCoordinateLarge: f32 [-131_072..=131_071] per 1e2, below -131_072, above 131_071;
    CoordinateConfidence: f32 [1..=4096] per 1e2, above 4095, unavailable 4096;
    ObjectDimensionValue: f32 [1..=256] per 10.0, above 255, unavailable 256;
    ObjectDimensionConfidence: f32 [1..=32] per 10.0, above 31, unavailable 32;
    LengthDm12b: f32 [0..=4095] per 10.0;
    LengthDm9b: f32 [0..=511] per 10.0;
    LengthDm1B: f32 [0..=255] per 10.0;
    LengthDm2B: f32 [0..=65_535] per 10.0;
    LaneWidthCodec: f32 [0..=1023] per 1e2;
    LongitudinalLanePositionValue: f32 [0..=32_767] per 10.0, above 32_766, unavailable 32_767;
    LongitudinalLanePositionConfidence: f32 [0..=1023] per 10.0, above 1022, unavailable 1023;
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
pub(crate) struct StationIdCodec;
pub(crate) struct TimestampItsCodec;
pub(crate) struct PathDeltaTime;
pub(crate) struct LaneStatus;
pub(crate) struct EmergencyActionCode;
pub(crate) struct CompanyName;
pub(crate) struct PhoneNumberCodec;
pub(crate) struct PtData;
pub(crate) struct VdsCodec;
pub(crate) struct WmiCodec;
pub(crate) struct CountryCodeCodec;
pub(crate) struct IviNumber;
