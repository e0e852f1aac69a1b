//! SUMO's route and additional files: types, routes, vehicles, trips, flows, stops, induction loops.

use super::config::DetectorSpec;
use super::{Demand, Flow, Rhythm, Types, known, types};
use crate::roads::xml::{self, Element};
use crate::roads::{EdgeId, LaneId, ParkingSpace, Roads, RoadsError};
use crate::traffic::kinds::{VehicleClass, VehicleType};
use crate::traffic::spawn::{DepartLane, DepartPosition, DepartSpeed, Standing, StopSpec, VehicleSpec};
use nalgebra::Vector2;
use std::collections::BTreeMap;

/// Width of a bay unless a parking area says another (SUMO's), metres.
const BAY_WIDTH_M: f64 = 3.2;
/// Most bays of a parking area.
const MOST_BAYS: u32 = 1_000;

/// Reads files one after another; what one defines the next may use.
#[derive(Debug)]
pub(super) struct Reader<'r> {
    roads: &'r Roads,
    lanes: BTreeMap<&'r str, LaneId>,
    edges: BTreeMap<&'r str, EdgeId>,
    types: Types,
    routes: BTreeMap<String, (Vec<EdgeId>, Vec<StopSpec>)>,
    stops: BTreeMap<String, (LaneId, f64, f64)>,
    pub(super) demand: Demand,
    pub(super) detectors: Vec<DetectorSpec>,
    /// Spaces of parking areas.
    pub(super) parking: Vec<ParkingSpace>,
}

impl<'r> Reader<'r> {
    pub(super) fn new(roads: &'r Roads) -> Self {
        let lanes = roads.lanes.iter().enumerate().map(|(id, lane)| (lane.name.as_str(), LaneId(id as u32)));
        let edges = roads.edges.iter().enumerate().map(|(id, edge)| (edge.name.as_str(), EdgeId(id as u32)));
        let mut types = Types::default();
        for (name, class) in [("DEFAULT_VEHTYPE", "passenger"), ("DEFAULT_BIKETYPE", "bicycle")] {
            let class = VehicleClass::named(class).expect("it is in the table");
            types.types.insert(name.to_owned(), VehicleType { name: name.to_owned(), ..VehicleType::of(class) });
        }
        Self {
            roads,
            lanes: lanes.collect(),
            edges: edges.collect(),
            types,
            routes: BTreeMap::new(),
            stops: BTreeMap::new(),
            demand: Demand::default(),
            detectors: Vec::new(),
            parking: Vec::new(),
        }
    }

    /// Reads one file's text.
    pub(super) fn read(&mut self, text: &str, name: &str) -> Result<(), RoadsError> {
        let document = xml::parse(text, name)?;
        for element in Element::root(&document, name).children() {
            if known::READ_OVER.contains(&element.name()) {
                continue;
            }
            element.check_known(known::FILES)?;
            self.element(element)?;
        }
        self.demand.sort();
        Ok(())
    }

    fn element(&mut self, element: Element<'_, '_>) -> Result<(), RoadsError> {
        match element.name() {
            "vType" => {
                let kind = types::vehicle_type(element)?;
                self.types.types.insert(kind.name.clone(), kind);
            }
            "vTypeDistribution" => {
                let distribution = self.types.distribution(element)?;
                self.demand.distributions.push(distribution);
                let place = self.demand.distributions.len() - 1;
                self.types.distributions.insert(element.required("id")?.to_owned(), place);
            }
            "route" => {
                let route = (self.edges_of(element, "edges")?, self.stops_of(element)?);
                self.routes.insert(element.required("id")?.to_owned(), route);
            }
            "vehicle" | "trip" => {
                let (spec, types) = self.vehicle(element)?;
                self.demand.departures.push((spec, types));
            }
            "flow" => self.flow(element)?,
            "busStop" | "trainStop" => {
                let lane = self.lane(element, element.required("lane")?)?;
                let length = self.roads.lane(lane).length_m;
                let start = place(element.number_or_none("startPos")?.unwrap_or(0.0), length);
                let end = place(element.number_or_none("endPos")?.unwrap_or(length), length);
                self.stops.insert(element.required("id")?.to_owned(), (lane, start, end));
            }
            "parkingArea" => self.parking_area(element)?,
            "e1Detector" | "inductionLoop" => {
                let lane = self.lane(element, element.required("lane")?)?;
                let period_s = match element.text("period").or(element.text("freq")) {
                    Some(text) => seconds(element, text)?,
                    None => f64::INFINITY,
                };
                self.detectors.push(DetectorSpec {
                    name: element.required("id")?.to_owned(),
                    lane,
                    position_m: place(element.number("pos")?, self.roads.lane(lane).length_m),
                    period_s: if period_s > 0.0 { period_s } else { f64::INFINITY },
                    file: element.text("file").unwrap_or_default().to_owned(),
                });
            }
            "param" => {}
            other => return Err(element.fail(format!("<{other}> is not known here"))),
        }
        Ok(())
    }

