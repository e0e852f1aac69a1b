//! Many cameras on one machine: which frame rate holds under each load policy, and how old detections are when the core has
//! them.
//!
//! The same clip is played by several cameras at its own pace, with a light model, through the whole node. Latency is from the
//! moment a picture was shown to the snapshot that has it. Besides what a busy machine gave, it prints the CPU time a
//! frame cost, from which the rate on unshared cores follows.

use anyhow::{Context, bail};
use clap::Parser;
use masa_benches::cpu;
use masa_edge_node::config::Configuration;
use masa_edge_node::event::SourceId;
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::engine::{InferenceSettings, Threads, UnderLoad};
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::sources::camera::{AtEnd, CameraSourceSettings, Pace};
use masa_edge_node::sources::clock::Clock;
use masa_inference::EngineKind;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Frame rate and latency of many cameras under each load policy.
#[derive(Debug, Parser)]
struct Arguments {
    /// Node file; its first camera must read a video file.
    #[arg(long, default_value = "deploy/sites/otvision-junction/node.toml")]
    config: PathBuf,
    /// Cameras.
    #[arg(long, default_value_t = 8)]
    cameras: usize,
    /// Description of the cameras' model.
    #[arg(long, default_value = "deploy/models/yolox_nano_coco_416.toml")]
    model: PathBuf,
    /// Its ONNX file.
    #[arg(long)]
    model_file: Option<PathBuf>,
    /// Description of the lighter model that takes over under load.
    #[arg(long, default_value = "deploy/models/FastestDet.toml")]
    light: PathBuf,
    /// Its ONNX file.
    #[arg(long)]
    light_file: Option<PathBuf>,
    /// `libonnxruntime.so`; without it the pure-Rust engine runs.
    #[arg(long, env = "MASA_ONNXRUNTIME")]
    onnxruntime: Option<PathBuf>,
    /// Threads that run networks.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Seconds a policy is measured, after as long a start.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// For how long detections are of use, milliseconds.
    #[arg(long, default_value_t = 500)]
    deadline_ms: u32,
}

