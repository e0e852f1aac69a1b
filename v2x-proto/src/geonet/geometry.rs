//! Whether a position lies in an area, and how far from it (EN 302 931 clause 5).

use super::request::{GeoArea, Shape};
use crate::geo::{SiteFrame, Wgs84};
use std::f64::consts::PI;

impl GeoArea {
    /// The characteristic function F of EN 302 931 clause 5: 1 at the centre, positive inside, 0 on the border, negative
    /// outside. Negative everywhere for an area without extent.
    pub fn characteristic(&self, position: Wgs84) -> f64 {
        let (x, y) = self.local(position);
        let (a, b) = self.axes();
        if a <= 0.0 || b <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let (x2, y2) = ((x / a).powi(2), (y / b).powi(2));
        match self.shape {
            Shape::Circle | Shape::Ellipse => 1.0 - x2 - y2,
            Shape::Rectangle => (1.0 - x2).min(1.0 - y2),
        }
    }

    /// Whether `position` is inside or on the border.
    pub fn contains(&self, position: Wgs84) -> bool {
        self.characteristic(position) >= 0.0
    }

    /// Distance from `position` to the nearest point of the area, metres; 0 inside.
    pub fn distance_m(&self, position: Wgs84) -> f64 {
        let (x, y) = self.local(position);
        let (a, b) = self.axes();
        match self.shape {
            Shape::Circle => (x.hypot(y) - a).max(0.0),
            Shape::Rectangle => (x.abs() - a).max(0.0).hypot((y.abs() - b).max(0.0)),
            Shape::Ellipse => distance_to_ellipse(x.abs(), y.abs(), a, b),
        }
    }

    /// Size, square metres (EN 302 636-4-1 annex B.3 limits it).
    pub fn size_m2(&self) -> f64 {
        let (a, b) = self.axes();
        match self.shape {
            Shape::Circle | Shape::Ellipse => PI * a * b,
            Shape::Rectangle => 4.0 * a * b,
        }
    }

    fn axes(&self) -> (f64, f64) {
        (self.a_m, if self.shape == Shape::Circle { self.a_m } else { self.b_m })
    }

    /// Coordinates in the area's own frame, metres: x along the long side, y to the right of it.
    fn local(&self, position: Wgs84) -> (f64, f64) {
        let ground = |p: Wgs84| Wgs84 { alt_m: 0.0, ..p };
        let at = SiteFrame::new(ground(self.centre)).to_enu(ground(position));
        let (sin, cos) = self.azimuth_deg.to_radians().sin_cos();
        (at.e_m * sin + at.n_m * cos, at.e_m * cos - at.n_m * sin)
    }
}

/// Distance between two positions over ground, metres; of the chord, which is exact within any radio's range.
pub fn ground_distance_m(from: Wgs84, to: Wgs84) -> f64 {
    let ground = |p: Wgs84| Wgs84 { alt_m: 0.0, ..p };
    let there = SiteFrame::new(ground(from)).to_enu(ground(to));
    (there.e_m.powi(2) + there.n_m.powi(2) + there.u_m.powi(2)).sqrt()
}

