//! One row for each thing that can be wrong with a message.

use super::world::{HOME, NOW, Order, World, entity, hours, key, packet, rectangle, sign, verdict};
use crate::common::unhex;
use masa_v2x_proto::cam::{
    EmergencyContainer, HighFrequencyContainer, RsuContainerHighFrequency, SpecialVehicleContainer,
};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::{
    AppPermission, ChainError, Curve, Envelope, Refusal, SecurityEntity, SecurityService, SignError, SignRequest,
    SignedBy, Signer, Ssp, Ticket, Verdict, pki,
};
use masa_v2x_proto::time::Timestamp;
use masa_v2x_proto::{Message, uper};

/// A CAM with a zone to protect, which needs a permission of its own.
fn zone_cam() -> Message {
    Message::decode(&unhex(include_str!("../../samples/cam.hex").trim())).expect("a CAM")
}

/// A CAM that needs no special permission.
fn cam() -> Message {
    let mut message = zone_cam();
    if let Message::Cam(cam) = &mut message {
        cam.cam.cam_parameters.high_frequency_container =
            HighFrequencyContainer::Rsu(RsuContainerHighFrequency::default());
    }
    message
}

fn denm() -> Message {
    Message::decode(&unhex(include_str!("../../samples/denm.hex").trim())).expect("a DENM")
}

fn bytes(message: &Message) -> Vec<u8> {
    let encoded: Result<_, uper::UperError> = message.to_uper();
    encoded.expect("a message that encodes")
}

fn cam_packet() -> Vec<u8> {
    packet(2001, HOME, 10.0, &bytes(&cam()))
}

fn after_s(seconds: f64) -> Timestamp {
    NOW.plus_ns((seconds * 1e9) as i64)
}

fn refused(refusal: Refusal) -> Verdict {
    Verdict::Refused(refusal)
}

/// A CAM signed now with a ticket, judged by a station that knows root and authority.
fn judged(world: &World, order: Order, at: Timestamp) -> Verdict {
    let envelope = sign(&mut world.station(order), 36, &cam_packet(), NOW);
    verdict(&mut world.listener(), &envelope, at)
}

#[test]
fn a_signed_message_is_verified_on_every_curve() {
    for curve in Curve::ALL {
        let world = World::new(curve);
        let id = world.certificate(Order::with_key(9)).hashed_id8();
        let verified = Verdict::Verified(SignedBy { certificate: id.0 });
        assert_eq!(judged(&world, Order::with_key(9), after_s(0.01)), verified, "{curve:?}");
    }
}

#[test]
fn the_payload_and_its_application_come_out() {
    let world = World::new(Curve::NistP256);
    let mut station = world.station(Order::with_key(9));
    let (payload, message) = (cam_packet(), packet(2002, HOME, 0.0, &bytes(&denm())));
    for (its_aid, payload) in [(36, &payload), (37, &message)] {
        let envelope = sign(&mut station, its_aid, payload, NOW);
        let unwrapped = world.listener().unwrap(&envelope, NOW).payload.to_vec();
        assert_eq!(unwrapped, *payload);
        assert_eq!(world.listener().unwrap(&envelope, NOW).its_aid, its_aid);
    }
}

/// What an envelope says, signatures as numbers.
fn essence(envelope: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let Ok(Envelope::Signed(signed)) = Envelope::decode(envelope) else { panic!("it decodes") };
    let Signer::Certificate(certificate) = &signed.signer else { panic!("with a certificate") };
    let content = format!("{:?} {:?}", signed.to_be_signed, certificate.to_be_signed).into_bytes();
    (content, signed.signature.to_fixed(), certificate.signature.expect("a signature").to_fixed())
}

