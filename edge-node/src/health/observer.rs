//! What a picture says of the camera itself: how light it is, whether it is the last one again, whether it lies where it did.
//!
//! In: the pictures of one camera. Out: [`FrameStatistics`]. Runs where the pixels are, outside the core. How far a picture
//! lies from the reference is found from the sums of its gradients along columns and rows: what stands still in the scene
//! makes the same peaks in every picture, what moves is averaged away. It runs beside the networks, of every picture of every
//! camera, so the loops over its pixels are compiled for each set of vector instructions; luminances and their gradients are
//! whole numbers, whose sums do not depend on the order.

use super::background::Background;
use crate::event::{FrameStatistics, PatchShifts};
use fearless_simd::{Level, Simd, dispatch};
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;

/// Every how many pixels of a row and column one is looked at.
const STEP: usize = 2;
/// Largest shift that is looked for, looked-at pixels.
const REACH: usize = 32;
/// Pictures from which the reference is made.
const REFERENCE_FRAMES: u32 = 15;
/// Weight of a new picture in the reference afterwards: light changes over minutes.
const SLOWLY: f32 = 0.002;
/// From this shift on the picture lies elsewhere, looked-at pixels …
const ELSEWHERE: f32 = 2.0;
/// … and of every so many of such pictures it is looked where its parts are.
const PATCHES_EVERY: u64 = 4;

/// Profiles of one picture: the gradients summed along columns, and along rows.
#[derive(Clone, Debug, Default)]
struct Profiles {
    columns: Vec<f32>,
    rows: Vec<f32>,
}

/// Observes the pictures of one camera.
#[derive(Clone, Debug, Default)]
pub struct FrameObserver {
    reference: Profiles,
    background: Background,
    frames: u32,
    size: (u32, u32),
    /// The newest picture: the luminance of the pixels that are looked at.
    grey: Vec<u8>,
}

impl FrameObserver {
    /// What a picture says.
    pub fn observe(&mut self, frame: u64, captured_at: Timestamp, image: &RgbImage) -> FrameStatistics {
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || self.look_at(frame, captured_at, image)
        ))
    }

    /// Inlined, as the loops over pixels are, to be compiled with the caller's vector instructions.
    #[inline(always)]
    fn look_at(&mut self, frame: u64, captured_at: Timestamp, image: &RgbImage) -> FrameStatistics {
        let (width, height) = (image.width as usize / STEP, image.height as usize / STEP);
        if self.size != (image.width, image.height) {
            *self = Self { size: (image.width, image.height), grey: vec![0; width * height], ..Self::default() };
        }
        fill(&mut self.grey, image, width);
        let sum: u64 = self.grey.iter().map(|&value| u64::from(value)).sum();
        let mut statistics = FrameStatistics {
            frame,
            captured_at,
            mean_luminance: sum as f32 / self.grey.len().max(1) as f32,
            fingerprint: fingerprint(&self.grey),
            shift_px: None,
            likeness: 0.0,
            patches: PatchShifts::new(),
        };
        if width <= 2 * REACH || height <= 2 * REACH {
            return statistics;
        }
        let profiles = profiles(&self.grey, width, height);
        if self.frames >= REFERENCE_FRAMES {
            let (x, like_x) = shift(&self.reference.columns, &profiles.columns);
            let (y, like_y) = shift(&self.reference.rows, &profiles.rows);
            statistics.shift_px = Some([x * STEP as f32, y * STEP as f32]);
            statistics.likeness = like_x.min(like_y);
            if x.hypot(y) > ELSEWHERE && frame.is_multiple_of(PATCHES_EVERY) {
                let grey: Vec<f32> = self.grey.iter().map(|&value| f32::from(value)).collect();
                statistics.patches = self.background.find_in(&grey, [x, y], STEP);
            }
        }
        let is_in_place = statistics.shift_px.is_none_or(|[x, y]| x.abs().max(y.abs()) <= STEP as f32);
        if is_in_place {
            self.frames = self.frames.saturating_add(1);
            let weight = (1.0 / self.frames as f32).max(SLOWLY);
            blend(&mut self.reference.columns, &profiles.columns, weight);
            blend(&mut self.reference.rows, &profiles.rows, weight);
            self.background.blend(&self.grey, width, weight);
        }
        statistics
    }
}

/// The luminance of the pixels that are looked at.
#[inline(always)]
fn fill(grey: &mut [u8], image: &RgbImage, width: usize) {
    let stride = image.width as usize * 3;
    for (grey, rows) in grey.chunks_exact_mut(width.max(1)).zip(image.data.chunks(STEP * stride.max(1))) {
        for (grey, [red, green, blue, ..]) in grey.iter_mut().zip(rows.as_chunks::<{ 3 * STEP }>().0) {
            *grey = ((u32::from(*red) * 77 + u32::from(*green) * 150 + u32::from(*blue) * 29) >> 8) as u8;
        }
    }
}

/// A number that another picture hardly shares.
fn fingerprint(grey: &[u8]) -> u64 {
    let (words, rest) = grey.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|&word| u64::from_le_bytes(word));
    // FNV's constants; the turn lets every bit of a word reach every bit of the result.
    words.fold(0xcbf2_9ce4_8422_2325, |mix, word| (mix ^ word).wrapping_mul(0x0100_0000_01b3).rotate_left(29))
}

