//! Road networks: edges of lanes, junctions with their links, crossings, signals.
//!
//! One structure for networks of every origin (SUMO, OpenDRIVE); its terms are SUMO's where the two differ, since they say
//! more about right of way. Everything is numbered by its place in its vector; names are those of the source. Lines run in
//! driving direction, in ENU metres of the network. Right-hand traffic unless [`Roads::left_hand`].

mod conflicts;
mod error;
mod geojson;
mod georeference;
mod index;
mod load;
mod opendrive;
pub mod picture;
mod route;
mod scenery;
mod shipped;
mod sumo;
pub(crate) mod xml;

pub use error::RoadsError;
pub use index::LaneIndex;
pub(crate) use load::base_name;

use crate::geometry::Polyline;
use masa_v2x_proto::geo::Wgs84;
use nalgebra::Point2;
use std::collections::BTreeMap;
use std::ops::BitOr;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// As an index of its vector.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )* };
}
ids! {
    /// A lane: index in [`Roads::lanes`].
    LaneId,
    /// An edge: index in [`Roads::edges`].
    EdgeId,
    /// A junction: index in [`Roads::junctions`].
    JunctionId,
    /// A link: index in [`Roads::links`].
    LinkId,
    /// A signal controller: index in [`Roads::signals`].
    SignalId,
}

/// Who may use a lane: a set of user classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Users(pub u16);

impl Users {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Passenger cars and vans.
    pub const CAR: Self = Self(1);
    /// Goods vehicles.
    pub const TRUCK: Self = Self(1 << 1);
    /// Buses and coaches.
    pub const BUS: Self = Self(1 << 2);
    /// Trams and trains.
    pub const RAIL: Self = Self(1 << 3);
    /// Motorcycles and mopeds.
    pub const MOTORCYCLE: Self = Self(1 << 4);
    /// Bicycles, cargo bikes and e-scooters.
    pub const BICYCLE: Self = Self(1 << 5);
    /// People on foot.
    pub const PEDESTRIAN: Self = Self(1 << 6);
    /// Emergency vehicles.
    pub const EMERGENCY: Self = Self(1 << 7);
    /// Taxis.
    pub const TAXI: Self = Self(1 << 8);
    /// Delivery vehicles.
    pub const DELIVERY: Self = Self(1 << 9);
    /// Everything with wheels that drives on ordinary roads.
    pub const ROAD: Self = Self(0b11_1011_0111);
    /// Everybody.
    pub const ALL: Self = Self(0b11_1111_1111);

    /// All of `users` are among these.
    pub const fn contains(self, users: Self) -> bool {
        self.0 & users.0 == users.0
    }

    /// Some of `users` are among these.
    pub const fn intersects(self, users: Self) -> bool {
        self.0 & users.0 != 0
    }
}

impl BitOr for Users {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a lane is built as: decides its surface and markings in pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneKind {
    /// For driving.
    #[default]
    Driving,
    /// For bicycles.
    Bicycle,
    /// Pavement beside the road.
    Sidewalk,
    /// For parking.
    Parking,
    /// Hard shoulder.
    Shoulder,
    /// Rails.
    Rail,
    /// Green, kerb, median: nobody drives or walks there by rule.
    Verge,
}

/// A lane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lane {
    /// Name in the source.
    pub name: String,
    /// The edge it belongs to.
    pub edge: EdgeId,
    /// Place in its edge: 0 is the outermost (rightmost in right-hand traffic).
    pub index: u16,
    /// What it is built as.
    pub kind: LaneKind,
    /// Who may use it.
    pub users: Users,
    /// Speed limit, metres a second.
    pub speed_limit_mps: f64,
    /// Length that counts for driving, metres; a source may say another than its line has.
    pub length_m: f64,
    /// Width, metres.
    pub width_m: f64,
    /// Middle of the lane in driving direction.
    pub centre: Polyline,
    /// Where it leads.
    pub links: Vec<LinkId>,
}

impl Default for EdgeId {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

/// What an edge is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// A road between junctions.
    #[default]
    Road,
    /// A way through a junction.
    Internal,
    /// A pedestrian crossing.
    Crossing,
    /// Where people wait and walk at a junction.
    WalkingArea,
}

