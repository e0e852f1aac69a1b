//! Events that services ask for, and events of other stations: asked for, denied, kept alive.

use super::*;
use crate::event::{DenAction, DenRequest, EventReport, ReceivedMessage, Traffic};
use crate::facilities::Content;
use crate::facilities::fixture::Street;
use crate::world::fixture::{at, track};
use masa_v2x_proto::Message;
use masa_v2x_proto::cdd::subcause::StationaryVehicleSubCause;
use masa_v2x_proto::cdd::{CauseCode, PosConfidenceEllipse, StationId, StationType};
use masa_v2x_proto::denm::{
    DenmPayload, LocationContainer, ManagementContainer, SituationContainer, StandardLength3b, Termination,
};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::security::Verdict;

const OTHER: StationId = StationId(77);

/// The DENMs of drafts: what the rule says in its last words but one, and the DENM.
fn denms(drafts: &[Draft]) -> Vec<(String, Denm)> {
    let of = |draft: &Draft| {
        let denm = match &draft.content {
            Content::Denm(denm) | Content::ForwardedDenm { denm, .. } => (**denm).clone(),
            other => panic!("{other:?}"),
        };
        let words = draft.provenance.rule.split(", ").collect::<Vec<_>>();
        (words[words.len() - 2].to_owned(), denm)
    };
    drafts.iter().map(of).collect()
}

fn report(street: &Street) -> EventReport {
    EventReport {
        cause_code: 3,
        sub_cause_code: 4,
        information_quality: 5,
        position: street.station.frame.to_wgs84(Enu::ground(30.0, 0.0)),
        covariance: None,
        heading_deg: Some(450.0),
        speed_mps: None,
        awareness_distance_m: 400.0,
        traffic: Traffic::Upstream,
        validity_s: 5,
        repetition_interval_ms: 1_000,
        traces: vec![vec![street.station.frame.to_wgs84(Enu::ground(-100.0, 0.0))]],
    }
}

fn ask(service: &mut DenService, event: u32, action: DenAction) {
    service.request(&DenRequest { application: "roadworks".into(), event, action });
}

#[test]
fn a_service_triggers_updates_and_withdraws_an_event() {
    // EN 302 637-3 5.4.1 and 6.1.2: trigger, repetition, update, cancellation under one action id.
    let (mut street, mut service) = (Street::new(), DenService::new(DenSettings::default()));
    ask(&mut service, 1, DenAction::Report(report(&street)));
    let drafts = street.wake(&mut service, 0);
    let [(words, denm)] = &denms(&drafts)[..] else { panic!("{drafts:?}") };
    let (management, location) = (&denm.denm.management, denm.denm.location.as_ref().unwrap());
    assert_eq!(words, "triggered");
    assert_eq!(management.awareness_distance, Some(StandardLength3b::LessThan500m));
    assert_eq!(denm.denm.situation.as_ref().map(|s| (s.event_type.code(), s.event_type.sub_code())), Some((3, 4)));
    assert_eq!(location.event_position_heading.and_then(|heading| heading.value_deg), Some(90.0));
    assert_eq!(location.detection_zones_to_event_position[0].len(), 1);
    assert!(denm.to_uper().is_ok() && denm.check_limits().is_ok());
    assert_eq!(drafts[0].deadline, Some(at(5_000)));
    assert_eq!(service.wake_at(), Some(at(1_000)));
    assert_eq!(denms(&street.wake(&mut service, 1_000))[0].0, "repeated");
    ask(&mut service, 1, DenAction::Report(EventReport { cause_code: 9, ..report(&street) }));
    let updated = denms(&street.wake(&mut service, 1_500));
    assert_eq!((updated.len(), updated[0].0.as_str()), (1, "updated"));
    assert_eq!(updated[0].1.denm.management.action_id, management.action_id);
    assert!(updated[0].1.denm.management.reference_time > management.reference_time);
    ask(&mut service, 1, DenAction::Withdraw);
    let ended = denms(&street.wake(&mut service, 2_000));
    assert_eq!(ended[0].1.denm.management.termination, Some(Termination::IsCancellation));
    assert_eq!(ended[0].1.denm.situation, None);
    let repeated: usize = (2_100..10_000).step_by(100).map(|ms| street.wake(&mut service, ms).len()).sum();
    assert_eq!(repeated, 2, "the cancellation is repeated twice");
    assert_eq!(service.wake_at(), None);
}

