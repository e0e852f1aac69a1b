//! European Air Quality Index: bands of hourly concentrations as the European Environment Agency has used them since 2025
//! (ETC HE Report 2024/17, after WHO's guidelines of 2021).

use crate::entity::Quantity;
use serde::Serialize;

/// Level of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AirQuality {
    /// Good.
    Good,
    /// Fair.
    Fair,
    /// Moderate.
    Moderate,
    /// Poor.
    Poor,
    /// Very poor.
    VeryPoor,
    /// Extremely poor.
    ExtremelyPoor,
}

impl AirQuality {
    const ALL: [Self; 6] = [Self::Good, Self::Fair, Self::Moderate, Self::Poor, Self::VeryPoor, Self::ExtremelyPoor];

    /// As the agency words it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Moderate => "moderate",
            Self::Poor => "poor",
            Self::VeryPoor => "very poor",
            Self::ExtremelyPoor => "extremely poor",
        }
    }

    /// Level of one pollutant's hourly mean, µg/m³; `None` for what is no pollutant of the index.
    pub fn of(quantity: Quantity, ug_m3: f64) -> Option<Self> {
        let up_to = match quantity {
            Quantity::Pm25 => [5.0, 15.0, 50.0, 90.0, 140.0],
            Quantity::Pm10 => [15.0, 45.0, 120.0, 195.0, 270.0],
            Quantity::No2 => [10.0, 25.0, 60.0, 100.0, 150.0],
            _ => return None,
        };
        // The bands are of whole numbers.
        let place = up_to.iter().position(|limit| ug_m3.round() <= *limit).unwrap_or(up_to.len());
        Some(Self::ALL[place])
    }

    /// The index at a kerb: the worst of its pollutants, if NO2 and particles are known, as the agency has it for stations
    /// beside traffic.
    pub fn of_station(means: &[(Quantity, f64)]) -> Option<(Self, Quantity)> {
        let has = |wanted: &[Quantity]| means.iter().any(|(quantity, _)| wanted.contains(quantity));
        if !has(&[Quantity::No2]) || !has(&[Quantity::Pm10, Quantity::Pm25]) {
            return None;
        }
        means
            .iter()
            .filter_map(|(quantity, mean)| Some((Self::of(*quantity, *mean)?, *quantity)))
            .max_by_key(|(l, _)| *l)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_those_of_the_agency() {
        use AirQuality::{ExtremelyPoor, Fair, Good, Moderate, Poor, VeryPoor};
        for (quantity, values) in [
            (
                Quantity::Pm25,
                [(5.4, Good), (6.0, Fair), (16.0, Moderate), (51.0, Poor), (91.0, VeryPoor), (141.0, ExtremelyPoor)],
            ),
            (
                Quantity::Pm10,
                [
                    (15.0, Good),
                    (45.0, Fair),
                    (46.0, Moderate),
                    (121.0, Poor),
                    (270.0, VeryPoor),
                    (271.0, ExtremelyPoor),
                ],
            ),
            (
                Quantity::No2,
                [(-2.0, Good), (11.0, Fair), (60.0, Moderate), (61.0, Poor), (150.0, VeryPoor), (151.0, ExtremelyPoor)],
            ),
        ] {
            for (value, level) in values {
                assert_eq!(AirQuality::of(quantity, value), Some(level), "{quantity:?} {value}");
            }
        }
        assert_eq!(AirQuality::of(Quantity::Noise, 60.0), None);
    }

    #[test]
    fn a_kerb_needs_no2_and_particles() {
        let no2 = (Quantity::No2, 70.0);
        let pm10 = (Quantity::Pm10, 20.0);
        assert_eq!(AirQuality::of_station(&[no2]), None);
        assert_eq!(AirQuality::of_station(&[pm10]), None);
        assert_eq!(AirQuality::of_station(&[no2, pm10]), Some((AirQuality::Poor, Quantity::No2)));
    }
}
