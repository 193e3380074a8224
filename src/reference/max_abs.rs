//! The largest finite magnitude and the first element that is not finite.

/// The result of [`max_abs`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxAbs {
    /// The largest magnitude of a finite element; 0 where there is none.
    pub largest: f64,
    /// The index of the first NaN or infinity.
    pub non_finite: Option<usize>,
}

/// The range of a vector: `max |input[i]|` over its finite elements, and the first element that is not finite.
pub fn max_abs(input: &[f64]) -> MaxAbs {
    let finite = input.iter().filter(|value| value.is_finite());
    MaxAbs {
        largest: finite.fold(0.0, |largest, value| value.abs().max(largest)),
        non_finite: input.iter().position(|value| !value.is_finite()),
    }
}
