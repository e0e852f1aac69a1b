//! The services at one intersection with four lanes, a crossing, two signal groups and a sign.

use super::*;
use crate::effect::{PriorityAction, Requester as AskedBy, Way};
use crate::event::ReceivedMessage;
use crate::event::{EgoState, Equipment, GroupState, Operation, PriorityStatus, SignalPhase, SignalReport};
use crate::facilities::fixture::Street;
use crate::facilities::profile::Role;
use crate::world::fixture::at;
use crate::world::ldm::{Ldm, LdmSettings};
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::dsrc::{IntersectionAccessPoint, IntersectionReferenceId, PrioritizationResponseStatus, VehicleId};
use masa_v2x_proto::ivim::IviContainer;
use masa_v2x_proto::security::{Refusal, SignedBy};
use masa_v2x_proto::spatem::{IntersectionStatus, MovementPhaseState, Spatem};
use masa_v2x_proto::srem::{
    PriorityRequestType, RequestorDescription, SignalRequest, SignalRequestPackage, SignalRequests,
};

const SITE: &str = r#"
[[intersection]]
id = 12
region = 39
name = "Main and Side"
reference-m = [0, 0]
[[intersection.lane]]
id = 1
direction = "ingress"
approach = 1
nodes-m = [[-8, -2], [-60, -2], [-300, -2]]
[[intersection.lane.connection]]
lane = 2
manoeuvre = "straight"
signal-group = 1
[[intersection.lane.connection]]
lane = 3
manoeuvre = "left"
signal-group = 1
[[intersection.lane]]
id = 2
direction = "egress"
approach = 2
nodes-m = [[8, -2], [80, -2]]
[[intersection.lane]]
id = 3
direction = "egress"
approach = 3
nodes-m = [[2, 8], [2, 70]]
[[intersection.lane]]
id = 4
kind = "crosswalk"
direction = "both"
nodes-m = [[-10, -5], [-10, 5]]
[intersection.programme]
cycle-ms = 60000
[[intersection.programme.group]]
id = 1
phases = [
    { shows = "protected-movement-allowed", duration-ms = 27000 },
    { shows = "protected-clearance", duration-ms = 3000 },
    { shows = "stop-and-remain", duration-ms = 30000 },
]
[[intersection.programme.group]]
id = 2
phases = [{ shows = "stop-and-remain", duration-ms = 60000 }]

[[sign]]
id = 7
country = "IT"
provider = 5
kind = "regulatory"
pictogram = [12, 557]
relevance-m = [[-50, -2], [-10, -2]]
detection-m = [[-250, -2], [-50, -2]]
text = { language = "it", text = "scuola" }
"#;

fn site(text: &str) -> InfrastructureSite {
    #[derive(serde::Deserialize)]
    struct Tables {
        #[serde(default, rename = "intersection")]
        intersections: Vec<crate::world::infrastructure::IntersectionSettings>,
        #[serde(default, rename = "sign")]
        signs: Vec<crate::world::infrastructure::SignSettings>,
    }
    let Tables { intersections, signs } = toml::from_str(text).unwrap();
    InfrastructureSite { intersections, signs }
}

fn service(change: impl FnOnce(&mut InfrastructureSettings)) -> InfrastructureService {
    let site = site(SITE);
    assert_eq!(site.check(), Ok(()));
    let mut settings = InfrastructureSettings::default();
    change(&mut settings);
    InfrastructureService::new(StationKind::RoadSideUnit, settings, site, &VehicleSettings::default())
}

fn messages(drafts: &[Draft]) -> Vec<Message> {
    let of = |draft: &Draft| match &draft.content {
        Content::Infrastructure(message) => {
            // Whatever is sent can be read again.
            let uper = message.to_uper().unwrap();
            let decoded = Message::decode(&uper).unwrap();
            assert_eq!(decoded.to_uper().unwrap(), uper);
            decoded
        }
        other => panic!("{other:?}"),
    };
    drafts.iter().map(of).collect()
}

