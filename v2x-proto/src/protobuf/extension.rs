//! What has no field of its own: additions, alternatives and containers of later versions, bits beyond the usual ones,
//! causes without a name. All of it is kept as received.

use crate::List;
use crate::cdd::{ItsPduHeader, MessageId};
use crate::containers::{ContainerEntry, ContainerOrder, LARGEST_ID};
use crate::protobuf::schema::{Field, Form, Name, Note, Presence, Schema, Type, sequence_named};
use crate::protobuf::values::in_range;
use crate::protobuf::wire::{Key, Reader, Writer};
use crate::protobuf::{Fault, LEFT_OVER, Proto, ProtobufErrorKind};
use crate::uper::extension::{UnknownAddition, UnknownExtension};
use crate::uper::{UnknownAlternative, UnknownExtensions, UperErrorKind};
use prost::encoding::WireType;

/// Field number of a message's unknown extensions.
pub(crate) const EXTENSIONS: u32 = 15;

/// Where the messages declared here are in the schema.
const PATH: &str = "masa::extension";

/// Longest open type that the packed encoding rules write without fragments, bytes.
pub(crate) const LONGEST: usize = 16_383;
/// Extension additions and alternatives have indices below this.
const ADDITIONS: i64 = 64;

/// A number of `range` that must be there.
pub(crate) fn number_in(
    number: Option<u64>,
    name: &'static str,
    range: std::ops::Range<i64>,
    r: &Reader<'_>,
) -> Result<i64, Fault> {
    checked(number, name, range).map_err(|(name, kind)| r.fault(kind).in_field(name))
}

/// The content of an open type that must be there.
pub(crate) fn content(bytes: Option<&[u8]>, r: &Reader<'_>) -> Result<Box<[u8]>, Fault> {
    let bytes = bytes.ok_or_else(|| r.fault(ProtobufErrorKind::Missing).in_field("content"))?;
    check_content(bytes).map_err(|kind| r.fault(kind).in_field("content"))?;
    Ok(bytes.into())
}

pub(crate) fn check_content(bytes: &[u8]) -> Result<(), UperErrorKind> {
    let count = bytes.len();
    if (1..=LONGEST).contains(&count) { Ok(()) } else { Err(UperErrorKind::Count { count, min: 1, max: LONGEST }) }
}

/// Reads `{ index = 1; content = 2 }`.
pub(crate) fn get_indexed<'a>(key: Key, r: &mut Reader<'a>) -> Result<(Option<u64>, Option<&'a [u8]>), Fault> {
    r.expect(WireType::LengthDelimited, key)?;
    r.nested(|r| {
        let (mut index, mut bytes) = (None, None);
        while let Some(key) = r.next()? {
            match key.tag {
                1 => r.number_once(&mut index, key).map_err(|fault| fault.in_field("index"))?,
                2 => r.bytes_once(&mut bytes, key).map_err(|fault| fault.in_field("content"))?,
                _ => r.skip(key)?,
            }
        }
        Ok((index, bytes))
    })
}

pub(crate) fn field(name: &'static str, tag: u32, presence: Presence, ty: Type, comment: &'static str) -> Field {
    Field { name, rust: "", tag, presence, wrapped: false, ty, comment }
}

pub(crate) fn content_type() -> Type {
    Type::Bytes(Note::length(1, LONGEST))
}

pub(crate) fn put_unknown(unknown: &UnknownAlternative, w: &mut Writer) -> Result<(), Fault> {
    w.nested(LEFT_OVER, |w| {
        w.number(1, unknown.index.into());
        w.bytes(2, &unknown.content);
        Ok(())
    })
}

/// An alternative whose index is past the `known` ones.
pub(crate) fn get_unknown(key: Key, known: usize, r: &mut Reader<'_>) -> Result<UnknownAlternative, Fault> {
    let read = |r: &mut Reader<'_>| {
        let (number, bytes) = get_indexed(key, r)?;
        let index = number_in(number, "index", known as i64..ADDITIONS, r)? as u8;
        Ok(UnknownAlternative { index, content: content(bytes, r)? })
    };
    read(r).map_err(|fault: Fault| fault.in_field("unknown"))
}

