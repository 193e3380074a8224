//! The composition A · B of two operators.

use futures::future::LocalBoxFuture;

use super::{Ball, Claims, HostProducts, Knowledge, LinearOperator, expect_batch, width};
use crate::device::{Device, Recorder};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The operator `outer · inner`: first the inner operator, then the outer operator.
#[derive(Clone, Debug)]
pub struct Composition<A, B> {
    outer: A,
    inner: B,
}

impl<A: LinearOperator, B: LinearOperator> Composition<A, B> {
    /// The composition `outer · inner`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the inner codomain is not the outer domain, or the batches differ.
    pub fn new(outer: A, inner: B) -> Result<Self> {
        expect_batch("composition", outer.batch(), inner.batch())?;
        if outer.domain() != inner.codomain() {
            return Err(Error::ShapeMismatch {
                operation: "composition",
                expected: format!("an inner operator into {:?}, the domain of the outer one,", outer.domain()),
                found: format!("{:?}", inner.codomain()),
            });
        }
        Ok(Self { outer, inner })
    }

    /// The outer and the inner operator.
    pub(super) fn parts(&self) -> (&A, &B) {
        (&self.outer, &self.inner)
    }

    /// Records `second(first(input))`, with the vectors between in scratch memory.
    fn chain(
        recorder: &mut Recorder,
        input: &Tensor,
        output: &Tensor,
        (first, second): (&dyn LinearOperator, &dyn LinearOperator),
    ) -> Result<()> {
        let operation = "composition";
        let width = width(operation, first.batch(), &first.domain(), input)?;
        let between = first.codomain();
        let scratch = recorder.device().scratch(operation, first.batch() * width * volume(&between))?;
        let middle = Tensor::from_buffer(scratch.clone(), &[&[first.batch(), width], &between[..]].concat())?;
        first.apply(recorder, input, &middle)?;
        second.apply(recorder, &middle, output)
    }
}

impl<A: LinearOperator, B: LinearOperator> LinearOperator for Composition<A, B> {
    fn device(&self) -> &Device {
        self.outer.device()
    }

    fn batch(&self) -> usize {
        self.outer.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.inner.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.outer.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        Self::chain(recorder, input, output, (&self.inner, &self.outer))
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        let (outer, inner) = (super::Transpose(&self.outer), super::Transpose(&self.inner));
        Self::chain(recorder, input, output, (&outer, &inner))
    }

    fn claims(&self) -> Claims {
        self.outer.claims().times(&self.inner.claims())
    }

    fn exponent(&self, item: usize) -> i32 {
        self.outer.exponent(item) + self.inner.exponent(item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        match (self.outer.knowledge(item), self.inner.knowledge(item)) {
            (found @ Knowledge::NonFinite(_), _) | (_, found @ Knowledge::NonFinite(_)) => found,
            (Knowledge::Zero, _) | (_, Knowledge::Zero) => Knowledge::Zero,
            _ => Knowledge::Nothing,
        }
    }

    fn bytes_per_product(&self) -> u64 {
        self.outer.bytes_per_product().saturating_add(self.inner.bytes_per_product())
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            match self.inner.enclose(item, input).await? {
                Some(middle) => self.outer.enclose(item, middle).await,
                None => Ok(None),
            }
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            match self.outer.enclose_adjoint(item, input).await? {
                Some(middle) => self.inner.enclose_adjoint(item, middle).await,
                None => Ok(None),
            }
        })
    }

    /// The products on the host. The `f64` rounding of the inner product is taken to grow like the vector, by |y| /
    /// |x|.
    // The proven factor would be the norm of the outer operator, and a chain of such factors soon makes bounds useless.
    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        Box::pin(async move {
            let (inner, outer): (&dyn LinearOperator, &dyn LinearOperator) =
                if adjoint { (&self.outer, &self.inner) } else { (&self.inner, &self.outer) };
            let Some(middle) = inner.products_on_host(adjoint, inputs).await? else { return Ok(None) };
            let sizes: Vec<Vec<(f64, f64)>> =
                middle.iter().map(|balls| balls.iter().map(|ball| (ball.norm(), ball.radius)).collect()).collect();
            let exact =
                middle.into_iter().map(|balls| balls.into_iter().map(|ball| Ball::exact(ball.center)).collect());
            let Some(mut products) = outer.products_on_host(adjoint, exact.collect()).await? else { return Ok(None) };
            for (ball, (length, radius)) in products.iter_mut().flatten().zip(sizes.into_iter().flatten()) {
                // The growth of the ball around a zero vector is unknown.
                ball.radius += match radius {
                    0.0 => 0.0,
                    _ if length > 0.0 => ball.norm() / length * radius,
                    _ => f64::INFINITY,
                };
            }
            Ok(Some(products))
        })
    }

    fn is_slow_on_host(&self) -> bool {
        self.inner.is_slow_on_host() || self.outer.is_slow_on_host()
    }
}
