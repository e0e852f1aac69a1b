//! Security of messages (TS 103 097, IEEE 1609.2): signed envelopes and the verdict on received ones.
//!
//! In: payloads, certificates, keys and `now`. Out: signed envelopes; payloads with a [`Verdict`]. Pure: keys come in as
//! values, nothing is read from a disk, no randomness is used (signatures are deterministic, RFC 6979).

mod verdict;

pub use verdict::{Refusal, SecurityService, SignError, SignRequest, SignedBy, Unwrapped, Verdict};
