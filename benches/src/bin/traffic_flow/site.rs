//! Where is counted: a gate at each induction loop, and gates and queues around the busiest signalised junction.

use anyhow::Context;
use masa_data_room::services::shape::{Line, Place, Way};
use masa_data_room::services::site::ServiceSite;
use masa_data_room::services::traffic_flow::{ApproachSettings, GateSettings};
use masa_sim::roads::{Edge, EdgeId, EdgeKind, JunctionId, LaneId, Roads};
use masa_sim::traffic::demand::DetectorSpec;
use masa_v2x_proto::time::Timestamp;

/// Simulated time 0: a Monday, 07:00.
const BEGIN_MS: i64 = 1_772_434_800_000;
/// Gates before a junction stand so far upstream, and those behind it so far downstream, metres.
const UPSTREAM_M: f64 = 80.0;
const DOWNSTREAM_M: f64 = 15.0;
/// Queues are measured on so much of a lane, metres.
const QUEUE_M: f64 = 100.0;
/// A unit sees so far, metres.
pub(crate) const RANGE_M: f64 = 130.0;
/// A gate must be this near to a unit, metres.
const NEAR_M: f64 = 80.0;

/// The time of a simulated second.
pub(crate) fn at(time_s: f64) -> Timestamp {
    Timestamp::from_unix_ms(BEGIN_MS + (time_s * 1e3).round() as i64)
}

/// A gate of one lane.
#[derive(Clone, Debug)]
pub(crate) struct LoopGate {
    pub(crate) id: String,
    pub(crate) lane: LaneId,
    pub(crate) position_m: f64,
}

/// A gate across an edge of the junction.
#[derive(Clone, Debug)]
pub(crate) struct ArmGate {
    pub(crate) arm: String,
    pub(crate) edge: EdgeId,
    pub(crate) position_m: f64,
    pub(crate) is_inbound: bool,
}

/// A lane on which queues are measured.
#[derive(Clone, Debug)]
pub(crate) struct QueueLane {
    pub(crate) id: String,
    pub(crate) lane: LaneId,
    pub(crate) length_m: f64,
}

/// Everything that is counted.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) site: ServiceSite,
    pub(crate) loops: Vec<LoopGate>,
    pub(crate) arms: Vec<ArmGate>,
    pub(crate) queues: Vec<QueueLane>,
    /// Places of the roadside units.
    pub(crate) units: Vec<Place>,
    pub(crate) junction: String,
}

fn clean(name: &str) -> String {
    let clean = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    name.chars().map(clean).take(48).collect()
}

/// A line across lanes, from right to left of who drives on them.
fn across(roads: &Roads, lanes: &[LaneId], position_m: f64) -> Option<Line> {
    let side = |lane: LaneId, share: f64| {
        let lane = roads.lane(lane);
        // Lines and lengths differ a little in networks of SUMO.
        let on = lane.centre.at(position_m / lane.length_m * lane.centre.length_m())?;
        let (sin, cos) = on.yaw_rad.sin_cos();
        let off_m = lane.width_m * share;
        Some([on.point.x - sin * off_m, on.point.y + cos * off_m])
    };
    Some(Line([side(*lanes.first()?, -0.5)?, side(*lanes.last()?, 0.5)?]))
}

impl Layout {
    pub(crate) fn new(roads: &Roads, detectors: &[DetectorSpec]) -> anyhow::Result<Self> {
        let text = "site = 'town'\nutc-offset-min = 60\norigin = { latitude-deg = 44.4949, longitude-deg = 11.3426 }";
        let mut site: ServiceSite = toml::from_str(text)?;
        let mut loops = Vec::new();
        for detector in detectors {
            let lane = roads.lane(detector.lane);
            let length_m = lane.length_m;
            // At the very ends of a lane vehicles are partly on the one beside it.
            let position_m = detector.position_m.rem_euclid(length_m).clamp(6.0_f64.min(length_m / 2.0), length_m);
            let id = clean(&detector.name);
            let line_m = across(roads, &[detector.lane], position_m).context("a lane without a line")?;
            site.gates.push(GateSettings { id: id.clone(), line_m, lanes: 1, arm: None });
            loops.push(LoopGate { id, lane: detector.lane, position_m });
        }
        let junction = busiest(roads).context("there is no signalised junction")?;
        let mut layout = Self {
            site,
            loops,
            arms: Vec::new(),
            queues: Vec::new(),
            units: vec![roads.junctions[junction.index()].position.into()],
            junction: roads.junctions[junction.index()].name.clone(),
        };
        layout.add_arms(roads, junction)?;
        layout.add_units();
        Ok(layout)
    }

    fn add_arms(&mut self, roads: &Roads, junction: JunctionId) -> anyhow::Result<()> {
        let road = |edge: &Edge| edge.kind == EdgeKind::Road;
        for (number, edge) in (0u32..).zip(&roads.edges).filter(|(_, edge)| road(edge)) {
            let length_m = roads.lane(edge.lanes[0]).length_m;
            let is_inbound = edge.to == Some(junction);
            if !is_inbound && edge.from != Some(junction) {
                continue;
            }
            let position_m =
                if is_inbound { (length_m - UPSTREAM_M).max(6.0) } else { DOWNSTREAM_M.min(length_m / 2.0) };
            let line = across(roads, &edge.lanes, position_m).context("an edge without a line")?;
            let [right, left] = line.0;
            let line_m = if is_inbound { line } else { Line([left, right]) };
            let arm = clean(&edge.name);
            let id = format!("{}-{arm}", if is_inbound { "in" } else { "out" });
            let lanes = u8::try_from(edge.lanes.len())?;
            self.site.gates.push(GateSettings { id, line_m, lanes, arm: Some(arm.clone()) });
            self.arms.push(ArmGate { arm, edge: EdgeId(number), position_m, is_inbound });
            for lane in edge.lanes.iter().copied().filter(|_| is_inbound) {
                let (id, line) = (clean(&roads.lane(lane).name), &roads.lane(lane).centre);
                let part = line.part((line.length_m() - QUEUE_M).max(0.0), line.length_m());
                let way_m = Way(part.points().iter().rev().map(|point| [point.x, point.y]).collect());
                self.queues.push(QueueLane { id: id.clone(), lane, length_m: QUEUE_M });
                self.site.approaches.push(ApproachSettings { id, way_m, width_m: roads.lane(lane).width_m });
            }
        }
        Ok(())
    }

    /// A unit wherever a gate has none near.
    fn add_units(&mut self) {
        for gate in &self.site.gates {
            let place = gate.line_m.middle();
            let near = |unit: &Place| (unit[0] - place[0]).hypot(unit[1] - place[1]) <= NEAR_M;
            if !self.units.iter().any(near) {
                self.units.push(place);
            }
        }
    }
}

/// The signalised junction with the most links.
fn busiest(roads: &Roads) -> Option<JunctionId> {
    let signalised =
        |junction: &&usize| roads.junctions[**junction].links.iter().any(|link| roads.link(*link).signal.is_some());
    let places: Vec<usize> = (0..roads.junctions.len()).collect();
    let most = places.iter().filter(signalised).max_by_key(|junction| roads.junctions[**junction].links.len());
    most.and_then(|junction| u32::try_from(*junction).ok()).map(JunctionId)
}
