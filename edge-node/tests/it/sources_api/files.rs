//! Video files. Figures of the clips are ffprobe's (`-count_frames`, packet times).

use super::support::{self, Delivered, START, data, file, is_near, luma, play, red_of, spawn};
use masa_edge_node::event::{DropReason, SourceState};
use masa_edge_node::sources::camera::Codec;
use masa_edge_node::sources::clock::Clock;
use masa_edge_node::sources::stop::StopToken;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const JUNCTION: &str = "percep/video/OTVision_Cars-Cyclist.mp4";
const JUNCTION_RAW: &str = "percep/video/OTVision_Cars-Cyclist.h264";
const CAR_PARK: &str = "percep/video/intel_car-detection.mp4";

fn assert_whole(delivered: &Delivered, frames: usize, size: (u32, u32), step_ms: f64) {
    assert_eq!(delivered.last_state().0, SourceState::Ended, "{}", delivered.last_state().1);
    assert!(delivered.dropped.is_empty(), "{:?}", delivered.dropped);
    assert_eq!(delivered.numbers(), (1..=frames as u64).collect::<Vec<_>>());
    for (frame, (at_ms, number)) in delivered.frames.iter().zip(delivered.times_ms().iter().zip(0..)) {
        assert!((at_ms - f64::from(number) * step_ms).abs() < 0.001, "frame {number} at {at_ms} ms");
        assert_eq!((frame.image.width, frame.image.height), size);
        assert_eq!(frame.encoded.as_ref().map(|encoded| encoded.codec), Some(Codec::H264));
    }
}

/// 60 frames at 20 frames/s, the last at 30208/10240 s; B-frames (`has_b_frames` 2).
#[test]
fn a_clip_with_b_frames_comes_out_whole_and_in_order() {
    let Some(clip) = data("a_clip_with_b_frames_comes_out_whole_and_in_order", JUNCTION) else { return };
    let delivered = play(file(&clip, ""));
    assert_whole(&delivered, 60, (800, 600), 50.0);
    let mean_decode_us = delivered.frames.iter().map(|frame| u64::from(frame.decode_us)).sum::<u64>() / 60;
    // A manual clock stands still while we decode.
    assert_eq!(mean_decode_us, 0);
}

/// The picture is frame 10, from 0, of the clip, as OpenCV decodes and converts it.
#[test]
fn colours_agree_with_another_decoder() {
    let test = "colours_agree_with_another_decoder";
    let (Some(clip), Some(picture)) = (data(test, JUNCTION), data(test, "percep/images/OTVision_Cars-Cyclist_f10.png"))
    else {
        return;
    };
    let delivered = play(file(&clip, ""));
    let theirs = image::open(picture).unwrap().into_rgb8();
    let differences = |frame: usize| {
        let ours = &delivered.frames[frame].image.data;
        let sum: u64 = ours.iter().zip(theirs.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / ours.len() as f64
    };
    let by_frame: Vec<_> = (8..13).map(differences).collect();
    // Chroma is interpolated there and not here; neighbouring frames differ by 0.5 in the other decoder alone.
    assert!(by_frame[2] < 1.5, "{by_frame:?}");
    assert!([0, 1, 3, 4].iter().all(|&other| by_frame[other] > by_frame[2]), "{by_frame:?}");
}

/// 377 frames at 12.5 frames/s, the last at 752000/25000 s.
#[test]
fn a_baseline_clip_comes_out_whole() {
    let Some(clip) = data("a_baseline_clip_comes_out_whole", CAR_PARK) else { return };
    assert_whole(&play(file(&clip, "")), 377, (768, 432), 80.0);
}

/// 60 frames; the stream does not state its rate.
#[test]
fn a_raw_clip_needs_a_frame_rate_and_comes_out_whole() {
    let Some(clip) = data("a_raw_clip_needs_a_frame_rate_and_comes_out_whole", JUNCTION_RAW) else { return };
    assert_whole(&play(file(&clip, "frame-rate-hz = 20.0")), 60, (800, 600), 50.0);
    let refused = play(file(&clip, ""));
    let (state, detail) = refused.last_state();
    assert_eq!(state, SourceState::Failed);
    assert!(detail.contains("frame-rate-hz") && detail.contains("OTVision_Cars-Cyclist.h264"), "{detail}");
}

#[test]
fn a_clip_whose_copy_is_incomplete_plays_up_to_the_cut() {
    let Some(clip) = data("a_clip_whose_copy_is_incomplete_plays_up_to_the_cut", CAR_PARK) else { return };
    let bytes = std::fs::read(clip).unwrap();
    let whole = re_mp4::Mp4::read_bytes(&bytes).unwrap();
    let samples = &whole.tracks().values().find(|track| track.width > 0).unwrap().samples;
    let cut = bytes.len() * 3 / 5;
    let expected = samples.iter().filter(|sample| sample.byte_range().end <= cut).count();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.mp4");
    std::fs::write(&path, &bytes[..cut]).unwrap();
    let delivered = play(file(&path, ""));
    assert_eq!(delivered.frames.len(), expected);
    assert_eq!(delivered.last_state().0, SourceState::Ended);
    for words in [&format!("byte {cut}")[..], "half.mp4", "cut short", &format!("{} missing", 377 - expected)] {
        assert!(delivered.last_state().1.contains(words), "{words}: {}", delivered.last_state().1);
    }
}

/// This clip's index stands at its end.
#[test]
fn a_clip_without_its_index_is_refused_in_words() {
    let Some(clip) = data("a_clip_without_its_index_is_refused_in_words", JUNCTION) else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    std::fs::write(&path, &std::fs::read(clip).unwrap()[..100_000]).unwrap();
    let delivered = play(file(&path, ""));
    let (state, detail) = delivered.last_state();
    assert_eq!(state, SourceState::Failed);
    for words in ["cut.mp4, byte 40", "moov", "not finished"] {
        assert!(detail.contains(words), "{detail}");
    }
}

/// Writes made-up pictures as a raw stream.
fn write_raw(path: &Path, units: &[Vec<u8>]) {
    std::fs::write(path, units.concat()).unwrap();
}

#[test]
fn made_up_video_comes_out_as_it_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grey.h264");
    write_raw(&path, &support::grey_h264(25));
    let delivered = play(file(&path, "frame-rate-hz = 8.0"));
    assert_whole(&delivered, 25, (96, 64), 125.0);
    for (number, level) in delivered.levels().into_iter().enumerate() {
        assert!(is_near(level, red_of(luma(number))), "picture {number}: {level}");
    }
}

