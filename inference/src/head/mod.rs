//! Heads: from a network's raw outputs to candidate boxes.
//!
//! | `type` | outputs | module |
//! |---|---|---|
//! | `yolox` | `[1, cells, 5 + classes]` | [`yolox`] |
//! | `yolov8` | `[1, 4 + classes, anchors]` | [`yolov8`] |
//! | `nanodet` | `[1, cells, classes]` and `[1, cells, 4 × (reg-max + 1)]` per stride, or both in one | [`nanodet`] |
//! | `fastest-det` | `[1, 5 + classes, rows, columns]` | [`fastest_det`] |
//! | `yunet` | `cls`, `obj` and `bbox` per stride | [`yunet`] |
//! | `retina-face` | `[1, anchors, 4]` and `[1, anchors, 2]` | [`retina_face`] |
//! | `end-to-end` | `[1, boxes, 6]`, or scores, labels, boxes, or logits, boxes | [`end_to_end`] |
//!
//! A head checks the outputs of the first run against its description once; afterwards decoding cannot fail. An anchor
//! whose best class is not in the description's class map is nothing, also when a mapped class comes second.

mod end_to_end;
mod fastest_det;
mod nanodet;
mod retina_face;
mod yolov8;
mod yolox;
mod yunet;

use std::collections::BTreeMap;

use crate::{
    ObjectClass,
    description::{Boxes, HeadDescription, HeadType, ModelDescription, Scores},
    engine::{Outputs, Tensor},
};

/// Reads the outputs of one run.
pub(crate) trait Head: Send {
    /// Adds every box whose score reaches the threshold.
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates);
}

/// A head that fits `outputs`, or the shapes that it needs instead.
pub(crate) fn open(description: &ModelDescription, outputs: &dyn Outputs) -> Result<Box<dyn Head>, String> {
    let size = (description.input.width, description.input.height);
    let head = &description.head;
    let classes = description.classes.last_key_value().map_or(0, |(&last, _)| last as usize + 1);
    Ok(match head.kind {
        HeadType::Yolox => Box::new(yolox::Yolox::open(head, size, classes, outputs)?),
        HeadType::Yolov8 => Box::new(yolov8::Yolov8::open(head, size, classes, outputs)?),
        HeadType::Nanodet => Box::new(nanodet::Nanodet::open(head, size, classes, outputs)?),
        HeadType::FastestDet => Box::new(fastest_det::FastestDet::open(size, classes, outputs)?),
        HeadType::Yunet => Box::new(yunet::Yunet::open(head, size, outputs)?),
        HeadType::RetinaFace => Box::new(retina_face::RetinaFace::open(head, size, outputs)?),
        HeadType::EndToEnd => Box::new(end_to_end::EndToEnd::open(head, size, classes, outputs)?),
    })
}

/// A box before suppression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Corners `[x1, y1, x2, y2]`, input pixels.
    pub corners: [f32; 4],
    /// What it is.
    pub class: ObjectClass,
    /// The detector's confidence, 0 to 1.
    pub score: f32,
    /// Position among the network's outputs; breaks ties of the score.
    pub order: u32,
}

/// Collects boxes that reach the threshold and whose class counts.
pub(crate) struct Candidates {
    classes: Vec<Option<ObjectClass>>,
    threshold: f32,
    scores: Scores,
    /// The threshold in the terms of the network's scores, to refuse most anchors before any arithmetic.
    raw_threshold: f32,
    pub(crate) found: Vec<Candidate>,
}

impl Candidates {
    pub(crate) fn new(head: &HeadDescription, classes: &BTreeMap<u32, ObjectClass>) -> Self {
        let len = classes.last_key_value().map_or(0, |(&last, _)| last as usize + 1);
        let mut table = vec![None; len];
        for (&index, &class) in classes {
            table[index as usize] = Some(class);
        }
        let threshold = head.score_threshold;
        let raw_threshold = match head.scores {
            Scores::Probability => threshold,
            Scores::Logit => (threshold / (1.0 - threshold)).ln(),
        };
        Self { classes: table, threshold, scores: head.scores, raw_threshold, found: Vec::new() }
    }

    /// Whether a raw score alone reaches the threshold.
    fn may_pass(&self, raw: f32) -> bool {
        raw >= self.raw_threshold
    }

    /// A raw score as a probability.
    fn probability(&self, raw: f32) -> f32 {
        match self.scores {
            Scores::Probability => raw,
            Scores::Logit => sigmoid(raw),
        }
    }

