//! Peer-to-peer distribution of certificates (TS 103 097 clause 7.1.1, IEEE 1609.2 clause 8).
//!
//! In: what others ask for and what we miss. Out: what the next awareness message asks for and answers.

use super::certificate::{HashedId3, HashedId8};
use std::collections::BTreeSet;

/// Certificates asked for in one message at most.
const REQUESTS: usize = 8;

/// What is to be asked and answered.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// Certificates that we miss.
    missing: BTreeSet<HashedId3>,
    /// Whether others miss ours.
    own_requested: bool,
    /// The authority's certificate that others miss.
    authority_requested: Option<HashedId8>,
}

impl Peers {
    /// Remembers to ask for a certificate; when too many are missing, those that come later wait.
    pub(crate) fn miss(&mut self, id: HashedId8) {
        if self.missing.len() < REQUESTS {
            self.missing.insert(id.id3());
        }
    }

    /// Somebody asks for our ticket.
    pub(crate) fn request_own(&mut self) {
        self.own_requested = true;
    }

    /// Somebody asks for an authority that we know.
    pub(crate) fn request_authority(&mut self, id: HashedId8) {
        self.authority_requested = Some(id);
    }

    /// Somebody sent an authority's certificate: nobody needs it from us.
    pub(crate) fn answered(&mut self, id: HashedId8) {
        if self.authority_requested == Some(id) {
            self.authority_requested = None;
        }
        self.missing.remove(&id.id3());
    }

    /// Whether our ticket was asked for since it was sent last.
    pub(crate) fn take_own_request(&mut self) -> bool {
        std::mem::take(&mut self.own_requested)
    }

    /// What to ask for.
    pub(crate) fn take_missing(&mut self) -> Vec<HashedId3> {
        std::mem::take(&mut self.missing).into_iter().collect()
    }

    /// The authority to send.
    pub(crate) fn take_authority(&mut self) -> Option<HashedId8> {
        self.authority_requested.take()
    }
}
