//! What detections of a file look like in the pictures that they were found in.

use super::format::DetectionLine;
use anyhow::{Context, ensure};
use masa_inference::{AppearanceDescriptor, Detection, RgbImage};
use std::fs;
use std::path::{Path, PathBuf};

/// Largest side of a picture, pixels.
const MAX_SIDE_PX: u32 = 8192;

/// Describes `detections`, which are in the order of their frames, by the pictures of `folder`: in the order of their names they
/// are the frames from `first` on.
///
/// # Errors
/// A frame with detections has no picture, or it cannot be read.
pub(crate) fn describe(
    detections: &mut [DetectionLine],
    folder: &Path,
    first: u32,
    descriptor: AppearanceDescriptor,
) -> anyhow::Result<()> {
    let pictures = listed(folder).with_context(|| folder.display().to_string())?;
    for lines in detections.chunk_by_mut(|a, b| a.frame == b.frame) {
        let frame = lines[0].frame;
        let picture = frame.checked_sub(first).and_then(|place| pictures.get(place as usize));
        ensure!(picture.is_some(), "{}: no picture for frame {frame} of {}", folder.display(), pictures.len());
        let Some(path) = picture else { continue };
        let image = fs::read(path).with_context(|| path.display().to_string())?;
        let image = RgbImage::decode(&image, MAX_SIDE_PX).with_context(|| path.display().to_string())?;
        let mut of_frame: Vec<Detection> = lines.iter().map(|line| line.detection).collect();
        descriptor.describe(&image, &mut of_frame);
        for (line, detection) in lines.iter_mut().zip(of_frame) {
            line.detection = detection;
        }
    }
    Ok(())
}

fn listed(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_picture = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ["jpg", "jpeg", "png"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
    };
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.filter(|path| path.as_ref().map_or(true, is_picture)).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
