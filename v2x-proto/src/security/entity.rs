//! The security entity of a station: signs what it sends and judges what it receives.
//!
//! In: credentials, payloads, envelopes, `now`. Out: envelopes and verdicts. Cheap checks come first and the signature late;
//! only a message whose signature holds is remembered, so [`Refusal::Replayed`] means that the same content was verified
//! before. Every memory has a bound.

use super::certificate::HashedId8;
use super::chain::{ChainError, TrustStore, Trusted};
use super::crypto::signing_input;
use super::ecc::HashAlgorithm;
use super::envelope::{Envelope, HeaderInfo, Location, Payload, SignedData, Signer, Time64, ToBeSigned};
use super::oer::encode;
use super::packet::look_into;
use super::peers::Peers;
use super::plausibility::{Plausibility, PlausibilityLimits};
use super::profile::{LocationRule, Profile, SignerForm};
use super::pseudonym::{ChangePolicy, Pseudonyms, Ticket};
use super::region::Inside;
use super::ssp::permits_message;
use super::verdict::{Identity, Refusal, SecurityService, SignError, SignRequest, SignedBy, Unwrapped, Verdict};
use super::{AppPermission, Certificate};
use crate::Message;
use crate::geo::Wgs84;
use crate::geonet::its_aid_of;
use crate::time::Timestamp;
use lru::LruCache;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;

/// Longest payload of an envelope, bytes: what the length field of GeoNetworking can say.
const MAX_PAYLOAD: usize = 65_535;

/// How a station signs and judges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecuritySettings {
    /// How far ahead of ours the clocks of others may be, seconds.
    pub future_tolerance_s: f64,
    /// Time between certificates in messages that carry them now and then, seconds (TS 103 097 clause 7.1.1).
    pub certificate_interval_s: f64,
    /// Stations whose tickets are remembered.
    pub stations: NonZeroUsize,
    /// Messages that are remembered to find repeated ones.
    pub messages: NonZeroUsize,
    /// What is believed of positions and speeds.
    pub plausibility: PlausibilityLimits,
    /// When the pseudonym changes.
    pub pseudonyms: ChangePolicy,
}

impl Default for SecuritySettings {
    fn default() -> Self {
        let count = |count| NonZeroUsize::new(count).expect("more than none");
        Self {
            future_tolerance_s: 0.5,
            certificate_interval_s: 1.0,
            stations: count(4_096),
            messages: count(32_768),
            plausibility: PlausibilityLimits::default(),
            pseudonyms: ChangePolicy::default(),
        }
    }
}

/// What a station was given by its authorities.
#[derive(Clone, Debug, Default)]
pub struct StationCredentials {
    /// Trusted roots.
    pub roots: Vec<Certificate>,
    /// Authorities below them.
    pub authorities: Vec<Certificate>,
    /// Own tickets in the order of their use; none for a station that only listens.
    pub tickets: Vec<Ticket>,
    /// Names of certificates that are revoked.
    pub revoked: Vec<HashedId8>,
}

/// A certificate of the credentials that is not trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("certificate {id} is not trusted: {error}")]
pub struct CredentialError {
    /// Its name.
    pub id: HashedId8,
    /// Why.
    pub error: ChainError,
}

/// The security entity of a station.
#[derive(Debug)]
pub struct SecurityEntity {
    settings: SecuritySettings,
    store: TrustStore,
    pseudonyms: Pseudonyms,
    identity: Option<Identity>,
    peers: Peers,
    certificate_sent: Option<Timestamp>,
    seen: LruCache<[u8; 16], ()>,
    plausibility: Plausibility,
    position: Option<Wgs84>,
}

impl SecurityEntity {
    /// An entity with checked credentials; `seed` decides when pseudonyms change.
    ///
    /// # Errors
    /// The first certificate, own tickets among them, that does not lead to a root of the credentials.
    pub fn new(
        settings: SecuritySettings,
        credentials: StationCredentials,
        seed: u64,
    ) -> Result<Self, CredentialError> {
        let mut store = TrustStore::new(settings.stations);
        let StationCredentials { roots, authorities, tickets, revoked } = credentials;
        for root in roots {
            let id = root.hashed_id8();
            store.add_root(root).map_err(|error| CredentialError { id, error })?;
        }
        for authority in authorities {
            let id = authority.hashed_id8();
            store.add_authority(authority).map_err(|error| CredentialError { id, error })?;
        }
        for ticket in &tickets {
            let trusted = store.trust_ticket(ticket.certificate());
            trusted.map_err(|error| CredentialError { id: ticket.id(), error })?;
        }
        revoked.into_iter().for_each(|id| store.revoke(id));
        Ok(Self {
            store,
            identity: tickets.first().map(|ticket| Identity::of(ticket.id().0)),
            pseudonyms: Pseudonyms::new(tickets, settings.pseudonyms.clone(), seed),
            peers: Peers::default(),
            certificate_sent: None,
            seen: LruCache::new(settings.messages),
            plausibility: Plausibility::new(settings.plausibility, settings.stations),
            position: None,
            settings,
        })
    }

