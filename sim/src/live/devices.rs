//! What stands at the street: cameras, receivers, signal controllers.

use super::lines::LineServer;
use super::mjpeg::{MjpegServer, Picture};
use super::mqtt::Publisher;
use super::street::Device;
use crate::actor::ActorId;
use crate::random::Seed;
use crate::roads::Roads;
use crate::run::signals;
use crate::scenario::StationSettings;
use crate::sensors::camera::{Camera, ImageFault};
use crate::sensors::environment::{Background, Environment, EnvironmentSensor, EnvironmentSettings, Measurand};
use crate::sensors::gnss::Gnss;
use crate::sensors::signal_feed::SignalFeed;
use crate::snapshot::Snapshot;
use masa_v2x_proto::time::Timestamp;
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
    roads: Arc<Roads>,
    publisher: Arc<Publisher>,
    feeds: Vec<SignalFeed>,
}

impl Controllers {
    /// A feed for each controller of `roads`, numbered as the intersections that nodes are configured with.
    pub(super) fn new(roads: Arc<Roads>, publisher: Arc<Publisher>, seed: Seed) -> Self {
        Self { feeds: signals::feeds(&roads, seed), roads, publisher }
    }
}

/// What the masts of the stations measure: all that a node has a quantity for.
pub(super) const MEASURED: [Measurand; 8] = [
    Measurand::No2,
    Measurand::Pm10,
    Measurand::Pm25,
    Measurand::Noise,
    Measurand::AirTemperature,
    Measurand::RelativeHumidity,
    Measurand::RoadSurfaceTemperature,
    Measurand::RainIntensity,
];

/// Masts with environmental sensors, behind a broker.
pub(super) struct Masts {
    environment: Environment,
    masts: Vec<EnvironmentSensor>,
    publisher: Arc<Publisher>,
}

impl Masts {
    /// One at each station.
    pub(super) fn new(stations: &[StationSettings], roads: &Roads, publisher: Arc<Publisher>, seed: Seed) -> Self {
        let masts = stations.iter().zip(0..).map(|(station, number)| {
            let settings = EnvironmentSettings {
                name: station.id.clone(),
                position: station.position_m,
                measures: MEASURED.to_vec(),
                period_s: 2.0,
                error: 1.0,
                faults: Vec::new(),
            };
            EnvironmentSensor::new(settings, seed, number)
        });
        Self { environment: Environment::new(Background::default(), roads), masts: masts.collect(), publisher }
    }
}

/// Topic of what the mast of a station measures.
pub(super) fn mast_topic(station: &str) -> String {
    format!("mast/{station}")
}

impl Device for Masts {
    fn period_s(&self) -> f64 {
        0.1
    }

    fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
        self.environment.step(snapshot);
        let start = at.plus_ns(-((snapshot.time_s * 1e9) as i64));
        for mast in &mut self.masts {
            if let Some(reading) = mast.measure(&self.environment, snapshot) {
                self.publisher.publish(&mast_topic(mast.name()), &reading.json(mast.name(), start));
            }
        }
    }
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
        let start = at.plus_ns(-((snapshot.time_s * 1e9) as i64));
        for feed in &mut self.feeds {
            if let Some(reading) = feed.measure(&self.roads, snapshot) {
                self.publisher.publish(&signals_topic(reading.intersection), &reading.document(start));
            }
        }
    }
}
