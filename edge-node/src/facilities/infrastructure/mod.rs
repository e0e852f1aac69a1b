//! Infrastructure services (TS 103 301) from the site's state: RLT (MAPEM), TLM (SPATEM), IVI (IVIM), TLC (SREM, SSEM).
//!
//! In: the site's intersections and signs, what the signals show, and the requests of vehicles. Out: messages, repeated
//! while they hold and sent at once when they change; requests for the signal controller. A site without intersections and
//! signs sends nothing of this. On board of a vehicle that may ask: its requests for priority. Absent: GNSS corrections
//! (RTCMEM), which need a reference station.

mod map;
mod priority;
mod request;
mod signs;
mod spat;
#[cfg(test)]
mod tests;

pub use priority::{MAX_REQUESTS, Trust};

use super::profile::{Profile, StationKind, VehicleSettings};
use super::{Content, Draft, Facility, Scene};
use crate::effect::{PriorityRequest, Provenance};
use crate::event::PriorityAnswer;
use crate::world::Drops;
use crate::world::infrastructure::InfrastructureSite;
use masa_v2x_proto::Message;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::geonet::{Dissemination, GeoArea, Scope, Shape};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::srem::Srem;
use masa_v2x_proto::ssem::Ssem;
use masa_v2x_proto::time::Timestamp;
use priority::PriorityService;
use request::Requester;
use serde::{Deserialize, Serialize};
use spat::SpatService;

/// When the infrastructure services speak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct InfrastructureSettings {
    /// Repetition of the map, milliseconds.
    pub mapem_interval_ms: u32,
    /// Repetition of the signals' state when nothing changes, milliseconds; a change leaves at once.
    pub spatem_interval_ms: u32,
    /// Repetition of signs, milliseconds.
    pub ivim_interval_ms: u32,
    /// What a controller told longer ago is not true any more, milliseconds.
    pub signal_timeout_ms: u32,
    /// How far these messages travel, metres around the station.
    pub range_m: f64,
    /// Whose requests for priority go to the controller; absent: nobody's.
    pub priority: Option<Trust>,
}

impl Default for InfrastructureSettings {
    fn default() -> Self {
        Self {
            mapem_interval_ms: 1_000,
            spatem_interval_ms: 1_000,
            ivim_interval_ms: 1_000,
            signal_timeout_ms: 3_000,
            range_m: 500.0,
            priority: None,
        }
    }
}

/// The infrastructure services of a roadside unit, and what a vehicle asks of them.
#[derive(Clone, Debug)]
pub(crate) struct InfrastructureService {
    settings: InfrastructureSettings,
    site: InfrastructureSite,
    map: Repeated,
    signs: Repeated,
    /// When the signs were first announced: their time stamp.
    announced_at: Option<Timestamp>,
    spat: SpatService,
    priority: PriorityService,
    /// Of a vehicle.
    requester: Option<Requester>,
    drops: Drops,
}

impl InfrastructureService {
    pub(crate) fn new(
        kind: StationKind,
        settings: InfrastructureSettings,
        site: InfrastructureSite,
        vehicle: &VehicleSettings,
    ) -> Self {
        let stands = kind.profile() == Profile::Roadside;
        Self {
            map: Repeated::new(settings.mapem_interval_ms),
            signs: Repeated::new(settings.ivim_interval_ms),
            announced_at: None,
            spat: SpatService::default(),
            priority: PriorityService::default(),
            requester: (kind.profile() == Profile::Vehicle).then(|| Requester::new(vehicle.clone())),
            site: if stands { site } else { InfrastructureSite::default() },
            settings,
            drops: Drops::default(),
        }
    }

    pub(crate) fn drops(&self) -> &Drops {
        &self.drops
    }

    pub(crate) fn site(&self) -> &InfrastructureSite {
        &self.site
    }

    pub(crate) fn signal_timeout_ms(&self) -> i64 {
        i64::from(self.settings.signal_timeout_ms)
    }

