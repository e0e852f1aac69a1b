//! What the DEN service looks for: the two conditions, and when they hold.

use super::DenSettings;
use crate::world::site::{SiteMap, ZoneKind};
use crate::world::situation::{SituationWatch, carriageway_depth_m, is_rider};
use crate::world::{RoadUser, World};
use serde::{Deserialize, Serialize};

/// What a DENM event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// A vehicle stands on the carriageway: cause code 94.
    StationaryVehicle,
    /// A person is on the carriageway, outside any crossing: cause code 12.
    HumanPresence,
}

impl Trigger {
    /// Both triggers.
    pub const ALL: [Self; 2] = [Self::StationaryVehicle, Self::HumanPresence];

    /// `CauseCodeType` of TS 102 894-2.
    pub const fn cause_code(self) -> u8 {
        match self {
            Self::StationaryVehicle => 94,
            Self::HumanPresence => 12,
        }
    }

    /// The cause in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::StationaryVehicle => "stationary vehicle",
            Self::HumanPresence => "human presence on the road",
        }
    }
}

/// How a vehicle is treated that stood already when it was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeverSeenMoving {
    /// It is parked, and no event: a parked car whose track breaks does not trigger again and again.
    #[default]
    Parked,
    /// It counts like any other.
    Stationary,
}

/// When an object of a trigger's class is a reason for an event.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a DenSettings,
    pub(super) map: &'a SiteMap,
    pub(super) world: &'a World,
    pub(super) situations: &'a SituationWatch,
}

impl Judge<'_> {
    /// Whether `user` gives a new event.
    pub(super) fn triggers(&self, trigger: Trigger, user: &RoadUser) -> bool {
        self.is_candidate(trigger, user)
            && user.is_seen()
            && user.class_confidence >= self.settings.min_class_confidence
            && match trigger {
                Trigger::StationaryVehicle => {
                    self.situations.standing_unexcused_s(user) >= self.settings.stationary_after_s
                        && (user.has_moved() || self.settings.never_seen_moving == NeverSeenMoving::Stationary)
                        && self.depth_m(user) >= self.settings.edge_margin_m
                }
                Trigger::HumanPresence => {
                    let depth_m = carriageway_depth_m(user, self.map, self.settings.crossing_margin_m);
                    let Self { settings, world, .. } = self;
                    depth_m.is_some_and(|depth_m| depth_m >= settings.edge_margin_m)
                        && !is_rider(user, world.users(), settings.max_speed_on_foot_mps, settings.rider_distance_m)
                }
            }
    }

    /// Whether the condition of an event still holds for `user`, at this distance from where the event began. Weaker than [`Self::triggers`], so that noise
    /// at a limit does not end and begin events.
    pub(super) fn holds(&self, trigger: Trigger, user: &RoadUser, distance_from_origin_m: f64) -> bool {
        self.is_candidate(trigger, user)
            && self.depth_m(user) > -self.settings.edge_margin_m
            && match trigger {
                Trigger::StationaryVehicle => distance_from_origin_m <= self.settings.release_distance_m,
                Trigger::HumanPresence => {
                    carriageway_depth_m(user, self.map, self.settings.crossing_margin_m).is_some()
                }
            }
    }

    /// Whether `user` is of the class and at a place that the trigger is about.
    fn is_candidate(&self, trigger: Trigger, user: &RoadUser) -> bool {
        let classes = match trigger {
            Trigger::StationaryVehicle => &self.settings.stationary_vehicle_classes,
            Trigger::HumanPresence => &self.settings.human_presence_classes,
        };
        classes.contains(&user.class)
            && user.is_in_calibrated_area()
            && !self.map.is_in(ZoneKind::Parking, user.position)
    }

    /// Distance from the edge of the carriageway, metres, positive on it.
    fn depth_m(&self, user: &RoadUser) -> f64 {
        self.map.depth_m(ZoneKind::Carriageway, user.position).unwrap_or(f64::NEG_INFINITY)
    }
}
