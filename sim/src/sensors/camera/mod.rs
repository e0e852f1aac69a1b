//! A colour camera, drawn on the CPU, with ground truth for every pixel.
//!
//! In: a [`Scene`] (what does not move), a [`Snapshot`], a [`CameraModel`]. Out: a [`Frame`]: picture, depth, instances,
//! classes, and what of each actor shows; all of one frame carry its camera, step and time.
//!
//! Invariants: the same seed, settings and snapshots give the same bytes whatever the number of threads; noise depends on
//! seed, camera and step alone; a fixed camera draws what does not move once for each change of weather. The ground is
//! flat at the height where the network begins. Absent: reflections of actors in windows, shadows of actors on each other.

mod background;
mod blur;
mod develop;
mod furniture;
mod glyphs;
mod ground;
mod light;
mod markings;
mod material;
mod mesh;
mod model;
mod models;
mod raster;
mod render;
mod scene;
mod shade;
mod shadow;
mod view;

pub use develop::Optics;
pub use material::Semantic;
pub use model::{CameraModel, CameraPose, Lens, NEAR_M};
pub use scene::{Scene, invent_buildings};

use crate::actor::ActorId;
use crate::random::Seed;
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use background::{Background, Effort};
use light::Light;
use models::{Model, ModelKey};
use nalgebra::Point3;
use render::{Entry, Stage, Workspace};
use serde::{Deserialize, Serialize};
use shadow::ShadowMap;
use std::collections::BTreeMap;
use std::sync::Arc;
use view::{Rays, View};

/// Models that a camera keeps.
const MAX_MODELS: usize = 1024;

/// Where a camera is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mount {
    /// On a pole: what does not move is drawn once.
    #[default]
    Fixed,
    /// On an actor; the pose is relative to it, and the actor itself is not drawn.
    On(ActorId),
}

/// Settings of a camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraSettings {
    /// Geometry.
    pub model: CameraModel,
    /// Lens and chip.
    #[serde(default)]
    pub optics: Optics,
    /// Where it is.
    #[serde(default)]
    pub mount: Mount,
    /// How carefully a fixed camera draws what does not move: 1, 2 or 4 pictures are averaged.
    #[serde(default = "default_passes")]
    pub background_passes: u8,
}

fn default_passes() -> u8 {
    2
}

impl CameraSettings {
    /// A fixed camera with usual optics.
    pub fn fixed(model: CameraModel) -> Self {
        Self { model, optics: Optics::default(), mount: Mount::Fixed, background_passes: default_passes() }
    }
}

/// What is wrong with a camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields, rename_all = "kebab-case")]
pub enum ImageFault {
    /// Nothing.
    #[default]
    None,
    /// It repeats the last picture; its truth is that of the world.
    Frozen,
    /// Its picture is black but for noise.
    Dark,
    /// It was turned on its pole; nobody told the calibration.
    Moved {
        /// Counter-clockwise from above, degrees.
        yaw_deg: f64,
        /// Up, degrees.
        pitch_deg: f64,
        /// Right side down, degrees.
        roll_deg: f64,
    },
}

/// What of an actor shows in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActorView {
    /// The actor.
    pub id: ActorId,
    /// Extent of what is visible: left, top, right, bottom; pixels. `None` where nothing is.
    pub visible_px: Option<[f64; 4]>,
    /// Share of its part within the picture that nothing hides, 0 to 1.
    pub visible: f64,
    /// What is visible of it, pixels.
    pub area_px: f64,
}

/// A picture with its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Name of the camera.
    pub camera: String,
    /// The snapshot's step.
    pub step: u64,
    /// The snapshot's time, seconds: the middle of the exposure.
    pub captured_at_s: f64,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// Where the camera was, as it really was.
    pub pose: CameraPose,
    /// H×W×3, RGB.
    pub rgb: Vec<u8>,
    /// H×W, metres along the camera's axis; infinite for the sky.
    pub depth_m: Vec<f32>,
    /// H×W, numbers of actors, 0 where none is.
    pub instance: Vec<u32>,
    /// H×W, numbers of [`Semantic`].
    pub semantic: Vec<u8>,
    /// Actors that have at least one sample in the picture, hidden or not; by number.
    pub actors: Vec<ActorView>,
}

/// A camera.
#[derive(Debug)]
pub struct Camera {
    settings: CameraSettings,
    scene: Arc<Scene>,
    seed: Seed,
    rays: Rays,
    chip: develop::Chip,
    models: BTreeMap<ModelKey, Arc<Model>>,
    gone: BTreeMap<ActorId, (Point3<f64>, f64)>,
    background: Option<(CameraPose, Weather, Background)>,
    shadow: Option<(Weather, nalgebra::Vector3<f32>, ShadowMap)>,
    workspace: Workspace,
    last_rgb: Option<Vec<u8>>,
    /// When and where it drew last.
    last_pose: Option<(f64, CameraPose)>,
}

