//! The VAM of a road user or of the cluster it leads: TS 103 300-3 clause 7.

use super::Statement;
use crate::event::EgoState;
use crate::facilities::Station;
use crate::facilities::ca::{ego_acceleration, ego_heading, ego_position, ego_speed};
use crate::facilities::profile::StationKind;
use masa_v2x_proto::cam::BasicContainer;
use masa_v2x_proto::cdd::{
    CircularShape, Shape, VruClusterInformation, VruClusterProfiles, VruProfileAndSubprofile, VruSubProfileBicyclist,
    VruSubProfilePedestrian, Wgs84Angle,
};
use masa_v2x_proto::vam::{
    ClusterBreakupInfo, ClusterJoinInfo, ClusterLeaveInfo, Vam, VamParameters, VruClusterInformationContainer,
    VruClusterOperationContainer, VruExteriorLights, VruHighFrequencyContainer, VruLowFrequencyContainer,
};

/// The VAM of a road user. Its time is that of the position.
pub(super) fn vam(
    station: &Station,
    ego: &EgoState,
    low_frequency: bool,
    statement: Statement,
    cluster_radius_m: f64,
) -> Vam {
    let (value_deg, confidence_deg) = ego_heading(ego);
    let lights = VruExteriorLights { vehicular: ego.exterior_lights, ..VruExteriorLights::default() };
    let parameters = VamParameters {
        basic_container: BasicContainer {
            station_type: station.kind.station_type(),
            reference_position: ego_position(ego),
        },
        vru_high_frequency_container: VruHighFrequencyContainer {
            heading: Wgs84Angle { value_deg, confidence_deg },
            speed: ego_speed(ego),
            longitudinal_acceleration: ego_acceleration(ego),
            ..VruHighFrequencyContainer::default()
        },
        vru_low_frequency_container: low_frequency.then(|| VruLowFrequencyContainer {
            profile_and_subprofile: profile(station.kind),
            size_class: None,
            exterior_lights: Some(lights),
        }),
        vru_cluster_information_container: information(station.kind, statement, cluster_radius_m),
        vru_cluster_operation_container: operation(statement),
        vru_motion_prediction_container: None,
    };
    Vam::new(station.id, ego.captured_at, parameters)
}

fn profile(kind: StationKind) -> VruProfileAndSubprofile {
    use VruProfileAndSubprofile as Profile;
    match kind {
        StationKind::Cyclist => Profile::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::Bicyclist),
        StationKind::LightVruVehicle => Profile::BicyclistAndLightVruVehicle(VruSubProfileBicyclist::Unavailable),
        _ => Profile::Pedestrian(VruSubProfilePedestrian::Unavailable),
    }
}

fn information(kind: StationKind, statement: Statement, radius_m: f64) -> Option<VruClusterInformationContainer> {
    let Statement::Leads { id, size, .. } = statement else { return None };
    let profiles = match kind {
        StationKind::Pedestrian => VruClusterProfiles::PEDESTRIAN,
        _ => VruClusterProfiles::BICYCLIST,
    };
    let shape = Shape::Circular(CircularShape { radius_m: radius_m as f32, ..CircularShape::default() });
    Some(VruClusterInformationContainer {
        vru_cluster_information: VruClusterInformation {
            cluster_id: Some(id),
            cluster_bounding_box_shape: Some(shape.into()),
            cluster_cardinality_size: size,
            cluster_profiles: Some(profiles),
        },
    })
}

fn operation(statement: Statement) -> Option<VruClusterOperationContainer> {
    let nothing = VruClusterOperationContainer::default();
    Some(match statement {
        Statement::None | Statement::Leads { ends: None, .. } => return None,
        Statement::Leads { ends: Some((cluster_breakup_reason, in_s)), .. } => VruClusterOperationContainer {
            cluster_breakup_info: Some(ClusterBreakupInfo { cluster_breakup_reason, breakup_time_s: Some(in_s) }),
            ..nothing
        },
        Statement::Joins { id, in_s } => VruClusterOperationContainer {
            cluster_join_info: Some(ClusterJoinInfo { cluster_id: id, join_time_s: Some(in_s) }),
            ..nothing
        },
        Statement::Left { id, reason } => VruClusterOperationContainer {
            cluster_leave_info: Some(ClusterLeaveInfo { cluster_id: id, cluster_leave_reason: reason }),
            ..nothing
        },
    })
}
