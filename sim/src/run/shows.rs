//! What shows of road users in a camera where nothing is rendered.
//!
//! In: a camera's model, a snapshot. Out: the box of what others leave of everybody, with the share of it, by rays through a
//! grid of points in each box. Bodies are those that lidars meet. Buildings hide nobody here.

use super::camera::{InView, everybody};
use crate::buildings::Buildings;
use crate::sensors::camera::CameraModel;
use crate::sensors::lidar::cast::{Cast, Solid, solids};
use crate::snapshot::Snapshot;
use masa_inference::BoundingBox;

/// Points along each side of a box.
const POINTS: usize = 14;
/// How far rays go, metres.
const REACH_M: f64 = 1_000.0;

/// Everybody in view with what shows of them; those of whom nothing does are left out.
pub(crate) fn unhidden(model: &CameraModel, snapshot: &Snapshot) -> Vec<InView> {
    let all = everybody(model, snapshot);
    all.iter().filter_map(|seen| what_shows(model, snapshot, seen, &all)).collect()
}

fn what_shows(model: &CameraModel, snapshot: &Snapshot, seen: &InView, all: &[InView]) -> Option<InView> {
    let others = all.iter().filter(|other| other.actor != seen.actor);
    let near: Vec<&InView> = others.filter(|other| other.bounding_box.iou(&seen.bounding_box) > 0.0).collect();
    if near.is_empty() {
        return Some(seen.clone());
    }
    let bodies = |seen: &InView| snapshot.actor(seen.actor).into_iter().flat_map(solids);
    let alone: Vec<Solid> = bodies(seen).collect();
    let together: Vec<Solid> = near.into_iter().flat_map(bodies).chain(alone.iter().copied()).collect();
    let body = Cells::of(seen, model, &alone);
    let shown = Cells::of(seen, model, &together);
    if shown.count == 0 || shown.count == body.count {
        return (shown.count == body.count).then(|| seen.clone());
    }
    // Each edge moves by as many cells as are hidden there.
    let b = &seen.bounding_box;
    let cell_px = [b.width_px(), b.height_px()].map(|side| side / POINTS as f32);
    let moved = |axis: usize, from: usize, to: usize| cell_px[axis] * from.abs_diff(to) as f32;
    let bounding_box = BoundingBox {
        x1_px: b.x1_px + moved(0, body.first[0], shown.first[0]),
        y1_px: b.y1_px + moved(1, body.first[1], shown.first[1]),
        x2_px: b.x2_px - moved(0, body.last[0], shown.last[0]),
        y2_px: b.y2_px - moved(1, body.last[1], shown.last[1]),
    };
    Some(InView { actor: seen.actor, bounding_box, visible: shown.count as f64 / body.count as f64 })
}

/// The cells of a box in which somebody shows.
struct Cells {
    count: usize,
    /// First column and row.
    first: [usize; 2],
    /// Last column and row.
    last: [usize; 2],
}

impl Cells {
    fn of(seen: &InView, model: &CameraModel, solids: &[Solid]) -> Self {
        let nothing = Buildings::default();
        let mut cast = Cast::new(solids, &nothing, model.position(), REACH_M);
        let mut cells = Self { count: 0, first: [POINTS; 2], last: [0; 2] };
        for cell in (0..POINTS).flat_map(|row| (0..POINTS).map(move |column| [column, row])) {
            let hit = model.ray(middle(&seen.bounding_box, cell)).and_then(|ray| cast.first(ray));
            if hit.and_then(|hit| hit.instance) == Some(seen.actor) {
                cells.count += 1;
                for (axis, place) in cell.into_iter().enumerate() {
                    cells.first[axis] = cells.first[axis].min(place);
                    cells.last[axis] = cells.last[axis].max(place);
                }
            }
        }
        cells
    }
}

/// The middle of a cell of a box.
fn middle(b: &BoundingBox, [column, row]: [usize; 2]) -> [f64; 2] {
    let share = |place: usize| ((place as f64 + 0.5) / POINTS as f64) as f32;
    [b.x1_px + share(column) * b.width_px(), b.y1_px + share(row) * b.height_px()].map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::{Actor, ActorId, ActorKind};
    use crate::sensors::camera::CameraPose;
    use crate::sensors::gnss::tests::car;

    fn actor(number: u32, kind: ActorKind, x: f64, y: f64) -> Actor {
        Actor { id: ActorId::of(1, number), kind, size: kind.usual_size(), ..car(x, y, 0.0) }
    }

    /// Of a camera on a mast that looks along the road.
    fn seen(actors: Vec<Actor>) -> (Vec<InView>, Vec<InView>) {
        let pose = CameraPose::looking_at([0.0, 0.0, 6.0], [40.0, 0.0, 0.0]);
        let model = CameraModel::with_size("mast", pose, 60.0, [1280, 720]);
        let snapshot = Snapshot { actors, ..Snapshot::default() };
        (everybody(&model, &snapshot), unhidden(&model, &snapshot))
    }

    #[test]
    fn who_stands_free_shows_whole() {
        let (all, shown) = seen(vec![actor(1, ActorKind::Car, 20.0, -4.0), actor(2, ActorKind::Adult, 30.0, 5.0)]);
        assert_eq!(all, shown);
    }

    #[test]
    fn a_lorry_hides_the_person_behind_it_and_the_lower_part_of_the_car() {
        let lorry = actor(1, ActorKind::Truck, 20.0, 0.0);
        let person = actor(2, ActorKind::Adult, 27.0, 0.0);
        let car = actor(3, ActorKind::Car, 33.0, 2.0);
        let (all, shown) = seen(vec![lorry.clone(), person.clone(), car.clone()]);
        assert!(shown.iter().all(|view| view.actor != person.id), "{shown:?}");
        let of = |views: &[InView], actor: &Actor| views.iter().find(|view| view.actor == actor.id).cloned().unwrap();
        assert_eq!(of(&shown, &lorry), of(&all, &lorry), "what is in front is whole");
        let (whole, part) = (of(&all, &car), of(&shown, &car));
        assert!((0.1..0.9).contains(&part.visible), "{part:?}");
        assert_eq!(part.bounding_box.x1_px, whole.bounding_box.x1_px, "its left side shows");
        assert!(part.bounding_box.x2_px < whole.bounding_box.x2_px, "its right side is hidden: {part:?} {whole:?}");
    }
}
