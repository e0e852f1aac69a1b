//! Parking: bays beside lanes, backing into them, standing, and pulling out again.
//!
//! In: the network's parking spaces, stops that ask for a bay. Out: which bay is whose, and where a vehicle is while it is off
//! its lane's line. A driver takes the first free bay ahead, stops a little beyond it, backs in, stands, and pulls out when
//! nobody would have to brake hard. Until it is in, it keeps its place on the lane and the room behind that it backs into, so
//! those behind wait or change lanes. Invariants: a bay has one holder at most; bays are given away in the order of vehicles.
//! Absent: bays across the lane's direction, double parking, driving in forwards, rerouting to another street.

use super::spawn::Standing;
use super::step::Traffic;
use super::vehicle::{Berth, Body, Stop};
use crate::actor::{ActorId, Lights, Pose};
use crate::geometry::angle_between;
use crate::roads::{LaneId, LaneKind, ParkingSpace, Roads, Users};
use nalgebra::{Point3, Vector2};

/// How far a vehicle backs into a bay, metres along its lane.
const BACK_M: f64 = 6.5;
/// Least of it where the lane ends soon, metres.
const LEAST_BACK_M: f64 = 5.5;
/// How long backing in takes, seconds.
const IN_S: f64 = 9.0;
/// How long pulling out takes, seconds.
const OUT_S: f64 = 5.0;
/// Room that a bay has beyond the vehicle's length, metres.
const ROOM_M: f64 = 0.8;
/// Kept between the bay and those behind while backing in, metres.
const BEHIND_M: f64 = 1.0;
/// From this distance before its stop on a driver keeps the room behind it, metres.
const SLOWS_M: f64 = 40.0;
/// Bays are looked for from this distance on, metres.
const LOOKS_M: f64 = 60.0;
/// Who cannot back in for so long, since somebody stands behind, gives up, seconds.
const PATIENCE_S: f64 = 20.0;
/// From the middle of a vehicle to the point behind it that goes where the vehicle points, as a share of its length: between
/// the rear axle and the middle, as steering hard both ways makes of it.
const AXLE: f64 = 0.15;
/// Farthest that a bay may be from the middle of its lane, metres.
const REACH_M: f64 = 6.0;

/// A parking space beside a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Bay {
    /// Place in [`Roads::parking`].
    pub space: usize,
    /// The lane from which it is reached.
    pub lane: LaneId,
    /// Of its middle, along that lane, metres.
    pub s_m: f64,
    /// How far to the left of that lane its middle is (negative: right), metres.
    pub offset_m: f64,
    /// Longest vehicle that fits, metres.
    pub fits_m: f64,
    /// How far vehicles back in, metres.
    back_m: f64,
}

/// Bays and who has them.
#[derive(Debug, Default)]
pub(crate) struct Parking {
    bays: Vec<Bay>,
    /// Numbers of vehicles.
    holders: Vec<Option<u32>>,
    /// Vehicles that have something to do with a bay now.
    busy: Vec<u32>,
}

/// Where a vehicle is between its lane and its bay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manoeuvre {
    /// Share of the way into the bay, 0 to 1.
    share: f64,
    /// How long it has not been able to go on, seconds.
    held_s: f64,
    /// Speed along its axis, metres a second; negative while backing.
    pub(crate) speed: f64,
}

impl Parking {
    /// The bays of a network that vehicles can back into.
    pub(crate) fn new(roads: &Roads) -> Self {
        let bays: Vec<Bay> =
            roads.parking.iter().enumerate().filter_map(|(place, space)| bay(roads, place, space)).collect();
        Self { holders: vec![None; bays.len()], bays, busy: Vec::new() }
    }

    /// The first free bay that somebody can stop for.
    fn free(&self, stop: &Stop, length_m: f64, from_m: f64) -> Option<usize> {
        let fits = |bay: &Bay| {
            bay.lane.0 == stop.lane
                && bay.s_m >= stop.range.0
                && bay.s_m <= stop.range.1
                && bay.fits_m >= length_m
                && bay.stop_m(length_m) > from_m
        };
        let free =
            self.bays.iter().zip(&self.holders).enumerate().filter(|(_, (bay, holder))| holder.is_none() && fits(bay));
        free.min_by(|(_, (a, _)), (_, (b, _))| a.s_m.total_cmp(&b.s_m)).map(|(place, _)| place)
    }
}

impl Bay {
    /// Where the front of a vehicle stops before it backs in, metres along the lane.
    fn stop_m(&self, length_m: f64) -> f64 {
        self.s_m + self.back_m + 0.5 * length_m
    }

