//! Programs: the part of a graph that some outputs need, in order, with its memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::fusion::{self, Launch, Work};
use super::graph::{Source, Tape, numbers};
use super::operation::{Operation, Solver};
use super::plan::{Lifetime, Plan};
use super::value::Value;
use crate::gpu::{Buffer, Gpu, Recorded, Recorder};
use crate::operator::length;
use crate::tensor::Tensor;
use crate::{Error, Result, ops};

/// What some outputs of a [`Tape`] need, ready to run any number of times.
///
/// The first run makes its memory, which is then kept and used again. A run waits for nothing, unless an operation iterates
/// until it has converged ([`Value::spectral_norm`] and its kin): then the host looks on.
pub struct Program {
    gpu: Gpu,
    pub(super) values: Vec<Held>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
    pub(super) steps: Vec<Step>,
    /// Values that were known when it was compiled, each with its place among them.
    pub(super) known: Vec<(usize, usize)>,
    launches: Vec<Launch>,
    plan: Plan,
    memory: Mutex<Option<Arc<Memory>>>,
    /// Whose run it is, where one takes several submits: the memory is one.
    turn: futures::lock::Mutex<()>,
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
    /// Computed where it is used, in no memory.
    Inner,
    /// Computed, into a block of its own.
    Block(usize),
    /// The memory of another value.
    View(usize),
}

pub(super) struct Step {
    pub(super) operation: Arc<dyn Operation>,
    pub(super) inputs: Vec<usize>,
    pub(super) output: usize,
    /// The block of memory that it needs meanwhile.
    scratch: Option<usize>,
}

/// The memory of a program, and its steps bound to it.
pub(super) struct Memory {
    pub(super) inputs: Vec<Tensor>,
    pub(super) outputs: Vec<Tensor>,
    stages: Vec<Stage>,
}

/// A part of a run.
enum Stage {
    /// What the device does by itself.
    Replay(Recorded),
    /// What the host decides on, waiting for the device.
    Solve(Box<dyn Solver>),
}

impl Memory {
    /// Records a run that the device does by itself.
    ///
    /// # Errors
    /// [`Error::NeedsHost`] when an operation iterates.
    pub(super) fn replay(&self, recorder: &mut Recorder) -> Result<()> {
        self.stages.iter().try_for_each(|stage| match stage {
            Stage::Replay(recorded) => {
                recorder.replay(recorded);
                Ok(())
            }
            Stage::Solve(solver) => Err(Error::NeedsHost { operation: solver.name() }),
        })
    }
}

impl Tape {
    /// A program that computes `outputs` from `inputs`. Whatever they do not need is left out.
    ///
    /// Inputs may be any values, computed ones too: they are then given instead of being computed.
    ///
    /// ```
    /// use opnorm::{Gpu, tape::Tape, tensor::Tensor};
    /// let gpu = Gpu::new()?;
    /// let tape = Tape::new(&gpu);
    /// let x = tape.input(&[2, 2])?;
    /// let program = tape.compile(&[&x], &[x.matmul(&x)?])?;
    /// let found = program.run(&[Tensor::from_slice(&gpu, &[2, 2], &[1.0, 1.0, 0.0, 1.0])?])?;
    /// assert_eq!(found[0].read(&gpu)?, [1.0, 2.0, 0.0, 1.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when the outputs depend on an input that is not given, or one is given twice;
    /// [`Error::ShapeMismatch`] when a value is of another tape.
    pub fn compile(&self, inputs: &[impl Borrow<Value>], outputs: &[impl Borrow<Value>]) -> Result<Program> {
        self.compile_with(("compile", "the list of inputs"), inputs, &BTreeMap::new(), outputs)
    }

