//! The protobuf types of what concerns other stations and the station itself, and their exact conversion.

use super::Error;
use super::schema::{from_json, from_name, instant, name_of, proto};
use crate::event::{
    DenAction, DenRequest, EgoState, Equipment, EventReport, GroupState, PriorityAnswer, ReceivedMessage, SignalReport,
};
use masa_v2x_proto::cdd::{DriveDirection, ExteriorLights};
use masa_v2x_proto::geo::{Covariance2, Wgs84};
use masa_v2x_proto::security::Identity;
use masa_v2x_proto::time::Timestamp;

impl From<&ReceivedMessage> for proto::ReceivedMessage {
    fn from(message: &ReceivedMessage) -> Self {
        Self {
            link: message.link.clone(),
            origin: message.origin.clone(),
            uper: message.uper.clone(),
            verdict_json: serde_json::to_string(&message.verdict).unwrap_or_default(),
            received_at_ns: message.received_at.unix_ns(),
        }
    }
}

impl TryFrom<proto::ReceivedMessage> for ReceivedMessage {
    type Error = Error;

    fn try_from(message: proto::ReceivedMessage) -> Result<Self, Error> {
        Ok(Self {
            verdict: from_json(&message.verdict_json, "received.verdict_json", &message.origin)?,
            link: message.link,
            origin: message.origin,
            uper: message.uper,
            received_at: instant(message.received_at_ns),
        })
    }
}

impl From<&EgoState> for proto::EgoState {
    fn from(ego: &EgoState) -> Self {
        Self {
            captured_at_ns: ego.captured_at.unix_ns(),
            latitude_deg: ego.position.lat_deg,
            longitude_deg: ego.position.lon_deg,
            altitude_m: ego.position.alt_m,
            ee_m2: ego.covariance.map(|c| c.ee_m2),
            en_m2: ego.covariance.map(|c| c.en_m2),
            nn_m2: ego.covariance.map(|c| c.nn_m2),
            heading_deg: ego.heading_deg,
            heading_sigma_deg: ego.heading_sigma_deg,
            speed_mps: ego.speed_mps,
            speed_sigma_mps: ego.speed_sigma_mps,
            acceleration_mps2: ego.acceleration_mps2,
            yaw_rate_degps: ego.yaw_rate_degps,
            drive_direction: match ego.drive_direction {
                DriveDirection::Unavailable => 0,
                DriveDirection::Forward => 1,
                DriveDirection::Backward => 2,
            },
            exterior_lights: ego.exterior_lights.mask(),
            light_bar: ego.equipment.light_bar,
            siren: ego.equipment.siren,
            embarkation: ego.equipment.embarkation,
        }
    }
}

impl From<proto::EgoState> for EgoState {
    fn from(ego: proto::EgoState) -> Self {
        Self {
            captured_at: instant(ego.captured_at_ns),
            position: Wgs84 { lat_deg: ego.latitude_deg, lon_deg: ego.longitude_deg, alt_m: ego.altitude_m },
            covariance: covariance(ego.ee_m2, ego.en_m2, ego.nn_m2),
            heading_deg: ego.heading_deg,
            heading_sigma_deg: ego.heading_sigma_deg,
            speed_mps: ego.speed_mps,
            speed_sigma_mps: ego.speed_sigma_mps,
            acceleration_mps2: ego.acceleration_mps2,
            yaw_rate_degps: ego.yaw_rate_degps,
            drive_direction: match ego.drive_direction {
                1 => DriveDirection::Forward,
                2 => DriveDirection::Backward,
                _ => DriveDirection::Unavailable,
            },
            exterior_lights: ExteriorLights::from_mask(ego.exterior_lights),
            equipment: Equipment { light_bar: ego.light_bar, siren: ego.siren, embarkation: ego.embarkation },
        }
    }
}

impl From<&DenRequest> for proto::DenRequest {
    fn from(request: &DenRequest) -> Self {
        let report = match &request.action {
            DenAction::Report(report) => Some(report.into()),
            DenAction::Withdraw => None,
        };
        Self { application: request.application.clone(), event: request.event, report }
    }
}

impl From<&EventReport> for proto::EventReport {
    fn from(report: &EventReport) -> Self {
        let trace = |points: &Vec<Wgs84>| proto::Trace { points: points.iter().copied().map(Into::into).collect() };
        Self {
            cause_code: report.cause_code.into(),
            sub_cause_code: report.sub_cause_code.into(),
            information_quality: report.information_quality.into(),
            position: Some(report.position.into()),
            ee_m2: report.covariance.map(|c| c.ee_m2),
            en_m2: report.covariance.map(|c| c.en_m2),
            nn_m2: report.covariance.map(|c| c.nn_m2),
            heading_deg: report.heading_deg,
            speed_mps: report.speed_mps,
            awareness_distance_m: report.awareness_distance_m,
            traffic: name_of(&report.traffic),
            validity_s: report.validity_s,
            repetition_interval_ms: report.repetition_interval_ms,
            traces: report.traces.iter().map(trace).collect(),
        }
    }
}

impl TryFrom<proto::DenRequest> for DenRequest {
    type Error = Error;

