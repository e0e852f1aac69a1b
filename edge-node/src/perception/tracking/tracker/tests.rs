use super::*;
use crate::event::{EventId, SourceId};
use masa_inference::{AppearanceDescriptor, ObjectClass};
use masa_v2x_proto::time::Timestamp;

fn frame(ms: i64) -> FrameId {
    let event = EventId { source: SourceId(1), seq: ms as u64 };
    FrameId { event, frame: ms as u64, captured_at: Timestamp::from_unix_ms(ms) }
}

fn detection(class: ObjectClass, score: f32, x: f32, y: f32) -> Detection {
    let bounding_box = BoundingBox { x1_px: x, y1_px: y, x2_px: x + 60.0, y2_px: y + 40.0 };
    Detection { bounding_box, class, score, appearance: None }
}

/// The same with a look: one colour all over.
fn looking(detection: Detection, cell: [u8; 3]) -> Detection {
    let appearance = masa_inference::Appearance::from_bytes(&cell.repeat(masa_inference::Appearance::CELLS));
    Detection { appearance, ..detection }
}

const RED: [u8; 3] = [90, 110, 200];
const BLUE: [u8; 3] = [90, 200, 110];
const DESCRIPTOR: AppearanceDescriptor = AppearanceDescriptor::ColourLayout;
const TIE_BREAK: Appearance = Appearance::TieBreak { descriptor: DESCRIPTOR, weight: 0.3 };
const RE_IDENTIFY: Appearance = Appearance::ReIdentify { descriptor: DESCRIPTOR, weight: 0.3, remember_s: 8.0 };

fn run(step_ms: i64, scene: impl Fn(i64) -> Vec<Detection>) -> Tracker {
    let mut tracker = Tracker::new(TrackerSettings::default());
    for ms in (0..2000).step_by(step_ms as usize) {
        assert!(tracker.update(frame(ms), [800, 600], &scene(ms)));
    }
    tracker
}

#[test]
fn two_cars_that_meet_keep_their_identities_at_any_frame_rate() {
    for step_ms in [33, 50, 100, 200] {
        let tracker = run(step_ms, |ms| {
            let x = ms as f32 * 0.25;
            vec![detection(ObjectClass::Car, 0.8, x, 100.0), detection(ObjectClass::Car, 0.8, 480.0 - x, 125.0)]
        });
        let last: Vec<_> = tracker.tracks().iter().map(|t| (t.track_id, t.bounding_box().x1_px > 240.0)).collect();
        assert_eq!(last, [(1, true), (2, false)], "{step_ms} ms");
    }
}

#[test]
fn a_doubtful_detector_does_not_end_a_track_and_its_classes_are_voted() {
    let tracker = run(50, |ms| {
        let score = if ms % 400 < 200 { 0.7 } else { 0.15 };
        let class = if ms % 150 == 0 { ObjectClass::Truck } else { ObjectClass::Car };
        vec![detection(class, score, ms as f32 * 0.1, 100.0)]
    });
    assert_eq!(tracker.tracks().len(), 1);
    assert_eq!(tracker.tracks()[0].class().0, ObjectClass::Car);
    assert_eq!(tracker.tracks()[0].hits, 40);
}

#[test]
fn an_identity_survives_a_gap_and_ends_after_it() {
    let mut tracker = Tracker::new(TrackerSettings::default());
    let car = |ms: i64| [detection(ObjectClass::Car, 0.8, ms as f32 * 0.05, 100.0)];
    for ms in (0..1000).step_by(50) {
        tracker.update(frame(ms), [800, 600], &car(ms));
    }
    for ms in (1000..2500).step_by(50) {
        tracker.update(frame(ms), [800, 600], &[]);
    }
    assert_eq!(tracker.tracks()[0].detection, None);
    tracker.update(frame(2500), [800, 600], &car(2500));
    assert_eq!(tracker.tracks()[0].track_id, 1);
    assert_eq!(tracker.tracks()[0].detection, Some(0));
    tracker.update(frame(60_000), [800, 600], &car(0));
    assert_eq!(tracker.ended()[0].track_id, 1);
    assert_eq!(tracker.tracks()[0].track_id, 2);
}

