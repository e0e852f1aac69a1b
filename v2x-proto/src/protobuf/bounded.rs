//! Protobuf forms of the constructs that the ISO modules need, and of IVIM's codecs that are written by hand.

use crate::ivim::{
    CopValue, CopValueCodec, EmissionUnit, EmissionUnitCodec, EuroValue, EuroValueCodec, SignUnit, UnitIn,
    VarLengthNumber,
};
use crate::protobuf::schema::{Note, Schema, Type};
use crate::protobuf::values::{Described, Number, check_count, in_range};
use crate::protobuf::wire::{Reader, Writer};
use crate::protobuf::{Fault, Proto};
use crate::uper::UperErrorKind;
use crate::uper::bounded::{AnyInt, BoxedUtf8, BytesUpTo, EmptySequence, Ext, Nested, Null, TOO_DEEP};
use crate::uper::element::Coded;

impl<C: Coded + Described, const CAP: i64> Number for Ext<C, CAP> {
    type Value = C::Value;
    const SIGNED: bool = C::MIN < 0;

    fn to_number(value: &C::Value) -> Result<i64, UperErrorKind> {
        in_range(C::to_code(value)?, C::MIN, CAP)
    }

    fn from_number(number: i64) -> Result<C::Value, UperErrorKind> {
        Ok(C::from_code(in_range(number, C::MIN, CAP)?))
    }

    fn describe(schema: &mut Schema) -> Type {
        match <C as Described>::describe(schema) {
            Type::Number(note) => Type::Number(Note { max: CAP, ..note }),
            named => named,
        }
    }
}

/// Numbers of a Rust type that holds all of them.
macro_rules! whole_numbers {
    ($( $codec:ty: $value:ty, signed $signed:literal; )*) => { $(
        impl Number for $codec {
            type Value = $value;
            const SIGNED: bool = $signed;

            fn to_number(value: &$value) -> Result<i64, UperErrorKind> {
                Ok((*value).into())
            }

            fn from_number(number: i64) -> Result<$value, UperErrorKind> {
                Ok(in_range(number, <$value>::MIN.into(), <$value>::MAX.into())? as $value)
            }

            fn describe(_: &mut Schema) -> Type {
                Type::number(<$value>::MIN.into(), <$value>::MAX.into())
            }
        }
    )* };
}

whole_numbers! {
    AnyInt: i32, signed true;
    VarLengthNumber: u32, signed false;
}

/// Forms without content: `true`, for the alternative says it all.
macro_rules! without_content {
    ($( $codec:ty; )*) => { $(
        impl Number for $codec {
            type Value = Null;

            fn to_number(_: &Null) -> Result<i64, UperErrorKind> {
                Ok(1)
            }

            fn from_number(number: i64) -> Result<Null, UperErrorKind> {
                in_range(number, 1, 1).map(|_| Null)
            }

            fn describe(_: &mut Schema) -> Type {
                Type::Bool
            }
        }
    )* };
}

without_content! {
    Null;
    EmptySequence;
}

/// Codecs of codes that have an enum of their own.
macro_rules! as_enums {
    ($( $codec:ty: $ty:ty; )*) => { $(
        impl Described for $codec {
            fn describe(schema: &mut Schema) -> Type {
                <$ty as Described>::describe(schema)
            }
        }
    )* };
}

as_enums! {
    EuroValueCodec: EuroValue;
    CopValueCodec: CopValue;
    EmissionUnitCodec: EmissionUnit;
}

impl<const MIN: i64, const MAX: i64> Described for UnitIn<MIN, MAX> {
    fn describe(schema: &mut Schema) -> Type {
        <SignUnit as Described>::describe(schema)
    }
}

impl<const MIN: usize, const MAX: usize> Proto for BoxedUtf8<MIN, MAX> {
    type Value = Box<str>;

    fn put(value: &Box<str>, w: &mut Writer) -> Result<(), Fault> {
        check_count(value.chars().count(), MIN, MAX).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Box<str>, Fault> {
        let text = std::str::from_utf8(r.take_rest()).map_err(|_| r.fault(UperErrorKind::NotUtf8))?;
        check_count(text.chars().count(), MIN, MAX).map_err(|kind| r.fault(kind))?;
        Ok(text.into())
    }

    fn describe(_: &mut Schema) -> Type {
        Type::String(Note::length(MIN, MAX))
    }
}

impl<const MAX: usize> Proto for BytesUpTo<MAX> {
    type Value = Box<[u8]>;

    fn put(value: &Box<[u8]>, w: &mut Writer) -> Result<(), Fault> {
        check_count(value.len(), 0, MAX).map_err(|kind| w.fault(kind))?;
        w.out.extend_from_slice(value);
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<Box<[u8]>, Fault> {
        let bytes = r.take_rest();
        check_count(bytes.len(), 0, MAX).map_err(|kind| r.fault(kind))?;
        Ok(bytes.into())
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Bytes(Note::length(0, MAX))
    }
}

impl<C: Proto, const MOST: u8> Proto for Nested<C, MOST> {
    type Value = C::Value;
    const NUMBER: bool = C::NUMBER;

    fn put(value: &C::Value, w: &mut Writer) -> Result<(), Fault> {
        if w.nesting >= MOST {
            return Err(w.fault(TOO_DEEP));
        }
        w.nesting += 1;
        C::put(value, w)?;
        w.nesting -= 1;
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<C::Value, Fault> {
        if r.nesting >= MOST {
            return Err(r.fault(TOO_DEEP));
        }
        r.nesting += 1;
        let value = C::get(r)?;
        r.nesting -= 1;
        Ok(value)
    }

    fn describe(schema: &mut Schema) -> Type {
        C::describe(schema)
    }
}
