//! The columns beside a factored panel.

/// Exchanges rows beside columns `first..end` by their pivots, and solves L U = A for the rows of U right of them.
///
/// *Shapes*  `matrix`: size × size
pub fn lu_rows(matrix: &mut [f64], size: usize, (first, end): (usize, usize), pivots: &[usize]) {
    for (step, pivot) in (first..end).zip(pivots) {
        let beside = (0..first).chain(end..size);
        beside.for_each(|col| matrix.swap(step * size + col, pivot * size + col));
    }
    for step in first..end {
        for row in step + 1..end {
            let multiple = matrix[row * size + step];
            (end..size).for_each(|col| matrix[row * size + col] -= multiple * matrix[step * size + col]);
        }
    }
}
