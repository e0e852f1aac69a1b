//! What a vehicle gives off: exhaust, abrasion, sound.
//!
//! Exhaust and abrasion are fleet means by kind (order of EMEP/EEA guidebook 2019 Tier 2, 1.A.3.b; abrasion Tier 1 of 1.A.3.b.vi)
//! stretched by speed and acceleration; sound is CNOSSOS-EU's (Directive (EU) 2015/996, annex, table F-1) by octave band.

use crate::actor::ActorKind;

/// What is given off in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Emission {
    /// Nitrogen dioxide that leaves the exhaust or forms within the street, grams a second.
    pub(crate) no2: f64,
    /// Particles up to 10 µm, grams a second.
    pub(crate) pm10: f64,
    /// Particles up to 2.5 µm, grams a second.
    pub(crate) pm25: f64,
    /// Carbon dioxide, grams a second.
    pub(crate) co2: f64,
}

/// Grams a kilometre at 50 km/h: NO2, PM10, PM2.5, CO2; and idling as grams of CO2 a second.
struct Factors {
    no2: f64,
    pm10: f64,
    pm25: f64,
    co2: f64,
    idle_co2: f64,
}

const fn factors(kind: ActorKind) -> Option<Factors> {
    Some(match kind {
        ActorKind::Car => Factors { no2: 0.12, pm10: 0.030, pm25: 0.018, co2: 160.0, idle_co2: 0.6 },
        ActorKind::Van => Factors { no2: 0.30, pm10: 0.045, pm25: 0.028, co2: 230.0, idle_co2: 0.8 },
        ActorKind::Truck => Factors { no2: 0.55, pm10: 0.120, pm25: 0.070, co2: 700.0, idle_co2: 1.8 },
        ActorKind::Bus => Factors { no2: 0.60, pm10: 0.110, pm25: 0.065, co2: 850.0, idle_co2: 2.0 },
        ActorKind::Motorcycle => Factors { no2: 0.02, pm10: 0.015, pm25: 0.010, co2: 95.0, idle_co2: 0.25 },
        _ => return None,
    })
}

/// What a vehicle gives off. Electric ones are not told apart.
pub(crate) fn emission(kind: ActorKind, speed_mps: f64, acceleration_mps2: f64) -> Emission {
    let Some(at_50) = factors(kind) else { return Emission::default() };
    let kilometres_per_s = speed_mps.abs() / 1000.0;
    // Work against inertia: fuel goes up with v·a, and nothing is burnt while the vehicle pushes the engine.
    let load = (1.0 + 0.09 * speed_mps.abs() * acceleration_mps2).clamp(0.15, 4.0);
    let drag = 0.85 + 0.15 * (speed_mps / 13.9).powi(2);
    let co2 = at_50.idle_co2.max(at_50.co2 * kilometres_per_s * load * drag);
    let burnt = co2 / at_50.co2;
    // Brakes and tyres: about half of PM10 and a third of PM2.5 at 50 km/h; brakes more when used.
    let braking = 1.0 + 1.5 * (-acceleration_mps2).clamp(0.0, 4.0);
    Emission {
        no2: at_50.no2 * burnt,
        pm10: at_50.pm10 * (0.4 * burnt + 0.6 * kilometres_per_s * braking),
        pm25: at_50.pm25 * (0.65 * burnt + 0.35 * kilometres_per_s * braking),
        co2,
    }
}

/// Octave bands from 63 Hz to 8 kHz.
const BANDS: usize = 8;
/// A-weighting of the bands, decibels (IEC 61672-1).
const A_WEIGHTING: [f64; BANDS] = [-26.2, -16.1, -8.6, -3.2, 0.0, 1.2, 1.0, -1.1];

/// Sound power of a vehicle at 70 km/h and how it changes with speed: rolling and propulsion.
struct Sound {
    rolling: [f64; BANDS],
    rolling_slope: [f64; BANDS],
    propulsion: [f64; BANDS],
    propulsion_slope: [f64; BANDS],
}

