//! Many nodes through a broker into a whole data room.

use crate::option;
use crate::simulate::Plan;
use masa_data_room::api::ApiSettings;
use masa_data_room::settings::StoreSettings;
use masa_data_room::{DataRoom, DataRoomSettings};
use masa_links::{BrokerSettings, clock};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// Memory of this process, megabytes: now, or the most there ever was.
fn memory_mb(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1_024.0
}

/// A simulator that ends with the measurement.
struct Simulator(Child);

impl Simulator {
    fn start(plan: &Plan) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self(command.arg("simulate").args(plan.arguments()).spawn().unwrap())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ages of records when they could be queried, milliseconds.
#[derive(Default)]
struct Ages(Vec<f64>);

impl Ages {
    fn percentile(&mut self, share: f64) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let rank = ((self.0.len() as f64 * share) as usize).min(self.0.len().saturating_sub(1));
        self.0.get(rank).copied().unwrap_or(f64::NAN)
    }
}

pub(crate) async fn measure(store: &StoreSettings) {
    let (nodes, rate, seconds) = (option("--nodes", 1_000), option("--rate", 1_000), option("--seconds", 300));
    let backlog = option("--backlog", 50);
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let settings = DataRoomSettings {
        listen: anywhere,
        store: store.clone(),
        broker: Some(BrokerSettings { listen: anywhere, ..BrokerSettings::default() }),
        api: ApiSettings { folder: store.embedded.folder.with_file_name("api"), ..ApiSettings::default() },
        ..DataRoomSettings::default()
    };
    let room = DataRoom::start(&settings).await.unwrap();
    let port = room.broker_address().unwrap().port();
    let mut feed = room.room().feed.subscribe();
    println!("memory before: {:.0} MB", memory_mb("VmRSS"));

    // Catching up: everything is there from the start.
    let total = nodes * backlog;
    let simulator = Simulator::start(&Plan { port, nodes, rate: 0, backlog, site: "backlog".into() });
    let (mut first, mut left) = (None, total);
    while left > 0 {
        match feed.recv().await {
            Ok(record) if record.source.site == "backlog" => {
                first.get_or_insert_with(clock::now);
                left -= 1;
            }
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => left = left.saturating_sub(missed),
            Err(RecvError::Closed) => break,
        }
    }
    let took_s = first.map_or(f64::NAN, |first| clock::now().seconds_since(first));
    println!("catching up: {nodes} nodes with {backlog} messages each: {:.0} records/s", total as f64 / took_s);
    drop(simulator);

    // Steady.
    let simulator = Simulator::start(&Plan { port, nodes, rate, backlog: 0, site: "steady".into() });
    let (mut ages, mut halfway) = (Ages::default(), None);
    let began = clock::now();
    while let Ok(heard) = tokio::time::timeout(Duration::from_secs(30), feed.recv()).await {
        let now = clock::now();
        match heard {
            Ok(record) if record.source.site == "steady" => ages.0.push(now.seconds_since(record.measured_at) * 1e3),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => println!("the measurement itself was too slow for {missed} records"),
            Err(RecvError::Closed) => break,
        }
        let so_far_s = now.seconds_since(began);
        if so_far_s >= seconds as f64 / 2.0 {
            halfway.get_or_insert_with(|| memory_mb("VmRSS"));
        }
        if so_far_s >= seconds as f64 {
            break;
        }
    }
    let per_s = ages.0.len() as f64 / clock::now().seconds_since(began);
    drop(simulator);
    let report = room.room().ledger.report();
    println!(
        "steady: {nodes} nodes, {rate} messages/s for {seconds} s: {per_s:.0} records/s stored, age when queryable p50 {:.0} ms, p99 {:.0} ms, worst {:.0} ms",
        ages.percentile(0.5),
        ages.percentile(0.99),
        ages.percentile(1.0)
    );
    println!(
        "{} sources, {} duplicates, {} postponed batches; memory halfway {:.0} MB, at the end {:.0} MB, most {:.0} MB",
        report.sources.len(),
        report.duplicates,
        report.postponed,
        halfway.unwrap_or(f64::NAN),
        memory_mb("VmRSS"),
        memory_mb("VmHWM")
    );
    room.shutdown(Duration::from_secs(5)).await;
}
