//! Prepared networks: forward, backward, inverse and inverse backward.

use super::super::{Layer, Parameters, Scope};
use super::block::Block;
use super::inverse::Inverse;
use super::network::InvertibleNetwork;
use crate::bound::Bounds;
use crate::device::Device;
use crate::iterate::{Control, Progress};
use crate::solve::fixed_point::Anderson;
use crate::tape::{Closed, Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A network of residual blocks with its inverse, compiled for inputs of one shape.
///
/// With J the derivative of the network f at x:
///
/// | operation | result |
/// |---|---|
/// | [`InvertibleProgram::forward`] | y = f(x) |
/// | [`InvertibleProgram::backward`] | Jᵀ v |
/// | [`InvertibleProgram::inverse`] | x with f(x) = y |
/// | [`InvertibleProgram::inverse_backward`] | J^-T v |
///
/// Weights are computed once, when the program is made.
#[derive(Debug)]
pub struct InvertibleProgram {
    /// The solver of every block. Default: [`Anderson`] with a relative tolerance of 1e-7, near the rounding of `f32`.
    pub solver: Anderson,
    device: Device,
    shape: Vec<usize>,
    items: usize,
    blocks: Vec<Block>,
    forward: Closed,
    backward: Closed,
}

const OPERATION: &str = "invertible network";

impl InvertibleNetwork {
    /// Compiles the network and its inverse for inputs of a shape, with the parameters as they are now, and bounds the
    /// Lipschitz constant of every block.
    ///
    /// *Shapes*  `shape`: batch × any
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for inputs that a block does not take, or whose shape a block does not keep;
    /// errors of the layers and of the device.
    pub fn prepare(&self, path: &str, parameters: &Parameters, shape: &[usize]) -> Result<InvertibleProgram> {
        let device = parameters.device();
        device.block_on(InvertibleProgram::new(self, path, parameters, shape))
    }
}

impl InvertibleProgram {
    async fn new(network: &InvertibleNetwork, path: &str, parameters: &Parameters, shape: &[usize]) -> Result<Self> {
        let mut blocks = Vec::new();
        for (path, block) in network.parts(path) {
            blocks.push(Block::new(block, &path, parameters, shape).await?);
        }
        let tape = Tape::new(parameters.device());
        let scope = Scope::evaluation(&tape, parameters)?;
        let (values, tensors) = (scope.inputs(&[]), parameters.tensors(&[]));
        let bound: Vec<(&Value, &Tensor)> = values.into_iter().zip(tensors).collect();
        let (x, v) = (tape.input(shape)?, tape.input(shape)?);
        let y = network.apply(&scope, path, &x)?;
        let back = tape.vjp(&[&y], &[&x], &[&v])?;
        let forward = Closed::of(OPERATION, (&[&x], &[y]), &bound).await?;
        let backward = Closed::of(OPERATION, (&[&x, &v], &back), &bound).await?;
        let device = parameters.device().clone();
        let items = if shape.len() > 1 { shape[0] } else { 1 };
        let solver = Anderson { relative: 1e-7, ..Anderson::default() };
        Ok(Self { solver, device, shape: shape.to_vec(), items, blocks, forward, backward })
    }

    /// Bounds of the Lipschitz constant of each g. Where the upper bound of a block is 1 or more, nothing says that the
    /// block has an inverse, and errors have no upper bound.
    pub fn lipschitz(&self) -> Vec<Bounds> {
        self.blocks.iter().map(|block| block.lipschitz).collect()
    }

    /// The output y = f(x).
    ///
    /// *Shapes*  `x` and result: as prepared
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another shape; errors of the device.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.forward.program().run(&[x])?.swap_remove(0))
    }

    /// The cotangent Jᵀ v of the input x.
    ///
    /// *Shapes*  `x`, `v` and result: as prepared
    ///
    /// # Errors
    /// As [`InvertibleProgram::forward`].
    pub fn backward(&self, x: &Tensor, v: &Tensor) -> Result<Tensor> {
        Ok(self.backward.program().run(&[x, v])?.swap_remove(0))
    }

    /// The input x with f(x) = y, block by block in reverse order.
    ///
    /// *Shapes*  `y` and result: as prepared
    ///
    /// *Source*  Behrmann, Grathwohl, Chen, Duvenaud and Jacobsen, *Invertible residual networks*, 2019, algorithm 1,
    /// with [`Anderson`]'s steps.
    ///
    /// # Errors
    /// As [`InvertibleProgram::forward`]; [`Error::InvalidOption`] for options of the solver that mean nothing. Not
    /// converged is a status.
    pub fn inverse(&mut self, y: &Tensor) -> Result<Inverse> {
        self.device.clone().block_on(self.inverse_async(y))
    }

    /// [`InvertibleProgram::inverse`] without blocking the thread.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`InvertibleProgram::inverse`].
    pub async fn inverse_async(&mut self, y: &Tensor) -> Result<Inverse> {
        self.inverse_observed_async(y, |_, _| Ok(())).await
    }

    /// [`InvertibleProgram::inverse_async`] with a listener, which hears of each evaluation of each block. The first
    /// argument is the number of blocks that are done.
    ///
    /// # Errors
    /// As [`InvertibleProgram::inverse`]; the listener's.
    pub async fn inverse_observed_async(
        &mut self,
        y: &Tensor,
        mut listener: impl FnMut(usize, &Progress) -> Result<()>,
    ) -> Result<Inverse> {
        self.expect(y)?;
        let (mut solved, mut point) = (Vec::new(), y.clone());
        for (done, block) in self.blocks.iter_mut().rev().enumerate() {
            let control = Control::new().on_progress(|progress| listener(done, progress));
            let solution = block.invert(&self.solver, &point, control).await?;
            point = solution.x.clone();
            solved.push((solution, block.lipschitz));
        }
        Ok(Inverse::of(y, self.items, solved, true))
    }

    /// The cotangent J^-T v of y, where J is the derivative at the points that `inverse` found.
    ///
    /// Error bounds are those of the linear solves. The distance of the points from the exact inverse, and the rounding
    /// of slopes in `f32`, are not in them.
    ///
    /// *Shapes*  `v` and result: as prepared
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for an inverse of another network; as [`InvertibleProgram::inverse`].
    pub fn inverse_backward(&mut self, inverse: &Inverse, v: &Tensor) -> Result<Inverse> {
        self.device.clone().block_on(self.inverse_backward_async(inverse, v))
    }

    /// [`InvertibleProgram::inverse_backward`] without blocking the thread.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`InvertibleProgram::inverse_backward`].
    pub async fn inverse_backward_async(&mut self, inverse: &Inverse, v: &Tensor) -> Result<Inverse> {
        self.expect(v)?;
        if inverse.points.len() != self.blocks.len() {
            return Err(Error::ShapeMismatch {
                operation: OPERATION,
                expected: format!("an inverse of {} blocks", self.blocks.len()),
                found: inverse.points.len().to_string(),
            });
        }
        let (mut solved, mut cotangent) = (Vec::new(), v.clone());
        for (block, point) in self.blocks.iter_mut().zip(&inverse.points) {
            let solution = block.transpose(&self.solver, point, &cotangent).await?;
            cotangent = solution.x.clone();
            solved.push((solution, block.lipschitz));
        }
        Ok(Inverse::of(v, self.items, solved, false))
    }

    fn expect(&self, given: &Tensor) -> Result<()> {
        if given.shape() == self.shape {
            return Ok(());
        }
        let (expected, found) = (format!("{:?}", self.shape), format!("{:?}", given.shape()));
        Err(Error::ShapeMismatch { operation: OPERATION, expected, found })
    }
}
