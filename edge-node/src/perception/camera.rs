//! One camera's whole path from detections to ground tracks.

use super::georeference::online::{LaneLine, OnlinePoseSettings, PoseDrift, StatedVehicle};
use super::georeference::{Georeference, GeoreferenceSettings, ReferenceReport};
use super::ground::{
    Across, BodySize, Contact, ContactPoint, Covered, Cut, Extent, GroundMeasurement, Level, Motion, MotionSettings,
    Seen, Viewpoint, measure, mistaken, sum,
};
use super::pose_watch::PoseWatch;
use super::tracking::{FrameId, ImageTrack, Tracker, TrackerCounters, TrackerSettings};
use super::{EndedTrack, Error, GroundTrack, TrackState};
use crate::event::{DetectionFrame, EventId, PatchShift, SourceId};
use crate::telemetry::{Stage, StageProbe};
use masa_inference::{BoundingBox, ObjectClass};
use masa_v2x_proto::geo::{Enu, SiteFrame};
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A box nearer to the image's edge than this is cut off by it, pixels.
const EDGE_PX: f64 = 2.0;
/// So many standard deviations of an edge from there it may as well be cut off.
const CUT_SIGMAS: f64 = 1.5;

/// Nobody is looked for by appearance for longer than this, seconds.
const MAX_KEPT_S: f64 = 60.0;

/// Settings of one camera: a `[[camera]]` table of a site file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraSettings {
    /// Name, unique in the site.
    pub id: String,
    /// Width and height of the image that the georeference is given for, pixels. Frames of another size are scaled.
    pub image_size_px: [u32; 2],
    /// Which point of a box stands on the ground.
    #[serde(default)]
    pub contact_point: ContactPoint,
    /// Standard deviation of that point's x and y, pixels.
    #[serde(default = "default_pixel_noise_px")]
    pub pixel_noise_px: f64,
    /// How pixels become ground positions.
    pub georeference: GeoreferenceSettings,
    /// Whether traffic is asked where the camera looks.
    #[serde(default)]
    pub online_pose: OnlinePoseSettings,
    /// Association and track life.
    #[serde(default)]
    pub tracker: TrackerSettings,
    /// Motion on the ground.
    #[serde(default)]
    pub motion: MotionSettings,
    /// What the camera sees of the ground, corners in order, `[east, north]` metres of the site origin: told to others in
    /// CPMs. Empty: not told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footprint_m: Vec<[f64; 2]>,
}

fn default_pixel_noise_px() -> f64 {
    2.0
}

impl CameraSettings {
    /// Replaces the names of calibration files by their content: relative paths start at `base` (the folder of the site
    /// file). Afterwards the settings are complete in themselves and can be recorded.
    ///
    /// # Errors
    /// A file cannot be read or is malformed; the error names it.
    pub fn load_files(&mut self, base: &Path) -> Result<(), Error> {
        self.georeference.load_files(base)
    }

