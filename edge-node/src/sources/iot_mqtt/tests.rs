//! Payloads to observations: one table of what is taken, one of what is refused, and anything at all.

use super::*;
use crate::event::Quantity;
use proptest::prelude::*;

const ARRIVED: Timestamp = Timestamp::from_unix_ms(1_714_557_600_000);

fn mapping(toml: &str) -> Result<Mapping, String> {
    Mapping::new(&toml::from_str::<MappingSettings>(toml).map_err(|error| error.to_string())?)
}

/// A sensor whose payload says everything itself.
const FULL: &str = r#"
    topic = "city/+/air/#"
    sensor = { pointer = "/id" }
    quantity = "no2"
    value = "/data/0/v"
    unit = { pointer = "/data/0/u" }
    time = { pointer = "/at", format = "rfc3339" }
"#;

/// A sensor that sends a bare number.
const BARE: &str = r#"
    topic = "t"
    sensor = "roof"
    quantity = "air-temperature"
    value = ""
    unit = "°F"
"#;

#[test]
fn payloads_become_observations() {
    let full = mapping(FULL).unwrap();
    let payload = br#"{"id": "station-7", "at": "2024-05-01T11:59:58.5+02:00", "data": [{"v": 10, "u": "ppb"}]}"#;
    let got = map_payload(&full, payload, ARRIVED).unwrap();
    assert_eq!(
        (got.sensor.as_str(), got.quantity, got.captured_at),
        ("station-7", Quantity::No2, ARRIVED.plus_ms(-1500))
    );
    // 10 ppb at 293 K and 101.3 kPa; the directive's factor has four digits.
    assert!((got.value - 19.13).abs() < 0.01, "{}", got.value);

    let bare = mapping(BARE).unwrap();
    let got = map_payload(&bare, b" 50.0 ", ARRIVED).unwrap();
    let expected = Observation {
        sensor: "roof".to_owned(),
        quantity: Quantity::AirTemperature,
        value: 10.0,
        captured_at: ARRIVED,
    };
    assert_eq!(got, expected);
}

#[test]
fn times_are_read_as_configured() {
    for (format, written, ms_before) in [
        ("unix-seconds", "1714557598", 2000),
        ("unix-seconds", "1714557599.5", 500),
        ("unix-milliseconds", "1714557599999", 1),
        ("rfc3339", "\"2024-05-01T10:00:00Z\"", 0),
    ] {
        let toml = format!("{BARE}\ntime = {{ pointer = \"/t\", format = \"{format}\" }}")
            .replace("value = \"\"", "value = \"/v\"");
        let payload = format!("{{\"v\": 50, \"t\": {written}}}");
        let got = map_payload(&mapping(&toml).unwrap(), payload.as_bytes(), ARRIVED).unwrap();
        assert_eq!(got.captured_at, ARRIVED.plus_ms(-ms_before), "{format} {written}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    let full = |id: &str, at: &str, v: &str, u: &str| {
        format!(r#"{{"id": {id}, "at": {at}, "data": [{{"v": {v}, "u": {u}}}]}}"#)
    };
    let (id, at, ppb) = ("\"s\"", "\"2024-05-01T10:00:00Z\"", "\"ppb\"");
    let long_id = format!("\"{}\"", "x".repeat(65));
    let cases = [
        (full(id, at, "\"12\"", ppb), "no-number"),
        (full(id, at, "\"NaN\"", ppb), "no-number"),
        (full(id, at, "null", ppb), "no-number"),
        (full(id, at, "true", ppb), "no-number"),
        (full(id, at, "[1]", ppb), "no-number"),
        (full(id, at, "NaN", ppb), "no-json"),
        (full(id, at, "1e999", ppb), "no-json"),
        (full(id, at, "12", "\"bananas\""), "unknown-unit"),
        (full(id, at, "12", "7"), "unknown-unit"),
        (full(id, at, "12", "\"°C\""), "wrong-unit"),
        (full(id, at, "-1", ppb), "out-of-range"),
        (full(id, at, "1e308", "\"mg/m3\""), "out-of-range"),
        (full(id, "\"noon\"", "12", ppb), "no-time"),
        (full(id, "1714557600", "12", ppb), "no-time"),
        (full(id, "\"2024-04-01T10:00:00Z\"", "12", ppb), "implausible-time"),
        (full(id, "\"2024-05-01T10:02:00Z\"", "12", ppb), "implausible-time"),
        (full("\"\"", at, "12", ppb), "no-sensor-id"),
        (full("{}", at, "12", ppb), "no-sensor-id"),
        (full(&long_id, at, "12", ppb), "no-sensor-id"),
        ("{}".to_owned(), "missing"),
        ("[]".to_owned(), "missing"),
        ("12".to_owned(), "missing"),
        (String::new(), "no-json"),
        ("{\"id\": ".to_owned(), "no-json"),
        ("[".repeat(100_000), "no-json"),
    ];
    let mapping = mapping(FULL).unwrap();
    for (payload, label) in cases {
        let reject = map_payload(&mapping, payload.as_bytes(), ARRIVED).unwrap_err();
        assert_eq!(reject.label(), label, "{} → {reject}", mapping::shorten(&payload));
        assert!(reject.to_string().len() < 400, "{reject}");
    }
}

#[test]
fn wrong_settings_are_refused_and_named() {
    for (from, to, names) in [
        ("\"°F\"", "\"ppb\"", "ppb"),
        ("\"°F\"", "\"bananas\"", "bananas"),
        ("\"°F\"", "{ pointer = \"unit\" }", "unit"),
        ("topic = \"t\"", "topic = \"a/#/b\"", "a/#/b"),
        ("value = \"\"", "value = \"v\"", "`v`"),
        ("unit =", "range = { min = 5, max = 5 }\nunit =", "range"),
        ("unit =", "air = { temperature-c = -300 }\nunit =", "air"),
        ("unit =", "units =", "units"),
    ] {
        let error = mapping(&BARE.replace(from, to)).unwrap_err();
        assert!(error.contains(names), "{to}: {error}");
    }
}

#[test]
fn topic_filters_match_as_mqtt_says() {
    let mapping = mapping(FULL).unwrap();
    for (topic, matches) in [
        ("city/a/air/no2", true),
        ("city/a/air", true),
        ("city/a/b/air", false),
        ("city/air/x", false),
        ("$SYS/x", false),
    ] {
        assert_eq!(mapping.matches(topic), matches, "{topic}");
    }
}

/// JSON values of any shape, biased towards the keys that the mapping looks for.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec!["ppb", "µg/m³", "2024-05-01T10:00:00Z", "-009999-01-01T00:00:00Z", ""])
            .prop_map(Value::from),
        ".{0,80}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let keys = prop::sample::select(vec!["id", "at", "data", "v", "u", "x"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_mapped_or_refused(payload in any_json(), arrived_ns: i64, format in 0..3) {
        let format = ["rfc3339", "unix-seconds", "unix-milliseconds"][format as usize];
        let mapping = mapping(&FULL.replace("rfc3339", format)).unwrap();
        if let Ok(observation) = map_payload(&mapping, payload.to_string().as_bytes(), Timestamp::from_unix_ns(arrived_ns)) {
            prop_assert!((0.0..=4000.0).contains(&observation.value));
            prop_assert!(!observation.sensor.is_empty());
        }
    }

    #[test]
    fn any_bytes_are_mapped_or_refused(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = map_payload(&mapping(BARE).unwrap(), &payload, ARRIVED);
    }
}