    /// As [`Tape::compile`], with some nodes known already; errors speak of what the caller asked for, and the option of its that
    /// names the inputs.
    pub(super) fn compile_with(
        &self,
        (operation, option): (&'static str, &'static str),
        inputs: &[impl Borrow<Value>],
        known: &BTreeMap<usize, Tensor>,
        outputs: &[impl Borrow<Value>],
    ) -> Result<Program> {
        self.expect_own(operation, inputs)?;
        self.expect_own(operation, outputs)?;
        let (starts, ends) = (numbers(inputs), numbers(outputs));
        if let Some(twice) = (1..starts.len()).find(|place| starts[..*place].contains(&starts[*place])) {
            return Err(Error::InvalidOption {
                operation,
                option,
                value: format!("with one of shape {:?} named twice", inputs[twice].borrow().shape()),
                allowed: "of values that differ",
            });
        }
        let given: Vec<usize> = starts.iter().chain(known.keys()).copied().collect();
        let needed = self.needed(&ends, &given);
        let mut builder = Builder::default();
        for start in &starts {
            builder.hold(*start, &self.value(*start), Origin::Input);
        }
        for node in (0..needed.len()).filter(|node| needed[*node] && !starts.contains(node)) {
            let value = self.value(node);
            let origin = match (known.get(&node), self.node(node).source) {
                (Some(tensor), _) => Origin::Constant(tensor.clone()),
                (None, Source::Constant(tensor)) => Origin::Constant(tensor),
                (None, Source::Number(number)) => Origin::Number(number),
                (None, Source::Input) => return Err(missing(operation, option, &value)),
                (None, Source::Computed { operation, inputs }) => {
                    builder.compute(node, &value, operation, &inputs);
                    continue;
                }
            };
            builder.hold(node, &value, origin);
        }
        let place = |(place, node): (usize, &usize)| builder.of_node.get(node).map(|value| (*value, place));
        let known = known.keys().enumerate().filter_map(place).collect();
        builder.finish(self, (&starts, &ends), known)
    }
}

fn missing(operation: &'static str, option: &'static str, value: &Value) -> Error {
    Error::InvalidOption {
        operation,
        option,
        value: format!("without one of shape {:?} that the outputs depend on", value.shape()),
        allowed: "every input that the outputs depend on",
    }
}

/// A program while its nodes are gone through.
#[derive(Default)]
struct Builder {
    values: Vec<Held>,
    of_node: BTreeMap<usize, usize>,
    steps: Vec<Step>,
    blocks: Vec<Lifetime>,
}

impl Builder {
    fn hold(&mut self, node: usize, value: &Value, origin: Origin) {
        self.of_node.insert(node, self.values.len());
        self.values.push(Held { shape: value.shape().into(), origin });
    }

    fn compute(&mut self, node: usize, value: &Value, operation: Arc<dyn Operation>, inputs: &[usize]) {
        let inputs: Vec<usize> = inputs.iter().map(|input| self.of_node[input]).collect();
        self.hold(node, value, if operation.is_view() { Origin::View(inputs[0]) } else { Origin::Inner });
        self.steps.push(Step { operation, inputs, output: self.of_node[&node], scratch: None });
    }

    /// Gives memory to what the launches write and need meanwhile.
    fn place(&mut self, launches: &[Launch], outputs: &[usize]) {
        for (index, Launch { work, inputs, outputs }) in launches.iter().enumerate() {
            inputs.iter().for_each(|input| self.use_at(*input, index));
            for output in outputs {
                let block = self.block(index, length(&self.values[*output].shape));
                self.values[*output].origin = Origin::Block(block);
            }
            if let Work::Step(step) = work {
                let Step { operation, inputs, .. } = &self.steps[*step];
                let shapes: Vec<&[usize]> = inputs.iter().map(|input| &*self.values[*input].shape).collect();
                let scratch = operation.scratch(&shapes);
                self.steps[*step].scratch = (scratch > 0).then(|| self.block(index, scratch));
            }
        }
        // Past the last launch, where results are copied out.
        outputs.iter().for_each(|output| self.use_at(*output, launches.len()));
    }

    fn block(&mut self, launch: usize, elements: usize) -> usize {
        self.blocks.push(Lifetime { first: launch, last: launch, elements });
        self.blocks.len() - 1
    }

    /// Keeps the memory of a value up to a launch.
    fn use_at(&mut self, value: usize, launch: usize) {
        match self.values[value].origin {
            Origin::View(other) => self.use_at(other, launch),
            Origin::Block(block) => self.blocks[block].last = launch,
            _ => (),
        }
    }

