//! Events from their trigger to their cancellation, after EN 302 637-3 6.1.2.

use super::*;
use crate::event::SignalPhase;
use crate::facilities::Content;
use crate::facilities::fixture::Street;
use crate::perception::{CalibratedArea, GroundTrack, TrackState};
use crate::world::fixture::{CAMERA, at, frame, signalled_lane, track};
use crate::world::situation::{Lights, SituationSettings, SituationWatch};
use ObjectClass::{Bicycle, Bus, Car, Person};
use masa_v2x_proto::cdd::CauseCode;
use masa_v2x_proto::denm::{StationarySince, Termination};

/// A DENM in short: termination, detection and reference time in test milliseconds.
#[derive(Debug, PartialEq)]
struct Sent {
    action: &'static str,
    sequence_number: u16,
    detected_ms: i64,
    reference_ms: i64,
}

fn sent(drafts: &[Draft]) -> Vec<Sent> {
    let of = |draft: &Draft| {
        let Content::Denm(denm) = &draft.content else { panic!("{draft:?}") };
        let management = &denm.denm.management;
        let is_cancellation = management.termination == Some(Termination::IsCancellation);
        assert_eq!(denm.denm.situation.is_none(), is_cancellation, "TS 103 831: situation unless terminated");
        assert_eq!(denm.denm.location.is_none(), is_cancellation);
        let rule = &draft.provenance.rule;
        let word =
            ["triggered", "updated", "repeated", "cancelled"].into_iter().find(|word| rule.contains(word)).unwrap();
        let ms = |its: masa_v2x_proto::cdd::TimestampIts| Timestamp::from(its).unix_ms() - at(0).unix_ms();
        Sent {
            action: word,
            sequence_number: management.action_id.sequence_number,
            detected_ms: ms(management.detection_time),
            reference_ms: ms(management.reference_time),
        }
    };
    drafts.iter().map(of).collect()
}

fn actions(drafts: &[Draft]) -> Vec<&'static str> {
    sent(drafts).iter().map(|sent| sent.action).collect()
}

fn service(change: impl FnOnce(&mut DenSettings)) -> DenService {
    let mut settings = DenSettings { stationary_after_s: 10.0, ..DenSettings::default() };
    change(&mut settings);
    DenService::new(settings)
}

/// A car that drives 20 m along the road in two seconds and stands from then on.
fn stopping_car(ms: i64) -> GroundTrack {
    track(1, Car, [(ms.min(2_000) as f64) / 100.0 - 20.0, 0.0], ms)
}

