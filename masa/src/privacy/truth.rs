//! Where the road users of rendered pictures are, from a COCO file.

use anyhow::{Context, ensure};
use masa_edge_node::run::search::Truth;
use masa_edge_node::sources::camera::{FolderSettings, folder_pictures};
use masa_inference::BoundingBox;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
}

/// Whatever is annotated counts, also what is too small or too hidden to be asked for, animals and lost things.
#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    /// Left, top, width, height, pixels.
    bbox: [f32; 4],
}

/// The boxes of everybody in the pictures of `folder`, each of which must be in `file`.
pub(super) fn read(file: &Path, folder: &FolderSettings) -> anyhow::Result<Truth> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let coco: Coco = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let ids: BTreeMap<&str, u64> = coco.images.iter().map(|image| (image.file_name.as_str(), image.id)).collect();
    let mut boxes: BTreeMap<u64, Vec<BoundingBox>> = BTreeMap::new();
    for Annotation { image_id, bbox: [left, top, width, height] } in coco.annotations {
        let one = BoundingBox { x1_px: left, y1_px: top, x2_px: left + width, y2_px: top + height };
        boxes.entry(image_id).or_default().push(one);
    }
    let mut truth = Truth::new();
    for (path, frame) in folder_pictures(folder)?.iter().zip(1..) {
        let id = path.file_name().and_then(|name| name.to_str()).and_then(|name| ids.get(name));
        ensure!(id.is_some(), "{}: not in {}", path.display(), file.display());
        truth.insert(frame, id.and_then(|id| boxes.remove(id)).unwrap_or_default());
    }
    Ok(truth)
}
