//! The engine that needs no set-up: tract, pure Rust.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModelExt, IntoRunnable, IntoTValue, TValue, TVec,
    Tensor as TractTensor, TractResult, TypedRunnableModel, tvec,
};
use tract_onnx::tract_hir::{infer::Factoid, internal::DimLike};

use super::{DeclaredInput, Engine, EngineKind, ExecutionProvider, Outputs, Tensor, check_input};
use crate::Error;

/// A network compiled by tract.
pub(super) struct TractEngine {
    path: PathBuf,
    plan: Arc<TypedRunnableModel>,
    input: Arc<TractTensor>,
    names: Vec<String>,
    outputs: TVec<TValue>,
}

impl TractEngine {
    /// See [`super::open()`]; `bytes` are the model, repaired.
    pub(super) fn open(path: &Path, bytes: &[u8], shape: [usize; 4]) -> Result<Self, Error> {
        let refused = |reason: String| Error::Model { path: path.to_owned(), engine: EngineKind::Tract, reason };
        // tract asserts on some malformed graphs; a file from outside must not take the node down.
        catch_unwind(AssertUnwindSafe(|| Self::load(path, bytes, shape)))
            .unwrap_or_else(|panic| Err(refused(panic_text(panic.as_ref()))))
    }

    fn load(path: &Path, bytes: &[u8], shape: [usize; 4]) -> Result<Self, Error> {
        let refused = |error: tract_onnx::prelude::TractError| Error::Model {
            path: path.to_owned(),
            engine: EngineKind::Tract,
            reason: format!("{error:#}"),
        };
        let model = tract_onnx::onnx().model_for_read(&mut &*bytes).map_err(refused)?;
        let declared: TractResult<Vec<DeclaredInput>> = (0..model.inputs.len())
            .map(|index| {
                let fact = model.input_fact(index)?;
                let axis = |axis: &tract_onnx::tract_hir::infer::DimFact| {
                    axis.concretize().and_then(|extent| extent.to_usize().ok())
                };
                Ok(DeclaredInput {
                    name: model.node(model.inputs[index].node).name.clone(),
                    float: fact.datum_type.concretize().is_none_or(|kind| kind == DatumType::F32),
                    shape: fact.shape.dims().map(axis).collect(),
                })
            })
            .collect();
        check_input(path, &declared.map_err(refused)?, shape)?;
        let names = model
            .outputs
            .iter()
            .map(|&outlet| model.outlet_label(outlet).unwrap_or(&model.node(outlet.node).name).to_owned())
            .collect();
        let compile = || {
            let fact = InferenceFact::dt_shape(DatumType::F32, shape);
            model.with_input_fact(0, fact)?.into_optimized()?.into_runnable()
        };
        Ok(Self {
            path: path.to_owned(),
            plan: compile().map_err(refused)?,
            input: Arc::new(TractTensor::zero::<f32>(&shape).map_err(refused)?),
            names,
            outputs: tvec!(),
        })
    }
}

impl Outputs for TractEngine {
    fn count(&self) -> usize {
        self.outputs.len()
    }

    fn tensor(&self, index: usize) -> Tensor<'_> {
        let output = &self.outputs[index];
        let data = output.try_as_plain_ram().and_then(|plain| plain.as_slice::<f32>());
        let data = data.expect("run() leaves float tensors only");
        Tensor { name: &self.names[index], shape: output.shape(), data }
    }
}

impl Engine for TractEngine {
    fn provider(&self) -> ExecutionProvider {
        ExecutionProvider::Cpu
    }

    fn input_mut(&mut self, _batch: usize) -> Result<&mut [f32], Error> {
        // Copies only where an output of the last run is the input itself.
        let view = Arc::make_mut(&mut self.input).to_plain_array_view_mut::<f32>().ok();
        Ok(view.and_then(|view| view.into_slice()).expect("the input is made as a plain float tensor"))
    }

    fn run(&mut self, _batch: usize) -> Result<(), Error> {
        self.outputs.clear();
        let input = tvec!(Arc::clone(&self.input).into_tvalue());
        let plan = &self.plan;
        let run = || {
            let mut outputs = plan.run(input)?;
            for output in &mut outputs {
                if output.datum_type() != DatumType::F32 {
                    *output = output.cast_to::<f32>()?.into_owned().into_tvalue();
                }
            }
            Ok(outputs)
        };
        let outputs = catch_unwind(AssertUnwindSafe(run))
            .map_err(|panic| panic_text(panic.as_ref()))
            .and_then(|result: TractResult<_>| result.map_err(|error| format!("{error:#}")));
        self.outputs = outputs.map_err(|reason| Error::Inference { path: self.path.clone(), reason })?;
        Ok(())
    }
}

/// What a caught panic said.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it broke an assumption of the engine").to_owned()
}
