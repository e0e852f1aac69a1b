//! Planar YUV 4:2:0 to interleaved RGB, once, with the matrix and range that the stream states.
//!
//! Fixed-point, 13 fractional bits: within one step of the exact value. Chroma is taken from the nearest sample, as
//! detectors do not see the difference. The loop is compiled for each set of vector instructions and chosen by what the
//! processor has; all of them are integer arithmetic and give the same bytes.

use super::sps::StreamFacts;
use fearless_simd::{Level, Simd, dispatch};

/// Borrowed planes; chroma has half the width and height, rounded up.
pub(crate) struct Planes<'a> {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) y: &'a [u8],
    pub(crate) u: &'a [u8],
    pub(crate) v: &'a [u8],
    pub(crate) y_stride: usize,
    pub(crate) uv_stride: usize,
}

const FRACTION_BITS: i32 = 13;

/// Fixed-point coefficients of a YUV → RGB conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Conversion {
    black: i32,
    luma: i32,
    v_to_red: i32,
    u_to_green: i32,
    v_to_green: i32,
    u_to_blue: i32,
}

impl Conversion {
    /// The conversion of a stream: BT.709 where it says so, else BT.601, which decoders assume of unmarked video.
    pub(crate) fn of(facts: &StreamFacts) -> Self {
        let (red, blue) = match facts.matrix_coefficients {
            Some(1) => (0.2126, 0.0722),
            Some(9 | 10) => (0.2627, 0.0593),
            _ => (0.299, 0.114),
        };
        let (black, luma_range, chroma_range) = if facts.full_range { (0, 255.0, 255.0) } else { (16, 219.0, 224.0) };
        let green = 1.0 - red - blue;
        let fixed = |value: f64| (value * f64::from(1 << FRACTION_BITS)).round() as i32;
        let chroma = 255.0 / chroma_range;
        Self {
            black,
            luma: fixed(255.0 / luma_range),
            v_to_red: fixed(chroma * 2.0 * (1.0 - red)),
            u_to_green: fixed(-chroma * 2.0 * (1.0 - blue) * blue / green),
            v_to_green: fixed(-chroma * 2.0 * (1.0 - red) * red / green),
            u_to_blue: fixed(chroma * 2.0 * (1.0 - blue)),
        }
    }

    /// Converts a picture to `height × width × 3` bytes, RGB. Rows that the planes lack stay black.
    pub(crate) fn to_rgb(self, planes: &Planes<'_>) -> Vec<u8> {
        let (width, height) = (planes.width, planes.height);
        let mut rgb = vec![0; width * height * 3];
        if width > 0 {
            dispatch!(Level::new(), simd => simd.vectorize(
                #[inline(always)]
                || self.rows_to_rgb(&mut rgb, planes)
            ));
        }
        rgb
    }

    /// Inlined, as [`Self::row_to_rgb`] is, to be compiled with the caller's vector instructions.
    #[inline(always)]
    fn rows_to_rgb(self, rgb: &mut [u8], planes: &Planes<'_>) {
        let width = planes.width;
        let chroma_width = width.div_ceil(2);
        let luma_rows = planes.y.chunks(planes.y_stride.max(1));
        for (row, (out, y)) in rgb.chunks_exact_mut(width * 3).zip(luma_rows).enumerate() {
            let at = row / 2 * planes.uv_stride;
            let chroma = at..at + chroma_width;
            let (Some(y), Some(u), Some(v)) = (y.get(..width), planes.u.get(chroma.clone()), planes.v.get(chroma))
            else {
                break;
            };
            self.row_to_rgb(out, y, u, v);
        }
    }

    // Plain indexing: in a development build chains of iterators cost ten times as much.
    #[inline(always)]
    fn row_to_rgb(self, out: &mut [u8], y: &[u8], u: &[u8], v: &[u8]) {
        let (pairs, odd) = out.as_chunks_mut::<6>();
        let (luma, _) = y.as_chunks::<2>();
        let count = pairs.len();
        let (luma, u_pairs, v_pairs) = (&luma[..count], &u[..count], &v[..count]);
        let mut at = 0;
        while at < count {
            let [red, green, blue] = self.shades(u_pairs[at], v_pairs[at]);
            let [first, second] = [self.luma(luma[at][0]), self.luma(luma[at][1])];
            pairs[at] = [
                to_byte(first + red),
                to_byte(first + green),
                to_byte(first + blue),
                to_byte(second + red),
                to_byte(second + green),
                to_byte(second + blue),
            ];
            at += 1;
        }
        if let [red, green, blue] = odd {
            let shades = self.shades(u[count], v[count]);
            let luma = self.luma(y[2 * count]);
            (*red, *green, *blue) = (to_byte(luma + shades[0]), to_byte(luma + shades[1]), to_byte(luma + shades[2]));
        }
    }

    #[inline]
    const fn luma(self, y: u8) -> i32 {
        (y as i32 - self.black) * self.luma
    }

