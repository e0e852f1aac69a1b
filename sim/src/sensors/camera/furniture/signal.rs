//! Signals and signs: posts, housings, plates, and where their lenses are.

use super::super::material::{Finish, Material, Semantic};
use super::super::mesh::{Builder, Detail, V3, v3};
use super::super::scene::{Scene, outer_driving_lane};
use super::{steel, turned};
use crate::roads::{EdgeKind, LaneKind, RightOfWay, Roads, SignalId};
use nalgebra::Vector2;
use std::f32::consts::TAU;

/// A signal's lenses in their place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignalHead {
    pub(crate) controller: SignalId,
    pub(crate) link: u16,
    /// Middle of the housing.
    pub(crate) at: V3,
    /// Unit vectors: out of the lenses, and to the left of who looks at them.
    pub(crate) facing: V3,
    pub(crate) left: V3,
    /// Red and green figures only.
    pub(crate) for_people: bool,
}

/// Radius of a lens and distance between lenses, metres.
pub(crate) const LENS_M: f32 = 0.11;
pub(crate) const LENS_STEP_M: f32 = 0.30;

/// Signals over and beside their stop lines.
pub(super) fn signals(scene: &mut Scene, roads: &Roads) {
    let mut b = Builder::new(Detail::Near);
    let black = Material::new([30, 33, 32], Finish::Matte).of(Semantic::Signal);
    b.cuboid(V3::zeros(), v3(0.22, 0.30, 0.98), black);
    for k in -1..=1 {
        // Hoods over the lenses.
        let z = k as f32 * LENS_STEP_M + 0.12;
        b.sheet([v3(0.11, -0.13, z), v3(0.11, 0.13, z), v3(0.27, 0.11, z - 0.02), v3(0.27, -0.11, z - 0.02)], black);
    }
    let housing = scene.add_mesh(b.build());
    let mut b = Builder::new(Detail::Near);
    b.cuboid(V3::zeros(), v3(0.20, 0.28, 0.66), black);
    let small = scene.add_mesh(b.build());
    let mut b = Builder::new(Detail::Near);
    b.tube(V3::zeros(), v3(0.0, 0.0, 3.5), 0.065, 0.055, 7, steel().times(0.8));
    let post = scene.add_mesh(b.build());
    for edge in &roads.edges {
        if edge.kind == EdgeKind::Crossing {
            crossing_heads(scene, roads, edge, small, post);
            continue;
        }
        let lanes: Vec<_> = edge.lanes.iter().map(|id| roads.lane(*id)).collect();
        let signalled = |lane: &crate::roads::Lane| {
            let links = lane.links.iter().map(|id| roads.link(*id));
            let mut signals: Vec<_> =
                links.filter_map(|link| link.signal.map(|s| (link.turn != crate::roads::Turn::Straight, s))).collect();
            signals.sort_by_key(|s| s.0);
            signals.first().map(|s| s.1)
        };
        let vehicle: Vec<_> = lanes
            .iter()
            .filter(|lane| edge.kind == EdgeKind::Road && matches!(lane.kind, LaneKind::Driving | LaneKind::Bicycle))
            .filter_map(|lane| signalled(lane).map(|s| (*lane, s)))
            .collect();
        let Some((outer, first)) = vehicle.first() else { continue };
        let Some(end) = outer.centre.at(outer.centre.length_m()) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let yaw = end.yaw_rad;
        let out = Vector2::new(-yaw.sin(), yaw.cos()) * side;
        let spot = (0..8)
            .map(|k| end.point.xy() + out * (outer.width_m / 2.0 + 0.5 + 0.4 * f64::from(k)))
            .map(|p| v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0))
            .find(|p| scene.ground.distances(p.x, p.y).0 > 0.35);
        let fallback = end.point.xy() + out * (outer.width_m / 2.0 + 0.9);
        let at = spot.unwrap_or(v3((fallback.x - scene.origin.x) as f32, (fallback.y - scene.origin.y) as f32, 0.0));
        scene.place([post; 2], turned(0.0, at, 1.0), f32::MAX, true);
        let back = yaw as f32 + std::f32::consts::PI;
        let facing = v3(back.cos(), back.sin(), 0.0);
        let hang = |scene: &mut Scene, at: V3, (controller, link): (SignalId, u16)| {
            scene.place([housing; 2], turned(back, at, 1.0), f32::MAX, true);
            let left = v3(facing.y, -facing.x, 0.0);
            scene.heads.push(SignalHead { controller, link, at, facing, left, for_people: false });
        };
        hang(scene, at + v3(0.0, 0.0, 2.95) + facing * 0.14, *first);
        if vehicle.len() > 1 {
            // An arm over the road with a head for each lane.
            let inner = vehicle[vehicle.len() - 1].0;
            let Some(far) = inner.centre.at(inner.centre.length_m()) else { continue };
            let tip = scene.local(nalgebra::Point3::new(far.point.x, far.point.y, scene.origin.z));
            let top = v3(0.0, 0.0, 5.9);
            let mut b = Builder::new(Detail::Near);
            b.tube(at, at + top, 0.09, 0.075, 7, steel().times(0.8));
            b.tube(at + top - v3(0.0, 0.0, 0.1), tip + top, 0.06, 0.045, 6, steel().times(0.8));
            scene.place_alone(b.build(), true);
            for (lane, signal) in &vehicle {
                if let Some(over) = lane.centre.at(lane.centre.length_m()) {
                    let over = scene.local(nalgebra::Point3::new(over.point.x, over.point.y, scene.origin.z));
                    hang(scene, over + v3(0.0, 0.0, 5.45) + facing * 0.1, *signal);
                }
            }
        }
    }
}