impl Camera {
    /// A camera in a scene; `seed` decides noise and dirt.
    pub fn new(settings: CameraSettings, scene: Arc<Scene>, seed: Seed) -> Self {
        Self {
            rays: Rays::new(&settings.model),
            chip: develop::Chip::new(&settings, seed),
            settings,
            scene,
            seed,
            models: BTreeMap::new(),
            gone: BTreeMap::new(),
            background: None,
            shadow: None,
            workspace: Workspace::default(),
            last_rgb: None,
            last_pose: None,
        }
    }

    /// Its settings.
    pub fn settings(&self) -> &CameraSettings {
        &self.settings
    }

    /// Its geometry at a snapshot: that of the settings, or carried along by the actor that it is on. `None` while that
    /// actor is not there.
    pub fn model_at(&self, snapshot: &Snapshot) -> Option<CameraModel> {
        let model = &self.settings.model;
        let Mount::On(id) = self.settings.mount else { return Some(model.clone()) };
        let carrier = snapshot.actor(id)?.pose;
        let (sin, cos) = carrier.yaw_rad.sin_cos();
        let [x, y, z] = model.pose.position_m;
        let p = carrier.position;
        let pose = CameraPose {
            position_m: [p.x + x * cos - y * sin, p.y + x * sin + y * cos, p.z + z],
            yaw_deg: model.pose.yaw_deg + carrier.yaw_rad.to_degrees(),
            pitch_deg: model.pose.pitch_deg + carrier.pitch_rad.to_degrees(),
            roll_deg: model.pose.roll_deg,
        };
        Some(CameraModel { pose, ..model.clone() })
    }

    /// The frame of a snapshot. `None` while the actor that the camera is on is not there.
    pub fn render(&mut self, snapshot: &Snapshot, fault: ImageFault) -> Option<Frame> {
        let mut model = self.model_at(snapshot)?;
        if let ImageFault::Moved { yaw_deg, pitch_deg, roll_deg } = fault {
            model.pose = model.pose.turned(yaw_deg, pitch_deg, roll_deg);
        }
        let scene = self.scene.clone();
        let light = Light::new(&snapshot.weather);
        let view = View::new(&model, &model.pose, scene.origin);
        self.prepare_shadow(&light, &view, &snapshot.weather);
        self.prepare_background(&light, &view, &model, &snapshot.weather);
        self.walk(snapshot);
        let entries: Vec<Entry> = snapshot
            .actors
            .iter()
            .map(|actor| {
                let model =
                    self.models.entry(ModelKey::of(actor)).or_insert_with_key(|key| Arc::new(Model::new(*key))).clone();
                Entry { actor, model, gone_m: self.gone[&actor.id].1 }
            })
            .collect();
        let (Some((_, _, background)), shadow) = (&self.background, &self.shadow) else { return None };
        let stage = Stage {
            scene: &scene,
            light: &light,
            shadow: shadow.as_ref().map(|s| &s.2),
            view: &view,
            rays: &self.rays,
            background,
        };
        let hidden = match self.settings.mount {
            Mount::On(id) => Some(id.0),
            Mount::Fixed => None,
        };
        let (cast, shown) = self.workspace.draw(&stage, snapshot, &entries, hidden);
        let mut frame = self.collect(snapshot, &model);
        for (cast, shown) in cast.iter().zip(&shown).filter(|(_, shown)| shown.covered > 0) {
            let px = |v: u32| f64::from(v) / raster::SAMPLES as f64;
            frame.actors.push(ActorView {
                id: ActorId(cast.id),
                visible_px: (shown.visible > 0)
                    .then(|| [px(shown.x[0]), px(shown.y[0]), px(shown.x[1] + 1), px(shown.y[1] + 1)]),
                visible: f64::from(shown.visible) / f64::from(shown.covered),
                area_px: f64::from(shown.visible) / (raster::SAMPLES * raster::SAMPLES) as f64,
            });
        }
        frame.actors.sort_by_key(|a| a.id);
        let exposure_s = self.settings.optics.exposure_ms / 1e3;
        let ways = if exposure_s > 0.0 {
            let before = View::new(&model, &self.pose_before(&model.pose, snapshot.time_s, exposure_s), scene.origin);
            blur::ways(&frame, snapshot, &self.rays, &view, &before, exposure_s as f32)
        } else {
            Vec::new()
        };
        self.last_pose = Some((snapshot.time_s, model.pose));
        let exposed = develop::Exposed { tiles: &self.workspace.tiles, ways: &ways };
        let rgb = self.chip.develop(exposed, &view, &light, snapshot, fault == ImageFault::Dark, self.seed);
        frame.rgb = match (fault, &self.last_rgb) {
            (ImageFault::Frozen, Some(last)) => last.clone(),
            _ => rgb,
        };
        self.last_rgb = Some(frame.rgb.clone());
        Some(frame)
    }

