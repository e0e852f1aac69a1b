//! Playing recorded pictures: pace, capture times across loops, and the account of what could not be shown.

use super::settings::{AtEnd, Pace};
use super::sink::Flow;
use super::{CameraError, Context, Encoded};
use crate::event::{DropReason, SourceState};
use crate::sources::clock::Waited;
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use std::time::Duration;

/// A recording being played.
pub(crate) struct Playback<'a> {
    pub(crate) context: &'a mut Context,
    pace: Pace,
    start_at: Option<Timestamp>,
    /// Media time at which this pass over the recording begins.
    pass_begins_ns: i64,
    /// When the first picture went out, on the clock, and its media time.
    first: Option<(Duration, i64)>,
    shown: u64,
    missing: u64,
    first_fault: Option<String>,
}

impl<'a> Playback<'a> {
    pub(crate) fn new(context: &'a mut Context, pace: Pace, start_at: Option<Timestamp>) -> Self {
        Self { context, pace, start_at, pass_begins_ns: 0, first: None, shown: 0, missing: 0, first_fault: None }
    }

    /// Pictures shown so far.
    pub(crate) fn shown(&self) -> u64 {
        self.shown
    }

    /// Pictures missing so far.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    /// Plays `pass` once or, as `at_end` says, until the source is stopped. A pass returns its length in nanoseconds and
    /// how it ended.
    pub(crate) fn play(
        &mut self,
        at_end: AtEnd,
        mut pass: impl FnMut(&mut Self) -> Result<(i64, Flow), CameraError>,
    ) -> Result<String, CameraError> {
        loop {
            let shown_before = self.shown;
            let (length_ns, flow) = pass(self)?;
            self.pass_begins_ns = self.pass_begins_ns.saturating_add(length_ns);
            let goes_on = flow == Flow::Continue && at_end == AtEnd::Loop && !self.context.stop.is_stopped();
            // A recording without a single good picture would spin.
            if !goes_on || self.shown == shown_before {
                return Ok(self.summary());
            }
        }
    }

    /// Shows a picture at its time.
    pub(crate) fn show(&mut self, media_ns: i64, image: RgbImage, encoded: Encoded, decode_us: u32) -> Flow {
        let media_ns = self.pass_begins_ns.saturating_add(media_ns);
        let clock = &self.context.clock;
        let (began, first_ns) = *self.first.get_or_insert_with(|| (clock.elapsed(), media_ns));
        if self.pace == Pace::Timestamps {
            let due = began + Duration::from_nanos(media_ns.saturating_sub(first_ns).max(0) as u64);
            if clock.wait_until(due, &self.context.stop) == Waited::Stopped {
                return Flow::Stop;
            }
        } else if self.context.stop.is_stopped() {
            return Flow::Stop;
        }
        let captured_at = self.captured_at(media_ns);
        if self.context.sink.state().is_none() {
            let detail = format!("playing, {}×{} pixels", image.width, image.height);
            self.context.sink.status(SourceState::Up, detail);
        }
        self.shown += 1;
        self.context.sink.frame(captured_at, image, Some(encoded), decode_us)
    }

    /// Accounts for a picture that cannot be shown.
    pub(crate) fn lose(&mut self, media_ns: i64, fault: &CameraError) {
        let captured_at = self.captured_at(self.pass_begins_ns.saturating_add(media_ns));
        self.context.sink.lost(captured_at, DropReason::DecodeFailed);
        self.report_fault(1, fault);
    }

    /// Accounts for `pictures` that are missing without having a place in the recording; the first fault is reported at
    /// once, the others are counted.
    pub(crate) fn report_fault(&mut self, pictures: u64, fault: &CameraError) {
        self.missing += pictures;
        if self.first_fault.is_none() {
            let words = fault.to_string();
            tracing::warn!(camera = self.context.sink.name(), fault = words, "recording has a fault; playing on");
            self.context.sink.status(SourceState::Up, format!("{words}; playing on"));
            self.first_fault = Some(words);
        }
    }

    fn captured_at(&mut self, media_ns: i64) -> Timestamp {
        // Without a set start the first picture is captured now, wherever in the recording it stands.
        let now = self.context.clock.now();
        self.start_at.get_or_insert_with(|| now.plus_ns(-media_ns)).plus_ns(media_ns)
    }

    fn summary(&self) -> String {
        let fault =
            self.first_fault.as_ref().map(|fault| format!("; {} missing, the first because {fault}", self.missing));
        format!("played {} pictures{}", self.shown, fault.unwrap_or_default())
    }
}
