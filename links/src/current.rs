//! What holds now: the messages that somebody who comes late gets at once.
//!
//! In: every published message that states something which goes on (a hazard, the shape of a junction, a sign), under a
//! name that its next version shares. Out: the newest version of each, until it ends or expires. Over Zenoh a node answers
//! queries from this set; over MQTT the broker retains a copy of it.
//!
//! Invariants: bounded; the newest version wins. Absent: persistence, since whoever publishes states repeats them.

use crate::keys;
use crate::kind::Kind;
use crate::message::Outgoing;
use bytes::Bytes;
use masa_v2x_proto::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most messages that hold at once; 255 intersections, and the hazards and signs of a district.
const CAPACITY: usize = 4_096;

/// What a message means for somebody who comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Name of what it is about, shared by all versions: 1 to 64 letters, digits, `-`, `_` or `.`.
    pub name: String,
    /// Whether it goes on.
    pub phase: Phase,
}

/// Whether what a message is about goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It holds until the message expires.
    InForce,
    /// It is over (a cancellation).
    Ended,
}

/// A message that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub kind: Kind,
    pub name: String,
    pub quadkey: String,
    pub uper: Bytes,
    pub expires_at: Timestamp,
    /// Grows with every version.
    pub version: u64,
}

impl Standing {
    pub(crate) fn key(&self) -> (Kind, String) {
        (self.kind, self.name.clone())
    }
}

type Entries = BTreeMap<(Kind, String), Arc<Standing>>;

/// Everything that holds.
#[derive(Debug, Default)]
pub(crate) struct CurrentSet {
    entries: Mutex<(Entries, u64)>,
}

impl CurrentSet {
    fn locked(&self) -> MutexGuard<'_, (Entries, u64)> {
        // A panic while holding the lock leaves whole entries behind.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of a message; false when it should stand but there is no room.
    pub(crate) fn update(&self, message: &Outgoing, now: Timestamp) -> bool {
        let Some(current) = &message.current else { return true };
        let key = (message.kind, current.name.clone());
        let expires_at = message.expires_at();
        let (entries, version) = &mut *self.locked();
        if current.phase == Phase::Ended || expires_at <= now {
            entries.remove(&key);
            return true;
        }
        if entries.len() >= CAPACITY && !entries.contains_key(&key) {
            entries.retain(|_, standing| standing.expires_at > now);
            if entries.len() >= CAPACITY {
                return false;
            }
        }
        *version += 1;
        let standing = Standing {
            kind: message.kind,
            name: current.name.clone(),
            quadkey: message.quadkey.clone(),
            uper: message.uper.clone(),
            expires_at,
            version: *version,
        };
        entries.insert(key, Arc::new(standing));
        true
    }

    /// What holds at `now`; drops what has expired.
    pub(crate) fn standing(&self, now: Timestamp) -> Vec<Arc<Standing>> {
        let (entries, _) = &mut *self.locked();
        entries.retain(|_, standing| standing.expires_at > now);
        entries.values().cloned().collect()
    }
}

/// What a broker has been asked to retain, and what must change for it to be what holds.
#[derive(Debug, Default)]
pub(crate) struct Retained(BTreeMap<(Kind, String), (String, u64)>);

impl Retained {
    /// Forgets everything: a broker that restarted may have.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Publishes what is new or changed and clears what is over, through `publish(topic, payload)`, which says whether it
    /// was taken; what was not is tried again the next time.
    pub(crate) fn sync(
        &mut self,
        standing: &[Arc<Standing>],
        topic_of: impl Fn(&Standing) -> String,
        mut publish: impl FnMut(String, Bytes) -> bool,
    ) {
        let holds: BTreeMap<_, _> = standing.iter().map(|standing| (standing.key(), standing)).collect();
        self.0.retain(|key, (topic, _)| {
            let moved = holds.get(key).is_none_or(|standing| topic_of(standing) != *topic);
            !(moved && publish(topic.clone(), Bytes::new()))
        });
        for (key, standing) in holds {
            if self.0.get(&key).is_none_or(|(_, version)| *version != standing.version) {
                let topic = topic_of(standing);
                if publish(topic.clone(), standing.uper.clone()) {
                    self.0.insert(key, (topic, standing.version));
                }
            }
        }
    }
}

