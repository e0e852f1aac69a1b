//! Point of interest message (TS 103 916 v2.1.1, protocol version 1): parking availability.
//!
//! In: facilities and their state as plain values. Out: a [`Poim`]. Absent: when to send one (a facility decides), and
//! blocks that other standards may add, which stay as received. The standard leaves many lists and texts without an upper
//! limit; here each has one.

mod image;
mod limits;
mod parking;
mod place;

pub(crate) use image::{from_image, to_image};
pub use parking::*;
pub use place::*;

use crate::List;
use crate::cdd::codec::*;
use crate::cdd::*;
use crate::jer::{Jer, Release, hex};
use crate::json::{Image, ImageError, Naming, members, required, unhex};
use crate::message::message;
use crate::uper::bounded::ListAny;
use crate::uper::declare::sequence;
use crate::uper::element::{Element, width};
use crate::uper::reader::BitReader;
use crate::uper::writer::BitWriter;
use crate::uper::{ExtensionBit, Failed, UnknownExtensions, UperErrorKind};
use serde_json::json;

message! {
    /// Point of interest message (`POIM`): header with protocol version 1 and message id 3.
    pub struct Poim: "POIM", MessageId::Poim, version 1, by_value {
        /// Content.
        payload: PoiInformationBlocks, "payload";
    }
}

impl Poim {
    /// A POIM of `station_id`.
    pub fn new(station_id: StationId, payload: PoiInformationBlocks) -> Self {
        Self {
            header: ItsPduHeader { protocol_version: Self::PROTOCOL_VERSION, message_id: MessageId::Poim, station_id },
            payload,
            unknown_extensions: UnknownExtensions::default(),
        }
    }

    /// The value under the standard's names (X.697).
    pub fn to_jer(&self) -> serde_json::Value {
        self.jer_by_table(Release::R2)
    }
}

/// The blocks of a message (`WrappedPoiInformationBlocks`), 1..=8, up to 32 as an extension.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoiInformationBlocks(pub List<PoiBlock, 0, 32>);

/// Codec of the list inside.
type BlockList = ListExt<PoiBlock, 0, 1, 8, 32>;

impl Element for PoiInformationBlocks {
    type Value = Self;

    fn encode(value: &Self, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        BlockList::encode(&value.0, w)
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self, Failed> {
        BlockList::decode(r).map(Self)
    }
}

impl Image for PoiInformationBlocks {
    fn to_jer(value: &Self, names: Naming) -> Jer {
        BlockList::to_jer(&value.0, names)
    }

    fn from_image(image: &Jer) -> Result<Self, ImageError> {
        BlockList::from_image(image).map(Self)
    }
}

/// A block with its type (`WrappedPoiInformationBlock`).
#[derive(Clone, Debug, PartialEq)]
pub enum PoiBlock {
    /// Type 1: a parking facility.
    ParkingAvailability(Box<ParkingAvailabilityBlock>),
    /// A type that is not known here, with its content as received.
    Other {
        /// Its type: 2..=128, more as an extension.
        poi_type: u32,
        /// Its content.
        content: Box<[u8]>,
    },
}

impl From<ParkingAvailabilityBlock> for PoiBlock {
    fn from(block: ParkingAvailabilityBlock) -> Self {
        Self::ParkingAvailability(Box::new(block))
    }
}

/// `PoiType` of parking availability.
const PARKING_AVAILABILITY: u32 = 1;
/// Largest `PoiType` without extension.
const LARGEST_TYPE: i64 = 128;
/// Codec of `PoiType`.
type PoiType = IntExt<u32, 1, LARGEST_TYPE>;

impl PoiBlock {
    fn poi_type(&self) -> u32 {
        match self {
            Self::ParkingAvailability(_) => PARKING_AVAILABILITY,
            Self::Other { poi_type, .. } => *poi_type,
        }
    }
}

/// The type as in front of a block, where readers of the standard disagree about its extension bit.
fn encode_type(poi_type: u32, w: &mut BitWriter<'_>) -> Result<(), Failed> {
    if w.dialect.poi_type == ExtensionBit::Present {
        return PoiType::encode(&poi_type, w);
    }
    if poi_type == 0 || i64::from(poi_type) > LARGEST_TYPE {
        return Err(w.fail(UperErrorKind::OutOfRange { value: poi_type.into(), min: 1, max: LARGEST_TYPE }));
    }
    w.put(u64::from(poi_type) - 1, const { width(1, LARGEST_TYPE) });
    Ok(())
}

fn decode_type(r: &mut BitReader<'_>) -> Result<u32, Failed> {
    match r.dialect.poi_type {
        ExtensionBit::Present => PoiType::decode(r),
        ExtensionBit::Absent => Ok(r.take(const { width(1, LARGEST_TYPE) })? as u32 + 1),
    }
}

impl Element for PoiBlock {
    type Value = Self;

