//! Certificates, keys and secrets in files.
//!
//! In: directories. Out: [`StationCredentials`]. A trust directory holds `roots/*.oer`, `authorities/*.oer` and, when there
//! is something to revoke, `revoked.txt` with a `HashedId8` in hexadecimal a line. A ticket directory holds certificates
//! `NAME.oer` with their keys `NAME.pem` (PKCS#8 in PEM) or `NAME.key` (in DER), used in the order of their names.
//!
//! A key that others may read is refused: the message says how to close it. What is written is closed from the start.

use masa_v2x_proto::security::{
    Certificate, CredentialError, HashedId8, KeyError, OerError, SecurityEntity, SecuritySettings, SigningKey,
    StationCredentials, Ticket,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Longest file that is read, bytes: certificates and keys have some hundred.
const MAX_BYTES: u64 = 64 * 1024;
/// Most files of a directory: a year of tickets has some thousand.
const MAX_FILES: usize = 16_384;

/// The file of revoked certificates in a trust directory.
pub const REVOKED: &str = "revoked.txt";
/// Where a trust directory has its roots.
pub const ROOTS: &str = "roots";
/// Where a trust directory has its authorities.
pub const AUTHORITIES: &str = "authorities";

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// A file or directory could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Others can read a secret.
    #[error("{path} can be read or changed by others (mode {mode:03o}): `chmod {wanted:o} {path}`")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The bits it should have.
        wanted: u32,
    },
    /// A file is longer, or a directory fuller, than it can be.
    #[error("{path}: {what}")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// What is too large.
        what: &'static str,
    },
    /// A certificate does not decode.
    #[error("{path}: {source}")]
    Certificate {
        /// Which.
        path: PathBuf,
        /// Where and why.
        source: OerError,
    },
    /// A key does not decode, or is not that of its certificate.
    #[error("{path}: {source}")]
    Key {
        /// Which.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A certificate has no key beside it.
    #[error("{path}: no key beside it, neither .pem nor .key")]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// A file holds no secret.
    #[error("{path}: not 64 hexadecimal digits")]
    NoSecret {
        /// Which.
        path: PathBuf,
    },
    /// A line of the revoked certificates is no name of one.
    #[error("{path}:{line}: {what}")]
    Revoked {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A certificate is not trusted.
    #[error("{path}: {source}")]
    Untrusted {
        /// Directory of the credentials.
        path: PathBuf,
        /// Which, and why.
        source: CredentialError,
    },
}

/// Signing and verifying of what goes over radio links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecuritySection {
    /// Directory of roots and authorities, relative to this file.
    pub trust: PathBuf,
    /// Directory of the station's own tickets, relative to this file; absent: the station listens and signs nothing.
    pub tickets: Option<PathBuf>,
    /// The rules.
    #[serde(default)]
    pub rules: SecuritySettings,
}

impl SecuritySection {
    /// The security entity with the credentials of the directories; `seed` decides when pseudonyms change.
    ///
    /// # Errors
    /// When a file cannot be read, a secret is open to others, or a certificate is not trusted.
    pub fn entity(&self, seed: u64) -> Result<SecurityEntity, KeystoreError> {
        let credentials = load_credentials(&self.trust, self.tickets.as_deref())?;
        SecurityEntity::new(self.rules.clone(), credentials, seed)
            .map_err(|source| KeystoreError::Untrusted { path: self.trust.clone(), source })
    }
}

/// An error of a file.
fn of(path: &Path) -> impl Fn(io::Error) -> KeystoreError + '_ {
    |source| KeystoreError::File { path: path.to_owned(), source }
}

/// Reads the credentials of a station.
///
/// # Errors
/// When a file cannot be read or a secret is open to others.
pub fn load_credentials(trust: &Path, tickets: Option<&Path>) -> Result<StationCredentials, KeystoreError> {
    Ok(StationCredentials {
        roots: load_certificates(&trust.join(ROOTS))?,
        authorities: load_certificates(&trust.join(AUTHORITIES))?,
        tickets: tickets.map(load_tickets).transpose()?.unwrap_or_default(),
        revoked: load_revoked(&trust.join(REVOKED))?,
    })
}

/// The files of a directory that end so, in the order of their names.
fn files(directory: &Path, extension: &str) -> Result<Vec<PathBuf>, KeystoreError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(of(directory))? {
        let path = entry.map_err(of(directory))?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
        if paths.len() > MAX_FILES {
            return Err(KeystoreError::TooLarge { path: directory.to_owned(), what: "too many files" });
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<Vec<u8>, KeystoreError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(of(path))?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(of(path))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(KeystoreError::TooLarge { path: path.to_owned(), what: "too long for a certificate or key" });
    }
    Ok(bytes)
}

