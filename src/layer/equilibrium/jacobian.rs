//! The Jacobian of f with respect to z on a tape, formed.

use super::super::Scope;
use super::super::batched::batched;
use super::layer::Equilibrium;
use crate::Result;
use crate::tape::Value;
use crate::tensor::{Tensor, volume};

impl Equilibrium {
    /// The derivative J of f with respect to z at each item, formed, with derivatives of any order.
    ///
    /// J is made by one product with each unit vector, on batch · size items at once: for a `size` up to some hundreds.
    ///
    /// *Shapes*  `z`: as [`Layer::apply`](crate::layer::Layer::apply) gives, of `size` elements each item · `input`: as
    /// its input · result: batch × size × size
    ///
    /// # Errors
    /// As [`Layer::apply`](crate::layer::Layer::apply).
    pub fn jacobian(&self, scope: &Scope, path: &str, z: &Value, input: &Value) -> Result<Value> {
        let (z, x) = (batched(z)?, batched(input)?);
        let (batch, size) = (z.shape()[0], volume(&z.shape()[1..]));
        let copied = |value: &Value| {
            let item = &value.shape()[1..];
            let length = volume(item);
            let rows = value.reshape(&[batch, 1, length])?.broadcast_to(&[batch, size, length])?;
            rows.reshape(&[&[batch * size], item].concat())
        };
        let identity = Tensor::identities(scope.tape().device(), &[size, size], size)?;
        let identity = scope.tape().constant(&identity)?;
        let points = copied(&z)?;
        let directions = identity.broadcast_to(&[batch, size, size])?.reshape(points.shape())?;
        let images = self.inner.image(scope, path, &points, &copied(&x)?)?;
        let columns = scope.tape().jvp(&[&images], &[&points], &[&directions])?.swap_remove(0);
        columns.reshape(&[batch, size, size])?.permute(&[0, 2, 1])
    }

    /// ‖J‖₂ for each item, a penalty that keeps the iteration contracting.
    ///
    /// *Shapes*  as [`Equilibrium::jacobian`] · result: batch
    ///
    /// # Errors
    /// As [`Equilibrium::jacobian`]; a run as [`Value::spectral_norm`].
    pub fn jacobian_norms(&self, scope: &Scope, path: &str, z: &Value, input: &Value) -> Result<Value> {
        self.jacobian(scope, path, z, input)?.spectral_norm()
    }
}