#[test]
fn a_car_that_brakes_while_unseen_is_found_where_it_was_last_seen() {
    let scene = |ms: i64| {
        let x = ms.min(1000) as f32 * 0.3;
        if (1000..1600).contains(&ms) { vec![] } else { vec![detection(ObjectClass::Car, 0.8, x, 100.0)] }
    };
    let identities = |recovery| {
        let mut tracker = Tracker::new(TrackerSettings { recovery, ..TrackerSettings::default() });
        for ms in (0..2000).step_by(50) {
            tracker.update(frame(ms), [800, 600], &scene(ms));
        }
        tracker.tracks().iter().filter(|t| t.detection.is_some()).map(|t| t.track_id).collect::<Vec<_>>()
    };
    assert_eq!(identities(Recovery::LastObservation), [1]);
    assert_eq!(identities(Recovery::Off), [2]);
}

#[test]
fn of_two_places_alike_the_one_straight_on_is_taken() {
    // Unseen for 0.3 s, then two boxes as far before as behind where it is expected.
    let follow = |momentum| {
        let mut tracker = Tracker::new(TrackerSettings { momentum, ..TrackerSettings::default() });
        for ms in (0..1000).step_by(50) {
            let seen = detection(ObjectClass::Car, 0.9, ms as f32 * 0.1, 100.0);
            tracker.update(frame(ms), [800, 600], &[seen]);
        }
        let last = 95.0;
        let expected = last + 0.1 * 350.0;
        let behind = detection(ObjectClass::Car, 0.9, last - 4.0, 100.0);
        let ahead = detection(ObjectClass::Car, 0.9, 2.0 * expected - last + 8.0, 100.0);
        tracker.update(frame(1300), [800, 600], &[behind, ahead]);
        tracker.tracks()[0].detection
    };
    assert_eq!(follow(Momentum::Off), Some(0));
    assert_eq!(follow(Momentum::default()), Some(1));
}

#[test]
fn what_something_nearer_hides_is_shown_for_a_while() {
    let scene = |ms: i64| {
        let near = detection(ObjectClass::Car, 0.9, 330.0, 110.0);
        let far = detection(ObjectClass::Car, 0.9, ms as f32 * 0.3, 100.0);
        if ms < 1050 { vec![near, far] } else { vec![near] }
    };
    let shown_at = |occlusion, until_ms: i64| {
        let mut tracker = Tracker::new(TrackerSettings { occlusion, ..TrackerSettings::default() });
        for ms in (0..=until_ms).step_by(50) {
            tracker.update(frame(ms), [800, 600], &scene(ms));
        }
        tracker.shown().count()
    };
    assert_eq!(shown_at(Occlusion::default(), 1000), 2);
    assert_eq!(shown_at(Occlusion::default(), 1150), 2);
    assert_eq!(shown_at(Occlusion::default(), 1300), 1);
    assert_eq!(shown_at(Occlusion::Ignore, 1150), 1);
}

