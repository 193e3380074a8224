//! Singular values and vectors of the bidiagonal matrix that Lanczos builds.

use faer::Mat;

use super::bisection::{count_below, largest_eigenvalue};
use super::laguerre::largest_singular_value;
use crate::bound::norm_of;

/// The upper bidiagonal matrix of Golub-Kahan-Lanczos: A V = U B, Aᵀ U = V Bᵀ + residual v eᵀ.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::norm) struct Bidiagonal {
    /// The diagonal.
    pub(in crate::norm) alphas: Vec<f64>,
    /// The superdiagonal, one shorter.
    pub(in crate::norm) betas: Vec<f64>,
    /// The norm of the part outside the Krylov subspace: 0 where the subspace is invariant.
    pub(in crate::norm) residual: f64,
}

/// The largest singular value of a bidiagonal matrix, with its vectors.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::norm) struct Leading {
    pub(in crate::norm) sigma: f64,
    pub(in crate::norm) left: Vec<f64>,
    pub(in crate::norm) right: Vec<f64>,
}

impl Bidiagonal {
    /// The largest singular value and its vectors, in time linear in the size.
    ///
    /// Singular values are the positive eigenvalues of the symmetric tridiagonal matrix with zero diagonal and
    /// off-diagonal alpha_1, beta_1, alpha_2, ... Eigenvalues come as pairs ±sigma with vectors (v_1, u_1, v_2, ...)
    /// / √2 (Golub and Kahan 1965). Laguerre's iteration finds the value, Sturm counts confirm it, and inverse
    /// iteration finds the vector.
    pub(in crate::norm) fn leading(&self) -> Leading {
        let chain = self.chain();
        let sigma = largest(&chain);
        let vector = eigenvector(&chain, sigma);
        let part = |first: usize| unit(vector.iter().skip(first).step_by(2).copied().collect());
        Leading { sigma, right: part(0), left: part(1) }
    }

    /// The residual |Aᵀu - sigma v| of a Ritz triplet whose left coefficients are given.
    pub(in crate::norm) fn residual_of(&self, left: &[f64]) -> f64 {
        self.residual * left.last().map_or(0.0, |last| last.abs())
    }

    /// The number of singular values of at least `value`, for a positive value.
    pub(in crate::norm) fn count_from(&self, value: f64) -> usize {
        2 * self.alphas.len() - count_below(&self.chain(), value)
    }

    /// The singular value of this rank, the largest having rank 1; 0 where there are fewer.
    pub(in crate::norm) fn value(&self, rank: usize) -> f64 {
        let chain = self.chain();
        match rank {
            _ if rank > self.alphas.len() => 0.0,
            1 => largest(&chain),
            2 => {
                let found = largest_singular_value(&chain, Some(largest(&chain)));
                confirmed(&chain, found, 2)
            }
            _ => largest_eigenvalue(&chain, rank),
        }
    }

    /// The residual of the Ritz triplet of this rank, in time linear in the size.
    ///
    /// The residual is 0 for a value next to zero, because the vectors of such values are not told apart.
    pub(in crate::norm) fn residual_of_rank(&self, rank: usize) -> f64 {
        let (value, largest) = (self.value(rank), self.value(1));
        if value <= f64::EPSILON * largest {
            return 0.0;
        }
        let vector = eigenvector(&self.chain(), value);
        self.residual_of(&unit(vector.into_iter().skip(1).step_by(2).collect()))
    }

    /// All singular triplets (sigma, left, right) with coefficients in the Krylov bases, largest first, by a dense
    /// decomposition.
    pub(in crate::norm) fn triplets(&self) -> Vec<(f64, Vec<f64>, Vec<f64>)> {
        let size = self.alphas.len();
        let dense = Mat::from_fn(size, size, |row, col| {
            if row == col {
                self.alphas[row]
            } else if row + 1 == col {
                self.betas[row]
            } else {
                0.0
            }
        });
        let Ok(svd) = dense.svd() else {
            return Vec::new();
        };
        let column = |matrix: faer::MatRef<'_, f64>, col: usize| (0..size).map(|row| matrix[(row, col)]).collect();
        (0..size).map(|index| (svd.S()[index], column(svd.U(), index), column(svd.V(), index))).collect()
    }

    fn chain(&self) -> Vec<f64> {
        let mut chain = Vec::with_capacity(2 * self.alphas.len());
        for (index, alpha) in self.alphas.iter().enumerate() {
            chain.push(*alpha);
            if index + 1 < self.alphas.len() {
                chain.push(self.betas[index]);
            }
        }
        chain
    }
}

/// The largest eigenvalue.
fn largest(chain: &[f64]) -> f64 {
    confirmed(chain, largest_singular_value(chain, None), 1)
}

/// The eigenvalue of a rank, by bisection where Sturm counts do not confirm the value found.
fn confirmed(chain: &[f64], found: Option<f64>, rank: usize) -> f64 {
    let exceeding = |value: f64| chain.len() + 1 - count_below(chain, value);
    let is_of_rank = |value: &f64| {
        let (below, above) = (value * (1.0 - 16.0 * f64::EPSILON), value * (1.0 + 16.0 * f64::EPSILON));
        exceeding(above) < rank && exceeding(below) >= rank
    };
    found.filter(is_of_rank).unwrap_or_else(|| largest_eigenvalue(chain, rank))
}

/// The factors of a tridiagonal matrix without its eigenvalue, with rows exchanged (LAPACK's `gttrf` in small).
struct Factors {
    /// The inverses of the diagonal of the upper factor, and the two diagonals above.
    inverses: Vec<f64>,
    upper: Vec<f64>,
    second_upper: Vec<f64>,
    lower: Vec<f64>,
    swapped: Vec<bool>,
}

