//! Where a certificate is valid (IEEE 1609.2 clauses 6.4.17 to 6.4.27).
//!
//! In: encodings and positions. Out: whether a position is inside, whether one region lies in another. Regions by country
//! code need a map of countries, which is absent: they contain nothing but regions of the same codes, and no position can be
//! refused or confirmed by them ([`Inside::Unknown`]).

use super::oer::{Oer, OerProblem, Read, Reader, write_alternative, write_list};
use crate::geo::{Enu, SiteFrame, Wgs84};
use std::ops::RangeInclusive;

/// Wire units of a degree. Dividing by it gives the number nearest to the decimal fraction; multiplying with 1e-7 does not.
const PER_DEG: f64 = 1e7;

/// A point of a region: degrees, a multiple of 0.1 µdeg.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegionPoint {
    /// Latitude, degrees, north positive.
    pub lat_deg: f64,
    /// Longitude, degrees, east positive.
    pub lon_deg: f64,
}

impl RegionPoint {
    /// The point at (the ground below) a position.
    pub fn of(position: Wgs84) -> Self {
        Self { lat_deg: position.lat_deg, lon_deg: position.lon_deg }
    }

    fn ground(self) -> Wgs84 {
        Wgs84 { lat_deg: self.lat_deg, lon_deg: self.lon_deg, alt_m: 0.0 }
    }
}

/// Reads a latitude or longitude in a range of wire units; `None` is "unknown", the number after the range.
pub(crate) fn read_degrees(reader: &mut Reader<'_>, range: RangeInclusive<i32>) -> Read<Option<f64>> {
    let wire = i32::read(reader)?;
    if wire == range.end() + 1 {
        return Ok(None);
    }
    reader.require(range.contains(&wire), OerProblem::OutOfRange("degrees"))?;
    Ok(Some(f64::from(wire) / PER_DEG))
}

/// The wire unit of degrees.
pub(crate) fn to_wire(deg: f64) -> i32 {
    (deg * PER_DEG).round() as i32
}

/// Latitudes in wire units (`NinetyDegreeInt`).
pub(crate) const LATITUDES: RangeInclusive<i32> = -900_000_000..=900_000_000;
/// Longitudes in wire units (`OneEightyDegreeInt`).
pub(crate) const LONGITUDES: RangeInclusive<i32> = -1_799_999_999..=1_800_000_000;

impl Oer<'_> for RegionPoint {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let mut known = |name, range| {
            reader.named(name, |reader| {
                let degrees = read_degrees(reader, range)?;
                degrees.ok_or_else(|| reader.error(OerProblem::OutOfRange("a point of a region is known")))
            })
        };
        Ok(Self { lat_deg: known("latitude", LATITUDES)?, lon_deg: known("longitude", LONGITUDES)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        to_wire(self.lat_deg).write(out);
        to_wire(self.lon_deg).write(out);
    }
}

/// A rectangle between two parallels and two meridians.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RectangularRegion {
    /// Its north-west corner.
    pub north_west: RegionPoint,
    /// Its south-east corner.
    pub south_east: RegionPoint,
}

impl Oer<'_> for RectangularRegion {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { north_west: reader.field("northWest")?, south_east: reader.field("southEast")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.north_west.write(out);
        self.south_east.write(out);
    }
}

/// A part of a country by codes (UN M.49 country; regions and subregions of the country's own numbering).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdentifiedRegion {
    /// A whole country.
    Country(u16),
    /// Regions of a country.
    Regions {
        /// Country.
        country: u16,
        /// Regions.
        regions: Vec<u8>,
    },
    /// Subregions of regions of a country.
    Subregions {
        /// Country.
        country: u16,
        /// Region and its subregions.
        regions: Vec<RegionAndSubregions>,
    },
}

/// Subregions of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionAndSubregions {
    /// Region.
    pub region: u8,
    /// Subregions.
    pub subregions: Vec<u16>,
}

impl Oer<'_> for RegionAndSubregions {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { region: reader.field("region")?, subregions: reader.list("subregions", 0)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.region.write(out);
        write_list(out, &self.subregions);
    }
}

impl Oer<'_> for IdentifiedRegion {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Country(reader.field("countryOnly")?)),
            1 => Ok(Self::Regions { country: reader.field("countryOnly")?, regions: reader.list("regions", 0)? }),
            2 => Ok(Self::Subregions {
                country: reader.field("country")?,
                regions: reader.list("regionAndSubregions", 0)?,
            }),
            other => reader.unknown("kind of identified region", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Country(country) => {
                write_alternative(out, 0);
                country.write(out);
            }
            Self::Regions { country, regions } => {
                write_alternative(out, 1);
                country.write(out);
                write_list(out, regions);
            }
            Self::Subregions { country, regions } => {
                write_alternative(out, 2);
                country.write(out);
                write_list(out, regions);
            }
        }
    }
}

