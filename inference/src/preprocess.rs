//! From an RGB image to the network's input tensor: resize, pad, reorder, normalise.
//!
//! In: an image of any size. Out: the tensor filled and the [`Placement`] that maps boxes back. The padding is written
//! only when the image size changes, so the tensor must keep its contents between calls. Nothing is allocated once an
//! image size has been seen.

use fast_image_resize::{
    FilterType, ResizeAlg, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::U8x3,
};
use fearless_simd::{Level, Simd, dispatch};

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

    /// Forgets what the tensor holds: the next one is another.
    pub(crate) fn forget(&mut self) {
        self.last = None;
    }

    /// Fills `tensor`, which has the shape of the description and its contents of the call before.
    pub(crate) fn run(&mut self, image: &RgbImage, tensor: &mut [f32]) -> Result<Placement, Error> {
        let failed = |reason: String| Error::Resize { width: image.width, height: image.height, reason };
        if image.data.len() as u64 != u64::from(image.width) * u64::from(image.height) * 3 {
            return Err(failed(format!("it holds {} bytes", image.data.len())));
        }
        if image.data.is_empty() {
            return Err(failed("it has no pixels".to_owned()));
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
            let source = TypedImageRef::<U8x3>::from_buffer(image.width, image.height, &image.data);
            let source = source.map_err(|error| failed(error.to_string()))?;
            let target = TypedImage::<U8x3>::from_buffer(width, height, &mut self.resized);
            let mut target = target.map_err(|error| failed(error.to_string()))?;
            // Two taps without anti-aliasing, as OpenCV does: public models were trained and measured with it.
            let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
            // `resize` would compile the code of every pixel type, five megabytes.
            self.resizer.resize_typed(&source, &mut target, &options).map_err(|error| failed(error.to_string()))?;
            self.resized.as_slice()
        };
        dispatch!(Level::new(), simd => simd.vectorize(
            #[inline(always)]
            || self.write(pixels, fit, tensor)
        ));
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

    /// Writes the resized pixels into their place. Inlined to be compiled with the caller's vector instructions.
    #[inline(always)]
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::ModelDescription;

    /// A preprocessor for `lines` of the `[input]` section.
    fn preprocessor(lines: &str) -> Preprocessor {
        let text = format!(
            "[model]\nname = 'm'\nfile = 'm.onnx'\nlicence = 'MIT'\n[input]\n{lines}\n\
             [head]\ntype = 'yolov8'\nscore-threshold = 0.3\nnms-iou = 0.5\n[classes]\n0 = 'car'\n"
        );
        Preprocessor::new(ModelDescription::parse(&text, Path::new("m.toml")).unwrap().input)
    }

    fn plain(width: u32, height: u32, colour: [u8; 3]) -> RgbImage {
        RgbImage::new(width, height, colour.repeat((width * height) as usize)).unwrap()
    }

    #[test]
    fn channels_are_ordered_and_normalised() {
        let image = RgbImage::new(2, 1, vec![10, 20, 30, 40, 50, 60]).unwrap();
        let size = "width = 2\nheight = 1\nresize = 'stretch'";
        let mut tensor = vec![0.0; 6];
        let numbers = "scale = 0.5\nmean = [1.0, 2.0, 3.0]\nstd = [2.0, 4.0, 8.0]";
        preprocessor(&format!("{size}\ncolour = 'rgb'\n{numbers}")).run(&image, &mut tensor).unwrap();
        assert_eq!(tensor, [2.0, 9.5, 2.0, 5.75, 1.5, 3.375]);
        preprocessor(&format!("{size}\ncolour = 'bgr'")).run(&image, &mut tensor).unwrap();
        assert_eq!(tensor, [30.0, 60.0, 20.0, 50.0, 10.0, 40.0]);
        preprocessor(&format!("{size}\ncolour = 'bgr'\nlayout = 'nhwc'")).run(&image, &mut tensor).unwrap();
        assert_eq!(tensor, [30.0, 20.0, 10.0, 60.0, 50.0, 40.0]);
    }

    #[test]
    fn padding_surrounds_the_image_also_after_a_change_of_size() {
        for layout in ["nchw", "nhwc"] {
            let lines = format!("width = 8\nheight = 8\ncolour = 'rgb'\nlayout = '{layout}'\npad = 7");
            let mut centred = preprocessor(&format!("{lines}\nresize = 'letterbox-centre'"));
            let mut cornered = preprocessor(&format!("{lines}\nresize = 'letterbox-top-left'"));
            let mut tensor = vec![0.0; 192];
            let red = |tensor: &[f32], x: usize, y: usize| match layout {
                "nchw" => tensor[y * 8 + x],
                _ => tensor[(y * 8 + x) * 3],
            };
            // Wide, tall, wide again: rows 2 to 5 or columns 2 to 5 hold the image in the centred form.
            for (width, height) in [(16, 8), (8, 16), (4, 2)] {
                let image = plain(width, height, [200, 0, 0]);
                let placement = centred.run(&image, &mut tensor).unwrap();
                for (x, y) in (0..64).map(|i| (i % 8, i / 8)) {
                    let inside = (2..6).contains(if width > height { &y } else { &x });
                    let expected = if inside { 200.0 } else { 7.0 };
                    assert_eq!(red(&tensor, x, y), expected, "{width}×{height} at {x}, {y}");
                }
                let edges = if width > height { [0.0, 2.0, 8.0, 6.0] } else { [2.0, 0.0, 6.0, 8.0] };
                let whole = BoundingBox { x1_px: 0.0, y1_px: 0.0, x2_px: width as f32, y2_px: height as f32 };
                assert_eq!(placement.to_source(edges, &image), whole);
                // Boxes that reach into the padding are clipped.
                assert_eq!(placement.to_source([-3.0, -3.0, 11.0, 11.0], &image), whole);
            }
            let image = plain(16, 8, [200, 0, 0]);
            let mut tensor = vec![0.0; 192];
            let placement = cornered.run(&image, &mut tensor).unwrap();
            assert_eq!((red(&tensor, 7, 3), red(&tensor, 0, 4)), (200.0, 7.0));
            let found = placement.to_source([2.0, 1.0, 4.0, 3.0], &image);
            assert_eq!(found, BoundingBox { x1_px: 4.0, y1_px: 2.0, x2_px: 8.0, y2_px: 6.0 });
        }
    }

    #[test]
    fn sizes_follow_the_reference_implementations() {
        let lines = "width = 416\nheight = 416\ncolour = 'bgr'";
        let cornered = preprocessor(&format!("{lines}\nresize = 'letterbox-top-left'"));
        assert_eq!(cornered.fit(800, 600).resized, (416, 312));
        assert_eq!(cornered.fit(810, 1080).resized, (312, 416));
        assert_eq!(cornered.fit(1919, 1080).resized, (416, 234));
        let centred = preprocessor(&format!("{lines}\nresize = 'letterbox-centre'"));
        assert_eq!(centred.fit(1000, 601).resized, (416, 250));
        assert_eq!(centred.fit(1000, 601).corner, (0, 83));
    }

    #[test]
    fn impossible_images_are_errors() {
        let mut preprocessor = preprocessor("width = 8\nheight = 8\ncolour = 'rgb'\nresize = 'letterbox-top-left'");
        let mut tensor = vec![0.0; 192];
        for (width, height, bytes) in [(0, 0, 0), (0, 5, 0), (8, 8, 3), (100_000, 1, 300_000)] {
            let image = RgbImage { width, height, data: vec![0; bytes] };
            let error = preprocessor.run(&image, &mut tensor).unwrap_err();
            assert!(error.to_string().contains(&format!("{width}×{height} px")), "{error}");
        }
    }
}
