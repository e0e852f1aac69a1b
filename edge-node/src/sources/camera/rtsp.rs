//! H.264 over RTSP (RFC 2326, RFC 6184), interleaved in the TCP connection.

use super::h264::AccessUnit;
use super::h264::decoder::{Decoded, H264Decoder};
use super::h264::sps::Reordering;
use super::network::{self, Incoming, Link, Peer, Reach};
use super::rtsp_time::{MediaTime, Report, ntp_to_unix_ns};
use super::settings::{RtspSettings, RtspTimes};
use super::sink::Flow;
use super::{CameraError, CameraSource, Codec, Context, Encoded};
use crate::event::{DropReason, SourceState};
use crate::sources::queue::WhenFull;
use futures::StreamExt;
use masa_v2x_proto::time::Timestamp;
use retina::client::{
    Credentials, Demuxed, PlayOptions, Session, SessionOptions, SetupOptions, TcpTransportOptions, Transport,
};
use retina::codec::{CodecItem, FrameFormat};
use retina::rtcp::ReceivedCompoundPacket;
use url::Url;

/// Access units that may wait for the decoder, two seconds at 30 frames/s. Each needs its predecessors, so the newest
/// goes and with it all up to the next key frame.
const ENCODED_CAPACITY: usize = 60;

/// A camera that speaks RTSP.
pub(crate) struct RtspSource {
    settings: RtspSettings,
}

impl RtspSource {
    pub(crate) fn new(settings: RtspSettings) -> Self {
        Self { settings }
    }
}

impl CameraSource for RtspSource {
    fn run(&mut self, context: &mut Context) -> Result<String, CameraError> {
        let settings = self.settings.clone();
        let url = network::parse_url(&settings.url, "rtsp")?;
        let credentials = settings.credentials.as_ref().map(|credentials| credentials.resolve()).transpose();
        let credentials = credentials.map_err(CameraError::Settings)?;
        let reach = Reach {
            silence_ms: settings.silence_ms,
            reconnect: settings.reconnect,
            capacity: ENCODED_CAPACITY,
            when_full: WhenFull::DropNewest,
        };
        let peer = RtspPeer {
            url,
            credentials: credentials.map(|(username, password)| Credentials { username, password }),
            times: settings.times,
            max_clock_difference_ms: settings.max_clock_difference_ms,
        };
        let mut stream = Stream::new(settings.url)?;
        network::receive(peer, reach, context, move |incoming, context| stream.take(incoming, context))
    }
}

/// The decoding side.
struct Stream {
    url: String,
    decoder: H264Decoder,
    decoded: Vec<Decoded>,
    fault_told: bool,
}

impl Stream {
    fn new(url: String) -> Result<Self, CameraError> {
        Ok(Self { url, decoder: H264Decoder::new(Reordering::Never)?, decoded: Vec::new(), fault_told: false })
    }

    /// The access units' media time is the time of day already.
    fn take(&mut self, incoming: Incoming<AccessUnit>, context: &mut Context) -> Result<Flow, CameraError> {
        let began = context.clock.elapsed();
        match incoming {
            Incoming::Picture(unit) => self.decoder.decode(unit, &mut self.decoded)?,
            Incoming::Lost { .. } => {}
            Incoming::Connecting(_) => {
                self.decoder.finish(&mut self.decoded);
                self.decoder = H264Decoder::new(Reordering::Never)?;
                self.fault_told = false;
            }
        }
        let decode_us = context.clock.micros_since(began);
        for outcome in std::mem::take(&mut self.decoded) {
            if self.show(outcome, decode_us, context) == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }

    fn show(&mut self, outcome: Decoded, decode_us: u32, context: &mut Context) -> Flow {
        match outcome {
            Decoded::Picture { unit, image } => {
                if context.sink.state() != Some(SourceState::Up) {
                    let detail = format!("{}: receiving, {}×{} pixels", self.url, image.width, image.height);
                    context.sink.status(SourceState::Up, detail);
                }
                let encoded = Encoded { codec: Codec::H264, bytes: unit.annex_b.into() };
                context.sink.frame(Timestamp::from_unix_ns(unit.media_ns), image, Some(encoded), decode_us)
            }
            Decoded::Lost { unit, why } => {
                context.sink.lost(Timestamp::from_unix_ns(unit.media_ns), DropReason::DecodeFailed);
                // One report a connection is enough; all are counted.
                if !std::mem::replace(&mut self.fault_told, true) {
                    let what = format!("a picture of {} bytes cannot be decoded: {why}", unit.annex_b.len());
                    let error = CameraError::Peer { peer: self.url.clone(), what };
                    context.sink.status(SourceState::Up, error.to_string());
                }
                Flow::Continue
            }
        }
    }
}

struct RtspPeer {
    url: Url,
    credentials: Option<Credentials>,
    times: RtspTimes,
    max_clock_difference_ms: u64,
}

impl Peer for RtspPeer {
    type Picture = AccessUnit;

