//! Data sets for training and testing detectors: pictures of many places, weathers and cameras with their truth.
//!
//! In: networks with names, how many pictures, a seed. Out: `images/*.jpg`, one COCO file a network
//! (`annotations/<map>.json`) and one for all (`annotations/all.json`): a split is a choice of networks. Actors are placed
//! at random (see [`super::place`]). The same settings give the same files.

use super::FrameTruth;
use super::coco::{Asked, Coco};
use super::place::{Around, actors};
use crate::random::Seed;
use crate::roads::{EdgeKind, LaneKind, Roads};
use crate::sensors::camera::{Camera, CameraModel, CameraPose, CameraSettings, ImageFault, Lens, Optics, Scene};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use image::codecs::jpeg::JpegEncoder;
use nalgebra::{Point2, Vector2};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Settings of a data set.
#[derive(Clone, Debug)]
pub struct DatasetSettings {
    /// Networks by the name that their annotations get.
    pub maps: Vec<(String, Arc<Roads>)>,
    /// Pictures of all networks together.
    pub images: usize,
    /// Decides everything.
    pub seed: Seed,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// Pictures of one camera in one weather.
    pub images_per_camera: usize,
    /// Actors around a camera, at least and at most.
    pub actors: [usize; 2],
    /// Quality of the JPEG files, 1 to 100.
    pub jpeg_quality: u8,
}

impl DatasetSettings {
    /// Usual settings for some networks.
    pub fn new(maps: Vec<(String, Arc<Roads>)>, images: usize, seed: Seed) -> Self {
        Self { maps, images, seed, size_px: [640, 384], images_per_camera: 8, actors: [12, 48], jpeg_quality: 88 }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSummary {
    /// Pictures.
    pub images: usize,
    /// Annotation files, the one for all first.
    pub annotations: Vec<PathBuf>,
}

/// Why a data set cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file or folder.
    #[error("{path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A picture that cannot be encoded.
    #[error("{path}: {source}")]
    Encode {
        /// Which.
        path: PathBuf,
        /// What the encoder says.
        source: image::ImageError,
    },
    /// A network without a lane to drive on.
    #[error("map `{0}` has no lane for driving")]
    Empty(String),
}

/// Writes a data set into `directory`.
///
/// # Errors
/// When a network has no lane to drive on, or a file cannot be written.
pub fn write(settings: &DatasetSettings, directory: &Path) -> Result<DatasetSummary, DatasetError> {
    let pictures = directory.join("images");
    let annotations = directory.join("annotations");
    for path in [&pictures, &annotations] {
        std::fs::create_dir_all(path).map_err(|source| DatasetError::Write { path: path.clone(), source })?;
    }
    let mut all = Coco::new();
    let mut files = vec![annotations.join("all.json")];
    let mut written = 0;
    for (k, (name, roads)) in settings.maps.iter().enumerate() {
        // Early networks take what does not divide.
        let share = settings.images / settings.maps.len() + usize::from(k < settings.images % settings.maps.len());
        let scene = Arc::new(Scene::new(roads, settings.seed));
        let shots: Vec<usize> = (0..share.div_ceil(settings.images_per_camera)).collect();
        let sets: Vec<Result<Vec<(String, FrameTruth)>, DatasetError>> = shots
            .into_par_iter()
            .map(|shot| {
                let count = settings.images_per_camera.min(share - shot * settings.images_per_camera);
                shoot(settings, name, roads, &scene, (k, shot, count), &pictures)
            })
            .collect();
        let mut own = Coco::new();
        for set in sets {
            for (file, truth) in set? {
                own.add(&file, &truth, &Asked::default());
                all.add(&file, &truth, &Asked::default());
                written += 1;
            }
        }
        let path = annotations.join(format!("{name}.json"));
        std::fs::write(&path, own.to_json()).map_err(|source| DatasetError::Write { path: path.clone(), source })?;
        files.push(path);
    }
    std::fs::write(&files[0], all.to_json())
        .map_err(|source| DatasetError::Write { path: files[0].clone(), source })?;
    Ok(DatasetSummary { images: written, annotations: files })
}

/// Pictures of one camera in one weather.
fn shoot(
    settings: &DatasetSettings,
    name: &str,
    roads: &Roads,
    scene: &Arc<Scene>,
    (map, shot, count): (usize, usize, usize),
    directory: &Path,
) -> Result<Vec<(String, FrameTruth)>, DatasetError> {
    let mut rng = settings.seed.stream("dataset camera", (map as u64) << 32 | shot as u64);
    let Some((camera, around)) = camera(roads, settings.size_px, &mut rng) else {
        return Err(DatasetError::Empty(name.to_owned()));
    };
    let weather = weather(&mut rng);
    let eye = Point2::new(camera.model.pose.position_m[0], camera.model.pose.position_m[1]);
    let model = camera.model.clone();
    let mut camera = Camera::new(camera, scene.clone(), settings.seed);
    let mut out = Vec::new();
    for picture in 0..count {
        let wanted = rng.random_range(settings.actors[0]..=settings.actors[1]);
        let actors = actors(roads, &around, wanted, &weather, &[eye], &mut rng);
        let time_s = rng.random_range(0.0..200.0);
        let signals = roads.signals.iter().map(|controller| controller.states_at(time_s)).collect();
        let step = (map as u64) << 40 | (shot as u64) << 12 | picture as u64;
        let snapshot = Snapshot { step, time_s, actors, signals, off_programme: Vec::new(), weather };
        let Some(frame) = camera.render(&snapshot, ImageFault::None) else { continue };
        let file = format!("{name}-{shot:04}-{picture:02}.jpg");
        write_jpeg(&directory.join(&file), &frame.rgb, frame.size_px, settings.jpeg_quality)?;
        out.push((file, FrameTruth::new(&frame, &model, &snapshot)));
    }
    Ok(out)
}

/// Writes an H×W×3 RGB picture as JPEG.
///
/// # Errors
/// When the file cannot be written.
pub fn write_jpeg(path: &Path, rgb: &[u8], size_px: [u32; 2], quality: u8) -> Result<(), DatasetError> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(rgb, size_px[0], size_px[1], image::ExtendedColorType::Rgb8)
        .map_err(|source| DatasetError::Encode { path: path.to_owned(), source })?;
    std::fs::write(path, bytes).map_err(|source| DatasetError::Write { path: path.to_owned(), source })
}

