//! IVIM from the site's signs: TS 103 301 clause 7 (IVI), ISO/TS 19321.

use super::wgs84;
use crate::facilities::{Station, reference_position};
use crate::world::infrastructure::{SignKind, SignSettings};
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::{PosConfidenceEllipse, Provider};
use masa_v2x_proto::geo::Wgs84;
use masa_v2x_proto::ivim::{
    GeographicLocationContainer, GicPart, GlcPart, IviManagementContainer, IviStatus, IviType, Ivim, PictogramCode,
    RsCode, Segment, Text, Zone, delta_line, ita2,
};
use masa_v2x_proto::time::Timestamp;

/// Zone in which a sign applies, and zone from which drivers come.
const RELEVANCE_ZONE: u8 = 1;
const DETECTION_ZONE: u8 = 2;

/// The IVIM of a sign; `None` when it cannot be expressed, which the check of the site rules out.
pub(super) fn ivim(station: &Station, sign: &SignSettings, announced_at: Timestamp) -> Option<Ivim> {
    let provider = Provider { country_code: ita2(&sign.country)?, provider_identifier: sign.provider };
    let mut management = IviManagementContainer::new(provider, sign.id.into(), IviStatus::New);
    management.time_stamp = Some(announced_at.into());
    let mut ivim = Ivim::new(station.id, management);

    let place = |point: &[f64; 2]| wgs84(&station.frame, *point);
    let reference: Wgs84 = place(sign.relevance_m.first()?);
    let reference = reference_position(reference, PosConfidenceEllipse::default());
    let zone = |id: u8, points: &[[f64; 2]]| {
        let line = points.iter().map(|point| {
            let Wgs84 { lat_deg, lon_deg, .. } = place(point);
            (lat_deg, lon_deg)
        });
        Some(GlcPart::new(id, Zone::Segment(Segment { line: delta_line(&reference, line)?, lane_width_m: None })))
    };
    let mut zones = vec![zone(RELEVANCE_ZONE, &sign.relevance_m)?];
    if !sign.detection_m.is_empty() {
        zones.push(zone(DETECTION_ZONE, &sign.detection_m)?);
    }
    ivim.push(GeographicLocationContainer::new(reference, zones)?).ok()?;

    let [service, category] = sign.pictogram;
    let code = RsCode::iso14823(PictogramCode::new(u8::try_from(service).ok()?, category)?, None);
    let relevance = List::try_from_iter([RELEVANCE_ZONE])?;
    let mut part = GicPart::new(kind(sign.kind), relevance, List::try_from_iter([code])?);
    part.detection_zone_ids = (!sign.detection_m.is_empty()).then(|| List::try_from_iter([DETECTION_ZONE])).flatten();
    if let Some(text) = &sign.text {
        part.extra_text = List::try_from_iter([Text::new(&text.language, text.text.as_str())?]);
    }
    ivim.push(part).ok()?;
    Some(ivim)
}

const fn kind(kind: SignKind) -> IviType {
    match kind {
        SignKind::Danger => IviType::ImmediateDangerWarning,
        SignKind::Regulatory => IviType::Regulatory,
        SignKind::Traffic => IviType::TrafficRelatedInformation,
        SignKind::Pollution => IviType::Pollution,
        SignKind::Other => IviType::NotTrafficRelatedInformation,
    }
}
