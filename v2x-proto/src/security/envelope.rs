//! Signed envelopes of TS 103 097 clause 5 (IEEE 1609.2 clauses 6.3.2 to 6.3.22).
//!
//! In: encodings. Out: values that borrow the payload, written back byte for byte. What TS 103 097 excludes from signed
//! messages does not decode; encrypted data is not supported and says so.

use super::certificate::{Certificate, HashedId3, HashedId8, VERSION, read_version};
use super::ecc::{EncryptionKey, HashAlgorithm, Signature};
use super::oer::{
    Oer, OerError, OerProblem, Read, Reader, decode, encode, preamble_of, write_alternative, write_list, write_octets,
    write_open, write_unsigned,
};
use super::region::{LATITUDES, LONGITUDES, read_degrees, to_wire};
use crate::geo::Wgs84;
use crate::time::Timestamp;

/// Extensions of `HeaderInfo` that are known: TS 103 097 v1.3.1 has the first two, v2.1.1 all four.
const KNOWN_EXTENSIONS: u8 = 4;

/// An instant to the microsecond: microseconds since 2004-01-01 UTC, leap seconds counted (`Time64`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time64(pub u64);

impl Time64 {
    /// The microsecond that `now` is in.
    pub fn of(now: Timestamp) -> Self {
        let below_ms = now.unix_ns().rem_euclid(1_000_000) as u64 / 1000;
        Self(now.to_its_ms() * 1000 + below_ms)
    }

    /// The instant.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_its_ms(self.0 / 1000).plus_ns((self.0 % 1000) as i64 * 1000)
    }
}

/// Where a message was generated (`ThreeDLocation`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Location {
    /// Latitude, degrees, north positive; `None` when unknown.
    pub lat_deg: Option<f64>,
    /// Longitude, degrees, east positive; `None` when unknown.
    pub lon_deg: Option<f64>,
    /// Height above the ellipsoid, metres, -409.5 to 6,144.
    pub elevation_m: f64,
}

impl Location {
    /// Height of the wire value 0 above the ellipsoid, metres (IEEE 1609.2 clause 6.3.14).
    const LOWEST_M: f64 = -409.5;

    /// The location of a position.
    pub fn of(position: Wgs84) -> Self {
        Self { lat_deg: Some(position.lat_deg), lon_deg: Some(position.lon_deg), elevation_m: position.alt_m }
    }

    /// The position, when it is known.
    pub fn position(&self) -> Option<Wgs84> {
        Some(Wgs84 { lat_deg: self.lat_deg?, lon_deg: self.lon_deg?, alt_m: self.elevation_m })
    }
}

impl Oer<'_> for Location {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self {
            lat_deg: reader.named("latitude", |reader| read_degrees(reader, LATITUDES))?,
            lon_deg: reader.named("longitude", |reader| read_degrees(reader, LONGITUDES))?,
            elevation_m: f64::from(reader.field::<u16>("elevation")?) / 10.0 + Self::LOWEST_M,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.lat_deg.map_or(LATITUDES.end() + 1, to_wire).write(out);
        self.lon_deg.map_or(LONGITUDES.end() + 1, to_wire).write(out);
        // The cast saturates.
        let elevation = ((self.elevation_m - Self::LOWEST_M) * 10.0).round() as u16;
        elevation.write(out);
    }
}

/// Extensions of one contributor, as bytes (`ContributedExtensionBlock`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContributedExtensions {
    /// Contributor: 2 is ETSI.
    pub contributor: u8,
    /// Each extension's encoding.
    pub extensions: Vec<Vec<u8>>,
}

impl Oer<'_> for ContributedExtensions {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { contributor: reader.field("contributorId")?, extensions: reader.list("extns", 1)? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.contributor.write(out);
        write_list(out, &self.extensions);
    }
}

/// What is signed along with the payload (`HeaderInfo`).
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderInfo {
    /// Application (ITS-AID).
    pub its_aid: u32,
    /// When the message was generated.
    pub generation_time: Option<Time64>,
    /// When it stops being relevant.
    pub expiry_time: Option<Time64>,
    /// Where it was generated.
    pub generation_location: Option<Location>,
    /// A key to answer encrypted.
    pub encryption_key: Option<EncryptionKey>,
    /// Certificates that the signer asks for.
    pub p2pcd_request: Vec<HashedId3>,
    /// A certificate that others asked for.
    pub requested_certificate: Option<Box<Certificate>>,
    /// Kind of a PDU that is not an application's.
    pub pdu_functional_type: Option<u8>,
    /// Extensions by others than IEEE.
    pub contributed: Vec<ContributedExtensions>,
    /// How many extensions the version of the standard has that the sender follows: 2 or [`HeaderInfo::EXTENSIONS`]; counts
    /// when there are any.
    pub extensions_known: u8,
}

impl HeaderInfo {
    /// Extensions of TS 103 097 v2.1.1.
    pub const EXTENSIONS: u8 = KNOWN_EXTENSIONS;