    /// Where the rear of a vehicle in the bay is, metres along the lane.
    fn rear_m(&self, length_m: f64) -> f64 {
        self.s_m - 0.5 * length_m
    }
}

/// The bay of a space, from the nearest lane that leads the same way.
fn bay(roads: &Roads, place: usize, space: &ParkingSpace) -> Option<Bay> {
    let lanes = roads.lanes.iter().enumerate().filter(|(_, lane)| {
        lane.kind == LaneKind::Driving && lane.users.intersects(Users::CAR) && lane.centre.length_m() > 0.0
    });
    let beside = lanes.filter_map(|(id, lane)| {
        let at = lane.centre.project(space.position)?;
        let on = lane.centre.at(at.s_m)?;
        let is_along = angle_between(on.yaw_rad, space.yaw_rad).cos() > 0.97;
        let is_inside = at.s_m > 0.0 && at.s_m < lane.centre.length_m();
        let is_beside = at.offset_m.abs() < REACH_M && at.offset_m.abs() > 0.5 * (lane.width_m + space.width_m) - 0.3;
        let scale = lane.length_m / lane.centre.length_m();
        (is_along && is_inside && is_beside).then_some((LaneId(id as u32), at.s_m * scale, at.offset_m))
    });
    let (lane, s_m, offset_m) = beside.min_by(|a, b| a.2.abs().total_cmp(&b.2.abs()))?;
    let fits_m = space.length_m - ROOM_M;
    let back_m = (roads.lane(lane).length_m - 0.5 - s_m - 0.5 * fits_m).min(BACK_M);
    let has_room = back_m >= LEAST_BACK_M && s_m > 0.5 * fits_m;
    has_room.then_some(Bay { space: place, lane, s_m, offset_m, fits_m, back_m })
}

impl Traffic {
    /// The bays into which vehicles can back, in the order of [`Roads::parking`].
    pub fn bays(&self) -> &[Bay] {
        &self.parking.bays
    }

    /// Whose a bay is, by its place in [`Self::bays`]: from when a driver makes for it until it has pulled out.
    pub fn holder(&self, bay: usize) -> Option<ActorId> {
        self.parking.holders.get(bay).copied().flatten().map(|serial| ActorId::of(Self::POPULATION, serial))
    }

    /// Lets a vehicle come that stands in a bay already, if that is free and the vehicle fits.
    pub(super) fn come_parked(&mut self, body: &mut Body, place: usize, stands_s: f64) -> Option<()> {
        let bay = self.parking.bays.get(place).filter(|bay| bay.fits_m >= body.length())?;
        let holder = self.parking.holders.get_mut(place).filter(|holder| holder.is_none())?;
        *holder = Some(body.serial);
        let (lane, pos) = (bay.lane.0, bay.stop_m(body.length()));
        let stop = Stop { duration: stands_s, bay: Some(place), reached: true, ..Stop::at(lane, pos) };
        body.stops.push_front(Stop { standing: Standing::Bay, ..stop });
        (body.lane, body.pos, body.speed, body.stopped, body.berth) = (lane, pos, 0.0, true, Berth::Standing);
        Some(())
    }

    /// Shows a vehicle that came parked where it stands.
    pub(super) fn show_parked(&mut self, vehicle: u32) {
        if let Some(bay) = self.bay_of(vehicle).cloned() {
            self.infos[vehicle as usize].manoeuvre.share = 1.0;
            self.show_in_bay(vehicle, &bay, 1.0);
        }
    }

    /// Notes that a vehicle has a stop at which it parks.
    pub(super) fn note_parker(&mut self, vehicle: u32) {
        let parks = self.bodies[vehicle as usize].stops.iter().any(|stop| stop.standing != Standing::Lane);
        if parks && !self.parking.busy.contains(&vehicle) {
            self.parking.busy.push(vehicle);
        }
    }

    /// Side to which a vehicle indicates on its way to a bay: left and right.
    pub(super) fn indicates_bay(&self, vehicle: u32) -> Option<(bool, bool)> {
        let body = &self.bodies[vehicle as usize];
        let offset_m = self.bay_of(vehicle).filter(|_| body.reserve > 0.0)?.offset_m;
        let is_left = (offset_m > 0.0) != (body.berth == Berth::Leaving);
        Some((is_left, !is_left))
    }

    /// Gives back the bay of a vehicle that leaves it, or the road.
    pub(super) fn give_bay_back(&mut self, vehicle: u32) {
        let serial = self.bodies[vehicle as usize].serial;
        for holder in self.parking.holders.iter_mut().filter(|holder| **holder == Some(serial)) {
            *holder = None;
        }
    }

