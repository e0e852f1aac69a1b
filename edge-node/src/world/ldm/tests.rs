//! Messages of other stations into the tables, and out of them again.

use super::*;
use crate::event::ReceivedMessage;
use crate::world::fixture::at;
use masa_v2x_proto::cam::{
    BasicContainer, BasicVehicleContainerHighFrequency, Cam, CamParameters, HighFrequencyContainer,
};
use masa_v2x_proto::cdd::subcause::StationaryVehicleSubCause;
use masa_v2x_proto::cdd::{
    CartesianCoordinateWithConfidence, CartesianPosition3dWithConfidence, CauseCode, Heading, PerceivedObject, Reading,
    ReferencePosition, Speed, StationType,
};
use masa_v2x_proto::cpm::{Cpm, CpmContainers, CpmPayload, ManagementContainer, PerceivedObjectContainer};
use masa_v2x_proto::denm::{self, Denm, DenmPayload, SituationContainer, Termination};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::{Refusal, SignedBy, Verdict};
use masa_v2x_proto::vam::{Vam, VamParameters};
use masa_v2x_proto::{List, Message};

const ORIGIN: Wgs84 = Wgs84 { lat_deg: 44.65554, lon_deg: 10.934315, alt_m: 30.0 };
const OTHER: StationId = StationId(77);

fn ldm(settings: LdmSettings) -> Ldm {
    Ldm::new(settings, StationId(4_711), SiteFrame::new(ORIGIN))
}

fn received(message: &Message) -> ReceivedMessage {
    ReceivedMessage {
        link: "zenoh".into(),
        origin: "site/77".into(),
        uper: message.to_uper().unwrap(),
        verdict: Verdict::Unsigned,
        received_at: at(0),
    }
}

fn place(e_m: f64, n_m: f64) -> ReferencePosition {
    let p = SiteFrame::new(ORIGIN).to_wgs84(Enu::ground(e_m, n_m));
    ReferencePosition { latitude_deg: Some(p.lat_deg), longitude_deg: Some(p.lon_deg), ..ReferencePosition::default() }
}

fn cam(station: StationId, ms: i64, e_m: f64) -> Message {
    let vehicle = BasicVehicleContainerHighFrequency {
        heading: Heading { value_deg: Some(90.0), ..Heading::default() },
        speed: Speed { value_mps: Reading::of(13.0), ..Speed::default() },
        ..BasicVehicleContainerHighFrequency::default()
    };
    let parameters = CamParameters {
        basic_container: BasicContainer {
            station_type: StationType::PassengerCar,
            reference_position: place(e_m, 0.0),
        },
        high_frequency_container: HighFrequencyContainer::BasicVehicle(vehicle),
        low_frequency_container: None,
        special_vehicle_container: None,
        extension_containers: None,
    };
    Cam::new(station, at(ms), parameters).into()
}

fn vam(ms: i64) -> Message {
    let mut parameters = VamParameters::default();
    parameters.basic_container.station_type = StationType::Pedestrian;
    parameters.basic_container.reference_position = place(3.0, 4.0);
    Vam::new(StationId(5), at(ms), parameters).into()
}

/// A DENM of `from` about an event of [`OTHER`], detected at 0 and valid for 10 s.
fn denm(from: StationId, reference_ms: i64, termination: Option<Termination>) -> Message {
    let management = denm::ManagementContainer {
        action_id: ActionId { originating_station_id: OTHER, sequence_number: 9 },
        detection_time: at(0).into(),
        reference_time: at(reference_ms).into(),
        termination,
        event_position: place(40.0, 0.0),
        awareness_distance: None,
        traffic_direction: None,
        validity_duration_s: 10,
        transmission_interval_ms: None,
        station_type: StationType::PassengerCar,
    };
    let situation = SituationContainer {
        information_quality: 3,
        event_type: CauseCode::StationaryVehicle(StationaryVehicleSubCause::Unavailable),
        linked_cause: None,
        event_zone: None,
        linked_denms: None,
        event_end_m: None,
        event_end_factor: None,
        perceived_event: None,
    };
    let situation = termination.is_none().then_some(situation);
    Denm::new(from, DenmPayload { management, situation, location: None, alacarte: None }).into()
}

