//! Security of messages (TS 103 097, IEEE 1609.2): signed envelopes and the verdict on received ones.
//!
//! In: payloads, certificates, keys and `now`. Out: signed envelopes; payloads with a [`Verdict`]. Pure: keys come in as
//! values, nothing is read from a disk, no randomness is used (signatures are deterministic, RFC 6979).
//!
//! [`verdict`] is the contract with the network layer and is always there; the rest is behind the feature `security`.
//! Absent: encrypted data, trust in implicit certificates, country maps for identified regions.

#[cfg(feature = "security")]
mod certificate;
#[cfg(feature = "security")]
mod chain;
#[cfg(feature = "security")]
mod crypto;
#[cfg(feature = "security")]
mod ecc;
#[cfg(feature = "security")]
mod entity;
#[cfg(feature = "security")]
mod envelope;
#[cfg(feature = "security")]
mod oer;
#[cfg(feature = "security")]
mod packet;
#[cfg(feature = "security")]
mod peers;
#[cfg(feature = "security")]
mod permissions;
#[cfg(feature = "security")]
pub mod pki;
#[cfg(feature = "security")]
mod plausibility;
#[cfg(feature = "security")]
mod profile;
#[cfg(feature = "security")]
mod pseudonym;
#[cfg(feature = "security")]
mod region;
#[cfg(feature = "security")]
mod ssp;
mod verdict;

#[cfg(feature = "security")]
pub use self::{
    certificate::{
        Certificate, Duration, DurationUnit, HashedId3, HashedId8, Issuer, KeyIndicator, Time32, ToBeSignedCertificate,
        Validity,
    },
    chain::{ChainError, TrustStore, Trusted},
    crypto::{KeyError, SigningKey},
    ecc::{Curve, Ecdsa, EncryptionKey, HashAlgorithm, Point, PublicKey, Signature},
    entity::{CredentialError, SecurityEntity, SecuritySettings, StationCredentials, sign_envelope},
    envelope::{
        ContributedExtensions, Envelope, HashedData, HeaderInfo, Location, Payload, SignedData, Signer, Time64,
        ToBeSigned,
    },
    oer::{OerError, OerProblem},
    permissions::{AppPermission, GroupPermissions, IssuePermission, Ssp, SspRange, Subject, permits, permits_issuing},
    plausibility::PlausibilityLimits,
    profile::{LocationRule, Profile, SignerForm},
    pseudonym::{ChangePolicy, Pseudonyms, Ticket},
    region::{IdentifiedRegion, Inside, RectangularRegion, Region, RegionAndSubregions, RegionPoint},
    ssp::permits_message,
};
pub use verdict::{Identity, Refusal, SecurityService, SignError, SignRequest, SignedBy, Unwrapped, Verdict};
