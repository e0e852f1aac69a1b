//! Where cameras put what they have: numbers pictures, applies the queue's policy, turns losses into facts.

use super::{CameraFrame, CameraOutput, Encoded};
use crate::event::{DropReason, FrameDropped, SourceId, SourceState, StatusChange};
use crate::sources::clock::Clock;
use crate::sources::queue::{Sender, Sent};
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use std::sync::Arc;

/// Whether a source is to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    /// Nobody listens any more.
    Stop,
}

/// The source's end of its queue.
pub(crate) struct FrameSink {
    sender: Sender<CameraOutput>,
    source: SourceId,
    name: String,
    clock: Clock,
    last_frame: u64,
    last_captured_at: Option<Timestamp>,
    state: Option<SourceState>,
}

impl FrameSink {
    pub(crate) fn new(sender: Sender<CameraOutput>, source: SourceId, name: &str, clock: Clock) -> Self {
        let name = name.to_owned();
        Self { sender, source, name, clock, last_frame: 0, last_captured_at: None, state: None }
    }

    pub(crate) fn source(&self) -> SourceId {
        self.source
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Numbers of pictures so far, lost ones included.
    pub(crate) fn frames(&self) -> u64 {
        self.last_frame
    }

    /// Hands over a picture. A capture time that is not after the last one's is moved one nanosecond past it: time goes
    /// on within a source.
    pub(crate) fn frame(
        &mut self,
        captured_at: Timestamp,
        image: RgbImage,
        encoded: Option<Encoded>,
        decode_us: u32,
    ) -> Flow {
        let captured_at = self.last_captured_at.map_or(captured_at, |last| captured_at.max(last.plus_ns(1)));
        self.last_captured_at = Some(captured_at);
        self.last_frame += 1;
        metrics::counter!("masa_camera_frames_total", "camera" => self.name.clone()).increment(1);
        let frame = CameraFrame {
            frame: self.last_frame,
            captured_at,
            image: Arc::new(image),
            encoded,
            decode_us,
            handed_over: self.clock.elapsed(),
        };
        match self.sender.send(CameraOutput::Frame(frame)) {
            Sent::Stored => Flow::Continue,
            Sent::Displaced(CameraOutput::Frame(frame)) | Sent::Refused(CameraOutput::Frame(frame)) => {
                self.drop_frame(frame.frame, frame.captured_at, DropReason::QueueFull);
                Flow::Continue
            }
            // Only pictures travel in the lane that displaces.
            Sent::Displaced(_) | Sent::Refused(_) => Flow::Continue,
            Sent::Closed(_) => Flow::Stop,
        }
    }

    /// A picture that is known to have existed and will not come; it gets a number too.
    pub(crate) fn lost(&mut self, captured_at: Timestamp, reason: DropReason) {
        self.last_frame += 1;
        self.drop_frame(self.last_frame, captured_at, reason);
    }

    /// Reports a change of state, or news about an unchanged one.
    pub(crate) fn status(&mut self, state: SourceState, detail: String) {
        if state == SourceState::Failed {
            tracing::error!(camera = self.name, detail, "camera failed");
        } else {
            tracing::info!(camera = self.name, ?state, detail, "camera state");
        }
        self.state = Some(state);
        self.sender.report(CameraOutput::Status(StatusChange { name: self.name.clone(), state, detail }));
    }

    /// The state last reported.
    pub(crate) fn state(&self) -> Option<SourceState> {
        self.state
    }

    fn drop_frame(&self, frame: u64, captured_at: Timestamp, reason: DropReason) {
        metrics::counter!("masa_camera_frames_dropped_total", "camera" => self.name.clone(), "reason" => reason.label())
            .increment(1);
        self.sender.report(CameraOutput::Dropped(FrameDropped { frame, captured_at, reason }));
    }
}

impl Drop for FrameSink {
    /// A panic, which only a fault in a decoder could cause, must not look like a camera that has merely ended.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.status(SourceState::Failed, "the camera's thread panicked; see the log".to_owned());
        }
    }
}