impl Factors {
    fn of(chain: &[f64], value: f64) -> Self {
        let size = chain.len() + 1;
        let scale = value.abs().max(f64::MIN_POSITIVE);
        // The shift lies just off the eigenvalue, so that the matrix can be factorised.
        let shift = value * (1.0 + 4.0 * f64::EPSILON);
        let mut diagonal = vec![-shift / scale; size];
        let mut upper: Vec<f64> = chain.iter().map(|value| value / scale).collect();
        let mut lower = upper.clone();
        let mut second_upper = vec![0.0; size.saturating_sub(2)];
        let mut swapped = vec![false; size.saturating_sub(1)];
        for row in 0..size.saturating_sub(1) {
            if diagonal[row].abs() >= lower[row].abs() {
                if diagonal[row] == 0.0 {
                    diagonal[row] = f64::EPSILON;
                }
                let factor = lower[row] / diagonal[row];
                lower[row] = factor;
                diagonal[row + 1] -= factor * upper[row];
            } else {
                swapped[row] = true;
                let factor = diagonal[row] / lower[row];
                diagonal[row] = lower[row];
                lower[row] = factor;
                let above = upper[row];
                upper[row] = diagonal[row + 1];
                diagonal[row + 1] = above - factor * diagonal[row + 1];
                if row + 2 < size {
                    second_upper[row] = upper[row + 1];
                    upper[row + 1] *= -factor;
                }
            }
        }
        if diagonal[size - 1] == 0.0 {
            diagonal[size - 1] = f64::EPSILON;
        }
        let inverses = diagonal.iter().map(|value| value.recip()).collect();
        Self { inverses, upper, second_upper, lower, swapped }
    }

    /// Solves with a right side, which becomes the solution.
    fn solve(&self, vector: &mut [f64]) {
        let size = vector.len();
        for row in 0..size.saturating_sub(1) {
            if self.swapped[row] {
                vector.swap(row, row + 1);
            }
            vector[row + 1] -= self.lower[row] * vector[row];
        }
        for row in (0..size).rev() {
            let mut sum = vector[row];
            if row + 1 < size {
                sum -= self.upper[row] * vector[row + 1];
            }
            if row + 2 < size {
                sum -= self.second_upper[row] * vector[row + 2];
            }
            vector[row] = sum * self.inverses[row];
        }
    }
}

/// A unit eigenvector by inverse iteration, until an iteration changes nothing but the sign.
fn eigenvector(chain: &[f64], value: f64) -> Vec<f64> {
    const MOST: usize = 4;
    let factors = Factors::of(chain, value);
    // A start without zeros and without symmetry has a part along any eigenvector.
    let start = |index: usize| 1.0 + 0.5 * ((index * 7 + 3) % 11) as f64 / 11.0;
    let mut vector: Vec<f64> = (0..=chain.len()).map(start).collect();
    for _ in 0..MOST {
        let before = vector.clone();
        factors.solve(&mut vector);
        vector = unit(vector);
        let change = |(now, before): (&f64, &f64)| (now.abs() - before.abs()).abs();
        if vector.iter().zip(&before).map(change).fold(0.0, f64::max) <= 2.0 * f64::EPSILON {
            break;
        }
    }
    vector
}

fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let norm = norm_of(&vector);
    if norm > 0.0 && norm.is_finite() {
        vector.iter_mut().for_each(|value| *value /= norm);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bidiagonal(alphas: Vec<f64>, betas: Vec<f64>) -> Bidiagonal {
        Bidiagonal { alphas, betas, residual: 0.0 }
    }

    proptest! {
        #[test]
        fn leading_values_match_a_dense_decomposition(
            pairs in prop::collection::vec((0.0f64..2.0, 0.0f64..2.0), 1..40),
            holes in prop::collection::vec(any::<bool>(), 40),
        ) {
            // A hole is where a chain broke down and was taken up again.
            let value = |(value, hole): (f64, &bool)| if *hole && value < 0.5 { 0.0 } else { value };
            let alphas: Vec<f64> = pairs.iter().zip(&holes).map(|(pair, hole)| value((pair.0, hole))).collect();
            let betas: Vec<f64> = pairs.iter().zip(&holes).skip(1).map(|(pair, hole)| value((pair.1, hole))).collect();
            let matrix = bidiagonal(alphas, betas);
            let leading = matrix.leading();
            let exact = matrix.triplets();
            prop_assert!((leading.sigma - exact[0].0).abs() <= 1e-13 * exact[0].0.max(1e-300));
            if exact.len() > 1 {
                prop_assert!((matrix.value(2) - exact[1].0).abs() <= 1e-12 * exact[0].0.max(1e-300));
            }
            if exact[0].0 > 0.0 {
                // B v = sigma u, for the vectors found.
                let size = matrix.alphas.len();
                for row in 0..size {
                    let beta = matrix.betas.get(row).map_or(0.0, |beta| beta * leading.right[row + 1]);
                    let product = matrix.alphas[row] * leading.right[row] + beta;
                    prop_assert!((product - leading.sigma * leading.left[row]).abs() <= 1e-10 * leading.sigma);
                }
            }
        }
    }

    #[test]
    fn one_by_one_and_zero() {
        let matrix = bidiagonal(vec![3.0], vec![]);
        let leading = matrix.leading();
        assert!((leading.sigma - 3.0).abs() < 1e-14 && matrix.value(2) == 0.0);
        assert!((leading.left[0].abs() - 1.0).abs() < 1e-14 && leading.left[0] == leading.right[0]);
        assert!(bidiagonal(vec![0.0, 0.0], vec![0.0]).leading().sigma < 1e-300);
    }
}
