//! YOLOX: one row per grid cell with four box numbers, objectness and class scores.

use super::{Candidates, Head, best, corners, grid, tensors};
use crate::{
    description::{Boxes, HeadDescription},
    engine::Outputs,
};

/// Numbers in a row before the class scores: box and objectness.
const BOX_AND_OBJECTNESS: usize = 5;

/// See the module.
pub(super) struct Yolox {
    form: Boxes,
    size: (f32, f32),
    /// Left edge, top edge and stride of every cell, strides; empty where boxes are in pixels.
    cells: Vec<[f32; 3]>,
}

impl Yolox {
    pub(super) fn open(
        head: &HeadDescription,
        size: (u32, u32),
        classes: usize,
        outputs: &dyn Outputs,
    ) -> Result<Self, String> {
        let form = head.box_form();
        let mut cells = Vec::new();
        if form == Boxes::Grid {
            for &stride in &head.strides {
                let (columns, rows) = grid(size, stride);
                for row in 0..rows {
                    cells.extend((0..columns).map(|column| [column as f32, row as f32, stride as f32]));
                }
            }
        }
        let width = BOX_AND_OBJECTNESS + classes;
        let fits = match tensors(outputs).collect::<Vec<_>>().as_slice() {
            [only] => match *only.shape {
                [1, rows, columns] => (cells.is_empty() || rows == cells.len()) && columns >= width,
                _ => false,
            },
            _ => false,
        };
        if !fits {
            let rows = if cells.is_empty() { "boxes".to_owned() } else { cells.len().to_string() };
            return Err(format!("[1, {rows}, {width} or more] for strides {:?} and {classes} classes", head.strides));
        }
        Ok(Self { form, size: (size.0 as f32, size.1 as f32), cells })
    }
}

impl Head for Yolox {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let output = outputs.tensor(0);
        let Some(&width) = output.shape.last().filter(|&&width| width > BOX_AND_OBJECTNESS) else { return };
        for (index, row) in output.data.chunks_exact(width).enumerate() {
            let &[a, b, c, d, objectness, ref classes @ ..] = row else { continue };
            // A class score is at most 1, so most cells end here.
            if !into.may_pass(objectness) {
                continue;
            }
            let Some((class, raw)) = best(classes) else { continue };
            let score = into.probability(objectness) * into.probability(raw);
            let numbers = match self.cells.get(index) {
                Some(&[column, row, stride]) => {
                    [(a + column) * stride, (b + row) * stride, c.exp() * stride, d.exp() * stride]
                }
                None => [a, b, c, d],
            };
            into.add(class, score, corners(self.form, numbers, self.size), index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, logit, refusal};
    use crate::ObjectClass;

    const HEAD: &str = "type = 'yolox'\nscore-threshold = 0.3\nnms-iou = 0.5\nstrides = [8, 16]";

    /// 32×16 input: 4×2 cells of stride 8, then 2×1 of stride 16; three classes.
    fn rows() -> Vec<f32> {
        vec![0.0; 10 * 8]
    }

    #[test]
    fn a_cell_is_placed_by_its_column_row_and_stride() {
        let mut data = rows();
        // Column 2, row 1 of stride 8: centre ((2 + 0.5) · 8, (1 + 0.25) · 8), size (8, 16).
        data[6 * 8..7 * 8].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln(), 0.9, 0.1, 0.2, 0.8]);
        // Column 1 of stride 16: centre (16, 0), size 16.
        data[9 * 8..10 * 8].copy_from_slice(&[0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0]);
        let found = decode(&description(32, 16, HEAD), &Raw(vec![("output", vec![1, 10, 8], data)]));
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].class, found[0].order), (ObjectClass::Car, 6));
        assert!((found[0].score - 0.72).abs() < 1e-6);
        let expected = [16.0, 2.0, 24.0, 18.0];
        assert!(found[0].corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{:?}", found[0].corners);
        assert_eq!(found[1].corners, [8.0, -8.0, 24.0, 8.0]);
    }

    #[test]
    fn logits_and_pixels_are_understood() {
        let head = "type = 'yolox'\nscore-threshold = 0.3\nnms-iou = 0.5\nscores = 'logit'\nboxes = 'cxcywh'";
        let row = |objectness, car| vec![10.0, 8.0, 4.0, 6.0, logit(objectness), -9.0, -9.0, logit(car)];
        let data = [row(0.9, 0.5), row(0.2, 0.9)].concat();
        let found = decode(&description(32, 16, head), &Raw(vec![("output", vec![1, 2, 8], data)]));
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 0.45).abs() < 1e-6);
        assert_eq!(found[0].corners, [8.0, 5.0, 12.0, 11.0]);
    }

    #[test]
    fn a_wrong_shape_is_answered_with_the_right_one() {
        let description = description(32, 16, HEAD);
        for shape in [vec![1, 10, 7], vec![1, 9, 8], vec![10, 8]] {
            let data = vec![0.0; shape.iter().product()];
            let reason = refusal(&description, &Raw(vec![("output", shape, data)]));
            assert_eq!(reason, "[1, 10, 8 or more] for strides [8, 16] and 3 classes");
        }
    }
}
