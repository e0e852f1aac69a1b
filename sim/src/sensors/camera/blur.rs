//! Motion during the exposure.
//!
//! In: what each pixel shows (depth, actor), where the camera and the actors are and were. Out: how far the picture of each pixel
//! moves while the shutter is open; light is spread along that way, about the middle of the exposure. Invariants: light that stays
//! in the picture is kept; what does not move is not touched unless something moves over it. Absent: turning of actors, wheels and
//! limbs.

use super::light::Rgb;
use super::mesh::V3;
use super::view::{Rays, View};
use super::{Frame, Snapshot};
use nalgebra::Vector3;

/// Longest way, pixels.
const MOST_PX: f32 = 64.0;
/// Shorter ways do not show, pixels.
const LEAST_PX: f32 = 0.5;
/// Distance of the sky, metres: it moves with the camera's turning only.
const SKY_M: f32 = 1e4;

/// The way of each pixel in `exposure_s`, pixels; `view` is in the middle of it, `before` at its beginning.
pub(super) fn ways(
    frame: &Frame,
    snapshot: &Snapshot,
    rays: &Rays,
    view: &View,
    before: &View,
    exposure_s: f32,
) -> Vec<[f32; 2]> {
    let width = frame.size_px[0] as usize;
    let is_still = view.position == before.position && view.rotation == before.rotation;
    let way = |at: usize| {
        let actor = Some(frame.instance[at]).filter(|id| *id != 0);
        if actor.is_none() && is_still {
            return [0.0; 2];
        }
        let (x, y) = ((at % width) as f32 + 0.5, (at / width) as f32 + 0.5);
        let place = rays.at(x, y) * frame.depth_m[at].min(SKY_M);
        let moved = actor.and_then(|id| snapshot.actor(super::ActorId(id))).map_or(Vector3::zeros(), |actor| {
            let (sin, cos) = actor.pose.yaw_rad.sin_cos();
            Vector3::new(cos, sin, 0.0) * actor.speed_mps
        });
        let moved = V3::new(moved.x as f32, moved.y as f32, moved.z as f32) * (0.5 * exposure_s);
        let seen = before.to_camera(view.position + view.to_world(place) - moved);
        if seen.z < super::NEAR_M as f32 {
            return [0.0; 2];
        }
        let (now, then) = (view.projector.project(place), before.projector.project(seen));
        // From the beginning to the middle, in samples: as many pixels are the whole way.
        let way = [now[0] - then[0], now[1] - then[1]].map(|half| 2.0 * half / super::raster::SAMPLES as f32);
        let length = way[0].hypot(way[1]);
        let share = if length < LEAST_PX { 0.0 } else { (MOST_PX / length).min(1.0) };
        way.map(|v| v * share)
    };
    (0..frame.instance.len()).map(way).collect()
}

/// Spreads the light of each pixel along its way.
pub(super) fn smear(linear: &mut [Rgb], width: usize, ways: &[[f32; 2]]) {
    if ways.iter().all(|way| *way == [0.0; 2]) {
        return;
    }
    let height = linear.len() / width;
    // Light and share of a pixel's time that something moving was there.
    let mut spread = vec![([0.0f32; 3], 0.0f32); linear.len()];
    for (at, way) in ways.iter().enumerate().filter(|(_, way)| **way != [0.0; 2]) {
        let steps = way[0].hypot(way[1]).ceil().max(1.0);
        let (x, y) = ((at % width) as f32, (at / width) as f32);
        for step in 0..steps as usize {
            let t = (step as f32 + 0.5) / steps - 0.5;
            let (x, y) = ((x + way[0] * t).round(), (y + way[1] * t).round());
            if (0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y) {
                let (light, time) = &mut spread[y as usize * width + x as usize];
                (0..3).for_each(|i| light[i] += linear[at][i] / steps);
                *time += 1.0 / steps;
            }
        }
    }
    let sharp = linear.to_vec();
    for (at, (light, time)) in spread.iter().enumerate().filter(|(_, (_, time))| *time > 0.0) {
        let (share, way) = (time.min(1.0), ways[at]);
        // What a moving body uncovers is like what stands still at the ends of its way.
        let end = |side: f32| {
            let step = way.map(|v| side * (0.5 * v + v.signum()));
            let (x, y) = ((at % width) as f32 + step[0].round(), (at / width) as f32 + step[1].round());
            let inside = (0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y);
            inside.then(|| y as usize * width + x as usize).filter(|end| ways[*end] == [0.0; 2])
        };
        let behind = if way == [0.0; 2] { at } else { end(1.0).or_else(|| end(-1.0)).unwrap_or(at) };
        linear[at] = std::array::from_fn(|i| light[i] / time * share + sharp[behind][i] * (1.0 - share));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moving_spot_becomes_a_streak_as_long_as_its_way_and_nothing_else_changes() {
        let mut linear = vec![[0.0f32; 3]; 40 * 3];
        linear[40 + 20] = [8.0; 3];
        let mut ways = vec![[0.0; 2]; 40 * 3];
        ways[40 + 20] = [8.0, 0.0];
        smear(&mut linear, 40, &ways);
        let lit: Vec<usize> = (0..linear.len()).filter(|at| linear[*at][0] > 0.1).collect();
        assert!(lit.iter().all(|at| (56..=64).contains(at)), "{lit:?}");
        assert!((7..=9).contains(&lit.len()), "{lit:?}");
        let brightest = linear.iter().map(|c| c[0]).fold(0.0, f32::max);
        assert!(brightest < 2.5, "{brightest}");
    }

    #[test]
    fn what_leaves_the_picture_is_no_error() {
        let mut linear = vec![[1.0f32; 3]; 16];
        smear(&mut linear, 4, &[[64.0, -64.0]; 16]);
        assert!(linear.iter().flatten().all(|v| v.is_finite() && *v <= 1.0 + 1e-6), "{linear:?}");
    }
}
