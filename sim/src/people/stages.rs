//! A day of several parts: walk, stand, be away (on a vehicle, indoors), walk on.

use super::path::{Gait, Path};
use super::pavement::Place;
use super::person::{Person, PersonSpec};
use super::{People, PeopleError};
use crate::actor::ActorId;
use std::collections::VecDeque;

/// A part of a person's day.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// By these places, from where the person is; from the first one if it is nowhere yet.
    Walk(Vec<Place>),
    StandFor(f64),
    StandUntil(f64),
    Away(f64),
}

impl People {
    /// Puts a person on the road who begins with the first walk of its stages.
    pub(super) fn spawn_staged(&mut self, spec: PersonSpec, stages: VecDeque<Stage>) -> Result<ActorId, PeopleError> {
        if !spec.depart_s.is_finite() {
            return Err(PeopleError::NotFinite("depart-s"));
        }
        let id = ActorId::of(self.population, self.next_number);
        self.next_number += 1;
        let spec = self.with_luck(id, spec);
        self.queue(id, spec, stages);
        Ok(id)
    }

    /// Puts a person with stages on the road. Whether a way was found.
    pub(super) fn place_staged(&mut self, id: ActorId, spec: &PersonSpec, mut stages: VecDeque<Stage>) -> bool {
        let first = stages.iter().position(|stage| matches!(stage, Stage::Walk(places) if !places.is_empty()));
        let Some(Stage::Walk(places)) = first.and_then(|at| stages.drain(..=at).next_back()) else { return false };
        let mut path = Path::default();
        let jaywalk = spec.manners.is_some_and(|manners| manners.jaywalker);
        let found = places.windows(2).all(|pair| self.pavement.route(pair[0], pair[1], jaywalk, &mut path));
        if !found {
            return false;
        }
        if path.start().is_none() {
            path.push(self.pavement.point(places[0]), f64::INFINITY, None, Gait::Walk);
        }
        let Some(mut person) = Person::new(id, spec, path, self.seed) else { return false };
        person.destination = places.last().copied();
        person.stages = stages;
        self.insert(person);
        true
    }

    pub(super) fn insert(&mut self, person: Person) {
        let at = self.people.partition_point(|other| other.id < person.id);
        self.people.insert(at, person);
    }

    /// Begins what comes after for those who arrived, and brings back those who were away.
    pub(super) fn begin_stages(&mut self) {
        while let Some(at) = self.away.iter().position(|(until_s, _)| *until_s <= self.now_s) {
            let (_, mut person) = self.away.remove(at);
            if let Some(place) = person.stages.front().and_then(|stage| match stage {
                Stage::Walk(places) => places.first().copied(),
                _ => None,
            }) {
                let point = self.pavement.point(place);
                let mut path = Path::default();
                path.push(point, f64::INFINITY, None, Gait::Walk);
                person.follow(path);
                person.destination = Some(place);
                person.position = point.map_or(person.position, |p| p.xy());
            }
            self.insert(person);
        }
        let mut at = 0;
        while at < self.people.len() {
            match self.next_stage(at) {
                Some(until_s) => {
                    let person = self.people.remove(at);
                    self.away.push((until_s, person));
                }
                None => at += 1,
            }
        }
    }

    /// Begins the next stages of a person; when it goes away, until when.
    fn next_stage(&mut self, at: usize) -> Option<f64> {
        while self.people[at].arrived {
            let person = &mut self.people[at];
            match person.stages.pop_front()? {
                Stage::Walk(places) => {
                    let mut path = Path::default();
                    let jaywalk = person.manners.jaywalker;
                    let from = person.destination.or(places.first().copied())?;
                    let mut last = from;
                    for place in places {
                        if !self.pavement.route(last, place, jaywalk, &mut path) {
                            self.stranded += 1;
                            self.people[at].stages.clear();
                            return None;
                        }
                        last = place;
                    }
                    let person = &mut self.people[at];
                    person.destination = Some(last);
                    if path.length_m() > 0.0 {
                        person.follow(path);
                    }
                }
                Stage::StandFor(time_s) => person.stages.push_front(Stage::StandUntil(self.now_s + time_s)),
                Stage::StandUntil(until_s) if self.now_s < until_s => {
                    person.stages.push_front(Stage::StandUntil(until_s));
                    return None;
                }
                Stage::StandUntil(_) => {}
                Stage::Away(time_s) => return Some(self.now_s + time_s),
            }
        }
        None
    }
}
