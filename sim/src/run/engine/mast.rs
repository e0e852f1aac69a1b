//! Environmental sensors of stations: the simulator's instruments, as a scenario sets them up and breaks them.

use crate::faults::Fault;
use crate::random::Seed;
use crate::scenario::Scenario;
use crate::sensors::environment::{EnvironmentSensor, EnvironmentSettings, Measurand, MeasurandFault};
use crate::sensors::fault::{FaultKind, SensorFault};
use masa_edge_node::event::Quantity;

/// A sensor: the place of its station, what the node calls its quantity, and the instrument.
pub(super) type Mast = (usize, Quantity, EnvironmentSensor);

/// The sensors of all stations.
pub(super) fn masts(scenario: &Scenario, seed: Seed) -> Vec<Mast> {
    let stations = scenario.stations.iter().enumerate();
    let sensors = stations.flat_map(|(station, settings)| settings.sensors.iter().map(move |s| (station, settings, s)));
    let masts = sensors.zip(0..).map(|((station, settings, sensor), number)| {
        let faults = scenario.faults.iter().filter_map(|fault| match &fault.what {
            Fault::SensorStuck { station, sensor: id } if *station == settings.id && *id == sensor.id => {
                let fault = SensorFault { kind: FaultKind::Stuck, from_s: fault.at_s, until_s: fault.until_s };
                Some(MeasurandFault { measurand: None, fault })
            }
            _ => None,
        });
        let instrument = EnvironmentSettings {
            name: sensor.id.clone(),
            position: settings.position_m,
            measures: vec![measurand(sensor.quantity)],
            period_s: sensor.interval_s,
            error: sensor.error,
            faults: faults.collect(),
        };
        (station, sensor.quantity, EnvironmentSensor::new(instrument, seed, number))
    });
    masts.collect()
}

const fn measurand(quantity: Quantity) -> Measurand {
    match quantity {
        Quantity::No2 => Measurand::No2,
        Quantity::Pm10 => Measurand::Pm10,
        Quantity::Pm25 => Measurand::Pm25,
        Quantity::AirTemperature => Measurand::AirTemperature,
        Quantity::RelativeHumidity => Measurand::RelativeHumidity,
        Quantity::Noise => Measurand::Noise,
        Quantity::RoadSurfaceTemperature => Measurand::RoadSurfaceTemperature,
        Quantity::RainIntensity => Measurand::RainIntensity,
    }
}