fn kinds(drafts: &[Draft]) -> Vec<MessageKind> {
    drafts.iter().map(|draft| draft.content.kind()).collect()
}

fn spatem(drafts: &[Draft]) -> Option<Box<Spatem>> {
    messages(drafts).into_iter().find_map(|message| match message {
        Message::Spatem(spatem) => Some(spatem),
        _ => None,
    })
}

#[test]
fn a_site_repeats_its_map_its_signals_and_its_signs() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    let first = street.wake(&mut service, 0);
    assert_eq!(kinds(&first), [MessageKind::Spatem, MessageKind::Mapem, MessageKind::Ivim]);
    assert_eq!(service.wake_at(), Some(at(1_000)));
    assert!(street.wake(&mut service, 500).is_empty());
    assert_eq!(kinds(&street.wake(&mut service, 1_000)).len(), 3);
    let nobody = VehicleSettings::default();
    let mut elsewhere =
        InfrastructureService::new(StationKind::PassengerCar, service.settings.clone(), site(SITE), &nobody);
    assert!(street.wake(&mut elsewhere, 0).is_empty(), "a vehicle does not speak for the site");
    let mut bare = InfrastructureService::new(StationKind::RoadSideUnit, service.settings.clone(), site(""), &nobody);
    assert!(street.wake(&mut bare, 0).is_empty() && bare.wake_at().is_none());
}

#[test]
fn the_map_has_the_lanes_where_they_are() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    let drafts = street.wake(&mut service, 0);
    let all = messages(&drafts);
    let Some(Message::Mapem(mapem)) = all.iter().find(|message| matches!(message, Message::Mapem(_))) else { panic!() };
    assert!(mapem.check_limits().is_ok(), "{:?}", mapem.check_limits());
    let intersection = &mapem.map.intersections.as_ref().unwrap()[0];
    assert_eq!(intersection.id, IntersectionReferenceId { region: Some(39), id: 12 });
    assert_eq!(intersection.lane_set.len(), 4);
    let lane = &intersection.lane_set[0];
    let masa_v2x_proto::mapem::NodeList::Nodes(nodes) = &lane.node_list else { panic!("{lane:?}") };
    let offsets: Vec<_> = nodes.iter().map(|node| node.delta.offset().map(|xy| (xy.x_m, xy.y_m)).unwrap()).collect();
    assert_eq!(offsets, [(-8.0, -2.0), (-52.0, 0.0), (-240.0, 0.0)], "each from the one before");
    assert_eq!((lane.ingress_approach, lane.egress_approach), (Some(1), None));
    let connections = lane.connects_to.as_ref().unwrap();
    let signals: Vec<_> = connections.iter().map(|c| (c.connecting_lane.lane, c.signal_group.map(|g| g.0))).collect();
    assert_eq!(signals, [(2, Some(1)), (3, Some(1))]);
}

#[test]
fn a_fixed_programme_is_told_with_certain_ends_and_each_change_at_once() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    // 12:00:00 is the beginning of a cycle.
    let mut changes: Vec<(i64, MovementPhaseState, f64, u8)> = Vec::new();
    let mut ms = 0;
    while ms < 60_000 {
        if let Some(spatem) = spatem(&street.wake(&mut service, ms)) {
            assert!(spatem.check_limits().is_ok());
            let state = &spatem.spat.intersections[0];
            assert!(state.status.contains(IntersectionStatus::FIXED_TIME_OPERATION));
            let event = &state.states[0].state_time_speed[0];
            let timing = event.timing.unwrap();
            assert_eq!(
                (timing.max_end_time, timing.likely_time),
                (Some(timing.min_end_time), Some(timing.min_end_time))
            );
            let ends_s = timing.min_end_time.seconds_of_hour().unwrap();
            if changes.last().is_none_or(|(_, shows, ..)| *shows != event.event_state) {
                changes.push((ms, event.event_state, ends_s, state.revision));
            }
        }
        ms = service.wake_at().unwrap().unix_ms() - at(0).unix_ms();
    }
    use MovementPhaseState::{ProtectedClearance, ProtectedMovementAllowed, StopAndRemain};
    assert_eq!(
        changes,
        [
            (0, ProtectedMovementAllowed, 27.0, 0),
            (27_000, ProtectedClearance, 30.0, 1),
            (30_000, StopAndRemain, 60.0, 2),
        ]
    );
}

