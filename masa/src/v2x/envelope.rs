//! Secured packets in a capture: what is in the envelope, who signed it, and whether that is to be trusted.

use masa_edge_node::keystore::SecuritySection;
use masa_v2x_proto::security::{Envelope, SecurityEntity, SecurityService, SecuritySettings, Signer, Verdict};
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};
use std::path::Path;

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
    /// An opener that trusts what a trust directory holds; `None`: that judges nothing.
    pub(super) fn new(trust: Option<&Path>) -> anyhow::Result<Self> {
        let section = trust.map(|trust| SecuritySection {
            trust: trust.to_owned(),
            tickets: None,
            rules: SecuritySettings::default(),
        });
        // Without tickets nothing is random.
        Ok(Self { entity: section.map(|section| section.entity(0)).transpose()? })
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
