//! The ring on disk: what is in it, who can read it, when it goes.

use super::*;
use crate::event::SourceId;
use crate::sources::camera::{CameraFrame, Codec, Encoded};
use crate::sources::clock::Clock;
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

const SECRET: &[u8] = b"\xFF\xD8 what a camera saw of somebody";

struct Bench {
    folder: tempfile::TempDir,
    settings: RawRingSettings,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = RawRingSettings {
            directory: folder.path().join("ring"),
            key: folder.path().join("ring.key"),
            keep_s: 100,
            max_bytes: 1 << 20,
        };
        RawKey::create(&settings.key).unwrap();
        Self { folder, settings, clock: Clock::manual(Timestamp::from_unix_ms(1_700_000_000_000)) }
    }

    /// A run of the ring that keeps `frames`.
    fn keep(&self, frames: u64) {
        let ring = RawRing::start(&self.settings, self.clock.clone()).unwrap();
        for frame in 1..=frames {
            ring.keep(SourceId(1), "north/gate", &self.frame(frame));
        }
    }

    fn frame(&self, frame: u64) -> CameraFrame {
        CameraFrame {
            frame,
            captured_at: self.clock.now().plus_ms(frame as i64),
            image: Arc::new(RgbImage::new(1, 1, vec![0; 3]).unwrap()),
            encoded: Some(Encoded { codec: Codec::Jpeg, bytes: [SECRET, &frame.to_le_bytes()].concat().into() }),
            decode_us: 0,
            handed_over: Duration::ZERO,
        }
    }

    fn key(&self) -> RawKey {
        RawKey::load(&self.settings.key).unwrap()
    }

    fn open(&self, key: &RawKey, output: &str, from: Option<Timestamp>) -> Result<Opened, RawRingError> {
        let opening = Opening {
            by: "operator".into(),
            reason: "collision on the crossing".into(),
            camera: None,
            from,
            until: None,
        };
        open(&self.settings.directory, key, &opening, self.clock.now(), &self.folder.path().join(output))
    }

    fn segments(&self) -> Vec<std::path::PathBuf> {
        writer::segments(&self.settings.directory).unwrap()
    }
}

#[test]
fn what_goes_in_comes_out_with_the_key_and_stands_nowhere_in_the_clear() {
    let bench = Bench::new();
    bench.keep(5);
    let [segment] = bench.segments().try_into().unwrap();
    let bytes = fs::read(segment).unwrap();
    assert!(!bytes.windows(8).any(|window| SECRET.windows(8).any(|secret| secret == window)));
    let all = bench.open(&bench.key(), "all", None).unwrap();
    assert_eq!((all.frames, all.files.len(), all.expired), (5, 5, 0));
    assert_eq!(fs::read(&all.files[2]).unwrap(), [SECRET, &3_u64.to_le_bytes()].concat());
    assert!(all.files[2].file_name().unwrap().to_string_lossy().starts_with("north_gate-17000"));
    let late = bench.open(&bench.key(), "late", Some(bench.clock.now().plus_ms(4))).unwrap();
    assert_eq!(late.frames, 2);
}

#[cfg(unix)]
#[test]
fn files_are_for_the_owner_alone_and_an_open_key_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.keep(1);
    let out = bench.open(&bench.key(), "out", None).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let log = bench.settings.directory.join(OPENINGS);
    for path in [&bench.settings.key, &bench.segments()[0], &out.files[0], &log] {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!([mode(&bench.settings.directory), mode(&bench.folder.path().join("out"))], [0o700; 2]);
    fs::set_permissions(&bench.settings.key, fs::Permissions::from_mode(0o644)).unwrap();
    let error = RawRing::start(&bench.settings, bench.clock.clone()).unwrap_err().to_string();
    assert!(error.contains("chmod 600"), "{error}");
}

#[test]
fn another_key_or_a_changed_byte_opens_nothing() {
    let bench = Bench::new();
    bench.keep(3);
    let other = bench.folder.path().join("other.key");
    RawKey::create(&other).unwrap();
    let error = bench.open(&RawKey::load(&other).unwrap(), "out", None).unwrap_err();
    assert!(matches!(error, RawRingError::Forged { index: 0, .. }), "{error}");
    fs::remove_file(bench.settings.directory.join(OPENINGS)).unwrap();

    let path = &bench.segments()[0];
    let whole = fs::read(path).unwrap();
    let header = 8 + 32 + 8 + 4 + 1 + "north/gate".len();
    // A byte of the salt, of the time to keep, of the camera, of the first frame's time, codec and content.
    for at in [8, 48, 54, header + 4, header + 12, header + 20] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(path, changed).unwrap();
        assert!(bench.open(&bench.key(), &format!("out-{at}"), None).is_err(), "byte {at}");
    }
    // The first frame taken out.
    let length = u32::from_le_bytes(whole[header..header + 4].try_into().unwrap()) as usize;
    fs::write(path, [&whole[..header], &whole[header + 13 + length..]].concat()).unwrap();
    let error = bench.open(&bench.key(), "cut", None).unwrap_err();
    assert!(matches!(error, RawRingError::Forged { index: 0, .. }), "{error}");
    // A crash leaves a last frame cut short: those before it are good.
    fs::write(path, &whole[..whole.len() - 5]).unwrap();
    assert_eq!(bench.open(&bench.key(), "crash", None).unwrap().frames, 2);
}

#[test]
fn what_has_had_its_time_is_gone_and_does_not_open() {
    let bench = Bench::new();
    bench.keep(2);
    bench.clock.advance(Duration::from_secs(60));
    bench.keep(2);
    assert_eq!(bench.segments().len(), 2);
    bench.clock.advance(Duration::from_secs(60));
    // No node ran since, yet what is over does not open.
    let opened = bench.open(&bench.key(), "out", None).unwrap();
    assert_eq!((opened.frames, opened.expired), (2, 1));
    bench.clock.advance(Duration::from_secs(60));
    bench.keep(0);
    assert!(bench.segments().is_empty());
}

#[test]
fn the_oldest_goes_when_there_is_no_room() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.keep(10);
        bench.clock.advance(Duration::from_secs(11));
    }
    let segments = bench.segments();
    assert_eq!(segments.len(), 4);
    bench.settings.max_bytes = 2 * fs::metadata(&segments[0]).unwrap().len();
    bench.keep(0);
    assert_eq!(bench.segments(), segments[2..]);
}

#[test]
fn each_opening_is_logged_before_it_happens_and_a_changed_log_shows() {
    let bench = Bench::new();
    bench.keep(1);
    for output in ["a", "b", "c"] {
        bench.open(&bench.key(), output, None).unwrap();
    }
    let records = read_openings(&bench.settings.directory, &bench.key()).unwrap();
    assert_eq!(records.len(), 3);
    assert_eq!((records[0].by.as_str(), records[0].segments), ("operator", 1));
    assert_eq!(records[0].at, "2023-11-14T22:13:20Z");

    let log = bench.settings.directory.join(OPENINGS);
    let text = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (what, changed) in [
        ("another reason", text.replacen("collision", "curiosity", 1)),
        ("the middle one gone", format!("{}\n{}\n", lines[0], lines[2])),
        ("another order", format!("{}\n{}\n{}\n", lines[1], lines[0], lines[2])),
    ] {
        fs::write(&log, changed).unwrap();
        let error = bench.open(&bench.key(), "never", None).unwrap_err();
        assert!(matches!(error, RawRingError::Openings { .. }), "{what}: {error}");
        assert!(!bench.folder.path().join("never").exists(), "{what}: nothing is opened");
    }
}
