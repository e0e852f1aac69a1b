//! Protobuf forms of the data elements whose codecs are written by hand.

use crate::cdd::codec::{
    CountryCodeCodec, LaneStatus, PathDeltaTime, StationIdCodec, TimestampItsCodec, VehicleSubClass,
};
use crate::cdd::{DrivingLaneStatus, LanePosition, PathPredicted, PathPredictedCodec, PathPredictedExt, StationType};
use crate::protobuf::extension::{lane_status_message, number_in};
use crate::protobuf::schema::{Note, Schema, Type};
use crate::protobuf::values::{Described, Number, in_range};
use crate::protobuf::wire::{Key, Reader, Writer};
use crate::protobuf::{Fault, Proto};
use crate::uper::UperErrorKind;
use crate::uper::element::Coded;

/// Codecs of plain numbers.
macro_rules! plain_numbers {
    ($($codec:ty),*) => { $(
        impl Described for $codec {
            fn describe(_: &mut Schema) -> Type {
                Type::number(<$codec as Coded>::MIN, <$codec as Coded>::MAX)
            }
        }
    )* };
}

plain_numbers!(StationIdCodec, TimestampItsCodec, LanePosition);

impl Described for VehicleSubClass {
    fn describe(schema: &mut Schema) -> Type {
        <StationType as Described>::describe(schema)
    }
}

/// A sub-cause without names.
impl Described for u8 {
    fn describe(_: &mut Schema) -> Type {
        Type::number(0, 255)
    }
}

impl Number for PathDeltaTime {
    type Value = u32;

    fn to_number(value: &u32) -> Result<i64, UperErrorKind> {
        in_range((i64::from(*value) + 5) / 10, 1, i64::from(u32::MAX / 10))
    }

    fn from_number(number: i64) -> Result<u32, UperErrorKind> {
        Ok(in_range(number, 1, i64::from(u32::MAX / 10))? as u32 * 10)
    }

    fn describe(_: &mut Schema) -> Type {
        Type::Number(Note { min: 1, max: i64::from(u32::MAX / 10), step: Some(10.0), ..Note::default() })
    }
}

impl Number for CountryCodeCodec {
    type Value = u16;

    fn to_number(value: &u16) -> Result<i64, UperErrorKind> {
        in_range((*value).into(), 0, 1023)
    }

    fn from_number(number: i64) -> Result<u16, UperErrorKind> {
        Ok(in_range(number, 0, 1023)? as u16)
    }

    fn describe(_: &mut Schema) -> Type {
        Type::number(0, 1023)
    }
}

/// `{ lanes = 1; closed = 2 }`.
impl Proto for LaneStatus {
    type Value = DrivingLaneStatus;

    fn put(value: &DrivingLaneStatus, w: &mut Writer) -> Result<(), Fault> {
        in_range(value.lanes.into(), 1, 13).map_err(|kind| w.fault(kind).in_field("lanes"))?;
        w.number(1, value.lanes.into());
        w.number(2, u64::from(value.closed) & ((1 << value.lanes) - 1));
        Ok(())
    }

    fn get(r: &mut Reader<'_>) -> Result<DrivingLaneStatus, Fault> {
        let (mut lanes, mut closed) = (None, None);
        while let Some(key) = r.next()? {
            match key.tag {
                1 => r.number_once(&mut lanes, key)?,
                2 => r.number_once(&mut closed, key)?,
                _ => r.skip(key)?,
            }
        }
        let lanes = number_in(lanes, "lanes", 1..14, r)? as u8;
        let closed = number_in(closed, "closed", 0..1 << lanes, r)? as u16;
        Ok(DrivingLaneStatus { lanes, closed })
    }

    fn describe(schema: &mut Schema) -> Type {
        lane_status_message(schema, "masa::cdd")
    }
}

/// As the list that it is.
impl Proto for PathPredictedCodec {
    type Value = PathPredicted;

    fn put(value: &PathPredicted, w: &mut Writer) -> Result<(), Fault> {
        PathPredictedExt::put(value, w)
    }

    fn get(r: &mut Reader<'_>) -> Result<PathPredicted, Fault> {
        PathPredictedExt::get(r)
    }

    fn put_field(value: &PathPredicted, tag: u32, w: &mut Writer) -> Result<(), Fault> {
        PathPredictedExt::put_field(value, tag, w)
    }

    fn get_field(slot: &mut Option<PathPredicted>, key: Key, r: &mut Reader<'_>) -> Result<(), Fault> {
        PathPredictedExt::get_field(slot, key, r)
    }

    fn settle(slot: Option<PathPredicted>, r: &Reader<'_>) -> Result<Option<PathPredicted>, Fault> {
        PathPredictedExt::settle(slot, r)
    }

    fn describe(schema: &mut Schema) -> Type {
        PathPredictedExt::describe(schema)
    }
}
