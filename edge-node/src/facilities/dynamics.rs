//! How far a station's movement has changed since its last message: the triggers that CAM and VAM share.

use crate::event::EgoState;
use masa_v2x_proto::geo::{Enu, SiteFrame};

/// What the triggers look at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dynamics {
    /// Position in the site frame.
    pub position: Enu,
    /// Direction of travel, degrees clockwise from north.
    pub heading_deg: Option<f64>,
    /// Speed over ground, m/s.
    pub speed_mps: Option<f64>,
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The heading, by more than 4°.
    Heading,
    /// The position, by more than 4 m.
    Position,
    /// The speed, by more than 0.5 m/s.
    Speed,
}

/// Heading change that triggers, degrees (EN 302 637-2 6.1.3, TS 103 300-3 6.4.1).
const HEADING_DEG: f64 = 4.0;
/// Position change that triggers, metres.
const POSITION_M: f64 = 4.0;
/// Speed change that triggers, m/s.
const SPEED_MPS: f64 = 0.5;

impl Dynamics {
    pub(crate) fn of(ego: &EgoState, frame: &SiteFrame) -> Self {
        Self { position: frame.to_enu(ego.position), heading_deg: ego.heading_deg, speed_mps: ego.speed_mps }
    }

    /// The first trigger that has fired since `last`; a value that either side lacks triggers nothing.
    pub fn change_since(&self, last: &Self) -> Option<Change> {
        let turned_deg = |a: f64, b: f64| ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs();
        if self.heading_deg.zip(last.heading_deg).is_some_and(|(now, then)| turned_deg(now, then) > HEADING_DEG) {
            return Some(Change::Heading);
        }
        if self.position.ground_distance_m(&last.position) > POSITION_M {
            return Some(Change::Position);
        }
        let changed = self.speed_mps.zip(last.speed_mps).is_some_and(|(now, then)| (now - then).abs() > SPEED_MPS);
        changed.then_some(Change::Speed)
    }
}

impl Change {
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Heading => "heading changed by more than 4°",
            Self::Position => "position changed by more than 4 m",
            Self::Speed => "speed changed by more than 0.5 m/s",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers_are_those_of_en_302_637_2_6_1_3() {
        let then = Dynamics { position: Enu::ground(0.0, 0.0), heading_deg: Some(359.0), speed_mps: Some(10.0) };
        let cases = [
            (0.0, Some(359.0), Some(10.0), None),
            (4.0, Some(3.0), Some(10.5), None),
            (0.0, Some(3.1), Some(10.0), Some(Change::Heading)),
            (0.0, Some(354.9), Some(10.0), Some(Change::Heading)),
            (4.01, Some(359.0), Some(10.0), Some(Change::Position)),
            (0.0, Some(359.0), Some(10.51), Some(Change::Speed)),
            (0.0, Some(359.0), Some(9.49), Some(Change::Speed)),
            (0.0, None, None, None),
        ];
        for (e_m, heading_deg, speed_mps, expected) in cases {
            let now = Dynamics { position: Enu::ground(e_m, 0.0), heading_deg, speed_mps };
            assert_eq!(now.change_since(&then), expected, "{e_m} m {heading_deg:?}° {speed_mps:?} m/s");
        }
    }
}
