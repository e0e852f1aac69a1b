//! Secured packets in a capture: what is in the envelope, who signed it, and whether that is to be trusted.

use anyhow::Context;
use masa_v2x_proto::security::{
    Certificate, Envelope, SecurityEntity, SecurityService, SecuritySettings, Signer, StationCredentials, Verdict,
};
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Opens envelopes, and judges them when there is somebody to trust.
pub(super) struct Opener {
    entity: Option<SecurityEntity>,
}

/// What is known of an envelope.
pub(super) struct Opened {
    signed: Option<Signed>,
}

struct Signed {
    its_aid: u32,
    /// `HashedId8` of the signer's certificate, and whether the envelope brings it.
    signer: String,
    brings_certificate: bool,
    generated_at: Option<Timestamp>,
    verdict: Option<Verdict>,
}

impl Opener {
    /// An opener that trusts what a directory holds in `roots/*.oer` and `authorities/*.oer`; `None`: that judges nothing.
    pub(super) fn new(trust: Option<&Path>) -> anyhow::Result<Self> {
        let Some(trust) = trust else { return Ok(Self { entity: None }) };
        let roots = certificates(&trust.join("roots"))?;
        let authorities = certificates(&trust.join("authorities"))?;
        let credentials = StationCredentials { roots, authorities, ..StationCredentials::default() };
        let entity = SecurityEntity::new(SecuritySettings::default(), credentials, 0)
            .with_context(|| format!("--trust {}", trust.display()))?;
        Ok(Self { entity: Some(entity) })
    }

    /// The content of an envelope that was captured `at`.
    pub(super) fn open<'a>(&mut self, envelope: &'a [u8], at: Timestamp) -> Result<(&'a [u8], Opened), String> {
        let signed = match Envelope::decode(envelope).map_err(|error| error.to_string())? {
            Envelope::Unsecured(content) => return Ok((content, Opened { signed: None })),
            Envelope::Signed(signed) => signed,
        };
        let content = signed.to_be_signed.payload.data.ok_or("it holds a hash and no packet")?;
        let (signer, brings_certificate) = match &signed.signer {
            Signer::Digest(id) => (id.to_string(), false),
            Signer::Certificate(certificate) => (certificate.hashed_id8().to_string(), true),
        };
        let header = &signed.to_be_signed.header;
        let verdict = self.entity.as_mut().map(|entity| entity.unwrap(envelope, at).verdict);
        let generated_at = header.generation_time.map(|time| time.timestamp());
        let signed = Signed { its_aid: header.its_aid, signer, brings_certificate, generated_at, verdict };
        Ok((content, Opened { signed: Some(signed) }))
    }
}

/// The certificates of a folder, in the order of their names.
fn certificates(folder: &Path) -> anyhow::Result<Vec<Certificate>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "oer"));
    paths.sort();
    let read = |path: &PathBuf| anyhow::Ok(Certificate::decode(&std::fs::read(path)?)?);
    paths.iter().map(|path| read(path).with_context(|| path.display().to_string())).collect()
}

impl Opened {
    pub(super) fn words(&self) -> String {
        let Some(signed) = &self.signed else { return "in an envelope, unsigned".into() };
        let how = if signed.brings_certificate { "with certificate" } else { "by" };
        let verdict = match signed.verdict {
            None => String::new(),
            Some(verdict) => format!(" ({})", verdict_words(&verdict)),
        };
        format!("signed {how} {} for ITS-AID {}{verdict}", signed.signer, signed.its_aid)
    }

    pub(super) fn json(&self) -> Value {
        let Some(signed) = &self.signed else { return json!({ "signed": false }) };
        json!({
            "signed": true,
            "its_aid": signed.its_aid,
            "signer": signed.signer,
            "brings_certificate": signed.brings_certificate,
            "generated_at_ns": signed.generated_at.map(Timestamp::unix_ns),
            "verdict": signed.verdict,
        })
    }
}

fn verdict_words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Unsigned => "unsigned".into(),
        Verdict::Verified(_) => "verified".into(),
        Verdict::Refused(reason) => {
            // The name as in recordings.
            let name = serde_json::to_value(reason).ok().and_then(|name| name.as_str().map(str::to_owned));
            format!("refused: {}", name.unwrap_or_default())
        }
    }
}