#[test]
fn a_requested_event_ends_with_its_validity_and_nonsense_is_counted() {
    let (mut street, mut service) = (Street::new(), DenService::new(DenSettings::default()));
    let nowhere = Wgs84 { lat_deg: f64::NAN, ..Wgs84::default() };
    for bad in [
        EventReport { position: nowhere, ..report(&street) },
        EventReport { cause_code: 0, ..report(&street) },
        EventReport { information_quality: 8, ..report(&street) },
        EventReport { validity_s: 0, ..report(&street) },
        EventReport { repetition_interval_ms: 10_001, ..report(&street) },
        EventReport { traces: vec![vec![]; 8], ..report(&street) },
        EventReport { traces: vec![vec![street.station.frame.to_wgs84(Enu::ground(0.0, 2_000.0))]], ..report(&street) },
        EventReport { speed_mps: Some(200.0), ..report(&street) },
    ] {
        ask(&mut service, 1, DenAction::Report(bad));
    }
    ask(&mut service, 9, DenAction::Withdraw);
    assert!(street.wake(&mut service, 0).is_empty());
    assert_eq!(service.drops().get("denm-request-not-valid"), 8);
    assert_eq!(service.drops().get("denm-request-for-unknown-event"), 1);
    ask(&mut service, 2, DenAction::Report(report(&street)));
    let sent: Vec<_> = (0..9_000).step_by(500).filter(|ms| !street.wake(&mut service, *ms).is_empty()).collect();
    assert_eq!(sent, [0, 1_000, 2_000, 3_000, 4_000]);
    assert_eq!(service.wake_at(), None);
}

#[test]
fn numbers_go_on_where_the_last_run_stopped() {
    let mut street = Street::new();
    let settings = DenSettings { first_sequence_number: Some(65_535), ..DenSettings::default() };
    let mut service = DenService::new(settings);
    assert_eq!(service.next_sequence_number(), None);
    for event in 1..=2 {
        ask(&mut service, event, DenAction::Report(report(&street)));
    }
    let numbers: Vec<_> = denms(&street.wake(&mut service, 0))
        .iter()
        .map(|(_, denm)| denm.denm.management.action_id.sequence_number)
        .collect();
    assert_eq!(numbers, [65_535, 0]);
    assert_eq!(service.next_sequence_number(), Some(1), "to be kept on disk");
    assert_eq!(service.next_sequence_number(), None, "said once");
}