fn cpm(ms: i64, ids: &[Option<u16>]) -> Message {
    let object = |(index, id): (usize, &Option<u16>)| PerceivedObject {
        object_id: *id,
        measurement_delta_time_ms: -100,
        position: CartesianPosition3dWithConfidence {
            x: CartesianCoordinateWithConfidence { value_m: Reading::Value(index as f32), confidence_m: None },
            ..CartesianPosition3dWithConfidence::default()
        },
        ..PerceivedObject::default()
    };
    let perceived_objects = List::try_from_iter(ids.iter().enumerate().map(object)).unwrap();
    let containers = CpmContainers {
        perceived_object: Some(PerceivedObjectContainer {
            number_of_perceived_objects: ids.len() as u8,
            perceived_objects,
        }),
        ..CpmContainers::default()
    };
    let management_container = ManagementContainer {
        reference_time: at(ms).into(),
        reference_position: place(100.0, 0.0),
        ..ManagementContainer::default()
    };
    Cpm::new(OTHER, CpmPayload { management_container, cpm_containers: containers }).into()
}

#[test]
fn a_station_is_where_its_newest_cam_says_until_it_falls_silent() {
    let mut ldm = ldm(LdmSettings::default());
    // Over the end of a round of generation delta times (65,536 ms).
    for (ms, e_m) in [(60_000, 10.0), (61_000, 23.0), (60_500, 16.5)] {
        ldm.take(&received(&cam(OTHER, ms, e_m)), at(61_050));
    }
    let station = ldm.station(OTHER).unwrap();
    assert_eq!((station.generated_at, station.station_type), (at(61_000), StationType::PassengerCar));
    assert!((station.ground.unwrap().e_m - 23.0).abs() < 0.02);
    assert_eq!((station.heading_deg, station.speed_mps), (Some(90.0), Some(13.0)));
    assert_eq!(ldm.drops().get("received-late"), 1);
    let within = |radius_m| ldm.stations_within(Enu::ground(20.0, 4.0), radius_m).count();
    assert_eq!((within(5.1), within(4.9)), (1, 0));
    ldm.age(at(66_049));
    assert_eq!(ldm.stations().count(), 1);
    ldm.age(at(66_050));
    assert_eq!(ldm.stations().count(), 0);
}

#[test]
fn a_vulnerable_road_user_may_be_silent_for_longer() {
    let mut ldm = ldm(LdmSettings::default());
    ldm.take(&received(&vam(0)), at(10));
    ldm.age(at(10_009));
    assert_eq!(ldm.stations().map(|s| s.station_type).collect::<Vec<_>>(), [StationType::Pedestrian]);
    ldm.age(at(10_010));
    assert_eq!(ldm.stations().count(), 0);
}

#[test]
fn what_is_refused_own_broken_or_of_another_time_is_counted_and_not_used() {
    let mut ldm = ldm(LdmSettings::default());
    let good = received(&cam(OTHER, 0, 0.0));
    let own = received(&cam(StationId(4_711), 0, 0.0));
    let forged = ReceivedMessage { verdict: Verdict::Refused(Refusal::BadSignature), ..good.clone() };
    let cut = ReceivedMessage { uper: good.uper[..12].to_vec(), ..good.clone() };
    let early = received(&cam(OTHER, 2_100, 0.0));
    let stale = received(&cam(OTHER, -6_000, 0.0));
    for message in [&forged, &own, &cut, &early, &stale] {
        assert_eq!(ldm.take(message, at(50)), None);
    }
    for reason in [
        "received-refused-bad-signature",
        "received-own",
        "received-undecodable",
        "received-from-the-future",
        "received-too-old",
    ] {
        assert_eq!(ldm.drops().get(reason), 1, "{reason}");
    }
    let broken = ldm.undecodable().next().unwrap();
    assert_eq!((broken.origin.as_str(), broken.at), ("zenoh site/77", at(50)));
    assert!(broken.error.contains("CAM"), "{}", broken.error);
    assert_eq!(ldm.stations().count(), 0);
    let signed = ReceivedMessage { verdict: Verdict::Verified(SignedBy { certificate: [1; 8] }), ..good };
    assert!(ldm.take(&signed, at(50)).is_some());
    assert_eq!(ldm.station(OTHER).unwrap().verdict, signed.verdict);
}

