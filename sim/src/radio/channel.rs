//! How much of a transmission arrives: path loss, buildings and vehicles between, shadowing, fading.
//!
//! In: antennas at a time. Out: mean powers by pair, and fading by message. Line of sight: two slopes (WINNER+ D5.3 B1 before
//! the break point of the two-ray model, which is that of the true heights, and fourth power behind it). Behind buildings:
//! 3GPP TR 37.885, table 6.2.1-1, urban NLOS. Behind tall vehicles: its NLOSv loss. Shadowing is log-normal and changes with
//! the way that both ends go (Gudmundson 1991); fading is Nakagami by distance. Absent: diffraction round given corners,
//! hills, Doppler.

use super::StationKey;
use crate::actor::{Actor, ActorKind};
use crate::buildings::Buildings;
use crate::random::Seed;
use crate::sensors::gnss::noise::gauss;
use nalgebra::{Point2, Point3};
use rand_distr::{Distribution, Gamma};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Propagation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelSettings {
    /// Carrier, gigahertz.
    pub frequency_ghz: f64,
    /// Deviation of shadowing in line of sight, decibels.
    pub shadow_los_db: f64,
    /// Deviation of shadowing behind buildings, decibels.
    pub shadow_nlos_db: f64,
    /// Way after which shadowing is another, metres.
    pub shadow_m: f64,
    /// Beyond this distance nothing arrives, metres.
    pub longest_m: f64,
    /// Noise figure of receivers, decibels.
    pub noise_figure_db: f64,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        Self {
            frequency_ghz: 5.9,
            shadow_los_db: 3.0,
            shadow_nlos_db: 4.0,
            shadow_m: 10.0,
            longest_m: 2_000.0,
            noise_figure_db: 9.0,
        }
    }
}

/// An antenna at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Antenna {
    pub(crate) key: StationKey,
    pub(crate) position: Point3<f64>,
    pub(crate) power_dbm: f64,
    pub(crate) gain_dbi: f64,
}

/// What lies between two antennas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Line,
    Vehicle,
    Building,
}

/// A link's mean power, and what it is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Mean {
    pub(crate) power_dbm: f64,
    sight: Sight,
    distance_m: f64,
}

#[derive(Clone, Debug)]
struct Shadow {
    luck: Pcg64Mcg,
    /// In deviations.
    value: f64,
    at: (Point3<f64>, Point3<f64>),
    used: u64,
}

/// Propagation in use.
#[derive(Debug)]
pub(crate) struct Channel {
    settings: ChannelSettings,
    seed: Seed,
    buildings: Buildings,
    shadows: BTreeMap<(StationKey, StationKey), Shadow>,
    /// Tall vehicles of the snapshot: footprint and height.
    tall: Vec<([Point2<f64>; 4], f64, StationKey)>,
    antennas: Vec<Antenna>,
    /// By transmitter and receiver; filled when first asked for.
    means: Vec<Option<Mean>>,
    round: u64,
}

/// Loss in line of sight, decibels.
pub(crate) fn los_loss_db(distance_m: f64, heights_m: (f64, f64), frequency_ghz: f64) -> f64 {
    let near = |d: f64| 22.7 * d.log10() + 41.0 + 20.0 * (frequency_ghz / 5.0).log10();
    let distance_m = distance_m.max(3.0);
    let break_m = (4.0 * heights_m.0 * heights_m.1 * frequency_ghz / 0.299_792_458).max(3.0);
    if distance_m <= break_m { near(distance_m) } else { near(break_m) + 40.0 * (distance_m / break_m).log10() }
}

/// Loss behind buildings, decibels.
pub(crate) fn nlos_loss_db(distance_m: f64, frequency_ghz: f64) -> f64 {
    36.85 + 30.0 * distance_m.max(3.0).log10() + 18.9 * frequency_ghz.log10()
}

/// Links that were not asked for in so many steps are forgotten.
const FORGET_AFTER: u64 = 100;

impl Channel {
    pub(crate) fn new(settings: ChannelSettings, buildings: Buildings, seed: Seed) -> Self {
        let (shadows, round) = (BTreeMap::new(), 0);
        Self { settings, seed, buildings, shadows, tall: Vec::new(), antennas: Vec::new(), means: Vec::new(), round }
    }

    /// Power of noise in 10 MHz, dBm.
    pub(crate) fn noise_dbm(&self) -> f64 {
        -174.0 + 70.0 + self.settings.noise_figure_db
    }

    /// Moves antennas and vehicles; antennas are ordered by key.
    pub(crate) fn place(&mut self, antennas: &[Antenna], actors: &[Actor]) {
        self.round += 1;
        self.antennas.clear();
        self.antennas.extend_from_slice(antennas);
        self.means.clear();
        self.means.resize(antennas.len() * antennas.len(), None);
        self.tall.clear();
        let tall = |kind| matches!(kind, ActorKind::Van | ActorKind::Truck | ActorKind::Bus | ActorKind::Tram);
        self.tall.extend(
            actors
                .iter()
                .filter(|actor| tall(actor.kind))
                .map(|actor| (actor.footprint(), actor.size.height_m, StationKey::Actor(actor.id))),
        );
        if self.round.is_multiple_of(FORGET_AFTER) {
            let round = self.round;
            self.shadows.retain(|_, shadow| shadow.used + FORGET_AFTER >= round);
        }
    }

