//! Where something is, as GeoJSON (RFC 7946) and NGSI-LD know it: longitude first, WGS 84 degrees.
//!
//! In: positions. Out: GeoJSON values, boxes, distances, containment. Invariants: a line has two positions at least, a
//! ring is closed and has four. Distances are exact to a per mille up to some 100 km, which is what a city needs.
//! Absent: areas across the antimeridian or a pole.

use masa_v2x_proto::geo::Wgs84;
use serde_json::{Value, json};

/// Metres per degree of latitude: mean radius of the earth (IUGG, 6,371,008.8 m).
const M_PER_DEG: f64 = 111_195.08;
/// Most positions of one geometry that comes from outside.
const MAX_POSITIONS: usize = 1_000;

/// A position: longitude and latitude, WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees east.
    pub lon_deg: f64,
    /// Degrees north.
    pub lat_deg: f64,
}

impl Position {
    /// A position on the earth; `None` for one that is not.
    pub fn new(lon_deg: f64, lat_deg: f64) -> Option<Self> {
        ((-180.0..=180.0).contains(&lon_deg) && (-90.0..=90.0).contains(&lat_deg)).then_some(Self { lon_deg, lat_deg })
    }

    /// East and north of `origin`, metres.
    fn offset_m(self, origin: Self) -> [f64; 2] {
        let per_deg_east = M_PER_DEG * origin.lat_deg.to_radians().cos();
        [(self.lon_deg - origin.lon_deg) * per_deg_east, (self.lat_deg - origin.lat_deg) * M_PER_DEG]
    }

    /// The position `east_m` and `north_m` from here.
    pub fn moved_m(self, east_m: f64, north_m: f64) -> Self {
        let per_deg_east = M_PER_DEG * self.lat_deg.to_radians().cos().max(1e-6);
        Self { lon_deg: self.lon_deg + east_m / per_deg_east, lat_deg: self.lat_deg + north_m / M_PER_DEG }
    }

    /// GeoJSON coordinates, to 1e-7 degrees (a centimetre, the step of ETSI messages).
    fn coordinates(self) -> [f64; 2] {
        let round = |deg: f64| (deg * 1e7).round() / 1e7;
        [round(self.lon_deg), round(self.lat_deg)]
    }
}

impl From<Wgs84> for Position {
    fn from(p: Wgs84) -> Self {
        Self { lon_deg: p.lon_deg, lat_deg: p.lat_deg }
    }
}

/// Where something is.
#[derive(Clone, Debug, PartialEq)]
pub enum Geometry {
    /// One position.
    Point(Position),
    /// Two positions or more.
    LineString(Vec<Position>),
    /// One closed ring of four positions or more; holes are not kept.
    Polygon(Vec<Position>),
}

/// Why a GeoJSON value is no geometry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeometryError {
    /// Another type, or none.
    #[error("the geometry type must be Point, LineString or Polygon")]
    Type,
    /// Coordinates that do not fit the type, or are not on the earth.
    #[error("the coordinates do not make a geometry on the earth")]
    Coordinates,
    /// More than [`MAX_POSITIONS`].
    #[error("more than {MAX_POSITIONS} positions")]
    TooLarge,
}

