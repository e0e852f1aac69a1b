//! Kalman filter of a box in the image.
//!
//! State: centre, width and height with their velocities. Measurement and process noise are proportional to the size of the
//! box and the same for all four quantities, so the eight-state filter falls apart into four filters of two states, which is
//! what runs here. Process noise is a density over time: the same motion at any frame rate gives the same prediction.

use masa_inference::BoundingBox;
use serde::{Deserialize, Serialize};

/// Noise of boxes in the image, in units of the box size (mean of width and height).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BoxNoise {
    /// Standard deviation of a measured edge, box sizes.
    pub measurement: f64,
    /// Random walk of the position, box sizes per √s.
    pub position: f64,
    /// Random walk of the velocity, box sizes per second per √s.
    pub velocity: f64,
    /// Standard deviation of a new track's velocity, box sizes per second.
    pub initial_velocity: f64,
}

impl Default for BoxNoise {
    /// ByteTrack's values for 30 frames a second (1/20, 1/20 and 1/160 of the size a frame), as densities.
    fn default() -> Self {
        Self { measurement: 0.05, position: 0.27, velocity: 1.0, initial_velocity: 1.9 }
    }
}

#[derive(Clone, Copy, Debug)]
struct Axis {
    value: f64,
    rate: f64,
    var_value: f64,
    cov: f64,
    var_rate: f64,
}

/// The filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoxFilter {
    axes: [Axis; 4],
}

impl BoxFilter {
    pub(crate) fn new(measured: &BoundingBox, noise: &BoxNoise) -> Self {
        let size = size(measured);
        let (sigma, rate) = (noise.measurement * size, noise.initial_velocity * size);
        Self {
            axes: axes_of(measured).map(|value| Axis {
                value,
                rate: 0.0,
                var_value: sigma * sigma,
                cov: 0.0,
                var_rate: rate * rate,
            }),
        }
    }

    pub(crate) fn predict(&mut self, dt_s: f64, noise: &BoxNoise) {
        let size = size(&self.estimate());
        let position = (noise.position * size).powi(2);
        let velocity = (noise.velocity * size).powi(2);
        for a in &mut self.axes {
            a.value += a.rate * dt_s;
            a.var_value += dt_s * (2.0 * a.cov + dt_s * a.var_rate) + position * dt_s + velocity * dt_s.powi(3) / 3.0;
            a.cov += dt_s * a.var_rate + velocity * dt_s * dt_s / 2.0;
            a.var_rate += velocity * dt_s;
        }
        // A shrinking box must not turn inside out while it coasts.
        for a in &mut self.axes[2..] {
            a.value = a.value.max(1.0);
        }
    }

    /// Holds width and height while the object is not seen: their rates are too uncertain to extrapolate.
    pub(crate) fn hold_size(&mut self) {
        for a in &mut self.axes[2..] {
            a.rate = 0.0;
        }
    }

    pub(crate) fn update(&mut self, measured: &BoundingBox, noise: &BoxNoise) {
        let variance = (noise.measurement * size(measured)).powi(2);
        for (a, value) in self.axes.iter_mut().zip(axes_of(measured)) {
            let total = a.var_value + variance;
            let (gain, rate_gain) = (a.var_value / total, a.cov / total);
            let innovation = value - a.value;
            a.value += gain * innovation;
            a.rate += rate_gain * innovation;
            a.var_rate -= rate_gain * a.cov;
            a.cov *= 1.0 - gain;
            a.var_value *= 1.0 - gain;
        }
        for a in &mut self.axes[2..] {
            a.value = a.value.max(1.0);
        }
    }

    pub(crate) fn estimate(&self) -> BoundingBox {
        let [x, y, w, h] = self.axes.map(|a| a.value);
        BoundingBox {
            x1_px: (x - 0.5 * w) as f32,
            y1_px: (y - 0.5 * h) as f32,
            x2_px: (x + 0.5 * w) as f32,
            y2_px: (y + 0.5 * h) as f32,
        }
    }
}

fn axes_of(b: &BoundingBox) -> [f64; 4] {
    let [x1, y1, x2, y2] = [b.x1_px, b.y1_px, b.x2_px, b.y2_px].map(f64::from);
    [0.5 * (x1 + x2), 0.5 * (y1 + y2), x2 - x1, y2 - y1]
}

fn size(b: &BoundingBox) -> f64 {
    f64::from(0.5 * (b.width_px() + b.height_px())).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> BoundingBox {
        BoundingBox { x1_px: x, y1_px: 100.0, x2_px: x + 60.0, y2_px: 140.0 }
    }

    /// Where a box that moved at 90 px/s for a second is expected 0.2 s later, filtered at `fps`.
    fn predicted_after_a_second(fps: u32) -> f32 {
        let noise = BoxNoise::default();
        let mut filter = BoxFilter::new(&at(0.0), &noise);
        for frame in 1..=fps {
            filter.predict(1.0 / f64::from(fps), &noise);
            filter.update(&at(90.0 * frame as f32 / fps as f32), &noise);
        }
        filter.predict(0.2, &noise);
        filter.estimate().x1_px
    }

    #[test]
    fn prediction_does_not_depend_on_the_frame_rate() {
        for fps in [5, 10, 20, 40] {
            let x = predicted_after_a_second(fps);
            assert!((x - 108.0).abs() < 2.5, "{fps} fps: {x}");
        }
    }

    #[test]
    fn a_coasting_box_never_turns_inside_out() {
        let noise = BoxNoise::default();
        let mut filter = BoxFilter::new(&at(0.0), &noise);
        for shrink in 1..=20 {
            filter.predict(0.05, &noise);
            let b = BoundingBox { x2_px: 60.0 - 2.9 * shrink as f32, ..at(0.0) };
            filter.update(&b, &noise);
        }
        filter.predict(5.0, &noise);
        assert!(filter.estimate().width_px() >= 0.99);
    }
}
