//! Opening the ring with its key.

use super::cipher::RawKey;
use super::openings::{OpeningRecord, append};
use super::segment::{Header, read_frames, read_header};
use super::writer::{remove, segment_s, segments};
use super::{RawRingError, io_at};
use crate::keystore::{create_closed_directory, write_closed};
use crate::sources::camera::Codec;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What is opened, by whom and why.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Who opens.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Of which camera; `None`: of all.
    pub camera: Option<String>,
    /// Capture times from here on.
    pub from: Option<Timestamp>,
    /// Capture times up to here.
    pub until: Option<Timestamp>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Frames.
    pub frames: u64,
    /// Files that were written.
    pub files: Vec<PathBuf>,
    /// Segments whose time was over: deleted instead.
    pub expired: usize,
}

/// Decrypts what `opening` asks for into `output`, a directory for the owner alone: pictures as JPEG or PNG files, video as one
/// `.h264` file a camera. The log of openings is written first; where it cannot be, nothing is opened.
///
/// # Errors
/// When the log, a segment or the output cannot be read or written, or the key is another one.
pub fn open(
    directory: &Path,
    key: &RawKey,
    opening: &Opening,
    now: Timestamp,
    output: &Path,
) -> Result<Opened, RawRingError> {
    let mut opened = Opened::default();
    let mut wanted: Vec<(Header, PathBuf)> = Vec::new();
    for path in segments(directory)? {
        let header = read_header(&path)?;
        if now >= header.expires_at(segment_s(header.keep_s)) {
            remove(&path)?;
            opened.expired += 1;
        } else if opening.camera.as_ref().is_none_or(|camera| *camera == header.camera) {
            wanted.push((header, path));
        }
    }
    wanted.sort_by_key(|(header, _)| header.created_at);
    append(directory, key, &opening.record(now, wanted.len()))?;
    create_closed_directory(output)?;
    let mut streams: BTreeMap<PathBuf, BufWriter<std::fs::File>> = BTreeMap::new();
    let in_span =
        |at: Timestamp| opening.from.is_none_or(|from| at >= from) && opening.until.is_none_or(|until| at <= until);
    for (header, path) in &wanted {
        // A camera's name goes into file names.
        let camera: String =
            header.camera.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        read_frames(path, key, in_span, |captured_at, codec, frame| {
            opened.frames += 1;
            let extension = match codec {
                Codec::Jpeg => "jpg",
                Codec::Png => "png",
                Codec::H264 => {
                    let path = output.join(format!("{camera}.h264"));
                    if !streams.contains_key(&path) {
                        let file = write_closed(&path, &[])?;
                        opened.files.push(path.clone());
                        streams.insert(path.clone(), BufWriter::new(file));
                    }
                    let stream = streams.get_mut(&path).expect("it was put there above");
                    return stream.write_all(frame).map_err(io_at(&path));
                }
            };
            let path = output.join(format!("{camera}-{}.{extension}", captured_at.unix_ns()));
            write_closed(&path, frame)?;
            opened.files.push(path);
            Ok(())
        })?;
    }
    for (path, mut stream) in streams {
        stream.flush().map_err(io_at(&path))?;
    }
    Ok(opened)
}

impl Opening {
    fn record(&self, now: Timestamp, segments: usize) -> OpeningRecord {
        OpeningRecord {
            at: rfc3339(now),
            by: self.by.clone(),
            reason: self.reason.clone(),
            camera: self.camera.clone(),
            from: self.from.map(rfc3339),
            until: self.until.map(rfc3339),
            segments,
        }
    }
}

fn rfc3339(at: Timestamp) -> String {
    // Outside what jiff can show, the number says it.
    jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns()))
        .map_or_else(|_| at.unix_ns().to_string(), |at| at.to_string())
}
