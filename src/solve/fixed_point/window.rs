//! The small system of one item: which combination of the last differences explains the residual best.

use faer::{Mat, Side};

/// The largest condition number of a system.
const CONDITION: f64 = 1e8;

/// The products of the differences of the residuals that one item keeps.
#[derive(Clone, Debug)]
pub(super) struct Window {
    /// The slots in use, the oldest first.
    used: Vec<usize>,
    /// The products by pairs of slots.
    products: Vec<Vec<f64>>,
}

impl Window {
    pub(super) fn new(slots: usize) -> Self {
        Self { used: Vec::new(), products: vec![vec![0.0; slots]; slots] }
    }

    pub(super) fn clear(&mut self) {
        self.used.clear();
    }

    /// Takes the difference in a slot in place of the one before, with its products with all slots.
    pub(super) fn admit(&mut self, slot: usize, products: &[f64]) {
        self.used.retain(|used| *used != slot);
        for (other, product) in products.iter().enumerate() {
            self.products[slot][other] = *product;
            self.products[other][slot] = *product;
        }
        let square = products[slot];
        if square > 0.0 && square.is_finite() {
            self.used.push(slot);
        }
    }

    /// The coefficients of the differences, a number for each slot, from the products of the residual with all slots.
    /// Old differences leave while the system is ill-conditioned.
    pub(super) fn coefficients(&mut self, residual: &[f64], regularisation: f64) -> Vec<f64> {
        let mut coefficients = vec![0.0; residual.len()];
        while !self.used.is_empty() {
            if let Some(found) = self.solved(residual, regularisation) {
                self.used.iter().zip(found).for_each(|(slot, found)| coefficients[*slot] = found);
                break;
            }
            self.used.remove(0);
        }
        coefficients
    }

    /// The solution of the normal equations of unit differences; `None` where the equations are ill-conditioned.
    fn solved(&self, residual: &[f64], regularisation: f64) -> Option<Vec<f64>> {
        let scale: Vec<f64> = self.used.iter().map(|slot| self.products[*slot][*slot].sqrt().recip()).collect();
        let entry = |row: usize, col: usize| self.products[self.used[row]][self.used[col]] * scale[row] * scale[col];
        let eigen = Mat::from_fn(scale.len(), scale.len(), entry).self_adjoint_eigen(Side::Lower).ok()?;
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let (least, largest) = (*values.first()?, *values.last()?);
        if !(least > 0.0 && largest <= CONDITION * least) {
            return None;
        }
        let right = Mat::from_fn(scale.len(), 1, |row, _| residual[self.used[row]] * scale[row]);
        let mut along = eigen.U().transpose() * right;
        values.iter().enumerate().for_each(|(row, value)| along[(row, 0)] /= value + regularisation);
        let found = eigen.U() * along;
        Some(scale.iter().enumerate().map(|(row, scale)| found[(row, 0)] * scale).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_combination_explains_a_residual_of_any_scale() {
        // differences (s, 0) and (s, 2 s), residual (3 s, 4 s): 1 of the first and 2 of the second
        for scale in [1.0, 1e-12, 1e12f64] {
            let square = scale * scale;
            let mut window = Window::new(3);
            window.admit(0, &[square, 0.0, 0.0]);
            window.admit(2, &[square, 0.0, 5.0 * square]);
            let found = window.coefficients(&[3.0 * square, 0.0, 11.0 * square], 1e-10);
            assert!((found[0] - 1.0).abs() < 1e-8 && (found[2] - 2.0).abs() < 1e-8 && found[1] == 0.0, "{found:?}");
        }
    }

    #[test]
    fn the_older_of_two_equal_differences_leaves() {
        let mut window = Window::new(2);
        window.admit(0, &[1.0, 0.0]);
        window.admit(1, &[1.0, 1.0]);
        let found = window.coefficients(&[2.0, 2.0], 0.0);
        assert_eq!((found, window.used), (vec![0.0, 2.0], vec![1]));
    }

    #[test]
    fn a_difference_of_zero_or_nan_is_not_taken() {
        let mut window = Window::new(2);
        window.admit(0, &[0.0, 0.0]);
        window.admit(1, &[f64::NAN, f64::NAN]);
        assert_eq!(window.coefficients(&[1.0, 1.0], 1e-10), [0.0, 0.0]);
    }
}
