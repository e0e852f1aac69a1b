//! JSON forms of the elements whose codecs are written by hand.

use crate::cdd::codec::{CountryCodeCodec, Int, LaneStatus, PathDeltaTime};
use crate::cdd::road::{PathPredicted, PathPredictedCodec, PathPredictedExt};
use crate::cdd::{CauseCode, DrivingLaneStatus};
use crate::jer::{self, Jer};
use crate::json::{Image, ImageError, Naming, members, number, optional, required};
use serde_json::json;

impl Image for PathDeltaTime {
    fn to_jer(value: &u32, _names: Naming) -> Jer {
        ((i64::from(*value) + 5) / 10).into()
    }

    fn from_image(image: &Jer) -> Result<u32, ImageError> {
        Ok(number(image, 1, i64::from(u32::MAX / 10))? as u32 * 10)
    }
}

impl Image for CauseCode {
    fn to_jer(value: &Self, names: Naming) -> Jer {
        let (cause, sub_cause) = (value.code(), value.sub_code());
        let image = || json!({ "cause": cause, "subcause": sub_cause });
        match names {
            Naming::R1 => json!({ "causeCode": cause, "subCauseCode": sub_cause }),
            Naming::R2 => {
                let name = Self::alternative(cause).map_or_else(|| format!("reserved{cause}"), str::to_owned);
                json!({ "ccAndScc": { name: sub_cause } })
            }
            Naming::Cam => json!({ "cc_and_scc": image() }),
            _ => image(),
        }
    }

    fn from_image(image: &Jer) -> Result<Self, ImageError> {
        let members = members(image.get("cc_and_scc").unwrap_or(image))?;
        let cause = required::<Int<u8, 0, 255>>(members, "CauseCode", "cause")?;
        let sub_cause = optional::<Int<u8, 0, 255>>(members, "CauseCode", "subcause")?;
        Ok(Self::from_codes(cause, sub_cause.unwrap_or(0)))
    }
}

impl Image for LaneStatus {
    fn to_jer(value: &DrivingLaneStatus, names: Naming) -> Jer {
        let lanes = value.lanes.clamp(1, 13);
        if matches!(names, Naming::R1 | Naming::R2) {
            let digits = jer::bits(Self::first_highest(&DrivingLaneStatus { lanes, ..*value }), lanes.into());
            return json!({ "value": digits, "length": lanes });
        }
        let closed = |lane: u8| (format!("lane_{lane}_closed"), Jer::from(value.closed >> (lane - 1) & 1 == 1));
        let mut image: serde_json::Map<_, _> = (1..=13).map(closed).collect();
        image.insert("lanes".into(), lanes.into());
        image.into()
    }

    fn from_image(image: &Jer) -> Result<DrivingLaneStatus, ImageError> {
        let members = members(image)?;
        let lanes = optional::<Int<u8, 1, 13>>(members, "DrivingLaneStatus", "lanes")?.unwrap_or(13);
        let closed = |lane: &u8| members.get(&format!("lane_{lane}_closed")).and_then(Jer::as_bool) == Some(true);
        let closed = (1..=lanes).filter(closed).fold(0, |mask, lane| mask | 1 << (lane - 1));
        Ok(DrivingLaneStatus { lanes, closed })
    }
}

impl Image for CountryCodeCodec {
    fn to_jer(value: &u16, names: Naming) -> Jer {
        match names {
            Naming::R1 | Naming::R2 => jer::bits(u32::from(*value & 1023), 10).into(),
            _ => (*value).into(),
        }
    }

    fn from_image(image: &Jer) -> Result<u16, ImageError> {
        Int::<u16, 0, 1023>::from_image(image)
    }
}

impl Image for PathPredictedCodec {
    fn to_jer(value: &PathPredicted, names: Naming) -> Jer {
        PathPredictedExt::to_jer(value, names)
    }

    fn from_image(image: &Jer) -> Result<PathPredicted, ImageError> {
        PathPredictedExt::from_image(image)
    }
}
