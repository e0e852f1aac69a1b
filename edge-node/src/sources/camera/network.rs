//! What network cameras share: a receiving thread that connects again and again, and its queue to the decoder.
//!
//! Receiving and decoding have threads of their own, so that a slow decoder never fills the socket's buffers with
//! pictures that grow old: the queue between the two is bounded and what does not fit is lost, and said to be.

use super::sink::Flow;
use super::{CameraError, Context};
use crate::event::{DropReason, SourceState};
use crate::sources::backoff::{Backoff, BackoffSettings};
use crate::sources::clock::{Clock, Waited};
use crate::sources::queue::{self, Receiver, Sender, Sent, WhenFull};
use crate::sources::stop::StopToken;
use masa_v2x_proto::time::Timestamp;
use std::thread::JoinHandle;
use std::time::Duration;

/// From the receiving thread to the decoding one.
pub(crate) enum Incoming<T> {
    /// An encoded picture.
    Picture(T),
    /// A picture that was received and could not be queued.
    Lost { captured_at: Timestamp },
    /// A connection begins: what was received before has no successor.
    Connecting(String),
}

/// The receiving thread's end.
pub(crate) struct Link<T> {
    pub(crate) clock: Clock,
    /// Longest time without anything from the peer.
    pub(crate) silence: Duration,
    sender: Sender<Incoming<T>>,
    delivered: bool,
}

impl<T> Link<T> {
    /// Queues a picture; what has to go for it is reported by `captured_at`. False when the picture itself had to go.
    pub(crate) fn deliver(&mut self, picture: T, captured_at: impl Fn(&T) -> Timestamp) -> bool {
        self.delivered = true;
        match self.sender.send(Incoming::Picture(picture)) {
            Sent::Displaced(Incoming::Picture(oldest)) => {
                self.lose(captured_at(&oldest));
                true
            }
            Sent::Refused(Incoming::Picture(picture)) => {
                self.lose(captured_at(&picture));
                false
            }
            _ => true,
        }
    }

    pub(crate) fn lose(&self, captured_at: Timestamp) {
        self.sender.report(Incoming::Lost { captured_at });
    }

    /// Completes with `future`, or fails after the longest silence.
    pub(crate) async fn in_time<F: Future>(&self, what: &str, future: F) -> Result<F::Output, String> {
        let silent = || format!("no answer within {:.1} s while {what}", self.silence.as_secs_f64());
        tokio::time::timeout(self.silence, future).await.map_err(|_| silent())
    }
}

/// A peer that sends pictures.
pub(crate) trait Peer: Send + 'static {
    /// An encoded picture.
    type Picture: Send + 'static;

    /// URL without credentials.
    fn url(&self) -> String;

    /// Connects and delivers; returns when the connection has failed, with the reason.
    fn receive(&mut self, link: &mut Link<Self::Picture>) -> impl Future<Output = String>;
}

/// How a peer is reached.
pub(crate) struct Reach {
    pub(crate) silence_ms: u64,
    pub(crate) reconnect: BackoffSettings,
    /// Encoded pictures that may wait for the decoder.
    pub(crate) capacity: usize,
    pub(crate) when_full: WhenFull,
}

/// A receiving thread; joined when dropped.
struct ReceivingThread {
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl Drop for ReceivingThread {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a receiving thread panicked");
        }
    }
}

/// Receives from `peer` on a thread of its own and hands everything to `decode` on this one, until the source is stopped
/// or `decode` says so.
pub(crate) fn receive<P: Peer>(
    peer: P,
    reach: Reach,
    context: &mut Context,
    mut decode: impl FnMut(Incoming<P::Picture>, &mut Context) -> Result<Flow, CameraError>,
) -> Result<String, CameraError> {
    let (sender, receiver) = queue::bounded(reach.capacity, reach.when_full);
    let stop = context.stop.child();
    let backoff = Backoff::new(reach.reconnect, context.sink.source().0.into());
    let silence = Duration::from_millis(reach.silence_ms);
    let link = Link { clock: context.clock.clone(), silence, sender, delivered: false };
    let name = context.sink.name().to_owned();
    let no_thread = |source| CameraError::Thread { name: name.clone(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
    let thread = std::thread::Builder::new()
        .name(format!("receive-{name}"))
        .spawn({
            let stop = stop.clone();
            move || runtime.block_on(keep_connected(peer, link, backoff, stop))
        })
        .map_err(no_thread)?;
    let _thread = ReceivingThread { stop, thread: Some(thread) };
    drain(&receiver, context, &mut decode)
}

fn drain<T>(
    receiver: &Receiver<Incoming<T>>,
    context: &mut Context,
    decode: &mut impl FnMut(Incoming<T>, &mut Context) -> Result<Flow, CameraError>,
) -> Result<String, CameraError> {
    while let Some(incoming) = receiver.recv() {
        match &incoming {
            Incoming::Lost { captured_at } => context.sink.lost(*captured_at, DropReason::QueueFull),
            Incoming::Connecting(detail) => context.sink.status(SourceState::Connecting, detail.clone()),
            Incoming::Picture(_) => {}
        }
        if decode(incoming, context)? == Flow::Stop {
            break;
        }
    }
    Ok(format!("stopped after {} pictures", context.sink.frames()))
}

async fn keep_connected<P: Peer>(mut peer: P, mut link: Link<P::Picture>, mut backoff: Backoff, stop: StopToken) {
    let url = peer.url();
    link.sender.report(Incoming::Connecting(format!("connecting to {url}")));
    loop {
        link.delivered = false;
        let reason = tokio::select! {
            () = stop.stopped() => return,
            reason = peer.receive(&mut link) => reason,
        };
        if link.delivered {
            backoff.reset();
        }
        let wait = backoff.next_wait();
        let seconds = wait.as_secs_f64();
        link.sender.report(Incoming::Connecting(format!("{url}: {reason}; next attempt in {seconds:.1} s")));
        if link.clock.sleep(wait, &stop).await == Waited::Stopped {
            return;
        }
    }
}

/// Checks the URL of a camera.
pub(crate) fn parse_url(text: &str, scheme: &str) -> Result<url::Url, CameraError> {
    let wrong =
        |what| CameraError::Settings(format!("`url` is `{text}`: {what}; it should be like {scheme}://host/path"));
    let url = url::Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        let what = "`url` must not hold a user or password: use `credentials`";
        return Err(CameraError::Settings(what.to_owned()));
    }
    if url.scheme() != scheme {
        return Err(wrong(format!("`{}` is not supported", url.scheme())));
    }
    if url.host_str().is_none() {
        return Err(wrong("no host".to_owned()));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_secrets_are_not_repeated() {
        assert!(parse_url("rtsp://camera.example:8554/1", "rtsp").is_ok());
        for bad in ["rtsp://op:secret@camera/1", "http://camera/1", "camera", "rtsp:/1"] {
            let error = parse_url(bad, "rtsp").unwrap_err().to_string();
            assert!(!error.contains("secret") && error.contains("url"), "{error}");
        }
    }
}
