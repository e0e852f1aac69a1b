//! Chains of certificates: root → authorization authority → authorization ticket (TS 103 097 clause 6, IEEE 1609.2 clause
//! 5.1.2).
//!
//! In: certificates, most of them from strangers. Out: certificates whose chain leads to a trusted root, each checked once
//! and kept, with a bound on how many. What depends on time (validity, revocation) is asked anew for every message.

use super::certificate::{Certificate, HashedId3, HashedId8, Issuer};
use super::crypto::{KeyError, SigningKey, VerifyingKey, hashed_id8, signing_input};
use super::ecc::HashAlgorithm;
use super::permissions::{permits, permits_issuing};
use super::region::Region;
use super::verdict::Refusal;
use super::{KeyIndicator, ToBeSignedCertificate};
use lru::LruCache;
use ring::digest::Digest;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Why a certificate is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Its key has to be reconstructed, which is not supported.
    #[error("implicit certificates are not supported")]
    Implicit,
    /// Issued by itself, and not one of the trusted roots.
    #[error("issued by itself, and not a trusted root")]
    NotARoot,
    /// Issued by a certificate that is not known.
    #[error("issued by {0}, which is not known")]
    UnknownIssuer(HashedId8),
    /// Its key is not usable.
    #[error("its key: {0}")]
    BadKey(#[from] KeyError),
    /// The signature is not that of its issuer.
    #[error("the signature is not that of its issuer")]
    BadSignature,
    /// Valid when its issuer is not.
    #[error("valid when its issuer is not")]
    OutlivesIssuer,
    /// Valid where its issuer is not.
    #[error("valid where its issuer is not")]
    LeavesRegion,
    /// Permits what its issuer may not permit.
    #[error("permits what its issuer may not permit")]
    ExceedsIssuer,
    /// Used as a ticket without being one.
    #[error("no authorization ticket: {0}")]
    NotATicket(&'static str),
    /// It or one of its issuers is revoked.
    #[error("it or one of its issuers is revoked")]
    Revoked,
}

impl From<&ChainError> for Refusal {
    fn from(error: &ChainError) -> Self {
        match error {
            ChainError::ExceedsIssuer | ChainError::NotATicket(_) => Self::NotPermitted,
            ChainError::Revoked => Self::CertificateRevoked,
            _ => Self::UntrustedChain,
        }
    }
}

/// A certificate whose chain leads to a trusted root.
#[derive(Clone, Debug)]
pub struct Trusted {
    certificate: Certificate,
    hash: Digest,
    key: VerifyingKey,
    /// Where it is valid: its own region, else that of its issuer.
    region: Option<Region>,
}

impl Trusted {
    /// The certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its name.
    pub fn id(&self) -> HashedId8 {
        hashed_id8(&self.hash)
    }

    /// Where it is valid; `None`: everywhere.
    pub const fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }

    pub(crate) const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    pub(crate) const fn hash(&self) -> &Digest {
        &self.hash
    }
}

/// Checks the signature of a certificate by its issuer's key and hash; a root has no issuer's hash.
fn check_signature(certificate: &Certificate, key: &VerifyingKey, issuer: Option<&Digest>) -> Result<(), ChainError> {
    let input = signing_input(key.hash(), &certificate.to_be_signed.canonical(), issuer);
    let signature = certificate.signature.as_ref().ok_or(ChainError::Implicit)?;
    if key.verifies(&input, signature) { Ok(()) } else { Err(ChainError::BadSignature) }
}

/// The certificate as one that is trusted because it is a root.
fn check_root(certificate: Certificate) -> Result<Trusted, ChainError> {
    let key = VerifyingKey::new(certificate.key().ok_or(ChainError::Implicit)?)?;
    if certificate.issuer.digest().is_some() {
        return Err(ChainError::NotARoot);
    }
    check_signature(&certificate, &key, None)?;
    Ok(Trusted { hash: certificate.hash(), key, region: certificate.to_be_signed.region.clone(), certificate })
}

