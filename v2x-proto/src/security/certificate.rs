//! Certificates of TS 103 097 clause 6 (IEEE 1609.2 clause 6.4).
//!
//! In: encodings. Out: values, written back byte for byte. What TS 103 097 excludes (linkage data, binary ids, request
//! permissions) does not decode. Whether a certificate is to be trusted is judged in [`super::chain`].

use super::ecc::{EncryptionKey, HashAlgorithm, Point, PublicKey, Signature};
use super::oer::{Oer, OerError, OerProblem, Read, Reader, decode, encode, preamble_of, write_alternative, write_list};
use super::permissions::{AppPermission, GroupPermissions};
use super::region::Region;
use crate::time::Timestamp;
use std::fmt;

/// Version of certificates and envelopes (IEEE 1609.2 clauses 6.3.2 and 6.4.3).
pub(crate) const VERSION: u8 = 3;

/// The last eight bytes of a certificate's hash: how certificates are named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashedId8(pub [u8; 8]);

impl HashedId8 {
    /// The last three bytes: how certificates are named in requests.
    pub const fn id3(self) -> HashedId3 {
        let [.., a, b, c] = self.0;
        HashedId3([a, b, c])
    }
}

impl fmt::Display for HashedId8 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for HashedId8 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl std::str::FromStr for HashedId8 {
    type Err = &'static str;

    fn from_str(digits: &str) -> Result<Self, Self::Err> {
        let wrong = "a HashedId8 has 16 hexadecimal digits";
        if digits.len() != 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong);
        }
        u64::from_str_radix(digits, 16).map(|value| Self(value.to_be_bytes())).map_err(|_| wrong)
    }
}

/// The last three bytes of a certificate's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HashedId3(pub [u8; 3]);

impl Oer<'_> for HashedId3 {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self(reader.fixed()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

impl Oer<'_> for HashedId8 {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self(reader.fixed()?))
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }
}

/// An instant to the second: seconds since 2004-01-01 UTC, leap seconds counted (`Time32`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time32(pub u32);

impl Time32 {
    /// The second that `now` is in.
    pub fn of(now: Timestamp) -> Self {
        Self(u32::try_from(now.to_its_ms() / 1000).unwrap_or(u32::MAX))
    }

    /// The instant.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_its_ms(u64::from(self.0) * 1000)
    }
}

/// Unit of a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Sixty hours.
    SixtyHours,
    /// Years of 31,556,952 seconds.
    Years,
}

impl DurationUnit {
    const ALL: [Self; 7] = [
        Self::Microseconds,
        Self::Milliseconds,
        Self::Seconds,
        Self::Minutes,
        Self::Hours,
        Self::SixtyHours,
        Self::Years,
    ];

    const fn microseconds(self) -> u64 {
        match self {
            Self::Microseconds => 1,
            Self::Milliseconds => 1_000,
            Self::Seconds => 1_000_000,
            Self::Minutes => 60_000_000,
            Self::Hours => 3_600_000_000,
            Self::SixtyHours => 216_000_000_000,
            Self::Years => 31_556_952_000_000,
        }
    }
}

/// How long a certificate is valid (`Duration`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duration {
    /// Number of units.
    pub count: u16,
    /// Unit.
    pub unit: DurationUnit,
}

/// When a certificate is valid (`ValidityPeriod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First instant.
    pub start: Time32,
    /// How long.
    pub duration: Duration,
}

impl Validity {
    /// First instant and the first one after the end, microseconds since the ITS epoch.
    fn bounds_us(&self) -> (u64, u64) {
        let start = u64::from(self.start.0) * 1_000_000;
        (start, start + u64::from(self.duration.count) * self.duration.unit.microseconds())
    }

    /// The first instant after the end.
    pub fn end(&self) -> Timestamp {
        Timestamp::from_its_ms(self.bounds_us().1 / 1000)
    }

    /// Whether it is valid at `at`.
    pub fn holds(&self, at: Timestamp) -> bool {
        let (start, end) = self.bounds_us();
        (start..end).contains(&(at.to_its_ms() * 1000))
    }

    /// Whether all of `inner` lies within.
    pub fn contains(&self, inner: &Self) -> bool {
        let ((start, end), (inner_start, inner_end)) = (self.bounds_us(), inner.bounds_us());
        start <= inner_start && inner_end <= end
    }
}