impl Geometry {
    /// Reads a GeoJSON geometry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_geojson(value: &Value) -> Result<Self, GeometryError> {
        let kind = value.get("type").and_then(Value::as_str).ok_or(GeometryError::Type)?;
        Self::from_parts(kind, value.get("coordinates").ok_or(GeometryError::Coordinates)?)
    }

    /// Reads a geometry from its type and coordinates, as NGSI-LD queries give them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_parts(kind: &str, coordinates: &Value) -> Result<Self, GeometryError> {
        match kind {
            "Point" => Ok(Self::Point(position(coordinates)?)),
            "LineString" => match positions(coordinates)? {
                line if line.len() >= 2 => Ok(Self::LineString(line)),
                _ => Err(GeometryError::Coordinates),
            },
            "Polygon" => {
                let ring = positions(coordinates.get(0).ok_or(GeometryError::Coordinates)?)?;
                let closed = ring.len() >= 4 && ring.first() == ring.last();
                if closed { Ok(Self::Polygon(ring)) } else { Err(GeometryError::Coordinates) }
            }
            _ => Err(GeometryError::Type),
        }
    }

    /// The GeoJSON geometry.
    pub fn to_geojson(&self) -> Value {
        let list = |positions: &[Position]| positions.iter().map(|p| p.coordinates()).collect::<Vec<_>>();
        match self {
            Self::Point(p) => json!({ "type": "Point", "coordinates": p.coordinates() }),
            Self::LineString(line) => json!({ "type": "LineString", "coordinates": list(line) }),
            Self::Polygon(ring) => json!({ "type": "Polygon", "coordinates": [list(ring)] }),
        }
    }

    /// All positions.
    pub fn positions(&self) -> &[Position] {
        match self {
            Self::Point(p) => std::slice::from_ref(p),
            Self::LineString(positions) | Self::Polygon(positions) => positions,
        }
    }

    /// A position to show a marker at: the point, or the middle of the box around it.
    pub fn anchor(&self) -> Position {
        let [west, south, east, north] = self.bounds();
        Position { lon_deg: (west + east) / 2.0, lat_deg: (south + north) / 2.0 }
    }

    /// West, south, east, north, degrees.
    pub fn bounds(&self) -> [f64; 4] {
        self.positions().iter().fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |[w, s, e, n], p| {
            [w.min(p.lon_deg), s.min(p.lat_deg), e.max(p.lon_deg), n.max(p.lat_deg)]
        })
    }

    /// Whether it lies in `other`: all its positions do.
    pub fn is_within(&self, other: &Self) -> bool {
        match other {
            Self::Polygon(ring) => self.positions().iter().all(|p| contains(ring, *p)),
            _ => self == other,
        }
    }

    /// Whether they have a point in common, to the precision of messages (a centimetre).
    pub fn intersects(&self, other: &Self) -> bool {
        self.distance_m(other) < 0.01
    }

    /// Shortest distance to `other`, metres; 0 when one lies in the other.
    pub fn distance_m(&self, other: &Self) -> f64 {
        let inside = |area: &Self, thing: &Self| match area {
            Self::Polygon(ring) => thing.positions().iter().any(|p| contains(ring, *p)),
            _ => false,
        };
        if inside(self, other) || inside(other, self) {
            return 0.0;
        }
        let origin = self.positions()[0];
        let flat = |g: &Self| g.positions().iter().map(|p| p.offset_m(origin)).collect::<Vec<_>>();
        let (a, b) = (flat(self), flat(other));
        if a.windows(2).any(|s| b.windows(2).any(|t| cross(s, t))) {
            return 0.0;
        }
        // Of two lines that do not cross, one has an end nearest to the other.
        let nearest = |points: &[[f64; 2]], line: &[[f64; 2]]| {
            points.iter().map(|p| to_line_m(*p, line)).fold(f64::INFINITY, f64::min)
        };
        nearest(&a, &b).min(nearest(&b, &a))
    }
}

fn position(value: &Value) -> Result<Position, GeometryError> {
    let at = |index: usize| value.get(index).and_then(Value::as_f64);
    let (Some(lon), Some(lat)) = (at(0), at(1)) else { return Err(GeometryError::Coordinates) };
    Position::new(lon, lat).ok_or(GeometryError::Coordinates)
}

fn positions(value: &Value) -> Result<Vec<Position>, GeometryError> {
    let list = value.as_array().ok_or(GeometryError::Coordinates)?;
    if list.len() > MAX_POSITIONS {
        return Err(GeometryError::TooLarge);
    }
    list.iter().map(position).collect()
}

/// Whether a ring contains a position, by crossings of a ray towards east.
fn contains(ring: &[Position], p: Position) -> bool {
    let crossings = ring.windows(2).filter(|edge| {
        let (a, b) = (edge[0], edge[1]);
        (a.lat_deg > p.lat_deg) != (b.lat_deg > p.lat_deg)
            && p.lon_deg < (b.lon_deg - a.lon_deg) * (p.lat_deg - a.lat_deg) / (b.lat_deg - a.lat_deg) + a.lon_deg
    });
    crossings.count() % 2 == 1
}

