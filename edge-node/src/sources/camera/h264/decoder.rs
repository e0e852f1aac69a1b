//! openh264 behind a type that accounts for every picture.
//!
//! In: access units in decoding order. Out: for each, in presentation order, either a picture or the news that it is
//! lost. Streams without B-frames come out without delay. openh264 0.9 loses pictures of streams with B-frames when it
//! flushes after each access unit, its default; left to reorder and flushed before key frames and at the end it returns
//! them all, in order, which is what this does as soon as a stream announces or shows B-frames.
//!
//! openh264 does not say which access unit a picture came from. Pictures come in presentation order, so each takes the
//! smallest outstanding time; the books are closed at every key frame, so that a silent loss cannot shift times for long.

use super::AccessUnit;
use super::annexb::{self, Nal};
use super::colour::{Conversion, Planes};
use super::sps::{self, Reordering, StreamFacts};
use crate::sources::camera::error::CameraError;
use masa_inference::RgbImage;
use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;
use std::collections::VecDeque;

/// Most pictures that a decoder may hold back (`MaxDpbFrames`, ITU-T H.264 A.3.1).
const MAX_REORDERED: usize = 16;

/// What became of one access unit.
#[derive(Debug)]
pub(crate) enum Decoded {
    Picture { unit: AccessUnit, image: RgbImage },
    Lost { unit: AccessUnit, why: String },
}

/// A decoder for one stream.
pub(crate) struct H264Decoder {
    decoder: Decoder,
    facts: StreamFacts,
    conversion: Conversion,
    has_b_frames: bool,
    /// Access units whose picture has not come out, by presentation time.
    outstanding: VecDeque<AccessUnit>,
}

impl H264Decoder {
    pub(crate) fn new() -> Result<Self, CameraError> {
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = Decoder::with_api_config(OpenH264API::from_source(), config).map_err(CameraError::NoDecoder)?;
        let facts = StreamFacts::default();
        let conversion = Conversion::of(&facts);
        Ok(Self { decoder, facts, conversion, has_b_frames: false, outstanding: VecDeque::new() })
    }

    /// Whether the stream has shown a bi-predicted slice.
    pub(crate) fn has_b_frames(&self) -> bool {
        self.has_b_frames
    }

    /// Decodes one access unit and appends what came out, which may be about earlier ones.
    ///
    /// # Errors
    /// [`CameraError::Unsupported`] for a stream that openh264 can never decode.
    pub(crate) fn decode(&mut self, unit: AccessUnit, out: &mut Vec<Decoded>) -> Result<(), CameraError> {
        let mut key = false;
        let mut has_slice = false;
        for nal in annexb::nal_units(&unit.annex_b) {
            if nal.is_sps() {
                self.read_facts(nal)?;
            }
            key |= nal.is_idr();
            has_slice |= nal.is_slice();
            self.has_b_frames |= nal.is_b_slice();
        }
        if key && !self.outstanding.is_empty() {
            self.finish(out);
        }
        let reorders = self.has_b_frames || self.facts.reordering == Reordering::Announced;
        let flush = if reorders { Flush::NoFlush } else { Flush::Flush };
        let options = DecodeOptions::new().flush_after_decode(flush);
        match self.decoder.decode_with_options(&unit.annex_b, options) {
            Ok(picture) => {
                let image = picture.and_then(|picture| to_rgb(&picture, self.conversion));
                // Parameter sets alone have no picture.
                if has_slice {
                    insert_by_time(&mut self.outstanding, unit);
                }
                self.settle(image, out);
            }
            Err(error) if has_slice => out.push(Decoded::Lost { unit, why: error.to_string() }),
            // A bad parameter set shows in the pictures that need it.
            Err(_) => {}
        }
        let held_back = if reorders { MAX_REORDERED } else { 0 };
        while self.outstanding.len() > held_back {
            self.lose_oldest(out);
        }
        Ok(())
    }

    /// Gets out what the decoder still holds; to be called at the end of the stream.
    pub(crate) fn finish(&mut self, out: &mut Vec<Decoded>) {
        let conversion = self.conversion;
        let images: Vec<_> = match self.decoder.flush_remaining() {
            Ok(pictures) => pictures.iter().map(|picture| to_rgb(picture, conversion)).collect(),
            Err(_) => Vec::new(),
        };
        for image in images {
            self.settle(image, out);
        }
        while !self.outstanding.is_empty() {
            self.lose_oldest(out);
        }
    }

    fn read_facts(&mut self, nal: Nal<'_>) -> Result<(), CameraError> {
        self.facts = sps::read(nal.bytes()).unwrap_or_default();
        self.conversion = Conversion::of(&self.facts);
        self.facts.unsupported.map_or(Ok(()), |what| Err(CameraError::Unsupported { what }))
    }

    /// Gives a picture to the access unit that was to be shown first.
    fn settle(&mut self, image: Option<RgbImage>, out: &mut Vec<Decoded>) {
        if let Some(image) = image
            && let Some(unit) = self.outstanding.pop_front()
        {
            out.push(Decoded::Picture { unit, image });
        }
    }

    fn lose_oldest(&mut self, out: &mut Vec<Decoded>) {
        if let Some(unit) = self.outstanding.pop_front() {
            out.push(Decoded::Lost { unit, why: "the decoder returned no picture".to_owned() });
        }
    }
}

fn insert_by_time(outstanding: &mut VecDeque<AccessUnit>, unit: AccessUnit) {
    let at = outstanding.partition_point(|other| other.media_ns <= unit.media_ns);
    outstanding.insert(at, unit);
}

fn to_rgb(picture: &DecodedYUV<'_>, conversion: Conversion) -> Option<RgbImage> {
    let (width, height) = picture.dimensions();
    let (y_stride, uv_stride, _) = picture.strides();
    let planes = Planes { width, height, y: picture.y(), u: picture.u(), v: picture.v(), y_stride, uv_stride };
    RgbImage::new(u32::try_from(width).ok()?, u32::try_from(height).ok()?, conversion.to_rgb(&planes))
}