    /// Lets vehicles look for bays, back in, stand and pull out.
    pub(crate) fn park(&mut self) {
        if self.parking.busy.is_empty() {
            return;
        }
        let busy = std::mem::take(&mut self.parking.busy);
        for vehicle in busy {
            let body = &self.bodies[vehicle as usize];
            let has_more = body.stops.iter().any(|stop| stop.standing != Standing::Lane);
            if !body.alive || (!has_more && body.berth == Berth::None) {
                self.give_bay_back(vehicle);
                continue;
            }
            match body.berth {
                Berth::None => self.look_for_bay(vehicle),
                Berth::Entering => self.back_in(vehicle),
                Berth::Standing => self.stand(vehicle),
                Berth::Leaving => self.pull_out(vehicle),
            }
            self.parking.busy.push(vehicle);
        }
    }

    fn look_for_bay(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let (body, stop_dist) = (&mut self.bodies[place], self.minds[place].stop_dist);
        body.reserve = 0.0;
        let Some(stop) = body.stops.front().filter(|stop| stop.standing != Standing::Lane) else { return };
        if stop.bay.is_none() {
            // A bay that was passed, by whatever chance, is another's.
            self.give_bay_back(vehicle);
        }
        let body = &mut self.bodies[place];
        let Some(stop) = body.stops.front() else { return };
        if !body.drives() || stop.at != body.at || self.net.lane(body.lane).edge != self.net.lane(stop.lane).edge {
            return;
        }
        if let Some(bay) = stop.bay {
            // Those behind come to know that it will back.
            let back_m = self.parking.bays[bay].back_m + BEHIND_M;
            body.reserve = back_m * (1.0 - stop_dist / SLOWS_M).clamp(0.0, 1.0);
            if body.stopped {
                body.reserve = back_m;
                body.berth = Berth::Entering;
                self.infos[place].manoeuvre = Manoeuvre::default();
            }
            return;
        }
        let (length, braking) = (body.length(), body.driver.brake_gap(body.speed, self.dt));
        if stop.range.0 - body.pos > LOOKS_M + braking {
            return;
        }
        let found = self.parking.free(stop, length, body.pos + braking + 1.0);
        let stop = body.stops.front_mut().expect("it was just there");
        match found {
            Some(bay) => {
                self.parking.holders[bay] = Some(body.serial);
                let end = self.parking.bays[bay].stop_m(length);
                (stop.bay, stop.start, stop.end) = (Some(bay), end - 1.0, end);
            }
            None if stop.standing == Standing::BayIfFree => self.drop_stop(vehicle),
            None => {}
        }
    }

    /// Gives a stop up: the vehicle drives on.
    fn drop_stop(&mut self, vehicle: u32) {
        self.give_bay_back(vehicle);
        let place = vehicle as usize;
        let body = &mut self.bodies[place];
        body.stops.pop_front();
        (body.stopped, body.berth, body.reserve) = (false, Berth::None, 0.0);
        self.infos[place].off_lane = None;
        self.counters.missed_bays += 1;
        let (at, type_id) = (self.bodies[place].at, self.infos[place].type_id);
        self.bodies[place].best = self.best_of(vehicle, type_id, at);
    }

    /// The bay of a vehicle that has one.
    fn bay_of(&self, vehicle: u32) -> Option<&Bay> {
        let bay = self.bodies[vehicle as usize].stops.front()?.bay?;
        self.parking.bays.get(bay)
    }

    /// Whether nobody is where a vehicle is about to back into.
    fn is_clear_behind(&self, vehicle: u32, bay: &Bay) -> bool {
        let body = &self.bodies[vehicle as usize];
        let (rear, least) = (body.pos - body.length(), bay.rear_m(body.length()) - BEHIND_M + 0.5);
        let state = &self.lanes[body.lane as usize];
        let others = state.vehicles.iter().filter(|other| **other != vehicle);
        let fronts = others.map(|other| self.bodies[*other as usize].pos);
        let obstacles = state.obstacles.iter().filter(|obstacle| obstacle.back < body.pos);
        !fronts.chain(obstacles.map(|obstacle| obstacle.front)).any(|front| front > least && front <= rear + 0.1)
    }

