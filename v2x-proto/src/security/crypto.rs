//! Hashes, keys and signatures: the one place where crates compute on curves.
//!
//! In: keys and bytes as values. Out: signatures and whether they hold. Signing is deterministic (RFC 6979), so that a
//! replayed run signs the same bytes. P-256 is verified by ring, five times as fast as pure Rust; brainpool curves and all
//! signing use the RustCrypto crates (docs/adr/0005). A secret is wiped when it is dropped and never printed.

use super::certificate::{Certificate, HashedId8};
use super::ecc::{Curve, Ecdsa, HashAlgorithm, Point, PublicKey, Signature};
use ecdsa::elliptic_curve::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use ecdsa::elliptic_curve::sec1::ToSec1Point;
use ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use ring::digest::{Context, Digest, SHA256, SHA384};
use std::fmt;

impl HashAlgorithm {
    /// The hash of the parts one after the other.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Digest {
        let mut context = Context::new(match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
        });
        parts.iter().for_each(|part| context.update(part));
        context.finish()
    }
}

impl Certificate {
    /// The hash that names it (IEEE 1609.2 clause 6.4.3), by the hash function of its key's curve.
    pub(crate) fn hash(&self) -> Digest {
        let hash = self.key().map_or(HashAlgorithm::Sha256, |key| key.curve().hash());
        hash.digest(&[&self.canonical()])
    }

    /// Its name.
    pub fn hashed_id8(&self) -> HashedId8 {
        hashed_id8(&self.hash())
    }
}

/// The last eight bytes of a hash.
pub(crate) fn hashed_id8(hash: &Digest) -> HashedId8 {
    let bytes = hash.as_ref();
    HashedId8(bytes[bytes.len() - 8..].try_into().expect("eight bytes"))
}

/// What a signature is computed over (IEEE 1609.2 clause 5.3.1.2.2): the hash of what is signed and the hash of the signer's
/// certificate, which for a root is that of nothing.
pub(crate) fn signing_input(hash: HashAlgorithm, signed: &[u8], signer: Option<&Digest>) -> Vec<u8> {
    let signed = hash.digest(&[signed]);
    let none = hash.digest(&[]);
    [signed.as_ref(), signer.unwrap_or(&none).as_ref()].concat()
}

/// Why a key is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a point of its curve, or without y.
    #[error("no point of {}", .0.name())]
    NoPoint(Curve),
    /// Not a number below the order of the curve.
    #[error("no secret number of {}", .0.name())]
    NoScalar(Curve),
    /// Not a PKCS#8 private key of a curve that TS 103 097 uses.
    #[error("no PKCS#8 private key of NIST P-256, brainpoolP256r1 or brainpoolP384r1")]
    NoPkcs8,
    /// A key belongs to another certificate.
    #[error("the key is not that of the certificate")]
    NotOfCertificate,
}

type Brainpool256 = bp256::BrainpoolP256r1;
type Brainpool384 = bp384::BrainpoolP384r1;

/// A secret key.
#[derive(Clone)]
pub enum SigningKey {
    /// Of NIST P-256.
    NistP256(Box<ecdsa::SigningKey<p256::NistP256>>),
    /// Of brainpoolP256r1.
    BrainpoolP256r1(Box<ecdsa::SigningKey<Brainpool256>>),
    /// Of brainpoolP384r1.
    BrainpoolP384r1(Box<ecdsa::SigningKey<Brainpool384>>),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SigningKey({})", self.curve().name())
    }
}

/// Runs an expression with the key inside, whatever its curve.
macro_rules! with_key {
    ($self:expr, $key:ident => $value:expr) => {
        match $self {
            Self::NistP256($key) => $value,
            Self::BrainpoolP256r1($key) => $value,
            Self::BrainpoolP384r1($key) => $value,
        }
    };
}

/// r and s of a signature of the crates.
fn ecdsa_of<const N: usize>(fixed: &[u8]) -> Ecdsa<N> {
    let (r, s) = fixed.split_at(N);
    Ecdsa { r: Point::XOnly(r.try_into().expect("N bytes")), s: s.try_into().expect("N bytes") }
}

/// The compressed point of SEC 1.
fn compressed<const N: usize>(sec1: &[u8]) -> Point<N> {
    Point::Compressed { x: sec1[1..].try_into().expect("N bytes"), odd: sec1[0] == 3 }
}

