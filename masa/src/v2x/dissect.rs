//! `masa v2x dissect`: a capture down to the messages in it.
//!
//! In: a pcap file (Ethernet, IEEE 802.11 or radiotap). Out: one line a GeoNetworking frame, in words or as JSON; frames
//! that are malformed say where, and make the exit status non-zero.

use super::envelope::{Opened, Opener};
use anyhow::{Context, bail};
use clap::Args;
use masa_links::geonet::capture::{CaptureReader, Content};
use masa_v2x_proto::Message;
use masa_v2x_proto::geonet::{
    Body, Btp, EthernetHeader, ExtendedHeader, Frame, Packet, PlainPacket, PositionAccuracy, Shape, kind_of,
};
use masa_v2x_proto::jer::Release;
use masa_v2x_proto::time::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

/// Print the GeoNetworking frames of a capture, down to their messages.
#[derive(Debug, Args)]
pub(super) struct Dissect {
    /// pcap file of link type Ethernet, IEEE 802.11 or radiotap.
    file: PathBuf,
    /// One JSON object a frame, with all values of its message.
    #[arg(long)]
    json: bool,
    /// The trust directory, with `roots`, `authorities` and `revoked.txt`; without it signatures are shown and not checked.
    #[arg(long, value_name = "DIR")]
    trust: Option<PathBuf>,
}

/// What a frame turned out to be.
enum Outcome {
    Good(Box<Dissected>),
    /// Field, offset and reason in words.
    Malformed(String),
}

/// A frame, layer by layer.
struct Dissected {
    number: u64,
    at: Timestamp,
    ethernet: EthernetHeader,
    remaining_hops: u8,
    lifetime_s: f64,
    security: Option<Opened>,
    /// `None` when the envelope could not be opened.
    inner: Option<Inner>,
}

struct Inner {
    header: ExtendedHeader,
    max_hops: u8,
    traffic_class: u8,
    btp: Option<Btp>,
    payload_bytes: usize,
    /// `None` for ports of messages that are not decoded here.
    message: Option<Message>,
}

impl Dissect {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut opener = Opener::new(self.trust.as_deref())?;
        let mut out = io::stdout().lock();
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut malformed = 0_u64;
        for record in CaptureReader::open(&self.file)? {
            let record = record?;
            let Content::Geonet { ethernet, ahead } = record.content else {
                *counts.entry("other").or_default() += 1;
                continue;
            };
            let (number, at) = (record.number, record.at);
            match dissect(number, at, &ethernet, ahead, &mut opener) {
                Outcome::Good(frame) => {
                    *counts.entry(frame.name()).or_default() += 1;
                    let line = if self.json { frame.json().to_string() } else { frame.words() };
                    writeln!(out, "{line}")?;
                }
                Outcome::Malformed(words) => {
                    malformed += 1;
                    if self.json {
                        writeln!(out, "{}", json!({ "number": number, "at_ns": at.unix_ns(), "malformed": words }))?;
                    } else {
                        writeln!(out, "{number:>5} {} malformed: {words}", time(at))?;
                    }
                }
            }
        }
        out.flush().context("writing the output")?;
        let counts: Vec<_> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
        eprintln!("{}: {}, {malformed} malformed", self.file.display(), counts.join(", "));
        if malformed > 0 {
            bail!("{malformed} frames are malformed");
        }
        Ok(())
    }
}

fn dissect(number: u64, at: Timestamp, ethernet: &[u8], ahead: usize, opener: &mut Opener) -> Outcome {
    let frame = match Frame::decode(ethernet) {
        Ok(frame) => frame,
        Err(error) => return Outcome::Malformed(error.within(ahead).to_string()),
    };
    let Packet { basic, body } = frame.packet;
    let good = |security, inner| {
        let (remaining_hops, lifetime_s) = (basic.remaining_hops, basic.lifetime.seconds());
        let ethernet = frame.ethernet;
        Outcome::Good(Box::new(Dissected { number, at, ethernet, remaining_hops, lifetime_s, security, inner }))
    };
    // Where a part of the frame begins in the record.
    let offset_of = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(ethernet.as_ptr() as usize) + ahead;
    let (plain, security) = match body {
        Body::Plain(plain) => (plain, None),
        Body::Secured(envelope) => match opener.open(envelope, at) {
            Ok((content, opened)) => match PlainPacket::decode(content) {
                Ok(plain) => (plain, Some(opened)),
                Err(error) => return Outcome::Malformed(error.within(offset_of(content)).to_string()),
            },
            Err(words) => return Outcome::Malformed(format!("envelope at byte {}: {words}", offset_of(envelope))),
        },
    };
    let (btp, payload) = match Btp::split(plain.common.upper, plain.payload) {
        Ok(Some((btp, message))) => (Some(btp), message),
        Ok(None) => (None, plain.payload),
        Err(error) => return Outcome::Malformed(error.within(offset_of(plain.payload)).to_string()),
    };
    let message = match btp.and_then(|btp| kind_of(btp.destination())) {
        None => None,
        Some(_) => match Message::decode(payload) {
            Ok(message) => Some(message),
            Err(error) => {
                return Outcome::Malformed(format!("{error}, in the message at byte {}", offset_of(payload)));
            }
        },
    };
    let inner = Inner {
        header: plain.extended,
        max_hops: plain.common.max_hops,
        traffic_class: plain.common.traffic_class.id(),
        btp,
        payload_bytes: payload.len(),
        message,
    };
    good(security, Some(inner))
}

