//! FastestDet: one feature map, planes of objectness, box and class scores.

use super::{Candidates, Head, corners, sigmoid, tensors};
use crate::{description::Boxes, engine::Outputs};

/// Exponents of objectness and class score in FastestDet's score.
const OBJECTNESS_EXPONENT: f32 = 0.6;
const CLASS_EXPONENT: f32 = 0.4;

/// See the module.
pub(super) struct FastestDet {
    size: (f32, f32),
}

impl FastestDet {
    pub(super) fn open(size: (u32, u32), classes: usize, outputs: &dyn Outputs) -> Result<Self, String> {
        let least = 5 + classes;
        let fits = match tensors(outputs).collect::<Vec<_>>().as_slice() {
            [only] => matches!(*only.shape, [1, planes, rows, columns] if planes >= least && rows * columns > 0),
            _ => false,
        };
        if !fits {
            return Err(format!("[1, {least} or more, rows, columns] for {classes} classes"));
        }
        Ok(Self { size: (size.0 as f32, size.1 as f32) })
    }
}

impl Head for FastestDet {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let output = outputs.tensor(0);
        let &[_, planes, rows, columns] = output.shape else { return };
        let cells = rows * columns;
        if planes < 6 || output.data.len() != planes * cells {
            return;
        }
        let value = |plane: usize, cell: usize| output.data[plane * cells + cell];
        for cell in 0..cells {
            let objectness = into.probability(value(0, cell)).powf(OBJECTNESS_EXPONENT);
            // A class score is at most 1, so most cells end here.
            if objectness < into.threshold {
                continue;
            }
            let mut best = (0, f32::NEG_INFINITY);
            for class in 0..planes - 5 {
                let score = value(5 + class, cell);
                if score > best.1 {
                    best = (class, score);
                }
            }
            let score = objectness * into.probability(best.1).powf(CLASS_EXPONENT);
            let x = ((cell % columns) as f32 + value(1, cell).tanh()) / columns as f32;
            let y = ((cell / columns) as f32 + value(2, cell).tanh()) / rows as f32;
            let numbers = [x, y, sigmoid(value(3, cell)), sigmoid(value(4, cell))];
            into.add(best.0, score, corners(Boxes::CxcywhUnit, numbers, self.size), cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, refusal};
    use crate::ObjectClass;

    const HEAD: &str = "type = 'fastest-det'\nscore-threshold = 0.3\nnms-iou = 0.5";

    #[test]
    fn a_cell_is_placed_on_the_map() {
        // 2 rows × 4 columns over 64×32 pixels; cell 6 is column 2, row 1.
        let mut data = vec![0.0; 8 * 8];
        for (plane, value) in [0.81, 0.5_f32.atanh(), 0.0, 0.0, 0.0, 0.1, 0.64, 0.2].into_iter().enumerate() {
            data[plane * 8 + 6] = value;
        }
        let found = decode(&description(64, 32, HEAD), &Raw(vec![("758", vec![1, 8, 2, 4], data)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].class, ObjectClass::Bicycle);
        assert!((found[0].score - 0.81_f32.powf(0.6) * 0.64_f32.powf(0.4)).abs() < 1e-6);
        // Centre ((2 + 0.5) / 4 · 64, 1 / 2 · 32), half the input wide and high.
        let expected = [24.0, 8.0, 56.0, 24.0];
        assert!(found[0].corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{:?}", found[0].corners);
    }

    #[test]
    fn too_few_planes_are_refused() {
        let raw = Raw(vec![("758", vec![1, 7, 2, 4], vec![0.0; 56])]);
        assert_eq!(refusal(&description(64, 32, HEAD), &raw), "[1, 8 or more, rows, columns] for 3 classes");
    }
}
