//! The only code that waits: live runs and replays of the same core.
//!
//! [`live`] turns cameras, sensors, timers and link states into events and carries out the effects. [`replay`] takes the
//! events from a recording instead. Neither decides anything about the road.

mod cameras;
mod city;
mod core_thread;
mod detector;
pub mod engine;
mod followers;
pub mod live;
mod pictures;
pub mod replay;
pub mod search;
mod state;
mod v2x_in;

pub use core_thread::{CoreSummary, TimeBase};

use crate::config::{ConfigError, Configuration};
use crate::node::{NodeError, NodeSettings};
use crate::perception::privacy::SettingsError;
use crate::recorder;
use crate::sources::camera::CameraError;
use crate::web::WebError;
use crate::world::infrastructure::InfrastructureSite;
use masa_links::LinkError;
use masa_v2x_proto::geo::{Enu, SiteFrame};
use std::path::PathBuf;

/// Why a node cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The core refuses its settings.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A model cannot be used.
    #[error("camera `{camera}`: {source}")]
    Detector {
        /// Whose model.
        camera: String,
        /// What the engine says.
        source: masa_inference::Error,
    },
    /// A setting of `[privacy]` is out of its range.
    #[error(transparent)]
    Privacy(#[from] SettingsError),
    /// A camera cannot be started.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// A source failed before its end.
    #[error("{name}: {detail}")]
    Source {
        /// Its name.
        name: String,
        /// What it says.
        detail: String,
    },
    /// A picture that was encoded cannot be decoded.
    #[error(transparent)]
    Picture(masa_inference::ImageError),
    /// A picture cannot be saved.
    #[error("{path}: {source}")]
    Save {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The IoT source cannot be started.
    #[error(transparent)]
    Iot(#[from] crate::sources::iot_mqtt::IotError),
    /// The signal controller's source cannot be started.
    #[error(transparent)]
    SignalController(#[from] crate::sources::signal_controller::ControllerError),
    /// The links cannot be started.
    #[error(transparent)]
    Links(#[from] LinkError),
    /// Certificates or keys cannot be used.
    #[error("security: {0}")]
    Security(#[from] crate::keystore::KeystoreError),
    /// The page cannot be served.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The recording cannot be written or read.
    #[error(transparent)]
    Recording(#[from] recorder::Error),
    /// The raw ring cannot be kept.
    #[error(transparent)]
    RawRing(#[from] recorder::raw_ring::RawRingError),
    /// What must survive a restart cannot be read or kept.
    #[error("{path}: {what}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A thread could not be started.
    #[error("the system refuses a thread: {0}")]
    Thread(std::io::Error),
}

/// The core's part of a configuration.
pub fn node_settings(configuration: &Configuration) -> NodeSettings {
    let origin = configuration.site.origin.into();
    let [e_m, n_m, u_m] = configuration.node.node.position_m;
    NodeSettings {
        station_id: configuration.node.node.station_id,
        source_uuid: source_uuid(configuration),
        station_kind: configuration.node.node.station_type,
        position: SiteFrame::new(origin).to_wgs84(Enu { e_m, n_m, u_m }),
        site_origin: origin,
        zones: configuration.site.zones.clone(),
        cameras: configuration.cameras().map(|(source, _, settings)| (source, settings.clone())).collect(),
        ranging: configuration.ranging().collect(),
        world: configuration.node.world.clone(),
        infrastructure: InfrastructureSite {
            intersections: configuration.site.intersections.clone(),
            signs: configuration.site.signs.clone(),
        },
        ldm: configuration.node.ldm.clone(),
        facilities: configuration.node.facilities.clone(),
    }
}

/// its-client's `source_uuid` of a node.
pub(crate) fn source_uuid(configuration: &Configuration) -> String {
    format!("masa_{}", configuration.node.node.station_id)
}
