//! What a scaling of units by data finds.

/// The definition of a standard deviation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deviation {
    /// √(Σ (t - mean)² / n).
    #[default]
    Population,
    /// √(Σ (t - mean)² / (n - 1)), as PyTorch's `std`.
    Sample,
}

/// What was found at a layer before its units were scaled.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Standardised {
    /// The path of the layer.
    pub path: String,
    /// The mean of each unit over the batch.
    pub means: Vec<f64>,
    /// The standard deviation of each unit over the batch.
    pub deviations: Vec<f64>,
    /// The units that are constant over the batch. Their mean becomes 0, and their scale stays.
    pub constant: Vec<usize>,
}
