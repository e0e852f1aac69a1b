//! What renders a camera's pictures.
//!
//! In: a snapshot. Out: the picture and who is in it.

use super::camera::{InView, Pinhole};
use crate::snapshot::Snapshot;
use masa_inference::RgbImage;
use std::fmt::Debug;

/// A picture of the world.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) image: RgbImage,
    pub(crate) in_view: Vec<InView>,
}

/// Renders pictures of one camera.
pub(crate) trait Eye: Debug + Send {
    /// The picture of frame `frame`, turned to where `pinhole` looks.
    fn see(&mut self, pinhole: &Pinhole, snapshot: &Snapshot, frame: u64) -> Picture;
}

/// The eye of a camera.
pub(crate) fn open(
    _settings: &crate::scenario::CameraSettings,
    _roads: &std::sync::Arc<crate::roads::Roads>,
    _seed: crate::random::Seed,
    _place: (usize, usize),
) -> Option<Box<dyn Eye>> {
    None
}
