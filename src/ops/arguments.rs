//! Named arguments that several operations take.

use crate::device::Buffer;
use crate::tensor::Storage;

/// Vectors of the same length, in sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The number of vectors.
    pub vectors: usize,
    /// The elements of each vector.
    pub length: usize,
}

/// Bases of vectors in slots; each slot holds a basis vector for every vector.
#[derive(Clone, Copy, Debug)]
pub struct BasisRef<'a> {
    /// The elements.
    pub buffer: &'a Buffer<f32>,
    /// The number of slots.
    pub slots: usize,
    /// The number of elements from one slot to the next.
    pub stride: usize,
}

/// Sums in parts, not yet added up.
#[derive(Debug)]
pub struct Segmented<'a, T> {
    /// The parts, segment after segment.
    pub buffer: &'a Buffer<T>,
    /// The number of segments.
    pub count: usize,
}

impl<T> Clone for Segmented<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Segmented<'_, T> {}

/// LU factors of a batch of square matrices, as [`super::lu_panel`] makes them.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'a> {
    /// batch × (size + 2) × size: L below the diagonal and U from the diagonal on, a row of pivots, and the row of the
    /// permutation.
    pub buffer: &'a Buffer<f32>,
    /// The number of matrices.
    pub batch: usize,
    /// The rows of a matrix.
    pub size: usize,
}

/// The sizes around one axis of a tensor, which is outer × length × inner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// The product of the sizes before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub length: usize,
    /// The product of the sizes after the axis.
    pub inner: usize,
}

/// The sizes of a batch of products: (rows × inner) · (inner × cols).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The number of products.
    pub batch: usize,
    /// The rows of the left side.
    pub rows: usize,
    /// The columns of the left side, the rows of the right side.
    pub inner: usize,
    /// The columns of the right side.
    pub cols: usize,
}

/// The storage of the rows of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowLayout {
    /// The type of the elements.
    pub storage: Storage,
    /// Groups of four elements in a row.
    pub quads: usize,
}
