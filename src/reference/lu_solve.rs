//! Substitution with a triangle of LU factors or its transpose.

/// Solves T x = b in place, with T a triangle of the factors or its transpose.
///
/// *Shapes*  `factors`: size × size · `solution`: size
pub fn lu_solve(factors: &[f64], upper: bool, transposed: bool, solution: &mut [f64]) {
    let size = solution.len();
    let entry = |row: usize, col: usize| if transposed { factors[col * size + row] } else { factors[row * size + col] };
    for step in 0..size {
        let row = if upper == transposed { step } else { size - 1 - step };
        let solved = if upper == transposed { 0..row } else { row + 1..size };
        solution[row] -= solved.map(|col| entry(row, col) * solution[col]).sum::<f64>();
        if upper {
            solution[row] /= entry(row, row);
        }
    }
}