    /// What chroma adds to red, green and blue, with the half that rounds.
    #[inline]
    const fn shades(self, u: u8, v: u8) -> [i32; 3] {
        const HALF: i32 = 1 << (FRACTION_BITS - 1);
        let (u, v) = (u as i32 - 128, v as i32 - 128);
        [self.v_to_red * v + HALF, self.u_to_green * u + self.v_to_green * v + HALF, self.u_to_blue * u + HALF]
    }
}

#[inline]
const fn to_byte(fixed: i32) -> u8 {
    let value = fixed >> FRACTION_BITS;
    if value < 0 {
        0
    } else if value > 255 {
        255
    } else {
        value as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// BT.601 and BT.709 in floating point, from their luma weights.
    fn exact(facts: &StreamFacts, y: u8, u: u8, v: u8) -> [f64; 3] {
        let (red, blue) = if facts.matrix_coefficients == Some(1) { (0.2126, 0.0722) } else { (0.299, 0.114) };
        let (black, luma, chroma) = if facts.full_range { (0.0, 255.0, 255.0) } else { (16.0, 219.0, 224.0) };
        let y = (f64::from(y) - black) / luma;
        let (pb, pr) = ((f64::from(u) - 128.0) / chroma, (f64::from(v) - 128.0) / chroma);
        let (r, b) = (y + 2.0 * (1.0 - red) * pr, y + 2.0 * (1.0 - blue) * pb);
        let g = (y - red * r - blue * b) / (1.0 - red - blue);
        [r, g, b].map(|value| (value * 255.0).clamp(0.0, 255.0))
    }

    proptest! {
        #[test]
        fn pixels_are_within_one_step_of_the_exact_value(
            y: u8, u: u8, v: u8, full_range: bool, matrix in prop::option::of(prop::sample::select(vec![1_u8, 2, 6]))
        ) {
            let facts = StreamFacts { full_range, matrix_coefficients: matrix, ..StreamFacts::default() };
            let planes = Planes { width: 1, height: 1, y: &[y], u: &[u], v: &[v], y_stride: 1, uv_stride: 1 };
            let rgb = Conversion::of(&facts).to_rgb(&planes);
            for (got, want) in rgb.iter().zip(exact(&facts, y, u, v)) {
                prop_assert!((f64::from(*got) - want).abs() <= 1.0, "{rgb:?} for {want}");
            }
        }
    }

    proptest! {
        #[test]
        fn vector_instructions_give_what_each_pixel_alone_gives(
            y in prop::collection::vec(any::<u8>(), 3 * 100),
            u in prop::collection::vec(any::<u8>(), 2 * 50),
            v in prop::collection::vec(any::<u8>(), 2 * 50),
            width in 1_usize..=100,
            full_range: bool,
        ) {
            let conversion = Conversion::of(&StreamFacts { full_range, ..StreamFacts::default() });
            let planes = Planes { width, height: 3, y: &y, u: &u, v: &v, y_stride: 100, uv_stride: 50 };
            let rgb = conversion.to_rgb(&planes);
            for (at, pixel) in rgb.chunks(3).enumerate() {
                let (row, column) = (at / width, at % width);
                let (luma, chroma) = (row * 100 + column, row / 2 * 50 + column / 2);
                let [y, u, v] = [&y[luma..=luma], &u[chroma..=chroma], &v[chroma..=chroma]];
                let alone = conversion.to_rgb(&Planes { width: 1, height: 1, y, u, v, y_stride: 1, uv_stride: 1 });
                prop_assert_eq!(pixel, &alone[..], "{} of row {}", column, row);
            }
        }
    }

    #[test]
    fn strides_odd_sizes_and_chroma_neighbours_are_respected() {
        let facts = StreamFacts { full_range: true, ..StreamFacts::default() };
        let y = [10, 20, 30, 99, 40, 50, 60, 99, 70, 80, 90, 99];
        let u = [128, 200, 0, 128, 128, 0];
        let planes = Planes { width: 3, height: 3, y: &y, u: &u, v: &[128; 6], y_stride: 4, uv_stride: 3 };
        let rgb = Conversion::of(&facts).to_rgb(&planes);
        let reds: Vec<_> = rgb.chunks(3).map(|pixel| pixel[0]).collect();
        assert_eq!(reds, [10, 20, 30, 40, 50, 60, 70, 80, 90]);
        let tinted: Vec<_> = rgb.chunks(3).map(|pixel| pixel[2] > pixel[0]).collect();
        assert_eq!(tinted, [false, false, true, false, false, true, false, false, false]);
    }

    #[test]
    fn short_planes_leave_black_rows() {
        let planes = Planes { width: 2, height: 4, y: &[200; 4], u: &[128], v: &[128], y_stride: 2, uv_stride: 1 };
        let rgb = Conversion::of(&StreamFacts::default()).to_rgb(&planes);
        assert!(rgb[..12].iter().all(|&value| value > 200) && rgb[12..].iter().all(|&value| value == 0));
    }
}