/// Seconds of Unix time.
fn time(at: Timestamp) -> String {
    format!("{}.{:06}", at.unix_ns().div_euclid(1_000_000_000), at.unix_ns().rem_euclid(1_000_000_000) / 1_000)
}

const fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Circle => "circle",
        Shape::Rectangle => "rectangle",
        Shape::Ellipse => "ellipse",
    }
}

impl Dissected {
    fn name(&self) -> &'static str {
        self.inner.as_ref().map_or("secured", |inner| inner.header.name())
    }

    fn words(&self) -> String {
        let mut words = format!("{:>5} {} {:<6}", self.number, time(self.at), self.name());
        if let Some(inner) = &self.inner {
            words += &inner.words(self.remaining_hops);
        }
        words += &format!(" lifetime {:.2} s", self.lifetime_s);
        words += &self.security.as_ref().map_or_else(|| ", unsigned".into(), |opened| format!(", {}", opened.words()));
        if let Some(inner) = &self.inner {
            words += &inner.payload_words();
        }
        words
    }

    fn json(&self) -> Value {
        let inner = self.inner.as_ref();
        json!({
            "number": self.number,
            "at_ns": self.at.unix_ns(),
            "ethernet": {
                "source": self.ethernet.source.to_string(),
                "destination": self.ethernet.destination.to_string(),
            },
            "header": self.name(),
            "remaining_hops": self.remaining_hops,
            "lifetime_s": self.lifetime_s,
            "security": self.security.as_ref().map(Opened::json),
            "packet": inner.map(Inner::json),
        })
    }
}

impl Inner {
    fn words(&self, remaining_hops: u8) -> String {
        let source = self.header.source();
        let position = source.position();
        let mut words = format!(" {} at {:.7}, {:.7}", source.address, position.lat_deg, position.lon_deg);
        if source.speed_mps() != 0.0 {
            words += &format!(" {:.1} m/s towards {:.1}°", source.speed_mps(), source.heading_deg().unwrap_or(0.0));
        }
        if let Some(area) = self.header.area() {
            let area = area.area();
            words += &format!(" to {} of {:.0}", shape(area.shape), area.a_m);
            if area.shape != Shape::Circle {
                words += &format!(" × {:.0}", area.b_m);
            }
            words += &format!(" m at {:.7}, {:.7}", area.centre.lat_deg, area.centre.lon_deg);
        }
        if let Some(number) = self.header.sequence_number() {
            words += &format!(" no. {number}");
        }
        words + &format!(" hops {remaining_hops}/{}", self.max_hops)
    }

    fn payload_words(&self) -> String {
        let transport = match self.btp {
            Some(Btp::A { destination, source }) => format!(", BTP-A {source} → {destination}"),
            Some(Btp::B { destination, .. }) => format!(", BTP-B {destination}"),
            None => String::new(),
        };
        match (&self.message, self.payload_bytes) {
            (Some(message), bytes) => {
                let kind = message_name(message);
                format!("{transport}: {kind} of station {}, {bytes} bytes", message.station_id().0)
            }
            (None, 0) => transport,
            (None, bytes) => format!("{transport}: {bytes} bytes, not decoded"),
        }
    }

    fn json(&self) -> Value {
        let source = self.header.source();
        let position = source.position();
        let area = self.header.area().map(|area| {
            let area = area.area();
            json!({
                "shape": shape(area.shape),
                "latitude_deg": area.centre.lat_deg,
                "longitude_deg": area.centre.lon_deg,
                "a_m": area.a_m,
                "b_m": area.b_m,
                "azimuth_deg": area.azimuth_deg,
            })
        });
        let btp = self.btp.map(|btp| match btp {
            Btp::A { destination, source } => json!({ "type": "A", "destination": destination, "source": source }),
            Btp::B { destination, info } => json!({ "type": "B", "destination": destination, "info": info }),
        });
        let message = self.message.as_ref().map(|message| {
            json!({
                "kind": message_name(message),
                "station_id": message.station_id().0,
                "value": message.to_jer(Release::R2),
            })
        });
        json!({
            "source": {
                "address": source.address.to_string(),
                "latitude_deg": position.lat_deg,
                "longitude_deg": position.lon_deg,
                "accurate": source.accuracy() == PositionAccuracy::Accurate,
                "speed_mps": source.speed_mps(),
                "heading_deg": source.heading_deg(),
                "timestamp": source.time.0,
            },
            "sequence_number": self.header.sequence_number(),
            "area": area,
            "max_hops": self.max_hops,
            "traffic_class": self.traffic_class,
            "btp": btp,
            "payload_bytes": self.payload_bytes,
            "message": message,
        })
    }
}

fn message_name(message: &Message) -> String {
    format!("{:?}", message.message_id()).to_uppercase()
}
