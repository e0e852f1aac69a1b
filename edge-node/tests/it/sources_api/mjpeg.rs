//! MJPEG over HTTP against a server in this file, which is killed and comes back.

use super::support::{Delivered, grey_jpeg, is_near, settings, spawn};
use masa_edge_node::event::{DropReason, SourceState};
use masa_edge_node::sources::camera::CameraSourceSettings;
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// What a client without a password is told, where one is needed.
const CHALLENGE: &str =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"\r\nContent-Length: 0\r\n\r\n";
const HEADER: &str = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=\"frame\"\r\n\r\n";

/// A camera for one client: sends the parts that the test hands it; ends, and closes its port, when dropped.
struct Camera {
    address: SocketAddr,
    parts: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<()>>,
}

impl Camera {
    fn start(address: SocketAddr, authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (parts, to_send) = sync_channel(16);
        let thread = std::thread::spawn(move || serve(&listener, authorization, &to_send));
        Self { address, parts: Some(parts), thread: Some(thread) }
    }

    fn send(&self, part: Vec<u8>) {
        self.parts.as_ref().unwrap().send(part).unwrap();
    }

    fn settings(&self, more: &str) -> CameraSourceSettings {
        let address = self.address;
        settings(&format!(
            "kind = 'mjpeg'\nurl = 'http://{address}/video?q=1'\nreconnect = {{ first-ms = 20, longest-ms = 100 }}\n{more}"
        ))
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.parts = None;
        // A server that still waits for its client is woken.
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn serve(listener: &TcpListener, authorization: Option<&str>, parts: &Receiver<Vec<u8>>) {
    loop {
        let (mut client, _) = listener.accept().unwrap();
        let request: Vec<_> =
            BufReader::new(&client).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let Some(first) = request.first() else { return };
        assert_eq!(first, "GET /video?q=1 HTTP/1.1");
        let is_authorized = |expected: &str| {
            request.iter().any(|line| line.eq_ignore_ascii_case(&format!("authorization: {expected}")))
        };
        if !authorization.is_none_or(is_authorized) {
            client.write_all(CHALLENGE.as_bytes()).unwrap();
            continue;
        }
        client.write_all(HEADER.as_bytes()).unwrap();
        while let Ok(part) = parts.recv() {
            client.write_all(&part).unwrap();
        }
        return;
    }
}

fn part(jpeg: &[u8], more: &str) -> Vec<u8> {
    let head = format!("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n{more}\r\n", jpeg.len());
    [head.as_bytes(), jpeg, b"\r\n"].concat()
}

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

#[test]
fn pictures_arrive_and_a_camera_that_comes_back_is_found_again() {
    let server = Camera::start(anywhere(), None);
    let camera = spawn(server.settings(""), Clock::system(), &StopToken::new());
    let mut delivered = Delivered::default();
    for level in [50, 100, 150] {
        server.send(part(&grey_jpeg(level), ""));
        let wanted = delivered.frames.len() + 1;
        delivered.take_until(&camera, |delivered| delivered.frames.len() == wanted);
    }
    let states: Vec<_> = delivered.states.iter().map(|change| change.state).collect();
    assert_eq!(states, [SourceState::Connecting, SourceState::Up]);

    let address = server.address;
    drop(server);
    delivered.take_until(&camera, |delivered| delivered.states.len() >= 3);
    assert_eq!(delivered.last_state().0, SourceState::Connecting);
    assert!(delivered.last_state().1.contains(&address.to_string()), "{}", delivered.last_state().1);

    let server = Camera::start(address, None);
    server.send(part(&grey_jpeg(200), ""));
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 4);
    assert!(delivered.levels().into_iter().zip([50, 100, 150, 200]).all(|(level, sent)| is_near(level, sent)));
    assert_eq!(delivered.numbers(), [1, 2, 3, 4]);
    assert!(delivered.frames.windows(2).all(|pair| pair[0].captured_at < pair[1].captured_at));
    assert_eq!(delivered.last_state().0, SourceState::Up);
}

#[test]
fn a_password_is_given_when_asked_for() {
    // `op:pass` in base 64.
    let server = Camera::start(anywhere(), Some("Basic b3A6cGFzcw=="));
    let with_password = server.settings("credentials = { user = 'op', password = 'pass' }");
    let camera = spawn(with_password, Clock::system(), &StopToken::new());
    server.send(part(&grey_jpeg(50), ""));
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 1);
    assert!(delivered.states.iter().all(|change| !change.detail.contains("pass")));
    drop((camera, server));

    let server = Camera::start(anywhere(), Some("Basic b3A6cGFzcw=="));
    let camera = spawn(server.settings(""), Clock::system(), &StopToken::new());
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.states.len() == 2);
    assert!(delivered.last_state().1.contains("credentials"), "{}", delivered.last_state().1);
}

#[test]
fn a_broken_picture_is_counted_and_times_come_from_the_camera_when_asked() {
    let server = Camera::start(anywhere(), None);
    let camera = spawn(server.settings("times = 'x-timestamp'"), Clock::system(), &StopToken::new());
    server.send(part(&grey_jpeg(50), "X-Timestamp: 1714557600.5\r\n"));
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 1);
    server.send(part(&grey_jpeg(60)[..200], "X-Timestamp: 1714557600.6\r\n"));
    delivered.take_until(&camera, |delivered| delivered.dropped.len() == 1);
    server.send(part(&grey_jpeg(70), "X-Timestamp: 1714557600.7\r\n"));
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 2);
    let at = |ms: i64| Timestamp::from_unix_ms(1_714_557_600_000 + ms);
    let times: Vec<_> = delivered.frames.iter().map(|frame| (frame.frame, frame.captured_at)).collect();
    assert_eq!(times, [(1, at(500)), (3, at(700))]);
    let lost = &delivered.dropped[0];
    assert_eq!((lost.frame, lost.captured_at, lost.reason), (2, at(600), DropReason::DecodeFailed));
}

#[test]
fn a_picture_above_the_limit_ends_the_connection_in_words() {
    let server = Camera::start(anywhere(), None);
    let camera = spawn(server.settings("max-part-bytes = 100"), Clock::system(), &StopToken::new());
    server.send(part(&grey_jpeg(50), ""));
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.states.len() == 2);
    assert!(delivered.last_state().1.contains("exceeds the limit of 100"), "{}", delivered.last_state().1);
    assert!(delivered.frames.is_empty());
}

#[test]
fn a_camera_that_falls_silent_is_given_up() {
    let server = Camera::start(anywhere(), None);
    let camera = spawn(server.settings("silence-ms = 1500"), Clock::system(), &StopToken::new());
    server.send(part(&grey_jpeg(50), ""));
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.states.len() >= 3);
    assert!(delivered.has_state(SourceState::Up));
    assert!(delivered.states[2].detail.contains("no answer within 1.5 s"), "{}", delivered.states[2].detail);
}
