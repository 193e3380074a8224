//! A matrix on an adapter whose entries the host has as well.

use std::ops::Range;

use futures::future::LocalBoxFuture;

use super::{Both, HostProducts, Knowledge, LinearOperator, Shift};
use crate::Result;
use crate::bound::Ball;
use crate::device::{Device, Recorder, each_item};
use crate::native;
use crate::tensor::{ElementSource, Matrix, Tensor};

/// The words of a piece of rows.
const PIECE: usize = 1 << 17;

/// A matrix on an adapter with the source that it was uploaded from, so that no proof reads the matrix back.
pub(crate) struct AtHand<'a, S: ?Sized> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) source: &'a S,
}

impl<S: ElementSource + Sync + ?Sized> AtHand<'_, S> {
    /// Each row · `center` and the sum of its squares, from the words that the device holds.
    fn products_and_squares(&self, item: usize, center: &[f64]) -> Result<Vec<[f64; 2]>> {
        type Piece = (Range<usize>, Result<Vec<[f64; 2]>>);
        let (matrix, rows, form) = (self.matrix, self.matrix.rows(), self.matrix.row_form());
        let step = (PIECE / form.wide.max(1)).max(1);
        let piece = |first: usize| (first..rows.min(first + step), Ok(Vec::new()));
        let mut pieces: Vec<Piece> = (0..rows).step_by(step).map(piece).collect();
        each_item(&mut pieces, |(rows, sums)| {
            let words = matrix.words_of(self.source, item, rows.clone());
            *sums = words.map(|words| native::products_and_squares(&words, form, center));
        });
        let sums: Vec<Vec<[f64; 2]>> = pieces.into_iter().map(|(_, sums)| sums).collect::<Result<_>>()?;
        Ok(sums.concat())
    }
}

impl<S: ElementSource + Sync + ?Sized> LinearOperator for AtHand<'_, S> {
    fn device(&self) -> &Device {
        self.matrix.device()
    }

    fn batch(&self) -> usize {
        self.matrix.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.matrix.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.matrix.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.matrix.apply(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.matrix.apply_adjoint(recorder, input, output)
    }

    fn apply_both(
        &self,
        recorder: &mut Recorder,
        adjoint: bool,
        input: &Tensor,
        shift: Shift<'_>,
        product: &Tensor,
    ) -> Result<Both> {
        self.matrix.apply_both(recorder, adjoint, input, shift, product)
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        Some(self.matrix)
    }

    fn exponent(&self, item: usize) -> i32 {
        self.matrix.exponent(item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        self.matrix.knowledge(item)
    }

    fn bytes_per_product(&self) -> u64 {
        self.matrix.bytes_per_product()
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let sums = self.products_and_squares(item, &input.center)?;
            Ok(Some(self.matrix.ball_of(item, &sums, &input)))
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        self.matrix.enclose_adjoint(item, input)
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        self.matrix.products_on_host(adjoint, inputs)
    }

    fn column_medians<'a>(&'a self, item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
        self.matrix.column_medians(item)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use half::{bf16, f16};

    use super::*;

    /// The bits of the sums, from the source and from the words that the host holds.
    fn check<S: ElementSource + Sync>(source: &S, (items, rows, cols): (usize, usize, usize)) {
        let device = Device::host().unwrap();
        let matrix = Matrix::upload(&device, (items, rows, cols), source).unwrap();
        let center: Vec<f64> = (0..cols).map(|col| 1.0 / (col as f64 - 3.5)).collect();
        let operator = AtHand { matrix: &matrix, source };
        for item in 0..items {
            let (form, input) = (matrix.row_form(), center.clone());
            let look = matrix.look(item, move |words| native::products_and_squares(words, form, &input));
            let held = device.block_on(look).unwrap().concat();
            assert_eq!(operator.products_and_squares(item, &center).unwrap(), held, "item {item}");
        }
    }

    #[test]
    fn sums_of_the_source_are_those_of_the_device() {
        let values: Vec<f64> = (0..2 * 700 * 301u32).map(|place| f64::from(place * 79 % 1009) / 3.0 - 170.0).collect();
        let singles: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        check(&values, (2, 700, 301));
        check(&singles, (2, 700, 301));
        check(&singles, (1, 1400, 301));
        let scaled: Vec<f64> = values.iter().map(|value| value * 1e60).collect();
        check(&scaled, (2, 700, 301));
        check(&values.iter().map(|value| f16::from_f64(*value)).collect::<Vec<_>>(), (2, 700, 301));
        check(&values.iter().map(|value| bf16::from_f64(*value)).collect::<Vec<_>>(), (2, 700, 301));
    }
}
