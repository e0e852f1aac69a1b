//! What a signal controller tells of its signals, as a gateway puts it on MQTT.
//!
//! In: [`Roads`], a [`Snapshot`]. Out: a [`SignalReading`] an intersection, and its JSON document as the node's
//! signal-controller source reads it:
//! `{"intersection", "time", "operation", "groups": [{"group", "shows", "min-end", "max-end", "likely-end"}]}`. Ends of phases
//! are those of the programme, and left out where signals do not follow it (priority, standby). Absent: answers to requests
//! for priority ([`crate::priority`]).

use super::fault::{Faults, SensorFault};
use crate::random::Seed;
use crate::roads::{Roads, SignalControl, SignalController, SignalId, SignalState};
use crate::snapshot::Snapshot;
use masa_v2x_proto::time::Timestamp;
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

/// A feed of one controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignalFeedSettings {
    /// Name of the controller in the network.
    pub controller: String,
    /// Number of the intersection, as MAPEM and SPATEM have it.
    pub intersection: u16,
    /// Signal group of each link, 1 to 254, in the links' order, 0 for none; empty: 1, 2, 3…
    #[serde(default)]
    pub groups: Vec<u8>,
    /// A document is sent at least so often, seconds, and whenever something changes.
    #[serde(default = "default_period_s")]
    pub period_s: f64,
    /// What goes wrong, and when. Drift: seconds an hour of the controller's clock.
    #[serde(default)]
    pub faults: Vec<SensorFault>,
}

const fn default_period_s() -> f64 {
    1.0
}

/// What a signal group shows, by the names of the node's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// Off.
    Dark,
    /// Red.
    StopAndRemain,
    /// Red and yellow.
    PreMovement,
    /// Green, giving way.
    PermissiveMovementAllowed,
    /// Green.
    ProtectedMovementAllowed,
    /// Yellow.
    ProtectedClearance,
    /// Yellow, blinking.
    CautionConflictingTraffic,
}

impl From<SignalState> for Shows {
    fn from(state: SignalState) -> Self {
        match state {
            SignalState::Red => Self::StopAndRemain,
            SignalState::RedYellow => Self::PreMovement,
            SignalState::Yellow => Self::ProtectedClearance,
            SignalState::GreenMajor => Self::ProtectedMovementAllowed,
            SignalState::GreenMinor => Self::PermissiveMovementAllowed,
            SignalState::OffBlinking => Self::CautionConflictingTraffic,
            SignalState::Off => Self::Dark,
        }
    }
}

/// How a controller works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// By its programme.
    FixedTime,
    /// By the traffic.
    TrafficDependent,
    /// Blinking.
    Standby,
    /// Dark.
    Off,
}

/// What a controller tells.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalReading {
    /// Number of the intersection.
    pub intersection: u16,
    /// When, simulated seconds by the controller's clock.
    pub time_s: f64,
    /// How it works.
    pub operation: Operation,
    /// What each group shows.
    pub groups: Vec<GroupReading>,
}

/// What a group shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupReading {
    /// Its number.
    pub group: u8,
    /// What it shows.
    pub shows: Shows,
    /// When that ends, simulated seconds by the controller's clock: at the earliest, most likely, at the latest.
    pub ends_s: Option<[f64; 3]>,
}

/// A document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SignalDocument {
    /// Number of the intersection.
    pub intersection: u16,
    /// When, RFC 3339.
    pub time: String,
    /// How it works.
    pub operation: Operation,
    /// What each group shows.
    pub groups: Vec<GroupDocument>,
}

/// What a group shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GroupDocument {
    /// Its number.
    pub group: u8,
    /// What it shows.
    pub shows: Shows,
    /// It changes not before, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_end: Option<String>,
    /// It changes not after, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_end: Option<String>,
    /// It will change, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likely_end: Option<String>,
}

impl SignalReading {
    /// The document as a gateway writes it; `start` is the time at simulated time 0.
    pub fn document(&self, start: Timestamp) -> SignalDocument {
        let groups = self.groups.iter().map(|reading| {
            let end = |place: usize| reading.ends_s.map(|ends_s| rfc3339(start, ends_s[place]));
            GroupDocument {
                group: reading.group,
                shows: reading.shows,
                min_end: end(0),
                max_end: end(2),
                likely_end: end(1),
            }
        });
        SignalDocument {
            intersection: self.intersection,
            time: rfc3339(start, self.time_s),
            operation: self.operation,
            groups: groups.collect(),
        }
    }
}

/// A feed in use.
#[derive(Clone, Debug)]
pub struct SignalFeed {
    settings: SignalFeedSettings,
    controller: SignalId,
    luck: Pcg64Mcg,
    last_s: f64,
    last: Vec<SignalState>,
    told: Option<SignalReading>,
}

