//! IoT sensors behind a real broker (mosquitto), which is killed and comes back.

use super::mosquitto::{Mosquitto, free_port, mosquitto, publish};
use masa_edge_node::event::{Observation, Quantity, SourceState, StatusChange};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::iot_mqtt::{self, IotHandle, IotOutput, IotSettings, Rejected};
use masa_edge_node::sources::stop::StopToken;
use std::time::Duration;

/// Longer than any machine needs; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings(port: u16) -> IotSettings {
    toml::from_str(&format!(
        r#"
        broker = "mqtt://127.0.0.1:{port}"
        reconnect = {{ first-ms = 20, longest-ms = 100 }}
        max-payload-bytes = 1000

        [[mappings]]
        topic = "city/+/air"
        sensor = {{ pointer = "/id" }}
        quantity = "no2"
        value = "/no2"
        unit = "µg/m³"

        [[mappings]]
        topic = "city/+/air"
        sensor = {{ pointer = "/id" }}
        quantity = "air-temperature"
        value = "/t"
        unit = "K"

        [[mappings]]
        topic = "road/#"
        sensor = "surface"
        quantity = "road-surface-temperature"
        value = ""
        unit = "°C"
        "#
    ))
    .unwrap()
}

fn next(source: &IotHandle) -> IotOutput {
    source.recv_timeout(PATIENCE).expect("the source goes on")
}

fn next_state(source: &IotHandle, wanted: SourceState) -> StatusChange {
    loop {
        match next(source) {
            IotOutput::Status(change) if change.state == wanted => return change,
            IotOutput::Status(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

fn next_observation(source: &IotHandle) -> Observation {
    match next(source) {
        IotOutput::Observation(observation) => observation,
        other => panic!("unexpected {other:?}"),
    }
}

fn next_rejected(source: &IotHandle) -> Rejected {
    match next(source) {
        IotOutput::Rejected(rejected) => rejected,
        other => panic!("unexpected {other:?}"),
    }
}

#[test]
fn readings_arrive_and_a_broker_that_comes_back_is_found_again() {
    let Some(program) = mosquitto("readings_arrive_and_a_broker_that_comes_back_is_found_again") else { return };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let source = iot_mqtt::spawn(&settings(port), 1, "test", Clock::system(), &StopToken::new()).unwrap();
    // Nobody is there yet: connecting, then a failed attempt in words.
    next_state(&source, SourceState::Connecting);
    let refused = next_state(&source, SourceState::Connecting);
    assert!(
        refused.detail.contains(&port.to_string()) && refused.detail.contains("next attempt"),
        "{}",
        refused.detail
    );

    let broker = Mosquitto::start(&program, folder.path(), port);
    next_state(&source, SourceState::Up);
    publish(port, "city/north/air", r#"{"id": "a1", "no2": 41.5, "t": 293.15}"#);
    let no2 = next_observation(&source);
    assert_eq!((no2.sensor.as_str(), no2.quantity, no2.value), ("a1", Quantity::No2, 41.5));
    let temperature = next_observation(&source);
    assert_eq!((temperature.quantity, temperature.value), (Quantity::AirTemperature, 20.0));

    drop(broker);
    next_state(&source, SourceState::Connecting);
    let _broker = Mosquitto::start(&program, folder.path(), port);
    next_state(&source, SourceState::Up);
    publish(port, "road/7/lane/2", "-3.5");
    let surface = next_observation(&source);
    assert_eq!((surface.sensor.as_str(), surface.value), ("surface", -3.5));
    source.shut_down();
}

#[test]
fn what_is_no_reading_is_reported_and_nothing_stops() {
    let Some(program) = mosquitto("what_is_no_reading_is_reported_and_nothing_stops") else { return };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let _broker = Mosquitto::start(&program, folder.path(), port);
    let source = iot_mqtt::spawn(&settings(port), 1, "test", Clock::system(), &StopToken::new()).unwrap();
    next_state(&source, SourceState::Up);
    for (payload, label) in [
        (b"12 degrees".to_vec(), "no-json"),
        (vec![0xFF, 0xFE, 0], "no-json"),
        (Vec::new(), "no-json"),
        (b"\"warm\"".to_vec(), "no-number"),
        (b"900".to_vec(), "out-of-range"),
        (vec![b'1'; 1001], "too-large"),
        (vec![b' '; 100_000], "too-large"),
    ] {
        publish(port, "road/1", payload);
        let rejected = next_rejected(&source);
        assert_eq!((rejected.topic.as_str(), rejected.reason.label()), ("road/1", label), "{rejected:?}");
        assert!(rejected.excerpt.len() <= 300, "{rejected:?}");
    }
    publish(port, "road/1", "4");
    assert_eq!(next_observation(&source).value, 4.0);
}

#[test]
fn wrong_settings_are_refused_before_anything_starts() {
    let port = free_port();
    let refuse = |change: &dyn Fn(&mut IotSettings)| {
        let mut settings = settings(port);
        change(&mut settings);
        iot_mqtt::spawn(&settings, 1, "test", Clock::system(), &StopToken::new()).err().unwrap().to_string()
    };
    assert!(refuse(&|settings| settings.mappings.clear()).contains("mappings"));
    assert!(refuse(&|settings| settings.broker = "http://x".to_owned()).contains("http://x"));
    assert!(refuse(&|settings| settings.mappings[2].topic = "road/#/x".to_owned()).contains("road/#/x"));
}