impl SigningKey {
    /// The key of a secret number, big-endian.
    ///
    /// # Errors
    /// When the number is not one of the curve.
    pub fn from_scalar(curve: Curve, scalar: &[u8]) -> Result<Self, KeyError> {
        let key = match curve {
            Curve::NistP256 => ecdsa::SigningKey::from_slice(scalar).map(|key| Self::NistP256(Box::new(key))),
            Curve::BrainpoolP256r1 => {
                ecdsa::SigningKey::from_slice(scalar).map(|key| Self::BrainpoolP256r1(Box::new(key)))
            }
            Curve::BrainpoolP384r1 => {
                ecdsa::SigningKey::from_slice(scalar).map(|key| Self::BrainpoolP384r1(Box::new(key)))
            }
        };
        key.map_err(|_| KeyError::NoScalar(curve))
    }

    /// The key of a PKCS#8 document in PEM.
    ///
    /// # Errors
    /// When it is none of the supported curves.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        if let Ok(key) = ecdsa::SigningKey::from_pkcs8_pem(pem) {
            Ok(Self::NistP256(Box::new(key)))
        } else if let Ok(key) = ecdsa::SigningKey::from_pkcs8_pem(pem) {
            Ok(Self::BrainpoolP256r1(Box::new(key)))
        } else {
            let key = ecdsa::SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::NoPkcs8)?;
            Ok(Self::BrainpoolP384r1(Box::new(key)))
        }
    }

    /// The key of a PKCS#8 document in DER.
    ///
    /// # Errors
    /// When it is none of the supported curves.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(key) = ecdsa::SigningKey::from_pkcs8_der(der) {
            Ok(Self::NistP256(Box::new(key)))
        } else if let Ok(key) = ecdsa::SigningKey::from_pkcs8_der(der) {
            Ok(Self::BrainpoolP256r1(Box::new(key)))
        } else {
            let key = ecdsa::SigningKey::from_pkcs8_der(der).map_err(|_| KeyError::NoPkcs8)?;
            Ok(Self::BrainpoolP384r1(Box::new(key)))
        }
    }

    /// The PKCS#8 document in PEM: a secret.
    pub fn to_pem(&self) -> String {
        let pem = with_key!(self, key => key.to_pkcs8_pem(LineEnding::LF));
        String::clone(&pem.expect("a key has a PKCS#8 encoding"))
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match self {
            Self::NistP256(_) => Curve::NistP256,
            Self::BrainpoolP256r1(_) => Curve::BrainpoolP256r1,
            Self::BrainpoolP384r1(_) => Curve::BrainpoolP384r1,
        }
    }

    /// The public key, compressed.
    pub fn public_key(&self) -> PublicKey {
        let sec1 = with_key!(self, key => key.verifying_key().as_affine().to_sec1_point(true).as_bytes().to_vec());
        match self {
            Self::NistP256(_) => PublicKey::NistP256(compressed(&sec1)),
            Self::BrainpoolP256r1(_) => PublicKey::BrainpoolP256r1(compressed(&sec1)),
            Self::BrainpoolP384r1(_) => PublicKey::BrainpoolP384r1(compressed(&sec1)),
        }
    }

    /// Signs the hash of `input`.
    pub(crate) fn sign(&self, input: &[u8]) -> Signature {
        let hash = self.curve().hash().digest(&[input]);
        let proof = "a hash as long as the curve's order can be signed";
        match self {
            Self::NistP256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(hash.as_ref()).expect(proof);
                Signature::NistP256(ecdsa_of(&signature.to_bytes()))
            }
            Self::BrainpoolP256r1(key) => {
                let signature: ecdsa::Signature<Brainpool256> = key.sign_prehash(hash.as_ref()).expect(proof);
                Signature::BrainpoolP256r1(ecdsa_of(&signature.to_bytes()))
            }
            Self::BrainpoolP384r1(key) => {
                let signature: ecdsa::Signature<Brainpool384> = key.sign_prehash(hash.as_ref()).expect(proof);
                Signature::BrainpoolP384r1(ecdsa_of(&signature.to_bytes()))
            }
        }
    }
}

/// A public key that is known to be a point of its curve, ready to verify.
#[derive(Clone, Debug)]
pub(crate) enum VerifyingKey {
    /// The uncompressed point.
    NistP256([u8; 65]),
    BrainpoolP256r1(Box<ecdsa::VerifyingKey<Brainpool256>>),
    BrainpoolP384r1(Box<ecdsa::VerifyingKey<Brainpool384>>),
}

