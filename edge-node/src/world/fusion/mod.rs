//! One road user from many sources: several cameras, radars and lidars, and what stations tell of themselves (CAM, VAM) and of others (CPM).
//!
//! In: the ground tracks of each frame or scan and the contents of received messages, in the order in which they arrive.
//! Out: [`RoadUser`]s with one identity each. A track or teller that is known stays with its object; new ones are assigned to
//! the objects that they agree with, the cheapest way for all together; objects that turn out to be one are merged, and a
//! source that disagrees for long is given up.
//!
//! Invariants: pure; measurement times count, not those of arrival: what arrives late is put where it belongs within a
//! bounded window, what is older is counted; capacities are fixed. What only one camera shows is as that camera has it.
//! Deliberately absent: appearance.

mod association;
mod bias;
mod estimator;
mod place;
mod report;
mod settings;
mod twins;

pub(crate) use bias::with_bias;
pub(crate) use estimator::Estimator;
pub use place::{LanePlace, Place};
pub(crate) use report::Report;
pub use report::Teller;
pub use settings::{FusionSettings, Listening};

use super::ldm::{Neighbour, ReceivedObject};
use super::prediction::RouteMap;
use super::road_user::MotionThresholds;
use super::site::SiteMap;
use super::{RoadUser, World};
use crate::event::{EventId, SourceId};
use crate::perception::tracking::Assignment;
use crate::perception::{GroundTrack, TrackState};
use association::{Candidate, cost, stays};
use masa_v2x_proto::time::Timestamp;
use twins::Twins;

/// What association keeps between frames: buffers, and who may be whose twin.
#[derive(Clone, Debug)]
pub(super) struct Association {
    assignment: Assignment,
    /// Tracks of the frame that belong to nobody yet, by their place.
    unknown: Vec<usize>,
    /// Objects that may get one, by their place; hidden ones after the others.
    open: Vec<usize>,
    twins: Twins,
}

impl Association {
    pub(super) fn with_capacity(objects: usize) -> Self {
        Self {
            assignment: Assignment::with_capacity(objects, 2 * objects),
            unknown: Vec::with_capacity(objects),
            open: Vec::with_capacity(2 * objects),
            twins: Twins::default(),
        }
    }
}

impl World {
    /// Gives every track of a frame to an object.
    pub(super) fn associate(&mut self, camera: SourceId, tracks: &[GroundTrack], now: Timestamp) {
        let mut unknown = std::mem::take(&mut self.association.unknown);
        unknown.clear();
        for (place, track) in tracks.iter().enumerate() {
            if !super::is_finite(track) {
                self.drops.count("track-not-finite");
            } else if !self.see_known(camera, track, now) {
                unknown.push(place);
            }
        }
        self.assign(camera, tracks, &unknown);
        let pairs = self.association.assignment.solve().to_vec();
        let mut returning = Vec::new();
        for (row, place) in unknown.iter().enumerate() {
            let track = &tracks[*place];
            let column = pairs.iter().find(|(known, _)| *known == row).map(|(_, column)| *column);
            match column.map(|column| self.association.open[column]) {
                Some(user) if user < self.users.len() => {
                    self.users[user].lose_sight(camera, true);
                    self.see(user, camera, track, now);
                }
                Some(hidden) => returning.push((hidden - self.users.len(), *place)),
                None => {}
            }
        }
        // The last first, so that the places of the others hold.
        returning.sort_unstable_by(|a, b| b.cmp(a));
        let back: Vec<_> = returning.iter().map(|(hidden, place)| (self.hidden.remove(*hidden), *place)).collect();
        for (mut user, place) in back.into_iter().rev() {
            if self.has_room() {
                user.see(camera, &tracks[place], now, &self.settings.fusion, self.limits());
                self.users.push(user);
            }
        }
        for (row, place) in unknown.iter().enumerate() {
            if pairs.iter().all(|(known, _)| *known != row) && self.has_room() {
                let (id, limits) = (self.unused_id(), self.limits());
                self.users.push(RoadUser::of_track(id, camera, &tracks[*place], now, limits));
            }
        }
        self.association.unknown = unknown;
        self.merge_twins(now);
    }

    /// Lets the object of a known track, or of one that has come back, see it; false when there is none, or when the track
    /// has left its object.
    fn see_known(&mut self, camera: SourceId, track: &GroundTrack, now: Timestamp) -> bool {
        let has = |user: &RoadUser| user.sight_of(camera).is_some_and(|sight| sight.track_id == track.track_id);
        if let Some(place) = self.users.iter().position(has) {
            if self.has_left(place, camera, track) {
                // Not as one that may return: it is somebody else's.
                self.users[place].lose_sight(camera, false);
                return false;
            }
            self.see(place, camera, track, now);
            return true;
        }
        let had = |user: &RoadUser| user.had_track(camera, track.track_id);
        if let Some(place) = self.hidden.iter().position(had) {
            if self.has_room() {
                let mut user = self.hidden.remove(place);
                user.see(camera, track, now, &self.settings.fusion, self.limits());
                self.users.push(user);
            }
            return true;
        }
        let fits = |user: &RoadUser| {
            had(user)
                && user.sight_of(camera).is_none()
                && cost(&Candidate::of_user(user), &track.into(), &self.settings.fusion).is_some()
        };
        let place = self.users.iter().position(fits);
        place.inspect(|place| self.see(*place, camera, track, now)).is_some()
    }

