//! A camera with its detector: from the world to what the node is told.
//!
//! In: a snapshot, and what is broken. Out: a detection frame with the time at which it reaches the core. Each rig has its
//! own luck and its own detector, so that rigs run on any thread.

use super::camera::{InView, MIN_HEIGHT_PX, Turned, class_of, everybody, surveyed, turned};
use super::eye::Eye;
use super::shows::unhidden;
use super::trace::{FNV_START, fnv};
use super::{BoxErrors, Perception, RunError, RunOptions};
use crate::actor::ActorId;
use crate::random::Seed;
use crate::scenario::{CameraSettings, DetectorKind};
use crate::sensors::camera::{CameraModel, Scene};
use crate::sensors::gnss::noise::gauss;
use crate::snapshot::Snapshot;
use masa_edge_node::event::{FrameStatistics, FrameTimings};
use masa_edge_node::health::FrameObserver;
use masa_inference::{BoundingBox, Detection, Detector};
use masa_v2x_proto::time::Timestamp;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What is broken at a camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Broken {
    pub(crate) frozen: bool,
    pub(crate) dark: bool,
    pub(crate) silent: bool,
    pub(crate) turned: Turned,
}

/// A camera with its detector.
pub(crate) struct Rig {
    /// Its station and its place there.
    pub(crate) station: usize,
    pub(crate) camera: usize,
    pub(crate) settings: CameraSettings,
    /// Steps between two pictures.
    pub(crate) every: u64,
    pub(crate) broken: Broken,
    /// As surveyed.
    model: CameraModel,
    eye: Option<Eye>,
    detector: Option<Detector>,
    luck: Pcg64Mcg,
    errors: Errors,
    frame: u64,
    observer: FrameObserver,
}

impl fmt::Debug for Rig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rig").field("camera", &self.settings.id).field("frame", &self.frame).finish_non_exhaustive()
    }
}

/// What came of one picture.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) frame: u64,
    pub(crate) hash: u64,
    pub(crate) broken: Broken,
    pub(crate) in_view: Vec<InView>,
    pub(crate) detections: Vec<Detection>,
    pub(crate) timings: FrameTimings,
    pub(crate) latency_ns: i64,
    /// What the picture says of the camera; the instant is left to the caller's clock.
    pub(crate) statistics: Option<FrameStatistics>,
}

impl Rig {
    pub(crate) fn new(
        (station, camera): (usize, usize),
        settings: &CameraSettings,
        scene: Option<&Arc<Scene>>,
        step_s: f64,
        seed: Seed,
        options: &RunOptions,
    ) -> Result<Self, RunError> {
        let detector = match settings.detector {
            DetectorKind::Network => {
                let model = settings.model.as_ref().unwrap_or(&options.model);
                let opened = Detector::open(model, None, &options.engine);
                Some(opened.map_err(|source| RunError::Detector { camera: settings.id.clone(), source })?)
            }
            DetectorKind::Off | DetectorKind::GroundTruth => None,
        };
        Ok(Self {
            station,
            camera,
            every: (1.0 / (settings.rate_hz * step_s)).round().max(1.0) as u64,
            broken: Broken::default(),
            model: surveyed(settings),
            eye: scene
                .filter(|_| detector.is_some())
                .map(|scene| Eye::new(settings, scene.clone(), seed, (station, camera))),
            detector,
            luck: seed.stream("camera latency", (station as u64) << 16 | camera as u64),
            errors: Errors {
                sizes: match options.perception {
                    Perception::NoisyTruth(errors) => Some(errors),
                    _ => None,
                },
                luck: seed.stream("box errors", (station as u64) << 16 | camera as u64),
                habits: BTreeMap::new(),
            },
            frame: 0,
            observer: FrameObserver::default(),
            settings: settings.clone(),
        })
    }

