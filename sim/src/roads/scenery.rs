//! What stands beside the road: a small TOML file beside a network (`NAME.scenery.toml` beside `NAME.net.xml`).
//!
//! In: buildings by outline or rectangle; rows of trees, lamp posts and parking spaces; stops of public transport. Out: the
//! same in [`Roads`], rows as single things. Positions are the network's ENU metres. Unknown keys are errors.

use super::error::RoadsError;
use super::{Building, Lamp, LaneId, ParkingSpace, Roads, Stop, Tree};
use nalgebra::Point2;
use serde::Deserialize;

/// As many things as one row may have.
const LONGEST_ROW: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenery {
    #[serde(default)]
    building: Vec<BuildingRow>,
    #[serde(default)]
    trees: Vec<TreeRow>,
    #[serde(default)]
    lamps: Vec<LampRow>,
    #[serde(default)]
    parking: Vec<ParkingRow>,
    #[serde(default)]
    stop: Vec<StopRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BuildingRow {
    /// Corners on the ground, metres.
    outline_m: Option<Vec<[f64; 2]>>,
    /// West, south, east, north side, metres; instead of an outline.
    rectangle_m: Option<[f64; 4]>,
    height_m: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TreeRow {
    from_m: [f64; 2],
    to_m: [f64; 2],
    spacing_m: f64,
    height_m: f64,
    /// Diameter of the crown, metres.
    crown_m: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LampRow {
    from_m: [f64; 2],
    to_m: [f64; 2],
    spacing_m: f64,
    height_m: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ParkingRow {
    name: String,
    lane: String,
    from_m: f64,
    to_m: f64,
    /// Length of one space along the lane, metres.
    space_m: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StopRow {
    name: String,
    lane: String,
    from_m: f64,
    to_m: f64,
}

impl Roads {
    /// Adds what a scenery file says; `name` is how errors call the file.
    pub fn add_scenery(&mut self, text: &str, name: &str) -> Result<(), RoadsError> {
        let fail = |problem: String| RoadsError::Scenery { file: name.to_owned(), problem };
        let scenery: Scenery = toml::from_str(text).map_err(|error| fail(error.to_string()))?;
        for (place, row) in scenery.building.iter().enumerate() {
            let building = building(row).map_err(|problem| fail(format!("building {}: {problem}", place + 1)))?;
            self.buildings.push(building);
        }
        for (place, row) in scenery.trees.iter().enumerate() {
            let positions = row_of(row.from_m, row.to_m, row.spacing_m)
                .and_then(|positions| sizes(&[row.height_m, row.crown_m]).map(|()| positions))
                .map_err(|problem| fail(format!("trees {}: {problem}", place + 1)))?;
            let tree = |position| Tree { position, height_m: row.height_m, crown_m: row.crown_m };
            self.trees.extend(positions.into_iter().map(tree));
        }
        for (place, row) in scenery.lamps.iter().enumerate() {
            let positions = row_of(row.from_m, row.to_m, row.spacing_m)
                .and_then(|positions| sizes(&[row.height_m]).map(|()| positions))
                .map_err(|problem| fail(format!("lamps {}: {problem}", place + 1)))?;
            self.lamps.extend(positions.into_iter().map(|position| Lamp { position, height_m: row.height_m }));
        }
        for row in &scenery.parking {
            let spaces = self.spaces(row).map_err(|problem| fail(format!("parking `{}`: {problem}", row.name)))?;
            self.parking.extend(spaces);
        }
        for row in &scenery.stop {
            let lane = self.part_of_lane(&row.lane, row.from_m, row.to_m);
            let lane = lane.map_err(|problem| fail(format!("stop `{}`: {problem}", row.name)))?;
            self.stops.push(Stop { name: row.name.clone(), lane, from_m: row.from_m, to_m: row.to_m });
        }
        Ok(())
    }

    fn part_of_lane(&self, lane: &str, from_m: f64, to_m: f64) -> Result<LaneId, String> {
        let at = self.lanes.iter().position(|candidate| candidate.name == lane);
        let at = at.ok_or_else(|| format!("there is no lane `{lane}`"))?;
        let length_m = self.lanes[at].length_m;
        if 0.0 <= from_m && from_m < to_m && to_m <= length_m {
            Ok(LaneId(at as u32))
        } else {
            Err(format!("{from_m} m to {to_m} m is no part of a lane of {length_m} m"))
        }
    }

    /// Spaces of a row, one behind the other in the middle of their lane.
    fn spaces(&self, row: &ParkingRow) -> Result<Vec<ParkingSpace>, String> {
        let id = self.part_of_lane(&row.lane, row.from_m, row.to_m)?;
        sizes(&[row.space_m])?;
        let count = ((row.to_m - row.from_m) / row.space_m + 1e-9).floor() as usize;
        if !(1..=LONGEST_ROW).contains(&count) {
            return Err(format!("{count} spaces"));
        }
        let lane = self.lane(id);
        let space = |place: usize| {
            let on = lane.centre.at(row.from_m + (place as f64 + 0.5) * row.space_m)?;
            Some(ParkingSpace {
                name: format!("{}-{}", row.name, place + 1),
                position: on.point.xy(),
                yaw_rad: on.yaw_rad,
                length_m: row.space_m,
                width_m: lane.width_m,
                lane: Some(id),
            })
        };
        Ok((0..count).filter_map(space).collect())
    }
}

fn building(row: &BuildingRow) -> Result<Building, String> {
    let mut outline: Vec<Point2<f64>> = match (&row.outline_m, row.rectangle_m) {
        (Some(outline), None) => outline.iter().map(|[x, y]| Point2::new(*x, *y)).collect(),
        (None, Some([west, south, east, north])) => {
            [[west, south], [east, south], [east, north], [west, north]].map(Point2::from).to_vec()
        }
        _ => return Err("needs either `outline-m` or `rectangle-m`".to_owned()),
    };
    sizes(&[row.height_m])?;
    let area = signed_area_m2(&outline);
    if !(area.abs() > 0.01 && area.abs() < 1e9) {
        return Err("the outline encloses nothing".to_owned());
    }
    if area < 0.0 {
        outline.reverse();
    }
    Ok(Building { outline, height_m: row.height_m })
}

/// Area of a polygon, square metres; positive if it runs counter-clockwise.
pub(super) fn signed_area_m2(outline: &[Point2<f64>]) -> f64 {
    let next = outline.iter().cycle().skip(1);
    outline.iter().zip(next).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>() / 2.0
}

/// Refuses sizes that are not above zero and below a kilometre.
fn sizes(sizes: &[f64]) -> Result<(), String> {
    match sizes.iter().find(|size| !(**size > 0.0 && **size < 1000.0)) {
        Some(size) => Err(format!("a size of {size} m")),
        None => Ok(()),
    }
}

/// Positions from one point to another, one each `spacing_m`.
fn row_of(from: [f64; 2], to: [f64; 2], spacing_m: f64) -> Result<Vec<Point2<f64>>, String> {
    let (from, to) = (Point2::from(from), Point2::from(to));
    let steps = (to - from).norm() / spacing_m + 1e-9;
    if !(spacing_m > 0.0 && steps < LONGEST_ROW as f64) {
        return Err(format!("a row from {from} to {to} each {spacing_m} m"));
    }
    let along = (to - from).try_normalize(1e-9).unwrap_or_default() * spacing_m;
    Ok((0..=steps.floor() as usize).map(|step| from + along * step as f64).collect())
}