pub(crate) fn unknown_field(schema: &mut Schema) -> Field {
    let docs = " An alternative of a later version of the standard, as received.\n";
    let ty = schema.message(PATH, "UnknownAlternative", docs, Form::Sequence, |_| {
        let index = " Index among the extension alternatives.\n";
        let content = " Content of its open type, UPER.\n";
        vec![
            field("index", 1, Presence::Mandatory, Type::number(0, ADDITIONS - 1), index),
            field("content", 2, Presence::Mandatory, content_type(), content),
        ]
    });
    field("unknownAlternative", LEFT_OVER, Presence::Optional, ty, " An alternative of a later version.\n")
}

pub(crate) fn put_extensions(extensions: &UnknownExtensions, w: &mut Writer) -> Result<(), Fault> {
    extensions.kept.iter().try_for_each(|extension| {
        w.nested(EXTENSIONS, |w| {
            w.number(1, extension.ordinal.into());
            w.bytes(2, extension.owner.as_bytes());
            w.number(3, extension.len.into());
            extension.additions.iter().try_for_each(|addition| {
                w.nested(4, |w| {
                    w.number(1, addition.index.into());
                    w.bytes(2, &addition.content);
                    Ok(())
                })
            })
        })
    })
}

/// Index and content of one addition.
type CarriedAddition = (Option<u64>, Option<Box<[u8]>>);

/// The additions of one sequence as an image carries them: index and content of each.
pub(crate) struct CarriedExtension<'a> {
    pub(crate) ordinal: Option<u64>,
    pub(crate) owner: Option<&'a str>,
    pub(crate) announced: Option<u64>,
    pub(crate) additions: Vec<CarriedAddition>,
}

impl CarriedExtension<'_> {
    /// Adds it to those before it, in the order of their sequences.
    ///
    /// # Errors
    /// The member that is missing or wrong, and why.
    pub(crate) fn add_to(self, extensions: &mut UnknownExtensions) -> Result<(), (&'static str, ProtobufErrorKind)> {
        let least = extensions.kept.last().map_or(1, |last| i64::from(last.ordinal) + 1);
        let ordinal = checked(self.ordinal, "ordinal", least..i64::from(u32::MAX) + 1)? as u32;
        let owner = self.owner.ok_or(("owner", ProtobufErrorKind::Missing))?;
        let owner = sequence_named(owner).ok_or(("owner", ProtobufErrorKind::UnknownType))?;
        let mut additions = List::<UnknownAddition, 0, 64>::new();
        for (index, content) in self.additions {
            let least = additions.last().map_or(0, |last| i64::from(last.index) + 1);
            let index = checked(index, "additions.index", least..ADDITIONS)? as u8;
            let content = content.ok_or(("additions.content", ProtobufErrorKind::Missing))?;
            check_content(&content).map_err(|kind| ("additions.content", kind.into()))?;
            // Ascending indices below 64 find room.
            _ = additions.push(UnknownAddition { index, content });
        }
        let least = additions.last().map_or(1, |last| i64::from(last.index) + 1);
        let len = checked(self.announced, "announced", least..ADDITIONS + 1)? as u8;
        // There is no limit but the message's size.
        _ = extensions.kept.push(UnknownExtension { ordinal, owner, len, additions });
        Ok(())
    }
}

/// A number of `range` that must be there.
fn checked(
    number: Option<u64>,
    name: &'static str,
    range: std::ops::Range<i64>,
) -> Result<i64, (&'static str, ProtobufErrorKind)> {
    let number = number.ok_or((name, ProtobufErrorKind::Missing))?;
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    in_range(number, range.start, range.end - 1).map_err(|kind| (name, kind.into()))
}

/// One occurrence; they are in the order of their sequences.
pub(crate) fn get_extension(extensions: &mut UnknownExtensions, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
    r.expect(WireType::LengthDelimited, key)?;
    r.nested(|r| {
        let (mut ordinal, mut owner, mut announced) = (None, None, None);
        let mut additions = Vec::new();
        while let Some(key) = r.next()? {
            match key.tag {
                1 => r.number_once(&mut ordinal, key)?,
                2 => r.bytes_once(&mut owner, key)?,
                3 => r.number_once(&mut announced, key)?,
                4 => {
                    let (index, content) = get_indexed(key, r)?;
                    additions.push((index, content.map(Into::into)));
                }
                _ => r.skip(key)?,
            }
        }
        let owner = owner.map(|bytes| std::str::from_utf8(bytes).unwrap_or_default());
        let carried = CarriedExtension { ordinal, owner, announced, additions };
        carried.add_to(extensions).map_err(|(name, kind)| r.fault(kind).in_field(name))
    })
}