/// A stationary vehicle that another station announces at 30 m east, every second.
fn stationary_vehicle(street: &Street, reference_ms: i64, distance: StandardLength3b) -> Denm {
    let position = street.station.frame.to_wgs84(Enu::ground(30.0, 0.0));
    let management = ManagementContainer {
        action_id: ActionId { originating_station_id: OTHER, sequence_number: 3 },
        detection_time: at(reference_ms).into(),
        reference_time: at(reference_ms).into(),
        termination: None,
        event_position: crate::facilities::reference_position(position, PosConfidenceEllipse::default()),
        awareness_distance: Some(distance),
        traffic_direction: None,
        validity_duration_s: 60,
        transmission_interval_ms: Some(1_000),
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
    let mut location = LocationContainer::default();
    location.detection_zones_to_event_position.push(Default::default()).unwrap();
    let payload = DenmPayload { management, situation: Some(situation), location: Some(location), alacarte: None };
    Denm::new(OTHER, payload)
}

fn hear(street: &mut Street, denm: &Denm, ms: i64) -> Vec<u8> {
    let uper = denm.to_uper().unwrap();
    let message = ReceivedMessage {
        link: "zenoh".into(),
        origin: "there/77".into(),
        uper: uper.clone(),
        verdict: Verdict::Unsigned,
        received_at: at(ms),
    };
    assert!(matches!(street.ldm.take(&message, at(ms)), Some(Message::Denm(_))));
    uper
}

fn denier() -> DenService {
    let negation = NegationSettings { zones: vec!["road".into()], clear_after_s: 5.0, radius_m: 15.0 };
    DenService::new(DenSettings { negation: Some(negation), ..DenSettings::default() })
}

#[test]
fn an_event_is_denied_when_its_place_is_seen_clear() {
    // EN 302 637-3 6.1.2.4: action id and reference time are those of the event, the station is the denier's.
    let (mut street, mut service) = (Street::new(), denier());
    let event = stationary_vehicle(&street, 0, StandardLength3b::LessThan200m);
    hear(&mut street, &event, 0);
    let mut sent = Vec::new();
    for ms in (0..=12_000).step_by(100) {
        // A vehicle stands there for the first two seconds, and one passes every second.
        let passing = crate::perception::GroundTrack {
            velocity_e_mps: 12.0,
            ..track(2, ObjectClass::Car, [(ms % 1_000) as f64 / 12.0, 2.0], ms)
        };
        let standing = track(1, ObjectClass::Car, [31.0, 0.0], ms);
        let tracks = if ms < 2_000 { vec![standing, passing] } else { vec![passing] };
        let drafts = street.frame(&mut service, ms, &tracks);
        sent.extend(denms(&drafts).into_iter().map(|(_, denm)| (ms, denm)));
    }
    let times: Vec<_> = sent.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(times, [7_000, 8_000, 9_000], "clear since 2 s, said three times");
    let (_, negation) = &sent[0];
    let management = &negation.denm.management;
    assert_eq!(management.termination, Some(Termination::IsNegation));
    assert_eq!(management.action_id, event.denm.management.action_id);
    assert_eq!(management.reference_time, event.denm.management.reference_time);
    assert_eq!(negation.header.station_id, street.station.id);
    assert_eq!((negation.denm.situation.is_some(), negation.denm.location.is_some()), (false, false));
    assert!(negation.to_uper().is_ok());
}

#[test]
fn nothing_is_denied_that_is_not_seen() {
    let quiet = |change: &dyn Fn(&mut Street, &mut Denm), frames: bool| {
        let (mut street, mut service) = (Street::new(), denier());
        let mut event = stationary_vehicle(&street, 0, StandardLength3b::LessThan200m);
        change(&mut street, &mut event);
        hear(&mut street, &event, 0);
        let said = |ms| match frames {
            true => street.frame(&mut service, ms, &[]).len(),
            false => street.wake(&mut service, ms).len(),
        };
        (0..20_000).step_by(100).map(said).sum::<usize>()
    };
    assert_eq!(quiet(&|_, _| {}, true), 3, "this one is denied");
    assert_eq!(quiet(&|_, _| {}, false), 0, "the camera delivers nothing");
    let off_zone = |street: &mut Street, event: &mut Denm| {
        let p = street.station.frame.to_wgs84(Enu::ground(30.0, 50.0));
        event.denm.management.event_position =
            crate::facilities::reference_position(p, PosConfidenceEllipse::default());
    };
    assert_eq!(quiet(&off_zone, true), 0, "outside the zones that are seen");
    let ice = |_: &mut Street, event: &mut Denm| {
        event.denm.situation.as_mut().unwrap().event_type = CauseCode::from_codes(6, 0);
    };
    assert_eq!(quiet(&ice, true), 0, "a camera cannot see that a road is not slippery");
}

fn keeper() -> DenService {
    DenService::new(DenSettings { keep_alive: KeepAlive::Forward, ..DenSettings::default() })
}

#[test]
fn an_event_that_is_no_longer_heard_is_kept_alive_as_received() {
    // EN 302 637-3 8.2.2: forwarded when nothing was heard for two transmission intervals and a spread.
    let (mut street, mut service) = (Street::new(), keeper());
    let event = stationary_vehicle(&street, 0, StandardLength3b::LessThan200m);
    let mut forwarded = Vec::new();
    let mut uper = Vec::new();
    for ms in (0..=70_000).step_by(10) {
        // The originator repeats it for three seconds.
        if ms <= 3_000 && ms % 1_000 == 0 {
            uper = hear(&mut street, &event, ms);
        }
        for draft in street.wake(&mut service, ms) {
            let Content::ForwardedDenm { uper: sent, .. } = &draft.content else { panic!("{draft:?}") };
            assert_eq!(sent, &uper, "the very bytes");
            forwarded.push(ms);
        }
    }
    let first = forwarded[0];
    assert!((5_000..=5_150 + 10).contains(&first), "two intervals after 3,000 ms: {first}");
    let gaps: Vec<_> = forwarded.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (2_000..=2_160).contains(gap)), "{gaps:?}");
    assert!(*forwarded.last().unwrap() < 60_000, "its validity ends at 60 s");
}

#[test]
fn only_events_around_the_station_are_kept_alive() {
    for (distance, change, expected) in [
        (StandardLength3b::LessThan50m, None, true),
        (StandardLength3b::LessThan50m, Some(40.0), false),
        (StandardLength3b::LessThan100m, Some(40.0), true),
    ] {
        let (mut street, mut service) = (Street::new(), keeper());
        let event = stationary_vehicle(&street, 0, distance);
        if let Some(west_m) = change {
            street.station.position = street.station.frame.to_wgs84(Enu::ground(-west_m, 0.0));
        }
        hear(&mut street, &event, 0);
        let sent: usize = (0..3_000).step_by(10).map(|ms| street.wake(&mut service, ms).len()).sum();
        assert_eq!(sent > 0, expected, "{distance:?} {change:?}");
    }
    let (mut street, mut service) = (Street::new(), keeper());
    let mut once = stationary_vehicle(&street, 0, StandardLength3b::Over10km);
    once.denm.management.transmission_interval_ms = None;
    hear(&mut street, &once, 0);
    let sent: usize = (0..30_000).step_by(100).map(|ms| street.wake(&mut service, ms).len()).sum();
    assert_eq!(sent, 0, "no transmissionInterval, no keep-alive forwarding");
}