/// Distance from a point of the first quadrant to an axis-aligned ellipse; 0 inside.
///
/// The nearest point is `(a²x / (t + a²), b²y / (t + b²))` for the root t > 0 of
/// `(ax / (t + a²))² + (by / (t + b²))² = 1`, whose left side falls with t.
fn distance_to_ellipse(x: f64, y: f64, a: f64, b: f64) -> f64 {
    if a <= 0.0 || b <= 0.0 {
        return x.hypot(y);
    }
    let outside = |t: f64| (a * x / (t + a * a)).powi(2) + (b * y / (t + b * b)).powi(2) > 1.0;
    if !outside(0.0) {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, a.max(b) * x.hypot(y));
    // Sixty halvings of at most 10¹² m² reach a micrometre.
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if outside(middle) { low = middle } else { high = middle }
    }
    (x - a * a * x / (high + a * a)).hypot(y - b * b * y / (high + b * b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::Enu;
    use proptest::prelude::*;

    const CENTRE: Wgs84 = Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 0.0 };

    fn area(shape: Shape, azimuth_deg: f64) -> GeoArea {
        GeoArea { shape, centre: CENTRE, a_m: 200.0, b_m: 50.0, azimuth_deg }
    }

    fn at(e_m: f64, n_m: f64) -> Wgs84 {
        SiteFrame::new(CENTRE).to_wgs84(Enu::ground(e_m, n_m))
    }

    #[test]
    fn the_function_of_clause_5() {
        use Shape::{Circle, Ellipse, Rectangle};
        // Shape, azimuth, east, north, expected F (EN 302 931 clauses 5.2 to 5.4).
        for (shape, azimuth, e, n, f) in [
            (Circle, 0.0, 0.0, 0.0, 1.0),
            (Circle, 0.0, 100.0, 0.0, 0.75),
            (Circle, 0.0, 0.0, 200.0, 0.0),
            (Circle, 33.0, -400.0, 0.0, -3.0),
            (Rectangle, 0.0, 25.0, 0.0, 0.75),
            (Rectangle, 0.0, 49.0, 199.0, 1.0 - 0.990_025),
            (Rectangle, 90.0, 190.0, 40.0, 1.0 - 0.9025),
            (Rectangle, 90.0, 40.0, 190.0, 1.0 - 14.44),
            (Ellipse, 0.0, 0.0, 100.0, 0.75),
            (Ellipse, 0.0, 50.0, 0.0, 0.0),
            (Ellipse, 90.0, 100.0, 25.0, 0.5),
        ] {
            let found = area(shape, azimuth).characteristic(at(e, n));
            // A metre of the tangent plane is a metre on the ellipsoid to 1e-8 here.
            assert!((found - f).abs() < 1e-5, "{shape:?} {azimuth}° at {e},{n}: {found} instead of {f}");
        }
        let nothing = GeoArea { a_m: 0.0, b_m: 0.0, ..area(Circle, 0.0) };
        assert!(!nothing.contains(CENTRE));
    }

    #[test]
    fn the_long_side_turns_clockwise_from_north() {
        let rectangle = area(Shape::Rectangle, 45.0);
        assert!(rectangle.contains(at(130.0, 130.0)) && !rectangle.contains(at(-130.0, 130.0)));
    }

    #[test]
    fn distances_to_areas() {
        use Shape::{Circle, Ellipse, Rectangle};
        for (shape, e, n, distance) in [
            (Circle, 0.0, 500.0, 300.0),
            (Circle, 10.0, 10.0, 0.0),
            (Rectangle, 80.0, 240.0, 50.0),
            (Rectangle, 60.0, 0.0, 10.0),
            (Ellipse, 0.0, 260.0, 60.0),
            (Ellipse, 80.0, 0.0, 30.0),
            (Ellipse, 1.0, 1.0, 0.0),
        ] {
            let found = area(shape, 0.0).distance_m(at(e, n));
            assert!((found - distance).abs() < 0.01, "{shape:?} at {e},{n}: {found} instead of {distance}");
        }
        assert!((ground_distance_m(CENTRE, at(300.0, 400.0)) - 500.0).abs() < 0.01);
        assert!((area(Rectangle, 0.0).size_m2() - 40_000.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn inside_is_where_the_distance_is_zero(e in -300.0..300.0f64, n in -300.0..300.0f64, azimuth in 0.0..360.0f64,
                                                shape in prop::sample::select(vec![Shape::Circle, Shape::Rectangle, Shape::Ellipse])) {
            let area = area(shape, azimuth);
            let (inside, distance) = (area.contains(at(e, n)), area.distance_m(at(e, n)));
            // Within a millimetre of the border rounding may decide either way.
            prop_assert!(inside == (distance == 0.0) || distance < 1e-3, "{inside} {distance}");
            // Going straight to the centre is never shorter than the distance.
            prop_assert!(distance <= e.hypot(n));
        }
    }
}
