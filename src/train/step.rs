//! Training steps: one program for all that a step computes.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::{Moved, Optimiser, clip};
use crate::Result;
use crate::layer::{Parameters, Scope};
use crate::tape::{Program, Value};
use crate::tensor::Tensor;

/// A training step, ready to run any number of times.
///
/// One program computes output, loss, gradients, clipping, the optimiser and the next states of layers. A run writes
/// parameters, states and slots in place; after the first run the device allocates nothing.
pub struct Step {
    program: Program,
    optimiser: Arc<dyn Optimiser>,
    /// The names of the parameters and states that a run writes, in the order of the program's outputs.
    written: Vec<String>,
    slots: Vec<(String, Tensor)>,
    /// The numbers of the optimiser, an input.
    numbers: Tensor,
    loss: Tensor,
    taken: u64,
}

impl Step {
    /// Prepares steps that move the trained parameters of a training scope along the gradients of a loss.
    ///
    /// *Shapes*  `loss`: one element
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] where the loss depends on an input that is not among `data`;
    /// [`crate::Error::ShapeMismatch`] for a loss of several elements; errors of the device.
    pub fn prepare(scope: &Scope, data: &[&Value], loss: &Value, optimiser: impl Optimiser + 'static) -> Result<Self> {
        Self::along(scope, data, loss, &Self::gradients(scope, loss)?, optimiser)
    }

    /// [`Step::prepare`] with gradients [`clip`]ped to a total norm.
    ///
    /// # Errors
    /// As [`Step::prepare`].
    pub fn clipped(
        scope: &Scope,
        data: &[&Value],
        loss: &Value,
        optimiser: impl Optimiser + 'static,
        most: f64,
    ) -> Result<Self> {
        Self::along(scope, data, loss, &clip(&Self::gradients(scope, loss)?, most)?, optimiser)
    }

    /// The gradients of a loss by the trained parameters of a scope, in order.
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for a loss of several elements.
    pub fn gradients(scope: &Scope, loss: &Value) -> Result<Vec<Value>> {
        let trained: Vec<&Value> = scope.trained().into_iter().map(|(_, value)| value).collect();
        scope.tape().grad(loss, &trained)
    }

    /// Prepares steps along the caller's own gradients, such as [`Step::gradients`] and those of a penalty.
    ///
    /// *Shapes*  `gradients`: as the trained parameters, in order
    ///
    /// # Errors
    /// As [`Step::prepare`]; [`crate::Error::ShapeMismatch`] for gradients of other shapes.
    pub fn along(
        scope: &Scope,
        data: &[&Value],
        loss: &Value,
        gradients: &[Value],
        optimiser: impl Optimiser + 'static,
    ) -> Result<Self> {
        let (tape, trained) = (scope.tape(), scope.trained());
        expect_like(&trained, gradients)?;
        let count = optimiser.numbers(0, 0.0).len();
        let numbers = tape.input(&[count])?;
        let each = (0..count).map(|place| numbers.slice(0, place..place + 1)?.reshape(&[]));
        let each = each.collect::<Result<Vec<_>>>()?;

        let (mut before, mut after, mut slots) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = vec![loss.clone()];
        for ((name, parameter), gradient) in trained.iter().zip(gradients) {
            let own = optimiser.slots().iter().map(|_| tape.input(parameter.shape())).collect::<Result<Vec<_>>>()?;
            let moved: Moved = optimiser.next(&each, parameter, gradient, &own)?;
            next.push(moved.parameter);
            for slot in optimiser.slots() {
                slots.push((format!("{slot}.{name}"), Tensor::zeros(tape.device(), parameter.shape())?));
            }
            before.extend(own);
            after.extend(moved.slots);
        }
        let (states, updates): (Vec<String>, Vec<Value>) = scope.updates().into_iter().unzip();
        next.extend(updates.into_iter().chain(after));
        let inputs: Vec<&Value> = scope.inputs(data).into_iter().chain(&before).chain([&numbers]).collect();
        Ok(Self {
            program: tape.compile(&inputs, &next)?,
            optimiser: Arc::new(optimiser),
            written: trained.iter().map(|(name, _)| (*name).to_string()).chain(states).collect(),
            slots,
            numbers: Tensor::zeros(tape.device(), &[count])?,
            loss: Tensor::zeros(tape.device(), loss.shape())?,
            taken: 0,
        })
    }

    /// Takes a step at a learning rate.
    ///
    /// *Shapes*  `data`: as at the preparation
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for data or parameters of other shapes; [`crate::Error::NoParameter`]; as
    /// [`Program::run`].
    pub fn run(&mut self, parameters: &Parameters, data: &[impl Borrow<Tensor>], rate: f64) -> Result<()> {
        parameters.device().block_on(self.run_async(parameters, data, rate))
    }

    /// [`Step::run`] without blocking the thread while a step of the host runs.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Step::run`].
    pub async fn run_async(&mut self, parameters: &Parameters, data: &[impl Borrow<Tensor>], rate: f64) -> Result<()> {
        let numbers: Vec<f32> =
            self.optimiser.numbers(self.taken, rate).into_iter().map(|number| number as f32).collect();
        self.numbers.buffer().write(parameters.device(), "take a step", 0, &numbers)?;
        let data: Vec<&Tensor> = data.iter().map(Borrow::borrow).collect();
        let slots = || self.slots.iter().map(|(_, slot)| slot);
        let inputs: Vec<&Tensor> =
            parameters.tensors(&data).into_iter().chain(slots()).chain([&self.numbers]).collect();
        let written = self.written.iter().map(|name| parameters.tensor(name)).collect::<Result<Vec<_>>>()?;
        let outputs: Vec<&Tensor> = [&self.loss].into_iter().chain(written).chain(slots()).collect();
        self.program.run_into_async(&inputs, &outputs).await?;
        self.taken += 1;
        Ok(())
    }

    /// The loss of the last step, before the step: read it when it is wanted, because a reading waits for the device.
    pub fn loss(&self) -> &Tensor {
        &self.loss
    }

    /// The number of steps taken, from the first on, across checkpoints.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The slots of the optimiser with their names: `exp_avg.0.weight`.
    pub fn slots(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.slots.iter().map(|(name, slot)| (name.as_str(), slot))
    }

    /// Goes on where another step of the same optimiser and parameters stands: shares its slots, and takes its number.
    ///
    /// So programs of several shapes train one network by turns, such as those of different numbers of terms of a
    /// [`Roulette`](crate::layer::Roulette).
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for a step with other slots.
    pub fn go_on_from(&mut self, other: &Self) -> Result<()> {
        let shapes = |step: &Self| -> Vec<(String, Vec<usize>)> {
            step.slots.iter().map(|(name, slot)| (name.clone(), slot.shape().to_vec())).collect()
        };
        if shapes(self) != shapes(other) {
            return Err(crate::Error::ShapeMismatch {
                operation: "go on from a step",
                expected: format!("slots {:?}", shapes(self)),
                found: format!("{:?}", shapes(other)),
            });
        }
        self.slots.clone_from(&other.slots);
        self.taken = other.taken;
        Ok(())
    }

    /// Goes on after a number of steps, whose slots are written.
    #[cfg(feature = "io-safetensors")]
    pub(super) fn go_on_after(&mut self, taken: u64) {
        self.taken = taken;
    }

    /// The program of a step, for its memory and its number of operations.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Step");
        fields.field("optimiser", &self.optimiser).field("program", &self.program).finish_non_exhaustive()
    }
}

fn expect_like(trained: &[(&str, &Value)], gradients: &[Value]) -> Result<()> {
    let expected: Vec<&[usize]> = trained.iter().map(|(_, value)| value.shape()).collect();
    let found: Vec<&[usize]> = gradients.iter().map(Value::shape).collect();
    if expected == found {
        return Ok(());
    }
    Err(crate::Error::ShapeMismatch {
        operation: "prepare a step",
        expected: format!("gradients of shapes {expected:?}"),
        found: format!("{found:?}"),
    })
}
