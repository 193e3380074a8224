//! The options of a measurement.

use std::fmt;

use super::Axes;
use crate::OpenEnded;
use crate::certify::Certifier;
use crate::norm::Method;

/// Options of a measurement. The default is the audit of a checkpoint: every norm of every tensor.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Options {
    /// The solver of the spectral norm.
    pub method: Method,
    /// The norms to compute.
    pub norms: Norms,
    /// The meaning of axes beyond two.
    pub axes: Axes,
    /// The bounds on the spectral norm.
    pub bound: Bound,
    /// The number of largest singular values to find besides the norm; for [`Method::Lanczos`] only. A complex
    /// matrix has each value once.
    pub top: Option<usize>,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

/// The kind of the bounds on a spectral norm.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Bound {
    /// No bounds.
    None,
    /// A proven lower bound of the matrix as the device holds the matrix.
    #[default]
    Lower,
    /// A lower and an upper bound, for all but a share `delta` of random starts; for [`Method::Lanczos`] only.
    Probabilistic {
        /// The failure probability.
        delta: f64,
    },
    /// Proven bounds of the matrix in the file.
    Certified(Certifier),
}

/// The requested norms of a tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Norms {
    /// The spectral norm with the cheap norms.
    #[default]
    All,
    /// A single norm.
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
#[non_exhaustive]
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
