//! The thread of one camera's detector: frames in, detections to the core, then pictures to whoever wants them.
//!
//! The camera's queue in front of it drops the oldest frame when the networks are slower than the camera; what was dropped
//! there or left out here goes to the core as a fact like everything else.

use super::core_thread::Arrival;
use super::engine::Sight;
use super::pictures::Pictures;
use crate::event::{DetectionFrame, EventBody, FrameDropped, FrameTimings, SourceId};
use crate::health::FrameObserver;
use crate::sources::camera::{CameraFrame, CameraHandle, CameraOutput};
use crate::sources::clock::Clock;
use crate::sources::queue::{Sender, Sent};
use crate::telemetry::Telemetry;
use masa_inference::{AppearanceDescriptor, Detection};
use std::sync::Arc;

/// Detections of one frame at most; a busy junction has dozens.
const MAX_DETECTIONS: usize = 512;

pub(crate) struct DetectorThread {
    pub(crate) name: String,
    pub(crate) source: SourceId,
    pub(crate) sight: Sight,
    /// What the tracker wants to know of looks.
    pub(crate) appearance: Option<AppearanceDescriptor>,
    /// What the detector saw in the newest frame.
    pub(crate) seen: Vec<Detection>,
    pub(crate) arrivals: Sender<Arrival>,
    pub(crate) pictures: Pictures,
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) clock: Clock,
}

impl DetectorThread {
    /// Runs until the camera has ended or the core is gone.
    pub(crate) fn run(mut self, camera: &CameraHandle) {
        let mut observer = FrameObserver::default();
        while let Some(output) = camera.recv() {
            let (body, frame) = match output {
                CameraOutput::Frame(frame) => {
                    let mut statistics = None;
                    let body = self.detect(&frame, || {
                        statistics = Some(observer.observe(frame.frame, frame.captured_at, &frame.image));
                    });
                    if let Some(statistics) = statistics {
                        let body = EventBody::FrameStatistics(statistics);
                        if let Sent::Closed(_) = self.arrivals.send(Arrival { source: self.source, body }) {
                            return;
                        }
                    }
                    (body, Some(frame))
                }
                CameraOutput::Dropped(dropped) => {
                    self.telemetry.frame_dropped(&self.name, dropped.reason);
                    self.sight.lost(&dropped);
                    (EventBody::FrameDropped(dropped), None)
                }
                CameraOutput::Status(status) => {
                    tracing::info!(source = status.name, state = ?status.state, detail = status.detail, "camera");
                    (EventBody::Status(status), None)
                }
            };
            let perceived = matches!(body, EventBody::Detections(_));
            if let Sent::Closed(_) = self.arrivals.send(Arrival { source: self.source, body }) {
                return;
            }
            // After the core has what it needs: pictures must not hold up a message.
            if let Some(frame) = frame {
                self.pictures.take(&frame, perceived.then_some(self.seen.as_slice()));
            }
        }
    }

    /// What the core is told of a frame. What is seen in it stays in `seen`: also what is too weak for the core. While the
    /// networks look at it, `meanwhile` runs.
    fn detect(&mut self, frame: &CameraFrame, meanwhile: impl FnOnce()) -> EventBody {
        let (times, threshold) = match self.sight.see(frame, &mut self.seen, meanwhile) {
            Ok(seen) => seen,
            Err(reason) => {
                self.telemetry.frame_dropped(&self.name, reason);
                let (frame, captured_at) = (frame.frame, frame.captured_at);
                return EventBody::FrameDropped(FrameDropped { frame, captured_at, reason });
            }
        };
        // In the camera's queue and in the pool's: all that the network did not take.
        let busy_us = times.preprocess_us + times.inference_us + times.postprocess_us;
        let queue_us = self.clock.micros_since(frame.handed_over).saturating_sub(busy_us);
        if self.seen.len() > MAX_DETECTIONS {
            // Highest scores first is the detector's order.
            self.seen.truncate(MAX_DETECTIONS);
            metrics::counter!("masa_detections_truncated_total", "source" => self.name.clone()).increment(1);
        }
        let timings = FrameTimings {
            decode_us: frame.decode_us,
            queue_us,
            preprocess_us: times.preprocess_us,
            inference_us: times.inference_us,
            postprocess_us: times.postprocess_us,
        };
        self.telemetry.record_frame(&timings);
        self.telemetry.frame(&self.name);
        let strong = self.seen.partition_point(|detection| detection.score >= threshold);
        let mut detections = self.seen[..strong].to_vec();
        if let Some(descriptor) = self.appearance {
            descriptor.describe(&frame.image, &mut detections);
        }
        EventBody::Detections(DetectionFrame {
            frame: frame.frame,
            captured_at: frame.captured_at,
            width_px: frame.image.width,
            height_px: frame.image.height,
            detections,
            timings,
        })
    }
}