/// Drives `service` with frames every 100 ms, `from` included and `to` excluded; every DENM with the time it left.
fn drive(
    street: &mut Street,
    service: &mut DenService,
    from: i64,
    to: i64,
    tracks: impl Fn(i64) -> Vec<GroundTrack>,
) -> Vec<(i64, &'static str)> {
    let frames = (from..to).step_by(100);
    frames
        .flat_map(|ms| {
            let drafts = street.frame(service, ms, &tracks(ms));
            actions(&drafts).into_iter().map(|action| (ms, action)).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn a_stopped_car_is_triggered_repeated_updated_and_cancelled() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    assert_eq!(drive(&mut street, &mut service, 0, 11_900, |ms| vec![stopping_car(ms)]), []);
    // The anchor is the first position of the last metre: the car has stood since 1,900 ms.
    let drafts = street.frame(&mut service, 12_000, &[stopping_car(12_000)]);
    let first = &sent(&drafts)[0];
    assert_eq!((first.action, first.detected_ms, first.reference_ms), ("triggered", 12_000, 12_000));
    let Content::Denm(denm) = &drafts[0].content else { panic!("{drafts:?}") };
    let situation = denm.denm.situation.as_ref().unwrap();
    assert_eq!((situation.event_type.code(), situation.information_quality), (94, 6));
    let traces = &denm.denm.location.as_ref().unwrap().detection_zones_to_event_position;
    assert_eq!(traces.iter().map(|path| path.len()).collect::<Vec<_>>(), [2, 1], "the approaches of the carriageway");
    // From (0, 0) to (-100, -2): 100 m of longitude at 44.66° are 0.00126°.
    let offset = traces[0][0].path_position.delta_longitude_deg.unwrap();
    assert!((offset + 0.001_261).abs() < 2e-6, "{offset}");
    let stationary = denm.denm.alacarte.as_ref().unwrap().stationary_vehicle.as_ref().unwrap();
    assert_eq!(stationary.stationary_since, Some(StationarySince::LessThan1Minute));
    assert_eq!(drafts[0].provenance.objects[0].sights[0].track_id, 1);

    let later = drive(&mut street, &mut service, 12_100, 27_100, |ms| vec![stopping_car(ms)]);
    let repetitions: Vec<_> = (13..=26).map(|s| (s * 1_000, "repeated")).collect();
    assert_eq!(later[..14], repetitions[..], "every repetition interval");
    assert_eq!(later[14..], [(27_000, "updated")], "when half of the 30 s of validity has passed");

    // It drives on: 10 m/s from 27,100 ms; 5 m further its condition is gone, 2 s later the event is cancelled.
    let leaving = |ms: i64| vec![track(1, Car, [(ms - 27_000) as f64 / 100.0, 0.0], ms)];
    let end = drive(&mut street, &mut service, 27_100, 33_000, leaving);
    let cancelled: Vec<_> = end.iter().filter(|(_, action)| *action == "cancelled").collect();
    assert_eq!(cancelled, [&(29_600, "cancelled")]);
    let after: Vec<_> = end.iter().filter(|(ms, _)| *ms > 29_600).collect();
    assert_eq!(after, [&(30_600, "repeated"), &(31_600, "repeated")], "the cancellation is repeated twice");
    assert_eq!(service.wake_at(), None);
}

#[test]
fn reference_times_grow_and_the_action_id_stays() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    let walk = |ms: i64| vec![track(1, Person, [0.0, -3.0 + ms as f64 / 1_000.0], ms)];
    let mut all = Vec::new();
    for ms in (0..9_000).step_by(100) {
        let tracks = if ms < 6_000 { walk(ms) } else { vec![] };
        all.extend(sent(&street.frame(&mut service, ms, &tracks)));
    }
    assert!(all.iter().all(|sent| sent.sequence_number == all[0].sequence_number));
    let mut newest = i64::MIN;
    for message in &all {
        match message.action {
            "repeated" => assert_eq!(message.reference_ms, newest, "a repetition is the same message"),
            _ => assert!(message.reference_ms > newest, "{message:?} after {newest}"),
        }
        assert!(message.detected_ms <= message.reference_ms);
        newest = message.reference_ms;
    }
    let updates = all.iter().filter(|sent| sent.action == "updated").count();
    assert_eq!(updates, 2, "a walk of 6 m is an update after each 2 m moved, the third one is not complete");
    assert_eq!(all.iter().filter(|sent| sent.action == "cancelled").count(), 1);
}

#[test]
fn a_person_triggers_at_once_and_only_where_it_is_dangerous() {
    let still = |class, position| track(1, class, position, 0);
    let cases = [
        ("on the carriageway", vec![still(Person, [0.0, 0.0])], 1),
        ("half a metre from the edge", vec![still(Person, [0.0, 3.51])], 0),
        ("on the pavement", vec![still(Person, [0.0, 6.0])], 0),
        ("on the crossing", vec![still(Person, [22.0, 0.0])], 0),
        ("just beside the crossing", vec![still(Person, [24.9, 0.0])], 0),
        ("well beside the crossing", vec![still(Person, [25.1, 0.0])], 1),
        ("beside a parked car", vec![still(Person, [50.0, -3.0])], 0),
        ("a cyclist", vec![still(Bicycle, [0.0, 0.0])], 0),
        ("a rider", vec![still(Person, [0.0, 0.0]), track(2, Bicycle, [0.5, 0.5], 0)], 0),
        ("too fast to walk", vec![GroundTrack { velocity_e_mps: 6.0, ..still(Person, [0.0, 0.0]) }], 0),
        ("coasting", vec![GroundTrack { state: TrackState::Coasting, ..still(Person, [0.0, 0.0]) }], 0),
        ("not calibrated there", vec![GroundTrack { area: CalibratedArea::Outside, ..still(Person, [0.0, 0.0]) }], 0),
        ("perhaps a person", vec![GroundTrack { class_confidence: 0.4, ..still(Person, [0.0, 0.0]) }], 0),
    ];
    for (what, tracks, events) in cases {
        let drafts = Street::new().frame(&mut service(|_| {}), 0, &tracks);
        assert_eq!(drafts.len(), events, "{what}");
        if let Some(Draft { content: Content::Denm(denm), .. }) = drafts.first() {
            let cause = denm.denm.situation.as_ref().unwrap().event_type;
            assert!(matches!(cause, CauseCode::HumanPresenceOnTheRoad(_)), "{what}: {cause:?}");
            assert!(denm.denm.alacarte.is_none());
        }
    }
    let mut with_cyclists = service(|settings| settings.human_presence_classes.push(Bicycle));
    assert_eq!(Street::new().frame(&mut with_cyclists, 0, &[still(Bicycle, [0.0, 0.0])]).len(), 1);
}

#[test]
fn parked_cars_do_not_trigger() {
    let parked = |ms| vec![track(1, Car, [0.0, 0.0], ms)];
    let into_the_strip = |ms: i64| vec![track(1, Car, [30.0 + (ms.min(2_000) as f64) / 100.0, -3.0], ms)];
    let (mut street, mut usual) = (Street::new(), service(|_| {}));
    assert_eq!(drive(&mut street, &mut usual, 0, 15_000, parked), [], "never seen moving");
    let (mut street, mut strict) = (Street::new(), service(|s| s.never_seen_moving = NeverSeenMoving::Stationary));
    assert_eq!(drive(&mut street, &mut strict, 0, 10_100, parked), [(10_000, "triggered")]);
    let (mut street, mut usual) = (Street::new(), service(|_| {}));
    assert_eq!(drive(&mut street, &mut usual, 0, 15_000, into_the_strip), [], "in a parking zone");
}

#[test]
fn noise_at_a_limit_neither_ends_nor_repeats_an_event() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    // Along the edge of the carriageway (4 m), in and out by 0.6 m every half second.
    let wobble = |ms: i64| vec![track(1, Person, [0.0, if (ms / 500) % 2 == 0 { 3.4 } else { 4.6 }], ms)];
    let all = drive(&mut street, &mut service, 0, 8_000, wobble);
    assert_eq!(all.iter().filter(|(_, action)| *action == "triggered").count(), 1);
    assert!(all.iter().all(|(_, action)| *action != "cancelled"), "{all:?}");
}

