//! SUMO networks (`.net.xml`, SUMO's "Road Networks" documentation).
//!
//! In: the text of a network. Out: [`Roads`]. Edges, lanes and links keep SUMO's order; internal junctions (where vehicles
//! wait inside a junction) have no number of their own: the link that leaves such a waiting place belongs to the junction
//! around it. What is read over is listed in `known`; anything else unknown is an error. Absent: the `.gz` form, districts,
//! `bidi` tracks as such (they are two edges).

mod known;
mod links;
mod signals;
mod users;

use super::error::RoadsError;
use super::georeference;
use super::load::with_length;
use super::xml::{self, Element};
use super::{Edge, EdgeId, EdgeKind, Junction, JunctionId, Lane, LaneId, LaneKind, Roads};
use crate::geometry::Polyline;
use nalgebra::{Point2, Point3};
use std::collections::BTreeMap;

/// Width of a lane of which the network says none, metres (SUMO's default).
const DEFAULT_WIDTH_M: f64 = 3.2;

impl Roads {
    /// Reads a SUMO network; `name` is how errors call it.
    pub fn from_sumo(text: &str, name: &str) -> Result<Self, RoadsError> {
        let document = xml::parse(text, name)?;
        let net = Element::root(&document, name);
        if net.name() != "net" {
            return Err(RoadsError::UnknownFormat { file: name.to_owned(), root: net.name().to_owned() });
        }
        net.check_known(known::NET)?;
        let mut reader = Reader::default();
        reader.roads.name = super::base_name(name);
        reader.roads.left_hand = net.flag("lefthand")?;
        if let Some(location) = net.first("location") {
            reader.roads.geo = read_location(location)?;
        }
        reader.read_junctions(net)?;
        reader.read_edges(net)?;
        reader.read_signals(net)?;
        reader.read_connections(net)?;
        reader.read_requests(net)?;
        Ok(reader.roads)
    }
}

/// A network being read, and where its names are.
#[derive(Debug, Default)]
struct Reader<'a> {
    roads: Roads,
    junctions: BTreeMap<&'a str, JunctionId>,
    edges: BTreeMap<&'a str, EdgeId>,
    lanes: BTreeMap<&'a str, LaneId>,
    signals: BTreeMap<&'a str, super::SignalId>,
}

impl<'a> Reader<'a> {
    fn read_junctions(&mut self, net: Element<'a, '_>) -> Result<(), RoadsError> {
        for element in net.all("junction").filter(|junction| junction.text("type") != Some("internal")) {
            let id = element.required("id")?;
            let outline = element.text("shape").map_or(Ok(Vec::new()), |text| points(element, text))?;
            let junction = Junction {
                name: id.to_owned(),
                position: Point2::new(element.number("x")?, element.number("y")?),
                outline: outline.iter().map(Point3::xy).collect(),
                links: Vec::new(),
            };
            number(element, &mut self.junctions, id, JunctionId(self.roads.junctions.len() as u32))?;
            self.roads.junctions.push(junction);
        }
        Ok(())
    }

    fn read_edges(&mut self, net: Element<'a, '_>) -> Result<(), RoadsError> {
        for element in net.all("edge") {
            let id = element.required("id")?;
            let edge_id = EdgeId(self.roads.edges.len() as u32);
            number(element, &mut self.edges, id, edge_id)?;
            let kind = match element.text("function") {
                None | Some("normal" | "connector") => EdgeKind::Road,
                Some("internal") => EdgeKind::Internal,
                Some("crossing") => EdgeKind::Crossing,
                Some("walkingarea") => EdgeKind::WalkingArea,
                Some(other) => return Err(element.fail(format!("function=\"{other}\" is not known"))),
            };
            let (from, to) = if kind == EdgeKind::Road {
                (self.junction(element, element.required("from")?)?, self.junction(element, element.required("to")?)?)
            } else {
                let inside = self.junction(element, junction_of(id).unwrap_or(id))?;
                (inside, inside)
            };
            let mut edge = Edge {
                name: id.to_owned(),
                kind,
                from: Some(from),
                to: Some(to),
                priority: element.optional("priority")?.unwrap_or(-1),
                ..Edge::default()
            };
            for (place, lane) in element.all("lane").enumerate() {
                edge.lanes.push(self.read_lane(lane, edge_id, place, &mut edge.outline, kind)?);
            }
            if edge.lanes.is_empty() {
                return Err(element.fail("an edge without lanes"));
            }
            self.roads.edges.push(edge);
        }
        for element in net.all("edge") {
            let crossed = element.text("crossingEdges").unwrap_or_default().split_whitespace();
            let crossed = crossed.map(|name| find(element, &self.edges, "edge", name)).collect::<Result<_, _>>()?;
            let edge = find(element, &self.edges, "edge", element.required("id")?)?;
            self.roads.edges[edge.index()].crosses = crossed;
        }
        Ok(())
    }

