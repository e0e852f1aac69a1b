//! Order without gaps and without doubles, of one station's at-least-once messages. Pure: no clock, no I/O.
//!
//! In: messages in any order and number, and pages that say what the publisher's outbox still holds. Out: each message
//! once, in the order of its number. A missing number is waited for while it can still be fetched; it is given up, and
//! counted, when the outbox says that it no longer has it or when the wait becomes too long: a warning must not be held
//! back for ever by one that is gone.

use crate::protocol::Page;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;

/// Messages held back per station and kind; beyond, the last ones are dropped and fetched later.
pub(super) const HELD: usize = 512;

/// What to do after something arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step<T> {
    /// Messages to hand on, in order, with their numbers.
    pub deliver: Vec<(u64, T)>,
    /// Numbers given up.
    pub lost: u64,
}

impl<T> Default for Step<T> {
    fn default() -> Self {
        Self { deliver: Vec::new(), lost: 0 }
    }
}

/// The order of one station's messages of one kind.
#[derive(Debug)]
pub(super) struct Sequencer<T> {
    /// 0 before the first word of the publisher.
    stream: u64,
    /// The number to hand on next; `None` until the outbox said where it begins.
    next: Option<u64>,
    /// Newest number known to exist.
    last: u64,
    held: BTreeMap<u64, T>,
    /// Since when something is missing.
    waiting_since: Option<Timestamp>,
    hold_ms: i64,
}

impl<T> Sequencer<T> {
    pub(super) fn new(hold_ms: i64) -> Self {
        Self { stream: 0, next: None, last: 0, held: BTreeMap::new(), waiting_since: None, hold_ms }
    }

    /// The stream, and the number up to which everything was handed on or given up.
    #[cfg(test)]
    fn position(&self) -> Option<(u64, u64)> {
        self.next.map(|next| (self.stream, next - 1))
    }

    /// After which number messages are missing, if any are.
    pub(super) fn missing_after(&self) -> Option<u64> {
        match self.next {
            None => (self.stream != 0).then_some(0),
            Some(next) => (self.last >= next).then_some(next - 1),
        }
    }

    /// One message arrived.
    pub(super) fn message(&mut self, now: Timestamp, stream: u64, number: u64, item: T) -> Step<T> {
        let mut step = Step::default();
        if !self.enter(stream, &mut step) {
            return step;
        }
        self.last = self.last.max(number);
        self.hold(number, item);
        self.advance(now, &mut step);
        step
    }

    /// A page arrived; `items` are its messages.
    pub(super) fn page(&mut self, now: Timestamp, page: &Page, items: Vec<(u64, T)>) -> Step<T> {
        let mut step = Step::default();
        if !self.enter(page.stream, &mut step) {
            return step;
        }
        self.last = self.last.max(page.last);
        let listed: Vec<u64> = items.iter().map(|(number, _)| *number).collect();
        for (number, item) in items {
            self.hold(number, item);
        }
        if page.after.is_some() || page.messages.is_empty() {
            // The word of the outbox itself: it knows where it begins.
            let begin = self.held.keys().next().map_or(page.first, |&held| held.min(page.first));
            let next = *self.next.get_or_insert(begin);
            if next < page.first {
                self.give_up_before(page.first, &mut step);
            }
        }
        if let (Some(after), Some(next)) = (page.after, self.next)
            && after < next
        {
            // Between two listed numbers, and after the last one when none is listed, nothing is available.
            for number in &listed {
                self.release(&mut step);
                self.give_up_before(*number, &mut step);
            }
            if listed.is_empty() {
                self.give_up_before(page.last + 1, &mut step);
            }
        }
        self.advance(now, &mut step);
        step
    }

    /// Time passed: gives up what is missing too long.
    pub(super) fn tick(&mut self, now: Timestamp) -> Step<T> {
        let mut step = Step::default();
        if let (Some(since), Some(&first)) = (self.waiting_since, self.held.keys().next())
            && now.seconds_since(since) * 1_000.0 >= self.hold_ms as f64
        {
            let next = *self.next.get_or_insert(first);
            if first > next {
                self.give_up_before(first, &mut step);
            }
            self.waiting_since = None;
        }
        self.advance(now, &mut step);
        step
    }

