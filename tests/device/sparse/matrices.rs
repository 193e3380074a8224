//! Sparse matrices with known singular values, and random ones with empty and full rows and columns.

use faer::Mat;
use opnorm::tensor::SparseEntries;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Entries as (row, column, value), in any order.
#[derive(Clone, Debug)]
pub struct Triplets {
    pub rows: usize,
    pub cols: usize,
    pub entries: Vec<(usize, usize, f64)>,
}

impl Triplets {
    pub fn held(&self) -> SparseEntries {
        SparseEntries::new(self.rows, self.cols, self.entries.iter().copied()).unwrap()
    }

    pub fn dense(&self) -> Mat<f64> {
        let mut dense = Mat::zeros(self.rows, self.cols);
        self.entries.iter().for_each(|(row, col, value)| dense[(*row, *col)] += *value);
        dense
    }

    /// The largest singular value, in `f64`.
    pub fn norm(&self) -> f64 {
        self.dense().singular_values().unwrap().first().copied().unwrap_or(0.0)
    }
}

/// A random matrix of the number: densities of 1e-4 to 0.5, empty rows and columns, and in turn a full row, a full
/// column, both, or neither. Values are numbers of `f32`, with some places given twice.
pub fn random(number: u64) -> Triplets {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let (rows, cols) = (random.random_range(1..90), random.random_range(1..90));
    let density = 1e-4f64 * 5000f64.powf(random.random_range(0.0..1.0));
    let scale = [1.0f32, 1.0, 1e20, 1e-25][random.random_range(0..4)];
    let (full_row, full_col) = (random.random_range(0..rows), random.random_range(0..cols));
    let mut entries = Vec::new();
    for row in 0..rows {
        for col in 0..cols {
            let is_full = (number % 4) & 1 == 1 && row == full_row || (number % 4) & 2 == 2 && col == full_col;
            let is_empty = row % 7 == 3 || col % 5 == 2;
            if is_full || !is_empty && random.random_bool(density) {
                let value = random.random_range(-1.0f32..1.0) * scale;
                // Halves, whose sum is exact.
                let count = random.random_range(0..8) / 7 + 1;
                entries.extend((0..count).map(|_| (row, col, f64::from(value / count as f32))));
            }
        }
    }
    if !entries.is_empty() {
        let cut = random.random_range(0..entries.len());
        entries.rotate_left(cut);
    }
    Triplets { rows, cols, entries }
}

/// The Laplacian of a path: its largest eigenvalue is 4 sin²(π (n - 1) / 2 n).
pub fn path_laplacian(size: usize) -> Triplets {
    let edge = |v: usize| [(v, v, 1.0), (v, v + 1, -1.0), (v + 1, v, -1.0), (v + 1, v + 1, 1.0)];
    Triplets { rows: size, cols: size, entries: (0..size - 1).flat_map(edge).collect() }
}

/// The differences of neighbours, the incidence matrix of a path: its square is the path's Laplacian.
pub fn differences(size: usize) -> Triplets {
    let edge = |v: usize| [(v, v, -1.0), (v, v + 1, 1.0)];
    Triplets { rows: size - 1, cols: size, entries: (0..size - 1).flat_map(edge).collect() }
}

/// The incidence matrix of a star, a row for each vertex: the hub has every edge, and the largest singular value is
/// √(vertices).
pub fn star(vertices: usize) -> Triplets {
    let edge = |edge: usize| [(0, edge, 1.0), (edge + 1, edge, -1.0)];
    Triplets { rows: vertices, cols: vertices - 1, entries: (0..vertices - 1).flat_map(edge).collect() }
}

/// 2 sin(π (n - 1) / 2 n), the norm of [`differences`].
pub fn norm_of_differences(size: usize) -> f64 {
    2.0 * (std::f64::consts::PI * (size - 1) as f64 / (2 * size) as f64).sin()
}
