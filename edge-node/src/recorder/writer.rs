//! The recording thread: takes records from the core without ever making it wait.
//!
//! The queue is bounded. What does not fit is dropped, counted, and marked in the file as a gap, because a recording
//! with a gap cannot promise an exact replay. A failing disk ends the recording with one error; the node goes on.

use super::schema::{DESCRIPTORS, foxglove, proto};
use super::{EVENT_PREFIX, Error, FORMAT, GAP_TOPIC, HEADER_TOPIC, MESSAGE_PREFIX};
use crate::effect::OutMessage;
use crate::event::Event;
use crate::perception::privacy::Anonymised;
use masa_inference::RgbImage;
use mcap::records::MessageHeader;
use prost::Message;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Records waiting for the disk at most; at 30 frames a second and four cameras, about a minute.
const QUEUE_CAPACITY: usize = 8192;
/// A chunk is closed at least this often, so a killed node loses no more than this.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Quality of recorded JPEG pictures, 1 to 100.
const JPEG_QUALITY: u8 = 85;

/// Whether camera pictures are kept in the recording. Recordings are copied and sent, so they are anonymised ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameRecording {
    /// Detections only.
    #[default]
    Off,
    /// Every frame that reached the detector and may leave, anonymised, as JPEG.
    Jpeg,
}

/// Where and what to record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RecorderSettings {
    /// Directory of the recordings; made when absent.
    pub directory: PathBuf,
    /// Whether camera pictures are kept.
    #[serde(default)]
    pub frames: FrameRecording,
    /// Size at which a recording ends, bytes; what comes later is dropped and counted.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
}

fn default_max_bytes() -> u64 {
    10 << 30
}

/// One thing to keep.
#[derive(Clone, Debug)]
pub enum Record {
    /// Something entered.
    Event(Event),
    /// A message left.
    Message(OutMessage),
    /// A picture of what a detector saw.
    Frame {
        /// The camera's name.
        camera: String,
        /// The picture.
        picture: Anonymised,
    },
}

/// Counts of one recording, shared with its thread.
#[derive(Debug, Default)]
pub struct RecorderStats {
    /// Records on disk or on their way.
    pub written: AtomicU64,
    /// Records lost: queue full, disk failed, or the file at its size limit.
    pub dropped: AtomicU64,
    /// Bytes of record content so far.
    pub bytes: AtomicU64,
}

/// A running recording.
#[derive(Debug)]
pub struct Recorder {
    queue: Option<SyncSender<Record>>,
    thread: Option<JoinHandle<()>>,
    stats: Arc<RecorderStats>,
    path: PathBuf,
    frames: FrameRecording,
}

