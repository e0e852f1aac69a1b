//! Sun, sky, haze and exposure from the weather; noise for surfaces.
//!
//! Light is in one linear unit: a white surface at noon is about 3.

use super::mesh::{V3, v3};
use crate::weather::Weather;

pub(crate) type Rgb = [f32; 3];

pub(crate) fn mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

pub(crate) fn scale(a: Rgb, k: f32) -> Rgb {
    a.map(|v| v * k)
}

pub(crate) fn luminance(c: Rgb) -> f32 {
    0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]
}

pub(crate) fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Elevation of the sun (degrees) with the sky's radiance at the zenith and at the horizon, and the sun's light.
const SKIES: [(f32, Rgb, Rgb, Rgb); 8] = [
    (-18.0, [0.0012, 0.0014, 0.0024], [0.0030, 0.0030, 0.0036], [0.0, 0.0, 0.0]),
    (-8.0, [0.0060, 0.0090, 0.020], [0.022, 0.020, 0.024], [0.0, 0.0, 0.0]),
    (-3.0, [0.030, 0.047, 0.105], [0.16, 0.105, 0.085], [0.0, 0.0, 0.0]),
    (1.0, [0.085, 0.14, 0.29], [0.50, 0.33, 0.21], [0.28, 0.11, 0.03]),
    (6.0, [0.17, 0.31, 0.64], [0.80, 0.68, 0.53], [1.15, 0.66, 0.32]),
    (15.0, [0.22, 0.42, 0.88], [0.88, 0.92, 0.94], [1.95, 1.50, 1.02]),
    (35.0, [0.22, 0.44, 0.94], [0.86, 0.98, 1.10], [2.45, 2.20, 1.82]),
    (70.0, [0.21, 0.42, 0.92], [0.82, 0.96, 1.10], [2.60, 2.42, 2.12]),
];

/// Light at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Light {
    /// To the sun.
    pub(crate) sun: V3,
    /// On a surface that faces the sun.
    pub(crate) sun_rgb: Rgb,
    pub(crate) zenith: Rgb,
    pub(crate) horizon: Rgb,
    /// On a surface that faces up, and on one that faces down.
    pub(crate) from_above: Rgb,
    pub(crate) from_below: Rgb,
    /// Colour of haze, and how much of it a metre adds.
    pub(crate) haze_rgb: Rgb,
    pub(crate) haze_per_m: f32,
    pub(crate) cloud: f32,
    /// Street lamps and head lamps, 0 (off) to 1.
    pub(crate) lamps: f32,
    pub(crate) wetness: f32,
    /// Light to the chip's range: 1 saturates.
    pub(crate) exposure: f32,
}

impl Light {
    pub(crate) fn new(weather: &Weather) -> Self {
        let elevation = weather.sun_elevation_deg as f32;
        let azimuth = (weather.sun_azimuth_deg as f32).to_radians();
        // Nearer to the horizon shadows would have no end.
        let height = elevation.max(4.0).to_radians();
        let sun = v3(azimuth.sin() * height.cos(), azimuth.cos() * height.cos(), height.sin());
        let at = SKIES.windows(2).find(|p| elevation <= p[1].0).unwrap_or(&SKIES[6..8]);
        let t = ((elevation - at[0].0) / (at[1].0 - at[0].0)).clamp(0.0, 1.0);
        let (zenith, horizon, sun_rgb) = (mix(at[0].1, at[1].1, t), mix(at[0].2, at[1].2, t), mix(at[0].3, at[1].3, t));
        let fog = smooth(2500.0, 300.0, weather.visibility_m as f32);
        let cloud = (weather.cloud_cover as f32).max(smooth(0.0, 4.0, weather.rain_mm_per_h as f32) * 0.95).max(fog);
        let overcast = smooth(0.35, 1.0, cloud);
        // What clouds take from the sun they give back to the sky, less a part.
        let thick = 1.0 - 0.35 * smooth(2.0, 30.0, weather.rain_mm_per_h as f32);
        let grey = 0.62 * (luminance(zenith) * 0.7 + luminance(horizon) * 0.6 + luminance(sun_rgb) * sun.z * 0.38) * thick;
        let grey_sky = [grey * 0.97, grey, grey * 1.04];
        let zenith = mix(zenith, scale(grey_sky, 1.08), overcast);
        let horizon = mix(horizon, scale(grey_sky, 0.95), overcast);
        let sun_rgb = scale(sun_rgb, (1.0 - overcast).powi(2) * (1.0 - fog) + 0.015);
        let sun_rgb = if elevation > -1.0 { sun_rgb } else { [0.0; 3] };
        let from_above = std::array::from_fn(|i| (0.62 * zenith[i] + 0.38 * horizon[i]) * 0.95);
        let ground = [0.20, 0.195, 0.18];
        let from_below = std::array::from_fn(|i| ground[i] * (from_above[i] + sun_rgb[i] * sun.z * 0.8) + 0.06 * horizon[i]);
        let haze_rgb = mix(scale(mix(horizon, zenith, 0.2), 0.95), scale(grey_sky, 0.66), fog);
        let dark = smooth(3.0, -4.0, elevation);
        let lamps = if weather.lamps_lit() { dark.max(0.25).max(fog * 0.4) } else { 0.0 };
        let lit = luminance(from_above) + luminance(sun_rgb) * sun.z;
        // Meter: the road in mean light. At night less than fully compensated, as cameras do it.
        let metered = 0.20 * lit + 0.021 * dark;
        let exposure = (0.255 / metered) * (metered / 0.5).min(1.0).powf(0.12);
        Self {
            sun,
            sun_rgb,
            zenith,
            horizon,
            from_above,
            from_below,
            haze_rgb: std::array::from_fn(|i| haze_rgb[i] + dark * [0.004, 0.0035, 0.0028][i]),
            haze_per_m: 3.912 / (weather.visibility_m as f32).max(15.0),
            cloud,
            lamps,
            wetness: (weather.road_wetness as f32).clamp(0.0, 1.0),
            exposure: exposure.min(14.0),
        }
    }

