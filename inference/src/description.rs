//! The model description: a TOML file beside the ONNX file that says how to feed it and how to read it.
//!
//! In: the file's text. Out: a [`ModelDescription`] whose values are in range. Every error names the file and the line.
//! Whether the description fits the network is found out when both are opened together.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{Error, ObjectClass};

/// Longest side of a network's input, pixels.
const MAX_INPUT_SIDE: u32 = 4096;
/// Largest model class index; public label sets have at most a few thousand.
const MAX_CLASS_INDEX: u32 = 9_999;
/// Largest description file, bytes.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 20;

/// A model description.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelDescription {
    /// What the model is.
    pub model: ModelIdentity,
    /// How an image becomes its input.
    pub input: InputDescription,
    /// How its outputs become boxes.
    pub head: HeadDescription,
    /// Model class index → class; indices not listed are ignored.
    #[serde(deserialize_with = "classes")]
    pub classes: BTreeMap<u32, ObjectClass>,
}

/// What the model is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelIdentity {
    /// Short name, for logs and recordings.
    pub name: String,
    /// The ONNX file, relative to the description.
    pub file: PathBuf,
    /// SPDX licence of the weights.
    pub licence: String,
}

/// How an image becomes the network's input: `value = (pixel × scale − mean) / std` in every channel.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InputDescription {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Order of the axes.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the channels; `mean` and `std` follow it.
    pub colour: Colour,
    /// How the image is fitted into the input.
    pub resize: Resize,
    /// Pixel value around a letterboxed image.
    #[serde(default = "letterbox_grey")]
    pub pad: u8,
    /// Factor on the pixel value.
    #[serde(default = "one")]
    pub scale: f32,
    /// Subtracted after scaling, per channel.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Divisor, per channel.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// Name of a second input that takes the size boxes are scaled to (RT-DETR, D-FINE: `orig_target_sizes`). It is
    /// given `width` and `height`.
    pub size_input: Option<String>,
}

/// Order of the input's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// `1 × 3 × height × width`.
    #[default]
    Nchw,
    /// `1 × height × width × 3`.
    Nhwc,
}

/// Order of the input's channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Red first.
    Rgb,
    /// Blue first, as OpenCV has it.
    Bgr,
}

/// How an image is fitted into the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Keep the aspect; image in the top-left corner, padding right and below (YOLOX).
    LetterboxTopLeft,
    /// Keep the aspect; image in the middle (Ultralytics).
    LetterboxCentre,
    /// Fill the input, aspect lost.
    Stretch,
}

/// Kinds of output that are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadType {
    /// YOLOX: `[1, cells, 5 + classes]`.
    Yolox,
    /// YOLOv8, YOLO11 and kin: `[1, 4 + classes, anchors]`.
    Yolov8,
    /// NanoDet and PicoDet: class scores and edge distributions per stride.
    Nanodet,
    /// FastestDet: `[1, 5 + classes, rows, columns]`.
    FastestDet,
    /// YuNet, a face detector: class, objectness and box per stride, one class.
    Yunet,
    /// RetinaFace and its kin for plates: boxes relative to anchors, one class.
    RetinaFace,
    /// RT-DETR, D-FINE, YOLOv10 and kin: final boxes.
    EndToEnd,
}

impl HeadType {
    /// Its name in a description.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yolox => "yolox",
            Self::Yolov8 => "yolov8",
            Self::Nanodet => "nanodet",
            Self::FastestDet => "fastest-det",
            Self::Yunet => "yunet",
            Self::RetinaFace => "retina-face",
            Self::EndToEnd => "end-to-end",
        }
    }
}

