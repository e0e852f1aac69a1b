//! Bounded hand-over between a source and its consumer, for threads and tasks.
//!
//! Two lanes share one order: items, which obey [`WhenFull`], and reports (status changes, dropped frames), which have
//! their own capacity so that no flood of items can push out the news that items were lost. When even the report lane
//! overflows its oldest entry goes and [`Receiver::lost_reports`] counts it. One consumer; any number of producers.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Capacity of the report lane.
pub const REPORT_CAPACITY: usize = 1024;

/// What a full queue does with one item more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The producer waits.
    Block,
    /// The oldest item goes.
    DropOldest,
    /// The new item goes.
    DropNewest,
}

/// What became of an item.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent<T> {
    /// It is in the queue.
    Stored,
    /// It is in the queue; the oldest one had to go.
    Displaced(T),
    /// The queue was full; here it is back.
    Refused(T),
    /// Nobody will ever receive it; here it is back.
    Closed(T),
}

/// Nothing came in time, or nothing will come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NothingReceived {
    /// The time is over.
    TimedOut,
    /// All senders are gone and the queue is empty.
    Closed,
}

struct Shared<T> {
    lanes: Mutex<Lanes<T>>,
    capacity: usize,
    when_full: WhenFull,
    items: Condvar,
    space: Condvar,
    task: Notify,
}

struct Lanes<T> {
    items: VecDeque<(u64, T)>,
    reports: VecDeque<(u64, T)>,
    next: u64,
    lost_reports: u64,
    senders: usize,
    receiver_gone: bool,
}

