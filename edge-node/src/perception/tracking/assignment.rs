//! Linear assignment by shortest augmenting paths (Jonker and Volgenant 1987).
//!
//! In: a matrix of costs with a limit. Out: the set of pairs of least total cost, where leaving a row without a partner
//! costs the limit. Ties are broken by index, so equal inputs give equal pairs. Buffers are kept between calls.

/// No row.
const NONE: usize = usize::MAX;

/// Solver with its buffers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Assignment {
    rows: usize,
    columns: usize,
    limit: f32,
    costs: Vec<f32>,
    row_potential: Vec<f64>,
    column_potential: Vec<f64>,
    row_of: Vec<usize>,
    previous: Vec<usize>,
    shortest: Vec<f64>,
    visited: Vec<bool>,
    pairs: Vec<(usize, usize)>,
}

impl Assignment {
    /// A solver that allocates nothing for problems up to this size.
    pub(crate) fn with_capacity(rows: usize, columns: usize) -> Self {
        let (less, more) = (rows.min(columns), rows.max(columns) + 1);
        Self {
            costs: Vec::with_capacity(rows * columns),
            row_potential: Vec::with_capacity(less),
            column_potential: Vec::with_capacity(more),
            row_of: Vec::with_capacity(more),
            previous: Vec::with_capacity(more),
            shortest: Vec::with_capacity(more),
            visited: Vec::with_capacity(more),
            pairs: Vec::with_capacity(less),
            ..Self::default()
        }
    }

    /// Starts a problem in which every pair costs `limit`, that is, cannot be chosen.
    pub(crate) fn begin(&mut self, rows: usize, columns: usize, limit: f32) {
        (self.rows, self.columns, self.limit) = (rows, columns, limit);
        self.costs.clear();
        self.costs.resize(rows * columns, limit);
    }

    /// Allows a pair if it costs less than the limit.
    pub(crate) fn set(&mut self, row: usize, column: usize, cost: f32) {
        if cost < self.limit {
            self.costs[row * self.columns + column] = cost;
        }
    }

    /// The chosen pairs `(row, column)`, by row.
    pub(crate) fn solve(&mut self) -> &[(usize, usize)] {
        // The search needs at least as many columns as rows.
        let transposed = self.rows > self.columns;
        let (n, m) = if transposed { (self.columns, self.rows) } else { (self.rows, self.columns) };
        self.reset(n, m);
        for row in 0..n {
            self.augment(row, m, transposed);
        }
        self.pairs.clear();
        for column in 0..m {
            let row = self.row_of[column];
            if row != NONE && self.cost(row, column, transposed) < f64::from(self.limit) {
                self.pairs.push(if transposed { (column, row) } else { (row, column) });
            }
        }
        self.pairs.sort_unstable();
        &self.pairs
    }

    fn reset(&mut self, n: usize, m: usize) {
        fn refill<T: Clone>(buffer: &mut Vec<T>, len: usize, value: T) {
            buffer.clear();
            buffer.resize(len, value);
        }
        refill(&mut self.row_potential, n, 0.0);
        // The last column is the virtual one in which every search starts.
        refill(&mut self.column_potential, m + 1, 0.0);
        refill(&mut self.row_of, m + 1, NONE);
        refill(&mut self.previous, m + 1, m);
        refill(&mut self.shortest, m + 1, f64::INFINITY);
        refill(&mut self.visited, m + 1, false);
    }

    fn cost(&self, row: usize, column: usize, transposed: bool) -> f64 {
        let index = if transposed { column * self.columns + row } else { row * self.columns + column };
        f64::from(self.costs[index])
    }

    /// Gives `row` a column along the shortest alternating path.
    fn augment(&mut self, row: usize, m: usize, transposed: bool) {
        self.shortest.fill(f64::INFINITY);
        self.visited.fill(false);
        self.row_of[m] = row;
        let mut column = m;
        while self.row_of[column] != NONE {
            self.visited[column] = true;
            let from = self.row_of[column];
            let (mut next, mut delta) = (m, f64::INFINITY);
            for j in 0..m {
                if self.visited[j] {
                    continue;
                }
                let reduced = self.cost(from, j, transposed) - self.row_potential[from] - self.column_potential[j];
                if reduced < self.shortest[j] {
                    self.shortest[j] = reduced;
                    self.previous[j] = column;
                }
                if self.shortest[j] < delta {
                    (next, delta) = (j, self.shortest[j]);
                }
            }
            for j in 0..=m {
                if self.visited[j] {
                    self.row_potential[self.row_of[j]] += delta;
                    self.column_potential[j] -= delta;
                } else {
                    self.shortest[j] -= delta;
                }
            }
            column = next;
        }
        while column != m {
            let before = self.previous[column];
            self.row_of[column] = self.row_of[before];
            column = before;
        }
        self.row_of[m] = NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn solve(costs: &[Vec<f32>], limit: f32) -> Vec<(usize, usize)> {
        let mut assignment = Assignment::default();
        assignment.begin(costs.len(), costs.first().map_or(0, Vec::len), limit);
        for (i, row) in costs.iter().enumerate() {
            for (j, cost) in row.iter().enumerate() {
                assignment.set(i, j, *cost);
            }
        }
        assignment.solve().to_vec()
    }

    /// Least total cost by trying everything; a row without partner costs the limit.
    fn brute(costs: &[Vec<f32>], limit: f32, row: usize, taken: u32) -> f32 {
        let Some(line) = costs.get(row) else { return 0.0 };
        let unmatched = limit + brute(costs, limit, row + 1, taken);
        (0..line.len())
            .filter(|j| taken & (1 << j) == 0 && line[*j] < limit)
            .fold(unmatched, |best, j| best.min(line[j] + brute(costs, limit, row + 1, taken | (1 << j))))
    }

    #[test]
    fn greedy_would_be_wrong() {
        assert_eq!(solve(&[vec![0.1, 0.2], vec![0.15, 0.9]], 1.0), [(0, 1), (1, 0)]);
    }

    #[test]
    fn gated_pairs_and_empty_problems_give_nothing() {
        assert_eq!(solve(&[vec![1.0, 2.0]], 1.0), []);
        assert_eq!(solve(&[], 1.0), []);
        assert_eq!(solve(&[vec![], vec![]], 1.0), []);
    }

    proptest! {
        #[test]
        fn total_cost_is_the_least(costs in (1usize..6, 1usize..6).prop_flat_map(|(n, m)|
            prop::collection::vec(prop::collection::vec(0.0f32..1.4, m), n))) {
            let limit = 1.0;
            let pairs = solve(&costs, limit);
            let unmatched = (costs.len() - pairs.len()) as f32 * limit;
            let total: f32 = pairs.iter().map(|(i, j)| costs[*i][*j]).sum::<f32>() + unmatched;
            prop_assert!((total - brute(&costs, limit, 0, 0)).abs() < 1e-4);
        }
    }
}
