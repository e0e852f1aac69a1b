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

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut nal = vec![0x67];
            nal.extend(bytes);
            read(&nal);
        }
    }
}
