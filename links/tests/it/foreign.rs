//! Clients that nobody here wrote: mosquitto_sub and eclipse-zenoh for Python.

use crate::support::*;
use masa_links::{LinkName, LinkState, Links, LinksSettings, MessageKind, ZenohSettings};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// Time after which a message is said again.
const HEARD_WITHIN: Duration = Duration::from_millis(500);

/// Lines of a child's output, as they come.
fn lines(child: &mut Killed) -> Receiver<String> {
    let output = BufReader::new(child.0.stdout.take().unwrap());
    let (tx, rx) = sync_channel(1024);
    std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tx.send(line)));
    rx
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mosquitto_sub_reads_the_json_image() {
    let (links, port) = with_embedded_broker().await;
    let subscriber = Command::new("mosquitto_sub")
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &port.to_string(),
            "-v",
            "-q",
            "1",
            "-t",
            "default/outQueue/v2x/+/masa_4001/1/2/#",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(subscriber) = subscriber else {
        println!("skipped: mosquitto_sub_reads_the_json_image: mosquitto_sub is not installed");
        return;
    };
    let mut subscriber = Killed(subscriber);
    let lines = lines(&mut subscriber);
    for kind in MessageKind::ALL {
        let name = kind.name();
        let wanted = format!("default/outQueue/v2x/{name}/masa_4001/1/2/0/2/1/0/2/3/3 {{\"id\":\"4001-{name}-1\"}}");
        assert_eq!(until_heard(&links, kind, &lines), wanted);
    }
}

/// Publishes message 1 of `kind` until the child prints it: nobody says when a subscription stands.
fn until_heard(links: &Links, kind: MessageKind, lines: &Receiver<String>) -> String {
    let sent = message(kind, 1);
    for _ in 0..PATIENCE.as_millis() / HEARD_WITHIN.as_millis() {
        links.publish(sent.clone()).unwrap();
        let line = tokio::task::block_in_place(|| lines.recv_timeout(HEARD_WITHIN));
        match line {
            // A repetition of the kind before may still come.
            Ok(line) if line.contains(kind.name()) => return line,
            _ => {}
        }
    }
    panic!("{} was never printed", sent.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_subscriber_reads_the_uper_bytes() {
    let test = "a_python_subscriber_reads_the_uper_bytes";
    let Some(python) = std::env::var_os("MASA_PYTHON") else {
        println!("skipped: {test}: MASA_PYTHON does not name a python with eclipse-zenoh");
        return;
    };
    let endpoint = format!("tcp/127.0.0.1:{}", free_port());
    let zenoh = ZenohSettings { listen: vec![endpoint.clone()], ..ZenohSettings::default() };
    let links =
        Links::start(LinksSettings { zenoh: Some(zenoh), ..LinksSettings::default() }, station()).await.unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zenoh_sub.py");
    let subscriber = Command::new(python).arg(script).arg(&endpoint).stdout(Stdio::piped()).spawn().unwrap();
    let mut subscriber = Killed(subscriber);
    let lines = lines(&mut subscriber);
    let next = || lines.recv_timeout(PATIENCE).expect("the subscriber prints a line");
    assert_eq!(tokio::task::block_in_place(next), "ready");
    wait_for(links.status(), LinkName::Zenoh, LinkState::Up).await;
    for kind in MessageKind::ALL {
        let sent = message(kind, 1);
        let line = until_heard(&links, kind, &lines);
        let parts: Vec<&str> = line.split(' ').collect();
        let hex: String = sent.uper.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(parts[0], format!("masa/test/4001/v2x/{}/120210233", kind.name()));
        assert_eq!(parts[1], hex);
        assert_eq!((parts[2], parts[3]), (sent.id.as_str(), "1"));
    }
}
