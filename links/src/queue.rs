//! Bounded queues of one link, one lane per [`Priority`]: pushing never blocks, the first lane is served first.

use crate::message::Priority;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What a full lane does with one more item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// The oldest item goes: for states, of which the newest counts.
    DropOldest,
    /// The new item goes: for items that somebody else still has and will offer again.
    DropNewest,
}

/// Size and policy of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
    pub capacity: usize,
    pub when_full: WhenFull,
}

/// Four bounded lanes.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    lanes: [Lane; Priority::ALL.len()],
    queues: Mutex<[VecDeque<T>; Priority::ALL.len()]>,
    filled: Notify,
}

impl<T> Lanes<T> {
    pub(crate) fn new(lanes: [Lane; Priority::ALL.len()]) -> Self {
        Self { lanes, queues: Mutex::new(Default::default()), filled: Notify::new() }
    }

    fn queues(&self) -> MutexGuard<'_, [VecDeque<T>; Priority::ALL.len()]> {
        // A panic while holding the lock leaves whole items behind: the queue stays usable.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `item`; returns what had to go for it.
    pub(crate) fn push(&self, priority: Priority, item: T) -> Option<T> {
        let Lane { capacity, when_full } = self.lanes[priority as usize];
        let mut queues = self.queues();
        let queue = &mut queues[priority as usize];
        let dropped = if queue.len() < capacity {
            queue.push_back(item);
            None
        } else {
            match when_full {
                WhenFull::DropNewest => Some(item),
                WhenFull::DropOldest => {
                    let oldest = queue.pop_front();
                    queue.push_back(item);
                    oldest
                }
            }
        };
        drop(queues);
        self.filled.notify_one();
        dropped
    }

    /// The next item by priority, then age.
    pub(crate) fn try_pop(&self) -> Option<T> {
        self.queues().iter_mut().find_map(VecDeque::pop_front)
    }

    /// Waits for the next item; cancel-safe.
    pub(crate) async fn pop(&self) -> T {
        loop {
            let filled = self.filled.notified();
            if let Some(item) = self.try_pop() {
                return item;
            }
            filled.await;
        }
    }

    /// Free places of a lane.
    pub(crate) fn room(&self, priority: Priority) -> usize {
        self.lanes[priority as usize].capacity.saturating_sub(self.queues()[priority as usize].len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queues().iter().all(VecDeque::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(capacity: usize, when_full: WhenFull) -> Lanes<u32> {
        Lanes::new([Lane { capacity, when_full }; 4])
    }

    #[test]
    fn priority_comes_before_age() {
        let q = lanes(4, WhenFull::DropOldest);
        for (priority, item) in
            [(Priority::Status, 1), (Priority::Safety, 2), (Priority::Event, 3), (Priority::Safety, 4)]
        {
            assert_eq!(q.push(priority, item), None);
        }
        let order: Vec<_> = std::iter::from_fn(|| q.try_pop()).collect();
        assert_eq!(order, [2, 4, 3, 1]);
    }

    #[test]
    fn a_full_lane_returns_what_had_to_go() {
        let oldest = lanes(2, WhenFull::DropOldest);
        let newest = lanes(2, WhenFull::DropNewest);
        let dropped: Vec<_> = (1..=4).filter_map(|i| oldest.push(Priority::Status, i)).collect();
        assert_eq!(dropped, [1, 2]);
        let dropped: Vec<_> = (1..=4).filter_map(|i| newest.push(Priority::Safety, i)).collect();
        assert_eq!(dropped, [3, 4]);
        assert_eq!(oldest.room(Priority::Status), 0);
        assert_eq!(oldest.room(Priority::Safety), 2);
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_up() {
        let q = std::sync::Arc::new(lanes(2, WhenFull::DropOldest));
        let reader = tokio::spawn({
            let q = q.clone();
            async move { (q.pop().await, q.pop().await) }
        });
        tokio::task::yield_now().await;
        q.push(Priority::Bulk, 7);
        q.push(Priority::Bulk, 8);
        assert_eq!(reader.await.unwrap(), (7, 8));
        assert!(q.is_empty());
    }
}
