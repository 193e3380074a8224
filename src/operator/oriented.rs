//! An operator with its shorter side first.

use super::on_host::products_on_host;
use super::{Both, Knowledge, LinearOperator, Shift, sums_of};
use crate::Result;
use crate::bound::Ball;
use crate::device::{Buffer, Recorder};
use crate::iterate::Status;
use crate::tensor::{Position, Tensor, volume};

/// An operator with its shorter side as the start side of iterations.
pub(crate) struct Oriented<'a, O: ?Sized> {
    pub(crate) operator: &'a O,
    /// Whether the shorter side is the codomain, so that products use the transpose.
    pub(crate) transposed: bool,
    pub(crate) short: usize,
    pub(crate) long: usize,
    short_shape: Vec<usize>,
    long_shape: Vec<usize>,
}

impl<'a, O: LinearOperator + ?Sized> Oriented<'a, O> {
    /// The operator as it is, or transposed where its codomain is shorter.
    pub(crate) fn shorter_side_first(operator: &'a O) -> Self {
        let transposed = volume(&operator.codomain()) < volume(&operator.domain());
        Self::new(operator, transposed)
    }

    pub(crate) fn new(operator: &'a O, transposed: bool) -> Self {
        let (domain, codomain) = (operator.domain(), operator.codomain());
        let (short, long) = if transposed { (codomain, domain) } else { (domain, codomain) };
        Self { operator, transposed, short: volume(&short), long: volume(&long), short_shape: short, long_shape: long }
    }

    /// Products of the host with vectors of each item: from the short to the long side where `forward`, else back.
    pub(crate) async fn on_host(&self, forward: bool, inputs: Vec<Vec<Ball>>) -> Result<Option<Vec<Vec<Ball>>>> {
        products_on_host(self.operator, forward == self.transposed, inputs).await
    }

    /// The shape batch × columns × one vector.
    fn shape(&self, columns: usize, vector: &[usize]) -> Vec<usize> {
        [&[self.operator.batch(), columns], vector].concat()
    }

    /// The tensor as batch × columns × short and as batch × columns × long, with the columns from its number of
    /// elements.
    fn shaped(
        &self,
        (from, from_shape): (&Tensor, &[usize]),
        (to, to_shape): (&Tensor, &[usize]),
    ) -> Result<(Tensor, Tensor)> {
        let columns = from.len().checked_div(self.operator.batch() * volume(from_shape)).unwrap_or(1);
        Ok((from.reshaped(&self.shape(columns, from_shape))?, to.reshaped(&self.shape(columns, to_shape))?))
    }

    /// Records the product from the short to the long side.
    pub(crate) fn forward(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        let (from, to) = self.shaped((from, &self.short_shape), (to, &self.long_shape))?;
        self.product(recorder, mask, self.transposed, (&from, &to))
    }

    /// Records the product from the long to the short side.
    pub(crate) fn backward(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        let (from, to) = self.shaped((from, &self.long_shape), (to, &self.short_shape))?;
        self.product(recorder, mask, !self.transposed, (&from, &to))
    }

    /// Records a product from the short to the long side with a vector added, and the product back.
    pub(crate) fn both(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        from: &Tensor,
        shift: Shift<'_>,
        to: &Tensor,
    ) -> Result<Both> {
        let (from, to) = self.shaped((from, &self.short_shape), (to, &self.long_shape))?;
        recorder.masked(mask, |recorder| self.operator.apply_both(recorder, self.transposed, &from, shift, &to))
    }

    /// Records the product back of a vector of the long side.
    pub(crate) fn sums_of(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        product: &Tensor,
        scale: &Buffer<f32>,
    ) -> Result<Both> {
        let columns = product.len().checked_div(self.operator.batch() * volume(&self.long_shape)).unwrap_or(1);
        let product = product.reshaped(&self.shape(columns, &self.long_shape))?;
        recorder.masked(mask, |recorder| sums_of(self.operator, recorder, self.transposed, &product, scale))
    }

    fn product(
        &self,
        recorder: &mut Recorder,
        mask: &Buffer<u32>,
        adjoint: bool,
        (from, to): (&Tensor, &Tensor),
    ) -> Result<()> {
        recorder.masked(mask, |recorder| match adjoint {
            true => self.operator.apply_adjoint(recorder, from, to),
            false => self.operator.apply(recorder, from, to),
        })
    }

    pub(crate) fn short_zeros(&self, columns: usize) -> Result<Tensor> {
        Tensor::zeros(self.operator.device(), &self.shape(columns, &self.short_shape))
    }

    pub(crate) fn long_zeros(&self, columns: usize) -> Result<Tensor> {
        Tensor::zeros(self.operator.device(), &self.shape(columns, &self.long_shape))
    }

    /// The end of each batch item that needs no product: a zero or non-finite item, or any item of an empty operator.
    pub(crate) fn settled(&self) -> Vec<Option<Settled>> {
        let empty = self.short == 0 || self.long == 0;
        let settled = |item| match self.operator.knowledge(item) {
            Knowledge::NonFinite(position) => Some(Settled { status: Status::NonFinite, non_finite: Some(position) }),
            Knowledge::Zero => Some(Settled { status: Status::Zero, non_finite: None }),
            Knowledge::Nothing => empty.then_some(Settled { status: Status::Zero, non_finite: None }),
        };
        (0..self.operator.batch()).map(settled).collect()
    }
}

/// The end of a batch item before any product, and the position of its first entry that is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settled {
    pub(crate) status: Status,
    pub(crate) non_finite: Option<Position>,
}
