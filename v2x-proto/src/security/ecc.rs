//! Curve points, public keys and signatures as they travel (IEEE 1609.2 clauses 6.3.23 to 6.3.37, 6.4.38).
//!
//! In: encodings. Out: coordinates. Nothing here computes on a curve: whether a point is on it is seen when a key is used.

use super::oer::{Oer, OerProblem, Read, Reader, write_alternative, write_open};

/// An elliptic curve of TS 103 097 clause 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Curve {
    /// NIST P-256.
    NistP256,
    /// brainpoolP256r1 (RFC 5639).
    BrainpoolP256r1,
    /// brainpoolP384r1 (RFC 5639).
    BrainpoolP384r1,
}

impl Curve {
    /// Every curve.
    pub const ALL: [Self; 3] = [Self::NistP256, Self::BrainpoolP256r1, Self::BrainpoolP384r1];

    /// Name as in settings and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NistP256 => "nist-p256",
            Self::BrainpoolP256r1 => "brainpool-p256r1",
            Self::BrainpoolP384r1 => "brainpool-p384r1",
        }
    }

    /// The hash that goes with it (IEEE 1609.2 clause 5.3.1): as long as a coordinate.
    pub const fn hash(self) -> HashAlgorithm {
        match self {
            Self::NistP256 | Self::BrainpoolP256r1 => HashAlgorithm::Sha256,
            Self::BrainpoolP384r1 => HashAlgorithm::Sha384,
        }
    }
}

/// A hash function (`HashAlgorithm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Oer<'_> for HashAlgorithm {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.byte()? {
            0 => Ok(Self::Sha256),
            1 => Ok(Self::Sha384),
            other => reader.unknown("hash algorithm", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

/// A point with coordinates of `N` bytes (`EccP256CurvePoint`, `EccP384CurvePoint`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point<const N: usize> {
    /// Only x: the usual form of a signature's r.
    XOnly([u8; N]),
    /// x and the lowest bit of y.
    Compressed {
        /// x.
        x: [u8; N],
        /// Whether y is odd.
        odd: bool,
    },
    /// Both coordinates.
    Uncompressed {
        /// x.
        x: [u8; N],
        /// y.
        y: [u8; N],
    },
}

impl<const N: usize> Point<N> {
    /// x.
    pub const fn x(&self) -> &[u8; N] {
        match self {
            Self::XOnly(x) | Self::Compressed { x, .. } | Self::Uncompressed { x, .. } => x,
        }
    }

    /// The form in which a key enters a hash (IEEE 1609.2 clause 6.4.3): compressed.
    fn canonical_key(self) -> Self {
        match self {
            Self::Uncompressed { x, y } => Self::Compressed { x, odd: y[N - 1] & 1 == 1 },
            other => other,
        }
    }

    /// The encoding of SEC 1 clause 2.3.3: what crates read. `None` when there is no y.
    pub fn to_sec1(self) -> Option<Vec<u8>> {
        match self {
            Self::XOnly(_) => None,
            Self::Compressed { x, odd } => Some([&[2 + u8::from(odd)], &x[..]].concat()),
            Self::Uncompressed { x, y } => Some([&[4], &x[..], &y[..]].concat()),
        }
    }
}

impl<const N: usize> Oer<'_> for Point<N> {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::XOnly(reader.fixed()?)),
            1 => Err(reader.error(OerProblem::NotAllowed("a point of the form fill"))),
            2 => Ok(Self::Compressed { x: reader.fixed()?, odd: false }),
            3 => Ok(Self::Compressed { x: reader.fixed()?, odd: true }),
            4 => Ok(Self::Uncompressed { x: reader.fixed()?, y: reader.fixed()? }),
            other => reader.unknown("form of a point", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let number = match self {
            Self::XOnly(_) => 0,
            Self::Compressed { odd, .. } => 2 + u8::from(*odd),
            Self::Uncompressed { .. } => 4,
        };
        write_alternative(out, number);
        out.extend_from_slice(self.x());
        if let Self::Uncompressed { y, .. } = self {
            out.extend_from_slice(y);
        }
    }
}

/// A key that verifies signatures (`PublicVerificationKey`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Of NIST P-256.
    NistP256(Point<32>),
    /// Of brainpoolP256r1.
    BrainpoolP256r1(Point<32>),
    /// Of brainpoolP384r1.
    BrainpoolP384r1(Point<48>),
}

impl PublicKey {
    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match self {
            Self::NistP256(_) => Curve::NistP256,
            Self::BrainpoolP256r1(_) => Curve::BrainpoolP256r1,
            Self::BrainpoolP384r1(_) => Curve::BrainpoolP384r1,
        }
    }

    /// The encoding of SEC 1; `None` when there is no y.
    pub fn to_sec1(self) -> Option<Vec<u8>> {
        match self {
            Self::NistP256(point) | Self::BrainpoolP256r1(point) => point.to_sec1(),
            Self::BrainpoolP384r1(point) => point.to_sec1(),
        }
    }

    /// The form that enters a hash: compressed.
    pub(crate) fn canonical(self) -> Self {
        match self {
            Self::NistP256(point) => Self::NistP256(point.canonical_key()),
            Self::BrainpoolP256r1(point) => Self::BrainpoolP256r1(point.canonical_key()),
            Self::BrainpoolP384r1(point) => Self::BrainpoolP384r1(point.canonical_key()),
        }
    }
}

