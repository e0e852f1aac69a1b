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

#[cfg(test)]
mod tests {
    use super::*;
    use masa_inference::{BoundingBox, ObjectClass};
    use masa_sim::truth::dataset::write_jpeg;

    #[test]
    fn each_frame_is_described_by_its_picture_and_one_without_is_named() {
        let folder = tempfile::tempdir().unwrap();
        for (name, rgb) in [("000002.jpg", [20, 30, 220]), ("000001.jpg", [220, 30, 20])] {
            write_jpeg(&folder.path().join(name), &rgb.repeat(64 * 48), [64, 48], 95).unwrap();
        }
        fs::write(folder.path().join("notes.txt"), "no picture").unwrap();
        let bounding_box = BoundingBox { x1_px: 10.0, y1_px: 10.0, x2_px: 50.0, y2_px: 40.0 };
        let detection = Detection { bounding_box, class: ObjectClass::Car, score: 0.9, appearance: None };
        let mut lines = [1, 2].map(|frame| DetectionLine { frame, detection });
        let describe = |lines: &mut [DetectionLine], first| {
            super::describe(lines, folder.path(), first, AppearanceDescriptor::ColourLayout)
        };
        describe(&mut lines, 1).unwrap();
        let red = lines.map(|line| line.detection.appearance.unwrap().cells().next().unwrap().unwrap()[2]);
        assert!(red[0] > 180 && red[1] < 128, "{red:?}");
        let error = describe(&mut lines, 0).unwrap_err().to_string();
        assert!(error.contains("no picture for frame 2 of 2"), "{error}");
    }
}
