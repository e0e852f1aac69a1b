//! Lane sections become edges, lanes become lanes.

use super::Reader;
use crate::geometry::Polyline;
use crate::roads::{Edge, EdgeId, EdgeKind, Junction, JunctionId, Lane, LaneId, LaneKind, Users, load::with_length};
use nalgebra::Point3;
use std::collections::BTreeMap;
use xodr::{Access, Direction, LaneType, Layer, RoadType, SpeedLimit};

/// Lanes that are narrower than this everywhere are only lines, metres.
const NARROWEST_M: f64 = 0.05;
/// Speed limit where the file gives none, metres a second: by kind of lane (50 km/h; 20 km/h; on foot).
const USUAL_SPEED_MPS: [f64; 3] = [13.89, 5.56, 1.39];

/// A side of a lane section on which traffic runs one way: an edge.
type Side = (usize, usize, bool, bool);

impl Reader<'_> {
    pub(super) fn read_lanes(&mut self) {
        // Lanes of one edge, by how far out they lie.
        let mut sides: BTreeMap<Side, Vec<(i32, &xodr::Lane)>> = BTreeMap::new();
        for lane in self.network.lanes().iter().filter(|lane| lane.layer == Layer::Permanent) {
            let Some(at) = self.network.road_lane(lane.id) else { continue };
            if f64::from(lane.width) < NARROWEST_M {
                continue;
            }
            let side = (at.road.0, at.section, at.od_id > 0, lane.direction == Direction::Backward);
            sides.entry(side).or_default().push((at.od_id, lane));
        }
        for ((road, section, left, backward), mut lanes) in sides {
            lanes.sort_by_key(|(od_id, _)| std::cmp::Reverse(od_id.abs()));
            let Some(road) = self.network.roads().get(road) else { continue };
            let edge = EdgeId(self.roads.edges.len() as u32);
            let inside = road.junction().map(str::to_owned).map(|name| self.junction(name));
            let side = if left { "left" } else { "right" };
            // Lanes against the traffic of their side are an edge of their own.
            let against = if left == backward { "" } else { "-against" };
            let ids = lanes.iter().enumerate().map(|(index, (od_id, lane))| {
                let name = format!("{}.{section}.{od_id}", road.od_id());
                self.add_lane(name, edge, index as u16, lane)
            });
            let lanes: Vec<LaneId> = ids.collect();
            self.roads.edges.push(Edge {
                name: format!("{}.{section}.{side}{against}", road.od_id()),
                kind: if inside.is_some() { EdgeKind::Internal } else { EdgeKind::Road },
                lanes,
                from: inside,
                to: inside,
                ..Edge::default()
            });
        }
    }

    /// The junction of this id, which a road may name although the file has none.
    fn junction(&mut self, name: String) -> JunctionId {
        let next = JunctionId(self.roads.junctions.len() as u32);
        let id = *self.junctions.entry(name.clone()).or_insert(next);
        if id == next {
            self.roads.junctions.push(Junction { name, ..Junction::default() });
        }
        id
    }

    fn add_lane(&mut self, name: String, edge: EdgeId, index: u16, lane: &xodr::Lane) -> LaneId {
        let mut points: Vec<Point3<f64>> = lane.center.points().iter().map(|p| point(*p)).collect();
        if lane.direction == Direction::Backward {
            points.reverse();
        }
        let centre = with_length(Polyline::new(points)).unwrap_or_default();
        let middle = lane.center.length() / 2.0;
        let kind = kind(lane.kind);
        let users = self.users(lane, kind, middle);
        let id = LaneId(self.roads.lanes.len() as u32);
        self.lanes.insert(lane.id.0, id);
        self.sources.push(lane.id);
        self.roads.lanes.push(Lane {
            name,
            edge,
            index,
            kind,
            users,
            speed_limit_mps: self.speed_mps(lane, kind, middle),
            length_m: centre.length_m().max(0.01),
            width_m: f64::from(lane.width_at(middle)).max(NARROWEST_M),
            centre,
            links: Vec::new(),
        });
        id
    }

    fn speed_mps(&self, lane: &xodr::Lane, kind: LaneKind, s: f32) -> f64 {
        let usual = match kind {
            LaneKind::Bicycle => USUAL_SPEED_MPS[1],
            LaneKind::Sidewalk => USUAL_SPEED_MPS[2],
            _ => USUAL_SPEED_MPS[0],
        };
        match self.network.speed_limit_at(lane.id, s) {
            Some(SpeedLimit::Max(limit)) if limit > 0.0 => f64::from(limit),
            // 200 km/h stands for "no limit".
            Some(SpeedLimit::Unlimited) => 55.56,
            _ => usual,
        }
    }

    fn users(&self, lane: &xodr::Lane, kind: LaneKind, s: f32) -> Users {
        let mut users = match (lane.kind, kind) {
            (LaneType::Bus, _) => Users::BUS | Users::EMERGENCY,
            (LaneType::Taxi, _) => Users::TAXI | Users::EMERGENCY,
            (LaneType::Shared, _) => Users::ROAD | Users::PEDESTRIAN,
            (_, LaneKind::Driving) => Users::ROAD,
            (_, LaneKind::Bicycle) => Users::BICYCLE,
            (_, LaneKind::Sidewalk) => Users::PEDESTRIAN,
            (_, LaneKind::Shoulder) => Users::EMERGENCY,
            (_, LaneKind::Rail) => Users::RAIL,
            (_, LaneKind::Parking | LaneKind::Verge) => Users::NONE,
        };
        if self.network.road_type_at(lane.id, s) == Some(RoadType::Motorway) {
            users.0 &= !(Users::BICYCLE | Users::PEDESTRIAN).0;
        }
        match self.network.lane_access_at(lane.id, s) {
            Some(Access::Allow(classes)) => users = access(classes),
            Some(Access::Deny(classes)) => users.0 &= !access(classes).0,
            _ => {}
        }
        users
    }
}

