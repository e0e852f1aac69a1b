//! Documents that publishers and readers exchange besides the messages themselves. All are JSON, readable without us.
//!
//! Every publisher numbers what it publishes per kind, without gaps: `number` in `stream`. A stream is one life of a
//! numbering: of at-least-once kinds the life of the outbox file (it goes on across restarts), of best-effort kinds one
//! run of the node. So a reader can order, de-duplicate and know exactly what it missed.

use crate::error::LinkError;
use crate::kind::Kind;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Identity of a message: the attachment of a Zenoh sample, and part of an [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The message's id.
    pub id: String,
    /// The node's running number of this kind.
    pub seq: u64,
    /// When the node made it, nanoseconds of Unix time.
    pub generated_at_ns: i64,
    /// Which numbering `number` belongs to; a later one is greater.
    pub stream: u64,
    /// Position in the stream, from 1, without gaps.
    pub number: u64,
}

/// One message of an outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which message.
    #[serde(flatten)]
    pub header: Header,
    /// Where it is about.
    pub quadkey: String,
    /// The payload, hexadecimal.
    #[serde(with = "hex")]
    pub uper: Bytes,
}

/// What an outbox holds of one kind. Without messages it is an announcement: "my newest is `last`".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The numbering.
    pub stream: u64,
    /// Number of the oldest message still available; `last + 1` when there is none.
    pub first: u64,
    /// Number of the newest message there ever was; 0 before the first.
    pub last: u64,
    /// When set, `messages` begins with the first available one after this number and has no gap but those of messages
    /// that are no longer available; an empty list then means that there is nothing after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Some of the messages, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Entry>,
}

/// "I have everything of `kind` up to and including `upto`."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Of which kind.
    pub kind: Kind,
    /// In which numbering.
    pub stream: u64,
    /// Up to which number.
    pub upto: u64,
}

/// "Send me what you have after `after`."
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Get {
    /// The last number the reader has; 0 for all.
    pub after: u64,
}

/// Serialises a document.
pub(crate) fn to_json<T: Serialize>(document: &T) -> Vec<u8> {
    serde_json::to_vec(document).expect("these types hold strings, numbers and lists only")
}

/// Parses a document.
///
/// # Errors
/// [`LinkError::Malformed`] with the size and serde's reason.
pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, LinkError> {
    serde_json::from_slice(bytes).map_err(|e| LinkError::Malformed { what, bytes: bytes.len(), reason: e.to_string() })
}

mod hex {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    const DIGITS: &[u8; 16] = b"0123456789abcdef";

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = bytes
            .iter()
            .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
            .map(char::from)
            .collect();
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        let nibble = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
        if text.len() % 2 == 1 {
            return Err(D::Error::custom("an odd number of hexadecimal digits"));
        }
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
            .collect::<Option<Vec<u8>>>()
            .map(Bytes::from)
            .ok_or_else(|| D::Error::custom("not hexadecimal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let header = Header { id: "7-denm-3".into(), seq: 3, generated_at_ns: 5, stream: 1_700_000_000_000, number: 9 };
        let entry = Entry { header, quadkey: "0123".into(), uper: Bytes::from_static(&[0x00, 0xab, 0xff]) };
        Page { stream: 1_700_000_000_000, first: 8, last: 9, after: None, messages: vec![entry] }
    }

    #[test]
    fn a_page_reads_as_documented_and_round_trips() {
        let text = to_json(&page());
        assert_eq!(
            String::from_utf8(text.clone()).unwrap(),
            r#"{"stream":1700000000000,"first":8,"last":9,"messages":[{"id":"7-denm-3","seq":3,"generated_at_ns":5,"stream":1700000000000,"number":9,"quadkey":"0123","uper":"00abff"}]}"#
        );
        assert_eq!(from_json::<Page>("page", &text).unwrap(), page());
    }

    #[test]
    fn malformed_documents_are_errors_that_say_where() {
        for bad in [&b"{"[..], br#"{"stream":1}"#, br#"{"stream":-1,"first":1,"last":1}"#] {
            let error = from_json::<Page>("page", bad).unwrap_err().to_string();
            assert!(error.starts_with("page of "), "{error}");
        }
        let odd = String::from_utf8(to_json(&page())).unwrap();
        for (from, to) in [("00abff", "00abf"), ("00abff", "zzabff")] {
            assert!(from_json::<Page>("page", odd.replace(from, to).as_bytes()).is_err());
        }
    }
}