impl Recorder {
    /// Starts a recording named after `header.started_at_ns` and the station.
    ///
    /// # Errors
    /// When the directory or the file cannot be made.
    pub fn start(settings: &RecorderSettings, mut header: proto::Header) -> Result<Self, Error> {
        header.format = FORMAT;
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Io { path, source }
        };
        fs::create_dir_all(&settings.directory).map_err(io(&settings.directory))?;
        let millis = header.started_at_ns.div_euclid(1_000_000);
        let path = settings.directory.join(format!("masa-{}-{millis}.mcap", header.station_id));
        let file = File::options().write(true).create_new(true).open(&path).map_err(io(&path))?;
        let stats = Arc::new(RecorderStats::default());
        let mut output = Output::new(file, settings.max_bytes, &header, Arc::clone(&stats))
            .map_err(|source| Error::Container { path: path.clone(), source })?;
        let (queue, records) = sync_channel(QUEUE_CAPACITY);
        let thread_path = path.clone();
        let thread = std::thread::Builder::new()
            .name("recorder".into())
            .spawn(move || {
                if let Err(error) = output.run(&records) {
                    tracing::error!(path = %thread_path.display(), %error, "recording ended early");
                    // Keep taking records, so that the loss is counted and the core never blocks.
                    records.iter().for_each(|_| output.count_drop());
                }
            })
            .map_err(io(&path))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), stats, path, frames: settings.frames })
    }

    /// Writes records that are all there already, without a thread and without loss: recordings of simulated nodes.
    ///
    /// # Errors
    /// When the file cannot be made or written.
    pub fn write(path: &Path, mut header: proto::Header, records: &[Record]) -> Result<(), Error> {
        header.format = FORMAT;
        let file = File::create(path).map_err(|source| Error::Io { path: path.to_owned(), source })?;
        let container = |source| Error::Container { path: path.to_owned(), source };
        let mut output = Output::new(file, u64::MAX, &header, Arc::default()).map_err(container)?;
        records.iter().try_for_each(|record| output.take(record)).map_err(container)?;
        output.writer.finish().map_err(container)?;
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether pictures are wanted.
    pub fn wants_frames(&self) -> bool {
        self.frames != FrameRecording::Off
    }

    /// Counts so far.
    pub fn stats(&self) -> &Arc<RecorderStats> {
        &self.stats
    }

    /// Hands over a record without waiting; a full queue drops and counts it.
    pub fn record(&self, record: Record) {
        let Some(queue) = &self.queue else { return };
        match queue.try_send(record) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.stats.dropped.fetch_add(1, Ordering::Relaxed);
                metrics::counter!("masa_recorder_dropped_total", "reason" => "queue-full").increment(1);
            }
        }
    }

    /// Writes what is queued, closes the file and waits for it.
    pub fn finish(mut self) -> PathBuf {
        self.close();
        self.path.clone()
    }

    fn close(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the recording thread panicked");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

/// The file and what has been written to it.
struct Output {
    writer: mcap::Writer<BufWriter<File>>,
    schemas: BTreeMap<&'static str, u16>,
    channels: BTreeMap<String, (u16, u32)>,
    stats: Arc<RecorderStats>,
    drops_marked: u64,
    max_bytes: u64,
    buffer: Vec<u8>,
    last_time_ns: i64,
}

impl Output {
    fn new(
        file: File,
        max_bytes: u64,
        header: &proto::Header,
        stats: Arc<RecorderStats>,
    ) -> Result<Self, mcap::McapError> {
        let writer = mcap::WriteOptions::new()
            .profile("")
            .library(concat!("masa ", env!("CARGO_PKG_VERSION")))
            .create(BufWriter::new(file))?;
        let mut output = Self {
            writer,
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            stats,
            drops_marked: 0,
            max_bytes,
            buffer: Vec::new(),
            last_time_ns: header.started_at_ns,
        };
        output.put(HEADER_TOPIC, "masa.recording.v1.Header", header.started_at_ns, header.started_at_ns, header)?;
        output.writer.flush()?;
        Ok(output)
    }

    fn run(&mut self, records: &Receiver<Record>) -> Result<(), mcap::McapError> {
        let mut dirty = false;
        loop {
            match records.recv_timeout(FLUSH_INTERVAL) {
                Ok(record) => {
                    self.take(&record)?;
                    dirty = true;
                }
                Err(RecvTimeoutError::Timeout) if dirty => {
                    self.writer.flush()?;
                    dirty = false;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.mark_gap()?;
        self.writer.finish()?;
        Ok(())
    }

    fn take(&mut self, record: &Record) -> Result<(), mcap::McapError> {
        if self.stats.bytes.load(Ordering::Relaxed) >= self.max_bytes {
            self.count_drop();
            return Ok(());
        }
        self.mark_gap()?;
        match record {
            Record::Event(event) => {
                let topic = event.body.name();
                let at = event.arrived_at.unix_ns();
                let topic = format!("{EVENT_PREFIX}{topic}");
                self.put(&topic, "masa.recording.v1.Event", at, at, &proto::Event::from(event))
            }
            Record::Message(message) => {
                let at = message.generated_at.unix_ns();
                let topic = format!("{MESSAGE_PREFIX}{}", message.kind.name());
                self.put(&topic, "masa.recording.v1.PublishedMessage", at, at, &proto::PublishedMessage::from(message))
            }
            Record::Frame { camera, picture } => {
                let ns = picture.captured_at().unix_ns();
                let picture = foxglove::CompressedImage {
                    timestamp: Some(prost_types::Timestamp {
                        seconds: ns.div_euclid(1_000_000_000),
                        nanos: ns.rem_euclid(1_000_000_000) as i32,
                    }),
                    frame_id: camera.clone(),
                    data: jpeg(picture.as_ref()),
                    format: "jpeg".into(),
                };
                let logged = self.last_time_ns;
                self.put(&format!("/camera/{camera}/image"), "foxglove.CompressedImage", logged, ns, &picture)
            }
        }
    }

    /// Writes a gap record when records were lost since the last one.
    fn mark_gap(&mut self) -> Result<(), mcap::McapError> {
        let dropped = self.stats.dropped.load(Ordering::Relaxed);
        let lost = dropped - self.drops_marked;
        if lost == 0 {
            return Ok(());
        }
        self.drops_marked = dropped;
        let at = self.last_time_ns;
        self.put(GAP_TOPIC, "masa.recording.v1.Gap", at, at, &proto::Gap { lost })
    }

    fn count_drop(&self) {
        self.stats.dropped.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("masa_recorder_dropped_total", "reason" => "file-ended").increment(1);
    }

    fn put(
        &mut self,
        topic: &str,
        schema: &'static str,
        log_ns: i64,
        publish_ns: i64,
        message: &impl Message,
    ) -> Result<(), mcap::McapError> {
        let (channel_id, sequence) = self.channel(topic, schema)?;
        self.buffer.clear();
        // Encoding into a Vec cannot run out of room.
        message.encode(&mut self.buffer).expect("a Vec grows");
        let header = MessageHeader {
            channel_id,
            sequence,
            log_time: log_ns.max(0) as u64,
            publish_time: publish_ns.max(0) as u64,
        };
        self.writer.write_to_known_channel(&header, &self.buffer)?;
        self.last_time_ns = log_ns;
        self.stats.written.fetch_add(1, Ordering::Relaxed);
        self.stats.bytes.fetch_add(self.buffer.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn channel(&mut self, topic: &str, schema: &'static str) -> Result<(u16, u32), mcap::McapError> {
        if let Some((id, sequence)) = self.channels.get_mut(topic) {
            *sequence += 1;
            return Ok((*id, *sequence));
        }
        let schema_id = match self.schemas.get(schema) {
            Some(id) => *id,
            None => {
                let id = self.writer.add_schema(schema, "protobuf", DESCRIPTORS)?;
                self.schemas.insert(schema, id);
                id
            }
        };
        let id = self.writer.add_channel(schema_id, topic, "protobuf", &BTreeMap::new())?;
        self.channels.insert(topic.to_owned(), (id, 0));
        Ok((id, 0))
    }
}

/// JPEG bytes of a picture; empty for an image that is not encodable (zero-sized).
pub(crate) fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    if let Err(error) = image::ImageEncoder::write_image(
        encoder,
        &image.data,
        image.width,
        image.height,
        image::ExtendedColorType::Rgb8,
    ) {
        tracing::warn!(%error, "picture not recorded");
        bytes.clear();
    }
    bytes
}
