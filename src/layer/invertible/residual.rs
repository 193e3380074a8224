//! One residual block.

use std::sync::Arc;

use super::super::standardise::output;
use super::super::{Deviation, Layer, Parameter, Parameters, Scope, Standardised};
use crate::bound::{Bounds, Guarantee, down, up};
use crate::tape::Value;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// A residual block y = x + g(x), which has an inverse where the Lipschitz constant L of g is below 1.
///
/// The parameters are those of g, under the same names. g keeps L below 1 by normalised weights: for linear layers and
/// activations of slope at most 1, `SpectralNormalisation` with a certified divisor and a `cap` below 1. For a
/// convolution the cap is divided by the root of the number of elements of its window.
///
/// *Shapes*  input and output: batch × any, which g keeps
///
/// *Source*  Behrmann, Grathwohl, Chen, Duvenaud and Jacobsen, *Invertible residual networks*, 2019, theorem 1.
#[derive(Clone, Debug)]
pub struct InvertibleResidual {
    inner: Arc<dyn Layer>,
}

impl InvertibleResidual {
    /// The block of a layer g, or of layers one after another.
    pub fn new(inner: impl Layer + 'static) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// g, whose Lipschitz constant is to be below 1.
    pub fn inner(&self) -> &dyn Layer {
        &*self.inner
    }

    /// The output, and ln |det J| of the derivative J at each item: from the LU factors of J, with derivatives of any
    /// order.
    ///
    /// J is formed by one product with each unit vector, on batch · size items at once: for a `size` up to some
    /// hundreds.
    ///
    /// *Shapes*  `input` and output: batch × any, of `size` elements each item · ln |det J|: batch
    ///
    /// # Errors
    /// As [`Layer::apply`]; [`Error::TooLarge`] for more elements than can be counted.
    pub fn apply_with_log_determinant(&self, scope: &Scope, path: &str, input: &Value) -> Result<(Value, Value)> {
        let output = self.apply(scope, path, input)?;
        let (batch, item) = input.shape().split_first().map_or((1, &[][..]), |(batch, item)| (*batch, item));
        let size = volume(item);
        let (many, copies) = ([&[batch * size], item].concat(), [batch, size, size]);
        let copied = |rows: &Value, shape: &[usize]| rows.reshape(shape)?.broadcast_to(&copies)?.reshape(&many);
        let identity: Vec<f32> = (0..size * size).map(|place| f32::from(place % (size + 1) == 0)).collect();
        let identity = Tensor::from_slice(scope.tape().device(), &[1, size, size], &identity)?;
        let points = copied(input, &[batch, 1, size])?;
        let directions = copied(&scope.tape().constant(&identity)?, &[1, size, size])?;
        let images = self.apply(scope, path, &points)?;
        let columns = scope.tape().jvp(&[&images], &[&points], &[&directions])?.swap_remove(0);
        // The rows are the columns of J, which has the determinant of its transpose.
        Ok((output, columns.reshape(&copies)?.log_abs_determinant()?))
    }
}

impl Layer for InvertibleResidual {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.inner.parameters(path)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.inner.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let added = self.inner.apply(scope, path, input)?;
        if added.shape() != input.shape() {
            return Err(Error::ShapeMismatch {
                operation: "invertible residual",
                expected: format!("a layer that keeps the shape {:?}", input.shape()),
                found: format!("{:?}", added.shape()),
            });
        }
        input.add(&added)
    }

    fn standardise(
        &self,
        path: &str,
        parameters: &Parameters,
        batch: &Tensor,
        deviation: Deviation,
    ) -> Result<(Vec<Standardised>, Tensor)> {
        let (found, _) = self.inner.standardise(path, parameters, batch, deviation)?;
        Ok((found, output(self, path, parameters, batch)?))
    }

    /// From 1 - L to 1 + L, with the upper bound L of g.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        let inner = self.inner.lipschitz(path, parameters)?;
        Ok(match inner.guarantee {
            Guarantee::None | Guarantee::Lower => Bounds::NONE,
            guarantee => Bounds { lower: down(1.0 - inner.upper).max(0.0), upper: up(1.0 + inner.upper), guarantee },
        })
    }
}
