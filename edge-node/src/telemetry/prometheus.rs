//! Prometheus text (exposition format 0.0.4) of the telemetry, and of whatever other crates put into `metrics`.
//!
//! The node's own families are written here because their histograms are exact: bucket bounds are powers of two of
//! nanoseconds, which are also bounds of [`super::LatencyHistogram`].

use super::counters::lock;
use super::{Stage, Telemetry};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::fmt::{Display, Write};
use std::sync::OnceLock;

/// Bucket bounds: 2^10 ns (1 µs) to 2^35 ns (34 s).
const EXPONENTS: std::ops::RangeInclusive<u32> = 10..=35;

/// The process's `metrics` recorder, installed on first use; `None` when another recorder was there before.
///
/// Who holds the handle calls `run_upkeep` every few seconds, or histograms that nobody scrapes keep growing;
/// [`crate::web::serve`] does.
pub fn metrics_handle() -> Option<PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new().build_recorder();
            let handle = recorder.handle();
            metrics::set_global_recorder(recorder).is_ok().then_some(handle)
        })
        .clone()
}

impl Telemetry {
    /// Prometheus text of everything measured here.
    pub fn prometheus(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        family(&mut text, "masa_uptime_seconds", "gauge", "Seconds since the node started.");
        sample(&mut text, "masa_uptime_seconds", &[], self.uptime().as_secs_f64());
        self.write_stages(&mut text);
        let counters = lock(&self.counters);
        family(&mut text, "masa_frames_total", "counter", "Frames that a camera delivered.");
        for (camera, rate) in &counters.frames {
            sample(&mut text, "masa_frames_total", &[("camera", camera)], rate.total);
        }
        for (name, help, counts) in [
            ("masa_frames_dropped_total", "Frames that never reached the detector.", &counters.frames_dropped),
            ("masa_readings_rejected_total", "Readings that were refused.", &counters.readings_rejected),
        ] {
            family(&mut text, name, "counter", help);
            for ((source, reason), total) in counts {
                sample(&mut text, name, &[("source", source), ("reason", reason)], total);
            }
        }
        family(&mut text, "masa_messages_generated_total", "counter", "V2X messages that the node made.");
        for (kind, rate) in &counters.generated {
            sample(&mut text, "masa_messages_generated_total", &[("kind", kind.name())], rate.total);
        }
        family(&mut text, "masa_messages_total", "counter", "V2X messages that a link accepted.");
        for ((link, kind), total) in &counters.published {
            sample(&mut text, "masa_messages_total", &[("kind", kind.name()), ("link", link)], total);
        }
        text
    }

    fn write_stages(&self, text: &mut String) {
        const NAME: &str = "masa_stage_latency_seconds";
        family(text, NAME, "histogram", "Time spent in a stage of the path from photon to message.");
        for stage in Stage::ALL {
            let stages = lock(&self.stages[stage as usize]);
            let histogram = stages.total();
            if histogram.count() == 0 {
                continue;
            }
            let label = ("stage", stage.name());
            for exponent in EXPONENTS {
                let bound = ((1u64 << exponent) as f64 * 1e-9).to_string();
                let n = histogram.count_up_to_power_of_two_ns(exponent);
                sample(text, &format!("{NAME}_bucket"), &[label, ("le", &bound)], n);
            }
            sample(text, &format!("{NAME}_bucket"), &[label, ("le", "+Inf")], histogram.count());
            sample(text, &format!("{NAME}_sum"), &[label], histogram.sum().as_secs_f64());
            sample(text, &format!("{NAME}_count"), &[label], histogram.count());
        }
    }
}

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    text.push_str(name);
    for (i, (label, content)) in labels.iter().enumerate() {
        let _ = write!(text, "{}{label}=\"", if i == 0 { '{' } else { ',' });
        for c in content.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                c => text.push(c),
            }
        }
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
    let _ = writeln!(text, " {value}");
}
