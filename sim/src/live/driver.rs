//! A connected driver: the display in the car, which reads what matters ahead, and what the driver does about it.
//!
//! In: messages of the tiles ahead, over Zenoh, as any application in a car would read them; the car's own motion. Out:
//! commands to the car. The display is a node's core of its own: it knows what was received and nothing else.

use super::street::Device;
use crate::actor::{Actor, ActorId};
use crate::run::conflict::Own;
use crate::run::gnss::Receiver;
use crate::run::reaction::{Driver, Reaction, Situation};
use crate::run::zebra::Zebra;
use crate::scenario::route::Way;
use crate::snapshot::Snapshot;
use crate::world::Command;
use masa_edge_node::effect::Effects;
use masa_edge_node::event::{Event, EventBody, EventId, ReceivedMessage, SourceId};
use masa_edge_node::node::Node;
use masa_edge_node::telemetry::NoProbe;
use masa_links::Reader;
use masa_v2x_proto::geo::{Enu, SiteFrame};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::tiles::tiles_along;
use masa_v2x_proto::time::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Time between two looks at the display, seconds.
const PERIOD_S: f64 = 0.1;
/// How far ahead the car asks what matters, metres.
const AHEAD_M: f64 = 500.0;
/// The car asks anew when it has gone so far, metres.
const ASK_EACH_M: f64 = 50.0;
/// Messages that wait for the next look.
const INBOX: usize = 512;

/// What a driver has done, newest last.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// Which car.
    pub car: String,
    /// When, seconds of the world.
    pub at_s: f64,
    /// What made the driver do it, in words.
    pub why: String,
    /// How hard the brakes went, metres a second squared.
    pub brake_mps2: Option<f64>,
}

/// What all drivers have done.
pub type Deeds = Arc<Mutex<Vec<Deed>>>;

/// A connected driver.
pub(super) struct ConnectedDriver {
    pub(super) car: String,
    pub(super) actor: ActorId,
    pub(super) station_id: u32,
    pub(super) way: Arc<Way>,
    pub(super) frame: SiteFrame,
    pub(super) zebras: Arc<[Zebra]>,
    pub(super) display: Node,
    pub(super) receiver: Receiver,
    pub(super) driver: Driver,
    pub(super) inbox: mpsc::Receiver<ReceivedMessage>,
    pub(super) ask: mpsc::Sender<Vec<String>>,
    pub(super) commands: mpsc::Sender<(ActorId, Command)>,
    pub(super) deeds: Deeds,
    pub(super) memory: Memory,
}

/// What a driver remembers from look to look.
#[derive(Debug, Default)]
pub(super) struct Memory {
    seq: u64,
    asked_at_m: Option<f64>,
    reaction: Reaction,
    effects: Effects,
}

impl ConnectedDriver {
    fn step(&mut self, source: SourceId, body: EventBody, at: Timestamp) {
        self.memory.seq += 1;
        let event = Event { arrived_at: at, id: EventId { source, seq: self.memory.seq }, body };
        self.display.step(&event, &mut self.memory.effects, &mut NoProbe);
    }

    fn ask(&mut self, s_m: f64) {
        if self.memory.asked_at_m.is_some_and(|asked_m| (s_m - asked_m).abs() < ASK_EACH_M) {
            return;
        }
        let on = |s_m: f64| self.way.at(s_m).map(|on| self.frame.to_wgs84(Enu::ground(on.point.x, on.point.y)));
        let ahead: Vec<_> = (0..=10).filter_map(|step| on(s_m + f64::from(step) * AHEAD_M / 10.0)).collect();
        // A full channel means that the last question is still being asked; the next look asks again.
        if self.ask.try_send(tiles_along(&ahead, 30.0, 32)).is_ok() {
            self.memory.asked_at_m = Some(s_m);
        }
    }

    fn act(&mut self, actor: &Actor, s_m: f64, snapshot: &Snapshot, at: Timestamp) {
        let situation = Situation {
            own: Own { way: &self.way, s_m, offset_m: 0.0, size_m: [actor.size.length_m, actor.size.width_m] },
            speed_mps: actor.speed_mps,
            yaw_rad: actor.pose.yaw_rad,
            frame: &self.frame,
            now: at,
            station_id: self.station_id,
            zebras: &self.zebras,
        };
        let reaction = self.driver.react(self.display.ldm(), &situation);
        if reaction == self.memory.reaction {
            return;
        }
        // What counts down, such as a green to come, is told of once.
        let cause = |why: &str| why.split(':').next().unwrap_or_default().to_owned();
        let is_news = !reaction.why.is_empty() && cause(&reaction.why) != cause(&self.memory.reaction.why);
        for command in [Command::LimitSpeed(reaction.limit_mps), Command::Brake(reaction.brake_mps2)] {
            // A street that takes no more commands has stopped.
            let _ = self.commands.try_send((self.actor, command));
        }
        if is_news {
            let mut deeds = self.deeds.lock().unwrap_or_else(PoisonError::into_inner);
            if deeds.len() < MAX_DEEDS {
                deeds.push(Deed {
                    car: self.car.clone(),
                    at_s: snapshot.time_s,
                    why: reaction.why.clone(),
                    brake_mps2: reaction.brake_mps2,
                });
            }
        }
        self.memory.reaction = reaction;
    }
}

/// Deeds kept of a run.
const MAX_DEEDS: usize = 10_000;

impl Device for ConnectedDriver {
    fn period_s(&self) -> f64 {
        PERIOD_S
    }

    fn look(&mut self, snapshot: &Snapshot, at: Timestamp) {
        let Some(actor) = snapshot.actor(self.actor) else { return };
        let Some(s_m) = self.way.line.project(actor.pose.position.xy()).map(|p| p.s_m) else { return };
        let ego = self.receiver.state(actor, &self.frame, snapshot.time_s, at);
        self.step(SourceId::NODE, EventBody::Ego(ego), at);
        while let Ok(message) = self.inbox.try_recv() {
            self.step(SourceId(1), EventBody::Received(message), at);
        }
        self.ask(s_m);
        self.act(actor, s_m, snapshot, at);
    }
}

/// Reads what the driver asked for into the display's inbox, until the driver is gone.
pub(super) async fn read(
    mut reader: Reader,
    mut asked: mpsc::Receiver<Vec<String>>,
    inbox: mpsc::Sender<ReceivedMessage>,
) {
    loop {
        tokio::select! {
            tiles = asked.recv() => {
                let Some(tiles) = tiles else { return };
                if let Err(error) = reader.follow(&tiles) {
                    tracing::warn!(%error, "a car cannot ask what is ahead");
                }
            }
            received = reader.recv() => {
                let message = ReceivedMessage {
                    link: received.link.name().to_owned(),
                    origin: format!("{}/{}", received.site, received.station),
                    uper: received.uper.to_vec(),
                    verdict: Verdict::Unsigned,
                    received_at: received.received_at,
                };
                // A display that is too slow loses messages, as any would.
                let _ = inbox.try_send(message);
            }
        }
    }
}

/// The two ends of a display's inbox and of its questions.
pub(super) type Ends<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

/// A display's inbox.
pub(super) fn inbox() -> Ends<ReceivedMessage> {
    mpsc::channel(INBOX)
}
