//! Folders of pictures.

use super::support::{START, START_TEXT, encode_grey, play, settings};
use image::ImageFormat;
use masa_edge_node::event::{DropReason, SourceState};
use masa_edge_node::sources::camera::Codec;
use std::path::Path;

fn folder(path: &Path, more: &str) -> masa_edge_node::sources::camera::CameraSourceSettings {
    settings(&format!("kind = 'folder'\npath = '{}'\npace = 'as-fast-as-possible'\n{more}", path.display()))
}

#[test]
fn pictures_come_in_the_order_of_their_numbers() {
    let pictures = tempfile::tempdir().unwrap();
    for (name, level, format) in [
        ("f10.png", 30, ImageFormat::Png),
        ("f9.PNG", 20, ImageFormat::Png),
        ("f1.jpg", 10, ImageFormat::Jpeg),
        ("readme.txt", 99, ImageFormat::Png),
    ] {
        std::fs::write(pictures.path().join(name), encode_grey(level, format)).unwrap();
    }
    let start = format!("start-at = '{START_TEXT}'\ntimes = {{ from = 'frame-rate', hz = 4.0 }}");
    let delivered = play(folder(pictures.path(), &start));
    assert_eq!(delivered.levels(), [10, 20, 30]);
    assert_eq!(delivered.times_ms(), [0.0, 250.0, 500.0]);
    let codecs: Vec<_> = delivered.frames.iter().filter_map(|frame| Some(frame.encoded.as_ref()?.codec)).collect();
    assert_eq!(codecs, [Codec::Jpeg, Codec::Png, Codec::Png]);
    assert_eq!(delivered.last_state().0, SourceState::Ended);
}

#[test]
fn times_in_names_are_unix_time_and_a_bad_picture_is_lost_alone() {
    let pictures = tempfile::tempdir().unwrap();
    let ms = START.unix_ms();
    for (offset_ms, level) in [(0, 10), (40, 20), (200, 30)] {
        let name = format!("cam1_{}.png", ms + offset_ms);
        std::fs::write(pictures.path().join(name), encode_grey(level, ImageFormat::Png)).unwrap();
    }
    let torn = &encode_grey(50, ImageFormat::Png)[..60];
    std::fs::write(pictures.path().join(format!("cam1_{}.png", ms + 80)), torn).unwrap();
    let delivered = play(folder(pictures.path(), "times = { from = 'file-names', unit = 'milliseconds' }"));
    assert_eq!(delivered.levels(), [10, 20, 30]);
    assert_eq!(delivered.times_ms(), [0.0, 40.0, 200.0]);
    let lost: Vec<_> = delivered.dropped.iter().map(|lost| (lost.frame, lost.captured_at, lost.reason)).collect();
    assert_eq!(lost, [(3, START.plus_ms(80), DropReason::DecodeFailed)]);
    assert!(delivered.last_state().1.contains(&format!("cam1_{}.png", ms + 80)), "{}", delivered.last_state().1);
}

#[test]
fn folders_without_pictures_or_times_fail_in_words() {
    let empty = tempfile::tempdir().unwrap();
    let nameless = tempfile::tempdir().unwrap();
    std::fs::write(nameless.path().join("left.png"), encode_grey(1, ImageFormat::Png)).unwrap();
    for (path, times, words) in [
        (empty.path(), "{ from = 'frame-rate', hz = 4.0 }", "no .jpg"),
        (nameless.path(), "{ from = 'file-names', unit = 'seconds' }", "left.png"),
        (nameless.path(), "{ from = 'frame-rate', hz = 0.0 }", "times.hz"),
        (&empty.path().join("none"), "{ from = 'frame-rate', hz = 4.0 }", "none"),
    ] {
        let delivered = play(folder(path, &format!("times = {times}")));
        let (state, detail) = delivered.last_state();
        assert_eq!((state, detail.contains(words)), (SourceState::Failed, true), "{detail}");
    }
}