/// Distance of a point to a line of one point or more.
fn to_line_m(p: [f64; 2], line: &[[f64; 2]]) -> f64 {
    let to_point = |q: [f64; 2]| (p[0] - q[0]).hypot(p[1] - q[1]);
    let to_segment = |s: &[[f64; 2]]| {
        let d = [s[1][0] - s[0][0], s[1][1] - s[0][1]];
        let square = d[0] * d[0] + d[1] * d[1];
        let along = ((p[0] - s[0][0]) * d[0] + (p[1] - s[0][1]) * d[1]) / square;
        let t = if square > 0.0 { along.clamp(0.0, 1.0) } else { 0.0 };
        to_point([s[0][0] + t * d[0], s[0][1] + t * d[1]])
    };
    match line {
        [only] => to_point(*only),
        _ => line.windows(2).map(to_segment).fold(f64::INFINITY, f64::min),
    }
}

/// Whether two segments cross.
fn cross(s: &[[f64; 2]], t: &[[f64; 2]]) -> bool {
    let side = |a: [f64; 2], b: [f64; 2], p: [f64; 2]| (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]);
    side(s[0], s[1], t[0]) * side(s[0], s[1], t[1]) < 0.0 && side(t[0], t[1], s[0]) * side(t[0], t[1], s[1]) < 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lon: f64, lat: f64) -> Geometry {
        Geometry::Point(Position { lon_deg: lon, lat_deg: lat })
    }

    fn polygon(ring: &[[f64; 2]]) -> Geometry {
        Geometry::from_parts("Polygon", &json!([ring])).unwrap()
    }

    #[test]
    fn distances_are_those_of_the_earth() {
        // One minute of latitude is a nautical mile; in Modena a degree of longitude is 0.711 of one of latitude.
        let here = point(10.93, 44.65);
        assert!((here.distance_m(&point(10.93, 44.65 + 1.0 / 60.0)) - 1_853.0).abs() < 2.0);
        let east = here.distance_m(&point(10.94, 44.65));
        assert!((east - 0.01 * M_PER_DEG * 44.65_f64.to_radians().cos()).abs() < 0.5, "{east}");
        let moved = Position { lon_deg: 10.93, lat_deg: 44.65 }.moved_m(30.0, 40.0);
        assert!((here.distance_m(&Geometry::Point(moved)) - 50.0).abs() < 0.01);
    }

    #[test]
    fn areas_contain_what_is_in_them() {
        let area = polygon(&[[10.0, 44.0], [11.0, 44.0], [11.0, 45.0], [10.0, 45.0], [10.0, 44.0]]);
        assert!(point(10.5, 44.5).is_within(&area));
        assert_eq!(point(10.5, 44.5).distance_m(&area), 0.0);
        assert!(!point(11.5, 44.5).is_within(&area));
        let line = Geometry::from_parts("LineString", &json!([[9.5, 44.5], [11.5, 44.5]])).unwrap();
        assert!(line.intersects(&area) && !line.is_within(&area), "it crosses the area with both ends outside");
    }

    #[test]
    fn what_is_no_geometry_is_refused() {
        use GeometryError::{Coordinates, TooLarge, Type};
        let many: Vec<_> = (0..=MAX_POSITIONS).map(|_| [10.0, 44.0]).collect();
        for (kind, coordinates, error) in [
            ("Circle", json!([1, 2]), Type),
            ("Point", json!([]), Coordinates),
            ("Point", json!([200, 0]), Coordinates),
            ("Point", json!(["1", "2"]), Coordinates),
            ("LineString", json!([[1, 2]]), Coordinates),
            ("Polygon", json!([[[1, 2], [2, 2], [2, 1]]]), Coordinates),
            ("Polygon", json!([]), Coordinates),
            ("LineString", json!(many), TooLarge),
        ] {
            assert_eq!(Geometry::from_parts(kind, &coordinates), Err(error), "{kind} {coordinates}");
        }
    }
}