impl IdentifiedRegion {
    /// Whether all of `inner` belongs to this.
    fn contains(&self, inner: &Self) -> bool {
        match (self, inner) {
            (
                Self::Country(country),
                Self::Country(of) | Self::Regions { country: of, .. } | Self::Subregions { country: of, .. },
            ) => country == of,
            (Self::Regions { country, regions }, Self::Regions { country: of, regions: inner }) => {
                country == of && inner.iter().all(|region| regions.contains(region))
            }
            (Self::Regions { country, regions }, Self::Subregions { country: of, regions: inner }) => {
                country == of && inner.iter().all(|part| regions.contains(&part.region))
            }
            (Self::Subregions { country, regions }, Self::Subregions { country: of, regions: inner }) => {
                let held = |part: &RegionAndSubregions| {
                    let same = regions.iter().filter(|outer| outer.region == part.region);
                    part.subregions.iter().all(|sub| same.clone().any(|outer| outer.subregions.contains(sub)))
                };
                country == of && inner.iter().all(held)
            }
            _ => false,
        }
    }
}

/// Where a certificate is valid (`GeographicRegion`).
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// A circle.
    Circular {
        /// Centre.
        centre: RegionPoint,
        /// Radius, metres.
        radius_m: u16,
    },
    /// Any of some rectangles.
    Rectangular(Vec<RectangularRegion>),
    /// A polygon without holes or crossings, at least three corners.
    Polygonal(Vec<RegionPoint>),
    /// Any of some parts of countries.
    Identified(Vec<IdentifiedRegion>),
}

impl Oer<'_> for Region {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Circular {
                centre: reader.field("circularRegion.center")?,
                radius_m: reader.field("circularRegion.radius")?,
            }),
            1 => Ok(Self::Rectangular(reader.list("rectangularRegion", 0)?)),
            2 => Ok(Self::Polygonal(reader.list("polygonalRegion", 3)?)),
            3 => Ok(Self::Identified(reader.list("identifiedRegion", 0)?)),
            other => reader.unknown("kind of region", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Circular { centre, radius_m } => {
                write_alternative(out, 0);
                centre.write(out);
                radius_m.write(out);
            }
            Self::Rectangular(rectangles) => {
                write_alternative(out, 1);
                write_list(out, rectangles);
            }
            Self::Polygonal(corners) => {
                write_alternative(out, 2);
                write_list(out, corners);
            }
            Self::Identified(parts) => {
                write_alternative(out, 3);
                write_list(out, parts);
            }
        }
    }
}

/// Whether a position is in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// The region is given by country codes.
    Unknown,
}

impl Region {
    /// Whether `position` is inside.
    pub fn holds(&self, position: Wgs84) -> Inside {
        let point = RegionPoint::of(position);
        let inside = match self {
            Self::Circular { centre, radius_m } => distance_m(*centre, point) <= f64::from(*radius_m),
            Self::Rectangular(rectangles) => rectangles.iter().any(|rectangle| rectangle.holds(point)),
            Self::Polygonal(corners) => polygon_holds(corners, point),
            Self::Identified(_) => return Inside::Unknown,
        };
        if inside { Inside::Yes } else { Inside::No }
    }

    /// Whether all of `inner` is inside this (IEEE 1609.2 clause 5.1.2.4). Shapes of different kinds are compared by the
    /// corners of `inner`, and a circle by 16 points of its rim; regions by codes only with each other.
    pub fn contains(&self, inner: &Self) -> bool {
        if let (Self::Identified(parts), Self::Identified(inner)) = (self, inner) {
            return inner.iter().all(|part| parts.iter().any(|outer| outer.contains(part)));
        }
        let inner = inner.rim();
        !inner.is_empty() && inner.into_iter().all(|point| self.holds(point.ground()) == Inside::Yes)
    }

    /// Points that are inside another region when all of this is.
    fn rim(&self) -> Vec<RegionPoint> {
        match self {
            Self::Circular { centre, radius_m } => {
                let frame = SiteFrame::new(centre.ground());
                let at = |index: u32| {
                    let (sin, cos) = (f64::from(index) * std::f64::consts::TAU / 16.0).sin_cos();
                    // The rim itself is inside an equal circle; a centimetre keeps rounding from deciding.
                    let radius_m = (f64::from(*radius_m) - 0.01).max(0.0);
                    RegionPoint::of(frame.to_wgs84(Enu::ground(radius_m * cos, radius_m * sin)))
                };
                (0..16).map(at).collect()
            }
            Self::Rectangular(rectangles) => rectangles.iter().flat_map(RectangularRegion::corners).collect(),
            Self::Polygonal(corners) => corners.clone(),
            Self::Identified(_) => Vec::new(),
        }
    }
}

impl RectangularRegion {
    fn holds(&self, point: RegionPoint) -> bool {
        let west_to_east = (self.south_east.lon_deg - self.north_west.lon_deg).rem_euclid(360.0);
        (self.south_east.lat_deg..=self.north_west.lat_deg).contains(&point.lat_deg)
            && (point.lon_deg - self.north_west.lon_deg).rem_euclid(360.0) <= west_to_east
    }

