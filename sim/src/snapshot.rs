//! The whole world at one time: what every sensor, criterion and ground truth reads.

use crate::actor::{Actor, ActorId};
use crate::roads::{SignalId, SignalState};
use crate::weather::Weather;

/// The world at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Steps since the start.
    pub step: u64,
    /// Simulated time since the start, seconds: `step` times the step's length.
    pub time_s: f64,
    /// Everything on the road, by id.
    pub actors: Vec<Actor>,
    /// For each signal controller what each of its links shows.
    pub signals: Vec<Vec<SignalState>>,
    /// Signal controllers that do not follow their programme, since they serve a request for priority.
    pub off_programme: Vec<SignalId>,
    /// Light and weather.
    pub weather: Weather,
}

impl Snapshot {
    /// The actor of this number.
    pub fn actor(&self, id: ActorId) -> Option<&Actor> {
        self.actors.binary_search_by_key(&id, |actor| actor.id).ok().map(|at| &self.actors[at])
    }

    /// What a link of a signal controller shows.
    pub fn signal(&self, controller: SignalId, link: u16) -> Option<SignalState> {
        self.signals.get(controller.0 as usize)?.get(usize::from(link)).copied()
    }
}