/// How the network's outputs become boxes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HeadDescription {
    /// The kind of output.
    #[serde(rename = "type")]
    pub kind: HeadType,
    /// Least score of a detection, 0 to 1.
    pub score_threshold: f32,
    /// Boxes that overlap a better one by more than this intersection over union are doubles. Absent: nothing is
    /// suppressed, which suits end-to-end models only.
    pub nms_iou: Option<f32>,
    /// Between which classes boxes count as doubles.
    #[serde(default)]
    pub suppress_across: SuppressAcross,
    /// `yolox`, `nanodet`, `yunet`, `retina-face`: cell size of every feature map, input pixels.
    #[serde(default)]
    pub strides: Vec<u32>,
    /// `retina-face`: sides of the anchors of every feature map in turn, input pixels; as many for each.
    #[serde(default)]
    pub anchors_px: Vec<f32>,
    /// Whether scores are probabilities already.
    #[serde(default)]
    pub scores: Scores,
    /// How boxes are written; each head has its usual form as default.
    pub boxes: Option<Boxes>,
    /// `nanodet`: edge distances are distributions over 0 to this many strides. Default 7.
    pub reg_max: Option<u32>,
    /// `nanodet`: where in a cell distances start, in cells: 0.5 (default) is its centre, 0 its corner (NanoDet-Plus).
    pub cell_offset: Option<f32>,
    /// Output names in the order the head reads them; default: told apart by shape. `nanodet`: the scores of every
    /// stride, then the edges of every stride. `end-to-end`: scores, labels, boxes or logits, boxes.
    #[serde(default)]
    pub outputs: Vec<String>,
}

/// Between which classes boxes count as doubles of one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressAcross {
    /// Within one class only.
    Class,
    /// Within one class, and among car, van, truck, bus and tram: detectors often give one vehicle two of these.
    #[default]
    VehicleGroup,
    /// Among all classes.
    All,
}

/// What the score outputs hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scores {
    /// Probabilities.
    #[default]
    Probability,
    /// Logits: the head applies the sigmoid.
    Logit,
}

/// How boxes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boxes {
    /// Centre relative to the grid cell and logarithm of the size, in strides (`yolox`).
    Grid,
    /// Centre and size, input pixels.
    Cxcywh,
    /// Corners, input pixels.
    Xyxy,
    /// Centre and size, fractions of the input.
    CxcywhUnit,
    /// Corners, fractions of the input.
    XyxyUnit,
}

fn letterbox_grey() -> u8 {
    114
}

fn one() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

/// TOML keys are strings; model classes are numbers.
fn classes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u32, ObjectClass>, D::Error> {
    let entries = BTreeMap::<String, ObjectClass>::deserialize(deserializer)?;
    let mut classes = BTreeMap::new();
    for (key, class) in entries {
        let index = key.parse().ok().filter(|&index: &u32| index <= MAX_CLASS_INDEX && index.to_string() == key);
        let index = index.ok_or_else(|| {
            serde::de::Error::custom(format!("`{key}` is not a model class index (0 to {MAX_CLASS_INDEX})"))
        })?;
        classes.insert(index, class);
    }
    Ok(classes)
}

impl ModelDescription {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// [`Error::Read`] or [`Error::Description`].
    pub fn read(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Read { path: path.to_owned(), source };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MAX_DESCRIPTION_BYTES {
            return Err(Error::Description {
                path: path.to_owned(),
                line: 1,
                reason: format!("{bytes} bytes are too many for a description; is this the model itself?"),
            });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?, path)
    }

