//! The anonymiser as a whole: what it covers while detectors blink, and what it refuses to give away.

use super::*;
use crate::event::{EventId, SourceId};
use crate::perception::tracking::FrameId;
use masa_inference::{BoundingBox, Detection, ObjectClass, RgbImage};
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;

const SIZE: [u32; 2] = [640, 480];
const RATE_HZ: i64 = 10;

fn id(frame: u64) -> FrameId {
    let captured_at = Timestamp::from_unix_ms(1_700_000_000_000 + frame as i64 * 1000 / RATE_HZ);
    FrameId { event: EventId { source: SourceId(1), seq: frame }, frame, captured_at }
}

/// A picture of noise, in which any pixel that was left alone is known again.
fn noise() -> Arc<RgbImage> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let data = (0..SIZE[0] * SIZE[1] * 3).map(|_| next()).collect();
    Arc::new(RgbImage::new(SIZE[0], SIZE[1], data).unwrap())
}

/// Share of the pixels of `area` that a picture still shows.
fn shown(picture: &Anonymised, raw: &RgbImage, area: &BoundingBox) -> f64 {
    let image = picture.as_ref();
    let (mut same, mut all) = (0_u32, 0_u32);
    for y in area.y1_px as u32..area.y2_px as u32 {
        for x in area.x1_px as u32..area.x2_px as u32 {
            let at = (y * SIZE[0] + x) as usize * 3;
            same += u32::from(image.data[at..at + 3] == raw.data[at..at + 3]);
            all += 1;
        }
    }
    f64::from(same) / f64::from(all.max(1))
}

/// A picture as it may leave when nobody is in it.
pub(crate) fn anonymised(image: RgbImage) -> Anonymised {
    let mut anonymiser = Anonymiser::new(&settings()).unwrap();
    anonymiser.observe(id(1), [image.width, image.height], Sightings::default());
    anonymiser.anonymise(1, id(1).captured_at, &Arc::new(image)).unwrap()
}

fn settings() -> PrivacySettings {
    PrivacySettings { warm_up_s: 0.0, ..PrivacySettings::default() }
}

fn walker(frame: u64) -> Detection {
    // 60 px/s to the right, 3 box widths in 2 s.
    let x = 60.0 + 6.0 * frame as f32;
    let bounding_box = BoundingBox { x1_px: x, y1_px: 200.0, x2_px: x + 40.0, y2_px: 320.0 };
    Detection { bounding_box, class: ObjectClass::Person, score: 0.8, appearance: None }
}

fn head(frame: u64) -> BoundingBox {
    let b = walker(frame).bounding_box;
    BoundingBox { y2_px: b.y1_px + 24.0, ..b }
}

/// The largest share of the walker's head that is shown while the detector sees nothing from frame 20 on, for `blink`
/// frames.
fn worst_in_a_blink(settings: &PrivacySettings, blink: u64) -> f64 {
    let mut anonymiser = Anonymiser::new(settings).unwrap();
    let raw = noise();
    let mut worst = 0.0_f64;
    for frame in 1..=40 {
        let seen = [walker(frame)];
        let road_users: &[Detection] = if (20..20 + blink).contains(&frame) { &[] } else { &seen };
        anonymiser.observe(id(frame), SIZE, Sightings { road_users, ..Sightings::default() });
        let picture = anonymiser.anonymise(frame, id(frame).captured_at, &raw).unwrap();
        worst = worst.max(shown(&picture, &raw, &head(frame)));
    }
    worst
}

#[test]
fn a_head_stays_covered_while_the_detector_blinks() {
    assert_eq!(worst_in_a_blink(&settings(), 0), 0.0);
    for blink in [1, 2, 5, 10, 15] {
        assert_eq!(worst_in_a_blink(&settings(), blink), 0.0, "{blink} frames without a detection");
    }
    // The same blink without hold-over shows the head: what the test looks for, it would find.
    let without = PrivacySettings { hold_over_s: 0.0, ..settings() };
    assert!(worst_in_a_blink(&without, 1) > 0.9);
    assert!(worst_in_a_blink(&PrivacySettings { hold_over_s: 0.5, ..settings() }, 15) > 0.9);
}

#[test]
fn one_who_stops_in_a_blink_stays_covered_too() {
    let mut anonymiser = Anonymiser::new(&settings()).unwrap();
    let raw = noise();
    for frame in 1..=35 {
        let seen = [walker(frame.min(19))];
        let road_users: &[Detection] = if frame >= 20 { &[] } else { &seen };
        anonymiser.observe(id(frame), SIZE, Sightings { road_users, ..Sightings::default() });
        let picture = anonymiser.anonymise(frame, id(frame).captured_at, &raw).unwrap();
        assert_eq!(shown(&picture, &raw, &head(frame.min(19))), 0.0, "frame {frame}");
    }
}