    /// Whether a picture is due in this step.
    pub(crate) fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Takes a picture and looks what is in it.
    pub(crate) fn capture(&mut self, snapshot: &Snapshot) -> Result<Option<Capture>, RunError> {
        self.frame += 1;
        let inference_us = self.inference_us();
        if self.broken.silent {
            return Ok(None);
        }
        // Who is in the picture is judged by where the camera is believed to look.
        let mut detections = Vec::new();
        let (mut hash, mut statistics) = (0, None);
        let look = if self.errors.sizes.is_some() { unhidden } else { everybody };
        let mut in_view = look(&self.model, snapshot);
        match self.settings.detector {
            DetectorKind::Off => {}
            DetectorKind::GroundTruth => {
                detections = look(&turned(&self.model, self.broken.turned), snapshot)
                    .iter()
                    .filter_map(|seen| {
                        let kind = snapshot.actor(seen.actor)?.kind;
                        let bounding_box = self.errors.apply(seen, &self.settings.lens.image_size_px)?;
                        Some(Detection { bounding_box, class: class_of(kind), score: 0.9, appearance: None })
                    })
                    .collect();
            }
            DetectorKind::Network => {
                let picture = self.eye.as_mut().and_then(|eye| eye.see(snapshot, self.broken));
                if let (Some(picture), Some(detector)) = (picture, &mut self.detector) {
                    statistics = Some(self.observer.observe(self.frame, Timestamp::default(), &picture.image));
                    hash = fnv(FNV_START, &picture.image.data);
                    in_view = picture.in_view;
                    in_view.retain(|seen| f64::from(seen.bounding_box.height_px()) >= MIN_HEIGHT_PX);
                    detector
                        .detect(&picture.image, &mut detections)
                        .map_err(|source| RunError::Detector { camera: self.settings.id.clone(), source })?;
                    if let Some(descriptor) = self.settings.tracker.appearance.descriptor() {
                        descriptor.describe(&picture.image, &mut detections);
                    }
                }
            }
        }
        let timings = FrameTimings {
            decode_us: (self.settings.latency.decode_ms * 1e3) as u32,
            inference_us,
            ..FrameTimings::default()
        };
        let latency_ns = i64::from(timings.decode_us + timings.inference_us) * 1_000;
        Ok(Some(Capture {
            frame: self.frame,
            hash,
            broken: self.broken,
            in_view,
            detections,
            timings,
            latency_ns,
            statistics,
        }))
    }

    /// Drawn for each frame, so that a fault changes no later frame's luck.
    fn inference_us(&mut self) -> u32 {
        let model = &self.settings.latency;
        let ms = model.inference_ms + model.jitter_ms * gauss(&mut self.luck);
        (ms.max(0.3 * model.inference_ms) * 1e3) as u32
    }
}

/// Of whom less than this shows is not found, share.
const LEAST_VISIBLE: f64 = 0.4;

/// What is wrong with boxes that come from the world itself.
#[derive(Debug)]
struct Errors {
    sizes: Option<BoxErrors>,
    luck: Pcg64Mcg,
    /// Of each edge of each actor's boxes, as shares of their height.
    habits: BTreeMap<ActorId, [f64; 4]>,
}

impl Errors {
    /// The box with its errors, cut at the picture's borders; `None` for one that is missed, by chance or because too little
    /// of it shows.
    fn apply(&mut self, seen: &InView, size_px: &[u32; 2]) -> Option<BoundingBox> {
        let Some(BoxErrors { noise, bias, missed }) = self.sizes else { return Some(seen.bounding_box) };
        let luck = &mut self.luck;
        let habit = *self.habits.entry(seen.actor).or_insert_with(|| [(); 4].map(|()| bias * gauss(luck)));
        let is_missed = luck.random_bool(missed.clamp(0.0, 1.0));
        let height = f64::from(seen.bounding_box.height_px());
        let [dx1, dy1, dx2, dy2] = habit.map(|habit| ((habit + noise * gauss(luck)) * height) as f32);
        let b = seen.bounding_box;
        let [width, height] = size_px.map(|size| size as f32);
        let found = BoundingBox {
            x1_px: (b.x1_px + dx1).clamp(0.0, width),
            y1_px: (b.y1_px + dy1).clamp(0.0, height),
            x2_px: (b.x2_px + dx2).clamp(0.0, width),
            y2_px: (b.y2_px + dy2).clamp(0.0, height),
        };
        (!is_missed && seen.visible >= LEAST_VISIBLE && found.area_px2() > 1.0).then_some(found)
    }
}
