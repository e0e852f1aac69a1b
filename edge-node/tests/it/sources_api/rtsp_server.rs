//! A small RTSP camera: one client, H.264 interleaved in TCP, large NAL units fragmented (RFC 2326, 6184).
//!
//! It sends what the test hands it, so that tests decide how fast and how far a stream goes. It ends, and closes its port
//! and connection, when dropped.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Ticks of the video's RTP clock a second.
pub(crate) const CLOCK_HZ: u32 = 90_000;
/// Where RTP time begins: close to its overflow, as it may.
const FIRST_RTP_TIME: u32 = u32::MAX - 45_000;
const SSRC: u32 = 0xCAFE_0001;
const MAX_PAYLOAD_BYTES: usize = 1000;

/// What the camera is to send.
pub(crate) enum Send {
    /// NAL units of a picture, without start codes, shown `ticks` after the beginning.
    Picture { nal_units: Vec<Vec<u8>>, ticks: u32 },
    /// A sender report: `ticks` after the beginning it was `ntp`, an NTP timestamp.
    Report { ntp: u64, ticks: u32 },
}

pub(crate) struct RtspCamera {
    pub(crate) address: SocketAddr,
    orders: Option<SyncSender<Send>>,
    thread: Option<JoinHandle<()>>,
}

impl RtspCamera {
    /// A camera with these parameter sets; `authorization` is what the client must send once challenged.
    pub(crate) fn start(address: SocketAddr, sps: &[u8], pps: &[u8], authorization: Option<&'static str>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n\
             a=rtpmap:96 H264/{CLOCK_HZ}\r\n\
             a=fmtp:96 packetization-mode=1;profile-level-id={:02X}{:02X}{:02X};sprop-parameter-sets={},{}\r\n\
             a=control:track1\r\n",
            sps[1],
            sps[2],
            sps[3],
            base64(sps),
            base64(pps)
        );
        let (orders, to_do) = sync_channel(4);
        let thread = std::thread::spawn(move || {
            if let Some(client) = greet(&listener, &sdp, authorization) {
                stream(client, &to_do);
            }
        });
        Self { address, orders: Some(orders), thread: Some(thread) }
    }

    /// Hands over something to send; waits while the client does not keep up.
    pub(crate) fn send(&self, order: Send) {
        self.orders.as_ref().unwrap().send(order).unwrap();
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        self.orders = None;
        // A camera that still waits for its client is woken.
        let _ = TcpStream::connect(self.address);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Answers requests up to PLAY; `None` when a connection ends before.
fn greet(listener: &TcpListener, sdp: &str, authorization: Option<&str>) -> Option<TcpStream> {
    let (mut client, _) = listener.accept().unwrap();
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    loop {
        let request: Vec<_> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let method = request.first()?.split(' ').next()?.to_owned();
        let header = |name: &str| {
            let value = |line: &String| {
                Some(line.split_once(':').filter(|(key, _)| key.eq_ignore_ascii_case(name))?.1.trim().to_owned())
            };
            request.iter().find_map(value)
        };
        let cseq = header("cseq")?;
        let granted = authorization.is_none_or(|expected| header("authorization").as_deref() == Some(expected));
        let base = format!("rtsp://{}/", client.local_addr().unwrap());
        let answer = match method.as_str() {
            _ if !granted => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"camera\"\r\n\r\n".to_owned(),
            "DESCRIBE" => format!(
                "200 OK\r\nContent-Base: {base}\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
                sdp.len()
            ),
            "SETUP" => format!(
                "200 OK\r\nSession: 1;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc={SSRC:08X}\r\n\r\n"
            ),
            "PLAY" => {
                format!("200 OK\r\nSession: 1\r\nRTP-Info: url={base}track1;seq=65530;rtptime={FIRST_RTP_TIME}\r\n\r\n")
            }
            other => panic!("unexpected request {other}"),
        };
        let (status, rest) = answer.split_once("\r\n").unwrap();
        client.write_all(format!("RTSP/1.0 {status}\r\nCSeq: {cseq}\r\n{rest}").as_bytes()).unwrap();
        if method == "PLAY" && granted {
            return Some(client);
        }
    }
}

fn stream(mut client: TcpStream, orders: &Receiver<Send>) {
    let mut sequence: u16 = 65_530;
    while let Ok(order) = orders.recv() {
        let mut bytes = Vec::new();
        match order {
            Send::Picture { nal_units, ticks } => {
                let payloads: Vec<_> = nal_units.iter().flat_map(|nal| fragments(nal)).collect();
                for (n, payload) in payloads.iter().enumerate() {
                    // The marker bit ends the picture.
                    let marker = u8::from(n + 1 == payloads.len()) << 7;
                    let mut packet = vec![0x80, 96 | marker];
                    packet.extend(sequence.to_be_bytes());
                    packet.extend(FIRST_RTP_TIME.wrapping_add(ticks).to_be_bytes());
                    packet.extend(SSRC.to_be_bytes());
                    packet.extend(payload);
                    interleave(&mut bytes, 0, &packet);
                    sequence = sequence.wrapping_add(1);
                }
            }
            Send::Report { ntp, ticks } => {
                // One sender report without report blocks: seven words.
                let mut packet = vec![0x80, 200, 0, 6];
                packet.extend(SSRC.to_be_bytes());
                packet.extend(ntp.to_be_bytes());
                packet.extend(FIRST_RTP_TIME.wrapping_add(ticks).to_be_bytes());
                packet.extend([0; 8]);
                interleave(&mut bytes, 1, &packet);
            }
        }
        client.write_all(&bytes).unwrap();
    }
}

fn interleave(bytes: &mut Vec<u8>, channel: u8, packet: &[u8]) {
    bytes.extend([b'$', channel]);
    bytes.extend((packet.len() as u16).to_be_bytes());
    bytes.extend(packet);
}

/// A NAL unit as it is, or in FU-A packets (RFC 6184, 5.8).
fn fragments(nal: &[u8]) -> Vec<Vec<u8>> {
    if nal.len() <= MAX_PAYLOAD_BYTES {
        return vec![nal.to_vec()];
    }
    let (header, body) = (nal[0], &nal[1..]);
    let count = body.len().div_ceil(MAX_PAYLOAD_BYTES);
    let fragment = |(n, part): (usize, &[u8])| {
        let start = u8::from(n == 0) << 7;
        let end = u8::from(n + 1 == count) << 6;
        [&[header & 0x60 | 28, start | end | header & 0x1F][..], part].concat()
    };
    body.chunks(MAX_PAYLOAD_BYTES).enumerate().map(fragment).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit) & 63) as usize;
            text.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}
