//! Positions of the scenario as places on the roads.

use super::Storyboard;
use super::body::Body;
use crate::geometry::angle_between;
use crate::openscenario::model::{EntityId, Orientation, Position, Route};
use crate::openscenario::network::{Network, RoadPlace};
use nalgebra::Point3;

/// A position that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) point: Point3<f64>,
    pub(super) yaw_rad: f64,
    pub(super) place: Option<RoadPlace>,
}

impl Found {
    /// A place, facing as traffic on its lane does unless an orientation says otherwise.
    fn on(network: &Network, place: RoadPlace, orientation: Option<Orientation>) -> Self {
        let mut place = RoadPlace { along: network.drives_along(place.road, place.s_m, place.lane), ..place };
        let (point, lane_yaw) = network.pose(&place);
        let yaw_rad = turned(orientation, lane_yaw);
        if angle_between(yaw_rad, lane_yaw).abs() > std::f64::consts::FRAC_PI_2 + 1e-9 {
            place.along = !place.along;
        }
        Self { point, yaw_rad, place: Some(place) }
    }
}

fn turned(orientation: Option<Orientation>, base_rad: f64) -> f64 {
    match orientation {
        None => base_rad,
        Some(Orientation { relative: true, heading_rad }) => angle_between(base_rad + heading_rad, 0.0),
        Some(Orientation { relative: false, heading_rad }) => heading_rad,
    }
}

impl Storyboard {
    fn body(&self, entity: EntityId) -> &Body {
        &self.bodies[entity.0]
    }

    /// Where a position is; `None` if it is not on the roads.
    pub(super) fn find(&self, position: &Position) -> Option<Found> {
        let network = &*self.network;
        match position {
            Position::World { x_m, y_m, heading_rad } => {
                let point = Point3::new(*x_m, *y_m, 0.0);
                let place = network.locate(point, *heading_rad);
                Some(Found { point, yaw_rad: *heading_rad, place })
            }
            Position::RelativeObject { entity, by_m: [dx, dy], orientation } => {
                let body = self.placed(*entity)?;
                let (sin, cos) = body.yaw_rad.sin_cos();
                let by = nalgebra::Vector3::new(dx * cos - dy * sin, dx * sin + dy * cos, 0.0);
                let (point, yaw_rad) = (body.position + by, turned(*orientation, body.yaw_rad));
                Some(Found { point, yaw_rad, place: network.locate(point, yaw_rad) })
            }
            Position::Road { road, s_m, t_m, orientation } => {
                self.on_road(network.road(road)?, *s_m, *t_m, *orientation)
            }
            Position::RelativeRoad { entity, by_m: [ds, dt], orientation } => {
                let at = self.placed(*entity)?.place?;
                self.on_road(at.road, at.s_m + ds, network.t_m(&at) + dt, *orientation)
            }
            Position::Lane { road, lane, s_m, offset_m, orientation } => {
                let road = network.road(road)?;
                self.on_lane_of(road, *lane, *s_m, *offset_m, *orientation)
            }
            Position::RelativeLane { entity, lanes, ds_m, offset_m, orientation } => {
                let body = self.placed(*entity)?;
                let from = body.place?;
                let (mut at, left_m) = network.walk(from, *ds_m, &body.route);
                if left_m > 0.0 {
                    return None;
                }
                at.lane = Network::lane_beside(at.lane, *lanes, at.along);
                let found = self.on_lane_of(at.road, at.lane, at.s_m, *offset_m, None)?;
                // It faces as the entity does.
                let place = RoadPlace { along: at.along, ..found.place? };
                let (point, yaw_rad) = network.pose(&place);
                Some(Found { point, yaw_rad: turned(*orientation, yaw_rad), place: Some(place) })
            }
            Position::Route { route, s_m, lane, offset_m, orientation } => {
                let roads = self.roads_of(route)?;
                let first = self.find(&route.waypoints[0])?.place?;
                let along = self.route_direction(route)?;
                let (at, left_m) = network.walk(RoadPlace { along, ..first }, *s_m, &roads);
                if left_m > 0.0 {
                    return None;
                }
                self.on_lane_of(at.road, *lane, at.s_m, *offset_m, *orientation)
            }
        }
    }

