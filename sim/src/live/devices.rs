//! What stands at the street: cameras, receivers, signal controllers.

use super::lines::LineServer;
use super::mjpeg::{MjpegServer, Picture};
use super::mqtt::Publisher;
use super::street::Device;
use crate::actor::ActorId;
use crate::roads::{Roads, SignalState};
use crate::run::signals;
use crate::sensors::camera::{Camera, ImageFault};
use crate::sensors::gnss::Gnss;
use crate::snapshot::Snapshot;
use masa_v2x_proto::time::Timestamp;
use serde_json::json;
use std::sync::Arc;

/// Quality of a network camera's pictures, 1 to 100.
const JPEG_QUALITY: u8 = 85;

/// A network camera.
pub(super) struct NetworkCamera {
    pub(super) name: String,
    pub(super) rate_hz: f64,
    pub(super) camera: Camera,
    pub(super) server: Arc<MjpegServer>,
}

impl Device for NetworkCamera {
    fn period_s(&self) -> f64 {
        1.0 / self.rate_hz
    }

    fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
        let Some(frame) = self.camera.render(snapshot, ImageFault::None) else { return };
        let mut jpeg = Vec::with_capacity(64 * 1024);
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY);
        let [width, height] = frame.size_px;
        match image::ImageEncoder::write_image(encoder, &frame.rgb, width, height, image::ExtendedColorType::Rgb8) {
            Ok(()) => {
                self.server.show(&self.name, Picture { jpeg: jpeg.into(), captured_at: at });
            }
            Err(error) => tracing::warn!(camera = self.name, %error, "a picture could not be encoded"),
        }
    }
}

/// A GNSS receiver in a car, on a serial server.
pub(super) struct CarReceiver {
    pub(super) actor: ActorId,
    pub(super) period_s: f64,
    pub(super) gnss: Gnss,
    pub(super) server: LineServer,
}

impl Device for CarReceiver {
    fn period_s(&self) -> f64 {
        self.period_s
    }

    fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
        if let Some(reading) = self.gnss.measure(snapshot, self.actor) {
            // Its times count from the start of the world.
            let start = at.plus_ns(-((snapshot.time_s * 1e9) as i64));
            self.server.say(reading.nmea(start));
        }
    }
}

/// The signal controllers of the map, behind a broker.
pub(super) struct Controllers {
    pub(super) roads: Arc<Roads>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) shown: Vec<Vec<SignalState>>,
    pub(super) told_s: f64,
}

/// Topic of what the signals of an intersection show.
pub(super) fn signals_topic(intersection: impl std::fmt::Display) -> String {
    format!("controller/{intersection}/signals")
}

impl Device for Controllers {
    fn period_s(&self) -> f64 {
        0.1
    }

    fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
        if self.shown == snapshot.signals && snapshot.time_s - self.told_s < 1.0 {
            return;
        }
        self.shown.clone_from(&snapshot.signals);
        self.told_s = snapshot.time_s;
        for report in signals::reports(&self.roads, snapshot, at) {
            let groups: Vec<_> = report
                .groups
                .iter()
                .map(|group| {
                    let mut document = json!({ "group": group.group, "shows": group.shows });
                    for (name, end) in
                        [("min-end", group.min_end), ("max-end", group.max_end), ("likely-end", group.likely_end)]
                    {
                        if let Some(end) = end {
                            document[name] = json!(rfc3339(end));
                        }
                    }
                    document
                })
                .collect();
            let document = json!({
                "intersection": report.intersection,
                "time": rfc3339(report.captured_at),
                "operation": report.operation,
                "groups": groups,
            });
            self.publisher.publish(&signals_topic(report.intersection), &document);
        }
    }
}

fn rfc3339(at: Timestamp) -> String {
    // Times beyond the calendar are shown as its end.
    jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).unwrap_or(jiff::Timestamp::MAX).to_string()
}
