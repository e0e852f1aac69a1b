//! Camera frames as JPEG for the page.
//!
//! In: a decoded frame. Out: a JPEG no wider than 800 pixels, encoded at most once however many browsers ask, and never
//! on the core's thread: by the request that needs it first.

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageError};
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use std::sync::OnceLock;

/// Widest picture sent, pixels.
const MAX_WIDTH_PX: u32 = 800;
/// JPEG quality, 1 to 100: boxes and number plates are not judged on this picture.
const QUALITY: u8 = 75;

/// One camera frame, ready to be looked at: raw (`I` is `Arc<RgbImage>`) or
/// [`Anonymised`](crate::perception::privacy::Anonymised).
#[derive(Debug)]
pub struct CameraPicture<I> {
    /// The frame's running number in its source.
    pub frame: u64,
    /// When its shutter opened.
    pub captured_at: Timestamp,
    image: I,
    jpeg: OnceLock<Result<Bytes, String>>,
}

impl<I: AsRef<RgbImage>> CameraPicture<I> {
    /// A picture of `image`; nothing is encoded yet.
    pub const fn new(frame: u64, captured_at: Timestamp, image: I) -> Self {
        Self { frame, captured_at, image, jpeg: OnceLock::new() }
    }

    /// The JPEG; encodes it on the first call, which takes milliseconds of CPU.
    ///
    /// # Errors
    /// The encoder's words, with the frame's number.
    pub fn jpeg(&self) -> Result<Bytes, String> {
        self.jpeg
            .get_or_init(|| encode(self.image.as_ref()).map_err(|e| format!("frame {} has no JPEG: {e}", self.frame)))
            .clone()
    }
}

fn encode(image: &RgbImage) -> Result<Bytes, ImageError> {
    let small = shrink(image, image.width.div_ceil(MAX_WIDTH_PX).max(1));
    let image = small.as_ref().unwrap_or(image);
    let mut jpeg = Vec::with_capacity(128 * 1024);
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode(
        &image.data,
        image.width,
        image.height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg.into())
}

/// Averages blocks of `factor × factor` pixels; `None` when there is nothing to shrink. Rest columns and rows, fewer than
/// `factor`, are left out.
fn shrink(image: &RgbImage, factor: u32) -> Option<RgbImage> {
    let (width, height) = (image.width / factor, image.height / factor);
    if factor < 2 || width == 0 || height == 0 {
        return None;
    }
    let (block, row_bytes) = (factor as usize, image.width as usize * 3);
    let area = factor * factor;
    let mut data = Vec::with_capacity((width * height * 3) as usize);
    let mut sums = vec![0u32; width as usize * 3];
    for rows in image.data.chunks_exact(row_bytes * block) {
        sums.fill(0);
        for row in rows.chunks_exact(row_bytes) {
            for (sum, pixels) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * block)) {
                for pixel in pixels.chunks_exact(3) {
                    sum[0] += u32::from(pixel[0]);
                    sum[1] += u32::from(pixel[1]);
                    sum[2] += u32::from(pixel[2]);
                }
            }
        }
        data.extend(sums.iter().map(|sum| (sum / area) as u8));
    }
    RgbImage::new(width, height, data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn gradient(width: u32, height: u32) -> RgbImage {
        let data =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [(x / 8) as u8, (y / 8) as u8, 200])).collect();
        RgbImage::new(width, height, data).unwrap()
    }

    #[test]
    fn a_wide_frame_shrinks_by_a_whole_factor_and_keeps_its_colours() {
        let picture = CameraPicture::new(1, Timestamp::default(), Arc::new(gradient(1920, 1080)));
        let jpeg = picture.jpeg().unwrap();
        let back = image::load_from_memory(&jpeg).unwrap().to_rgb8();
        assert_eq!(back.dimensions(), (640, 360));
        for (x, y) in [(10, 10), (320, 180), (630, 350)] {
            let got = back.get_pixel(x, y).0;
            let expected = [(x * 3 / 8) as u8, (y * 3 / 8) as u8, 200];
            // JPEG at quality 75 keeps a smooth gradient within a few levels.
            assert!(got.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= 4), "{got:?} for {expected:?} at {x},{y}");
        }
        assert_eq!(picture.jpeg().unwrap().as_ptr(), jpeg.as_ptr(), "the second call encodes nothing");
    }

    #[test]
    fn small_and_odd_frames_keep_or_lose_only_the_rest() {
        assert!(shrink(&gradient(800, 600), 1).is_none());
        let odd = shrink(&gradient(1601, 1001), 3).unwrap();
        assert_eq!((odd.width, odd.height, odd.data.len()), (533, 333, 533 * 333 * 3));
        assert!(shrink(&gradient(1601, 2), 3).is_none(), "a strip lower than a block stays as it is");
    }

    #[test]
    fn an_empty_frame_is_an_error_that_names_it() {
        let picture = CameraPicture::new(42, Timestamp::default(), Arc::new(RgbImage::new(0, 0, Vec::new()).unwrap()));
        assert!(picture.jpeg().is_err_and(|e| e.contains("frame 42")));
    }
}