    /// Trusts a certificate and what it issued no more.
    pub fn revoke(&mut self, id: HashedId8) {
        self.store.revoke(id);
    }

    /// Notes what a header asks for and brings, signed well or not: asking costs nothing, and a certificate speaks for
    /// itself.
    fn hear(&mut self, header: &HeaderInfo, now: Timestamp) {
        for &wanted in &header.p2pcd_request {
            if self.pseudonyms.current(now).is_some_and(|ticket| ticket.id().id3() == wanted) {
                self.peers.request_own();
            } else if let Some(authority) = self.store.authority_by_id3(wanted) {
                self.peers.request_authority(authority.id());
            }
        }
        if let Some(certificate) = &header.requested_certificate
            && let Ok(id) = self.store.learn(certificate)
        {
            self.peers.answered(id);
        }
    }

    /// The ticket of a signer.
    fn find(&mut self, signer: &Signer) -> Result<Arc<Trusted>, Refusal> {
        match signer {
            Signer::Digest(id) => self.store.ticket(*id).ok_or_else(|| {
                self.peers.miss(*id);
                Refusal::UnknownCertificate
            }),
            Signer::Certificate(certificate) => self.store.trust_ticket(certificate).map_err(|error| {
                if let ChainError::UnknownIssuer(id) = error {
                    self.peers.miss(id);
                }
                Refusal::from(&error)
            }),
        }
    }

    /// Judges a signed message; the name of the signer's certificate when it is to be trusted.
    fn judge(&mut self, signed: &SignedData<'_>, payload: &[u8], now: Timestamp) -> Result<HashedId8, Refusal> {
        let header = &signed.to_be_signed.header;
        let profile = Profile::of(header.its_aid);
        let located = header.generation_location.and_then(|location| location.position());
        let generated = header.generation_time.ok_or(Refusal::Malformed)?;
        let lacks_location = profile.location == LocationRule::Required && located.is_none();
        require(signed.to_be_signed.payload.external.is_none() && !lacks_location, Refusal::Malformed)?;
        self.hear(header, now);

        let at = generated.timestamp();
        let age_s = now.seconds_since(at);
        require(age_s >= -self.settings.future_tolerance_s, Refusal::FromTheFuture)?;
        let expired = header.expiry_time.is_some_and(|expiry| expiry.timestamp() <= now);
        require(age_s <= profile.window_s && !expired, Refusal::TooOld)?;

        let bytes = signed.signed_bytes();
        let name: [u8; 16] = HashAlgorithm::Sha256.digest(&[&bytes]).as_ref()[..16].try_into().expect("16 of 32 bytes");
        require(!self.seen.contains(&name), Refusal::Replayed)?;

        let ticket = self.find(&signed.signer)?;
        require(!self.store.is_revoked(&ticket), Refusal::CertificateRevoked)?;
        require(ticket.certificate().to_be_signed.validity.holds(at), Refusal::CertificateExpired)?;
        let permission = ticket.certificate().app_permission(header.its_aid).ok_or(Refusal::NotPermitted)?;
        let inside = look_into(payload);
        require(permits_content(permission, inside.and_then(|inside| inside.message)), Refusal::NotPermitted)?;
        let position = located.or(inside.map(|inside| inside.position));
        require(holds(&ticket, position), Refusal::WrongRegion)?;

        let key = ticket.key();
        require(signed.hash == key.hash(), Refusal::Malformed)?;
        let input = signing_input(key.hash(), &bytes, Some(ticket.hash()));
        require(key.verifies(&input, &signed.signature), Refusal::BadSignature)?;
        let id = ticket.id();
        if let Some(inside) = inside {
            require(self.plausibility.believes(id, &inside, at, self.position), Refusal::Implausible)?;
        }
        self.seen.put(name, ());
        Ok(id)
    }

    /// Whether an awareness message signed now carries the certificate.
    fn certificate_is_due(&mut self, now: Timestamp) -> bool {
        let interval_s = self.settings.certificate_interval_s;
        let due = self.certificate_sent.is_none_or(|sent| {
            let elapsed_s = now.seconds_since(sent);
            // A clock that was set back must not silence the certificate.
            elapsed_s >= interval_s || elapsed_s < 0.0
        });
        self.peers.take_own_request() || due
    }
}

