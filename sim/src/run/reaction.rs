//! What a connected driver does about what the node on board tells.
//!
//! In: the node's local dynamic map, the vehicle's own way, place and speed. Out: a speed limit and a braking demand, with
//! the reason in words. Nothing comes from the truth about others: only what was received counts. The driver needs time to
//! react; a warning that goes away is not forgotten at once, so that a gap in perception does not make the car jump.

use super::conflict::{Look, Other, Own, conflict};
use super::zebra::Zebra;
use masa_edge_node::world::ldm::{Ldm, Neighbour, ReceivedObjectKind};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::cdd::StationType;
use masa_v2x_proto::geo::{SiteFrame, heading_to_yaw_rad};
use masa_v2x_proto::relevance::{Reader, Relevance, denm_relevance};
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Point2, Vector2};
use serde::{Deserialize, Serialize};

/// Braking towards a zebra at which somebody waits, metres a second squared; where it is to end before the zebra, metres; and
/// the speed at which one rolls on past somebody who does not go, metres a second.
const ZEBRA_MPS2: f64 = 1.8;
const ZEBRA_ROOM_M: f64 = 1.5;
const ZEBRA_MPS: f64 = 2.0;

/// What drivers do about what their node tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ReactionSettings {
    /// From the warning to the brakes, seconds.
    pub reaction_s: f64,
    /// How far ahead ways are compared, seconds.
    pub horizon_s: f64,
    /// Room wanted beside somebody, metres.
    pub side_m: f64,
    /// Room wanted in front of somebody, metres.
    pub room_m: f64,
    /// Braking that is worth beginning, metres a second squared.
    pub begin_mps2: f64,
    /// The hardest, metres a second squared.
    pub hardest_mps2: f64,
    /// How long a danger counts after it was last told of, seconds.
    pub hold_s: f64,
    /// Whether signals' announcements decide the speed (GLOSA).
    pub glosa: Glosa,
}

/// Whether signals' announcements decide the speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Glosa {
    /// They do.
    #[default]
    Follow,
    /// They do not.
    Ignore,
}

impl Default for ReactionSettings {
    fn default() -> Self {
        Self {
            reaction_s: 0.8,
            horizon_s: 6.0,
            side_m: 0.7,
            room_m: 3.0,
            begin_mps2: 1.5,
            hardest_mps2: 7.0,
            hold_s: 1.0,
            glosa: Glosa::default(),
        }
    }
}

/// What the driver does.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reaction {
    /// No faster than this, metres a second.
    pub limit_mps: Option<f64>,
    /// Brakes this hard, metres a second squared.
    pub brake_mps2: Option<f64>,
    /// Why, in words; empty when there is no reason.
    pub why: String,
}

/// The one who decides.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Own way, place and size.
    pub own: Own<'a>,
    /// Own speed, metres a second.
    pub speed_mps: f64,
    /// Own direction, radians counter-clockwise from east.
    pub yaw_rad: f64,
    /// The frame of the way.
    pub frame: &'a SiteFrame,
    /// The time by the vehicle's clock.
    pub now: Timestamp,
    /// Own station id.
    pub station_id: u32,
    /// The zebras that its navigation knows.
    pub zebras: &'a [Zebra],
}

/// A driver's memory.
#[derive(Clone, Debug, Default)]
pub struct Driver {
    settings: ReactionSettings,
    /// The speed before any danger, to which the driver wants to return.
    cruise_mps: f64,
    /// Since when there has been a danger.
    since: Option<Timestamp>,
    /// The latest danger and when it was there.
    held: Option<(Timestamp, Reaction)>,
}

