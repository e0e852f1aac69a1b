//! What the standards exclude though the bytes could carry it: inner subtype limits and combinations of components.
//!
//! In: a message. Out: the first component that breaks a rule. Decoding does not apply these rules, because a receiver
//! reads what is sent, and a repeater sends on what it got; a sender checks its own messages, and a receiver decides.

use crate::cam::TwoWheelerTypeSpecificInformation;
use crate::cam::{
    Cam, CyclistTypeSpecificInformation, ExtensionContainers, LowFrequencyContainer, SpecialVehicleContainer,
};
use crate::cdd::*;
use crate::cpm::{Cpm, CpmContainers};
use crate::denm::{Denm, DenmPayload, EventZone, LocationContainer, RoadConfigurationContainer, SituationContainer};
use crate::heap::{PathText, path_text};
use crate::vam::Vam;
use core::fmt::Display;

/// A component that the standard excludes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {rule}")]
pub struct LimitError {
    /// Path of the component in ETSI names.
    pub path: PathText,
    /// The rule that it breaks, with its source.
    pub rule: &'static str,
}

pub(crate) type Checked = Result<(), LimitError>;

/// `Ok` when `holds`.
pub(crate) fn require(holds: bool, path: &dyn Display, rule: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(LimitError { path: path_text(path).unwrap_or_default(), rule }) }
}

pub(crate) fn header(header: &ItsPduHeader, version: u8, id: MessageId) -> Checked {
    require(header.protocol_version == version, &"header.protocolVersion", "protocolVersion is that of the message")?;
    require(header.message_id == id, &"header.messageId", "messageId is that of the message")
}

impl Cam {
    /// Checks the rules of TS 103 900 v2.3.1 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Cam)?;
        let parameters = &self.cam.cam_parameters;
        if let Some(LowFrequencyContainer::BasicVehicle(container)) = &parameters.low_frequency_container {
            let rule = "at most 23 points in a CAM (TS 103 900, LowFrequencyContainer)";
            require(container.path_history.len() <= 23, &"lowFrequencyContainer.pathHistory", rule)?;
        }
        match &parameters.special_vehicle_container {
            Some(SpecialVehicleContainer::Emergency(container)) => {
                cause(container.incident_indication, &"specialVehicleContainer.incidentIndication")?;
            }
            Some(SpecialVehicleContainer::SafetyCar(container)) => {
                cause(container.incident_indication, &"specialVehicleContainer.incidentIndication")?;
            }
            _ => {}
        }
        parameters.extension_containers.as_ref().map_or(Ok(()), |containers| cam_extensions(containers))
    }
}

fn cam_extensions(containers: &ExtensionContainers) -> Checked {
    if let Some(TwoWheelerTypeSpecificInformation::Cyclist(cyclist)) =
        containers.two_wheeler.as_ref().and_then(|container| container.type_specific_information.as_ref())
    {
        let CyclistTypeSpecificInformation { vru_sub_profile_bicyclist, .. } = cyclist;
        let allowed = vru_sub_profile_bicyclist.is_none_or(|profile| matches!(profile.code(), 0 | 1 | 5 | 7..=10));
        let rule = "a kind of bicycle or e-scooter (TS 103 900, CyclistTypeSpecificInformation)";
        require(allowed, &"twoWheelerContainer.vruSubProfileBicyclist", rule)?;
    }
    if let Some(horizon) = &containers.e_horizon_location_sharing {
        let absent = horizon.segment_source.is_none_or(|source| source.confidence_value_percent.is_none());
        let rule = "confidenceValue is absent (TS 103 900, EHorizonLocationSharingContainer)";
        require(absent, &"eHorizonLocationSharingContainer.segmentSource.confidenceValue", rule)?;
        lanes(horizon.lane_level_details.as_deref().unwrap_or_default(), &"eHorizonLocationSharingContainer")?;
    }
    if let Some(container) = &containers.path_prediction {
        predicted_paths(&container.path_predicted_list, &"pathPredictionContainer.pathPredictedList")?;
    }
    if let Some(container) = &containers.generalized_lane_positions {
        lane_positions(&container.generalized_lane_positions, &"generalizedLanePositionsContainer")?;
    }
    Ok(())
}

