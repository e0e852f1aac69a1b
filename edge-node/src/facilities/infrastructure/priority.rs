//! Requests for priority: TS 103 301 clauses 8 and 9 (TLC). SREMs become requests for the signal controller, SSEMs tell
//! the vehicles what became of them.

use super::map::reference;
use super::{InfrastructureSettings, push, station_of};
use crate::effect::{PriorityAction, PriorityRequest, Requester, Way};
use crate::event::{PriorityAnswer, PriorityStatus};
use crate::facilities::{Draft, Scene};
use crate::world::Drops;
use crate::world::infrastructure::InfrastructureSite;
use masa_v2x_proto::List;
use masa_v2x_proto::dsrc::time::instant;
use masa_v2x_proto::dsrc::{
    BasicVehicleRole, IntersectionAccessPoint, IntersectionReferenceId, PrioritizationResponseStatus, VehicleId,
};
use masa_v2x_proto::security::Verdict;
use masa_v2x_proto::srem::{PriorityRequestType, SignalRequestPackage, Srem};
use masa_v2x_proto::ssem::{SignalRequesterInfo, SignalStatus, SignalStatusPackage, Ssem};
use masa_v2x_proto::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most requests at a time: what the status of one intersection holds.
pub const MAX_REQUESTS: usize = 32;
/// A request without a time of arrival is forgotten after this, and one with it so long after that time, milliseconds.
const REQUEST_LIFE_MS: i64 = 30_000;
/// Repetition of the answers, milliseconds.
const SSEM_INTERVAL_MS: i64 = 1_000;

/// Whose requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// Those whose signature was verified, with the permission to ask.
    Signed,
    /// Everybody's, where the link itself is trusted.
    Anybody,
}

impl Trust {
    pub(super) const fn takes(self, verdict: Verdict) -> bool {
        matches!((self, verdict), (_, Verdict::Verified(_)) | (Self::Anybody, Verdict::Unsigned))
    }
}

/// A request: who asks, where, its number.
type Key = (u32, u16, u8);

#[derive(Clone, Debug)]
struct Active {
    requester: VehicleId,
    role: Option<BasicVehicleRole>,
    sequence_number: u8,
    intersection: IntersectionReferenceId,
    inbound: IntersectionAccessPoint,
    status: PriorityStatus,
    expires_at: Timestamp,
}

/// The requests that are being served.
#[derive(Clone, Debug, Default)]
pub(super) struct PriorityService {
    active: BTreeMap<Key, Active>,
    for_controller: Vec<PriorityRequest>,
    has_news: bool,
    sequence_number: u8,
    next: Option<Timestamp>,
}

impl PriorityService {
    pub(super) fn request(&mut self, srem: &Srem, site: &InfrastructureSite, now: Timestamp, drops: &mut Drops) {
        for package in srem.srm.requests.iter().flatten() {
            let asked = &package.request.id;
            let known = site.intersections.iter().map(reference).find(|known| known.id == asked.id);
            match known.filter(|known| asked.region.is_none() || asked.region == known.region) {
                Some(intersection) => self.request_at(srem, package, intersection, now, drops),
                None => drops.count("srem-for-another-intersection"),
            }
        }
    }

    fn request_at(
        &mut self,
        srem: &Srem,
        package: &SignalRequestPackage,
        intersection: IntersectionReferenceId,
        now: Timestamp,
        drops: &mut Drops,
    ) {
        let request = &package.request;
        let key = (station_of(srem).0, intersection.id, request.request_id);
        let arrives_at = package.minute.flatten().zip(package.second_ms.flatten());
        let arrives_at = arrives_at.map(|(minute, ms)| instant(minute, ms, now));
        let (action, goes_on) = match request.request_type {
            PriorityRequestType::Cancellation => (PriorityAction::Cancel, false),
            _ if self.active.contains_key(&key) => (PriorityAction::Update, true),
            _ => (PriorityAction::Request, true),
        };
        if !goes_on && self.active.remove(&key).is_none() {
            return drops.count("srem-cancels-no-request");
        }
        if goes_on {
            if action == PriorityAction::Request && self.active.len() >= MAX_REQUESTS {
                return drops.count("srem-requests-full");
            }
            let sequence_number = srem.srm.sequence_number.unwrap_or(0);
            if self.active.get(&key).is_some_and(|known| known.sequence_number == sequence_number) {
                return drops.count("srem-repeated");
            }
            let active = Active {
                requester: srem.srm.requestor.id,
                role: srem.srm.requestor.requestor_type.as_ref().map(|kind| kind.role),
                sequence_number,
                intersection,
                inbound: request.inbound_lane.clone(),
                status: self.active.get(&key).map_or(PriorityStatus::Requested, |known| known.status),
                expires_at: arrives_at.unwrap_or(now).max(now).plus_ms(REQUEST_LIFE_MS),
            };
            self.active.insert(key, active);
        }
        self.has_news = true;
        self.for_controller.push(PriorityRequest {
            station: key.0,
            intersection: key.1,
            request: key.2,
            action,
            requester: requester(srem.srm.requestor.requestor_type.as_ref().map(|kind| kind.role)),
            inbound: way(&request.inbound_lane),
            outbound: request.outbound_lane.as_ref().and_then(way),
            arrives_at,
        });
    }