/// Metres of a point.
pub(super) fn point(p: xodr::Point) -> Point3<f64> {
    let [x, y, z] = p.to_array().map(f64::from);
    Point3::new(x, y, z)
}

fn kind(lane: LaneType) -> LaneKind {
    match lane {
        LaneType::Driving
        | LaneType::Bidirectional
        | LaneType::Bus
        | LaneType::Taxi
        | LaneType::Hov
        | LaneType::Entry
        | LaneType::Exit
        | LaneType::OnRamp
        | LaneType::OffRamp
        | LaneType::ConnectingRamp
        | LaneType::SlipLane
        | LaneType::Shared => LaneKind::Driving,
        LaneType::Biking => LaneKind::Bicycle,
        LaneType::Sidewalk => LaneKind::Sidewalk,
        LaneType::Parking => LaneKind::Parking,
        LaneType::Stop | LaneType::Shoulder => LaneKind::Shoulder,
        LaneType::Tram | LaneType::Rail => LaneKind::Rail,
        _ => LaneKind::Verge,
    }
}

/// Users that an `<access>` names (OpenDRIVE `e_accessRestrictionType`).
fn access(classes: &[String]) -> Users {
    classes.iter().fold(Users::NONE, |users, class| {
        users
            | match class.as_str() {
                "simulator" | "none" => Users::NONE,
                "autonomousTraffic" | "autonomous traffic" | "throughTraffic" => Users::NONE,
                "passengerCar" => Users::CAR,
                "truck" | "trucks" => Users::TRUCK,
                "bus" => Users::BUS,
                "taxi" => Users::TAXI,
                "delivery" => Users::DELIVERY,
                "emergency" => Users::EMERGENCY,
                "motorcycle" => Users::MOTORCYCLE,
                "bicycle" => Users::BICYCLE,
                "pedestrian" => Users::PEDESTRIAN,
                "tram" | "rail" => Users::RAIL,
                "all" => Users::ALL,
                _ => Users::NONE,
            }
    })
}
