use super::*;
use crate::world::infrastructure::{
    ConnectionSettings, IntersectionSettings, LaneKind, LaneSettings, LaneWay, Manoeuvre,
};
use masa_v2x_proto::geo::Enu;

fn lane(id: u8, direction: LaneWay, nodes_m: &[[f64; 2]], to: &[(u8, Manoeuvre)]) -> LaneSettings {
    let connections = to.iter().map(|(lane, manoeuvre)| ConnectionSettings {
        lane: *lane,
        manoeuvre: *manoeuvre,
        signal_group: None,
    });
    LaneSettings {
        id,
        kind: LaneKind::Vehicle,
        direction,
        approach: None,
        nodes_m: nodes_m.to_vec(),
        connections: connections.collect(),
    }
}

/// From the west one may go straight on to the east or left to the north; from the south right to the east. A crosswalk
/// crosses the eastern arm.
fn map() -> RouteMap {
    let crosswalk =
        LaneSettings { kind: LaneKind::Crosswalk, ..lane(9, LaneWay::Both, &[[14.0, -8.0], [14.0, 8.0]], &[]) };
    let lanes = vec![
        lane(1, LaneWay::Ingress, &[[-10.0, -2.0], [-80.0, -2.0]], &[(2, Manoeuvre::Straight), (3, Manoeuvre::Left)]),
        lane(2, LaneWay::Egress, &[[10.0, -2.0], [80.0, -2.0]], &[]),
        lane(3, LaneWay::Egress, &[[2.0, 10.0], [2.0, 80.0]], &[]),
        lane(4, LaneWay::Ingress, &[[2.0, -10.0], [2.0, -80.0]], &[(2, Manoeuvre::Right)]),
        crosswalk,
    ];
    let intersection = IntersectionSettings {
        id: 7,
        region: None,
        name: None,
        revision: 0,
        reference_m: [0.0, 0.0],
        lane_width_m: 3.25,
        lanes,
        programme: None,
    };
    RouteMap::new(&[intersection])
}

fn mover(class: ObjectClass, position: [f64; 2], velocity_mps: [f64; 2]) -> Mover {
    let speed = f64::hypot(velocity_mps[0], velocity_mps[1]);
    Mover {
        class,
        position: Enu::ground(position[0], position[1]),
        velocity_mps,
        yaw_rad: (speed > 0.0).then(|| velocity_mps[1].atan2(velocity_mps[0])),
        yaw_rate_radps: 0.0,
        length_m: 4.5,
        width_m: 1.8,
        position_sigma_m: 0.3,
        velocity_sigma_mps: 0.3,
    }
}

fn manoeuvres(forecasts: &[Forecast]) -> Vec<Option<Manoeuvre>, 4> {
    let of = |way| match way {
        Way::Lanes { manoeuvre, .. } => manoeuvre,
        _ => None,
    };
    forecasts.iter().map(|f| of(f.way)).collect()
}

#[test]
fn before_the_junction_both_ways_are_open_and_probabilities_add_up() {
    let forecasts = predict(&mover(ObjectClass::Car, [-40.0, -2.3], [12.0, 0.0]), &map());
    let sum: f64 = forecasts.iter().map(|f| f.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9);
    let ways = manoeuvres(&forecasts);
    assert!(ways[..2].contains(&Some(Manoeuvre::Straight)) && ways[..2].contains(&Some(Manoeuvre::Left)), "{ways:?}");
    assert!(forecasts[..2].iter().all(|f| f.probability > 0.4));
    for forecast in &forecasts[..2] {
        let end = forecast.states[STATES - 1];
        let straight = manoeuvres(std::slice::from_ref(forecast))[0] == Some(Manoeuvre::Straight);
        // Straight on it keeps its speed; to turn left it slows down to what the curve of about 12 m allows.
        assert_eq!(straight, end.position.e_m > 15.0 && (end.position.n_m + 2.0).abs() < 0.1, "{end:?}");
        assert_eq!(straight, end.speed_mps > 11.9, "{end:?}");
        assert!(end.speed_mps > 5.0 && end.along_sigma_m > 5.0 && end.across_sigma_m < 0.6);
    }
}

#[test]
fn where_routes_join_they_are_one_way() {
    let forecasts = predict(&mover(ObjectClass::Car, [30.0, -2.0], [10.0, 0.0]), &map());
    let on_lanes = forecasts.iter().filter(|f| f.way != Way::Free).count();
    assert_eq!(on_lanes, 1, "{:?}", forecasts.iter().map(|f| f.way).collect::<std::vec::Vec<_>>());
    assert!(forecasts[0].probability > 0.9);
}

#[test]
fn against_the_lane_and_off_it_the_motion_goes_on_freely() {
    for (position, velocity) in [([-40.0, -2.0], [-12.0, 0.0]), ([-40.0, 30.0], [12.0, 0.0])] {
        let forecasts = predict(&mover(ObjectClass::Car, position, velocity), &map());
        assert_eq!((forecasts[0].way, forecasts.len()), (Way::Free, 1));
        let end = forecasts[0].states[STATES - 1].position;
        assert!((end.e_m - position[0] - 5.0 * velocity[0]).abs() < 1e-9);
    }
}

#[test]
fn a_turn_goes_on_as_an_arc() {
    let rate = std::f64::consts::FRAC_PI_2 / 4.0;
    let turning = Mover { yaw_rate_radps: rate, ..mover(ObjectClass::Car, [100.0, 100.0], [8.0, 0.0]) };
    let forecast = &predict(&turning, &RouteMap::default())[0];
    // After 4 s a quarter of a circle of radius v/ω.
    let (there, radius) = (forecast.states[40], 8.0 / rate);
    assert!((there.position.e_m - 100.0 - radius).abs() < 1e-6 && (there.position.n_m - 100.0 - radius).abs() < 1e-6);
    assert!((there.yaw_rad - std::f64::consts::FRAC_PI_2).abs() < 1e-9);
}

#[test]
fn a_pedestrian_crosses_where_the_crosswalk_leads_and_a_car_does_not_walk() {
    let forecasts = predict(&mover(ObjectClass::Person, [14.4, -6.0], [0.1, 1.4]), &map());
    assert!(matches!(forecasts[0].way, Way::Lanes { lanes: (9, None), .. }), "{:?}", forecasts[0].way);
    let end = forecasts[0].states[STATES - 1].position;
    assert!(end.n_m > 0.5 && (end.e_m - 14.0).abs() < 0.1, "{end:?}");
    let car = predict(&mover(ObjectClass::Car, [14.4, -6.0], [0.1, 1.4]), &map());
    assert!(car.iter().all(|f| !matches!(f.way, Way::Lanes { lanes: (9, _), .. })));
}

#[test]
fn what_stands_stays() {
    let forecasts = predict(&mover(ObjectClass::Car, [-40.0, -2.0], [0.0, 0.0]), &map());
    assert!(forecasts.iter().all(|f| f.states[STATES - 1].travelled_m == 0.0));
}
