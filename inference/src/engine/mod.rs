//! Engines that run one ONNX network: a float tensor of one or several images in, float tensors out.
//!
//! | [`EngineKind`] | what it is | needs |
//! |---|---|---|
//! | `tract` | pure Rust, CPU | nothing |
//! | `onnxruntime` | ONNX Runtime, loaded at run time; CPU, CUDA or TensorRT | its library |
//!
//! Invariants: one thread per engine; the input buffers, one for each number of images, belong to the engine and keep their
//! contents between runs; the outputs are those of the last run. Several images go in at once where the network leaves
//! its first axis open and the engine takes it so (`onnxruntime`). Deliberately absent: several image inputs, training.

mod onnx_file;
mod onnxruntime;
mod tract;

use std::{fmt, path::Path, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use onnx_file::Unfit;

/// Which engine runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// Pure Rust; needs no set-up.
    #[default]
    Tract,
    /// ONNX Runtime, from the shared library that [`EngineSettings::library`] names.
    Onnxruntime,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tract => "tract",
            Self::Onnxruntime => "onnxruntime",
        })
    }
}

/// The hardware path that an engine computes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionProvider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU through CUDA.
    Cuda,
    /// An NVIDIA GPU through TensorRT; what TensorRT cannot do runs on CUDA.
    Tensorrt,
}

impl fmt::Display for ExecutionProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
        })
    }
}

/// How to run the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EngineSettings {
    /// The engine.
    pub engine: EngineKind,
    /// Path of `libonnxruntime.so` (1.24 or newer); engine `onnxruntime` needs it. One library a process.
    pub library: Option<PathBuf>,
    /// The wished-for hardware path. Where it is absent the engine warns once and uses the processor.
    pub provider: ExecutionProvider,
    /// Index of the GPU, from 0.
    pub device: u32,
}

/// One output of a network after a run.
#[derive(Clone, Copy, Debug)]
pub struct Tensor<'a> {
    /// Name in the ONNX graph.
    pub name: &'a str,
    /// Extent of every axis, slowest first.
    pub shape: &'a [usize],
    /// The values in row-major order; integer outputs are converted.
    pub data: &'a [f32],
}

/// Images that go into a network at once at most.
pub const MAX_BATCH: usize = 8;

/// Tensors by position, those of one image: their first axis is 1.
pub trait Outputs {
    /// How many there are.
    fn count(&self) -> usize;

    /// The one at `index`, which is below [`Self::count`].
    fn tensor(&self, index: usize) -> Tensor<'_>;
}

/// A loaded network: fill [`Self::input_mut`], [`Self::run`], read the [`Outputs`].
pub trait Engine: Outputs + Send {
    /// The hardware path in use, which is not always the one wished for.
    fn provider(&self) -> ExecutionProvider;

    /// How many images it takes at once, 1 to [`MAX_BATCH`].
    fn max_batch(&self) -> usize {
        1
    }

    /// The input tensor for `batch` images, which is at most [`Self::max_batch`]: one after the other, each row-major in the
    /// shape that [`open()`] was given. Its contents persist between runs of as many images.
    ///
    /// # Errors
    /// [`Error::Inference`] when there is no room for it.
    fn input_mut(&mut self, batch: usize) -> Result<&mut [f32], Error>;

    /// Runs the network on the input buffer for `batch` images. The outputs are those of the last successful run, of its
    /// first image until [`Self::select`] says otherwise.
    ///
    /// # Errors
    /// [`Error::Inference`] with the engine's own words.
    fn run(&mut self, batch: usize) -> Result<(), Error>;

    /// Makes the outputs those of the image at `index` of the last run.
    fn select(&mut self, _index: usize) {}
}

/// What a network is to be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkInput<'a> {
    /// Shape of the image tensor, batch 1.
    pub shape: [usize; 4],
    /// Name of a second input that holds the size boxes are scaled to, and that size: width, height.
    pub size: Option<(&'a str, [u32; 2])>,
}

