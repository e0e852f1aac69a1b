//! Security profiles: how messages of each application are signed and how long they count (TS 103 097 clause 7.1).

/// Whether the signer sends its certificate or only the name of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerForm {
    /// The certificate once a second and when it is asked for, else its name.
    CertificateOnceASecond,
    /// Always the certificate.
    Certificate,
}

/// Whether the place of generation is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocationRule {
    /// It is not: the message has its own.
    Absent,
    /// It is; a message without is accepted.
    Sent,
    /// It is; a message without is refused.
    Required,
}

/// The profile of an application.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Form of the signer.
    pub signer: SignerForm,
    /// Place of generation.
    pub location: LocationRule,
    /// How long a message counts after its generation, seconds.
    pub window_s: f64,
}

const AWARENESS: Profile =
    Profile { signer: SignerForm::CertificateOnceASecond, location: LocationRule::Absent, window_s: 2.0 };
const NOTIFICATION: Profile =
    Profile { signer: SignerForm::Certificate, location: LocationRule::Required, window_s: 600.0 };
const GENERIC: Profile = Profile { signer: SignerForm::Certificate, location: LocationRule::Sent, window_s: 600.0 };

/// Profiles by ITS-AID; the others follow clause 7.1.3.
const PROFILES: [(u32, Profile); 4] = [
    // CAM: clause 7.1.1.
    (36, AWARENESS),
    // DENM: clause 7.1.2.
    (37, NOTIFICATION),
    // VAM: TS 103 300-3 clause 6.5, as a CAM.
    (638, AWARENESS),
    // CPM: TS 103 324 clause 6.1, as a CAM.
    (639, AWARENESS),
];

impl Profile {
    /// The profile of an application (ITS-AID).
    pub fn of(its_aid: u32) -> Self {
        PROFILES.iter().find(|row| row.0 == its_aid).map_or(GENERIC, |row| row.1)
    }
}
