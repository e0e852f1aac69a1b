//! Which parking spaces are taken: by the world alone.
//!
//! In: a network's spaces and a snapshot. Out: for each space who stands in it. A space is taken while the middle of a vehicle
//! that does not drive past is within its outline, parked, backing in or pulling out. Absent: trailers over two spaces.

use crate::actor::{Actor, ActorId};
use crate::roads::{ParkingSpace, Roads};
use crate::snapshot::Snapshot;
use nalgebra::Vector2;

/// Faster than this a vehicle drives past, metres a second.
const PASSES_MPS: f64 = 2.0;

/// Who stands in each space, in the order of [`Roads::parking`].
pub fn occupants(roads: &Roads, snapshot: &Snapshot) -> Vec<Option<ActorId>> {
    let stands = |actor: &&Actor| !actor.kind.walks() && actor.speed_mps.abs() < PASSES_MPS;
    let standing: Vec<&Actor> = snapshot.actors.iter().filter(stands).collect();
    let taken = |space: &ParkingSpace| standing.iter().find(|actor| is_in(space, actor)).map(|actor| actor.id);
    roads.parking.iter().map(taken).collect()
}

fn is_in(space: &ParkingSpace, actor: &Actor) -> bool {
    let (sin, cos) = space.yaw_rad.sin_cos();
    let to = actor.pose.position.xy() - space.position;
    let (along, across) = (to.dot(&Vector2::new(cos, sin)), to.dot(&Vector2::new(-sin, cos)));
    along.abs() <= 0.5 * space.length_m && across.abs() <= 0.5 * space.width_m
}

/// Counts spaces that become taken and free again, snapshot by snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turnover {
    before: Option<Vec<Option<ActorId>>>,
    /// Spaces that became taken since the first snapshot.
    pub taken: u32,
    /// Spaces that became free since the first snapshot.
    pub freed: u32,
}

impl Turnover {
    /// Takes the next snapshot.
    pub fn watch(&mut self, roads: &Roads, now: &Snapshot) {
        let occupants = occupants(roads, now);
        for (before, now) in self.before.iter().flatten().zip(&occupants) {
            self.taken += u32::from(now.is_some() && before != now);
            self.freed += u32::from(before.is_some() && before != now);
        }
        self.before = Some(occupants);
    }
}
