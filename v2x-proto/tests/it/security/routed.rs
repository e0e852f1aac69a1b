//! Routers that sign and verify.

use super::world::{HOME, NOW, Order, World};
use crate::common::unhex;
use masa_v2x_proto::geo::{Enu, SiteFrame};
use masa_v2x_proto::geonet::{
    Actions, AreaForwarding, Btp, Dissemination, GeoArea, MacAddress, PacketDrop, Position, Request, Router,
    RouterSettings, Scope, Shape,
};
use masa_v2x_proto::security::{Curve, Refusal, SecurityEntity, Verdict};
use masa_v2x_proto::time::Timestamp;

/// A router and its security entity, `e_m` metres east of home.
struct Station {
    router: Router,
    entity: SecurityEntity,
}

impl Station {
    fn new(number: u8, e_m: f64) -> Self {
        let settings = RouterSettings {
            mac: MacAddress([2, 0, 0, 0, 0, number]),
            area_forwarding: AreaForwarding::ContentionBased,
            beacon_interval_ms: 0,
            ..RouterSettings::default()
        };
        let mut router = Router::new(settings, NOW);
        let place = SiteFrame::new(HOME).to_wgs84(Enu::ground(e_m, 0.0));
        router.set_position(Position::surveyed(place, NOW));
        Self { router, entity: World::new(Curve::NistP256).station(Order::with_key(number)) }
    }

    fn receive(&mut self, frame: &[u8], now: Timestamp) -> Actions {
        let mut out = Actions::default();
        self.router.receive(frame, now, Some(&mut self.entity), &mut out).expect("a good frame");
        out
    }

    fn dropped(&self, reason: PacketDrop) -> u64 {
        self.router.counters().dropped(reason)
    }
}

fn warning(message: &[u8]) -> Request<'_> {
    let area = GeoArea { shape: Shape::Circle, centre: HOME, a_m: 1_000.0, b_m: 0.0, azimuth_deg: 0.0 };
    let dissemination = Dissemination { scope: Scope::Broadcast(area), traffic_class: 1, lifetime_s: 5.0 };
    Request { btp: Btp::to_port(2002), message, dissemination, repetition: None }
}

/// The frame of a CAM.
fn awareness(source: &mut Station, now: Timestamp) -> Vec<u8> {
    let message = unhex(include_str!("../../samples/cam.hex").trim());
    let (btp, dissemination) = (Btp::to_port(2001), Dissemination::default());
    let request = Request { btp, message: &message, dissemination, repetition: None };
    let mut sent = Actions::default();
    source.router.send(&request, now, Some(&mut source.entity), &mut sent).expect("it can be sent");
    sent.frames.pop().expect("a frame").bytes
}

#[test]
fn a_signed_warning_is_delivered_and_its_echo_ends_the_contention() {
    let denm = unhex(include_str!("../../samples/denm.hex").trim());
    let (mut source, mut near, mut far) = (Station::new(9, 0.0), Station::new(10, 100.0), Station::new(11, 240.0));
    let mut sent = Actions::default();
    source.router.send(&warning(&denm), NOW, Some(&mut source.entity), &mut sent).expect("it can be sent");
    // A CAM first: who waits how long depends on where the neighbour stands.
    let introduction = awareness(&mut source, NOW);
    near.receive(&introduction, NOW);
    far.receive(&introduction, NOW);
    let frame = &sent.frames.last().expect("a frame").bytes;
    let at_near = near.receive(frame, NOW);
    assert!(matches!(at_near.indications[0].verdict, Verdict::Verified(_)));
    assert_eq!((&at_near.indications[0].message, at_near.indications[0].its_aid), (&denm, Some(37)));
    far.receive(frame, NOW);

    // The farther one forwards first; what the nearer one hears then was verified before, and is no attack.
    let wake = far.router.wake_at().expect("it waits to forward");
    assert!(near.router.wake_at().is_some_and(|at| wake < at));
    let mut forwarded = Actions::default();
    far.router.poll(wake, Some(&mut far.entity), &mut forwarded);
    near.receive(&forwarded.frames.last().expect("the forwarded frame").bytes, wake);
    assert_eq!(near.dropped(PacketDrop::Suppressed), 1);
    assert_eq!(near.dropped(PacketDrop::Untrusted(Refusal::Replayed)), 0);
}

#[test]
fn a_replayed_awareness_message_is_dropped_and_counted() {
    let (mut source, mut receiver) = (Station::new(9, 0.0), Station::new(10, 100.0));
    let frame = &awareness(&mut source, NOW);
    assert_eq!(receiver.receive(frame, NOW).indications.len(), 1);
    assert_eq!(receiver.receive(frame, NOW.plus_ms(500)).indications.len(), 0);
    assert_eq!(receiver.dropped(PacketDrop::Untrusted(Refusal::Replayed)), 1);
}
