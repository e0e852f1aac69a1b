//! The demo's own audience and what it must have heard: a reader on the other side of the embedded broker and Zenoh.

use crate::listen::perceived_objects;
use anyhow::Context;
use masa_edge_node::config::Configuration;
use masa_edge_node::effect::MessageKind;
use masa_edge_node::run::live::RunSummary;
use masa_links::{MqttSettings, Reader, ReaderSettings};
use masa_v2x_proto::Message;
use std::collections::BTreeMap;
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
    pub(super) fn new(configuration: &Configuration) -> anyhow::Result<Self> {
        let broker = configuration.node.links.broker.as_ref().context("the demo has a broker")?;
        let mqtt = MqttSettings {
            host: broker.listen.ip().to_string(),
            port: broker.listen.port(),
            client_id: Some("masa-demo-audience".into()),
            ..MqttSettings::default()
        };
        Ok(Self { settings: ReaderSettings { mqtt: Some(mqtt), ..ReaderSettings::default() } })
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

/// The criteria that were not met. `shipped_s` is the duration when the shipped clip ran, whose story is known.
pub(super) fn unmet(summary: &RunSummary, heard: &Heard, shipped_s: Option<f64>) -> Vec<String> {
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
    if let Some(seconds) = shipped_s {
        expect(heard.most_objects >= 2, format!("a CPM with two objects or more (most: {})", heard.most_objects));
        if seconds >= 45.0 {
            let denms = heard.messages.get("denm").copied().unwrap_or(0);
            expect(denms >= 2, format!("the person on the road and the stopped car were warned of ({denms} DENMs)"));
        }
    }
    unmet
}
