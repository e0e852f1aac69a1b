//! Protobuf forms of POIM's blocks, which are told apart by a number.

use crate::cdd::codec::ListExt;
use crate::poim::{ParkingAvailabilityBlock, PoiBlock, PoiInformationBlocks};
use crate::protobuf::extension::{content, content_type, field, get_indexed, number_in};
use crate::protobuf::schema::{Form, Presence, Schema, Type};
use crate::protobuf::wire::{Reader, Writer};
use crate::protobuf::{Fault, LEFT_OVER, Proto, ProtobufErrorKind, get_single, put_single, settle_required};

/// Where the messages declared here are in the schema.
const PATH: &str = "masa::poim";

/// `PoiType` of parking availability, and its field number.
const PARKING_AVAILABILITY: u32 = 1;

type BlockList = ListExt<PoiBlock, 0, 1, 8, 32>;

/// `{ repeated blocks = 1 }`.
impl Proto for PoiInformationBlocks {
    type Value = Self;

    fn put(value: &Self, w: &mut Writer) -> Result<(), Fault> {
        BlockList::put_field(&value.0, 1, w)
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut blocks = None;
        while let Some(key) = r.next()? {
            match key.tag {
                1 => BlockList::get_field(&mut blocks, key, r)?,
                _ => r.skip(key)?,
            }
        }
        settle_required::<BlockList>(blocks, r).map(Self)
    }

    fn describe(schema: &mut Schema) -> Type {
        let docs = " The blocks of a message (`WrappedPoiInformationBlocks`).\n";
        schema.message(PATH, "PoiInformationBlocks", docs, Form::Sequence, |schema| {
            vec![field("blocks", 1, Presence::Mandatory, BlockList::describe(schema), " Blocks.\n")]
        })
    }
}

impl Proto for PoiBlock {
    type Value = Self;

    fn put(value: &Self, w: &mut Writer) -> Result<(), Fault> {
        match value {
            Self::ParkingAvailability(block) => put_single::<ParkingAvailabilityBlock>(block, PARKING_AVAILABILITY, w),
            Self::Other { poi_type, content } => w.nested(LEFT_OVER, |w| {
                w.number(1, (*poi_type).into());
                w.bytes(2, content);
                Ok(())
            }),
        }
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let mut found = None;
        while let Some(key) = r.next()? {
            match key.tag {
                PARKING_AVAILABILITY => {
                    let block = get_single::<ParkingAvailabilityBlock>(key, r)?;
                    r.once(&mut found, block.into())?;
                }
                LEFT_OVER => {
                    let (poi_type, bytes) = get_indexed(key, r)?;
                    let first = i64::from(PARKING_AVAILABILITY) + 1;
                    let poi_type = number_in(poi_type, "poiType", first..i64::from(u32::MAX) + 1, r)? as u32;
                    let content = content(bytes, r)?;
                    r.once(&mut found, Self::Other { poi_type, content })?;
                }
                _ => r.skip(key)?,
            }
        }
        found.ok_or_else(|| r.fault(ProtobufErrorKind::NoAlternative))
    }

    fn describe(schema: &mut Schema) -> Type {
        let docs = " A block; the field number is its type (`WrappedPoiInformationBlock`).\n";
        schema.message(PATH, "PoiBlock", docs, Form::Choice, |schema| {
            let parking = ParkingAvailabilityBlock::describe(schema);
            let docs = " A block of a type that is not known here, as received.\n";
            let other = schema.message(PATH, "OtherPoiBlock", docs, Form::Sequence, |_| {
                let poi_type = Type::number(2, u32::MAX.into());
                vec![
                    field("poiType", 1, Presence::Mandatory, poi_type, " Its type.\n"),
                    field("content", 2, Presence::Mandatory, content_type(), " Content of its open type, UPER.\n"),
                ]
            });
            vec![
                field(
                    "parkingAvailability",
                    PARKING_AVAILABILITY,
                    Presence::Optional,
                    parking,
                    " A parking facility.\n",
                ),
                field("other", LEFT_OVER, Presence::Optional, other, " A type that is not known here.\n"),
            ]
        })
    }
}