    /// Counts how long a track has been where its object, as its other sources have it, is not.
    fn has_left(&mut self, place: usize, camera: SourceId, track: &GroundTrack) -> bool {
        let user = &mut self.users[place];
        // Of two cameras that disagree the one that came later is wrong about who it is.
        let is_first = user.sights.first().is_some_and(|sight| sight.camera == camera);
        if track.state == TrackState::Coasting || is_first {
            return false;
        }
        let agrees = cost(&Candidate::of_user(user), &track.into(), &self.settings.fusion).is_some();
        let Some(sight) = user.sights.iter_mut().find(|sight| sight.camera == camera) else { return false };
        sight.misfits = if agrees { 0 } else { sight.misfits.saturating_add(1) };
        sight.misfits >= self.settings.fusion.misfits
    }

    fn see(&mut self, place: usize, camera: SourceId, track: &GroundTrack, now: Timestamp) {
        let limits = self.limits();
        if !self.users[place].see(camera, track, now, &self.settings.fusion, limits) {
            self.drops.count("fusion-measurement-too-old");
        }
    }

    /// Prices every pair of a track without object and an object that this camera does not see otherwise.
    fn assign(&mut self, camera: SourceId, tracks: &[GroundTrack], unknown: &[usize]) {
        let settings = &self.settings.fusion;
        let is_open = |user: &RoadUser| user.sight_of(camera).is_none_or(|sight| sight.state == TrackState::Coasting);
        let Association { assignment, open, .. } = &mut self.association;
        open.clear();
        let everybody = self.users.iter().chain(&self.hidden).enumerate();
        open.extend(everybody.filter(|(_, user)| is_open(user)).map(|(place, _)| place));
        assignment.begin(unknown.len(), open.len(), settings.most_cost());
        for (row, place) in unknown.iter().enumerate() {
            let track = Candidate::from(&tracks[*place]);
            for (column, place) in open.iter().enumerate() {
                let user = self.users.get(*place).unwrap_or_else(|| &self.hidden[*place - self.users.len()]);
                if let Some(cost) = cost(&Candidate::of_user(user), &track, settings) {
                    assignment.set(row, column, cost);
                }
            }
        }
    }

    /// Whether what stations tell becomes road users, of a node with or without cameras.
    pub(crate) fn listens(&self, has_cameras: bool) -> bool {
        match self.settings.fusion.listening {
            Listening::WithCameras => has_cameras,
            Listening::Always => true,
            Listening::Never => false,
        }
    }

    /// Takes what a station says of itself.
    pub(crate) fn hear_station(&mut self, station: &Neighbour, event: EventId) {
        if let Some(report) = Report::of_station(station, event, &self.settings.fusion) {
            self.hear(&report);
        }
    }

    /// Takes what a station says of an object.
    pub(crate) fn hear_object(&mut self, object: &ReceivedObject, event: EventId, now: Timestamp) {
        self.hear(&Report::of_object(object, event, now));
    }

    /// Takes what a message says of a road user.
    pub(in crate::world) fn hear(&mut self, report: &Report) {
        let limits = self.limits();
        let settings = &self.settings.fusion;
        let is_teller = |user: &RoadUser| user.told.iter().find(|told| told.teller == report.teller).copied();
        let known = self.users.iter().position(|user| is_teller(user).is_some());
        let place = known.or_else(|| {
            let open = self.users.iter().enumerate().filter(|(_, user)| !user.is_told_otherwise(report));
            let priced = open.filter_map(|(place, user)| {
                cost(&Candidate::of_user(user), &report.into(), settings).map(|cost| (place, cost))
            });
            priced.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(place, _)| place)
        });
        match place {
            Some(place) => {
                let user = &mut self.users[place];
                if is_teller(user).is_some_and(|told| told.measured_at >= report.measured_at) {
                    return;
                }
                let has_left = known.is_some() && !stays(&Candidate::of_user(user), &report.into(), settings);
                if has_left && user.sights.len() + user.told.len() == 1 {
                    // It alone tells of it: it has jumped.
                    let id = user.id;
                    *user = RoadUser::of_report(id, report, settings, limits);
                    return;
                }
                if has_left {
                    // It is not, or no longer, about this one.
                    user.told.retain(|told| told.teller != report.teller);
                    return self.hear(report);
                }
                if !user.hear(report, settings, limits) {
                    self.drops.count("fusion-measurement-too-old");
                }
            }
            None if self.has_room() => {
                let id = self.unused_id();
                self.users.push(RoadUser::of_report(id, report, &self.settings.fusion, limits));
            }
            None => {}
        }
        self.merge_twins(report.heard_at);
    }

    /// Makes one of two objects that have been at one place for long enough.
    fn merge_twins(&mut self, now: Timestamp) {
        let merged = self.association.twins.update(&self.users, &self.settings.fusion, now);
        for [older, younger] in merged {
            let find = |id: u16, users: &[RoadUser]| users.iter().position(|user| user.id == id);
            let (Some(_), Some(place)) = (find(older, &self.users), find(younger, &self.users)) else { continue };
            let gone = self.users.remove(place);
            if let Some(kept) = find(older, &self.users) {
                self.users[kept].absorb(&gone);
            }
        }
    }

    /// Matches every road user to the lanes and zones of the site.
    pub(crate) fn match_map(&mut self, routes: &RouteMap, map: &SiteMap) {
        for user in &mut self.users {
            user.place = Place::of(user, routes, map);
        }
    }

    fn limits(&self) -> MotionThresholds {
        MotionThresholds {
            standing_radius_m: self.settings.standing_radius_m,
            moved_distance_m: self.settings.moved_distance_m,
        }
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.users.len() < usize::from(self.settings.max_objects);
        if !has_room {
            self.drops.count("world-full");
        }
        has_room
    }
}

#[cfg(test)]
mod ranging_tests;
#[cfg(test)]
mod tests;