    /// Takes a vehicle's request for priority (TS 103 301 clause 9, TLC).
    pub(crate) fn request(&mut self, srem: &Srem, verdict: Verdict, now: Timestamp) {
        match self.settings.priority {
            Some(trust) if trust.takes(verdict) => self.priority.request(srem, &self.site, now, &mut self.drops),
            Some(_) => self.drops.count("srem-not-signed"),
            None => self.drops.count("srem-not-served"),
        }
    }

    /// Takes a roadside unit's answer to the vehicle's own request.
    pub(crate) fn status(&mut self, ssem: &Ssem, own: StationId) {
        if let Some(requester) = &mut self.requester {
            requester.answer(ssem, own);
        }
    }

    /// Takes the controller's answer to a request.
    pub(crate) fn answer(&mut self, answer: &PriorityAnswer) {
        if !self.priority.answer(answer) {
            self.drops.count("priority-answer-to-no-request");
        }
    }

    /// The requests for the controller since this was last asked.
    pub(crate) fn take_requests(&mut self) -> Vec<PriorityRequest> {
        self.priority.take_requests()
    }
}

impl Facility for InfrastructureService {
    fn evaluate(&mut self, scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
        let Self { settings, site, spat, priority, requester, .. } = self;
        if let Some(requester) = requester {
            requester.evaluate(scene, settings, &mut self.drops, drafts);
        }
        if !site.intersections.is_empty() {
            spat.evaluate(scene, site, settings, drafts);
            if self.map.is_due(scene.now) {
                let message = map::mapem(scene.station, &site.intersections, scene.now).map(Into::into);
                push(message, "MAPEM: repeated, TS 103 301 6", scene, settings, &mut self.drops, drafts);
            }
            priority.evaluate(scene, settings, &mut self.drops, drafts);
        }
        if !site.signs.is_empty() && self.signs.is_due(scene.now) {
            let announced_at = *self.announced_at.get_or_insert(scene.now);
            for sign in &site.signs {
                let message = signs::ivim(scene.station, sign, announced_at).map(Into::into);
                push(message, "IVIM: repeated, TS 103 301 7", scene, settings, &mut self.drops, drafts);
            }
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let map = self.map.next.filter(|_| !self.site.intersections.is_empty());
        let signs = self.signs.next.filter(|_| !self.site.signs.is_empty());
        let asks = self.requester.as_ref().and_then(Requester::wake_at);
        [map, signs, self.spat.wake_at(), self.priority.wake_at(), asks].into_iter().flatten().min()
    }
}

/// Something that is said again and again.
#[derive(Clone, Copy, Debug)]
struct Repeated {
    interval_ms: i64,
    next: Option<Timestamp>,
}

impl Repeated {
    const fn new(interval_ms: u32) -> Self {
        Self { interval_ms: interval_ms as i64, next: None }
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        let due = self.next.is_none_or(|next| now >= next);
        if due {
            self.next = Some(now.plus_ms(self.interval_ms.max(1)));
        }
        due
    }
}

/// Appends the draft of a message; one that cannot be made is counted.
fn push(
    message: Option<Message>,
    rule: &str,
    scene: &Scene<'_>,
    settings: &InfrastructureSettings,
    drops: &mut Drops,
    drafts: &mut Vec<Draft>,
) {
    let Some(message) = message else { return drops.count("infrastructure-message-not-possible") };
    let area = GeoArea {
        shape: Shape::Circle,
        centre: scene.station.position,
        a_m: settings.range_m,
        b_m: 0.0,
        azimuth_deg: 0.0,
    };
    drafts.push(Draft {
        content: Content::Infrastructure(Box::new(message)),
        captured_at: None,
        position: scene.station.position,
        deadline: None,
        dissemination: Dissemination { scope: Scope::Broadcast(area), ..Dissemination::default() },
        provenance: Provenance { rule: rule.to_owned(), objects: Vec::new() },
    });
}

/// A place of the site on the earth.
fn wgs84(frame: &SiteFrame, [e_m, n_m]: [f64; 2]) -> Wgs84 {
    frame.to_wgs84(Enu::ground(e_m, n_m))
}

/// The station of a vehicle that asks.
fn station_of(srem: &Srem) -> StationId {
    srem.header.station_id
}
