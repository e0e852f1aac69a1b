//! Nodes, many to a connection: their outboxes in memory, the protocol of ADR 4 over MQTT.
//!
//! Each has its station, numbers its DENMs, publishes each as a page on its outbox topic, announces its newest number now and
//! then, answers what is asked for, and forgets what is acknowledged.

use crate::option;
use bytes::Bytes;
use masa_links::clock;
use masa_links::protocol::{Ack, Entry, Get, Header, Page};
use rumqttc::{AsyncClient, Event, MqttOptions, NetworkOptions, Packet, PublishOptions, QoS, SessionMode};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Nodes to a connection.
const TO_A_CONNECTION: u64 = 125;
/// Messages of an answer, as a node's.
const PAGE: usize = 64;
const TICK: Duration = Duration::from_millis(20);
/// Ticks between two announcements of a node.
const ANNOUNCE_EVERY: u64 = 250;

/// What to simulate.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) port: u16,
    pub(crate) nodes: u64,
    /// Messages a second of all together.
    pub(crate) rate: u64,
    /// Messages that each has at the beginning.
    pub(crate) backlog: u64,
    pub(crate) site: String,
}

impl Plan {
    pub(crate) fn arguments(&self) -> Vec<String> {
        let Self { port, nodes, rate, backlog, site } = self;
        let numbers = [("--port", u64::from(*port)), ("--nodes", *nodes), ("--rate", *rate), ("--backlog", *backlog)];
        let numbers = numbers.into_iter().flat_map(|(name, n)| [name.to_owned(), n.to_string()]);
        [site.clone()].into_iter().chain(numbers).collect()
    }

    fn of_arguments() -> Self {
        Self {
            port: u16::try_from(option("--port", 1883)).unwrap(),
            nodes: option("--nodes", 1_000),
            rate: option("--rate", 1_000),
            backlog: option("--backlog", 0),
            site: std::env::args().nth(2).unwrap(),
        }
    }
}

pub(crate) async fn run() {
    let plan = Plan::of_arguments();
    let stations: Vec<u64> = (1..=plan.nodes).collect();
    let share = |nodes: usize| plan.rate as f64 * nodes as f64 / plan.nodes as f64;
    let connections = stations.chunks(TO_A_CONNECTION as usize).map(|stations| {
        let fleet = Fleet::new(&plan, stations, share(stations.len()));
        tokio::spawn(fleet.run(plan.port, plan.backlog))
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.unwrap();
    }
}

/// One node's outbox.
#[derive(Default)]
struct Outbox {
    last: u64,
    entries: VecDeque<Entry>,
}

/// The nodes of one connection.
struct Fleet {
    site: String,
    stations: Vec<u64>,
    per_s: f64,
    stream: u64,
    outboxes: BTreeMap<u64, Outbox>,
    uper: Bytes,
}

impl Fleet {
    fn new(plan: &Plan, stations: &[u64], per_s: f64) -> Self {
        const HEX: &str = include_str!("../../../v2x-proto/tests/samples/denm.hex");
        let digits: Vec<u8> = HEX.trim().chars().map(|c| c.to_digit(16).unwrap() as u8).collect();
        Self {
            site: plan.site.clone(),
            stations: stations.to_vec(),
            per_s,
            stream: clock::now().unix_ms().unsigned_abs(),
            outboxes: stations.iter().map(|station| (*station, Outbox::default())).collect(),
            uper: Bytes::from(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect::<Vec<u8>>()),
        }
    }

    fn topic(&self, station: u64, rest: &str) -> String {
        format!("masa/{}/{station}/{rest}", self.site)
    }

    /// Numbers and keeps a message; the page that carries it.
    fn publish(&mut self, station: u64) -> Page {
        let (stream, uper) = (self.stream, self.uper.clone());
        let outbox = self.outboxes.entry(station).or_default();
        outbox.last += 1;
        let number = outbox.last;
        let generated_at_ns = clock::now().unix_ns();
        let header = Header { id: format!("{station}-denm-{number}"), seq: number, generated_at_ns, stream, number };
        let entry = Entry { header, quadkey: "120222110230".into(), uper };
        outbox.entries.push_back(entry.clone());
        Page { stream, first: number, last: number, after: None, messages: vec![entry] }
    }

    /// What is there after a number.
    fn page(&self, station: u64, after: Option<u64>) -> Page {
        let outbox = &self.outboxes[&station];
        let first = outbox.entries.front().map_or(outbox.last + 1, |entry| entry.header.number);
        let wanted = |entry: &&Entry| after.is_some_and(|after| entry.header.number > after);
        let messages = outbox.entries.iter().filter(wanted).take(PAGE).cloned().collect();
        Page { stream: self.stream, first, last: outbox.last, after, messages }
    }

    async fn run(mut self, port: u16, backlog: u64) {
        let mut options =
            MqttOptions::new(format!("{}-{}", self.site, self.stations[0]), ("127.0.0.1".to_owned(), port));
        options.set_session_mode(SessionMode::Clean).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut events) = AsyncClient::builder(options).capacity(1_024).try_build().unwrap();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
        let stations = self.stations.clone();
        for _ in 0..backlog {
            stations.iter().for_each(|station| drop(self.publish(*station)));
        }
        let mut tick = tokio::time::interval(TICK);
        let (mut ticks, mut sent) = (0u64, 0u64);
        let mut began = None;
        loop {
            tokio::select! {
                event = events.poll() => match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        for station in &stations {
                            for rest in ["ack/+", "outbox/denm/get"] {
                                client.try_subscribe(self.topic(*station, rest), QoS::AtLeastOnce).unwrap();
                            }
                        }
                        began = Some(clock::now());
                    }
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        self.hear(&client, std::str::from_utf8(&publish.topic).unwrap(), &publish.payload);
                    }
                    Ok(_) => {}
                    // The room has ended, and so does this process soon.
                    Err(_) => tokio::time::sleep(TICK).await,
                },
                _ = tick.tick() => {
                    let Some(began) = began else { continue };
                    let due = (clock::now().seconds_since(began) * self.per_s) as u64;
                    while sent < due {
                        let station = stations[(sent % stations.len() as u64) as usize];
                        let page = self.publish(station);
                        self.say(&client, station, &page);
                        sent += 1;
                    }
                    ticks += 1;
                    let turn = |at: u64| (at + ticks).is_multiple_of(ANNOUNCE_EVERY);
                    for (_, station) in (0..).zip(&stations).filter(|(at, _)| turn(*at) || ticks == 1) {
                        self.say(&client, *station, &self.page(*station, None));
                    }
                }
            }
        }
    }

    fn say(&self, client: &AsyncClient, station: u64, page: &Page) {
        let payload = serde_json::to_vec(page).unwrap();
        // What does not fit is asked for again.
        let _ = client.try_publish(self.topic(station, "outbox/denm"), payload, PublishOptions::at_least_once());
    }

    fn hear(&mut self, client: &AsyncClient, topic: &str, payload: &[u8]) {
        let mut levels = topic.split('/').skip(2);
        let (Some(station), Some(group)) = (levels.next().and_then(|s| s.parse().ok()), levels.next()) else { return };
        if group == "ack" {
            let ack: Ack = serde_json::from_slice(payload).unwrap();
            let outbox = self.outboxes.entry(station).or_default();
            while outbox.entries.front().is_some_and(|entry| entry.header.number <= ack.upto) {
                outbox.entries.pop_front();
            }
        } else {
            let get: Get = serde_json::from_slice(payload).unwrap();
            self.say(client, station, &self.page(station, Some(get.after)));
        }
    }
}