#[test]
fn two_cars_that_turn_round_where_they_meet_are_swapped_without_looks_and_kept_with_them() {
    // They are not seen while they turn; then each stands a little on the side that it came from.
    let scene = |ms: i64| {
        let x = ms as f32 * 0.15;
        match ms {
            0..950 => vec![(x, 100.0, RED), (300.0 - x, 104.0, BLUE)],
            950..1100 => vec![],
            _ => vec![(141.0, 100.0, RED), (159.0, 104.0, BLUE)],
        }
    };
    let sides = |appearance| {
        let mut tracker = Tracker::new(TrackerSettings { appearance, ..TrackerSettings::default() });
        for ms in (0..1400).step_by(50) {
            let of = |(x, y, cell): (f32, f32, _)| looking(detection(ObjectClass::Car, 0.9, x, y), cell);
            tracker.update(frame(ms), [800, 600], &scene(ms).into_iter().map(of).collect::<Vec<_>>());
        }
        tracker.tracks().iter().map(|t| (t.track_id, t.measured.x1_px < 150.0)).collect::<Vec<_>>()
    };
    assert_eq!(sides(Appearance::Off), [(1, false), (2, true)]);
    assert_eq!(sides(TIE_BREAK), [(1, true), (2, false)]);
    assert_eq!(sides(RE_IDENTIFY), [(1, true), (2, false)]);
}

#[test]
fn who_was_hidden_for_long_is_found_again_by_looks_only() {
    // A car waits, is hidden for 5 s, and shows again two lengths further on.
    let identity = |appearance, cell, away: f32| {
        let mut tracker = Tracker::new(TrackerSettings { appearance, ..TrackerSettings::default() });
        for ms in (0..8000).step_by(50) {
            let seen = match ms {
                0..1000 => Some(looking(detection(ObjectClass::Car, 0.9, 100.0, 100.0), RED)),
                1000..6000 => None,
                _ => Some(looking(detection(ObjectClass::Car, 0.9, 100.0 + away, 100.0), cell)),
            };
            tracker.update(frame(ms), [800, 600], seen.as_slice());
            assert!(tracker.shown().count() <= 1);
        }
        tracker.shown().map(|t| (t.track_id, t.hits)).collect::<Vec<_>>()
    };
    assert_eq!(identity(RE_IDENTIFY, RED, 120.0), [(1, 60)]);
    assert_eq!(identity(RE_IDENTIFY, BLUE, 120.0), [(2, 40)], "somebody else");
    assert_eq!(identity(RE_IDENTIFY, RED, 500.0), [(2, 40)], "out of reach");
    assert_eq!(identity(TIE_BREAK, RED, 120.0), [(2, 40)]);
    assert_eq!(identity(Appearance::Off, RED, 120.0), [(2, 40)]);
    let short = Appearance::ReIdentify { descriptor: DESCRIPTOR, weight: 0.3, remember_s: 4.0 };
    assert_eq!(identity(short, RED, 120.0), [(2, 40)], "forgotten");
}

#[test]
fn who_is_lost_makes_room() {
    let settings = TrackerSettings { max_tracks: 1, appearance: RE_IDENTIFY, ..TrackerSettings::default() };
    let mut tracker = Tracker::new(settings);
    for ms in (0..6000).step_by(50) {
        let seen = match ms {
            0..1000 => Some(looking(detection(ObjectClass::Car, 0.9, 100.0, 100.0), RED)),
            1000..5000 => None,
            _ => Some(looking(detection(ObjectClass::Car, 0.9, 600.0, 100.0), BLUE)),
        };
        tracker.update(frame(ms), [800, 600], seen.as_slice());
        if ms == 5000 {
            assert_eq!(tracker.ended().iter().map(|t| t.track_id).collect::<Vec<_>>(), [1]);
        }
    }
    assert_eq!((tracker.tracks()[0].track_id, tracker.counters().excess_tracks), (2, 0));
}

#[test]
fn once_warm_a_frame_allocates_nothing() {
    [Appearance::Off, RE_IDENTIFY].into_iter().for_each(allocates_nothing);
}