    /// Checks the text of a description; `path` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Description`] with the line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let failed = |line, reason| Error::Description { path: path.to_owned(), line, reason };
        let description: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count();
            failed(line, with_nearest_key(error.message()))
        })?;
        description.check().map_err(|(section, key, reason)| failed(line_of(text, section, key), reason))?;
        Ok(description)
    }

    /// The first value out of its range, as section, key and reason.
    fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        let Self { model, input, head, classes } = self;
        let unless = |good: bool, section, key, reason: &str| {
            if good { Ok(()) } else { Err((section, key, format!("`{key}` {reason}"))) }
        };
        let side = 1..=MAX_INPUT_SIDE;
        let sides = format!("must be 1 to {MAX_INPUT_SIDE} pixels");
        unless(!model.name.is_empty(), "model", "name", "must not be empty")?;
        unless(side.contains(&input.width), "input", "width", &sides)?;
        unless(side.contains(&input.height), "input", "height", &sides)?;
        let named = input.size_input.as_ref().is_none_or(|name| !name.is_empty());
        unless(named, "input", "size-input", "must not be empty")?;
        unless(input.scale.is_finite() && input.scale != 0.0, "input", "scale", "must be finite and not zero")?;
        unless(input.mean.iter().all(|mean| mean.is_finite()), "input", "mean", "must be finite")?;
        let divisible = input.std.iter().all(|std| std.is_finite() && *std != 0.0);
        unless(divisible, "input", "std", "must be finite and not zero")?;
        let fraction = 0.0..=1.0;
        unless(fraction.contains(&head.score_threshold), "head", "score-threshold", "must be 0 to 1")?;
        unless(head.nms_iou.is_none_or(|iou| fraction.contains(&iou)), "head", "nms-iou", "must be 0 to 1")?;
        unless(!classes.is_empty(), "classes", "classes", "must name at least one class")?;

        let kind = head.kind;
        let anchored = kind == HeadType::RetinaFace;
        let gridded = anchored || matches!(kind, HeadType::Yolox | HeadType::Nanodet | HeadType::Yunet);
        let foreign = format!("means nothing to head `{}`", kind.name());
        let mut ordered = head.strides.windows(2).all(|pair| pair[0] < pair[1]);
        ordered &= head.strides.iter().all(|stride| (1..=256).contains(stride));
        unless(ordered, "head", "strides", "must rise and be 1 to 256 pixels")?;
        unless(gridded || head.strides.is_empty(), "head", "strides", &foreign)?;
        let needs_strides = gridded && (kind != HeadType::Yolox || head.box_form() == Boxes::Grid);
        unless(!needs_strides || !head.strides.is_empty(), "head", "strides", "must name at least one stride")?;
        let anchors = &head.anchors_px;
        unless(anchored || anchors.is_empty(), "head", "anchors-px", &foreign)?;
        let even = !anchors.is_empty() && anchors.len() % head.strides.len().max(1) == 0;
        unless(!anchored || even, "head", "anchors-px", "must be as many for each stride")?;
        let sided = anchors.iter().all(|side| (1.0..=4096.0).contains(side));
        unless(sided, "head", "anchors-px", "must be 1 to 4096 pixels")?;
        let nms_needed = kind != HeadType::EndToEnd && head.nms_iou.is_none();
        unless(!nms_needed, "head", "nms-iou", &format!("is needed by head `{}`", kind.name()))?;
        let distribution = kind == HeadType::Nanodet;
        unless(distribution || head.reg_max.is_none(), "head", "reg-max", &foreign)?;
        unless(head.reg_max.is_none_or(|max| (1..=64).contains(&max)), "head", "reg-max", "must be 1 to 64")?;
        unless(distribution || head.cell_offset.is_none(), "head", "cell-offset", &foreign)?;
        let offset = head.cell_offset.is_none_or(|offset| fraction.contains(&offset));
        unless(offset, "head", "cell-offset", "must be 0 to 1")?;
        let named = matches!(kind, HeadType::Nanodet | HeadType::EndToEnd);
        unless(named || head.outputs.is_empty(), "head", "outputs", &foreign)?;
        let fixed_form = !matches!(kind, HeadType::Yolox | HeadType::Yolov8 | HeadType::EndToEnd);
        unless(!fixed_form || head.boxes.is_none(), "head", "boxes", &foreign)?;
        let grid_elsewhere = head.boxes == Some(Boxes::Grid) && kind != HeadType::Yolox;
        unless(!grid_elsewhere, "head", "boxes", &format!("cannot be `grid` for head `{}`", kind.name()))
    }
}

