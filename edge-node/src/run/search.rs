//! Searches what a node would emit for faces and plates.
//!
//! In: a camera's source, the detector and the `[privacy]` of a node, and networks that know neither of them. Out: what those
//! find in the pictures as they are and as they would leave. The pictures take the way of a live node: camera, detector,
//! anonymiser, JPEG. Where the truth of a picture is known, a find on a road user is told from one on nothing, such as a row
//! of windows: that is an error of the searcher.

use super::RunError;
use super::pictures::{Privacy, open_at};
use crate::event::SourceId;
use crate::event::SourceState;
use crate::perception::privacy::{Cover, FinderModel, PrivacySettings};
use crate::recorder::jpeg;
use crate::sources::camera::{self, CameraFrame, CameraOutput, CameraSourceSettings};
use crate::sources::clock::Clock;
use crate::sources::stop::StopToken;
use masa_inference::{BoundingBox, Detection, Detector, EngineSettings, RgbImage};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Longest side of a picture that is decoded again, pixels.
const MAX_SIDE_PX: u32 = 16_384;

/// Share of a find that lies on road users at least when it is one of theirs.
const LEAST_ON_ROAD_USER: f32 = 0.1;

/// What pictures of a source have to do with each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sequence {
    /// They follow each other in time.
    #[default]
    Video,
    /// Nothing: each is a scene of its own, so that nothing is known of it but what is seen in it.
    Stills,
}

/// What is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emission {
    /// What a node emits.
    #[default]
    Anonymised,
    /// What it would emit if nothing were made unrecognisable: shows that the search finds what there is.
    Raw,
}

/// What a network looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trait {
    /// A face.
    Face,
    /// A number plate.
    Plate,
}

impl Trait {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Plate => "plate",
        }
    }
}

/// One searcher.
#[derive(Clone, Debug)]
pub struct Searcher {
    /// What it looks for.
    pub what: Trait,
    /// The network.
    pub model: FinderModel,
    /// Least score of a find, 0 to 1.
    pub least_score: f32,
}

/// Where the road users of a sequence of pictures are, by the running number of the frame from 1: boxes in pixels.
pub type Truth = BTreeMap<u64, Vec<BoundingBox>>;

/// How to search.
#[derive(Clone, Debug)]
pub struct SearchSettings {
    /// The node's detector.
    pub detector: FinderModel,
    /// The node's settings.
    pub privacy: PrivacySettings,
    /// The engine of all networks.
    pub engine: EngineSettings,
    /// Who searches.
    pub searchers: Vec<Searcher>,
    /// Sides of the square that pictures are scaled into for the searchers, one search each, pixels.
    pub sizes_px: Vec<u32>,
    /// Every how many pictures one is searched; all go through the node.
    pub every: u64,
    /// What pictures have to do with each other.
    pub sequence: Sequence,
    /// What is searched.
    pub emission: Emission,
    /// Where road users really are, if that is known: of rendered pictures.
    pub truth: Option<Truth>,
    /// Folder for the searched pictures in which something was found, as they would leave.
    pub save: Option<PathBuf>,
}

/// What a find lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundOn {
    /// Nobody knows: pictures of the world come without truth.
    Unknown,
    /// A road user: a tenth of it at least. A face and a plate lie on their owner whole.
    RoadUser,
    /// No road user: what was found is neither a face nor a plate.
    NoRoadUser,
}

/// A face or plate that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Find {
    /// What.
    pub what: Trait,
    /// In which frame.
    pub frame: u64,
    /// Where.
    pub area: BoundingBox,
    /// How sure the searcher is, 0 to 1.
    pub score: f32,
    /// What it lies on.
    pub on: FoundOn,
}

impl Find {
    /// Whether it may tell who somebody is.
    pub fn counts(&self) -> bool {
        self.on != FoundOn::NoRoadUser
    }
}

/// What a search gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SearchReport {
    /// Pictures that came from the source.
    pub pictures: u64,
    /// Pictures that left.
    pub emitted: u64,
    /// Pictures that were searched.
    pub searched: u64,
    /// Regions made unrecognisable, of all pictures that left.
    pub regions: u64,
    /// Found in the pictures as they are.
    pub in_raw: Vec<Find>,
    /// Found in what left.
    pub in_emitted: Vec<Find>,
    /// Time that anonymising took, all pictures together.
    pub spent: Duration,
}

