//! A repair of ONNX files that list their weights as inputs.
//!
//! Some exporters (PaddlePaddle, old PyTorch) name every initializer as a graph input too. ONNX Runtime then treats
//! the weights as replaceable and folds nothing: PicoDet-S takes 54 ms instead of 36.

use std::collections::BTreeSet;

use prost::Message;
use tract_onnx::pb::ModelProto;

/// The first IR version that allows initializers which are not inputs (ONNX `IR.md`, "Graphs").
const FREE_INITIALIZERS_SINCE: i64 = 4;

/// The model without those inputs that initializers fill; `None` where there is nothing to strip.
///
/// # Errors
/// Bytes that are not an ONNX model, in the decoder's words.
pub(super) fn strip_initializer_inputs(bytes: &[u8]) -> Result<Option<Vec<u8>>, prost::DecodeError> {
    let mut model = ModelProto::decode(bytes)?;
    let ir_version = model.ir_version;
    let Some(graph) = model.graph.as_mut().filter(|_| ir_version >= FREE_INITIALIZERS_SINCE) else {
        return Ok(None);
    };
    let filled: BTreeSet<&str> = graph.initializer.iter().map(|weight| weight.name.as_str()).collect();
    let before = graph.input.len();
    graph.input.retain(|input| !filled.contains(input.name.as_str()));
    Ok((graph.input.len() < before).then(|| model.encode_to_vec()))
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::{GraphProto, TensorProto, ValueInfoProto};

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
        let stripped = strip_initializer_inputs(&model(7, &["image", "weight"])).unwrap().unwrap();
        let graph = ModelProto::decode(stripped.as_slice()).unwrap().graph.unwrap();
        assert_eq!(graph.input.iter().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["image"]);
        assert_eq!(graph.initializer.len(), 1);
        assert!(strip_initializer_inputs(&model(7, &["image"])).unwrap().is_none());
        assert!(strip_initializer_inputs(&model(3, &["image", "weight"])).unwrap().is_none());
        assert!(strip_initializer_inputs(b"not a model").is_err());
    }
}
