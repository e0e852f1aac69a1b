//! What the site has for drivers: signalised intersections with their lanes, and signs.
//!
//! In: the `[[intersection]]` and `[[sign]]` tables of a site file. Out: the same, checked. Messages are made from them by
//! the infrastructure services (TS 103 301).

use crate::event::SignalPhase;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Most intersections of a site: what a SPATEM holds.
pub const MAX_INTERSECTIONS: usize = 32;
/// Most signs of a site.
pub const MAX_SIGNS: usize = 64;
/// Longest step between two nodes of a lane, metres (ISO/TS 19091, `Node-XY`).
const MAX_NODE_STEP_M: f64 = 327.0;
/// Longest step between two points of a sign's zone, metres: what an offset in longitude expresses up to 60° north.
const MAX_ZONE_STEP_M: f64 = 700.0;

/// Everything for drivers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InfrastructureSite {
    /// Signalised intersections.
    pub intersections: Vec<IntersectionSettings>,
    /// Signs.
    pub signs: Vec<SignSettings>,
}

/// A signalised intersection: an `[[intersection]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IntersectionSettings {
    /// Its number in the region (`IntersectionID`).
    pub id: u16,
    /// The region that gives the numbers (`RoadRegulatorID`).
    pub region: Option<u16>,
    /// Name for people.
    pub name: Option<String>,
    /// Counts the changes of the lanes, 0 to 127.
    #[serde(default)]
    pub revision: u8,
    /// The point from which lanes are measured, `[east, north]` metres of the site origin.
    pub reference_m: [f64; 2],
    /// Width of the lanes, metres.
    #[serde(default = "default_lane_width_m")]
    pub lane_width_m: f64,
    /// Its lanes.
    #[serde(rename = "lane")]
    pub lanes: Vec<LaneSettings>,
    /// What its signals show when no controller tells: a fixed programme. Absent: only a controller tells.
    pub programme: Option<ProgrammeSettings>,
}

fn default_lane_width_m() -> f64 {
    3.25
}

/// A lane of an intersection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LaneSettings {
    /// Its number, 1 to 254.
    pub id: u8,
    /// What it is for.
    #[serde(default)]
    pub kind: LaneKind,
    /// Which way it leads.
    pub direction: LaneWay,
    /// The approach it belongs to, 1 to 15.
    pub approach: Option<u8>,
    /// Where it runs, from the stop line (or the end of the crossing) outwards, `[east, north]` metres of the site origin.
    pub nodes_m: Vec<[f64; 2]>,
    /// Lanes that it leads to.
    #[serde(default, rename = "connection")]
    pub connections: Vec<ConnectionSettings>,
}

/// What a lane is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneKind {
    /// Motor vehicles.
    #[default]
    Vehicle,
    /// Pedestrians who cross.
    Crosswalk,
    /// Bicycles.
    Bike,
}

/// Which way a lane leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LaneWay {
    /// To the intersection.
    Ingress,
    /// From it.
    Egress,
    /// Both ways.
    Both,
}

/// A lane that a lane leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectionSettings {
    /// Number of that lane.
    pub lane: u8,
    /// What a driver does to get there.
    pub manoeuvre: Manoeuvre,
    /// The signal group that it obeys, 1 to 254; absent where there is no signal.
    pub signal_group: Option<u8>,
}

/// What a driver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manoeuvre {
    /// Goes straight on.
    Straight,
    /// Turns left.
    Left,
    /// Turns right.
    Right,
    /// Turns round.
    UTurn,
}

/// A fixed programme of signals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgrammeSettings {
    /// Length of a cycle, milliseconds.
    pub cycle_ms: u32,
    /// When a cycle begins, milliseconds after the full cycles of Unix time.
    #[serde(default)]
    pub offset_ms: u32,
    /// What each group shows.
    #[serde(rename = "group")]
    pub groups: Vec<ProgrammeGroup>,
}

/// What a signal group shows in a cycle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgrammeGroup {
    /// Its number, 1 to 254.
    pub id: u8,
    /// Phases from the beginning of the cycle; together as long as the cycle.
    pub phases: Vec<ProgrammePhase>,
}

/// A phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgrammePhase {
    /// What the group shows.
    pub shows: SignalPhase,
    /// For how long, milliseconds.
    pub duration_ms: u32,
}

/// A sign: a `[[sign]]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignSettings {
    /// Its number at the provider (`iviIdentificationNumber`), 1 to 32767.
    pub id: u16,
    /// Country of the provider, two letters of ISO 3166-1.
    pub country: String,
    /// Number of the provider in that country, 0 to 16383.
    pub provider: u16,
    /// What it is about.
    pub kind: SignKind,
    /// The sign of ISO 14823: service category and category, `[12, 557]` for instance.
    pub pictogram: [u16; 2],
    /// What it says besides, and in which language (ISO 639-1).
    pub text: Option<SignText>,
    /// Where it applies: a line in driving direction, `[east, north]` metres of the site origin.
    pub relevance_m: Vec<[f64; 2]>,
    /// Where drivers come from to whom it applies: a line in driving direction.
    #[serde(default)]
    pub detection_m: Vec<[f64; 2]>,
}

/// What a sign is about (`IviType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignKind {
    /// A warning of danger.
    Danger,
    /// A regulation.
    Regulatory,
    /// Traffic.
    Traffic,
    /// Pollution.
    Pollution,
    /// Anything else.
    Other,
}