    /// Takes the controller's answer; false when nobody has asked.
    pub(super) fn answer(&mut self, answer: &PriorityAnswer) -> bool {
        let key = (answer.station, answer.intersection, answer.request);
        let Some(active) = self.active.get_mut(&key) else { return false };
        self.has_news |= active.status != answer.status;
        active.status = answer.status;
        true
    }

    pub(super) fn take_requests(&mut self) -> Vec<PriorityRequest> {
        std::mem::take(&mut self.for_controller)
    }

    pub(super) fn evaluate(
        &mut self,
        scene: &Scene<'_>,
        settings: &InfrastructureSettings,
        drops: &mut Drops,
        drafts: &mut Vec<Draft>,
    ) {
        self.active.retain(|_, active| scene.now < active.expires_at);
        if self.active.is_empty() {
            (self.next, self.has_news) = (None, false);
            return;
        }
        let is_due = self.next.is_none_or(|next| scene.now >= next);
        if self.has_news || is_due {
            let rule = if self.has_news { "SSEM: changed, TS 103 301 9" } else { "SSEM: repeated, TS 103 301 9" };
            if self.has_news {
                self.sequence_number = (self.sequence_number + 1) % 128;
            }
            push(self.ssem(scene).map(Into::into), rule, scene, settings, drops, drafts);
            (self.next, self.has_news) = (Some(scene.now.plus_ms(SSEM_INTERVAL_MS)), false);
        }
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.next
    }

    fn ssem(&self, scene: &Scene<'_>) -> Option<Ssem> {
        let mut by_intersection: BTreeMap<u16, (IntersectionReferenceId, Vec<SignalStatusPackage>)> = BTreeMap::new();
        for ((_, id, request), active) in &self.active {
            let mut requester = SignalRequesterInfo::new(active.requester, *request, active.sequence_number);
            requester.role = active.role;
            let package = SignalStatusPackage::new(requester, active.inbound.clone(), status(active.status));
            by_intersection.entry(*id).or_insert_with(|| (active.intersection, Vec::new())).1.push(package);
        }
        let statuses = by_intersection
            .into_values()
            .map(|(id, packages)| Some(SignalStatus::new(self.sequence_number, id, List::try_from_iter(packages)?)));
        let statuses = statuses.collect::<Option<Vec<_>>>()?;
        Some(Ssem::new(scene.station.id, scene.now, self.sequence_number, List::try_from_iter(statuses)?))
    }
}

fn way(point: &IntersectionAccessPoint) -> Option<Way> {
    match point {
        IntersectionAccessPoint::Lane(lane) => Some(Way::Lane(*lane)),
        IntersectionAccessPoint::Approach(approach) => Some(Way::Approach(*approach)),
        IntersectionAccessPoint::Connection(connection) => Some(Way::Connection(*connection)),
        IntersectionAccessPoint::Unknown(_) => None,
    }
}

/// The roles that controllers tell apart.
const fn requester(role: Option<BasicVehicleRole>) -> Requester {
    use BasicVehicleRole as Asks;
    match role {
        Some(Asks::Emergency | Asks::Police | Asks::Fire | Asks::Ambulance | Asks::RoadRescue) => Requester::Emergency,
        Some(Asks::PublicTransport | Asks::Transit | Asks::Tram) => Requester::PublicTransport,
        _ => Requester::Other,
    }
}

const fn status(status: PriorityStatus) -> PrioritizationResponseStatus {
    match status {
        PriorityStatus::Requested => PrioritizationResponseStatus::Requested,
        PriorityStatus::Processing => PrioritizationResponseStatus::Processing,
        PriorityStatus::WatchOtherTraffic => PrioritizationResponseStatus::WatchOtherTraffic,
        PriorityStatus::Granted => PrioritizationResponseStatus::Granted,
        PriorityStatus::Rejected => PrioritizationResponseStatus::Rejected,
        PriorityStatus::MaxPresence => PrioritizationResponseStatus::MaxPresence,
        PriorityStatus::ReserviceLocked => PrioritizationResponseStatus::ReserviceLocked,
    }
}
