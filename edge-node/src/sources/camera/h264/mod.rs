//! H.264 as cameras send it: access units in, RGB pictures out.
//!
//! [`annexb`] finds NAL units and access units in a byte stream, [`sps`] reads what the sequence parameter set says of
//! timing, colour and reordering, [`decoder`] drives openh264, [`colour`] turns its planes into RGB.

pub(crate) mod annexb;
pub(crate) mod colour;
pub(crate) mod decoder;
pub(crate) mod sps;

/// One picture's NAL units, as a container or a stream delivered them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessUnit {
    /// Presentation time from the start of the media, nanoseconds.
    pub(crate) media_ns: i64,
    /// Byte position in the file; 0 where there is no file.
    pub(crate) offset: u64,
    /// NAL units with start codes (ITU-T H.264 annex B).
    pub(crate) annex_b: Vec<u8>,
}
