//! What is known of each vehicle: a body, which others see, and a mind, which nobody else does.

use super::best::BestLanes;
use super::decide::Decision;
use super::driver::Driver;
use super::net::NONE;
use super::parking::Manoeuvre;
use super::spawn::Standing;
use super::wrong_way::WrongWay;
use crate::actor::{ActorKind, Lights, Pose, Role, Size};
use crate::roads::Users;
use rand_pcg::Pcg64Mcg;
use std::collections::VecDeque;
use std::sync::Arc;

/// Never.
pub(crate) const NEVER: f64 = f64::INFINITY;

/// A route: edges in order, and a number under which what was found out for it is kept.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) id: u32,
    pub(crate) edges: Vec<u32>,
}

/// A stop on the way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stop {
    pub(crate) lane: u32,
    /// Place in the route of the edge it is on.
    pub(crate) at: u32,
    pub(crate) start: f64,
    pub(crate) end: f64,
    pub(crate) duration: f64,
    pub(crate) until: f64,
    pub(crate) reached: bool,
    pub(crate) standing: Standing,
    /// Where bays are looked for.
    pub(crate) range: (f64, f64),
    /// Its bay, once it has one.
    pub(crate) bay: Option<usize>,
}

impl Stop {
    /// A stop with the front at a place of a lane.
    pub(crate) fn at(lane: u32, pos: f64) -> Self {
        Self {
            lane,
            at: 0,
            start: pos - 1.0,
            end: pos,
            duration: 0.0,
            until: f64::NEG_INFINITY,
            reached: false,
            standing: Standing::Lane,
            range: (pos, pos),
            bay: None,
        }
    }
}

/// Where a vehicle is on its way into a bay and out again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Berth {
    /// On the road.
    #[default]
    None,
    /// Backing in; it still is on its lane for the others.
    Entering,
    /// In the bay, off the road.
    Standing,
    /// Pulling out; it is on its lane again.
    Leaving,
}

/// A vehicle as others see it.
#[derive(Debug)]
pub(crate) struct Body {
    pub(crate) alive: bool,
    /// Number in the run, in order of departure.
    pub(crate) serial: u32,
    pub(crate) driver: Driver,
    pub(crate) users: Users,
    pub(crate) lane: u32,
    /// Of the front, along the lane.
    pub(crate) pos: f64,
    pub(crate) speed: f64,
    pub(crate) accel: f64,
    /// Lanes that the rear still is on, the nearest first.
    pub(crate) further: Vec<u32>,
    /// Place among the vehicles of its lane, while planning.
    pub(crate) rank: u32,
    /// Space of the vehicles in front of it on its lane, while planning.
    pub(crate) in_front: f64,
    pub(crate) route: Arc<Route>,
    /// Place in the route.
    pub(crate) at: u32,
    pub(crate) best: Arc<BestLanes>,
    pub(crate) stops: VecDeque<Stop>,
    /// Standing at a stop.
    pub(crate) stopped: bool,
    pub(crate) waiting_s: f64,
    /// When it entered the junction it is in; never while it is in none or gave its turn away.
    pub(crate) entered: f64,
    /// The same, whatever it gave away.
    pub(crate) entered_first: f64,
    /// When it passed the place where its way begins to meet others.
    pub(crate) entered_conflict: f64,
    /// It was held up at the next link.
    pub(crate) must_wait: bool,
    /// It asked to pass the link out of its lane.
    pub(crate) will_pass: bool,
    pub(crate) arrival_pos: f64,
    /// Beacon is on.
    pub(crate) beacon: bool,
    /// It wants to change lanes, for its route, and is kept from it.
    pub(crate) strategic_blocked: bool,
    /// Moves by hand, off its lane's centre.
    pub(crate) by_hand: bool,
    /// It does not brake for red, nor for whoever has green.
    pub(crate) ignores_red: bool,
    pub(crate) berth: Berth,
    /// Room behind it that those who follow keep, since it will back into a bay, metres.
    pub(crate) reserve: f64,
    /// Taken off the road for a while: it stood too long.
    pub(crate) away: bool,
}

impl Body {
    /// It follows its lane now.
    pub(crate) fn drives(&self) -> bool {
        self.alive && !self.by_hand && self.berth != Berth::Standing && !self.away
    }

    pub(crate) fn length(&self) -> f64 {
        self.driver.length_m
    }

    /// Length and the gap kept while standing.
    pub(crate) fn space(&self) -> f64 {
        self.driver.length_m + self.driver.min_gap_m
    }

    /// Position of the rear on one of the lanes it is on.
    pub(crate) fn back_on(&self, lane: u32, net: &super::net::Net) -> f64 {
        let mut left = self.driver.length_m - self.pos;
        if lane == self.lane {
            return -left;
        }
        for further in &self.further {
            left -= net.lane(*further).length;
            if *further == lane {
                break;
            }
        }
        -left
    }

    /// Position of the rear as those behind must mind it.
    pub(crate) fn minded_back_on(&self, lane: u32, net: &super::net::Net) -> f64 {
        self.back_on(lane, net) - self.reserve
    }

    /// Position of the rear on the hindmost lane it is on.
    pub(crate) fn back_lane(&self) -> u32 {
        self.further.last().copied().unwrap_or(self.lane)
    }

    /// What it wants to drive on a lane at most.
    pub(crate) fn wish(&self, limit: f64) -> f64 {
        (limit * self.driver.speed_factor).min(self.driver.max_speed)
    }

    /// The last lane of the route is ahead on this edge.
    pub(crate) fn on_last_edge(&self) -> bool {
        self.at as usize + 1 >= self.route.edges.len()
    }
}

