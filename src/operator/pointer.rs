//! Pointers to operators are operators: compositions borrow, own or share their parts.

use std::rc::Rc;
use std::sync::Arc;

use futures::future::LocalBoxFuture;

use super::{Ball, Both, Claimed, Claims, EachBall, HostProducts, Knowledge, LinearOperator, Parametrised, Shift};
use crate::Result;
use crate::device::{Device, Recorder};
use crate::tensor::{Matrix, Tensor};

/// Hands every method of an operator on to the target of a pointer, but for its claims.
macro_rules! forward {
    ($($pointer:ty => $claims:expr;)*) => {$(
        impl<O: LinearOperator + ?Sized> LinearOperator for $pointer {
            fn device(&self) -> &Device {
                (**self).device()
            }

            fn batch(&self) -> usize {
                (**self).batch()
            }

            fn domain(&self) -> Vec<usize> {
                (**self).domain()
            }

            fn codomain(&self) -> Vec<usize> {
                (**self).codomain()
            }

            fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
                (**self).apply(recorder, input, output)
            }

            fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
                (**self).apply_adjoint(recorder, input, output)
            }

            fn apply_both(
                &self,
                recorder: &mut Recorder,
                adjoint: bool,
                input: &Tensor,
                shift: Shift<'_>,
                product: &Tensor,
            ) -> Result<Both> {
                (**self).apply_both(recorder, adjoint, input, shift, product)
            }

            fn claims(&self) -> Claims {
                let of: fn(&Self) -> Claims = $claims;
                of(self)
            }

            fn exponent(&self, item: usize) -> i32 {
                (**self).exponent(item)
            }

            fn knowledge(&self, item: usize) -> Knowledge {
                (**self).knowledge(item)
            }

            fn bytes_per_product(&self) -> u64 {
                (**self).bytes_per_product()
            }

            fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
                (**self).enclose(item, input)
            }

            fn enclose_each(&self, inputs: Vec<Option<Ball>>) -> EachBall<'_> {
                (**self).enclose_each(inputs)
            }

            fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
                (**self).enclose_adjoint(item, input)
            }

            fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
                (**self).products_on_host(adjoint, inputs)
            }

            fn as_matrix(&self) -> Option<&Matrix> {
                (**self).as_matrix()
            }

            fn is_slow_on_host(&self) -> bool {
                (**self).is_slow_on_host()
            }

            fn column_medians<'a>(&'a self, item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
                (**self).column_medians(item)
            }
        }

        impl<O: Parametrised + ?Sized> Parametrised for $pointer {
            fn pull_back(&self, left: &Tensor, right: &Tensor, weights: &[f64]) -> Result<Vec<Tensor>> {
                (**self).pull_back(left, right, weights)
            }
        }
    )*};
}

forward! {
    &O => |pointer| (**pointer).claims();
    Box<O> => |pointer| (**pointer).claims();
    Arc<O> => |pointer| (**pointer).claims();
    Rc<O> => |pointer| (**pointer).claims();
    Claimed<O> => |claimed| claimed.claims;
}