/// Reads a certificate.
///
/// # Errors
/// When it cannot be read or does not decode.
pub fn load_certificate(path: &Path) -> Result<Certificate, KeystoreError> {
    Certificate::decode(&read(path)?).map_err(|source| KeystoreError::Certificate { path: path.to_owned(), source })
}

fn load_certificates(directory: &Path) -> Result<Vec<Certificate>, KeystoreError> {
    files(directory, "oer")?.iter().map(|path| load_certificate(path)).collect()
}

/// Reads a key, PEM or, when the file is called `.key`, DER.
///
/// # Errors
/// When it cannot be read, is open to others, or does not decode.
pub fn load_key(path: &Path) -> Result<SigningKey, KeystoreError> {
    check_closed(path, 0o600)?;
    let bytes = read(path)?;
    let key = if path.extension().is_some_and(|extension| extension == "key") {
        SigningKey::from_der(&bytes)
    } else {
        std::str::from_utf8(&bytes).map_err(|_| KeyError::NoPkcs8).and_then(SigningKey::from_pem)
    };
    key.map_err(|source| KeystoreError::Key { path: path.to_owned(), source })
}

/// Reads a certificate and the key beside it.
///
/// # Errors
/// When one of them is missing or unusable, or they do not belong together.
pub fn load_ticket(certificate: &Path) -> Result<Ticket, KeystoreError> {
    let beside = ["pem", "key"].map(|extension| certificate.with_extension(extension));
    let key = beside.iter().find(|path| path.exists());
    let key = key.ok_or_else(|| KeystoreError::NoKey { path: certificate.to_owned() })?;
    Ticket::new(load_certificate(certificate)?, load_key(key)?)
        .map_err(|source| KeystoreError::Key { path: key.clone(), source })
}

fn load_tickets(directory: &Path) -> Result<Vec<Ticket>, KeystoreError> {
    check_closed(directory, 0o700)?;
    files(directory, "oer")?.iter().map(|path| load_ticket(path)).collect()
}

/// Reads the names of revoked certificates; a missing file is an empty one, `#` opens a comment.
fn load_revoked(path: &Path) -> Result<Vec<HashedId8>, KeystoreError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut revoked = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if !name.is_empty() {
            let wrong = |what| KeystoreError::Revoked { path: path.to_owned(), line: index + 1, what };
            revoked.push(name.parse().map_err(wrong)?);
        }
    }
    Ok(revoked)
}

/// Refuses what group or others may read or change.
#[cfg(unix)]
fn check_closed(path: &Path, wanted: u32) -> Result<(), KeystoreError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_err(of(path))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeystoreError::Open { path: path.to_owned(), mode, wanted }) }
}

/// Elsewhere the system's own rules have to do.
#[cfg(not(unix))]
fn check_closed(_: &Path, _: u32) -> Result<(), KeystoreError> {
    Ok(())
}

/// Creates a directory, and those above it, that only the owner can enter.
///
/// # Errors
/// When it cannot be created.
pub fn create_closed_directory(path: &Path) -> Result<(), KeystoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(of(path))
}

/// Reads a secret of 32 bytes, written in hexadecimal digits.
///
/// # Errors
/// When it cannot be read, is open to others, or is no secret.
pub(crate) fn load_secret(path: &Path) -> Result<[u8; 32], KeystoreError> {
    check_closed(path, 0o600)?;
    let text = read(path)?;
    let digits = text.trim_ascii().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    let bytes: Option<Vec<u8>> = digits.0.iter().map(byte).collect();
    let secret = bytes.filter(|_| digits.1.is_empty()).and_then(|bytes| bytes.try_into().ok());
    secret.ok_or_else(|| KeystoreError::NoSecret { path: path.to_owned() })
}

/// Writes a secret to a new file that only the owner can read.
///
/// # Errors
/// When it cannot be written or exists.
pub(crate) fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<(), KeystoreError> {
    let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    write_closed(path, format!("{digits}\n").as_bytes()).map(drop)
}

/// Writes a new file that only the owner can read, and leaves it open for more.
///
/// # Errors
/// When it cannot be written or exists.
pub(crate) fn write_closed(path: &Path, bytes: &[u8]) -> Result<File, KeystoreError> {
    write_new(path, bytes, true)
}

