//! A person: what is asked for, what is drawn by chance, and its state.

use super::path::{Gate, Path};
use super::pavement::Place;
use super::stages::Stage;
use crate::actor::{Actor, ActorId, ActorKind, LanePosition, Lights, Pose, Role, Size};
use crate::geometry::angle_between;
use crate::random::Seed;
use nalgebra::{Point2, Point3, Vector2};
use rand::RngExt;
use rand_distr::{Distribution, Normal};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Who walks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Walker {
    /// Adult: 1.34 ± 0.26 m/s (Weidmann, IVT 90, 1993).
    #[default]
    Adult,
    /// Elderly adult: 1.15 ± 0.22 m/s (Fitzpatrick et al., TCRP report 112, 2006: 15th percentile 0.92 m/s at crossings).
    Elderly,
    /// Child: 1.25 ± 0.25 m/s, runs 3.3 m/s.
    Child,
    /// Person in a wheelchair: 1.1 ± 0.25 m/s.
    Wheelchair,
    /// Dog on a leash, with whom `leader` names.
    Dog,
}

/// Mean, deviation, slowest and fastest of the wanted speed, and running speed, metres a second; radius, metres.
struct Build {
    mean: f64,
    deviation: f64,
    range: (f64, f64),
    run: f64,
    radius: f64,
    kind: ActorKind,
}

impl Walker {
    const fn build(self) -> Build {
        match self {
            Self::Adult => {
                Build { mean: 1.34, deviation: 0.26, range: (0.6, 2.2), run: 3.5, radius: 0.25, kind: ActorKind::Adult }
            }
            Self::Elderly => {
                Build { mean: 1.15, deviation: 0.22, range: (0.4, 1.8), run: 1.8, radius: 0.25, kind: ActorKind::Adult }
            }
            Self::Child => {
                Build { mean: 1.25, deviation: 0.25, range: (0.6, 2.0), run: 3.3, radius: 0.18, kind: ActorKind::Child }
            }
            Self::Wheelchair => Build {
                mean: 1.1,
                deviation: 0.25,
                range: (0.5, 1.8),
                run: 1.8,
                radius: 0.4,
                kind: ActorKind::Wheelchair,
            },
            Self::Dog => {
                Build { mean: 1.4, deviation: 0.1, range: (1.0, 2.0), run: 5.0, radius: 0.15, kind: ActorKind::Dog }
            }
        }
    }
}

/// What a person does at the end of its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtEnd {
    /// Is gone, as through a door.
    #[default]
    Leave,
    /// Stands there.
    Stay,
}

/// How a person goes from point to point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ways {
    /// On pavements and crossings, minding signals and traffic.
    #[default]
    Pavement,
    /// Straight on, whatever is there.
    Straight,
    /// Straight on between walls, this many metres apart.
    Corridor(f64),
}

/// Manners of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manners {
    /// Looks at a phone: walks slower, starts late, does not always look.
    pub distracted: bool,
    /// Crosses where there is no crossing, if that is shorter.
    pub jaywalker: bool,
    /// Goes at red when there is a gap.
    pub ignores_red: bool,
}

/// A person to put on the road.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PersonSpec {
    /// Who.
    pub walker: Walker,
    /// Where it begins, ENU metres; on pavements the nearest place of them.
    pub from: [f64; 2],
    /// Where it goes, one after the other, ENU metres; nowhere: stands.
    pub to: Vec<[f64; 2]>,
    /// How.
    pub ways: Ways,
    /// Simulated time at which it appears, seconds.
    pub depart_s: f64,
    /// Wanted speed, metres a second; not set: drawn from the distribution of its kind.
    pub speed_mps: Option<f64>,
    /// What it does at the end.
    pub at_end: AtEnd,
    /// Its manners; not set: drawn by the rates of the population.
    pub manners: Option<Manners>,
    /// People with the same number walk together.
    pub group: Option<u32>,
    /// A dog's person.
    pub leader: Option<ActorId>,
    /// Carries a device that sends V2X messages; not set: drawn.
    pub connected: Option<bool>,
}

