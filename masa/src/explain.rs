//! `masa explain`: from a published message back to the frames that caused it.

use crate::terminal::time_of_day;
use anyhow::{Context, bail};
use clap::Args;
use masa_edge_node::effect::{ObjectCause, OutMessage, SightCause};
use masa_edge_node::event::{DetectionFrame, Event, EventBody, EventId};
use masa_edge_node::recorder::{Entry, Recording};
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Walk one published message back to its rule, objects, tracks, frames and detections.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Id of the message, such as `4711-cpm-12` (from `masa listen`, the live page, or `masa explain --list`).
    #[arg(required_unless_present = "list")]
    message_id: Option<String>,
    /// The recording; default: the newest .mcap below the current directory's `recordings`.
    #[arg(long, value_name = "FILE")]
    recording: Option<PathBuf>,
    /// List the recording's messages instead.
    #[arg(long)]
    list: bool,
}

impl Explain {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        // Errors of writing are returned, not a panic: `explain --list | head` closes the pipe.
        let mut out = std::io::stdout().lock();
        let path = match self.recording {
            Some(path) => path,
            None => newest(Path::new("recordings"))?,
        };
        let Some(id) = self.message_id.filter(|_| !self.list) else { return list(&path, &mut out) };
        let Some(message) = find(&path, &id)? else {
            bail!("{}: no message `{id}`; `masa explain --list` shows what there is", path.display())
        };
        let sources = Recording::open(&path)?.header().sources.clone();
        let frames = causes(&path, &message)?;
        Ok(explain(&message, &sources, &frames, &mut out)?)
    }
}

fn newest(directory: &Path) -> anyhow::Result<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .with_context(|| format!("no --recording given, and {} cannot be read", directory.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "mcap"))
        .collect();
    files.sort();
    files.pop().with_context(|| format!("{} holds no recording", directory.display()))
}

fn list(path: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    for entry in Recording::open(path)? {
        if let Entry::Message(message) = entry? {
            let at = time_of_day(message.generated_at);
            let (id, rule) = (&message.id, &message.provenance.rule);
            writeln!(
                out,
                "{at}  {id:<20} {:>5} B  {} objects  {rule}",
                message.uper.len(),
                message.provenance.objects.len()
            )?;
        }
    }
    Ok(())
}

fn find(path: &Path, id: &str) -> anyhow::Result<Option<OutMessage>> {
    for entry in Recording::open(path)? {
        match entry? {
            Entry::Message(message) if message.id == id => return Ok(Some(message)),
            _ => {}
        }
    }
    Ok(None)
}

/// The events that began and last confirmed the tracks of a message.
fn causes(path: &Path, message: &OutMessage) -> anyhow::Result<BTreeMap<EventId, Event>> {
    let mut wanted: BTreeMap<EventId, Option<Event>> = BTreeMap::new();
    for sight in message.provenance.objects.iter().flat_map(|object| &object.sights) {
        wanted.insert(sight.first_event, None);
        wanted.insert(sight.last_event, None);
    }
    for entry in Recording::open(path)? {
        if let Entry::Event(event) = entry?
            && let Some(place) = wanted.get_mut(&event.id)
        {
            *place = Some(event);
        }
    }
    Ok(wanted.into_iter().filter_map(|(id, event)| Some((id, event?))).collect())
}

fn explain(
    message: &OutMessage,
    sources: &[String],
    events: &BTreeMap<EventId, Event>,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{}  {} UTC  {} bytes UPER", message.id, time_of_day(message.generated_at), message.uper.len())?;
    writeln!(out, "  rule: {}", message.provenance.rule)?;
    if let Some(captured_at) = message.captured_at {
        writeln!(
            out,
            "  newest picture in it: {} UTC, {} earlier",
            time_of_day(captured_at),
            ms(message.generated_at, captured_at)
        )?;
    }
    if message.provenance.objects.is_empty() {
        writeln!(out, "  no object is in it")?;
    }
    for object in &message.provenance.objects {
        explain_object(object, sources, events, out)?;
    }
    writeln!(out, "  content: {}", message.json)
}

fn explain_object(
    object: &ObjectCause,
    sources: &[String],
    events: &BTreeMap<EventId, Event>,
    out: &mut impl Write,
) -> io::Result<()> {
    for sight in &object.sights {
        explain_sight(object.object_id, sight, sources, events, out)?;
    }
    for message in &object.messages {
        let link = sources.get(usize::from(message.event.source.0)).map_or("?", String::as_str);
        let (id, kind, station) = (object.object_id, message.kind.name(), message.station);
        writeln!(out, "  object {id}: {kind} of station {station} (event {link}#{})", message.event.seq)?;
    }
    Ok(())
}