/// Lanes side by side in one direction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edge {
    /// Name in the source.
    pub name: String,
    /// What it is for.
    pub kind: EdgeKind,
    /// Its lanes, outermost first.
    pub lanes: Vec<LaneId>,
    /// Where it begins; a part of a junction has the junction at both ends.
    pub from: Option<JunctionId>,
    /// Where it ends.
    pub to: Option<JunctionId>,
    /// The higher one goes first.
    pub priority: i32,
    /// Of a crossing: the edges that it crosses.
    pub crosses: Vec<EdgeId>,
    /// Of a crossing or walking area: its outline, ENU metres; empty when only the lane's line and width are known.
    pub outline: Vec<Point2<f64>>,
}

/// Direction of a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Straight on.
    #[default]
    Straight,
    /// Left, slightly or fully.
    Left,
    /// Right, slightly or fully.
    Right,
    /// Back.
    UTurn,
}

/// Right of way of a link where no signal says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RightOfWay {
    /// Has priority.
    #[default]
    Major,
    /// Gives way.
    Minor,
    /// Stops, then gives way.
    Stop,
    /// Who comes first stops first and goes first.
    AllWayStop,
    /// Who comes from the right goes first.
    RightBeforeLeft,
    /// Merges like a zip.
    Zipper,
    /// Ends here.
    DeadEnd,
}

/// A way from a lane to another through a junction.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// From.
    pub from: LaneId,
    /// To.
    pub to: LaneId,
    /// First lane inside the junction, if the junction has an inside; its own link leads on.
    pub via: Option<LaneId>,
    /// The junction.
    pub junction: Option<JunctionId>,
    /// Direction.
    pub turn: Turn,
    /// Right of way.
    pub right_of_way: RightOfWay,
    /// Its signal: controller, and place in the controller's states.
    pub signal: Option<(SignalId, u16)>,
    /// Links of the junction that go before this one (SUMO: response), as places in [`Junction::links`].
    pub yields_to: Vec<u16>,
    /// Links of the junction whose ways meet this one's (SUMO: foes), as places in [`Junction::links`].
    pub conflicts: Vec<u16>,
    /// Vehicles may wait inside the junction.
    pub waits_inside: bool,
}

/// What a source says about a link beyond the usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkNote {
    /// Distance before it from which all who go first are seen, metres; `None`: the usual one.
    pub sees_m: Option<f64>,
    /// Drivers keep its junction clear when there is no room behind.
    pub keeps_clear: bool,
}

/// A junction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Junction {
    /// Name in the source.
    pub name: String,
    /// Middle, ENU metres.
    pub position: Point2<f64>,
    /// Outline, ENU metres; empty when the source has none.
    pub outline: Vec<Point2<f64>>,
    /// Its links, in the order of right-of-way tables (crossings of people included).
    pub links: Vec<LinkId>,
}

/// What a signal shows to one link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalState {
    /// Stop.
    Red,
    /// Red and yellow: green comes.
    RedYellow,
    /// Yellow: red comes.
    Yellow,
    /// Green, with priority (SUMO `G`).
    GreenMajor,
    /// Green, giving way to conflicting greens (SUMO `g`).
    GreenMinor,
    /// Off, blinking: give way.
    OffBlinking,
    /// Off: by right of way.
    Off,
}

impl SignalState {
    /// Driving is allowed.
    pub const fn is_green(self) -> bool {
        matches!(self, Self::GreenMajor | Self::GreenMinor)
    }
}

/// A phase of a signal programme.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalPhase {
    /// How long, seconds.
    pub duration_s: f64,
    /// At least how long, seconds, where traffic decides.
    pub min_s: f64,
    /// At most how long, seconds, where traffic decides.
    pub max_s: f64,
    /// What each link is shown.
    pub states: Vec<SignalState>,
}

/// Who decides on phases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignalControl {
    /// Time alone.
    #[default]
    Fixed,
    /// Gaps in traffic prolong a phase.
    Actuated,
}

/// A signal controller with its programme.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SignalController {
    /// Name in the source.
    pub name: String,
    /// Who decides.
    pub control: SignalControl,
    /// Time after which the programme's first phase begins, seconds.
    pub offset_s: f64,
    /// Its phases, in their order; empty: always off.
    pub phases: Vec<SignalPhase>,
}