fn red(captured_ms: i64) -> SignalReport {
    let group = GroupState { group: 1, shows: SignalPhase::StopAndRemain, ..GroupState::default() };
    SignalReport {
        intersection: 12,
        captured_at: at(captured_ms),
        operation: Operation::TrafficDependent,
        groups: vec![group],
    }
}

#[test]
fn a_controller_overrules_the_programme_until_it_falls_silent() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    street.wake(&mut service, 0);
    assert!(street.signals.take(&red(150), at(200)));
    assert!(!street.signals.take(&red(100), at(210)), "late");
    let told = spatem(&street.wake(&mut service, 210)).expect("a change leaves at once");
    let state = &told.spat.intersections[0];
    assert!(state.status.contains(IntersectionStatus::TRAFFIC_DEPENDENT_OPERATION));
    assert_eq!(state.states[0].state_time_speed[0].event_state, MovementPhaseState::StopAndRemain);
    assert!(state.states[0].state_time_speed[0].timing.is_none(), "the controller names no end");
    let silent = spatem(&street.wake(&mut service, 3_200)).expect("the programme again");
    assert!(silent.spat.intersections[0].status.contains(IntersectionStatus::FIXED_TIME_OPERATION));
}

#[test]
fn an_intersection_nobody_tells_of_says_so() {
    let mut bare = site(SITE);
    bare.intersections[0].programme = None;
    let mut service =
        InfrastructureService::new(StationKind::RoadSideUnit, Default::default(), bare, &VehicleSettings::default());
    let told = spatem(&Street::new().wake(&mut service, 0)).unwrap();
    let state = &told.spat.intersections[0];
    assert!(state.status.contains(IntersectionStatus::NO_VALID_SPAT_IS_AVAILABLE_AT_THIS_TIME));
    assert_eq!(state.states[0].state_time_speed[0].event_state, MovementPhaseState::Unavailable);
}

#[test]
fn a_sign_says_where_it_applies() {
    let drafts = Street::new().wake(&mut service(|_| {}), 5_000);
    let all = messages(&drafts);
    let Some(Message::Ivim(ivim)) = all.iter().find(|message| matches!(message, Message::Ivim(_))) else { panic!() };
    assert_eq!(ivim.ivi.mandatory.ivi_identification_number, 7);
    let containers = ivim.ivi.optional.as_ref().unwrap();
    let IviContainer::Location(location) = &containers[0] else { panic!("{containers:?}") };
    assert_eq!(location.parts.iter().map(|part| part.zone_id).collect::<Vec<_>>(), [1, 2]);
    let IviContainer::General(parts) = &containers[1] else { panic!("{containers:?}") };
    assert_eq!(parts[0].relevance_zone_ids.as_deref(), Some(&[1][..]));
    assert_eq!(parts[0].detection_zone_ids.as_deref(), Some(&[2][..]));
}

fn srem(sequence_number: u8, request_type: PriorityRequestType, intersection: u16) -> Srem {
    let request = SignalRequest {
        id: IntersectionReferenceId { region: Some(39), id: intersection },
        request_id: 3,
        request_type,
        inbound_lane: IntersectionAccessPoint::Lane(1),
        outbound_lane: Some(IntersectionAccessPoint::Lane(2)),
        regional: None,
    };
    let requests = SignalRequests::try_from_iter([SignalRequestPackage::new(request, at(20_000))]).unwrap();
    let requestor = RequestorDescription::new(VehicleId::Station(StationId(88)));
    Srem::new(StationId(88), at(0), sequence_number, requests, requestor)
}

