//! The diagonal of U, and what was taken from each of its pivots.

/// Each pivot, with the sum Σ |L| |U| of the products that were taken from it.
///
/// *Shapes*  `factors`: size × size
pub fn lu_diagonal(factors: &[f64], size: usize) -> Vec<(f64, f64)> {
    let product = |row: usize, step: usize| (factors[row * size + step] * factors[step * size + row]).abs();
    (0..size).map(|row| (factors[row * size + row], (0..row).map(|step| product(row, step)).sum())).collect()
}
