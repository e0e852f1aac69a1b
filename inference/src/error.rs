//! What can go wrong, named by file, library or model.

use std::path::PathBuf;

use crate::engine::EngineKind;

/// An error of this crate; [`crate::ImageError`] covers the decoding of images.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A model description is not valid.
    #[error("{}:{line}: {reason}", path.display())]
    Description {
        /// The description.
        path: PathBuf,
        /// Line in it, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Engine `onnxruntime` was chosen without saying where its library is.
    #[error("engine onnxruntime needs the path of its library: set `library` to libonnxruntime.so (1.24 or newer)")]
    LibraryUnset,
    /// The ONNX Runtime library could not be loaded.
    #[error("ONNX Runtime library {}: {reason}", path.display())]
    Library {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// A second ONNX Runtime library was asked for; a process can hold one.
    #[error(
        "ONNX Runtime library {}: this process already uses {}, it can hold only one",
        asked.display(),
        loaded.display()
    )]
    LibraryConflict {
        /// The one asked for now.
        asked: PathBuf,
        /// The one in use.
        loaded: PathBuf,
    },
    /// The model file could not be loaded.
    #[error("model {}: engine {engine} cannot load it: {reason}", path.display())]
    Model {
        /// The ONNX file.
        path: PathBuf,
        /// The engine that tried.
        engine: EngineKind,
        /// What it said.
        reason: String,
    },
    /// The model's input does not fit its description.
    #[error("model {}: its input is {found}, its description says {expected}", path.display())]
    InputMisfit {
        /// The ONNX file.
        path: PathBuf,
        /// Name and shape of the model's inputs.
        found: String,
        /// The shape that the description asks for.
        expected: String,
    },
    /// The model's outputs do not fit the head that its description names.
    #[error("model {}: its outputs are {found}, head `{head}` needs {expected}", path.display())]
    OutputMisfit {
        /// The ONNX file.
        path: PathBuf,
        /// The head's name in the description.
        head: &'static str,
        /// Names and shapes of the model's outputs.
        found: String,
        /// The shapes that the head needs.
        expected: String,
    },
    /// The network failed on an input.
    #[error("model {}: inference failed: {reason}", path.display())]
    Inference {
        /// The ONNX file.
        path: PathBuf,
        /// What the engine said.
        reason: String,
    },
    /// The image has no pixels, or too many for the resizer.
    #[error("image of {width}×{height} px cannot be resized: {reason}")]
    Resize {
        /// Image width, pixels.
        width: u32,
        /// Image height, pixels.
        height: u32,
        /// What the resizer said.
        reason: String,
    },
}
