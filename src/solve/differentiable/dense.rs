//! Systems of the host in `f64`, whose matrices are given by their columns.

use crate::reference;

/// The vectors of all samples whose entry `col` is 1, the others 0.
pub(in crate::solve) fn unit(elements: usize, size: usize, col: usize) -> Vec<f64> {
    (0..elements).map(|place| if place % size == col { 1.0 } else { 0.0 }).collect()
}

/// The solutions x of A x = b, or of Aᵀ x = b, for each sample.
///
/// *Shapes*  `columns`: size × (batch · size), the images of [`unit`] · `right`, result: batch · size
pub(in crate::solve) fn solved_by_columns(columns: &[Vec<f64>], transposed: bool, right: &[f64]) -> Vec<f64> {
    let size = columns.len();
    let solve = |(sample, given): (usize, &[f64])| -> Vec<f64> {
        let entry = |row: usize, col: usize| columns[col][sample * size + row];
        let of = |place: usize| match transposed {
            false => entry(place / size, place % size),
            true => entry(place % size, place / size),
        };
        let mut matrix: Vec<f64> = (0..size * size).map(of).collect();
        let mut solution = given.to_vec();
        let pivots = reference::lu_panel(&mut matrix, size, (0, size));
        pivots.iter().enumerate().for_each(|(step, row)| solution.swap(step, *row));
        reference::lu_solve(&matrix, false, false, &mut solution);
        reference::lu_solve(&matrix, true, false, &mut solution);
        solution
    };
    right.chunks_exact(size.max(1)).enumerate().flat_map(solve).collect()
}
