//! The image type that sources hand to detectors.

/// An owned image, `height × width × 3` bytes, RGB, rows without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbImage {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// `height × width × 3` bytes.
    pub data: Vec<u8>,
}

impl RgbImage {
    /// Wraps `data`; `None` when its length is not `width × height × 3`.
    pub fn new(width: u32, height: u32, data: Vec<u8>) -> Option<Self> {
        let expected = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (data.len() == expected).then_some(Self { width, height, data })
    }
}
