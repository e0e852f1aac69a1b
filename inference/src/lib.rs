//! Pixels in, detections out: ONNX engines with their pre- and post-processing.
//!
//! In: an RGB image and a model description (TOML beside the model). Out: [`Detection`]s in source-image pixels and the
//! time each stage took. This crate knows neither V2X nor time of day.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod appearance;
pub mod description;
mod detection;
mod detector;
pub mod engine;
mod error;
mod head;
mod image_decode;
mod image_view;
mod preprocess;
pub mod suppression;

pub use appearance::{Appearance, AppearanceDescriptor};
pub use description::ModelDescription;
pub use detection::{BoundingBox, Detection, ObjectClass};
pub use detector::{Detector, StageTimes};
pub use engine::{EngineKind, EngineSettings, ExecutionProvider};
pub use error::Error;
pub use image_decode::ImageError;
pub use image_view::RgbImage;