impl Oer<'_> for PublicKey {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::NistP256(reader.field("ecdsaNistP256")?)),
            1 => Ok(Self::BrainpoolP256r1(reader.field("ecdsaBrainpoolP256r1")?)),
            2 => reader.open(|reader| Ok(Self::BrainpoolP384r1(reader.field("ecdsaBrainpoolP384r1")?))),
            other => reader.unknown("kind of public key", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_alternative(out, self.curve() as u8);
        match self {
            Self::NistP256(point) | Self::BrainpoolP256r1(point) => point.write(out),
            Self::BrainpoolP384r1(point) => write_open(out, |out| point.write(out)),
        }
    }
}

/// A signature whose numbers have `N` bytes (`EcdsaP256Signature`, `EcdsaP384Signature`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ecdsa<const N: usize> {
    /// The point whose x is r.
    pub r: Point<N>,
    /// s.
    pub s: [u8; N],
}

impl<const N: usize> Ecdsa<N> {
    /// r and s one after the other.
    pub fn to_fixed(self) -> Vec<u8> {
        [&self.r.x()[..], &self.s[..]].concat()
    }

    fn canonical(self) -> Self {
        Self { r: Point::XOnly(*self.r.x()), s: self.s }
    }
}

impl<const N: usize> Oer<'_> for Ecdsa<N> {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        Ok(Self { r: reader.field("rSig")?, s: reader.field("sSig")? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.r.write(out);
        self.s.write(out);
    }
}

/// A signature (`Signature`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// On NIST P-256.
    NistP256(Ecdsa<32>),
    /// On brainpoolP256r1.
    BrainpoolP256r1(Ecdsa<32>),
    /// On brainpoolP384r1.
    BrainpoolP384r1(Ecdsa<48>),
}

impl Signature {
    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match self {
            Self::NistP256(_) => Curve::NistP256,
            Self::BrainpoolP256r1(_) => Curve::BrainpoolP256r1,
            Self::BrainpoolP384r1(_) => Curve::BrainpoolP384r1,
        }
    }

    /// r and s one after the other.
    pub fn to_fixed(self) -> Vec<u8> {
        match self {
            Self::NistP256(signature) | Self::BrainpoolP256r1(signature) => signature.to_fixed(),
            Self::BrainpoolP384r1(signature) => signature.to_fixed(),
        }
    }

    /// The form that enters a hash: r as x only.
    pub(crate) fn canonical(self) -> Self {
        match self {
            Self::NistP256(signature) => Self::NistP256(signature.canonical()),
            Self::BrainpoolP256r1(signature) => Self::BrainpoolP256r1(signature.canonical()),
            Self::BrainpoolP384r1(signature) => Self::BrainpoolP384r1(signature.canonical()),
        }
    }
}

impl Oer<'_> for Signature {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        match reader.alternative()? {
            0 => Ok(Self::NistP256(reader.field("ecdsaNistP256Signature")?)),
            1 => Ok(Self::BrainpoolP256r1(reader.field("ecdsaBrainpoolP256r1Signature")?)),
            2 => reader.open(|reader| Ok(Self::BrainpoolP384r1(reader.field("ecdsaBrainpoolP384r1Signature")?))),
            other => reader.unknown("kind of signature", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_alternative(out, self.curve() as u8);
        match self {
            Self::NistP256(signature) | Self::BrainpoolP256r1(signature) => signature.write(out),
            Self::BrainpoolP384r1(signature) => write_open(out, |out| signature.write(out)),
        }
    }
}

/// A key to encrypt to (`PublicEncryptionKey`): carried, not used, as no supported message is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncryptionKey {
    /// Of NIST P-256.
    NistP256(Point<32>),
    /// Of brainpoolP256r1.
    BrainpoolP256r1(Point<32>),
}

impl EncryptionKey {
    /// The form that enters a hash: compressed.
    pub(crate) fn canonical(self) -> Self {
        match self {
            Self::NistP256(point) => Self::NistP256(point.canonical_key()),
            Self::BrainpoolP256r1(point) => Self::BrainpoolP256r1(point.canonical_key()),
        }
    }
}

impl Oer<'_> for EncryptionKey {
    fn read(reader: &mut Reader<'_>) -> Read<Self> {
        let algorithm = reader.byte()?;
        if algorithm != 0 {
            return reader.unknown("symmetric algorithm", algorithm);
        }
        match reader.alternative()? {
            0 => Ok(Self::NistP256(reader.field("publicKey.eciesNistP256")?)),
            1 => Ok(Self::BrainpoolP256r1(reader.field("publicKey.eciesBrainpoolP256r1")?)),
            other => reader.unknown("kind of encryption key", other),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(0);
        let (number, point) = match self {
            Self::NistP256(point) => (0, point),
            Self::BrainpoolP256r1(point) => (1, point),
        };
        write_alternative(out, number);
        point.write(out);
    }
}
