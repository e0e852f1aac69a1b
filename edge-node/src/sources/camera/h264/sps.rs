//! What a sequence parameter set says that a source needs: timing, colour, reordering (ITU-T H.264, 7.3.2.1 and E.1).

use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, PicOrderCntType, SeqParameterSet};
use h264_reader::rbsp::{self, BitReader};

/// Facts of a stream, from its sequence parameter set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct StreamFacts {
    /// Frames per second, when the usability information has timing.
    pub(crate) frame_rate_hz: Option<f64>,
    /// Samples use 0–255 rather than 16–235.
    pub(crate) full_range: bool,
    /// `matrix_coefficients` (table E-5); 2 is "unspecified".
    pub(crate) matrix_coefficients: Option<u8>,
    pub(crate) reordering: Reordering,
    /// A coding tool that openh264 does not have.
    pub(crate) unsupported: Option<&'static str>,
}

/// Whether pictures come out in another order than they are coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Reordering {
    /// The stream rules it out.
    Never,
    /// The stream does not say.
    #[default]
    Unknown,
    /// The stream announces it (B-frames).
    Announced,
}

/// Reads a NAL unit of type 7, header included. `None` when it does not parse: cameras with sloppy parameter sets exist
/// whose video decodes well, so this is not an error.
pub(crate) fn read(nal: &[u8]) -> Option<StreamFacts> {
    let payload = rbsp::decode_nal(nal).ok()?;
    let sps = SeqParameterSet::from_bits(BitReader::new(&*payload)).ok()?;
    let vui = sps.vui_parameters.as_ref();
    let signal = vui.and_then(|vui| vui.video_signal_type.as_ref());
    let frame_rate_hz = vui
        .and_then(|vui| vui.timing_info.as_ref())
        .map(|timing| f64::from(timing.time_scale) / (2.0 * f64::from(timing.num_units_in_tick)))
        .filter(|hz| (0.01..=1000.0).contains(hz));
    let announced = vui.and_then(|vui| vui.bitstream_restrictions.as_ref()).map(|limits| limits.max_num_reorder_frames);
    let baseline = matches!(sps.profile_idc.into(), 66_u8);
    let reordering = match (announced, &sps.pic_order_cnt) {
        (Some(0), _) | (_, PicOrderCntType::TypeTwo) => Reordering::Never,
        _ if baseline => Reordering::Never,
        (Some(_), _) => Reordering::Announced,
        (None, _) => Reordering::Unknown,
    };
    let chroma = &sps.chroma_info;
    let unsupported = if chroma.chroma_format != ChromaFormat::YUV420 {
        Some("chroma other than 4:2:0")
    } else if chroma.bit_depth_luma_minus8 > 0 || chroma.bit_depth_chroma_minus8 > 0 {
        Some("more than 8 bits a sample")
    } else if sps.frame_mbs_flags != FrameMbsFlags::Frames {
        Some("interlacing")
    } else {
        None
    };
    Some(StreamFacts {
        frame_rate_hz,
        full_range: signal.is_some_and(|signal| signal.video_full_range_flag),
        matrix_coefficients: signal
            .and_then(|signal| signal.colour_description.as_ref())
            .map(|colour| colour.matrix_coefficients),
        reordering,
        unsupported,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(hex: &str) -> StreamFacts {
        let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        read(&(0..hex.len()).step_by(2).map(byte).collect::<Vec<_>>()).unwrap()
    }

    /// Parameter sets as libx264 writes them for 12.5 frames/s.
    #[test]
    fn parameter_sets_of_x264_are_understood() {
        let b_frames = facts("67640016acd940c037a6a0c0c0c80000030010000003019078b16cb0");
        let expected = StreamFacts {
            frame_rate_hz: Some(12.5),
            full_range: false,
            matrix_coefficients: Some(6),
            reordering: Reordering::Announced,
            unsupported: None,
        };
        assert_eq!(b_frames, expected);
        let no_b_frames = facts("67640016acb40601bd3506060640000003008000000c83c58ba8");
        assert_eq!((no_b_frames.reordering, no_b_frames.frame_rate_hz), (Reordering::Never, Some(12.5)));
        let full_range = facts("67640016acb201806f4dc181805000000300200000030320f162e480");
        assert_eq!((full_range.full_range, full_range.matrix_coefficients), (true, Some(1)));
    }

    #[test]
    fn what_openh264_cannot_decode_is_named() {
        for (hex, what) in [
            ("67640016acd940c073f2cd4181819000000300200000030321f1429960", "interlacing"),
            ("676e0016a6cd940c037a6a0c0c0c80000003010000030019078b16cb", "more than 8 bits a sample"),
            ("67f40016919b281806f4d4181819000003000200000300320f162d96", "chroma other than 4:2:0"),
        ] {
            assert_eq!(facts(hex).unsupported, Some(what));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut nal = vec![0x67];
            nal.extend(bytes);
            read(&nal);
        }
    }
}
