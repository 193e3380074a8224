//! The sum A + B of two operators.

use futures::future::LocalBoxFuture;

use super::factors::Factors;
use super::{Ball, Claims, HostProducts, Knowledge, LinearOperator, expect_batch, width};
use crate::device::{Device, Recorder};
use crate::ops::{self, Multiples, Rows};
use crate::tensor::screen::power;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The operator `left + right`.
#[derive(Clone, Debug)]
pub struct Sum<A, B> {
    left: A,
    right: B,
    left_factors: Factors,
    right_factors: Factors,
}

impl<A: LinearOperator, B: LinearOperator> Sum<A, B> {
    /// The sum `left + right`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when domains, codomains or batches differ.
    pub fn new(left: A, right: B) -> Result<Self> {
        expect_batch("sum of operators", left.batch(), right.batch())?;
        let shapes = ((left.domain(), left.codomain()), (right.domain(), right.codomain()));
        if shapes.0 != shapes.1 {
            return Err(Error::ShapeMismatch {
                operation: "sum of operators",
                expected: format!("a second operator from {:?} to {:?}", shapes.0.0, shapes.0.1),
                found: format!("one from {:?} to {:?}", shapes.1.0, shapes.1.1),
            });
        }
        Ok(Self { left, right, left_factors: Factors::default(), right_factors: Factors::default() })
    }

    /// The left and the right operator.
    pub(super) fn parts(&self) -> (&A, &B) {
        (&self.left, &self.right)
    }

    /// Powers of two that bring the two scaled products to the larger of their exponents; none for a zero operator.
    fn factors(&self, item: usize) -> (f64, f64) {
        let common = self.exponent(item);
        // Below 2^-150 the smaller product is less than half an ulp of a subnormal, so that it adds nothing.
        let factor = |exponent: i32| power((exponent - common).clamp(-1000, 100));
        (factor(self.left.exponent(item)), factor(self.right.exponent(item)))
    }

    fn add(
        &self,
        recorder: &mut Recorder,
        (left, right): (&dyn LinearOperator, &dyn LinearOperator),
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let operation = "sum of operators";
        let width = width(operation, left.batch(), &left.domain(), input)?;
        let to = left.codomain();
        let (vectors, size) = (left.batch() * width, volume(&to));
        let pairs = || (0..left.batch()).map(|item| self.factors(item));
        let (of_left, of_right) = (pairs().map(|pair| pair.0 as f32), pairs().map(|pair| pair.1 as f32));
        let left_factors = self.left_factors.buffer(recorder.device(), operation, width, of_left.collect())?;
        let right_factors = self.right_factors.buffer(recorder.device(), operation, width, of_right.collect())?;
        let scratch = recorder.device().scratch(operation, vectors * size)?;
        let product = Tensor::from_buffer(scratch.clone(), &[&[left.batch(), width], &to[..]].concat())?;
        left.apply(recorder, input, output)?;
        right.apply(recorder, input, &product)?;
        let a = Multiples { sign: 1.0, values: &right_factors, first: 0 };
        ops::axpby(recorder, Rows { vectors, length: size }, a, product.buffer(), &left_factors, output.buffer())
    }

    fn join(&self, item: usize, left: Option<Ball>, right: Option<Ball>) -> Option<Ball> {
        let (left_factor, right_factor) = self.factors(item);
        Some(left?.scaled(left_factor).plus(&right?.scaled(right_factor)))
    }
}

impl<A: LinearOperator, B: LinearOperator> LinearOperator for Sum<A, B> {
    fn device(&self) -> &Device {
        self.left.device()
    }

    fn batch(&self) -> usize {
        self.left.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.left.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.left.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.add(recorder, (&self.left, &self.right), input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        let (left, right) = (super::Transpose(&self.left), super::Transpose(&self.right));
        self.add(recorder, (&left, &right), input, output)
    }

    fn claims(&self) -> Claims {
        self.left.claims().plus(&self.right.claims())
    }

    fn exponent(&self, item: usize) -> i32 {
        let (left, right) = (self.left.exponent(item), self.right.exponent(item));
        match (self.left.knowledge(item), self.right.knowledge(item)) {
            (Knowledge::Zero, _) => right,
            (_, Knowledge::Zero) => left,
            _ => left.max(right),
        }
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        match (self.left.knowledge(item), self.right.knowledge(item)) {
            (found @ Knowledge::NonFinite(_), _) | (_, found @ Knowledge::NonFinite(_)) => found,
            (Knowledge::Zero, Knowledge::Zero) => Knowledge::Zero,
            _ => Knowledge::Nothing,
        }
    }

    fn bytes_per_product(&self) -> u64 {
        self.left.bytes_per_product().saturating_add(self.right.bytes_per_product())
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let left = self.left.enclose(item, input.clone()).await?;
            let right = self.right.enclose(item, input).await?;
            Ok(self.join(item, left, right))
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let left = self.left.enclose_adjoint(item, input.clone()).await?;
            let right = self.right.enclose_adjoint(item, input).await?;
            Ok(self.join(item, left, right))
        })
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        Box::pin(async move {
            let Some(left) = self.left.products_on_host(adjoint, inputs.clone()).await? else { return Ok(None) };
            let Some(right) = self.right.products_on_host(adjoint, inputs).await? else { return Ok(None) };
            let join = |item: usize, (left, right): (Vec<Ball>, Vec<Ball>)| -> Option<Vec<Ball>> {
                left.into_iter().zip(right).map(|(left, right)| self.join(item, Some(left), Some(right))).collect()
            };
            Ok(left.into_iter().zip(right).enumerate().map(|(item, pair)| join(item, pair)).collect())
        })
    }

    fn is_slow_on_host(&self) -> bool {
        self.left.is_slow_on_host() || self.right.is_slow_on_host()
    }
}
