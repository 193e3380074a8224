//! The function f(z, x) of an equilibrium by itself: a value of it, its bound in z, and its map for given inputs.

use super::super::batched::batched;
use super::super::{Parameters, Scope};
use super::layer::Equilibrium;
use crate::Result;
use crate::bound::Bounds;
use crate::solve::fixed_point::FixedPoint;
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;

impl Equilibrium {
    /// f(z, x), one evaluation of the function whose fixed point is the output.
    ///
    /// *Shapes*  `z`: batch × the shape of z · `input`: batch × any · result: as `z`
    ///
    /// # Errors
    /// As [`Layer::apply`](crate::layer::Layer::apply).
    pub fn image(&self, scope: &Scope, path: &str, z: &Value, input: &Value) -> Result<Value> {
        self.inner.image(scope, path, z, input)
    }

    /// Bounds of the Lipschitz constant of f in z, from [`Equilibrium::bounded`]; no bounds where these are not known.
    ///
    /// An upper bound below 1 means that f contracts: z exists, it is unique, and Banach's iteration finds it.
    ///
    /// # Errors
    /// As [`Layer::lipschitz`](crate::layer::Layer::lipschitz).
    pub fn contraction(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        Ok(self.part_bounds(path, parameters)?.map_or(Bounds::NONE, |[of_z, _]| of_z))
    }

    /// The map z -> f(z, x) for a batch x, with the bounds of [`Equilibrium::contraction`].
    ///
    /// A solver of [`fixed_point`](crate::solve::fixed_point) gives each item of the batch a status, and bounds of
    /// |z - z*| where f contracts. Parameters are as an evaluation has them now.
    ///
    /// *Shapes*  `input`: batch × any, or one vector, which is a batch of one · z: batch × the shape of z
    ///
    /// ```
    /// use opnorm::layer::{Activation, Equilibrium, Linear, Parameters};
    /// use opnorm::solve::fixed_point::Anderson;
    /// use opnorm::{Device, tensor::Tensor};
    /// let device = Device::new()?;
    /// let layer = Equilibrium::additive(Linear::new(2, 2).without_bias(), Linear::new(2, 2), Activation::Tanh);
    /// let parameters = Parameters::initial(&device, &layer, 7)?;
    /// parameters.write("state.weight", &[0.5, 0.0, 0.0, -0.25])?;
    /// let map = layer.map("", &parameters, &Tensor::from_slice(&device, &[1, 2], &[1.0, -1.0])?)?;
    /// let solution = Anderson::default().solve(&map, &Tensor::zeros(&device, map.shape())?)?;
    /// let error = solution.items[0].error; // of |z - z*|
    /// assert!(error.upper < 1e-5 && error.upper >= solution.items[0].residual);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`FixedPoint::of`] and [`Layer::lipschitz`](crate::layer::Layer::lipschitz).
    pub fn map(&self, path: &str, parameters: &Parameters, input: &Tensor) -> Result<FixedPoint> {
        let tape = Tape::new(parameters.device());
        let scope = Scope::evaluation(&tape, parameters)?;
        let given = tape.input(input.shape())?;
        let x = batched(&given)?;
        let z = tape.input(&self.inner.shape_for(&x))?;
        let image = self.image(&scope, path, &z, &x)?;
        let bound: Vec<(&Value, &Tensor)> =
            scope.inputs(&[&given]).into_iter().zip(parameters.tensors(&[input])).collect();
        Ok(FixedPoint::of(&z, &image, &bound)?.with_lipschitz(self.contraction(path, parameters)?))
    }
}
