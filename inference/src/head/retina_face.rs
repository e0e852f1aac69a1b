//! RetinaFace and its kin for plates: boxes relative to anchors, and scores of background and object. Landmarks are not read.

use super::{Candidates, Head, grid, tensors};
use crate::{description::HeadDescription, engine::Outputs};

/// Variances that the training divided offsets and sizes by (SSD, Liu et al. 2016).
const OFFSET_VARIANCE: f32 = 0.1;
const SIZE_VARIANCE: f32 = 0.2;

/// See the module.
pub(super) struct RetinaFace {
    /// Centre and side of every anchor, input pixels.
    anchors: Vec<[f32; 3]>,
    boxes: usize,
    scores: usize,
}

impl RetinaFace {
    pub(super) fn open(head: &HeadDescription, size: (u32, u32), outputs: &dyn Outputs) -> Result<Self, String> {
        let a_cell = head.anchors_px.len() / head.strides.len().max(1);
        let mut anchors = Vec::new();
        for (&stride, sides) in head.strides.iter().zip(head.anchors_px.chunks(a_cell.max(1))) {
            let (columns, rows) = grid(size, stride);
            for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
                let centre = [column, row].map(|at| (at as f32 + 0.5) * stride as f32);
                anchors.extend(sides.iter().map(|&side| [centre[0], centre[1], side]));
            }
        }
        let of_width = |width: usize| {
            let shape = [1, anchors.len(), width];
            tensors(outputs).position(|tensor| tensor.shape == shape).ok_or_else(|| format!("an output {shape:?}"))
        };
        Ok(Self { boxes: of_width(4)?, scores: of_width(2)?, anchors })
    }
}

impl Head for RetinaFace {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let (boxes, scores) = (outputs.tensor(self.boxes).data, outputs.tensor(self.scores).data);
        let rows = self.anchors.iter().zip(boxes.as_chunks::<4>().0).zip(scores.as_chunks::<2>().0);
        for (index, (([x, y, side], [dx, dy, dw, dh]), [_, object])) in rows.enumerate() {
            if !into.may_pass(*object) {
                continue;
            }
            let (cx, cy) = (x + dx * OFFSET_VARIANCE * side, y + dy * OFFSET_VARIANCE * side);
            let [w, h] = [dw, dh].map(|d| side * (d * SIZE_VARIANCE).exp());
            let corners = [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0];
            into.add(0, into.probability(*object), corners, index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, refusal};

    const HEAD: &str = "type = 'retina-face'\nscore-threshold = 0.5\nnms-iou = 0.3\nstrides = [8, 16]\n\
        anchors-px = [24, 48, 96, 192]";

    #[test]
    fn a_box_is_placed_by_its_anchor() {
        // 32×16 input: 4×2 cells of stride 8, then 2×1 of stride 16, two anchors each.
        let (mut boxes, mut scores) = (vec![0.0; 20 * 4], vec![0.0; 20 * 2]);
        // The larger anchor of column 2, row 1 of stride 8: centre (20, 12), side 48.
        boxes[13 * 4..14 * 4].copy_from_slice(&[1.0, -1.0, 0.0, 5.0 * 0.5_f32.ln()]);
        scores[13 * 2..14 * 2].copy_from_slice(&[0.2, 0.8]);
        let raw = Raw(vec![
            ("loc", vec![1, 20, 4], boxes),
            ("conf", vec![1, 20, 2], scores),
            ("landms", vec![1, 20, 8], vec![0.0; 160]),
        ]);
        let found = decode(&description(32, 16, HEAD), &raw);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].score, found[0].order), (0.8, 13));
        // Centre moved by a tenth of the side, half the height.
        let expected = [0.8, -4.8, 48.8, 19.2];
        assert!(found[0].corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{:?}", found[0].corners);
    }

    #[test]
    fn another_number_of_anchors_is_refused() {
        let raw = Raw(vec![("loc", vec![1, 10, 4], vec![0.0; 40]), ("conf", vec![1, 10, 2], vec![0.0; 20])]);
        assert_eq!(refusal(&description(32, 16, HEAD), &raw), "an output [1, 20, 4]");
    }
}
