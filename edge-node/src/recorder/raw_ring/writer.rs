//! The ring's thread: frames into segments, segments away when their time is over.

use super::cipher::RawKey;
use super::segment::{EXTENSION, Header, SegmentWriter, read_header};
use super::{MAX_KEEP_S, RawRingError, RawRingSettings, io_at};
use crate::event::SourceId;
use crate::keystore::create_closed_directory;
use crate::recorder::jpeg;
use crate::sources::camera::{CameraFrame, Codec};
use crate::sources::clock::Clock;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Frames waiting for the disk at most, of all cameras.
const QUEUE_CAPACITY: usize = 64;
/// How often segments are looked at whose time may be over.
const SWEEP: Duration = Duration::from_secs(1);
/// Longest segment, seconds; a tenth of the ring where that is less.
const MAX_SEGMENT_S: u32 = 30;

/// How long a segment of a ring of `keep_s` is written, seconds.
pub(super) fn segment_s(keep_s: u32) -> u32 {
    (keep_s / 10).clamp(1, MAX_SEGMENT_S)
}

/// One frame on its way.
struct Item {
    source: SourceId,
    camera: String,
    frame: CameraFrame,
}

/// A running ring.
#[derive(Debug)]
pub struct RawRing {
    queue: Option<SyncSender<Item>>,
    thread: Option<JoinHandle<()>>,
}

impl RawRing {
    /// Starts the ring; what an earlier run left and whose time is over goes at once.
    ///
    /// # Errors
    /// When the key cannot be used or the directory not be made.
    pub fn start(settings: &RawRingSettings, clock: Clock) -> Result<Self, RawRingError> {
        if !(1..=MAX_KEEP_S).contains(&settings.keep_s) {
            return Err(RawRingError::Keep { keep_s: settings.keep_s });
        }
        let key = RawKey::load(&settings.key)?;
        create_closed_directory(&settings.directory)?;
        let mut segments = Segments { settings: settings.clone(), key, open: BTreeMap::new() };
        segments.sweep(clock.now())?;
        let (queue, items) = sync_channel(QUEUE_CAPACITY);
        let run = move || {
            if let Err(error) = segments.run(&items, &clock) {
                tracing::error!(%error, "the raw ring ended early");
            }
        };
        let thread = std::thread::Builder::new().name("raw-ring".into()).spawn(run).map_err(RawRingError::Thread)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Hands over a frame without waiting; a full queue drops and counts it.
    pub(crate) fn keep(&self, source: SourceId, camera: &str, frame: &CameraFrame) {
        let item = Item { source, camera: camera.to_owned(), frame: frame.clone() };
        if self.queue.as_ref().is_none_or(|queue| queue.try_send(item).is_err()) {
            metrics::counter!("masa_raw_ring_dropped_total", "source" => camera.to_owned()).increment(1);
        }
    }
}

impl Drop for RawRing {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the raw ring's thread panicked");
        }
    }
}

/// The segments of one directory.
struct Segments {
    settings: RawRingSettings,
    key: RawKey,
    open: BTreeMap<SourceId, SegmentWriter>,
}

impl Segments {
    fn run(&mut self, items: &Receiver<Item>, clock: &Clock) -> Result<(), RawRingError> {
        let mut swept = clock.elapsed();
        loop {
            let item = items.recv_timeout(SWEEP);
            // By the clock, not by silence: frames keep coming.
            if clock.elapsed().saturating_sub(swept) >= SWEEP {
                swept = clock.elapsed();
                self.sweep(clock.now())?;
            }
            match item {
                Ok(item) => self.append(&item, clock.now())?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.open.values_mut().try_for_each(SegmentWriter::flush)
    }

    fn append(&mut self, item: &Item, now: Timestamp) -> Result<(), RawRingError> {
        let span_s = f64::from(segment_s(self.settings.keep_s));
        let is_over = |segment: &SegmentWriter| now.seconds_since(segment.header.created_at) >= span_s;
        if self.open.get(&item.source).is_none_or(is_over) {
            if let Some(mut full) = self.open.remove(&item.source) {
                full.flush()?;
            }
            let name = format!("{}-{}.{EXTENSION}", item.source.0, now.unix_ms());
            let header = Header::new(&item.camera, now, self.settings.keep_s);
            let fresh = SegmentWriter::create(self.settings.directory.join(name), header, &self.key)?;
            self.open.insert(item.source, fresh);
        }
        let Some(segment) = self.open.get_mut(&item.source) else { return Ok(()) };
        match &item.frame.encoded {
            Some(encoded) => segment.append(item.frame.captured_at, encoded.codec, &encoded.bytes),
            None => segment.append(item.frame.captured_at, Codec::Jpeg, &jpeg(&item.frame.image)),
        }
    }

    /// Flushes what is open, and deletes what has had its time or exceeds the room, oldest first.
    fn sweep(&mut self, now: Timestamp) -> Result<(), RawRingError> {
        self.open.values_mut().try_for_each(SegmentWriter::flush)?;
        let mut kept = Vec::new();
        let mut bytes = 0;
        for path in segments(&self.settings.directory)? {
            let is_open = self.open.values().any(|segment| segment.path == path);
            let size = fs::metadata(&path).map_err(io_at(&path))?.len();
            match read_header(&path) {
                Ok(header) if is_open || now < header.expires_at(segment_s(header.keep_s)) => {
                    kept.push((header.created_at, path, size, is_open));
                    bytes += size;
                }
                // What is no segment was cut off within its header.
                Ok(_) | Err(RawRingError::Malformed { .. }) => remove(&path)?,
                Err(error) => return Err(error),
            }
        }
        kept.sort();
        for (_, path, size, is_open) in kept {
            if bytes <= self.settings.max_bytes {
                break;
            }
            if !is_open {
                remove(&path)?;
                bytes -= size;
                metrics::counter!("masa_raw_ring_dropped_total", "source" => "room").increment(1);
            }
        }
        Ok(())
    }
}

/// The segment files of a directory, in the order of their names.
pub(super) fn segments(directory: &Path) -> Result<Vec<PathBuf>, RawRingError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(io_at(directory))? {
        let path = entry.map_err(io_at(directory))?.path();
        if path.extension().is_some_and(|extension| extension == EXTENSION) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

pub(super) fn remove(path: &Path) -> Result<(), RawRingError> {
    fs::remove_file(path).map_err(io_at(path))
}
