//! A - L U below and right of a factored panel.

/// Takes the product of L below columns `first..end` and U right of them from what is below and right.
///
/// *Shapes*  `matrix`: size × size
pub fn lu_update(matrix: &mut [f64], size: usize, (first, end): (usize, usize)) {
    for row in end..size {
        for col in end..size {
            let product = |step: usize| matrix[row * size + step] * matrix[step * size + col];
            matrix[row * size + col] -= (first..end).map(product).sum::<f64>();
        }
    }
}
