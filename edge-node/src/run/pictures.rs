//! What becomes of one camera's pictures besides detection: browsers, the recording, the raw ring.
//!
//! In: every frame with what its detector found, or the fact that it found out nothing. Out: raw pictures to browsers on the
//! node and into the encrypted ring, anonymised ones to everything else. While nobody wants an anonymised picture,
//! nothing is followed for one; whoever begins to watch waits for the anonymiser's warm-up.

use super::RunError;
use crate::event::{EventId, SourceId};
use crate::perception::privacy::{
    Anonymised, Anonymiser, Cover, FinderModel, FinderSettings, Look, PrivacySettings, Sightings, Withheld,
};
use crate::perception::tracking::FrameId;
use crate::recorder::raw_ring::RawRing;
use crate::recorder::{Record, Recorder};
use crate::sources::camera::CameraFrame;
use crate::web::CameraFeed;
use masa_inference::{Detection, Detector, EngineSettings, Error, ModelDescription, RgbImage};
use std::path::Path;
use std::sync::Arc;

/// A network that looks for faces or plates in pictures that are about to leave, once a size.
struct Finder {
    sizes: Vec<Detector>,
    least_score: f32,
    found: Vec<Detection>,
    /// What one size found.
    of_one: Vec<Detection>,
}

impl Finder {
    fn open(
        camera: &str,
        model: Option<&FinderModel>,
        settings: &FinderSettings,
        engine: &EngineSettings,
    ) -> Result<Self, RunError> {
        let sizes = match (model, &settings.sizes_px[..]) {
            (None, _) => Ok(Vec::new()),
            (Some(model), []) => {
                Detector::open(&model.model, model.model_file.as_deref(), engine).map(|network| vec![network])
            }
            (Some(model), sizes) => sizes.iter().map(|side| open_at(model, *side, engine)).collect(),
        };
        let sizes = sizes.map_err(|source| RunError::Detector { camera: camera.to_owned(), source })?;
        Ok(Self { sizes, least_score: settings.least_score, found: Vec::new(), of_one: Vec::new() })
    }

    fn look(&mut self, image: &RgbImage) -> Result<(), Error> {
        self.found.clear();
        for network in &mut self.sizes {
            network.detect(image, &mut self.of_one)?;
            self.found.extend(self.of_one.iter().filter(|one| one.score >= self.least_score));
        }
        Ok(())
    }
}

/// Opens a network with a square input of `side` pixels.
pub(super) fn open_at(model: &FinderModel, side: u32, engine: &EngineSettings) -> Result<Detector, Error> {
    let mut description = ModelDescription::read(&model.model)?;
    (description.input.width, description.input.height) = (side, side);
    let beside = || model.model.parent().unwrap_or(Path::new("")).join(&description.model.file);
    let file = model.model_file.clone().unwrap_or_else(beside);
    Detector::with_description(description, file, engine)
}

/// The anonymiser of one camera with its finders.
pub(crate) struct Privacy {
    anonymiser: Anonymiser,
    face: Finder,
    plate: Finder,
    look: Look,
}

impl Privacy {
    /// Loads the finders' networks, which takes seconds of CPU.
    pub(crate) fn open(camera: &str, settings: &PrivacySettings, engine: &EngineSettings) -> Result<Self, RunError> {
        let finders = &settings.finders;
        Ok(Self {
            anonymiser: Anonymiser::new(settings)?,
            face: Finder::open(camera, finders.face.as_ref(), finders, engine)?,
            plate: Finder::open(camera, finders.plate.as_ref(), finders, engine)?,
            look: finders.look,
        })
    }

    /// Forgets what was seen so far.
    pub(crate) fn forget(&mut self) {
        self.anonymiser.forget();
    }

