//! NanoDet and PicoDet (generalised focal loss): per stride, class scores of every cell and a discrete distribution of
//! the distance from the cell to each edge of the box.

use super::{Candidates, Head, best, by_name, grid, tensors};
use crate::{description::HeadDescription, engine::Outputs};

/// Largest edge distance in strides where the description does not say: 7 in every public model.
const DEFAULT_REG_MAX: u32 = 7;

/// See the module.
pub(super) struct Nanodet {
    /// Bins of one edge's distribution.
    bins: usize,
    cell_offset: f32,
    levels: Vec<Level>,
}

/// One feature map.
struct Level {
    stride: f32,
    columns: usize,
    scores: Rows,
    edges: Rows,
}

/// Where the numbers of a level's cells are: `row[cell] = data[(first + cell) · width + skip..][..len]`.
struct Rows {
    output: usize,
    first: usize,
    cells: usize,
    width: usize,
    skip: usize,
    len: usize,
}

impl Rows {
    fn of<'a>(&self, outputs: &'a dyn Outputs) -> impl Iterator<Item = &'a [f32]> {
        let (skip, end) = (self.skip, self.skip + self.len);
        let rows = outputs.tensor(self.output).data.chunks_exact(self.width);
        rows.skip(self.first).take(self.cells).map(move |row| &row[skip..end])
    }
}

impl Nanodet {
    pub(super) fn open(
        head: &HeadDescription,
        size: (u32, u32),
        classes: usize,
        outputs: &dyn Outputs,
    ) -> Result<Self, String> {
        let bins = head.reg_max.unwrap_or(DEFAULT_REG_MAX) as usize + 1;
        let grids: Vec<(usize, usize)> = head.strides.iter().map(|&stride| grid(size, stride)).collect();
        let cells: Vec<usize> = grids.iter().map(|&(columns, rows)| columns * rows).collect();
        let rows =
            joined(classes, bins, &cells, outputs).map_or_else(|| split(head, classes, bins, &cells, outputs), Ok)?;
        let levels = head.strides.iter().zip(grids).zip(rows).map(|((&stride, (columns, _)), (scores, edges))| Level {
            stride: stride as f32,
            columns,
            scores,
            edges,
        });
        Ok(Self { bins, cell_offset: head.cell_offset.unwrap_or(0.5), levels: levels.collect() })
    }
}

/// NanoDet-Plus: one output, every level's cells below each other, scores and edges in one row.
fn joined(classes: usize, bins: usize, cells: &[usize], outputs: &dyn Outputs) -> Option<Vec<(Rows, Rows)>> {
    if outputs.count() != 1 {
        return None;
    }
    let &[1, rows, width] = outputs.tensor(0).shape else { return None };
    if rows != cells.iter().sum::<usize>() || width < classes.max(1) + 4 * bins {
        return None;
    }
    let mut first = 0;
    let level = |&cells: &usize| {
        let part = |skip, len| Rows { output: 0, first, cells, width, skip, len };
        let level = (part(0, width - 4 * bins), part(width - 4 * bins, 4 * bins));
        first += cells;
        level
    };
    Some(cells.iter().map(level).collect())
}

/// NanoDet, PicoDet: two outputs a level.
fn split(
    head: &HeadDescription,
    classes: usize,
    bins: usize,
    cells: &[usize],
    outputs: &dyn Outputs,
) -> Result<Vec<(Rows, Rows)>, String> {
    let needed = || {
        let shapes: Vec<String> = cells
            .iter()
            .map(|cells| format!("[1, {cells}, {classes} or more] and [1, {cells}, {}]", 4 * bins))
            .collect();
        format!("{} for strides {:?}", shapes.join(", "), head.strides)
    };
    let named = by_name(outputs, &head.outputs)?;
    let level = |(level, &cells): (usize, &usize)| {
        let fits = |index: usize, edges: bool| match *outputs.tensor(index).shape {
            [1, rows, width] => rows == cells && if edges { width == 4 * bins } else { width >= classes.max(1) },
            _ => false,
        };
        let (scores, edges) = if named.is_empty() {
            let edges: Vec<usize> = (0..outputs.count()).filter(|&index| fits(index, true)).collect();
            let scores = (0..outputs.count()).filter(|&index| fits(index, false) && !edges.contains(&index));
            match (scores.collect::<Vec<_>>().as_slice(), edges.as_slice()) {
                (&[scores], &[edges]) => (scores, edges),
                _ => return Err(needed()),
            }
        } else {
            match (named.get(level), named.get(level + head.strides.len())) {
                (Some(&scores), Some(&edges)) if fits(scores, false) && fits(edges, true) => (scores, edges),
                _ => return Err(needed()),
            }
        };
        let rows = |output: usize| {
            let width = outputs.tensor(output).shape[2];
            Rows { output, first: 0, cells, width, skip: 0, len: width }
        };
        Ok((rows(scores), rows(edges)))
    };
    let expected = 2 * head.strides.len();
    if tensors(outputs).count() < expected || !(named.is_empty() || named.len() == expected) {
        return Err(needed());
    }
    cells.iter().enumerate().map(level).collect()
}

