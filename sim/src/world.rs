//! The world: populations that move, signals that change, one fixed step at a time.
//!
//! In: commands to actors. Out: a [`Snapshot`] a step. Each population sees the snapshot of the step before and writes its
//! actors into the next, so their order changes nothing.

use crate::actor::{Actor, ActorId};
use crate::roads::{Roads, SignalId, SignalState};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use std::fmt::Debug;
use std::sync::Arc;

/// What a scenario, a message or a user makes an actor do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Go no faster than this, metres a second; `None` lifts it.
    LimitSpeed(Option<f64>),
    /// Brake at least this hard, metres a second squared; `None` lifts it.
    Brake(Option<f64>),
    /// Change this many lanes inwards (left in right-hand traffic), negative outwards.
    ChangeLane(i32),
    /// Drive by hand until `Release`: throttle and brake 0 to 1, steering −1 (right) to 1 (left).
    Control {
        /// 0 to 1.
        throttle: f64,
        /// 0 to 1.
        brake: f64,
        /// −1 to 1.
        steer: f64,
    },
    /// Leave it to its own driver again.
    Release,
    /// Take it off the road.
    Remove,
}

/// What moves together: vehicles in traffic, people, scripted actors, parked vehicles.
pub trait Population: Debug + Send {
    /// Moves everything by one step, from what `before` shows. `signals` is what signals show during this step.
    fn step(&mut self, before: &Snapshot, signals: &[Vec<SignalState>], step_s: f64);

    /// Writes the state of each actor after the step.
    fn write(&self, into: &mut Vec<Actor>);

    /// Gives an actor a command; whether it is one of this population's and can follow it.
    fn command(&mut self, id: ActorId, command: Command) -> bool;
}

/// Number of a wish for green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WishId(pub u64);

/// Somebody wants green.
#[derive(Clone, Debug, PartialEq)]
pub struct GreenWish {
    /// Of which controller.
    pub controller: SignalId,
    /// The links of the controller that are to be green together.
    pub links: Vec<u16>,
    /// How much others must stand back.
    pub urgency: Urgency,
    /// When it arrives, simulated seconds.
    pub arrives_s: f64,
}

/// How much others must stand back for a wish for green.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Within limits: a green that is a little longer or earlier, and not again at once.
    PublicTransport,
    /// As soon as the others can be stopped safely, and for as long as it takes.
    Emergency,
}

/// What became of a wish for green.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishAnswer {
    /// The others are being stopped, or it is too early.
    Processing,
    /// It is green, and stays so.
    Granted,
    /// Granted for too long: it is over.
    TooLong,
    /// Not again so soon.
    Locked,
    /// It cannot be.
    Rejected,
}

/// What decides the signals.
pub trait SignalControl: Debug + Send {
    /// What each controller shows to each of its links during the step that begins with `before`.
    fn states(&mut self, before: &Snapshot) -> Vec<Vec<SignalState>>;

    /// Takes a wish for green, changes it, or withdraws it (`None`). Fixed programmes take none.
    fn wish(&mut self, _id: WishId, _wish: Option<GreenWish>) {}

    /// What became of wishes since this was last asked.
    fn answers(&mut self) -> Vec<(WishId, WishAnswer)> {
        Vec::new()
    }

    /// Controllers that do not follow their programme now.
    fn off_programme(&self) -> Vec<SignalId> {
        Vec::new()
    }
}

/// Programmes by time alone.
#[derive(Debug)]
pub struct FixedProgrammes(pub Arc<Roads>);

impl SignalControl for FixedProgrammes {
    fn states(&mut self, before: &Snapshot) -> Vec<Vec<SignalState>> {
        self.0.signals.iter().map(|controller| controller.states_at(before.time_s)).collect()
    }
}

impl crate::roads::SignalController {
    /// Place of the phase at a time, and the time until its end, seconds; `None` without a programme.
    pub fn phase_at(&self, time_s: f64) -> Option<(usize, f64)> {
        let cycle_s: f64 = self.phases.iter().map(|phase| phase.duration_s).sum();
        if cycle_s <= 0.0 {
            return None;
        }
        let mut left_s = (time_s - self.offset_s).rem_euclid(cycle_s);
        for (place, phase) in self.phases.iter().enumerate() {
            if left_s < phase.duration_s {
                return Some((place, phase.duration_s - left_s));
            }
            left_s -= phase.duration_s;
        }
        Some((0, self.phases[0].duration_s))
    }