impl HeadDescription {
    /// How boxes are written: as described, or as this head usually does.
    pub(crate) fn box_form(&self) -> Boxes {
        self.boxes.unwrap_or(match self.kind {
            HeadType::Yolox | HeadType::Yunet => Boxes::Grid,
            HeadType::Yolov8 => Boxes::Cxcywh,
            HeadType::Nanodet | HeadType::FastestDet | HeadType::RetinaFace | HeadType::EndToEnd => Boxes::Xyxy,
        })
    }
}

/// The message for an unknown key, with the valid key that is most like it.
fn with_nearest_key(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let nearest = match quoted.split_first() {
        Some((unknown, valid)) if message.starts_with("unknown ") => {
            let likeness = |key: &&&str| (strsim::jaro_winkler(unknown, key) * 1e6) as u32;
            valid.iter().max_by_key(likeness)
        }
        _ => None,
    };
    nearest.map_or_else(|| message.to_owned(), |nearest| format!("{message}; did you mean `{nearest}`?"))
}

/// The line of `key` in `[section]`; of the section where the key is absent; else 1.
fn line_of(text: &str, section: &str, key: &str) -> usize {
    let mut header = None;
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix('[') {
            inside = rest.split(']').next().is_some_and(|name| name.trim() == section);
            if inside {
                header = Some(index + 1);
            }
        } else if inside && line.split('=').next().is_some_and(|name| name.trim().trim_matches('"') == key) {
            return index + 1;
        }
    }
    header.unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORTEST: &str = "[model]\nname = 'm'\nfile = 'm.onnx'\nlicence = 'MIT'\n\
        [input]\nwidth = 64\nheight = 32\ncolour = 'rgb'\nresize = 'stretch'\n\
        [head]\ntype = 'yolox'\nscore-threshold = 0.3\nnms-iou = 0.5\nstrides = [8, 16]\n\
        [classes]\n0 = 'person'\n17 = 'e-scooter'\n";

    #[test]
    fn what_is_left_out_has_the_usual_value() {
        let description = ModelDescription::parse(SHORTEST, Path::new("m.toml")).unwrap();
        let input = &description.input;
        assert_eq!((input.layout, input.pad, input.scale), (Layout::Nchw, 114, 1.0));
        assert_eq!((input.mean, input.std), ([0.0; 3], [1.0; 3]));
        let head = &description.head;
        assert_eq!((head.suppress_across, head.scores), (SuppressAcross::VehicleGroup, Scores::Probability));
        assert_eq!(head.box_form(), Boxes::Grid);
        assert_eq!(description.classes, BTreeMap::from([(0, ObjectClass::Person), (17, ObjectClass::EScooter)]));
    }

    #[test]
    fn values_out_of_range_name_their_line() {
        for (from, to, line, word) in [
            ("width = 64", "width = 4097", 6, "width"),
            ("height = 32", "height = 32\nstd = [1.0, 0.0, 1.0]", 8, "std"),
            ("height = 32", "height = 32\nscale = nan", 8, "scale"),
            ("nms-iou = 0.5", "nms-iou = -0.5", 13, "nms-iou"),
            ("strides = [8, 16]", "strides = [16, 8]", 14, "strides"),
            ("strides = [8, 16]", "", 10, "strides"),
            ("'yolox'", "'fastest-det'", 14, "strides"),
            ("'yolox'", "'nanodet'\nboxes = 'xyxy'", 12, "boxes"),
            ("17 =", "017 =", 15, "017"),
            ("17 =", "99999 =", 15, "99999"),
            ("file = 'm.onnx'\n", "", 1, "file"),
        ] {
            let text = SHORTEST.replace(from, to);
            assert_ne!(text, SHORTEST);
            match ModelDescription::parse(&text, Path::new("m.toml")) {
                Err(Error::Description { line: at, reason, .. }) => {
                    assert_eq!(at, line, "{reason}");
                    assert!(reason.contains(word), "{reason}");
                }
                other => panic!("{other:?} for {text}"),
            }
        }
    }
}
