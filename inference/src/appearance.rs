//! What a detected object looks like, coarsely: enough to tell two that meet apart, too little to show anybody.
//!
//! In: a picture and the detections in it. Out: an [`Appearance`] of each that is large enough. `colour-layout` needs no
//! network: a grid is laid into the box, and each of its cells says its mean brightness and colour (as the colour layout
//! descriptor of MPEG-7, ISO/IEC 15938-3, before its cosine transform). A cell that another detection hides says nothing, so that
//! the one in front does not colour the one behind (parts with visibility: Sun et al., CVPR 2019). Invariants: bytes, of fixed
//! size, from integer arithmetic: the same picture gives the same bytes everywhere. Deliberately absent: comparison, which is
//! the tracker's.

use crate::{BoundingBox, Detection, RgbImage};
use serde::{Deserialize, Serialize};

/// Columns of cells across a box.
const COLUMNS: usize = 3;
/// Rows of cells down a box.
const ROWS: usize = 5;
/// Points at most that are looked at across and down a cell.
const POINTS: u32 = 5;
/// Share of a box left out at its left and right edge, where there is more of what is behind than of what it is around.
const SIDE: f32 = 0.12;
/// The same at its upper and lower edge.
const END: f32 = 0.06;
/// Boxes smaller than this on a side show too little, pixels.
const LEAST_PX: f32 = 8.0;
/// Others that hide one at most; more are not looked at.
const MAX_HIDING: usize = 8;
/// Brightness, and what blue and red differ from it: the bytes of a cell.
const CHANNELS: usize = 3;

/// How an object's appearance is described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppearanceDescriptor {
    /// Mean colours of a grid of cells; needs no network.
    #[default]
    ColourLayout,
}

impl AppearanceDescriptor {
    /// Describes each of `detections`, which are all that was found in `image`, strongest first.
    pub fn describe(self, image: &RgbImage, detections: &mut [Detection]) {
        match self {
            Self::ColourLayout => {
                for index in 0..detections.len() {
                    let own = detections[index].bounding_box;
                    let hiding = Hiding::of(&own, detections.iter().map(|other| &other.bounding_box));
                    detections[index].appearance = Appearance::colour_layout(image, &own, &hiding);
                }
            }
        }
    }
}

/// What somebody looks like: brightness and two colour differences (BT.601) of each cell, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appearance([[u8; CHANNELS]; Self::CELLS]);

impl Appearance {
    /// Cells of a description.
    pub const CELLS: usize = COLUMNS * ROWS;
    /// Bytes of a description.
    pub const BYTES: usize = CHANNELS * Self::CELLS;
    /// A cell that does not show. None that does is as dark.
    const HIDDEN: [u8; CHANNELS] = [0; CHANNELS];

    /// A description by its bytes; `None` if there are not [`Self::BYTES`].
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (cells, rest) = bytes.as_chunks();
        rest.is_empty().then_some(Self(cells.try_into().ok()?))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_flattened()
    }

    /// Brightness, blue and red difference of each cell; `None` for those that do not show.
    pub fn cells(&self) -> impl Iterator<Item = Option<[u8; CHANNELS]>> {
        self.0.iter().map(|cell| (*cell != Self::HIDDEN).then_some(*cell))
    }

    fn colour_layout(image: &RgbImage, b: &BoundingBox, hiding: &Hiding) -> Option<Self> {
        let (width, height) = (b.width_px(), b.height_px());
        // Also refuses a box that is none.
        if !(width >= LEAST_PX && height >= LEAST_PX && b.area_px2() < 1e9) {
            return None;
        }
        let steps = |extent_px: f32, cells: usize| (extent_px as u32 / cells as u32).clamp(1, POINTS);
        let (across, down) = (steps(width, COLUMNS), steps(height, ROWS));
        let (left, top) = (b.x1_px + SIDE * width, b.y1_px + END * height);
        let cell_px = [(1.0 - 2.0 * SIDE) * width / COLUMNS as f32, (1.0 - 2.0 * END) * height / ROWS as f32];
        let mut cells = [Self::HIDDEN; Self::CELLS];
        for (index, cell) in cells.iter_mut().enumerate() {
            let corner = [left + (index % COLUMNS) as f32 * cell_px[0], top + (index / COLUMNS) as f32 * cell_px[1]];
            let points = (0..across * down).filter_map(|point| {
                let x = corner[0] + cell_px[0] * ((point % across) as f32 + 0.5) / across as f32;
                let y = corner[1] + cell_px[1] * ((point / across) as f32 + 0.5) / down as f32;
                if hiding.has(x, y) { None } else { pixel(image, x, y) }
            });
            let (sum, count) = points.fold(([0; CHANNELS], 0), |(sum, count), p| {
                (std::array::from_fn(|channel| sum[channel] + i32::from(p[channel])), count + 1)
            });
            // Half of a cell must show.
            if 2 * count >= (across * down) as i32 {
                *cell = colour(sum.map(|total| total / count));
            }
        }
        cells.iter().any(|cell| *cell != Self::HIDDEN).then_some(Self(cells))
    }
}

