//! The station's own tickets, and when it changes from one to the next.
//!
//! In: tickets, positions and `now`, a seed for what is random. Out: the ticket to sign with, and the new [`Identity`] when
//! it changes, for every layer that has an address. Two runs with one seed change at the same places.

use super::certificate::{Certificate, HashedId8};
use super::crypto::{KeyError, SigningKey, hashed_id8};
use super::region::{RegionPoint, distance_m};
use super::verdict::Identity;
use crate::geo::Wgs84;
use crate::time::Timestamp;
use ring::digest::Digest;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Ticket {
    certificate: Certificate,
    key: SigningKey,
    hash: Digest,
}

impl Ticket {
    /// Puts certificate and key together.
    ///
    /// # Errors
    /// When the key is not that of the certificate.
    pub fn new(certificate: Certificate, key: SigningKey) -> Result<Self, KeyError> {
        if certificate.key().map(|public| public.canonical()) != Some(key.public_key()) {
            return Err(KeyError::NotOfCertificate);
        }
        Ok(Self { hash: certificate.hash(), certificate, key })
    }

    /// The certificate.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its name.
    pub fn id(&self) -> HashedId8 {
        hashed_id8(&self.hash)
    }

    /// The key.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) const fn hash(&self) -> &Digest {
        &self.hash
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.certificate.to_be_signed.validity.holds(now)
    }
}

/// When a station changes its pseudonym.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "policy")]
pub enum ChangePolicy {
    /// Only when the ticket expires: a roadside unit, which has nothing to hide.
    #[default]
    WhenExpired,
    /// After a random distance and then a random time, again and again: a vehicle (TR 103 415 clause 6, C2C-CC basic system
    /// profile).
    DistanceThenTime {
        /// Distance from the last change, metres.
        #[serde(default = "default_distance_m")]
        distance_m: Range<f64>,
        /// Time after that distance, seconds.
        #[serde(default = "default_time_s")]
        time_s: Range<f64>,
    },
}

fn default_distance_m() -> Range<f64> {
    800.0..1500.0
}

fn default_time_s() -> Range<f64> {
    120.0..360.0
}

/// What the next change waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Waiting {
    /// For so many metres.
    Distance(f64),
    /// Until then.
    Time(Timestamp),
}

/// The tickets of a station.
#[derive(Debug)]
pub struct Pseudonyms {
    tickets: Vec<Ticket>,
    current: usize,
    policy: ChangePolicy,
    random: u64,
    last: Option<Wgs84>,
    waiting: Waiting,
    locked_until: Option<Timestamp>,
}

impl Pseudonyms {
    /// Tickets in the order of their use; `seed` decides distances and times.
    pub fn new(tickets: Vec<Ticket>, policy: ChangePolicy, seed: u64) -> Self {
        let mut pseudonyms = Self {
            tickets,
            current: 0,
            policy,
            random: seed,
            last: None,
            waiting: Waiting::Distance(f64::INFINITY),
            locked_until: None,
        };
        pseudonyms.plan();
        pseudonyms
    }

    /// The ticket in use; `None` when there is none or it is not valid now.
    pub fn current(&self, now: Timestamp) -> Option<&Ticket> {
        self.tickets.get(self.current).filter(|ticket| ticket.is_valid(now))
    }

    /// Keeps the ticket until `until`, or longer where a lock already lasts longer, unless it expires: while others must recognise the station
    /// (TS 102 723-8, id lock).
    pub fn lock(&mut self, until: Timestamp) {
        self.locked_until = self.locked_until.max(Some(until));
    }

    /// Tells where the station is; returns the new identity when the ticket changes.
    pub fn moved(&mut self, position: Wgs84, now: Timestamp) -> Option<Identity> {
        let moved_m = self.last.map_or(0.0, |last| distance_m(RegionPoint::of(last), RegionPoint::of(position)));
        self.last = Some(position);
        if self.current(now).is_none() {
            return self.change(now);
        }
        let ChangePolicy::DistanceThenTime { time_s, .. } = &self.policy else { return None };
        match self.waiting {
            Waiting::Distance(left_m) if moved_m < left_m => {
                self.waiting = Waiting::Distance(left_m - moved_m);
                None
            }
            Waiting::Distance(_) => {
                let time_s = time_s.clone();
                let wait_s = self.uniform(&time_s);
                self.waiting = Waiting::Time(now.plus_ns((wait_s * 1e9) as i64));
                None
            }
            Waiting::Time(at) if now < at || self.locked_until.is_some_and(|until| now < until) => None,
            Waiting::Time(_) => self.change(now),
        }
    }

    /// Takes the next ticket that is valid; none when there is no other.
    fn change(&mut self, now: Timestamp) -> Option<Identity> {
        let count = self.tickets.len();
        let next =
            (1..count).map(|step| (self.current + step) % count).find(|&index| self.tickets[index].is_valid(now));
        self.plan();
        self.current = next?;
        Some(Identity::of(self.tickets[self.current].id().0))
    }

    fn plan(&mut self) {
        if let ChangePolicy::DistanceThenTime { distance_m, .. } = &self.policy {
            let distance_m = distance_m.clone();
            self.waiting = Waiting::Distance(self.uniform(&distance_m));
        }
    }

    /// SplitMix64: enough to spread changes, no secret depends on it.
    fn uniform(&mut self, range: &Range<f64>) -> f64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        range.start + (range.end - range.start) * (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}
