//! ONNX Runtime through `ort`, its library loaded at run time.
//!
//! Invariants: one library and one environment a process, kept until it ends; one thread a session, without spinning
//! (two threads under load were slower); a GPU that cannot be used leads to one warning and the processor.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::{
    environment::Environment,
    ep::{CUDA, ExecutionProviderDispatch, TensorRT},
    logging::LogLevel,
    session::{Session, builder::SessionBuilder},
    value::{DynValue, Tensor as OrtTensor, TensorElementType, ValueType},
};

use super::{
    DeclaredInput, Engine, EngineKind, EngineSettings, ExecutionProvider, MAX_BATCH, Outputs, Tensor, check_input,
    warn_fallback,
};
use crate::Error;

/// The library and environment of this process.
static RUNTIME: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// A session of ONNX Runtime.
pub(super) struct OnnxRuntimeEngine {
    path: PathBuf,
    session: Session,
    provider: ExecutionProvider,
    /// One for each number of images that went in at once.
    inputs: BTreeMap<usize, OrtTensor<f32>>,
    shape: [usize; 4],
    max_batch: usize,
    outputs: Vec<Output>,
    /// The image of the last run whose outputs are shown.
    selected: usize,
}

/// An output of the last run.
struct Output {
    name: String,
    /// Of one image.
    shape: Vec<usize>,
    value: Option<DynValue>,
    /// The values as floats, where the network gives another type.
    converted: Vec<f32>,
}

impl OnnxRuntimeEngine {
    /// See [`super::open()`]; `repaired` replaces the file's contents.
    pub(super) fn open(
        path: &Path,
        repaired: Option<&[u8]>,
        shape: [usize; 4],
        settings: &EngineSettings,
    ) -> Result<Self, Error> {
        let environment = environment(settings.library.as_deref().ok_or(Error::LibraryUnset)?)?;
        let refused = |reason: String| Error::Model { path: path.to_owned(), engine: EngineKind::Onnxruntime, reason };
        let wished = settings.provider;
        let mut failures = Vec::new();
        let mut session = None;
        for &provider in candidates(wished) {
            match build_session(&environment, path, repaired, provider, settings.device) {
                Ok(built) => {
                    session = Some((built, provider));
                    break;
                }
                Err(error) => failures.push(format!("{provider}: {}", error.message().trim())),
            }
        }
        let Some((session, provider)) = session else {
            return Err(refused(failures.pop().unwrap_or_default()));
        };
        if provider != wished {
            warn_fallback(path, wished, provider, &failures.join("; "));
        }

        let declared = declared_inputs(&session);
        check_input(path, &declared, shape)?;
        let is_open = declared.first().is_some_and(|input| input.shape.first() == Some(&None));
        let output = |outlet: &ort::value::Outlet| Output {
            name: outlet.name().to_owned(),
            shape: Vec::new(),
            value: None,
            converted: Vec::new(),
        };
        let outputs = session.outputs().iter().map(output).collect();
        let max_batch = if is_open { MAX_BATCH } else { 1 };
        let path = path.to_owned();
        Ok(Self { path, session, provider, inputs: BTreeMap::new(), shape, max_batch, outputs, selected: 0 })
    }
}

/// What to try for a wished-for provider, best first.
fn candidates(wished: ExecutionProvider) -> &'static [ExecutionProvider] {
    use ExecutionProvider::{Cpu, Cuda, Tensorrt};
    match wished {
        Cpu => &[Cpu],
        Cuda => &[Cuda, Cpu],
        Tensorrt => &[Tensorrt, Cuda, Cpu],
    }
}

/// The process's environment, loading `library` on the first call.
fn environment(library: &Path) -> Result<Environment, Error> {
    let failed = |reason: String| Error::Library { path: library.to_owned(), reason };
    let asked = library.canonicalize().map_err(|error| failed(error.to_string()))?;
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((loaded, environment)) = runtime.as_ref() {
        if *loaded != asked {
            return Err(Error::LibraryConflict { asked, loaded: loaded.clone() });
        }
        return Ok(environment.clone());
    }
    let builder = ort::init_from(&asked).map_err(|error| failed(error.to_string()))?;
    let environment =
        builder.with_name("masa").with_telemetry(false).build().map_err(|error| failed(error.message().to_owned()))?;
    environment.set_log_level(LogLevel::Warning);
    *runtime = Some((asked, environment.clone()));
    Ok(environment)
}

