//! How long queues are.
//!
//! In: everybody on the road, once a second. Out: the longest queue on a lane. As with SUMO's e2 detectors, a vehicle is
//! in a queue that has been slower than 5 km/h for a second and stands less than 10 m behind the one ahead; the queue is
//! as long as from the front of its first to the rear of its last vehicle.

use super::settings::ApproachSettings;
use crate::services::class::RoadUserClass;
use crate::services::road_users::RoadUser;
use masa_v2x_proto::time::Timestamp;
use serde::Serialize;

/// Vehicles that halt for so long are in a queue, milliseconds.
const HALTS_MS: i64 = 1_000;
/// Furthest from the rear of the one ahead, metres.
const MAX_GAP_M: f64 = 10.0;

/// A queue at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Queue {
    /// Vehicles in it.
    pub vehicles: u32,
    /// Its length, metres.
    pub length_m: f64,
}

/// The longest queue on an approach.
pub(crate) fn longest<'a>(
    approach: &ApproachSettings,
    road_users: impl Iterator<Item = &'a RoadUser>,
    now: Timestamp,
) -> Queue {
    let halting = road_users.filter(|user| user.halts(now, HALTS_MS) && user.class() != RoadUserClass::Pedestrian);
    // Front and rear of each, from the stop line.
    let mut vehicles: Vec<[f64; 2]> = halting
        .filter_map(|user| {
            let [along_m, away_m] = approach.way_m.project_m(user.place);
            let half_m = user.length_m / 2.0;
            (away_m <= approach.width_m / 2.0).then_some([along_m - half_m, along_m + half_m])
        })
        .collect();
    vehicles.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut longest = Queue::default();
    let mut begin = 0;
    for (place, vehicle) in vehicles.iter().enumerate() {
        if place > 0 && vehicle[0] - vehicles[place - 1][1] >= MAX_GAP_M {
            begin = place;
        }
        let count = u32::try_from(place - begin + 1).unwrap_or(u32::MAX);
        if count > longest.vehicles {
            longest = Queue { vehicles: count, length_m: vehicle[1] - vehicles[begin][0] };
        }
    }
    longest
}