impl Oer<'_> for Validity {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let start = Time32(reader.field("start")?);
        let duration = reader.named("duration", |reader| {
            let number = reader.alternative()?;
            match DurationUnit::ALL.get(usize::from(number)) {
                Some(&unit) => Ok(Duration { unit, count: u16::read(reader)? }),
                None => reader.unknown("unit of a duration", number),
            }
        })?;
        Ok(Self { start, duration })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.start.0.write(out);
        write_alternative(out, self.duration.unit as u8);
        self.duration.count.write(out);
    }
}

/// Who issued a certificate (`IssuerIdentifier`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// The holder of the certificate of this name, a SHA-256.
    Sha256(HashedId8),
    /// The holder itself; the hash of the signature.
    Itself(HashAlgorithm),
    /// The holder of the certificate of this name, a SHA-384.
    Sha384(HashedId8),
}

impl Issuer {
    /// The issuer's certificate; `None` when it is the holder itself.
    pub const fn digest(&self) -> Option<HashedId8> {
        match self {
            Self::Sha256(digest) | Self::Sha384(digest) => Some(*digest),
            Self::Itself(_) => None,
        }
    }
}

impl Oer<'_> for Issuer {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Sha256(reader.field("sha256AndDigest")?)),
            1 => Ok(Self::Itself(reader.field("self")?)),
            2 => reader.open(|reader| Ok(Self::Sha384(reader.field("sha384AndDigest")?))),
            other => reader.unknown("kind of issuer", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sha256(digest) => {
                write_alternative(out, 0);
                digest.write(out);
            }
            Self::Itself(hash) => {
                write_alternative(out, 1);
                hash.write(out);
            }
            Self::Sha384(digest) => {
                write_alternative(out, 2);
                super::oer::write_open(out, |out| digest.write(out));
            }
        }
    }
}

/// The holder's key (`VerificationKeyIndicator`), by which a certificate is explicit or implicit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyIndicator {
    /// The key itself: an explicit certificate, signed by its issuer.
    Key(PublicKey),
    /// What the key is reconstructed from: an implicit certificate. Read and written, never trusted.
    ReconstructionValue(Point<32>),
}

/// What the issuer signs (`ToBeSignedCertificate`).
#[derive(Clone, Debug, PartialEq)]
pub struct ToBeSignedCertificate {
    /// Name of an authority; `None` for authorization tickets, which name nobody.
    pub name: Option<String>,
    /// Who revokes it.
    pub craca_id: HashedId3,
    /// In which series of revocation lists.
    pub crl_series: u16,
    /// When it is valid.
    pub validity: Validity,
    /// Where it is valid; `None`: where its issuer is.
    pub region: Option<Region>,
    /// Assurance level of the holder (TS 103 097 clause 6).
    pub assurance_level: Option<u8>,
    /// What the holder may sign.
    pub app_permissions: Vec<AppPermission>,
    /// What the holder may permit others to sign.
    pub issue_permissions: Vec<GroupPermissions>,
    /// Key to encrypt to the holder.
    pub encryption_key: Option<EncryptionKey>,
    /// The holder's key.
    pub key: KeyIndicator,
}

impl ToBeSignedCertificate {
    /// The encoding that is signed: keys compressed (IEEE 1609.2 clause 6.4.8).
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let key = match self.key {
            KeyIndicator::Key(key) => KeyIndicator::Key(key.canonical()),
            other => other,
        };
        encode(&Self { key, encryption_key: self.encryption_key.map(EncryptionKey::canonical), ..self.clone() })
    }
}

