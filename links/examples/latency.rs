//! Loopback latency of each link: from `publish` to the application's reader, one way, in one process.
//!
//! ```text
//! cargo run --release -p masa-links --example latency -- [MESSAGES] [PORT-OF-A-BROKER]
//! ```
//!
//! Prints p50 and p99 in microseconds for 200 B and 1.5 kB, best-effort (CPM) and at-least-once (DENM), and the share of
//! messages that arrived. With a port it also measures the broker that listens there.

use bytes::Bytes;
use masa_links::{
    BrokerSettings, LinkState, Links, LinksSettings, MessageKind, MqttSettings, Outgoing, Reader, ReaderSettings,
    Station, ZenohSettings,
};
use masa_v2x_proto::time::Timestamp;
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, SystemTime};
use tokio::time::{interval, timeout};

/// One message every this long: below saturation, so that it is latency and not queueing that is measured.
const EVERY: Duration = Duration::from_millis(5);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().map_or(Ok(1_000), |n| n.parse())?;
    let broker: Option<u16> = arguments.next().map(|port| port.parse()).transpose()?;
    println!("{:<16} {:>6} {:>5} {:>8} {:>8} {:>8}", "link", "bytes", "kind", "p50 µs", "p99 µs", "arrived");

    let endpoint = format!("tcp/127.0.0.1:{}", TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    let listening = ZenohSettings { listen: vec![endpoint.clone()], ..ZenohSettings::default() };
    let connecting = ZenohSettings { connect: vec![endpoint], ..ZenohSettings::default() };
    let links = start(LinksSettings { zenoh: Some(listening), ..LinksSettings::default() }).await?;
    let mut reader = Reader::subscribe(&ReaderSettings { zenoh: Some(connecting), ..ReaderSettings::default() }, &[])?;
    measure("zenoh peer", &links, &mut reader, count).await?;
    drop((links, reader));

    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let embedded = Some(BrokerSettings { listen, ..BrokerSettings::default() });
    let links = start(LinksSettings { broker: embedded, ..LinksSettings::default() }).await?;
    let port = links.broker_address().map_or(0, |address| address.port());
    measure("embedded broker", &links, &mut mqtt_reader(port)?, count).await?;
    drop(links);

    if let Some(port) = broker {
        let mqtt = Some(MqttSettings { port, ..MqttSettings::default() });
        let links = start(LinksSettings { mqtt, ..LinksSettings::default() }).await?;
        measure("broker at port", &links, &mut mqtt_reader(port)?, count).await?;
    }
    Ok(())
}

async fn start(settings: LinksSettings) -> Result<Links, Box<dyn Error>> {
    Ok(Links::start(settings, Station::new("latency", 1)?).await?)
}

fn mqtt_reader(port: u16) -> Result<Reader, Box<dyn Error>> {
    let mqtt = Some(MqttSettings { port, ..MqttSettings::default() });
    Ok(Reader::subscribe(&ReaderSettings { mqtt, ..ReaderSettings::default() }, &[])?)
}

#[allow(clippy::disallowed_methods, reason = "a measurement needs the time")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ns(since.as_nanos() as i64)
}

fn message(kind: MessageKind, seq: u64, bytes: usize) -> Outgoing {
    let mut uper = vec![0; bytes.max(8)];
    uper[..8].copy_from_slice(&seq.to_be_bytes());
    Outgoing {
        id: format!("1-{}-{seq}", kind.name()),
        kind: kind.into(),
        seq,
        generated_at: now(),
        quadkey: "1202102332".into(),
        deadline: None,
        dissemination: masa_v2x_proto::geonet::Dissemination::default(),
        current: None,
        uper: Bytes::from(uper),
        json: Bytes::from(vec![b'x'; bytes * 3]),
    }
}

async fn measure(name: &str, links: &Links, reader: &mut Reader, count: usize) -> Result<(), Box<dyn Error>> {
    let up = |all: &Vec<masa_links::LinkStatus>| all.iter().any(|s| s.state == LinkState::Up);
    timeout(Duration::from_secs(10), reader.status().wait_for(up)).await??;
    for bytes in [200, 1_500] {
        for kind in [MessageKind::Cpm, MessageKind::Denm] {
            let mut latencies = run(links, reader, kind, bytes, count).await?;
            latencies.sort_unstable();
            let at = |q: f64| latencies.get(((latencies.len() as f64 * q) as usize).min(latencies.len() - 1)).copied();
            println!(
                "{name:<16} {bytes:>6} {:>5} {:>8.0} {:>8.0} {:>7.1}%",
                kind.name(),
                at(0.5).unwrap_or_default() as f64 * 1e-3,
                at(0.99).unwrap_or_default() as f64 * 1e-3,
                100.0 * latencies.len() as f64 / count as f64,
            );
        }
    }
    Ok(())
}

/// Sends `count` messages and returns the nanoseconds each took; the first seconds' worth are not counted.
async fn run(
    links: &Links,
    reader: &mut Reader,
    kind: MessageKind,
    bytes: usize,
    count: usize,
) -> Result<Vec<i64>, Box<dyn Error>> {
    const WARM_UP: usize = 100;
    let mut sent_at = vec![Timestamp::default(); WARM_UP + count];
    let mut latencies = Vec::with_capacity(count);
    let mut pace = interval(EVERY);
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = pace.tick(), if sent < sent_at.len() => {
                sent_at[sent] = now();
                links.publish(message(kind, sent as u64, bytes))?;
                sent += 1;
            }
            received = timeout(Duration::from_secs(2), reader.recv()) => {
                let Ok(received) = received else { break };
                if received.kind != kind || received.uper.len() != bytes {
                    continue;
                }
                let seq = u64::from_be_bytes(received.uper[..8].try_into()?) as usize;
                if seq >= WARM_UP {
                    latencies.push(received.received_at.unix_ns() - sent_at[seq].unix_ns());
                }
                if seq + 1 == sent_at.len() {
                    break;
                }
            }
        }
    }
    Ok(latencies)
}