#[test]
fn a_changed_bit_is_never_verified() {
    let world = World::new(Curve::NistP256);
    let mut listener = world.listener();
    let envelope = sign(&mut world.station(Order::with_key(9)), 36, &cam_packet(), NOW);
    let mut refusals = std::collections::BTreeMap::new();
    for bit in 0..envelope.len() * 8 {
        let mut forged = envelope.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        match verdict(&mut listener, &forged, NOW) {
            Verdict::Refused(refusal) => *refusals.entry(refusal).or_insert(0) += 1,
            Verdict::Verified(_) => {
                // The form in which the point r travels is not signed; nothing else may differ.
                assert_eq!(essence(&forged), essence(&envelope), "bit {bit}");
                listener = world.listener();
            }
            Verdict::Unsigned => panic!("bit {bit}"),
        }
    }
    for refusal in [Refusal::Malformed, Refusal::BadSignature, Refusal::UntrustedChain] {
        assert!(refusals.contains_key(&refusal), "{refusals:?}");
    }
    assert!(matches!(verdict(&mut listener, &envelope, NOW), Verdict::Verified(_)), "the listener was not misled");
}

#[test]
fn time_has_a_window() {
    let world = World::new(Curve::NistP256);
    let denm_packet = packet(2002, HOME, 0.0, &bytes(&denm()));
    for (its_aid, payload, at_s, expected) in [
        (36, &cam_packet(), -0.4, None),
        (36, &cam_packet(), -0.6, Some(Refusal::FromTheFuture)),
        (36, &cam_packet(), 1.9, None),
        (36, &cam_packet(), 2.1, Some(Refusal::TooOld)),
        (37, &denm_packet, 599.0, None),
        (37, &denm_packet, 601.0, Some(Refusal::TooOld)),
    ] {
        let envelope = sign(&mut world.station(Order::with_key(9)), its_aid, payload, NOW);
        match (verdict(&mut world.listener(), &envelope, after_s(at_s)), expected) {
            (Verdict::Verified(_), None) => {}
            (Verdict::Refused(refusal), Some(expected)) if refusal == expected => {}
            (other, expected) => panic!("{its_aid} at {at_s} s: {other:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_message_counts_once() {
    let world = World::new(Curve::NistP256);
    let mut listener = world.listener();
    let envelope = sign(&mut world.station(Order::with_key(9)), 36, &cam_packet(), NOW);
    assert!(matches!(verdict(&mut listener, &envelope, NOW), Verdict::Verified(_)));
    assert_eq!(verdict(&mut listener, &envelope, after_s(0.5)), refused(Refusal::Replayed));
}

#[test]
fn what_is_not_an_envelope_or_not_signed_is_refused() {
    let world = World::new(Curve::NistP256);
    let mut listener = world.listener();
    assert_eq!(verdict(&mut listener, &[3, 0x81], NOW), refused(Refusal::Malformed));
    let unsecured = Envelope::Unsecured(&[1, 2, 3]).encode();
    let unwrapped = listener.unwrap(&unsecured, NOW);
    assert_eq!((unwrapped.payload, unwrapped.verdict), (&[1, 2, 3][..], refused(Refusal::NotSigned)));
}

#[test]
fn envelopes_against_the_profile_are_malformed() {
    let world = World::new(Curve::NistP256);
    for (what, change) in [
        (
            "no generation time",
            (|header| header.generation_time = None) as fn(&mut masa_v2x_proto::security::HeaderInfo),
        ),
        ("a DENM without location", |header| {
            header.its_aid = 37;
            header.generation_location = None;
        }),
    ] {
        let envelope = sign(&mut world.station(Order::with_key(9)), 36, &cam_packet(), NOW);
        let Ok(Envelope::Signed(mut signed)) = Envelope::decode(&envelope) else { panic!("our own envelope") };
        change(&mut signed.to_be_signed.header);
        let changed = Envelope::Signed(signed).encode();
        assert_eq!(verdict(&mut world.listener(), &changed, NOW), refused(Refusal::Malformed), "{what}");
    }
}

#[test]
fn a_certificate_is_valid_for_a_time() {
    let world = World::new(Curve::NistP256);
    let expired = Order { validity: hours(NOW.plus_ms(-3_600_000), 1), ..Order::with_key(9) };
    // Signed with a valid ticket, then taken to a time when it is not: a station does not sign with an expired one.
    let mut station = world.station(expired);
    assert_eq!(
        station.sign(
            &SignRequest { payload: &cam_packet(), its_aid: 36, position: HOME },
            after_s(1.0),
            &mut Vec::new()
        ),
        Err(SignError::NoCertificate { its_aid: 36 })
    );
    let envelope = sign(&mut station, 36, &cam_packet(), after_s(-0.5));
    assert!(
        matches!(verdict(&mut world.listener(), &envelope, after_s(0.1)), Verdict::Verified(_)),
        "valid when signed"
    );
    // A thief signs with the key of an expired ticket.
    let stolen = world.ticket(Order { validity: hours(NOW.plus_ms(-3_600_000), 1), ..Order::with_key(9) });
    let valid = world.ticket(Order::with_key(9));
    assert_eq!(forged_with(&world, &valid, &stolen), refused(Refusal::CertificateExpired));
}

/// An envelope of `signer` whose certificate is replaced by `shown`, which has the same key.
fn forged_with(world: &World, signer: &Ticket, shown: &Ticket) -> Verdict {
    let mut station = entity(world.credentials(vec![signer.clone()]));
    let envelope = sign(&mut station, 36, &cam_packet(), after_s(1.0));
    let Ok(Envelope::Signed(mut signed)) = Envelope::decode(&envelope) else { panic!("our own envelope") };
    signed.signer = masa_v2x_proto::security::Signer::Certificate(Box::new(shown.certificate().clone()));
    let forged = Envelope::Signed(signed).encode();
    verdict(&mut world.listener(), &forged, after_s(1.0))
}

#[test]
fn a_certificate_is_valid_in_a_region() {
    let world = World::new(Curve::NistP256);
    let elsewhere = Order { region: Some(rectangle(44.5, 10.1, 44.4, 10.2)), ..Order::with_key(9) };
    assert_eq!(judged(&world, elsewhere, NOW), refused(Refusal::WrongRegion));
    // Without a region of its own the ticket has that of its authority.
    let far = Wgs84 { lat_deg: 46.0, ..HOME };
    let payload = packet(2001, far, 10.0, &bytes(&cam()));
    let envelope = sign(&mut world.station(Order::with_key(9)), 36, &payload, NOW);
    assert_eq!(verdict(&mut world.listener(), &envelope, NOW), refused(Refusal::WrongRegion));
}

fn cam_ssp(bits: &[u8]) -> Vec<AppPermission> {
    vec![AppPermission { its_aid: 36, ssp: Some(Ssp::Bitmap(bits.to_vec())) }]
}

/// Signs without asking whether the ticket permits it.
fn sign_anyway(world: &World, permissions: Vec<AppPermission>, its_aid: u32, payload: &[u8]) -> Vec<u8> {
    use masa_v2x_proto::security::{HeaderInfo, Location, Payload, Signer, Time64, ToBeSigned, sign_envelope};
    let ticket = world.ticket(Order { permissions, ..Order::with_key(9) });
    let mut header = HeaderInfo::new(its_aid, Time64::of(NOW));
    header.generation_location = Some(Location::of(HOME));
    let to_be_signed = ToBeSigned { payload: Payload { data: Some(payload), external: None }, header };
    sign_envelope(to_be_signed, Signer::Certificate(Box::new(ticket.certificate().clone())), &ticket)
}

#[test]
fn an_application_needs_its_permission() {
    let world = World::new(Curve::NistP256);
    let denm_packet = packet(2002, HOME, 0.0, &bytes(&denm()));
    let not_permitted = refused(Refusal::NotPermitted);
    let envelope = sign_anyway(&world, cam_ssp(&[2, 0, 0]), 37, &denm_packet);
    assert_eq!(verdict(&mut world.listener(), &envelope, NOW), not_permitted, "a ticket for CAMs signs a DENM");
    let envelope = sign_anyway(&world, cam_ssp(&[2, 0, 0]), 36, &denm_packet);
    assert_eq!(verdict(&mut world.listener(), &envelope, NOW), not_permitted, "a DENM signed as a CAM");
    let mut station = world.station(Order { permissions: cam_ssp(&[2, 0, 0]), ..Order::with_key(9) });
    let request = SignRequest { payload: &denm_packet, its_aid: 37, position: HOME };
    assert_eq!(station.sign(&request, NOW, &mut Vec::new()), Err(SignError::NoCertificate { its_aid: 37 }));
}

#[test]
fn special_containers_and_causes_need_their_bits() {
    let world = World::new(Curve::NistP256);
    let mut emergency = cam();
    if let Message::Cam(cam) = &mut emergency {
        let container = SpecialVehicleContainer::Emergency(EmergencyContainer::default());
        cam.cam.cam_parameters.special_vehicle_container = Some(container);
    }
    let denm_ssp = |bits: &[u8]| vec![AppPermission { its_aid: 37, ssp: Some(Ssp::Bitmap(bits.to_vec())) }];
    for (what, permissions, its_aid, port, message, permitted) in [
        ("emergency", cam_ssp(&[1, 0x02, 0]), 36, 2001, &emergency, true),
        ("no emergency", cam_ssp(&[1, 0xFD, 0xFC]), 36, 2001, &emergency, false),
        ("no bits", vec![AppPermission { its_aid: 36, ssp: None }], 36, 2001, &emergency, false),
        ("none needed", vec![AppPermission { its_aid: 36, ssp: None }], 36, 2001, &cam(), true),
        ("a zone", cam_ssp(&[2, 0x80, 0]), 36, 2001, &zone_cam(), true),
        ("no zone", cam_ssp(&[2, 0x7F, 0xFF]), 36, 2001, &zone_cam(), false),
        ("stationary vehicle", denm_ssp(&[1, 0, 0, 0x20]), 37, 2002, &denm(), true),
        ("all but stationary vehicle", denm_ssp(&[1, 0xFF, 0xFF, 0xDF]), 37, 2002, &denm(), false),
    ] {
        let payload = packet(port, HOME, 0.0, &bytes(message));
        let envelope = sign_anyway(&world, permissions.clone(), its_aid, &payload);
        let judged = verdict(&mut world.listener(), &envelope, NOW);
        let expected =
            if permitted { matches!(judged, Verdict::Verified(_)) } else { judged == refused(Refusal::NotPermitted) };
        assert!(expected, "{what}: {judged:?}");
        let mut station = world.station(Order { permissions, ..Order::with_key(9) });
        let signed = station.sign(&SignRequest { payload: &payload, its_aid, position: HOME }, NOW, &mut Vec::new());
        assert_eq!(signed.is_ok(), permitted, "{what}: {signed:?}");
    }
}

#[test]
fn an_unknown_root_is_not_trusted() {
    let (ours, theirs) = (World::new(Curve::NistP256), World::with_keys(Curve::NistP256, 101));
    let envelope = sign(&mut theirs.station(Order::with_key(9)), 36, &cam_packet(), NOW);
    assert_eq!(verdict(&mut ours.listener(), &envelope, NOW), refused(Refusal::UntrustedChain));
    // An impostor of our authority: same certificate, other key.
    let impostor = World { authority_key: key(Curve::NistP256, 77), ..World::new(Curve::NistP256) };
    let certificate = impostor.certificate(Order::with_key(9));
    let ticket = Ticket::new(certificate, key(Curve::NistP256, 9)).expect("the ticket's key");
    assert_eq!(forged_with(&ours, &ours.ticket(Order::with_key(9)), &ticket), refused(Refusal::UntrustedChain));
}

#[test]
fn a_revoked_authority_takes_its_tickets_along() {
    let world = World::new(Curve::NistP256);
    let ticket = world.certificate(Order::with_key(9));
    for id in [ticket.hashed_id8(), world.authority.hashed_id8(), world.root.hashed_id8()] {
        let mut listener = world.listener();
        listener.revoke(id);
        let envelope = sign(&mut world.station(Order::with_key(9)), 36, &cam_packet(), NOW);
        assert_eq!(verdict(&mut listener, &envelope, NOW), refused(Refusal::CertificateRevoked), "{id}");
    }
}

#[test]
fn what_cannot_be_is_implausible() {
    let world = World::new(Curve::NistP256);
    let mut listener = world.listener();
    listener.moved(HOME, NOW);
    let fast = packet(2001, HOME, 120.0, &bytes(&cam()));
    let envelope = sign(&mut world.station(Order::with_key(9)), 36, &fast, NOW);
    assert_eq!(verdict(&mut listener, &envelope, NOW), refused(Refusal::Implausible));
    let far = packet(2001, Wgs84 { lat_deg: 44.8, ..HOME }, 10.0, &bytes(&cam()));
    let envelope = sign(&mut world.station(Order::with_key(9)), 36, &far, NOW);
    assert_eq!(verdict(&mut listener, &envelope, NOW), refused(Refusal::Implausible));
}

#[test]
fn authorities_give_no_more_than_they_have() {
    let world = World::new(Curve::NistP256);
    let trust = |authority: &masa_v2x_proto::security::Certificate, ticket: masa_v2x_proto::security::Certificate| {
        let mut store = masa_v2x_proto::security::TrustStore::new(std::num::NonZeroUsize::MIN);
        store.add_root(world.root.clone()).expect("a root");
        store.add_authority(authority.clone())?;
        store.trust_ticket(&ticket).map(|_| ())
    };
    let good = || world.certificate(Order::with_key(9));
    assert_eq!(trust(&world.authority, good()), Ok(()));
    let longer = Order { validity: hours(NOW, 24), ..Order::with_key(9) };
    assert_eq!(trust(&world.authority, world.certificate(longer)), Err(ChainError::OutlivesIssuer));
    let wider = Order { region: Some(rectangle(45.0, 10.0, 43.9, 11.0)), ..Order::with_key(9) };
    assert_eq!(trust(&world.authority, world.certificate(wider)), Err(ChainError::LeavesRegion));
    let unknown = vec![AppPermission { its_aid: 4711, ssp: None }];
    let exceeding = Order { permissions: unknown, ..Order::with_key(9) };
    assert_eq!(trust(&world.authority, world.certificate(exceeding)), Err(ChainError::ExceedsIssuer));
    let mut forged = good();
    forged.to_be_signed.crl_series = 1;
    assert_eq!(trust(&world.authority, forged), Err(ChainError::BadSignature));
    let no_ticket = world.authority.clone();
    assert_eq!(trust(&world.authority, no_ticket), Err(ChainError::NotATicket("it has a name")));
    // An authority may not make authorities: its chains have one certificate more.
    let public = key(Curve::NistP256, 50).public_key();
    let validity = hours(NOW, 1);
    let sub = pki::authority("sub", validity, None, public, (&world.authority, &world.authority_key));
    let mut store = masa_v2x_proto::security::TrustStore::new(std::num::NonZeroUsize::MIN);
    store.add_root(world.root.clone()).expect("a root");
    store.add_authority(world.authority.clone()).expect("an authority");
    assert_eq!(store.add_authority(sub).err(), Some(ChainError::ExceedsIssuer));
}

#[test]
fn a_payload_has_a_limit() {
    let mut station: SecurityEntity = World::new(Curve::NistP256).station(Order::with_key(9));
    let request = SignRequest { payload: &vec![0; 65_536], its_aid: 36, position: HOME };
    assert_eq!(station.sign(&request, NOW, &mut Vec::new()), Err(SignError::TooLong { bytes: 65_536 }));
}
