//! The weight that a layer uses, from its parts.

use super::entries::{Sliced, pieces, values};
use super::estimate::Estimate;
use super::stored::StoredWeight;
use crate::Result;
use crate::io::{Checkpoint, Entry, TensorView, encode};
use crate::tensor::ElementSource;
use crate::tensor::screen::{binary_exponent, scaling};

impl StoredWeight {
    /// The weight that the layer uses: W / (uᵀ W v), or g v / ‖v‖. A weight of zeros stays zero.
    ///
    /// Computed in `f64`, and each element rounded once to the type of the stored weight. A weight with NaN or infinity
    /// is returned as stored, so that its norm tells the place.
    ///
    /// # Errors
    /// [`Error::File`](crate::Error::File) for parts that cannot be read, for a u or v that is not finite, and where
    /// uᵀ W v is 0 while W is not.
    pub fn effective(&self, checkpoint: &Checkpoint) -> Result<TensorView<'_>> {
        let estimate = self.estimate(checkpoint)?;
        TensorView::computed(&self.plain, self.divided(checkpoint, estimate.as_ref())?)
    }

    /// The matrix of the weight that the layer uses.
    pub(crate) fn effective_matrix(&self, checkpoint: &Checkpoint) -> Result<(TensorView<'_>, Option<Estimate>)> {
        let estimate = self.estimate(checkpoint)?;
        let bytes = self.divided(checkpoint, estimate.as_ref())?;
        Ok((TensorView::computed(&self.matrix, self.in_rows(bytes, estimate.as_ref()))?, estimate))
    }

    /// The matrix of the stored W.
    pub(super) fn stored_matrix(&self, checkpoint: &Checkpoint, estimate: &Estimate) -> Result<TensorView<'_>> {
        self.matrix_of(self.each(checkpoint, |value| value)?, estimate)
    }

    /// The matrix of bytes in the order of the stored W.
    pub(super) fn matrix_of(&self, bytes: Vec<u8>, estimate: &Estimate) -> Result<TensorView<'_>> {
        TensorView::computed(&self.matrix, self.in_rows(bytes, Some(estimate)))
    }

    /// W divided by a norm, as bytes of its type. A norm of 0 leaves W as it is.
    pub(super) fn divided_by(&self, checkpoint: &Checkpoint, norm: f64) -> Result<Vec<u8>> {
        self.each(checkpoint, |value| if norm > 0.0 { value / norm } else { value })
    }

    /// The plain weight as bytes of its type.
    pub(super) fn divided(&self, checkpoint: &Checkpoint, estimate: Option<&Estimate>) -> Result<Vec<u8>> {
        let Some(estimate) = estimate else { return self.with_lengths(checkpoint) };
        if let Some(problem) = estimate.problem() {
            return Err(self.error(problem));
        }
        if estimate.is_zero || !estimate.is_finite {
            return self.each(checkpoint, |value| value);
        }
        let scaled = scaling(-estimate.exponent);
        self.each(checkpoint, |value| scaled(value) / estimate.scaled)
    }

    /// g v / ‖v‖ as bytes of its type.
    fn with_lengths(&self, checkpoint: &Checkpoint) -> Result<Vec<u8>> {
        let weight = checkpoint.read(&self.weight)?;
        let sliced = self.sliced(None);
        let lengths = match &self.others[..] {
            [lengths] => values(&checkpoint.read(lengths)?, lengths.elements())?,
            _ => return Err(self.error("has no lengths g")),
        };
        let norms = slice_norms(sliced, &weight)?;
        let mut walk = sliced.walk();
        self.each(checkpoint, |value| {
            let row = walk.next().map_or(0, |(row, _)| row);
            // A slice of zeros has no direction, and PyTorch makes NaN of it.
            let (norm, exponent) = norms[row];
            if norm > 0.0 { scaling(-exponent)(value) / norm * lengths[row] } else { value }
        })
    }

    /// Each element of the main part, in order, through a function, as bytes of its type.
    fn each(&self, checkpoint: &Checkpoint, mut function: impl FnMut(f64) -> f64) -> Result<Vec<u8>> {
        let (view, elements) = (checkpoint.read(&self.weight)?, self.weight.elements());
        let mut bytes = Vec::with_capacity(elements * self.weight.element.size());
        let mut results = Vec::new();
        pieces(&view, elements, |piece| {
            results.clear();
            results.extend(piece.iter().map(|&value| function(value)));
            encode(&self.weight.element, &results, &mut bytes);
        })?;
        Ok(bytes)
    }

    /// Bytes of the plain weight in the order of its matrix.
    fn in_rows(&self, bytes: Vec<u8>, estimate: Option<&Estimate>) -> Vec<u8> {
        let Entry { shape, element, .. } = &self.plain;
        match estimate {
            Some(estimate) if estimate.axis > 0 && shape.len() > 2 => {
                self.sliced(Some(estimate.axis)).in_rows(&bytes, element.size())
            }
            _ => bytes,
        }
    }

    fn sliced(&self, axis: Option<usize>) -> Sliced {
        Sliced::new(&self.weight.shape, axis.or(self.axes.first().copied()))
    }
}

/// The norm of each slice divided by a power of two, and the exponent of that power, so that no square is out of range.
fn slice_norms<S: ElementSource + ?Sized>(sliced: Sliced, source: &S) -> Result<Vec<(f64, i32)>> {
    let mut largest = vec![0.0f64; sliced.rows];
    sliced.visit(source, |row, _, value| largest[row] = largest[row].max(value.abs()))?;
    let exponent = |largest: &f64| if *largest > 0.0 && largest.is_finite() { binary_exponent(*largest) } else { 0 };
    let exponents: Vec<i32> = largest.iter().map(exponent).collect();
    let mut squares = vec![0.0f64; sliced.rows];
    sliced.visit(source, |row, _, value| squares[row] += scaling(-exponents[row])(value).powi(2))?;
    Ok(squares.iter().map(|squares| squares.sqrt()).zip(exponents).collect())
}
