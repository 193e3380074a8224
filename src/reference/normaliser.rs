//! norm = root of a sum of squares, and inverse = factor / norm.

/// The result of [`normaliser`] for one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalised {
    /// The norm.
    pub norm: f64,
    /// The factor that makes a unit vector: factor / norm, or 0 where the vector stops.
    pub inverse: f64,
    /// The largest norm so far.
    pub largest: f64,
    /// Whether the norm is rounding noise beside the largest.
    pub breakdown: bool,
    /// Whether the norm is NaN or infinite.
    pub non_finite: bool,
}

/// The norm of a vector from its sums of squares: `norm = √(Σₛ squares[s])`, `inverse = factor / norm`; a breakdown is
/// `norm <= breakdown · max(largest, norm)`.
pub fn normaliser(squares: &[f64], factor: f64, largest: f64, breakdown: f64) -> Normalised {
    let norm = squares.iter().sum::<f64>().sqrt();
    if !norm.is_finite() {
        return Normalised { norm, inverse: 0.0, largest, breakdown: false, non_finite: true };
    }
    if norm <= breakdown * largest.max(norm) {
        return Normalised { norm, inverse: 0.0, largest, breakdown: true, non_finite: false };
    }
    let largest = largest.max(norm);
    Normalised { norm, inverse: factor / norm, largest, breakdown: false, non_finite: false }
}
