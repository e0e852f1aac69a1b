//! Pixels in, detections out: ONNX engines with their pre- and post-processing.
//!
//! In: an RGB image and a model description (TOML beside the model). Out: [`Detection`]s in source-image pixels and the
//! time each stage took. This crate knows neither V2X nor time of day.

mod detection;
mod image_view;

pub use detection::{BoundingBox, Detection, ObjectClass};
pub use image_view::RgbImage;
