//! Cooperative awareness of a vehicle.

use super::containers::{Optional, vehicle_cam};
use super::generation::CamTiming;
use super::path_history::PathHistory;
use super::{CaSettings, draft};
use crate::event::EgoState;
use crate::facilities::dynamics::Dynamics;
use crate::facilities::profile::{Role, VehicleSettings};
use crate::facilities::{Draft, Facility, Scene};
use crate::world::Drops;
use masa_v2x_proto::time::Timestamp;

/// The low-frequency and the special-vehicle container are included at most this often, milliseconds (EN 302 637-2
/// 6.1.3).
const OPTIONAL_INTERVAL_MS: i64 = 500;

/// The cooperative awareness service of a vehicle.
#[derive(Clone, Debug)]
pub(crate) struct VehicleCa {
    settings: CaSettings,
    vehicle: VehicleSettings,
    timing: CamTiming,
    history: PathHistory,
    last_low_frequency: Option<Timestamp>,
    last_special: Option<Timestamp>,
    /// Capture time of the newest state in the path history.
    driven_to: Option<Timestamp>,
    wake_at: Option<Timestamp>,
    drops: Drops,
}

impl VehicleCa {
    pub(super) fn new(settings: CaSettings, vehicle: VehicleSettings) -> Self {
        Self {
            timing: CamTiming::new(settings.n_gen_cam),
            history: PathHistory::new(settings.path_history_error_m, settings.path_history_length_m),
            settings,
            vehicle,
            last_low_frequency: None,
            last_special: None,
            driven_to: None,
            wake_at: None,
            drops: Drops::default(),
        }
    }

    pub(super) fn forget_path(&mut self) {
        self.history = PathHistory::new(self.settings.path_history_error_m, self.settings.path_history_length_m);
    }

    pub(super) fn drops(&self) -> &Drops {
        &self.drops
    }

    /// The state to tell of, unless it is too old to be true.
    fn state<'a>(&mut self, scene: &Scene<'a>) -> Option<&'a EgoState> {
        let ego = scene.ego?;
        let expires_at = ego.captured_at.plus_ms(i64::from(self.settings.ego_timeout_ms));
        if scene.now >= expires_at {
            if self.wake_at.take().is_some() {
                self.drops.count("cam-ego-too-old");
            }
            return None;
        }
        Some(ego)
    }
}

impl Facility for VehicleCa {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        let Some(ego) = self.state(scene) else { return };
        let dynamics = Dynamics::of(ego, &scene.station.frame);
        if self.driven_to != Some(ego.captured_at) {
            self.driven_to = Some(ego.captured_at);
            self.history.drive(ego.captured_at, dynamics.position);
        }
        let dcc_ms = scene.t_gen_cam_dcc_ms;
        if let Some(due) = self.timing.check(scene.now, dynamics, dcc_ms) {
            let elapsed = |last: Option<Timestamp>| last.is_none_or(|at| scene.now >= at.plus_ms(OPTIONAL_INTERVAL_MS));
            let optional = Optional {
                low_frequency: elapsed(self.last_low_frequency),
                special_vehicle: self.vehicle.role != Role::Default && elapsed(self.last_special),
            };
            let cam = vehicle_cam(scene.station, ego, &self.vehicle, &self.history, optional);
            if optional.low_frequency {
                self.last_low_frequency = Some(scene.now);
            }
            if optional.special_vehicle {
                self.last_special = Some(scene.now);
            }
            let rule = format!("CAM: {}, EN 302 637-2 6.1.3", due.words());
            drafts.push(draft(cam, rule, Some(ego.captured_at), ego.position));
        }
        self.wake_at = self.timing.due_at(dynamics, dcc_ms);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.wake_at
    }
}