const LIGHT: Sound = Sound {
    rolling: [79.7, 85.7, 84.5, 90.2, 97.3, 93.9, 84.1, 74.3],
    rolling_slope: [30.0, 41.5, 38.9, 25.7, 32.5, 37.2, 39.0, 40.0],
    propulsion: [94.5, 89.2, 88.0, 85.9, 84.2, 86.9, 83.3, 76.1],
    propulsion_slope: [-1.3, 7.2, 7.7, 8.0, 8.0, 8.0, 8.0, 8.0],
};
const MEDIUM: Sound = Sound {
    rolling: [84.0, 88.7, 91.5, 96.7, 97.4, 90.9, 83.8, 80.5],
    rolling_slope: [30.0, 35.8, 32.6, 23.8, 30.1, 36.2, 38.3, 40.1],
    propulsion: [101.0, 96.5, 98.8, 96.8, 98.6, 95.2, 88.8, 82.7],
    propulsion_slope: [-1.9, 4.7, 6.4, 6.5, 6.5, 6.5, 6.5, 6.5],
};
const HEAVY: Sound = Sound {
    rolling: [87.0, 91.7, 94.1, 100.7, 100.8, 94.3, 87.1, 82.5],
    rolling_slope: [30.0, 33.5, 31.3, 25.4, 31.8, 37.1, 38.6, 40.6],
    propulsion: [104.4, 100.6, 101.7, 101.0, 100.1, 95.9, 91.3, 85.3],
    propulsion_slope: [0.0, 3.0, 4.6, 5.0, 5.0, 5.0, 5.0, 5.0],
};
/// Two wheels have propulsion noise only.
const MOTORCYCLE: Sound = Sound {
    rolling: [0.0; BANDS],
    rolling_slope: [0.0; BANDS],
    propulsion: [95.0, 97.2, 92.7, 92.9, 94.7, 93.2, 90.1, 86.5],
    propulsion_slope: [3.2, 5.9, 11.9, 11.6, 11.5, 12.6, 11.1, 12.0],
};

/// A-weighted sound power of a vehicle, dB re 1 pW; `None` for what is not heard.
pub(crate) fn sound_power_dba(kind: ActorKind, speed_mps: f64) -> Option<f64> {
    let sound = match kind {
        ActorKind::Car => LIGHT,
        ActorKind::Van => MEDIUM,
        ActorKind::Truck | ActorKind::Bus | ActorKind::Tram => HEAVY,
        ActorKind::Motorcycle => MOTORCYCLE,
        _ => return None,
    };
    // The method holds from 20 to 130 km/h; below, only rolling falls on.
    let kmh = speed_mps.abs() * 3.6;
    let share = kmh.clamp(20.0, 130.0) / 70.0;
    let rolls = kmh > 1.0;
    let mut sum = 0.0;
    for band in 0..BANDS {
        let rolling = sound.rolling[band] + sound.rolling_slope[band] * (kmh.clamp(1.0, 130.0) / 70.0).log10();
        let propulsion = sound.propulsion[band] + sound.propulsion_slope[band] * (share - 1.0);
        let rolling = if rolls && sound.rolling[band] > 0.0 { 10f64.powf(rolling / 10.0) } else { 0.0 };
        sum += (rolling + 10f64.powf(propulsion / 10.0)) * 10f64.powf(A_WEIGHTING[band] / 10.0);
    }
    Some(10.0 * sum.log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_is_that_of_cnossos() {
        // From the table at 70 km/h, summed over the bands outside of this program: 100.42 and 106.82 dB(A).
        let car = sound_power_dba(ActorKind::Car, 70.0 / 3.6).unwrap();
        assert!((car - 100.42).abs() < 0.01, "{car}");
        let truck = sound_power_dba(ActorKind::Truck, 70.0 / 3.6).unwrap();
        assert!((truck - 106.82).abs() < 0.01, "{truck}");
        let slow = sound_power_dba(ActorKind::Car, 30.0 / 3.6).unwrap();
        assert!((slow - 90.36).abs() < 0.01, "{slow}");
        assert_eq!(sound_power_dba(ActorKind::Adult, 1.0), None);
    }

    #[test]
    fn accelerating_and_braking_cost() {
        let at = |acceleration| emission(ActorKind::Car, 10.0, acceleration);
        assert!(at(1.5).co2 > 2.0 * at(0.0).co2 && at(1.5).no2 > 2.0 * at(0.0).no2);
        assert!(at(-2.0).co2 < at(0.0).co2 && at(-2.0).pm10 > at(0.0).pm10);
        // 160 g/km at 50 km/h; a standing car idles.
        let cruising = emission(ActorKind::Car, 13.9, 0.0).co2;
        assert!((cruising - 160.0 * 0.0139).abs() < 0.01, "{cruising}");
        assert_eq!(emission(ActorKind::Car, 0.0, 0.0).co2, 0.6);
        assert_eq!(emission(ActorKind::Bicycle, 5.0, 0.0), Emission::default());
    }
}
