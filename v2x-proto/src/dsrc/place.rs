//! Where: intersections, positions, offsets, ways through an intersection.

use crate::cdd::codec::{Int, Latitude, Longitude};
use crate::dsrc::codec::{
    ByteId, Elevation, Offset10, Offset11, Offset12, Offset13, Offset14, Offset16, RegionalsOf, Xy,
};
use crate::dsrc::{OtherRegional, Position3DAddGrpC, Regionals};
use crate::uper::declare::{choice, sequence};

/// Number of a signal group of an intersection (`SignalGroupID`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalGroupId(pub u8);

impl SignalGroupId {
    /// Not known.
    pub const UNKNOWN: Self = Self(0);
    /// A movement that is always permitted.
    pub const PERMANENT_GREEN: Self = Self(255);
}

sequence! {
    /// Identifier of an intersection (`IntersectionReferenceID`).
    #[derive(Copy, Default, Eq, PartialOrd, Ord, Hash)]
    pub struct IntersectionReferenceId {
        /// Road authority that numbers the intersections.
        opt region: u16 = Int<u16, 0, 65535>, "region";
        /// Number of the intersection.
        req id: u16 = Int<u16, 0, 65535>, "id";
    }
}

sequence! {
    /// A position (`Position3D`).
    #[derive(Default)]
    pub struct Position3D {
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "lat";
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "long";
        /// Height above the WGS 84 ellipsoid, metres (0.1 m, -409.5..6,143.9 m).
        opt elevation_m: Option<f32> = Elevation, "elevation";
        /// Height with its accuracy, and what other regions add.
        opt regional: Regionals<Position3DAddGrpC> = RegionalsOf<Position3DAddGrpC>, "regional";
        ...;
    }
}

impl Position3D {
    /// A position without height.
    pub fn new(latitude_deg: f64, longitude_deg: f64) -> Self {
        Self { latitude_deg: Some(latitude_deg), longitude_deg: Some(longitude_deg), ..Self::default() }
    }
}

/// Offset from the previous node or from the reference point, east and north (`Node-XY-20b` to `Node-XY-32b`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OffsetXy {
    /// Metres towards the east (0.01 m).
    pub x_m: f32,
    /// Metres towards the north (0.01 m).
    pub y_m: f32,
}

sequence! {
    /// A node as an absolute position (`Node-LLmD-64b`).
    #[derive(Copy, Default)]
    pub struct NodePosition {
        /// Longitude, degrees east (0.1 µdeg).
        req longitude_deg: Option<f64> = Longitude, "lon";
        /// Latitude, degrees north (0.1 µdeg).
        req latitude_deg: Option<f64> = Latitude, "lat";
    }
}

choice! {
    /// Where a node is (`NodeOffsetPointXY`); [`NodeOffsetPoint::from_offset`] chooses among the widths.
    pub enum NodeOffsetPoint {
        /// Up to 5.11 m.
        Xy10(OffsetXy) = Xy<Offset10>, "node-XY1";
        /// Up to 10.23 m.
        Xy11(OffsetXy) = Xy<Offset11>, "node-XY2";
        /// Up to 20.47 m.
        Xy12(OffsetXy) = Xy<Offset12>, "node-XY3";
        /// Up to 40.95 m.
        Xy13(OffsetXy) = Xy<Offset13>, "node-XY4";
        /// Up to 81.91 m.
        Xy14(OffsetXy) = Xy<Offset14>, "node-XY5";
        /// Up to 327.67 m.
        Xy16(OffsetXy) = Xy<Offset16>, "node-XY6";
        /// An absolute position.
        Position(NodePosition) = NodePosition, "node-LatLon";
        /// A form of some region.
        Regional(OtherRegional) = OtherRegional, "regional";
    }
}

impl NodeOffsetPoint {
    /// The shortest form of an offset, metres towards the east and the north; `None` beyond 327.67 m.
    pub fn from_offset(x_m: f32, y_m: f32) -> Option<Self> {
        type Form = (i32, fn(OffsetXy) -> NodeOffsetPoint);
        let forms: [Form; 6] = [
            (10, Self::Xy10),
            (11, Self::Xy11),
            (12, Self::Xy12),
            (13, Self::Xy13),
            (14, Self::Xy14),
            (16, Self::Xy16),
        ];
        let fits = |bits: i32| {
            let half = 1_i32 << (bits - 1);
            [x_m, y_m]
                .iter()
                .all(|offset| (-half..half).contains(&((offset * 100.0 + 0.5_f32.copysign(*offset)) as i32)))
        };
        let (_, form) = forms.into_iter().find(|(bits, _)| fits(*bits))?;
        (!x_m.is_nan() && !y_m.is_nan()).then(|| form(OffsetXy { x_m, y_m }))
    }

    /// The offset, unless the node is in another form.
    pub fn offset(&self) -> Option<OffsetXy> {
        match self {
            Self::Xy10(xy) | Self::Xy11(xy) | Self::Xy12(xy) | Self::Xy13(xy) | Self::Xy14(xy) | Self::Xy16(xy) => {
                Some(*xy)
            }
            Self::Position(_) | Self::Regional(_) => None,
        }
    }
}

choice! {
    /// Where a road user enters or leaves an intersection (`IntersectionAccessPoint`).
    pub enum IntersectionAccessPoint {
        /// A lane.
        Lane(u8) = ByteId, "lane";
        /// An approach.
        Approach(u8) = Int<u8, 0, 15>, "approach";
        /// A connection of lanes.
        Connection(u8) = ByteId, "connection";
        ...;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_takes_its_shortest_form() {
        let form = |x, y| NodeOffsetPoint::from_offset(x, y);
        let xy = |x_m, y_m| OffsetXy { x_m, y_m };
        assert_eq!(form(5.11, -5.12), Some(NodeOffsetPoint::Xy10(xy(5.11, -5.12))));
        assert_eq!(form(5.12, 0.0), Some(NodeOffsetPoint::Xy11(xy(5.12, 0.0))));
        assert_eq!(form(0.0, -40.96), Some(NodeOffsetPoint::Xy13(xy(0.0, -40.96))));
        assert_eq!(form(327.67, 0.0), Some(NodeOffsetPoint::Xy16(xy(327.67, 0.0))));
        assert_eq!((form(327.68, 0.0), form(f32::NAN, 0.0), form(f32::INFINITY, 0.0)), (None, None, None));
        assert_eq!(form(5.12, 1.0).and_then(|node| node.offset()), Some(xy(5.12, 1.0)));
    }
}
