//! `masa node`: run a roadside node.

use crate::terminal;
use anyhow::Context;
use clap::Args;
use masa_edge_node::config::Configuration;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::{LiveNode, RunSummary};
use masa_edge_node::sources::camera::Pace;
use std::path::PathBuf;
use std::time::Duration;

/// Time that queued messages get to leave when the node stops.
const FLUSH: Duration = Duration::from_secs(5);

/// Run a node: cameras and sensors in, V2X messages out, a live page on one port.
#[derive(Debug, Args)]
pub(crate) struct NodeCommand {
    /// The node's configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Stop when every camera has come to its end (files and folders do).
    #[arg(long)]
    until_end: bool,
    /// Stop after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    duration: Option<f64>,
    /// Play files and folders as fast as the detector allows, in film time, dropping no frame; implies --until-end.
    #[arg(long)]
    as_fast_as_possible: bool,
}

impl NodeCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut configuration = Configuration::load(&self.config)?;
        let mut limits = Limits { until_end: self.until_end, duration: self.duration, base: TimeBase::Wall };
        if self.as_fast_as_possible {
            configuration.set_pace(Pace::AsFastAsPossible);
            limits.until_end = true;
            limits.base = TimeBase::Capture;
        }
        let summary = run(&configuration, &limits, |node| {
            if let Some(address) = node.web_address() {
                println!("live page: http://{address}/");
            }
        })?;
        print_summary(&summary);
        Ok(())
    }
}

/// How long a run lasts and what its clock is.
pub(crate) struct Limits {
    pub(crate) until_end: bool,
    pub(crate) duration: Option<f64>,
    pub(crate) base: TimeBase,
}

/// Runs a node until its limits, SIGINT or SIGTERM; `started` is told when everything is up.
pub(crate) fn run(
    configuration: &Configuration,
    limits: &Limits,
    started: impl FnOnce(&LiveNode),
) -> anyhow::Result<RunSummary> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let mut node = LiveNode::start(configuration, limits.base).await?;
        started(&node);
        let duration = limits.duration.map(Duration::try_from_secs_f64).transpose().context("--duration")?;
        let until_end = limits.until_end;
        tokio::select! {
            () = async { if until_end { node.cameras_ended().await } else { std::future::pending().await } } => {}
            stopped = terminal::until_stopped(duration) => stopped?,
        }
        Ok(node.shutdown(FLUSH).await)
    })
}

/// Prints what a node did.
pub(crate) fn print_summary(summary: &RunSummary) {
    let messages: Vec<_> = summary.core.messages.iter().map(|(kind, n)| format!("{n} {}", kind.name())).collect();
    println!("{} events in, messages out: {}", summary.core.events, or_none(&messages.join(", ")));
    for link in &summary.links {
        let dropped: u64 = link.dropped.values().sum();
        println!(
            "  {} {}: {} sent, {} acknowledged, {dropped} dropped, hand-over p50 {} µs, p99 {} µs",
            link.link.name(),
            link.kind.name(),
            link.sent,
            link.acked,
            link.publish_p50_us,
            link.publish_p99_us
        );
    }
    if summary.owed > 0 {
        println!("  {} acknowledgements are still missing; the messages stay in the outbox", summary.owed);
    }
    if summary.unfinished > 0 {
        println!("  {} links did not finish in time", summary.unfinished);
    }
    if let Some((path, lost)) = &summary.recording {
        println!("recording: {} ({lost} records lost)", path.display());
    }
}

fn or_none(words: &str) -> &str {
    if words.is_empty() { "none" } else { words }
}