fn allocates_nothing(appearance: Appearance) {
    let mut tracker =
        Tracker::new(TrackerSettings { max_tracks: 40, max_detections: 60, appearance, ..TrackerSettings::default() });
    // Cars that come, go, hide each other and flicker: more than there is room for.
    let scene = |ms: i64| -> Vec<Detection> {
        let car = |i: i64| {
            let x = ((ms + 211 * i) % 900) as f32 - 60.0;
            let score = if (ms / 50 + i) % 5 == 0 { 0.2 } else { 0.6 + 0.005 * i as f32 };
            looking(detection(ObjectClass::Car, score, x, 9.0 * i as f32), [100, 90 + i as u8, 130])
        };
        (0..70).map(car).collect()
    };
    let warm_ms = 2000;
    let mut now = 0;
    while now < warm_ms {
        tracker.update(frame(now), [800, 600], &scene(now));
        now += 50;
    }
    for _ in 0..100 {
        let detections = scene(now);
        let info = allocation_counter::measure(|| {
            tracker.update(frame(now), [800, 600], &detections);
        });
        assert_eq!((info.count_total, info.bytes_total), (0, 0), "{now} ms");
        now += 50;
    }
    assert!(tracker.counters().excess_detections > 0 && tracker.next_id > 100, "{}", tracker.next_id);
}

#[test]
fn a_car_that_leaves_the_image_ends() {
    let tracker = run(50, |ms| {
        let x = 400.0 + ms as f32 * 0.4;
        if x < 760.0 { vec![detection(ObjectClass::Car, 0.8, x, 100.0)] } else { vec![] }
    });
    assert!(tracker.tracks().is_empty());
}

#[test]
fn one_flash_of_the_detector_is_no_track() {
    let tracker = run(50, |ms| if ms == 500 { vec![detection(ObjectClass::Car, 0.9, 9.0, 9.0)] } else { vec![] });
    assert!(tracker.tracks().is_empty());
    assert_eq!(tracker.next_id, 2);
}

#[test]
fn who_comes_out_from_behind_something_is_known_once_a_detection_is_sure() {
    use Birth::{SureFirst, SureOnce};
    // Probabilities 0.86, 0.91, 0.86 of the default even score; 0.9 is sure.
    let unsure = [0.41, 0.43, 0.41, 0.43];
    for (birth, scores, frame_ms) in [
        (SureOnce, [0.41, 0.55, 0.41, 0.41], Some(100)),
        (SureFirst, [0.41, 0.55, 0.41, 0.41], Some(200)),
        (SureOnce, [0.55, 0.41, 0.41, 0.41], Some(100)),
        (SureFirst, [0.55, 0.41, 0.41, 0.41], Some(100)),
        (SureOnce, unsure, None),
        (SureFirst, unsure, None),
    ] {
        let mut tracker = Tracker::new(TrackerSettings { birth, ..TrackerSettings::default() });
        let known = (0..4).map(|step| step * 100).find(|ms| {
            let seen = detection(ObjectClass::Bicycle, scores[*ms as usize / 100], 100.0, 100.0);
            tracker.update(frame(*ms), [800, 600], &[seen]);
            tracker.tracks().iter().any(ImageTrack::is_confirmed)
        });
        assert_eq!(known, frame_ms, "{birth:?} {scores:?}");
    }
}

#[test]
fn late_frames_and_excess_are_counted() {
    let settings = TrackerSettings { max_tracks: 1, max_detections: 2, ..TrackerSettings::default() };
    let mut tracker = Tracker::new(settings);
    let scene: Vec<_> = (0..3).map(|i| detection(ObjectClass::Car, 0.9, 100.0 * i as f32, 10.0)).collect();
    assert!(tracker.update(frame(100), [800, 600], &scene));
    assert!(!tracker.update(frame(100), [800, 600], &scene));
    let counters = tracker.counters();
    assert_eq!((counters.excess_detections, counters.excess_tracks, counters.late_frames), (1, 1, 1));
    assert_eq!(tracker.tracks().len(), 1);
}

#[test]
fn a_person_does_not_become_a_car() {
    let tracker = run(50, |ms| {
        let class = if ms < 1000 { ObjectClass::Person } else { ObjectClass::Car };
        vec![detection(class, 0.9, 100.0, 100.0)]
    });
    assert_eq!(tracker.tracks().len(), 2);
}
