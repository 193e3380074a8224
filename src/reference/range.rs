//! factor = 2^-e, the range of a solver.

/// The result of [`range`] for one vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranged {
    /// The power of two that brings the largest magnitude into [1, 2), as far as normal `f32` numbers reach; 1 for 0.
    pub factor: f64,
    /// Whether all elements are zero.
    pub zero: bool,
    /// Whether an element is NaN or infinite.
    pub non_finite: bool,
}

/// The power of two for a vector of this largest magnitude: `factor = 2^-e` with `2^e <= largest < 2^(e + 1)` and
/// `-126 <= e <= 126`; 1 where it is 0.
pub fn range(largest: f64, non_finite: bool) -> Ranged {
    if largest == 0.0 {
        return Ranged { factor: 1.0, zero: !non_finite, non_finite };
    }
    let exponent = (-126..=126).rev().find(|exponent| 2f64.powi(*exponent) <= largest).unwrap_or(-126);
    Ranged { factor: 2f64.powi(-exponent), zero: false, non_finite }
}
