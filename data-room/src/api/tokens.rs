//! Who may do what: opaque random tokens, of which only a hash is kept.
//!
//! In: a JSON file that [`Tokens::create`] and [`Tokens::revoke`] write. Out: the [`Caller`] a token stands for. Invariants: a
//! token is 256 random bits, so that SHA-256 alone protects it; a change of the file takes effect within a second; a file
//! that others can read is refused. Absent: users and passwords.

use crate::record::Tenant;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use masa_v2x_proto::time::Timestamp;
use ring::rand::SecureRandom;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// How often the file is looked at, milliseconds.
const LOOK_MS: i64 = 1_000;
/// What every token begins with, so that it is recognised where it does not belong.
const PREFIX: &str = "masa_";
/// Longest name of a token, bytes.
const MAX_NAME_BYTES: usize = 64;

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Everything about places.
    #[serde(rename = "read:traffic")]
    ReadTraffic,
    /// Single road users.
    #[serde(rename = "read:personal")]
    ReadPersonal,
    /// Creating and ending alerts.
    #[serde(rename = "write:alerts")]
    WriteAlerts,
    /// Audit records and the state of the data room.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::ReadTraffic, Self::ReadPersonal, Self::WriteAlerts, Self::Admin];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadTraffic => "read:traffic",
            Self::ReadPersonal => "read:personal",
            Self::WriteAlerts => "write:alerts",
            Self::Admin => "admin",
        }
    }

    /// The scope of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name of the token, as in audit records.
    pub name: String,
    /// Whose data it sees.
    pub tenant: Tenant,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

impl Caller {
    /// Whether it may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// A token as the file keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenRecord {
    /// Its name, unique.
    pub name: String,
    /// Whose data it sees.
    pub tenant: Tenant,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// SHA-256 of the token, hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ceases to be valid.
    pub expires_at: Option<Timestamp>,
}

impl TokenRecord {
    fn caller(&self, now: Timestamp) -> Option<Caller> {
        let is_valid = self.expires_at.is_none_or(|until| now < until);
        is_valid.then(|| Caller { name: self.name.clone(), tenant: self.tenant.clone(), scopes: self.scopes.clone() })
    }
}

/// Why tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or written.
    #[error("tokens in {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is none of tokens.
    #[error("tokens in {path}: {source}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// Others can read the file.
    #[error("tokens in {path}: others may read or write it (mode {mode:03o}): chmod 600")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The name is taken, empty or too long.
    #[error("a token needs a name of its own, 1 to 64 letters, digits and -_. : `{0}`")]
    Name(String),
    /// There is no such token.
    #[error("no token is called `{0}`")]
    Unknown(String),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random,
}

/// The tokens of a data room.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By hash.
    tokens: BTreeMap<String, TokenRecord>,
    looked_at: Option<Timestamp>,
    changed_at: Option<SystemTime>,
}

