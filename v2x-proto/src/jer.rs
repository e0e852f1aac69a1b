//! JSON encoding rules (X.697): the values of a message under the standard's own names, codes as numbers.
//!
//! In: a message. Out: a JSON value for tools and comparison with other codecs; clients read the
//! [`json`](crate::json) image instead. Absent: reading JER back.

use crate::cam::Cam;
use crate::cpm::Cpm;
use crate::denm::Denm;
use crate::vam::Vam;
use serde_json::Value;

/// A JSON value.
pub(crate) type Jer = Value;

/// Release of the ETSI standards whose names are used. The bytes are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Release {
    /// EN 302 637-2, EN 302 637-3.
    R1,
    /// TS 103 900, TS 103 831, TS 103 324.
    #[default]
    R2,
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// A bit string of a fixed length: its bytes, the last one filled with zeros. `bits` has the first bit highest.
pub(crate) fn bits(bits: u32, len: u32) -> String {
    let aligned = (u64::from(bits) << (64 - len)).to_be_bytes();
    hex(&aligned[..len.div_ceil(8) as usize])
}

impl Cam {
    /// The value under the names of `release` (X.697).
    pub fn to_jer(&self, release: Release) -> Value {
        let mut jer = self.jer_by_table(release);
        match release {
            Release::R1 => {
                let at = "/cam/camParameters/highFrequencyContainer/basicVehicleContainerHighFrequency";
                rename_accelerations(&mut jer, at);
            }
            Release::R2 => rename_ellipse(&mut jer, "/cam/camParameters/basicContainer/referencePosition"),
        }
        jer
    }
}

impl Denm {
    /// The value under the names of `release` (X.697).
    pub fn to_jer(&self, release: Release) -> Value {
        self.jer_by_table(release)
    }
}

impl Cpm {
    /// The value under the standard's names (X.697).
    pub fn to_jer(&self) -> Value {
        self.jer_by_table(Release::R2)
    }
}

impl Vam {
    /// The value under the standard's names (X.697).
    pub fn to_jer(&self) -> Value {
        let mut jer = self.jer_by_table(Release::R2);
        rename_accelerations(&mut jer, "/vam/vamParameters/vruHighFrequencyContainer");
        rename_ellipse(&mut jer, "/vam/vamParameters/basicContainer/referencePosition");
        jer
    }
}

/// Gives the accelerations of the container at `at` the members of `LongitudinalAcceleration` and so on.
fn rename_accelerations(jer: &mut Value, at: &str) {
    for axis in ["longitudinal", "lateral", "vertical"] {
        let acceleration = jer.pointer_mut(&format!("{at}/{axis}Acceleration"));
        let acceleration = rename(acceleration, "value", &format!("{axis}AccelerationValue"));
        rename(acceleration, "confidence", &format!("{axis}AccelerationConfidence"));
    }
}

/// Gives the ellipse of the position at `at` the members of `PositionConfidenceEllipse`.
pub(crate) fn rename_ellipse(jer: &mut Value, at: &str) {
    let ellipse = jer.pointer_mut(&format!("{at}/positionConfidenceEllipse"));
    let ellipse = rename(ellipse, "semiMajorConfidence", "semiMajorAxisLength");
    let ellipse = rename(ellipse, "semiMinorConfidence", "semiMinorAxisLength");
    rename(ellipse, "semiMajorOrientation", "semiMajorAxisOrientation");
}

/// Renames a member of a JSON object, if both are there; gives the object back.
fn rename<'a>(object: Option<&'a mut Value>, from: &str, to: &str) -> Option<&'a mut Value> {
    let object = object?;
    let members = object.as_object_mut()?;
    if let Some(value) = members.remove(from) {
        members.insert(to.to_owned(), value);
    }
    Some(object)
}
