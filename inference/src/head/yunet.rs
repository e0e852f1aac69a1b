//! YuNet, a face detector: class score, objectness and box per cell and stride, each in an output of its own. Its landmarks
//! are not read: nobody is to be recognised.

use super::{Candidates, Head, by_name, grid};
use crate::{description::HeadDescription, engine::Outputs};

/// One feature map.
struct Map {
    stride: f32,
    columns: usize,
    class: usize,
    objectness: usize,
    boxes: usize,
}

/// See the module.
pub(super) struct Yunet {
    maps: Vec<Map>,
}

impl Yunet {
    pub(super) fn open(head: &HeadDescription, size: (u32, u32), outputs: &dyn Outputs) -> Result<Self, String> {
        let map = |&stride: &u32| {
            let (columns, rows) = grid(size, stride);
            let names = ["cls", "obj", "bbox"].map(|name| format!("{name}_{stride}"));
            let found = by_name(outputs, &names)?;
            for ((index, name), width) in found.iter().zip(&names).zip([1, 1, 4]) {
                let shape = [1, rows * columns, width];
                if outputs.tensor(*index).shape != shape {
                    return Err(format!("`{name}` {shape:?}"));
                }
            }
            let &[class, objectness, boxes] = found.as_slice() else { return Err("three outputs a stride".to_owned()) };
            Ok(Map { stride: stride as f32, columns, class, objectness, boxes })
        };
        Ok(Self { maps: head.strides.iter().map(map).collect::<Result<_, _>>()? })
    }
}

impl Head for Yunet {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let mut first = 0;
        for map in &self.maps {
            let [classes, objectness, boxes] = [map.class, map.objectness, map.boxes].map(|i| outputs.tensor(i).data);
            let cells = classes.iter().zip(objectness).zip(boxes.as_chunks::<4>().0).enumerate();
            for (cell, ((class, objectness), [x, y, w, h])) in cells {
                // The geometric mean, so neither of the two alone makes a face.
                let score = (class.clamp(0.0, 1.0) * objectness.clamp(0.0, 1.0)).sqrt();
                if score < into.threshold {
                    continue;
                }
                let column = (cell % map.columns) as f32;
                let row = (cell / map.columns) as f32;
                let (cx, cy) = ((column + x) * map.stride, (row + y) * map.stride);
                let (w, h) = (w.exp() * map.stride, h.exp() * map.stride);
                into.add(0, score, [cx - w / 2.0, cy - h / 2.0, cx + w / 2.0, cy + h / 2.0], first + cell);
            }
            first += classes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, refusal};

    const HEAD: &str = "type = 'yunet'\nscore-threshold = 0.5\nnms-iou = 0.3\nstrides = [8, 16]";

    /// Outputs of a 32×16 input: 4×2 cells of stride 8 and 2×1 of stride 16.
    fn outputs() -> Raw {
        let of = |name, cells: usize, width: usize| (name, vec![1, cells, width], vec![0.0; cells * width]);
        Raw(vec![
            of("cls_8", 8, 1),
            of("cls_16", 2, 1),
            of("obj_8", 8, 1),
            of("obj_16", 2, 1),
            of("bbox_8", 8, 4),
            of("bbox_16", 2, 4),
        ])
    }

    #[test]
    fn a_cell_is_placed_by_its_column_row_and_stride() {
        let mut raw = outputs();
        // Column 1, row 1 of stride 8; and column 1 of stride 16, whose objectness is too low.
        (raw.0[0].2[5], raw.0[2].2[5]) = (0.9, 0.4);
        raw.0[4].2[20..24].copy_from_slice(&[0.5, 0.25, 0.0, 2.0_f32.ln()]);
        (raw.0[1].2[1], raw.0[3].2[1]) = (0.9, 0.2);
        let found = decode(&description(32, 16, HEAD), &raw);
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 0.6).abs() < 1e-6);
        // Centre (1.5 · 8, 1.25 · 8), 8 wide and 16 high.
        let expected = [8.0, 2.0, 16.0, 18.0];
        assert!(found[0].corners.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{:?}", found[0].corners);
    }

    #[test]
    fn a_missing_or_misshapen_output_is_named() {
        let mut raw = outputs();
        raw.0[4].1 = vec![1, 8, 3];
        assert_eq!(refusal(&description(32, 16, HEAD), &raw), "`bbox_8` [1, 8, 4]");
        raw.0[4].0 = "boxes";
        assert!(refusal(&description(32, 16, HEAD), &raw).contains("`bbox_8`"));
    }
}