    /// The body of an entity that has a place already.
    fn placed(&self, entity: EntityId) -> Option<&Body> {
        let body = self.body(entity);
        (body.place.is_some() || body.position != Point3::origin()).then_some(body)
    }

    fn on_road(&self, road: usize, s_m: f64, t_m: f64, orientation: Option<Orientation>) -> Option<Found> {
        let network = &*self.network;
        let inside = (0.0..=network.length_m(road)).contains(&s_m);
        let (point, along_rad) = network.point(road, s_m, t_m);
        let place = network.lane_at(road, s_m, t_m).or_else(|| network.lane_beside_road(road, s_m, t_m));
        let lane = place.filter(|_| inside)?;
        let offset_m = t_m - network.lane_t_m(road, s_m, lane)?;
        // A road position faces along the road.
        let yaw_rad = turned(orientation, along_rad);
        let along = angle_between(yaw_rad, along_rad).abs() <= std::f64::consts::FRAC_PI_2;
        Some(Found { point, yaw_rad, place: Some(RoadPlace { road, lane, s_m, offset_m, along }) })
    }

    fn on_lane_of(
        &self,
        road: usize,
        lane: i32,
        s_m: f64,
        offset_m: f64,
        orientation: Option<Orientation>,
    ) -> Option<Found> {
        let network = &*self.network;
        let inside = (0.0..=network.length_m(road)).contains(&s_m);
        let place = RoadPlace { road, lane, s_m, offset_m, along: true };
        (inside && network.has_lane(road, s_m, lane)).then(|| Found::on(network, place, orientation))
    }

    /// The direction in which a route leaves its first waypoint.
    fn route_direction(&self, route: &Route) -> Option<bool> {
        let (first, second) = (self.find(&route.waypoints[0])?.place?, self.find(&route.waypoints[1])?.place?);
        let way = |along| self.network.path(&RoadPlace { along, ..first }, second.road, second.s_m);
        match (way(true), way(false)) {
            (Some((ahead, _)), Some((back, _))) => Some(ahead <= back),
            (ahead, back) => ahead.or(back.clone()).map(|_| back.is_none()),
        }
    }

    /// The roads that a route takes.
    pub(super) fn roads_of(&self, route: &Route) -> Option<Vec<usize>> {
        let mut roads: Vec<usize> = Vec::new();
        let mut from = self.find(&route.waypoints[0])?.place?;
        from.along = self.route_direction(route)?;
        for waypoint in &route.waypoints[1..] {
            let to = self.find(waypoint)?.place?;
            let (_, part) = self.network.path(&from, to.road, to.s_m)?;
            // The direction goes on: along a road it is that in which the last one leads there.
            let (on, _) = self.network.walk(from, self.network.path(&from, to.road, to.s_m)?.0, &part);
            roads.extend(part.into_iter().skip(usize::from(!roads.is_empty())));
            from = RoadPlace { along: if on.road == to.road { on.along } else { to.along }, ..to };
        }
        Some(roads)
    }

    /// Puts an entity somewhere else; whether the position is on the roads.
    pub(super) fn teleport(&mut self, entity: EntityId, position: &Position) -> bool {
        let Some(found) = self.find(position) else { return false };
        let network = self.network.clone();
        let body = &mut self.bodies[entity.0];
        (body.position, body.yaw_rad, body.place) = (found.point, found.yaw_rad, found.place);
        body.turn_rad = found.place.map_or(0.0, |place| angle_between(found.yaw_rad, network.pose(&place).1));
        (body.at_end_s, body.off_road_s, body.still_s) = (0.0, 0.0, 0.0);
        body.next_offset_m = None;
        body.next_pose = None;
        true
    }
}
