//! One router: each behaviour with its clause of EN 302 636-4-1 V1.4.1.

use super::network::{T0, address, at, carried, circle, mac, request, router};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::geonet::{
    Actions, Body, Btp, EthernetHeader, ExtendedHeader, Frame, GnAddress, MacAddress, Mobility, PacketDrop, Position,
    PositionAccuracy, Repetition, Request, Router, RouterSettings, Scope, SendError, UntrustedPackets,
};
use masa_v2x_proto::security::{Refusal, SecurityService, SignError, SignRequest, SignedBy, Unwrapped, Verdict};
use masa_v2x_proto::time::Timestamp;

/// Offset of the GeoNetworking packet in a frame.
const GN: usize = EthernetHeader::BYTES;

fn plain(_: &mut RouterSettings) {}

/// The only frame that `from` sends for a request.
fn frame_of(from: &mut Router, request: &Request<'_>, now: Timestamp) -> Vec<u8> {
    let mut out = Actions::default();
    from.send(request, now, None, &mut out).unwrap();
    assert_eq!(out.frames.len(), 1);
    out.frames.remove(0).bytes
}

fn received(by: &mut Router, frame: &[u8], now: Timestamp) -> Actions {
    let mut out = Actions::default();
    by.receive(frame, now, None, &mut out).unwrap();
    out
}

fn polled(router: &mut Router, now: Timestamp) -> Actions {
    let mut out = Actions::default();
    router.poll(now, None, &mut out);
    out
}

fn header_of(frame: &[u8]) -> ExtendedHeader {
    match Frame::decode(frame).unwrap().packet.body {
        Body::Plain(plain) => plain.extended,
        Body::Secured(_) => panic!("a plain packet"),
    }
}

#[test]
fn clause_10_3_3_source_fields() {
    // Scope, header name, hop limit.
    for (scope, name, hops) in [
        (Scope::SingleHop, "SHB", 1),
        (Scope::Topological { hops: 4 }, "TSB", 4),
        (Scope::Broadcast(circle(0.0, 300.0)), "GBC", 10),
        (Scope::Anycast(circle(5_000.0, 300.0)), "GAC", 10),
    ] {
        for (mobility, flags) in [(Mobility::Stationary, 0), (Mobility::Mobile, 0x80)] {
            let mut source = router(1, 0.0, |settings| settings.mobility = mobility);
            let bytes = frame_of(&mut source, &request(scope), T0.plus_ms(700));
            let frame = Frame::decode(&bytes).unwrap();
            assert_eq!(frame.ethernet, EthernetHeader { destination: MacAddress::BROADCAST, source: mac(1) });
            let basic = frame.packet.basic;
            assert_eq!((basic.remaining_hops, basic.reserved), (hops, 0), "{name}");
            assert!((basic.lifetime.seconds() - 5.0).abs() < 1e-9);
            let Body::Plain(packet) = frame.packet.body else { panic!("no security was asked for") };
            assert_eq!((packet.extended.name(), packet.common.max_hops, packet.common.flags), (name, hops, flags));
            assert_eq!(packet.common.traffic_class.id(), 1);
            let vector = packet.extended.source();
            assert_eq!(vector.address, address(1));
            // A standing station is there now; a moving one was there when it measured.
            let measured = if mobility == Mobility::Stationary { T0.plus_ms(700) } else { T0 };
            assert_eq!(vector.time.near(T0), measured);
            let (btp, message) = Btp::split(packet.common.upper, packet.payload).unwrap().unwrap();
            assert_eq!((btp, message), (Btp::to_port(2002), &b"message"[..]));
        }
    }
}

#[test]
fn clause_8_3_sequence_numbers_count_per_station() {
    let mut source = router(1, 0.0, plain);
    let number = |source: &mut Router, scope| header_of(&frame_of(source, &request(scope), T0)).sequence_number();
    assert_eq!(number(&mut source, Scope::Topological { hops: 2 }), Some(0));
    assert_eq!(number(&mut source, Scope::SingleHop), None);
    assert_eq!(number(&mut source, Scope::Broadcast(circle(0.0, 300.0))), Some(1));
}

