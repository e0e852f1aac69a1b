//! Making a part of a picture unrecognisable, in place.
//!
//! Every step only takes information away, so regions may overlap in any order. Cells lie on a grid of the picture, not of
//! the object, and have one of sixteen values a channel: what moves through them is sampled anew in every frame, so who
//! must exclude a reconstruction over many frames takes [`Fill::Solid`].
//!
//! Regions are filled from the largest cells to the smallest. The other way round, and in the order of their detectors, cells
//! of several sizes lie across each other, and networks take that for plates. [`Fill::Smooth`] keeps of a region what
//! [`Fill::Pixelate`] keeps, the cells' colours, and draws them without edges.

use super::region::Region;
use super::settings::Fill;
use masa_inference::{BoundingBox, RgbImage};
use std::cmp::Reverse;

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

    fn holds(&self, other: &Self) -> bool {
        let within = |outer: [usize; 2], inner: [usize; 2]| outer[0] <= inner[0] && inner[1] <= outer[1];
        within(self.x, other.x) && within(self.y, other.y)
    }

    fn area(&self) -> usize {
        (self.x[1] - self.x[0]) * (self.y[1] - self.y[0])
    }
}

/// Makes regions unrecognisable, those with the largest cells first: what lies within one of them has lost more already than
/// its own cells would take, and is left as it is.
pub(super) fn fill(image: &mut RgbImage, regions: &[Region], how: Fill) {
    let mut todo: Vec<(usize, Window)> = regions
        .iter()
        .filter_map(|region| Window::of(&region.area, image).map(|window| (cell_px(region, how), window)))
        .map(|(cell, window)| (cell, window.snapped(cell, image)))
        .collect();
    todo.sort_by_key(|(cell, window)| (Reverse(*cell), Reverse(window.area())));
    let mut done: Vec<Window> = Vec::with_capacity(todo.len());
    for (cell, window) in todo {
        if !done.iter().any(|larger| larger.holds(&window)) {
            fill_window(image, window, cell, how);
            done.push(window);
        }
    }
}

/// Side of a region's cells, pixels; without cells, one.
fn cell_px(region: &Region, how: Fill) -> usize {
    match how {
        Fill::Solid => 1,
        Fill::Smooth { cells, least_cell_px } | Fill::Pixelate { cells, least_cell_px } => {
            (region.detail_px / cells.max(1) as f32).ceil().max(least_cell_px.max(1) as f32).min(MAX_CELL_PX) as usize
        }
    }
}

/// Makes all of a picture unrecognisable.
pub(super) fn fill_whole(image: &mut RgbImage, how: Fill) {
    let whole = Window { x: [0, image.width as usize], y: [0, image.height as usize] };
    fill_window(image, whole, image.width.max(image.height).div_ceil(WHOLE_CELLS) as usize, how);
}

/// Fills a window of whole cells.
fn fill_window(image: &mut RgbImage, window: Window, cell: usize, how: Fill) {
    match how {
        Fill::Solid => paint(image, window, [GREY; 3]),
        Fill::Smooth { .. } => smooth(image, window, cell),
        Fill::Pixelate { .. } => pixelate(image, window, cell),
    }
}

fn pixelate(image: &mut RgbImage, window: Window, cell: usize) {
    for one in cells(window, cell) {
        let colour = coarse_mean(image, one);
        paint(image, one, colour);
    }
}

/// Paints what `pixelate` would, interpolated between the cells' centres, and fades it out over half a cell around them.
fn smooth(image: &mut RgbImage, window: Window, cell: usize) {
    let colours: Vec<[f32; 3]> = cells(window, cell).map(|one| coarse_mean(image, one).map(f32::from)).collect();
    let columns: Vec<Between> = Between::along(window.x, cell, image.width as usize).collect();
    let across = (window.x[1] - window.x[0]).div_ceil(cell);
    let stride = image.width as usize * 3;
    for row in Between::along(window.y, cell, image.height as usize) {
        let [above, below] = row.cells.map(|k| &colours[k * across..(k + 1) * across]);
        let pixels = &mut image.data[row.at * stride..(row.at + 1) * stride].as_chunks_mut::<3>().0[columns[0].at..];
        for (column, pixel) in columns.iter().zip(pixels) {
            let cover = row.cover * column.cover;
            let [left, right] = column.cells;
            for (channel, value) in pixel.iter_mut().enumerate() {
                let upper = column.mix(above[left][channel], above[right][channel]);
                let lower = column.mix(below[left][channel], below[right][channel]);
                // Nothing of what was there where the cover is whole: this way round it is multiplied by zero.
                *value = ((1.0 - cover) * f32::from(*value) + cover * row.mix(upper, lower)).round() as u8;
            }
        }
    }
}

/// Where a row or column of pixels lies between the centres of cells.
#[derive(Clone, Copy, Debug)]
struct Between {
    /// Its number in the picture.
    at: usize,
    /// The cells before and after it, counted from the window's first.
    cells: [usize; 2],
    /// Share of the second.
    second: f32,
    /// How much of what was there is replaced: all within the window, less and less around it.
    cover: f32,
}

