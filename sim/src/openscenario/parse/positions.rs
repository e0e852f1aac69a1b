//! Positions and routes.

use super::{Context, Result};
use crate::openscenario::model::{Orientation, Position, Route};
use crate::openscenario::xml::Element;

/// Most waypoints of a route and vertices of a trajectory.
pub(super) const MAX_POINTS: usize = 10_000;

impl Context {
    /// The position inside `holder`, an element that holds one.
    pub(super) fn position(&self, holder: Element<'_>) -> Result<Position> {
        let position = holder.choice()?;
        let number = |name| position.number(name).map(Option::unwrap_or_default);
        let integer = |name| {
            position
                .parsed::<i32>(name)?
                .ok_or_else(|| position.invalid(format!("<{}> has no attribute {name}", position.tag())))
        };
        let orientation = || orientation(position);
        match position.tag() {
            "WorldPosition" => {
                position.only(&["x", "y", "z", "h", "p", "r"], &[])?;
                let (x_m, y_m) = (position.required_number("x")?, position.required_number("y")?);
                Ok(Position::World { x_m, y_m, heading_rad: number("h")? })
            }
            "RelativeObjectPosition" => {
                position.only(&["entityRef", "dx", "dy", "dz"], &["Orientation"])?;
                let by_m = [position.required_number("dx")?, position.required_number("dy")?];
                let entity = self.entity(position, "entityRef")?;
                Ok(Position::RelativeObject { entity, by_m, orientation: orientation()? })
            }
            "RoadPosition" => {
                position.only(&["roadId", "s", "t"], &["Orientation"])?;
                let (s_m, t_m) = (position.required_number("s")?, position.required_number("t")?);
                Ok(Position::Road { road: position.required("roadId")?, s_m, t_m, orientation: orientation()? })
            }
            "RelativeRoadPosition" => {
                position.only(&["entityRef", "ds", "dt"], &["Orientation"])?;
                let by_m = [position.required_number("ds")?, position.required_number("dt")?];
                let entity = self.entity(position, "entityRef")?;
                Ok(Position::RelativeRoad { entity, by_m, orientation: orientation()? })
            }
            "LanePosition" => {
                position.only(&["roadId", "laneId", "s", "offset"], &["Orientation"])?;
                Ok(Position::Lane {
                    road: position.required("roadId")?,
                    lane: integer("laneId")?,
                    s_m: position.required_number("s")?,
                    offset_m: number("offset")?,
                    orientation: orientation()?,
                })
            }
            "RelativeLanePosition" => {
                position.only(&["entityRef", "dLane", "ds", "offset"], &["Orientation"])?;
                Ok(Position::RelativeLane {
                    entity: self.entity(position, "entityRef")?,
                    lanes: integer("dLane")?,
                    ds_m: position.required_number("ds")?,
                    offset_m: number("offset")?,
                    orientation: orientation()?,
                })
            }
            "RoutePosition" => {
                position.only(&[], &["RouteRef", "InRoutePosition", "Orientation"])?;
                let reference = position.child("RouteRef")?.choice()?;
                let within = position.child("InRoutePosition")?.choice()?;
                if within.tag() != "FromLaneCoordinates" {
                    return within.refuse();
                }
                within.only(&["pathS", "laneId", "laneOffset"], &[])?;
                let lane = within.parsed("laneId")?;
                Ok(Position::Route {
                    route: self.route(reference)?,
                    s_m: within.required_number("pathS")?,
                    lane: lane.ok_or_else(|| within.invalid("<FromLaneCoordinates> has no attribute laneId"))?,
                    offset_m: within.number("laneOffset")?.unwrap_or_default(),
                    orientation: orientation()?,
                })
            }
            _ => position.refuse(),
        }
    }

    /// A route, or the reference to one.
    pub(super) fn route(&self, route: Element<'_>) -> Result<Route> {
        match route.tag() {
            "CatalogReference" => self.catalogs.entry(route, "Route", |route| self.route(route)),
            "Route" => {
                route.only(&["name", "closed"], &["Waypoint"])?;
                if route.flag("closed")? == Some(true) {
                    return Err(route.unsupported("closed=\"true\" of <Route>"));
                }
                let waypoints: Vec<_> = route
                    .all("Waypoint")
                    .take(MAX_POINTS)
                    .map(|waypoint| {
                        waypoint.only(&["routeStrategy"], &["Position"])?;
                        waypoint.one_of(
                            "routeStrategy",
                            &[("shortest", ()), ("leastIntersections", ()), ("fastest", ())],
                        )?;
                        self.position(waypoint.child("Position")?)
                    })
                    .collect::<Result<_>>()?;
                if waypoints.len() < 2 {
                    return Err(route.invalid("a route needs two waypoints"));
                }
                Ok(Route { name: route.name(), waypoints })
            }
            _ => route.refuse(),
        }
    }
}

fn orientation(position: Element<'_>) -> Result<Option<Orientation>> {
    let Some(orientation) = position.maybe("Orientation") else { return Ok(None) };
    // Roll and pitch turn nothing that a camera or a footprint here could show; heading is what moves.
    orientation.only(&["type", "h", "p", "r"], &[])?;
    let relative = orientation.one_of("type", &[("relative", true), ("absolute", false)])?.unwrap_or(false);
    Ok(Some(Orientation { relative, heading_rad: orientation.number("h")?.unwrap_or_default() }))
}