    fn check(&self) -> Result<(), Error> {
        let t = &self.tracker;
        let probability = |v: f32| v > 0.0 && v <= 1.0;
        let (low, high, new) = (t.low_probability, t.high_probability, t.new_track_probability);
        let checks: [(&'static str, String, bool, &'static str); 12] = [
            (
                "image-size-px",
                format!("{:?}", self.image_size_px),
                self.image_size_px.iter().all(|v| (1..=65_536).contains(v)),
                "is not the size of an image",
            ),
            (
                "pixel-noise-px",
                self.pixel_noise_px.to_string(),
                self.pixel_noise_px > 0.0 && self.pixel_noise_px.is_finite(),
                "is not above zero",
            ),
            (
                "tracker.even-score",
                t.even_score.to_string(),
                t.even_score > 0.0 && t.even_score < 1.0,
                "is not between 0 and 1",
            ),
            ("tracker.low-probability", low.to_string(), probability(low), "is not within 0 to 1"),
            ("tracker.high-probability", high.to_string(), high >= low, "is below low-probability"),
            ("tracker.new-track-probability", new.to_string(), new >= high, "is below high-probability"),
            ("tracker.coast-s", t.coast_s.to_string(), t.coast_s >= 0.0, "is negative"),
            ("tracker.retain-s", t.retain_s.to_string(), t.retain_s >= t.coast_s, "is below coast-s"),
            (
                "tracker.appearance.weight",
                t.appearance.weight().to_string(),
                (0.0..=10.0).contains(&t.appearance.weight()),
                "is not within 0 to 10",
            ),
            (
                "tracker.appearance.remember-s",
                t.kept_s().to_string(),
                t.kept_s() <= MAX_KEPT_S,
                "is more than a minute",
            ),
            (
                "tracker.max-detections",
                t.max_detections.to_string(),
                (1..=4096).contains(&t.max_detections),
                "is not within 1 to 4096",
            ),
            (
                "tracker.max-tracks",
                t.max_tracks.to_string(),
                (1..=4096).contains(&t.max_tracks),
                "is not within 1 to 4096",
            ),
        ];
        let wrong =
            checks.into_iter().find(|(_, _, good, _)| !good).map(|(key, value, _, problem)| (key, value, problem));
        let pose = || self.online_pose.problem().map(|(key, value, problem)| (key, value.to_string(), problem));
        match wrong.or_else(pose) {
            Some((key, value, problem)) => Err(Error::Setting { camera: self.id.clone(), key, value, problem }),
            None => Ok(()),
        }
    }
}

/// What a camera's perception left out, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerceptionCounters {
    /// What the tracker left out.
    pub tracker: TrackerCounters,
    /// Detections of tracks whose contact point shows no ground: at or above the horizon, or too uncertain.
    pub off_ground: u64,
}

/// What a track knows of the ground; kept in the order of the tracker's tracks.
#[derive(Clone, Debug)]
struct OnGround {
    track_id: u32,
    /// `None` until a contact point showed ground.
    motion: Option<Motion>,
    size: BodySize,
    /// What the newest frame that tells where it is says, and when it was taken.
    measured: Option<(Timestamp, GroundMeasurement)>,
}

/// Perception of one camera.
#[derive(Clone, Debug)]
pub struct CameraPerception {
    source: SourceId,
    settings: CameraSettings,
    georeference: Georeference,
    pose_watch: Option<PoseWatch>,
    /// `None` where contact points are no lower edges, or the mapping is that of no camera.
    viewpoint: Option<Viewpoint>,
    tracker: Tracker,
    on_ground: Vec<OnGround>,
    tracks: Vec<GroundTrack>,
    ended: Vec<EndedTrack>,
    off_ground: u64,
}

/// From where the camera looks, if its contact points are lower edges.
fn viewpoint(settings: &CameraSettings, georeference: &Georeference) -> Option<Viewpoint> {
    match settings.contact_point {
        ContactPoint::BottomCentre => Viewpoint::of(georeference, settings.image_size_px),
        ContactPoint::BoxCentre => None,
    }
}

impl CameraPerception {
    /// Perception of the camera `source`, whose settings' files are loaded ([`CameraSettings::load_files`]).
    ///
    /// # Errors
    /// A setting is outside its range, or the georeference does not determine a mapping.
    pub fn new(source: SourceId, settings: &CameraSettings, frame: SiteFrame) -> Result<Self, Error> {
        settings.check()?;
        let georeference = Georeference::new(&settings.id, &settings.georeference, settings.image_size_px, &frame)?;
        let viewpoint = viewpoint(settings, &georeference);
        Ok(Self {
            source,
            pose_watch: PoseWatch::new(settings, &georeference)?,
            georeference,
            viewpoint,
            tracker: Tracker::new(settings.tracker.clone()),
            on_ground: Vec::with_capacity(settings.tracker.max_tracks),
            tracks: Vec::with_capacity(settings.tracker.max_tracks),
            ended: Vec::with_capacity(settings.tracker.max_tracks),
            off_ground: 0,
            settings: settings.clone(),
        })
    }

    /// The camera.
    pub fn source(&self) -> SourceId {
        self.source
    }