#[test]
fn requests_that_cannot_be_sent_say_why() {
    let mut out = Actions::default();
    let mut lost = Router::new(RouterSettings::default(), T0);
    assert_eq!(lost.send(&request(Scope::SingleHop), T0, None, &mut out), Err(SendError::NoPosition));
    assert_eq!(lost.wake_at(), None, "no beacon without a position");
    let mut source = router(1, 0.0, plain);
    let mut refused = |request: &Request<'_>| source.send(request, T0, None, &mut out).unwrap_err();
    // Annex B.3: 10 km² at most.
    assert!(matches!(refused(&request(Scope::Broadcast(circle(0.0, 2_000.0)))), SendError::AreaTooLarge { .. }));
    assert_eq!(refused(&request(Scope::Anycast(circle(0.0, 0.4)))), SendError::EmptyArea);
    // itsGnMaxSduSize: 1,398 octets with the BTP header.
    let long = [0; 1_395];
    let request = Request { message: &long, ..request(Scope::SingleHop) };
    assert_eq!(refused(&request), SendError::TooLong { bytes: 1_399, limit: 1_398 });
    assert!(source.send(&Request { message: &long[1..], ..request }, T0, None, &mut out).is_ok());
    assert_eq!(out.frames.len(), 1);
}

#[test]
fn clause_10_3_5_and_annex_a_what_is_not_processed() {
    let mut source = router(1, 0.0, plain);
    let single = frame_of(&mut source, &request(Scope::SingleHop), T0);
    let broadcast = frame_of(&mut source, &request(Scope::Broadcast(circle(0.0, 300.0))), T0);
    let changed = |bytes: &[u8], at: usize, octet: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] = octet;
        bytes
    };
    let with_mac = |bytes: &[u8], at: usize, mac: MacAddress| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + 6].copy_from_slice(&mac.0);
        bytes
    };
    // What arrives, why it is dropped, whether a message is delivered all the same.
    let source_mac_at = |header: usize| GN + 12 + header + 2;
    for (bytes, reason, delivered) in [
        (with_mac(&single, 0, mac(7)), PacketDrop::NotForUs, 0),
        (with_mac(&single, 6, mac(2)), PacketDrop::OwnPacket, 0),
        // 10.2.1.5: a single-hop packet with our address comes from somebody else.
        (with_mac(&single, source_mac_at(0), mac(2)), PacketDrop::AddressConflict, 0),
        (with_mac(&broadcast, source_mac_at(4), mac(2)), PacketDrop::OwnPacket, 0),
        // Remaining hops over the maximum.
        (changed(&single, GN + 3, 2), PacketDrop::HopsOverLimit, 0),
        // IPv6 has nobody here.
        (changed(&single, GN + 4, 0x30), PacketDrop::NoTransport, 0),
        (changed(&single, GN, 0x12), PacketDrop::CannotOpen, 0),
        (changed(&broadcast, GN + 3, 1), PacketDrop::HopLimit, 1),
        (changed(&broadcast, GN + 2, 0), PacketDrop::LifetimeOver, 1),
    ] {
        let mut receiver = router(2, 100.0, plain);
        let out = received(&mut receiver, &bytes, T0);
        assert_eq!((out.indications.len(), out.frames.len()), (delivered, 0), "{reason:?}");
        assert_eq!(receiver.counters().dropped(reason), 1, "{reason:?}: {:?}", receiver.counters());
    }
    let mut receiver = router(2, 100.0, plain);
    assert_eq!(received(&mut receiver, &broadcast, T0).indications.len(), 1);
    // A.2: seen before; it was in contention, so that is over, too (F.3).
    assert!(received(&mut receiver, &broadcast, T0).indications.is_empty());
    assert!(received(&mut receiver, &broadcast, T0).indications.is_empty());
    let counters = receiver.counters();
    assert_eq!((counters.dropped(PacketDrop::Suppressed), counters.dropped(PacketDrop::Duplicate)), (1, 1));
    assert!(polled(&mut receiver, T0.plus_ms(200)).frames.is_empty());
    let error = receiver.receive(&broadcast[..40], T0, None, &mut Actions::default()).unwrap_err();
    assert_eq!(error.to_string(), "position vector: timestamp at byte 38 bit 0: 4 octets needed, 2 left");
    assert_eq!(receiver.counters().dropped(PacketDrop::Malformed), 1);
}

