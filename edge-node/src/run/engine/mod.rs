//! Networks for many cameras: who is inferred when, by which network, and what is left out under load.
//!
//! In: pictures of cameras, each with the time until which its detections are of use. Out: detections, or the fact that the
//! picture was left out. A [`Pool`] of a few threads serves all cameras, most urgent first and several pictures of
//! one network at once where it takes them; a [`Governor`] per camera keeps it within what the pool can do.
//!
//! Invariants: a camera has one picture in the pool at most, so the pool's queue is as long as there are cameras; a picture
//! whose time is over is not inferred; everything left out is a recorded fact with its reason.

mod governor;
mod pool;
mod sight;

pub(crate) use pool::{NetworkSpec, Pool, PoolError};
pub(crate) use sight::{Freshness, Sight};

use masa_inference::ModelDescription;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How networks serve cameras: the `[inference]` table of a node file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InferenceSettings {
    /// Which threads run the networks.
    pub threads: Threads,
    /// For how long after a camera handed a picture over its detections are of use, milliseconds.
    pub deadline_ms: u32,
    /// What gives when the cameras bring more than the networks can do.
    pub under_load: UnderLoad,
}

impl Default for InferenceSettings {
    fn default() -> Self {
        Self { threads: Threads::default(), deadline_ms: 1000, under_load: UnderLoad::default() }
    }
}

impl InferenceSettings {
    /// The deadline as a duration.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.deadline_ms))
    }

    /// Makes relative paths start at `base`.
    pub(crate) fn resolve(&mut self, base: &Path) {
        if let UnderLoad::LighterModel { model, model_file } = &mut self.under_load {
            let paths = std::iter::once(model).chain(model_file);
            paths.filter(|path| path.is_relative()).for_each(|path| *path = base.join(&*path));
        }
    }
}

/// Which threads run the networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "kind")]
pub enum Threads {
    /// As many as there are cameras, and at most as many as the machine has cores.
    #[default]
    Cores,
    /// This many, at least one.
    Fixed {
        /// How many.
        count: usize,
    },
}

impl Threads {
    /// How many for `cameras`.
    pub(crate) fn count(self, cameras: usize) -> usize {
        match self {
            Self::Cores => std::thread::available_parallelism().map_or(1, usize::from).min(cameras.max(1)),
            Self::Fixed { count } => count.max(1),
        }
    }
}

/// What gives when the cameras bring more than the networks can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "policy")]
pub enum UnderLoad {
    /// The oldest waiting picture of a camera goes for a newer one.
    #[default]
    DropOldest,
    /// Pictures are left out at even distances, so that those inferred are fresh and evenly spaced.
    LowerRate {
        /// Pictures a second that are inferred at least.
        least_hz: f64,
    },
    /// A lighter network takes over until there is time for the camera's own again.
    LighterModel {
        /// Its description, relative to the node file.
        model: PathBuf,
        /// Its ONNX file, when it is not where the description says.
        model_file: Option<PathBuf>,
    },
}

/// Networks by what they are: cameras with the same one share it.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) index: usize,
    pub(crate) description: ModelDescription,
}
