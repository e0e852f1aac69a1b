//! The shipped scenarios: part of the program, so that they run wherever it does.

macro_rules! scenarios {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each shipped scenario, by name.
        const SHIPPED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*];
    };
}
scenarios! {
    "ambulance-gets-green",
    "breakdown-on-motorway",
    "busy-junction",
    "cargo-bike-platoon",
    "child-after-ball",
    "crowd-at-event",
    "cyclist-from-the-side",
    "cyclist-in-blind-spot",
    "deer-on-country-road",
    "demo",
    "double-parked-van",
    "e-scooter-at-night",
    "emergency-vehicle",
    "emergency-vehicle-from-behind",
    "fault-camera-dark",
    "fault-camera-frozen",
    "fault-camera-moved",
    "fault-camera-silent",
    "fault-camera-turned",
    "fault-clock-drift",
    "fault-link-down",
    "fault-node-killed",
    "fault-sensor-stuck",
    "forged-bad-signature",
    "forged-implausible",
    "forged-unsigned",
    "forged-untrusted-chain",
    "green-wave",
    "jaywalker",
    "jaywalker-at-dusk",
    "jaywalker-in-rain",
    "jaywalker-secured",
    "late-bus",
    "leader-brakes-hard",
    "lost-cargo",
    "occluded-child",
    "packet-loss-burst",
    "parking-street",
    "queue-tail-in-fog",
    "red-light-runner",
    "roadworks",
    "roundabout-zebra",
    "rule-breakers",
    "running-for-the-tram",
    "stopped-car-in-dense-fog",
    "stopped-vehicle-behind-bend",
    "wheelchair-crossing",
    "wrong-way-driver",
    "zebra-behind-parked-cars",
}

/// The shipped scenarios: name and text.
pub fn library() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.iter().copied()
}

/// The text of a shipped scenario.
pub fn shipped(name: &str) -> Option<&'static str> {
    library().find(|(known, _)| *known == name).map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use std::path::Path;

    #[test]
    fn every_file_is_shipped_and_parses() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<_> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        let known: Vec<_> = library().map(|(name, _)| name).collect();
        assert_eq!(names, known, "the table in library.rs, sorted");
        for name in known {
            let scenario = Scenario::open(name).unwrap_or_else(|error| panic!("{error}"));
            assert!(!scenario.criteria.is_empty(), "{name} asks nothing");
        }
    }

    #[test]
    fn an_unknown_name_has_a_hint() {
        let error = Scenario::open("jaywaker").unwrap_err().to_string();
        assert!(error.contains("did you mean `jaywalker`?"), "{error}");
    }
}
