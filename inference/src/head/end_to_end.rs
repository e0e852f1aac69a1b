//! End-to-end detectors: final boxes, in one of three forms.
//!
//! - one output `[1, n, 6]`: four box numbers, score, class (YOLOv10, YOLO26);
//! - three outputs: scores `[1, n]`, labels `[1, n]`, boxes `[1, n, 4]` (RT-DETR, D-FINE with their post-processor);
//! - two outputs: class logits `[1, n, classes]`, boxes `[1, n, 4]` (DETR family without post-processor).

use super::{Candidates, Head, best, by_name, corners, tensors};
use crate::{
    description::{Boxes, HeadDescription},
    engine::Outputs,
};

/// See the module.
pub(super) struct EndToEnd {
    form: Boxes,
    size: (f32, f32),
    parts: Parts,
}

/// Positions of the outputs.
#[derive(Clone, Copy)]
enum Parts {
    Rows,
    ScoresLabelsBoxes(usize, usize, usize),
    ClassesBoxes(usize, usize),
}

impl EndToEnd {
    pub(super) fn open(
        head: &HeadDescription,
        size: (u32, u32),
        classes: usize,
        outputs: &dyn Outputs,
    ) -> Result<Self, String> {
        let parts = parts(head, classes, outputs)?;
        Ok(Self { form: head.box_form(), size: (size.0 as f32, size.1 as f32), parts })
    }
}

fn parts(head: &HeadDescription, classes: usize, outputs: &dyn Outputs) -> Result<Parts, String> {
    let needed = || {
        format!(
            "[1, n, 6], or scores [1, n], labels [1, n] and boxes [1, n, 4], \
             or logits [1, n, {classes} or more] and boxes [1, n, 4]"
        )
    };
    let shape = |index: usize| outputs.tensor(index).shape;
    let rows = |index: usize| shape(index).get(1).copied();
    let is_boxes = |index: usize| matches!(*shape(index), [1, _, 4]);
    let is_list = |index: usize| matches!(*shape(index), [1, _]);
    let called = |part: &str| tensors(outputs).position(|tensor| tensor.name.to_ascii_lowercase().contains(part));
    let named = by_name(outputs, &head.outputs)?;
    let boxes = (0..outputs.count()).find(|&index| is_boxes(index));
    let chosen = match (named.as_slice(), outputs.count()) {
        (&[], 1) if matches!(*shape(0), [1, _, 6]) => return Ok(Parts::Rows),
        (&[scores, labels, boxes], _) => Parts::ScoresLabelsBoxes(scores, labels, boxes),
        (&[logits, boxes], _) => Parts::ClassesBoxes(logits, boxes),
        (&[], 3) => match (called("score"), called("label").or_else(|| called("class")), boxes) {
            (Some(scores), Some(labels), Some(boxes)) => Parts::ScoresLabelsBoxes(scores, labels, boxes),
            _ => return Err(format!("{}; `outputs` can name them", needed())),
        },
        (&[], 2) => match (called("logit").or_else(|| called("score")), called("box")) {
            (Some(logits), Some(boxes)) => Parts::ClassesBoxes(logits, boxes),
            _ => return Err(format!("{}; `outputs` can name them", needed())),
        },
        _ => return Err(needed()),
    };
    let fits = match chosen {
        Parts::Rows => true,
        Parts::ScoresLabelsBoxes(scores, labels, boxes) => {
            let alike = rows(scores) == rows(boxes) && rows(labels) == rows(boxes);
            scores != labels && is_list(scores) && is_list(labels) && is_boxes(boxes) && alike
        }
        Parts::ClassesBoxes(logits, boxes) => {
            let wide = matches!(*shape(logits), [1, _, width] if width >= classes.max(1));
            logits != boxes && wide && is_boxes(boxes) && rows(logits) == rows(boxes)
        }
    };
    if fits { Ok(chosen) } else { Err(needed()) }
}