    fn url(&self) -> String {
        self.url.to_string()
    }

    async fn receive(&mut self, link: &mut Link<AccessUnit>) -> String {
        let stream = match self.play(link).await {
            Ok(stream) => stream,
            Err(why) => return why,
        };
        match self.receive_until_failure(stream, link).await {
            Ok(()) => "the camera ended the stream".to_owned(),
            Err(why) => why,
        }
    }
}

impl RtspPeer {
    /// DESCRIBE, SETUP, PLAY.
    async fn play(&self, link: &Link<AccessUnit>) -> Result<Demuxed, String> {
        let options = SessionOptions::default().creds(self.credentials.clone()).user_agent("masa".to_owned());
        let session = link.in_time("connecting", Session::describe(self.url.clone(), options)).await?;
        let mut session = session.map_err(|error| error.to_string())?;
        let is_h264 = |stream: &retina::client::Stream| stream.media() == "video" && stream.encoding_name() == "h264";
        let Some(video) = session.streams().iter().position(is_h264) else {
            let offered: Vec<_> = session.streams().iter().map(|stream| stream.encoding_name()).collect();
            return Err(format!("no H.264 video, only [{}]: set the camera to H.264", offered.join(", ")));
        };
        let setup = SetupOptions::default()
            .transport(Transport::Tcp(TcpTransportOptions::default()))
            .frame_format(FrameFormat::SIMPLE);
        link.in_time("setting up", session.setup(video, setup)).await?.map_err(|error| error.to_string())?;
        let session = link.in_time("starting to play", session.play(PlayOptions::default())).await?;
        session.and_then(Session::demuxed).map_err(|error| error.to_string())
    }

    async fn receive_until_failure(&self, mut stream: Demuxed, link: &mut Link<AccessUnit>) -> Result<(), String> {
        let mut time = MediaTime::new(self.max_clock_difference_ms);
        let mut clock_told = false;
        // Streams are joined anywhere; nothing can be decoded before a key frame.
        let (mut joined, mut intact) = (false, false);
        while let Some(item) = link.in_time("waiting for a picture", stream.next()).await? {
            let arrived_at = link.clock.now();
            match item.map_err(|error| error.to_string())? {
                CodecItem::VideoFrame(frame) => {
                    let key = frame.is_random_access_point();
                    let captured_at = time.captured_at(media_ns(frame.timestamp()), arrived_at);
                    intact |= key;
                    if !intact {
                        if joined {
                            link.lose(captured_at);
                        }
                        continue;
                    }
                    joined = true;
                    let unit = AccessUnit { media_ns: captured_at.unix_ns(), offset: 0, annex_b: frame.into_data() };
                    intact = link.deliver(unit, |unit| Timestamp::from_unix_ns(unit.media_ns));
                }
                CodecItem::Rtcp(packets) if self.times == RtspTimes::SenderReports => {
                    if let Some((media_ns, camera_ns)) = sender_report(&packets)
                        && let Report::WrongClock { difference_ms } = time.report(media_ns, camera_ns, arrived_at)
                        && !std::mem::replace(&mut clock_told, true)
                    {
                        let url = self.url.as_str();
                        tracing::warn!(url, difference_ms, "the camera's clock is wrong; using arrival times");
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Media time and the camera's Unix time of a sender report, nanoseconds.
fn sender_report(packets: &ReceivedCompoundPacket) -> Option<(i64, i64)> {
    let report = packets.pkts().find_map(|packet| packet.as_sender_report().ok().flatten())?;
    Some((media_ns(packets.rtp_timestamp()?), ntp_to_unix_ns(report.ntp_timestamp().0)?))
}

fn media_ns(at: retina::Timestamp) -> i64 {
    let ns = i128::from(at.elapsed()) * 1_000_000_000 / i128::from(at.clock_rate().get());
    i64::try_from(ns).unwrap_or(i64::MAX)
}
