//! JSON forms of the elements whose codecs are written by hand.

use crate::List;
use crate::dsrc::codec::{ADD_GRP_C, ByteId, HexOctets, RawContent, RegionalOf, Unlimited, Xy};
use crate::dsrc::{OffsetXy, OtherRegional, Regional};
use crate::heap::Content;
use crate::jer::{Jer, hex};
use crate::json::{Image, ImageError, Naming, members, number, required, unhex};
use crate::uper::element::Coded;

impl<Q: Coded<Value = f32>> Image for Xy<Q> {
    fn to_jer(value: &OffsetXy, names: Naming) -> Jer {
        serde_json::json!({ "x": Q::to_jer(&value.x_m, names), "y": Q::to_jer(&value.y_m, names) })
    }

    fn from_image(image: &Jer) -> Result<OffsetXy, ImageError> {
        let members = members(image)?;
        Ok(OffsetXy { x_m: required::<Q>(members, "OffsetXy", "x")?, y_m: required::<Q>(members, "OffsetXy", "y")? })
    }
}

impl Image for Unlimited {
    fn to_jer(value: &i64, _names: Naming) -> Jer {
        (*value).into()
    }

    fn from_image(image: &Jer) -> Result<i64, ImageError> {
        number(image, Self::MIN, Self::MAX)
    }
}

impl<const INLINE: usize, const MIN: usize, const MAX: usize> Image for HexOctets<INLINE, MIN, MAX> {
    fn to_jer(value: &Self::Value, _names: Naming) -> Jer {
        hex(value).into()
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        let bytes = unhex(image).ok_or_else(|| ImageError::new("hexadecimal digits are expected"))?;
        let count = bytes.len();
        let bytes = List::try_from_iter(bytes).filter(|_| count >= MIN);
        bytes.ok_or_else(|| ImageError::new(format!("{count} bytes, {MIN}..={MAX} allowed")))
    }
}

impl Image for RawContent {
    fn to_jer(value: &Content, _names: Naming) -> Jer {
        hex(value).into()
    }

    fn from_image(image: &Jer) -> Result<Content, ImageError> {
        let bytes = unhex(image).filter(|bytes| !bytes.is_empty());
        bytes.ok_or_else(|| ImageError::new("hexadecimal digits are expected"))
    }
}

impl<C: Image> Image for RegionalOf<C> {
    fn to_jer(value: &Self::Value, names: Naming) -> Jer {
        let content = match value {
            Regional::AddGrpC(content) => C::to_jer(content, names),
            Regional::Other(other) => return OtherRegional::to_jer(other, names),
        };
        let member = |name| names.of("RegionalExtension", name, None);
        serde_json::json!({ member("regionId"): ADD_GRP_C, member("regExtValue"): content })
    }

    fn from_image(image: &Jer) -> Result<Self::Value, ImageError> {
        let members = members(image)?;
        let region_id = required::<ByteId>(members, "RegionalExtension", "regionId")?;
        if region_id == ADD_GRP_C {
            return required::<C>(members, "RegionalExtension", "regExtValue").map(Regional::AddGrpC);
        }
        OtherRegional::from_image(image).map(Regional::Other)
    }
}
