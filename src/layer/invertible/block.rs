//! One block, prepared: the maps whose fixed points are its inverse and the transposed inverse of its derivative.

use super::super::{Parameters, Scope};
use super::residual::InvertibleResidual;
use crate::Result;
use crate::bound::Bounds;
use crate::iterate::Control;
use crate::solve::fixed_point::{Anderson, FixedPoint, Solution};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;

/// A map with the inputs that are given to each solve.
#[derive(Debug)]
struct Given<const COUNT: usize> {
    map: FixedPoint,
    inputs: [Value; COUNT],
}

/// A block y = x + g(x) with bounds of the Lipschitz constant of g.
#[derive(Debug)]
pub(super) struct Block {
    /// x -> y - g(x), given y.
    inverse: Given<1>,
    /// w -> v - Jᵀ w, given v and the x at which J is the derivative of g.
    transposed: Given<2>,
    pub(super) lipschitz: Bounds,
}

impl Block {
    pub(super) async fn new(
        block: &InvertibleResidual,
        path: &str,
        parameters: &Parameters,
        shape: &[usize],
    ) -> Result<Self> {
        let lipschitz = block.inner().lipschitz(path, parameters)?;
        let tape = Tape::new(parameters.device());
        let scope = Scope::evaluation(&tape, parameters)?;
        let (values, tensors) = (scope.inputs(&[]), parameters.tensors(&[]));
        let bound: Vec<(&Value, &Tensor)> = values.into_iter().zip(tensors).collect();
        let zeros = Tensor::zeros(parameters.device(), shape)?;

        let (x, y) = (tape.input(shape)?, tape.input(shape)?);
        let inner = block.inner().apply(&scope, path, &x)?;
        let given = [&bound[..], &[(&y, &zeros)]].concat();
        let map = FixedPoint::of_async(&x, &y.subtract(&inner)?, &given).await?.with_lipschitz(lipschitz);
        let inverse = Given { map, inputs: [y] };

        let (w, v) = (tape.input(shape)?, tape.input(shape)?);
        let back = tape.vjp(&[&inner], &[&x], &[&w])?.swap_remove(0);
        let given = [&bound[..], &[(&v, &zeros), (&x, &zeros)]].concat();
        let map = FixedPoint::of_async(&w, &v.subtract(&back)?, &given).await?.with_lipschitz(lipschitz);
        Ok(Self { inverse, transposed: Given { map, inputs: [v, x] }, lipschitz })
    }

    /// x for y, from y on.
    pub(super) async fn invert(&mut self, solver: &Anderson, y: &Tensor, control: Control<'_>) -> Result<Solution> {
        let Given { map, inputs: [given] } = &mut self.inverse;
        map.rebind_async(&[(given, y)]).await?;
        solver.solve_async(map, y, control).await
    }

    /// (I + J)^-T v at x, from v on.
    pub(super) async fn transpose(&mut self, solver: &Anderson, x: &Tensor, v: &Tensor) -> Result<Solution> {
        let Given { map, inputs: [of_v, of_x] } = &mut self.transposed;
        map.rebind_async(&[(of_v, v), (of_x, x)]).await?;
        solver.solve_async(map, v, Control::new()).await
    }
}
