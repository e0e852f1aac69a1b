//! The telemetry as the page shows it.

use super::counters::lock;
use super::histogram::{LatencyHistogram, WINDOW_S};
use super::{Stage, Telemetry};
use crate::effect::MessageKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything measured, at one instant.
#[derive(Clone, Debug, Serialize)]
pub struct TelemetryView {
    /// Seconds since the node started.
    pub uptime_s: f64,
    /// Length of the sliding window, seconds.
    pub window_s: u64,
    /// Stages that were measured at least once, in path order.
    pub stages: Vec<StageView>,
    /// Frames delivered, by camera name.
    pub frames: Vec<CountView>,
    /// Frames that never reached the detector, by camera and reason.
    pub frames_dropped: Vec<DropView>,
    /// Readings that were refused, by source and reason.
    pub readings_rejected: Vec<DropView>,
    /// Messages made, by kind.
    pub messages: Vec<KindView>,
    /// Messages accepted, by link and kind.
    pub published: Vec<PublishedView>,
}

/// Latency of one stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageView {
    /// The stage.
    pub stage: Stage,
    /// Over the sliding window.
    pub window: LatencyView,
    /// Since the node started.
    pub total: LatencyView,
}

/// A latency distribution; durations in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyView {
    /// How many were measured.
    pub count: u64,
    /// Median.
    pub p50_us: f64,
    /// 90th percentile.
    pub p90_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Longest.
    pub max_us: f64,
    /// Non-empty buckets, ascending: inclusive upper bound (µs) and count; four per power of two.
    pub buckets: Vec<(f64, u64)>,
}

impl From<&LatencyHistogram> for LatencyView {
    fn from(h: &LatencyHistogram) -> Self {
        let us = |q: f64| h.quantile(q).as_nanos() as f64 * 1e-3;
        Self {
            count: h.count(),
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            max_us: h.max().as_nanos() as f64 * 1e-3,
            buckets: h.chart_buckets(),
        }
    }
}

/// A named count with its last minute.
#[derive(Clone, Debug, Serialize)]
pub struct CountView {
    /// What is counted.
    pub name: String,
    /// Since the start.
    pub total: u64,
    /// The finished seconds of the last minute, oldest first.
    pub per_second: Vec<u32>,
}

/// Messages of one kind that the core made.
#[derive(Clone, Debug, Serialize)]
pub struct KindView {
    /// The kind.
    pub kind: MessageKind,
    /// Since the start.
    pub total: u64,
    /// The finished seconds of the last minute, oldest first.
    pub per_second: Vec<u32>,
}

/// Drops of one source for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct DropView {
    /// The source.
    pub source: String,
    /// Why.
    pub reason: &'static str,
    /// Since the start.
    pub total: u64,
}

/// Messages of one kind that one link accepted.
#[derive(Clone, Debug, Serialize)]
pub struct PublishedView {
    /// The link.
    pub link: String,
    /// The kind.
    pub kind: MessageKind,
    /// Since the start.
    pub total: u64,
}

impl Telemetry {
    /// Everything measured so far.
    pub fn view(&self) -> TelemetryView {
        let uptime = self.uptime();
        let second = uptime.as_secs();
        let stages = Stage::ALL
            .into_iter()
            .filter_map(|stage| {
                let mut windowed = lock(&self.stages[stage as usize]);
                let window = windowed.window(second);
                (windowed.total().count() > 0).then(|| StageView {
                    stage,
                    window: (&window).into(),
                    total: windowed.total().into(),
                })
            })
            .collect();
        let mut counters = lock(&self.counters);
        TelemetryView {
            uptime_s: uptime.as_secs_f64(),
            window_s: WINDOW_S,
            stages,
            frames: counters
                .frames
                .iter_mut()
                .map(|(name, r)| CountView { name: name.clone(), total: r.total, per_second: r.history(second) })
                .collect(),
            messages: counters
                .generated
                .iter_mut()
                .map(|(&kind, r)| KindView { kind, total: r.total, per_second: r.history(second) })
                .collect(),
            frames_dropped: drops(&counters.frames_dropped),
            readings_rejected: drops(&counters.readings_rejected),
            published: counters
                .published
                .iter()
                .map(|((link, kind), &total)| PublishedView { link: link.clone(), kind: *kind, total })
                .collect(),
        }
    }
}

fn drops(counts: &BTreeMap<(String, &'static str), u64>) -> Vec<DropView> {
    counts.iter().map(|((source, reason), &total)| DropView { source: source.clone(), reason, total }).collect()
}