/// Plays `source` through a node's anonymiser and searches what comes out.
///
/// # Errors
/// When a network cannot be opened, or the source fails before its end.
pub fn search(source: CameraSourceSettings, settings: &SearchSettings) -> Result<SearchReport, RunError> {
    let name = "search";
    let of_camera = |source| RunError::Detector { camera: name.to_owned(), source };
    let model = &settings.detector;
    let mut detector =
        Detector::open(&model.model, model.model_file.as_deref(), &settings.engine).map_err(of_camera)?;
    detector.admit_weaker(settings.privacy.least_score);
    let mut privacy = Privacy::open(name, &settings.privacy, &settings.engine)?;
    let mut searchers = Vec::new();
    for searcher in &settings.searchers {
        for size in &settings.sizes_px {
            searchers.push((searcher, open_at(&searcher.model, *size, &settings.engine).map_err(of_camera)?));
        }
    }
    let clock = Clock::system();
    let handle = camera::spawn(source, SourceId(1), name, clock.clone(), &StopToken::new())?;
    let mut report = SearchReport::default();
    let (mut road_users, mut found) = (Vec::new(), Vec::new());
    while let Some(output) = handle.recv() {
        let frame = match output {
            CameraOutput::Frame(frame) => frame,
            CameraOutput::Status(status) if status.state == SourceState::Failed => {
                return Err(RunError::Source { name: status.name, detail: status.detail });
            }
            CameraOutput::Dropped(_) | CameraOutput::Status(_) => continue,
        };
        report.pictures += 1;
        let perceived = detector.detect(&frame.image, &mut road_users).is_ok();
        let began = clock.elapsed();
        if settings.sequence == Sequence::Stills {
            privacy.forget();
        }
        let picture = privacy.picture(SourceId(1), &frame, perceived.then_some(road_users.as_slice()));
        report.spent += clock.elapsed().saturating_sub(began);
        let Ok(picture) = picture else { continue };
        report.emitted += 1;
        if let Cover::Regions(regions) = picture.cover() {
            report.regions += regions as u64;
        }
        if report.emitted % settings.every.max(1) != 0 && settings.sequence == Sequence::Video {
            continue;
        }
        report.searched += 1;
        let left = match settings.emission {
            Emission::Anonymised => picture.as_ref(),
            Emission::Raw => &frame.image,
        };
        let encoded = jpeg(left);
        let left = RgbImage::decode_jpeg(&encoded, MAX_SIDE_PX).map_err(RunError::Picture)?;
        let before = report.in_emitted.len();
        let truth = settings.truth.as_ref().map(|truth| truth.get(&frame.frame).map_or(&[][..], Vec::as_slice));
        for (searcher, network) in &mut searchers {
            for (image, finds) in [(frame.image.as_ref(), &mut report.in_raw), (&left, &mut report.in_emitted)] {
                network.detect(image, &mut found).map_err(of_camera)?;
                add(finds, searcher, &frame, truth, &found);
            }
        }
        if let Some(folder) = settings.save.as_ref().filter(|_| report.in_emitted.len() > before) {
            let path = folder.join(format!("{}.jpg", frame.frame));
            std::fs::write(&path, &encoded).map_err(|source| RunError::Save { path, source })?;
        }
    }
    Ok(report)
}

/// Adds what is new: the sizes of one searcher often find the same.
fn add(
    finds: &mut Vec<Find>,
    searcher: &Searcher,
    frame: &CameraFrame,
    truth: Option<&[BoundingBox]>,
    found: &[Detection],
) {
    for one in found.iter().filter(|one| one.score >= searcher.least_score) {
        let (what, area) = (searcher.what, one.bounding_box);
        let known = finds.iter_mut().rev().take_while(|find| find.frame == frame.frame);
        let mut same = known.filter(|find| find.what == what && find.area.iou(&area) > 0.3);
        match same.next() {
            Some(find) => find.score = find.score.max(one.score),
            None => finds.push(Find { what, frame: frame.frame, area, score: one.score, on: found_on(&area, truth) }),
        }
    }
}

fn found_on(area: &BoundingBox, truth: Option<&[BoundingBox]>) -> FoundOn {
    let Some(road_users) = truth else { return FoundOn::Unknown };
    let on: f32 = road_users.iter().map(|road_user| common_px2(area, road_user)).sum();
    if on > 0.0 && on >= LEAST_ON_ROAD_USER * area.area_px2() { FoundOn::RoadUser } else { FoundOn::NoRoadUser }
}

fn common_px2(a: &BoundingBox, b: &BoundingBox) -> f32 {
    let both = BoundingBox {
        x1_px: a.x1_px.max(b.x1_px),
        y1_px: a.y1_px.max(b.y1_px),
        x2_px: a.x2_px.min(b.x2_px),
        y2_px: a.y2_px.min(b.y2_px),
    };
    both.area_px2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_find_is_on_a_road_user_when_a_tenth_of_it_is() {
        let square = |x: f32| BoundingBox { x1_px: x, y1_px: 0.0, x2_px: x + 10.0, y2_px: 10.0 };
        let road_users = [square(100.0), square(118.0)];
        let on = |x| found_on(&square(x), Some(&road_users));
        assert_eq!([on(100.0), on(92.0), on(126.5)], [FoundOn::RoadUser; 3]);
        assert_eq!(on(109.0), FoundOn::RoadUser, "a tenth on each of two");
        assert_eq!([on(90.5), on(127.5), on(300.0)], [FoundOn::NoRoadUser; 3]);
        assert_eq!(found_on(&square(0.0), Some(&[])), FoundOn::NoRoadUser);
        assert_eq!(found_on(&square(111.0), None), FoundOn::Unknown);
        let find = |on| Find { what: Trait::Plate, frame: 1, area: square(0.0), score: 0.9, on };
        assert!(find(FoundOn::Unknown).counts() && find(FoundOn::RoadUser).counts());
        assert!(!find(FoundOn::NoRoadUser).counts());
    }
}