#[test]
fn clause_10_3_6_a_silent_station_beacons() {
    let mut station = router(1, 0.0, plain);
    let first = station.wake_at().unwrap();
    // Interval 3 s, jitter at most 750 ms.
    assert!((3_000..=3_750).contains(&(first.unix_ms() - T0.unix_ms())));
    assert!(polled(&mut station, first.plus_ms(-1)).frames.is_empty());
    let out = polled(&mut station, first);
    assert!(matches!(header_of(&out.frames[0].bytes), ExtendedHeader::Beacon { .. }));
    assert_eq!(out.frames[0].bytes[GN + 3], 1);
    // A single-hop broadcast tells the same, so the next beacon is put off.
    let before = station.wake_at().unwrap();
    frame_of(&mut station, &request(Scope::SingleHop), first.plus_ms(2_000));
    assert!(station.wake_at().unwrap() >= before.plus_ms(1_000));
    // The jitter differs between stations.
    let wakes: std::collections::BTreeSet<_> = (0..20).map(|id| router(id, 0.0, plain).wake_at()).collect();
    assert!(wakes.len() > 15);
}

#[test]
fn annex_f_3_the_farther_station_contends_shorter() {
    let mut source = router(1, 0.0, plain);
    let wake = source.wake_at().unwrap();
    let beacon = polled(&mut source, wake).frames.remove(0).bytes;
    let broadcast = frame_of(&mut source, &request(Scope::Broadcast(circle(0.0, 900.0))), T0);
    // Distance from the sender, whether its position is known, expected milliseconds: 100 − 99 · d / 250 m.
    for (distance_m, known, expected_ms) in
        [(0.0, true, 100.0), (125.0, true, 50.5), (250.0, true, 1.0), (600.0, true, 1.0), (250.0, false, 100.0)]
    {
        let mut receiver = router(2, distance_m, plain);
        if known {
            received(&mut receiver, &beacon, T0);
        }
        assert!(received(&mut receiver, &broadcast, T0).frames.is_empty());
        let wake = receiver.wake_at().unwrap();
        let wait_ms = (wake.unix_ns() - T0.unix_ns()) as f64 * 1e-6;
        // The position's 0.1 µdeg are 1 cm, 4 µs.
        assert!((wait_ms - expected_ms).abs() < 0.05, "{distance_m} m: {wait_ms} ms");
        let out = polled(&mut receiver, wake);
        assert_eq!((out.frames.len(), out.frames[0].destination), (1, MacAddress::BROADCAST));
        assert_eq!(out.frames[0].bytes[GN + 3], 9, "one hop less");
        assert_eq!(receiver.counters().forwarded, 1);
    }
}

#[test]
fn annex_e_2_greedy_sends_to_the_neighbour_nearest_to_the_destination() {
    let mut source = router(1, 0.0, plain);
    for (id, e_m) in [(2, 100.0), (3, 200.0), (4, -200.0)] {
        let mut neighbour = router(id, e_m, plain);
        let wake = neighbour.wake_at().unwrap();
        received(&mut source, &polled(&mut neighbour, wake).frames[0].bytes, T0);
    }
    let mut next_hop = |e_m: f64| {
        let mut out = Actions::default();
        source.send(&request(Scope::Broadcast(circle(e_m, 100.0))), T0, None, &mut out).unwrap();
        out.frames[0].destination
    };
    assert_eq!(next_hop(2_000.0), mac(3));
    assert_eq!(next_hop(-2_000.0), mac(4));
    let mut alone = router(9, 0.0, plain);
    let bytes = frame_of(&mut alone, &request(Scope::Broadcast(circle(2_000.0, 100.0))), T0);
    assert_eq!(Frame::decode(&bytes).unwrap().ethernet.destination, MacAddress::BROADCAST, "a local optimum");
}

