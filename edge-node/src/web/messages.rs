//! The messages published last, for the page's list and its decode and "why" panels.

use crate::effect::{MessageKind, OutMessage};
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

/// How many messages the page can look back.
const CAPACITY: usize = 200;

/// A ring of the messages published last; when full, the oldest goes.
#[derive(Debug, Default)]
pub struct MessageLog {
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// Number of the newest message, from 1; 0 when there was none.
    newest: u64,
    messages: VecDeque<Arc<OutMessage>>,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct MessageSummary {
    /// Position in the log, from 1, without gaps.
    pub(super) number: u64,
    pub(super) id: String,
    pub(super) kind: MessageKind,
    pub(super) generated_at_ms: i64,
    pub(super) captured_at_ms: Option<i64>,
    /// Size of the UPER encoding, bytes.
    pub(super) size_bytes: usize,
    /// The generation rule that fired.
    pub(super) rule: String,
    /// The objects it speaks of.
    pub(super) objects: Vec<u32>,
}

impl MessageLog {
    /// Adds a message that has been handed to the links.
    pub fn push(&self, message: Arc<OutMessage>) {
        let mut ring = self.lock();
        if ring.messages.len() == CAPACITY {
            ring.messages.pop_front();
        }
        ring.messages.push_back(message);
        ring.newest += 1;
    }

    /// Number of the newest message, from 1; 0 when there was none.
    pub(super) fn newest(&self) -> u64 {
        self.lock().newest
    }

    /// The newest `limit` messages with a number above `after`, newest first, of `kind` if given.
    pub(super) fn list(&self, after: u64, kind: Option<MessageKind>, limit: usize) -> Vec<MessageSummary> {
        let ring = self.lock();
        (0..ring.newest)
            .rev()
            .zip(ring.messages.iter().rev())
            .map(|(below, message)| (below + 1, message))
            .take_while(|&(number, _)| number > after)
            .filter(|(_, message)| kind.is_none_or(|k| k == message.kind))
            .take(limit)
            .map(|(number, message)| MessageSummary::of(number, message))
            .collect()
    }

    /// The message with this id and its number, while it is in the ring.
    pub(super) fn find(&self, id: &str) -> Option<(u64, Arc<OutMessage>)> {
        let ring = self.lock();
        let at = ring.messages.iter().rposition(|m| m.id == id)?;
        Some((ring.newest - (ring.messages.len() - 1 - at) as u64, ring.messages[at].clone()))
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl MessageSummary {
    pub(super) fn of(number: u64, message: &OutMessage) -> Self {
        Self {
            number,
            id: message.id.clone(),
            kind: message.kind,
            generated_at_ms: message.generated_at.unix_ms(),
            captured_at_ms: message.captured_at.map(|t| t.unix_ms()),
            size_bytes: message.uper.len(),
            rule: message.provenance.rule.clone(),
            objects: message.provenance.objects.iter().map(|o| o.object_id).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::Provenance;
    use masa_v2x_proto::geo::Wgs84;
    use masa_v2x_proto::geonet::Dissemination;
    use masa_v2x_proto::time::Timestamp;

    fn message(seq: u64) -> Arc<OutMessage> {
        Arc::new(OutMessage {
            id: format!("7-cam-{seq}"),
            kind: if seq.is_multiple_of(2) { MessageKind::Cpm } else { MessageKind::Cam },
            seq,
            generated_at: Timestamp::from_unix_ms(seq as i64),
            captured_at: None,
            position: Wgs84::default(),
            deadline: None,
            dissemination: Dissemination::default(),
            uper: vec![0; 3],
            json: "{}".to_owned(),
            provenance: Provenance::default(),
        })
    }

    #[test]
    fn the_ring_keeps_the_newest_and_its_numbers_go_on() {
        let log = MessageLog::default();
        assert!(log.list(0, None, 10).is_empty());
        (1..=250).for_each(|seq| log.push(message(seq)));
        assert_eq!(log.newest(), 250);
        assert_eq!(log.list(0, None, 1000).len(), CAPACITY);
        let numbers = |l: Vec<MessageSummary>| l.iter().map(|m| m.number).collect::<Vec<_>>();
        assert_eq!(numbers(log.list(247, None, 10)), [250, 249, 248]);
        assert_eq!(numbers(log.list(0, Some(MessageKind::Cam), 2)), [249, 247]);
        assert!(log.find("7-cam-50").is_none(), "the oldest fifty are gone");
        assert_eq!(log.find("7-cam-51").unwrap().0, 51);
        assert_eq!(log.find("7-cam-250").unwrap().0, 250);
    }
}
