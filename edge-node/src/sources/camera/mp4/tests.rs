//! Sample tables: of files made here, of real clips against another parser, and of damaged files.

use super::*;
use proptest::prelude::*;
use std::io::Cursor;

const SPS: &[u8] = &[0x67, 1, 2, 3];
const PPS: &[u8] = &[0x68, 4];

fn boxed(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, &payload].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// An `avc1` sample description with four-byte lengths.
fn stsd(codec: &[u8; 4]) -> Vec<u8> {
    let nal = |nal: &[u8]| [&(nal.len() as u16).to_be_bytes()[..], nal].concat();
    let record = [&[1, 100, 0, 31, 0xFF, 0xE1][..], &nal(SPS), &[1], &nal(PPS)].concat();
    let entry = boxed(codec, &[&[0; 78], &boxed(b"avcC", &[&record])]);
    boxed(b"stsd", &[&words(&[0, 1]), &entry])
}

fn movie(codec: &[u8; 4], tables: &[&[u8]], extra: &[u8]) -> Vec<u8> {
    let stbl = boxed(b"stbl", &[&[&stsd(codec)[..]], tables].concat());
    let mdia = [
        boxed(b"mdhd", &[&words(&[0, 0, 0, 1000, 0, 0])]),
        boxed(b"hdlr", &[&words(&[0, 0]), b"vide", &[0; 13]]),
        boxed(b"minf", &[&stbl]),
    ];
    let tkhd = boxed(b"tkhd", &[&words(&[0, 0, 0, 7]), &[0; 68]]);
    let trak = boxed(b"trak", &[&tkhd, &boxed(b"mdia", &[&mdia.concat()])]);
    boxed(b"moov", &[&trak, extra])
}

/// Five samples in two chunks, at 1,000 ticks a second, shown in another order than decoded.
fn plain() -> Vec<u8> {
    let tables = [
        boxed(b"stts", &[&words(&[0, 2, 3, 40, 2, 50])]),
        boxed(b"ctts", &[&words(&[0, 3, 1, 80, 2, 40, 2, (-20_i32) as u32])]),
        boxed(b"stsc", &[&words(&[0, 2, 1, 3, 1, 2, 2, 1])]),
        boxed(b"stsz", &[&words(&[0, 0, 5, 10, 11, 12, 13, 14])]),
        boxed(b"stco", &[&words(&[0, 2, 100, 500])]),
    ];
    let tables: Vec<_> = tables.iter().map(Vec::as_slice).collect();
    [boxed(b"ftyp", &[b"isom"]), movie(b"avc1", &tables, &[]), boxed(b"mdat", &[&[0; 900]])].concat()
}

/// Two fragments: one with all fields in its run, one from defaults, 64-bit base time and offset.
fn fragmented() -> Vec<u8> {
    let empty = [
        boxed(b"stts", &[&words(&[0, 0])]),
        boxed(b"stsc", &[&words(&[0, 0])]),
        boxed(b"stsz", &[&words(&[0, 0, 0])]),
        boxed(b"stco", &[&words(&[0, 0])]),
    ];
    let empty: Vec<_> = empty.iter().map(Vec::as_slice).collect();
    let mvex = boxed(b"mvex", &[&boxed(b"trex", &[&words(&[0, 7, 1, 25, 99, 0])])]);
    let first = [
        boxed(b"tfhd", &[&words(&[0x02_0000, 7])]),
        boxed(b"tfdt", &[&words(&[0, 1000])]),
        boxed(b"trun", &[&words(&[0xF01, 2, 200, 40, 10, 0, 5, 41, 11, 0, 6])]),
    ];
    let second = [
        boxed(b"tfhd", &[&words(&[0x02_0018, 7, 30, 77])]),
        boxed(b"tfdt", &[&words(&[0x0100_0000, 0, 1081])]),
        boxed(b"trun", &[&words(&[0x1, 3, 8])]),
    ];
    let moof = |traf: &[Vec<u8>]| boxed(b"moof", &[&boxed(b"traf", &[&traf.concat()])]);
    [
        boxed(b"ftyp", &[b"isom"]),
        movie(b"avc1", &empty, &mvex),
        moof(&first),
        boxed(b"mdat", &[&[0; 300]]),
        moof(&second),
        boxed(b"mdat", &[&[0; 300]]),
    ]
    .concat()
}

fn read(bytes: &[u8]) -> Result<Mp4Track, Mp4Error> {
    Mp4Track::read(&mut Cursor::new(bytes))
}