    fn finish(
        mut self,
        tape: &Tape,
        (starts, ends): (&[usize], &[usize]),
        known: Vec<(usize, usize)>,
    ) -> Result<Program> {
        let inputs = (0..starts.len()).collect();
        let outputs: Vec<usize> = ends.iter().map(|end| self.of_node[end]).collect();
        let launches = fusion::launches(tape, &self.values, &self.steps, &outputs)?;
        self.place(&launches, &outputs);
        let plan = Plan::pack(&self.blocks);
        Ok(Program {
            gpu: tape.gpu().clone(),
            values: self.values,
            inputs,
            outputs,
            steps: self.steps,
            known,
            launches,
            plan,
            memory: Mutex::new(None),
            turn: futures::lock::Mutex::default(),
        })
    }
}

impl Program {
    /// Computes the outputs on the device; the results are new tensors.
    ///
    /// *Shapes*  those of the inputs and outputs the program was compiled for
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the inputs are not of these shapes, [`Error::TooLarge`] past the device's limits,
    /// [`Error::NotDifferentiable`] and [`Error::NotConverged`] where singular vectors are asked for and cannot be had, and whatever
    /// the device says.
    pub fn run(&self, inputs: &[impl Borrow<Tensor>]) -> Result<Vec<Tensor>> {
        self.gpu.block_on(self.run_async(inputs))
    }

    /// [`Program::run`] without blocking the thread while an operation iterates.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Program::run`].
    pub async fn run_async(&self, inputs: &[impl Borrow<Tensor>]) -> Result<Vec<Tensor>> {
        let shapes = self.outputs.iter().map(|output| &self.values[*output].shape);
        let results: Vec<Tensor> = shapes.map(|shape| Tensor::zeros(&self.gpu, shape)).collect::<Result<_>>()?;
        self.run_into_async(inputs, &results).await?;
        Ok(results)
    }

    /// [`Program::run`] into tensors that are there; after the first run nothing is made on the device.
    ///
    /// *Shapes*  those of the inputs and outputs the program was compiled for
    ///
    /// # Errors
    /// As [`Program::run`]; the outputs may then hold anything.
    pub fn run_into(&self, inputs: &[impl Borrow<Tensor>], outputs: &[impl Borrow<Tensor>]) -> Result<()> {
        self.gpu.block_on(self.run_into_async(inputs, outputs))
    }

    /// [`Program::run_into`] without blocking the thread while an operation iterates.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Program::run`].
    pub async fn run_into_async(&self, inputs: &[impl Borrow<Tensor>], outputs: &[impl Borrow<Tensor>]) -> Result<()> {
        self.expect("inputs", &self.inputs, inputs)?;
        self.expect("outputs", &self.outputs, outputs)?;
        let memory = self.memory()?;
        let _turn = self.turn.lock().await;
        let mut recorder = self.gpu.recorder();
        for (given, own) in inputs.iter().zip(&memory.inputs) {
            recorder.copy(given.borrow().buffer(), own.buffer())?;
        }
        for stage in &memory.stages {
            match stage {
                Stage::Replay(recorded) => recorder.replay(recorded),
                Stage::Solve(solver) => {
                    recorder.submit()?;
                    solver.solve().await?;
                    recorder = self.gpu.recorder();
                }
            }
        }
        for (own, result) in memory.outputs.iter().zip(outputs) {
            recorder.copy(own.buffer(), result.borrow().buffer())?;
        }
        recorder.submit()
    }

    /// Refuses tensors that do not have the shapes of some values.
    fn expect(&self, role: &str, values: &[usize], tensors: &[impl Borrow<Tensor>]) -> Result<()> {
        let shapes: Vec<&[usize]> = values.iter().map(|value| &*self.values[*value].shape).collect();
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

    /// Device memory for inputs and intermediate values, in bytes; constants and results come on top.
    pub fn peak_bytes(&self) -> u64 {
        let inputs = self.inputs.iter().map(|input| length(&self.values[*input].shape));
        let elements = inputs.chain(self.plan.slots.iter().copied()).fold(0, usize::saturating_add);
        (elements as u64).saturating_mul(4)
    }

    /// The operations of one run, of which one kernel may compute several.
    pub fn operations(&self) -> usize {
        self.steps.iter().filter(|step| !step.operation.is_view()).count()
    }

    /// Device memory that one run reads and writes, in bytes.
    pub(super) fn bytes_touched(&self) -> u64 {
        let values = self.launches.iter().flat_map(|launch| launch.inputs.iter().chain(&launch.outputs));
        values.map(|value| 4 * length(&self.values[*value].shape) as u64).sum()
    }

    /// Refuses a program that the device cannot run by itself.
    pub(super) fn expect_replayable(&self) -> Result<()> {
        let iterates = self.steps.iter().find(|step| step.operation.needs_host());
        iterates.map_or(Ok(()), |step| Err(Error::NeedsHost { operation: step.operation.name() }))
    }

    /// The memory of the program, made when it is first asked for.
    pub(super) fn memory(&self) -> Result<Arc<Memory>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*memory {
            return Ok(Arc::clone(made));
        }
        let made = Arc::new(self.allocate()?);
        *memory = Some(Arc::clone(&made));
        Ok(made)
    }

