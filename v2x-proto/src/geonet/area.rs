//! Areas as GeoBroadcast and GeoAnycast headers carry them (EN 302 636-4-1 clause 9.8.5).

use super::error::FrameError;
use super::position_vector::{from_wire, to_wire};
use super::request::{GeoArea, Shape};
use super::wire::{Cursor, Sink};

/// An area in wire units, so that a forwarder passes it on unchanged; [`AreaField::area`] is its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaField {
    /// Shape, from the header subtype.
    pub shape: Shape,
    latitude: i32,
    longitude: i32,
    distance_a_m: u16,
    distance_b_m: u16,
    angle_deg: u16,
    /// Reserved; 0 when sent.
    pub reserved: u16,
}

impl From<&GeoArea> for AreaField {
    /// Distances are rounded to metres and cut to 65,535 m, the angle is rounded to degrees.
    fn from(area: &GeoArea) -> Self {
        let (latitude, longitude) = to_wire(area.centre);
        // `as` saturates; a circle has no b.
        let distance_b_m = if area.shape == Shape::Circle { 0 } else { area.b_m.round() as u16 };
        Self {
            shape: area.shape,
            latitude,
            longitude,
            distance_a_m: area.a_m.round() as u16,
            distance_b_m,
            angle_deg: area.azimuth_deg.round().rem_euclid(360.0) as u16,
            reserved: 0,
        }
    }
}

impl AreaField {
    /// What it means.
    pub fn area(&self) -> GeoArea {
        GeoArea {
            shape: self.shape,
            centre: from_wire(self.latitude, self.longitude),
            a_m: f64::from(self.distance_a_m),
            b_m: f64::from(self.distance_b_m),
            azimuth_deg: f64::from(self.angle_deg),
        }
    }

    pub(crate) fn decode(shape: Shape, from: &mut Cursor<'_>) -> Result<Self, FrameError> {
        Ok(Self {
            shape,
            latitude: from.i32("area: latitude")?,
            longitude: from.i32("area: longitude")?,
            distance_a_m: from.u16("area: distance a")?,
            distance_b_m: from.u16("area: distance b")?,
            angle_deg: from.u16("area: angle")?,
            reserved: from.u16("area: reserved")?,
        })
    }

    pub(crate) fn encode(&self, to: &mut Sink<'_>) -> Result<(), FrameError> {
        to.put(&self.latitude.to_be_bytes(), "area: latitude")?;
        to.put(&self.longitude.to_be_bytes(), "area: longitude")?;
        to.put(&self.distance_a_m.to_be_bytes(), "area: distance a")?;
        to.put(&self.distance_b_m.to_be_bytes(), "area: distance b")?;
        to.put(&self.angle_deg.to_be_bytes(), "area: angle")?;
        to.put(&self.reserved.to_be_bytes(), "area: reserved")
    }
}