fn require(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}

/// Whether a ticket is valid at a position. Country codes cannot be looked up and do not refuse; an unknown position in a
/// known region does.
fn holds(ticket: &Trusted, position: Option<Wgs84>) -> bool {
    ticket.region().is_none_or(|region| position.is_some_and(|position| region.holds(position) != Inside::No))
}

/// Whether a permission covers a message: it belongs to the application, and the SSP has the bits for what is in it.
/// A message that does not decode is left to whoever it is for.
fn permits_content(permission: &AppPermission, message: Option<(u16, &[u8])>) -> bool {
    let Some((port, message)) = message else { return true };
    if its_aid_of(port).is_some_and(|its_aid| its_aid != permission.its_aid) {
        return false;
    }
    match Message::decode(message) {
        Ok(message) => permits_message(permission.ssp.as_ref(), &message),
        Err(_) => true,
    }
}

/// Signs with a ticket, whether it permits that or not.
pub fn sign_envelope(to_be_signed: ToBeSigned<'_>, signer: Signer, ticket: &Ticket) -> Vec<u8> {
    let key = ticket.key();
    let hash = key.curve().hash();
    let input = signing_input(hash, &encode(&to_be_signed), Some(ticket.hash()));
    Envelope::Signed(Box::new(SignedData { hash, to_be_signed, signer, signature: key.sign(&input) })).encode()
}

impl SecurityService for SecurityEntity {
    fn sign(&mut self, request: &SignRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<(), SignError> {
        let SignRequest { payload, its_aid, position } = *request;
        if payload.len() > MAX_PAYLOAD {
            return Err(SignError::TooLong { bytes: payload.len() });
        }
        let ticket = self.pseudonyms.current(now).ok_or(SignError::NoCertificate { its_aid })?.clone();
        let permission = ticket.certificate().app_permission(its_aid).ok_or(SignError::NoCertificate { its_aid })?;
        if !permits_content(permission, look_into(payload).and_then(|inside| inside.message)) {
            return Err(SignError::NotPermitted { its_aid });
        }
        let profile = Profile::of(its_aid);
        let mut header = HeaderInfo::new(its_aid, Time64::of(now));
        header.generation_location = (profile.location != LocationRule::Absent).then(|| Location::of(position));
        let mut certificate = true;
        if profile.signer == SignerForm::CertificateOnceASecond {
            header.p2pcd_request = self.peers.take_missing();
            certificate = self.certificate_is_due(now);
            if certificate {
                self.certificate_sent = Some(now);
            } else if let Some(authority) = self.peers.take_authority().and_then(|id| self.store.authority(id)) {
                header.requested_certificate = Some(Box::new(authority.certificate().clone()));
            }
        }
        let signer = if certificate {
            Signer::Certificate(Box::new(ticket.certificate().clone()))
        } else {
            Signer::Digest(ticket.id())
        };
        let to_be_signed = ToBeSigned { payload: Payload { data: Some(payload), external: None }, header };
        out.extend(sign_envelope(to_be_signed, signer, &ticket));
        Ok(())
    }

    fn unwrap<'a>(&mut self, envelope: &'a [u8], now: Timestamp) -> Unwrapped<'a> {
        let refused = |payload, its_aid, refusal| Unwrapped { payload, its_aid, verdict: Verdict::Refused(refusal) };
        let signed = match Envelope::decode(envelope) {
            Ok(Envelope::Signed(signed)) => signed,
            Ok(Envelope::Unsecured(payload)) => return refused(payload, 0, Refusal::NotSigned),
            Err(_) => return refused(&[], 0, Refusal::Malformed),
        };
        let its_aid = signed.to_be_signed.header.its_aid;
        let Some(payload) = signed.to_be_signed.payload.data else {
            return refused(&[], its_aid, Refusal::Malformed);
        };
        match self.judge(&signed, payload, now) {
            Ok(id) => Unwrapped { payload, its_aid, verdict: Verdict::Verified(SignedBy { certificate: id.0 }) },
            Err(refusal) => refused(payload, its_aid, refusal),
        }
    }

    fn take_new_identity(&mut self) -> Option<Identity> {
        self.identity.take()
    }

    // What is out of range depends on the position, too.
    fn moved(&mut self, position: Wgs84, now: Timestamp) {
        self.position = Some(position);
        if let Some(identity) = self.pseudonyms.moved(position, now) {
            self.identity = Some(identity);
            self.certificate_sent = None;
        }
    }

    fn lock_identity(&mut self, until: Timestamp) {
        self.pseudonyms.lock(until);
    }
}