/// A building: hides, shadows, reflects.
#[derive(Clone, Debug, PartialEq)]
pub struct Building {
    /// Outline on the ground, ENU metres, counter-clockwise.
    pub outline: Vec<Point2<f64>>,
    /// Height, metres.
    pub height_m: f64,
}

/// A tree beside the road.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tree {
    /// Of its trunk, ENU metres.
    pub position: Point2<f64>,
    /// Height, metres.
    pub height_m: f64,
    /// Diameter of its crown, metres.
    pub crown_m: f64,
}

/// A lamp post.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lamp {
    /// Of its foot, ENU metres.
    pub position: Point2<f64>,
    /// Height of the lamp, metres.
    pub height_m: f64,
}

/// A parking space.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkingSpace {
    /// Name in the source.
    pub name: String,
    /// Its middle, ENU metres.
    pub position: Point2<f64>,
    /// Direction of its length, radians counter-clockwise from east.
    pub yaw_rad: f64,
    /// Along its direction, metres.
    pub length_m: f64,
    /// Across, metres.
    pub width_m: f64,
    /// The parking lane that it is a part of, if any.
    pub lane: Option<LaneId>,
}

/// A stop of public transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// Name in the source.
    pub name: String,
    /// Where vehicles stop.
    pub lane: LaneId,
    /// Along the lane, metres.
    pub from_m: f64,
    /// Along the lane, metres; vehicles stop with their front here.
    pub to_m: f64,
}

/// How network coordinates relate to the globe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoReference {
    /// The place of network coordinates (0, 0); near it, network metres are taken as ENU metres.
    pub origin: Wgs84,
}

/// A road network.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roads {
    /// Name, for pictures and reports.
    pub name: String,
    /// Where on the globe, if the source says.
    pub geo: Option<GeoReference>,
    /// Traffic keeps left.
    pub left_hand: bool,
    /// Edges.
    pub edges: Vec<Edge>,
    /// Lanes.
    pub lanes: Vec<Lane>,
    /// Links.
    pub links: Vec<Link>,
    /// What the source says about some links beyond the usual.
    pub link_notes: BTreeMap<LinkId, LinkNote>,
    /// Edges of each roundabout.
    pub roundabouts: Vec<Vec<EdgeId>>,
    /// Junctions.
    pub junctions: Vec<Junction>,
    /// Signal controllers.
    pub signals: Vec<SignalController>,
    /// Buildings.
    pub buildings: Vec<Building>,
    /// Trees.
    pub trees: Vec<Tree>,
    /// Lamp posts.
    pub lamps: Vec<Lamp>,
    /// Parking spaces.
    pub parking: Vec<ParkingSpace>,
    /// Stops of public transport.
    pub stops: Vec<Stop>,
}

impl Roads {
    /// The lane of this number, which must come from this network.
    pub fn lane(&self, id: LaneId) -> &Lane {
        &self.lanes[id.index()]
    }

    /// The edge of this number, which must come from this network.
    pub fn edge(&self, id: EdgeId) -> &Edge {
        &self.edges[id.index()]
    }

    /// Of the lane of a crossing: what shows people green, and whether vehicles give way where nothing does (a zebra).
    pub fn crossing_rule(&self, lane: LaneId) -> (Option<(SignalId, u16)>, bool) {
        let here = || self.links.iter().filter(move |link| link.to == lane || link.from == lane);
        let priority = here().filter(|link| link.to == lane).all(|link| link.right_of_way == RightOfWay::Major);
        (here().find_map(|link| link.signal), priority)
    }

    /// The link of this number, which must come from this network.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.links[id.index()]
    }

    /// The lane beside this one in its edge: one place inwards (+1, left in right-hand traffic) or outwards (−1).
    pub fn beside(&self, id: LaneId, places: i32) -> Option<LaneId> {
        let lane = self.lane(id);
        let index = usize::try_from(i32::from(lane.index) + places).ok()?;
        self.edge(lane.edge).lanes.get(index).copied()
    }

    /// South-west and north-east corner of everything, ENU metres; `None` for an empty network.
    pub fn bounds(&self) -> Option<(Point2<f64>, Point2<f64>)> {
        let points = self.lanes.iter().flat_map(|lane| lane.centre.points()).map(|p| p.xy());
        points.fold(None, |bounds, p| {
            let (low, high) = bounds.unwrap_or((p, p));
            Some((low.inf(&p), high.sup(&p)))
        })
    }
}
