//! JPEG pictures over HTTP, as `multipart/x-mixed-replace` (`push` streams of IP cameras).

use super::multipart::{MultipartParser, Part};
use super::network::{self, Incoming, Link, Peer, Reach};
use super::picture;
use super::settings::{MjpegSettings, MjpegTimes};
use super::sink::Flow;
use super::{CameraError, CameraSource, Context, Encoded};
use crate::event::{DropReason, SourceState};
use crate::sources::queue::WhenFull;
use http_auth::{PasswordClient, PasswordParams};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming as Body;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT, WWW_AUTHENTICATE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use masa_v2x_proto::time::Timestamp;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use url::{Position, Url};

/// Pictures that may wait for the decoder. Each stands alone, so the oldest goes.
const ENCODED_CAPACITY: usize = 2;

/// A camera that sends JPEG pictures.
pub(crate) struct MjpegSource {
    settings: MjpegSettings,
}

impl MjpegSource {
    pub(crate) fn new(settings: MjpegSettings) -> Self {
        Self { settings }
    }
}

impl CameraSource for MjpegSource {
    fn run(&mut self, context: &mut Context) -> Result<String, CameraError> {
        let settings = self.settings.clone();
        let url = network::parse_url(&settings.url, "http")?;
        let credentials = settings.credentials.as_ref().map(|credentials| credentials.resolve()).transpose();
        let credentials = credentials.map_err(CameraError::Settings)?;
        let reach = Reach {
            silence_ms: settings.silence_ms,
            reconnect: settings.reconnect,
            capacity: ENCODED_CAPACITY,
            when_full: WhenFull::DropOldest,
        };
        let peer = MjpegPeer { url, credentials, max_part_bytes: settings.max_part_bytes, times: settings.times };
        let peer_url = settings.url;
        let mut fault_told = false;
        network::receive(peer, reach, context, move |incoming, context| {
            match incoming {
                Incoming::Picture(picture) => Ok(show(picture, &peer_url, &mut fault_told, context)),
                // One report of undecodable pictures a connection is enough; all are counted.
                Incoming::Connecting(_) => {
                    fault_told = false;
                    Ok(Flow::Continue)
                }
                Incoming::Lost { .. } => Ok(Flow::Continue),
            }
        })
    }
}

struct Jpeg {
    captured_at: Timestamp,
    bytes: Vec<u8>,
}

fn show(jpeg: Jpeg, peer: &str, fault_told: &mut bool, context: &mut Context) -> Flow {
    let began = context.clock.elapsed();
    match picture::decode(&jpeg.bytes) {
        Ok((image, codec)) => {
            let decode_us = context.clock.micros_since(began);
            if context.sink.state() != Some(SourceState::Up) {
                let detail = format!("{peer}: receiving, {}×{} pixels", image.width, image.height);
                context.sink.status(SourceState::Up, detail);
            }
            let encoded = Encoded { codec, bytes: jpeg.bytes.into() };
            context.sink.frame(jpeg.captured_at, image, Some(encoded), decode_us)
        }
        Err(why) => {
            context.sink.lost(jpeg.captured_at, DropReason::DecodeFailed);
            if !std::mem::replace(fault_told, true) {
                let what = format!("a picture of {} bytes cannot be decoded: {why}", jpeg.bytes.len());
                let error = CameraError::Peer { peer: peer.to_owned(), what };
                context.sink.status(SourceState::Up, error.to_string());
            }
            Flow::Continue
        }
    }
}

struct MjpegPeer {
    url: Url,
    credentials: Option<(String, String)>,
    max_part_bytes: usize,
    times: MjpegTimes,
}

impl Peer for MjpegPeer {
    type Picture = Jpeg;

    fn url(&self) -> String {
        self.url.to_string()
    }

    async fn receive(&mut self, link: &mut Link<Jpeg>) -> String {
        match self.receive_until_failure(link).await {
            Ok(()) => "the camera ended the stream".to_owned(),
            Err(why) => why,
        }
    }
}

impl MjpegPeer {
    async fn receive_until_failure(&self, link: &mut Link<Jpeg>) -> Result<(), String> {
        // Dropped with this set, the connection ends with the future that uses it.
        let mut connections = JoinSet::new();
        let mut answer = link.in_time("connecting", self.request(None, &mut connections)).await??;
        if answer.status() == StatusCode::UNAUTHORIZED {
            let authorization = self.authorize(&answer)?;
            answer = link.in_time("logging in", self.request(Some(authorization), &mut connections)).await??;
        }
        if answer.status() != StatusCode::OK {
            return Err(format!("the camera answers {}", answer.status()));
        }
        let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let mut parser = MultipartParser::new(content_type.unwrap_or_default(), self.max_part_bytes)?;
        while let Some(frame) = link.in_time("waiting for a picture", answer.frame()).await? {
            let frame = frame.map_err(|error| format!("the stream broke off: {error}"))?;
            parser.feed(frame.data_ref().map_or(&[], |data| &data[..]), link.clock.now());
            while let Some(part) = parser.next_part()? {
                link.deliver(self.jpeg(part), |jpeg| jpeg.captured_at);
            }
        }
        Ok(())
    }

    fn jpeg(&self, part: Part) -> Jpeg {
        let stated = part.timestamp.filter(|_| self.times == MjpegTimes::XTimestamp);
        Jpeg { captured_at: stated.unwrap_or(part.arrived_at), bytes: part.body }
    }

    async fn request(
        &self,
        authorization: Option<String>,
        connections: &mut JoinSet<()>,
    ) -> Result<Response<Body>, String> {
        let host = self.url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.url.port_or_known_default().unwrap_or(80)));
        let stream = stream.await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
        connections.spawn(async move {
            // Its failure also ends the body, where it is reported.
            let _ = connection.await;
        });
        let mut request = Request::get(self.path()).header(HOST, self.url.authority()).header(USER_AGENT, "masa");
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Empty::<bytes::Bytes>::new()).map_err(|error| error.to_string())?;
        sender.send_request(request).await.map_err(|error| error.to_string())
    }

    fn path(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Answers a challenge, Basic or Digest (RFC 7616, 7617).
    fn authorize(&self, challenge: &Response<Body>) -> Result<String, String> {
        let Some((username, password)) = &self.credentials else {
            return Err("the camera asks for a password: set `credentials`".to_owned());
        };
        let header = challenge.headers().get(WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let mut client = PasswordClient::try_from(header.unwrap_or_default())
            .map_err(|error| format!("the camera's challenge is not understood: {error}"))?;
        let parameters = PasswordParams { username, password, uri: self.path(), method: "GET", body: Some(&[]) };
        client.respond(&parameters)
    }
}
