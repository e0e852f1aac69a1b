//! Per-stage times, CPU time and throughput of the whole node on one clip, beside a plain Python pipeline in the same run.
//!
//! Both play the same clip over and over as fast as they can, with the same model on one inference thread. Ours also makes,
//! encodes, publishes and (unless --no-recording) records V2X messages; the peer stops at tracks and ground points. Prints
//! times for the eye, ratios for comparison, and which goals are met; judges nothing.

use anyhow::{Context, bail};
use clap::Parser;
use masa_benches::{ask_peer, cpu};
use masa_edge_node::config::Configuration;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::sources::camera::{AtEnd, CameraSourceSettings, Pace};
use masa_edge_node::telemetry::{Stage, TelemetryView};
use masa_inference::EngineKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Most that everything but inference may take of a frame's time.
const GOAL_SHARE: f64 = 0.1;
/// Least that tracking is to be faster than ByteTrack's Python.
const GOAL_TRACKING: f64 = 20.0;

/// Per-stage times, CPU time and throughput of the whole node on one clip, beside a plain Python pipeline in the same run.
#[derive(Debug, Parser)]
struct Arguments {
    /// Node file; its first camera must read a video file.
    #[arg(long, default_value = "deploy/sites/otvision-junction/node.toml")]
    config: PathBuf,
    /// Another clip for the first camera.
    #[arg(long)]
    clip: Option<PathBuf>,
    /// Description of another model for the first camera; the peer knows YOLOX only.
    #[arg(long, requires = "model_file")]
    model: Option<PathBuf>,
    /// Its ONNX file.
    #[arg(long, requires = "model")]
    model_file: Option<PathBuf>,
    /// `libonnxruntime.so`; without it the pure-Rust engine runs.
    #[arg(long, env = "MASA_ONNXRUNTIME")]
    onnxruntime: Option<PathBuf>,
    /// Python with onnxruntime, opencv, numpy and supervision 0.26 for the peer; without it ours runs alone.
    #[arg(long, env = "MASA_PYTHON")]
    python: Option<PathBuf>,
    /// Leave the peer out.
    #[arg(long)]
    alone: bool,
    /// Rounds; the fastest of each side counts, since other programs only ever slow a round down.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
    /// Seconds a side is measured in a round, after a quarter of it as a start.
    #[arg(long, default_value_t = 8.0)]
    seconds: f64,
    /// Leave the recorder out.
    #[arg(long)]
    no_recording: bool,
}

/// What a round of ours gave.
struct Round {
    frames: u64,
    seconds: f64,
    view: TelemetryView,
    cpu: CpuMs,
}

/// CPU time a frame, milliseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
struct CpuMs {
    /// Decoding, threads of the decoder included.
    decode: f64,
    /// Resizing, the network, and what it gave to boxes.
    detect: f64,
    /// Of [`Self::detect`], the network.
    inference: f64,
    /// Tracking and what follows from it; of ours up to the message handed to the links.
    track: f64,
    /// The recorder; ours only.
    #[serde(default)]
    record: f64,
    /// The whole process.
    whole: f64,
}

/// What the peer says.
#[derive(Debug, Deserialize)]
struct PeerReport {
    fps: f64,
    stages_ms: BTreeMap<String, Quantiles>,
    cpu_ms: CpuMs,
}

#[derive(Debug, Deserialize)]
struct Quantiles {
    p50: f64,
    p99: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scratch = std::env::temp_dir().join(format!("masa-bench-{}", std::process::id()));
    let configuration = configuration(&arguments, &scratch)?;
    let python = arguments.python.as_ref().filter(|_| !arguments.alone);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut ours: Option<Round> = None;
    let mut peer: Option<PeerReport> = None;
    // Alternating, so that a busy minute of the machine hits both sides.
    for number in 1..=arguments.rounds {
        eprintln!("round {number} of {}", arguments.rounds);
        let round = runtime.block_on(run(&configuration, arguments.seconds))?;
        if ours.as_ref().is_none_or(|best| round.fps() > best.fps()) {
            ours = Some(round);
        }
        if let Some(python) = python {
            let report = run_peer(python, &configuration, arguments.seconds)?;
            if peer.as_ref().is_none_or(|best| report.fps > best.fps) {
                peer = Some(report);
            }
        }
    }
    let _ = std::fs::remove_dir_all(&scratch);
    let ours = ours.context("no round was run")?;
    println!("engine {}, one inference thread, load before: {}", configuration.node.engine.engine, load.trim());
    print_stages(&ours, peer.as_ref());
    print_cpu(&ours.cpu, peer.as_ref().map(|report| &report.cpu_ms));
    print_goals(&ours, peer.as_ref());
    Ok(())
}

