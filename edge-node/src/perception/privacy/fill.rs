//! Making a part of a picture unrecognisable, in place.
//!
//! Every step only takes information away, so regions may overlap in any order. Cells lie on a grid of the picture, not of
//! the object, and have one of sixteen values a channel: what moves through them is sampled anew in every frame, so who
//! must exclude a reconstruction over many frames takes [`Fill::Solid`].

use super::region::Region;
use super::settings::Fill;
use masa_inference::{BoundingBox, RgbImage};

/// Cells across the longer side of a picture that is coarsened as a whole.
const WHOLE_CELLS: u32 = 32;
/// Largest cell, pixels: what reaches far beyond the picture is one cell of it.
const MAX_CELL_PX: f32 = 4096.0;
/// The one colour of [`Fill::Solid`].
const GREY: u8 = 114;

/// Columns and rows of a picture, ends excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    x: [usize; 2],
    y: [usize; 2],
}

impl Window {
    /// The pixels that `area` touches, clipped to the picture; `None` where there are none.
    fn of(area: &BoundingBox, image: &RgbImage) -> Option<Self> {
        // A float to integer cast saturates, and what is not a number becomes 0.
        let side = |low: f32, high: f32, size: u32| {
            [low.floor().max(0.0) as usize, (high.ceil().max(0.0) as usize).min(size as usize)]
        };
        let (x, y) = (side(area.x1_px, area.x2_px, image.width), side(area.y1_px, area.y2_px, image.height));
        (x[0] < x[1] && y[0] < y[1]).then_some(Self { x, y })
    }

    /// Grown to whole cells of a grid that begins at the picture's corner.
    fn snapped(self, cell: usize, image: &RgbImage) -> Self {
        let side =
            |[low, high]: [usize; 2], size: u32| [low / cell * cell, (high.div_ceil(cell) * cell).min(size as usize)];
        Self { x: side(self.x, image.width), y: side(self.y, image.height) }
    }
}

/// Makes a region unrecognisable.
pub(super) fn fill(image: &mut RgbImage, region: &Region, how: Fill) {
    let Some(window) = Window::of(&region.area, image) else { return };
    match how {
        Fill::Solid => paint(image, window, [GREY; 3]),
        Fill::Pixelate { cells, least_cell_px } => {
            let cell =
                (region.detail_px / cells.max(1) as f32).ceil().max(least_cell_px.max(1) as f32).min(MAX_CELL_PX);
            pixelate(image, window, cell as usize);
        }
    }
}

/// Makes all of a picture unrecognisable.
pub(super) fn fill_whole(image: &mut RgbImage, how: Fill) {
    let whole = Window { x: [0, image.width as usize], y: [0, image.height as usize] };
    match how {
        Fill::Solid => paint(image, whole, [GREY; 3]),
        Fill::Pixelate { .. } => pixelate(image, whole, image.width.max(image.height).div_ceil(WHOLE_CELLS) as usize),
    }
}

fn pixelate(image: &mut RgbImage, window: Window, cell: usize) {
    let cell = cell.max(1);
    let window = window.snapped(cell, image);
    for top in (window.y[0]..window.y[1]).step_by(cell) {
        for left in (window.x[0]..window.x[1]).step_by(cell) {
            let one = Window { x: [left, (left + cell).min(window.x[1])], y: [top, (top + cell).min(window.y[1])] };
            let colour = mean(image, one).map(|value| value & 0xF0 | 0x08);
            paint(image, one, colour);
        }
    }
}

fn rows(image: &RgbImage, window: Window) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
    let stride = image.width as usize * 3;
    (window.y[0]..window.y[1]).map(move |y| y * stride + window.x[0] * 3..y * stride + window.x[1] * 3)
}

fn mean(image: &RgbImage, window: Window) -> [u8; 3] {
    let (mut sums, mut count) = ([0_u64; 3], 0_u64);
    for row in rows(image, window) {
        for pixel in image.data[row].as_chunks::<3>().0 {
            sums = [0, 1, 2].map(|channel| sums[channel] + u64::from(pixel[channel]));
            count += 1;
        }
    }
    sums.map(|sum| (sum / count.max(1)) as u8)
}

fn paint(image: &mut RgbImage, window: Window, colour: [u8; 3]) {
    for row in rows(image, window) {
        image.data[row].as_chunks_mut::<3>().0.fill(colour);
    }
}

#[cfg(test)]
mod tests {
    use super::super::region::RegionKind;
    use super::*;

    fn region([x1_px, y1_px, x2_px, y2_px]: [f32; 4]) -> Region {
        let area = BoundingBox { x1_px, y1_px, x2_px, y2_px };
        Region { kind: RegionKind::Face, area, detail_px: (x2_px - x1_px).min(y2_px - y1_px) }
    }

    const PIXELATE: Fill = Fill::Pixelate { cells: 3, least_cell_px: 8 };

    /// Every pixel another colour.
    fn picture() -> RgbImage {
        let data = (0..60 * 100).flat_map(|i| [(i % 251) as u8, (i / 251) as u8, (i % 97) as u8]).collect();
        RgbImage::new(100, 60, data).unwrap()
    }

    fn colours(image: &RgbImage, x: [usize; 2], y: [usize; 2]) -> usize {
        let mut all: Vec<[u8; 3]> =
            rows(image, Window { x, y }).flat_map(|row| image.data[row].as_chunks::<3>().0.to_vec()).collect();
        all.sort_unstable();
        all.dedup();
        all.len()
    }

    #[test]
    fn a_region_keeps_a_few_colours_and_the_rest_of_the_picture_all() {
        let area = region([30.0, 20.0, 57.5, 50.0]);
        for (how, most) in [(PIXELATE, 4 * 4), (Fill::Solid, 1)] {
            let mut image = picture();
            fill(&mut image, &area, how);
            assert!(colours(&image, [30, 58], [20, 50]) <= most, "{how:?}");
            assert_eq!(image.data[..20 * 300], picture().data[..20 * 300], "{how:?}: nothing above was touched");
        }
    }

    #[test]
    fn odd_areas_do_no_harm() {
        for area in [
            [-50.0, -50.0, -10.0, -10.0],
            [90.0, 50.0, 400.0, 300.0],
            [f32::NAN, 0.0, 10.0, 10.0],
            [f32::NEG_INFINITY, f32::NEG_INFINITY, f32::INFINITY, f32::INFINITY],
            [20.0, 20.0, 10.0, 10.0],
        ] {
            let mut image = picture();
            fill(&mut image, &region(area), PIXELATE);
            assert_eq!(image.data.len(), 100 * 60 * 3);
        }
        let mut image = picture();
        fill(&mut image, &region([90.0, 50.0, 400.0, 300.0]), PIXELATE);
        assert_eq!(colours(&image, [90, 100], [50, 60]), 1, "what reaches beyond the picture is one cell of it");
    }

    #[test]
    fn a_whole_picture_keeps_a_few_dozen_cells_across() {
        let mut image = picture();
        fill_whole(&mut image, PIXELATE);
        assert!(colours(&image, [0, 100], [0, 60]) <= 25 * 15);
        fill_whole(&mut image, Fill::Solid);
        assert_eq!(colours(&image, [0, 100], [0, 60]), 1);
    }
}