#[test]
fn store_carry_forward_waits_for_a_neighbour_and_shortens_the_lifetime() {
    let mut source = router(1, 0.0, plain);
    let mut bytes = frame_of(&mut source, &request(Scope::Broadcast(circle(2_000.0, 100.0))), T0);
    carried(&mut bytes);
    let mut carrier = router(2, 100.0, plain);
    assert!(received(&mut carrier, &bytes, T0).frames.is_empty());
    let mut neighbour = router(3, 200.0, plain);
    let wake = neighbour.wake_at().unwrap();
    let beacon = polled(&mut neighbour, wake).frames.remove(0).bytes;
    let out = received(&mut carrier, &beacon, T0.plus_ms(3_000));
    let frame = Frame::decode(&out.frames[0].bytes).unwrap();
    assert_eq!((frame.ethernet.destination, frame.packet.basic.remaining_hops), (mac(3), 9));
    // Five seconds less three in the buffer (clause 10.3.10.2).
    assert!((frame.packet.basic.lifetime.seconds() - 2.0).abs() < 1e-9);
    // Too late: nothing is left of it.
    let mut carrier = router(2, 100.0, plain);
    received(&mut carrier, &bytes, T0);
    assert!(received(&mut carrier, &beacon, T0.plus_ms(6_000)).frames.is_empty());
    assert_eq!(carrier.counters().dropped(PacketDrop::LifetimeOver), 1);
}

#[test]
fn annex_b_2_a_source_that_floods_is_heard_and_not_forwarded() {
    let mut source = router(1, 0.0, plain);
    let mut receiver = router(2, 100.0, |settings| settings.max_data_rate_kbps = 10.0);
    let mut forwarded = 0;
    for i in 0..400 {
        let now = T0.plus_ms(i);
        let bytes = frame_of(&mut source, &request(Scope::Topological { hops: 3 }), now);
        let out = received(&mut receiver, &bytes, now);
        assert_eq!(out.indications.len(), 1);
        forwarded += out.frames.len();
    }
    assert!(receiver.counters().dropped(PacketDrop::DataRate) > 300 && forwarded > 0, "{forwarded}");
}

#[test]
fn repetition_ends_with_its_time() {
    let mut source = router(1, 0.0, |settings| settings.beacon_interval_ms = 0);
    let repetition = Some(Repetition { interval_ms: 500, for_s: 2.0 });
    let first = frame_of(&mut source, &Request { repetition, ..request(Scope::Broadcast(circle(0.0, 300.0))) }, T0);
    let mut times = Vec::new();
    while let Some(wake) = source.wake_at() {
        let out = polled(&mut source, wake);
        // The same packet, so that who has it drops it, with what is left of its lifetime.
        assert_eq!(header_of(&out.frames[0].bytes), header_of(&first));
        assert!(Frame::decode(&out.frames[0].bytes).unwrap().packet.basic.lifetime.seconds() < 5.0);
        times.push(wake.unix_ms() - T0.unix_ms());
    }
    assert_eq!(times, [500, 1_000, 1_500, 2_000]);
}

#[test]
fn a_new_pseudonym_is_a_new_station() {
    let mut station = router(1, 0.0, plain);
    station.change_address(mac(77), T0);
    let bytes = frame_of(&mut station, &request(Scope::SingleHop), T0);
    assert_eq!(header_of(&bytes).source().address, GnAddress::new(15, mac(77)));
    assert_eq!(Frame::decode(&bytes).unwrap().ethernet.source, mac(77));
}

#[test]
fn a_moving_station_reports_how_it_moves() {
    let mut car = router(1, 0.0, |settings| settings.mobility = Mobility::Mobile);
    car.set_position(Position {
        at: Wgs84 { alt_m: 40.0, ..at(10.0, 20.0) },
        measured_at: T0.plus_ms(-40),
        accuracy: PositionAccuracy::Unknown,
        speed_mps: 13.9,
        heading_deg: 271.5,
    });
    let vector = *header_of(&frame_of(&mut car, &request(Scope::SingleHop), T0)).source();
    assert_eq!((vector.speed_mps(), vector.heading_deg()), (13.9, Some(271.5)));
    assert_eq!((vector.accuracy(), vector.time.near(T0)), (PositionAccuracy::Unknown, T0.plus_ms(-40)));
}

