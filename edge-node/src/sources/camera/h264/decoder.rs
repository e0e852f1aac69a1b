//! openh264 behind a type that accounts for every picture.
//!
//! In: access units in decoding order. Out: for each, in presentation order, either a picture or the news that it is
//! lost. Streams without B-frames come out without delay. openh264 0.9 loses pictures of streams with B-frames when it
//! flushes after each access unit, its default; left to reorder and flushed before key frames and at the end it returns
//! them all, in order, which is what this does when a stream announces or shows B-frames.
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
    /// What is assumed of a stream that does not say whether it reorders.
    if_unknown: Reordering,
    has_b_frames: bool,
    /// Access units whose picture has not come out, by presentation time.
    outstanding: VecDeque<AccessUnit>,
}

impl H264Decoder {
    /// A decoder that treats streams which do not say whether they reorder as `if_unknown` says: recordings can afford to
    /// wait for a picture that may come first, live cameras cannot and hardly ever have B-frames.
    pub(crate) fn new(if_unknown: Reordering) -> Result<Self, CameraError> {
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = Decoder::with_api_config(OpenH264API::from_source(), config).map_err(CameraError::NoDecoder)?;
        let facts = StreamFacts::default();
        let conversion = Conversion::of(&facts);
        Ok(Self { decoder, facts, conversion, if_unknown, has_b_frames: false, outstanding: VecDeque::new() })
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
        let stated = match self.facts.reordering {
            Reordering::Unknown => self.if_unknown,
            stated => stated,
        };
        let reorders = self.has_b_frames || stated == Reordering::Announced;
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

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::encoder::{Encoder, EncoderConfig, IntraFramePeriod, RateControlMode};
    use openh264::formats::YUVBuffer;
    use proptest::prelude::*;

    /// Pictures of one grey each, a key frame every four.
    fn grey_units(pictures: u8) -> Vec<AccessUnit> {
        let config = EncoderConfig::new()
            .skip_frames(false)
            .rate_control_mode(RateControlMode::Off)
            .intra_frame_period(IntraFramePeriod::from_num_frames(4));
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config).unwrap();
        let mut encode = |number: u8| {
            let picture = YUVBuffer::from_vec(vec![20 * number + 20; 32 * 32 * 3 / 2], 32, 32);
            let annex_b = encoder.encode(&picture).unwrap().to_vec();
            AccessUnit { media_ns: i64::from(number) * 1000, offset: 0, annex_b }
        };
        (0..pictures).map(&mut encode).collect()
    }

    fn decode_all(units: Vec<AccessUnit>, if_unknown: Reordering) -> Vec<Decoded> {
        let mut decoder = H264Decoder::new(if_unknown).unwrap();
        let mut decoded = Vec::new();
        for unit in units {
            // What is not supported ends a stream; here the next unit may be good again.
            let _ = decoder.decode(unit, &mut decoded);
        }
        decoder.finish(&mut decoded);
        decoded
    }

    fn time_of(outcome: &Decoded) -> i64 {
        match outcome {
            Decoded::Picture { unit, .. } | Decoded::Lost { unit, .. } => unit.media_ns,
        }
    }

    #[test]
    fn a_live_stream_has_no_delay_and_a_recording_none_lost() {
        for if_unknown in [Reordering::Never, Reordering::Announced] {
            let decoded = decode_all(grey_units(10), if_unknown);
            assert!(decoded.iter().all(|outcome| matches!(outcome, Decoded::Picture { .. })), "{decoded:?}");
            assert!(decoded.iter().map(time_of).eq((0..10).map(|number| number * 1000)));
        }
        let mut decoder = H264Decoder::new(Reordering::Never).unwrap();
        for (number, unit) in grey_units(10).into_iter().enumerate() {
            let mut decoded = Vec::new();
            decoder.decode(unit, &mut decoded).unwrap();
            assert_eq!(decoded.len(), 1, "picture {number}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn damage_never_panics_and_every_picture_is_accounted_for_once(
            damage in prop::collection::vec((0_usize..10, any::<prop::sample::Index>(), any::<u8>()), 1..8), reorder: bool
        ) {
            let mut units = grey_units(10);
            for (unit, at, byte) in damage {
                let annex_b = &mut units[unit].annex_b;
                let at = at.index(annex_b.len());
                annex_b[at] = byte;
            }
            let has_slice = |unit: &&AccessUnit| annexb::nal_units(&unit.annex_b).any(Nal::is_slice);
            let expected: Vec<_> = units.iter().filter(has_slice).map(|unit| unit.media_ns).collect();
            let unsupported = units.iter().any(|unit| {
                annexb::nal_units(&unit.annex_b).filter(|nal| nal.is_sps()).any(|nal| {
                    sps::read(nal.bytes()).is_some_and(|facts| facts.unsupported.is_some())
                })
            });
            let if_unknown = if reorder { Reordering::Announced } else { Reordering::Never };
            let mut times: Vec<_> = decode_all(units, if_unknown).iter().map(time_of).collect();
            times.sort_unstable();
            if !unsupported {
                prop_assert_eq!(times, expected);
            }
        }
    }
}