/// Whether an address is that of something which holds.
pub(crate) fn holds(standing: &[Arc<Standing>], kind: Kind, name: &str, quadkey: &str) -> bool {
    standing.iter().any(|s| s.kind == kind && s.name == name && s.quadkey == quadkey)
}

/// Zenoh key of something that holds.
pub(crate) fn zenoh_key(station: &crate::Station, standing: &Standing) -> String {
    format!("{}/{}/{}/{}", keys::current_root(station), standing.kind.name(), standing.quadkey, standing.name)
}

/// MQTT topic of something that holds: one level a quadkey digit.
pub(crate) fn mqtt_topic(station: &crate::Station, standing: &Standing) -> String {
    let tile = keys::levels(&standing.quadkey);
    format!("{}/{}/{tile}/{}", keys::current_root(station), standing.kind.name(), standing.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use masa_v2x_proto::MessageKind;

    fn denm(name: &str, phase: Phase, until_ms: i64) -> Outgoing {
        Outgoing {
            id: "1-denm-1".into(),
            kind: Kind::V2x(MessageKind::Denm),
            seq: 1,
            generated_at: Timestamp::from_unix_ms(0),
            quadkey: "0123".into(),
            deadline: Some(Timestamp::from_unix_ms(until_ms)),
            dissemination: masa_v2x_proto::geonet::Dissemination::default(),
            current: Some(Current { name: name.into(), phase }),
            uper: Bytes::from(format!("{name} until {until_ms}")),
            json: Bytes::new(),
        }
    }

    fn names(set: &CurrentSet, now_ms: i64) -> Vec<String> {
        set.standing(Timestamp::from_unix_ms(now_ms)).iter().map(|s| s.name.clone()).collect()
    }

    #[test]
    fn the_newest_version_stands_until_it_ends_or_expires() {
        let (set, now) = (CurrentSet::default(), Timestamp::from_unix_ms(0));
        for message in [denm("a", Phase::InForce, 100), denm("b", Phase::InForce, 500), denm("a", Phase::InForce, 300)]
        {
            assert!(set.update(&message, now));
        }
        assert_eq!(names(&set, 200), ["a", "b"]);
        assert_eq!(set.standing(now)[0].uper, "a until 300");
        set.update(&denm("b", Phase::Ended, 500), now);
        assert_eq!(names(&set, 200), ["a"]);
        assert!(names(&set, 300).is_empty());
    }

    #[test]
    fn beyond_the_capacity_only_what_expired_makes_room() {
        let (set, now) = (CurrentSet::default(), Timestamp::from_unix_ms(0));
        for i in 0..CAPACITY {
            assert!(set.update(&denm(&i.to_string(), Phase::InForce, 100), now));
        }
        assert!(!set.update(&denm("more", Phase::InForce, 900), now));
        assert!(set.update(&denm("1", Phase::InForce, 900), now), "a known one changes");
        assert!(set.update(&denm("more", Phase::InForce, 900), Timestamp::from_unix_ms(100)));
        assert_eq!(names(&set, 100), ["1", "more"]);
    }

    #[test]
    fn a_broker_is_told_only_what_changed() {
        let (set, now) = (CurrentSet::default(), Timestamp::from_unix_ms(0));
        let mut retained = Retained::default();
        let mut told = |set: &CurrentSet, taken: bool| {
            let mut said = Vec::new();
            let publish = |topic, payload: Bytes| {
                said.push(format!("{topic}={}", payload.len()));
                taken
            };
            retained.sync(&set.standing(now), |s| format!("{}/{}", s.quadkey, s.name), publish);
            said
        };
        set.update(&denm("a", Phase::InForce, 100), now);
        assert_eq!(told(&set, false), ["0123/a=11"]);
        assert_eq!(told(&set, true), ["0123/a=11"], "what was not taken is said again");
        assert!(told(&set, true).is_empty());
        let mut moved = denm("a", Phase::InForce, 1_000);
        moved.quadkey = "0120".into();
        set.update(&moved, now);
        assert_eq!(told(&set, true), ["0123/a=0", "0120/a=12"]);
        set.update(&denm("a", Phase::Ended, 100), now);
        assert_eq!(told(&set, true), ["0120/a=0"]);
    }
}