    fn read_lane(
        &mut self,
        element: Element<'a, '_>,
        edge: EdgeId,
        place: usize,
        outline: &mut Vec<Point2<f64>>,
        kind: EdgeKind,
    ) -> Result<LaneId, RoadsError> {
        let index: u16 = element.optional("index")?.ok_or_else(|| element.fail("attribute `index` is missing"))?;
        // netconvert numbers the second part of ways with a waiting place from 0 again.
        if usize::from(index) != place && kind == EdgeKind::Road {
            return Err(element.fail(format!("index=\"{index}\" at place {place} of its edge")));
        }
        let users = users::users(element.text("allow"), element.text("disallow"));
        let users = users.map_err(|problem| element.fail(problem))?;
        let shape = points(element, element.required("shape")?)?;
        let centre = match kind {
            // Its shape is an outline; people cross it in any direction, so its line is just its longest extent.
            EdgeKind::WalkingArea => {
                *outline = shape.iter().map(Point3::xy).collect();
                longest_extent(&shape)
            }
            _ => Polyline::new(shape),
        };
        if let Some(text) = element.text("outlineShape") {
            *outline = points(element, text)?.iter().map(Point3::xy).collect();
        }
        let id = element.required("id")?;
        let lane_id = LaneId(self.roads.lanes.len() as u32);
        number(element, &mut self.lanes, id, lane_id)?;
        self.roads.lanes.push(Lane {
            name: id.to_owned(),
            edge,
            index: u16::try_from(place).map_err(|_| element.fail("too many lanes"))?,
            kind: match element.text("type") {
                _ if kind == EdgeKind::Crossing => LaneKind::Sidewalk,
                Some("parking") => LaneKind::Parking,
                _ => users::kind(users),
            },
            users,
            speed_limit_mps: element.positive("speed")?,
            length_m: element.positive("length")?,
            width_m: match element.number_or_none("width")? {
                Some(width) if width > 0.0 => width,
                Some(-1.0) => DEFAULT_WIDTH_M,
                Some(width) => return Err(element.fail(format!("width=\"{width}\" is not above 0"))),
                None => DEFAULT_WIDTH_M,
            },
            centre: with_length(centre).ok_or_else(|| element.fail("the shape has no point"))?,
            links: Vec::new(),
        });
        Ok(lane_id)
    }

    fn junction(&self, element: Element, name: &str) -> Result<JunctionId, RoadsError> {
        find(element, &self.junctions, "junction", name)
    }

    /// The lane of an edge, by the edge's name and the lane's place.
    fn lane(&self, element: Element, edge: &str, place: &str) -> Result<LaneId, RoadsError> {
        let place: usize = element.optional(place)?.ok_or_else(|| element.fail(format!("`{place}` is missing")))?;
        let id = find(element, &self.edges, "edge", edge)?;
        let lane = self.roads.edge(id).lanes.get(place).copied();
        lane.ok_or_else(|| element.fail(format!("edge `{edge}` has no lane {place}")))
    }
}

/// Enters a name; a second one of the same kind is an error.
fn number<'a, T>(
    element: Element,
    names: &mut BTreeMap<&'a str, T>,
    name: &'a str,
    value: T,
) -> Result<(), RoadsError> {
    match names.insert(name, value) {
        None => Ok(()),
        Some(_) => Err(element.fail("the id is taken already")),
    }
}

fn find<T: Copy>(element: Element, names: &BTreeMap<&str, T>, what: &str, name: &str) -> Result<T, RoadsError> {
    names.get(name).copied().ok_or_else(|| element.fail(format!("there is no {what} `{name}`")))
}

/// The junction that an internal edge or a crossing (`:JUNCTION_…`) is a part of.
fn junction_of(name: &str) -> Option<&str> {
    name.strip_prefix(':')?.rsplit_once('_').map(|(junction, _)| junction)
}

/// Points of a `shape`: `x,y` or `x,y,z`, metres, apart by spaces.
fn points(element: Element, text: &str) -> Result<Vec<Point3<f64>>, RoadsError> {
    let wrong = |point: &str| element.fail(format!("`{point}` of a shape is no point `x,y` or `x,y,z` within ±1e9"));
    let mut shape = Vec::new();
    for point in text.split_whitespace() {
        let numbers: Vec<f64> = point.split(',').map_while(|number| number.parse().ok()).collect();
        if numbers.len() != point.split(',').count() || !numbers.iter().all(|number: &f64| number.abs() <= 1e9) {
            return Err(wrong(point));
        }
        shape.push(match numbers[..] {
            [x, y] => Point3::new(x, y, 0.0),
            [x, y, z] => Point3::new(x, y, z),
            _ => return Err(wrong(point)),
        });
    }
    Ok(shape)
}

/// The line between the two corners that are farthest apart.
fn longest_extent(outline: &[Point3<f64>]) -> Polyline {
    let pairs = outline.iter().enumerate().flat_map(|(i, a)| outline[i..].iter().map(move |b| (*a, *b)));
    let longest = pairs.max_by(|(a, b), (c, d)| (a - b).norm_squared().total_cmp(&(c - d).norm_squared()));
    longest.map_or_else(Polyline::default, |(a, b)| Polyline::new([a, b]))
}

/// `netOffset` and `projParameter`: network coordinates are projected ones plus the offset.
fn read_location(location: Element) -> Result<Option<super::GeoReference>, RoadsError> {
    let offset = points(location, location.text("netOffset").unwrap_or("0,0"))?;
    let [offset] = offset[..] else { return Err(location.fail("netOffset is no point")) };
    match location.text("projParameter") {
        // `!`: plain metres; `-`: SUMO's own measure of degrees, without a way back.
        None | Some("!" | "-" | "." | "") => Ok(None),
        Some(projection) => georeference::at(projection, -offset.x, -offset.y)
            .map(Some)
            .map_err(|problem| location.fail(format!("projParameter=\"{projection}\": {problem}"))),
    }
}
