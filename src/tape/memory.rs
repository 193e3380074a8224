//! The memory of a program, and its steps recorded on that memory.

use std::collections::BTreeMap;

use super::ir::{Code, Held, Launch, Origin, Step, Work, root};
use crate::device::{Buffer, Device, Recorded, Recorder};
use crate::tensor::{Tensor, volume};
use crate::{Result, ops};

/// The tensors that a run reads and writes, with the recorded commands.
pub(super) struct Memory {
    pub(super) inputs: Vec<Tensor>,
    pub(super) outputs: Vec<Tensor>,
    /// Whether each input is itself an output, and so must be in memory of the program.
    pub(super) returned: Vec<bool>,
    pub(super) commands: Recorded,
}

impl Memory {
    /// Makes the memory of a program, but for the values that are given tensors, and records its launches on it.
    pub(super) fn of(device: &Device, code: &Code, given: &BTreeMap<usize, Tensor>) -> Result<Self> {
        let tensors = Tensors::of(device, code, given)?;
        let commands = Recorder::capture(device, |recorder| {
            code.launches.iter().try_for_each(|launch| tensors.record(recorder, code, launch))
        })?;
        let pick = |values: &[usize]| values.iter().map(|value| tensors.held[*value].clone()).collect();
        let returns = |input: &usize| code.outputs.iter().any(|output| root(&code.values, *output) == *input);
        let returned = code.inputs.iter().map(returns).collect();
        Ok(Self { inputs: pick(&code.inputs), outputs: pick(&code.outputs), returned, commands })
    }
}

struct Tensors {
    /// A tensor for each value; an empty tensor for a value without memory.
    held: Vec<Tensor>,
    slots: Vec<Buffer<f32>>,
    nothing: Buffer<f32>,
}

impl Tensors {
    fn of(device: &Device, code: &Code, given: &BTreeMap<usize, Tensor>) -> Result<Self> {
        let operation = "tape program";
        let slots = code.plan.slots.iter().map(|len| Buffer::zeros(device, operation, *len)).collect::<Result<_>>()?;
        let nothing = Buffer::zeros(device, operation, 0)?;
        let mut tensors = Self { held: Vec::with_capacity(code.values.len()), slots, nothing };
        for (value, Held { shape, origin }) in code.values.iter().enumerate() {
            let is_inner = |value: usize| matches!(code.values[root(&code.values, value)].origin, Origin::Inner);
            let tensor = match origin {
                Origin::Input | Origin::Block(_) if given.contains_key(&value) => given[&value].reshaped(shape)?,
                Origin::Input => Tensor::zeros(device, shape)?,
                Origin::Constant(tensor) => tensor.reshaped(shape)?,
                Origin::Number(number) => Tensor::from_slice(device, shape, &[*number as f32])?,
                Origin::Inner => Tensor::from_buffer(tensors.nothing.clone(), &[0])?,
                Origin::Block(block) => Tensor::from_buffer(tensors.slot(code, *block).slice(0..volume(shape)), shape)?,
                Origin::View(other) if is_inner(*other) => tensors.held[*other].clone(),
                Origin::View(other) => tensors.held[*other].reshaped(shape)?,
            };
            tensors.held.push(tensor);
        }
        Ok(tensors)
    }

    fn slot(&self, code: &Code, block: usize) -> &Buffer<f32> {
        &self.slots[code.plan.places[block]]
    }

    fn record(&self, recorder: &mut Recorder, code: &Code, launch: &Launch) -> Result<()> {
        let held = |values: &[usize]| values.iter().map(|value| &self.held[*value]).collect::<Vec<_>>();
        match &launch.work {
            Work::Step(step) => {
                let Step { operation, output, scratch, .. } = &code.steps[*step];
                let scratch = scratch.map_or(&self.nothing, |block| self.slot(code, block));
                operation.record(recorder, &held(&launch.inputs), scratch, &self.held[*output])
            }
            Work::Fused(kernel) => {
                let buffers = |values| held(values).into_iter().map(Tensor::buffer).collect::<Vec<_>>();
                ops::fused(recorder, kernel, &buffers(&launch.inputs), &buffers(&launch.outputs))
            }
        }
    }
}
