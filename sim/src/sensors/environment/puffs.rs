//! Air over the network: what vehicles give off drifts with the wind and thins out as Gaussian puffs.
//!
//! A puff is what was given off within 10 m and 2 s. It drifts with the wind (never slower than 0.5 m/s, which stands for the
//! stirring of traffic) and widens as Briggs' urban curves for neutral air say (Pasquill D); a puff that is 4 minutes old is
//! background. Invariants: at most [`MOST`] puffs, of which the oldest go. Absent: chemistry, street canyons, deposition.

use super::source::{Emission, emission};
use crate::snapshot::Snapshot;
use crate::weather::Weather;
use nalgebra::{Point2, Vector2};
use std::collections::{BTreeMap, VecDeque};

/// Most puffs in the air.
pub(crate) const MOST: usize = 20_000;
const CELL_M: f64 = 10.0;
const EVERY_S: f64 = 2.0;
const LIFE_S: f64 = 240.0;
/// A puff begins as wide as the wake of a vehicle, and at this height, metres.
const WAKE_M: f64 = 2.5;
const SOURCE_M: f64 = 0.5;
const CALM_MPS: f64 = 0.5;

#[derive(Clone, Copy, Debug)]
struct Puff {
    born_s: f64,
    at: Point2<f64>,
    /// Way with the wind, metres.
    gone_m: f64,
    mass: Emission,
}

/// Air over the network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Puffs {
    puffs: VecDeque<Puff>,
    gathered: BTreeMap<(i64, i64), Emission>,
    gathered_since_s: f64,
    last_s: Option<f64>,
}

fn add(sum: &mut Emission, more: Emission, factor: f64) {
    sum.no2 += more.no2 * factor;
    sum.pm10 += more.pm10 * factor;
    sum.pm25 += more.pm25 * factor;
    sum.co2 += more.co2 * factor;
}

/// Velocity of the wind, metres a second.
fn wind(weather: &Weather) -> Vector2<f64> {
    let (sin, cos) = (weather.wind_from_deg + 180.0).to_radians().sin_cos();
    Vector2::new(sin, cos) * weather.wind_mps.max(CALM_MPS)
}

impl Puffs {
    /// Lets time pass up to a snapshot.
    pub(crate) fn step(&mut self, snapshot: &Snapshot) {
        let now_s = snapshot.time_s;
        let Some(last_s) = self.last_s.replace(now_s) else {
            self.gathered_since_s = now_s;
            return;
        };
        let step_s = (now_s - last_s).max(0.0);
        let way = wind(&snapshot.weather) * step_s;
        for puff in &mut self.puffs {
            puff.at += way;
            puff.gone_m += way.norm();
        }
        while self.puffs.pop_front_if(|puff| puff.born_s + LIFE_S < now_s).is_some() {}
        for actor in &snapshot.actors {
            let given = emission(actor.kind, actor.speed_mps, actor.acceleration_mps2);
            if given.co2 > 0.0 {
                let place = |v: f64| (v / CELL_M).floor() as i64;
                let cell = (place(actor.pose.position.x), place(actor.pose.position.y));
                add(self.gathered.entry(cell).or_default(), given, step_s);
            }
        }
        if now_s - self.gathered_since_s >= EVERY_S {
            self.gathered_since_s = now_s;
            for ((x, y), mass) in std::mem::take(&mut self.gathered) {
                let middle = |cell: i64| (cell as f64 + 0.5) * CELL_M;
                self.puffs.push_back(Puff { born_s: now_s, at: Point2::new(middle(x), middle(y)), gone_m: 0.0, mass });
            }
            while self.puffs.len() > MOST {
                self.puffs.pop_front();
            }
        }
    }

    /// What traffic adds to the air at a place and height: grams a cubic metre.
    pub(crate) fn concentration(&self, at: Point2<f64>, height_m: f64) -> Emission {
        let mut sum = Emission::default();
        for puff in &self.puffs {
            let distance_sq = (puff.at - at).norm_squared();
            let x = puff.gone_m;
            let level = WAKE_M.max(CELL_M / 3.0) + 0.16 * x / (1.0 + 0.0004 * x).sqrt();
            if distance_sq > 16.0 * level * level {
                continue;
            }
            let upright = WAKE_M + 0.14 * x / (1.0 + 0.0003 * x).sqrt();
            let side = |z: f64| (-z * z / (2.0 * upright * upright)).exp();
            let volume = (2.0 * std::f64::consts::PI).powf(1.5) * level * level * upright;
            let share = (-distance_sq / (2.0 * level * level)).exp() / volume;
            add(&mut sum, puff.mass, share * (side(height_m - SOURCE_M) + side(height_m + SOURCE_M)));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensors::gnss::tests::car;

    /// Air after ten minutes with `cars` cars on 200 m of road from west to east.
    fn street(cars: u32, weather: Weather) -> Puffs {
        let mut puffs = Puffs::default();
        let actors: Vec<_> =
            (0..cars).map(|i| car(f64::from(i) * 200.0 / f64::from(cars) - 100.0, 0.0, 10.0)).collect();
        for step in 0..600 {
            puffs.step(&Snapshot { time_s: f64::from(step), actors: actors.clone(), weather, ..Snapshot::default() });
        }
        puffs
    }

    #[test]
    fn air_is_worse_with_traffic_and_downwind_and_better_with_wind() {
        let north_wind = Weather { wind_from_deg: 0.0, ..Weather::default() };
        let puffs = street(20, north_wind);
        let at = |puffs: &Puffs, y: f64| puffs.concentration(Point2::new(0.0, y), 3.0).no2 * 1e6;
        let (south, north) = (at(&puffs, -15.0), at(&puffs, 15.0));
        // A street of 20 cars on 200 m adds tens of µg/m³ of NO2 at its kerb.
        assert!(south > 5.0 * north && (3.0..120.0).contains(&south), "{south} {north}");
        assert!(at(&puffs, -80.0) < 0.5 * south);
        let half = at(&street(10, north_wind), -15.0);
        assert!((half / south - 0.5).abs() < 0.05, "{half} {south}");
        let storm = at(&street(20, Weather { wind_mps: 10.0, ..north_wind }), -15.0);
        assert!(storm < 0.35 * south, "{storm} {south}");
    }

    #[test]
    fn mass_is_kept() {
        let puffs = street(20, Weather { wind_mps: 2.0, ..Weather::default() });
        // Sum over the air of all puffs against what was given off in their life.
        let mass: f64 = puffs.puffs.iter().map(|puff| puff.mass.co2).sum();
        let given = 20.0 * emission(crate::ActorKind::Car, 10.0, 0.0).co2 * LIFE_S;
        assert!((mass / given - 1.0).abs() < 0.03, "{mass} {given}");
    }
}