    /// A header with application and time alone.
    pub fn new(its_aid: u32, generation_time: Time64) -> Self {
        Self {
            its_aid,
            generation_time: Some(generation_time),
            expiry_time: None,
            generation_location: None,
            encryption_key: None,
            p2pcd_request: Vec::new(),
            requested_certificate: None,
            pdu_functional_type: None,
            contributed: Vec::new(),
            extensions_known: Self::EXTENSIONS,
        }
    }

    fn extensions(&self) -> [bool; KNOWN_EXTENSIONS as usize] {
        [
            !self.p2pcd_request.is_empty(),
            self.requested_certificate.is_some(),
            self.pdu_functional_type.is_some(),
            !self.contributed.is_empty(),
        ]
    }

    /// Reads the presence bitmap (X.696 clause 16.4) and the extensions.
    fn read_extensions(&mut self, reader: &mut Reader<'_>) -> Read<()> {
        let bits = reader.named("extensions", |reader| {
            let bitmap = reader.octets()?;
            let &[unused, bits] = bitmap else {
                return Err(reader.error(OerProblem::NotAllowed("a bitmap of more than eight extensions")));
            };
            let bit = bits.trailing_zeros();
            reader.require(unused < 8 && bits != 0, OerProblem::NotCanonical("some extension is present"))?;
            reader.require(bit >= u32::from(unused), OerProblem::NotCanonical("unused bits are zero"))?;
            self.extensions_known = 8 - unused;
            if bits & (0xFF >> KNOWN_EXTENSIONS) != 0 {
                return reader.unknown("extension", 8 - bit as u8);
            }
            Ok(bits)
        })?;
        if bits & 0x80 != 0 {
            self.p2pcd_request = reader.open(|reader| reader.list("inlineP2pcdRequest", 1))?;
        }
        if bits & 0x40 != 0 {
            self.requested_certificate = Some(Box::new(reader.open(|reader| reader.field("requestedCertificate"))?));
        }
        if bits & 0x20 != 0 {
            self.pdu_functional_type = Some(reader.open(|reader| reader.field("pduFunctionalType"))?);
        }
        if bits & 0x10 != 0 {
            self.contributed = reader.open(|reader| reader.list("contributedExtensions", 1))?;
        }
        Ok(())
    }

    fn write_extensions(&self, out: &mut Vec<u8>) {
        write_octets(out, &[8 - self.extensions_known.min(8), preamble_of(self.extensions())]);
        if !self.p2pcd_request.is_empty() {
            write_open(out, |out| write_list(out, &self.p2pcd_request));
        }
        if let Some(certificate) = &self.requested_certificate {
            write_open(out, |out| certificate.write(out));
        }
        if let Some(kind) = self.pdu_functional_type {
            write_open(out, |out| kind.write(out));
        }
        if !self.contributed.is_empty() {
            write_open(out, |out| write_list(out, &self.contributed));
        }
    }
}

impl Oer<'_> for HeaderInfo {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let present = reader.preamble(7)?;
        for (bit, component) in [(0x08, "p2pcdLearningRequest"), (0x04, "missingCrlIdentifier")] {
            reader.require(present & bit == 0, OerProblem::NotAllowed(component))?;
        }
        let its_aid = reader.named("psid", Reader::unsigned)?;
        let mut header = Self::new(its_aid, Time64(0));
        header.generation_time = reader.optional(present & 0x40 != 0, "generationTime")?.map(Time64);
        header.expiry_time = reader.optional(present & 0x20 != 0, "expiryTime")?.map(Time64);
        header.generation_location = reader.optional(present & 0x10 != 0, "generationLocation")?;
        if present & 0x02 != 0 {
            header.encryption_key = reader.named("encryptionKey", |reader| match reader.alternative()? {
                0 => Ok(Some(reader.field("public")?)),
                1 => Err(reader.error(OerProblem::NotAllowed("a symmetric key"))),
                other => reader.unknown("kind of encryption key", other),
            })?;
        }
        if present & 0x80 != 0 {
            header.read_extensions(reader)?;
        }
        Ok(header)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let extended = self.extensions().contains(&true);
        out.push(preamble_of([
            extended,
            self.generation_time.is_some(),
            self.expiry_time.is_some(),
            self.generation_location.is_some(),
            false,
            false,
            self.encryption_key.is_some(),
        ]));
        write_unsigned(out, self.its_aid);
        for time in [self.generation_time, self.expiry_time].into_iter().flatten() {
            time.0.write(out);
        }
        self.generation_location.iter().for_each(|location| location.write(out));
        if let Some(key) = &self.encryption_key {
            write_alternative(out, 0);
            key.write(out);
        }
        if extended {
            self.write_extensions(out);
        }
    }
}

/// A hash of data that travels apart (`HashedData`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashedData {
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-384.
    Sha384([u8; 48]),
}

impl Oer<'_> for HashedData {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Sha256(reader.field("sha256HashedData")?)),
            1 => reader.open(|reader| Ok(Self::Sha384(reader.field("sha384HashedData")?))),
            other => reader.unknown("kind of hash", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Sha256(hash) => {
                write_alternative(out, 0);
                hash.write(out);
            }
            Self::Sha384(hash) => {
                write_alternative(out, 1);
                write_open(out, |out| hash.write(out));
            }
        }
    }
}

