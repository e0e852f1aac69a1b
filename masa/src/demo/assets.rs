//! The demo's files, carried inside the program and unpacked beside each other.

use anyhow::{Context, bail};
use masa_edge_node::config::toml_string;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The shipped detector; see `inference/training/README.md` for how it is made.
const SHIPPED: [(&str, &[u8]); 2] = [
    ("detector.onnx", include_bytes!("../../../deploy/demo/detector.onnx")),
    ("detector.toml", include_bytes!("../../../deploy/demo/detector.toml")),
];

/// Descriptions of public models, for a user who has only the ONNX file.
const DESCRIPTIONS: [(&str, &str); 6] = [
    ("yolox_nano_coco_416", include_str!("../../../deploy/models/yolox_nano_coco_416.toml")),
    ("picodet_s_416_coco", include_str!("../../../deploy/models/picodet_s_416_coco.toml")),
    ("nanodet_m", include_str!("../../../deploy/models/nanodet_m.toml")),
    ("FastestDet", include_str!("../../../deploy/models/FastestDet.toml")),
    ("face_detection_yunet_2026may", include_str!("../../../deploy/models/face_detection_yunet_2026may.toml")),
    ("clp_det", include_str!("../../../deploy/models/clp_det.toml")),
];

/// Writes the shipped detector to a folder of the system's temporary directory; returns its description.
pub(crate) fn detector() -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("masa-detector-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    for (name, bytes) in SHIPPED {
        fs::write(folder.join(name), bytes).with_context(|| name.to_owned())?;
    }
    Ok(folder.join("detector.toml"))
}

/// The description of the shipped detector or of the user's own model, in one file with the place of its ONNX file.
pub(crate) fn model(own: Option<&Path>) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let shipped = detector()?;
    match (own, shipped.parent()) {
        (Some(own), Some(folder)) => description_of(folder, own),
        _ => Ok((shipped, None)),
    }
}

/// Writes the configuration of a node that plays `video`; returns its path.
pub(super) fn own_video(video: &Path, model: &(PathBuf, Option<PathBuf>)) -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("masa-demo-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let video = fs::canonicalize(video).with_context(|| video.display().to_string())?;
    let (description, file) = model;
    let mut text = String::from(
        "[node]\nname = \"Demo\"\nstation-id = 4711\nsite = \"site.toml\"\n[links.zenoh]\nlisten = [\"tcp/127.0.0.1:7447\"]\n[links.broker]\n\
         [recording]\ndirectory = \"recordings\"\n[web]\n[[camera]]\nid = \"north\"\n",
    );
    writeln!(text, "model = {}", toml_string(&description.display().to_string()))?;
    if let Some(file) = file {
        writeln!(text, "model-file = {}", toml_string(&file.display().to_string()))?;
    }
    writeln!(
        text,
        "[camera.source]\nkind = \"file\"\npath = {}\nat-end = \"loop\"",
        toml_string(&video.display().to_string())
    )?;
    fs::write(folder.join("node.toml"), text)?;
    fs::write(folder.join("site.toml"), assumed_site())?;
    Ok(folder.join("node.toml"))
}

/// A model's description, and its ONNX file where the description does not stand beside it.
fn description_of(folder: &Path, model: &Path) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let model = fs::canonicalize(model).with_context(|| model.display().to_string())?;
    if model.extension().is_some_and(|extension| extension == "toml") {
        return Ok((model, None));
    }
    let beside = model.with_extension("toml");
    if beside.exists() {
        return Ok((beside, Some(model)));
    }
    let stem = model.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let Some((name, text)) = DESCRIPTIONS.iter().find(|(name, _)| *name == stem) else {
        let known: Vec<_> = DESCRIPTIONS.iter().map(|(name, _)| *name).collect();
        bail!(
            "{}: no description: write {} (see deploy/models/), or use one of the shipped ones' names: {}",
            model.display(),
            beside.display(),
            known.join(", ")
        );
    };
    let path = folder.join(format!("{name}.toml"));
    fs::write(&path, text)?;
    Ok((path, Some(model)))
}

/// A site whose one camera is assumed: 6 m above the ground, 15° down, 70° wide, looking north at the origin.
fn assumed_site() -> String {
    const SIZE_PX: [f64; 2] = [1280.0, 720.0];
    const HEIGHT_M: f64 = 6.0;
    let pitch = 15_f64.to_radians();
    let focal_px = SIZE_PX[0] / 2.0 / 35_f64.to_radians().tan();
    let mut text = String::from(
        "[site]\nid = \"own-video\"\nname = \"Your video, assumed camera\"\n[origin]\nlatitude-deg = 44.655540\n\
         longitude-deg = 10.934315\n[[camera]]\nid = \"north\"\nimage-size-px = [1280, 720]\n[camera.georeference]\n\
         kind = \"reference-points\"\ncontact-point = \"bottom-centre\"\npixel-noise-px = 10.0\npoints = [\n",
    );
    for y_px in [300.0, 420.0, 560.0, 719.0] {
        for x_px in [1.0, 640.0, 1279.0] {
            let right = (x_px - SIZE_PX[0] / 2.0) / focal_px;
            let down = (y_px - SIZE_PX[1] / 2.0) / focal_px;
            // The pixel's ray, turned down by the pitch, meets the ground.
            let range = HEIGHT_M / (down * pitch.cos() + pitch.sin());
            let north_m = range * (pitch.cos() - down * pitch.sin());
            let east_m = range * right;
            let latitude = 44.655_540 + north_m / 111_134.0;
            let longitude = 10.934_315 + east_m / (111_320.0 * 44.655_540_f64.to_radians().cos());
            text += &format!(
                "  {{ x-px = {x_px:.1}, y-px = {y_px:.1}, latitude-deg = {latitude:.8}, longitude-deg = {longitude:.8} }},\n"
            );
        }
    }
    text + "]\n"
}