impl<T> Lanes<T> {
    fn pop(&mut self) -> Option<T> {
        let report_first = match (self.items.front(), self.reports.front()) {
            (Some((item, _)), Some((report, _))) => report < item,
            (None, Some(_)) => true,
            _ => false,
        };
        let lane = if report_first { &mut self.reports } else { &mut self.items };
        lane.pop_front().map(|(_, entry)| entry)
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Lanes<T>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_receiver(&self) {
        self.items.notify_one();
        self.task.notify_one();
    }
}

/// Makes a queue for `capacity` items, at least one.
pub fn bounded<T>(capacity: usize, when_full: WhenFull) -> (Sender<T>, Receiver<T>) {
    let lanes = Lanes {
        items: VecDeque::new(),
        reports: VecDeque::new(),
        next: 0,
        lost_reports: 0,
        senders: 1,
        receiver_gone: false,
    };
    let shared = Arc::new(Shared {
        lanes: Mutex::new(lanes),
        capacity: capacity.max(1),
        when_full,
        items: Condvar::new(),
        space: Condvar::new(),
        task: Notify::new(),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// The producer's end.
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Hands over an item; blocks only under [`WhenFull::Block`], until there is space or the receiver is gone.
    pub fn send(&self, item: T) -> Sent<T> {
        let mut lanes = self.0.lock();
        let mut displaced = None;
        while lanes.items.len() >= self.0.capacity && !lanes.receiver_gone {
            match self.0.when_full {
                WhenFull::Block => lanes = self.0.space.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                WhenFull::DropOldest => displaced = lanes.items.pop_front(),
                WhenFull::DropNewest => return Sent::Refused(item),
            }
        }
        if lanes.receiver_gone {
            return Sent::Closed(item);
        }
        let number = lanes.number();
        lanes.items.push_back((number, item));
        drop(lanes);
        self.0.wake_receiver();
        displaced.map_or(Sent::Stored, |(_, oldest)| Sent::Displaced(oldest))
    }

    /// Hands over a report; never blocks. False when nobody will ever receive it.
    pub fn report(&self, report: T) -> bool {
        let mut lanes = self.0.lock();
        if lanes.receiver_gone {
            return false;
        }
        if lanes.reports.len() >= REPORT_CAPACITY {
            lanes.reports.pop_front();
            lanes.lost_reports += 1;
        }
        let number = lanes.number();
        lanes.reports.push_back((number, report));
        drop(lanes);
        self.0.wake_receiver();
        true
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.wake_receiver();
    }
}

/// The consumer's end.
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// The next entry; blocks for it. `None` when all senders are gone and the queue is empty.
    pub fn recv(&self) -> Option<T> {
        let lanes = self.0.lock();
        let waiting = |lanes: &mut Lanes<T>| lanes.items.is_empty() && lanes.reports.is_empty() && lanes.senders > 0;
        let lanes = self.0.items.wait_while(lanes, waiting).unwrap_or_else(PoisonError::into_inner);
        self.take(lanes)
    }

    /// The next entry, if it comes within `timeout`.
    ///
    /// # Errors
    /// [`NothingReceived`] says whether to try again.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, NothingReceived> {
        let lanes = self.0.lock();
        let waiting = |lanes: &mut Lanes<T>| lanes.items.is_empty() && lanes.reports.is_empty() && lanes.senders > 0;
        let waited = self.0.items.wait_timeout_while(lanes, timeout, waiting);
        let (lanes, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        let nothing = if timed_out.timed_out() { NothingReceived::TimedOut } else { NothingReceived::Closed };
        self.take(lanes).ok_or(nothing)
    }

    /// The next entry, if one is there.
    pub fn try_recv(&self) -> Option<T> {
        self.take(self.0.lock())
    }

    /// The next entry, without blocking the thread. `None` when all senders are gone and the queue is empty.
    pub async fn recv_async(&self) -> Option<T> {
        loop {
            {
                let mut lanes = self.0.lock();
                if let Some(entry) = lanes.pop() {
                    drop(lanes);
                    self.0.space.notify_one();
                    return Some(entry);
                }
                if lanes.senders == 0 {
                    return None;
                }
            }
            // A wake-up between the check and here is kept as a permit by `notify_one`.
            self.0.task.notified().await;
        }
    }

    /// How many reports were lost because the consumer was too slow even for those.
    pub fn lost_reports(&self) -> u64 {
        self.0.lock().lost_reports
    }

    /// Takes nothing more: producers get [`Sent::Closed`], also those that wait now.
    pub fn close(&self) {
        self.0.lock().receiver_gone = true;
        self.0.space.notify_all();
    }

    fn take(&self, mut lanes: MutexGuard<'_, Lanes<T>>) -> Option<T> {
        let entry = lanes.pop();
        drop(lanes);
        self.0.space.notify_one();
        entry
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_obeys_its_policy() {
        let (sender, receiver) = bounded(2, WhenFull::DropOldest);
        assert_eq!([sender.send(1), sender.send(2), sender.send(3)], [Sent::Stored, Sent::Stored, Sent::Displaced(1)]);
        assert_eq!((receiver.try_recv(), receiver.try_recv(), receiver.try_recv()), (Some(2), Some(3), None));

        let (sender, receiver) = bounded(1, WhenFull::DropNewest);
        assert_eq!([sender.send(1), sender.send(2)], [Sent::Stored, Sent::Refused(2)]);
        assert_eq!(receiver.recv(), Some(1));
    }

    #[test]
    fn block_waits_for_space_and_gives_up_when_the_receiver_goes() {
        let (sender, receiver) = bounded(1, WhenFull::Block);
        let producer = std::thread::spawn(move || (0..4).map(|n| sender.send(n)).collect::<Vec<_>>());
        assert_eq!((receiver.recv(), receiver.recv()), (Some(0), Some(1)));
        drop(receiver);
        let sent = producer.join().unwrap();
        assert_eq!(sent[3], Sent::Closed(3));
    }

    #[test]
    fn reports_keep_their_place_and_survive_a_flood_of_items() {
        let (sender, receiver) = bounded(2, WhenFull::DropOldest);
        sender.send(1);
        assert!(sender.report(-1));
        for item in 2..50 {
            sender.send(item);
        }
        sender.report(-2);
        drop(sender);
        let all: Vec<_> = std::iter::from_fn(|| receiver.recv()).collect();
        assert_eq!(all, [-1, 48, 49, -2]);
        assert_eq!(receiver.lost_reports(), 0);
    }

    #[test]
    fn the_report_lane_is_bounded_too() {
        let (sender, receiver) = bounded(1, WhenFull::Block);
        for n in 0..REPORT_CAPACITY + 3 {
            sender.report(n);
        }
        assert_eq!(receiver.try_recv(), Some(3));
        assert_eq!(receiver.lost_reports(), 3);
    }

    #[test]
    fn a_timeout_and_a_closed_queue_are_told_apart() {
        let (sender, receiver) = bounded::<u8>(1, WhenFull::Block);
        assert_eq!(receiver.recv_timeout(Duration::from_millis(1)), Err(NothingReceived::TimedOut));
        drop(sender);
        assert_eq!(receiver.recv_timeout(Duration::from_secs(600)), Err(NothingReceived::Closed));
    }

    #[tokio::test]
    async fn a_task_receives_what_a_thread_sends() {
        let (sender, receiver) = bounded(1, WhenFull::Block);
        let producer = std::thread::spawn(move || (0..100).for_each(|n| assert_eq!(sender.send(n), Sent::Stored)));
        let mut received = Vec::new();
        while let Some(n) = receiver.recv_async().await {
            received.push(n);
        }
        producer.join().unwrap();
        assert_eq!(received, (0..100).collect::<Vec<_>>());
    }
}
