//! JSON encoding rules (X.697): the values of a message under the standard's own names, codes as numbers.
//!
//! In: a message. Out: a JSON value for tools and comparison with other codecs; clients read the
//! [`json`](crate::json) image instead. Absent: reading JER back.

/// A JSON value.
pub(crate) type Jer = serde_json::Value;

/// Release of the ETSI standards whose names are used. The bytes are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// EN 302 637-2, EN 302 637-3.
    R1,
    /// TS 103 900, TS 103 831, TS 103 324.
    #[default]
    R2,
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A bit string of a fixed length: its bytes, the last one filled with zeros. `bits` has the first bit highest.
pub(crate) fn bits(bits: u32, len: u32) -> String {
    let aligned = (u64::from(bits) << (64 - len)).to_be_bytes();
    hex(&aligned[..len.div_ceil(8) as usize])
}
