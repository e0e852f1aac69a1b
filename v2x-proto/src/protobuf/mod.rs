//! The protobuf image of messages: schemas that any language can use, and the bytes that go with them.
//!
//! In: a message, or protobuf bytes. Out: the other one; and the `.proto` files under `proto/`, which are generated from
//! the tables that declare the messages ([`schemas`]). Rules, so that the image is lossless:
//!
//! - Names and structure are the standard's. A SEQUENCE is a message, a CHOICE a message with a `oneof`, an ENUMERATED or
//!   a named INTEGER an enum, a SEQUENCE OF a repeated field (packed where it holds numbers).
//! - Numbers are the standard's codes. The `component` option of each field says what a code means: unit, step, range and
//!   the codes of "unavailable" and "out of range".
//! - Every singular field has presence. A mandatory component that is absent is an error, never a zero.
//! - Field numbers: components in the order of the standard from 1 on, extension additions after the root; alternatives
//!   likewise; containers by their container id; causes by their code; messages in the envelope by their message id.
//!   2047 holds what has no field. A number never changes its meaning: the generator refuses to (see
//!   `tests/it/protobuf_schema.rs`).
//! - What later versions of a standard add is kept as bytes: `unknown_extensions`, `unknown`, `order`.
//!
//! Invariants: bad input is an error that names component and byte; nothing is allocated beyond the capacities of the
//! types and the size of the input. Stricter than protobuf asks: a singular field that occurs twice is refused, because
//! readers that merge and readers that replace would disagree about a safety message. Fields of a later schema are
//! skipped. Absent: text format, gRPC.

mod bounded;
pub(crate) mod declare;
mod dsrc;
mod elements;
mod envelope;
mod error;
pub(crate) mod extension;
mod poim;
mod render;
pub(crate) mod schema;
pub(crate) mod values;
pub(crate) mod wire;

pub(crate) use error::Fault;
pub use error::{ProtobufError, ProtobufErrorKind};
pub use render::{SchemaFile, schemas};

use prost::encoding::WireType;
use schema::{Schema, Type};
use wire::{Key, Reader, Writer};

/// Field number of what has no field of its own: an alternative of a later version, the order of containers.
pub(crate) const LEFT_OVER: u32 = 2047;

/// The protobuf form of a Rust value.
pub(crate) trait Proto {
    /// The Rust value.
    type Value;

    /// Whether the value alone is a number; otherwise it is length-delimited.
    const NUMBER: bool = false;

    /// Whether it may be a list without elements, which an optional repeated field cannot tell from an absent one.
    const MAY_BE_EMPTY: bool = false;

    /// Appends the value alone: a number, or the content of a length-delimited field.
    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault>;

    /// Reads what [`Proto::put`] appends; a length-delimited one to the end of the reader.
    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault>;

    /// Appends the value as a component of a message: one field, or one for each element of a list.
    fn put_field(value: &Self::Value, tag: u32, w: &mut Writer) -> Result<(), Fault> {
        put_single::<Self>(value, tag, w)
    }

    /// Reads one occurrence of the component's field.
    fn get_field(slot: &mut Option<Self::Value>, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
        let value = get_single::<Self>(key, r)?;
        r.once(slot, value)
    }

    /// The component after all of its fields were read.
    fn settle(slot: Option<Self::Value>, _r: &Reader<'_>) -> Result<Option<Self::Value>, Fault> {
        Ok(slot)
    }

    /// The number of a value, where it is one.
    fn number(_value: &Self::Value) -> Option<i64> {
        None
    }

    /// Its type in the schema, to which it adds what it refers to.
    fn describe(schema: &mut Schema) -> Type;
}

/// Appends a value as one field; a list as a message of its own.
pub(crate) fn put_single<C: Proto + ?Sized>(value: &C::Value, tag: u32, w: &mut Writer) -> Result<(), Fault> {
    if C::NUMBER {
        w.number_key(tag);
        C::put(value, w)
    } else {
        w.nested(tag, |w| C::put(value, w))
    }
}

/// Reads what [`put_single`] appends.
pub(crate) fn get_single<C: Proto + ?Sized>(key: Key, r: &mut Reader<'_>) -> Result<C::Value, Fault> {
    if C::NUMBER {
        r.expect(WireType::Varint, key)?;
        C::get(r)
    } else {
        r.expect(WireType::LengthDelimited, key)?;
        r.nested(C::get)
    }
}

/// An OPTIONAL component.
pub(crate) fn put_optional<C: Proto>(value: &Option<C::Value>, tag: u32, w: &mut Writer) -> Result<(), Fault> {
    match value {
        None => Ok(()),
        Some(value) if C::MAY_BE_EMPTY => put_single::<C>(value, tag, w),
        Some(value) => C::put_field(value, tag, w),
    }
}

/// Reads one occurrence of an OPTIONAL component's field.
pub(crate) fn get_optional<C: Proto>(slot: &mut Option<C::Value>, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
    if C::MAY_BE_EMPTY {
        let value = get_single::<C>(key, r)?;
        r.once(slot, value)
    } else {
        C::get_field(slot, key, r)
    }
}

/// An OPTIONAL component after all of its fields were read.
pub(crate) fn settle_optional<C: Proto>(slot: Option<C::Value>, r: &Reader<'_>) -> Result<Option<C::Value>, Fault> {
    if C::MAY_BE_EMPTY { Ok(slot) } else { C::settle(slot, r) }
}

/// A mandatory component after all of its fields were read.
pub(crate) fn settle_required<C: Proto>(slot: Option<C::Value>, r: &Reader<'_>) -> Result<C::Value, Fault> {
    C::settle(slot, r)?.ok_or_else(|| r.fault(ProtobufErrorKind::Missing))
}
