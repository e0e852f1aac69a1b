//! The live page of a node: one port that serves the page, its data, the local camera pictures and Prometheus metrics.
//!
//! In: a [`Snapshot`] after every step of the core, the [`Telemetry`], the messages that were published and, while
//! somebody watches, camera frames. Out: HTTP and a WebSocket. Invariants: nothing here feeds back into the core; a slow
//! browser never slows the node (latest value wins); every queue, list and number of clients is bounded; pictures
//! obey [`CameraView`], and raw ones never leave the node; a foreign web page can neither read nor frame anything. Absent:
//! accounts, TLS and any write access.

mod api;
mod camera;
mod feed;
mod live;
mod messages;
mod page;
mod picture;
mod server;

pub use camera::CameraView;
pub use feed::CameraFeed;
pub use messages::MessageLog;
pub use picture::CameraPicture;
pub use server::{WebServer, serve};

use crate::event::SourceId;
use crate::snapshot::{SiteView, Snapshot};
use crate::telemetry::Telemetry;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::watch;

/// Settings of the live page: the `[web]` table of a node's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebSettings {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Host names under which browsers may reach the page, besides `localhost` and any IP address. Requests for other
    /// names are refused, because a web page elsewhere could point a name of its own at this node (DNS rebinding).
    pub host_names: Vec<String>,
    /// Who may see camera pictures, and which.
    pub camera_view: CameraView,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            host_names: Vec::new(),
            camera_view: CameraView::default(),
        }
    }
}

/// What the page says of the node itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeInfo {
    /// Name of the node in its configuration.
    pub name: String,
    /// ETSI station id.
    pub station_id: u32,
    /// Version of the software.
    pub version: String,
    /// Where the configuration was read from.
    pub config_path: String,
    /// Inference engine with its execution provider, in words.
    pub engine: String,
    /// Name of the model.
    pub model: String,
    /// The source table: what each source id is called and what it is.
    pub sources: Vec<SourceInfo>,
}

/// One row of the source table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceInfo {
    /// Its id.
    pub id: SourceId,
    /// Its name in the configuration.
    pub name: String,
    /// What it is, in words ("video file", "RTSP", "MQTT sensor").
    pub kind: String,
}

/// Everything the page is fed from.
#[derive(Clone, Debug)]
pub struct WebState {
    /// What the page says of the node itself.
    pub node: NodeInfo,
    /// The site map.
    pub site: SiteView,
    /// The world after the newest step of the core. Send one after every camera frame, so that the boxes drawn on a
    /// picture are those of that very frame; the server thins them out for browsers.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The node's measurements.
    pub telemetry: Arc<Telemetry>,
    /// The messages published last.
    pub messages: Arc<MessageLog>,
    /// The camera pictures.
    pub cameras: BTreeMap<SourceId, Arc<CameraFeed>>,
}

/// Why the page could not be served.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// The address could not be listened on.
    #[error("the live page cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}