/// What a policy gave.
struct Outcome {
    /// Frames a second that the core had of each camera, the slowest first.
    rates_hz: Vec<f64>,
    /// Frames that did not reach the core, by reason, all cameras.
    dropped: BTreeMap<String, u64>,
    latencies_ms: Vec<f64>,
    /// CPU time of the process a frame that the core had.
    cpu_ms: f64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let configuration = configuration(&arguments)?;
    let lighter = UnderLoad::LighterModel { model: arguments.light.clone(), model_file: arguments.light_file.clone() };
    println!(
        "{} cameras, {} threads for networks, engine {}, deadline {} ms, load of the machine before: {}",
        arguments.cameras,
        arguments.threads,
        configuration.node.engine.engine,
        arguments.deadline_ms,
        std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim(),
    );
    println!(
        "{:<14} {:>11} {:>9} {:>8} {:>8} {:>8} {:>13} {:>15}   lost",
        "policy", "slowest Hz", "all Hz", "p50 ms", "p99 ms", "max ms", "CPU ms/frame", "Hz on 2 cores"
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for (name, policy) in [
        ("drop-oldest", UnderLoad::DropOldest),
        ("lower-rate", UnderLoad::LowerRate { least_hz: 1.0 }),
        ("lighter-model", lighter),
    ] {
        let mut configuration = configuration.clone();
        configuration.node.inference.under_load = policy;
        let outcome = runtime.block_on(measure(&configuration, arguments.seconds))?;
        print(name, &outcome, arguments.cameras);
    }
    Ok(())
}

/// The node of the file with its first camera several times and nothing that leaves the machine.
fn configuration(arguments: &Arguments) -> anyhow::Result<Configuration> {
    let mut configuration = Configuration::load(&arguments.config)?;
    configuration.node.web = None;
    configuration.node.recording = None;
    configuration.node.links.broker = None;
    configuration.node.links.outbox.path = None;
    configuration.node.links.zenoh.iter_mut().for_each(|zenoh| zenoh.listen = vec!["tcp/127.0.0.1:0".into()]);
    if let Some(library) = &arguments.onnxruntime {
        configuration.node.engine.engine = EngineKind::Onnxruntime;
        configuration.node.engine.library = Some(library.clone());
    }
    configuration.node.inference = InferenceSettings {
        threads: Threads::Fixed { count: arguments.threads },
        deadline_ms: arguments.deadline_ms,
        ..InferenceSettings::default()
    };
    let mut section = configuration.node.cameras.first().context("the node file has no camera")?.clone();
    let settings = configuration.site.cameras.iter().find(|camera| camera.id == section.id);
    let settings = settings.context("the site file does not have the camera")?.clone();
    let CameraSourceSettings::File(file) = &mut section.source else { bail!("the first camera reads no file") };
    (file.pace, file.at_end) = (Pace::Timestamps, AtEnd::Loop);
    (section.model, section.model_file) =
        (arguments.model.clone(), arguments.model_file.clone().or(section.model_file));
    let ids = (1..=arguments.cameras).map(|number| format!("camera-{number}"));
    (configuration.node.cameras, configuration.site.cameras) = ids
        .map(|id| {
            let (mut section, mut settings) = (section.clone(), settings.clone());
            (section.id, settings.id) = (id.clone(), id);
            (section, settings)
        })
        .unzip();
    Ok(configuration)
}

#[allow(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn measure(configuration: &Configuration, seconds: u64) -> anyhow::Result<Outcome> {
    let node = LiveNode::start(configuration, TimeBase::Wall).await?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let clock = Clock::system();
    let totals = |node: &LiveNode| -> BTreeMap<String, u64> {
        node.telemetry().view().frames.iter().map(|camera| (camera.name.clone(), camera.total)).collect()
    };
    let losses = |node: &LiveNode| -> BTreeMap<String, u64> {
        let mut by_reason = BTreeMap::new();
        for dropped in node.telemetry().view().frames_dropped {
            *by_reason.entry(dropped.reason.to_string()).or_default() += dropped.total;
        }
        by_reason
    };
    let (frames_before, lost_before, cpu_before) = (totals(&node), losses(&node), cpu::process_s()?);
    let began = Instant::now();
    let mut snapshots = node.snapshots();
    let mut newest: BTreeMap<SourceId, u64> = BTreeMap::new();
    let mut latencies_ms = Vec::new();
    let end = Duration::from_secs(seconds);
    while let Some(left) = end.checked_sub(began.elapsed()) {
        if tokio::time::timeout(left, snapshots.changed()).await.is_err() {
            break;
        }
        let now_ms = clock.now().unix_ns() as f64 / 1e6;
        for frame in &snapshots.borrow_and_update().frames {
            if newest.insert(frame.camera, frame.frame).is_some_and(|before| before != frame.frame) {
                latencies_ms.push(now_ms - frame.captured_at_ms as f64);
            }
        }
    }
    let spent_s = began.elapsed().as_secs_f64();
    let cpu_s = cpu::process_s()? - cpu_before;
    let (frames, lost) = (totals(&node), losses(&node));
    node.shutdown(Duration::from_secs(5)).await;
    let counts = frames.iter().map(|(camera, total)| total - frames_before.get(camera).unwrap_or(&0));
    let mut counts: Vec<u64> = counts.collect();
    counts.sort_unstable();
    let all: u64 = counts.iter().sum();
    let dropped = lost.into_iter().map(|(reason, total)| {
        let before = lost_before.get(&reason).copied().unwrap_or(0);
        (reason, total - before)
    });
    latencies_ms.sort_by(f64::total_cmp);
    Ok(Outcome {
        rates_hz: counts.iter().map(|&count| count as f64 / spent_s).collect(),
        dropped: dropped.collect(),
        latencies_ms,
        cpu_ms: 1e3 * cpu_s / all.max(1) as f64,
    })
}

fn print(name: &str, outcome: &Outcome, cameras: usize) {
    let quantile = |share: f64| {
        let last = outcome.latencies_ms.len().saturating_sub(1);
        outcome.latencies_ms.get((share * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
    };
    let lost: Vec<String> = outcome.dropped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    println!(
        "{name:<14} {:>11.1} {:>9.1} {:>8.0} {:>8.0} {:>8.0} {:>13.2} {:>15.1}   {}",
        outcome.rates_hz.first().copied().unwrap_or(0.0),
        outcome.rates_hz.iter().sum::<f64>(),
        quantile(0.5),
        quantile(0.99),
        quantile(1.0),
        outcome.cpu_ms,
        2e3 / outcome.cpu_ms / cameras as f64,
        lost.join(", "),
    );
    let rates: Vec<String> = outcome.rates_hz.iter().map(|rate| format!("{rate:.1}")).collect();
    println!("{:<14} each camera, Hz: {}", "", rates.join(" "));
}
