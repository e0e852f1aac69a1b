//! The way of camera pictures from the detector's thread to browsers.
//!
//! In: frames, raw and anonymised, while somebody watches. Out: the newest of each. Raw pictures are given only against an
//! [`OnThisNode`], which a request gets when it comes from the node itself; everyone else can be handed no other type than
//! [`Anonymised`].

use super::picture::CameraPicture;
use crate::perception::privacy::Anonymised;
use axum::http::HeaderMap;
use masa_inference::RgbImage;
use masa_v2x_proto::time::Timestamp;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Shortest time between two pictures of a camera.
const PACE: Duration = Duration::from_millis(90);
/// How long a camera counts as watched after the last request.
const LINGER: Duration = Duration::from_secs(2);
/// What a proxy adds to a request.
const PROXY_MARKS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Proof that a request was made on the node itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnThisNode(());

impl OnThisNode {
    /// # Errors
    /// Why the request counts as coming from elsewhere. One that a proxy forwarded comes from somewhere else than its peer.
    pub(super) fn of(peer: IpAddr, headers: &HeaderMap) -> Result<Self, &'static str> {
        if !peer.to_canonical().is_loopback() {
            return Err(
                "Raw camera pictures stay in the node: only a browser that runs on the node itself may see them.\n",
            );
        }
        if PROXY_MARKS.iter().any(|mark| headers.contains_key(*mark)) {
            return Err(
                "Raw camera pictures stay in the node: this request came through a proxy, so they might leave it.\n",
            );
        }
        Ok(Self(()))
    }
}

/// The newest picture of one kind.
pub(super) type Newest<I> = watch::Receiver<Option<Arc<CameraPicture<I>>>>;

/// The pictures of one camera.
#[derive(Debug, Default)]
pub struct CameraFeed {
    raw: Channel<Arc<RgbImage>>,
    anonymised: Channel<Anonymised>,
}

impl CameraFeed {
    /// Offers a raw frame for browsers on the node itself. Costs nothing while none watches, and at most one call of
    /// `image` per tenth of a second otherwise.
    pub fn offer_raw(&self, frame: u64, captured_at: Timestamp, image: impl FnOnce() -> Arc<RgbImage>) {
        self.raw.offer(|| Some(CameraPicture::new(frame, captured_at, image())));
    }

    /// Offers a frame for everyone else; `image` is called as rarely as that of [`Self::offer_raw`], and gives nothing for
    /// a frame that is withheld.
    pub fn offer_anonymised(&self, image: impl FnOnce() -> Option<Anonymised>) {
        self.anonymised.offer(|| {
            let image = image()?;
            Some(CameraPicture::new(image.frame(), image.captured_at(), image))
        });
    }

    /// Whether somebody watches the anonymised pictures.
    pub fn wants_anonymised(&self) -> bool {
        self.anonymised.is_watched()
    }

    pub(super) fn raw(&self, _: OnThisNode) -> Newest<Arc<RgbImage>> {
        self.raw.watch()
    }

    pub(super) fn anonymised(&self) -> Newest<Anonymised> {
        self.anonymised.watch()
    }
}

/// Takes pictures of one kind while somebody watches.
#[derive(Debug)]
struct Channel<I> {
    picture: watch::Sender<Option<Arc<CameraPicture<I>>>>,
    times: Mutex<Times>,
}

#[derive(Debug, Default)]
struct Times {
    asked: Option<Instant>,
    offered: Option<Instant>,
}

impl<I> Default for Channel<I> {
    fn default() -> Self {
        Self { picture: watch::Sender::new(None), times: Mutex::default() }
    }
}

impl<I> Channel<I> {
    fn offer(&self, picture: impl FnOnce() -> Option<CameraPicture<I>>) {
        let at = now();
        {
            let mut times = self.times();
            let watched = self.is_watched_at(&times, at);
            if !watched && times.offered.take().is_some() {
                // Nobody looks any more: the pixels are not kept.
                self.picture.send_replace(None);
            }
            if !watched || within(times.offered, at, PACE) {
                return;
            }
            times.offered = Some(at);
        }
        if let Some(picture) = picture() {
            self.picture.send_replace(Some(Arc::new(picture)));
        }
    }

    fn is_watched(&self) -> bool {
        self.is_watched_at(&self.times(), now())
    }

    fn is_watched_at(&self, times: &Times, at: Instant) -> bool {
        self.picture.receiver_count() > 0 || within(times.asked, at, LINGER)
    }

    /// Starts or goes on watching. A picture left over from the last time somebody did is forgotten first.
    fn watch(&self) -> Newest<I> {
        let at = now();
        let mut times = self.times();
        if !self.is_watched_at(&times, at) {
            self.picture.send_replace(None);
        }
        times.asked = Some(at);
        self.picture.subscribe()
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[allow(clippy::disallowed_methods, reason = "paces pictures for people; no logic depends on it")]
fn now() -> Instant {
    Instant::now()
}

fn within(earlier: Option<Instant>, at: Instant, span: Duration) -> bool {
    earlier.is_some_and(|t| at.duration_since(t) < span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_of_the_node_itself_get_the_proof() {
        let none = HeaderMap::new();
        for local in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(OnThisNode::of(local.parse().unwrap(), &none).is_ok(), "{local}");
        }
        for remote in ["192.168.1.7", "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "2001:db8::1", "0.0.0.0"] {
            assert!(OnThisNode::of(remote.parse().unwrap(), &none).is_err(), "{remote}");
        }
        let mut forwarded = HeaderMap::new();
        forwarded.insert("X-Forwarded-For", "203.0.113.9".parse().unwrap());
        assert!(OnThisNode::of("127.0.0.1".parse().unwrap(), &forwarded).is_err());
    }

    #[test]
    fn frames_are_taken_only_while_somebody_watches() {
        let feed = CameraFeed::default();
        let image = Arc::new(RgbImage::new(1, 1, vec![0; 3]).unwrap());
        feed.offer_raw(1, Timestamp::default(), || panic!("nobody watches"));
        let pictures = feed.raw(OnThisNode(()));
        feed.offer_raw(2, Timestamp::default(), || image.clone());
        feed.offer_raw(3, Timestamp::default(), || panic!("too soon after frame 2"));
        assert_eq!(pictures.borrow().as_ref().unwrap().frame, 2);
        feed.offer_anonymised(|| panic!("nobody watches these"));

        drop(pictures);
        feed.raw.times().asked = None;
        feed.offer_raw(4, Timestamp::default(), || panic!("nobody watches any more"));
        assert!(feed.raw.picture.borrow().is_none(), "pixels are not kept once nobody watches");
    }
}
