//! The demo's own audience and what it must have heard: a reader on the other side of the embedded broker and Zenoh.

use crate::listen::perceived_objects;
use masa_edge_node::effect::MessageKind;
use masa_edge_node::run::live::RunSummary;
use masa_links::{MqttSettings, Reader, ReaderSettings};
use masa_sim::live::stage::StageSummary;
use masa_v2x_proto::Message;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Who listens to the demo, before it starts.
pub(super) struct Audience {
    settings: ReaderSettings,
}

/// The running reader.
pub(super) struct Listening {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<Heard>>,
}

/// What arrived on the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// Messages by kind.
    pub(super) messages: BTreeMap<&'static str, u64>,
    /// Messages that do not decode, and why the first did not.
    pub(super) undecodable: u64,
    pub(super) first_error: Option<String>,
    /// Largest number of objects in one CPM.
    pub(super) most_objects: usize,
}

impl Audience {
    /// A reader of everything that the broker at `address` carries, with none of the data room's code.
    pub(super) fn at(address: SocketAddr) -> Self {
        let mqtt = MqttSettings {
            host: address.ip().to_string(),
            port: address.port(),
            client_id: Some("masa-demo-audience".into()),
            ..MqttSettings::default()
        };
        Self { settings: ReaderSettings { mqtt: Some(mqtt), ..ReaderSettings::default() } }
    }

    /// Starts to listen on its own thread and runtime, as another process would.
    pub(super) fn listen(self) -> Listening {
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            runtime.block_on(hear(self.settings, stopped))
        });
        Listening { stop, thread }
    }
}

impl Listening {
    pub(super) fn finish(self) -> anyhow::Result<Heard> {
        // The reader may have ended by itself; its result says why.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow::anyhow!("the demo's reader panicked"))?
    }
}

async fn hear(settings: ReaderSettings, mut stopped: oneshot::Receiver<()>) -> anyhow::Result<Heard> {
    let mut reader = Reader::subscribe(&settings, &[])?;
    let mut heard = Heard::default();
    loop {
        tokio::select! {
            received = reader.recv() => {
                *heard.messages.entry(received.kind.name()).or_default() += 1;
                match Message::decode(&received.uper) {
                    Ok(message) => heard.most_objects = heard.most_objects.max(perceived_objects(&message)),
                    Err(error) => {
                        heard.undecodable += 1;
                        heard.first_error.get_or_insert(error.to_string());
                    }
                }
            }
            _ = &mut stopped => return Ok(heard),
        }
    }
}

/// The criteria that a node did not meet.
pub(super) fn unmet(summary: &RunSummary, heard: &Heard) -> Vec<String> {
    let mut unmet = Vec::new();
    let mut expect = |met: bool, words: String| {
        if !met {
            unmet.push(words);
        }
    };
    for kind in [MessageKind::Cam, MessageKind::Cpm] {
        let made = summary.core.messages.get(&kind).copied().unwrap_or(0);
        let arrived = heard.messages.get(kind.name()).copied().unwrap_or(0);
        expect(made > 0, format!("at least one {} was made", kind.name()));
        // The reader connects a moment after the node starts, and the last ones may still be on their way.
        expect(arrived * 10 >= made * 8, format!("the reader heard {arrived} of {made} {}", kind.name()));
    }
    expect(
        heard.undecodable == 0,
        format!("{} messages did not decode: {}", heard.undecodable, heard.first_error.as_deref().unwrap_or("")),
    );
    unmet
}

/// The criteria that a stage did not meet; `is_whole` when the shipped script ran far enough for its story.
pub(super) fn unmet_on_stage(summary: &StageSummary, heard: &Heard, is_whole: bool) -> Vec<String> {
    let Some(((_, roadside), on_board)) = summary.nodes.split_first() else { return vec!["a node runs".into()] };
    let mut unmet = unmet(roadside, heard);
    for (name, node) in on_board {
        let cams = node.core.messages.get(&MessageKind::Cam).copied().unwrap_or(0);
        if cams == 0 {
            unmet.push(format!("the node on board of {name} says where it is"));
        }
    }
    for kind in [MessageKind::Spatem, MessageKind::Mapem] {
        if heard.messages.get(kind.name()).copied().unwrap_or(0) == 0 {
            unmet.push(format!("the signals are told of ({})", kind.name()));
        }
    }
    if is_whole && heard.most_objects < 2 {
        unmet.push(format!("a CPM with two objects or more (most: {})", heard.most_objects));
    }
    if is_whole && !summary.deeds.iter().any(|deed| deed.car == "car" && deed.brake_mps2.is_some()) {
        unmet.push("the connected car brakes for the pedestrian because of a message".into());
    }
    unmet
}
