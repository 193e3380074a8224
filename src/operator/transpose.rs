//! The transpose Aᵀ.

use futures::future::LocalBoxFuture;

use super::{Ball, Both, Claims, HostProducts, Knowledge, LinearOperator, Shift};
use crate::Result;
use crate::device::{Device, Recorder};
use crate::tensor::{Position, Tensor};

/// The transpose of an operator, with its two products exchanged.
#[derive(Clone, Debug)]
pub struct Transpose<O>(
    /// The operator to transpose.
    pub O,
);

impl<O: LinearOperator> LinearOperator for Transpose<O> {
    fn device(&self) -> &Device {
        self.0.device()
    }

    fn batch(&self) -> usize {
        self.0.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.0.codomain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.0.domain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.0.apply_adjoint(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.0.apply(recorder, input, output)
    }

    fn apply_both(
        &self,
        recorder: &mut Recorder,
        adjoint: bool,
        input: &Tensor,
        shift: Shift<'_>,
        product: &Tensor,
    ) -> Result<Both> {
        self.0.apply_both(recorder, !adjoint, input, shift, product)
    }

    fn claims(&self) -> Claims {
        self.0.claims().transposed(self.0.domain() == self.0.codomain())
    }

    fn exponent(&self, item: usize) -> i32 {
        self.0.exponent(item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        match self.0.knowledge(item) {
            Knowledge::NonFinite(Position { row, col }) => Knowledge::NonFinite(Position { row: col, col: row }),
            other => other,
        }
    }

    fn bytes_per_product(&self) -> u64 {
        self.0.bytes_per_product()
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        self.0.enclose_adjoint(item, input)
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        self.0.enclose(item, input)
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        self.0.products_on_host(!adjoint, inputs)
    }

    fn is_slow_on_host(&self) -> bool {
        self.0.is_slow_on_host()
    }
}
