//! An alarm: something an operator must look at, from when it is raised until somebody closes it.
//!
//! ```text
//! raised ─acknowledge─► acknowledged ─assign─► assigned ─close─► closed
//!                            └───────────────close───────────────┘
//! ```
//!
//! Pure. Invariants: every change is an entry of the history, with who, when and why; nothing closes that nobody has
//! acknowledged; a cause that ends or begins again changes `ongoing`, never the state: that is for people.

use crate::entity::Position;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most entries of a history; older ones are in the store, which keeps every version of an alarm.
const MAX_HISTORY: usize = 100;
/// Longest text that an operator may write, bytes.
pub const MAX_WORDS: usize = 1_000;

/// What raised it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A warning of a station (DENM) or of a city service.
    Warning,
    /// A station has said nothing for longer than it should.
    StationSilent,
    /// A station says that something is wrong with it.
    StationProblem,
    /// Signals are in failure.
    SignalFailure,
    /// The air is worse than a limit value.
    AirLimit,
    /// The store takes no records.
    Store,
}

/// How much it matters, as in `severity` of the Smart Data Models' `Alert`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// Somebody should look.
    Medium,
    /// Somebody must act.
    High,
    /// Lives are at risk, or the control room sees nothing.
    Critical,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has seen it.
    Raised,
    /// Somebody has.
    Acknowledged,
    /// Somebody sees to it.
    Assigned,
    /// It is done with.
    Closed,
}

/// What an operator does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", deny_unknown_fields, rename_all = "kebab-case")]
pub enum Action {
    /// I have seen it.
    Acknowledge,
    /// This person or team sees to it.
    Assign {
        /// Who.
        to: String,
    },
    /// Words for whoever reads it next.
    Note {
        /// The words.
        words: String,
    },
    /// It is done with.
    Close {
        /// What came of it; may be empty.
        #[serde(default)]
        words: String,
    },
}

/// What a rule has found.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// About what: the id of an entity or the name of a station. With the rule it names the cause.
    pub subject: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is the matter, in English.
    pub title: String,
    /// Where.
    pub position: Option<Position>,
    /// Site it is about; empty for the data room itself.
    pub site: String,
}

/// One step of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, milliseconds of Unix time.
    pub at_ms: i64,
    /// Who: the name of a token, or `rule`.
    pub by: String,
    /// What: an action, or `raise`, `over` and `again` of a rule.
    pub action: String,
    /// To whom, or words.
    pub words: String,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Unique within the tenant.
    pub id: String,
    /// Grows with every change.
    pub version: u32,
    /// What raised it.
    pub rule: Rule,
    /// About what.
    pub subject: String,
    /// Site it is about.
    pub site: String,
    /// How much it matters.
    pub severity: Severity,
    /// What is the matter, in English.
    pub title: String,
    /// Degrees east and north.
    pub position: Option<[f64; 2]>,
    /// Where it stands.
    pub state: State,
    /// Whether its cause goes on.
    pub ongoing: bool,
    /// Who sees to it.
    pub assignee: Option<String>,
    /// When it was raised, milliseconds of Unix time.
    pub raised_ms: i64,
    /// When it last changed.
    pub changed_ms: i64,
    /// What happened to it, oldest first.
    pub history: Vec<Entry>,
}

/// Who writes what a rule does.
pub const BY_RULE: &str = "rule";

/// Why an action is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It does not fit the state.
    #[error("an alarm that is {state} cannot be {action}")]
    State {
        /// Where it stands.
        state: &'static str,
        /// What was asked.
        action: &'static str,
    },
    /// Somebody else has changed it since.
    #[error("it has changed since: version {is}, not {was}")]
    Changed {
        /// The version the operator saw.
        was: u32,
        /// The version it has.
        is: u32,
    },
    /// Words are missing or too long.
    #[error("1 to {MAX_WORDS} bytes of words are needed")]
    Words,
}

impl State {
    /// As in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Assigned => "assigned",
            Self::Closed => "closed",
        }
    }
}

impl Alarm {
    /// A new alarm.
    pub fn raise(id: String, finding: Finding, at: Timestamp) -> Self {
        let at_ms = at.unix_ms();
        let raise = Entry { at_ms, by: BY_RULE.into(), action: "raise".into(), words: finding.title.clone() };
        Self {
            id,
            version: 1,
            rule: finding.rule,
            subject: finding.subject,
            site: finding.site,
            severity: finding.severity,
            title: finding.title,
            position: finding.position.map(|p| [p.lon_deg, p.lat_deg]),
            state: State::Raised,
            ongoing: true,
            assignee: None,
            raised_ms: at_ms,
            changed_ms: at_ms,
            history: vec![raise],
        }
    }