#[test]
fn a_face_and_a_plate_outlive_a_blink_of_their_finders() {
    let face = Detection { bounding_box: head(0), class: ObjectClass::Person, score: 0.9, appearance: None };
    let plate_box = BoundingBox { x1_px: 400.0, y1_px: 400.0, x2_px: 440.0, y2_px: 412.0 };
    let plate = Detection { bounding_box: plate_box, class: ObjectClass::Car, score: 0.9, appearance: None };
    let mut anonymiser = Anonymiser::new(&settings()).unwrap();
    anonymiser.observe(id(1), SIZE, Sightings { faces: &[face], plates: &[plate], ..Sightings::default() });
    let raw = noise();
    for frame in 2..=20 {
        anonymiser.observe(id(frame), SIZE, Sightings::default());
        let picture = anonymiser.anonymise(frame, id(frame).captured_at, &raw).unwrap();
        assert_eq!(shown(&picture, &raw, &head(0)) + shown(&picture, &raw, &plate_box), 0.0, "frame {frame}");
    }
    anonymiser.observe(id(40), SIZE, Sightings::default());
    let picture = anonymiser.anonymise(40, id(40).captured_at, &raw).unwrap();
    assert_eq!((picture.cover(), shown(&picture, &raw, &head(0))), (Cover::Regions(0), 1.0));
}

#[test]
fn a_picture_without_its_own_perception_is_withheld_or_coarse() {
    let raw = noise();
    let mut anonymiser = Anonymiser::new(&settings()).unwrap();
    let refusal = |anonymiser: &Anonymiser, frame: u64, image: &Arc<RgbImage>| {
        anonymiser.anonymise(frame, id(frame).captured_at, image).err()
    };
    assert_eq!(refusal(&anonymiser, 1, &raw), Some(Withheld::Blind), "nothing was perceived yet");
    anonymiser.observe(id(2), SIZE, Sightings::default());
    assert_eq!(refusal(&anonymiser, 2, &raw), None);
    assert_eq!(refusal(&anonymiser, 3, &raw), Some(Withheld::Blind), "perception is of the frame before");
    assert_eq!(refusal(&anonymiser, 1, &raw), Some(Withheld::Blind), "perception is of the frame after");
    anonymiser.observe(id(1), SIZE, Sightings::default());
    assert_eq!(refusal(&anonymiser, 1, &raw), Some(Withheld::Blind), "late perception is none");
    let other_size = Arc::new(RgbImage::new(2, 1, vec![0; 6]).unwrap());
    assert_eq!(refusal(&anonymiser, 2, &other_size), Some(Withheld::Misfit));

    let coarse = PrivacySettings { when_blind: WhenBlind::PixelateWhole, ..settings() };
    let picture = Anonymiser::new(&coarse).unwrap().anonymise(1, id(1).captured_at, &raw).unwrap();
    let all = BoundingBox { x1_px: 0.0, y1_px: 0.0, x2_px: 640.0, y2_px: 480.0 };
    assert_eq!(picture.cover(), Cover::Whole);
    assert!(shown(&picture, &raw, &all) < 0.01);
}

#[test]
fn what_finders_find_in_a_covered_picture_is_covered_more_coarsely_until_the_next_frame() {
    let raw = noise();
    let at = BoundingBox { x1_px: 100.0, y1_px: 100.0, x2_px: 148.0, y2_px: 148.0 };
    let found = [Detection { bounding_box: at, class: ObjectClass::Car, score: 0.6, appearance: None }];
    let colours = |picture: &Anonymised| {
        let pixels = (100..148).flat_map(|y| (100..148).map(move |x| (y * SIZE[0] as usize + x) * 3));
        pixels.map(|at| &picture.as_ref().data[at..at + 3]).collect::<std::collections::BTreeSet<_>>().len()
    };
    let pixelate = Fill::Pixelate { cells: 3, least_cell_px: 8 };
    let mut anonymiser = Anonymiser::new(&PrivacySettings { fill: pixelate, ..settings() }).unwrap();
    anonymiser.observe(id(1), SIZE, Sightings::default());
    let picture = |with: &Anonymiser, frame| with.anonymise(frame, id(frame).captured_at, &raw).unwrap();
    assert_eq!(shown(&picture(&anonymiser, 1), &raw, &at), 1.0);
    anonymiser.cover(&[], &found, 1.0);
    let fine = picture(&anonymiser, 1);
    anonymiser.cover(&[], &found, 4.0);
    let coarse = picture(&anonymiser, 1);
    assert_eq!((shown(&fine, &raw, &at), shown(&coarse, &raw, &at)), (0.0, 0.0));
    assert!(colours(&coarse) < colours(&fine), "{} and {} colours", colours(&coarse), colours(&fine));
    anonymiser.observe(id(2), SIZE, Sightings::default());
    assert_eq!(shown(&picture(&anonymiser, 2), &raw, &at), 1.0);
}