/// The certificate as one that is trusted because its issuer is (IEEE 1609.2 clause 5.1.2.4); the signature comes last, being
/// the dearest.
fn check_issued(certificate: Certificate, issuer: &Trusted) -> Result<Trusted, ChainError> {
    let (inner, outer) = (&certificate.to_be_signed, &issuer.certificate.to_be_signed);
    let public = certificate.key().ok_or(ChainError::Implicit)?;
    if !outer.validity.contains(&inner.validity) {
        return Err(ChainError::OutlivesIssuer);
    }
    let region = match (&inner.region, &issuer.region) {
        (Some(region), Some(outer)) if !outer.contains(region) => return Err(ChainError::LeavesRegion),
        (Some(region), _) | (None, Some(region)) => Some(region.clone()),
        (None, None) => None,
    };
    let groups = &outer.issue_permissions;
    let permitted = inner.app_permissions.iter().all(|permission| permits(groups, 1, permission))
        && inner.issue_permissions.iter().all(|group| permits_issuing(groups, group));
    if !permitted {
        return Err(ChainError::ExceedsIssuer);
    }
    let key = VerifyingKey::new(public)?;
    check_signature(&certificate, &issuer.key, Some(&issuer.hash))?;
    Ok(Trusted { hash: certificate.hash(), key, region, certificate })
}

/// An authorization ticket permits applications, names nobody and issues nothing (TS 103 097 clause 7.2.1).
fn check_ticket(certificate: &Certificate) -> Result<(), ChainError> {
    let inner = &certificate.to_be_signed;
    for (holds, rule) in [
        (inner.name.is_none(), "it has a name"),
        (!inner.app_permissions.is_empty(), "it permits no application"),
        (inner.issue_permissions.is_empty(), "it issues certificates"),
    ] {
        if !holds {
            return Err(ChainError::NotATicket(rule));
        }
    }
    Ok(())
}

/// Trusted roots, authorities below them, and the tickets that were seen.
#[derive(Debug)]
pub struct TrustStore {
    /// Roots and authorities that were set.
    set: BTreeMap<HashedId8, Arc<Trusted>>,
    /// Authorities learnt from other stations.
    learnt: LruCache<HashedId8, Arc<Trusted>>,
    tickets: LruCache<HashedId8, Arc<Trusted>>,
    revoked: BTreeSet<HashedId8>,
}

impl TrustStore {
    /// Authorities that are learnt at most; the longest unused is forgotten first.
    pub const LEARNT: usize = 64;

    /// An empty store that keeps `tickets` tickets; the longest unused is forgotten first.
    pub fn new(tickets: NonZeroUsize) -> Self {
        let learnt = NonZeroUsize::new(Self::LEARNT).expect("more than none");
        Self {
            set: BTreeMap::new(),
            learnt: LruCache::new(learnt),
            tickets: LruCache::new(tickets),
            revoked: BTreeSet::new(),
        }
    }

    /// Trusts a root.
    ///
    /// # Errors
    /// When it did not issue itself.
    pub fn add_root(&mut self, certificate: Certificate) -> Result<HashedId8, ChainError> {
        Ok(self.keep(check_root(certificate)?))
    }

    /// Adds an authority below a certificate that is trusted already.
    ///
    /// # Errors
    /// Why it is not trusted.
    pub fn add_authority(&mut self, certificate: Certificate) -> Result<HashedId8, ChainError> {
        let trusted = self.check(certificate)?;
        Ok(self.keep(trusted))
    }

    fn keep(&mut self, trusted: Trusted) -> HashedId8 {
        let id = trusted.id();
        self.set.insert(id, Arc::new(trusted));
        id
    }

    /// Trusts a certificate and what it issued no more.
    pub fn revoke(&mut self, id: HashedId8) {
        self.revoked.insert(id);
    }