/// Writes a new file; an existing one is an error, because keys are not overwritten.
fn write_new(path: &Path, bytes: &[u8], closed: bool) -> Result<File, KeystoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if closed {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = closed;
    options.open(path).and_then(|mut file| file.write_all(bytes).map(|()| file)).map_err(of(path))
}

/// Writes a certificate to a new file.
///
/// # Errors
/// When it cannot be written or exists.
pub fn write_certificate(path: &Path, certificate: &Certificate) -> Result<(), KeystoreError> {
    write_new(path, &certificate.encode(), false).map(drop)
}

/// Writes a key to a new file that only the owner can read.
///
/// # Errors
/// When it cannot be written or exists.
pub fn write_key(path: &Path, key: &SigningKey) -> Result<(), KeystoreError> {
    write_closed(path, key.to_pem().as_bytes()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::security::{Curve, Duration, DurationUnit, SecurityService, Time32, Validity, pki};
    use masa_v2x_proto::time::Timestamp;

    fn key(number: u8) -> SigningKey {
        SigningKey::from_scalar(Curve::NistP256, &[number; 32]).unwrap()
    }

    /// A trust and a ticket directory under `base`.
    fn write_world(base: &Path) -> SecuritySection {
        let (trust, tickets) = (base.join("trust"), base.join("tickets"));
        let start = Time32::of(Timestamp::from_unix_ms(1_772_366_400_000));
        let validity = Validity { start, duration: Duration { count: 24, unit: DurationUnit::Hours } };
        let root = pki::root("root", validity, None, &key(1));
        let authority = pki::authority("authority", validity, None, key(2).public_key(), (&root, &key(1)));
        let public = key(3).public_key();
        let ticket = pki::ticket(pki::all_permissions(), validity, None, public, (&authority, &key(2)));
        for directory in [&tickets, &trust.join(ROOTS), &trust.join(AUTHORITIES)] {
            create_closed_directory(directory).unwrap();
        }
        write_certificate(&trust.join(ROOTS).join("root.oer"), &root).unwrap();
        write_certificate(&trust.join(AUTHORITIES).join("authority.oer"), &authority).unwrap();
        write_certificate(&tickets.join("0.oer"), &ticket).unwrap();
        write_key(&tickets.join("0.pem"), &key(3)).unwrap();
        SecuritySection { trust, tickets: Some(tickets), rules: SecuritySettings::default() }
    }

    #[test]
    fn what_was_written_is_loaded_and_trusted() {
        let base = tempfile::tempdir().unwrap();
        let section = write_world(base.path());
        assert!(section.entity(1).unwrap().take_new_identity().is_some());
        let again = write_key(&section.tickets.as_ref().unwrap().join("0.pem"), &key(4));
        assert!(matches!(again, Err(KeystoreError::File { .. })), "a key is not overwritten");
    }

    #[cfg(unix)]
    #[test]
    fn an_open_secret_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let section = write_world(base.path());
        let tickets = section.tickets.clone().unwrap();
        for (path, open, closed) in [(tickets.join("0.pem"), 0o640, 0o600), (tickets, 0o755, 0o700)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
            let error = section.entity(1).unwrap_err().to_string();
            assert!(error.ends_with(&format!("`chmod {closed:o} {}`", path.display())), "{error}");
            fs::set_permissions(&path, fs::Permissions::from_mode(closed)).unwrap();
        }
        assert!(section.entity(1).is_ok());
    }

    #[test]
    fn errors_name_the_file() {
        let base = tempfile::tempdir().unwrap();
        let section = write_world(base.path());
        let revoked = section.trust.join(REVOKED);
        fs::write(&revoked, "# none\n00112233445566\n").unwrap();
        let error = section.entity(1).unwrap_err().to_string();
        assert!(error.contains("revoked.txt:2: "), "{error}");
        fs::write(&revoked, "0011223344556677 # stolen\n").unwrap();
        assert!(section.entity(1).is_ok());
        fs::write(section.trust.join(ROOTS).join("root.oer"), [0x80, 4]).unwrap();
        let error = section.entity(1).unwrap_err().to_string();
        assert!(error.contains("root.oer: certificate: byte 1: unknown version 4"), "{error}");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let section = write_world(base.path());
        let tickets = section.tickets.clone().unwrap();
        fs::remove_file(tickets.join("0.pem")).unwrap();
        assert!(matches!(section.entity(1), Err(KeystoreError::NoKey { .. })));
        write_key(&tickets.join("0.pem"), &key(9)).unwrap();
        let error = section.entity(1).unwrap_err();
        assert!(matches!(error, KeystoreError::Key { source: KeyError::NotOfCertificate, .. }), "{error}");
    }
}