/// A link ahead, or the end of the way, with what a driver means to do there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    /// `NONE` for a stop or the end.
    pub(crate) link: u32,
    /// Speed now when passing.
    pub(crate) pass: f64,
    /// Speed now when waiting in front.
    pub(crate) wait: f64,
    pub(crate) request: bool,
    pub(crate) arrival: f64,
    pub(crate) arrival_speed: f64,
    pub(crate) arrival_speed_braking: f64,
    pub(crate) distance: f64,
    /// Speed when leaving the link's way; negative: unknown.
    pub(crate) leave_speed: f64,
    /// Room behind the junction.
    pub(crate) room: f64,
    pub(crate) had_stopped: bool,
}

impl Item {
    pub(crate) fn end(speed: f64, distance: f64, room: f64) -> Self {
        Self {
            link: NONE,
            pass: speed,
            wait: speed,
            request: false,
            arrival: 0.0,
            arrival_speed: 0.0,
            arrival_speed_braking: 0.0,
            distance,
            leave_speed: -1.0,
            room,
            had_stopped: false,
        }
    }

    pub(crate) fn limit_leave(&mut self, speed: f64) {
        self.leave_speed = if self.leave_speed < 0.0 { speed } else { self.leave_speed.min(speed) };
    }

    pub(crate) fn leave(&self) -> f64 {
        if self.leave_speed < 0.0 { self.pass } else { self.leave_speed }
    }
}

/// What a driver thinks: the plan, what others asked, moods about lanes.
#[derive(Debug)]
pub(crate) struct Mind {
    pub(crate) items: Vec<Item>,
    /// Distance to the next stop on this edge, as planned; infinite without one.
    pub(crate) stop_dist: f64,
    /// What was decided for this step.
    pub(crate) decision: Decision,
    pub(crate) random: Pcg64Mcg,
    pub(crate) impatience: f64,
    /// State of lane changing, see `lane_change`.
    pub(crate) state: u32,
    pub(crate) speed_gain_mood: f64,
    pub(crate) keep_right_mood: f64,
    pub(crate) blocker_length: f64,
    pub(crate) left_space: f64,
    pub(crate) look_ahead: f64,
    /// Accelerations that a lane change, own or another's, asks for.
    pub(crate) advice: Vec<f64>,
    pub(crate) dont_brake: bool,
    pub(crate) passing_minor: bool,
    pub(crate) limit: f64,
    pub(crate) brake: Option<f64>,
    /// Lanes to change by command: positive inwards.
    pub(crate) change: i32,
    pub(crate) cooperative: f64,
    pub(crate) strategic: f64,
    pub(crate) speed_gain: f64,
    pub(crate) keep_right: f64,
    pub(crate) assertive: f64,
}

/// What never changes or only counts: for output and for the look.
#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) name: String,
    pub(crate) type_name: String,
    /// Number of the type, for what is kept by route and type.
    pub(crate) type_id: u32,
    pub(crate) kind: ActorKind,
    pub(crate) role: Role,
    pub(crate) size: Size,
    pub(crate) connected: bool,
    pub(crate) appearance: u32,
    pub(crate) depart_wish: f64,
    pub(crate) departed: f64,
    pub(crate) depart_lane: u32,
    pub(crate) depart_pos: f64,
    pub(crate) depart_speed: f64,
    /// Length of lanes left behind.
    pub(crate) odometer: f64,
    pub(crate) waiting_s: f64,
    pub(crate) waiting_count: u32,
    pub(crate) stop_s: f64,
    pub(crate) time_loss: f64,
    pub(crate) teleports: u32,
    /// Sideways offset still shown after a lane change, metres to the left, and how long it lasts, seconds.
    pub(crate) aside: f64,
    pub(crate) aside_left_s: f64,
    pub(crate) lights: Lights,
    pub(crate) yaw: f64,
    pub(crate) yaw_known: bool,
    pub(crate) yaw_rate: f64,
    /// Where it is between its lane and a bay.
    pub(crate) off_lane: Option<Pose>,
    pub(crate) manoeuvre: Manoeuvre,
    /// Where it is while driven by hand.
    pub(crate) by_hand: Option<Pose>,
    /// Throttle, brake and steering while driven by hand.
    pub(crate) pedals: [f64; 3],
    /// It is to use the wrong side somewhere.
    pub(crate) wrong_way: Option<WrongWay>,
}

/// What is on a lane.
#[derive(Debug, Default)]
pub(crate) struct LaneState {
    /// Vehicles whose front is on it, the hindmost first.
    pub(crate) vehicles: Vec<u32>,
    /// Vehicles whose front is beyond.
    pub(crate) partial: Vec<u32>,
    /// Sum of lengths with gaps of `vehicles`.
    pub(crate) space: f64,
    /// Others' actors, by the position of their rear.
    pub(crate) obstacles: Vec<Obstacle>,
}

/// Another population's actor on a lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Obstacle {
    pub(crate) back: f64,
    pub(crate) front: f64,
    /// Along the lane; what comes towards us counts as standing.
    pub(crate) speed: f64,
    pub(crate) decel: f64,
}

/// A vehicle on its way to a link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Approach {
    pub(crate) vehicle: u32,
    pub(crate) arrival: f64,
    pub(crate) leaving: f64,
    pub(crate) leave_speed: f64,
    pub(crate) will_pass: bool,
    pub(crate) arrival_speed_braking: f64,
    pub(crate) waiting_s: f64,
    pub(crate) distance: f64,
    pub(crate) speed: f64,
    pub(crate) decel: f64,
}
