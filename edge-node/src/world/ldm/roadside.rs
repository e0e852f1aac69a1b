//! What roadside units tell drivers: maps (MAPEM), signals (SPATEM), signs (IVIM).

use super::Ldm;
use super::intake::Reception;
use crate::event::SignalPhase;
use masa_v2x_proto::cdd::StationId;
use masa_v2x_proto::dsrc::IntersectionReferenceId;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::ivim::{IviStatus, Ivim};
use masa_v2x_proto::mapem::{GenericLane, IntersectionGeometry, LaneDirection, Mapem, NodeList};
use masa_v2x_proto::spatem::{IntersectionState, MovementPhaseState, Spatem};
use masa_v2x_proto::time::Timestamp;

/// A map is forgotten this long after it was last heard, milliseconds: it changes rarely, and a unit out of reach may come
/// back.
const MAP_TIMEOUT_MS: i64 = 60_000;
/// What signals show is forgotten this long after it was heard, milliseconds.
const SIGNALS_TIMEOUT_MS: i64 = 3_000;
/// A sign that states no end is forgotten this long after it was heard, milliseconds.
const SIGN_TIMEOUT_MS: i64 = 60_000;
/// Most maps, signal states and signs, each.
const MAX_ENTRIES: usize = 256;

/// Something that a roadside unit tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Told<T> {
    /// Who tells it.
    pub from: StationId,
    /// When it was last heard.
    pub heard_at: Timestamp,
    /// When it is forgotten.
    pub expires_at: Timestamp,
    /// What it is.
    pub content: Box<T>,
}

/// A sign's identity: country and number of the provider, number of the sign.
pub type SignId = (u16, u16, u32);

impl Ldm {
    /// Maps of intersections, by reference.
    pub fn maps(&self) -> impl Iterator<Item = &Told<IntersectionGeometry>> {
        self.maps.values()
    }

    /// What signals show, by intersection.
    pub fn signals(&self) -> impl Iterator<Item = &Told<IntersectionState>> {
        self.signals.values()
    }

    /// What the signals of an intersection show.
    pub fn signals_of(&self, intersection: &IntersectionReferenceId) -> Option<&Told<IntersectionState>> {
        self.signals.get(intersection)
    }

    /// What each signal group of an intersection shows.
    pub fn phases_of(&self, region: Option<u16>, id: u16) -> Vec<(u8, SignalPhase)> {
        let told = self.signals_of(&IntersectionReferenceId { region, id });
        let movements = told.iter().flat_map(|told| &told.content.states);
        let shown = movements.filter_map(|movement| {
            let event = movement.state_time_speed.first()?;
            Some((movement.signal_group.0, phase(event.event_state)))
        });
        shown.collect()
    }

    /// Signs, by identity.
    pub fn signs(&self) -> impl Iterator<Item = &Told<Ivim>> {
        self.signs.values()
    }

    pub(super) fn take_mapem(&mut self, mapem: &Mapem, reception: Reception) -> Result<(), &'static str> {
        let intersections = mapem.map.intersections.iter().flat_map(|list| list.iter());
        for geometry in intersections {
            if self.maps.len() >= MAX_ENTRIES && !self.maps.contains_key(&geometry.id) {
                return Err("ldm-maps-full");
            }
            let told = told(geometry.clone(), reception, MAP_TIMEOUT_MS);
            self.expires(told.expires_at);
            self.maps.insert(geometry.id, told);
        }
        Ok(())
    }

    pub(super) fn take_spatem(&mut self, spatem: &Spatem, reception: Reception) -> Result<(), &'static str> {
        for state in &spatem.spat.intersections {
            if self.signals.len() >= MAX_ENTRIES && !self.signals.contains_key(&state.id) {
                return Err("ldm-signals-full");
            }
            let told = told(state.clone(), reception, SIGNALS_TIMEOUT_MS);
            self.expires(told.expires_at);
            self.signals.insert(state.id, told);
        }
        Ok(())
    }

    /// A cancelled or negated sign is gone; of one that states its end, that end counts.
    pub(super) fn take_ivim(&mut self, ivim: &Ivim, reception: Reception) -> Result<(), &'static str> {
        let management = &ivim.ivi.mandatory;
        let provider = &management.service_provider_id;
        let id = (provider.country_code, provider.provider_identifier, management.ivi_identification_number);
        if matches!(management.ivi_status, IviStatus::Cancellation | IviStatus::Negation) {
            self.signs.remove(&id);
            return Ok(());
        }
        let mut told = told(ivim.clone(), reception, SIGN_TIMEOUT_MS);
        if let Some(end) = management.valid_to {
            told.expires_at = told.expires_at.min(Timestamp::from(end));
        }
        if told.expires_at <= reception.now {
            return Err("received-sign-expired");
        }
        if self.signs.len() >= MAX_ENTRIES && !self.signs.contains_key(&id) {
            return Err("ldm-signs-full");
        }
        self.expires(told.expires_at);
        self.signs.insert(id, told);
        Ok(())
    }
}

/// The lanes of a map that lead to the intersection, each with its nodes from the stop line outwards, `[east, north]` metres
/// of `frame`. Lanes whose nodes are not plain offsets are left out.
pub fn ingress_lanes<'a>(
    geometry: &'a IntersectionGeometry,
    frame: &SiteFrame,
) -> impl Iterator<Item = (&'a GenericLane, Vec<[f64; 2]>)> + 'a {
    let place = geometry.ref_point.latitude_deg.zip(geometry.ref_point.longitude_deg);
    let reference =
        place.map(|(lat_deg, lon_deg)| frame.to_enu(Wgs84 { lat_deg, lon_deg, alt_m: frame.origin().alt_m }));
    let ingress = |lane: &&GenericLane| lane.lane_attributes.directional_use.contains(LaneDirection::INGRESS_PATH);
    geometry.lane_set.iter().filter(ingress).filter_map(move |lane| {
        let Enu { mut e_m, mut n_m, .. } = reference?;
        let NodeList::Nodes(nodes) = &lane.node_list else { return None };
        let nodes_m = nodes.iter().map(|node| {
            let offset = node.delta.offset()?;
            (e_m, n_m) = (e_m + f64::from(offset.x_m), n_m + f64::from(offset.y_m));
            Some([e_m, n_m])
        });
        Some((lane, nodes_m.collect::<Option<Vec<_>>>()?))
    })
}

const fn phase(state: MovementPhaseState) -> SignalPhase {
    match state {
        MovementPhaseState::Unavailable => SignalPhase::Unavailable,
        MovementPhaseState::Dark => SignalPhase::Dark,
        MovementPhaseState::StopThenProceed => SignalPhase::StopThenProceed,
        MovementPhaseState::StopAndRemain => SignalPhase::StopAndRemain,
        MovementPhaseState::PreMovement => SignalPhase::PreMovement,
        MovementPhaseState::PermissiveMovementAllowed => SignalPhase::PermissiveMovementAllowed,
        MovementPhaseState::ProtectedMovementAllowed => SignalPhase::ProtectedMovementAllowed,
        MovementPhaseState::PermissiveClearance => SignalPhase::PermissiveClearance,
        MovementPhaseState::ProtectedClearance => SignalPhase::ProtectedClearance,
        MovementPhaseState::CautionConflictingTraffic => SignalPhase::CautionConflictingTraffic,
    }
}

fn told<T>(content: T, reception: Reception, timeout_ms: i64) -> Told<T> {
    Told {
        from: reception.from,
        heard_at: reception.now,
        expires_at: reception.now.plus_ms(timeout_ms),
        content: Box::new(content),
    }
}
