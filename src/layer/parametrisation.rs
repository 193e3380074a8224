//! Weights as functions of other parameters.

use std::fmt::Debug;

use super::description::{Description, undescribed};
use super::{Parameter, Parameters, Scope};
use crate::Result;
use crate::tape::Value;

/// A weight as a function of other parameters, such as W / ‖W‖.
///
/// `name` is the name of the weight, `0.weight`: those of its parameters begin with it.
pub trait Parametrisation: Debug + Send + Sync {
    /// The parameters that take the place of a plain weight.
    fn parameters(&self, plain: Parameter) -> Vec<Parameter>;

    /// Completes parameters that depend on others, once all are drawn.
    ///
    /// # Errors
    /// Any error of the device.
    fn complete(&self, _name: &str, _parameters: &mut Parameters) -> Result<()> {
        Ok(())
    }

    /// The weight. In a training scope, it notes the next states.
    ///
    /// # Errors
    /// [`crate::Error::NoParameter`]; [`crate::Error::InvalidOption`].
    fn weight(&self, scope: &Scope, name: &str) -> Result<Value>;

    /// The weight as a tensor, and a number that the tensor is still divided by: a layer may divide its output instead,
    /// where that is smaller. In a training scope, it notes the next states.
    ///
    /// *Shapes*  the number: as many axes as the tensor, of size 1
    ///
    /// # Errors
    /// As [`Parametrisation::weight`].
    fn quotient(&self, scope: &Scope, name: &str) -> Result<(Value, Option<Value>)> {
        Ok((self.weight(scope, name)?, None))
    }

    /// The description that a network's file has of the parametrisation.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a parametrisation without a description, which is the usual case.
    fn describe(&self, name: &str) -> Result<Description> {
        undescribed(name)
    }

    /// Multiplies the part of each unit of the weight, along its first axis, by a factor.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for a parametrisation whose units have no scale of their own.
    fn scale_units(&self, name: &str, _parameters: &Parameters, _factors: &[f64]) -> Result<()> {
        Err(crate::Error::InvalidOption {
            operation: "scale the units of a weight",
            option: "the parametrisation",
            value: format!("{self:?} of `{name}`"),
            allowed: "plain, or a weight normalisation of axis 0",
        })
    }
}

impl Scope {
    /// The weight that a parametrisation makes, computed once for the whole scope.
    ///
    /// # Errors
    /// Any error of the parametrisation.
    pub fn weight(&self, name: &str, parametrisation: &dyn Parametrisation) -> Result<Value> {
        match self.quotient(name, parametrisation)? {
            (tensor, Some(divisor)) => self.once(&format!("{name}, divided"), || Ok((tensor.divide(&divisor)?, None))),
            undivided => Ok(undivided),
        }
        .map(|(weight, _)| weight)
    }

    /// [`Parametrisation::quotient`], computed once for the whole scope.
    pub(super) fn quotient(&self, name: &str, of: &dyn Parametrisation) -> Result<(Value, Option<Value>)> {
        self.once(name, || of.quotient(self, name))
    }
}

/// A weight that is its own parameter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Parametrisation for Plain {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        vec![plain]
    }

    fn weight(&self, scope: &Scope, name: &str) -> Result<Value> {
        scope.value(name).cloned()
    }

    fn describe(&self, _: &str) -> Result<Description> {
        Ok(Description::new("plain"))
    }

    fn scale_units(&self, name: &str, parameters: &Parameters, factors: &[f64]) -> Result<()> {
        let mut entries = parameters.read(name)?;
        let size = (entries.len() / factors.len().max(1)).max(1);
        for (unit, factor) in entries.chunks_mut(size).zip(factors) {
            unit.iter_mut().for_each(|entry| *entry = (f64::from(*entry) * factor) as f32);
        }
        parameters.write(name, &entries)
    }
}
