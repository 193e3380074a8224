//! Rules that move parameters along gradients.

use std::fmt::Debug;

use crate::Result;
use crate::tape::Value;

/// A rule that moves a parameter along its gradient, with tensors of its own (slots) for each parameter.
///
/// The rule is written in operations of a tape, so that a [`crate::train::Step`] is one program. Numbers that change
/// from step to step, such as the learning rate, are inputs of this program. The host computes these numbers in `f64`,
/// and rounds each once.
pub trait Optimiser: Debug + Send + Sync {
    /// The names of the slots of a parameter, which begin as zeros in the shape of the parameter.
    fn slots(&self) -> &'static [&'static str];

    /// The numbers of a step, as many at each step; steps count from 0.
    fn numbers(&self, step: u64, rate: f64) -> Vec<f64>;

    /// The next parameter and slots.
    ///
    /// *Shapes*  `gradient`, `slots` and results: as `parameter` · `numbers`: one element each
    ///
    /// # Errors
    /// Any error of the operations.
    fn next(&self, numbers: &[Value], parameter: &Value, gradient: &Value, slots: &[Value]) -> Result<Moved>;
}

/// A parameter and its slots after a step.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The parameter.
    pub parameter: Value,
    /// The slots, in the order of [`Optimiser::slots`].
    pub slots: Vec<Value>,
}

/// The gradient of the loss and of decay / 2 · |parameter|².
pub(super) fn decayed(gradient: &Value, parameter: &Value, decay: f64) -> Result<Value> {
    if decay == 0.0 { Ok(gradient.clone()) } else { gradient.add(&parameter.scale(decay)?) }
}