    /// The picture of a frame as it may leave; `road_users` are absent when its inference failed.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn picture(
        &mut self,
        source: SourceId,
        frame: &CameraFrame,
        road_users: Option<&[Detection]>,
    ) -> Result<Anonymised, Withheld> {
        self.follow(source, frame, road_users);
        self.leave(frame)
    }

    /// The picture of the frame that was followed last as it may leave.
    ///
    /// # Errors
    /// Why it may not.
    fn leave(&mut self, frame: &CameraFrame) -> Result<Anonymised, Withheld> {
        let anonymise = |with: &Anonymiser| with.anonymise(frame.frame, frame.captured_at, &frame.image);
        let mut picture = anonymise(&self.anonymiser)?;
        let Look::UntilClean { times } = self.look else { return Ok(picture) };
        for time in 1..=times {
            // A picture that is coarse as a whole is what is left when nothing vouches for it.
            if picture.cover() == Cover::Whole {
                return Ok(picture);
            }
            let looked = self.search(picture.as_ref());
            if let Err(error) = &looked {
                tracing::warn!(frame = frame.frame, %error, "a finder failed");
                break;
            }
            if self.face.found.is_empty() && self.plate.found.is_empty() {
                return Ok(picture);
            }
            // What was found once in its cells' colours would be found in the same ones again.
            self.anonymiser.cover(&self.face.found, &self.plate.found, (1 << time) as f32);
            picture = anonymise(&self.anonymiser)?;
        }
        self.anonymiser.refuse(frame.frame, frame.captured_at, &frame.image, Withheld::NotClean)
    }

    fn search(&mut self, image: &RgbImage) -> Result<(), Error> {
        self.face.look(image)?;
        self.plate.look(image)
    }

    /// Takes what is known of a frame.
    fn follow(&mut self, source: SourceId, frame: &CameraFrame, road_users: Option<&[Detection]>) {
        if let Some(road_users) = road_users
            && let Err(error) = self.observe(source, frame, road_users)
        {
            tracing::warn!(source = source.0, frame = frame.frame, %error, "a finder failed");
        }
    }

    /// Takes what is seen in a frame. When a finder fails, the frame counts as not perceived.
    fn observe(&mut self, source: SourceId, frame: &CameraFrame, road_users: &[Detection]) -> Result<(), Error> {
        self.search(&frame.image)?;
        let event = EventId { source, seq: frame.frame };
        let id = FrameId { event, frame: frame.frame, captured_at: frame.captured_at };
        let sightings = Sightings { road_users, faces: &self.face.found, plates: &self.plate.found };
        self.anonymiser.observe(id, [frame.image.width, frame.image.height], sightings);
        Ok(())
    }
}

/// See the module.
pub(crate) struct Pictures {
    pub(crate) camera: String,
    pub(crate) source: SourceId,
    pub(crate) privacy: Privacy,
    pub(crate) feed: Arc<CameraFeed>,
    pub(crate) recorder: Option<Arc<Recorder>>,
    pub(crate) raw_ring: Option<Arc<RawRing>>,
}

impl Pictures {
    /// Takes a frame; `road_users` are absent when its inference failed.
    pub(crate) fn take(&mut self, frame: &CameraFrame, road_users: Option<&[Detection]>) {
        if let Some(ring) = &self.raw_ring {
            ring.keep(self.source, &self.camera, frame);
        }
        self.feed.offer_raw(frame.frame, frame.captured_at, || Arc::clone(&frame.image));
        let recorder = self.recorder.as_ref().filter(|recorder| recorder.wants_frames());
        if recorder.is_none() && !self.feed.wants_anonymised() {
            // Lets go of the pixels of the last one who watched.
            self.feed.offer_anonymised(|| None);
            return;
        }
        self.privacy.follow(self.source, frame, road_users);
        match recorder {
            Some(recorder) => {
                let picture = anonymised(&self.camera, &mut self.privacy, frame);
                if let Some(picture) = picture.clone() {
                    recorder.record(Record::Frame { camera: self.camera.clone(), picture });
                }
                self.feed.offer_anonymised(|| picture);
            }
            None => self.feed.offer_anonymised(|| anonymised(&self.camera, &mut self.privacy, frame)),
        }
    }
}

/// The picture of the frame that was followed last as it may leave, or the account of why it may not.
fn anonymised(camera: &str, privacy: &mut Privacy, frame: &CameraFrame) -> Option<Anonymised> {
    let picture = privacy.leave(frame).inspect_err(|reason| {
        metrics::counter!("masa_pictures_withheld_total", "source" => camera.to_owned(), "reason" => reason.label())
            .increment(1);
    });
    picture.ok()
}
