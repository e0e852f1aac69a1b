//! Whether what a station says of itself can be true, seen against what it said before and where we are.
//!
//! In: position, speed and time of verified messages. Out: yes or no. One memory of each signer, with a bound on how many.

use super::certificate::HashedId8;
use super::packet::Inside;
use super::region::{RegionPoint, distance_m};
use crate::geo::Wgs84;
use crate::time::Timestamp;
use lru::LruCache;
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;

/// Limits of what is believed (TS 103 759 clause 6: class 1 and 2 detectors).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlausibilityLimits {
    /// Fastest station, metres per second.
    pub speed_mps: f64,
    /// Farthest station that is heard without a forwarder, metres.
    pub range_m: f64,
    /// Jump of a position that is believed beyond what the speed allows, metres.
    pub jump_m: f64,
    /// How much earlier than the one before a message may be when no forwarder delayed it, seconds.
    pub disorder_s: f64,
}

impl Default for PlausibilityLimits {
    fn default() -> Self {
        Self { speed_mps: 100.0, range_m: 5_000.0, jump_m: 50.0, disorder_s: 1.0 }
    }
}

/// What signers said of themselves.
#[derive(Debug)]
pub(crate) struct Plausibility {
    limits: PlausibilityLimits,
    last: LruCache<HashedId8, (Timestamp, Wgs84)>,
}

impl Plausibility {
    pub(crate) fn new(limits: PlausibilityLimits, signers: NonZeroUsize) -> Self {
        Self { limits, last: LruCache::new(signers) }
    }

    /// Judges a verified message generated at `at` and heard at `receiver`, and remembers it when it can be true.
    pub(crate) fn believes(
        &mut self,
        signer: HashedId8,
        inside: &Inside<'_>,
        at: Timestamp,
        receiver: Option<Wgs84>,
    ) -> bool {
        let Inside { position, speed_mps, single_hop, .. } = *inside;
        let limits = self.limits;
        let metres = |from: Wgs84| distance_m(RegionPoint::of(from), RegionPoint::of(position));
        let on_earth = position.lat_deg.abs() <= 90.0 && position.lon_deg.abs() <= 180.0;
        let near = !single_hop || receiver.is_none_or(|receiver| metres(receiver) <= limits.range_m);
        let continues = self.last.get(&signer).is_none_or(|&(before, from)| {
            let elapsed_s = at.seconds_since(before);
            (!single_hop || elapsed_s >= -limits.disorder_s)
                && metres(from) <= limits.jump_m + limits.speed_mps * elapsed_s.abs()
        });
        let believed = on_earth && speed_mps.abs() <= limits.speed_mps && near && continues;
        if believed {
            self.last.put(signer, (at, position));
        }
        believed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_range_jump_and_order_have_limits() {
        let at = |lat_deg, lon_deg| Wgs84 { lat_deg, lon_deg, alt_m: 0.0 };
        let home = at(44.65, 10.93);
        let inside = |position, speed_mps, single_hop| Inside { position, speed_mps, single_hop, message: None };
        let ms = Timestamp::from_unix_ms;
        for (what, second, at_ms, believed) in [
            ("stays", inside(home, 0.0, true), 100, true),
            ("too fast", inside(home, 101.0, true), 100, false),
            ("56 m in 0.1 s", inside(at(44.650_5, 10.93), 20.0, true), 100, true),
            ("78 m in 0.1 s", inside(at(44.650_7, 10.93), 20.0, true), 100, false),
            ("78 m in 1 s", inside(at(44.650_7, 10.93), 20.0, true), 1000, true),
            ("out of range", inside(at(44.70, 10.93), 20.0, true), 60_000, false),
            ("far but forwarded", inside(at(44.70, 10.93), 20.0, false), 60_000, true),
            ("earlier", inside(home, 0.0, true), -1100, false),
            ("earlier but forwarded", inside(home, 0.0, false), -1100, true),
            ("nowhere", inside(at(90.0 + 1e-7, 10.93), 0.0, false), 100, false),
        ] {
            let mut plausibility = Plausibility::new(PlausibilityLimits::default(), NonZeroUsize::MIN);
            let signer = HashedId8([1; 8]);
            assert!(plausibility.believes(signer, &inside(home, 0.0, true), ms(0), Some(home)));
            assert_eq!(plausibility.believes(signer, &second, ms(at_ms), Some(home)), believed, "{what}");
        }
    }
}
