//! What renders a camera's pictures: the simulator's camera on a pole.
//!
//! In: a snapshot, and what is broken. Out: the picture and who really shows in it, hidden parts left out.

use super::camera::{InView, Turned, surveyed};
use super::rig::Broken;
use crate::actor::ActorId;
use crate::random::Seed;
use crate::roads::Roads;
use crate::scenario::CameraSettings;
use crate::sensors::camera::{Camera, CameraModel, CameraSettings as Optics, Frame, ImageFault, Scene};
use crate::snapshot::Snapshot;
use masa_inference::{BoundingBox, RgbImage};
use std::sync::Arc;

/// A picture of the world.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    pub(crate) image: RgbImage,
    pub(crate) in_view: Vec<InView>,
}

/// Renders the pictures of one camera.
#[derive(Debug)]
pub(crate) struct Eye {
    camera: Camera,
}

/// What does not move in any camera's pictures.
pub(crate) fn scene(roads: &Roads, seed: Seed) -> Arc<Scene> {
    Arc::new(Scene::new(roads, seed))
}

impl Eye {
    /// The eye of a camera, the `place.1`-th of the `place.0`-th station.
    pub(crate) fn new(settings: &CameraSettings, scene: Arc<Scene>, seed: Seed, place: (usize, usize)) -> Self {
        // Cameras of several stations may have one name, and noise of their own.
        let model = CameraModel { id: format!("{}-{}", place.0, settings.id), ..surveyed(settings) };
        let mut optics = Optics::fixed(model);
        optics.optics.exposure_ms = settings.lens.exposure_ms;
        Self { camera: Camera::new(optics, scene, seed) }
    }

    /// The picture of a snapshot.
    pub(crate) fn see(&mut self, snapshot: &Snapshot, broken: Broken) -> Option<Picture> {
        let frame = self.draw(snapshot, broken)?;
        let [width, height] = frame.size_px;
        let in_view = frame.actors.iter().filter_map(|view| {
            let [x1, y1, x2, y2] = view.visible_px?.map(|v| v as f32);
            let bounding_box = BoundingBox { x1_px: x1, y1_px: y1, x2_px: x2, y2_px: y2 };
            Some(InView { actor: ActorId(view.id.0), bounding_box, visible: view.visible })
        });
        let in_view = in_view.collect();
        Some(Picture { image: RgbImage::new(width, height, frame.rgb)?, in_view })
    }

    /// The same with all that the camera knows of it.
    pub(crate) fn draw(&mut self, snapshot: &Snapshot, broken: Broken) -> Option<Frame> {
        let fault = match broken {
            Broken { frozen: true, .. } => ImageFault::Frozen,
            Broken { dark: true, .. } => ImageFault::Dark,
            Broken { turned, .. } if turned != Turned::default() => {
                ImageFault::Moved { yaw_deg: -turned.right_deg, pitch_deg: turned.up_deg, roll_deg: 0.0 }
            }
            _ => ImageFault::None,
        };
        self.camera.render(snapshot, fault)
    }
}
