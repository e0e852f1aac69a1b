//! Whether a camera's pictures can be believed.

use crate::event::FrameStatistics;
use masa_v2x_proto::time::Timestamp;
use std::collections::VecDeque;

/// When a camera's pictures are not to be believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraLimits {
    /// The same picture for so long is frozen, seconds: no scene stands so still that not one pixel changes.
    pub frozen_s: f64,
    /// Darker than this is dark, mean luminance 0 to 255. A street at night with its lamps has more.
    pub dark: f32,
    /// For so long, seconds.
    pub dark_s: f64,
    /// Further off than this is moved, pixels.
    pub moved_px: f32,
    /// For so long, seconds.
    pub moved_s: f64,
    /// Shifts of pictures less like the reference than this are not believed, 0 to 1.
    pub likeness: f32,
    /// Nothing for so long is silent, seconds.
    pub silent_s: f64,
}

impl CameraLimits {
    /// What suits street cameras.
    pub const USUAL: Self =
        Self { frozen_s: 1.5, dark: 6.0, dark_s: 1.0, moved_px: 6.0, moved_s: 1.5, likeness: 0.5, silent_s: 2.0 };
}

/// Pictures of which the shift is kept.
const KEPT: usize = 64;

/// What is known of a camera.
#[derive(Clone, Debug, Default)]
pub(super) struct CameraHealth {
    delivered_at: Option<Timestamp>,
    fingerprint: Option<(u64, Timestamp)>,
    dark_since: Option<Timestamp>,
    shifts: VecDeque<(Timestamp, [f32; 2])>,
    /// Since when, and how far right and below, the pictures lie off.
    moved: Option<(Timestamp, [f32; 2])>,
    /// What the traffic says of the camera's pose, when it has turned.
    turned: Option<String>,
}

/// Problems of a picture, in words.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Found {
    pub(super) frozen: Option<String>,
    pub(super) dark: Option<String>,
}

impl CameraHealth {
    /// A picture or a scan has arrived.
    pub(super) fn delivers(&mut self, now: Timestamp) {
        self.delivered_at = Some(now);
    }

    /// For how long nothing has come, seconds, when that is too long.
    pub(super) fn silent_for_s(&self, now: Timestamp) -> Option<f64> {
        let silent_s = now.seconds_since(self.delivered_at?);
        (silent_s > CameraLimits::USUAL.silent_s).then_some(silent_s)
    }

    /// What a picture's statistics say.
    pub(super) fn see(&mut self, statistics: &FrameStatistics) -> Found {
        let limits = CameraLimits::USUAL;
        let at = statistics.captured_at;
        let since = match self.fingerprint {
            Some((known, since)) if known == statistics.fingerprint => since,
            _ => at,
        };
        self.fingerprint = Some((statistics.fingerprint, since));
        let frozen_s = at.seconds_since(since);

        let is_dark = statistics.mean_luminance < limits.dark;
        let dark_since = is_dark.then(|| self.dark_since.unwrap_or(at));
        self.dark_since = dark_since;
        let dark_s = dark_since.map_or(0.0, |since| at.seconds_since(since));

        if let Some(shift_px) = statistics.shift_px.filter(|_| statistics.likeness >= limits.likeness) {
            if self.shifts.len() == KEPT {
                self.shifts.pop_front();
            }
            self.shifts.push_back((at, shift_px));
        }
        while self.shifts.front().is_some_and(|(seen, _)| at.seconds_since(*seen) > limits.moved_s + 0.5) {
            self.shifts.pop_front();
        }
        self.moved = self.moved_by().map(|shift_px| {
            let since = self.moved.map(|(since, _)| since).or(self.shifts.front().map(|(at, _)| *at));
            (since.unwrap_or(at), shift_px)
        });
        Found {
            frozen: (frozen_s >= limits.frozen_s).then(|| format!("the same picture for {frozen_s:.1} s")),
            dark: (dark_s >= limits.dark_s)
                .then(|| format!("mean luminance {:.1} of 255 for {dark_s:.1} s", statistics.mean_luminance)),
        }
    }

    /// Since when, and how far right of and below where they were, the pictures lie.
    pub(super) fn picture_moved(&self) -> Option<(Timestamp, [f32; 2])> {
        self.moved
    }

    /// Takes note of what the traffic says.
    pub(super) fn turned(&mut self, words: Option<String>) {
        self.turned = words;
    }

    /// How the camera does not look where it was surveyed to look: by its pictures, by the traffic, or both.
    pub(super) fn moved(&self) -> Option<String> {
        let picture = self
            .moved
            .map(|(_, [x, y])| format!("the picture lies {x:.0} px right and {y:.0} px below where it was surveyed"));
        let words: Vec<String> = picture.into_iter().chain(self.turned.clone()).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// The median shift over the window, when it is too far and has been so for long enough.
    fn moved_by(&self) -> Option<[f32; 2]> {
        let limits = CameraLimits::USUAL;
        let (first, last) = (self.shifts.front()?.0, self.shifts.back()?.0);
        let median = |axis: usize| {
            let mut values: Vec<f32> = self.shifts.iter().map(|(_, shift)| shift[axis]).collect();
            values.sort_by(f32::total_cmp);
            values[values.len() / 2]
        };
        let far = self.shifts.iter().all(|(_, [x, y])| x.hypot(*y) > limits.moved_px);
        (far && last.seconds_since(first) >= limits.moved_s - 0.3).then(|| [median(0), median(1)])
    }
}