    fn lane(&self, element: Element<'_, '_>, name: &str) -> Result<LaneId, RoadsError> {
        self.lanes.get(name).copied().ok_or_else(|| element.fail(format!("the network has no lane `{name}`")))
    }

    fn edges_of(&self, element: Element<'_, '_>, attribute: &str) -> Result<Vec<EdgeId>, RoadsError> {
        let find = |name: &str| {
            self.edges.get(name).copied().ok_or_else(|| element.fail(format!("the network has no edge `{name}`")))
        };
        let edges: Vec<EdgeId> = element.required(attribute)?.split_whitespace().map(find).collect::<Result<_, _>>()?;
        if edges.is_empty() { Err(element.fail("the route is empty")) } else { Ok(edges) }
    }

    fn stops_of(&self, element: Element<'_, '_>) -> Result<Vec<StopSpec>, RoadsError> {
        element.all("stop").map(|stop| self.stop(stop)).collect()
    }

    fn stop(&self, element: Element<'_, '_>) -> Result<StopSpec, RoadsError> {
        let area = element.text("parkingArea");
        let (lane, start_m, end_m) = match (area.or(element.text("busStop")), element.text("lane")) {
            (Some(name), _) => {
                let found = self.stops.get(name).copied();
                found.ok_or_else(|| element.fail(format!("there is no stop or parking area `{name}`")))?
            }
            (None, Some(name)) => {
                let lane = self.lane(element, name)?;
                let length = self.roads.lane(lane).length_m;
                let end = place(element.number_or_none("endPos")?.unwrap_or(length), length);
                let start = element.number_or_none("startPos")?.map(|start| place(start, length));
                (lane, start.unwrap_or((end - 0.2).max(0.0)), end)
            }
            (None, None) => return Err(element.fail("a stop needs `busStop`, `parkingArea` or `lane`")),
        };
        let duration = element.text("duration").map(|text| seconds(element, text)).transpose()?;
        let until_s = element.text("until").map(|text| seconds(element, text)).transpose()?;
        if duration.is_none() && until_s.is_none() {
            return Err(element.fail("a stop needs `duration` or `until`: nothing else ends it here"));
        }
        let parks = area.is_some() || element.flag("parking")?;
        let standing = if parks { Standing::Bay } else { Standing::Lane };
        Ok(StopSpec { lane, start_m, end_m, duration_s: duration.unwrap_or(0.0), until_s, standing })
    }

