//! Video files: H.264 in MP4 and raw (Annex B).
//!
//! Times come from the container; a raw file's from its usability information (VUI) or, as the last resort, from the
//! settings. What is cut short or damaged is named by file and byte and the rest plays on.

use super::h264::AccessUnit;
use super::h264::annexb::{self, AccessUnitReader, MAX_ACCESS_UNIT_BYTES, Nal, append_nal};
use super::h264::decoder::{Decoded, H264Decoder};
use super::h264::sps::{self, Reordering};
use super::mp4::{Mp4Error, Mp4Track, Sample};
use super::playback::Playback;
use super::settings::FileSettings;
use super::sink::Flow;
use super::{CameraError, CameraSource, Codec, Context, Encoded};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A video file being played.
pub(crate) struct FileSource {
    settings: FileSettings,
}

impl FileSource {
    pub(crate) fn new(settings: FileSettings) -> Self {
        Self { settings }
    }
}

impl CameraSource for FileSource {
    fn run(&mut self, context: &mut Context) -> Result<String, CameraError> {
        let FileSettings { path, pace, at_end, start_at, .. } = &self.settings;
        let mut playback = Playback::new(context, *pace, *start_at);
        let summary = playback.play(*at_end, |playback| play_once(&self.settings, playback))?;
        if playback.shown() == 0 {
            let what = format!("no picture could be decoded; {summary}");
            return Err(CameraError::File { path: path.clone(), offset: 0, what });
        }
        Ok(summary)
    }
}

fn play_once(settings: &FileSettings, playback: &mut Playback<'_>) -> Result<(i64, Flow), CameraError> {
    let path = &settings.path;
    let mut recording = Recording::open(path, settings.frame_rate_hz)?;
    let mut decoder = H264Decoder::new(Reordering::Announced)?;
    let mut decoded = Vec::new();
    loop {
        let began = playback.context.clock.elapsed();
        let at_end = match recording.next_unit(path) {
            Ok(Some(unit)) => {
                decoder.decode(unit, &mut decoded)?;
                false
            }
            Ok(None) => {
                decoder.finish(&mut decoded);
                true
            }
            Err(UnitFault::Picture { media_ns, error }) => {
                playback.lose(media_ns, &error);
                false
            }
            Err(UnitFault::Rest { pictures, error }) => {
                decoder.finish(&mut decoded);
                playback.report_fault(pictures, &error);
                true
            }
        };
        let pictures = decoded.iter().filter(|outcome| matches!(outcome, Decoded::Picture { .. })).count();
        let decode_us = playback.context.clock.micros_since(began) / pictures.max(1) as u32;
        for outcome in decoded.drain(..) {
            match outcome {
                Decoded::Picture { unit, image } => {
                    let encoded = Encoded { codec: Codec::H264, bytes: unit.annex_b.into() };
                    if playback.show(unit.media_ns, image, encoded, decode_us) == Flow::Stop {
                        return Ok((recording.length_ns(), Flow::Stop));
                    }
                }
                Decoded::Lost { unit, why } => {
                    let advice = if decoder.has_b_frames() { B_FRAME_ADVICE } else { "" };
                    let what = format!("a picture cannot be decoded: {why}{advice}");
                    playback.lose(unit.media_ns, &CameraError::File { path: path.clone(), offset: unit.offset, what });
                }
            }
        }
        if at_end {
            return Ok((recording.length_ns(), Flow::Continue));
        }
    }
}

const B_FRAME_ADVICE: &str = "; the stream has B-frames, of which openh264 may lose pictures: re-encode it with \
                              `ffmpeg -i IN -c:v libx264 -bf 0 OUT.mp4`";

/// Why an access unit did not come.
enum UnitFault {
    /// This one is unusable; the next may be good.
    Picture { media_ns: i64, error: CameraError },
    /// Nothing more can be read.
    Rest { pictures: u64, error: CameraError },
}

/// Boxes that an MP4 file may begin with.
const BOX_KINDS: [&[u8; 4]; 6] = [b"ftyp", b"styp", b"moov", b"free", b"mdat", b"wide"];

/// An open recording.
enum Recording {
    Mp4 { file: BufReader<File>, length: u64, track: Mp4Track, next: usize },
    AnnexB { reader: AccessUnitReader<BufReader<File>>, peeked: Option<(u64, Vec<u8>)>, frame_rate_hz: f64, read: u64 },
}

impl Recording {
    fn open(path: &Path, frame_rate_hz: Option<f64>) -> Result<Self, CameraError> {
        let io = |source| CameraError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(io)?;
        let mut head = [0; 12];
        let mut got = 0;
        while got < head.len() {
            match file.read(&mut head[got..]).map_err(io)? {
                0 => break,
                n => got += n,
            }
        }
        file.rewind().map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut file = BufReader::new(file);
        match &head {
            [0, 0, 1, ..] | [0, 0, 0, 1, ..] => Self::open_annex_b(path, file, frame_rate_hz),
            [_, _, _, _, kind @ .., _, _, _, _] if BOX_KINDS.contains(&kind) => {
                let track = Mp4Track::read(&mut file).map_err(|error| match error {
                    Mp4Error::Io(source) => io(source),
                    Mp4Error::Invalid { offset, what } => CameraError::File { path: path.to_owned(), offset, what },
                })?;
                Ok(Self::Mp4 { file, length, track, next: 0 })
            }
            _ => {
                let what = "neither an MP4 file nor raw H.264 (Annex B)".to_owned();
                Err(CameraError::File { path: path.to_owned(), offset: 0, what })
            }
        }
    }