impl Denm {
    /// Checks the rules of TS 103 831 v2.3.1 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Denm)?;
        let DenmPayload { management, situation, location, alacarte } = &self.denm;
        if management.termination.is_some() {
            let rule = "a termination has the management container only (TS 103 831, DenmPayload)";
            require(situation.is_none() && location.is_none() && alacarte.is_none(), &"denm", rule)?;
        } else {
            let rule = "situation and location are present unless the event is terminated (TS 103 831, DenmPayload)";
            require(situation.is_some() && location.is_some(), &"denm", rule)?;
        }
        situation.as_ref().map_or(Ok(()), check_situation)?;
        location.as_ref().map_or(Ok(()), check_location)?;
        let Some(alacarte) = alacarte else { return Ok(()) };
        if let Some(vehicle) = &alacarte.stationary_vehicle {
            cause(vehicle.stationary_cause, &"alacarte.stationaryVehicle.stationaryCause")?;
        }
        if let Some(works) = &alacarte.road_works {
            cause(works.incident_indication, &"alacarte.roadWorks.incidentIndication")?;
        }
        alacarte.road_configuration.as_ref().map_or(Ok(()), road_configuration)?;
        let pre_crash = alacarte.pre_crash.as_ref();
        pre_crash.map_or(Ok(()), |crash| object(&crash.perceived_pre_crash_object, &"alacarte.preCrash"))
    }
}

fn check_situation(situation: &SituationContainer) -> Checked {
    cause(Some(situation.event_type), &"situation.eventType")?;
    cause(situation.linked_cause, &"situation.linkedCause")?;
    let SituationContainer { event_zone, event_end_m, event_end_factor, .. } = situation;
    let allowed = match (event_zone, event_end_m) {
        (Some(_), end) => end.is_none() && event_end_factor.is_none(),
        (None, Some(_)) => true,
        (None, None) => event_end_factor.is_none(),
    };
    let rule = "eventZone or eventEnd, eventEndFactor only with eventEnd (TS 103 831, SituationContainer)";
    require(allowed, &"situation.eventZone", rule)?;
    event_zone.as_ref().map_or(Ok(()), |zone| {
        let rule = "eventDeltaTime in every point or in none (TS 102 894-2, EventZone)";
        let timed = |zone: &EventZone| zone.iter().filter(|point| point.event_delta_time_ms.is_some()).count();
        require(matches!(timed(zone), 0) || timed(zone) == zone.len(), &"situation.eventZone", rule)
    })
}

fn check_location(location: &LocationContainer) -> Checked {
    lane_positions(location.lane_positions.as_deref().unwrap_or_default(), &"location.lanePositions")?;
    for position in location.occupied_lanes.iter().flat_map(|lanes| lanes.map_based.iter().flatten()) {
        map_position(position, &"location.occupiedLanes.mapBased")?;
    }
    predicted_paths(location.predicted_paths.as_deref().unwrap_or_default(), &"location.predictedPaths")
}

fn road_configuration(configuration: &RoadConfigurationContainer) -> Checked {
    for (index, section) in configuration.road_configuration_section_list.iter().enumerate() {
        let path = format_args!("alacarte.roadConfiguration.roadConfigurationSectionList[{index}]");
        let described = section.lane_configuration.is_some() || section.mapem_configuration.is_some();
        require(described, &path, "laneConfiguration or mapemConfiguration (TS 102 894-2, RoadConfigurationSection)")?;
        lanes(section.lane_configuration.as_deref().unwrap_or_default(), &path)?;
        for element in section.mapem_configuration.iter().flatten() {
            let named = element.lane_ids.is_some() || element.connection_ids.is_some();
            require(named, &path, "laneIds or connectionIds (TS 102 894-2, MapemElementReference)")?;
        }
    }
    Ok(())
}

impl Cpm {
    /// Checks the rules of TS 103 324 v2.1.1 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Cpm)?;
        let CpmContainers { originating_vehicle, originating_rsu, sensor_information, perception_region, .. } =
            &self.payload.cpm_containers;
        let rule = "not both originating containers (TS 103 324, ConstraintWrappedCpmContainers)";
        require(originating_vehicle.is_none() || originating_rsu.is_none(), &"cpmContainers", rule)?;
        for trailer in originating_vehicle.iter().flat_map(|vehicle| vehicle.trailer_data_set.iter().flatten()) {
            let absent = trailer.front_overhang_m.is_none()
                && trailer.rear_overhang_m.is_none()
                && trailer.trailer_width_m.is_none();
            let rule = "overhangs and width are absent (TS 103 324, TrailerDataSet)";
            require(absent, &"originatingVehicleContainer.trailerDataSet", rule)?;
        }
        for sensor in sensor_information.iter().flatten() {
            sensor
                .perception_region_shape
                .as_ref()
                .map_or(Ok(()), |area| shape(area, &"sensorInformationContainer"))?;
        }
        for region in perception_region.iter().flatten() {
            shape(&region.perception_region_shape, &"perceptionRegionContainer")?;
        }
        let container = self.payload.cpm_containers.perceived_object.as_ref();
        for (index, perceived) in container.iter().flat_map(|container| &container.perceived_objects).enumerate() {
            let path = format_args!("perceivedObjectContainer.perceivedObjects[{index}]");
            require(perceived.object_id.is_some(), &path, "objectId is present (TS 103 324, PerceivedObjects)")?;
            object(perceived, &path)?;
        }
        Ok(())
    }
}

