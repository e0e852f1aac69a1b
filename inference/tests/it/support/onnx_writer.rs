//! Writes ONNX files of a few nodes, byte by byte (onnx.proto3 of ONNX 1.16: field numbers stand beside each use).

/// Length-delimited protobuf field.
fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(value.len() as u64), value.to_vec()].concat()
}

/// Protobuf field holding a number.
fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Element types of ONNX tensors.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    F32 = 1,
    I64 = 7,
}

/// A node with integer attributes.
pub(crate) fn node(op: &str, inputs: &[&str], outputs: &[&str], attributes: &[(&str, u64)]) -> Vec<u8> {
    let mut node = Vec::new();
    node.extend(inputs.iter().flat_map(|name| bytes(1, name.as_bytes())));
    node.extend(outputs.iter().flat_map(|name| bytes(2, name.as_bytes())));
    node.extend(bytes(3, outputs[0].as_bytes()));
    node.extend(bytes(4, op.as_bytes()));
    for (name, value) in attributes {
        // AttributeProto: name 1, i 3, type 20 (INT = 2).
        node.extend(bytes(5, &[bytes(1, name.as_bytes()), number(3, *value), number(20, 2)].concat()));
    }
    node
}

/// A list of whole numbers that a node reads.
pub(crate) fn constant(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    // TensorProto: dims 1, data_type 2, name 8, raw_data 9.
    [number(1, values.len() as u64), number(2, Kind::I64 as u64), bytes(8, name.as_bytes()), bytes(9, &raw)].concat()
}

/// An input or output of the graph; an extent of 0 leaves the axis open.
pub(crate) fn value(name: &str, kind: Kind, shape: &[u64]) -> Vec<u8> {
    // ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } } }.
    let dim = |extent| if extent == 0 { Vec::new() } else { number(1, extent) };
    let dims: Vec<u8> = shape.iter().flat_map(|&extent| bytes(1, &dim(extent))).collect();
    let tensor = [number(1, kind as u64), bytes(2, &dims)].concat();
    [bytes(1, name.as_bytes()), bytes(2, &bytes(1, &tensor))].concat()
}

/// A whole file.
pub(crate) fn model(nodes: &[Vec<u8>], constants: &[Vec<u8>], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> Vec<u8> {
    // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
    let part = |field, all: &[Vec<u8>]| -> Vec<u8> { all.iter().flat_map(|one| bytes(field, one)).collect() };
    let graph = [part(1, nodes), bytes(2, b"tiny"), part(5, constants), part(11, inputs), part(12, outputs)].concat();
    // ModelProto: ir_version 1, opset_import 8 { version 2 }, graph 7.
    [number(1, 8), bytes(8, &number(2, 13)), bytes(7, &graph)].concat()
}

/// A network that gives its input back in another shape: the image's pixels are the output's numbers. An extent of -1 is
/// what is left.
pub(crate) fn reshaping(input: &[u64], output: &[i64]) -> Vec<u8> {
    let shape: Vec<u64> = output.iter().map(|&extent| extent.max(0) as u64).collect();
    model(
        &[node("Reshape", &["images", "shape"], &["output"], &[])],
        &[constant("shape", output)],
        &[value("images", Kind::F32, input)],
        &[value("output", Kind::F32, &shape)],
    )
}
