//! One camera's anonymiser: perception and picture of a frame in, a picture that may leave out.

use super::fill::{fill, fill_whole};
use super::follower::Follower;
use super::region::{Region, Subject, regions_of};
use super::settings::{PrivacySettings, SettingsError, WhenBlind};
use crate::perception::tracking::FrameId;
use masa_inference::{Detection, RgbImage};
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;

/// A gap between frames after which perception begins anew, seconds.
const GAP_S: f64 = 1.0;

/// What perception says of one frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sightings<'a> {
    /// Road users, as detected.
    pub road_users: &'a [Detection],
    /// Faces, where a finder looked for them.
    pub faces: &'a [Detection],
    /// Plates, where a finder looked for them.
    pub plates: &'a [Detection],
}

/// How much of a picture was made unrecognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// This many regions.
    Regions(usize),
    /// All of it.
    Whole,
}

/// Why a picture does not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// Nothing is known of this frame: its inference failed, or the newest perception is of another frame.
    #[error("no current perception of the frame")]
    Blind,
    /// Perception has only just begun.
    #[error("perception is warming up")]
    WarmingUp,
    /// The picture has not the size that perception was told.
    #[error("the picture is not the one that was perceived")]
    Misfit,
    /// Finders find something in it, however often that is covered.
    #[error("finders still find something in the covered picture")]
    NotClean,
}

impl Withheld {
    /// Name in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::WarmingUp => "warming-up",
            Self::Misfit => "misfit",
            Self::NotClean => "not-clean",
        }
    }
}

/// A picture in which nobody is meant to be recognised: the only pictures that leave a node.
///
/// Only [`Anonymiser::anonymise`] makes one.
#[derive(Clone, Debug)]
pub struct Anonymised {
    frame: u64,
    captured_at: Timestamp,
    image: Arc<RgbImage>,
    cover: Cover,
}

impl Anonymised {
    /// Running number of the frame in its source.
    pub fn frame(&self) -> u64 {
        self.frame
    }

    /// When its shutter opened.
    pub fn captured_at(&self) -> Timestamp {
        self.captured_at
    }

    /// How much of it was made unrecognisable.
    pub fn cover(&self) -> Cover {
        self.cover
    }
}

impl AsRef<RgbImage> for Anonymised {
    fn as_ref(&self) -> &RgbImage {
        &self.image
    }
}

/// What the newest perception was of.
#[derive(Clone, Copy, Debug)]
struct Perceived {
    id: FrameId,
    image_size_px: [u32; 2],
    /// Capture time of the first frame since the beginning or a gap.
    since: Timestamp,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Anonymiser {
    settings: PrivacySettings,
    road_users: Follower,
    faces: Follower,
    plates: Follower,
    newest: Option<Perceived>,
    regions: Vec<Region>,
}

impl Anonymiser {
    /// An anonymiser that knows of nobody yet.
    ///
    /// # Errors
    /// A setting is outside its range.
    pub fn new(settings: &PrivacySettings) -> Result<Self, SettingsError> {
        settings.check()?;
        let follower = || Follower::new(settings.hold_over_s, settings.growth_sigma, settings.least_score);
        Ok(Self {
            settings: settings.clone(),
            road_users: follower(),
            faces: follower(),
            plates: follower(),
            newest: None,
            regions: Vec::new(),
        })
    }

    /// Takes what perception says of a frame of `image_size_px`. A frame that is not newer than the one before is ignored,
    /// and its picture will be without perception.
    pub fn observe(&mut self, id: FrameId, image_size_px: [u32; 2], sightings: Sightings<'_>) {
        if !self.road_users.observe(id, image_size_px, sightings.road_users) {
            return;
        }
        self.faces.observe(id, image_size_px, sightings.faces);
        self.plates.observe(id, image_size_px, sightings.plates);
        let continued = self.newest.filter(|before| id.captured_at.seconds_since(before.id.captured_at) <= GAP_S);
        let since = continued.map_or(id.captured_at, |before| before.since);
        self.newest = Some(Perceived { id, image_size_px, since });
        self.find_regions(image_size_px, sightings);
    }

