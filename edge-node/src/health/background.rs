//! Where patches of a picture lie against what the camera showed before.
//!
//! In: the grey pictures of one camera. Out: how far each of a grid of patches has gone ([`PatchShift`]), for those that are
//! found again beyond doubt. From them the turn of the camera follows once its lens is known, which is not known here. What
//! is kept is a mean of many pictures, in which nobody who moves shows; it never leaves the process.

use crate::event::{MAX_PATCHES, PatchShift, PatchShifts};

/// Patches along and down the picture.
const GRID: [usize; 2] = [5, 3];
const _: () = assert!(GRID[0] * GRID[1] == MAX_PATCHES);
/// A patch is this share of the picture wide and high.
const SHARE: [usize; 2] = [8, 6];
/// It is looked for so far around where it is expected, looked-at pixels.
const REACH: isize = 10;
/// A patch with less contrast than this says nothing, standard deviation of the luminance.
const MIN_CONTRAST: f32 = 3.0;
/// Less alike than this it is not the same.
const MIN_LIKENESS: f32 = 0.6;
/// Within so many looked-at pixels …
const APART: isize = 2;
/// … the likeness falls by this at least: along an edge a patch can be anywhere.
const MIN_FALL: f32 = 0.04;

/// The mean of what a camera has shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Background {
    grey: Vec<f32>,
    width: usize,
}

impl Background {
    /// Takes a picture into the mean; `width` is of all of them.
    #[inline(always)]
    pub(super) fn blend(&mut self, grey: &[u8], width: usize, weight: f32) {
        super::observer::blend(&mut self.grey, grey, weight);
        self.width = width;
    }

    /// Where the patches are in a picture that lies about `near` to the right of and below the background, all in looked-at
    /// pixels, of which `step` picture's pixels make one.
    pub(super) fn find_in(&self, grey: &[f32], near: [f32; 2], step: usize) -> PatchShifts {
        let mut found = PatchShifts::new();
        if self.grey.len() != grey.len() || self.width == 0 {
            return found;
        }
        let size = [self.width, grey.len() / self.width];
        let patch = [size[0] / SHARE[0], size[1] / SHARE[1]];
        let near = near.map(|v| v.round() as isize);
        for place in 0..MAX_PATCHES {
            let cell = [place % GRID[0], place / GRID[0]];
            let from: [usize; 2] =
                std::array::from_fn(|axis| (2 * cell[axis] + 1) * size[axis] / (2 * GRID[axis]) - patch[axis] / 2);
            let search = Search { background: &self.grey, grey, size, patch, from };
            if let Some(shift) = search.shift(near) {
                let scaled = |v: f32| v * step as f32;
                let at_px = std::array::from_fn(|axis| scaled(from[axis] as f32 + 0.5 * patch[axis] as f32));
                // There are as many places as the grid has cells.
                let _ = found.push(PatchShift { at_px, shift_px: shift.map(scaled) });
            }
        }
        found
    }
}

/// The search for one patch.
struct Search<'a> {
    background: &'a [f32],
    grey: &'a [f32],
    size: [usize; 2],
    patch: [usize; 2],
    from: [usize; 2],
}

impl Search<'_> {
    /// How far the patch has gone; `None` where that is in doubt.
    fn shift(&self, near: [isize; 2]) -> Option<[f32; 2]> {
        const SIDE: usize = 2 * REACH as usize + 1;
        let mut likeness = [[f32::NEG_INFINITY; SIDE]; SIDE];
        let mut best = ([0; 2], f32::NEG_INFINITY);
        for (y, row) in likeness.iter_mut().enumerate() {
            for (x, cell) in row.iter_mut().enumerate() {
                let offset = [near[0] + x as isize - REACH, near[1] + y as isize - REACH];
                let Some(value) = self.likeness(offset) else { continue };
                *cell = value;
                if value > best.1 {
                    best = ([x as isize, y as isize], value);
                }
            }
        }
        let ([x, y], top) = best;
        let inside = |v: isize| (APART..SIDE as isize - APART).contains(&v);
        if top < MIN_LIKENESS || !inside(x) || !inside(y) {
            return None;
        }
        let at = |dx: isize, dy: isize| likeness[(y + dy) as usize][(x + dx) as usize];
        let around = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];
        let beside = around.map(|(dx, dy)| at(dx * APART, dy * APART)).into_iter().fold(f32::NEG_INFINITY, f32::max);
        let is_certain = beside.is_finite() && top - beside >= MIN_FALL;
        is_certain.then(|| {
            let between = |before: f32, after: f32| 0.5 * (after - before) / (2.0 * top - before - after).max(1e-6);
            let [right, below] = [x - REACH + near[0], y - REACH + near[1]].map(|v| v as f32);
            [right + between(at(-1, 0), at(1, 0)), below + between(at(0, -1), at(0, 1))]
        })
    }

    /// How alike patch and picture are at an offset (normalised cross-correlation); `None` outside the picture and where the
    /// patch has no contrast.
    fn likeness(&self, offset: [isize; 2]) -> Option<f32> {
        let to = [self.from[0].checked_add_signed(offset[0])?, self.from[1].checked_add_signed(offset[1])?];
        if to[0] + self.patch[0] > self.size[0] || to[1] + self.patch[1] > self.size[1] {
            return None;
        }
        let (mut a_sum, mut b_sum, mut aa, mut bb, mut ab) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for row in 0..self.patch[1] {
            let of = |pixels: &'_ [f32], from: [usize; 2]| (from[1] + row) * self.size[0] + from[0]..pixels.len();
            let known = &self.background[of(self.background, self.from)][..self.patch[0]];
            let new = &self.grey[of(self.grey, to)][..self.patch[0]];
            for (a, b) in known.iter().zip(new) {
                // About mid-grey, so that nothing is lost in the sums of squares.
                let (a, b) = (a - 128.0, b - 128.0);
                a_sum += a;
                b_sum += b;
                aa += a * a;
                bb += b * b;
                ab += a * b;
            }
        }
        let count = (self.patch[0] * self.patch[1]) as f32;
        let (aa, bb, ab) = (aa - a_sum * a_sum / count, bb - b_sum * b_sum / count, ab - a_sum * b_sum / count);
        let has_contrast = aa > MIN_CONTRAST * MIN_CONTRAST * count && bb > 0.0;
        has_contrast.then(|| ab / (aa * bb).sqrt())
    }
}
