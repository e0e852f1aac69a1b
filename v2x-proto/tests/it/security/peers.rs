//! Certificates travel when they are due, asked for, or new.

use super::world::{HOME, NOW, Order, World, entity, hours, packet, settings, sign, verdict};
use crate::common::unhex;
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::{
    ChangePolicy, Curve, Envelope, Refusal, SecurityEntity, SecurityService, SecuritySettings, SignedData, Signer,
    StationCredentials, Verdict,
};
use masa_v2x_proto::time::Timestamp;

fn cam_packet() -> Vec<u8> {
    packet(2001, HOME, 10.0, &unhex(include_str!("../../samples/cam.hex").trim()))
}

fn at_ms(ms: i64) -> Timestamp {
    NOW.plus_ms(ms)
}

fn signed(envelope: &[u8]) -> Box<SignedData<'_>> {
    match Envelope::decode(envelope) {
        Ok(Envelope::Signed(signed)) => signed,
        other => panic!("{other:?}"),
    }
}

fn has_certificate(envelope: &[u8]) -> bool {
    matches!(signed(envelope).signer, Signer::Certificate(_))
}

fn cam(station: &mut SecurityEntity, ms: i64) -> Vec<u8> {
    sign(station, 36, &cam_packet(), at_ms(ms))
}

#[test]
fn a_cam_carries_the_certificate_once_a_second_and_a_denm_always() {
    // TS 103 097 clauses 7.1.1 and 7.1.2.
    let mut station = World::new(Curve::NistP256).station(Order::with_key(9));
    let forms: Vec<bool> = (0..25).map(|index| has_certificate(&cam(&mut station, index * 100))).collect();
    let expected: Vec<bool> = (0..25).map(|index| index % 10 == 0).collect();
    assert_eq!(forms, expected);
    let denm = packet(2002, HOME, 0.0, &unhex(include_str!("../../samples/denm.hex").trim()));
    for ms in [2500, 2600] {
        let envelope = sign(&mut station, 37, &denm, at_ms(ms));
        assert!(has_certificate(&envelope));
        assert!(signed(&envelope).to_be_signed.header.generation_location.is_some());
    }
    assert!(!has_certificate(&cam(&mut station, 2700)), "a DENM does not delay or replace it");
}

#[test]
fn an_unknown_certificate_is_asked_for_and_sent() {
    let world = World::new(Curve::NistP256);
    let (mut a, mut b) = (world.station(Order::with_key(9)), world.station(Order::with_key(10)));
    cam(&mut a, 0);
    let _ = cam(&mut b, 0);
    let digest = cam(&mut a, 100);
    assert_eq!(verdict(&mut b, &digest, at_ms(100)), Verdict::Refused(Refusal::UnknownCertificate));
    let asking = cam(&mut b, 150);
    assert_eq!(signed(&asking).to_be_signed.header.p2pcd_request.len(), 1);
    assert_eq!(verdict(&mut a, &asking, at_ms(150)), Verdict::Refused(Refusal::UnknownCertificate));
    let answer = cam(&mut a, 200);
    assert!(has_certificate(&answer), "200 ms after the last one, because it was asked for");
    assert!(matches!(verdict(&mut b, &answer, at_ms(200)), Verdict::Verified(_)));
    assert!(signed(&cam(&mut b, 250)).to_be_signed.header.p2pcd_request.is_empty(), "asked once");
    let digest = cam(&mut a, 300);
    assert!(!has_certificate(&digest));
    assert!(matches!(verdict(&mut b, &digest, at_ms(300)), Verdict::Verified(_)));
}

#[test]
fn an_unknown_authority_is_asked_for_and_learnt() {
    let world = World::new(Curve::NistP256);
    let mut a = world.station(Order::with_key(9));
    // A station of the same root that has never heard of the authority.
    let stranger = StationCredentials { authorities: Vec::new(), ..world.credentials(Vec::new()) };
    let mut listener = entity(stranger);
    let first = cam(&mut a, 0);
    assert_eq!(verdict(&mut listener, &first, at_ms(0)), Verdict::Refused(Refusal::UntrustedChain));
    // Only a station with a ticket asks; it asks for what it misses.
    let mut b = world.station(Order::with_key(10));
    let other = World::with_keys(Curve::NistP256, 101);
    let foreign = sign(&mut other.station(Order::with_key(9)), 36, &cam_packet(), at_ms(0));
    assert_eq!(verdict(&mut b, &foreign, at_ms(0)), Verdict::Refused(Refusal::UntrustedChain));
    let asking = cam(&mut b, 50);
    assert_eq!(signed(&asking).to_be_signed.header.p2pcd_request, [other.authority.hashed_id8().id3()]);
    // Our own authority, asked for by hand: it travels in the next message that has no certificate.
    let mut request = signed(&asking);
    request.to_be_signed.header.p2pcd_request = vec![world.authority.hashed_id8().id3()];
    let request = Envelope::Signed(request).encode();
    verdict(&mut a, &request, at_ms(60));
    let answer = cam(&mut a, 100);
    let brought = signed(&answer).to_be_signed.header.requested_certificate;
    assert_eq!(brought.as_deref(), Some(&world.authority));
    verdict(&mut listener, &answer, at_ms(100));
    let next = cam(&mut a, 1000);
    assert!(has_certificate(&next));
    assert!(matches!(verdict(&mut listener, &next, at_ms(1000)), Verdict::Verified(_)), "the authority was learnt");
    assert!(signed(&cam(&mut a, 1100)).to_be_signed.header.requested_certificate.is_none(), "sent once");
}

