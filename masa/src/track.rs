//! `masa track`: a file of detections to a file of tracks, with the tracker that the node runs.
//!
//! Frames go through the tracker one after the other, and what is written of a frame follows from it and those before it:
//! the tracks are those of a live camera. Only `--gaps linear` looks ahead.

pub(crate) mod format;
mod gaps;
mod pictures;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use format::{DetectionLine, Format, TrackLine};
use masa_edge_node::event::{EventId, SourceId};
use masa_edge_node::perception::tracking::{FrameId, Tracker, TrackerCounters, TrackerSettings};
use masa_inference::{Detection, ObjectClass};
use masa_v2x_proto::time::Timestamp;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The score at which detections of a file are taken to be right as often as wrong.
const EVEN_SCORE: f64 = 0.5;

/// Follow the detections of a file: MOTChallenge or KITTI text in and out.
#[derive(Debug, Args)]
pub(crate) struct Track {
    /// Detections, one a line.
    #[arg(long, value_name = "FILE")]
    detections: PathBuf,
    /// Frames per second.
    #[arg(long, value_name = "RATE", value_parser = rate)]
    fps: f64,
    /// Where the tracks are written, one box a line.
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Format of both files.
    #[arg(long, value_enum, default_value_t = Format::Motchallenge)]
    format: Format,
    /// What MOTChallenge detections are of, which their lines do not say: person, car, bicycle, …
    #[arg(long, value_parser = class, default_value = "person")]
    class: ObjectClass,
    /// Tracker settings, a TOML file with the keys of `[camera.tracker]`; the even score is 0.5 unless it says otherwise.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Size of the image, such as 1920x1080; what the detections span unless given.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = image_size)]
    image_size: Option<ImageSize>,
    /// What becomes of the frames in which a track was not seen.
    #[arg(long, value_enum, default_value_t = Gaps::Leave)]
    gaps: Gaps,
    /// Folder with the pictures (JPEG or PNG), the first frame's first by name: for settings that ask for appearance.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

/// What becomes of the frames in which a track was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Gaps {
    /// They stay empty: what a live camera gives.
    Leave,
    /// Gaps up to 0.8 s are filled with boxes between those at their ends. Offline: it needs what came later.
    Linear,
}

/// Width and height of an image, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageSize(pub(crate) [u32; 2]);

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if rate > 0.0 && rate <= 1000.0 { Ok(rate) } else { Err("not within 0 to 1000".to_owned()) }
}

fn class(text: &str) -> Result<ObjectClass, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|error| error.to_string())
}

pub(crate) fn image_size(text: &str) -> Result<ImageSize, String> {
    let parts = text.split_once('x').and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    parts.filter(|size| size.iter().all(|v| *v > 0)).map(ImageSize).ok_or_else(|| "not like 1920x1080".to_owned())
}

impl Track {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let settings = self.tracker_settings()?;
        let text = fs::read_to_string(&self.detections).with_context(|| self.detections.display().to_string())?;
        let mut detections = format::read(&text, &self.detections, self.format, self.class)?;
        if let Some(descriptor) = settings.appearance.descriptor() {
            let folder = self.pictures.as_deref().context("`appearance` needs --pictures")?;
            pictures::describe(&mut detections, folder, self.format.first_frame(), descriptor)?;
        }
        let size = self.image_size.unwrap_or_else(|| span(&detections));
        let mut run = follow(&detections, self.fps, size, settings);
        if self.gaps == Gaps::Linear {
            gaps::fill(&mut run.lines, self.fps);
        }
        write(&self.output, &run.lines, self.format).with_context(|| self.output.display().to_string())?;
        run.summarise(detections.len());
        Ok(())
    }

    fn tracker_settings(&self) -> anyhow::Result<TrackerSettings> {
        let mut table = match &self.settings {
            None => toml::Table::new(),
            Some(file) => {
                let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
                toml::from_str(&text).with_context(|| file.display().to_string())?
            }
        };
        table.entry("even-score").or_insert(EVEN_SCORE.into());
        // What it is compared with begins tracks by a sure detection.
        table.entry("birth").or_insert("sure-first".into());
        if self.format == Format::Kitti {
            // KITTI's cyclist is the rider with the bicycle.
            table.entry("riders").or_insert("keep".into());
        }
        let settings: TrackerSettings = table.try_into().context("tracker settings")?;
        ensure!(settings.even_score > 0.0 && settings.even_score < 1.0, "the even score is not between 0 and 1");
        Ok(settings)
    }
}

