//! The largest singular value of a bidiagonal matrix by Laguerre's iteration.

/// Steps after which the largest values lie too close together for the iteration.
const STEPS: usize = 30;

/// The largest singular value of the upper bidiagonal matrix with the entries alpha_1, beta_1, alpha_2, ..., or the
/// second one where `first` is the largest.
///
/// `None` where the iteration does not settle, or leaves the range of `f64`. The value is good to some roundings where
/// it is one: a caller asks a Sturm count.
///
/// Laguerre's iteration for p(x) = det(BᵀB - x) starts right of all roots, from where it falls to the largest one, in
/// the end with the third power of the error (Parlett 1964, *Laguerre's method applied to the matrix eigenvalue
/// problem*). With G = p' / p and H = G² - p'' / p, a step of degree n is x - n / (G + √((n - 1)(n H - G²))).
///
/// The root of a first value is divided out: G loses 1 / (x - first²) and H its square (Maehly).
pub(super) fn largest_singular_value(chain: &[f64], first: Option<f64>) -> Option<f64> {
    let squares: Vec<f64> = chain.iter().map(|value| value * value).collect();
    let alpha = |row: usize| squares[2 * row];
    let beta = |row: usize| squares.get(2 * row + 1).copied().unwrap_or(0.0);
    let size = chain.len().div_ceil(2);
    let degree = (size - usize::from(first.is_some()).min(size)) as f64;
    // The largest row sum of BᵀB bounds its eigenvalues.
    let entry = |index: usize| chain.get(index).copied().unwrap_or(0.0).abs();
    let diagonal = |row: usize| alpha(row) + if row > 0 { beta(row - 1) } else { 0.0 };
    let coupling = |row: usize| entry(2 * row) * entry(2 * row + 1);
    let sum = |row: usize| diagonal(row) + coupling(row) + if row > 0 { coupling(row - 1) } else { 0.0 };
    let mut x = (0..size).map(sum).fold(0.0, f64::max) * (1.0 + 4.0 * f64::EPSILON);
    if !(f64::MIN_POSITIVE / f64::EPSILON..f64::MAX * f64::EPSILON).contains(&x) {
        return None;
    }
    for _ in 0..STEPS {
        // Pivots of BᵀB - x, with their first two derivatives in parts of the pivot.
        let (mut pivot, mut once, mut twice) = (1.0, 0.0, 0.0);
        let (mut gradient, mut curvature) = (0.0, 0.0);
        for row in 0..size {
            let square = if row > 0 { alpha(row - 1) * beta(row - 1) } else { 0.0 };
            let part = square / pivot;
            let slope = part * once - 1.0;
            let bend = part * (twice - 2.0 * once * once);
            pivot = diagonal(row) - x - part;
            (once, twice) = (slope / pivot, bend / pivot);
            gradient += once;
            curvature += once * once - twice;
        }
        if let Some(known) = first {
            let part = 1.0 / (x - known * known);
            (gradient, curvature) = (gradient - part, curvature - part * part);
        }
        let root = ((degree - 1.0) * (degree * curvature - gradient * gradient)).max(0.0).sqrt();
        let step = degree / (gradient + root);
        if !step.is_finite() {
            // The pivot vanished: x is an eigenvalue to the last bit.
            return Some(x.sqrt()).filter(|value| value.is_finite());
        }
        x -= step;
        if step <= 2.0 * f64::EPSILON * x {
            return Some(x.sqrt());
        }
    }
    None
}
