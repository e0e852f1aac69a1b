//! How curves, regions, times and permissions are written on the command line.

use anyhow::{Context, bail};
use clap::ValueEnum;
use masa_v2x_proto::security::{
    AppPermission, Curve, Duration, DurationUnit, RectangularRegion, Region, RegionPoint, Ssp, pki,
};
use std::str::FromStr;

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CurveName {
    #[value(name = "nist-p256")]
    NistP256,
    #[value(name = "brainpool-p256r1")]
    BrainpoolP256r1,
    #[value(name = "brainpool-p384r1")]
    BrainpoolP384r1,
}

impl From<CurveName> for Curve {
    fn from(name: CurveName) -> Self {
        match name {
            CurveName::NistP256 => Self::NistP256,
            CurveName::BrainpoolP256r1 => Self::BrainpoolP256r1,
            CurveName::BrainpoolP384r1 => Self::BrainpoolP384r1,
        }
    }
}

/// A region: `LAT,LON,RADIUS` in degrees and metres, or `NORTH,WEST,SOUTH,EAST` in degrees.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RegionSpec(pub(super) Region);

impl FromStr for RegionSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
        let point = |lat_deg: f64, lon_deg: f64| {
            if lat_deg.abs() > 90.0 || lon_deg.abs() > 180.0 {
                bail!("{lat_deg}, {lon_deg} is not on the surface of the earth");
            }
            Ok(RegionPoint { lat_deg, lon_deg })
        };
        match numbers.with_context(|| format!("`{text}` has something that is no number"))?[..] {
            [lat_deg, lon_deg, radius_m] if (1.0..=65_535.0).contains(&radius_m) => {
                Ok(Self(Region::Circular { centre: point(lat_deg, lon_deg)?, radius_m: radius_m as u16 }))
            }
            [north, west, south, east] if north >= south => Ok(Self(Region::Rectangular(vec![RectangularRegion {
                north_west: point(north, west)?,
                south_east: point(south, east)?,
            }]))),
            _ => bail!("a region is LAT,LON,RADIUS with 1 to 65535 m, or NORTH,WEST,SOUTH,EAST"),
        }
    }
}

/// How long: a number with `h`, `d` or `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValiditySpec(pub(super) Duration);

impl FromStr for ValiditySpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let rule = "a validity is a number with h, d or y, such as 72h, 7d, 3y";
        let at = text.len().checked_sub(1).filter(|&at| text.is_char_boundary(at)).context(rule)?;
        let (count, unit) = text.split_at(at);
        let count: u16 = count.parse().context(rule)?;
        let (factor, unit) = match unit {
            "h" => (1, DurationUnit::Hours),
            "d" => (24, DurationUnit::Hours),
            "y" => (1, DurationUnit::Years),
            _ => bail!(rule),
        };
        let count = count.checked_mul(factor).context("at most 2730 days; longer ones in years")?;
        if count == 0 {
            bail!("a certificate is valid for some time");
        }
        Ok(Self(Duration { count, unit }))
    }
}

/// An application with its SSP: `ITS-AID` for everything, or `ITS-AID:HEX` for these bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ApplicationSpec(pub(super) AppPermission);

impl FromStr for ApplicationSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let rule = "an application is an ITS-AID, or an ITS-AID with the bits of its SSP, such as 36:02ff00";
        let Some((its_aid, bits)) = text.split_once(':') else {
            let its_aid = text.parse().context(rule)?;
            let permission = pki::full_permission(its_aid);
            return permission.map(Self).with_context(|| format!("the SSP of ITS-AID {its_aid} is not known: {rule}"));
        };
        let bits = crate::v2x::from_hex(bits)?;
        if bits.len() > 31 {
            bail!("an SSP has at most 31 bytes");
        }
        Ok(Self(AppPermission { its_aid: its_aid.parse().context(rule)?, ssp: Some(Ssp::Bitmap(bits)) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_times_and_permissions_are_read() {
        let RegionSpec(region) = "44.65, 10.93, 3000".parse().unwrap();
        assert!(matches!(region, Region::Circular { radius_m: 3000, .. }));
        assert!(matches!("45,10,44,11".parse(), Ok(RegionSpec(Region::Rectangular(_)))));
        for wrong in ["", "1,2", "44,10,45,11", "91,0,1", "44.65,10.93,70000", "a,b,c"] {
            assert!(wrong.parse::<RegionSpec>().is_err(), "{wrong}");
        }
        for (text, count, unit) in
            [("72h", 72, DurationUnit::Hours), ("7d", 168, DurationUnit::Hours), ("3y", 3, DurationUnit::Years)]
        {
            assert_eq!(text.parse::<ValiditySpec>().unwrap(), ValiditySpec(Duration { count, unit }));
        }
        for wrong in ["", "h", "0h", "7", "7m", "3000d", "-1d", "7é"] {
            assert!(wrong.parse::<ValiditySpec>().is_err(), "{wrong}");
        }
        let ApplicationSpec(permission) = "36:02ff00".parse().unwrap();
        assert_eq!(permission, AppPermission { its_aid: 36, ssp: Some(Ssp::Bitmap(vec![2, 0xFF, 0])) });
        assert!("36".parse::<ApplicationSpec>().is_ok());
        for wrong in ["", "4711", "36:0", "x:00"] {
            assert!(wrong.parse::<ApplicationSpec>().is_err(), "{wrong}");
        }
    }
}
