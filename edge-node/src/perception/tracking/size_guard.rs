//! A box that grows or shrinks at once is not the object's own box.
//!
//! In: a measured box, the box that was expected and the time since the last one. Out: the box with the wrong edge put back,
//! and by how many pixels each edge is in doubt. Detectors draw one box around a car and the cyclist in front of it, or
//! around the half of a car that a post leaves to see; on the ground either moves the car by metres.
//!
//! Invariant: what lasts is believed: the reference size follows at [`GROWTH_PER_S`], so a wrong first box is forgotten.
//! Widths are trusted more than heights: a bicycle that turns beside the camera doubles its width within half a second.

use masa_inference::BoundingBox;

/// Change of width and height that is taken for noise, as a share.
const TOLERANCE: [f64; 2] = [0.35, 0.2];
/// Change of width and height that motion can explain, as a share per second.
const GROWTH_PER_S: [f64; 2] = [2.0, 0.8];
/// Boxes over which the first reference is averaged.
const LEARNED_FROM: u32 = 3;
/// Standard deviation of an edge that was put back, as a share of the reference size.
const REPAIR_SIGMA: f64 = 0.12;
/// A box nearer to the image's edge than this is cut off by it, pixels: its size says nothing.
const EDGE_PX: f32 = 2.0;

/// The reference size of one track.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SizeGuard {
    /// Width and height, pixels.
    reference: [f64; 2],
    seen: u32,
}

impl SizeGuard {
    pub(crate) fn new(measured: &BoundingBox) -> Self {
        Self { reference: [measured.width_px(), measured.height_px()].map(f64::from), seen: 1 }
    }

    /// The measured box with its wrong edges put back, and the standard deviation this leaves to left, top, right and lower
    /// edge.
    pub(crate) fn check(
        &mut self,
        measured: &BoundingBox,
        expected: &BoundingBox,
        dt_s: f64,
        image_size_px: [u32; 2],
    ) -> (BoundingBox, [f64; 4]) {
        self.seen = self.seen.saturating_add(1);
        let mut edges = edges_of(measured);
        let expected = edges_of(expected);
        let mut doubts = [0.0; 4];
        for axis in 0..2 {
            let (near, far) = (axis, axis + 2);
            let size = edges[far] - edges[near];
            let cut = edges[near] < EDGE_PX || edges[far] > image_size_px[axis] as f32 - EDGE_PX;
            let reference = self.follow(axis, f64::from(size), dt_s, cut);
            if cut || (f64::from(size) / reference - 1.0).abs() <= TOLERANCE[axis] {
                continue;
            }
            let wrong =
                if (edges[near] - expected[near]).abs() > (edges[far] - expected[far]).abs() { near } else { far };
            edges[wrong] = if wrong == near { edges[far] - reference as f32 } else { edges[near] + reference as f32 };
            doubts[wrong] = REPAIR_SIGMA * reference;
        }
        let [x1_px, y1_px, x2_px, y2_px] = edges;
        (BoundingBox { x1_px, y1_px, x2_px, y2_px }, doubts)
    }

    /// Lets the reference follow a measured size and returns it.
    fn follow(&mut self, axis: usize, size: f64, dt_s: f64, cut: bool) -> f64 {
        let reference = &mut self.reference[axis];
        if cut {
            *reference = size;
        } else if self.seen <= LEARNED_FROM {
            *reference += (size - *reference) / f64::from(self.seen);
        } else {
            let most = *reference * GROWTH_PER_S[axis] * dt_s;
            *reference += (size - *reference).clamp(-most, most);
        }
        *reference = reference.max(1.0);
        *reference
    }
}

fn edges_of(b: &BoundingBox) -> [f32; 4] {
    [b.x1_px, b.y1_px, b.x2_px, b.y2_px]
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [u32; 2] = [800, 600];

    fn car(x: f32, height: f32) -> BoundingBox {
        BoundingBox { x1_px: x, y1_px: 112.0, x2_px: x + 84.0, y2_px: 112.0 + height }
    }

    #[test]
    fn a_lower_edge_that_drops_to_a_cyclist_is_put_back() {
        // The silver car of the junction clip, frames 1 to 9, as YOLOX-Nano sees it.
        let mut guard = SizeGuard::new(&car(110.0, 50.0));
        for (frame, height) in [50.0, 51.0, 67.0, 50.0, 87.0, 90.0, 94.0, 95.0].into_iter().enumerate() {
            let x = 110.0 + 3.0 * frame as f32;
            let (b, doubts) = guard.check(&car(x, height), &car(x, 51.0), 0.05, IMAGE);
            // The detector's lower edge is 44 px too low at the end; the reference gives in by less than 9.
            assert!((b.y2_px - 163.0).abs() < 9.0, "frame {frame}: {b:?}");
            assert_eq!(doubts[3] > 0.0, height > 60.0, "frame {frame}");
            assert_eq!((b.x1_px, b.x2_px), (x, x + 84.0));
        }
    }

    #[test]
    fn a_size_that_lasts_is_believed() {
        let mut guard = SizeGuard::new(&car(100.0, 50.0));
        let mut last = car(100.0, 50.0);
        for _ in 0..30 {
            last = guard.check(&car(100.0, 80.0), &last, 0.05, IMAGE).0;
        }
        assert_eq!(last, car(100.0, 80.0));
    }

    #[test]
    fn a_bicycle_that_turns_beside_the_camera_keeps_its_width() {
        // The cyclist of the junction clip, frames 50 to 60.
        let mut last = BoundingBox { x1_px: 352.0, y1_px: 247.0, x2_px: 454.0, y2_px: 394.0 };
        let mut guard = SizeGuard::new(&last);
        for width in [105.0, 107.0, 115.0, 118.0, 125.0, 135.0, 148.0, 163.0, 175.0, 194.0] {
            let b = BoundingBox { x1_px: last.x1_px + 18.0, x2_px: last.x1_px + 18.0 + width, ..last };
            assert_eq!(guard.check(&b, &last, 0.05, IMAGE).0, b, "{width}");
            last = b;
        }
    }

    #[test]
    fn a_car_that_comes_into_the_image_may_grow() {
        let mut guard = SizeGuard::new(&BoundingBox { x1_px: 0.0, x2_px: 10.0, ..car(0.0, 50.0) });
        for width in [20.0, 40.0, 60.0, 80.0] {
            let measured = BoundingBox { x1_px: 0.0, x2_px: width, ..car(0.0, 50.0) };
            assert_eq!(guard.check(&measured, &measured, 0.05, IMAGE), (measured, [0.0; 4]));
        }
        let inside = car(6.0, 50.0);
        assert_eq!(guard.check(&inside, &inside, 0.05, IMAGE).0, inside);
    }
}