impl Vam {
    /// Checks the rules of TS 103 300-3 v2.2.1 beyond what the bytes can carry.
    ///
    /// # Errors
    /// The first component that breaks one.
    pub fn check_limits(&self) -> Result<(), LimitError> {
        header(&self.header, Self::PROTOCOL_VERSION, MessageId::Vam)?;
        let parameters = &self.vam.vam_parameters;
        let position = parameters.vru_high_frequency_container.vru_lane_position.as_ref();
        lane_positions(position.map(core::slice::from_ref).unwrap_or_default(), &"vruHighFrequencyContainer")?;
        let Some(container) = &parameters.vru_cluster_information_container else { return Ok(()) };
        let cluster = &container.vru_cluster_information;
        let rule = "the cluster's bounding box is present (TS 103 300-3, VruClusterInformationContainer)";
        require(cluster.cluster_bounding_box_shape.is_some(), &"vruClusterInformationContainer", rule)
    }
}

fn cause(cause: Option<CauseCode>, path: &dyn Display) -> Checked {
    let known = cause.is_none_or(|cause| cause.code() <= 128);
    require(known, path, "a cause of at most 128 (TS 102 894-2, CauseCodeChoice)")
}

fn lanes(lanes: &[BasicLaneInformation], path: &dyn Display) -> Checked {
    let allowed =
        |lane: &BasicLaneInformation| lane.connecting_road_section.is_none() || lane.connecting_lane.is_some();
    let rule = "connectingRoadSection only with connectingLane (TS 102 894-2, BasicLaneInformation)";
    require(lanes.iter().all(allowed), path, rule)
}

fn lane_positions(positions: &[GeneralizedLanePosition], path: &dyn Display) -> Checked {
    positions.iter().filter_map(|position| position.map_based.as_ref()).try_for_each(|map| map_position(map, path))
}

fn map_position(position: &MapPosition, path: &dyn Display) -> Checked {
    let one = position.lane_id.is_some() != position.connection_id.is_some();
    require(one, path, "laneId or connectionId (TS 102 894-2, MapPosition)")
}

fn predicted_paths(paths: &[PathPredicted2], path: &dyn Display) -> Checked {
    for points in paths.iter().map(|predicted| &predicted.path_predicted) {
        let uniform = |has: fn(&PathPointPredicted) -> bool| {
            let count = points.iter().filter(|point| has(point)).count();
            count == 0 || count == points.len()
        };
        let allowed = uniform(|point| point.path_delta_time.is_some())
            && uniform(|point| point.symmetric_area_offset_m.is_some());
        require(allowed, path, "time and offset in every point or in none (TS 102 894-2, PathPredicted2)")?;
        let both = |point: &PathPointPredicted| {
            point.asymmetric_area_offset_m.is_none() || point.symmetric_area_offset_m.is_some()
        };
        let rule = "asymmetricAreaOffset only with symmetricAreaOffset (TS 102 894-2, PathPointPredicted)";
        require(points.iter().all(both), path, rule)?;
    }
    Ok(())
}

fn object(object: &PerceivedObject, path: &dyn Display) -> Checked {
    for class in object.classification.iter().flatten() {
        match &class.object_class {
            ObjectClass::Vehicle(kind) => {
                let rule = "a kind of vehicle (TS 102 894-2, ObjectClass)";
                require(matches!(kind.code(), 0 | 5..=11 | 14), path, rule)?;
            }
            ObjectClass::Group(group) => {
                let rule = "clusterBoundingBoxShape is absent (TS 102 894-2, ObjectClass)";
                require(group.cluster_bounding_box_shape.is_none(), path, rule)?;
            }
            _ => {}
        }
    }
    object.map_position.as_ref().map_or(Ok(()), |position| map_position(position, path))
}

fn shape(shape: &Shape, path: &dyn Display) -> Checked {
    let rule = "both vertical angles or none (TS 102 894-2, RadialShape)";
    match shape {
        Shape::Radial(sector) => {
            let (start, end) = (sector.vertical_opening_angle_start_deg, sector.vertical_opening_angle_end_deg);
            require(start.is_some() == end.is_some(), path, rule)
        }
        Shape::RadialShapes(sectors) => {
            let both = |sector: &RadialShapeDetails| {
                sector.vertical_opening_angle_start_deg.is_some() == sector.vertical_opening_angle_end_deg.is_some()
            };
            require(sectors.radial_shapes_list.iter().all(both), path, rule)
        }
        _ => Ok(()),
    }
}
