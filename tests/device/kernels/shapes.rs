//! The sizes of the rows.

use crate::is_full;

/// The sizes of a case. Kernels over vectors take `batch · columns` vectors of `cols` elements; `rows` counts slots or
/// segments.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub batch: usize,
    pub rows: usize,
    pub cols: usize,
    pub columns: usize,
    /// Batch items of the input of a product; the batch repeats them.
    pub inputs: usize,
}

impl Shape {
    pub fn matrix(batch: usize, rows: usize, cols: usize) -> Self {
        Self { batch, rows, cols, columns: 1, inputs: batch }
    }

    pub fn vectors(&self) -> usize {
        self.batch * self.columns
    }
}

/// The sizes at which kernels tend to fail: around quads, groups of 4 rows, and both widths of a group.
const EDGES: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 64, 65, 257, 1000];

/// Every fifth size in the quick run: 5 shares no divisor with the cycles of batches, columns and inputs.
const QUICK: usize = 5;

/// Sizes with both batches and columns, all of them under `OPNORM_FULL`.
pub fn edge_shapes() -> Vec<Shape> {
    let wide = EDGES.iter().map(|cols| (1, *cols));
    let tall = EDGES.iter().map(|rows| (*rows, 1));
    // 5 and 14 have no common divisor, so the pairs mix small with large.
    let mixed = (0..EDGES.len()).map(|index| (EDGES[index], EDGES[(5 * index + 3) % EDGES.len()]));
    let sizes = wide.chain(tall).chain(mixed).enumerate();
    let shapes = sizes.map(|(index, (rows, cols))| {
        let batch: usize = [1, 2, 5, 4][index % 4];
        let inputs = [batch, 1, batch, batch.div_ceil(2)][index / 4 % 4];
        Shape {
            batch,
            rows,
            cols,
            columns: [1, 2, 3][index % 3],
            inputs: if batch.is_multiple_of(inputs) { inputs } else { 1 },
        }
    });
    shapes.step_by(if is_full() { 1 } else { QUICK }).collect()
}

/// Matrices that a binding of 16 KiB does not hold: cut into multiples of 64 rows, into fewer, into whole items.
pub fn panel_shapes() -> Vec<Shape> {
    let sizes = [(1, 300, 33), (3, 130, 64), (2, 40, 257), (1, 5, 1000), (5, 31, 33), (30, 7, 21), (2, 257, 31)];
    let columns = [1, 2].into_iter().cycle();
    let shape = |((batch, rows, cols), columns)| Shape { columns, ..Shape::matrix(batch, rows, cols) };
    sizes.into_iter().zip(columns).map(shape).collect()
}
