//! One camera's pictures through the networks.

use super::governor::{Choice, Governor};
use super::pool::{Client, Missed, NetworkSpec, Pool};
use super::{InferenceSettings, Network};
use crate::event::DropReason;
use crate::sources::camera::CameraFrame;
use crate::sources::clock::Clock;
use masa_inference::{Detection, StageTimes};
use std::time::Duration;

/// How fresh a camera's pictures must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// They come when they come: the oldest goes, and old ones are of no use.
    Live,
    /// The camera waits for the networks: none may be left out.
    EveryPicture,
}

/// See the module.
pub(crate) struct Sight {
    client: Client,
    own: Network,
    light: Option<Network>,
    governor: Governor,
    deadline: Option<Duration>,
    clock: Clock,
}

impl Sight {
    /// The way of a camera with the network `own`, which is among those that the pool was started with, as is `light`.
    pub(crate) fn new(
        pool: &Pool,
        own: &NetworkSpec,
        light: Option<&NetworkSpec>,
        settings: &InferenceSettings,
        freshness: Freshness,
        clock: Clock,
    ) -> Option<Self> {
        let (policy, deadline) = match freshness {
            Freshness::Live => (settings.under_load.clone(), Some(settings.deadline())),
            Freshness::EveryPicture => (super::UnderLoad::DropOldest, None),
        };
        Some(Self {
            client: pool.client(),
            own: pool.network(own)?.clone(),
            light: light.and_then(|light| pool.network(light)).cloned(),
            governor: Governor::new(policy, settings.deadline()),
            deadline,
            clock,
        })
    }

    /// Finds what a picture shows, `seen`; gives the times and the score from which on a detection is one for the core. While
    /// the networks look at it, or where it is left out, `meanwhile` runs.
    ///
    /// # Errors
    /// Why the picture was left out.
    pub(crate) fn see(
        &mut self,
        frame: &CameraFrame,
        seen: &mut Vec<Detection>,
        meanwhile: impl FnOnce(),
    ) -> Result<(StageTimes, f32), DropReason> {
        let network = match (self.governor.choose(frame.captured_at), &self.light) {
            (Choice::LeaveOut, _) => {
                meanwhile();
                return Err(DropReason::LeftOut);
            }
            (Choice::Light, Some(light)) => light,
            (Choice::Own | Choice::Light, _) => &self.own,
        };
        let threshold = network.description.head.score_threshold;
        let deadline = self.deadline.map_or(Duration::MAX, |span| frame.handed_over + span);
        match self.client.detect(network.index, &frame.image, deadline, seen, meanwhile) {
            Ok(times) => {
                self.governor.done(frame.captured_at, self.clock.elapsed().saturating_sub(frame.handed_over));
                Ok((times, threshold))
            }
            Err(missed) => {
                self.governor.lost(frame.captured_at);
                Err(match missed {
                    Missed::Deadline => DropReason::DeadlineMissed,
                    Missed::Failed(_) | Missed::Stopped => {
                        tracing::warn!(frame = frame.frame, error = %missed, "inference failed");
                        DropReason::InferenceFailed
                    }
                })
            }
        }
    }

    /// A picture went because newer ones came before a network was free.
    pub(crate) fn lost(&mut self, dropped: &crate::event::FrameDropped) {
        if dropped.reason == DropReason::QueueFull {
            self.governor.lost(dropped.captured_at);
        }
    }
}