    /// Does what an operator wants, who has seen `version`.
    ///
    /// # Errors
    /// [`Refusal`]; the alarm stays as it is.
    pub fn act(&mut self, action: &Action, version: u32, by: &str, at: Timestamp) -> Result<(), Refusal> {
        if version != self.version {
            return Err(Refusal::Changed { was: version, is: self.version });
        }
        let from = self.state;
        let (name, past, words) = match action {
            Action::Acknowledge => ("acknowledge", "acknowledged", ""),
            Action::Assign { to } => ("assign", "assigned", to.trim()),
            Action::Note { words } => ("note", "noted on", words.trim()),
            Action::Close { words } => ("close", "closed", words.trim()),
        };
        let needs_words = matches!(action, Action::Assign { .. } | Action::Note { .. });
        if words.len() > MAX_WORDS || (needs_words && words.is_empty()) {
            return Err(Refusal::Words);
        }
        self.state = match (from, action) {
            (_, Action::Note { .. }) => from,
            (State::Raised, Action::Acknowledge) => State::Acknowledged,
            (State::Acknowledged | State::Assigned, Action::Assign { .. }) => State::Assigned,
            (State::Acknowledged | State::Assigned, Action::Close { .. }) => State::Closed,
            _ => return Err(Refusal::State { state: from.name(), action: past }),
        };
        if let Action::Assign { to } = action {
            self.assignee = Some(to.trim().to_owned());
        }
        self.enter(name, by, words, at);
        Ok(())
    }

    /// Its cause has ended, or begun again; nothing happens when that is known.
    pub fn set_ongoing(&mut self, ongoing: bool, at: Timestamp) -> bool {
        if ongoing == self.ongoing {
            return false;
        }
        self.ongoing = ongoing;
        self.enter(if ongoing { "again" } else { "over" }, BY_RULE, "", at);
        true
    }

    fn enter(&mut self, action: &str, by: &str, words: &str, at: Timestamp) {
        if self.history.len() == MAX_HISTORY {
            // The first entry says how it began.
            self.history.remove(1);
        }
        let at_ms = at.unix_ms();
        self.history.push(Entry { at_ms, by: by.into(), action: action.into(), words: words.into() });
        (self.changed_ms, self.version) = (at_ms, self.version + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm() -> Alarm {
        let finding = Finding {
            rule: Rule::Warning,
            subject: "urn:ngsi-ld:Alert:modena:7:7-1".into(),
            severity: Severity::High,
            title: "Person on the road".into(),
            position: Position::new(10.93, 44.65),
            site: "modena".into(),
        };
        Alarm::raise("a1".into(), finding, Timestamp::from_unix_ms(1_000))
    }

    fn act(alarm: &mut Alarm, action: Action) -> Result<(), Refusal> {
        alarm.act(&action, alarm.version, "desk-1", Timestamp::from_unix_ms(2_000))
    }

    #[test]
    fn an_alarm_goes_through_its_states_and_every_step_is_in_its_history() {
        let mut alarm = alarm();
        act(&mut alarm, Action::Acknowledge).unwrap();
        act(&mut alarm, Action::Note { words: "  patrol asked ".into() }).unwrap();
        act(&mut alarm, Action::Assign { to: "patrol 3".into() }).unwrap();
        assert!(alarm.set_ongoing(false, Timestamp::from_unix_ms(3_000)));
        assert_eq!(alarm.state, State::Assigned, "a cause that ends closes nothing");
        act(&mut alarm, Action::Close { words: String::new() }).unwrap();
        assert_eq!((alarm.state, alarm.assignee.as_deref(), alarm.version), (State::Closed, Some("patrol 3"), 6));
        let steps: Vec<_> =
            alarm.history.iter().map(|e| (e.action.as_str(), e.by.as_str(), e.words.as_str())).collect();
        assert_eq!(
            steps,
            [
                ("raise", "rule", "Person on the road"),
                ("acknowledge", "desk-1", ""),
                ("note", "desk-1", "patrol asked"),
                ("assign", "desk-1", "patrol 3"),
                ("over", "rule", ""),
                ("close", "desk-1", ""),
            ]
        );
    }

    #[test]
    fn what_does_not_fit_is_refused_and_changes_nothing() {
        let mut alarm = alarm();
        let before = alarm.clone();
        for action in [Action::Close { words: "done".into() }, Action::Assign { to: "patrol 3".into() }] {
            assert!(matches!(act(&mut alarm, action), Err(Refusal::State { state: "raised", .. })));
        }
        assert_eq!(act(&mut alarm, Action::Note { words: " ".into() }), Err(Refusal::Words));
        assert_eq!(act(&mut alarm, Action::Note { words: "x".repeat(MAX_WORDS + 1) }), Err(Refusal::Words));
        let stale = alarm.act(&Action::Acknowledge, 0, "desk-1", Timestamp::from_unix_ms(2_000));
        assert_eq!(stale, Err(Refusal::Changed { was: 0, is: 1 }));
        assert!(!alarm.set_ongoing(true, Timestamp::from_unix_ms(2_000)));
        assert_eq!(alarm, before);
        act(&mut alarm, Action::Acknowledge).unwrap();
        assert!(act(&mut alarm, Action::Acknowledge).is_err(), "once is enough");
    }

    #[test]
    fn a_long_history_keeps_its_beginning_and_its_end() {
        let mut alarm = alarm();
        for n in 0..2 * MAX_HISTORY {
            act(&mut alarm, Action::Note { words: n.to_string() }).unwrap();
        }
        assert_eq!(alarm.history.len(), MAX_HISTORY);
        assert_eq!(alarm.history[0].action, "raise");
        assert_eq!(alarm.history.last().unwrap().words, (2 * MAX_HISTORY - 1).to_string());
    }
}
