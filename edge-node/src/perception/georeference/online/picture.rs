//! What the pictures themselves say of a camera's turn: what stands still has moved in them.
//!
//! In: since when and how far the pictures lie elsewhere, and where parts of them are found again. Out: the turn that this
//! takes, of which most pictures agree. It is against what the camera showed before, so the turn that was known then counts,
//! too; a blow before the start is not seen here.

use super::super::camera_model::CameraModel;
use super::super::fit::minimise::{Free, Normal, minimise};
use crate::event::PatchShift;
use masa_v2x_proto::geo::Enu;
use masa_v2x_proto::time::Timestamp;
use nalgebra::{Matrix3, Vector2, Vector3};
use std::collections::VecDeque;

/// How well the shift of a whole picture is known, one sigma, pixels: a turn shifts no two parts of it alike.
const SHIFT_SIGMA_PX: f64 = 4.0;
/// How well that of a part is.
const PATCH_SIGMA_PX: f64 = 0.7;
/// A part that is further off than this was taken for another, pixels.
const PATCH_OFF_PX: f64 = 2.5;
/// Fewer parts than this tell no turn; nor do those of which more than this share are off.
const MIN_PATCHES: usize = 5;
const MAX_SHARE_OFF: f64 = 0.4;
/// Pictures of which the turn is kept, and how many of them are needed.
const KEPT: usize = 9;
const NEEDED: usize = 3;
/// The turn is not known better than this, degrees: pictures share their background and its errors.
const TURN_SIGMA_DEG: f64 = 0.05;
/// Where a part is thought to be, metres away: only its direction counts.
const AWAY_M: f64 = 50.0;

/// The pictures lie elsewhere.
#[derive(Clone, Debug)]
pub(super) struct PictureShift {
    /// Since when.
    pub(super) since: Timestamp,
    /// How far their middle lies to the right and below, pixels.
    shift_px: Vector2<f64>,
    /// Where the camera looked before.
    before: CameraModel,
    /// The turns from the survey that the newest pictures take, radians.
    turns_rad: VecDeque<Vector3<f64>>,
}

impl PictureShift {
    pub(super) fn new(since: Timestamp, before: CameraModel) -> Self {
        Self { since, shift_px: Vector2::zeros(), before, turns_rad: VecDeque::with_capacity(KEPT) }
    }

    /// Takes a picture of the camera `surveyed`.
    pub(super) fn see(&mut self, surveyed: &CameraModel, shift_px: [f64; 2], patches: &[PatchShift]) {
        self.shift_px = shift_px.into();
        let Some(now) = self.turned(patches) else { return };
        if self.turns_rad.len() == KEPT {
            self.turns_rad.pop_front();
        }
        self.turns_rad.push_back(surveyed.turn_to(&now));
    }

    /// How many pictures tell a turn; none where they are too few.
    pub(super) fn pictures(&self) -> usize {
        if self.turns_rad.len() < NEEDED { 0 } else { self.turns_rad.len() }
    }

    /// Adds what the pictures say of a turn since the survey.
    pub(super) fn add_to(&self, surveyed: &CameraModel, turn_rad: &Vector3<f64>, normal: &mut Normal) {
        if self.pictures() > 0 {
            let seen_rad = Vector3::from_fn(|axis, _| self.median_rad(axis));
            let information = Matrix3::from_diagonal_element(TURN_SIGMA_DEG.to_radians().powi(-2));
            return normal.add_turn_off(&(turn_rad - seen_rad), &information);
        }
        // To the right, and the picture lies further left; up, and it lies lower.
        let focal = surveyed.lens().focal_px();
        let seen_rad = Vector3::new(self.shift_px.y / focal[1], -self.shift_px.x / focal[0], 0.0);
        let sigma = Vector3::new(focal[1], focal[0], 0.0) / SHIFT_SIGMA_PX;
        let information = Matrix3::from_diagonal(&sigma.component_mul(&sigma));
        normal.add_turn_off(&(turn_rad - surveyed.turn_to(&self.before) - seen_rad), &information);
    }