/// Boxes that lie over a box: of two on one ground, the one that reaches lower in the picture is nearer.
struct Hiding {
    boxes: [BoundingBox; MAX_HIDING],
    count: usize,
}

impl Hiding {
    fn of<'a>(own: &BoundingBox, all: impl Iterator<Item = &'a BoundingBox>) -> Self {
        let mut hiding = Self { boxes: [BoundingBox::default(); MAX_HIDING], count: 0 };
        // What lies on nearly the same place is the same object, found twice.
        let over = all.filter(|b| b.y2_px > own.y2_px && (0.01..SAME_IOU).contains(&b.iou(own)));
        for b in over.take(MAX_HIDING) {
            hiding.boxes[hiding.count] = *b;
            hiding.count += 1;
        }
        hiding
    }

    fn has(&self, x: f32, y: f32) -> bool {
        self.boxes[..self.count].iter().any(|b| (b.x1_px..b.x2_px).contains(&x) && (b.y1_px..b.y2_px).contains(&y))
    }
}

/// Two boxes that overlap more than this are around one object.
const SAME_IOU: f32 = 0.6;

/// Red, green, blue at a place in the picture; `None` outside.
fn pixel(image: &RgbImage, x: f32, y: f32) -> Option<[u8; 3]> {
    if !(x >= 0.0 && y >= 0.0 && x < image.width as f32 && y < image.height as f32) {
        return None;
    }
    let at = 3 * (y as usize * image.width as usize + x as usize);
    image.data.get(at..at + 3)?.try_into().ok()
}

