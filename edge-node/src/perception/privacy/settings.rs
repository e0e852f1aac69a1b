//! Settings of anonymisation: the `[privacy]` table of a node file.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is made unrecognisable, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PrivacySettings {
    /// How a region is made unrecognisable.
    pub fill: Fill,
    /// How much of a person.
    pub persons: PersonCover,
    /// How much of a vehicle.
    pub vehicles: VehicleCover,
    /// What becomes of a picture that current perception, or a finder that looked at it last, does not vouch for.
    pub when_blind: WhenBlind,
    /// For how long a region stays after its detector last saw it, seconds.
    pub hold_over_s: f64,
    /// By how many standard deviations of its predicted edges the region of an unseen road user grows.
    pub growth_sigma: f64,
    /// Detections weaker than this are ignored, 0 to 1; what the detector's own threshold lets through at most.
    pub least_score: f32,
    /// Nothing leaves for this long after perception began or had a gap, seconds: what a detector does not see in its first
    /// frame, it may see in the next.
    pub warm_up_s: f64,
    /// Networks that look for faces and plates in pictures that are about to leave.
    pub finders: FinderSettings,
}

impl Default for PrivacySettings {
    fn default() -> Self {
        Self {
            fill: Fill::default(),
            persons: PersonCover::default(),
            vehicles: VehicleCover::default(),
            when_blind: WhenBlind::default(),
            hold_over_s: 2.0,
            growth_sigma: 1.0,
            least_score: 0.1,
            warm_up_s: 0.5,
            finders: FinderSettings::default(),
        }
    }
}

impl PrivacySettings {
    /// Makes relative paths start at `base`.
    pub fn resolve(&mut self, base: &Path) {
        for model in self.finders.models_mut() {
            let paths = std::iter::once(&mut model.model).chain(model.model_file.as_mut());
            paths.filter(|path| path.is_relative()).for_each(|path| *path = base.join(&*path));
        }
    }

    /// Refuses values that protect nobody.
    ///
    /// # Errors
    /// The first setting out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        let seconds = |value: f64| (0.0..=60.0).contains(&value);
        let cells = |cells: u32, least: u32| (1..=16).contains(&cells) && (2..=256).contains(&least);
        let checks = [
            ("hold-over-s", self.hold_over_s.to_string(), seconds(self.hold_over_s), "is not within 0 to 60"),
            ("warm-up-s", self.warm_up_s.to_string(), seconds(self.warm_up_s), "is not within 0 to 60"),
            (
                "growth-sigma",
                self.growth_sigma.to_string(),
                (0.0..=10.0).contains(&self.growth_sigma),
                "is not within 0 to 10",
            ),
            (
                "least-score",
                self.least_score.to_string(),
                (0.0..1.0).contains(&self.least_score),
                "is not from 0 to below 1",
            ),
            (
                "fill",
                format!("{:?}", self.fill),
                match self.fill {
                    Fill::Smooth { cells: across, least_cell_px } | Fill::Pixelate { cells: across, least_cell_px } => {
                        cells(across, least_cell_px)
                    }
                    Fill::Solid => true,
                },
                "needs 1 to 16 cells of at least 2 to 256 pixels",
            ),
            (
                "finders.look",
                format!("{:?}", self.finders.look),
                !matches!(self.finders.look, Look::UntilClean { times } if !(1..=16).contains(&times)),
                "needs 1 to 16 times",
            ),
            (
                "finders.sizes-px",
                format!("{:?}", self.finders.sizes_px),
                self.finders.sizes_px.len() <= 8 && self.finders.sizes_px.iter().all(|side| (64..=4096).contains(side)),
                "needs 8 sizes of 64 to 4096 pixels at most",
            ),
            (
                "finders.least-score",
                self.finders.least_score.to_string(),
                (0.0..1.0).contains(&self.finders.least_score),
                "is not from 0 to below 1",
            ),
        ];
        match checks.into_iter().find(|(_, _, good, _)| !good) {
            Some((key, value, _, problem)) => Err(SettingsError { key, value, problem }),
            None => Ok(()),
        }
    }
}

/// A setting out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("privacy.{key} = {value} {problem}")]
pub struct SettingsError {
    key: &'static str,
    value: String,
    problem: &'static str,
}

/// How a region is made unrecognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Fill {
    /// The colours of [`Fill::Pixelate`]'s cells, interpolated from cell to cell and faded out around the region: a heavy blur
    /// that keeps no more than the cells do, without their edges. Pleasanter to look at; a network for faces takes a smooth
    /// patch for one more often than cells (see docs/privacy.md).
    Smooth {
        /// Cells across a head, a plate, a cabin at most.
        cells: u32,
        /// Side of a cell at least, pixels.
        least_cell_px: u32,
    },
    /// Cells of one colour each, the mean of what was there in sixteen steps a channel.
    Pixelate {
        /// Cells across a head, a plate, a cabin at most.
        cells: u32,
        /// Side of a cell at least, pixels.
        least_cell_px: u32,
    },
    /// One grey for all: nothing of what was there remains, not even over many frames.
    Solid,
}

impl Default for Fill {
    fn default() -> Self {
        Self::Pixelate { cells: 3, least_cell_px: 8 }
    }
}

/// How much of a person is covered. Riders are covered whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonCover {
    /// The head, where an upright and whole box says where that is; the whole box elsewhere.
    #[default]
    Head,
    /// All of the box.
    Whole,
}

/// How much of a vehicle is covered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VehicleCover {
    /// The windows (upper part) and where plates are (lower part), each coarsened by its own size.
    #[default]
    CabinAndPlate,
    /// All of the box as one region.
    Whole,
}

/// What becomes of a picture that current perception, or a finder that looked at it last, does not vouch for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenBlind {
    /// It does not leave.
    #[default]
    Withhold,
    /// It leaves in a few dozen cells.
    PixelateWhole,
}

/// Networks that look for what boxes of road users do not tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FinderSettings {
    /// Finds faces; absent: heads are known from persons alone.
    pub face: Option<FinderModel>,
    /// Finds plates; absent: plates are known from vehicles alone.
    pub plate: Option<FinderModel>,
    /// What they look at.
    pub look: Look,
    /// Sides of the square that pictures are scaled into for them, one look each, pixels; empty: as the model says.
    pub sizes_px: Vec<u32>,
    /// Weaker finds are ignored, 0 to 1: a network that sees faces in asphalt covers half the picture.
    pub least_score: f32,
}

impl Default for FinderSettings {
    fn default() -> Self {
        Self { face: None, plate: None, look: Look::default(), sizes_px: Vec::new(), least_score: 0.5 }
    }
}

/// What finders look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Look {
    /// The picture as it is: what they find is covered and followed.
    #[default]
    Once,
    /// Also the picture as it would leave: what they still find there is covered more coarsely and they look again, until
    /// they find nothing. Each time costs what looking once costs.
    UntilClean {
        /// How often at most; a picture that is not clean then does not leave as it is (see [`WhenBlind`]).
        times: u32,
    },
}

impl FinderSettings {
    fn models_mut(&mut self) -> impl Iterator<Item = &mut FinderModel> {
        self.face.iter_mut().chain(&mut self.plate)
    }
}

/// One finder's network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FinderModel {
    /// The model description, relative to the node file.
    pub model: PathBuf,
    /// The ONNX file, when it is not where the description says.
    #[serde(default)]
    pub model_file: Option<PathBuf>,
}