    fn median_rad(&self, axis: usize) -> f64 {
        let mut values: Vec<f64> = self.turns_rad.iter().map(|turn| turn[axis]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    /// The camera that sees the parts where they are now; `None` where they do not agree.
    fn turned(&self, patches: &[PatchShift]) -> Option<CameraModel> {
        let places: Vec<(Enu, Vector2<f64>)> = patches.iter().filter_map(|patch| self.place(patch)).collect();
        let fitted = |used: &[(Enu, Vector2<f64>)]| {
            let enough = used.len() >= MIN_PATCHES;
            let linearise = |model: &CameraModel| {
                let mut normal = Normal::default();
                for (point, pixel) in used {
                    let seen = model.project(*point)?;
                    let residual = (seen.pixel - pixel) / PATCH_SIGMA_PX;
                    normal.add_point(residual, &(seen.by_parameters() / PATCH_SIGMA_PX));
                }
                Some(normal)
            };
            enough.then(|| minimise(self.before, Free::TURN, linearise)).flatten().map(|(model, _)| model)
        };
        let rough = fitted(&places)?;
        let mut agreeing = places.clone();
        agreeing.retain(|(point, pixel)| {
            rough.project(*point).is_some_and(|seen| (seen.pixel - pixel).norm() <= PATCH_OFF_PX)
        });
        let off = places.len() - agreeing.len();
        if off as f64 > MAX_SHARE_OFF * places.len() as f64 {
            return None;
        }
        fitted(&agreeing)
    }

    /// A point that the camera saw where a part was, and the pixel where that is now.
    fn place(&self, patch: &PatchShift) -> Option<(Enu, Vector2<f64>)> {
        let at = Vector2::from(patch.at_px.map(f64::from));
        let point = self.before.along(at, AWAY_M)?;
        Some((point, at + Vector2::from(patch.shift_px.map(f64::from))))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::super::camera_model::CameraPose;
    use super::super::super::lens::Intrinsics;
    use super::*;

    const SIZE: [u32; 2] = [640, 384];

    fn camera() -> CameraModel {
        let pose = CameraPose { position_m: [14.5, -13.5, 7.0], yaw_deg: 148.0, pitch_deg: -13.0, roll_deg: 0.0 };
        CameraModel::new(&pose, &Intrinsics::pinhole(SIZE, 457.0), SIZE)
    }

    /// Parts of a picture, each found to a tenth of a pixel, as a camera sees them that looked where `before` does.
    pub(in super::super) fn patches(before: &CameraModel, now: &CameraModel) -> Vec<PatchShift> {
        let places = (0..15).map(|i| [64.0 + 128.0 * f64::from(i % 5), 64.0 + 128.0 * f64::from(i / 5)]);
        let patch = |(i, at): (usize, [f64; 2])| {
            let now = now.project(before.along(at.into(), 80.0).unwrap()).unwrap().pixel;
            let luck = 0.1 * [1.0, -1.0, 0.5, -0.5][i % 4];
            PatchShift {
                at_px: at.map(|v| v as f32),
                shift_px: [(now.x - at[0] + luck) as f32, (now.y - at[1] - luck) as f32],
            }
        };
        places.enumerate().map(patch).collect()
    }

    fn estimate_deg(shift: &PictureShift) -> Option<Vector3<f64>> {
        let turns = &shift.turns_rad;
        (!turns.is_empty()).then(|| Vector3::from_fn(|axis, _| shift.median_rad(axis)).map(f64::to_degrees))
    }

    #[test]
    fn the_parts_of_a_picture_tell_all_three_turns() {
        for (before_deg, turn_deg) in [([0.0; 3], [0.3, 2.0, -0.4]), ([0.5, -1.0, 0.0], [-2.0, 0.4, 0.8])] {
            let before = camera().turned(Vector3::from(before_deg).map(f64::to_radians));
            let now = camera().turned(Vector3::from(turn_deg).map(f64::to_radians));
            let mut shift = PictureShift::new(Timestamp::default(), before);
            let mut seen = patches(&before, &now);
            // Two of them were taken for others, and one is a lorry.
            seen[3].shift_px[0] += 14.0;
            seen[9].shift_px[1] -= 9.0;
            seen[7].shift_px = [20.0, 3.0];
            shift.see(&camera(), [0.0; 2], &seen);
            let found = estimate_deg(&shift).unwrap();
            assert!((found - Vector3::from(turn_deg)).norm() < 0.03, "{found}");
        }
    }

    #[test]
    fn parts_that_do_not_agree_and_too_few_of_them_tell_nothing() {
        let now = camera().turned(Vector3::new(0.0, 0.03, 0.0));
        let mut shift = PictureShift::new(Timestamp::default(), camera());
        let mut seen = patches(&camera(), &now);
        shift.see(&camera(), [0.0; 2], &seen[..MIN_PATCHES - 1]);
        for (i, patch) in seen.iter_mut().enumerate() {
            patch.shift_px[i % 2] += 5.0 * (i % 7) as f32;
        }
        shift.see(&camera(), [0.0; 2], &seen);
        assert_eq!(estimate_deg(&shift), None);
    }
}
