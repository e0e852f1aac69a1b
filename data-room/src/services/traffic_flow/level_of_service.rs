//! Level of service from control delay: Highway Capacity Manual, 6th edition, exhibits 19-8 (signals), 20-2, 21-8 and 22-8
//! (two-way stop, all-way stop, roundabouts).

use super::settings::Control;
use serde::Serialize;

/// How well traffic flows for who drives in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum LevelOfService {
    /// Free.
    A,
    /// Reasonably free.
    B,
    /// Stable.
    C,
    /// Approaching unstable.
    D,
    /// Unstable.
    E,
    /// Broken down.
    F,
}

impl LevelOfService {
    /// Of a mean control delay, seconds a vehicle.
    pub fn of_delay(control: Control, delay_s: f64) -> Self {
        let limits_s = match control {
            Control::Signal => [10.0, 20.0, 35.0, 55.0, 80.0],
            Control::Priority => [10.0, 15.0, 25.0, 35.0, 50.0],
        };
        let levels = [Self::A, Self::B, Self::C, Self::D, Self::E];
        let level = levels.into_iter().zip(limits_s).find(|(_, limit_s)| delay_s <= *limit_s);
        level.map_or(Self::F, |(level, _)| level)
    }

    /// Its letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::E => "E",
            Self::F => "F",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_belong_to_the_better_level() {
        use LevelOfService::{A, B, C, D, E, F};
        for (delay_s, signal, priority) in [
            (0.0, A, A),
            (10.0, A, A),
            (10.1, B, B),
            (20.0, B, C),
            (25.1, C, D),
            (35.0, C, D),
            (50.1, D, F),
            (80.0, E, F),
            (80.1, F, F),
        ] {
            let levels = [Control::Signal, Control::Priority].map(|control| LevelOfService::of_delay(control, delay_s));
            assert_eq!(levels, [signal, priority], "{delay_s} s");
        }
    }
}
