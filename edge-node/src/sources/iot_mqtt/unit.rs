//! Units that sensors write, and their conversion to the one unit of each quantity.

use crate::event::Quantity;

/// A unit that a sensor may report in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    MicrogramPerCubicMetre,
    MilligramPerCubicMetre,
    PartsPerBillion,
    PartsPerMillion,
    Celsius,
    Fahrenheit,
    Kelvin,
    Percent,
    Fraction,
    DecibelA,
    MillimetrePerHour,
    MillimetrePerMinute,
    MetrePerSecond,
    InchPerHour,
}

/// Air in which a gas was measured: what turns a mixing ratio into a mass concentration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Air {
    pub(crate) temperature_k: f64,
    pub(crate) pressure_pa: f64,
}

/// Molar mass of nitrogen dioxide, g/mol (CIAAW 2021 standard atomic weights).
const NO2_G_PER_MOL: f64 = 46.005;
/// Molar gas constant, J/(mol K) (SI, exact).
const GAS_CONSTANT: f64 = 8.314_462_618_153_24;

impl Unit {
    /// Reads a unit as sensors write it, in any case: SI symbols, UCUM and NGSI-LD (UN/CEFACT) codes, common spellings.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Both the micro sign and the Greek letter are in use.
        let text = text.trim().replace(['µ', 'μ'], "u").replace('³', "3").replace('^', "").to_lowercase();
        Some(match text.as_str() {
            "ug/m3" | "ug.m-3" | "ugm3" | "ugm-3" | "gq" => Self::MicrogramPerCubicMetre,
            "mg/m3" | "mg.m-3" | "gp" => Self::MilligramPerCubicMetre,
            "ppb" | "[ppb]" | "61" => Self::PartsPerBillion,
            "ppm" | "[ppm]" | "59" => Self::PartsPerMillion,
            "c" | "°c" | "cel" | "degc" | "celsius" => Self::Celsius,
            "f" | "°f" | "[degf]" | "degf" | "fahrenheit" | "fah" => Self::Fahrenheit,
            "k" | "kelvin" | "kel" => Self::Kelvin,
            "%" | "percent" | "%rh" | "p1" => Self::Percent,
            "fraction" | "ratio" | "1" | "c62" => Self::Fraction,
            "db" | "dba" | "db(a)" | "db[a]" | "2n" => Self::DecibelA,
            "mm/h" | "mm/hr" | "mmh" => Self::MillimetrePerHour,
            "mm/min" => Self::MillimetrePerMinute,
            "m/s" | "mts" => Self::MetrePerSecond,
            "in/h" | "in/hr" | "[in_i]/h" => Self::InchPerHour,
            _ => return None,
        })
    }

    /// Converts `value` to [`Quantity::unit`]; `None` when this is no unit of that quantity.
    pub(crate) fn convert(self, value: f64, quantity: Quantity, air: Air) -> Option<f64> {
        Some(match (quantity, self) {
            (Quantity::No2 | Quantity::Pm10 | Quantity::Pm25, Self::MicrogramPerCubicMetre) => value,
            (Quantity::No2 | Quantity::Pm10 | Quantity::Pm25, Self::MilligramPerCubicMetre) => value * 1e3,
            (Quantity::No2, Self::PartsPerBillion) => value * air.no2_ug_per_ppb(),
            (Quantity::No2, Self::PartsPerMillion) => value * 1e3 * air.no2_ug_per_ppb(),
            (Quantity::AirTemperature | Quantity::RoadSurfaceTemperature, Self::Celsius) => value,
            (Quantity::AirTemperature | Quantity::RoadSurfaceTemperature, Self::Fahrenheit) => (value - 32.0) / 1.8,
            (Quantity::AirTemperature | Quantity::RoadSurfaceTemperature, Self::Kelvin) => value - 273.15,
            (Quantity::RelativeHumidity, Self::Percent) => value,
            (Quantity::RelativeHumidity, Self::Fraction) => value * 100.0,
            (Quantity::Noise, Self::DecibelA) => value,
            (Quantity::RainIntensity, Self::MillimetrePerHour) => value,
            (Quantity::RainIntensity, Self::MillimetrePerMinute) => value * 60.0,
            (Quantity::RainIntensity, Self::MetrePerSecond) => value * 3.6e6,
            (Quantity::RainIntensity, Self::InchPerHour) => value * 25.4,
            _ => return None,
        })
    }
}

impl Air {
    /// µg/m³ of NO2 in one part per billion: `M p / (R T)`.
    fn no2_ug_per_ppb(self) -> f64 {
        NO2_G_PER_MOL * self.pressure_pa / (GAS_CONSTANT * self.temperature_k) * 1e-3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directive 2008/50/EC, annex VI C: gases at 293 K and 101.3 kPa.
    const EU_AIR: Air = Air { temperature_k: 293.0, pressure_pa: 101_300.0 };

    #[test]
    fn values_convert_to_the_unit_of_their_quantity() {
        let cases = [
            // 1 ppb NO2 = 1.913 µg/m³ at the directive's conditions.
            (Quantity::No2, "ppb", 10.0, 19.13),
            (Quantity::No2, "ppm", 0.01, 19.13),
            (Quantity::No2, "mg/m³", 0.04, 40.0),
            (Quantity::Pm10, "μg/m3", 12.5, 12.5),
            (Quantity::Pm25, "GQ", 12.5, 12.5),
            (Quantity::AirTemperature, "°F", 212.0, 100.0),
            (Quantity::RoadSurfaceTemperature, "K", 273.15, 0.0),
            (Quantity::RelativeHumidity, "fraction", 0.553, 55.3),
            (Quantity::Noise, "dB(A)", 61.0, 61.0),
            (Quantity::RainIntensity, "m/s", 1e-6, 3.6),
            (Quantity::RainIntensity, "in/h", 1.0, 25.4),
            (Quantity::RainIntensity, "mm/min", 0.5, 30.0),
        ];
        for (quantity, unit, value, expected) in cases {
            let got = Unit::parse(unit).unwrap().convert(value, quantity, EU_AIR).unwrap();
            // The directive's own figure has four digits.
            assert!(
                (got - expected).abs() <= 5e-4 * expected.abs().max(1.0),
                "{value} {unit} is {got}, not {expected}"
            );
        }
    }

    #[test]
    fn units_of_other_quantities_and_unknown_ones_are_refused() {
        let refused = [
            (Quantity::Pm10, "ppb"),
            (Quantity::AirTemperature, "%"),
            (Quantity::RelativeHumidity, "°C"),
            (Quantity::Noise, "mm/h"),
            (Quantity::RainIntensity, "µg/m³"),
        ];
        for (quantity, unit) in refused {
            assert_eq!(Unit::parse(unit).unwrap().convert(1.0, quantity, EU_AIR), None, "{quantity:?} in {unit}");
        }
        for unknown in ["", "bananas", "m", "°"] {
            assert_eq!(Unit::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn every_printed_unit_is_one_that_is_read() {
        use Quantity::{
            AirTemperature, No2, Noise, Pm10, Pm25, RainIntensity, RelativeHumidity, RoadSurfaceTemperature,
        };
        for quantity in
            [No2, Pm10, Pm25, AirTemperature, RelativeHumidity, Noise, RoadSurfaceTemperature, RainIntensity]
        {
            let unit = Unit::parse(quantity.unit()).unwrap();
            assert_eq!(unit.convert(7.5, quantity, EU_AIR), Some(7.5), "{quantity:?}");
        }
    }
}