/// Lane points that a camera must have in its picture.
const LEAST_ROAD: usize = 14;

/// A camera on a pole beside a road, mostly at a junction, that has some road in its picture, and where actors are in its
/// view. `None` for a network without lanes for driving.
pub fn camera(roads: &Roads, size_px: [u32; 2], rng: &mut Pcg64Mcg) -> Option<(CameraSettings, Around)> {
    let mut best: Option<(usize, (CameraSettings, Around))> = None;
    for _ in 0..30 {
        let drawn = any_camera(roads, size_px, rng)?;
        let road = road_in_view(roads, &drawn.0.model);
        if road >= LEAST_ROAD {
            return Some(drawn);
        }
        if best.as_ref().is_none_or(|(most, _)| road > *most) {
            best = Some((road, drawn));
        }
    }
    best.map(|(_, drawn)| drawn)
}

/// Points of lanes for driving, four metres apart, that are in the picture within 50 m.
fn road_in_view(roads: &Roads, model: &CameraModel) -> usize {
    let eye = model.position();
    let [width, height] = model.image_size_px.map(f64::from);
    let inside = |p: [f64; 2]| (0.0..width).contains(&p[0]) && (0.0..height).contains(&p[1]);
    let lanes = roads.lanes.iter().filter(|lane| lane.kind == LaneKind::Driving);
    lanes
        .flat_map(|lane| (0..(lane.centre.length_m() / 4.0) as usize).filter_map(|k| lane.centre.at(k as f64 * 4.0)))
        .filter(|on| (on.point - eye).norm() < 50.0 && model.project(on.point).is_some_and(inside))
        .count()
}

