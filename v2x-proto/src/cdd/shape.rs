//! Areas and volumes in a station's local frame.

use crate::List;
use crate::cdd::Reading;
use crate::cdd::codec::{
    AngleDeg, CartesianCoordinate, CartesianCoordinateLarge, CartesianCoordinateSmall, CoordinateConfidence, Int,
    LengthDm12b, ListExt,
};
use crate::uper::declare::{choice, sequence};

sequence! {
    /// Offset from the reference position (`CartesianPosition3d`): x east, y north, z up for a roadside unit.
    #[derive(Copy, Default)]
    pub struct CartesianPosition3d {
        /// Metres along x (0.01 m, ±327.66 m).
        req x_m: Reading = CartesianCoordinate, "xCoordinate";
        /// Metres along y.
        req y_m: Reading = CartesianCoordinate, "yCoordinate";
        /// Metres along z.
        opt z_m: Reading = CartesianCoordinate, "zCoordinate";
    }
}

sequence! {
    /// One coordinate with its accuracy (`CartesianCoordinateWithConfidence`).
    #[derive(Copy, Default)]
    pub struct CartesianCoordinateWithConfidence {
        /// Metres (0.01 m, ±1,310.7 m).
        req value_m: Reading = CartesianCoordinateLarge, "value";
        /// 95 % accuracy, metres (0.01 m, up to 40.94 m).
        req confidence_m: Option<Reading> = CoordinateConfidence, "confidence";
    }
}

sequence! {
    /// A position with accuracies (`CartesianPosition3dWithConfidence`).
    #[derive(Copy, Default)]
    pub struct CartesianPosition3dWithConfidence {
        /// Along x.
        req x: CartesianCoordinateWithConfidence = CartesianCoordinateWithConfidence, "xCoordinate";
        /// Along y.
        req y: CartesianCoordinateWithConfidence = CartesianCoordinateWithConfidence, "yCoordinate";
        /// Along z.
        opt z: CartesianCoordinateWithConfidence = CartesianCoordinateWithConfidence, "zCoordinate";
    }
}

choice! {
    /// An area or volume (`Shape`).
    pub enum Shape {
        /// Rectangle.
        Rectangular(RectangularShape) = RectangularShape, "rectangular";
        /// Circle.
        Circular(CircularShape) = CircularShape, "circular";
        /// Polygon.
        Polygonal(PolygonalShape) = PolygonalShape, "polygonal";
        /// Ellipse.
        Elliptical(EllipticalShape) = EllipticalShape, "elliptical";
        /// Sector.
        Radial(RadialShape) = RadialShape, "radial";
        /// Several sectors around one point.
        RadialShapes(RadialShapes) = RadialShapes, "radialShapes";
        ...;
    }
}

sequence! {
    /// Rectangle (`RectangularShape`).
    #[derive(Copy, Default)]
    pub struct RectangularShape {
        /// Centre; the reference position when absent.
        opt shape_reference_point: CartesianPosition3d = CartesianPosition3d, "shapeReferencePoint";
        /// Half the length, metres (0.1 m).
        req semi_length_m: f32 = LengthDm12b, "semiLength";
        /// Half the breadth, metres (0.1 m).
        req semi_breadth_m: f32 = LengthDm12b, "semiBreadth";
        /// Direction of the length, degrees (0.1°); the inner `None` is "unavailable".
        opt orientation_deg: Option<f32> = AngleDeg, "orientation";
        /// Height, metres (0.1 m).
        opt height_m: f32 = LengthDm12b, "height";
    }
}

sequence! {
    /// Circle (`CircularShape`).
    #[derive(Copy, Default)]
    pub struct CircularShape {
        /// Centre; the reference position when absent.
        opt shape_reference_point: CartesianPosition3d = CartesianPosition3d, "shapeReferencePoint";
        /// Radius, metres (0.1 m).
        req radius_m: f32 = LengthDm12b, "radius";
        /// Height, metres (0.1 m).
        opt height_m: f32 = LengthDm12b, "height";
    }
}

/// Corners of a polygon, in order; the standard names 3 to 16 and allows more.
pub type Polygon = List<CartesianPosition3d, 8, 64>;

