//! Edges of a box behind which more of the road user is hidden by somebody nearer.
//!
//! In: a box and those of the others in the frame. Out: which of its edges are where the one in front begins. On one ground,
//! of two boxes the one that reaches lower in the picture is nearer. Boxes show what is to be seen: of a car in a queue the
//! lower edge is the roof of the next one, and taken for the ground it is metres away.

use masa_inference::BoundingBox;

/// How much lower than a box a nearer one reaches at least, as a share of the box's height.
const LOWER: f32 = 0.08;
/// Share of an edge that another box must cover.
const MOST: f32 = 0.7;
/// How far apart the edges of the hidden and of the nearer one may be, as a share of the box's height: neither is exact.
const APART: f32 = 0.05;

/// Which edges of a box are hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) left: bool,
    pub(crate) right: bool,
    pub(crate) lower: bool,
}

impl Covered {
    /// Of a box among the boxes of a frame; itself among them changes nothing.
    pub(crate) fn of(b: &BoundingBox, others: impl Iterator<Item = BoundingBox>) -> Self {
        let height = b.height_px();
        let apart = APART * height;
        let mut covered = Self::default();
        for n in others.filter(|n| n.y2_px > b.y2_px + LOWER * height) {
            let across = n.x2_px.min(b.x2_px) - n.x1_px.max(b.x1_px);
            let up = n.y2_px.min(b.y2_px) - n.y1_px.max(b.y1_px);
            covered.lower |= n.y1_px < b.y2_px + apart && across > MOST * b.width_px();
            if up > MOST * height {
                covered.left |= n.x1_px < b.x1_px - apart && (b.x1_px - apart..b.x2_px).contains(&n.x2_px);
                covered.right |= n.x2_px > b.x2_px + apart && (b.x1_px..b.x2_px + apart).contains(&n.x1_px);
            }
        }
        covered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Covered = Covered { left: false, right: false, lower: false };

    fn of(b: [f32; 4], others: &[[f32; 4]]) -> Covered {
        let make = |[x1_px, y1_px, x2_px, y2_px]: [f32; 4]| BoundingBox { x1_px, y1_px, x2_px, y2_px };
        Covered::of(&make(b), others.iter().copied().chain([b]).map(make))
    }

    #[test]
    fn the_next_car_of_a_queue_hides_the_lower_edge() {
        let (second, first) = ([100.0, 100.0, 160.0, 140.0], [95.0, 138.0, 170.0, 190.0]);
        assert_eq!(of(second, &[first]), Covered { lower: true, ..FREE });
        assert_eq!(of(first, &[second]), FREE, "nothing hides what is in front");
        assert_eq!(of(second, &[[95.0, 150.0, 170.0, 200.0]]), FREE, "a gap shows the road between them");
    }

    #[test]
    fn one_in_front_hides_a_side() {
        let person = [100.0, 100.0, 120.0, 150.0];
        assert_eq!(of(person, &[[84.0, 104.0, 103.0, 158.0]]), Covered { left: true, ..FREE });
        assert_eq!(of(person, &[[118.0, 104.0, 139.0, 158.0]]), Covered { right: true, ..FREE });
        assert_eq!(of(person, &[[70.0, 104.0, 90.0, 158.0]]), FREE, "beside");
        assert_eq!(of(person, &[[84.0, 96.0, 103.0, 148.0]]), FREE, "behind");
    }
}
