//! Repairs of ONNX files, made on the decoded graph before any engine sees it.
//!
//! Some exporters (PaddlePaddle, old PyTorch) name every initializer as a graph input too. ONNX Runtime then treats
//! the weights as replaceable and folds nothing: PicoDet-S takes 54 ms instead of 36. And RT-DETR and D-FINE have a
//! second input, the size that boxes are scaled to, which is the same in every run.

use std::collections::BTreeSet;

use prost::Message;
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto, type_proto::Value};

/// The first IR version that allows initializers which are not inputs (ONNX `IR.md`, "Graphs").
const FREE_INITIALIZERS_SINCE: i64 = 4;
/// `TensorProto.DataType` of the types that a size input has.
const FLOAT: i32 = 1;
const INT64: i32 = 7;

/// Why a file cannot be prepared.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It is not an ONNX model, in the decoder's words.
    Undecodable(String),
    /// It has no input that can hold a size under this name.
    NoSizeInput,
}

/// The model without inputs that initializers fill, and with the input called `size.0`, if given, fixed to
/// `size.1` = width, height; `None` where nothing had to change.
pub(super) fn prepare(bytes: &[u8], size: Option<(&str, [u32; 2])>) -> Result<Option<Vec<u8>>, Unfit> {
    let mut model = ModelProto::decode(bytes).map_err(|error| Unfit::Undecodable(error.to_string()))?;
    if let Some((name, size)) = size {
        let graph = model.graph.as_mut().ok_or(Unfit::NoSizeInput)?;
        fix_input(graph, name, size)?;
        model.ir_version = model.ir_version.max(FREE_INITIALIZERS_SINCE);
    }
    let ir_version = model.ir_version;
    let Some(graph) = model.graph.as_mut().filter(|_| ir_version >= FREE_INITIALIZERS_SINCE) else {
        return Ok(None);
    };
    let filled: BTreeSet<&str> = graph.initializer.iter().map(|weight| weight.name.as_str()).collect();
    let before = graph.input.len();
    graph.input.retain(|input| !filled.contains(input.name.as_str()));
    Ok((graph.input.len() < before).then(|| model.encode_to_vec()))
}

/// Gives the input called `name` a value, as an initializer of shape `[1, 2]`.
fn fix_input(graph: &mut GraphProto, name: &str, size: [u32; 2]) -> Result<(), Unfit> {
    let input = graph.input.iter().find(|input| input.name == name).ok_or(Unfit::NoSizeInput)?;
    let kind = match input.r#type.as_ref().and_then(|kind| kind.value.as_ref()) {
        Some(Value::TensorType(tensor)) => tensor.elem_type,
        None => return Err(Unfit::NoSizeInput),
    };
    let raw_data = match kind {
        INT64 => size.iter().flat_map(|&side| i64::from(side).to_le_bytes()).collect(),
        FLOAT => size.iter().flat_map(|&side| (side as f32).to_le_bytes()).collect(),
        _ => return Err(Unfit::NoSizeInput),
    };
    let value = TensorProto { name: name.into(), data_type: kind, dims: vec![1, 2], raw_data, ..Default::default() };
    graph.initializer.push(value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::ValueInfoProto;

    use super::*;

    fn model(ir_version: i64, inputs: &[&str]) -> Vec<u8> {
        let named = |name: &&str| ValueInfoProto { name: (*name).to_owned(), ..Default::default() };
        let weight = TensorProto { name: "weight".into(), ..Default::default() };
        let graph =
            GraphProto { input: inputs.iter().map(named).collect(), initializer: vec![weight], ..Default::default() };
        ModelProto { ir_version, graph: Some(graph), ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn only_filled_inputs_go_and_only_where_the_format_allows_it() {
        let stripped = prepare(&model(7, &["image", "weight"]), None).unwrap().unwrap();
        let graph = ModelProto::decode(stripped.as_slice()).unwrap().graph.unwrap();
        assert_eq!(graph.input.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["image"]);
        assert_eq!(graph.initializer.len(), 1);
        assert!(prepare(&model(7, &["image"]), None).unwrap().is_none());
        assert!(prepare(&model(3, &["image", "weight"]), None).unwrap().is_none());
        assert!(matches!(prepare(b"not a model", None), Err(Unfit::Undecodable(_))));
    }

    #[test]
    fn a_size_input_that_is_not_there_is_an_error() {
        assert!(matches!(prepare(&model(7, &["image"]), Some(("size", [1, 2]))), Err(Unfit::NoSizeInput)));
        // It is there, but holds nothing that could be a size.
        assert!(matches!(prepare(&model(7, &["size"]), Some(("size", [1, 2]))), Err(Unfit::NoSizeInput)));
    }
}
