//! Kalman filter of a box in the image.
//!
//! State: the four edges with their velocities. Measurement and process noise are proportional to the size of the box and the
//! same for all edges, so the eight-state filter falls apart into four filters of two states, which is what runs here.
//! Process noise is a density over time: the same motion at any frame rate gives the same prediction.

use masa_inference::BoundingBox;
use serde::{Deserialize, Serialize};

/// Noise of boxes in the image, in units of the box size (mean of width and height).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
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

impl BoxNoise {
    /// Of persons on foot: the box breathes with their steps, and they are slow.
    pub const PERSON: Self = Self { measurement: 0.08, position: 0.1, velocity: 0.6, initial_velocity: 1.0 };
    /// Of vehicles and riders: rigid, and fast for their size.
    pub const VEHICLE: Self = Self { measurement: 0.04, position: 0.2, velocity: 1.8, initial_velocity: 1.0 };
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    value: f64,
    rate: f64,
    var_value: f64,
    cov: f64,
    var_rate: f64,
}

impl Edge {
    fn update(&mut self, measured: f64, variance: f64) {
        let total = self.var_value + variance;
        let (gain, rate_gain) = (self.var_value / total, self.cov / total);
        let innovation = measured - self.value;
        self.value += gain * innovation;
        self.rate += rate_gain * innovation;
        self.var_rate -= rate_gain * self.cov;
        self.cov *= 1.0 - gain;
        self.var_value *= 1.0 - gain;
    }
}

/// The filter: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BoxFilter {
    edges: [Edge; 4],
}

impl BoxFilter {
    pub(crate) fn new(measured: &BoundingBox, noise: &BoxNoise) -> Self {
        let size = size(measured);
        let (sigma, rate) = (noise.measurement * size, noise.initial_velocity * size);
        let edge = |value| Edge { value, rate: 0.0, var_value: sigma * sigma, cov: 0.0, var_rate: rate * rate };
        Self { edges: edges_of(measured).map(edge) }
    }

    pub(crate) fn predict(&mut self, dt_s: f64, noise: &BoxNoise) {
        let size = size(&self.estimate());
        let position = (noise.position * size).powi(2);
        let velocity = (noise.velocity * size).powi(2);
        for e in &mut self.edges {
            e.value += e.rate * dt_s;
            e.var_value += dt_s * (2.0 * e.cov + dt_s * e.var_rate) + position * dt_s + velocity * dt_s.powi(3) / 3.0;
            e.cov += dt_s * e.var_rate + velocity * dt_s * dt_s / 2.0;
            e.var_rate += velocity * dt_s;
        }
        self.keep_open();
    }

    /// Lets opposite edges move alike while the object is not seen: its growth is too uncertain to extrapolate.
    pub(crate) fn hold_size(&mut self) {
        for (near, far) in [(0, 2), (1, 3)] {
            let rate = 0.5 * (self.edges[near].rate + self.edges[far].rate);
            self.edges[near].rate = rate;
            self.edges[far].rate = rate;
        }
    }

    pub(crate) fn update(&mut self, measured: &BoundingBox, noise: &BoxNoise) {
        let variance = (noise.measurement * size(measured)).powi(2);
        for (edge, value) in self.edges.iter_mut().zip(edges_of(measured)) {
            edge.update(value, variance);
        }
        self.keep_open();
    }

    /// A shrinking box must not turn inside out.
    fn keep_open(&mut self) {
        for (near, far) in [(0, 2), (1, 3)] {
            self.edges[far].value = self.edges[far].value.max(self.edges[near].value + 1.0);
        }
    }

    pub(crate) fn estimate(&self) -> BoundingBox {
        let [x1_px, y1_px, x2_px, y2_px] = self.edges.map(|e| e.value as f32);
        BoundingBox { x1_px, y1_px, x2_px, y2_px }
    }

    /// Standard deviation of each edge, pixels.
    pub(crate) fn deviation_px(&self) -> [f64; 4] {
        self.edges.map(|e| e.var_value.max(0.0).sqrt())
    }
}

fn edges_of(b: &BoundingBox) -> [f64; 4] {
    [b.x1_px, b.y1_px, b.x2_px, b.y2_px].map(f64::from)
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
        let noise = BoxNoise::VEHICLE;
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
        let noise = BoxNoise::VEHICLE;
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
