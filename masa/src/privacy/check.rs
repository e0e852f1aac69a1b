//! `masa privacy check`: searches what a node would emit for faces and plates.

use super::truth;
use crate::demo::assets;
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use masa_edge_node::perception::privacy::{FinderModel, PrivacySettings};
use masa_edge_node::run::search::{
    Emission, Find, FoundOn, SearchReport, SearchSettings, Searcher, Sequence, Trait, search,
};
use masa_edge_node::sources::camera::{
    AtEnd, CameraSourceSettings, FileSettings, FolderSettings, FolderTimes, Pace, QueueSettings,
};
use masa_inference::{EngineKind, EngineSettings};
use std::fs;
use std::path::{Path, PathBuf};

/// Search what a node would emit of clips and pictures for faces and plates.
///
/// Every picture takes the way of a live node: decoder, detector, anonymiser, JPEG. Then two networks look at it that the
/// node does not know. Exits with 1 when they find anything that may be a face or a plate: all in pictures of the world; in
/// rendered ones, whose truth is known (--truth), what lies on a road user, a tenth of it at least.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Video files (MP4, H.264), and folders of JPEG and PNG files: each picture a scene of its own, unless --sequences.
    #[arg(required = true, value_name = "CLIP")]
    clips: Vec<PathBuf>,
    /// The node's detector, an ONNX or description file; the shipped one unless given.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The node's settings, a TOML file with the keys of `[privacy]`.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Searches for faces, an ONNX or description file.
    #[arg(long, value_name = "FILE")]
    face: Option<PathBuf>,
    /// Searches for plates, an ONNX or description file.
    #[arg(long, value_name = "FILE")]
    plate: Option<PathBuf>,
    /// Least score of a find.
    #[arg(long, value_name = "SCORE", default_value_t = 0.6)]
    least_score: f32,
    /// Where road users are in the pictures of the one folder given, a COCO file (`masa sim dataset` writes it).
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Folder for the pictures in which something was found, as they would leave.
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Sides of the square that pictures are scaled into for the search, pixels.
    #[arg(long, value_name = "SIDE", value_delimiter = ',', default_values_t = [640, 1280], value_parser = clap::value_parser!(u32).range(64..=4096))]
    sizes: Vec<u32>,
    /// Search every how many pictures of a video one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: u64,
    /// The pictures of a folder follow each other, ten a second.
    #[arg(long)]
    sequences: bool,
    /// What is searched; `raw` shows what there would be to find.
    #[arg(long, value_enum, default_value_t = What::Anonymised)]
    emission: What,
    /// libonnxruntime.so; without it the pure-Rust engine runs.
    #[arg(long, value_name = "FILE", env = "MASA_ONNXRUNTIME")]
    onnxruntime: Option<PathBuf>,
    /// Name every find.
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// What a node emits.
    Anonymised,
    /// What it would emit if nothing were made unrecognisable.
    Raw,
}

impl Check {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        ensure!(
            self.truth.is_none() || matches!(&self.clips[..], [folder] if folder.is_dir()),
            "--truth is that of one folder of pictures"
        );
        if let Some(folder) = &self.save {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let settings = self.search_settings()?;
        println!(
            "{:<34} {:>8} {:>8} {:>8} {:>8} {:>12} {:>13} {:>15} {:>8}",
            "clip",
            "pictures",
            "emitted",
            "searched",
            "regions",
            "faces in/out",
            "plates in/out",
            "on no road user",
            "ms"
        );
        let mut found = 0;
        for clip in &self.clips {
            let source = self.source(clip);
            let is_folder = matches!(source, CameraSourceSettings::Folder(_));
            let mut settings = settings.clone();
            if let (Some(file), CameraSourceSettings::Folder(folder)) = (&self.truth, &source) {
                settings.truth = Some(truth::read(file, folder)?);
            }
            if is_folder && !self.sequences {
                settings.sequence = Sequence::Stills;
                settings.privacy.warm_up_s = 0.0;
            }
            let report = search(source, &settings).with_context(|| clip.display().to_string())?;
            ensure!(report.emitted > 0, "{}: no picture was emitted", clip.display());
            print_row(clip, &report);
            if self.list {
                report.in_emitted.iter().for_each(print_find);
            }
            found += report.in_emitted.iter().filter(|find| find.counts()).count();
        }
        if found > 0 {
            bail!("{found} faces and plates in what would leave");
        }
        println!("no faces and no plates in what would leave");
        Ok(())
    }

