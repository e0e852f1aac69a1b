//! What faults do to pictures.

use masa_inference::RgbImage;

/// Share of the light that is left of a dark picture.
const DARK: f32 = 0.03;

/// A picture almost without light.
pub fn darken(image: &mut RgbImage) {
    for value in &mut image.data {
        *value = (f32::from(*value) * DARK) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dark_picture_keeps_its_size_and_loses_its_light() {
        let mut image = RgbImage::new(2, 1, vec![255, 200, 100, 50, 0, 255]).unwrap();
        darken(&mut image);
        assert_eq!(image.data, [7, 6, 3, 1, 0, 7]);
    }
}