    /// Learns an authority from another station; what is known or set already stays.
    pub(crate) fn learn(&mut self, certificate: &Certificate) -> Result<HashedId8, ChainError> {
        let id = certificate.hashed_id8();
        if self.authority(id).is_none() {
            if certificate.to_be_signed.issue_permissions.is_empty() {
                return Err(ChainError::ExceedsIssuer);
            }
            let trusted = self.check(certificate.clone())?;
            self.learnt.put(id, Arc::new(trusted));
        }
        Ok(id)
    }

    /// The root or authority of a name.
    pub fn authority(&self, id: HashedId8) -> Option<&Arc<Trusted>> {
        self.set.get(&id).or_else(|| self.learnt.peek(&id))
    }

    /// The authority, not a root, whose name ends so.
    pub(crate) fn authority_by_id3(&self, id: HashedId3) -> Option<&Arc<Trusted>> {
        let mut all = self.set.values().chain(self.learnt.iter().map(|(_, trusted)| trusted));
        all.find(|trusted| trusted.id().id3() == id && trusted.certificate.issuer.digest().is_some())
    }

    /// The ticket of a name, when it was seen before.
    pub(crate) fn ticket(&mut self, id: HashedId8) -> Option<Arc<Trusted>> {
        self.tickets.get(&id).cloned()
    }

    /// The ticket of a certificate: from memory, or checked and kept.
    ///
    /// # Errors
    /// Why it is not trusted.
    pub fn trust_ticket(&mut self, certificate: &Certificate) -> Result<Arc<Trusted>, ChainError> {
        let id = certificate.hashed_id8();
        if let Some(known) = self.tickets.get(&id).filter(|known| known.certificate == *certificate) {
            return Ok(known.clone());
        }
        check_ticket(certificate)?;
        let trusted = Arc::new(self.check(certificate.clone())?);
        self.tickets.put(id, trusted.clone());
        Ok(trusted)
    }

    /// Checks one certificate against its issuer.
    fn check(&self, certificate: Certificate) -> Result<Trusted, ChainError> {
        let id = certificate.issuer.digest().ok_or(ChainError::NotARoot)?;
        let issuer = self.authority(id).ok_or(ChainError::UnknownIssuer(id))?;
        let named_by = match certificate.issuer {
            Issuer::Sha384(_) => HashAlgorithm::Sha384,
            _ => HashAlgorithm::Sha256,
        };
        if named_by != issuer.key.hash() {
            return Err(ChainError::UnknownIssuer(id));
        }
        check_issued(certificate, issuer)
    }

    /// Whether a certificate or one of its issuers is revoked.
    pub fn is_revoked(&self, trusted: &Trusted) -> bool {
        let mut below = trusted;
        // A root is two or three certificates up; the bound ends a loop of names that collide.
        for _ in 0..8 {
            if self.revoked.contains(&below.id()) {
                return true;
            }
            let Some(id) = below.certificate.issuer.digest() else { return false };
            match self.authority(id) {
                Some(issuer) => below = issuer,
                None => return self.revoked.contains(&id),
            }
        }
        true
    }
}

impl Certificate {
    /// Issues a certificate by itself: a root.
    pub fn self_signed(mut to_be_signed: ToBeSignedCertificate, key: &SigningKey) -> Self {
        to_be_signed.key = KeyIndicator::Key(key.public_key());
        let hash = key.curve().hash();
        let signature = key.sign(&signing_input(hash, &to_be_signed.canonical(), None));
        Self { issuer: Issuer::Itself(hash), to_be_signed, signature: Some(signature) }
    }

    /// Issues a certificate by this authority, without a look at what the authority may issue.
    pub fn issue(&self, key: &SigningKey, to_be_signed: ToBeSignedCertificate) -> Self {
        let own = self.hash();
        let hash = key.curve().hash();
        let issuer = match hash {
            HashAlgorithm::Sha256 => Issuer::Sha256(hashed_id8(&own)),
            HashAlgorithm::Sha384 => Issuer::Sha384(hashed_id8(&own)),
        };
        let signature = key.sign(&signing_input(hash, &to_be_signed.canonical(), Some(&own)));
        Self { issuer, to_be_signed, signature: Some(signature) }
    }
}
