//! Samples as vectors.

use super::description::Description;
use super::lipschitz::exactly;
use super::{Layer, Parameter, Parameters, Scope};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;
use crate::tensor::volume;

/// The elements of each sample in a row.
///
/// *Shapes*  input: batch × any axes · output: batch × elements
#[derive(Clone, Copy, Debug, Default)]
pub struct Flatten;

impl Layer for Flatten {
    fn parameters(&self, _: &str) -> Vec<Parameter> {
        Vec::new()
    }

    fn apply(&self, _: &Scope, _: &str, input: &Value) -> Result<Value> {
        let [batch, axes @ ..] = input.shape() else { return Ok(input.clone()) };
        input.reshape(&[*batch, volume(axes)])
    }

    fn describe(&self, _: &str) -> Result<Description> {
        Ok(Description::new("flatten"))
    }

    fn lipschitz(&self, _: &str, _: &Parameters) -> Result<Bounds> {
        Ok(exactly(1.0))
    }
}
