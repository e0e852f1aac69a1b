//! SUMO's vehicle types (`vType`).

use super::{Distribution, Types};
use crate::roads::RoadsError;
use crate::roads::xml::Element;
use crate::traffic::driver::CarFollowing;
use crate::traffic::kinds::{SpeedFactor, VehicleClass, VehicleType};

/// Reads a `vType`.
pub(super) fn vehicle_type(element: Element<'_, '_>) -> Result<VehicleType, RoadsError> {
    let name = element.text("vClass").unwrap_or("passenger");
    let class = VehicleClass::named(name);
    let class = class.ok_or_else(|| element.fail(format!("vehicles of class `{name}` are not supported")))?;
    let mut kind = VehicleType { name: element.required("id")?.to_owned(), ..VehicleType::of(class) };
    let set = |attribute: &str, value: &mut f64| -> Result<(), RoadsError> {
        match element.number_or_none(attribute)? {
            Some(number) if number < 0.0 => Err(element.fail(format!("{attribute}=\"{number}\" is negative"))),
            Some(number) => {
                *value = number;
                Ok(())
            }
            None => Ok(()),
        }
    };
    set("length", &mut kind.size.length_m)?;
    set("width", &mut kind.size.width_m)?;
    set("height", &mut kind.size.height_m)?;
    set("minGap", &mut kind.min_gap_m)?;
    set("maxSpeed", &mut kind.max_speed_mps)?;
    let mut wish = f64::INFINITY;
    set("desiredMaxSpeed", &mut wish)?;
    kind.max_speed_mps = kind.max_speed_mps.min(wish);
    set("accel", &mut kind.accel_mps2)?;
    set("decel", &mut kind.decel_mps2)?;
    set("emergencyDecel", &mut kind.emergency_mps2)?;
    kind.emergency_mps2 = kind.emergency_mps2.max(kind.decel_mps2);
    set("impatience", &mut kind.impatience)?;
    set("lcCooperative", &mut kind.cooperative)?;
    set("lcStrategic", &mut kind.strategic)?;
    set("lcSpeedGain", &mut kind.speed_gain)?;
    set("lcKeepRight", &mut kind.keep_right)?;
    set("lcAssertive", &mut kind.assertive)?;
    for (attribute, value) in [("length", kind.size.length_m), ("accel", kind.accel_mps2), ("decel", kind.decel_mps2)] {
        if value <= 0.0 {
            return Err(element.fail(format!("{attribute} must be above 0")));
        }
    }
    if let Some(model) = element.text("laneChangeModel").filter(|model| !matches!(*model, "LC2013" | "default")) {
        return Err(element.fail(format!("laneChangeModel `{model}` is not supported")));
    }
    kind.following = following(element)?;
    if let Some(text) = element.text("speedFactor") {
        kind.speed_factor = speed_factor(element, text, kind.speed_factor)?;
    }
    if let Some(deviation) = element.number_or_none("speedDev")? {
        kind.speed_factor.deviation = deviation;
    }
    Ok(kind)
}

fn following(element: Element<'_, '_>) -> Result<CarFollowing, RoadsError> {
    let tau_s = element.number_or_none("tau")?.unwrap_or(1.0);
    match element.text("carFollowModel").unwrap_or("Krauss") {
        "Krauss" => Ok(CarFollowing::Krauss { sigma: element.number_or_none("sigma")?.unwrap_or(0.5), tau_s }),
        "IDM" => Ok(CarFollowing::Idm { tau_s, delta: element.number_or_none("delta")?.unwrap_or(4.0) }),
        other => Err(element.fail(format!("carFollowModel `{other}` is not supported: Krauss and IDM are"))),
    }
}

/// `1.1`, `norm(mean, deviation)` or `normc(mean, deviation, min, max)`.
fn speed_factor(element: Element<'_, '_>, text: &str, usual: SpeedFactor) -> Result<SpeedFactor, RoadsError> {
    let wrong = || element.fail(format!("speedFactor=\"{text}\" is neither a number nor norm(…) nor normc(…)"));
    if let Ok(mean) = text.trim().parse() {
        return Ok(SpeedFactor { mean, ..usual });
    }
    let (name, rest) = text.split_once('(').ok_or_else(wrong)?;
    let numbers: Result<Vec<f64>, _> = rest.trim_end_matches(')').split(',').map(|part| part.trim().parse()).collect();
    match (name.trim(), numbers.map_err(|_| wrong())?.as_slice()) {
        ("norm", [mean, deviation]) => {
            Ok(SpeedFactor { mean: *mean, deviation: *deviation, min: 0.0, max: f64::INFINITY })
        }
        ("normc", [mean, deviation, min, max]) => {
            Ok(SpeedFactor { mean: *mean, deviation: *deviation, min: *min, max: *max })
        }
        _ => Err(wrong()),
    }
}

impl Types {
    /// Reads a `vTypeDistribution` with types inside or named.
    pub(super) fn distribution(&self, element: Element<'_, '_>) -> Result<Distribution, RoadsError> {
        let mut members = Vec::new();
        for kind in element.all("vType") {
            members.push((vehicle_type(kind)?, kind.number_or_none("probability")?.unwrap_or(1.0)));
        }
        let names: Vec<&str> = element.text("vTypes").unwrap_or_default().split_whitespace().collect();
        let weights = element.text("probabilities").map(|text| text.split_whitespace().map(str::parse).collect());
        let weights: Vec<f64> = weights
            .unwrap_or_else(|| Ok(vec![1.0; names.len()]))
            .map_err(|_| element.fail("`probabilities` are no numbers"))?;
        if weights.len() != names.len() {
            return Err(element.fail(format!("{} probabilities for {} types", weights.len(), names.len())));
        }
        for (name, weight) in names.iter().zip(weights) {
            let kind = self.types.get(*name).ok_or_else(|| element.fail(format!("there is no vType `{name}`")))?;
            members.push((kind.clone(), weight));
        }
        if members.is_empty() {
            return Err(element.fail("the distribution is empty"));
        }
        Ok(Distribution(members))
    }
}
