//! `masa demo`: the whole path on a shipped clip and a shipped model, or on your own.

pub(crate) mod assets;
mod criteria;

use crate::node::{Limits, print_summary, run};
use anyhow::{Context, bail};
use clap::Args;
use criteria::Audience;
use masa_edge_node::config::Configuration;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;

/// Run the whole path: a clip, a detector, tracks on the ground, V2X messages over an embedded broker and Zenoh, a page.
///
/// Without arguments it plays a rendered junction through a detector trained on rendered frames, both inside this program.
/// With --video and --model it runs yours; positions are then those of an assumed camera (6 m high, 15° down, 70° wide)
/// until you calibrate one with a site file.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Your own video: H.264 in MP4, or raw Annex B.
    #[arg(long, value_name = "FILE")]
    video: Option<PathBuf>,
    /// Your own model: a description (TOML), or an ONNX file with a description of its name beside it or shipped here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print a summary, check the demo's own criteria, and exit with 1 if one fails. Needs --duration.
    #[arg(long, requires = "duration")]
    headless: bool,
    /// Stop after so many seconds; one round of the shipped clip is 40 s.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Where the live page listens; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the embedded MQTT broker listens; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "ADDRESS")]
    broker: SocketAddr,
    /// Where recordings go.
    #[arg(long, default_value = "recordings", value_name = "DIR")]
    recordings: PathBuf,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let shipped = self.video.is_none();
        let folder = assets::unpack(self.video.as_deref(), self.model.as_deref()).context("unpacking the demo")?;
        let mut configuration = Configuration::load(&folder.join("node.toml"))?;
        let web = configuration.node.web.get_or_insert_default();
        web.listen = free(self.listen)?;
        let broker = configuration.node.links.broker.get_or_insert_default();
        broker.listen = free(self.broker)?;
        let recording = configuration.node.recording.as_mut().context("the demo records")?;
        recording.directory = std::path::absolute(&self.recordings)?;
        let audience = Audience::new(&configuration)?;
        let limits = Limits { until_end: false, duration: self.duration, base: TimeBase::Wall };
        let mut listening = None;
        let summary = run(&configuration, &limits, |node| {
            self.greet(node);
            listening = Some(audience.listen());
        })?;
        print_summary(&summary);
        if let Some((path, _)) = &summary.recording {
            println!("replay it: masa replay {}", path.display());
        }
        let heard = listening.context("the demo's own reader did not start")?.finish()?;
        let unmet = criteria::unmet(&summary, &heard, self.duration.filter(|_| shipped));
        for criterion in &unmet {
            println!("not met: {criterion}");
        }
        if self.headless && !unmet.is_empty() {
            bail!("{} of the demo's criteria are not met", unmet.len());
        }
        Ok(())
    }

    fn greet(&self, node: &LiveNode) {
        if let Some(address) = node.web_address() {
            println!("live page     http://{address}/");
        }
        if let Some(address) = node.broker_address() {
            println!("MQTT broker   mosquitto_sub -h {} -p {} -t '#' -v", address.ip(), address.port());
            println!("V2X messages  masa listen --mqtt mqtt://{address}");
        }
        if self.duration.is_none() {
            println!("stop with Ctrl-C");
        }
    }
}

/// `wanted`, or a free port of the same address when it is taken.
fn free(wanted: SocketAddr) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(wanted).or_else(|_| TcpListener::bind((wanted.ip(), 0)));
    let address = listener.with_context(|| format!("listening on {}", wanted.ip()))?.local_addr()?;
    if wanted.port() != 0 && address != wanted {
        tracing::warn!(%wanted, instead = %address, "port is taken");
    }
    Ok(address)
}