/// What is signed (`SignedDataPayload`): data, a hash of external data, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Data.
    pub data: Option<&'a [u8]>,
    /// Hash of external data.
    pub external: Option<HashedData>,
}

impl<'a> Oer<'a> for Payload<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        let present = reader.preamble(3)?;
        reader.no_extensions(present)?;
        reader.require(present & 0x60 != 0, OerProblem::NotAllowed("a payload of nothing"))?;
        let data = if present & 0x40 != 0 {
            Some(reader.named("data", |reader| {
                read_version(reader)?;
                match reader.alternative()? {
                    0 => reader.named("unsecuredData", Reader::octets),
                    other => reader.unknown("content of signed data", other),
                }
            })?)
        } else {
            None
        };
        Ok(Self { data, external: reader.optional(present & 0x20 != 0, "extDataHash")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(preamble_of([false, self.data.is_some(), self.external.is_some()]));
        if let Some(data) = self.data {
            out.push(VERSION);
            write_alternative(out, 0);
            write_octets(out, data);
        }
        self.external.iter().for_each(|hash| hash.write(out));
    }
}

/// What the signature covers (`ToBeSignedData`).
#[derive(Clone, Debug, PartialEq)]
pub struct ToBeSigned<'a> {
    /// Payload.
    pub payload: Payload<'a>,
    /// Header.
    pub header: HeaderInfo,
}

impl<'a> Oer<'a> for ToBeSigned<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        Ok(Self { payload: reader.field("payload")?, header: reader.field("headerInfo")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.payload.write(out);
        self.header.write(out);
    }
}

/// Who signed (`SignerIdentifier`).
#[derive(Clone, Debug, PartialEq)]
pub enum Signer {
    /// The holder of the certificate of this name.
    Digest(HashedId8),
    /// The holder of this certificate.
    Certificate(Box<Certificate>),
}

impl Oer<'_> for Signer {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::Digest(reader.field("digest")?)),
            1 => reader.named("certificate", |reader| {
                let count = reader.unsigned()?;
                let rule = "other than one certificate (TS 103 097 clause 5.2)";
                reader.require(count == 1, OerProblem::NotAllowed(rule))?;
                Ok(Self::Certificate(Box::new(Oer::read(reader)?)))
            }),
            2 => Err(reader.error(OerProblem::NotAllowed("a signer without certificate"))),
            other => reader.unknown("kind of signer", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Digest(digest) => {
                write_alternative(out, 0);
                digest.write(out);
            }
            Self::Certificate(certificate) => {
                write_alternative(out, 1);
                write_unsigned(out, 1);
                certificate.write(out);
            }
        }
    }
}

/// Signed data (`SignedData`).
#[derive(Clone, Debug, PartialEq)]
pub struct SignedData<'a> {
    /// Hash function of the signature.
    pub hash: HashAlgorithm,
    /// What the signature covers.
    pub to_be_signed: ToBeSigned<'a>,
    /// Who signed.
    pub signer: Signer,
    /// Signature.
    pub signature: Signature,
}

impl SignedData<'_> {
    /// What is hashed: the encoding is canonical, so these are the bytes that came.
    pub(crate) fn signed_bytes(&self) -> Vec<u8> {
        encode(&self.to_be_signed)
    }
}

impl<'a> Oer<'a> for SignedData<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        Ok(Self {
            hash: reader.field("hashId")?,
            to_be_signed: reader.field("tbsData")?,
            signer: reader.field("signer")?,
            signature: reader.field("signature")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.hash.write(out);
        self.to_be_signed.write(out);
        self.signer.write(out);
        self.signature.write(out);
    }
}

/// An envelope (`EtsiTs103097Data`).
#[derive(Clone, Debug, PartialEq)]
pub enum Envelope<'a> {
    /// A payload without protection.
    Unsecured(&'a [u8]),
    /// A signed payload.
    Signed(Box<SignedData<'a>>),
}

impl<'a> Envelope<'a> {
    /// Reads an encoding, all of it.
    ///
    /// # Errors
    /// Where and why it is no canonical encoding of an envelope that TS 103 097 allows.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, OerError> {
        decode(bytes, "envelope")
    }

    /// The encoding.
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }
}

impl<'a> Oer<'a> for Envelope<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        read_version(reader)?;
        match reader.alternative()? {
            0 => Ok(Self::Unsecured(reader.named("unsecuredData", Reader::octets)?)),
            1 => Ok(Self::Signed(Box::new(reader.field("signedData")?))),
            2 => Err(reader.error(OerProblem::NotAllowed("encryptedData is not supported"))),
            3 => Err(reader.error(OerProblem::NotAllowed("signedCertificateRequest"))),
            other => reader.unknown("content", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        match self {
            Self::Unsecured(data) => {
                write_alternative(out, 0);
                write_octets(out, data);
            }
            Self::Signed(signed) => {
                write_alternative(out, 1);
                signed.write(out);
            }
        }
    }
}
