//! YOLOv8, YOLO11 and kin: one column per anchor, box numbers in the first four rows, class scores below.

use super::{Candidates, Head, corners, tensors};
use crate::{
    description::{Boxes, HeadDescription},
    engine::Outputs,
};

/// Anchors whose best class is sought together: their running maxima stay in the nearest cache.
const BLOCK: usize = 256;

/// See the module.
pub(super) struct Yolov8 {
    form: Boxes,
    size: (f32, f32),
}

impl Yolov8 {
    pub(super) fn open(
        head: &HeadDescription,
        size: (u32, u32),
        classes: usize,
        outputs: &dyn Outputs,
    ) -> Result<Self, String> {
        let least = 4 + classes;
        let fits = match tensors(outputs).collect::<Vec<_>>().as_slice() {
            // More rows than columns is the transposed form that some exporters write.
            [only] => matches!(*only.shape, [1, rows, anchors] if rows >= least && rows <= anchors.max(least)),
            _ => false,
        };
        if !fits {
            return Err(format!("[1, {least} or more, anchors] for {classes} classes"));
        }
        Ok(Self { form: head.box_form(), size: (size.0 as f32, size.1 as f32) })
    }
}

impl Head for Yolov8 {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let output = outputs.tensor(0);
        let &[_, _, anchors] = output.shape else { return };
        if anchors == 0 || output.data.len() < 5 * anchors {
            return;
        }
        let (boxes, classes) = output.data.split_at(4 * anchors);
        for start in (0..anchors).step_by(BLOCK) {
            let len = BLOCK.min(anchors - start);
            let mut maxima = [f32::NEG_INFINITY; BLOCK];
            for row in classes.chunks_exact(anchors) {
                for (max, &score) in maxima.iter_mut().zip(&row[start..start + len]) {
                    *max = if score > *max { score } else { *max };
                }
            }
            for (offset, &max) in maxima[..len].iter().enumerate() {
                if !into.may_pass(max) {
                    continue;
                }
                let anchor = start + offset;
                let class = classes.chunks_exact(anchors).position(|row| row[anchor] == max);
                let numbers = std::array::from_fn(|number| boxes[number * anchors + anchor]);
                if let Some(class) = class {
                    into.add(class, into.probability(max), corners(self.form, numbers, self.size), anchor);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, logit, refusal};
    use crate::ObjectClass;

    const HEAD: &str = "type = 'yolov8'\nscore-threshold = 0.3\nnms-iou = 0.5";

    /// Seven rows for `anchors` columns, with `(anchor, column)` values set.
    fn output(anchors: usize, set: &[(usize, [f32; 7])]) -> Raw {
        let mut data = vec![0.0; 7 * anchors];
        for &(anchor, column) in set {
            for (row, value) in column.into_iter().enumerate() {
                data[row * anchors + anchor] = value;
            }
        }
        Raw(vec![("output0", vec![1, 7, anchors], data)])
    }

    #[test]
    fn columns_are_anchors_across_block_borders() {
        let set = [
            (0, [10.0, 8.0, 4.0, 6.0, 0.9, 0.1, 0.2]),
            (255, [10.0, 8.0, 4.0, 6.0, 0.1, 0.4, 0.4]),
            (256, [10.0, 8.0, 4.0, 6.0, 0.0, 0.0, 0.31]),
            (299, [10.0, 8.0, 4.0, 6.0, 0.0, 0.0, 0.29]),
        ];
        let found = decode(&description(64, 64, HEAD), &output(300, &set));
        let seen: Vec<_> = found.iter().map(|c| (c.order, c.class, c.score)).collect();
        assert_eq!(
            seen,
            [(0, ObjectClass::Person, 0.9), (255, ObjectClass::Bicycle, 0.4), (256, ObjectClass::Car, 0.31)]
        );
        assert!(found.iter().all(|c| c.corners == [8.0, 5.0, 12.0, 11.0]));
    }

    #[test]
    fn logits_become_probabilities() {
        let head = format!("{HEAD}\nscores = 'logit'");
        let set = [(7, [10.0, 8.0, 4.0, 6.0, -9.0, logit(0.7), -9.0]), (8, [10.0, 8.0, 4.0, 6.0, -9.0, -9.0, -1.0])];
        let mut raw = output(40, &set);
        // Zero would be a probability of one half.
        for value in &mut raw.0[0].2[4 * 40..] {
            *value = if *value == 0.0 { -9.0 } else { *value };
        }
        let found = decode(&description(64, 64, &head), &raw);
        assert_eq!(found.len(), 1);
        assert!((found[0].score - 0.7).abs() < 1e-6);
    }

    #[test]
    fn a_transposed_output_or_too_few_classes_are_refused() {
        let description = description(64, 64, HEAD);
        for shape in [vec![1, 300, 7], vec![1, 6, 300], vec![7, 300]] {
            let data = vec![0.0; shape.iter().product()];
            let reason = refusal(&description, &Raw(vec![("output0", shape, data)]));
            assert_eq!(reason, "[1, 7 or more, anchors] for 3 classes");
        }
    }
}
