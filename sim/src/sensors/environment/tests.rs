use super::*;
use crate::actor::{Actor, ActorId};
use crate::sensors::FaultKind;
use crate::sensors::gnss::tests::car;

fn settings(more: &str) -> EnvironmentSettings {
    toml::from_str(&format!("name = \"kerb\"\nposition = [0.0, -8.0, 3.0]\n{more}")).unwrap()
}

fn traffic(cars: u32) -> Vec<Actor> {
    (0..cars)
        .map(|i| Actor { id: ActorId(i), ..car(f64::from(i) * 200.0 / f64::from(cars) - 100.0, 0.0, 10.0) })
        .collect()
}

/// The last reading after `seconds` beside a street with so many cars.
fn after(cars: u32, weather: Weather, settings: EnvironmentSettings, seconds: u32) -> Reading {
    let mut environment = Environment::new(Background::default(), &Roads::default());
    let mut sensor = EnvironmentSensor::new(settings, Seed(1), 0);
    let mut last = None;
    for step in 0..=seconds {
        let snapshot = Snapshot { time_s: f64::from(step), actors: traffic(cars), weather, ..Snapshot::default() };
        environment.step(&snapshot);
        last = sensor.measure(&environment, &snapshot).or(last);
    }
    last.unwrap()
}

fn value(reading: &Reading, measurand: Measurand) -> f64 {
    reading.values.iter().find(|(found, _)| *found == measurand).unwrap().1
}

#[test]
fn traffic_shows_in_air_and_noise() {
    let weather = Weather { wind_from_deg: 0.0, ..Weather::default() };
    let exact = || settings("error = 0.0");
    let (quiet, busy) = (after(0, weather, exact(), 300), after(30, weather, exact(), 300));
    let background = Background::default();
    assert_eq!(value(&quiet, Measurand::No2), background.no2);
    for (measurand, least) in
        [(Measurand::No2, 5.0), (Measurand::Pm10, 1.0), (Measurand::Pm25, 0.5), (Measurand::Co2, 2.0)]
    {
        let more = value(&busy, measurand) - value(&quiet, measurand);
        assert!(more > least && more < 40.0 * least, "{measurand:?}: {more}");
    }
    let (low, high) = (value(&quiet, Measurand::Noise), value(&busy, Measurand::Noise));
    assert!(low < 48.0 && (65.0..80.0).contains(&high), "{low} {high}");
    let twice = value(&after(60, weather, exact(), 60), Measurand::Noise);
    assert!((twice - value(&after(30, weather, exact(), 60), Measurand::Noise) - 3.0).abs() < 0.4, "{twice}");
}

#[test]
fn weather_shows_in_temperature_water_and_humidity() {
    let sunny = after(0, Weather::default(), settings("error = 0.0"), 10);
    assert_eq!(value(&sunny, Measurand::AirTemperature), 20.0);
    assert!(value(&sunny, Measurand::RoadSurfaceTemperature) > 28.0);
    let wet = Weather {
        rain_mm_per_h: 8.0,
        road_wetness: 0.7,
        cloud_cover: 1.0,
        sun_elevation_deg: -10.0,
        ..Weather::default()
    };
    let wet = after(0, wet, settings("error = 0.0"), 10);
    assert!((value(&wet, Measurand::WaterFilm) - 0.56).abs() < 1e-9 && value(&wet, Measurand::RelativeHumidity) > 85.0);
    assert!(value(&wet, Measurand::Pm10) < 0.6 * value(&sunny, Measurand::Pm10));
    assert_eq!(value(&wet, Measurand::RainIntensity), 8.0);
    let fog = after(0, Weather { visibility_m: 100.0, ..Weather::default() }, settings("error = 0.0"), 10);
    assert_eq!(value(&fog, Measurand::RelativeHumidity), 98.0);
}

#[test]
fn the_surface_follows_slowly() {
    let mut environment = Environment::new(Background::default(), &Roads::default());
    let at = |time_s: f64, temperature_c: f64| Snapshot {
        time_s,
        weather: Weather { temperature_c, sun_elevation_deg: -10.0, cloud_cover: 1.0, ..Weather::default() },
        ..Snapshot::default()
    };
    environment.step(&at(0.0, 20.0));
    environment.step(&at(1800.0, 0.0));
    let surface = environment.truth(Measurand::RoadSurfaceTemperature, &at(1800.0, 0.0), [0.0; 3]);
    assert!((surface - 20.0 * (-1f64).exp()).abs() < 1e-9, "{surface}");
}

#[test]
fn specimens_differ_and_faults_act() {
    let no2 = |more: &str, seconds| value(&after(0, Weather::default(), settings(more), seconds), Measurand::No2);
    assert_ne!(no2("", 10), Background::default().no2);
    let drift = "faults = [{ measurand = \"no2\", fault = { kind = { drift = 3600.0 }, from-s = 0.0 } }]";
    assert!((no2(&format!("error = 0.0\n{drift}"), 50) - Background::default().no2 - 50.0).abs() < 0.1);
    let mut stuck = settings("error = 1.0\nmeasures = [\"no2\", \"noise\"]\nperiod-s = 1.0");
    let fault = SensorFault { kind: FaultKind::Stuck, from_s: 5.0, until_s: None };
    stuck.faults = vec![MeasurandFault { measurand: Some(Measurand::No2), fault }];
    let values: Vec<f64> =
        (5..20).map(|s| value(&after(5, Weather::default(), stuck.clone(), s), Measurand::No2)).collect();
    assert!(values.windows(2).all(|pair| pair[0] == pair[1]), "{values:?}");
    let gone = SensorFault { kind: FaultKind::Dropout(1.0), from_s: 0.0, until_s: None };
    stuck.faults = vec![MeasurandFault { measurand: Some(Measurand::No2), fault: gone }];
    let reading = after(5, Weather::default(), stuck, 20);
    assert_eq!(reading.values.len(), 1);
}

#[test]
fn payloads_name_value_and_unit() {
    let reading = Reading { time_s: 2.5, values: vec![(Measurand::No2, 21.3), (Measurand::Noise, 61.0)] };
    // 2026-03-05T12:00:00Z.
    let json = reading.json("kerb", Timestamp::from_unix_ms(1_772_712_000_000));
    let expected = serde_json::json!({
        "sensor": "kerb",
        "time": "2026-03-05T12:00:02.5Z",
        "no2": {"value": 21.3, "unit": "ug/m3"},
        "noise": {"value": 61.0, "unit": "dB(A)"},
    });
    assert_eq!(json, expected);
}
