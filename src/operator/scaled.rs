//! The multiple factor · A of an operator.

use futures::future::LocalBoxFuture;

use super::factors::Factors;
use super::{Ball, Both, Claims, HostProducts, Knowledge, LinearOperator, Shift, width};
use crate::device::{Buffer, Device, Recorder};
use crate::ops::{self, Rows};
use crate::tensor::screen::{binary_exponent, scale_by_power};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The operator `factor · operator`, with a factor for all batch items or a factor for each.
#[derive(Clone, Debug)]
pub struct Scaled<O> {
    operator: O,
    factors: Vec<f32>,
    uploaded: Factors,
}

impl<O: LinearOperator> Scaled<O> {
    /// The multiple by the same factor for every batch item.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when the factor is not finite.
    pub fn new(operator: O, factor: f32) -> Result<Self> {
        let factors = vec![factor; operator.batch()];
        Self::each(operator, factors)
    }

    /// The multiple by a factor for each batch item.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of factors than batch items, [`Error::InvalidOption`] when a
    /// factor is not finite.
    pub fn each(operator: O, factors: Vec<f32>) -> Result<Self> {
        super::expect_batch("scaled operator", operator.batch(), factors.len())?;
        if let Some(bad) = factors.iter().find(|factor| !factor.is_finite()) {
            return Err(Error::InvalidOption {
                operation: "scaled operator",
                option: "factor",
                value: bad.to_string(),
                allowed: "finite",
            });
        }
        Ok(Self { operator, factors, uploaded: Factors::default() })
    }

    /// `-operator`.
    pub(crate) fn negated(operator: O) -> Self {
        let factors = vec![-1.0; operator.batch()];
        Self { operator, factors, uploaded: Factors::default() }
    }

    pub(super) fn operator(&self) -> &O {
        &self.operator
    }

    pub(super) fn factors(&self) -> &[f32] {
        &self.factors
    }

    /// The power of two that the exponent takes from a factor.
    fn shift(&self, item: usize) -> i32 {
        let factor = self.factors[item];
        if factor == 0.0 { 0 } else { binary_exponent(f64::from(factor.abs())) }
    }

    /// The rest of a factor, in [1, 2) but for its sign.
    fn mantissa(&self, item: usize) -> f64 {
        scale_by_power(f64::from(self.factors[item]), -self.shift(item))
    }

    /// The mantissas on the device, once for each of `width` vectors of an item.
    fn mantissas(&self, recorder: &Recorder, width: usize) -> Result<Buffer<f32>> {
        let factors = (0..self.factors.len()).map(|item| self.mantissa(item) as f32).collect();
        self.uploaded.buffer(recorder.device(), "scaled operator", width, factors)
    }

    fn times(
        &self,
        recorder: &mut Recorder,
        operator: &dyn LinearOperator,
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let operation = "scaled operator";
        let width = width(operation, operator.batch(), &operator.domain(), input)?;
        let factors = self.mantissas(recorder, width)?;
        let to = operator.codomain();
        let (vectors, size) = (operator.batch() * width, volume(&to));
        let scratch = recorder.device().scratch(operation, vectors * size)?;
        let product = Tensor::from_buffer(scratch.clone(), &[&[operator.batch(), width], &to[..]].concat())?;
        operator.apply(recorder, input, &product)?;
        ops::scale(recorder, Rows { vectors, length: size }, &factors, product.buffer(), output.buffer())
    }
}

impl<O: LinearOperator> LinearOperator for Scaled<O> {
    fn device(&self) -> &Device {
        self.operator.device()
    }

    fn batch(&self) -> usize {
        self.operator.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.operator.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.operator.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.times(recorder, &self.operator, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.times(recorder, &super::Transpose(&self.operator), input, output)
    }

    fn apply_both(
        &self,
        recorder: &mut Recorder,
        adjoint: bool,
        input: &Tensor,
        shift: Shift<'_>,
        product: &Tensor,
    ) -> Result<Both> {
        let vectors = shift.scale.len();
        let mantissas = self.mantissas(recorder, vectors.checked_div(self.batch()).unwrap_or(1))?;
        let scale = recorder.device().scratch("scaled operator", vectors)?;
        ops::scale(recorder, Rows { vectors, length: 1 }, &mantissas, shift.scale, &scale)?;
        let mut both = self.operator.apply_both(recorder, adjoint, input, Shift { scale: &scale, ..shift }, product)?;
        both.keep(scale);
        Ok(both)
    }

    fn claims(&self) -> Claims {
        self.operator.claims().scaled(&self.factors)
    }

    fn exponent(&self, item: usize) -> i32 {
        self.operator.exponent(item) + self.shift(item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        match self.operator.knowledge(item) {
            Knowledge::Nothing if self.factors[item] == 0.0 => Knowledge::Zero,
            other => other,
        }
    }

    fn bytes_per_product(&self) -> u64 {
        self.operator.bytes_per_product()
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let product = self.operator.enclose(item, input).await?;
            Ok(product.map(|product| product.scaled(self.mantissa(item))))
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let product = self.operator.enclose_adjoint(item, input).await?;
            Ok(product.map(|product| product.scaled(self.mantissa(item))))
        })
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        Box::pin(async move {
            let Some(products) = self.operator.products_on_host(adjoint, inputs).await? else { return Ok(None) };
            let scaled = |(item, balls): (usize, Vec<Ball>)| {
                balls.into_iter().map(|ball| ball.scaled(self.mantissa(item))).collect()
            };
            Ok(Some(products.into_iter().enumerate().map(scaled).collect()))
        })
    }

    fn is_slow_on_host(&self) -> bool {
        self.operator.is_slow_on_host()
    }
}