/// An envelope of one octet that names the verdict: 1 for good.
struct Marked;

impl SecurityService for Marked {
    fn sign(&mut self, request: &SignRequest<'_>, _: Timestamp, out: &mut Vec<u8>) -> Result<(), SignError> {
        if request.its_aid == 36 {
            return Err(SignError::NoCertificate { its_aid: 36 });
        }
        out.push(1);
        out.extend_from_slice(request.payload);
        Ok(())
    }

    fn unwrap<'a>(&mut self, envelope: &'a [u8], _: Timestamp) -> Unwrapped<'a> {
        let verdict = match envelope.first() {
            Some(1) => Verdict::Verified(SignedBy { certificate: [7; 8] }),
            Some(_) => Verdict::Refused(Refusal::BadSignature),
            None => Verdict::Refused(Refusal::Malformed),
        };
        Unwrapped { payload: envelope.get(1..).unwrap_or_default(), its_aid: 37, verdict }
    }
}

#[test]
fn secured_packets_are_opened_judged_and_forwarded_unchanged() {
    let mut source = router(1, 0.0, plain);
    let mut out = Actions::default();
    source.send(&request(Scope::Topological { hops: 5 }), T0, Some(&mut Marked), &mut out).unwrap();
    let bytes = out.frames.remove(0).bytes;
    assert_eq!(bytes[GN], 0x12, "next header: secured");
    let mut forged = bytes.clone();
    forged[GN + 4] = 0;
    // What arrives, what is done with the untrusted, whether it is delivered, whether it is forwarded.
    use UntrustedPackets::{Deliver, Discard};
    let mut unsigned = router(1, 0.0, plain);
    let unsigned = frame_of(&mut unsigned, &request(Scope::Topological { hops: 5 }), T0);
    let good = Verdict::Verified(SignedBy { certificate: [7; 8] });
    for (bytes, untrusted, verdict, delivered) in [
        (&bytes, Discard, good, true),
        (&forged, Discard, Verdict::Refused(Refusal::BadSignature), false),
        (&forged, Deliver, Verdict::Refused(Refusal::BadSignature), true),
        (&unsigned, Discard, Verdict::Refused(Refusal::NotSigned), false),
        (&unsigned, Deliver, Verdict::Refused(Refusal::NotSigned), true),
    ] {
        let mut receiver = router(2, 100.0, |settings| settings.untrusted = untrusted);
        let mut out = Actions::default();
        receiver.receive(bytes, T0, Some(&mut Marked), &mut out).unwrap();
        assert_eq!(out.indications.iter().map(|i| i.verdict).collect::<Vec<_>>(), vec![verdict; delivered.into()]);
        assert_eq!(out.frames.len(), usize::from(verdict == good), "{verdict:?}");
        if let Verdict::Refused(reason) = verdict {
            assert_eq!(receiver.counters().dropped(PacketDrop::Untrusted(reason)), 1);
        } else {
            // Only the hops in the basic header change, which no signature covers.
            let mut expected = bytes[GN..].to_vec();
            expected[3] -= 1;
            assert_eq!(&out.frames[0].bytes[GN..], expected);
        }
    }
    let mut empty = bytes[..GN + 4].to_vec();
    empty[GN] = 0x12;
    let mut receiver = router(2, 100.0, |settings| settings.untrusted = Deliver);
    receiver.receive(&empty, T0, Some(&mut Marked), &mut out).unwrap();
    assert_eq!(receiver.counters().dropped(PacketDrop::Untrusted(Refusal::Malformed)), 1);
}

#[test]
fn what_cannot_be_signed_is_not_sent() {
    let mut source = router(1, 0.0, plain);
    let mut send = |port| {
        let request = Request { btp: Btp::to_port(port), ..request(Scope::SingleHop) };
        source.send(&request, T0, Some(&mut Marked), &mut Actions::default())
    };
    assert_eq!(send(2001), Err(SendError::Sign(SignError::NoCertificate { its_aid: 36 })));
    assert_eq!(send(9_999), Err(SendError::NoApplication(9_999)));
    assert_eq!(send(2002), Ok(()));
}
