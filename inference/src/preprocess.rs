//! From an RGB image to the network's input tensor: resize, pad, reorder, normalise.
//!
//! In: an image of any size. Out: the tensor filled and the [`Placement`] that maps boxes back. The padding is written
//! only when the image size changes, so the tensor must keep its contents between calls. Nothing is allocated once an
//! image size has been seen.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::{
    BoundingBox, Error, RgbImage,
    description::{Colour, InputDescription, Layout, Resize},
};

/// Where the source image lies in the network's input: `input = source × scale + offset`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Placement {
    scale_x: f32,
    scale_y: f32,
    offset_x: f32,
    offset_y: f32,
}

impl Placement {
    /// A box in input pixels `[x1, y1, x2, y2]` as a box in the source image, clipped to its borders.
    pub(crate) fn to_source(self, input: [f32; 4], image: &RgbImage) -> BoundingBox {
        let (width, height) = (image.width as f32, image.height as f32);
        let x = |x: f32| ((x - self.offset_x) / self.scale_x).clamp(0.0, width);
        let y = |y: f32| ((y - self.offset_y) / self.scale_y).clamp(0.0, height);
        BoundingBox { x1_px: x(input[0]), y1_px: y(input[1]), x2_px: x(input[2]), y2_px: y(input[3]) }
    }
}

/// What one image size needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fit {
    source: (u32, u32),
    resized: (u32, u32),
    corner: (u32, u32),
}

/// See the module.
pub(crate) struct Preprocessor {
    input: InputDescription,
    /// `value = pixel × gain + bias`, per channel of the tensor.
    gain: [f32; 3],
    bias: [f32; 3],
    resizer: Resizer,
    resized: Vec<u8>,
    last: Option<Fit>,
}

impl Preprocessor {
    pub(crate) fn new(input: InputDescription) -> Self {
        let gain = std::array::from_fn(|channel| input.scale / input.std[channel]);
        let bias = std::array::from_fn(|channel| -input.mean[channel] / input.std[channel]);
        Self { input, gain, bias, resizer: Resizer::new(), resized: Vec::new(), last: None }
    }

    /// Fills `tensor`, which has the shape of the description and its contents of the call before.
    pub(crate) fn run(&mut self, image: &RgbImage, tensor: &mut [f32]) -> Result<Placement, Error> {
        let failed = |reason: String| Error::Resize { width: image.width, height: image.height, reason };
        if image.data.len() as u64 != u64::from(image.width) * u64::from(image.height) * 3 {
            return Err(failed(format!("it holds {} bytes", image.data.len())));
        }
        let fit = self.fit(image.width, image.height);
        let (width, height) = fit.resized;
        if width == 0 || height == 0 {
            return Err(failed("nothing of it would be left".to_owned()));
        }
        if self.last != Some(fit) {
            self.resized.resize(width as usize * height as usize * 3, 0);
            if fit.resized != (self.input.width, self.input.height) {
                self.fill(tensor);
            }
            self.last = Some(fit);
        }
        let pixels = if fit.resized == fit.source {
            image.data.as_slice()
        } else {
            let source = ImageRef::new(image.width, image.height, &image.data, PixelType::U8x3);
            let source = source.map_err(|error| failed(error.to_string()))?;
            let target = Image::from_slice_u8(width, height, &mut self.resized, PixelType::U8x3);
            let mut target = target.map_err(|error| failed(error.to_string()))?;
            // Two taps without anti-aliasing, as OpenCV does: public models were trained and measured with it.
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
            self.resizer.resize(&source, &mut target, &options).map_err(|error| failed(error.to_string()))?;
            self.resized.as_slice()
        };
        self.write(pixels, fit, tensor);
        Ok(Placement {
            scale_x: width as f32 / image.width as f32,
            scale_y: height as f32 / image.height as f32,
            offset_x: fit.corner.0 as f32,
            offset_y: fit.corner.1 as f32,
        })
    }

    fn fit(&self, width: u32, height: u32) -> Fit {
        let (into_w, into_h) = (u64::from(self.input.width), u64::from(self.input.height));
        let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
        // The smaller of into_w / w and into_h / h as an exact fraction.
        let (up, down) = if into_w * h <= into_h * w { (into_w, w) } else { (into_h, h) };
        let floor = |side: u64| (side * up / down) as u32;
        let round = |side: u64| ((side * up * 2 + down) / (down * 2)) as u32;
        let (resized, corner) = match self.input.resize {
            Resize::Stretch => ((self.input.width, self.input.height), (0, 0)),
            Resize::LetterboxTopLeft => ((floor(w), floor(h)), (0, 0)),
            Resize::LetterboxCentre => {
                let size = (round(w), round(h));
                (size, ((self.input.width - size.0) / 2, (self.input.height - size.1) / 2))
            }
        };
        Fit { source: (width, height), resized, corner }
    }

    /// Fills the whole tensor with the padding's value.
    fn fill(&self, tensor: &mut [f32]) {
        let value = |channel: usize| f32::from(self.input.pad) * self.gain[channel] + self.bias[channel];
        match self.input.layout {
            Layout::Nchw => {
                let plane = tensor.len() / 3;
                for (channel, values) in tensor.chunks_exact_mut(plane.max(1)).enumerate().take(3) {
                    values.fill(value(channel));
                }
            }
            Layout::Nhwc => {
                for pixel in tensor.as_chunks_mut::<3>().0 {
                    *pixel = std::array::from_fn(value);
                }
            }
        }
    }

    /// Writes the resized pixels into their place.
    fn write(&self, pixels: &[u8], fit: Fit, tensor: &mut [f32]) {
        let stride = self.input.width as usize;
        let (width, left, top) = (fit.resized.0 as usize, fit.corner.0 as usize, fit.corner.1 as usize);
        let order = match self.input.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        let ([g0, g1, g2], [b0, b1, b2]) = (self.gain, self.bias);
        let rows = pixels.chunks_exact(width * 3).enumerate();
        match self.input.layout {
            Layout::Nchw => {
                let plane = tensor.len() / 3;
                let (first, rest) = tensor.split_at_mut(plane);
                let (second, third) = rest.split_at_mut(plane);
                for (row, source) in rows {
                    let start = (top + row) * stride + left;
                    let place = start..start + width;
                    let (first, second, third) =
                        (&mut first[place.clone()], &mut second[place.clone()], &mut third[place]);
                    let values = first.iter_mut().zip(second).zip(third);
                    for (pixel, ((first, second), third)) in source.as_chunks::<3>().0.iter().zip(values) {
                        *first = f32::from(pixel[order[0]]) * g0 + b0;
                        *second = f32::from(pixel[order[1]]) * g1 + b1;
                        *third = f32::from(pixel[order[2]]) * g2 + b2;
                    }
                }
            }
            Layout::Nhwc => {
                for (row, source) in rows {
                    let start = ((top + row) * stride + left) * 3;
                    let values = tensor[start..start + width * 3].as_chunks_mut::<3>().0;
                    for (pixel, value) in source.as_chunks::<3>().0.iter().zip(values) {
                        *value = [
                            f32::from(pixel[order[0]]) * g0 + b0,
                            f32::from(pixel[order[1]]) * g1 + b1,
                            f32::from(pixel[order[2]]) * g2 + b2,
                        ];
                    }
                }
            }
        }
    }
}
