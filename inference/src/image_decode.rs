//! JPEG and PNG bytes to [`RgbImage`], with a bound on the size that a file from outside can claim.

use std::io::Cursor;

use image::{ImageDecoder, ImageReader, Limits};
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

use crate::RgbImage;

/// Why bytes are not an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Neither JPEG nor PNG by their first bytes.
    #[error("image of {bytes} bytes is neither JPEG nor PNG, it starts with {start:02x?}")]
    UnknownFormat {
        /// Length, bytes.
        bytes: usize,
        /// The first bytes.
        start: Vec<u8>,
    },
    /// More pixels on a side than allowed.
    #[error("{format} image of {width}×{height} px is larger than {max_side_px} px on a side")]
    TooLarge {
        /// `JPEG` or `PNG`.
        format: &'static str,
        /// Width as the file claims, pixels.
        width: usize,
        /// Height as the file claims, pixels.
        height: usize,
        /// The limit, pixels.
        max_side_px: u32,
    },
    /// The decoder gave up.
    #[error("{format} image of {bytes} bytes cannot be decoded: {reason}")]
    Decode {
        /// `JPEG` or `PNG`.
        format: &'static str,
        /// Length, bytes.
        bytes: usize,
        /// What the decoder said.
        reason: String,
    },
}

impl RgbImage {
    /// Decodes a JPEG or PNG file, told apart by its first bytes.
    ///
    /// # Errors
    /// See [`ImageError`]; `max_side_px` bounds width and height.
    pub fn decode(bytes: &[u8], max_side_px: u32) -> Result<Self, ImageError> {
        match bytes {
            [0xFF, 0xD8, ..] => Self::decode_jpeg(bytes, max_side_px),
            [0x89, b'P', b'N', b'G', ..] => Self::decode_png(bytes, max_side_px),
            _ => {
                let start = bytes.iter().copied().take(8).collect();
                Err(ImageError::UnknownFormat { bytes: bytes.len(), start })
            }
        }
    }

    /// Decodes a JPEG file (grey and colour, baseline and progressive).
    ///
    /// # Errors
    /// See [`ImageError`]; `max_side_px` bounds width and height.
    pub fn decode_jpeg(bytes: &[u8], max_side_px: u32) -> Result<Self, ImageError> {
        let failed = |reason: String| ImageError::Decode { format: "JPEG", bytes: bytes.len(), reason };
        // The decoder's own limit is 2^14; ours is checked on the header, so that the error names the size.
        let options = DecoderOptions::default()
            .set_max_width(u16::MAX as usize)
            .set_max_height(u16::MAX as usize)
            .jpeg_set_out_colorspace(ColorSpace::RGB);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(|error| failed(error.to_string()))?;
        let info = decoder.info().ok_or_else(|| failed("it has no size".to_owned()))?;
        let (width, height) = (info.width as usize, info.height as usize);
        check_size("JPEG", width, height, max_side_px)?;
        let data = decoder.decode().map_err(|error| failed(error.to_string()))?;
        let decoded = data.len();
        Self::new(width as u32, height as u32, data).ok_or_else(|| failed(format!("{decoded} bytes came out")))
    }

    /// Decodes a PNG file; transparency is dropped, 16 bits become 8.
    ///
    /// # Errors
    /// See [`ImageError`]; `max_side_px` bounds width and height.
    pub fn decode_png(bytes: &[u8], max_side_px: u32) -> Result<Self, ImageError> {
        let failed = |error: image::ImageError| ImageError::Decode {
            format: "PNG",
            bytes: bytes.len(),
            reason: error.to_string(),
        };
        let mut reader = ImageReader::with_format(Cursor::new(bytes), image::ImageFormat::Png);
        let mut limits = Limits::default();
        // Four channels of 16 bits, decoded and converted.
        limits.max_alloc = Some(u64::from(max_side_px) * u64::from(max_side_px) * 16);
        reader.limits(limits);
        let decoder = reader.into_decoder().map_err(failed)?;
        let (width, height) = decoder.dimensions();
        check_size("PNG", width as usize, height as usize, max_side_px)?;
        let image = image::DynamicImage::from_decoder(decoder).map_err(failed)?.into_rgb8();
        let (width, height) = image.dimensions();
        Ok(Self { width, height, data: image.into_raw() })
    }
}

fn check_size(format: &'static str, width: usize, height: usize, max_side_px: u32) -> Result<(), ImageError> {
    if width.max(height) > max_side_px as usize {
        return Err(ImageError::TooLarge { format, width, height, max_side_px });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::{ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

    use super::*;

    /// A 24×16 image, red on the left, blue on the right.
    fn picture() -> Vec<u8> {
        (0..24 * 16).flat_map(|i| if i % 24 < 12 { [250, 10, 10] } else { [10, 10, 250] }).collect()
    }

    fn jpeg() -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.write_image(&picture(), 24, 16, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    fn png() -> Vec<u8> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(&picture(), 24, 16, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn both_formats_keep_size_and_colour_order() {
        let png = RgbImage::decode(&png(), 24).unwrap();
        assert_eq!((png.width, png.height, png.data), (24, 16, picture()));
        let jpeg = RgbImage::decode(&jpeg(), 24).unwrap();
        assert_eq!((jpeg.width, jpeg.height), (24, 16));
        assert!(jpeg.data[0] > 200 && jpeg.data[2] < 60, "left is red: {:?}", &jpeg.data[..3]);
        assert!(jpeg.data[23 * 3] < 60 && jpeg.data[23 * 3 + 2] > 200, "right is blue");
    }

    #[test]
    fn sizes_over_the_limit_are_named() {
        for (format, bytes) in [("JPEG", jpeg()), ("PNG", png())] {
            let error = RgbImage::decode(&bytes, 23).unwrap_err();
            assert_eq!(error.to_string(), format!("{format} image of 24×16 px is larger than 23 px on a side"));
        }
    }

    #[test]
    fn broken_files_are_errors_at_every_length() {
        for bytes in [jpeg(), png()] {
            for len in 0..bytes.len() {
                // A JPEG that lacks only its end may still decode; nothing may panic.
                let _ = RgbImage::decode(&bytes[..len], 64);
            }
            let error = RgbImage::decode(&bytes[..40], 64).unwrap_err();
            assert!(matches!(error, ImageError::Decode { bytes: 40, .. }), "{error}");
        }
        let error = RgbImage::decode(b"GIF89a", 64).unwrap_err();
        assert!(error.to_string().starts_with("image of 6 bytes is neither JPEG nor PNG"), "{error}");
    }
}
