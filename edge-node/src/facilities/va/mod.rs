//! Vulnerable road user awareness (TS 103 300-3): a person or cycle that carries the node says that it is there.
//!
//! In: the road user's movement and the VAMs of others. Out: VAMs, of the road user or of the cluster it leads; none while
//! another speaks for it. A roadside unit sends none: what it sees of vulnerable road users is in its CPMs.
//! Absent: motion prediction (optional), trajectory interception, combined clusters.

mod cluster;
mod generation;
mod message;
#[cfg(test)]
mod tests;

pub use cluster::{ClusterSettings, Clustering, Companion, LEADER_INTERVAL_MS, Own, Statement};
pub use generation::{Due, T_GEN_VAM_LF_MIN_MS, T_GEN_VAM_MAX_MS, T_GEN_VAM_MIN_MS, VamTiming};

use super::dynamics::Dynamics;
use super::profile::{Profile, StationKind};
use super::{Content, Draft, Facility, Scene};
use crate::effect::Provenance;
use crate::event::EgoState;
use crate::world::Drops;
use crate::world::ldm::Neighbour;
use masa_v2x_proto::MessageKind;
use masa_v2x_proto::geonet::Dissemination;
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};

/// When VAMs go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct VaSettings {
    /// A road user falls silent when its own state is older than this, milliseconds.
    pub ego_timeout_ms: u32,
    /// Whether and how it clusters with others; absent: it speaks for itself.
    pub cluster: Option<ClusterSettings>,
    /// `numSkipVamsForRedundancyMitigation`: a road user whose state another one's VAM tells already skips its own for so
    /// many of the longest intervals, 0 (never) to 10 (TS 103 300-3 6.4.2).
    pub skip_vams: u8,
}

impl Default for VaSettings {
    fn default() -> Self {
        Self { ego_timeout_ms: 1_500, cluster: None, skip_vams: 0 }
    }
}

/// The VRU awareness service.
#[derive(Clone, Debug)]
pub(crate) struct VaService {
    settings: VaSettings,
    is_on: bool,
    timing: VamTiming,
    clustering: Clustering,
    /// The cluster has changed since the last VAM.
    news: bool,
    last_sent: Option<Timestamp>,
    wake_at: Option<Timestamp>,
    drops: Drops,
}

impl VaService {
    pub(crate) fn new(kind: StationKind, settings: VaSettings) -> Self {
        Self {
            settings,
            is_on: kind.profile() == Profile::Vru,
            timing: VamTiming::default(),
            clustering: Clustering::new(),
            news: false,
            last_sent: None,
            wake_at: None,
            drops: Drops::default(),
        }
    }

    pub(crate) fn drops(&self) -> &Drops {
        &self.drops
    }

    fn cluster_step(&mut self, ego: &EgoState, dynamics: Dynamics, scene: &Scene<'_>) -> Vec<Companion> {
        let Some(settings) = &self.settings.cluster else { return Vec::new() };
        let reach_m = 4.0 * settings.max_cluster_distance_m;
        let near = scene.ldm.stations_within(dynamics.position, reach_m);
        let companions: Vec<_> = near.filter_map(companion).collect();
        let own =
            Own { station: scene.station.id, position: dynamics.position, speed_mps: ego.speed_mps.unwrap_or(0.0) };
        let was_passive = self.clustering.is_passive();
        self.news |= self.clustering.step(own, &companions, settings, scene.now);
        if self.clustering.is_passive() && !was_passive {
            self.timing.forget();
            self.news = false;
        }
        companions
    }

    /// TS 103 300-3 6.4.2: another road user so close and so alike says the same, and the last own VAM is not too long ago.
    fn is_redundant(&self, dynamics: Dynamics, scene: &Scene<'_>) -> bool {
        let skip_ms = i64::from(self.settings.skip_vams) * T_GEN_VAM_MAX_MS;
        let recent = self.last_sent.is_some_and(|at| scene.now < at.plus_ms(skip_ms));
        let alike = |other: &Neighbour| {
            let theirs = other.ground.map(|position| Dynamics {
                position,
                heading_deg: other.heading_deg,
                speed_mps: other.speed_mps,
            });
            other.kind == MessageKind::Vam && theirs.is_some_and(|theirs| dynamics.change_since(&theirs).is_none())
        };
        recent && scene.ldm.stations_within(dynamics.position, 4.0).any(alike)
    }
}

/// Another road user that may be a companion: one that tells how fast it is.
fn companion(other: &Neighbour) -> Option<Companion> {
    (other.kind == MessageKind::Vam).then_some(())?;
    Some(Companion {
        station: other.id,
        position: other.ground?,
        speed_mps: other.speed_mps?,
        heard_at: other.heard_at,
        leads: other.cluster.leads,
        breaks_up: other.cluster.breaks_up,
        joins: other.cluster.joins,
        leaves: other.cluster.leaves,
    })
}

impl Facility for VaService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        let Some(ego) = scene.ego.filter(|_| self.is_on) else { return };
        if scene.now >= ego.captured_at.plus_ms(i64::from(self.settings.ego_timeout_ms)) {
            if self.wake_at.take().is_some() {
                self.drops.count("vam-ego-too-old");
            }
            return;
        }
        let dynamics = Dynamics::of(ego, &scene.station.frame);
        let companions = self.cluster_step(ego, dynamics, scene);
        let cluster_wake = self.clustering.wake_at(&companions);
        if self.clustering.is_passive() {
            self.wake_at = cluster_wake;
            return;
        }
        let statement = self.clustering.statement(scene.now);
        let leads = matches!(statement, Statement::Leads { .. });
        let max_ms = if leads { LEADER_INTERVAL_MS } else { T_GEN_VAM_MAX_MS };
        let dcc_ms = scene.t_gen_cam_dcc_ms;
        if let Some(due) = self.timing.due(scene.now, dynamics, self.news, max_ms, dcc_ms) {
            if statement == Statement::None && due != Due::First && self.is_redundant(dynamics, scene) {
                self.drops.count("vam-redundant");
                // Looked at again with the next change, as if it had been said.
                self.timing.sent(scene.now, dynamics);
            } else {
                self.news = false;
                self.last_sent = Some(scene.now);
                let low_frequency = self.timing.sent(scene.now, dynamics);
                drafts.push(draft(scene, ego, low_frequency, statement, due, self.settings.cluster.as_ref()));
            }
        }
        let due_at = self.timing.due_at(dynamics, self.news, max_ms, dcc_ms);
        self.wake_at = due_at.into_iter().chain(cluster_wake).min();
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }
}

fn draft(
    scene: &Scene<'_>,
    ego: &EgoState,
    low_frequency: bool,
    statement: Statement,
    due: Due,
    cluster: Option<&ClusterSettings>,
) -> Draft {
    let radius_m = cluster.map_or(0.0, |cluster| cluster.max_cluster_distance_m);
    Draft {
        content: Content::Vam(Box::new(message::vam(scene.station, ego, low_frequency, statement, radius_m))),
        captured_at: Some(ego.captured_at),
        position: ego.position,
        deadline: None,
        dissemination: Dissemination::default(),
        provenance: Provenance { rule: format!("VAM: {}, TS 103 300-3 6.4.1", due.words()), objects: Vec::new() },
    }
}
