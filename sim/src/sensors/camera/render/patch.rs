//! What lies on the ground of a frame (contact shadows, the light of beams), by the tiles it may touch.

use super::super::mesh::{V3, v3};
use super::super::raster::TILE;
use super::super::shade::Beam;
use super::super::view::View;
use super::Cast;

/// Something that lies on the ground, with the pixels it may touch: left, top, right, bottom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) number: u16,
    pub(super) within: [f32; 4],
}

impl Patch {
    #[inline]
    pub(super) fn holds(&self, corner: [f32; 2]) -> bool {
        let [left, top, right, bottom] = self.within;
        corner[0] >= left && corner[0] <= right && corner[1] >= top && corner[1] <= bottom
    }
}

/// For each tile the patches whose projected outline meets it.
fn by_tile<'a>(
    view: &View,
    columns: usize,
    rows: usize,
    outlines: impl Iterator<Item = Vec<V3>> + 'a,
) -> Vec<Vec<Patch>> {
    let mut tiles = vec![Vec::new(); columns * rows];
    for (k, outline) in outlines.enumerate() {
        let points: Vec<V3> = outline.iter().map(|p| view.to_camera(*p)).collect();
        if points.iter().all(|p| p.z < 0.3) {
            continue;
        }
        let mut low = [f32::MAX; 2];
        let mut high = [f32::MIN; 2];
        for p in &points {
            // What is beside the camera reaches to the picture's edge.
            let at = if p.z < 0.3 { view.projector.project(v3(p.x, p.y, 0.3)) } else { view.projector.project(*p) };
            for a in 0..2 {
                low[a] = low[a].min(at[a]);
                high[a] = high[a].max(at[a]);
            }
        }
        let index = |v: f32, count: usize| ((v / TILE as f32).max(0.0) as usize).min(count - 1);
        let outside =
            high[0] < 0.0 || high[1] < 0.0 || low[0] >= view.projector.width || low[1] >= view.projector.height;
        if outside {
            continue;
        }
        let within = [low[0] * 0.5 - 2.0, low[1] * 0.5 - 2.0, high[0] * 0.5 + 1.0, high[1] * 0.5 + 1.0];
        for row in index(low[1], rows)..=index(high[1], rows) {
            for column in index(low[0], columns)..=index(high[0], columns) {
                tiles[row * columns + column].push(Patch { number: k as u16, within });
            }
        }
    }
    tiles
}

/// How far a contact shadow reaches beyond the footprint, metres.
const CONTACT_M: f32 = 0.55;

/// Contact shadows: the outlines of who stands on the ground.
pub(super) fn touching(cast: &[Cast], view: &View, columns: usize, rows: usize) -> Vec<Vec<Patch>> {
    by_tile(
        view,
        columns,
        rows,
        cast.iter().map(|c| {
            let left = v3(-c.ahead.y, c.ahead.x, 0.0);
            let (l, w) = (c.half[0] + CONTACT_M, c.half[1] + CONTACT_M);
            [(l, w), (-l, w), (-l, -w), (l, -w)].map(|(x, y)| c.centre + c.ahead * x + left * y).to_vec()
        }),
    )
}

/// Ground that head lamps may light.
pub(super) fn lit_by(beams: &[(u32, Beam)], view: &View, columns: usize, rows: usize) -> Vec<Vec<Patch>> {
    by_tile(
        view,
        columns,
        rows,
        beams.iter().map(|(_, b)| {
            let left = v3(-b.ahead.y, b.ahead.x, 0.0);
            let down = v3(0.0, 0.0, -b.at.z);
            [(0.0, 2.0), (0.0, -2.0), (15.0, 9.0), (15.0, -9.0), (60.0, 24.0), (60.0, -24.0)]
                .map(|(x, y)| b.at + down + b.ahead * x + left * y)
                .to_vec()
        }),
    )
}
