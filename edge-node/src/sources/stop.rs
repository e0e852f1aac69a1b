//! One-way stop signals that wake threads and tasks alike.
//!
//! A token is cloned freely; a [`StopToken::child`] stops with its parent but can also be stopped alone, so that one
//! camera can be closed without touching the others.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// A signal that, once given, stays given.
#[derive(Clone, Debug, Default)]
pub struct StopToken(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    threads: Condvar,
    tasks: Notify,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    children: Vec<Weak<Inner>>,
}

impl StopToken {
    /// A token that has not been stopped.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that stops with this one, and can be stopped alone.
    pub fn child(&self) -> Self {
        let child = Self::new();
        let mut state = self.lock();
        if state.stopped {
            drop(state);
            child.stop();
        } else {
            state.children.retain(|other| other.strong_count() > 0);
            state.children.push(Arc::downgrade(&child.0));
        }
        child
    }

    /// Gives the signal to everyone who waits on this token or on its children.
    pub fn stop(&self) {
        let children = {
            let mut state = self.lock();
            state.stopped = true;
            std::mem::take(&mut state.children)
        };
        self.0.threads.notify_all();
        self.0.tasks.notify_waiters();
        for child in children.iter().filter_map(Weak::upgrade) {
            Self(child).stop();
        }
    }

    /// Whether the signal was given.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Blocks until the signal is given or `timeout` is over; true when it was given.
    pub fn wait(&self, timeout: Duration) -> bool {
        let state = self.lock();
        let waited = self.0.threads.wait_timeout_while(state, timeout, |state| !state.stopped);
        waited.unwrap_or_else(PoisonError::into_inner).0.stopped
    }

    /// Completes when the signal is given.
    pub async fn stopped(&self) {
        loop {
            let notified = self.0.tasks.notified();
            tokio::pin!(notified);
            // Registered before the check, so that a signal between the two is not missed.
            notified.as_mut().enable();
            if self.is_stopped() {
                return;
            }
            notified.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_stops_with_its_parent_but_not_the_other_way() {
        let parent = StopToken::new();
        let (first, second) = (parent.child(), parent.child());
        first.stop();
        assert!(first.is_stopped() && !parent.is_stopped() && !second.is_stopped());
        parent.stop();
        assert!(second.is_stopped() && parent.child().is_stopped());
    }

    #[test]
    fn stopping_wakes_a_thread_and_a_task() {
        let token = StopToken::new();
        let thread = std::thread::spawn({
            let token = token.clone();
            move || token.wait(Duration::from_secs(600))
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let task = runtime.spawn({
            let token = token.clone();
            async move { token.stopped().await }
        });
        token.stop();
        assert!(thread.join().unwrap());
        runtime.block_on(task).unwrap();
    }
}