/// How a person looks and moves by nature.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: ActorId,
    pub(crate) walker: Walker,
    pub(crate) wanted_mps: f64,
    pub(crate) run_mps: f64,
    pub(crate) radius_m: f64,
    size: Size,
    appearance: u32,
    pub(crate) connected: bool,
    pub(crate) manners: Manners,
    pub(crate) group: Option<u32>,
    pub(crate) leader: Option<ActorId>,
    pub(crate) at_end: AtEnd,
    pub(crate) luck: Pcg64Mcg,
    pub(crate) path: Arc<Path>,
    pub(crate) destination: Option<Place>,
    /// What it does when it is there.
    pub(crate) stages: VecDeque<Stage>,

    pub(crate) position: Point2<f64>,
    pub(crate) velocity: Vector2<f64>,
    pub(crate) z_m: f64,
    yaw_rad: f64,
    yaw_rate_rps: f64,
    acceleration_mps2: f64,
    pub(crate) s_m: f64,
    pub(crate) offset_m: f64,
    /// Side of the path that it keeps to, metres to the left.
    pub(crate) keeps_m: f64,
    pub(crate) along: Vector2<f64>,
    pub(crate) away: Vector2<f64>,
    /// Next crossing of the path.
    pub(crate) gate: usize,
    pub(crate) waited_s: f64,
    /// Draws at the kerb: crosses without looking; time until a green signal is noticed, seconds.
    pub(crate) unseeing: bool,
    pub(crate) notices_after_s: f64,
    /// The crossing before which it has to stop.
    pub(crate) holds_at: Option<Gate>,
    /// By command, metres a second.
    pub(crate) limit_mps: Option<f64>,
    pub(crate) arrived: bool,
}

/// Share of distracted people who step out without looking: our choice.
const UNSEEING_SHARE: f64 = 0.3;
/// People who write on a phone need 18 % longer to cross (Thompson et al., Injury Prevention 19, 2013).
const DISTRACTED_PACE: f64 = 0.85;
/// Nearer than this to the end is there, metres.
pub(crate) const THERE_M: f64 = 0.5;
/// Fastest turn of a body, radians a second.
const TURN_RPS: f64 = 4.0;

/// A number from a normal distribution cut off at both ends.
pub(crate) fn bounded_normal(luck: &mut Pcg64Mcg, mean: f64, deviation: f64, range: (f64, f64)) -> f64 {
    let normal = Normal::new(mean, deviation).expect("deviations here are finite");
    normal.sample(luck).clamp(range.0, range.1)
}

impl Person {
    /// A person at the start of `path`. `manners` were drawn by rate or asked for.
    pub(crate) fn new(id: ActorId, spec: &PersonSpec, path: Path, seed: Seed) -> Option<Self> {
        let mut luck = seed.stream("person", u64::from(id.0));
        let build = spec.walker.build();
        let drawn = bounded_normal(&mut luck, build.mean, build.deviation, build.range);
        let tall = bounded_normal(&mut luck, 1.0, 0.05, (0.85, 1.15));
        let usual = build.kind.usual_size();
        let start = path.start()?;
        let manners = spec.manners.unwrap_or_default();
        let pace = if manners.distracted { DISTRACTED_PACE } else { 1.0 };
        let room = path.piece(0.0).map_or(0.0, |piece| piece.half_width_m);
        let room = if room.is_finite() { (room - build.radius).max(0.0) } else { 0.0 };
        let keeps_m = luck.random_range(-1.0..=1.0) * room * 0.9;
        let position = path.at(0.0, keeps_m).unwrap_or(start.xy());
        let along = path.locate(start.xy(), 0.0).map_or(Vector2::x(), |on| on.along);
        let mut person = Self {
            id,
            walker: spec.walker,
            wanted_mps: spec.speed_mps.unwrap_or(drawn * pace),
            run_mps: build.run * luck.random_range(0.85..=1.15),
            radius_m: build.radius,
            size: Size { height_m: usual.height_m * tall, ..usual },
            appearance: luck.random(),
            connected: spec.connected.unwrap_or(false),
            manners,
            group: spec.group,
            leader: spec.leader,
            at_end: spec.at_end,
            path: Arc::new(path),
            destination: None,
            stages: VecDeque::new(),
            position,
            velocity: Vector2::zeros(),
            z_m: start.z,
            yaw_rad: along.y.atan2(along.x),
            yaw_rate_rps: 0.0,
            acceleration_mps2: 0.0,
            s_m: 0.0,
            offset_m: keeps_m,
            keeps_m,
            along,
            away: Vector2::new(-along.y, along.x),
            gate: 0,
            waited_s: 0.0,
            unseeing: false,
            notices_after_s: 0.0,
            holds_at: None,
            limit_mps: None,
            arrived: false,
            luck,
        };
        person.arrived = person.path.length_m() <= THERE_M;
        person.draw_for_gate();
        Some(person)
    }