    fn open_annex_b(path: &Path, file: BufReader<File>, setting_hz: Option<f64>) -> Result<Self, CameraError> {
        let mut reader = AccessUnitReader::new(file);
        let peeked = reader.next_unit().map_err(|source| CameraError::Io { path: path.to_owned(), source })?;
        let stated_hz = peeked.as_ref().and_then(|(_, unit)| {
            annexb::nal_units(unit).find(|nal| nal.is_sps()).and_then(|nal| sps::read(nal.bytes())?.frame_rate_hz)
        });
        let frame_rate_hz = stated_hz.or(setting_hz).filter(|hz| *hz > 0.0 && hz.is_finite());
        let Some(frame_rate_hz) = frame_rate_hz else {
            let what = "the stream does not state its frame rate; set `frame-rate-hz`".to_owned();
            return Err(CameraError::File { path: path.to_owned(), offset: 0, what });
        };
        Ok(Self::AnnexB { reader, peeked, frame_rate_hz, read: 0 })
    }

    /// Length of the recording, nanoseconds; of a raw file, what has been read of it.
    fn length_ns(&self) -> i64 {
        match self {
            Self::Mp4 { track, .. } => track.end_ns(),
            Self::AnnexB { frame_rate_hz, read, .. } => constant_rate_ns(*read, *frame_rate_hz),
        }
    }

    fn next_unit(&mut self, path: &Path) -> Result<Option<AccessUnit>, UnitFault> {
        match self {
            Self::Mp4 { file, length, track, next } => {
                let Some(&sample) = track.samples.get(*next) else { return Ok(None) };
                *next += 1;
                let rest = &track.samples[*next..];
                let is_inside = |sample: &Sample| sample.offset.saturating_add(sample.bytes.into()) <= *length;
                if !is_inside(&sample) && !rest.iter().any(is_inside) {
                    let (picture, pictures) = (*next, track.samples.len());
                    let what = format!("cut short: picture {picture} of {pictures} and all after it are missing");
                    let error = CameraError::File { path: path.to_owned(), offset: *length, what };
                    return Err(UnitFault::Rest { pictures: rest.len() as u64 + 1, error });
                }
                let media_ns = track.shown_ns(&sample);
                let wrong = |what| UnitFault::Picture {
                    media_ns,
                    error: CameraError::File { path: path.to_owned(), offset: sample.offset, what },
                };
                let bytes = read_sample(file, &sample, *length).map_err(wrong)?;
                let annex_b = to_annex_b(track, &bytes, *next == 1).map_err(wrong)?;
                Ok(Some(AccessUnit { media_ns, offset: sample.offset, annex_b }))
            }
            Self::AnnexB { reader, peeked, frame_rate_hz, read } => {
                let next = match peeked.take() {
                    Some(unit) => Ok(Some(unit)),
                    None => reader.next_unit(),
                };
                let rest =
                    |source| UnitFault::Rest { pictures: 1, error: CameraError::Io { path: path.to_owned(), source } };
                let Some((offset, annex_b)) = next.map_err(rest)? else { return Ok(None) };
                let media_ns = constant_rate_ns(*read, *frame_rate_hz);
                *read += 1;
                Ok(Some(AccessUnit { media_ns, offset, annex_b }))
            }
        }
    }
}

/// When picture `number`, from 0, is shown at a constant rate.
pub(crate) fn constant_rate_ns(number: u64, hz: f64) -> i64 {
    (number as f64 * 1e9 / hz).round() as i64
}

fn read_sample(file: &mut (impl Read + Seek), sample: &Sample, length: u64) -> Result<Vec<u8>, String> {
    let bytes = sample.bytes as usize;
    if sample.offset.saturating_add(sample.bytes.into()) > length || bytes > MAX_ACCESS_UNIT_BYTES {
        return Err(format!("a picture of {bytes} bytes does not fit into the file of {length} bytes"));
    }
    let mut buffer = vec![0; bytes];
    let mut read = || -> io::Result<()> {
        file.seek(SeekFrom::Start(sample.offset))?;
        file.read_exact(&mut buffer)
    };
    read().map_err(|error| error.to_string())?;
    Ok(buffer)
}

/// Length-prefixed NAL units with start codes instead; parameter sets before key frames that do not bring their own.
fn to_annex_b(track: &Mp4Track, sample: &[u8], is_first: bool) -> Result<Vec<u8>, String> {
    let mut units = Vec::with_capacity(4);
    let mut rest = sample;
    while let Some((length, after)) = rest.split_at_checked(track.length_bytes) {
        let length = length.iter().fold(0_usize, |length, &byte| length << 8 | usize::from(byte));
        let Some((nal, after)) = after.split_at_checked(length) else {
            let at = sample.len() - rest.len();
            return Err(format!("a NAL unit of {length} bytes, {at} bytes into the picture, does not end within it"));
        };
        units.extend(Nal::new(nal));
        rest = after;
    }
    let brings_its_own = units.iter().any(|nal| nal.is_sps());
    let mut annex_b = Vec::with_capacity(sample.len() + track.parameter_sets.len() + 8);
    if !brings_its_own && (is_first || units.iter().any(|nal| nal.is_idr())) {
        annex_b.extend_from_slice(&track.parameter_sets);
    }
    units.iter().for_each(|nal| append_nal(&mut annex_b, nal.bytes()));
    Ok(annex_b)
}
