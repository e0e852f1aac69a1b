//! A source that runs on a thread of its own and is read through a queue.
//!
//! In: a future that fills the queue until its [`StopToken`] is given. Out: a [`Worker`] to read from. Invariants: dropping
//! it stops the source and waits for its thread.

use super::queue::{NothingReceived, Receiver};
use super::stop::StopToken;
use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

/// A running source.
pub struct Worker<T> {
    receiver: Receiver<T>,
    stop: StopToken,
    thread: Option<JoinHandle<()>>,
}

impl<T> Worker<T> {
    /// Runs `run` on a thread `name`; `stop` ends it, `receiver` is what it fills.
    pub(super) fn start<F: Future<Output = ()>>(
        name: &str,
        receiver: Receiver<T>,
        stop: StopToken,
        run: impl FnOnce() -> F + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread =
            std::thread::Builder::new().name(name.to_owned()).spawn(move || runtime.block_on(async { run().await }))?;
        Ok(Self { receiver, stop, thread: Some(thread) })
    }

    /// The next output; blocks for it. `None` once the source was stopped or came to its end.
    pub fn recv(&self) -> Option<T> {
        self.receiver.recv()
    }

    /// The next output, if it comes within `timeout`.
    ///
    /// # Errors
    /// [`NothingReceived`] says whether to try again.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, NothingReceived> {
        self.receiver.recv_timeout(timeout)
    }

    /// The next output, without blocking the thread. `None` once the source was stopped or came to its end.
    pub async fn recv_async(&self) -> Option<T> {
        self.receiver.recv_async().await
    }

    /// Ends the source and waits for its thread.
    pub fn shut_down(self) {}
}

impl<T> Drop for Worker<T> {
    fn drop(&mut self) {
        self.stop.stop();
        self.receiver.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a source's thread panicked");
        }
    }
}

/// Longest piece of what was refused that is reported, bytes.
const EXCERPT_BYTES: usize = 100;

/// The beginning of what was refused, for a report.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(EXCERPT_BYTES)]).into_owned()
}
