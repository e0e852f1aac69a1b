//! What the perception tests and the figures example share: test data, site files, the clip run through a detector.

#![allow(dead_code, reason = "the figures example uses its part")]
#![allow(clippy::unwrap_used, reason = "test support")]

use masa_edge_node::config::SiteFile;
use masa_edge_node::event::{DetectionFrame, EventId, FrameTimings, SourceId};
use masa_edge_node::perception::{CameraPerception, CameraSettings, GroundTrack};
use masa_edge_node::sources::camera::{self, CameraOutput, CameraSourceSettings, FileSettings, Pace};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::stop::StopToken;
use masa_edge_node::telemetry::NoProbe;
use masa_edge_node::world::site::SiteMap;
use masa_inference::{Detector, EngineSettings, ModelDescription};
use masa_v2x_proto::geo::SiteFrame;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The camera of every test.
pub(crate) const CAMERA: SourceId = SourceId(1);

/// The test data, or `None` after saying which test is skipped for want of `needed`.
pub(crate) fn data(test: &str, needed: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let root = std::env::var_os("MASA_TEST_DATA").map_or(beside, PathBuf::from);
    let found = root.join(needed).exists();
    if !found {
        println!("skipped: {test}: {} is missing", root.join(needed).display());
    }
    found.then_some(root)
}

/// A site file of `deploy/sites`, its calibration files loaded from `data`.
pub(crate) struct Site {
    pub(crate) frame: SiteFrame,
    pub(crate) cameras: Vec<CameraSettings>,
    pub(crate) map: SiteMap,
}

pub(crate) fn site(name: &str, data: &Path) -> Site {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/sites").join(name).join("site.toml");
    let data = data.to_str().unwrap().to_owned();
    let site = SiteFile::load(&path, &|name| (name == "MASA_TEST_DATA").then(|| data.clone())).unwrap();
    Site { frame: SiteFrame::new(site.origin.into()), cameras: site.cameras, map: SiteMap::new(&site.zones).unwrap() }
}

/// The junction clip seen by YOLOX-Nano, detections from `score` on; without one the model description's threshold holds.
pub(crate) fn junction_clip(data: &Path, score: Option<f32>) -> Vec<DetectionFrame> {
    let description = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/models/yolox_nano_coco_416.toml");
    let mut description = ModelDescription::read(&description).unwrap();
    description.head.score_threshold = score.unwrap_or(description.head.score_threshold);
    let model = data.join("percep/models/yolox_nano_coco_416.onnx");
    let mut detector = Detector::with_description(description, model, &EngineSettings::default()).unwrap();

    let mut clip = FileSettings::new(data.join("percep/video/OTVision_Cars-Cyclist.mp4"));
    clip.pace = Pace::AsFastAsPossible;
    clip.start_at = Some(Timestamp::from_unix_ms(1_582_197_077_000));
    let clock = Clock::manual(Timestamp::from_unix_ms(0));
    let stop = StopToken::new();
    let handle = camera::spawn(CameraSourceSettings::File(clip), CAMERA, "clip", clock, &stop).unwrap();
    let mut frames = Vec::new();
    while let Some(output) = handle.recv() {
        let CameraOutput::Frame(frame) = output else { continue };
        let mut detections = Vec::new();
        detector.detect(&frame.image, &mut detections).unwrap();
        frames.push(DetectionFrame {
            frame: frame.frame,
            captured_at: frame.captured_at,
            width_px: frame.image.width,
            height_px: frame.image.height,
            detections,
            timings: FrameTimings::default(),
        });
    }
    frames
}

/// Runs the frames through `perception`; every exposed state of every track, by identity.
pub(crate) fn follow<'a>(
    perception: &mut CameraPerception,
    frames: impl IntoIterator<Item = &'a DetectionFrame>,
) -> BTreeMap<u32, Vec<GroundTrack>> {
    let mut tracks: BTreeMap<u32, Vec<GroundTrack>> = BTreeMap::new();
    for frame in frames {
        let id = EventId { source: CAMERA, seq: frame.frame };
        for track in perception.update(id, frame, &mut NoProbe) {
            tracks.entry(track.track_id).or_default().push(track.clone());
        }
    }
    tracks
}
