//! |factor · product - sigma · direction|².

/// The square of a residual: `Σᵢ (factor product[i] - sigma direction[i])²`.
pub fn residual_squares(product: &[f64], direction: &[f64], factor: f64, sigma: f64) -> f64 {
    product.iter().zip(direction).map(|(product, direction)| (factor * product - sigma * direction).powi(2)).sum()
}