#[test]
fn the_receiving_message_table_follows_en_302_637_3_8_2_2() {
    use EventPhase::{Cancelled, InForce, Negated};
    let rsu = StationId(1);
    let (cancel, negate) = (Some(Termination::IsCancellation), Some(Termination::IsNegation));
    // Messages as (sender, reference time, termination) and what is known after each.
    type Step = (StationId, i64, Option<Termination>, Option<(i64, EventPhase)>, &'static str);
    let cases: &[(&str, &[Step])] = &[
        (
            "an update replaces, a repetition does not",
            &[
                (OTHER, 0, None, Some((0, InForce)), ""),
                (OTHER, 0, None, Some((0, InForce)), ""),
                (OTHER, 500, None, Some((500, InForce)), ""),
                (OTHER, 0, None, Some((500, InForce)), "received-denm-older-than-known"),
            ],
        ),
        (
            "a cancellation ends it and late repetitions do not bring it back",
            &[
                (OTHER, 0, None, Some((0, InForce)), ""),
                (OTHER, 900, cancel, Some((900, Cancelled)), ""),
                (OTHER, 0, None, Some((900, Cancelled)), "received-denm-older-than-known"),
            ],
        ),
        (
            "another station negates with the same reference time",
            &[
                (OTHER, 300, None, Some((300, InForce)), ""),
                (rsu, 300, negate, Some((300, Negated)), ""),
                (OTHER, 300, None, Some((300, Negated)), ""),
                (OTHER, 400, None, Some((400, InForce)), ""),
            ],
        ),
        (
            "only the originator cancels",
            &[
                (OTHER, 0, None, Some((0, InForce)), ""),
                (rsu, 100, cancel, Some((0, InForce)), "received-cancellation-by-another-station"),
            ],
        ),
        ("the end of an unknown event is none", &[(OTHER, 0, cancel, None, "received-termination-of-unknown-event")]),
    ];
    for (name, steps) in cases {
        let mut ldm = ldm(LdmSettings::default());
        for (index, (from, ms, termination, expected, dropped)) in steps.iter().enumerate() {
            let before = ldm.drops().get(dropped);
            ldm.take(&received(&denm(*from, *ms, *termination)), at(1_000));
            let known = ldm.events().next().map(|event| (event.reference_time, event.phase));
            assert_eq!(known, expected.map(|(ms, phase)| (at(ms), phase)), "{name}: step {index}");
            assert_eq!(ldm.drops().get(dropped) - before, u64::from(!dropped.is_empty()), "{name}: step {index}");
        }
    }
}

#[test]
fn an_event_is_known_until_its_validity_runs_out() {
    let mut ldm = ldm(LdmSettings::default());
    ldm.take(&received(&denm(OTHER, 0, None)), at(9_990));
    ldm.age(at(9_999));
    let event = ldm.events_in_force().next().unwrap();
    assert_eq!((event.cause.map(|cause| cause.code()), event.expires_at), (Some(94), at(10_000)));
    assert!((event.ground.e_m - 40.0).abs() < 0.02);
    ldm.age(at(10_000));
    assert_eq!(ldm.events().count(), 0);
    ldm.take(&received(&denm(OTHER, 0, None)), at(10_000));
    assert_eq!(ldm.drops().get("received-denm-expired"), 1);
}

#[test]
fn objects_are_placed_relative_to_their_station_and_age() {
    let mut ldm = ldm(LdmSettings::default());
    ldm.take(&received(&cpm(1_000, &[Some(3), None, Some(4)])), at(1_050));
    let objects: Vec<_> = ldm.objects().map(|o| (o.object_id, o.position.e_m.round(), o.measured_at)).collect();
    assert_eq!(objects, [(3, 100.0, at(900)), (4, 102.0, at(900))]);
    assert_eq!(ldm.drops().get("received-object-without-id-or-place"), 1);
    assert_eq!(ldm.objects_within(Enu::ground(100.0, 0.0), 1.0).count(), 1);
    ldm.age(at(3_900));
    assert_eq!(ldm.objects().count(), 0);
    ldm.take(&received(&cpm(1_000, &[Some(3)])), at(4_000));
    assert_eq!(ldm.drops().get("received-object-too-old"), 1);
}

#[test]
fn full_tables_keep_what_they_have_and_count() {
    let mut ldm = ldm(LdmSettings { max_stations: 2, max_objects: 1, ..LdmSettings::default() });
    for id in 1..=4 {
        ldm.take(&received(&cam(StationId(id), 0, 0.0)), at(10));
    }
    ldm.take(&received(&cam(StationId(2), 100, 0.0)), at(110));
    ldm.take(&received(&cpm(0, &[Some(1), Some(2)])), at(110));
    assert_eq!(ldm.stations().map(|s| s.id.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((ldm.drops().get("ldm-stations-full"), ldm.drops().get("ldm-objects-full")), (2, 1));
    assert_eq!(ldm.received().get(&MessageKind::Cam), Some(&5));
}

#[test]
fn maps_signals_and_signs_are_kept_as_long_as_they_hold() {
    use masa_v2x_proto::cdd::Provider;
    use masa_v2x_proto::dsrc::{IntersectionReferenceId, Position3D, SignalGroupId};
    use masa_v2x_proto::ivim::{IviManagementContainer, IviStatus, Ivim};
    use masa_v2x_proto::mapem::{
        GenericLane, IntersectionGeometry, LaneAttributes, LaneAttributesVehicle, LaneDirection, LaneSharing,
        LaneTypeAttributes, Mapem, Node,
    };
    use masa_v2x_proto::spatem::{IntersectionState, IntersectionStatus, MovementEvent, MovementState, Spatem};
    let mut ldm = ldm(LdmSettings::default());
    let id = IntersectionReferenceId { region: None, id: 5 };
    let kind = LaneTypeAttributes::Vehicle(LaneAttributesVehicle::default());
    let attributes = LaneAttributes::new(LaneDirection::INGRESS_PATH, LaneSharing::default(), kind);
    let nodes = [(0.0, 0.0), (9.0, 0.0)].map(|(x, y)| Node::from_offset(x, y).unwrap());
    let lane = GenericLane::new(1, attributes, List::try_from_iter(nodes).unwrap());
    let geometry = IntersectionGeometry::new(id, 1, Position3D::new(44.6, 10.9), List::try_from_iter([lane]).unwrap());
    let map = Mapem::new(OTHER, at(0), 1, List::try_from_iter([geometry]).unwrap());
    let movement = MovementState::new(SignalGroupId(1), List::try_from_iter([MovementEvent::default()]).unwrap());
    let movements = List::try_from_iter([movement]).unwrap();
    let state = IntersectionState::new(id, 0, IntersectionStatus::default(), at(0), movements);
    let spat = Spatem::new(OTHER, at(0), List::try_from_iter([state]).unwrap());
    let sign = |status| {
        let provider = Provider { country_code: 1, provider_identifier: 2 };
        Ivim::new(OTHER, IviManagementContainer::new(provider, 3, status))
    };
    for message in [map.into(), spat.into(), Message::from(sign(IviStatus::New))] {
        assert!(ldm.take(&received(&message), at(0)).is_some());
    }
    let counts = |ldm: &Ldm| (ldm.maps().count(), ldm.signals().count(), ldm.signs().count());
    assert_eq!(counts(&ldm), (1, 1, 1));
    assert_eq!(ldm.signals_of(&id).map(|told| told.from), Some(OTHER));
    ldm.age(at(2_999));
    assert_eq!(counts(&ldm), (1, 1, 1));
    ldm.age(at(3_000));
    assert_eq!(counts(&ldm), (1, 0, 1));
    ldm.take(&received(&Message::from(sign(IviStatus::Cancellation))), at(3_100));
    assert_eq!(counts(&ldm), (1, 0, 0));
    ldm.age(at(60_000));
    assert_eq!(counts(&ldm), (0, 0, 0));
}
