//! Position vectors (EN 302 636-4-1 clause 9.5): who was where, when, and how it moved.

use super::address::GnAddress;
use super::error::FrameError;
use super::wire::{Cursor, Sink};
use crate::geo::Wgs84;
use crate::time::Timestamp;
use std::cmp::Ordering;

/// Units of 0.1 µdeg in a degree.
const TENTH_MICRODEGREES: f64 = 1e7;

/// A GeoNetworking timestamp: `TimestampIts` modulo 2³² milliseconds, which wraps every 49.7 days (clause 9.5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GnTime(pub u32);

impl GnTime {
    /// The timestamp of an instant.
    pub fn of(at: Timestamp) -> Self {
        Self(at.to_its_ms() as u32)
    }

    /// The instant within 24.8 days of `near` that this timestamp means.
    pub fn near(self, near: Timestamp) -> Timestamp {
        let offset_ms = self.0.wrapping_sub(Self::of(near).0) as i32;
        Timestamp::from_its_ms((near.to_its_ms() as i64 + i64::from(offset_ms)).max(0) as u64)
    }

    /// Order in time of two timestamps less than half a period apart (clause C.2, formulae C.1 and C.2).
    pub fn compare(self, other: Self) -> Ordering {
        (self.0.wrapping_sub(other.0) as i32).cmp(&0)
    }
}

/// Long position vector (clause 9.5.2), 24 octets. Kept in wire units so that a forwarder passes it on unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LongPositionVector {
    /// Whose position it is.
    pub address: GnAddress,
    /// When it was there.
    pub time: GnTime,
    latitude: i32,
    longitude: i32,
    /// Position accuracy indicator (1 bit) and signed speed in cm/s (15 bits).
    accuracy_and_speed: u16,
    /// Tenths of a degree clockwise from north.
    heading: u16,
}

/// Whether a position is within half of `itsGnPaiInterval` with 95 % confidence (clause 9.5.2.2, PAI).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PositionAccuracy {
    /// It is.
    Accurate,
    /// It is not, or this is not known.
    #[default]
    Unknown,
}

impl LongPositionVector {
    /// Octets on the wire.
    pub const BYTES: usize = 24;

    /// A standing station.
    pub fn new(address: GnAddress, at: Timestamp, position: Wgs84, accuracy: PositionAccuracy) -> Self {
        let (latitude, longitude) = to_wire(position);
        let accuracy_and_speed = if accuracy == PositionAccuracy::Accurate { 0x8000 } else { 0 };
        Self { address, time: GnTime::of(at), latitude, longitude, accuracy_and_speed, heading: 0 }
    }

    /// The same moving at `speed_mps` (backwards when negative; cut to ±163.83 m/s) towards `heading_deg` clockwise from
    /// north.
    #[must_use]
    pub fn moving(mut self, speed_mps: f64, heading_deg: f64) -> Self {
        let speed = (speed_mps * 100.0).round().clamp(-16384.0, 16383.0) as i16;
        self.accuracy_and_speed = self.accuracy_and_speed & 0x8000 | speed as u16 & 0x7FFF;
        self.heading = ((heading_deg * 10.0).round().rem_euclid(3600.0)) as u16;
        self
    }

    /// Where it was; the height is not known.
    pub fn position(&self) -> Wgs84 {
        from_wire(self.latitude, self.longitude)
    }

    /// Position accuracy indicator.
    pub fn accuracy(&self) -> PositionAccuracy {
        if self.accuracy_and_speed & 0x8000 != 0 { PositionAccuracy::Accurate } else { PositionAccuracy::Unknown }
    }

    /// Speed, m/s; negative when driving backwards.
    pub fn speed_mps(&self) -> f64 {
        // Sign extension of 15 bits.
        f64::from(((self.accuracy_and_speed << 1) as i16) >> 1) / 100.0
    }

    /// Direction of movement, degrees clockwise from north; `None` for a value that is no direction.
    pub fn heading_deg(&self) -> Option<f64> {
        (self.heading <= 3600).then(|| f64::from(self.heading % 3600) / 10.0)
    }

    /// The part that a short position vector has.
    pub fn short(&self) -> ShortPositionVector {
        ShortPositionVector {
            address: self.address,
            time: self.time,
            latitude: self.latitude,
            longitude: self.longitude,
        }
    }