/// A text in a language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignText {
    /// Two letters of ISO 639-1.
    pub language: String,
    /// The text.
    pub text: String,
}

/// Why a site's intersections or signs cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct InfrastructureError {
    /// What is wrong, and where.
    pub what: String,
}

impl InfrastructureSite {
    /// Checks what the types do not.
    pub(crate) fn check(&self) -> Result<(), InfrastructureError> {
        let wrong = |what: String| Err(InfrastructureError { what });
        if self.intersections.len() > MAX_INTERSECTIONS || self.signs.len() > MAX_SIGNS {
            return wrong(format!("at most {MAX_INTERSECTIONS} intersections and {MAX_SIGNS} signs"));
        }
        let mut ids = BTreeSet::new();
        for intersection in &self.intersections {
            if !ids.insert(intersection.id) {
                return wrong(format!("intersection {} is listed twice", intersection.id));
            }
            intersection.check()?;
        }
        let mut ids = BTreeSet::new();
        for sign in &self.signs {
            if !ids.insert(sign.id) {
                return wrong(format!("sign {} is listed twice", sign.id));
            }
            sign.check()?;
        }
        Ok(())
    }
}

fn is_line(points: &[[f64; 2]], least: usize, most: usize, step_m: f64) -> bool {
    let near = |p: &[f64; 2]| p[0].abs() < 100_000.0 && p[1].abs() < 100_000.0;
    let is_step = |s: &[[f64; 2]]| (s[0][0] - s[1][0]).abs().max((s[0][1] - s[1][1]).abs()) <= step_m;
    (least..=most).contains(&points.len()) && points.iter().all(near) && points.windows(2).all(is_step)
}

impl IntersectionSettings {
    fn check(&self) -> Result<(), InfrastructureError> {
        let wrong = |what: String| Err(InfrastructureError { what: format!("intersection {}: {what}", self.id) });
        if self.revision > 127 || self.lanes.is_empty() || self.lanes.len() > 254 {
            return wrong("needs a revision of 0 to 127 and 1 to 254 lanes".into());
        }
        if self.name.as_ref().is_some_and(|name| name.is_empty() || name.len() > 63 || !name.is_ascii()) {
            return wrong("a name has 1 to 63 ASCII characters".into());
        }
        let mut ids = BTreeSet::new();
        for lane in &self.lanes {
            if !(1..=254).contains(&lane.id) || !ids.insert(lane.id) {
                return wrong(format!("lane {} is listed twice or is not 1 to 254", lane.id));
            }
            let from_reference: Vec<_> =
                std::iter::once(self.reference_m).chain(lane.nodes_m.iter().copied()).collect();
            if !is_line(&from_reference, 3, 64, MAX_NODE_STEP_M) {
                return wrong(format!(
                    "lane {} needs 2 to 63 nodes, at most {MAX_NODE_STEP_M} m apart and from the reference",
                    lane.id
                ));
            }
            if lane.approach.is_some_and(|approach| !(1..=15).contains(&approach)) || lane.connections.len() > 16 {
                return wrong(format!("lane {}: approaches are 1 to 15, and at most 16 lanes are connected", lane.id));
            }
        }
        for (lane, connection) in self.lanes.iter().flat_map(|lane| lane.connections.iter().map(move |c| (lane, c))) {
            if !ids.contains(&connection.lane) {
                return wrong(format!("lane {} leads to lane {}, which does not exist", lane.id, connection.lane));
            }
        }
        let Some(programme) = &self.programme else { return Ok(()) };
        let lasts = |group: &ProgrammeGroup| group.phases.iter().map(|phase| u64::from(phase.duration_ms)).sum::<u64>();
        match programme.groups.iter().find(|group| lasts(group) != u64::from(programme.cycle_ms)) {
            Some(group) => wrong(format!(
                "the phases of signal group {} last {} ms, the cycle {} ms",
                group.id,
                lasts(group),
                programme.cycle_ms
            )),
            None if programme.cycle_ms == 0 => wrong("a cycle lasts longer than 0 ms".into()),
            None => Ok(()),
        }
    }
}

impl SignSettings {
    fn check(&self) -> Result<(), InfrastructureError> {
        let wrong = |what: &str| Err(InfrastructureError { what: format!("sign {}: {what}", self.id) });
        if !(1..=32_767).contains(&self.id) || self.provider > 16_383 {
            return wrong("numbers are 1 to 32767, providers 0 to 16383");
        }
        let two_letters = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if !two_letters(&self.country) || self.text.as_ref().is_some_and(|text| !two_letters(&text.language)) {
            return wrong("country and language have two letters");
        }
        if !is_line(&self.relevance_m, 2, 64, MAX_ZONE_STEP_M) {
            return wrong("relevance-m needs 2 to 64 points, at most 700 m apart");
        }
        if !self.detection_m.is_empty() && !is_line(&self.detection_m, 2, 64, MAX_ZONE_STEP_M) {
            return wrong("detection-m needs 2 to 64 points, at most 700 m apart");
        }
        let [service, category] = self.pictogram;
        if !matches!(service, 11..=13 | 21 | 31 | 32) || !(100..=999).contains(&category) {
            return wrong("a pictogram of ISO 14823 is [11 to 13, 21, 31 or 32, 100 to 999]");
        }
        Ok(())
    }
}