#[test]
fn a_damaged_picture_is_lost_with_what_needs_it_and_the_rest_plays_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.h264");
    let mut units = support::grey_h264(40);
    let offset: usize = units[..14].iter().map(Vec::len).sum();
    // The slice header stays; what follows is not what any encoder writes.
    let length = units[14].len();
    units[14].truncate(7);
    units[14].resize(length.max(60), 0xFF);
    write_raw(&path, &units);
    let delivered = play(file(&path, "frame-rate-hz = 20.0"));

    assert_eq!(delivered.numbers(), (1..=40).collect::<Vec<_>>());
    assert!(!delivered.dropped.is_empty());
    for lost in &delivered.dropped {
        assert_eq!(lost.reason, DropReason::DecodeFailed);
        let number = lost.captured_at.seconds_since(START) * 20.0;
        assert!((13.9..19.1).contains(&number), "picture {number} is lost");
    }
    for (at_ms, level) in delivered.times_ms().into_iter().zip(delivered.levels()) {
        let number = (at_ms / 50.0).round() as usize;
        assert!(!(14..20).contains(&number), "picture {number} needs the damaged one");
        assert!(is_near(level, red_of(luma(number))), "picture {number}: {level}");
    }
    let (state, detail) = delivered.last_state();
    assert_eq!(state, SourceState::Ended);
    for words in [&format!("byte {offset}")[..], "damaged.h264", &format!("{} missing", delivered.dropped.len())] {
        assert!(detail.contains(words), "{words}: {detail}");
    }
}

#[test]
fn a_loop_goes_on_in_time_and_numbers_at_its_own_pace() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loop.h264");
    write_raw(&path, &support::grey_h264(10));
    let toml = format!(
        "kind = 'file'\npath = '{}'\nat-end = 'loop'\nframe-rate-hz = 10.0\nqueue = {{ when-full = 'block' }}",
        path.display()
    );
    let clock = Clock::manual(START);
    let camera = spawn(support::settings(&toml), clock.clone(), &StopToken::new());
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |delivered| delivered.frames.len() == 35);
    assert_eq!(delivered.numbers(), (1..=35).collect::<Vec<_>>());
    let times: Vec<_> = delivered.times_ms().iter().map(|at_ms| at_ms.round() as i64).collect();
    assert_eq!(times, (0..35).map(|number| number * 100).collect::<Vec<_>>());
    // Nobody advanced the clock but the pace.
    assert!(clock.now() >= START.plus_ms(3400), "{:?}", clock.now());
    camera.shut_down();
}