    pub(crate) fn decode(from: &mut Cursor<'_>) -> Result<Self, FrameError> {
        let short = ShortPositionVector::decode(from)?;
        Ok(Self {
            address: short.address,
            time: short.time,
            latitude: short.latitude,
            longitude: short.longitude,
            accuracy_and_speed: from.u16("position vector: speed")?,
            heading: from.u16("position vector: heading")?,
        })
    }

    pub(crate) fn encode(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        self.short().encode(to)?;
        to.put(&self.accuracy_and_speed.to_be_bytes(), "position vector: speed")?;
        to.put(&self.heading.to_be_bytes(), "position vector: heading")
    }
}

/// Short position vector (clause 9.5.3), 20 octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShortPositionVector {
    /// Whose position it is.
    pub address: GnAddress,
    /// When it was there.
    pub time: GnTime,
    latitude: i32,
    longitude: i32,
}

impl ShortPositionVector {
    /// Octets on the wire.
    pub const BYTES: usize = 20;

    /// Where it was; the height is not known.
    pub fn position(&self) -> Wgs84 {
        from_wire(self.latitude, self.longitude)
    }

    pub(crate) fn decode(from: &mut Cursor<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            address: GnAddress::decode(from, "position vector: GN_ADDR")?,
            time: GnTime(from.u32("position vector: timestamp")?),
            latitude: from.i32("position vector: latitude")?,
            longitude: from.i32("position vector: longitude")?,
        })
    }

    pub(crate) fn encode(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        to.put(&self.address.bits().to_be_bytes(), "position vector: GN_ADDR")?;
        to.put(&self.time.0.to_be_bytes(), "position vector: timestamp")?;
        to.put(&self.latitude.to_be_bytes(), "position vector: latitude")?;
        to.put(&self.longitude.to_be_bytes(), "position vector: longitude")
    }
}

/// Latitude and longitude in 0.1 µdeg. A position is valid inside; what is not on the globe is cut to it.
pub(crate) fn to_wire(position: Wgs84) -> (i32, i32) {
    let wire = |degrees: f64, limit: f64| (degrees.clamp(-limit, limit) * TENTH_MICRODEGREES).round() as i32;
    (wire(position.lat_deg, 90.0), wire(position.lon_deg, 180.0))
}

/// The position of a latitude and longitude in 0.1 µdeg.
pub(crate) fn from_wire(latitude: i32, longitude: i32) -> Wgs84 {
    Wgs84 {
        lat_deg: f64::from(latitude) / TENTH_MICRODEGREES,
        lon_deg: f64::from(longitude) / TENTH_MICRODEGREES,
        alt_m: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn timestamps_wrap_and_still_compare() {
        assert_eq!(GnTime(5).compare(GnTime(u32::MAX)), Ordering::Greater);
        assert_eq!(GnTime(u32::MAX).compare(GnTime(5)), Ordering::Less);
        assert_eq!(GnTime(7).compare(GnTime(7)), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn a_timestamp_means_the_instant_nearest_to_now(ms in 1_500_000_000_000i64..2_000_000_000_000,
                                                        age_ms in -2_000_000_000i64..2_000_000_000) {
            let now = Timestamp::from_unix_ms(ms);
            let then = now.plus_ms(age_ms);
            // Around an inserted second `TimestampIts` is not a function of UTC; none lies in this range after 2017.
            prop_assert_eq!(GnTime::of(then).near(now), then);
        }

        // 0.05 µdeg, 5 mm/s and 0.05° are half of the wire's steps.
        #[test]
        fn values_survive_within_half_a_wire_step(lat in -90.0..90.0f64, lon in -180.0..180.0f64,
                                                  speed in -163.0..163.0f64, heading in 0.0..360.0f64) {
            let position = Wgs84 { lat_deg: lat, lon_deg: lon, alt_m: 0.0 };
            let at = Timestamp::from_unix_ms(1_700_000_000_000);
            let vector = LongPositionVector::new(GnAddress::default(), at, position, PositionAccuracy::Accurate)
                .moving(speed, heading);
            prop_assert!((vector.position().lat_deg - lat).abs() <= 0.51e-7);
            prop_assert!((vector.position().lon_deg - lon).abs() <= 0.51e-7);
            prop_assert!((vector.speed_mps() - speed).abs() <= 0.0051);
            let turn = (vector.heading_deg().unwrap() - heading + 180.0).rem_euclid(360.0) - 180.0;
            prop_assert!(turn.abs() <= 0.051);
            prop_assert_eq!(vector.accuracy(), PositionAccuracy::Accurate);
        }
    }
}