    /// On a surface with a normal, from the sky and the ground.
    #[inline]
    pub(crate) fn ambient(&self, normal: V3) -> Rgb {
        mix(self.from_below, self.from_above, 0.5 + 0.5 * normal.z)
    }

    /// What comes from a direction above the horizon, without clouds.
    #[inline]
    pub(crate) fn sky(&self, up: f32) -> Rgb {
        let t = up.clamp(0.0, 1.0).sqrt();
        mix(self.horizon, self.zenith, (t * 1.35).min(1.0))
    }

    /// What a mirror sees in a direction: sky, a dark line of houses and trees, or the ground.
    #[inline]
    pub(crate) fn mirrored(&self, d: V3) -> Rgb {
        let ground = scale(self.from_below, 0.75);
        let houses: Rgb = std::array::from_fn(|i| self.from_above[i] * [0.20, 0.20, 0.19][i]);
        if d.z > 0.24 {
            self.sky(d.z)
        } else if d.z > 0.0 {
            mix(houses, self.sky(d.z), smooth(0.10, 0.24, d.z))
        } else {
            mix(houses, ground, smooth(0.0, -0.12, d.z))
        }
    }

    /// Share of light that haze lets through over a distance.
    #[inline]
    pub(crate) fn clear(&self, distance_m: f32) -> f32 {
        (-self.haze_per_m * distance_m).exp()
    }

    /// Adds haze over a distance.
    #[inline]
    pub(crate) fn hazed(&self, rgb: Rgb, distance_m: f32) -> Rgb {
        mix(self.haze_rgb, rgb, self.clear(distance_m))
    }
}

/// Hash of a lattice point, 0 to 1.
#[inline]
pub(crate) fn hash(x: i32, y: i32) -> f32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    (h >> 8) as f32 / 16_777_216.0
}

/// Smooth noise with a lattice of 1, 0 to 1.
#[inline]
pub(crate) fn noise(x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as i32, fy as i32);
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let top = hash(ix, iy) + (hash(ix + 1, iy) - hash(ix, iy)) * sx;
    let bottom = hash(ix, iy + 1) + (hash(ix + 1, iy + 1) - hash(ix, iy + 1)) * sx;
    top + (bottom - top) * sy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_brighter_than_nights_and_cameras_make_up_for_it() {
        let at = |sun_elevation_deg| Light::new(&Weather { sun_elevation_deg, ..Weather::default() });
        let (noon, dusk, night) = (at(50.0), at(-2.0), at(-20.0));
        let bright = |l: &Light| luminance(l.from_above);
        assert!(bright(&noon) > 4.0 * bright(&dusk) && bright(&dusk) > 5.0 * bright(&night));
        assert!(noon.exposure < dusk.exposure && dusk.exposure < night.exposure);
        assert!(noon.lamps == 0.0 && night.lamps == 1.0);
        let overcast = Light::new(&Weather { cloud_cover: 1.0, ..Weather::default() });
        assert!(luminance(overcast.sun_rgb) < 0.1 * luminance(noon.sun_rgb));
    }

    #[test]
    fn haze_leaves_a_fiftieth_of_the_contrast_at_the_visibility() {
        let light = Light::new(&Weather { visibility_m: 200.0, ..Weather::default() });
        let (white, black) = (light.hazed([1.0; 3], 200.0), light.hazed([0.0; 3], 200.0));
        assert!((white[0] - black[0] - 0.02).abs() < 0.001, "{white:?} {black:?}");
    }
}