    /// Leaves the path for another that begins where the person is.
    pub(crate) fn follow(&mut self, path: Path) {
        self.path = Arc::new(path);
        (self.s_m, self.gate, self.waited_s, self.keeps_m) = (0.0, 0, 0.0, 0.0);
        self.arrived = self.path.length_m() <= THERE_M;
        self.holds_at = None;
        self.draw_for_gate();
    }

    /// Chance for the next crossing.
    fn draw_for_gate(&mut self) {
        let (look, late): (f64, f64) = (self.luck.random(), self.luck.random());
        self.unseeing = self.manners.distracted && look < UNSEEING_SHARE;
        self.notices_after_s = if self.manners.distracted { 0.5 + 2.0 * late } else { 0.2 + 0.8 * late };
    }

    /// Passes crossings whose kerb is behind.
    pub(crate) fn pass_gates(&mut self) {
        while self.path.gates.get(self.gate).is_some_and(|gate| self.s_m > gate.from_m + 0.1) {
            self.gate += 1;
            self.waited_s = 0.0;
            self.draw_for_gate();
        }
    }

    /// Takes up a new place and velocity after `step_s`.
    pub(crate) fn move_to(&mut self, position: Point2<f64>, velocity: Vector2<f64>, step_s: f64) {
        let before = self.speed_mps();
        (self.position, self.velocity) = (position, velocity);
        if let Some(on) = self.path.locate(position, self.s_m) {
            (self.s_m, self.offset_m, self.along, self.away, self.z_m) =
                (on.s_m, on.offset_m, on.along, on.away, on.z_m);
        }
        let facing = if velocity.norm() > 0.2 { velocity } else { self.along };
        let turn = angle_between(facing.y.atan2(facing.x), self.yaw_rad).clamp(-TURN_RPS * step_s, TURN_RPS * step_s);
        self.yaw_rad += turn;
        self.yaw_rate_rps = turn / step_s;
        self.acceleration_mps2 = (self.speed_mps() - before) / step_s;
    }

    fn speed_mps(&self) -> f64 {
        let (sin, cos) = self.yaw_rad.sin_cos();
        self.velocity.dot(&Vector2::new(cos, sin))
    }

    /// As others see it.
    pub(crate) fn actor(&self) -> Actor {
        let piece = self.path.piece(self.s_m);
        let on_lane = piece.and_then(|piece| {
            let (lane, from_m, sign) = piece.lane?;
            let s_m = from_m + sign * (self.s_m - piece.from_m);
            Some(LanePosition { lane, s_m, offset_m: sign * self.offset_m })
        });
        Actor {
            id: self.id,
            kind: self.walker.build().kind,
            role: Role::Ordinary,
            pose: Pose {
                position: Point3::new(self.position.x, self.position.y, self.z_m),
                yaw_rad: angle_between(self.yaw_rad, 0.0),
                pitch_rad: 0.0,
            },
            speed_mps: self.speed_mps(),
            acceleration_mps2: self.acceleration_mps2,
            yaw_rate_rps: self.yaw_rate_rps,
            size: self.size,
            lights: Lights::default(),
            appearance: self.appearance,
            on_lane,
            connected: self.connected,
        }
    }
}
