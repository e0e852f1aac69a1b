//! SUMO's configuration (`.sumocfg`): a network with its demand.

use super::files::{Reader, seconds};
use super::{Demand, DemandError};
use crate::random::Seed;
use crate::roads::xml::{self, Element};
use crate::roads::{LaneId, Roads, RoadsError};
use crate::traffic::settings::WhenStuck;
use std::path::{Path, PathBuf};

/// An induction loop (SUMO: e1).
#[derive(Clone, Debug, PartialEq)]
pub struct DetectorSpec {
    /// Name.
    pub name: String,
    /// Lane.
    pub lane: LaneId,
    /// Place on the lane, metres.
    pub position_m: f64,
    /// Length of the intervals it counts, seconds.
    pub period_s: f64,
    /// File it writes to, as named in the source.
    pub file: String,
}

/// A network with demand, as a SUMO configuration says.
#[derive(Debug)]
pub struct SumoScenario {
    /// The network, with the signal programmes of additional files.
    pub roads: Roads,
    /// The demand.
    pub demand: Demand,
    /// Induction loops.
    pub detectors: Vec<DetectorSpec>,
    /// Start, seconds.
    pub begin_s: f64,
    /// End, seconds; `None`: when everybody has arrived.
    pub end_s: Option<f64>,
    /// Step, seconds.
    pub step_s: f64,
    /// What happens to vehicles that stand for long.
    pub when_stuck: WhenStuck,
    /// Seed of the run.
    pub seed: Option<Seed>,
}

/// Options that have an effect here. Others are read over: they are of output, of reports, of the graphical interface, of
/// routing while driving (nobody reroutes) and of persons. Those that would change how vehicles move are refused.
const REFUSED: &[&str] = &[
    "lateral-resolution",
    "step-method.ballistic",
    "lanechange.duration",
    "default.action-step-length",
    "scale",
    "extrapolate-departpos",
];

impl SumoScenario {
    /// Reads a configuration and what it names.
    ///
    /// # Errors
    /// [`DemandError`] that names file and line.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, DemandError> {
        let path = path.as_ref();
        let text = read(path)?;
        let name = path.display().to_string();
        let document = xml::parse(&text, &name)?;
        let root = Element::root(&document, &name);
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let mut options: Vec<Element<'_, '_>> = Vec::new();
        for section in root.children() {
            if section.text("value").is_some() { options.push(section) } else { options.extend(section.children()) }
        }
        let option = |names: &[&str]| options.iter().copied().find(|option| names.contains(&option.name()));
        if let Some(refused) = option(REFUSED) {
            return Err(refused.fail("this option is not supported").into());
        }
        let files = |names: &[&str]| -> Vec<PathBuf> {
            let list = option(names).and_then(|option| option.text("value")).unwrap_or_default();
            list.split([',', ' ']).filter(|file| !file.is_empty()).map(|file| folder.join(file)).collect()
        };
        let number = |names: &[&str]| -> Result<Option<f64>, RoadsError> {
            option(names).map(|option| seconds(option, option.required("value")?)).transpose()
        };
        let net =
            files(&["net-file", "net", "n"]).into_iter().next().ok_or_else(|| DemandError::NoNetwork(name.clone()))?;
        let mut roads = Roads::load(&net)?;
        let additional = files(&["additional-files", "additional", "a"]);
        let texts: Vec<(String, String)> = additional
            .iter()
            .chain(&files(&["route-files", "r"]))
            .map(|file| Ok((read(file)?, file.display().to_string())))
            .collect::<Result<_, DemandError>>()?;
        for (text, name) in &texts[..additional.len()] {
            roads.read_signal_programmes(text, name)?;
        }
        let mut reader = Reader::new(&roads);
        for (text, name) in &texts {
            reader.read(text, name)?;
        }
        let (demand, detectors, parking) = (reader.demand, reader.detectors, reader.parking);
        roads.parking.extend(parking);
        let stuck = number(&["time-to-teleport"])?.unwrap_or(300.0);
        Ok(Self {
            roads,
            demand,
            detectors,
            begin_s: number(&["begin", "b"])?.unwrap_or(0.0),
            end_s: number(&["end", "e"])?.filter(|end| *end >= 0.0),
            step_s: number(&["step-length"])?.unwrap_or(1.0),
            when_stuck: if stuck > 0.0 { WhenStuck::Teleport { after_s: stuck } } else { WhenStuck::Wait },
            seed: number(&["seed"])?.map(|seed| Seed(seed as u64)),
        })
    }
}

fn read(path: &Path) -> Result<String, DemandError> {
    std::fs::read_to_string(path)
        .map_err(|source| RoadsError::Unreadable { file: path.display().to_string(), source }.into())
}
