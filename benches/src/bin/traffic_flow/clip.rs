//! The real junction: the node's own pipeline on a clip, its CPMs through the services, beside a count by hand.

use anyhow::{Context, ensure};
use clap::Parser;
use masa_data_room::services::class::RoadUserClass;
use masa_data_room::services::site::ServiceSite;
use masa_data_room::services::traffic_flow::{Direction, FlowFinding};
use masa_data_room::services::{Found, Services};
use masa_data_room::{Kind, Record, Sensitivity, Source, Tenant};
use masa_edge_node::config::Configuration;
use masa_edge_node::effect::OutMessage;
use masa_edge_node::recorder::{Entry, Recording};
use masa_edge_node::run::TimeBase;
use masa_edge_node::run::live::LiveNode;
use masa_edge_node::sources::camera::Pace;
use masa_inference::EngineKind;
use masa_v2x_proto::MessageKind;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What was counted by hand.
const HAND_COUNT: &str = include_str!("hand_count.toml");
/// After the clip the services wait for what may still come, and until the minute is over.
const AFTER_MS: i64 = 70_000;

/// The pipeline on a clip beside a count by hand.
#[derive(Clone, Debug, Parser)]
pub(crate) struct Clip {
    /// Node file; its camera reads the clip.
    #[arg(long, default_value = "deploy/sites/otvision-junction/node.toml")]
    config: PathBuf,
    /// Gates.
    #[arg(long, default_value = "deploy/sites/otvision-junction/services.toml")]
    services: PathBuf,
    /// `libonnxruntime.so`; without it the pure-Rust engine runs.
    #[arg(long, env = "MASA_ONNXRUNTIME")]
    onnxruntime: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandCount {
    count: Vec<HandCountRow>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandCountRow {
    gate: String,
    direction: Direction,
    class: RoadUserClass,
    count: u32,
}

impl Clip {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.services).with_context(|| self.services.display().to_string())?;
        let site: ServiceSite = toml::from_str(&text).with_context(|| self.services.display().to_string())?;
        let folder = tempfile::tempdir()?;
        let recording = self.record(folder.path())?;
        let mut services = Services::new(site)?;
        let mut found = Vec::new();
        let mut messages = 0;
        let mut last = None;
        for entry in Recording::open(&recording)? {
            let Entry::Message(message) = entry? else { continue };
            if message.kind != MessageKind::Cpm {
                continue;
            }
            messages += 1;
            last = Some(message.generated_at);
            found.extend(services.take(&record(&services.site().site, &message)));
        }
        let last = last.context("the node sent no CPM")?;
        found.extend(services.advance(last.plus_ms(AFTER_MS)));
        println!("{messages} CPMs; dropped: {:?}", services.drops());
        let flows = found.into_iter().filter_map(|finding| match finding.found {
            Found::Flow(flow) => Some(flow),
            _ => None,
        });
        compare(&flows.collect::<Vec<_>>())
    }

    /// Runs the node on the clip; the file with what it said.
    fn record(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let mut configuration = Configuration::load(&self.config)?;
        configuration.set_pace(Pace::AsFastAsPossible);
        configuration.node.web = None;
        configuration.node.links.broker = None;
        configuration.node.links.outbox.path = None;
        configuration.node.links.zenoh.iter_mut().for_each(|zenoh| zenoh.listen = vec!["tcp/127.0.0.1:0".into()]);
        let recording = configuration.node.recording.as_mut().context("the node file records nothing")?;
        recording.directory = folder.to_owned();
        if let Some(library) = &self.onnxruntime {
            configuration.node.engine.engine = EngineKind::Onnxruntime;
            configuration.node.engine.library = Some(library.clone());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let summary = runtime.block_on(async {
            let mut node = LiveNode::start(&configuration, TimeBase::Capture).await?;
            node.cameras_ended().await;
            anyhow::Ok(node.shutdown(Duration::from_secs(5)).await)
        })?;
        let (path, lost) = summary.recording.context("nothing was recorded")?;
        ensure!(lost == 0, "{lost} records were lost");
        Ok(path)
    }
}

fn record(site: &str, message: &OutMessage) -> Record {
    Record {
        arrival: 0,
        tenant: Tenant::default(),
        source: Source { site: site.into(), station: 0 },
        kind: Kind::V2x(message.kind),
        epoch: 0,
        sequence: message.seq,
        message_id: message.id.clone(),
        entity: String::new(),
        measured_at: message.generated_at,
        received_at: message.generated_at,
        position: Some(message.position),
        sensitivity: Sensitivity::Personal,
        topic: String::new(),
        payload: message.uper.clone().into(),
    }
}

fn compare(found: &[FlowFinding]) -> anyhow::Result<()> {
    let hand: HandCount = toml::from_str(HAND_COUNT).context("hand_count.toml")?;
    let mut table: BTreeMap<(String, Direction, RoadUserClass), [u32; 2]> = BTreeMap::new();
    for row in hand.count {
        table.entry((row.gate, row.direction, row.class)).or_default()[1] += row.count;
    }
    for finding in found {
        match finding {
            FlowFinding::Flow(flow) if flow.to.unix_ms() - flow.from.unix_ms() == 60_000 => {
                let Some(class) = flow.class else { continue };
                table.entry((flow.gate.clone(), flow.direction, class)).or_default()[0] += flow.count;
                if let Some(mps) = flow.time_mean_mps {
                    println!(
                        "{} {}: {} {}, {:.1} km/h",
                        flow.gate,
                        flow.direction.name(),
                        flow.count,
                        class.name(),
                        mps * 3.6
                    );
                }
            }
            FlowFinding::Movement(movement) if movement.class.is_some() => println!("{movement:?}"),
            _ => {}
        }
    }
    println!("{:<12} {:<9} {:<11} {:>5} {:>5}", "gate", "way", "class", "ours", "hand");
    let mut wrong = 0;
    for ((gate, direction, class), [ours, hand]) in table {
        println!("{gate:<12} {:<9} {:<11} {ours:>5} {hand:>5}", direction.name(), class.name());
        wrong += ours.abs_diff(hand);
    }
    println!("{wrong} differences");
    Ok(())
}
