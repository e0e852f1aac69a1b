//! Per-stage times and throughput of the whole node on one clip, beside a plain Python pipeline in the same run.
//!
//! Both read the same clip with the same model on one inference thread. Ours also makes, encodes, publishes and (unless
//! --no-recording) records V2X messages; the peer stops at tracks and ground points. Prints times for the eye and ratios
//! for comparison.

use anyhow::{Context, bail};
use clap::Parser;
use masa_edge_node::config::Configuration;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::sources::camera::{CameraSourceSettings, Pace};
use masa_edge_node::telemetry::{Stage, TelemetryView};
use masa_inference::EngineKind;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Per-stage times and throughput of the whole node on one clip, beside a plain Python pipeline in the same run.
#[derive(Debug, Parser)]
struct Arguments {
    /// Node file; its first camera must read a video file.
    #[arg(long, default_value = "deploy/sites/otvision-junction/node.toml")]
    config: PathBuf,
    /// `libonnxruntime.so`; without it the pure-Rust engine runs.
    #[arg(long, env = "MASA_ONNXRUNTIME")]
    onnxruntime: Option<PathBuf>,
    /// Python with onnxruntime, opencv, numpy and supervision 0.26 for the peer; without it ours runs alone.
    #[arg(long, env = "MASA_PYTHON")]
    python: Option<PathBuf>,
    /// Rounds; the fastest of each side counts, since other programs only ever slow a round down.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Leave the recorder out.
    #[arg(long)]
    no_recording: bool,
}

struct Round {
    frames: u64,
    seconds: f64,
    view: TelemetryView,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = std::env::temp_dir().join(format!("masa-bench-{}", std::process::id()));
    let mut configuration = Configuration::load(&arguments.config)?;
    configuration.set_pace(Pace::AsFastAsPossible);
    configuration.node.web = None;
    configuration.node.links.broker = None;
    configuration.node.links.outbox.path = None;
    configuration.node.links.zenoh.iter_mut().for_each(|zenoh| zenoh.listen = vec!["tcp/127.0.0.1:0".into()]);
    match &mut configuration.node.recording {
        Some(_) if arguments.no_recording => configuration.node.recording = None,
        Some(recording) => recording.directory = scratch.clone(),
        None => {}
    }
    if let Some(library) = &arguments.onnxruntime {
        configuration.node.engine.engine = EngineKind::Onnxruntime;
        configuration.node.engine.library = Some(library.clone());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut ours: Option<Round> = None;
    let mut peer: Option<Value> = None;
    // Alternating, so that a busy minute of the machine hits both sides.
    for number in 1..=arguments.rounds {
        eprintln!("round {number} of {}", arguments.rounds);
        let round = runtime.block_on(run(&configuration))?;
        if ours.as_ref().is_none_or(|best| round.seconds < best.seconds) {
            ours = Some(round);
        }
        if let Some(python) = &arguments.python {
            let report = run_peer(python, &configuration)?;
            if peer.as_ref().is_none_or(|best| fps(&report) > fps(best)) {
                peer = Some(report);
            }
        }
    }
    let _ = std::fs::remove_dir_all(&scratch);
    let ours = ours.context("no round was run")?;
    print(&ours, peer.as_ref(), configuration.node.engine.engine);
    Ok(())
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn run(configuration: &Configuration) -> anyhow::Result<Round> {
    let mut node = LiveNode::start(configuration, TimeBase::Capture).await?;
    let started = Instant::now();
    node.cameras_ended().await;
    let seconds = started.elapsed().as_secs_f64();
    let view = node.telemetry().view();
    node.shutdown(Duration::from_secs(5)).await;
    let frames = view.frames.iter().map(|frames| frames.total).sum();
    Ok(Round { frames, seconds, view })
}

fn run_peer(python: &Path, configuration: &Configuration) -> anyhow::Result<Value> {
    let (_, section, _) = configuration.cameras().next().context("the node file has no camera")?;
    let CameraSourceSettings::File(file) = &section.source else { bail!("the first camera does not read a file") };
    let model = section.model_file.as_ref().context("the first camera names no model-file")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/pipeline.py");
    let output = Command::new(python).arg(&script).arg(&file.path).arg(model).output().context("starting the peer")?;
    if !output.status.success() {
        bail!("{}: {}", script.display(), String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("the peer's report")
}

fn fps(report: &Value) -> f64 {
    report["fps"].as_f64().unwrap_or(0.0)
}

fn print(ours: &Round, peer: Option<&Value>, engine: EngineKind) {
    println!("{} frames, engine {engine}, one inference thread", ours.frames);
    println!("{:<16} {:>10} {:>10}   {:>10} {:>10}", "stage (ms)", "p50", "p99", "peer p50", "peer p99");
    let mut overhead_ms = 0.0;
    let mut whole_ms = 0.0;
    for stage in &ours.view.stages {
        if matches!(stage.stage, Stage::Queue | Stage::PhotonToMessage) {
            continue;
        }
        let name = stage.stage.name();
        let theirs = |quantile: &str| {
            let value = peer.and_then(|report| report["stages_ms"][name][quantile].as_f64());
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
        };
        let (p50, p99) = (stage.total.p50_us / 1e3, stage.total.p99_us / 1e3);
        println!("{name:<16} {p50:>10.3} {p99:>10.3}   {:>10} {:>10}", theirs("p50"), theirs("p99"));
        // Stages that ran once a message count once a message.
        let per_frame = p50 * stage.total.count as f64 / ours.frames.max(1) as f64;
        whole_ms += per_frame;
        if !matches!(stage.stage, Stage::Decode | Stage::Inference) {
            overhead_ms += per_frame;
        }
    }
    let ours_fps = ours.frames as f64 / ours.seconds;
    println!(
        "runtime overhead (all but decode and inference): {overhead_ms:.3} ms a frame, {:.1} % of the work",
        100.0 * overhead_ms / whole_ms
    );
    println!("throughput: {ours_fps:.1} frames/s");
    if let Some(report) = peer {
        println!("peer:       {:.1} frames/s; ours / peer = {:.2}", fps(report), ours_fps / fps(report));
    }
}