fn crossing_heads(scene: &mut Scene, roads: &Roads, edge: &crate::roads::Edge, housing: u32, post: u32) {
    for lane in edge.lanes.iter().map(|id| roads.lane(*id)) {
        // The link that leads onto the crossing carries its signal.
        let signal = roads
            .links
            .iter()
            .find_map(|link| (roads.lane(link.to).edge == lane.edge).then_some(link.signal).flatten());
        let Some((controller, link)) = signal else { continue };
        for (s, turn) in [(0.0, 1.0f32), (lane.centre.length_m(), -1.0)] {
            let Some(end) = lane.centre.at(s) else { continue };
            let out = Vector2::new(-end.yaw_rad.sin(), end.yaw_rad.cos()) * (lane.width_m / 2.0 + 0.4);
            let away = Vector2::new(end.yaw_rad.cos(), end.yaw_rad.sin()) * f64::from(-turn) * 0.5;
            let p = end.point.xy() + out + away;
            let at = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
            let facing = v3(end.yaw_rad.cos() as f32, end.yaw_rad.sin() as f32, 0.0) * turn;
            scene.place([post; 2], turned(0.0, at, 0.8), f32::MAX, true);
            let head = at + v3(0.0, 0.0, 2.35) + facing * 0.13;
            scene.place([housing; 2], turned(facing.y.atan2(facing.x), head, 1.0), f32::MAX, true);
            scene.heads.push(SignalHead {
                controller,
                link,
                at: head,
                facing,
                left: v3(facing.y, -facing.x, 0.0),
                for_people: true,
            });
        }
    }
}

/// Signs at the road's edge: right of way, crossings, speed.
pub(super) fn signs(scene: &mut Scene, roads: &Roads) {
    let plate = |number: u8, size: f32| {
        let mut b = Builder::new(Detail::Near);
        b.tube(V3::zeros(), v3(0.0, 0.0, 2.35), 0.035, 0.035, 6, steel());
        let face = Material::new([235, 235, 235], Finish::Sign(number)).of(Semantic::Sign);
        let back = Material::new([120, 122, 124], Finish::Metal).of(Semantic::Sign);
        let z = 2.35;
        // A triangle on its tip, an octagon, a square, a disc.
        let (corners, turn) = [(3, 0.75), (8, 0.0625), (4, 0.125), (18, 0.0)][usize::from(number)];
        let rim: Vec<(f32, f32)> = (0..=corners)
            .map(|k| {
                let (s, c) = (TAU * (k as f32 / corners as f32 + turn)).sin_cos();
                (c * size * 0.5, s * size * 0.5)
            })
            .collect();
        for pair in rim.windows(2) {
            let uv = |p: (f32, f32)| [0.5 + p.0 / size, 0.5 + p.1 / size];
            let at = |x: f32, p: (f32, f32)| v3(x, p.0, z + p.1);
            let (p, q) = (pair[0], pair[1]);
            b.panel_uv(
                [at(0.05, (0.0, 0.0)), at(0.05, p), at(0.05, q), at(0.05, q)],
                [[0.5, 0.5], uv(p), uv(q), uv(q)],
                face,
            );
            b.panel([at(0.045, (0.0, 0.0)), at(0.045, q), at(0.045, p), at(0.045, p)], back);
        }
        b.build()
    };
    let meshes: Vec<u32> = [plate(0, 0.95), plate(1, 0.78), plate(2, 0.85), plate(3, 0.65)]
        .into_iter()
        .map(|m| scene.add_mesh(m))
        .collect();
    for edge in roads.edges.iter().filter(|edge| edge.kind == EdgeKind::Road) {
        let Some(lane) = outer_driving_lane(roads, edge) else { continue };
        let links: Vec<_> = lane.links.iter().map(|id| roads.link(*id)).collect();
        let length = lane.centre.length_m();
        let crossed = |other: &crate::roads::Edge| {
            other.kind == EdgeKind::Crossing && other.crosses.iter().any(|id| std::ptr::eq(roads.edge(*id), edge))
        };
        let number = if links.iter().any(|l| l.signal.is_some()) || length < 15.0 {
            None
        } else if links.iter().any(|l| matches!(l.right_of_way, RightOfWay::Stop | RightOfWay::AllWayStop)) {
            Some(1)
        } else if links.iter().any(|l| l.right_of_way == RightOfWay::Minor) {
            Some(0)
        } else if roads.edges.iter().any(crossed) {
            Some(2)
        } else {
            Some(3).filter(|_| length > 80.0)
        };
        let Some(number) = number else { continue };
        let Some(on) = lane.centre.at(if number == 3 { length * 0.4 } else { length - 1.5 }) else { continue };
        let side = if roads.left_hand { 1.0 } else { -1.0 };
        let p = on.point.xy() + Vector2::new(-on.yaw_rad.sin(), on.yaw_rad.cos()) * side * (lane.width_m / 2.0 + 0.7);
        let at = v3((p.x - scene.origin.x) as f32, (p.y - scene.origin.y) as f32, 0.0);
        if scene.ground.distances(at.x, at.y).0 > 0.2 {
            scene.place([meshes[number]; 2], turned(on.yaw_rad as f32 + std::f32::consts::PI, at, 1.0), f32::MAX, true);
        }
    }
}