    /// What each link is shown at a time by the programme.
    pub fn states_at(&self, time_s: f64) -> Vec<SignalState> {
        self.phase_at(time_s).map(|(place, _)| self.phases[place].states.clone()).unwrap_or_default()
    }
}

/// The world.
#[derive(Debug)]
pub struct World {
    roads: Arc<Roads>,
    step_s: f64,
    signals: Box<dyn SignalControl>,
    populations: Vec<Box<dyn Population>>,
    now: Snapshot,
}

impl World {
    /// An empty world at time 0 whose step is `step_s` seconds; signals follow their fixed programmes.
    pub fn new(roads: Arc<Roads>, step_s: f64, weather: Weather) -> Self {
        let signals = Box::new(FixedProgrammes(roads.clone()));
        let now = Snapshot { weather, ..Snapshot::default() };
        Self { roads, step_s, signals, populations: Vec::new(), now }
    }

    /// Adds a population; what it has on the road already is seen from now on.
    pub fn add(&mut self, population: Box<dyn Population>) {
        population.write(&mut self.now.actors);
        self.now.actors.sort_by_key(|actor| actor.id);
        self.populations.push(population);
    }

    /// Looks at every population again: for what came or went between two steps.
    pub fn refresh(&mut self) {
        let mut actors = std::mem::take(&mut self.now.actors);
        actors.clear();
        for population in &self.populations {
            population.write(&mut actors);
        }
        actors.sort_by_key(|actor| actor.id);
        self.now.actors = actors;
    }

    /// Leaves the signals to `control`.
    pub fn set_signal_control(&mut self, control: Box<dyn SignalControl>) {
        self.signals = control;
    }

    /// Tells the signals of a wish for green; `None` withdraws it.
    pub fn wish_green(&mut self, id: WishId, wish: Option<GreenWish>) {
        self.signals.wish(id, wish);
    }

    /// What became of wishes for green since this was last asked.
    pub fn green_answers(&mut self) -> Vec<(WishId, WishAnswer)> {
        self.signals.answers()
    }

    /// Changes light and weather from the next step on.
    pub fn set_weather(&mut self, weather: Weather) {
        self.now.weather = weather;
    }

    /// The network.
    pub fn roads(&self) -> &Arc<Roads> {
        &self.roads
    }

    /// Length of a step, seconds.
    pub fn step_s(&self) -> f64 {
        self.step_s
    }

    /// The world as it is.
    pub fn now(&self) -> &Snapshot {
        &self.now
    }

    /// Gives an actor a command; whether some population took it.
    pub fn command(&mut self, id: ActorId, command: Command) -> bool {
        self.populations.iter_mut().any(|population| population.command(id, command))
    }

    /// Moves on by one step.
    pub fn step(&mut self) -> &Snapshot {
        let signals = self.signals.states(&self.now);
        for population in &mut self.populations {
            population.step(&self.now, &signals, self.step_s);
        }
        let step = self.now.step + 1;
        let mut actors = Vec::with_capacity(self.now.actors.len() + 8);
        for population in &self.populations {
            population.write(&mut actors);
        }
        actors.sort_by_key(|actor| actor.id);
        let (time_s, off_programme) = (step as f64 * self.step_s, self.signals.off_programme());
        self.now = Snapshot { step, time_s, actors, signals, off_programme, weather: self.now.weather };
        &self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roads::{SignalController, SignalPhase};

    #[test]
    fn a_programme_repeats_from_its_offset() {
        let phase =
            |duration_s, state| SignalPhase { duration_s, min_s: duration_s, max_s: duration_s, states: vec![state] };
        let phases =
            vec![phase(20.0, SignalState::GreenMajor), phase(3.0, SignalState::Yellow), phase(7.0, SignalState::Red)];
        let controller = SignalController { phases, offset_s: 5.0, ..SignalController::default() };
        for (time_s, state) in [
            (0.0, SignalState::Red),
            (5.0, SignalState::GreenMajor),
            (25.0, SignalState::Yellow),
            (58.5, SignalState::Red),
        ] {
            assert_eq!(controller.states_at(time_s), [state], "{time_s}");
        }
        assert_eq!(controller.phase_at(26.0), Some((1, 2.0)));
    }
}
