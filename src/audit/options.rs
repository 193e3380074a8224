//! What is measured, and how.

use std::fmt;

use super::Axes;
use crate::certify::Certifier;
use crate::norm::Method;

/// What is measured, and how. The default is a checkpoint's audit: every norm of every tensor.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The solver of the spectral norm.
    pub method: Method,
    /// Which norms.
    pub norms: Norms,
    /// What axes beyond two mean.
    pub axes: Axes,
    /// What is to be said about where the spectral norm lies.
    pub bound: Bound,
    /// How many of the largest singular values to find besides the norm; for [`Method::Lanczos`] only.
    pub top: Option<usize>,
}

/// What is said about where a spectral norm lies.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// Nothing.
    None,
    /// A proven lower bound, of the matrix as the device holds it.
    #[default]
    Lower,
    /// An upper bound besides, for all but a share `delta` of all starts; for [`Method::Lanczos`] only.
    Probabilistic {
        /// The probability with which it fails.
        delta: f64,
    },
    /// Proven bounds of the matrix that the file holds.
    Certified(Certifier),
}

/// Which norms of a tensor are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Norms {
    /// The spectral norm, and the cheap norms beside it.
    #[default]
    All,
    /// One norm.
    Only(Order),
}

impl Norms {
    /// The norm that [`Row::sigma`](super::Row::sigma) holds.
    pub fn order(self) -> Order {
        match self {
            Self::All => Order::Spectral,
            Self::Only(order) => order,
        }
    }
}

/// A norm of a matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// The largest singular value.
    #[default]
    Spectral,
    /// The root of the sum of squares.
    Frobenius,
    /// The largest sum of magnitudes in a column.
    One,
    /// The largest sum of magnitudes in a row.
    Infinity,
}

impl Order {
    /// `2`, `fro`, `1` or `inf`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spectral => "2",
            Self::Frobenius => "fro",
            Self::One => "1",
            Self::Infinity => "inf",
        }
    }
}

/// As [`Order::as_str`].
impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}
