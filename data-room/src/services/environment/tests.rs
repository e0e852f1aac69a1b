//! Hours of sensors whose readings are known.

use super::*;

const HOUR_S: i64 = 3_600;

fn at(s: i64) -> Timestamp {
    Timestamp::from_unix_ms(s * 1_000)
}

fn environment() -> Environment {
    let text = "site = 's'\norigin = { latitude-deg = 44.65, longitude-deg = 10.93 }\n\
                sensor = [{ sensor = 'kerb', neighbours = ['park', 'roof'] }, { sensor = 'slow', every-s = 600 }]";
    Environment::new(&toml::from_str(text).unwrap())
}

/// Readings of one sensor; second and value.
fn feed(
    environment: &mut Environment,
    sensor: &str,
    quantity: Quantity,
    readings: impl IntoIterator<Item = (i64, f64)>,
) {
    for (s, value) in readings {
        environment.take(1, &Reading { sensor: sensor.into(), quantity, value, on_board: false }, at(s), None);
    }
}

/// A reading every minute with a little life in it.
fn minutes(from: i64, until: i64, value: f64) -> impl Iterator<Item = (i64, f64)> {
    (from..until).map(move |minute| (minute * 60, value + (minute % 2) as f64 * 0.2 - 0.1))
}

fn hour(environment: &mut Environment) -> EnvironmentHour {
    environment.findings(at(HOUR_S + 60)).remove(0)
}

#[test]
fn a_full_hour_has_a_mean_and_no_gaps() {
    let mut air = environment();
    feed(&mut air, "kerb", Quantity::No2, minutes(0, 60, 40.0));
    feed(&mut air, "kerb", Quantity::Pm25, minutes(0, 60, 12.0));
    assert!(air.findings(at(HOUR_S + 59)).is_empty(), "readings may still come");
    let hour = hour(&mut air);
    assert_eq!((hour.from, hour.to), (at(0), at(HOUR_S)));
    let [no2, pm25] = [&hour.means[0], &hour.means[1]];
    assert_eq!((no2.quantity, pm25.quantity), (Quantity::No2, Quantity::Pm25));
    assert!((no2.mean.unwrap() - 40.0).abs() < 1e-9);
    assert_eq!((no2.capture, no2.readings, no2.gaps.len()), (1.0, 60, 0));
    assert_eq!(no2.range, Some([39.9, 40.1]));
    assert_eq!(hour.index, Some((AirQuality::Moderate, Quantity::No2)));
}

#[test]
fn a_gap_is_named_and_not_filled() {
    // Minutes of silence from minute 20 on, and whether three quarters are left.
    for (silent, has_mean) in [(10, true), (14, true), (20, false)] {
        let mut air = environment();
        feed(&mut air, "kerb", Quantity::No2, minutes(0, 20, 40.0).chain(minutes(20 + silent, 60, 80.0)));
        let hour = hour(&mut air);
        let mean = &hour.means[0];
        assert_eq!(mean.mean.is_some(), has_mean, "{mean:?}");
        let gap_s = mean.gaps[0][1].seconds_since(mean.gaps[0][0]);
        assert_eq!(mean.gaps.len(), 1);
        assert!((gap_s - (silent as f64 - 1.0) * 60.0).abs() < 1.0, "{gap_s}");
        assert!((mean.capture - (1.0 - gap_s / 3600.0)).abs() < 1e-6);
        if let Some(mean) = mean.mean {
            let expected = (20.0 * 40.0 + (40 - silent) as f64 * 80.0) / (60 - silent) as f64;
            assert!((mean - expected).abs() < 0.1, "{mean}");
        }
    }
}

#[test]
fn bad_readings_are_counted_and_are_not_in_the_mean() {
    let mut air = environment();
    let readings = minutes(0, 60, 20.0).map(|(s, value)| (s, if s == 600 || s == 660 { 900.0 } else { value }));
    feed(&mut air, "kerb", Quantity::AirTemperature, readings);
    let hour = hour(&mut air);
    let mean = &hour.means[0];
    assert_eq!(mean.rejected, BTreeMap::from([(Quality::OutOfRange, 2)]));
    assert!((mean.mean.unwrap() - 20.0).abs() < 0.05);
    assert_eq!(mean.readings, 58);
}

#[test]
fn a_change_of_mind_is_told_once() {
    let mut air = environment();
    let mut told = Vec::new();
    for minute in 0..70 {
        let value = if minute < 5 { 40.0 + f64::from(minute) } else { 45.0 };
        let reading = Reading { sensor: "kerb".into(), quantity: Quantity::RelativeHumidity, value, on_board: false };
        told.extend(air.take(1, &reading, at(i64::from(minute) * 60), None).map(|doubt| (minute, doubt.quality)));
    }
    assert_eq!(told, [(65, Quality::Stuck)]);
}

#[test]
fn neighbours_that_agree_outvote_a_sensor() {
    let mut air = environment();
    for minute in 0..10 {
        feed(&mut air, "park", Quantity::No2, [(minute * 60, 20.0)]);
        feed(&mut air, "roof", Quantity::No2, [(minute * 60, 24.0)]);
        feed(&mut air, "kerb", Quantity::No2, [(minute * 60 + 1, 160.0 + minute as f64)]);
    }
    let hours = air.findings(at(HOUR_S + 60));
    let kerb = hours.iter().find(|hour| hour.sensor == "kerb").unwrap();
    assert_eq!(kerb.means[0].rejected, BTreeMap::from([(Quality::Apart, 8)]));
    assert_eq!(kerb.means[0].mean, None, "ten minutes are no hour");
}

#[test]
fn sound_is_averaged_by_its_energy_and_slow_sensors_have_no_gaps() {
    let mut air = environment();
    feed(
        &mut air,
        "slow",
        Quantity::Noise,
        (0..6).map(|i| (i * 600 + 300, if i < 3 { 60.0 + i as f64 } else { 70.0 + i as f64 })),
    );
    let hour = hour(&mut air);
    let levels = [60.0, 61.0, 62.0, 73.0, 74.0, 75.0];
    let expected = 10.0 * (levels.iter().map(|level| 10.0_f64.powf(level / 10.0)).sum::<f64>() / 6.0).log10();
    assert!((hour.means[0].mean.unwrap() - expected).abs() < 1e-9);
    assert_eq!((hour.means[0].gaps.len(), hour.means[0].capture), (0, 1.0));
    assert_eq!(hour.index, None);
}

#[test]
fn a_sensor_that_falls_silent_is_all_gap_and_then_forgotten() {
    let mut air = environment();
    feed(&mut air, "kerb", Quantity::No2, minutes(0, 60, 40.0));
    let hours = air.findings(at(4 * HOUR_S));
    assert_eq!(hours.len(), 2, "the hour of readings, and one of silence");
    let silent = &hours[1].means[0];
    assert_eq!((silent.mean, silent.readings, silent.capture), (None, 0, 0.0));
    assert_eq!(silent.gaps, [[at(HOUR_S), at(2 * HOUR_S)]]);
}