fn any_camera(roads: &Roads, size_px: [u32; 2], rng: &mut Pcg64Mcg) -> Option<(CameraSettings, Around)> {
    let driving: Vec<_> = roads
        .lanes
        .iter()
        .filter(|lane| lane.kind == LaneKind::Driving && lane.centre.length_m() > 8.0)
        .filter(|lane| roads.edges.get(lane.edge.index()).is_none_or(|edge| edge.kind == EdgeKind::Road))
        .collect();
    if driving.is_empty() {
        return None;
    }
    let lane = driving[rng.random_range(0..driving.len())];
    let length = lane.centre.length_m();
    // Near the end of a lane, which is a junction, or anywhere along it.
    let s = if rng.random_bool(0.7) {
        (length - rng.random_range(0.0..18.0)).max(length * 0.3)
    } else {
        rng.random_range(0.0..length)
    };
    let on = lane.centre.at(s)?;
    let outside = Vector2::new(on.yaw_rad.sin(), -on.yaw_rad.cos()) * if roads.left_hand { -1.0 } else { 1.0 };
    let foot = on.point.xy() + outside * (lane.width_m / 2.0 + rng.random_range(0.6..3.0));
    let height = rng.random_range(4.0..9.5);
    let along = on.yaw_rad + if rng.random_bool(0.6) { 0.0 } else { std::f64::consts::PI };
    let reach = rng.random_range(14.0..34.0);
    // Along the road or across it, never away from it.
    let target =
        on.point.xy() + Vector2::new(along.cos(), along.sin()) * reach - outside * rng.random_range(0.0..0.55) * reach;
    let ground = on.point.z;
    let mut pose = CameraPose::looking_at([foot.x, foot.y, ground + height], [target.x, target.y, ground]);
    pose.pitch_deg += rng.random_range(0.0..9.0);
    pose.roll_deg = rng.random_range(-1.5..1.5);
    let field = rng.random_range(48.0..82.0);
    let mut model = CameraModel::with_size("data", pose, field, size_px);
    if rng.random_bool(0.3) {
        model.lens = Lens::BrownConrady {
            distortion: [rng.random_range(-0.30..-0.05), rng.random_range(0.0..0.06), 0.0, 0.0, 0.0],
        };
    }
    let optics = Optics {
        exposure_compensation_ev: rng.random_range(-0.5..0.5),
        noise: rng.random_range(0.004..0.028),
        dirt: if rng.random_bool(0.15) { rng.random_range(0.1..0.8) } else { 0.0 },
        vignetting: rng.random_range(0.0..0.35),
        exposure_ms: 0.0,
    };
    let centre = foot + (target - foot) * 1.15;
    let around = Around { centre, radius_m: reach * 1.25 + 8.0 };
    Some((CameraSettings { optics, ..CameraSettings::fixed(model) }, around))
}

/// Any light and weather, mostly daylight.
pub fn weather(rng: &mut Pcg64Mcg) -> Weather {
    let mut weather = Weather {
        sun_azimuth_deg: rng.random_range(0.0..360.0),
        sun_elevation_deg: rng.random_range(12.0..62.0),
        cloud_cover: rng.random_range(0.0..1.0),
        visibility_m: rng.random_range(4000.0..25_000.0),
        wind_from_deg: rng.random_range(0.0..360.0),
        wind_mps: rng.random_range(0.0..9.0),
        ..Weather::default()
    };
    match rng.random_range(0..20) {
        0..2 => weather.sun_elevation_deg = rng.random_range(-5.0..6.0),
        2..5 => weather.sun_elevation_deg = rng.random_range(-25.0..-7.0),
        5..8 => {
            weather.rain_mm_per_h = rng.random_range(0.5..25.0);
            weather.road_wetness = rng.random_range(0.4..1.0);
            weather.cloud_cover = 1.0;
        }
        8..10 => weather.visibility_m = rng.random_range(60.0..500.0),
        10 => weather.road_wetness = rng.random_range(0.2..0.9),
        _ => {}
    }
    weather
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossroads() -> Arc<Roads> {
        Arc::new(Roads::shipped("masa").unwrap())
    }

    #[test]
    fn the_same_settings_give_the_same_files() {
        let write_to = |directory: &Path| {
            let settings = DatasetSettings {
                size_px: [160, 96],
                images_per_camera: 2,
                actors: [6, 10],
                ..DatasetSettings::new(vec![("masa".into(), crossroads())], 4, Seed(5))
            };
            write(&settings, directory).unwrap()
        };
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (one, two) = (write_to(a.path()), write_to(b.path()));
        assert_eq!((one.images, two.images), (4, 4));
        assert_eq!(std::fs::read(&one.annotations[0]).unwrap(), std::fs::read(&two.annotations[0]).unwrap());
        let mut names: Vec<_> =
            std::fs::read_dir(a.path().join("images")).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), 4);
        for name in names {
            let read = |d: &Path| std::fs::read(d.join("images").join(&name)).unwrap();
            assert_eq!(read(a.path()), read(b.path()), "{name:?}");
        }
        let coco: serde_json::Value = serde_json::from_slice(&std::fs::read(&one.annotations[1]).unwrap()).unwrap();
        assert_eq!(coco["images"].as_array().unwrap().len(), 4);
        assert!(!coco["annotations"].as_array().unwrap().is_empty());
    }

    #[test]
    fn cameras_have_road_in_their_picture() {
        let roads = Roads::shipped("roundabout").unwrap();
        let mut rng = Seed(1).stream("test", 0);
        for _ in 0..20 {
            let (settings, _) = camera(&roads, [640, 384], &mut rng).unwrap();
            assert!(road_in_view(&roads, &settings.model) >= LEAST_ROAD);
        }
        assert!(camera(&Roads::default(), [640, 384], &mut rng).is_none());
    }
}
