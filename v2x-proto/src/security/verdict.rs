//! What the network layer asks of security, and what it answers.

use crate::geo::Wgs84;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a received message is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The envelope does not decode or is of a form that TS 103 097 does not allow.
    Malformed,
    /// Not signed, where a signature is asked for.
    NotSigned,
    /// The signer's certificate is not known; it was asked for.
    UnknownCertificate,
    /// No chain of certificates leads to a trusted root.
    UntrustedChain,
    /// The signature is wrong.
    BadSignature,
    /// The certificate, or one of its issuers, is not valid yet or any more.
    CertificateExpired,
    /// The certificate, or one of its issuers, is revoked.
    CertificateRevoked,
    /// The certificate does not permit this application (ITS-AID) or content (SSP).
    NotPermitted,
    /// Generated outside the region of the certificate.
    WrongRegion,
    /// Generated too long ago.
    TooOld,
    /// Generated in the future.
    FromTheFuture,
    /// Received before, when its content was verified: copied by an attacker, or sent on by a forwarder.
    Replayed,
    /// Position or speed cannot be true.
    Implausible,
}

/// Who signed a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SignedBy {
    /// `HashedId8` of the signer's certificate.
    pub certificate: [u8; 8],
}

/// Whether a received message is trusted: a fact that is recorded with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Came without an envelope over a link that does not ask for one (an authenticated broker, a laboratory).
    Unsigned,
    /// Signed, and everything that was checked holds.
    Verified(SignedBy),
    /// Not to be used.
    Refused(Refusal),
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct SignRequest<'a> {
    /// What the envelope protects: common header, extended header and payload of a GeoNetworking packet.
    pub payload: &'a [u8],
    /// Application (TS 102 965): 36 CAM, 37 DENM, …
    pub its_aid: u32,
    /// Where it is generated; signed along where the profile asks for it (DENM).
    pub position: Wgs84,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// No certificate that is valid now permits the application.
    #[error("no certificate that is valid now permits ITS-AID {its_aid}")]
    NoCertificate {
        /// Application.
        its_aid: u32,
    },
    /// The certificate permits the application, but not what is in the message (SSP).
    #[error("the certificate permits ITS-AID {its_aid}, but not what is in this message")]
    NotPermitted {
        /// Application.
        its_aid: u32,
    },
    /// The payload is too long for an envelope.
    #[error("{bytes} bytes are too many for an envelope")]
    TooLong {
        /// Length of the payload.
        bytes: usize,
    },
}

/// An envelope that was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwrapped<'a> {
    /// What the envelope holds, also when the verdict is a refusal; empty when it does not decode.
    pub payload: &'a [u8],
    /// Application it was signed for; 0 when unknown.
    pub its_aid: u32,
    /// Whether to trust it.
    pub verdict: Verdict,
}

/// Who the station is to others until it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Identity {
    /// `HashedId8` of the certificate.
    pub certificate: [u8; 8],
    /// Station id of its messages.
    pub station_id: u32,
    /// Link-layer address: locally administered, of one station.
    pub mac: [u8; 6],
}

impl Identity {
    /// The identity that goes with a certificate: nothing in it leads to the one before.
    pub fn of(certificate: [u8; 8]) -> Self {
        let [_, _, a, b, c, d, e, f] = certificate;
        Self { certificate, station_id: u32::from_be_bytes([c, d, e, f]), mac: [a & 0xFC | 0x02, b, c, d, e, f] }
    }
}

/// The security entity as the network layer sees it (EN 302 636-4-1 annex on SN-ENCAP and SN-DECAP, TS 102 723-8).
pub trait SecurityService {
    /// Appends the signed envelope of a payload to `out`.
    ///
    /// # Errors
    /// When there is no certificate for it, or it is too long.
    fn sign(&mut self, request: &SignRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<(), SignError>;

    /// Opens a received envelope and judges it.
    fn unwrap<'a>(&mut self, envelope: &'a [u8], now: Timestamp) -> Unwrapped<'a>;

    /// The identity since it was asked for last, when it is a new one: at first, and after each change of the pseudonym.
    /// Station id, GeoNetworking address and link-layer address follow it together. A station without pseudonyms has none.
    fn take_new_identity(&mut self) -> Option<Identity> {
        None
    }

    /// Tells where the station is. The pseudonym changes here and nowhere else: whoever sends calls this before a packet is
    /// made, so that header, content and signature of one packet are of one identity.
    fn moved(&mut self, _position: Wgs84, _now: Timestamp) {}

    /// Keeps the identity until `until`, while others must recognise the station (TS 102 723-8, id lock).
    fn lock_identity(&mut self, _until: Timestamp) {}
}
