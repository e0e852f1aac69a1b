//! COCO object detection files: `images`, `annotations`, `categories`.
//!
//! Boxes are the visible extent, `[left, top, width, height]` in pixels. Beyond COCO's own keys an annotation has `visible`,
//! `truncated`, `distance_m`, `actor`; an annotation that nobody can be asked to find has `iscrowd` 0 and `ignore` 1.

use super::{CATEGORIES, FrameTruth, category};
use serde::Serialize;

/// A file of annotations, filled image by image.
#[derive(Debug, Default, Serialize)]
pub struct Coco {
    images: Vec<Image>,
    annotations: Vec<Annotation>,
    categories: Vec<Category>,
}

#[derive(Debug, Serialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
    camera: String,
    step: u64,
    captured_at_s: f64,
}

#[derive(Debug, Serialize)]
struct Annotation {
    id: u64,
    image_id: u64,
    category_id: u64,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    ignore: u8,
    visible: f64,
    truncated: f64,
    distance_m: f64,
    actor: u32,
}

#[derive(Debug, Serialize)]
struct Category {
    id: u64,
    name: &'static str,
    supercategory: &'static str,
}

/// Who can be asked to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Visible share at least.
    pub visible: f64,
    /// Height of the visible box at least, pixels.
    pub height_px: f64,
    /// Visible area at least, pixels.
    pub area_px: f64,
}

impl Default for Asked {
    fn default() -> Self {
        Self { visible: 0.25, height_px: 8.0, area_px: 40.0 }
    }
}

impl Coco {
    /// An empty file with the categories.
    pub fn new() -> Self {
        let group = |name: &str| match name {
            "person" => "person",
            "animal" => "animal",
            "object" => "object",
            _ => "vehicle",
        };
        let category =
            |(k, name): (usize, &&'static str)| Category { id: k as u64 + 1, name, supercategory: group(name) };
        Self { categories: CATEGORIES.iter().enumerate().map(category).collect(), ..Self::default() }
    }

    /// Adds an image and what is visible in it; the image's number. What is not `asked` for is marked `ignore`.
    pub fn add(&mut self, file_name: &str, truth: &FrameTruth, asked: &Asked) -> u64 {
        let image_id = self.images.len() as u64 + 1;
        self.images.push(Image {
            id: image_id,
            file_name: file_name.to_owned(),
            width: truth.size_px[0],
            height: truth.size_px[1],
            camera: truth.camera.clone(),
            step: truth.step,
            captured_at_s: truth.captured_at_s,
        });
        for actor in &truth.actors {
            let Some([left, top, right, bottom]) = actor.visible_px else { continue };
            let (width, height) = (right - left, bottom - top);
            let fair = actor.visible >= asked.visible && height >= asked.height_px && actor.area_px >= asked.area_px;
            self.annotations.push(Annotation {
                id: self.annotations.len() as u64 + 1,
                image_id,
                category_id: category(actor.kind) as u64 + 1,
                bbox: [left, top, width, height],
                area: actor.area_px,
                iscrowd: 0,
                ignore: u8::from(!fair),
                visible: rounded(actor.visible),
                truncated: rounded(actor.truncated),
                distance_m: rounded(actor.distance_m),
                actor: actor.id.0,
            });
        }
        image_id
    }

    /// Images so far.
    pub fn images(&self) -> usize {
        self.images.len()
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and text become JSON")
    }
}

fn rounded(v: f64) -> f64 {
    (v * 1000.0).round() / 1000.0
}