    fn try_from(request: proto::DenRequest) -> Result<Self, Error> {
        let action = request.report.map_or(Ok(DenAction::Withdraw), |report| Ok(DenAction::Report(report.try_into()?)));
        Ok(Self { application: request.application, event: request.event, action: action? })
    }
}

impl TryFrom<proto::EventReport> for EventReport {
    type Error = Error;

    fn try_from(report: proto::EventReport) -> Result<Self, Error> {
        let trace = |trace: proto::Trace| trace.points.into_iter().map(Into::into).collect();
        Ok(Self {
            cause_code: byte(report.cause_code, "den_request.cause_code")?,
            sub_cause_code: byte(report.sub_cause_code, "den_request.sub_cause_code")?,
            information_quality: byte(report.information_quality, "den_request.information_quality")?,
            position: report.position.unwrap_or_default().into(),
            covariance: covariance(report.ee_m2, report.en_m2, report.nn_m2),
            heading_deg: report.heading_deg,
            speed_mps: report.speed_mps,
            awareness_distance_m: report.awareness_distance_m,
            traffic: from_name(&report.traffic, "den_request.traffic")?,
            validity_s: report.validity_s,
            repetition_interval_ms: report.repetition_interval_ms,
            traces: report.traces.into_iter().map(trace).collect(),
        })
    }
}

fn covariance(ee_m2: Option<f64>, en_m2: Option<f64>, nn_m2: Option<f64>) -> Option<Covariance2> {
    Some(Covariance2 { ee_m2: ee_m2?, en_m2: en_m2?, nn_m2: nn_m2? })
}

fn byte(value: u32, field: &'static str) -> Result<u8, Error> {
    u8::try_from(value).map_err(|_| Error::Content { field, value: value.to_string() })
}

impl From<Wgs84> for proto::Place {
    fn from(p: Wgs84) -> Self {
        Self { latitude_deg: p.lat_deg, longitude_deg: p.lon_deg, altitude_m: p.alt_m }
    }
}

impl From<proto::Place> for Wgs84 {
    fn from(p: proto::Place) -> Self {
        Self { lat_deg: p.latitude_deg, lon_deg: p.longitude_deg, alt_m: p.altitude_m }
    }
}

impl From<&SignalReport> for proto::SignalReport {
    fn from(report: &SignalReport) -> Self {
        let group = |group: &GroupState| proto::GroupState {
            group: group.group.into(),
            shows: name_of(&group.shows),
            min_end_ns: group.min_end.map(Timestamp::unix_ns),
            max_end_ns: group.max_end.map(Timestamp::unix_ns),
            likely_end_ns: group.likely_end.map(Timestamp::unix_ns),
        };
        Self {
            intersection: report.intersection.into(),
            captured_at_ns: report.captured_at.unix_ns(),
            operation: name_of(&report.operation),
            groups: report.groups.iter().map(group).collect(),
        }
    }
}

impl TryFrom<proto::SignalReport> for SignalReport {
    type Error = Error;

    fn try_from(report: proto::SignalReport) -> Result<Self, Error> {
        let group = |group: proto::GroupState| {
            Ok(GroupState {
                group: byte(group.group, "signals.group")?,
                shows: from_name(&group.shows, "signals.shows")?,
                min_end: group.min_end_ns.map(instant),
                max_end: group.max_end_ns.map(instant),
                likely_end: group.likely_end_ns.map(instant),
            })
        };
        Ok(Self {
            intersection: short(report.intersection, "signals.intersection")?,
            captured_at: instant(report.captured_at_ns),
            operation: from_name(&report.operation, "signals.operation")?,
            groups: report.groups.into_iter().map(group).collect::<Result<_, Error>>()?,
        })
    }
}

impl From<&PriorityAnswer> for proto::PriorityAnswer {
    fn from(answer: &PriorityAnswer) -> Self {
        Self {
            station: answer.station,
            intersection: answer.intersection.into(),
            request: answer.request.into(),
            status: name_of(&answer.status),
        }
    }
}

impl TryFrom<proto::PriorityAnswer> for PriorityAnswer {
    type Error = Error;

    fn try_from(answer: proto::PriorityAnswer) -> Result<Self, Error> {
        Ok(Self {
            station: answer.station,
            intersection: short(answer.intersection, "priority_answer.intersection")?,
            request: byte(answer.request, "priority_answer.request")?,
            status: from_name(&answer.status, "priority_answer.status")?,
        })
    }
}

impl From<&Identity> for proto::Identity {
    fn from(identity: &Identity) -> Self {
        Self { certificate: identity.certificate.to_vec(), station_id: identity.station_id, mac: identity.mac.to_vec() }
    }
}

impl TryFrom<proto::Identity> for Identity {
    type Error = Error;

    fn try_from(identity: proto::Identity) -> Result<Self, Error> {
        let proto::Identity { certificate, station_id, mac } = identity;
        let wrong = |field, bytes: Vec<u8>| Error::Content { field, value: format!("{} bytes", bytes.len()) };
        Ok(Self {
            certificate: certificate.try_into().map_err(|bytes| wrong("identity.certificate", bytes))?,
            station_id,
            mac: mac.try_into().map_err(|bytes| wrong("identity.mac", bytes))?,
        })
    }
}

fn short(value: u32, field: &'static str) -> Result<u16, Error> {
    u16::try_from(value).map_err(|_| Error::Content { field, value: value.to_string() })
}