impl Head for Nanodet {
    fn decode(&self, outputs: &dyn Outputs, into: &mut Candidates) {
        let mut order = 0;
        for level in &self.levels {
            for (cell, (scores, edges)) in level.scores.of(outputs).zip(level.edges.of(outputs)).enumerate() {
                order += 1;
                let Some((class, raw)) = best(scores).filter(|&(_, raw)| into.may_pass(raw)) else { continue };
                let (column, row) = (cell % level.columns, cell / level.columns);
                let x = (column as f32 + self.cell_offset) * level.stride;
                let y = (row as f32 + self.cell_offset) * level.stride;
                let mut distance = [0.0; 4];
                for (distance, bins) in distance.iter_mut().zip(edges.chunks_exact(self.bins)) {
                    *distance = expectation(bins) * level.stride;
                }
                let [left, top, right, bottom] = distance;
                into.add(class, into.probability(raw), [x - left, y - top, x + right, y + bottom], order - 1);
            }
        }
    }
}

/// Mean of the distribution whose logits are `bins`, over 0, 1, 2, ….
fn expectation(bins: &[f32]) -> f32 {
    let max = bins.iter().fold(f32::NEG_INFINITY, |max, &bin| max.max(bin));
    let (mut sum, mut weighted) = (0.0, 0.0);
    for (index, bin) in bins.iter().enumerate() {
        let weight = (bin - max).exp();
        sum += weight;
        weighted += weight * index as f32;
    }
    weighted / sum
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Raw, decode, description, refusal};
    use super::*;
    use crate::ObjectClass;

    const HEAD: &str = "type = 'nanodet'\nscore-threshold = 0.3\nnms-iou = 0.5\nstrides = [8, 16]\nreg-max = 3";

    /// Logits of four edges, each certain to be at its bin.
    fn edges(bins: [usize; 4]) -> Vec<f32> {
        bins.iter().flat_map(|&bin| (0..4).map(move |index| if index == bin { 40.0 } else { 0.0 })).collect()
    }

    /// 32×16 input: 4×2 cells of stride 8, 2×1 of stride 16. Cell 6 of stride 8 holds a car, cell 1 of stride 16 a person.
    fn levels() -> [(Vec<f32>, Vec<f32>); 2] {
        let mut fine = (vec![0.0; 8 * 3], vec![0.0; 8 * 16]);
        fine.0[6 * 3 + 2] = 0.8;
        fine.1[6 * 16..7 * 16].copy_from_slice(&edges([1, 0, 2, 3]));
        let mut coarse = (vec![0.0; 2 * 3], vec![0.0; 2 * 16]);
        coarse.0[3] = 0.5;
        coarse.1[16..32].copy_from_slice(&edges([1, 1, 1, 1]));
        [fine, coarse]
    }

    fn check(found: &[super::super::Candidate]) {
        let seen: Vec<_> = found.iter().map(|c| (c.class, c.score, c.corners)).collect();
        // Cell 6: column 2, row 1, centre (20, 12), distances 8, 0, 16, 24. Cell 1: centre (24, 8), distances 16.
        assert_eq!(
            seen,
            [(ObjectClass::Car, 0.8, [12.0, 12.0, 36.0, 36.0]), (ObjectClass::Person, 0.5, [8.0, -8.0, 40.0, 24.0])]
        );
    }

    #[test]
    fn two_outputs_a_level_are_told_apart_by_shape_or_name() {
        let [fine, coarse] = levels();
        let raw = Raw(vec![
            ("edges8", vec![1, 8, 16], fine.1),
            ("scores16", vec![1, 2, 3], coarse.0),
            ("scores8", vec![1, 8, 3], fine.0),
            ("edges16", vec![1, 2, 16], coarse.1),
        ]);
        check(&decode(&description(32, 16, HEAD), &raw));
        let names = format!("{HEAD}\noutputs = ['scores8', 'scores16', 'edges8', 'edges16']");
        check(&decode(&description(32, 16, &names), &raw));
        let swapped = format!("{HEAD}\noutputs = ['scores16', 'scores8', 'edges8', 'edges16']");
        assert!(refusal(&description(32, 16, &swapped), &raw).contains("[1, 8, 3 or more] and [1, 8, 16]"));
        let missing = format!("{HEAD}\noutputs = ['nowhere']");
        assert_eq!(refusal(&description(32, 16, &missing), &raw), "an output called `nowhere`");
    }

    #[test]
    fn one_joined_output_holds_the_same() {
        let levels = levels();
        let rows = levels.iter().flat_map(|(scores, edges)| scores.chunks(3).zip(edges.chunks(16)));
        let data = rows.flat_map(|(scores, edges)| [scores, edges].concat()).collect();
        check(&decode(&description(32, 16, HEAD), &Raw(vec![("output", vec![1, 10, 19], data)])));
    }

    #[test]
    fn a_distribution_has_a_mean() {
        assert!((expectation(&[0.0, 0.0, 0.0, 0.0]) - 1.5).abs() < 1e-6);
        assert!((expectation(&[1000.0, 1000.0]) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn wrong_cell_counts_are_answered_with_the_right_ones() {
        let raw = Raw(vec![("a", vec![1, 8, 3], vec![0.0; 24]), ("b", vec![1, 8, 16], vec![0.0; 128])]);
        let reason = refusal(&description(32, 16, HEAD), &raw);
        assert_eq!(reason, "[1, 8, 3 or more] and [1, 8, 16], [1, 2, 3 or more] and [1, 2, 16] for strides [8, 16]");
    }
}