fn rows(track: &Mp4Track) -> Vec<(u64, u32, i64, u32)> {
    let row = |sample: &Sample| (sample.offset, sample.bytes, sample.shown_ticks, sample.duration_ticks);
    track.samples.iter().map(row).collect()
}

#[test]
fn samples_are_placed_and_timed() {
    let track = read(&plain()).unwrap();
    // Decoded at 0, 40, 80, 120, 170 and shown 80, 40, 40, −20, −20 later; the earliest, at 80, is time zero.
    let expected = [(100, 10, 0, 40), (110, 11, 0, 40), (121, 12, 40, 40), (500, 13, 20, 50), (513, 14, 70, 50)];
    assert_eq!(rows(&track), expected);
    assert_eq!(track.end_ns(), 120_000_000);
    assert_eq!(track.length_bytes, 4);
    assert_eq!(track.parameter_sets, [&[0, 0, 0, 1], SPS, &[0, 0, 0, 1], PPS].concat());
}

#[test]
fn fragments_are_placed_and_timed() {
    let file = fragmented();
    let moofs: Vec<_> =
        file.windows(4).enumerate().filter(|(_, kind)| kind == b"moof").map(|(at, _)| at as u64 - 4).collect();
    let track = read(&file).unwrap();
    let (first, second) = (moofs[0] + 200, moofs[1] + 8);
    let expected = [
        (first, 10, 0, 40),
        (first + 10, 11, 41, 41),
        (second, 77, 76, 30),
        (second + 77, 77, 106, 30),
        (second + 154, 77, 136, 30),
    ];
    assert_eq!(rows(&track), expected);
}

#[test]
fn a_recording_that_ends_within_a_fragment_keeps_the_fragments_before() {
    let file = fragmented();
    let second = file.windows(4).enumerate().filter(|(_, kind)| kind == b"moof").nth(1).unwrap().0;
    assert_eq!(read(&file[..second + 20]).unwrap().samples.len(), 2);
}

#[test]
fn faults_name_their_byte() {
    let plain = plain();
    let without_index: Vec<_> = [boxed(b"ftyp", &[b"isom"]), boxed(b"mdat", &[&[0; 100]])].concat();
    let moov = plain.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let hevc = movie(b"hvc1", &[], &[]);
    let cases = [
        (&plain[..moov + 50], moov as u64, "`moov` box is cut short"),
        (&without_index[..60], 12, "`mdat` box is cut short"),
        (&without_index[..], 120, "no `moov` box"),
        (&hevc[..], hevc.windows(4).position(|kind| kind == b"hvc1").unwrap() as u64 + 4, "`hvc1`, only H.264"),
    ];
    for (bytes, at, words) in cases {
        let Err(Mp4Error::Invalid { offset, what }) = read(bytes) else { panic!("{words}: no fault") };
        assert_eq!((offset, what.contains(words)), (at, true), "{what}");
    }
}

proptest! {
    #[test]
    fn damaged_files_are_read_or_refused(
        is_fragmented: bool, damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut: prop::sample::Index
    ) {
        let mut file = if is_fragmented { fragmented() } else { plain() };
        for (at, byte) in damage {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len()) + 1);
        if let Ok(track) = read(&file) {
            prop_assert!(track.samples.len() <= MAX_SAMPLES);
            track.end_ns();
        }
    }
}

/// re_mp4 is another implementation of the same tables.
#[test]
fn real_clips_read_as_another_parser_reads_them() {
    for clip in ["OTVision_Cars-Cyclist.mp4", "intel_car-detection.mp4"] {
        let data = std::env::var_os("MASA_TEST_DATA").map_or_else(
            || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            std::path::PathBuf::from,
        );
        let Ok(bytes) = std::fs::read(data.join("percep/video").join(clip)) else {
            eprintln!("skipped: real_clips_read_as_another_parser_reads_them: percep/video/{clip} is missing");
            continue;
        };
        let theirs = re_mp4::Mp4::read_bytes(&bytes).unwrap();
        let theirs = theirs.tracks().values().find(|track| track.kind == Some(re_mp4::TrackKind::Video)).unwrap();
        let ours = read(&bytes).unwrap();
        let expected: Vec<_> = theirs
            .samples
            .iter()
            .map(|sample| (sample.offset, sample.size as u32, sample.composition_timestamp))
            .collect();
        let got: Vec<_> = ours.samples.iter().map(|sample| (sample.offset, sample.bytes, sample.shown_ticks)).collect();
        assert_eq!(got, expected, "{clip}");
        assert_eq!(u64::from(ours.timescale), theirs.timescale);
    }
}