impl VerifyingKey {
    /// Takes the square root that a compressed point leaves out.
    pub(crate) fn new(key: PublicKey) -> Result<Self, KeyError> {
        let curve = key.curve();
        let sec1 = key.to_sec1().ok_or(KeyError::NoPoint(curve))?;
        let ready = match curve {
            Curve::NistP256 => ecdsa::VerifyingKey::<p256::NistP256>::from_sec1_bytes(&sec1).map(|key| {
                let point = key.to_sec1_point(false);
                Self::NistP256(point.as_bytes().try_into().expect("an uncompressed point has 65 bytes"))
            }),
            Curve::BrainpoolP256r1 => {
                ecdsa::VerifyingKey::from_sec1_bytes(&sec1).map(|key| Self::BrainpoolP256r1(Box::new(key)))
            }
            Curve::BrainpoolP384r1 => {
                ecdsa::VerifyingKey::from_sec1_bytes(&sec1).map(|key| Self::BrainpoolP384r1(Box::new(key)))
            }
        };
        ready.map_err(|_| KeyError::NoPoint(curve))
    }

    /// The hash function that goes with the key.
    pub(crate) const fn hash(&self) -> HashAlgorithm {
        match self {
            Self::NistP256(_) | Self::BrainpoolP256r1(_) => HashAlgorithm::Sha256,
            Self::BrainpoolP384r1(_) => HashAlgorithm::Sha384,
        }
    }

    /// Whether `signature` is the key's over the hash of `input`.
    pub(crate) fn verifies(&self, input: &[u8], signature: &Signature) -> bool {
        let fixed = signature.to_fixed();
        match (self, signature) {
            (Self::NistP256(point), Signature::NistP256(_)) => {
                let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point);
                key.verify(input, &fixed).is_ok()
            }
            (Self::BrainpoolP256r1(key), Signature::BrainpoolP256r1(_)) => {
                let hash = HashAlgorithm::Sha256.digest(&[input]);
                let signature = ecdsa::Signature::<Brainpool256>::from_slice(&fixed);
                signature.is_ok_and(|signature| key.verify_prehash(hash.as_ref(), &signature).is_ok())
            }
            (Self::BrainpoolP384r1(key), Signature::BrainpoolP384r1(_)) => {
                let hash = HashAlgorithm::Sha384.digest(&[input]);
                let signature = ecdsa::Signature::<Brainpool384>::from_slice(&fixed);
                signature.is_ok_and(|signature| key.verify_prehash(hash.as_ref(), &signature).is_ok())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_and_its_input_alone() {
        for curve in Curve::ALL {
            let length = if curve == Curve::BrainpoolP384r1 { 48 } else { 32 };
            let key = SigningKey::from_scalar(curve, &vec![7; length]).expect("a key");
            let other = SigningKey::from_scalar(curve, &vec![8; length]).expect("a key");
            let signature = key.sign(b"input");
            assert_eq!(key.sign(b"input"), signature, "deterministic");
            let verifying = VerifyingKey::new(key.public_key()).expect("a point");
            assert!(verifying.verifies(b"input", &signature));
            assert!(!verifying.verifies(b"inpus", &signature));
            assert!(!VerifyingKey::new(other.public_key()).expect("a point").verifies(b"input", &signature));
        }
    }

    #[test]
    fn a_signature_is_that_of_rfc_6979() {
        // RFC 6979 A.2.5: P-256, SHA-256, message "sample".
        let scalar = *b"\xC9\xAF\xA9\xD8\x45\xBA\x75\x16\x6B\x5C\x21\x57\x67\xB1\xD6\x93\x4E\x50\xC3\xDB\x36\xE8\x9B\x12\x7B\x8A\x62\x2B\x12\x0F\x67\x21";
        let key = SigningKey::from_scalar(Curve::NistP256, &scalar).expect("a key");
        let fixed = key.sign(b"sample").to_fixed();
        assert_eq!(fixed[..4], [0xEF, 0xD4, 0x8B, 0x2A]);
        assert_eq!(fixed[32..36], [0xF7, 0xCB, 0x1C, 0x94]);
    }

    #[test]
    fn a_key_travels_as_pem() {
        for curve in Curve::ALL {
            let length = if curve == Curve::BrainpoolP384r1 { 48 } else { 32 };
            let key = SigningKey::from_scalar(curve, &vec![5; length]).expect("a key");
            let again = SigningKey::from_pem(&key.to_pem()).expect("our own PEM");
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(format!("{key:?}"), format!("SigningKey({})", curve.name()), "a secret is not printed");
        }
        assert_eq!(SigningKey::from_pem("no key").err(), Some(KeyError::NoPkcs8));
        let zero = SigningKey::from_scalar(Curve::NistP256, &[0; 32]);
        assert_eq!(zero.err(), Some(KeyError::NoScalar(Curve::NistP256)));
    }
}