impl Head for EndToEnd {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let mut add = |order: usize, label: f32, raw: f32, numbers: [f32; 4]| {
            // Labels are whole numbers, but a network may have computed them.
            if into.may_pass(raw) && label > -0.5 {
                into.add(label.round() as usize, into.probability(raw), corners(self.form, numbers, self.size), order);
            }
        };
        match self.parts {
            Parts::Rows => {
                for (order, &[a, b, c, d, score, label]) in outputs.tensor(0).data.as_chunks::<6>().0.iter().enumerate()
                {
                    add(order, label, score, [a, b, c, d]);
                }
            }
            Parts::ScoresLabelsBoxes(scores, labels, boxes) => {
                let scored = outputs.tensor(scores).data.iter().zip(outputs.tensor(labels).data);
                let boxes = outputs.tensor(boxes).data.as_chunks::<4>().0;
                for (order, ((&score, &label), &numbers)) in scored.zip(boxes).enumerate() {
                    add(order, label, score, numbers);
                }
            }
            Parts::ClassesBoxes(logits, boxes) => {
                let logits = outputs.tensor(logits);
                let width = logits.shape.last().copied().unwrap_or(0).max(1);
                let boxes = outputs.tensor(boxes).data.as_chunks::<4>().0;
                for (order, (scores, &numbers)) in logits.data.chunks_exact(width).zip(boxes).enumerate() {
                    if let Some((class, raw)) = best(scores) {
                        add(order, class as f32, raw, numbers);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, logit, refusal};
    use crate::ObjectClass;

    const HEAD: &str = "type = 'end-to-end'\nscore-threshold = 0.3";

    #[test]
    fn rows_of_six_are_read() {
        let data = vec![
            2.0, 3.0, 10.0, 20.0, 0.9, 2.0, //
            2.0, 3.0, 10.0, 20.0, 0.2, 2.0, //
            2.0, 3.0, 10.0, 20.0, 0.8, -1.0, //
            2.0, 3.0, 10.0, 20.0, 0.7, 57.0,
        ];
        let found = decode(&description(64, 32, HEAD), &Raw(vec![("output0", vec![1, 4, 6], data)]));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].class, found[0].score), (ObjectClass::Car, 0.9));
        assert_eq!(found[0].corners, [2.0, 3.0, 10.0, 20.0]);
    }

    #[test]
    fn scores_labels_and_boxes_are_found_by_name() {
        let raw = Raw(vec![
            ("labels", vec![1, 2], vec![1.0, 0.0]),
            ("boxes", vec![1, 2, 4], vec![0.0, 0.0, 8.0, 8.0, 1.0, 1.0, 9.0, 9.0]),
            ("scores", vec![1, 2], vec![0.6, 0.5]),
        ]);
        let found = decode(&description(64, 32, HEAD), &raw);
        let seen: Vec<_> = found.iter().map(|c| (c.class, c.score)).collect();
        assert_eq!(seen, [(ObjectClass::Bicycle, 0.6), (ObjectClass::Person, 0.5)]);
        let swapped = format!("{HEAD}\noutputs = ['labels', 'scores', 'boxes']");
        let found = decode(&description(64, 32, &swapped), &raw);
        assert_eq!(found.len(), 1, "a description overrides the guess");
    }

    #[test]
    fn logits_and_unit_boxes_are_read() {
        let head = format!("{HEAD}\nscores = 'logit'\nboxes = 'cxcywh-unit'");
        let raw = Raw(vec![
            ("logits", vec![1, 2, 3], vec![-9.0, -9.0, logit(0.8), -3.0, -3.0, -3.0]),
            ("pred_boxes", vec![1, 2, 4], vec![0.5, 0.5, 0.5, 0.25, 0.5, 0.5, 0.1, 0.1]),
        ]);
        let found = decode(&description(64, 32, &head), &raw);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].class, ObjectClass::Car);
        assert_eq!(found[0].corners, [16.0, 12.0, 48.0, 20.0]);
    }

    #[test]
    fn other_shapes_are_refused() {
        let description = description(64, 32, HEAD);
        let rows = Raw(vec![("output0", vec![1, 4, 7], vec![0.0; 28])]);
        assert!(refusal(&description, &rows).starts_with("[1, n, 6], or scores [1, n]"));
        let nameless = Raw(vec![
            ("a", vec![1, 2], vec![0.0; 2]),
            ("b", vec![1, 2], vec![0.0; 2]),
            ("c", vec![1, 2, 4], vec![0.0; 8]),
        ]);
        assert!(refusal(&description, &nameless).ends_with("`outputs` can name them"));
        let uneven = Raw(vec![
            ("scores", vec![1, 3], vec![0.0; 3]),
            ("labels", vec![1, 2], vec![0.0; 2]),
            ("boxes", vec![1, 2, 4], vec![0.0; 8]),
        ]);
        assert!(refusal(&description, &uneven).contains("labels [1, n]"));
    }
}
