//! What the traffic has shown of late, vehicle by vehicle, within fixed bounds.

use super::super::camera_model::CameraModel;
use super::footing::{Footing, Place};
use masa_v2x_proto::time::Timestamp;
use nalgebra::Vector2;
use std::collections::BTreeMap;

/// Groups at most; the one that is not added to for the longest time goes first.
pub const MAX_GROUPS: usize = 96;
/// Samples of a group at most: when it is full, every other one goes and the rest stand for twice the way.
pub const MAX_SAMPLES: usize = 16;
/// Fewer samples of a vehicle than this say nothing.
pub(super) const MIN_SAMPLES: usize = 3;
/// Way between two samples at first, metres.
const SPACING_M: f64 = 0.8;

/// What a group is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// A track, to be compared with the lanes.
    Track(u32),
    /// A station that was seen as a track.
    Station(u32, u32),
}

/// A vehicle at one instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    /// How it showed.
    pub(super) footing: Footing,
    /// Standard deviation of the pixel.
    pub(super) sigma_px: f64,
    /// Where it was, by the newest belief in where the camera looks.
    pub(super) place: Place,
    /// Where it says that its middle was.
    pub(super) known: Option<Vector2<f64>>,
}

/// Samples of one vehicle, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Group {
    samples: Vec<Sample>,
    spacing_m: f64,
}

impl Group {
    fn push(&mut self, sample: Sample) {
        let newest = self.samples[self.samples.len() - 1];
        if (sample.place.middle - newest.place.middle).norm() < self.spacing_m {
            return;
        }
        if self.samples.len() == MAX_SAMPLES {
            let mut place = 0;
            self.samples.retain(|_| {
                place += 1;
                place % 2 == 1
            });
            self.spacing_m *= 2.0;
        }
        self.samples.push(sample);
    }
}

/// Groups of the last while.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    groups: BTreeMap<Key, Group>,
}

impl Window {
    /// What each vehicle has shown since an instant, of those that have moved far enough to say something.
    pub(super) fn since(&self, from: Timestamp) -> Vec<&[Sample]> {
        let of = |group: &'_ Group| group.samples.partition_point(|sample| sample.at < from);
        let newest = self.groups.values().map(|group| &group.samples[of(group)..]);
        newest.filter(|samples| samples.len() >= MIN_SAMPLES).collect()
    }

    /// Puts the vehicles where a camera shows them. One that is in a lane drives along it (`lane_yaw_rad`), whatever its box
    /// seems to: how its own direction wavers would move its near corner.
    pub(super) fn stand_by(
        &mut self,
        camera: &CameraModel,
        ground_m: f64,
        lane_yaw_rad: impl Fn(&Place) -> Option<f64>,
    ) {
        for sample in self.groups.values_mut().flat_map(|group| &mut group.samples) {
            let Some(place) = sample.footing.place(camera, ground_m) else { continue };
            let along = lane_yaw_rad(&place).and_then(|yaw| sample.footing.place_along(camera, ground_m, yaw));
            sample.place = along.map_or(place, |along| Place { yaw_rad: place.yaw_rad, ..along });
        }
    }

    pub(super) fn push(&mut self, key: Key, sample: Sample) {
        if let Some(group) = self.groups.get_mut(&key) {
            return group.push(sample);
        }
        if self.groups.len() >= MAX_GROUPS {
            let oldest = self.groups.iter().min_by_key(|(_, group)| group.samples[group.samples.len() - 1].at);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                self.groups.remove(&key);
            }
        }
        let mut samples = Vec::with_capacity(MAX_SAMPLES);
        samples.push(sample);
        self.groups.insert(key, Group { samples, spacing_m: SPACING_M });
    }

    pub(super) fn forget_before(&mut self, at: Timestamp) {
        self.groups.retain(|_, group| {
            group.samples.retain(|sample| sample.at >= at);
            !group.samples.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perception::ground::extent_of;
    use masa_inference::ObjectClass;

    fn sample(ms: i64, e_m: f64) -> Sample {
        let zero = Vector2::zeros();
        Sample {
            at: Timestamp::from_unix_ms(ms),
            footing: Footing { pixel: zero, heading_px: zero, extent: extent_of(ObjectClass::Car) },
            sigma_px: 1.0,
            place: Place { middle: Vector2::new(e_m, 0.0), offset: zero, yaw_rad: 0.0 },
            known: None,
        }
    }

    #[test]
    fn a_long_drive_is_thinned_out_and_keeps_its_whole_way() {
        let mut window = Window::default();
        for step in 0..400 {
            window.push(Key::Track(1), sample(step * 100, step as f64));
        }
        let samples = window.since(Timestamp::default())[0];
        assert!(samples.len() <= MAX_SAMPLES, "{}", samples.len());
        let (first, last) = (samples[0], samples[samples.len() - 1]);
        assert!(first.place.middle.x == 0.0 && last.place.middle.x > 250.0, "{last:?}");
    }

    #[test]
    fn the_window_is_bounded_and_forgets() {
        let mut window = Window::default();
        for track in 0..500 {
            for step in 0..4 {
                window.push(Key::Track(track), sample(i64::from(track) * 1_000 + step, 4.0 * step as f64));
            }
        }
        let all = || Timestamp::default();
        assert_eq!(window.since(all()).len(), MAX_GROUPS);
        let began = window.since(all()).into_iter().map(|samples| samples[0].at).min();
        assert_eq!(began, Some(Timestamp::from_unix_ms(404_000)));
        assert_eq!(window.since(Timestamp::from_unix_ms(498_001)).len(), 2, "one of them shortened");
        window.push(Key::Track(1_000), sample(600_000, 0.0));
        window.push(Key::Track(1_000), sample(600_100, 0.5));
        assert!(window.groups.len() == MAX_GROUPS && window.groups[&Key::Track(1_000)].samples.len() == 1);
        window.forget_before(Timestamp::from_unix_ms(498_001));
        assert_eq!(window.since(all()).len(), 2);
    }
}