    fn back_in(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let Some(bay) = self.bay_of(vehicle).cloned() else { return };
        let is_clear = self.is_clear_behind(vehicle, &bay);
        let manoeuvre = &mut self.infos[place].manoeuvre;
        if !is_clear {
            manoeuvre.held_s += self.dt;
            manoeuvre.speed = 0.0;
            if manoeuvre.share == 0.0 && manoeuvre.held_s > PATIENCE_S {
                self.drop_stop(vehicle);
            }
            return;
        }
        manoeuvre.share = (manoeuvre.share + self.dt / IN_S).min(1.0);
        manoeuvre.speed = -bay.back_m / IN_S;
        let share = manoeuvre.share;
        self.show_in_bay(vehicle, &bay, share);
        if share >= 1.0 {
            self.unlist(vehicle);
            let body = &mut self.bodies[place];
            (body.berth, body.reserve) = (Berth::Standing, 0.0);
            self.infos[place].manoeuvre.speed = 0.0;
            self.infos[place].yaw_rate = 0.0;
        }
    }

    fn stand(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let Some(bay) = self.bay_of(vehicle).cloned() else { return };
        let (dt, time) = (self.dt, self.time);
        let (body, info) = (&mut self.bodies[place], &mut self.infos[place]);
        info.stop_s += dt;
        info.lights = Lights::default();
        let Some(stop) = body.stops.front_mut() else { return };
        stop.duration -= dt;
        if stop.duration > 0.0 || stop.until > time {
            return;
        }
        // It gives way: nobody must have to brake hard, wherever on its way onto the lane it is.
        info.lights.left = bay.offset_m < 0.0;
        info.lights.right = bay.offset_m > 0.0;
        let body = &self.bodies[place];
        let (lane, pos) = (bay.lane.0, bay.stop_m(body.length()));
        let ways_out = [pos, pos - bay.back_m];
        if ways_out.iter().any(|front| self.check_place(body, lane, *front, 0.0, true).is_none()) {
            return;
        }
        let body = &mut self.bodies[place];
        (body.lane, body.pos, body.speed, body.berth, body.stopped) = (lane, pos, 0.0, Berth::Leaving, true);
        body.reserve = bay.back_m + BEHIND_M;
        self.minds[place].items.clear();
        self.join_lane(vehicle);
    }

    fn pull_out(&mut self, vehicle: u32) {
        let place = vehicle as usize;
        let Some(bay) = self.bay_of(vehicle).cloned() else { return };
        let manoeuvre = &mut self.infos[place].manoeuvre;
        manoeuvre.share = (manoeuvre.share - self.dt / OUT_S).max(0.0);
        manoeuvre.speed = bay.back_m / OUT_S;
        let share = manoeuvre.share;
        self.bodies[place].reserve = (bay.back_m + BEHIND_M) * share;
        self.show_in_bay(vehicle, &bay, share);
        if share > 0.0 {
            return;
        }
        self.give_bay_back(vehicle);
        let body = &mut self.bodies[place];
        (body.berth, body.reserve, body.stopped) = (Berth::None, 0.0, false);
        body.stops.pop_front();
        let (at, type_id) = (body.at, self.infos[place].type_id);
        self.infos[place].off_lane = None;
        self.bodies[place].best = self.best_of(vehicle, type_id, at);
    }

    /// Shows a vehicle on its way between the lane (0) and the bay (1). The point that goes where the vehicle points takes half a
    /// cosine over the square of the way: flat at the lane, so that the nose stays out of the next one, and steep at the bay,
    /// past those who stand before and behind it.
    pub(super) fn show_in_bay(&mut self, vehicle: u32, bay: &Bay, share: f64) {
        let place = vehicle as usize;
        let Some(on) = self.on_line(bay.lane.0, bay.s_m) else { return };
        let (sin, cos) = (std::f64::consts::PI * share * share).sin_cos();
        let left_m = bay.offset_m * 0.5 * (1.0 - cos);
        let turn_rad = (-bay.offset_m * std::f64::consts::PI * share * sin / bay.back_m).atan();
        let axle_m = AXLE * self.bodies[place].length();
        let along_m = bay.back_m * (1.0 - share) - axle_m;
        let (sin, cos) = on.yaw_rad.sin_cos();
        let (along, left) = (Vector2::new(cos, sin), Vector2::new(-sin, cos));
        let yaw_rad = angle_between(on.yaw_rad + turn_rad, 0.0);
        let forward = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
        let p = on.point.xy() + along * along_m + left * left_m + forward * axle_m;
        let position = Point3::new(p.x, p.y, on.point.z);
        let info = &mut self.infos[place];
        info.yaw_rate = if info.off_lane.is_some() { angle_between(yaw_rad, info.yaw) / self.dt } else { 0.0 };
        (info.yaw, info.yaw_known) = (yaw_rad, true);
        info.off_lane = Some(Pose { position, yaw_rad, pitch_rad: 0.0 });
    }
}
