//! Somebody who sends warnings that are not true.
//!
//! In: where the forger is, what the warning claims and how it is wrong. Out: frames for the air. The message itself is made
//! by a node, so that it is right in every other respect.

use super::modem::{Authorities, Modem};
use crate::faults::ForgeryKind;
use masa_edge_node::config::Configuration;
use masa_edge_node::effect::Effects;
use masa_edge_node::event::{DenAction, DenRequest, Event, EventBody, EventId, EventReport, SourceId, Traffic};
use masa_edge_node::node::Node;
use masa_edge_node::run::node_settings;
use masa_edge_node::telemetry::NoProbe;
use masa_v2x_proto::geo::{Enu, SiteFrame, Wgs84};
use masa_v2x_proto::geonet::{Mobility, Position};
use masa_v2x_proto::time::Timestamp;

/// The station that the forger claims to be.
pub(crate) const STATION_ID: u32 = 66_666;
/// Speed that a forger claims whose movement cannot be true, metres a second.
const IMPOSSIBLE_MPS: f64 = 150.0;
/// `CauseCodeType` 94: stationary vehicle.
const STATIONARY_VEHICLE: u8 = 94;

/// The forger.
#[derive(Debug, Default)]
pub(crate) struct Forger {
    parts: Option<(Node, Modem)>,
    events: u64,
}

/// What is forged.
pub(crate) struct Forgery<'a> {
    pub(crate) position_m: [f64; 2],
    pub(crate) event_m: [f64; 2],
    pub(crate) kind: ForgeryKind,
    pub(crate) frame: &'a SiteFrame,
    pub(crate) authorities: Option<&'a Authorities>,
    pub(crate) configuration: &'a dyn Fn() -> Configuration,
}

impl Forger {
    /// The frames of one warning.
    pub(crate) fn frames(&mut self, forgery: &Forgery<'_>, now: Timestamp) -> Vec<Vec<u8>> {
        if self.parts.is_none() {
            let Ok(node) = Node::new(node_settings(&(forgery.configuration)())) else { return Vec::new() };
            let security = match forgery.kind {
                ForgeryKind::Unsigned => None,
                ForgeryKind::UntrustedChain => Some(Authorities::unknown(now).entity(STATION_ID)),
                ForgeryKind::BadSignature | ForgeryKind::Implausible => {
                    forgery.authorities.map(|authorities| authorities.entity(STATION_ID))
                }
            };
            // 15: a roadside unit.
            let modem = Modem::new(STATION_ID, 15, Mobility::Stationary, security, 1_000.0, now);
            self.parts = Some((node, modem));
        }
        let Some((node, modem)) = &mut self.parts else { return Vec::new() };
        let mut claimed = Position::surveyed(place(forgery.frame, forgery.position_m), now);
        if forgery.kind == ForgeryKind::Implausible {
            claimed.speed_mps = IMPOSSIBLE_MPS;
        }
        modem.moved(claimed, now);
        let report = EventReport {
            cause_code: STATIONARY_VEHICLE,
            sub_cause_code: 0,
            information_quality: 7,
            position: place(forgery.frame, forgery.event_m),
            covariance: None,
            heading_deg: None,
            speed_mps: None,
            awareness_distance_m: 500.0,
            traffic: Traffic::All,
            validity_s: 60,
            repetition_interval_ms: 10_000,
            traces: Vec::new(),
        };
        self.events += 1;
        let request =
            DenRequest { application: "forger".into(), event: self.events as u32, action: DenAction::Report(report) };
        let id = EventId { source: SourceId::NODE, seq: self.events };
        let mut effects = Effects::default();
        node.step(&Event { arrived_at: now, id, body: EventBody::DenRequest(request) }, &mut effects, &mut NoProbe);
        let mut frames: Vec<_> = effects.messages.iter().flat_map(|message| modem.send(message, now).frames).collect();
        if forgery.kind == ForgeryKind::BadSignature {
            for frame in &mut frames {
                // The signature is what comes last.
                if let Some(last) = frame.last_mut() {
                    *last ^= 1;
                }
            }
        }
        frames
    }
}

fn place(frame: &SiteFrame, [e_m, n_m]: [f64; 2]) -> Wgs84 {
    frame.to_wgs84(Enu::ground(e_m, n_m))
}
