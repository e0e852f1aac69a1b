//! Keys of segments and of the log of openings, and the sealing of frames.

use crate::keystore::{KeystoreError, load_secret, write_secret};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::path::Path;

/// Bytes of every key and salt.
pub(super) const KEY_LEN: usize = 32;

/// The ring's key.
pub struct RawKey([u8; KEY_LEN]);

impl std::fmt::Debug for RawKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawKey")
    }
}

impl RawKey {
    /// Makes a key and writes it to a new file that only the owner can read.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn create(path: &Path) -> Result<(), KeystoreError> {
        write_secret(path, &random())
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When it cannot be read, is open to others, or is no key.
    pub fn load(path: &Path) -> Result<Self, KeystoreError> {
        Ok(Self(load_secret(path)?))
    }

    /// The key of the segment with this salt.
    pub(super) fn of_segment(&self, salt: &[u8; KEY_LEN]) -> SegmentKey {
        let prk = Salt::new(HKDF_SHA256, salt).extract(&self.0);
        let expanded = prk.expand(&[b"masa raw ring segment 1"], &CHACHA20_POLY1305);
        let key = expanded.map(UnboundKey::from).expect("HKDF-SHA256 gives up to 8160 bytes");
        SegmentKey(LessSafeKey::new(key))
    }

    /// The key that chains the log of openings.
    pub(super) fn of_openings(&self) -> hmac::Key {
        let prk = Salt::new(HKDF_SHA256, &[]).extract(&self.0);
        let expanded = prk.expand(&[b"masa raw ring openings 1"], hmac::HMAC_SHA256);
        expanded.map(hmac::Key::from).expect("HKDF-SHA256 gives up to 8160 bytes")
    }
}

/// Fresh randomness for keys and salts.
pub(super) fn random() -> [u8; KEY_LEN] {
    let mut bytes = [0; KEY_LEN];
    SystemRandom::new().fill(&mut bytes).expect("the system gives randomness once it has booted");
    bytes
}

/// The key of one segment.
pub(super) struct SegmentKey(LessSafeKey);

impl SegmentKey {
    /// Encrypts frame `index` in place and appends its tag.
    pub(super) fn seal(&self, index: u64, bound: &[u8], frame: &mut Vec<u8>) {
        self.0
            .seal_in_place_append_tag(nonce(index), Aad::from(bound), frame)
            .expect("a frame is shorter than the 256 GiB that the cipher takes");
    }

    /// Decrypts frame `index`; `None` when it was changed or the key is another.
    pub(super) fn open<'a>(&self, index: u64, bound: &[u8], sealed: &'a mut [u8]) -> Option<&'a [u8]> {
        self.0.open_in_place(nonce(index), Aad::from(bound), sealed).ok().map(|open| &*open)
    }
}

fn nonce(index: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}
