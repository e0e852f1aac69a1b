//! From one generation to messages that fit the medium: TS 103 324 6.1.3.

use super::CpmContent;
use crate::facilities::Station;
use crate::facilities::profile::Profile;
use masa_v2x_proto::List;
use masa_v2x_proto::cdd::{PerceivedObject, Wgs84Angle};
use masa_v2x_proto::cpm::{
    Cpm, CpmContainers, CpmPayload, ManagementContainer, MessageSegmentationInfo, OriginatingRsuContainer,
    OriginatingVehicleContainer, PerceivedObjectContainer,
};
use std::ops::Range;

/// Most messages of one generation (`totalMsgNo`).
const MAX_SEGMENTS: usize = 8;
/// Most objects of one message, whatever the MTU: the codec has an upper bound of its own.
const MAX_OBJECTS: usize = 128;

/// One message of a generation.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) cpm: Cpm,
    pub(crate) uper: Vec<u8>,
    /// Which of the generation's objects it carries.
    pub(crate) objects: Range<usize>,
}

/// The messages of a generation: one, or as few as fit, with the objects spread evenly. What does not fit into eight is
/// left out, from the end: its number is the second result.
pub(crate) fn segments<E>(
    content: &CpmContent,
    station: &Station,
    encode: impl Fn(&Cpm) -> Result<Vec<u8>, E>,
) -> Result<(Vec<Segment>, usize), E> {
    let all = content.objects.len();
    let try_with = |objects: usize, parts: usize| -> Result<Option<Vec<Segment>>, E> {
        let segments = split(content, objects, parts, station, &encode)?;
        // A message with one object or none cannot be made smaller.
        let fits = |s: &Segment| s.uper.len() <= content.mtu_bytes as usize || s.objects.len() <= 1;
        Ok(segments.iter().all(fits).then_some(segments))
    };
    for parts in all.div_ceil(MAX_OBJECTS).max(1)..=MAX_SEGMENTS.min(all).max(1) {
        if let Some(segments) = try_with(all, parts)? {
            return Ok((segments, 0));
        }
    }
    // Halve the doubt: `fitting` objects fit, `too_many` do not. Eight parts of one object each always do.
    let (mut fitting, mut too_many) = (MAX_SEGMENTS, all);
    let mut best = split(content, fitting, MAX_SEGMENTS, station, &encode)?;
    while fitting + 1 < too_many {
        let middle = fitting.midpoint(too_many);
        match try_with(middle, MAX_SEGMENTS)? {
            Some(segments) => (fitting, best) = (middle, segments),
            None => too_many = middle,
        }
    }
    Ok((best, all - fitting))
}

fn split<E>(
    content: &CpmContent,
    objects: usize,
    parts: usize,
    station: &Station,
    encode: impl Fn(&Cpm) -> Result<Vec<u8>, E>,
) -> Result<Vec<Segment>, E> {
    let part = |index: usize| {
        let range = objects * index / parts..objects * (index + 1) / parts;
        let segmentation_info =
            (parts > 1).then_some(MessageSegmentationInfo { total_msg_no: parts as u8, this_msg_no: index as u8 + 1 });
        let cpm = message(content, &content.objects[range.clone()], index == 0, segmentation_info, station);
        Ok(Segment { uper: encode(&cpm)?, cpm, objects: range })
    };
    (0..parts).map(part).collect()
}

fn message(
    content: &CpmContent,
    objects: &[PerceivedObject],
    is_first: bool,
    segmentation_info: Option<MessageSegmentationInfo>,
    station: &Station,
) -> Cpm {
    let sensors = if is_first { content.sensors.as_slice() } else { &[] };
    let regions = if is_first { content.regions.as_slice() } else { &[] };
    let stands = station.kind.profile() == Profile::Roadside;
    // The node holds at most 255 objects and cameras, which is what the lists hold.
    let perceived_objects = List::try_from_iter(objects.iter().cloned()).unwrap_or_default();
    let perception_region = List::try_from_iter(regions.iter().cloned()).unwrap_or_default();
    let sensor_information = List::try_from_iter(sensors.iter().cloned()).unwrap_or_default();
    let containers = CpmContainers {
        originating_rsu: stands.then(OriginatingRsuContainer::default),
        originating_vehicle: (!stands).then(|| OriginatingVehicleContainer {
            orientation_angle: Wgs84Angle { value_deg: content.heading_deg, confidence_deg: None },
            ..OriginatingVehicleContainer::default()
        }),
        perception_region: (!regions.is_empty()).then_some(perception_region),
        sensor_information: (!sensors.is_empty()).then_some(sensor_information),
        perceived_object: (!objects.is_empty()).then_some(PerceivedObjectContainer {
            number_of_perceived_objects: content.number_of_perceived_objects,
            perceived_objects,
        }),
        ..CpmContainers::default()
    };
    let management_container = ManagementContainer {
        reference_time: content.reference_time.into(),
        reference_position: station.reference_position(),
        segmentation_info,
        message_rate_range: None,
    };
    Cpm::new(station.id, CpmPayload { management_container, cpm_containers: containers })
}