impl Oer<'_> for ToBeSignedCertificate {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(8)?;
        reader.no_extensions(present)?;
        for (bit, component) in [(0x04, "certRequestPermissions"), (0x02, "canRequestRollover")] {
            reader.require(present & bit == 0, OerProblem::NotAllowed(component))?;
        }
        let name = reader.named("id", |reader| match reader.alternative()? {
            0 => Err(reader.error(OerProblem::NotAllowed("linkageData"))),
            1 => {
                let bytes = reader.octets()?;
                reader.require(bytes.len() <= 255, OerProblem::OutOfRange("a name has at most 255 bytes"))?;
                let name = std::str::from_utf8(bytes);
                Ok(Some(name.map_err(|_| reader.error(OerProblem::OutOfRange("a name is UTF-8")))?.to_owned()))
            }
            2 => Err(reader.error(OerProblem::NotAllowed("binaryId"))),
            3 => Ok(None),
            other => reader.unknown("kind of id", other),
        })?;
        Ok(Self {
            name,
            craca_id: reader.field("cracaId")?,
            crl_series: reader.field("crlSeries")?,
            validity: reader.field("validityPeriod")?,
            region: reader.optional(present & 0x40 != 0, "region")?,
            assurance_level: reader.optional(present & 0x20 != 0, "assuranceLevel")?,
            app_permissions: if present & 0x10 != 0 { reader.list("appPermissions", 1)? } else { Vec::new() },
            issue_permissions: if present & 0x08 != 0 { reader.list("certIssuePermissions", 1)? } else { Vec::new() },
            encryption_key: reader.optional(present & 0x01 != 0, "encryptionKey")?,
            key: reader.named("verifyKeyIndicator", |reader| match reader.alternative()? {
                0 => Ok(KeyIndicator::Key(reader.field("verificationKey")?)),
                1 => Ok(KeyIndicator::ReconstructionValue(reader.field("reconstructionValue")?)),
                other => reader.unknown("kind of key indicator", other),
            })?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(preamble_of([
            false,
            self.region.is_some(),
            self.assurance_level.is_some(),
            !self.app_permissions.is_empty(),
            !self.issue_permissions.is_empty(),
            false,
            false,
            self.encryption_key.is_some(),
        ]));
        match &self.name {
            Some(name) => {
                write_alternative(out, 1);
                super::oer::write_octets(out, name.as_bytes());
            }
            None => write_alternative(out, 3),
        }
        self.craca_id.write(out);
        self.crl_series.write(out);
        self.validity.write(out);
        self.region.iter().for_each(|region| region.write(out));
        out.extend(self.assurance_level);
        if !self.app_permissions.is_empty() {
            write_list(out, &self.app_permissions);
        }
        if !self.issue_permissions.is_empty() {
            write_list(out, &self.issue_permissions);
        }
        self.encryption_key.iter().for_each(|key| key.write(out));
        match &self.key {
            KeyIndicator::Key(key) => {
                write_alternative(out, 0);
                key.write(out);
            }
            KeyIndicator::ReconstructionValue(point) => {
                write_alternative(out, 1);
                point.write(out);
            }
        }
    }
}

/// A certificate (`EtsiTs103097Certificate`): explicit with a signature, implicit without.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// Who issued it.
    pub issuer: Issuer,
    /// What the issuer signed.
    pub to_be_signed: ToBeSignedCertificate,
    /// The issuer's signature; present when the key is ([`KeyIndicator::Key`]).
    pub signature: Option<Signature>,
}

impl Certificate {
    /// Reads an encoding, all of it.
    ///
    /// # Errors
    /// Where and why it is no canonical encoding of a certificate that TS 103 097 allows.
    pub fn decode(bytes: &[u8]) -> Result<Self, OerError> {
        decode(bytes, "certificate")
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    /// The encoding that is hashed (IEEE 1609.2 clause 6.4.3): keys compressed, r as x only.
    pub(crate) fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_head(&mut out);
        out.extend(self.to_be_signed.canonical());
        self.signature.iter().for_each(|signature| signature.canonical().write(&mut out));
        out
    }

    /// The holder's key; `None` when the certificate is implicit.
    pub const fn key(&self) -> Option<PublicKey> {
        match self.to_be_signed.key {
            KeyIndicator::Key(key) => Some(key),
            KeyIndicator::ReconstructionValue(_) => None,
        }
    }

    /// The permission for an application.
    pub fn app_permission(&self, its_aid: u32) -> Option<&AppPermission> {
        self.to_be_signed.app_permissions.iter().find(|permission| permission.its_aid == its_aid)
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        out.push(preamble_of([self.signature.is_some()]));
        out.push(VERSION);
        out.push(u8::from(self.key().is_none()));
        self.issuer.write(out);
    }
}

impl Oer<'_> for Certificate {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(1)?;
        read_version(reader)?;
        let kind = reader.byte()?;
        if kind > 1 {
            return reader.unknown("type of certificate", kind);
        }
        let issuer = reader.field("issuer")?;
        let to_be_signed: ToBeSignedCertificate = reader.field("toBeSigned")?;
        let explicit = matches!(to_be_signed.key, KeyIndicator::Key(_));
        let rule = "a certificate is explicit with key and signature, or implicit without (IEEE 1609.2 clause 6.4.3)";
        let fits = explicit == (kind == 0) && explicit == (present & 0x80 != 0);
        reader.require(fits, OerProblem::NotAllowed(rule))?;
        Ok(Self { issuer, to_be_signed, signature: reader.optional(explicit, "signature")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.write_head(out);
        self.to_be_signed.write(out);
        self.signature.iter().for_each(|signature| signature.write(out));
    }
}

/// Reads a version byte.
pub(crate) fn read_version(reader: &mut Reader<'_>) -> Read<()> {
    match reader.byte()? {
        VERSION => Ok(()),
        other => reader.unknown("version", other),
    }
}