    /// Adds a box in input pixels, unless its score or class does not count or it is empty.
    fn add(&mut self, model_class: usize, score: f32, corners: [f32; 4], order: usize) {
        let Some(&Some(class)) = self.classes.get(model_class) else { return };
        // Also false for what is not a number.
        let whole = corners[2] > corners[0] && corners[3] > corners[1] && corners.iter().all(|edge| edge.is_finite());
        if score >= self.threshold && whole {
            let score = score.min(1.0);
            self.found.push(Candidate { corners, class, score, order: order as u32 });
        }
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The largest value and its first position; nothing that is not a number wins.
fn best(values: &[f32]) -> Option<(usize, f32)> {
    // Eight running maxima, which the compiler keeps in vector registers; the position is looked up once.
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [f32::NEG_INFINITY; 8];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    let max = lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, &value| if value > max { value } else { max });
    values.iter().position(|&value| value == max).map(|index| (index, max))
}

/// Corners in input pixels from the four numbers of `form`, which is not [`Boxes::Grid`].
fn corners(form: Boxes, [a, b, c, d]: [f32; 4], (width, height): (f32, f32)) -> [f32; 4] {
    match form {
        Boxes::Xyxy => [a, b, c, d],
        Boxes::XyxyUnit => [a * width, b * height, c * width, d * height],
        Boxes::Grid | Boxes::Cxcywh => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        Boxes::CxcywhUnit => corners(Boxes::Cxcywh, [a * width, b * height, c * width, d * height], (width, height)),
    }
}

/// Cells of a feature map that covers `size` pixels with cells of `stride`: columns, rows.
fn grid(size: (u32, u32), stride: u32) -> (usize, usize) {
    (size.0.div_ceil(stride) as usize, size.1.div_ceil(stride) as usize)
}

/// Every tensor of `outputs`.
fn tensors(outputs: &dyn Outputs) -> impl Iterator<Item = Tensor<'_>> {
    (0..outputs.count()).map(|index| outputs.tensor(index))
}

/// Positions of the outputs called `names`, or what is missing.
fn by_name(outputs: &dyn Outputs, names: &[String]) -> Result<Vec<usize>, String> {
    let position = |name: &String| {
        tensors(outputs).position(|tensor| tensor.name == name).ok_or_else(|| format!("an output called `{name}`"))
    };
    names.iter().map(position).collect()
}

#[cfg(test)]
pub(crate) mod fixtures {
    //! Raw outputs and descriptions for the tests of the heads.

    use super::*;
    use std::path::Path;

    /// Outputs as a network would give them.
    pub(crate) struct Raw(pub(crate) Vec<(&'static str, Vec<usize>, Vec<f32>)>);

    impl Outputs for Raw {
        fn count(&self) -> usize {
            self.0.len()
        }

        fn tensor(&self, index: usize) -> Tensor<'_> {
            let (name, shape, data) = &self.0[index];
            Tensor { name, shape, data }
        }
    }

    /// A description with an input of `width × height`, `head` as TOML lines, and three classes.
    pub(crate) fn description(width: u32, height: u32, head: &str) -> ModelDescription {
        let text = format!(
            "[model]\nname = 'm'\nfile = 'm.onnx'\nlicence = 'MIT'\n\
             [input]\nwidth = {width}\nheight = {height}\ncolour = 'rgb'\nresize = 'stretch'\n\
             [head]\n{head}\n[classes]\n0 = 'person'\n1 = 'bicycle'\n2 = 'car'\n"
        );
        ModelDescription::parse(&text, Path::new("m.toml")).unwrap()
    }

    /// What the head of `description` finds in `outputs`.
    pub(crate) fn decode(description: &ModelDescription, outputs: &Raw) -> Vec<Candidate> {
        let head = open(description, outputs).unwrap();
        let mut candidates = Candidates::new(&description.head, &description.classes);
        head.decode(outputs, &mut candidates);
        candidates.found
    }

    /// Why the head of `description` refuses `outputs`.
    pub(crate) fn refusal(description: &ModelDescription, outputs: &Raw) -> String {
        open(description, outputs).err().unwrap()
    }

    /// The logit of a probability.
    pub(crate) fn logit(p: f32) -> f32 {
        (p / (1.0 - p)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_is_the_first_of_the_largest_and_never_a_nan() {
        let mut values = vec![0.25_f32; 21];
        assert_eq!(best(&values), Some((0, 0.25)));
        values[17] = 0.5;
        values[19] = 0.5;
        values[3] = f32::NAN;
        assert_eq!(best(&values), Some((17, 0.5)));
        assert_eq!(best(&[]), None);
        assert_eq!(best(&[f32::NAN]), None);
    }

    #[test]
    fn every_box_form_gives_the_same_corners() {
        let size = (200.0, 100.0);
        let expected = [20.0, 10.0, 60.0, 50.0];
        for (form, numbers) in [
            (Boxes::Xyxy, [20.0, 10.0, 60.0, 50.0]),
            (Boxes::Cxcywh, [40.0, 30.0, 40.0, 40.0]),
            (Boxes::XyxyUnit, [0.1, 0.1, 0.3, 0.5]),
            (Boxes::CxcywhUnit, [0.2, 0.3, 0.2, 0.4]),
        ] {
            let found = corners(form, numbers, size);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{form:?}: {found:?}");
        }
    }

    #[test]
    fn empty_boxes_unmapped_classes_and_numbers_that_are_none_are_dropped() {
        let description = fixtures::description(64, 64, "type = 'yolov8'\nscore-threshold = 0.3\nnms-iou = 0.5");
        let mut candidates = Candidates::new(&description.head, &description.classes);
        let good = [1.0, 1.0, 5.0, 5.0];
        candidates.add(0, 0.3, good, 0);
        candidates.add(0, 0.29, good, 1);
        candidates.add(3, 0.9, good, 2);
        candidates.add(0, f32::NAN, good, 3);
        candidates.add(0, 0.9, [5.0, 1.0, 5.0, 5.0], 4);
        candidates.add(0, 0.9, [f32::NAN, 1.0, 5.0, 5.0], 5);
        candidates.add(0, 0.9, [1.0, 1.0, f32::INFINITY, 5.0], 6);
        assert_eq!(candidates.found.len(), 1);
    }
}