#[test]
fn a_picture_that_does_not_become_clean_is_withheld_or_coarse() {
    let raw = noise();
    for (when_blind, expected) in [(WhenBlind::Withhold, None), (WhenBlind::PixelateWhole, Some(Cover::Whole))] {
        let mut anonymiser = Anonymiser::new(&PrivacySettings { when_blind, ..settings() }).unwrap();
        anonymiser.observe(id(1), SIZE, Sightings::default());
        let refused = anonymiser.refuse(1, id(1).captured_at, &raw, Withheld::NotClean);
        assert_eq!(refused.map(|picture| picture.cover()).ok(), expected);
    }
}

#[test]
fn nothing_leaves_until_perception_has_warmed_up_and_again_after_a_gap() {
    let mut anonymiser = Anonymiser::new(&PrivacySettings { warm_up_s: 0.5, ..settings() }).unwrap();
    let raw = noise();
    let mut left = Vec::new();
    for frame in (1..=10).chain(30..=40) {
        anonymiser.observe(id(frame), SIZE, Sightings::default());
        match anonymiser.anonymise(frame, id(frame).captured_at, &raw) {
            Ok(_) => left.push(frame),
            Err(reason) => assert_eq!(reason, Withheld::WarmingUp),
        }
    }
    assert_eq!(left, [6, 7, 8, 9, 10, 35, 36, 37, 38, 39, 40]);
}

#[test]
fn a_crowd_beyond_the_trackers_capacity_is_covered_all_the_same() {
    let crowd: Vec<Detection> = (0..500)
        .map(|i| {
            let (x, y) = ((i % 25) as f32 * 25.0, (i / 25) as f32 * 23.0);
            let bounding_box = BoundingBox { x1_px: x, y1_px: y, x2_px: x + 8.0, y2_px: y + 20.0 };
            Detection { bounding_box, class: ObjectClass::Person, score: 0.5, appearance: None }
        })
        .collect();
    let mut anonymiser = Anonymiser::new(&settings()).unwrap();
    anonymiser.observe(id(1), SIZE, Sightings { road_users: &crowd, ..Sightings::default() });
    let raw = noise();
    let picture = anonymiser.anonymise(1, id(1).captured_at, &raw).unwrap();
    assert!(crowd.iter().all(|one| shown(&picture, &raw, &one.bounding_box) == 0.0));
}

fn looking(times: u32) -> FinderSettings {
    FinderSettings { look: Look::UntilClean { times }, ..FinderSettings::default() }
}

#[test]
fn settings_that_protect_nobody_are_refused_by_name() {
    for (settings, key) in [
        (PrivacySettings { hold_over_s: f64::NAN, ..settings() }, "hold-over-s"),
        (PrivacySettings { hold_over_s: -1.0, ..settings() }, "hold-over-s"),
        (PrivacySettings { least_score: 1.0, ..settings() }, "least-score"),
        (PrivacySettings { finders: looking(0), ..settings() }, "finders.look"),
        (PrivacySettings { finders: FinderSettings { least_score: 2.0, ..looking(1) }, ..settings() }, "least-score"),
        (PrivacySettings { finders: FinderSettings { sizes_px: vec![9], ..looking(1) }, ..settings() }, "sizes-px"),
        (PrivacySettings { fill: Fill::Pixelate { cells: 99, least_cell_px: 8 }, ..settings() }, "fill"),
        (PrivacySettings { fill: Fill::Pixelate { cells: 3, least_cell_px: 1 }, ..settings() }, "fill"),
    ] {
        let error = Anonymiser::new(&settings).unwrap_err().to_string();
        assert!(error.contains(key), "{error}");
    }
    assert!(toml::from_str::<PrivacySettings>("blur = 'off'").is_err(), "there is no switch to turn it off");
}