pub(crate) fn extensions_field(schema: &mut Schema) -> Field {
    let docs = " Extension additions of one SEQUENCE that are not known here, with their place in the message. Whoever adds or\n \
        removes components of such a message drops them.\n";
    let element = schema.message(PATH, "UnknownExtension", docs, Form::Sequence, |schema| {
        let docs = " One extension addition, as received.\n";
        let addition = schema.message(PATH, "UnknownAddition", docs, Form::Sequence, |_| {
            let index = " Index among the additions of the SEQUENCE.\n";
            let content = " Content of its open type, UPER.\n";
            vec![
                field("index", 1, Presence::Mandatory, Type::number(0, ADDITIONS - 1), index),
                field("content", 2, Presence::Mandatory, content_type(), content),
            ]
        });
        let ordinal = " How many extensible SEQUENCEs the message has up to this one, which is counted.\n";
        let owner = " Name of the SEQUENCE's message.\n";
        let announced = " Number of additions that the sender announced.\n";
        let additions = Type::List { element: Box::new(addition), min: 0, max: ADDITIONS as usize };
        vec![
            field("ordinal", 1, Presence::Mandatory, Type::number(1, u32::MAX.into()), ordinal),
            field("owner", 2, Presence::Mandatory, Type::String(Note::length(1, 64)), owner),
            field("announced", 3, Presence::Mandatory, Type::number(1, ADDITIONS), announced),
            field("additions", 4, Presence::Optional, additions, " Those that are not known.\n"),
        ]
    });
    let ty = Type::List { element: Box::new(element), min: 0, max: usize::MAX };
    let docs = " What later versions of the standard add, in the order of the message.\n";
    field("unknownExtensions", EXTENSIONS, Presence::Optional, ty, docs)
}

pub(crate) fn header_field(schema: &mut Schema) -> Field {
    field("header", 1, Presence::Mandatory, ItsPduHeader::describe(schema), " Header.\n")
}

pub(crate) fn content_field(name: &'static str, ty: Type, docs: &'static str) -> Field {
    field(name, 2, Presence::Mandatory, ty, docs)
}

/// The header of a message that must be of one kind.
pub(crate) fn get_header(
    slot: &mut Option<ItsPduHeader>,
    id: MessageId,
    key: Key,
    r: &mut Reader<'_>,
) -> Result<(), Fault> {
    ItsPduHeader::get_field(slot, key, r)?;
    match slot {
        Some(header) if header.message_id != id => {
            let kind = UperErrorKind::WrongMessage { expected: id.code(), found: header.message_id.code() };
            Err(r.fault(kind).in_field("messageId"))
        }
        _ => Ok(()),
    }
}

/// The containers in an unusual order, and those without a field.
pub(crate) fn put_order(order: &ContainerOrder, w: &mut Writer) -> Result<(), Fault> {
    order.entries.iter().try_for_each(|entry| {
        w.nested(LEFT_OVER, |w| {
            w.number(1, entry.id.into());
            if let Some(content) = &entry.content {
                w.bytes(2, content);
            }
            Ok(())
        })
    })
}

/// One occurrence of what [`put_order`] appends.
pub(crate) fn get_order(order: &mut ContainerOrder, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
    let count = order.entries.len();
    let mut read = |r: &mut Reader<'_>| {
        let (number, bytes) = get_indexed(key, r)?;
        let id = number_in(number, "containerId", 1..LARGEST_ID + 1, r)? as u8;
        let content = bytes.map(|bytes| content(Some(bytes), r)).transpose()?;
        let full = UperErrorKind::Count { count: count + 1, min: 0, max: count };
        order.entries.push(ContainerEntry { id, content }).map_err(|_| r.fault(full))
    };
    read(r).map_err(|fault| fault.in_element(count).in_field("order"))
}