#[test]
fn a_consumer_that_sleeps_gets_the_newest_and_hears_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flood.h264");
    write_raw(&path, &support::grey_h264(30));
    let queue = "frame-rate-hz = 10.0\nqueue = { capacity = 3, when-full = 'drop-oldest' }";
    let camera = spawn(file(&path, queue), Clock::manual(START), &StopToken::new());
    while !camera.is_finished() {
        std::thread::yield_now();
    }
    let mut delivered = Delivered::default();
    delivered.take_until(&camera, |_| false);
    assert_eq!(delivered.frames.iter().map(|frame| frame.frame).collect::<Vec<_>>(), [28, 29, 30]);
    assert_eq!(delivered.dropped.iter().map(|dropped| dropped.frame).collect::<Vec<_>>(), (1..=27).collect::<Vec<_>>());
    assert!(delivered.dropped.iter().all(|dropped| dropped.reason == DropReason::QueueFull));
}

#[test]
fn files_that_are_no_video_fail_in_words_and_disturb_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (good, text, empty) =
        (folder.path().join("good.h264"), folder.path().join("text"), folder.path().join("empty"));
    write_raw(&good, &support::grey_h264(5));
    std::fs::write(&text, "not video at all").unwrap();
    std::fs::write(&empty, "").unwrap();
    let (stop, clock) = (StopToken::new(), Clock::manual(START));
    let cameras: Vec<_> = [&good, &text, &empty, &folder.path().join("missing.mp4")]
        .map(|path| spawn(file(path, "frame-rate-hz = 10.0"), clock.clone(), &stop))
        .into();
    let delivered = cameras.iter().map(|camera| {
        let mut delivered = Delivered::default();
        delivered.take_until(camera, |_| false);
        delivered
    });
    let delivered: Vec<_> = delivered.collect();
    assert_eq!((delivered[0].frames.len(), delivered[0].last_state().0), (5, SourceState::Ended));
    for (delivered, words) in delivered[1..].iter().zip(["neither an MP4", "neither an MP4", "missing.mp4"]) {
        let (state, detail) = delivered.last_state();
        assert_eq!((state, detail.contains(words)), (SourceState::Failed, true), "{detail}");
    }
}

/// Has ffmpeg encode made-up grey pictures with libx264; `None` where it cannot.
fn x264(test: &str, path: &Path, pictures: usize, options: &str) -> Option<()> {
    let mut command = Command::new("ffmpeg");
    command.args("-v error -y -f rawvideo -pix_fmt yuv420p -s 96x64 -r 10 -i pipe: -c:v libx264 -qp 10".split(' '));
    command.args(options.split(' ')).arg(path).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let encoded = command.spawn().and_then(|mut ffmpeg| {
        let mut input = ffmpeg.stdin.take().expect("it is piped");
        for number in 0..pictures {
            input.write_all(&[luma(number); 96 * 64])?;
            input.write_all(&[128; 96 * 64 / 2])?;
        }
        drop(input);
        ffmpeg.wait()
    });
    let is_encoded = encoded.is_ok_and(|status| status.success());
    if !is_encoded {
        eprintln!("skipped: {test}: ffmpeg with libx264 is not installed");
    }
    is_encoded.then_some(())
}

/// Reordering of every kind that x264 makes, in plain and fragmented files.
#[test]
fn b_frames_of_every_structure_come_out_whole_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options) in [
        ("two.mp4", "-pix_fmt yuv420p -bf 2 -x264-params b-pyramid=none:b-adapt=0:scenecut=0:keyint=12"),
        ("pyramid.mp4", "-pix_fmt yuv420p -bf 7 -x264-params b-pyramid=strict:b-adapt=0:scenecut=0:ref=6:keyint=30"),
        ("open-gop.mp4", "-pix_fmt yuv420p -bf 3 -x264-params open-gop=1:b-adapt=0:scenecut=0:keyint=20"),
        ("slices.mp4", "-pix_fmt yuv420p -bf 3 -x264-params slices=4:b-adapt=0:scenecut=0"),
        (
            "fragments.mp4",
            "-pix_fmt yuv420p -bf 3 -x264-params b-adapt=0:scenecut=0:keyint=10 -movflags frag_keyframe+empty_moov",
        ),
        ("raw.h264", "-pix_fmt yuv420p -bf 3 -x264-params b-adapt=0:scenecut=0:keyint=25"),
    ] {
        let path = folder.path().join(name);
        let test = "b_frames_of_every_structure_come_out_whole_and_in_order";
        let Some(()) = x264(test, &path, 60, options) else { return };
        let delivered = play(file(&path, ""));
        assert_whole(&delivered, 60, (96, 64), 100.0);
        for (number, level) in delivered.levels().into_iter().enumerate() {
            assert!(is_near(level, red_of(luma(number))), "{name}, picture {number}: {level}");
        }
    }
}

