//! The intermediate representation of a compiled program, used by fusion, memory and runs.

use std::sync::Arc;

use super::graph::Operation;
use super::plan::Plan;
use crate::ops::Fused;
use crate::tensor::{Tensor, volume};

/// A compiled program: values, the steps that compute each value, and the launches on the device.
pub(super) struct Code {
    pub(super) values: Vec<Held>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    pub(super) steps: Vec<Step>,
    pub(super) launches: Vec<Launch>,
    pub(super) plan: Plan,
}

/// A value of a program.
pub(super) struct Held {
    pub(super) shape: Arc<[usize]>,
    pub(super) origin: Origin,
}

pub(super) enum Origin {
    Input,
    Constant(Tensor),
    Number(f64),
    /// Computed in place of use, without memory.
    Inner,
    /// Computed into a block of its own.
    Block(usize),
    /// The memory of another value.
    View(usize),
}

/// A single operation of a program.
pub(super) struct Step {
    pub(super) operation: Arc<dyn Operation>,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// The block of memory that the operation needs while running.
    pub(super) scratch: Option<usize>,
}

/// Operations that are launched together.
pub(super) struct Launch {
    pub(super) work: Work,
    /// The values that are read from memory.
    pub(super) inputs: Vec<usize>,
    /// The values that are written.
    pub(super) outputs: Vec<usize>,
}

pub(super) enum Work {
    /// A single operation, by its step.
    Step(usize),
    Fused(Fused),
}

/// The value that owns the memory of a value: the root of a view.
pub(super) fn root(values: &[Held], value: usize) -> usize {
    match values[value].origin {
        Origin::View(other) => root(values, other),
        _ => value,
    }
}

impl Code {
    /// Whether a launch writes the value.
    pub(super) fn is_computed(&self, value: usize) -> bool {
        matches!(self.values[value].origin, Origin::Block(_))
    }

    /// Device memory for inputs and intermediate values, in bytes.
    pub(super) fn peak_bytes(&self) -> u64 {
        let inputs = self.inputs.iter().map(|input| volume(&self.values[*input].shape));
        let elements = inputs.chain(self.plan.slots.iter().copied()).fold(0, usize::saturating_add);
        (elements as u64).saturating_mul(4)
    }

    /// The number of elements of the largest value or block.
    pub(super) fn largest(&self) -> usize {
        let values = self.values.iter().map(|held| volume(&held.shape));
        values.chain(self.plan.slots.iter().copied()).max().unwrap_or(0)
    }

    /// Device memory that one run reads and writes, in bytes.
    pub(super) fn bytes_touched(&self) -> u64 {
        let values = self.launches.iter().flat_map(|launch| launch.inputs.iter().chain(&launch.outputs));
        values.map(|value| 4 * volume(&self.values[*value].shape) as u64).sum()
    }

    /// The shapes of some values.
    pub(super) fn shapes(&self, values: &[usize]) -> Vec<&[usize]> {
        values.iter().map(|value| &*self.values[*value].shape).collect()
    }
}