fn build_session(
    environment: &Environment,
    path: &Path,
    repaired: Option<&[u8]>,
    provider: ExecutionProvider,
    device: u32,
) -> ort::Result<Session> {
    let device = i32::try_from(device).unwrap_or(i32::MAX);
    let cuda = || CUDA::default().with_device_id(device).build().error_on_failure();
    let providers: Vec<ExecutionProviderDispatch> = match provider {
        ExecutionProvider::Cpu => Vec::new(),
        ExecutionProvider::Cuda => vec![cuda()],
        ExecutionProvider::Tensorrt => {
            vec![TensorRT::default().with_device_id(device).build().error_on_failure(), cuda()]
        }
    };
    let mut builder: SessionBuilder = Session::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_log_level(LogLevel::Error)?
        .with_execution_providers(providers)?;
    match repaired {
        Some(bytes) => builder.commit_from_memory(bytes),
        None => builder.commit_from_file(path),
    }
}

fn declared_inputs(session: &Session) -> Vec<DeclaredInput> {
    let declared = |outlet: &ort::value::Outlet| {
        let (float, shape) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => {
                (*ty == TensorElementType::Float32, shape.iter().map(|&axis| usize::try_from(axis).ok()).collect())
            }
            _ => (false, Vec::new()),
        };
        DeclaredInput { name: outlet.name().to_owned(), float, shape }
    };
    session.inputs().iter().map(declared).collect()
}

impl Outputs for OnnxRuntimeEngine {
    fn count(&self) -> usize {
        self.outputs.len()
    }

    fn tensor(&self, index: usize) -> Tensor<'_> {
        let output = &self.outputs[index];
        let floats = output.value.as_ref().and_then(|value| value.try_extract_tensor::<f32>().ok());
        let all = floats.map_or(output.converted.as_slice(), |(_, data)| data);
        let length = output.shape.iter().product();
        // An output that the images share, as labels may be, has one part only.
        let data = all.chunks_exact(usize::max(length, 1)).nth(self.selected).unwrap_or(all);
        Tensor { name: &output.name, shape: &output.shape, data }
    }
}

impl Engine for OnnxRuntimeEngine {
    fn provider(&self) -> ExecutionProvider {
        self.provider
    }

    fn max_batch(&self) -> usize {
        self.max_batch
    }

    fn input_mut(&mut self, batch: usize) -> Result<&mut [f32], Error> {
        let tensor = match self.inputs.entry(batch) {
            Entry::Occupied(tensor) => tensor.into_mut(),
            Entry::Vacant(none) => {
                let [_, rest @ ..] = self.shape;
                let shape = [batch, rest[0], rest[1], rest[2]];
                let tensor = OrtTensor::from_array((shape, vec![0.0_f32; shape.iter().product()]));
                none.insert(tensor.map_err(|error| failed(&self.path, &error))?)
            }
        };
        Ok(tensor.extract_tensor_mut().1)
    }

    fn select(&mut self, index: usize) {
        self.selected = index;
    }

    fn run(&mut self, batch: usize) -> Result<(), Error> {
        self.input_mut(batch)?;
        let input = &self.inputs[&batch];
        let values = self.session.run(ort::inputs![input]).map_err(|error| failed(&self.path, &error))?;
        self.selected = 0;
        for (output, (_, value)) in self.outputs.iter_mut().zip(values) {
            output.read(value).map_err(|error| failed(&self.path, &error))?;
            if let Some(axis) = output.shape.first_mut().filter(|axis| **axis == batch) {
                *axis = 1;
            }
        }
        Ok(())
    }
}

fn failed(path: &Path, error: &ort::Error) -> Error {
    Error::Inference { path: path.to_owned(), reason: error.message().trim().to_owned() }
}

impl Output {
    fn read(&mut self, value: DynValue) -> ort::Result<()> {
        self.shape.clear();
        self.converted.clear();
        if let Ok((shape, labels)) = value.try_extract_tensor::<i64>() {
            self.shape.extend(shape.iter().map(|&axis| axis as usize));
            self.converted.extend(labels.iter().map(|&label| label as f32));
        } else if let Ok((shape, labels)) = value.try_extract_tensor::<i32>() {
            self.shape.extend(shape.iter().map(|&axis| axis as usize));
            self.converted.extend(labels.iter().map(|&label| label as f32));
        } else {
            let (shape, _) = value.try_extract_tensor::<f32>()?;
            self.shape.extend(shape.iter().map(|&axis| axis as usize));
        }
        self.value = Some(value);
        Ok(())
    }
}