/// Pictures do not say which access unit they come from: a lost one must not shift the others for long.
#[test]
fn a_damaged_reference_among_b_frames_shifts_no_times_beyond_the_next_key_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.h264");
    let test = "a_damaged_reference_among_b_frames_shifts_no_times_beyond_the_next_key_frame";
    let options = "-pix_fmt yuv420p -bf 3 -x264-params b-adapt=0:scenecut=0:keyint=10";
    let Some(()) = x264(test, &path, 60, options) else { return };
    let mut bytes = std::fs::read(&path).unwrap();
    // Access unit 21 is the first after the key frame at 20: a P-frame, on which the B-frames around it rest.
    let mut at = bytes.windows(3).position(|code| code == [0, 0, 1]).unwrap();
    let mut slices = 0;
    let mut damaged = None;
    for nal in openh264::nal_units(&bytes) {
        if matches!(nal[3] & 0x1F, 1 | 5) {
            if slices == 21 {
                damaged = Some(at + 5..at + nal.len() - 1);
            }
            slices += 1;
        }
        at += nal.len();
    }
    assert_eq!(slices, 60);
    bytes[damaged.unwrap()].fill(0xFF);
    std::fs::write(&path, bytes).unwrap();

    let delivered = play(file(&path, ""));
    assert_eq!(delivered.numbers(), (1..=60).collect::<Vec<_>>());
    assert!(!delivered.dropped.is_empty());
    let shown: Vec<_> = delivered.times_ms().iter().map(|at_ms| (at_ms / 100.0).round() as usize).collect();
    assert!((0..20).chain(30..60).all(|number| shown.contains(&number)), "{shown:?}");
    for (number, level) in shown.into_iter().zip(delivered.levels()) {
        let is_beside_the_damage = (20..30).contains(&number);
        assert!(is_beside_the_damage || is_near(level, red_of(luma(number))), "picture {number}: {level}");
    }
    assert!(delivered.last_state().1.contains("-bf 0"), "{}", delivered.last_state().1);
}

#[test]
fn what_the_decoder_lacks_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    for (name, options, words) in [
        ("ten.mp4", "-pix_fmt yuv420p10le", "more than 8 bits"),
        ("fields.mp4", "-pix_fmt yuv420p -x264-params interlaced=1", "interlacing"),
        ("chroma.mp4", "-pix_fmt yuv444p", "4:2:0"),
    ] {
        let path = folder.path().join(name);
        let Some(()) = x264("what_the_decoder_lacks_is_named_with_a_remedy", &path, 3, options) else { return };
        let delivered = play(file(&path, ""));
        let (state, detail) = delivered.last_state();
        assert_eq!(
            (state, detail.contains(words), detail.contains("ffmpeg")),
            (SourceState::Failed, true, true),
            "{detail}"
        );
        assert!(detail.contains(name), "{detail}");
    }
}

/// Not a check but a figure: decoding and colour conversion, with the system's clock.
#[test]
fn decode_times_are_measured() {
    for (clip, more) in [(JUNCTION, ""), (JUNCTION_RAW, "frame-rate-hz = 20.0"), (CAR_PARK, "")] {
        let Some(path) = data("decode_times_are_measured", clip) else { continue };
        let camera = spawn(file(&path, more), Clock::system(), &StopToken::new());
        let mut delivered = Delivered::default();
        delivered.take_until(&camera, |_| false);
        let mut times: Vec<_> = delivered.frames.iter().map(|frame| frame.decode_us).collect();
        times.sort_unstable();
        eprintln!("{clip}: median {} µs, p99 {} µs a frame", times[times.len() / 2], times[times.len() * 99 / 100]);
        assert!(times[times.len() / 2] > 0);
    }
}
