//! A public key infrastructure of one's own, to try things out: root, authority, tickets (TS 103 097 clauses 7.2.1 to 7.2.4).
//!
//! In: names, keys, validity, region. Out: certificates as an operator of TS 102 941 would issue them, without its protocols.
//! Keys come in as values: whoever draws them has the randomness.

use super::certificate::{Certificate, HashedId3, KeyIndicator, ToBeSignedCertificate, Validity};
use super::crypto::SigningKey;
use super::ecc::PublicKey;
use super::permissions::{AppPermission, GroupPermissions, IssuePermission, Ssp, SspRange, Subject};
use super::region::Region;

/// Assurance level of the tickets: class 2, confidence 0 (TS 103 097 clause 6).
const ASSURANCE_LEVEL: u8 = 0x40;

/// Applications of messages (ITS-AID) with every bit of their SSP, by which a ticket that is issued without further words
/// permits everything: CAM and DENM as of version 2 of their SSP, SPATEM and MAPEM of TS 103 301; others have the version.
const APPLICATIONS: [(u32, &[u8]); 12] = [
    (36, &[2, 0xFF, 0xFF]),
    (37, &[2, 0xFF, 0xFF, 0xFF, 0xF0]),
    (137, &[1, 0xE0]),
    (138, &[1, 0xC0]),
    (139, &[1]),
    (140, &[1]),
    (141, &[1]),
    (637, &[1]),
    (638, &[1]),
    (639, &[1]),
    (1619, &[1]),
    (540_802, &[1]),
];

/// Revocation lists, trust lists, certificate requests (TS 102 965), with the SSPs of TS 102 941 annex B.
const ROOT_APPLICATIONS: [(u32, &[u8]); 2] = [(622, &[1]), (624, &[1, 0x38])];
const AUTHORITY_APPLICATION: (u32, &[u8]) = (623, &[1, 0x32]);

fn permission((its_aid, bits): (u32, &[u8])) -> AppPermission {
    AppPermission { its_aid, ssp: Some(Ssp::Bitmap(bits.to_vec())) }
}

/// Everything that a message's application can permit; `None` for one that is not known here.
pub fn full_permission(its_aid: u32) -> Option<AppPermission> {
    APPLICATIONS.iter().find(|row| row.0 == its_aid).map(|row| permission(*row))
}

/// Every application of messages with every bit of its SSP.
pub fn all_permissions() -> Vec<AppPermission> {
    APPLICATIONS.iter().map(|row| permission(*row)).collect()
}

/// What an issuer may give: every application of messages, any SSP.
fn message_group(min_chain_length: i32) -> GroupPermissions {
    let any = |row: &(u32, &[u8])| IssuePermission { its_aid: row.0, range: Some(SspRange::All) };
    GroupPermissions {
        subject: Subject::Explicit(APPLICATIONS.iter().map(any).collect()),
        min_chain_length,
        chain_length_range: 0,
        end_entity: GroupPermissions::APPLICATION,
    }
}

fn to_be_signed(
    name: Option<&str>,
    validity: Validity,
    region: Option<Region>,
    key: PublicKey,
) -> ToBeSignedCertificate {
    ToBeSignedCertificate {
        name: name.map(str::to_owned),
        craca_id: HashedId3([0; 3]),
        crl_series: 0,
        validity,
        region,
        assurance_level: None,
        app_permissions: Vec::new(),
        issue_permissions: Vec::new(),
        encryption_key: None,
        key: KeyIndicator::Key(key),
    }
}

/// The certificate of a root (clause 7.2.3).
pub fn root(name: &str, validity: Validity, region: Option<Region>, key: &SigningKey) -> Certificate {
    let (its_aid, bits) = AUTHORITY_APPLICATION;
    let requests = GroupPermissions {
        subject: Subject::Explicit(vec![IssuePermission {
            its_aid,
            range: Some(SspRange::Bitmap { value: bits.to_vec(), mask: vec![0xFF; bits.len()] }),
        }]),
        ..message_group(1)
    };
    Certificate::self_signed(
        ToBeSignedCertificate {
            app_permissions: ROOT_APPLICATIONS.iter().map(|row| permission(*row)).collect(),
            issue_permissions: vec![message_group(2), requests],
            ..to_be_signed(Some(name), validity, region, key.public_key())
        },
        key,
    )
}

/// The certificate of an authorization authority (clause 7.2.4).
pub fn authority(
    name: &str,
    validity: Validity,
    region: Option<Region>,
    key: PublicKey,
    (root, root_key): (&Certificate, &SigningKey),
) -> Certificate {
    let to_be_signed = ToBeSignedCertificate {
        app_permissions: vec![permission(AUTHORITY_APPLICATION)],
        issue_permissions: vec![message_group(1)],
        ..to_be_signed(Some(name), validity, region, key)
    };
    root.issue(root_key, to_be_signed)
}

/// An authorization ticket (clause 7.2.1).
pub fn ticket(
    permissions: Vec<AppPermission>,
    validity: Validity,
    region: Option<Region>,
    key: PublicKey,
    (authority, authority_key): (&Certificate, &SigningKey),
) -> Certificate {
    let to_be_signed = ToBeSignedCertificate {
        assurance_level: Some(ASSURANCE_LEVEL),
        app_permissions: permissions,
        ..to_be_signed(None, validity, region, key)
    };
    authority.issue(authority_key, to_be_signed)
}
