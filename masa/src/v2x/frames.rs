//! `masa v2x frames`: messages as GeoNetworking frames in a capture, for other tools.
//!
//! In: UPER as hex, one message a line. Out: a pcap file of Ethernet frames, a millisecond apart, as a station would send
//! them: DENM and IVIM by GeoBroadcast, everything else by single-hop broadcast.

use super::from_hex;
use anyhow::{Context, bail};
use clap::Args;
use masa_links::geonet::capture::CaptureWriter;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Actions, Btp, Dissemination, GeoArea, Position, Request, Router, RouterSettings, Scope, Shape, port_of,
};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, MessageKind};
use std::io::{self, BufRead};
use std::path::PathBuf;

/// Read UPER as hex, one message a line; write the GeoNetworking frames that carry them into a pcap file.
#[derive(Debug, Args)]
pub(super) struct Frames {
    /// The file to write.
    output: PathBuf,
    /// Where the sender stands: latitude and longitude, degrees.
    #[arg(long, num_args = 2, value_names = ["LAT", "LON"], allow_negative_numbers = true,
          default_values_t = [44.655_54, 10.934_315])]
    position: Vec<f64>,
    /// Radius of the area of broadcasts around the sender, metres.
    #[arg(long, default_value_t = 500.0)]
    radius: f64,
    /// Time of the first frame, seconds of Unix time.
    #[arg(long, default_value_t = 1_767_225_600.0)]
    time: f64,
}

impl Frames {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let &[lat_deg, lon_deg] = self.position.as_slice() else { bail!("--position takes two numbers") };
        let centre = Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
        let start = Timestamp::from_unix_ns((self.time * 1e9) as i64);
        let settings = RouterSettings { max_payload_bytes: usize::from(u16::MAX), ..RouterSettings::default() };
        let mut router = Router::new(settings, start);
        router.set_position(Position::surveyed(centre, start));
        let mut capture = CaptureWriter::create(&self.output)?;
        let mut now = start;
        for (number, line) in io::stdin().lock().lines().enumerate() {
            let line = line.context("reading the lines")?;
            if line.trim().is_empty() {
                continue;
            }
            let bytes = from_hex(line.trim()).with_context(|| format!("line {}", number + 1))?;
            let message = Message::decode(&bytes).with_context(|| format!("line {}", number + 1))?;
            let kind = MessageKind::from_message_id(message.message_id());
            let port = kind.and_then(port_of).with_context(|| format!("line {}: no port for it", number + 1))?;
            let area = GeoArea { shape: Shape::Circle, centre, a_m: self.radius, b_m: 0.0, azimuth_deg: 0.0 };
            let scope = match kind {
                Some(MessageKind::Denm | MessageKind::Ivim) => Scope::Broadcast(area),
                _ => Scope::SingleHop,
            };
            let dissemination = Dissemination { scope, ..Dissemination::default() };
            let request = Request { btp: Btp::to_port(port), message: &bytes, dissemination, repetition: None };
            let mut out = Actions::default();
            router.send(&request, now, None, &mut out)?;
            for frame in out.frames {
                capture.write(now, &frame.bytes)?;
            }
            now = now.plus_ms(1);
        }
        capture.finish()?;
        Ok(())
    }
}