    /// The camera's mapping between pixels (of images of `image-size-px`) and the ground.
    pub fn georeference(&self) -> &Georeference {
        &self.georeference
    }

    /// The pixel of an image of `image-size-px` that shows `position`; `None` where the camera cannot see that ground.
    pub fn to_pixel(&self, position: Enu) -> Option<[f64; 2]> {
        self.georeference.to_pixel(position)
    }

    /// How well the camera's reference points agree; `None` where it has none.
    pub fn reference_report(&self) -> Option<&ReferenceReport> {
        self.georeference.reference_report()
    }

    /// The lanes in which vehicles drive, where traffic is asked where the camera looks.
    pub(crate) fn set_lanes(&mut self, lanes: Vec<LaneLine>) {
        if let Some(watch) = &mut self.pose_watch {
            watch.set_lanes(lanes);
        }
    }

    /// The pictures lie so many pixels right of and below where they did, since an instant; `None`: where they did. In the
    /// newest, so many parts were found again.
    pub(crate) fn picture_moved(&mut self, moved: Option<(Timestamp, [f32; 2])>, patches: &[PatchShift]) {
        if let Some(watch) = &mut self.pose_watch {
            watch.picture_moved(moved, patches);
        }
    }

    /// Whether traffic is asked where the camera looks.
    pub(crate) fn watches_pose(&self) -> bool {
        self.pose_watch.is_some()
    }

    /// Compares the newest frame's tracks with lanes and with what connected vehicles say; by the policy, the mapping is
    /// corrected from the next frame on.
    pub(crate) fn watch_pose(&mut self, frame: &DetectionFrame, stated: &[StatedVehicle]) {
        let Some(watch) = &mut self.pose_watch else { return };
        let Some(correction) = watch.see(frame, &self.tracks, stated) else { return };
        self.georeference = correction.georeference;
        self.viewpoint = viewpoint(&self.settings, &self.georeference);
        if correction.is_jump {
            self.on_ground.iter_mut().for_each(|entry| entry.motion = None);
        }
    }

    /// How far the camera has turned since its survey, while that is an alarm.
    pub fn pose_drift(&self) -> Option<&PoseDrift> {
        self.pose_watch.as_ref().and_then(PoseWatch::drift)
    }

    /// Takes the next frame, which `id` brought, and returns the confirmed tracks by identity, at the frame's capture time.
    /// A frame that is not newer than the one before is counted and changes nothing.
    pub fn update(&mut self, id: EventId, frame: &DetectionFrame, probe: &mut dyn StageProbe) -> &[GroundTrack] {
        self.ended.clear();
        let frame_id = FrameId { event: id, frame: frame.frame, captured_at: frame.captured_at };
        let is_new = self.tracker.update(frame_id, [frame.width_px, frame.height_px], &frame.detections);
        probe.lap(Stage::Track);
        if is_new {
            self.follow_on_ground(frame);
            self.publish(frame);
        }
        probe.lap(Stage::Georeference);
        &self.tracks
    }

    /// The confirmed tracks as of the newest frame, by identity.
    pub fn tracks(&self) -> &[GroundTrack] {
        &self.tracks
    }

    /// The confirmed tracks that ended with the newest frame.
    pub fn ended(&self) -> &[EndedTrack] {
        &self.ended
    }

    /// What was left out since the beginning.
    pub fn counters(&self) -> PerceptionCounters {
        PerceptionCounters { tracker: self.tracker.counters(), off_ground: self.off_ground }
    }