/// The node of the file with its first camera alone, as fast as it goes, and nothing that leaves the machine.
fn configuration(arguments: &Arguments, scratch: &Path) -> anyhow::Result<Configuration> {
    let mut configuration = Configuration::load(&arguments.config)?;
    configuration.set_pace(Pace::AsFastAsPossible);
    configuration.node.web = None;
    configuration.node.links.broker = None;
    configuration.node.links.outbox.path = None;
    configuration.node.links.zenoh.iter_mut().for_each(|zenoh| zenoh.listen = vec!["tcp/127.0.0.1:0".into()]);
    match &mut configuration.node.recording {
        Some(_) if arguments.no_recording => configuration.node.recording = None,
        Some(recording) => recording.directory = scratch.to_owned(),
        None => {}
    }
    if let Some(library) = &arguments.onnxruntime {
        configuration.node.engine.engine = EngineKind::Onnxruntime;
        configuration.node.engine.library = Some(library.clone());
    }
    let camera = configuration.node.cameras.first_mut().context("the node file has no camera")?;
    if let (Some(model), Some(file)) = (&arguments.model, &arguments.model_file) {
        (camera.model, camera.model_file) = (model.clone(), Some(file.clone()));
    }
    let CameraSourceSettings::File(file) = &mut camera.source else { bail!("the first camera reads no file") };
    file.at_end = AtEnd::Loop;
    if let Some(clip) = &arguments.clip {
        file.path = clip.clone();
    }
    Ok(configuration)
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn run(configuration: &Configuration, seconds: f64) -> anyhow::Result<Round> {
    let node = LiveNode::start(configuration, TimeBase::Capture).await?;
    tokio::time::sleep(Duration::from_secs_f64(seconds / 4.0)).await;
    let frames = |node: &LiveNode| node.telemetry().view().frames.iter().map(|frames| frames.total).sum::<u64>();
    let (frames_before, process_before, threads_before) = (frames(&node), cpu::process_s()?, cpu::threads_s()?);
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    let (spent_s, process_s, threads_s) = (began.elapsed().as_secs_f64(), cpu::process_s()?, cpu::threads_s()?);
    let view = node.telemetry().view();
    let frames = frames(&node) - frames_before;
    node.shutdown(Duration::from_secs(5)).await;
    let of_threads = |prefix: &str| {
        let named = threads_s.iter().filter(|(name, _)| name.starts_with(prefix));
        let spent_s = named.map(|(name, after_s)| after_s - threads_before.get(name).unwrap_or(&0.0));
        1e3 * spent_s.sum::<f64>() / frames.max(1) as f64
    };
    let detect = of_threads("network-");
    let stage_ms = |stage| stage_ms(&view, stage).map_or(0.0, |(p50_ms, _)| p50_ms);
    let network_ms = stage_ms(Stage::Inference);
    let cpu = CpuMs {
        decode: of_threads("camera-"),
        detect,
        inference: detect * network_ms / (stage_ms(Stage::Preprocess) + network_ms + stage_ms(Stage::Postprocess)),
        track: of_threads("core"),
        record: of_threads("recorder"),
        whole: 1e3 * (process_s - process_before) / frames.max(1) as f64,
    };
    Ok(Round { frames, seconds: spent_s, view, cpu })
}

impl Round {
    fn fps(&self) -> f64 {
        self.frames as f64 / self.seconds
    }

    /// From one frame to the next in the median second: as the stages' medians, little moved by what other programs do.
    fn median_frame_ms(&self) -> f64 {
        let mut rates: Vec<u32> = self.view.frames.iter().flat_map(|frames| frames.per_second.clone()).collect();
        rates.retain(|&rate| rate > 0);
        rates.sort_unstable();
        1e3 / rates.get(rates.len() / 2).map_or(self.fps(), |&rate| f64::from(rate))
    }
}

/// Median and 99th percentile of a stage.
fn stage_ms(view: &TelemetryView, stage: Stage) -> Option<(f64, f64)> {
    let found = view.stages.iter().find(|found| found.stage == stage)?;
    Some((found.total.p50_us / 1e3, found.total.p99_us / 1e3))
}

fn run_peer(python: &Path, configuration: &Configuration, seconds: f64) -> anyhow::Result<PeerReport> {
    let (_, section, _) = configuration.cameras().next().context("the node file has no camera")?;
    let CameraSourceSettings::File(file) = &section.source else { bail!("the first camera does not read a file") };
    let model = section.model_file.as_ref().context("the first camera names no model-file")?;
    let arguments = [file.path.clone().into(), model.clone().into(), "--seconds".into(), seconds.to_string().into()];
    ask_peer(python, "pipeline.py", &arguments)
}

fn print_stages(ours: &Round, peer: Option<&PeerReport>) {
    println!("{:<16} {:>10} {:>10}   {:>10} {:>10}", "stage (wall, ms)", "p50", "p99", "peer p50", "peer p99");
    let mut overhead_ms = 0.0;
    let mut whole_ms = 0.0;
    let frames = ours.view.frames.iter().map(|frames| frames.total).sum::<u64>().max(1);
    for stage in &ours.view.stages {
        if matches!(stage.stage, Stage::Queue | Stage::PhotonToMessage) {
            continue;
        }
        let name = stage.stage.name();
        let theirs = peer.and_then(|report| report.stages_ms.get(name));
        let theirs = |value: fn(&Quantiles) -> f64| theirs.map_or("–".to_owned(), |all| format!("{:.3}", value(all)));
        let (p50, p99) = (stage.total.p50_us / 1e3, stage.total.p99_us / 1e3);
        println!("{name:<16} {p50:>10.3} {p99:>10.3}   {:>10} {:>10}", theirs(|all| all.p50), theirs(|all| all.p99));
        // Stages that ran once a message count once a message.
        let per_frame = p50 * stage.total.count as f64 / frames as f64;
        whole_ms += per_frame;
        if !matches!(stage.stage, Stage::Decode | Stage::Inference) {
            overhead_ms += per_frame;
        }
    }
    println!(
        "all but decoding and inference: {overhead_ms:.3} ms a frame, {:.1} % of the stages' sum",
        100.0 * overhead_ms / whole_ms
    );
    print!("throughput: {} frames, {:.1} a second", ours.frames, ours.fps());
    match peer {
        Some(report) => println!("; peer {:.1}; ours / peer = {:.2}", report.fps, ours.fps() / report.fps),
        None => println!(),
    }
}

fn print_cpu(ours: &CpuMs, peer: Option<&CpuMs>) {
    println!("{:<28} {:>8} {:>8} {:>12}", "CPU time a frame (ms)", "ours", "peer", "peer / ours");
    let rows: [(&str, fn(&CpuMs) -> f64); 7] = [
        ("decode", |cpu| cpu.decode),
        ("resize, network, boxes", |cpu| cpu.detect),
        ("  of it the network", |cpu| cpu.inference),
        ("tracks and what follows", |cpu| cpu.track),
        ("recorder", |cpu| cpu.record),
        ("the whole process", |cpu| cpu.whole),
        ("all but the network", |cpu| cpu.whole - cpu.inference),
    ];
    for (name, value) in rows {
        let theirs = peer.map(value).filter(|ms| *ms > 0.0);
        let cell = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
        let ratio = theirs.map(|theirs| theirs / value(ours));
        println!("{name:<28} {:>8.2} {:>8} {:>12}", value(ours), cell(theirs), cell(ratio));
    }
}

fn print_goals(ours: &Round, peer: Option<&PeerReport>) {
    let inference_ms = stage_ms(&ours.view, Stage::Inference).map_or(f64::NAN, |(p50_ms, _)| p50_ms);
    let of_time = |inference_ms: f64, frame_ms: f64| 1.0 - inference_ms / frame_ms;
    let of_cpu = |cpu: &CpuMs| 1.0 - cpu.inference / cpu.whole;
    let told = |met: bool| if met { "met" } else { "not met" };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let their_time = peer
        .and_then(|report| Some(of_time(report.stages_ms.get("inference")?.p50, report.stages_ms.get("frame")?.p50)));
    for (name, share, theirs) in [
        ("a frame's time", of_time(inference_ms, ours.median_frame_ms()), their_time),
        ("a frame's CPU time", of_cpu(&ours.cpu), peer.map(|report| of_cpu(&report.cpu_ms))),
    ] {
        println!(
            "goal, everything but inference, decoding included, at most {} of {name}: {}, {} (peer {})",
            percent(GOAL_SHARE),
            percent(share),
            told(share <= GOAL_SHARE),
            theirs.map_or("–".to_owned(), percent)
        );
    }
    let tracking = stage_ms(&ours.view, Stage::Track).zip(peer.and_then(|report| report.stages_ms.get("track")));
    if let Some(((ours_ms, _), theirs)) = tracking {
        let ratio = theirs.p50 / ours_ms;
        println!(
            "goal, tracking at least {GOAL_TRACKING} times as fast as ByteTrack in Python: {ratio:.0}, {}",
            told(ratio >= GOAL_TRACKING)
        );
    }
}
