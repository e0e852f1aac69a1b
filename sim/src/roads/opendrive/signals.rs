//! Signs, signals and controllers.
//!
//! OpenDRIVE says which signal applies to which lanes and which signals switch together, not when. So each junction with
//! signals gets one controller with a programme of our own: signals that switch together are a group; groups whose ways do
//! not meet, save oncoming ones where the turning way waits, are green together; each such phase is 25 s green, 3 s yellow,
//! 2 s red for all. A real programme is read by [`Roads::read_signal_programmes`](crate::Roads::read_signal_programmes).

use super::Reader;
use crate::geometry::angle_between;
use crate::roads::conflicts::Rank;
use crate::roads::{LinkId, SignalController, SignalId, SignalPhase, SignalState};
use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_4;

/// Green, yellow and all-red times of a made-up programme, seconds.
const TIMES_S: [f64; 3] = [25.0, 3.0, 2.0];

/// Signals that switch together: a controller of the file, or one signal that no controller has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Controller(usize),
    Signal(usize),
}

impl Reader<'_> {
    /// What the signs of a link say; with signals, nothing.
    pub(super) fn rank(&self, link: LinkId) -> Rank {
        if self.group(link).is_some() {
            return Rank::None;
        }
        let ranks = self.signals_of(link).map(|signal| match signal.kind.as_str() {
            // Numbers of the German catalogue (StVO), which makers of maps use everywhere.
            "206" => Rank::Stop,
            "205" => Rank::GiveWay,
            "301" | "306" => Rank::Priority,
            _ => Rank::None,
        });
        ranks.min_by_key(|rank| if *rank == Rank::None { 4 } else { *rank as u8 }).unwrap_or(Rank::None)
    }

    /// Signals that apply to the lane before a link or to its first lane inside the junction.
    fn signals_of(&self, link: LinkId) -> impl Iterator<Item = &xodr::Signal> {
        let link = self.roads.link(link);
        let lanes = [Some(link.from), link.via].into_iter().flatten().map(|lane| self.sources[lane.index()]);
        let lanes: Vec<xodr::LaneId> = lanes.collect();
        self.network.signals().iter().filter(move |signal| signal.lanes.iter().any(|lane| lanes.contains(lane)))
    }

    fn group(&self, link: LinkId) -> Option<Group> {
        // 1000001 to 1000020 are lights (OpenDRIVE's own catalogue); 1000002 is for people on foot.
        let light =
            |signal: &&xodr::Signal| signal.dynamic && signal.kind.starts_with("10000") && signal.kind != "1000002";
        let signal = self.signals_of(link).find(light)?;
        let controller = signal.controllers.first().map(|controller| Group::Controller(controller.0));
        Some(controller.unwrap_or(Group::Signal(signal.id.0)))
    }

    pub(super) fn read_signals(&mut self) {
        for place in 0..self.roads.junctions.len() {
            let links = self.roads.junctions[place].links.clone();
            let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
            for (at, link) in links.iter().enumerate() {
                if let Some(group) = self.group(*link) {
                    groups.entry(group).or_default().push(at);
                }
            }
            if groups.is_empty() {
                continue;
            }
            let id = SignalId(self.roads.signals.len() as u32);
            let signalled: Vec<usize> = groups.values().flatten().copied().collect();
            for (state, at) in signalled.iter().enumerate() {
                self.roads.links[links[*at].index()].signal = Some((id, state as u16));
            }
            let groups: Vec<Vec<usize>> = groups.into_values().collect();
            let phases = self.phases(&links, &signalled, &groups);
            let name = self.roads.junctions[place].name.clone();
            self.roads.signals.push(SignalController { name, phases, ..SignalController::default() });
        }
    }

    /// The made-up programme: each group takes the first phase whose other groups it goes along with.
    fn phases(&self, links: &[LinkId], signalled: &[usize], groups: &[Vec<usize>]) -> Vec<SignalPhase> {
        let mut together: Vec<Vec<usize>> = Vec::new();
        for group in 0..groups.len() {
            let fits =
                |phase: &&mut Vec<usize>| phase.iter().all(|other| self.agree(links, &groups[group], &groups[*other]));
            match together.iter_mut().find(fits) {
                Some(phase) => phase.push(group),
                None => together.push(vec![group]),
            }
        }
        let mut phases = Vec::new();
        for phase in &together {
            let green: Vec<usize> = phase.iter().flat_map(|group| &groups[*group]).copied().collect();
            let [green_s, yellow_s, red_s] = TIMES_S;
            let states = |of_green: &dyn Fn(usize) -> SignalState| {
                signalled.iter().map(|at| if green.contains(at) { of_green(*at) } else { SignalState::Red }).collect()
            };
            let gives_way = |at: usize| {
                self.roads.link(links[at]).yields_to.iter().any(|other| green.contains(&usize::from(*other)))
            };
            let go = |at| if gives_way(at) { SignalState::GreenMinor } else { SignalState::GreenMajor };
            for (duration_s, states) in [
                (green_s, states(&go)),
                (yellow_s, states(&|_| SignalState::Yellow)),
                (red_s, states(&|_| SignalState::Red)),
            ] {
                phases.push(SignalPhase { duration_s, min_s: duration_s, max_s: duration_s, states });
            }
        }
        phases
    }

    /// Whether two groups may be green together: what meets comes from opposite sides.
    fn agree(&self, links: &[LinkId], a: &[usize], b: &[usize]) -> bool {
        let yaw = |at: usize| {
            let lane = self.roads.lane(self.roads.link(links[at]).from);
            lane.centre.at(lane.centre.length_m()).map_or(0.0, |on| on.yaw_rad)
        };
        a.iter().all(|a| {
            let meets = |b: &&usize| self.roads.link(links[*a]).conflicts.contains(&(**b as u16));
            b.iter().filter(meets).all(|b| angle_between(yaw(*a), yaw(*b)).abs() > 3.0 * FRAC_PI_4)
        })
    }
}