    fn allocate(&self) -> Result<Memory> {
        let operation = "tape program";
        let slots = self.plan.slots.iter().map(|len| Buffer::zeros(&self.gpu, operation, *len));
        let slots: Vec<Buffer<f32>> = slots.collect::<Result<_>>()?;
        let part = |block: usize, len: usize| slots[self.plan.places[block]].slice(0..len);
        let nothing: Buffer<f32> = Buffer::zeros(&self.gpu, operation, 0)?;
        let mut tensors: Vec<Tensor> = Vec::with_capacity(self.values.len());
        for Held { shape, origin } in &self.values {
            tensors.push(match origin {
                Origin::Input => Tensor::zeros(&self.gpu, shape)?,
                Origin::Constant(tensor) => tensor.reshaped(shape)?,
                Origin::Number(number) => Tensor::from_slice(&self.gpu, shape, &[*number as f32])?,
                Origin::Inner => Tensor::from_buffer(nothing.clone(), &[0])?,
                Origin::Block(block) => Tensor::from_buffer(part(*block, length(shape)), shape)?,
                Origin::View(other) if self.is_inner(*other) => tensors[*other].clone(),
                Origin::View(other) => tensors[*other].reshaped(shape)?,
            });
        }
        let held = |values: &[usize]| values.iter().map(|value| &tensors[*value]).collect::<Vec<_>>();
        let needs_host = |launch: &Launch| self.host_step(launch).is_some();
        let mut stages = Vec::new();
        for launches in self.launches.chunk_by(|one, next| !needs_host(one) && !needs_host(next)) {
            if let [launch] = launches
                && let Some(Step { operation, output, .. }) = self.host_step(launch)
            {
                let inputs: Vec<Tensor> = held(&launch.inputs).into_iter().cloned().collect();
                stages.push(Stage::Solve(operation.solver(&self.gpu, &inputs, &tensors[*output])?));
                continue;
            }
            stages.push(Stage::Replay(Recorder::capture(&self.gpu, |recorder| {
                for Launch { work, inputs, outputs } in launches {
                    match work {
                        Work::Step(step) => {
                            let Step { operation, output, scratch, .. } = &self.steps[*step];
                            let scratch = scratch.map(|block| slots[self.plan.places[block]].clone());
                            operation.record(
                                recorder,
                                &held(inputs),
                                scratch.as_ref().unwrap_or(&nothing),
                                &tensors[*output],
                            )?;
                        }
                        Work::Fused(kernel) => {
                            let buffers = |values| held(values).into_iter().map(Tensor::buffer).collect::<Vec<_>>();
                            ops::fused(recorder, kernel, &buffers(inputs), &buffers(outputs))?;
                        }
                    }
                }
                Ok(())
            })?));
        }
        let pick = |values: &[usize]| values.iter().map(|value| tensors[*value].clone()).collect();
        Ok(Memory { inputs: pick(&self.inputs), outputs: pick(&self.outputs), stages })
    }

    /// The step that a launch leaves to the host, where it does.
    fn host_step(&self, launch: &Launch) -> Option<&Step> {
        match launch.work {
            Work::Step(step) => Some(&self.steps[step]).filter(|step| step.operation.needs_host()),
            Work::Fused(_) => None,
        }
    }

    /// Whether a value is in no memory.
    fn is_inner(&self, value: usize) -> bool {
        match self.values[value].origin {
            Origin::View(other) => self.is_inner(other),
            Origin::Inner => true,
            _ => false,
        }
    }

    pub(super) fn gpu(&self) -> &Gpu {
        &self.gpu
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Program");
        fields.field("operations", &self.operations()).field("peak_bytes", &self.peak_bytes()).finish_non_exhaustive()
    }
}
