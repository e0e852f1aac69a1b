//! JPEG and PNG pictures to RGB, with bounds on what a picture may claim to be.

use super::Codec;
use image::ImageReader;
use masa_inference::RgbImage;
use std::io::Cursor;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Largest width and height accepted, pixels: the largest surveillance sensors have half of it.
const MAX_SIDE_PX: u32 = 16_384;
/// Most memory a picture may need while it is decoded, bytes.
const MAX_DECODE_BYTES: u64 = 512 << 20;

/// Decodes a picture by its content.
///
/// # Errors
/// What is wrong with it, in the decoder's words.
pub(crate) fn decode(bytes: &[u8]) -> Result<(RgbImage, Codec), String> {
    match bytes {
        [0xFF, 0xD8, ..] => Ok((decode_jpeg(bytes)?, Codec::Jpeg)),
        [0x89, b'P', b'N', b'G', ..] => Ok((decode_png(bytes)?, Codec::Png)),
        _ => Err("neither JPEG nor PNG".to_owned()),
    }
}

fn decode_jpeg(bytes: &[u8]) -> Result<RgbImage, String> {
    let options = DecoderOptions::default()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(MAX_SIDE_PX as usize)
        .set_max_height(MAX_SIDE_PX as usize)
        .set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let rgb = decoder.decode().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no dimensions")?;
    RgbImage::new(width as u32, height as u32, rgb).ok_or_else(|| "not as many pixels as announced".to_owned())
}

fn decode_png(bytes: &[u8]) -> Result<RgbImage, String> {
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX);
    limits.max_image_height = Some(MAX_SIDE_PX);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), image::ImageFormat::Png);
    reader.limits(limits);
    let rgb = reader.decode().map_err(|error| error.to_string())?.into_rgb8();
    let (width, height) = rgb.dimensions();
    RgbImage::new(width, height, rgb.into_raw()).ok_or_else(|| "not as many pixels as announced".to_owned())
}