/// BT.601, full range; brightness from 1.
fn colour([r, g, b]: [i32; 3]) -> [u8; CHANNELS] {
    let brightness = (77 * r + 150 * g + 29 * b) >> 8;
    let blue = 128 + ((-43 * r - 85 * g + 128 * b) >> 8);
    let red = 128 + ((128 * r - 107 * g - 21 * b) >> 8);
    [brightness.clamp(1, 255), blue.clamp(0, 255), red.clamp(0, 255)].map(|v| v as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ObjectClass;
    use proptest::prelude::*;

    const GREY: [u8; 3] = [90; 3];

    /// A grey picture with filled boxes, later ones over earlier ones.
    fn picture(boxes: &[(BoundingBox, [u8; 3])]) -> RgbImage {
        let mut data = GREY.repeat(200 * 120);
        for (b, rgb) in boxes {
            for y in b.y1_px as usize..(b.y2_px as usize).min(120) {
                for x in b.x1_px as usize..(b.x2_px as usize).min(200) {
                    data[3 * (200 * y + x)..][..3].copy_from_slice(rgb);
                }
            }
        }
        RgbImage::new(200, 120, data).unwrap()
    }

    fn boxed(x: f32, y: f32, width: f32, height: f32) -> BoundingBox {
        BoundingBox { x1_px: x, y1_px: y, x2_px: x + width, y2_px: y + height }
    }

    fn described(image: &RgbImage, boxes: &[BoundingBox]) -> Vec<Option<Appearance>> {
        let of =
            |b: &BoundingBox| Detection { bounding_box: *b, class: ObjectClass::Car, score: 0.9, appearance: None };
        let mut detections: Vec<Detection> = boxes.iter().map(of).collect();
        AppearanceDescriptor::ColourLayout.describe(image, &mut detections);
        detections.iter().map(|detection| detection.appearance).collect()
    }

    #[test]
    fn a_plain_car_has_its_colour_in_every_cell_at_any_size() {
        for (width, height) in [(20.0, 12.0), (60.0, 40.0), (120.0, 90.0)] {
            let car = boxed(30.0, 20.0, width, height);
            let looks = described(&picture(&[(car, [200, 30, 40])]), &[car]);
            let expected = colour([200, 30, 40]);
            assert!(looks[0].unwrap().cells().all(|cell| cell == Some(expected)), "{width}: {looks:?}");
        }
        assert_eq!(colour([200, 30, 40]), [82, 104, 212]);
    }

    #[test]
    fn upper_and_lower_halves_stay_apart() {
        let person = boxed(50.0, 10.0, 40.0, 100.0);
        let image = picture(&[(person, [250, 250, 250]), (boxed(50.0, 60.0, 40.0, 50.0), [20, 20, 120])]);
        let cells: Vec<_> = described(&image, &[person])[0].unwrap().cells().map(Option::unwrap).collect();
        assert!(cells[..2 * COLUMNS].iter().all(|cell| *cell == [250, 128, 128]), "{cells:?}");
        assert!(cells[3 * COLUMNS..].iter().all(|cell| *cell == colour([20, 20, 120])), "{cells:?}");
    }

    #[test]
    fn what_is_nearer_hides_cells_and_colours_none() {
        let (far, near) = (boxed(20.0, 20.0, 90.0, 50.0), boxed(65.0, 25.0, 90.0, 70.0));
        let image = picture(&[(far, [200, 30, 40]), (near, [20, 60, 220])]);
        let looks = described(&image, &[far, near]);
        let (red, blue) = (colour([200, 30, 40]), colour([20, 60, 220]));
        let far_cells: Vec<_> = looks[0].unwrap().cells().collect();
        assert!(far_cells.iter().flatten().all(|cell| *cell == red), "{far_cells:?}");
        assert!(far_cells.contains(&None) && far_cells.iter().flatten().count() >= ROWS, "{far_cells:?}");
        assert!(looks[1].unwrap().cells().all(|cell| cell == Some(blue)));
    }

    #[test]
    fn it_is_left_out_where_a_detection_becomes_text() {
        let car = boxed(30.0, 20.0, 60.0, 40.0);
        let mut detections = [Detection { bounding_box: car, class: ObjectClass::Car, score: 0.9, appearance: None }];
        let without = serde_json::to_string(&detections).unwrap();
        AppearanceDescriptor::ColourLayout.describe(&picture(&[]), &mut detections);
        assert!(detections[0].appearance.is_some());
        assert_eq!(serde_json::to_string(&detections).unwrap(), without);
        assert!(!without.contains("appearance"), "{without}");
    }

    #[test]
    fn what_is_small_or_outside_has_no_appearance() {
        let image = picture(&[]);
        let boxes = [boxed(10.0, 10.0, 6.0, 30.0), boxed(500.0, 10.0, 60.0, 30.0), boxed(f32::NAN, 0.0, 60.0, 40.0)];
        assert_eq!(described(&image, &boxes), [None, None, None]);
    }

    proptest! {
        #[test]
        fn any_box_is_described_or_not_and_bytes_come_back(corners in any::<[f32; 4]>(), data in any::<[u8; 12]>()) {
            let image = RgbImage::new(2, 2, data.to_vec()).unwrap();
            let [x1_px, y1_px, x2_px, y2_px] = corners;
            let looks = described(&image, &[BoundingBox { x1_px, y1_px, x2_px, y2_px }, boxed(-4.0, -4.0, 9.0, 9.0)]);
            for look in looks.into_iter().flatten() {
                prop_assert_eq!(Appearance::from_bytes(look.as_bytes()), Some(look));
                prop_assert_eq!(Appearance::from_bytes(&look.as_bytes()[1..]), None);
            }
        }
    }
}