impl Between {
    /// All rows or columns that a window of whole cells touches with its surroundings of half a cell.
    fn along([from, to]: [usize; 2], cell: usize, size: usize) -> impl Iterator<Item = Self> {
        let (last, band) = ((to - from).div_ceil(cell) - 1, cell / 2);
        (from.saturating_sub(band)..(to + band).min(size)).map(move |at| {
            // Past the outermost centres their colour continues.
            let position = (((at as f32 + 0.5 - from as f32) / cell as f32) - 0.5).clamp(0.0, last as f32);
            let first = position as usize;
            let outside = from.saturating_sub(at).max((at + 1).saturating_sub(to));
            Self {
                at,
                cells: [first, (first + 1).min(last)],
                second: position - first as f32,
                cover: 1.0 - outside as f32 / (band + 1) as f32,
            }
        })
    }

    fn mix(&self, first: f32, second: f32) -> f32 {
        first + self.second * (second - first)
    }
}

/// The cells of a window that begins at one, row by row; the last may be cut off.
fn cells(window: Window, cell: usize) -> impl Iterator<Item = Window> {
    let tops = (window.y[0]..window.y[1]).step_by(cell);
    tops.flat_map(move |top| {
        (window.x[0]..window.x[1]).step_by(cell).map(move |left| Window {
            x: [left, (left + cell).min(window.x[1])],
            y: [top, (top + cell).min(window.y[1])],
        })
    })
}

/// All that is kept of a cell: its mean in sixteen steps a channel.
fn coarse_mean(image: &RgbImage, cell: Window) -> [u8; 3] {
    mean(image, cell).map(|value| value & 0xF0 | 0x08)
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
    const SMOOTH: Fill = Fill::Smooth { cells: 3, least_cell_px: 8 };

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
            fill(&mut image, &[area], how);
            assert!(colours(&image, [30, 58], [20, 50]) <= most, "{how:?}");
            assert_eq!(image.data[..20 * 300], picture().data[..20 * 300], "{how:?}: nothing above was touched");
        }
    }

    /// The picture with the pixels of every cell of 10 px in reverse order: other content, the same means.
    fn shuffled() -> RgbImage {
        let mut image = picture();
        for cell in cells(Window { x: [0, 100], y: [0, 60] }, 10) {
            let pixels: Vec<u8> = rows(&image, cell).flat_map(|row| image.data[row].to_vec()).collect();
            let reversed = pixels.as_chunks::<3>().0.iter().rev().flatten().copied();
            let mut reversed = reversed.collect::<Vec<_>>().into_iter();
            for row in rows(&image, cell) {
                image.data[row].iter_mut().for_each(|value| *value = reversed.next().unwrap());
            }
        }
        image
    }

    #[test]
    fn nothing_but_the_cells_means_is_kept() {
        // 30 px: cells of 10, on the grid.
        let area = region([30.0, 20.0, 60.0, 50.0]);
        for how in [PIXELATE, SMOOTH, Fill::Solid] {
            let (mut one, mut other) = (picture(), shuffled());
            assert!(one.data != other.data);
            fill(&mut one, &[area], how);
            fill(&mut other, &[area], how);
            for row in rows(&one, Window { x: [30, 60], y: [20, 50] }) {
                assert!(one.data[row.clone()] == other.data[row], "{how:?}");
            }
        }
    }

    #[test]
    fn a_smooth_region_has_no_edges_within_nor_around() {
        // Black beside white within the first cell: it differs from its left neighbour, which is shown, and from the next cell.
        let steps = |how: Fill| {
            let data = (0..60 * 100).flat_map(|i| [if i % 100 < 35 { 0 } else { 255 }; 3]).collect();
            let mut image = RgbImage::new(100, 60, data).unwrap();
            fill(&mut image, &[region([30.0, 20.0, 60.0, 50.0])], how);
            (1..100).map(|x| image.data[35 * 300 + x * 3].abs_diff(image.data[35 * 300 + x * 3 - 3])).max().unwrap()
        };
        // 128 of 255 within the 10 px from centre to centre, 120 within the 6 px around the region.
        assert!(steps(SMOOTH) <= 21, "{}", steps(SMOOTH));
        assert!(steps(PIXELATE) >= 120, "what is looked for would be found: {}", steps(PIXELATE));
    }

    #[test]
    fn what_lies_within_larger_cells_has_no_say() {
        let large = region([20.0, 10.0, 68.0, 58.0]);
        let small = region([24.0, 12.0, 40.0, 44.0]);
        for how in [PIXELATE, SMOOTH] {
            let filled = |regions: &[Region]| {
                let mut image = picture();
                fill(&mut image, regions, how);
                image.data
            };
            assert!(filled(&[small, large]) == filled(&[large]), "{how:?}");
            // Reaches out of the large one's whole cells, which end at column 80.
            let beside = region([70.0, 12.0, 86.0, 44.0]);
            assert!(filled(&[beside, large]) == filled(&[large, beside]), "{how:?}: in any order");
            assert!(filled(&[beside, large]) != filled(&[large]), "{how:?}");
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
            for how in [PIXELATE, SMOOTH] {
                let mut image = picture();
                fill(&mut image, &[region(area)], how);
                assert_eq!(image.data.len(), 100 * 60 * 3);
            }
        }
        for how in [PIXELATE, SMOOTH] {
            let mut image = picture();
            fill(&mut image, &[region([90.0, 50.0, 400.0, 300.0])], how);
            assert_eq!(colours(&image, [90, 100], [50, 60]), 1, "what reaches beyond the picture is one cell of it");
        }
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