/// Loads the ONNX file `model` for `input`.
///
/// # Errors
/// A missing library, an unreadable or corrupt file, or a model that takes something else than `input`.
pub fn open(model: &Path, input: NetworkInput<'_>, settings: &EngineSettings) -> Result<Box<dyn Engine>, Error> {
    let bytes = std::fs::read(model).map_err(|source| Error::Read { path: model.to_owned(), source })?;
    let prepared = onnx_file::prepare(&bytes, input.size).map_err(|unfit| match unfit {
        Unfit::Undecodable(reason) => Error::Model { path: model.to_owned(), engine: settings.engine, reason },
        Unfit::NoSizeInput => Error::InputMisfit {
            path: model.to_owned(),
            found: "something else".to_owned(),
            expected: format!("a second one called `{}`, int64 or f32", input.size.map_or("", |(name, _)| name)),
        },
    })?;
    match settings.engine {
        EngineKind::Tract => {
            if settings.provider != ExecutionProvider::Cpu {
                warn_fallback(model, settings.provider, ExecutionProvider::Cpu, "engine tract has no GPU path");
            }
            Ok(Box::new(tract::TractEngine::open(model, prepared.as_deref().unwrap_or(&bytes), input.shape)?))
        }
        EngineKind::Onnxruntime => {
            drop(bytes);
            Ok(Box::new(onnxruntime::OnnxRuntimeEngine::open(model, prepared.as_deref(), input.shape, settings)?))
        }
    }
}

/// The one visible line about hardware that was asked for and is not there.
fn warn_fallback(model: &Path, wished: ExecutionProvider, used: ExecutionProvider, reason: &str) {
    tracing::warn!(model = %model.display(), %wished, %used, reason, "execution provider is not available");
}

/// One input as the model file declares it.
struct DeclaredInput {
    name: String,
    float: bool,
    /// `None` where the model leaves an axis open.
    shape: Vec<Option<usize>>,
}

/// Refuses a model whose inputs are not one float tensor that `wanted` fits into.
fn check_input(model: &Path, declared: &[DeclaredInput], wanted: [usize; 4]) -> Result<(), Error> {
    let fits = match declared {
        [only] => {
            only.float
                && only.shape.len() == wanted.len()
                && only.shape.iter().zip(wanted).all(|(axis, extent)| axis.is_none_or(|axis| axis == extent))
        }
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let found = declared.iter().map(|input| {
        let axes: Vec<String> =
            input.shape.iter().map(|axis| axis.map_or_else(|| "?".to_owned(), |axis| axis.to_string())).collect();
        let kind = if input.float { "" } else { " (not f32)" };
        format!("`{}` [{}]{kind}", input.name, axes.join(", "))
    });
    let found: Vec<String> = found.collect();
    Err(Error::InputMisfit {
        path: model.to_owned(),
        found: if found.is_empty() { "missing".to_owned() } else { found.join(" and ") },
        expected: format!("one f32 tensor {wanted:?}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(shape: &[Option<usize>]) -> DeclaredInput {
        DeclaredInput { name: "images".into(), float: true, shape: shape.to_vec() }
    }

    #[test]
    fn open_axes_fit_and_wrong_ones_are_named_on_both_sides() {
        let wanted = [1, 3, 416, 416];
        let path = Path::new("m.onnx");
        assert!(check_input(path, &[declared(&[None, Some(3), None, Some(416)])], wanted).is_ok());
        let error = check_input(path, &[declared(&[None, Some(3), Some(640), Some(640)])], wanted).unwrap_err();
        assert_eq!(
            error.to_string(),
            "model m.onnx: its input is `images` [?, 3, 640, 640], its description says one f32 tensor [1, 3, 416, 416]"
        );
        assert!(check_input(path, &[declared(&[None, Some(3)])], wanted).is_err());
        assert!(check_input(path, &[], wanted).unwrap_err().to_string().contains("missing"));
    }

    #[test]
    fn settings_refuse_unknown_keys() {
        let settings: EngineSettings = toml::from_str("engine = 'onnxruntime'\nprovider = 'tensorrt'\n").unwrap();
        assert_eq!((settings.engine, settings.provider), (EngineKind::Onnxruntime, ExecutionProvider::Tensorrt));
        assert!(toml::from_str::<EngineSettings>("threads = 4").is_err());
    }
}
