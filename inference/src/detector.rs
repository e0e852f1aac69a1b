//! A detector: description, engine, pre- and post-processing in one.
//!
//! In: RGB images of any size. Out: detections in source-image pixels, best first, and how long each stage took.
//! Opening runs the network once on an empty image, so that whatever does not fit is refused then and not in service.

#![allow(clippy::disallowed_methods, reason = "stage durations are measured here; no time of day is read")]

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    Detection, Error, RgbImage,
    description::{Layout, ModelDescription},
    engine::{self, Engine, EngineSettings, ExecutionProvider, MAX_BATCH, NetworkInput, Outputs},
    head::{self, Candidates, Head},
    preprocess::{Placement, Preprocessor},
    suppression::suppress,
};

/// Duration of each stage of one [`Detector::detect`], microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StageTimes {
    /// Resizing and normalising.
    pub preprocess_us: u32,
    /// The network itself.
    pub inference_us: u32,
    /// Reading the network's outputs and suppressing doubles.
    pub postprocess_us: u32,
}

/// See the module.
pub struct Detector {
    description: ModelDescription,
    model: PathBuf,
    engine: Box<dyn Engine>,
    preprocessor: Preprocessor,
    head: Box<dyn Head>,
    candidates: Candidates,
}

impl Detector {
    /// Opens the model that `description` describes; `model` replaces the file named there.
    ///
    /// # Errors
    /// Whatever cannot be read, loaded or does not fit: the error names the file, and both shapes where shapes differ.
    pub fn open(description: &Path, model: Option<&Path>, settings: &EngineSettings) -> Result<Self, Error> {
        let parsed = ModelDescription::read(description)?;
        let beside = || description.parent().unwrap_or(Path::new("")).join(&parsed.model.file);
        let model = model.map_or_else(beside, Path::to_owned);
        Self::with_description(parsed, model, settings)
    }

    /// Opens `model` as `description` says.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn with_description(
        description: ModelDescription,
        model: PathBuf,
        settings: &EngineSettings,
    ) -> Result<Self, Error> {
        let (width, height) = (description.input.width as usize, description.input.height as usize);
        let shape = match description.input.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        };
        let size = description.input.size_input.as_deref();
        let size = size.map(|name| (name, [description.input.width, description.input.height]));
        let mut engine = engine::open(&model, NetworkInput { shape, size }, settings)?;
        engine.run(1)?;
        let outputs: &dyn Outputs = engine.as_ref();
        let head = head::open(&description, outputs).map_err(|expected| Error::OutputMisfit {
            path: model.clone(),
            head: description.head.kind.name(),
            found: shapes(outputs),
            expected,
        })?;
        let preprocessor = Preprocessor::new(description.input.clone());
        let candidates = Candidates::new(&description.head, &description.classes);
        Ok(Self { description, model, engine, preprocessor, head, candidates })
    }

    /// Finds objects in `image`; `detections` is cleared first.
    ///
    /// # Errors
    /// An image that cannot be resized, or [`Error::Inference`].
    pub fn detect(&mut self, image: &RgbImage, detections: &mut Vec<Detection>) -> Result<StageTimes, Error> {
        self.detect_batch(&[image], std::slice::from_mut(detections))
    }

    /// How many images [`Self::detect_batch`] takes: 1 where the network or the engine takes one at a time.
    pub fn max_batch(&self) -> usize {
        self.engine.max_batch()
    }

    /// Finds objects in several images, at most [`Self::max_batch`], in one run of the network; there are as many lists as
    /// images, and each is cleared first. The times are of all images together.
    ///
    /// # Errors
    /// As [`Self::detect`]; then no list holds anything.
    pub fn detect_batch(
        &mut self,
        images: &[&RgbImage],
        detections: &mut [Vec<Detection>],
    ) -> Result<StageTimes, Error> {
        detections.iter_mut().for_each(Vec::clear);
        let batch = images.len().min(detections.len()).min(self.max_batch());
        if batch == 0 {
            return Ok(StageTimes::default());
        }
        let begin = Instant::now();
        let mut placements = [Placement::default(); MAX_BATCH];
        let input = self.engine.input_mut(batch)?;
        let length = input.len() / batch;
        for ((image, tensor), placement) in images.iter().zip(input.chunks_exact_mut(length)).zip(&mut placements) {
            if batch > 1 {
                self.preprocessor.forget();
            }
            *placement = self.preprocessor.run(image, tensor)?;
        }
        if batch > 1 {
            self.preprocessor.forget();
        }
        let prepared = Instant::now();
        self.engine.run(batch)?;
        let inferred = Instant::now();
        for (index, ((image, found), placement)) in
            images.iter().zip(detections).zip(placements).enumerate().take(batch)
        {
            self.engine.select(index);
            self.read_outputs(image, placement, found);
        }
        let done = Instant::now();
        Ok(StageTimes {
            preprocess_us: micros(begin, prepared),
            inference_us: micros(prepared, inferred),
            postprocess_us: micros(inferred, done),
        })
    }

    /// What the outputs say of the selected image.
    fn read_outputs(&mut self, image: &RgbImage, placement: Placement, detections: &mut Vec<Detection>) {
        self.candidates.found.clear();
        self.head.decode(self.engine.as_ref(), &mut self.candidates);
        suppress(&mut self.candidates.found, self.description.head.nms_iou, self.description.head.suppress_across);
        let placed = self.candidates.found.iter().map(|candidate| Detection {
            bounding_box: placement.to_source(candidate.corners, image),
            class: candidate.class,
            score: candidate.score,
            appearance: None,
        });
        // A box that lies in the padding has no pixel of the image.
        detections.extend(placed.filter(|detection| detection.bounding_box.area_px2() > 0.0));
    }

    /// From now on gives detections down to `score` too, where the description's threshold is higher. The stronger ones stay
    /// what they are: doubles are judged best first.
    pub fn admit_weaker(&mut self, score: f32) {
        let mut head = self.description.head.clone();
        head.score_threshold = head.score_threshold.min(score);
        self.candidates = Candidates::new(&head, &self.description.classes);
    }

    /// What the model is and how it is used.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// The ONNX file.
    pub fn model(&self) -> &Path {
        &self.model
    }

    /// The hardware path in use, which is not always the one wished for.
    pub fn provider(&self) -> ExecutionProvider {
        self.engine.provider()
    }
}

fn micros(from: Instant, to: Instant) -> u32 {
    u32::try_from(to.duration_since(from).as_micros()).unwrap_or(u32::MAX)
}

/// Names and shapes for people.
fn shapes(outputs: &dyn Outputs) -> String {
    let all = (0..outputs.count()).map(|index| outputs.tensor(index));
    let all: Vec<String> = all.map(|tensor| format!("`{}` {:?}", tensor.name, tensor.shape)).collect();
    all.join(", ")
}