    /// Spaces along the road, one behind the other beside the lane, as long and as wide as SUMO makes them.
    fn parking_area(&mut self, element: Element<'_, '_>) -> Result<(), RoadsError> {
        for attribute in ["angle", "onRoad"] {
            if element.text(attribute).is_some_and(|text| !matches!(text, "0" | "0.0" | "0.00" | "false")) {
                return Err(element.fail(format!("`{attribute}` is not supported: bays are beside and along the lane")));
            }
        }
        let (name, id) = (element.required("id")?, self.lane(element, element.required("lane")?)?);
        let lane = self.roads.lane(id);
        let start = place(element.number_or_none("startPos")?.unwrap_or(0.0), lane.length_m);
        let end = place(element.number_or_none("endPos")?.unwrap_or(lane.length_m), lane.length_m);
        let count: u32 = element.optional("roadsideCapacity")?.unwrap_or(0);
        let width_m = element.number_or_none("width")?.unwrap_or(BAY_WIDTH_M);
        if !(1..=MOST_BAYS).contains(&count) || end <= start || !(width_m > 0.0 && width_m < 10.0) {
            return Err(element.fail(format!("{count} bays of {width_m} m from {start} m to {end} m")));
        }
        let (length_m, scale) = ((end - start) / f64::from(count), lane.centre.length_m() / lane.length_m);
        let side = if self.roads.left_hand { 1.0 } else { -1.0 };
        for bay in 0..count {
            let Some(on) = lane.centre.at((start + (f64::from(bay) + 0.5) * length_m) * scale) else { continue };
            let left = Vector2::new(-on.yaw_rad.sin(), on.yaw_rad.cos());
            self.parking.push(ParkingSpace {
                name: format!("{name}-{}", bay + 1),
                position: on.point.xy() + left * (side * 0.5 * (lane.width_m + width_m)),
                yaw_rad: on.yaw_rad,
                length_m,
                width_m,
                lane: None,
            });
        }
        self.stops.insert(name.to_owned(), (id, start, end));
        Ok(())
    }

    fn vehicle(&self, element: Element<'_, '_>) -> Result<(VehicleSpec, Option<usize>), RoadsError> {
        let type_name = element.text("type").unwrap_or("DEFAULT_VEHTYPE");
        let types = self.types.distributions.get(type_name).copied();
        let kind = match (types, self.types.types.get(type_name)) {
            (Some(place), _) => self.demand.distributions[place].0[0].0.clone(),
            (None, Some(kind)) => kind.clone(),
            (None, None) => return Err(element.fail(format!("there is no vType `{type_name}`"))),
        };
        let (route, mut stops) = self.route(element)?;
        stops.extend(self.stops_of(element)?);
        let mut spec = VehicleSpec::of(kind, route);
        spec.beacon = false;
        spec.name = Some(element.required("id")?.to_owned());
        spec.stops = stops;
        spec.depart_s = match element.text("depart") {
            Some(text) => seconds(element, text)?,
            None if element.name() == "flow" => 0.0,
            None => return Err(element.fail("attribute `depart` is missing")),
        };
        spec.depart_lane = depart_lane(element)?;
        spec.depart_position = depart_position(element)?;
        spec.depart_speed = depart_speed(element)?;
        spec.arrival_m = match element.text("arrivalPos") {
            None | Some("max") => None,
            Some(_) => Some(element.number("arrivalPos")?),
        };
        for (attribute, allowed) in [("arrivalLane", "current"), ("arrivalSpeed", "current")] {
            if let Some(text) = element.text(attribute).filter(|text| *text != allowed) {
                return Err(element.fail(format!("{attribute}=\"{text}\" is not supported, `{allowed}` is")));
            }
        }
        for attribute in ["fromTaz", "toTaz"] {
            if element.text(attribute).is_some() {
                return Err(element.fail(format!("`{attribute}` is not supported")));
            }
        }
        spec.speed_factor = element.number_or_none("speedFactor")?;
        Ok((spec, types))
    }

    fn route(&self, element: Element<'_, '_>) -> Result<(Vec<EdgeId>, Vec<StopSpec>), RoadsError> {
        if let Some(inner) = element.first("route") {
            return Ok((self.edges_of(inner, "edges")?, self.stops_of(inner)?));
        }
        if let Some(name) = element.text("route") {
            let known = self.routes.get(name).cloned();
            return known.ok_or_else(|| element.fail(format!("there is no route `{name}`")));
        }
        let mut edges = self.edges_of(element, "from")?;
        if element.text("via").is_some_and(|via| !via.trim().is_empty()) {
            edges.extend(self.edges_of(element, "via")?);
        }
        edges.extend(self.edges_of(element, "to")?);
        edges.dedup();
        Ok((edges, Vec::new()))
    }

