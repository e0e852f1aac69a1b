//! Detections and tracks as text: MOTChallenge and KITTI.

use anyhow::Context;
use clap::ValueEnum;
use masa_inference::{BoundingBox, Detection, ObjectClass};
use std::io::Write;
use std::path::Path;
use std::str::FromStr;

/// Text formats of detections and tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `frame,id,left,top,width,height,score,-1,-1,-1`, frames from 1.
    Motchallenge,
    /// `frame id type truncated occluded alpha left top right bottom … score`, frames from 0.
    Kitti,
}

impl Format {
    /// Number of a sequence's first frame.
    pub(crate) const fn first_frame(self) -> u32 {
        match self {
            Self::Motchallenge => 1,
            Self::Kitti => 0,
        }
    }
}

/// Frames from this number on are taken for a mistake: at 30 a second it is a day and more.
const MAX_FRAME: u32 = 4_000_000;

/// KITTI's names of our classes; of two names for one class the first is written.
const KITTI_TYPES: [(&str, ObjectClass); 14] = [
    ("Car", ObjectClass::Car),
    ("Van", ObjectClass::Van),
    ("Truck", ObjectClass::Truck),
    ("Truck", ObjectClass::Bus),
    ("Pedestrian", ObjectClass::Person),
    ("Person", ObjectClass::Person),
    ("Person_sitting", ObjectClass::Person),
    ("Cyclist", ObjectClass::Bicycle),
    ("Cyclist", ObjectClass::Motorcycle),
    ("Cyclist", ObjectClass::EScooter),
    ("Tram", ObjectClass::Tram),
    ("Misc", ObjectClass::Obstacle),
    ("Misc", ObjectClass::Animal),
    ("DontCare", ObjectClass::Obstacle),
];

/// One detection of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DetectionLine {
    /// As in the file.
    pub(crate) frame: u32,
    pub(crate) detection: Detection,
}

/// One box of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TrackLine {
    pub(crate) frame: u32,
    pub(crate) track_id: u32,
    pub(crate) class: ObjectClass,
    pub(crate) bounding_box: BoundingBox,
    pub(crate) score: f32,
}

/// The detections of `text` by frame, those of a frame in the order of their lines.
///
/// # Errors
/// A line is no detection; the error names `path` and the line.
pub(crate) fn read(text: &str, path: &Path, format: Format, class: ObjectClass) -> anyhow::Result<Vec<DetectionLine>> {
    let mut detections = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let read = match format {
            Format::Motchallenge => motchallenge(line, class).map(Some),
            Format::Kitti => kitti(line),
        };
        let read = read.map_err(anyhow::Error::msg);
        detections.extend(read.with_context(|| format!("{}:{}", path.display(), index + 1))?);
    }
    detections.sort_by_key(|line: &DetectionLine| line.frame);
    Ok(detections)
}

fn field<T: FromStr>(fields: &[&str], index: usize, name: &str) -> Result<T, String> {
    let text = fields.get(index).ok_or_else(|| format!("there is no {name}: the line has {} fields", fields.len()))?;
    text.trim().parse().map_err(|_| format!("the {name} is not a number: `{}`", text.trim()))
}

fn line(frame: u32, corners: [f32; 4], class: ObjectClass, score: f32) -> Result<DetectionLine, String> {
    let [x1_px, y1_px, x2_px, y2_px] = corners;
    if frame > MAX_FRAME {
        return Err(format!("frame {frame} is beyond {MAX_FRAME}"));
    }
    if !corners.iter().all(|v| v.is_finite()) {
        return Err("the box is not finite".to_owned());
    }
    if !(0.0..=1.0).contains(&score) {
        return Err(format!("the score is not within 0 to 1: {score}"));
    }
    let bounding_box = BoundingBox { x1_px, y1_px, x2_px, y2_px };
    Ok(DetectionLine { frame, detection: Detection { bounding_box, class, score, appearance: None } })
}

fn motchallenge(text: &str, class: ObjectClass) -> Result<DetectionLine, String> {
    let fields: Vec<&str> = text.split(',').collect();
    // Some write the frame as a decimal.
    let frame: f64 = field(&fields, 0, "frame")?;
    if !(0.0..=f64::from(MAX_FRAME)).contains(&frame) || frame.fract() != 0.0 {
        return Err(format!("the frame is not a whole number from 0 to {MAX_FRAME}: `{}`", fields[0].trim()));
    }
    let [left, top, width, height]: [f32; 4] = [
        field(&fields, 2, "left edge")?,
        field(&fields, 3, "top edge")?,
        field(&fields, 4, "width")?,
        field(&fields, 5, "height")?,
    ];
    line(frame as u32, [left, top, left + width, top + height], class, field(&fields, 6, "score")?)
}

