//! Frames per second that a GeoNetworking router receives and forwards: `cargo run --release --example router_speed`.
//!
//! A hundred stations send in turn; each figure is the best of several rounds, so that other load on the machine matters
//! little.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Actions, AreaForwarding, Btp, Dissemination, GeoArea, MacAddress, Position, Request, Router, RouterSettings, Scope,
    Shape,
};
use masa_v2x_proto::time::Timestamp;
use std::time::Instant;

const STATIONS: u8 = 100;
const FRAMES_PER_STATION: usize = 100;
/// Length of a CAM with a path history of ten points.
const MESSAGE: [u8; 135] = [0x5A; 135];
const T0: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

fn station(id: u8, area_forwarding: AreaForwarding) -> Router {
    let mac = MacAddress([2, 0, 0, 0, 0, id]);
    // The measurement is faster than any channel, so the limit of annex B.2 is put out of the way.
    let max_data_rate_kbps = 1e9;
    let settings = RouterSettings { mac, area_forwarding, max_data_rate_kbps, ..RouterSettings::default() };
    let mut router = Router::new(settings, T0);
    let at = Wgs84 { lat_deg: 44.65 + 1e-5 * f64::from(id), lon_deg: 10.93, alt_m: 0.0 };
    router.set_position(Position::surveyed(at, T0));
    router
}

/// Frames of all stations in turn.
fn frames(scope: Scope) -> Vec<Vec<u8>> {
    let mut stations: Vec<_> = (1..=STATIONS).map(|id| station(id, AreaForwarding::Simple)).collect();
    let mut out = Actions::default();
    let dissemination = Dissemination { scope, traffic_class: 2, lifetime_s: 10.0 };
    let request = Request { btp: Btp::to_port(2001), message: &MESSAGE, dissemination, repetition: None };
    for _ in 0..FRAMES_PER_STATION {
        for station in &mut stations {
            station.send(&request, T0, None, &mut out).expect("a message that can be sent");
        }
    }
    out.frames.into_iter().map(|frame| frame.bytes).collect()
}

fn measure(name: &str, scope: Scope, forwarding: AreaForwarding) {
    let frames = frames(scope);
    let mut best_s = f64::INFINITY;
    let (mut delivered, mut forwarded) = (0, 0);
    for _ in 0..20 {
        let mut router = station(0, forwarding);
        let start = Instant::now();
        let mut out = Actions::default();
        for (i, frame) in frames.iter().enumerate() {
            let now = T0.plus_ns(i as i64 * 100_000);
            router.receive(frame, now, None, &mut out).expect("a good frame");
            router.poll(now, None, &mut out);
            if i % 64 == 0 {
                out = Actions::default();
            }
        }
        best_s = best_s.min(start.elapsed().as_secs_f64());
        (delivered, forwarded) = (router.counters().delivered, router.counters().forwarded);
    }
    let per_second = frames.len() as f64 / best_s;
    let us = 1e6 / per_second;
    println!("{name:40} {per_second:10.0} frames/s {us:7.2} µs, delivered {delivered}, forwarded {forwarded}");
}

fn main() {
    let centre = Wgs84 { lat_deg: 44.65, lon_deg: 10.93, alt_m: 0.0 };
    let area = GeoArea { shape: Shape::Circle, centre, a_m: 500.0, b_m: 0.0, azimuth_deg: 0.0 };
    measure("SHB received", Scope::SingleHop, AreaForwarding::Simple);
    measure("TSB received and forwarded", Scope::Topological { hops: 3 }, AreaForwarding::Simple);
    measure("GBC received and forwarded at once", Scope::Broadcast(area), AreaForwarding::Simple);
    measure("GBC received and forwarded by contention", Scope::Broadcast(area), AreaForwarding::ContentionBased);
}
