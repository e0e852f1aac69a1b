//! What is kept of each journey (SUMO: tripinfo).

use super::advance::Leaving;
use super::step::Traffic;

/// A journey that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// Name of the vehicle.
    pub name: String,
    /// Name of its type.
    pub type_name: String,
    /// When it departed, seconds.
    pub depart_s: f64,
    /// How long it had to wait for room, seconds.
    pub depart_delay_s: f64,
    /// Lane, position (metres) and speed (metres a second) at departure.
    pub depart: (String, f64, f64),
    /// When it arrived, seconds.
    pub arrival_s: f64,
    /// The same at arrival.
    pub arrival: (String, f64, f64),
    /// Length driven, metres.
    pub route_length_m: f64,
    /// Time below 0.1 m/s, stops left out, seconds.
    pub waiting_s: f64,
    /// How often it came to wait.
    pub waiting_count: u32,
    /// Time at stops, seconds.
    pub stop_s: f64,
    /// Time lost against driving as wished, seconds.
    pub time_loss_s: f64,
    /// Speed beside the limit.
    pub speed_factor: f64,
    /// It arrived; else it was taken off the road.
    pub arrived: bool,
}

impl Traffic {
    /// Keeps journeys from now on, for [`Self::take_trips`].
    pub fn keep_trips(&mut self) {
        self.trips.get_or_insert_default();
    }

    /// The journeys that ended since the last call, in order of arrival; none unless [`Self::keep_trips`] was called.
    pub fn take_trips(&mut self) -> Vec<Trip> {
        self.trips.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn note_trip(&mut self, vehicle: u32, leaving: Leaving) {
        let Some(trips) = &mut self.trips else { return };
        let (body, info) = (&self.bodies[vehicle as usize], &self.infos[vehicle as usize]);
        let lane = |lane: u32| self.roads.lanes.get(lane as usize).map(|lane| lane.name.clone()).unwrap_or_default();
        let arrived = leaving == Leaving::Arrived;
        let arrival_pos = if arrived { body.arrival_pos } else { body.pos };
        trips.push(Trip {
            name: info.name.clone(),
            type_name: info.type_name.clone(),
            depart_s: info.departed,
            depart_delay_s: info.departed - info.depart_wish,
            depart: (lane(info.depart_lane), info.depart_pos, info.depart_speed),
            arrival_s: self.time,
            arrival: (lane(body.lane), arrival_pos, body.speed),
            route_length_m: info.odometer + arrival_pos - info.depart_pos,
            waiting_s: info.waiting_s,
            waiting_count: info.waiting_count,
            stop_s: info.stop_s,
            time_loss_s: info.time_loss,
            speed_factor: body.driver.speed_factor,
            arrived,
        });
    }
}