pub(crate) fn order_field(schema: &mut Schema) -> Field {
    let docs = " A container's place in an order that is not ascending, or a container without a field of its own.\n";
    let element = schema.message(PATH, "ContainerEntry", docs, Form::Sequence, |_| {
        let content = " Content of its open type, UPER, where the container is repeated or of a later version.\n";
        vec![
            field("containerId", 1, Presence::Mandatory, Type::number(1, LARGEST_ID), " Container id.\n"),
            field("content", 2, Presence::Optional, content_type(), content),
        ]
    });
    let ty = Type::List { element: Box::new(element), min: 0, max: ContainerOrder::CAPACITY };
    let docs = " All containers in the order received; absent when that is ascending and each has its field.\n";
    field("order", LEFT_OVER, Presence::Optional, ty, docs)
}

/// `{ mask = 1; length = 2 }`, the length only when it is not `usual`.
pub(crate) fn put_bits(mask: u32, len: u8, usual: u8, w: &mut Writer) {
    w.number(1, mask.into());
    if len != usual {
        w.number(2, len.into());
    }
}

/// Mask and length of what [`put_bits`] appends.
pub(crate) fn get_bits(usual: u8, r: &mut Reader<'_>) -> Result<(u32, u8), Fault> {
    let (mut mask, mut len) = (None, None);
    while let Some(key) = r.next()? {
        match key.tag {
            1 => r.number_once(&mut mask, key)?,
            2 => r.number_once(&mut len, key)?,
            _ => r.skip(key)?,
        }
    }
    let len = number_in(Some(len.unwrap_or(usual.into())), "length", 1..33, r)?;
    let mask = number_in(mask, "mask", 0..1 << len, r)?;
    Ok((mask as u32, len as u8))
}

pub(crate) fn bits_message(
    schema: &mut Schema,
    path: &'static str,
    name: &'static str,
    docs: &'static str,
    bits: Name,
    usual: u8,
) -> Type {
    schema.message(path, name, docs, Form::Sequence, |_| {
        let mask = Note { max: u32::MAX.into(), bits: Some(bits), ..Note::default() };
        let docs = " Bit i of the standard has the weight 1 << i.\n";
        let length = " Number of bits, where a later version has another one.\n";
        vec![
            field("mask", 1, Presence::Mandatory, Type::Number(mask), docs),
            field("length", 2, Presence::Default(Some(usual.into())), Type::number(1, 32), length),
        ]
    })
}

/// `{ cause = 1; subCause = 2 }`.
pub(crate) fn get_other_cause(key: Key, r: &mut Reader<'_>) -> Result<(u8, u8), Fault> {
    r.expect(WireType::LengthDelimited, key)?;
    let (cause, sub_cause) = r.nested(|r| {
        let (mut cause, mut sub_cause) = (None, None);
        while let Some(key) = r.next()? {
            match key.tag {
                1 => r.number_once(&mut cause, key)?,
                2 => r.number_once(&mut sub_cause, key)?,
                _ => r.skip(key)?,
            }
        }
        Ok((cause, sub_cause))
    })?;
    Ok((number_in(cause, "cause", 0..256, r)? as u8, number_in(sub_cause, "subCause", 0..256, r)? as u8))
}

pub(crate) fn other_cause_field(schema: &mut Schema) -> Field {
    let docs = " A cause without a name here.\n";
    let ty = schema.message(PATH, "OtherCause", docs, Form::Sequence, |_| {
        vec![
            field("cause", 1, Presence::Mandatory, Type::number(0, 255), " `CauseCodeType`.\n"),
            field("subCause", 2, Presence::Mandatory, Type::number(0, 255), " `SubCauseCodeType`.\n"),
        ]
    });
    field("other", LEFT_OVER, Presence::Optional, ty, " A cause without a name here; release 2 allows at most 128.\n")
}

pub(crate) fn lane_status_message(schema: &mut Schema, path: &'static str) -> Type {
    let docs = " Closed lanes (`DrivingLaneStatus`).\n";
    schema.message(path, "DrivingLaneStatus", docs, Form::Sequence, |_| {
        let closed = " Bit i is lane i + 1, counted from the inner border; 1 is closed.\n";
        vec![
            field("lanes", 1, Presence::Mandatory, Type::number(1, 13), " Number of lanes.\n"),
            field("closed", 2, Presence::Mandatory, Type::number(0, (1 << 13) - 1), closed),
        ]
    })
}
