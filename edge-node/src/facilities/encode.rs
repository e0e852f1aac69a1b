//! From drafts to UPER bytes and JSON images.

use super::{Content, Station, cp};
use masa_v2x_proto::Message;
use masa_v2x_proto::json::{Envelope, to_json};
use masa_v2x_proto::uper::UperError;
use std::ops::Range;

/// A message in both encodings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Encoded {
    pub(crate) uper: Vec<u8>,
    pub(crate) json: String,
    /// Which of the draft's objects it carries; `None` for all.
    pub(crate) objects: Option<Range<usize>>,
}

/// The messages of one draft.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EncodedDraft {
    pub(crate) messages: Vec<Encoded>,
    /// Objects for which there was no room.
    pub(crate) left_out: usize,
}

/// Encodes a draft; a generation of CPMs may become several messages.
pub(crate) fn encode(content: Content, station: &Station, envelope: &Envelope) -> Result<EncodedDraft, UperError> {
    let encoded =
        |message: Message, uper, objects| Encoded { uper, json: to_json(&message, envelope).to_string(), objects };
    let (messages, left_out) = match content {
        Content::Cam(cam) => (vec![encoded(Message::Cam(cam.clone()), cam.to_uper()?, None)], 0),
        Content::Denm(denm) => (vec![encoded(Message::Denm(denm.clone()), denm.to_uper()?, None)], 0),
        Content::Vam(vam) => (vec![encoded(Message::Vam(vam.clone()), vam.to_uper()?, None)], 0),
        Content::Infrastructure(message) => {
            let uper = message.to_uper()?;
            (vec![encoded(*message, uper, None)], 0)
        }
        Content::ForwardedDenm { denm, uper } => (vec![encoded(Message::Denm(denm), uper, None)], 0),
        Content::Cpm(generation) => {
            let (segments, left_out) = cp::segments(&generation, station, |cpm| cpm.to_uper())?;
            let encoded = |segment: cp::Segment| encoded(segment.cpm.into(), segment.uper, Some(segment.objects));
            (segments.into_iter().map(encoded).collect(), left_out)
        }
    };
    Ok(EncodedDraft { messages, left_out })
}
