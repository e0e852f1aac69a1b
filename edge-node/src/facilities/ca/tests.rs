//! Both services on the street of the fixtures.

use super::*;
use crate::event::{EgoState, Equipment};
use crate::facilities::fixture::Street;
use crate::facilities::profile::Role;
use crate::world::fixture::at;
use masa_v2x_proto::cam::{Cam, HighFrequencyContainer, LowFrequencyContainer, SpecialVehicleContainer};
use masa_v2x_proto::cdd::{LightBarSirenInUse, Reading, StationType};
use masa_v2x_proto::geo::Enu;

fn rsu(settings: &CaSettings) -> CaService {
    CaService::new(StationKind::RoadSideUnit, settings, &VehicleSettings::default())
}

fn cams(drafts: &[Draft]) -> Vec<&Cam> {
    drafts
        .iter()
        .map(|draft| match &draft.content {
            Content::Cam(cam) => &**cam,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn a_cam_leaves_at_once_and_then_never_sooner_than_the_interval() {
    // EN 302 637-2 6.1.4: the interval is at least 1,000 ms.
    let (mut street, mut service) = (Street::new(), rsu(&CaSettings::default()));
    for (ms, sent) in
        [(0, true), (999, false), (1_000, true), (1_400, false), (2_500, true), (3_000, false), (3_500, true)]
    {
        assert_eq!(street.wake(&mut service, ms).len(), usize::from(sent), "at {ms} ms");
    }
    assert_eq!(service.wake_at(), Some(at(4_500)));
}

#[test]
fn a_roadside_unit_says_what_and_where_it_is() {
    let zone = ProtectedZoneSettings { latitude_deg: 44.7, longitude_deg: 10.9, radius_m: 55, id: Some(12) };
    let settings = CaSettings { protected_zones: vec![zone], ..CaSettings::default() };
    let (mut street, mut service) = (Street::new(), rsu(&settings));
    let drafts = street.wake(&mut service, 12_345);
    let cam = cams(&drafts)[0];
    // EN 302 637-2 B.3: TimestampIts modulo 65,536.
    assert_eq!(cam.cam.generation_delta_time_ms, (at(12_345).to_its_ms() % 65_536) as u16);
    let parameters = &cam.cam.cam_parameters;
    assert_eq!(parameters.basic_container.station_type, StationType::RoadSideUnit);
    assert_eq!(parameters.basic_container.reference_position.latitude_deg, Some(44.65554));
    let HighFrequencyContainer::Rsu(container) = &parameters.high_frequency_container else { panic!("{cam:?}") };
    let zones = container.protected_communication_zones_rsu.as_ref().unwrap();
    assert_eq!((zones.len(), zones[0].protected_zone_radius_m, zones[0].protected_zone_id), (1, Some(55), Some(12)));
    assert!(cam.to_uper().is_ok());
}

/// A vehicle that drives east at 19 m/s.
fn ego(street: &Street, ms: i64) -> EgoState {
    EgoState {
        captured_at: at(ms - 20),
        position: street.station.frame.to_wgs84(Enu::ground((ms - 20) as f64 * 0.019, 0.0)),
        heading_deg: Some(90.0),
        heading_sigma_deg: Some(0.5),
        speed_mps: Some(19.0),
        yaw_rate_degps: Some(2.0),
        equipment: Equipment { light_bar: true, siren: false, embarkation: false },
        ..EgoState::default()
    }
}

#[test]
fn optional_containers_come_at_most_every_500_ms() {
    // EN 302 637-2 6.1.3: in the first CAM, then when at least 500 ms have passed since the last one that had it.
    let mut street = Street::new();
    street.station.kind = StationKind::SpecialVehicle;
    let vehicle = VehicleSettings { role: Role::Emergency, ..VehicleSettings::default() };
    let mut service = CaService::new(StationKind::SpecialVehicle, &CaSettings::default(), &vehicle);
    let mut seen = Vec::new();
    for ms in (0..2_000).step_by(50) {
        street.ego = Some(ego(&street, ms));
        let drafts = street.wake(&mut service, ms);
        for cam in cams(&drafts) {
            let parameters = &cam.cam.cam_parameters;
            assert_eq!(
                parameters.low_frequency_container.is_some(),
                parameters.special_vehicle_container.is_some(),
                "both have the same rule"
            );
            seen.push((ms, parameters.low_frequency_container.is_some()));
            assert_eq!(cam.cam.generation_delta_time_ms, at(ms - 20).generation_delta_time(), "of the position, B.3");
        }
    }
    // 19 m/s in steps of 50 ms: more than 4 m after 250 ms.
    let expected: Vec<_> = (0..8).map(|i| (i * 250, i % 2 == 0)).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_vehicle_says_how_it_moves_and_where_it_came_from() {
    let mut street = Street::new();
    street.station.kind = StationKind::SpecialVehicle;
    let vehicle = VehicleSettings { role: Role::Emergency, length_m: 6.2, width_m: 2.1, behind_schedule_s: None };
    let mut service = CaService::new(StationKind::SpecialVehicle, &CaSettings::default(), &vehicle);
    let mut last = None;
    for ms in (0..=5_000).step_by(50) {
        street.ego = Some(ego(&street, ms));
        let drafts = street.wake(&mut service, ms);
        let whole = |cam: &&&Cam| cam.cam.cam_parameters.low_frequency_container.is_some();
        last = cams(&drafts).iter().find(whole).map(|cam| (*cam).clone()).or(last);
    }
    let cam = last.unwrap();
    let parameters = &cam.cam.cam_parameters;
    let HighFrequencyContainer::BasicVehicle(movement) = &parameters.high_frequency_container else { panic!() };
    assert_eq!((movement.heading.value_deg, movement.speed.value_mps), (Some(90.0), Reading::of(19.0)));
    assert_eq!((movement.vehicle_length.value_m, movement.vehicle_width_m), (Reading::of(6.2), Reading::of(2.1)));
    let curvature = movement.curvature.value_per_m.and_then(Reading::value).unwrap();
    assert!((curvature - 2.0f32.to_radians() / 19.0).abs() < 1e-6);
    let Some(LowFrequencyContainer::BasicVehicle(low)) = &parameters.low_frequency_container else { panic!("{cam:?}") };
    assert_eq!(low.path_history.len(), 1, "a straight road");
    let Some(SpecialVehicleContainer::Emergency(emergency)) = &parameters.special_vehicle_container else { panic!() };
    assert_eq!(emergency.light_bar_siren_in_use, LightBarSirenInUse::LIGHT_BAR_ACTIVATED);
    let decoded = Cam::decode(&cam.to_uper().unwrap()).unwrap();
    assert_eq!(decoded.to_uper().unwrap(), cam.to_uper().unwrap());
    assert!(cam.check_limits().is_ok());
}

#[test]
fn a_vehicle_without_a_position_falls_silent_and_says_so() {
    let mut street = Street::new();
    street.station.kind = StationKind::PassengerCar;
    let mut service = CaService::new(StationKind::PassengerCar, &CaSettings::default(), &VehicleSettings::default());
    assert!(street.wake(&mut service, 0).is_empty(), "no position yet");
    street.ego = Some(ego(&street, 0));
    assert_eq!(street.wake(&mut service, 0).len(), 1);
    assert_eq!(service.wake_at(), Some(at(1_000)));
    assert_eq!(street.wake(&mut service, 1_000).len(), 1, "still true");
    assert!(street.wake(&mut service, 2_000).is_empty(), "the position is 2 s old");
    assert_eq!(service.wake_at(), None);
    assert_eq!(service.drops().unwrap().get("cam-ego-too-old"), 1);
    street.ego = Some(ego(&street, 2_100));
    assert_eq!(street.wake(&mut service, 2_100).len(), 1);
}
