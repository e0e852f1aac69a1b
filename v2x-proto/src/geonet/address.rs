//! Link-layer and GeoNetworking addresses.

use super::error::FrameError;
use super::wire::Cursor;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A 48-bit link-layer address; in settings and recordings text such as `02:00:4c:55:49:47`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MacAddress(pub [u8; 6]);

/// Text that is no link-layer address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not six pairs of hex digits with colons between them")]
pub struct NotAMacAddress(String);

impl MacAddress {
    /// Everybody.
    pub const BROADCAST: Self = Self([0xFF; 6]);

    /// Whether it names a group (all stations included) and not one interface.
    pub const fn is_group(self) -> bool {
        self.0[0] & 1 != 0
    }
}

impl std::str::FromStr for MacAddress {
    type Err = NotAMacAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut octets = text.split(':').map(|pair| match pair.len() {
            2 if pair.bytes().all(|digit| digit.is_ascii_hexdigit()) => u8::from_str_radix(pair, 16).ok(),
            _ => None,
        });
        let mut address = [0; 6];
        for place in &mut address {
            *place = octets.next().flatten().ok_or_else(|| NotAMacAddress(text.to_owned()))?;
        }
        if octets.next().is_some() { Err(NotAMacAddress(text.to_owned())) } else { Ok(Self(address)) }
    }
}

impl TryFrom<String> for MacAddress {
    type Error = NotAMacAddress;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MacAddress> for String {
    fn from(address: MacAddress) -> Self {
        address.to_string()
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// A GeoNetworking address (EN 302 636-4-1 clause 6).
///
/// ```text
///  0 1         6                  16                                       63
/// ┌─┬─────────┬──────────────────┬───────────────────────────────────────────┐
/// │M│ST (5)   │ reserved (10)    │ MID (48), the link-layer address          │
/// └─┴─────────┴──────────────────┴───────────────────────────────────────────┘
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GnAddress(u64);

impl GnAddress {
    /// An initial (not manually configured) address of a station of `station_type` (TS 102 894-2, 0..=31; higher bits are
    /// cut off) with the link-layer address `mac`.
    pub const fn new(station_type: u8, mac: MacAddress) -> Self {
        let [a, b, c, d, e, f] = mac.0;
        Self((station_type as u64 & 0x1F) << 58 | u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// From its 64 bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// Its 64 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The same address marked as configured by hand (M).
    #[must_use]
    pub const fn manually_configured(self) -> Self {
        Self(self.0 | 1 << 63)
    }

    /// Whether it is marked as configured by hand.
    pub const fn is_manually_configured(self) -> bool {
        self.0 >> 63 != 0
    }

    /// Station type: 5 passenger car, 15 roadside unit, …
    pub const fn station_type(self) -> u8 {
        (self.0 >> 58) as u8 & 0x1F
    }

    /// The link-layer address in it, which also identifies the station.
    pub const fn mac(self) -> MacAddress {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        MacAddress([a, b, c, d, e, f])
    }

    pub(crate) fn decode(from: &mut Cursor<'_>, field: &'static str) -> Result<Self, FrameError> {
        from.u64(field).map(Self)
    }
}

impl fmt::Display for GnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.station_type(), self.mac())
    }
}

impl fmt::Debug for GnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_lie_where_clause_6_puts_them() {
        let mac = MacAddress([0x02, 0x00, 0x4C, 0x55, 0x49, 0x47]);
        let address = GnAddress::new(15, mac).manually_configured();
        assert_eq!(address.bits(), 0xBC00_0200_4C55_4947);
        assert_eq!((address.station_type(), address.mac()), (15, mac));
        assert!(address.is_manually_configured() && !GnAddress::new(31, mac).is_manually_configured());
        assert_eq!(address.to_string(), "15.02:00:4c:55:49:47");
        assert!(MacAddress::BROADCAST.is_group() && !mac.is_group());
    }

    #[test]
    fn link_layer_addresses_are_text_in_settings() {
        let mac: MacAddress = "02:00:4c:55:49:47".parse().unwrap();
        assert_eq!(mac.to_string().parse(), Ok(mac));
        for bad in
            ["", "02:00:4c:55:49", "02:00:4c:55:49:47:00", "02-00-4c-55-49-47", "02:00:4c:55:49:+7", "0200:4c:55:49:4"]
        {
            assert!(bad.parse::<MacAddress>().is_err(), "{bad}");
        }
    }
}