    /// Covers what finders found in the newest picture as it would leave, in cells `coarser` times as large as those of what
    /// they find in the picture as it is.
    pub fn cover(&mut self, faces: &[Detection], plates: &[Detection], coarser: f32) {
        for (subject, found) in [(Subject::Face, faces), (Subject::Plate, plates)] {
            for one in found {
                let regions = regions_of(subject, &one.bounding_box, [0; 2], &self.settings);
                self.regions.extend(regions.map(|region| region.coarsened(coarser)));
            }
        }
    }

    /// Forgets everything: what follows has nothing to do with what was.
    pub fn forget(&mut self) {
        let follower =
            || Follower::new(self.settings.hold_over_s, self.settings.growth_sigma, self.settings.least_score);
        (self.road_users, self.faces, self.plates) = (follower(), follower(), follower());
        self.newest = None;
        self.regions.clear();
    }

    /// The regions of the newest frame.
    pub fn regions(&self) -> &[Region] {
        &self.regions
    }

    /// The picture of frame `frame` as it may leave.
    ///
    /// # Errors
    /// [`Withheld`], unless the settings let such a picture leave in a few dozen cells.
    pub fn anonymise(&self, frame: u64, captured_at: Timestamp, image: &Arc<RgbImage>) -> Result<Anonymised, Withheld> {
        match self.vouch(frame, captured_at, image) {
            Ok(()) => {
                let mut image = RgbImage::clone(image);
                fill(&mut image, &self.regions, self.settings.fill);
                let cover = Cover::Regions(self.regions.len());
                Ok(Anonymised { frame, captured_at, image: Arc::new(image), cover })
            }
            Err(reason) => self.refuse(frame, captured_at, image, reason),
        }
    }

    /// What becomes of a picture that nothing vouches for.
    ///
    /// # Errors
    /// `reason`, unless the settings let such a picture leave in a few dozen cells.
    pub fn refuse(
        &self,
        frame: u64,
        captured_at: Timestamp,
        image: &RgbImage,
        reason: Withheld,
    ) -> Result<Anonymised, Withheld> {
        match self.settings.when_blind {
            WhenBlind::Withhold => Err(reason),
            WhenBlind::PixelateWhole => {
                let mut image = image.clone();
                fill_whole(&mut image, self.settings.fill);
                Ok(Anonymised { frame, captured_at, image: Arc::new(image), cover: Cover::Whole })
            }
        }
    }

    /// Whether the newest perception is of this picture and old enough to be relied on.
    fn vouch(&self, frame: u64, captured_at: Timestamp, image: &RgbImage) -> Result<(), Withheld> {
        let newest = self.newest.filter(|newest| newest.id.frame == frame && newest.id.captured_at == captured_at);
        let newest = newest.ok_or(Withheld::Blind)?;
        if newest.image_size_px != [image.width, image.height] {
            return Err(Withheld::Misfit);
        }
        if captured_at.seconds_since(newest.since) < self.settings.warm_up_s {
            return Err(Withheld::WarmingUp);
        }
        Ok(())
    }

    fn find_regions(&mut self, image_size_px: [u32; 2], sightings: Sightings<'_>) {
        let (settings, regions) = (&self.settings, &mut self.regions);
        regions.clear();
        let mut add = |subject, b: &_, doubt_px| {
            regions.extend(regions_of(subject, b, image_size_px, settings).map(|region| region.grown_by(doubt_px)));
        };
        // As detected too: the tracker merges boxes and leaves out what exceeds its capacity.
        for detection in sightings.road_users.iter().filter(|d| d.score >= settings.least_score) {
            add(Subject::RoadUser(detection.class), &detection.bounding_box, [0.0; 4]);
        }
        self.road_users.for_each(|class, b, doubt_px| add(Subject::RoadUser(class), &b, doubt_px));
        for (subject, seen, followed) in
            [(Subject::Face, sightings.faces, &self.faces), (Subject::Plate, sightings.plates, &self.plates)]
        {
            seen.iter().for_each(|detection| add(subject, &detection.bounding_box, [0.0; 4]));
            followed.for_each(|_, b, doubt_px| add(subject, &b, doubt_px));
        }
    }
}