    fn corners(&self) -> [RegionPoint; 4] {
        let corner = |lat: RegionPoint, lon: RegionPoint| RegionPoint { lat_deg: lat.lat_deg, lon_deg: lon.lon_deg };
        let (north_west, south_east) = (self.north_west, self.south_east);
        [north_west, south_east, corner(north_west, south_east), corner(south_east, north_west)]
    }
}

/// Distance along the ground, metres; exact enough within the 65 km a circle can have.
pub(crate) fn distance_m(from: RegionPoint, to: RegionPoint) -> f64 {
    let ground = SiteFrame::new(from.ground()).to_enu(to.ground());
    ground.e_m.hypot(ground.n_m)
}

/// Whether a point is inside a polygon or on its rim (even-odd rule on latitude and longitude).
fn polygon_holds(corners: &[RegionPoint], point: RegionPoint) -> bool {
    let Some(last) = corners.last() else { return false };
    // Longitudes relative to the point, so that a polygon may cross the date line.
    let east = |corner: &RegionPoint| (corner.lon_deg - point.lon_deg + 540.0).rem_euclid(360.0) - 180.0;
    let north = |corner: &RegionPoint| corner.lat_deg - point.lat_deg;
    let mut inside = false;
    let mut from = last;
    for to in corners {
        let (east_from, north_from, east_to, north_to) = (east(from), north(from), east(to), north(to));
        let cross = east_from * north_to - east_to * north_from;
        let between = east_from * east_to + north_from * north_to <= 0.0;
        // Within a tenth of a wire unit of the edge counts as on it.
        let length = (east_to - east_from).hypot(north_to - north_from);
        if cross.abs() <= length * 0.1 / PER_DEG && between {
            return true;
        }
        if (north_from > 0.0) != (north_to > 0.0) {
            let at = east_from - north_from * (east_to - east_from) / (north_to - north_from);
            inside ^= at > 0.0;
        }
        from = to;
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lat_deg: f64, lon_deg: f64) -> RegionPoint {
        RegionPoint { lat_deg, lon_deg }
    }

    fn rectangle(north: f64, west: f64, south: f64, east: f64) -> Region {
        Region::Rectangular(vec![RectangularRegion { north_west: point(north, west), south_east: point(south, east) }])
    }

    #[test]
    fn each_shape_holds_what_is_in_it() {
        let circle = Region::Circular { centre: point(44.65, 10.93), radius_m: 1000 };
        let polygon = Region::Polygonal(vec![point(44.6, 10.9), point(44.7, 10.9), point(44.7, 11.0)]);
        for (region, lat, lon, inside) in [
            (&circle, 44.658_9, 10.93, Inside::Yes),
            (&circle, 44.659_1, 10.93, Inside::No),
            (&rectangle(44.7, 10.9, 44.6, 11.0), 44.6, 11.0, Inside::Yes),
            (&rectangle(44.7, 10.9, 44.6, 11.0), 44.6, 11.000_000_1, Inside::No),
            (&rectangle(44.7, 10.9, 44.6, 11.0), 44.599_999_9, 10.95, Inside::No),
            (&rectangle(1.0, 179.0, -1.0, -179.0), 0.0, -179.5, Inside::Yes),
            (&rectangle(1.0, 179.0, -1.0, -179.0), 0.0, 178.0, Inside::No),
            (&polygon, 44.69, 10.91, Inside::Yes),
            (&polygon, 44.65, 10.95, Inside::Yes),
            (&polygon, 44.61, 10.99, Inside::No),
            (&polygon, 44.65, 10.89, Inside::No),
            (&Region::Identified(vec![IdentifiedRegion::Country(380)]), 44.0, 10.0, Inside::Unknown),
        ] {
            let position = Wgs84 { lat_deg: lat, lon_deg: lon, alt_m: 0.0 };
            assert_eq!(region.holds(position), inside, "{region:?} {lat} {lon}");
        }
    }

    #[test]
    fn a_region_contains_itself_and_what_is_smaller() {
        let circle = |radius_m| Region::Circular { centre: point(44.65, 10.93), radius_m };
        let square = rectangle(44.7, 10.9, 44.6, 11.0);
        let corners = Region::Polygonal(vec![point(44.61, 10.91), point(44.69, 10.91), point(44.69, 10.99)]);
        let country = |code| Region::Identified(vec![IdentifiedRegion::Country(code)]);
        let regions = Region::Identified(vec![IdentifiedRegion::Regions { country: 380, regions: vec![1, 2] }]);
        for (outer, inner, contains) in [
            (&circle(1000), &circle(1000), true),
            (&circle(1000), &circle(1001), false),
            (&square, &square, true),
            (&square, &circle(1000), true),
            (&square, &circle(60_000), false),
            (&square, &corners, true),
            (&corners, &square, false),
            (&country(380), &regions, true),
            (&regions, &country(380), false),
            (&country(380), &country(276), false),
            (&country(380), &square, false),
            (&square, &country(380), false),
        ] {
            assert_eq!(outer.contains(inner), contains, "{outer:?} {inner:?}");
        }
    }
}