    /// Mean power of a transmitter at a receiver, by their places among the antennas; `None` out of reach.
    pub(crate) fn mean(&mut self, from: usize, to: usize) -> Option<Mean> {
        let at = from * self.antennas.len() + to;
        if self.means[at].is_none() {
            let (a, b) = (self.antennas[from], self.antennas[to]);
            let distance_m = (b.position - a.position).norm();
            if distance_m > self.settings.longest_m {
                return None;
            }
            let sight = self.sight(&a, &b);
            let loss_db = self.loss_db(&a, &b, sight, distance_m);
            // The way is the same in both directions, the transmitters may differ.
            for (at, power_dbm) in [(at, a.power_dbm), (to * self.antennas.len() + from, b.power_dbm)] {
                let power_dbm = power_dbm + a.gain_dbi + b.gain_dbi - loss_db;
                self.means[at] = Some(Mean { power_dbm, sight, distance_m });
            }
        }
        self.means[at]
    }

    fn sight(&self, a: &Antenna, b: &Antenna) -> Sight {
        let level = (b.position.xy() - a.position.xy()).norm().max(1e-9);
        let rise = (b.position.z - a.position.z) / level;
        let mut hits = Vec::new();
        let height_at = |d: f64| a.position.z + rise * d;
        if self.buildings.first(a.position.xy(), b.position.xy(), &mut hits, height_at).is_some() {
            return Sight::Building;
        }
        let between = |(corners, height_m, key): &([Point2<f64>; 4], f64, StationKey)| {
            *key != a.key && *key != b.key && {
                let at = entry(corners, a.position.xy(), b.position.xy());
                at.is_some_and(|share| height_at(share * level) < *height_m)
            }
        };
        if self.tall.iter().any(between) { Sight::Vehicle } else { Sight::Line }
    }

    fn loss_db(&mut self, a: &Antenna, b: &Antenna, sight: Sight, distance_m: f64) -> f64 {
        let los = los_loss_db(distance_m, (a.position.z, b.position.z), self.settings.frequency_ghz);
        let shadow = self.shadow(a, b);
        let (los_db, nlos_db) = (self.settings.shadow_los_db * shadow, self.settings.shadow_nlos_db * shadow);
        match sight {
            Sight::Line => los + los_db,
            // Table 6.2.1-1 adds 5 dB and more from 540 m on, spread by 4 dB; never a gain.
            Sight::Vehicle => los + (5.0 + (15.0 * distance_m.log10() - 41.0).max(0.0) + nlos_db).max(0.0),
            Sight::Building => los.max(nlos_loss_db(distance_m, self.settings.frequency_ghz)) + nlos_db,
        }
    }

    /// Shadowing of a pair in deviations; the same in both directions.
    fn shadow(&mut self, a: &Antenna, b: &Antenna) -> f64 {
        let (a, b) = if a.key <= b.key { (a, b) } else { (b, a) };
        let (seed, round, shadow_m) = (self.seed, self.round, self.settings.shadow_m);
        let shadow = self.shadows.entry((a.key, b.key)).or_insert_with(|| {
            let mut luck = seed.stream("shadowing", a.key.number() << 32 | b.key.number());
            Shadow { value: gauss(&mut luck), luck, at: (a.position, b.position), used: round }
        });
        let way = (a.position - shadow.at.0).norm() + (b.position - shadow.at.1).norm();
        if way > 0.0 {
            let keep = (-way / shadow_m).exp();
            shadow.value = keep * shadow.value + (1.0 - keep * keep).sqrt() * gauss(&mut shadow.luck);
            shadow.at = (a.position, b.position);
        }
        shadow.used = round;
        shadow.value
    }
}

impl Mean {
    /// Power of one message, with fading, dBm.
    pub(crate) fn faded_dbm(&self, luck: &mut Pcg64Mcg) -> f64 {
        // Nakagami's shape as measured between vehicles: 3 near, 1.5 farther, Rayleigh where nothing is in sight.
        let shape = match self.sight {
            Sight::Building => 1.0,
            _ if self.distance_m < 50.0 => 3.0,
            _ if self.distance_m < 150.0 => 1.5,
            _ => 1.0,
        };
        let gain: f64 = Gamma::new(shape, 1.0 / shape).expect("shape and scale are above zero").sample(luck);
        self.power_dbm + 10.0 * gain.max(1e-9).log10()
    }
}