impl Driver {
    /// A driver who has heard nothing yet.
    pub fn new(settings: ReactionSettings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// What the driver does now.
    pub fn react(&mut self, ldm: &Ldm, at: &Situation<'_>) -> Reaction {
        if self.since.is_none() {
            self.cruise_mps = self.cruise_mps.max(at.speed_mps);
        }
        let danger = self.danger(ldm, at);
        let mut wanted = match danger {
            Some(reaction) => {
                let since = *self.since.get_or_insert(at.now);
                self.held = Some((at.now, reaction.clone()));
                let reacts = at.now.seconds_since(since) >= self.settings.reaction_s;
                if reacts { reaction } else { Reaction::default() }
            }
            None => match self.held.take() {
                Some((told, reaction)) if at.now.seconds_since(told) < self.settings.hold_s => {
                    self.held = Some((told, reaction.clone()));
                    let since = self.since.unwrap_or(at.now);
                    // It is not certain that it is over: no harder than needed to stay slow.
                    let limit_mps = Some(at.speed_mps);
                    let reacts = at.now.seconds_since(since) >= self.settings.reaction_s;
                    if reacts {
                        Reaction { limit_mps, brake_mps2: None, why: reaction.why }
                    } else {
                        Reaction::default()
                    }
                }
                _ => {
                    self.since = None;
                    Reaction::default()
                }
            },
        };
        if wanted.why.is_empty()
            && self.settings.glosa == Glosa::Follow
            && let Some((limit_mps, why)) = super::glosa::advice(ldm, at, self.cruise_mps)
        {
            wanted = Reaction { limit_mps: Some(limit_mps), brake_mps2: None, why };
        }
        wanted
    }

    /// The worst of what is told.
    fn danger(&self, ldm: &Ldm, at: &Situation<'_>) -> Option<Reaction> {
        let mut worst: Option<Reaction> = None;
        let mut consider = |reaction: Reaction| {
            let harder = |known: &Reaction| {
                let rank = |r: &Reaction| (r.brake_mps2.unwrap_or(0.0), -r.limit_mps.unwrap_or(f64::INFINITY));
                rank(&reaction) > rank(known)
            };
            if worst.as_ref().is_none_or(harder) {
                worst = Some(reaction);
            }
        };
        for object in ldm.objects() {
            let age_s = at.now.seconds_since(object.measured_at);
            let velocity = Vector2::new(object.velocity_e_mps.unwrap_or(0.0), object.velocity_n_mps.unwrap_or(0.0));
            let position = Point2::new(object.position.e_m, object.position.n_m) + velocity * age_s;
            if self.is_own(at, position, velocity, object.kind) {
                continue;
            }
            let (half_length_m, half_width_m) = half_size(object.kind);
            let other =
                Other { position, velocity, half_length_m, half_width_m, yaw_rad: velocity.y.atan2(velocity.x) };
            let is_vulnerable = object.kind == ReceivedObjectKind::Vru;
            let waits = || is_vulnerable.then(|| self.give_way_on_zebra(at, &other)).flatten();
            if let Some(reaction) = self.avoid(at, &other, is_vulnerable).or_else(waits) {
                consider(Reaction {
                    why: format!("CPM of {}: object {}", object.station.0, object.object_id),
                    ..reaction
                });
            }
        }
        for station in ldm.stations() {
            if let Some(reaction) = self.mind(at, station) {
                consider(reaction);
            }
        }
        for event in ldm.events_in_force() {
            if event.from.0 == at.station_id {
                continue;
            }
            if let Some(reaction) = self.heed(at, event) {
                consider(reaction);
            }
        }
        worst
    }

    /// Whether what somebody perceives is this very vehicle.
    fn is_own(
        &self,
        at: &Situation<'_>,
        position: Point2<f64>,
        velocity: Vector2<f64>,
        kind: ReceivedObjectKind,
    ) -> bool {
        let Some(here) = at.own.way.at(at.own.s_m) else { return false };
        let (sin, cos) = at.yaw_rad.sin_cos();
        let apart = position - here.point.xy();
        let (ahead, left) = (apart.x * cos + apart.y * sin, -apart.x * sin + apart.y * cos);
        let along_mps = velocity.x * cos + velocity.y * sin;
        kind != ReceivedObjectKind::Vru
            && ahead.abs() < at.own.size_m[0] / 2.0 + 2.5
            && left.abs() < 2.5
            && (along_mps - at.speed_mps).abs() < (0.4 * at.speed_mps).max(3.0)
    }

    /// Brakes for somebody whose way meets the own one.
    fn avoid(&self, at: &Situation<'_>, other: &Other, is_vulnerable: bool) -> Option<Reaction> {
        let settings = &self.settings;
        let look = Look {
            horizon_s: settings.horizon_s,
            side_m: settings.side_m,
            doubt_mps: if is_vulnerable { 0.15 } else { 0.0 },
        };
        let met = conflict(&at.own, at.speed_mps, other, look);
        let needed = met.map_or(0.0, |met| met.braking_mps2(settings.room_m));
        let slows = Reaction { limit_mps: Some(at.speed_mps), ..Reaction::default() };
        if needed >= settings.begin_mps2 {
            return Some(Reaction { brake_mps2: Some(needed.min(settings.hardest_mps2)), ..slows });
        }
        // Who has braked goes on only when the usual speed is free of conflict, too.
        if self.since.is_none() || at.speed_mps > self.cruise_mps - 0.5 {
            return None;
        }
        let would = conflict(&at.own, (0.6 * self.cruise_mps).max(3.0), other, look);
        let gap_m = [met, would].into_iter().flatten().map(|met| met.gap_m).reduce(f64::min)?;
        // Close to it, one stands rather than creeps.
        let stands = (gap_m < settings.room_m + 2.0).then_some(2.0);
        (gap_m < 25.0).then_some(Reaction { brake_mps2: stands, ..slows })
    }

    /// Comes to a zebra where somebody is so slowly that stopping in front of it is easy.
    fn give_way_on_zebra(&self, at: &Situation<'_>, other: &Other) -> Option<Reaction> {
        let gap_m = at.zebras.iter().filter_map(|zebra| zebra.gap_m(&at.own, other)).reduce(f64::min)?;
        let limit_mps = (2.0 * ZEBRA_MPS2 * (gap_m - ZEBRA_ROOM_M).max(0.0)).sqrt().max(ZEBRA_MPS);
        (limit_mps < self.cruise_mps).then(|| Reaction { limit_mps: Some(limit_mps), ..Reaction::default() })
    }

    /// Brakes for a station whose way meets the own one; gives way to an emergency vehicle.
    fn mind(&self, at: &Situation<'_>, station: &Neighbour) -> Option<Reaction> {
        let ground = station.ground?;
        let (yaw_rad, speed_mps) = (heading_to_yaw_rad(station.heading_deg?.to_radians()), station.speed_mps?);
        let (sin, cos) = yaw_rad.sin_cos();
        let velocity = Vector2::new(cos, sin) * speed_mps;
        let age_s = at.now.seconds_since(station.generated_at).clamp(0.0, 5.0);
        let front = Point2::new(ground.e_m, ground.n_m) + velocity * age_s;
        let is_vulnerable = station.kind == MessageKind::Vam
            || matches!(
                station.station_type,
                StationType::Pedestrian | StationType::Cyclist | StationType::LightVruVehicle
            );
        let (half_length_m, half_width_m) = if is_vulnerable { (1.25, 0.5) } else { (2.3, 0.95) };
        // A vehicle tells where the middle of its front is.
        let behind_m =
            if is_vulnerable { 0.0 } else { station.size_m.map_or(half_length_m, |[length_m, _]| length_m / 2.0) };
        let position = front - Vector2::new(cos, sin) * behind_m;
        if station.priority_in_use
            && let Some(reaction) = give_way(at, position, velocity)
        {
            return Some(Reaction { why: format!("CAM of {}: emergency vehicle", station.id.0), ..reaction });
        }
        let other = Other { position, velocity, half_length_m, half_width_m, yaw_rad };
        let kind = station.kind.name().to_uppercase();
        self.avoid(at, &other, is_vulnerable)
            .map(|reaction| Reaction { why: format!("{kind} of {}", station.id.0), ..reaction })
    }

    /// Comes to an event so slowly that stopping in front of it is easy.
    fn heed(&self, at: &Situation<'_>, event: &masa_edge_node::world::ldm::ReceivedEvent) -> Option<Reaction> {
        let here = at.own.way.at(at.own.s_m)?.point;
        let wgs84 =
            |p: nalgebra::Point3<f64>| at.frame.to_wgs84(masa_v2x_proto::geo::Enu { e_m: p.x, n_m: p.y, u_m: p.z });
        let ahead = (1..=40).filter_map(|step| Some(wgs84(at.own.way.at(at.own.s_m + f64::from(step) * 10.0)?.point)));
        let reader = Reader {
            position: wgs84(here),
            heading_deg: Some(masa_v2x_proto::geo::yaw_to_heading_rad(at.yaw_rad).to_degrees()),
            speed_mps: Some(at.speed_mps),
            way: ahead.collect(),
        };
        let Relevance::Relevant { distance_m, .. } = denm_relevance(&event.denm, &reader) else { return None };
        // Of an event beside the own way nothing is to be feared once one is at it.
        let room_m = distance_m - at.own.size_m[0] / 2.0 - self.settings.room_m - 4.0;
        if distance_m < 1.0 {
            return None;
        }
        let code = event.cause.map_or(0, |cause| cause.code());
        let limit_mps = (2.0 * 2.5 * room_m.max(0.0)).sqrt();
        let needed = at.speed_mps.powi(2) / (2.0 * room_m.max(0.3));
        (needed >= self.settings.begin_mps2 || limit_mps < self.cruise_mps).then(|| Reaction {
            limit_mps: Some(limit_mps),
            brake_mps2: (needed >= self.settings.begin_mps2).then_some(needed.min(self.settings.hardest_mps2)),
            why: format!(
                "DENM {}-{}: cause {code}",
                event.action_id.originating_station_id.0, event.action_id.sequence_number
            ),
        })
    }
}

/// What one does about an emergency vehicle: slows down while it comes from behind, stops before crossing its way.
fn give_way(at: &Situation<'_>, position: Point2<f64>, velocity: Vector2<f64>) -> Option<Reaction> {
    let here = at.own.way.at(at.own.s_m)?.point.xy();
    let apart = position - here;
    let distance_m = apart.norm();
    let approaching = apart.dot(&velocity) < 0.0;
    if !approaching || distance_m > 150.0 || velocity.norm() < 2.0 {
        return None;
    }
    let (sin, cos) = at.yaw_rad.sin_cos();
    let is_behind = apart.x * cos + apart.y * sin < 0.0 && velocity.x * cos + velocity.y * sin > 0.0;
    if is_behind {
        return Some(Reaction { limit_mps: Some(5.0), brake_mps2: None, why: String::new() });
    }
    // From the side: who would be in its way when it passes stops before.
    let other =
        Other { position, velocity, half_length_m: 4.0, half_width_m: 1.5, yaw_rad: velocity.y.atan2(velocity.x) };
    let look = Look { horizon_s: 9.0, side_m: 2.0, doubt_mps: 0.5 };
    let met = conflict(&at.own, at.speed_mps.max(4.0), &other, look)?;
    let needed = at.speed_mps.powi(2) / (2.0 * (met.gap_m - 6.0).max(0.3));
    (needed > 0.8 || at.speed_mps < 2.0).then(|| Reaction {
        limit_mps: Some(at.speed_mps),
        brake_mps2: Some(needed.clamp(0.5, 6.0)),
        why: String::new(),
    })
}

/// Half length and half width of what somebody perceives, metres.
fn half_size(kind: ReceivedObjectKind) -> (f64, f64) {
    match kind {
        ReceivedObjectKind::Vru => (0.5, 0.5),
        ReceivedObjectKind::Vehicle(StationType::Bus | StationType::HeavyTruck | StationType::Tram) => (6.0, 1.25),
        ReceivedObjectKind::Vehicle(_) => (2.3, 0.95),
        ReceivedObjectKind::Other | ReceivedObjectKind::Unknown => (0.6, 0.6),
    }
}