    /// Enters `stream`; false when it is an old one. What the old one held is handed on.
    fn enter(&mut self, stream: u64, step: &mut Step<T>) -> bool {
        if stream > self.stream {
            step.deliver.extend(std::mem::take(&mut self.held));
            (self.stream, self.next, self.last, self.waiting_since) = (stream, None, 0, None);
        }
        stream == self.stream
    }

    /// Keeps what has not been handed on; when there are too many, the one that is due last goes and is fetched again.
    fn hold(&mut self, number: u64, item: T) {
        if self.next.is_none_or(|next| number >= next) {
            self.held.entry(number).or_insert(item);
            if self.held.len() > HELD {
                self.held.pop_last();
            }
        }
    }

    /// Hands on what follows without a gap.
    fn release(&mut self, step: &mut Step<T>) {
        while let Some(next) = self.next
            && let Some(item) = self.held.remove(&next)
        {
            step.deliver.push((next, item));
            self.next = Some(next + 1);
        }
    }

    /// Moves on to `number`, handing on what is held on the way and counting the rest as lost.
    fn give_up_before(&mut self, number: u64, step: &mut Step<T>) {
        let Some(next) = self.next else { return };
        if next >= number {
            return;
        }
        let later = self.held.split_off(&number);
        let before = std::mem::replace(&mut self.held, later);
        step.lost += number - next - before.len() as u64;
        step.deliver.extend(before);
        self.next = Some(number);
    }