#[test]
fn a_request_goes_to_the_controller_and_its_answer_to_the_vehicle() {
    use PriorityRequestType::{Cancellation, Request, Update};
    let (mut street, mut service) = (Street::new(), service(|settings| settings.priority = Some(Trust::Anybody)));
    let status = |drafts: &[Draft]| {
        let all = messages(drafts);
        let Some(Message::Ssem(ssem)) = all.iter().find(|message| matches!(message, Message::Ssem(_))) else {
            return None;
        };
        assert!(ssem.check_limits().is_ok());
        let package = &ssem.ssm.status[0].sig_status[0];
        let requester = package.requester.as_ref().unwrap();
        Some((requester.id, requester.request, requester.sequence_number, package.status))
    };
    let vehicle = VehicleId::Station(StationId(88));
    service.request(&srem(1, Request, 12), Verdict::Unsigned, at(0));
    let asked = service.take_requests();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].station, asked[0].intersection, asked[0].request), (88, 12, 3));
    assert_eq!((asked[0].action, asked[0].arrives_at), (PriorityAction::Request, Some(at(20_000))));
    let requested = PrioritizationResponseStatus::Requested;
    assert_eq!(status(&street.wake(&mut service, 0)), Some((vehicle, 3, 1, requested)));
    service.request(&srem(1, Request, 12), Verdict::Unsigned, at(100));
    assert!(service.take_requests().is_empty(), "a repetition is no new request");
    let answer = |status| PriorityAnswer { station: 88, intersection: 12, request: 3, status };
    service.answer(&answer(PriorityStatus::Granted));
    let granted = PrioritizationResponseStatus::Granted;
    assert_eq!(status(&street.wake(&mut service, 200)), Some((vehicle, 3, 1, granted)));
    assert_eq!(status(&street.wake(&mut service, 700)), None);
    assert_eq!(status(&street.wake(&mut service, 1_200)), Some((vehicle, 3, 1, granted)), "repeated");
    service.request(&srem(2, Update, 12), Verdict::Unsigned, at(1_300));
    assert_eq!(service.take_requests()[0].action, PriorityAction::Update);
    service.request(&srem(3, Cancellation, 12), Verdict::Unsigned, at(1_400));
    assert_eq!(service.take_requests()[0].action, PriorityAction::Cancel);
    assert_eq!(status(&street.wake(&mut service, 5_000)), None, "nothing is asked any more");
    service.answer(&answer(PriorityStatus::Rejected));
    assert_eq!(service.drops().get("priority-answer-to-no-request"), 1);
}

#[test]
fn requests_of_strangers_and_for_others_are_not_taken() {
    use PriorityRequestType::Request;
    let signed = Verdict::Verified(SignedBy { certificate: [7; 8] });
    for (trust, verdict, intersection, expected) in [
        (None, signed, 12, Some("srem-not-served")),
        (Some(Trust::Signed), Verdict::Unsigned, 12, Some("srem-not-signed")),
        (Some(Trust::Signed), Verdict::Refused(Refusal::NotPermitted), 12, Some("srem-not-signed")),
        (Some(Trust::Signed), signed, 12, None),
        (Some(Trust::Anybody), Verdict::Unsigned, 12, None),
        (Some(Trust::Anybody), signed, 13, Some("srem-for-another-intersection")),
    ] {
        let mut service = service(|settings| settings.priority = trust);
        service.request(&srem(1, Request, intersection), verdict, at(0));
        assert_eq!(service.take_requests().len(), usize::from(expected.is_none()), "{trust:?} {verdict:?}");
        assert_eq!(expected.map_or(1, |reason| service.drops().get(reason)), 1, "{trust:?} {verdict:?}");
    }
}