    /// Where the camera was when the exposure began, if it has moved evenly since its last picture.
    fn pose_before(&self, pose: &CameraPose, time_s: f64, exposure_s: f64) -> CameraPose {
        let Some((last_s, last)) = self.last_pose.filter(|(last_s, _)| time_s > *last_s && time_s - last_s < 1.0)
        else {
            return *pose;
        };
        let share = 0.5 * exposure_s / (time_s - last_s);
        let back = |now: f64, then: f64| now - share * (now - then);
        let turned = |now: f64, then: f64| now - share * ((now - then + 180.0).rem_euclid(360.0) - 180.0);
        CameraPose {
            position_m: [0, 1, 2].map(|axis| back(pose.position_m[axis], last.position_m[axis])),
            yaw_deg: turned(pose.yaw_deg, last.yaw_deg),
            pitch_deg: turned(pose.pitch_deg, last.pitch_deg),
            roll_deg: turned(pose.roll_deg, last.roll_deg),
        }
    }

    fn prepare_shadow(&mut self, light: &Light, view: &View, weather: &Weather) {
        if light::luminance(light.sun_rgb) < 0.03 {
            self.shadow = None;
            return;
        }
        // Ahead of the camera, on the ground.
        let ahead = view.to_world(nalgebra::Vector3::new(0.0, 0.0, 1.0));
        let along = nalgebra::Vector3::new(ahead.x, ahead.y, 0.0).try_normalize(1e-3).unwrap_or_default();
        let around = nalgebra::Vector3::new(view.position.x, view.position.y, 0.0) + along * (shadow::REACH_M * 0.55);
        let keep =
            self.shadow.as_ref().is_some_and(|(w, at, _)| w == weather && (at - around).norm() < shadow::REACH_M * 0.3);
        if !keep {
            self.shadow = Some((*weather, around, ShadowMap::new(&self.scene, light.sun, around)));
        }
    }

    fn prepare_background(&mut self, light: &Light, view: &View, model: &CameraModel, weather: &Weather) {
        let keep = self.background.as_ref().is_some_and(|(pose, w, _)| *pose == model.pose && w == weather);
        if keep {
            return;
        }
        let effort = match self.settings.mount {
            Mount::Fixed => Effort::Fine(usize::from(self.settings.background_passes.clamp(1, 4))),
            Mount::On(_) => Effort::Quick,
        };
        let shadow = self.shadow.as_ref().map(|s| &s.2);
        let background = Background::new(&self.scene, light, shadow, view, &self.rays, model, effort);
        self.background = Some((model.pose, *weather, background));
    }

    /// How far each actor has gone, which moves legs and pedals; who is new begins anywhere in a step.
    fn walk(&mut self, snapshot: &Snapshot) {
        if self.models.len() > MAX_MODELS {
            self.models.clear();
        }
        let before = std::mem::take(&mut self.gone);
        for actor in &snapshot.actors {
            let here = actor.pose.position;
            let gone = match before.get(&actor.id) {
                Some((last, gone)) => gone + (here - last).norm().min(5.0),
                None => f64::from(actor.id.0.wrapping_mul(0x9e37_79b9) >> 16) / 6553.6,
            };
            self.gone.insert(actor.id, (here, gone));
        }
    }

    /// The truth of the picture, row by row.
    fn collect(&self, snapshot: &Snapshot, model: &CameraModel) -> Frame {
        let [width, height] = model.image_size_px.map(|v| v as usize);
        let mut frame = Frame {
            camera: model.id.clone(),
            step: snapshot.step,
            captured_at_s: snapshot.time_s,
            size_px: model.image_size_px,
            pose: model.pose,
            rgb: Vec::new(),
            depth_m: Vec::with_capacity(width * height),
            instance: Vec::with_capacity(width * height),
            semantic: Vec::with_capacity(width * height),
            actors: Vec::new(),
        };
        let columns = width.div_ceil(raster::TILE_PX);
        for y in 0..height {
            let (row, line) = (y / raster::TILE_PX, y % raster::TILE_PX);
            for column in 0..columns {
                let tile = &self.workspace.tiles[row * columns + column];
                let from = line * raster::TILE_PX;
                let to = from + (width - column * raster::TILE_PX).min(raster::TILE_PX);
                frame.depth_m.extend_from_slice(&tile.depth[from..to]);
                frame.instance.extend_from_slice(&tile.instance[from..to]);
                frame.semantic.extend_from_slice(&tile.class[from..to]);
            }
        }
        frame
    }
}
