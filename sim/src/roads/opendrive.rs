//! OpenDRIVE networks (`.xodr`, ASAM OpenDRIVE 1.4 to 1.8), through the crate `xodr`.
//!
//! In: the text of a network. Out: [`Roads`]. Each lane section is an edge for each direction of traffic; its lanes are
//! numbered from the outer side, lanes that nobody drives on (green, kerbs) included. Connecting roads become ways inside
//! their junction. OpenDRIVE says little about who goes first and nothing about when signals change, so these are made:
//! ways that cross or merge conflict ([`super::conflicts`]), right of way follows priorities, signs, turns and right before
//! left, and each signalised junction gets a programme of our own (`signals`). Unknown elements are read over, since files
//! carry vendors' extensions; what the network needs and cannot be read is an error. Absent: temporary lane layers, direct
//! and virtual junctions' right of way, crossings outside junctions have no links, superelevation beyond a lane's height.

mod lanes;
mod links;
mod objects;
mod signals;

use super::error::RoadsError;
use super::xml::{self, Element};
use super::{GeoReference, Junction, JunctionId, LaneId, Roads, georeference};
use std::collections::BTreeMap;
use xodr::{Provenance, RoadNetwork, Warning};

impl Roads {
    /// Reads an OpenDRIVE network; `name` is how errors call it.
    pub fn from_opendrive(text: &str, name: &str) -> Result<Self, RoadsError> {
        let document = xml::parse(text, name)?;
        let root = Element::root(&document, name);
        if root.name() != "OpenDRIVE" {
            return Err(RoadsError::UnknownFormat { file: name.to_owned(), root: root.name().to_owned() });
        }
        check_numbers(root)?;
        let (network, provenance) =
            xodr::load_str_with_provenance(text).map_err(|error| root.fail(error.to_string()))?;
        if let Some(fault) = provenance.warnings.iter().find(|warning| is_fault(warning)) {
            let road = root.all("road").find(|road| road.text("id") == Some(fault.road_id()));
            return Err(road.unwrap_or(root).fail(fault.to_string()));
        }
        let mut reader = Reader::new(root, &network, &provenance);
        reader.roads.name = super::base_name(name);
        reader.roads.left_hand = root.all("road").any(|road| road.text("rule") == Some("LHT"));
        reader.roads.geo = read_georeference(&network);
        reader.read_lanes();
        reader.read_links();
        reader.read_right_of_way();
        reader.read_signals();
        reader.read_objects();
        Ok(reader.roads)
    }
}

/// A network being read, and what of the file's its parts are.
#[derive(Debug)]
struct Reader<'a> {
    network: &'a RoadNetwork,
    provenance: &'a Provenance,
    roads: Roads,
    /// By the file's id.
    junctions: BTreeMap<String, JunctionId>,
    /// Our lane of each lane of the file that has one.
    lanes: BTreeMap<usize, LaneId>,
    /// The file's lane of each of ours.
    sources: Vec<xodr::LaneId>,
    /// Where pavements begin.
    pavements: links::Starts,
}

impl<'a> Reader<'a> {
    fn new(root: Element, network: &'a RoadNetwork, provenance: &'a Provenance) -> Self {
        let mut junctions = BTreeMap::new();
        let mut roads = Roads::default();
        for junction in root.all("junction") {
            let name = junction.text("id").unwrap_or_default().to_owned();
            junctions.entry(name.clone()).or_insert_with(|| {
                let id = JunctionId(roads.junctions.len() as u32);
                roads.junctions.push(Junction { name, ..Junction::default() });
                id
            });
        }
        Self {
            network,
            provenance,
            roads,
            junctions,
            lanes: BTreeMap::new(),
            sources: Vec::new(),
            pavements: links::Starts::default(),
        }
    }
}

/// Attributes that place things; they must be numbers wherever they stand.
const NUMBERS: &[&str] = &[
    "s",
    "t",
    "x",
    "y",
    "z",
    "hdg",
    "length",
    "a",
    "b",
    "c",
    "d",
    "aU",
    "bU",
    "cU",
    "dU",
    "aV",
    "bV",
    "cV",
    "dV",
    "curvature",
    "curvStart",
    "curvEnd",
    "sOffset",
    "tOffset",
];

fn check_numbers(root: Element) -> Result<(), RoadsError> {
    const PLACING: &[&str] = &[
        "road",
        "geometry",
        "arc",
        "spiral",
        "poly3",
        "paramPoly3",
        "elevation",
        "superelevation",
        "shape",
        "laneOffset",
        "laneSection",
        "width",
        "border",
        "object",
        "signal",
        "offset",
    ];
    const CURVES: &[&str] = &["line", "arc", "spiral", "poly3", "paramPoly3"];
    for element in root.descendants().filter(|element| PLACING.contains(&element.name())) {
        for attribute in NUMBERS {
            element.number_or_none(attribute)?;
        }
        match element.name() {
            "road" => drop(element.positive("length")?),
            "geometry" if !element.children().any(|curve| CURVES.contains(&curve.name())) => {
                return Err(element.fail(format!("has no curve of a known kind ({})", CURVES.join(", "))));
            }
            "geometry" => {
                ["s", "x", "y", "hdg", "length"].iter().try_for_each(|name| element.number(name).map(drop))?
            }
            _ => {}
        }
    }
    Ok(())
}

/// A part of the network that is lost.
fn is_fault(warning: &Warning) -> bool {
    matches!(
        warning,
        Warning::RoadSkipped { .. }
            | Warning::GeometryDropped { .. }
            | Warning::LaneIdUnreadable { .. }
            | Warning::LaneOnWrongSide { .. }
            | Warning::LaneIdRepeated { .. }
            | Warning::IncludeDropped { .. }
    )
}

/// Files carry projections of every kind; one that is not known leaves the network without a place on the globe.
fn read_georeference(network: &RoadNetwork) -> Option<GeoReference> {
    let reference = network.geo_reference();
    let offset = reference.offset.unwrap_or_default();
    let projection = reference.proj.as_deref().filter(|_| offset.hdg == 0.0)?;
    georeference::at(projection, offset.x, offset.y)
        .inspect_err(|problem| tracing::warn!(projection, problem, "projection not usable"))
        .ok()
}