    fn flow(&mut self, element: Element<'_, '_>) -> Result<(), RoadsError> {
        let (spec, types) = self.vehicle(element)?;
        let time = |attribute: &str, usual: f64| match element.text(attribute) {
            Some(text) => seconds(element, text),
            None => Ok(usual),
        };
        let (begin_s, end_s) = (time("begin", 0.0)?, time("end", f64::INFINITY)?);
        let number: Option<u64> = element.optional("number")?;
        let per_hour = element.number_or_none("vehsPerHour")?.or(element.number_or_none("perHour")?);
        let rhythm = if let Some(per_hour) = per_hour.filter(|per_hour| *per_hour > 0.0) {
            Rhythm::Every(3600.0 / per_hour)
        } else if let Some(chance) = element.number_or_none("probability")? {
            Rhythm::Chance(chance)
        } else if let Some(text) = element.text("period") {
            match text.trim().strip_prefix("exp(").and_then(|rest| rest.strip_suffix(')')) {
                Some(rate) => {
                    let rate: f64 =
                        rate.trim().parse().map_err(|_| element.fail(format!("period=\"{text}\" is no rate")))?;
                    Rhythm::Poisson(1.0 / rate.max(1e-9))
                }
                None => Rhythm::Every(element.positive("period")?),
            }
        } else if let (Some(number), true) = (number, end_s.is_finite()) {
            Rhythm::Every((end_s - begin_s) / (number.max(1)) as f64)
        } else {
            return Err(element.fail("a flow needs `period`, `vehsPerHour`, `probability`, or `number` with `end`"));
        };
        let id = self.demand.flows.len() as u64;
        let number = number.unwrap_or(u64::MAX);
        self.demand.flows.push(Flow { spec, types, rhythm, end_s, number, next_s: begin_s, count: 0, id });
        Ok(())
    }
}

/// A position on a lane; negative ones count from the end.
fn place(position: f64, length: f64) -> f64 {
    if position < 0.0 { length + position } else { position }.clamp(0.0, length)
}

/// Seconds, or hours:minutes:seconds (days before them).
pub(super) fn seconds(element: Element<'_, '_>, text: &str) -> Result<f64, RoadsError> {
    let mut total = 0.0;
    let factors: &[f64] = match text.matches(':').count() {
        0 => &[1.0],
        2 => &[3600.0, 60.0, 1.0],
        3 => &[86_400.0, 3600.0, 60.0, 1.0],
        _ => return Err(element.fail(format!("\"{text}\" is no time"))),
    };
    for (part, factor) in text.trim().split(':').zip(factors) {
        let number: f64 = part.parse().map_err(|_| element.fail(format!("\"{text}\" is no time")))?;
        total += number * factor;
    }
    if total.is_finite() && total.abs() < 1e9 { Ok(total) } else { Err(element.fail(format!("\"{text}\" is no time"))) }
}

fn depart_lane(element: Element<'_, '_>) -> Result<DepartLane, RoadsError> {
    Ok(match element.text("departLane").unwrap_or("first") {
        "first" => DepartLane::First,
        "best" => DepartLane::Best,
        "free" | "allowed" => DepartLane::Free,
        "random" => DepartLane::Random,
        text => DepartLane::Index(
            text.parse().map_err(|_| element.fail(format!("departLane=\"{text}\" is not supported")))?,
        ),
    })
}

fn depart_position(element: Element<'_, '_>) -> Result<DepartPosition, RoadsError> {
    Ok(match element.text("departPos").unwrap_or("base") {
        "base" => DepartPosition::Base,
        "random" => DepartPosition::Random,
        "free" | "random_free" => DepartPosition::Free,
        "last" => DepartPosition::Last,
        text => DepartPosition::At(
            text.parse().map_err(|_| element.fail(format!("departPos=\"{text}\" is not supported")))?,
        ),
    })
}

fn depart_speed(element: Element<'_, '_>) -> Result<DepartSpeed, RoadsError> {
    Ok(match element.text("departSpeed").unwrap_or("0") {
        "max" => DepartSpeed::Max,
        "desired" | "speedLimit" => DepartSpeed::Desired,
        "random" => DepartSpeed::Random,
        text => {
            DepartSpeed::At(text.parse().map_err(|_| element.fail(format!("departSpeed=\"{text}\" is not supported")))?)
        }
    })
}
