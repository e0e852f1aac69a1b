//! What a station knew against what was so.
//!
//! In: the trace of a run. Out: [`Figures`]. In each frame of the first camera, the objects known after it are given to the
//! road users in reach, nearest pairs first; a road user counts who shows in that frame and has done so for a while.

use super::samples::{Is, Sample, mahalanobis2};
use masa_sim::actor::{Actor, ActorId};
use masa_sim::run::trace::{FrameTrace, Known};
use masa_sim::run::{Outcome, Trace};
use std::collections::BTreeMap;

/// An object further from a road user than this, besides half of its length, is not it, metres.
const REACH_M: f64 = 3.0;
/// Less of somebody than this showing does not count, share.
const VISIBLE: f64 = 0.5;
/// Somebody counts who has been in view for this long, seconds: what the tracker needs to be sure.
const SETTLE_S: f64 = 1.0;
/// Distances from the camera, metres: around 30 m and around 60 m.
const BANDS_M: [[f64; 2]; 2] = [[20.0, 40.0], [45.0, 75.0]];
/// Squared Mahalanobis distance within which 95 % of a normal distribution in the plane lie.
const INSIDE_95: f64 = 5.991;
/// The same for 99 %.
const INSIDE_99: f64 = 9.210;
/// An object is a ghost when less of its life than this belongs to anybody, share.
const TRUE_SHARE: f64 = 0.2;
/// Two objects on one road user for so long are one too many, seconds.
const DOUBLE_S: f64 = 1.0;

/// Head of the table.
pub(super) const HEADER: &str = "\
scenario (seed): sources                        position, median (m)      speed (m/s)  in 95 %   one object for  same id   known  per 10 min
                                                at 30 m      at 60 m      median       ellipse   both cameras              share  ghosts  doubles  sightings";

/// Everything that is measured.
#[derive(Debug, Default)]
pub(super) struct Figures {
    /// Position errors by band, metres.
    errors_m: [Vec<f64>; 2],
    speed_errors_mps: Vec<f64>,
    inside: Share,
    both: Share,
    same: Share,
    known: Share,
    ghosts: usize,
    doubles: usize,
    minutes: f64,
    /// Every comparison.
    pub(super) samples: Vec<Sample>,
}

/// So many of so many.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    hits: usize,
    of: usize,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }

    fn add(&mut self, other: Self) {
        (self.hits, self.of) = (self.hits + other.hits, self.of + other.of);
    }

    fn words(self) -> String {
        if self.of == 0 { "–".into() } else { format!("{:.1} %", 100.0 * self.hits as f64 / self.of as f64) }
    }
}

/// What one object was in its life.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    frames: usize,
    somebody: usize,
}

impl Figures {
    /// Of the first station of a run.
    pub(super) fn of(outcome: &Outcome) -> Self {
        let trace = &outcome.trace;
        let camera = &outcome.scenario.stations[0].cameras[0];
        let [eye_e_m, eye_n_m, _] = camera.position_m;
        let mut figures = Self { minutes: trace.snapshots.last().map_or(0.0, |s| s.time_s) / 60.0, ..Self::default() };
        let mut since: BTreeMap<ActorId, f64> = BTreeMap::new();
        let mut ids: BTreeMap<ActorId, BTreeMap<u16, usize>> = BTreeMap::new();
        let mut lives: BTreeMap<u16, Life> = BTreeMap::new();
        let mut doubled: BTreeMap<(ActorId, u16), (f64, f64)> = BTreeMap::new();
        for frame in trace.frames.iter().filter(|frame| (frame.station, frame.camera) == (0, 0)) {
            let Some(snapshot) = trace.at(frame.captured_s) else { continue };
            let pairs = assigned(frame, &snapshot.actors, trace);
            for known in &frame.objects {
                let life = lives.entry(known.id).or_default();
                life.frames += 1;
                let near = snapshot.actors.iter().any(|actor| is_about(known, actor, trace));
                life.somebody += usize::from(near);
                if !near {
                    figures.samples.push(Sample::of(Is::Ghost, known, None, [0.0; 2]));
                }
            }
            let in_view: Vec<_> = frame.in_view.iter().filter(|seen| seen.visible >= VISIBLE).collect();
            since.retain(|actor, _| in_view.iter().any(|seen| seen.actor == *actor));
            for seen in in_view {
                let began = *since.entry(seen.actor).or_insert(frame.captured_s);
                let Some(actor) = snapshot.actor(seen.actor) else { continue };
                if frame.captured_s - began < SETTLE_S {
                    continue;
                }
                let known = pairs.get(&seen.actor).map(|place| &frame.objects[*place]);
                figures.known.count(known.is_some());
                let Some(known) = known else { continue };
                *ids.entry(seen.actor).or_default().entry(known.id).or_default() += 1;
                let eye_m = (actor.pose.position.x - eye_e_m).hypot(actor.pose.position.y - eye_n_m);
                let sample = |is: Is, known: &Known| {
                    Sample::of(is, known, Some(actor), apart(known, actor, trace).into()).seen(
                        &seen.bounding_box,
                        &frame.detections,
                        camera.lens.image_size_px,
                        eye_m,
                        frame.captured_s - began,
                    )
                };
                figures.compare(sample(Is::It, known), eye_m);
                figures.both_cameras(frame, known, actor, &pairs, trace);
                for other in others_on(frame, actor, &pairs, trace) {
                    figures.samples.push(sample(Is::Double, other));
                    let spell = doubled.entry((actor.id, other.id)).or_insert((frame.captured_s, frame.captured_s));
                    spell.1 = frame.captured_s;
                }
            }
        }
        for counts in ids.values() {
            let most = counts.values().max().copied().unwrap_or(0);
            figures.same.add(Share { hits: most, of: counts.values().sum() });
        }
        let is_ghost = |life: &&Life| (life.somebody as f64) < TRUE_SHARE * life.frames as f64;
        figures.ghosts = lives.values().filter(is_ghost).count();
        figures.doubles = doubled.values().filter(|(from, to)| to - from >= DOUBLE_S).count();
        figures
    }