#[test]
fn a_broken_track_carries_its_event_on() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    let broken = |ms: i64| match ms {
        ..14_000 => vec![stopping_car(ms)],
        14_000..15_000 => vec![],
        _ => vec![track(2, Bus, [0.5, 0.2], ms)],
    };
    let all = drive(&mut street, &mut service, 0, 18_000, broken);
    let but_repetitions: Vec<_> = all.iter().filter(|(_, action)| *action != "repeated").collect();
    assert_eq!(but_repetitions, [&(12_000, "triggered")], "{all:?}");
    assert_eq!(service.events_in_force().next().map(|event| event.object_id), Some(1), "the world has found it again");
}

#[test]
fn an_unseen_object_ends_its_event_by_a_wake_up_alone() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    street.frame(&mut service, 0, &[track(1, Person, [0.0, 0.0], 0)]);
    assert_eq!(street.world.wake_at(), Some(at(1_500)));
    assert_eq!(actions(&street.wake(&mut service, 1_500)), ["repeated"]);
    assert_eq!(service.wake_at(), Some(at(2_500)), "the next repetition");
    street.wake(&mut service, 2_500);
    assert_eq!(service.wake_at(), Some(at(3_500)), "gone since 1,500 ms, for 2 s");
    assert_eq!(actions(&street.wake(&mut service, 3_500)), ["cancelled"]);
}

#[test]
fn events_are_bounded_and_counted() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    let crowd: Vec<_> =
        (0..MAX_EVENTS as u32 + 5).map(|i| track(i + 1, Person, [f64::from(i) - 90.0, 0.0], 0)).collect();
    let drafts = street.frame(&mut service, 0, &crowd);
    let on_crossing = crowd.iter().filter(|track| (19.0..=25.0).contains(&track.position.e_m)).count();
    assert_eq!(drafts.len(), (crowd.len() - on_crossing).min(MAX_EVENTS));
    assert_eq!(
        service.drops().get("denm-events-full") as usize,
        (crowd.len() - on_crossing).saturating_sub(MAX_EVENTS)
    );
    assert!(service.drops().get("denm-events-full") > 0);
}

#[test]
fn a_car_that_waits_for_a_signal_is_no_event_and_one_that_stays_at_green_is() {
    let (mut street, mut service) = (Street::new(), service(|_| {}));
    street.situations = SituationWatch::new(SituationSettings::default(), signalled_lane());
    let (red_ms, seconds) = (40_000, 60);
    let mut told = Vec::new();
    for ms in (0..1_000 * seconds).step_by(100) {
        let shows = if ms < red_ms { SignalPhase::StopAndRemain } else { SignalPhase::ProtectedMovementAllowed };
        street.world.see_frame(CAMERA, &frame(ms), &[stopping_car(ms)], at(ms));
        street.situations.update(&street.world, &street.map, &Lights::from([((1, 1), shows)]), at(ms));
        let drafts = street.wake(&mut service, ms);
        told.extend(actions(&drafts).into_iter().filter(|action| *action == "triggered").map(|_| ms));
    }
    assert_eq!(told.len(), 1);
    assert!((red_ms + 9_900..red_ms + 10_300).contains(&told[0]), "{told:?}");
}