/// What a run gave.
struct Run {
    lines: Vec<TrackLine>,
    frames: u64,
    tracks: u32,
    spent: Duration,
    counters: TrackerCounters,
}

impl Run {
    fn summarise(&self, detections: usize) {
        let per_frame_us = self.spent.as_secs_f64() * 1e6 / self.frames.max(1) as f64;
        eprintln!(
            "{} frames, {detections} detections, {} tracks, {per_frame_us:.2} µs per frame",
            self.frames, self.tracks
        );
        let c = self.counters;
        let left_out = c.malformed_detections + c.excess_detections;
        if left_out + c.excess_tracks > 0 {
            eprintln!("left out: {left_out} detections, {} beginnings of tracks for want of room", c.excess_tracks);
        }
    }
}

/// The corner farthest from the origin that a detection reaches.
fn span(detections: &[DetectionLine]) -> ImageSize {
    let boxes = || detections.iter().map(|line| line.detection.bounding_box);
    let width = boxes().map(|b| b.x2_px).fold(1.0, f32::max);
    let height = boxes().map(|b| b.y2_px).fold(1.0, f32::max);
    ImageSize([width, height].map(|v| v.ceil() as u32))
}

/// Runs the tracker over detections in the order of their frames, frames without detections included.
fn follow(detections: &[DetectionLine], fps: f64, ImageSize(size): ImageSize, settings: TrackerSettings) -> Run {
    let mut tracker = Tracker::new(settings);
    let mut run =
        Run { lines: Vec::new(), frames: 0, tracks: 0, spent: Duration::ZERO, counters: TrackerCounters::default() };
    let (Some(first), Some(last)) = (detections.first(), detections.last()) else { return run };
    let mut rest = detections;
    let mut of_frame: Vec<Detection> = Vec::new();
    for frame in first.frame..=last.frame {
        let (now, later) = rest.split_at(rest.partition_point(|line| line.frame == frame));
        rest = later;
        of_frame.clear();
        of_frame.extend(now.iter().map(|line| line.detection));
        let captured_at = Timestamp::from_unix_ns((f64::from(frame) * 1e9 / fps).round() as i64);
        let event = EventId { source: SourceId(1), seq: u64::from(frame) };
        let id = FrameId { event, frame: u64::from(frame), captured_at };
        let began = now_for_the_summary();
        tracker.update(id, size, &of_frame);
        run.spent += began.elapsed();
        run.frames += 1;
        run.lines.extend(tracker.shown().map(|track| TrackLine {
            frame,
            track_id: track.track_id,
            class: track.class().0,
            bounding_box: track.bounding_box(),
            score: track.score,
        }));
    }
    run.tracks = count_identities(&run.lines);
    run.counters = tracker.counters();
    run
}

fn count_identities(lines: &[TrackLine]) -> u32 {
    let mut identities: Vec<u32> = lines.iter().map(|line| line.track_id).collect();
    identities.sort_unstable();
    identities.dedup();
    identities.len() as u32
}

#[allow(clippy::disallowed_methods, reason = "the summary says what a frame cost; no logic sees it")]
fn now_for_the_summary() -> Instant {
    Instant::now()
}