/// Where a line enters a footprint, as a share of the line.
fn entry(corners: &[Point2<f64>; 4], a: Point2<f64>, b: Point2<f64>) -> Option<f64> {
    let way = b - a;
    let crossing = |i: usize| {
        let (p, s) = (corners[i], corners[(i + 1) % 4] - corners[i]);
        let cross = way.x * s.y - way.y * s.x;
        let to = p - a;
        let (t, u) = ((to.x * s.y - to.y * s.x) / cross, (to.x * way.y - to.y * way.x) / cross);
        ((0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u)).then_some(t)
    };
    (0..4).filter_map(crossing).min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roads::Building;
    use crate::sensors::gnss::tests::car;

    fn antenna(number: u32, x: f64, y: f64) -> Antenna {
        Antenna { key: StationKey::Fixed(number), position: Point3::new(x, y, 1.5), power_dbm: 23.0, gain_dbi: 0.0 }
    }

    fn still() -> ChannelSettings {
        ChannelSettings { shadow_los_db: 0.0, shadow_nlos_db: 0.0, ..ChannelSettings::default() }
    }

    #[test]
    fn loss_has_two_slopes_and_more_behind_houses_and_buses() {
        // 87.8 dB at 100 m, 4th power behind 177 m.
        assert!((los_loss_db(100.0, (1.5, 1.5), 5.9) - 87.84).abs() < 0.01);
        assert!((los_loss_db(800.0, (1.5, 1.5), 5.9) - los_loss_db(400.0, (1.5, 1.5), 5.9) - 12.04).abs() < 0.01);
        assert!((nlos_loss_db(100.0, 5.9) - 111.42).abs() < 0.01);
        let corners = [(40.0, -5.0), (50.0, -5.0), (50.0, 5.0), (40.0, 5.0)].map(|(x, y)| Point2::new(x, y));
        let house = Building { outline: corners.to_vec(), height_m: 9.0 };
        let mut channel = Channel::new(still(), Buildings::new(&[house]), Seed(1));
        let mut bus = car(50.0, 20.0, 0.0);
        (bus.kind, bus.size) = (ActorKind::Bus, ActorKind::Bus.usual_size());
        channel.place(
            &[antenna(0, 0.0, 0.0), antenna(1, 100.0, 0.0), antenna(2, 0.0, 20.0), antenna(3, 100.0, 20.0)],
            &[bus],
        );
        let power = |channel: &mut Channel, a, b| channel.mean(a, b).unwrap().power_dbm;
        assert!((power(&mut channel, 0, 1) - (23.0 - 111.42)).abs() < 0.01);
        assert_eq!(power(&mut channel, 0, 1), power(&mut channel, 1, 0));
        assert!((power(&mut channel, 2, 3) - (23.0 - 87.84 - 5.0)).abs() < 0.01);
        assert!((power(&mut channel, 0, 2) - (23.0 - los_loss_db(20.0, (1.5, 1.5), 5.9))).abs() < 0.01);
    }

    #[test]
    fn shadowing_is_kept_on_the_spot_and_lost_with_the_way() {
        let mut channel = Channel::new(ChannelSettings::default(), Buildings::default(), Seed(1));
        let mut values = Vec::new();
        for step in 0..40_000 {
            channel.place(&[antenna(0, 0.0, 0.0), antenna(1, 100.0 + f64::from(step % 2), 0.0)], &[]);
            values.push(
                channel.mean(0, 1).unwrap().power_dbm - 23.0
                    + los_loss_db(100.0 + f64::from(step % 2), (1.5, 1.5), 5.9),
            );
        }
        let mean = |lag: usize| {
            values.iter().zip(&values[lag..]).map(|(a, b)| a * b).sum::<f64>() / (values.len() - lag) as f64
        };
        assert!((mean(0).sqrt() - 3.0).abs() < 0.3, "{}", mean(0).sqrt());
        // 1 m a step against 10 m.
        assert!((mean(10) / mean(0) - (-1f64).exp()).abs() < 0.08, "{}", mean(10) / mean(0));
        channel.place(&[antenna(0, 0.0, 0.0), antenna(1, 101.0, 0.0)], &[]);
        let once = channel.mean(0, 1);
        channel.place(&[antenna(0, 0.0, 0.0), antenna(1, 101.0, 0.0)], &[]);
        assert_eq!(once, channel.mean(0, 1));
    }

    #[test]
    fn fading_keeps_the_mean_power() {
        let mean = Mean { power_dbm: -70.0, sight: Sight::Building, distance_m: 80.0 };
        let mut luck = Seed(2).stream("t", 0);
        let drawn: Vec<f64> = (0..20_000).map(|_| 10f64.powf((mean.faded_dbm(&mut luck) + 70.0) / 10.0)).collect();
        let average = drawn.iter().sum::<f64>() / drawn.len() as f64;
        assert!((average - 1.0).abs() < 0.03, "{average}");
        // Rayleigh: a tenth of the power or less in 1 − e^(−0.1) of all cases.
        let deep = drawn.iter().filter(|gain| **gain < 0.1).count() as f64 / drawn.len() as f64;
        assert!((deep - 0.095).abs() < 0.01, "{deep}");
    }
}
