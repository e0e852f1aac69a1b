//! One segment file: its header, and frames in and out.

use super::cipher::{KEY_LEN, RawKey, SegmentKey, random};
use super::{RawRingError, io_at};
use crate::keystore::write_closed;
use crate::sources::camera::Codec;
use masa_v2x_proto::time::Timestamp;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"MASARAW1";
/// Longest frame, bytes: a raw 8K picture has less.
const MAX_FRAME_BYTES: u32 = 128 << 20;
/// Ends the names of segment files.
pub(super) const EXTENSION: &str = "masaraw";

/// What a segment says of itself in the clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    salt: [u8; KEY_LEN],
    pub(super) created_at: Timestamp,
    pub(super) keep_s: u32,
    pub(super) camera: String,
}

impl Header {
    pub(super) fn new(camera: &str, created_at: Timestamp, keep_s: u32) -> Self {
        // A name beyond what the length byte says is cut at a character.
        let end = (0..=camera.len().min(255)).rev().find(|end| camera.is_char_boundary(*end)).unwrap_or(0);
        Self { salt: random(), created_at, keep_s, camera: camera[..end].to_owned() }
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.salt);
        bytes.extend(self.created_at.unix_ns().to_le_bytes());
        bytes.extend(self.keep_s.to_le_bytes());
        bytes.push(self.camera.len() as u8);
        bytes.extend(self.camera.as_bytes());
        bytes
    }

    fn decode(input: &mut impl Read) -> Result<Self, &'static str> {
        let short = |_| "the header ends early";
        if &array::<8>(input).map_err(short)? != MAGIC {
            return Err("not a segment of a raw ring");
        }
        let salt = array(input).map_err(short)?;
        let created_at = Timestamp::from_unix_ns(i64::from_le_bytes(array(input).map_err(short)?));
        let keep_s = u32::from_le_bytes(array(input).map_err(short)?);
        let [length] = array::<1>(input).map_err(short)?;
        let mut camera = vec![0; usize::from(length)];
        input.read_exact(&mut camera).map_err(short)?;
        let camera = String::from_utf8(camera).map_err(|_| "the camera's name is not UTF-8")?;
        Ok(Self { salt, created_at, keep_s, camera })
    }

    /// When the last frame of a segment that was written for `span_s` has had its time.
    pub(super) fn expires_at(&self, span_s: u32) -> Timestamp {
        self.created_at.plus_ns(i64::from(self.keep_s + span_s) * 1_000_000_000)
    }
}

fn array<const N: usize>(input: &mut impl Read) -> std::io::Result<[u8; N]> {
    let mut bytes = [0; N];
    input.read_exact(&mut bytes)?;
    Ok(bytes)
}

const fn code(codec: Codec) -> u8 {
    match codec {
        Codec::H264 => 1,
        Codec::Jpeg => 2,
        Codec::Png => 3,
    }
}

const fn codec(code: u8) -> Option<Codec> {
    match code {
        1 => Some(Codec::H264),
        2 => Some(Codec::Jpeg),
        3 => Some(Codec::Png),
        _ => None,
    }
}

/// What is authenticated with a frame.
fn bound(header: &[u8], captured_at: Timestamp, code: u8) -> Vec<u8> {
    [header, &captured_at.unix_ns().to_le_bytes(), &[code]].concat()
}

/// A segment being written.
pub(super) struct SegmentWriter {
    pub(super) path: PathBuf,
    pub(super) header: Header,
    encoded: Vec<u8>,
    key: SegmentKey,
    out: BufWriter<File>,
    index: u64,
    pub(super) bytes: u64,
}

impl SegmentWriter {
    pub(super) fn create(path: PathBuf, header: Header, key: &RawKey) -> Result<Self, RawRingError> {
        let encoded = header.encode();
        let out = BufWriter::new(write_closed(&path, &encoded)?);
        let (key, bytes) = (key.of_segment(&header.salt), encoded.len() as u64);
        Ok(Self { path, header, encoded, key, out, index: 0, bytes })
    }

    pub(super) fn append(&mut self, captured_at: Timestamp, kind: Codec, frame: &[u8]) -> Result<(), RawRingError> {
        let mut sealed = frame.to_vec();
        self.key.seal(self.index, &bound(&self.encoded, captured_at, code(kind)), &mut sealed);
        let Some(length) = u32::try_from(sealed.len()).ok().filter(|length| *length <= MAX_FRAME_BYTES) else {
            return Err(RawRingError::Malformed { path: self.path.clone(), at: self.bytes, what: "a frame too long" });
        };
        let head = [&length.to_le_bytes()[..], &captured_at.unix_ns().to_le_bytes(), &[code(kind)]].concat();
        for part in [&head, &sealed] {
            self.out.write_all(part).map_err(io_at(&self.path))?;
        }
        self.index += 1;
        self.bytes += (head.len() + sealed.len()) as u64;
        Ok(())
    }

    pub(super) fn flush(&mut self) -> Result<(), RawRingError> {
        self.out.flush().map_err(io_at(&self.path))
    }
}

/// Reads the header of a segment.
pub(super) fn read_header(path: &Path) -> Result<Header, RawRingError> {
    let mut input = BufReader::new(File::open(path).map_err(io_at(path))?);
    Header::decode(&mut input).map_err(|what| RawRingError::Malformed { path: path.to_owned(), at: 0, what })
}

/// Gives `take` every frame of a segment that `wanted` asks for by its capture time, decrypted. A frame that a crash cut off ends
/// the segment.
pub(super) fn read_frames(
    path: &Path,
    key: &RawKey,
    wanted: impl Fn(Timestamp) -> bool,
    mut take: impl FnMut(Timestamp, Codec, &[u8]) -> Result<(), RawRingError>,
) -> Result<(), RawRingError> {
    let malformed = |at, what| RawRingError::Malformed { path: path.to_owned(), at, what };
    let mut input = BufReader::new(File::open(path).map_err(io_at(path))?);
    let header = Header::decode(&mut input).map_err(|what| malformed(0, what))?;
    let (encoded, key) = (header.encode(), key.of_segment(&header.salt));
    let mut at = encoded.len() as u64;
    let mut sealed = Vec::new();
    for index in 0.. {
        let Ok(length) = array(&mut input).map(u32::from_le_bytes) else { break };
        if length > MAX_FRAME_BYTES {
            return Err(malformed(at, "a frame longer than one can be"));
        }
        let (Ok(captured), Ok([code])) = (array(&mut input), array::<1>(&mut input)) else { break };
        sealed.clear();
        let read = (&mut input).take(u64::from(length)).read_to_end(&mut sealed).map_err(io_at(path))?;
        if read < length as usize {
            break;
        }
        let captured_at = Timestamp::from_unix_ns(i64::from_le_bytes(captured));
        let kind = codec(code).ok_or_else(|| malformed(at, "an unknown codec"))?;
        if wanted(captured_at) {
            let frame = key.open(index, &bound(&encoded, captured_at, code), &mut sealed);
            take(captured_at, kind, frame.ok_or(RawRingError::Forged { path: path.to_owned(), index })?)?;
        }
        at += 13 + u64::from(length);
    }
    Ok(())
}
