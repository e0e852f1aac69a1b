//! Other processes, made of this test binary: it runs itself with one of these "tests" by name. Without the variable
//! that says what to do they are not asked for, hence `ignore`.

use crate::support::{Killed, message, mqtt_at, station};
use masa_links::{Links, LinksSettings, MessageKind, OutboxSettings, ZenohSettings};
use std::path::Path;
use std::process::{Command, Stdio};

fn child(test: &str, variables: &[(&str, &str)]) -> Killed {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).stdout(Stdio::null()).stdin(Stdio::null());
    Killed(command.envs(variables.iter().copied()).spawn().unwrap())
}

/// A Zenoh router in a process of its own.
pub(crate) fn zenoh_router(endpoint: &str) -> Killed {
    child("children::run_zenoh_router", &[("MASA_TEST_ROUTER", endpoint)])
}

/// A node that stores `count` DENMs for a broker nobody listens at.
pub(crate) fn node(outbox: &Path, port: u16, count: u64) -> Killed {
    let (port, count) = (port.to_string(), count.to_string());
    let variables =
        [("MASA_TEST_OUTBOX", outbox.to_str().unwrap()), ("MASA_TEST_PORT", &port), ("MASA_TEST_COUNT", &count)];
    child("children::run_node", &variables)
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: this is a child process of other tests"))
}

#[test]
#[ignore = "a child process of other tests"]
fn run_zenoh_router() {
    let mut config = zenoh::Config::default();
    config.insert_json5("mode", "\"router\"").unwrap();
    config.insert_json5("listen/endpoints", &format!("[\"{}\"]", variable("MASA_TEST_ROUTER"))).unwrap();
    config.insert_json5("scouting/multicast/enabled", "false").unwrap();
    config.insert_json5("scouting/gossip/enabled", "false").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let _session = zenoh::open(config).await.unwrap();
        std::future::pending::<()>().await
    })
}

#[test]
#[ignore = "a child process of other tests"]
fn run_node() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let settings = LinksSettings {
            mqtt: Some(mqtt_at(variable("MASA_TEST_PORT").parse().unwrap())),
            outbox: OutboxSettings { path: Some(variable("MASA_TEST_OUTBOX").into()), ..OutboxSettings::default() },
            ..LinksSettings::default()
        };
        let links = Links::start(settings, station()).await.unwrap();
        for seq in 1..=variable("MASA_TEST_COUNT").parse().unwrap() {
            links.publish(message(MessageKind::Denm, seq)).unwrap();
        }
        // Goes on running, as a node does, until it is killed.
        std::future::pending::<()>().await
    })
}

/// Settings of a client of the router at `endpoint`.
pub(crate) fn client_of(endpoint: &str) -> ZenohSettings {
    ZenohSettings {
        mode: masa_links::transport::zenoh::Mode::Client,
        connect: vec![endpoint.to_owned()],
        retry_max_ms: 200,
        ..ZenohSettings::default()
    }
}
