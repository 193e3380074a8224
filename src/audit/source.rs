//! The elements of a tensor as the entries of matrices.

use crate::io::{Embedded, Magnitudes, TensorView};
use crate::tensor::{ElementSource, SourceElement};

/// A source that several threads read.
type Entries<'a> = Box<dyn ElementSource + Sync + 'a>;

/// The elements of a tensor.
pub(super) enum Source<'a> {
    /// Real elements.
    Real(Entries<'a>),
    /// Complex elements.
    Complex(TensorView<'a>),
}

impl<'a> Source<'a> {
    /// The elements of a tensor as they are.
    pub(super) fn of(view: TensorView<'a>) -> Self {
        if view.element().is_complex() { Self::Complex(view) } else { Self::Real(Box::new(view)) }
    }

    /// The number of singular values for each of the matrix: 2 for the real embedding of a complex matrix.
    pub(super) fn copies(&self) -> usize {
        match self {
            Self::Real(_) => 1,
            Self::Complex(_) => 2,
        }
    }

    /// Whether the device holds the elements rounded to `f32`.
    pub(super) fn is_rounded(&self) -> bool {
        match self {
            Self::Real(entries) => entries.element() == SourceElement::F64,
            Self::Complex(view) => !view.element().fits_f32(),
        }
    }

    /// The entries of the matrices whose singular values are those of the matrices of these sides, [`Source::copies`]
    /// times each.
    pub(super) fn matrices(&self, (rows, cols): (usize, usize)) -> Entries<'_> {
        match self {
            Self::Real(entries) => Box::new(entries.as_ref()),
            Self::Complex(view) => Box::new(Embedded::new(view, rows, cols)),
        }
    }

    /// The entries, or their magnitudes where they are complex: the same 1-, inf- and Frobenius norm.
    pub(super) fn magnitudes(&self) -> Entries<'_> {
        match self {
            Self::Real(entries) => Box::new(entries.as_ref()),
            Self::Complex(view) => Box::new(Magnitudes(view)),
        }
    }
}