    fn encode(value: &Self, w: &mut BitWriter<'_>) -> Result<(), Failed> {
        encode_type(value.poi_type(), w).map_err(|failed| w.in_field(failed, "poiType"))?;
        match value {
            Self::ParkingAvailability(block) => {
                let done = w.open_type(|w| ParkingAvailabilityBlock::encode(block, w));
                done.map_err(|failed| w.in_field(failed, "poiBlock"))
            }
            Self::Other { poi_type: PARKING_AVAILABILITY, .. } => {
                let failed = w.fail(UperErrorKind::NotSupported("a parking block as bytes"));
                Err(w.in_field(failed, "poiBlock"))
            }
            Self::Other { content, .. } => w.open_raw(content),
        }
    }

    fn decode(r: &mut BitReader<'_>) -> Result<Self, Failed> {
        let poi_type = decode_type(r).map_err(|failed| r.in_field(failed, "poiType"))?;
        if poi_type != PARKING_AVAILABILITY {
            return Ok(Self::Other { poi_type, content: r.open_raw()? });
        }
        let outer = r.open()?;
        let start = r.position();
        let block = ParkingAvailabilityBlock::decode(r).map_err(|failed| r.in_field(failed, "poiBlock"))?;
        r.close(outer, start)?;
        Ok(block.into())
    }
}

impl Image for PoiBlock {
    fn to_jer(value: &Self, names: Naming) -> Jer {
        let block = match value {
            Self::ParkingAvailability(block) => ParkingAvailabilityBlock::to_jer(block, names),
            Self::Other { content, .. } => hex(content).into(),
        };
        match names {
            Naming::R1 | Naming::R2 => json!({ "poiType": value.poi_type(), "poiBlock": block }),
            _ => json!({ "poi_type": value.poi_type(), "poi_block": block }),
        }
    }

    fn from_image(image: &Jer) -> Result<Self, ImageError> {
        let members = members(image)?;
        let poi_type = required::<PoiType>(members, "WrappedPoiInformationBlock", "poiType")?;
        if poi_type == PARKING_AVAILABILITY {
            let block = required::<ParkingAvailabilityBlock>(members, "WrappedPoiInformationBlock", "poiBlock")?;
            return Ok(block.into());
        }
        let content = members.get("poi_block").and_then(unhex).filter(|content| !content.is_empty());
        let content =
            content.ok_or_else(|| ImageError::new("hexadecimal digits are expected").in_member("poi_block"))?;
        Ok(Self::Other { poi_type, content })
    }
}

sequence! {
    /// Which block, since when (`PoiBlockManagementContainer`).
    pub struct PoiBlockManagementContainer {
        /// Who issued it.
        req service_provider_id: Provider = Provider, "serviceProviderId";
        /// Its number at that provider.
        req block_identification_number: u16 = Int<u16, 0, 65_535>, "blockIdentificationNumber";
        /// When it was made or changed last.
        req timestamp: TimestampIts = TimestampItsCodec, "timestamp";
        /// IVIMs about the place.
        opt linked_ivims: List<IvimReference, 0, 64> = ListExt<IvimReference, 0, 1, 8, 64>, "linkedIvims";
        /// MAPEMs about the place.
        opt linked_mapems: List<MapReference, 0, 64> = ListExt<MapReference, 0, 1, 8, 64>, "linkedMapems";
        ...;
    }
}

sequence! {
    /// Another block (`RelatedPoiInfoBlock`).
    #[derive(Copy)]
    pub struct RelatedPoiInfoBlock {
        /// Its type.
        req poi_info_block_type: u32 = PoiType, "poiInfoBlockType";
        /// Who issued it.
        req service_provider_id: Provider = Provider, "serviceProviderId";
        /// Its number at that provider.
        req block_identification_number: u16 = Int<u16, 0, 65_535>, "blockIdentificationNumber";
        /// When it was made or changed last.
        opt timestamp: TimestampIts = TimestampItsCodec, "timestamp";
        ...;
    }
}

/// Other blocks (`RelatedPoiInfoBlockContainer`).
pub type RelatedPoiInfoBlocks = List<RelatedPoiInfoBlock, 0, 64>;
/// Codec of [`RelatedPoiInfoBlocks`].
pub(crate) type RelatedPoiInfoBlockList = ListAny<RelatedPoiInfoBlock, 0, 64>;