#[test]
fn an_answer_of_another_station_is_enough() {
    let world = World::new(Curve::NistP256);
    let (mut a, mut b) = (world.station(Order::with_key(9)), world.station(Order::with_key(10)));
    cam(&mut a, 0);
    cam(&mut b, 0);
    let envelope = cam(&mut b, 10);
    let mut request = signed(&envelope);
    request.to_be_signed.header.p2pcd_request = vec![world.authority.hashed_id8().id3()];
    let request = Envelope::Signed(request).encode();
    verdict(&mut a, &request, at_ms(20));
    verdict(&mut b, &request, at_ms(20));
    let answer = cam(&mut b, 30);
    assert!(signed(&answer).to_be_signed.header.requested_certificate.is_some());
    verdict(&mut a, &answer, at_ms(30));
    assert!(signed(&cam(&mut a, 40)).to_be_signed.header.requested_certificate.is_none());
}

fn vehicle(seed: u64) -> SecurityEntity {
    let world = World::new(Curve::NistP256);
    let tickets = (9..12).map(|key| world.ticket(Order::with_key(key))).collect();
    let pseudonyms = ChangePolicy::DistanceThenTime { distance_m: 800.0..1500.0, time_s: 120.0..360.0 };
    let settings = SecuritySettings { pseudonyms, ..settings() };
    SecurityEntity::new(settings, world.credentials(tickets), seed).expect("trusted credentials")
}

/// Where along a road north at 20 m/s, and when, the identity changes within 40 minutes.
fn changes(seed: u64) -> Vec<(i64, u32)> {
    let mut vehicle = vehicle(seed);
    let mut changes = Vec::new();
    for second in 0..2400 {
        let position = Wgs84 { lat_deg: HOME.lat_deg + f64::from(second) * 20.0 / 111_120.0, ..HOME };
        vehicle.moved(position, at_ms(i64::from(second) * 1000));
        if let Some(identity) = vehicle.take_new_identity() {
            assert_eq!(identity.mac[0] & 3, 2, "locally administered, of one station");
            changes.push((i64::from(second), identity.station_id));
        }
    }
    changes
}

#[test]
fn a_vehicle_changes_its_pseudonym_by_distance_and_then_time() {
    let first = changes(1);
    assert_eq!(first[0].0, 0, "the first identity is told at the start");
    for pair in first.windows(2) {
        let elapsed_s = pair[1].0 - pair[0].0;
        // 800 m to 1,500 m at 20 m/s, then 120 s to 360 s; a second of rounding at each end.
        assert!((160..=437).contains(&elapsed_s), "{first:?}");
        assert_ne!(pair[0].1, pair[1].1);
    }
    assert!(first.len() >= 6);
    assert_eq!(changes(1), first, "one seed, one run");
    assert_ne!(changes(2), first);
}

#[test]
fn a_lock_holds_the_pseudonym() {
    let mut vehicle = vehicle(1);
    vehicle.take_new_identity();
    vehicle.lock_identity(at_ms(2_400_000));
    for second in 0..2400 {
        let position = Wgs84 { lat_deg: HOME.lat_deg + f64::from(second) * 20.0 / 111_120.0, ..HOME };
        vehicle.moved(position, at_ms(i64::from(second) * 1000));
        assert_eq!(vehicle.take_new_identity(), None);
    }
}

#[test]
fn an_expired_ticket_gives_way_to_the_next() {
    let world = World::new(Curve::NistP256);
    let early = Order { validity: hours(NOW.plus_ms(-3_000_000), 1), ..Order::with_key(9) };
    let late = Order { validity: hours(NOW, 1), ..Order::with_key(10) };
    let next = world.certificate(Order { validity: hours(NOW, 1), ..Order::with_key(10) }).hashed_id8();
    let mut station = entity(world.credentials(vec![world.ticket(early), world.ticket(late)]));
    station.take_new_identity();
    cam(&mut station, 0);
    assert_eq!(station.take_new_identity(), None);
    station.moved(HOME, at_ms(700_000));
    let envelope = cam(&mut station, 700_000);
    assert_eq!(station.take_new_identity().map(|identity| identity.certificate), Some(next.0));
    assert!(has_certificate(&envelope), "others do not know it yet");
    assert!(matches!(verdict(&mut world.listener(), &envelope, at_ms(700_000)), Verdict::Verified(_)));
}
