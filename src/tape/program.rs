//! Programs: compiled parts of a graph, and their runs on the device.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::ir::Code;
use super::memory::Memory;
use crate::device::{Device, Recorded, Recorder};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The operations that some outputs of a [`Tape`](super::Tape) need, ready to run any number of times.
///
/// The first run makes the program's memory, and later runs use the same memory. A run does not wait, unless an
/// operation has a step of the host, such as [`Value::spectral_norm`](super::Value::spectral_norm). Such a run has
/// several submits, with the steps between them.
pub struct Program {
    device: Device,
    pub(super) code: Code,
    /// The values known at compilation, each with its place.
    pub(super) known: Vec<(usize, usize)>,
    memory: Mutex<Option<Arc<Memory>>>,
}

impl Program {
    pub(super) fn new(device: &Device, code: Code, known: Vec<(usize, usize)>) -> Self {
        Self { device: device.clone(), code, known, memory: Mutex::new(None) }
    }

    /// Computes the outputs on the device as new tensors.
    ///
    /// *Shapes*  as the inputs and outputs of the compiled program
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the inputs are not of these shapes; [`Error::TooLarge`] past the device's limits;
    /// [`Error::NotDifferentiable`] and [`Error::NotConverged`] where singular vectors cannot be found;
    /// [`Error::Device`], [`Error::DeviceLost`], [`Error::OutOfMemory`].
    pub fn run(&self, inputs: &[impl Borrow<Tensor>]) -> Result<Vec<Tensor>> {
        self.device.block_on(self.run_async(inputs))
    }

    /// [`Program::run`] without blocking the thread while a step of the host runs.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Program::run`].
    pub async fn run_async(&self, inputs: &[impl Borrow<Tensor>]) -> Result<Vec<Tensor>> {
        let shapes = self.code.shapes(&self.code.outputs).into_iter();
        let results: Vec<Tensor> = shapes.map(|shape| Tensor::zeros(&self.device, shape)).collect::<Result<_>>()?;
        self.run_into_async(inputs, &results).await?;
        Ok(results)
    }

    /// [`Program::run`] into given tensors; after the first run the device allocates nothing.
    ///
    /// *Shapes*  as the inputs and outputs of the compiled program
    ///
    /// # Errors
    /// As [`Program::run`]; the contents of the outputs are undefined after an error.
    pub fn run_into(&self, inputs: &[impl Borrow<Tensor>], outputs: &[impl Borrow<Tensor>]) -> Result<()> {
        self.device.block_on(self.run_into_async(inputs, outputs))
    }

    /// [`Program::run_into`] without blocking the thread while a step of the host runs.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Program::run`].
    pub async fn run_into_async(&self, inputs: &[impl Borrow<Tensor>], outputs: &[impl Borrow<Tensor>]) -> Result<()> {
        let mut recorder = self.device.recorder();
        self.record(&mut recorder, inputs, outputs)?;
        recorder.submit_async().await
    }

    /// Records a run, a step of an iteration.
    ///
    /// *Shapes*  as [`Program::run_into`]
    ///
    /// # Errors
    /// As [`Program::run`].
    pub(crate) fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[impl Borrow<Tensor>],
        outputs: &[impl Borrow<Tensor>],
    ) -> Result<()> {
        self.expect("inputs", &self.code.inputs, inputs)?;
        self.expect("outputs", &self.code.outputs, outputs)?;
        let memory = self.memory()?;
        let mut places = Vec::with_capacity(inputs.len());
        for ((own, given), returned) in memory.inputs.iter().zip(inputs).zip(&memory.returned) {
            match returned {
                true => recorder.copy(given.borrow().buffer(), own.buffer())?,
                false => places.push([own.buffer(), given.borrow().buffer()]),
            }
        }
        recorder.replay_on(&memory.commands, &places)?;
        for (own, result) in memory.outputs.iter().zip(outputs) {
            recorder.copy(own.buffer(), result.borrow().buffer())?;
        }
        Ok(())
    }

    /// The launches of a run that reads `inputs` and writes `outputs` where they are, to be replayed between other
    /// commands. No output shares memory with an input or with another output.
    pub(crate) fn on(&self, inputs: &[&Tensor], outputs: &[&Tensor]) -> Result<Recorded> {
        self.expect("inputs", &self.code.inputs, inputs)?;
        self.expect("outputs", &self.code.outputs, outputs)?;
        let Code { inputs: starts, outputs: ends, .. } = &self.code;
        let mut given = BTreeMap::new();
        for (value, tensor) in starts.iter().zip(inputs).chain(ends.iter().zip(outputs)) {
            given.entry(*value).or_insert_with(|| (*tensor).clone());
        }
        let memory = Memory::of(&self.device, &self.code, &given)?;
        Recorder::capture(&self.device, |recorder| {
            recorder.replay(&memory.commands);
            // A value that no launch writes, or that several outputs show, lies elsewhere.
            for (place, value) in ends.iter().enumerate() {
                if !self.code.is_computed(*value) || ends[..place].contains(value) {
                    recorder.copy(memory.outputs[place].buffer(), outputs[place].buffer())?;
                }
            }
            Ok(())
        })
    }

    /// Refuses tensors whose shapes differ from the shapes of the values.
    fn expect(&self, role: &str, values: &[usize], tensors: &[impl Borrow<Tensor>]) -> Result<()> {
        let shapes = self.code.shapes(values);
        let found: Vec<&[usize]> = tensors.iter().map(|tensor| tensor.borrow().shape()).collect();
        if shapes == found {
            return Ok(());
        }
        Err(Error::ShapeMismatch {
            operation: "run a program",
            expected: format!("{role} of shapes {shapes:?}"),
            found: format!("{found:?}"),
        })
    }

    /// Device memory for inputs and intermediate values, in bytes, without constants and results.
    pub fn peak_bytes(&self) -> u64 {
        self.code.peak_bytes()
    }

    /// The number of operations of one run; one kernel may compute several.
    pub fn operations(&self) -> usize {
        self.code.steps.iter().filter(|step| !step.operation.is_view()).count()
    }

    /// The memory of the program, made on first use.
    pub(super) fn memory(&self) -> Result<Arc<Memory>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*memory {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(Memory::of(&self.device, &self.code, &BTreeMap::new())?);
        *memory = Some(Arc::clone(&made));
        Ok(made)
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Program");
        fields.field("operations", &self.operations()).field("peak_bytes", &self.peak_bytes()).finish_non_exhaustive()
    }
}