/// `None` for a region to ignore.
fn kitti(text: &str) -> Result<Option<DetectionLine>, String> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let frame: u32 = field(&fields, 0, "frame")?;
    let name = fields.get(2).copied().unwrap_or_default();
    if name == "DontCare" {
        return Ok(None);
    }
    let class = KITTI_TYPES.iter().find(|(known, _)| *known == name).map(|(_, class)| *class);
    let class = class.ok_or_else(|| format!("`{name}` is not one of KITTI's types"))?;
    let corners = [
        field(&fields, 6, "left edge")?,
        field(&fields, 7, "top edge")?,
        field(&fields, 8, "right edge")?,
        field(&fields, 9, "bottom edge")?,
    ];
    // Labels have no score: they are certain.
    let score = if fields.len() > 17 { field(&fields, 17, "score")? } else { 1.0 };
    line(frame, corners, class, score).map(Some)
}

/// Writes one line.
///
/// # Errors
/// As of `out`.
pub(crate) fn write(out: &mut impl Write, line: &TrackLine, format: Format) -> std::io::Result<()> {
    let detection =
        Detection { bounding_box: line.bounding_box, class: line.class, score: line.score, appearance: None };
    write_box(out, line.frame, i64::from(line.track_id), &detection, format)
}

/// Writes one detection.
///
/// # Errors
/// As of `out`.
pub(crate) fn write_detection(
    out: &mut impl Write,
    frame: u32,
    detection: &Detection,
    format: Format,
) -> std::io::Result<()> {
    write_box(out, frame, -1, detection, format)
}

fn write_box(out: &mut impl Write, frame: u32, id: i64, detection: &Detection, format: Format) -> std::io::Result<()> {
    let Detection { bounding_box: b, class, score, .. } = detection;
    match format {
        Format::Motchallenge => writeln!(
            out,
            "{frame},{id},{:.2},{:.2},{:.2},{:.2},{score},-1,-1,-1",
            b.x1_px,
            b.y1_px,
            b.width_px(),
            b.height_px()
        ),
        Format::Kitti => {
            let name = KITTI_TYPES.iter().find(|(_, known)| known == class).map_or("Misc", |(name, _)| name);
            writeln!(
                out,
                "{frame} {id} {name} -1 -1 -10 {:.2} {:.2} {:.2} {:.2} -1 -1 -1 -1000 -1000 -1000 -10 {score}",
                b.x1_px, b.y1_px, b.x2_px, b.y2_px
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(format: Format, text: &str) -> String {
        format!("{:#}", read(text, Path::new("det.txt"), format, ObjectClass::Car).unwrap_err())
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let mot = |text| error(Format::Motchallenge, text);
        assert_eq!(mot("1,-1,2,3\n"), "det.txt:1: there is no width: the line has 4 fields");
        assert_eq!(mot("\n1,-1,2,3,4,5,7\n"), "det.txt:2: the score is not within 0 to 1: 7");
        assert_eq!(mot("1.5,-1,2,3,4,5,1"), "det.txt:1: the frame is not a whole number from 0 to 4000000: `1.5`");
        assert_eq!(mot("1e9,-1,2,3,4,5,1"), "det.txt:1: the frame is not a whole number from 0 to 4000000: `1e9`");
        assert_eq!(mot("1,-1,inf,3,4,5,1"), "det.txt:1: the box is not finite");
        assert_eq!(mot("1,-1,2,3,4,5,nan"), "det.txt:1: the score is not within 0 to 1: NaN");
        let kitti = |text| error(Format::Kitti, text);
        assert_eq!(kitti("0 1 Boat 0 0 0 1 2 3 4"), "det.txt:1: `Boat` is not one of KITTI's types");
        assert_eq!(kitti("x"), "det.txt:1: the frame is not a number: `x`");
    }

    #[test]
    fn kitti_labels_are_certain_and_regions_to_ignore_are_ignored() {
        let text = "0 -1 DontCare -1 -1 -10 1 2 3 4 0 0 0 0 0 0 0\n2 7 Cyclist 0 0 0 1 2 3 4 0 0 0 0 0 0 0\n";
        let read = read(text, Path::new("label.txt"), Format::Kitti, ObjectClass::Car).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].frame, read[0].detection.class, read[0].detection.score), (2, ObjectClass::Bicycle, 1.0));
    }
}