/// Times as documents have them.
pub(crate) fn rfc3339(start: Timestamp, time_s: f64) -> String {
    let at = start.plus_ns((time_s * 1e9).round() as i64);
    // Times beyond the calendar are shown as its end.
    jiff::Timestamp::from_nanosecond(i128::from(at.unix_ns())).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// How long a link goes on showing what it shows, seconds: at least, at most, by the programme. `None` when it never changes
/// or does not follow its programme.
fn remaining(controller: &SignalController, link: usize, shown: SignalState, time_s: f64) -> Option<[f64; 3]> {
    let (at, left_s) = controller.phase_at(time_s)?;
    let phases = &controller.phases;
    let state = |phase: usize| phases[phase % phases.len()].states.get(link).copied();
    if state(at) != Some(shown) {
        return None;
    }
    let gone_s = phases[at].duration_s - left_s;
    let (mut least, mut most, mut likely) =
        ((phases[at].min_s - gone_s).max(0.0), (phases[at].max_s - gone_s).max(left_s), left_s);
    for next in at + 1..at + phases.len() {
        if state(next) != Some(shown) {
            return Some([least.min(likely), likely, most.max(likely)]);
        }
        let phase = &phases[next % phases.len()];
        least += phase.min_s;
        most += phase.max_s;
        likely += phase.duration_s;
    }
    None
}

impl SignalFeed {
    /// A feed of a network's controller; `None` when the network has no such controller.
    pub fn new(settings: SignalFeedSettings, roads: &Roads, seed: Seed, number: u64) -> Option<Self> {
        let at = roads.signals.iter().position(|controller| controller.name == settings.controller)?;
        let (controller, luck) = (SignalId(u32::try_from(at).ok()?), seed.stream("signal feed", number));
        Some(Self { settings, controller, luck, last_s: f64::NEG_INFINITY, last: Vec::new(), told: None })
    }

    /// What is to be told now, if anything is.
    pub fn measure(&mut self, roads: &Roads, snapshot: &Snapshot) -> Option<SignalReading> {
        let states = snapshot.signals.get(self.controller.index())?;
        let changed = *states != self.last;
        if !changed && snapshot.time_s - self.last_s + 1e-9 < self.settings.period_s {
            return None;
        }
        let faults = Faults::at(&self.settings.faults, snapshot.time_s, &mut self.luck);
        (self.last_s, self.last) = (snapshot.time_s, states.clone());
        let mut reading = self.reading(roads, snapshot, faults.drift)?;
        if let Some(last) = self.told.clone().filter(|_| faults.stuck) {
            // The controller hangs: it repeats itself with the time of now.
            reading = SignalReading { time_s: reading.time_s, ..last };
        }
        self.told = Some(reading.clone());
        (!faults.silent).then_some(reading)
    }

    fn reading(&self, roads: &Roads, snapshot: &Snapshot, ahead_s: f64) -> Option<SignalReading> {
        let controller = roads.signals.get(self.controller.index())?;
        let (states, time_s) = (snapshot.signals.get(self.controller.index())?, snapshot.time_s);
        let all = |wanted: SignalState| states.iter().all(|state| *state == wanted);
        let is_off_programme = snapshot.off_programme.contains(&self.controller);
        let operation = match controller.control {
            _ if all(SignalState::Off) => Operation::Off,
            _ if all(SignalState::OffBlinking) => Operation::Standby,
            SignalControl::Fixed if !is_off_programme => Operation::FixedTime,
            SignalControl::Fixed | SignalControl::Actuated => Operation::TrafficDependent,
        };
        let mut groups: Vec<GroupReading> = Vec::new();
        for (link, state) in states.iter().enumerate() {
            let group = if self.settings.groups.is_empty() {
                u8::try_from(link + 1).unwrap_or(0)
            } else {
                self.settings.groups.get(link).copied().unwrap_or(0)
            };
            // Links of one group show the same: the first speaks for all.
            if !(1..=254).contains(&group) || groups.iter().any(|known| known.group == group) {
                continue;
            }
            let left_s = remaining(controller, link, *state, time_s).filter(|_| !is_off_programme);
            let left_s = left_s.map(|left_s| match controller.control {
                SignalControl::Fixed => [left_s[1]; 3],
                SignalControl::Actuated => left_s,
            });
            let ends_s = left_s.map(|left_s| left_s.map(|left_s| time_s + ahead_s + left_s));
            groups.push(GroupReading { group, shows: Shows::from(*state), ends_s });
        }
        Some(SignalReading { intersection: self.settings.intersection, time_s: time_s + ahead_s, operation, groups })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roads::SignalPhase;
    use crate::sensors::FaultKind;

    fn roads(control: SignalControl) -> Roads {
        use SignalState::{GreenMajor, GreenMinor, Red, Yellow};
        let phase = |duration_s: f64, states: [SignalState; 3]| SignalPhase {
            duration_s,
            min_s: duration_s / 2.0,
            max_s: duration_s * 2.0,
            states: states.to_vec(),
        };
        let phases = vec![
            phase(20.0, [GreenMajor, Red, Red]),
            phase(4.0, [Yellow, Red, Red]),
            phase(16.0, [Red, GreenMinor, Red]),
        ];
        let controller = SignalController { name: "J1".into(), control, phases, ..SignalController::default() };
        Roads { signals: vec![controller], ..Roads::default() }
    }

    fn feed(roads: &Roads, more: &str) -> SignalFeed {
        let settings = format!("controller = \"J1\"\nintersection = 101\n{more}");
        SignalFeed::new(toml::from_str(&settings).unwrap(), roads, Seed(1), 0).unwrap()
    }

    fn at(roads: &Roads, time_s: f64) -> Snapshot {
        Snapshot { time_s, signals: vec![roads.signals[0].states_at(time_s)], ..Snapshot::default() }
    }

    /// 2026-03-05T12:00:00Z.
    const NOON: Timestamp = Timestamp::from_unix_ms(1_772_712_000_000);

    #[test]
    fn a_fixed_programme_says_when_it_changes() {
        let roads = roads(SignalControl::Fixed);
        let mut feed = feed(&roads, "");
        let document = feed.measure(&roads, &at(&roads, 5.0)).unwrap().document(NOON);
        let text = serde_json::to_string(&document).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"intersection":101,"time":"2026-03-05T12:00:05Z","operation":"fixed-time","groups":["#,
                r#"{"group":1,"shows":"protected-movement-allowed","min-end":"2026-03-05T12:00:20Z","#,
                r#""max-end":"2026-03-05T12:00:20Z","likely-end":"2026-03-05T12:00:20Z"},"#,
                r#"{"group":2,"shows":"stop-and-remain","min-end":"2026-03-05T12:00:24Z","#,
                r#""max-end":"2026-03-05T12:00:24Z","likely-end":"2026-03-05T12:00:24Z"},"#,
                r#"{"group":3,"shows":"stop-and-remain"}]}"#
            )
        );
        // Nothing new: nothing to say, until a second has gone or a signal changes.
        assert_eq!(feed.measure(&roads, &at(&roads, 5.4)), None);
        assert!(feed.measure(&roads, &at(&roads, 6.0)).is_some());
        feed.measure(&roads, &at(&roads, 19.9)).unwrap();
        assert_eq!(feed.measure(&roads, &at(&roads, 20.0)).unwrap().groups[0].shows, Shows::ProtectedClearance);
    }

    #[test]
    fn traffic_makes_ends_uncertain_and_other_states_unknown() {
        let roads = roads(SignalControl::Actuated);
        let mut feed = feed(&roads, "groups = [7, 0, 7]");
        let document = feed.measure(&roads, &at(&roads, 5.0)).unwrap().document(NOON);
        assert_eq!((document.operation, document.groups.len()), (Operation::TrafficDependent, 1));
        let group = &document.groups[0];
        assert_eq!(group.min_end.as_deref(), Some("2026-03-05T12:00:10Z"));
        assert_eq!(group.max_end.as_deref(), Some("2026-03-05T12:00:40Z"));
        // Prolonged beyond the programme.
        let mut prolonged = at(&roads, 22.0);
        prolonged.signals[0][0] = SignalState::GreenMajor;
        let told = feed.measure(&roads, &prolonged).unwrap();
        assert_eq!(told.groups[0].ends_s, None);
    }

    #[test]
    fn a_controller_that_serves_a_request_does_not_say_when_it_ends() {
        let roads = roads(SignalControl::Fixed);
        let mut feed = feed(&roads, "");
        let serving = Snapshot { off_programme: vec![SignalId(0)], ..at(&roads, 5.0) };
        let told = feed.measure(&roads, &serving).unwrap();
        assert_eq!(told.operation, Operation::TrafficDependent);
        assert!(told.groups.iter().all(|group| group.ends_s.is_none()), "{told:?}");
    }

    #[test]
    fn a_hung_controller_repeats_itself() {
        let roads = roads(SignalControl::Fixed);
        let mut feed = feed(&roads, "");
        let stuck = SensorFault { kind: FaultKind::Stuck, from_s: 10.0, until_s: None };
        feed.settings.faults = vec![stuck];
        let good = feed.measure(&roads, &at(&roads, 9.0)).unwrap();
        let hung = feed.measure(&roads, &at(&roads, 30.0)).unwrap();
        assert_eq!(good.groups, hung.groups);
        assert_eq!(hung.document(NOON).time, "2026-03-05T12:00:30Z");
    }
}