    fn advance(&mut self, now: Timestamp, step: &mut Step<T>) {
        let before = step.deliver.len();
        self.release(step);
        if self.missing_after().is_none() {
            self.waiting_since = None;
        } else if self.waiting_since.is_none() || step.deliver.len() > before {
            self.waiting_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Entry, Header};
    use bytes::Bytes;
    use proptest::prelude::*;

    const STREAM: u64 = 1_700_000_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    fn page(first: u64, last: u64, after: Option<u64>, numbers: &[u64]) -> (Page, Vec<(u64, u64)>) {
        let entry = |&number: &u64| {
            let header = Header { id: String::new(), seq: 0, generated_at_ns: 0, stream: STREAM, number };
            Entry { header, quadkey: String::new(), uper: Bytes::new() }
        };
        let page = Page { stream: STREAM, first, last, after, messages: numbers.iter().map(entry).collect() };
        (page, numbers.iter().map(|&n| (n, n)).collect())
    }

    fn feed(s: &mut Sequencer<u64>, now: i64, (page, items): (Page, Vec<(u64, u64)>)) -> (Vec<u64>, u64) {
        let step = s.page(at(now), &page, items);
        (step.deliver.into_iter().map(|(_, item)| item).collect(), step.lost)
    }

    fn live(s: &mut Sequencer<u64>, now: i64, number: u64) -> (Vec<u64>, u64) {
        let step = s.message(at(now), STREAM, number, number);
        (step.deliver.into_iter().map(|(_, item)| item).collect(), step.lost)
    }

    #[test]
    fn a_new_reader_begins_where_the_outbox_begins() {
        let mut s = Sequencer::new(1_000);
        assert_eq!(live(&mut s, 0, 7), (vec![], 0), "5 and 6 may still be there");
        assert_eq!(s.missing_after(), Some(0));
        assert_eq!(feed(&mut s, 1, page(5, 7, Some(0), &[5, 6, 7])), (vec![5, 6, 7], 0));
        assert_eq!(s.position(), Some((STREAM, 7)));
        assert_eq!(s.missing_after(), None);
    }

    #[test]
    fn an_empty_outbox_lets_a_new_reader_begin_at_once() {
        let mut s = Sequencer::new(1_000);
        assert_eq!(feed(&mut s, 0, page(8, 7, None, &[])), (vec![], 0));
        assert_eq!(live(&mut s, 1, 8), (vec![8], 0));
    }

    #[test]
    fn doubles_are_dropped_and_gaps_filled_in_order() {
        let mut s = Sequencer::new(1_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        assert_eq!(live(&mut s, 1, 1), (vec![1], 0));
        assert_eq!(live(&mut s, 2, 1), (vec![], 0));
        assert_eq!(live(&mut s, 3, 4), (vec![], 0));
        assert_eq!(s.missing_after(), Some(1));
        assert_eq!(feed(&mut s, 4, page(1, 4, Some(1), &[2, 3, 4])), (vec![2, 3, 4], 0));
    }

    #[test]
    fn an_announcement_reveals_a_lost_last_message() {
        let mut s = Sequencer::new(1_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        live(&mut s, 1, 1);
        feed(&mut s, 2, page(1, 2, None, &[]));
        assert_eq!(s.missing_after(), Some(1));
    }

    #[test]
    fn what_the_outbox_no_longer_has_is_counted_and_passed_over() {
        let mut s = Sequencer::new(60_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        live(&mut s, 1, 1);
        live(&mut s, 2, 6);
        // 2 and 3 expired, 5 expired before 4.
        assert_eq!(feed(&mut s, 3, page(4, 6, Some(1), &[4, 6])), (vec![4, 6], 3));
        live(&mut s, 4, 9);
        assert_eq!(feed(&mut s, 5, page(10, 9, Some(6), &[])), (vec![9], 2));
    }

    #[test]
    fn a_pushed_page_makes_no_statement_about_gaps() {
        let mut s = Sequencer::new(1_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        assert_eq!(feed(&mut s, 1, page(3, 3, None, &[3])), (vec![], 0));
        assert_eq!(s.missing_after(), Some(0));
    }

    #[test]
    fn a_gap_is_given_up_after_the_hold_time() {
        let mut s = Sequencer::new(1_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        live(&mut s, 10, 3);
        assert_eq!(s.tick(at(1_009)), Step::default());
        assert_eq!(s.tick(at(1_010)), Step { deliver: vec![(3, 3)], lost: 2 });
        assert_eq!(live(&mut s, 1_011, 2), (vec![], 0), "too late");
    }

    #[test]
    fn what_does_not_fit_is_missing_not_lost() {
        let mut s = Sequencer::new(60_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        let far = HELD as u64 + 100;
        for number in (3..=far).rev() {
            live(&mut s, 1, number);
        }
        let (got, lost) = feed(&mut s, 2, page(1, far, Some(0), &[1, 2, 3]));
        assert_eq!((got.len(), lost), (HELD, 0), "3 pushed the last one out");
        assert_eq!(s.missing_after(), Some(HELD as u64));
    }

    #[test]
    fn a_newer_stream_replaces_the_old_one() {
        let mut s = Sequencer::new(1_000);
        feed(&mut s, 0, page(1, 0, None, &[]));
        live(&mut s, 1, 2);
        let step = s.message(at(2), STREAM + 1, 1, 100);
        assert_eq!(step.deliver, [(2, 2)]);
        assert_eq!(s.missing_after(), Some(0));
        assert_eq!(live(&mut s, 3, 3), (vec![], 0), "of the old stream");
    }

    proptest! {
        // Whatever arrives how often and in which order: at the end of it, a page of everything yields each once, in order.
        #[test]
        fn every_number_comes_once_and_in_order(arrivals in proptest::collection::vec(1u64..=40, 0..200)) {
            let mut s = Sequencer::new(1_000_000);
            let mut got = feed(&mut s, 0, page(1, 0, None, &[])).0;
            for number in &arrivals {
                got.extend(live(&mut s, 1, *number).0);
            }
            let all: Vec<u64> = (1..=40).collect();
            let after = s.position().unwrap().1;
            got.extend(feed(&mut s, 2, page(1, 40, Some(after), &all[after as usize..])).0);
            prop_assert_eq!(got, all);
        }
    }
}
