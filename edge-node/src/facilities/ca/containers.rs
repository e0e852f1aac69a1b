//! The containers of a vehicle's CAM: EN 302 637-2 / TS 103 900 annex B.

use super::path_history::PathHistory;
use crate::event::{EgoState, Equipment};
use crate::facilities::profile::{Role, VehicleSettings};
use crate::facilities::{Station, accuracy, reference_position};
use masa_v2x_proto::cam::{
    BasicContainer, BasicVehicleContainerHighFrequency, BasicVehicleContainerLowFrequency, Cam, CamParameters,
    DangerousGoodsContainer, EmergencyContainer, HighFrequencyContainer, LowFrequencyContainer,
    PublicTransportContainer, RescueContainer, RoadWorksContainerBasic, SafetyCarContainer, SpecialTransportContainer,
    SpecialVehicleContainer,
};
use masa_v2x_proto::cdd::{
    AccelerationComponent, Curvature, CurvatureCalculationMode, DangerousGoodsBasic, Heading, LightBarSirenInUse,
    PosConfidenceEllipse, Reading, ReferencePosition, Speed, VehicleLength, VehicleLengthConfidenceIndication, YawRate,
};
use masa_v2x_proto::time::Timestamp;

/// Below this a curvature says nothing, m/s.
const MIN_CURVATURE_SPEED_MPS: f64 = 1.0;

/// Which of the optional containers a CAM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Optional {
    pub(super) low_frequency: bool,
    pub(super) special_vehicle: bool,
}

/// The position of a mobile station as its messages carry it.
pub(crate) fn ego_position(ego: &EgoState) -> ReferencePosition {
    let ellipse = ego.covariance.as_ref().map_or_else(PosConfidenceEllipse::default, accuracy::ellipse);
    reference_position(ego.position, ellipse)
}

/// Speed with its accuracy.
pub(crate) fn ego_speed(ego: &EgoState) -> Speed {
    Speed {
        value_mps: ego.speed_mps.map(|mps| Reading::Value(mps.abs() as f32)),
        confidence_mps: ego.speed_sigma_mps.and_then(|sigma| accuracy::of_variance(sigma * sigma)),
    }
}

/// Heading in 0..360 degrees, and its accuracy.
pub(crate) fn ego_heading(ego: &EgoState) -> (Option<f32>, Option<Reading>) {
    let accuracy_deg = ego.heading_sigma_deg.and_then(|sigma| accuracy::of_variance((sigma * sigma).max(0.0026)));
    (ego.heading_deg.map(|deg| deg.rem_euclid(360.0) as f32), ego.heading_deg.and(accuracy_deg))
}

/// Acceleration forwards; its accuracy is not known.
pub(crate) fn ego_acceleration(ego: &EgoState) -> AccelerationComponent {
    let value_mps2 = ego.acceleration_mps2.map(|mps2| Reading::Value(mps2 as f32));
    AccelerationComponent { value_mps2, confidence_mps2: None }
}

/// The CAM of a vehicle. Its time is that of the position (B.3), not that of sending.
pub(super) fn vehicle_cam(
    station: &Station,
    ego: &EgoState,
    settings: &VehicleSettings,
    history: &PathHistory,
    optional: Optional,
) -> Cam {
    let low_frequency = optional.low_frequency.then(|| {
        LowFrequencyContainer::BasicVehicle(BasicVehicleContainerLowFrequency {
            vehicle_role: settings.role.vehicle_role(),
            exterior_lights: ego.exterior_lights,
            path_history: history.path(ego.position, ego.captured_at, &station.frame),
        })
    });
    let parameters = CamParameters {
        basic_container: BasicContainer {
            station_type: station.kind.station_type(),
            reference_position: ego_position(ego),
        },
        high_frequency_container: HighFrequencyContainer::BasicVehicle(high_frequency(ego, settings)),
        low_frequency_container: low_frequency,
        special_vehicle_container: special(settings.role, ego.equipment).filter(|_| optional.special_vehicle),
        extension_containers: None,
    };
    let at: Timestamp = ego.captured_at;
    Cam::new(station.id, at, parameters)
}

fn high_frequency(ego: &EgoState, settings: &VehicleSettings) -> BasicVehicleContainerHighFrequency {
    let (value_deg, confidence_deg) = ego_heading(ego);
    let moving = ego.speed_mps.filter(|mps| mps.abs() >= MIN_CURVATURE_SPEED_MPS);
    let curvature = ego.yaw_rate_degps.zip(moving).map(|(degps, mps)| degps.to_radians() / mps);
    BasicVehicleContainerHighFrequency {
        heading: Heading { value_deg, confidence_deg },
        speed: ego_speed(ego),
        drive_direction: ego.drive_direction,
        vehicle_length: VehicleLength {
            value_m: Reading::of(settings.length_m as f32),
            confidence_indication: VehicleLengthConfidenceIndication::NoTrailerPresent,
        },
        vehicle_width_m: Reading::of(settings.width_m as f32),
        longitudinal_acceleration: ego_acceleration(ego),
        curvature: Curvature {
            value_per_m: curvature.map(|per_m| Reading::Value(per_m as f32)),
            ..Curvature::default()
        },
        curvature_calculation_mode: match curvature {
            Some(_) => CurvatureCalculationMode::YawRateUsed,
            None => CurvatureCalculationMode::Unavailable,
        },
        yaw_rate: YawRate {
            value_degps: ego.yaw_rate_degps.map(|degps| Reading::Value(degps as f32)),
            ..YawRate::default()
        },
        ..BasicVehicleContainerHighFrequency::default()
    }
}

/// The container of a role (EN 302 637-2 6.1.3: mandatory for every role but the default one).
fn special(role: Role, equipment: Equipment) -> Option<SpecialVehicleContainer> {
    use SpecialVehicleContainer as Special;
    let bit = |on: bool, bit: LightBarSirenInUse| if on { bit } else { LightBarSirenInUse::default() };
    let light_bar_siren_in_use = bit(equipment.light_bar, LightBarSirenInUse::LIGHT_BAR_ACTIVATED)
        | bit(equipment.siren, LightBarSirenInUse::SIREN_ACTIVATED);
    Some(match role {
        Role::Default => return None,
        Role::PublicTransport => Special::PublicTransport(PublicTransportContainer {
            embarkation_status: equipment.embarkation,
            ..PublicTransportContainer::default()
        }),
        Role::SpecialTransport => Special::SpecialTransport(SpecialTransportContainer {
            light_bar_siren_in_use,
            ..SpecialTransportContainer::default()
        }),
        // What is carried is not known to the node: the class of what is in no other.
        Role::DangerousGoods => Special::DangerousGoods(DangerousGoodsContainer {
            dangerous_goods_basic: DangerousGoodsBasic::MiscellaneousDangerousSubstances,
        }),
        Role::RoadWork => {
            Special::RoadWorks(RoadWorksContainerBasic { light_bar_siren_in_use, ..RoadWorksContainerBasic::default() })
        }
        Role::Rescue => Special::Rescue(RescueContainer { light_bar_siren_in_use }),
        Role::Emergency => {
            Special::Emergency(EmergencyContainer { light_bar_siren_in_use, ..EmergencyContainer::default() })
        }
        Role::SafetyCar => {
            Special::SafetyCar(SafetyCarContainer { light_bar_siren_in_use, ..SafetyCarContainer::default() })
        }
    })
}