fn explain_sight(
    object_id: u32,
    object: &SightCause,
    sources: &[String],
    events: &BTreeMap<EventId, Event>,
    out: &mut impl Write,
) -> io::Result<()> {
    let camera = sources.get(usize::from(object.camera.0)).map_or("?", String::as_str);
    if let Some(event) = events.get(&object.last_event).filter(|event| !matches!(event.body, EventBody::Detections(_)))
    {
        return explain_scan(object_id, object, camera, event, out);
    }
    writeln!(out, "  object {object_id}: track {} of camera `{camera}`", object.track_id)?;
    if let Some((event, frame)) = frame_of(events, object.first_event) {
        let at = time_of_day(frame.captured_at);
        writeln!(out, "    began in frame {} of {at} UTC (event {camera}#{})", frame.frame, event.id.seq)?;
    }
    let Some((event, frame)) = frame_of(events, object.last_event) else {
        writeln!(out, "    event {camera}#{} is not in this recording", object.last_event.seq)?;
        return Ok(());
    };
    let at = time_of_day(frame.captured_at);
    writeln!(out, "    last seen in frame {} of {at} UTC (event {camera}#{})", frame.frame, event.id.seq)?;
    match object.detection.and_then(|index| frame.detections.get(usize::from(index))) {
        Some(detection) => {
            let b = &detection.bounding_box;
            writeln!(
                out,
                "      detection: {:?}, score {:.2}, box {:.0},{:.0} to {:.0},{:.0} of {}×{} px",
                detection.class, detection.score, b.x1_px, b.y1_px, b.x2_px, b.y2_px, frame.width_px, frame.height_px
            )?;
        }
        None => writeln!(out, "      carried by the tracker: no detection of it in that frame")?,
    }
    let t = &frame.timings;
    writeln!(
        out,
        "      outside the core: decode {} µs, queue {} µs, preprocess {} µs, inference {} µs, postprocess {} µs; reached the core {} after the shutter",
        t.decode_us,
        t.queue_us,
        t.preprocess_us,
        t.inference_us,
        t.postprocess_us,
        ms(event.arrived_at, frame.captured_at)
    )
}

/// The scan of a radar or lidar that last showed an object.
fn explain_scan(
    object_id: u32,
    object: &SightCause,
    sensor: &str,
    event: &Event,
    out: &mut impl Write,
) -> io::Result<()> {
    let (kind, what) = match &event.body {
        EventBody::RadarScan(scan) => {
            let target = object.detection.and_then(|index| scan.targets.get(usize::from(index)));
            let words = target.map(|target| {
                let azimuth_deg = target.azimuth_rad.to_degrees();
                format!(
                    "strongest target: {:.1} m, {azimuth_deg:.1}°, {:+.1} m/s along the ray, {:.0} dBsm",
                    target.range_m, target.radial_mps, target.rcs_dbsm
                )
            });
            ("radar", words)
        }
        EventBody::ObjectList(list) => {
            let found = object.detection.and_then(|index| list.objects.get(usize::from(index)));
            let words = found.map(|found| {
                let [length_m, width_m, height_m] = found.size_m.unwrap_or_default();
                let [x_m, y_m] = found.position_m;
                format!(
                    "object: {x_m:.1} m ahead, {y_m:.1} m left, {length_m:.1} × {width_m:.1} × {height_m:.1} m, {} points",
                    found.points.unwrap_or_default()
                )
            });
            ("sensor", words)
        }
        _ => ("source", None),
    };
    writeln!(out, "  object {object_id}: track {} of {kind} `{sensor}`", object.track_id)?;
    let at = time_of_day(object.captured_at);
    writeln!(out, "    last seen in scan {} of {at} UTC (event {sensor}#{})", object.frame, event.id.seq)?;
    writeln!(out, "      {}", what.as_deref().unwrap_or("carried by the tracker: nothing of it in that scan"))?;
    writeln!(out, "      reached the core {} after the measurement", ms(event.arrived_at, object.captured_at))
}

fn frame_of(events: &BTreeMap<EventId, Event>, id: EventId) -> Option<(&Event, &DetectionFrame)> {
    match events.get(&id) {
        Some(event @ Event { body: EventBody::Detections(frame), .. }) => Some((event, frame)),
        _ => None,
    }
}

fn ms(later: Timestamp, earlier: Timestamp) -> String {
    format!("{:.1} ms", later.seconds_since(earlier) * 1e3)
}