sequence! {
    /// Polygon (`PolygonalShape`).
    #[derive(Default)]
    pub struct PolygonalShape {
        /// Point to which the corners are relative; the reference position when absent.
        opt shape_reference_point: CartesianPosition3d = CartesianPosition3d, "shapeReferencePoint";
        /// Corners.
        req polygon: Polygon = ListExt<CartesianPosition3d, 8, 3, 16, 64>, "polygon";
        /// Height, metres (0.1 m).
        opt height_m: f32 = LengthDm12b, "height";
    }
}

sequence! {
    /// Ellipse (`EllipticalShape`).
    #[derive(Copy, Default)]
    pub struct EllipticalShape {
        /// Centre; the reference position when absent.
        opt shape_reference_point: CartesianPosition3d = CartesianPosition3d, "shapeReferencePoint";
        /// Semi-major axis, metres (0.1 m).
        req semi_major_axis_length_m: f32 = LengthDm12b, "semiMajorAxisLength";
        /// Semi-minor axis, metres (0.1 m).
        req semi_minor_axis_length_m: f32 = LengthDm12b, "semiMinorAxisLength";
        /// Direction of the semi-major axis, degrees (0.1°); the inner `None` is "unavailable".
        opt orientation_deg: Option<f32> = AngleDeg, "orientation";
        /// Height, metres (0.1 m).
        opt height_m: f32 = LengthDm12b, "height";
    }
}

sequence! {
    /// Sector (`RadialShape`). Both vertical angles are given, or none.
    #[derive(Copy, Default)]
    pub struct RadialShape {
        /// Apex; the reference position when absent.
        opt shape_reference_point: CartesianPosition3d = CartesianPosition3d, "shapeReferencePoint";
        /// Radius, metres (0.1 m).
        req range_m: f32 = LengthDm12b, "range";
        /// Start of the horizontal opening, degrees counter-clockwise from x (0.1°).
        req horizontal_opening_angle_start_deg: Option<f32> = AngleDeg, "horizontalOpeningAngleStart";
        /// End of the horizontal opening, degrees (0.1°).
        req horizontal_opening_angle_end_deg: Option<f32> = AngleDeg, "horizontalOpeningAngleEnd";
        /// Start of the vertical opening, degrees (0.1°); the inner `None` is "unavailable".
        opt vertical_opening_angle_start_deg: Option<f32> = AngleDeg, "verticalOpeningAngleStart";
        /// End of the vertical opening, degrees (0.1°); the inner `None` is "unavailable".
        opt vertical_opening_angle_end_deg: Option<f32> = AngleDeg, "verticalOpeningAngleEnd";
    }
}

sequence! {
    /// Sectors around one mounting point (`RadialShapes`).
    #[derive(Default)]
    pub struct RadialShapes {
        /// Identifier of the reference point of the vehicle or trailer.
        req ref_point_id: u8 = Int<u8, 0, 255>, "refPointId";
        /// Metres along x (0.01 m, -30.93..10 m).
        req x_m: Reading = CartesianCoordinateSmall, "xCoordinate";
        /// Metres along y.
        req y_m: Reading = CartesianCoordinateSmall, "yCoordinate";
        /// Metres along z.
        opt z_m: Reading = CartesianCoordinateSmall, "zCoordinate";
        /// The sectors.
        req radial_shapes_list: List<RadialShapeDetails, 2, 64> = ListExt<RadialShapeDetails, 2, 1, 16, 64>, "radialShapesList";
    }
}

sequence! {
    /// One sector (`RadialShapeDetails`). Both vertical angles are given, or none.
    #[derive(Copy, Default)]
    pub struct RadialShapeDetails {
        /// Radius, metres (0.1 m).
        req range_m: f32 = LengthDm12b, "range";
        /// Start of the horizontal opening, degrees (0.1°).
        req horizontal_opening_angle_start_deg: Option<f32> = AngleDeg, "horizontalOpeningAngleStart";
        /// End of the horizontal opening, degrees (0.1°).
        req horizontal_opening_angle_end_deg: Option<f32> = AngleDeg, "horizontalOpeningAngleEnd";
        /// Start of the vertical opening, degrees (0.1°); the inner `None` is "unavailable".
        opt vertical_opening_angle_start_deg: Option<f32> = AngleDeg, "verticalOpeningAngleStart";
        /// End of the vertical opening, degrees (0.1°); the inner `None` is "unavailable".
        opt vertical_opening_angle_end_deg: Option<f32> = AngleDeg, "verticalOpeningAngleEnd";
    }
}
