//! Positions and routes.

use super::EntityId;

/// An orientation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Orientation {
    /// Towards the road, lane or entity the position refers to, not the world's axes.
    pub relative: bool,
    /// Radians, counter-clockwise.
    pub heading_rad: f64,
}

/// A place, still to be found on the roads.
#[derive(Clone, Debug, PartialEq)]
pub enum Position {
    /// In the world's axes.
    World {
        /// Metres.
        x_m: f64,
        /// Metres.
        y_m: f64,
        /// Radians.
        heading_rad: f64,
    },
    /// In an entity's axes.
    RelativeObject {
        /// Whose.
        entity: EntityId,
        /// Ahead and to the left, metres.
        by_m: [f64; 2],
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a road.
    Road {
        /// The road's id.
        road: String,
        /// Along its reference line, metres.
        s_m: f64,
        /// To the left of it, metres.
        t_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On the road of an entity.
    RelativeRoad {
        /// Whose.
        entity: EntityId,
        /// Along and to the left, metres.
        by_m: [f64; 2],
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a lane.
    Lane {
        /// The road's id.
        road: String,
        /// The lane's id.
        lane: i32,
        /// Along the road's reference line, metres.
        s_m: f64,
        /// To the left of the lane's middle as the road runs, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a lane beside or ahead of an entity.
    RelativeLane {
        /// Whose.
        entity: EntityId,
        /// Lanes to the left as the entity looks.
        lanes: i32,
        /// Along the road as the entity looks, metres.
        ds_m: f64,
        /// To the left of the lane's middle, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
    /// On a route.
    Route {
        /// The route.
        route: Route,
        /// Along it, metres.
        s_m: f64,
        /// The lane's id.
        lane: i32,
        /// To the left of the lane's middle as the road runs, metres.
        offset_m: f64,
        /// How it is turned.
        orientation: Option<Orientation>,
    },
}

/// Places that are passed in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Its name.
    pub name: String,
    /// At least two.
    pub waypoints: Vec<Position>,
}