    fn follow_on_ground(&mut self, frame: &DetectionFrame) {
        // Both lists are in the order of identities, so a track's entry is found without a search.
        let tracks = self.tracker.tracks();
        let mut kept = 0;
        self.on_ground.retain(|entry| {
            let alive = tracks.get(kept).is_some_and(|t| t.track_id == entry.track_id);
            kept += usize::from(alive);
            alive
        });
        for (index, track) in tracks.iter().enumerate() {
            if index == self.on_ground.len() {
                self.on_ground.push(OnGround {
                    track_id: track.track_id,
                    motion: None,
                    size: BodySize::new(track.class().0),
                    measured: None,
                });
            }
            let (entry, class) = (&mut self.on_ground[index], track.class().0);
            if track.is_elsewhere {
                (entry.motion, entry.size, entry.measured) = (None, BodySize::new(class), None);
            }
            entry.size.set_class(class);
            if let Some(motion) = &mut entry.motion {
                motion.set_class(class, &self.settings.motion);
                motion.predict(frame.captured_at);
            }
            if track.detection.is_none() {
                continue;
            }
            let covered = match &self.viewpoint {
                Some(_) if self.settings.contact_point == ContactPoint::BottomCentre => {
                    let seen = tracks.iter().filter(|other| other.is_confirmed() && other.detection.is_some());
                    Covered::of(&track.measured, seen.map(|other| other.measured))
                }
                _ => Covered::default(),
            };
            let Some(contact) = contact(&self.settings, frame, track, covered) else { continue };
            let heading = entry.motion.as_ref().and_then(Motion::heading);
            let viewpoint = self.viewpoint.as_ref();
            let (map, settings) = (&self.georeference, &self.settings.motion);
            let Some(measured) = measure(map, viewpoint, &contact, &entry.size.body(), heading) else {
                self.off_ground += 1;
                continue;
            };
            if let Some(viewpoint) = viewpoint {
                entry.size.see(map, viewpoint, &contact, (measured.position, heading));
            }
            entry.measured = Some((frame.captured_at, measured));
            let seen = Seen { position: measured.position, noise: measured.noise, velocity: None };
            match &mut entry.motion {
                Some(motion) => motion.update(&seen, &measured.bias, settings),
                None => entry.motion = Some(Motion::new(&seen, frame.captured_at, class, settings)),
            }
        }
    }

    fn publish(&mut self, frame: &DetectionFrame) {
        self.tracks.clear();
        for (track, entry) in self.tracker.tracks().iter().zip(&self.on_ground) {
            let unseen_s = frame.captured_at.seconds_since(track.last.captured_at);
            if let (Some(motion), Some((measured_at, measured))) = (&entry.motion, &entry.measured)
                && track.is_confirmed()
                && unseen_s <= self.settings.tracker.coast_s
            {
                let mut measured = *measured;
                if track.class().0 == ObjectClass::Person {
                    let people = people(self.tracker.tracks(), &self.on_ground);
                    let company = mistaken(&track.bounding_box(), motion.position(), people);
                    measured.bias = sum(&measured.bias, &company);
                }
                let extent = entry.size.body().extent;
                self.tracks.push(ground_track(track, (*measured_at, &measured), motion, &extent, frame));
            }
        }
        self.ended.extend(self.tracker.ended().iter().filter(|t| t.is_confirmed()).map(|t| EndedTrack {
            track_id: t.track_id,
            last_event: t.last.event,
            last_seen: t.last.captured_at,
            hits: t.hits,
        }));
    }
}

/// Everybody on foot that the tracker is sure of: box and place.
fn people<'a>(tracks: &'a [ImageTrack], on_ground: &'a [OnGround]) -> impl Iterator<Item = (BoundingBox, Enu)> + 'a {
    let all = tracks.iter().zip(on_ground);
    let people = all.filter(|(track, _)| track.is_confirmed() && track.class().0 == ObjectClass::Person);
    people.filter_map(|(track, entry)| Some((track.bounding_box(), entry.motion.as_ref()?.position())))
}