#[inline(always)]
pub(super) fn blend<T: Copy + Into<f32>>(reference: &mut Vec<f32>, new: &[T], weight: f32) {
    reference.resize(new.len(), 0.0);
    for (known, &new) in reference.iter_mut().zip(new) {
        *known += (new.into() - *known) * weight;
    }
}

#[inline(always)]
fn profiles(grey: &[u8], width: usize, height: usize) -> Profiles {
    let mut columns = vec![0_u32; width];
    let mut rows = vec![0.0; height];
    for (y, row_sum) in rows.iter_mut().enumerate().take(height - 1).skip(1) {
        let row = |y: usize| &grey[y * width..][..width];
        for ((sum, after), before) in columns[1..width - 1].iter_mut().zip(&row(y)[2..]).zip(row(y)) {
            *sum += u32::from(after.abs_diff(*before));
        }
        let along = row(y + 1).iter().zip(row(y - 1)).map(|(below, above)| u32::from(below.abs_diff(*above)));
        *row_sum = along.skip(1).take(width - 2).sum::<u32>() as f32;
    }
    Profiles { columns: columns.into_iter().map(|sum| sum as f32).collect(), rows }
}

/// How far `new` lies behind `reference`, and how alike they are there (normalised cross-correlation).
fn shift(reference: &[f32], new: &[f32]) -> (f32, f32) {
    let inner = REACH..reference.len() - REACH;
    let mut best = (0, f32::NEG_INFINITY);
    let mut likenesses = [0.0; 2 * REACH + 1];
    for place in 0..=2 * REACH {
        // From no shift outwards, so that of two equals the smaller one wins.
        let lag = if place % 2 == 0 { (place / 2) as isize } else { -(place.div_ceil(2) as isize) };
        let from = (inner.start as isize + lag) as usize;
        let likeness = correlation(&reference[inner.clone()], &new[from..from + inner.len()]);
        likenesses[(REACH as isize + lag) as usize] = likeness;
        if likeness > best.1 {
            best = (lag, likeness);
        }
    }
    let at = |lag: isize| likenesses.get((REACH as isize + lag) as usize).copied();
    // The top of the parabola through the best place and its neighbours.
    let between = match (at(best.0 - 1), at(best.0 + 1)) {
        (Some(before), Some(after)) if 2.0 * best.1 - before - after > 1e-6 => {
            0.5 * (after - before) / (2.0 * best.1 - before - after)
        }
        _ => 0.0,
    };
    (best.0 as f32 + between, best.1)
}

fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    if aa * bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PatchShift;

    /// A street of poles and kerbs, moved to the right, with noise and something that drives through.
    fn picture(right_px: i32, number: u32) -> RgbImage {
        let (width, height) = (320_u32, 192_u32);
        let mut data = Vec::new();
        for y in 0..height as i32 {
            for x in 0..width as i32 {
                let at = x - right_px;
                let pole = at.rem_euclid(97) < 5 || (at * at / 50).rem_euclid(61) < 3;
                let kerb = y.rem_euclid(53) < 3 || (y * y / 40).rem_euclid(47) < 3;
                let car = (x - number as i32 * 7).rem_euclid(320) < 30 && (80..110).contains(&y);
                let noise = ((x * 31 + y * 17 + number as i32 * 13) % 7) as u8;
                let value = if car {
                    220
                } else if pole {
                    160
                } else if kerb {
                    130
                } else {
                    70
                };
                data.extend([value + noise; 3]);
            }
        }
        RgbImage::new(width, height, data).unwrap()
    }

    #[test]
    fn a_turned_camera_is_found_and_traffic_is_not() {
        let mut observer = FrameObserver::default();
        let at = Timestamp::from_unix_ms;
        for number in 0..40 {
            let seen = observer.observe(number.into(), at(i64::from(number) * 100), &picture(0, number));
            assert!(seen.shift_px.is_none_or(|[x, y]| x.abs() <= 2.0 && y.abs() <= 2.0), "{seen:?}");
        }
        let moved = observer.observe(41, at(4_100), &picture(20, 41));
        let [x, y] = moved.shift_px.unwrap();
        assert!((x - 20.0).abs() <= 2.0 && y.abs() <= 2.0 && moved.likeness > 0.5, "{moved:?}");
        let again = observer.observe(42, at(4_200), &picture(20, 41));
        assert_eq!(again.fingerprint, moved.fingerprint);
        assert_ne!(observer.observe(43, at(4_300), &picture(20, 43)).fingerprint, moved.fingerprint);
        let patches = observer.observe(44, at(4_400), &picture(20, 44)).patches;
        let off = |p: &PatchShift| (p.shift_px[0] - 20.0).hypot(p.shift_px[1]);
        assert!(patches.len() >= 5 && patches.iter().filter(|p| off(p) > 1.0).count() <= 1, "{patches:?}");
        assert!(observer.observe(48, at(4_500), &picture(0, 45)).patches.is_empty(), "back in its place");
    }

    #[test]
    fn a_tiny_or_empty_picture_has_no_shift() {
        let mut observer = FrameObserver::default();
        for (width, height) in [(0, 0), (1, 1), (40, 300)] {
            let image = RgbImage::new(width, height, vec![9; (width * height * 3) as usize]).unwrap();
            assert_eq!(observer.observe(1, Timestamp::from_unix_ms(0), &image).shift_px, None);
        }
    }
}