#[test]
fn a_request_is_forgotten_after_its_time() {
    let (mut street, mut service) = (Street::new(), service(|settings| settings.priority = Some(Trust::Anybody)));
    service.request(&srem(1, PriorityRequestType::Request, 12), Verdict::Unsigned, at(0));
    let told = |drafts: &[Draft]| kinds(drafts).contains(&MessageKind::Ssem);
    assert!(told(&street.wake(&mut service, 49_000)), "30 s after it arrives at 20 s");
    assert!(!told(&street.wake(&mut service, 50_000)));
}

/// A street on board of a vehicle that has heard the map, `e_m` east on lane 1 towards the intersection at 10 m/s.
fn on_board(e_m: f64) -> Street {
    let drafts = Street::new().wake(&mut service(|_| {}), 0);
    let uper = messages(&drafts).into_iter().find(|m| matches!(m, Message::Mapem(_))).unwrap().to_uper().unwrap();
    let mut street = Street::new();
    street.station.id = StationId(88);
    street.ldm = Ldm::new(LdmSettings::default(), StationId(88), street.station.frame);
    let received_at = at(0);
    let (link, origin) = ("geonet".into(), "4711".into());
    street.ldm.take(&ReceivedMessage { link, origin, uper, verdict: Verdict::Unsigned, received_at }, at(0));
    drive(&mut street, e_m, 0);
    street
}

fn drive(street: &mut Street, e_m: f64, ms: i64) {
    street.ego = Some(EgoState {
        captured_at: at(ms),
        position: street.station.frame.to_wgs84(Enu::ground(e_m, -1.2)),
        heading_deg: Some(92.0),
        speed_mps: Some(10.0),
        equipment: Equipment { light_bar: true, ..Equipment::default() },
        ..EgoState::default()
    });
}

fn asker(role: Role, behind_schedule_s: Option<i16>) -> InfrastructureService {
    let vehicle = VehicleSettings { role, behind_schedule_s, ..VehicleSettings::default() };
    let nothing = InfrastructureSite::default();
    InfrastructureService::new(StationKind::SpecialVehicle, InfrastructureSettings::default(), nothing, &vehicle)
}

/// What a vehicle asks: kind, lane, number of the message, milliseconds to arrival.
fn asks(drafts: &[Draft], ms: i64) -> Option<(PriorityRequestType, IntersectionAccessPoint, u8, i64)> {
    let all = messages(drafts);
    let Message::Srem(srem) = all.first()? else { panic!("{all:?}") };
    assert!(srem.check_limits().is_ok());
    let package = &srem.srm.requests.as_ref().unwrap()[0];
    let (minute, second_ms) = (package.minute.flatten().unwrap(), package.second_ms.flatten().unwrap());
    let arrives = masa_v2x_proto::dsrc::time::instant(minute, second_ms, at(ms));
    let request = &package.request;
    Some((
        request.request_type,
        request.inbound_lane.clone(),
        srem.srm.sequence_number.unwrap(),
        // A centimetre of a degree's rounding is a millisecond.
        (arrives.unix_ms() - at(ms).unix_ms() + 5) / 10 * 10,
    ))
}