impl Tokens {
    /// Tokens of a file, which need not exist yet.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, TokenError> {
        let path = path.into();
        let state = State { tokens: by_hash(read(&path)?), looked_at: None, changed_at: modified(&path) };
        Ok(Self { path, state: Mutex::new(state) })
    }

    /// Makes a token, notes it and gives it: it cannot be had again.
    ///
    /// # Errors
    /// A name that is taken; a file that cannot be written.
    pub fn create(
        &self,
        name: &str,
        tenant: Tenant,
        scopes: BTreeSet<Scope>,
        now: Timestamp,
        expires_at: Option<Timestamp>,
    ) -> Result<String, TokenError> {
        let mut all = read(&self.path)?;
        let bad = name.is_empty() || name.chars().any(|c| !(c.is_alphanumeric() || "-_. ".contains(c)));
        if bad || name.len() > MAX_NAME_BYTES || all.iter().any(|token| token.name == name) {
            return Err(TokenError::Name(name.to_owned()));
        }
        let mut bits = [0; 32];
        ring::rand::SystemRandom::new().fill(&mut bits).map_err(|_| TokenError::Random)?;
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bits));
        let sha256 = hash(&token);
        all.push(TokenRecord { name: name.to_owned(), tenant, scopes, sha256, created_at: now, expires_at });
        self.write(all)?;
        Ok(token)
    }

    /// Makes a token invalid.
    ///
    /// # Errors
    /// A name that nobody has; a file that cannot be written.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        let mut all = read(&self.path)?;
        let before = all.len();
        all.retain(|token| token.name != name);
        if all.len() == before {
            return Err(TokenError::Unknown(name.to_owned()));
        }
        self.write(all)
    }

    /// All tokens, by name.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn list(&self) -> Result<Vec<TokenRecord>, TokenError> {
        let mut all = read(&self.path)?;
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// Who shows this token.
    pub fn caller(&self, token: &str, now: Timestamp) -> Option<Caller> {
        if !token.starts_with(PREFIX) || token.len() > 128 {
            return None;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever measures how long this takes learns of a hash, not of a token.
        let hash = hash(token);
        if !state.tokens.contains_key(&hash) {
            // It may have been made this moment.
            state.looked_at = None;
        }
        self.look(&mut state, now);
        state.tokens.get(&hash)?.caller(now)
    }

    /// Whether a token that was shown before still stands for the same.
    pub fn is_valid(&self, caller: &Caller, now: Timestamp) -> bool {
        self.named(&caller.name, now).is_some_and(|known| known == *caller)
    }

    /// Who has the token of this name, while it is valid.
    pub fn named(&self, name: &str, now: Timestamp) -> Option<Caller> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut state, now);
        state.tokens.values().find(|known| known.name == name)?.caller(now)
    }

    /// Reads the file again when it has changed; one that cannot be used leaves what was known, and is told of once a second.
    fn look(&self, state: &mut State, now: Timestamp) {
        let due = state.looked_at.is_none_or(|at| now.unix_ms().abs_diff(at.unix_ms()) >= LOOK_MS as u64);
        if !due {
            return;
        }
        state.looked_at = Some(now);
        let changed_at = modified(&self.path);
        if changed_at == state.changed_at {
            return;
        }
        match read(&self.path) {
            Ok(all) => (state.tokens, state.changed_at) = (by_hash(all), changed_at),
            Err(error) => tracing::error!(%error, "the tokens cannot be read again"),
        }
    }

    fn write(&self, all: Vec<TokenRecord>) -> Result<(), TokenError> {
        let bytes = serde_json::to_vec_pretty(&all)
            .map_err(|source| TokenError::Malformed { path: self.path.clone(), source })?;
        let folder = self.path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = folder.and_then(|()| replace(&self.path, &bytes));
        written.map_err(|source| TokenError::Io { path: self.path.clone(), source })?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.tokens, state.changed_at) = (by_hash(all), modified(&self.path));
        Ok(())
    }
}

/// Writes a file that only its owner may read, in one step: after a crash it is the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_hash(all: Vec<TokenRecord>) -> BTreeMap<String, TokenRecord> {
    all.into_iter().map(|token| (token.sha256.clone(), token)).collect()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn read(path: &Path) -> Result<Vec<TokenRecord>, TokenError> {
    let io = |source| TokenError::Io { path: path.to_owned(), source };
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TokenError::Exposed { path: path.to_owned(), mode });
        }
    }
    serde_json::from_slice(&bytes).map_err(|source| TokenError::Malformed { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

    #[test]
    fn a_token_is_known_until_it_expires_or_is_revoked_and_its_text_is_kept_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let (server, tool) = (Tokens::open(&path).unwrap(), Tokens::open(&path).unwrap());
        let tenant = Tenant::new("modena").unwrap();
        let scopes = BTreeSet::from([Scope::ReadTraffic]);
        let token = tool.create("kiosk", tenant.clone(), scopes.clone(), NOW, Some(NOW.plus_ms(60_000))).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains(&token));
        let caller = server.caller(&token, NOW.plus_ms(1_000)).unwrap();
        assert_eq!(
            (caller.name.as_str(), caller.may(Scope::ReadTraffic), caller.may(Scope::Admin)),
            ("kiosk", true, false)
        );
        assert_eq!(server.caller(&token, NOW.plus_ms(60_000)), None, "it has expired");
        assert_eq!(server.caller(&format!("{token}x"), NOW), None);
        assert!(matches!(tool.create("kiosk", tenant, scopes, NOW, None), Err(TokenError::Name(_))));
        tool.revoke("kiosk").unwrap();
        assert_eq!(server.caller(&token, NOW.plus_ms(3_000)), None, "it was revoked by another process");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, "[]").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Tokens::open(&path), Err(TokenError::Exposed { mode: 0o644, .. })));
    }
}
