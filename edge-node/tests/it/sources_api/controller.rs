//! A signal controller behind a real broker (mosquitto), which is killed and comes back.

use super::mosquitto::{Mosquitto, free_port, mosquitto, publish};
use masa_edge_node::effect::{PriorityAction, PriorityRequest, Requester, Way};
use masa_edge_node::event::{Operation, PriorityAnswer, PriorityStatus, SignalPhase, SourceState, StatusChange};
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::signal_controller::{self, ControllerOutput, ControllerSettings};
use masa_edge_node::sources::stop::StopToken;
use masa_edge_node::sources::worker::Worker;
use masa_v2x_proto::time::Timestamp;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use std::time::Duration;

/// Longer than any machine needs; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// 2026-03-05T12:00:00Z: the time of the machine in these tests.
const NOON: Timestamp = Timestamp::from_unix_ms(1_772_712_000_000);

const SIGNALS: &str = r#"{"intersection": 101, "time": "2026-03-05T12:00:00Z", "operation": "traffic-dependent",
    "groups": [{"group": 1, "shows": "protected-movement-allowed", "min-end": "2026-03-05T12:00:08Z",
    "max-end": "2026-03-05T12:00:20Z"}, {"group": 2, "shows": "stop-and-remain"}]}"#;

fn settings(port: u16) -> ControllerSettings {
    toml::from_str(&format!(
        r#"
        broker = "mqtt://127.0.0.1:{port}"
        signals-topic = "controller/+/signals"
        answers-topic = "controller/+/priority/answer"
        requests-topic = "controller/{{intersection}}/priority/request"
        max-payload-bytes = 2000
        reconnect = {{ first-ms = 20, longest-ms = 100 }}
        "#
    ))
    .unwrap()
}

fn next(source: &Worker<ControllerOutput>) -> ControllerOutput {
    source.recv_timeout(PATIENCE).expect("the source goes on")
}

fn next_state(source: &Worker<ControllerOutput>, wanted: SourceState) -> StatusChange {
    loop {
        match next(source) {
            ControllerOutput::Status(change) if change.state == wanted => return change,
            ControllerOutput::Status(_) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[test]
fn signals_and_answers_arrive_and_requests_go_out() {
    let Some(program) = mosquitto("signals_and_answers_arrive_and_requests_go_out") else { return };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let broker = Mosquitto::start(&program, folder.path(), port);
    let (source, requests) =
        signal_controller::spawn(&settings(port), 1, Clock::manual(NOON), &StopToken::new()).unwrap();
    next_state(&source, SourceState::Up);
    publish(port, "controller/101/signals", SIGNALS);
    let ControllerOutput::Signals(report) = next(&source) else { panic!("signals") };
    assert_eq!((report.intersection, report.captured_at, report.operation), (101, NOON, Operation::TrafficDependent));
    assert_eq!(report.groups[0].shows, SignalPhase::ProtectedMovementAllowed);
    assert_eq!(report.groups[0].max_end, Some(NOON.plus_ms(20_000)));
    let answer = r#"{"station": 4711, "intersection": 101, "request": 3, "status": "granted"}"#;
    publish(port, "controller/101/priority/answer", answer);
    let granted = PriorityAnswer { station: 4_711, intersection: 101, request: 3, status: PriorityStatus::Granted };
    assert_eq!(next(&source), ControllerOutput::Answer(granted));

    // The controller's side.
    let mut options = MqttOptions::new("controller", ("127.0.0.1", port));
    options.set_keep_alive(5);
    let (client, mut connection) = Client::builder(options).capacity(4).build();
    client.subscribe("controller/101/#", QoS::AtLeastOnce).unwrap();
    let subscribed = |event: &Event| matches!(event, Event::Incoming(Packet::SubAck(_)));
    assert!(connection.iter().any(|event| subscribed(&event.unwrap())));
    requests.send(&PriorityRequest {
        station: 4_711,
        intersection: 101,
        request: 4,
        action: PriorityAction::Request,
        requester: Requester::Emergency,
        inbound: Some(Way::Lane(1)),
        outbound: None,
        arrives_at: None,
    });
    let asked = connection.iter().find_map(|event| match event.unwrap() {
        Event::Incoming(Packet::Publish(message)) => Some(message),
        _ => None,
    });
    let asked = asked.unwrap();
    assert_eq!(&asked.topic[..], &b"controller/101/priority/request"[..]);
    let document: serde_json::Value = serde_json::from_slice(&asked.payload).unwrap();
    assert_eq!((&document["request"], &document["inbound"]["lane"]), (&4.into(), &1.into()));

    drop(broker);
    next_state(&source, SourceState::Connecting);
    let _broker = Mosquitto::start(&program, folder.path(), port);
    next_state(&source, SourceState::Up);
    publish(port, "controller/7/signals", SIGNALS.replace("101", "7"));
    assert!(matches!(next(&source), ControllerOutput::Signals(report) if report.intersection == 7));
}

#[test]
fn what_does_not_fit_is_reported_and_nothing_stops() {
    let Some(program) = mosquitto("what_does_not_fit_is_reported_and_nothing_stops") else { return };
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let _broker = Mosquitto::start(&program, folder.path(), port);
    let (source, _requests) =
        signal_controller::spawn(&settings(port), 1, Clock::manual(NOON), &StopToken::new()).unwrap();
    next_state(&source, SourceState::Up);
    for (topic, payload, label) in [
        ("controller/101/signals", "green".to_owned(), "malformed"),
        ("controller/101/signals", SIGNALS.replace("12:00:00Z", "12:05:00Z"), "implausible-time"),
        ("controller/101/signals", SIGNALS.replace("\"group\": 2", "\"group\": 1"), "not-valid"),
        ("controller/101/signals", " ".repeat(2_001), "too-large"),
        ("controller/101/priority/answer", SIGNALS.to_owned(), "malformed"),
    ] {
        publish(port, topic, payload);
        let ControllerOutput::Rejected { topic: from, reason, excerpt } = next(&source) else { panic!("{label}") };
        assert_eq!((from.as_str(), reason.label()), (topic, label), "{reason}");
        assert!(excerpt.len() <= 300, "{excerpt}");
    }
    publish(port, "controller/101/signals", SIGNALS);
    assert!(matches!(next(&source), ControllerOutput::Signals(_)));
}

#[test]
fn wrong_settings_are_refused_before_anything_starts() {
    let refuse = |change: &dyn Fn(&mut ControllerSettings)| {
        let mut settings = settings(1);
        change(&mut settings);
        let refused = signal_controller::spawn(&settings, 1, Clock::system(), &StopToken::new());
        refused.err().unwrap().to_string()
    };
    assert!(refuse(&|settings| settings.signals_topic = "a/#/b".to_owned()).contains("a/#/b"));
    assert!(refuse(&|settings| settings.requests_topic = Some("a/+".to_owned())).contains("a/+"));
    assert!(refuse(&|settings| settings.broker = "http://x".to_owned()).contains("http://x"));
}