fn write(path: &Path, lines: &[TrackLine], format: Format) -> std::io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    for line in lines {
        format::write(&mut out, line, format)?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(format: Format, text: &str, gaps: Gaps) -> anyhow::Result<String> {
        run_with(format, text, gaps, None)
    }

    fn run_with(format: Format, text: &str, gaps: Gaps, settings: Option<PathBuf>) -> anyhow::Result<String> {
        let folder = tempfile::tempdir()?;
        let (detections, output) = (folder.path().join("det.txt"), folder.path().join("tracks.txt"));
        fs::write(&detections, text)?;
        let track = Track {
            detections,
            fps: 10.0,
            output: output.clone(),
            format,
            class: ObjectClass::Car,
            settings,
            image_size: None,
            gaps,
            pictures: None,
        };
        track.run()?;
        Ok(fs::read_to_string(output)?)
    }

    /// Two cars that drive to the right for `frames` frames; of the lower one frames 4 and 5 are missing.
    fn two_cars(frames: u32) -> String {
        let lines = (1..=frames).flat_map(|f| {
            let x = 20.0 * f64::from(f);
            let upper = Some(format!("{f},-1,{x:.1},100.0,80.0,60.0,0.95,-1,-1,-1\n"));
            let lower = (!(4..=5).contains(&f)).then(|| format!("{f},-1,{x:.1},300.0,80.0,60.0,0.99,-1,-1,-1\n"));
            [upper, lower].into_iter().flatten()
        });
        lines.collect()
    }

    fn frames_of(tracks: &str, id: &str) -> Vec<u32> {
        let rows = tracks.lines().map(|line| line.split(',').collect::<Vec<_>>());
        rows.filter(|row| row[1] == id).map(|row| row[0].parse().unwrap()).collect()
    }

    #[test]
    fn two_cars_are_two_tracks_and_a_gap_is_filled_only_when_asked() {
        let live = run(Format::Motchallenge, &two_cars(8), Gaps::Leave).unwrap();
        assert_eq!(frames_of(&live, "2"), [2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(frames_of(&live, "1"), [2, 3, 6, 7, 8]);
        let filled = run(Format::Motchallenge, &two_cars(8), Gaps::Linear).unwrap();
        assert_eq!(frames_of(&filled, "1"), [2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn lines_may_come_in_any_order() {
        let mut lines: Vec<&str> = Vec::new();
        let text = two_cars(8);
        lines.extend(text.lines().rev());
        let turned = run(Format::Motchallenge, &lines.join("\n"), Gaps::Leave).unwrap();
        let count = |tracks: &str| tracks.lines().count();
        assert_eq!(count(&turned), count(&run(Format::Motchallenge, &text, Gaps::Leave).unwrap()));
    }

    #[test]
    fn kitti_text_goes_in_and_out() {
        let line =
            |f: u32, x: f64| format!("{f} -1 Van -1 -1 -10 {x} 100 {} 160 -1 -1 -1 -1 -1 -1 -1 0.97\n", x + 80.0);
        let text: String = (0..4).map(|f| line(f, 20.0 * f64::from(f))).collect();
        let tracks = run(Format::Kitti, &text, Gaps::Leave).unwrap();
        let last: Vec<&str> = tracks.lines().last().unwrap().split(' ').collect();
        assert_eq!((last.len(), last[0], last[1], last[2], last[17]), (18, "3", "1", "Van", "0.97"));
    }

    #[test]
    fn nothing_in_is_nothing_out() {
        assert_eq!(run(Format::Motchallenge, "", Gaps::Linear).unwrap(), "");
    }

    #[test]
    fn settings_that_ask_for_looks_ask_for_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("tracker.toml");
        fs::write(&settings, "appearance = { policy = 'tie-break', descriptor = 'colour-layout' }").unwrap();
        let error = run_with(Format::Motchallenge, &two_cars(2), Gaps::Leave, Some(settings)).unwrap_err();
        assert_eq!(error.to_string(), "`appearance` needs --pictures");
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = run(Format::Motchallenge, &format!("{}9,-1,1,2,x,4,0.5\n", two_cars(8)), Gaps::Leave).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("det.txt:15: the width is not a number: `x`"), "{text}");
    }
}
