//! Some columns of an LU factorisation with partial pivoting, in place.

/// Factors columns `first..end` from their diagonal down; the row of each pivot.
///
/// The pivot is the entry of largest magnitude, and of equal ones the first. The rows of the columns are exchanged.
///
/// *Shapes*  `matrix`: size × size
pub fn lu_panel(matrix: &mut [f64], size: usize, (first, end): (usize, usize)) -> Vec<usize> {
    let mut pivots = Vec::new();
    for step in first..end {
        let magnitude = |matrix: &[f64], row: usize| matrix[row * size + step].abs();
        let larger =
            |best: usize, row: usize| if magnitude(matrix, row) > magnitude(matrix, best) { row } else { best };
        let pivot = (step..size).fold(step, larger);
        (first..end).for_each(|col| matrix.swap(step * size + col, pivot * size + col));
        pivots.push(pivot);
        for row in step + 1..size {
            if matrix[step * size + step] != 0.0 {
                matrix[row * size + step] /= matrix[step * size + step];
            }
            let multiple = matrix[row * size + step];
            (step + 1..end).for_each(|col| matrix[row * size + col] -= multiple * matrix[step * size + col]);
        }
    }
    pivots
}