    fn search_settings(&self) -> anyhow::Result<SearchSettings> {
        let privacy = match &self.settings {
            None => PrivacySettings::default(),
            Some(file) => {
                let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
                let mut settings: PrivacySettings =
                    toml::from_str(&text).with_context(|| file.display().to_string())?;
                settings.resolve(file.parent().unwrap_or(Path::new("")));
                settings
            }
        };
        let mut engine = EngineSettings::default();
        if let Some(library) = &self.onnxruntime {
            engine = EngineSettings { engine: EngineKind::Onnxruntime, library: Some(library.clone()), ..engine };
        }
        let mut searchers = Vec::new();
        for (what, model) in [(Trait::Face, &self.face), (Trait::Plate, &self.plate)] {
            if let Some(model) = model {
                searchers.push(Searcher { what, model: network(Some(model))?, least_score: self.least_score });
            }
        }
        ensure!(!searchers.is_empty(), "nothing to search with: give --face, --plate or both");
        Ok(SearchSettings {
            detector: network(self.model.as_deref())?,
            privacy,
            engine,
            searchers,
            sizes_px: self.sizes.clone(),
            every: self.every,
            sequence: Sequence::Video,
            emission: match self.emission {
                What::Anonymised => Emission::Anonymised,
                What::Raw => Emission::Raw,
            },
            truth: None,
            save: self.save.clone(),
        })
    }

    fn source(&self, clip: &Path) -> CameraSourceSettings {
        if clip.is_dir() {
            return CameraSourceSettings::Folder(FolderSettings {
                path: clip.to_owned(),
                times: FolderTimes::FrameRate { hz: 10.0 },
                pace: Pace::AsFastAsPossible,
                at_end: AtEnd::Stop,
                start_at: None,
                queue: QueueSettings::default(),
            });
        }
        CameraSourceSettings::File(FileSettings { pace: Pace::AsFastAsPossible, ..FileSettings::new(clip) })
    }
}

/// A network by its ONNX or description file; the shipped detector when there is none.
fn network(file: Option<&Path>) -> anyhow::Result<FinderModel> {
    let (model, model_file) = assets::model(file)?;
    Ok(FinderModel { model, model_file })
}

fn print_row(clip: &Path, report: &SearchReport) {
    let name = clip.file_name().and_then(|name| name.to_str()).unwrap_or("?");
    let both = |which: &dyn Fn(&Find) -> bool| {
        let [raw, emitted] =
            [&report.in_raw, &report.in_emitted].map(|finds| finds.iter().filter(|f| which(f)).count());
        format!("{raw} → {emitted}")
    };
    let counting = |what| both(&|find: &Find| find.counts() && find.what == what);
    println!(
        "{name:<34} {:>8} {:>8} {:>8} {:>8} {:>12} {:>13} {:>15} {:>8.2}",
        report.pictures,
        report.emitted,
        report.searched,
        report.regions,
        counting(Trait::Face),
        counting(Trait::Plate),
        both(&|find: &Find| !find.counts()),
        report.spent.as_secs_f64() * 1e3 / report.pictures.max(1) as f64,
    );
}

fn print_find(find: &Find) {
    let b = find.area;
    println!(
        "    frame {:>5}: {} of score {:.2} at {:.0},{:.0} to {:.0},{:.0}{}",
        find.frame,
        find.what.name(),
        find.score,
        b.x1_px,
        b.y1_px,
        b.x2_px,
        b.y2_px,
        match find.on {
            FoundOn::Unknown => "",
            FoundOn::RoadUser => ", on a road user",
            FoundOn::NoRoadUser => ", on no road user",
        }
    );
}