    fn compare(&mut self, sample: Sample, eye_m: f64) {
        let [de, dn] = sample.apart_m;
        for (band, errors_m) in BANDS_M.iter().zip(&mut self.errors_m) {
            if (band[0]..band[1]).contains(&eye_m) {
                errors_m.push(de.hypot(dn));
            }
        }
        self.speed_errors_mps.push(sample.speed_error_mps());
        self.inside.count(sample.distance2 <= INSIDE_95);
        self.samples.push(sample);
    }

    /// Whether both cameras that have a road user in view give one object.
    fn both_cameras(
        &mut self,
        frame: &FrameTrace,
        known: &Known,
        actor: &Actor,
        pairs: &BTreeMap<ActorId, usize>,
        trace: &Trace,
    ) {
        let has = |known: &Known, camera: usize| known.cameras.contains(&camera);
        if has(known, 0) && has(known, 1) {
            self.both.count(true);
        } else if has(known, 0) || has(known, 1) {
            // The other camera has it, too, but as somebody else.
            let other = usize::from(has(known, 0));
            if others_on(frame, actor, pairs, trace).any(|object| has(object, other)) {
                self.both.count(false);
            }
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (all, more) in self.errors_m.iter_mut().zip(other.errors_m) {
            all.extend(more);
        }
        self.speed_errors_mps.extend(other.speed_errors_mps);
        self.inside.add(other.inside);
        self.both.add(other.both);
        self.same.add(other.same);
        self.known.add(other.known);
        self.ghosts += other.ghosts;
        self.doubles += other.doubles;
        self.minutes += other.minutes;
        self.samples.extend(other.samples);
    }

    /// A line of the table.
    pub(super) fn row(&self, name: &str) -> String {
        let figure = |values: &[f64]| match median(values) {
            Some(median) => format!("{median:.2} ({})", values.len()),
            None => "–".into(),
        };
        let per_10_min = |count: usize| 10.0 * count as f64 / self.minutes.max(1e-9);
        format!(
            "{name:46}  {:<12} {:<12} {:<12} {:<9} {:<15} {:<9} {:<6} {:<7.1} {:<8.1} {}",
            figure(&self.errors_m[0]),
            figure(&self.errors_m[1]),
            median(&self.speed_errors_mps).map_or("–".into(), |median| format!("{median:.2}")),
            self.inside.words(),
            self.both.words(),
            self.same.words(),
            self.known.words(),
            per_10_min(self.ghosts),
            per_10_min(self.doubles),
            self.known.of,
        )
    }
}

/// Objects that are on a road user besides the one that is it, and are nobody else either.
fn others_on<'a>(
    frame: &'a FrameTrace,
    actor: &'a Actor,
    pairs: &'a BTreeMap<ActorId, usize>,
    trace: &'a Trace,
) -> impl Iterator<Item = &'a Known> {
    let is_taken = |place: usize| pairs.values().any(|taken| *taken == place);
    let free = frame.objects.iter().enumerate().filter(move |(place, _)| !is_taken(*place));
    free.map(|(_, known)| known).filter(move |known| distance_m(known, actor, trace) <= 0.5 * actor.size.length_m + 1.0)
}

/// The object that each road user is, nearest pairs first.
fn assigned(frame: &FrameTrace, actors: &[Actor], trace: &Trace) -> BTreeMap<ActorId, usize> {
    let mut near: Vec<(f64, ActorId, usize)> = Vec::new();
    for (place, known) in frame.objects.iter().enumerate() {
        for actor in actors {
            let distance_m = distance_m(known, actor, trace);
            if distance_m <= reach_m(actor) {
                near.push((distance_m, actor.id, place));
            }
        }
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut pairs: BTreeMap<ActorId, usize> = BTreeMap::new();
    for (_, actor, place) in near {
        if !pairs.contains_key(&actor) && pairs.values().all(|taken| *taken != place) {
            pairs.insert(actor, place);
        }
    }
    pairs
}

/// Whether an object is, as far as it says itself how vague it is, where a road user is.
fn is_about(known: &Known, actor: &Actor, trace: &Trace) -> bool {
    let apart_m = apart(known, actor, trace).into();
    distance_m(known, actor, trace) <= reach_m(actor) || mahalanobis2(&known.covariance, apart_m) <= INSIDE_99
}

fn reach_m(actor: &Actor) -> f64 {
    REACH_M + 0.5 * actor.size.length_m
}

/// From where an actor was at the instant of what is known, east and north, metres.
fn apart(known: &Known, actor: &Actor, trace: &Trace) -> (f64, f64) {
    let then = trace.actor_at(actor.id, known.at_s).unwrap_or(actor);
    // Between two steps it goes on as it does.
    let snapshot_s = trace.at(known.at_s).map_or(known.at_s, |snapshot| snapshot.time_s);
    let (sin, cos) = then.pose.yaw_rad.sin_cos();
    let gone_m = then.speed_mps * (known.at_s - snapshot_s).clamp(0.0, 0.1);
    let position = then.pose.position;
    (known.position.x - position.x - gone_m * cos, known.position.y - position.y - gone_m * sin)
}

fn distance_m(known: &Known, actor: &Actor, trace: &Trace) -> f64 {
    let (de, dn) = apart(known, actor, trace);
    de.hypot(dn)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
