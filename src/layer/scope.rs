//! The parameters of a network as values of a tape.

use std::cell::RefCell;
use std::collections::HashMap;

use super::parameters::no_parameter;
use super::{Parameters, Role};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The parameters of a network as values of a tape, for one evaluation of the network.
///
/// In a training scope a parametrised weight updates its state, once for the whole scope, and [`Scope::updates`] has
/// the next states. In an evaluation scope the state stays.
#[derive(Debug)]
pub struct Scope {
    tape: Tape,
    is_training: bool,
    values: Vec<(String, Role, Value)>,
    places: HashMap<String, usize>,
    weights: RefCell<HashMap<String, (Value, Option<Value>)>>,
    updates: RefCell<Vec<(String, Value)>>,
}

impl Scope {
    /// The parameters as inputs of a tape, in a training step.
    ///
    /// # Errors
    /// [`Error::TooLarge`] past the device's limits.
    pub fn training(tape: &Tape, parameters: &Parameters) -> Result<Self> {
        Self::with_inputs(tape, parameters, true)
    }

    /// The parameters as inputs of a tape, in an evaluation.
    ///
    /// # Errors
    /// As [`Scope::training`].
    pub fn evaluation(tape: &Tape, parameters: &Parameters) -> Result<Self> {
        Self::with_inputs(tape, parameters, false)
    }

    fn with_inputs(tape: &Tape, parameters: &Parameters, is_training: bool) -> Result<Self> {
        let input =
            |(name, role, tensor): (&str, Role, &Tensor)| Ok((name.to_string(), role, tape.input(tensor.shape())?));
        Ok(Self::of(tape, parameters.iter().map(input).collect::<Result<_>>()?, is_training))
    }

    /// Parameters that have values of the tape already, with their names and roles.
    pub(super) fn of(tape: &Tape, values: Vec<(String, Role, Value)>, is_training: bool) -> Self {
        let places = values.iter().enumerate().map(|(place, (name, ..))| (name.clone(), place)).collect();
        Self {
            tape: tape.clone(),
            is_training,
            values,
            places,
            weights: RefCell::default(),
            updates: RefCell::default(),
        }
    }

    /// The tape of the values.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Whether states are updated.
    pub fn is_training(&self) -> bool {
        self.is_training
    }

    /// The value of a parameter.
    ///
    /// # Errors
    /// [`Error::NoParameter`]
    pub fn value(&self, name: &str) -> Result<&Value> {
        let place = self.places.get(name).copied();
        let place = place.ok_or_else(|| no_parameter(name, self.values.iter().map(|(name, ..)| name.as_str())))?;
        Ok(&self.values[place].2)
    }

    /// Values of some name, made once for the whole scope.
    pub(super) fn once(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<(Value, Option<Value>)>,
    ) -> Result<(Value, Option<Value>)> {
        let made = self.weights.borrow().get(name).cloned();
        if let Some(made) = made {
            return Ok(made);
        }
        let made = make()?;
        self.weights.borrow_mut().insert(name.to_string(), made.clone());
        Ok(made)
    }

    /// The weights that are made so far under a path, in the order of their names, where they are not parameters.
    pub(super) fn made(&self, path: &str) -> Vec<(String, Value, Option<Value>)> {
        let is_own = |name: &str| path.is_empty() || name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        let is_parameter = |weight: &Value| self.values.iter().any(|(.., value)| value.node() == weight.node());
        let weights = self.weights.borrow();
        let own = weights.iter().filter(|(name, (weight, _))| is_own(name) && !is_parameter(weight));
        let mut made: Vec<_> =
            own.map(|(name, (weight, divisor))| (name.clone(), weight.clone(), divisor.clone())).collect();
        made.sort_by(|(left, ..), (right, ..)| left.cmp(right));
        made
    }

    /// Notes the next value of a state.
    ///
    /// # Errors
    /// [`Error::NoParameter`]; [`Error::ShapeMismatch`] for a value of another shape.
    pub fn update(&self, name: &str, next: Value) -> Result<()> {
        let shape = self.value(name)?.shape();
        if shape != next.shape() {
            return Err(Error::ShapeMismatch {
                operation: "update a state",
                expected: format!("{shape:?} for `{name}`"),
                found: format!("{:?}", next.shape()),
            });
        }
        self.updates.borrow_mut().push((name.to_string(), next));
        Ok(())
    }

    /// The next values of states, with their names.
    pub fn updates(&self) -> Vec<(String, Value)> {
        self.updates.borrow().clone()
    }

    /// The parameters that an optimiser moves, with their names, in order.
    pub fn trained(&self) -> Vec<(&str, &Value)> {
        let trained = self.values.iter().filter(|(_, role, _)| *role == Role::Trained);
        trained.map(|(name, _, value)| (name.as_str(), value)).collect()
    }

    /// Some values and then all parameters: the inputs of a program for [`Parameters::tensors`].
    pub fn inputs<'a>(&'a self, before: &[&'a Value]) -> Vec<&'a Value> {
        before.iter().copied().chain(self.values.iter().map(|(.., value)| value)).collect()
    }
}