#[test]
fn a_vehicle_asks_until_it_is_answered_and_withdraws_behind_the_stop_line() {
    use PriorityRequestType::{Cancellation, Request, Update};
    let (mut street, mut vehicle) = (on_board(-208.0), asker(Role::Emergency, None));
    let mut roadside = service(|settings| settings.priority = Some(Trust::Anybody));
    let lane = IntersectionAccessPoint::Lane(1);
    let first = street.wake(&mut vehicle, 0);
    assert_eq!(asks(&first, 0), Some((Request, lane.clone(), 1, 20_000)));
    assert_eq!(vehicle.wake_at(), Some(at(500)));
    assert_eq!(asks(&street.wake(&mut vehicle, 400), 400), None);
    let again = street.wake(&mut vehicle, 500);
    assert_eq!(asks(&again, 500), Some((Request, lane.clone(), 1, 19_500)), "the same again, as nobody answers");
    let Message::Srem(srem) = &messages(&again)[0] else { panic!() };
    roadside.request(srem, Verdict::Unsigned, at(510));
    let asked = roadside.take_requests();
    assert_eq!((asked[0].requester, asked[0].inbound), (AskedBy::Emergency, Some(Way::Lane(1))));
    let answers = messages(&Street::new().wake(&mut roadside, 520));
    let Some(Message::Ssem(ssem)) = answers.iter().find(|m| matches!(m, Message::Ssem(_))) else { panic!() };
    vehicle.status(ssem, StationId(99));
    assert!(vehicle.wake_at().is_some(), "an answer to another");
    vehicle.status(ssem, StationId(88));
    assert_eq!(vehicle.wake_at(), None);
    // More than two seconds behind where it should be.
    drive(&mut street, -208.0, 2_100);
    assert_eq!(asks(&street.wake(&mut vehicle, 2_100), 2_100), Some((Update, lane.clone(), 2, 20_000)));
    drive(&mut street, -5.0, 22_000);
    let over = |drafts: &[Draft], ms| asks(drafts, ms).map(|(kind, _, number, _)| (kind, number));
    let cancelled = Some((Cancellation, 3));
    assert_eq!(over(&street.wake(&mut vehicle, 22_000), 22_000), cancelled);
    assert_eq!(over(&street.wake(&mut vehicle, 22_500), 22_500), cancelled);
    assert_eq!(over(&street.wake(&mut vehicle, 23_000), 23_000), cancelled);
    assert_eq!(over(&street.wake(&mut vehicle, 23_500), 23_500), None);
    assert_eq!(vehicle.wake_at(), None);
}

#[test]
fn only_who_has_a_reason_asks() {
    for (role, late_s, e_m, asks) in [
        (Role::Emergency, None, -100.0, true),
        (Role::PublicTransport, Some(120), -100.0, true),
        (Role::PublicTransport, Some(30), -100.0, false),
        (Role::PublicTransport, None, -100.0, false),
        (Role::Default, Some(120), -100.0, false),
        (Role::Emergency, None, -320.0, false),
        (Role::Emergency, None, 20.0, false),
    ] {
        let asked = !on_board(e_m).wake(&mut asker(role, late_s), 0).is_empty();
        assert_eq!(asked, asks, "{role:?} {late_s:?} s late at {e_m} m");
    }
    let (mut street, mut vehicle) = (on_board(-100.0), asker(Role::Emergency, None));
    street.ego = street.ego.map(|ego| EgoState { equipment: Equipment::default(), ..ego });
    assert!(street.wake(&mut vehicle, 0).is_empty(), "not on its way to an emergency");
    let (mut street, mut vehicle) = (on_board(-100.0), asker(Role::Emergency, None));
    street.ego = street.ego.map(|ego| EgoState { heading_deg: Some(270.0), ..ego });
    assert!(street.wake(&mut vehicle, 0).is_empty(), "it drives away from it");
}

#[test]
fn a_wrong_site_is_refused_by_name() {
    let refused = |from: &str, to: &str| {
        let text = SITE.replacen(from, to, 1);
        assert_ne!(text, SITE);
        site(&text).check().unwrap_err().to_string()
    };
    for (from, to, expected) in [
        ("lane = 2\n", "lane = 9\n", "intersection 12: lane 1 leads to lane 9, which does not exist"),
        ("id = 3\ndirection", "id = 2\ndirection", "intersection 12: lane 2 is listed twice"),
        ("[-60, -2]", "[-400, -2]", "intersection 12: lane 1 needs 2 to 63 nodes"),
        ("duration-ms = 27000", "duration-ms = 26000", "intersection 12: the phases of signal group 1 last 59000 ms"),
        ("[12, 557]", "[14, 557]", "sign 7: a pictogram"),
        ("country = \"IT\"", "country = \"ITA\"", "sign 7: country and language"),
        ("[[-50, -2], [-10, -2]]", "[[-50, -2]]", "sign 7: relevance-m"),
    ] {
        let error = refused(from, to);
        assert!(error.starts_with(expected), "{error}");
    }
}