/// Where a track's newest box meets the ground; `None` where the picture's border leaves nothing that would tell.
fn contact(settings: &CameraSettings, frame: &DetectionFrame, track: &ImageTrack, covered: Covered) -> Option<Contact> {
    let measured = &track.measured;
    let size = [f64::from(frame.width_px), f64::from(frame.height_px)];
    let scale = [
        f64::from(settings.image_size_px[0]) / size[0].max(1.0),
        f64::from(settings.image_size_px[1]) / size[1].max(1.0),
    ];
    let [x1, y1, x2, y2] = [measured.x1_px, measured.y1_px, measured.x2_px, measured.y2_px].map(f64::from);
    let (width, height) = (x2 - x1, y2 - y1);
    let [left, top, right, bottom] = track.doubt_px;
    let motion = &settings.motion;
    // As near to the border as the box is uncertain it may as well be cut.
    let border = EDGE_PX + CUT_SIGMAS * motion.relative_noise.hypot(motion.relative_bias) * height;
    let (cut_left, cut_right) = (x1 < border, x2 > size[0] - border);
    let (cut_top, cut_bottom) = (y1 < border, y2 > size[1] - border);
    // Behind both sides of others the middle of what shows is the best guess, as is the lower edge of what the top cuts.
    let across = Across::without(cut_left || covered.left, cut_right || covered.right)
        .or_else(|| Across::without(cut_left, cut_right))?;
    let level = match (cut_bottom, covered.lower, cut_top) {
        (false, true, false) | (true, _, false) => Level::Top,
        (false, _, _) => Level::Lower,
        (true, _, true) => return None,
    };
    let is_whole = (across, level) == (Across::Middle, Level::Lower);
    let (x, doubt_x) = match across {
        Across::Left => (x1, left),
        Across::Middle => (0.5 * (x1 + x2), 0.5 * left.hypot(right)),
        Across::Right => (x2, right),
    };
    let (y, doubt_y) = match (settings.contact_point, level) {
        (ContactPoint::BoxCentre, _) if !is_whole => return None,
        (ContactPoint::BoxCentre, _) => (0.5 * (y1 + y2), 0.5 * top.hypot(bottom)),
        (ContactPoint::BottomCentre, Level::Lower) => (y2, bottom),
        (ContactPoint::BottomCentre, Level::Top) => (y1, top),
    };
    let tells_shape = is_whole && left + right + top + bottom <= 0.0 && !cut_top && height > 1.0;
    let own = motion.relative_noise * height;
    let noise =
        |doubt: f64, axis: usize| settings.pixel_noise_px.powi(2) + (own * own + doubt * doubt) * scale[axis].powi(2);
    let habit = |axis: usize| (motion.relative_bias * height * scale[axis]).powi(2);
    Some(Contact {
        pixel: [x * scale[0], y * scale[1]],
        noise_px2: [noise(doubt_x, 0), noise(doubt_y, 1)],
        bias_px2: [habit(0), habit(1)],
        whole_px: tells_shape.then(|| [width * scale[0], height * scale[1]]),
        cut: (!is_whole).then_some(Cut { across, level, size_px: settings.image_size_px.map(f64::from) }),
    })
}

fn ground_track(
    track: &ImageTrack,
    (measured_at, measured): (Timestamp, &GroundMeasurement),
    motion: &Motion,
    extent: &Extent,
    frame: &DetectionFrame,
) -> GroundTrack {
    let (class, class_confidence) = track.class();
    let [velocity_e_mps, velocity_n_mps] = motion.velocity_mps();
    GroundTrack {
        track_id: track.track_id,
        class,
        class_confidence,
        class_shares: track.class_shares(),
        score: track.score,
        bounding_box: Some(track.bounding_box()),
        detection: track.detection,
        first_event: track.first.event,
        last_event: track.last.event,
        frame: track.last.frame,
        captured_at: track.last.captured_at,
        state_at: frame.captured_at,
        measured_at,
        measured: *measured,
        position: motion.position(),
        covariance: sum(&motion.position_covariance(), &measured.bias),
        velocity_e_mps,
        velocity_n_mps,
        velocity_covariance: motion.velocity_covariance(),
        yaw_rad: motion.yaw_rad(),
        length_m: extent.length_m,
        width_m: extent.width_m,
        height_m: extent.height_m,
        first_seen: track.first.captured_at,
        hits: track.hits,
        state: if track.detection.is_some() { TrackState::Confirmed } else { TrackState::Coasting },
        area: measured.area,
    }
}
