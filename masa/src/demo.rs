//! `masa demo`: a street with everything on it, or your own video.

pub(crate) mod assets;
mod city;
mod criteria;

use crate::node::{Limits, print_summary, run};
use crate::terminal;
use anyhow::{Context, bail};
use city::{City, CitySettings};
use clap::Args;
use criteria::Audience;
use masa_edge_node::config::Configuration;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_sim::live::stage::{Stage, StageSettings, StageSummary};
use masa_sim::scenario::Scenario;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Run a whole street: simulated cameras, signals and cars on the network, a node at the roadside and two on board.
///
/// Without arguments it stages the shipped scenario `demo`: cameras are rendered, served as network cameras and seen by the
/// shipped detector; messages go over an embedded broker and Zenoh; connected drivers do what their display says; one page
/// shows it. With --video it plays your video instead; positions are then those of an assumed camera (6 m high, 15° down,
/// 70° wide) until you calibrate one with a site file.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Another scenario to stage: a file, or the name of a shipped one (`masa sim run --list`).
    #[arg(long, default_value = "demo", value_name = "SCENARIO", conflicts_with = "video")]
    scenario: String,
    /// Your own video instead of a street: H.264 in MP4, or raw Annex B.
    #[arg(long, value_name = "FILE")]
    video: Option<PathBuf>,
    /// Your own model: a description (TOML), or an ONNX file with a description of its name beside it or shipped here.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print a summary, check the demo's own criteria, and exit with 1 if one fails. Needs --duration.
    #[arg(long, requires = "duration")]
    headless: bool,
    /// Stop after so many seconds; the script of the shipped street begins anew every 60 s.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Where the live page listens; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the embedded MQTT broker listens; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "ADDRESS")]
    broker: SocketAddr,
    /// Where the Zenoh router listens; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:7447", value_name = "ADDRESS")]
    zenoh: SocketAddr,
    /// Where the city's data room serves its control room and API; a free port when this one is taken.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS", conflicts_with = "video")]
    data_room: SocketAddr,
    /// Where recordings go, and in `data-room` beneath them the records of the data room.
    #[arg(long, default_value = "recordings", value_name = "DIR")]
    recordings: PathBuf,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let model = assets::model(self.model.as_deref()).context("unpacking the detector")?;
        let unmet = match &self.video {
            Some(video) => self.own_video(video, &model)?,
            None => self.street(model.0)?,
        };
        for criterion in &unmet {
            println!("not met: {criterion}");
        }
        if self.headless && !unmet.is_empty() {
            bail!("{} of the demo's criteria are not met", unmet.len());
        }
        Ok(())
    }

    fn street(&self, model: PathBuf) -> anyhow::Result<Vec<String>> {
        let scenario = Scenario::open(&self.scenario)?;
        let settings = StageSettings {
            model,
            web: free(self.listen)?,
            broker: free(self.broker)?,
            zenoh: free(self.zenoh)?,
            recordings: Some(std::path::absolute(&self.recordings)?),
            acknowledged_by: vec![city::ACKNOWLEDGES_AS.to_owned()],
            seed: None,
        };
        let city = CitySettings {
            listen: free(self.data_room)?,
            broker: settings.broker,
            zenoh: settings.zenoh,
            folder: std::path::absolute(&self.recordings)?.join("data-room"),
            map: &scenario.map,
        };
        let duration = self.duration.map(Duration::try_from_secs_f64).transpose().context("--duration")?;
        let audience = Audience::at(settings.broker);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
        let (summary, heard, recorded) = runtime.block_on(async {
            let city = City::start(&city).await?;
            let stage = Stage::start(&scenario, &settings).await?;
            println!("control room  {}", city.page());
            if let Some((_, first)) = stage.nodes().next() {
                self.greet(first);
            }
            let listening = audience.listen();
            terminal::until_stopped(duration).await?;
            let summary = stage.stop().await;
            anyhow::Ok((summary, listening.finish()?, city.stop().await?))
        })?;
        print_stage(&summary);
        recorded.print();
        let script_s = scenario.repeat_s.unwrap_or(scenario.duration_s);
        let is_whole = self.scenario == "demo" && self.duration.is_some_and(|seconds| seconds >= script_s * 0.6);
        let mut unmet = criteria::unmet_on_stage(&summary, &heard, is_whole);
        if let Some((_, roadside)) = summary.nodes.first() {
            unmet.extend(recorded.unmet(&roadside.core.messages));
        }
        Ok(unmet)
    }

    fn own_video(&self, video: &Path, model: &(PathBuf, Option<PathBuf>)) -> anyhow::Result<Vec<String>> {
        let mut configuration = Configuration::load(&assets::own_video(video, model)?)?;
        configuration.node.web.get_or_insert_default().listen = free(self.listen)?;
        let broker = free(self.broker)?;
        configuration.node.links.broker.get_or_insert_default().listen = broker;
        let recording = configuration.node.recording.as_mut().context("the demo records")?;
        recording.directory = std::path::absolute(&self.recordings)?;
        let audience = Audience::at(broker);
        let limits = Limits { until_end: false, duration: self.duration, base: TimeBase::Wall };
        let mut listening = None;
        let summary = run(&configuration, &limits, |node| {
            self.greet(node);
            listening = Some(audience.listen());
        })?;
        print_summary(&summary);
        print_recording(&summary);
        let heard = listening.context("the demo's own reader did not start")?.finish()?;
        Ok(criteria::unmet(&summary, &heard))
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

fn print_stage(summary: &StageSummary) {
    for (name, node) in &summary.nodes {
        println!("{name}:");
        print_summary(node);
    }
    for deed in &summary.deeds {
        let brake = deed.brake_mps2.map_or(String::new(), |mps2| format!(", brakes with {mps2:.1} m/s²"));
        println!("{:7.1} s  {}{brake} because of {}", deed.at_s, deed.car, deed.why);
    }
    if !summary.stood_still.is_zero() {
        println!("this machine is too slow: the world stood still for {:.1} s", summary.stood_still.as_secs_f64());
    }
    if let Some((_, first)) = summary.nodes.first() {
        print_recording(first);
    }
}

fn print_recording(summary: &masa_edge_node::run::live::RunSummary) {
    if let Some((path, _)) = &summary.recording {
        println!("replay it: masa replay {}", path.display());
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
