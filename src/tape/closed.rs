//! Programs of some inputs, with the other inputs bound to tensors.

use std::collections::BTreeMap;
use std::fmt;

use super::graph::{Tape, Value};
use super::nodes::numbers;
use super::program::Program;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A function of some inputs, with the other inputs bound to tensors. Values that depend on bound inputs alone are
/// computed once, and again where [`Closed::rebind`] changes what they depend on.
pub(crate) struct Closed {
    operation: &'static str,
    tape: Tape,
    bound: Vec<(Value, Tensor)>,
    /// The values that depend on bound inputs alone, with their tensors, which are memory of the program.
    fixed: Vec<Value>,
    decided: Vec<Tensor>,
    program: Program,
    /// Programs by the nodes of the inputs that change.
    updates: BTreeMap<Vec<usize>, Update>,
}

/// A program of the fixed values that some bound inputs decide.
struct Update {
    program: Program,
    /// The places of the program's inputs among the bound inputs.
    given: Vec<usize>,
    /// The places of the program's outputs among the fixed values.
    written: Vec<usize>,
}

const BOUND: &str = "the list of other inputs with their values";

impl Closed {
    /// A program of `outputs` from `inputs`, with the other inputs as `bound` has them now.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] where an input is not bound, or twice; as [`Program::run`].
    pub(crate) async fn of(
        operation: &'static str,
        (inputs, outputs): (&[&Value], &[Value]),
        bound: &[(&Value, &Tensor)],
    ) -> Result<Self> {
        let Some(tape) = outputs.first().map(|output| output.tape().clone()) else {
            return Err(Error::InvalidOption {
                operation,
                option: "the outputs",
                value: "none".to_string(),
                allowed: "one or more",
            });
        };
        tape.expect_own(operation, inputs)?;
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = bound.iter().copied().unzip();
        if values.iter().any(|value| inputs.iter().any(|input| input.node() == value.node())) {
            return Err(Error::InvalidOption {
                operation,
                option: BOUND,
                value: "with an input of the function itself".to_string(),
                allowed: "of the other inputs",
            });
        }
        let fixed = tape.residuals(outputs, &numbers(inputs));
        let fixed: Vec<Value> = fixed.into_iter().map(|node| tape.value(node)).collect();
        let deciding = tape.compile_with((operation, BOUND), &values, &BTreeMap::new(), &fixed)?;
        let decided = deciding.run_async(&tensors).await?;
        let known = fixed.iter().map(Value::node).zip(decided.iter().cloned()).collect();
        let program = tape.compile_with((operation, BOUND), inputs, &known, outputs)?;
        let bound = bound.iter().map(|(value, tensor)| ((*value).clone(), (*tensor).clone())).collect();
        Ok(Self { operation, tape, bound, fixed, decided, program, updates: BTreeMap::new() })
    }

    /// The values that bound inputs decide, with their tensors.
    pub(crate) fn fixed(&self) -> impl Iterator<Item = (&Value, &Tensor)> {
        self.fixed.iter().zip(&self.decided)
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Gives some bound inputs other values, and computes the values that depend on them.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a value that was not bound; as [`Program::run`].
    pub(crate) async fn rebind(&mut self, changes: &[(&Value, &Tensor)]) -> Result<()> {
        let operation = self.operation;
        self.tape.expect_own(operation, &changes.iter().map(|(value, _)| *value).collect::<Vec<_>>())?;
        for (value, tensor) in changes {
            let held = self.bound.iter_mut().find(|(held, _)| held.node() == value.node());
            let missing = || Error::InvalidOption {
                operation,
                option: BOUND,
                value: format!("without the value of shape {:?} that is to change", value.shape()),
                allowed: "a list that has the value: bind it at first",
            };
            held.ok_or_else(missing)?.1 = (*tensor).clone();
        }
        let mut changed = numbers(&changes.iter().map(|(value, _)| *value).collect::<Vec<_>>());
        changed.sort_unstable();
        if !self.updates.contains_key(&changed) {
            let update = self.update(&changed)?;
            self.updates.insert(changed.clone(), update);
        }
        let Some(Update { program, given, written }) = self.updates.get(&changed) else { return Ok(()) };
        let given: Vec<&Tensor> = given.iter().map(|place| &self.bound[*place].1).collect();
        let written: Vec<&Tensor> = written.iter().map(|place| &self.decided[*place]).collect();
        program.run_into_async(&given, &written).await
    }

    /// The program of what changes with some bound inputs, from what does not.
    fn update(&self, changed: &[usize]) -> Result<Update> {
        let varying = self.tape.varying(changed, &self.tape.needed(&numbers(&self.fixed), &[]));
        let varies = |value: &Value| varying.get(value.node()).copied().unwrap_or(false);
        let written: Vec<usize> = (0..self.fixed.len()).filter(|place| varies(&self.fixed[*place])).collect();
        let known: BTreeMap<usize, Tensor> = self
            .fixed
            .iter()
            .zip(&self.decided)
            .filter(|(value, _)| !varies(value))
            .map(|(value, tensor)| (value.node(), tensor.clone()))
            .collect();
        let outputs: Vec<Value> = written.iter().map(|place| self.fixed[*place].clone()).collect();
        let ends: Vec<usize> = known.keys().copied().collect();
        let needed = self.tape.needed(&numbers(&outputs), &ends);
        let is_given =
            |value: &Value| needed.get(value.node()).copied().unwrap_or(false) && !ends.contains(&value.node());
        let given: Vec<usize> = (0..self.bound.len()).filter(|place| is_given(&self.bound[*place].0)).collect();
        let inputs: Vec<&Value> = given.iter().map(|place| &self.bound[*place].0).collect();
        let program = self.tape.compile_with((self.operation, BOUND), &inputs, &known, &outputs)?;
        Ok(Update { program, given, written })
    }
}

impl Tape {
    /// Refuses a function of a batch whose items move with one another, as [`Tape::linearize`] does. Where operations
    /// do not tell, the derivative at 0 tells.
    pub(crate) async fn expect_separate(
        &self,
        (input, output): (&Value, &Value),
        bound: &[(&Value, &Tensor)],
    ) -> Result<()> {
        let batch = if input.shape().len() > 1 { input.shape()[0] } else { 1 };
        if batch > 1 && !self.is_separate(output, input) {
            let at = Tensor::zeros(self.device(), input.shape())?;
            let point: Vec<(&Value, &Tensor)> = bound.iter().copied().chain([(input, &at)]).collect();
            self.linearize_async(output, input, &point).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Closed").field("program", &self.program).finish_non_exhaustive()
    }
}
