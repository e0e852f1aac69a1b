//! Protobuf forms of the codecs of ISO/TS 19091 that are written by hand.

use crate::List;
use crate::dsrc::codec::{HexOctets, RawContent, RegionalOf, Unlimited, Xy};
use crate::dsrc::{OffsetXy, OtherRegional, Regional, SignalGroupId, TemporaryId, TimeMark};
use crate::heap::Content;
use crate::protobuf::extension::{LONGEST, check_content, field};
use crate::protobuf::schema::{Field, Form, Note, Presence, Schema, Type};
use crate::protobuf::values::{Described, Number, check_count, in_range};
use crate::protobuf::wire::{Reader, Writer};
use crate::protobuf::{Fault, LEFT_OVER, Proto, ProtobufErrorKind, get_single, put_single, settle_required};
use crate::spatem::TimeIntervalConfidence;
use crate::uper::UperErrorKind;
use crate::uper::element::Coded;
use std::borrow::Cow;

/// Where the messages declared here are in the schema.
const PATH: &str = "masa::dsrc";

macro_rules! plain_numbers {
    ($($codec:ty),*) => { $(
        impl Described for $codec {
            fn describe(_: &mut Schema) -> Type {
                Type::number(<$codec as Coded>::MIN, <$codec as Coded>::MAX)
            }
        }
    )* };
}

plain_numbers!(SignalGroupId, TemporaryId, TimeIntervalConfidence);

impl Described for TimeMark {
    fn describe(_: &mut Schema) -> Type {
        Type::Number(Note {
            max: Self::MAX,
            step: Some(0.1),
            above: Some(36_000),
            unavailable: Some(36_001),
            ..Note::default()
        })
    }
}

impl Number for Unlimited {
    type Value = i64;
    const SIGNED: bool = true;

    fn to_number(value: &i64) -> Result<i64, UperErrorKind> {
        in_range(*value, Self::MIN, Self::MAX)
    }

    fn from_number(number: i64) -> Result<i64, UperErrorKind> {
        in_range(number, Self::MIN, Self::MAX)
    }

    fn describe(_: &mut Schema) -> Type {
        Type::number(Self::MIN, Self::MAX)
    }
}

/// `{ x = 1; y = 2 }`, one message for all widths.
impl<Q: Coded<Value = f32> + Described> Proto for Xy<Q> {
    type Value = OffsetXy;

    fn put(value: &OffsetXy, w: &mut Writer) -> Result<(), Fault> {
        put_single::<Q>(&value.x_m, 1, w).map_err(|fault| fault.in_field("x"))?;
        put_single::<Q>(&value.y_m, 2, w).map_err(|fault| fault.in_field("y"))
    }

    fn get(r: &mut Reader<'_>) -> Result<OffsetXy, Fault> {
        let (mut x, mut y) = (None, None);
        while let Some(key) = r.next()? {
            match key.tag {
                1 => <Q as Proto>::get_field(&mut x, key, r).map_err(|fault| fault.in_field("x"))?,
                2 => <Q as Proto>::get_field(&mut y, key, r).map_err(|fault| fault.in_field("y"))?,
                _ => r.skip(key)?,
            }
        }
        let x_m = settle_required::<Q>(x, r).map_err(|fault| fault.in_field("x"))?;
        let y_m = settle_required::<Q>(y, r).map_err(|fault| fault.in_field("y"))?;
        Ok(OffsetXy { x_m, y_m })
    }

    fn describe(schema: &mut Schema) -> Type {
        let docs = " A horizontal offset; how large it can be, the field that holds it says.\n";
        schema.message(PATH, "OffsetXy", docs, Form::Sequence, |_| {
            let offset = || Type::Number(Note { min: -32_768, max: 32_767, step: Some(0.01), ..Note::default() });
            let axis =
                |name, rust, tag, comment| Field { rust, ..field(name, tag, Presence::Mandatory, offset(), comment) };
            vec![axis("x", "x_m", 1, " Towards the east.\n"), axis("y", "y_m", 2, " Towards the north.\n")]
        })
    }
}

/// Bytes that are a list in Rust.
impl<const INLINE: usize, const MIN: usize, const MAX: usize> Proto for HexOctets<INLINE, MIN, MAX> {
    type Value = List<u8, INLINE, MAX>;

    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
        check_count(value.len(), MIN, MAX).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value);
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
        let bytes = r.take_rest();
        check_count(bytes.len(), MIN, MAX).map_err(|kind| r.fault(kind))?;
        Ok(List::try_from_iter(bytes.iter().copied()).unwrap_or_default())
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Bytes(Note::length(MIN, MAX))
    }
}

impl Proto for RawContent {
    type Value = Content;

    fn put(value: &Content, w: &mut Writer) -> Result<(), Fault> {
        check_content(value).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value);
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Content, Fault> {
        let bytes = r.take_rest();
        check_content(bytes).map_err(|kind| r.fault(kind))?;
        Ok(bytes.into())
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Bytes(Note::length(1, LONGEST))
    }
}

/// Field number of the European form: its region.
const ADD_GRP_C: u32 = 3;

impl<C: Proto> Proto for RegionalOf<C> {
    type Value = Regional<C::Value>;

    fn put(value: &Self::Value, w: &mut Writer) -> Result<(), Fault> {
        match value {
            Regional::AddGrpC(content) => put_single::<C>(content, ADD_GRP_C, w),
            Regional::Other(other) => put_single::<OtherRegional>(other, LEFT_OVER, w),
        }
    }

    fn get(r: &mut Reader<'_>) -> Result<Self::Value, Fault> {
        let mut found = None;
        while let Some(key) = r.next()? {
            match key.tag {
                ADD_GRP_C => {
                    let content = get_single::<C>(key, r)?;
                    r.once(&mut found, Regional::AddGrpC(content))?;
                }
                LEFT_OVER => {
                    let other = get_single::<OtherRegional>(key, r)?;
                    if u32::from(other.region_id) == ADD_GRP_C {
                        return Err(r.fault(UperErrorKind::NotSupported("a European extension as bytes")));
                    }
                    r.once(&mut found, Regional::Other(other))?;
                }
                _ => r.skip(key)?,
            }
        }
        found.ok_or_else(|| r.fault(ProtobufErrorKind::NoAlternative))
    }

    fn describe(schema: &mut Schema) -> Type {
        let content = C::describe(schema);
        let name: Cow<'static, str> = match &content {
            Type::Message(name) => format!("Regional{}", name.name.trim_end_matches("AddGrpC")).into(),
            _ => "RegionalContent".into(),
        };
        let docs = " A regional extension; the field number is the region (`RegionalExtension`).\n";
        schema.message(PATH, name, docs, Form::Choice, |schema| {
            let other = OtherRegional::describe(schema);
            vec![
                field("addGrpC", ADD_GRP_C, Presence::Optional, content, " Of Europe.\n"),
                field("other", LEFT_OVER, Presence::Optional, other, " Of any other region.\n"),
            ]
        })
    }
}
